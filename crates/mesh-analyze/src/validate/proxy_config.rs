//! Validation of [`ProxyConfig`].

use mesh_core::istio::proxy_config::ProxyConfig;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<ProxyConfig>, _mesh: &Mesh, _findings: &mut Findings) {}
