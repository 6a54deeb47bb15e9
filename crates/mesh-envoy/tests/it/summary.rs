//! Rows of tables, filters, and differences.

use mesh_envoy::diff::{Change, diff};
use mesh_envoy::dump::{Item, Section, State, collect};
use mesh_envoy::summary::{
    ClusterFilter, ClusterSummary, EcdsSummary, EndpointFilter, ListenerFilter, ListenerSummary,
    RouteTableSummary, SecretSummary, VirtualHostSummary,
};
use serde_json::{Value, json};

fn read<T: serde::de::DeserializeOwned>(
    section: Section,
    config_dump: &str,
    field: &str,
    list: &Value,
) -> Vec<T> {
    let dump = json!({"configs": [{"@type": format!("x/envoy.admin.v3.{config_dump}"), field: list}]});
    let items = collect::<T>(dump.to_string().as_bytes(), section).expect("a dump");
    items.items.into_iter().map(|item| item.resource).collect()
}

fn clusters(list: &Value) -> Vec<ClusterSummary> {
    read(
        Section::Clusters,
        "ClustersConfigDump",
        "dynamicActiveClusters",
        list,
    )
}

#[test]
fn clusters_filter_and_sort() {
    let mut rows = clusters(&json!([
        {"cluster": {"name": "outbound|9080|v2|reviews.default.svc.cluster.local", "type": "EDS"}},
        {"cluster": {"name": "outbound|9080|v1|reviews.default.svc.cluster.local", "type": 3}},
        {"cluster": {"name": "inbound|8080||", "type": "ORIGINAL_DST"}},
        {"cluster": {"name": "xds-grpc", "clusterType": {"name": "envoy.clusters.dns"}}},
    ]));
    rows.sort();
    let names = |filter: &ClusterFilter| -> Vec<String> {
        rows.iter()
            .filter(|row| filter.matches(row))
            .map(|row| row.name.clone())
            .collect()
    };
    let all = ClusterFilter::default();
    assert_eq!(
        names(&all)[1..3],
        [
            "outbound|9080|v1|reviews.default.svc.cluster.local",
            "outbound|9080|v2|reviews.default.svc.cluster.local"
        ]
    );
    let discovery: Vec<_> = rows.iter().map(|row| &*row.discovery).collect();
    assert_eq!(discovery, ["ORIGINAL_DST", "EDS", "EDS", "envoy.clusters.dns"]);
    let by = |change: fn(&mut ClusterFilter)| {
        let mut filter = ClusterFilter::default();
        change(&mut filter);
        names(&filter).len()
    };
    assert_eq!(by(|filter| filter.fqdn = Some("reviews".into())), 2);
    assert_eq!(by(|filter| filter.fqdn = Some("xds".into())), 1);
    assert_eq!(by(|filter| filter.port = Some(8080)), 1);
    assert_eq!(by(|filter| filter.subset = Some("v1".into())), 1);
    assert_eq!(by(|filter| filter.direction = Some("outbound".into())), 2);
}

#[test]
fn listeners_of_unknown_extensions_are_shown() {
    let rows: Vec<ListenerSummary> = read(
        Section::Listeners,
        "ListenersConfigDump",
        "static_listeners",
        &json!([{"listener": {
            "name": "mongo",
            "address": {"pipe": {"path": "/run/mongo"}},
            "filter_chains": [
                {"filterChainMatch": {"serverNames": ["a.com", "*.b.com"], "applicationProtocols": ["h2"],
                    "sourceType": "EXTERNAL", "sourcePorts": [1, 2],
                    "sourcePrefixRanges": [{"addressPrefix": "10.1.2.3", "prefixLen": 32}]},
                 "filters": [{"name": "mongo", "typedConfig": {"@type": "x/acme.MongoFilter", "cluster": {"odd": 1}}}]},
            ],
        }}]),
    );
    let chain = &rows[0].chains[0];
    assert_eq!(
        chain.matches,
        "SNI: a.com,*.b.com; App: h2; Source: external; Source: 10.1.2.3; Source port: 1,2"
    );
    assert_eq!(chain.destination, "Non-HTTP/Non-TCP");
    assert_eq!(
        (&*rows[0].addresses[0], rows[0].port),
        ("unix:///run/mongo", None)
    );
    let filter = ListenerFilter {
        address: Some("UNIX:///run/mongo".into()),
        ..ListenerFilter::default()
    };
    assert!(filter.matches(&rows[0]));
    let filter = ListenerFilter {
        port: Some(80),
        ..ListenerFilter::default()
    };
    assert!(!filter.matches(&rows[0]));
}

