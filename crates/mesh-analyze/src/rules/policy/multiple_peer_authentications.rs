//! PeerAuthentications that share a namespace as a whole.

use mesh_core::{Kind, Mesh};

use super::{peer_authentications, several_for_a_namespace};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A namespace has several PeerAuthentications without a selector.
    ///
    /// ## Why is this bad?
    /// Only the oldest one has an effect. If that is not the strict one, workloads accept plain text.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: default, namespace: shop}
    /// spec: {mtls: {mode: PERMISSIVE}}
    /// ---
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: strict, namespace: shop}
    /// spec: {mtls: {mode: STRICT}}
    /// ```
    ///
    /// ## Fix
    /// Keep one of them, or give one a selector.
    pub static RULE = {
        name: "multiple-peer-authentications",
        aliases: &["KIA0002"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::PeerAuthentication],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    several_for_a_namespace(&peer_authentications(mesh), reporter);
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn namespaces_count_on_their_own() {
        let policy = |name: &str, namespace: &str| {
            format!(
                "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: {name}, namespace: \
                 {namespace}}}\nspec: {{mtls: {{mode: STRICT}}}}\n---\n"
            )
        };
        let apart = [
            policy("a", "shop"),
            policy("a", "bank"),
            policy("a", "istio-system"),
        ]
        .concat();
        assert_eq!(findings("multiple-peer-authentications", &apart), [""; 0]);
        let together = [policy("a", "shop"), policy("b", "shop"), policy("c", "shop")].concat();
        assert_eq!(
            findings("multiple-peer-authentications", &together)[1],
            "metadata.name: the PeerAuthentications `a` and `c` are both for the whole namespace `shop`, and only the \
             older one has an effect"
        );
    }
}
