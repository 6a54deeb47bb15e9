//! Placing the pods of a workload, and what came of it.

use std::collections::BTreeMap;
use std::rc::Rc;

use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PodSpec,
};

use super::admission::{self, Refusal};
use super::cluster::{Cluster, Incoming, NodeState, untolerated};
use super::filter::Filters;
use super::preemption::Preemption;
use super::reason::Reason;
use super::selector::{self, Names};
use super::{Workload, WorkloadKind};

/// Whether the pods of a workload would run.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// The workload, as `Kind/namespace/name`.
    pub workload: String,
    /// How many pods it wants: its replicas, or for a DaemonSet the nodes that its template allows.
    pub wanted: usize,
    /// The nodes that its pods would go to, one for each pod. Pods that the API server refuses are placed as if it
    /// did not, so that one look shows every obstacle.
    pub placed: Vec<String>,
    /// Why the API server would refuse the workload or its pods.
    pub refusals: Vec<Refusal>,
    /// Pods that would find no node. Replicas are alike, and so there is one entry for all of a Deployment's.
    pub pending: Vec<Pending>,
    /// The nodes that a DaemonSet leaves out, because of their taints or its node affinity.
    pub skipped: Vec<NodeVerdict>,
}

/// A pod that finds no node.
#[derive(Clone, PartialEq, Debug)]
pub struct Pending {
    /// The only node that it may go to, for a pod of a DaemonSet.
    pub target: Option<String>,
    /// Why it does not fit the nodes that it may go to.
    pub nodes: Vec<NodeVerdict>,
    /// How many nodes there are.
    pub total: usize,
    /// Why it fits no node whatever that is like.
    pub blocked: Option<Blocked>,
    /// Whether the eviction of other pods would help.
    pub preemption: Preemption,
}

/// Why a pod is not even compared with nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Blocked {
    /// It has scheduling gates, which someone has to take off.
    Gates(Vec<String>),
    /// There is no node.
    NoNodes,
    /// The terms of its node affinity exclude each other.
    AffinityConflict,
}

/// Why a pod does not fit a node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeVerdict {
    /// The node.
    pub node: String,
    /// What the scheduler says: the first thing that does not fit, or several resources at once.
    pub reasons: Vec<Reason>,
    /// What it would say next, were those mended.
    pub further: Vec<Reason>,
}

impl NodeVerdict {
    fn new(node: &NodeState<'_>, refused: Vec<Vec<Reason>>) -> Self {
        let mut refused = refused.into_iter();
        Self {
            node: node.name.clone(),
            reasons: refused.next().unwrap_or_default(),
            further: refused.flatten().collect(),
        }
    }

    /// Everything that does not fit.
    pub fn all(&self) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().chain(&self.further)
    }

    /// Whether the scheduler would look for pods to evict.
    pub(super) fn removal_may_help(&self) -> bool {
        self.reasons.iter().all(Reason::removal_may_help)
    }
}

impl Verdict {
    /// Whether all pods would run.
    pub fn fits(&self) -> bool {
        self.refusals.is_empty() && self.pending.is_empty()
    }

    /// Whether all pods would run, although pods of lower priority would have to make room for some.
    pub fn fits_with_evictions(&self) -> bool {
        let makes_room = |pending: &Pending| matches!(pending.preemption, Preemption::Possible { .. });
        self.refusals.is_empty() && !self.pending.is_empty() && self.pending.iter().all(makes_room)
    }

    /// Why not all pods would run, as the API server or the scheduler would say; `None` if they would.
    pub fn message(&self) -> Option<String> {
        self.refusals
            .first()
            .map(ToString::to_string)
            .or_else(|| self.pending.first().map(Pending::message))
    }
}

impl Pending {
    /// The message of the scheduler's `FailedScheduling` event.
    pub fn message(&self) -> String {
        match &self.blocked {
            Some(Blocked::Gates(_)) => {
                return "Scheduling is blocked due to non-empty scheduling gates".to_owned();
            }
            Some(Blocked::NoNodes) => return "no nodes available to schedule pods".to_owned(),
            Some(Blocked::AffinityConflict) => {
                // The scheduler gives up before it has collected what it needs to look for evictions. That is
                // what it does not find.
                let total = self.total;
                return format!("0/{total} nodes are available: pod affinity terms conflict. not found");
            }
            None => {}
        }
        let mut message = histogram(self.total, &self.counts());
        let preemption = match &self.preemption {
            Preemption::Never => "not eligible due to preemptionPolicy=Never.".to_owned(),
            Preemption::NotHelpful(counts) => histogram(self.total, counts),
            Preemption::Possible { .. } => return message,
        };
        // Before anyone is evicted, the scheduler would give back devices that the pod does not use.
        message.push_str(" no new claims to deallocate, preemption: ");
        message.push_str(&preemption);
        message
    }

