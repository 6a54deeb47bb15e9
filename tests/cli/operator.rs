//! `meshctl operator` against a real control plane: processes with exactly the rights that `init` gives.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, ServiceAccount};
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::core::ObjectList;
use kube::{Api, Client, ResourceExt};
use mesh_install::object::{FIELD_MANAGER, KINDS, LEASE, OWNER_LABEL, ObjectKind, is_made_for_another};
use serde_json::{Value, json};
use test_cluster::{Access, Node, TestCluster, wait_for};

use crate::harness::Project;
use crate::installer::meshctl;
use crate::service::Service;

/// How many random changes of objects are made; `MESHCTL_OPERATOR_EDITS` makes it another number.
const EDITS: usize = 20;

/// How many of them are made before they must be repaired.
const AT_ONCE: usize = 20;

/// Time after which the operators of these tests look at everything.
const RESYNC: &str = "3s";

/// Where the operator may not go.
const ELSEWHERE: &str = "elsewhere";

/// `meshctl operator run` for some namespaces.
fn start(kubeconfig: &Path, watched: &str) -> Service {
    let args = [
        "--verbose",
        "operator",
        "run",
        "--watchedNamespaces",
        watched,
        "--listen",
        "127.0.0.1:0",
        "--resync",
        RESYNC,
        "--kubeconfig",
        kubeconfig.to_str().expect("a path in UTF-8"),
    ];
    Service::start(&Project::new(), args)
}

fn api(client: &Client, kind: &ObjectKind, namespace: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(kind.group, kind.version, kind.kind),
        kind.plural,
    );
    match namespace {
        "" => Api::all_with(client.clone(), &resource),
        namespace => Api::namespaced_with(client.clone(), namespace, &resource),
    }
}

fn planes(client: &Client, namespace: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("install.meshctl.dev", "v1alpha1", "MeshControlPlane");
    let resource = ApiResource::from_gvk_with_plural(&kind, "meshcontrolplanes");
    Api::namespaced_with(client.clone(), namespace, &resource)
}

fn plane(name: &str, spec: &Value) -> DynamicObject {
    let object = json!({
        "apiVersion": "install.meshctl.dev/v1alpha1",
        "kind": "MeshControlPlane",
        "metadata": { "name": name },
        "spec": spec,
    });
    serde_json::from_value(object).expect("an object")
}

fn small() -> Value {
    requesting("10m")
}

/// A control plane that requests as much CPU.
fn requesting(cpu: &str) -> Value {
    json!({
        "profile": "minimal",
        "components": { "pilot": { "k8s": { "resources": { "requests": { "cpu": cpu, "memory": "10Mi" } } } } },
    })
}

/// Changes the specification of a `MeshControlPlane`.
async fn change(planes: &Api<DynamicObject>, name: &str, spec: &Value) {
    let patch = Patch::Merge(json!({ "spec": spec }));
    let patched = planes.patch(name, &PatchParams::default(), &patch).await;
    patched.expect("it is there");
}

/// Waits for a condition of a `MeshControlPlane` that is true for a reason, and returns its message.
async fn wait_for_reason(planes: &Api<DynamicObject>, name: &str, type_: &str, reason: &str) -> String {
    let told = wait_for(format_args!("{name} to be {type_} ({reason})"), async || {
        let told = condition(planes, name, type_).await?;
        (told["status"] == "True" && told["reason"] == reason).then_some(told)
    })
    .await;
    told["message"].as_str().expect("a text").to_owned()
}

/// A condition of a `MeshControlPlane`.
async fn condition(planes: &Api<DynamicObject>, name: &str, condition: &str) -> Option<Value> {
    let plane = planes.get(name).await.ok()?;
    let conditions = plane.data["status"]["conditions"].as_array()?.iter();
    conditions
        .into_iter()
        .find(|found| found["type"] == condition)
        .cloned()
}

async fn wait_until_ready(planes: &Api<DynamicObject>, name: &str) {
    wait_for(format_args!("{name} to be ready"), async || {
        let ready = condition(planes, name, "Ready").await?;
        (ready["status"] == "True").then_some(())
    })
    .await;
}

