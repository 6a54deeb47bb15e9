//! What the operator consists of: its definition, its rights, and what runs.
//!
//! Its rights end at the watched namespaces:
//!
//! * In each of them, a Role lets it work on all kinds that a mesh has. It may also write Roles whose rights it does not
//!   have (`escalate`, `bind`): who makes pods in a namespace can use all of its accounts anyway.
//! * In none of them, a ClusterRole lets it list the kinds that are in no namespace, and write those objects that meshes
//!   of the watched namespaces consist of, by name. istiod's ClusterRole may read what the operator itself may not, so
//!   the operator may `escalate` and `bind` exactly the ClusterRoles of these names.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::schema::export;
use serde_json::{Value, json};

use super::{NAME, PORT};
use crate::manifest;
use crate::object::{KINDS, ObjectKind, ObjectRef, Step};
use crate::plan::Part;
use crate::spec::{GROUP, PLURAL, PROFILES, Request, definition, resolve};
use crate::state::State;

/// How an operator is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its namespace.
    pub namespace: String,
    /// The namespaces that it watches.
    pub watched: BTreeSet<String>,
    /// The revisions that it may install; `default` is the one without a name.
    pub revisions: BTreeSet<String>,
    /// Its image.
    pub image: String,
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// The part that an operator consists of.
const PART: &str = "operator";

/// Everything that can be done to an object.
const ALL: [&str; 7] = ["get", "list", "watch", "create", "update", "patch", "delete"];

/// All objects, in the form in which they are installed.
pub fn parts(settings: &Settings) -> Vec<Part> {
    let Settings {
        namespace, watched, ..
    } = settings;
    let mut objects = vec![definition(), account(namespace)];
    // Cluster-wide names, of which each operator has its own.
    let name = format!("{NAME}-{namespace}");
    let cluster_rules = cluster_rules(&cluster_names(settings));
    objects.extend(granted("ClusterRole", None, &name, namespace, &cluster_rules));
    objects.extend(granted("Role", Some(namespace), NAME, namespace, &own_rules()));
    for watched in watched {
        let name = format!("{name}-meshes");
        objects.extend(granted(
            "Role",
            Some(watched),
            &name,
            namespace,
            &mesh_rules(watched),
        ));
    }
    objects.extend([service(namespace), deployment(settings)]);
    for object in &mut objects {
        let labels = object["metadata"]["labels"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let mut all = json!({ "app.kubernetes.io/name": NAME, "app.kubernetes.io/managed-by": "meshctl" });
        for (key, value) in labels {
            all[key] = value;
        }
        object["metadata"]["labels"] = all;
    }
    vec![Part {
        name: PART.to_owned(),
        wave: 0,
        objects,
    }]
}

/// Whether what is installed is an operator, and nothing else is remembered of it either.
pub fn is_operator(state: &State) -> bool {
    let mut parts = state.history.iter().flat_map(|entry| &entry.parts).peekable();
    parts.peek().is_some() && parts.all(|part| part.name == PART)
}

fn account(namespace: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": NAME, "namespace": namespace } })
}

/// A role, and its binding to the operator's account.
fn granted(kind: &str, place: Option<&str>, name: &str, namespace: &str, rules: &[Value]) -> [Value; 2] {
    let api = format!("{RBAC}/v1");
    let mut metadata = json!({ "name": name });
    if let Some(place) = place {
        metadata["namespace"] = json!(place);
    }
    [
        json!({ "apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules }),
        json!({
            "apiVersion": api,
            "kind": format!("{kind}Binding"),
            "metadata": metadata,
            "roleRef": { "apiGroup": RBAC, "kind": kind, "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": NAME, "namespace": namespace }],
        }),
    ]
}

fn rule(group: &str, resources: &[&str], verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": resources, "verbs": verbs })
}

fn named_rule(group: &str, resource: &str, names: &BTreeSet<String>, verbs: &[&str]) -> Value {
    json!({ "apiGroups": [group], "resources": [resource], "resourceNames": names, "verbs": verbs })
}

/// What the operator may do in its own namespace.
fn own_rules() -> Vec<Value> {
    // Without a name: the object that is to be created has none yet.
    vec![rule(
        "coordination.k8s.io",
        &["leases"],
        &["get", "create", "update", "delete"],
    )]
}

/// What the operator may do in a namespace that it watches.
fn mesh_rules(namespace: &str) -> Vec<Value> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        groups.entry(kind.group).or_default().push(kind.plural);
    }
    let mut rules: Vec<Value> = groups
        .into_iter()
        .map(|(group, resources)| rule(group, &resources, &ALL))
        .collect();
    let own = BTreeSet::from([namespace.to_owned()]);
    rules.extend([
        rule(RBAC, &["roles"], &["escalate", "bind"]),
        rule(GROUP, &[PLURAL], &["get", "list", "watch", "patch"]),
        rule(GROUP, &[&format!("{PLURAL}/status")], &["patch"]),
        rule(GROUP, &[&format!("{PLURAL}/finalizers")], &["update"]),
        rule(
            "coordination.k8s.io",
            &["leases"],
            &["get", "create", "update", "delete"],
        ),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
        // What keeps pods from running.
        rule("", &["pods", "pods/log", "events"], &["get", "list"]),
        rule("apps", &["replicasets"], &["list"]),
        named_rule("", "namespaces", &own, &["get"]),
    ]);
    rules
}

