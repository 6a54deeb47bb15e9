//! One view over all services: Kubernetes Services and the hosts of ServiceEntries.

use std::sync::Arc;

use k8s_openapi::api::core::v1::ServiceSpec;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use rustc_hash::FxHashMap;

use crate::host::Host;
use crate::istio::service_entry::ServiceEntry;
use crate::mesh::Mesh;
use crate::protocol::Protocol;
use crate::resource::{Header, Labels, Resource, selects};
use crate::visibility::Visibility;

/// The annotation that limits where a Kubernetes Service is visible.
pub const EXPORT_TO_ANNOTATION: &str = "networking.istio.io/exportTo";

/// One host of the registry.
#[derive(Clone, Debug)]
pub struct Service {
    host: Host,
    origin: ServiceOrigin,
    ports: Vec<ServicePort>,
    visibility: Visibility,
}

/// What declares a service.
#[derive(Clone, Debug)]
pub enum ServiceOrigin {
    /// A Kubernetes Service.
    Kubernetes(Arc<Resource<ServiceSpec>>),
    /// A host of a ServiceEntry, with its index in `spec.hosts`.
    Entry(Arc<Resource<ServiceEntry>>, usize),
}

/// A port of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePort {
    /// The port's number, 1 to 65535.
    pub number: u32,
    /// The port's name; may be empty for a Kubernetes Service with one port.
    pub name: String,
    /// The declared protocol; `None` if the mesh has to sniff it.
    pub protocol: Option<Protocol>,
    /// The port of the workload.
    pub target: TargetPort,
}

/// The workload's side of a service port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetPort {
    /// A port number.
    Number(u32),
    /// The name of a container port.
    Name(String),
}

impl Service {
    /// The full host name; may be a wildcard for a ServiceEntry.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// What declares it.
    pub fn origin(&self) -> &ServiceOrigin {
        &self.origin
    }

    /// The object that declares it.
    pub fn header(&self) -> &Header {
        match &self.origin {
            ServiceOrigin::Kubernetes(service) => service.header(),
            ServiceOrigin::Entry(entry, _) => entry.header(),
        }
    }

    /// The namespace of the object that declares it.
    pub fn namespace(&self) -> &str {
        self.header().namespace()
    }

    /// The ports.
    pub fn ports(&self) -> &[ServicePort] {
        &self.ports
    }

    /// The port with this number.
    pub fn port(&self, number: u32) -> Option<&ServicePort> {
        self.ports.iter().find(|port| port.number == number)
    }

    /// Where it is visible.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// The Kubernetes Service, if it is one.
    pub fn kubernetes(&self) -> Option<&Arc<Resource<ServiceSpec>>> {
        match &self.origin {
            ServiceOrigin::Kubernetes(service) => Some(service),
            ServiceOrigin::Entry(..) => None,
        }
    }

    /// The ServiceEntry, if it is one.
    pub fn entry(&self) -> Option<&Arc<Resource<ServiceEntry>>> {
        match &self.origin {
            ServiceOrigin::Kubernetes(_) => None,
            ServiceOrigin::Entry(entry, _) => Some(entry),
        }
    }

    /// Whether it is an alias of another name (`type: ExternalName`).
    pub fn is_external_name(&self) -> bool {
        self.kubernetes()
            .is_some_and(|service| service.spec.type_.as_deref() == Some("ExternalName"))
    }
}