#[test]
fn routes_tell_conditions_and_destinations() {
    let routes = json!([
        {"match": {"path": "/a", "headers": [
            {"name": "x", "presentMatch": true}, {"name": "y", "rangeMatch": {"start": "1", "end": "5"}},
            {"name": "z", "exactMatch": "1", "invertMatch": true}]},
         "redirect": {"httpsRedirect": true, "hostRedirect": "b.com", "portRedirect": 8443, "pathRedirect": "/c"}},
        {"match": {"pathSeparatedPrefix": "/api", "queryParameters": [
            {"name": "q", "stringMatch": {"prefix": "v", "ignoreCase": true}}]},
         "directResponse": {"status": 404}},
        {"match": {"safeRegex": {"regex": "/[a-z]+"}, "runtimeFraction": {"defaultValue": {"numerator": 5}}},
         "route": {"clusterHeader": "x-cluster"}},
        {"match": {"prefix": "/"}, "route": {"weightedClusters": {"clusters": [
            {"name": "a", "weight": 1}, {"name": "b", "weight": 2}]}}},
    ]);
    let rows: Vec<RouteTableSummary> = read(
        Section::Routes,
        "RoutesConfigDump",
        "dynamic_route_configs",
        &json!([{"route_config": {"name": "80", "virtual_hosts": [{"name": "v", "domains": ["*"], "routes": routes}]}}]),
    );
    let rows = rows[0].virtual_hosts[0].routes.iter();
    let rows: Vec<_> = rows.map(|route| (&*route.matches, &*route.destination)).collect();
    assert_eq!(
        rows,
        [
            ("/a x y=[1, 5) !z=1", "redirect to https://b.com:8443/c"),
            ("/api[/*] ?q=v* (any case)", "direct response 404"),
            ("regex /[a-z]+ 5%", "cluster in header x-cluster"),
            ("/*", "a 33.3%, b 66.7%"),
        ]
    );
}

#[test]
fn domains_are_shortened() {
    let short = |domains: &[&str]| {
        let host = VirtualHostSummary {
            name: String::new(),
            domains: domains.iter().map(|&domain| domain.to_owned()).collect(),
            routes: Vec::new(),
        };
        host.short_domains()
    };
    assert_eq!(short(&["a:80"]), "a:80");
    assert_eq!(
        short(&[
            "r.d.svc.cluster.local",
            "r.d.svc.cluster.local:80",
            "r",
            "r.d.svc",
            "r.d",
            "10.0.0.1",
            "10.0.0.1:80"
        ]),
        "r.d.svc.cluster.local, r + 1 more..."
    );
    assert_eq!(short(&["[::1]", "[::1]:80", "*"]), "[::1], *");
}

#[test]
fn secrets_without_certificates() {
    let secrets: Vec<SecretSummary> = read(
        Section::Secrets,
        "SecretsConfigDump",
        "dynamic_warming_secrets",
        &json!([
            {"name": "w", "secret": {"name": "w"}},
            {"secret": {"name": "f", "tls_certificate": {"certificate_chain": {"filename": "/etc/c.pem"}}}},
            {"secret": {"name": "b", "validation_context": {"trusted_ca": {"inline_bytes": "!"}}}},
            {"secret": {"name": "e", "validation_context": {"trusted_ca": {"inline_bytes": "aGVsbG8="}}}},
            {"secret": {"name": "g", "generic_secret": {"secret": {"inline_bytes": "W3JlZGFjdGVkXQ=="}}}},
        ]),
    );
    let told: Vec<_> = secrets
        .iter()
        .map(|secret| {
            let errors = secret.certificates.iter().filter_map(|one| one.as_ref().err());
            (
                &*secret.name,
                secret.kind.name(),
                errors.map(ToString::to_string).collect::<String>(),
            )
        })
        .collect();
    assert_eq!(told[0], ("w", "Pending", String::new()));
    assert_eq!(
        told[1],
        (
            "f",
            "Cert Chain",
            "the certificate is in the proxy's file /etc/c.pem".to_owned()
        )
    );
    assert!(
        told[2].2.starts_with("the certificate cannot be read: "),
        "{}",
        told[2].2
    );
    assert_eq!(told[3].2, "the certificate cannot be read: there is no PEM block");
    assert_eq!(told[4].1, "Generic");
}

