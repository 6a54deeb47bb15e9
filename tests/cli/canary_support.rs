//! A service in two versions on a real API server, as `meshctl canary` finds it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use gateway_api::apis::experimental::{gateways, grpcroutes, httproutes, tcproutes, tlsroutes};
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, CustomResourceExt};
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
            let istio = ["virtualservices", "destinationrules"].map(|name| {
                let text = fs_err::read_to_string(format!("schemas/crds/{name}.networking.istio.io.yaml"));
                let text = text.expect("a definition").into();
                let documents = mesh_yaml::parse(&text);
                let document = documents.first().expect("a document").as_ref().expect("YAML");
                document.root().to_json()
            });
            for definition in istio.into_iter().chain(gateway_api()).chain([rollouts()]) {
                let object = serde_json::from_value(definition).expect("an object");
                api.create(&PostParams::default(), &object)
                    .await
                    .expect("a definition");
            }
            for [_, _, kind, _] in KINDS {
                wait_for("the definition to be served", async || {
                    let list: Api<DynamicObject> = Api::all_with(cluster.client(), &resource(kind));
                    list.list(&ListParams::default()).await.ok()
                })
                .await;
            }
        })
        .await;
    cluster
}

/// Group, version, kind and plural of what divides traffic, and of waypoints.
const KINDS: [[&str; 4]; 8] = [
    ["networking.istio.io", "v1", "VirtualService", "virtualservices"],
    ["networking.istio.io", "v1", "DestinationRule", "destinationrules"],
    ["gateway.networking.k8s.io", "v1", "Gateway", "gateways"],
    ["gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes"],
    ["gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes"],
    ["gateway.networking.k8s.io", "v1", "TLSRoute", "tlsroutes"],
    ["gateway.networking.k8s.io", "v1alpha2", "TCPRoute", "tcproutes"],
    ["argoproj.io", "v1alpha1", "Rollout", "rollouts"],
];

fn resource(kind: &str) -> ApiResource {
    let known = KINDS.into_iter().find(|[_, _, known, _]| *known == kind);
    let [group, version, kind, plural] = known.expect("a kind that is known");
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, version, kind), plural)
}

/// The definition of Argo Rollouts' kind, of which no more is needed than that it is there.
fn rollouts() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {
            "group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Rollout", "plural": "rollouts"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

/// The definitions of the Gateway API. Those of the crate lack what the API server fills in.
fn gateway_api() -> [Value; 5] {
    let crds = [
        gateways::Gateway::crd(),
        httproutes::HttpRoute::crd(),
        grpcroutes::GrpcRoute::crd(),
        tlsroutes::TlsRoute::crd(),
        tcproutes::TcpRoute::crd(),
    ];
    crds.map(|crd| {
        let mut crd = serde_json::to_value(crd).expect("JSON");
        // Otherwise the API server asks for an approval of its group.
        crd["metadata"]["annotations"] =
            json!({"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/2997"});
        fill_in(&mut crd);
        crd
    })
}

/// Adds the defaults that the Gateway API's reference names: of references to backends, of paths, and of headers.
fn fill_in(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return schema.as_array_mut().into_iter().flatten().for_each(fill_in);
    };
    for (name, value) in fields {
        let reference = match name.as_str() {
            "backendRefs" => value.pointer_mut("/items/properties"),
            "backendRef" => value.pointer_mut("/properties"),
            _ => None,
        };
        if let Some(fields) = reference {
            fields["group"]["default"] = "".into();
            fields["kind"]["default"] = "Service".into();
            if name == "backendRefs" {
                fields["weight"]["default"] = 1.into();
            }
        }
        if let ("matches", Some(path)) = (name.as_str(), value.pointer_mut("/items/properties/path")) {
            path["default"] = json!({"type": "PathPrefix", "value": "/"});
            value["default"] = json!([{"path": {"type": "PathPrefix", "value": "/"}}]);
        }
        fill_in(value);
    }
}

/// A namespace with a service `reviews` and a pod of each version.
pub(crate) struct Stage {
    pub(crate) cluster: &'static TestCluster,
    pub(crate) namespace: String,
    pub(crate) project: Project,
}

impl Stage {
    pub(crate) async fn new(name: &str, versions: &[&str]) -> Self {
        Self::with_port(name, versions, "http").await
    }

    /// One whose service has a port of this name.
    pub(crate) async fn with_port(name: &str, versions: &[&str], port: &str) -> Self {
        let cluster = cluster().await;
        let stage = Self {
            cluster,
            namespace: cluster.namespace(name).await,
            project: Project::new(),
        };
        stage.service("reviews", &json!({"app": "reviews"}), port).await;
        for version in versions {
            stage.deploy(version).await;
        }
        for version in versions {
            stage.wait_for_pods(version).await;
        }
        stage
    }

