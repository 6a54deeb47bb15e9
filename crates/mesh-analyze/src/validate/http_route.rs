//! Validation of the HTTP rules of a `VirtualService`.

use mesh_core::istio::virtual_service::{
    Abort, CorsPolicy, Delay, HeaderOperations, Headers, HttpDirectResponse, HttpFaultInjection,
    HttpMatchRequest, HttpRedirect, HttpRetry, HttpRewrite, HttpRoute, StringMatch,
};
use mesh_core::schema::validate::closest;

use super::Findings;
use super::at::At;
use super::shared::{self, Shown};
use super::virtual_service::{destination, gateways, weights};

/// What the rules of a virtual service are for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Audience {
    /// Whether other virtual services delegate to this one.
    pub(super) is_delegate: bool,
    /// Whether sidecars use the rules, as they do unless only gateways are listed.
    pub(super) for_mesh: bool,
}

/// How a key of `headers` begins that stands for a claim of a token.
const CLAIM: &str = "@request.auth.claims";

/// The most bytes of a fixed answer, and how many are too many for comfort.
const BODY_LIMIT: usize = 1024 * 1024;
const BODY_LARGE: usize = 100 * 1024;

/// What Envoy can retry on, besides statuses.
const RETRY_CONDITIONS: [&str; 16] = [
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "envoy-ratelimited",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
];

/// The names of gRPC's statuses (<https://grpc.github.io/grpc/core/md_doc_statuscodes.html>).
const GRPC_STATUSES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE",
];

/// Checks one rule.
pub(super) fn check(route: &HttpRoute, audience: Audience, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    shape(route, audience, at, findings);
    for (item, condition) in at.items("match").zip(&route.matches) {
        conditions(condition, audience, &item, findings);
    }
    for (item, target) in at.items("route").zip(&route.route) {
        if let Some(target) = &target.destination {
            destination(target, &item.key("destination"), findings);
        }
        if let Some(changes) = &target.headers {
            let place = item.key("headers");
            headers(changes, &place, findings);
            authority(None, changes, &place, findings);
        }
    }
    let list: Vec<_> = route.route.iter().map(|target| target.weight).collect();
    weights(&list, at, findings);
    if let Some(changes) = &route.headers {
        let place = at.key("headers");
        headers(changes, &place, findings);
        let rewrite = at.key("rewrite");
        let rewritten = route
            .rewrite
            .as_ref()
            .filter(|rewrite| !rewrite.authority.is_empty());
        authority(
            rewritten.map(|_| rewrite.key("authority")),
            changes,
            &place,
            findings,
        );
    }
    if let Some(policy) = &route.cors_policy {
        cors(policy, &at.key("corsPolicy"), findings);
    }
    if let Some(faults) = &route.fault {
        fault(faults, &at.key("fault"), findings);
    }
    mirrors(route, at, findings);
    if let Some(to) = &route.redirect {
        redirect(to, &route.matches, at, findings);
    }
    if let Some(answer) = &route.direct_response {
        direct_response(answer, &at.key("directResponse"), findings);
    }
    if let Some(change) = &route.rewrite {
        rewrite(change, &at.key("rewrite"), findings);
    }
    if let Some(policy) = &route.retries {
        retries(policy, &at.key("retries"), findings);
    }
    shared::whole_millis(route.timeout, &at.key("timeout"), findings);
}

/// What becomes of a request: exactly one thing.
fn shape(route: &HttpRoute, audience: Audience, at: &At<'_>, findings: &mut Findings) {
    let exclude = |first: &str, seconds: &[(&str, bool)], findings: &mut Findings| {
        for (second, _) in seconds.iter().filter(|(_, set)| *set) {
            findings
                .error(
                    at.key(second),
                    format!("`{second}` cannot be set together with `{first}`"),
                )
                .related(at.key(first), format!("`{first}` is set here"))
                .help("keep one of them, or split the rule in two");
        }
    };
    let routes = !route.route.is_empty();
    let redirects = route.redirect.is_some();
    let answers = route.direct_response.is_some();
    let modifies = [
        ("fault", route.fault.is_some()),
        ("rewrite", route.rewrite.is_some()),
    ];
    if route.delegate.is_some() {
        if audience.is_delegate {
            findings
                .error(at.key("delegate"), "a delegate cannot delegate in turn")
                .help("route the request here");
        }
        exclude(
            "delegate",
            &[("route", routes), ("redirect", redirects)],
            findings,
        );
    } else if redirects {
        exclude(
            "redirect",
            &[("route", routes), ("directResponse", answers)],
            findings,
        );
        exclude("redirect", &modifies, findings);
    } else if answers {
        exclude("directResponse", &[("route", routes)], findings);
        exclude("directResponse", &modifies, findings);
    } else if !routes {
        let field = at.key("route");
        let others = ["delegate", "redirect", "directResponse"];
        // Fields of another type are reported by their schema.
        if field.has_no_items() && !others.iter().any(|name| at.key(name).exists()) {
            findings
                .error(field, "the rule does not say what becomes of the request")
                .help("add `route`, `redirect`, `directResponse` or `delegate`");
        }
    }
    if route.mirror.is_some() {
        exclude("mirror", &[("mirrors", !route.mirrors.is_empty())], findings);
    }
}