/// What an object is, without what the API server and controllers say about it.
fn essence(object: &DynamicObject) -> Value {
    let mut tree = json!(object);
    let labels = tree["metadata"]["labels"].clone();
    tree["metadata"] = json!({ "labels": labels });
    if let Some(fields) = tree.as_object_mut() {
        fields.remove("status");
        fields.remove("secrets");
    }
    if let Some(spec) = tree["spec"].as_object_mut() {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
    tree
}

/// All objects of a mesh but those that controllers make of others, by kind, namespace and name.
async fn objects_of(client: &Client, mesh: &str) -> BTreeMap<(&'static str, String, String), Value> {
    let mut found = BTreeMap::new();
    for kind in KINDS {
        let params =
            ListParams::default().labels(&format!("{OWNER_LABEL}={mesh},!install.meshctl.dev/state"));
        let Ok(list) = api(client, kind, "").list(&params).await else {
            continue; // No such kind.
        };
        for object in list {
            if !is_made_for_another(&json!(object)) {
                let key = (
                    kind.kind,
                    object.namespace().unwrap_or_default(),
                    object.name_any(),
                );
                found.insert(key, essence(&object));
            }
        }
    }
    found
}

/// The names of all objects of the cluster that an operator can have to do with.
async fn everything(client: &Client) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for kind in KINDS.iter().chain([&LEASE]) {
        let Ok(list) = api(client, kind, "").list_metadata(&ListParams::default()).await else {
            continue; // No such kind.
        };
        for object in list {
            let namespace = object.namespace().unwrap_or_default();
            if namespace != "kube-system" && namespace != "kube-node-lease" {
                found.insert(format!("{} {namespace}/{}", kind.kind, object.name_any()));
            }
        }
    }
    found
}

/// Numbers that look random, and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

/// A change of an object that takes something away from what it should be.
fn edit(kind: &str, object: &Value, numbers: &mut Numbers) -> Value {
    let first = |map: &Value| {
        let keys = map.as_object().into_iter().flatten();
        keys.map(|(key, _)| key.clone()).next()
    };
    match (kind, numbers.below(3)) {
        ("ConfigMap", 0 | 1) => json!({ "data": { (first(&object["data"]).expect("data")): "broken" } }),
        ("Deployment", 0 | 1) => {
            let mut spec = object["spec"]["template"]["spec"].clone();
            spec["containers"][0]["image"] = json!("example.com/other:1");
            json!({ "spec": { "template": { "spec": { "containers": spec["containers"] } } } })
        }
        ("Service", 0 | 1) => json!({ "spec": { "ports": [{ "name": "other", "port": 1234 }] } }),
        ("Role" | "ClusterRole", 0 | 1) => json!({ "rules": [] }),
        ("RoleBinding" | "ClusterRoleBinding", 0 | 1) => json!({ "subjects": [] }),
        ("HorizontalPodAutoscaler", 0 | 1) => json!({ "spec": { "maxReplicas": 77 } }),
        ("MutatingWebhookConfiguration", 0 | 1) => json!({ "webhooks": [] }),
        // Not even its owner can be told any more.
        (_, 2) => json!({ "metadata": { "labels": null } }),
        _ => json!({ "metadata": { "labels": { OWNER_LABEL: null, "app": "other" } } }),
    }
}

