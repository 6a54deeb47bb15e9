//! VirtualServices, DestinationRules and HTTPRoutes as the files that Envoy reads its clusters, endpoints and routes from.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::metrics::stat_name;

/// The port of every service.
const PORT: u64 = 80;

/// What proxies divide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Requests.
    Http,
    /// Connections.
    Tcp,
}

const CLUSTERS: &str = "clusters.json";
const LISTENERS: &str = "listeners.json";
const ROUTES: &str = "routes.json";

/// What one proxy knows of the mesh.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) protocol: Protocol,
    pub(crate) namespace: String,
    /// Name, version and address of every workload.
    pub(crate) workloads: Vec<(String, String, SocketAddr)>,
    /// The versions behind each service, by host.
    pub(crate) services: BTreeMap<String, Vec<String>>,
    /// The routes of a virtual service, as Envoy has them, by host.
    routes: BTreeMap<String, Vec<Value>>,
    /// The filter chains that a virtual service makes of its routes for connections.
    chains: Vec<Value>,
    /// The names of subsets and their versions, by host.
    subsets: BTreeMap<String, Vec<(String, Option<String>)>>,
    /// The version and the resources of each file. The version counts the changes of that file, as Envoy does.
    files: BTreeMap<String, (u64, Vec<Value>)>,
}

/// The versions of clusters and routes.
#[derive(Debug)]
pub(crate) struct Versions {
    clusters: String,
    /// Of routes, or of listeners where connections are divided.
    routes: String,
}

impl Config {
    pub(crate) fn new(
        protocol: Protocol,
        namespace: &str,
        workloads: Vec<(String, String, SocketAddr)>,
    ) -> Self {
        Self {
            protocol,
            chains: Vec::new(),
            namespace: namespace.to_owned(),
            workloads,
            services: BTreeMap::new(),
            routes: BTreeMap::new(),
            subsets: BTreeMap::new(),
            files: BTreeMap::new(),
        }
    }

    /// The host that a name means: one without dots is of this namespace, another is complete.
    pub(crate) fn host(&self, name: &str) -> String {
        if name.contains('.') {
            name.to_owned()
        } else {
            format!("{name}.{}.svc.cluster.local", self.namespace)
        }
    }

    /// Takes over the routes of a VirtualService's spec, in place of what its hosts had.
    pub(crate) fn set_virtual_service(&mut self, spec: &Value) -> io::Result<()> {
        let fields = match self.protocol {
            Protocol::Http => &["hosts", "http"][..],
            Protocol::Tcp => &["hosts", "tcp", "tls"],
        };
        known(spec, "spec", fields)?;
        let mut chains = Vec::new();
        for tls in array(&spec["tls"]) {
            known(tls, "tls", &["match", "route"])?;
            let mut names = Vec::new();
            for condition in array(&tls["match"]) {
                known(condition, "match", &["port", "sniHosts"])?;
                names.extend_from_slice(array(&condition["sniHosts"]));
            }
            chains.push(chain(
                &json!({"server_names": names}),
                &self.weighted(&tls["route"])?,
            ));
        }
        for tcp in array(&spec["tcp"]) {
            known(tcp, "tcp", &["match", "route"])?;
            for condition in array(&tcp["match"]) {
                // There is one port.
                known(condition, "match", &["port"])?;
            }
            chains.push(chain(&json!({}), &self.weighted(&tcp["route"])?));
        }
        self.chains = chains;
        let mut routes = Vec::new();
        for http in array(&spec["http"]) {
            let what = "http";
            let fields = [
                "name",
                "match",
                "route",
                "mirror",
                "mirrorPercentage",
                "timeout",
                "retries",
            ];
            known(http, what, &fields)?;
            let action = self.action(http)?;
            let all = [json!({})];
            let matches = Some(array(&http["match"]))
                .filter(|matches| !matches.is_empty())
                .unwrap_or(&all);
            for condition in matches {
                routes.push(json!({"match": route_match(condition)?, "route": action}));
            }
        }
        for host in array(&spec["hosts"]) {
            let host = self.host(text(host, "hosts")?);
            self.routes.insert(host, routes.clone());
        }
        Ok(())
    }

