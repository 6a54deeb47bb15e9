//! Which virtual host and which route take an HTTP request.

use super::path::port_start;
use super::regex::Regexes;
use super::{PassedOver, Request, Step, Subject};
use crate::config::StringMatcher;
use crate::config::route::{
    HeaderMatcher, QueryParameterMatcher, Route, RouteConfiguration, RouteMatch, TlsRequirement, VirtualHost,
};
use crate::istio::Origin;
use crate::summary::describe_match;

/// The header with an identifier that Envoy makes up if the client sends none.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Stands for what Envoy makes up.
pub(super) const GENERATED: &str = "(made up by Envoy)";

/// An HTTP request as the router sees it: after the connection manager has normalised it.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) method: String,
    pub(super) authority: String,
    /// With the query.
    pub(super) path: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) scheme: String,
}

impl Message {
    /// The values of a header, in order; pseudo-headers have names with a colon.
    pub(super) fn values(&self, name: &str) -> Vec<&str> {
        let name = name.to_ascii_lowercase();
        match &*name {
            ":method" => vec![&self.method],
            ":authority" | "host" => vec![&self.authority],
            ":path" => vec![&self.path],
            ":scheme" => vec![&self.scheme],
            _ => {
                let own = self.headers.iter().filter(|(own, _)| *own == name);
                own.map(|(_, value)| value.as_str()).collect()
            }
        }
    }

    /// The first value of a header.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        self.values(name).first().map(|&value| value.to_owned())
    }

    /// The path without the query.
    pub(super) fn path_only(&self) -> &str {
        self.path.split(['?', '#']).next().unwrap_or_default()
    }

    fn query_parameter(&self, name: &str) -> Option<&str> {
        let (_, query) = self.path.split_once('?')?;
        let mut parameters = query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        parameters.find(|(own, _)| *own == name).map(|(_, value)| value)
    }
}

/// What is known beside the request itself.
pub(super) struct Circumstances<'a> {
    pub(super) regexes: &'a Regexes,
    pub(super) request: &'a Request,
    /// Whether the connection is TLS that ends at the proxy.
    pub(super) is_tls: bool,
}

/// Why a route does not match, or whether that can be told.
pub(super) enum Verdict {
    Matches,
    Not(String),
    NotModelled(String),
}

/// Finds the virtual host of a host. An `Err` has the domains that were looked at.
pub(super) fn virtual_host<'a>(
    config: &'a RouteConfiguration,
    message: &Message,
) -> Result<(&'a VirtualHost, Step), Vec<PassedOver>> {
    let host = if config.vhost_header.is_empty() {
        message.authority.clone()
    } else {
        message.header(&config.vhost_header).unwrap_or_default()
    };
    let host = match port_start(&host).filter(|_| config.ignore_port_in_host_matching) {
        Some(colon) => &host[..colon],
        None => &host,
    }
    .to_ascii_lowercase();
    // Exact, then the longest suffix, then the longest prefix, then any.
    let rank = |domain: &str| -> Option<(u8, usize)> {
        let domain = domain.to_ascii_lowercase();
        if domain == "*" {
            return Some((0, 0));
        }
        if domain == host {
            return Some((3, 0));
        }
        let longer = |part: &str| host.len() > part.len();
        if let Some(suffix) = domain.strip_prefix('*') {
            return (longer(suffix) && host.ends_with(suffix)).then_some((2, suffix.len()));
        }
        let prefix = domain.strip_suffix('*')?;
        (longer(prefix) && host.starts_with(prefix)).then_some((1, prefix.len()))
    };
    let mut best: Option<((u8, usize), &VirtualHost, &str)> = None;
    let mut passed_over = Vec::new();
    for candidate in &config.virtual_hosts {
        let ranks = candidate
            .domains
            .iter()
            .filter_map(|domain| Some((rank(domain)?, domain.as_str())));
        let reason = match (ranks.max_by_key(|(rank, _)| *rank), &best) {
            (None, _) => format!(
                "none of its domains is `{host}`: {}",
                short_list(&candidate.domains)
            ),
            (Some((rank, domain)), Some((known, chosen, better))) if rank <= *known => {
                format!("`{domain}` is less specific than `{better}` of `{}`", chosen.name)
            }
            (Some((rank, domain)), previous) => {
                if let Some((_, loser, worse)) = previous {
                    let reason = format!(
                        "`{worse}` is less specific than `{domain}` of `{}`",
                        candidate.name
                    );
                    passed_over.push(passed(&loser.name, reason, Origin::of(&loser.metadata)));
                }
                best = Some((rank, candidate, domain));
                continue;
            }
        };
        passed_over.push(passed(&candidate.name, reason, Origin::of(&candidate.metadata)));
    }
    let Some((_, found, domain)) = best else {
        return Err(passed_over);
    };
    let mut step = Step::new(
        Subject::VirtualHost,
        &found.name,
        format!("its domain `{domain}` takes `{host}`"),
    );
    step.origin = Origin::of(&found.metadata);
    step.detail("route configuration", &config.name);
    step.passed_over = passed_over;
    Ok((found, step))
}

