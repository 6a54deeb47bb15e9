//! Routes and their destinations, in VirtualServices and routes of the Gateway API alike.

use std::fmt;

use mesh_core::{Host, Kind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Names of routes that are ours begin with this.
pub const OWN_ROUTE: &str = "meshctl-canary-";

/// The weight that destinations of a route without weights share.
const DEFAULT_TOTAL: i64 = 100;

/// A list of routes in an object's `spec`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Section {
    /// `http` of a VirtualService.
    Http,
    /// `tls` of a VirtualService.
    Tls,
    /// `tcp` of a VirtualService.
    Tcp,
    /// `rules` of an HTTPRoute.
    Rules,
    /// `rules` of a GRPCRoute.
    GrpcRules,
    /// `rules` of a TLSRoute.
    TlsRules,
    /// `rules` of a TCPRoute.
    TcpRules,
}

/// The kinds of objects that divide traffic by weights.
pub const ROUTE_KINDS: [Kind; 5] = [
    Kind::VirtualService,
    Kind::HttpRoute,
    Kind::GrpcRoute,
    Kind::TlsRoute,
    Kind::TcpRoute,
];

impl Section {
    /// Those that an object has, by its `kind`.
    pub fn of(object: &Value) -> &'static [Self] {
        match object.get("kind").and_then(Value::as_str) {
            Some("HTTPRoute") => &[Self::Rules],
            Some("GRPCRoute") => &[Self::GrpcRules],
            Some("TLSRoute") => &[Self::TlsRules],
            Some("TCPRoute") => &[Self::TcpRules],
            _ => &[Self::Http, Self::Tls, Self::Tcp],
        }
    }

    /// The field of `spec`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "tls",
            Self::Tcp => "tcp",
            Self::Rules | Self::GrpcRules | Self::TlsRules | Self::TcpRules => "rules",
        }
    }

    /// Whether it is of the Gateway API, and not of Istio's.
    pub fn is_gateway_api(self) -> bool {
        !matches!(self, Self::Http | Self::Tls | Self::Tcp)
    }

    /// The field of a route that lists its destinations.
    pub fn destinations_field(self) -> &'static str {
        if self.is_gateway_api() {
            "backendRefs"
        } else {
            "route"
        }
    }

    /// The field of a route that has its conditions.
    pub fn match_field(self) -> &'static str {
        if self.is_gateway_api() { "matches" } else { "match" }
    }

    /// Whether requests can be told apart here, so that there are headers and mirrors.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Rules | Self::GrpcRules)
    }

    /// The routes of an object.
    pub fn routes(self, object: &Value) -> &[Value] {
        let routes = object.pointer(&format!("/spec/{}", self.field()));
        routes.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The destinations of a route.
    pub fn destinations(self, route: &Value) -> &[Value] {
        let list = route.get(self.destinations_field()).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// Where a destination leads, without its weight and all else that is done on the way.
    pub fn target(self, destination: &Value) -> Value {
        if !self.is_gateway_api() {
            return destination.get("destination").cloned().unwrap_or_default();
        }
        let mut target = destination.clone();
        if let Some(fields) = target.as_object_mut() {
            fields.remove("weight");
            fields.remove("filters");
        }
        target
    }

    /// The weights of a route's destinations as proxies see them.
    pub fn weights(self, destinations: &[Value]) -> Vec<i64> {
        let written = |destination: &Value| destination.get("weight").and_then(Value::as_i64);
        match destinations {
            // Of a single destination the weight means nothing, unless the user counts in finer parts.
            [only] => vec![
                written(only)
                    .filter(|weight| *weight > 1)
                    .unwrap_or(DEFAULT_TOTAL),
            ],
            several => {
                let unset = i64::from(self.is_gateway_api());
                several
                    .iter()
                    .map(|destination| written(destination).unwrap_or(unset).max(0))
                    .collect()
            }
        }
    }

    /// The host that a destination names.
    pub fn host(self, destination: &Value, names: &Names<'_>) -> Host {
        let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
        if !self.is_gateway_api() {
            let target = destination.get("destination").unwrap_or(&Value::Null);
            let host = text(target, "host").unwrap_or_default();
            return Host::resolve(&host, names.namespace, names.cluster_domain);
        }
        match text(destination, "kind").as_deref() {
            None | Some("Service") => {
                let namespace = text(destination, "namespace");
                let namespace = namespace.as_deref().unwrap_or(names.namespace);
                let name = text(destination, "name").unwrap_or_default();
                Host::of_service(&name, namespace, names.cluster_domain)
            }
            Some(_) => Host::new(""),
        }
    }

    /// The subset that a destination names; empty if none.
    pub fn subset(self, destination: &Value) -> &str {
        let subset = destination.pointer("/destination/subset");
        subset.and_then(Value::as_str).unwrap_or_default()
    }
}

/// What short names in an object mean.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The namespace of the object.
    pub namespace: &'a str,
    /// The DNS domain of the cluster.
    pub cluster_domain: &'a str,
}

