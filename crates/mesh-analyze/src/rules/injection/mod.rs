//! Rules on sidecar injection and on pods that clash with it.

pub mod conflicting_injection_labels;
pub mod image_auto_without_injection;
pub mod invalid_injection_label;
pub mod sidecar_uid;

use mesh_core::k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use mesh_core::k8s_openapi::api::core::v1::Container;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use mesh_core::{Labels, Mesh, Workload};
use mesh_yaml::FieldPath;
use rustc_hash::FxHashMap;

/// The label of namespaces that asks for sidecars of the default revision.
pub(super) const NAMESPACE_LABEL: &str = "istio-injection";
/// The label of namespaces and pods that asks for sidecars of a revision.
pub(super) const REVISION_LABEL: &str = "istio.io/rev";
/// The label and annotation of pods that asks for a sidecar, or refuses it.
pub(super) const POD_LABEL: &str = "sidecar.istio.io/inject";
/// The label of namespaces and pods that chooses the ambient data plane.
pub(super) const DATAPLANE_LABEL: &str = "istio.io/dataplane-mode";

/// The container that the injector adds.
pub(super) const PROXY_CONTAINER: &str = "istio-proxy";

/// The namespaces that the injector never touches.
const SYSTEM_NAMESPACES: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// Whether pods get a sidecar when they are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Injection {
    /// They do.
    Yes,
    /// They are told not to; with the reason, a clause.
    Refused(String),
    /// Nothing asks for it; with the reason, a clause.
    NotAsked(String),
    /// The input does not show their namespace.
    Unknown,
}

/// Tells whether pods get sidecars, by the webhooks of the input, or else by those that Istio installs.
pub(super) struct Injector<'m> {
    namespaces: FxHashMap<&'m str, &'m Labels>,
    webhooks: Vec<&'m MutatingWebhook>,
}

impl<'m> Injector<'m> {
    pub(super) fn new(mesh: &'m Mesh) -> Self {
        let namespaces = mesh
            .namespaces()
            .iter()
            .map(|namespace| (namespace.name(), namespace.labels()))
            .collect();
        let webhooks = mesh
            .mutating_webhooks()
            .iter()
            .flat_map(|configuration| configuration.spec.webhooks.as_deref().unwrap_or_default())
            .filter(|webhook| webhook.name.ends_with("sidecar-injector.istio.io"))
            .collect();
        Self { namespaces, webhooks }
    }

    /// Whether pods of the workload get a sidecar.
    pub(super) fn injection(&self, workload: &Workload) -> Injection {
        let (namespace, labels) = (workload.namespace(), workload.labels());
        if workload.uses_host_network() {
            return Injection::Refused("the pods use the network of their node".to_owned());
        }
        if SYSTEM_NAMESPACES.contains(&namespace) {
            return Injection::Refused(format!("the namespace `{namespace}` is never injected"));
        }
        let opt_out = match labels.get(POD_LABEL) {
            Some(label) => label == "false",
            None => workload
                .annotations()
                .get(POD_LABEL)
                .is_some_and(|value| value == "false"),
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
    pub(super) fn is_ambient(&self, workload: &Workload) -> bool {
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

/// Whether a Kubernetes label selector selects labels; absent selects all. `name` is that of a namespace, which every
/// namespace has as a label too.
fn selects(selector: Option<&LabelSelector>, labels: &Labels, name: Option<&str>) -> bool {
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

/// All containers of the pods, each with its path in the owner: init containers, then the others.
fn containers(workload: &Workload) -> Vec<(&Container, FieldPath)> {
    let Some(spec) = workload.pod_spec() else {
        return Vec::new();
    };
    let path = workload.spec_path();
    let list = |list: Option<&'_ [Container]>, key: &str| {
        let path = path.key(key);
        let count = list.map_or(0, <[Container]>::len);
        (0..count).map(move |index| path.index(index)).collect::<Vec<_>>()
    };
    let init = spec.init_containers.as_deref();
    let containers = Some(&spec.containers[..]);
    let paths = list(init, "initContainers")
        .into_iter()
        .chain(list(containers, "containers"));
    init.unwrap_or_default()
        .iter()
        .chain(&spec.containers)
        .zip(paths)
        .collect()
}

/// Whether the object is a part of Istio itself.
pub(super) fn is_istio_component(labels: &Labels) -> bool {
    labels.contains_key("istio") || labels.get("release").is_some_and(|release| release == "istio")
}
