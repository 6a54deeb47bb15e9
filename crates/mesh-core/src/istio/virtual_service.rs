//! DOC(module)

use std::collections::BTreeMap;

use mesh_macros::{Enum, Message};
use crate::schema::{Bytes, Duration};
use super::common::{PortSelector};

/// DOC(VirtualService)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VirtualService {
    /// DOC(VirtualService.exportTo)
    pub export_to: Vec<String>,
    /// DOC(VirtualService.gateways)
    pub gateways: Vec<String>,
    /// DOC(VirtualService.hosts)
    pub hosts: Vec<String>,
    /// DOC(VirtualService.http)
    pub http: Vec<HttpRoute>,
    /// DOC(VirtualService.tcp)
    pub tcp: Vec<TcpRoute>,
    /// DOC(VirtualService.tls)
    pub tls: Vec<TlsRoute>,
}

/// DOC(Sidecar.outboundTrafficPolicy.egressProxy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Destination {
    /// DOC(Sidecar.outboundTrafficPolicy.egressProxy.host)
    #[field(required)]
    pub host: String,
    /// DOC(Sidecar.outboundTrafficPolicy.egressProxy.port)
    pub port: Option<PortSelector>,
    /// DOC(Sidecar.outboundTrafficPolicy.egressProxy.subset)
    pub subset: String,
}

/// DOC(VirtualService.http[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRoute {
    /// DOC(VirtualService.http[].corsPolicy)
    pub cors_policy: Option<CorsPolicy>,
    /// DOC(VirtualService.http[].delegate)
    pub delegate: Option<Delegate>,
    /// DOC(VirtualService.http[].directResponse)
    pub direct_response: Option<HttpDirectResponse>,
    /// DOC(VirtualService.http[].fault)
    pub fault: Option<HttpFaultInjection>,
    /// DOC(VirtualService.http[].headers)
    pub headers: Option<Headers>,
    /// DOC(VirtualService.http[].match)
    #[field(name = "match")]
    pub matches: Vec<HttpMatchRequest>,
    /// DOC(VirtualService.http[].mirror)
    pub mirror: Option<Destination>,
    /// DOC(VirtualService.http[].mirrorPercent)
    #[field(also = "mirror_percent", nullable)]
    pub mirror_percent: Option<u32>,
    /// DOC(VirtualService.http[].mirrorPercentage)
    pub mirror_percentage: Option<Percent>,
    /// DOC(VirtualService.http[].mirrors)
    pub mirrors: Vec<HttpMirrorPolicy>,
    /// DOC(VirtualService.http[].name)
    pub name: String,
    /// DOC(VirtualService.http[].redirect)
    pub redirect: Option<HttpRedirect>,
    /// DOC(VirtualService.http[].retries)
    pub retries: Option<HttpRetry>,
    /// DOC(VirtualService.http[].rewrite)
    pub rewrite: Option<HttpRewrite>,
    /// DOC(VirtualService.http[].route)
    pub route: Vec<HttpRouteDestination>,
    /// DOC(VirtualService.http[].timeout)
    pub timeout: Option<Duration>,
}

/// DOC(VirtualService.http[].corsPolicy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CorsPolicy {
    /// DOC(VirtualService.http[].corsPolicy.allowCredentials)
    #[field(nullable)]
    pub allow_credentials: Option<bool>,
    /// DOC(VirtualService.http[].corsPolicy.allowHeaders)
    pub allow_headers: Vec<String>,
    /// DOC(VirtualService.http[].corsPolicy.allowMethods)
    pub allow_methods: Vec<String>,
    /// DOC(VirtualService.http[].corsPolicy.allowOrigin)
    pub allow_origin: Vec<String>,
    /// DOC(VirtualService.http[].corsPolicy.allowOrigins)
    pub allow_origins: Vec<StringMatch>,
    /// DOC(VirtualService.http[].corsPolicy.exposeHeaders)
    pub expose_headers: Vec<String>,
    /// DOC(VirtualService.http[].corsPolicy.maxAge)
    pub max_age: Option<Duration>,
    /// DOC(VirtualService.http[].corsPolicy.unmatchedPreflights)
    pub unmatched_preflights: UnmatchedPreflights,
}

/// DOC(VirtualService.http[].corsPolicy.allowOrigins[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("exact", "prefix", "regex"))]
pub struct StringMatch {
    /// DOC(VirtualService.http[].corsPolicy.allowOrigins[].exact)
    pub exact: Option<String>,
    /// DOC(VirtualService.http[].corsPolicy.allowOrigins[].prefix)
    pub prefix: Option<String>,
    /// DOC(VirtualService.http[].corsPolicy.allowOrigins[].regex)
    pub regex: Option<String>,
}

/// DOC(VirtualService.http[].delegate)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Delegate {
    /// DOC(VirtualService.http[].delegate.name)
    pub name: String,
    /// DOC(VirtualService.http[].delegate.namespace)
    pub namespace: String,
}

/// DOC(VirtualService.http[].directResponse)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpDirectResponse {
    /// DOC(VirtualService.http[].directResponse.body)
    pub body: Option<HttpBody>,
    /// DOC(VirtualService.http[].directResponse.status)
    #[field(required)]
    pub status: u32,
}