/// One version of a service, as routes name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Version {
    /// A subset of the service.
    Subset(String),
    /// A service of its own, by its full host name.
    Service(String),
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subset(name) => formatter.write_str(name),
            Self::Service(host) => {
                formatter.write_str(host.split_once(".svc.").map_or(host.as_str(), |(name, _)| name))
            }
        }
    }
}

/// The service whose traffic moves, and between which versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The full host name of the service.
    pub host: String,
    /// The version that has the traffic.
    pub stable: Version,
    /// The version that gets it.
    pub canary: Version,
}

/// What a destination is to a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The version that has the traffic.
    Stable,
    /// The version that gets it.
    Canary,
    /// The service as a whole, which stands for stable until the two are told apart.
    Whole,
    /// Something else, which is left alone.
    Other,
}

impl Subject {
    /// What a destination is.
    pub fn role(&self, section: Section, destination: &Value, names: &Names<'_>) -> Role {
        let host = section.host(destination, names);
        let subset = section.subset(destination);
        let is = |version: &Version| match version {
            Version::Subset(name) => host.as_str() == self.host && subset == name,
            Version::Service(service) => host.as_str() == service && subset.is_empty(),
        };
        if is(&self.stable) {
            Role::Stable
        } else if is(&self.canary) {
            Role::Canary
        } else if host.as_str() == self.host && subset.is_empty() && matches!(self.stable, Version::Subset(_))
        {
            Role::Whole
        } else {
            Role::Other
        }
    }
}

/// `destination` leading to `version` instead.
pub fn led_to(section: Section, destination: &Value, version: &Version, names: &Names<'_>) -> Value {
    let mut led = destination.clone();
    let target = if section.is_gateway_api() {
        led.as_object_mut()
    } else {
        led.get_mut("destination").and_then(Value::as_object_mut)
    };
    let Some(target) = target else { return led };
    match version {
        Version::Subset(subset) => {
            target.insert("subset".to_owned(), subset.as_str().into());
        }
        Version::Service(host) if section.is_gateway_api() => {
            let (name, rest) = host.split_once('.').unwrap_or((host, ""));
            let namespace = rest.split('.').next().unwrap_or_default();
            target.insert("name".to_owned(), name.into());
            if !namespace.is_empty() && namespace != names.namespace {
                target.insert("namespace".to_owned(), namespace.into());
            } else {
                target.remove("namespace");
            }
        }
        Version::Service(host) => {
            target.insert("host".to_owned(), host.as_str().into());
            target.remove("subset");
        }
    }
    led
}

/// A condition that requests of a preview meet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// A header has a value.
    Header {
        /// Its name, in lower case.
        name: String,
        /// The whole value.
        value: String,
    },
    /// A cookie has a value.
    Cookie {
        /// Its name.
        name: String,
        /// The whole value.
        value: String,
    },
}

impl Condition {
    /// Reads `NAME=VALUE` as a condition on a header.
    ///
    /// # Errors
    ///
    /// What is no name of a header.
    pub fn header(text: &str) -> Result<Self, String> {
        let (name, value) = pair(text)?;
        Ok(Self::Header {
            name: name.to_ascii_lowercase(),
            value: value.to_owned(),
        })
    }

