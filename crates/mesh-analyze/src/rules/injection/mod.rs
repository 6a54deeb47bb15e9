//! Rules on sidecar injection and on pods that clash with it.

pub mod conflicting_injection_labels;
pub mod conflicting_injection_webhooks;
pub mod image_auto_without_injection;
pub mod invalid_injection_label;
pub mod namespace_not_injected;
pub mod outdated_sidecar;
pub mod pod_without_sidecar;
mod running;
pub mod sidecar_uid;

pub(super) use mesh_core::injection::{
    DATAPLANE_LABEL, Injection, Injector, NAMESPACE_LABEL, POD_LABEL, PROXY_CONTAINER, REVISION_LABEL,
};
use mesh_core::k8s_openapi::api::core::v1::Container;
use mesh_core::{Labels, Workload};
use mesh_yaml::FieldPath;

/// All containers of the pods, each with its path in the owner: init containers, then the others.
fn containers(workload: &Workload) -> Vec<(&Container, FieldPath)> {
    let Some(spec) = workload.pod_spec() else {
        return Vec::new();
    };
    let path = workload.spec_path();
    let list = |list: Option<&'_ [Container]>, key: &str| {
        let path = path.key(key);
        let count = list.map_or(0, <[Container]>::len);
        (0..count).map(move |index| path.index(index)).collect::<Vec<_>>()
    };
    let init = spec.init_containers.as_deref();
    let containers = Some(&spec.containers[..]);
    let paths = list(init, "initContainers")
        .into_iter()
        .chain(list(containers, "containers"));
    init.unwrap_or_default()
        .iter()
        .chain(&spec.containers)
        .zip(paths)
        .collect()
}

/// Whether the object is a part of Istio itself.
pub(super) fn is_istio_component(labels: &Labels) -> bool {
    labels.contains_key("istio") || labels.get("release").is_some_and(|release| release == "istio")
}
