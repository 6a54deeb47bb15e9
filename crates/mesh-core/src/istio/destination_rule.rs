//! DOC(module)

use std::collections::BTreeMap;

use mesh_macros::{Enum, Message};
use crate::schema::{Duration};
use super::common::{PortSelector, WorkloadSelector};

/// DOC(DestinationRule)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DestinationRule {
    /// DOC(DestinationRule.exportTo)
    pub export_to: Vec<String>,
    /// DOC(DestinationRule.host)
    #[field(required)]
    pub host: String,
    /// DOC(DestinationRule.subsets)
    pub subsets: Vec<Subset>,
    /// DOC(DestinationRule.trafficPolicy)
    pub traffic_policy: Option<TrafficPolicy>,
    /// DOC(DestinationRule.workloadSelector)
    pub workload_selector: Option<WorkloadSelector>,
}

/// DOC(DestinationRule.subsets[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Subset {
    /// DOC(DestinationRule.subsets[].labels)
    pub labels: BTreeMap<String, String>,
    /// DOC(DestinationRule.subsets[].name)
    #[field(required)]
    pub name: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy)
    pub traffic_policy: Option<TrafficPolicy>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TrafficPolicy {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool)
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer)
    pub load_balancer: Option<LoadBalancerSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection)
    pub outlier_detection: Option<OutlierDetection>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings)
    #[field(max_items = 4096)]
    pub port_level_settings: Vec<PortTrafficPolicy>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.proxyProtocol)
    pub proxy_protocol: Option<ProxyProtocol>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.retryBudget)
    pub retry_budget: Option<RetryBudget>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.tls)
    pub tls: Option<ClientTlsSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.tunnel)
    pub tunnel: Option<TunnelSettings>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConnectionPoolSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http)
    pub http: Option<HttpSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp)
    pub tcp: Option<TcpSettings>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.h2UpgradePolicy)
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http1MaxPendingRequests)
    pub http1_max_pending_requests: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http2KeepAlive)
    pub http2_keep_alive: Option<Http2KeepAlive>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http2MaxRequests)
    pub http2_max_requests: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.idleTimeout)
    pub idle_timeout: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.maxConcurrentStreams)
    pub max_concurrent_streams: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.maxRequestsPerConnection)
    pub max_requests_per_connection: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.maxRetries)
    pub max_retries: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.useClientProtocol)
    pub use_client_protocol: bool,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http2KeepAlive)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Http2KeepAlive {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http2KeepAlive.interval)
    pub interval: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.http.http2KeepAlive.timeout)
    pub timeout: Option<Duration>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.connectTimeout)
    pub connect_timeout: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.idleTimeout)
    pub idle_timeout: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.maxConnectionDuration)
    pub max_connection_duration: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.maxConnections)
    pub max_connections: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive)
    pub tcp_keepalive: Option<TcpKeepalive>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpKeepalive {
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive.interval)
    pub interval: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive.probes)
    pub probes: u32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.connectionPool.tcp.tcpKeepalive.time)
    pub time: Option<Duration>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("simple", "consistentHash", "backendUtilization"))]
pub struct LoadBalancerSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization)
    pub backend_utilization: Option<BackendUtilization>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash)
    pub consistent_hash: Option<ConsistentHash>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting)
    pub locality_lb_setting: Option<LocalityLoadBalancerSetting>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.simple)
    pub simple: Option<SimpleLb>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmup)
    pub warmup: Option<WarmupConfiguration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmupDurationSecs)
    pub warmup_duration_secs: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting)
    pub zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct BackendUtilization {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization.errorUtilizationPenaltyPercent)
    pub error_utilization_penalty_percent: u32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization.metricNamesForComputingUtilization)
    pub metric_names_for_computing_utilization: Vec<String>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization.weightExpirationPeriod)
    pub weight_expiration_period: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization.weightStabilizationPeriod)
    pub weight_stabilization_period: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.backendUtilization.weightUpdatePeriod)
    pub weight_update_period: String,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"), one_of("ringHash", "maglev"))]
