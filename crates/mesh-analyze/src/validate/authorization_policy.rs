//! Validation of [`AuthorizationPolicy`].

use mesh_core::istio::authorization_policy::AuthorizationPolicy;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<AuthorizationPolicy>, _mesh: &Mesh, _findings: &mut Findings) {}