fn passed(name: &str, reason: String, origin: Option<Origin>) -> PassedOver {
    PassedOver {
        name: name.to_owned(),
        reason,
        origin,
    }
}

fn short_list(domains: &[String]) -> String {
    let shown = domains
        .iter()
        .take(3)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    match domains.len() {
        0..=3 => shown,
        more => format!("{shown} and {} more", more - 3),
    }
}

/// Whether the virtual host sends plaintext requests to HTTPS.
pub(super) fn requires_tls(host: &VirtualHost, message: &Message) -> bool {
    let forwarded = message.header("x-forwarded-proto");
    if forwarded.as_deref() == Some("https") {
        return false;
    }
    match host.require_tls {
        TlsRequirement::None | TlsRequirement::Unknown => false,
        TlsRequirement::All => true,
        TlsRequirement::ExternalOnly => message.header("x-envoy-internal").as_deref() != Some("true"),
    }
}

/// The first route that matches. What is not modelled ends the search with an `Err`.
pub(super) fn find<'a>(
    host: &'a VirtualHost,
    config: &RouteConfiguration,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Result<(Option<&'a Route>, Vec<PassedOver>), String> {
    if host.matcher.is_some() {
        return Err(format!("virtual host `{}` chooses by a matcher tree", host.name));
    }
    let mut passed_over = Vec::new();
    for route in &host.routes {
        match matches(&route.r#match, config, message, circumstances) {
            Verdict::Matches => return Ok((Some(route), passed_over)),
            Verdict::Not(reason) => {
                let name = if route.name.is_empty() {
                    describe_match(route)
                } else {
                    route.name.clone()
                };
                passed_over.push(passed(&name, reason, Origin::of(&route.metadata)));
            }
            Verdict::NotModelled(what) => {
                return Err(format!(
                    "{what}, by which route `{}` matches",
                    describe_match(route)
                ));
            }
        }
    }
    Ok((None, passed_over))
}

/// Whether a route takes a request. Conditions that do not hold are told before ones that are not modelled.
fn matches(
    matcher: &RouteMatch,
    config: &RouteConfiguration,
    message: &Message,
    circumstances: &Circumstances<'_>,
) -> Verdict {
    let mut unknown = None;
    let path = match_path(matcher, config, message, circumstances.regexes);
    let headers = matcher
        .headers
        .iter()
        .map(|header| match_header(header, message, circumstances.regexes));
    let parameters = matcher
        .query_parameters
        .iter()
        .map(|parameter| match_query(parameter, message, circumstances.regexes));
    let others = [
        match_fraction(matcher, circumstances.request),
        match_grpc(matcher, message),
        match_tls(matcher, circumstances),
        not_modelled(matcher),
    ];
    for verdict in std::iter::once(path)
        .chain(others)
        .chain(headers)
        .chain(parameters)
    {
        match verdict {
            Verdict::Matches => {}
            Verdict::Not(reason) => return Verdict::Not(reason),
            Verdict::NotModelled(what) => unknown = unknown.or(Some(what)),
        }
    }
    unknown.map_or(Verdict::Matches, Verdict::NotModelled)
}

fn verdict(matches: bool, reason: impl FnOnce() -> String) -> Verdict {
    if matches {
        Verdict::Matches
    } else {
        Verdict::Not(reason())
    }
}

fn bad_regex(regex: &str) -> Verdict {
    Verdict::NotModelled(format!("the expression `{regex}` is not understood"))
}