    /// Takes over an HTTPRoute's spec whose parents are services, in place of what these had.
    pub(crate) fn set_http_route(&mut self, spec: &Value) -> io::Result<()> {
        known(spec, "spec", &["parentRefs", "rules"])?;
        let mut hosts = Vec::new();
        for parent in array(&spec["parentRefs"]) {
            known(parent, "parentRef", &["group", "kind", "name"])?;
            hosts.push(parent["name"].clone());
        }
        let rules = array(&spec["rules"]).iter().map(virtual_route);
        let http = rules.collect::<io::Result<Vec<_>>>()?;
        self.set_virtual_service(&json!({"hosts": hosts, "http": http}))
    }

    /// The clusters of destinations with a weight.
    fn weighted(&self, routes: &Value) -> io::Result<Vec<Value>> {
        let routes = array(routes);
        let mut clusters = Vec::new();
        for route in routes {
            known(route, "route", &["destination", "weight", "headers"])?;
            // A destination alone needs no weight; among several, one without weight is left out.
            let weight = match routes {
                [_] => 1,
                _ => route["weight"].as_u64().unwrap_or_default(),
            };
            if weight > 0 {
                clusters.push(json!({"name": self.cluster(&route["destination"])?, "weight": weight}));
                let headers = added_headers(&route["headers"])?;
                if let (false, Some(cluster)) = (headers.is_empty(), clusters.last_mut()) {
                    cluster["response_headers_to_add"] = headers.into();
                }
            }
        }
        if clusters.is_empty() {
            return Err(invalid("route: there is no destination with a weight"));
        }
        Ok(clusters)
    }

    /// Takes over the subsets of a DestinationRule's spec, in place of what its host had.
    pub(crate) fn set_destination_rule(&mut self, spec: &Value) -> io::Result<()> {
        known(spec, "spec", &["host", "subsets"])?;
        let mut subsets = Vec::new();
        for subset in array(&spec["subsets"]) {
            known(subset, "subset", &["name", "labels"])?;
            known(&subset["labels"], "labels", &["version"])?;
            let version = subset["labels"]["version"].as_str().map(str::to_owned);
            subsets.push((text(&subset["name"], "subset.name")?.to_owned(), version));
        }
        let host = self.host(text(&spec["host"], "host")?);
        self.subsets.insert(host, subsets);
        Ok(())
    }

    fn action(&self, http: &Value) -> io::Result<Value> {
        let clusters = self.weighted(&http["route"])?;
        let mut action = json!({"weighted_clusters": {"clusters": clusters}});
        // Without a timeout there is none, as in Istio. Envoy's default would be 15 seconds.
        action["timeout"] = match &http["timeout"] {
            Value::Null => "0s".into(),
            timeout => seconds(timeout)?.into(),
        };
        if !http["mirror"].is_null() {
            let percent = http["mirrorPercentage"]["value"].as_f64().unwrap_or(100.0);
            action["request_mirror_policies"] = json!([{
                "cluster": self.cluster(&http["mirror"])?,
                "runtime_fraction": {
                    "default_value": {"numerator": (percent * 10_000.0).round(), "denominator": "MILLION"},
                },
            }]);
        }
        if !http["retries"].is_null() {
            known(&http["retries"], "retries", &["attempts", "retryOn"])?;
            action["retry_policy"] = json!({
                "num_retries": http["retries"]["attempts"],
                "retry_on": http["retries"]["retryOn"].as_str().unwrap_or("connect-failure,refused-stream"),
            });
        }
        Ok(action)
    }

    /// The name of the cluster of a destination, which need not exist.
    fn cluster(&self, destination: &Value) -> io::Result<String> {
        known(destination, "destination", &["host", "subset", "port"])?;
        let host = self.host(text(&destination["host"], "destination.host")?);
        let port = destination["port"]["number"].as_u64().unwrap_or(PORT);
        let subset = destination["subset"].as_str().unwrap_or_default();
        Ok(cluster_name(port, subset, &host))
    }

