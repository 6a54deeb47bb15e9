//! What an installation is to consist of, and what that means for what is there: pure, so that it can be shown first.
//!
//! ```text
//! Desired (parts of objects) ─┐
//! live objects                ├─► Planned: create, change, keep, remove, or what is in the way
//! inventory of earlier runs  ─┘
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::object::{NotAnObject, OWNER_LABEL, ObjectRef, Step};
use crate::tag::{TAG_LABEL, is_deactivated, is_led_elsewhere};

/// A part of an installation, which is waited for before the parts that need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// What users call it.
    pub name: String,
    /// Parts of one wave come to be together, after those of lower waves run.
    pub wave: u8,
    /// Its objects.
    pub objects: Vec<Value>,
}

/// What an installation is to consist of.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The namespace of the mesh.
    pub mesh: String,
    /// The revision; `default` for the one without a name.
    pub revision: String,
    /// Labels of the namespace of the mesh, if it is made.
    pub namespace_labels: BTreeMap<String, String>,
    /// The parts, by wave. Every object carries the owner's label and its namespace.
    pub parts: Vec<Part>,
}

impl Desired {
    /// Labels the objects, and sorts them into the order in which they come to be. The mesh's own namespace is not
    /// one of them: it is made before anything else, if it is not there.
    ///
    /// # Errors
    ///
    /// An object that cannot be installed.
    pub fn new(mesh: &str, revision: &str, parts: Vec<Part>) -> Result<Self, NotAnObject> {
        let mut seen = BTreeSet::new();
        let mut namespace_labels = BTreeMap::new();
        let mut labelled = Vec::new();
        for Part { name, wave, objects } in parts {
            let mut all = Vec::new();
            for mut object in objects {
                let reference = ObjectRef::of(&object, mesh)?;
                if reference.step() == Step::Namespace && reference.name == mesh {
                    let labels = object["metadata"]["labels"].as_object().into_iter().flatten();
                    namespace_labels.extend(
                        labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))),
                    );
                    continue;
                }
                if !seen.insert(reference.clone()) {
                    continue;
                }
                object["metadata"]["labels"][OWNER_LABEL] = json!(mesh);
                if reference.kind.namespaced {
                    object["metadata"]["namespace"] = json!(reference.namespace);
                }
                all.push((reference, object));
            }
            all.sort_by(|(a, _), (b, _)| a.cmp(b));
            labelled.push(Part {
                name,
                wave,
                objects: all.into_iter().map(|(_, object)| object).collect(),
            });
        }
        labelled.sort_by_key(|part| part.wave);
        Ok(Self {
            mesh: mesh.to_owned(),
            revision: revision.to_owned(),
            namespace_labels,
            parts: labelled,
        })
    }

    /// Every object with its identity and the name of its part.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectRef, &str, &Value)> {
        self.parts.iter().flat_map(|part| {
            part.objects.iter().filter_map(|object| {
                Some((
                    ObjectRef::of(object, &self.mesh).ok()?,
                    part.name.as_str(),
                    object,
                ))
            })
        })
    }

    /// The identities of all objects.
    pub fn references(&self) -> BTreeSet<ObjectRef> {
        self.objects().map(|(reference, _, _)| reference).collect()
    }

    /// Whether a HorizontalPodAutoscaler decides on the replicas of a workload.
    pub fn is_scaled(&self, workload: &ObjectRef) -> bool {
        self.objects().any(|(reference, _, object)| {
            let target = &object["spec"]["scaleTargetRef"];
            reference.kind.kind == "HorizontalPodAutoscaler"
                && reference.namespace == workload.namespace
                && target["kind"] == workload.kind.kind
                && target["name"] == workload.name
        })
    }
}

/// A field that somebody else owns with another value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldConflict {
    /// The field, as the API server writes it: `.spec.replicas`.
    pub field: String,
    /// Who owns it.
    pub manager: String,
}

