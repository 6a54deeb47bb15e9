//! Validation of [`ServiceEntry`].

use mesh_core::istio::service_entry::{Location, Resolution, ServiceEntry};
use mesh_core::istio::workload_entry::WorkloadEntry;
use mesh_core::{Mesh, Protocol, Resource};
use rustc_hash::FxHashSet;

use super::Findings;
use super::at::At;
use super::shared::{self, ExportTo, Shown};
use super::workload_entry::{name_or_ip, no_address};

/// Turns the allocation of virtual addresses off for one entry.
const AUTO_ALLOCATE: &str = "networking.istio.io/enable-autoallocate-ip";

/// Names the waypoint that a service uses.
const USE_WAYPOINT: &str = "istio.io/use-waypoint";

pub(super) fn check(resource: &Resource<ServiceEntry>, _mesh: &Mesh, findings: &mut Findings) {
    let entry = &resource.spec;
    let at = At::spec(resource);
    hosts(entry, &at, findings);
    for (item, address) in at.items("addresses").zip(&entry.addresses) {
        shared::ip_or_cidr(address, &item, findings);
    }
    ports(resource, &at, findings);
    shared::networking_selector(
        entry.workload_selector.as_ref(),
        &at.key("workloadSelector"),
        findings,
    );
    if resolution_is_known(&at) {
        match entry.resolution {
            Resolution::None => none(entry, &at, findings),
            Resolution::Static => fixed(entry, &at, findings),
            Resolution::Dns | Resolution::DnsRoundRobin => dns(entry, &at, findings),
            Resolution::DynamicDns => dynamic_dns(resource, &at, findings),
        }
        several_hosts(entry, &at, findings);
    }
    shared::export_to(
        &entry.export_to,
        ExportTo::NamespacesOrNone,
        resource.namespace(),
        &at,
        findings,
    );
}

fn resolution_is_known(at: &At<'_>) -> bool {
    const NAMES: [&str; 5] = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"];
    let field = at.key("resolution");
    field
        .node()
        .is_none_or(|node| node.as_str().is_some_and(|text| NAMES.contains(&text)))
}

fn resolution_name(resolution: Resolution) -> &'static str {
    match resolution {
        Resolution::None => "NONE",
        Resolution::Static => "STATIC",
        Resolution::Dns => "DNS",
        Resolution::DnsRoundRobin => "DNS_ROUND_ROBIN",
        Resolution::DynamicDns => "DYNAMIC_DNS",
    }
}

fn hosts(entry: &ServiceEntry, at: &At<'_>, findings: &mut Findings) {
    for (place, host) in at.items("hosts").zip(&entry.hosts) {
        if host == "*" {
            continue; // The schema refuses it.
        }
        if shared::wildcard_domain_problem(host).is_some() {
            shared::wildcard_domain(host, &place, findings);
        } else if shared::is_partial_wildcard(host) && entry.resolution != Resolution::DynamicDns {
            findings
                .warning(
                    place,
                    format!("the wildcard of {} is not a whole label", Shown(host)),
                )
                .help("proxies match whole labels only: write `*.example.com`");
        }
    }
}

fn ports(resource: &Resource<ServiceEntry>, at: &At<'_>, findings: &mut Findings) {
    let entry = &resource.spec;
    let opted_out = resource
        .labels()
        .get(AUTO_ALLOCATE)
        .is_some_and(|value| value == "false");
    // istiod gives other entries an address of its own.
    let needs_address = entry.addresses.is_empty()
        && (entry.resolution == Resolution::None || opted_out)
        && resolution_is_known(at);
    for (item, port) in at.items("ports").zip(&entry.ports) {
        if !item.is_mapping() {
            continue;
        }
        shared::dns_label(&port.name, "port name", &item.key("name"), findings);
        shared::protocol(&port.protocol, true, &item.key("protocol"), findings);
        if needs_address && (port.protocol.is_empty() || port.protocol.eq_ignore_ascii_case("tcp")) {
            findings
                .warning(
                    item.key("protocol"),
                    format!(
                        "without `addresses`, all TCP traffic to port {} is taken for this service",
                        port.number
                    ),
                )
                .help("set `addresses`, or a protocol that carries a host name, such as HTTP or TLS");
        }
    }
}

