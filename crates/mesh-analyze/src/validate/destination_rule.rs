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
    for (index, (place, subset)) in at.items("subsets").zip(&rule.subsets).enumerate() {
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
    for (item, settings) in at.items("portLevelSettings").zip(port_level_settings) {
        port_policy(settings, namespace, &item, findings);
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

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    fn policy(policy: &str) -> String {
        format!("{{host: reviews, trafficPolicy: {policy}}}")
    }

    #[test]
    fn hosts_subsets_and_visibility() {
        expect_findings(
            "DestinationRule",
            &[
                ("{host: ''}", "error spec.host", "empty"),
                ("{host: 'a.*.b'}", "error spec.host", "wildcard"),
                ("{host: 'http://a.b'}", "error spec.host", "bare host name"),
                ("{host: 'a.b:80'}", "error spec.host", "port"),
                (
                    "{host: a, subsets: [{name: v1}, {name: v1}]}",
                    "error spec.subsets[1].name",
                    "`v1`",
                ),
                (
                    "{host: a, subsets: [{name: v_1}]}",
                    "error spec.subsets[0].name",
                    "`v_1`",
                ),
                (
                    "{host: a, subsets: [{name: ''}]}",
                    "error spec.subsets[0].name",
                    "empty",
                ),
                (
                    "{host: a, subsets: [{name: b, labels: {version: 'a b'}}]}",
                    "error spec.subsets[0].labels.version",
                    "`a b`",
                ),
                (
                    "{host: a, subsets: [{name: b, trafficPolicy: {}}]}",
                    "error spec.subsets[0].trafficPolicy",
                    "sets nothing",
                ),
                (
                    "{host: a, exportTo: ['~']}",
                    "error spec.exportTo[0]",
                    "ServiceEntry only",
                ),
                ("{host: a, exportTo: [a.b]}", "error spec.exportTo[0]", "`a.b`"),
                (
                    "{host: a, exportTo: [shop, '.']}",
                    "error spec.exportTo[1]",
                    "same namespace",
                ),
                ("{host: a, exportTo: [b, b]}", "error spec.exportTo[1]", "twice"),
                (
                    "{host: a, exportTo: [b, '*']}",
                    "error spec.exportTo[1]",
                    "only entry",
                ),
                (
                    "{host: a, exportTo: ['*'], workloadSelector: {matchLabels: {a: b}}}",
                    "error spec.exportTo[0]",
                    "its own namespace",
                ),
                (
                    "{host: a, workloadSelector: {}}",
                    "warning spec.workloadSelector",
                    "no labels",
                ),
            ],
        );
        expect_silence(
            "DestinationRule",
            &[
                "{host: reviews}",
                "{host: '*.example.com', exportTo: [., b]}",
                "{host: '*'}",
                "{host: a, exportTo: [.], workloadSelector: {matchLabels: {a: b}}}",
                "{host: a, exportTo: [shop], workloadSelector: {matchLabels: {a: b}}}",
                "{host: a, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {app.kubernetes.io/x: ''}}]}",
                // Schemas report these.
                "{}",
                "{host: 1.5, subsets: [null, {name: null}], trafficPolicy: null}",
                "{host: a, subsets: 1, trafficPolicy: [], exportTo: {}}",
            ],
        );
    }

    #[test]
    fn traffic_policies() {
        let cases: Vec<(String, &str, &str)> = [
            ("{}", "error spec.trafficPolicy", "sets nothing"),
            (
                "{portLevelSettings: []}",
                "error spec.trafficPolicy",
                "sets nothing",
            ),
            (
                "{connectionPool: {}}",
                "error spec.trafficPolicy.connectionPool",
                "sets nothing",
            ),
            (
                "{connectionPool: {http: {maxRetries: -1}}}",
                "error spec.trafficPolicy.connectionPool.http.maxRetries",
                "negative",
            ),
            (
                "{connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}}",
                "error spec.trafficPolicy.connectionPool.http.useClientProtocol",
                "contradicts",
            ),
            (
                "{connectionPool: {http: {http2KeepAlive: {interval: 1s}}}}",
                "error spec.trafficPolicy.connectionPool.http.http2KeepAlive",
                "`timeout`",
            ),
            (
                "{connectionPool: {tcp: {idleTimeout: soon}}}",
                "error spec.trafficPolicy.connectionPool.tcp.idleTimeout",
                "`soon`",
            ),
            (
                "{connectionPool: {tcp: {connectTimeout: 1.5ms}}}",
                "error spec.trafficPolicy.connectionPool.tcp.connectTimeout",
                "whole number of milliseconds",
            ),
            (
                "{outlierDetection: {consecutiveLocalOriginFailures: 3}}",
                "error spec.trafficPolicy.outlierDetection.consecutiveLocalOriginFailures",
                "splitExternalLocalOriginErrors",
            ),
            (
                "{outlierDetection: {maxEjectionPercent: 101}}",
                "error spec.trafficPolicy.outlierDetection.maxEjectionPercent",
                "percentage",
            ),
            (
                "{tunnel: {targetHost: a.b, targetPort: 80}, proxyProtocol: {}}",
                "error spec.trafficPolicy.proxyProtocol",
                "`tunnel`",
            ),
            (
                "{tunnel: {targetHost: a.b, targetPort: 80, protocol: GET}}",
                "error spec.trafficPolicy.tunnel.protocol",
                "`GET`",
            ),
            (
                "{tunnel: {targetHost: 'a b', targetPort: 80}}",
                "error spec.trafficPolicy.tunnel.targetHost",
                "`a b`",
            ),
            (
                "{tunnel: {targetHost: a.b, targetPort: 0}}",
                "error spec.trafficPolicy.tunnel.targetPort",
                "ports go from",
            ),
            (
                "{portLevelSettings: [{tls: {mode: SIMPLE}}]}",
                "error spec.trafficPolicy.portLevelSettings[0]",
                "no port",
            ),
            (
                "{portLevelSettings: [{port: {number: 80}}]}",
                "error spec.trafficPolicy.portLevelSettings[0]",
                "set nothing",
            ),
            (
                "{portLevelSettings: [{port: {number: 70000}, tls: {mode: SIMPLE}}]}",
                "error spec.trafficPolicy.portLevelSettings[0].port.number",
                "`70000`",
            ),
            (
                "{portLevelSettings: [{port: {}, tls: {mode: SIMPLE}}]}",
                "error spec.trafficPolicy.portLevelSettings[0].port",
                "no number",
            ),
        ]
        .map(|(text, path, message)| (policy(text), path, message))
        .into();
        let cases: Vec<_> = cases
            .iter()
            .map(|(spec, path, message)| (spec.as_str(), *path, *message))
            .collect();
        expect_findings("DestinationRule", &cases);
        for text in [
            "{connectionPool: {http: {}, tcp: {idleTimeout: 0s, tcpKeepalive: {time: 7200s}}}}",
            "{tunnel: {targetHost: 10.0.0.1, targetPort: 80, protocol: POST}}",
            "{outlierDetection: {consecutiveLocalOriginFailures: 3, splitExternalLocalOriginErrors: true}}",
            "{portLevelSettings: [{port: {number: 80}, tls: {mode: DISABLE}}]}",
            "{unknown: 1}",
            "{portLevelSettings: 1}",
            "{portLevelSettings: [{port: {number: '80'}, tls: {mode: DISABLE}}, null]}",
            "{tunnel: {targetHost: a.b, targetPort: 99999999999}}",
        ] {
            expect_silence("DestinationRule", &[&policy(text)]);
        }
    }

    #[test]
    fn load_balancers() {
        let balancer = |text: &str| policy(&format!("{{outlierDetection: {{}}, loadBalancer: {text}}}"));
        for (text, path, message) in [
            (
                "{consistentHash: {httpCookie: {name: ''}}}",
                "consistentHash.httpCookie.name",
                "no name",
            ),
            (
                "{consistentHash: {httpCookie: {name: a, ttl: forever}}}",
                "consistentHash.httpCookie.ttl",
                "`forever`",
            ),
            (
                "{consistentHash: {httpCookie: {name: a, attributes: [{name: b}, {name: b}]}}}",
                "consistentHash.httpCookie.attributes[1].name",
                "`b`",
            ),
            (
                "{consistentHash: {useSourceIp: true, minimumRingSize: 5, ringHash: {}}}",
                "consistentHash.minimumRingSize",
                "`ringHash`",
            ),
            (
                "{consistentHash: {useSourceIp: true, maglev: {}}}",
                "consistentHash.maglev.tableSize",
                "no table size",
            ),
            (
                "{consistentHash: {useSourceIp: true, maglev: {tableSize: 100}}}",
                "consistentHash.maglev.tableSize",
                "not prime",
            ),
            (
                "{consistentHash: {useSourceIp: true, maglev: {tableSize: 5000011}}}",
                "consistentHash.maglev.tableSize",
                "too large",
            ),
            (
                "{warmup: {duration: 1s, aggression: 0}}",
                "warmup.aggression",
                "`0`",
            ),
            (
                "{localityLbSetting: {}, zoneAwareLbSetting: {}}",
                "zoneAwareLbSetting",
                "`localityLbSetting`",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: b}]}}",
                "localityLbSetting.failover",
                "`distribute`",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a, to: {b: 50, c: 49}}]}}",
                "localityLbSetting.distribute[0].to",
                "add up to 99",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a, to: {b: 100, c: 0}}]}}",
                "localityLbSetting.distribute[0].to.c",
                "`0`",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a, to: {b: 50, b/c: 50}}]}}",
                "localityLbSetting.distribute[0].to[\"b/c\"]",
                "overlaps `b`",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a/b, to: {b: 100}}, {from: a/*, to: {b: 100}}]}}",
                "localityLbSetting.distribute[1].from",
                "overlaps `a/b`",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a/*/b, to: {b: 100}}]}}",
                "localityLbSetting.distribute[0].from",
                "not at its end",
            ),
            (
                "{localityLbSetting: {distribute: [{from: a//b, to: {b: 100}}]}}",
                "localityLbSetting.distribute[0].from",
                "empty part",
            ),
            (
                "{localityLbSetting: {failover: [{from: a, to: a}]}}",
                "localityLbSetting.failover[0]",
                "itself",
            ),
            (
                "{localityLbSetting: {failover: [{from: a, to: b/c}]}}",
                "localityLbSetting.failover[0].to",
                "more than a region",
            ),
            (
                "{localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone]}}",
                "localityLbSetting.failoverPriority[0]",
                "failover",
            ),
            (
                "{zoneAwareLbSetting: {failoverPriority: [topology.kubernetes.io/region=a]}}",
                "zoneAwareLbSetting.failoverPriority[0]",
                "zone-aware",
            ),
        ] {
            let path = format!("error spec.trafficPolicy.loadBalancer.{path}");
            expect_findings("DestinationRule", &[(&balancer(text), &path, message)]);
        }
        for text in [
            "{simple: ROUND_ROBIN, warmup: {duration: 1s, aggression: 0.5, minimumPercent: 0}}",
            "{consistentHash: {httpCookie: {name: a, ttl: 0s}, maglev: {tableSize: 65537}}}",
            "{localityLbSetting: {distribute: [{from: a/b/*, to: {a/b/*: 80, a/c/*: 20}}, {from: a/c, to: {'*': 100}}]}}",
            "{localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [version]}}",
            "{localityLbSetting: {failoverPriority: [topology.kubernetes.io/region]}}",
        ] {
            expect_silence("DestinationRule", &[&balancer(text)]);
        }
    }

    #[test]
    fn failover_needs_outlier_detection_that_subsets_inherit_and_ports_do_not() {
        let failover = "loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}";
        let top = format!("{{host: a, trafficPolicy: {{{failover}}}}}");
        let place = "warning spec.trafficPolicy.loadBalancer.localityLbSetting.failover";
        expect_findings("DestinationRule", &[(&top, place, "outlierDetection")]);
        let port = format!(
            "{{host: a, trafficPolicy: {{outlierDetection: {{}}, portLevelSettings: [{{port: {{number: 1}}, {failover}}}]}}}}"
        );
        let place = "warning spec.trafficPolicy.portLevelSettings[0].loadBalancer.localityLbSetting.failover";
        expect_findings("DestinationRule", &[(&port, place, "outlierDetection")]);
        let subset = format!(
            "{{host: a, trafficPolicy: {{outlierDetection: {{}}}}, subsets: [{{name: b, trafficPolicy: {{{failover}}}}}]}}"
        );
        expect_silence("DestinationRule", &[&subset]);
    }

    #[test]
    fn client_tls() {
        let tls = |text: &str| policy(&format!("{{tls: {text}}}"));
        for (text, field, message) in [
            ("{mode: MUTUAL, privateKey: a}", "mode", "`clientCertificate`"),
            ("{mode: MUTUAL, clientCertificate: a}", "mode", "`privateKey`"),
            (
                "{mode: SIMPLE, credentialName: a, caCertificates: b}",
                "caCertificates",
                "`credentialName`",
            ),
            (
                "{mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a]}",
                "subjectAltNames",
                "`insecureSkipVerify`",
            ),
            (
                "{mode: SIMPLE, insecureSkipVerify: true, credentialName: a}",
                "credentialName",
                "`insecureSkipVerify`",
            ),
            (
                "{mode: SIMPLE, credentialName: 'configmap://other/a'}",
                "credentialName",
                "`other`",
            ),
            (
                "{mode: SIMPLE, credentialName: 'configmap://'}",
                "credentialName",
                "ConfigMap",
            ),
        ] {
            let path = format!("error spec.trafficPolicy.tls.{field}");
            expect_findings("DestinationRule", &[(&tls(text), &path, message)]);
        }
        for text in [
            "{mode: SIMPLE}",
            "{mode: SIMPLE, insecureSkipVerify: true}",
            "{mode: MUTUAL, insecureSkipVerify: true, credentialName: a}",
            "{mode: MUTUAL, clientCertificate: a, privateKey: b, caCertificates: c, subjectAltNames: [d]}",
            "{mode: SIMPLE, credentialName: 'configmap://shop/a'}",
            "{mode: ISTIO_MUTUAL, sni: a}",
            "{}",
        ] {
            expect_silence("DestinationRule", &[&tls(text)]);
        }
    }
}
