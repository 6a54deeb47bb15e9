//! `meshctl inject` with a real control plane: its settings, its validation, its admission.

use kube::Client;
use serde_json::{Value, json};
use test_cluster::TestCluster;

use crate::harness::{Output, Project};

/// Sends an object as `kubectl create --validate=strict` does.
async fn create(client: &Client, path: &str, object: &Value) -> Result<Value, String> {
    let request = http::Request::post(format!("{path}?fieldValidation=Strict"))
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object).expect("JSON"))
        .expect("a request");
    client.request(request).await.map_err(|error| error.to_string())
}

fn injected(project: &Project, args: &[&str], object: &Value) -> Output {
    let args = ["inject", "-f", "-"].iter().chain(args).copied();
    let output = project.run_with_stdin(args, &object.to_string());
    assert_eq!(output.status, Some(0), "{output}");
    output
}

/// A pod that every level of pod security allows.
fn template(annotations: &Value, containers: &Value) -> Value {
    json!({
        "metadata": {"labels": {"app": "web"}, "annotations": annotations},
        "spec": {
            "containers": containers,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    })
}

fn restricted() -> Value {
    json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "runAsUser": 1000})
}

fn applications() -> Value {
    json!([{
        "name": "app",
        "image": "example.com/web:1",
        "securityContext": restricted(),
        "ports": [{"containerPort": 8080, "name": "http"}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": 8080}},
        "readinessProbe": {"tcpSocket": {"port": 8080}},
        "startupProbe": {"grpc": {"port": 9000}},
        "lifecycle": {"preStop": {"httpGet": {"path": "/stop", "port": 8080}}},
    }])
}

const LEVELS: [&str; 3] = ["privileged", "baseline", "restricted"];

#[tokio::test]
async fn injected_workloads_pass_validation_and_pod_security() {
    let cluster = TestCluster::shared();
    let client = cluster.client();
    let mut namespaces = Vec::new();
    for level in LEVELS {
        let labels = [("pod-security.kubernetes.io/enforce", level)];
        namespaces.push(cluster.namespace_with_labels(level, &labels).await);
    }
    let cni = "pilot: {cni: {enabled: true}}\n";
    let gateway = json!([{
        "name": "istio-proxy", "image": "auto", "securityContext": restricted(), "ports": [{"containerPort": 443}],
    }]);
    let own = json!([
        applications()[0],
        {"name": "istio-proxy", "image": "auto", "resources": {"limits": {"cpu": "500m"}}, "env": [{"name": "A"}]},
    ]);
    for (case, annotations, containers, values, highest) in [
        ("default", json!({}), applications(), "", "privileged"),
        ("cni", json!({}), applications(), cni, "restricted"),
        (
            "native",
            json!({"sidecar.istio.io/nativeSidecar": "true"}),
            applications(),
            cni,
            "restricted",
        ),
        (
            "none",
            json!({"sidecar.istio.io/interceptionMode": "NONE"}),
            applications(),
            "",
            "restricted",
        ),
        (
            "tproxy",
            json!({"sidecar.istio.io/interceptionMode": "TPROXY"}),
            applications(),
            "",
            "privileged",
        ),
        (
            "gateway",
            json!({"inject.istio.io/templates": "gateway"}),
            gateway,
            "",
            "restricted",
        ),
        ("own", json!({}), own, cni, "restricted"),
        (
            "grpc",
            json!({"inject.istio.io/templates": "grpc-simple"}),
            applications(),
            "",
            "baseline",
        ),
        (
            "everything",
            json!({
                "prometheus.io/port": "9090",
                "sidecar.istio.io/bootstrapOverride": "mine",
                "sidecar.istio.io/userVolume": "{\"v\": {\"emptyDir\": {}}}",
                "sidecar.istio.io/userVolumeMount": "{\"v\": {\"mountPath\": \"/v\"}}",
                "sidecar.istio.io/proxyCPU": "10m",
            }),
            applications(),
            "pilot: {cni: {enabled: true}}\nglobal: {mountMtlsCerts: true, network: n, imagePullPolicy: Always, \
             imagePullSecrets: [s], proxy: {seccompProfile: {type: RuntimeDefault}}}\n",
            "restricted",
        ),
    ] {
        let project = Project::new().file("values.yaml", values);
        let args: &[&str] = if values.is_empty() {
            &["--offline"]
        } else {
            &["--values", "values.yaml"]
        };
        let template = template(&annotations, &containers);
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": case},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "replicas": 0, "template": template},
        });
        let deployment = injected(&project, args, &deployment).json();
        let path = format!("/apis/apps/v1/namespaces/{}/deployments", namespaces[0]);
        let created = create(&client, &path, &deployment).await;
        assert!(created.is_ok(), "{case}: {created:?}\n{deployment:#}");

        let mut pod = template.clone();
        pod["apiVersion"] = "v1".into();
        pod["kind"] = "Pod".into();
        pod["metadata"]["name"] = case.into();
        let pod = injected(&project, args, &pod).json();
        for (level, namespace) in LEVELS.iter().zip(&namespaces) {
            let result = create(&client, &format!("/api/v1/namespaces/{namespace}/pods"), &pod).await;
            let is_allowed = LEVELS.iter().position(|other| other == level)
                <= LEVELS.iter().position(|other| *other == highest);
            assert_eq!(result.is_ok(), is_allowed, "{case} in {level}: {result:?}");
            if let Err(error) = result {
                assert!(
                    error.contains("violates PodSecurity"),
                    "{case} in {level}: {error}"
                );
            }
        }
    }
}

