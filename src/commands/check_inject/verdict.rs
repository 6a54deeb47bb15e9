//! What becomes of a pod, from what is known of it and of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::Labels;
use mesh_core::injection::{NAMESPACE_LABEL, POD_LABEL, REVISION_LABEL};
use mesh_inject::{Hook, Match, Namespace, Settings, Skip, decide};
use serde::Serialize;
use serde_json::Value;

use super::{Known, Subject, has_sidecar};

/// What is said about a workload.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) verdict: Verdict,
    /// The revision that would inject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) revision: Option<String>,
    /// Why, a clause.
    pub(super) reason: String,
    /// What to do, if it is not as it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
    /// The pods that are there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pods: Option<Pods>,
    pub(super) webhooks: Vec<Webhook>,
}

/// What becomes of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    /// It is injected.
    Injected,
    /// It is made without a sidecar.
    NotInjected,
    /// More than one webhook would inject it.
    Conflict,
    /// The webhook that would inject it cannot be called.
    Unreachable,
}

/// How many pods there are, and how many with a sidecar.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pods {
    pub(super) count: usize,
    pub(super) injected: usize,
}

/// What is said about a webhook.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    pub(super) configuration: String,
    pub(super) name: String,
    pub(super) revision: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    /// Whether it is called for the pod.
    pub(super) called: bool,
    pub(super) reason: String,
    /// Why it cannot be called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) problem: Option<String>,
}

impl Subject {
    fn labels(&self) -> Labels {
        let labels = self
            .pod
            .get("metadata")
            .and_then(|metadata| metadata.get("labels"));
        let entries = labels.and_then(Value::as_object).into_iter().flatten();
        entries
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }

    /// Whether a webhook is called for it.
    pub(super) fn examine(&self, namespaces: &BTreeMap<String, Namespace>, hook: &Hook) -> Match {
        let namespace = &self.candidate.namespace;
        let none = Labels::new();
        let labels = namespaces
            .get(namespace)
            .map_or(&none, |namespace| &namespace.labels);
        hook.examine(namespace, labels, &self.labels())
    }
}

impl Report {
    /// Whether pods of the workload are injected, by one webhook that can be called.
    pub(super) fn is_injected(&self) -> bool {
        self.verdict == Verdict::Injected
    }

    /// What is to be said about a workload.
    pub(super) fn of(known: &Known, subject: &Subject) -> Self {
        let matches: Vec<_> = known
            .hooks
            .all()
            .iter()
            .map(|hook| (hook, subject.examine(&known.namespaces, hook)))
            .collect();
        let called = matches
            .iter()
            .filter(|(_, found)| found.is_match())
            .map(|(hook, _)| *hook);
        let called: Vec<&Hook> = called.collect();
        let configurations: BTreeSet<&str> = called.iter().map(|hook| hook.configuration.as_str()).collect();
        let namespace = &subject.candidate.namespace;
        let labels = known.namespaces.get(namespace).map(|namespace| &namespace.labels);
        let settings = called
            .first()
            .map_or_else(Settings::default, |hook| known.settings(&hook.configuration));
        let skip = decide(&settings, &subject.pod, namespace, labels);
        let problem = called
            .first()
            .and_then(|hook| known.problems.get(&hook.configuration));
        let pods = subject.pods.as_ref().map(|pods| Pods {
            count: pods.len(),
            injected: pods.iter().filter(|pod| has_sidecar(pod)).count(),
        });

        let (verdict, reason, next) = match (called.as_slice(), skip, problem) {
            (_, Some(skip), _) => (Verdict::NotInjected, skip.to_string(), after_skip(&skip, subject)),
            ([], None, _) => {
                let (reason, next) = not_called(known, subject, labels);
                (Verdict::NotInjected, reason, Some(next))
            }
            ([..], None, _) if configurations.len() > 1 => (
                Verdict::Conflict,
                format!("more than one webhook would inject it: {}", listed(&configurations)),
                Some(
                    "let only one of them select it: take one of the labels of the namespace or the pod away, or remove the \
                     revision or tag that is not wanted"
                        .to_owned(),
                ),
            ),
            ([hook, ..], None, Some(problem)) => {
                let effect = if hook.webhook.failure_policy.as_deref() == Some("Ignore") {
                    "pods are made without a sidecar"
                } else {
                    "pods cannot be made"
                };
                (
                    Verdict::Unreachable,
                    format!("{effect}, because the webhook `{}` cannot be called: {}", hook.configuration, problem.reason),
                    Some(problem.next.clone()),
                )
            }
            ([hook, ..], None, None) => {
                let reason = matches.iter().find(|(other, _)| std::ptr::eq(*other, *hook));
                let reason = reason.map(|(_, found)| found.to_string()).unwrap_or_default();
                let stale = pods.as_ref().is_some_and(|pods| pods.injected < pods.count);
                (Verdict::Injected, reason, stale.then(|| restart(subject)))
            }
        };
        let webhooks = matches.into_iter().map(|(hook, found)| Webhook {
            configuration: hook.configuration.clone(),
            name: hook.webhook.name.clone(),
            revision: hook.revision.clone(),
            tag: hook.tag.clone(),
            called: found.is_match(),
            reason: found.to_string(),
            problem: known
                .problems
                .get(&hook.configuration)
                .map(|problem| problem.reason.clone()),
        });
        Self {
            kind: subject.candidate.kind.clone(),
            name: subject.candidate.name.clone(),
            namespace: namespace.clone(),
            verdict,
            revision: called
                .first()
                .filter(|_| verdict == Verdict::Injected)
                .map(|hook| hook.revision.clone()),
            reason,
            next,
            pods,
            webhooks: webhooks.collect(),
        }
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" and ")
}

