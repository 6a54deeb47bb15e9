//! Nodes as a test describes them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{
    Node as K8sNode, NodeCondition, NodeSpec, NodeStatus, NodeSystemInfo, Taint,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

/// What a taint does to pods that do not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaintEffect {
    /// They are not scheduled here.
    NoSchedule,
    /// They are scheduled elsewhere if possible.
    PreferNoSchedule,
    /// They are not scheduled here, and those that run here are evicted.
    NoExecute,
}

impl TaintEffect {
    fn name(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }
}

/// A node for [`TestCluster::add_node`](crate::TestCluster::add_node).
///
/// By default it is ready, has 32 CPUs, 256Gi of memory and room for 110 pods, and is Linux on amd64 with a kubelet of
/// the control plane's version. What a test describes stays as it is.
#[derive(Debug, Clone)]
pub struct Node {
    name: String,
    labels: BTreeMap<String, String>,
    capacity: Option<BTreeMap<String, Quantity>>,
    taints: Vec<Taint>,
    conditions: BTreeMap<String, String>,
    unschedulable: bool,
    architecture: String,
    os: String,
    kubelet: String,
}

impl Node {
    /// A ready node. Names are unique in a cluster.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            labels: BTreeMap::new(),
            capacity: None,
            taints: Vec::new(),
            conditions: BTreeMap::new(),
            unschedulable: false,
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            kubelet: String::new(),
        }
    }

    /// Adds a label. `kubernetes.io/hostname`, `/arch` and `/os` are there already.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Sets capacity and allocatable resources, the first two as Kubernetes quantities.
    #[must_use]
    pub fn capacity(mut self, cpu: &str, memory: &str, pods: u32) -> Self {
        let quantities = [
            ("cpu", cpu.to_owned()),
            ("memory", memory.to_owned()),
            ("ephemeral-storage", "1Ti".to_owned()),
            ("pods", pods.to_string()),
        ];
        let capacity = quantities.map(|(name, quantity)| (name.to_owned(), Quantity(quantity)));
        self.capacity = Some(capacity.into());
        self
    }

    /// Adds a taint; an empty value means none.
    #[must_use]
    pub fn taint(mut self, key: &str, value: &str, effect: TaintEffect) -> Self {
        self.taints.push(Taint {
            key: key.to_owned(),
            value: (!value.is_empty()).then(|| value.to_owned()),
            effect: effect.name().to_owned(),
            time_added: None,
        });
        self
    }

    /// Sets a condition: `Ready`, `MemoryPressure`, `DiskPressure`, `PIDPressure` or `NetworkUnavailable` to `True`,
    /// `False` or `Unknown`. The node lifecycle controller taints the node accordingly.
    #[must_use]
    pub fn condition(mut self, kind: &str, status: &str) -> Self {
        self.conditions.insert(kind.to_owned(), status.to_owned());
        self
    }

    /// Cordons the node.
    #[must_use]
    pub fn unschedulable(mut self) -> Self {
        self.unschedulable = true;
        self
    }

    /// Sets the architecture, as Go calls it: `arm64`.
    #[must_use]
    pub fn arch(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.architecture);
        self
    }

    /// Sets the operating system, as Go calls it: `windows`.
    #[must_use]
    pub fn os(mut self, os: &str) -> Self {
        os.clone_into(&mut self.os);
        self
    }

    /// Sets the kubelet's version: `v1.35.0`.
    #[must_use]
    pub fn kubelet(mut self, version: &str) -> Self {
        version.clone_into(&mut self.kubelet);
        self
    }

    /// Key and effect of every taint that the node has once the controllers have seen it: its own, and those that the
    /// [node lifecycle controller](https://kubernetes.io/docs/reference/labels-annotations-taints/) adds.
    pub(crate) fn settled_taints(&self) -> BTreeSet<(String, String)> {
        let mut taints: BTreeSet<_> = self
            .taints
            .iter()
            .map(|taint| (taint.key.clone(), taint.effect.clone()))
            .collect();
        let mut add = |name: &str, effect: TaintEffect| {
            taints.insert((format!("node.kubernetes.io/{name}"), effect.name().to_owned()));
        };
        for (kind, status) in &self.conditions {
            match (kind.as_str(), status.as_str()) {
                ("Ready", "False") => {
                    add("not-ready", TaintEffect::NoSchedule);
                    add("not-ready", TaintEffect::NoExecute);
                }
                ("Ready", "Unknown") => {
                    add("unreachable", TaintEffect::NoSchedule);
                    add("unreachable", TaintEffect::NoExecute);
                }
                ("MemoryPressure", "True") => add("memory-pressure", TaintEffect::NoSchedule),
                ("DiskPressure", "True") => add("disk-pressure", TaintEffect::NoSchedule),
                ("PIDPressure", "True") => add("pid-pressure", TaintEffect::NoSchedule),
                ("NetworkUnavailable", "True") => add("network-unavailable", TaintEffect::NoSchedule),
                _ => {}
            }
        }
        if self.unschedulable {
            add("unschedulable", TaintEffect::NoSchedule);
        }
        taints
    }
}

impl From<Node> for K8sNode {
    fn from(node: Node) -> Self {
        let Node {
            name,
            mut labels,
            capacity,
            taints,
            conditions,
            unschedulable,
            architecture,
            os,
            kubelet,
        } = node;
        for (key, value) in [("hostname", &name), ("arch", &architecture), ("os", &os)] {
            labels
                .entry(format!("kubernetes.io/{key}"))
                .or_insert_with(|| value.clone());
        }
        let conditions = conditions
            .into_iter()
            .map(|(type_, status)| NodeCondition {
                type_,
                status,
                ..NodeCondition::default()
            })
            .collect();
        Self {
            metadata: ObjectMeta {
                name: Some(name),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            spec: Some(NodeSpec {
                taints: Some(taints),
                unschedulable: unschedulable.then_some(true),
                ..NodeSpec::default()
            }),
            status: Some(NodeStatus {
                allocatable: capacity.clone(),
                capacity,
                conditions: Some(conditions),
                node_info: Some(NodeSystemInfo {
                    architecture,
                    operating_system: os,
                    kubelet_version: kubelet,
                    ..NodeSystemInfo::default()
                }),
                ..NodeStatus::default()
            }),
        }
    }
}
