//! `meshctl proxy-config` and `proxy-status` on a cluster: real Envoys and small servers behind the port-forward of a
//! real API server.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Api;
use kube::api::{DeleteParams, PostParams};
use mesh_core::k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use test_cluster::{Node, TestCluster, wait_for};
use test_envoy::{Envoy, loopback};

use crate::harness::{Output, Project};

/// A namespace with a node of its own.
struct Place {
    cluster: &'static TestCluster,
    namespace: String,
    project: Project,
}

impl Place {
    async fn new(name: &str) -> Self {
        let cluster = TestCluster::shared();
        cluster.add_node(Node::new(name).label("test", name)).await;
        Self {
            cluster,
            namespace: cluster.namespace(name).await,
            project: Project::new(),
        }
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.cluster.client(), &self.namespace)
    }

    /// Makes a pod on the node, with containers and labels.
    async fn pod(&self, name: &str, node: &str, labels: &Value, containers: &Value) {
        let pod = serde_json::from_value(json!({
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeSelector": {"test": node}, "containers": containers},
        }));
        let pod = pod.expect("a pod");
        self.pods()
            .create(&PostParams::default(), &pod)
            .await
            .expect("the pod is accepted");
    }

    /// Makes a pod with a sidecar whose admin port leads to a local one.
    async fn sidecar(&self, name: &str, node: &str, local: u16) {
        let containers = json!([
            {"name": "app", "image": "example.com/app:1"},
            {"name": "istio-proxy", "image": "example.com/proxyv2:1", "args": ["proxy", "sidecar"]},
        ]);
        self.pod(name, node, &json!({"app": "web"}), &containers).await;
        self.cluster
            .forward_ports(&self.namespace, name, &[(15000, local)])
            .await;
    }

    fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        let mut command = self.project.command(args);
        command.arg("--kubeconfig").arg(self.cluster.kubeconfig());
        // The tests' runtime must go on while the program runs.
        let output = tokio::task::block_in_place(|| self.project.output(&mut command));
        Output {
            stdout: output.stdout.replace(&self.namespace, "NAMESPACE"),
            stderr: output.stderr.replace(&self.namespace, "NAMESPACE"),
            ..output
        }
    }
}

/// Answers every request on a local port with what `answer` makes of its path. Ends with the process.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || respond(stream, &*answer));
        }
    });
    port
}

fn respond(mut stream: TcpStream, answer: &dyn Fn(&str) -> Vec<u8>) {
    let Ok(copy) = stream.try_clone() else { return };
    let mut lines = BufReader::new(copy).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    // The client may be gone, which is its own business.
    let _ = stream.write_all(&answer(first.split(' ').nth(1).unwrap_or_default()));
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn not_found() -> Vec<u8> {
    b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nnot here\n".to_vec()
}

fn envoy(cluster: &str) -> Envoy {
    let bootstrap = json!({
        "node": {"id": "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local", "cluster": "web.shop"},
        "static_resources": {
            "listeners": [{
                "name": "outbound", "address": loopback(),
                "filter_chains": [{"filters": [{"name": "tcp", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    "stat_prefix": "t", "cluster": cluster,
                }}]}],
            }],
            "clusters": [{"name": cluster, "type": "STATIC", "load_assignment": {
                "cluster_name": cluster,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {
                    "address": "127.0.0.1", "port_value": 9,
                }}}}]}],
            }}],
        },
    });
    Envoy::start(&bootstrap).expect("Envoy starts")
}

const REVIEWS: &str = "outbound|9080||reviews.shop.svc.cluster.local";

