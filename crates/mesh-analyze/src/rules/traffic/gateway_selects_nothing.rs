//! Gateways without proxies.

use mesh_core::workload;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use super::has_unknown_workloads;
use super::proxies::is_usually_installed_elsewhere;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The selector of a Gateway selects no workload.
    ///
    /// ## Why is this bad?
    /// No proxy opens the ports: connections are refused, or another gateway answers with 404.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {app: edge}
    ///   servers:
    ///   - port: {number: 80, name: http, protocol: HTTP}
    ///     hosts: [shop.example.com]
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: edge-proxy}}
    ///   template:
    ///     metadata: {labels: {app: edge-proxy}, annotations: {inject.istio.io/templates: gateway}}
    ///     spec: {containers: [{name: istio-proxy, image: auto}]}
    /// ```
    ///
    /// ## Fix
    /// Write labels that the pods of the gateway have; the Deployment's own labels do not count. The default gateways are
    /// installed apart from configuration, as a rule, and are only missed if the input has other gateways' workloads.
    pub static RULE = {
        name: "gateway-selects-nothing",
        aliases: &["IST0101", "KIA0302"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    if has_unknown_workloads(mesh) {
        return;
    }
    let proxies = reporter.proxies();
    for gateway in mesh.gateways() {
        let selector = &gateway.spec.selector;
        let is_elsewhere =
            !mesh.has_all(Kind::Pod) && is_usually_installed_elsewhere(selector) && !proxies.shows_some();
        if selector.is_empty() || is_elsewhere || !proxies.of(gateway).is_empty() {
            continue;
        }
        let labels: Vec<_> = selector
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        reporter
            .report(gateway, path!["spec", "selector"])
            .message(format!("no workload has the labels `{}`", labels.join(",")))
            .help("write labels that the pods of the gateway have, in whatever namespace they run");
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deployment, finds, object, silent};

    const RULE: &str = "gateway-selects-nothing";

    fn gateway(selector: &str) -> String {
        object(
            "Gateway",
            "shop",
            "edge",
            &format!("{{selector: {selector}, servers: []}}"),
        )
    }

    #[test]
    fn pods_of_any_namespace_count() {
        let pods = deployment("infra", "edge", "{app: edge, tier: front}");
        silent(RULE, &(pods.clone() + &gateway("{app: edge}")));
        silent(RULE, &(pods.clone() + &gateway("{}")));
        finds(
            RULE,
            &(pods + &gateway("{app: edge, tier: back}")),
            &[("spec.selector", "no workload has the labels `app=edge,tier=back`")],
        );
        silent(RULE, &gateway("{app: edge}"));
    }

    #[test]
    fn default_gateways_are_missed_only_among_others() {
        let app = deployment("shop", "reviews", "{app: reviews}");
        for selector in [
            "{istio: ingressgateway}",
            "{istio: egressgateway}",
            "{istio: ingress}",
            "{app: istio-ingressgateway}",
        ] {
            silent(RULE, &(app.clone() + &gateway(selector)));
        }
        let other = deployment("infra", "egress", "{istio: egressgateway}");
        finds(
            RULE,
            &(other + &gateway("{istio: ingressgateway}")),
            &[("spec.selector", "istio=ingressgateway")],
        );
        // An operator's resource makes gateways that the input does not show.
        let operator =
            "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\n---\n";
        silent(RULE, &(app + operator + &gateway("{app: edge}")));
    }
}
