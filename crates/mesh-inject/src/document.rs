//! Injection of the workloads in a YAML document, with its text.

use std::collections::BTreeMap;
use std::fmt;

use mesh_yaml::update::update;
use mesh_yaml::{Document, FieldPath, Node, Segment, path};
use serde_json::Value;

use crate::checks::Problem;
use crate::decide::{Skip, decide};
use crate::explain::{Addition, explain};
use crate::inject::inject;
use crate::merge::merge_key;
use crate::namespace::Namespace;
use crate::owner::{Owner, ROLLOUT_VERSION};
use crate::settings::Settings;
use crate::uninject::uninject;

/// What is known besides the documents.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Namespace of objects that name none; empty if it is not known.
    pub namespace: String,
    /// Namespaces, as far as they are known.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Kinds with pod templates besides the known ones.
    pub kinds: Vec<TemplateKind>,
    /// Whether to tell where each addition comes from.
    pub explains: bool,
}

/// A kind whose objects hold a pod template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateKind {
    /// API group; `None` for any.
    pub group: Option<String>,
    /// The kind.
    pub kind: String,
    /// Where the pod template is: the mapping with `metadata` and `spec` of the pods.
    pub path: FieldPath,
}

/// A workload of a document, and what became of it.
#[derive(Clone, Debug)]
pub struct Workload {
    /// Its kind.
    pub kind: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// Its namespace; empty if it is not known.
    pub namespace: String,
    /// Where its pod or pod template is in the document.
    pub path: FieldPath,
    /// What became of it.
    pub outcome: Outcome,
    /// What may not work as it was meant. Paths are those of the document.
    pub warnings: Vec<Problem>,
    /// What was added, if that was asked for.
    pub additions: Vec<Addition>,
}

impl fmt::Display for Workload {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            name,
            namespace,
            ..
        } = self;
        match namespace.as_str() {
            "" => write!(formatter, "{kind} {name}"),
            _ => write!(formatter, "{kind} {namespace}/{name}"),
        }
    }
}

/// What became of a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was injected.
    Injected {
        /// Whether it was injected before.
        again: bool,
        /// Whether the proxy is an init container that goes on running.
        is_native: bool,
    },
    /// Its sidecar was taken out.
    Uninjected {
        /// What could not be restored, a clause each.
        lost: Vec<String>,
    },
    /// It was left alone, because it is not to be injected.
    Skipped(Skip),
    /// It was left alone, because there is nothing to inject, or to take out; with the reason, a clause.
    Nothing(String),
}

/// A document and its workloads.
#[derive(Clone, Debug)]
pub struct Processed {
    /// The new text of the document's [span](Document::span); `None` if it stays as it is.
    pub text: Option<String>,
    /// Whether the document was written in a way that its comments could not be kept.
    pub is_rewritten: bool,
    /// Its workloads, in order.
    pub workloads: Vec<Workload>,
}

/// Injects the workloads of a document.
///
/// # Errors
///
/// All that is wrong with them, with paths from the root of the document.
pub fn inject_document(
    settings: &Settings,
    document: &Document,
    scope: &Scope,
) -> Result<Processed, Vec<Problem>> {
    change_document(document, scope, |candidate, pod| {
        inject_candidate(settings, scope, candidate, pod)
    })
}

/// Injects a workload of a document, unless it is not to be.
///
/// # Errors
///
/// All that is wrong with it, with paths from its pod on.
pub fn inject_candidate(
    settings: &Settings,
    scope: &Scope,
    candidate: &Candidate,
    pod: &Value,
) -> Result<Change, Vec<Problem>> {
    let namespace = scope.namespaces.get(&candidate.namespace);
    let labels = namespace.map(|namespace| &namespace.labels);
    if let Some(skip) = decide(settings, pod, &candidate.namespace, labels) {
        return Ok(Change::skipped(skip));
    }
    let nothing = Namespace::default();
    let owner = candidate.owner(pod);
    let injected = inject(settings, pod, &owner, namespace.unwrap_or(&nothing))?;
    let mut warnings = injected.warnings;
    warnings.extend(never_ends(candidate, injected.is_native));
    Ok(Change {
        pod: Some(injected.pod),
        outcome: Outcome::Injected {
            again: injected.was_injected,
            is_native: injected.is_native,
        },
        warnings,
    })
}

