//! What applies to a workload, a service or a host, as one value.
//!
//! ```text
//! Mesh ─ workload / service ─► Description ─┬─ text, JSON
//!                                           └─ picture (Mermaid, DOT)
//! ```
//!
//! Nothing here is guessed from proxies: it is what the resources of the mesh mean, in the order in which istiod takes
//! them.

mod access;
mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mesh_core::injection::{Injection, Injector};
use mesh_core::istio::sidecar::Sidecar;
use mesh_core::registry::TargetPort;
use mesh_core::{Header, Host, Labels, Mesh, Resource, ResourceId, Service, Workload, selects};
use serde::Serialize;
use serde_json::Value;

pub use access::{Access, PolicyFact};
pub use routes::{Exposure, RouteFact, RouteSource, flow};

use crate::rules::policy;
use crate::rules::traffic::destination_rules::{DestinationRules, owners};
use crate::rules::traffic::peer_modes::PeerModes;
use crate::{RuleSet, analyze};

/// An object by its kind and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Object {
    /// `VirtualService`.
    pub kind: String,
    /// Empty for objects that belong to no namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl Object {
    fn of(header: &Header) -> Self {
        Self {
            kind: header.kind().to_string(),
            namespace: header.namespace().to_owned(),
            name: header.name().to_owned(),
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(formatter, "{kind} {name}")
        } else {
            write!(formatter, "{kind} {namespace}/{name}")
        }
    }
}

/// Everything that applies to one thing.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// What is described: an object, or a host as `Host HOST`.
    pub subject: Object,
    /// The workload, if one is described.
    pub workload: Option<WorkloadFacts>,
    /// The services that lead to the workload, or the described one.
    pub services: Vec<ServiceFacts>,
    /// What `analyze` has to say of any object that is named here, the worst first.
    pub findings: Vec<FindingFact>,
}

/// A workload and its proxy.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadFacts {
    /// The pod, or what makes the pods.
    pub object: Object,
    /// Whether and why it gets a sidecar.
    pub proxy: String,
    /// The SPIFFE ID that its proxy presents.
    pub identity: String,
    /// Its labels.
    pub labels: Labels,
    /// Its container ports, with what the proxy accepts at each.
    pub ports: Vec<PortMode>,
    /// The `Sidecar` that limits what its proxy knows of.
    pub sidecar: Option<SidecarFacts>,
    /// Who may call it.
    pub access: Access,
    /// Other resources that change its proxy, by kind and name.
    pub settings: Vec<Object>,
}

/// What a workload accepts at a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortMode {
    /// The workload's port.
    pub port: u32,
    /// `STRICT`, `PERMISSIVE` or `DISABLE`.
    pub mode: String,
    /// The PeerAuthentication that says so; none for the default.
    pub by: Option<Object>,
}

/// A `Sidecar` in effect.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SidecarFacts {
    /// The resource.
    pub object: Object,
    /// The hosts that the proxy may know, as `NAMESPACE/HOST`; none means all.
    pub egress_hosts: Vec<String>,
    /// What becomes of traffic to unknown hosts, if it is said.
    pub outbound_traffic_policy: Option<String>,
}

/// A service and what clients do when they call it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceFacts {
    /// The Service or ServiceEntry.
    pub object: Object,
    /// The full host name.
    pub host: String,
    /// The namespaces that see it; none means all.
    pub visible_in: Vec<String>,
    /// Its ports.
    pub ports: Vec<PortFacts>,
    /// The workloads behind it.
    pub workloads: Vec<Object>,
    /// The namespace whose clients `routes` and `policies` are for.
    pub client_namespace: String,
    /// What decides on routes of clients in the mesh, first the one in effect.
    pub routes: Vec<RouteSource>,
    /// The DestinationRules in effect, and what they amount to.
    pub policies: Vec<PolicyFacts>,
    /// Gateways from which it can be reached.
    pub gateways: Vec<Exposure>,
    /// AuthorizationPolicies that are attached to it, and followed by its waypoint.
    pub attached: Vec<PolicyFact>,
}

/// A port of a service.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PortFacts {
    /// The number.
    pub number: u32,
    /// The name; may be empty.
    pub name: String,
    /// The protocol, or `detected`.
    pub protocol: String,
    /// The port of the workload, by number or name.
    pub target: String,
    /// The modes that the workloads accept there, which differ only if policies do.
    pub mtls: Vec<String>,
}

