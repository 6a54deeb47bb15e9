//! Validation of [`Sidecar`].

use mesh_core::istio::gateway::ServerTlsMode;
use mesh_core::istio::sidecar::{
    CaptureMode, EgressListener, IngressListener, OutboundTrafficMode, OutboundTrafficPolicy, Sidecar,
    SidecarPort,
};
use mesh_core::{Mesh, Protocol, Resource};
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::server_tls::server_tls;
use super::shared::{self, Shown};
use super::traffic_policy::connection_pool;
use super::virtual_service::destination;

pub(super) fn check(resource: &Resource<Sidecar>, _mesh: &Mesh, findings: &mut Findings) {
    let sidecar = &resource.spec;
    let at = At::spec(resource);
    shared::networking_selector(
        sidecar.workload_selector.as_ref(),
        &at.key("workloadSelector"),
        findings,
    );
    let blocks = [
        "egress",
        "ingress",
        "outboundTrafficPolicy",
        "inboundConnectionPool",
    ];
    let sets = |name: &&str| {
        let field = at.key(name);
        // Lists count by their items, also those that schemas refuse.
        field
            .node()
            .is_some_and(|node| !(node.is_sequence() && node.is_empty()))
    };
    if !blocks.iter().any(sets) && at.node().is_none_or(|node| node.is_mapping() || node.is_null()) {
        findings
            .error(at, "the sidecar configures nothing")
            .help("set `egress`, `ingress`, `outboundTrafficPolicy` or `inboundConnectionPool`");
    }
    ingress(sidecar, &at, findings);
    if let Some(pool) = &sidecar.inbound_connection_pool {
        connection_pool(pool, &at.key("inboundConnectionPool"), findings);
    }
    egress(resource, &at, findings);
    if let Some(policy) = &sidecar.outbound_traffic_policy {
        outbound_policy(policy, &at.key("outboundTrafficPolicy"), findings);
    }
}

fn ingress(sidecar: &Sidecar, at: &At<'_>, findings: &mut Findings) {
    let list = at.key("ingress");
    let mut numbers: FxHashMap<u32, usize> = FxHashMap::default();
    for (index, (item, listener)) in list.children().zip(&sidecar.ingress).enumerate() {
        let Some(port) = listener.port.as_ref().filter(|_| item.is_mapping()) else {
            continue;
        };
        let place = item.key("port");
        port_name_and_protocol(port, &place, findings);
        let number = place.key("number");
        if number.exists() {
            shared::port(port.number, &number, findings);
        } else if place.is_mapping() {
            findings
                .error(place, "the port has no number")
                .help("set `number` to the port that clients connect to");
        }
        if port.number != 0
            && let Some(first) = numbers.insert(port.number, index)
        {
            duplicate_port(port.number, number, &list.index(first), findings);
        }
        if !listener.bind.is_empty() {
            shared::ip(&listener.bind, &item.key("bind"), findings);
        }
        default_endpoint(&listener.default_endpoint, &item.key("defaultEndpoint"), findings);
        if let Some(pool) = &listener.connection_pool {
            connection_pool(pool, &item.key("connectionPool"), findings);
        }
        ingress_tls_and_pool(listener, port, &item, findings);
    }
}

fn duplicate_port(number: u32, place: At<'_>, first: &At<'_>, findings: &mut Findings) {
    findings
        .error(place, format!("two listeners use port {number}"))
        .related(first.key("port").key("number"), "first used here")
        .help("merge the listeners, or change one port");
}

fn port_name_and_protocol(port: &SidecarPort, at: &At<'_>, findings: &mut Findings) {
    if !port.name.is_empty() {
        shared::dns_label(&port.name, "port name", &at.key("name"), findings);
    }
    shared::protocol(&port.protocol, true, &at.key("protocol"), findings);
    if port.target_port != 0 {
        findings
            .error(at.key("targetPort"), "`targetPort` has no meaning for a sidecar")
            .help("remove it; `defaultEndpoint` says where traffic goes");
    }
}

