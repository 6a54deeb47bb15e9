//! The filters of kube-scheduler's default profile.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::k8s_openapi::api::core::v1::{Taint, TopologySpreadConstraint};

use super::cluster::{Cluster, HostPort, Incoming, NodeState, UNSCHEDULABLE_TAINT, tolerates, untolerated};
use super::reason::Reason;
use super::resources::amount_of;
use super::selector;

/// A domain: a topology label and its value.
type Domain = (String, String);

/// What the filters know of the cluster as a whole.
pub(super) struct Filters<'p> {
    /// The pod to place.
    pub(super) pod: &'p Incoming,
    /// Whether the pod matches all of its own affinity terms.
    matches_itself: bool,
    /// Domains in which a pod is that matches all affinity terms.
    near: BTreeSet<Domain>,
    /// Domains in which a pod is that an anti-affinity term matches, with one such pod.
    avoided: BTreeMap<Domain, String>,
    /// Domains that existing pods keep this one out of, with one such pod.
    guarded: BTreeMap<Domain, String>,
    /// For each constraint: how many matching pods each domain has.
    spread: Vec<BTreeMap<String, i64>>,
}

impl<'p> Filters<'p> {
    pub(super) fn new(pod: &'p Incoming, cluster: &Cluster<'_>) -> Self {
        let own_namespace = cluster.namespace_labels(&pod.namespace);
        let mut filters = Self {
            pod,
            matches_itself: pod
                .affinity
                .iter()
                .all(|term| term.matches(&pod.namespace, own_namespace, &pod.labels)),
            near: BTreeSet::new(),
            avoided: BTreeMap::new(),
            guarded: BTreeMap::new(),
            spread: vec![BTreeMap::new(); pod.spread.len()],
        };
        for node in &cluster.nodes {
            filters.see_pods(cluster, node);
            filters.see_domains(node);
        }
        filters
    }

    /// Notes which pods of a node attract or repel.
    fn see_pods(&mut self, cluster: &Cluster<'_>, node: &NodeState<'_>) {
        let pod = self.pod;
        let domain = |key: &String| node.label(key).map(|value| (key.clone(), value.clone()));
        let own_namespace = cluster.namespace_labels(&pod.namespace);
        for existing in &node.pods {
            for term in &existing.anti_affinity {
                if term.matches(&pod.namespace, own_namespace, &pod.labels)
                    && let Some(domain) = domain(&term.topology_key)
                {
                    self.guarded.entry(domain).or_insert_with(|| existing.key.clone());
                }
            }
            if pod.affinity.is_empty() && pod.anti_affinity.is_empty() {
                continue;
            }
            let namespace = cluster.namespace_labels(&existing.namespace);
            let matches =
                |term: &super::cluster::Term| term.matches(&existing.namespace, namespace, &existing.labels);
            if !pod.affinity.is_empty() && pod.affinity.iter().all(matches) {
                self.near
                    .extend(pod.affinity.iter().filter_map(|term| domain(&term.topology_key)));
            }
            for term in pod.anti_affinity.iter().filter(|term| matches(term)) {
                if let Some(domain) = domain(&term.topology_key) {
                    self.avoided.entry(domain).or_insert_with(|| existing.key.clone());
                }
            }
        }
    }

    /// Counts a node's pods for the spread constraints.
    fn see_domains(&mut self, node: &NodeState<'_>) {
        let pod = self.pod;
        if !pod
            .spread
            .iter()
            .all(|constraint| node.label(&constraint.topology_key).is_some())
        {
            return;
        }
        for (constraint, counts) in pod.spread.iter().zip(&mut self.spread) {
            let Some(value) = node.label(&constraint.topology_key) else {
                continue;
            };
            if !includes(constraint, pod, node) {
                continue;
            }
            let is_empty = constraint.label_selector.as_ref().is_some_and(selector::is_empty);
            let matching = node.pods.iter().filter(|existing| {
                !is_empty
                    && !existing.is_deleted
                    && existing.namespace == pod.namespace
                    && selector::matches(constraint.label_selector.as_ref(), Some(&existing.labels))
            });
            let count = i64::try_from(matching.count()).unwrap_or(i64::MAX);
            *counts.entry(value.clone()).or_default() += count;
        }
    }

    /// Why the pod does not fit a node: one entry for each thing that is in the way, in the order of the
    /// scheduler, which stops at the first. Empty if it fits.
    pub(super) fn check(&self, node: &NodeState<'_>) -> Vec<Vec<Reason>> {
        let one = |reason| vec![reason];
        let mut all: Vec<Vec<Reason>> = self.node_unschedulable(node).into_iter().map(one).collect();
        all.extend(self.node_name(node).map(one));
        all.extend(self.taint_toleration(node).map(one));
        all.extend(self.node_affinity(node).map(one));
        all.extend(self.node_ports(node).map(one));
        all.extend(Some(self.node_resources(node)).filter(|resources| !resources.is_empty()));
        all.extend(self.topology_spread(node).map(one));
        all.extend(self.inter_pod_affinity(node).map(one));
        all
    }

    fn node_unschedulable(&self, node: &NodeState<'_>) -> Option<Reason> {
        let taint = Taint {
            key: UNSCHEDULABLE_TAINT.to_owned(),
            effect: "NoSchedule".to_owned(),
            ..Taint::default()
        };
        let mut tolerations = self.pod.spec.tolerations.iter().flatten();
        (node.is_cordoned() && !tolerations.any(|toleration| tolerates(toleration, &taint)))
            .then_some(Reason::Cordoned)
    }