fn conditions(condition: &HttpMatchRequest, audience: Audience, at: &At<'_>, findings: &mut Findings) {
    for (name, headers) in [
        ("headers", &condition.headers),
        ("withoutHeaders", &condition.without_headers),
    ] {
        let place = at.key(name);
        for (header, condition) in headers {
            let item = place.key(header);
            header_key(header, audience, &item, findings);
            // Envoy has no such expression, but the control plane takes it to mean any value.
            let any = name == "withoutHeaders" && condition.regex.as_deref() == Some("*");
            if !any {
                shared::string_match(condition, &item, findings);
            }
        }
    }
    let place = at.key("queryParams");
    for (name, condition) in &condition.query_params {
        shared::string_match(condition, &place.key(name), findings);
    }
    for (name, text) in [
        ("scheme", &condition.scheme),
        ("method", &condition.method),
        ("authority", &condition.authority),
    ] {
        if let Some(text) = text {
            shared::string_match(text, &at.key(name), findings);
        }
    }
    if let Some(uri) = &condition.uri {
        shared::regex_match(uri, &at.key("uri"), findings);
    }
    if condition.port != 0 {
        shared::port(condition.port, &at.key("port"), findings);
    }
    shared::labels(&condition.source_labels, &at.key("sourceLabels"), findings);
    gateways(&condition.gateways, at, findings);
    if !condition.source_namespace.is_empty() {
        shared::dns_label(
            &condition.source_namespace,
            "namespace",
            &at.key("sourceNamespace"),
            findings,
        );
    }
}

/// A key of `headers`: a header, a pseudo-header, or a claim of a token.
fn header_key(key: &str, audience: Audience, at: &At<'_>, findings: &mut Findings) {
    let claim = key
        .get(..CLAIM.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(CLAIM))
        && key[CLAIM.len()..].starts_with(['.', '[']);
    if claim {
        if audience.for_mesh && !audience.is_delegate {
            findings
                .error(
                    *at,
                    format!("the claim {} can be matched at gateways only", Shown(key)),
                )
                .help("list `gateways`, without `mesh`");
        }
        return;
    }
    if !shared::is_token(key.strip_prefix(':').unwrap_or(key)) {
        let message = if key.is_empty() {
            "the name of a header is empty".to_owned()
        } else {
            format!("{} is not a name of a header", Shown(key))
        };
        findings
            .error(*at, message)
            .help("use letters, digits and dashes, such as `x-user-id`");
    }
}

fn headers(changes: &Headers, at: &At<'_>, findings: &mut Findings) {
    for (name, operations) in [("request", &changes.request), ("response", &changes.response)] {
        if let Some(operations) = operations {
            header_operations(operations, name == "request", &at.key(name), findings);
        }
    }
}

fn header_operations(operations: &HeaderOperations, on_request: bool, at: &At<'_>, findings: &mut Findings) {
    for (name, changes) in [("set", &operations.set), ("add", &operations.add)] {
        let place = at.key(name);
        for (header, value) in changes {
            let item = place.key(header);
            header_name(header, on_request, &item, findings);
            shared::header_value(value, &item, findings);
        }
    }
    for (item, header) in at.items("remove").zip(&operations.remove) {
        header_name(header, false, &item, findings);
    }
}

/// Asks for a header that can be changed; the authority only where `authority` says so.
fn header_name(header: &str, authority: bool, at: &At<'_>, findings: &mut Findings) {
    if header.is_empty() {
        findings.error(*at, "the name of a header is empty");
    } else if shared::is_authority(header) {
        if !authority {
            findings
                .error(*at, format!("the header `{header}` cannot be changed here"))
                .help("the authority can be set on requests only, and not removed");
        }
    } else if header.starts_with(':') {
        findings
            .error(
                *at,
                format!("the pseudo-header {} cannot be changed", Shown(header)),
            )
            .help("use `rewrite` to change the path or the authority");
    }
}

