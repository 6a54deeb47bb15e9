//! Validation of [`PeerAuthentication`].

use mesh_core::istio::peer_authentication::PeerAuthentication;
use mesh_core::{Mesh, Resource};
use mesh_yaml::path;

use super::{Findings, policy};

pub(super) fn check(resource: &Resource<PeerAuthentication>, mesh: &Mesh, findings: &mut Findings) {
    let selector = resource.spec.selector.as_ref();
    policy::targets(selector, None, &[], findings);
    let selects = selector.is_some_and(|selector| !selector.match_labels.is_empty());
    if selects && resource.namespace() == mesh.root_namespace() {
        findings
            .warning(
                path!["spec", "selector"],
                format!(
                    "a PeerAuthentication with a selector has no effect in the root namespace `{}`",
                    resource.namespace()
                ),
            )
            .help("move it to the namespace of the workloads, or remove the selector to set the mode of the mesh");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::validation;

    #[test]
    fn selectors_have_an_effect_outside_of_the_root_namespace_only() {
        let policy = |namespace: &str, selector: &str| {
            validation(&format!(
                "apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: a, namespace: \
                 {namespace}}}\nspec: {{selector: {selector}, mtls: {{mode: STRICT}}}}\n"
            ))
        };
        assert_eq!(
            policy("istio-system", "{matchLabels: {app: a}}"),
            [
                "warning spec.selector: a PeerAuthentication with a selector has no effect in the root namespace \
                 `istio-system`"
            ]
        );
        assert_eq!(policy("shop", "{matchLabels: {app: a}}"), [""; 0]);
        assert_eq!(
            policy("shop", "{}"),
            ["warning spec.selector: `selector` has no labels, and so chooses every workload in reach"]
        );
    }
}
