//! The snapshot as the scheduler sees it: nodes with the pods on them, and the pod to place.

use std::collections::BTreeMap;
use std::rc::Rc;

use mesh_core::Labels;
use mesh_core::k8s_openapi::api::core::v1::{
    Container, ContainerPort, Node, Pod, PodAffinityTerm, PodSpec, Taint, Toleration,
    TopologySpreadConstraint,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use mesh_core::k8s_openapi::jiff::Timestamp;

use super::Snapshot;
use super::resources::{Resources, Whole, allocatable, held_requests, is_sidecar};
use super::selector;
use crate::quantity::Amount;

/// The cluster while pods are being placed.
pub(super) struct Cluster<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// By name.
    pub(super) nodes: Vec<NodeState<'a>>,
    /// What each quota, by namespace and name, is charged with.
    pub(super) quota_used: BTreeMap<(String, String), Resources>,
}

/// A node, and what is left of it.
#[derive(Clone)]
pub(super) struct NodeState<'a> {
    pub(super) node: &'a Node,
    pub(super) name: String,
    /// Its taints, and whether each only follows from its conditions.
    pub(super) taints: Vec<(Taint, bool)>,
    pub(super) allocatable: Whole,
    pub(super) allowed_pods: i64,
    pub(super) requested: Whole,
    pub(super) pods: Vec<Rc<PodState>>,
}

/// A pod on a node, as far as others are concerned.
pub(super) struct PodState {
    /// `namespace/name`
    pub(super) key: String,
    pub(super) namespace: String,
    pub(super) labels: Labels,
    pub(super) requests: Whole,
    pub(super) host_ports: Vec<HostPort>,
    pub(super) anti_affinity: Vec<Term>,
    pub(super) priority: i32,
    pub(super) started: Option<Timestamp>,
    pub(super) is_deleted: bool,
    /// The DaemonSet that it belongs to, if any.
    pub(super) daemon_set: Option<String>,
}

/// A port of the node that a container takes.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct HostPort {
    ip: String,
    pub(super) protocol: String,
    pub(super) port: i32,
}

impl HostPort {
    pub(super) fn conflicts(&self, other: &Self) -> bool {
        const ANY: &str = "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || self.ip == ANY || other.ip == ANY)
    }
}

/// A required term of pod affinity or anti-affinity.
#[derive(Clone)]
pub(super) struct Term {
    namespaces: Vec<String>,
    namespace_selector: Option<LabelSelector>,
    selector: Option<LabelSelector>,
    pub(super) topology_key: String,
}

impl Term {
    fn new(term: &PodAffinityTerm, namespace: &str) -> Self {
        let mut namespaces = term.namespaces.clone().unwrap_or_default();
        if namespaces.is_empty() && term.namespace_selector.is_none() {
            namespaces.push(namespace.to_owned());
        }
        Self {
            namespaces,
            namespace_selector: term.namespace_selector.clone(),
            selector: term.label_selector.clone(),
            topology_key: term.topology_key.clone(),
        }
    }

    /// Whether a pod of this namespace, whose labels are given, with these labels is meant.
    pub(super) fn matches(
        &self,
        namespace: &str,
        namespace_labels: Option<&Labels>,
        labels: &Labels,
    ) -> bool {
        (self.namespaces.iter().any(|name| name == namespace)
            || self.namespace_selector.as_ref().is_some_and(|namespaces| {
                selector::is_empty(namespaces) || selector::matches(Some(namespaces), namespace_labels)
            }))
            && selector::matches(self.selector.as_ref(), Some(labels))
    }
}

/// The pod to place, after the API server's defaults.
pub(super) struct Incoming {
    pub(super) namespace: String,
    pub(super) labels: Labels,
    pub(super) spec: PodSpec,
    pub(super) requests: Whole,
    pub(super) host_ports: Vec<HostPort>,
    pub(super) affinity: Vec<Term>,
    pub(super) anti_affinity: Vec<Term>,
    pub(super) spread: Vec<TopologySpreadConstraint>,
    pub(super) priority: i32,
    pub(super) never_preempts: bool,
}

