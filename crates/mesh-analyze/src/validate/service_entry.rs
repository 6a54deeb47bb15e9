//! Validation of [`ServiceEntry`].

use mesh_core::istio::service_entry::ServiceEntry;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<ServiceEntry>, _mesh: &Mesh, _findings: &mut Findings) {}