#[test]
fn extension_configurations_name_their_type() {
    let mut rows: Vec<EcdsSummary> = read(
        Section::Ecds,
        "EcdsConfigDump",
        "ecds_filters",
        &json!([
            {"ecds_filter": {"@type": "x/envoy.config.core.v3.TypedExtensionConfig", "name": "b",
                "typed_config": {"@type": "x/envoy.extensions.filters.http.wasm.v3.Wasm"}}},
            {"ecds_filter": {"name": "a"}},
        ]),
    );
    rows.sort();
    let rows: Vec<_> = rows.iter().map(|row| (&*row.kind, &*row.name)).collect();
    assert_eq!(
        rows,
        [("", "a"), ("envoy.extensions.filters.http.wasm.v3.Wasm", "b")]
    );
}

#[test]
fn endpoints_filter() {
    let dump = json!({"clusterStatuses": [{"name": "c", "hostStatuses": [
        {"address": {"socketAddress": {"address": "10.0.0.1", "portValue": 80}}, "weight": 1,
         "healthStatus": {"edsHealthStatus": "HEALTHY", "failedOutlierCheck": true}},
        {"address": {"envoyInternalAddress": {"serverListenerName": "inner", "endpointId": "e"}},
         "healthStatus": {"edsHealthStatus": "UNHEALTHY"}},
    ]}]});
    let items = collect::<mesh_envoy::summary::ClusterEndpoints>(
        dump.to_string().as_bytes(),
        Section::ClusterStatuses,
    );
    let endpoints = items.expect("statuses").items.remove(0).resource.endpoints;
    assert_eq!(endpoints[0].ejected, Some(true));
    assert!(!endpoints[0].is_healthy());
    assert_eq!(endpoints[1].address, "envoy://inner/e");
    let by = |filter: EndpointFilter| {
        endpoints
            .iter()
            .filter(|endpoint| filter.matches(endpoint))
            .count()
    };
    let none = EndpointFilter::default;
    assert_eq!(
        by(EndpointFilter {
            status: Some("healthy".into()),
            ..none()
        }),
        1
    );
    assert_eq!(
        by(EndpointFilter {
            port: Some(80),
            ..none()
        }),
        1
    );
    assert_eq!(
        by(EndpointFilter {
            cluster: Some("c".into()),
            ..none()
        }),
        2
    );
    assert_eq!(
        by(EndpointFilter {
            address: Some("10.0.0.1".into()),
            ..none()
        }),
        1
    );
}

fn item(resource: Value, state: State) -> Item<Value> {
    Item {
        section: Section::Routes,
        state,
        version: String::new(),
        last_updated: String::new(),
        resource,
    }
}

#[test]
fn differences_are_told_by_field() {
    let old = json!({"name": "80", "virtual_hosts": [
        {"name": "a", "domains": ["a", "a:80"], "routes": [{"route": {"cluster": "v1"}}]},
        {"name": "b", "domains": ["b"]},
    ]});
    let new = json!({"name": "80", "virtual_hosts": [
        {"name": "b", "domains": ["b"]},
        {"name": "a", "routes": [{"route": {"cluster": "v2", "timeout": "5s"}}], "domains": ["a"]},
        {"name": "c"},
    ]});
    let before = [
        item(old, State::Active),
        item(json!({"name": "gone"}), State::Active),
    ];
    let after = [
        item(json!({"name": "80"}), State::Draining),
        item(json!({"name": "80"}), State::Warming),
        item(new, State::Active),
    ];
    let changes = diff(&before, &after);
    let names: Vec<_> = changes.iter().map(Change::name).collect();
    assert_eq!(names, ["80", "80 (warming)", "gone"]);
    let Change::Changed { fields, .. } = &changes[0] else {
        panic!("{changes:?}");
    };
    let paths: Vec<_> = fields.iter().map(mesh_envoy::diff::FieldChange::path).collect();
    assert_eq!(
        paths,
        [
            "virtual_hosts[a].domains",
            "virtual_hosts[a].routes[0].route.cluster",
            "virtual_hosts[a].routes[0].route.timeout",
            "virtual_hosts[c]",
        ]
    );
    assert!(matches!(&changes[2], Change::Removed { .. }));
    assert_eq!(diff(&before, &before), []);
}

#[test]
fn the_order_of_routes_matters() {
    let routes = |first: &str, second: &str| {
        [item(
            json!({"name": "80", "routes": [{"name": first}, {"name": second}]}),
            State::Active,
        )]
    };
    let changes = diff(&routes("a", "b"), &routes("b", "a"));
    let [Change::Changed { fields, .. }] = &changes[..] else {
        panic!("{changes:?}");
    };
    assert_eq!(
        (&*fields[0].path(), &fields[0].after),
        ("routes", &Some(json!(["b", "a"])))
    );
}
