//! Whether the API server can call a webhook.

use mesh_core::cluster::{Cluster, ClusterError, ErrorKind, ListQuery, Scope};
use mesh_core::k8s_openapi::api::admissionregistration::v1::ServiceReference;
use mesh_core::k8s_openapi::api::core::v1::Service;
use mesh_core::k8s_openapi::api::discovery::v1::EndpointSlice;
use mesh_inject::Hook;

use crate::commands::inject::webhook::{BadBundle, DEFAULT_PORT, authorities};

/// Why a webhook cannot be called: a clause, and what to do about it.
#[derive(Clone, Debug)]
pub(super) struct Unreachable {
    pub(super) reason: String,
    pub(super) next: String,
}

/// Why the webhook cannot be called; `None` if nothing is known against it.
pub(super) async fn problem(cluster: &Cluster, hook: &Hook) -> Result<Option<Unreachable>, ClusterError> {
    let config = &hook.webhook.client_config;
    if let Some(service) = &config.service
        && let Some(problem) = service_problem(cluster, service).await?
    {
        return Ok(Some(problem));
    }
    let bundle = config.ca_bundle.as_ref().map_or(&[][..], |bundle| &bundle.0);
    // Without a bundle the API server trusts its system's authorities, which sign no certificates of Services.
    if bundle.is_empty() && config.service.is_none() {
        return Ok(None);
    }
    Ok(authorities(bundle)
        .err()
        .map(|BadBundle(what, next)| Unreachable {
            reason: format!("it {what}"),
            next: next.to_owned(),
        }))
}

async fn service_problem(
    cluster: &Cluster,
    service: &ServiceReference,
) -> Result<Option<Unreachable>, ClusterError> {
    let ServiceReference {
        name,
        namespace,
        port,
        ..
    } = service;
    let port = port.unwrap_or(DEFAULT_PORT.into());
    let unreachable = |reason: String, next: String| Ok(Some(Unreachable { reason, next }));
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let body = match cluster.get(&path).await {
        Ok(body) => body,
        Err(error) if error.kind == ErrorKind::NotFound => {
            return unreachable(
                format!("its Service `{namespace}/{name}` does not exist"),
                "install its control plane again, or delete the webhook that was left behind".to_owned(),
            );
        }
        Err(error) => return Err(error),
    };
    let ports = serde_json::from_slice::<Service>(&body)
        .ok()
        .and_then(|service| service.spec?.ports)
        .unwrap_or_default();
    if !ports.iter().any(|one| one.port == port) {
        return unreachable(
            format!("its Service `{namespace}/{name}` has no port {port}"),
            "install its control plane again".to_owned(),
        );
    }
    let query = ListQuery::of::<EndpointSlice>(&Scope::Namespace(namespace.clone()))
        .labels(format!("kubernetes.io/service-name={name}"));
    let slices = cluster.list::<EndpointSlice>(&query).await?;
    let endpoints = slices.iter().flat_map(|slice| slice.endpoints.iter().flatten());
    let mut conditions = endpoints.map(|endpoint| {
        endpoint
            .conditions
            .as_ref()
            .and_then(|conditions| conditions.ready)
    });
    // A condition that is not known counts as met, as the API has it.
    let is_ready = conditions.any(|ready| ready != Some(false));
    if !is_ready {
        return unreachable(
            format!("its Service `{namespace}/{name}` has no ready endpoint"),
            format!("see why the control plane does not run: `kubectl get pods -n {namespace}`"),
        );
    }
    Ok(None)
}
