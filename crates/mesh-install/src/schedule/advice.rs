//! What to do so that pods run.

use std::collections::BTreeMap;
use std::fmt;

use mesh_core::k8s_openapi::api::core::v1::Taint;

use super::admission::{Actual, Bound, Refusal};
use super::cluster::CONDITION_TAINTS;
use super::pod_security::Level;
use super::preemption::Preemption;
use super::reason::{Reason, describe_taint};
use super::verdict::{Blocked, Pending, Verdict};
use crate::quantity::Amount;

/// One thing to do.
#[derive(Clone, PartialEq, Debug)]
pub struct Advice {
    /// What.
    pub action: Action,
    /// The nodes that it is about; empty where it is not about nodes.
    pub nodes: Vec<String>,
    /// Whether it alone would be enough for the pod to fit one of these nodes.
    pub is_enough: bool,
}

/// Something to do.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Let nodes take pods again.
    Uncordon,
    /// Tolerate a taint, or take it off.
    Tolerate {
        /// The taint.
        taint: Taint,
    },
    /// Mend a node's condition.
    Mend {
        /// The taint that stands for the condition.
        taint: String,
    },
    /// Make room on a node, or ask for less. The node is the one where the least is missing.
    Room {
        /// The resource.
        resource: String,
        /// What the pod requests.
        needed: Amount,
        /// What is free.
        free: Amount,
        /// What the node offers.
        allocatable: Amount,
    },
    /// Move pods off a full node, or let it run more.
    FewerPods {
        /// How many it may run.
        allowed: i64,
    },
    /// Label a node, or ask for less of its labels.
    Label {
        /// What is asked for.
        needed: String,
    },
    /// Let the scheduler evict pods of lower priority.
    Evict {
        /// The pods, as `namespace/name`.
        victims: Vec<String>,
    },
    /// Free a port of the node.
    FreePort {
        /// The port.
        port: i32,
        /// The pod that has it.
        by: String,
    },
    /// Give nodes the label that pods spread over.
    TopologyLabel {
        /// The label.
        topology_key: String,
    },
    /// Loosen a rule about pods near each other.
    Loosen {
        /// Which, in words.
        rule: String,
    },
    /// Take off scheduling gates.
    OpenGates {
        /// Their names.
        gates: Vec<String>,
    },
    /// Add nodes: there are none.
    AddNodes,
    /// Raise a quota.
    RaiseQuota {
        /// The quota.
        quota: String,
        /// The resource, as the quota calls it.
        resource: String,
        /// To how much at least.
        to: Amount,
    },
    /// Give amounts that a quota asks for; a LimitRange with defaults does it for all pods.
    GiveAmounts {
        /// The quota.
        quota: String,
        /// The resources, as the quota calls them.
        resources: Vec<String>,
    },
    /// Stay within the bounds of a limit range, or move them.
    StayInBounds {
        /// The limit range.
        range: String,
        /// The bound, in words.
        bound: String,
    },
    /// Let a namespace take less restricted pods.
    RelaxPodSecurity {
        /// The namespace.
        namespace: String,
        /// The level that would do.
        level: Level,
        /// What it would allow.
        for_what: String,
    },
    /// Make a priority class, or name another.
    PriorityClass {
        /// Its name.
        name: String,
    },
    /// Wait until a namespace is gone.
    WaitForNamespace {
        /// The namespace.
        namespace: String,
    },
}

impl Verdict {
    /// What to do so that all pods run: first what is enough alone.
    pub fn advice(&self) -> Vec<Advice> {
        let namespace = self.workload.split('/').nth(1).unwrap_or_default();
        let mut all: Vec<Advice> = Vec::new();
        for refusal in &self.refusals {
            all.extend(for_refusal(refusal, namespace).into_iter().map(|action| Advice {
                action,
                nodes: Vec::new(),
                is_enough: self.refusals.len() == 1 && self.pending.is_empty(),
            }));
        }
        for pending in &self.pending {
            for advice in for_pending(pending) {
                let same = all
                    .iter_mut()
                    .find(|known| known.action == advice.action && known.is_enough == advice.is_enough);
                match same {
                    Some(known) => known.nodes.extend(advice.nodes),
                    None => all.push(advice),
                }
            }
        }
        // Stable: what is enough comes first, and both halves keep their order.
        all.sort_by_key(|advice| !advice.is_enough);
        all
    }
}