/// A DestinationRule in effect.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyFacts {
    /// The resource.
    pub object: Object,
    /// Its host, complete.
    pub host: String,
    /// The effective traffic policy, by what it is for: `all ports`, `port 80`, `subset v1`, `subset v1, port 80`.
    pub effective: BTreeMap<String, BTreeMap<String, Value>>,
    /// Its subsets.
    pub subsets: Vec<SubsetFacts>,
}

/// A subset of a DestinationRule.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubsetFacts {
    /// The name.
    pub name: String,
    /// The labels that choose endpoints.
    pub labels: Labels,
    /// How many workloads behind the service have them.
    pub workloads: usize,
}

/// A finding of `analyze`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingFact {
    /// `error`, `warning` or `info`.
    pub severity: &'static str,
    /// The rule's name.
    pub rule: &'static str,
    /// What is wrong.
    pub message: String,
    /// The object, if it is one.
    pub object: Option<Object>,
}

/// What is described with, made once.
struct Describer<'m> {
    mesh: &'m Mesh,
    destination_rules: DestinationRules<'m>,
    peer_modes: PeerModes<'m>,
    settings: Vec<policy::Settings<'m>>,
}

impl<'m> Describer<'m> {
    fn new(mesh: &'m Mesh) -> Self {
        Self {
            mesh,
            destination_rules: DestinationRules::new(mesh),
            peer_modes: PeerModes::new(mesh),
            settings: policy::all(mesh),
        }
    }
}

/// Describes a workload, with the services that lead to it.
pub fn workload(mesh: &Mesh, workload: &Workload) -> Description {
    let describer = Describer::new(mesh);
    let services = mesh.registry().services().iter();
    let services: Vec<_> = services
        .filter(|service| leads_to(service, workload))
        .map(|service| describer.service(service, workload.namespace()))
        .collect();
    let subject = Object::of(workload.owner());
    let facts = describer.workload(workload);
    describer.finish(subject, Some(facts), services)
}

/// Describes a service as clients in `client` see it.
pub fn service(mesh: &Mesh, service: &Service, client: &str) -> Description {
    let describer = Describer::new(mesh);
    let facts = describer.service(service, client);
    describer.finish(Object::of(service.header()), None, vec![facts])
}

/// Describes what a host means to clients in `client`: the services of that name, the one that they use first.
pub fn host(mesh: &Mesh, host: &Host, client: &str) -> Description {
    let describer = Describer::new(mesh);
    let used = match mesh.registry().lookup(host, client) {
        mesh_core::Lookup::Found(service) | mesh_core::Lookup::Hidden(service) => Some(service),
        mesh_core::Lookup::Unknown => None,
    };
    let others = mesh.registry().with_host(host.as_str());
    let others = others.filter(|service| used.is_none_or(|used| !std::ptr::eq(used, *service)));
    let mut services: Vec<_> = used
        .into_iter()
        .chain(others)
        .map(|service| describer.service(service, client))
        .collect();
    if services.is_empty() {
        services = describer.without_service(host, client).into_iter().collect();
    }
    let subject = Object {
        kind: "Host".to_owned(),
        namespace: String::new(),
        name: host.as_str().to_owned(),
    };
    describer.finish(subject, None, services)
}

/// Whether a service's endpoints include the workload.
fn leads_to(service: &Service, workload: &Workload) -> bool {
    let selector = match (service.kubernetes(), service.entry()) {
        (Some(service), _) => service.spec.selector.as_ref(),
        (None, Some(entry)) => entry
            .spec
            .workload_selector
            .as_ref()
            .map(|selector| &selector.labels),
        (None, None) => None,
    };
    service.namespace() == workload.namespace()
        && selector.is_some_and(|labels| !labels.is_empty() && selects(labels, workload.labels()))
}

impl<'m> Describer<'m> {
    fn finish(
        &self,
        subject: Object,
        workload: Option<WorkloadFacts>,
        services: Vec<ServiceFacts>,
    ) -> Description {
        let mut description = Description {
            subject,
            workload,
            services,
            findings: Vec::new(),
        };
        let named = description.objects();
        // Without any names all rules are chosen, which cannot fail.
        let rules = RuleSet::new(&[], &[]).unwrap_or_default();
        let mut findings: Vec<_> = analyze(self.mesh, &rules)
            .findings
            .into_iter()
            .filter_map(|finding| {
                let object = finding.primary.resource.as_ref().map(object_of)?;
                named.contains(&object).then_some((finding, object))
            })
            .collect();
        findings.sort_by_key(|(finding, _)| std::cmp::Reverse(finding.severity));
        description.findings = findings
            .into_iter()
            .map(|(finding, object)| FindingFact {
                severity: finding.severity.as_str(),
                rule: finding.rule.name,
                message: finding.message,
                object: Some(object),
            })
            .collect();
        description
    }

