//! Validation of what holds for the whole mesh: [`MeshConfig`] and [`MeshNetworks`].
//!
//! The control plane reads them from a ConfigMap, which no admission webhook looks at. Paths are from the root of the
//! settings themselves. Only what is written is judged: what is left out has sound defaults.

use std::collections::BTreeMap;

use mesh_core::istio::destination_rule::ClientTlsSettings;
use mesh_core::istio::mesh_config::{
    AuthenticationPolicy, ConnectionSettings, DefaultProviders, ExtensionProvider, LabelSelector, MeshConfig,
    MeshProxyConfig, ProxyStatsMatcher, TlsConfig, Tracing,
};
use mesh_core::istio::mesh_networks::MeshNetworks;
use mesh_core::istio::virtual_service::HttpRetry;
use mesh_core::schema::validate::{self, Violation, ViolationKind, closest};
use mesh_core::schema::{Duration, FieldType, Message as _, Type};
use mesh_yaml::Node;

use super::at::At;
use super::shared::{self, Shown};
use super::{Finding, Findings, http_route, traffic_policy};

/// The longest time to wait for a connection to open.
const LONGEST_CONNECT: Duration = Duration::from_millis(3_600_000);

/// The smallest window of HTTP/2 (RFC 9113, section 6.9.2).
const SMALLEST_WINDOW: i64 = 65_535;

/// The placeholder for the address of the node that a proxy runs on.
const HOST_IP: &str = "$(HOST_IP)";

/// The metadata that turned on addresses for service entries in the proxy.
const AUTO_ALLOCATE: &str = "ISTIO_META_DNS_AUTO_ALLOCATE";

/// The curves that Envoy's TLS library can use, by their names and other names.
const CURVES: [&str; 13] = [
    "P-224",
    "P-256",
    "P-384",
    "P-521",
    "X25519",
    "X25519Kyber768Draft00",
    "X25519MLKEM768",
    "MLKEM1024",
    "secp224r1",
    "prime256v1",
    "secp384r1",
    "secp521r1",
    "x25519",
];

/// What is said of Lightstep without a token.
const NO_TOKEN: &str = "Lightstep refuses traces without an access token";
const TOKEN_HELP: &str = "set `accessToken`, or send traces by `opentelemetry`";

/// The providers that exist without being listed.
const BUILT_IN: [&str; 3] = ["envoy", "prometheus", "stackdriver"];

/// How mesh-wide settings of type `ty` break their schema.
///
/// Unlike the API server, the control plane reads them by the JSON mapping of Protocol Buffers, in which numbers may
/// stand in quotes.
pub fn mesh_wide_violations(node: Node<'_>, ty: &Type) -> Vec<Violation> {
    let mut violations = Vec::new();
    validate::check(node, ty, &mut violations);
    let is_number = |text: &str| text.parse::<f64>().is_ok_and(f64::is_finite);
    violations.retain(|violation| {
        violation.kind != ViolationKind::WrongType
            || !node
                .at(&violation.path)
                .and_then(Node::as_str)
                .is_some_and(is_number)
    });
    violations
}

/// What is wrong with a mesh configuration beyond its schema.
///
/// `node` is the configuration itself, such as the root of a file that holds it. Anything but a mapping has no
/// findings, since its schema refuses it.
pub fn mesh_config_findings(node: Node<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    if node.is_mapping() {
        mesh_config(&MeshConfig::decode(node), &At::value(node), &mut findings);
    }
    findings.0
}

/// What is wrong with the networks of a mesh beyond their schema; like [`mesh_config_findings`].
pub fn mesh_networks_findings(node: Node<'_>) -> Vec<Finding> {
    let mut findings = Findings::default();
    if node.is_mapping() {
        mesh_networks(&MeshNetworks::decode(node), &At::value(node), &mut findings);
    }
    findings.0
}

fn mesh_config(config: &MeshConfig, at: &At<'_>, findings: &mut Findings) {
    port(false, &at.key("proxyListenPort"), findings);
    port(false, &at.key("proxyInboundListenPort"), findings);
    port(true, &at.key("proxyHttpPort"), findings);
    connect_timeout(config.connect_timeout, &at.key("connectTimeout"), findings);
    for (name, value) in [
        ("protocolDetectionTimeout", &config.protocol_detection_timeout),
        ("hboneIdleTimeout", &config.hbone_idle_timeout),
    ] {
        if !value.is_empty() {
            shared::duration_text(value, Duration::default(), &at.key(name), findings);
        }
    }
    if let Some(proxy) = &config.default_config {
        proxy_config(proxy, &at.key("defaultConfig"), findings);
    }
    if let Some(setting) = &config.locality_lb_setting {
        // Which hosts eject failing endpoints is up to their destination rules.
        traffic_policy::locality_lb(setting, true, &at.key("localityLbSetting"), findings);
    }
    if let Some(setting) = &config.zone_aware_lb_setting {
        traffic_policy::zone_aware_lb(setting, true, &at.key("zoneAwareLbSetting"), findings);
    }
    for (item, settings) in at.items("serviceSettings").zip(&config.service_settings) {
        for (place, host) in item.items("hosts").zip(&settings.hosts) {
            shared::wildcard_domain(host, &place, findings);
        }
    }
    trust_domain(&config.trust_domain, &at.key("trustDomain"), findings);
    for (place, alias) in at.items("trustDomainAliases").zip(&config.trust_domain_aliases) {
        trust_domain(alias, &place, findings);
    }
    if config
        .mesh_mtls
        .as_ref()
        .is_some_and(|tls| !tls.ecdh_curves.is_empty())
    {
        findings
            .error(
                at.key("meshMTLS").key("ecdhCurves"),
                "the curves of mutual TLS in the mesh cannot be chosen",
            )
            .help("remove it; `tlsDefaults.ecdhCurves` is for all other TLS connections");
    }
    if let Some(tls) = &config.tls_defaults {
        curves(tls, &at.key("tlsDefaults"), findings);
    }
    if let Some(policy) = &config.default_traffic_policy {
        let place = at.key("defaultTrafficPolicy");
        if let Some(pool) = &policy.connection_pool {
            traffic_policy::connection_pool(pool, &place.key("connectionPool"), findings);
        }
        if let Some(outlier) = &policy.outlier_detection {
            traffic_policy::outlier_detection(outlier, &place.key("outlierDetection"), findings);
        }
    }
    if let Some(policy) = &config.default_http_retry_policy {
        http_route::retries(policy, &at.key("defaultHttpRetryPolicy"), findings);
    }
    if let Some(policy) = &config.default_inbound_http_retry_policy {
        inbound_retries(policy, &at.key("defaultInboundHttpRetryPolicy"), findings);
    }
    for (item, selector) in at.items("discoverySelectors").zip(&config.discovery_selectors) {
        label_selector(selector, &item, findings);
    }
    extension_providers(&config.extension_providers, at, findings);
    if let Some(defaults) = &config.default_providers {
        default_providers(defaults, &config.extension_providers, at, findings);
    }
}

