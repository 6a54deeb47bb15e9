//! Clusters.

use serde::Deserialize;

use crate::config::Metadata;
use crate::config::cluster::DiscoveryType;
use crate::istio::{ClusterName, Origin};

/// A row of the table of clusters. They sort as the table does: by host, port, subset and direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "Fields")]
pub struct ClusterSummary {
    /// The service's host; the whole name if it is not one of Istio's.
    pub fqdn: String,
    /// The rest of a name of Istio's.
    pub parts: Option<ClusterName>,
    /// The whole name.
    pub name: String,
    /// How its hosts are found: `EDS`, `STATIC`, …, or the name of an extension.
    pub discovery: String,
    /// The DestinationRule that shaped it.
    pub origin: Option<Origin>,
}

/// The fields that a row needs: clusters are many, and large.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields {
    name: String,
    r#type: DiscoveryType,
    cluster_type: Option<CustomType>,
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CustomType {
    name: String,
}

impl From<Fields> for ClusterSummary {
    fn from(cluster: Fields) -> Self {
        let parts = ClusterName::parse(&cluster.name);
        let host = parts
            .as_ref()
            .map(|parts| &parts.host)
            .filter(|host| !host.is_empty());
        Self {
            fqdn: host.unwrap_or(&cluster.name).clone(),
            parts,
            discovery: match cluster.cluster_type {
                Some(custom) => custom.name,
                None => cluster.r#type.name().to_owned(),
            },
            origin: Origin::of(&cluster.metadata),
            name: cluster.name,
        }
    }
}

/// Which clusters to show: those that agree with all that is set.
#[derive(Clone, Debug, Default)]
pub struct ClusterFilter {
    /// A part of the name.
    pub fqdn: Option<String>,
    /// The port in Istio's name.
    pub port: Option<u16>,
    /// A part of the subset in Istio's name.
    pub subset: Option<String>,
    /// A part of the direction in Istio's name, such as `inbound`.
    pub direction: Option<String>,
}

impl ClusterFilter {
    /// Whether a cluster is to be shown.
    pub fn matches(&self, cluster: &ClusterSummary) -> bool {
        let parts = cluster.parts.as_ref();
        let contains = |wanted: &Option<String>, part: fn(&ClusterName) -> &str| {
            wanted
                .as_ref()
                .is_none_or(|wanted| parts.is_some_and(|parts| part(parts).contains(&**wanted)))
        };
        self.fqdn
            .as_ref()
            .is_none_or(|fqdn| cluster.name.contains(&**fqdn))
            && self
                .port
                .is_none_or(|port| parts.is_some_and(|parts| parts.port == port))
            && contains(&self.subset, |parts| &parts.subset)
            && contains(&self.direction, |parts| &parts.direction)
    }
}
