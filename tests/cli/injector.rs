//! `meshctl injector serve` as the webhook of a real API server, and `meshctl inject --from-webhook` against it.

use std::time::Duration;

use base64::Engine;
use http::Method;
use kube::Client;
use serde_json::{Value, json};
use test_cluster::wait_for;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::harness::Project;
use crate::injector_support::{
    Authority, base64, by_url, cluster, configuration, create, project, register, serve,
};
use crate::service::Service;

/// Many pods: annotations, containers, and what else is in `spec`.
fn pods() -> Vec<Value> {
    let app = json!({"name": "app", "image": "example.com/web:1", "ports": [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]});
    let checked = json!({
        "name": "app", "image": "example.com/web:1", "ports": [{"containerPort": 8080, "name": "http"}],
        "livenessProbe": {"httpGet": {"path": "/live", "port": "http", "scheme": "HTTPS"}, "periodSeconds": 3},
        "readinessProbe": {"tcpSocket": {"port": 8080}, "timeoutSeconds": 4},
        "startupProbe": {"grpc": {"port": 9000}},
        "lifecycle": {"preStop": {"httpGet": {"path": "/stop", "port": 8080}}},
    });
    let own = json!({
        "name": "istio-proxy", "image": "auto", "resources": {"limits": {"cpu": "500m", "memory": "1024Mi"}},
        "env": [{"name": "A"}, {"name": "CA_ADDR", "value": "ca:1"}], "volumeMounts": [{"name": "v", "mountPath": "/v"}],
        "securityContext": {"runAsUser": 5, "runAsGroup": 6},
    });
    let annotations = |pairs: &[(&str, &str)]| -> Value {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), Value::from(*value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let volume = json!([{"name": "v", "emptyDir": {}}]);
    let cases = [
        ("plain", annotations(&[]), json!([app]), json!({})),
        ("checks", annotations(&[]), json!([checked]), json!({})),
        (
            "two",
            annotations(&[]),
            json!([app, {"name": "other", "image": "other:1"}]),
            json!({"initContainers": [{"name": "init", "image": "i"}]}),
        ),
        (
            "native",
            annotations(&[("sidecar.istio.io/nativeSidecar", "true")]),
            json!([checked]),
            json!({"initContainers": [{"name": "init", "image": "i"}]}),
        ),
        (
            "tproxy",
            annotations(&[("sidecar.istio.io/interceptionMode", "TPROXY")]),
            json!([app]),
            json!({}),
        ),
        (
            "none",
            annotations(&[("sidecar.istio.io/interceptionMode", "NONE")]),
            json!([app]),
            json!({}),
        ),
        (
            "own",
            annotations(&[]),
            json!([app, own]),
            json!({"volumes": volume}),
        ),
        (
            "own-native",
            annotations(&[("sidecar.istio.io/nativeSidecar", "true")]),
            json!([app, own]),
            json!({"volumes": volume}),
        ),
        (
            "hold",
            annotations(&[(
                "proxy.istio.io/config",
                "holdApplicationUntilProxyStarts: true\nconcurrency: 3\n",
            )]),
            json!([app]),
            json!({}),
        ),
        (
            "metrics",
            annotations(&[
                ("prometheus.io/port", "9090"),
                ("prometheus.io/path", "/m"),
                ("prometheus.io/scrape", "true"),
            ]),
            json!([app]),
            json!({}),
        ),
        (
            "ports",
            annotations(&[
                ("traffic.sidecar.istio.io/excludeInboundPorts", "81,82"),
                ("traffic.sidecar.istio.io/includeOutboundIPRanges", "10.0.0.0/8"),
                ("status.sidecar.istio.io/port", "15030"),
            ]),
            json!([checked]),
            json!({}),
        ),
        (
            "resources",
            annotations(&[
                ("sidecar.istio.io/proxyCPU", "10m"),
                ("sidecar.istio.io/proxyMemoryLimit", "1Gi"),
            ]),
            json!([app]),
            json!({}),
        ),
        (
            "volumes",
            annotations(&[
                ("sidecar.istio.io/userVolume", r#"{"u": {"emptyDir": {}}}"#),
                (
                    "sidecar.istio.io/userVolumeMount",
                    r#"{"u": {"mountPath": "/u", "readOnly": true}}"#,
                ),
                ("sidecar.istio.io/bootstrapOverride", "mine"),
            ]),
            json!([app]),
            json!({"volumes": volume}),
        ),
        (
            "gateway",
            annotations(&[("inject.istio.io/templates", "gateway")]),
            json!([{"name": "istio-proxy", "image": "auto", "ports": [{"containerPort": 443}]}]),
            json!({}),
        ),
        (
            "grpc-agent",
            annotations(&[("inject.istio.io/templates", "grpc-agent")]),
            json!([app]),
            json!({}),
        ),
        (
            "grpc-simple",
            annotations(&[("inject.istio.io/templates", "grpc-simple")]),
            json!([app]),
            json!({}),
        ),
        (
            "host-network",
            annotations(&[]),
            json!([app]),
            json!({"hostNetwork": true}),
        ),
        (
            "opted-out",
            annotations(&[("sidecar.istio.io/inject", "false")]),
            json!([app]),
            json!({}),
        ),
        (
            "context",
            annotations(&[]),
            json!([app]),
            json!({"securityContext": {"fsGroup": 3, "runAsNonRoot": true}, "dnsPolicy": "Default", "hostAliases": [{"ip": "1.2.3.4", "hostnames": ["a"]}], "imagePullSecrets": [{"name": "s"}], "tolerations": [{"operator": "Exists"}], "terminationGracePeriodSeconds": 5}),
        ),
    ];
    cases
        .into_iter()
        .map(|(name, annotations, containers, mut spec)| {
            spec["containers"] = containers;
            json!({
                "apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "labels": {"app": name, "version": "v2"}, "annotations": annotations},
                "spec": spec,
            })
        })
        .collect()
}

/// What two pods must have in common: without what the API server gives to each, and without the values that it fills in
/// where variables of the proxy repeat fields of the pod.
fn comparable(pod: &Value, namespace: &str) -> Value {
    let mut pod = pod.clone();
    let metadata = pod["metadata"].as_object_mut().expect("metadata");
    for key in [
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "managedFields",
        "generation",
        "ownerReferences",
    ] {
        metadata.remove(key);
    }
    // ReplicaSets name their pods by what is in their templates.
    if metadata.contains_key("generateName") {
        metadata.remove("generateName");
        metadata.remove("name");
        metadata["labels"]
            .as_object_mut()
            .expect("labels")
            .remove("pod-template-hash");
    }
    let spec = pod["spec"].as_object_mut().expect("a spec");
    let is_token = |item: &Value| {
        item["name"]
            .as_str()
            .is_some_and(|name| name.starts_with("kube-api-access-"))
    };
    let volumes = spec["volumes"].as_array_mut().expect("volumes");
    let token = volumes.iter().find(|volume| is_token(volume)).expect("a token")["name"].clone();
    volumes.retain(|volume| !is_token(volume));
    for list in ["containers", "initContainers"] {
        for container in spec
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let mounts = container["volumeMounts"].as_array_mut().expect("mounts");
            assert!(mounts.iter().any(is_token), "{}", container["name"]);
            mounts.retain(|mount| !is_token(mount));
            for variable in container
                .get_mut("env")
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if !matches!(
                    variable["name"].as_str(),
                    Some("ISTIO_META_POD_PORTS" | "ISTIO_KUBE_APP_PROBERS")
                ) {
                    continue;
                }
                let text = variable["value"].as_str().expect("text");
                let mut value: Value = serde_json::from_str(text).expect("JSON");
                without_defaults(&mut value);
                variable["value"] = value;
            }
        }
    }
    pod.as_object_mut().expect("a pod").remove("status");
    let text = pod.to_string().replace(namespace, "NAMESPACE");
    let text = text.replace(token.as_str().expect("text"), "TOKEN");
    serde_json::from_str(&text).expect("JSON")
}

