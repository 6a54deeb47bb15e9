//! Which routes requests to a host take.

use mesh_core::gateway_api::apis::experimental::gateways::GatewaySpec;
use mesh_core::istio::gateway::Gateway;
use mesh_core::istio::virtual_service::{Destination, VirtualService};
use mesh_core::{Host, Mesh, Resource};
use serde::Serialize;
use serde_json::Value;

use super::Object;
use crate::rules::traffic::attached_routes;
use crate::rules::traffic::gateways::{MESH, applies_to_sidecars, gateway_id};
use crate::rules::traffic::{age, visibility};

/// A resource that decides on routes of clients in the mesh.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteSource {
    /// The VirtualService, or route of the Gateway API that is attached to the Service.
    pub object: Object,
    /// Why it has no effect, if it has none.
    pub without_effect: Option<String>,
    /// Its routes, in the order in which they are tried. Empty for routes of the Gateway API, which match the most
    /// specific first.
    pub routes: Vec<RouteFact>,
}

/// A route.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteFact {
    /// Its place, such as `http[0]`.
    pub place: String,
    /// Its name; may be empty.
    pub name: String,
    /// The conditions, any of which is enough; none means all requests.
    pub matches: Vec<String>,
    /// Where requests go, with shares.
    pub destinations: Vec<String>,
    /// What else is done with them: `timeout: 2s`.
    pub settings: Vec<String>,
}

/// A gateway from which a host can be reached.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exposure {
    /// The gateway, of Istio or of the Gateway API.
    pub gateway: Object,
    /// Its ports, such as `443 HTTPS SIMPLE`.
    pub servers: Vec<String>,
    /// The hosts that it answers to for this.
    pub hosts: Vec<String>,
    /// What leads from the gateway to the service.
    pub by: Object,
    /// The routes of it that do.
    pub routes: Vec<RouteFact>,
}

/// What decides on routes to a host for clients in a namespace, first the one in effect.
///
/// Of several VirtualServices, sidecars use the one whose host is the most specific, and of those the oldest.
pub(super) fn of_host(mesh: &Mesh, host: &Host, client: &str) -> Vec<RouteSource> {
    let default = &mesh.config().default_virtual_service_export_to;
    let mut found: Vec<_> = mesh
        .virtual_services()
        .iter()
        .filter(|service| applies_to_sidecars(&service.spec))
        .filter(|service| visibility(&service.spec.export_to, service.namespace(), default).includes(client))
        .filter_map(|service| {
            let hosts = service
                .spec
                .hosts
                .iter()
                .map(|name| mesh.host(name, service.namespace()));
            let best = hosts.filter(|own| host.is_within(own)).max_by_key(rank)?;
            Some((rank(&best), service))
        })
        .collect();
    found.sort_by(|(a, one), (b, other)| b.cmp(a).then_with(|| age(one).cmp(&age(other))));
    let first = found.first().map(|(_, service)| Object::of(service));
    let virtual_services = found.iter().enumerate().map(|(index, (_, service))| RouteSource {
        object: Object::of(service),
        without_effect: (index > 0)
            .then(|| {
                first
                    .as_ref()
                    .map(|first| format!("{first} is more specific or older"))
            })
            .flatten(),
        routes: routes(service, MESH, |_| true),
    });
    let mut sources: Vec<_> = virtual_services.collect();
    let is_parent = |reference: &attached_routes::Reference<'_>| {
        let name = Host::of_service(
            reference.name,
            reference.namespace,
            &mesh.settings().cluster_domain,
        );
        reference.is_service(false) && name == *host
    };
    let attached = attached_routes::routes(mesh).into_iter();
    let attached = attached
        .filter(|route| route.parents.iter().any(is_parent))
        .map(|route| RouteSource {
            object: Object::of(route.header),
            without_effect: None,
            routes: Vec::new(),
        });
    sources.extend(attached);
    sources
}

/// Exact names before wildcards, and of these the longer first.
fn rank(host: &Host) -> (bool, usize) {
    (!host.is_wildcard(), host.as_str().len())
}

