//! Checks that several kinds share.
//!
//! Each takes a value, where it stands ([`At`]), and where to report. They stay silent about values that schema
//! validation refuses already: absent required fields, wrong types, `null`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use mesh_core::istio::common::{NetworkingWorkloadSelector, WorkloadSelector};
use mesh_core::istio::virtual_service::{Percent, StringMatch};
use mesh_core::schema::Duration;
use mesh_core::schema::validate::closest;
use mesh_core::{Header, Kind, Protocol};

use super::at::At;
use super::{Findings, re2};

/// A value in backticks, shortened to fit a message.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 80;
        let mut shown = String::new();
        for (count, c) in self.0.chars().enumerate() {
            if count == LONGEST {
                shown.push('…');
                break;
            }
            if c.is_control() {
                shown.extend(c.escape_debug());
            } else {
                shown.push(c);
            }
        }
        write!(formatter, "`{shown}`")
    }
}

// Names.

/// Whether `text` is a DNS label (RFC 1123): up to 63 letters, digits and inner dashes. Istio allows upper case.
pub(super) fn is_dns_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// Asks for a DNS label; `what` names the thing, as in "port name".
pub(super) fn dns_label(text: &str, what: &str, at: &At<'_>, findings: &mut Findings) {
    if is_dns_label(text) || !at.is_text() {
        return;
    }
    let message = if text.is_empty() {
        format!("the {what} is empty")
    } else {
        format!("{} is not a valid {what}", Shown(text))
    };
    findings
        .error(at, message)
        .help("use letters, digits and inner dashes, at most 63 characters");
}

/// Why `name` is not a fully qualified domain name, as a fragment. A trailing dot is allowed.
pub(super) fn fqdn_problem(name: &str) -> Option<String> {
    length_problem(name).or_else(|| labels_problem(name))
}

/// Why `name` is neither a domain name nor a wildcard for some (`*`, `*.example.com`, `*-api.example.com`).
pub(super) fn wildcard_domain_problem(name: &str) -> Option<String> {
    if let Some(problem) = length_problem(name) {
        return Some(problem);
    }
    let (first, rest) = match name.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (name, None),
    };
    let bare = first
        .strip_prefix("*-")
        .or_else(|| first.strip_prefix('*'))
        .unwrap_or(first);
    if first != "*" && (first.len() > 63 || !is_dns_label(bare)) {
        return Some(label_problem(first));
    }
    rest.and_then(|rest| {
        if rest.contains('*') {
            Some("has a wildcard that is not at its start".to_owned())
        } else {
            labels_problem(rest)
        }
    })
}

fn length_problem(name: &str) -> Option<String> {
    match name.len() {
        0 => Some("is empty".to_owned()),
        1..=255 => None,
        length => Some(format!("is {length} characters long, but names have at most 255")),
    }
}

fn labels_problem(name: &str) -> Option<String> {
    let (init, last) = name.rsplit_once('.').unwrap_or(("", name));
    if last.parse::<i64>().is_ok() {
        return Some(format!(
            "ends in {}, and a top-level domain is not a number",
            Shown(last)
        ));
    }
    let is_wrong = |label: &&str| !is_dns_label(label);
    let wrong = if name.contains('.') {
        init.split('.').find(is_wrong)
    } else {
        None
    };
    // An empty last label is the root of the DNS, as in `example.com.`.
    let wrong = wrong.or_else(|| (!last.is_empty() && !is_dns_label(last)).then_some(last));
    wrong.map(label_problem)
}

fn label_problem(label: &str) -> String {
    if label.is_empty() {
        "has an empty label".to_owned()
    } else if label.contains("://") || label.contains('/') {
        "is not a bare host name".to_owned()
    } else if label.contains(':') {
        "has a port or an address in it".to_owned()
    } else {
        format!("has the invalid label {}", Shown(label))
    }
}

/// Asks for a fully qualified name. Empty text counts only if it is written.
pub(super) fn fqdn(name: &str, at: &At<'_>, findings: &mut Findings) {
    if let Some(problem) = fqdn_problem(name) {
        name_error("domain name", name, &problem, at, findings);
    }
}

