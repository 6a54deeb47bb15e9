//! Validation of [`WasmPlugin`].

use mesh_core::istio::wasm_plugin::WasmPlugin;
use mesh_core::{Mesh, Resource};

use super::{Findings, policy};

/// The schema says all the rest: URL, checksum, names, variables and ports.
pub(super) fn check(resource: &Resource<WasmPlugin>, _mesh: &Mesh, findings: &mut Findings) {
    let spec = &resource.spec;
    policy::targets(
        spec.selector.as_ref(),
        spec.target_ref.as_ref(),
        &spec.target_refs,
        findings,
    );
}

#[cfg(test)]
mod tests {
    use crate::testing::validation;

    #[test]
    fn targets_are_checked() {
        let found = validation(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a}\nspec: {url: 'oci://a/b', \
             targetRefs: [{kind: Service, name: a}, {kind: Pod, name: b}]}\n",
        );
        assert_eq!(
            found,
            ["error spec.targetRefs[1].kind: policies cannot attach to a `Pod`"]
        );
    }
}