fn without_defaults(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                !matches!(
                    (key.as_str(), value.to_string().as_str()),
                    ("protocol", "\"TCP\"")
                        | ("scheme", "\"HTTP\"")
                        | ("timeoutSeconds", "1")
                        | ("service", "null" | "\"\"")
                )
            });
            map.values_mut().for_each(without_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(without_defaults),
        _ => {}
    }
}

/// The documents of a program's output.
fn items(text: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(text).expect("JSON");
    list["items"].as_array().expect("items").clone()
}

fn list(items: &[Value]) -> String {
    json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string()
}

/// Makes an injector of a revision and two namespaces, one that asks for it and one that does not.
async fn meshed(revision: &str, args: &[&str]) -> (Project, Service, Authority, String, String) {
    let client = cluster().client();
    let authority = Authority::new();
    let project = project(&authority, &[]);
    let server = serve(&project, args);
    let webhooks = configuration(
        &format!("istio-sidecar-injector-{revision}"),
        &json!({"istio.io/rev": revision}),
        revision,
        &by_url(server.port, "/inject", &authority),
    );
    register(&client, &webhooks).await;
    let plain = cluster().namespace("plain").await;
    let meshed = cluster()
        .namespace_with_labels("meshed", &[("istio.io/rev", revision)])
        .await;
    // The API server takes a moment to know a webhook.
    let probe = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "probe-"},
        "spec": {"containers": [{"name": "app", "image": "a"}]},
    });
    let path = format!("/api/v1/namespaces/{meshed}/pods");
    wait_for("the webhook to be called", async || {
        let created = create(&client, &path, &probe).await.expect("a pod");
        (created["spec"]["containers"]
            .as_array()
            .expect("containers")
            .len()
            > 1)
        .then_some(())
    })
    .await;
    (project, server, authority, plain, meshed)
}