fn none(entry: &ServiceEntry, at: &At<'_>, findings: &mut Findings) {
    if entry.workload_selector.is_some() {
        findings
            .warning(
                at.key("workloadSelector"),
                "`workloadSelector` has no effect with resolution NONE",
            )
            .help("choose resolution STATIC or DNS, or remove the selector");
    }
}

fn fixed(entry: &ServiceEntry, at: &At<'_>, findings: &mut Findings) {
    let ports = port_names(entry);
    let mut sockets = false;
    for (item, endpoint) in at.items("endpoints").zip(&entry.endpoints) {
        let address = item.key("address");
        if endpoint.address.is_empty() {
            no_address(endpoint, &item, findings);
        } else if shared::unix_path(&endpoint.address).is_some() {
            sockets = true;
        } else if !shared::is_ip(&endpoint.address) && address.is_text() {
            findings
                .error(
                    address,
                    format!(
                        "the address {} is no IP address, as resolution STATIC asks for",
                        Shown(&endpoint.address)
                    ),
                )
                .related(at.key("resolution"), "the resolution is set here")
                .help("write an IP address or `unix:///path`, or choose resolution DNS for names");
        }
        endpoint_rest(endpoint, &ports, &item, at, findings);
    }
    if sockets && entry.ports.len() != 1 {
        findings
            .error(
                at.key("ports"),
                format!(
                    "an endpoint that is a Unix socket needs exactly one port, but there are {}",
                    entry.ports.len()
                ),
            )
            .help("keep one port");
    }
}

fn dns(entry: &ServiceEntry, at: &At<'_>, findings: &mut Findings) {
    if at.key("endpoints").has_no_items() {
        for (index, host) in entry.hosts.iter().enumerate() {
            if host != "*"
                && shared::wildcard_domain_problem(host).is_none()
                && shared::fqdn_problem(host).is_some()
            {
                findings
                    .error(
                        at.item("hosts", index),
                        format!(
                            "{} cannot be resolved by resolution {} without endpoints",
                            Shown(host),
                            resolution_name(entry.resolution)
                        ),
                    )
                    .related(at.key("resolution"), "the resolution is set here")
                    .help("write a full name without wildcard, add endpoints, or choose another resolution");
            }
        }
    }
    let ports = port_names(entry);
    for (item, endpoint) in at.items("endpoints").zip(&entry.endpoints) {
        let address = item.key("address");
        if endpoint.address.is_empty() {
            no_address(endpoint, &item, findings);
        } else if shared::unix_path(&endpoint.address).is_some() {
            findings
                .error(
                    address,
                    format!(
                        "a Unix socket cannot be resolved by resolution {}",
                        resolution_name(entry.resolution)
                    ),
                )
                .related(at.key("resolution"), "the resolution is set here")
                .help("choose resolution STATIC");
        } else {
            name_or_ip(&endpoint.address, &address, findings);
        }
        endpoint_rest(endpoint, &ports, &item, at, findings);
    }
}

fn port_names(entry: &ServiceEntry) -> FxHashSet<&str> {
    entry.ports.iter().map(|port| port.name.as_str()).collect()
}

/// The parts of an endpoint that do not depend on the resolution.
fn endpoint_rest(
    endpoint: &WorkloadEntry,
    ports: &FxHashSet<&str>,
    item: &At<'_>,
    at: &At<'_>,
    findings: &mut Findings,
) {
    shared::labels(&endpoint.labels, &item.key("labels"), findings);
    for name in endpoint.ports.keys() {
        if !ports.contains(name.as_str()) {
            findings
                .error(
                    item.key("ports").key(name),
                    format!("the service has no port named {}", Shown(name)),
                )
                .related(at.key("ports"), "its ports are declared here")
                .help("name a port of the service");
        }
    }
}