    /// Writes the files that have changed, and returns the versions to wait for.
    pub(crate) fn write(&mut self, folder: &Path) -> io::Result<Versions> {
        let mut endpoints_of = Vec::new();
        let mut clusters = Vec::new();
        for (host, versions) in &self.services {
            let of_service = |version: &Option<String>| {
                let all = self.workloads.iter();
                let all = all.filter(|(_, own, _)| versions.contains(own));
                all.filter(|(_, own, _)| version.as_ref().is_none_or(|version| version == own))
                    .collect::<Vec<_>>()
            };
            let subsets = self.subsets.get(host).into_iter().flatten();
            let subsets = subsets.map(|(name, version)| (name.as_str(), of_service(version)));
            for (subset, workloads) in [("", of_service(&None))].into_iter().chain(subsets) {
                let name = cluster_name(PORT, subset, host);
                let (workload, version) = match workloads.as_slice() {
                    [(name, version, _)] => (name.as_str(), version.as_str()),
                    _ => ("", ""),
                };
                let endpoints = workloads.iter().map(|(_, _, address)| {
                    let address = json!({"address": address.ip(), "port_value": address.port()});
                    json!({"endpoint": {"address": {"socket_address": address}}})
                });
                let endpoints = json!({
                    "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
                    "cluster_name": name,
                    "endpoints": [{"lb_endpoints": endpoints.collect::<Vec<_>>()}],
                });
                let file = format!("endpoints {name}.json");
                endpoints_of.push((file.clone(), endpoints));
                clusters.push(json!({
                    "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
                    "name": name,
                    "alt_stat_name": stat_name(&name, workload, version),
                    "type": "EDS",
                    "eds_cluster_config": {"eds_config": config_source(folder, &file)},
                    "connect_timeout": "1s",
                }));
            }
        }
        // Clusters need their endpoints, and routes their clusters.
        for (file, endpoints) in endpoints_of {
            self.write_file(folder, &file, vec![endpoints])?;
        }
        let clusters = self.write_file(folder, CLUSTERS, clusters)?;
        let routes = match self.protocol {
            Protocol::Http => self.write_file(folder, ROUTES, vec![self.http_routes()])?,
            Protocol::Tcp => self.write_file(folder, LISTENERS, vec![self.listener()])?,
        };
        Ok(Versions { clusters, routes })
    }

    /// The listener of a proxy for connections.
    fn listener(&self) -> Value {
        let mut chains = self.chains.clone();
        // What no route is for goes to all.
        if !chains
            .iter()
            .any(|chain| chain["filter_chain_match"] == json!({}))
        {
            let hosts = self.services.keys().take(1);
            chains.extend(hosts.map(|host| {
                chain(
                    &json!({}),
                    &[json!({"name": cluster_name(PORT, "", host), "weight": 1})],
                )
            }));
        }
        json!({
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
            "name": "outbound",
            "address": test_envoy::loopback(),
            "listener_filters": [{
                "name": "tls_inspector",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
                },
            }],
            "filter_chains": chains,
        })
    }

    /// The routes of a proxy for requests.
    fn http_routes(&self) -> Value {
        let hosts = self.services.keys().map(|host| {
            let to_all = || json!({"cluster": cluster_name(PORT, "", host), "timeout": "0s"});
            let default = || vec![json!({"match": {"prefix": "/"}, "route": to_all()})];
            let routes = self.routes.get(host).cloned().unwrap_or_else(default);
            json!({"name": host, "domains": [host], "routes": routes})
        });
        json!({
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": PORT.to_string(),
            "virtual_hosts": hosts.collect::<Vec<_>>(),
        })
    }

    /// Writes a file unless it has these resources already. Envoy reads a file when it is moved to its place.
    fn write_file(&mut self, folder: &Path, name: &str, resources: Vec<Value>) -> io::Result<String> {
        let (version, present) = self.files.entry(name.to_owned()).or_default();
        if *version == 0 || *present != resources {
            *version += 1;
            *present = resources;
            let response = json!({"version_info": version.to_string(), "resources": present});
            let unfinished = folder.join("unfinished");
            fs_err::write(&unfinished, response.to_string())?;
            fs_err::rename(unfinished, folder.join(name))?;
        }
        Ok(version.to_string())
    }
}

