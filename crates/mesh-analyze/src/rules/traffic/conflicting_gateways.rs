//! Servers of gateways that get in each other's way.

use std::sync::Arc;

use mesh_core::istio::gateway::{Gateway, Server};
use mesh_core::{Kind, Labels, Mesh, Protocol, Resource};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::proxies::Proxies;
use super::{age, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two servers of gateways on the same proxies want the same port, and cannot both have it.
    ///
    /// ## Why is this bad?
    /// A port of a proxy has one protocol, and one certificate for a host. istiod drops the server that comes later, which
    /// is that of the younger Gateway, without a word.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 443, name: https-shop, protocol: HTTPS}
    ///     hosts: [shop.example.com]
    ///     tls: {mode: SIMPLE, credentialName: shop}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: legacy, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 443, name: https-legacy, protocol: HTTPS}
    ///     hosts: [shop.example.com]
    ///     tls: {mode: SIMPLE, credentialName: legacy}
    /// ```
    ///
    /// ## Fix
    /// Declare each port and host once. Servers of plain HTTP for the same host are merged and work; of them this is just
    /// for information.
    pub static RULE = {
        name: "conflicting-gateways",
        aliases: &["IST0145", "KIA0301"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[],
        check,
    }
}

/// What servers on one port have to have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Family {
    /// Told apart by the host of each request.
    Http,
    /// Told apart by the server name of each connection.
    Tls,
    /// Not told apart at all.
    Tcp,
}

impl Family {
    fn of(server: &Server) -> Option<Self> {
        let protocol = Protocol::parse(&server.port.as_ref()?.protocol)?;
        Some(match protocol {
            _ if protocol.is_http() => Self::Http,
            _ if protocol.is_tls() => Self::Tls,
            Protocol::Udp => return None,
            _ => Self::Tcp,
        })
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Item<'m> {
    gateway: &'m Arc<Resource<Gateway>>,
    server: usize,
    family: Family,
}

impl<'m> Item<'m> {
    fn selector(&self) -> &'m Labels {
        &self.gateway.spec.selector
    }

    fn is_same_object(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.gateway, other.gateway)
    }
}

/// The first items with each selector. Selectors beyond a number that no mesh has are not compared with others.
#[derive(Debug)]
struct Firsts<'m, K> {
    items: Vec<(K, Item<'m>)>,
    known: FxHashSet<(K, &'m Labels)>,
}

impl<K> Default for Firsts<'_, K> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            known: FxHashSet::default(),
        }
    }
}

impl<'m, K: Copy + Eq + std::hash::Hash> Firsts<'m, K> {
    fn add(&mut self, key: K, item: Item<'m>) {
        const COMPARED: usize = 32;
        if self.known.insert((key, item.selector())) && self.items.len() < COMPARED {
            self.items.push((key, item));
        }
    }

    /// The first earlier item on the same proxies for which `conflicts` holds.
    fn find(
        &self,
        item: &Item<'m>,
        proxies: &Proxies<'_>,
        conflicts: impl Fn(K) -> bool,
    ) -> Option<(K, Item<'m>)> {
        let mut items = self.items.iter();
        items
            .find(|(key, earlier)| conflicts(*key) && proxies.share(earlier.selector(), item.selector()))
            .copied()
    }
}

