//! `DestinationRule`: how clients talk to a service.

use std::collections::BTreeMap;

use super::common::{PortSelector, WorkloadSelector};
use crate::schema::Duration;
use mesh_macros::{Enum, Message};

/// Sets how clients connect to a service once routing has chosen it: load balancing, connection limits,
/// ejection of failing endpoints, and TLS. It also names subsets of the service, such as its versions,
/// which a `VirtualService` can route to. The client's namespace is searched first for a rule, then the
/// service's, then the root namespace, and the first one found is used alone.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: DestinationRule
/// metadata:
///   name: checkout
/// spec:
///   host: checkout.shop.svc.cluster.local
///   trafficPolicy:
///     loadBalancer: { simple: ROUND_ROBIN }
///     outlierDetection: { consecutive5xxErrors: 5, baseEjectionTime: 1m }
///   subsets:
///   - name: stable
///     labels: { version: v1 }
///   - name: beta
///     labels: { version: v2 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DestinationRule {
    /// Namespaces whose clients use the rule: `*` is all, `.` is the own namespace, or names of
    /// namespaces. Unset takes `defaultDestinationRuleExportTo` of the mesh, which is `*`. With
    /// `workloadSelector` only the own namespace is allowed.
    pub export_to: Vec<String>,
    /// Service that the rule is for: a Kubernetes service, a host of a `ServiceEntry`, or a wildcard
    /// over them such as `*.example.com`. A short name gets the namespace of this resource. The most
    /// specific rule wins, and nothing is inherited from a wildcard rule.
    #[field(required)]
    pub host: String,
    /// Named parts of the service. They take effect only where a route names them.
    pub subsets: Vec<Subset>,
    /// Settings for all traffic to the host. Subsets and ports can override them.
    pub traffic_policy: Option<Box<TrafficPolicy>>,
    /// Client workloads of the namespace that use the rule. It wins over a rule without one. Unset is
    /// all clients.
    pub workload_selector: Option<WorkloadSelector>,
}

/// A named part of a service's endpoints.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Subset {
    /// Labels that endpoints need to belong to the subset. Empty takes all endpoints.
    pub labels: BTreeMap<String, String>,
    /// Name of the subset, a DNS label that is unique in the rule.
    #[field(required)]
    pub name: String,
    /// Settings for the subset. Each block that is set replaces the same block of the rule.
    pub traffic_policy: Option<Box<TrafficPolicy>>,
}

/// How clients connect to the endpoints of a service. At least one block has to be set.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TrafficPolicy {
    /// Limits on connections and requests.
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// How an endpoint is chosen.
    pub load_balancer: Option<Box<LoadBalancerSettings>>,
    /// When failing endpoints are taken out.
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// Settings for single ports. A port that is listed takes nothing from the blocks outside: what is
    /// not set for it has its default.
    #[field(max_items = 4096)]
    pub port_level_settings: Vec<PortTrafficPolicy>,
    /// Sends a PROXY protocol header, so that the server learns the client's address. Not together with
    /// `tunnel`.
    pub proxy_protocol: Option<ProxyProtocol>,
    /// Limits retries in relation to the running requests. It takes the place of `maxRetries`.
    pub retry_budget: Option<RetryBudget>,
    /// TLS settings for connections to the service. Unset uses mutual TLS on its own where the server
    /// offers it.
    pub tls: Option<Box<ClientTlsSettings>>,
    /// Tunnels TCP traffic through another proxy. For TCP and TLS routes only.
    pub tunnel: Option<TunnelSettings>,
}

/// Limits on connections and requests. They are counted in each client proxy on its own, not over the
/// mesh.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConnectionPoolSettings {
    /// Limits for HTTP traffic.
    pub http: Option<HttpSettings>,
    /// Limits for connections of every kind, HTTP included.
    pub tcp: Option<TcpSettings>,
}