fn cluster_name(port: u64, subset: &str, host: &str) -> String {
    format!("outbound|{port}|{subset}|{host}")
}

fn config_source(folder: &Path, file: &str) -> Value {
    json!({"path_config_source": {"path": folder.join(file)}, "resource_api_version": "V3"})
}

/// The bootstrap of a proxy that reads the files of a folder, and has one listener, `outbound`.
pub(crate) fn bootstrap(protocol: Protocol, folder: &Path, id: &str) -> Value {
    let mut bootstrap = json!({
        "node": {"id": id, "cluster": "test-mesh"},
        "stats_config": crate::metrics::stats_config(),
        // Histograms show up only with this.
        "stats_flush_interval": "0.1s",
        "dynamic_resources": {"cds_config": config_source(folder, CLUSTERS)},
    });
    if protocol == Protocol::Tcp {
        bootstrap["dynamic_resources"]["lds_config"] = config_source(folder, LISTENERS);
        return bootstrap;
    }
    let manager = json!({
        "@type": "type.googleapis.com/\
                  envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "outbound",
        "rds": {"route_config_name": PORT.to_string(), "config_source": config_source(folder, ROUTES)},
        "http_filters": [{
            "name": "router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        }],
    });
    bootstrap["static_resources"] = json!({"listeners": [{
        "name": "outbound",
        "address": test_envoy::loopback(),
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }]});
    bootstrap
}

/// A filter chain that divides connections.
fn chain(condition: &Value, clusters: &[Value]) -> Value {
    let proxy = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
        "stat_prefix": "outbound",
        "weighted_clusters": {"clusters": clusters},
    });
    json!({
        "filter_chain_match": condition,
        "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": proxy}],
    })
}

/// A rule of an HTTPRoute as the route of a VirtualService that says the same.
fn virtual_route(rule: &Value) -> io::Result<Value> {
    known(rule, "rule", &["matches", "filters", "backendRefs"])?;
    let mut matches = Vec::new();
    for condition in array(&rule["matches"]) {
        known(condition, "match", &["path", "headers"])?;
        let mut all = json!({});
        let path = &condition["path"];
        if !path.is_null() {
            let kind = if path["type"] == "Exact" {
                "exact"
            } else {
                "prefix"
            };
            all["uri"] = json!({kind: path["value"]});
        }
        for header in array(&condition["headers"]) {
            let kind = if header["type"] == "RegularExpression" {
                "regex"
            } else {
                "exact"
            };
            all["headers"][text(&header["name"], "header.name")?] = json!({kind: header["value"]});
        }
        matches.push(all);
    }
    let destination = |backend: &Value| json!({"host": backend["name"], "port": {"number": backend["port"]}});
    let fields = ["group", "kind", "name", "port", "weight", "filters"];
    let mut routes = Vec::new();
    for backend in array(&rule["backendRefs"]) {
        known(backend, "backendRef", &fields)?;
        let weight = backend["weight"].as_u64().unwrap_or(1);
        let mut route = json!({"destination": destination(backend), "weight": weight});
        for filter in array(&backend["filters"]) {
            known(filter, "filter", &["type", "responseHeaderModifier"])?;
            known(&filter["responseHeaderModifier"], "modifier", &["add"])?;
            for header in array(&filter["responseHeaderModifier"]["add"]) {
                let name = text(&header["name"], "header.name")?;
                route["headers"]["response"]["add"][name] = header["value"].clone();
            }
        }
        routes.push(route);
    }
    let mut route = json!({"match": matches, "route": routes});
    for filter in array(&rule["filters"]) {
        known(filter, "filter", &["type", "requestMirror"])?;
        let mirror = &filter["requestMirror"];
        known(mirror, "requestMirror", &["backendRef", "percent"])?;
        route["mirror"] = destination(&mirror["backendRef"]);
        route["mirrorPercentage"] = json!({"value": mirror["percent"].as_f64().unwrap_or(100.0)});
    }
    Ok(route)
}

