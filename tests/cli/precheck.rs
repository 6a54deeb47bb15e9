//! `meshctl precheck` and `meshctl version --remote` against a real control plane.

use std::path::Path;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Namespace, Node as K8sNode, Pod, ServiceAccount};
use kube::api::{DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api as KubeApi, ResourceExt};
use mesh_install::manifest::{ComponentName, render};
use mesh_install::spec::{Request, resolve};
use serde_json::{Value, json};
use test_cluster::{Node, TaintEffect, TestCluster, wait_for};

use crate::harness::{Output, Project};

fn precheck<'a>(kubeconfig: &'a Path, args: impl IntoIterator<Item = &'a str>) -> Output {
    let kubeconfig = kubeconfig.to_str().expect("a path in UTF-8");
    Project::new().run(["precheck", "--kubeconfig", kubeconfig].into_iter().chain(args))
}

/// The check of a document.
pub(crate) fn check<'a>(document: &'a Value, name: &str) -> &'a Value {
    let categories = document["categories"].as_array().expect("categories");
    categories
        .iter()
        .flat_map(|category| category["checks"].as_array().expect("checks"))
        .find(|check| check["name"] == name)
        .unwrap_or_else(|| panic!("no check {name} in {document}"))
}

fn schema() -> jsonschema::Validator {
    let text = fs_err::read_to_string("schemas/precheck-output.schema.json").expect("a schema");
    jsonschema::validator_for(&serde_json::from_str(&text).expect("JSON")).expect("a schema")
}

fn node(name: &str) -> Node {
    Node::new(name).capacity("4", "8Gi", 110)
}

/// What the real scheduler says about the control plane's pod in the namespace; `None` if it found a node.
async fn real_verdict(cluster: &TestCluster, namespace: &str) -> Option<String> {
    let request = Request {
        namespace: Some(namespace.to_owned()),
        ..Request::default()
    };
    let workloads = render(&resolve(&request).expect("a specification").spec).workloads();
    let istiod = workloads
        .into_iter()
        .find(|(component, _)| *component == ComponentName::Pilot);
    let template = istiod.expect("istiod").1.template;
    let client = cluster.client();
    let account = template
        .spec
        .as_ref()
        .and_then(|spec| spec.service_account_name.clone());
    if let Some(name) = account {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        let account: ServiceAccount = serde_json::from_value(account).expect("an account");
        let accounts = KubeApi::namespaced(client.clone(), namespace);
        accounts
            .create(&PostParams::default(), &account)
            .await
            .expect("an account");
    }
    let labels = template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.labels.clone());
    let deployment: Deployment = serde_json::from_value(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "istiod"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }))
    .expect("a Deployment");
    let deployments = KubeApi::namespaced(client.clone(), namespace);
    deployments
        .create(&PostParams::default(), &deployment)
        .await
        .expect("a Deployment");
    let pods: KubeApi<Pod> = KubeApi::namespaced(client, namespace);
    let verdict = wait_for("the scheduler's verdict", async || {
        let list = pods.list(&ListParams::default()).await.ok()?;
        let status = list.items.first()?.status.clone()?;
        let conditions = status.conditions?;
        let scheduled = conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled")?;
        match scheduled.status.as_str() {
            "True" => Some(None),
            _ => scheduled.message.clone().map(Some),
        }
    })
    .await;
    let _ = deployments.delete("istiod", &DeleteParams::foreground()).await;
    wait_for("the pods to go", async || {
        pods.list(&ListParams::default())
            .await
            .ok()?
            .items
            .is_empty()
            .then_some(())
    })
    .await;
    verdict
}