/// What is to happen to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// It is not there.
    Create,
    /// It is there, and different.
    Change {
        /// What it is.
        before: Value,
        /// What it will be.
        after: Value,
    },
    /// It is there as it should be.
    Keep,
    /// It is not wanted any more.
    Remove,
    /// It is there, and belongs to somebody else.
    Foreign {
        /// Whose it seems to be: the mesh of another namespace, or who writes its fields.
        owner: String,
    },
    /// Others own some of its fields with other values.
    Conflict(Vec<FieldConflict>),
    /// The API server does not take it.
    Refused(String),
}

impl Action {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Change { .. } => "change",
            Self::Keep => "keep",
            Self::Remove => "remove",
            Self::Foreign { .. } => "foreign",
            Self::Conflict(_) => "conflict",
            Self::Refused(_) => "refused",
        }
    }

    /// Whether the installation cannot go on because of it.
    pub fn is_in_the_way(&self) -> bool {
        matches!(self, Self::Foreign { .. } | Self::Conflict(_) | Self::Refused(_))
    }
}

/// An object, and what is to happen to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The object.
    pub object: ObjectRef,
    /// The part that it belongs to; empty for what is removed.
    pub part: String,
    /// What is to happen.
    pub action: Action,
}

impl Planned {
    /// What users of the mesh would notice, if anything.
    pub fn disruption(&self) -> Option<String> {
        match &self.action {
            Action::Change { before, after } => change_disrupts(&self.object, before, after),
            Action::Remove => removal_disrupts(&self.object),
            _ => None,
        }
    }
}

/// Everything that is to happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Objects that are wanted, in the order in which they come to be; then those to remove, in the order in which
    /// they go.
    pub planned: Vec<Planned>,
}

impl Plan {
    /// How many objects an action is planned for.
    pub fn count(&self, name: &str) -> usize {
        let named = self
            .planned
            .iter()
            .filter(|planned| planned.action.name() == name);
        named.count()
    }

    /// Whether everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.planned.iter().all(|planned| planned.action == Action::Keep)
    }

    /// What the installation cannot go on with.
    pub fn obstacles(&self) -> Vec<Planned> {
        let in_the_way = |planned: &&Planned| planned.action.is_in_the_way();
        self.planned.iter().filter(in_the_way).cloned().collect()
    }

    /// What was shown to a user: a plan that differs in it must be shown again.
    pub fn is_like(&self, other: &Self) -> bool {
        let shown = |plan: &Self| -> Vec<(ObjectRef, &'static str)> {
            let changes = plan
                .planned
                .iter()
                .filter(|planned| planned.action != Action::Keep);
            changes
                .map(|planned| (planned.object.clone(), planned.action.name()))
                .collect()
        };
        shown(self) == shown(other)
    }
}

/// Who has a say in an object at run time, beside istiod.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Others {
    /// An autoscaler decides on its replicas.
    pub is_scaled: bool,
    /// There is a tag `default`.
    pub has_default_tag: bool,
}