    fn workload(&self, workload: &Workload) -> WorkloadFacts {
        let mesh = self.mesh;
        let injector = Injector::new(mesh);
        let is_proxy = workload
            .pod_spec()
            .is_some_and(|spec| matches!(spec.containers.as_slice(), [only] if only.name == "istio-proxy"));
        let proxy = if is_proxy {
            "it is a proxy itself: a gateway".to_owned()
        } else if injector.is_ambient(workload) {
            "ambient: the ztunnel of its node".to_owned()
        } else {
            match injector.injection(workload) {
                Injection::Yes => "sidecar".to_owned(),
                Injection::Refused(reason) | Injection::NotAsked(reason) => format!("none: {reason}"),
                Injection::Unknown => "not known: its namespace is not in the input".to_owned(),
            }
        };
        let trust_domain = Some(mesh.config().trust_domain.as_str()).filter(|domain| !domain.is_empty());
        let identity = format!(
            "spiffe://{}/ns/{}/sa/{}",
            trust_domain.unwrap_or("cluster.local"),
            workload.namespace(),
            workload.service_account()
        );
        let containers = workload
            .pod_spec()
            .map_or(&[][..], |spec| spec.containers.as_slice());
        let declared = containers
            .iter()
            .flat_map(|container| container.ports.iter().flatten());
        let mut ports: BTreeSet<u32> = declared
            .filter_map(|port| u32::try_from(port.container_port).ok())
            .collect();
        for service in mesh
            .registry()
            .services()
            .iter()
            .filter(|service| leads_to(service, workload))
        {
            ports.extend(
                service
                    .ports()
                    .iter()
                    .filter_map(|port| target_number(&port.target, workload)),
            );
        }
        let root = mesh.root_namespace();
        let mut settings: Vec<_> = self
            .settings
            .iter()
            .filter(|settings| {
                use mesh_core::Kind::{AuthorizationPolicy, PeerAuthentication, Sidecar};
                let is_told_elsewhere = matches!(
                    settings.header.kind(),
                    AuthorizationPolicy | PeerAuthentication | Sidecar
                );
                !is_told_elsewhere && settings.is_for(workload, root)
            })
            .map(|settings| Object::of(settings.header))
            .collect();
        settings.sort();
        WorkloadFacts {
            object: Object::of(workload.owner()),
            proxy,
            identity,
            labels: workload.labels().clone(),
            ports: ports.into_iter().map(|port| self.mode(workload, port)).collect(),
            sidecar: self.sidecar(workload).map(|sidecar| SidecarFacts {
                object: Object::of(sidecar),
                egress_hosts: sidecar
                    .spec
                    .egress
                    .iter()
                    .flat_map(|egress| egress.hosts.iter().cloned())
                    .collect(),
                outbound_traffic_policy: sidecar
                    .spec
                    .outbound_traffic_policy
                    .as_ref()
                    .map(|policy| policy.mode.as_str().to_owned()),
            }),
            access: access::access(mesh, workload, &self.settings),
            settings,
        }
    }

    fn mode(&self, workload: &Workload, port: u32) -> PortMode {
        let accepted = self.peer_modes.accepted(workload, port);
        PortMode {
            port,
            mode: accepted.mode.as_str().to_owned(),
            by: accepted.by.map(|(policy, _)| Object::of(policy)),
        }
    }