#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_on_istiod_is_the_real_schedulers() {
    let cluster = TestCluster::start().expect("a cluster");
    let nodes: KubeApi<K8sNode> = KubeApi::all(cluster.client());
    let tainted = || {
        node("tainted").taint(
            "node-role.kubernetes.io/control-plane",
            "",
            TaintEffect::NoSchedule,
        )
    };
    let scenarios: [(&str, Vec<Node>, &str); 7] = [
        ("no node", vec![], ""),
        ("taint", vec![tainted()], "node-role.kubernetes.io/control-plane"),
        (
            "disk pressure",
            vec![node("full").condition("DiskPressure", "True")],
            "node.kubernetes.io/disk-pressure",
        ),
        (
            "memory",
            vec![Node::new("small").capacity("4", "1Gi", 110)],
            "memory",
        ),
        ("CPU", vec![Node::new("slow").capacity("200m", "8Gi", 110)], "cpu"),
        (
            "all of them",
            vec![
                tainted(),
                node("cordoned").unschedulable(),
                Node::new("small").capacity("4", "1Gi", 110),
                node("arm").arch("s390x").condition("Ready", "False"),
            ],
            "cordoned",
        ),
        ("room", vec![tainted(), node("good")], ""),
    ];
    for (name, described, cause) in scenarios {
        let mut names = Vec::new();
        for node in described {
            names.push(cluster.add_node(node).await.name_any());
        }
        let namespace = cluster.namespace("mesh").await;
        let output = precheck(
            cluster.kubeconfig(),
            ["--istio-namespace", &namespace, "--select=capacity", "-o=json"],
        );
        let document = output.json();
        let predicted = check(&document, "control-plane-scheduling");
        if let Some(message) = real_verdict(&cluster, &namespace).await {
            assert_eq!(predicted["status"], "fail", "{name}: {message}\n{predicted}");
            let expected = format!("Deployment istiod would not run: {message}");
            // What comes after the reasons is about making room: other plugins of the scheduler put in a word
            // there too, and preemption is told in its second round only.
            let without = |text: &str| {
                let reasons = text.split(" preemption:").next().unwrap_or_default();
                reasons
                    .replace("no new claims to deallocate,", "")
                    .trim()
                    .to_owned()
            };
            assert_eq!(
                without(predicted["summary"].as_str().expect("a summary")),
                without(&expected),
                "{name}"
            );
            let text = predicted["detail"].to_string();
            assert!(text.contains(cause), "{name}: {text}");
            assert!(predicted["hint"].is_string(), "{name}: {predicted}");
            assert_eq!(output.status, Some(1), "{name}");
        } else {
            assert_eq!(predicted["status"], "pass", "{name}: {predicted}");
            assert_eq!(output.status, Some(0), "{name}: {output}");
        }
        for node in names {
            nodes
                .delete(&node, &DeleteParams::default())
                .await
                .expect("the node goes");
            wait_for("the node to go", async || {
                nodes.get_opt(&node).await.ok()?.is_none().then_some(())
            })
            .await;
        }
    }
}