fn match_path(
    matcher: &RouteMatch,
    config: &RouteConfiguration,
    message: &Message,
    regexes: &Regexes,
) -> Verdict {
    let whole = message.path_only();
    let stripped;
    let path = if config.ignore_path_parameters_in_path_matching {
        stripped = strip_parameters(whole);
        &stripped
    } else {
        whole
    };
    let any_case = matcher.case_sensitive == Some(false);
    let starts_with = |prefix: &str| {
        let start = path.as_bytes().get(..prefix.len());
        start.is_some_and(|start| {
            if any_case {
                start.eq_ignore_ascii_case(prefix.as_bytes())
            } else {
                start == prefix.as_bytes()
            }
        })
    };
    if let Some(prefix) = &matcher.prefix {
        verdict(starts_with(prefix), || {
            format!("the path `{path}` does not start with `{prefix}`")
        })
    } else if let Some(exact) = &matcher.path {
        let same = if any_case {
            path.eq_ignore_ascii_case(exact)
        } else {
            path == exact
        };
        verdict(same, || format!("the path `{path}` is not `{exact}`"))
    } else if let Some(regex) = &matcher.safe_regex {
        match regexes.matches(&regex.regex, path) {
            Some(matches) => verdict(matches, || {
                format!("the path `{path}` is not matched by `{}`", regex.regex)
            }),
            None => bad_regex(&regex.regex),
        }
    } else if let Some(prefix) = &matcher.path_separated_prefix {
        let ends = matches!(path.as_bytes().get(prefix.len()), None | Some(b'/'));
        verdict(starts_with(prefix) && ends, || {
            format!("the path `{path}` is not `{prefix}` or below it")
        })
    } else if matcher.connect_matcher.is_some() {
        verdict(message.method == "CONNECT", || {
            "the method is not CONNECT".to_owned()
        })
    } else if let Some(policy) = &matcher.path_match_policy {
        Verdict::NotModelled(format!("the path policy `{}` is not modelled", policy.kind()))
    } else {
        Verdict::NotModelled("the route's path condition is not modelled".to_owned())
    }
}

/// Without what follows a semicolon in each segment.
fn strip_parameters(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| segment.split(';').next().unwrap_or_default());
    segments.collect::<Vec<_>>().join("/")
}

/// Whether a text is matched. `None` where the matcher is not modelled.
fn match_string(matcher: &StringMatcher, text: &str, regexes: &Regexes) -> Option<bool> {
    if let Some(regex) = &matcher.safe_regex {
        return regexes.matches(&regex.regex, text);
    }
    let fold = |text: &str| {
        if matcher.ignore_case {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        }
    };
    let text = fold(text);
    if let Some(exact) = &matcher.exact {
        Some(text == fold(exact))
    } else if let Some(prefix) = &matcher.prefix {
        Some(text.starts_with(&fold(prefix)))
    } else if let Some(suffix) = &matcher.suffix {
        Some(text.ends_with(&fold(suffix)))
    } else {
        let part = matcher.contains.as_ref()?;
        Some(text.contains(&fold(part)))
    }
}

/// Whether a header's condition holds. Of several headers with the name, one is enough, and to an inverted condition
/// one is too much; so it is in Envoy 1.40, where earlier versions compared the values joined by commas.
pub(super) fn match_header(matcher: &HeaderMatcher, message: &Message, regexes: &Regexes) -> Verdict {
    let name = &matcher.name;
    let invert = matcher.invert_match;
    let mut values = message.values(name);
    if values.is_empty() && matcher.treat_missing_header_as_empty {
        values.push("");
    }
    if !asks_for_value(matcher) {
        let wanted = matcher.present_match.unwrap_or(true) != invert;
        return verdict(values.is_empty() != wanted, || {
            let is = if wanted { "missing" } else { "there" };
            format!("the header `{name}` is {is}")
        });
    }
    // What is not there matches no value, and neither does it match the opposite.
    if values.is_empty() {
        return Verdict::Not(format!("the header `{name}` is missing"));
    }
    if values == [GENERATED] && name.eq_ignore_ascii_case(REQUEST_ID) {
        return Verdict::NotModelled(format!("Envoy makes up the header `{name}`"));
    }
    let mut matched = false;
    for value in &values {
        match match_value(matcher, value, regexes) {
            Some(holds) => matched |= holds,
            None => {
                return Verdict::NotModelled(format!("the condition on the header `{name}` is not modelled"));
            }
        }
    }
    verdict(matched != invert, || {
        let not = if invert {
            "what it must not be"
        } else {
            "not what it must be"
        };
        format!("the header `{name}` is `{}`, {not}", values.join("`, `"))
    })
}