    /// The one `Sidecar` that counts: one that selects the workload, else its namespace's, else the mesh's.
    fn sidecar(&self, workload: &Workload) -> Option<&'m Resource<Sidecar>> {
        let root = self.mesh.root_namespace();
        let is_for = |sidecar: &Resource<Sidecar>, namespace: &str, selective: bool| {
            let selector = sidecar
                .spec
                .workload_selector
                .as_ref()
                .map(|selector| &selector.labels);
            let selector = selector.filter(|labels| !labels.is_empty());
            sidecar.namespace() == namespace
                && selector.is_some() == selective
                && selector.is_none_or(|labels| selects(labels, workload.labels()))
        };
        let mut sidecars: Vec<_> = self.mesh.sidecars().iter().map(|sidecar| &**sidecar).collect();
        sidecars.sort_by_key(|sidecar| crate::rules::traffic::age(sidecar));
        let find = |namespace: &str, selective: bool| {
            sidecars
                .iter()
                .find(|sidecar| is_for(sidecar, namespace, selective))
                .copied()
        };
        find(workload.namespace(), true)
            .or_else(|| find(workload.namespace(), false))
            .or_else(|| find(root, false))
    }

    fn service(&self, service: &Service, client: &str) -> ServiceFacts {
        let mesh = self.mesh;
        let workloads = self.workloads_of(service);
        let ports = service.ports().iter().map(|port| {
            let modes: BTreeSet<String> = workloads
                .iter()
                .filter_map(|workload| Some(self.mode(workload, target_number(&port.target, workload)?).mode))
                .collect();
            PortFacts {
                number: port.number,
                name: port.name.clone(),
                protocol: port
                    .protocol
                    .map_or_else(|| "detected".to_owned(), |protocol| protocol.to_string()),
                target: match &port.target {
                    TargetPort::Number(number) => number.to_string(),
                    TargetPort::Name(name) => name.clone(),
                },
                mtls: modes.into_iter().collect(),
            }
        });
        let attached = service.kubernetes().map_or_else(Vec::new, |kubernetes| {
            access::attached(mesh, &self.settings, kubernetes.name(), kubernetes.namespace())
        });
        ServiceFacts {
            object: Object::of(service.header()),
            host: service.host().as_str().to_owned(),
            visible_in: match service.visibility() {
                mesh_core::Visibility::Public => Vec::new(),
                mesh_core::Visibility::Namespaces(list) => list.clone(),
            },
            ports: ports.collect(),
            workloads: workloads
                .iter()
                .map(|workload| Object::of(workload.owner()))
                .collect(),
            client_namespace: client.to_owned(),
            routes: routes::of_host(mesh, service.host(), client),
            policies: self.policies(service.host(), client, &workloads),
            gateways: routes::exposures(mesh, service.host()),
            attached,
        }
    }

    /// What routes and policies there are for a host that no service has.
    fn without_service(&self, host: &Host, client: &str) -> Option<ServiceFacts> {
        let facts = ServiceFacts {
            object: Object {
                kind: "Host".to_owned(),
                namespace: String::new(),
                name: host.as_str().to_owned(),
            },
            host: host.as_str().to_owned(),
            visible_in: Vec::new(),
            ports: Vec::new(),
            workloads: Vec::new(),
            client_namespace: client.to_owned(),
            routes: routes::of_host(self.mesh, host, client),
            policies: self.policies(host, client, &[]),
            gateways: routes::of_gateways(self.mesh, host),
            attached: Vec::new(),
        };
        (!facts.routes.is_empty() || !facts.policies.is_empty() || !facts.gateways.is_empty())
            .then_some(facts)
    }

    fn workloads_of(&self, service: &Service) -> Vec<&'m Workload> {
        let mut all: Vec<_> = self
            .mesh
            .workloads()
            .all()
            .iter()
            .filter(|workload| leads_to(service, workload))
            .collect();
        // Pods of a Deployment that is in the input as well say nothing new.
        if all.iter().any(|workload| !workload.is_pod()) && all.iter().any(|workload| workload.is_pod()) {
            all.retain(|workload| {
                !workload.is_pod() || workload.owner().metadata().owner_references.is_empty()
            });
        }
        all
    }

    fn policies(&self, host: &Host, client: &str, workloads: &[&Workload]) -> Vec<PolicyFacts> {
        let owners = owners(self.mesh, host);
        let rules = self.destination_rules.holding(client, host, &owners);
        let facts = rules.into_iter().map(|rule| {
            let spec = &rule.resource.spec;
            let written = rule
                .resource
                .origin()
                .root()
                .get("spec")
                .map(mesh_yaml::Node::to_json);
            let count = |labels: &Labels| {
                workloads
                    .iter()
                    .filter(|workload| selects(labels, workload.labels()))
                    .count()
            };
            PolicyFacts {
                object: Object::of(rule.resource),
                host: rule.host.as_str().to_owned(),
                effective: effective(written.as_ref().unwrap_or(&Value::Null)),
                subsets: spec
                    .subsets
                    .iter()
                    .map(|subset| SubsetFacts {
                        name: subset.name.clone(),
                        labels: subset.labels.clone(),
                        workloads: count(&subset.labels),
                    })
                    .collect(),
            }
        });
        facts.collect()
    }
}

