//! `meshctl canary` end to end: real Envoys follow the VirtualService that it edits in a real API server, and a real
//! Prometheus scrapes them.

use std::io::Write;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_core::k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use test_cluster::wait_for;
use test_envoy::http::Connection;
use test_mesh::{Behaviour, MeshUnderTest, Traffic};
use test_prometheus::Prometheus;
use tokio::task::JoinHandle;

use crate::canary_support::{Stage, kill, kills, random, request};
use crate::front::{Front, Mood};
use crate::harness::Output;
use crate::terminal::Terminal;

/// How long each step is watched.
const INTERVAL: Duration = Duration::from_secs(3);

/// A stage with proxies that do what the API server says.
struct Scene {
    stage: Stage,
    mesh: Arc<MeshUnderTest>,
    prometheus: Prometheus,
    bridge: JoinHandle<()>,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.bridge.abort();
        // Other tests need not wait for proxies that answer no more.
        let pods = self.pods();
        let clear = async {
            for index in 0..self.mesh.envoys().len() {
                let _ = pods.delete(&client_pod(index), &DeleteParams::default()).await;
            }
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(clear));
    }
}

/// The name of the pod that a proxy is said to run in.
fn client_pod(index: usize) -> String {
    format!("client-{index}")
}

/// Gives proxies the `spec` of an object with routes.
type Apply = fn(&MeshUnderTest, &Value) -> std::io::Result<()>;

impl Scene {
    async fn new(name: &str) -> Self {
        let stage = Stage::new(name, &["v1", "v2"]).await;
        stage.split(100, 0).await;
        let mesh = tokio::task::block_in_place(|| {
            MeshUnderTest::start("reviews", &stage.namespace, &["v1", "v2"], 2)
        });
        let apply = MeshUnderTest::apply_virtual_service;
        Self::of(stage, mesh.expect("proxies"), "VirtualService", apply).await
    }

    /// One whose proxies follow the object `reviews` of this kind.
    async fn of(stage: Stage, mesh: MeshUnderTest, kind: &'static str, apply: Apply) -> Self {
        let mesh = Arc::new(mesh);
        let bridge = bridge(&stage, Arc::clone(&mesh), kind, apply).await;
        for (index, envoy) in mesh.envoys().iter().enumerate() {
            let name = client_pod(index);
            let pod = serde_json::from_value(json!({
                "metadata": {"name": name},
                "spec": {"nodeSelector": {"test": "canary"}, "containers": [
                    {"name": "app", "image": "example.com/app:1"},
                    {"name": "istio-proxy", "image": "example.com/proxyv2:1", "args": ["proxy", "sidecar"]},
                ]},
            }));
            let pods: Api<Pod> = Api::namespaced(stage.cluster.client(), &stage.namespace);
            pods.create(&PostParams::default(), &pod.expect("a pod"))
                .await
                .expect("a pod");
            stage
                .cluster
                .forward_ports(&stage.namespace, &name, &[(15000, envoy.admin().port())])
                .await;
        }
        let prometheus = tokio::task::block_in_place(|| mesh.prometheus()).expect("Prometheus");
        Self {
            stage,
            mesh,
            prometheus,
            bridge,
        }
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.stage.cluster.client(), &self.stage.namespace)
    }

    fn traffic(&self) -> Vec<Traffic> {
        (0..3)
            .map(|_| self.mesh.traffic(Duration::from_millis(8)))
            .collect()
    }

    fn start(&self, args: &[&str]) -> Child {
        let url = self.prometheus.url();
        self.stage
            .start(args.iter().copied().chain(["--prometheus", &url, "-o", "json"]))
    }

    fn run(&self, args: &[&str]) -> Output {
        let child = self.start(args);
        let output = tokio::task::block_in_place(|| self.stage.project.collect(child));
        self.stage.redacted(&output)
    }
}

