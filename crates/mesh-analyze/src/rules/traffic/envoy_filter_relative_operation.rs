//! Patches whose result depends on other patches.

use mesh_core::istio::envoy_filter::{ApplyTo, PatchOperation};
use mesh_core::{Kind, Mesh};
use rustc_hash::{FxHashMap, FxHashSet};

use super::envoy_filters::{Found, each_patch};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An EnvoyFilter without a priority inserts, removes or replaces relative to what is there.
    ///
    /// ## Why is this bad?
    /// The result depends on what other EnvoyFilters did before. Without priorities, the older one goes first: after a
    /// restore from a backup, that may be another one. A patch for one `proxyVersion` comes and goes with upgrades besides.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1alpha3
    /// kind: EnvoyFilter
    /// metadata: {name: example, namespace: shop}
    /// spec:
    ///   configPatches:
    ///   - applyTo: HTTP_FILTER
    ///     match:
    ///       context: SIDECAR_INBOUND
    ///       listener: {filterChain: {filter: {name: envoy.filters.network.http_connection_manager}}}
    ///     patch:
    ///       operation: INSERT_BEFORE
    ///       value: {name: extra, typed_config: {"@type": type.googleapis.com/google.protobuf.Empty}}
    /// ```
    ///
    /// ## Fix
    /// Set `priority`, or use `INSERT_FIRST`. Where no other EnvoyFilter changes the same part of the same proxies, this is
    /// just for information.
    pub static RULE = {
        name: "envoy-filter-relative-operation",
        aliases: &["IST0151", "IST0155"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::EnvoyFilter],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    // How many EnvoyFilters of a namespace change each part.
    let mut changing: FxHashMap<(&str, ApplyTo), usize> = FxHashMap::default();
    let mut total: FxHashMap<ApplyTo, usize> = FxHashMap::default();
    let mut counted = FxHashSet::default();
    each_patch(mesh, |found| {
        if counted.insert((found.resource.namespace(), found.resource.name(), found.apply_to)) {
            *changing
                .entry((found.resource.namespace(), found.apply_to))
                .or_default() += 1;
            *total.entry(found.apply_to).or_default() += 1;
        }
    });
    let root = mesh.root_namespace();
    each_patch(mesh, |found| {
        if found.resource.spec.priority != 0 || !is_relative(found) {
            return;
        }
        let count = |namespace: &str| {
            changing
                .get(&(namespace, found.apply_to))
                .copied()
                .unwrap_or_default()
        };
        let namespace = found.resource.namespace();
        // EnvoyFilters of the root namespace change the proxies of all.
        let together = if namespace == root {
            total.get(&found.apply_to).copied().unwrap_or_default()
        } else {
            count(namespace) + count(root)
        };
        let operation = name(found.operation);
        let finding = reporter.report(found.resource, found.operation_path());
        let version = found
            .matching
            .and_then(|matching| matching.proxy.as_ref())
            .map(|proxy| proxy.proxy_version.as_str())
            .filter(|version| !version.is_empty());
        let suffix = match version {
            Some(version) => format!(", and holds for proxies of version `{version}` only"),
            None => String::new(),
        };
        finding
            .message(format!(
                "the result of `{operation}` depends on other EnvoyFilters, as there is no `priority`{suffix}"
            ))
            .help("set `priority`, or use `INSERT_FIRST`");
        if together < 2 {
            finding.severity(Severity::Info);
        }
    });
}

fn is_relative(found: &Found<'_>) -> bool {
    match found.operation {
        PatchOperation::InsertBefore | PatchOperation::InsertAfter => true,
        // Elsewhere these do nothing, which other rules report.
        PatchOperation::Remove => !matches!(found.apply_to, ApplyTo::RouteConfiguration | ApplyTo::HttpRoute),
        PatchOperation::Replace => matches!(
            found.apply_to,
            ApplyTo::NetworkFilter | ApplyTo::HttpFilter | ApplyTo::VirtualHost
        ),
        _ => false,
    }
}

const fn name(operation: PatchOperation) -> &'static str {
    match operation {
        PatchOperation::InsertBefore => "INSERT_BEFORE",
        PatchOperation::InsertAfter => "INSERT_AFTER",
        PatchOperation::Remove => "REMOVE",
        _ => "REPLACE",
    }
}

#[cfg(test)]
mod tests {
    use super::super::envoy_filters::testing::patch;
    use super::super::testing::{diagnostics, finds, silent};
    use crate::Severity;

    const RULE: &str = "envoy-filter-relative-operation";

    #[test]
    fn operations_relative_to_others_need_a_priority() {
        for (apply_to, operation, fires) in [
            ("HTTP_FILTER", "INSERT_BEFORE", true),
            ("HTTP_FILTER", "INSERT_AFTER", true),
            ("HTTP_FILTER", "REMOVE", true),
            ("HTTP_FILTER", "REPLACE", true),
            ("CLUSTER", "REMOVE", true),
            ("HTTP_ROUTE", "REMOVE", false),
            ("CLUSTER", "REPLACE", false),
            ("HTTP_FILTER", "INSERT_FIRST", false),
            ("CLUSTER", "MERGE", false),
            ("CLUSTER", "ADD", false),
        ] {
            let expected: &[_] = if fires {
                &[("spec.configPatches[0].patch.operation", operation)]
            } else {
                &[]
            };
            finds(RULE, &patch("a", "", apply_to, operation), expected);
        }
        silent(RULE, &patch("a", "priority: 1,", "HTTP_FILTER", "INSERT_BEFORE"));
    }

    #[test]
    fn company_makes_it_a_warning_in_any_order() {
        let relative = patch("b", "", "HTTP_FILTER", "INSERT_BEFORE");
        let severity = |text: &str| diagnostics(RULE, text)[0].severity;
        assert_eq!(severity(&relative), Severity::Info);
        assert_eq!(
            severity(&(relative.clone() + &patch("c", "", "CLUSTER", "MERGE"))),
            Severity::Info
        );
        for other in ["a", "c"] {
            assert_eq!(
                severity(&(relative.clone() + &patch(other, "", "HTTP_FILTER", "INSERT_FIRST"))),
                Severity::Warning
            );
        }
        let root =
            patch("c", "", "HTTP_FILTER", "MERGE").replace("namespace: shop", "namespace: istio-system");
        assert_eq!(severity(&(relative.clone() + &root)), Severity::Warning);
        let elsewhere = patch("c", "", "HTTP_FILTER", "MERGE").replace("namespace: shop", "namespace: prod");
        assert_eq!(severity(&(relative + &elsewhere)), Severity::Info);
    }

    #[test]
    fn versions_are_named() {
        let text = patch("a", "", "HTTP_FILTER", "REMOVE")
            .replace("patch: {", "match: {proxy: {proxyVersion: '^1.1'}}, patch: {");
        finds(
            RULE,
            &text,
            &[("spec.configPatches[0].patch.operation", "version `^1.1` only")],
        );
    }
}
