//! Validation of [`EnvoyFilter`].
//!
//! Patch values are not decoded as Envoy's messages; only what every typed extension has is checked.

use mesh_core::istio::envoy_filter::{
    ApplyTo, EnvoyConfigObjectMatch, EnvoyConfigObjectPatch, EnvoyFilter, FilterMatch, ListenerMatch, Patch,
    PatchContext, PatchOperation,
};
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, Node};

use super::at::At;
use super::shared::{self, Shown};
use super::{Findings, policy};

/// The network filter that HTTP filters are in.
const HTTP_CONNECTION_MANAGER: &str = "envoy.filters.network.http_connection_manager";

/// What the URL of a type starts with.
const TYPE_PREFIX: &str = "type.googleapis.com/";

/// The longest version expression that the control plane does not warn of.
const LONGEST_VERSION: usize = 1024;

/// Names of filters from before Envoy 1.14, and their successors.
const OLD_NAMES: [(&str, &str); 33] = [
    ("envoy.buffer", "envoy.filters.http.buffer"),
    ("envoy.client_ssl_auth", "envoy.filters.network.client_ssl_auth"),
    ("envoy.cors", "envoy.filters.http.cors"),
    ("envoy.csrf", "envoy.filters.http.csrf"),
    ("envoy.echo", "envoy.filters.network.echo"),
    ("envoy.ext_authz", "envoy.filters.http.ext_authz"),
    ("envoy.fault", "envoy.filters.http.fault"),
    ("envoy.filters.dubbo_proxy", "envoy.filters.network.dubbo_proxy"),
    ("envoy.grpc_http1_bridge", "envoy.filters.http.grpc_http1_bridge"),
    (
        "envoy.grpc_json_transcoder",
        "envoy.filters.http.grpc_json_transcoder",
    ),
    ("envoy.grpc_web", "envoy.filters.http.grpc_web"),
    ("envoy.gzip", "envoy.filters.http.compressor"),
    ("envoy.health_check", "envoy.filters.http.health_check"),
    ("envoy.http_connection_manager", HTTP_CONNECTION_MANAGER),
    ("envoy.http_dynamo_filter", "envoy.filters.http.dynamo"),
    ("envoy.ip_tagging", "envoy.filters.http.ip_tagging"),
    ("envoy.kafka_broker", "envoy.filters.network.kafka_broker"),
    (
        "envoy.listener.http_inspector",
        "envoy.filters.listener.http_inspector",
    ),
    (
        "envoy.listener.original_dst",
        "envoy.filters.listener.original_dst",
    ),
    (
        "envoy.listener.original_src",
        "envoy.filters.listener.original_src",
    ),
    (
        "envoy.listener.proxy_protocol",
        "envoy.filters.listener.proxy_protocol",
    ),
    (
        "envoy.listener.tls_inspector",
        "envoy.filters.listener.tls_inspector",
    ),
    ("envoy.lua", "envoy.filters.http.lua"),
    ("envoy.mongo_proxy", "envoy.filters.network.mongo_proxy"),
    ("envoy.mysql_proxy", "envoy.filters.network.mysql_proxy"),
    ("envoy.rate_limit", "envoy.filters.http.ratelimit"),
    ("envoy.ratelimit", "envoy.filters.network.ratelimit"),
    ("envoy.redis_proxy", "envoy.filters.network.redis_proxy"),
    ("envoy.router", "envoy.filters.http.router"),
    ("envoy.squash", "envoy.filters.http.squash"),
    ("envoy.tcp_proxy", "envoy.filters.network.tcp_proxy"),
    ("envoy.thrift_proxy", "envoy.filters.network.thrift_proxy"),
    ("envoy.zookeeper_proxy", "envoy.filters.network.zookeeper_proxy"),
];

pub(super) fn check(resource: &Resource<EnvoyFilter>, _mesh: &Mesh, findings: &mut Findings) {
    let filter = &resource.spec;
    let at = At::spec(resource);
    shared::networking_selector(
        filter.workload_selector.as_ref(),
        &at.key("workloadSelector"),
        findings,
    );
    policy::targets(None, None, &filter.target_refs, findings);
    for (item, patch) in at.items("configPatches").zip(&filter.config_patches) {
        config_patch(patch, &item, findings);
    }
}

