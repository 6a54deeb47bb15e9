//! What traces tell, on a sidecar's configuration as Istio makes it.

use std::fmt::Write as _;

use mesh_envoy::istio::Origin;
use mesh_envoy::trace::{Config, Entry, Outcome, Request, Step, Trace, trace};
use serde_json::{Value, json};

fn any(kind: &str, mut fields: Value) -> Value {
    fields["@type"] = format!("type.googleapis.com/{kind}").into();
    fields
}

fn origin(kind: &str, name: &str) -> Value {
    let config = format!("/apis/networking.istio.io/v1/namespaces/default/{kind}/{name}");
    json!({"filter_metadata": {"istio": {"config": config}}})
}

fn http(fields: Value) -> Value {
    let kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    json!({"filters": [{"name": "http", "typed_config": any(kind, fields)}]})
}

fn tcp(fields: Value) -> Value {
    let kind = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    json!({"name": "tcp", "filters": [{"name": "tcp", "typed_config": any(kind, fields)}]})
}

fn at(name: &str, ip: &str, port: u16, chain: &Value) -> Value {
    json!({"name": name, "address": {"socket_address": {"address": ip, "port_value": port}},
        "filter_chains": [chain], "bind_to_port": false, "traffic_direction": "OUTBOUND"})
}

fn cluster(name: &str, kind: &str) -> Value {
    json!({"name": name, "type": kind})
}

const V1: &str = "outbound|9080|v1|reviews.default.svc.cluster.local";
const V2: &str = "outbound|9080|v2|reviews.default.svc.cluster.local";

