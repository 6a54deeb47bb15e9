//! Listeners.

use serde::Deserialize;

use crate::config::listener::{
    FilterChain, FilterChainMatch, HttpConnectionManager, Listener, SourceType, TcpProxy,
};
use crate::config::listener::{Terminal, TrafficDirection};
use crate::config::{Address, CidrRange};
use crate::summary::route::{describe_action, describe_match};

/// A listener. They sort as the table does: by address and port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "Listener")]
pub struct ListenerSummary {
    /// Its address without the port, and those of its additional addresses.
    pub addresses: Vec<String>,
    /// The port of its address.
    pub port: Option<u32>,
    /// The listener's name.
    pub name: String,
    /// Which way its traffic goes.
    pub direction: TrafficDirection,
    /// What its filter chains speak.
    pub kind: ListenerType,
    /// Its filter chains, the default one last.
    pub chains: Vec<ChainSummary>,
}

/// A filter chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainSummary {
    /// The chain's name; may be empty.
    pub name: String,
    /// Which connections it takes: `ALL`, or parts such as `SNI: a.com; Trans: tls`.
    pub matches: String,
    /// Where they go, such as `Route: 9080` or `Cluster: inbound|9080||`.
    pub destination: String,
}

/// What the filter chains of a listener speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenerType {
    /// HTTP in all that is known.
    Http,
    /// TCP in all that is known.
    Tcp,
    /// Both, in different filter chains.
    HttpAndTcp,
    /// Neither.
    Unknown,
}