#[tokio::test]
async fn the_webhook_makes_the_pods_that_inject_makes() {
    let client = cluster().client();
    let (project, server, _authority, plain, meshed) =
        meshed("equal", &["--offline", "--revision", "equal"]).await;
    let pods = pods();
    // Injectors see pods with the API server's defaults. That makes no difference, but for a proxy container of the user's
    // own, whose defaults are laid over the injected container like all that it says.
    let mut manifests = pods.clone();
    for pod in &mut manifests {
        let containers = pod["spec"]["containers"].as_array().expect("containers");
        if containers
            .iter()
            .any(|container| container["name"] == "istio-proxy")
        {
            let path = format!("/api/v1/namespaces/{plain}/pods?dryRun=All");
            *pod = create(&client, &path, pod).await.expect("a pod");
            for key in ["uid", "creationTimestamp", "resourceVersion", "managedFields"] {
                pod["metadata"].as_object_mut().expect("metadata").remove(key);
            }
        }
    }
    let output = project.run_with_stdin(
        [
            "inject",
            "-f",
            "-",
            "-n",
            &plain,
            "--offline",
            "--revision",
            "equal",
        ],
        &list(&manifests),
    );
    assert_eq!(output.status, Some(0), "{output}");
    for (pod, injected) in pods.iter().zip(items(&output.stdout)) {
        let by_hand = create(&client, &format!("/api/v1/namespaces/{plain}/pods"), &injected).await;
        let by_hand = by_hand.unwrap_or_else(|error| panic!("{error}: {injected:#}"));
        let by_webhook = create(&client, &format!("/api/v1/namespaces/{meshed}/pods"), pod).await;
        let by_webhook = by_webhook.unwrap_or_else(|error| panic!("{error}: {pod:#}"));
        let is_left_alone = matches!(
            pod["metadata"]["name"].as_str(),
            Some("host-network" | "opted-out")
        );
        let has_status = by_webhook["metadata"]["annotations"]["sidecar.istio.io/status"].is_string();
        assert_eq!(has_status, !is_left_alone, "{by_webhook:#}");
        pretty_equal(&comparable(&by_hand, &plain), &comparable(&by_webhook, &meshed));
    }
    assert!(server.stop().success());
}

/// Fails with the lines that differ. The order of fields does not count.
fn pretty_equal(left: &Value, right: &Value) {
    if left != right {
        same_text(&format!("{left:#}"), &format!("{right:#}"));
    }
}

/// Fails with the lines that differ.
fn same_text(left: &str, right: &str) {
    if left != right {
        let difference = similar::TextDiff::from_lines(left, right)
            .unified_diff()
            .to_string();
        panic!("{difference}");
    }
}