/// By port, address and host; with the namespace of the VirtualServices that a host is for.
type ByHost<'m> = FxHashMap<(u32, &'m str, &'m str), Firsts<'m, (Family, &'m str)>>;

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let proxies = reporter.proxies();
    let mut gateways: Vec<_> = mesh.gateways().iter().collect();
    gateways.sort_by_key(|gateway| age(gateway));
    let mut by_port: FxHashMap<(u32, &str), Firsts<'_, Family>> = FxHashMap::default();
    let mut by_host: ByHost<'_> = FxHashMap::default();
    let mut reported: FxHashSet<(*const Resource<Gateway>, *const Resource<Gateway>)> = FxHashSet::default();
    for gateway in gateways {
        for (index, server) in gateway.spec.servers.iter().enumerate() {
            let (Some(family), Some(port)) = (Family::of(server), &server.port) else {
                continue;
            };
            if port.number == 0 {
                continue;
            }
            let item = Item {
                gateway,
                server: index,
                family,
            };
            let on_port = by_port.entry((port.number, server.bind.as_str())).or_default();
            let rival = on_port.find(&item, proxies, |other| other != family || family == Family::Tcp);
            on_port.add(family, item);
            if let Some((_, rival)) = rival {
                if reported.insert((Arc::as_ptr(rival.gateway), Arc::as_ptr(gateway))) {
                    report_port(item, rival, reporter);
                }
                continue;
            }
            for (number, written) in server.hosts.iter().enumerate() {
                let (scope, host) = written.split_once('/').unwrap_or(("*", written));
                let scope = if scope == "." { gateway.namespace() } else { scope };
                let on_host = by_host.entry((port.number, &server.bind, host)).or_default();
                let rival = on_host.find(&item, proxies, |(other, other_scope)| {
                    // VirtualServices of different namespaces never meet in plain HTTP.
                    other == family && (family == Family::Tls || scope == other_scope)
                });
                on_host.add((family, scope), item);
                if let Some(((_, other_scope), rival)) = rival
                    && reported.insert((Arc::as_ptr(rival.gateway), Arc::as_ptr(gateway)))
                {
                    report_host(item, number, rival, scope == other_scope, reporter);
                }
            }
        }
    }
}

fn report_port(item: Item<'_>, rival: Item<'_>, reporter: &mut Reporter<'_>) {
    let port = item.gateway.spec.servers[item.server]
        .port
        .as_ref()
        .map_or(0, |port| port.number);
    let message = if item.family == rival.family {
        format!("port {port} is already taken by {}", named(item, rival))
    } else {
        format!(
            "port {port} is for {} here and for {} in {}",
            item.family.name(),
            rival.family.name(),
            named(item, rival)
        )
    };
    reporter
        .report(item.gateway, path!["spec", "servers", item.server, "port"])
        .message(message)
        .help("use another port, or proxies of its own")
        .related(
            rival.gateway,
            path!["spec", "servers", rival.server, "port"],
            "the server that came first",
        );
}

fn report_host(
    item: Item<'_>,
    number: usize,
    rival: Item<'_>,
    is_certain: bool,
    reporter: &mut Reporter<'_>,
) {
    let server = &item.gateway.spec.servers[item.server];
    let host = server.hosts[number].as_str();
    let port = server.port.as_ref().map_or(0, |port| port.number);
    let severity = match item.family {
        Family::Http => Severity::Info,
        _ if is_certain => Severity::Error,
        _ => Severity::Warning,
    };
    let effect = match item.family {
        Family::Http => ", and both are merged",
        Family::Tls | Family::Tcp => ", and only one of them is used",
    };
    reporter
        .report(
            item.gateway,
            path!["spec", "servers", item.server, "hosts", number],
        )
        .message(format!(
            "`{host}` on port {port} is already served by {}{effect}",
            named(item, rival)
        ))
        .help("declare the host once for each port")
        .severity(severity)
        .related(
            rival.gateway,
            path!["spec", "servers", rival.server, "hosts"],
            "the server that came first",
        );
}

