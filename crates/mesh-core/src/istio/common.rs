//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{NO_CROSS_NAMESPACE, NO_EMPTY_KEY, NO_WILDCARD_IN_SELECTOR, NO_WILDCARD_KEY, NO_WILDCARD_VALUE};
use mesh_macros::{Enum, Message};

/// DOC(TrafficExtension.match[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TrafficSelector {
    /// DOC(TrafficExtension.match[].mode)
    pub mode: WorkloadMode,
    /// DOC(TrafficExtension.match[].ports)
    #[field(list_map_keys("number"))]
    pub ports: Vec<PortNumber>,
}

/// DOC(TrafficExtension.match[].ports[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortNumber {
    /// DOC(TrafficExtension.match[].ports[].number)
    #[field(required, minimum = 1, maximum = 65535)]
    pub number: u32,
}

/// DOC(TrafficExtension.selector)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WorkloadSelector {
    /// DOC(TrafficExtension.selector.matchLabels)
    #[field(max_properties = 4096, cel(NO_WILDCARD_KEY, NO_EMPTY_KEY), values(max_length = 63, cel(NO_WILDCARD_VALUE)))]
    pub match_labels: BTreeMap<String, String>,
}

/// DOC(TrafficExtension.targetRefs[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PolicyTargetReference {
    /// DOC(TrafficExtension.targetRefs[].group)
    #[field(max_length = 253, pattern = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")]
    pub group: String,
    /// DOC(TrafficExtension.targetRefs[].kind)
    #[field(required, min_length = 1, max_length = 63, pattern = r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$")]
    pub kind: String,
    /// DOC(TrafficExtension.targetRefs[].name)
    #[field(required, min_length = 1, max_length = 253)]
    pub name: String,
    /// DOC(TrafficExtension.targetRefs[].namespace)
    #[field(cel(NO_CROSS_NAMESPACE))]
    pub namespace: String,
}

/// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].port)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortSelector {
    /// DOC(DestinationRule.subsets[].trafficPolicy.portLevelSettings[].port.number)
    pub number: u32,
}

/// DOC(EnvoyFilter.workloadSelector)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NetworkingWorkloadSelector {
    /// DOC(EnvoyFilter.workloadSelector.labels)
    #[field(max_properties = 256, values(max_length = 63, cel(NO_WILDCARD_IN_SELECTOR)))]
    pub labels: BTreeMap<String, String>,
}

/// DOC(enum TrafficExtension.match[].mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum WorkloadMode {
    /// DOC(UNDEFINED)
    #[default]
    Undefined,
    /// DOC(CLIENT)
    Client,
    /// DOC(SERVER)
    Server,
    /// DOC(CLIENT_AND_SERVER)
    ClientAndServer,
}