    /// How many nodes each reason keeps the pod from, in the scheduler's words.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for reason in self.nodes.iter().flat_map(|node| &node.reasons) {
            *counts.entry(reason.message()).or_default() += 1;
        }
        let left_out = self.total - self.nodes.len();
        if left_out > 0 {
            counts.insert(Reason::NotNamed.message(), left_out);
        }
        counts
    }
}

/// `0/3 nodes are available: 1 Insufficient memory, 2 node(s) were unschedulable.`
fn histogram(total: usize, counts: &BTreeMap<String, usize>) -> String {
    let mut parts: Vec<String> = counts
        .iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    parts.sort();
    format!("0/{total} nodes are available: {}.", parts.join(", "))
}

/// Places the pods of a workload, and leaves them in the cluster.
pub(super) fn place(cluster: &mut Cluster<'_>, workload: &Workload) -> Verdict {
    let (pod, mut refusals) = admission::admit_workload(cluster, workload);
    let mut verdict = Verdict {
        workload: workload.to_string(),
        wanted: 0,
        placed: Vec::new(),
        refusals: Vec::new(),
        pending: Vec::new(),
        skipped: Vec::new(),
    };
    match workload.kind {
        WorkloadKind::Deployment { replicas } => {
            verdict.wanted = replicas;
            if replicas > 0 {
                refusals.extend(admission::admit_pods(cluster, &pod, replicas));
                place_replicas(cluster, workload, &pod, &mut verdict);
            }
        }
        WorkloadKind::DaemonSet => {
            place_daemons(cluster, workload, &pod, &mut verdict);
            refusals.extend(admission::admit_pods(cluster, &pod, verdict.wanted));
        }
    }
    verdict.refusals = refusals;
    verdict
}

fn place_replicas(cluster: &mut Cluster<'_>, workload: &Workload, pod: &Pod, verdict: &mut Verdict) {
    let pod = Incoming::new(pod);
    for replica in 0..verdict.wanted {
        match find_node(cluster, &pod) {
            Ok(index) => {
                let node = &mut cluster.nodes[index];
                verdict.placed.push(node.name.clone());
                node.add(Rc::new(pod.placed(&format!("{}-{replica}", workload.name), None)));
            }
            Err(pending) => {
                verdict.pending.push(*pending);
                break;
            }
        }
    }
}

/// The index of the node that the pod goes to.
fn find_node(cluster: &Cluster<'_>, pod: &Incoming) -> Result<usize, Box<Pending>> {
    let total = cluster.nodes.len();
    let blocked = |blocked| {
        Box::new(Pending {
            target: None,
            nodes: Vec::new(),
            total,
            blocked: Some(blocked),
            preemption: Preemption::hopeless(total),
        })
    };
    let gates = pod.spec.scheduling_gates.iter().flatten();
    let gates: Vec<String> = gates.map(|gate| gate.name.clone()).collect();
    if !gates.is_empty() {
        return Err(blocked(Blocked::Gates(gates)));
    }
    if total == 0 {
        return Err(blocked(Blocked::NoNodes));
    }
    let names = match selector::named_nodes(&pod.spec) {
        Names::Any => None,
        Names::Only(names) => Some(names),
        Names::Conflict => return Err(blocked(Blocked::AffinityConflict)),
    };
    let filters = Filters::new(pod, cluster);
    let mut unfit = Vec::new();
    let mut best: Option<(i64, usize)> = None;
    for (index, node) in cluster.nodes.iter().enumerate() {
        if names.as_ref().is_some_and(|names| !names.contains(&node.name)) {
            continue;
        }
        let refused = filters.check(node);
        if refused.is_empty() {
            let share = free_share(node, pod);
            if best.is_none_or(|(most, _)| share > most) {
                best = Some((share, index));
            }
        } else {
            unfit.push(NodeVerdict::new(node, refused));
        }
    }
    best.map(|(_, index)| index).ok_or_else(|| {
        let preemption = Preemption::of(&filters, cluster, &unfit, total);
        Box::new(Pending {
            target: None,
            nodes: unfit,
            total,
            blocked: None,
            preemption,
        })
    })
}

