//! PeerAuthentications that share a workload.

use mesh_core::workload;
use mesh_core::{Kind, Mesh};

use super::{peer_authentications, several_for_a_workload};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The selectors of several PeerAuthentications select the same workload.
    ///
    /// ## Why is this bad?
    /// Only the oldest one has an effect on the workload. If that is not the strict one, the workload accepts plain text.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: cart, namespace: shop}
    /// spec: {selector: {matchLabels: {app: cart}}, mtls: {mode: PERMISSIVE}}
    /// ---
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: backends, namespace: shop}
    /// spec: {selector: {matchLabels: {tier: backend}}, mtls: {mode: STRICT}}
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
        name: "conflicting-peer-authentication-selectors",
        aliases: &["KIA0003"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::PeerAuthentication],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut list = peer_authentications(mesh);
    // Selectors have no effect there, which validation says.
    list.retain(|settings| settings.header.namespace() != mesh.root_namespace());
    several_for_a_workload(mesh, &list, reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn selectors_in_the_root_namespace_do_not_count() {
        let found = |namespace: &str| {
            let policy = |name: &str| {
                format!(
                    "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, namespace: \
                     {namespace}}}\nspec: {{selector: {{matchLabels: {{app: a}}}}}}\n---\n"
                )
            };
            findings(
                "conflicting-peer-authentication-selectors",
                &format!(
                    "{}{}apiVersion: v1\nkind: Pod\nmetadata: {{name: p, namespace: {namespace}, labels: {{app: \
                     a}}}}\nspec: {{containers: []}}\n",
                    policy("a"),
                    policy("b")
                ),
            )
        };
        assert_eq!(found("shop").len(), 1);
        assert_eq!(found("istio-system"), [""; 0]);
    }
}