impl Incoming {
    /// `pod` has its namespace, labels and spec, and all defaults.
    pub(super) fn new(pod: &Pod) -> Self {
        let spec = pod.spec.clone().unwrap_or_default();
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let affinity = spec.affinity.clone().unwrap_or_default();
        let required = affinity
            .pod_affinity
            .and_then(|affinity| affinity.required_during_scheduling_ignored_during_execution);
        let constraints = spec.topology_spread_constraints.iter().flatten();
        Self {
            requests: Whole::from(&super::resources::pod_requests(&spec)),
            host_ports: host_ports(&spec),
            affinity: required
                .iter()
                .flatten()
                .map(|term| Term::new(term, &namespace))
                .collect(),
            anti_affinity: anti_affinity_terms(&spec, &namespace),
            spread: constraints
                .filter(|constraint| constraint.when_unsatisfiable == "DoNotSchedule")
                .cloned()
                .collect(),
            priority: spec.priority.unwrap_or(0),
            never_preempts: spec.preemption_policy.as_deref() == Some("Never"),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            namespace,
            spec,
        }
    }

    /// Whether one more such pod changes where the next one may go, other than by the room it takes.
    pub(super) fn has_inter_pod_rules(&self) -> bool {
        !(self.affinity.is_empty() && self.anti_affinity.is_empty() && self.spread.is_empty())
    }

    /// The pod once it is placed.
    pub(super) fn placed(&self, name: &str, daemon_set: Option<&str>) -> PodState {
        PodState {
            key: format!("{}/{name}", self.namespace),
            namespace: self.namespace.clone(),
            labels: self.labels.clone(),
            requests: self.requests.clone(),
            host_ports: self.host_ports.clone(),
            anti_affinity: self.anti_affinity.clone(),
            priority: self.priority,
            started: None,
            is_deleted: false,
            daemon_set: daemon_set.map(str::to_owned),
        }
    }
}

fn anti_affinity_terms(spec: &PodSpec, namespace: &str) -> Vec<Term> {
    let anti_affinity = spec
        .affinity
        .as_ref()
        .and_then(|affinity| affinity.pod_anti_affinity.as_ref());
    let required = anti_affinity.and_then(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_ref()
    });
    required
        .into_iter()
        .flatten()
        .map(|term| Term::new(term, namespace))
        .collect()
}

/// The host ports that a running pod holds: those of init containers only while they go on running.
fn host_ports(spec: &PodSpec) -> Vec<HostPort> {
    let sidecars = spec
        .init_containers
        .iter()
        .flatten()
        .filter(|container| is_sidecar(container));
    sidecars
        .chain(&spec.containers)
        .flat_map(|container: &Container| container.ports.iter().flatten())
        .filter_map(|port: &ContainerPort| {
            let text = |text: &Option<String>, default: &str| {
                text.clone()
                    .filter(|text| !text.is_empty())
                    .unwrap_or_else(|| default.to_owned())
            };
            Some(HostPort {
                port: port.host_port.filter(|port| *port > 0)?,
                protocol: text(&port.protocol, "TCP"),
                ip: text(&port.host_ip, "0.0.0.0"),
            })
        })
        .collect()
}

impl PodState {
    fn new(pod: &Pod) -> Self {
        static NO_SPEC: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(PodSpec::default);
        let namespace = pod.metadata.namespace.clone().unwrap_or_default();
        let spec = pod.spec.as_ref().unwrap_or(&NO_SPEC);
        let owners = pod.metadata.owner_references.iter().flatten();
        Self {
            key: format!("{namespace}/{}", pod.metadata.name.as_deref().unwrap_or_default()),
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            requests: Whole::from(&held_requests(pod)),
            host_ports: host_ports(spec),
            anti_affinity: anti_affinity_terms(spec, &namespace),
            priority: spec.priority.unwrap_or(0),
            started: pod
                .status
                .as_ref()
                .and_then(|status| status.start_time.as_ref())
                .map(|time| time.0),
            is_deleted: pod.metadata.deletion_timestamp.is_some(),
            daemon_set: owners
                .into_iter()
                .find(|owner| owner.kind == "DaemonSet" && owner.controller == Some(true))
                .map(|owner| owner.name.clone()),
            namespace,
        }
    }
}

impl<'a> Cluster<'a> {
    pub(super) fn new(snapshot: &'a Snapshot) -> Self {
        let mut nodes: Vec<NodeState<'a>> = snapshot.nodes.iter().map(NodeState::new).collect();
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        let index: BTreeMap<String, usize> = nodes
            .iter()
            .enumerate()
            .map(|(index, node)| (node.name.clone(), index))
            .collect();
        for pod in &snapshot.pods {
            let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
            if matches!(phase, Some("Succeeded" | "Failed")) {
                continue;
            }
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
            if let Some(&index) = node.and_then(|node| index.get(node)) {
                nodes[index].add(Rc::new(PodState::new(pod)));
            }
        }
        Self {
            snapshot,
            nodes,
            quota_used: BTreeMap::new(),
        }
    }

