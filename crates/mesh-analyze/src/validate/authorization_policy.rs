//! Validation of [`AuthorizationPolicy`].

use std::net::Ipv6Addr;

use mesh_core::istio::authorization_policy::{
    Action, AuthorizationPolicy, Condition, Operation, Rule, Source,
};
use mesh_core::schema::validate::closest;
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, Node, path};

use super::{Findings, policy, shared};

/// Makes the policy report what it would do, without doing it.
const DRY_RUN: &str = "istio.io/dry-run";

pub(super) fn check(resource: &Resource<AuthorizationPolicy>, _mesh: &Mesh, findings: &mut Findings) {
    let spec = &resource.spec;
    policy::targets(
        spec.selector.as_ref(),
        spec.target_ref.as_ref(),
        &spec.target_refs,
        findings,
    );
    dry_run(resource, findings);
    action(spec, findings);
    let root = resource.origin().root();
    for (index, rule) in spec.rules.iter().enumerate() {
        let checker = Checker {
            root,
            action: spec.action,
            rule_path: path!["spec", "rules", index],
        };
        checker.rule(rule, findings);
    }
}

fn dry_run(resource: &Resource<AuthorizationPolicy>, findings: &mut Findings) {
    // The words that Go's `strconv.ParseBool` reads.
    const BOOLEANS: [&str; 12] = [
        "1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False",
    ];
    let Some(value) = resource.annotations().get(DRY_RUN) else {
        return;
    };
    let path = path!["metadata", "annotations", DRY_RUN];
    if !matches!(resource.spec.action, Action::Allow | Action::Deny) {
        findings
            .error(
                path,
                format!(
                    "a policy with action {} cannot be a dry run",
                    name(resource.spec.action)
                ),
            )
            .help("remove the annotation: dry runs are for ALLOW and DENY");
    } else if !BOOLEANS.contains(&value.as_str()) {
        findings
            .error(path, format!("`{value}` is neither true nor false"))
            .help("set it to \"true\" or \"false\"");
    }
}

fn action(spec: &AuthorizationPolicy, findings: &mut Findings) {
    let never = match spec.action {
        Action::Custom | Action::Deny => spec.rules.is_empty(),
        Action::Allow | Action::Audit => false,
    };
    if never {
        findings
            .error(
                path!["spec", "action"],
                format!("a {} policy without rules never does anything", name(spec.action)),
            )
            .help("add rules; the empty rule `{}` matches every request");
    }
    match (&spec.provider, spec.action) {
        (None, Action::Custom) => findings
            .error(
                path!["spec", "action"],
                "action CUSTOM needs a provider that decides",
            )
            .help("set `provider.name` to one of the `extensionProviders` of the mesh"),
        (Some(provider), Action::Custom) if provider.name.is_empty() => findings
            .error(path!["spec", "provider"], "`provider` has no name")
            .help("set `provider.name` to one of the `extensionProviders` of the mesh"),
        (Some(_), Action::Allow | Action::Deny | Action::Audit) => findings
            .error(
                path!["spec", "provider"],
                format!("action {} does not use a provider", name(spec.action)),
            )
            .help("remove `provider`, or set `action: CUSTOM`"),
        _ => {}
    }
}

fn name(action: Action) -> &'static str {
    match action {
        Action::Allow => "ALLOW",
        Action::Deny => "DENY",
        Action::Audit => "AUDIT",
        Action::Custom => "CUSTOM",
    }
}

/// What values of a field must look like, beyond not being empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Any,
    Host,
    Ip,
    Method,
    Port,
    Path,
    Principal,
    ServiceAccount,
    TrustDomain,
}

/// What a list of a source or an operation is.
struct List<'a> {
    field: &'static str,
    values: &'a [String],
    form: Form,
    /// Whether it can be judged on a connection that is not HTTP.
    is_l4: bool,
    /// Whether it works with action CUSTOM.
    is_for_custom: bool,
}

impl<'a> List<'a> {
    const fn new(field: &'static str, values: &'a [String], form: Form) -> Self {
        Self {
            field,
            values,
            form,
            is_l4: false,
            is_for_custom: true,
        }
    }

    const fn l4(mut self) -> Self {
        self.is_l4 = true;
        self
    }

    const fn not_for_custom(mut self) -> Self {
        self.is_for_custom = false;
        self
    }
}

