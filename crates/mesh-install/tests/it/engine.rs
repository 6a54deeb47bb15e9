//! Installing into a real cluster: what comes to be, what is said, and what is left.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Node as K8sNode, Pod};
use kube::api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use mesh_core::cluster::{Cluster, ConnectOptions};
use mesh_install::diagnose::Cause;
use mesh_install::engine::{
    Claims, EngineError, Event, InstallOptions, RemovalScope, Report, Session, Verdict,
};
use mesh_install::object::{KINDS, LEASE, OWNER_LABEL, ObjectKind};
use mesh_install::plan::{Action, Desired, Part};
use mesh_install::state::{EntryFacts, Phase};
use serde_json::{Value, json};
use test_cluster::{Node, TaintEffect, TestCluster, wait_for};
use tokio::time::sleep;

/// A cluster with one node for everybody, which pods select with `test: plain`.
fn cluster() -> &'static TestCluster {
    static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| TestCluster::start().unwrap_or_else(|error| panic!("{error}")))
}

async fn plain_node() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let make = async || {
        cluster()
            .add_node(Node::new("plain").label("test", "plain"))
            .await;
    };
    MADE.get_or_init(make).await;
}

/// What was reported.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<Event>>>);

impl Log {
    fn report(&self) -> Report {
        let log = self.clone();
        Arc::new(move |event| log.0.lock().unwrap().push(event))
    }

    fn events(&self) -> Vec<Event> {
        self.0.lock().unwrap().clone()
    }

    /// The causes that were told last.
    fn causes(&self) -> Vec<Cause> {
        let events = self.events();
        let told = events.into_iter().rev().find_map(|event| match event {
            Event::Waiting { causes, .. } => Some(causes),
            _ => None,
        });
        told.unwrap_or_default()
    }
}

async fn session(mesh: &str) -> (Session, Log) {
    let options = ConnectOptions {
        kubeconfig: Some(cluster().kubeconfig().to_owned()),
        ..ConnectOptions::default()
    };
    let connected = Cluster::connect(&options).await.unwrap();
    let log = Log::default();
    (Session::new(connected, mesh, log.report()), log)
}

/// A small control plane: one object of most kinds, in two waves.
fn parts(mesh: &str, node: &str) -> Vec<Part> {
    let group = format!("{mesh}.example.com");
    let labels = json!({ "app": "istiod" });
    let pod = json!({
        "metadata": { "labels": labels },
        "spec": {
            "serviceAccountName": "istiod",
            "nodeSelector": { "test": node },
            "containers": [{ "name": "discovery", "image": "istio/pilot:1", "resources": { "requests": { "cpu": "500m", "memory": "2Gi" } } }],
        },
    });
    let webhook = json!({
        "name": "injection.example.com",
        "clientConfig": { "url": "https://127.0.0.1:1/inject" },
        "rules": [],
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    });
    let base = vec![
        json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("things.{group}") },
            "spec": { "group": group, "scope": "Namespaced",
                "names": { "kind": "Thing", "plural": "things", "singular": "thing", "listKind": "ThingList" },
                "versions": [{ "name": "v1", "served": true, "storage": true,
                    "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }] } }),
        json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": { "name": format!("reader-{mesh}") },
            "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["get"] }] }),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": mesh } }),
    ];
    let pilot = vec![
        json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": format!("injector-{mesh}") }, "webhooks": [webhook] }),
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "istiod" },
            "spec": { "replicas": 1, "selector": { "matchLabels": labels }, "template": pod } }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "istio" }, "data": { "mesh": "a: 1\n" } }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "istiod" },
            "spec": { "selector": labels, "ports": [{ "name": "https", "port": 443 }] } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "istiod" } }),
    ];
    vec![
        Part {
            name: "istiod".to_owned(),
            wave: 1,
            objects: pilot,
        },
        Part {
            name: "base".to_owned(),
            wave: 0,
            objects: base,
        },
    ]
}

fn desired(mesh: &str, node: &str) -> Desired {
    Desired::new(mesh, "default", parts(mesh, node)).unwrap()
}

/// Changes the Deployment of a desired state.
fn with_deployment(mut desired: Desired, change: impl Fn(&mut Value)) -> Desired {
    let objects = desired.parts.iter_mut().flat_map(|part| &mut part.objects);
    objects
        .filter(|object| object["kind"] == "Deployment")
        .for_each(change);
    desired
}

