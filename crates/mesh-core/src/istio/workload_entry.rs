//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{ADDRESS_REQUIRED, PORT, PORT_NAMES, UDS_ABSOLUTE, UDS_NOT_DIR, UDS_WITHOUT_PORTS};
use mesh_macros::{Message};

/// DOC(ServiceEntry.endpoints[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(ADDRESS_REQUIRED, UDS_WITHOUT_PORTS))]
pub struct WorkloadEntry {
    /// DOC(ServiceEntry.endpoints[].address)
    #[field(max_length = 256, cel(UDS_ABSOLUTE, UDS_NOT_DIR))]
    pub address: String,
    /// DOC(ServiceEntry.endpoints[].labels)
    #[field(max_properties = 256)]
    pub labels: BTreeMap<String, String>,
    /// DOC(ServiceEntry.endpoints[].locality)
    #[field(max_length = 2048)]
    pub locality: String,
    /// DOC(ServiceEntry.endpoints[].network)
    #[field(max_length = 2048)]
    pub network: String,
    /// DOC(ServiceEntry.endpoints[].ports)
    #[field(max_properties = 128, cel(PORT_NAMES), values(cel(PORT)))]
    pub ports: BTreeMap<String, u32>,
    /// DOC(ServiceEntry.endpoints[].serviceAccount)
    #[field(max_length = 253)]
    pub service_account: String,
    /// DOC(ServiceEntry.endpoints[].weight)
    pub weight: u32,
}
