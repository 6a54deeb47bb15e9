//! `VirtualService`: where requests for a host go.

use std::collections::BTreeMap;

use super::common::PortSelector;
use crate::schema::{Bytes, Duration};
use mesh_macros::{Enum, Message};

/// Routes traffic that is sent to one or more hosts. Rules for HTTP, TLS and TCP are tried in order,
/// and the first that matches decides: it sends the traffic to one or several destinations, redirects
/// it, or answers it. Along the way a rule can set timeouts and retries, rewrite paths, change headers,
/// copy traffic and inject faults. The rules run in the client's sidecar, or in the gateways that are
/// listed. A host without a virtual service is simply routed to the service of that name.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: VirtualService
/// metadata:
///   name: checkout
/// spec:
///   hosts: [checkout.shop.svc.cluster.local]
///   http:
///   - match:
///     - headers: { x-beta: { exact: "yes" } }
///     route:
///     - destination: { host: checkout.shop.svc.cluster.local, subset: beta }
///   - timeout: 2s
///     route:
///     - destination: { host: checkout.shop.svc.cluster.local, subset: stable }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VirtualService {
    /// Namespaces that see the rules: `*` is all, `.` is the own namespace, or names of namespaces.
    /// Unset takes `defaultVirtualServiceExportTo` of the mesh, which is `*`. Gateways of other
    /// namespaces need to see them too.
    pub export_to: Vec<String>,
    /// Where the rules apply, as `name` or `namespace/name` of a `Gateway`. The word `mesh` stands for
    /// all sidecars. Unset is `mesh` alone, so a list of gateways without it leaves sidecars out.
    pub gateways: Vec<String>,
    /// Hosts that the rules are for: a DNS name, a wildcard such as `*.example.com`, an IP address, or
    /// for gateways a bare `*`. A short name gets the namespace of this resource. Empty makes this a
    /// delegate that only other virtual services use. For sidecars, a host should be in one virtual
    /// service only; gateways merge several.
    pub hosts: Vec<String>,
    /// Rules for HTTP traffic, in order: ports with an HTTP protocol, TLS that a gateway ends, and
    /// ports where HTTP is detected.
    pub http: Vec<HttpRoute>,
    /// Rules for TCP traffic, in order, for ports that are neither HTTP nor TLS.
    pub tcp: Vec<TcpRoute>,
    /// Rules for encrypted traffic that passes through, in order, by SNI. They need a gateway server in
    /// mode `PASSTHROUGH`, or a service port with the protocol `HTTPS` or `TLS`.
    pub tls: Vec<TlsRoute>,
}

/// A service that traffic is sent to.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Destination {
    /// Name of the service in the registry: a Kubernetes service or a host of a `ServiceEntry`. A short
    /// name gets the namespace of the resource that it is written in; full names avoid surprises.
    #[field(required)]
    pub host: String,
    /// Port of the service. It may be left out only if the service has a single port.
    pub port: Option<PortSelector>,
    /// Subset of the service, as defined by a `DestinationRule` for the host. Unset is all endpoints.
    pub subset: String,
}

/// A rule for HTTP requests: what it matches and what becomes of the request. It has exactly one of
/// `route`, `redirect`, `directResponse` and `delegate`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRoute {
    /// Cross-origin policy, applied by the proxy.
    pub cors_policy: Option<Box<CorsPolicy>>,
    /// Another virtual service whose rules are used for the requests that match here. Not together with
    /// `route` and `redirect`. One level only: a delegate cannot delegate.
    pub delegate: Option<Delegate>,
    /// A fixed answer, given by the proxy itself. Not together with `route`, `redirect`, `fault` and
    /// `rewrite`.
    pub direct_response: Option<Box<HttpDirectResponse>>,
    /// Faults to inject, to test how clients cope. Timeouts and retries of the rule do not act on
    /// injected faults.
    pub fault: Option<Box<HttpFaultInjection>>,
    /// Headers to change on requests and responses, before those of the single destinations.
    pub headers: Option<Box<Headers>>,
    /// Conditions, of which one has to hold. Unset matches every request, so such a rule belongs last.
    #[field(name = "match")]
    pub matches: Vec<HttpMatchRequest>,
    /// Service that gets a copy of each request. Its answers are thrown away. Not together with
    /// `mirrors`.
    pub mirror: Option<Destination>,
    /// Percentage of requests to mirror, 0 to 100. It can express whole numbers only.
    #[field(also = "mirror_percent", nullable, deprecated = "use `mirrorPercentage`")]
    pub mirror_percent: Option<u32>,
    /// Percentage of requests to mirror to `mirror`. Unset is all.
    pub mirror_percentage: Option<Percent>,
    /// Services that each get a copy of the requests, with a percentage of their own.
    pub mirrors: Vec<HttpMirrorPolicy>,
    /// Name of the rule. It shows in the proxy's route names, access logs and debugging output.
    pub name: String,
    /// Sends the client to another URL. Not together with `route`, `fault` and `rewrite`.
    pub redirect: Option<Box<HttpRedirect>>,
    /// When and how often a failed request is tried again. Unset takes `defaultHttpRetryPolicy` of the
    /// mesh, which retries twice on failures that are safe to repeat.
    pub retries: Option<Box<HttpRetry>>,
    /// Changes the path or the authority before the request is forwarded. Not together with `redirect`.
    pub rewrite: Option<Box<HttpRewrite>>,
    /// Destinations of the request, with weights that split the traffic.
    pub route: Vec<HttpRouteDestination>,
    /// Time for the whole request, including retries. Unset or `0s` means no limit.
    pub timeout: Option<Duration>,
}

