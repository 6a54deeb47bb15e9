//! Which filter chain of a listener takes a connection.
//!
//! Envoy weighs the criteria one after the other: destination port, destination address, server name, transport
//! protocol, application protocols, direct source address, source type, source address, source port. At each level the
//! most specific that fits wins, and there is no way back: chains that lose at one level are gone, even if all that are
//! left lose at a later one. See `FilterChainMatch` in Envoy's listener components.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::{PassedOver, Protocol, Request, Step};
use crate::config::CidrRange;
use crate::config::listener::{FilterChain, FilterChainMatch, Listener, SourceType};
use crate::summary::describe_chain;

/// A connection as the levels see it.
#[derive(Debug)]
pub(super) struct Connection {
    destination: Option<SocketAddr>,
    destination_port: u16,
    source: IpAddr,
    direct_source: IpAddr,
    source_port: Option<u16>,
    server_name: String,
    transport_protocol: &'static str,
    application_protocols: Vec<String>,
}

impl Connection {
    /// What the listener's own filters find out.
    pub(super) fn new(listener: &Listener, request: &Request, destination: Option<SocketAddr>) -> Self {
        let port = request.destination_port;
        let runs = |part: &str| {
            let filter = listener.listener_filter(part);
            filter.map(|filter| {
                filter
                    .filter_disabled
                    .as_ref()
                    .is_none_or(|disabled| !disabled.matches(port))
            })
        };
        let inspects_tls = runs("tls_inspector")
            .or_else(|| runs("TlsInspector"))
            .unwrap_or(false);
        let inspects_http = runs("http_inspector")
            .or_else(|| runs("HttpInspector"))
            .unwrap_or(false);
        let (server_name, transport_protocol, application_protocols) = match (&request.tls, &request.protocol)
        {
            (Some(tls), _) if inspects_tls => (tls.server_name.to_ascii_lowercase(), "tls", tls.alpn.clone()),
            (None, Protocol::Http(message)) if inspects_http => {
                let protocol = if message.http2 { "h2c" } else { "http/1.1" };
                (String::new(), "raw_buffer", vec![protocol.to_owned()])
            }
            _ => (String::new(), "raw_buffer", Vec::new()),
        };
        Self {
            destination,
            destination_port: port,
            source: request.source_ip,
            direct_source: request.direct_source_ip.unwrap_or(request.source_ip),
            source_port: request.source_port,
            server_name,
            transport_protocol,
            application_protocols,
        }
    }

    /// Whether it comes from the machine that it goes to.
    fn is_local(&self) -> bool {
        self.source.is_loopback()
            || self
                .destination
                .is_some_and(|destination| destination.ip() == self.source)
    }
}

/// The outcome of the levels.
pub(super) enum Chosen<'a> {
    Chain(&'a FilterChain),
    None(String),
    NotModelled(String),
}

/// How well a criterion of a chain fits a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// It does not.
    Not,
    /// The chain takes any.
    Any,
    /// It does; higher is more specific.
    To(u32),
}

