//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{PORT_KEYS, PORT_MTLS_NEEDS_SELECTOR};
use mesh_macros::{Enum, Message};
use super::common::{WorkloadSelector};

/// DOC(PeerAuthentication)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(PORT_MTLS_NEEDS_SELECTOR))]
pub struct PeerAuthentication {
    /// DOC(PeerAuthentication.mtls)
    pub mtls: Option<MutualTls>,
    /// DOC(PeerAuthentication.portLevelMtls)
    #[field(min_properties = 1, cel(PORT_KEYS))]
    pub port_level_mtls: BTreeMap<String, MutualTls>,
    /// DOC(PeerAuthentication.selector)
    pub selector: Option<WorkloadSelector>,
}

/// DOC(PeerAuthentication.mtls)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MutualTls {
    /// DOC(PeerAuthentication.mtls.mode)
    pub mode: MutualTlsMode,
}

/// DOC(enum PeerAuthentication.mtls.mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum MutualTlsMode {
    /// DOC(UNSET)
    #[default]
    Unset,
    /// DOC(DISABLE)
    Disable,
    /// DOC(PERMISSIVE)
    Permissive,
    /// DOC(STRICT)
    Strict,
}
