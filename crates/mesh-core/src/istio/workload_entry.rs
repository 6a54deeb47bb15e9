//! `WorkloadEntry`: a workload that is not a pod.

use std::collections::BTreeMap;

use crate::schema::cel::{ADDRESS_REQUIRED, PORT, PORT_NAMES, UDS_ABSOLUTE, UDS_NOT_DIR, UDS_WITHOUT_PORTS};
use mesh_macros::Message;

/// Describes one workload that is not a Kubernetes pod, such as a virtual machine. A `ServiceEntry` or
/// a Kubernetes `Service` picks entries by their labels, next to pods, so a service can move between
/// both. The same fields describe an inline endpoint of a `ServiceEntry` and the template of a
/// `WorkloadGroup`. An entry as a resource is often created automatically when the machine joins the
/// mesh.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: WorkloadEntry
/// metadata:
///   name: ledger-vm-1
/// spec:
///   address: 10.20.0.7
///   labels: { app: ledger, version: v2 }
///   serviceAccount: ledger
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(ADDRESS_REQUIRED, UDS_WITHOUT_PORTS))]
pub struct WorkloadEntry {
    /// Where the workload listens: an IP address, a DNS name, or `unix:///path` for a socket. DNS names
    /// need a service with DNS resolution, and a socket allows no `ports`. It may be empty only with
    /// `network` set, or in a template.
    #[field(max_length = 256, cel(UDS_ABSOLUTE, UDS_NOT_DIR))]
    pub address: String,
    /// Labels of the workload, used by selectors and by subsets of a `DestinationRule`.
    #[field(max_properties = 256)]
    pub labels: BTreeMap<String, String>,
    /// Place of the workload as `region/zone/subzone`, where later parts may be missing. Locality load
    /// balancing uses it. Unset takes the locality of the proxy that runs there, if any.
    #[field(max_length = 2048)]
    pub locality: String,
    /// Name of the network that the workload is in. Workloads of different networks reach each other
    /// through gateways. Unset is the default network.
    #[field(max_length = 2048)]
    pub network: String,
    /// Port numbers by the port names of the service. They replace the service's target ports on this
    /// workload. A missing name falls back to the service's `targetPort`, then to its port number.
    #[field(max_properties = 128, cel(PORT_NAMES), values(cel(PORT)))]
    pub ports: BTreeMap<String, u32>,
    /// Service account of the workload, in the namespace of the entry. It forms the identity that peers
    /// expect in mutual TLS. An endpoint without it is taken to speak plain text unless its labels say
    /// otherwise.
    #[field(max_length = 253)]
    pub service_account: String,
    /// Share of traffic relative to the other endpoints of the service. Unset counts as 1.
    pub weight: u32,
}