type Level = (&'static str, fn(&FilterChainMatch, &Connection) -> Fit);

/// In the order in which Envoy weighs them.
const LEVELS: &[Level] = &[
    ("destination port", |criteria, connection| {
        match criteria.destination_port {
            None => Fit::Any,
            Some(port) if port == u32::from(connection.destination_port) => Fit::To(0),
            Some(_) => Fit::Not,
        }
    }),
    ("destination address", |criteria, connection| {
        prefixes(
            &criteria.prefix_ranges,
            connection.destination.map(|destination| destination.ip()),
        )
    }),
    ("server name", server_names),
    ("transport protocol", |criteria, connection| {
        match &*criteria.transport_protocol {
            "" => Fit::Any,
            protocol if protocol == connection.transport_protocol => Fit::To(0),
            _ => Fit::Not,
        }
    }),
    ("application protocols", |criteria, connection| {
        if criteria.application_protocols.is_empty() {
            return Fit::Any;
        }
        // The client's first protocol that any chain knows decides.
        let offered = &connection.application_protocols;
        let position = offered
            .iter()
            .position(|protocol| criteria.application_protocols.contains(protocol));
        let preference = position.and_then(|position| u32::try_from(offered.len() - position).ok());
        preference.map_or(Fit::Not, Fit::To)
    }),
    ("direct source address", |criteria, connection| {
        prefixes(
            &criteria.direct_source_prefix_ranges,
            Some(connection.direct_source),
        )
    }),
    ("source type", |criteria, connection| match criteria.source_type {
        SourceType::Any | SourceType::Unknown => Fit::Any,
        SourceType::SameIpOrLoopback if connection.is_local() => Fit::To(0),
        SourceType::External if !connection.is_local() => Fit::To(0),
        _ => Fit::Not,
    }),
    ("source address", |criteria, connection| {
        prefixes(&criteria.source_prefix_ranges, Some(connection.source))
    }),
    ("source port", |criteria, connection| {
        let is_own = |port: &u32| connection.source_port.map(u32::from) == Some(*port);
        if criteria.source_ports.is_empty() {
            Fit::Any
        } else if criteria.source_ports.iter().any(is_own) {
            Fit::To(0)
        } else {
            Fit::Not
        }
    }),
];

/// The longest prefix that an address is in. No prefixes mean the same as one of length zero.
fn prefixes(ranges: &[CidrRange], address: Option<IpAddr>) -> Fit {
    if ranges.is_empty() {
        return Fit::Any;
    }
    let Some(address) = address else {
        return Fit::Not;
    };
    let lengths = ranges.iter().filter_map(|range| {
        let net = IpNet::new(range.address_prefix.parse().ok()?, range.prefix_len).ok()?;
        net.contains(&address).then_some(range.prefix_len)
    });
    lengths
        .max()
        .map_or(Fit::Not, |length| Fit::To(u32::from(length)))
}

/// An exact name is better than a wildcard, a longer wildcard better than a shorter one.
fn server_names(criteria: &FilterChainMatch, connection: &Connection) -> Fit {
    if criteria.server_names.is_empty() {
        return Fit::Any;
    }
    let name = &connection.server_name;
    let fits = criteria.server_names.iter().filter_map(|pattern| {
        let pattern = pattern.to_ascii_lowercase();
        if pattern == *name {
            return Some(u32::MAX);
        }
        let suffix = pattern.strip_prefix('*')?;
        (name.len() > suffix.len() && name.ends_with(suffix)).then_some(u32::try_from(suffix.len()).ok()?)
    });
    fits.max().map_or(Fit::Not, Fit::To)
}

/// Goes through the levels.
pub(super) fn choose<'a>(listener: &'a Listener, connection: &Connection, step: &mut Step) -> Chosen<'a> {
    if listener.filter_chain_matcher.is_some() {
        return Chosen::NotModelled(format!("listener `{}` chooses by a matcher tree", listener.name));
    }
    let mut chains: Vec<&FilterChain> = listener.filter_chains.iter().collect();
    let mut decided_by = Vec::new();
    for (level, fit) in LEVELS {
        let fits: Vec<Fit> = chains
            .iter()
            .map(|chain| fit(&chain.filter_chain_match, connection))
            .collect();
        let best = fits.iter().copied().max().unwrap_or(Fit::Not);
        let before = chains.len();
        let mut kept = Vec::with_capacity(before);
        for (chain, fit) in chains.into_iter().zip(fits) {
            if fit == best && fit != Fit::Not {
                kept.push(chain);
                continue;
            }
            let reason = if fit == Fit::Not {
                format!("its {level} does not fit")
            } else {
                format!("another fits the {level} better")
            };
            step.passed_over.push(PassedOver {
                name: if chain.name.is_empty() {
                    describe_chain(chain)
                } else {
                    chain.name.clone()
                },
                reason,
                origin: crate::istio::Origin::of(&chain.metadata),
            });
        }
        chains = kept;
        if chains.len() < before && !chains.is_empty() {
            decided_by.push(*level);
        }
        if chains.is_empty() {
            break;
        }
    }
    if let Some(chain) = chains.first() {
        step.reason = if !decided_by.is_empty() {
            format!("it fits best by {}", decided_by.join(", "))
        } else if chain.filter_chain_match == FilterChainMatch::default() {
            "it takes every connection".to_owned()
        } else {
            format!("it fits: {}", describe_chain(chain))
        };
        return Chosen::Chain(chain);
    }
    if let Some(chain) = &listener.default_filter_chain {
        step.reason = String::from("no other fits, and it is the default");
        return Chosen::Chain(chain);
    }
    let last = step.passed_over.last().map(|last| last.reason.clone());
    Chosen::None(last.unwrap_or_else(|| "there are none".to_owned()))
}
