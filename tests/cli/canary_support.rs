//! A service in two versions on a real API server, as `meshctl canary` finds it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, PostParams};
use kube::core::GroupVersionKind;
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_core::k8s_openapi::api::core::v1::{Pod, Service};
use serde_json::{Value, json};
use test_cluster::{Node, TestCluster, wait_for};

use crate::harness::{Output, Project};

/// A cluster with Istio's kinds, which others must not have.
pub(crate) async fn cluster() -> &'static TestCluster {
    static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
    static READY: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let cluster = CLUSTER.get_or_init(|| TestCluster::start().expect("a cluster"));
    READY
        .get_or_init(async || {
            cluster
                .add_node(Node::new("canary").label("test", "canary"))
                .await;
            let kind = GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
            let api: Api<DynamicObject> = Api::all_with(cluster.client(), &ApiResource::from_gvk(&kind));
            for name in ["virtualservices", "destinationrules"] {
                let text = fs_err::read_to_string(format!("schemas/crds/{name}.networking.istio.io.yaml"));
                let text = text.expect("a definition").into();
                let documents = mesh_yaml::parse(&text);
                let document = documents.first().expect("a document").as_ref().expect("YAML");
                let object = serde_json::from_value(document.root().to_json()).expect("an object");
                api.create(&PostParams::default(), &object)
                    .await
                    .expect("a definition");
            }
            for (kind, plural) in [
                ("VirtualService", "virtualservices"),
                ("DestinationRule", "destinationrules"),
            ] {
                wait_for("the definition to be served", async || {
                    let list = istio(Api::all_with, cluster, kind, plural);
                    list.list(&ListParams::default()).await.ok()
                })
                .await;
            }
        })
        .await;
    cluster
}

fn istio(
    make: impl FnOnce(kube::Client, &ApiResource) -> Api<DynamicObject>,
    cluster: &TestCluster,
    kind: &str,
    plural: &str,
) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("networking.istio.io", "v1", kind);
    make(
        cluster.client(),
        &ApiResource::from_gvk_with_plural(&kind, plural),
    )
}

/// A namespace with a service `reviews` and a pod of each version.
pub(crate) struct Stage {
    pub(crate) cluster: &'static TestCluster,
    pub(crate) namespace: String,
    pub(crate) project: Project,
}

impl Stage {
    pub(crate) async fn new(name: &str, versions: &[&str]) -> Self {
        let cluster = cluster().await;
        let stage = Self {
            cluster,
            namespace: cluster.namespace(name).await,
            project: Project::new(),
        };
        let service = json!({
            "metadata": {"name": "reviews"},
            "spec": {"selector": {"app": "reviews"}, "ports": [{"name": "http", "port": 80}]},
        });
        let services: Api<Service> = Api::namespaced(cluster.client(), &stage.namespace);
        let service = serde_json::from_value(service).expect("a service");
        services
            .create(&PostParams::default(), &service)
            .await
            .expect("a service");
        for version in versions {
            stage.deploy(version).await;
        }
        for version in versions {
            stage.wait_for_pods(version).await;
        }
        stage
    }