/// Asks for a domain name or a wildcard. Empty text counts only if it is written.
pub(super) fn wildcard_domain(name: &str, at: &At<'_>, findings: &mut Findings) {
    if let Some(problem) = wildcard_domain_problem(name) {
        name_error("host", name, &problem, at, findings);
    }
}

fn name_error(what: &str, name: &str, problem: &str, at: &At<'_>, findings: &mut Findings) {
    if !at.is_text() {
        return;
    }
    if name.is_empty() {
        findings.error(at, format!("the {what} is empty"));
        return;
    }
    findings
        .error(at, format!("{} {problem}", Shown(name)))
        .help("write a DNS name, without scheme, port or path");
}

/// Whether `host` has a wildcard that is neither a whole label at its start nor all of it, such as `*-api.example.com`.
pub(super) fn is_partial_wildcard(host: &str) -> bool {
    host.contains('*') && host != "*" && !host.starts_with("*.")
}

/// Whether `text` is an IP address.
pub(super) fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

/// Asks for an IP address.
pub(super) fn ip(text: &str, at: &At<'_>, findings: &mut Findings) {
    if !is_ip(text) && at.is_text() {
        findings.error(at, format!("{} is not an IP address", Shown(text)));
    }
}

/// Whether `text` is a range of addresses in CIDR notation.
pub(super) fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return false;
    };
    let most = match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => 32,
        Ok(IpAddr::V6(_)) => 128,
        Err(_) => return false,
    };
    !bits.starts_with('+') && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
}

/// Asks for an IP address or a CIDR range.
pub(super) fn ip_or_cidr(text: &str, at: &At<'_>, findings: &mut Findings) {
    if !is_ip(text) && !is_cidr(text) && at.is_text() {
        findings
            .error(
                at,
                format!("{} is neither an IP address nor a CIDR range", Shown(text)),
            )
            .help("write an address such as `10.0.0.1`, or a range such as `10.0.0.0/8`");
    }
}

/// The path of a Unix socket address (`unix:///path` or `unix://@abstract`).
pub(super) fn unix_path(address: &str) -> Option<&str> {
    address.strip_prefix("unix://")
}

/// Asks for the path of a Unix socket: absolute or abstract (`@name`), and not a folder.
pub(super) fn unix_socket(path: &str, at: &At<'_>, findings: &mut Findings) {
    let problem = if path.starts_with('@') {
        return;
    } else if path.is_empty() {
        "has no path"
    } else if !path.starts_with('/') {
        "is not an absolute path"
    } else if path.ends_with('/') {
        "names a folder"
    } else {
        return;
    };
    findings
        .error(at, format!("the Unix socket {} {problem}", Shown(path)))
        .help("write `unix:///absolute/path` or `unix://@name`");
}

// Ports and protocols.

/// Asks for a port number, 1 to 65535. Zero counts only if it is written.
pub(super) fn port(number: u32, at: &At<'_>, findings: &mut Findings) {
    if (1..=65535).contains(&number) || !at.reads(number) {
        return;
    }
    findings.error(at, format!("`{number}` is not a port: ports go from 1 to 65535"));
}

/// Asks for the name of a protocol. An empty name counts only if it is written and `optional` is false.
pub(super) fn protocol(name: &str, optional: bool, at: &At<'_>, findings: &mut Findings) {
    if Protocol::parse(name).is_some() || (name.is_empty() && (optional || !at.is_text())) {
        return;
    }
    let names = Protocol::ALL.iter().map(|(name, _)| name.to_ascii_uppercase());
    let names: Vec<_> = names.collect();
    let message = if name.is_empty() {
        "the protocol is empty".to_owned()
    } else {
        format!("{} is not a protocol", Shown(name))
    };
    let list = names.join(", ");
    let help = match closest(name, names.iter().map(String::as_str)) {
        Some(meant) if !name.is_empty() => format!("did you mean `{meant}`? protocols are {list}"),
        _ => format!("protocols are {list}"),
    };
    findings.error(at, message).help(help);
}

