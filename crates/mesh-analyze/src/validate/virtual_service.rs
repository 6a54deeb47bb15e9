//! Validation of [`VirtualService`].

use mesh_core::istio::common::PortSelector;
use mesh_core::istio::virtual_service::{Destination, RouteDestination, TcpRoute, TlsRoute, VirtualService};
use mesh_core::{Host, Mesh, Resource};
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::http_route::{self, Audience};
use super::shared::{self, ExportTo, Shown};
use crate::rules::traffic::is_generated;

/// The gateway that stands for all sidecars.
const MESH: &str = "mesh";

/// How the hosts of a gateway that passes TLS through between networks begin.
const OUTBOUND: &str = "outbound_.";

pub(super) fn check(resource: &Resource<VirtualService>, _mesh: &Mesh, findings: &mut Findings) {
    let service = &resource.spec;
    let at = At::spec(resource);
    let lacks = |name: &str| at.key(name).has_no_items();
    if lacks("hosts") {
        delegate(service, &at, findings);
    }
    let for_mesh = service.gateways.is_empty() || service.gateways.iter().any(|name| name == MESH);
    gateways(&service.gateways, &at, findings);
    let hosts = Hosts::new(&service.hosts);
    check_hosts(&service.hosts, &hosts, for_mesh, &at, findings);
    if lacks("http") && lacks("tcp") && lacks("tls") {
        findings
            .error(at, "the virtual service routes nothing")
            .help("add rules under `http`, `tls` or `tcp`");
    }
    let audience = Audience {
        is_delegate: service.hosts.is_empty(),
        for_mesh,
    };
    for (item, route) in at.items("http").zip(&service.http) {
        http_route::check(route, audience, &item, findings);
    }
    for (item, route) in at.items("tls").zip(&service.tls) {
        tls_route(route, &hosts, &item, findings);
    }
    for (item, route) in at.items("tcp").zip(&service.tcp) {
        tcp_route(route, &item, findings);
    }
    shared::export_to(
        &service.export_to,
        ExportTo::Namespaces,
        resource.namespace(),
        &at,
        findings,
    );
}

/// A virtual service without hosts, which others delegate to.
fn delegate(service: &VirtualService, at: &At<'_>, findings: &mut Findings) {
    for (name, set, what) in [
        ("gateways", !service.gateways.is_empty(), "name gateways"),
        ("tls", !service.tls.is_empty(), "have TLS rules"),
        ("tcp", !service.tcp.is_empty(), "have TCP rules"),
    ] {
        if set {
            findings
                .error(
                    at.key(name),
                    format!("a virtual service without `hosts` is a delegate and cannot {what}"),
                )
                .help(format!("add `hosts`, or remove `{name}`"));
        }
    }
}

/// Checks names of gateways: `name`, `namespace/name`, or `mesh`; at `at.gateways`.
pub(super) fn gateways(names: &[String], at: &At<'_>, findings: &mut Findings) {
    for (place, name) in at.items("gateways").zip(names) {
        if is_generated(name) {
            continue; // `internal-gateway` reports it.
        }
        if !place.is_text() {
            continue;
        }
        if let Some((namespace, name)) = name.split_once('/') {
            for (part, what) in [(namespace, "namespace"), (name, "name of a gateway")] {
                if !shared::is_dns_label(part) {
                    findings
                        .error(place, format!("{} is not a valid {what}", Shown(part)))
                        .help("write `namespace/name`");
                }
            }
        } else if let Some(problem) = shared::fqdn_problem(name) {
            findings
                .error(place, format!("the name of a gateway {} {problem}", Shown(name)))
                .help("write `name` or `namespace/name`");
        } else if name.contains('.') {
            findings
                .warning(
                    place,
                    format!("{} names a gateway in an old, dotted form", Shown(name)),
                )
                .help("write `namespace/name`");
        }
    }
}