    pub(crate) async fn deploy(&self, version: &str) {
        let labels = json!({"app": "reviews", "version": version});
        let deployment = json!({
            "metadata": {"name": format!("reviews-{version}")},
            "spec": {"selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels},
                "spec": {"nodeSelector": {"test": "canary"}, "containers": [{"name": "app", "image": "example.com/app:1"}]},
            }},
        });
        let deployments: Api<Deployment> = Api::namespaced(self.cluster.client(), &self.namespace);
        let deployment = serde_json::from_value(deployment).expect("a deployment");
        deployments
            .create(&PostParams::default(), &deployment)
            .await
            .expect("a deployment");
    }

    async fn wait_for_pods(&self, version: &str) {
        let pods: Api<Pod> = Api::namespaced(self.cluster.client(), &self.namespace);
        let params = ListParams::default().labels(&format!("version={version}"));
        wait_for("the pods to be ready", async || {
            let pods = pods.list(&params).await.ok()?;
            let is_ready = |pod: &Pod| {
                let conditions = pod.status.as_ref().and_then(|status| status.conditions.clone());
                conditions
                    .iter()
                    .flatten()
                    .any(|one| one.type_ == "Ready" && one.status == "True")
            };
            (!pods.items.is_empty() && pods.items.iter().all(is_ready)).then_some(())
        })
        .await;
    }

    pub(crate) fn virtual_services(&self) -> Api<DynamicObject> {
        let make = |client, resource: &ApiResource| Api::namespaced_with(client, &self.namespace, resource);
        istio(make, self.cluster, "VirtualService", "virtualservices")
    }

    pub(crate) fn destination_rules(&self) -> Api<DynamicObject> {
        let make = |client, resource: &ApiResource| Api::namespaced_with(client, &self.namespace, resource);
        istio(make, self.cluster, "DestinationRule", "destinationrules")
    }

    /// Makes a VirtualService.
    pub(crate) async fn virtual_service(&self, object: &Value) {
        let mut object = object.clone();
        object["apiVersion"] = "networking.istio.io/v1".into();
        object["kind"] = "VirtualService".into();
        let object = serde_json::from_value(object).expect("an object");
        let api = self.virtual_services();
        api.create(&PostParams::default(), &object)
            .await
            .expect("a VirtualService");
    }

    /// Makes a VirtualService `reviews` that splits between `v1` and `v2`, and the subsets.
    pub(crate) async fn split(&self, stable: i64, canary: i64) {
        self.virtual_service(
            &json!({"metadata": {"name": "reviews"}, "spec": {"hosts": ["reviews"], "http": [{"route": [
                {"destination": {"host": "reviews", "subset": "v1"}, "weight": stable},
                {"destination": {"host": "reviews", "subset": "v2"}, "weight": canary},
            ]}]}}),
        )
        .await;
        self.subsets(&["v1", "v2"]).await;
    }

    /// Makes a DestinationRule with subsets by version.
    pub(crate) async fn subsets(&self, names: &[&str]) {
        let subsets: Vec<_> = names
            .iter()
            .map(|name| json!({"name": name, "labels": {"version": name}}))
            .collect();
        let rule = json!({
            "apiVersion": "networking.istio.io/v1", "kind": "DestinationRule",
            "metadata": {"name": "reviews"}, "spec": {"host": "reviews", "subsets": subsets},
        });
        let rule = serde_json::from_value(rule).expect("an object");
        let api = self.destination_rules();
        api.create(&PostParams::default(), &rule)
            .await
            .expect("a DestinationRule");
    }

    /// Changes the VirtualService as somebody else would.
    pub(crate) async fn edit(&self, patch: &Value) {
        let path = format!(
            "/apis/networking.istio.io/v1/namespaces/{}/virtualservices/reviews?fieldManager=somebody",
            self.namespace
        );
        let request = http::Request::patch(path)
            .header("content-type", "application/json-patch+json")
            .body(patch.to_string().into_bytes())
            .expect("a request");
        let client = self.cluster.client();
        client.request::<Value>(request).await.expect("it fits");
    }

    /// The VirtualService `reviews`, as JSON.
    pub(crate) async fn routes(&self) -> Value {
        let object = self
            .virtual_services()
            .get("reviews")
            .await
            .expect("the VirtualService");
        serde_json::to_value(object).expect("JSON")
    }

    /// The weights of the first route.
    pub(crate) async fn weights(&self) -> Vec<i64> {
        let routes = self.routes().await;
        let list = routes["spec"]["http"][0]["route"]
            .as_array()
            .expect("destinations")
            .clone();
        list.iter()
            .map(|one| one["weight"].as_i64().unwrap_or_default())
            .collect()
    }

    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.project.command(["canary"]);
        command
            .args(args)
            .arg("--kubeconfig")
            .arg(self.cluster.kubeconfig())
            .arg("-n")
            .arg(&self.namespace);
        command
    }

    /// Starts the program and lets it run.
    pub(crate) fn start<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program runs")
    }

    /// Sends a signal to a program that was started.
    pub(crate) fn signal(child: &Child, signal: &str) {
        let killed = Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status();
        assert!(killed.expect("kill runs").success());
    }

    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        let mut command = self.command(args);
        // The tests' runtime must go on while the program runs.
        let output = tokio::task::block_in_place(|| self.project.output(&mut command));
        self.redacted(&output)
    }

    pub(crate) fn redacted(&self, output: &Output) -> Output {
        Output {
            stdout: output.stdout.replace(&self.namespace, "NAMESPACE"),
            stderr: output.stderr.replace(&self.namespace, "NAMESPACE"),
            status: output.status,
        }
    }
}

/// The body of a request, and where its answer goes.
pub(crate) fn request(stream: TcpStream) -> (TcpStream, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        let header = line.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut body = vec![0; length];
    // Half a request is what the caller makes of it.
    let _ = reader.read_exact(&mut body);
    (reader.into_inner(), body)
}

/// Ends the program as nothing can be prepared for.
pub(crate) fn kill(mut child: Child) {
    child.kill().expect("it runs, or has ended");
    child.wait().expect("it ends");
}

/// How often a program is killed; `MESHCTL_CANARY_KILLS` says another number.
pub(crate) fn kills(usual: u64) -> u64 {
    std::env::var("MESHCTL_CANARY_KILLS").map_or(usual, |text| text.parse().expect("a number"))
}

/// Numbers that look random, and are the same each time (splitmix64).
pub(crate) fn random(seed: u64) -> u64 {
    let mut z = (seed + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
