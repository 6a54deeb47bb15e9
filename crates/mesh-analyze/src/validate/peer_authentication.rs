//! Validation of [`PeerAuthentication`].

use mesh_core::istio::peer_authentication::PeerAuthentication;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<PeerAuthentication>, _mesh: &Mesh, _findings: &mut Findings) {}
