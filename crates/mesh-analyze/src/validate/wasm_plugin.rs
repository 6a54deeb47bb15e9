//! Validation of [`WasmPlugin`].

use mesh_core::istio::wasm_plugin::WasmPlugin;
use mesh_core::{Mesh, Resource};

use super::Findings;

pub(super) fn check(_resource: &Resource<WasmPlugin>, _mesh: &Mesh, _findings: &mut Findings) {}