#[tokio::test]
async fn pods_of_controllers_are_the_same_too() {
    let client = cluster().client();
    let (project, _server, _authority, plain, meshed) =
        meshed("owned", &["--offline", "--revision", "owned"]).await;
    let template = json!({
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": "a", "ports": [{"containerPort": 80}]}]},
    });
    for (group, kind, plural) in [
        ("apps/v1", "Deployment", "deployments"),
        ("apps/v1", "StatefulSet", "statefulsets"),
        ("batch/v1", "Job", "jobs"),
    ] {
        let mut object = json!({
            "apiVersion": group, "kind": kind, "metadata": {"name": format!("a-{plural}")},
            "spec": {"template": template},
        });
        let app = format!("a-{plural}");
        object["spec"]["template"]["metadata"]["labels"]["app"] = app.clone().into();
        if kind == "Job" {
            object["spec"]["template"]["spec"]["restartPolicy"] = "Never".into();
        } else {
            object["spec"]["selector"] = json!({"matchLabels": {"app": app}});
        }
        let output = project.run_with_stdin(
            [
                "inject",
                "-f",
                "-",
                "-n",
                &plain,
                "--offline",
                "--revision",
                "owned",
            ],
            &object.to_string(),
        );
        let injected: Value = serde_json::from_str(&output.stdout).expect("JSON");
        let mut pods = Vec::new();
        for (namespace, object) in [(&plain, &injected), (&meshed, &object)] {
            create(
                &client,
                &format!("/apis/{group}/namespaces/{namespace}/{plural}"),
                object,
            )
            .await
            .expect("a workload");
            let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector=app={app}");
            let mut pod = wait_for("a pod", async || {
                let request = http::Request::get(&path).body(Vec::new()).expect("a request");
                let list: Value = client.request(request).await.ok()?;
                list["items"].get(0).cloned()
            })
            .await;
            for key in ["batch.kubernetes.io/controller-uid", "controller-uid"] {
                if let Some(labels) = pod["metadata"]["labels"].as_object_mut() {
                    labels.remove(key);
                }
            }
            pod["spec"].as_object_mut().expect("a spec").remove("nodeName");
            // A StatefulSet names its revision by what is in its template.
            if let Some(labels) = pod["metadata"]["labels"].as_object_mut() {
                labels.remove("controller-revision-hash");
            }
            pods.push(comparable(&pod, namespace));
        }
        pretty_equal(&pods[0], &pods[1]);
    }
}

const COMMENTED: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels:
        app: web # everywhere
    spec:
      containers:
      - name: app
        image: example.com/web:1 # pinned
---
apiVersion: v1
kind: Service # stays
metadata: {name: web}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: '@daily'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: work
            image: example.com/work:1
";

