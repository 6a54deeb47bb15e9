//! Validation of [`Sidecar`].

use mesh_core::istio::sidecar::Sidecar;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<Sidecar>, _mesh: &Mesh, _findings: &mut Findings) {}
