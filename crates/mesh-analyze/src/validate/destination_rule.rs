//! Validation of [`DestinationRule`].

use mesh_core::istio::destination_rule::{DestinationRule, PortTrafficPolicy, TrafficPolicy, TunnelSettings};
use mesh_core::{Mesh, Resource};
use mesh_yaml::Node;
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::shared::{self, ExportTo, Shown};
use super::traffic_policy::{client_tls, connection_pool, load_balancer, outlier_detection, retry_budget};

pub(super) fn check(resource: &Resource<DestinationRule>, _mesh: &Mesh, findings: &mut Findings) {
    let rule = &resource.spec;
    let at = At::spec(resource);
    shared::wildcard_domain(&rule.host, &at.key("host"), findings);
    if let Some(policy) = &rule.traffic_policy {
        let place = at.key("trafficPolicy");
        traffic_policy(policy, false, resource.namespace(), &place, findings);
    }
    subsets(rule, resource.namespace(), &at, findings);
    let allowed = match rule.workload_selector {
        Some(_) => ExportTo::OwnNamespace,
        None => ExportTo::Namespaces,
    };
    shared::export_to(&rule.export_to, allowed, resource.namespace(), &at, findings);
    shared::selector(
        rule.workload_selector.as_ref(),
        &at.key("workloadSelector"),
        findings,
    );
}

fn subsets(rule: &DestinationRule, namespace: &str, at: &At<'_>, findings: &mut Findings) {
    // A block that a subset leaves out is inherited from the rule.
    let ejects = rule
        .traffic_policy
        .as_ref()
        .is_some_and(|policy| policy.outlier_detection.is_some());
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, subset) in rule.subsets.iter().enumerate() {
        let place = at.item("subsets", index);
        let name = place.key("name");
        shared::dns_label(&subset.name, "subset name", &name, findings);
        if !subset.name.is_empty()
            && let Some(first) = seen.insert(&subset.name, index)
        {
            findings
                .error(name, format!("two subsets are named {}", Shown(&subset.name)))
                .related(at.item("subsets", first).key("name"), "first used here")
                .help("rename one: a route can name only one of them");
        }
        shared::labels(&subset.labels, &place.key("labels"), findings);
        if let Some(policy) = &subset.traffic_policy {
            traffic_policy(policy, ejects, namespace, &place.key("trafficPolicy"), findings);
        }
    }
}

/// Checks a traffic policy. `ejects` says whether it inherits the ejection of failing endpoints.
fn traffic_policy(
    policy: &TrafficPolicy,
    ejects: bool,
    namespace: &str,
    at: &At<'_>,
    findings: &mut Findings,
) {
    let TrafficPolicy {
        connection_pool: pool,
        load_balancer: balancer,
        outlier_detection: outlier,
        port_level_settings,
        proxy_protocol,
        retry_budget: budget,
        tls,
        tunnel,
    } = policy;
    let is_empty = pool.is_none()
        && balancer.is_none()
        && outlier.is_none()
        && port_level_settings.is_empty()
        && proxy_protocol.is_none()
        && budget.is_none()
        && tls.is_none()
        && tunnel.is_none();
    // A mapping with keys has a field of the wrong type or an unknown one, which its schema reports.
    if is_empty && at.node().is_some_and(|node| node.is_mapping() && all_empty(node)) {
        findings
            .error(at, "the traffic policy sets nothing")
            .help("set a block, such as `loadBalancer` or `connectionPool`, or remove the policy");
    }
    if let (Some(_), Some(_)) = (tunnel, proxy_protocol) {
        findings
            .error(
                at.key("proxyProtocol"),
                "`proxyProtocol` cannot be set together with `tunnel`",
            )
            .related(at.key("tunnel"), "the tunnel is set here")
            .help("remove one of them");
    }
    if let Some(pool) = pool {
        connection_pool(pool, &at.key("connectionPool"), findings);
    }
    if let Some(balancer) = balancer {
        let ejects = ejects || outlier.is_some();
        load_balancer(balancer, ejects, &at.key("loadBalancer"), findings);
    }
    if let Some(outlier) = outlier {
        outlier_detection(outlier, &at.key("outlierDetection"), findings);
    }
    if let Some(tls) = tls {
        client_tls(tls, namespace, &at.key("tls"), findings);
    }
    if let Some(budget) = budget {
        retry_budget(budget, &at.key("retryBudget"), findings);
    }
    if let Some(tunnel) = tunnel {
        tunnel_settings(tunnel, &at.key("tunnel"), findings);
    }
    for (index, settings) in port_level_settings.iter().enumerate() {
        port_policy(
            settings,
            namespace,
            &at.item("portLevelSettings", index),
            findings,
        );
    }
}

/// Whether every value of a mapping is an empty list.
fn all_empty(node: Node<'_>) -> bool {
    node.entries()
        .all(|entry| entry.value.is_sequence() && entry.value.is_empty())
}

fn port_policy(policy: &PortTrafficPolicy, namespace: &str, at: &At<'_>, findings: &mut Findings) {
    let PortTrafficPolicy {
        connection_pool: pool,
        load_balancer: balancer,
        outlier_detection: outlier,
        port,
        tls,
    } = policy;
    if !at.is_mapping() {
        return;
    }
    let place = at.key("port");
    if let Some(selector) = port {
        let number = place.key("number");
        if number.exists() {
            shared::port(selector.number, &number, findings);
        } else if place.is_mapping() {
            findings.error(place, "the port has no number");
        }
    } else if !place.exists() {
        findings
            .error(at, "settings for a port name no port")
            .help("add `port: {number: ..}`, or move the settings to the traffic policy itself");
    }
    let is_empty = pool.is_none() && balancer.is_none() && outlier.is_none() && tls.is_none();
    let only_port = at
        .node()
        .is_some_and(|node| node.entries().all(|entry| entry.key == "port"));
    if is_empty && only_port {
        findings
            .error(at, "settings for a port set nothing")
            .help("set one of `connectionPool`, `loadBalancer`, `outlierDetection` and `tls`");
    }
    if let Some(pool) = pool {
        connection_pool(pool, &at.key("connectionPool"), findings);
    }
    if let Some(balancer) = balancer {
        load_balancer(balancer, outlier.is_some(), &at.key("loadBalancer"), findings);
    }
    if let Some(outlier) = outlier {
        outlier_detection(outlier, &at.key("outlierDetection"), findings);
    }
    if let Some(tls) = tls {
        client_tls(tls, namespace, &at.key("tls"), findings);
    }
}

fn tunnel_settings(tunnel: &TunnelSettings, at: &At<'_>, findings: &mut Findings) {
    if !matches!(tunnel.protocol.as_str(), "" | "CONNECT" | "POST") {
        findings
            .error(
                at.key("protocol"),
                format!("{} does not open a tunnel", Shown(&tunnel.protocol)),
            )
            .help("write `CONNECT` or `POST`");
    }
    if !shared::is_ip(&tunnel.target_host) {
        shared::fqdn(&tunnel.target_host, &at.key("targetHost"), findings);
    }
    shared::port(tunnel.target_port, &at.key("targetPort"), findings);
}