fn restart(subject: &Subject) -> String {
    let candidate = &subject.candidate;
    match &*candidate.kind {
        "Deployment" | "StatefulSet" | "DaemonSet" => format!(
            "pods that were made before have no sidecar: `kubectl rollout restart {}/{} -n {}`",
            candidate.kind.to_lowercase(),
            candidate.name,
            candidate.namespace
        ),
        _ => "it was made before, and has no sidecar: let it be made again".to_owned(),
    }
}

/// What to do if the injector leaves a pod alone.
fn after_skip(skip: &Skip, subject: &Subject) -> Option<String> {
    let namespace = &subject.candidate.namespace;
    Some(match skip {
        Skip::HostNetwork => {
            "such a pod cannot have a sidecar, which would capture the traffic of its node".to_owned()
        }
        Skip::SystemNamespace(_) => "run it in another namespace".to_owned(),
        Skip::Namespace(_) => {
            format!(
                "if it is to be injected: `kubectl label namespace {namespace} {NAMESPACE_LABEL}=enabled --overwrite`"
            )
        }
        Skip::Label | Skip::Annotation => {
            format!("if it is to be injected, take `{POD_LABEL}` away from its pods")
        }
        Skip::NeverSelector | Skip::Policy => {
            format!("if it is to be injected, give its pods the label `{POD_LABEL}: \"true\"`")
        }
        Skip::UnknownPolicy(_) => "set the injector's policy to `enabled` or `disabled`".to_owned(),
        Skip::Injector => return None,
    })
}

/// Why no webhook is called, and what to do about it.
fn not_called(known: &Known, subject: &Subject, namespace_labels: Option<&Labels>) -> (String, String) {
    let namespace = &subject.candidate.namespace;
    let revisions = known.hooks.revisions();
    if revisions.is_empty() {
        return (
            "the cluster has no injection webhook".to_owned(),
            "install Istio in it, or look whether this is the right cluster (`--context`)".to_owned(),
        );
    }
    let Some(labels) = namespace_labels else {
        return (
            format!("there is no namespace `{namespace}`"),
            "name its namespace with `-n`".to_owned(),
        );
    };
    let pod_labels = subject.labels();
    let of_namespace = labels.get(REVISION_LABEL);
    let wanted = of_namespace.or(pod_labels.get(REVISION_LABEL));
    let injection = labels.get(NAMESPACE_LABEL);
    let known_revision = |name: &str| revisions.contains(&name);
    match (injection.map(String::as_str), wanted) {
        (Some(value), Some(revision)) => (
            format!(
                "the namespace has the label `{NAMESPACE_LABEL}: {value}`, so that `{REVISION_LABEL}: {revision}` does not count"
            ),
            format!("take the former away: `kubectl label namespace {namespace} {NAMESPACE_LABEL}-`"),
        ),
        (_, Some(revision)) if !known_revision(revision) => (
            format!("there is no revision or tag `{revision}`, which `{REVISION_LABEL}` asks for"),
            format!("choose one of those that there are: {}", revisions.join(", ")),
        ),
        (Some(value), None) if value != "enabled" => (
            format!("the namespace has the label `{NAMESPACE_LABEL}: {value}`"),
            format!(
                "if it is to be injected: `kubectl label namespace {namespace} {NAMESPACE_LABEL}=enabled --overwrite`"
            ),
        ),
        (Some(_), None) => (
            format!("no webhook is there for the label `{NAMESPACE_LABEL}: enabled` of the namespace"),
            format!(
                "choose a revision: `kubectl label namespace {namespace} {NAMESPACE_LABEL}- {REVISION_LABEL}={}`",
                revisions[0]
            ),
        ),
        (None, _) => {
            let enabled = Labels::from([(NAMESPACE_LABEL.to_owned(), "enabled".to_owned())]);
            let hooks_enabled = known
                .hooks
                .all()
                .iter()
                .any(|hook| hook.examine(namespace, &enabled, &pod_labels).is_match());
            let label = if hooks_enabled {
                format!("{NAMESPACE_LABEL}=enabled")
            } else {
                format!("{REVISION_LABEL}={}", revisions[0])
            };
            let annotation = subject
                .pod
                .get("metadata")
                .and_then(|metadata| metadata.get("annotations"));
            let annotated = annotation.and_then(|annotations| annotations.get(POD_LABEL));
            let reason = if annotated.is_some_and(|value| value == "true") {
                format!(
                    "only the annotation `{POD_LABEL}` of the pod asks for a sidecar, and webhooks go by labels"
                )
            } else {
                format!("neither the namespace `{namespace}` nor the pod asks for a sidecar")
            };
            (
                reason,
                format!(
                    "if it is to be injected: `kubectl label namespace {namespace} {label}`, then restart its pods"
                ),
            )
        }
    }
}
