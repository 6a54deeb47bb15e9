//! Annotations and labels on objects that they have no effect on.

use mesh_core::annotations::{MetadataKey, annotation, label};
use mesh_core::{Kind, Mesh};

use super::{Described, each};
use crate::rules::words;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An annotation or label of Istio's is on an object that it has no effect on.
    ///
    /// ## Why is this bad?
    /// Most of them are for pods. On the Deployment that makes the pods they do nothing, and so the sidecar keeps its
    /// default settings.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata:
    ///   name: cart
    ///   annotations:
    ///     traffic.sidecar.istio.io/excludeOutboundPorts: "6379"
    /// spec:
    ///   selector: {matchLabels: {app: cart}}
    ///   template:
    ///     metadata: {labels: {app: cart}}
    ///     spec: {containers: [{name: app, image: cart}]}
    /// ```
    ///
    /// ## Fix
    /// Move it to where it belongs: for pods, to `spec.template.metadata`.
    pub static RULE = {
        name: "misplaced-annotation",
        aliases: &["IST0107"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

/// The label that has the pods of a namespace injected.
const INJECTION: &str = "istio-injection";

/// The labels that are judged. Of others, tools put copies on all objects of an application.
const JUDGED_LABELS: [&str; 3] = [INJECTION, "istio.io/dataplane-mode", "sidecar.istio.io/inject"];

/// Validation reports this one.
const DRY_RUN: &str = "istio.io/dry-run";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each(mesh, |described| {
        for (key, value) in described.annotations {
            let on_pods = described.pods.and_then(|pods| pods.annotations().get(key));
            match (annotation(key), label(key)) {
                (Some(known), _) => {
                    let matters = !known.is_automatic && !known.applies_to(described.kind);
                    // A tool that sets it everywhere has set it in the right place too.
                    if matters && on_pods != Some(value) && !(key == DRY_RUN && described.kind.is_istio()) {
                        reporter
                            .report(described.header, described.annotation(key))
                            .on_key()
                            .message(no_effect(key, known, described))
                            .help(place(key, known, described, "annotations"));
                    }
                }
                (None, Some(known)) => {
                    let belongs = known.applies_to(described.kind) || described.pods.is_some();
                    if belongs && !known.is_automatic && !described.labels.contains_key(key) {
                        reporter
                            .report(described.header, described.annotation(key))
                            .on_key()
                            .message(format!("`{key}` is a label, and has no effect as an annotation"))
                            .help(if known.applies_to(described.kind) {
                                format!("move it to `{}`", described.path.key("labels"))
                            } else {
                                place(key, known, described, "labels")
                            });
                    }
                }
                (None, None) => {}
            }
        }
        if described.kind != Kind::Namespace && described.kind != Kind::Pod && described.pods.is_none() {
            return;
        }
        for key in described.labels.keys() {
            match (label(key), annotation(key)) {
                (Some(known), _) => {
                    let on_pods = described.pods.is_some_and(|pods| pods.labels().contains_key(key));
                    if JUDGED_LABELS.contains(&key.as_str()) && !known.applies_to(described.kind) && !on_pods
                    {
                        reporter
                            .report(described.header, described.label(key))
                            .on_key()
                            .message(no_effect(key, known, described))
                            .help(place(key, known, described, "labels"));
                    }
                }
                (None, Some(known)) => {
                    let matters = !known.is_automatic && !known.kinds.is_empty();
                    if matters && !described.annotations.contains_key(key) {
                        reporter
                            .report(described.header, described.label(key))
                            .on_key()
                            .message(format!("`{key}` is an annotation, and has no effect as a label"))
                            .help(if known.applies_to(described.kind) {
                                format!("move it to `{}`", described.path.key("annotations"))
                            } else {
                                place(key, known, described, "annotations")
                            });
                    }
                }
                (None, None) => {}
            }
        }
    });
}

fn no_effect(key: &str, known: &MetadataKey, described: &Described<'_>) -> String {
    let kinds: Vec<_> = known.kinds.iter().map(|kind| plural(*kind)).collect();
    format!(
        "`{key}` has no effect on {}: it is for {}",
        described.noun(),
        kinds.join(", ")
    )
}

fn plural(kind: Kind) -> String {
    match kind {
        Kind::Pod => "pods".to_owned(),
        Kind::Namespace => "namespaces".to_owned(),
        Kind::KubernetesGateway => "Gateways of the Gateway API".to_owned(),
        kind => words::plural(kind),
    }
}

/// Where to put it instead.
fn place(key: &str, known: &MetadataKey, described: &Described<'_>, part: &str) -> String {
    let for_pods = known.kinds.contains(&Kind::Pod);
    if let (Some(pods), true) = (described.pods, for_pods) {
        return format!("move it to `{}`", pods.template_path().key("metadata").key(part));
    }
    match (key, described.kind) {
        (INJECTION, _) => {
            "label the namespace, or set the label `sidecar.istio.io/inject` of the pods".to_owned()
        }
        (
            "networking.istio.io/exportTo",
            Kind::ServiceEntry | Kind::VirtualService | Kind::DestinationRule,
        ) => "set `spec.exportTo`".to_owned(),
        ("sidecar.istio.io/inject", Kind::Namespace) => {
            "set the label `istio-injection` of the namespace to `enabled` or `disabled`".to_owned()
        }
        (_, Kind::Namespace | Kind::Service | Kind::Ingress) if for_pods => {
            "move it to the template of the pods, for example to `spec.template.metadata` of their Deployment"
                .to_owned()
        }
        _ => match known.kinds {
            [kind] => format!("move it to {}", words::with_article(*kind)),
            _ => "move it to one of these, or remove it".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings_with_help;

    fn found(text: &str) -> Vec<String> {
        findings_with_help("misplaced-annotation", text)
    }

    fn deployment(metadata: &str, template: &str) -> Vec<String> {
        found(&format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a, {metadata}}}\nspec:\n  selector: \
             {{matchLabels: {{app: a}}}}\n  template:\n    metadata: {{{template}}}\n    spec: {{containers: []}}\n"
        ))
    }

    #[test]
    fn what_is_for_pods_has_no_effect_on_their_owner() {
        let key = "sidecar.istio.io/proxyCPU";
        assert_eq!(
            deployment(&format!("annotations: {{{key}: 100m}}"), ""),
            [
                "metadata.annotations[\"sidecar.istio.io/proxyCPU\"]: `sidecar.istio.io/proxyCPU` has no effect on a \
                 Deployment: it is for pods (move it to `spec.template.metadata.annotations`)"
            ]
        );
        assert_eq!(
            deployment("labels: {sidecar.istio.io/inject: 'true'}", ""),
            [
                "metadata.labels[\"sidecar.istio.io/inject\"]: `sidecar.istio.io/inject` has no effect on a \
                 Deployment: it is for pods (move it to `spec.template.metadata.labels`)"
            ]
        );
        assert_eq!(
            deployment("labels: {istio-injection: enabled}", ""),
            [
                "metadata.labels.istio-injection: `istio-injection` has no effect on a Deployment: it is for \
                 namespaces (label the namespace, or set the label `sidecar.istio.io/inject` of the pods)"
            ]
        );
        assert_eq!(
            deployment(
                "name: b",
                "labels: {traffic.sidecar.istio.io/excludeInboundPorts: '80'}"
            ),
            [
                "spec.template.metadata.labels[\"traffic.sidecar.istio.io/excludeInboundPorts\"]: \
                 `traffic.sidecar.istio.io/excludeInboundPorts` is an annotation, and has no effect as a label (move \
                 it to `spec.template.metadata.annotations`)"
            ]
        );
    }

    #[test]
    fn what_is_in_the_right_place_too_is_not_reported() {
        for (metadata, template) in [
            ("name: b", "annotations: {sidecar.istio.io/proxyCPU: 100m}"),
            (
                "annotations: {proxy.istio.io/config: '{}'}",
                "annotations: {proxy.istio.io/config: '{}'}",
            ),
            (
                "labels: {sidecar.istio.io/inject: 'true'}",
                "labels: {sidecar.istio.io/inject: 'true'}",
            ),
            ("labels: {istio.io/rev: a, istio: b}", ""),
            (
                "annotations: {galley.istio.io/analyze-suppress: '*', example.com/a: b}",
                "",
            ),
        ] {
            assert_eq!(deployment(metadata, template), [""; 0], "{metadata}");
        }
    }

    #[test]
    fn other_objects_are_looked_at() {
        for (object, expected) in [
            (
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {sidecar.istio.io/inject: 'true'}}",
                "metadata.labels[\"sidecar.istio.io/inject\"]: `sidecar.istio.io/inject` has no effect on a Namespace: \
                 it is for pods (set the label `istio-injection` of the namespace to `enabled` or `disabled`)",
            ),
            (
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, annotations: {istio-injection: enabled}}",
                "metadata.annotations.istio-injection: `istio-injection` is a label, and has no effect as an \
                 annotation (move it to `metadata.labels`)",
            ),
            (
                "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {proxy.istio.io/config: '{}'}}",
                "metadata.annotations[\"proxy.istio.io/config\"]: `proxy.istio.io/config` has no effect on a Service: \
                 it is for pods, WorkloadGroups, WorkloadEntries (move it to the template of the pods, for example \
                 to `spec.template.metadata` of their Deployment)",
            ),
            (
                "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a, annotations: \
                 {networking.istio.io/exportTo: .}}",
                "metadata.annotations[\"networking.istio.io/exportTo\"]: `networking.istio.io/exportTo` has no effect \
                 on a ServiceEntry: it is for Services (set `spec.exportTo`)",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {istio-injection: enabled}}",
                "metadata.labels.istio-injection: `istio-injection` has no effect on a Pod: it is for namespaces \
                 (label the namespace, or set the label `sidecar.istio.io/inject` of the pods)",
            ),
        ] {
            assert_eq!(found(object), [expected]);
        }
    }

    #[test]
    fn what_belongs_there_is_silent() {
        for object in [
            "apiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: {networking.istio.io/exportTo: .}, \
             labels: {istio-injection: enabled}}",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a, annotations: \
             {proxy.istio.io/config: '{}', networking.istio.io/service-type: ClusterIP}}",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: {sidecar.istio.io/inject: 'false'}}",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {sidecar.istio.io/status: a}}",
            "apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\nmetadata: {name: a, annotations: \
             {proxy.istio.io/config: '{}'}}",
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: a, annotations: \
             {istio.io/dry-run: 'true'}}",
        ] {
            assert_eq!(found(object), [""; 0], "{object}");
        }
    }
}