/// The hosts of a virtual service, for quick look-ups.
struct Hosts<'a> {
    /// By text, the first place in the list.
    by_name: FxHashMap<&'a str, usize>,
    /// Those whose wildcard is a part of a label; there are hardly ever any.
    partial: Vec<(Host, usize)>,
}

impl<'a> Hosts<'a> {
    fn new(list: &'a [String]) -> Self {
        let mut by_name = FxHashMap::default();
        let mut partial = Vec::new();
        for (index, host) in list.iter().enumerate() {
            by_name.entry(host.as_str()).or_insert(index);
            if shared::is_partial_wildcard(host) {
                partial.push((Host::new(host.as_str()), index));
            }
        }
        Self { by_name, partial }
    }

    /// The first host, other than that at `own`, that covers `host` or is equal to it.
    fn covering(&self, host: &Host, own: Option<usize>) -> Option<usize> {
        let other = |index: usize| (Some(index) != own).then_some(index);
        let equal = self.by_name.get(host.as_str()).copied().and_then(other);
        equal
            .or_else(|| {
                host.wildcards()
                    .find_map(|name| self.by_name.get(name.as_str()).copied().and_then(other))
            })
            .or_else(|| {
                self.partial
                    .iter()
                    .find(|(partial, index)| other(*index).is_some() && host.is_within(partial))
                    .map(|(_, index)| *index)
            })
    }
}

fn check_hosts(list: &[String], hosts: &Hosts<'_>, for_mesh: bool, at: &At<'_>, findings: &mut Findings) {
    for (index, (place, host)) in at.items("hosts").zip(list).enumerate() {
        let is_sound = shared::is_ip(host)
            || (!for_mesh && host.starts_with(OUTBOUND))
            || shared::wildcard_domain_problem(host).is_none();
        if !is_sound {
            shared::wildcard_domain(host, &place, findings);
            continue;
        }
        if host == "*" && for_mesh {
            findings
                .error(
                    place,
                    "the host `*` is for gateways only, but these rules are for sidecars too",
                )
                .help("name the hosts, or list `gateways` without `mesh`");
        }
        let covering = hosts.covering(&Host::new(host.as_str()), Some(index));
        // Of equal hosts, the later one is too much.
        let covering = covering.filter(|other| *other < index || list.get(*other) != Some(host));
        if let Some(other) = covering {
            let name = list.get(other).map_or("", String::as_str);
            let message = if name == host {
                format!("the host {} is listed twice", Shown(host))
            } else {
                format!("the host {} is covered by {} already", Shown(host), Shown(name))
            };
            findings
                .error(place, message)
                .related(at.item("hosts", other), "the other host is here")
                .help("remove one of them: a virtual service has one set of rules for all its hosts");
        }
    }
}

/// Checks where traffic goes.
pub(super) fn destination(destination: &Destination, at: &At<'_>, findings: &mut Findings) {
    let host = at.key("host");
    if destination.host == "*" {
        findings
            .error(host, "`*` is not a destination")
            .help("name the service that gets the traffic");
    } else {
        shared::wildcard_domain(&destination.host, &host, findings);
    }
    if !destination.subset.is_empty() {
        shared::dns_label(&destination.subset, "subset name", &at.key("subset"), findings);
    }
    port_selector(destination.port.as_ref(), &at.key("port"), findings);
}

/// Checks the number of a port that is picked.
pub(super) fn port_selector(port: Option<&PortSelector>, at: &At<'_>, findings: &mut Findings) {
    let Some(port) = port else { return };
    let number = at.key("number");
    if number.exists() {
        shared::port(port.number, &number, findings);
    } else if at.is_mapping() {
        findings
            .error(*at, "the port has no number")
            .help("add `number`, or remove `port`");
    }
}

