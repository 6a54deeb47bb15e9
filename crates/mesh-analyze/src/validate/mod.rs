//! Semantic validation: what the control plane refuses in one resource although its schema allows it.
//!
//! One module a kind, each with a function `check(resource, mesh, findings)`. They say nothing about what schemas
//! say already (types, enums, CEL rules, required fields). The rules `invalid-spec` and `suspicious-spec` report
//! the errors and the warnings.

mod at;
mod authorization_policy;
mod cel_syntax;
mod destination_rule;
mod envoy_filter;
mod gateway;
mod http_route;
pub(crate) mod mesh_config;
mod peer_authentication;
mod policy;
mod proxy_config;
mod re2;
mod request_authentication;
mod server_tls;
mod service_entry;
mod shared;
mod sidecar;
mod telemetry;
mod traffic_extension;
mod traffic_policy;
mod virtual_service;
mod wasm_plugin;
mod workload_entry;
mod workload_group;

use mesh_core::{AnyResource, Mesh};
use mesh_yaml::FieldPath;
use rayon::prelude::*;

/// Something that the control plane would refuse, or warn of, in one resource or in mesh-wide settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The field, from the root of the resource or of the settings.
    pub path: FieldPath,
    /// Whether what it is about still works.
    pub is_warning: bool,
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other fields of the same value that explain it, and how.
    pub related: Vec<(FieldPath, String)>,
}

/// Collects the findings on one resource.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Adds something that the control plane refuses.
    pub(crate) fn error(&mut self, path: impl Into<FieldPath>, message: impl Into<String>) -> &mut Finding {
        self.push(path.into(), false, message.into())
    }

    /// Adds something that works, but hardly as meant.
    pub(crate) fn warning(&mut self, path: impl Into<FieldPath>, message: impl Into<String>) -> &mut Finding {
        self.push(path.into(), true, message.into())
    }

    fn push(&mut self, path: FieldPath, is_warning: bool, message: String) -> &mut Finding {
        self.0.push(Finding {
            path,
            is_warning,
            message,
            help: None,
            related: Vec::new(),
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

impl Finding {
    /// Sets what to do about it.
    pub(crate) fn help(&mut self, help: impl Into<String>) {
        self.help = Some(help.into());
    }

    /// Adds another field of the same resource that explains it.
    pub(crate) fn related(&mut self, path: impl Into<FieldPath>, message: impl Into<String>) -> &mut Self {
        self.related.push((path.into(), message.into()));
        self
    }
}

/// Validates every resource, in parallel.
pub(crate) fn all(mesh: &Mesh) -> Vec<(AnyResource, Vec<Finding>)> {
    let resources: Vec<_> = mesh.resources().collect();
    resources
        .into_par_iter()
        .with_min_len(128)
        .filter_map(|resource| {
            let mut findings = Findings::default();
            one(&resource, mesh, &mut findings);
            (!findings.0.is_empty()).then_some((resource, findings.0))
        })
        .collect()
}

fn one(resource: &AnyResource, mesh: &Mesh, findings: &mut Findings) {
    shared::annotations(resource.header(), findings);
    let spec = resource.header().origin().root().get("spec");
    if spec.is_some_and(|spec| !spec.is_mapping() && !spec.is_null()) {
        return; // Its schema has said so.
    }
    match resource {
        AnyResource::VirtualService(resource) => virtual_service::check(resource, mesh, findings),
        AnyResource::DestinationRule(resource) => destination_rule::check(resource, mesh, findings),
        AnyResource::Gateway(resource) => gateway::check(resource, mesh, findings),
        AnyResource::ServiceEntry(resource) => service_entry::check(resource, mesh, findings),
        AnyResource::Sidecar(resource) => sidecar::check(resource, mesh, findings),
        AnyResource::WorkloadEntry(resource) => workload_entry::check(resource, mesh, findings),
        AnyResource::WorkloadGroup(resource) => workload_group::check(resource, mesh, findings),
        AnyResource::EnvoyFilter(resource) => envoy_filter::check(resource, mesh, findings),
        AnyResource::ProxyConfig(resource) => proxy_config::check(resource, mesh, findings),
        AnyResource::AuthorizationPolicy(resource) => authorization_policy::check(resource, mesh, findings),
        AnyResource::PeerAuthentication(resource) => peer_authentication::check(resource, mesh, findings),
        AnyResource::RequestAuthentication(resource) => {
            request_authentication::check(resource, mesh, findings);
        }
        AnyResource::Telemetry(resource) => telemetry::check(resource, mesh, findings),
        AnyResource::WasmPlugin(resource) => wasm_plugin::check(resource, mesh, findings),
        AnyResource::TrafficExtension(resource) => traffic_extension::check(resource, mesh, findings),
        _ => {}
    }
}
