//! Validation of [`RequestAuthentication`].

use mesh_core::istio::request_authentication::RequestAuthentication;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<RequestAuthentication>, _mesh: &Mesh, _findings: &mut Findings) {}