/// Gives the proxies what the API server has, as istiod would.
async fn bridge(stage: &Stage, mesh: Arc<MeshUnderTest>, kind: &'static str, apply: Apply) -> JoinHandle<()> {
    let (routes, rules) = (stage.objects(kind), stage.destination_rules());
    let mut seen = (Value::Null, Value::Null);
    let mut step = async move || {
        // What cannot be read is as it was.
        let spec = |object: kube::Result<kube::api::DynamicObject>| {
            object.ok().map(|object| object.data["spec"].clone())
        };
        let rule = spec(rules.get("reviews").await).unwrap_or_else(|| seen.0.clone());
        if rule != seen.0 {
            tokio::task::block_in_place(|| mesh.apply_destination_rule(&rule)).expect("Envoy takes the rule");
            seen.0 = rule;
        }
        let route = spec(routes.get("reviews").await).unwrap_or_else(|| seen.1.clone());
        if route != seen.1 {
            tokio::task::block_in_place(|| apply(&mesh, &route)).expect("Envoy takes the routes");
            seen.1 = route;
        }
    };
    step().await;
    tokio::spawn(async move {
        loop {
            step().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
}

fn events(output: &Output, name: &str) -> Vec<Value> {
    let lines = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    lines.filter(|event| event["event"] == name).collect()
}

/// How many proxies have the weights, and of how many. Those of other tests may be silent.
fn synced(output: &Output) -> [Value; 2] {
    let proxies = &events(output, "synced")[0]["proxies"];
    ["current", "routing"].map(|field| proxies[field].clone())
}

/// Steps of one percent each, which are more than a test comes to.
fn steps_from(first: u32) -> String {
    let steps: Vec<_> = (first..100).map(|step| step.to_string()).collect();
    format!("--steps={}", steps.join(","))
}

const STEPS: [&str; 6] = [
    "run",
    "--steps=20,50,100",
    "--interval=3s",
    "--p99=500ms",
    "--min-requests=5",
    "--max-inconclusive=3",
];

#[tokio::test(flavor = "multi_thread")]
async fn good_canaries_are_promoted_and_bad_ones_are_not() {
    let scene = Scene::new("canary-e2e").await;
    let Scene { stage, mesh, .. } = &scene;

    // A tenth is a tenth.
    let output = stage.run(["shift", "10%", "-o", "json"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(synced(&output), [2, 2], "{output}");
    let counts = tokio::task::block_in_place(|| mesh.send(20_000, 4));
    assert_eq!(counts.failed, 0, "{counts:?}");
    assert!(counts.of("v2").abs_diff(2_000) < 300, "{counts:?}");
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // One that fails goes back within two intervals.
    let traffic = scene.traffic();
    for (behaviour, reason) in [
        (
            Behaviour {
                error_percent: 30,
                ..Behaviour::default()
            },
            "requests succeeded",
        ),
        (
            Behaviour {
                latency: Duration::from_millis(900),
                ..Behaviour::default()
            },
            "p99 is",
        ),
    ] {
        mesh.set_behaviour("v2", behaviour);
        let output = scene.run(&STEPS);
        assert_eq!(output.status, Some(1), "{output}");
        let judged = events(&output, "judged");
        let fails: Vec<_> = judged.iter().filter(|event| event["verdict"] == "fail").collect();
        assert_eq!((judged.len(), fails.len()), (2, 2), "{output}");
        assert!(fails[0]["reason"].to_string().contains(reason), "{output}");
        assert_eq!(events(&output, "phase")[0]["phase"], "rolledBack", "{output}");
        assert_eq!(stage.weights().await, [100, 0]);
    }
    drop(traffic);

    // A good one gets everything, and no request is lost on the way. How the versions compare is noise on a busy machine.
    mesh.set_behaviour("v2", Behaviour::default());
    let traffic = scene.traffic();
    let begun = Instant::now();
    let output = scene.run(&[&STEPS[..], &["--no-compare"]].concat());
    assert_eq!(output.status, Some(0), "{output}");
    assert!(begun.elapsed() >= 3 * INTERVAL, "{output}");
    assert_eq!(stage.weights().await, [0, 100]);
    let passes = events(&output, "judged");
    assert!(passes.iter().all(|event| event["verdict"] == "pass"), "{output}");
    let status = stage
        .run(["status", "-o", "json", "--prometheus", &scene.prometheus.url()])
        .json();
    assert_eq!(status["phase"], "promoted", "{status:#}");
    assert_eq!(status["proxies"]["current"], 2, "{status:#}");
    assert!(
        status["canary"]["successRatio"]
            .as_f64()
            .is_some_and(|ratio| ratio > 0.99),
        "{status:#}"
    );
    assert_eq!(stage.run(["undo"]).status, Some(0));
    let failed: u64 = traffic.into_iter().map(|traffic| traffic.stop().failed).sum();
    assert_eq!(failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_not_success_and_a_pause_holds() {
    let scene = Scene::new("canary-silence").await;
    let stage = &scene.stage;
    let steps = steps_from(20);
    let silent = [
        "run",
        &steps,
        "--interval=1s",
        "--min-requests=1",
        "--no-compare",
        "--max-inconclusive=3",
    ];
    let output = scene.run(&silent);
    assert_eq!(output.status, Some(3), "{output}");
    assert_eq!(stage.weights().await, [80, 20]);
    let reason = events(&output, "judged")[0]["reason"].to_string();
    assert!(reason.contains("istio_requests_total"), "{output}");
    let history = stage.run(["history"]);
    assert!(history.stdout.contains("inconclusive"), "{history}");

    // With traffic it goes on from another process, and holds when it is told to.
    let traffic = scene.traffic();
    let child = scene.start(&["resume"]);
    let begun = Instant::now();
    while stage.run(["status", "-o", "json"]).json()["phase"] != "progressing" {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    // Another run is refused meanwhile.
    let other = scene.run(&silent);
    assert_eq!(other.status, Some(5), "{other}");
    assert!(other.stderr.contains("works on this rollout"), "{other}");
    assert_eq!(stage.run(["pause"]).status, Some(0));
    let held = stage.weights().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(stage.weights().await, held);
    let woken = stage.run(["resume", "--prometheus", &scene.prometheus.url()]);
    assert_eq!(woken.status, Some(0), "{woken}");
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(1), "{output}");
    assert!(
        events(&output, "phase")
            .iter()
            .any(|event| event["phase"] == "paused"),
        "{output}"
    );
    assert_eq!(stage.weights().await, [100, 0]);

    // A Prometheus that lies moves nothing, and the run goes on when it tells the truth again.
    let front = Front::start(&scene.prometheus.url(), false, &[]);
    let plan = "steps: [50, 100]\ninterval: 1s\n\
                limits: {minRequests: 1, maxFailures: 100, maxInconclusive: 100, maxErrors: 100, compare: false}\n";
    fs_err::write(stage.project.path().join("canary.yaml"), plan).expect("a file");
    let url = front.url("");
    let child = stage.start([
        "run",
        "--plan=canary.yaml",
        "--query-timeout=500ms",
        "--prometheus",
        &url,
        "-o",
        "json",
    ]);
    wait_for("the first step", async || {
        (stage.weights().await == [50, 50]).then_some(())
    })
    .await;
    for (mood, expected) in [
        (
            Mood::Value("NaN"),
            "inconclusive: Prometheus does not answer `vector(1)`",
        ),
        (Mood::Value("-5"), "error: Prometheus answers with -5"),
        (
            Mood::Empty,
            "inconclusive: Prometheus does not answer `vector(1)`",
        ),
        (
            Mood::Page("200 OK", "<html>"),
            "error: Prometheus answers what is not its JSON",
        ),
        (
            Mood::Page("500 Internal Server Error", ""),
            "error: Prometheus answers 500",
        ),
        (Mood::HalfWay, "error: Prometheus cannot be asked"),
        (
            Mood::Late(Duration::from_secs(10)),
            "error: Prometheus did not answer within 0.5 s",
        ),
    ] {
        front.set(mood);
        wait_for(expected, async || {
            let object = stage.routes().await;
            let state = object["metadata"]["annotations"]["meshctl.dev/canary"].as_str()?;
            let state: Value = serde_json::from_str(state).ok()?;
            let last = state["events"].as_array()?.last()?.clone();
            last["what"].as_str()?.starts_with(expected).then_some(())
        })
        .await;
        assert_eq!(stage.weights().await, [50, 50]);
    }
    front.set(Mood::Honest);
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(stage.weights().await, [0, 100]);
    assert_eq!(events(&output, "shifted").len(), 2, "{output}");
    drop(traffic);
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_ask_webhooks_and_signals_end_them_as_told() {
    let scene = Scene::new("canary-plan").await;
    let stage = &scene.stage;
    let traffic = scene.traffic();
    let (asked, url) = counting();
    let plan = format!(
        "service: reviews\nsteps: [20, 40]\ninterval: 1s\nlimits: {{minRequests: 1, maxInconclusive: 50}}\nmetrics:\n\
         - {{name: share, query: 'sum(rate(istio_requests_total{{destination_workload=~\"${{canary}}\"}}[${{window}}]))', min: 0.1}}\n\
         webhooks:\n- {{name: gate, url: '{url}', when: before-step}}\n- {{name: end, url: '{url}', when: end}}\n"
    );
    fs_err::write(stage.project.path().join("canary.yaml"), plan).expect("a file");
    let output = scene.run(&["run", "--plan", "canary.yaml"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(stage.weights().await, [60, 40]);
    let bodies = asked.lock().expect("no panic").clone();
    assert_eq!(bodies.len(), 3, "{bodies:?}");
    assert_eq!(
        (&bodies[1]["when"], &bodies[1]["percent"]),
        (&json!("before-step"), &json!("40%"))
    );
    assert_eq!(bodies[2]["phase"], "paused");
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // On a terminal it shows how it goes. Ctrl-C leaves the traffic, and a tidy screen.
    let url = scene.prometheus.url();
    let mut terminal =
        Terminal::start(&stage.command(["run", "--steps=20,100", "--interval=30s", "--prometheus", &url]));
    let first = tokio::task::block_in_place(|| {
        let first = terminal.wait_until("the picture", |text| {
            text.contains("└─ canary  v2")
                && text.matches(" rps").count() == 2
                && text.contains("judged in 2")
        });
        terminal.wait_until("it moves", |text| text != first && text.contains("judged in"));
        first
    });
    assert!(first.contains("● 20%  ○ 100%"), "{first}");
    terminal.type_in("\u{3}");
    let (status, screen, column) = tokio::task::block_in_place(|| terminal.end());
    assert_eq!((status, column), (Some(130), 0), "{screen}");
    assert!(screen.contains("20% of the traffic goes to v2"), "{screen}");
    assert!(screen.contains("note: traffic stays where it is"), "{screen}");
    assert!(
        !screen.contains("judged in") && !screen.contains("└─"),
        "{screen}"
    );
    assert_eq!(stage.weights().await, [80, 20]);
    assert_eq!(stage.run(["status", "-o", "json"]).json()["phase"], "progressing");
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // A pipeline that is cancelled sends everything back.
    asked.lock().expect("no panic").clear();
    let cancelled = [
        "run",
        "--plan=canary.yaml",
        "--interval=30s",
        "--on-interrupt=abort",
    ];
    let child = scene.start(&cancelled);
    let begun = Instant::now();
    while stage.weights().await != [80, 20] {
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    // Weights are written before the run waits.
    tokio::time::sleep(Duration::from_secs(1)).await;
    Stage::signal(&child, "-TERM");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(130), "{output}");
    assert_eq!(stage.weights().await, [100, 0], "{output}");
    assert_eq!(stage.run(["status", "-o", "json"]).json()["phase"], "aborted");
    let last = asked.lock().expect("no panic").last().cloned();
    let last = last.expect("a question");
    assert_eq!(
        (&last["when"], &last["phase"]),
        (&json!("end"), &json!("aborted"))
    );

    // Whoever pauses or aborts while a step is judged is heard, however good the step was.
    let (asked, url) = acting(vec![stage.command(["pause"]), stage.command(["abort"])]);
    let plan = format!(
        "steps: [5, 20, 40]\ninterval: 1s\nlimits: {{minRequests: 1, maxInconclusive: 50, compare: false}}\n\
         webhooks:\n- {{name: before, url: '{url}', when: before-step}}\n- {{name: after, url: '{url}', when: after-step}}\n"
    );
    fs_err::write(stage.project.path().join("canary.yaml"), plan).expect("a file");
    assert_eq!(stage.run(["shift", "10%"]).status, Some(0));
    let child = scene.start(&["run", "--plan=canary.yaml"]);
    let last_event = async || {
        let object = stage.routes().await;
        let state = object["metadata"]["annotations"]["meshctl.dev/canary"].as_str()?;
        let state: Value = serde_json::from_str(state).ok()?;
        Some((
            state["phase"].clone(),
            state["events"].as_array()?.last()?["what"].clone(),
        ))
    };
    wait_for("the verdict on what is on hold", async || {
        (last_event().await? == (json!("paused"), json!("pass"))).then_some(())
    })
    .await;
    assert_eq!(stage.weights().await, [80, 20]);
    let url = scene.prometheus.url();
    assert_eq!(stage.run(["resume", "--prometheus", &url]).status, Some(0));
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(1), "{output}");
    let phases = events(&output, "phase");
    let last = phases.last().expect("a phase");
    assert_eq!(last["phase"], "aborted", "{output}");
    assert_eq!(stage.weights().await, [100, 0]);
    // What comes first is the step after what the canary had.
    let first = asked
        .lock()
        .expect("no panic")
        .first()
        .cloned()
        .expect("a question");
    assert_eq!(
        (&first["when"], &first["percent"]),
        (&json!("before-step"), &json!("20%"))
    );
    drop(traffic);
}

/// A webhook that agrees to everything, and keeps what it was sent. Ends with the process.
fn counting() -> (Arc<Mutex<Vec<Value>>>, String) {
    acting(Vec::new())
}

/// As [`counting`], with something that is done before each answer after a step, as long as there is something.
fn acting(commands: Vec<Command>) -> (Arc<Mutex<Vec<Value>>>, String) {
    let mut commands = commands.into_iter();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/gate", listener.local_addr().expect("an address"));
    let bodies = Arc::<Mutex<Vec<Value>>>::default();
    let kept = Arc::clone(&bodies);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (mut stream, body) = request(stream);
            let body: Value = serde_json::from_slice(&body).expect("JSON");
            if body["when"] == "after-step"
                && let Some(mut command) = commands.next()
            {
                let output = command.output().expect("it runs");
                assert!(output.status.success(), "{output:?}");
            }
            kept.lock().expect("no panic").push(body);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
        }
    });
    (bodies, url)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_it_can_go_on_and_back() {
    let rounds = kills(13);
    let scene = Scene::new("canary-kill").await;
    let stage = &scene.stage;
    let traffic = scene.traffic();
    // The second subset and its destination are to be made, too.
    stage
        .edit(&json!([{"op": "remove", "path": "/spec/http/0/route/1"}]))
        .await;
    let params = PatchParams::default();
    let only = json!({"spec": {"subsets": [{"name": "v1", "labels": {"version": "v1"}}]}});
    stage
        .destination_rules()
        .patch("reviews", &params, &Patch::Merge(only))
        .await
        .expect("it fits");
    let specs = async || {
        let rule = stage.destination_rules().get("reviews").await.expect("the rule");
        format!("{} {}", stage.routes().await["spec"], rule.data["spec"])
    };
    let before = specs().await;
    let bridge = what_proxies_do_not_know_yet_gets_nothing(&scene).await;
    assert_eq!(specs().await, before);
    let args = [
        "run",
        "--steps=10,20,30,40,50,60,70,80,90",
        "--interval=300ms",
        "--max-inconclusive=1000",
        "--min-requests=1",
        "--no-compare",
        "--canary=v2",
    ];
    let dry = scene.run(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(dry.status, Some(0), "{dry}");
    let mut moved = 0_usize;
    for round in 0..rounds {
        let moment = Duration::from_millis(random(round) % 3_500);
        let child = scene.start(&args);
        tokio::time::sleep(moment).await;
        kill(child);
        let total: i64 = stage.weights().await.iter().sum();
        assert_eq!(total, 100, "round {round}, after {moment:?}");
        let object = stage.routes().await;
        if object["metadata"]["annotations"]["meshctl.dev/canary"].is_null() {
            continue; // It had not begun.
        }
        let status = stage.run(["status", "-o", "json"]);
        assert_eq!(status.status, Some(0), "{status}");
        let status = status.json();
        if status["phase"] == "progressing" || status["phase"] == "ready" {
            moved += 1;
            if round % 3 == 0 && status["step"].is_object() {
                let child = scene.start(&["resume"]);
                tokio::time::sleep(moment).await;
                kill(child);
            }
            let abort = stage.run(["abort"]);
            assert_eq!(abort.status, Some(0), "{abort}");
        }
        assert_eq!(specs().await, before, "round {round}, after {moment:?}");
    }
    assert!(rounds < 4 || moved > 0, "it never got anywhere");
    bridge.abort();
    drop(traffic);
}

/// Subsets are made before weights point at them, and go after: when the proxies say so. The second one must be missing.
async fn what_proxies_do_not_know_yet_gets_nothing(scene: &Scene) -> JoinHandle<()> {
    let number = |stage: &Stage| {
        let rules = stage.destination_rules();
        async move {
            let rule = rules.get("reviews").await.expect("the rule");
            rule.data["spec"]["subsets"].as_array().map_or(0, Vec::len)
        }
    };
    let shift = ["shift", "10%", "--canary=v2", "--proxy-timeout=1s"];
    // The proxies are told of the subset that is missing; of nothing from here on.
    let is_known = |name: &str| {
        scene.mesh.envoys().iter().any(|envoy| {
            let clusters = envoy.admin_get("/clusters").expect("clusters");
            String::from_utf8_lossy(&clusters).contains(&format!("|{name}|"))
        })
    };
    wait_for("the proxies to forget", async || (!is_known("v2")).then_some(())).await;
    assert!(is_known("v1"));
    scene.bridge.abort();
    let Scene { stage, .. } = scene;
    // Also if it is there by now, from the first attempt.
    for _ in 0..2 {
        let output = stage.run(shift);
        assert_eq!(output.status, Some(4), "{output}");
        assert!(
            output
                .stderr
                .contains("0 of 2 proxies know the subsets v1 and v2")
                && output
                    .stderr
                    .contains("client-0.NAMESPACE, client-1.NAMESPACE: no weight was written"),
            "{output}"
        );
        assert_eq!(number(stage).await, 2);
        let routes = stage.routes().await;
        assert_eq!(
            routes["spec"]["http"][0]["route"].as_array().map(Vec::len),
            Some(1)
        );
    }
    assert_eq!(stage.run(["abort"]).status, Some(0));
    assert_eq!(number(stage).await, 1);

    // A pipeline that is cancelled while it waits leaves nothing.
    let child = scene.start(&["run", "--canary=v2", "--on-interrupt=abort"]);
    wait_for("the subset", async || (number(stage).await == 2).then_some(())).await;
    Stage::signal(&child, "-TERM");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(130), "{output}");
    assert_eq!(number(stage).await, 1);

    let apply = MeshUnderTest::apply_virtual_service;
    let again = bridge(stage, Arc::clone(&scene.mesh), "VirtualService", apply).await;
    let output = stage.run(shift);
    assert_eq!(output.status, Some(0), "{output}");
    again.abort();
    let output = stage.run(["abort", "--proxy-timeout=1s"]);
    assert_eq!(output.status, Some(4), "{output}");
    assert!(
        output.stderr.contains("run `meshctl canary abort` again"),
        "{output}"
    );
    assert_eq!(number(stage).await, 2);
    let again = bridge(stage, Arc::clone(&scene.mesh), "VirtualService", apply).await;
    let output = stage.run(["abort"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(number(stage).await, 1);
    again
}

/// Reads an object, changes it, and writes what was read, like an editor, until nobody else was faster.
async fn edit(api: &Api<DynamicObject>, change: impl Fn(&mut DynamicObject)) {
    let params = PostParams {
        field_manager: Some("somebody".to_owned()),
        ..PostParams::default()
    };
    loop {
        let mut object = api.get("reviews").await.expect("the object");
        object.metadata.managed_fields = None;
        change(&mut object);
        match api.replace("reviews", &params, &object).await {
            Ok(_) => return,
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_others_during_a_run_are_kept_and_of_the_weights_end_it() {
    let edits: usize =
        std::env::var("MESHCTL_CANARY_EDITS").map_or(50, |text| text.parse().expect("a number"));
    let scene = Scene::new("canary-writer").await;
    let stage = &scene.stage;
    let traffic = scene.traffic();
    let (routes, rules) = (stage.virtual_services(), stage.destination_rules());
    let steps = steps_from(30);
    let child = scene.start(&[
        "run",
        &steps,
        "--interval=300ms",
        "--max-inconclusive=1000",
        "--min-requests=1",
        "--no-compare",
    ]);
    let own = |object: &mut DynamicObject| {
        let routes = object.data["spec"]["http"].as_array_mut().expect("routes");
        routes.pop().expect("the last one is the rollout's")
    };
    let weight = async || {
        let mut object = routes.get("reviews").await.expect("the VirtualService");
        own(&mut object)["route"][1]["weight"].as_i64().expect("a weight")
    };
    let begun = Instant::now();
    while weight().await == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "it does not begin");
    }
    let first = weight().await;
    for number in 0..edits {
        let name = format!("edit-{number}");
        let note = |object: &mut DynamicObject| {
            let annotations = object.metadata.annotations.get_or_insert_default();
            annotations.insert(name.clone(), "there".to_owned());
        };
        match number % 5 {
            0 => edit(&routes, note).await,
            1 => {
                let label = |object: &mut DynamicObject| {
                    let labels = object.metadata.labels.get_or_insert_default();
                    labels.insert(name.clone(), "there".to_owned());
                };
                edit(&routes, label).await;
            }
            2 => {
                let above = |object: &mut DynamicObject| {
                    let route = json!({"name": name, "match": [{"uri": {"exact": format!("/{number}")}}], "route": [
                        {"destination": {"host": "reviews", "subset": "v1"}},
                    ]});
                    object.data["spec"]["http"]
                        .as_array_mut()
                        .expect("routes")
                        .insert(0, route);
                };
                edit(&routes, above).await;
            }
            3 => {
                let of_the_route = |object: &mut DynamicObject| {
                    let mut route = own(object);
                    if number > 3 {
                        assert_eq!(route["timeout"], format!("{}s", number - 5), "{object:?}");
                    }
                    route["timeout"] = format!("{number}s").into();
                    route["retries"] = json!({"attempts": number, "retryOn": "connect-failure"});
                    object.data["spec"]["http"]
                        .as_array_mut()
                        .expect("routes")
                        .push(route);
                };
                edit(&routes, of_the_route).await;
            }
            _ => {
                let subset = |object: &mut DynamicObject| {
                    note(object);
                    let subset = json!({"name": name, "labels": {"version": "v1"}});
                    object.data["spec"]["subsets"]
                        .as_array_mut()
                        .expect("subsets")
                        .push(subset);
                };
                edit(&rules, subset).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let last = weight().await;
    assert!(last > first, "at {first}: the run stood still");

    // The weights are the run's.
    let take = |object: &mut DynamicObject| {
        let mut route = own(object);
        (route["route"][0]["weight"], route["route"][1]["weight"]) = (json!(77), json!(23));
        object.data["spec"]["http"]
            .as_array_mut()
            .expect("routes")
            .push(route);
    };
    edit(&routes, take).await;
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(5), "{output}");
    assert!(
        output.stderr.contains("are 77/23 and not") && output.stderr.contains("`somebody`"),
        "{output}"
    );

    let all_there = async |weights: [i64; 2]| {
        let mut object = routes.get("reviews").await.expect("the VirtualService");
        let rule = rules.get("reviews").await.expect("the rule");
        let route = own(&mut object);
        assert_eq!(
            [&route["route"][0]["weight"], &route["route"][1]["weight"]],
            weights
        );
        for number in 0..edits {
            let name = format!("edit-{number}");
            let named = |list: &Value| {
                list.as_array()
                    .is_some_and(|list| list.iter().any(|one| one["name"] == name))
            };
            let is_there = match number % 5 {
                0 => object
                    .metadata
                    .annotations
                    .as_ref()
                    .is_some_and(|all| all.contains_key(&name)),
                1 => object
                    .metadata
                    .labels
                    .as_ref()
                    .is_some_and(|all| all.contains_key(&name)),
                2 => named(&object.data["spec"]["http"]),
                3 if number + 5 < edits => true,
                3 => route["timeout"] == format!("{number}s") && route["retries"]["attempts"] == number,
                _ => {
                    named(&rule.data["spec"]["subsets"])
                        && rule
                            .metadata
                            .annotations
                            .as_ref()
                            .is_some_and(|all| all.contains_key(&name))
                }
            };
            assert!(is_there, "{name} is lost: {object:?} {rule:?}");
        }
    };
    all_there([77, 23]).await;
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    all_there([100, 0]).await;
    drop(traffic);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_moved_and_judged() {
    let stage = Stage::with_port("canary-tcp", &["v1", "v2"], "tcp").await;
    stage.subsets(&["v1", "v2"]).await;
    stage
        .virtual_service(
            &json!({"metadata": {"name": "reviews"}, "spec": {"hosts": ["reviews"], "tcp": [{"match": [{"port": 80}], "route": [
                {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100},
                {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0},
            ]}]}}),
        )
        .await;
    let before = stage.routes().await;
    let mesh = tokio::task::block_in_place(|| {
        MeshUnderTest::start_tcp("reviews", &stage.namespace, &["v1", "v2"], 2)
    });
    let apply = MeshUnderTest::apply_virtual_service;
    let scene = Scene::of(stage, mesh.expect("proxies"), "VirtualService", apply).await;
    let Scene { stage, mesh, .. } = &scene;

    let output = stage.run(["shift", "10%", "-o", "json"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(synced(&output), [2, 2], "{output}");
    let counts = tokio::task::block_in_place(|| mesh.send(2_000, 4));
    assert_eq!(counts.failed, 0, "{counts:?}");
    assert!(counts.of("v2").abs_diff(200) < 70, "{counts:?}");
    assert_eq!(stage.run(["abort"]).status, Some(0));

    let steps = ["run", "--steps=20,50", "--interval=2s", "--min-requests=5"];
    let output = scene.run(&[&steps[..], &["--p99=1s"]].concat());
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output.stderr.contains("for connections, which have no latency"),
        "{output}"
    );
    let traffic = scene.traffic();
    let output = scene.run(&steps);
    assert_eq!(output.status, Some(0), "{output}");
    let passed = &events(&output, "judged")[0];
    assert_eq!(passed["canary"]["traffic"], "connections", "{output}");
    assert!(
        passed["canary"]["sentBytes"]
            .as_f64()
            .is_some_and(|bytes| bytes > 0.0),
        "{output}"
    );
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // Nobody listens.
    mesh.stop_listening("v2");
    let output = scene.run(&steps);
    assert_eq!(output.status, Some(1), "{output}");
    let failed = &events(&output, "judged")[0];
    assert_eq!(failed["verdict"], "fail", "{output}");
    assert!(
        failed["reason"]
            .to_string()
            .contains("connections succeeded (Envoy says UF)"),
        "{output}"
    );
    assert_eq!(
        stage.routes().await["spec"].to_string(),
        before["spec"].to_string()
    );
    drop(traffic);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_of_an_http_route_share_its_requests() {
    let stage = Stage::new("canary-http-route", &["v1", "v2"]).await;
    stage.services("http").await;
    let route = json!({"metadata": {"name": "reviews"}, "spec": {
        "parentRefs": [{"group": "", "kind": "Service", "name": "reviews"}],
        "rules": [{"backendRefs": [
            {"name": "reviews-v1", "port": 80, "weight": 100},
            {"name": "reviews-v2", "port": 80, "weight": 0},
        ]}],
    }});
    stage.create("HTTPRoute", &route).await;
    let before = stage.object("HTTPRoute", "reviews").await;
    let mesh = tokio::task::block_in_place(|| {
        let mesh = MeshUnderTest::start("reviews", &stage.namespace, &["v1", "v2"], 2)?;
        mesh.add_service("reviews-v1", &["v1"])?;
        mesh.add_service("reviews-v2", &["v2"])?;
        Ok::<_, std::io::Error>(mesh)
    });
    let apply = MeshUnderTest::apply_http_route;
    let scene = Scene::of(stage, mesh.expect("proxies"), "HTTPRoute", apply).await;
    let Scene { stage, mesh, .. } = &scene;

    let extras = ["--match=end-user=jason", "--mirror=50%", "--sticky=version"];
    let shift = ["shift", "10%", "--service=reviews", "-o", "json"];
    let output = stage.run(shift.into_iter().chain(extras));
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(synced(&output), [2, 2], "{output}");
    let proxy = mesh.envoys()[0].listener("outbound").expect("a listener");
    let host = format!("reviews.{}.svc.cluster.local", stage.namespace);
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nend-user: jason\r\n\r\n");
    let answer = Connection::open(proxy).and_then(|mut connection| connection.send(request.as_bytes()));
    let answer = answer.expect("an answer");
    let header = answer.header("set-cookie").unwrap_or_default();
    let (cookie, attributes) = header.split_once("; ").expect("a cookie");
    assert!(cookie.starts_with("version=canary-reviews-v2-"), "{header}");
    assert_eq!(attributes, "Max-Age=86400; Path=/");
    let received = mesh.received("v2");
    let (counts, mine, stuck) = tokio::task::block_in_place(|| {
        (
            mesh.send(2_000, 4),
            mesh.send_with("/", &[("end-user", "jason")], 50, 2),
            mesh.send_with("/", &[("cookie", &format!("a=b; {cookie}; c=d"))], 50, 2),
        )
    });
    assert_eq!(counts.failed, 0, "{counts:?}");
    assert!(counts.of("v2").abs_diff(200) < 70, "{counts:?}");
    assert_eq!((mine.of("v2"), stuck.of("v2")), (50, 50));
    // Half of those that are divided came once more.
    let mirrored = mesh.received("v2") - received - counts.of("v2") - 100;
    assert!(mirrored.abs_diff(1_000) < 100, "{mirrored}");
    // Whoever looks after the route has something against it.
    let status = json!({"status": {"parents": [{"controllerName": "istio.io/gateway-controller",
        "parentRef": {"kind": "Service", "name": "reviews"},
        "conditions": [{"type": "ResolvedRefs", "status": "False", "reason": "BackendNotFound", "message": "no reviews-v2",
            "lastTransitionTime": "2026-01-01T00:00:00Z"}]}]}});
    stage
        .objects("HTTPRoute")
        .patch_status("reviews", &PatchParams::default(), &Patch::Merge(status))
        .await
        .expect("a status");
    let output = stage.run(["shift", "+10%", "--mirror=1%"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        output
            .stderr
            .contains("ResolvedRefs is false (BackendNotFound): no reviews-v2"),
        "{output}"
    );
    assert_eq!(stage.run(["abort"]).status, Some(0));
    let after = stage.object("HTTPRoute", "reviews").await;
    assert_eq!(after["spec"].to_string(), before["spec"].to_string());

    let traffic = scene.traffic();
    let output = scene.run(&[
        "run",
        "--steps=50,100",
        "--interval=2s",
        "--p99=500ms",
        "--min-requests=5",
    ]);
    assert_eq!(output.status, Some(0), "{output}");
    let after = stage.object("HTTPRoute", "reviews").await;
    assert_eq!(
        after["spec"]["rules"][0]["backendRefs"][1]["weight"], 100,
        "{after:#}"
    );
    assert_eq!(
        after["spec"]["rules"].as_array().map(Vec::len),
        Some(1),
        "{after:#}"
    );
    let failed: u64 = traffic.into_iter().map(|traffic| traffic.stop().failed).sum();
    assert_eq!(failed, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_replaced_while_it_is_judged_holds_the_run() {
    let scene = Scene::new("canary-replaced").await;
    let stage = &scene.stage;
    let traffic = scene.traffic();
    let run = ["run", "--steps=20,100", "--interval=20s", "--min-requests=5"];
    let child = scene.start(&run);
    let begun = Instant::now();
    while stage.weights().await != [80, 20] {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not begin");
    }
    let deployments: Api<Deployment> = Api::namespaced(stage.cluster.client(), &stage.namespace);
    let image = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "example.com/app:2"}]}}}});
    deployments
        .patch("reviews-v2", &PatchParams::default(), &Patch::Strategic(image))
        .await
        .expect("another image");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(3), "{output}");
    let phase = &events(&output, "phase")[0];
    assert_eq!(phase["phase"], "paused", "{output}");
    assert!(
        phase["message"]
            .to_string()
            .contains("`v2` was changed while it was judged: there are new pods of reviews-v2 ("),
        "{output}"
    );
    assert_eq!(stage.weights().await, [80, 20]);

    // Whoever goes on means what is there now.
    let child = scene.start(&["resume"]);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.run(["status", "-o", "json"]).json()["phase"], "progressing");
    assert_eq!(stage.run(["abort"]).status, Some(0));
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(1), "{output}");
    drop(traffic);
}
