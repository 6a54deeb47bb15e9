//! `meshctl proxy-config` on saved dumps, and `meshctl describe` on files: no cluster is touched.

use serde_json::json;

use crate::api::Api;
use crate::harness::{Output, Project};

/// A dump in lowerCamelCase, as istiod writes it, with a refused cluster, and a secret that has not come.
fn dump(timeout: &str) -> String {
    json!({"configs": [
        {
            "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "staticClusters": [{"cluster": {"name": "prometheus_stats", "type": "STATIC"}}],
            "dynamicActiveClusters": [
                {"versionInfo": "7", "lastUpdated": "2026-01-01T00:00:00Z", "cluster": {
                    "name": "outbound|9080|v2|reviews.shop.svc.cluster.local", "type": "EDS",
                    "connectTimeout": timeout, "anUnknownField": {"kept": [1, 2.50]},
                    "metadata": {"filterMetadata": {"istio": {"config":
                        "/apis/networking.istio.io/v1/namespaces/shop/destination-rule/reviews"}}},
                }},
                {"versionInfo": "7", "cluster": {
                    "name": "outbound|443||api.example.com", "type": "STRICT_DNS",
                }, "errorState": {"details": "too many hosts", "lastUpdateAttempt": "2026-01-01T00:00:01Z"}},
            ],
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
            "dynamicRouteConfigs": [{"routeConfig": {"name": "9080", "virtualHosts": [{
                "name": "reviews:9080", "domains": ["reviews", "reviews.shop"],
                "routes": [{
                    "match": {"prefix": "/"},
                    "route": {"cluster": "outbound|9080|v2|reviews.shop.svc.cluster.local"},
                    "metadata": {"filterMetadata": {"istio": {"config":
                        "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/reviews"}}},
                }],
            }]}}, {"routeConfig": {"name": "80", "virtualHosts": []}}],
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.SecretsConfigDump",
            "dynamicWarmingSecrets": [{"name": "default", "secret": {"name": "default"}}],
        },
    ]})
    .to_string()
}

fn pc<'a>(args: impl IntoIterator<Item = &'a str>) -> Output {
    let project = Project::new()
        .file("a.json", dump("5s"))
        .file("b.json", dump("9s"));
    project.run(["pc"].into_iter().chain(args))
}