/// Which share of CPU and memory would stay free with the pod, in thousandths, both added.
fn free_share(node: &NodeState<'_>, pod: &Incoming) -> i64 {
    let share = |resource| {
        let allocatable = i128::from(node.allocatable.get(resource));
        let free =
            allocatable - i128::from(node.requested.get(resource)) - i128::from(pod.requests.get(resource));
        if allocatable == 0 {
            0
        } else {
            i64::try_from(free * 1000 / allocatable).unwrap_or(0)
        }
    };
    share("cpu") + share("memory")
}

/// The DaemonSet controller decides which nodes get a pod by names, labels and taints. The scheduler then has only
/// that node to bind each pod to.
fn place_daemons(cluster: &mut Cluster<'_>, workload: &Workload, pod: &Pod, verdict: &mut Verdict) {
    let template = Incoming::new(pod);
    let name = workload.name.as_str();
    let total = cluster.nodes.len();
    // Pods of an older version of the DaemonSet give way to the new ones.
    for node in &mut cluster.nodes {
        node.remove(|pod| pod.namespace == workload.namespace && pod.daemon_set.as_deref() == Some(name));
    }
    // The names of nodes matter to the filters only where a constraint counts the nodes that affinity allows.
    let mut shared = Incoming::new(pod);
    bind_to(&mut shared.spec, None);
    let filters = Filters::new(&shared, cluster);
    for index in 0..total {
        let node = &cluster.nodes[index];
        let left_out = daemon_left_out(&template, node);
        if !left_out.is_empty() {
            verdict.skipped.push(NodeVerdict::new(node, left_out));
            continue;
        }
        verdict.wanted += 1;
        let outcome = if shared.has_inter_pod_rules() {
            let mut daemon = Incoming::new(pod);
            bind_to(&mut daemon.spec, Some(&node.name));
            fit_daemon(&Filters::new(&daemon, cluster), cluster, node)
        } else {
            fit_daemon(&filters, cluster, node)
        };
        match outcome {
            Ok(()) => {
                verdict.placed.push(node.name.clone());
                let placed = shared.placed(&format!("{name}-{}", node.name), Some(name));
                cluster.nodes[index].add(Rc::new(placed));
            }
            Err(pending) => verdict.pending.push(*pending),
        }
    }
}

/// Whether a DaemonSet's pod fits the node that it is for.
fn fit_daemon(
    filters: &Filters<'_>,
    cluster: &Cluster<'_>,
    node: &NodeState<'_>,
) -> Result<(), Box<Pending>> {
    let refused = filters.check(node);
    if refused.is_empty() {
        return Ok(());
    }
    let total = cluster.nodes.len();
    let unfit = vec![NodeVerdict::new(node, refused)];
    let preemption = Preemption::of(filters, cluster, &unfit, total);
    let target = Some(node.name.clone());
    Err(Box::new(Pending {
        target,
        nodes: unfit,
        total,
        blocked: None,
        preemption,
    }))
}

/// Why the DaemonSet controller makes no pod for a node; empty if it does.
fn daemon_left_out(pod: &Incoming, node: &NodeState<'_>) -> Vec<Vec<Reason>> {
    let wanted = pod
        .spec
        .node_name
        .as_ref()
        .filter(|wanted| !wanted.is_empty() && **wanted != node.name);
    let other = wanted.map(|wanted| Reason::OtherNode {
        wanted: wanted.clone(),
    });
    let taints = untolerated(node.taints.iter(), pod.spec.tolerations.as_deref());
    let taints = taints.map(|(taint, expected)| Reason::Taint {
        taint: taint.clone(),
        expected: *expected,
    });
    let affinity = selector::unmet(&pod.spec, node.node);
    other
        .into_iter()
        .chain(taints)
        .chain(affinity)
        .map(|reason| vec![reason])
        .collect()
}

/// Replaces the required node affinity with the name of one node, as the DaemonSet controller does; or drops it.
fn bind_to(spec: &mut PodSpec, node: Option<&str>) {
    let affinity = spec.affinity.get_or_insert_with(Affinity::default);
    let affinity = affinity.node_affinity.get_or_insert_with(NodeAffinity::default);
    affinity.required_during_scheduling_ignored_during_execution = node.map(|node| NodeSelector {
        node_selector_terms: vec![NodeSelectorTerm {
            match_expressions: None,
            match_fields: Some(vec![NodeSelectorRequirement {
                key: "metadata.name".to_owned(),
                operator: "In".to_owned(),
                values: Some(vec![node.to_owned()]),
            }]),
        }],
    });
}