/// Reports a second change of the authority. `rewritten` is where `rewrite` changes it.
fn authority(rewritten: Option<At<'_>>, changes: &Headers, at: &At<'_>, findings: &mut Findings) {
    let Some(request) = &changes.request else { return };
    let place = at.key("request");
    let mut first = rewritten.map(|place| place.path());
    for (name, changes) in [("set", &request.set), ("add", &request.add)] {
        for header in changes.keys().filter(|header| shared::is_authority(header)) {
            let item = place.key(name);
            let item = item.key(header);
            match &first {
                Some(first) => {
                    findings
                        .error(item, "the authority of the request is changed twice")
                        .related(first.clone(), "first changed here")
                        .help("keep one of the changes");
                }
                None => first = Some(item.path()),
            }
        }
    }
}

fn cors(policy: &CorsPolicy, at: &At<'_>, findings: &mut Findings) {
    for (item, origin) in at.items("allowOrigins").zip(&policy.allow_origins) {
        allowed_origin(origin, &item, findings);
    }
    for (item, method) in at.items("allowMethods").zip(&policy.allow_methods) {
        if method != "*" && !METHODS.contains(&method.as_str()) && item.is_text() {
            let upper = method.trim().to_ascii_uppercase();
            findings
                .error(item, format!("{} is not an HTTP method", Shown(method)))
                .help(if METHODS.contains(&upper.as_str()) {
                    format!("write `{upper}`")
                } else {
                    format!("methods are {}, or `*` for all", METHODS.join(", "))
                });
        }
    }
    for (name, list) in [
        ("allowHeaders", &policy.allow_headers),
        ("exposeHeaders", &policy.expose_headers),
    ] {
        for (item, header) in at.items(name).zip(list) {
            if !shared::is_token(header) && item.is_text() {
                findings
                    .error(item, format!("{} is not a name of a header", Shown(header)))
                    .help("write one name in each item, or `*` for all");
            }
        }
    }
    if let Some(age) = policy.max_age.filter(|age| age.as_nanos() % 1_000_000_000 != 0) {
        findings
            .error(
                at.key("maxAge"),
                format!("`{age}` is not a whole number of seconds"),
            )
            .help("write whole seconds, such as `24h` or `600s`");
    }
}

fn allowed_origin(origin: &StringMatch, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let fields = ["exact", "prefix", "regex"];
    let texts = [&origin.exact, &origin.prefix, &origin.regex];
    if texts.iter().all(|text| text.is_none()) && !fields.iter().any(|name| at.key(name).exists()) {
        findings
            .error(*at, "the condition on an origin is empty")
            .help("set `exact`, `prefix` or `regex`; `exact: \"*\"` allows every origin");
    }
    if origin.exact.as_deref() == Some("") && at.key("exact").is_text() {
        findings
            .error(at.key("exact"), "the origin is empty")
            .help("write an origin such as `https://shop.example.com`, or `*`");
    }
    shared::string_match(origin, at, findings);
}

fn fault(faults: &HttpFaultInjection, at: &At<'_>, findings: &mut Findings) {
    if faults.abort.is_none() && faults.delay.is_none() && at.is_empty_mapping() {
        findings
            .error(*at, "the fault does nothing")
            .help("set `abort` or `delay`");
    }
    if let Some(abort) = &faults.abort {
        check_abort(abort, &at.key("abort"), findings);
    }
    if let Some(delay) = &faults.delay {
        check_delay(delay, &at.key("delay"), findings);
    }
}

fn check_abort(abort: &Abort, at: &At<'_>, findings: &mut Findings) {
    shared::fractional_percent(abort.percentage.as_ref(), &at.key("percentage"), findings);
    let errors = ["httpStatus", "grpcStatus", "http2Error"];
    if at.is_mapping() && !errors.iter().any(|name| at.key(name).exists()) {
        findings
            .warning(*at, "the abort names no error, and so does nothing")
            .help("set `httpStatus` or `grpcStatus`");
    }
    if let Some(status) = abort.http_status {
        http_status(status.into(), &at.key("httpStatus"), findings);
    }
    if let Some(status) = &abort.grpc_status
        && !GRPC_STATUSES.contains(&status.as_str())
    {
        let help = match closest(status, GRPC_STATUSES.into_iter()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("statuses are {}", GRPC_STATUSES.join(", ")),
        };
        findings
            .error(
                at.key("grpcStatus"),
                format!("{} is not a status of gRPC", Shown(status)),
            )
            .help(help);
    }
    if abort.http2_error.is_some() {
        findings
            .error(at.key("http2Error"), "HTTP/2 errors are not supported")
            .help("use `httpStatus` or `grpcStatus`");
    }
}

/// Asks for a status, 200 to 600. Zero counts only if it is written.
fn http_status(status: i64, at: &At<'_>, findings: &mut Findings) {
    let is_written = at.node().and_then(mesh_yaml::Node::as_i64) == Some(status);
    if !(200..=600).contains(&status) && is_written {
        findings
            .error(*at, format!("`{status}` is not a status of HTTP answers"))
            .help("write a status from 200 to 599");
    }
}