#[tokio::test(flavor = "multi_thread")]
async fn a_real_envoy_is_read_through_the_api_server() {
    let place = Place::new("pc-envoy").await;
    let (one, other) = (
        envoy(REVIEWS),
        envoy("outbound|9080||ratings.shop.svc.cluster.local"),
    );
    place.sidecar("web-1", "pc-envoy", one.admin().port()).await;
    place.sidecar("web-2", "pc-envoy", other.admin().port()).await;
    let namespace = place.namespace.as_str();

    insta::assert_snapshot!(place.run(["pc", "clusters", "web-1", "-n", namespace]), @r#"
    status: 0
    -- stdout --
    SERVICE FQDN                    PORT  SUBSET  DIRECTION  TYPE
    reviews.shop.svc.cluster.local  9080  -       outbound   STATIC
    -- stderr --
    "#);
    insta::assert_snapshot!(place.run(["pc", "ep", "-n", namespace, "-l", "app=web"]), @r#"
    status: 0
    -- stdout --
    PROXY                 ENDPOINT     STATUS   OUTLIER CHECK  CLUSTER
    web-1.NAMESPACE  127.0.0.1:9  HEALTHY  OK             outbound|9080||reviews.shop.svc.cluster.local
    web-2.NAMESPACE  127.0.0.1:9  HEALTHY  OK             outbound|9080||ratings.shop.svc.cluster.local
    -- stderr --
    "#);

    let typed = format!("web-1.{namespace}");
    let output = place.run(["proxy-config", "cluster", &typed, "-o", "json"]);
    assert_eq!(output.json()[0]["name"], REVIEWS, "{output}");
    let output = place.run(["pc", "c", "-l", "app=web", "-n", namespace, "-o", "json"]);
    assert_eq!(output.json()["web-2.NAMESPACE"][0]["type"], "STATIC", "{output}");

    // Envoy refuses masks that leave nothing; that is no reason to fail.
    for view in ["bootstrap", "listeners", "routes", "secrets", "ecds", "all"] {
        let output = place.run(["pc", view, "web-1", "-n", namespace]);
        assert_eq!(output.status, Some(0), "{view}\n{output}");
    }
    let whole = place.run(["pc", "all", "web-1", "-n", namespace, "-o", "json"]);
    assert!(whole.json()["configs"].is_array(), "{whole}");

    let output = place.run([
        "pc", "clusters", "--diff", "web-1", "web-2", "-n", namespace, "-o", "name",
    ]);
    assert_eq!(output.status, Some(1), "{output}");
    assert_eq!(output.stdout.lines().count(), 2, "{output}");
    let output = place.run(["pc", "clusters", "--diff", "web-1", &typed, "-n", namespace]);
    assert_eq!(output.status, Some(2), "one and the same proxy\n{output}");

    let output = place.run([
        "pc",
        "log",
        "web-1",
        "-n",
        namespace,
        "--level",
        "error,http:debug",
        "-o",
        "json",
    ]);
    let levels = &output.json()["web-1.NAMESPACE"];
    assert_eq!(
        (&levels["http"], &levels["admin"]),
        (&json!("debug"), &json!("error")),
        "{output}"
    );
    let url = "tcp://10.9.9.9:9080";
    let kubeconfig = place.cluster.kubeconfig().display().to_string();
    let output = tokio::task::block_in_place(|| {
        let args = [
            "trace",
            "--kubeconfig",
            &kubeconfig,
            "--proxy",
            "web-1",
            "-n",
            namespace,
            "-o",
            "json",
        ];
        place
            .project
            .run(args.into_iter().chain(["--listener", "outbound", url]))
    });
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(
        output.json()["outcome"]["clusters"][0]["name"],
        REVIEWS,
        "{output}"
    );

    let output = place.run(["pc", "log", "web-1", "-n", namespace, "--reset", "-o", "json"]);
    let levels = &output.json()["web-1.NAMESPACE"];
    assert_eq!(
        (&levels["http"], &levels["misc"]),
        (&json!("warning"), &json!("error")),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_on_the_way_are_told_apart() {
    let place = Place::new("pc-faults").await;
    let namespace = place.namespace.as_str();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    place.sidecar("closed", "pc-faults", closed).await;
    let half = serve(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"configs\": [".to_vec());
    place.sidecar("half", "pc-faults", half).await;
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    place
        .sidecar(
            "silent",
            "pc-faults",
            silent.local_addr().expect("an address").port(),
        )
        .await;
    place.sidecar("other", "pc-faults", serve(|_| not_found())).await;
    place.sidecar("page", "pc-faults", serve(|_| ok("<html>"))).await;
    place
        .sidecar(
            "noise",
            "pc-faults",
            serve(|_| b"SSH-2.0-OpenSSH\r\n\r\n".to_vec()),
        )
        .await;
    let app = json!([{"name": "app", "image": "example.com/app:1"}]);
    place.pod("bare", "pc-faults", &json!({}), &app).await;
    let proxy = json!([{"name": "istio-proxy", "image": "example.com/proxyv2:1"}]);
    place.pod("waiting", "no-such-node", &json!({}), &proxy).await;

    for (pod, expected) in [
        ("closed", "nothing listens on port 15000 of pod NAMESPACE/closed"),
        ("half", "was not complete within 2 s: 13 bytes came"),
        ("silent", "did not answer within 2 s"),
        ("other", "answered 404 Not Found: not here"),
        ("page", "cannot understand what page.NAMESPACE says: byte 0"),
        ("noise", "is cut off or broken"),
        ("bare", "pod NAMESPACE/bare has no proxy: its containers are app"),
        ("waiting", "pod NAMESPACE/waiting does not run yet (Pending)"),
        ("gone", "there is no pod `gone` in namespace `NAMESPACE`"),
    ] {
        let start = Instant::now();
        let output = place.run(["pc", "clusters", pod, "-n", namespace, "--request-timeout", "2s"]);
        assert_eq!(output.status, Some(2), "{pod}\n{output}");
        assert!(output.stderr.contains(expected), "{pod}\n{output}");
        assert!(output.stderr.contains("hint:"), "{pod}\n{output}");
        assert!(output.stdout.is_empty(), "{pod}\n{output}");
        assert!(
            start.elapsed() < Duration::from_secs(15),
            "{pod} took {:?}",
            start.elapsed()
        );
    }
    // Of many proxies those that answer are shown, and the others are told.
    let envoy = envoy(REVIEWS);
    place.sidecar("well", "pc-faults", envoy.admin().port()).await;
    let output = place.run([
        "pc",
        "c",
        "-l",
        "app=web",
        "-n",
        namespace,
        "--request-timeout",
        "2s",
    ]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stdout.contains("well.NAMESPACE"), "{output}");
    assert_eq!(output.stderr.matches("error:").count(), 6, "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_is_deleted_while_it_answers_is_missed() {
    let place = Place::new("pc-deleted").await;
    let namespace = place.namespace.as_str();
    // Sends a little of a large answer, and the rest never.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let (sender, asked) = std::sync::mpsc::channel();
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"configs\": [");
            let _ = sender.send(());
            open.push(stream);
        }
    });
    place.sidecar("web", "pc-deleted", port).await;
    let mut command = place
        .project
        .command(["pc", "c", "web", "-n", namespace, "--request-timeout", "4s"]);
    command.arg("--kubeconfig").arg(place.cluster.kubeconfig());
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let child = child.expect("the program runs");
    tokio::task::block_in_place(|| asked.recv_timeout(Duration::from_secs(30))).expect("the pod is asked");
    let now = DeleteParams {
        grace_period_seconds: Some(0),
        ..DeleteParams::default()
    };
    place
        .pods()
        .delete("web", &now)
        .await
        .expect("the pod can be deleted");
    let output = tokio::task::block_in_place(|| place.project.collect(child));
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("error: there is no pod `web`"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_compared_with_what_istiod_has_for_them() {
    let place = Place::new("ps").await;
    let namespace = place.namespace.as_str();
    let name = format!("web-1.{namespace}");
    let synced = json!([
        {"proxy": name, "cluster_id": "Kubernetes", "istio_version": "1.30.1",
            "cluster_sent": "a", "cluster_acked": "a", "listener_sent": "a", "listener_acked": "a"},
        {"proxy": "web-9.shop", "cluster_id": "Kubernetes", "istio_version": "1.28.0",
            "cluster_sent": "a", "cluster_acked": "a"},
    ]);
    let refused = json!([{
        "proxy": "edge.ingress", "cluster_id": "Kubernetes", "istio_version": "1.30.1", "listener_sent": "b",
        "resources": {"type.googleapis.com/envoy.config.listener.v3.Listener": {
            "sent": "b", "acked": "a", "lastError": "port 80 is taken",
        }},
    }]);
    let dump = |timeout: &str| {
        json!({"configs": [{
            "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "dynamicActiveClusters": [{"versionInfo": "1", "cluster": {"name": "a", "connectTimeout": timeout}}],
        }]})
        .to_string()
    };
    let wanted = dump("5s");
    let first = serve(move |path| match path.split('?').next() {
        Some("/debug/syncz") => ok(&synced.to_string()),
        Some("/debug/config_dump") if path.contains("proxyID=web-1.") => ok(&wanted),
        Some("/version") => ok("1.30.1-abc-Clean"),
        _ => not_found(),
    });
    let second = serve(move |path| match path.split('?').next() {
        Some("/debug/syncz") => ok(&refused.to_string()),
        Some("/version") => ok("1.30.1-abc-Clean"),
        _ => not_found(),
    });
    let held = dump("10s");
    place.sidecar("web-1", "ps", serve(move |_| ok(&held))).await;
    let discovery = json!([{"name": "discovery", "image": "example.com/pilot:1"}]);
    for (pod, local) in [("istiod-1", first), ("istiod-2", second)] {
        place.pod(pod, "ps", &json!({"app": "istiod"}), &discovery).await;
        place
            .cluster
            .forward_ports(namespace, pod, &[(15014, local)])
            .await;
    }

    insta::assert_snapshot!(place.run(["ps", "-i", namespace]), @r#"
    status: 0
    -- stdout --
    NAME            CLUSTER     ISTIOD    VERSION  CDS       LDS       EDS       RDS       ECDS
    edge.ingress    Kubernetes  istiod-2  1.30.1   NOT SENT  ERROR     NOT SENT  NOT SENT  NOT SENT
    web-1.NAMESPACE  Kubernetes  istiod-1  1.30.1   SYNCED    SYNCED    NOT SENT  NOT SENT  NOT SENT
    web-9.shop      Kubernetes  istiod-1  1.28.0   SYNCED    NOT SENT  NOT SENT  NOT SENT  NOT SENT
    -- stderr --
    warning: edge.ingress refused LDS: port 80 is taken
    warning: version 1.28.0 of 1 proxy is more than one minor version behind the control plane's 1.30.1: restart the pods
    3 proxies of 2 istiods: 2 synced, 1 with errors; versions 1.28.0 (1), 1.30.1 (2)
    "#);
    let output = place.run(["ps", "-i", namespace, "--fail-on", "error", "-o", "json", "-q"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert_eq!(
        output.json()["proxies"].as_array().map(Vec::len),
        Some(3),
        "{output}"
    );
    let output = place.run(["ps", "-i", namespace, "-n", "shop", "--fail-on", "stale"]);
    assert_eq!(output.status, Some(0), "{output}");

    let output = place.run(["ps", "web-1", "-n", namespace, "-i", namespace]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(
        output.stdout.contains("~ clusters/a\n    connect_timeout\n"),
        "{output}"
    );

    let output = place.run(["ps", "-i", "nowhere"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output.stderr.contains("no istiod runs in namespace `nowhere`"),
        "{output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_found_by_what_they_belong_to() {
    let place = Place::new("pc-targets").await;
    let namespace = place.namespace.as_str();
    let envoy = envoy(REVIEWS);
    let client = place.cluster.client();
    let containers = json!([
        {"name": "app", "image": "example.com/app:1"},
        {"name": "istio-proxy", "image": "example.com/proxyv2:1", "args": ["proxy", "sidecar"]},
    ]);
    let deployments: Api<mesh_core::k8s_openapi::api::apps::v1::Deployment> =
        Api::namespaced(client.clone(), namespace);
    let deployment = serde_json::from_value(json!({
        "metadata": {"name": "web"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"nodeSelector": {"test": "pc-targets"}, "containers": containers},
        }},
    }));
    deployments
        .create(&PostParams::default(), &deployment.expect("a deployment"))
        .await
        .expect("accepted");
    let services: Api<mesh_core::k8s_openapi::api::core::v1::Service> =
        Api::namespaced(client.clone(), namespace);
    let service = serde_json::from_value(json!({
        "metadata": {"name": "front"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
    }));
    services
        .create(&PostParams::default(), &service.expect("a service"))
        .await
        .expect("accepted");
    let pods = place.pods();
    let names = wait_for("two pods", async || {
        let list = pods.list(&kube::api::ListParams::default()).await.ok()?;
        let names: Vec<_> = list
            .items
            .into_iter()
            .filter_map(|pod| pod.metadata.name)
            .collect();
        (names.len() == 2).then_some(names)
    })
    .await;
    for name in &names {
        place
            .cluster
            .forward_ports(namespace, name, &[(15000, envoy.admin().port())])
            .await;
    }
    for target in ["deploy/web", "svc/front", &format!("deployment/web.{namespace}")] {
        let output = place.run(["pc", "c", target, "-n", namespace, "-o", "name"]);
        assert_eq!(
            (output.status, output.stdout.as_str()),
            (Some(0), &*format!("{REVIEWS}\n")),
            "{output}"
        );
        assert!(output.stderr.contains("has 2 pods; this is web-"), "{output}");
    }
    let output = place.run(["pc", "c", "sts/web", "-n", namespace]);
    assert!(
        output.stderr.contains("there is no statefulset `web`"),
        "{output}"
    );
}

/// The program while it watches, and what it says.
struct Watched {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Watched {
    /// Starts it. Lines of standard output and standard error come together, as on a terminal.
    fn start<'a>(place: &Place, args: impl IntoIterator<Item = &'a str>) -> Self {
        let mut command = place.project.command(args);
        command
            .arg("--watch=100ms")
            .arg("--kubeconfig")
            .arg(place.cluster.kubeconfig());
        let piped = std::process::Stdio::piped;
        let mut child = command
            .stdout(piped())
            .stderr(piped())
            .spawn()
            .expect("the program runs");
        let (sender, lines) = std::sync::mpsc::channel();
        let outputs: [Box<dyn std::io::Read + Send>; 2] = [
            Box::new(child.stdout.take().expect("a pipe")),
            Box::new(child.stderr.take().expect("a pipe")),
        ];
        for output in outputs {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        let seen = Vec::new();
        Self { child, lines, seen }
    }

    /// Waits for lines with these in them, in any order: what goes to one stream may overtake what goes to the other.
    fn wait_for(&mut self, texts: &[&str]) {
        let mut missing = texts.to_vec();
        tokio::task::block_in_place(|| {
            while !missing.is_empty() {
                let line = self.lines.recv_timeout(Duration::from_secs(30));
                let line = line.unwrap_or_else(|_| panic!("no {missing:?} came after {:#?}", self.seen));
                missing.retain(|text| !line.contains(text));
                self.seen.push(line);
            }
        });
    }

    /// Stops it as Ctrl-C does.
    fn stop(mut self) -> (Option<i32>, Vec<String>) {
        let kill = std::process::Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        assert!(kill.is_ok_and(|status| status.success()), "the program still ran");
        let status = tokio::task::block_in_place(|| self.child.wait()).expect("it ends");
        self.seen.extend(self.lines.iter());
        (status.code(), std::mem::take(&mut self.seen))
    }
}

impl Drop for Watched {
    /// A test that fails leaves nothing running.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A dump of one cluster with this name.
fn clusters(name: &str) -> String {
    json!({"configs": [{
        "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
        "dynamic_active_clusters": [{"version_info": "1", "cluster": {"name": name, "type": "EDS"}}],
    }]})
    .to_string()
}

/// A server whose answer can be changed. None: it is not ready.
fn serve_changing(first: Option<String>) -> (u16, Arc<std::sync::Mutex<Option<String>>>) {
    let answer = Arc::new(std::sync::Mutex::new(first));
    let now = Arc::clone(&answer);
    let port = serve(move |_| match now.lock().expect("no panic").as_deref() {
        Some(answer) => ok(answer),
        None => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec(),
    });
    (port, answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_are_watched_through_changes_and_trouble() {
    let place = Place::new("pc-watch").await;
    let namespace = place.namespace.as_str();
    let (port, answer) = serve_changing(Some(clusters("first")));
    let set = |text: Option<String>| *answer.lock().expect("no panic") = text;
    place.sidecar("web-1", "pc-watch", port).await;

    let mut rows = Watched::start(&place, ["pc", "clusters", "-l", "app=web", "-n", namespace]);
    rows.wait_for(&["first"]);
    let mut changes = Watched::start(&place, ["pc", "clusters", "web-1", "-n", namespace, "--diff"]);
    changes.wait_for(&["watching web-1"]);
    set(Some(clusters("second")));
    rows.wait_for(&["second"]);
    changes.wait_for(&["- clusters/first", "+ clusters/second"]);
    // Trouble is said once however often it is met, and what comes after it is shown.
    set(None);
    rows.wait_for(&["error: "]);
    changes.wait_for(&["error: "]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    set(Some(clusters("third")));
    rows.wait_for(&["answers again", "third"]);
    changes.wait_for(&["+ clusters/third"]);
    // A pod that comes later is one of the selector's.
    let (other, _) = serve_changing(Some(clusters("other")));
    place.sidecar("web-2", "pc-watch", other).await;
    rows.wait_for(&["other"]);
    for watched in [rows, changes] {
        let (status, seen) = watched.stop();
        assert_eq!(status, Some(130), "{seen:#?}");
        let of_web_1 = seen
            .iter()
            .filter(|line| line.starts_with("error:") && line.contains("web-1"));
        assert_eq!(of_web_1.count(), 1, "{seen:#?}");
        assert_eq!(
            seen.iter().filter(|line| line.contains("first")).count(),
            1,
            "{seen:#?}"
        );
    }

    // If there is nothing to watch to begin with, that is an error.
    let output = place.run(["pc", "clusters", "gone", "-n", namespace, "--watch"]);
    assert_eq!(output.status, Some(2), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_proxies_is_watched() {
    let place = Place::new("ps-watch").await;
    let namespace = place.namespace.as_str();
    let states = |acknowledged: &str| {
        json!([{"proxy": "web.shop", "cluster_sent": "b", "cluster_acked": acknowledged}]).to_string()
    };
    let (port, answer) = serve_changing(Some(states("a")));
    let set = |text: Option<String>| *answer.lock().expect("no panic") = text;
    let discovery = json!([{"name": "discovery", "image": "example.com/pilot:1"}]);
    place
        .pod("istiod-1", "ps-watch", &json!({"app": "istiod"}), &discovery)
        .await;
    place
        .cluster
        .forward_ports(namespace, "istiod-1", &[(15014, port)])
        .await;

    let mut watched = Watched::start(&place, ["ps", "-i", namespace, "--request-timeout", "2s"]);
    watched.wait_for(&["STALE"]);
    set(None);
    watched.wait_for(&["error: "]);
    set(Some(states("b")));
    watched.wait_for(&["SYNCED"]);
    let (status, seen) = watched.stop();
    assert_eq!(status, Some(130), "{seen:#?}");
    assert_eq!(
        seen.iter().filter(|line| line.contains("STALE")).count(),
        1,
        "{seen:#?}"
    );
}
