//! `meshctl install` and `upgrade` against a real control plane: stopped, killed, twice at once, and when the API server
//! does not play along.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Node as K8sNode;
use kube::Api as KubeApi;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams};
use serde_json::{Value, json};
use test_cluster::{Node, TaintEffect, wait_for};

use crate::fault_proxy::{Faults, Proxy};
use crate::harness::{Output, Project, kill_within, kills};
use crate::installer::{api, cluster, mesh_objects, node, objects_of, on_mesh};
use crate::terminal::Terminal;

/// A project with manifests of two versions: the newer one lacks an object, and has another one more.
fn project(mesh: &str, nodes: &str) -> Project {
    let text = |objects: &[Value]| -> String {
        let documents = objects.iter().map(|object| format!("{object}\n---\n"));
        documents.collect()
    };
    let map = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "a": "1" } });
    let definition = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("things.{mesh}.example.com") },
        "spec": { "group": format!("{mesh}.example.com"), "scope": "Namespaced",
            "names": { "kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object" } } }] } });
    let mut old = mesh_objects(mesh, "default", "1.29.1", nodes);
    old.extend([map("of-old"), definition.clone()]);
    let mut new = mesh_objects(mesh, "default", "1.30.0", nodes);
    new.extend([map("of-new"), definition]);
    Project::new()
        .file("old.yaml", text(&old))
        .file("new.yaml", text(&new))
}

const INSTALL: [&str; 5] = [
    "install",
    "--manifest=old.yaml",
    "--skip-precheck",
    "-y",
    "--timeout=2m",
];
const UPGRADE: [&str; 5] = [
    "upgrade",
    "--manifest=new.yaml",
    "--skip-precheck",
    "-y",
    "--timeout=2m",
];
const ROLLBACK: [&str; 3] = ["rollback", "-y", "--timeout=2m"];
const UNINSTALL: [&str; 4] = ["uninstall", "--purge", "-y", "--timeout=2m"];

/// The program on a mesh, through a kubeconfig.
struct Runner {
    project: Project,
    mesh: String,
    kubeconfig: String,
}

impl Runner {
    fn new(mesh: &str, nodes: &str) -> Self {
        Self::through(mesh, nodes, cluster().kubeconfig())
    }

    fn through(mesh: &str, nodes: &str, kubeconfig: &Path) -> Self {
        Self {
            project: project(mesh, nodes),
            mesh: mesh.to_owned(),
            kubeconfig: kubeconfig.to_str().expect("UTF-8").to_owned(),
        }
    }