/// Leaves to others what they write at run time, so that nobody fights over it: istiod the `failurePolicy` of its
/// validation and every `caBundle`, an autoscaler the replicas, and the tag `default` what it has taken over.
pub fn cede(object: &mut Value, live: &Value, others: Others) {
    if others.is_scaled && !object["spec"]["replicas"].is_null() && !live["spec"]["replicas"].is_null() {
        object["spec"]["replicas"] = live["spec"]["replicas"].clone();
    }
    let is_led_elsewhere = others.has_default_tag && is_led_elsewhere(live);
    if is_led_elsewhere && !live["metadata"]["labels"][TAG_LABEL].is_null() {
        // Whose it is has nothing to do with where it leads.
        let owner = object["metadata"]["labels"][OWNER_LABEL].clone();
        object["metadata"]["labels"] = live["metadata"]["labels"].clone();
        object["metadata"]["labels"][OWNER_LABEL] = owner;
        object["webhooks"] = live["webhooks"].clone();
        return;
    }
    let is_validation = object["kind"] == "ValidatingWebhookConfiguration";
    let Some(webhooks) = object.get_mut("webhooks").and_then(Value::as_array_mut) else {
        return;
    };
    for webhook in webhooks {
        let theirs = live["webhooks"].as_array().into_iter().flatten();
        let Some(theirs) = theirs.into_iter().find(|live| live["name"] == webhook["name"]) else {
            continue;
        };
        if is_validation && theirs["failurePolicy"].is_string() {
            webhook["failurePolicy"] = theirs["failurePolicy"].clone();
        }
        if is_led_elsewhere && is_deactivated(theirs) {
            // Taking that back is up to who set the tag.
            for selector in ["namespaceSelector", "objectSelector"] {
                webhook[selector] = theirs[selector].clone();
            }
        }
        let bundle = &theirs["clientConfig"]["caBundle"];
        if bundle.as_str().is_some_and(|bundle| !bundle.is_empty())
            && !webhook["clientConfig"]["caBundle"].is_null()
        {
            webhook["clientConfig"]["caBundle"] = bundle.clone();
        }
    }
}

/// An object without what the API server and controllers keep in it for themselves.
pub fn essence(object: &Value) -> Value {
    const METADATA: [&str; 7] = [
        "managedFields",
        "resourceVersion",
        "uid",
        "generation",
        "creationTimestamp",
        "selfLink",
        "finalizers",
    ];
    const ANNOTATIONS: [&str; 3] = [
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
    ];
    let mut object = object.clone();
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in METADATA {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            for annotation in ANNOTATIONS {
                annotations.remove(annotation);
            }
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

/// A field with two values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Where: `spec.template.spec.containers[discovery].image`.
    pub field: String,
    /// What it is; `None` if it is not there.
    pub before: Option<Value>,
    /// What it will be; `None` if it goes.
    pub after: Option<Value>,
}

impl fmt::Display for FieldChange {
    /// `spec.replicas: 1 -> 3`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longer values say nothing in a line.
        const LONGEST: usize = 60;
        let shown = |value: &Option<Value>| match value {
            None => "(nothing)".to_owned(),
            Some(value) => {
                let text = value
                    .as_str()
                    .map_or_else(|| value.to_string(), ToOwned::to_owned);
                if text.contains('\n') {
                    format!("({} lines)", text.lines().count())
                } else if text.chars().count() > LONGEST {
                    format!("{}...", text.chars().take(LONGEST).collect::<String>())
                } else {
                    text
                }
            }
        };
        write!(
            f,
            "{}: {} -> {}",
            self.field,
            shown(&self.before),
            shown(&self.after)
        )
    }
}

/// The fields in which two objects differ. Items of lists that have names are compared by name.
pub fn field_changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    compare(Some(before), Some(after), &mut String::new(), &mut changes);
    changes
}

