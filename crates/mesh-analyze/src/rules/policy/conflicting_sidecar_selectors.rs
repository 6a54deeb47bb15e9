//! Sidecars that share a workload.

use mesh_core::workload;
use mesh_core::{Kind, Mesh};

use super::{several_for_a_workload, sidecars};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The workload selectors of several Sidecars select the same workload.
    ///
    /// ## Why is this bad?
    /// A workload has one Sidecar. The oldest one counts, and what the others say is lost for this workload.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Sidecar
    /// metadata: {name: cart, namespace: shop}
    /// spec: {workloadSelector: {labels: {app: cart}}, egress: [{hosts: [./*]}]}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Sidecar
    /// metadata: {name: backends, namespace: shop}
    /// spec: {workloadSelector: {labels: {tier: backend}}, egress: [{hosts: [bank/*]}]}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: cart}}
    ///   template:
    ///     metadata: {labels: {app: cart, tier: backend}}
    ///     spec: {containers: [{name: app, image: cart}]}
    /// ```
    ///
    /// ## Fix
    /// Merge them, or make the selectors exclude each other.
    pub static RULE = {
        name: "conflicting-sidecar-selectors",
        aliases: &["IST0110", "KIA0003"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Sidecar],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    several_for_a_workload(mesh, &sidecars(mesh), reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings, skipped};

    fn sidecar(name: &str, namespace: &str, labels: &str) -> String {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: \
             {{workloadSelector: {{labels: {{{labels}}}}}, egress: [{{hosts: [./*]}}]}}\n---\n"
        )
    }

    fn workload(namespace: &str, labels: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: w, namespace: {namespace}}}\nspec: {{replicas: 0, \
             serviceName: w, selector: {{}}, template: {{metadata: {{labels: {{{labels}}}}}, spec: {{containers: \
             []}}}}}}\n---\n"
        )
    }

    #[test]
    fn selectors_that_share_a_workload_are_reported() {
        let text = [
            sidecar("a", "shop", "app: w"),
            sidecar("b", "shop", "tier: x"),
            sidecar("c", "bank", "app: w"),
            workload("shop", "app: w, tier: x"),
        ]
        .concat();
        assert_eq!(
            findings("conflicting-sidecar-selectors", &text),
            [
                "spec.workloadSelector.labels: the Sidecars `a` and `b` both select the pods of StatefulSet `w`, and only \
                 the older one has an effect",
            ]
        );
        let found = diagnostics("conflicting-sidecar-selectors", &text);
        assert_eq!(
            found[0].related[1].place.path.to_string(),
            "spec.template.metadata.labels"
        );
    }

    #[test]
    fn selectors_without_a_common_workload_are_silent() {
        let text = [
            sidecar("a", "shop", "app: w"),
            sidecar("b", "shop", "tier: x"),
            workload("shop", "app: w, tier: y"),
            workload("bank", "app: w, tier: x"),
        ]
        .concat();
        assert_eq!(findings("conflicting-sidecar-selectors", &text), [""; 0]);
    }

    #[test]
    fn it_says_what_it_needs() {
        let reason = skipped("conflicting-sidecar-selectors", &sidecar("a", "shop", "app: w"));
        assert!(reason.is_some_and(|reason| reason.starts_with("needs Pod or Deployment")));
    }
}
