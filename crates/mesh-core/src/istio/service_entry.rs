//! `ServiceEntry`: services that the platform's registry does not know.

use super::common::NetworkingWorkloadSelector;
use super::workload_entry::WorkloadEntry;
use crate::schema::cel::{
    CIDR_NEEDS_NONE_OR_STATIC, HOST_NOT_WILDCARD, NONE_WITHOUT_ENDPOINTS, PORT, ROUND_ROBIN_SINGLE_ENDPOINT,
    SELECTOR_OR_ENDPOINTS, UNIQUE_PORT_NUMBERS,
};
use mesh_macros::{Enum, Message};

/// Adds a service to the mesh's registry by hand. Use it for hosts outside the mesh, such as a
/// partner's API or a cloud database, and for services of the mesh that run on virtual machines. Once
/// registered, the host can be routed with a `VirtualService` and tuned with a `DestinationRule` like
/// any other, and it stays reachable where unknown hosts are blocked. `resolution` decides how the
/// addresses behind the host are found.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: ServiceEntry
/// metadata:
///   name: payment-provider
/// spec:
///   hosts: [api.pay.example.com]
///   location: MESH_EXTERNAL
///   resolution: DNS
///   ports:
///   - { number: 443, name: tls, protocol: TLS }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(
    SELECTOR_OR_ENDPOINTS,
    CIDR_NEEDS_NONE_OR_STATIC,
    NONE_WITHOUT_ENDPOINTS,
    ROUND_ROBIN_SINGLE_ENDPOINT
))]
pub struct ServiceEntry {
    /// Virtual IP addresses of the service, as addresses or CIDR ranges. They tell TCP services apart
    /// that share a port. A range needs resolution `NONE` or `STATIC`. Without addresses, TCP traffic
    /// is told apart by port only, unless istiod allocates an address itself.
    #[field(max_items = 256, items(max_length = 64))]
    pub addresses: Vec<String>,
    /// Places where the service runs. Not together with `workloadSelector`. With resolution `DNS` and
    /// no endpoints, the host itself is resolved.
    #[field(max_items = 4096)]
    pub endpoints: Vec<WorkloadEntry>,
    /// Namespaces that see the service: `*` is all, `.` is the own namespace, `~` is none, or names of
    /// namespaces. Unset takes `defaultServiceExportTo` of the mesh, which is `*`. `*` and `~` have to
    /// stand alone.
    pub export_to: Vec<String>,
    /// DNS names of the service, at least one. A leading wildcard such as `*.example.com` is allowed, a
    /// bare `*` is not. HTTP traffic is matched by its `Host` header and TLS traffic by its SNI; other
    /// TCP traffic ignores the names.
    #[field(required, min_items = 1, max_items = 256, items(cel(HOST_NOT_WILDCARD)))]
    pub hosts: Vec<String>,
    /// Whether the service belongs to the mesh. It decides if mutual TLS is used and where policies
    /// apply. Unset is `MESH_EXTERNAL`.
    pub location: Location,
    /// Ports of the service. Names and numbers must be unique.
    #[field(max_items = 256, list_map_keys("name"), cel(UNIQUE_PORT_NUMBERS))]
    pub ports: Vec<ServicePort>,
    /// How a proxy finds the addresses of the service. Unset is `NONE`.
    pub resolution: Resolution,
    /// Names that a server certificate must carry one of when a proxy connects with TLS. For mutual TLS
    /// in the mesh they are SPIFFE identities. Unset leaves the check to the `DestinationRule`.
    pub subject_alt_names: Vec<String>,
    /// Picks the `WorkloadEntry` objects and pods of the same namespace that back the service. Not
    /// together with `endpoints`.
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// A port of a service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServicePort {
    /// Name of the port, a DNS label that is unique in the service. Endpoints refer to the port by it.
    #[field(required, max_length = 256)]
    pub name: String,
    /// Port number that clients use, 1 to 65535.
    #[field(required, cel(PORT))]
    pub number: u32,
    /// Protocol of the port: `HTTP`, `HTTPS`, `HTTP2`, `GRPC`, `GRPC-WEB`, `MONGO`, `REDIS`, `MYSQL`,
    /// `TCP`, `TLS` or `UDP`. `TLS` and `HTTPS` pass encrypted bytes through and route by SNI. Empty
    /// lets the proxy detect the protocol.
    #[field(max_length = 256)]
    pub protocol: String,
    /// Port on the endpoints that receives the traffic. Unset is the same as `number`. A port of the
    /// same name in an endpoint wins.
    #[field(cel(PORT))]
    pub target_port: u32,
}

/// Whether a service is part of the mesh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Location {
    /// The service is outside the mesh, so proxies do not use the mesh's mutual TLS with it. Typical
    /// for public APIs.
    #[default]
    MeshExternal,
    /// The service is part of the mesh, such as a virtual machine with a sidecar. Policies and mutual
    /// TLS apply to it as to any other workload.
    MeshInternal,
}

/// How the addresses behind a host are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Resolution {
    /// Connections go to the address that the application dialled. The proxy must capture the traffic,
    /// and endpoints are not allowed.
    #[default]
    None,
    /// The addresses are the IPs or Unix sockets given as endpoints, or those of the selected
    /// workloads.
    Static,
    /// The proxy resolves the host, or the host names of the endpoints, and balances over all addresses
    /// that come back.
    Dns,
    /// The proxy resolves one name and uses the first address of each answer for new connections,
    /// keeping old ones open. It suits large services with quickly changing records. At most one
    /// endpoint is allowed.
    DnsRoundRobin,
    /// The proxy resolves the host that each request names, by its `Host` header or SNI. It is for
    /// wildcard hosts without endpoints and addresses, and for HTTP and TLS ports only.
    DynamicDns,
}