/// Checks the weights of destinations, at `at.route[..].weight`.
pub(super) fn weights(weights: &[i32], at: &At<'_>, findings: &mut Findings) {
    let mut total: i64 = 0;
    for (index, weight) in weights.iter().enumerate() {
        total = total.saturating_add((*weight).into());
        if *weight < 0 {
            findings.error(
                at.item("route", index).key("weight"),
                format!("the weight `{weight}` is negative"),
            );
        }
    }
    // A weight of another type is reported by its schema.
    let is_zero = |item: At<'_>| {
        let weight = item.key("weight");
        !weight.exists() || weight.reads(0_u32)
    };
    if weights.len() > 1 && total == 0 && at.items("route").all(is_zero) {
        findings
            .error(at.key("route"), "the weights of all destinations are 0")
            .help("give destinations weights: an unset weight is 0 where there are several");
    }
}

fn l4_destinations(route: &[RouteDestination], what: &str, at: &At<'_>, findings: &mut Findings) {
    if route.is_empty() {
        let field = at.key("route");
        if field.has_no_items() {
            findings
                .error(field, format!("the {what} rule routes nowhere"))
                .help("add `route` with a destination");
        }
        return;
    }
    for (item, target) in at.items("route").zip(route) {
        if let Some(target) = &target.destination {
            destination(target, &item.key("destination"), findings);
        }
    }
    let list: Vec<_> = route.iter().map(|target| target.weight).collect();
    weights(&list, at, findings);
}

/// The conditions that TCP and TLS rules have in common.
struct L4Match<'a> {
    subnets: &'a [String],
    gateways: &'a [String],
    port: u32,
    labels: &'a mesh_core::Labels,
    namespace: &'a str,
}

fn l4_match(condition: &L4Match<'_>, at: &At<'_>, findings: &mut Findings) {
    for (item, subnet) in at.items("destinationSubnets").zip(condition.subnets) {
        shared::ip_or_cidr(subnet, &item, findings);
    }
    if condition.port != 0 {
        shared::port(condition.port, &at.key("port"), findings);
    }
    shared::labels(condition.labels, &at.key("sourceLabels"), findings);
    gateways(condition.gateways, at, findings);
    if !condition.namespace.is_empty() {
        shared::dns_label(
            condition.namespace,
            "namespace",
            &at.key("sourceNamespace"),
            findings,
        );
    }
}

fn tls_route(route: &TlsRoute, hosts: &Hosts<'_>, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let list = at.key("match");
    if list.is_empty_list() {
        findings
            .error(list, "the TLS rule has no conditions")
            .help("add a condition with `sniHosts`");
    }
    for (item, condition) in list.children().zip(&route.matches) {
        let names = item.key("sniHosts");
        if names.is_empty_list() {
            findings
                .error(names, "the condition has no server names")
                .help("list the names (SNI) that clients ask for");
        }
        for (item, name) in names.children().zip(&condition.sni_hosts) {
            sni_host(name, hosts, &item, findings);
        }
        let condition = L4Match {
            subnets: &condition.destination_subnets,
            gateways: &condition.gateways,
            port: condition.port,
            labels: &condition.source_labels,
            namespace: &condition.source_namespace,
        };
        l4_match(&condition, &item, findings);
    }
    l4_destinations(&route.route, "TLS", at, findings);
}

fn sni_host(name: &str, hosts: &Hosts<'_>, at: &At<'_>, findings: &mut Findings) {
    if shared::is_ip(name) {
        findings
            .warning(
                *at,
                format!(
                    "clients do not send an address such as {} as server name",
                    Shown(name)
                ),
            )
            .help("match the address by `destinationSubnets` of a TCP rule");
    } else if !name.starts_with(OUTBOUND) && shared::wildcard_domain_problem(name).is_some() {
        shared::wildcard_domain(name, at, findings);
        return;
    }
    if !hosts.by_name.is_empty() && hosts.covering(&Host::new(name), None).is_none() {
        findings
            .error(
                *at,
                format!(
                    "the server name {} is not among the hosts of the virtual service",
                    Shown(name)
                ),
            )
            .help("add it to `hosts`, or route it in a virtual service for that host");
    }
}