/// Whether a proxy, by its config dump, uses these versions.
pub(crate) fn uses(dump: &Value, versions: &Versions) -> bool {
    let section = |kind: &str| {
        let mut configs = array(&dump["configs"]).iter();
        configs.find(|config| config["@type"].as_str().is_some_and(|name| name.ends_with(kind)))
    };
    let none = Value::Null;
    let [clusters, routes, listeners] = [".ClustersConfigDump", ".RoutesConfigDump", ".ListenersConfigDump"]
        .map(|kind| section(kind).unwrap_or(&none));
    // Proxies for requests have a listener that never changes. One whose filter chains change keeps its own version.
    let has_routes = match &listeners["dynamic_listeners"][0] {
        Value::Null => routes["dynamic_route_configs"][0]["version_info"] == versions.routes,
        listener => listeners["version_info"] == versions.routes && listener["warming_state"].is_null(),
    };
    clusters["version_info"] == versions.clusters
        && array(&clusters["dynamic_warming_clusters"]).is_empty()
        && has_routes
}

/// What `headers.response.add` of a destination adds to its answers.
fn added_headers(headers: &Value) -> io::Result<Vec<Value>> {
    if headers.is_null() {
        return Ok(Vec::new());
    }
    known(headers, "headers", &["response"])?;
    known(&headers["response"], "headers.response", &["add"])?;
    let added = headers["response"]["add"].as_object().into_iter().flatten();
    let added = added.map(|(name, value)| json!({"header": {"key": name, "value": value}}));
    Ok(added.collect())
}

fn route_match(condition: &Value) -> io::Result<Value> {
    known(condition, "match", &["name", "uri", "headers"])?;
    let mut envoy = match &condition["uri"] {
        Value::Null => json!({"prefix": "/"}),
        uri => match string_match(uri)? {
            ("exact", value) => json!({"path": value}),
            (kind, value) => json!({kind: value}),
        },
    };
    let mut headers = Vec::new();
    for (name, value) in condition["headers"].as_object().into_iter().flatten() {
        headers.push(if value.as_object().is_some_and(Map::is_empty) {
            json!({"name": name, "present_match": true})
        } else {
            let (kind, value) = string_match(value)?;
            json!({"name": name, "string_match": {kind: value}})
        });
    }
    envoy["headers"] = headers.into();
    Ok(envoy)
}

/// The kind of a StringMatch in Envoy's words, and what it matches.
fn string_match(value: &Value) -> io::Result<(&'static str, Value)> {
    known(value, "match", &["exact", "prefix", "regex"])?;
    for kind in ["exact", "prefix"] {
        if let Some(text) = value[kind].as_str() {
            return Ok((kind, text.into()));
        }
    }
    let regex = text(&value["regex"], "match.regex")?;
    Ok(("safe_regex", json!({"regex": regex})))
}

/// A duration of one unit in Envoy's form, which is in seconds.
fn seconds(duration: &Value) -> io::Result<String> {
    let text = text(duration, "duration")?;
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0)];
    let found = units.iter().find_map(|(unit, seconds)| {
        let number: f64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(format!("{}s", number * seconds))
    });
    found.ok_or_else(|| invalid(&format!("duration {text}")))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, what: &str) -> io::Result<&'a str> {
    value
        .as_str()
        .ok_or_else(|| invalid(&format!("{what}: {value} is not text")))
}

/// Fails on a field that is not one of these: to leave it out would make the test another one.
fn known(object: &Value, what: &str, fields: &[&str]) -> io::Result<()> {
    let Some(object) = object.as_object() else {
        return Err(invalid(&format!("{what} is not an object")));
    };
    match object.keys().find(|field| !fields.contains(&field.as_str())) {
        Some(field) => Err(invalid(&format!("{what}.{field} is beyond the mesh for tests"))),
        None => Ok(()),
    }
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}