    /// Makes a service with one port.
    pub(crate) async fn service(&self, name: &str, selector: &Value, port: &str) {
        let service = json!({
            "metadata": {"name": name},
            "spec": {"selector": selector, "ports": [{"name": port, "port": 80}]},
        });
        let services: Api<Service> = Api::namespaced(self.cluster.client(), &self.namespace);
        let service = serde_json::from_value(service).expect("a service");
        services
            .create(&PostParams::default(), &service)
            .await
            .expect("a service");
    }

    /// Makes a service of its own for each of two versions.
    pub(crate) async fn services(&self, port: &str) {
        for version in ["v1", "v2"] {
            let selector = json!({"app": "reviews", "version": version});
            self.service(&format!("reviews-{version}"), &selector, port).await;
        }
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

    /// Has a version run with so many pods, and waits until there are no more.
    pub(crate) async fn scale(&self, version: &str, replicas: usize) {
        let deployments: Api<Deployment> = Api::namespaced(self.cluster.client(), &self.namespace);
        let scale = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        deployments
            .patch(&format!("reviews-{version}"), &PatchParams::default(), &scale)
            .await
            .expect("a scale");
        let pods: Api<Pod> = Api::namespaced(self.cluster.client(), &self.namespace);
        let params = ListParams::default().labels(&format!("version={version}"));
        wait_for("the pods to go", async || {
            let pods = pods.list(&params).await.ok()?;
            (pods.items.len() <= replicas).then_some(())
        })
        .await;
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
        self.objects("VirtualService")
    }

    pub(crate) fn destination_rules(&self) -> Api<DynamicObject> {
        self.objects("DestinationRule")
    }

    pub(crate) fn objects(&self, kind: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.cluster.client(), &self.namespace, &resource(kind))
    }

    /// Makes a pod that is none of the service's.
    pub(crate) async fn pod(&self, name: &str, labels: &Value) {
        let pod = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeSelector": {"test": "canary"}, "containers": [{"name": "app", "image": "example.com/app:1"}]},
        }));
        let pods: Api<Pod> = Api::namespaced(self.cluster.client(), &self.namespace);
        pods.create(&PostParams::default(), &pod.expect("a pod"))
            .await
            .expect("a pod");
    }

    /// Makes a Rollout of Argo Rollouts that divides traffic by a VirtualService, or has it do so by another.
    pub(crate) async fn rollout(&self, name: &str, routes: &str) {
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.cluster.client(), &self.namespace, &resource("Rollout"));
        let object = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {"strategy": {"canary": {"trafficRouting": {"istio": {"virtualService": {"name": routes}}}}}},
        });
        let params = PatchParams::apply("test").force();
        api.patch(name, &params, &Patch::Apply(&object))
            .await
            .expect("a Rollout");
    }

    /// Makes a VirtualService.
    pub(crate) async fn virtual_service(&self, object: &Value) {
        self.create("VirtualService", object).await;
    }

    /// Makes an object of one of the kinds of the mesh.
    pub(crate) async fn create(&self, kind: &str, object: &Value) {
        let resource = resource(kind);
        let mut object = object.clone();
        object["apiVersion"] = resource.api_version.into();
        object["kind"] = kind.into();
        let object = serde_json::from_value(object).expect("an object");
        let api = self.objects(kind);
        api.create(&PostParams::default(), &object)
            .await
            .expect("an object that is valid");
    }

    /// An object as JSON.
    pub(crate) async fn object(&self, kind: &str, name: &str) -> Value {
        let object = self.objects(kind).get(name).await.expect("the object");
        serde_json::to_value(object).expect("JSON")
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
        let rule = json!({"metadata": {"name": "reviews"}, "spec": {"host": "reviews", "subsets": subsets}});
        self.create("DestinationRule", &rule).await;
    }

    /// Changes the VirtualService as somebody else would.
    pub(crate) async fn edit(&self, patch: &Value) {
        self.edit_as("somebody", patch).await;
    }

    /// Changes the VirtualService under this name.
    pub(crate) async fn edit_as(&self, manager: &str, patch: &Value) {
        self.patch("virtualservices", manager, patch).await;
    }

    /// Changes the DestinationRule as somebody else would.
    pub(crate) async fn edit_rule(&self, patch: &Value) {
        self.patch("destinationrules", "somebody", patch).await;
    }

    async fn patch(&self, kind: &str, manager: &str, patch: &Value) {
        let path = format!(
            "/apis/networking.istio.io/v1/namespaces/{}/{kind}/reviews?fieldManager={manager}",
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
        self.object("VirtualService", "reviews").await
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