/// The number of a workload's port; by name it is one of its container ports.
fn target_number(target: &TargetPort, workload: &Workload) -> Option<u32> {
    match target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let containers = &workload.pod_spec()?.containers;
            let mut ports = containers
                .iter()
                .flat_map(|container| container.ports.iter().flatten());
            let port = ports.find(|port| port.name.as_ref() == Some(name))?;
            u32::try_from(port.container_port).ok()
        }
    }
}

/// The traffic policy of a DestinationRule for all, for ports, and for subsets.
///
/// Settings of a subset replace those of the rule one by one. Those of a port replace all of them but for the same
/// port: what a port does not say falls back to Istio's defaults, not to the rule ("portLevelSettings" in Istio's
/// reference of DestinationRule).
fn effective(spec: &Value) -> BTreeMap<String, BTreeMap<String, Value>> {
    let mut all = BTreeMap::new();
    let own = settings(spec.get("trafficPolicy"));
    let own_ports = ports(spec.get("trafficPolicy"));
    if !own.is_empty() {
        all.insert("all ports".to_owned(), own.clone());
    }
    for (port, policy) in &own_ports {
        all.insert(format!("port {port}"), policy.clone());
    }
    for subset in spec
        .get("subsets")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(name) = subset.get("name").and_then(Value::as_str) else {
            continue;
        };
        let policy = subset.get("trafficPolicy");
        if policy.is_none() {
            continue;
        }
        let mut merged = own.clone();
        merged.extend(settings(policy));
        all.insert(format!("subset {name}"), merged);
        for (port, policy) in ports(policy) {
            all.insert(format!("subset {name}, port {port}"), policy);
        }
    }
    all
}

fn settings(policy: Option<&Value>) -> BTreeMap<String, Value> {
    let fields = policy.and_then(Value::as_object).into_iter().flatten();
    let own = fields.filter(|(key, _)| *key != "portLevelSettings");
    own.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn ports(policy: Option<&Value>) -> Vec<(u64, BTreeMap<String, Value>)> {
    let list = policy.and_then(|policy| policy.get("portLevelSettings")?.as_array());
    let ports = list.into_iter().flatten().filter_map(|entry| {
        let port = entry.get("port")?.get("number")?.as_u64()?;
        let mut settings = settings(Some(entry));
        settings.remove("port");
        Some((port, settings))
    });
    ports.collect()
}

fn object_of(id: &ResourceId) -> Object {
    Object {
        kind: id.kind.to_string(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
    }
}

impl Description {
    /// Every object that is named.
    pub fn objects(&self) -> BTreeSet<Object> {
        let mut objects = BTreeSet::from([self.subject.clone()]);
        if let Some(workload) = &self.workload {
            objects.insert(workload.object.clone());
            objects.extend(workload.ports.iter().filter_map(|port| port.by.clone()));
            objects.extend(workload.sidecar.iter().map(|sidecar| sidecar.object.clone()));
            objects.extend(
                workload
                    .access
                    .policies
                    .iter()
                    .map(|policy| policy.object.clone()),
            );
            objects.extend(workload.settings.iter().cloned());
        }
        for service in &self.services {
            objects.insert(service.object.clone());
            objects.extend(service.routes.iter().map(|source| source.object.clone()));
            objects.extend(service.policies.iter().map(|policy| policy.object.clone()));
            objects.extend(service.attached.iter().map(|policy| policy.object.clone()));
            for exposure in &service.gateways {
                objects.extend([exposure.gateway.clone(), exposure.by.clone()]);
            }
        }
        objects
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_of_ports_replace_and_those_of_subsets_are_laid_over() {
        let spec = json!({
            "trafficPolicy": {
                "loadBalancer": {"simple": "RANDOM"},
                "tls": {"mode": "ISTIO_MUTUAL"},
                "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "DISABLE"}}],
            },
            "subsets": [
                {"name": "v1"},
                {"name": "v2", "trafficPolicy": {"loadBalancer": {"simple": "ROUND_ROBIN"}}},
            ],
        });
        let all = effective(&spec);
        let names: Vec<_> = all.keys().map(String::as_str).collect();
        assert_eq!(names, ["all ports", "port 80", "subset v2"]);
        assert_eq!(all["port 80"].len(), 1);
        assert_eq!(all["subset v2"]["loadBalancer"], json!({"simple": "ROUND_ROBIN"}));
        assert_eq!(all["subset v2"]["tls"], json!({"mode": "ISTIO_MUTUAL"}));
    }
}