fn source_lists(source: &Source) -> [List<'_>; 14] {
    let identity = |field, values, form| List::new(field, values, form).l4().not_for_custom();
    let token = |field, values| List::new(field, values, Form::Any).not_for_custom();
    [
        identity("principals", &source.principals, Form::Principal),
        identity("notPrincipals", &source.not_principals, Form::Principal),
        token("requestPrincipals", &source.request_principals),
        token("notRequestPrincipals", &source.not_request_principals),
        identity("namespaces", &source.namespaces, Form::Any),
        identity("notNamespaces", &source.not_namespaces, Form::Any),
        identity("serviceAccounts", &source.service_accounts, Form::ServiceAccount),
        identity(
            "notServiceAccounts",
            &source.not_service_accounts,
            Form::ServiceAccount,
        ),
        identity("trustDomains", &source.trust_domains, Form::TrustDomain),
        identity("notTrustDomains", &source.not_trust_domains, Form::TrustDomain),
        List::new("ipBlocks", &source.ip_blocks, Form::Ip).l4(),
        List::new("notIpBlocks", &source.not_ip_blocks, Form::Ip).l4(),
        List::new("remoteIpBlocks", &source.remote_ip_blocks, Form::Ip).l4(),
        List::new("notRemoteIpBlocks", &source.not_remote_ip_blocks, Form::Ip).l4(),
    ]
}

fn operation_lists(operation: &Operation) -> [List<'_>; 8] {
    [
        List::new("hosts", &operation.hosts, Form::Host),
        List::new("notHosts", &operation.not_hosts, Form::Host),
        List::new("methods", &operation.methods, Form::Method),
        List::new("notMethods", &operation.not_methods, Form::Method),
        List::new("paths", &operation.paths, Form::Path),
        List::new("notPaths", &operation.not_paths, Form::Path),
        List::new("ports", &operation.ports, Form::Port).l4(),
        List::new("notPorts", &operation.not_ports, Form::Port).l4(),
    ]
}

/// An attribute of conditions.
struct Attribute {
    name: &'static str,
    /// Whether it takes a name in brackets.
    is_map: bool,
    form: Form,
    is_l4: bool,
    is_for_custom: bool,
}

const fn attribute(name: &'static str, form: Form, is_l4: bool, is_for_custom: bool) -> Attribute {
    Attribute {
        name,
        is_map: false,
        form,
        is_l4,
        is_for_custom,
    }
}

const fn map_attribute(name: &'static str, is_l4: bool, is_for_custom: bool) -> Attribute {
    Attribute {
        name,
        is_map: true,
        form: Form::Any,
        is_l4,
        is_for_custom,
    }
}

/// The attributes of conditions. Those of Envoy's own filters are besides.
const ATTRIBUTES: [Attribute; 15] = [
    map_attribute("request.headers", false, true),
    map_attribute("request.experimental.inline.headers", false, true),
    attribute("source.ip", Form::Ip, true, true),
    attribute("remote.ip", Form::Ip, true, true),
    attribute("source.namespace", Form::Any, true, false),
    attribute("source.serviceAccount", Form::ServiceAccount, true, false),
    attribute("source.trustDomain", Form::TrustDomain, true, false),
    attribute("source.principal", Form::Principal, true, false),
    attribute("request.auth.principal", Form::Any, false, false),
    attribute("request.auth.audiences", Form::Any, false, false),
    attribute("request.auth.presenter", Form::Any, false, false),
    map_attribute("request.auth.claims", false, false),
    attribute("destination.ip", Form::Ip, true, true),
    attribute("destination.port", Form::Port, true, true),
    attribute("connection.sni", Form::Any, true, true),
];

/// Metadata that Envoy's filters leave behind: the name of the filter follows, then a key in brackets.
const ENVOY_FILTERS: &str = "experimental.envoy.filters.";
const ENVOY_FILTER: Attribute = map_attribute(ENVOY_FILTERS, true, true);

/// Attributes of earlier versions, and what replaces them.
const FORMER_ATTRIBUTES: [(&str, &str); 4] = [
    (
        "destination.namespace",
        "put the policy into the namespace that it is for",
    ),
    (
        "destination.labels",
        "choose the workloads with `selector.matchLabels`",
    ),
    (
        "destination.name",
        "choose the workloads with `selector.matchLabels`",
    ),
    (
        "destination.user",
        "choose the workloads with `selector.matchLabels`",
    ),
];

/// The name before the bracket, and whether a name in brackets follows.
fn split_key(key: &str) -> (&str, bool) {
    match key.split_once('[') {
        Some((name, rest)) => (name, rest.len() > 1 && rest.ends_with(']')),
        None => (key, false),
    }
}

