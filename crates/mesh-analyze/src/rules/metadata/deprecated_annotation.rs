//! Annotations that have a successor.

use mesh_core::Mesh;
use mesh_core::annotations::annotation;

use super::each;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An annotation should no longer be used.
    ///
    /// ## Why is this bad?
    /// A later version of Istio may stop to read it, and some have no effect already.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: cart
    ///   annotations:
    ///     sidecar.istio.io/inject: "false"
    /// spec:
    ///   containers: [{name: app, image: cart}]
    /// ```
    ///
    /// ## Fix
    /// Use what the message names instead.
    pub static RULE = {
        name: "deprecated-annotation",
        aliases: &["IST0135"],
        severity: Severity::Info,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each(mesh, |described| {
        for key in described.annotations.keys() {
            let Some(known) = annotation(key).filter(|known| known.applies_to(described.kind)) else {
                continue;
            };
            // Whoever sets the label of the same name as well has already moved on.
            if let Some(instead) = known.deprecated
                && !described.labels.contains_key(key)
            {
                reporter
                    .report(described.header, described.annotation(key))
                    .on_key()
                    .message(format!("the annotation `{key}` is deprecated"))
                    .help(instead);
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::findings_with_help;

    #[test]
    fn successors_are_named() {
        let found = |metadata: &str| {
            findings_with_help(
                "deprecated-annotation",
                &format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, {metadata}}}\nspec: {{containers: []}}\n"
                ),
            )
        };
        assert_eq!(
            found("annotations: {sidecar.istio.io/inject: 'true'}"),
            [
                "metadata.annotations[\"sidecar.istio.io/inject\"]: the annotation `sidecar.istio.io/inject` is \
                 deprecated (use the label of the same name)"
            ]
        );
        assert_eq!(
            found(
                "annotations: {sidecar.istio.io/inject: 'true'}, labels: {sidecar.istio.io/inject: 'true'}"
            ),
            [""; 0]
        );
        assert_eq!(found("annotations: {sidecar.istio.io/proxyCPU: 100m}"), [""; 0]);
    }
}
