//! `meshctl verify`, `rollback`, `uninstall` and `tag` against a real control plane.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kube::ResourceExt;
use kube::api::{
    Api, ApiResource, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use mesh_core::cluster::{Cluster, ConnectOptions};
use mesh_install::engine::{InstallOptions, Session};
use mesh_install::object::{KINDS, ObjectKind};
use mesh_install::plan::{Desired, Part};
use mesh_install::state::EntryFacts;
use mesh_install::tag::default_validator;
use serde_json::{Value, json};
use test_cluster::{Node, TestCluster, wait_for};

use crate::harness::{Output, Project};

/// A cluster with one node.
pub(crate) fn cluster() -> &'static TestCluster {
    static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| TestCluster::start().unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) async fn node() {
    static MADE: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    let make = async || {
        cluster()
            .add_node(Node::new("worker").label("test", "plain"))
            .await;
    };
    MADE.get_or_init(make).await;
}

pub(crate) fn meshctl<'a>(kubeconfig: &'a Path, args: impl IntoIterator<Item = &'a str>) -> Output {
    let kubeconfig = kubeconfig.to_str().expect("a path in UTF-8");
    Project::new().run(args.into_iter().chain(["--kubeconfig", kubeconfig]))
}

pub(crate) fn on_mesh(mesh: &str, args: &[&str]) -> Output {
    meshctl(
        cluster().kubeconfig(),
        args.iter().copied().chain(["--istio-namespace", mesh]),
    )
}

pub(crate) fn api(kind: &str, namespace: &str) -> Api<DynamicObject> {
    let kind = ObjectKind::named(kind).expect("a known kind");
    let resource = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(kind.group, kind.version, kind.kind),
        kind.plural,
    );
    if namespace.is_empty() {
        Api::all_with(cluster().client(), &resource)
    } else {
        Api::namespaced_with(cluster().client(), namespace, &resource)
    }
}

/// What is there that has to do with a mesh.
pub(crate) async fn objects_of(mesh: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let lease = GroupVersionKind::gvk("coordination.k8s.io", "v1", "Lease");
    let leases: Api<DynamicObject> = Api::all_with(
        cluster().client(),
        &ApiResource::from_gvk_with_plural(&lease, "leases"),
    );
    for lease in leases.list(&ListParams::default()).await.expect("leases") {
        if lease.namespace().as_deref() == Some(mesh) {
            found.insert(format!("Lease {}", lease.name_any()));
        }
    }
    for kind in KINDS {
        let Ok(list) = api(kind.kind, "").list(&ListParams::default()).await else {
            continue; // No such kind.
        };
        for object in list {
            let namespace = object.namespace().unwrap_or_default();
            let owners = object.owner_references();
            if owners.iter().any(|owner| owner.controller == Some(true)) {
                continue; // A controller made it, and takes it away.
            }
            if namespace == mesh || object.name_any().contains(mesh) {
                found.insert(format!("{} {}", kind.kind, object.name_any()));
            }
        }
    }
    found
}

/// The objects of a small mesh of a version, whose pods go to nodes with a label.
pub(crate) fn mesh_objects(mesh: &str, revision: &str, version: &str, nodes: &str) -> Vec<Value> {
    let suffix = if revision == "default" {
        String::new()
    } else {
        format!("-{revision}")
    };
    let istiod = format!("istiod{suffix}");
    let injector = format!("istio-sidecar-injector{suffix}-{mesh}");
    let labels = json!({ "app": "istiod", "istio.io/rev": revision, "sidecar.istio.io/inject": "false" });
    let admission = "admissionregistration.k8s.io/v1";
    vec![
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": istiod } }),
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": istiod, "labels": labels },
            "spec": { "selector": { "matchLabels": labels }, "template": { "metadata": { "labels": labels },
                "spec": { "nodeSelector": { "test": nodes }, "containers": [{ "name": "discovery", "image": format!("istio/pilot:{version}") }] } } } }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": istiod },
            "spec": { "selector": labels, "ports": [{ "name": "https", "port": 443 }] } }),
        json!({ "apiVersion": admission, "kind": "MutatingWebhookConfiguration", "metadata": { "name": injector },
            "webhooks": [{ "name": "namespace.sidecar-injector.istio.io", "sideEffects": "None",
                "failurePolicy": "Fail", "admissionReviewVersions": ["v1"],
                "clientConfig": { "service": { "name": istiod, "namespace": mesh, "path": "/inject" } },
                "namespaceSelector": { "matchLabels": { "test": mesh } },
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }] }] }),
        json!({ "apiVersion": admission, "kind": "ValidatingWebhookConfiguration",
            "metadata": { "name": format!("istio-validator{suffix}-{mesh}") },
            "webhooks": [{ "name": "rev.validation.istio.io", "sideEffects": "None", "failurePolicy": "Ignore",
                "admissionReviewVersions": ["v1"], "rules": [],
                "clientConfig": { "service": { "name": istiod, "namespace": mesh, "path": "/validate" } } }] }),
    ]
}