fn for_pending(pending: &Pending) -> Vec<Advice> {
    let alone = |action| {
        vec![Advice {
            action,
            nodes: Vec::new(),
            is_enough: true,
        }]
    };
    match &pending.blocked {
        Some(Blocked::Gates(gates)) => return alone(Action::OpenGates { gates: gates.clone() }),
        Some(Blocked::NoNodes) => return alone(Action::AddNodes),
        Some(Blocked::AffinityConflict) => {
            return alone(Action::Loosen {
                rule: "terms of its node affinity that exclude each other".to_owned(),
            });
        }
        None => {}
    }
    let mut all: Vec<Advice> = Vec::new();
    if let Preemption::Possible { node, victims } = &pending.preemption {
        let action = Action::Evict {
            victims: victims.clone(),
        };
        all.push(Advice {
            action,
            nodes: vec![node.clone()],
            is_enough: true,
        });
    }
    let mut room: BTreeMap<String, (Amount, Advice)> = BTreeMap::new();
    for node in &pending.nodes {
        let reasons: Vec<&Reason> = node.all().collect();
        for reason in &reasons {
            let Some(action) = for_reason(reason) else {
                continue;
            };
            let advice = Advice {
                action,
                nodes: vec![node.node.clone()],
                is_enough: reasons.len() == 1,
            };
            if let Reason::Insufficient {
                resource,
                needed,
                free,
                ..
            } = reason
            {
                // Only the nearest node is worth telling.
                let lack = needed.minus(*free);
                let is_nearer = room
                    .get(resource)
                    .is_none_or(|(least, known)| (!advice.is_enough, lack) < (!known.is_enough, *least));
                if is_nearer {
                    room.insert(resource.clone(), (lack, advice));
                }
                continue;
            }
            let same = all
                .iter_mut()
                .find(|known| known.action == advice.action && known.is_enough == advice.is_enough);
            match same {
                Some(known) => known.nodes.extend(advice.nodes),
                None => all.push(advice),
            }
        }
    }
    all.extend(room.into_values().map(|(_, advice)| advice));
    all
}

fn for_reason(reason: &Reason) -> Option<Action> {
    Some(match reason {
        Reason::Cordoned => Action::Uncordon,
        Reason::Taint { taint, .. } => {
            let is_condition = CONDITION_TAINTS.iter().any(|(_, _, key)| *key == taint.key);
            if is_condition {
                Action::Mend {
                    taint: taint.key.clone(),
                }
            } else {
                Action::Tolerate { taint: taint.clone() }
            }
        }
        Reason::Affinity { needed, .. } => Action::Label {
            needed: needed.clone(),
        },
        Reason::PortTaken { port, by, .. } => Action::FreePort {
            port: *port,
            by: by.clone(),
        },
        Reason::TooManyPods { allowed, .. } => Action::FewerPods { allowed: *allowed },
        Reason::Insufficient {
            resource,
            needed,
            free,
            allocatable,
        } => Action::Room {
            resource: resource.clone(),
            needed: *needed,
            free: *free,
            allocatable: *allocatable,
        },
        Reason::NoTopologyLabel { topology_key } => Action::TopologyLabel {
            topology_key: topology_key.clone(),
        },
        Reason::TopologySpread {
            topology_key,
            max_skew,
            ..
        } => Action::Loosen {
            rule: format!("its topology spread constraint over {topology_key} (maxSkew {max_skew})"),
        },
        Reason::PodAffinity { topology_key } => Action::Loosen {
            rule: format!("its required pod affinity over {topology_key}"),
        },
        Reason::PodAntiAffinity { topology_key, pod } => Action::Loosen {
            rule: format!("its required pod anti-affinity over {topology_key}, because of {pod}"),
        },
        Reason::ExistingAntiAffinity { topology_key, pod } => Action::Loosen {
            rule: format!("the required pod anti-affinity of {pod} over {topology_key}"),
        },
        Reason::OtherNode { .. } | Reason::NotNamed => return None,
    })
}

fn for_refusal(refusal: &Refusal, namespace: &str) -> Vec<Action> {
    match refusal {
        Refusal::NamespaceTerminating { namespace } => {
            vec![Action::WaitForNamespace {
                namespace: namespace.clone(),
            }]
        }
        Refusal::NoPriorityClass { name } => vec![Action::PriorityClass { name: name.clone() }],
        Refusal::LimitRange { name, violations } => {
            let mut actions: Vec<Action> = Vec::new();
            for violation in violations {
                let (resource, value) = (&violation.resource, violation.value);
                let bound = match (violation.bound, violation.actual) {
                    (Bound::Min, Some(Actual::Request(actual) | Actual::Limit(actual))) => {
                        format!("at least {value} of {resource}, not {actual}")
                    }
                    (Bound::Max, Some(Actual::Request(actual) | Actual::Limit(actual))) => {
                        format!("at most {value} of {resource}, not {actual}")
                    }
                    (Bound::Min, _) => format!("a request for at least {value} of {resource}"),
                    (Bound::Max, _) => format!("a limit of at most {value} of {resource}"),
                    (Bound::Ratio, _) => {
                        format!("a limit of {resource} that is at most {value} times the request")
                    }
                };
                let action = Action::StayInBounds {
                    range: name.clone(),
                    bound,
                };
                if !actions.contains(&action) {
                    actions.push(action);
                }
            }
            actions
        }
        Refusal::PodSecurity {
            violations,
            allowed_by,
            ..
        } => vec![Action::RelaxPodSecurity {
            namespace: namespace.to_owned(),
            level: *allowed_by,
            for_what: violations
                .iter()
                .map(|violation| violation.reason)
                .collect::<Vec<_>>()
                .join(", "),
        }],
        Refusal::QuotaNeeds { quota, missing } => vec![Action::GiveAmounts {
            quota: quota.clone(),
            resources: missing.iter().map(|(resource, _)| resource.clone()).collect(),
        }],
        Refusal::QuotaExceeded { quota, exceeded, .. } => exceeded
            .iter()
            .map(|excess| Action::RaiseQuota {
                quota: quota.clone(),
                resource: excess.resource.clone(),
                to: excess.used.plus(excess.wanted),
            })
            .collect(),
    }
}