fn config_patch(patch: &EnvoyConfigObjectPatch, at: &At<'_>, findings: &mut Findings) {
    let matching = patch.matching.as_ref();
    if !at.is_mapping() || matching.is_some_and(|matching| matching.context == PatchContext::Waypoint) {
        return;
    }
    let apply_to = at.key("applyTo");
    if patch.apply_to == ApplyTo::Invalid
        && apply_to
            .node()
            .is_none_or(|node| node.as_str() == Some("INVALID"))
    {
        findings
            .error(apply_to, "the patch applies to nothing")
            .help("set `applyTo` to the kind of object to change, such as `HTTP_FILTER`");
    }
    if let Some(matching) = matching {
        check_match(patch.apply_to, matching, &at.key("match"), findings);
    }
    let place = at.key("patch");
    match &patch.patch {
        Some(change) => check_change(patch.apply_to, change, &place, findings),
        None if !place.exists() => findings
            .error(place, "the patch changes nothing: it has no `patch`")
            .help("add `patch` with an operation and a value"),
        None => {}
    }
}

fn check_change(apply_to: ApplyTo, change: &Patch, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let operation = at.key("operation");
    if change.operation == PatchOperation::Invalid
        && operation
            .node()
            .is_none_or(|node| node.as_str() == Some("INVALID"))
    {
        findings
            .error(operation, "the patch has no operation")
            .help("set `operation`, such as `MERGE` or `INSERT_BEFORE`");
    }
    let value = at.key("value");
    match value.node() {
        None if !matches!(change.operation, PatchOperation::Remove | PatchOperation::Invalid) => findings
            .error(value, "the patch has no value")
            .help("add `value` with the configuration in Envoy's JSON form"),
        Some(node) => {
            let path = value.path();
            let merges = matches!(
                change.operation,
                PatchOperation::Merge | PatchOperation::MergeAndReplaceList | PatchOperation::Remove
            );
            if is_filter(apply_to) && !merges {
                name_without_type(node, &path, findings);
            }
            extensions(node, &path, findings);
        }
        None => {}
    }
}

fn is_filter(apply_to: ApplyTo) -> bool {
    matches!(
        apply_to,
        ApplyTo::NetworkFilter | ApplyTo::HttpFilter | ApplyTo::ListenerFilter
    )
}

/// What a match must be about for each kind of object; `None` for kinds that take any.
fn class_of(apply_to: ApplyTo) -> Option<&'static str> {
    match apply_to {
        ApplyTo::Listener
        | ApplyTo::FilterChain
        | ApplyTo::NetworkFilter
        | ApplyTo::HttpFilter
        | ApplyTo::ListenerFilter => Some("listener"),
        ApplyTo::RouteConfiguration | ApplyTo::VirtualHost | ApplyTo::HttpRoute => Some("routeConfiguration"),
        ApplyTo::Cluster => Some("cluster"),
        ApplyTo::Invalid | ApplyTo::ExtensionConfig | ApplyTo::Bootstrap => None,
    }
}

fn check_match(apply_to: ApplyTo, matching: &EnvoyConfigObjectMatch, at: &At<'_>, findings: &mut Findings) {
    if let Some(proxy) = &matching.proxy {
        let place = at.key("proxy");
        let version = place.key("proxyVersion");
        shared::regex_syntax(&proxy.proxy_version, &version, findings);
        if proxy.proxy_version.len() > LONGEST_VERSION {
            findings
                .warning(
                    version,
                    format!(
                        "the expression for versions has {} characters",
                        proxy.proxy_version.len()
                    ),
                )
                .help(format!("keep it below {LONGEST_VERSION}"));
        }
    }
    let classes = [
        ("listener", matching.listener.is_some()),
        ("routeConfiguration", matching.route_configuration.is_some()),
        ("cluster", matching.cluster.is_some()),
    ];
    if let Some(fitting) = class_of(apply_to) {
        let others = classes.iter().filter(|(name, set)| *set && *name != fitting);
        for (name, _) in others {
            findings
                .error(
                    at.key(name),
                    format!("`{name}` cannot match for `applyTo: {apply_to}`"),
                )
                .help(format!("match by `{fitting}`, or change `applyTo`"));
        }
    }
    if let Some(listener) = &matching.listener {
        listener_match(apply_to, listener, &at.key("listener"), findings);
    }
}

