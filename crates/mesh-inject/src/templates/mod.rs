//! What each injection template adds to a pod, as a patch to be merged into it.

mod gateway;
mod grpc;
mod parts;
mod sidecar;

use mesh_core::injection::PROXY_CONTAINER;
use serde_json::Value;

use crate::namespace::Namespace;
use crate::owner::Owner;
use crate::proxy_config::ProxyConfig;
use crate::settings::Settings;
use crate::tree::{annotation, containers, label, text};

/// The built-in templates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The proxy beside an application.
    Sidecar,
    /// The proxy as a gateway.
    Gateway,
    /// The agent beside an application that speaks xDS by gRPC itself.
    GrpcAgent,
    /// Only a bootstrap file for an application that speaks xDS by gRPC itself.
    GrpcSimple,
}

impl Template {
    /// All of them, by name.
    pub const ALL: [Self; 4] = [Self::Gateway, Self::GrpcAgent, Self::GrpcSimple, Self::Sidecar];

    /// The name in the annotation `inject.istio.io/templates`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
            Self::GrpcAgent => "grpc-agent",
            Self::GrpcSimple => "grpc-simple",
        }
    }

    /// The template with this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|template| template.name() == name)
    }

    /// What the template adds to a pod: a pod with only that in it.
    pub(crate) fn build(self, context: &Context<'_>) -> Value {
        match self {
            Self::Sidecar => sidecar::build(context),
            Self::Gateway => gateway::build(context),
            Self::GrpcAgent => grpc::agent(context),
            Self::GrpcSimple => grpc::simple(context),
        }
    }
}

/// Everything that a template depends on.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) settings: &'a Settings,
    /// The pod as it is without injection.
    pub(crate) pod: &'a Value,
    pub(crate) owner: &'a Owner,
    pub(crate) namespace: &'a Namespace,
    pub(crate) proxy: &'a ProxyConfig,
    /// Whether the proxy is a native sidecar.
    pub(crate) is_native: bool,
}

impl<'a> Context<'a> {
    /// The annotation, or else the default.
    fn annotation_or(&self, name: &str, default: &'a str) -> &'a str {
        annotation(self.pod, name).unwrap_or(default)
    }

    fn has_annotation(&self, name: &str) -> bool {
        annotation(self.pod, name).is_some()
    }

    fn interception_mode(&self) -> &str {
        self.annotation_or(
            "sidecar.istio.io/interceptionMode",
            self.proxy.interception_mode(),
        )
    }

    /// Port of the agent as injection sees it: text, `0` for none.
    fn status_port(&self) -> &str {
        self.annotation_or("status.sidecar.istio.io/port", &self.settings.values.status_port)
    }

    /// The containers that are not the proxy.
    fn applications(&self) -> impl Iterator<Item = &'a Value> {
        containers(self.pod, "containers")
            .iter()
            .filter(|container| text(container, "name") != PROXY_CONTAINER)
    }

    /// The first label of these that is there and not empty.
    fn first_label(&self, names: &[&str]) -> Option<&'a str> {
        names
            .iter()
            .find_map(|name| label(self.pod, name).filter(|value| !value.is_empty()))
    }
}
