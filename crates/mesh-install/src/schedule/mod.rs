//! Would it schedule? What the API server and kube-scheduler would do with the pods of a workload.
//!
//! ```text
//! Snapshot ─┐                ┌─ admission  LimitRange defaults and bounds, PodSecurity, ResourceQuota → Refusal
//! Workload ─┴─ place_all ────┼─ filter     the default profile's filters, in its order              → Reason
//!                            ├─ preemption who would have to go                                     → Preemption
//!                            └─► Verdict ── message(): as FailedScheduling reads; advice(): what to do about it
//! ```
//!
//! The rules are those of kube-scheduler's default profile in Kubernetes 1.36. Left out are volumes (claims, their
//! zones and attach limits), dynamic resource allocation, nominated pods, extenders, and pods that wait in the
//! queue and may come first. Which of several fitting nodes the scheduler would take is guessed: the one with the
//! largest free share. That matters only where one replica takes the place of another.

mod admission;
mod advice;
mod cluster;
mod filter;
pub mod pod_security;
mod preemption;
mod reason;
mod resources;
mod selector;
mod verdict;

#[cfg(test)]
mod tests;

use std::fmt;

use mesh_core::k8s_openapi::api::core::v1::{
    LimitRange, Namespace, Node, Pod, PodTemplateSpec, ResourceQuota,
};
use mesh_core::k8s_openapi::api::scheduling::v1::PriorityClass;

pub use admission::{Actual, Bound, Excess, OutOfBounds, Refusal};
pub use advice::{Action, Advice};
pub use preemption::Preemption;
pub use reason::Reason;
pub use resources::{Resources, pod_limits, pod_requests};
pub use verdict::{Blocked, NodeVerdict, Pending, Verdict};

use crate::version::KubernetesVersion;

/// What is known of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// All nodes.
    pub nodes: Vec<Node>,
    /// The pods of all namespaces.
    pub pods: Vec<Pod>,
    /// All namespaces. One that is missing is taken as created without labels.
    pub namespaces: Vec<Namespace>,
    /// The quotas of the namespaces to place into; those of others do no harm.
    pub quotas: Vec<ResourceQuota>,
    /// The limit ranges of the namespaces to place into; those of others do no harm.
    pub limit_ranges: Vec<LimitRange>,
    /// All priority classes. The two `system-` classes are known without.
    pub priority_classes: Vec<PriorityClass>,
    /// The version of the API server; it bounds what the `latest` Pod Security Standards mean.
    pub kubernetes: Option<KubernetesVersion>,
}

/// What makes a workload's pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkloadKind {
    /// A Deployment.
    Deployment {
        /// How many pods.
        replicas: usize,
    },
    /// A DaemonSet: one pod on each node that its template allows.
    DaemonSet,
}

/// Pods to place.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    /// What makes them, and how many.
    pub kind: WorkloadKind,
    /// Where.
    pub namespace: String,
    /// The name of the Deployment or DaemonSet.
    pub name: String,
    /// What they are like.
    pub template: PodTemplateSpec,
}

impl fmt::Display for Workload {
    /// `Deployment/istio-system/istiod`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            WorkloadKind::Deployment { .. } => "Deployment",
            WorkloadKind::DaemonSet => "DaemonSet",
        };
        write!(f, "{kind}/{}/{}", self.namespace, self.name)
    }
}

/// Whether one workload's pods would be admitted and find nodes.
pub fn place(snapshot: &Snapshot, workload: &Workload) -> Verdict {
    let mut cluster = cluster::Cluster::new(snapshot);
    verdict::place(&mut cluster, workload)
}

/// Whether these workloads would find nodes, in this order: each sees what the earlier ones take.
pub fn place_all(snapshot: &Snapshot, workloads: &[Workload]) -> Vec<Verdict> {
    let mut cluster = cluster::Cluster::new(snapshot);
    workloads
        .iter()
        .map(|workload| verdict::place(&mut cluster, workload))
        .collect()
}
