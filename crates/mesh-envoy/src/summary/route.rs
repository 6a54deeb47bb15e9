//! Routes.

use serde::Deserialize;

use crate::config::StringMatcher;
use crate::config::route::{HeaderMatcher, RedirectAction, Route, RouteConfiguration, VirtualHost};
use crate::istio::Origin;

/// A route configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RouteConfiguration")]
pub struct RouteTableSummary {
    /// The name that listeners refer to it by.
    pub name: String,
    /// In the order of the dump.
    pub virtual_hosts: Vec<VirtualHostSummary>,
}

/// A virtual host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VirtualHostSummary {
    /// Its name.
    pub name: String,
    /// All of its domains.
    pub domains: Vec<String>,
    /// In the order that Envoy tries them.
    pub routes: Vec<RouteSummary>,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSummary {
    /// Its name; may be empty.
    pub name: String,
    /// Which requests it takes, such as `/productpage` or `/api* GET end-user=jason`.
    pub matches: String,
    /// Where they go: clusters with their shares, a redirect, or a direct response.
    pub destination: String,
    /// The resource that it came from: a VirtualService, as a rule.
    pub origin: Option<Origin>,
}

impl VirtualHostSummary {
    /// Up to two domains for a narrow column: without those with a port, and one of the forms of a Kubernetes service's
    /// name; then how many more there are.
    pub fn short_domains(&self) -> String {
        if let [domain] = &self.domains[..] {
            return domain.clone();
        }
        let has_port = |domain: &str| {
            let port = domain
                .rsplit_once(':')
                .map(|(host, port)| (host.contains(':') && !host.ends_with(']'), port));
            port.is_some_and(|(bare_ipv6, port)| !bare_ipv6 && port.parse::<u16>().is_ok())
        };
        let mut domains: Vec<&str> = Vec::new();
        for domain in self.domains.iter().filter(|domain| !has_port(domain)) {
            let base = service_base(domain);
            if !domains.iter().any(|known| service_base(known) == base) {
                domains.push(domain);
            }
        }
        let more = domains.len().saturating_sub(2);
        domains.truncate(2);
        let shown = domains.join(", ");
        if more == 0 {
            shown
        } else {
            format!("{shown} + {more} more...")
        }
    }
}

/// `reviews.default` for `reviews.default.svc` and `reviews.default.svc.cluster.local`.
fn service_base(domain: &str) -> &str {
    domain
        .split_once(".svc.")
        .map_or(domain.strip_suffix(".svc").unwrap_or(domain), |(base, _)| base)
}

impl From<RouteConfiguration> for RouteTableSummary {
    fn from(config: RouteConfiguration) -> Self {
        let virtual_host = |host: VirtualHost| VirtualHostSummary {
            routes: host.routes.iter().map(RouteSummary::from).collect(),
            name: host.name,
            domains: host.domains,
        };
        Self {
            name: config.name,
            virtual_hosts: config.virtual_hosts.into_iter().map(virtual_host).collect(),
        }
    }
}

impl From<&Route> for RouteSummary {
    fn from(route: &Route) -> Self {
        Self {
            name: route.name.clone(),
            matches: describe_match(route),
            destination: describe_action(route),
            origin: Origin::of(&route.metadata),
        }
    }
}

/// The conditions of a route on one line.
pub(crate) fn describe_match(route: &Route) -> String {
    let matcher = &route.r#match;
    let mut text = if let Some(prefix) = &matcher.prefix {
        format!("{prefix}*")
    } else if let Some(path) = &matcher.path {
        path.clone()
    } else if let Some(regex) = &matcher.safe_regex {
        format!("regex {}", regex.regex)
    } else if let Some(prefix) = &matcher.path_separated_prefix {
        format!("{prefix}[/*]")
    } else if matcher.connect_matcher.is_some() {
        "CONNECT".to_owned()
    } else if let Some(policy) = &matcher.path_match_policy {
        policy.name.clone()
    } else {
        String::new()
    };
    let mut add = |part: String| {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&part);
    };
    for header in &matcher.headers {
        add(describe_header(header));
    }
    for parameter in &matcher.query_parameters {
        add(match &parameter.string_match {
            Some(value) => format!("?{}{}", parameter.name, describe_string(value)),
            None if parameter.present_match == Some(false) => format!("!?{}", parameter.name),
            None => format!("?{}", parameter.name),
        });
    }
    for cookie in &matcher.cookies {
        let value = cookie
            .string_match
            .as_ref()
            .map(describe_string)
            .unwrap_or_default();
        add(format!(
            "{}cookie:{}{value}",
            if cookie.invert_match { "!" } else { "" },
            cookie.name
        ));
    }
    if matcher.grpc.is_some() {
        add("gRPC".to_owned());
    }
    if let Some(fraction) = &matcher.runtime_fraction {
        add(format!("{}%", fraction.default_value.fraction() * 100.0));
    }
    text
}

