//! Validation of [`WorkloadEntry`].

use mesh_core::istio::workload_entry::WorkloadEntry;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<WorkloadEntry>, _mesh: &Mesh, _findings: &mut Findings) {}