fn named(item: Item<'_>, rival: Item<'_>) -> String {
    if item.is_same_object(&rival) {
        format!("`spec.servers[{}]`", rival.server)
    } else {
        format!("Gateway `{}`", qualified(rival.gateway))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deployment, diagnostics, finds, object, silent};
    use crate::Severity;

    const RULE: &str = "conflicting-gateways";

    fn gateway(name: &str, selector: &str, servers: &str) -> String {
        object(
            "Gateway",
            "shop",
            name,
            &format!("{{selector: {selector}, servers: {servers}}}"),
        )
    }

    fn server(port: u32, protocol: &str, host: &str) -> String {
        format!("{{port: {{number: {port}, name: p, protocol: {protocol}}}, hosts: ['{host}']}}")
    }

    fn pair(a: &str, b: &str) -> String {
        gateway("a", "{app: edge}", &format!("[{a}]")) + &gateway("b", "{app: edge}", &format!("[{b}]"))
    }

    #[test]
    fn protocols_and_hosts_of_one_port_have_to_fit() {
        let host = "spec.servers[0].hosts[0]";
        let port = "spec.servers[0].port";
        for (a, b, expected) in [
            (
                (443, "HTTPS", "a.x"),
                (443, "HTTPS", "a.x"),
                Some((host, "`a.x` on port 443 is already served by Gateway `shop/a`")),
            ),
            (
                (443, "HTTPS", "a.x"),
                (443, "TLS", "*/a.x"),
                Some((host, "only one of them is used")),
            ),
            (
                (443, "HTTPS", "shop/a.x"),
                (443, "TLS", "./a.x"),
                Some((host, "only one of them is used")),
            ),
            ((443, "HTTPS", "a.x"), (443, "HTTPS", "*.x"), None),
            ((443, "HTTPS", "a.x"), (443, "HTTPS", "b.x"), None),
            ((443, "HTTPS", "a.x"), (8443, "HTTPS", "a.x"), None),
            (
                (80, "HTTP", "a.x"),
                (80, "HTTP2", "a.x"),
                Some((host, "both are merged")),
            ),
            ((80, "HTTP", "a/a.x"), (80, "HTTP", "b/a.x"), None),
            (
                (80, "HTTP", "a.x"),
                (80, "TCP", "*"),
                Some((port, "port 80 is for TCP here and for HTTP in Gateway `shop/a`")),
            ),
            (
                (443, "HTTPS", "a.x"),
                (443, "HTTP", "b.x"),
                Some((port, "is for HTTP here and for TLS")),
            ),
            (
                (9000, "TCP", "*"),
                (9000, "MONGO", "*"),
                Some((port, "port 9000 is already taken by Gateway `shop/a`")),
            ),
            ((80, "BOGUS", "a.x"), (80, "HTTP", "a.x"), None),
        ] {
            let text = pair(&server(a.0, a.1, a.2), &server(b.0, b.1, b.2));
            finds(RULE, &text, expected.as_slice());
        }
    }

    #[test]
    fn severity_says_what_is_lost() {
        let severity = |a: &str, b: &str| diagnostics(RULE, &pair(a, b))[0].severity;
        assert_eq!(
            severity(&server(80, "HTTP", "a"), &server(80, "HTTP", "a")),
            Severity::Info
        );
        assert_eq!(
            severity(&server(443, "TLS", "a"), &server(443, "TLS", "a")),
            Severity::Error
        );
        assert_eq!(
            severity(&server(443, "TLS", "x/a"), &server(443, "TLS", "y/a")),
            Severity::Warning
        );
    }

    #[test]
    fn addresses_keep_servers_apart() {
        let bound = server(80, "TCP", "*").replace("{port", "{bind: 10.0.0.1, port");
        silent(RULE, &pair(&bound, &server(80, "HTTP", "*")));
    }

    #[test]
    fn each_pair_is_reported_once_and_a_gateway_may_conflict_with_itself() {
        let two = server(443, "HTTPS", "a.x") + ", " + &server(8443, "HTTPS", "a.x");
        finds(
            RULE,
            &pair(&two, &two),
            &[("spec.servers[0].hosts[0]", "Gateway `shop/a`")],
        );
        let twice = server(443, "HTTPS", "a.x") + ", " + &server(443, "HTTPS", "a.x");
        finds(
            RULE,
            &gateway("a", "{app: edge}", &format!("[{twice}]")),
            &[("spec.servers[1].hosts[0]", "already served by `spec.servers[0]`")],
        );
    }

    #[test]
    fn only_the_same_proxies_matter() {
        let https = format!("[{}]", server(443, "HTTPS", "a.x"));
        let with = |a: &str, b: &str| gateway("a", a, &https) + &gateway("b", b, &https);
        let conflict: &[_] = &[("spec.servers[0].hosts[0]", "Gateway `shop/a`")];
        silent(RULE, &with("{app: a}", "{app: ab}"));
        silent(RULE, &with("{app: a}", "{tier: b}"));
        finds(RULE, &with("{app: a}", "{app: a, tier: b}"), conflict);
        let pods = deployment("infra", "edge", "{app: a, tier: b}");
        finds(RULE, &(pods.clone() + &with("{app: a}", "{tier: b}")), conflict);
        silent(RULE, &(pods + &with("{app: a}", "{app: a, tier: c}")));
    }
}