/// Changes and deletes objects at random, and waits each time until all is as it was.
async fn all_is_repaired(client: &Client, mesh: &str, operator: &Service) {
    let wanted = objects_of(client, mesh).await;
    assert!(wanted.len() > 20, "a whole control plane: {:?}", wanted.keys());
    let edits = std::env::var("MESHCTL_OPERATOR_EDITS").ok();
    let mut left = edits.and_then(|edits| edits.parse().ok()).unwrap_or(EDITS);
    let mut numbers = Numbers(7);
    while left > 0 {
        let mut objects: Vec<_> = wanted.keys().collect();
        for _ in 0..AT_ONCE.min(left) {
            let (kind, namespace, name) = objects.swap_remove(numbers.below(objects.len()));
            let known = ObjectKind::named(kind).expect("a known kind");
            let api = api(client, known, namespace);
            if numbers.below(2) == 0 {
                let deleted = api.delete(name, &DeleteParams::default()).await;
                deleted.unwrap_or_else(|error| panic!("{kind} {name}: {error}"));
            } else {
                let patch = edit(
                    kind,
                    &wanted[&(*kind, namespace.clone(), name.clone())],
                    &mut numbers,
                );
                let params = PatchParams {
                    field_manager: Some("somebody".to_owned()),
                    ..PatchParams::default()
                };
                let patched = api.patch(name, &params, &Patch::Merge(&patch)).await;
                patched.unwrap_or_else(|error| panic!("{kind} {name} {patch}: {error}"));
            }
            left -= 1;
        }
        let end = Instant::now() + Duration::from_mins(3);
        loop {
            let found = objects_of(client, mesh).await;
            let wrong: Vec<_> = wanted
                .iter()
                .filter(|(object, as_it_was)| found.get(object) != Some(as_it_was))
                .map(|(object, as_it_was)| format!("{object:?}: {as_it_was} -> {:?}", found.get(object)))
                .chain(
                    found
                        .keys()
                        .filter(|object| !wanted.contains_key(object))
                        .map(|object| format!("{object:?} is new")),
                )
                .collect();
            if wrong.is_empty() {
                break;
            }
            if Instant::now() >= end {
                let plane = planes(client, mesh).get("mesh").await.expect("it is there");
                let (seen, status) = (operator.seen(), &plane.data["status"]);
                panic!("not repaired: {}\n{seen}\n{status:#}", wrong.join("\n"));
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

/// What an account may do, as the API server sees it.
async fn may(client: &Client, user: &str, verb: &str, group: &str, resource: &str, namespace: &str) -> bool {
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let (_, owner) = user.rsplit_once(':').expect("an account");
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: Some(user.to_owned()),
            groups: Some(vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{owner}"),
                "system:authenticated".to_owned(),
            ]),
            resource_attributes: Some(ResourceAttributes {
                verb: Some(verb.to_owned()),
                group: Some(group.to_owned()),
                resource: Some(resource.to_owned()),
                subresource: Some(subresource.to_owned()),
                namespace: Some(namespace.to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let review = reviews
        .create(&PostParams::default(), &review)
        .await
        .expect("a review");
    review.status.expect("an answer").allowed
}

/// Neither the rules nor the API server let the operator into a namespace.
async fn is_kept_out(admin: &Client, operator: &Client) {
    let user = "system:serviceaccount:meshctl-operator:meshctl-operator";
    let others = [
        ("", "pods"),
        ("", "pods/log"),
        ("", "events"),
        ("events.k8s.io", "events"),
        ("coordination.k8s.io", "leases"),
        ("apps", "replicasets"),
        ("install.meshctl.dev", "meshcontrolplanes"),
        ("install.meshctl.dev", "meshcontrolplanes/status"),
    ];
    let kinds = KINDS.iter().filter(|kind| kind.namespaced);
    for (group, resource) in kinds.map(|kind| (kind.group, kind.plural)).chain(others) {
        for verb in [
            "get", "list", "watch", "create", "update", "patch", "delete", "escalate", "bind",
        ] {
            let allowed = may(admin, user, verb, group, resource, ELSEWHERE).await;
            assert!(!allowed, "{verb} {resource}.{group}");
        }
    }
    assert!(
        may(admin, user, "list", "", "secrets", "mesh-a").await,
        "reviews are asked rightly"
    );
    assert!(!may(admin, user, "list", "", "secrets", "").await);
    for kind in KINDS
        .iter()
        .filter(|kind| kind.namespaced && kind.group != "k8s.cni.cncf.io")
    {
        let error = api(operator, kind, ELSEWHERE).list(&ListParams::default()).await;
        let error = error.expect_err("nothing can be read");
        assert!(
            matches!(&error, kube::Error::Api(status) if status.code == 403),
            "{}: {error}",
            kind.kind
        );
    }
    let maps: Api<ConfigMap> = Api::namespaced(operator.clone(), ELSEWHERE);
    let map: ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "x" } })).expect("an object");
    let error = maps
        .create(&PostParams::default(), &map)
        .await
        .expect_err("nothing can be written");
    assert!(
        matches!(&error, kube::Error::Api(status) if status.code == 403),
        "{error}"
    );
}

/// What changes with every write, but not when a controller of the cluster writes how a workload is.
fn version(kind: &str, object: &DynamicObject) -> String {
    let resource_version = object.resource_version().unwrap_or_default();
    if object.data["status"].is_null() || kind == "MeshControlPlane" {
        return resource_version;
    }
    let ours = object.managed_fields().iter();
    let ours = ours.filter(|fields| fields.manager.as_deref() == Some(FIELD_MANAGER));
    let times: Vec<_> = ours.map(|fields| &fields.time).collect();
    format!("{:?} {times:?}", object.metadata.generation)
}

/// The versions of everything in a namespace that an operator can have to do with.
async fn versions(client: &Client, namespace: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |kind: &str, list: ObjectList<DynamicObject>| {
        for object in list {
            found.insert(format!("{kind} {}", object.name_any()), version(kind, &object));
        }
    };
    for kind in KINDS.iter().filter(|kind| kind.namespaced).chain([&LEASE]) {
        if let Ok(list) = api(client, kind, namespace).list(&ListParams::default()).await {
            add(kind.kind, list);
        }
    }
    let list = planes(client, namespace).list(&ListParams::default()).await;
    add("MeshControlPlane", list.expect("a list"));
    found
}

/// The versions of everything without a namespace that belongs to a mesh.
async fn shared_versions(client: &Client, mesh: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| !kind.namespaced) {
        let params = ListParams::default().labels(&format!("{OWNER_LABEL}={mesh}"));
        for object in api(client, kind, "").list(&params).await.expect("a list") {
            found.insert(
                format!("{} {}", kind.kind, object.name_any()),
                version(kind.kind, &object),
            );
        }
    }
    found
}

/// While nothing is to be done, everything is looked at several times without being written.
async fn nothing_is_written_without_need(client: &Client, operator: &Service) {
    let looks = || {
        let metrics = operator.get("/metrics").1;
        let line = metrics
            .lines()
            .find_map(|line| line.strip_prefix("meshctl_operator_reconciles_total{result=\"unchanged\"} "));
        line.and_then(|count| count.parse::<u64>().ok())
            .expect("a number")
    };
    let all = async || {
        (
            versions(client, "mesh-a").await,
            shared_versions(client, "mesh-a").await,
        )
    };
    // What others write of what was done just now is of no interest.
    let settled = looks() + 1;
    wait_for("a look", async || (looks() >= settled).then_some(())).await;
    let (before, begun) = (all().await, looks());
    assert!(before.0.len() > 15 && before.1.len() > 15, "{before:?}");
    wait_for("two looks at everything", async || {
        (looks() >= begun + 2).then_some(())
    })
    .await;
    assert_eq!(all().await, before);
}

/// The operator's account, as its pod has it.
async fn account(cluster: &TestCluster) -> Access {
    let accounts: Api<ServiceAccount> = Api::namespaced(cluster.client(), "meshctl-operator");
    let request = TokenRequest {
        spec: Some(TokenRequestSpec::default()),
        ..TokenRequest::default()
    };
    let token = accounts
        .create_token_request("meshctl-operator", &PostParams::default(), &request)
        .await
        .expect("a token");
    let token = token.status.and_then(|status| status.token);
    cluster.admin().token(token.expect("a token"))
}

async fn create(planes: &Api<DynamicObject>, name: &str, spec: &Value) {
    planes
        .create(&PostParams::default(), &plane(name, spec))
        .await
        .expect("it is created");
}

async fn delete(planes: &Api<DynamicObject>, name: &str) {
    planes
        .delete(name, &DeleteParams::default())
        .await
        .expect("it is there");
    wait_for(format_args!("{name} to go"), async || {
        planes.get(name).await.is_err().then_some(())
    })
    .await;
}

/// Waits until somebody else has made the objects that are in every namespace.
async fn wait_until_complete(client: &Client, namespace: &str) {
    wait_for(format_args!("{namespace} to be complete"), async || {
        let found = versions(client, namespace).await;
        let is_there = |object| found.contains_key(object);
        (is_there("ConfigMap kube-root-ca.crt") && is_there("ServiceAccount default")).then_some(())
    })
    .await;
}

/// What cannot be is said in conditions and events, with the field.
async fn mistakes_are_told(client: &Client, planes: &Api<DynamicObject>, operator: &Service) {
    let gateway = json!({ "name": "gw", "enabled": true, "namespace": ELSEWHERE });
    for (name, spec, reason, expected) in [
        (
            "younger",
            small(),
            "RevisionTaken",
            "is described by the older MeshControlPlane mesh",
        ),
        (
            "wrong",
            json!({ "revision": "canary", "profile": "defautl" }),
            "InvalidSpec",
            "spec.profile: there is no profile `defautl`",
        ),
        (
            "away",
            json!({ "revision": "canary", "namespace": ELSEWHERE }),
            "InvalidSpec",
            "spec.namespace: ",
        ),
        (
            "out",
            json!({ "revision": "canary", "components": { "ingressGateways": [gateway] } }),
            "NamespaceNotWatched",
            "`meshctl operator init --watched-namespaces`",
        ),
    ] {
        create(planes, name, &spec).await;
        let told = wait_for(format_args!("{name} to be refused"), async || {
            condition(planes, name, "Degraded")
                .await
                .filter(|told| told["status"] == "True")
        })
        .await;
        assert_eq!(told["reason"], reason);
        assert_eq!(told["observedGeneration"], 1);
        let message = told["message"].as_str().expect("a text");
        assert!(message.contains(expected), "{message}");
        wait_for(format_args!("an event of {name}"), async || {
            let found = events(client, name).await;
            found
                .iter()
                .any(|(event, text)| event == reason && text.contains(expected))
                .then_some(())
        })
        .await;
        delete(planes, name).await;
        // It was told once, however often it was tried.
        assert_eq!(events(client, name).await.len(), 1, "{name}");
    }
    // Nobody removed anything, but all of them are gone.
    wait_for("metrics without them", async || {
        let metrics = operator.get("/metrics").1;
        let mut lines = metrics.lines();
        lines
            .any(|line| line == "meshctl_operator_control_planes{ready=\"false\"} 0")
            .then_some(())
    })
    .await;
}

/// A control plane keeps the revision with which it began, and takes no other one's with it when it goes.
async fn revisions_stay_whose_they_are(client: &Client, planes: &Api<DynamicObject>) {
    let services = api(client, ObjectKind::named("Service").expect("known"), "mesh-b");
    let before = services.get("istiod").await.expect("it is there");
    // `init` did not list it.
    create(planes, "second", &json!({ "revision": "other" })).await;
    let message = wait_for_reason(planes, "second", "Degraded", "Failed").await;
    assert!(message.contains("-other-"), "{message}");
    let second = planes.get("second").await.expect("it is there");
    assert_eq!(second.data["status"]["revision"], "other");
    for (revision, reason) in [("canary", "RevisionChanged"), ("", "RevisionTaken")] {
        change(planes, "second", &json!({ "revision": revision })).await;
        wait_for_reason(planes, "second", "Degraded", reason).await;
    }
    delete(planes, "second").await;
    let after = services.get("istiod").await.expect("it is still there");
    assert_eq!(after.uid(), before.uid());
}

/// Reasons and notes of the events of a `MeshControlPlane`.
async fn events(client: &Client, name: &str) -> Vec<(String, String)> {
    let api: Api<Event> = Api::namespaced(client.clone(), "mesh-a");
    let events = api.list(&ListParams::default()).await.expect("events");
    let of = events
        .into_iter()
        .filter(|event| event.involved_object.name.as_deref() == Some(name));
    of.map(|event| {
        (
            event.reason.unwrap_or_default(),
            event.message.unwrap_or_default(),
        )
    })
    .collect()
}

/// Waits for an event of the `MeshControlPlane` `mesh`, with a note that is as expected.
async fn is_announced(client: &Client, reason: &str, is_expected: impl Fn(&str) -> bool) {
    wait_for(format_args!("the event {reason}"), async || {
        let told = events(client, "mesh").await;
        let mut of_the_reason = told.iter().filter(|(event, _)| event == reason);
        of_the_reason.any(|(_, note)| is_expected(note)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn control_planes_are_kept_as_they_are_described() {
    let cluster = TestCluster::start().unwrap_or_else(|error| panic!("{error}"));
    let admin = cluster.client();
    let watched = "mesh-a,mesh-b";
    let init = |more: &[&'static str]| {
        let args = ["operator", "init", "--yes", "--watched-namespaces", watched];
        let args = args.into_iter().chain(["--revision", "default,canary"]);
        meshctl(cluster.kubeconfig(), args.chain(more.iter().copied()))
    };

    // The operator is installed, and starts, with its own account.
    let stuck = init(&["--timeout", "2s"]);
    assert_eq!(stuck.status, Some(2));
    assert!(stuck.stderr.contains("`meshctl operator remove`"), "{stuck:?}");
    cluster
        .add_node(Node::new("worker").capacity("8", "32Gi", 110))
        .await;
    let done = init(&[]);
    assert_eq!(done.status, Some(0), "{done:?}");
    let access = account(&cluster).await;
    let first = start(&access.kubeconfig(), watched);
    first.wait_for("working");
    let second = start(&access.kubeconfig(), watched);
    second.wait_for("is the operator that works");
    assert_eq!(first.get("/healthz").0, 200);
    assert_eq!(second.get("/readyz").0, 200);

    // One is described where the operator looks, and one where it must not.
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    let namespace = serde_json::from_value(json!({ "metadata": { "name": ELSEWHERE } })).expect("an object");
    let made = namespaces.create(&PostParams::default(), &namespace).await;
    made.expect("a namespace");
    let (here, elsewhere) = (planes(&admin, "mesh-a"), planes(&admin, ELSEWHERE));
    create(&elsewhere, "mesh", &small()).await;
    for namespace in ["mesh-a", "mesh-b", ELSEWHERE] {
        wait_until_complete(&admin, namespace).await;
    }
    let (before, untouched) = (everything(&admin).await, versions(&admin, ELSEWHERE).await);
    create(&here, "mesh", &small()).await;
    wait_until_ready(&here, "mesh").await;
    let status = here.get("mesh").await.expect("it is there").data["status"].clone();
    assert_eq!(status["revision"], "default");
    assert_eq!(status["observedGeneration"], 1);

    // Whatever is done to it is undone, and nothing else.
    all_is_repaired(&admin, "mesh-a", &first).await;
    is_announced(&admin, "Installed", |note| note == "everything is as described").await;
    is_announced(&admin, "Repaired", |note| {
        note.contains(" made again, ") && note.contains(" changed back, ")
    })
    .await;
    let services = api(&admin, ObjectKind::named("Service").expect("known"), "mesh-a");
    let deleted = services.delete("istiod", &DeleteParams::default()).await;
    deleted.expect("it is there");
    // It is told with what was done, though something else was told shortly before.
    is_announced(&admin, "Repaired", |note| {
        note == "Service mesh-a/istiod made again"
    })
    .await;
    // So is what others add to its lists.
    let ports = async || services.get("istiod").await.expect("it is there").data["spec"]["ports"].clone();
    let expected = ports().await;
    let other = Patch::Merge(json!({"spec": {"ports": [{"name": "other", "port": 1234}]}}));
    let patched = services.patch("istiod", &PatchParams::default(), &other).await;
    patched.expect("it is there");
    wait_for("the ports", async || (ports().await == expected).then_some(())).await;
    nothing_is_written_without_need(&admin, &first).await;
    let metrics = first.get("/metrics").1;
    let is_told = |line: &str| metrics.lines().any(|told| told == line);
    assert!(is_told("meshctl_operator_leader 1"), "{metrics}");
    assert!(
        is_told("meshctl_operator_control_planes{ready=\"true\"} 1"),
        "{metrics}"
    );
    assert!(second.get("/metrics").1.contains("meshctl_operator_leader 0\n"));
    mistakes_are_told(&admin, &here, &first).await;

    // Pods that find no node are told of in the scheduler's words: the operator may not look at nodes.
    let beside = planes(&admin, "mesh-b");
    create(&beside, "mesh", &requesting("100")).await;
    let message = wait_for(format_args!("a pod without a node"), async || {
        let told = condition(&beside, "mesh", "Progressing").await?;
        let message = told["message"].as_str()?.to_owned();
        message.contains("no node takes the pod").then_some(message)
    })
    .await;
    assert!(message.contains("0/1 nodes are available"), "{message}");
    assert!(!message.contains("add nodes"), "{message}");
    change(&beside, "mesh", &small()).await;

    // Another process takes over from one that is gone, and from one that is stopped.
    first.kill();
    second.wait_for("working");
    let deleted = services.delete("istiod", &DeleteParams::default()).await;
    deleted.expect("it is there");
    wait_for("the Service", async || services.get("istiod").await.ok()).await;
    let third = start(&access.kubeconfig(), watched);
    third.wait_for("is the operator that works");
    assert!(second.stop().success());
    third.wait_for("working");

    // A mesh beside it uses the same definitions.
    wait_until_ready(&beside, "mesh").await;
    revisions_stay_whose_they_are(&admin, &beside).await;
    delete(&beside, "mesh").await;

    // Elsewhere nothing has happened or was tried, and nothing could.
    let metrics = third.get("/metrics").1;
    assert!(
        metrics.contains("meshctl_operator_troubles_total 0\n"),
        "{metrics}"
    );
    assert_eq!(versions(&admin, ELSEWHERE).await, untouched);
    is_kept_out(&admin, &access.client()).await;

    // All goes with what describes it, but definitions.
    delete(&here, "mesh").await;
    wait_for("everything else to be as before", async || {
        let mut now = everything(&admin).await;
        now.retain(|object| before.contains(object) || !object.ends_with(".istio.io"));
        (now == before).then_some(())
    })
    .await;
    assert!(third.stop().success());
    let leases = api(&admin, &LEASE, "meshctl-operator");
    let lease = leases.get_opt("meshctl-operator").await.expect("an answer");
    let holder = lease.map(|lease| lease.data["spec"]["holderIdentity"].clone());
    assert!(
        holder
            .as_ref()
            .is_none_or(|holder| holder.as_str().unwrap_or_default().is_empty()),
        "{holder:?}"
    );
    can_be_removed(&cluster, &access, &elsewhere).await;
}

/// The operator goes when nobody needs it any more, or when that does not matter.
async fn can_be_removed(cluster: &TestCluster, access: &Access, elsewhere: &Api<DynamicObject>) {
    let admin = cluster.client();
    let remove = |more: &[&'static str]| {
        let args = ["operator", "remove", "--yes"].into_iter();
        meshctl(cluster.kubeconfig(), args.chain(more.iter().copied()))
    };
    let refused = remove(&[]);
    assert_eq!(refused.status, Some(2));
    assert!(refused.stderr.contains("elsewhere/mesh"), "{}", refused.stderr);

    // With what it looks after.
    elsewhere
        .delete("mesh", &DeleteParams::default())
        .await
        .expect("it is there");
    let beside = planes(&admin, "mesh-b");
    create(&beside, "mesh", &small()).await;
    let operator = start(&access.kubeconfig(), "mesh-b");
    wait_until_ready(&beside, "mesh").await;
    let over = meshctl(
        cluster.kubeconfig(),
        ["install", "--yes", "--istio-namespace", "meshctl-operator"],
    );
    assert_eq!(over.status, Some(2), "{over:?}");
    assert!(
        over.stderr.contains("is the namespace of an operator"),
        "{over:?}"
    );
    let own = ["--operator-namespace", "mesh-b"];
    let over = meshctl(
        cluster.kubeconfig(),
        ["operator", "init", "--yes", "--watched-namespaces", "mesh-a"]
            .into_iter()
            .chain(own),
    );
    for refused in [over, remove(&["--force", own[0], own[1]])] {
        assert_eq!(refused.status, Some(2), "{refused:?}");
        let expected = "mesh-b is the namespace of a control plane, revision default, and not of an operator";
        assert!(refused.stderr.contains(expected), "{}", refused.stderr);
    }
    let purged = remove(&["--purge"]);
    assert_eq!(purged.status, Some(0), "{purged:?}");
    drop(operator);
    for mesh in ["meshctl-operator", "mesh-b"] {
        let left = objects_of(&admin, mesh).await;
        assert!(left.is_empty(), "{:?}", left.keys());
    }
    let namespaces: Api<Namespace> = Api::all(admin.clone());
    assert!(namespaces.get("mesh-b").await.is_ok(), "what was watched stays");

    // Without it.
    let args = ["operator", "init", "--yes", "--watched-namespaces", "mesh-b"];
    let init = meshctl(cluster.kubeconfig(), args);
    assert_eq!(init.status, Some(0), "{init:?}");
    create(&beside, "mesh", &small()).await;
    let forced = remove(&["--force"]);
    assert_eq!(forced.status, Some(0), "{forced:?}");
    assert!(beside.get("mesh").await.is_ok(), "it and its definition stay");
    let left = objects_of(&admin, "meshctl-operator").await.into_keys();
    let left: Vec<_> = left.map(|(kind, ..)| kind).collect();
    assert_eq!(left, ["CustomResourceDefinition"]);
}

#[test]
fn the_objects_of_the_operator_can_be_printed() {
    let project = Project::new();
    let args = [
        "operator",
        "dump",
        "--watched-namespaces",
        "a,b",
        "--hub",
        "example.com/x",
        "--tag",
        "2",
        "-o",
        "json",
    ];
    for wrong in ["a,B", "a,", "-a", "a.b"] {
        let refused = project.run(["operator", "dump", &format!("--watched-namespaces={wrong}")]);
        assert_eq!(refused.status, Some(2), "{wrong}: {refused}");
        assert!(
            refused.stderr.contains("not the name of a namespace"),
            "{wrong}: {refused}"
        );
    }
    for command in ["dump", "run", "init"] {
        let refused = project.run(["operator", command, "--operator-namespace", "istio-system"]);
        assert_eq!(refused.status, Some(2), "{command}: {refused}");
        assert!(
            refused
                .stderr
                .contains("the operator cannot be in istio-system, which it watches"),
            "{command}: {refused}"
        );
        assert!(
            refused.stderr.contains("the default is meshctl-operator"),
            "{refused}"
        );
    }
    let list = project.run(args).json();
    let items = list["items"].as_array().expect("a list");
    let of = |kind: &str| {
        items
            .iter()
            .filter(|item| item["kind"] == kind)
            .collect::<Vec<_>>()
    };
    let places: Vec<_> = of("Role")
        .iter()
        .map(|role| role["metadata"]["namespace"].clone())
        .collect();
    assert_eq!(places, ["meshctl-operator", "a", "b"]);
    let container = &of("Deployment")[0]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "example.com/x/meshctl:2");
    assert_eq!(container["args"][2], "--watched-namespaces=a,b");
    let yaml = project.run(["operator", "dump"]);
    assert_eq!(yaml.status, Some(0));
    assert!(
        yaml.stdout.starts_with("apiVersion: v1\nkind: Namespace\n"),
        "{}",
        yaml.stdout
    );
}