/// Limits for HTTP traffic to a service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpSettings {
    /// Whether HTTP/1.1 requests are sent as HTTP/2. Not `UPGRADE` together with `useClientProtocol`.
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Requests that may wait for a connection. More are answered with 503. Unset or 0 is no limit in
    /// practice.
    pub http1_max_pending_requests: i32,
    /// HTTP/2 pings that find dead connections. Unset sends none.
    pub http2_keep_alive: Option<Http2KeepAlive>,
    /// Requests that may be running at once, for HTTP/1.1 as well as for HTTP/2. Unset or 0 is no limit
    /// in practice.
    pub http2_max_requests: i32,
    /// Time without requests after which a connection is closed. Unset is 1 hour.
    pub idle_timeout: Option<Duration>,
    /// Streams that may run at once on one HTTP/2 connection. Unset or 0 is 2147483647.
    pub max_concurrent_streams: i32,
    /// Requests after which a connection is closed. 1 turns keep-alive off. Unset or 0 is no limit.
    pub max_requests_per_connection: i32,
    /// Retries that may be running at once, over all endpoints. Unset or 0 is no limit in practice.
    pub max_retries: i32,
    /// Sends requests in the HTTP version that the client used. Unset is `false`.
    pub use_client_protocol: bool,
}

/// HTTP/2 pings on connections to a service. Both fields have to be set.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Http2KeepAlive {
    /// Time between pings.
    pub interval: Option<Duration>,
    /// Time to wait for the answer before the connection is closed.
    pub timeout: Option<Duration>,
}

/// Limits for connections to a service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpSettings {
    /// Time to open a connection. Unset takes `connectTimeout` of the mesh, which is 10 s. At least 1
    /// ms.
    pub connect_timeout: Option<Duration>,
    /// Time without any bytes after which a TCP connection is closed. Unset is 1 hour, and `0s` is
    /// never. For a weighted route, the first destination's value counts.
    pub idle_timeout: String,
    /// Longest life of a connection. Unset is no limit. At least 1 ms.
    pub max_connection_duration: Option<Duration>,
    /// Connections to the service that may be open at once. Unset or 0 is no limit in practice.
    pub max_connections: i32,
    /// Turns on TCP keep-alive probes.
    pub tcp_keepalive: Option<TcpKeepalive>,
}

/// TCP keep-alive probes, which find dead connections.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpKeepalive {
    /// Time between probes. Unset is the operating system's value, 75 s on Linux.
    pub interval: Option<Duration>,
    /// Probes without an answer after which the connection is dead. Unset is the operating system's
    /// value, 9 on Linux.
    pub probes: u32,
    /// Idle time before the first probe. Unset is the operating system's value, 2 hours on Linux.
    pub time: Option<Duration>,
}

/// How an endpoint is chosen for a request or connection. Give one of `simple`, `consistentHash` and
/// `backendUtilization`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("simple", "consistentHash", "backendUtilization"))]
pub struct LoadBalancerSettings {
    /// Sends more to endpoints that report less load.
    pub backend_utilization: Option<BackendUtilization>,
    /// Sends requests with the same property to the same endpoint.
    pub consistent_hash: Option<ConsistentHash>,
    /// Prefers or weighs localities. It replaces the setting of the mesh. Not together with
    /// `zoneAwareLbSetting`.
    pub locality_lb_setting: Option<LocalityLoadBalancerSetting>,
    /// One of the plain algorithms.
    pub simple: Option<SimpleLb>,
    /// Gives new endpoints little traffic at first. For `ROUND_ROBIN` and `LEAST_REQUEST` only.
    pub warmup: Option<WarmupConfiguration>,
    /// Time during which a new endpoint gets growing traffic.
    #[field(deprecated = "use `warmup`")]
    pub warmup_duration_secs: Option<Duration>,
    /// Prefers endpoints in the client's zone as far as they have capacity. It replaces the setting of
    /// the mesh.
    pub zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
}

