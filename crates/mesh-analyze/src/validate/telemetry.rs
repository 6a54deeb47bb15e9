//! Validation of [`Telemetry`].

use mesh_core::istio::telemetry::Telemetry;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<Telemetry>, _mesh: &Mesh, _findings: &mut Findings) {}