fn listener_match(apply_to: ApplyTo, listener: &ListenerMatch, at: &At<'_>, findings: &mut Findings) {
    let filter_name = at.key("listenerFilter");
    old_name(&listener.listener_filter, filter_name, findings);
    let Some(filter) = listener
        .filter_chain
        .as_ref()
        .and_then(|chain| chain.filter.as_ref())
    else {
        return;
    };
    let chain = at.key("filterChain");
    let place = chain.key("filter");
    if !place.is_mapping() {
        return;
    }
    if matches!(apply_to, ApplyTo::Listener | ApplyTo::FilterChain) {
        findings
            .warning(
                place,
                format!("a match of filters has no effect for `applyTo: {apply_to}`"),
            )
            .help("remove it, or apply the patch to `NETWORK_FILTER` or `HTTP_FILTER`");
    }
    filter_match(apply_to, filter, &place, findings);
}

fn filter_match(apply_to: ApplyTo, filter: &FilterMatch, at: &At<'_>, findings: &mut Findings) {
    let name = at.key("name");
    if name.has_no_text() {
        findings
            .error(name, "the match of a filter has no name")
            .help(format!("name the filter, such as `{HTTP_CONNECTION_MANAGER}`"));
    }
    old_name(&filter.name, name, findings);
    let Some(inner) = &filter.sub_filter else { return };
    let place = at.key("subFilter");
    if !place.is_mapping() {
        return;
    }
    if apply_to != ApplyTo::HttpFilter && apply_to != ApplyTo::Invalid {
        findings
            .error(
                place,
                format!("`subFilter` matches HTTP filters, but the patch is for `{apply_to}`"),
            )
            .help("remove it, or set `applyTo: HTTP_FILTER`");
    } else if !filter.name.is_empty()
        && filter.name != HTTP_CONNECTION_MANAGER
        && filter.name != "envoy.http_connection_manager"
    {
        findings
            .error(
                place,
                format!("the filter {} has no HTTP filters inside", Shown(&filter.name)),
            )
            .related(name, "the outer filter is named here")
            .help(format!("name `{HTTP_CONNECTION_MANAGER}`"));
    }
    let inner_name = place.key("name");
    if inner_name.has_no_text() {
        findings
            .error(inner_name, "the match of an HTTP filter has no name")
            .help("name the filter, such as `envoy.filters.http.router`");
    }
    old_name(&inner.name, inner_name, findings);
}

fn old_name(name: &str, at: At<'_>, findings: &mut Findings) {
    if let Some((_, successor)) = OLD_NAMES.iter().find(|(old, _)| *old == name) {
        findings
            .warning(at, format!("the filter name `{name}` is no longer used"))
            .help(format!("write `{successor}`"));
    }
}

/// Lists of extensions.
const EXTENSION_LISTS: [&str; 5] = [
    "filters",
    "http_filters",
    "httpFilters",
    "listener_filters",
    "listenerFilters",
];

/// Looks at every extension in a patch: the URLs of its types, and whether it has a type at all.
fn extensions(value: Node<'_>, path: &FieldPath, findings: &mut Findings) {
    let mut pending = vec![(value, path.clone())];
    while let Some((node, path)) = pending.pop() {
        for (index, item) in node.items().enumerate() {
            pending.push((item, path.index(index)));
        }
        for entry in node.entries() {
            let place = path.key(entry.key);
            if entry.key == "@type" {
                old_type(entry.value, &place, findings);
            }
            if matches!(entry.key, "typed_config" | "typedConfig") && entry.value.is_mapping() {
                typed_config(entry.value, &place, findings);
            }
            if EXTENSION_LISTS.contains(&entry.key) {
                for (index, item) in entry.value.items().enumerate() {
                    name_without_type(item, &place.index(index), findings);
                }
            }
            pending.push((entry.value, place));
        }
    }
}

