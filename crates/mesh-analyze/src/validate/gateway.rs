//! Validation of [`Gateway`].

use mesh_core::istio::gateway::{Gateway, Server};
use mesh_core::{Mesh, Protocol, Resource};
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::server_tls::{passes_through, server_tls};
use super::shared::{self, Shown};

pub(super) fn check(resource: &Resource<Gateway>, _mesh: &Mesh, findings: &mut Findings) {
    name(resource, findings);
    let at = At::spec(resource);
    let servers = at.key("servers");
    if servers.has_no_items() {
        findings
            .error(servers, "the gateway has no servers")
            .help("add a server with a port and hosts");
    }
    let mut names: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, (item, server)) in servers.children().zip(&resource.spec.servers).enumerate() {
        check_server(server, &item, findings);
        let Some(port) = server.port.as_ref().filter(|port| !port.name.is_empty()) else {
            continue;
        };
        if let Some(first) = names.insert(&port.name, index) {
            let first = servers.index(first);
            let first = first.key("port");
            findings
                .error(
                    item.key("port").key("name"),
                    format!("two ports of the gateway are named {}", Shown(&port.name)),
                )
                .related(first.key("name"), "first used here")
                .help("give every server's port a name of its own, also if the number is the same");
        }
    }
}

fn name(resource: &Resource<Gateway>, findings: &mut Findings) {
    let name = &resource.metadata().name;
    if !name.is_empty() && !shared::is_dns_label(name) {
        let root = At::root(resource);
        findings
            .error(
                root.key("metadata").key("name"),
                format!("{} is not a valid name of a gateway", Shown(name)),
            )
            .help("use letters, digits and inner dashes, at most 63 characters; dots are not allowed here");
    }
}

fn check_server(server: &Server, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let hosts = at.key("hosts");
    if hosts.is_empty_list() {
        findings
            .error(hosts, "the server has no hosts")
            .help("list the hosts that it answers for; `*` is all of them");
    }
    for (item, host) in hosts.children().zip(&server.hosts) {
        server_host(host, &item, findings);
    }
    bind(server, at, findings);
    port(server, at, findings);
    if let Some(tls) = &server.tls {
        server_tls(tls, &at.key("tls"), findings);
    }
    tls_of_protocol(server, at, findings);
}

/// `host` or `namespace/host`.
fn server_host(host: &str, at: &At<'_>, findings: &mut Findings) {
    if !at.is_text() {
        return;
    }
    let name = match host.split_once('/') {
        Some((namespace, name)) => {
            if namespace != "*" && namespace != "." && !shared::is_dns_label(namespace) {
                let message = if namespace.is_empty() {
                    format!("{} has an empty namespace", Shown(host))
                } else {
                    format!("{} has the invalid namespace {}", Shown(host), Shown(namespace))
                };
                findings
                    .error(*at, message)
                    .help("write `namespace/host`, with `*` for any namespace and `.` for the gateway's own");
                return;
            }
            name
        }
        None => host,
    };
    if shared::is_ip(name) {
        return;
    }
    if let Some(problem) = shared::wildcard_domain_problem(name) {
        findings
            .error(*at, format!("the host {} {problem}", Shown(name)))
            .help("write a DNS name, a wildcard such as `*.example.com`, or `*`");
    } else if shared::is_partial_wildcard(name) {
        findings
            .error(
                *at,
                format!(
                    "the host {} has a wildcard that is not a whole label",
                    Shown(name)
                ),
            )
            .help("write `*` or `*.example.com`");
    } else if name != "*" && !name.contains('.') {
        findings
            .error(*at, format!("the host {} is a short name", Shown(name)))
            .help("write the full name that clients ask for, such as `shop.example.com`");
    }
}

fn bind(server: &Server, at: &At<'_>, findings: &mut Findings) {
    let place = at.key("bind");
    if server.bind.is_empty() {
        return;
    }
    let Some(path) = shared::unix_path(&server.bind) else {
        shared::ip(&server.bind, &place, findings);
        return;
    };
    shared::unix_socket(path, &place, findings);
    if let Some(port) = server.port.as_ref().filter(|port| port.number != 0) {
        findings
            .error(
                at.key("port").key("number"),
                format!("a Unix socket has no port number, but `{}` is set", port.number),
            )
            .related(place, "the socket is set here")
            .help("write `number: 0`");
    }
}