/// `unix:///path`, or a port on the own host: `127.0.0.1:80`, `0.0.0.0:80`, `[::1]:80`, `[::]:80`, `:80`.
fn default_endpoint(endpoint: &str, at: &At<'_>, findings: &mut Findings) {
    if endpoint.is_empty() {
        return;
    }
    if let Some(path) = shared::unix_path(endpoint) {
        shared::unix_socket(path, at, findings);
        return;
    }
    let own = ["", "127.0.0.1", "0.0.0.0", "[::1]", "[::]"];
    let port = endpoint
        .rsplit_once(':')
        .filter(|(host, _)| own.contains(host))
        .and_then(|(_, port)| port.parse::<u16>().ok())
        .filter(|port| *port != 0);
    if port.is_none() {
        findings
            .error(
                *at,
                format!("{} is not an endpoint of the own host", Shown(endpoint)),
            )
            .help("write `127.0.0.1:8080`, `0.0.0.0:8080`, `[::1]:8080`, or `unix:///path`");
    }
}

fn ingress_tls_and_pool(
    listener: &IngressListener,
    port: &SidecarPort,
    at: &At<'_>,
    findings: &mut Findings,
) {
    let protocol = Protocol::parse(&port.protocol);
    let place = at.key("port");
    let protocol_place = place.key("protocol");
    if let (Some(pool), Some(protocol)) = (&listener.connection_pool, protocol)
        && pool.http.is_some()
        && !protocol.is_http()
    {
        findings
            .warning(
                at.key("connectionPool").key("http"),
                format!("the limits for HTTP have no effect on a port of protocol {protocol}"),
            )
            .related(protocol_place, "the protocol is set here")
            .help("remove `http`, or correct the protocol");
    }
    let Some(tls) = &listener.tls else { return };
    let place = at.key("tls");
    for (name, set) in [
        ("subjectAltNames", !tls.subject_alt_names.is_empty()),
        ("httpsRedirect", tls.https_redirect),
        ("credentialName", !tls.credential_name.is_empty()),
        ("credentialNames", !tls.credential_names.is_empty()),
        ("tlsCertificates", !tls.tls_certificates.is_empty()),
    ] {
        if set {
            findings
                .error(
                    place.key(name),
                    format!("`{name}` is for gateways, not for the listener of a sidecar"),
                )
                .help(
                    "take certificates from the files `serverCertificate`, `privateKey` and `caCertificates`",
                );
        }
    }
    if matches!(
        tls.mode,
        ServerTlsMode::IstioMutual | ServerTlsMode::AutoPassthrough
    ) {
        findings
            .error(
                place.key("mode"),
                format!(
                    "mode `{}` is not for the listener of a sidecar",
                    tls.mode.as_str()
                ),
            )
            .help("choose `SIMPLE`, `MUTUAL` or `OPTIONAL_MUTUAL`");
    }
    if let Some(protocol) = protocol.filter(|protocol| !protocol.is_tls()) {
        findings
            .error(
                protocol_place,
                format!("a listener of protocol {protocol} cannot have `tls` settings"),
            )
            .related(place, "TLS is set here")
            .help("choose protocol HTTPS or TLS, or remove `tls`");
    }
    server_tls(tls, &place, findings);
}

fn egress(resource: &Resource<Sidecar>, at: &At<'_>, findings: &mut Findings) {
    let list = at.key("egress");
    let listeners = &resource.spec.egress;
    let mut numbers: FxHashMap<u32, usize> = FxHashMap::default();
    let mut sockets: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, (item, listener)) in list.children().zip(listeners).enumerate() {
        if !item.is_mapping() {
            continue;
        }
        let hosts = item.key("hosts");
        if hosts.is_empty_list() {
            findings
                .error(hosts, "the listener imports no hosts")
                .help("list hosts as `namespace/host`; `*/*` is all, and `~/*` is none");
        }
        egress_hosts(listener, resource.namespace(), &hosts, findings);
        let Some(port) = &listener.port else {
            let is_last = index + 1 == listeners.len();
            if !is_last && !item.key("port").exists() {
                findings
                    .error(
                        item,
                        "a listener without port serves all other ports, and so has to be the last one",
                    )
                    .help("move it to the end, or give it a port");
            }
            continue;
        };
        egress_port(listener, port, &item, findings);
        if port.number != 0 {
            if let Some(first) = numbers.insert(port.number, index) {
                let place = item.key("port");
                duplicate_port(port.number, place.key("number"), &list.index(first), findings);
            }
        } else if !listener.bind.is_empty()
            && let Some(first) = sockets.insert(&listener.bind, index)
        {
            findings
                .error(
                    item.key("bind"),
                    format!("two listeners use the socket {}", Shown(&listener.bind)),
                )
                .related(list.index(first).key("bind"), "first used here")
                .help("merge the listeners, or change one path");
        }
    }
}