fn check_delay(delay: &Delay, at: &At<'_>, findings: &mut Findings) {
    shared::percent(delay.percent.into(), &at.key("percent"), findings);
    shared::fractional_percent(delay.percentage.as_ref(), &at.key("percentage"), findings);
    shared::whole_millis(delay.fixed_delay, &at.key("fixedDelay"), findings);
    if delay.exponential_delay.is_some() {
        findings
            .error(at.key("exponentialDelay"), "random delays are not supported")
            .help("use `fixedDelay`");
    }
}

fn mirrors(route: &HttpRoute, at: &At<'_>, findings: &mut Findings) {
    if let Some(mirror) = &route.mirror {
        destination(mirror, &at.key("mirror"), findings);
    }
    if let Some(percent) = route.mirror_percent {
        let place = at.key("mirrorPercent");
        let old = at.key("mirror_percent");
        let place = if place.exists() { place } else { old };
        shared::percent(percent.into(), &place, findings);
    }
    shared::fractional_percent(
        route.mirror_percentage.as_ref(),
        &at.key("mirrorPercentage"),
        findings,
    );
    for (item, mirror) in at.items("mirrors").zip(&route.mirrors) {
        if let Some(target) = &mirror.destination {
            destination(target, &item.key("destination"), findings);
        }
        shared::fractional_percent(mirror.percentage.as_ref(), &item.key("percentage"), findings);
    }
}

fn redirect(redirect: &HttpRedirect, matches: &[HttpMatchRequest], rule: &At<'_>, findings: &mut Findings) {
    let at = rule.key("redirect");
    if !at.is_mapping() {
        return;
    }
    let prefix = at.key("prefixRewrite");
    if !redirect.prefix_rewrite.is_empty() {
        if !redirect.uri.is_empty() {
            findings
                .error(prefix, "`prefixRewrite` cannot be set together with `uri`")
                .related(at.key("uri"), "`uri` is set here")
                .help("keep one of them");
        }
        for (index, condition) in matches.iter().enumerate() {
            let is_prefix = condition.uri.as_ref().is_none_or(|uri| uri.prefix.is_some());
            let item = rule.item("match", index);
            let uri = item.key("uri");
            if !is_prefix && uri.is_mapping() {
                findings
                    .error(
                        prefix,
                        "`prefixRewrite` needs conditions on a prefix of the path, but one is on something else",
                    )
                    .related(uri, "this condition is not on a prefix")
                    .help("match by `uri.prefix`, or set `uri` instead");
                break;
            }
        }
    }
    let parts = [
        "uri",
        "prefixRewrite",
        "authority",
        "port",
        "derivePort",
        "scheme",
    ];
    let is_set = |name: &&str| {
        let field = at.key(name);
        field.node().is_some_and(|node| node.as_str() != Some(""))
    };
    if !parts.iter().any(is_set) {
        findings
            .error(at, "the redirect changes nothing of the URL")
            .help("set `uri`, `prefixRewrite`, `authority`, `port` or `scheme`");
    }
    if redirect.redirect_code != 0 && !(300..=399).contains(&redirect.redirect_code) {
        findings
            .error(
                at.key("redirectCode"),
                format!("`{}` is not a status of redirects", redirect.redirect_code),
            )
            .help("write a status from 300 to 399, such as 301 or 302");
    }
    if !matches!(redirect.scheme.as_str(), "" | "http" | "https") {
        findings
            .error(
                at.key("scheme"),
                format!("{} is not a scheme of redirects", Shown(&redirect.scheme)),
            )
            .help("write `http` or `https`");
    }
    if let Some(port) = redirect.port {
        shared::port(port, &at.key("port"), findings);
    }
}

fn direct_response(answer: &HttpDirectResponse, at: &At<'_>, findings: &mut Findings) {
    http_status(answer.status.into(), &at.key("status"), findings);
    let Some(body) = &answer.body else { return };
    let place = at.key("body");
    let (name, size) = match (&body.string, &body.bytes) {
        (Some(text), _) => ("string", text.len()),
        (None, Some(bytes)) => ("bytes", bytes.0.len()),
        (None, None) => return,
    };
    if size > BODY_LIMIT {
        findings
            .error(
                place.key(name),
                format!("the body has {size} bytes, but at most {BODY_LIMIT} are allowed"),
            )
            .help("serve it from a service");
    } else if size > BODY_LARGE {
        findings
            .warning(
                place.key(name),
                format!("the body has {size} bytes, which every proxy has to hold"),
            )
            .help("serve it from a service");
    }
}