#[test]
fn tables_are_sorted_and_say_what_was_refused() {
    insta::assert_snapshot!(pc(["clusters", "-f", "a.json"]), @r#"
    status: 0
    -- stdout --
    SERVICE FQDN                    PORT  SUBSET  DIRECTION  TYPE        DESTINATION RULE
    api.example.com                 443   -       outbound   STRICT_DNS
    prometheus_stats                -     -       -          STATIC
    reviews.shop.svc.cluster.local  9080  v2      outbound   EDS         reviews.shop
    -- stderr --
    warning: the proxy refused cluster at 2026-01-01T00:00:01Z: too many hosts
    "#);
    insta::assert_snapshot!(pc(["r", "-f", "a.json", "--name", "9080"]), @r#"
    status: 0
    -- stdout --
    NAME  VHOST NAME    DOMAINS                MATCH  DESTINATION                                      VIRTUAL SERVICE
    9080  reviews:9080  reviews, reviews.shop  /*     outbound|9080|v2|reviews.shop.svc.cluster.local  reviews.shop
    -- stderr --
    "#);
    insta::assert_snapshot!(pc(["secrets", "-f", "a.json"]), @r#"
    status: 0
    -- stdout --
    NAME     TYPE     STATE
    default  Pending  WARMING
    -- stderr --
    warning: secret `default` was asked for and has not come
    "#);
}

#[test]
fn filters_are_those_of_istioctl() {
    for (args, expected) in [
        (
            &["--fqdn", "reviews"][..],
            "outbound|9080|v2|reviews.shop.svc.cluster.local\n",
        ),
        (&["--port", "443"], "outbound|443||api.example.com\n"),
        (
            &["--subset", "v2", "--direction", "outbound"],
            "outbound|9080|v2|reviews.shop.svc.cluster.local\n",
        ),
        (&["--direction", "inbound"], ""),
    ] {
        let output = pc(["cluster", "-f", "a.json", "-o", "name"]
            .into_iter()
            .chain(args.iter().copied()));
        assert_eq!(output.stdout, expected, "{args:?}\n{output}");
    }
}

#[test]
fn json_is_what_the_proxy_said() {
    let output = pc(["clusters", "-f", "a.json", "--fqdn", "reviews", "-o", "json"]);
    assert_eq!(
        output.json()[0]["anUnknownField"],
        json!({"kept": [1, 2.50]}),
        "{output}"
    );
    let output = pc(["clusters", "-f", "a.json", "-f", "b.json", "-o", "json"]);
    assert_eq!(output.json()["b.json"][2]["connectTimeout"], "9s", "{output}");
    let output = pc(["all", "-f", "a.json", "-o", "json"]);
    assert_eq!(
        output.json(),
        serde_json::from_str::<serde_json::Value>(&dump("5s")).unwrap()
    );
}

#[test]
fn differences_of_two_dumps_are_told() {
    insta::assert_snapshot!(pc(["all", "-f", "a.json", "-f", "b.json", "--diff"]), @r#"
    status: 1
    -- stdout --
    --- a.json
    +++ b.json
    ~ clusters/outbound|9080|v2|reviews.shop.svc.cluster.local
        connectTimeout
          - "5s"
          + "9s"
    -- stderr --
    "#);
    assert_eq!(
        pc(["all", "-f", "a.json", "-f", "a.json", "--diff"]).status,
        Some(0)
    );
    assert_eq!(pc(["all", "-f", "a.json", "--diff"]).status, Some(2));
}

#[test]
fn standard_input_is_a_file_too() {
    let output = Project::new().run_with_stdin(["pc", "routes", "-f", "-", "-o", "name"], &dump("5s"));
    assert_eq!(output.stdout, "80\n9080\n", "{output}");
}

#[test]
fn broken_dumps_are_refused_with_the_place() {
    let cut = &dump("5s")[..700];
    let project = Project::new()
        .file("cut.json", cut)
        .file("list.json", "[]")
        .file("empty.json", "");
    for (file, expected) in [
        ("cut.json", "byte 700: expected"),
        ("list.json", "byte 0: expected"),
        ("empty.json", "byte 0: expected"),
        ("none.json", "No such file"),
    ] {
        for output in ["table", "json"] {
            let output = project.run(["pc", "all", "-f", file, "-o", output]);
            assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
            assert!(output.stderr.contains(expected), "{file}\n{output}");
        }
    }
}

#[test]
fn nothing_to_read_is_said() {
    insta::assert_snapshot!(pc(["clusters"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: which proxy?
      hint: name one, such as `web-5d4f.shop` or `deploy/web`, or choose with `-l app=web`, or read a dump with `-f FILE`
    "#);
    insta::assert_snapshot!(pc(["listeners", "-f", "a.json"]), @r#"
    status: 0
    -- stdout --
    ADDRESSES  PORT  MATCH  DESTINATION
    -- stderr --
    note: a.json has no such listeners
    "#);
}

fn describe<'a>(args: impl IntoIterator<Item = &'a str>) -> Output {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/shop");
    Project::new().run(["describe"].into_iter().chain(args).chain(["-f", shop]))
}

#[test]
fn services_are_described_with_routes_policies_and_gateways() {
    insta::assert_snapshot!(describe(["service", "catalog.shop"]), @r#"
    status: 0
    -- stdout --
    Service shop/catalog
      Host:       catalog.shop.svc.cluster.local
      Port:       80 http, HTTP, to port 9080, mTLS STRICT
      Workloads:  Deployment shop/catalog-v1, Deployment shop/catalog-v2

      Routes of clients in namespace shop
        VirtualService shop/catalog
          1. header x-tester = true → catalog subset v2 (testers)
          2. all requests → catalog subset v1 90%, catalog subset v2 10% (everybody)
              timeout: 2s
              retries: {attempts: 2, perTryTimeout: 800ms, retryOn: 5xx,reset}

      Traffic policy
        DestinationRule shop/catalog, for catalog.shop.svc.cluster.local
          all ports:
            loadBalancer: {simple: LEAST_REQUEST}
            outlierDetection: {consecutive5xxErrors: 5, interval: 10s, baseEjectionTime: 30s}
          subset v1: version=v1 (1 workload)
          subset v2: version=v2 (1 workload)

      Gateways
        Gateway ingress/shop for shop.example, www.shop.example, by VirtualService shop/storefront
          ports: 80 HTTP, redirects to HTTPS; 443 HTTPS SIMPLE
          1. uri = /api/catalog/* → catalog:80 subset v1 (api)
              rewrite: {uri: /}
    -- stderr --
    "#);
}

#[test]
fn workloads_are_described_with_who_may_call_them() {
    insta::assert_snapshot!(describe(["pod", "deploy/orders", "-n", "shop"]), @r#"
    status: 0
    -- stdout --
    Deployment shop/orders
      Proxy:     sidecar
      Identity:  spiffe://cluster.local/ns/shop/sa/orders
      Labels:    app=orders, version=v1

    Mutual TLS that it accepts
      port 8080: STRICT, by PeerAuthentication istio-system/default

    Who may call it
      ALLOW  AuthorizationPolicy shop/allow-nothing
        no rules: matches nothing
      ALLOW  AuthorizationPolicy shop/orders
        cluster.local/ns/shop/sa/storefront, cluster.local/ns/shop/sa/cart
      otherwise refused: some ALLOW policy is for it

    What its proxy knows of
      Sidecar shop/default
        hosts: ./*, istio-system/*
        other hosts: REGISTRY_ONLY

    Also in effect
      Telemetry istio-system/default

    Service shop/orders
      Host:       orders.shop.svc.cluster.local
      Port:       80 http, HTTP, to port 8080, mTLS STRICT
      Workloads:  Deployment shop/orders

      Routes of clients in namespace shop
        VirtualService shop/orders
          1. uri = /v1/orders*, method = POST → orders
              timeout: 10s
          2. all requests → orders
              timeout: 3s

      Traffic policy
        Istio's defaults (no DestinationRule is for it)
    -- stderr --
    "#);
}

#[test]
fn a_cluster_is_described_as_its_files_are() {
    let shop = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/shop");
    let mut yaml = String::new();
    for entry in fs_err::read_dir(shop).expect("a folder") {
        let path = entry.expect("an entry").path();
        yaml.push_str(&fs_err::read_to_string(path).expect("a file"));
        yaml.push_str("\n---\n");
    }
    let api = Api::serve(&yaml);
    let project = Project::new().file("kubeconfig", api.kubeconfig());
    for subject in [["service", "catalog.shop"], ["pod", "deploy/orders.shop"]] {
        let connection = ["--kubeconfig=kubeconfig", "-o", "json"];
        let live = project.run(["describe"].into_iter().chain(subject).chain(connection));
        assert_eq!(live.status, Some(0), "{live}");
        let files = describe(subject.into_iter().chain(["-o", "json"]));
        assert_eq!(live.json(), files.json(), "{live}");
    }
}

#[test]
fn hosts_of_gateways_are_described() {
    insta::assert_snapshot!(describe(["host", "shop.example"]), @r#"
    status: 0
    -- stdout --
    Host shop.example
      Host:       shop.example

      Routes of clients in namespace default
        none, and no service has this host: they treat it as unknown

      Traffic policy
        Istio's defaults (no DestinationRule is for it)

      Gateways
        Gateway ingress/shop for shop.example, www.shop.example, by VirtualService shop/storefront
          ports: 80 HTTP, redirects to HTTPS; 443 HTTPS SIMPLE
          1. uri = /api/catalog/* → catalog:80 subset v1 (api)
              rewrite: {uri: /}
          2. all requests → storefront:80 (pages)
    -- stderr --
    "#);
}

#[test]
fn descriptions_are_also_data_and_pictures() {
    let document = describe(["svc", "catalog.shop", "-o", "json"]).json();
    let routes = &document["services"][0]["routes"][0]["routes"];
    assert_eq!(
        routes[1]["destinations"],
        json!(["catalog subset v1 90%", "catalog subset v2 10%"])
    );
    let picture = describe(["svc", "catalog.shop", "-o", "mermaid"]);
    assert!(picture.stdout.starts_with("flowchart LR\n"), "{picture}");
    let picture = describe(["svc", "catalog.shop", "-o", "dot"]);
    assert!(
        picture.stdout.starts_with("digraph mesh {\n") && picture.stdout.ends_with("}\n"),
        "{picture}"
    );
}

#[test]
fn what_is_not_there_is_missed() {
    for (what, name) in [
        ("pod", "deploy/ordres"),
        ("service", "catalgo"),
        ("host", "nowhere.example"),
    ] {
        let output = describe([what, name, "-n", "shop"]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains("hint:") || what == "host", "{output}");
    }
}

#[test]
fn findings_of_what_is_named_are_listed() {
    let mesh = "\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: [web]
  http: [{route: [{destination: {host: wbe}}]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: unrelated, namespace: shop}
spec:
  hosts: [other.example]
  http: [{route: [{destination: {host: nothing}}]}]
";
    let project = Project::new().file("mesh.yaml", mesh);
    let output = project.run(["describe", "service", "web.shop", "-f", "mesh.yaml"]);
    assert!(output.stdout.contains("error[unknown-host]"), "{output}");
    assert!(!output.stdout.contains("unrelated"), "{output}");
}

/// A dump with two routes to `reviews`, as a sidecar has them.
fn routes() -> String {
    let reviews = |version: &str| format!("outbound|9080|{version}|reviews.shop.svc.cluster.local");
    let config = "/apis/networking.istio.io/v1/namespaces/shop/virtual-service/reviews";
    let metadata = json!({"filter_metadata": {"istio": {"config": config}}});
    let hcm = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "out", "rds": {"route_config_name": "9080"},
        "http_filters": [{"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}],
    });
    json!({"configs": [
        {
            "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
            "dynamic_listeners": [{"name": "0.0.0.0_9080", "active_state": {"listener": {
                "name": "0.0.0.0_9080",
                "address": {"socket_address": {"address": "0.0.0.0", "port_value": 9080}},
                "filter_chains": [{"filters": [{"name": "http", "typed_config": hcm}]}],
            }}}],
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.RoutesConfigDump",
            "dynamic_route_configs": [{"route_config": {"name": "9080", "virtual_hosts": [{
                "name": "reviews:9080", "domains": ["reviews", "reviews:9080"],
                "routes": [
                    {
                        "match": {"prefix": "/", "headers": [
                            {"name": "end-user", "string_match": {"exact": "jason"}}]},
                        "route": {"cluster": reviews("v2"), "timeout": "3s"}, "metadata": metadata,
                    },
                    {"match": {"prefix": "/"}, "route": {"cluster": reviews("v1")}, "metadata": metadata},
                ],
            }]}}],
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "dynamic_active_clusters": [
                {"cluster": {"name": reviews("v1"), "type": "EDS"}},
                {"cluster": {"name": reviews("v2"), "type": "EDS"}},
            ],
        },
        {
            "@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump",
            "dynamic_endpoint_configs": [
                {"endpoint_config": {"cluster_name": reviews("v1")}},
                {"endpoint_config": {"cluster_name": reviews("v2"), "endpoints": [{"lb_endpoints": [{
                    "endpoint": {"address": {"socket_address": {"address": "10.0.0.7", "port_value": 9080}}},
                    "health_status": "HEALTHY",
                }]}]}},
            ],
        },
    ]})
    .to_string()
}

fn trace<'a>(args: impl IntoIterator<Item = &'a str>) -> Output {
    let project = Project::new().file("dump.json", routes());
    project.run(["trace", "-f", "dump.json"].into_iter().chain(args))
}

#[test]
fn requests_are_followed_step_by_step() {
    insta::assert_snapshot!(trace(["GET", "http://reviews:9080/x", "-H", "end-user: jason"]), @r#"
    status: 0
    -- stdout --
    1. listener 0.0.0.0_9080
         it listens at port 9080
         address: 0.0.0.0:9080
    2. filter chain
         it takes every connection
         transport: plaintext
    3. HTTP out
         the filter chain speaks HTTP
    4. virtual host reviews:9080
         its domain `reviews:9080` takes `reviews:9080`
         route configuration: 9080
    5. route
         it matches: /* end-user=jason
         from virtual-service shop/reviews
         timeout: 3s
    6. cluster outbound|9080|v2|reviews.shop.svc.cluster.local
         the route names it
         type: EDS
         load balancing: ROUND_ROBIN
         transport: plaintext
         endpoint: 10.0.0.7:9080

    goes to outbound|9080|v2|reviews.shop.svc.cluster.local (1 endpoint, 1 healthy)
    -- stderr --
    "#);
}

#[test]
fn requests_that_reach_nothing_exit_with_one() {
    // The other route's cluster has no endpoints.
    insta::assert_snapshot!(trace(["http://reviews:9080/x"]), @r#"
    status: 1
    -- stdout --
    1. listener 0.0.0.0_9080
         it listens at port 9080
         address: 0.0.0.0:9080
    2. filter chain
         it takes every connection
         transport: plaintext
    3. HTTP out
         the filter chain speaks HTTP
    4. virtual host reviews:9080
         its domain `reviews:9080` takes `reviews:9080`
         route configuration: 9080
    5. route
         it matches: /*
         from virtual-service shop/reviews
         timeout: 15s
         not /* end-user=jason: the header `end-user` is missing (from virtual-service shop/reviews)
    6. cluster outbound|9080|v1|reviews.shop.svc.cluster.local
         the route names it
         type: EDS
         load balancing: ROUND_ROBIN
         transport: plaintext

    refused: the cluster `outbound|9080|v1|reviews.shop.svc.cluster.local` has no endpoint (HTTP 503, response flag UH)
    -- stderr --
    "#);
    let output = trace(["-o", "json", "http://ratings:9080/x"]);
    assert_eq!(output.status, Some(1), "{output}");
    let document = output.json();
    assert_eq!(document["outcome"]["kind"], "refused", "{output}");
    assert_eq!(document["outcome"]["status"], 404, "{output}");
    assert_eq!(document["reached"], false, "{output}");
}

#[test]
fn requests_may_be_one_argument() {
    let document = trace(["-o", "json", "GET http://reviews:9080/ -H 'end-user: jason'"]).json();
    assert_eq!(
        document["outcome"]["clusters"][0]["endpoints"][0]["address"], "10.0.0.7:9080",
        "{document}"
    );
    for request in [
        "reviews",
        "ftp://reviews",
        "http://reviews -Z",
        "http://reviews -H x",
    ] {
        let output = trace([request]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains("hint: for example"), "{output}");
    }
}