/// A warning about jobs whose proxy keeps them from ending.
pub(crate) fn never_ends(candidate: &Candidate, is_native: bool) -> Option<Problem> {
    let is_job = matches!(&*candidate.kind, "Job" | "CronJob");
    (is_job && !is_native).then(|| {
        Problem::warning(
            FieldPath::default(),
            "the pods of the job do not end, because the proxy goes on running",
        )
        .with_help(
            "use a native sidecar (annotation `sidecar.istio.io/nativeSidecar: \"true\"`), or let the job send a POST \
             request to http://localhost:15020/quitquitquit when it is done",
        )
    })
}

/// Takes the sidecars out of the workloads of a document.
///
/// # Errors
///
/// None at present; as [`inject_document`].
pub fn uninject_document(document: &Document, scope: &Scope) -> Result<Processed, Vec<Problem>> {
    change_document(document, scope, |_, pod| {
        let uninjected = uninject(pod);
        Ok(if uninjected.was_injected {
            Change {
                pod: Some(uninjected.pod),
                outcome: Outcome::Uninjected {
                    lost: uninjected.lost,
                },
                warnings: Vec::new(),
            }
        } else {
            Change::nothing("it has no sidecar")
        })
    })
}

/// What becomes of a workload.
#[derive(Clone, Debug)]
pub struct Change {
    /// Its new pod or pod template; `None` if it stays as it is.
    pub pod: Option<Value>,
    /// What became of it.
    pub outcome: Outcome,
    /// What may not work as it was meant, with paths from the pod on.
    pub warnings: Vec<Problem>,
}

impl Change {
    fn unchanged(outcome: Outcome) -> Self {
        Self {
            pod: None,
            outcome,
            warnings: Vec::new(),
        }
    }

    /// It is not to be injected.
    pub(crate) fn skipped(skip: Skip) -> Self {
        Self::unchanged(Outcome::Skipped(skip))
    }

    /// There is nothing to do; with the reason, a clause.
    fn nothing(reason: &str) -> Self {
        Self::unchanged(Outcome::Nothing(reason.to_owned()))
    }
}

/// The workloads of a document, in order.
pub fn candidates(document: &Document, scope: &Scope) -> Vec<Candidate> {
    let mut found = Vec::new();
    find(document.root(), &FieldPath::default(), scope, &mut found);
    found
}

/// Changes the pods or pod templates of the workloads of a document, and nothing else.
///
/// # Errors
///
/// Those of `change`, with paths from the root of the document.
pub fn change_document(
    document: &Document,
    scope: &Scope,
    change: impl Fn(&Candidate, &Value) -> Result<Change, Vec<Problem>>,
) -> Result<Processed, Vec<Problem>> {
    let found = candidates(document, scope);
    let mut workloads = Vec::with_capacity(found.len());
    let mut problems = Vec::new();
    let mut changes = Vec::new();
    for found in found {
        let mut workload = Workload {
            kind: found.kind.clone(),
            name: found.name.clone(),
            namespace: found.namespace.clone(),
            path: found.path.clone(),
            outcome: Outcome::Nothing(String::new()),
            warnings: Vec::new(),
            additions: Vec::new(),
        };
        let placed = |mut problem: Problem| {
            problem.path = found.path.join(&problem.path);
            problem
        };
        match &found.template {
            Err(reason) => workload.outcome = Outcome::Nothing(reason.clone()),
            Ok(pod) => match change(&found, pod) {
                Err(found) => problems.extend(found.into_iter().map(placed)),
                Ok(Change {
                    pod: new,
                    outcome,
                    warnings,
                }) => {
                    workload.outcome = outcome;
                    workload.warnings = warnings.into_iter().map(placed).collect();
                    if let Some(new) = new {
                        if scope.explains {
                            workload.additions = explain(pod, &new);
                        }
                        changes.push((found.path.clone(), new));
                    }
                }
            },
        }
        workloads.push(workload);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if changes.is_empty() {
        return Ok(Processed {
            text: None,
            is_rewritten: false,
            workloads,
        });
    }
    let mut root = document.root().to_json();
    for (path, new) in changes {
        if let Some(place) = descend(&mut root, &path) {
            *place = new;
        }
    }
    let updated = update(document, &root, merge_key);
    Ok(Processed {
        text: updated.text,
        is_rewritten: updated.is_rewritten,
        workloads,
    })
}

fn descend<'v>(value: &'v mut Value, path: &FieldPath) -> Option<&'v mut Value> {
    path.segments()
        .iter()
        .try_fold(value, |value, segment| match segment {
            Segment::Key(key) => value.get_mut(&**key),
            Segment::Index(index) => value.get_mut(*index),
        })
}