fn rewrite(change: &HttpRewrite, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let regex = at.key("uriRegexRewrite");
    if change.uri.is_empty() && change.authority.is_empty() && !regex.exists() {
        let parts = ["uri", "authority"];
        if parts.iter().all(|name| at.key(name).has_no_text()) {
            findings
                .error(*at, "the rewrite changes nothing")
                .help("set `uri`, `uriRegexRewrite` or `authority`");
        }
    }
    let Some(expression) = &change.uri_regex_rewrite else {
        return;
    };
    if !change.uri.is_empty() {
        findings
            .error(regex, "`uriRegexRewrite` cannot be set together with `uri`")
            .related(at.key("uri"), "`uri` is set here")
            .help("keep one of them");
    }
    for name in ["match", "rewrite"] {
        let field = regex.key(name);
        if regex.is_mapping() && field.has_no_text() {
            findings
                .error(field, format!("the rewrite by an expression has no `{name}`"))
                .help("set both `match` and `rewrite`");
        }
    }
    if !expression.matching.is_empty() {
        shared::regex(&expression.matching, &regex.key("match"), findings);
    }
}

/// Checks how failed requests are repeated.
pub(super) fn retries(policy: &HttpRetry, at: &At<'_>, findings: &mut Findings) {
    let attempts = at.key("attempts");
    if policy.attempts < 0 {
        findings
            .error(attempts, format!("`{}` is negative", policy.attempts))
            .help("write 0 to turn retries off");
    }
    let is_zero = policy.attempts == 0 && (!attempts.exists() || attempts.reads(0_u32));
    let settings = [
        ("perTryTimeout", policy.per_try_timeout.is_some()),
        ("retryOn", !policy.retry_on.is_empty()),
        ("retryRemoteLocalities", policy.retry_remote_localities.is_some()),
    ];
    if is_zero && let Some((name, _)) = settings.iter().find(|(_, set)| *set) {
        let message = if attempts.exists() {
            format!("`{name}` contradicts `attempts: 0`, which turns retries off")
        } else {
            format!("`{name}` has no effect without `attempts`, which is 0 if unset")
        };
        findings
            .error(at.key(name), message)
            .help("set `attempts` to the number of retries, or remove the other settings");
    }
    shared::whole_millis(policy.per_try_timeout, &at.key("perTryTimeout"), findings);
    shared::whole_millis(policy.backoff, &at.key("backoff"), findings);
    retry_on(&policy.retry_on, &at.key("retryOn"), findings);
}

fn retry_on(list: &str, at: &At<'_>, findings: &mut Findings) {
    if list.is_empty() {
        return;
    }
    for entry in list.split(',') {
        let trimmed = entry.trim();
        let is_known = |text: &str| {
            RETRY_CONDITIONS.contains(&text) || text.parse::<u16>().is_ok_and(is_registered_status)
        };
        if is_known(entry) {
            continue;
        }
        let message = if trimmed.is_empty() {
            format!("{} has an empty entry", Shown(list))
        } else if is_known(trimmed) {
            format!(
                "{} has blanks around it, with which it is not understood",
                Shown(trimmed)
            )
        } else {
            format!("{} is nothing that can be retried on", Shown(trimmed))
        };
        let help = if is_known(trimmed) || trimmed.is_empty() {
            "separate the entries by commas alone".to_owned()
        } else {
            match closest(trimmed, RETRY_CONDITIONS.into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write HTTP statuses, or any of {}", RETRY_CONDITIONS.join(", ")),
            }
        };
        findings.error(*at, message).help(help);
    }
}

