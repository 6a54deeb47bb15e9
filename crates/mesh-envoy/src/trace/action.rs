//! What happens to an HTTP request: normalisation, routing, and what the route says.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::path::{Normalized, normalize, normalize_host, port_start};
use super::regex::{Regexes, substitution};
use super::route::{
    Circumstances, GENERATED, Message, REQUEST_ID, Verdict, find, is_grpc, match_header, requires_tls,
    virtual_host,
};
use super::upstream;
use super::{Config, Http, Outcome, Request, Step, Subject};
use crate::config::FractionalPercent;
use crate::config::listener::{HttpConnectionManager, HttpFilter};
use crate::config::route::{
    ClusterNotFound, ClusterWeight, DataSource, HeaderMatcher, MirrorPolicy, RedirectAction, RedirectCode,
    RegexRewrite, RetryPolicy, Route, RouteAction, RouteConfiguration, RouteMatch, VirtualHost,
};
use crate::istio::Origin;
use crate::proto::{Any, Duration};
use crate::summary::describe_match;

/// Envoy's timeout of a route that states none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// HTTP filters that neither answer nor change where a request goes, by a part of their type.
const HARMLESS: &[&str] = &[
    "router.v3.",
    "stats.",
    "grpc_stats.",
    "metadata_exchange",
    "peer_metadata",
    "alpn",
    "grpc_web.",
    "compressor.",
    "decompressor.",
    "header_to_metadata.",
    "set_filter_state.",
    "fault.v3.",
];

/// Follows a request through an HTTP connection manager; an `Err` is an end that is reached early.
pub(super) fn trace(
    config: &Config,
    request: &Request,
    http: &Http,
    manager: &HttpConnectionManager,
    destination: Option<SocketAddr>,
    is_tls: bool,
    steps: &mut Vec<Step>,
) -> Result<Outcome, Outcome> {
    let mut step = Step::new(
        Subject::Http,
        &manager.stat_prefix,
        "the filter chain speaks HTTP",
    );
    let message = receive(http, manager, request, is_tls, &mut step);
    for filter in manager.http_filters.iter().filter(|filter| !filter.disabled) {
        let kind = filter
            .typed_config
            .as_ref()
            .map(Any::type_name)
            .unwrap_or_default();
        if !HARMLESS.iter().any(|part| kind.contains(part)) {
            step.detail(
                "filter",
                format!("{} ({kind}): what it does is not modelled", filter.name),
            );
        }
    }
    let routes = match (&manager.route_config, &manager.rds) {
        (Some(routes), _) => Ok(routes),
        (None, Some(rds)) => config.routes.get(&rds.route_config_name).ok_or_else(|| {
            let name = &rds.route_config_name;
            Outcome::refused(
                format!("the route configuration `{name}` is not there"),
                Some(404),
                Some("NR"),
            )
        }),
        (None, None) => Err(Outcome::not_modelled("scoped routes")),
    };
    steps.push(step);
    let message = message?;
    let routes = routes?;

    let (host, step) = match virtual_host(routes, &message) {
        Ok(found) => found,
        Err(passed_over) => {
            let mut step = Step::new(Subject::VirtualHost, "", "none takes the host");
            step.passed_over = passed_over;
            step.detail("route configuration", &routes.name);
            steps.push(step);
            if routes.vhds.is_some() {
                return Err(Outcome::not_modelled(
                    "virtual hosts that are discovered on demand",
                ));
            }
            let reason = format!("no virtual host has the domain `{}`", message.authority);
            return Err(Outcome::refused(reason, Some(404), Some("NR")));
        }
    };
    steps.push(step);
    if requires_tls(host, &message) {
        let location = format!("https://{}{}", message.authority, message.path);
        return Ok(Outcome::Redirect {
            status: 301,
            location,
        });
    }

    let circumstances = Circumstances {
        regexes: &config.regexes,
        request,
        is_tls,
    };
    let mut step = Step::new(Subject::Route, "", "");
    let route = match find(host, routes, &message, &circumstances) {
        Ok((route, passed_over)) => {
            step.passed_over = passed_over;
            route
        }
        Err(what) => return Err(Outcome::not_modelled(what)),
    };
    let Some(route) = route else {
        step.reason = String::from("none matches");
        steps.push(step);
        return Err(Outcome::refused("no route matches", Some(404), Some("NR")));
    };
    step.name.clone_from(&route.name);
    step.reason = format!("it matches: {}", describe_match(route));
    step.origin = Origin::of(&route.metadata);
    let fault = fault(
        manager,
        routes,
        host,
        route,
        &message,
        request,
        &config.regexes,
        &mut step,
    );
    let way = Way {
        config,
        request,
        message: &message,
        routes,
        host,
        route,
        destination,
    };
    let outcome = if let Some(status) = fault {
        steps.push(step);
        Outcome::Response {
            status,
            body: Some("fault filter abort".to_owned()),
        }
    } else {
        way.follow(step, steps)
    };
    Ok(outcome)
}

