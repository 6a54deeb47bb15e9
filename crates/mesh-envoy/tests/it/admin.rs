//! What a real Envoy's admin port says.

use mesh_envoy::dump::{Section, State, WithJson, collect};
use mesh_envoy::summary::{
    BootstrapSummary, ClusterEndpoints, ClusterSummary, HealthStatus, ListenerSummary, ListenerType,
    RouteTableSummary, SecretKind, SecretSummary, Validity,
};
use serde_json::{Value, json};
use test_envoy::{Envoy, loopback};

/// A self-signed certificate for `spiffe://cluster.local/ns/default/sa/reviews` and `reviews.local`, from
/// 2024-01-01 to 2034-01-01, with serial 0x1234abcd.
const CERTIFICATE: &str = include_str!("certificate.pem");
const KEY: &str = include_str!("key.pem");

fn bootstrap() -> Value {
    json!({
        "node": {"id": "sidecar~10.0.0.1~reviews-v1.default~default.svc.cluster.local", "cluster": "reviews.default",
            "locality": {"region": "eu", "zone": "eu-1"},
            "metadata": {"ISTIO_VERSION": "1.30.1", "mixedCase_key": {"innerKey": 1}}},
        "static_resources": {
            "secrets": [{
                "name": "default",
                "tls_certificate": {
                    "certificate_chain": {"inline_string": CERTIFICATE},
                    "private_key": {"inline_string": KEY},
                },
            }],
            "listeners": [{
                "name": "inbound",
                "address": loopback(),
                "traffic_direction": "INBOUND",
                "filter_chains": [{
                    "filter_chain_match": {
                        "destination_port": 9080,
                        "prefix_ranges": [{"address_prefix": "10.0.0.0", "prefix_len": 8}],
                        "transport_protocol": "tls",
                    },
                    "filters": [{
                        "name": "http",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                            "stat_prefix": "in",
                            "http_filters": [{"name": "router", "typed_config": {
                                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
                            "route_config": {"name": "9080", "virtual_hosts": [{
                                "name": "reviews", "domains": ["*"],
                                "routes": [{
                                    "match": {"prefix": "/", "headers": [
                                        {"name": ":method", "string_match": {"exact": "GET"}},
                                        {"name": "end-user", "string_match": {"prefix": "ja"}}]},
                                    "route": {"weighted_clusters": {"clusters": [
                                        {"name": "outbound|9080|v1|reviews.default.svc.cluster.local", "weight": 90},
                                        {"name": "static", "weight": 10}]}},
                                    "metadata": {"filter_metadata": {"istio": {"config":
                                        "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews"}}},
                                }],
                            }]},
                        },
                    }],
                }],
                "default_filter_chain": {"filters": [{
                    "name": "tcp",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                        "stat_prefix": "t", "cluster": "static",
                    },
                }]},
            }],
            "clusters": [{
                "name": "static",
                "type": "STATIC",
                "load_assignment": {"cluster_name": "static", "endpoints": [{
                    "locality": {"region": "eu", "zone": "eu-1"},
                    "lb_endpoints": [{
                        "health_status": "DEGRADED",
                        "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9}}}}]}]},
            }, {
                "name": "outbound|9080|v1|reviews.default.svc.cluster.local",
                "type": "ORIGINAL_DST",
                "lb_policy": "CLUSTER_PROVIDED",
                "metadata": {"filter_metadata": {"istio": {"config":
                    "/apis/networking.istio.io/v1/namespaces/default/destination-rule/reviews"}}},
            }],
        },
    })
}

#[test]
fn a_real_envoy_is_understood() {
    let envoy = Envoy::start(&bootstrap()).expect("Envoy starts");
    let dump = envoy.admin_get("/config_dump?include_eds").expect("a dump");

    let bootstraps = collect::<BootstrapSummary>(&*dump, Section::Bootstrap).expect("a bootstrap");
    let bootstrap = &bootstraps.items[0].resource;
    assert_eq!(bootstrap.istio_version.as_deref(), Some("1.30.1"));
    assert_eq!(
        (&*bootstrap.cluster, &*bootstrap.locality),
        ("reviews.default", "eu/eu-1")
    );
    let version = bootstrap.envoy_version.as_deref().expect("a version");
    assert!(
        version.contains(&format!("/{}/", test_envoy::VERSION)),
        "{version}"
    );

    let clusters = collect::<WithJson<ClusterSummary>>(&*dump, Section::Clusters).expect("clusters");
    assert_eq!(clusters.items.len(), 2);
    let reviews = &clusters
        .items
        .iter()
        .find(|item| item.resource.resource.parts.is_some())
        .expect("one of Istio's");
    assert_eq!(reviews.state, State::Static);
    assert!(reviews.last_updated.starts_with("20"), "{}", reviews.last_updated);
    let summary = &reviews.resource.resource;
    assert_eq!(
        (&*summary.fqdn, &*summary.discovery),
        ("reviews.default.svc.cluster.local", "ORIGINAL_DST")
    );
    assert_eq!(
        summary.origin.as_ref().map(ToString::to_string).as_deref(),
        Some("destination-rule default/reviews")
    );
    assert!(reviews.resource.json.get().contains("CLUSTER_PROVIDED"));

    let listeners = collect::<ListenerSummary>(&*dump, Section::Listeners).expect("listeners");
    let listener = &listeners.items[0].resource;
    assert_eq!(listener.kind, ListenerType::HttpAndTcp);
    assert_eq!(listener.addresses, ["127.0.0.1"]);
    let chains: Vec<_> = listener
        .chains
        .iter()
        .map(|chain| (&*chain.matches, &*chain.destination))
        .collect();
    let istio = "outbound|9080|v1|reviews.default.svc.cluster.local";
    let inline = format!("Inline Route: /* GET end-user=ja* → {istio} 90%, static 10%");
    assert_eq!(
        chains,
        [
            ("Addr: 10.0.0.0/8:9080; Trans: tls", &*inline),
            ("ALL (default)", "Cluster: static")
        ]
    );

    let routes = collect::<RouteTableSummary>(&*dump, Section::Routes).expect("routes");
    let route = &routes.items[0].resource.virtual_hosts[0].routes[0];
    assert_eq!(
        route.origin.as_ref().map(ToString::to_string).as_deref(),
        Some("virtual-service default/reviews")
    );

    let endpoints = collect::<ClusterEndpoints>(&*dump, Section::Endpoints).expect("endpoints");
    let from_dump: Vec<_> = endpoints
        .items
        .iter()
        .flat_map(|item| item.resource.endpoints.clone())
        .collect();
    let statuses = envoy.admin_get("/clusters?format=json").expect("statuses");
    let statuses = collect::<ClusterEndpoints>(&*statuses, Section::ClusterStatuses).expect("statuses");
    let from_clusters: Vec<_> = statuses
        .items
        .iter()
        .flat_map(|item| item.resource.endpoints.clone())
        .collect();
    for endpoints in [from_dump, from_clusters] {
        let endpoint = &endpoints[0];
        assert_eq!((&*endpoint.address, endpoint.port), ("127.0.0.1:9", Some(9)));
        assert_eq!((&*endpoint.cluster, &*endpoint.locality), ("static", "eu/eu-1"));
        assert_eq!(endpoint.status, HealthStatus::Degraded);
        assert_eq!(endpoints.len(), 1);
    }

    let secrets = collect::<SecretSummary>(&*dump, Section::Secrets).expect("secrets");
    let secret = &secrets.items[0].resource;
    assert_eq!(
        (&*secret.name, secret.kind),
        ("default", SecretKind::CertificateChain)
    );
    let certificate = secret.certificates[0].as_ref().expect("a certificate");
    assert_eq!(certificate.trust_domain(), Some("cluster.local"));
    assert_eq!(
        certificate.subject_alternative_names,
        ["spiffe://cluster.local/ns/default/sa/reviews", "reviews.local"]
    );
    assert_eq!(certificate.serial, "1234abcd");
    assert_eq!(
        (&*certificate.subject, &*certificate.issuer),
        ("O=test, CN=reviews", "O=test, CN=reviews")
    );
    let day = |text: &str| text.parse::<jiff::Timestamp>().expect("a time");
    assert!(matches!(
        certificate.validity(day("2023-12-31T00:00:00Z")),
        Validity::NotYet(_)
    ));
    assert!(
        matches!(certificate.validity(day("2033-12-31T00:00:00Z")), Validity::Valid(left) if left.as_hours() == 24)
    );
    assert!(matches!(
        certificate.validity(day("2034-01-02T00:00:00Z")),
        Validity::Expired(_)
    ));
}

#[test]
fn masks_leave_what_they_name() {
    let envoy = Envoy::start(&bootstrap()).expect("Envoy starts");
    let masked = envoy
        .admin_get("/config_dump?mask=static_clusters")
        .expect("a dump");
    let clusters = collect::<ClusterSummary>(&*masked, Section::Clusters).expect("clusters");
    assert_eq!(clusters.items.len(), 2);
    let listeners = collect::<ListenerSummary>(&*masked, Section::Listeners).expect("listeners");
    assert_eq!(listeners.items.len(), 0);
}
