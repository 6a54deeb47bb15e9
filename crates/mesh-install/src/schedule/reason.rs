//! Why a pod does not fit a node.

use std::fmt;

use mesh_core::k8s_openapi::api::core::v1::Taint;

use crate::quantity::Amount;

/// One reason why a pod does not fit a node. The text that it displays names the particulars;
/// [`Self::message`] is the scheduler's own.
#[derive(Clone, PartialEq, Debug)]
pub enum Reason {
    /// The node is cordoned.
    Cordoned,
    /// The pod names another node in `spec.nodeName`.
    OtherNode {
        /// The node that it names.
        wanted: String,
    },
    /// The pod's node affinity names other nodes.
    NotNamed,
    /// The node has a taint that the pod does not tolerate.
    Taint {
        /// The taint.
        taint: Taint,
        /// Whether it is not there yet, but follows from the node's conditions, so that the node lifecycle
        /// controller will add it.
        expected: bool,
    },
    /// The node's labels or name do not match the pod's node selector or affinity.
    Affinity {
        /// What is asked for.
        needed: String,
        /// The value that the node's label has instead, if a label is asked for.
        actual: Option<String>,
    },
    /// A pod on the node has a host port that the pod needs.
    PortTaken {
        /// The port.
        port: i32,
        /// `TCP`, `UDP` or `SCTP`.
        protocol: String,
        /// The pod that has it, as `namespace/name`.
        by: String,
    },
    /// The node runs as many pods as it may.
    TooManyPods {
        /// How many run.
        running: usize,
        /// How many may.
        allowed: i64,
    },
    /// A resource does not suffice.
    Insufficient {
        /// The resource.
        resource: String,
        /// What the pod requests.
        needed: Amount,
        /// What no pod has requested yet; negative where a node is overcommitted.
        free: Amount,
        /// What the node offers to pods.
        allocatable: Amount,
    },
    /// The node lacks the label of a topology spread constraint.
    NoTopologyLabel {
        /// The label.
        topology_key: String,
    },
    /// The pod would make the spread over a topology more uneven than its constraint allows.
    TopologySpread {
        /// The label that tells the domains apart.
        topology_key: String,
        /// How many matching pods the node's domain would have above the least of all.
        skew: i64,
        /// How many it may.
        max_skew: i32,
    },
    /// No pod that the pod wants to be near is in the node's domain.
    PodAffinity {
        /// The label that tells the domains apart.
        topology_key: String,
    },
    /// A pod that the pod wants to keep away from is in the node's domain.
    PodAntiAffinity {
        /// The label that tells the domains apart.
        topology_key: String,
        /// That pod, as `namespace/name`.
        pod: String,
    },
    /// A pod in the node's domain wants to keep this pod away.
    ExistingAntiAffinity {
        /// The label that tells the domains apart.
        topology_key: String,
        /// The pod, as `namespace/name`.
        pod: String,
    },
}

impl Reason {
    /// The reason as kube-scheduler's `FailedScheduling` event counts it.
    pub fn message(&self) -> String {
        let text = match self {
            Self::Cordoned => "node(s) were unschedulable",
            Self::OtherNode { .. } => "node(s) didn't match the requested node name",
            Self::NotNamed => "node(s) didn't satisfy plugin(s) [NodeAffinity]",
            Self::Taint { .. } => "node(s) had untolerated taint(s)",
            Self::Affinity { .. } => "node(s) didn't match Pod's node affinity/selector",
            Self::PortTaken { .. } => "node(s) didn't have free ports for the requested pod ports",
            Self::TooManyPods { .. } => "Too many pods",
            Self::Insufficient { resource, .. } => return format!("Insufficient {resource}"),
            Self::NoTopologyLabel { .. } => {
                "node(s) didn't match pod topology spread constraints (missing required label)"
            }
            Self::TopologySpread { .. } => "node(s) didn't match pod topology spread constraints",
            Self::PodAffinity { .. } => "node(s) didn't match pod affinity rules",
            Self::PodAntiAffinity { .. } => "node(s) didn't match pod anti-affinity rules",
            Self::ExistingAntiAffinity { .. } => "node(s) didn't satisfy existing pods anti-affinity rules",
        };
        text.to_owned()
    }

    /// Whether the removal of pods from the node might help.
    pub fn removal_may_help(&self) -> bool {
        match self {
            Self::PortTaken { .. }
            | Self::TooManyPods { .. }
            | Self::TopologySpread { .. }
            | Self::PodAntiAffinity { .. }
            | Self::ExistingAntiAffinity { .. } => true,
            Self::Insufficient {
                needed, allocatable, ..
            } => needed <= allocatable,
            Self::Cordoned
            | Self::OtherNode { .. }
            | Self::NotNamed
            | Self::Taint { .. }
            | Self::Affinity { .. }
            | Self::NoTopologyLabel { .. }
            | Self::PodAffinity { .. } => false,
        }
    }
}

/// `key=value:Effect`, as kubectl writes taints.
pub(super) fn describe_taint(taint: &Taint) -> String {
    match taint.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
        None => format!("{}:{}", taint.key, taint.effect),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cordoned => write!(f, "it is cordoned"),
            Self::OtherNode { wanted } => write!(f, "the pod names node {wanted}"),
            Self::NotNamed => write!(f, "the pod's node affinity names other nodes"),
            Self::Taint {
                taint,
                expected: false,
            } => {
                write!(f, "taint {} is not tolerated", describe_taint(taint))
            }
            Self::Taint {
                taint,
                expected: true,
            } => {
                write!(
                    f,
                    "taint {} follows from its conditions and is not tolerated",
                    describe_taint(taint)
                )
            }
            Self::Affinity {
                needed,
                actual: Some(actual),
            } => write!(f, "the pod wants {needed}, but it is {actual}"),
            Self::Affinity { needed, actual: None } => write!(f, "the pod wants {needed}"),
            Self::PortTaken { port, protocol, by } => {
                write!(f, "host port {port}/{protocol} is taken by {by}")
            }
            Self::TooManyPods { running, allowed } => {
                write!(f, "it runs {running} pods of {allowed} allowed")
            }
            Self::Insufficient {
                resource,
                needed,
                free,
                allocatable,
            } => write!(
                f,
                "{resource}: needs {}, {} free of {} allocatable",
                needed.short(),
                free.short(),
                allocatable.short()
            ),
            Self::NoTopologyLabel { topology_key } => {
                write!(
                    f,
                    "it lacks the label {topology_key}, over which the pods are to spread"
                )
            }
            Self::TopologySpread {
                topology_key,
                skew,
                max_skew,
            } => {
                write!(
                    f,
                    "its {topology_key} would have {skew} pods more than another, {max_skew} allowed"
                )
            }
            Self::PodAffinity { topology_key } => {
                write!(
                    f,
                    "no pod that this one wants to be near is in its {topology_key}"
                )
            }
            Self::PodAntiAffinity { topology_key, pod } => {
                write!(
                    f,
                    "{pod} is in its {topology_key}, and this pod keeps away from it"
                )
            }
            Self::ExistingAntiAffinity { topology_key, pod } => {
                write!(f, "{pod} is in its {topology_key}, and keeps this pod away")
            }
        }
    }
}