/// The number that is written, if it is one that its schema allows.
fn number(at: &At<'_>) -> Option<i64> {
    let number = at.node().and_then(Node::as_i64)?;
    i32::try_from(number).is_ok().then_some(number)
}

/// Asks for a port number; `off` says whether 0 means none.
fn port(off: bool, at: &At<'_>, findings: &mut Findings) {
    let least = i64::from(!off);
    if let Some(number) = number(at).filter(|number| !(least..=65_535).contains(number)) {
        findings.error(at, format!("`{number}` is not a port: ports go from 1 to 65535"));
    }
}

fn connect_timeout(timeout: Option<Duration>, at: &At<'_>, findings: &mut Findings) {
    match timeout {
        Some(timeout) if timeout > LONGEST_CONNECT => {
            let written = at.node().and_then(Node::as_str).unwrap_or_default();
            findings
                .error(
                    at,
                    format!("{} is too long: at most 1 hour is allowed", Shown(written)),
                )
                .help("write a few seconds, such as `10s`");
        }
        _ => shared::whole_millis(timeout, at, findings),
    }
}

/// Asks for a name whose parts are DNS labels; the last may be empty, as in `example.com.`.
fn trust_domain(name: &str, at: &At<'_>, findings: &mut Findings) {
    if !at.is_text() {
        return;
    }
    if name.is_empty() {
        findings.error(at, "the trust domain is empty");
        return;
    }
    let labels = name.strip_suffix('.').unwrap_or(name);
    if let Some(label) = labels.split('.').find(|label| !shared::is_dns_label(label)) {
        let message = if label.is_empty() {
            format!("the trust domain {} has an empty part", Shown(name))
        } else if label == name {
            format!("{} is not a trust domain", Shown(name))
        } else {
            format!(
                "the trust domain {} has the invalid part {}",
                Shown(name),
                Shown(label)
            )
        };
        findings
            .error(at, message)
            .help("write a name such as `cluster.local`, without `spiffe://`: letters, digits, inner dashes and dots");
    }
}

fn curves(tls: &TlsConfig, at: &At<'_>, findings: &mut Findings) {
    let list = at.key("ecdhCurves");
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, (place, curve)) in list.children().zip(&tls.ecdh_curves).enumerate() {
        if !place.is_text() {
            continue;
        }
        if !CURVES.contains(&curve.as_str()) {
            let finding = findings.warning(place, format!("{} is not a known curve", Shown(curve)));
            match closest(curve, CURVES.into_iter()) {
                Some(meant) => finding.help(format!("did you mean `{meant}`?")),
                None => finding.help("write curves such as `X25519` and `P-256`"),
            }
        } else if let Some(first) = seen.get(curve.as_str()) {
            findings
                .warning(place, format!("the curve {} is listed twice", Shown(curve)))
                .related(list.index(*first), "first listed here");
        } else {
            seen.insert(curve, index);
        }
    }
}

fn inbound_retries(policy: &HttpRetry, at: &At<'_>, findings: &mut Findings) {
    http_route::retries(policy, at, findings);
    for name in ["retryIgnorePreviousHosts", "retryRemoteLocalities"] {
        let field = at.key(name);
        if policy.attempts > 0 && field.exists() {
            findings
                .warning(
                    field,
                    format!("`{name}` has no effect on inbound requests, which have one endpoint only"),
                )
                .help("remove it");
        }
    }
}