#[tokio::test]
async fn the_injector_of_the_cluster_is_asked() {
    let client = cluster().client();
    let authority = Authority::new();
    let control_plane = cluster().namespace("control-plane").await;
    let host = format!("istiod-asked.{control_plane}.svc");
    let project = project(&authority, &[&host]).file("all.yaml", COMMENTED).file(
        "bad.yaml",
        COMMENTED.replace(
            "      labels:\n",
            "      annotations:\n        status.sidecar.istio.io/port: high\n      labels:\n",
        ),
    );
    let server = serve(&project, &["--offline", "--revision", "asked"]);
    let kubeconfig = cluster().kubeconfig().to_str().expect("UTF-8");
    let expected = project.run([
        "inject",
        "--offline",
        "--revision",
        "asked",
        "--namespace",
        "default",
        "-f",
        "all.yaml",
    ]);
    let ask = |revision: &str, file: &str| {
        project.run([
            "inject",
            "--from-webhook",
            "--kubeconfig",
            kubeconfig,
            "--request-timeout",
            "2s",
            "--revision",
            revision,
            "-f",
            file,
        ])
    };
    let output = ask("asked", "all.yaml");
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    assert!(
        output
            .stderr
            .contains("has no injection webhook of the revision `asked`"),
        "{output}"
    );

    // By URL.
    let webhooks = configuration(
        "istio-sidecar-injector-asked",
        &json!({"istio.io/rev": "asked"}),
        "asked",
        &by_url(server.port, "/inject", &authority),
    );
    register(&client, &webhooks).await;
    let output = ask("asked", "all.yaml");
    assert_eq!(output.status, Some(0), "{output}");
    same_text(&output.stdout, &expected.stdout);
    assert!(
        output.stderr.contains("Deployment default/web: injected"),
        "{output}"
    );

    // By the Service, through the API server.
    cluster().add_node(test_cluster::Node::new("asked")).await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "istiod", "labels": {"app": "istiod-asked"}},
        "spec": {"nodeName": "asked", "containers": [
            {"name": "discovery", "image": "a", "ports": [{"name": "hooks", "containerPort": 15017}]},
        ]},
    });
    create(&client, &format!("/api/v1/namespaces/{control_plane}/pods"), &pod)
        .await
        .expect("a pod");
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod-asked"},
        "spec": {"selector": {"app": "istiod-asked"}, "ports": [{"port": 443, "targetPort": "hooks"}]},
    });
    create(
        &client,
        &format!("/api/v1/namespaces/{control_plane}/services"),
        &service,
    )
    .await
    .expect("a service");
    cluster()
        .forward_ports(&control_plane, "istiod", &[(15017, server.port)])
        .await;
    let reference = json!({
        "service": {"name": "istiod-asked", "namespace": control_plane, "path": "/inject/cluster/east/net/n1", "port": 443},
        "caBundle": base64(&authority.pem()),
    });
    let webhooks = configuration(
        "istio-revision-tag-asked-tag",
        &json!({"istio.io/rev": "asked", "istio.io/tag": "asked-tag"}),
        "asked-tag",
        &reference,
    );
    register(&client, &webhooks).await;
    let output = ask("asked-tag", "all.yaml");
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        output.stdout.contains("topology.istio.io/network: n1") && output.stdout.contains("value: east"),
        "{output}"
    );
    assert!(output.stdout.contains("kind: Service # stays"), "{output}");

    // A pod that cannot be injected is shown where it is.
    let output = ask("asked", "bad.yaml");
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    assert!(
        output.stderr.contains("the injector refuses the pod") && output.stderr.contains("bad.yaml:8"),
        "{output}"
    );

    // Ways in which an injector cannot be asked.
    let other = Authority::new();
    let with_path = |path: &str| by_url(server.port, path, &authority);
    let broken = raw_server(&authority).await;
    for (number, (client_config, expected)) in [
        (by_url(server.port, "/inject", &other), "not signed by an authority of the webhook's `caBundle`"),
        (json!({"url": format!("https://localhost:{}/inject", server.port), "caBundle": base64(&authority.pem())}), "not for the name `localhost`"),
        (json!({"url": format!("https://127.0.0.1:{}/inject", server.port)}), "has no `caBundle`"),
        (by_url(1, "/inject", &authority), "cannot be reached"),
        (with_path("/healthz"), "it answers 405"),
        (by_url(broken, "/junk", &authority), "is not JSON"),
        (by_url(broken, "/large", &authority), "larger than 3 MiB"),
        (by_url(broken, "/silent", &authority), "no answer within 2 s"),
        (by_url(broken, "/cut", &authority), "the connection broke"),
        (
            json!({"service": {"name": "nobody", "namespace": control_plane}, "caBundle": base64(&authority.pem())}),
            "nobody",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let revision = format!("broken-{number}");
        let name = format!("istio-sidecar-injector-{revision}");
        register(&client, &configuration(&name, &json!({"istio.io/rev": revision}), &revision, &client_config)).await;
        let output = ask(&revision, "all.yaml");
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{expected}: {output}");
        assert!(output.stderr.contains(expected), "{expected}: {output}");
    }
}

/// A server that answers in ways in which an injector should not.
async fn raw_server(authority: &Authority) -> u16 {
    let (certificate, key) = authority.sign(&["127.0.0.1"]);
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(pem(&certificate), pem_key(&key))
        .expect("a certificate");
    let tls = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = listener.into_std().expect("a listener");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let Ok(mut stream) = tls.accept(stream).await else {
                    continue;
                };
                let mut head = [0; 16];
                if stream.read_exact(&mut head).await.is_err() {
                    continue;
                }
                let answer: Vec<u8> = match &head[5..9] {
                    b"/jun" => b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\njunk".to_vec(),
                    b"/lar" => {
                        let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 4194304\r\n\r\n".to_vec();
                        answer.resize(4 << 20, b' ');
                        answer
                    }
                    b"/cut" => b"HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{".to_vec(),
                    _ => {
                        tokio::time::sleep(Duration::from_secs(4)).await;
                        Vec::new()
                    }
                };
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
    });
    port
}

