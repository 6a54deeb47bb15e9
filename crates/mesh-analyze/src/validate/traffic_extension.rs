//! Validation of [`TrafficExtension`].

use mesh_core::istio::traffic_extension::TrafficExtension;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<TrafficExtension>, _mesh: &Mesh, _findings: &mut Findings) {}