/// Checks a selector as Kubernetes reads it.
fn label_selector(selector: &LabelSelector, at: &At<'_>, findings: &mut Findings) {
    const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];
    shared::labels(&selector.match_labels, &at.key("matchLabels"), findings);
    for (item, requirement) in at.items("matchExpressions").zip(&selector.match_expressions) {
        let operator = item.key("operator");
        if !operator.is_text() {
            continue;
        }
        let name = requirement.operator.as_str();
        let values = item.key("values");
        match name {
            "In" | "NotIn" if values.has_no_items() => {
                findings
                    .error(
                        operator,
                        format!("the operator `{name}` has no values to compare with"),
                    )
                    .help("list `values`");
            }
            "Exists" | "DoesNotExist" if !requirement.values.is_empty() => {
                findings
                    .error(values, format!("the operator `{name}` takes no values"))
                    .help("remove `values`, or write `In` or `NotIn`");
            }
            name if !OPERATORS.contains(&name) => {
                findings
                    .error(operator, format!("{} is not an operator", Shown(name)))
                    .help(format!("operators are {}", OPERATORS.join(", ")));
            }
            _ => {}
        }
    }
}

// Proxies.

fn proxy_config(proxy: &MeshProxyConfig, at: &At<'_>, findings: &mut Findings) {
    for (name, what) in [
        ("configPath", "folder for the proxy's configuration"),
        ("binaryPath", "path of Envoy"),
        ("serviceCluster", "name of the proxy's group"),
    ] {
        let field = at.key(name);
        if field.is_text() && field.has_no_text() {
            findings
                .error(field, format!("the {what} is empty"))
                .help("remove the field to get the default");
        }
    }
    if let Some(duration) = proxy
        .drain_duration
        .filter(|duration| duration.as_nanos() % 1_000_000_000 != 0)
    {
        findings
            .error(
                at.key("drainDuration"),
                format!("`{duration}` is not a whole number of seconds"),
            )
            .help("round it to seconds");
    }
    any_duration(
        &proxy.termination_drain_duration,
        &at.key("terminationDrainDuration"),
        findings,
    );
    address(
        &proxy.discovery_address,
        false,
        &at.key("discoveryAddress"),
        findings,
    );
    for (name, value) in [
        ("statsdUdpAddress", &proxy.statsd_udp_address),
        ("envoyMetricsServiceAddress", &proxy.envoy_metrics_service_address),
    ] {
        if !value.is_empty() {
            address(value, false, &at.key(name), findings);
        }
    }
    for (name, service) in [
        ("envoyAccessLogService", &proxy.envoy_access_log_service),
        ("envoyMetricsService", &proxy.envoy_metrics_service),
    ] {
        if let Some(service) = service.as_ref().filter(|service| !service.address.is_empty()) {
            address(&service.address, false, &at.key(name).key("address"), findings);
        }
    }
    port(false, &at.key("proxyAdminPort"), findings);
    port(false, &at.key("statusPort"), findings);
    if proxy.control_plane_auth_policy == AuthenticationPolicy::Inherit {
        findings
            .error(
                at.key("controlPlaneAuthPolicy"),
                "`INHERIT` has nothing to inherit from in the settings of the whole mesh",
            )
            .help("write `MUTUAL_TLS`");
    }
    let private_key = at.key("privateKeyProvider");
    if private_key.is_empty_mapping() {
        findings
            .error(
                private_key,
                "the provider of private key operations is of no kind",
            )
            .help("set `cryptomb` or `qat`, or remove the field");
    }
    if let Some(tracer) = &proxy.tracing {
        tracing(tracer, &at.key("tracing"), findings);
    }
    if let Some(settings) = &proxy.connection_settings {
        connection_settings(settings, &at.key("connectionSettings"), findings);
    }
    if let Some(matcher) = &proxy.proxy_stats_matcher {
        stats_matcher(matcher, &at.key("proxyStatsMatcher"), findings);
    }
    if proxy.proxy_metadata.contains_key(AUTO_ALLOCATE) {
        let metadata = at.key("proxyMetadata");
        findings
            .warning(
                metadata.key(AUTO_ALLOCATE),
                format!("`{AUTO_ALLOCATE}` is deprecated: istiod itself gives service entries addresses"),
            )
            .help(
                "remove it; to leave out a service entry, label it \
                 `networking.istio.io/enable-autoallocate-ip: \"false\"`",
            );
    }
}

fn stats_matcher(matcher: &ProxyStatsMatcher, at: &At<'_>, findings: &mut Findings) {
    for (place, expression) in at.items("inclusionRegexps").zip(&matcher.inclusion_regexps) {
        if place.is_text() {
            shared::regex_syntax(expression, &place, findings);
        }
    }
}

fn tracing(tracing: &Tracing, at: &At<'_>, findings: &mut Findings) {
    let tracers = [
        ("zipkin", tracing.zipkin.as_ref().map(|tracer| &tracer.address)),
        (
            "lightstep",
            tracing.lightstep.as_ref().map(|tracer| &tracer.address),
        ),
        ("datadog", tracing.datadog.as_ref().map(|tracer| &tracer.address)),
    ];
    for (name, value) in tracers {
        if let Some(value) = value {
            address(value, true, &at.key(name).key("address"), findings);
        }
    }
    let lightstep = at.key("lightstep");
    if lightstep.is_mapping() && lightstep.key("accessToken").has_no_text() {
        findings
            .error(lightstep.key("accessToken"), NO_TOKEN)
            .help(TOKEN_HELP);
    }
    let sampling = at.key("sampling");
    if !(0.0..=100.0).contains(&tracing.sampling) {
        findings
            .warning(
                sampling,
                format!(
                    "`{}` is not a percentage: percentages go from 0 to 100",
                    tracing.sampling
                ),
            )
            .help("write 100 to trace every request");
    }
    if let Some(tls) = &tracing.tls_settings {
        client_tls(tls, &at.key("tlsSettings"), findings);
    }
}