/// Cross-origin resource sharing (CORS): which web pages of other origins may call the service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CorsPolicy {
    /// Lets the browser send cookies and other credentials: it sets `Access-Control-Allow-Credentials`.
    /// Unset is `false`.
    #[field(nullable)]
    pub allow_credentials: Option<bool>,
    /// Request headers that a page may send.
    pub allow_headers: Vec<String>,
    /// HTTP methods that a page may use, such as `GET`.
    pub allow_methods: Vec<String>,
    /// Origins that may call, as exact values or `*`.
    #[field(deprecated = "use `allowOrigins`")]
    pub allow_origin: Vec<String>,
    /// Origins that may call. One match is enough, and the origin is sent back in
    /// `Access-Control-Allow-Origin`.
    pub allow_origins: Vec<StringMatch>,
    /// Response headers that a page may read.
    pub expose_headers: Vec<String>,
    /// How long a browser may remember the answer to a preflight request. Whole seconds only.
    pub max_age: Option<Duration>,
    /// What happens to preflight requests from other origins. Unset forwards them.
    pub unmatched_preflights: UnmatchedPreflights,
}

/// A condition on a text. Give one of `exact`, `prefix` and `regex`. An empty object matches any value
/// that is present, for headers.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("exact", "prefix", "regex"))]
pub struct StringMatch {
    /// The whole text, compared with case.
    pub exact: Option<String>,
    /// How the text has to begin, compared with case.
    pub prefix: Option<String>,
    /// An RE2 expression that has to match the whole text, at most 1024 characters long.
    pub regex: Option<String>,
}

/// A virtual service that takes over routing. It must have no `hosts`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Delegate {
    /// Name of the virtual service.
    pub name: String,
    /// Namespace of the virtual service. Unset is the namespace of the one that delegates. The delegate
    /// has to be visible there through `exportTo`.
    pub namespace: String,
}

/// A fixed answer to a request.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpDirectResponse {
    /// Body of the answer. Unset is empty.
    pub body: Option<HttpBody>,
    /// HTTP status code, 200 to 599.
    #[field(required)]
    pub status: u32,
}

/// Body of an answer, as text or as bytes. More than 1 MB is rejected, and even 100 kB is a lot to hold
/// in every proxy.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("string", "bytes"))]
pub struct HttpBody {
    /// The body in base64.
    pub bytes: Option<Bytes>,
    /// The body as text.
    pub string: Option<String>,
}

/// Faults for a share of the requests. Both kinds can be set, and each is decided on its own.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpFaultInjection {
    /// Ends requests early with an error.
    pub abort: Option<Abort>,
    /// Holds requests back before they are forwarded.
    pub delay: Option<Delay>,
}

/// Answers a share of the requests with an error instead of forwarding them.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("httpStatus", "grpcStatus", "http2Error"))]
pub struct Abort {
    /// gRPC status to answer with, by name, such as `UNAVAILABLE`.
    pub grpc_status: Option<String>,
    /// HTTP/2 error code. It is not supported and is rejected.
    pub http2_error: Option<String>,
    /// HTTP status to answer with, 200 to 599.
    pub http_status: Option<i32>,
    /// Share of requests that fail. Unset is none of them.
    pub percentage: Option<Percent>,
}

/// A percentage that may have a fraction.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Percent {
    /// Percentage from 0 to 100. The smallest value above 0 is 0.0001.
    pub value: f64,
}

/// Holds back a share of the requests.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("fixedDelay", "exponentialDelay"))]
pub struct Delay {
    /// Mean of a random delay. It is not supported and is rejected.
    pub exponential_delay: Option<Duration>,
    /// How long to wait before a request is forwarded. At least 1 ms.
    pub fixed_delay: Option<Duration>,
    /// Percentage of requests to delay, 0 to 100. Whole numbers only.
    #[field(deprecated = "use `percentage`")]
    pub percent: i32,
    /// Share of requests to delay. Unset is none of them.
    pub percentage: Option<Percent>,
}

