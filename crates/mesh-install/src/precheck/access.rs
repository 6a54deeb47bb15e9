//! What installing a mesh needs to be allowed, and what is missing of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::Options;
use super::facts::Read;
use crate::manifest::ComponentName;

/// Everything that can be done with objects of a kind.
const ALL: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];
/// Looking only.
const LOOK: &[&str] = &["get", "list", "watch"];

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Why a right is needed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To install: objects that belong to the whole cluster.
    Cluster,
    /// To install: objects of the control plane's namespace.
    Namespace,
    /// To hand on to the control plane. Who makes a role needs all rights that it gives, or the verb `escalate`
    /// (Kubernetes, "Privilege escalation prevention and bootstrapping").
    Grant,
}

/// A right that is needed.
#[derive(PartialEq, Eq, Debug)]
pub struct Need {
    /// Why.
    pub purpose: Purpose,
    /// The API group.
    pub group: &'static str,
    /// The plural of the kind.
    pub resource: &'static str,
    /// What is done.
    pub verbs: &'static [&'static str],
    /// The components that make it necessary; empty if it always is.
    pub only_for: &'static [ComponentName],
}

const fn need(
    purpose: Purpose,
    group: &'static str,
    resource: &'static str,
    verbs: &'static [&'static str],
) -> Need {
    Need {
        purpose,
        group,
        resource,
        verbs,
        only_for: &[],
    }
}

use Purpose::{Cluster, Grant, Namespace};

/// All rights that are needed. The objects are those that Istio's charts make; those to hand on are the ones of
/// istiod's ClusterRoles.
pub static NEEDS: &[Need] = &[
    need(
        Cluster,
        "",
        "namespaces",
        &["get", "list", "watch", "create", "patch"],
    ),
    need(Cluster, "apiextensions.k8s.io", "customresourcedefinitions", ALL),
    need(Cluster, RBAC, "clusterroles", ALL),
    need(Cluster, RBAC, "clusterrolebindings", ALL),
    need(Cluster, ADMISSION, "mutatingwebhookconfigurations", ALL),
    need(Cluster, ADMISSION, "validatingwebhookconfigurations", ALL),
    need(Namespace, "", "serviceaccounts", ALL),
    need(Namespace, "", "services", ALL),
    need(Namespace, "", "configmaps", ALL),
    need(Namespace, "", "secrets", LOOK),
    need(Namespace, "", "pods", LOOK),
    need(Namespace, "", "events", LOOK),
    need(Namespace, "apps", "deployments", ALL),
    need(Namespace, "apps", "replicasets", LOOK),
    Need {
        only_for: &[ComponentName::Cni, ComponentName::Ztunnel],
        ..need(Namespace, "apps", "daemonsets", ALL)
    },
    need(Namespace, RBAC, "roles", ALL),
    need(Namespace, RBAC, "rolebindings", ALL),
    need(Namespace, "autoscaling", "horizontalpodautoscalers", ALL),
    need(Namespace, "policy", "poddisruptionbudgets", ALL),
    need(Namespace, "coordination.k8s.io", "leases", LOOK),
    need(Grant, RBAC, "clusterroles", &["escalate", "bind"]),
    need(Grant, RBAC, "roles", &["escalate", "bind"]),
];

/// What istiod's roles give it, as far as one who may not `escalate` must have it too.
pub static GRANTED: &[Need] = &[
    need(
        Grant,
        ADMISSION,
        "mutatingwebhookconfigurations",
        &["get", "list", "watch", "update", "patch"],
    ),
    need(
        Grant,
        ADMISSION,
        "validatingwebhookconfigurations",
        &["get", "list", "watch", "update"],
    ),
    need(Grant, "networking.istio.io", "*", LOOK),
    need(Grant, "security.istio.io", "*", LOOK),
    need(Grant, "telemetry.istio.io", "*", LOOK),
    need(Grant, "extensions.istio.io", "*", LOOK),
    need(Grant, "networking.istio.io", "workloadentries", ALL),
    need(Grant, "apiextensions.k8s.io", "customresourcedefinitions", LOOK),
    need(Grant, "", "nodes", LOOK),
    need(Grant, "", "pods", LOOK),
    need(Grant, "", "services", ALL),
    need(Grant, "", "namespaces", LOOK),
    need(Grant, "", "endpoints", LOOK),
    need(Grant, "", "secrets", LOOK),
    need(Grant, "", "serviceaccounts", ALL),
    need(
        Grant,
        "",
        "configmaps",
        &["create", "get", "list", "watch", "update"],
    ),
    need(Grant, "discovery.k8s.io", "endpointslices", LOOK),
    need(Grant, "networking.k8s.io", "ingresses", LOOK),
    need(Grant, "networking.k8s.io", "ingressclasses", LOOK),
    need(Grant, "networking.k8s.io", "ingresses/status", &["*"]),
    need(Grant, "authentication.k8s.io", "tokenreviews", &["create"]),
    need(Grant, "authorization.k8s.io", "subjectaccessreviews", &["create"]),
    need(
        Grant,
        "gateway.networking.k8s.io",
        "*",
        &["get", "list", "watch", "update", "patch"],
    ),
    need(Grant, "apps", "deployments", ALL),
    need(Grant, "autoscaling", "horizontalpodautoscalers", ALL),
    need(Grant, "policy", "poddisruptionbudgets", ALL),
];