impl Advice {
    /// What to add to the pod, in YAML, if that is a way.
    pub fn yaml(&self) -> Option<String> {
        let Action::Tolerate { taint } = &self.action else {
            return None;
        };
        let value = taint.value.as_deref().filter(|value| !value.is_empty());
        let how = match value {
            Some(value) => format!("  operator: Equal\n  value: \"{value}\"\n"),
            None => "  operator: Exists\n".to_owned(),
        };
        Some(format!(
            "tolerations:\n- key: {}\n{how}  effect: {}\n",
            taint.key, taint.effect
        ))
    }

    /// A command that does it, if there is one.
    pub fn command(&self) -> Option<String> {
        let nodes = self.nodes.join(" ");
        match &self.action {
            Action::Uncordon => Some(format!("kubectl uncordon {nodes}")),
            Action::Tolerate { taint } => Some(format!(
                "kubectl taint node {nodes} {}:{}-",
                taint.key, taint.effect
            )),
            Action::RelaxPodSecurity { namespace, level, .. } => Some(format!(
                "kubectl label namespace {namespace} {}={level} --overwrite",
                super::pod_security::ENFORCE_LABEL
            )),
            _ => None,
        }
    }
}

/// What to do about a condition that keeps pods off.
fn mend(taint: &str) -> &'static str {
    match taint.rsplit('/').next().unwrap_or_default() {
        "not-ready" => "see why the kubelet is not ready (`kubectl describe node`)",
        "unreachable" => "bring the kubelet back: it no longer reports",
        "memory-pressure" => "free memory, which the node runs out of",
        "disk-pressure" => "free disk space, for instance of unused images and logs",
        "pid-pressure" => "end processes: the node runs out of process ids",
        _ => "set up the node's network",
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = match self.nodes.as_slice() {
            [] => String::new(),
            [one] => format!("node {one}"),
            several => format!("nodes {}", several.join(", ")),
        };
        match &self.action {
            Action::Uncordon => write!(f, "uncordon {nodes}")?,
            Action::Tolerate { taint } => {
                write!(
                    f,
                    "tolerate the taint {} of {nodes}, or take it off",
                    describe_taint(taint)
                )?;
            }
            Action::Mend { taint } => write!(f, "{nodes}: {}", mend(taint))?,
            Action::Room {
                resource,
                needed,
                free,
                allocatable,
            } => {
                let lack = needed.minus(*free);
                write!(
                    f,
                    "{nodes} lacks {} of {resource} for {}: ",
                    lack.short(),
                    needed.short()
                )?;
                if needed > allocatable {
                    write!(f, "it only has {}, so take a larger node", allocatable.short())?;
                } else {
                    write!(f, "free as much")?;
                }
                if *free > Amount::ZERO {
                    write!(f, ", or request at most {}", free.short())?;
                }
            }
            Action::FewerPods { allowed } => {
                write!(
                    f,
                    "move pods off {nodes}, or let its kubelet run more than {allowed}"
                )?;
            }
            Action::Label { needed } => write!(f, "give {nodes} {needed}, or do not ask for it")?,
            Action::Evict { victims } => {
                write!(
                    f,
                    "let the scheduler evict {} from {nodes}, as it will",
                    victims.join(", ")
                )?;
            }
            Action::FreePort { port, by } => write!(f, "free port {port} of {nodes}, which {by} has")?,
            Action::TopologyLabel { topology_key } => write!(f, "give {nodes} the label {topology_key}")?,
            Action::Loosen { rule } => write!(f, "loosen {rule}")?,
            Action::OpenGates { gates } => write!(f, "take off the scheduling gates {}", gates.join(", "))?,
            Action::AddNodes => write!(f, "add nodes: the cluster has none")?,
            Action::RaiseQuota { quota, resource, to } => {
                write!(f, "raise {resource} of quota {quota} to at least {to}")?;
            }
            Action::GiveAmounts { quota, resources } => write!(
                f,
                "give {} of every container, as quota {quota} asks, or add a LimitRange with defaults",
                resources.join(", ")
            )?,
            Action::StayInBounds { range, bound } => write!(f, "limit range {range} wants {bound}")?,
            Action::RelaxPodSecurity {
                namespace,
                level,
                for_what,
            } => {
                write!(
                    f,
                    "let namespace {namespace} run {level} pods, because of: {for_what}"
                )?;
            }
            Action::PriorityClass { name } => {
                write!(f, "create the PriorityClass {name}, or name one that exists")?;
            }
            Action::WaitForNamespace { namespace } => {
                write!(f, "wait until the namespace {namespace} is gone, or take another")?;
            }
        }
        if !self.is_enough && !self.nodes.is_empty() {
            write!(f, " (this alone is not enough)")?;
        }
        Ok(())
    }
}