    fn arguments<'a>(&'a self, args: &[&'a str]) -> Vec<&'a str> {
        let fixed = ["--istio-namespace", &self.mesh, "--kubeconfig", &self.kubeconfig];
        args.iter().copied().chain(fixed).collect()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.project.run(self.arguments(args))
    }

    fn done(&self, args: &[&str]) -> Output {
        let output = self.run(args);
        assert_eq!(output.status, Some(0), "{args:?}: {output}");
        output
    }

    fn start(&self, args: &[&str]) -> Child {
        let mut command = self.project.command(self.arguments(args));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program runs")
    }

    /// Waits until a running program has said something on standard error, which goes to a file.
    fn start_with_log(&self, args: &[&str]) -> Child {
        let log = fs_err::File::create(self.project.path().join("log")).expect("a file");
        let mut command = self.project.command(self.arguments(args));
        command.stdout(Stdio::null()).stderr(Stdio::from(log.into_file()));
        command.spawn().expect("the program runs")
    }

    /// The number of the installation before the newest, if both are complete.
    fn earlier(&self) -> String {
        let list = self.done(&["rollback", "--list"]).stdout;
        let mut complete = list.lines().filter(|line| line.trim_end().ends_with(" complete"));
        let earlier = complete.nth(1).expect("two installations");
        earlier.split_whitespace().next().expect("a number").to_owned()
    }

    fn log(&self) -> String {
        fs_err::read_to_string(self.project.path().join("log")).unwrap_or_default()
    }
}

/// What is there when a version is installed.
fn expected(mesh: &str, map: &str) -> BTreeSet<String> {
    let own = [
        format!("ConfigMap {map}"),
        format!("CustomResourceDefinition things.{mesh}.example.com"),
        "Deployment istiod".to_owned(),
        format!("MutatingWebhookConfiguration istio-sidecar-injector-{mesh}"),
        format!("Namespace {mesh}"),
        "Secret meshctl-install-default".to_owned(),
        "Service istiod".to_owned(),
        "ServiceAccount istiod".to_owned(),
        format!("ValidatingWebhookConfiguration istio-validator-{mesh}"),
        // The cluster's own.
        "ConfigMap kube-root-ca.crt".to_owned(),
        "ServiceAccount default".to_owned(),
    ];
    own.into_iter().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_anywhere_the_next_run_gets_there() {
    node().await;
    let mesh = "cli-killed";
    let runner = Runner::new(mesh, "plain");
    // How long it takes undisturbed.
    let mut steps = [
        (&INSTALL[..], "of-old"),
        (&UPGRADE[..], "of-new"),
        (&ROLLBACK[..], "of-old"),
        (&UNINSTALL[..], ""),
    ]
    .map(|(args, map)| {
        let begun = Instant::now();
        runner.done(args);
        (args, map, begun.elapsed())
    });
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
    let mut killed = 0;
    while killed < kills() {
        for (args, map, duration) in &mut steps {
            // One that was killed when it was done would lead back again without a number.
            let number = (args[0] == "rollback").then(|| runner.earlier());
            let args: Vec<&str> = args.iter().copied().chain(number.as_deref()).collect();
            for _ in 0..3 {
                kill_within(*duration, runner.start(&args));
                killed += 1;
            }
            let output = runner.done(&args);
            let found = objects_of(mesh).await;
            if map.is_empty() {
                assert_eq!(found, BTreeSet::new(), "after {killed} kills: {output}");
            } else {
                assert_eq!(found, expected(mesh, map), "after {killed} kills: {output}");
                let verified = runner.run(&["verify"]);
                assert_eq!(verified.status, Some(0), "after {killed} kills: {verified}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_do_not_mix() {
    node().await;
    let mesh = "cli-twice";
    let runner = Runner::new(mesh, "plain");
    let other = Runner::new(mesh, "plain");
    let first = runner.start(&INSTALL);
    let mut new = INSTALL;
    new[1] = "--manifest=new.yaml";
    let second = other.start(&new);
    let outputs = [runner.project.collect(first), other.project.collect(second)];
    let refused = |output: &Output| output.status == Some(2) && output.stderr.contains("works on this mesh");
    for output in &outputs {
        assert!(output.status == Some(0) || refused(output), "{output}");
    }
    assert!(
        outputs.iter().any(|output| output.status == Some(0)),
        "{outputs:?}"
    );
    let verified = runner.run(&["verify"]);
    assert_eq!(verified.status, Some(0), "{verified}");

    // Who waits gets there after the other.
    let first = runner.start(&INSTALL);
    let second = other.start(&[&new[..], &["--wait-lock=1m", "--skip-version-check"]].concat());
    let outputs = [runner.project.collect(first), other.project.collect(second)];
    assert_eq!(outputs[1].status, Some(0), "{}", outputs[1]);
    let verified = runner.run(&["verify"]);
    assert_eq!(verified.status, Some(0), "{verified}");
    runner.done(&UNINSTALL);
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_in_trouble_is_waited_for() {
    node().await;
    let proxy = Proxy::start(cluster().client());
    let mesh = "cli-trouble";
    let folder = Project::new().file("kubeconfig", crate::api::kubeconfig(&proxy.url()));
    let runner = Runner::through(mesh, "plain", &folder.path().join("kubeconfig"));
    let faults = [
        Faults {
            fail_each: 3,
            lose_each: 4,
            ..Faults::default()
        },
        Faults {
            delay: Duration::from_millis(50),
            cut_off: Some((30, Duration::from_secs(3))),
            ..Faults::default()
        },
    ];
    for faults in faults {
        proxy.set(faults);
        runner.done(&INSTALL);
        assert_eq!(objects_of(mesh).await, expected(mesh, "of-old"), "{faults:?}");
        proxy.set(faults);
        runner.done(&UPGRADE);
        assert_eq!(objects_of(mesh).await, expected(mesh, "of-new"), "{faults:?}");
        proxy.set(faults);
        runner.done(&UNINSTALL);
        assert_eq!(objects_of(mesh).await, BTreeSet::new(), "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_the_lock_writes_nothing_more() {
    node().await;
    let mesh = cluster().namespace("lost").await;
    let proxy = Proxy::start(cluster().client());
    let folder = Project::new().file("kubeconfig", crate::api::kubeconfig(&proxy.url()));
    let runner = Runner::through(&mesh, "lost", &folder.path().join("kubeconfig"));
    let child = runner.start_with_log(&INSTALL);
    let says = async |what: &str| wait_for(what, async || runner.log().contains(what).then_some(())).await;
    says("no node takes the pod").await;
    proxy.set(Faults {
        fail_each: 1,
        ..Faults::default()
    });
    cluster().add_node(Node::new("lost").label("test", "lost")).await;
    // It wants to write the webhooks now, and tries again and again, until its lock is in doubt.
    says("trying again").await;
    tokio::time::sleep(Duration::from_millis(10_500)).await;
    // Meanwhile somebody else has had the lock, and was killed.
    let leases: KubeApi<DynamicObject> = KubeApi::namespaced_with(
        cluster().client(),
        &mesh,
        &ApiResource::from_gvk(&GroupVersionKind::gvk("coordination.k8s.io", "v1", "Lease")),
    );
    let other = json!({ "metadata": { "annotations": null }, "spec": { "holderIdentity": "somebody@elsewhere",
        "acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.000000Z" } });
    let taken = leases
        .patch("meshctl-install", &PatchParams::default(), &Patch::Merge(other))
        .await;
    taken.expect("a patch");
    proxy.set(Faults::default());
    let output = runner.project.collect(child);
    let log = runner.log();
    assert_eq!(output.status, Some(2), "{log}");
    assert!(
        log.contains("somebody@elsewhere (since 2026-01-01T00:00:00.000000Z) has taken over"),
        "{log}"
    );
    let found = objects_of(&mesh).await;
    assert!(
        !found.iter().any(|object| object.contains("Webhook")),
        "{found:?}"
    );
    let lease = leases
        .get("meshctl-install")
        .await
        .expect("the lock of the other one");
    assert_eq!(lease.data["spec"]["holderIdentity"], "somebody@elsewhere");
    runner.done(&UNINSTALL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taint_is_told_and_when_it_goes_the_installation_goes_on() {
    let tainted =
        Node::new("reserved")
            .label("test", "reserved")
            .taint("dedicated", "db", TaintEffect::NoSchedule);
    cluster().add_node(tainted).await;
    let mesh = "cli-reserved";
    let runner = Runner::new(mesh, "reserved");
    let child = runner.start_with_log(&INSTALL);
    let scheduled = wait_for("the scheduler's event", async || {
        let events = cluster().events(mesh).await;
        events
            .iter()
            .any(|event| event.reason.as_deref() == Some("FailedScheduling"))
            .then(Instant::now)
    })
    .await;
    wait_for("the diagnosis", async || {
        let log = runner.log();
        (log.contains("reserved: taint dedicated=db:NoSchedule is not tolerated")
            && log.contains("`kubectl taint node reserved dedicated:NoSchedule-`"))
        .then_some(())
    })
    .await;
    assert!(
        scheduled.elapsed() < Duration::from_secs(15),
        "{:?}",
        scheduled.elapsed()
    );

    // Stopped, it says what is in place, and how to go on and back.
    let stop = |child: Child, signal: &str| {
        let id = child.id().to_string();
        let kill = std::process::Command::new("kill").args([signal, &id]).status();
        assert!(kill.expect("kill runs").success());
        let output = runner.project.collect(child);
        assert_eq!(output.status, Some(130), "{}", runner.log());
    };
    stop(child, "-INT");
    let log = runner.log();
    for said in [
        "error: interrupted\n  in place: 5 of 7 objects to write",
        "Deployment cli-reserved/istiod has 0 of 1 pods ready: no node takes the pod",
        "hint: to go on, run the same command again",
        "hint: to remove what is in place: `meshctl uninstall --istio-namespace cli-reserved`",
    ] {
        assert!(log.contains(said), "{said}: {log}");
    }
    // It gave the lock back, so that nobody has to wait.
    assert!(!objects_of(mesh).await.contains("Lease meshctl-install"));
    let unfinished = runner.run(&["verify"]);
    assert_eq!(unfinished.status, Some(1), "{unfinished}");
    for said in [
        "its installation was not completed",
        "Deployment cli-reserved/istiod does not run: 0 of 1 pods ready",
        "the same command goes on, `meshctl uninstall --istio-namespace cli-reserved` removes it",
        "MutatingWebhookConfiguration istio-sidecar-injector-cli-reserved is missing",
    ] {
        assert!(unfinished.stdout.contains(said), "{said}: {unfinished}");
    }

    // So it does when a job is cancelled, and it goes on from there.
    let child = runner.start_with_log(&INSTALL);
    let diagnosis = async || runner.log().contains("is not tolerated").then_some(());
    wait_for("the diagnosis", diagnosis).await;
    stop(child, "-TERM");
    let log = runner.log();
    assert!(log.contains("error: interrupted\n  in place: "), "{log}");
    assert!(!objects_of(mesh).await.contains("Lease meshctl-install"));
    let child = runner.start_with_log(&INSTALL);
    wait_for("the diagnosis", diagnosis).await;
    let nodes: KubeApi<K8sNode> = KubeApi::all(cluster().client());
    let nothing = Patch::Merge(json!({ "spec": { "taints": null } }));
    nodes
        .patch("reserved", &PatchParams::default(), &nothing)
        .await
        .expect("a patch");
    let output = runner.project.collect(child);
    assert_eq!(output.status, Some(0), "{}", runner.log());
    assert_eq!(objects_of(mesh).await, expected(mesh, "of-old"));
    runner.done(&UNINSTALL);
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_terminal_it_asks_and_shows_how_far_it_is() {
    node().await;
    let mesh = "cli-terminal";
    let runner = Runner::new(mesh, "terminal");
    let on_terminal = |args: &[&str]| Terminal::start(&runner.project.command(runner.arguments(args)));
    let asked = |terminal: &Terminal, question: &str| {
        terminal.wait_until("the question", |text| text.trim_end().ends_with(question));
    };
    let install = [
        "install",
        "--manifest=old.yaml",
        "--skip-precheck",
        "--timeout=2m",
    ];
    for (answer, status, said) in [
        ("n\n", 2, "error: cancelled, nothing was changed"),
        ("\n", 2, "error: cancelled, nothing was changed"),
        ("\u{3}", 130, "error: interrupted"),
    ] {
        let mut terminal = on_terminal(&install);
        asked(&terminal, "in this way? (y/N)");
        terminal.type_in(answer);
        let (ended, screen, column) = terminal.end();
        assert_eq!((ended, column), (Some(status), 0), "{answer:?}: {screen}");
        assert!(screen.contains("+ istiod:") && screen.contains(said), "{screen}");
    }
    assert_eq!(objects_of(mesh).await, BTreeSet::new());

    // What goes on moves in a line below what is done.
    let mut terminal = on_terminal(&install);
    asked(&terminal, "in this way? (y/N)");
    terminal.type_in("y\n");
    let moves = "istiod  4/6 waits for Deployment cli-terminal/istiod: no node takes the pod";
    let first = terminal.wait_until("what it waits for", |text| text.contains(moves));
    terminal.wait_until("it moves", |text| text != first && text.contains(moves));
    assert!(first.contains("✔ base (1 object)"), "{first}");
    assert!(
        first.contains("label test=terminal, or do not ask for it"),
        "{first}"
    );
    cluster()
        .add_node(Node::new("late").label("test", "terminal"))
        .await;
    let (status, screen, column) = terminal.end();
    assert_eq!((status, column), (Some(0), 0), "{screen}");
    assert!(!screen.contains(moves), "{screen}");
    let end = "✔ istiod (6 objects)\ninstall: revision default in cli-terminal is complete";
    assert!(screen.trim_end().ends_with(end), "{screen}");
    assert_eq!(objects_of(mesh).await, expected(mesh, "of-old"));

    let mut terminal = on_terminal(&["uninstall", "--purge", "--timeout=2m"]);
    asked(&terminal, "? (y/N)");
    terminal.type_in("YES\n");
    let (status, screen, column) = terminal.end();
    assert_eq!((status, column), (Some(0), 0), "{screen}");
    assert!(screen.contains("objects are gone"), "{screen}");
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planned_is_shown_checked_and_agreed_to() {
    node().await;
    let mesh = "cli-planned";
    let runner = Runner::new(mesh, "plain");
    let missing = runner.run(&["install", "--manifest=nowhere.yaml", "-y"]);
    assert_eq!(missing.status, Some(2), "{missing}");
    assert!(missing.stderr.contains("cannot read nowhere.yaml"), "{missing}");
    let plan = runner.run(&["install", "--manifest=old.yaml", "--skip-precheck", "--dry-run"]);
    assert_eq!(plan.status, Some(0), "{plan}");
    insta::assert_snapshot!(plan.stdout, @r"
    + base: CustomResourceDefinition things.cli-planned.example.com
    + istiod: ServiceAccount cli-planned/istiod, ConfigMap cli-planned/of-old, Service cli-planned/istiod, Deployment cli-planned/istiod, ValidatingWebhookConfiguration istio-validator-cli-planned, MutatingWebhookConfiguration istio-sidecar-injector-cli-planned
    ");
    let absent = runner.run(&UPGRADE);
    assert_eq!(absent.status, Some(2), "{absent}");
    assert!(
        absent
            .stderr
            .contains("meshctl has installed nothing in namespace cli-planned"),
        "{absent}"
    );
    assert_eq!(objects_of(mesh).await, BTreeSet::new());

    runner.done(&INSTALL);
    let again = runner.done(&INSTALL);
    assert!(again.stderr.contains("everything is as it should be"), "{again}");
    let list = on_mesh(mesh, &["rollback", "--list"]);
    assert_eq!(list.stdout.lines().count(), 2, "{list}");

    // Versions do not jump.
    for (image, expected) in [
        ("1.31.0", "more than one minor version"),
        ("1.28.9", "is older than 1.29.1"),
    ] {
        let text = fs_err::read_to_string(runner.project.path().join("old.yaml")).expect("a file");
        fs_err::write(
            runner.project.path().join("jump.yaml"),
            text.replace("1.29.1", image),
        )
        .expect("a file");
        let jump = runner.run(&["upgrade", "--manifest=jump.yaml", "-y", "--dry-run"]);
        assert_eq!(jump.status, Some(2), "{jump}");
        assert!(jump.stderr.contains(expected), "{jump}");
    }
    // What others have made is left alone.
    let other = api("ConfigMap", mesh);
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "of-new" }, "data": { "a": "2" } });
    let map = serde_json::from_value(map).expect("a map");
    other
        .create(&kube::api::PostParams::default(), &map)
        .await
        .expect("it is made");
    let refused = runner.run(&UPGRADE);
    assert_eq!(refused.status, Some(2), "{refused}");
    assert!(
        refused
            .stderr
            .contains("ConfigMap cli-planned/of-new is there already, and not of this installation"),
        "{refused}"
    );
    runner.done(&[&UPGRADE[..], &["--adopt"]].concat());
    assert_eq!(other.get("of-new").await.expect("a map").data["data"]["a"], "1");
    runner.done(&UNINSTALL);
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
}