    /// Reads `NAME=VALUE` as a condition on a cookie.
    ///
    /// # Errors
    ///
    /// What is no name of a cookie.
    pub fn cookie(text: &str) -> Result<Self, String> {
        let (name, value) = pair(text)?;
        Ok(Self::Cookie {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// The name of the header that is looked at.
    fn header_name(&self) -> &str {
        match self {
            Self::Header { name, .. } => name,
            Self::Cookie { .. } => "cookie",
        }
    }

    /// The expression (RE2, on the whole value) that a header with the cookie matches.
    fn cookie_expression(name: &str, value: &str) -> String {
        format!("(.*;\\s*)?{}={}(;.*)?", quoted(name), quoted(value))
    }

    /// Adds the condition to those of a route. `None` if one of them is on the same header.
    fn add_to(&self, section: Section, conditions: &Value) -> Option<Value> {
        let mut all = match conditions {
            Value::Array(all) if !all.is_empty() => all.clone(),
            _ => vec![Value::Object(Map::new())],
        };
        for condition in &mut all {
            let fields = condition.as_object_mut()?;
            let name = self.header_name();
            if section.is_gateway_api() {
                let header = match self {
                    Self::Header { name, value } => {
                        serde_json::json!({"type": "Exact", "name": name, "value": value})
                    }
                    Self::Cookie { name, value } => serde_json::json!({
                        "type": "RegularExpression", "name": "cookie",
                        "value": Self::cookie_expression(name, value),
                    }),
                };
                let headers = fields
                    .entry("headers")
                    .or_insert_with(|| Value::Array(Vec::new()));
                let headers = headers.as_array_mut()?;
                let is_same = |header: &Value| {
                    let known = header.get("name").and_then(Value::as_str);
                    known.is_some_and(|known| known.eq_ignore_ascii_case(name))
                };
                if headers.iter().any(is_same) {
                    return None;
                }
                headers.push(header);
            } else {
                let value = match self {
                    Self::Header { value, .. } => serde_json::json!({"exact": value}),
                    Self::Cookie { name, value } => {
                        serde_json::json!({"regex": Self::cookie_expression(name, value)})
                    }
                };
                let headers = fields
                    .entry("headers")
                    .or_insert_with(|| Value::Object(Map::new()));
                let headers = headers.as_object_mut()?;
                if headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                    return None;
                }
                headers.insert(name.to_owned(), value);
            }
        }
        Some(Value::Array(all))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, value } => write!(formatter, "header {name}={value}"),
            Self::Cookie { name, value } => write!(formatter, "cookie {name}={value}"),
        }
    }
}

/// Splits `NAME=VALUE`. Names are tokens as HTTP (RFC 9110, section 5.6.2) has them.
fn pair(text: &str) -> Result<(&str, &str), String> {
    let (name, value) = text.split_once('=').ok_or("there is no `=`: write NAME=VALUE")?;
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(format!("`{name}` cannot be a name here"));
    }
    if value.is_empty() || value.chars().any(char::is_control) {
        return Err("the value is missing, or cannot be one".to_owned());
    }
    Ok((name, value))
}

/// Text as an expression that matches only it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// A copy of a route for the requests that also meet `condition`, all of which go to the canary. `None` if the route
/// has a condition on the same header already.
pub fn preview(
    section: Section,
    route: &Value,
    number: usize,
    condition: &Condition,
    canary: &Value,
) -> Option<Value> {
    let mut copy = route.as_object()?.clone();
    let conditions = route.get(section.match_field()).unwrap_or(&Value::Null);
    let conditions = condition.add_to(section, conditions)?;
    if section.is_gateway_api() {
        // Names of rules are not in every version of the API.
        copy.remove("name");
    } else {
        copy.insert("name".to_owned(), format!("{OWN_ROUTE}{number}").into());
    }
    copy.insert(section.match_field().to_owned(), conditions);
    let mut only = canary.clone();
    if section.is_gateway_api() {
        // The API server would add it.
        only.as_object_mut()?.insert("weight".to_owned(), 1.into());
    } else {
        only.as_object_mut()?.remove("weight");
    }
    copy.insert(section.destinations_field().to_owned(), Value::Array(vec![only]));
    Some(Value::Object(copy))
}

/// Whether a route is one that a rollout has put there.
pub fn is_own(route: &Value) -> bool {
    let name = route.get("name").and_then(Value::as_str);
    name.is_some_and(|name| name.starts_with(OWN_ROUTE))
}