/// A workload in a document.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name; empty if it has none.
    pub name: String,
    /// Its namespace; empty if it is not known.
    pub namespace: String,
    /// Where its pod or pod template is in the document.
    pub path: FieldPath,
    /// The pod or pod template, or why there is none.
    pub template: Result<Value, String>,
}

impl Candidate {
    /// The owner of its pod.
    pub fn owner(&self, pod: &Value) -> Owner {
        if self.kind == "Pod" {
            return Owner::of_pod(pod, &self.namespace);
        }
        let is_rollout = self.kind == "Rollout" && self.api_version.starts_with("argoproj.io/");
        Owner {
            api_version: if is_rollout {
                ROLLOUT_VERSION.to_owned()
            } else {
                self.api_version.clone()
            },
            kind: self.kind.clone(),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
        }
    }
}

/// Where the pod template of a known kind is.
fn template_path(group: &str, kind: &str) -> Option<FieldPath> {
    Some(match (group, kind) {
        ("", "Pod") => path![],
        ("apps", "Deployment" | "DaemonSet" | "ReplicaSet" | "StatefulSet")
        | ("", "ReplicationController")
        | ("batch", "Job")
        | ("apps.openshift.io", "DeploymentConfig")
        | ("argoproj.io", "Rollout") => path!["spec", "template"],
        ("batch", "CronJob") => path!["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    })
}

/// Lists the workloads of an object and, if it is a list, of its items.
fn find(object: Node<'_>, at: &FieldPath, scope: &Scope, found: &mut Vec<Candidate>) {
    let field = |name: &str| object.get(name).and_then(Node::as_str).unwrap_or_default();
    let (api_version, kind) = (field("apiVersion"), field("kind"));
    let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
    if api_version == "v1" && kind == "List" {
        let items = object.get("items").map(Node::items);
        for (index, item) in items.into_iter().flatten().enumerate() {
            find(item, &at.key("items").index(index), scope, found);
        }
        return;
    }
    let custom = scope
        .kinds
        .iter()
        .find(|custom| custom.kind == kind && custom.group.as_deref().is_none_or(|wanted| wanted == group));
    let Some(template) = custom
        .map(|custom| custom.path.clone())
        .or_else(|| template_path(group, kind))
    else {
        return;
    };
    let metadata = |name: &str| {
        let value = object.get("metadata").and_then(|metadata| metadata.get(name));
        value.and_then(Node::as_str).unwrap_or_default()
    };
    let namespace = match metadata("namespace") {
        "" => &scope.namespace,
        namespace => namespace,
    };
    let name = match metadata("name") {
        "" => metadata("generateName"),
        name => name,
    };
    let node = object.at(&template).filter(|node| node.is_mapping());
    found.push(Candidate {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        namespace: namespace.to_owned(),
        path: at.join(&template),
        template: match node {
            Some(node) => Ok(node.to_json()),
            None => Err(format!("it has no pod template at `{template}`")),
        },
    });
}