/// What the connection manager makes of a request before routing.
fn receive(
    http: &Http,
    manager: &HttpConnectionManager,
    request: &Request,
    is_tls: bool,
    step: &mut Step,
) -> Result<Message, Outcome> {
    if http.authority.is_empty() && !http.http2 {
        return Err(Outcome::refused("the host is missing", Some(400), None));
    }
    if http.path.contains('#') {
        return Err(Outcome::refused("the path has a fragment", Some(400), None));
    }
    let stated = |name: &str| {
        http.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    };
    let path = match normalize(manager, &http.path) {
        Normalized::Path(path) => path,
        Normalized::Redirect(_) if stated("content-type").is_some_and(is_grpc) => {
            return Err(Outcome::refused(
                "the path has escaped slashes, and gRPC knows no redirects",
                Some(400),
                None,
            ));
        }
        Normalized::Redirect(location) => {
            return Err(Outcome::Redirect {
                status: 307,
                location,
            });
        }
        Normalized::Rejected => {
            return Err(Outcome::refused("the path cannot be normalised", Some(400), None));
        }
    };
    if path != http.path {
        step.detail("path", format!("{} is normalised to {path}", http.path));
    }
    let port = Some(request.destination_port);
    let authority = normalize_host(manager, &http.method, &http.authority, port);
    if authority != http.authority {
        step.detail("host", format!("{} is normalised to {authority}", http.authority));
    }
    let actual = if is_tls { "https" } else { "http" };
    // A proxy in front is believed, unless this one is told to be the first.
    let is_first = manager.use_remote_address == Some(true) && manager.xff_num_trusted_hops == 0;
    let scheme = stated("x-forwarded-proto")
        .filter(|_| !is_first)
        .unwrap_or(actual)
        .to_owned();
    let mut headers = http.headers.clone();
    headers.retain(|(name, _)| name != "x-forwarded-proto");
    headers.push(("x-forwarded-proto".to_owned(), scheme.clone()));
    // What Envoy itself adds, and routes may look at.
    if stated(REQUEST_ID).is_none() {
        headers.push((REQUEST_ID.to_owned(), GENERATED.to_owned()));
    }
    Ok(Message {
        method: http.method.clone(),
        authority,
        path,
        headers,
        scheme,
    })
}

/// A request on a route that was found.
struct Way<'a> {
    config: &'a Config,
    request: &'a Request,
    message: &'a Message,
    routes: &'a RouteConfiguration,
    host: &'a VirtualHost,
    route: &'a Route,
    destination: Option<SocketAddr>,
}