fn pem(text: &str) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    vec![rustls::pki_types::CertificateDer::from_pem_slice(text.as_bytes()).expect("PEM")]
}

fn pem_key(text: &str) -> rustls::pki_types::PrivateKeyDer<'static> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::PrivateKeyDer::from_pem_slice(text.as_bytes()).expect("PEM")
}

fn review(pod: &Value) -> String {
    json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "request": {
            "uid": "u1", "operation": "CREATE", "namespace": "shop", "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "object": pod,
        },
    })
    .to_string()
}

#[tokio::test]
async fn requests_that_are_no_reviews_have_answers() {
    let authority = Authority::new();
    let project = project(&authority, &[]);
    let server = serve(&project, &["--offline"]);
    let port = server.port;
    let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}});
    let skipped =
        json!({"metadata": {"name": "a"}, "spec": {"hostNetwork": true, "containers": [{"name": "app"}]}});
    assert_eq!(
        authority.get(port, "/healthz").await,
        Ok((200, "ok\n".to_owned()))
    );
    assert_eq!(authority.get(port, "/readyz").await, Ok((200, "ok\n".to_owned())));
    let (status, body) = authority
        .post(port, "/inject", review(&pod).as_bytes())
        .await
        .expect("an answer");
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(answer["response"]["uid"], "u1");
    authority
        .post(port, "/inject/net/n", review(&skipped).as_bytes())
        .await
        .expect("an answer");

    for (expected, result) in [
        (404, authority.get(port, "/").await),
        (404, authority.get(port, "/injected").await),
        (405, authority.get(port, "/inject").await),
        (405, authority.post(port, "/metrics", b"").await),
        (400, authority.post(port, "/inject", b"{").await),
        (400, authority.post(port, "/inject", b"{}").await),
        (413, authority.post(port, "/inject", &vec![b' '; 4 << 20]).await),
        (
            415,
            authority
                .exchange(
                    port,
                    b"POST /inject HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
                )
                .await,
        ),
    ] {
        let (status, body) = result.expect("an answer");
        assert_eq!(status, expected, "{body}");
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            (&body["kind"], &body["code"]),
            (&"Status".into(), &expected.into()),
            "{body}"
        );
    }
    let (status, _) = authority
        .exchange(port, b"nonsense\r\n\r\n")
        .await
        .expect("an answer");
    assert_eq!(status, 400);

    let (_, metrics) = authority.get(port, "/metrics").await.expect("an answer");
    for line in [
        r#"meshctl_injector_reviews_total{result="injected",reason=""} 1"#,
        r#"meshctl_injector_reviews_total{result="skipped",reason="host-network"} 1"#,
        r#"meshctl_injector_requests_total{path="/inject",code="400"} 2"#,
        r#"meshctl_injector_requests_total{path="/inject",code="413"} 1"#,
        "meshctl_injector_review_duration_seconds_count 2",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    assert!(
        metrics.contains("meshctl_injector_certificate_expiry_timestamp_seconds "),
        "{metrics}"
    );
    assert!(server.stop().success());
}