/// Whether the status is registered (IANA, HTTP Status Code Registry).
pub(super) fn is_registered_status(status: u16) -> bool {
    matches!(
        status,
        100..=103
            | 200..=208
            | 226
            | 300..=305
            | 307..=308
            | 400..=418
            | 421..=426
            | 428..=429
            | 431
            | 451
            | 500..=508
            | 510..=511
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    const ROUTE: &str = "route: [{destination: {host: a}}]";

    fn expect_in(head: &str, rule: &str, place: &str, message: &str) {
        let (severity, path) = place.split_once(' ').expect("severity and path");
        let place = format!("{severity} spec.http[0].{path}");
        expect_findings(
            "VirtualService",
            &[(&format!("{{{head}, http: [{{{rule}}}]}}"), &place, message)],
        );
    }

    fn expect(rule: &str, place: &str, message: &str) {
        expect_in("hosts: [a]", rule, place, message);
    }

    fn expect_nothing(rule: &str) {
        expect_silence(
            "VirtualService",
            &[&format!("{{hosts: [a], http: [{{{rule}}}]}}")],
        );
    }

    #[test]
    fn a_rule_does_one_thing() {
        for (rule, place, message) in [
            ("timeout: 1s", "error route", "what becomes"),
            ("route: []", "error route", "what becomes"),
            (
                &format!("{ROUTE}, redirect: {{uri: /}}"),
                "error route",
                "`redirect`",
            ),
            (
                &format!("{ROUTE}, directResponse: {{status: 200}}"),
                "error route",
                "`directResponse`",
            ),
            (
                &format!("{ROUTE}, delegate: {{name: b}}"),
                "error route",
                "`delegate`",
            ),
            (
                "redirect: {uri: /}, delegate: {name: b}",
                "error redirect",
                "`delegate`",
            ),
            (
                "redirect: {uri: /}, directResponse: {status: 200}",
                "error directResponse",
                "`redirect`",
            ),
            (
                "redirect: {uri: /}, rewrite: {uri: /}",
                "error rewrite",
                "`redirect`",
            ),
            (
                "directResponse: {status: 200}, fault: {delay: {fixedDelay: 1s}}",
                "error fault",
                "`directResponse`",
            ),
            (
                &format!("{ROUTE}, mirror: {{host: b}}, mirrors: [{{destination: {{host: c}}}}]"),
                "error mirrors",
                "`mirror`",
            ),
            (
                "route: [{destination: {host: a}}, {destination: {host: b}}]",
                "error route",
                "are 0",
            ),
            (
                &format!("{ROUTE}, timeout: 0.5ms1s"),
                "error timeout",
                "milliseconds",
            ),
        ] {
            expect(rule, place, message);
        }
        for rule in [
            ROUTE,
            "delegate: {name: b}, match: [{uri: {prefix: /}}]",
            "redirect: {uri: /}",
            "directResponse: {status: 503}",
            "route: 1",
            "redirect: null",
            &format!("{ROUTE}, timeout: 1.5s"),
        ] {
            expect_nothing(rule);
        }
        expect_in(
            "exportTo: [.]",
            "delegate: {name: b}",
            "error delegate",
            "in turn",
        );
        expect_silence("VirtualService", &["{hosts: [a], http: [null, 1]}"]);
    }

    #[test]
    fn conditions() {
        let rule = |condition: &str| format!("match: [{condition}], {ROUTE}");
        for (condition, path, message) in [
            ("{uri: {regex: ''}}", "uri.regex", "empty"),
            ("{uri: {regex: '(?=a)'}}", "uri.regex", "lookaround"),
            ("{headers: {a: {prefix: ''}}}", "headers.a.prefix", "empty"),
            ("{headers: {'a b': {exact: c}}}", "headers[\"a b\"]", "`a b`"),
            ("{headers: {'': {exact: c}}}", "headers[\"\"]", "empty"),
            (
                "{withoutHeaders: {a: {regex: '['}}}",
                "withoutHeaders.a.regex",
                "`[`",
            ),
            (
                "{queryParams: {a: {regex: '*'}}}",
                "queryParams.a.regex",
                "nothing before",
            ),
            ("{method: {prefix: ''}}", "method.prefix", "empty"),
            ("{scheme: {regex: a**}}", "scheme.regex", "stacks"),
            ("{authority: {regex: a{1001}}}", "authority.regex", "1000"),
            ("{port: 65536}", "port", "`65536`"),
            ("{sourceLabels: {a: 'b c'}}", "sourceLabels.a", "`b c`"),
            ("{sourceNamespace: a_b}", "sourceNamespace", "`a_b`"),
            ("{gateways: [a/b/c]}", "gateways[0]", "`b/c`"),
            (
                "{headers: {'@request.auth.claims.sub': {exact: a}}}",
                "headers[\"@request.auth.claims.sub\"]",
                "gateways only",
            ),
        ] {
            let condition = condition.replace("a{1001}", "'a{1001}'");
            expect(&rule(&condition), &format!("error match[0].{path}"), message);
        }
        expect(
            &rule(&format!("{{uri: {{regex: {}}}}}", "a".repeat(1025))),
            "error match[0].uri.regex",
            "1025 characters",
        );
        for condition in [
            "{}",
            "{uri: {prefix: ''}}",
            "{uri: {regex: '/a(/.*)?'}}",
            "{headers: {x-a: {}, ':path': {exact: b}, cookie: {regex: '^(.*?;)?(user=a)(;.*)?$'}}}",
            "{withoutHeaders: {a: {regex: '*'}, b: {}}}",
            "{headers: null, uri: 1, port: x}",
        ] {
            expect_nothing(&rule(condition));
        }
        let claims = rule("{headers: {'@request.auth.claims[sub]': {exact: a}}}");
        expect_silence(
            "VirtualService",
            &[&format!(
                "{{hosts: [a.b], gateways: [edge], http: [{{{claims}}}]}}"
            )],
        );
    }

    #[test]
    fn header_changes() {
        let rule = |headers: &str| format!("{ROUTE}, headers: {headers}");
        for (headers, path, message) in [
            (
                "{request: {set: {':path': a}}}",
                "request.set[\":path\"]",
                "pseudo-header",
            ),
            ("{request: {remove: [Host]}}", "request.remove[0]", "`Host`"),
            ("{request: {remove: ['']}}", "request.remove[0]", "empty"),
            ("{response: {add: {host: a}}}", "response.add.host", "`host`"),
            ("{response: {set: {a: '100%'}}}", "response.set.a", "ends it"),
            (
                "{request: {add: {a: \"b\\n\"}}}",
                "request.add.a",
                "control character",
            ),
            (
                "{request: {set: {host: a}, add: {':authority': b}}}",
                "request.add[\":authority\"]",
                "twice",
            ),
        ] {
            expect(&rule(headers), &format!("error headers.{path}"), message);
        }
        expect(
            &format!("{ROUTE}, rewrite: {{authority: a}}, headers: {{request: {{set: {{Host: b}}}}}}"),
            "error headers.request.set.Host",
            "twice",
        );
        expect(
            "route: [{destination: {host: a}, headers: {response: {remove: [':status']}}}]",
            "error route[0].headers.response.remove[0]",
            "pseudo-header",
        );
        for headers in [
            "{request: {set: {host: a, x: '%START_TIME%'}, remove: [b]}, response: {add: {c: '50%%'}}}",
            "{}",
            "{request: null}",
        ] {
            expect_nothing(&rule(headers));
        }
    }

    #[test]
    fn cors() {
        let rule = |policy: &str| format!("{ROUTE}, corsPolicy: {policy}");
        for (policy, path, message) in [
            ("{allowOrigins: [{}]}", "allowOrigins[0]", "empty"),
            ("{allowOrigins: [{exact: ''}]}", "allowOrigins[0].exact", "empty"),
            ("{allowOrigins: [{regex: '('}]}", "allowOrigins[0].regex", "`(`"),
            ("{allowMethods: [get]}", "allowMethods[0]", "`get`"),
            ("{allowHeaders: ['a, b']}", "allowHeaders[0]", "`a, b`"),
            ("{exposeHeaders: ['']}", "exposeHeaders[0]", "``"),
            ("{maxAge: 1.5s}", "maxAge", "seconds"),
        ] {
            expect(&rule(policy), &format!("error corsPolicy.{path}"), message);
        }
        expect_nothing(&rule(
            "{allowOrigins: [{exact: '*'}], allowMethods: [GET, '*'], allowHeaders: [x-a, '*'], maxAge: 24h}",
        ));
        expect_nothing(&rule("{allowOrigins: [null, 1], allowMethods: 2}"));
    }

    #[test]
    fn faults_and_mirrors() {
        let fault = |fault: &str| format!("{ROUTE}, fault: {fault}");
        for (text, place, message) in [
            ("{}", "error fault", "nothing"),
            (
                "{abort: {percentage: {value: 1}}}",
                "warning fault.abort",
                "no error",
            ),
            (
                "{abort: {httpStatus: 700}}",
                "error fault.abort.httpStatus",
                "`700`",
            ),
            ("{abort: {httpStatus: 0}}", "error fault.abort.httpStatus", "`0`"),
            (
                "{abort: {grpcStatus: UNAVAILIBLE}}",
                "error fault.abort.grpcStatus",
                "UNAVAILIBLE",
            ),
            (
                "{abort: {http2Error: a}}",
                "error fault.abort.http2Error",
                "not supported",
            ),
            (
                "{abort: {httpStatus: 500, percentage: {value: 0.00001}}}",
                "error fault.abort.percentage.value",
                "too small",
            ),
            (
                "{delay: {exponentialDelay: 1s}}",
                "error fault.delay.exponentialDelay",
                "not supported",
            ),
            (
                "{delay: {fixedDelay: 1s, percent: 101}}",
                "error fault.delay.percent",
                "`101`",
            ),
            (
                "{delay: {fixedDelay: 1s, percentage: {value: -1}}}",
                "error fault.delay.percentage.value",
                "`-1`",
            ),
        ] {
            expect(&fault(text), place, message);
        }
        expect_nothing(&fault(
            "{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 0}}, delay: {fixedDelay: 1s, percentage: {value: 0.1}}}",
        ));
        expect_nothing(&fault("{abort: {httpStatus: a}}"));
        for (mirror, place) in [
            ("mirror: {host: '*'}", "error mirror.host"),
            ("mirror: {host: b}, mirrorPercent: 101", "error mirrorPercent"),
            ("mirror: {host: b}, mirror_percent: 101", "error mirror_percent"),
            (
                "mirror: {host: b}, mirrorPercentage: {value: 101}",
                "error mirrorPercentage.value",
            ),
            (
                "mirrors: [{destination: {host: b}, percentage: {value: 101}}]",
                "error mirrors[0].percentage.value",
            ),
            (
                "mirrors: [{destination: {host: b:80}}]",
                "error mirrors[0].destination.host",
            ),
        ] {
            expect(&format!("{ROUTE}, {mirror}"), place, "");
        }
    }

    #[test]
    fn redirects_answers_and_rewrites() {
        for (rule, place, message) in [
            ("redirect: {}", "error redirect", "changes nothing"),
            (
                "redirect: {redirectCode: 301}",
                "error redirect",
                "changes nothing",
            ),
            (
                "redirect: {uri: /, redirectCode: 200}",
                "error redirect.redirectCode",
                "`200`",
            ),
            ("redirect: {scheme: ftp}", "error redirect.scheme", "`ftp`"),
            ("redirect: {port: 0}", "error redirect.port", "`0`"),
            (
                "redirect: {uri: /, prefixRewrite: /}",
                "error redirect.prefixRewrite",
                "`uri`",
            ),
            (
                "match: [{uri: {exact: /a}}], redirect: {prefixRewrite: /}",
                "error redirect.prefixRewrite",
                "prefix",
            ),
            (
                "directResponse: {status: 199}",
                "error directResponse.status",
                "`199`",
            ),
            (
                &format!(
                    "directResponse: {{status: 200, body: {{string: {}}}}}",
                    "a".repeat(1024 * 1024 + 1)
                ),
                "error directResponse.body.string",
                "1048577 bytes",
            ),
            (
                &format!(
                    "directResponse: {{status: 200, body: {{string: {}}}}}",
                    "a".repeat(100 * 1024 + 1)
                ),
                "warning directResponse.body.string",
                "102401 bytes",
            ),
            (
                &format!("{ROUTE}, rewrite: {{}}"),
                "error rewrite",
                "changes nothing",
            ),
            (
                &format!("{ROUTE}, rewrite: {{uri: /, uriRegexRewrite: {{match: a, rewrite: b}}}}"),
                "error rewrite.uriRegexRewrite",
                "`uri`",
            ),
            (
                &format!("{ROUTE}, rewrite: {{uriRegexRewrite: {{match: a}}}}"),
                "error rewrite.uriRegexRewrite.rewrite",
                "`rewrite`",
            ),
            (
                &format!("{ROUTE}, rewrite: {{uriRegexRewrite: {{match: '(', rewrite: b}}}}"),
                "error rewrite.uriRegexRewrite.match",
                "`(`",
            ),
        ] {
            expect(rule, place, message);
        }
        for rule in [
            "redirect: {authority: a.b}",
            "redirect: {derivePort: FROM_REQUEST_PORT}",
            "match: [{uri: {prefix: /a}}, {headers: {b: {}}}], redirect: {prefixRewrite: /, redirectCode: 308}",
            "directResponse: {status: 200, body: {string: ok}}",
            "directResponse: {status: a}",
            &format!("{ROUTE}, rewrite: {{authority: a.b}}"),
            &format!("{ROUTE}, rewrite: {{uriRegexRewrite: {{match: ^/a(.*), rewrite: '\\1'}}}}"),
        ] {
            expect_nothing(rule);
        }
    }

    #[test]
    fn retries() {
        let rule = |policy: &str| format!("{ROUTE}, retries: {policy}");
        for (policy, field, message) in [
            ("{attempts: -1}", "attempts", "negative"),
            (
                "{attempts: 0, perTryTimeout: 1s}",
                "perTryTimeout",
                "turns retries off",
            ),
            ("{retryOn: 5xx}", "retryOn", "without `attempts`"),
            ("{attempts: 3, retryOn: 5xxx}", "retryOn", "`5xxx`"),
            ("{attempts: 3, retryOn: '5xx, reset'}", "retryOn", "blanks"),
            ("{attempts: 3, retryOn: '5xx,'}", "retryOn", "empty entry"),
            ("{attempts: 3, retryOn: '599'}", "retryOn", "`599`"),
            (
                "{attempts: 3, perTryTimeout: 1.5ms}",
                "perTryTimeout",
                "milliseconds",
            ),
        ] {
            expect(&rule(policy), &format!("error retries.{field}"), message);
        }
        for policy in [
            "{attempts: 0}",
            "{}",
            "{attempts: 3, retryOn: '5xx,reset,503,retriable-status-codes', backoff: 10ms}",
            "{attempts: a, retryOn: 5xx}",
        ] {
            expect_nothing(&rule(policy));
        }
    }
}
