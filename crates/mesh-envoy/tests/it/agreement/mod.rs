//! The trace of a request against what a real Envoy does with it.
//!
//! Each test makes up configurations and requests from seeds, sends the requests to an Envoy with the configurations, and
//! follows them through the dump that the same Envoy gives. Both must agree on every one.
//!
//! `SEED=<number> cargo test` runs another seed. One that finds a disagreement joins its test's list when that is fixed.

mod chains;
mod random;
mod redirected;
mod routes;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use mesh_envoy::trace::{Config, Outcome, Subject, Trace};
use serde_json::{Value, json};
use test_envoy::Envoy;

/// The seeds of a test, or the one that the environment asks for.
fn seeds(list: &[u64]) -> Vec<u64> {
    match std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => vec![seed],
        None => list.to_vec(),
    }
}

fn config_of(envoy: &Envoy) -> Config {
    let dump = envoy.admin_get("/config_dump?include_eds").expect("a dump");
    Config::read(&*dump).expect("the dump is understood")
}

/// The actual ports of all listeners, by name.
fn ports(envoy: &Envoy) -> std::collections::BTreeMap<String, SocketAddr> {
    let text = envoy.admin_get("/listeners?format=json").expect("listeners");
    let listeners: Value = serde_json::from_slice(&text).expect("JSON");
    let listeners = listeners["listener_statuses"].as_array().expect("a list");
    let address = |listener: &Value| {
        let socket = &listener["local_address"]["socket_address"];
        let ip = socket["address"]
            .as_str()
            .expect("an address")
            .parse()
            .expect("an IP");
        let port = socket["port_value"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        (
            listener["name"].as_str().expect("a name").to_owned(),
            SocketAddr::new(ip, port.expect("a port")),
        )
    };
    listeners.iter().map(address).collect()
}

/// The name of what was chosen at a step.
fn chosen(trace: &Trace, subject: Subject) -> Option<&str> {
    trace
        .steps
        .iter()
        .find(|step| step.subject == subject)
        .map(|step| step.name.as_str())
}

fn any(type_name: &str, mut fields: Value) -> Value {
    fields["@type"] = format!("type.googleapis.com/{type_name}").into();
    fields
}

/// An HTTP server that answers every request with its own name, the path and the host that it was asked for.
fn echo_server(name: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    // It serves until the test's process ends.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(name, stream));
        }
    });
    address
}

fn serve(name: &str, mut stream: TcpStream) -> std::io::Result<()> {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        received.extend_from_slice(&buffer[..read]);
        while let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&received[..end]).into_owned();
            received.drain(..end + 4);
            let mut lines = head.split("\r\n");
            let request_line = lines.next().unwrap_or_default();
            let path = request_line.split(' ').nth(1).unwrap_or_default();
            let host = lines
                .find_map(|line| line.strip_prefix("host: "))
                .unwrap_or_default();
            let body = format!("{name} {path} {host}");
            let length = body.len();
            let body = if request_line.starts_with("HEAD ") {
                String::new()
            } else {
                body
            };
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes())?;
        }
    }
}

fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {"address":
            {"socket_address": {"address": "127.0.0.1", "port_value": address.port()}}}}]}]},
    })
}

/// What a client sees, in the words of both sides.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// An answer: its status, and a body or location where the configuration decides about it.
    Answer(u16, String),
    /// Nothing, and the connection is closed.
    Closed,
}

/// What the trace says that a client of HTTP sees.
fn foretold(trace: &Trace, path: &str, host: &str) -> Seen {
    match &trace.outcome {
        Outcome::Response { status, body } => Seen::Answer(*status, body.clone().unwrap_or_default()),
        Outcome::Redirect { status, location } => Seen::Answer(*status, location.clone()),
        Outcome::Refused {
            status: Some(status), ..
        } => Seen::Answer(*status, String::new()),
        Outcome::Refused { status: None, .. } => Seen::Closed,
        Outcome::Forward(upstreams) => {
            let details = || trace.steps.iter().flat_map(|step| &step.details);
            let after = |name: &str| {
                details()
                    .find(|(own, _)| *own == name)
                    .map(|(_, value)| value.as_str())
            };
            let normalized =
                |name: &str| after(name).and_then(|text| text.split(" is normalised to ").nth(1));
            let path = after("path rewrite").or(normalized("path")).unwrap_or(path);
            let host = after("host rewrite").or(normalized("host")).unwrap_or(host);
            Seen::Answer(200, format!("{} {path} {host}", upstreams[0].cluster))
        }
        Outcome::NotModelled { what } => panic!("the generator makes what is not modelled: {what}"),
    }
}