fn facts() -> EntryFacts {
    EntryFacts {
        started: "2026-01-01T00:00:00Z".to_owned(),
        action: "install".to_owned(),
        ..EntryFacts::default()
    }
}

fn api(kind: &ObjectKind, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(kind.group, kind.version, kind.kind),
        kind.plural,
    );
    if kind.namespaced && !namespace.is_empty() {
        Api::namespaced_with(cluster().client(), namespace, &resource)
    } else {
        Api::all_with(cluster().client(), &resource)
    }
}

/// Everything that has to do with a mesh: what is in its namespace or named after it.
async fn all_objects(mesh: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for kind in KINDS.iter().chain([&LEASE]) {
        let Ok(list) = api(kind, "").list(&ListParams::default()).await else {
            continue; // No such kind.
        };
        for object in list {
            let namespace = object.namespace().unwrap_or_default();
            let name = object.name_any();
            let owners = object.owner_references();
            if owners.iter().any(|owner| owner.controller == Some(true)) {
                continue; // A controller made it, and takes it away.
            }
            if namespace == mesh || name.contains(mesh) {
                found.insert(format!("{} {namespace}/{name}", kind.kind));
            }
        }
    }
    found
}

async fn patch(kind: &str, namespace: &str, name: &str, value: Value) {
    let kind = ObjectKind::named(kind).unwrap();
    let how = PatchParams {
        field_manager: Some("somebody".to_owned()),
        ..PatchParams::default()
    };
    let patched = api(kind, namespace).patch(name, &how, &Patch::Merge(value)).await;
    patched.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_installed_is_there_can_be_compared_and_goes_without_a_trace() {
    plain_node().await;
    let mesh = "mesh-whole";
    let (session, log) = session(mesh).await;
    let desired = desired(mesh, "plain");
    let before = session.plan(&desired, Claims::default()).await.unwrap();
    assert_eq!(before.count("create"), 7);
    assert!(all_objects(mesh).await.is_empty(), "a plan changes nothing");

    session
        .install(&desired, facts(), &InstallOptions::default())
        .await
        .unwrap();
    session.close().await;
    // Definitions and accounts first, webhooks when istiod runs.
    let applied: Vec<String> = log
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Applied { object, .. } => Some(object.kind.kind.to_owned()),
            Event::Waiting { .. } => Some("wait".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(
        applied.first().map(String::as_str),
        Some("CustomResourceDefinition")
    );
    assert_eq!(
        applied.last().map(String::as_str),
        Some("MutatingWebhookConfiguration")
    );
    let position = |kind: &str| applied.iter().position(|applied| applied == kind).unwrap();
    assert!(position("ServiceAccount") < position("Deployment"));
    assert!(position("Deployment") < position("wait"));

    let states = session.states().await.unwrap();
    assert_eq!((states.len(), states[0].phase), (1, Phase::Installed));
    assert_eq!(states[0].inventory, desired.references());
    assert!(
        session
            .plan(&desired, Claims::default())
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(session.verify(&states, "default").await.unwrap(), []);

    // Somebody else changes things.
    patch(
        "ConfigMap",
        mesh,
        "istio",
        json!({ "data": { "mesh": "a: 2\n" } }),
    )
    .await;
    let webhooks = json!({ "metadata": { "labels": { OWNER_LABEL: null } } });
    patch(
        "MutatingWebhookConfiguration",
        "",
        &format!("injector-{mesh}"),
        webhooks,
    )
    .await;
    let kind = ObjectKind::named("Service").unwrap();
    api(kind, mesh)
        .delete("istiod", &DeleteParams::default())
        .await
        .unwrap();
    let drifts = session.verify(&states, "default").await.unwrap();
    let drifts: Vec<String> = drifts
        .iter()
        .map(|drift| {
            let what = match &drift.verdict {
                Verdict::Changed { fields, managers } => format!("{} {managers:?}", fields[0]),
                other => format!("{other:?}"),
            };
            format!("{}: {what}", drift.object)
        })
        .collect();
    assert_eq!(
        drifts,
        [
            "ConfigMap mesh-whole/istio: data.mesh: (1 lines) -> (1 lines) [\"somebody\"]",
            "Service mesh-whole/istiod: Missing",
            "MutatingWebhookConfiguration injector-mesh-whole: NotOurs",
        ]
    );
    // What is in the way is told, and taken over only if that is asked for.
    let refused = session
        .install(&desired, facts(), &InstallOptions::default())
        .await;
    session.close().await;
    let Err(EngineError::Obstacles(obstacles)) = refused else {
        panic!("{refused:?}");
    };
    let obstacles: Vec<_> = obstacles
        .iter()
        .map(|planned| match &planned.action {
            Action::Conflict(conflicts) => format!("{} {}", conflicts[0].field, conflicts[0].manager),
            Action::Foreign { owner } => format!("{} {owner}", planned.object.kind.kind),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        obstacles,
        [
            ".data.mesh somebody using v1",
            "MutatingWebhookConfiguration somebody else"
        ]
    );
    let claims = Claims {
        adopt: true,
        force_conflicts: true,
    };
    let options = InstallOptions {
        claims,
        ..InstallOptions::default()
    };
    session.install(&desired, facts(), &options).await.unwrap();
    session.close().await;
    assert_eq!(
        session
            .verify(&session.states().await.unwrap(), "default")
            .await
            .unwrap(),
        []
    );

    // What is no longer wanted goes.
    let mut smaller = desired.clone();
    smaller.parts[1]
        .objects
        .retain(|object| object["kind"] != "ConfigMap");
    let plan = session.plan(&smaller, Claims::default()).await.unwrap();
    assert_eq!((plan.count("remove"), plan.count("keep")), (1, 6));
    session
        .install(&smaller, facts(), &InstallOptions::default())
        .await
        .unwrap();
    session.close().await;
    assert!(
        !all_objects(mesh)
            .await
            .contains(&format!("ConfigMap {mesh}/istio"))
    );

    let scope = RemovalScope::Revision("default".to_owned());
    // No kind is so rare that its objects could go with the namespace.
    let group = format!("{mesh}.example.com");
    let things = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(&group, "v1", "Thing"), "things");
    let things: Api<DynamicObject> = Api::namespaced_with(cluster().client(), mesh, &things);
    let thing =
        json!({ "apiVersion": format!("{group}/v1"), "kind": "Thing", "metadata": { "name": "mine" } });
    let thing: DynamicObject = serde_json::from_value(thing).unwrap();
    things
        .create(&kube::api::PostParams::default(), &thing)
        .await
        .unwrap();
    let removal = session.removal(&scope).await.unwrap();
    let left: Vec<_> = removal
        .left
        .iter()
        .map(|left| (left.object.to_string(), left.why.as_str()))
        .collect();
    assert_eq!(
        left[0],
        (
            format!("Namespace {mesh}"),
            "it still has things.mesh-whole.example.com mine"
        )
    );
    things.delete("mine", &DeleteParams::default()).await.unwrap();

    let removal = session.removal(&scope).await.unwrap();
    let left: Vec<_> = removal.left.iter().map(|left| left.object.to_string()).collect();
    assert_eq!(left, ["CustomResourceDefinition things.mesh-whole.example.com"]);
    assert_eq!(removal.objects[0].kind.kind, "MutatingWebhookConfiguration");
    session.remove(&scope, None).await.unwrap();
    assert_eq!(
        all_objects(mesh).await,
        BTreeSet::from(["CustomResourceDefinition /things.mesh-whole.example.com".to_owned()])
    );
    // Later, of what was left nothing is known but its label.
    session.remove(&RemovalScope::Purge, None).await.unwrap();
    assert_eq!(all_objects(mesh).await, BTreeSet::new());
    // Again is no error.
    session.remove(&RemovalScope::Purge, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_of_others_stays_and_so_does_what_is_theirs() {
    plain_node().await;
    let mesh = cluster().namespace("theirs").await;
    let mesh = mesh.as_str();
    let (session, _) = session(mesh).await;
    let before = all_objects(mesh).await;
    // What is theirs and being deleted is waited for, and in nobody's way.
    let maps = api(ObjectKind::named("ConfigMap").unwrap(), mesh);
    let theirs = json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "istio", "finalizers": ["example.com/held"] } });
    let theirs: DynamicObject = serde_json::from_value(theirs).unwrap();
    maps.create(&kube::api::PostParams::default(), &theirs)
        .await
        .unwrap();
    maps.delete("istio", &DeleteParams::default()).await.unwrap();
    let (wanted, options) = (desired(mesh, "plain"), InstallOptions::default());
    let (installed, ()) = tokio::join!(session.install(&wanted, facts(), &options), async {
        sleep(Duration::from_secs(2)).await;
        let finalizers = json!({ "metadata": { "finalizers": null } });
        patch("ConfigMap", mesh, "istio", finalizers).await;
    });
    installed.unwrap();
    session.close().await;
    // Another revision has some of it too.
    let mut canary = Desired {
        revision: "canary".to_owned(),
        ..desired(mesh, "plain")
    };
    canary.parts.retain(|part| part.name == "base");
    session
        .install(&canary, facts(), &InstallOptions::default())
        .await
        .unwrap();
    session.close().await;
    let scope = RemovalScope::Revision("default".to_owned());
    let removal = session.remove(&scope, None).await.unwrap();
    let why: BTreeSet<_> = removal.left.iter().map(|left| left.why.as_str()).collect();
    assert_eq!(why, BTreeSet::from(["revision canary has it too"]));
    assert!(
        all_objects(mesh)
            .await
            .contains(&format!("ClusterRole /reader-{mesh}"))
    );
    let nothing = session.removal(&scope).await.unwrap();
    assert_eq!(nothing.others, ["canary"]);
    session.remove(&RemovalScope::Purge, None).await.unwrap();
    assert_eq!(all_objects(mesh).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time() {
    plain_node().await;
    let (nowhere, _) = session("mesh-nowhere").await;
    let locked = tokio::time::timeout(Duration::from_secs(10), nowhere.lock(None)).await;
    let refused = locked.expect("an answer").unwrap_err();
    assert_eq!(refused.to_string(), "there is no namespace mesh-nowhere");

    let mesh = "mesh-locked";
    let (first, _) = session(mesh).await;
    let (second, log) = session(mesh).await;
    let desired = desired(mesh, "plain");
    first
        .install(&desired, facts(), &InstallOptions::default())
        .await
        .unwrap();
    // The first one still holds the lock.
    let refused = second
        .install(&desired, facts(), &InstallOptions::default())
        .await;
    let Err(EngineError::Locked(holder)) = refused else {
        panic!("{refused:?}");
    };
    assert!(holder.who.contains(&std::process::id().to_string()), "{holder}");
    let options = InstallOptions {
        wait_for_lock: Some(Duration::from_secs(20)),
        ..InstallOptions::default()
    };
    let (waited, ()) = tokio::join!(second.install(&desired, facts(), &options), async {
        sleep(Duration::from_secs(2)).await;
        first.close().await;
    });
    waited.unwrap();
    assert!(
        log.events()
            .iter()
            .any(|event| matches!(event, Event::LockHeld { .. }))
    );
    second.remove(&RemovalScope::Purge, None).await.unwrap();
    assert_eq!(all_objects(mesh).await, BTreeSet::new());
}

/// Installs until a cause is told that is wanted, and returns it with the time from when it was there.
async fn cause_of(
    mesh: &str,
    desired: Desired,
    is_wanted: impl Fn(&Cause) -> bool,
    cure: impl AsyncFnOnce(Client),
) -> Cause {
    let (session, log) = session(mesh).await;
    let options = InstallOptions::default();
    let install = session.install(&desired, facts(), &options);
    let mut install = Box::pin(install);
    let begun = Instant::now();
    let cause = loop {
        tokio::select! {
            result = &mut install => panic!("it should wait: {result:?}"),
            () = sleep(Duration::from_millis(100)) => {}
        }
        if let Some(cause) = log.causes().into_iter().find(&is_wanted) {
            break cause;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", log.events());
    };
    // It goes on by itself.
    let ((), result) = tokio::join!(
        cure(cluster().client()),
        tokio::time::timeout(Duration::from_mins(1), install)
    );
    result.expect("it goes on").expect("it is done");
    session.close().await;
    session.remove(&RemovalScope::Purge, None).await.unwrap();
    assert_eq!(
        all_objects(mesh)
            .await
            .into_iter()
            .filter(|object| !object.contains("/kept-"))
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    cause
}

#[tokio::test(flavor = "multi_thread")]
async fn taints_and_small_nodes_are_told_and_waited_for() {
    let taint =
        Node::new("tainted")
            .label("test", "tainted")
            .taint("dedicated", "db", TaintEffect::NoSchedule);
    cluster().add_node(taint).await;
    let cause = cause_of(
        "mesh-tainted",
        desired("mesh-tainted", "tainted"),
        |cause| cause.summary.starts_with("no node takes the pod") && !cause.hints.is_empty(),
        async |client| {
            let nodes: Api<K8sNode> = Api::all(client);
            let nothing = Patch::Merge(json!({ "spec": { "taints": null } }));
            nodes
                .patch("tainted", &PatchParams::default(), &nothing)
                .await
                .unwrap();
        },
    )
    .await;
    assert!(
        cause
            .detail
            .iter()
            .any(|line| line == "tainted: taint dedicated=db:NoSchedule is not tolerated"),
        "{cause:?}"
    );
    assert!(
        cause
            .hints
            .iter()
            .any(|hint| hint.contains("kubectl taint node tainted dedicated:NoSchedule-")),
        "{cause:?}"
    );
    assert!(
        cause
            .hints
            .iter()
            .any(|hint| hint.contains("operator: Equal\n  value: \"db\"")),
        "{cause:?}"
    );

    cluster()
        .add_node(
            Node::new("small")
                .label("test", "small")
                .capacity("4", "1Gi", 110),
        )
        .await;
    let cause = cause_of(
        "mesh-small",
        desired("mesh-small", "small"),
        |cause| cause.summary.contains("Insufficient memory") && !cause.hints.is_empty(),
        async |_| {
            cluster()
                .add_node(Node::new("large").label("test", "small"))
                .await;
        },
    )
    .await;
    assert!(
        cause
            .hints
            .iter()
            .any(|hint| hint.contains("lacks 1Gi of memory for 2Gi")),
        "{cause:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_pods_are_told_by_what_refuses_them() {
    plain_node().await;
    let quota = json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "kept-small" },
        "spec": { "hard": { "requests.memory": "1Gi" } } });
    let mesh = cluster().namespace("quota").await;
    let quotas = api(ObjectKind::named("ResourceQuota").unwrap(), &mesh);
    let object: DynamicObject = serde_json::from_value(quota).unwrap();
    quotas
        .create(&kube::api::PostParams::default(), &object)
        .await
        .unwrap();
    wait_for("the quota to count", async || {
        let quota = quotas.get("kept-small").await.ok()?;
        quota.data["status"]["hard"].is_object().then_some(())
    })
    .await;
    let (session, log) = session(&mesh).await;
    let desired = desired(&mesh, "plain");
    let options = InstallOptions::default();
    let mut install = Box::pin(session.install(&desired, facts(), &options));
    let cause = wait_for("the quota to be told", async || {
        let step = tokio::time::timeout(Duration::from_millis(100), &mut install).await;
        assert!(step.is_err(), "{step:?}");
        log.causes()
            .into_iter()
            .find(|cause| cause.summary.contains("exceeded quota: kept-small"))
    })
    .await;
    assert!(
        cause
            .hints
            .iter()
            .any(|hint| hint.contains("raise requests.memory of quota kept-small to at least 2Gi")),
        "{cause:?}"
    );
    quotas
        .delete("kept-small", &DeleteParams::default())
        .await
        .unwrap();
    tokio::time::timeout(Duration::from_mins(1), install)
        .await
        .expect("it goes on")
        .unwrap();
    session.close().await;
    session.remove(&RemovalScope::Purge, None).await.unwrap();

    let restricted = [("pod-security.kubernetes.io/enforce", "restricted")];
    let mesh = cluster().namespace_with_labels("restricted", &restricted).await;
    let (session, log) = self::session(&mesh).await;
    let desired = self::desired(&mesh, "plain");
    let mut install = Box::pin(session.install(&desired, facts(), &options));
    let cause = wait_for("pod security to be told", async || {
        let step = tokio::time::timeout(Duration::from_millis(100), &mut install).await;
        assert!(step.is_err(), "{step:?}");
        log.causes()
            .into_iter()
            .find(|cause| cause.summary.contains("violates PodSecurity"))
    })
    .await;
    assert!(
        cause
            .hints
            .iter()
            .any(|hint| hint.contains("pod-security.kubernetes.io/enforce=baseline")),
        "{cause:?}"
    );
    drop(install);
    session.close().await;
    session.remove(&RemovalScope::Purge, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_in_the_way_is_named() {
    plain_node().await;
    let mesh = cluster().namespace("webhook").await;
    let name = format!("kept-guard-{mesh}");
    let webhook = json!({ "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": { "name": name },
        "webhooks": [{ "name": "guard.example.com", "failurePolicy": "Fail", "sideEffects": "None",
            "timeoutSeconds": 1, "admissionReviewVersions": ["v1"], "clientConfig": { "url": "https://127.0.0.1:1/" },
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": mesh } },
            "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }] }] });
    let webhooks = api(ObjectKind::named("ValidatingWebhookConfiguration").unwrap(), "");
    let object: DynamicObject = serde_json::from_value(webhook).unwrap();
    webhooks
        .create(&kube::api::PostParams::default(), &object)
        .await
        .unwrap();
    let (session, log) = session(&mesh).await;
    let desired = desired(&mesh, "plain");
    let options = InstallOptions::default();
    let mut install = Box::pin(session.install(&desired, facts(), &options));
    let expected =
        format!("webhook guard.example.com of ValidatingWebhookConfiguration {name} is in the way");
    let cause = wait_for("the webhook to be told", async || {
        let step = tokio::time::timeout(Duration::from_millis(100), &mut install).await;
        assert!(step.is_err(), "{step:?}");
        log.causes()
            .into_iter()
            .find(|cause| cause.summary.starts_with(&expected))
    })
    .await;
    assert!(
        cause.hints[0].contains(&format!("kubectl delete validatingwebhookconfiguration {name}")),
        "{cause:?}"
    );
    webhooks.delete(&name, &DeleteParams::default()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(90), install)
        .await
        .expect("it goes on")
        .unwrap();
    session.close().await;
    session.remove(&RemovalScope::Purge, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn images_and_crash_loops_are_told_in_plain_words() {
    plain_node().await;
    let mesh = "mesh-broken";
    let manual = with_deployment(desired(mesh, "plain"), |deployment| {
        deployment["spec"]["template"]["metadata"]["annotations"] = json!({ "meshctl.dev/status": "manual" });
    });
    let (session, log) = session(mesh).await;
    let options = InstallOptions::default();
    let mut install = Box::pin(session.install(&manual, facts(), &options));
    let pods: Api<Pod> = Api::namespaced(cluster().client(), mesh);
    let pod = wait_for("a pod on a node", async || {
        let step = tokio::time::timeout(Duration::from_millis(100), &mut install).await;
        assert!(step.is_err(), "{step:?}");
        let pods = pods.list(&ListParams::default()).await.ok()?;
        pods.items
            .into_iter()
            .find(|pod| pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some()))
    })
    .await
    .name_any();
    let set_status = async |container: Value| {
        let status = json!({ "status": { "phase": "Pending", "containerStatuses": [container] } });
        pods.patch_status(&pod, &PatchParams::default(), &Patch::Merge(status))
            .await
            .unwrap();
    };
    let mut told = async |what: &str| -> Cause {
        wait_for(what, async || {
            let step = tokio::time::timeout(Duration::from_millis(100), &mut install).await;
            assert!(step.is_err(), "{step:?}");
            log.causes()
                .into_iter()
                .find(|cause| cause.summary.contains(what))
        })
        .await
    };
    set_status(json!({ "name": "discovery", "image": "istio/pilot:1", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "waiting": { "reason": "ImagePullBackOff", "message": "manifest unknown" } } }))
    .await;
    told("container discovery cannot pull istio/pilot:1: manifest unknown").await;
    set_status(json!({ "name": "discovery", "image": "istio/pilot:1", "imageID": "", "ready": false, "restartCount": 4,
        "state": { "waiting": { "reason": "CrashLoopBackOff" } },
        "lastState": { "terminated": { "exitCode": 255, "reason": "Error" } } }))
    .await;
    let cause = told("ends with exit code 255 again and again, 4 times so far").await;
    assert!(cause.detail[0].contains("log"), "{cause:?}");
    // What can never run is not waited for.
    set_status(
        json!({ "name": "discovery", "image": "!", "imageID": "", "ready": false, "restartCount": 0,
        "state": { "waiting": { "reason": "InvalidImageName" } } }),
    )
    .await;
    let result = tokio::time::timeout(Duration::from_secs(20), install)
        .await
        .expect("it ends");
    assert!(matches!(result, Err(EngineError::Hopeless { .. })), "{result:?}");
    session.close().await;
    session.remove(&RemovalScope::Purge, None).await.unwrap();
    assert_eq!(all_objects(mesh).await, BTreeSet::new());
}

/// The work can be given to another thread, as controllers do.
#[tokio::test]
async fn work_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let (session, _) = session("mesh-send").await;
    let desired = desired("mesh-send", "plain");
    let options = InstallOptions::default();
    is_send(&session.install(&desired, facts(), &options));
    is_send(&session.remove(&RemovalScope::Purge, None));
    is_send(&session.verify(&[], "default"));
}
