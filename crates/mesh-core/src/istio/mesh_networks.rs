//! `MeshNetworks`: the networks that a mesh spans.

use std::collections::BTreeMap;

use crate::schema::cel::PORT;
use mesh_macros::Message;

/// The networks of a mesh that spans several. They are the key `meshNetworks` of the `istio` config
/// map. Endpoints of one network reach each other directly; those of another are reached through its
/// gateways, with mutual TLS. Labels and pod settings can give the same facts, so a mesh may do without
/// this.
///
/// ```yaml
/// networks:
///   datacentre-1:
///     endpoints:
///     - fromRegistry: cluster-east
///     - fromCidr: 10.40.0.0/16
///     gateways:
///     - address: 203.0.113.10
///       port: 15443
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MeshNetworks {
    /// Networks by their names. Workloads refer to them by the label `topology.istio.io/network` and
    /// similar settings.
    pub networks: BTreeMap<String, Network>,
}

/// Endpoints that reach each other directly, and the gateways into them.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Network {
    /// Endpoints of the network. One entry has to match.
    pub endpoints: Vec<NetworkEndpoints>,
    /// Gateways by which other networks get in. Without one, its endpoints are treated as directly
    /// reachable.
    pub gateways: Vec<IstioNetworkGateway>,
}

/// A set of endpoints. Give one of the two fields.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("fromCidr", "fromRegistry"))]
pub struct NetworkEndpoints {
    /// Addresses of the endpoints, as a CIDR range.
    pub from_cidr: Option<String>,
    /// All endpoints of this cluster: its name as given to istiod, or in the remote secret that
    /// connects it.
    pub from_registry: Option<String>,
}

/// A gateway into a network. Give one of `address` and `registryServiceName`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("registryServiceName", "address"))]
pub struct IstioNetworkGateway {
    /// Address of the gateway that other networks can reach. Host names need a setting of istiod, which
    /// resolves them.
    pub address: Option<String>,
    /// Place of the gateway, as `region/zone/subzone`. It has no effect.
    pub locality: String,
    /// Port of the gateway, normally 15443.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Full host name of the gateway's Kubernetes service, such as
    /// `eastwest.istio-system.svc.cluster.local`. Its external addresses are used.
    pub registry_service_name: Option<String>,
}