// Labels and selectors.

/// Asks for labels as Kubernetes allows them: keys with an optional DNS prefix, and short values.
pub(super) fn labels(labels: &BTreeMap<String, String>, at: &At<'_>, findings: &mut Findings) {
    for (key, value) in labels {
        if !is_label_key(key) {
            let message = if key.is_empty() {
                "a label key is empty".to_owned()
            } else {
                format!("{} is not a valid label key", Shown(key))
            };
            findings.error(at.key(key), message).help(
                "a key is a name of at most 63 letters, digits, `-`, `_` and `.`, with an optional DNS prefix and `/`",
            );
        }
        if !value.is_empty() && !is_label_name(value) {
            findings
                .error(
                    at.key(key),
                    format!(
                        "{} is not a valid value of the label {}",
                        Shown(value),
                        Shown(key)
                    ),
                )
                .help("a value is at most 63 letters, digits and inner `-`, `_` and `.`");
        }
    }
}

fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => {
            prefix.len() <= 253 && prefix.split('.').all(is_dns_label) && is_label_name(name)
        }
        None => is_label_name(key),
    }
}

fn is_label_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    bytes.len() <= 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Checks the selector of a `DestinationRule` beyond its schema.
pub(super) fn selector(selector: Option<&WorkloadSelector>, at: &At<'_>, findings: &mut Findings) {
    if selector.is_some_and(|selector| selector.match_labels.is_empty()) {
        empty_selector(&at.key("matchLabels"), at, findings);
    }
}

/// Checks the selector of a networking kind beyond its schema.
pub(super) fn networking_selector(
    selector: Option<&NetworkingWorkloadSelector>,
    at: &At<'_>,
    findings: &mut Findings,
) {
    let Some(selector) = selector else { return };
    let labels = at.key("labels");
    if selector.labels.is_empty() {
        empty_selector(&labels, at, findings);
    }
    for key in selector.labels.keys() {
        if key.is_empty() {
            findings.error(labels.key(key), "a label key is empty");
        } else if key.contains('*') {
            findings.error(
                labels.key(key),
                format!(
                    "{} has a wildcard in a label key: labels are compared literally",
                    Shown(key)
                ),
            );
        }
    }
}

fn empty_selector(labels: &At<'_>, at: &At<'_>, findings: &mut Findings) {
    // A selector of another type is reported by its schema.
    if at.is_mapping() && (!labels.exists() || labels.is_mapping()) {
        findings
            .warning(
                at,
                "`workloadSelector` has no labels, and so chooses every workload in reach",
            )
            .help("remove the selector if this is meant, else add labels");
    }
}

// Visibility.

/// What the kind of a resource allows in `exportTo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExportTo {
    /// Namespaces, `.` and `*`.
    Namespaces,
    /// Also `~`: visible to nobody.
    NamespacesOrNone,
    /// The own namespace alone.
    OwnNamespace,
}

/// Checks `exportTo` of a resource in `namespace`.
pub(super) fn export_to(
    entries: &[String],
    allowed: ExportTo,
    namespace: &str,
    spec: &At<'_>,
    findings: &mut Findings,
) {
    let list = spec.key("exportTo");
    // The namespaces that are exported to, and the first entry for each.
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (place, entry)) in list.children().zip(entries).enumerate() {
        if !place.is_text() {
            continue;
        }
        let meaning = if entry == "." { namespace } else { entry };
        let is_known = match entry.as_str() {
            "*" | "." => true,
            "~" => allowed == ExportTo::NamespacesOrNone,
            name => is_dns_label(name),
        };
        if !is_known {
            let message = if entry == "~" {
                "`~` is for ServiceEntry only: this resource cannot be hidden from everyone".to_owned()
            } else {
                format!("{} is not a namespace", Shown(entry))
            };
            findings
                .error(place, message)
                .help("write the name of a namespace, `.` for the own one, or `*` for all");
            continue;
        }
        if let Some(first) = seen.get(meaning) {
            let message = if entries.get(*first) == Some(entry) {
                format!("{} is listed twice", Shown(entry))
            } else {
                format!("`.` and {} are the same namespace", Shown(namespace))
            };
            findings
                .error(place, message)
                .related(list.index(*first), "first listed here");
            continue;
        }
        seen.insert(meaning, index);
        if allowed == ExportTo::OwnNamespace && meaning != namespace {
            findings
                .error(
                    place,
                    format!(
                        "a rule with a workload selector cannot be exported to {}, only to its own namespace",
                        Shown(entry)
                    ),
                )
                .help("write `exportTo: [.]`, or remove the field");
        }
    }
    for all in ["*", "~"] {
        if entries.len() > 1
            && let Some(index) = seen.get(all)
            && allowed != ExportTo::OwnNamespace
        {
            findings
                .error(
                    list.index(*index),
                    format!("`{all}` has to be the only entry, since it covers all namespaces"),
                )
                .help("remove the other entries, or this one");
        }
    }
}