/// Changes to the headers of requests and responses.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Headers {
    /// Changes to the request, before it is forwarded.
    pub request: Option<HeaderOperations>,
    /// Changes to the response, before it goes back to the client.
    pub response: Option<HeaderOperations>,
}

/// Headers to set, add and remove.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HeaderOperations {
    /// Headers to append. A header that is there already keeps its values and gets another.
    pub add: BTreeMap<String, String>,
    /// Names of headers to remove. Pseudo-headers and `host` cannot be removed.
    pub remove: Vec<String>,
    /// Headers to set. A header that is there already is overwritten. On requests, `host` or
    /// `:authority` changes the authority. Values may use Envoy's `%..%` variables.
    pub set: BTreeMap<String, String>,
}

/// Conditions on a request. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpMatchRequest {
    /// Condition on the `Host` header or `:authority`, with the port if the client sends one.
    pub authority: Option<StringMatch>,
    /// Gateways for which the condition holds, in place of the `gateways` of the resource. They have to
    /// be listed there too.
    pub gateways: Vec<String>,
    /// Conditions on headers, by lower-case name. An empty condition asks only that the header is
    /// present. At gateways, `@request.auth.claims.name` stands for a claim of a validated token.
    pub headers: BTreeMap<String, StringMatch>,
    /// Ignores case in `exact` and `prefix` conditions of `uri`. Unset is `false`.
    pub ignore_uri_case: bool,
    /// Condition on the HTTP method, in upper case.
    pub method: Option<StringMatch>,
    /// Name of the condition. It is added to the name of the rule in route names and logs.
    pub name: String,
    /// Port that the client addressed: the service's port for sidecars and the server's port for
    /// gateways. Unset is any.
    pub port: u32,
    /// Conditions on query parameters, by name. An empty condition asks only that the parameter is
    /// present.
    pub query_params: BTreeMap<String, StringMatch>,
    /// Condition on the scheme, `http` or `https`.
    pub scheme: Option<StringMatch>,
    /// Labels of the client workload. The rule is given only to sidecars with these labels. It needs
    /// `mesh` among the gateways of the resource, and is ignored where `gateways` is set in the
    /// condition.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the client workload. The rule is given only to sidecars in it.
    pub source_namespace: String,
    /// Prefix for statistics of the route in Envoy. Unset makes none. Each prefix costs memory in every
    /// proxy.
    pub stat_prefix: String,
    /// Condition on the path, without the query. Case counts unless `ignoreUriCase` is set.
    pub uri: Option<StringMatch>,
    /// Conditions on headers that must not hold. An empty condition asks that the header is absent.
    pub without_headers: BTreeMap<String, StringMatch>,
}

/// A service that gets a copy of requests.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpMirrorPolicy {
    /// Service that gets the copies.
    #[field(required)]
    pub destination: Option<Destination>,
    /// Share of requests to copy. Unset is all.
    pub percentage: Option<Percent>,
}

/// Answers with a redirect. At least one part of the URL has to change.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("port", "derivePort"))]
pub struct HttpRedirect {
    /// New authority of the URL. Unset keeps the one of the request.
    pub authority: String,
    /// How the port of the new URL is found. Not together with `port`.
    pub derive_port: Option<RedirectPortSelection>,
    /// Port of the new URL. Unset follows the scheme or keeps the request's port.
    pub port: Option<u32>,
    /// Replaces the part of the path that the condition's prefix matched and keeps the rest. Every
    /// `uri` condition of the rule has to be a prefix. Not together with `uri`.
    pub prefix_rewrite: String,
    /// Status of the answer, 300 to 399. Unset is 301.
    pub redirect_code: u32,
    /// Scheme of the new URL, `http` or `https`. Unset keeps the one of the request.
    pub scheme: String,
    /// Path of the new URL. It replaces the whole path, even where a prefix matched.
    pub uri: String,
}

/// When and how often a failed request is tried again.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRetry {
    /// Number of tries after the first one. 0 turns retries off. The real number also depends on the
    /// timeouts.
    pub attempts: i32,
    /// Shortest pause before a retry, grown with random jitter for later ones. Unset is 25 ms.
    pub backoff: Option<Duration>,
    /// Time for each try, including the first. Unset is the timeout of the route. At least 1 ms.
    pub per_try_timeout: Option<Duration>,
    /// Prefers endpoints that have not failed this request yet. Unset is `true`.
    #[field(nullable)]
    pub retry_ignore_previous_hosts: Option<bool>,
    /// What is retried: Envoy's condition names and HTTP status codes, separated by commas without
    /// spaces. Unset retries when the request did not reach the application and for a few statuses that
    /// are safe.
    pub retry_on: String,
    /// Lets retries go to endpoints in other localities. Unset is `false`.
    #[field(nullable)]
    pub retry_remote_localities: Option<bool>,
}