fn attribute_of(key: &str) -> Option<&'static Attribute> {
    let (name, _) = split_key(key);
    if name.starts_with(ENVOY_FILTERS) {
        return Some(&ENVOY_FILTER);
    }
    ATTRIBUTES.iter().find(|attribute| attribute.name == name)
}

/// Checks one rule.
struct Checker<'a> {
    root: Node<'a>,
    action: Action,
    rule_path: FieldPath,
}

impl Checker<'_> {
    fn rule(&self, rule: &Rule, findings: &mut Findings) {
        for (key, anything) in [("from", "any caller"), ("to", "any operation")] {
            let path = self.rule_path.key(key);
            if self
                .root
                .at(&path)
                .is_some_and(|node| node.is_sequence() && node.is_empty())
            {
                findings
                    .warning(path, format!("`{key}` is an empty list, which means {anything}"))
                    .help(format!("remove `{key}` if {anything} is meant, else add an item"));
            }
        }
        for (index, from) in rule.from.iter().enumerate() {
            let path = self.rule_path.key("from").index(index);
            match &from.source {
                Some(source) => self.lists("source", &source_lists(source), &path, findings),
                None => self.missing("source", &path, findings),
            }
        }
        for (index, to) in rule.to.iter().enumerate() {
            let path = self.rule_path.key("to").index(index);
            match &to.operation {
                Some(operation) => self.lists("operation", &operation_lists(operation), &path, findings),
                None => self.missing("operation", &path, findings),
            }
        }
        for (index, condition) in rule.when.iter().enumerate() {
            self.condition(condition, &self.rule_path.key("when").index(index), findings);
        }
        if self.action == Action::Deny {
            self.http_only(rule, findings);
        }
    }

    /// Reports an item without the one field that it is there for. The schema reports a field that is `null`.
    fn missing(&self, field: &str, path: &FieldPath, findings: &mut Findings) {
        if self.root.at(&path.key(field)).is_none() {
            findings
                .error(path.clone(), format!("this item has no `{field}`"))
                .help(format!(
                    "add `{field}` with at least one field, or remove the item"
                ));
        }
    }

    fn lists(&self, field: &str, lists: &[List<'_>], item: &FieldPath, findings: &mut Findings) {
        let path = item.key(field);
        if lists.iter().all(|list| list.values.is_empty()) {
            // With an unknown field in it, it is not empty but misspelt, which the schema reports.
            let is_empty = self.root.at(&path).is_none_or(|node| {
                node.entries()
                    .all(|entry| lists.iter().any(|list| list.field == entry.key))
            });
            if is_empty {
                findings
                    .error(path, format!("`{field}` has no values"))
                    .help(format!("add at least one of {}", names(lists)));
            }
            return;
        }
        for list in lists.iter().filter(|list| !list.values.is_empty()) {
            let path = path.key(list.field);
            if self.action == Action::Custom && !list.is_for_custom {
                findings
                    .error(
                        path.clone(),
                        format!("action CUSTOM does not support `{}`", list.field),
                    )
                    .help("let the provider decide on identities, or use ALLOW or DENY");
            }
            self.values(list.form, list.values, &path, findings);
        }
    }

    fn values(&self, form: Form, values: &[String], path: &FieldPath, findings: &mut Findings) {
        for (index, value) in values.iter().enumerate() {
            let path = path.index(index);
            if value.is_empty() {
                if !self.root.at(&path).is_some_and(Node::is_null) {
                    findings
                        .error(path, "this value is empty, and so matches nothing")
                        .help("remove it; `\"*\"` stands for any value that is not empty");
                }
            } else if let Some((message, help)) = problem(form, value) {
                findings.error(path, message).help(help);
            } else if let Some((message, help)) = doubt(form, value) {
                findings.warning(path, message).help(help);
            }
        }
    }

    fn condition(&self, condition: &Condition, path: &FieldPath, findings: &mut Findings) {
        let key = condition.key.as_str();
        let key_path = path.key("key");
        if key.is_empty() {
            // The schema reports a key that is absent.
            if self.root.at(&key_path).is_some_and(|node| !node.is_null()) {
                findings
                    .error(key_path, "`key` is empty")
                    .help("name an attribute, such as `source.ip` or `request.headers[x-tenant]`");
            }
            return;
        }
        if condition.values.is_empty() && condition.not_values.is_empty() {
            findings
                .error(
                    path.clone(),
                    format!("the condition on `{key}` has neither `values` nor `notValues`"),
                )
                .help("add the values that the attribute must or must not have");
        }
        let Some(attribute) = attribute_of(key) else {
            return unknown_attribute(key, key_path, findings);
        };
        let (name, has_brackets) = split_key(key);
        if attribute.is_map && !has_brackets {
            findings
                .error(
                    key_path,
                    format!("`{key}` does not say which of `{name}` it is about"),
                )
                .help(format!("add a name in brackets: `{name}[NAME]`"));
        } else if !attribute.is_map && key.contains('[') {
            findings
                .error(
                    key_path,
                    format!("`{name}` is a single value and takes no brackets"),
                )
                .help(format!("write `{name}`"));
        } else if self.action == Action::Custom && !attribute.is_for_custom {
            findings
                .error(key_path, format!("action CUSTOM does not support `{key}`"))
                .help("let the provider decide on identities and tokens, or use ALLOW or DENY");
        }
        self.values(attribute.form, &condition.values, &path.key("values"), findings);
        self.values(
            attribute.form,
            &condition.not_values,
            &path.key("notValues"),
            findings,
        );
    }

    /// Reports a DENY rule that refuses all connections of TCP ports, since nothing but HTTP attributes restrict it.
    fn http_only(&self, rule: &Rule, findings: &mut Findings) {
        let conditions = || {
            rule.when
                .iter()
                .filter_map(|condition| attribute_of(&condition.key))
        };
        if conditions().any(|attribute| attribute.is_l4) {
            return;
        }
        let sources: Vec<_> = rule
            .from
            .iter()
            .map(|from| from.source.as_ref().map(source_lists))
            .collect();
        let operations: Vec<_> = rule
            .to
            .iter()
            .map(|to| to.operation.as_ref().map(operation_lists))
            .collect();
        let first = |lists: &[List<'_>], path: FieldPath| {
            let set = || lists.iter().filter(|list| !list.values.is_empty());
            // Alternatives that say something of TCP too restrict it.
            if set().any(|list| list.is_l4) {
                return None;
            }
            set().next().map(|list| path.key(list.field))
        };
        let http_source = sources.iter().enumerate().find_map(|(index, lists)| {
            let path = self.rule_path.key("from").index(index).key("source");
            first(lists.as_ref()?, path)
        });
        let http_operation = operations.iter().enumerate().find_map(|(index, lists)| {
            let path = self.rule_path.key("to").index(index).key("operation");
            first(lists.as_ref()?, path)
        });
        let all_sources = rule.from.is_empty() || http_source.is_some();
        let all_operations = rule.to.is_empty() || http_operation.is_some();
        let http_condition =
            (conditions().next().is_some()).then(|| self.rule_path.key("when").index(0).key("key"));
        if !all_sources || !all_operations {
            return;
        }
        // A rule without any attribute is meant to deny everything.
        if let Some(path) = http_operation.or(http_source).or(http_condition) {
            findings
                .warning(
                    path,
                    "this DENY rule has HTTP attributes only, and so denies every connection to ports that are not HTTP",
                )
                .help("add `to.operation.ports` with the ports that serve HTTP");
        }
    }
}

