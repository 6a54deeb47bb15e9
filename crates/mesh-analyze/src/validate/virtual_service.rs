//! Validation of [`VirtualService`].

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<VirtualService>, _mesh: &Mesh, _findings: &mut Findings) {}