#[tokio::test]
async fn settings_come_from_the_cluster() {
    let cluster = TestCluster::shared();
    let client = cluster.client();
    let control_plane = cluster.namespace("control-plane").await;
    let refused = cluster
        .namespace_with_labels("refused", &[("istio-injection", "disabled")])
        .await;
    let maps = format!("/api/v1/namespaces/{control_plane}/configmaps");
    let kubeconfig = cluster.admin().kubeconfig();
    let kubeconfig = kubeconfig.to_str().expect("UTF-8");
    let project = Project::new();
    let deployment = |namespace: &str| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace},
            "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}},
        })
    };
    let args = ["--kubeconfig", kubeconfig, "--istio-namespace", &*control_plane];

    let output = project.run_with_stdin(
        ["inject", "-f", "-"].into_iter().chain(args),
        &deployment("shop").to_string(),
    );
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("has no settings of Istio"), "{output}");

    for (name, data) in [
        (
            "istio-canary",
            json!({"mesh": "trustDomain: example.org\ndefaultConfig: {concurrency: 3}\n", "meshNetworks": "networks: {}"}),
        ),
        (
            "istio-sidecar-injector-canary",
            json!({
                "values": "{\"global\": {\"hub\": \"registry.example.com\", \"tag\": \"t\"}, \"revision\": \"canary\"}",
                "config": "policy: disabled\ntemplates:\n  sidecar: |\n    {{ not evaluated }}\n",
            }),
        ),
    ] {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
        create(&client, &maps, &map).await.expect("a ConfigMap");
    }
    let args: Vec<_> = args.into_iter().chain(["--revision", "canary"]).collect();
    let asks = |namespace: &str| {
        let mut object = deployment(namespace);
        object["spec"]["template"]["metadata"] = json!({"labels": {"sidecar.istio.io/inject": "true"}});
        object
    };
    let output = injected(&project, &args, &asks("shop"));
    for expected in [
        "registry.example.com/proxyv2:t",
        "istiod-canary.istio-system.svc:15012",
        "example.org",
        r#"{\"concurrency\":3}"#,
    ] {
        assert!(output.stdout.contains(expected), "{expected}\n{output}");
    }
    let output = injected(&project, &args, &deployment("shop"));
    assert!(
        output.stderr.contains("the injector's policy is `disabled`"),
        "{output}"
    );
    let output = injected(&project, &args, &asks(&refused));
    assert!(output.stderr.contains("`istio-injection: disabled`"), "{output}");

    // A tag stands for its revision.
    let webhooks = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {
            "name": "istio-revision-tag-stable",
            "labels": {"istio.io/rev": "canary", "istio.io/tag": "stable"},
        },
        "webhooks": [{
            "name": "rev.namespace.sidecar-injector.istio.io", "sideEffects": "None", "admissionReviewVersions": ["v1"],
            "clientConfig": {"url": "https://127.0.0.1:1/inject"}, "rules": [],
        }],
    });
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    create(&client, path, &webhooks).await.expect("webhooks");
    let with_tag: Vec<_> = args
        .iter()
        .map(|arg| if *arg == "canary" { "stable" } else { *arg })
        .collect();
    let output = injected(&project, &with_tag, &asks("shop"));
    assert!(
        output.stdout.contains("istiod-canary.istio-system.svc:15012"),
        "{output}"
    );
    assert!(output.stdout.contains(r#"\"revision\":\"canary\""#), "{output}");
    assert!(
        output
            .stderr
            .contains("`stable` is a tag of the revision `canary`"),
        "{output}"
    );
    let request = http::Request::delete(format!("{path}/istio-revision-tag-stable")).body(Vec::new());
    let _: Value = client
        .request(request.expect("a request"))
        .await
        .expect("the webhooks are gone");

    let unreachable = cluster.admin().server("https://127.0.0.1:1").kubeconfig();
    let output = project.run_with_stdin(
        [
            "inject",
            "-f",
            "-",
            "--kubeconfig",
            unreachable.to_str().expect("UTF-8"),
        ],
        &deployment("shop").to_string(),
    );
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    assert!(output.stderr.contains("--offline"), "{output}");
}
