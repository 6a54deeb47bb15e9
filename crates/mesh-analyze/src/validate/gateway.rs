//! Validation of [`Gateway`].

use mesh_core::istio::gateway::Gateway;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<Gateway>, _mesh: &Mesh, _findings: &mut Findings) {}
