//! DOC(module)

use mesh_macros::{Enum, Message};
use super::common::{NetworkingWorkloadSelector};
use super::destination_rule::{ConnectionPoolSettings};
use super::gateway::{ServerTlsSettings};
use super::virtual_service::{Destination};

/// DOC(Sidecar)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Sidecar {
    /// DOC(Sidecar.egress)
    pub egress: Vec<EgressListener>,
    /// DOC(Sidecar.inboundConnectionPool)
    pub inbound_connection_pool: Option<ConnectionPoolSettings>,
    /// DOC(Sidecar.ingress)
    pub ingress: Vec<IngressListener>,
    /// DOC(Sidecar.outboundTrafficPolicy)
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    /// DOC(Sidecar.workloadSelector)
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// DOC(Sidecar.egress[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EgressListener {
    /// DOC(Sidecar.egress[].bind)
    pub bind: String,
    /// DOC(Sidecar.egress[].captureMode)
    pub capture_mode: CaptureMode,
    /// DOC(Sidecar.egress[].hosts)
    #[field(required)]
    pub hosts: Vec<String>,
    /// DOC(Sidecar.egress[].port)
    pub port: Option<SidecarPort>,
}

/// DOC(Sidecar.egress[].port)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SidecarPort {
    /// DOC(Sidecar.egress[].port.name)
    pub name: String,
    /// DOC(Sidecar.egress[].port.number)
    pub number: u32,
    /// DOC(Sidecar.egress[].port.protocol)
    pub protocol: String,
    /// DOC(Sidecar.egress[].port.targetPort)
    pub target_port: u32,
}

/// DOC(Sidecar.ingress[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct IngressListener {
    /// DOC(Sidecar.ingress[].bind)
    pub bind: String,
    /// DOC(Sidecar.ingress[].captureMode)
    pub capture_mode: CaptureMode,
    /// DOC(Sidecar.ingress[].connectionPool)
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// DOC(Sidecar.ingress[].defaultEndpoint)
    pub default_endpoint: String,
    /// DOC(Sidecar.ingress[].port)
    #[field(required)]
    pub port: Option<SidecarPort>,
    /// DOC(Sidecar.ingress[].tls)
    pub tls: Option<ServerTlsSettings>,
}

/// DOC(Sidecar.outboundTrafficPolicy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OutboundTrafficPolicy {
    /// DOC(Sidecar.outboundTrafficPolicy.egressProxy)
    pub egress_proxy: Option<Destination>,
    /// DOC(Sidecar.outboundTrafficPolicy.mode)
    pub mode: OutboundTrafficMode,
}

/// DOC(enum Sidecar.egress[].captureMode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum CaptureMode {
    /// DOC(DEFAULT)
    #[default]
    Default,
    /// DOC(IPTABLES)
    Iptables,
    /// DOC(NONE)
    None,
}

/// DOC(enum Sidecar.outboundTrafficPolicy.mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum OutboundTrafficMode {
    /// DOC(REGISTRY_ONLY)
    #[default]
    RegistryOnly,
    /// DOC(ALLOW_ANY)
    AllowAny,
}
