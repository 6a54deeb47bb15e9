//! Which listener, and which filter of it, takes a connection.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::chain::{Chosen, Connection, choose};
use super::{Config, Entry, Outcome, PassedOver, Protocol, Request, Step, Subject, action, upstream};
use crate::config::Address;
use crate::config::listener::{Listener, Terminal, TrafficDirection};
use crate::istio::Origin;

/// Which way a connection that is redirected goes.
#[derive(Clone, Copy)]
enum Way {
    Outbound,
    Inbound,
}

impl Way {
    /// The port that Istio redirects connections to.
    const fn port(self) -> u32 {
        match self {
            Self::Outbound => 15001,
            Self::Inbound => 15006,
        }
    }

    const fn direction(self) -> TrafficDirection {
        match self {
            Self::Outbound => TrafficDirection::Outbound,
            Self::Inbound => TrafficDirection::Inbound,
        }
    }
}

/// Follows a connection; an `Err` is an end that is reached early.
pub(super) fn trace(config: &Config, request: &Request, steps: &mut Vec<Step>) -> Result<Outcome, Outcome> {
    let entry = request.entry.clone().unwrap_or_else(|| {
        let is_redirected = virtual_listener(config, Way::Outbound).is_some();
        if is_redirected {
            Entry::Outbound
        } else {
            Entry::Direct
        }
    });
    let (listener, destination, step) = match entry {
        Entry::Outbound => redirected(config, request, Way::Outbound)?,
        Entry::Inbound => redirected(config, request, Way::Inbound)?,
        Entry::Direct => direct(config, request)?,
        Entry::Listener(name) => by_name(config, request, &name)?,
    };
    steps.push(step);

    let connection = Connection::new(listener, request, destination);
    let mut step = Step::new(Subject::FilterChain, "", "");
    let chosen = choose(listener, &connection, &mut step);
    let chain = match chosen {
        Chosen::Chain(chain) => chain,
        Chosen::None(reason) => {
            return Err(Outcome::refused(
                format!("no filter chain takes the connection: {reason}"),
                None,
                Some("NR"),
            ));
        }
        Chosen::NotModelled(what) => return Err(Outcome::not_modelled(what)),
    };
    step.name.clone_from(&chain.name);
    step.origin = Origin::of(&chain.metadata);
    let socket = chain
        .transport_socket
        .as_ref()
        .map(super::upstream::describe_socket);
    step.detail("transport", socket.unwrap_or_else(|| "plaintext".to_owned()));
    let needs_certificate = chain
        .transport_socket
        .as_ref()
        .is_some_and(upstream::requires_certificate);
    let is_tls_chain = chain.transport_socket.as_ref().is_some_and(upstream::is_tls);

    let mut terminal = None;
    for filter in &chain.filters {
        match Terminal::of(filter) {
            Some(Ok(found)) => {
                terminal = Some(found);
                break;
            }
            Some(Err(error)) => {
                let what = format!("the filter `{}` cannot be decoded: {error}", filter.name);
                steps.push(step);
                return Err(Outcome::not_modelled(what));
            }
            None => step.detail("network filter", format!("{} (not modelled)", filter.kind())),
        }
    }
    steps.push(step);
    // A chain that ends TLS sees what is in it; one that does not sees TLS as bytes.
    let is_opaque = request.tls.is_some() && !is_tls_chain;
    match (terminal, &request.protocol) {
        (Some(Terminal::Http(_)), _) if is_opaque => Err(Outcome::refused(
            "the client speaks TLS, and the filter chain expects plaintext HTTP",
            None,
            Some("DPE"),
        )),
        _ if request.tls.is_none() && is_tls_chain => Err(Outcome::refused(
            "the client speaks plaintext, and the filter chain expects TLS",
            None,
            None,
        )),
        _ if request.tls.as_ref().is_some_and(|tls| !tls.certificate) && needs_certificate => {
            Err(Outcome::refused(
                "the client shows no certificate, and the filter chain requires one",
                None,
                None,
            ))
        }
        (Some(Terminal::Tcp(tcp)), _) => Ok(upstream::tcp(config, &tcp, request, destination, steps)),
        (Some(Terminal::Http(http)), Protocol::Http(message)) => {
            action::trace(config, request, message, &http, destination, is_tls_chain, steps)
        }
        (Some(Terminal::Http(_)), Protocol::Tcp) => Err(Outcome::refused(
            "the filter chain expects HTTP, and the client sends something else",
            None,
            Some("DPE"),
        )),
        (None, _) => Err(Outcome::not_modelled(
            "the filter chain has no HTTP connection manager and no TCP proxy",
        )),
    }
}

