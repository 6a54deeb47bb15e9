//! Connections that a virtual listener hands to the listener of their original destination.

use std::net::IpAddr;

use mesh_envoy::trace::{Entry, Protocol, Request, Subject, trace};
use serde_json::{Value, json};
use test_envoy::{Envoy, loopback};

use super::chains::{chain, connect, proxy_header, proxy_protocol};
use super::{chosen, config_of};

#[test]
fn original_destinations_find_their_listeners() {
    let at = |ip: &str, port: u16| {
        let name = format!("{ip}_{port}");
        json!({
            "name": name, "bind_to_port": false,
            "address": {"socket_address": {"address": ip, "port_value": port}},
            "filter_chains": [chain(&name, &json!({}))],
        })
    };
    let mut listeners: Vec<Value> = vec![json!({
        "name": "virtualOutbound", "address": loopback(), "use_original_dst": true, "traffic_direction": "OUTBOUND",
        "listener_filters": [proxy_protocol()],
        "filter_chains": [chain("virtualOutbound", &json!({}))],
    })];
    listeners.extend([
        at("10.0.0.1", 80),
        at("0.0.0.0", 80),
        at("10.0.0.2", 443),
        at("::", 9080),
        at("fd00::1", 9080),
    ]);
    let envoy = Envoy::start(&json!({"static_resources": {"listeners": listeners}})).expect("Envoy starts");
    let config = config_of(&envoy);
    let address = envoy.listener("virtualOutbound").expect("an address");
    for ip in ["10.0.0.1", "10.0.0.2", "10.0.0.3", "fd00::1", "fd00::2"] {
        for port in [80, 443, 9080] {
            let destination: IpAddr = ip.parse().expect("an address");
            let request = Request {
                entry: Some(Entry::Outbound),
                protocol: Protocol::Tcp,
                destination_ip: Some(destination),
                destination_port: port,
                source_ip: destination,
                direct_source_ip: None,
                source_port: Some(1000),
                tls: None,
                random: None,
            };
            let seen = connect(address, &proxy_header(&request), b"");
            let trace = trace(&config, &request);
            assert_eq!(chosen(&trace, Subject::FilterChain), Some(&*seen), "{ip}:{port}");
        }
    }
}
