//! Clusters and their endpoints.

use serde::Deserialize;
use serde_json::Value;

use super::{Address, Extension, Metadata};
use crate::proto::{Duration, proto_enum};

proto_enum! {
    /// `envoy.config.cluster.v3.Cluster.DiscoveryType`.
    #[derive(PartialOrd, Ord)]
    pub(crate) enum DiscoveryType {
        Static = 0 "STATIC",
        StrictDns = 1 "STRICT_DNS",
        LogicalDns = 2 "LOGICAL_DNS",
        Eds = 3 "EDS",
        OriginalDst = 4 "ORIGINAL_DST",
    }
}

impl DiscoveryType {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::StrictDns => "STRICT_DNS",
            Self::LogicalDns => "LOGICAL_DNS",
            Self::Eds => "EDS",
            Self::OriginalDst => "ORIGINAL_DST",
            Self::Unknown => "UNKNOWN",
        }
    }
}

proto_enum! {
    /// `envoy.config.cluster.v3.Cluster.LbPolicy`.
    pub(crate) enum LbPolicy {
        RoundRobin = 0 "ROUND_ROBIN",
        LeastRequest = 1 "LEAST_REQUEST",
        RingHash = 2 "RING_HASH",
        Random = 3 "RANDOM",
        Maglev = 5 "MAGLEV",
        ClusterProvided = 6 "CLUSTER_PROVIDED",
        LoadBalancingPolicyConfig = 7 "LOAD_BALANCING_POLICY_CONFIG",
    }
}

impl LbPolicy {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RoundRobin => "ROUND_ROBIN",
            Self::LeastRequest => "LEAST_REQUEST",
            Self::RingHash => "RING_HASH",
            Self::Random => "RANDOM",
            Self::Maglev => "MAGLEV",
            Self::ClusterProvided => "CLUSTER_PROVIDED",
            Self::LoadBalancingPolicyConfig => "LOAD_BALANCING_POLICY_CONFIG",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// `envoy.config.cluster.v3.Cluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Cluster {
    pub(crate) name: String,
    pub(crate) r#type: DiscoveryType,
    pub(crate) cluster_type: Option<Extension>,
    pub(crate) eds_cluster_config: EdsClusterConfig,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) lb_policy: LbPolicy,
    pub(crate) load_assignment: Option<LoadAssignment>,
    pub(crate) transport_socket: Option<Extension>,
    pub(crate) transport_socket_matches: Vec<TransportSocketMatch>,
    pub(crate) metadata: Metadata,
}

impl Cluster {
    /// How its hosts are found, as tables show it.
    pub(crate) fn discovery(&self) -> String {
        match &self.cluster_type {
            Some(custom) => custom.name.clone(),
            None => self.r#type.name().to_owned(),
        }
    }

    /// The name that its load assignment goes by.
    pub(crate) fn eds_name(&self) -> &str {
        let service = &self.eds_cluster_config.service_name;
        if service.is_empty() { &self.name } else { service }
    }
}

/// `envoy.config.cluster.v3.Cluster.EdsClusterConfig`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct EdsClusterConfig {
    pub(crate) service_name: String,
}

/// `envoy.config.cluster.v3.Cluster.TransportSocketMatch`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TransportSocketMatch {
    pub(crate) name: String,
    pub(crate) r#match: serde_json::Map<String, Value>,
    pub(crate) transport_socket: Option<Extension>,
}

/// `envoy.config.endpoint.v3.ClusterLoadAssignment`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LoadAssignment {
    pub(crate) cluster_name: String,
    pub(crate) endpoints: Vec<LocalityEndpoints>,
}

/// `envoy.config.endpoint.v3.LocalityLbEndpoints`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LocalityEndpoints {
    pub(crate) locality: Locality,
    pub(crate) lb_endpoints: Vec<LbEndpoint>,
    pub(crate) load_balancing_weight: Option<u32>,
    pub(crate) priority: u32,
}

/// `envoy.config.core.v3.Locality`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Locality {
    pub(crate) region: String,
    pub(crate) zone: String,
    pub(crate) sub_zone: String,
}

impl std::fmt::Display for Locality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.region)?;
        for part in [&self.zone, &self.sub_zone] {
            if !part.is_empty() {
                write!(f, "/{part}")?;
            }
        }
        Ok(())
    }
}

proto_enum! {
    /// `envoy.config.core.v3.HealthStatus`.
    #[derive(PartialOrd, Ord)]
    pub enum HealthStatus {
        /// Nothing is known of it; treated as healthy.
        NotStated = 0 "UNKNOWN",
        /// It serves.
        Healthy = 1 "HEALTHY",
        /// It does not serve.
        Unhealthy = 2 "UNHEALTHY",
        /// It gets no new requests.
        Draining = 3 "DRAINING",
        /// Its health check timed out; treated as unhealthy.
        Timeout = 4 "TIMEOUT",
        /// It serves when no healthy host is left.
        Degraded = 5 "DEGRADED",
    }
}

impl HealthStatus {
    /// Envoy's name of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotStated | Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
            Self::Draining => "DRAINING",
            Self::Timeout => "TIMEOUT",
            Self::Degraded => "DEGRADED",
        }
    }
}

/// `envoy.config.endpoint.v3.LbEndpoint`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct LbEndpoint {
    pub(crate) endpoint: Endpoint,
    pub(crate) health_status: HealthStatus,
    pub(crate) metadata: Metadata,
    pub(crate) load_balancing_weight: Option<u32>,
}

/// `envoy.config.endpoint.v3.Endpoint`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Endpoint {
    pub(crate) address: Address,
    pub(crate) hostname: String,
}

/// `envoy.admin.v3.ClusterStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterStatus {
    pub(crate) name: String,
    pub(crate) host_statuses: Vec<HostStatus>,
}

/// `envoy.admin.v3.HostStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostStatus {
    pub(crate) address: Address,
    pub(crate) health_status: HostHealth,
    pub(crate) weight: u32,
    pub(crate) hostname: String,
    pub(crate) priority: u32,
    pub(crate) locality: Locality,
}

/// `envoy.admin.v3.HostHealthStatus`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostHealth {
    pub(crate) failed_active_health_check: bool,
    pub(crate) failed_outlier_check: bool,
    pub(crate) eds_health_status: HealthStatus,
}
