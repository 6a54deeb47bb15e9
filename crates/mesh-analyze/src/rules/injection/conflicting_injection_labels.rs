//! Labels that ask for different data planes.

use mesh_core::{Kind, Labels, Mesh};
use mesh_yaml::{FieldPath, path};

use super::{DATAPLANE_LABEL, NAMESPACE_LABEL, POD_LABEL, REVISION_LABEL};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A namespace or pod has labels that ask for different data planes or control planes.
    ///
    /// ## Why is this bad?
    /// Only one of them has an effect: `istio-injection` wins over `istio.io/rev`, and both win over
    /// `istio.io/dataplane-mode`. A namespace that is to move to another revision stays on the old one.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata:
    ///   name: shop
    ///   labels:
    ///     istio-injection: enabled
    ///     istio.io/rev: canary
    /// ```
    ///
    /// ## Fix
    /// Keep the label that is meant, and remove the others.
    pub static RULE = {
        name: "conflicting-injection-labels",
        aliases: &["IST0123", "KIA1311"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[
            Kind::Namespace,
            Kind::Pod,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::ReplicaSet,
            Kind::Job,
            Kind::CronJob,
        ],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for namespace in mesh.namespaces() {
        let labels = namespace.labels();
        // `disabled` is a plain refusal, which needs no other label to be absent.
        if labels
            .get(NAMESPACE_LABEL)
            .is_some_and(|value| value != "enabled")
        {
            continue;
        }
        let mut present = [NAMESPACE_LABEL, REVISION_LABEL, DATAPLANE_LABEL]
            .into_iter()
            .filter(|key| asks(labels, key));
        let Some(winner) = present.next() else {
            continue;
        };
        let path = path!["metadata", "labels"];
        for loser in present {
            reporter
                .report(namespace, path.key(loser))
                .on_key()
                .message(format!(
                    "`{loser}` has no effect on the namespace `{}`, since `{winner}` wins over it",
                    namespace.name()
                ))
                .help(format!("remove `{winner}` or `{loser}`"))
                .related(namespace, path.key(winner), "this label wins");
        }
    }
    for workload in mesh.workloads().all() {
        let labels = workload.labels();
        let wants_sidecar = labels.get(POD_LABEL).is_some_and(|value| value == "true");
        if wants_sidecar && asks(labels, DATAPLANE_LABEL) {
            let path: FieldPath = workload.labels_path();
            reporter
                .report(workload.owner(), path.key(DATAPLANE_LABEL))
                .on_key()
                .message(format!(
                    "`{DATAPLANE_LABEL}: ambient` has no effect on pods with `{POD_LABEL}: \"true\"`"
                ))
                .help(format!("remove `{POD_LABEL}` or `{DATAPLANE_LABEL}`"))
                .related(workload.owner(), path.key(POD_LABEL), "this label wins");
        }
    }
}

/// Whether the label is there and asks for anything.
fn asks(labels: &Labels, key: &str) -> bool {
    match (key, labels.get(key).map(String::as_str)) {
        (_, None) => false,
        (DATAPLANE_LABEL, Some(mode)) => mode == "ambient",
        (_, Some(value)) => !value.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings};

    fn namespace(labels: &str) -> Vec<String> {
        findings(
            "conflicting-injection-labels",
            &format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {{{labels}}}}}\n"),
        )
    }

    #[test]
    fn the_label_without_effect_is_reported() {
        for (labels, expected) in [
            (
                "istio-injection: enabled, istio.io/rev: canary",
                "metadata.labels[\"istio.io/rev\"]: `istio.io/rev` has no effect on the namespace `a`, since \
                 `istio-injection` wins over it",
            ),
            (
                "istio-injection: enabled, istio.io/dataplane-mode: ambient",
                "metadata.labels[\"istio.io/dataplane-mode\"]: `istio.io/dataplane-mode` has no effect on the \
                 namespace `a`, since `istio-injection` wins over it",
            ),
            (
                "istio.io/rev: canary, istio.io/dataplane-mode: ambient",
                "metadata.labels[\"istio.io/dataplane-mode\"]: `istio.io/dataplane-mode` has no effect on the \
                 namespace `a`, since `istio.io/rev` wins over it",
            ),
        ] {
            assert_eq!(namespace(labels), [expected]);
        }
        let all = namespace("istio-injection: enabled, istio.io/rev: a, istio.io/dataplane-mode: ambient");
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn one_wish_is_no_conflict() {
        for labels in [
            "istio-injection: enabled",
            "istio-injection: disabled, istio.io/rev: a, istio.io/dataplane-mode: ambient",
            "istio-injection: enabled, istio.io/dataplane-mode: none",
            "istio.io/rev: a",
            "istio.io/dataplane-mode: ambient",
            "istio-injection: enabled, istio.io/rev: ''",
        ] {
            assert_eq!(namespace(labels), [""; 0], "{labels}");
        }
    }

    #[test]
    fn pods_are_looked_at() {
        let text = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: a}\nspec:\n  selector: {}\n  serviceName: a\n  \
                    template:\n    metadata: {labels: {sidecar.istio.io/inject: 'true', istio.io/dataplane-mode: ambient}}\n    \
                    spec: {containers: []}\n";
        let found = diagnostics("conflicting-injection-labels", text);
        assert_eq!(
            found[0].primary.path.to_string(),
            "spec.template.metadata.labels[\"istio.io/dataplane-mode\"]"
        );
        assert_eq!(
            found[0].related[0].place.path.to_string(),
            "spec.template.metadata.labels[\"sidecar.istio.io/inject\"]"
        );
    }
}
