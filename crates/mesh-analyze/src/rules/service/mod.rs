//! Rules on Kubernetes Services.

pub mod conflicting_port_protocols;
pub mod conflicting_target_ports;
pub mod external_name_port_protocol;
pub mod undetermined_port_protocol;

use mesh_core::k8s_openapi::api::core::v1::ServiceSpec;
use mesh_core::{Header, Labels, Mesh, Resource, Service, Workload};
use mesh_yaml::FieldPath;
use rustc_hash::FxHashMap;

use super::injection::{Injection, Injector};

/// The namespaces of the cluster itself, whose services are not a part of the mesh.
const SYSTEM_NAMESPACES: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// Whether the service is made by Istio or by the cluster, so that nobody can change its ports.
fn is_managed(header: &Header) -> bool {
    let labels = header.labels();
    super::injection::is_istio_component(labels)
        || labels.contains_key("gateway.networking.k8s.io/gateway-name")
        || labels.contains_key("gateway.istio.io/managed")
        || SYSTEM_NAMESPACES.contains(&header.namespace())
}

fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ip.as_deref() == Some("None")
}

/// The path to the text that says a port's protocol, or to the port if nothing does.
fn protocol_path(resource: &Resource<ServiceSpec>, index: usize) -> FieldPath {
    let path = mesh_yaml::path!["spec", "ports", index];
    let port = resource.spec.ports.as_deref().and_then(|ports| ports.get(index));
    let is_set = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
    match port {
        Some(port) if is_set(port.app_protocol.as_ref()) => path.key("appProtocol"),
        Some(port) if is_set(port.name.as_ref()) => path.key("name"),
        _ => path,
    }
}

/// A workload of the mesh that several services select.
struct Shared<'m> {
    workload: &'m Workload,
    services: Vec<&'m Service>,
}

/// The workloads of the mesh that more than one Service selects, in the order of [`mesh_core::Workloads::all`].
fn shared_workloads<'m>(mesh: &'m Mesh, injector: &Injector<'_>) -> Vec<Shared<'m>> {
    let mut selected: FxHashMap<*const Workload, Vec<&Service>> = FxHashMap::default();
    for service in mesh.registry().services() {
        let Some(kubernetes) = service.kubernetes() else {
            continue;
        };
        let selector: Option<&Labels> = kubernetes.spec.selector.as_ref();
        let Some(selector) = selector.filter(|labels| !labels.is_empty()) else {
            continue;
        };
        if service.is_external_name() {
            continue;
        }
        for workload in mesh.workloads().select(service.namespace(), selector) {
            selected
                .entry(std::ptr::from_ref(workload))
                .or_default()
                .push(service);
        }
    }
    let mut shared = Vec::new();
    for workload in mesh.workloads().all() {
        let Some(services) = selected.remove(&std::ptr::from_ref(workload)) else {
            continue;
        };
        let is_outside = matches!(injector.injection(workload), Injection::Refused(_));
        if services.len() > 1 && !is_outside {
            shared.push(Shared { workload, services });
        }
    }
    shared
}