fn client_tls(tls: &ClientTlsSettings, at: &At<'_>, findings: &mut Findings) {
    // Such a name is relative to the namespace of a proxy, of which the mesh has many.
    if !tls.credential_name.starts_with("configmap://") {
        traffic_policy::client_tls(tls, "", at, findings);
    }
}

fn connection_settings(settings: &ConnectionSettings, at: &At<'_>, findings: &mut Findings) {
    for (name, value) in [
        ("httpDrainTimeout", &settings.http_drain_timeout),
        ("httpIdleTimeout", &settings.http_idle_timeout),
        (
            "httpMaxConnectionDuration",
            &settings.http_max_connection_duration,
        ),
        ("httpMaxStreamDuration", &settings.http_max_stream_duration),
        (
            "httpRequestHeadersTimeout",
            &settings.http_request_headers_timeout,
        ),
        ("httpRequestTimeout", &settings.http_request_timeout),
        ("httpStreamIdleTimeout", &settings.http_stream_idle_timeout),
    ] {
        let field = at.key(name);
        any_duration(value, &field, findings);
        if field.is_text() && Duration::parse(value).is_some_and(|duration| duration < Duration::default()) {
            findings
                .error(field, format!("`{value}` is negative"))
                .help("write `0s` to turn it off");
        }
    }
    for (name, least, help) in [
        (
            "http2InitialConnectionWindowSize",
            SMALLEST_WINDOW,
            "remove it to get the default",
        ),
        (
            "http2InitialStreamWindowSize",
            SMALLEST_WINDOW,
            "remove it to get the default",
        ),
        ("globalDownstreamConnectionLimit", 1, "remove it for no limit"),
        ("listenerConnectionLimit", 1, "remove it for no limit"),
        ("httpMaxConcurrentStreams", 1, "remove it to get the default"),
        (
            "clusterPerConnectionBufferLimitBytes",
            0,
            "remove it to get the default",
        ),
        (
            "listenerPerConnectionBufferLimitBytes",
            0,
            "remove it to get the default",
        ),
    ] {
        let field = at.key(name);
        if let Some(number) = number(&field).filter(|number| *number < least) {
            findings
                .error(
                    field,
                    format!("`{number}` is too small: at least {least} is needed"),
                )
                .help(help);
        }
    }
}

/// Asks for a duration of any length and precision.
fn any_duration(text: &str, at: &At<'_>, findings: &mut Findings) {
    if at.is_text() && Duration::parse(text).is_none() {
        findings
            .error(at, format!("{} is not a duration", Shown(text)))
            .help("write a number with a unit, such as `300ms`, `1.5s` or `2h`");
    }
}

/// Asks for `host:port`, with a name or an IP address as host. `on_node` says whether the placeholder for the address
/// of the node may stand for it.
fn address(text: &str, on_node: bool, at: &At<'_>, findings: &mut Findings) {
    if !at.is_text() {
        return;
    }
    let example = if on_node {
        "write `host:port`, such as `zipkin.istio-system:9411`"
    } else {
        "write `host:port`, such as `istiod.istio-system.svc:15012`"
    };
    let problem = if text.is_empty() {
        Some("the address is empty".to_owned())
    } else {
        address_problem(text, on_node).map(|problem| format!("{} {problem}", Shown(text)))
    };
    if let Some(problem) = problem {
        findings.error(at, problem).help(example);
    }
}

fn address_problem(text: &str, on_node: bool) -> Option<String> {
    if text.contains("://") {
        return Some("is a URL, not `host:port`".to_owned());
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => return Some("has no port".to_owned()),
    };
    if !port.parse::<u16>().is_ok_and(|port| port > 0) {
        return Some(format!("has {} in place of a port from 1 to 65535", Shown(port)));
    }
    if on_node && host == HOST_IP {
        return None;
    }
    if let Some(inner) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return (!shared::is_ip(inner)).then(|| "has no IP address between its brackets".to_owned());
    }
    if host.contains(':') {
        return Some("has more than one colon: an IPv6 address goes in brackets".to_owned());
    }
    if shared::is_ip(host) {
        return None;
    }
    if host.is_empty() {
        return Some("has no host".to_owned());
    }
    shared::fqdn_problem(host)
}

// Providers. The control plane only logs what is wrong with them, until something uses them.

fn extension_providers(providers: &[ExtensionProvider], at: &At<'_>, findings: &mut Findings) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let list = at.key("extensionProviders");
    for (index, (item, provider)) in list.children().zip(providers).enumerate() {
        let name = item.key("name");
        if !provider.name.is_empty() {
            if let Some(first) = seen.get(provider.name.as_str()) {
                findings
                    .warning(
                        name,
                        format!("two extension providers are named {}", Shown(&provider.name)),
                    )
                    .related(list.index(*first).key("name"), "first used here")
                    .help("give each provider a name of its own");
            } else {
                seen.insert(&provider.name, index);
            }
        }
        extension_provider(provider, &item, findings);
    }
}