/// DOC(VirtualService.http[].directResponse.body)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("string", "bytes"))]
pub struct HttpBody {
    /// DOC(VirtualService.http[].directResponse.body.bytes)
    pub bytes: Option<Bytes>,
    /// DOC(VirtualService.http[].directResponse.body.string)
    pub string: Option<String>,
}

/// DOC(VirtualService.http[].fault)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpFaultInjection {
    /// DOC(VirtualService.http[].fault.abort)
    pub abort: Option<Abort>,
    /// DOC(VirtualService.http[].fault.delay)
    pub delay: Option<Delay>,
}

/// DOC(VirtualService.http[].fault.abort)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("httpStatus", "grpcStatus", "http2Error"))]
pub struct Abort {
    /// DOC(VirtualService.http[].fault.abort.grpcStatus)
    pub grpc_status: Option<String>,
    /// DOC(VirtualService.http[].fault.abort.http2Error)
    pub http2_error: Option<String>,
    /// DOC(VirtualService.http[].fault.abort.httpStatus)
    pub http_status: Option<i32>,
    /// DOC(VirtualService.http[].fault.abort.percentage)
    pub percentage: Option<Percent>,
}

/// DOC(VirtualService.http[].fault.abort.percentage)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Percent {
    /// DOC(VirtualService.http[].fault.abort.percentage.value)
    pub value: f64,
}

/// DOC(VirtualService.http[].fault.delay)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("fixedDelay", "exponentialDelay"))]
pub struct Delay {
    /// DOC(VirtualService.http[].fault.delay.exponentialDelay)
    pub exponential_delay: Option<Duration>,
    /// DOC(VirtualService.http[].fault.delay.fixedDelay)
    pub fixed_delay: Option<Duration>,
    /// DOC(VirtualService.http[].fault.delay.percent)
    pub percent: i32,
    /// DOC(VirtualService.http[].fault.delay.percentage)
    pub percentage: Option<Percent>,
}

/// DOC(VirtualService.http[].headers)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Headers {
    /// DOC(VirtualService.http[].headers.request)
    pub request: Option<HeaderOperations>,
    /// DOC(VirtualService.http[].headers.response)
    pub response: Option<HeaderOperations>,
}

/// DOC(VirtualService.http[].headers.request)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HeaderOperations {
    /// DOC(VirtualService.http[].headers.request.add)
    pub add: BTreeMap<String, String>,
    /// DOC(VirtualService.http[].headers.request.remove)
    pub remove: Vec<String>,
    /// DOC(VirtualService.http[].headers.request.set)
    pub set: BTreeMap<String, String>,
}

/// DOC(VirtualService.http[].match[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpMatchRequest {
    /// DOC(VirtualService.http[].match[].authority)
    pub authority: Option<StringMatch>,
    /// DOC(VirtualService.http[].match[].gateways)
    pub gateways: Vec<String>,
    /// DOC(VirtualService.http[].match[].headers)
    pub headers: BTreeMap<String, StringMatch>,
    /// DOC(VirtualService.http[].match[].ignoreUriCase)
    pub ignore_uri_case: bool,
    /// DOC(VirtualService.http[].match[].method)
    pub method: Option<StringMatch>,
    /// DOC(VirtualService.http[].match[].name)
    pub name: String,
    /// DOC(VirtualService.http[].match[].port)
    pub port: u32,
    /// DOC(VirtualService.http[].match[].queryParams)
    pub query_params: BTreeMap<String, StringMatch>,
    /// DOC(VirtualService.http[].match[].scheme)
    pub scheme: Option<StringMatch>,
    /// DOC(VirtualService.http[].match[].sourceLabels)
    pub source_labels: BTreeMap<String, String>,
    /// DOC(VirtualService.http[].match[].sourceNamespace)
    pub source_namespace: String,
    /// DOC(VirtualService.http[].match[].statPrefix)
    pub stat_prefix: String,
    /// DOC(VirtualService.http[].match[].uri)
    pub uri: Option<StringMatch>,
    /// DOC(VirtualService.http[].match[].withoutHeaders)
    pub without_headers: BTreeMap<String, StringMatch>,
}

/// DOC(VirtualService.http[].mirrors[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpMirrorPolicy {
    /// DOC(VirtualService.http[].mirrors[].destination)
    #[field(required)]
    pub destination: Option<Destination>,
    /// DOC(VirtualService.http[].mirrors[].percentage)
    pub percentage: Option<Percent>,
}

/// DOC(VirtualService.http[].redirect)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("port", "derivePort"))]
pub struct HttpRedirect {
    /// DOC(VirtualService.http[].redirect.authority)
    pub authority: String,
    /// DOC(VirtualService.http[].redirect.derivePort)
    pub derive_port: Option<RedirectPortSelection>,
    /// DOC(VirtualService.http[].redirect.port)
    pub port: Option<u32>,
    /// DOC(VirtualService.http[].redirect.prefixRewrite)
    pub prefix_rewrite: String,
    /// DOC(VirtualService.http[].redirect.redirectCode)
    pub redirect_code: u32,
    /// DOC(VirtualService.http[].redirect.scheme)
    pub scheme: String,
    /// DOC(VirtualService.http[].redirect.uri)
    pub uri: String,
}

