//! Validation of [`WorkloadGroup`].

use mesh_core::istio::workload_group::WorkloadGroup;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<WorkloadGroup>, _mesh: &Mesh, _findings: &mut Findings) {}