fn extension_provider(provider: &ExtensionProvider, at: &At<'_>, findings: &mut Findings) {
    let kinds = ExtensionProvider::schema()
        .one_of
        .iter()
        .flat_map(|group| group.iter());
    for kind in kinds {
        let place = at.key(kind);
        if place.is_mapping() {
            provider_service(&place, findings);
        }
    }
    let is_name_alone = at
        .node()
        .is_some_and(|node| node.is_mapping() && node.entries().all(|entry| entry.key == "name"));
    if is_name_alone && !provider.name.is_empty() {
        findings
            .warning(
                at.key("name"),
                format!("the extension provider {} is of no kind", Shown(&provider.name)),
            )
            .help("say what it is, such as `opentelemetry` or `envoyExtAuthzGrpc`");
    }
    for (name, status) in [
        (
            "envoyExtAuthzHttp",
            provider
                .envoy_ext_authz_http
                .as_ref()
                .map(|it| &it.status_on_error),
        ),
        (
            "envoyExtAuthzGrpc",
            provider
                .envoy_ext_authz_grpc
                .as_ref()
                .map(|it| &it.status_on_error),
        ),
    ] {
        let field = at.key(name);
        let field = field.key("statusOnError");
        if let Some(status) = status.filter(|status| !status.is_empty() && field.is_text())
            && !status.parse().is_ok_and(http_route::is_registered_status)
        {
            findings
                .warning(field, format!("{} is not an HTTP status", Shown(status)))
                .help("write a status in quotes, such as `\"503\"`");
        }
    }
    if let Some(http) = &provider.envoy_ext_authz_http {
        let place = at.key("envoyExtAuthzHttp");
        let prefix = place.key("pathPrefix");
        if !http.path_prefix.is_empty() && !http.path_prefix.starts_with('/') && prefix.is_text() {
            findings
                .warning(
                    prefix,
                    format!(
                        "the path prefix {} does not start with `/`",
                        Shown(&http.path_prefix)
                    ),
                )
                .help(format!("write `/{}`", http.path_prefix));
        }
    }
    let lightstep = at.key("lightstep");
    if lightstep.is_mapping() && lightstep.key("accessToken").has_no_text() {
        findings
            .warning(lightstep.key("accessToken"), NO_TOKEN)
            .help(TOKEN_HELP);
    }
}

/// Asks for `host` or `namespace/host`.
fn provider_service(at: &At<'_>, findings: &mut Findings) {
    let field = at.key("service");
    let Some(service) = field
        .node()
        .and_then(Node::as_str)
        .filter(|service| !service.is_empty())
    else {
        return; // Its schema asks for one, if it needs one.
    };
    let (namespace, host) = match service.split_once('/') {
        Some((namespace, host)) => (Some(namespace), host),
        None => (None, service),
    };
    let problem = if namespace.is_some_and(|namespace| !shared::is_dns_label(namespace)) || host.contains('/')
    {
        Some("is not a host after a namespace".to_owned())
    } else if shared::is_ip(host) {
        None
    } else {
        shared::wildcard_domain_problem(host)
    };
    if let Some(problem) = problem {
        findings
            .warning(field, format!("the service {} {problem}", Shown(service)))
            .help("write `host` or `namespace/host`; the port has a field of its own");
    }
}

fn default_providers(
    defaults: &DefaultProviders,
    providers: &[ExtensionProvider],
    at: &At<'_>,
    findings: &mut Findings,
) {
    let mut names: Vec<&str> = providers.iter().map(|provider| provider.name.as_str()).collect();
    names.extend(BUILT_IN);
    names.sort_unstable();
    let place = at.key("defaultProviders");
    for (field, list) in [
        ("accessLogging", &defaults.access_logging),
        ("metrics", &defaults.metrics),
        ("tracing", &defaults.tracing),
    ] {
        for (item, name) in place.items(field).zip(list) {
            if !item.is_text() || names.binary_search(&name.as_str()).is_ok() {
                continue;
            }
            let finding = findings.warning(
                item,
                format!("{} is not among the extension providers", Shown(name)),
            );
            match closest(name, names.iter().copied()) {
                Some(meant) => finding.help(format!("did you mean `{meant}`?")),
                None => finding.help("add it to `extensionProviders`"),
            }
        }
    }
}

// Networks.