fn egress_port(listener: &EgressListener, port: &SidecarPort, at: &At<'_>, findings: &mut Findings) {
    let place = at.key("port");
    port_name_and_protocol(port, &place, findings);
    let bind = at.key("bind");
    let number = place.key("number");
    if port.number != 0 {
        shared::port(port.number, &number, findings);
        if !listener.bind.is_empty() {
            shared::ip(&listener.bind, &bind, findings);
        }
        return;
    }
    if !place.is_mapping() || (number.exists() && !number.reads(0_u32)) {
        return;
    }
    match shared::unix_path(&listener.bind) {
        Some(path) => shared::unix_socket(path, &bind, findings),
        None => findings
            .error(number, "port number 0 is for Unix sockets, but `bind` names none")
            .help("set the port number, or `bind: unix:///path`"),
    }
    if listener.capture_mode == CaptureMode::Iptables {
        findings
            .error(
                at.key("captureMode"),
                "traffic cannot be captured by iptables for a Unix socket",
            )
            .help("choose `DEFAULT` or `NONE`");
    }
}

/// The parts of a valid entry of `hosts`: namespace and name.
fn split_host<'a>(host: &'a str, at: &At<'_>, findings: &mut Findings) -> Option<(&'a str, &'a str)> {
    let help =
        "write `namespace/host`, with `*` for any namespace, `.` for the own one, and `*` for any host";
    let Some((namespace, name)) = host.split_once('/') else {
        findings
            .error(*at, format!("{} names no namespace", Shown(host)))
            .help(help);
        return None;
    };
    // `~` alone is no namespace; before one it excludes what follows.
    let bare = namespace.strip_prefix('~').unwrap_or(namespace);
    let is_namespace = namespace == "~" || bare == "*" || bare == "." || shared::is_dns_label(bare);
    if !is_namespace {
        findings
            .error(
                *at,
                format!("{} has the invalid namespace {}", Shown(host), Shown(namespace)),
            )
            .help(help);
        return None;
    }
    let problem = match shared::wildcard_domain_problem(name) {
        Some(problem) => problem,
        None if name != "*" && !name.contains('.') => "is a short name".to_owned(),
        None => return Some((namespace, name)),
    };
    findings
        .error(*at, format!("the host of {} {problem}", Shown(host)))
        .help("write a full name such as `reviews.shop.svc.cluster.local`, a wildcard such as `*.example.com`, or `*`");
    None
}

fn egress_hosts(listener: &EgressListener, own: &str, at: &At<'_>, findings: &mut Findings) {
    let mut sound = Vec::new();
    let mut seen: FxHashMap<(&str, &str), usize> = FxHashMap::default();
    for (index, (place, host)) in at.children().zip(&listener.hosts).enumerate() {
        if !place.is_text() {
            continue;
        }
        let Some((namespace, name)) = split_host(host, &place, findings) else {
            continue;
        };
        let namespace = match namespace {
            "." => own,
            "~." => continue,
            namespace => namespace,
        };
        if let Some(first) = seen.get(&(namespace, name)) {
            findings
                .warning(place, format!("{} is imported twice", Shown(host)))
                .related(at.index(*first), "first imported here")
                .help("remove one");
            continue;
        }
        seen.insert((namespace, name), index);
        sound.push((index, namespace, name));
    }
    for (index, namespace, name) in sound {
        if namespace.starts_with('~') {
            continue;
        }
        let wider = [(namespace, "*"), ("*", "*")];
        let covering = wider
            .into_iter()
            .filter(|wider| *wider != (namespace, name))
            .find_map(|wider| seen.get(&wider));
        if let Some(other) = covering {
            let shown = |index: usize| listener.hosts.get(index).map_or("", String::as_str);
            findings
                .warning(
                    at.index(index),
                    format!(
                        "{} is imported by {} already",
                        Shown(shown(index)),
                        Shown(shown(*other))
                    ),
                )
                .related(at.index(*other), "this covers it")
                .help("remove the narrower entry, or the wider one if it imports too much");
        }
    }
}

