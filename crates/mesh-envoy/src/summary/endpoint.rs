//! Endpoints, from either of the two places that Envoy shows them in.

use serde::Deserialize;

use crate::config::cluster::{ClusterStatus, HealthStatus, LoadAssignment};

/// A row of the table of endpoints. They sort as the table does: by address, port and cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointSummary {
    /// An IP address or name; `unix://…` for a socket, `envoy://…` for an internal listener.
    pub host: String,
    /// `None` if the address has no port.
    pub port: Option<u32>,
    /// The cluster that it belongs to.
    pub cluster: String,
    /// Host and port, as they are written together.
    pub address: String,
    /// Its health, as the control plane says.
    pub status: HealthStatus,
    /// Whether outlier detection has ejected it; `None` where that is not told.
    pub ejected: Option<bool>,
    /// Whether it fails active health checks; `None` where that is not told.
    pub failed_health_check: Option<bool>,
    /// Region, zone and sub-zone, separated by slashes.
    pub locality: String,
    /// Its weight among the hosts of its locality.
    pub weight: u32,
    /// 0 is the highest.
    pub priority: u32,
    /// The name that its address was resolved from, if told.
    pub hostname: String,
}

/// The endpoints of a cluster: an element of [`Section::ClusterStatuses`] or of [`Section::Endpoints`].
///
/// [`Section::ClusterStatuses`]: crate::dump::Section::ClusterStatuses
/// [`Section::Endpoints`]: crate::dump::Section::Endpoints
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Fields")]
pub struct ClusterEndpoints {
    /// The cluster's name.
    pub cluster: String,
    /// In the order of the dump.
    pub endpoints: Vec<EndpointSummary>,
}

/// The fields of both messages, which have no name in common.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    name: String,
    host_statuses: Vec<crate::config::cluster::HostStatus>,
    cluster_name: String,
    endpoints: Vec<crate::config::cluster::LocalityEndpoints>,
}

impl From<Fields> for ClusterEndpoints {
    fn from(fields: Fields) -> Self {
        let Fields {
            name,
            host_statuses,
            cluster_name,
            endpoints,
        } = fields;
        if cluster_name.is_empty() {
            (&ClusterStatus { name, host_statuses }).into()
        } else {
            (&LoadAssignment {
                cluster_name,
                endpoints,
            })
                .into()
        }
    }
}

impl From<&ClusterStatus> for ClusterEndpoints {
    fn from(status: &ClusterStatus) -> Self {
        let endpoints = status.host_statuses.iter().map(|host| EndpointSummary {
            host: host.address.host(),
            port: host.address.port(),
            cluster: status.name.clone(),
            address: host.address.to_string(),
            status: host.health_status.eds_health_status,
            ejected: Some(host.health_status.failed_outlier_check),
            failed_health_check: Some(host.health_status.failed_active_health_check),
            locality: host.locality.to_string(),
            weight: host.weight,
            priority: host.priority,
            hostname: host.hostname.clone(),
        });
        Self {
            cluster: status.name.clone(),
            endpoints: endpoints.collect(),
        }
    }
}

impl From<&LoadAssignment> for ClusterEndpoints {
    fn from(assignment: &LoadAssignment) -> Self {
        let hosts = assignment
            .endpoints
            .iter()
            .flat_map(|locality| locality.lb_endpoints.iter().map(move |host| (locality, host)));
        let endpoints = hosts.map(|(locality, host)| EndpointSummary {
            host: host.endpoint.address.host(),
            port: host.endpoint.address.port(),
            cluster: assignment.cluster_name.clone(),
            address: host.endpoint.address.to_string(),
            status: host.health_status,
            ejected: None,
            failed_health_check: None,
            locality: locality.locality.to_string(),
            weight: host.load_balancing_weight.unwrap_or(1),
            priority: locality.priority,
            hostname: host.endpoint.hostname.clone(),
        });
        Self {
            cluster: assignment.cluster_name.clone(),
            endpoints: endpoints.collect(),
        }
    }
}

impl EndpointSummary {
    /// Whether Envoy sends requests to it as long as other hosts are well too: healthy by all that is told.
    pub fn is_healthy(&self) -> bool {
        matches!(
            self.status,
            HealthStatus::Healthy | HealthStatus::NotStated | HealthStatus::Unknown
        ) && self.ejected != Some(true)
            && self.failed_health_check != Some(true)
    }
}

/// Which endpoints to show: those that agree with all that is set.
#[derive(Clone, Debug, Default)]
pub struct EndpointFilter {
    /// The address without its port.
    pub address: Option<String>,
    /// The port.
    pub port: Option<u32>,
    /// The whole name of the cluster.
    pub cluster: Option<String>,
    /// Envoy's name of the health, in either case: `healthy`.
    pub status: Option<String>,
}

impl EndpointFilter {
    /// Whether an endpoint is to be shown.
    pub fn matches(&self, endpoint: &EndpointSummary) -> bool {
        self.address
            .as_ref()
            .is_none_or(|address| endpoint.host.eq_ignore_ascii_case(address))
            && self.port.is_none_or(|port| endpoint.port == Some(port))
            && self
                .cluster
                .as_ref()
                .is_none_or(|cluster| endpoint.cluster == *cluster)
            && self
                .status
                .as_ref()
                .is_none_or(|status| endpoint.status.name().eq_ignore_ascii_case(status))
    }
}