fn mesh_networks(networks: &MeshNetworks, at: &At<'_>, findings: &mut Findings) {
    let all = at.key("networks");
    for (name, network) in &networks.networks {
        let place = all.key(name);
        for (item, endpoints) in place.items("endpoints").zip(&network.endpoints) {
            if let Some(range) = &endpoints.from_cidr {
                shared::ip_or_cidr(range, &item.key("fromCidr"), findings);
            }
            if let Some(registry) = &endpoints.from_registry {
                shared::dns_label(registry, "name of a cluster", &item.key("fromRegistry"), findings);
            }
            if item.is_empty_mapping() {
                findings
                    .warning(item, "the entry names no endpoints")
                    .help("set `fromRegistry` or `fromCidr`");
            }
        }
        for (item, gateway) in place.items("gateways").zip(&network.gateways) {
            if let Some(service) = &gateway.registry_service_name {
                shared::fqdn(service, &item.key("registryServiceName"), findings);
            }
            let address = item.key("address");
            if let Some(host) = gateway.address.as_ref().filter(|host| !shared::is_ip(host)) {
                shared::fqdn(host, &address, findings);
            }
            let has_only = |entry: mesh_yaml::Entry<'_>| ["port", "locality"].contains(&entry.key);
            if item
                .node()
                .is_some_and(|node| node.is_mapping() && node.entries().all(has_only))
            {
                findings
                    .warning(item, "the gateway has no address")
                    .help("set `address` or `registryServiceName`");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    type Validate = fn(Node<'_>) -> Vec<Finding>;

    /// What is wrong, as `severity path: message`; schemas must have nothing to say.
    fn run(text: &str, ty: &Type, validate: Validate) -> Vec<String> {
        let document = mesh_yaml::parse(&Arc::from(text)).remove(0).expect("YAML");
        let mut violations = mesh_wide_violations(document.root(), ty);
        violations.retain(|violation| violation.kind != ViolationKind::Deprecated);
        assert_eq!(violations, [], "{text}");
        let line = |finding: Finding| {
            let severity = if finding.is_warning { "warning" } else { "error" };
            format!("{severity} {}: {}", finding.path, finding.message)
        };
        validate(document.root()).into_iter().map(line).collect()
    }

    fn expect(cases: &[(&str, &str, &str)], ty: &Type, validate: Validate) {
        for (text, place, message) in cases {
            let found = run(text, ty, validate);
            let [finding] = found.as_slice() else {
                panic!("{text} has {found:#?}");
            };
            assert!(
                finding.starts_with(&format!("{place}: ")) && finding.contains(message),
                "{text} has {finding}"
            );
        }
    }

    fn expect_config(cases: &[(&str, &str, &str)]) {
        expect(cases, &MeshConfig::TYPE, mesh_config_findings);
    }

    fn expect_silence(texts: &[&str]) {
        for text in texts {
            let found = run(text, &MeshConfig::TYPE, mesh_config_findings);
            assert_eq!(found, [""; 0], "{text}");
        }
    }

    /// Cases of which each is a proxy's setting.
    fn expect_proxy(cases: &[(&str, &str, &str)]) {
        for (proxy, place, message) in cases {
            let (severity, field) = place.split_once(' ').expect("severity and path");
            expect_config(&[(
                &format!("defaultConfig: {proxy}"),
                &format!("{severity} defaultConfig.{field}"),
                message,
            )]);
        }
    }

    #[test]
    fn ports_and_times() {
        expect_config(&[
            ("proxyListenPort: 0", "error proxyListenPort", "`0`"),
            ("proxyListenPort: 65536", "error proxyListenPort", "`65536`"),
            (
                "proxyInboundListenPort: -1",
                "error proxyInboundListenPort",
                "`-1`",
            ),
            ("proxyHttpPort: 70000", "error proxyHttpPort", "`70000`"),
            ("connectTimeout: 61m", "error connectTimeout", "`61m` is too long"),
            ("connectTimeout: 1.5ms", "error connectTimeout", "milliseconds"),
            (
                "protocolDetectionTimeout: 1ns",
                "error protocolDetectionTimeout",
                "milliseconds",
            ),
            (
                "protocolDetectionTimeout: soon",
                "error protocolDetectionTimeout",
                "`soon`",
            ),
            (
                "hboneIdleTimeout: '30'",
                "error hboneIdleTimeout",
                "not a duration",
            ),
        ]);
        expect_silence(&[
            "proxyListenPort: 15001",
            "proxyHttpPort: 0",
            "connectTimeout: 1h",
            "protocolDetectionTimeout: 0s",
            "protocolDetectionTimeout: 100ms",
            "hboneIdleTimeout: 30m",
        ]);
    }

    #[test]
    fn addresses_are_a_host_and_a_port() {
        for (address, problem) in [
            ("''", "is empty"),
            ("istiod.istio-system.svc", "has no port"),
            ("'[::1]'", "has no port"),
            ("istiod:x", "`x`"),
            ("istiod:0", "`0`"),
            ("istiod:65536", "`65536`"),
            ("':15012'", "no host"),
            ("https://istiod:15012", "URL"),
            ("'::1:15012'", "brackets"),
            ("'[a]:15012'", "brackets"),
            ("ist_iod:15012", "`ist_iod`"),
            ("$(HOST_IP):15012", "invalid label"),
        ] {
            expect_proxy(&[(
                &format!("{{discoveryAddress: {address}}}"),
                "error discoveryAddress",
                problem,
            )]);
        }
        for address in [
            "istiod:1",
            "istiod.istio-system.svc.:15012",
            "10.0.0.1:15012",
            "'[::1]:15012'",
        ] {
            expect_silence(&[&format!("defaultConfig: {{discoveryAddress: {address}}}")]);
        }
        expect_proxy(&[
            ("{statsdUdpAddress: statsd}", "error statsdUdpAddress", "no port"),
            (
                "{envoyMetricsServiceAddress: a}",
                "error envoyMetricsServiceAddress",
                "no port",
            ),
            (
                "{envoyMetricsService: {address: a}}",
                "error envoyMetricsService.address",
                "no port",
            ),
            (
                "{envoyAccessLogService: {address: a}}",
                "error envoyAccessLogService.address",
                "no port",
            ),
            (
                "{tracing: {zipkin: {address: a}}}",
                "error tracing.zipkin.address",
                "no port",
            ),
            (
                "{tracing: {datadog: {address: a}}}",
                "error tracing.datadog.address",
                "no port",
            ),
        ]);
        expect_silence(&[
            "defaultConfig: {statsdUdpAddress: '', envoyMetricsService: {}}",
            "defaultConfig: {tracing: {zipkin: {address: '$(HOST_IP):9411'}}}",
            "defaultConfig: {tracing: {datadog: {address: 'agent.datadog:8126'}}}",
        ]);
    }

    #[test]
    fn settings_of_proxies() {
        expect_proxy(&[
            ("{configPath: ''}", "error configPath", "is empty"),
            ("{binaryPath: ''}", "error binaryPath", "is empty"),
            ("{serviceCluster: ''}", "error serviceCluster", "is empty"),
            ("{drainDuration: 1500ms}", "error drainDuration", "seconds"),
            (
                "{terminationDrainDuration: x}",
                "error terminationDrainDuration",
                "`x`",
            ),
            ("{proxyAdminPort: 0}", "error proxyAdminPort", "`0`"),
            ("{statusPort: 65536}", "error statusPort", "`65536`"),
            (
                "{controlPlaneAuthPolicy: INHERIT}",
                "error controlPlaneAuthPolicy",
                "INHERIT",
            ),
            (
                "{privateKeyProvider: {}}",
                "error privateKeyProvider",
                "of no kind",
            ),
            (
                "{tracing: {lightstep: {address: 'a:1'}}}",
                "error tracing.lightstep.accessToken",
                "token",
            ),
            ("{tracing: {sampling: 101}}", "warning tracing.sampling", "`101`"),
            (
                "{tracing: {tlsSettings: {mode: SIMPLE, credentialName: a, caCertificates: b}}}",
                "error tracing.tlsSettings.caCertificates",
                "credentialName",
            ),
            (
                "{connectionSettings: {httpIdleTimeout: -1s}}",
                "error connectionSettings.httpIdleTimeout",
                "negative",
            ),
            (
                "{connectionSettings: {httpRequestTimeout: x}}",
                "error connectionSettings.httpRequestTimeout",
                "`x`",
            ),
            (
                "{connectionSettings: {http2InitialStreamWindowSize: 65534}}",
                "error connectionSettings.http2InitialStreamWindowSize",
                "65535",
            ),
            (
                "{connectionSettings: {listenerConnectionLimit: 0}}",
                "error connectionSettings.listenerConnectionLimit",
                "at least 1",
            ),
            (
                "{connectionSettings: {listenerPerConnectionBufferLimitBytes: -1}}",
                "error connectionSettings.listenerPerConnectionBufferLimitBytes",
                "at least 0",
            ),
            (
                "{proxyStatsMatcher: {inclusionRegexps: [a, 'b(']}}",
                "error proxyStatsMatcher.inclusionRegexps[1]",
                "`b(`",
            ),
            (
                "{proxyMetadata: {ISTIO_META_DNS_AUTO_ALLOCATE: 'true'}}",
                "warning proxyMetadata.ISTIO_META_DNS_AUTO_ALLOCATE",
                "deprecated",
            ),
        ]);
        expect_silence(&[
            "defaultConfig: {drainDuration: 45s, controlPlaneAuthPolicy: MUTUAL_TLS, tracing: {}}",
            "defaultConfig: {privateKeyProvider: {cryptomb: {pollDelay: 2ms}}}",
            "defaultConfig: {connectionSettings: {httpRequestTimeout: 0s, httpMaxConcurrentStreams: 1}}",
            "defaultConfig: {tracing: {sampling: 0.01, tlsSettings: {credentialName: 'configmap://a/b'}}}",
        ]);
    }

    #[test]
    fn hosts_trust_and_traffic() {
        expect_config(&[
            (
                "serviceSettings: [{hosts: [a, 'a.*']}]",
                "error serviceSettings[0].hosts[1]",
                "`a.*`",
            ),
            ("trustDomain: ''", "error trustDomain", "is empty"),
            ("trustDomain: spiffe://a", "error trustDomain", "`spiffe://a`"),
            ("trustDomain: a..b", "error trustDomain", "empty part"),
            (
                "trustDomainAliases: [a, b_c.d]",
                "error trustDomainAliases[1]",
                "`b_c`",
            ),
            (
                "meshMTLS: {ecdhCurves: [P-256]}",
                "error meshMTLS.ecdhCurves",
                "cannot be chosen",
            ),
            (
                "tlsDefaults: {ecdhCurves: [P256]}",
                "warning tlsDefaults.ecdhCurves[0]",
                "`P256`",
            ),
            (
                "tlsDefaults: {ecdhCurves: [P-256, P-256]}",
                "warning tlsDefaults.ecdhCurves[1]",
                "twice",
            ),
            (
                "localityLbSetting: {failover: [{from: eu, to: eu}]}",
                "error localityLbSetting.failover[0]",
                "itself",
            ),
            (
                "zoneAwareLbSetting: {failoverPriority: [topology.kubernetes.io/zone]}",
                "error zoneAwareLbSetting.failoverPriority[0]",
                "priority",
            ),
            (
                "defaultTrafficPolicy: {connectionPool: {tcp: {maxConnections: -1}}}",
                "error defaultTrafficPolicy.connectionPool.tcp.maxConnections",
                "negative",
            ),
            (
                "defaultTrafficPolicy: {outlierDetection: {maxEjectionPercent: 101}}",
                "error defaultTrafficPolicy.outlierDetection.maxEjectionPercent",
                "`101`",
            ),
            (
                "defaultHttpRetryPolicy: {attempts: 1, retryOn: 5xxx}",
                "error defaultHttpRetryPolicy.retryOn",
                "`5xxx`",
            ),
            (
                "defaultInboundHttpRetryPolicy: {attempts: 1, retryRemoteLocalities: true}",
                "warning defaultInboundHttpRetryPolicy.retryRemoteLocalities",
                "no effect",
            ),
            (
                "discoverySelectors: [{matchLabels: {a: '-'}}]",
                "error discoverySelectors[0].matchLabels.a",
                "`-`",
            ),
            (
                "discoverySelectors: [{matchExpressions: [{key: a, operator: in, values: [b]}]}]",
                "error discoverySelectors[0].matchExpressions[0].operator",
                "`in`",
            ),
            (
                "discoverySelectors: [{matchExpressions: [{key: a, operator: In}]}]",
                "error discoverySelectors[0].matchExpressions[0].operator",
                "no values",
            ),
            (
                "discoverySelectors: [{matchExpressions: [{key: a, operator: Exists, values: [b]}]}]",
                "error discoverySelectors[0].matchExpressions[0].values",
                "no values",
            ),
        ]);
        expect_silence(&[
            "serviceSettings: [{hosts: ['*', '*.a', a.b]}]",
            "{trustDomain: cluster.local, trustDomainAliases: [a., my-project.svc.id.goog]}",
            "localityLbSetting: {failoverPriority: [topology.istio.io/network]}",
            "meshMTLS: {ecdhCurves: []}",
            "discoverySelectors: [{}]",
        ]);
    }

    #[test]
    fn providers() {
        let one = |provider: &str| format!("extensionProviders: [{{name: x, {provider}}}]");
        for (provider, field, message) in [
            ("zipkin: {service: 'a:1', port: 1}", "zipkin.service", "`a:1`"),
            ("zipkin: {service: a_b/c, port: 1}", "zipkin.service", "namespace"),
            ("zipkin: {service: a/b/c, port: 1}", "zipkin.service", "namespace"),
            (
                "envoyExtAuthzHttp: {service: a, port: 1, pathPrefix: v1}",
                "envoyExtAuthzHttp.pathPrefix",
                "`v1`",
            ),
            (
                "envoyExtAuthzHttp: {service: a, port: 1, statusOnError: '999'}",
                "envoyExtAuthzHttp.statusOnError",
                "`999`",
            ),
            (
                "envoyExtAuthzGrpc: {service: a, port: 1, statusOnError: denied}",
                "envoyExtAuthzGrpc.statusOnError",
                "`denied`",
            ),
            (
                "lightstep: {service: a, port: 1}",
                "lightstep.accessToken",
                "token",
            ),
        ] {
            let place = format!("warning extensionProviders[0].{field}");
            expect_config(&[(&one(provider), &place, message)]);
        }
        expect_config(&[
            (
                "extensionProviders: [{name: x}]",
                "warning extensionProviders[0].name",
                "no kind",
            ),
            (
                "extensionProviders: [{name: x, prometheus: {}}, {name: x, prometheus: {}}]",
                "warning extensionProviders[1].name",
                "two extension providers",
            ),
            (
                "{defaultProviders: {tracing: [yy]}, extensionProviders: [{name: x, prometheus: {}}]}",
                "warning defaultProviders.tracing[0]",
                "`yy`",
            ),
        ]);
        expect_silence(&[
            "defaultProviders: {metrics: [prometheus], accessLogging: [envoy, stackdriver]}",
            "{defaultProviders: {tracing: [x]}, extensionProviders: [{name: x, prometheus: {}}]}",
            &one("zipkin: {service: ns/zipkin.example.com, port: 1}"),
            &one("zipkin: {service: 10.0.0.1, port: 1}"),
            &one("envoyExtAuthzGrpc: {service: '*.a', port: 1, statusOnError: '403'}"),
            &one("stackdriver: {}"),
            &one("zipkin: {service: a, port: '9411'}"),
        ]);
    }

    #[test]
    fn networks() {
        let endpoints = |entry: &str| format!("networks: {{a: {{endpoints: [{entry}]}}}}");
        let gateways = |entry: &str| format!("networks: {{a: {{endpoints: [], gateways: [{entry}]}}}}");
        for (text, place, message) in [
            (
                endpoints("{fromCidr: 10.0.0.0/33}"),
                "error networks.a.endpoints[0].fromCidr",
                "CIDR",
            ),
            (
                endpoints("{fromRegistry: a/b}"),
                "error networks.a.endpoints[0].fromRegistry",
                "`a/b`",
            ),
            (endpoints("{}"), "warning networks.a.endpoints[0]", "no endpoints"),
            (
                gateways("{address: 'a:1', port: 1}"),
                "error networks.a.gateways[0].address",
                "`a:1`",
            ),
            (
                gateways("{registryServiceName: '*.a', port: 1}"),
                "error networks.a.gateways[0].registryServiceName",
                "`*.a`",
            ),
            (
                gateways("{port: 15443}"),
                "warning networks.a.gateways[0]",
                "no address",
            ),
        ] {
            expect(
                &[(&text, place, message)],
                &MeshNetworks::TYPE,
                mesh_networks_findings,
            );
        }
        for text in [
            endpoints("{fromCidr: 'fd00::/8'}"),
            endpoints("{fromRegistry: Kubernetes}"),
            gateways("{address: '::1', port: 1}"),
            gateways("{address: a.example.com, port: 1}"),
        ] {
            assert_eq!(
                run(&text, &MeshNetworks::TYPE, mesh_networks_findings),
                [""; 0],
                "{text}"
            );
        }
    }

    #[test]
    fn values_of_other_types_are_left_to_schemas() {
        for text in [
            "[]",
            "a",
            "~",
            "{defaultConfig: [], trustDomain: 1, extensionProviders: {a: 1}}",
        ] {
            for document in mesh_yaml::parse(&Arc::from(text)) {
                let document = document.expect("YAML");
                assert_eq!(mesh_config_findings(document.root()), [], "{text}");
                assert_eq!(mesh_networks_findings(document.root()), [], "{text}");
            }
        }
    }
}
