//! Selectors that mean gateways which only target references reach.

use std::collections::BTreeSet;

use mesh_core::{Kind, Mesh, workload};

use super::all;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A policy selects pods of a Gateway API gateway by labels.
    ///
    /// ## Why is this bad?
    /// Gateways and waypoints of the Gateway API take no notice of selectors: the policy has no effect on them.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: AuthorizationPolicy
    /// metadata: {name: only-get, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}
    ///   rules: [{to: [{operation: {methods: [GET]}}]}]
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: edge-istio, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {gateway.networking.k8s.io/gateway-name: edge}}
    ///   template:
    ///     metadata: {labels: {gateway.networking.k8s.io/gateway-name: edge}}
    ///     spec: {containers: [{name: istio-proxy, image: proxyv2}]}
    /// ```
    ///
    /// ## Fix
    /// Name the Gateway in `targetRefs` in place of the selector.
    pub static RULE = {
        name: "selector-on-gateway",
        aliases: &["IST0166"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: SUBJECTS,
        needs: &[workload::KINDS],
        check,
    }
}

const SUBJECTS: &[Kind] = &[
    Kind::AuthorizationPolicy,
    Kind::RequestAuthentication,
    Kind::Telemetry,
    Kind::WasmPlugin,
];

/// The label of pods that says which Gateway they were made for.
const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let judged = all(mesh)
        .into_iter()
        .filter(|settings| SUBJECTS.contains(&settings.header.kind()));
    for settings in judged {
        let Some(labels) = settings.labels.filter(|_| settings.targets.is_empty()) else {
            continue;
        };
        let selected = mesh.workloads().select(settings.header.namespace(), labels);
        let gateways: BTreeSet<&str> = selected
            .filter_map(|workload| workload.labels().get(GATEWAY_LABEL))
            .map(String::as_str)
            .collect();
        let Some(gateway) = gateways.first() else {
            continue;
        };
        reporter
            .report(settings.header, settings.labels_path.clone())
            .message(format!(
                "the selector means pods of the Gateway `{gateway}`, on which {} with a selector has no effect",
                settings.header.kind()
            ))
            .help(format!(
                "write `targetRefs: [{{group: gateway.networking.k8s.io, kind: Gateway, name: {gateway}}}]` in its place"
            ));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn sidecars_can_be_selected_and_gateways_cannot() {
        let found = |labels: &str| {
            findings(
                "selector-on-gateway",
                &format!(
                    "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec: {{selector: \
                     {{matchLabels: {{app: a}}}}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a, labels: \
                     {labels}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
                ),
            )
        };
        assert_eq!(found("{app: a}"), [""; 0]);
        assert_eq!(
            found("{app: a, gateway.networking.k8s.io/gateway-name: w}"),
            [
                "spec.selector.matchLabels: the selector means pods of the Gateway `w`, on which AuthorizationPolicy with a \
                 selector has no effect"
            ]
        );
    }
}