/// Load balancing by the load that endpoints report, in the ORCA format, with their responses.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct BackendUtilization {
    /// How much failed requests count against an endpoint, in percent: 100 adds its error rate to its
    /// utilization. Unset takes Envoy's default.
    pub error_utilization_penalty_percent: u32,
    /// Names of reported metrics to use when an endpoint does not report its application utilization.
    /// Entries of a map are written `map.key`.
    pub metric_names_for_computing_utilization: Vec<String>,
    /// Time without reports after which an endpoint's weight is dropped. Unset takes Envoy's default, 3
    /// minutes.
    pub weight_expiration_period: String,
    /// Time that an endpoint has to report before its weight is used. Unset takes Envoy's default, 10
    /// seconds.
    pub weight_stabilization_period: String,
    /// Time between recalculations of the weights. Unset takes Envoy's default, 1 second.
    pub weight_update_period: String,
}

/// Chooses the endpoint by a hash, so that requests with the same value reach the same endpoint as long
/// as endpoints do not change. Give one property to hash, and at most one of `ringHash` and `maglev`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(
    one_of("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"),
    one_of("ringHash", "maglev")
)]
pub struct ConsistentHash {
    /// Hashes a cookie, which the proxy can create.
    pub http_cookie: Option<HttpCookie>,
    /// Hashes the header of this name.
    pub http_header_name: Option<String>,
    /// Hashes the query parameter of this name.
    pub http_query_parameter_name: Option<String>,
    /// Uses the Maglev algorithm.
    pub maglev: Option<MagLev>,
    /// Smallest number of points on the hash ring.
    #[field(deprecated = "use `ringHash.minimumRingSize`")]
    pub minimum_ring_size: u64,
    /// Uses a hash ring. This is the default algorithm.
    pub ring_hash: Option<RingHash>,
    /// Hashes the client's IP address. It works for TCP too.
    pub use_source_ip: Option<bool>,
}

/// A cookie to hash.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpCookie {
    /// More attributes for a cookie that the proxy creates, such as `SameSite`.
    pub attributes: Vec<CookieAttribute>,
    /// Name of the cookie.
    #[field(required)]
    pub name: String,
    /// Path of a cookie that the proxy creates.
    pub path: String,
    /// Life of a cookie that the proxy creates. `0s` makes it last for the browser's session. Unset
    /// creates no cookie.
    pub ttl: String,
}

/// An attribute of a cookie.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CookieAttribute {
    /// Name of the attribute. Each may occur once.
    #[field(required)]
    pub name: String,
    /// Value of the attribute. Empty writes the name alone.
    pub value: String,
}

/// The Maglev algorithm. It is faster than a hash ring and moves a few more requests when endpoints
/// change.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MagLev {
    /// Size of the lookup table: a prime below 5000011. Unset is 65537.
    pub table_size: u64,
}

/// The hash ring algorithm.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RingHash {
    /// Smallest number of points on the ring. More points spread the load more evenly and cost memory.
    /// Unset is 1024.
    pub minimum_ring_size: u64,
}

/// How traffic is spread over localities, which are written `region/zone/subzone`. Give one of
/// `distribute` and `failover`. Failover needs `outlierDetection` to have an effect.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LocalityLoadBalancerSetting {
    /// Fixed shares for the traffic of each locality.
    pub distribute: Vec<Distribute>,
    /// Turns locality load balancing on or off. Unset takes the setting of the mesh, which is on.
    #[field(nullable)]
    pub enabled: Option<bool>,
    /// Where traffic of a region goes when the region fails.
    pub failover: Vec<Failover>,
    /// Labels by which endpoints are ranked, most important first: endpoints that share more of them
    /// with the client come first. An entry is a label key, or `key=value` to compare with a fixed
    /// value.
    pub failover_priority: Vec<String>,
}

/// Shares for the traffic of one locality.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Distribute {
    /// Locality of the clients. A trailing `*` covers everything below, as in `eu-west/*`.
    pub from: String,
    /// Percentage of traffic for each destination locality. The values have to add up to 100.
    /// Localities that are not listed get nothing.
    pub to: BTreeMap<String, u32>,
}

