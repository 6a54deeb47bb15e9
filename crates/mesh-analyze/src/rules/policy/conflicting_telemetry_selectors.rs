//! Telemetries that share a workload.

use mesh_core::workload;
use mesh_core::{Kind, Mesh};

use super::{several_for_a_workload, telemetries};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The selectors of several Telemetry resources select the same workload.
    ///
    /// ## Why is this bad?
    /// It is not defined what a workload with several of them reports.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: telemetry.istio.io/v1
    /// kind: Telemetry
    /// metadata: {name: cart, namespace: shop}
    /// spec: {selector: {matchLabels: {app: cart}}, metrics: [{providers: [{name: prometheus}]}]}
    /// ---
    /// apiVersion: telemetry.istio.io/v1
    /// kind: Telemetry
    /// metadata: {name: backends, namespace: shop}
    /// spec: {selector: {matchLabels: {tier: backend}}, metrics: [{overrides: [{disabled: true}]}]}
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
        name: "conflicting-telemetry-selectors",
        aliases: &["IST0159"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Telemetry],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    several_for_a_workload(mesh, &telemetries(mesh), reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn target_references_do_not_select() {
        let telemetry = |name: &str, target: &str| {
            format!(
                "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: {name}}}\nspec: {{{target}}}\n---\n"
            )
        };
        let pod =
            "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a}}\nspec: {containers: []}\n---\n";
        let selector = "selector: {matchLabels: {app: a}}";
        let text = [
            telemetry("a", selector),
            telemetry("b", "targetRefs: [{kind: Service, name: a}]"),
            telemetry("c", "tracing: []"),
            pod.to_owned(),
        ]
        .concat();
        assert_eq!(findings("conflicting-telemetry-selectors", &text), [""; 0]);
        let text = format!("{text}{}", telemetry("d", selector));
        assert_eq!(
            findings("conflicting-telemetry-selectors", &text)[0],
            "spec.selector.matchLabels: the Telemetries `a` and `d` both select the pods of Pod `p`, and only the older \
             one has an effect"
        );
    }
}