/// DOC(VirtualService.http[].retries)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRetry {
    /// DOC(VirtualService.http[].retries.attempts)
    pub attempts: i32,
    /// DOC(VirtualService.http[].retries.backoff)
    pub backoff: Option<Duration>,
    /// DOC(VirtualService.http[].retries.perTryTimeout)
    pub per_try_timeout: Option<Duration>,
    /// DOC(VirtualService.http[].retries.retryIgnorePreviousHosts)
    #[field(nullable)]
    pub retry_ignore_previous_hosts: Option<bool>,
    /// DOC(VirtualService.http[].retries.retryOn)
    pub retry_on: String,
    /// DOC(VirtualService.http[].retries.retryRemoteLocalities)
    #[field(nullable)]
    pub retry_remote_localities: Option<bool>,
}

/// DOC(VirtualService.http[].rewrite)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRewrite {
    /// DOC(VirtualService.http[].rewrite.authority)
    pub authority: String,
    /// DOC(VirtualService.http[].rewrite.uri)
    pub uri: String,
    /// DOC(VirtualService.http[].rewrite.uriRegexRewrite)
    pub uri_regex_rewrite: Option<RegexRewrite>,
}

/// DOC(VirtualService.http[].rewrite.uriRegexRewrite)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RegexRewrite {
    /// DOC(VirtualService.http[].rewrite.uriRegexRewrite.match)
    #[field(name = "match")]
    pub matching: String,
    /// DOC(VirtualService.http[].rewrite.uriRegexRewrite.rewrite)
    pub rewrite: String,
}

/// DOC(VirtualService.http[].route[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRouteDestination {
    /// DOC(VirtualService.http[].route[].destination)
    #[field(required)]
    pub destination: Option<Destination>,
    /// DOC(VirtualService.http[].route[].headers)
    pub headers: Option<Headers>,
    /// DOC(VirtualService.http[].route[].weight)
    pub weight: i32,
}

/// DOC(VirtualService.tcp[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpRoute {
    /// DOC(VirtualService.tcp[].match)
    #[field(name = "match")]
    pub matches: Vec<L4MatchAttributes>,
    /// DOC(VirtualService.tcp[].route)
    pub route: Vec<RouteDestination>,
}

/// DOC(VirtualService.tcp[].match[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct L4MatchAttributes {
    /// DOC(VirtualService.tcp[].match[].destinationSubnets)
    pub destination_subnets: Vec<String>,
    /// DOC(VirtualService.tcp[].match[].gateways)
    pub gateways: Vec<String>,
    /// DOC(VirtualService.tcp[].match[].port)
    pub port: u32,
    /// DOC(VirtualService.tcp[].match[].sourceLabels)
    pub source_labels: BTreeMap<String, String>,
    /// DOC(VirtualService.tcp[].match[].sourceNamespace)
    pub source_namespace: String,
    /// DOC(VirtualService.tcp[].match[].sourceSubnet)
    pub source_subnet: String,
}

/// DOC(VirtualService.tcp[].route[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteDestination {
    /// DOC(VirtualService.tcp[].route[].destination)
    #[field(required)]
    pub destination: Option<Destination>,
    /// DOC(VirtualService.tcp[].route[].weight)
    pub weight: i32,
}

/// DOC(VirtualService.tls[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsRoute {
    /// DOC(VirtualService.tls[].match)
    #[field(name = "match", required)]
    pub matches: Vec<TlsMatchAttributes>,
    /// DOC(VirtualService.tls[].route)
    pub route: Vec<RouteDestination>,
}

/// DOC(VirtualService.tls[].match[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsMatchAttributes {
    /// DOC(VirtualService.tls[].match[].destinationSubnets)
    pub destination_subnets: Vec<String>,
    /// DOC(VirtualService.tls[].match[].gateways)
    pub gateways: Vec<String>,
    /// DOC(VirtualService.tls[].match[].port)
    pub port: u32,
    /// DOC(VirtualService.tls[].match[].sniHosts)
    #[field(required)]
    pub sni_hosts: Vec<String>,
    /// DOC(VirtualService.tls[].match[].sourceLabels)
    pub source_labels: BTreeMap<String, String>,
    /// DOC(VirtualService.tls[].match[].sourceNamespace)
    pub source_namespace: String,
}

/// DOC(enum VirtualService.http[].corsPolicy.unmatchedPreflights)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum UnmatchedPreflights {
    /// DOC(UNSPECIFIED)
    #[default]
    Unspecified,
    /// DOC(FORWARD)
    Forward,
    /// DOC(IGNORE)
    Ignore,
}

/// DOC(enum VirtualService.http[].redirect.derivePort)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum RedirectPortSelection {
    /// DOC(FROM_PROTOCOL_DEFAULT)
    #[default]
    FromProtocolDefault,
    /// DOC(FROM_REQUEST_PORT)
    FromRequestPort,
}