fn dynamic_dns(resource: &Resource<ServiceEntry>, at: &At<'_>, findings: &mut Findings) {
    let entry = &resource.spec;
    for (index, host) in entry.hosts.iter().enumerate() {
        if !host.starts_with('*') && shared::wildcard_domain_problem(host).is_none() {
            findings
                .error(
                    at.item("hosts", index),
                    format!(
                        "{} is not a wildcard, as resolution DYNAMIC_DNS asks for",
                        Shown(host)
                    ),
                )
                .help("write a wildcard such as `*.example.com`, or choose resolution DNS");
        }
    }
    for name in ["addresses", "endpoints"] {
        let field = at.key(name);
        if field.node().is_some_and(|node| !node.is_empty()) {
            findings
                .error(field, format!("resolution DYNAMIC_DNS excludes `{name}`"))
                .help("remove the field: the name of each request is resolved");
        }
    }
    for (item, port) in at.items("ports").zip(&entry.ports) {
        let protocol = Protocol::parse(&port.protocol);
        let fits = protocol.is_some_and(|protocol| protocol.is_http() || protocol.is_tls());
        // An unknown protocol is reported as such.
        if !fits && item.is_mapping() && (protocol.is_some() || port.protocol.is_empty()) {
            findings
                .error(
                    item.key("protocol"),
                    format!(
                        "resolution DYNAMIC_DNS needs a protocol that carries a host name, but port {} has {}",
                        port.number,
                        if port.protocol.is_empty() { "none" } else { &port.protocol },
                    ),
                )
                .help("choose HTTP, HTTP2, GRPC or TLS");
        }
    }
    let waypoint = resource.labels().get(USE_WAYPOINT).filter(|name| *name != "none");
    if let Some(waypoint) = waypoint.filter(|_| entry.location == Location::MeshInternal) {
        let root = At::root(resource);
        let metadata = root.key("metadata");
        let labels = metadata.key("labels");
        findings
            .error(
                labels.key(USE_WAYPOINT),
                format!(
                    "the waypoint {} cannot serve an entry with DYNAMIC_DNS inside the mesh",
                    Shown(waypoint)
                ),
            )
            .related(at.key("location"), "the location is set here")
            .help("set `location: MESH_EXTERNAL`, or remove the label");
    }
}

