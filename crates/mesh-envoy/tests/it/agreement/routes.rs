//! Route tables.

use std::net::{IpAddr, TcpStream};
use std::thread;

use mesh_envoy::trace::{Entry, Http, Protocol, Request, trace};
use serde_json::{Map, Value, json};
use test_envoy::http::Connection;
use test_envoy::{Envoy, loopback};

use super::random::Random;
use super::{Seen, any, cluster, config_of, echo_server, foretold, ports, seeds};

/// Each is a configuration of [`TABLES`] route tables, asked [`REQUESTS`] times each.
const SEEDS: &[u64] = &[1, 2];
const TABLES: usize = 60;
const REQUESTS: usize = 160;

const CLUSTERS: &[&str] = &["c0", "c1", "c2"];
const DOMAINS: &[&str] = &[
    "a.com",
    "b.a.com",
    "B.org",
    "a.com:8080",
    "*.a.com",
    "*.b.a.com",
    "*a.com",
    "*-x.a.com",
    "*.com",
    "*.a.com:8080",
    "a.*",
    "b.a.*",
    "foo.*",
    "f*",
    "[::1]",
    "[::1]:80",
    "*",
];
const HOSTS: &[&str] = &[
    "a.com",
    "A.com",
    "b.a.com",
    "b.org",
    "B.ORG",
    "c.b.a.com",
    "y-x.a.com",
    "xa.com",
    ".a.com",
    "a.com:8080",
    "b.a.com:8080",
    "z.com",
    "a.net",
    "b.a.net",
    "foo.net:1",
    "foo.",
    "f",
    "a.com.",
    "a.com.:8080",
    "[::1]",
    "[::1]:80",
    "[::1]:81",
    "localhost",
];
const SEGMENTS: &[&str] = &[
    "a", "b", "ab", "A", "api", "v1", "%61", "..", ".", "%2e%2E", "", "x;y=1", "a%2Fb", "a%5cb", "..;x",
    "%7Eu", "{c}", "%zz", "a\\b", "1",
];
const QUERIES: &[&str] = &[
    "",
    "",
    "",
    "?",
    "?k=v",
    "?k=V1",
    "?j=1&k=",
    "?k",
    "?k=x&k=v",
    "?K=v",
    "?a=b&k=v1&z",
    "?q=/../x",
    "?k=v=w",
];
const VALUES: &[&str] = &[
    "1",
    "12",
    "-3",
    "+7",
    " 5",
    "5x",
    "foo",
    "Foobar",
    "foobar",
    "bar",
    "",
    "foo,bar",
    "9223372036854775808",
];
const NAMES: &[&str] = &["x-a", "x-b", "X-N"];
const REGEXES: &[&str] = &[
    "foo.*",
    "[^f]+",
    r"\d+",
    "(foo|bar),?(bar)?",
    "(?i)FOO",
    ".*o",
    r"-?\d",
    "[[:alpha:]]+",
];
const PATH_REGEXES: &[&str] = &[
    "/a.*",
    "/[^/]+/b",
    "/(a|api)(/.*)?",
    ".*",
    r"/\w+",
    "/[[:lower:]]*/?",
    "/a/b/?.*",
    r"/.*%.*",
    "(?i)/AB?",
];

fn string_matcher(random: &mut Random) -> Value {
    let value = random.pick(VALUES);
    let short = if value.is_empty() { "o" } else { value };
    let mut matcher = match random.below(5) {
        0 => json!({"exact": value}),
        1 => json!({"prefix": short}),
        2 => json!({"suffix": short}),
        3 => json!({"contains": short}),
        _ => return json!({"safe_regex": {"regex": random.pick(&REGEXES[..REGEXES.len()])}}),
    };
    if random.one_in(3) {
        matcher["ignore_case"] = true.into();
    }
    matcher
}