fn outbound_policy(policy: &OutboundTrafficPolicy, at: &At<'_>, findings: &mut Findings) {
    let Some(proxy) = &policy.egress_proxy else { return };
    let place = at.key("egressProxy");
    if !place.is_mapping() {
        return;
    }
    let mode = at.key("mode");
    let mode_is_known = mode
        .node()
        .is_none_or(|node| matches!(node.as_str(), Some("REGISTRY_ONLY" | "ALLOW_ANY")));
    if policy.mode == OutboundTrafficMode::RegistryOnly && mode_is_known {
        findings
            .error(place, "`egressProxy` is only for mode `ALLOW_ANY`")
            .related(mode, "the mode is REGISTRY_ONLY")
            .help("set `mode: ALLOW_ANY`, or remove `egressProxy`");
    }
    let host = place.key("host");
    if shared::wildcard_domain_problem(&proxy.host).is_none()
        && let Some(problem) = shared::fqdn_problem(&proxy.host)
    {
        findings.error(host, format!("{} {problem}", Shown(&proxy.host)));
    }
    if proxy.port.is_none() && !place.key("port").exists() {
        findings
            .error(place, "`egressProxy` has no port")
            .help("add `port: {number: ..}`");
    }
    destination(proxy, &place, findings);
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    fn expect(spec: &str, place: &str, message: &str) {
        expect_findings("Sidecar", &[(&format!("{{{spec}}}"), place, message)]);
    }

    fn expect_nothing(spec: &str) {
        expect_silence("Sidecar", &[&format!("{{{spec}}}")]);
    }

    #[test]
    fn a_sidecar_configures_something() {
        expect("", "error spec", "nothing");
        expect("egress: []", "error spec", "nothing");
        expect("workloadSelector: {labels: {a: b}}", "error spec", "nothing");
        for spec in [
            "egress: [{hosts: ['*/*']}]",
            "outboundTrafficPolicy: {}",
            "inboundConnectionPool: {http: {}}",
            "egress: 1",
            "ingress: [null], egress: [1]",
        ] {
            expect_nothing(spec);
        }
    }

    #[test]
    fn ingress() {
        let listener = |text: &str| format!("ingress: [{{{text}}}]");
        let port = "port: {number: 80, protocol: HTTP, name: http}";
        for (text, path, message) in [
            ("port: {protocol: HTTP}", "error port", "no number"),
            (
                "port: {number: 70000, protocol: HTTP}",
                "error port.number",
                "`70000`",
            ),
            (
                "port: {number: 80, protocol: HTTX}",
                "error port.protocol",
                "`HTTX`",
            ),
            ("port: {number: 80, name: 'a b'}", "error port.name", "`a b`"),
            (
                "port: {number: 80, targetPort: 8080}",
                "error port.targetPort",
                "no meaning",
            ),
            (&format!("{port}, bind: localhost"), "error bind", "`localhost`"),
            (
                &format!("{port}, defaultEndpoint: 'localhost:80'"),
                "error defaultEndpoint",
                "`localhost:80`",
            ),
            (
                &format!("{port}, defaultEndpoint: '127.0.0.1:0'"),
                "error defaultEndpoint",
                "own host",
            ),
            (
                &format!("{port}, defaultEndpoint: 'unix://a'"),
                "error defaultEndpoint",
                "absolute",
            ),
            (
                "port: {number: 80, protocol: TCP}, connectionPool: {http: {}}",
                "warning connectionPool.http",
                "TCP",
            ),
            (
                &format!("{port}, tls: {{mode: SIMPLE, serverCertificate: a, privateKey: b}}"),
                "error port.protocol",
                "`tls`",
            ),
            (
                "port: {number: 80, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: a}",
                "error tls.credentialName",
                "gateways",
            ),
            (
                "port: {number: 80, protocol: HTTPS}, tls: {mode: ISTIO_MUTUAL}",
                "error tls.mode",
                "ISTIO_MUTUAL",
            ),
        ] {
            let (severity, path) = path.split_once(' ').expect("severity and path");
            expect(
                &listener(text),
                &format!("{severity} spec.ingress[0].{path}"),
                message,
            );
        }
        expect(
            "ingress: [{port: {number: 80}}, {port: {number: 80}}]",
            "error spec.ingress[1].port.number",
            "port 80",
        );
        for endpoint in [
            "127.0.0.1:80",
            "0.0.0.0:80",
            ":80",
            "[::1]:80",
            "[::]:80",
            "unix:///a",
            "unix://@a",
        ] {
            expect_nothing(&listener(&format!("{port}, defaultEndpoint: '{endpoint}'")));
        }
        expect_nothing(&listener(
            "port: {number: 80, protocol: HTTPS}, tls: {mode: SIMPLE, serverCertificate: a, privateKey: b}",
        ));
        expect_nothing(&listener("port: {number: 80}, connectionPool: {http: {}}"));
        expect_nothing("ingress: [{port: null}, {port: {number: a}}]");
    }

    #[test]
    fn egress_listeners() {
        let hosts = "hosts: ['./*']";
        for (egress, path, message) in [
            (format!("[{{{hosts}}}, {{{hosts}}}]"), "[0]", "the last one"),
            (
                format!("[{{port: {{number: 80}}, {hosts}}}, {{port: {{number: 80}}, {hosts}}}]"),
                "[1].port.number",
                "port 80",
            ),
            (
                format!("[{{port: {{number: 0}}, {hosts}}}]"),
                "[0].port.number",
                "Unix sockets",
            ),
            (
                format!("[{{port: {{number: 0}}, bind: 'unix:///a', captureMode: IPTABLES, {hosts}}}]"),
                "[0].captureMode",
                "iptables",
            ),
            (
                format!(
                    "[{{port: {{number: 0}}, bind: 'unix:///a', {hosts}}}, {{port: {{number: 0}}, bind: 'unix:///a', {hosts}}}]"
                ),
                "[1].bind",
                "`unix:///a`",
            ),
            (
                format!("[{{port: {{number: 80}}, bind: 'a.b', {hosts}}}]"),
                "[0].bind",
                "`a.b`",
            ),
            ("[{hosts: []}]".to_owned(), "[0].hosts", "no hosts"),
        ] {
            expect(
                &format!("egress: {egress}"),
                &format!("error spec.egress{path}"),
                message,
            );
        }
        expect_nothing(&format!(
            "egress: [{{port: {{number: 80, protocol: HTTP}}, bind: 0.0.0.0, {hosts}}}, \
             {{port: {{number: 0}}, bind: 'unix:///a', {hosts}}}, {{{hosts}}}]"
        ));
    }

    #[test]
    fn egress_hosts() {
        let hosts = |list: &str| format!("egress: [{{hosts: [{list}]}}]");
        for (list, path, message) in [
            ("a.b", "error spec.egress[0].hosts[0]", "no namespace"),
            ("A_b/a.b", "error spec.egress[0].hosts[0]", "`A_b`"),
            ("/a.b", "error spec.egress[0].hosts[0]", "namespace"),
            ("ns/a", "error spec.egress[0].hosts[0]", "short name"),
            ("ns/", "error spec.egress[0].hosts[0]", "empty"),
            ("a/b.c, a/b.c", "warning spec.egress[0].hosts[1]", "twice"),
            ("./b.c, shop/b.c", "warning spec.egress[0].hosts[1]", "twice"),
            ("a/b.c, a/*", "warning spec.egress[0].hosts[0]", "`a/*`"),
            ("'*/*', a/b.c", "warning spec.egress[0].hosts[1]", "`*/*`"),
        ] {
            expect(&hosts(list), path, message);
        }
        for list in [
            "'*/*'",
            "'~/*'",
            "'./*', 'istio-system/*', '*/a.b', 'c/d.e'",
            "'*/*', '~a/*', '~a/b.c'",
            "'ns/*.example.com', 'ns/a.example.com'",
            "1, null",
        ] {
            expect_nothing(&hosts(list));
        }
    }

    #[test]
    fn the_egress_proxy_is_a_full_destination() {
        let policy = |text: &str| format!("outboundTrafficPolicy: {text}");
        let place = |field: &str| format!("error spec.outboundTrafficPolicy.egressProxy{field}");
        expect(
            &policy("{egressProxy: {host: a.b, port: {number: 80}}}"),
            &place(""),
            "ALLOW_ANY",
        );
        expect(
            &policy("{mode: ALLOW_ANY, egressProxy: {host: a.b}}"),
            &place(""),
            "no port",
        );
        expect(
            &policy("{mode: ALLOW_ANY, egressProxy: {host: '*.b', port: {number: 80}}}"),
            &place(".host"),
            "`*`",
        );
        expect_nothing(&policy(
            "{mode: ALLOW_ANY, egressProxy: {host: a.b, port: {number: 80}}}",
        ));
        expect_nothing(&policy("{mode: ALLOW_ANY}"));
    }
}