    fn node_name(&self, node: &NodeState<'_>) -> Option<Reason> {
        let wanted = self.pod.spec.node_name.as_ref()?;
        (!wanted.is_empty() && *wanted != node.name).then(|| Reason::OtherNode {
            wanted: wanted.clone(),
        })
    }

    /// Each taint counts alone, although the scheduler is content with one.
    fn taint_toleration(&self, node: &NodeState<'_>) -> impl Iterator<Item = Reason> {
        // Cordoning brings a taint of its own; `Cordoned` says it better.
        let is_cordoned = node.is_cordoned();
        let taints = node
            .taints
            .iter()
            .filter(move |(taint, _)| taint.key != UNSCHEDULABLE_TAINT || !is_cordoned);
        untolerated(taints, self.pod.spec.tolerations.as_deref()).map(|(taint, expected)| Reason::Taint {
            taint: taint.clone(),
            expected: *expected,
        })
    }

    fn node_affinity(&self, node: &NodeState<'_>) -> Option<Reason> {
        selector::unmet(&self.pod.spec, node.node)
    }

    /// Each pod in the way counts alone.
    fn node_ports(&self, node: &NodeState<'_>) -> impl Iterator<Item = Reason> {
        node.pods.iter().filter_map(|existing| {
            let is_used = |port: &&HostPort| existing.host_ports.iter().any(|used| used.conflicts(port));
            let HostPort { port, protocol, .. } = self.pod.host_ports.iter().find(is_used)?;
            Some(Reason::PortTaken {
                port: *port,
                protocol: protocol.clone(),
                by: existing.key.clone(),
            })
        })
    }

    fn node_resources(&self, node: &NodeState<'_>) -> Vec<Reason> {
        let mut reasons = Vec::new();
        if i64::try_from(node.pods.len()).is_ok_and(|running| running + 1 > node.allowed_pods) {
            reasons.push(Reason::TooManyPods {
                running: node.pods.len(),
                allowed: node.allowed_pods,
            });
        }
        for (resource, needed) in self.pod.requests.iter().filter(|(_, needed)| *needed > 0) {
            let allocatable = node.allocatable.get(resource);
            let free = allocatable - node.requested.get(resource);
            if needed > free {
                reasons.push(Reason::Insufficient {
                    resource: resource.to_owned(),
                    needed: amount_of(resource, needed),
                    free: amount_of(resource, free),
                    allocatable: amount_of(resource, allocatable),
                });
            }
        }
        reasons
    }

    fn topology_spread(&self, node: &NodeState<'_>) -> Option<Reason> {
        self.pod
            .spread
            .iter()
            .zip(&self.spread)
            .find_map(|(constraint, counts)| {
                let topology_key = constraint.topology_key.clone();
                let Some(value) = node.label(&topology_key) else {
                    return Some(Reason::NoTopologyLabel { topology_key });
                };
                let too_few = i64::try_from(counts.len()).unwrap_or(i64::MAX)
                    < constraint.min_domains.map_or(1, i64::from);
                let least = if too_few {
                    0
                } else {
                    counts.values().copied().min().unwrap_or(0)
                };
                let own = selector::matches(constraint.label_selector.as_ref(), Some(&self.pod.labels));
                let skew = counts.get(value).copied().unwrap_or(0) + i64::from(own) - least;
                (skew > i64::from(constraint.max_skew)).then_some(Reason::TopologySpread {
                    topology_key,
                    skew,
                    max_skew: constraint.max_skew,
                })
            })
    }

    fn inter_pod_affinity(&self, node: &NodeState<'_>) -> Option<Reason> {
        if let Some(topology_key) = self.unmet_affinity(node) {
            return Some(Reason::PodAffinity { topology_key });
        }
        let domain = |key: &String| Some((key.clone(), node.label(key)?.clone()));
        for term in &self.pod.anti_affinity {
            if let Some(pod) = domain(&term.topology_key).and_then(|domain| self.avoided.get(&domain)) {
                let (topology_key, pod) = (term.topology_key.clone(), pod.clone());
                return Some(Reason::PodAntiAffinity { topology_key, pod });
            }
        }
        self.guarded.iter().find_map(|((key, value), pod)| {
            let is_here = node.label(key) == Some(value);
            is_here.then(|| Reason::ExistingAntiAffinity {
                topology_key: key.clone(),
                pod: pod.clone(),
            })
        })
    }

    /// The topology of the first affinity term that no pod of the node's domain meets. The first of a series of
    /// pods that want to be near each other may go anywhere.
    fn unmet_affinity(&self, node: &NodeState<'_>) -> Option<String> {
        let pod = self.pod;
        let lacks_label = pod
            .affinity
            .iter()
            .find(|term| node.label(&term.topology_key).is_none());
        if let Some(term) = lacks_label {
            return Some(term.topology_key.clone());
        }
        let unmet = pod.affinity.iter().find(|term| {
            let value = node.label(&term.topology_key).cloned().unwrap_or_default();
            !self.near.contains(&(term.topology_key.clone(), value))
        })?;
        let is_first = self.near.is_empty() && self.matches_itself;
        (!is_first).then(|| unmet.topology_key.clone())
    }
}

/// Whether a spread constraint counts a node at all.
fn includes(constraint: &TopologySpreadConstraint, pod: &Incoming, node: &NodeState<'_>) -> bool {
    let honors_affinity = constraint.node_affinity_policy.as_deref() != Some("Ignore");
    let honors_taints = constraint.node_taints_policy.as_deref() == Some("Honor");
    (!honors_affinity || selector::node_matches(&pod.spec, node.node))
        && (!honors_taints
            || untolerated(node.taints.iter(), pod.spec.tolerations.as_deref())
                .next()
                .is_none())
}