/// Whether a condition is about a header's value, and not only whether the header is there.
fn asks_for_value(matcher: &HeaderMatcher) -> bool {
    matcher.exact_match.is_some()
        || matcher.safe_regex_match.is_some()
        || matcher.range_match.is_some()
        || matcher.prefix_match.is_some()
        || matcher.suffix_match.is_some()
        || matcher.contains_match.is_some()
        || matcher.string_match.is_some()
}

/// `None` where the condition is not modelled.
fn match_value(matcher: &HeaderMatcher, value: &str, regexes: &Regexes) -> Option<bool> {
    Some(if let Some(exact) = &matcher.exact_match {
        value == exact
    } else if let Some(regex) = &matcher.safe_regex_match {
        regexes.matches(&regex.regex, value)?
    } else if let Some(range) = matcher.range_match {
        value
            .parse::<i64>()
            .is_ok_and(|number| (range.start..range.end).contains(&number))
    } else if let Some(prefix) = &matcher.prefix_match {
        value.starts_with(prefix)
    } else if let Some(suffix) = &matcher.suffix_match {
        value.ends_with(suffix)
    } else if let Some(part) = &matcher.contains_match {
        value.contains(part)
    } else {
        match_string(matcher.string_match.as_ref()?, value, regexes)?
    })
}

fn match_query(matcher: &QueryParameterMatcher, message: &Message, regexes: &Regexes) -> Verdict {
    let name = &matcher.name;
    let value = message.query_parameter(name);
    let Some(string) = &matcher.string_match else {
        let wanted = matcher.present_match.unwrap_or(true);
        return verdict(value.is_some() == wanted, || {
            let is = if wanted { "missing" } else { "there" };
            format!("the query parameter `{name}` is {is}")
        });
    };
    let Some(value) = value else {
        return Verdict::Not(format!("the query parameter `{name}` is missing"));
    };
    match match_string(string, value, regexes) {
        Some(matched) => verdict(matched, || {
            format!("the query parameter `{name}` is `{value}`, not what it must be")
        }),
        None => Verdict::NotModelled(format!(
            "the condition on the query parameter `{name}` is not modelled"
        )),
    }
}

fn match_fraction(matcher: &RouteMatch, request: &Request) -> Verdict {
    let Some(fraction) = &matcher.runtime_fraction else {
        return Verdict::Matches;
    };
    let share = fraction.default_value;
    let holds = match request.random {
        Some(random) => random % share.denominator() < u64::from(share.numerator),
        None => share.numerator > 0,
    };
    verdict(holds, || {
        format!("it takes only {}% of the requests", share.fraction() * 100.0)
    })
}

fn match_grpc(matcher: &RouteMatch, message: &Message) -> Verdict {
    if matcher.grpc.is_none() {
        return Verdict::Matches;
    }
    let content_type = message.header("content-type").unwrap_or_default();
    verdict(is_grpc(&content_type), || "it is not a gRPC request".to_owned())
}

/// Whether a content type is that of gRPC.
pub(super) fn is_grpc(content_type: &str) -> bool {
    let suffix = content_type.strip_prefix("application/grpc");
    suffix.is_some_and(|suffix| suffix.is_empty() || suffix.starts_with('+'))
}

fn match_tls(matcher: &RouteMatch, circumstances: &Circumstances<'_>) -> Verdict {
    let Some(wanted) = &matcher.tls_context else {
        return Verdict::Matches;
    };
    let tls = circumstances
        .request
        .tls
        .as_ref()
        .filter(|_| circumstances.is_tls);
    let shown = tls.is_some_and(|tls| tls.certificate);
    for (wanted, word) in [(wanted.presented, "shows"), (wanted.validated, "has proven")] {
        if wanted.is_some_and(|wanted| wanted != shown) {
            let not = if shown { "" } else { "no " };
            return Verdict::Not(format!("the client {word} {not}certificate"));
        }
    }
    Verdict::Matches
}

/// Conditions that depend on what filters and code have found out.
fn not_modelled(matcher: &RouteMatch) -> Verdict {
    let what = if !matcher.dynamic_metadata.is_empty() {
        "dynamic metadata is not modelled"
    } else if !matcher.filter_state.is_empty() {
        "filter state is not modelled"
    } else if !matcher.cookies.is_empty() {
        "conditions on cookies are not modelled"
    } else {
        return Verdict::Matches;
    };
    Verdict::NotModelled(what.to_owned())
}