/// The gateways from which a route leads to the host of a service.
pub(super) fn exposures(mesh: &Mesh, host: &Host) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    for service in mesh.virtual_services() {
        let leads_there =
            |destination: &Destination| mesh.host(&destination.host, service.namespace()) == *host;
        expose(mesh, service, &leads_there, &mut exposures);
    }
    let is_backend = |reference: &attached_routes::Reference<'_>| {
        let name = Host::of_service(
            reference.name,
            reference.namespace,
            &mesh.settings().cluster_domain,
        );
        reference.is_service(true) && name == *host
    };
    for route in attached_routes::routes(mesh) {
        if !route.backends.iter().any(is_backend) {
            continue;
        }
        for parent in route.parents.iter().filter(|parent| parent.is_gateway()) {
            let gateway = attached_routes::gateway(mesh, parent);
            exposures.push(Exposure {
                gateway: gateway.map_or_else(
                    || Object {
                        kind: "Gateway".to_owned(),
                        namespace: parent.namespace.to_owned(),
                        name: parent.name.to_owned(),
                    },
                    |gateway| Object::of(gateway),
                ),
                servers: gateway.map_or_else(Vec::new, |gateway| listeners(gateway, parent.section)),
                hosts: route.hostnames.iter().map(|name| (*name).to_owned()).collect(),
                by: Object::of(route.header),
                routes: Vec::new(),
            });
        }
    }
    exposures
}

/// The gateways that answer to a host themselves.
pub(super) fn of_gateways(mesh: &Mesh, host: &Host) -> Vec<Exposure> {
    let mut exposures = Vec::new();
    for service in mesh.virtual_services() {
        let mut hosts = service
            .spec
            .hosts
            .iter()
            .map(|name| mesh.host(name, service.namespace()));
        if hosts.any(|own| host.is_within(&own)) {
            expose(mesh, service, &|_| true, &mut exposures);
        }
    }
    exposures
}

/// Adds the gateways of a VirtualService, with those of its routes that lead to a wanted destination.
fn expose(
    mesh: &Mesh,
    service: &Resource<VirtualService>,
    is_wanted: &dyn Fn(&Destination) -> bool,
    exposures: &mut Vec<Exposure>,
) {
    for name in service.spec.gateways.iter().filter(|name| *name != MESH) {
        let routes = routes(service, name, is_wanted);
        if routes.is_empty() {
            continue;
        }
        let (namespace, name) = gateway_id(name, service.namespace());
        let gateway = mesh.get::<Gateway>(namespace, name);
        exposures.push(Exposure {
            gateway: Object {
                kind: "Gateway".to_owned(),
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            },
            servers: gateway.map_or_else(Vec::new, |gateway| servers(gateway)),
            hosts: service.spec.hosts.clone(),
            by: Object::of(service),
            routes,
        });
    }
}

fn servers(gateway: &Resource<Gateway>) -> Vec<String> {
    let server = |server: &mesh_core::istio::gateway::Server| {
        let mut text = server
            .port
            .as_ref()
            .map_or_else(String::new, |port| format!("{} {}", port.number, port.protocol));
        if let Some(tls) = &server.tls {
            if tls.https_redirect {
                text.push_str(", redirects to HTTPS");
            } else {
                text.push(' ');
                text.push_str(tls.mode.as_str());
            }
        }
        text
    };
    gateway.spec.servers.iter().map(server).collect()
}

fn listeners(gateway: &Resource<GatewaySpec>, section: Option<&str>) -> Vec<String> {
    let wanted = gateway
        .spec
        .listeners
        .iter()
        .filter(|listener| section.is_none_or(|name| listener.name == name));
    wanted
        .map(|listener| format!("{} {}", listener.port, listener.protocol))
        .collect()
}