/// The listener that caught connections come to first.
fn virtual_listener(config: &Config, way: Way) -> Option<&Listener> {
    let listeners = || config.listeners.iter().filter(|listener| listener.binds());
    let by_port = listeners().find(|listener| listener.address.port() == Some(way.port()));
    by_port.or_else(|| {
        listeners().find(|listener| {
            listener.traffic_direction == way.direction()
                && (listener.use_original_dst || listener.listener_filter("OriginalDst").is_some())
        })
    })
}

type Choice<'a> = (&'a Listener, Option<SocketAddr>, Step);

/// A connection that the system redirects to a virtual listener, which hands it to the listener of its destination.
fn redirected<'a>(config: &'a Config, request: &Request, way: Way) -> Result<Choice<'a>, Outcome> {
    let Some(first) = virtual_listener(config, way) else {
        let port = way.port();
        return Err(Outcome::refused(
            format!("there is no listener that takes redirected connections, as Istio's on port {port} does"),
            None,
            None,
        ));
    };
    let port = request.destination_port;
    let destination = request.destination_ip.map(|ip| SocketAddr::new(ip, port));
    let mut passed_over = Vec::new();
    if first.use_original_dst {
        // One at the very address is better than one at all addresses.
        if let Some(destination) = destination {
            let exact = find(config, |address| is_at(address, destination));
            if let Some(listener) = exact {
                let step = named(
                    listener,
                    format!("it is at {destination}, where the client connects to"),
                );
                return Ok((listener, Some(destination), step));
            }
            passed_over.push(nothing_at(&destination.to_string()));
        }
        let is_v6 = request.destination_ip.is_some_and(|ip| ip.is_ipv6());
        let any = find(config, |address| is_any(address, u32::from(port), is_v6));
        if let Some(listener) = any.filter(|listener| !std::ptr::eq(*listener, first)) {
            let mut step = named(listener, format!("it is at port {port} of all addresses"));
            step.passed_over = passed_over;
            return Ok((listener, destination, step));
        }
        passed_over.push(nothing_at(&format!("port {port} of all addresses")));
        if destination.is_none() {
            return assumed(config, request, first, passed_over);
        }
    }
    let reason = if first.use_original_dst {
        "it takes redirected connections that have no listener of their own"
    } else {
        "it takes all redirected connections"
    };
    let mut step = named(first, reason);
    step.passed_over = passed_over;
    Ok((first, destination, step))
}

/// A connection to a name whose address is not known: the one listener at the port that it could mean.
fn assumed<'a>(
    config: &'a Config,
    request: &Request,
    first: &'a Listener,
    passed_over: Vec<PassedOver>,
) -> Result<Choice<'a>, Outcome> {
    let port = u32::from(request.destination_port);
    let at_port: Vec<&Listener> = config
        .listeners
        .iter()
        .filter(|listener| {
            !std::ptr::eq(*listener, first)
                && listener.traffic_direction != TrafficDirection::Inbound
                && listener.address.port() == Some(port)
        })
        .collect();
    match at_port[..] {
        [] => {
            let mut step = named(first, "no listener is at the port, whatever the address");
            step.passed_over = passed_over;
            Ok((first, None, step))
        }
        [listener] => {
            let reason =
                "it is the only one at the port; the client's destination address is taken to be its own";
            let mut step = named(listener, reason);
            step.passed_over = passed_over;
            let ip: Option<IpAddr> = listener.address.host().parse().ok();
            Ok((
                listener,
                ip.map(|ip| SocketAddr::new(ip, request.destination_port)),
                step,
            ))
        }
        _ => Err(Outcome::not_modelled(format!(
            "{} listeners are at port {port}, so the address decides that the client connects to; it is not given",
            at_port.len()
        ))),
    }
}

