//! What several checks ask of objects.

use mesh_core::k8s_openapi::api::core::v1::{Container, Namespace, Node, Pod, Service};
use mesh_core::k8s_openapi::api::discovery::v1::EndpointSlice;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::facts::{Facts, Known, Read};
use crate::inventory::{label, name};

/// `shop/web`, or `web` for objects without a namespace.
pub(super) fn qualified(metadata: &ObjectMeta) -> String {
    match &metadata.namespace {
        Some(namespace) => format!("{namespace}/{}", name(metadata.name.as_ref())),
        None => name(metadata.name.as_ref()),
    }
}

/// The name, empty if there is none.
pub(super) fn name_of(metadata: &ObjectMeta) -> &str {
    metadata.name.as_deref().unwrap_or_default()
}

/// The namespace, empty if there is none.
pub(super) fn namespace_of(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// The status (`True`, `False`, `Unknown`) of a node's condition.
pub(super) fn node_condition<'a>(node: &'a Node, of: &str) -> Option<&'a str> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let found = conditions.iter().find(|condition| condition.type_ == of)?;
    Some(&found.status)
}

/// What makes the pod: `shop/Deployment web`; the pod itself if it stands alone.
pub(super) fn workload(pod: &Pod) -> String {
    let namespace = namespace_of(&pod.metadata);
    let owner = pod
        .metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.controller == Some(true));
    let Some(owner) = owner else {
        return format!("{namespace}/Pod {}", name_of(&pod.metadata));
    };
    let hash = label(&pod.metadata, "pod-template-hash");
    let deployment = hash
        .filter(|_| owner.kind == "ReplicaSet")
        .and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
    match deployment {
        Some(deployment) => format!("{namespace}/Deployment {deployment}"),
        None => format!("{namespace}/{} {}", owner.kind, owner.name),
    }
}

/// All containers of a pod, init containers first.
pub(super) fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    let spec = pod.spec.as_ref();
    let init = spec
        .into_iter()
        .flat_map(|spec| spec.init_containers.iter().flatten());
    init.chain(spec.into_iter().flat_map(|spec| &spec.containers))
}

/// Whether the object is a part of Istio itself.
pub(super) fn is_istio_component(metadata: &ObjectMeta) -> bool {
    label(metadata, "istio").is_some()
        || label(metadata, "release") == Some("istio")
        || label(metadata, "app.kubernetes.io/part-of") == Some("istio")
        || matches!(label(metadata, "app"), Some("istiod" | "ztunnel"))
        || label(metadata, "k8s-app") == Some("istio-cni-node")
}

/// The namespace of that name.
pub(super) fn namespace<'a>(facts: &'a Facts, name: &str) -> Read<Option<&'a Namespace>> {
    let namespaces = facts.namespaces.known()?;
    Ok(namespaces
        .iter()
        .find(|namespace| name_of(&namespace.metadata) == name))
}

/// What stands behind the name of a service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Backend {
    /// There is no such service.
    NoService,
    /// The service has no endpoint that is ready.
    NoEndpoints,
    /// Somebody answers.
    Ready,
}

/// Looks a service up.
pub(super) fn backend(facts: &Facts, namespace: &str, service: &str) -> Read<Backend> {
    let is_it = |metadata: &ObjectMeta| namespace_of(metadata) == namespace && name_of(metadata) == service;
    let services: &Vec<Service> = facts.services.known()?;
    let Some(found) = services.iter().find(|service| is_it(&service.metadata)) else {
        return Ok(Backend::NoService);
    };
    if found.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("ExternalName") {
        return Ok(Backend::Ready);
    }
    let slices: &Vec<EndpointSlice> = facts.endpoint_slices.known()?;
    let has_ready = slices
        .iter()
        .filter(|slice| {
            namespace_of(&slice.metadata) == namespace
                && label(&slice.metadata, "kubernetes.io/service-name") == Some(service)
        })
        .flat_map(|slice| slice.endpoints.iter().flatten())
        .any(|endpoint| {
            let conditions = endpoint.conditions.as_ref();
            conditions.and_then(|conditions| conditions.ready) != Some(false)
        });
    Ok(if has_ready {
        Backend::Ready
    } else {
        Backend::NoEndpoints
    })
}

/// Lines without repetitions, each with the number of times that it stood there, in order.
pub(super) fn tally(lines: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for line in lines {
        *counts.entry(line).or_default() += 1;
    }
    counts
        .into_iter()
        .map(|(line, count)| {
            if count == 1 {
                line
            } else {
                format!("{line} ({})", super::counted(count, "pod"))
            }
        })
        .collect()
}