fn tcp_route(route: &TcpRoute, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    for (index, condition) in route.matches.iter().enumerate() {
        let condition = L4Match {
            subnets: &condition.destination_subnets,
            gateways: &condition.gateways,
            port: condition.port,
            labels: &condition.source_labels,
            namespace: &condition.source_namespace,
        };
        l4_match(&condition, &at.item("match", index), findings);
    }
    l4_destinations(&route.route, "TCP", at, findings);
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    const HTTP: &str = "http: [{route: [{destination: {host: a}}]}]";

    fn expect(spec: &str, place: &str, message: &str) {
        expect_findings("VirtualService", &[(&format!("{{{spec}}}"), place, message)]);
    }

    fn expect_nothing(spec: &str) {
        expect_silence("VirtualService", &[&format!("{{{spec}}}")]);
    }

    #[test]
    fn hosts_and_gateways() {
        for (spec, place, message) in [
            ("hosts: ['a b']", "error spec.hosts[0]", "`a b`"),
            ("hosts: ['']", "error spec.hosts[0]", "empty"),
            ("hosts: ['*']", "error spec.hosts[0]", "gateways only"),
            (
                "hosts: ['*'], gateways: [edge, mesh]",
                "error spec.hosts[0]",
                "gateways only",
            ),
            (
                "hosts: ['outbound_.80_._.a.b']",
                "error spec.hosts[0]",
                "`outbound_`",
            ),
            ("hosts: [a, a]", "error spec.hosts[1]", "twice"),
            ("hosts: [a.b.c, '*.c']", "error spec.hosts[0]", "covered by `*.c`"),
            (
                "hosts: ['*.c', '*.b.c']",
                "error spec.hosts[1]",
                "covered by `*.c`",
            ),
            (
                "hosts: ['*b.c', 'ab.c']",
                "error spec.hosts[1]",
                "covered by `*b.c`",
            ),
            ("hosts: [a], gateways: [a/B_c]", "error spec.gateways[0]", "`B_c`"),
            ("hosts: [a], gateways: [a/b/c]", "error spec.gateways[0]", "`b/c`"),
            ("hosts: [a], gateways: ['a_b']", "error spec.gateways[0]", "`a_b`"),
            (
                "hosts: [a], gateways: [edge.prod.svc.cluster.local]",
                "warning spec.gateways[0]",
                "dotted",
            ),
            ("gateways: [edge]", "error spec.gateways", "delegate"),
            ("hosts: [a], exportTo: [a, a]", "error spec.exportTo[1]", "twice"),
        ] {
            expect(&format!("{spec}, {HTTP}"), place, message);
        }
        for spec in [
            "hosts: [reviews, reviews.prod.svc.cluster.local, 10.0.0.1]",
            "hosts: ['*'], gateways: [prod/edge]",
            "hosts: ['*.a.b', a.b], gateways: [edge, mesh]",
            "hosts: ['outbound_.80_._.a.b'], gateways: [edge]",
            "exportTo: [.]",
            "hosts: 1, gateways: [null, 2]",
        ] {
            expect_nothing(&format!("{spec}, {HTTP}"));
        }
    }

    #[test]
    fn a_virtual_service_routes_something() {
        for spec in ["hosts: [a]", "hosts: [a], http: []"] {
            expect(spec, "error spec", "routes nothing");
        }
        expect_nothing("hosts: [a], http: 1");
        expect(
            "tls: [{match: [{sniHosts: [a]}], route: [{destination: {host: a}}]}]",
            "error spec.tls",
            "delegate",
        );
        expect(
            "tcp: [{route: [{destination: {host: a}}]}]",
            "error spec.tcp",
            "delegate",
        );
    }

    #[test]
    fn destinations_and_weights() {
        let to =
            |destination: &str| format!("hosts: [a], tcp: [{{route: [{{destination: {destination}}}]}}]");
        for (destination, field, message) in [
            ("{host: ''}", "host", "empty"),
            ("{host: '*'}", "host", "not a destination"),
            ("{host: 'a:80'}", "host", "port"),
            ("{host: a, subset: v_1}", "subset", "`v_1`"),
            ("{host: a, port: {number: 0}}", "port.number", "`0`"),
            ("{host: a, port: {}}", "port", "no number"),
        ] {
            let place = format!("error spec.tcp[0].route[0].destination.{field}");
            expect(&to(destination), &place, message);
        }
        for destination in [
            "{host: '*.example.com'}",
            "{host: a, subset: v1, port: {number: 80}}",
            "{host: 1, port: {number: x}}",
        ] {
            expect_nothing(&to(destination));
        }
        let weights = |a: &str, b: &str| {
            format!(
                "hosts: [a], tcp: [{{route: [{{destination: {{host: a}}{a}}}, {{destination: {{host: b}}{b}}}]}}]"
            )
        };
        expect(&weights("", ""), "error spec.tcp[0].route", "are 0");
        expect(
            &weights(", weight: -1", ", weight: 101"),
            "error spec.tcp[0].route[0].weight",
            "`-1`",
        );
        expect_nothing(&weights(", weight: 0", ", weight: 1"));
        expect_nothing(&weights(", weight: a", ", weight: b"));
    }

    #[test]
    fn tcp_and_tls_rules() {
        let route = "route: [{destination: {host: a}}]";
        for (rule, place, message) in [
            ("tcp: [{}]".to_owned(), "error spec.tcp[0].route", "nowhere"),
            (
                format!("tcp: [{{match: [{{destinationSubnets: [10.0.0.0/40]}}], {route}}}]"),
                "error spec.tcp[0].match[0].destinationSubnets[0]",
                "CIDR",
            ),
            (
                format!("tcp: [{{match: [{{port: 70000}}], {route}}}]"),
                "error spec.tcp[0].match[0].port",
                "`70000`",
            ),
            (
                format!("tcp: [{{match: [{{sourceNamespace: 'a.b'}}], {route}}}]"),
                "error spec.tcp[0].match[0].sourceNamespace",
                "`a.b`",
            ),
            (
                format!("tcp: [{{match: [{{gateways: ['a_b']}}], {route}}}]"),
                "error spec.tcp[0].match[0].gateways[0]",
                "`a_b`",
            ),
            (
                format!("tls: [{{match: [], {route}}}]"),
                "error spec.tls[0].match",
                "no conditions",
            ),
            (
                format!("tls: [{{match: [{{sniHosts: []}}], {route}}}]"),
                "error spec.tls[0].match[0].sniHosts",
                "no server names",
            ),
            (
                format!("tls: [{{match: [{{sniHosts: [b.c]}}], {route}}}]"),
                "error spec.tls[0].match[0].sniHosts[0]",
                "not among the hosts",
            ),
            (
                format!("tls: [{{match: [{{sniHosts: ['a.*.b']}}], {route}}}]"),
                "error spec.tls[0].match[0].sniHosts[0]",
                "wildcard",
            ),
            (
                "tls: [{match: [{sniHosts: [a.example.com]}]}]".to_owned(),
                "error spec.tls[0].route",
                "nowhere",
            ),
        ] {
            expect(
                &format!("hosts: ['*.example.com'], gateways: [edge], {rule}"),
                place,
                message,
            );
        }
        expect(
            &format!("hosts: [10.0.0.1], tls: [{{match: [{{sniHosts: [10.0.0.1]}}], {route}}}]"),
            "warning spec.tls[0].match[0].sniHosts[0]",
            "address",
        );
        for rule in [
            format!(
                "tls: [{{match: [{{sniHosts: [a.example.com, '*.b.example.com', '*.example.com']}}], {route}}}]"
            ),
            format!("tcp: [{{{route}}}]"),
            "tls: [null, 1], tcp: [null]".to_owned(),
        ] {
            expect_nothing(&format!("hosts: ['*.example.com'], {rule}"));
        }
    }
}