/// What the operator may do with what is in no namespace.
fn cluster_rules(names: &BTreeMap<KindName, BTreeSet<String>>) -> Vec<Value> {
    let mut rules = Vec::new();
    for kind in cluster_kinds() {
        rules.push(rule(kind.group, &[kind.plural], &["list", "watch"]));
        let Some(names) = names.get(kind.kind) else {
            continue;
        };
        // Definitions stay when a mesh goes.
        let verbs: &[&str] = match kind.step {
            Step::Definition => &["get", "create", "update", "patch"],
            _ => &["get", "create", "update", "patch", "delete"],
        };
        rules.push(named_rule(kind.group, kind.plural, names, verbs));
        if kind.kind == "ClusterRole" {
            rules.push(named_rule(kind.group, kind.plural, names, &["escalate", "bind"]));
        }
    }
    rules
}

fn cluster_kinds() -> impl Iterator<Item = &'static ObjectKind> {
    KINDS
        .iter()
        .filter(|kind| !kind.namespaced && kind.step != Step::Namespace)
}

/// The name of a kind.
type KindName = &'static str;

/// The names of what is in no namespace, by kind, of all control planes that the operator may have to do with.
fn cluster_names(settings: &Settings) -> BTreeMap<KindName, BTreeSet<String>> {
    let definitions = export::crds().into_iter();
    let definitions = definitions.filter_map(|crd| Some(crd["metadata"]["name"].as_str()?.to_owned()));
    let mut names: BTreeMap<KindName, BTreeSet<String>> =
        BTreeMap::from([("CustomResourceDefinition", definitions.collect())]);
    for namespace in &settings.watched {
        for revision in &settings.revisions {
            for profile in PROFILES {
                let request = Request {
                    profile: Some(profile.name.to_owned()),
                    namespace: Some(namespace.clone()),
                    revision: Some(revision.clone()),
                    // They are the same everywhere, and large.
                    sets: vec!["values.base.enableIstioConfigCRDs=false".to_owned()],
                    ..Request::default()
                };
                let Ok(resolved) = resolve(&request) else {
                    continue; // Such a profile cannot be installed with this revision.
                };
                for object in manifest::render(&resolved.spec).installed() {
                    if let Ok(object) = ObjectRef::of(object, namespace)
                        && !object.kind.namespaced
                        && object.step() != Step::Namespace
                    {
                        names.entry(object.kind.kind).or_default().insert(object.name);
                    }
                }
            }
        }
    }
    names
}

fn service(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": NAME, "namespace": namespace },
        "spec": {
            "selector": { "app.kubernetes.io/name": NAME },
            "ports": [{ "name": "http-metrics", "port": PORT, "targetPort": "http-metrics" }],
        },
    })
}

