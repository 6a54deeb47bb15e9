//! DOC(module)

use crate::schema::cel::{CIDR_NEEDS_NONE_OR_STATIC, HOST_NOT_WILDCARD, NONE_WITHOUT_ENDPOINTS, PORT, ROUND_ROBIN_SINGLE_ENDPOINT, SELECTOR_OR_ENDPOINTS, UNIQUE_PORT_NUMBERS};
use mesh_macros::{Enum, Message};
use super::common::{NetworkingWorkloadSelector};
use super::workload_entry::{WorkloadEntry};

/// DOC(ServiceEntry)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(SELECTOR_OR_ENDPOINTS, CIDR_NEEDS_NONE_OR_STATIC, NONE_WITHOUT_ENDPOINTS, ROUND_ROBIN_SINGLE_ENDPOINT))]
pub struct ServiceEntry {
    /// DOC(ServiceEntry.addresses)
    #[field(max_items = 256, items(max_length = 64))]
    pub addresses: Vec<String>,
    /// DOC(ServiceEntry.endpoints)
    #[field(max_items = 4096)]
    pub endpoints: Vec<WorkloadEntry>,
    /// DOC(ServiceEntry.exportTo)
    pub export_to: Vec<String>,
    /// DOC(ServiceEntry.hosts)
    #[field(required, min_items = 1, max_items = 256, items(cel(HOST_NOT_WILDCARD)))]
    pub hosts: Vec<String>,
    /// DOC(ServiceEntry.location)
    pub location: Location,
    /// DOC(ServiceEntry.ports)
    #[field(max_items = 256, list_map_keys("name"), cel(UNIQUE_PORT_NUMBERS))]
    pub ports: Vec<ServicePort>,
    /// DOC(ServiceEntry.resolution)
    pub resolution: Resolution,
    /// DOC(ServiceEntry.subjectAltNames)
    pub subject_alt_names: Vec<String>,
    /// DOC(ServiceEntry.workloadSelector)
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// DOC(ServiceEntry.ports[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServicePort {
    /// DOC(ServiceEntry.ports[].name)
    #[field(required, max_length = 256)]
    pub name: String,
    /// DOC(ServiceEntry.ports[].number)
    #[field(required, cel(PORT))]
    pub number: u32,
    /// DOC(ServiceEntry.ports[].protocol)
    #[field(max_length = 256)]
    pub protocol: String,
    /// DOC(ServiceEntry.ports[].targetPort)
    #[field(cel(PORT))]
    pub target_port: u32,
}

/// DOC(enum ServiceEntry.location)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Location {
    /// DOC(MESH_EXTERNAL)
    #[default]
    MeshExternal,
    /// DOC(MESH_INTERNAL)
    MeshInternal,
}

/// DOC(enum ServiceEntry.resolution)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Resolution {
    /// DOC(NONE)
    #[default]
    None,
    /// DOC(STATIC)
    Static,
    /// DOC(DNS)
    Dns,
    /// DOC(DNS_ROUND_ROBIN)
    DnsRoundRobin,
    /// DOC(DYNAMIC_DNS)
    DynamicDns,
}
