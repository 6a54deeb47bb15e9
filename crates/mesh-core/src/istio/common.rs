//! Selectors and references that several kinds share.

use std::collections::BTreeMap;

use crate::schema::cel::{
    NO_CROSS_NAMESPACE, NO_EMPTY_KEY, NO_WILDCARD_IN_SELECTOR, NO_WILDCARD_KEY, NO_WILDCARD_VALUE,
};
use mesh_macros::{Enum, Message};

/// Chooses the traffic that an extension handles, by direction and port. A connection has to fit both
/// `mode` and `ports`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TrafficSelector {
    /// Direction of the traffic. Unset means both directions.
    pub mode: WorkloadMode,
    /// Port numbers of the connection's destination. An empty list means every port.
    #[field(list_map_keys("number"))]
    pub ports: Vec<PortNumber>,
}

/// One port of a port list.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortNumber {
    /// Port number, 1 to 65535.
    #[field(required, minimum = 1, maximum = 65535)]
    pub number: u32,
}

/// Chooses workloads by their labels. Only workloads in the namespace of the resource are chosen; a
/// policy in the root namespace reaches every namespace.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WorkloadSelector {
    /// Labels that a workload must carry, all of them, with exactly these values. An empty map chooses
    /// every workload in reach. Keys may not be empty, and neither keys nor values may hold a `*`.
    #[field(
        max_properties = 4096,
        cel(NO_WILDCARD_KEY, NO_EMPTY_KEY),
        values(max_length = 63, cel(NO_WILDCARD_VALUE))
    )]
    pub match_labels: BTreeMap<String, String>,
}

/// Names the object that a policy attaches to, for gateways and waypoints. Supported kinds are a
/// Kubernetes `Service`, an Istio `ServiceEntry`, and `Gateway` or `GatewayClass` of the Gateway API.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PolicyTargetReference {
    /// API group of the target, such as `gateway.networking.k8s.io` for a `Gateway`. Empty is the core
    /// group, which holds `Service`.
    #[field(
        max_length = 253,
        pattern = r"^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
    )]
    pub group: String,
    /// Kind of the target, such as `Gateway` or `Service`.
    #[field(
        required,
        min_length = 1,
        max_length = 63,
        pattern = r"^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$"
    )]
    pub kind: String,
    /// Name of the target.
    #[field(required, min_length = 1, max_length = 253)]
    pub name: String,
    /// Namespace of the target. It has to stay empty: the target is looked up in the namespace of the
    /// policy, and a `GatewayClass` in the root namespace.
    #[field(cel(NO_CROSS_NAMESPACE))]
    pub namespace: String,
}

/// Picks one port of a service by number.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PortSelector {
    /// Port number of the service, not of the container behind it. Valid numbers are 1 to 65535.
    pub number: u32,
}

/// Chooses workloads by their labels, for the networking kinds. Only workloads in the namespace of the
/// resource are chosen; an `EnvoyFilter` in the root namespace reaches every namespace.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct NetworkingWorkloadSelector {
    /// Labels that a workload must carry, all of them, with exactly these values. An empty map chooses
    /// every workload in reach. Values have no wildcards.
    #[field(max_properties = 256, values(max_length = 63, cel(NO_WILDCARD_IN_SELECTOR)))]
    pub labels: BTreeMap<String, String>,
}

/// Role that the workload plays in a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum WorkloadMode {
    /// No choice is made. It acts like `CLIENT_AND_SERVER`.
    #[default]
    Undefined,
    /// The workload opens the connection: outbound traffic. A gateway counts as a client.
    Client,
    /// The workload accepts the connection: inbound traffic.
    Server,
    /// Traffic of both directions.
    ClientAndServer,
}
