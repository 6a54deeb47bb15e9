//! Sidecar injection: whether a pod gets a sidecar when it is made, and why not.

use k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use rustc_hash::FxHashMap;

use crate::{Labels, Mesh, Workload};

/// The label of namespaces that asks for sidecars of the default revision.
pub const NAMESPACE_LABEL: &str = "istio-injection";
/// The label of namespaces and pods that asks for sidecars of a revision.
pub const REVISION_LABEL: &str = "istio.io/rev";
/// The label and annotation of pods that asks for a sidecar, or refuses it.
pub const POD_LABEL: &str = "sidecar.istio.io/inject";
/// The label of namespaces and pods that chooses the ambient data plane.
pub const DATAPLANE_LABEL: &str = "istio.io/dataplane-mode";

/// The container that the injector adds.
pub const PROXY_CONTAINER: &str = "istio-proxy";

/// The namespaces that the injector never touches.
pub const SYSTEM_NAMESPACES: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// Whether pods get a sidecar when they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Injection {
    /// They do.
    Yes,
    /// They are told not to; with the reason, a clause.
    Refused(String),
    /// Nothing asks for it; with the reason, a clause.
    NotAsked(String),
    /// The input does not show their namespace.
    Unknown,
}

/// What decides about the injection of a pod.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The namespace of the pod.
    pub namespace: &'a str,
    /// The labels of the pod.
    pub labels: &'a Labels,
    /// The annotations of the pod.
    pub annotations: &'a Labels,
    /// Whether it uses the network of its node.
    pub uses_host_network: bool,
}

/// Tells whether pods get sidecars, by the webhooks of the input, or else by those that Istio installs.
#[derive(Clone, Debug)]
pub struct Injector<'m> {
    namespaces: FxHashMap<&'m str, &'m Labels>,
    webhooks: Vec<&'m MutatingWebhook>,
}

impl<'m> Injector<'m> {
    /// By the namespaces and webhooks of a mesh.
    pub fn new(mesh: &'m Mesh) -> Self {
        let namespaces = mesh
            .namespaces()
            .iter()
            .map(|namespace| (namespace.name(), namespace.labels()));
        let webhooks = mesh
            .mutating_webhooks()
            .iter()
            .flat_map(|configuration| configuration.spec.webhooks.as_deref().unwrap_or_default());
        Self::of(namespaces, webhooks)
    }

    /// By namespaces with their labels, and the mutating webhooks, of which only Istio's count.
    pub fn of(
        namespaces: impl IntoIterator<Item = (&'m str, &'m Labels)>,
        webhooks: impl IntoIterator<Item = &'m MutatingWebhook>,
    ) -> Self {
        Self {
            namespaces: namespaces.into_iter().collect(),
            webhooks: webhooks
                .into_iter()
                .filter(|webhook| is_injector(webhook))
                .collect(),
        }
    }

    /// Whether pods of the workload get a sidecar.
    pub fn injection(&self, workload: &Workload) -> Injection {
        self.decide(Candidate {
            namespace: workload.namespace(),
            labels: workload.labels(),
            annotations: workload.annotations(),
            uses_host_network: workload.uses_host_network(),
        })
    }

    /// Whether a pod gets a sidecar.
    pub fn decide(&self, pod: Candidate<'_>) -> Injection {
        let Candidate {
            namespace,
            labels,
            annotations,
            uses_host_network,
        } = pod;
        if uses_host_network {
            return Injection::Refused("the pods use the network of their node".to_owned());
        }
        if SYSTEM_NAMESPACES.contains(&namespace) {
            return Injection::Refused(format!("the namespace `{namespace}` is never injected"));
        }
        let opt_out = match labels.get(POD_LABEL) {
            Some(label) => label == "false",
            None => annotations.get(POD_LABEL).is_some_and(|value| value == "false"),
        };
        if opt_out {
            return Injection::Refused(format!("`{POD_LABEL}` of the pods is false"));
        }
        let asks = labels.get(POD_LABEL).is_some_and(|label| label == "true");
        let Some(namespace_labels) = self.namespaces.get(namespace) else {
            return if asks && self.webhooks.is_empty() {
                Injection::Yes
            } else {
                Injection::Unknown
            };
        };
        if !self.webhooks.is_empty() {
            return self.by_webhooks(namespace, namespace_labels, labels);
        }
        match namespace_labels.get(NAMESPACE_LABEL).map(String::as_str) {
            Some("enabled") => Injection::Yes,
            Some(value) => Injection::Refused(format!(
                "the namespace `{namespace}` has the label `{NAMESPACE_LABEL}: {value}`"
            )),
            None if asks
                || [*namespace_labels, labels]
                    .iter()
                    .any(|labels| has_revision(labels)) =>
            {
                Injection::Yes
            }
            None => Injection::NotAsked(format!(
                "neither the namespace `{namespace}` nor the pods ask for a sidecar"
            )),
        }
    }

    fn by_webhooks(&self, namespace: &str, namespace_labels: &Labels, labels: &Labels) -> Injection {
        let matches = |webhook: &&MutatingWebhook| {
            selects(
                webhook.namespace_selector.as_ref(),
                namespace_labels,
                Some(namespace),
            ) && selects(webhook.object_selector.as_ref(), labels, None)
        };
        if self.webhooks.iter().any(matches) {
            Injection::Yes
        } else if namespace_labels
            .get(NAMESPACE_LABEL)
            .is_some_and(|value| value != "enabled")
        {
            Injection::Refused(format!(
                "the namespace `{namespace}` has the label `{NAMESPACE_LABEL}: {}`",
                namespace_labels[NAMESPACE_LABEL]
            ))
        } else {
            Injection::NotAsked(format!(
                "no injection webhook selects the pods in the namespace `{namespace}`"
            ))
        }
    }

    /// Whether the namespace is in the ambient data plane.
    pub fn is_ambient(&self, workload: &Workload) -> bool {
        let mode = |labels: &Labels| labels.get(DATAPLANE_LABEL).cloned();
        let namespace = self
            .namespaces
            .get(workload.namespace())
            .and_then(|labels| mode(labels));
        mode(workload.labels()).or(namespace).as_deref() == Some("ambient")
    }
}

fn has_revision(labels: &Labels) -> bool {
    labels
        .get(REVISION_LABEL)
        .is_some_and(|revision| !revision.is_empty())
}

/// Whether the webhook is one of Istio's injectors.
pub fn is_injector(webhook: &MutatingWebhook) -> bool {
    webhook.name.ends_with("sidecar-injector.istio.io")
}

/// Whether a Kubernetes label selector selects labels; absent selects all. `name` is that of a namespace, which every
/// namespace has as a label too.
pub fn selects(selector: Option<&LabelSelector>, labels: &Labels, name: Option<&str>) -> bool {
    let Some(selector) = selector else { return true };
    let value = |key: &str| match (labels.get(key), key) {
        (None, "kubernetes.io/metadata.name") => name,
        (value, _) => value.map(String::as_str),
    };
    let by_labels = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, wanted)| value(key) == Some(wanted));
    by_labels
        && selector.match_expressions.iter().flatten().all(|expression| {
            let found = value(&expression.key);
            let among = |value: &str| {
                expression
                    .values
                    .iter()
                    .flatten()
                    .any(|candidate| candidate == value)
            };
            match expression.operator.as_str() {
                "In" => found.is_some_and(among),
                "NotIn" => !found.is_some_and(among),
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}