/// A region that stands in for another.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Failover {
    /// Region that fails.
    pub from: String,
    /// Region that takes over. It has to be another one.
    pub to: String,
}

/// How traffic for a new endpoint grows.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WarmupConfiguration {
    /// How the growth bends: 1 is linear, larger values give more traffic early. Unset is 1.
    #[field(nullable, minimum = 0)]
    pub aggression: Option<f64>,
    /// Time after which an endpoint gets its full share.
    #[field(required)]
    pub duration: Option<Duration>,
    /// Percentage of its share that an endpoint gets at the start. Unset is 10.
    #[field(nullable, minimum = 0, maximum = 100)]
    pub minimum_percent: Option<f64>,
}

/// Keeps traffic in the client's zone without fixed shares: the proxy works out how much the local
/// endpoints can take and sends the rest to other zones. Endpoints of the client's own region always
/// come first.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ZoneAwareLoadBalancerSetting {
    /// Turns zone-aware load balancing on or off.
    #[field(nullable)]
    pub enabled: Option<bool>,
    /// Where traffic of a region goes when the region fails. It needs `outlierDetection`.
    pub failover: Vec<Failover>,
    /// Labels by which endpoints are ranked, as in locality load balancing. Region, zone and subzone
    /// labels are not allowed here.
    pub failover_priority: Vec<String>,
    /// Endpoints that the region needs for zones to count. With fewer, traffic is spread over all of
    /// them. Unset is 6.
    #[field(nullable, minimum = 1)]
    pub min_cluster_size: Option<u32>,
}

/// Takes endpoints that fail out of load balancing for a while. Each client proxy judges by its own
/// traffic.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OutlierDetection {
    /// Time for which an endpoint is taken out, multiplied by how often it has been. Unset is 30 s. At
    /// least 1 ms.
    pub base_ejection_time: Option<Duration>,
    /// Errors in a row, 5xx statuses or failed connections, after which an endpoint is taken out. Unset
    /// is 5, and 0 turns it off.
    #[field(nullable)]
    pub consecutive_5xx_errors: Option<u32>,
    /// Gateway errors in a row after which an endpoint is taken out.
    #[field(deprecated = "use `consecutive5xxErrors` or `consecutiveGatewayErrors`")]
    pub consecutive_errors: i32,
    /// Gateway errors in a row, statuses 502, 503 and 504, after which an endpoint is taken out. Unset
    /// or 0 turns it off.
    #[field(nullable)]
    pub consecutive_gateway_errors: Option<u32>,
    /// Failures in a row on the client's side, such as timeouts and refused connections. It counts only
    /// with `splitExternalLocalOriginErrors`. Unset is 5.
    #[field(nullable)]
    pub consecutive_local_origin_failures: Option<u32>,
    /// Time between checks. Unset is 10 s. At least 1 ms.
    pub interval: Option<Duration>,
    /// Largest percentage of endpoints that may be out at once, though one always may. Unset is 10.
    pub max_ejection_percent: i32,
    /// Percentage of healthy endpoints below which ejection is ignored and all endpoints get traffic.
    /// Unset is 0, which never ignores it.
    pub min_health_percent: i32,
    /// HTTP statuses that count as errors, 100 to 599. Unset counts every 5xx.
    #[field(items(minimum = 100, maximum = 599))]
    pub outlier_detection_http_error_codes: Vec<u32>,
    /// Counts failures on the client's side apart from errors that the server answers with. Unset is
    /// `false`.
    pub split_external_local_origin_errors: bool,
}

/// Settings for one port of a service. At least one block has to be set.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortTrafficPolicy {
    /// Limits on connections and requests.
    pub connection_pool: Option<Box<ConnectionPoolSettings>>,
    /// How an endpoint is chosen.
    pub load_balancer: Option<Box<LoadBalancerSettings>>,
    /// When failing endpoints are taken out.
    pub outlier_detection: Option<Box<OutlierDetection>>,
    /// Port of the service that the settings are for.
    pub port: Option<PortSelector>,
    /// TLS settings for connections to the port.
    pub tls: Option<Box<ClientTlsSettings>>,
}