impl Way<'_> {
    fn follow(&self, mut step: Step, steps: &mut Vec<Step>) -> Outcome {
        let route = self.route;
        if let Some(action) = &route.route {
            return self.forward(action, step, steps);
        }
        let outcome = if let Some(redirect) = &route.redirect {
            self.redirect(redirect)
        } else if let Some(response) = &route.direct_response {
            Outcome::Response {
                status: response.status,
                body: response.body.as_ref().and_then(body),
            }
        } else {
            Outcome::not_modelled("the route has no action but what filters do")
        };
        step.detail("action", crate::summary::describe_action(route));
        steps.push(step);
        outcome
    }

    fn forward(&self, action: &RouteAction, mut step: Step, steps: &mut Vec<Step>) -> Outcome {
        let timeout = action.timeout.unwrap_or(DEFAULT_TIMEOUT);
        let timeout = if timeout.is_zero() {
            "none".to_owned()
        } else {
            timeout.to_string()
        };
        step.detail("timeout", timeout);
        if let Some(longest) = action
            .max_stream_duration
            .and_then(|limit| limit.max_stream_duration)
        {
            step.detail("longest stream", longest.to_string());
        }
        if let Some(idle) = action.idle_timeout {
            step.detail("idle timeout", idle.to_string());
        }
        if let Some(retries) = action.retry_policy.as_ref().or(self.host.retry_policy.as_ref()) {
            step.detail("retries", describe_retries(retries));
        }
        self.rewrites(action, &mut step);
        let mirrors = [
            &action.request_mirror_policies,
            &self.host.request_mirror_policies,
            &self.routes.request_mirror_policies,
        ];
        for mirror in mirrors
            .into_iter()
            .find(|mirrors| !mirrors.is_empty())
            .into_iter()
            .flatten()
        {
            step.detail("mirror", describe_mirror(mirror));
        }
        if !action.hash_policy.is_empty() {
            step.detail(
                "affinity",
                "the host is chosen by a hash of the request".to_owned(),
            );
        }
        steps.push(step);

        let names = match self.clusters(action) {
            Ok(names) => names,
            Err(what) => return Outcome::not_modelled(what),
        };
        if let [(name, _)] = &names[..]
            && !self.config.clusters.contains_key(name)
        {
            let status = match action.cluster_not_found_response_code {
                ClusterNotFound::ServiceUnavailable | ClusterNotFound::Unknown => 503,
                ClusterNotFound::NotFound => 404,
                ClusterNotFound::InternalServerError => 500,
            };
            return Outcome::refused(
                format!("the cluster `{name}` is not there"),
                Some(status),
                Some("NC"),
            );
        }
        upstream::forward(self.config, &names, self.destination, Some(503), steps)
    }

    /// The clusters that the request may go to, with their weights.
    fn clusters(&self, action: &RouteAction) -> Result<Vec<(String, u32)>, String> {
        if let Some(cluster) = &action.cluster {
            return Ok(vec![(cluster.clone(), 1)]);
        }
        let from_header = |header: &str| self.message.header(header).unwrap_or_default();
        if let Some(header) = &action.cluster_header {
            return Ok(vec![(from_header(header), 1)]);
        }
        let Some(weighted) = &action.weighted_clusters else {
            return Err("the cluster is chosen by a plugin".to_owned());
        };
        let name = |cluster: &ClusterWeight| {
            if cluster.name.is_empty() {
                from_header(&cluster.cluster_header)
            } else {
                cluster.name.clone()
            }
        };
        let by_header = Some(&weighted.header_name).filter(|header| !header.is_empty());
        let by_header = by_header.and_then(|header| self.message.header(header)?.parse::<u64>().ok());
        let all = weighted
            .clusters
            .iter()
            .map(|cluster| (name(cluster), cluster.weight));
        Ok(match by_header.or(self.request.random) {
            Some(random) => pick(all, random).into_iter().map(|name| (name, 1)).collect(),
            None => all.filter(|(_, weight)| *weight > 0).collect(),
        })
    }

    fn rewrites(&self, action: &RouteAction, step: &mut Step) {
        let path = rewrite_path(
            &self.route.r#match,
            &action.prefix_rewrite,
            action.regex_rewrite.as_ref(),
            &self.message.path,
            &self.config.regexes,
        );
        if path != self.message.path {
            step.detail("path rewrite", path);
        }
        if let Some(policy) = &action.path_rewrite_policy {
            step.detail("path rewrite", format!("by {} (not modelled)", policy.kind()));
        }
        let host = if let Some(literal) = &action.host_rewrite_literal {
            Some(literal.clone())
        } else if action.auto_host_rewrite == Some(true) {
            Some("the name of the chosen host".to_owned())
        } else if let Some(header) = &action.host_rewrite_header {
            self.message.header(header)
        } else {
            let rewrite = action.host_rewrite_path_regex.as_ref();
            rewrite.and_then(|rewrite| replace(rewrite, self.message.path_only(), &self.config.regexes))
        };
        if let Some(host) = host {
            step.detail("host rewrite", host);
        }
    }

    fn redirect(&self, redirect: &RedirectAction) -> Outcome {
        let message = self.message;
        let scheme = if redirect.https_redirect {
            "https"
        } else if redirect.scheme_redirect.is_empty() {
            &message.scheme
        } else {
            &redirect.scheme_redirect
        };
        let port = match redirect.port_redirect {
            0 => String::new(),
            port => format!(":{port}"),
        };
        let host = if redirect.host_redirect.is_empty() {
            redirected_host(message, scheme, !port.is_empty())
        } else {
            redirect.host_redirect.clone()
        };
        let mut path = if redirect.path_redirect.is_empty() {
            rewrite_path(
                &self.route.r#match,
                &redirect.prefix_rewrite,
                redirect.regex_rewrite.as_ref(),
                &message.path,
                &self.config.regexes,
            )
        } else if redirect.path_redirect.contains('?') {
            redirect.path_redirect.clone()
        } else {
            let query = message.path.find('?').map_or("", |start| &message.path[start..]);
            format!("{}{query}", redirect.path_redirect)
        };
        if redirect.strip_query
            && !redirect.path_redirect.contains('?')
            && let Some(query) = path.find('?')
        {
            path.truncate(query);
        }
        Outcome::Redirect {
            status: match redirect.response_code {
                RedirectCode::MovedPermanently | RedirectCode::Unknown => 301,
                RedirectCode::Found => 302,
                RedirectCode::SeeOther => 303,
                RedirectCode::TemporaryRedirect => 307,
                RedirectCode::PermanentRedirect => 308,
            },
            location: format!("{scheme}://{host}{port}{path}"),
        }
    }
}