fn typed_config(config: Node<'_>, path: &FieldPath, findings: &mut Findings) {
    let Some(url) = config.get("@type") else {
        findings
            .error(path.clone(), "the configuration of an extension has no `@type`")
            .help(format!(
                "add `\"@type\": {TYPE_PREFIX}..` with the type of the extension"
            ));
        return;
    };
    if let Some(text) = url.as_str().filter(|text| !text.starts_with(TYPE_PREFIX)) {
        findings
            .error(
                path.key("@type"),
                format!("{} is not the URL of a type", Shown(text)),
            )
            .help(format!("start it with `{TYPE_PREFIX}`"));
    }
}

fn old_type(url: Node<'_>, path: &FieldPath, findings: &mut Findings) {
    let name = url.as_str().and_then(|text| text.strip_prefix(TYPE_PREFIX));
    if let Some(name) = name.filter(|name| is_v2(name)) {
        findings
            .error(
                path.clone(),
                format!(
                    "{} is of Envoy's API v2, which proxies no longer read",
                    Shown(name)
                ),
            )
            .help("use the type of API v3, such as `envoy.extensions.filters.http.router.v3.Router`");
    }
}

/// Whether a message belongs to Envoy's API v2, as its package says.
fn is_v2(name: &str) -> bool {
    let Some((package, _)) = name.strip_prefix("envoy.").and_then(|rest| rest.rsplit_once('.')) else {
        return false;
    };
    package
        .split('.')
        .any(|part| part == "v2" || part.starts_with("v2alpha"))
}

