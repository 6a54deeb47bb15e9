//! `PeerAuthentication`: whether workloads accept mutual TLS.

use std::collections::BTreeMap;

use super::common::WorkloadSelector;
use crate::schema::cel::{PORT_KEYS, PORT_MTLS_NEEDS_SELECTOR};
use mesh_macros::{Enum, Message};

/// Decides whether workloads accept mutual TLS, plain text, or both, on their inbound ports. The scope
/// comes from the place: a selector covers workloads of the namespace, no selector covers the
/// namespace, and no selector in the root namespace covers the mesh. The narrowest policy wins. Without
/// any policy, workloads accept both. Clients in the mesh follow on their own, unless a
/// `DestinationRule` says otherwise.
///
/// ```yaml
/// apiVersion: security.istio.io/v1
/// kind: PeerAuthentication
/// metadata:
///   name: strict-ledger
///   namespace: bank
/// spec:
///   selector:
///     matchLabels: { app: ledger }
///   mtls: { mode: STRICT }
///   portLevelMtls:
///     9090: { mode: PERMISSIVE }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(PORT_MTLS_NEEDS_SELECTOR))]
pub struct PeerAuthentication {
    /// Mode for all ports. Unset inherits from the next wider policy.
    pub mtls: Option<MutualTls>,
    /// Modes for single ports, by the port number of the workload rather than of the service. It needs
    /// a `selector`. Ports that are not listed use `mtls`.
    #[field(min_properties = 1, cel(PORT_KEYS))]
    pub port_level_mtls: BTreeMap<String, MutualTls>,
    /// Workloads of the namespace that the policy covers. Unset covers the whole namespace, or the mesh
    /// if the policy is in the root namespace.
    pub selector: Option<WorkloadSelector>,
}

/// Mutual TLS settings of a port or workload.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MutualTls {
    /// What inbound connections are accepted. Unset inherits.
    pub mode: MutualTlsMode,
}

/// What inbound connections are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum MutualTlsMode {
    /// Inherits the mode of the next wider policy. With none, it acts like `PERMISSIVE`.
    #[default]
    Unset,
    /// Only connections without the mesh's TLS are accepted.
    Disable,
    /// Both plain text and mutual TLS are accepted. Useful while clients move over.
    Permissive,
    /// Only mutual TLS is accepted. Clients without a certificate of the mesh are refused.
    Strict,
}
