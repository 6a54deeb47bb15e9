//! Whether a pod is injected.

use std::fmt;

use mesh_core::Labels;
use mesh_core::injection::{NAMESPACE_LABEL, POD_LABEL, SYSTEM_NAMESPACES};
use serde_json::Value;

use crate::settings::{Policy, Settings, selects_pod};
use crate::tree::{annotation, label, plain};

/// Why a pod is not injected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    /// It uses the network of its node.
    HostNetwork,
    /// It is in a namespace that is never injected.
    SystemNamespace(String),
    /// Its namespace refuses injection by its label `istio-injection`.
    Namespace(String),
    /// Its label says no.
    Label,
    /// Its annotation says no.
    Annotation,
    /// It does not say, and a selector of the injector's configuration leaves it out.
    NeverSelector,
    /// It does not say, and the injector's policy is not to.
    Policy,
    /// The injector's policy is a word that Istio does not know.
    UnknownPolicy(String),
    /// The mesh's own injector was asked, and leaves it as it is.
    Injector,
}

impl Skip {
    /// A short name that does not change, for metrics and machines.
    pub fn name(&self) -> &'static str {
        match self {
            Self::HostNetwork => "host-network",
            Self::SystemNamespace(_) => "system-namespace",
            Self::Namespace(_) => "namespace",
            Self::Label => "label",
            Self::Annotation => "annotation",
            Self::NeverSelector => "never-selector",
            Self::Policy => "policy",
            Self::UnknownPolicy(_) => "unknown-policy",
            Self::Injector => "injector",
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostNetwork => formatter.write_str("it uses the network of its node (`hostNetwork: true`)"),
            Self::SystemNamespace(name) => write!(formatter, "the namespace `{name}` is never injected"),
            Self::Namespace(name) => write!(
                formatter,
                "the namespace `{name}` has the label `{NAMESPACE_LABEL}: disabled`"
            ),
            Self::Label => write!(formatter, "its pods have the label `{POD_LABEL}: \"false\"`"),
            Self::Annotation => write!(formatter, "its pods have the annotation `{POD_LABEL}: \"false\"`"),
            Self::NeverSelector => formatter
                .write_str("a `neverInjectSelector` of the injector's configuration selects its pods"),
            Self::Policy => write!(
                formatter,
                "the injector's policy is `disabled`, and its pods do not have the label `{POD_LABEL}: \"true\"`"
            ),
            Self::UnknownPolicy(policy) => {
                write!(
                    formatter,
                    "the injector's policy is `{policy}`, which Istio does not know"
                )
            }
            Self::Injector => formatter.write_str("the mesh's injector leaves it as it is"),
        }
    }
}

/// Whether a pod in a namespace is injected: `None` if it is, or else why not. `namespace_labels` are those of the
/// namespace, if they are known; only a refusal counts, as this is for pods that somebody wants to be injected.
pub fn decide(
    settings: &Settings,
    pod: &Value,
    namespace: &str,
    namespace_labels: Option<&Labels>,
) -> Option<Skip> {
    let uses_host_network = pod
        .get("spec")
        .and_then(|spec| spec.get("hostNetwork"))
        .and_then(Value::as_bool);
    if uses_host_network == Some(true) {
        return Some(Skip::HostNetwork);
    }
    if SYSTEM_NAMESPACES.contains(&namespace) {
        return Some(Skip::SystemNamespace(namespace.to_owned()));
    }
    if let Policy::Unknown(policy) = &settings.injector.policy {
        return Some(Skip::UnknownPolicy(policy.clone()));
    }
    let (asked, skip) = match label(pod, POD_LABEL) {
        Some(label) => (label, Skip::Label),
        None => (annotation(pod, POD_LABEL).unwrap_or_default(), Skip::Annotation),
    };
    if asked == "false" {
        return Some(skip);
    }
    let refuses = |labels: &Labels| {
        labels
            .get(NAMESPACE_LABEL)
            .is_some_and(|value| value == "disabled")
    };
    if namespace_labels.is_some_and(refuses) {
        return Some(Skip::Namespace(namespace.to_owned()));
    }
    if asked == "true" {
        return None;
    }
    let injector = &settings.injector;
    if !injector.never.is_empty() || !injector.always.is_empty() {
        let labels = labels(pod);
        if injector
            .never
            .iter()
            .any(|selector| selects_pod(selector, &labels))
        {
            return Some(Skip::NeverSelector);
        }
        if injector
            .always
            .iter()
            .any(|selector| selects_pod(selector, &labels))
        {
            return None;
        }
    }
    (injector.policy == Policy::Disabled).then_some(Skip::Policy)
}