fn describe_header(header: &HeaderMatcher) -> String {
    let HeaderMatcher {
        name, invert_match, ..
    } = header;
    let not = if *invert_match { "!" } else { "" };
    let exact = header.exact_match.as_deref();
    let exact = exact.or_else(|| {
        header
            .string_match
            .as_ref()
            .and_then(|value| value.exact.as_deref())
    });
    if let (":method", Some(method), false) = (&**name, exact, invert_match) {
        return method.to_owned();
    }
    let value = if let Some(exact) = exact {
        format!("={exact}")
    } else if let Some(value) = &header.string_match {
        describe_string(value)
    } else if let Some(regex) = &header.safe_regex_match {
        format!("~{}", regex.regex)
    } else if let Some(range) = &header.range_match {
        format!("=[{}, {})", range.start, range.end)
    } else if let Some(prefix) = &header.prefix_match {
        format!("={prefix}*")
    } else if let Some(suffix) = &header.suffix_match {
        format!("=*{suffix}")
    } else if let Some(part) = &header.contains_match {
        format!("=*{part}*")
    } else if header.present_match == Some(false) {
        return format!("{}{name}", if *invert_match { "" } else { "!" });
    } else {
        String::new()
    };
    format!("{not}{name}{value}")
}

fn describe_string(value: &StringMatcher) -> String {
    let text = if let Some(exact) = &value.exact {
        format!("={exact}")
    } else if let Some(prefix) = &value.prefix {
        format!("={prefix}*")
    } else if let Some(suffix) = &value.suffix {
        format!("=*{suffix}")
    } else if let Some(regex) = &value.safe_regex {
        format!("~{}", regex.regex)
    } else if let Some(part) = &value.contains {
        format!("=*{part}*")
    } else {
        let custom = value.custom.as_ref().map(|custom| custom.name.as_str());
        format!(" {}", custom.unwrap_or("?"))
    };
    if value.ignore_case {
        format!("{text} (any case)")
    } else {
        text
    }
}

/// Where a route leads, on one line.
pub(crate) fn describe_action(route: &Route) -> String {
    if let Some(action) = &route.route {
        if let Some(cluster) = &action.cluster {
            cluster.clone()
        } else if let Some(weighted) = &action.weighted_clusters {
            let named = |cluster: &crate::config::route::ClusterWeight| {
                if cluster.name.is_empty() {
                    format!("cluster in header {}", cluster.cluster_header)
                } else {
                    cluster.name.clone()
                }
            };
            let names: Vec<_> = weighted
                .clusters
                .iter()
                .map(|cluster| (named(cluster), cluster.weight))
                .collect();
            describe_shares(
                &names
                    .iter()
                    .map(|(name, weight)| (&**name, *weight))
                    .collect::<Vec<_>>(),
            )
        } else if let Some(header) = &action.cluster_header {
            format!("cluster in header {header}")
        } else {
            "cluster by plugin".to_owned()
        }
    } else if let Some(redirect) = &route.redirect {
        describe_redirect(redirect)
    } else if let Some(response) = &route.direct_response {
        format!("direct response {}", response.status)
    } else if route.filter_action.is_some() {
        "filter action".to_owned()
    } else {
        "none".to_owned()
    }
}

fn describe_redirect(redirect: &RedirectAction) -> String {
    let scheme = if redirect.https_redirect {
        "https"
    } else {
        &redirect.scheme_redirect
    };
    let mut target = String::new();
    if !scheme.is_empty() {
        target = format!("{scheme}://");
    }
    target.push_str(&redirect.host_redirect);
    if redirect.port_redirect != 0 {
        target.push(':');
        target.push_str(&redirect.port_redirect.to_string());
    }
    if redirect.prefix_rewrite.is_empty() {
        target.push_str(&redirect.path_redirect);
    } else {
        target.push_str(&redirect.prefix_rewrite);
        target.push('*');
    }
    format!("redirect to {target}")
}

/// Clusters with their shares in percent.
pub(crate) fn describe_shares(clusters: &[(&str, u32)]) -> String {
    let total: u64 = clusters.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let share = |(name, weight): &(&str, u32)| {
        // Tenths of a percent, rounded.
        let tenths = (u64::from(*weight) * 1000 + total / 2)
            .checked_div(total)
            .unwrap_or(0);
        match tenths % 10 {
            0 => format!("{name} {}%", tenths / 10),
            tenth => format!("{name} {}.{tenth}%", tenths / 10),
        }
    };
    clusters.iter().map(share).collect::<Vec<_>>().join(", ")
}