    /// The cluster with one node changed.
    pub(super) fn with_node(&self, index: usize, node: NodeState<'a>) -> Self {
        let mut nodes = self.nodes.clone();
        nodes[index] = node;
        Self {
            snapshot: self.snapshot,
            nodes,
            quota_used: BTreeMap::new(),
        }
    }

    /// The labels of a namespace, if it exists.
    pub(super) fn namespace_labels(&self, name: &str) -> Option<&'a Labels> {
        let mut namespaces = self.snapshot.namespaces.iter();
        namespaces
            .find(|namespace| namespace.metadata.name.as_deref() == Some(name))?
            .metadata
            .labels
            .as_ref()
    }
}

impl<'a> NodeState<'a> {
    fn new(node: &'a Node) -> Self {
        let offered = allocatable(node);
        Self {
            node,
            name: node.metadata.name.clone().unwrap_or_default(),
            taints: taints(node),
            allocatable: Whole::from(&offered),
            allowed_pods: offered.get("pods").map_or(0, Amount::ceil_units),
            requested: Whole::default(),
            pods: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, pod: Rc<PodState>) {
        self.requested.add(&pod.requests);
        self.pods.push(pod);
    }

    /// Takes off the pods that `leaves` says.
    pub(super) fn remove(&mut self, leaves: impl Fn(&PodState) -> bool) -> Vec<Rc<PodState>> {
        let (gone, kept) = std::mem::take(&mut self.pods)
            .into_iter()
            .partition(|pod| leaves(pod));
        self.pods = kept;
        for pod in &gone {
            let pod: &Rc<PodState> = pod;
            self.requested.subtract(&pod.requests);
        }
        gone
    }

    pub(super) fn label(&self, key: &str) -> Option<&String> {
        self.node.metadata.labels.as_ref()?.get(key)
    }

    pub(super) fn is_cordoned(&self) -> bool {
        self.node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true)
    }
}

/// The taints that the node lifecycle controller makes of a node's conditions.
pub(super) const CONDITION_TAINTS: [(&str, &str, &str); 6] = [
    ("Ready", "False", "node.kubernetes.io/not-ready"),
    ("Ready", "Unknown", "node.kubernetes.io/unreachable"),
    ("MemoryPressure", "True", "node.kubernetes.io/memory-pressure"),
    ("DiskPressure", "True", "node.kubernetes.io/disk-pressure"),
    ("PIDPressure", "True", "node.kubernetes.io/pid-pressure"),
    (
        "NetworkUnavailable",
        "True",
        "node.kubernetes.io/network-unavailable",
    ),
];

/// The taint of a cordoned node.
pub(super) const UNSCHEDULABLE_TAINT: &str = "node.kubernetes.io/unschedulable";

fn taints(node: &Node) -> Vec<(Taint, bool)> {
    let listed = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let mut taints: Vec<(Taint, bool)> = listed.map(|taint| (taint.clone(), false)).collect();
    for condition in node
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
    {
        let key = CONDITION_TAINTS
            .iter()
            .find(|&&(kind, status, _)| condition.type_ == kind && condition.status == status)
            .map(|&(_, _, key)| key);
        if let Some(key) = key.filter(|key| !taints.iter().any(|(taint, _)| taint.key == *key)) {
            let taint = Taint {
                key: key.to_owned(),
                effect: "NoSchedule".to_owned(),
                ..Taint::default()
            };
            taints.push((taint, true));
        }
    }
    taints
}

/// Whether a toleration covers a taint. (`Lt` and `Gt` are behind a feature gate that is off.)
pub(super) fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (effect, key) = (text(&toleration.effect), text(&toleration.key));
    (effect.is_empty() || effect == taint.effect)
        && (key.is_empty() || key == taint.key)
        && match toleration.operator.as_deref().unwrap_or_default() {
            "" | "Equal" => text(&toleration.value) == text(&taint.value),
            "Exists" => true,
            _ => false,
        }
}

/// The taints that keep a pod with these tolerations off.
pub(super) fn untolerated<'t>(
    taints: impl Iterator<Item = &'t (Taint, bool)>,
    tolerations: Option<&[Toleration]>,
) -> impl Iterator<Item = &'t (Taint, bool)> {
    let tolerations = tolerations.unwrap_or_default();
    taints.filter(|(taint, _)| {
        matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute")
            && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
    })
}
