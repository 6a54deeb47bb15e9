//! Sidecars for workloads that have none.

use mesh_core::injection::DATAPLANE_LABEL;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use super::sidecars;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A Sidecar is for workloads of the ambient data plane.
    ///
    /// ## Why is this bad?
    /// Workloads of the ambient data plane have no sidecar, and ztunnel and waypoints do not read Sidecars: it has no effect.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, labels: {istio.io/dataplane-mode: ambient}}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Sidecar
    /// metadata: {name: default, namespace: shop}
    /// spec: {egress: [{hosts: [./*]}]}
    /// ```
    ///
    /// ## Fix
    /// Delete the Sidecar. What clients may reach is limited by AuthorizationPolicies there.
    pub static RULE = {
        name: "sidecar-in-ambient",
        aliases: &["IST0167"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Sidecar],
        needs: &[&[Kind::Namespace]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let injector = reporter.injector();
    for settings in sidecars(mesh) {
        let namespace = settings.header.namespace();
        if let Some(labels) = settings.labels {
            let mut selected = mesh.workloads().select(namespace, labels).peekable();
            if selected.peek().is_some() && selected.all(|workload| injector.is_ambient(workload)) {
                reporter
                    .report(settings.header, settings.labels_path.clone())
                    .message(
                        "all workloads that it selects are in the ambient data plane, and have no sidecar",
                    )
                    .help("delete the Sidecar");
            }
        } else if settings.is_for_namespace() && is_ambient(mesh, namespace) {
            reporter
                .report(settings.header, path!["metadata", "namespace"])
                .message(format!(
                    "namespace `{namespace}` is in the ambient data plane, and has no sidecars"
                ))
                .help("delete the Sidecar");
        }
    }
}

fn is_ambient(mesh: &Mesh, namespace: &str) -> bool {
    let mut namespaces = mesh.namespaces().iter();
    namespaces.any(|it| {
        it.name() == namespace
            && it
                .labels()
                .get(DATAPLANE_LABEL)
                .is_some_and(|mode| mode == "ambient")
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn namespaces_and_pods_can_be_ambient() {
        let found = |namespace: &str, selector: &str, pod: &str| {
            findings(
                "sidecar-in-ambient",
                &format!(
                    "apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {namespace}}}\n---\napiVersion: \
                     networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: a, namespace: a}}\nspec: {{{selector} egress: \
                     [{{hosts: [./*]}}]}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: a, labels: \
                     {pod}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
                ),
            )
            .len()
        };
        let selector = "workloadSelector: {labels: {app: a}},";
        assert_eq!(found("{istio.io/dataplane-mode: ambient}", "", "{}"), 1);
        assert_eq!(
            found("{istio.io/dataplane-mode: ambient}", selector, "{app: a}"),
            1
        );
        assert_eq!(
            found("{}", selector, "{app: a, istio.io/dataplane-mode: ambient}"),
            1
        );
        assert_eq!(
            found(
                "{istio.io/dataplane-mode: ambient}",
                selector,
                "{app: a, istio.io/dataplane-mode: none}"
            ),
            0
        );
        assert_eq!(found("{istio-injection: enabled}", "", "{}"), 0);
    }
}