impl Need {
    /// Whether it is needed for what is to be installed.
    pub fn applies_to(&self, options: &Options) -> bool {
        self.only_for.is_empty() || self.only_for.iter().any(|component| options.installs(*component))
    }
}

/// The API server's answer about one verb of a need.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// What was asked about.
    pub need: &'static Need,
    /// The verb.
    pub verb: &'static str,
    /// Whether it is allowed.
    pub allowed: Read<bool>,
}

/// What is missing, by need.
pub(super) fn missing<'a>(
    access: impl IntoIterator<Item = &'a Access>,
) -> Vec<(&'static Need, Vec<&'static str>)> {
    let mut missing: Vec<(&'static Need, Vec<&'static str>)> = Vec::new();
    for answer in access.into_iter().filter(|answer| answer.allowed == Ok(false)) {
        match missing.last_mut() {
            Some((need, verbs)) if std::ptr::eq(*need, answer.need) => verbs.push(answer.verb),
            _ => missing.push((answer.need, vec![answer.verb])),
        }
    }
    missing
}

/// A role of this name with what is missing, and its binding to the user: of the cluster, or of a namespace.
pub(super) fn role(
    name: &str,
    missing: &[(&'static Need, Vec<&'static str>)],
    namespace: Option<&str>,
    user: Option<&str>,
) -> String {
    let prefix = if namespace.is_some() { "" } else { "Cluster" };
    let place = namespace
        .map(|namespace| format!("  namespace: {}\n", quoted(namespace)))
        .unwrap_or_default();
    let mut by_verbs: BTreeMap<(&str, &[&str]), Vec<&str>> = BTreeMap::new();
    for (need, verbs) in missing {
        by_verbs
            .entry((need.group, verbs))
            .or_default()
            .push(need.resource);
    }
    let list = |words: &[&str]| {
        words
            .iter()
            .map(|word| quoted(word))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut text =
        format!("apiVersion: {RBAC}/v1\nkind: {prefix}Role\nmetadata:\n  name: {name}\n{place}rules:\n");
    for ((group, verbs), resources) in by_verbs {
        let _ = write!(
            text,
            "- apiGroups: [{}]\n  resources: [{}]\n  verbs: [{}]\n",
            quoted(group),
            list(&resources),
            list(verbs)
        );
    }
    if let Some(user) = user.filter(|user| !user.is_empty()) {
        let _ = write!(
            text,
            "---\napiVersion: {RBAC}/v1\nkind: {prefix}RoleBinding\nmetadata:\n  name: {name}\n{place}\
             roleRef:\n  apiGroup: {RBAC}\n  kind: {prefix}Role\n  name: {name}\nsubjects:\n{}",
            subject(user)
        );
    }
    text
}

fn subject(user: &str) -> String {
    match user
        .strip_prefix("system:serviceaccount:")
        .and_then(|rest| rest.split_once(':'))
    {
        Some((namespace, name)) => format!(
            "- kind: ServiceAccount\n  name: {}\n  namespace: {}\n",
            quoted(name),
            quoted(namespace)
        ),
        None => format!("- apiGroup: {RBAC}\n  kind: User\n  name: {}\n", quoted(user)),
    }
}

/// A word as it stands, anything else as a JSON string, which is YAML too.
fn quoted(text: &str) -> String {
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '/'))
        && !matches!(
            text,
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}
