//! Validation of [`DestinationRule`].

use mesh_core::istio::destination_rule::DestinationRule;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<DestinationRule>, _mesh: &Mesh, _findings: &mut Findings) {}