// Text conditions.

/// The most characters of a regular expression.
const LONGEST_EXPRESSION: usize = 1024;

/// Asks for an RE2 expression: not empty, at most 1024 characters, and sound.
pub(super) fn regex(expression: &str, at: &At<'_>, findings: &mut Findings) {
    if expression.is_empty() {
        if at.is_text() {
            findings
                .error(at, "the regular expression is empty")
                .help("write `.*` to match any text");
        }
        return;
    }
    if expression.len() > LONGEST_EXPRESSION {
        findings
            .error(
                at,
                format!(
                    "the regular expression has {} characters, but at most {LONGEST_EXPRESSION} are allowed",
                    expression.len()
                ),
            )
            .help("shorten it, or split it into several conditions");
        return;
    }
    regex_syntax(expression, at, findings);
}

/// Asks for a sound RE2 expression of any length.
pub(super) fn regex_syntax(expression: &str, at: &At<'_>, findings: &mut Findings) {
    if let Err(error) = re2::check(expression) {
        let finding = findings.error(
            at,
            format!("the regular expression {} {}", Shown(expression), error.message),
        );
        if let Some(help) = error.help {
            finding.help(help);
        }
    }
}

/// Checks a condition on text: a prefix or expression is not empty, and the expression is sound.
pub(super) fn string_match(condition: &StringMatch, at: &At<'_>, findings: &mut Findings) {
    if condition.prefix.as_deref() == Some("") && at.key("prefix").is_text() {
        findings
            .error(at.key("prefix"), "the prefix is empty")
            .help("remove the condition: every text has the empty prefix");
    }
    regex_match(condition, at, findings);
}

/// Checks the expression of a condition that may have an empty prefix, such as that on a URI.
pub(super) fn regex_match(condition: &StringMatch, at: &At<'_>, findings: &mut Findings) {
    if let Some(expression) = &condition.regex {
        regex(expression, &at.key("regex"), findings);
    }
}

// Times and shares.

/// Asks for whole milliseconds, which is all that the control plane takes. The schema asks for at least one.
pub(super) fn whole_millis(duration: Option<Duration>, at: &At<'_>, findings: &mut Findings) {
    if let Some(duration) = duration.filter(|duration| !duration.is_whole_millis()) {
        findings
            .error(at, format!("`{duration}` is not a whole number of milliseconds"))
            .help("durations have a precision of one millisecond");
    }
}

/// Checks a duration that the schema has as plain text: it is one, of at least `least` and of whole milliseconds.
pub(super) fn duration_text(text: &str, least: Duration, at: &At<'_>, findings: &mut Findings) {
    if !at.is_text() {
        return;
    }
    let Some(duration) = Duration::parse(text) else {
        findings
            .error(at, format!("{} is not a duration", Shown(text)))
            .help("write a number with a unit, such as `300ms`, `1.5s` or `2h`");
        return;
    };
    if duration < least {
        findings.error(at, format!("`{text}` is too short: at least `{least}` is needed"));
    } else {
        whole_millis(Some(duration), at, findings);
    }
}