fn port(server: &Server, at: &At<'_>, findings: &mut Findings) {
    let Some(port) = &server.port else { return };
    let place = at.key("port");
    let name = place.key("name");
    if port.name.is_empty() && name.is_text() {
        findings
            .error(name, "the port's name is empty")
            .help("name it, such as `https`");
    }
    shared::protocol(&port.protocol, false, &place.key("protocol"), findings);
    if port.number != 0 || shared::unix_path(&server.bind).is_none() {
        shared::port(port.number, &place.key("number"), findings);
    }
    if port.target_port != 0 {
        findings
            .error(
                place.key("targetPort"),
                "`targetPort` has no meaning for a gateway",
            )
            .help("remove it; the gateway's service maps ports to target ports");
    }
}

/// What the protocol of the port says about TLS.
fn tls_of_protocol(server: &Server, at: &At<'_>, findings: &mut Findings) {
    let Some(port) = &server.port else { return };
    let Some(protocol) = Protocol::parse(&port.protocol) else {
        return;
    };
    let place = at.key("tls");
    let protocol_place = at.key("port");
    let protocol_place = protocol_place.key("protocol");
    let Some(tls) = &server.tls else {
        if protocol.is_tls() && !place.exists() {
            findings
                .error(
                    protocol_place,
                    format!("a server of protocol {protocol} needs `tls` settings"),
                )
                .help("add `tls` with a mode, such as `SIMPLE` with a `credentialName`, or `PASSTHROUGH`");
        }
        return;
    };
    if !place.is_mapping() {
        return;
    }
    if tls.https_redirect && !protocol.is_http() {
        findings
            .warning(
                place.key("httpsRedirect"),
                format!("`httpsRedirect` has no effect on a server of protocol {protocol}"),
            )
            .related(protocol_place, "the protocol is set here")
            .help("move it to a server of protocol HTTP on port 80");
    }
    if protocol.is_tls() {
        return;
    }
    if !protocol.is_http() {
        findings
            .error(
                place,
                format!("a server of protocol {protocol} cannot have `tls` settings"),
            )
            .related(protocol_place, "the protocol is set here")
            .help("remove `tls`, or choose protocol TLS");
        return;
    }
    let files = [
        ("serverCertificate", &tls.server_certificate),
        ("privateKey", &tls.private_key),
        ("caCertificates", &tls.ca_certificates),
    ];
    let file = files.iter().find(|(_, value)| !value.is_empty());
    let (place, what) = match file {
        _ if !passes_through(tls.mode) => (place.key("mode"), format!("TLS mode {}", tls.mode.as_str())),
        Some((name, _)) => (place.key(name), format!("`{name}`")),
        None => return,
    };
    findings
        .error(
            place,
            format!("a server of protocol {protocol} is plain text and cannot have {what}"),
        )
        .related(protocol_place, "the protocol is set here")
        .help("choose protocol HTTPS to end TLS here; plain text may only have `httpsRedirect`");
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence, validation};

    const HTTPS: &str = "port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*']";
    const HTTP: &str = "port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']";

    fn server(server: &str) -> String {
        format!("{{servers: [{{{server}}}]}}")
    }

    fn expect(server_text: &str, place: &str, message: &str) {
        let (severity, path) = place.split_once(' ').expect("severity and path");
        let place = format!("{severity} spec.servers[0].{path}");
        expect_findings("Gateway", &[(&server(server_text), &place, message)]);
    }

    #[test]
    fn servers_and_names() {
        expect_findings(
            "Gateway",
            &[
                ("{}", "error spec.servers", "no servers"),
                ("{servers: []}", "error spec.servers", "no servers"),
                (
                    "{servers: [{port: {number: 80, name: a, protocol: HTTP}, hosts: [a.b]}, \
                      {port: {number: 81, name: a, protocol: HTTP}, hosts: [a.b]}]}",
                    "error spec.servers[1].port.name",
                    "`a`",
                ),
            ],
        );
        let gateway = |metadata: &str| {
            validation(&format!(
                "{{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {metadata}, spec: {{servers: [{{{HTTP}}}]}}}}"
            ))
        };
        assert_eq!(
            gateway("{name: a.b}"),
            ["error metadata.name: `a.b` is not a valid name of a gateway"]
        );
        assert_eq!(gateway("{generateName: a-}"), [""; 0]);
        expect_silence("Gateway", &["{servers: 1}", "{servers: [null, 1, {}]}", "1"]);
    }

    #[test]
    fn ports_and_hosts() {
        let with_host =
            |host: &str| format!("port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['{host}']");
        for (host, message) in [
            ("short", "short name"),
            ("a b.c", "`a b`"),
            ("*-a.b", "whole label"),
            ("a/b/c.d", "bare host name"),
            ("/a.b", "empty namespace"),
            ("A_b/a.b", "`A_b`"),
            ("~/a.b", "`~`"),
            ("http://a.b", "`http:`"),
            ("", "empty"),
        ] {
            expect(&with_host(host), "error hosts[0]", message);
        }
        for host in [
            "*",
            "*.a.b",
            "a.b",
            "./a.b",
            "*/a.b",
            "ns/*",
            "10.0.0.1",
            "2001:db8::1",
        ] {
            expect_silence("Gateway", &[&server(&with_host(host))]);
        }
        for (text, place, message) in [
            (
                "port: {number: 80, name: a, protocol: HTTP}, hosts: []",
                "error hosts",
                "no hosts",
            ),
            (
                "port: {number: 80, name: '', protocol: HTTP}, hosts: [a.b]",
                "error port.name",
                "empty",
            ),
            (
                "port: {number: 0, name: a, protocol: HTTP}, hosts: [a.b]",
                "error port.number",
                "`0`",
            ),
            (
                "port: {number: 80, name: a, protocol: HTPP}, hosts: [a.b]",
                "error port.protocol",
                "`HTPP`",
            ),
            (
                "port: {number: 80, name: a, protocol: ''}, hosts: [a.b]",
                "error port.protocol",
                "empty",
            ),
            (
                "port: {number: 80, name: a, protocol: HTTP, targetPort: 8080}, hosts: [a.b]",
                "error port.targetPort",
                "no meaning",
            ),
            (
                "port: {number: 80, name: a, protocol: HTTP}, hosts: [a.b], bind: localhost",
                "error bind",
                "`localhost`",
            ),
            (
                "port: {number: 80, name: a, protocol: HTTP}, hosts: [a.b], bind: 'unix:///a'",
                "error port.number",
                "Unix socket",
            ),
            (
                "port: {number: 0, name: a, protocol: HTTP}, hosts: [a.b], bind: 'unix://a'",
                "error bind",
                "absolute",
            ),
        ] {
            expect(text, place, message);
        }
        expect_silence(
            "Gateway",
            &[
                &server("port: {number: 0, name: a, protocol: HTTP}, hosts: [a.b], bind: 'unix:///run/a'"),
                &server("port: {number: 80, name: a, protocol: http}, hosts: [a.b], bind: 0.0.0.0"),
                &server("port: {number: '80', name: 1, protocol: null}, hosts: [null]"),
            ],
        );
    }

    #[test]
    fn tls_fits_the_protocol() {
        expect(HTTPS, "error port.protocol", "needs `tls`");
        for (protocol, tls, place, message) in [
            (
                "HTTP",
                "{mode: SIMPLE, credentialName: a}",
                "error tls.mode",
                "plain text",
            ),
            ("TCP", "{httpsRedirect: false}", "error tls", "TCP"),
            (
                "TLS",
                "{mode: PASSTHROUGH, httpsRedirect: true}",
                "warning tls.httpsRedirect",
                "TLS",
            ),
        ] {
            let text =
                format!("port: {{number: 80, name: a, protocol: {protocol}}}, hosts: ['*'], tls: {tls}");
            expect(&text, place, message);
        }
        expect_silence(
            "Gateway",
            &[
                &server(HTTP),
                &server(&format!("{HTTP}, tls: {{httpsRedirect: true}}")),
                &server(&format!("{HTTPS}, tls: {{mode: SIMPLE, credentialName: a}}")),
                &server(&format!("{HTTPS}, tls: 1")),
            ],
        );
    }

    #[test]
    fn server_tls() {
        for (tls, place, message) in [
            ("{mode: SIMPLE}", "error tls.mode", "needs a certificate"),
            (
                "{mode: SIMPLE, serverCertificate: a}",
                "error tls.privateKey",
                "`privateKey`",
            ),
            (
                "{mode: MUTUAL, serverCertificate: a, privateKey: b}",
                "error tls.caCertificates",
                "`caCertificates`",
            ),
            (
                "{mode: OPTIONAL_MUTUAL, tlsCertificates: [{serverCertificate: a, privateKey: b}]}",
                "error tls.caCertificates",
                "`caCertificates`",
            ),
            (
                "{mode: SIMPLE, tlsCertificates: [{serverCertificate: a}]}",
                "error tls.tlsCertificates[0]",
                "`privateKey`",
            ),
            (
                "{mode: SIMPLE, credentialName: a, serverCertificate: b, privateKey: c}",
                "error tls.credentialName",
                "`serverCertificate`",
            ),
            (
                "{mode: SIMPLE, credentialName: a, tlsCertificates: [{serverCertificate: a, privateKey: b}]}",
                "error tls.tlsCertificates",
                "`credentialName`",
            ),
            (
                "{mode: MUTUAL, credentialName: a, caCrl: b}",
                "error tls.caCrl",
                "secret",
            ),
            (
                "{mode: SIMPLE, serverCertificate: a, privateKey: b, caCrl: c}",
                "error tls.caCrl",
                "SIMPLE",
            ),
            (
                "{mode: ISTIO_MUTUAL, credentialName: a}",
                "error tls.credentialName",
                "ISTIO_MUTUAL",
            ),
            (
                "{credentialName: a}",
                "warning tls.credentialName",
                "PASSTHROUGH`, the default",
            ),
            (
                "{mode: PASSTHROUGH, privateKey: a}",
                "warning tls.privateKey",
                "PASSTHROUGH",
            ),
            (
                "{mode: SIMPLE, credentialName: a, minProtocolVersion: TLSV1_1}",
                "warning tls.minProtocolVersion",
                "cipher suites",
            ),
            (
                "{mode: SIMPLE, credentialName: a, cipherSuites: [AES129-SHA]}",
                "warning tls.cipherSuites[0]",
                "AES129-SHA",
            ),
            (
                "{mode: SIMPLE, credentialName: a, cipherSuites: [AES128-SHA, AES128-SHA]}",
                "warning tls.cipherSuites[1]",
                "twice",
            ),
        ] {
            expect(&format!("{HTTPS}, tls: {tls}"), place, message);
        }
        for tls in [
            "{mode: SIMPLE, credentialName: a}",
            "{mode: SIMPLE, credentialNames: [a, b]}",
            "{mode: MUTUAL, credentialName: a}",
            "{mode: MUTUAL, serverCertificate: a, privateKey: b, caCertificates: c, caCrl: d}",
            "{mode: MUTUAL, serverCertificate: a, privateKey: b, caCertCredentialName: c}",
            "{mode: ISTIO_MUTUAL}",
            "{mode: AUTO_PASSTHROUGH}",
            "{mode: SIMPLE, credentialName: a, cipherSuites: [ALL, '-AES128-SHA', AES256-SHA], minProtocolVersion: TLSV1_0}",
            "{mode: simple}",
            "{mode: SIMPLE, credentialName: 1}",
        ] {
            expect_silence("Gateway", &[&server(&format!("{HTTPS}, tls: {tls}"))]);
        }
    }
}