/// An extension of Envoy that has a name and nothing else: Envoy no longer finds extensions by name.
fn name_without_type(extension: Node<'_>, path: &FieldPath, findings: &mut Findings) {
    let Some(name) = extension.get("name").and_then(Node::as_str) else {
        return;
    };
    if name.starts_with("envoy.") && extension.len() == 1 {
        findings
            .warning(
                path.key("name"),
                format!("the extension {} has a name, but no `typed_config`", Shown(name)),
            )
            .help("add `typed_config` with its `@type`: extensions are found by type, not by name");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{expect_findings, expect_silence};

    const PATCH: &str = "patch: {operation: MERGE, value: {}}";

    fn expect(patch: &str, place: &str, message: &str) {
        let (severity, path) = place.split_once(' ').unwrap_or((place, ""));
        let dot = if path.is_empty() { "" } else { "." };
        let place = format!("{severity} spec.configPatches[0]{dot}{path}");
        expect_findings(
            "EnvoyFilter",
            &[(&format!("{{configPatches: [{{{patch}}}]}}"), &place, message)],
        );
    }

    fn expect_nothing(patch: &str) {
        expect_silence("EnvoyFilter", &[&format!("{{configPatches: [{{{patch}}}]}}")]);
    }

    #[test]
    fn names_are_old_only_once() {
        for (old, new) in OLD_NAMES {
            assert!(!OLD_NAMES.iter().any(|(other, _)| *other == new), "{old}");
        }
    }

    #[test]
    fn patches_are_complete() {
        for (patch, place, message) in [
            (PATCH, "error applyTo", "nothing"),
            ("applyTo: CLUSTER", "error patch", "no `patch`"),
            (
                "applyTo: CLUSTER, patch: {value: {}}",
                "error patch.operation",
                "no operation",
            ),
            (
                "applyTo: CLUSTER, patch: {operation: ADD}",
                "error patch.value",
                "no value",
            ),
        ] {
            expect(patch, place, message);
        }
        for patch in [
            "applyTo: CLUSTER, patch: {operation: ADD, value: {name: a}}",
            "applyTo: CLUSTER, patch: {operation: REMOVE}",
            "applyTo: cluster, patch: {operation: add}",
            "applyTo: HTTP_FILTER, match: {context: WAYPOINT, waypoint: {}}",
            "applyTo: CLUSTER, patch: 1",
        ] {
            expect_nothing(patch);
        }
        expect_silence("EnvoyFilter", &["{}", "{configPatches: [null, 1]}"]);
    }

    #[test]
    fn matches_fit_what_is_patched() {
        let hcm = "envoy.filters.network.http_connection_manager";
        for (apply_to, matching, place, message) in [
            (
                "CLUSTER",
                "{listener: {}}".to_owned(),
                "error match.listener",
                "CLUSTER",
            ),
            (
                "HTTP_ROUTE",
                "{cluster: {}}".to_owned(),
                "error match.cluster",
                "`routeConfiguration`|HTTP_ROUTE",
            ),
            (
                "HTTP_FILTER",
                "{routeConfiguration: {}}".to_owned(),
                "error match.routeConfiguration",
                "HTTP_FILTER",
            ),
            (
                "LISTENER",
                format!("{{listener: {{filterChain: {{filter: {{name: {hcm}}}}}}}}}"),
                "warning match.listener.filterChain.filter",
                "LISTENER",
            ),
            (
                "NETWORK_FILTER",
                "{listener: {filterChain: {filter: {}}}}".to_owned(),
                "error match.listener.filterChain.filter.name",
                "no name",
            ),
            (
                "NETWORK_FILTER",
                format!("{{listener: {{filterChain: {{filter: {{name: {hcm}, subFilter: {{name: a}}}}}}}}}}"),
                "error match.listener.filterChain.filter.subFilter",
                "NETWORK_FILTER",
            ),
            (
                "HTTP_FILTER",
                "{listener: {filterChain: {filter: {name: a, subFilter: {name: b}}}}}".to_owned(),
                "error match.listener.filterChain.filter.subFilter",
                "`a`",
            ),
            (
                "HTTP_FILTER",
                format!("{{listener: {{filterChain: {{filter: {{name: {hcm}, subFilter: {{}}}}}}}}}}"),
                "error match.listener.filterChain.filter.subFilter.name",
                "no name",
            ),
            (
                "HTTP_FILTER",
                format!(
                    "{{listener: {{filterChain: {{filter: {{name: {hcm}, subFilter: {{name: envoy.router}}}}}}}}}}"
                ),
                "warning match.listener.filterChain.filter.subFilter.name",
                "`envoy.router`",
            ),
            (
                "CLUSTER",
                "{proxy: {proxyVersion: '^1.(2'}}".to_owned(),
                "error match.proxy.proxyVersion",
                "`(` without",
            ),
        ] {
            let message = message.split('|').next_back().unwrap_or_default();
            expect(
                &format!("applyTo: {apply_to}, match: {matching}, {PATCH}"),
                place,
                message,
            );
        }
        for (apply_to, matching) in [
            ("CLUSTER", "{cluster: {name: a}}"),
            ("EXTENSION_CONFIG", "{listener: {}}"),
            ("CLUSTER", "{proxy: {proxyVersion: ''}}"),
            ("LISTENER", "{listener: {portNumber: 80}}"),
            ("HTTP_FILTER", "{listener: {filterChain: {filter: 1}}}"),
        ] {
            expect_nothing(&format!("applyTo: {apply_to}, match: {matching}, {PATCH}"));
        }
    }

    #[test]
    fn extensions_have_types() {
        let value = |value: &str| {
            format!("applyTo: HTTP_FILTER, patch: {{operation: INSERT_BEFORE, value: {value}}}")
        };
        for (text, place, message) in [
            (
                "{name: a, typed_config: {domain: b}}",
                "error patch.value.typed_config",
                "no `@type`",
            ),
            (
                "{name: a, typedConfig: {'@type': envoy.a.v3.B}}",
                "error patch.value.typedConfig[\"@type\"]",
                "`envoy.a.v3.B`",
            ),
            (
                "{name: a, typed_config: {'@type': type.googleapis.com/envoy.config.filter.http.lua.v2.Lua}}",
                "error patch.value.typed_config[\"@type\"]",
                "API v2",
            ),
            (
                "{name: envoy.lua}",
                "warning patch.value.name",
                "no `typed_config`",
            ),
            (
                "{name: a, typed_config: {'@type': type.googleapis.com/envoy.b.v3.C, http_filters: [{name: envoy.d}]}}",
                "warning patch.value.typed_config.http_filters[0].name",
                "`envoy.d`",
            ),
        ] {
            expect(&value(text), place, message);
        }
        for text in [
            "{name: a, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua}}",
            "{name: envoy.lua, config_discovery: {}}",
            "{name: a}",
            "{name: a, typed_config: {'@type': type.googleapis.com/istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig}}",
        ] {
            expect_nothing(&value(text));
        }
    }
}
