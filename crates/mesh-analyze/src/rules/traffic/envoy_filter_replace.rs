//! Replacements that istiod does not make.

use mesh_core::istio::envoy_filter::{ApplyTo, PatchOperation};
use mesh_core::{Kind, Mesh};

use super::envoy_filters::each_patch;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An EnvoyFilter replaces something that cannot be replaced as a whole.
    ///
    /// ## Why is this bad?
    /// istiod ignores the patch: only filters and virtual hosts can be replaced.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1alpha3
    /// kind: EnvoyFilter
    /// metadata: {name: example, namespace: shop}
    /// spec:
    ///   configPatches:
    ///   - applyTo: CLUSTER
    ///     patch:
    ///       operation: REPLACE
    ///       value: {name: extra}
    /// ```
    ///
    /// ## Fix
    /// Use `MERGE`, or replace a filter or virtual host.
    pub static RULE = {
        name: "envoy-filter-replace",
        aliases: &["IST0152"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::EnvoyFilter],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each_patch(mesh, |found| {
        let is_wrong = !matches!(
            found.apply_to,
            ApplyTo::NetworkFilter
                | ApplyTo::HttpFilter
                | ApplyTo::VirtualHost
                // Newer versions of istiod replace these as well; the schema reports the last.
                | ApplyTo::ListenerFilter
                | ApplyTo::Invalid
        );
        if found.operation == PatchOperation::Replace && is_wrong {
            reporter
                .report(found.resource, found.operation_path())
                .message(format!("`REPLACE` does nothing for {}", found.apply_to))
                .help("use `MERGE`, or replace a filter or virtual host");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::envoy_filters::testing::patch;
    use super::super::testing::{finds, silent};

    const RULE: &str = "envoy-filter-replace";

    #[test]
    fn what_it_applies_to_decides() {
        for apply_to in [
            "CLUSTER",
            "LISTENER",
            "ROUTE_CONFIGURATION",
            "HTTP_ROUTE",
            "FILTER_CHAIN",
        ] {
            finds(
                RULE,
                &patch("a", "", apply_to, "REPLACE"),
                &[("spec.configPatches[0].patch.operation", apply_to)],
            );
        }
        for apply_to in ["HTTP_FILTER", "NETWORK_FILTER", "VIRTUAL_HOST"] {
            silent(RULE, &patch("a", "", apply_to, "REPLACE"));
        }
        silent(RULE, &patch("a", "", "CLUSTER", "MERGE"));
    }
}
