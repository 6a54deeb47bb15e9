//! Telemetries that share a namespace as a whole.

use mesh_core::{Kind, Mesh};

use super::{several_for_a_namespace, telemetries};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A namespace has several Telemetry resources that are for the whole namespace.
    ///
    /// ## Why is this bad?
    /// Only the oldest one has an effect, so that metrics, traces or logs of the others are missing.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: telemetry.istio.io/v1
    /// kind: Telemetry
    /// metadata: {name: logs, namespace: shop}
    /// spec: {accessLogging: [{providers: [{name: envoy}]}]}
    /// ---
    /// apiVersion: telemetry.istio.io/v1
    /// kind: Telemetry
    /// metadata: {name: metrics, namespace: shop}
    /// spec: {metrics: [{providers: [{name: prometheus}]}]}
    /// ```
    ///
    /// ## Fix
    /// Merge them into one.
    pub static RULE = {
        name: "multiple-telemetries",
        aliases: &["IST0160"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Telemetry],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    several_for_a_namespace(&telemetries(mesh), reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn telemetry(name: &str, target: &str) -> String {
        format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: {name}, namespace: shop}}\nspec: \
             {{{target} tracing: []}}\n---\n"
        )
    }

    #[test]
    fn target_references_are_not_for_the_namespace() {
        let targets = "targetRefs: [{kind: Service, name: x}],";
        let several = [telemetry("a", ""), telemetry("b", targets), telemetry("c", "")].concat();
        assert_eq!(findings("multiple-telemetries", &several).len(), 1);
        let one = [
            telemetry("a", ""),
            telemetry("b", targets),
            telemetry("c", "targetRef: {kind: Service, name: x},"),
            telemetry("d", "selector: {matchLabels: {app: d}},"),
        ]
        .concat();
        assert_eq!(findings("multiple-telemetries", &one), [""; 0]);
    }
}