fn header_matcher(random: &mut Random) -> Value {
    let mut matcher = match random.below(9) {
        0 | 1 => json!({"string_match": string_matcher(random)}),
        2 => {
            json!({"range_match": {"start": random.pick(&["-5", "0", "5"]), "end": random.pick(&["6", "13"])}})
        }
        3 => match random.below(4) {
            0 => json!({"name": "x-request-id", "present_match": true}),
            _ => json!({"present_match": true}),
        },
        4 => json!({"present_match": false}),
        5 => json!({}),
        6 => {
            return json!({"name": ":method", "string_match": {"exact": random.pick(&["GET", "POST", "HEAD"])}});
        }
        7 => {
            let name = random.pick(&[":authority", "host", ":path", ":scheme", "x-forwarded-proto"]);
            json!({"name": name, "string_match": {"contains": random.pick(&["a", "com", "http", "8080", "?", "-"])}})
        }
        _ => json!({"string_match": {"exact": random.pick(VALUES)}}),
    };
    if matcher.get("name").is_none() {
        matcher["name"] = random.pick(NAMES).into();
    }
    if random.one_in(4) {
        matcher["invert_match"] = true.into();
    }
    if random.one_in(4) {
        matcher["treat_missing_header_as_empty"] = true.into();
    }
    matcher
}

fn path(random: &mut Random, most: usize) -> String {
    let count = random.below(most) + 1;
    let segments: Vec<&str> = (0..count).map(|_| random.pick(SEGMENTS)).collect();
    format!("/{}", segments.join("/"))
}

/// Paths that routes have: of few segments, so that they match.
fn route_path(random: &mut Random) -> String {
    random
        .pick(&[
            "/", "/a", "/a/", "/a/b", "/ab", "/A", "/api", "/api/v1", "/b", "//", "/a/..", "/%61", "/x",
            "/~u", "/a/b/",
        ])
        .to_owned()
}

fn route_match(random: &mut Random) -> Value {
    let path = route_path(random);
    let mut matcher = match random.below(8) {
        0..=2 => json!({"prefix": path}),
        3 | 4 => json!({"path": path}),
        5 => json!({"safe_regex": {"regex": random.pick(PATH_REGEXES)}}),
        _ => {
            let path = path.trim_end_matches('/');
            let path = if path.len() < 2 { "/a" } else { path };
            json!({"path_separated_prefix": path})
        }
    };
    if random.one_in(5) {
        matcher["case_sensitive"] = false.into();
    }
    if random.one_in(2) {
        let count = random.below(2) + 1;
        matcher["headers"] = (0..count).map(|_| header_matcher(random)).collect();
    }
    if random.one_in(4) {
        let mut parameter = match random.below(3) {
            0 => json!({"present_match": !random.one_in(3)}),
            1 => json!({}),
            _ => json!({"string_match": random.pick(&["v", "V1", "", "v=w"]).to_owned()}),
        };
        if let Some(value) = parameter.get("string_match").cloned() {
            let kind = if value == "" {
                "exact"
            } else {
                random.pick(&["exact", "prefix", "contains"])
            };
            parameter["string_match"] = json!({kind: value, "ignore_case": random.one_in(2)});
        }
        parameter["name"] = random.pick(&["k", "j", "K"]).into();
        matcher["query_parameters"] = json!([parameter]);
    }
    match random.below(12) {
        0 => {
            // Chance must not decide: none or all.
            let numerator = if random.one_in(2) { 0 } else { 10_000 };
            matcher["runtime_fraction"] =
                json!({"default_value": {"numerator": numerator, "denominator": "TEN_THOUSAND"}});
        }
        1 => matcher["grpc"] = json!({}),
        2 => matcher["tls_context"] = json!({"presented": random.one_in(2)}),
        _ => {}
    }
    matcher
}