fn compare(before: Option<&Value>, after: Option<&Value>, path: &mut String, changes: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let length = path.len();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
                compare(a.get(key), b.get(key), path, changes);
                path.truncate(length);
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            let items = match (by_name(a), by_name(b)) {
                (Some(a), Some(b)) => {
                    let mut names: Vec<&str> = a.iter().map(|(name, _)| *name).collect();
                    names.extend(
                        b.iter()
                            .map(|(name, _)| *name)
                            .filter(|name| !a.iter().any(|(known, _)| known == name)),
                    );
                    let find = |list: &[(&str, &'_ Value)], name: &str| {
                        list.iter().position(|(known, _)| *known == name)
                    };
                    names
                        .into_iter()
                        .map(|name| {
                            let before = find(&a, name).map(|index| a[index].1);
                            let after = find(&b, name).map(|index| b[index].1);
                            (name.to_owned(), before, after)
                        })
                        .collect::<Vec<_>>()
                }
                _ => (0..a.len().max(b.len()))
                    .map(|index| (index.to_string(), a.get(index), b.get(index)))
                    .collect(),
            };
            let mut differs = false;
            for (name, before, after) in items {
                let length = path.len();
                path.extend(["[", &name, "]"]);
                differs |= before != after;
                compare(before, after, path, changes);
                path.truncate(length);
            }
            if !differs {
                changes.push(FieldChange {
                    field: format!("{path} (order)"),
                    before: None,
                    after: None,
                });
            }
        }
        _ => changes.push(FieldChange {
            field: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

/// The items of a list with their names, if all have one and no two the same.
fn by_name(items: &[Value]) -> Option<Vec<(&str, &Value)>> {
    let named: Option<Vec<_>> = items
        .iter()
        .map(|item| Some((item.get("name")?.as_str()?, item)))
        .collect();
    let names: BTreeSet<_> = named.iter().flatten().map(|(name, _)| name).collect();
    (names.len() == items.len()).then_some(named)?
}

fn change_disrupts(object: &ObjectRef, before: &Value, after: &Value) -> Option<String> {
    let differs = |field: &str| before["spec"][field] != after["spec"][field];
    let pods = |object: &Value| object["spec"]["replicas"].as_u64().unwrap_or(1);
    match object.kind.kind {
        "Deployment" if differs("template") => Some(match pods(after) {
            1 => "its pod is replaced".to_owned(),
            many => format!("its {many} pods are replaced"),
        }),
        "Deployment" if pods(after) < pods(before) => {
            Some(format!("runs {} pods instead of {}", pods(after), pods(before)))
        }
        "DaemonSet" if differs("template") => {
            Some("its pod on every node is replaced, node by node".to_owned())
        }
        "Service" => service_disrupts(before, after),
        "CustomResourceDefinition" => {
            let served = |definition: &Value| -> BTreeSet<String> {
                let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
                versions
                    .filter(|version| version["served"] == true)
                    .filter_map(|version| version["name"].as_str().map(ToOwned::to_owned))
                    .collect()
            };
            let gone: Vec<_> = served(before).difference(&served(after)).cloned().collect();
            (!gone.is_empty()).then(|| format!("{} is no longer served", gone.join(", ")))
        }
        "MutatingWebhookConfiguration" => Some("new pods may be injected otherwise than before".to_owned()),
        "ConfigMap" if object.name.starts_with("istio-sidecar-injector") => {
            Some("new pods get other sidecars; running ones keep theirs until they restart".to_owned())
        }
        "ConfigMap" if object.name == "istio" || object.name.starts_with("istio-") => {
            Some("proxies get other settings, some of them only when they restart".to_owned())
        }
        _ => None,
    }
}

fn service_disrupts(before: &Value, after: &Value) -> Option<String> {
    let ports = |service: &Value| -> BTreeSet<u64> {
        let ports = service["spec"]["ports"].as_array().into_iter().flatten();
        ports.filter_map(|port| port["port"].as_u64()).collect()
    };
    let gone: Vec<_> = ports(before)
        .difference(&ports(after))
        .map(ToString::to_string)
        .collect();
    if before["spec"]["type"] == "LoadBalancer" && after["spec"]["type"] != "LoadBalancer" {
        Some("its load balancer goes, and the address with it".to_owned())
    } else if !gone.is_empty() {
        Some(format!("nobody answers on port {} any more", gone.join(", ")))
    } else if before["spec"]["selector"] != after["spec"]["selector"] {
        Some("other pods answer".to_owned())
    } else {
        None
    }
}

fn removal_disrupts(object: &ObjectRef) -> Option<String> {
    let text = match object.kind.kind {
        "Deployment" | "DaemonSet" => "its pods stop",
        "Service" => "nobody answers at its address any more",
        "MutatingWebhookConfiguration" => "new pods of its namespaces get no sidecar",
        "ValidatingWebhookConfiguration" => "configuration is no longer checked when it is written",
        "CustomResourceDefinition" => "all objects of the kind go with it",
        "Namespace" => "everything in it goes with it",
        _ => return None,
    };
    Some(text.to_owned())
}

/// Who has written an object, of its `managedFields`, without us.
pub fn managers(object: &Value) -> Vec<String> {
    let fields = object["metadata"]["managedFields"]
        .as_array()
        .into_iter()
        .flatten();
    let mut names: Vec<String> = fields
        .filter(|entry| entry["subresource"].is_null())
        .filter_map(|entry| entry["manager"].as_str())
        .filter(|manager| *manager != crate::object::FIELD_MANAGER)
        .map(ToOwned::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The field conflicts of a `Status` with which the API server refuses an apply.
pub fn conflicts(status: &Value) -> Vec<FieldConflict> {
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    causes
        .filter(|cause| cause["reason"] == "FieldManagerConflict")
        .map(|cause| {
            let text = |key: &str| cause[key].as_str().unwrap_or_default();
            let message = text("message");
            let manager = message.strip_prefix("conflict with ").unwrap_or(message);
            FieldConflict {
                field: text("field").to_owned(),
                manager: manager.replace('"', ""),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &Value, after: &Value) -> Vec<String> {
        field_changes(before, after)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn changes_name_fields_by_the_names_of_items() {
        let before =
            json!({"spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b"}], "args": [1, 2]}});
        let after = json!({"spec": {"containers": [{"name": "b"}, {"name": "a", "image": "x:2"}], "args": [1, 3],
            "text": "one\ntwo"}});
        assert_eq!(
            shown(&before, &after),
            [
                "spec.containers[a].image: x:1 -> x:2",
                "spec.args[1]: 2 -> 3",
                "spec.text: (nothing) -> (2 lines)"
            ]
        );
        assert!(shown(&before, &before).is_empty());
    }

    #[test]
    fn what_runs_meanwhile_keeps_what_is_its_own() {
        let mut validation = json!({"kind": "ValidatingWebhookConfiguration", "webhooks": [
            {"name": "rev.validation.istio.io", "failurePolicy": "Ignore", "clientConfig": {}}]});
        let live = json!({"webhooks": [
            {"name": "rev.validation.istio.io", "failurePolicy": "Fail", "clientConfig": {"caBundle": "QQ=="}}]});
        cede(&mut validation, &live, Others::default());
        assert_eq!(validation["webhooks"][0]["failurePolicy"], "Fail");
        assert!(validation["webhooks"][0]["clientConfig"]["caBundle"].is_null());

        let mut injection = json!({"kind": "MutatingWebhookConfiguration", "webhooks": [
            {"name": "rev.validation.istio.io", "failurePolicy": "Fail", "clientConfig": {"caBundle": ""}}]});
        let live = json!({"webhooks": [
            {"name": "rev.validation.istio.io", "failurePolicy": "Ignore", "clientConfig": {"caBundle": "QQ=="}}]});
        cede(&mut injection, &live, Others::default());
        assert_eq!(injection["webhooks"][0]["failurePolicy"], "Fail");
        assert_eq!(injection["webhooks"][0]["clientConfig"]["caBundle"], "QQ==");

        let live = json!({"spec": {"replicas": 4}});
        for (is_scaled, expected) in [(true, 4), (false, 2)] {
            let mut deployment = json!({"kind": "Deployment", "spec": {"replicas": 2}});
            let others = Others {
                is_scaled,
                ..Others::default()
            };
            cede(&mut deployment, &live, others);
            assert_eq!(deployment["spec"]["replicas"], expected);
        }
    }

    #[test]
    fn what_a_default_tag_has_taken_over_is_its_own_as_long_as_there_is_one() {
        let name = "rev.namespace.sidecar-injector.istio.io";
        let mut switched_off =
            json!({"webhooks": [{"name": name, "namespaceSelector": {}, "objectSelector": {}}]});
        crate::tag::deactivate(&mut switched_off);
        let injection = json!({"kind": "MutatingWebhookConfiguration", "webhooks": [
            {"name": name, "namespaceSelector": {"matchLabels": {"a": "b"}}, "objectSelector": {}}]});
        let webhook =
            |service: &str| json!([{"name": "validation.istio.io", "clientConfig": {"service": service}}]);
        let validation = json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"labels": {"a": "b", OWNER_LABEL: "m"}},
            "webhooks": webhook("istiod")});
        let of_tag =
            json!({"metadata": {"labels": {TAG_LABEL: "default"}}, "webhooks": webhook("istiod-canary")});
        for has_default_tag in [true, false] {
            let others = Others {
                has_default_tag,
                ..Others::default()
            };
            let mut object = injection.clone();
            cede(&mut object, &switched_off, others);
            assert_eq!(is_deactivated(&object["webhooks"][0]), has_default_tag);
            let mut object = validation.clone();
            cede(&mut object, &of_tag, others);
            assert_eq!(object["webhooks"] == of_tag["webhooks"], has_default_tag);
            let labels = &object["metadata"]["labels"];
            assert_eq!(labels[OWNER_LABEL], "m");
            assert_eq!(
                (&labels[TAG_LABEL] == "default", &labels["a"] == "b"),
                (has_default_tag, !has_default_tag)
            );
        }
    }

    #[test]
    fn desired_objects_are_labelled_sorted_and_unique() {
        let object = |api: &str, kind: &str, name: &str| json!({"apiVersion": api, "kind": kind, "metadata": {"name": name}});
        let part = Part {
            name: "istiod".to_owned(),
            wave: 1,
            objects: vec![
                object("apps/v1", "Deployment", "istiod"),
                object("v1", "ServiceAccount", "istiod"),
                object("v1", "ServiceAccount", "istiod"),
                object("v1", "Namespace", "mesh"),
            ],
        };
        let desired = Desired::new("mesh", "default", vec![part]).expect("objects");
        let kinds: Vec<_> = desired
            .objects()
            .map(|(reference, ..)| reference.to_string())
            .collect();
        assert_eq!(kinds, ["ServiceAccount mesh/istiod", "Deployment mesh/istiod"]);
        for (_, _, object) in desired.objects() {
            assert_eq!(object["metadata"]["labels"][OWNER_LABEL], "mesh");
            assert_eq!(object["metadata"]["namespace"], "mesh");
        }
    }

    #[test]
    fn disruptions_are_told_before_they_happen() {
        let planned = |kind: &str, name: &str, before: Value, after: Value| Planned {
            object: ObjectRef::new(
                crate::object::ObjectKind::named(kind).expect("known"),
                "mesh",
                name,
            ),
            part: String::new(),
            action: Action::Change { before, after },
        };
        for (planned, expected) in [
            (
                planned(
                    "Deployment",
                    "gw",
                    json!({"spec": {"template": 1}}),
                    json!({"spec": {"template": 2, "replicas": 3}}),
                ),
                "its 3 pods are replaced",
            ),
            (
                planned(
                    "Service",
                    "gw",
                    json!({"spec": {"ports": [{"port": 80}, {"port": 15443}]}}),
                    json!({"spec": {"ports": [{"port": 80}]}}),
                ),
                "nobody answers on port 15443 any more",
            ),
            (
                planned(
                    "CustomResourceDefinition",
                    "gateways",
                    json!({"spec": {"versions": [{"name": "v1", "served": true}, {"name": "v1beta1", "served": true}]}}),
                    json!({"spec": {"versions": [{"name": "v1", "served": true}, {"name": "v1beta1", "served": false}]}}),
                ),
                "v1beta1 is no longer served",
            ),
        ] {
            assert_eq!(planned.disruption().as_deref(), Some(expected));
        }
    }

    #[test]
    fn conflicts_tell_field_and_manager() {
        let status = json!({"details": {"causes": [
            {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.replicas"}]}});
        assert_eq!(
            conflicts(&status),
            [FieldConflict {
                field: ".spec.replicas".to_owned(),
                manager: "kubectl-edit using apps/v1".to_owned()
            }]
        );
    }
}