pub struct ConsistentHash {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie)
    pub http_cookie: Option<HttpCookie>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpHeaderName)
    pub http_header_name: Option<String>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpQueryParameterName)
    pub http_query_parameter_name: Option<String>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.maglev)
    pub maglev: Option<MagLev>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.minimumRingSize)
    pub minimum_ring_size: u32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.ringHash)
    pub ring_hash: Option<RingHash>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.useSourceIp)
    pub use_source_ip: Option<bool>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpCookie {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes)
    pub attributes: Vec<CookieAttribute>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.name)
    #[field(required)]
    pub name: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.path)
    pub path: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.ttl)
    pub ttl: String,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CookieAttribute {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[].name)
    #[field(required)]
    pub name: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[].value)
    pub value: String,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.maglev)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MagLev {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.maglev.tableSize)
    pub table_size: u32,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.ringHash)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RingHash {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.consistentHash.ringHash.minimumRingSize)
    pub minimum_ring_size: u32,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LocalityLoadBalancerSetting {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.distribute)
    pub distribute: Vec<Distribute>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.enabled)
    #[field(nullable)]
    pub enabled: Option<bool>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failover)
    pub failover: Vec<Failover>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failoverPriority)
    pub failover_priority: Vec<String>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.distribute[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Distribute {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.distribute[].from)
    pub from: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.distribute[].to)
    pub to: BTreeMap<String, u32>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failover[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Failover {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failover[].from)
    pub from: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.localityLbSetting.failover[].to)
    pub to: String,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmup)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WarmupConfiguration {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmup.aggression)
    #[field(nullable, minimum = 0)]
    pub aggression: Option<f64>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmup.duration)
    #[field(required)]
    pub duration: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.warmup.minimumPercent)
    #[field(nullable, minimum = 0, maximum = 100)]
    pub minimum_percent: Option<f64>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ZoneAwareLoadBalancerSetting {
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting.enabled)
    #[field(nullable)]
    pub enabled: Option<bool>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting.failover)
    pub failover: Vec<Failover>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting.failoverPriority)
    pub failover_priority: Vec<String>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.loadBalancer.zoneAwareLbSetting.minClusterSize)
    #[field(nullable, minimum = 1)]
    pub min_cluster_size: Option<u32>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OutlierDetection {
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.baseEjectionTime)
    pub base_ejection_time: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.consecutive5xxErrors)
    #[field(nullable)]
    pub consecutive_5xx_errors: Option<u32>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.consecutiveErrors)
    pub consecutive_errors: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.consecutiveGatewayErrors)
    #[field(nullable)]
    pub consecutive_gateway_errors: Option<u32>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.consecutiveLocalOriginFailures)
    #[field(nullable)]
    pub consecutive_local_origin_failures: Option<u32>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.interval)
    pub interval: Option<Duration>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.maxEjectionPercent)
    pub max_ejection_percent: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.minHealthPercent)
    pub min_health_percent: i32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.outlierDetectionHttpErrorCodes)
    #[field(items(minimum = 100, maximum = 599))]
    pub outlier_detection_http_error_codes: Vec<u32>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.outlierDetection.splitExternalLocalOriginErrors)
    pub split_external_local_origin_errors: bool,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortTrafficPolicy {
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].connectionPool)
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].loadBalancer)
    pub load_balancer: Option<LoadBalancerSettings>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].outlierDetection)
    pub outlier_detection: Option<OutlierDetection>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].port)
    pub port: Option<PortSelector>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls)
    pub tls: Option<ClientTlsSettings>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClientTlsSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.caCertificates)
    pub ca_certificates: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.caCrl)
    pub ca_crl: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.clientCertificate)
    pub client_certificate: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.credentialName)
    pub credential_name: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.insecureSkipVerify)
    #[field(nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.mode)
    pub mode: ClientTlsMode,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.privateKey)
    pub private_key: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.sni)
    pub sni: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.subjectAltNames)
    pub subject_alt_names: Vec<String>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.proxyProtocol)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyProtocol {
    /// DOC(DestinationRule.subsets[].trafficPolicy.proxyProtocol.version)
    pub version: ProxyProtocolVersion,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.retryBudget)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RetryBudget {
    /// DOC(DestinationRule.subsets[].trafficPolicy.retryBudget.budgetInterval)
    pub budget_interval: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.retryBudget.minRetryConcurrency)
    pub min_retry_concurrency: u32,
    /// DOC(DestinationRule.subsets[].trafficPolicy.retryBudget.percent)
    #[field(nullable, minimum = 0, maximum = 100)]
    pub percent: Option<f64>,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.tunnel)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TunnelSettings {
    /// DOC(DestinationRule.subsets[].trafficPolicy.tunnel.protocol)
    pub protocol: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.tunnel.targetHost)
    #[field(required)]
    pub target_host: String,
    /// DOC(DestinationRule.subsets[].trafficPolicy.tunnel.targetPort)
    #[field(required)]
    pub target_port: u32,
}

/// DOC(enum DestinationRule.subsets[].trafficPolicy.connectionPool.http.h2UpgradePolicy)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum H2UpgradePolicy {
    /// DOC(DEFAULT)
    #[default]
    Default,
    /// DOC(DO_NOT_UPGRADE)
    DoNotUpgrade,
    /// DOC(UPGRADE)
    Upgrade,
}

/// DOC(enum DestinationRule.subsets[].trafficPolicy.loadBalancer.simple)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum SimpleLb {
    /// DOC(UNSPECIFIED)
    #[default]
    Unspecified,
    /// DOC(LEAST_CONN)
    LeastConn,
    /// DOC(RANDOM)
    Random,
    /// DOC(PASSTHROUGH)
    Passthrough,
    /// DOC(ROUND_ROBIN)
    RoundRobin,
    /// DOC(LEAST_REQUEST)
    LeastRequest,
}

/// DOC(enum DestinationRule.subsets[].trafficPolicy.portLevelSettings[].tls.mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ClientTlsMode {
    /// DOC(DISABLE)
    #[default]
    Disable,
    /// DOC(SIMPLE)
    Simple,
    /// DOC(MUTUAL)
    Mutual,
    /// DOC(ISTIO_MUTUAL)
    IstioMutual,
}

/// DOC(enum DestinationRule.subsets[].trafficPolicy.proxyProtocol.version)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ProxyProtocolVersion {
    /// DOC(V1)
    #[default]
    V1,
    /// DOC(V2)
    V2,
}