/// Applies objects in YAML, as kubectl would.
async fn apply(cluster: &TestCluster, yaml: &str) {
    for document in yaml.split("---\n") {
        let object: DynamicObject = serde_yaml::from_str(document).expect("an object");
        let types = object.types.clone().expect("a kind");
        let (group, version) = types
            .api_version
            .split_once('/')
            .unwrap_or(("", &types.api_version));
        let kind = GroupVersionKind::gvk(group, version, &types.kind);
        let plural = format!("{}s", types.kind.to_lowercase());
        let resource = ApiResource::from_gvk_with_plural(&kind, &plural);
        let api: KubeApi<DynamicObject> = match object.namespace() {
            Some(namespace) => KubeApi::namespaced_with(cluster.client(), &namespace, &resource),
            None => KubeApi::all_with(cluster.client(), &resource),
        };
        let patch = Patch::Apply(&object);
        let params = PatchParams::apply("test").force();
        api.patch(&object.name_any(), &params, &patch)
            .await
            .expect("applied");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_with_few_rights_gets_what_can_be_checked_and_the_roles_that_are_missing() {
    let cluster = TestCluster::shared();
    let namespace = cluster.namespace("mesh").await;
    let access = cluster.user("jane@example.com", &[]);
    let kubeconfig = access.kubeconfig();
    let run = || precheck(&kubeconfig, ["--istio-namespace", &namespace, "-o=json"]);

    let output = run();
    assert_eq!(output.status, Some(1), "{output}");
    let document = output.json();
    let problems: Vec<_> = schema()
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(check(&document, "kubernetes-version")["status"], "pass");
    assert_eq!(check(&document, "nodes")["status"], "skipped");
    let summary = check(&document, "nodes")["summary"].as_str().expect("a summary");
    assert!(summary.contains("nodes is forbidden"), "{summary}");
    assert_eq!(document["cluster"]["user"], "jane@example.com");

    for name in [
        "cluster-permissions",
        "namespace-permissions",
        "grant-permissions",
    ] {
        let check = check(&document, name);
        assert_eq!(check["status"], "fail", "{check}");
        let manifest = check["manifest"].as_str().expect("a manifest");
        apply(cluster, manifest).await;
    }
    wait_for("the rights to take effect", async || {
        let document = run().json();
        [
            "cluster-permissions",
            "namespace-permissions",
            "grant-permissions",
        ]
        .iter()
        .all(|name| check(&document, name)["status"] == "pass")
        .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_when_the_node_is_there() {
    let cluster = TestCluster::start().expect("a cluster");
    let kubeconfig = cluster.kubeconfig().to_str().expect("a path").to_owned();
    let child = Project::new();
    let mut command = child.command([
        "precheck",
        "--select=nodes",
        "--wait=1m",
        "--kubeconfig",
        &kubeconfig,
    ]);
    let running = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    cluster.add_node(node("late")).await;
    let output = child.collect(running);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stdout.contains("ok nodes: 1 of 1 usable"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_mesh_left_is_found() {
    let cluster = TestCluster::start().expect("a cluster");
    cluster.add_node(node("worker")).await;
    let client = cluster.client();
    let namespaces: KubeApi<Namespace> = KubeApi::all(client.clone());
    for (name, labels) in [
        ("istio-system", json!({})),
        (
            "shop",
            json!({"istio-injection": "enabled", "istio.io/rev": "canary",
            "pod-security.kubernetes.io/enforce": "baseline"}),
        ),
    ] {
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        let namespace = serde_json::from_value(namespace).expect("a namespace");
        namespaces
            .create(&PostParams::default(), &namespace)
            .await
            .expect("a namespace");
    }
    let webhook = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector"},
        "webhooks": [{
            "name": "namespace.sidecar-injector.istio.io", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail", "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"],
                "resources": ["pods"]}],
            "namespaceSelector": {"matchLabels": {"istio-injection": "enabled"}},
            "clientConfig": {"service": {"namespace": "istio-system", "name": "istiod", "path": "/inject"}},
        }],
    });
    apply(&cluster, &webhook.to_string()).await;
    let crd = fs_err::read_to_string("schemas/crds/virtualservices.networking.istio.io.yaml")
        .expect("a definition");
    apply(&cluster, &crd).await;
    wait_for("the definition to be served", async || {
        let kind = GroupVersionKind::gvk("networking.istio.io", "v1", "VirtualService");
        let resource = ApiResource::from_gvk_with_plural(&kind, "virtualservices");
        let api: KubeApi<DynamicObject> = KubeApi::all_with(client.clone(), &resource);
        api.list(&ListParams::default()).await.ok()
    })
    .await;
    let deprecated = json!({
        "apiVersion": "networking.istio.io/v1", "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"hosts": ["web"], "http": [{"mirror": {"host": "web"}, "mirrorPercent": 10,
            "route": [{"destination": {"host": "web"}}]}]},
    });
    apply(&cluster, &deprecated.to_string()).await;

    let output = precheck(cluster.kubeconfig(), ["-o=json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let document = output.json();
    for (name, status) in [
        ("api-server", "pass"),
        ("kubernetes-version", "pass"),
        ("api-versions", "pass"),
        ("cluster-permissions", "pass"),
        ("grant-permissions", "pass"),
        ("control-plane-scheduling", "pass"),
        ("gateway-scheduling", "pass"),
        ("istio-namespace", "pass"),
        ("control-planes", "pass"),
        ("leftover-webhooks", "fail"),
        ("leftover-objects", "warning"),
        ("crd-versions", "pass"),
        ("deprecated-fields", "warning"),
        ("sidecar-pod-security", "fail"),
        ("clock-skew", "pass"),
        ("namespace-labels", "warning"),
    ] {
        let check = check(&document, name);
        assert_eq!(check["status"], status, "{check}");
    }
    let deprecated = check(&document, "deprecated-fields")["detail"][0]
        .as_str()
        .expect("a line");
    assert!(
        deprecated.starts_with("VirtualService shop/web: "),
        "{deprecated}"
    );
    assert!(!document.to_string().contains("skipped\":\""), "{document}");
    assert_eq!(document["summary"]["skipped"], 0, "{document}");

    let junit = precheck(cluster.kubeconfig(), ["-o=junit", "--select=existing-mesh"]);
    assert!(
        junit.stdout.contains("<testsuite name=\"existing-mesh\""),
        "{junit}"
    );
    assert!(
        junit
            .stdout
            .contains("classname=\"existing-mesh.leftover-webhooks\""),
        "{junit}"
    );
    let yaml = precheck(cluster.kubeconfig(), ["-o=yaml", "--select=upgrade"]);
    let yaml: Value = serde_yaml::from_str(&yaml.stdout).expect("YAML");
    assert_eq!(yaml["categories"][0]["checks"][0]["name"], "upgrade");
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_a_cluster_are_counted() {
    let cluster = TestCluster::start().expect("a cluster");
    let namespace = cluster.namespace("shop").await;
    for (name, image, role) in [
        ("web-1", "istio/proxyv2:1.29.1", "sidecar"),
        ("web-2", "istio/proxyv2:1.29.1-distroless", "sidecar"),
        ("edge", "istio/proxyv2:1.28.3", "router"),
    ] {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": {"istio.io/rev": "default"}},
            "spec": {"containers": [{"name": "istio-proxy", "image": image, "args": ["proxy", role]}]},
        }))
        .expect("a pod");
        let pods = KubeApi::namespaced(cluster.client(), &namespace);
        pods.create(&PostParams::default(), &pod).await.expect("a pod");
    }
    let kubeconfig = cluster.kubeconfig().to_str().expect("a path");
    let run =
        |format: &str| Project::new().run(["version", "--remote", "--kubeconfig", kubeconfig, "-o", format]);
    let text = run("text");
    assert!(
        text.stdout.contains("no control plane in the cluster\n"),
        "{text}"
    );
    assert!(
        text.stdout
            .contains("data plane 1.28.3 (1 gateway)\ndata plane 1.29.1 (2 sidecars)\n"),
        "{text}"
    );
    let short = run("short");
    assert!(
        short
            .stdout
            .ends_with("data plane: 1.28.3 x1\ndata plane: 1.29.1 x2\n"),
        "{short}"
    );
    let document = run("json").json();
    assert_eq!(document["controlPlanes"], json!([]));
    assert_eq!(
        document["dataPlane"][0],
        json!({"kind": "gateway", "version": "1.28.3", "revision": "default", "count": 1})
    );
}

#[test]
fn wrong_credentials_and_certificates_say_so() {
    let cluster = TestCluster::shared();
    let other =
        fs_err::read_to_string("crates/mesh-install/src/precheck/testdata/root.pem").expect("a certificate");
    for (access, message) in [
        (
            cluster.admin().token("expired"),
            "error: the API server does not accept the credentials (401 Unauthorized)",
        ),
        (cluster.admin().certificate_authority(other), "is not trusted"),
    ] {
        let output = precheck(&access.kubeconfig(), []);
        assert_eq!(output.status, Some(2), "{output}");
        assert_eq!(output.stdout, "", "{output}");
        assert!(output.stderr.contains(message), "{output}");
        assert!(output.stderr.contains("  hint: "), "{output}");
    }
}

#[test]
fn arguments_that_leave_nothing_to_check_are_refused() {
    for args in [
        &["precheck", "--select=nodes", "--ignore=capacity"][..],
        &["precheck", "--select=nodse"],
        &["precheck", "--mesh-version=0.9"],
        &["precheck", "--profile=huge"],
        &["version", "--client", "--remote"],
    ] {
        let output = Project::new().run(args.iter().copied());
        assert_eq!(output.status, Some(2), "{output}");
    }
}