/// The routes of a VirtualService that are for a gateway, or for sidecars, and lead to a wanted destination.
fn routes(
    service: &Resource<VirtualService>,
    gateway: &str,
    is_wanted: impl Fn(&Destination) -> bool,
) -> Vec<RouteFact> {
    let spec = service
        .origin()
        .root()
        .get("spec")
        .map(mesh_yaml::Node::to_json)
        .unwrap_or_default();
    let mut facts = Vec::new();
    let mut add = |section: &str, index: usize, destinations: Vec<&Destination>| {
        let written = spec
            .get(section)
            .and_then(|list| list.get(index))
            .unwrap_or(&Value::Null);
        let matches = written.get("match").and_then(Value::as_array);
        let is_here = |one: &&Value| {
            let gateways = one.get("gateways").and_then(Value::as_array);
            gateways.is_none_or(|names| names.iter().any(|name| name == gateway))
        };
        let here: Vec<_> = matches
            .into_iter()
            .flatten()
            .filter(is_here)
            .map(describe_match)
            .collect();
        if matches.is_some_and(|all| !all.is_empty()) && here.is_empty() {
            return;
        }
        // A route without destinations answers itself, or delegates.
        if !destinations.is_empty() && !destinations.iter().any(|destination| is_wanted(destination)) {
            return;
        }
        facts.push(RouteFact {
            place: format!("{section}[{index}]"),
            name: text(written.get("name")),
            matches: here,
            destinations: shares(written),
            settings: other_settings(written),
        });
    };
    for (index, route) in service.spec.http.iter().enumerate() {
        let destinations = route.route.iter().filter_map(|route| route.destination.as_ref());
        add("http", index, destinations.collect());
    }
    for (index, route) in service.spec.tls.iter().enumerate() {
        let destinations = route.route.iter().filter_map(|route| route.destination.as_ref());
        add("tls", index, destinations.collect());
    }
    for (index, route) in service.spec.tcp.iter().enumerate() {
        let destinations = route.route.iter().filter_map(|route| route.destination.as_ref());
        add("tcp", index, destinations.collect());
    }
    facts
}

/// A scalar as text; other values as JSON.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// The conditions of a match, all of which must hold.
fn describe_match(one: &Value) -> String {
    let mut parts = Vec::new();
    for (key, value) in one.as_object().into_iter().flatten() {
        match key.as_str() {
            "name" | "gateways" | "statPrefix" => {}
            "headers" | "withoutHeaders" | "queryParams" => {
                let what = match key.as_str() {
                    "headers" => "header ",
                    "withoutHeaders" => "not header ",
                    _ => "query ",
                };
                for (name, value) in value.as_object().into_iter().flatten() {
                    parts.push(format!("{what}{name}{}", string_match(value)));
                }
            }
            key => parts.push(format!("{key}{}", string_match(value))),
        }
    }
    parts.join(", ")
}

fn string_match(value: &Value) -> String {
    let one = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(exact) = one("exact") {
        format!(" = {exact}")
    } else if let Some(prefix) = one("prefix") {
        format!(" = {prefix}*")
    } else if let Some(regex) = one("regex") {
        format!(" ~ {regex}")
    } else if value.as_object().is_some_and(serde_json::Map::is_empty) {
        " is there".to_owned()
    } else {
        format!(" = {}", text(Some(value)))
    }
}

/// The destinations of a route with their shares.
fn shares(route: &Value) -> Vec<String> {
    let list = route
        .get("route")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    let weight = |route: &Value| route.get("weight").and_then(Value::as_u64).unwrap_or_default();
    let total: u64 = list.iter().map(weight).sum();
    let destinations = list.iter().filter_map(|route| {
        let destination = route.get("destination")?;
        let host = text(destination.get("host"));
        let port = destination.get("port").and_then(|port| port.get("number"));
        let port = port.map_or_else(String::new, |port| format!(":{port}"));
        let subset = destination.get("subset").and_then(Value::as_str);
        let subset = subset.map_or_else(String::new, |subset| format!(" subset {subset}"));
        let share = (list.len() > 1)
            .then(|| (weight(route) * 100).checked_div(total))
            .flatten();
        let share = share.map_or_else(String::new, |share| format!(" {share}%"));
        Some(format!("{host}{port}{subset}{share}"))
    });
    destinations.collect()
}

/// Everything in a route but its name, matches and destinations, as it is written.
fn other_settings(route: &Value) -> Vec<String> {
    let fields = route.as_object().into_iter().flatten();
    let others = fields.filter(|(key, _)| !["name", "match", "route"].contains(&key.as_str()));
    others
        .map(|(key, value)| format!("{key}: {}", flow(value)))
        .collect()
}

/// A value on one line, as YAML's flow style has it.
pub fn flow(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(key, value)| format!("{key}: {}", flow(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(flow).collect::<Vec<_>>().join(", ")),
        value => text(Some(value)),
    }
}