/// The request's own host; without its port if the redirect states another, or the port is the old scheme's own.
fn redirected_host(message: &Message, scheme: &str, has_port: bool) -> String {
    let host = &message.authority;
    let Some(colon) = port_start(host) else {
        return host.clone();
    };
    let old = message.header("x-forwarded-proto").unwrap_or_default();
    let own_port = if old == "https" { ":443" } else { ":80" };
    if has_port || (scheme != old && host[colon..] == *own_port) {
        host[..colon].to_owned()
    } else {
        host.clone()
    }
}

/// The cluster that a random number stands for.
pub(super) fn pick(clusters: impl Iterator<Item = (String, u32)> + Clone, random: u64) -> Option<String> {
    let total: u64 = clusters.clone().map(|(_, weight)| u64::from(weight)).sum();
    let mut left = random.checked_rem(total)?;
    for (name, weight) in clusters {
        match left.checked_sub(u64::from(weight)) {
            Some(rest) => left = rest,
            None => return Some(name),
        }
    }
    None
}

/// A path after a route's rewrite.
fn rewrite_path(
    matcher: &RouteMatch,
    prefix_rewrite: &str,
    regex_rewrite: Option<&RegexRewrite>,
    path: &str,
    regexes: &Regexes,
) -> String {
    let (only, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    if !prefix_rewrite.is_empty() {
        // A prefix is replaced; any other path matches as a whole.
        let prefix = matcher.prefix.as_ref().or(matcher.path_separated_prefix.as_ref());
        let rest = prefix.map_or("", |prefix| only.get(prefix.len()..).unwrap_or_default());
        return format!("{prefix_rewrite}{rest}{query}");
    }
    match regex_rewrite.and_then(|rewrite| replace(rewrite, only, regexes)) {
        Some(rewritten) => format!("{rewritten}{query}"),
        None => path.to_owned(),
    }
}

fn replace(rewrite: &RegexRewrite, text: &str, regexes: &Regexes) -> Option<String> {
    let regex = regexes.get(&rewrite.pattern.regex)?;
    let replaced = regex.replace_all(text.as_bytes(), substitution(&rewrite.substitution).as_bytes());
    Some(String::from_utf8_lossy(&replaced).into_owned())
}

fn body(source: &DataSource) -> Option<String> {
    if let Some(text) = &source.inline_string {
        return Some(text.clone());
    }
    let bytes = STANDARD.decode(source.inline_bytes.as_ref()?).ok()?;
    String::from_utf8(bytes).ok()
}

fn describe_retries(policy: &RetryPolicy) -> String {
    // Envoy's default is one retry.
    let mut text = format!("{} on {}", policy.num_retries.unwrap_or(1), policy.retry_on);
    if !policy.retriable_status_codes.is_empty() {
        let codes: Vec<String> = policy.retriable_status_codes.iter().map(u32::to_string).collect();
        text.extend([" (", &codes.join(", "), ")"]);
    }
    if let Some(timeout) = policy.per_try_timeout {
        text.extend([", ", &timeout.to_string(), " each"]);
    }
    text
}

fn describe_mirror(mirror: &MirrorPolicy) -> String {
    let cluster = if mirror.cluster.is_empty() {
        format!("the cluster in header {}", mirror.cluster_header)
    } else {
        mirror.cluster.clone()
    };
    match &mirror.runtime_fraction {
        Some(fraction) => format!(
            "{cluster}, {}% of requests",
            fraction.default_value.fraction() * 100.0
        ),
        None => cluster,
    }
}

/// `envoy.extensions.filters.http.fault.v3.HTTPFault`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Fault {
    delay: Option<FaultDelay>,
    abort: Option<FaultAbort>,
    upstream_cluster: String,
    headers: Vec<HeaderMatcher>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FaultDelay {
    fixed_delay: Option<Duration>,
    percentage: FractionalPercent,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct FaultAbort {
    http_status: u16,
    grpc_status: u32,
    percentage: FractionalPercent,
}

/// Tells of the fault filter, and returns the status with which it aborts every such request.
#[expect(
    clippy::too_many_arguments,
    reason = "the three levels of configuration, and what conditions look at"
)]
fn fault(
    manager: &HttpConnectionManager,
    routes: &RouteConfiguration,
    host: &VirtualHost,
    route: &Route,
    message: &Message,
    request: &Request,
    regexes: &Regexes,
    step: &mut Step,
) -> Option<u16> {
    let is_fault = |filter: &&HttpFilter| {
        filter
            .typed_config
            .as_ref()
            .is_some_and(|config| config.type_name().ends_with(".HTTPFault"))
    };
    let filter = manager.http_filters.iter().find(is_fault)?;
    // The most specific configuration replaces the others.
    let levels = [
        &route.typed_per_filter_config,
        &host.typed_per_filter_config,
        &routes.typed_per_filter_config,
    ];
    let own = levels.into_iter().find_map(|level| level.get(&filter.name));
    let fault: Fault = own.or(filter.typed_config.as_ref())?.decode().ok()?;
    let applies = fault
        .headers
        .iter()
        .all(|header| matches!(match_header(header, message, regexes), Verdict::Matches));
    if !applies {
        return None;
    }
    let only = match &*fault.upstream_cluster {
        "" => String::new(),
        cluster => format!(" to cluster {cluster}"),
    };
    let percent = |share: FractionalPercent| share.fraction() * 100.0;
    if let Some(delay) = &fault.delay
        && let Some(fixed) = delay.fixed_delay
    {
        step.detail(
            "delay",
            format!("{fixed} for {}% of requests{only}", percent(delay.percentage)),
        );
    }
    let abort = fault.abort?;
    let answer = match abort.http_status {
        0 => format!("gRPC status {}", abort.grpc_status),
        status => format!("status {status}"),
    };
    step.detail(
        "abort",
        format!("{answer} for {}% of requests{only}", percent(abort.percentage)),
    );
    let always = match request.random {
        Some(random) => random % abort.percentage.denominator() < u64::from(abort.percentage.numerator),
        None => abort.percentage.fraction() >= 1.0,
    };
    (always && only.is_empty() && abort.http_status != 0).then_some(abort.http_status)
}