fn config() -> Config {
    let routes = json!({"name": "9080", "ignore_port_in_host_matching": true, "virtual_hosts": [
        {"name": "reviews.default.svc.cluster.local:9080", "domains": ["reviews.default.svc.cluster.local", "reviews"], "routes": [
            {"name": "jason", "match": {"prefix": "/", "headers": [{"name": "end-user", "string_match": {"exact": "jason"}}]},
             "route": {"cluster": V2, "timeout": "2s", "retry_policy": {"retry_on": "connect-failure", "num_retries": 3, "per_try_timeout": "0.5s"},
                "prefix_rewrite": "/v2/", "request_mirror_policies": [{"cluster": V1, "runtime_fraction": {"default_value": {"numerator": 10}}}]},
             "metadata": origin("virtual-service", "reviews")},
            {"match": {"path": "/old"}, "redirect": {"path_redirect": "/new"}, "metadata": origin("virtual-service", "reviews")},
            {"match": {"prefix": "/"}, "route": {"timeout": "0s", "weighted_clusters": {"clusters": [
                {"name": V1, "weight": 75}, {"name": V2, "weight": 25}]}}},
        ]},
        {"name": "ratings", "domains": ["ratings"], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": "outbound|9080||ratings.default.svc.cluster.local"}}]},
        {"name": "lua", "domains": ["lua"], "routes": [
            {"match": {"prefix": "/a", "dynamic_metadata": [{"filter": "x"}]}, "direct_response": {"status": 200}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 204}}]},
        {"name": "block_all", "domains": ["*"], "routes": [
            {"name": "block_all", "match": {"prefix": "/"}, "direct_response": {"status": 502}}]},
    ]});
    let inline = json!({"name": "inbound|9080||", "virtual_hosts": [{"name": "inbound|http|9080", "domains": ["*"], "routes": [
        {"name": "default", "match": {"prefix": "/"}, "route": {"cluster": "inbound|9080||"}}]}]});
    let mut inbound = http(
        json!({"stat_prefix": "inbound_0.0.0.0_9080", "route_config": inline, "http_filters": [
        {"name": "envoy.filters.http.rbac", "typed_config": any("envoy.extensions.filters.http.rbac.v3.RBAC", json!({}))},
        {"name": "router", "typed_config": any("envoy.extensions.filters.http.router.v3.Router", json!({}))}]}),
    );
    inbound["name"] = "0.0.0.0_9080".into();
    inbound["filter_chain_match"] = json!({"destination_port": 9080, "transport_protocol": "tls"});
    inbound["transport_socket"] = json!({"name": "tls", "typed_config": any(
        "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        json!({"require_client_certificate": true, "common_tls_context": {"tls_certificate_sds_secret_configs": [{"name": "default"}]}}))});
    let mut virtual_inbound = at("virtualInbound", "0.0.0.0", 15006, &inbound);
    virtual_inbound["bind_to_port"] = true.into();
    virtual_inbound["traffic_direction"] = "INBOUND".into();
    virtual_inbound["listener_filters"] = json!([{"name": "envoy.filters.listener.tls_inspector"}]);
    let mut virtual_outbound = at(
        "virtualOutbound",
        "0.0.0.0",
        15001,
        &tcp(json!({"stat_prefix": "p", "cluster": "PassthroughCluster"})),
    );
    virtual_outbound["bind_to_port"] = true.into();
    virtual_outbound["use_original_dst"] = true.into();
    let listeners = [
        virtual_outbound,
        virtual_inbound,
        at(
            "0.0.0.0_9080",
            "0.0.0.0",
            9080,
            &http(json!({"stat_prefix": "o", "rds": {"route_config_name": "9080"}})),
        ),
        at(
            "10.96.0.9_3306",
            "10.96.0.9",
            3306,
            &tcp(json!({"stat_prefix": "m", "cluster": "outbound|3306||mysql.default.svc.cluster.local"})),
        ),
    ];
    let mut v2 = cluster(V2, "EDS");
    v2["metadata"] = origin("destination-rule", "reviews");
    v2["lb_policy"] = "LEAST_REQUEST".into();
    v2["transport_socket_matches"] = json!([
        {"name": "tlsMode-istio", "match": {"tlsMode": "istio"}, "transport_socket": {"name": "tls", "typed_config": any(
            "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            json!({"sni": "outbound_.9080_.v2_.reviews", "common_tls_context": {"alpn_protocols": ["istio", "h2"],
                "tls_certificate_sds_secret_configs": [{"name": "default"}]}}))}},
        {"name": "tlsMode-disabled", "match": {}, "transport_socket": {"name": "envoy.transport_sockets.raw_buffer"}}]);
    let clusters = [
        cluster(V1, "EDS"),
        v2,
        cluster("outbound|9080||ratings.default.svc.cluster.local", "EDS"),
        cluster("outbound|3306||mysql.default.svc.cluster.local", "EDS"),
        cluster("inbound|9080||", "ORIGINAL_DST"),
        cluster("PassthroughCluster", "ORIGINAL_DST"),
    ];
    let endpoint = |port: u16, health: &str| json!({"health_status": health, "metadata": {"filter_metadata": {"envoy.transport_socket_match": {"tlsMode": "istio"}}}, "endpoint": {"address": {"socket_address": {"address": "10.1.0.7", "port_value": port}}}});
    let endpoints = json!([
        {"endpoint_config": {"cluster_name": V2, "endpoints": [{"lb_endpoints": [endpoint(9080, "HEALTHY"), endpoint(9081, "UNHEALTHY")]}]}},
        {"endpoint_config": {"cluster_name": "outbound|9080||ratings.default.svc.cluster.local"}},
    ]);
    let section = |name: &str, field: &str, list: Value| {
        any(&format!("envoy.admin.v3.{name}ConfigDump"), json!({field: list}))
    };
    let wrap =
        |field: &str, list: &[Value]| -> Value { list.iter().map(|value| json!({field: value})).collect() };
    let dump = json!({"configs": [
        section("Listeners", "dynamic_listeners", listeners.iter().map(|listener| json!({"active_state": {"listener": listener}})).collect()),
        section("Routes", "dynamic_route_configs", wrap("route_config", &[routes])),
        section("Clusters", "dynamic_active_clusters", wrap("cluster", &clusters)),
        section("Endpoints", "dynamic_endpoint_configs", endpoints),
    ]});
    Config::read(dump.to_string().as_bytes()).expect("a dump")
}

fn follow(request: &str) -> Trace {
    trace(&config(), &Request::parse(request).expect("a request"))
}