/// Installs a small mesh of a version.
async fn install(mesh: &str, revision: &str, version: &str) {
    let objects = mesh_objects(mesh, revision, version, "plain");
    install_objects(mesh, revision, version, objects).await;
}

/// Installs objects as a mesh of a version.
async fn install_objects(mesh: &str, revision: &str, version: &str, objects: Vec<Value>) {
    node().await;
    let part = Part {
        name: "istiod".to_owned(),
        wave: 1,
        objects,
    };
    let desired = Desired::new(mesh, revision, vec![part]).expect("objects");
    let options = ConnectOptions {
        kubeconfig: Some(cluster().kubeconfig().to_owned()),
        ..ConnectOptions::default()
    };
    let connected = Cluster::connect(&options).await.expect("a cluster");
    let session = Session::new(connected, mesh, Arc::new(|_| ()));
    let facts = EntryFacts {
        started: "2026-01-01T00:00:00Z".to_owned(),
        action: "install".to_owned(),
        version: Some(version.to_owned()),
        ..EntryFacts::default()
    };
    let options = InstallOptions::default();
    let work = session.install(&desired, facts, &options);
    let installed = tokio::time::timeout(Duration::from_mins(1), work).await;
    installed.expect("in time").expect("it is installed");
    session.close().await;
}