/// A connection to a listener's own address.
fn direct<'a>(config: &'a Config, request: &Request) -> Result<Choice<'a>, Outcome> {
    let port = request.destination_port;
    let listeners = || config.listeners.iter().filter(|listener| listener.binds());
    let own = |listener: &&Listener| match request.destination_ip {
        Some(ip) => listener
            .addresses()
            .any(|address| is_at(address, SocketAddr::new(ip, port))),
        None => false,
    };
    let any = |listener: &&Listener| {
        listener
            .addresses()
            .any(|address| is_any(address, u32::from(port), false) || is_any(address, u32::from(port), true))
    };
    let at_port = |listener: &&Listener| {
        request.destination_ip.is_none() && listener.address.port() == Some(u32::from(port))
    };
    let found = listeners()
        .find(own)
        .or_else(|| listeners().find(any))
        .or_else(|| listeners().find(at_port));
    let Some(listener) = found else {
        let mut ports: Vec<u32> = listeners()
            .filter_map(|listener| listener.address.port())
            .collect();
        ports.sort_unstable();
        ports.dedup();
        let ports: Vec<String> = ports.iter().map(u32::to_string).collect();
        return Err(Outcome::refused(
            format!(
                "no listener is at port {port}; there are ports {}",
                ports.join(", ")
            ),
            None,
            None,
        ));
    };
    let own: Option<IpAddr> = listener.address.host().parse().ok();
    let ip = request.destination_ip.or(own.filter(|ip| !ip.is_unspecified()));
    let step = named(listener, format!("it listens at port {port}"));
    Ok((listener, ip.map(|ip| SocketAddr::new(ip, port)), step))
}

/// A connection to a listener that is named.
fn by_name<'a>(config: &'a Config, request: &Request, name: &str) -> Result<Choice<'a>, Outcome> {
    let Some(listener) = config.listeners.iter().find(|listener| listener.name == name) else {
        return Err(Outcome::refused(
            format!("there is no listener `{name}`"),
            None,
            None,
        ));
    };
    let destination = request
        .destination_ip
        .map(|ip| SocketAddr::new(ip, request.destination_port));
    Ok((
        listener,
        destination,
        named(listener, "it is the one that is asked for"),
    ))
}

fn named(listener: &Listener, reason: impl Into<String>) -> Step {
    let mut step = Step::new(Subject::Listener, &listener.name, reason);
    step.origin = Origin::of(&listener.metadata);
    step.detail("address", listener.address.to_string());
    step
}

fn nothing_at(place: &str) -> PassedOver {
    PassedOver {
        name: place.to_owned(),
        reason: "no listener is there".to_owned(),
        origin: None,
    }
}

fn find(config: &Config, is_it: impl Fn(&Address) -> bool) -> Option<&Listener> {
    config
        .listeners
        .iter()
        .find(|listener| listener.addresses().any(&is_it))
}

fn is_at(address: &Address, destination: SocketAddr) -> bool {
    let socket = address.socket_address.as_ref();
    socket.is_some_and(|socket| {
        socket.port_value == u32::from(destination.port()) && socket.address.parse() == Ok(destination.ip())
    })
}

fn is_any(address: &Address, port: u32, is_v6: bool) -> bool {
    let socket = address.socket_address.as_ref();
    socket.is_some_and(|socket| {
        let ip = socket.address.parse::<IpAddr>();
        socket.port_value == port
            && ip.is_ok_and(|ip| {
                if is_v6 {
                    ip.is_ipv6() && ip.is_unspecified()
                } else {
                    ip == Ipv4Addr::UNSPECIFIED
                }
            })
    })
}
