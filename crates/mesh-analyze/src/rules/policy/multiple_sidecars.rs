//! Sidecars that share a namespace as a whole.

use mesh_core::{Kind, Mesh};

use super::{several_for_a_namespace, sidecars};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A namespace has several Sidecars without a workload selector.
    ///
    /// ## Why is this bad?
    /// Only the oldest one has an effect. Which one that is does not show in the files, and changes when one of them is
    /// deleted and made anew.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Sidecar
    /// metadata: {name: default, namespace: shop}
    /// spec: {egress: [{hosts: [./*]}]}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Sidecar
    /// metadata: {name: more, namespace: shop}
    /// spec: {egress: [{hosts: [bank/*]}]}
    /// ```
    ///
    /// ## Fix
    /// Merge them, or give one of them a workload selector.
    pub static RULE = {
        name: "multiple-sidecars",
        aliases: &["IST0111", "KIA0002"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Sidecar],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    several_for_a_namespace(&sidecars(mesh), reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings};

    fn sidecar(name: &str, namespace: &str, selector: &str) -> String {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: \
             {{{selector} egress: [{{hosts: [./*]}}]}}\n---\n"
        )
    }

    #[test]
    fn a_pair_is_one_finding_on_the_second() {
        let text = [
            sidecar("a", "shop", ""),
            sidecar("b", "shop", "workloadSelector: {},"),
            sidecar("c", "shop", "workloadSelector: {labels: {app: c}},"),
            sidecar("d", "bank", ""),
        ]
        .concat();
        assert_eq!(
            findings("multiple-sidecars", &text),
            [
                "metadata.name: the Sidecars `a` and `b` are both for the whole namespace `shop`, and only the older one \
                 has an effect",
            ]
        );
        let found = diagnostics("multiple-sidecars", &text);
        let other = found[0].related[0]
            .place
            .resource
            .as_ref()
            .map(ToString::to_string);
        assert_eq!(other.as_deref(), Some("Sidecar shop/a"));
    }
}
