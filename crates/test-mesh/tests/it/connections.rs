//! Connections are divided as routes for them say.

use serde_json::json;
use test_envoy::http::Connection;
use test_mesh::MeshUnderTest;

use crate::{subsets, to};

fn reviews() -> MeshUnderTest {
    let mesh = MeshUnderTest::start_tcp("reviews", "shop", &["v1", "v2"], 2).unwrap();
    mesh.apply_destination_rule(&subsets(&["v1", "v2"])).unwrap();
    mesh
}

#[test]
fn weights_divide_connections_and_failures_are_counted() {
    let mesh = reviews();
    let counts = mesh.send(100, 2);
    assert!(counts.of("v1") > 0 && counts.of("v2") > 0, "{counts:?}");
    for canary in [10, 50] {
        let spec = json!({"hosts": ["reviews"], "tcp": [{"match": [{"port": 80}], "route": [to("v1", 100 - canary), to("v2", canary)]}]});
        mesh.apply_virtual_service(&spec).unwrap();
        let counts = mesh.send(1_000, 4);
        assert_eq!(counts.failed, 0, "{counts:?}");
        assert!(
            counts.of("v2").abs_diff(u64::from(canary) * 10) < 80,
            "{canary}: {counts:?}"
        );
    }

    let prometheus = mesh.prometheus().unwrap();
    prometheus.wait_until_scraped().unwrap();
    let count = |metric: &str, matchers: &str| {
        let service = r#"destination_service="reviews.shop.svc.cluster.local",reporter="source""#;
        let sum = format!("sum({metric}{{{service},{matchers}}})");
        prometheus.number(&sum).unwrap().unwrap_or_default()
    };
    let v2 = r#"destination_workload="reviews-v2",request_protocol="tcp""#;
    let opened = count("istio_tcp_connections_opened_total", v2);
    assert!(opened > 500.0, "{opened}");
    assert!(count("istio_tcp_sent_bytes_total", v2) > opened);
    assert!(count("istio_tcp_received_bytes_total", v2) > opened);
    let no_backend = format!(r#"{v2},response_flags="UF""#);
    assert!(count("istio_tcp_connections_closed_total", &no_backend) < 0.5);
    mesh.stop_listening("v2");
    let failed = mesh.send(100, 2).failed;
    assert!(failed > 20, "{failed}");
    prometheus.wait_until_scraped().unwrap();
    let counted = count("istio_tcp_connections_closed_total", &no_backend);
    assert!(
        (counted - f64::from(u32::try_from(failed).unwrap())).abs() < 0.5,
        "{counted} {failed}"
    );
}

/// The start of a TLS handshake (RFC 8446, sections 4.1.2 and 5.1) that names a server (RFC 6066, section 3), all of it
/// in bytes that are text.
fn client_hello(name: &str) -> Vec<u8> {
    let sized = |bytes: &[u8]| [&[0, u8::try_from(bytes.len()).unwrap()], bytes].concat();
    let server_name = sized(&[&[0][..], &sized(name.as_bytes())].concat());
    let extensions = [&[0, 0][..], &sized(&server_name)].concat();
    let (session, ciphers, compression) = ([0], sized(&[0x13, 0x01]), [1, 0]);
    let body = [
        &[3, 3][..],
        &[7; 32],
        &session,
        &ciphers,
        &compression,
        &sized(&extensions),
    ]
    .concat();
    let message = [&[1, 0][..], &sized(&body)].concat();
    [&[0x16, 3, 1][..], &sized(&message)].concat()
}

#[test]
fn server_names_decide_before_weights() {
    let mesh = reviews();
    let tls = |name: &str, version: &str| json!({"match": [{"port": 80, "sniHosts": [name]}], "route": [to(version, 0)]});
    let spec = json!({
        "hosts": ["reviews"],
        "tls": [tls("a.example", "v1"), tls("b.example", "v2")],
    });
    mesh.apply_virtual_service(&spec).unwrap();
    let proxy = mesh.envoys()[0].listener("outbound").unwrap();
    for (name, version) in [("a.example", "v1"), ("b.example", "v2")] {
        // The server takes it for one line of a request.
        let request = [&client_hello(name)[..], b"\r\n\r\n"].concat();
        let answer = Connection::open(proxy).unwrap().send(&request).unwrap();
        assert_eq!(answer.header("x-version"), Some(version), "{name}");
    }
}
