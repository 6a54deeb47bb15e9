//! Whether pods of lower priority would have to make room.

use std::collections::BTreeMap;
use std::rc::Rc;

use mesh_core::k8s_openapi::jiff::Timestamp;

use super::cluster::{Cluster, NodeState, PodState};
use super::filter::Filters;
use super::verdict::NodeVerdict;

/// What the scheduler would do about a pod that fits nowhere. Disruption budgets, which may spare a pod for
/// another one, are not considered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Preemption {
    /// The pod's priority class forbids it.
    Never,
    /// Pods of lower priority would be evicted.
    Possible {
        /// The node on which the fewest of the least important pods would have to go.
        node: String,
        /// Those pods, as `namespace/name`, the most important first.
        victims: Vec<String>,
    },
    /// No eviction helps; how many nodes for each reason, in the scheduler's words.
    NotHelpful(BTreeMap<String, usize>),
}

/// No pod of the node is less important than the one to place.
const NO_VICTIMS: &str = "No preemption victims found for incoming pod";

/// What keeps the pod off the node cannot be removed with other pods.
const NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";

impl Preemption {
    /// What is known before any node is looked at: nothing helps on any of them.
    pub(super) fn hopeless(nodes: usize) -> Self {
        Self::NotHelpful(BTreeMap::from([(NOT_HELPFUL.to_owned(), nodes)]))
    }

    /// `unfit` are the nodes that the pod might go to, and why it does not fit them; `total` counts all nodes.
    pub(super) fn of(
        filters: &Filters<'_>,
        cluster: &Cluster<'_>,
        unfit: &[NodeVerdict],
        total: usize,
    ) -> Self {
        if filters.pod.never_preempts {
            return Self::Never;
        }
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut best: Option<Candidate> = None;
        for verdict in unfit.iter().filter(|verdict| verdict.removal_may_help()) {
            match candidate(filters, cluster, &verdict.node) {
                Ok(candidate) => {
                    if best.as_ref().is_none_or(|best| candidate.cost() < best.cost()) {
                        best = Some(candidate);
                    }
                }
                Err(reasons) => {
                    for reason in reasons {
                        *counts.entry(reason).or_default() += 1;
                    }
                }
            }
        }
        if let Some(Candidate { node, victims }) = best {
            let victims = victims.into_iter().map(|victim| victim.key.clone()).collect();
            return Self::Possible { node, victims };
        }
        let rest = total - unfit.iter().filter(|verdict| verdict.removal_may_help()).count();
        if rest > 0 {
            counts.insert(NOT_HELPFUL.to_owned(), rest);
        }
        Self::NotHelpful(counts)
    }
}

/// A node, and who would have to leave it.
struct Candidate {
    node: String,
    /// The most important first.
    victims: Vec<Rc<PodState>>,
}

impl Candidate {
    /// The lower, the rather: the priority of the most important victim, the sum of all, their number.
    fn cost(&self) -> (i32, i64, usize) {
        // Priorities are made positive, so that fewer victims never cost more.
        let sum = self
            .victims
            .iter()
            .map(|pod| i64::from(pod.priority) + i64::from(i32::MAX) + 1)
            .sum();
        (
            self.victims.first().map_or(i32::MIN, |pod| pod.priority),
            sum,
            self.victims.len(),
        )
    }
}

/// Who would have to leave the node, or in the scheduler's words why that does not help.
fn candidate(filters: &Filters<'_>, cluster: &Cluster<'_>, name: &str) -> Result<Candidate, Vec<String>> {
    let pod = filters.pod;
    let Ok(index) = cluster
        .nodes
        .binary_search_by(|node| node.name.as_str().cmp(name))
    else {
        return Err(vec![NO_VICTIMS.to_owned()]);
    };
    let mut node = cluster.nodes[index].clone();
    let mut victims = node.remove(|existing| existing.priority < pod.priority);
    if victims.is_empty() {
        return Err(vec![NO_VICTIMS.to_owned()]);
    }
    // Only rules between pods look beyond the node.
    let is_local = !pod.has_inter_pod_rules() && victims.iter().all(|victim| victim.anti_affinity.is_empty());
    let refused = |node: &NodeState<'_>| {
        let refused = if is_local {
            filters.check(node)
        } else {
            Filters::new(pod, &cluster.with_node(index, node.clone())).check(node)
        };
        refused.into_iter().next()
    };
    if let Some(reasons) = refused(&node) {
        return Err(reasons.iter().map(super::Reason::message).collect());
    }
    // Important pods, and those that have run for long, are spared where the pod fits nevertheless.
    victims.sort_by(|a, b| {
        let since = |pod: &PodState| pod.started.map_or(i128::MAX, Timestamp::as_nanosecond);
        b.priority
            .cmp(&a.priority)
            .then(since(a).cmp(&since(b)))
            .then(a.key.cmp(&b.key))
    });
    victims.retain(|victim| {
        node.add(Rc::clone(victim));
        let must_go = refused(&node).is_some();
        if must_go {
            node.remove(|pod| pod.key == victim.key);
        }
        must_go
    });
    Ok(Candidate {
        node: name.to_owned(),
        victims,
    })
}