impl ListenerType {
    /// The name in tables and options.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tcp => "TCP",
            Self::HttpAndTcp => "HTTP+TCP",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl From<Listener> for ListenerSummary {
    fn from(listener: Listener) -> Self {
        let mut kinds = (false, false);
        let default = listener.default_filter_chain.iter().map(|chain| (chain, true));
        let chains = listener
            .filter_chains
            .iter()
            .map(|chain| (chain, false))
            .chain(default);
        let chains = chains.map(|(chain, is_default)| {
            let terminal = chain.filters.iter().find_map(Terminal::of).and_then(Result::ok);
            match &terminal {
                Some(Terminal::Http(_)) => kinds.0 = true,
                Some(Terminal::Tcp(_)) => kinds.1 = true,
                None => {}
            }
            ChainSummary {
                name: chain.name.clone(),
                matches: if is_default {
                    "ALL (default)".to_owned()
                } else {
                    describe_chain(chain)
                },
                destination: describe_terminal(terminal.as_ref()),
            }
        });
        Self {
            chains: chains.collect(),
            addresses: listener.addresses().map(Address::host).collect(),
            port: listener.address.port(),
            name: listener.name,
            direction: listener.traffic_direction,
            kind: match kinds {
                (true, true) => ListenerType::HttpAndTcp,
                (true, false) => ListenerType::Http,
                (false, true) => ListenerType::Tcp,
                (false, false) => ListenerType::Unknown,
            },
        }
    }
}

fn join<T: ToString>(parts: &[T]) -> String {
    parts
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}

/// The conditions of a filter chain, in the order that Envoy weighs them.
pub(crate) fn describe_chain(chain: &FilterChain) -> String {
    let FilterChainMatch {
        destination_port,
        prefix_ranges,
        server_names,
        transport_protocol,
        application_protocols,
        direct_source_prefix_ranges,
        source_type,
        source_prefix_ranges,
        source_ports,
    } = &chain.filter_chain_match;
    let mut parts = Vec::new();
    if destination_port.is_some() || !prefix_ranges.is_empty() {
        let ranges = if prefix_ranges.is_empty() {
            "*".to_owned()
        } else {
            describe_ranges(prefix_ranges)
        };
        let port = destination_port
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        parts.push(format!("Addr: {ranges}{port}"));
    }
    if !server_names.is_empty() {
        parts.push(format!("SNI: {}", join(server_names)));
    }
    if !transport_protocol.is_empty() {
        parts.push(format!("Trans: {transport_protocol}"));
    }
    if !application_protocols.is_empty() {
        parts.push(format!("App: {}", join(application_protocols)));
    }
    if !direct_source_prefix_ranges.is_empty() {
        parts.push(format!(
            "Direct source: {}",
            describe_ranges(direct_source_prefix_ranges)
        ));
    }
    match source_type {
        SourceType::Any | SourceType::Unknown => {}
        SourceType::SameIpOrLoopback => parts.push("Source: local".to_owned()),
        SourceType::External => parts.push("Source: external".to_owned()),
    }
    if !source_prefix_ranges.is_empty() {
        parts.push(format!("Source: {}", describe_ranges(source_prefix_ranges)));
    }
    if !source_ports.is_empty() {
        parts.push(format!("Source port: {}", join(source_ports)));
    }
    if parts.is_empty() {
        "ALL".to_owned()
    } else {
        parts.join("; ")
    }
}

/// CIDR blocks, single addresses without their prefix length.
fn describe_ranges(ranges: &[CidrRange]) -> String {
    let text = |range: &CidrRange| {
        let single = if range.address_prefix.contains(':') {
            128
        } else {
            32
        };
        if range.prefix_len == single {
            range.address_prefix.clone()
        } else {
            range.to_string()
        }
    };
    join(&ranges.iter().map(text).collect::<Vec<_>>())
}

fn describe_terminal(terminal: Option<&Terminal>) -> String {
    match terminal {
        Some(Terminal::Http(http)) => describe_http(http),
        Some(Terminal::Tcp(tcp)) => describe_tcp(tcp),
        None => "Non-HTTP/Non-TCP".to_owned(),
    }
}

fn describe_http(http: &HttpConnectionManager) -> String {
    if let Some(rds) = &http.rds {
        return format!("Route: {}", rds.route_config_name);
    }
    let Some(config) = &http.route_config else {
        return "Scoped routes".to_owned();
    };
    let routes = || config.virtual_hosts.iter().flat_map(|host| &host.routes);
    let mut clusters: Vec<&str> = routes()
        .filter_map(|route| route.route.as_ref()?.cluster.as_deref())
        .collect();
    let all_have_one = clusters.len() == routes().count();
    clusters.dedup();
    match clusters[..] {
        [cluster] if all_have_one => format!("Cluster: {cluster}"),
        _ => {
            let route = |route| format!("{} → {}", describe_match(route), describe_action(route));
            format!(
                "Inline Route: {}",
                routes().map(route).collect::<Vec<_>>().join(", ")
            )
        }
    }
}

fn describe_tcp(tcp: &TcpProxy) -> String {
    if let Some(cluster) = &tcp.cluster {
        return format!("Cluster: {cluster}");
    }
    let clusters = tcp
        .weighted_clusters
        .iter()
        .flat_map(|weighted| &weighted.clusters);
    let shares: Vec<_> = clusters
        .map(|cluster| (cluster.name.as_str(), cluster.weight))
        .collect();
    format!("Cluster: {}", super::route::describe_shares(&shares))
}

/// Which listeners to show: those that agree with all that is set.
#[derive(Clone, Debug, Default)]
pub struct ListenerFilter {
    /// One of its addresses, in any case of letters.
    pub address: Option<String>,
    /// The port.
    pub port: Option<u32>,
    /// What it speaks.
    pub kind: Option<ListenerType>,
}

impl ListenerFilter {
    /// Whether a listener is to be shown.
    pub fn matches(&self, listener: &ListenerSummary) -> bool {
        let has = |address: &String| {
            listener
                .addresses
                .iter()
                .any(|own| own.eq_ignore_ascii_case(address))
        };
        self.address.as_ref().is_none_or(has)
            && self.port.is_none_or(|port| listener.port == Some(port))
            && self.kind.is_none_or(|kind| listener.kind == kind)
    }
}