/// Asks for a percentage, 0 to 100.
pub(super) fn percent(value: i64, at: &At<'_>, findings: &mut Findings) {
    if !(0..=100).contains(&value) {
        percent_error(value, at, findings);
    }
}

/// Asks for a percentage, 0 to 100, that is not so small that Envoy takes it for 0.
pub(super) fn fractional_percent(percent: Option<&Percent>, at: &At<'_>, findings: &mut Findings) {
    let Some(Percent { value }) = percent else { return };
    let place = at.key("value");
    if !(0.0..=100.0).contains(value) {
        percent_error(value, &place, findings);
    } else if *value > 0.0 && *value < 0.0001 {
        findings
            .error(place, format!("`{value}` is too small a percentage"))
            .help("the smallest percentage above 0 is 0.0001");
    }
}

fn percent_error(value: impl fmt::Display, at: &At<'_>, findings: &mut Findings) {
    findings.error(
        at,
        format!("`{value}` is not a percentage: percentages go from 0 to 100"),
    );
}

// Headers.

/// Whether `name` is a token, which header names are (RFC 9110, section 5.6.2).
pub(super) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Whether the header carries the authority of a request.
pub(super) fn is_authority(name: &str) -> bool {
    name.eq_ignore_ascii_case(":authority") || name.eq_ignore_ascii_case("host")
}

/// Asks for a header value without control characters and with sound `%` variables, as Envoy reads them.
pub(super) fn header_value(value: &str, at: &At<'_>, findings: &mut Findings) {
    if let Some(c) = value.chars().find(|c| c.is_ascii_control() && *c != '\t') {
        findings.error(
            at,
            format!(
                "the header value has the control character `{}`",
                c.escape_debug()
            ),
        );
        return;
    }
    if let Err(problem) = variables(value) {
        findings
            .error(at, format!("the header value {} {problem}", Shown(value)))
            .help("write `%%` for a percent sign, and variables as `%NAME%` or `%NAME(argument)%`");
    }
}

/// Reads Envoy's grammar of variables in header values: `%%`, `%NAME%`, `%NAME(argument):length%`, where the argument
/// may be a list of quoted texts.
fn variables(value: &str) -> Result<(), &'static str> {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once('%') {
        if let Some(literal) = after.strip_prefix('%') {
            rest = literal;
            continue;
        }
        let unclosed = "has a `%` that starts a variable, but none that ends it";
        let end = after.find(['%', '(']).ok_or(unclosed)?;
        let (_, tail) = after.split_at(end);
        rest = match tail.strip_prefix('(') {
            Some(argument) => {
                let after = after_argument(argument).ok_or("has a variable with a `(`, but no `)`")?;
                let after = after.trim_start();
                let after = after.strip_prefix(':').map_or(after, |length| {
                    length.trim_start_matches(|c: char| c.is_ascii_digit())
                });
                after.strip_prefix('%').ok_or(unclosed)?
            }
            None => tail.strip_prefix('%').ok_or(unclosed)?,
        };
    }
    Ok(())
}

/// What follows the `)` that ends an argument.
fn after_argument(argument: &str) -> Option<&str> {
    let is_list = argument.trim_start().starts_with('[');
    let mut quoted = false;
    let mut chars = argument.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => {
                chars.next();
            }
            '"' if is_list => quoted = !quoted,
            ')' if !quoted => return argument.get(index + 1..),
            _ => {}
        }
    }
    None
}

// Annotations.