/// Changes a request before it is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRewrite {
    /// New `Host` header.
    pub authority: String,
    /// New path. With a prefix condition, only the matching prefix is replaced. Not together with
    /// `uriRegexRewrite`.
    pub uri: String,
    /// Changes the path by a regular expression.
    pub uri_regex_rewrite: Option<RegexRewrite>,
}

/// Replaces a part of the path by a regular expression.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RegexRewrite {
    /// RE2 expression to look for in the path, at most 1024 characters long.
    #[field(name = "match")]
    pub matching: String,
    /// Replacement. `\1` and so on stand for the groups of the expression.
    pub rewrite: String,
}

/// A destination of HTTP requests and its share.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpRouteDestination {
    /// Service that gets the requests.
    #[field(required)]
    pub destination: Option<Destination>,
    /// Headers to change for this destination only.
    pub headers: Option<Box<Headers>>,
    /// Share of the requests, relative to the sum of all weights of the rule. With a single destination
    /// it does not matter; with several, an unset weight is 0 and gets no traffic.
    pub weight: i32,
}

/// A rule for TCP connections.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpRoute {
    /// Conditions, of which one has to hold. Unset matches every connection.
    #[field(name = "match")]
    pub matches: Vec<L4MatchAttributes>,
    /// Destinations of the connection, with weights that split connections.
    pub route: Vec<RouteDestination>,
}

/// Conditions on a TCP connection. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct L4MatchAttributes {
    /// Addresses or CIDR ranges, of which one has to hold the address that the client dialled.
    pub destination_subnets: Vec<String>,
    /// Gateways for which the condition holds, in place of the `gateways` of the resource. They have to
    /// be listed there too.
    pub gateways: Vec<String>,
    /// Port that the client dialled. Unset is any.
    pub port: u32,
    /// Labels of the client workload. The rule is given only to sidecars with these labels. It needs
    /// `mesh` among the gateways.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the client workload. The rule is given only to sidecars in it.
    pub source_namespace: String,
    /// Address range of the client. It has no effect.
    pub source_subnet: String,
}

/// A destination of connections and its share.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteDestination {
    /// Service that gets the connections.
    #[field(required)]
    pub destination: Option<Destination>,
    /// Share of the connections, relative to the sum of all weights of the rule. With a single
    /// destination it does not matter; with several, an unset weight is 0.
    pub weight: i32,
}

/// A rule for encrypted connections that pass through.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsRoute {
    /// Conditions, of which one has to hold. At least one is needed.
    #[field(name = "match", required)]
    pub matches: Vec<TlsMatchAttributes>,
    /// Destinations of the connection, with weights that split connections.
    pub route: Vec<RouteDestination>,
}

/// Conditions on a TLS connection. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsMatchAttributes {
    /// Addresses or CIDR ranges, of which one has to hold the address that the client dialled.
    pub destination_subnets: Vec<String>,
    /// Gateways for which the condition holds, in place of the `gateways` of the resource. They have to
    /// be listed there too.
    pub gateways: Vec<String>,
    /// Port that the client dialled. Unset is any.
    pub port: u32,
    /// Server names (SNI) of which one has to be asked for. Wildcards such as `*.example.com` are
    /// allowed. Each has to lie within the `hosts` of the resource.
    #[field(required)]
    pub sni_hosts: Vec<String>,
    /// Labels of the client workload. The rule is given only to sidecars with these labels. It needs
    /// `mesh` among the gateways.
    pub source_labels: BTreeMap<String, String>,
    /// Namespace of the client workload. The rule is given only to sidecars in it.
    pub source_namespace: String,
}

/// What happens to CORS preflight requests whose origin is not allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum UnmatchedPreflights {
    /// Acts like `FORWARD`.
    #[default]
    Unspecified,
    /// The request goes to the service, which may answer it itself.
    Forward,
    /// The request is not forwarded: the proxy answers it without CORS headers, so the browser refuses
    /// the call.
    Ignore,
}

/// How the port of a redirect is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum RedirectPortSelection {
    /// Takes the port that belongs to the scheme: 80 for HTTP and 443 for HTTPS.
    #[default]
    FromProtocolDefault,
    /// Keeps the port of the request.
    FromRequestPort,
}