fn route(random: &mut Random, name: &str) -> Value {
    let matcher = route_match(random);
    let mut route = json!({"name": name, "match": matcher});
    match random.below(10) {
        0 => {
            let mut redirect = match random.below(5) {
                0 => json!({"https_redirect": true}),
                1 => json!({"host_redirect": "r.com", "port_redirect": random.below(2) * 8443}),
                2 => json!({"path_redirect": random.pick(&["/r", "/r?x=1"])}),
                3 => json!({"scheme_redirect": "ftp", "port_redirect": 21}),
                _ => json!({"regex_rewrite": {"pattern": {"regex": "/a(.*)"}, "substitution": r"/z\1$"}}),
            };
            if random.one_in(3)
                && redirect.get("path_redirect").is_none()
                && redirect.get("regex_rewrite").is_none()
            {
                redirect["prefix_rewrite"] = "/p".into();
            }
            redirect["strip_query"] = random.one_in(3).into();
            let codes = [
                "MOVED_PERMANENTLY",
                "FOUND",
                "SEE_OTHER",
                "TEMPORARY_REDIRECT",
                "PERMANENT_REDIRECT",
            ];
            redirect["response_code"] = random.pick(&codes).into();
            route["redirect"] = redirect;
        }
        1..=4 => route["route"] = route_action(random),
        _ => route["direct_response"] = json!({"status": 202, "body": {"inline_string": name}}),
    }
    route
}

fn route_action(random: &mut Random) -> Value {
    let mut action = match random.below(5) {
        0 | 1 => json!({"cluster": random.pick(CLUSTERS)}),
        2 => json!({"cluster_header": "x-cluster"}),
        3 => {
            let weighted = |name: &&str, weight: usize| json!({"name": name, "weight": weight});
            let clusters: Vec<Value> = CLUSTERS
                .iter()
                .map(|name| weighted(name, random.below(4) + 1))
                .collect();
            json!({"weighted_clusters": {"clusters": clusters, "header_name": "x-random"}})
        }
        _ => json!({"cluster": "missing", "cluster_not_found_response_code":
            random.pick(&["SERVICE_UNAVAILABLE", "NOT_FOUND", "INTERNAL_SERVER_ERROR"])}),
    };
    match random.below(5) {
        0 => action["prefix_rewrite"] = random.pick(&["/p", "/"]).into(),
        1 => {
            action["regex_rewrite"] = json!({"pattern": {"regex": random.pick(&["/a", "[ab]", "/(.*)/(.*)"])},
                "substitution": random.pick(&["/z", r"\0\0", "$1"])});
        }
        _ => {}
    }
    match random.below(6) {
        0 => action["host_rewrite_literal"] = "h.com".into(),
        1 => action["host_rewrite_header"] = "x-host".into(),
        2 => {
            action["host_rewrite_path_regex"] =
                json!({"pattern": {"regex": "^/(.*)$"}, "substitution": "h.com"});
        }
        _ => {}
    }
    action
}

fn route_table(random: &mut Random, name: &str) -> Value {
    let mut domains = random.some(DOMAINS, DOMAINS.len());
    if domains.is_empty() {
        domains.push("*");
    }
    let mut hosts = Vec::new();
    while !domains.is_empty() {
        let count = (random.below(3) + 1).min(domains.len());
        let own: Vec<&str> = domains.drain(..count).collect();
        let host = format!("{name}.v{}", hosts.len());
        let routes: Vec<Value> = (0..=random.below(6))
            .map(|index| route(random, &format!("{host}.r{index}")))
            .collect();
        let mut host = json!({"name": host, "domains": own, "routes": routes});
        if random.one_in(12) {
            host["require_tls"] = random.pick(&["ALL", "EXTERNAL_ONLY"]).into();
        }
        hosts.push(host);
    }
    json!({
        "name": name,
        "virtual_hosts": hosts,
        "validate_clusters": false,
        "ignore_port_in_host_matching": random.one_in(4),
        "ignore_path_parameters_in_path_matching": random.one_in(6),
    })
}