/// Checks the annotations that mean something on any Istio resource.
pub(super) fn annotations(resource: &Header, findings: &mut Findings) {
    const DRY_RUN: &str = "istio.io/dry-run";
    let kind = resource.kind();
    if kind.is_istio() && kind != Kind::AuthorizationPolicy && resource.annotations().contains_key(DRY_RUN) {
        let root = At::root(resource);
        let metadata = root.key("metadata");
        findings
            .error(
                metadata.key("annotations").key(DRY_RUN),
                format!("`{DRY_RUN}` is for AuthorizationPolicy, not for {kind}"),
            )
            .help("remove the annotation");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::findings;

    #[test]
    fn names_are_read_as_the_control_plane_reads_them() {
        for name in ["a", "a.b", "A-1.b", "example.com.", &"a".repeat(63)] {
            assert_eq!(fqdn_problem(name), None, "{name}");
        }
        for (name, problem) in [
            ("", "empty"),
            ("a..b", "empty label"),
            ("-a.b", "`-a`"),
            ("a_b.c", "`a_b`"),
            ("a.123", "not a number"),
            ("10.0.0.1", "not a number"),
            ("*.a", "`*`"),
            ("http://a.b", "bare host"),
            ("a.b:80", "port"),
            (&"a".repeat(64), "label"),
            (&"a.".repeat(128), "255"),
        ] {
            let found = fqdn_problem(name).unwrap_or_default();
            assert!(found.contains(problem), "{name}: {found}");
        }
        for name in ["*", "*.a.b", "*-a.b", "*a.b", "a.b", "a", "1", "*.com"] {
            assert_eq!(wildcard_domain_problem(name), None, "{name}");
        }
        for name in ["a.*.b", "a*.b", "**.b", "*.", "*..a", "*.1", "*-"] {
            let found = wildcard_domain_problem(name);
            // A trailing dot is the root of the DNS, also after a wildcard.
            assert_eq!(found.is_none(), name == "*.", "{name}: {found:?}");
        }
        assert!(is_partial_wildcard("*-a.b") && is_partial_wildcard("*a.b"));
        assert!(!is_partial_wildcard("*.a") && !is_partial_wildcard("*") && !is_partial_wildcard("a"));
    }

    #[test]
    fn ranges_are_addresses_with_a_prefix_length() {
        for range in ["10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32"] {
            assert!(is_cidr(range), "{range}");
        }
        for range in [
            "10.0.0.0",
            "10.0.0.0/33",
            "10.0.0/8",
            "::/129",
            "1.2.3.4/+8",
            "1.2.3.4/",
            "a/8",
        ] {
            assert!(!is_cidr(range), "{range}");
        }
    }

    #[test]
    fn label_keys_and_values_have_a_grammar() {
        for key in ["app", "app.kubernetes.io/name", "a_b.c-d", "Team"] {
            assert!(is_label_key(key), "{key}");
        }
        for key in ["", "/a", "a/", "a/b/c", "-a", "a b", "a_b/c", &"a".repeat(64)] {
            assert!(!is_label_key(key), "{key}");
        }
    }

    #[test]
    fn header_values_follow_envoys_grammar() {
        for value in [
            "",
            "plain",
            "100%%",
            "%START_TIME%",
            "%START_TIME(%Y/%m/%d)%",
            "%REQ(x-id?:path):10%-%RESPONSE_CODE%",
            r#"%UPSTREAM_METADATA(["a", "b)"])%"#,
            r"%REQ(a\))%",
        ] {
            assert_eq!(variables(value), Ok(()), "{value}");
        }
        for (value, problem) in [
            ("100%", "ends it"),
            ("50% off", "ends it"),
            ("%REQ(x", "no `)`"),
            ("%REQ(x)", "ends it"),
            ("%REQ(x) y%", "ends it"),
        ] {
            assert!(
                variables(value).is_err_and(|error| error.contains(problem)),
                "{value}"
            );
        }
    }

    #[test]
    fn dry_run_is_for_authorization_policies() {
        let with = |kind: &str, group: &str| {
            findings(
                "invalid-spec",
                &format!(
                    "{{apiVersion: {group}.istio.io/v1, kind: {kind}, \
                     metadata: {{name: a, annotations: {{istio.io/dry-run: \"true\"}}}}, spec: {{}}}}"
                ),
            )
        };
        let found = with("PeerAuthentication", "security").join("\n");
        assert!(
            found.starts_with("metadata.annotations[\"istio.io/dry-run\"]: `istio.io/dry-run` is for"),
            "{found}"
        );
        assert!(
            !with("AuthorizationPolicy", "security")
                .join("\n")
                .contains("dry-run")
        );
    }
}