/// How a proxy opens TLS connections to a server.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClientTlsSettings {
    /// File with the CA certificates to check the server's certificate against. Unset takes the
    /// operating system's. Leave it empty for `ISTIO_MUTUAL`.
    pub ca_certificates: String,
    /// File with the revocation list for the server's certificate. Unset means that revocation is not
    /// checked.
    pub ca_crl: String,
    /// File with the client's certificate chain. Needed for `MUTUAL` without `credentialName`.
    pub client_certificate: String,
    /// Secret with the client's key, certificate and CA certificates. It takes the place of the files.
    /// Gateways read it from their namespace; sidecars use it only with `workloadSelector`.
    pub credential_name: String,
    /// Connects without checking the server's certificate. Unset is `false`. Dangerous outside of
    /// tests.
    #[field(nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// Whether TLS is used and which certificates. Unset is `DISABLE`.
    pub mode: ClientTlsMode,
    /// File with the client's private key. Needed for `MUTUAL` without `credentialName`.
    pub private_key: String,
    /// Server name to send in the handshake. Unset takes the request's host for `SIMPLE` and `MUTUAL`.
    pub sni: String,
    /// Names that the server's certificate must carry one of. Unset checks the request's host if `sni`
    /// is unset too, or for `ISTIO_MUTUAL` the service accounts behind the service.
    pub subject_alt_names: Vec<String>,
}

/// The PROXY protocol header for connections to a server.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyProtocol {
    /// Version of the header. Unset is `V1`.
    pub version: ProxyProtocolVersion,
}

/// A limit on retries in relation to the running requests.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RetryBudget {
    /// Time for which a request counts. Unset or `0ms` counts only requests that are running or
    /// waiting.
    pub budget_interval: String,
    /// Retries that may always run at once, even with little traffic. Unset is 3.
    pub min_retry_concurrency: u32,
    /// Retries that may run at once, as a percentage of the requests. Unset is 20.
    #[field(nullable, minimum = 0, maximum = 100)]
    pub percent: Option<f64>,
}

/// Tunnels connections through an HTTP proxy.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TunnelSettings {
    /// HTTP method that opens the tunnel: `CONNECT` or `POST`. Unset is `CONNECT`.
    pub protocol: String,
    /// Host that the proxy should connect to: a full DNS name or an IP address.
    #[field(required)]
    pub target_host: String,
    /// Port that the proxy should connect to.
    #[field(required)]
    pub target_port: u32,
}

/// Whether HTTP/1.1 is sent on as HTTP/2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum H2UpgradePolicy {
    /// Takes the setting of the mesh.
    #[default]
    Default,
    /// Keeps HTTP/1.1.
    DoNotUpgrade,
    /// Sends HTTP/2. The server has to understand it without TLS negotiation.
    Upgrade,
}

/// A load balancing algorithm without further settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum SimpleLb {
    /// No choice: the default is used, `LEAST_REQUEST`.
    #[default]
    Unspecified,
    /// The old name of `LEAST_REQUEST`.
    #[value(deprecated = "use `LEAST_REQUEST`")]
    LeastConn,
    /// A random healthy endpoint.
    Random,
    /// No load balancing: the connection goes to the address that the client dialled.
    Passthrough,
    /// Each endpoint in turn.
    RoundRobin,
    /// The one with fewer running requests out of two random endpoints.
    LeastRequest,
}

/// How a proxy connects to a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ClientTlsMode {
    /// Plain text.
    #[default]
    Disable,
    /// TLS, where only the server shows a certificate.
    Simple,
    /// TLS, where the client shows a certificate that is given here.
    Mutual,
    /// TLS with the certificates of the mesh on both sides. All other settings except `sni` and
    /// `subjectAltNames` stay empty.
    IstioMutual,
}

/// Version of the PROXY protocol header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ProxyProtocolVersion {
    /// The text format.
    #[default]
    V1,
    /// The binary format.
    V2,
}
