//! Additions that Envoy configuration has no room for.

use mesh_core::istio::envoy_filter::{ApplyTo, PatchOperation};
use mesh_core::{Kind, Mesh};

use super::envoy_filters::each_patch;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An EnvoyFilter adds a route configuration or an HTTP route.
    ///
    /// ## Why is this bad?
    /// istiod ignores the patch: it can only add these as parts of what contains them.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1alpha3
    /// kind: EnvoyFilter
    /// metadata: {name: example, namespace: shop}
    /// spec:
    ///   configPatches:
    ///   - applyTo: HTTP_ROUTE
    ///     patch:
    ///       operation: ADD
    ///       value: {name: extra}
    /// ```
    ///
    /// ## Fix
    /// Use `INSERT_FIRST`, `INSERT_BEFORE` or `INSERT_AFTER` for routes, or `MERGE` for the whole.
    pub static RULE = {
        name: "envoy-filter-add",
        aliases: &["IST0153"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::EnvoyFilter],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each_patch(mesh, |found| {
        let is_wrong = matches!(found.apply_to, ApplyTo::RouteConfiguration | ApplyTo::HttpRoute);
        if found.operation == PatchOperation::Add && is_wrong {
            reporter
                .report(found.resource, found.operation_path())
                .message(format!("`ADD` does nothing for {}", found.apply_to))
                .help("use `INSERT_FIRST`, `INSERT_BEFORE` or `INSERT_AFTER` for routes, or `MERGE`");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::envoy_filters::testing::patch;
    use super::super::testing::{finds, silent};

    const RULE: &str = "envoy-filter-add";

    #[test]
    fn what_it_applies_to_decides() {
        for apply_to in ["ROUTE_CONFIGURATION", "HTTP_ROUTE"] {
            finds(
                RULE,
                &patch("a", "", apply_to, "ADD"),
                &[("spec.configPatches[0].patch.operation", apply_to)],
            );
        }
        for apply_to in ["HTTP_FILTER", "CLUSTER", "VIRTUAL_HOST", "LISTENER"] {
            silent(RULE, &patch("a", "", apply_to, "ADD"));
        }
        silent(RULE, &patch("a", "", "ROUTE_CONFIGURATION", "MERGE"));
    }
}