fn listener(random: &mut Random, name: &str) -> Value {
    let mut manager = json!({
        "stat_prefix": "x",
        "route_config": route_table(random, name),
        "http_filters": [{"name": "router", "typed_config": any("envoy.extensions.filters.http.router.v3.Router", json!({}))}],
        "normalize_path": random.one_in(2),
        "merge_slashes": random.one_in(3),
        "strip_trailing_host_dot": random.one_in(4),
        "use_remote_address": random.one_in(3),
        "xff_num_trusted_hops": random.below(2),
    });
    if random.one_in(2) {
        let actions = [
            "KEEP_UNCHANGED",
            "REJECT_REQUEST",
            "UNESCAPE_AND_REDIRECT",
            "UNESCAPE_AND_FORWARD",
        ];
        manager["path_with_escaped_slashes_action"] = random.pick(&actions).into();
    }
    match random.below(6) {
        0 => manager["strip_matching_host_port"] = true.into(),
        1 => manager["strip_any_host_port"] = true.into(),
        _ => {}
    }
    let http = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    json!({
        "name": name,
        "address": loopback(),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": any(http, manager)}]}],
    })
}

fn request(random: &mut Random, port: u16) -> Http {
    let most = random.below(4) + 1;
    let path = format!("{}{}", path(random, most), random.pick(QUERIES));
    let authority = match random.below(8) {
        0 => format!("a.com:{port}"),
        _ => random.pick(HOSTS).to_owned(),
    };
    let mut headers = Vec::new();
    for _ in 0..random.below(4) {
        headers.push((
            random.pick(NAMES).to_ascii_lowercase(),
            random.pick(VALUES).trim().to_owned(),
        ));
    }
    if random.one_in(2) {
        headers.push((
            "x-cluster".to_owned(),
            random.pick(&["c0", "c2", "missing"]).to_owned(),
        ));
    }
    headers.push(("x-random".to_owned(), random.below(100).to_string()));
    headers.push(("x-host".to_owned(), "h.org".to_owned()));
    if random.one_in(6) {
        let types = [
            "application/grpc",
            "application/grpc+proto",
            "application/grpc-web",
            "text/plain",
        ];
        headers.push(("content-type".to_owned(), random.pick(&types).to_owned()));
    }
    if random.one_in(12) {
        headers.push((
            "x-forwarded-proto".to_owned(),
            random.pick(&["http", "https"]).to_owned(),
        ));
    }
    Http {
        method: random.pick(&["GET", "GET", "GET", "POST", "PUT"]).to_owned(),
        authority,
        path,
        headers,
        http2: false,
    }
}