/// A trace as plain text.
fn text(trace: &Trace) -> String {
    let mut text = String::new();
    let origin = |origin: &Option<Origin>| {
        origin
            .as_ref()
            .map(|origin| format!(" [{origin}]"))
            .unwrap_or_default()
    };
    for step in &trace.steps {
        let Step {
            subject,
            name,
            reason,
            details,
            passed_over,
            ..
        } = step;
        writeln!(text, "{subject:?} {name}: {reason}{}", origin(&step.origin)).expect("it is a string");
        for (name, value) in details {
            writeln!(text, "  {name}: {value}").expect("it is a string");
        }
        for other in passed_over {
            writeln!(
                text,
                "  not {}: {}{}",
                other.name,
                other.reason,
                origin(&other.origin)
            )
            .expect("it is a string");
        }
    }
    match &trace.outcome {
        Outcome::Forward(upstreams) => {
            for upstream in upstreams {
                writeln!(text, "=> {:.0}% {}", upstream.share * 100.0, upstream.cluster)
                    .expect("it is a string");
            }
        }
        other => writeln!(text, "=> {other:?}").expect("it is a string"),
    }
    text
}

#[test]
fn a_request_is_told_step_by_step() {
    insta::assert_snapshot!(text(&follow("GET http://reviews:9080/x -H end-user:jason")), @"
    Listener 0.0.0.0_9080: it is at port 9080 of all addresses
      address: 0.0.0.0:9080
    FilterChain : it takes every connection
      transport: plaintext
    Http o: the filter chain speaks HTTP
    VirtualHost reviews.default.svc.cluster.local:9080: its domain `reviews` takes `reviews`
      route configuration: 9080
      not ratings: none of its domains is `reviews`: ratings
      not lua: none of its domains is `reviews`: lua
      not block_all: `*` is less specific than `reviews` of `reviews.default.svc.cluster.local:9080`
    Route jason: it matches: /* end-user=jason [virtual-service default/reviews]
      timeout: 2s
      retries: 3 on connect-failure, 0.5s each
      path rewrite: /v2/x
      mirror: outbound|9080|v1|reviews.default.svc.cluster.local, 10% of requests
    Cluster outbound|9080|v2|reviews.default.svc.cluster.local: the route names it [destination-rule default/reviews]
      type: EDS
      load balancing: LEAST_REQUEST
      transport: tlsMode-istio: mutual TLS, SNI outbound_.9080_.v2_.reviews, certificate default, ALPN istio, h2
      endpoint: 10.1.0.7:9080
      endpoint: 10.1.0.7:9081 (not healthy)
    => 100% outbound|9080|v2|reviews.default.svc.cluster.local
    ");
}

#[test]
fn weights_are_told_as_shares() {
    insta::assert_snapshot!(text(&follow("http://reviews:9080/x")), @"
    Listener 0.0.0.0_9080: it is at port 9080 of all addresses
      address: 0.0.0.0:9080
    FilterChain : it takes every connection
      transport: plaintext
    Http o: the filter chain speaks HTTP
    VirtualHost reviews.default.svc.cluster.local:9080: its domain `reviews` takes `reviews`
      route configuration: 9080
      not ratings: none of its domains is `reviews`: ratings
      not lua: none of its domains is `reviews`: lua
      not block_all: `*` is less specific than `reviews` of `reviews.default.svc.cluster.local:9080`
    Route : it matches: /*
      timeout: none
      not jason: the header `end-user` is missing [virtual-service default/reviews]
      not /old: the path `/x` is not `/old` [virtual-service default/reviews]
    Cluster outbound|9080|v1|reviews.default.svc.cluster.local: 75.0% of requests
      type: EDS
      load balancing: ROUND_ROBIN
      transport: plaintext
    Cluster outbound|9080|v2|reviews.default.svc.cluster.local: 25.0% of requests [destination-rule default/reviews]
      type: EDS
      load balancing: LEAST_REQUEST
      transport: tlsMode-istio: mutual TLS, SNI outbound_.9080_.v2_.reviews, certificate default, ALPN istio, h2
      endpoint: 10.1.0.7:9080
      endpoint: 10.1.0.7:9081 (not healthy)
    => 75% outbound|9080|v1|reviews.default.svc.cluster.local
    => 25% outbound|9080|v2|reviews.default.svc.cluster.local
    ");
}

#[test]
fn chance_picks_one_of_the_shares() {
    let mut request = Request::parse("http://reviews:9080/x").expect("a request");
    for (random, cluster) in [(0, V1), (74, V1), (75, V2), (199, V2)] {
        request.random = Some(random);
        let Outcome::Forward(upstreams) = trace(&config(), &request).outcome else {
            panic!("it goes to a cluster");
        };
        assert_eq!(
            (&*upstreams[0].cluster, upstreams.len()),
            (cluster, 1),
            "{random}"
        );
    }
}

#[test]
fn ends_without_a_cluster() {
    let end = |request: &str| format!("{:?}", follow(request).outcome);
    insta::assert_snapshot!(
        [
            end("http://reviews:9080/old?a=1"),
            end("http://other:9080/"),
            end("http://ratings:9080/"),
            end("http://lua:9080/a"),
            end("http://lua:9080/b"),
        ].join("\n"),
        @r#"
    Redirect { status: 301, location: "http://reviews:9080/new?a=1" }
    Response { status: 502, body: None }
    Refused { reason: "the cluster `outbound|9080||ratings.default.svc.cluster.local` has no endpoint", status: Some(503), flag: Some("UH") }
    NotModelled { what: "dynamic metadata is not modelled, by which route `/a*` matches" }
    Response { status: 204, body: None }
    "#
    );
}

#[test]
fn connections_without_a_listener_pass_through() {
    insta::assert_snapshot!(text(&follow("tcp://10.9.9.9:5000")), @"
    Listener virtualOutbound: it takes redirected connections that have no listener of their own
      address: 0.0.0.0:15001
      not 10.9.9.9:5000: no listener is there
      not port 5000 of all addresses: no listener is there
    FilterChain tcp: it takes every connection
      transport: plaintext
    Cluster PassthroughCluster: the TCP proxy names it
      type: ORIGINAL_DST
      load balancing: ROUND_ROBIN
      transport: plaintext
      endpoint: 10.9.9.9:5000
    => 100% PassthroughCluster
    ");
}

#[test]
fn a_name_means_the_only_listener_at_its_port() {
    insta::assert_snapshot!(text(&follow("tcp://mysql:3306")), @"
    Listener 10.96.0.9_3306: it is the only one at the port; the client's destination address is taken to be its own
      address: 10.96.0.9:3306
      not port 3306 of all addresses: no listener is there
    FilterChain tcp: it takes every connection
      transport: plaintext
    Cluster outbound|3306||mysql.default.svc.cluster.local: the TCP proxy names it
      type: EDS
      load balancing: ROUND_ROBIN
      transport: plaintext
    => 100% outbound|3306||mysql.default.svc.cluster.local
    ");
}

#[test]
fn inbound_connections_end_mutual_tls() {
    let mut request = Request::parse("https://reviews:9080/x").expect("a request");
    request.entry = Some(Entry::Inbound);
    assert!(matches!(
        trace(&config(), &request).outcome,
        Outcome::Refused { status: None, .. }
    ));
    if let Some(tls) = &mut request.tls {
        tls.certificate = true;
    }
    insta::assert_snapshot!(text(&trace(&config(), &request)), @"
    Listener virtualInbound: it takes all redirected connections
      address: 0.0.0.0:15006
    FilterChain 0.0.0.0_9080: it fits: Addr: *:9080; Trans: tls
      transport: mutual TLS, certificate default
    Http inbound_0.0.0.0_9080: the filter chain speaks HTTP
      filter: envoy.filters.http.rbac (envoy.extensions.filters.http.rbac.v3.RBAC): what it does is not modelled
    VirtualHost inbound|http|9080: its domain `*` takes `reviews:9080`
      route configuration: inbound|9080||
    Route default: it matches: /*
      timeout: 15s
    Cluster inbound|9080||: the route names it
      type: ORIGINAL_DST
      load balancing: ROUND_ROBIN
      transport: plaintext
      endpoint: where the client connects to
    => 100% inbound|9080||
    ");
    request.tls = None;
    assert!(matches!(
        trace(&config(), &request).outcome,
        Outcome::Refused { status: None, .. }
    ));
}
