//! The patches of EnvoyFilters.

use std::sync::Arc;

use mesh_core::istio::envoy_filter::{ApplyTo, EnvoyConfigObjectMatch, EnvoyFilter, PatchOperation};
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, path};

/// A patch, with where it stands.
#[derive(Debug)]
pub(super) struct Found<'m> {
    /// The EnvoyFilter.
    pub(super) resource: &'m Arc<Resource<EnvoyFilter>>,
    /// The index of the patch.
    pub(super) index: usize,
    /// What it changes.
    pub(super) apply_to: ApplyTo,
    /// How it changes it.
    pub(super) operation: PatchOperation,
    /// Where it changes it.
    pub(super) matching: Option<&'m EnvoyConfigObjectMatch>,
}

impl Found<'_> {
    /// The path of the operation.
    pub(super) fn operation_path(&self) -> FieldPath {
        path!["spec", "configPatches", self.index, "patch", "operation"]
    }
}

/// Calls `check` with every patch.
pub(super) fn each_patch<'m>(mesh: &'m Mesh, mut check: impl FnMut(&Found<'m>)) {
    for resource in mesh.envoy_filters() {
        for (index, patch) in resource.spec.config_patches.iter().enumerate() {
            check(&Found {
                resource,
                index,
                apply_to: patch.apply_to,
                operation: patch
                    .patch
                    .as_ref()
                    .map(|patch| patch.operation)
                    .unwrap_or_default(),
                matching: patch.matching.as_ref(),
            });
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::super::testing::object;

    /// An EnvoyFilter with one patch; `more` is further fields of `spec`, each with a comma behind.
    pub(crate) fn patch(name: &str, more: &str, apply_to: &str, operation: &str) -> String {
        let patch = format!("{{applyTo: {apply_to}, patch: {{operation: {operation}, value: {{name: x}}}}}}");
        object(
            "EnvoyFilter",
            "shop",
            name,
            &format!("{{{more} configPatches: [{patch}]}}"),
        )
        .replace("/v1\n", "/v1alpha3\n")
    }
}