/// The request as it goes over the wire.
fn bytes(http: &Http) -> Vec<u8> {
    let mut text = format!(
        "{} {} HTTP/1.1\r\nhost: {}\r\n",
        http.method, http.path, http.authority
    );
    for (name, value) in &http.headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    if http.method != "GET" {
        text.push_str("content-length: 0\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes()
}

/// What Envoy answers, and whether it does so in the manner of gRPC: then only the status can be compared.
fn answer(connection: &mut Connection<TcpStream>, http: &Http) -> (Seen, Option<String>) {
    let response = connection.send(&bytes(http)).expect("an answer");
    let grpc = response.header("grpc-status").map(str::to_owned);
    let location = response.header("location").map(str::to_owned);
    let is_own = matches!(response.status, 200 | 202);
    let body = String::from_utf8(response.body).expect("text");
    let text = location.or(is_own.then_some(body)).unwrap_or_default();
    (Seen::Answer(response.status, text), grpc)
}

/// The gRPC status that Envoy makes of an HTTP status.
fn to_grpc(status: u16) -> &'static str {
    match status {
        400 => "13",
        404 => "12",
        503 => "14",
        _ => "2",
    }
}

/// Makes up a configuration, sends requests to it, and returns those on which Envoy and the trace differ.
fn differences(seed: u64) -> Vec<String> {
    let servers: Vec<Value> = CLUSTERS
        .iter()
        .map(|name| cluster(name, echo_server(name)))
        .collect();
    let mut random = Random::new(seed);
    let listeners: Vec<Value> = (0..TABLES)
        .map(|index| listener(&mut random, &format!("l{index}")))
        .collect();
    let envoy = Envoy::start(&json!({"static_resources": {"listeners": listeners, "clusters": servers}}));
    let envoy = envoy.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let config = config_of(&envoy);
    let mut wrong = Vec::new();
    for (name, address) in ports(&envoy) {
        let mut connection = Connection::open(address).expect("a connection");
        for _ in 0..REQUESTS {
            let http = request(&mut random, address.port());
            if !connection.is_open() {
                connection = Connection::open(address).expect("a connection");
            }
            let (seen, grpc) = answer(&mut connection, &http);
            let asked = Request {
                entry: Some(Entry::Listener(name.clone())),
                protocol: Protocol::Http(http.clone()),
                destination_ip: Some(address.ip()),
                destination_port: address.port(),
                source_ip: IpAddr::from([127, 0, 0, 1]),
                direct_source_ip: None,
                source_port: None,
                tls: None,
                random: None,
            };
            let told = foretold(&trace(&config, &asked), &http.path, &http.authority);
            let agree = match (&grpc, &told) {
                (Some(grpc), Seen::Answer(status, _)) => grpc == to_grpc(*status),
                _ => seen == told,
            };
            if !agree {
                let listener = listeners.iter().find(|listener| listener["name"] == *name);
                let listener = listener.expect("it is there");
                wrong.push(format!(
                    "{http:?}\n  Envoy: {seen:?} {grpc:?}\n  trace: {told:?}\n  {listener}\n"
                ));
            }
        }
    }
    wrong
}

#[test]
fn requests_are_routed_as_envoy_does() {
    let differences = thread::scope(|scope| {
        let runs: Vec<_> = seeds(SEEDS)
            .into_iter()
            .map(|seed| (seed, scope.spawn(move || differences(seed))))
            .collect();
        let finished = runs
            .into_iter()
            .map(|(seed, run)| (seed, run.join().expect("it runs through")));
        finished.collect::<Vec<_>>()
    });
    for (seed, wrong) in differences {
        let some = wrong
            .iter()
            .take(5)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n");
        assert!(wrong.is_empty(), "seed {seed}: {} differ:\n{some}", wrong.len());
    }
}

#[test]
fn faults_abort_as_envoy_does() {
    let fault = |numerator: u32| {
        any(
            "envoy.extensions.filters.http.fault.v3.HTTPFault",
            json!({"abort": {"http_status": 418, "percentage": {"numerator": numerator}}}),
        )
    };
    let ok = json!({"status": 200, "body": {"inline_string": "ok"}});
    let per_filter = |config: Value| -> Value { Map::from_iter([("fault".to_owned(), config)]).into() };
    let manager = any(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        json!({
            "stat_prefix": "x",
            "http_filters": [
                {"name": "fault", "typed_config": fault(0)},
                {"name": "router", "typed_config": any("envoy.extensions.filters.http.router.v3.Router", json!({}))},
            ],
            "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "typed_per_filter_config": per_filter(fault(100)),
                "routes": [
                    {"match": {"path": "/never"}, "direct_response": ok, "typed_per_filter_config": per_filter(fault(0))},
                    {"match": {"prefix": "/"}, "direct_response": ok},
                ]}]},
        }),
    );
    let listener = json!({"name": "l", "address": loopback(),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]});
    let envoy = Envoy::start(&json!({"static_resources": {"listeners": [listener]}})).expect("Envoy starts");
    let config = config_of(&envoy);
    let address = envoy.listener("l").expect("an address");
    for (path, status) in [("/never", 200), ("/always", 418)] {
        let response = test_envoy::http::get(address, path).expect("an answer");
        assert_eq!(response.status, status);
        let mut request = Request::parse(&format!("http://a.com{path}")).expect("a request");
        request.entry = Some(Entry::Listener("l".to_owned()));
        let body = String::from_utf8(response.body).expect("text");
        assert_eq!(
            foretold(&trace(&config, &request), "", ""),
            Seen::Answer(status, body)
        );
    }
}
