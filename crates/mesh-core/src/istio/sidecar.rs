//! `Sidecar`: what a sidecar proxy listens on and can reach.

use super::common::NetworkingWorkloadSelector;
use super::destination_rule::ConnectionPoolSettings;
use super::gateway::ServerTlsSettings;
use super::virtual_service::Destination;
use mesh_macros::{Enum, Message};

/// Narrows what a sidecar proxy knows and listens on. By default each sidecar gets the configuration of
/// every service in the mesh; `egress` limits it to the services that a workload really calls, which
/// saves memory and makes pushes faster. `ingress` changes the inbound listeners. A resource with a
/// selector wins over the one of its namespace, which wins over one in the root namespace. Gateways
/// ignore it.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: Sidecar
/// metadata:
///   name: default
///   namespace: shop
/// spec:
///   egress:
///   - hosts:
///     - ./*
///     - istio-system/*
///     - bank/ledger.bank.svc.cluster.local
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Sidecar {
    /// Outbound listeners and the services that each imports. Unset imports everything that is visible
    /// to the namespace.
    pub egress: Vec<EgressListener>,
    /// Limits for inbound connections, for all ports. It replaces the pool of a `DestinationRule` for
    /// inbound traffic. Ports in `ingress` can have their own.
    pub inbound_connection_pool: Option<ConnectionPoolSettings>,
    /// Inbound listeners. Unset derives them from the services that select the workload.
    pub ingress: Vec<IngressListener>,
    /// What happens to traffic for unknown destinations. Unset takes the policy of the mesh.
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    /// Workloads that the settings are for. Unset covers all workloads of the namespace. There should
    /// be one such resource in a namespace.
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// An outbound listener and the services it can reach.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EgressListener {
    /// IP address or Unix socket to listen on. Unset follows the services and `captureMode`. It needs
    /// `port`, and a socket needs port number 0.
    pub bind: String,
    /// How the application's traffic gets to the listener. It has no effect when `bind` is a socket.
    pub capture_mode: CaptureMode,
    /// Services to import, as `namespace/host`. The namespace is a name, `.` for the own one, `*` for
    /// any, or `~` for none; the host is a full name, a wildcard such as `*.example.com`, or `*`. A `~`
    /// before a namespace excludes its hosts.
    #[field(required)]
    pub hosts: Vec<String>,
    /// Port to listen on. Only services with this port number are imported. Unset serves every port
    /// that no other listener of the list takes, and has to come last.
    pub port: Option<SidecarPort>,
}

/// A port that a sidecar listens on.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SidecarPort {
    /// Name of the port.
    pub name: String,
    /// Port number. 0 is for Unix sockets only.
    pub number: u32,
    /// Protocol of the port: `HTTP`, `HTTPS`, `HTTP2`, `GRPC`, `GRPC-WEB`, `MONGO`, `REDIS`, `MYSQL`,
    /// `TCP`, `TLS`, or `HTTP_PROXY` for an outbound proxy port.
    pub protocol: String,
    /// Port on the endpoint. A sidecar does not use it, and a value other than 0 is rejected.
    #[field(deprecated = "leave it out; `defaultEndpoint` says where traffic goes")]
    pub target_port: u32,
}

/// An inbound listener of a workload.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct IngressListener {
    /// IP address to listen on. Unset is the address of the pod. Sockets are not supported here.
    pub bind: String,
    /// How inbound traffic gets to the listener. Unset captures it with iptables.
    pub capture_mode: CaptureMode,
    /// Limits for connections to this port. It replaces `inboundConnectionPool`.
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// Where the application listens, as `127.0.0.1:port`, `0.0.0.0:port` for the pod's address, or
    /// `unix:///path`. An IPv6 address is written in brackets. Unset forwards to the same port.
    pub default_endpoint: String,
    /// Port that clients connect to. Its number is unique among the listeners.
    #[field(required)]
    pub port: Option<SidecarPort>,
    /// TLS settings for the port, in place of the mesh's mutual TLS. Mutual TLS has to be off for the
    /// port, and certificates come from files.
    pub tls: Option<ServerTlsSettings>,
}

/// What happens to traffic for destinations that the proxy does not know.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OutboundTrafficPolicy {
    /// Service that receives unknown traffic. Only with `ALLOW_ANY`, and with host and port set.
    #[field(deprecated = "send unknown traffic through an egress gateway instead")]
    pub egress_proxy: Option<Destination>,
    /// Whether unknown destinations can be reached.
    pub mode: OutboundTrafficMode,
}

/// How traffic gets to a listener.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum CaptureMode {
    /// The way that the installation is set up with, normally iptables.
    #[default]
    Default,
    /// Rules of iptables redirect the traffic.
    Iptables,
    /// Nothing is redirected: the application has to use the listener's address.
    None,
}

/// Whether destinations outside the registry can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum OutboundTrafficMode {
    /// Only known services and `ServiceEntry` hosts can be reached. Everything else is refused.
    #[default]
    RegistryOnly,
    /// Traffic for unknown destinations goes to the address that the application dialled.
    AllowAny,
}