/// Traffic of a plain TCP port carries no name that could tell several hosts apart.
fn several_hosts(entry: &ServiceEntry, at: &At<'_>, findings: &mut Findings) {
    if matches!(entry.resolution, Resolution::None | Resolution::DynamicDns) || entry.hosts.len() < 2 {
        return;
    }
    for (index, port) in entry.ports.iter().enumerate() {
        let protocol = Protocol::parse(&port.protocol);
        let tells_apart = protocol.is_some_and(|protocol| protocol.is_http() || protocol.is_tls());
        if tells_apart || (protocol.is_none() && !port.protocol.is_empty()) {
            continue;
        }
        let item = at.item("ports", index);
        findings
            .error(
                item.key("protocol"),
                format!(
                    "the {} hosts cannot be told apart on port {}, which is neither HTTP nor TLS",
                    entry.hosts.len(),
                    port.number
                ),
            )
            .related(at.key("hosts"), "the hosts are listed here")
            .help("write one ServiceEntry for each host, or choose an HTTP or TLS protocol");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence, validation};

    const HTTP: &str = "ports: [{number: 80, name: http, protocol: HTTP}]";
    const TCP: &str = "ports: [{number: 80, name: tcp, protocol: TCP}]";

    fn expect(spec: &str, place: &str, message: &str) {
        expect_findings("ServiceEntry", &[(&format!("{{{spec}}}"), place, message)]);
    }

    fn expect_nothing(spec: &str) {
        expect_silence("ServiceEntry", &[&format!("{{{spec}}}")]);
    }

    #[test]
    fn hosts_addresses_and_ports() {
        for (spec, place, message) in [
            (
                "hosts: ['a b'], resolution: STATIC",
                "error spec.hosts[0]",
                "`a b`",
            ),
            (
                "hosts: ['*-a.example.com']",
                "warning spec.hosts[0]",
                "not a whole label",
            ),
            (
                "hosts: [a.b], addresses: [10.0.0]",
                "error spec.addresses[0]",
                "`10.0.0`",
            ),
            (
                "hosts: [a.b], addresses: [10.0.0.0/33]",
                "error spec.addresses[0]",
                "CIDR",
            ),
            (
                "hosts: [a.b], ports: [{number: 80, name: 'a b', protocol: HTTP}]",
                "error spec.ports[0].name",
                "`a b`",
            ),
            (
                "hosts: [a.b], ports: [{number: 80, name: a, protocol: HTTPP}]",
                "error spec.ports[0].protocol",
                "`HTTPP`",
            ),
            (
                "hosts: [a.b], exportTo: ['~', '.']",
                "error spec.exportTo[0]",
                "only entry",
            ),
            (
                "hosts: [a.b], resolution: STATIC, workloadSelector: {labels: {'': a}}",
                "error spec.workloadSelector.labels[\"\"]",
                "empty",
            ),
            (
                "hosts: [a.b], resolution: STATIC, workloadSelector: {}",
                "warning spec.workloadSelector",
                "no labels",
            ),
            (
                "hosts: [a.b], workloadSelector: {labels: {a: b}}",
                "warning spec.workloadSelector",
                "NONE",
            ),
        ] {
            expect(spec, place, message);
        }
        for spec in [
            "hosts: [a.b], addresses: [10.0.0.0/8, '::1'], resolution: STATIC, exportTo: ['~']",
            "hosts: ['*'], ports: [{number: 0, name: null, protocol: HTTP}]",
            "hosts: 1, addresses: [1], ports: [1, null], endpoints: 2",
        ] {
            expect_nothing(spec);
        }
    }

    #[test]
    fn plain_tcp_needs_an_address_where_none_is_allocated() {
        expect(
            &format!("hosts: [a.b], {TCP}"),
            "warning spec.ports[0].protocol",
            "`addresses`",
        );
        expect(
            "hosts: [a.b], ports: [{number: 80, name: a}]",
            "warning spec.ports[0].protocol",
            "port 80",
        );
        for spec in [
            format!("hosts: [a.b], resolution: DNS, {TCP}"),
            format!("hosts: [a.b], {HTTP}"),
            format!("hosts: [a.b], addresses: [10.0.0.1], {TCP}"),
            "hosts: [a.b], ports: [{number: 80, name: a, protocol: TLS}]".to_owned(),
        ] {
            expect_nothing(&spec);
        }
        let labelled = |value: &str| {
            validation(&format!(
                "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, \
                 metadata: {{name: a, labels: {{networking.istio.io/enable-autoallocate-ip: \"{value}\"}}}}, \
                 spec: {{hosts: [a.b], resolution: DNS, {TCP}}}}}"
            ))
        };
        assert!(
            labelled("false")
                .join("")
                .starts_with("warning spec.ports[0].protocol")
        );
        assert_eq!(labelled("true"), [""; 0]);
    }

    #[test]
    fn static_endpoints_are_addresses() {
        for (endpoints, place, message) in [
            ("[{address: a.b}]", "error spec.endpoints[0].address", "`a.b`"),
            (
                "[{address: 10.0.0.1, ports: {other: 80}}]",
                "error spec.endpoints[0].ports.other",
                "`other`",
            ),
            (
                "[{address: 10.0.0.1, labels: {'a b': c}}]",
                "error spec.endpoints[0].labels[\"a b\"]",
                "`a b`",
            ),
            ("[{network: far}]", "warning spec.endpoints[0].network", "`far`"),
        ] {
            let spec = format!("hosts: [a.b], resolution: STATIC, {HTTP}, endpoints: {endpoints}");
            expect(&spec, place, message);
        }
        expect(
            "hosts: [a.b], resolution: STATIC, endpoints: [{address: 'unix:///a'}], \
             ports: [{number: 80, name: a, protocol: HTTP}, {number: 81, name: b, protocol: HTTP}]",
            "error spec.ports",
            "there are 2",
        );
        expect_nothing(&format!(
            "hosts: [a.b], resolution: STATIC, {HTTP}, \
             endpoints: [{{address: 10.0.0.1, ports: {{http: 8080}}}}, {{address: '::1'}}, {{address: 'unix:///a'}}]"
        ));
    }

    #[test]
    fn dns_needs_names() {
        for resolution in ["DNS", "DNS_ROUND_ROBIN"] {
            let spec = |rest: &str| format!("resolution: {resolution}, {HTTP}, {rest}");
            expect(&spec("hosts: ['*.a.b']"), "error spec.hosts[0]", resolution);
            expect(
                &spec("hosts: [a.b], endpoints: [{address: '*.c'}]"),
                "error spec.endpoints[0].address",
                "`*`",
            );
            expect(
                &spec("hosts: [a.b], endpoints: [{address: 'unix:///a'}]"),
                "error spec.endpoints[0].address",
                "Unix socket",
            );
            expect_nothing(&spec("hosts: [a.b]"));
            expect_nothing(&spec("hosts: ['*.a.b'], endpoints: [{address: c.d}]"));
            expect_nothing(&spec("hosts: [a.b], endpoints: [{address: 10.0.0.1}]"));
        }
    }

    #[test]
    fn dynamic_dns_resolves_requests() {
        for (spec, place, message) in [
            (
                format!("hosts: [a.b], {HTTP}"),
                "error spec.hosts[0]",
                "not a wildcard",
            ),
            (
                format!("hosts: ['*.b'], addresses: [10.0.0.1], {HTTP}"),
                "error spec.addresses",
                "`addresses`",
            ),
            (
                format!("hosts: ['*.b'], {TCP}"),
                "error spec.ports[0].protocol",
                "TCP",
            ),
        ] {
            expect(&format!("resolution: DYNAMIC_DNS, {spec}"), place, message);
        }
        expect_nothing(&format!(
            "resolution: DYNAMIC_DNS, hosts: ['*.b', '*-c.d'], {HTTP}"
        ));
        let with_waypoint = |location: &str, name: &str| {
            validation(&format!(
                "{{apiVersion: networking.istio.io/v1, kind: ServiceEntry, \
                 metadata: {{name: a, labels: {{istio.io/use-waypoint: {name}}}}}, \
                 spec: {{hosts: ['*.b'], resolution: DYNAMIC_DNS, location: {location}, {HTTP}}}}}"
            ))
        };
        let found = with_waypoint("MESH_INTERNAL", "w").join("");
        assert!(
            found.contains("metadata.labels") && found.contains("`w`"),
            "{found}"
        );
        assert_eq!(with_waypoint("MESH_EXTERNAL", "w"), [""; 0]);
        assert_eq!(with_waypoint("MESH_INTERNAL", "none"), [""; 0]);
    }

    #[test]
    fn several_hosts_need_a_protocol_that_names_one() {
        expect(
            &format!("hosts: [a.b, c.d], resolution: DNS, {TCP}"),
            "error spec.ports[0].protocol",
            "2 hosts",
        );
        for spec in [
            format!("hosts: [a.b, c.d], resolution: DNS, {HTTP}"),
            "hosts: [a.b, c.d], resolution: STATIC, ports: [{number: 1, name: a, protocol: TLS}]".to_owned(),
            format!("hosts: [a.b, c.d], resolution: NONE, addresses: [10.0.0.1], {TCP}"),
        ] {
            expect_nothing(&spec);
        }
    }
}
