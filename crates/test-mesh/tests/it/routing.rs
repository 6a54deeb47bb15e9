//! What a VirtualService says is what happens.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use test_envoy::http::{Connection, Response};
use test_mesh::Behaviour;

use crate::{reviews, routes, split, to};

#[test]
fn matches_decide_before_weights() {
    let mesh = reviews();
    let http = json!([
        {"match": [{"headers": {"x-canary": {"exact": "always"}}, "uri": {"prefix": "/api"}}], "route": [to("v2", 0)]},
        {"match": [{"headers": {"cookie": {"regex": "(.*; )?canary=(yes|on)(;.*)?"}}}, {"uri": {"exact": "/beta"}}],
         "route": [to("v2", 100)]},
        {"match": [{"headers": {"x-debug": {}}}], "route": [to("v1", 50), to("v2", 50)]},
        {"match": [{"uri": {"prefix": "/"}}], "route": [to("v1", 100), to("v2", 0)]},
    ]);
    mesh.apply_virtual_service(&routes(&http)).unwrap();
    let canary_share = |path, headers: &[(&str, &str)]| mesh.send_with(path, headers, 100, 2).of("v2");
    assert_eq!(canary_share("/", &[]), 0);
    assert_eq!(canary_share("/api/1", &[("x-canary", "always")]), 100);
    assert_eq!(canary_share("/", &[("x-canary", "always")]), 0);
    assert_eq!(canary_share("/api", &[("x-canary", "never")]), 0);
    assert_eq!(canary_share("/", &[("cookie", "a=b; canary=on")]), 100);
    assert_eq!(canary_share("/beta", &[]), 100);
    assert_eq!(canary_share("/beta/1", &[]), 0);
    let half = canary_share("/", &[("x-debug", "")]);
    assert!((20..=80).contains(&half), "{half}");

    let http = json!([{"match": [{"uri": {"prefix": "/api"}}], "route": [to("v1", 0)]}]);
    mesh.apply_virtual_service(&routes(&http)).unwrap();
    assert_eq!(mesh.send(4, 1).by_status, BTreeMap::from([(404, 4)]));
}

#[test]
fn a_service_may_have_some_of_the_versions() {
    let mesh = reviews();
    let all = mesh.send(100, 2);
    assert!(all.of("v1") > 0 && all.of("v2") > 0, "{all:?}");
    mesh.add_service("reviews-canary", &["v2"]).unwrap();
    let host = "reviews-canary.shop.svc.cluster.local";
    let http = json!([{"route": [{"destination": {"host": host, "port": {"number": 80}}}]}]);
    mesh.apply_virtual_service(&routes(&http)).unwrap();
    assert_eq!(mesh.send(20, 2).of("v2"), 20);
}

#[test]
fn a_destination_adds_headers_to_its_answers() {
    let mesh = reviews();
    let mut canary = to("v2", 50);
    canary["headers"] = json!({"response": {"add": {"Set-Cookie": "on=canary; Path=/"}}});
    let http = json!([
        {"match": [{"headers": {"cookie": {"regex": "(.*;\\s*)?on=canary(;.*)?"}}}], "route": [to("v2", 0)]},
        {"route": [to("v1", 50), canary]},
    ]);
    mesh.apply_virtual_service(&routes(&http)).unwrap();
    let proxy = mesh.envoys()[0].listener("outbound").unwrap();
    let mut connection = Connection::open(proxy).unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: reviews.shop.svc.cluster.local\r\n\r\n";
    let answers: Vec<_> = (0..50).map(|_| connection.send(request).unwrap()).collect();
    let stuck = |answer: &&Response| answer.header("set-cookie") == Some("on=canary; Path=/");
    let canaries = answers
        .iter()
        .filter(|answer| answer.header("x-version") == Some("v2"));
    assert!(canaries.clone().count() > 0);
    assert!(answers.iter().filter(stuck).eq(canaries));
    assert_eq!(
        mesh.send_with("/", &[("cookie", "on=canary")], 50, 2).of("v2"),
        50
    );
}

