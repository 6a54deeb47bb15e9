//! Filter chains: each answers a new connection with its name. Clients state addresses by the PROXY protocol, and say
//! hello as in TLS.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use mesh_envoy::trace::{Entry, Http, Protocol, Request, Subject, Tls, trace};
use serde_json::{Value, json};
use test_envoy::{Envoy, loopback};

use super::random::Random;
use super::{any, chosen, config_of, ports, seeds};

/// Each is a configuration of [`LISTENERS`] listeners, connected to [`CONNECTIONS`] times each.
const SEEDS: &[u64] = &[1];
const LISTENERS: usize = 60;
const CONNECTIONS: usize = 60;

const IPS: &[&str] = &["10.1.2.3", "10.1.9.9", "10.2.0.1", "192.168.0.1", "127.0.0.1"];
const IPS_V6: &[&str] = &["fd00::1", "fd00:0:0:1::1", "::1"];
const PREFIXES: &[(&str, u8)] = &[
    ("10.0.0.0", 8),
    ("10.1.0.0", 16),
    ("10.1.2.3", 32),
    ("10.1.2.0", 24),
    ("192.168.0.0", 16),
    ("127.0.0.0", 8),
    ("fd00::", 8),
    ("fd00::", 64),
];
const NAMES: &[&str] = &["a.com", "b.a.com", "*.a.com", "*.com", "*.b.a.com"];
const SERVER_NAMES: &[&str] = &["", "a.com", "A.com", "b.a.com", "c.b.a.com", "z.com", "org"];
const PROTOCOLS: &[&str] = &["h2", "http/1.1", "istio", "http/1.0"];
const PORTS: &[u16] = &[80, 443, 8080];

fn prefixes(random: &mut Random) -> Value {
    let count = random.below(2) + 1;
    let range = |random: &mut Random| {
        let (address, length) = PREFIXES[random.below(PREFIXES.len())];
        json!({"address_prefix": address, "prefix_len": length})
    };
    let mut ranges: Vec<Value> = (0..count).map(|_| range(random)).collect();
    ranges.dedup();
    ranges.into()
}

fn chain_match(random: &mut Random) -> Value {
    let mut criteria = json!({});
    if random.one_in(3) {
        criteria["destination_port"] = PORTS[random.below(PORTS.len())].into();
    }
    if random.one_in(3) {
        criteria["prefix_ranges"] = prefixes(random);
    }
    if random.one_in(3) {
        criteria["server_names"] = random.some(NAMES, 2).into();
    }
    if random.one_in(3) {
        criteria["transport_protocol"] = random.pick(&["tls", "raw_buffer"]).into();
    }
    if random.one_in(4) {
        criteria["application_protocols"] = random.some(PROTOCOLS, 2).into();
    }
    if random.one_in(8) {
        criteria["direct_source_prefix_ranges"] = json!([{"address_prefix": "127.0.0.0", "prefix_len": 8}]);
    }
    if random.one_in(5) {
        criteria["source_type"] = random.pick(&["SAME_IP_OR_LOOPBACK", "EXTERNAL"]).into();
    }
    if random.one_in(4) {
        criteria["source_prefix_ranges"] = prefixes(random);
    }
    if random.one_in(5) {
        criteria["source_ports"] = json!([1000 + random.below(3)]);
    }
    criteria
}

pub(super) fn chain(name: &str, criteria: &Value) -> Value {
    let answer = any(
        "envoy.extensions.filters.network.direct_response.v3.Config",
        json!({"response": {"inline_string": name}}),
    );
    json!({"name": name, "filter_chain_match": criteria, "filters": [{"name": "answer", "typed_config": answer}]})
}

pub(super) fn proxy_protocol() -> Value {
    json!({"name": "proxy_protocol", "typed_config":
        any("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol", json!({}))})
}

fn listener(random: &mut Random, name: &str) -> Value {
    // Envoy refuses two chains for the same connections. Where it would, a source port that no one else has helps.
    let mut chains: Vec<Value> = Vec::new();
    let mut seen: Vec<Value> = Vec::new();
    for index in 0..=random.below(7) {
        let criteria = chain_match(random);
        if overlaps(&seen, &criteria) {
            continue;
        }
        chains.push(chain(&format!("{name}.c{index}"), &criteria));
        seen.push(criteria);
    }
    let mut filters = vec![proxy_protocol()];
    let inspector = |kind: &str, package: &str| {
        let config = any(&format!("envoy.extensions.filters.listener.{package}"), json!({}));
        json!({"name": format!("envoy.filters.listener.{kind}"), "typed_config": config})
    };
    if random.one_in(2) {
        let mut tls = inspector("tls_inspector", "tls_inspector.v3.TlsInspector");
        if random.one_in(3) {
            tls["filter_disabled"] = json!({"or_match": {"rules": [
                {"destination_port_range": {"start": 443, "end": 444}},
                {"not_match": {"destination_port_range": {"start": 80, "end": 9000}}}]}});
        }
        filters.push(tls);
    }
    if random.one_in(2) {
        filters.push(inspector("http_inspector", "http_inspector.v3.HttpInspector"));
    }
    let mut listener = json!({
        "name": name, "address": loopback(), "listener_filters": filters, "filter_chains": chains,
        "listener_filters_timeout": "5s",
    });
    if random.one_in(2) {
        listener["default_filter_chain"] = chain(&format!("{name}.default"), &json!({}));
    }
    listener
}

