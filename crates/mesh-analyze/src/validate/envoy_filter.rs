//! Validation of [`EnvoyFilter`].

use mesh_core::istio::envoy_filter::EnvoyFilter;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<EnvoyFilter>, _mesh: &Mesh, _findings: &mut Findings) {}