/// What a host name means to a proxy.
#[derive(Clone, Copy, Debug)]
pub enum Lookup<'a> {
    /// This service.
    Found(&'a Service),
    /// A service that is not visible from there.
    Hidden(&'a Service),
    /// No service at all.
    Unknown,
}

/// All services of a mesh, indexed by host.
#[derive(Debug, Default)]
pub struct ServiceRegistry {
    services: Vec<Service>,
    by_host: FxHashMap<Box<str>, Vec<u32>>,
}

impl ServiceRegistry {
    pub(crate) fn build(mesh: &Mesh) -> Self {
        let domain = &mesh.settings().cluster_domain;
        let default = Visibility::parse(
            mesh.config().default_service_export_to.iter().map(String::as_str),
            ".",
            &Visibility::Public,
        );
        let mut services = Vec::with_capacity(mesh.services().len() + mesh.service_entries().len());
        for service in mesh.services() {
            let export_to = service
                .annotations()
                .get(EXPORT_TO_ANNOTATION)
                .map(String::as_str);
            let entries = export_to.into_iter().flat_map(|list| list.split(','));
            services.push(Service {
                host: Host::of_service(service.name(), service.namespace(), domain),
                ports: kubernetes_ports(&service.spec),
                visibility: Visibility::parse(entries, service.namespace(), &default),
                origin: ServiceOrigin::Kubernetes(service.clone()),
            });
        }
        for entry in mesh.service_entries() {
            let export_to = entry.spec.export_to.iter().map(String::as_str);
            let visibility = Visibility::parse(export_to, entry.namespace(), &default);
            let ports: Vec<_> = entry.spec.ports.iter().map(entry_port).collect();
            for (index, host) in entry.spec.hosts.iter().enumerate() {
                services.push(Service {
                    host: Host::new(host.as_str()),
                    ports: ports.clone(),
                    visibility: visibility.clone(),
                    origin: ServiceOrigin::Entry(entry.clone(), index),
                });
            }
        }
        let mut by_host: FxHashMap<Box<str>, Vec<u32>> = FxHashMap::default();
        by_host.reserve(services.len());
        for (number, service) in (0_u32..).zip(&services) {
            by_host
                .entry(service.host.as_str().into())
                .or_default()
                .push(number);
        }
        Self { services, by_host }
    }

    /// Every service: Kubernetes Services first, then ServiceEntries.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// All services with exactly this host, visible or not.
    pub fn with_host(&self, host: &str) -> impl Iterator<Item = &Service> {
        let numbers = self.by_host.get(host).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.services[*number as usize])
    }

    /// What `host` means to proxies in `namespace`: the service of that name, or one whose wildcard host matches it,
    /// the nearest wildcard first. Of several, one in `namespace` itself wins.
    pub fn lookup(&self, host: &Host, namespace: &str) -> Lookup<'_> {
        let mut hidden = None;
        for name in std::iter::once(host.as_str().to_owned()).chain(host.wildcards()) {
            let mut found: Option<&Service> = None;
            for service in self.with_host(&name) {
                if !service.visibility.includes(namespace) {
                    hidden = hidden.or(Some(service));
                } else if found
                    .is_none_or(|found| found.namespace() != namespace && service.namespace() == namespace)
                {
                    found = Some(service);
                }
            }
            if let Some(found) = found {
                return Lookup::Found(found);
            }
        }
        hidden.map_or(Lookup::Unknown, Lookup::Hidden)
    }

    /// The label sets of everything that may answer for `service`: pods and templates that a Kubernetes Service
    /// selects; inline endpoints, WorkloadEntries, WorkloadGroups and pods for a ServiceEntry.
    pub fn endpoint_labels<'a>(&self, mesh: &'a Mesh, service: &'a Service) -> Vec<&'a Labels> {
        match &service.origin {
            ServiceOrigin::Kubernetes(kubernetes) => {
                let Some(selector) = kubernetes
                    .spec
                    .selector
                    .as_ref()
                    .filter(|labels| !labels.is_empty())
                else {
                    return Vec::new();
                };
                let pods = mesh.workloads().select(kubernetes.namespace(), selector);
                let entries = workload_entry_labels(mesh, kubernetes.namespace(), selector);
                pods.map(crate::workload::Workload::labels)
                    .chain(entries)
                    .collect()
            }
            ServiceOrigin::Entry(entry, _) => {
                let inline = entry.spec.endpoints.iter().map(|endpoint| &endpoint.labels);
                let Some(selector) = &entry.spec.workload_selector else {
                    return inline.collect();
                };
                let pods = mesh.workloads().select(entry.namespace(), &selector.labels);
                let entries = workload_entry_labels(mesh, entry.namespace(), &selector.labels);
                inline
                    .chain(pods.map(crate::workload::Workload::labels))
                    .chain(entries)
                    .collect()
            }
        }
    }
}

/// Labels of the WorkloadEntries, and of the entries that WorkloadGroups would make, that `selector` selects.
fn workload_entry_labels<'a>(
    mesh: &'a Mesh,
    namespace: &'a str,
    selector: &'a Labels,
) -> impl Iterator<Item = &'a Labels> {
    let entries = mesh
        .workload_entries()
        .iter()
        .filter(move |entry| entry.namespace() == namespace);
    let groups = mesh
        .workload_groups()
        .iter()
        .filter(move |group| group.namespace() == namespace);
    entries
        .map(|entry| &entry.spec.labels)
        .chain(groups.filter_map(|group| {
            let metadata = group.spec.metadata.as_ref().map(|metadata| &metadata.labels);
            metadata
                .filter(|labels| !labels.is_empty())
                .or_else(|| group.spec.template.as_ref().map(|template| &template.labels))
        }))
        .filter(move |labels| selects(selector, labels))
}

fn kubernetes_ports(spec: &ServiceSpec) -> Vec<ServicePort> {
    let ports = spec.ports.as_deref().unwrap_or_default();
    ports
        .iter()
        .map(|port| {
            let number = u32::try_from(port.port).unwrap_or_default();
            let name = port.name.clone().unwrap_or_default();
            let protocol = match port.protocol.as_deref() {
                Some("UDP") => Some(Protocol::Udp),
                _ => Protocol::of_service_port(port.app_protocol.as_deref(), &name),
            };
            let target = match &port.target_port {
                Some(IntOrString::Int(target)) if *target > 0 => {
                    TargetPort::Number(u32::try_from(*target).unwrap_or_default())
                }
                Some(IntOrString::String(name)) => TargetPort::Name(name.clone()),
                _ => TargetPort::Number(number),
            };
            ServicePort {
                number,
                name,
                protocol,
                target,
            }
        })
        .collect()
}

fn entry_port(port: &crate::istio::service_entry::ServicePort) -> ServicePort {
    let target = if port.target_port == 0 {
        port.number
    } else {
        port.target_port
    };
    ServicePort {
        number: port.number,
        name: port.name.clone(),
        protocol: Protocol::parse(&port.protocol),
        target: TargetPort::Number(target),
    }
}