fn unknown_attribute(key: &str, path: FieldPath, findings: &mut Findings) {
    let (name, _) = split_key(key);
    if let Some((_, instead)) = FORMER_ATTRIBUTES.iter().find(|(former, _)| *former == name) {
        findings
            .error(path, format!("the attribute `{name}` is no longer supported"))
            .help(*instead);
        return;
    }
    let finding = findings.error(path, format!("there is no attribute `{name}`"));
    let known = ATTRIBUTES.iter().map(|attribute| attribute.name);
    match closest(name, known.clone()) {
        Some(meant) => finding.help(format!("did you mean `{meant}`?")),
        None => finding.help(format!("attributes are {}", known.collect::<Vec<_>>().join(", "))),
    }
}

fn names(lists: &[List<'_>]) -> String {
    let names: Vec<_> = lists.iter().map(|list| list.field).collect();
    names.join(", ")
}

/// What is wrong with a value, and what to do about it.
fn problem(form: Form, value: &str) -> Option<(String, &'static str)> {
    match form {
        Form::Any | Form::Host | Form::Method | Form::Principal => None,
        Form::Ip => (!is_ip_or_cidr(value)).then(|| {
            (
                format!("`{value}` is neither an IP address nor a CIDR range"),
                "write it like `10.1.2.3`, `10.1.0.0/16` or `2001:db8::/32`",
            )
        }),
        Form::Port => (!is_port(value)).then(|| {
            (
                format!("`{value}` is not a port number"),
                "write one number from 0 to 65535 an item; ranges and names are not supported",
            )
        }),
        Form::Path => path_template(value),
        Form::ServiceAccount => service_account(value),
        Form::TrustDomain => trust_domain(value),
    }
}

/// Why a value that is accepted never matches, and what to do about it.
fn doubt(form: Form, value: &str) -> Option<(String, &'static str)> {
    match form {
        Form::Any | Form::Ip | Form::Port | Form::ServiceAccount | Form::TrustDomain => None,
        Form::Host => value.contains('/').then(|| {
            (
                format!("`{value}` matches no request: hosts have no scheme and no path"),
                "write what the `Host` header says, such as `shop.example.com`",
            )
        }),
        Form::Method if value.contains('/') => Some((
            format!("`{value}` matches no request: it is not an HTTP method"),
            "for gRPC, put `/PACKAGE.SERVICE/METHOD` into `paths`; its HTTP method is `POST`",
        )),
        Form::Method => value.contains(|c: char| c.is_ascii_lowercase()).then(|| {
            (
                format!("`{value}` matches no request: HTTP methods are in upper case"),
                "write the method in upper case, such as `GET`",
            )
        }),
        Form::Path if !value.starts_with(['/', '*']) => Some((
            format!("`{value}` matches no request: paths start with a slash"),
            "put a `/` before it",
        )),
        Form::Path => value.contains('?').then(|| {
            (
                format!("`{value}` matches no request: paths are compared without their query"),
                "remove the part from the question mark on",
            )
        }),
        Form::Principal => value.starts_with("spiffe:").then(|| {
            (
                format!("`{value}` matches no caller: principals are written without `spiffe://`"),
                "remove `spiffe://`",
            )
        }),
    }
}

fn is_ip_or_cidr(text: &str) -> bool {
    match text.split_once('%') {
        _ if text.contains('/') => shared::is_cidr(text),
        // A zone (`fe80::1%eth0`) is allowed after a single IPv6 address.
        Some((address, zone)) => !zone.is_empty() && address.parse::<Ipv6Addr>().is_ok(),
        None => shared::is_ip(text),
    }
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn service_account(value: &str) -> Option<(String, &'static str)> {
    let help = "write `ACCOUNT` or `NAMESPACE/ACCOUNT`";
    if value.contains('*') {
        return Some((
            format!("`{value}` has a wildcard, which service accounts do not support"),
            "list the accounts, or use `principals` or `namespaces`, which take wildcards",
        ));
    }
    let mut parts = value.split('/');
    let is_valid = match (parts.next(), parts.next(), parts.next()) {
        (Some(account), None, _) => !account.is_empty(),
        (Some(namespace), Some(account), None) => !namespace.is_empty() && !account.is_empty(),
        _ => false,
    };
    (!is_valid).then(|| (format!("`{value}` is not a service account"), help))
}

fn trust_domain(value: &str) -> Option<(String, &'static str)> {
    if value.contains('/') {
        return Some((
            format!("`{value}` is not a trust domain: it has a slash"),
            "write the trust domain alone, such as `cluster.local`",
        ));
    }
    let inner = value
        .strip_prefix('*')
        .or_else(|| value.strip_suffix('*'))
        .unwrap_or(value);
    inner.contains('*').then(|| {
        (
            format!("`{value}` has a wildcard that is neither its start nor its end"),
            "use one `*`, at the start or at the end",
        )
    })
}

/// One segment of any content, in a path template.
const ONE: &str = "{*}";
/// Any number of segments, in a path template.
const REST: &str = "{**}";

/// A path with `{*}` or `{**}` is a template; without, it is an exact path, a prefix or a suffix, and braces are
/// never literal.
fn path_template(value: &str) -> Option<(String, &'static str)> {
    let is_template = value.contains(ONE) || value.contains(REST);
    let mut after_rest = false;
    for segment in value.trim_matches('/').split('/') {
        if segment == ONE || segment == REST {
            if after_rest {
                return Some((
                    format!("`{value}` has `{segment}` after `{REST}`"),
                    "let `{**}` be the last wildcard of the path",
                ));
            }
            after_rest = segment == REST;
        } else if segment.contains(['{', '}']) {
            return Some((
                format!("`{value}` has a brace that is not part of a segment `{ONE}` or `{REST}`"),
                "let `{*}` or `{**}` be a whole segment, as in `/users/{*}/cart`",
            ));
        } else if is_template && !is_literal_segment(segment) {
            return Some((
                format!(
                    "`{value}` has the segment `{segment}`, which a path with `{ONE}` or `{REST}` cannot have"
                ),
                "use letters, digits and -._~%!$&'()+,;:@= in its other segments, and no `*`",
            ));
        }
    }
    None
}

/// Whether a segment has only characters that RFC 3986 (`pchar`) allows, without the asterisk.
fn is_literal_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::validation;

    fn rule(action: &str, rule: &str) -> Vec<String> {
        validation(&format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec:\n  \
             action: {action}\n  rules:\n  - {rule}\n"
        ))
    }

    #[track_caller]
    fn refuses(action: &str, text: &str, path: &str, message: &str) {
        let found = rule(action, text);
        let matches = |line: &String| {
            line.starts_with(&format!("error spec.rules[0].{path}: ")) && line.contains(message)
        };
        assert!(
            found.len() == 1 && found.iter().any(matches),
            "{text}: expected {path}: …{message}…, found {found:#?}"
        );
    }

    #[test]
    fn values_that_cannot_match_are_refused() {
        for (text, path, message) in [
            ("from: [{}]", "from[0]", "no `source`"),
            ("from: [{source: {}}]", "from[0].source", "no values"),
            ("to: [{}]", "to[0]", "no `operation`"),
            ("to: [{operation: {paths: []}}]", "to[0].operation", "no values"),
            (
                "from: [{source: {ipBlocks: [10.0.0.0/33]}}]",
                "from[0].source.ipBlocks[0]",
                "`10.0.0.0/33`",
            ),
            (
                "from: [{source: {notRemoteIpBlocks: [1.2.3.4, host]}}]",
                "from[0].source.notRemoteIpBlocks[1]",
                "`host`",
            ),
            (
                "from: [{source: {principals: ['']}}]",
                "from[0].source.principals[0]",
                "empty",
            ),
            (
                "from: [{source: {serviceAccounts: ['a/b/c']}}]",
                "from[0].source.serviceAccounts[0]",
                "`a/b/c`",
            ),
            (
                "from: [{source: {serviceAccounts: ['shop/*']}}]",
                "from[0].source.serviceAccounts[0]",
                "wildcard",
            ),
            (
                "from: [{source: {trustDomains: ['a*b']}}]",
                "from[0].source.trustDomains[0]",
                "wildcard",
            ),
            (
                "from: [{source: {trustDomains: ['td/ns']}}]",
                "from[0].source.trustDomains[0]",
                "slash",
            ),
            (
                "to: [{operation: {ports: ['80', '8000-8080']}}]",
                "to[0].operation.ports[1]",
                "`8000-8080`",
            ),
            (
                "to: [{operation: {ports: ['65536']}}]",
                "to[0].operation.ports[0]",
                "`65536`",
            ),
            (
                "to: [{operation: {paths: ['/a/{**}/{*}']}}]",
                "to[0].operation.paths[0]",
                "after `{**}`",
            ),
            (
                "to: [{operation: {paths: ['/a/{id}']}}]",
                "to[0].operation.paths[0]",
                "brace",
            ),
            (
                "to: [{operation: {notPaths: ['/a*/{*}']}}]",
                "to[0].operation.notPaths[0]",
                "`a*`",
            ),
            ("when: [{key: '', values: [a]}]", "when[0].key", "empty"),
            ("when: [{key: source.ip}]", "when[0]", "neither"),
            (
                "when: [{key: source.ip, values: [x]}]",
                "when[0].values[0]",
                "`x`",
            ),
            (
                "when: [{key: destination.port, notValues: ['0x1']}]",
                "when[0].notValues[0]",
                "`0x1`",
            ),
            (
                "when: [{key: request.headers, values: [a]}]",
                "when[0].key",
                "which",
            ),
            (
                "when: [{key: 'request.headers[]', values: [a]}]",
                "when[0].key",
                "which",
            ),
            (
                "when: [{key: 'source.namespace[x]', values: [a]}]",
                "when[0].key",
                "brackets",
            ),
            (
                "when: [{key: source.namespaces, values: [a]}]",
                "when[0].key",
                "no attribute",
            ),
            (
                "when: [{key: 'destination.labels[app]', values: [a]}]",
                "when[0].key",
                "no longer",
            ),
        ] {
            refuses("ALLOW", text, path, message);
        }
    }

    #[test]
    fn an_unknown_attribute_suggests_the_nearest() {
        let found = crate::testing::findings_with_help(
            "invalid-spec",
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec:\n  rules:\n  - \
             when: [{key: source.namespaces, values: [a]}]\n",
        );
        assert!(
            found[0].ends_with("(did you mean `source.namespace`?)"),
            "{found:?}"
        );
    }

    #[test]
    fn good_rules_are_silent() {
        for text in [
            "{}",
            "from: [{source: {ipBlocks: [10.0.0.1, 10.0.0.0/8, '2001:db8::/32', 'fe80::1%eth0']}}]",
            "from: [{source: {principals: ['*', 'a*', '*b']}}]",
            "from: [{source: {serviceAccounts: [a, shop/a]}}]",
            "from: [{source: {trustDomains: ['*', 'a*', '*a', cluster.local]}}]",
            "to: [{operation: {ports: ['0', '65535'], hosts: ['*.example.com']}}]",
            "to: [{operation: {paths: ['/', '/a/*', '*', '/a/{*}/b', '/a/{**}', '/a/{*}/{**}/b', '/{**}/']}}]",
            "when: [{key: 'request.headers[x]', values: [a]}, {key: source.ip, values: ['::1']}]",
            "when: [{key: 'experimental.envoy.filters.network.mysql_proxy[db]', values: ['[t]']}]",
            "when: [{key: 'request.auth.claims[a][b]', notValues: [c]}]",
            "when: [{key: source.serviceAccount, values: [shop/a]}, {key: source.trustDomain, values: [td]}]",
        ] {
            assert_eq!(rule("ALLOW", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn values_that_never_match_are_suspicious() {
        for (text, path, message) in [
            (
                "to: [{operation: {methods: [get]}}]",
                "to[0].operation.methods[0]",
                "upper case",
            ),
            (
                "to: [{operation: {notMethods: [/a.B/C]}}]",
                "to[0].operation.notMethods[0]",
                "not an HTTP method",
            ),
            (
                "to: [{operation: {hosts: ['https://a.example']}}]",
                "to[0].operation.hosts[0]",
                "no scheme",
            ),
            (
                "to: [{operation: {paths: [api/*]}}]",
                "to[0].operation.paths[0]",
                "slash",
            ),
            (
                "to: [{operation: {paths: ['/a?b=c']}}]",
                "to[0].operation.paths[0]",
                "query",
            ),
            (
                "from: [{source: {principals: ['spiffe://cluster.local/ns/a/sa/b']}}]",
                "from[0].source.principals[0]",
                "without `spiffe://`",
            ),
            (
                "when: [{key: source.principal, notValues: ['spiffe://*']}]",
                "when[0].notValues[0]",
                "without `spiffe://`",
            ),
        ] {
            let found = rule("ALLOW", text);
            let matches = |line: &String| {
                line.starts_with(&format!("warning spec.rules[0].{path}: ")) && line.contains(message)
            };
            assert!(found.len() == 1 && found.iter().any(matches), "{text}: {found:?}");
        }
        for text in [
            "to: [{operation: {methods: [GET, '*', PROPFIND], hosts: ['a:8080', '*'], paths: ['*.html', '*', /a]}}]",
            "from: [{source: {principals: ['*', cluster.local/ns/a/sa/b, '*/sa/b']}}]",
        ] {
            assert_eq!(rule("ALLOW", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn schema_findings_are_not_repeated() {
        for text in [
            "from: [{source: null}]",
            "from: [{source: {principals: [null]}}]",
            "from: [{source: {principal: [a]}}]",
            "when: [{values: [a]}]",
        ] {
            assert_eq!(rule("ALLOW", text), [""; 0], "{text}");
        }
    }

    #[test]
    fn custom_policies_cannot_use_identities() {
        for (text, path) in [
            ("from: [{source: {principals: [a]}}]", "from[0].source.principals"),
            (
                "from: [{source: {notNamespaces: [a]}}]",
                "from[0].source.notNamespaces",
            ),
            (
                "from: [{source: {requestPrincipals: [a]}}]",
                "from[0].source.requestPrincipals",
            ),
            ("when: [{key: source.principal, values: [a]}]", "when[0].key"),
            (
                "when: [{key: 'request.auth.claims[iss]', values: [a]}]",
                "when[0].key",
            ),
        ] {
            refuses(
                "CUSTOM\n  provider: {name: p}",
                text,
                path,
                "action CUSTOM does not support",
            );
        }
        assert_eq!(
            rule(
                "CUSTOM\n  provider: {name: p}",
                "from: [{source: {ipBlocks: [::1/128]}}]"
            ),
            [""; 0]
        );
    }

    #[test]
    fn actions_need_what_they_use() {
        for (spec, expected) in [
            ("{action: DENY}", "error spec.action: a DENY policy without rules"),
            (
                "{action: CUSTOM, provider: {name: p}, rules: []}",
                "error spec.action: a CUSTOM policy without rules",
            ),
            (
                "{action: CUSTOM, rules: [{}]}",
                "error spec.action: action CUSTOM needs a provider",
            ),
            (
                "{action: CUSTOM, provider: {}, rules: [{}]}",
                "error spec.provider: `provider` has no name",
            ),
            (
                "{provider: {name: p}, rules: [{}]}",
                "error spec.provider: action ALLOW",
            ),
            (
                "{selector: {}, rules: [{}]}",
                "warning spec.selector: `selector` has no labels",
            ),
            (
                "{targetRefs: [{kind: Service, group: apps, name: a}]}",
                "error spec.targetRefs[0].group: policies cannot attach to a `Service` of the group `apps`",
            ),
            (
                "{targetRefs: [{kind: Gateway, name: a}]}",
                "error spec.targetRefs[0].kind: `Gateway` without a group",
            ),
            (
                "{targetRefs: [{kind: Deployment, group: apps, name: a}]}",
                "error spec.targetRefs[0].kind: policies cannot attach to a `Deployment`",
            ),
        ] {
            let found = validation(&format!(
                "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec: {spec}\n"
            ));
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{spec}: {found:?}"
            );
        }
        for spec in [
            "{}",
            "{rules: [{}]}",
            "{action: DENY, rules: [{}]}",
            "{action: AUDIT}",
            "{action: CUSTOM, provider: {name: p}, rules: [{}]}",
            "{targetRefs: [{kind: Service, name: a}, {kind: Gateway, group: gateway.networking.k8s.io, name: b}]}",
        ] {
            let found = validation(&format!(
                "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec: {spec}\n"
            ));
            assert_eq!(found, [""; 0], "{spec}");
        }
    }

    #[test]
    fn dry_runs_are_for_allow_and_deny() {
        let found = |action: &str, value: &str| {
            validation(&format!(
                "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, annotations: \
                 {{istio.io/dry-run: '{value}'}}}}\nspec: {{action: {action}, rules: [{{}}]}}\n"
            ))
        };
        assert_eq!(found("DENY", "true"), [""; 0]);
        assert_eq!(
            found("ALLOW", "yes"),
            [r#"error metadata.annotations["istio.io/dry-run"]: `yes` is neither true nor false"#]
        );
        assert!(found("AUDIT", "true")[0].ends_with("a policy with action AUDIT cannot be a dry run"));
    }

    #[test]
    fn deny_rules_with_http_attributes_only_are_suspicious() {
        for (text, path) in [
            ("to: [{operation: {methods: [POST]}}]", "to[0].operation.methods"),
            (
                "from: [{source: {notRequestPrincipals: ['*']}}]",
                "from[0].source.notRequestPrincipals",
            ),
            ("when: [{key: 'request.headers[x]', values: [a]}]", "when[0].key"),
            (
                "to: [{operation: {ports: ['80']}}, {operation: {paths: [/a]}}]",
                "to[1].operation.paths",
            ),
        ] {
            let found = rule("DENY", text);
            let start = format!("warning spec.rules[0].{path}: this DENY rule");
            assert!(
                found.len() == 1 && found[0].starts_with(&start),
                "{text}: {found:?}"
            );
        }
        for text in [
            "{}",
            "to: [{operation: {methods: [POST], ports: ['80']}}]",
            "from: [{source: {namespaces: [a]}}]\n    to: [{operation: {methods: [POST]}}]",
            "from: [{source: {ipBlocks: [10.0.0.0/8]}}]",
            "to: [{operation: {methods: [POST]}}]\n    when: [{key: destination.port, values: ['80']}]",
        ] {
            assert_eq!(rule("DENY", text), [""; 0], "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn values_of_any_text_are_judged(text in ".{0,40}") {
            let forms = [
                Form::Any,
                Form::Host,
                Form::Ip,
                Form::Method,
                Form::Port,
                Form::Path,
                Form::Principal,
                Form::ServiceAccount,
                Form::TrustDomain,
            ];
            for form in forms {
                let _ = (problem(form, &text), doubt(form, &text));
            }
            let _ = (attribute_of(&text), split_key(&text));
        }

        #[test]
        fn addresses_with_their_full_length_are_ranges(address: std::net::IpAddr) {
            let length = if address.is_ipv4() { 32 } else { 128 };
            let longest = format!("{address}/{length}");
            let too_long = format!("{address}/{}", length + 1);
            proptest::prop_assert!(is_ip_or_cidr(&address.to_string()));
            proptest::prop_assert!(is_ip_or_cidr(&longest));
            proptest::prop_assert!(!is_ip_or_cidr(&too_long));
        }
    }
}