fn labels(pod: &Value) -> Labels {
    let labels = pod.get("metadata").and_then(|metadata| metadata.get("labels"));
    let entries = labels.and_then(Value::as_object).into_iter().flatten();
    entries.map(|(key, value)| (key.clone(), plain(value))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::settings::InjectorConfig;

    #[test]
    fn the_first_reason_in_the_order_of_the_injector_counts() {
        let pod = |labels: Value, annotations: Value, spec: Value| json!({"metadata": {"labels": labels, "annotations": annotations}, "spec": spec});
        let inject = |value: &str| json!({POD_LABEL: value});
        let config = |policy: &str| {
            let injector = InjectorConfig::read(&json!({
                "policy": policy,
                "neverInjectSelector": [{}, {"matchLabels": {"never": "yes"}}],
                "alwaysInjectSelector": [{"matchExpressions": [{"key": "always", "operator": "Exists"}]}],
            }));
            Settings {
                injector,
                ..Settings::default()
            }
        };
        for (policy, pod, namespace, expected) in [
            ("enabled", pod(json!({}), json!({}), json!({})), "shop", None),
            (
                "enabled",
                pod(inject("true"), json!({}), json!({"hostNetwork": true})),
                "kube-system",
                Some(Skip::HostNetwork),
            ),
            (
                "enabled",
                pod(inject("true"), json!({}), json!({})),
                "kube-system",
                Some(Skip::SystemNamespace("kube-system".to_owned())),
            ),
            (
                "enabled",
                pod(inject("false"), inject("true"), json!({})),
                "shop",
                Some(Skip::Label),
            ),
            (
                "enabled",
                pod(inject(""), inject("false"), json!({})),
                "shop",
                None,
            ),
            (
                "enabled",
                pod(json!({}), inject("false"), json!({})),
                "shop",
                Some(Skip::Annotation),
            ),
            (
                "enabled",
                pod(json!({}), inject("False"), json!({})),
                "shop",
                None,
            ),
            (
                "enabled",
                pod(json!({"never": "yes", "always": ""}), json!({}), json!({})),
                "shop",
                Some(Skip::NeverSelector),
            ),
            (
                "enabled",
                pod(json!({"never": "yes"}), inject("true"), json!({})),
                "shop",
                None,
            ),
            (
                "disabled",
                pod(json!({}), json!({}), json!({})),
                "shop",
                Some(Skip::Policy),
            ),
            (
                "disabled",
                pod(json!({"always": ""}), json!({}), json!({})),
                "shop",
                None,
            ),
            (
                "disabled",
                pod(json!({}), inject("true"), json!({})),
                "shop",
                None,
            ),
            (
                "sometimes",
                pod(inject("true"), json!({}), json!({})),
                "shop",
                Some(Skip::UnknownPolicy("sometimes".to_owned())),
            ),
            (
                "enabled",
                pod(inject("true"), json!({}), json!({})),
                "off",
                Some(Skip::Namespace("off".to_owned())),
            ),
        ] {
            let labels = Labels::from([(NAMESPACE_LABEL.to_owned(), "disabled".to_owned())]);
            let labels = (namespace == "off").then_some(&labels);
            assert_eq!(
                decide(&config(policy), &pod, namespace, labels),
                expected,
                "{policy} {pod}"
            );
        }
    }
}
