//! The CEL rules of Istio's CRDs, as native functions.
//!
//! Each entry pairs the CEL text that the API server evaluates with a Rust function of the same meaning, which
//! needs no interpreter. A test holds the two together on generated objects. Like the API server, the checks run
//! on values of the right type only; wrong types are reported on their own.

use mesh_yaml::{Node, Scalar};

use super::Duration;

/// A CEL rule (`x-kubernetes-validations`) on one value.
#[derive(Debug)]
pub struct CelRule {
    /// The rule as the CRD has it.
    pub rule: &'static str,
    /// What is wrong with a value that breaks the rule; follows the value's name in a sentence.
    pub message: &'static str,
    /// Whether the value obeys the rule.
    pub check: fn(Node<'_>) -> bool,
}

macro_rules! rules {
    ($($(#[doc = $doc:literal])+ $name:ident { rule: $rule:expr, message: $message:literal, check: $check:expr, })+) => {
        $(
            $(#[doc = $doc])+
            pub static $name: CelRule = CelRule { rule: $rule, message: $message, check: $check };
        )+

        /// Every rule, for tests and references.
        pub static ALL: &[&CelRule] = &[$(&$name),+];
    };
}

rules! {
    /// Asks for no wildcard in label values.
    NO_WILDCARD_VALUE {
        rule: r#"!self.contains("*")"#,
        message: "has a wildcard: labels are compared literally",
        check: |node| !text(node).is_some_and(|text| text.contains('*')),
    }
    /// Asks for no wildcard in label keys.
    NO_WILDCARD_KEY {
        rule: r#"self.all(key, !key.contains("*"))"#,
        message: "has a wildcard in a label key: labels are compared literally",
        check: |node| keys(node).all(|key| !key.contains('*')),
    }
    /// Asks for no empty label key.
    NO_EMPTY_KEY {
        rule: "self.all(key, key.size() != 0)",
        message: "has an empty label key",
        check: |node| keys(node).all(|key| !key.is_empty()),
    }
    /// Asks for no namespace in a target reference.
    NO_CROSS_NAMESPACE {
        rule: "self.size() == 0",
        message: "cannot name another namespace: a policy attaches to targets of its own namespace only",
        check: |node| text(node).is_none_or(str::is_empty),
    }
    /// Asks for a URL of a plugin.
    PLUGIN_URL {
        rule: concat!(r#"isURL(self) ? (url(self).getScheme() in ["", "http", "https", "file", "oci"]) : (isURL("http://" + self) &&"#, "\n", r#"url("http://" + self).getScheme() in ["", "http", "https", "file", "oci"])"#),
        message: "is not a URL with one of the schemes http, https, file and oci",
        check: |node| is_plugin_url(node),
    }
    /// Asks for a value only for inline variables.
    VALUE_ONLY_INLINE {
        rule: r#"(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)"#,
        message: "sets `value`, which `valueFrom: HOST` does not use",
        check: |node| string(node, "valueFrom", "") != "HOST" || !has(node, "value"),
    }
    /// Asks for one way to choose targets.
    TARGET_REFS_OR_SELECTOR {
        rule: "(has(self.selector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
        message: "sets both `targetRefs` and `selector`",
        check: |node| at_most_one(node, &["selector", "targetRefs"]),
    }
    /// Asks for one kind of extension.
    WASM_OR_LUA {
        rule: "has(self.wasm) != has(self.lua)",
        message: "needs exactly one of `wasm` and `lua`",
        check: |node| has(node, "wasm") != has(node, "lua"),
    }
    /// Asks for a URL of a plugin.
    WASM_PLUGIN_URL {
        rule: concat!(r#"isURL(self) ? (url(self).getScheme() in ["", "http", "https", "oci", "file"]) : (isURL("http://" + self) &&"#, "\n", r#"url("http://" + self).getScheme() in ["", "http", "https", "oci", "file"])"#),
        message: "is not a URL with one of the schemes http, https, file and oci",
        check: |node| is_plugin_url(node),
    }
    /// Asks for one way to choose targets.
    TARGET_REF_OR_SELECTOR {
        rule: "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
        message: "sets more than one of `targetRefs`, `targetRef` and `selector`",
        check: |node| at_most_one(node, &["selector", "targetRef", "targetRefs"]),
    }
    /// Asks for a duration of at least one millisecond.
    DURATION {
        rule: "duration(self) >= duration('1ms')",
        message: "is not a duration of at least 1ms, such as `1.5s` or `2m`",
        check: |node| text(node).and_then(Duration::parse).is_some_and(|duration| duration >= Duration::from_millis(1)),
    }
    /// Asks for a port number.
    PORT {
        rule: "0 < self && self <= 65535",
        message: "is not a port: ports go from 1 to 65535",
        check: |node| number(node).is_none_or(|port| (1..=65535).contains(&port)),
    }
    /// Asks for a waypoint match in its context.
    WAYPOINT_MATCH_CONTEXT {
        rule: r#"has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)"#,
        message: "pairs `waypoint` with another context: `waypoint` and `context: WAYPOINT` go together",
        check: |node| (string(node, "context", "") == "WAYPOINT") == has(node, "waypoint"),
    }
    /// Asks for no wildcard in workload selectors.
    NO_WILDCARD_IN_SELECTOR {
        rule: r#"!self.contains("*")"#,
        message: "has a wildcard: labels are compared literally",
        check: |node| !text(node).is_some_and(|text| text.contains('*')),
    }
    /// Asks for one way to choose targets.
    TARGET_REFS_OR_WORKLOAD_SELECTOR {
        rule: "(has(self.workloadSelector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
        message: "sets both `targetRefs` and `workloadSelector`",
        check: |node| at_most_one(node, &["workloadSelector", "targetRefs"]),
    }
    /// Asks for one source of certificates.
    CREDENTIAL_NAMES_OR_CERTIFICATES {
        rule: "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
        message: "sets both `credentialNames` and `tlsCertificates`",
        check: |node| at_most_one(node, &["tlsCertificates", "credentialNames"]),
    }
    /// Asks for one source of certificates.
    CREDENTIAL_NAME_OR_NAMES {
        rule: "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
        message: "sets both `credentialName` and `credentialNames`",
        check: |node| at_most_one(node, &["credentialName", "credentialNames"]),
    }
    /// Asks for one source of certificates.
    CREDENTIAL_NAME_OR_CERTIFICATES {
        rule: "(has(self.credentialNames) ? 1 : 0) + (has(self.tlsCertificates) ? 1 : 0) <= 1",
        message: "sets both `credentialNames` and `tlsCertificates`",
        check: |node| at_most_one(node, &["credentialNames", "tlsCertificates"]),
    }
    /// Asks for an absolute or abstract Unix socket.
    UDS_ABSOLUTE {
        rule: r#"self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true"#,
        message: "is not an absolute path (`unix:///...`) or an abstract socket (`unix://@...`)",
        check: |node| text(node).and_then(|text| text.strip_prefix("unix://")).is_none_or(|path| path.starts_with(['/', '@'])),
    }
    /// Asks for a Unix socket that is not a folder.
    UDS_NOT_DIR {
        rule: r#"self.startsWith("unix://") ? !self.endsWith("/") : true"#,
        message: "names a folder: a Unix domain socket address ends in a file name",
        check: |node| !text(node).is_some_and(|text| is_unix(text) && text.ends_with('/')),
    }
    /// Asks for port names.
    PORT_NAMES {
        rule: r#"self.all(key, size(key) < 63 && key.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$"))"#,
        message: "has a port name that is not letters, digits and inner dashes, at most 62 of them",
        check: |node| keys(node).all(is_port_name),
    }
    /// Asks for an address or a network.
    ADDRESS_REQUIRED {
        rule: "has(self.address) || has(self.network)",
        message: "has neither `address` nor `network`",
        check: |node| has(node, "address") || has(node, "network"),
    }
    /// Asks for no ports beside a Unix socket.
    UDS_WITHOUT_PORTS {
        rule: r#"(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true"#,
        message: "has `ports` beside a Unix domain socket address, which has none",
        check: |node| !node.get("address").and_then(Node::as_str).is_some_and(is_unix) || !has(node, "ports"),
    }
    /// Asks for a host that is not the full wildcard.
    HOST_NOT_WILDCARD {
        rule: r#"self != "*""#,
        message: "cannot be `*`: name the hosts that this entry adds",
        check: |node| text(node) != Some("*"),
    }
    /// Asks for unique port numbers.
    UNIQUE_PORT_NUMBERS {
        rule: "self.all(l1, self.exists_one(l2, l1.number == l2.number))",
        message: "uses one port number twice",
        check: |node| unique_numbers(node),
    }
    /// Asks for a selector or endpoints.
    SELECTOR_OR_ENDPOINTS {
        rule: "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1",
        message: "sets both `workloadSelector` and `endpoints`",
        check: |node| at_most_one(node, &["workloadSelector", "endpoints"]),
    }
    /// Asks for CIDR addresses only where nothing is resolved.
    CIDR_NEEDS_NONE_OR_STATIC {
        rule: r#"!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))"#,
        message: "has a CIDR address, which only `resolution: NONE` and `STATIC` allow",
        check: |node| matches!(string(node, "resolution", "NONE"), "NONE" | "STATIC") || !items(node, "addresses").any(|address| text(address).is_some_and(|text| text.contains('/'))),
    }
    /// Asks for no endpoints without resolution.
    NONE_WITHOUT_ENDPOINTS {
        rule: r#"((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true"#,
        message: "sets `endpoints`, which `resolution: NONE` does not use",
        check: |node| string(node, "resolution", "NONE") != "NONE" || !has(node, "endpoints"),
    }
    /// Asks for one endpoint for round-robin DNS.
    ROUND_ROBIN_SINGLE_ENDPOINT {
        rule: r#"((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true"#,
        message: "has more than one endpoint, but `resolution: DNS_ROUND_ROBIN` uses one",
        check: |node| string(node, "resolution", "") != "DNS_ROUND_ROBIN" || items(node, "endpoints").count() <= 1,
    }
    /// Asks for a probe scheme.
    PROBE_SCHEME {
        rule: r#"self in ["", "HTTP", "HTTPS"]"#,
        message: "is neither `HTTP` nor `HTTPS`",
        check: |node| text(node).is_none_or(|text| matches!(text, "" | "HTTP" | "HTTPS")),
    }
    /// Asks for service accounts alone.
    SERVICE_ACCOUNTS_ALONE {
        rule: concat!(r#"(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) &&"#, "\n", r#"!has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true"#),
        message: "combines service accounts with principals or namespaces",
        check: |node| !(has(node, "serviceAccounts") || has(node, "notServiceAccounts")) || !["principals", "notPrincipals", "namespaces", "notNamespaces"].iter().any(|key| has(node, key)),
    }
    /// Asks for ports as keys.
    PORT_KEYS {
        rule: "self.all(key, 0 < int(key) && int(key) <= 65535)",
        message: "has a key that is not a port: ports go from 1 to 65535",
        check: |node| keys(node).all(|key| key.parse::<i64>().is_ok_and(|port| (1..=65535).contains(&port))),
    }
    /// Asks for a selector for port-level mTLS.
    PORT_MTLS_NEEDS_SELECTOR {
        rule: "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0) : true",
        message: "sets `portLevelMtls` without a `selector` that has labels",
        check: |node| !has(node, "portLevelMtls") || node.get("selector").and_then(|selector| selector.get("matchLabels")).is_some_and(|labels| !labels.is_empty()),
    }
    /// Asks for an http or https URL.
    HTTP_URL {
        rule: r#"url(self).getScheme() in ["http", "https"]"#,
        message: "is not a URL that starts with `http://` or `https://`",
        check: |node| text(node).and_then(url_scheme).is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https")),
    }
    /// Asks for one source of keys.
    JWKS_OR_URI {
        rule: "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1",
        message: "sets both `jwks` and `jwksUri`",
        check: |node| at_most_one(node, &["jwksUri", "jwks_uri", "jwks"]),
    }
    /// Asks for a value to set.
    UPSERT_NEEDS_VALUE {
        rule: r#"((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true"#,
        message: "has no `value`, which `operation: UPSERT` sets",
        check: |node| string(node, "operation", "") != "UPSERT" || !string(node, "value", "").is_empty(),
    }
    /// Asks for no value to remove.
    REMOVE_WITHOUT_VALUE {
        rule: r#"((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true"#,
        message: "sets `value`, which `operation: REMOVE` does not use",
        check: |node| string(node, "operation", "") != "REMOVE" || !has(node, "value"),
    }
}

fn has(node: Node<'_>, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

fn text(node: Node<'_>) -> Option<&str> {
    node.as_str()
}

fn number(node: Node<'_>) -> Option<i64> {
    match node.scalar()? {
        Scalar::Int(value) => Some(value),
        _ => None,
    }
}

fn string<'a>(node: Node<'a>, key: &str, default: &'static str) -> &'a str {
    node.get(key).and_then(Node::as_str).unwrap_or(default)
}

fn keys(node: Node<'_>) -> impl Iterator<Item = &str> {
    node.entries().map(|entry| entry.key)
}

fn items<'a>(node: Node<'a>, key: &str) -> impl Iterator<Item = Node<'a>> {
    node.get(key).into_iter().flat_map(Node::items)
}

fn at_most_one(node: Node<'_>, keys: &[&str]) -> bool {
    keys.iter().filter(|key| has(node, key)).count() <= 1
}

fn is_unix(text: &str) -> bool {
    text.starts_with("unix://")
}

/// Letters and digits with dashes between them, shorter than 63 characters.
fn is_port_name(name: &str) -> bool {
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    bytes.len() < 63
        && edge(bytes.first())
        && edge(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

fn unique_numbers(ports: Node<'_>) -> bool {
    let mut numbers: Vec<_> = ports
        .items()
        .filter_map(|port| port.get("number").and_then(number))
        .collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() == count
}

fn is_plugin_url(node: Node<'_>) -> bool {
    let Some(text) = text(node) else { return true };
    url_scheme(text)
        .or_else(|| url_scheme(&format!("http://{text}")))
        .is_some_and(|scheme| matches!(scheme.as_str(), "" | "http" | "https" | "file" | "oci"))
}

/// The lower-case scheme of a request URI as Go's `url.ParseRequestURI` reads it; `None` if it is not one.
///
/// A URI is either an absolute path (whose scheme is empty) or starts with a scheme. Control characters, a space
/// in the host, a broken percent escape and a port that is not a number make it invalid.
pub fn url_scheme(text: &str) -> Option<String> {
    if text.is_empty()
        || text.bytes().any(|byte| byte < b' ' || byte == 0x7f)
        || !percent_escapes_are_valid(text)
    {
        return None;
    }
    let (scheme, rest) = match text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)) {
        Some(end) if text[end..].starts_with(':') => {
            if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
                return None;
            }
            (text[..end].to_ascii_lowercase(), &text[end + 1..])
        }
        _ => (String::new(), text),
    };
    if !rest.starts_with('/') {
        // Only a URI with a scheme may go on with something else than a path.
        return (!scheme.is_empty() && !rest.is_empty()).then_some(scheme);
    }
    if !scheme.is_empty()
        && let Some(authority) = rest.strip_prefix("//")
    {
        let authority = authority.split(['/', '?']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        if !host_is_valid(host) {
            return None;
        }
    }
    Some(scheme)
}

fn percent_escapes_are_valid(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let bytes = after.as_bytes();
        bytes.len() >= 2 && bytes[0].is_ascii_hexdigit() && bytes[1].is_ascii_hexdigit()
    })
}

fn host_is_valid(host: &str) -> bool {
    let port = match host.rfind(']') {
        Some(end) => {
            if !host.starts_with('[') {
                return false;
            }
            &host[end + 1..]
        }
        None if host.starts_with('[') => return false,
        None => host.find(':').map_or("", |start| &host[start..]),
    };
    let port_is_valid = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    port_is_valid && !host.contains([' ', '"', '<', '>', '\\', '^', '`', '{', '|', '}'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_are_read_as_go_reads_request_uris() {
        for (text, scheme) in [
            ("http://a/b", Some("http")),
            ("HTTPS://a:8443", Some("https")),
            ("/path", Some("")),
            ("oci://registry/image:tag", Some("oci")),
            ("mailto:someone", Some("mailto")),
            ("registry/image:tag", None),
            ("", None),
            ("://x", None),
            ("1http://x", None),
            ("http://a b", None),
            ("http://a:b", None),
            ("http://[::1]:80/", Some("http")),
            ("http://[::1/", None),
            ("http://a/%zz", None),
            ("http://a/\u{1}", None),
        ] {
            assert_eq!(url_scheme(text).as_deref(), scheme, "{text:?}");
        }
    }

    #[test]
    fn port_names_are_bounded() {
        assert!(is_port_name(&"a".repeat(62)));
        for name in ["", "-a", "a-", "a_b", &"a".repeat(63)] {
            assert!(!is_port_name(name), "{name}");
        }
    }
}