/// Whether Envoy would refuse a chain beside others: each single value of its lists may be there only once.
fn overlaps(seen: &[Value], criteria: &Value) -> bool {
    let lists = [
        "prefix_ranges",
        "server_names",
        "application_protocols",
        "direct_source_prefix_ranges",
        "source_prefix_ranges",
        "source_ports",
    ];
    let scalars = ["destination_port", "transport_protocol", "source_type"];
    let common = |one: &Value, other: &Value| match (one.as_array(), other.as_array()) {
        (Some(one), Some(other)) if !one.is_empty() && !other.is_empty() => {
            one.iter().any(|value| other.contains(value))
        }
        (one, other) => one.is_none_or(Vec::is_empty) == other.is_none_or(Vec::is_empty),
    };
    let same = |other: &Value| {
        scalars.iter().all(|key| other.get(key) == criteria.get(key))
            && lists.iter().all(|key| common(&other[*key], &criteria[*key]))
    };
    seen.iter().any(same)
}

/// The first bytes of a TLS connection.
fn client_hello(tls: &Tls) -> Vec<u8> {
    fn with_length(bytes: &[u8], size: usize) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).expect("short").to_be_bytes();
        [&length[4 - size..], bytes].concat()
    }
    let mut extensions = Vec::new();
    let mut extension = |kind: u16, body: &[u8]| {
        extensions.extend(kind.to_be_bytes());
        extensions.extend(with_length(body, 2));
    };
    if !tls.server_name.is_empty() {
        let name = [&[0], &*with_length(tls.server_name.as_bytes(), 2)].concat();
        extension(0, &with_length(&name, 2));
    }
    if !tls.alpn.is_empty() {
        let names: Vec<u8> = tls
            .alpn
            .iter()
            .flat_map(|name| with_length(name.as_bytes(), 1))
            .collect();
        extension(16, &with_length(&names, 2));
    }
    // TLS 1.3 and 1.2; the groups and signatures that go with them.
    extension(43, &[4, 3, 4, 3, 3]);
    extension(10, &[0, 2, 0, 29]);
    extension(13, &[0, 2, 4, 3]);
    let mut hello = vec![3, 3];
    hello.extend([7; 32]);
    hello.push(0);
    hello.extend([0, 4, 0x13, 0x01, 0xc0, 0x2b]);
    hello.extend([1, 0]);
    hello.extend(with_length(&extensions, 2));
    let handshake = [&[1], &*with_length(&hello, 3)].concat();
    [&[22, 3, 1], &*with_length(&handshake, 2)].concat()
}

/// What the chain that takes a connection answers; nothing if none does.
pub(super) fn connect(address: SocketAddr, header: &str, payload: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a timeout");
    stream
        .write_all(&[header.as_bytes(), payload].concat())
        .expect("it is sent");
    let mut answer = Vec::new();
    let mut buffer = [0; 256];
    // What was not read by Envoy makes the end a reset; what came before it counts.
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(answer).expect("text")
}

fn connection(random: &mut Random) -> Request {
    let ips = if random.one_in(4) { IPS_V6 } else { IPS };
    let ip = |random: &mut Random| -> IpAddr { random.pick(ips).parse().expect("an address") };
    let destination = ip(random);
    let source = if random.one_in(5) { destination } else { ip(random) };
    let tls = (!random.one_in(3)).then(|| Tls {
        server_name: random.pick(SERVER_NAMES).to_owned(),
        alpn: random.some(PROTOCOLS, 3).into_iter().map(str::to_owned).collect(),
        certificate: false,
    });
    let http = Http {
        method: "GET".to_owned(),
        authority: "a.com".to_owned(),
        path: "/".to_owned(),
        headers: Vec::new(),
        http2: false,
    };
    Request {
        entry: None,
        protocol: if tls.is_none() {
            Protocol::Http(http)
        } else {
            Protocol::Tcp
        },
        destination_ip: Some(destination),
        destination_port: PORTS[random.below(PORTS.len())],
        source_ip: source,
        direct_source_ip: Some(IpAddr::from([127, 0, 0, 1])),
        source_port: u16::try_from(1000 + random.below(4)).ok(),
        tls,
        random: None,
    }
}

pub(super) fn proxy_header(request: &Request) -> String {
    let destination = request.destination_ip.expect("stated");
    let family = if destination.is_ipv6() { "TCP6" } else { "TCP4" };
    format!(
        "PROXY {family} {} {destination} {} {}\r\n",
        request.source_ip,
        request.source_port.expect("stated"),
        request.destination_port
    )
}

#[test]
fn connections_are_taken_as_envoy_does() {
    for seed in seeds(SEEDS) {
        let mut random = Random::new(seed);
        let listeners: Vec<Value> = (0..LISTENERS)
            .map(|index| listener(&mut random, &format!("l{index}")))
            .collect();
        let envoy = Envoy::start(&json!({"static_resources": {"listeners": listeners}}));
        let envoy = envoy.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let config = config_of(&envoy);
        let mut wrong = Vec::new();
        for (name, address) in ports(&envoy) {
            for _ in 0..CONNECTIONS {
                let mut request = connection(&mut random);
                request.entry = Some(Entry::Listener(name.clone()));
                let payload = match &request.tls {
                    Some(tls) => client_hello(tls),
                    None => b"GET / HTTP/1.1\r\nhost: a.com\r\n\r\n".to_vec(),
                };
                let seen = connect(address, &proxy_header(&request), &payload);
                let trace = trace(&config, &request);
                let told = chosen(&trace, Subject::FilterChain).unwrap_or_default();
                if seen != told {
                    let listener = listeners.iter().find(|listener| listener["name"] == *name);
                    wrong.push(format!(
                        "{request:?}\n  Envoy: {seen}\n  trace: {told}\n  {}",
                        listener.expect("it is there")
                    ));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "seed {seed}: {} differ:\n{}",
            wrong.len(),
            wrong[..wrong.len().min(3)].join("\n")
        );
    }
}