fn deployment(settings: &Settings) -> Value {
    let Settings {
        namespace,
        watched,
        image,
        revisions: _,
    } = settings;
    let watched: Vec<&str> = watched.iter().map(String::as_str).collect();
    let probe = |path: &str| json!({ "httpGet": { "path": path, "port": "http-metrics" } });
    let container = json!({
        "name": "operator",
        "image": image,
        "args": [
            "operator",
            "run",
            format!("--watched-namespaces={}", watched.join(",")),
            format!("--operator-namespace={namespace}"),
            format!("--listen=0.0.0.0:{PORT}"),
        ],
        "ports": [{ "name": "http-metrics", "containerPort": PORT }],
        "livenessProbe": probe("/healthz"),
        "readinessProbe": probe("/readyz"),
        "resources": {
            "requests": { "cpu": "50m", "memory": "128Mi" },
            "limits": { "cpu": "200m", "memory": "256Mi" },
        },
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true,
        },
    });
    let labels = json!({ "app.kubernetes.io/name": NAME });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": NAME, "namespace": namespace },
        "spec": {
            "replicas": 1,
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": {
                    "labels": labels,
                    "annotations": { "sidecar.istio.io/inject": "false", "prometheus.io/scrape": "true",
                        "prometheus.io/port": PORT.to_string() },
                },
                "spec": {
                    "serviceAccountName": NAME,
                    "securityContext": { "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
                        "seccompProfile": { "type": "RuntimeDefault" } },
                    "containers": [container],
                },
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectRef;
    use crate::state::{Entry, EntryFacts};

    fn settings() -> Settings {
        Settings {
            namespace: "ops".to_owned(),
            watched: ["mesh-a", "mesh-b"].map(str::to_owned).into(),
            revisions: ["default", "canary"].map(str::to_owned).into(),
            image: "example.com/meshctl:1".to_owned(),
        }
    }

    fn objects() -> Vec<Value> {
        parts(&settings())
            .into_iter()
            .flat_map(|part| part.objects)
            .collect()
    }

    #[test]
    fn nothing_is_granted_in_other_namespaces() {
        for object in objects() {
            let kind = object["kind"].as_str().expect("a kind");
            let place = object["metadata"]["namespace"].as_str();
            match kind {
                "ClusterRole" => {
                    for rule in object["rules"].as_array().expect("rules") {
                        let resources: Vec<_> =
                            rule["resources"].as_array().expect("a list").iter().collect();
                        for resource in resources {
                            let kind = KINDS.iter().find(|kind| *resource == kind.plural);
                            assert!(kind.is_some_and(|kind| !kind.namespaced), "{resource}");
                        }
                        let verbs = rule["verbs"].as_array().expect("a list");
                        let is_reading = verbs.iter().all(|verb| verb == "list" || verb == "watch");
                        assert!(is_reading || rule["resourceNames"].is_array(), "{rule}");
                        assert_ne!(rule["resourceNames"], json!([]), "an empty list is everything");
                    }
                }
                "CustomResourceDefinition" | "ClusterRoleBinding" => assert_eq!(place, None),
                "Role" | "RoleBinding" => assert!(["ops", "mesh-a", "mesh-b"].contains(&place.expect("one"))),
                _ => assert_eq!(place, Some("ops"), "{kind}"),
            }
        }
    }

    #[test]
    fn control_planes_of_each_namespace_and_revision_can_be_written() {
        let names = cluster_names(&settings());
        let roles = &names["ClusterRole"];
        for namespace in ["mesh-a", "mesh-b"] {
            for revision in ["", "canary-"] {
                let is_of = |name: &&String| name.contains(revision) && name.ends_with(namespace);
                assert!(
                    roles.iter().any(|name| is_of(&name)),
                    "{namespace} {revision}: {roles:?}"
                );
            }
        }
        assert!(!names["MutatingWebhookConfiguration"].is_empty());
        assert!(!names["ValidatingWebhookConfiguration"].is_empty());
        assert!(names["CustomResourceDefinition"].contains("virtualservices.networking.istio.io"));
        assert!(!names["CustomResourceDefinition"].contains(&crate::spec::definition_name()));
    }

    #[test]
    fn operators_are_told_from_control_planes() {
        let mut state = State::new("ops", "default");
        assert!(!is_operator(&state), "what consists of nothing");
        let entry = |parts| Entry {
            facts: EntryFacts::default(),
            parts,
        };
        state.begin(entry(parts(&settings())), []);
        assert!(is_operator(&state));
        state.complete(&[]);
        let request = Request::default();
        let spec = resolve(&request).expect("the default profile").spec;
        state.begin(entry(manifest::render(&spec).parts()), []);
        assert!(!is_operator(&state), "what took its place");
    }

    #[test]
    fn all_objects_can_be_installed() {
        for object in objects() {
            let reference = ObjectRef::of(&object, "ops").expect("a known kind");
            assert!(!reference.kind.namespaced || object["metadata"]["namespace"].is_string());
        }
    }
}
