//! Definitions of kinds that Istio does not read any more.

use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A kind is installed that Istio does not read any more.
    ///
    /// ## Why is this bad?
    /// Its objects are accepted and have no effect. The kinds of `rbac.istio.io` were access control until Istio 1.6: whoever
    /// still writes them believes that requests are refused, and they are not.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: apiextensions.k8s.io/v1
    /// kind: CustomResourceDefinition
    /// metadata: {name: servicerolebindings.rbac.istio.io}
    /// ```
    ///
    /// ## Fix
    /// Rewrite its objects as AuthorizationPolicies, and delete the definition.
    pub static RULE = {
        name: "removed-api",
        aliases: &["IST0002"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::CustomResourceDefinition],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for definition in mesh.custom_resource_definitions() {
        if definition.name().ends_with(".rbac.istio.io") {
            reporter
                .report(definition, path!["metadata", "name"])
                .message(format!("Istio does not read `{}` any more", definition.name()))
                .help("rewrite its objects as AuthorizationPolicies, and delete the definition");
        }
    }
}