#[tokio::test]
async fn changed_files_count_without_a_restart() {
    let (old, new) = (Authority::new(), Authority::new());
    let folder = Project::new()
        .file("values.yaml", "global: {hub: first}\n")
        .file("mesh.yaml", "{}\n");
    // As the kubelet mounts Secrets: files are links through a link to a folder of one version.
    let root = folder.path();
    let version = |name: &str, authority: &Authority| {
        let (certificate, key) = authority.sign(&["127.0.0.1"]);
        fs_err::create_dir(root.join(name)).expect("a folder");
        fs_err::write(root.join(name).join("tls.crt"), certificate).expect("a file");
        fs_err::write(root.join(name).join("tls.key"), key).expect("a file");
    };
    let switch = |name: &str| {
        std::os::unix::fs::symlink(name, root.join("..next")).expect("a link");
        fs_err::rename(root.join("..next"), root.join("..data")).expect("a link");
    };
    version("..1", &old);
    version("..2", &new);
    switch("..1");
    for file in ["tls.crt", "tls.key"] {
        std::os::unix::fs::symlink(format!("..data/{file}"), root.join(file)).expect("a link");
    }
    let server = serve(
        &folder,
        &["--values", "values.yaml", "--mesh-config", "mesh.yaml"],
    );
    let port = server.port;
    assert!(old.get(port, "/healthz").await.is_ok());
    assert!(new.get(port, "/healthz").await.is_err());

    switch("..2");
    server.wait_for("new certificate");
    assert!(new.get(port, "/healthz").await.is_ok());
    assert!(old.get(port, "/healthz").await.is_err());

    // Half of a new pair is none.
    let (_, key) = old.sign(&["127.0.0.1"]);
    fs_err::write(root.join("..2/tls.key"), key).expect("a file");
    server.wait_for("the old certificate stays: `tls.key` is not the key of the certificate in `tls.crt`");
    assert!(new.get(port, "/healthz").await.is_ok());

    let hub = async || {
        let pod = json!({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "app"}]}});
        let (_, body) = new
            .post(port, "/inject", review(&pod).as_bytes())
            .await
            .expect("an answer");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let patch = answer["response"]["patch"].as_str().expect("a patch");
        let patch = base64::engine::general_purpose::STANDARD
            .decode(patch)
            .expect("base64");
        String::from_utf8(patch).expect("UTF-8")
    };
    assert!(hub().await.contains("first/proxyv2"));
    fs_err::write(root.join("values.yaml"), "global: {hub: second}\n").expect("a file");
    server.wait_for("new settings");
    assert!(hub().await.contains("second/proxyv2"));
    fs_err::write(root.join("values.yaml"), "global: [\n").expect("a file");
    server.wait_for("the old settings stays");
    assert!(hub().await.contains("second/proxyv2"));
}

#[tokio::test]
async fn settings_of_the_cluster_are_followed() {
    let client: Client = cluster().client();
    let control_plane = cluster().namespace("followed").await;
    let maps = format!("/api/v1/namespaces/{control_plane}/configmaps");
    let map = |hub: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-sidecar-injector"},
            "data": {"values": json!({"global": {"hub": hub}}).to_string(), "config": "policy: enabled\n"},
        })
    };
    create(&client, &maps, &map("first")).await.expect("a ConfigMap");
    let authority = Authority::new();
    let project = project(&authority, &[]);
    let kubeconfig = cluster().kubeconfig().to_str().expect("UTF-8");
    let server = serve(
        &project,
        &["--kubeconfig", kubeconfig, "--istio-namespace", &control_plane],
    );
    let request = http::Request::builder()
        .method(Method::PUT)
        .uri(format!("{maps}/istio-sidecar-injector"))
        .header("content-type", "application/json")
        .body(map("second").to_string().into_bytes())
        .expect("a request");
    client.request::<Value>(request).await.expect("a ConfigMap");
    server.wait_for("new settings");
    assert!(server.stop().success());
}

#[test]
fn what_cannot_be_served_is_told() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(&["127.0.0.1"]);
    let (_, other) = authority.sign(&["127.0.0.1"]);
    let project = Project::new()
        .file("tls.crt", certificate)
        .file("tls.key", key)
        .file("other.key", other)
        .file("empty", "");
    for (certificate, key, listen, expected) in [
        ("missing", "tls.key", "127.0.0.1:0", "cannot read the certificate"),
        ("empty", "tls.key", "127.0.0.1:0", "has no certificate in PEM"),
        ("tls.crt", "empty", "127.0.0.1:0", "has no private key in PEM"),
        (
            "tls.crt",
            "other.key",
            "127.0.0.1:0",
            "is not the key of the certificate",
        ),
        (
            "tls.crt",
            "tls.key",
            "192.0.2.1:1",
            "cannot listen on 192.0.2.1:1",
        ),
        ("tls.crt", "tls.key", "nowhere", "invalid value 'nowhere'"),
    ] {
        let output = project.run([
            "injector",
            "serve",
            "--offline",
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
            "--listen",
            listen,
        ]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains(expected), "{output}");
    }
}