async fn image(mesh: &str) -> String {
    let istiod = api("Deployment", mesh).get("istiod").await.expect("istiod");
    let image = &istiod.data["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().expect("an image").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_told_and_undone_and_earlier_installations_come_back() {
    let mesh = "cli-history";
    let nothing = on_mesh(mesh, &["verify"]);
    assert_eq!(nothing.status, Some(2), "{nothing}");
    assert!(
        nothing
            .stderr
            .contains("meshctl has installed nothing in namespace cli-history"),
        "{nothing}"
    );
    install(mesh, "default", "1.29.1").await;
    let clean = on_mesh(mesh, &["verify"]);
    insta::assert_snapshot!(clean, @r"
    status: 0
    -- stdout --
    revision default (1.29.1) in cli-history
      5 objects as installed
    -- stderr --
    ");
    let first = on_mesh(mesh, &["rollback", "-y"]);
    assert_eq!(first.status, Some(2), "{first}");
    assert!(
        first
            .stderr
            .contains("there is no earlier installation to go back to"),
        "{first}"
    );

    install(mesh, "default", "1.30.0").await;
    // What istiod writes does not count, what a person does does.
    let validator = format!("istio-validator-{mesh}");
    let validators = api("ValidatingWebhookConfiguration", "");
    let mut written = validators.get(&validator).await.expect("a validator");
    written.data["webhooks"][0]["failurePolicy"] = json!("Fail");
    let replaced = validators
        .replace(&validator, &PostParams::default(), &written)
        .await;
    replaced.expect("it is replaced");
    let by_person = PatchParams {
        field_manager: Some("kubectl-edit".to_owned()),
        ..PatchParams::default()
    };
    let more = json!({ "spec": { "replicas": 2 } });
    let patched = api("Deployment", mesh)
        .patch("istiod", &by_person, &Patch::Merge(more))
        .await;
    patched.expect("a patch");
    // Nobody has said how many replicas.
    wait_for("both pods to run", async || {
        let verified = on_mesh(mesh, &["verify"]);
        (verified.status == Some(0)).then_some(())
    })
    .await;
    let labels = json!({ "spec": { "selector": { "app": "other" } } });
    let patched = api("Service", mesh)
        .patch("istiod", &by_person, &Patch::Merge(labels))
        .await;
    patched.expect("a patch");
    let drifted = on_mesh(mesh, &["verify", "-o", "json"]);
    assert_eq!(drifted.status, Some(1), "{drifted}");
    let drifts = &drifted.json()["revisions"][0]["drifts"];
    assert_eq!(drifts.as_array().map(Vec::len), Some(1), "{drifts}");
    assert_eq!(drifts[0]["name"], "istiod");
    assert_eq!(drifts[0]["managers"], json!(["kubectl-edit"]));

    let list = on_mesh(mesh, &["rollback", "--list"]);
    assert!(
        list.stdout.contains("1.29.1") && list.stdout.contains("1.30.0"),
        "{list}"
    );
    let refused = on_mesh(mesh, &["rollback", "-y"]);
    assert_eq!(refused.status, Some(2), "{refused}");
    assert!(refused.stderr.contains("was set by kubectl-edit"), "{refused}");
    let unasked = on_mesh(mesh, &["rollback", "--force-conflicts"]);
    assert!(unasked.stderr.contains("nobody can be asked"), "{unasked}");
    let plan = on_mesh(mesh, &["rollback", "--force-conflicts", "--dry-run", "--diff"]);
    assert_eq!(plan.status, Some(0), "{plan}");
    assert!(
        plan.stdout.contains("~ Deployment cli-history/istiod: its 2 pods are replaced\n    spec.template.spec.containers[discovery].image: istio/pilot:1.30.0 -> istio/pilot:1.29.1"),
        "{plan}"
    );
    assert!(
        plan.stdout.contains("\n+        image: istio/pilot:1.29.1"),
        "{plan}"
    );
    assert_eq!(image(mesh).await, "istio/pilot:1.30.0");
    let done = on_mesh(mesh, &["rollback", "--force-conflicts", "-y"]);
    assert_eq!(done.status, Some(0), "{done}");
    assert_eq!(image(mesh).await, "istio/pilot:1.29.1");
    // Forward again, by number.
    let done = on_mesh(mesh, &["rollback", "2", "-y", "-o", "json"]);
    assert_eq!(done.status, Some(0), "{done}");
    let events: Vec<Value> = done
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(events[0]["event"], "plan");
    assert_eq!(events.last().map(|event| &event["event"]), Some(&json!("done")));
    assert_eq!(image(mesh).await, "istio/pilot:1.30.0");
    // What is missing or changed is put back by the number of what is installed.
    let services = api("Service", mesh);
    let deleted = services
        .delete("istiod", &kube::api::DeleteParams::default())
        .await;
    deleted.expect("it is deleted");
    let drifted = on_mesh(mesh, &["verify"]);
    assert!(
        drifted.stdout.ends_with(
            "  Service cli-history/istiod is missing\n  \
             hint: to put it back, `meshctl rollback 4 --force-conflicts --istio-namespace cli-history`\n"
        ),
        "{drifted}"
    );
    let done = on_mesh(mesh, &["rollback", "4", "--force-conflicts", "-y"]);
    assert_eq!(done.status, Some(0), "{done}");
    let clean = on_mesh(mesh, &["verify"]);
    assert_eq!(clean.status, Some(0), "{clean}");

    let plan = on_mesh(mesh, &["uninstall", "--dry-run"]);
    assert!(
        plan.stdout
            .contains("- MutatingWebhookConfiguration istio-sidecar-injector-cli-history: new pods"),
        "{plan}"
    );
    let wrong = on_mesh(mesh, &["uninstall", "--revision=canary", "-y"]);
    assert!(
        wrong
            .stderr
            .contains("revision canary is not installed in cli-history"),
        "{wrong}"
    );
    let gone = on_mesh(mesh, &["uninstall", "-y"]);
    assert_eq!(gone.status, Some(0), "{gone}");
    assert_eq!(objects_of(mesh).await, BTreeSet::new(), "{gone}");
    let again = on_mesh(mesh, &["uninstall", "-y"]);
    assert_eq!(again.status, Some(0), "{again}");
    assert!(
        again.stderr.contains("nothing is installed in cli-history"),
        "{again}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn tags_lead_to_revisions_and_go_with_them() {
    let mesh = "cli-tags";
    install(mesh, "default", "1.29.1").await;
    install(mesh, "canary", "1.30.0").await;
    let set = |args: &[&str]| on_mesh(mesh, &[&["tag", "set"], args].concat());
    let unknown = set(&["prod", "--revision=nope"]);
    assert_eq!(unknown.status, Some(2), "{unknown}");
    assert!(unknown.stderr.contains("there are: canary, default"), "{unknown}");
    let taken = set(&["canary", "--revision=default"]);
    assert!(
        taken.stderr.contains("canary is the name of a revision"),
        "{taken}"
    );
    // What would be set comes as documents, for programs in one line.
    let text = set(&["prod", "--revision=canary", "--dry-run"]);
    assert!(text.stdout.starts_with("+ tag prod: canary\n---\n"), "{text}");
    assert_eq!(text.stdout.matches("\n---\napiVersion: ").count(), 2, "{text}");
    let plan = set(&["prod", "--revision=canary", "--dry-run", "-o", "json"]).json();
    assert_eq!(
        (&plan["event"], &plan["before"], &plan["objects"][1]["kind"]),
        (&json!("plan"), &Value::Null, &json!("Service"))
    );
    let done = set(&["prod", "--revision=canary", "-o", "json"]);
    assert_eq!(done.status, Some(0), "{done}");
    let last = done.stdout.lines().last().unwrap_or_default();
    assert_eq!(last, r#"{"event":"done","action":"tag set"}"#, "{done}");
    let moved = set(&["prod", "--revision=default"]);
    assert!(
        moved
            .stderr
            .contains("the tag prod leads to revision canary already"),
        "{moved}"
    );

    // The default tag takes over from the revision without a name, and an upgrade of that does not take it back.
    let injector = async || {
        let name = format!("istio-sidecar-injector-{mesh}");
        let injector = api("MutatingWebhookConfiguration", "")
            .get(&name)
            .await
            .expect("an injector");
        injector.data["webhooks"][0]["namespaceSelector"].clone()
    };
    assert_eq!(set(&["default", "--revision=canary"]).status, Some(0));
    let switched_off = injector().await;
    assert_eq!(switched_off["matchLabels"]["istio.io/deactivated"], "never-match");
    let mut objects = mesh_objects(mesh, "default", "1.29.2", "plain");
    objects.push(default_validator(mesh, "default", &objects[4]));
    install_objects(mesh, "default", "1.29.2", objects).await;
    assert_eq!(injector().await, switched_off);
    // So it does from what checks configuration that names no revision.
    let name = format!("istiod-default-validator-{mesh}");
    let checked_by = async || {
        let validator = api("ValidatingWebhookConfiguration", "").get(&name).await;
        let validator = validator.expect("a validator");
        validator.data["webhooks"][0]["clientConfig"]["service"]["name"].clone()
    };
    assert_eq!(checked_by().await, "istiod-canary");
    for change in [&["uninstall"][..], &["rollback"]] {
        let plan = on_mesh(mesh, &[change, &["--dry-run", "-o", "json"]].concat()).json();
        let objects = plan["objects"].as_array().expect("objects").iter();
        let going: Vec<_> = objects.filter(|object| object["action"] != "change").collect();
        assert!(
            going.iter().all(|object| object["name"] != name.as_str()),
            "{plan}"
        );
    }
    assert_eq!(
        on_mesh(mesh, &["verify"]).status,
        Some(0),
        "{}",
        on_mesh(mesh, &["verify"])
    );

    let kubeconfig = cluster().kubeconfig();
    let list = meshctl(kubeconfig, ["tag", "list", "-o", "json"]).json();
    let tags: Vec<_> = list
        .as_array()
        .expect("a list")
        .iter()
        .filter(|tag| tag["mesh"] == mesh)
        .collect();
    assert_eq!(tags.len(), 2);
    assert_eq!(
        (&tags[1]["tag"], &tags[1]["revision"]),
        (&json!("prod"), &json!("canary"))
    );

    // Those of another mesh are none of ours.
    let kubeconfig = cluster().kubeconfig();
    let wrong = meshctl(
        kubeconfig,
        ["tag", "remove", "prod", "-y", "--istio-namespace=default"],
    );
    assert_eq!(wrong.status, Some(2), "{wrong}");
    assert!(
        wrong.stderr.contains("there is no tag prod in default")
            && wrong
                .stderr
                .contains("`meshctl tag remove prod --istio-namespace cli-tags`"),
        "{wrong}"
    );
    // And so are those that something else has set.
    let injectors = api("MutatingWebhookConfiguration", "");
    let mut theirs = injectors
        .get("istio-revision-tag-prod-cli-tags")
        .await
        .expect("a tag");
    let metadata = json!({ "name": "theirs-cli-tags", "labels": { "istio.io/tag": "theirs" } });
    theirs.metadata = serde_json::from_value(metadata).expect("metadata");
    let made = injectors.create(&PostParams::default(), &theirs).await;
    made.expect("it is made");
    let foreign = on_mesh(mesh, &["tag", "remove", "theirs", "-y"]);
    assert_eq!(foreign.status, Some(2), "{foreign}");
    let said = "the tag theirs was not set by meshctl, and is left alone";
    assert!(foreign.stderr.contains(said), "{foreign}");
    let deleted = injectors
        .delete("theirs-cli-tags", &kube::api::DeleteParams::default())
        .await;
    deleted.expect("it is deleted");
    let both = [
        "tag",
        "set",
        "prod",
        "--revision=canary",
        "-y",
        "--istio-namespace=default",
    ];
    let both = meshctl(kubeconfig, both);
    let said = "the tag prod is there already, and of the mesh of namespace cli-tags";
    assert!(both.stderr.contains(said), "{both}");

    let verified = async || {
        let verified = on_mesh(mesh, &["verify"]);
        assert_eq!(verified.status, Some(0), "{verified}");
    };
    let removed = on_mesh(mesh, &["tag", "remove", "default", "-y", "-o", "json"]);
    assert_eq!(removed.status, Some(0), "{removed}");
    let mut lines = removed.stdout.lines();
    let removal: Value = serde_json::from_str(lines.next().unwrap_or_default()).expect("JSON");
    assert_eq!(removal["objects"].as_array().map(Vec::len), Some(2), "{removal}");
    let last = lines.last().unwrap_or_default();
    assert_eq!(last, r#"{"event":"done","action":"tag remove"}"#, "{removed}");
    assert_eq!(injector().await["matchLabels"]["test"], mesh);
    assert_eq!(checked_by().await, "istiod");
    verified().await;
    // A revision takes its tags along, and plain namespaces do not lose their injector.
    assert_eq!(set(&["default", "--revision=canary"]).status, Some(0));
    assert_eq!(injector().await, switched_off);
    verified().await;
    assert_eq!(
        on_mesh(mesh, &["uninstall", "--revision=canary", "-y"]).status,
        Some(0)
    );
    let left = objects_of(mesh).await;
    assert!(
        !left.iter().any(|object| object.contains("revision-tag")),
        "{left:?}"
    );
    assert!(left.contains("Deployment istiod"), "{left:?}");
    assert_eq!(injector().await["matchLabels"]["test"], mesh);
    assert_eq!(checked_by().await, "istiod");
    verified().await;
    assert_eq!(on_mesh(mesh, &["uninstall", "--purge", "-y"]).status, Some(0));
    assert_eq!(objects_of(mesh).await, BTreeSet::new());
}