#[test]
fn timeouts_retries_and_failures() {
    let mesh = reviews();
    let slow = Behaviour {
        latency: Duration::from_millis(300),
        ..Behaviour::default()
    };
    mesh.set_behaviour("v1", slow);
    let http = |timeout: &str| routes(&json!([{"route": [to("v1", 0)], "timeout": timeout}]));
    mesh.apply_virtual_service(&http("50ms")).unwrap();
    assert_eq!(mesh.send(4, 4).by_status, BTreeMap::from([(504, 4)]));
    mesh.apply_virtual_service(&http("10s")).unwrap();
    assert_eq!(mesh.send(4, 4).by_status, BTreeMap::from([(200, 4)]));

    let down = Behaviour {
        down: true,
        ..Behaviour::default()
    };
    mesh.set_behaviour("v1", down);
    assert_eq!(mesh.send(4, 4).by_status, BTreeMap::from([(503, 4)]));

    let flaky = Behaviour {
        error_percent: 10,
        ..Behaviour::default()
    };
    mesh.set_behaviour("v2", flaky);
    mesh.apply_virtual_service(&split(100)).unwrap();
    let counts = mesh.send(200, 2);
    assert_eq!(counts.by_status, BTreeMap::from([(200, 180), (500, 20)]));
    assert_eq!(counts.failed, 20);
    assert_eq!(counts.of("v2"), 200);
    let retried = json!([{"route": [to("v2", 0)], "retries": {"attempts": 2, "retryOn": "5xx"}}]);
    mesh.apply_virtual_service(&routes(&retried)).unwrap();
    assert_eq!(mesh.send(200, 1).failed, 0);
}

#[test]
fn mirrored_requests_reach_both_and_count_once() {
    let mesh = reviews();
    let mirror = |percent: f64| {
        let host = json!({"host": "reviews", "subset": "v2"});
        routes(&json!([{"route": [to("v1", 0)], "mirror": host, "mirrorPercentage": {"value": percent}}]))
    };
    mesh.apply_virtual_service(&mirror(0.0)).unwrap();
    assert_eq!(mesh.send(50, 2).of("v1"), 50);
    assert_eq!(mesh.received("v2"), 0);
    mesh.apply_virtual_service(&mirror(100.0)).unwrap();
    assert_eq!(mesh.send(50, 2).of("v1"), 50);
    let start = std::time::Instant::now();
    while mesh.received("v2") < 50 {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{}",
            mesh.received("v2")
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn what_is_not_understood_is_refused() {
    let mesh = reviews();
    let refused = |spec| mesh.apply_virtual_service(&spec).unwrap_err().to_string();
    let fault = routes(&json!([{"route": [to("v1", 0)], "fault": {"abort": {}}}]));
    assert_eq!(refused(fault), "http.fault is beyond the mesh for tests");
    let weights = routes(&json!([{"route": [to("v1", 0), to("v2", 0)]}]));
    assert_eq!(refused(weights), "route: there is no destination with a weight");
    let rule = json!({"host": "reviews", "trafficPolicy": {}});
    let error = mesh.apply_destination_rule(&rule).unwrap_err();
    assert_eq!(
        error.to_string(),
        "spec.trafficPolicy is beyond the mesh for tests"
    );
}

#[test]
fn an_http_route_means_what_a_virtual_service_does() {
    let mesh = reviews();
    mesh.add_service("reviews-v1", &["v1"]).unwrap();
    mesh.add_service("reviews-v2", &["v2"]).unwrap();
    let backend = |name: &str, weight: u32| json!({"name": name, "port": 80, "weight": weight});
    let cookie = json!([{"name": "Set-Cookie", "value": "on=canary"}]);
    let mut canary = backend("reviews-v2", 10);
    canary["filters"] =
        json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": cookie}}]);
    let mirror = json!({"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "reviews-v2", "port": 80}, "percent": 0}});
    let header = json!({"type": "Exact", "name": "x-canary", "value": "always"});
    let spec = json!({
        "parentRefs": [{"kind": "Service", "group": "", "name": "reviews"}],
        "rules": [
            {"matches": [{"path": {"type": "PathPrefix", "value": "/"}, "headers": [header]}], "backendRefs": [backend("reviews-v2", 1)]},
            {"filters": [mirror], "backendRefs": [backend("reviews-v1", 90), canary]},
        ],
    });
    mesh.apply_http_route(&spec).unwrap();
    let counts = mesh.send(1_000, 2);
    assert!(counts.of("v2").abs_diff(100) < 50, "{counts:?}");
    assert_eq!(
        mesh.send_with("/x", &[("x-canary", "always")], 20, 2).of("v2"),
        20
    );
    let refused = json!({"parentRefs": [], "rules": [{"timeouts": {"request": "1s"}}]});
    assert_eq!(
        mesh.apply_http_route(&refused).unwrap_err().to_string(),
        "rule.timeouts is beyond the mesh for tests"
    );
}
