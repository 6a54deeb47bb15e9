//! What the API server makes of a workload's pods before the scheduler sees them: defaults, and refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use mesh_core::Labels;
use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, Container, LimitRange, LimitRangeItem, Pod, PodAffinityTerm, PodSpec, ResourceQuota, Taint,
    Toleration,
};
use mesh_core::k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::cluster::{Cluster, tolerates};
use super::pod_security::{self, Level, Policy, Violation};
use super::resources::{
    Resources, aggregate_requests, container_limits, container_requests, held_requests, is_pod_level,
    pod_limits, pod_requests,
};
use super::{Workload, WorkloadKind};
use crate::quantity::Amount;

/// Why the API server would refuse a workload or its pods. Its text is the server's, after `is forbidden: `.
#[derive(Clone, PartialEq, Debug)]
pub enum Refusal {
    /// The namespace is being deleted.
    NamespaceTerminating {
        /// The namespace.
        namespace: String,
    },
    /// The pod's priority class does not exist.
    NoPriorityClass {
        /// The class.
        name: String,
    },
    /// A limit range has bounds that the pod is outside of.
    LimitRange {
        /// The limit range.
        name: String,
        /// The bounds.
        violations: Vec<OutOfBounds>,
    },
    /// The namespace's Pod Security Standard forbids the pod.
    PodSecurity {
        /// What the namespace enforces.
        policy: Policy,
        /// What the pod does that is not allowed.
        violations: Vec<Violation>,
        /// The strictest level that allows it.
        allowed_by: Level,
    },
    /// A quota of CPU or memory wants every container to say how much it needs.
    QuotaNeeds {
        /// The quota.
        quota: String,
        /// Resources as the quota calls them, and the containers that do not give them.
        missing: Vec<(String, Vec<String>)>,
    },
    /// A quota is used up.
    QuotaExceeded {
        /// The quota.
        quota: String,
        /// What exceeds it.
        exceeded: Vec<Excess>,
        /// How many pods are admitted before this happens.
        admitted: usize,
    },
}

/// A value outside of a limit range.
#[derive(Clone, PartialEq, Debug)]
pub struct OutOfBounds {
    /// `Container` or `Pod`.
    pub scope: String,
    /// The resource.
    pub resource: String,
    /// Which bound.
    pub bound: Bound,
    /// Its value.
    pub value: Amount,
    /// What the pod has instead; `None` if it says nothing.
    pub actual: Option<Actual>,
}

/// A kind of bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// The least.
    Min,
    /// The most.
    Max,
    /// The largest ratio of limit to request.
    Ratio,
}

/// What is outside of a bound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Actual {
    /// The request.
    Request(Amount),
    /// The limit.
    Limit(Amount),
    /// Limit divided by request.
    Ratio(f64),
}

/// What would exceed a quota.
#[derive(Clone, PartialEq, Debug)]
pub struct Excess {
    /// The resource, as the quota calls it.
    pub resource: String,
    /// What one more pod adds.
    pub requested: Amount,
    /// What is used already.
    pub used: Amount,
    /// What may be used.
    pub hard: Amount,
    /// What all pods of the workload add.
    pub wanted: Amount,
}

/// Makes a pod of the workload's template, with all defaults, and says what forbids the workload whatever it needs.
pub(super) fn admit_workload(cluster: &mut Cluster<'_>, workload: &Workload) -> (Pod, Vec<Refusal>) {
    let (pod, mut refusals) = make_pod(cluster, workload);
    let namespace = &workload.namespace;
    let is_terminating = cluster.snapshot.namespaces.iter().any(|candidate| {
        candidate.metadata.name.as_ref() == Some(namespace) && candidate.metadata.deletion_timestamp.is_some()
    });
    if is_terminating {
        refusals.insert(
            0,
            Refusal::NamespaceTerminating {
                namespace: namespace.clone(),
            },
        );
    }
    let kinds: &[&str] = match workload.kind {
        WorkloadKind::Deployment { .. } => &["count/deployments.apps", "count/replicasets.apps"],
        WorkloadKind::DaemonSet => &["count/daemonsets.apps"],
    };
    let mut usage = Resources::default();
    for kind in kinds {
        usage.set(*kind, Amount::units(1));
    }
    for quota in quotas(cluster, namespace) {
        if quota
            .spec
            .as_ref()
            .is_some_and(|spec| spec.scopes.is_some() || spec.scope_selector.is_some())
        {
            continue; // Scopes select pods.
        }
        refusals.extend(charge(cluster, quota, &usage, 1));
    }
    (pod, refusals)
}

/// Says why `count` pods like this would be refused, and charges quotas with those that are not.
pub(super) fn admit_pods(cluster: &mut Cluster<'_>, pod: &Pod, count: usize) -> Vec<Refusal> {
    static NO_SPEC: std::sync::LazyLock<PodSpec> = std::sync::LazyLock::new(PodSpec::default);
    if count == 0 {
        return Vec::new();
    }
    let spec = pod.spec.as_ref().unwrap_or(&NO_SPEC);
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let mut refusals = Vec::new();
    for range in limit_ranges(cluster, &namespace) {
        let items = range.spec.iter().flat_map(|range| &range.limits);
        let violations: Vec<OutOfBounds> = items.flat_map(|item| out_of_bounds(item, spec)).collect();
        if !violations.is_empty() {
            let name = range.metadata.name.clone().unwrap_or_default();
            refusals.push(Refusal::LimitRange { name, violations });
        }
    }
    let policy = Policy::of(cluster.namespace_labels(&namespace));
    let server = cluster.snapshot.kubernetes;
    let violations = pod_security::evaluate(policy, server, &pod.metadata, spec);
    if !violations.is_empty() {
        let allowed_by = pod_security::strictest(policy.version, server, &pod.metadata, spec);
        refusals.push(Refusal::PodSecurity {
            policy,
            violations,
            allowed_by,
        });
    }
    let usage = pod_usage(&pod_requests(spec), &pod_limits(spec));
    for quota in quotas(cluster, &namespace) {
        let relevant: BTreeSet<String> = hard(quota)
            .iter()
            .map(|(name, _)| name.to_owned())
            .filter(|name| counts_pods(name))
            .collect();
        if relevant.is_empty() || !in_scope(quota, spec) {
            continue;
        }
        let missing = missing_amounts(spec, &relevant);
        if missing.is_empty() {
            refusals.extend(charge(cluster, quota, &usage, count));
        } else {
            let quota = quota.metadata.name.clone().unwrap_or_default();
            refusals.push(Refusal::QuotaNeeds { quota, missing });
        }
    }
    refusals
}

// ---- the pod, with defaults

fn make_pod(cluster: &Cluster<'_>, workload: &Workload) -> (Pod, Vec<Refusal>) {
    let mut metadata = workload.template.metadata.clone().unwrap_or_default();
    metadata.namespace = Some(workload.namespace.clone());
    metadata.name = Some(workload.name.clone());
    let labels = metadata.labels.get_or_insert_default();
    // The controllers add a label whose value no other pod has.
    let (hash, pod_tolerations): (_, &[(&str, &str)]) = match workload.kind {
        WorkloadKind::Deployment { .. } => ("pod-template-hash", &[]),
        WorkloadKind::DaemonSet => ("controller-revision-hash", &DAEMON_TOLERATIONS),
    };
    labels.entry(hash.to_owned()).or_insert_with(|| "new".to_owned());

    let mut spec = workload.template.spec.clone().unwrap_or_default();
    let host_network = spec.host_network == Some(true);
    for container in containers_mut(&mut spec) {
        default_container(container, host_network);
    }
    default_pod_requests(&mut spec);
    for range in limit_ranges(cluster, &workload.namespace) {
        for item in range.spec.iter().flat_map(|range| &range.limits) {
            default_from_range(&mut spec, item);
        }
    }
    merge_label_keys(&mut spec, labels);

    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in pod_tolerations {
        tolerations.push(exists(key, effect));
    }
    if workload.kind == WorkloadKind::DaemonSet && host_network {
        tolerations.push(exists("node.kubernetes.io/network-unavailable", "NoSchedule"));
    }
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let toleration = exists(key, "NoExecute");
        let taint = Taint {
            key: key.to_owned(),
            effect: "NoExecute".to_owned(),
            ..Taint::default()
        };
        if !tolerations.iter().any(|existing| tolerates(existing, &taint)) {
            tolerations.push(Toleration {
                toleration_seconds: Some(300),
                ..toleration
            });
        }
    }
    let refusal = resolve_priority(cluster, &mut spec);
    let pod = Pod {
        metadata,
        spec: Some(spec),
        status: None,
    };
    (pod, refusal.into_iter().collect())
}

/// What the DaemonSet controller lets its pods tolerate.
const DAEMON_TOLERATIONS: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

fn exists(key: &str, effect: &str) -> Toleration {
    Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some(effect.to_owned()),
        ..Toleration::default()
    }
}

fn containers_mut(spec: &mut PodSpec) -> impl Iterator<Item = &mut Container> {
    spec.init_containers
        .iter_mut()
        .flatten()
        .chain(&mut spec.containers)
}

/// Requests default to limits, and with the host's network, ports of the host to those of the container.
fn default_container(container: &mut Container, host_network: bool) {
    if let Some(resources) = &mut container.resources
        && let Some(limits) = resources.limits.clone()
    {
        fill(resources.requests.get_or_insert_default(), &limits);
    }
    if host_network {
        for port in container.ports.iter_mut().flatten() {
            if port.host_port.is_none_or(|port| port == 0) {
                port.host_port = Some(port.container_port);
            }
        }
    }
}

fn fill(into: &mut BTreeMap<String, Quantity>, defaults: &BTreeMap<String, Quantity>) {
    for (name, quantity) in defaults {
        into.entry(name.clone()).or_insert_with(|| quantity.clone());
    }
}

/// Requests of a whole pod that has limits default to the sum of its containers', or else to its limits.
fn default_pod_requests(spec: &mut PodSpec) {
    let containers = aggregate_requests(spec);
    let Some(resources) = &mut spec.resources else {
        return;
    };
    let Some(limits) = resources.limits.clone().filter(|limits| !limits.is_empty()) else {
        return;
    };
    let requests = resources.requests.get_or_insert_default();
    for (name, amount) in containers
        .iter()
        .filter(|(name, _)| matches!(*name, "cpu" | "memory"))
    {
        requests.entry(name.to_owned()).or_insert_with(|| amount.into());
    }
    for (name, limit) in limits.iter().filter(|(name, _)| is_pod_level(name)) {
        requests.entry(name.clone()).or_insert_with(|| limit.clone());
    }
}

fn default_from_range(spec: &mut PodSpec, item: &LimitRangeItem) {
    if item.type_ != "Container" {
        return;
    }
    let mut limits = item.default.clone().unwrap_or_default();
    fill(&mut limits, item.max.as_ref().unwrap_or(&BTreeMap::new()));
    let mut requests = item.default_request.clone().unwrap_or_default();
    fill(&mut requests, &limits);
    fill(&mut requests, item.min.as_ref().unwrap_or(&BTreeMap::new()));
    for container in containers_mut(spec) {
        let resources = container.resources.get_or_insert_default();
        fill(resources.limits.get_or_insert_default(), &limits);
        fill(resources.requests.get_or_insert_default(), &requests);
    }
}

/// Puts the values of the pod's own labels into the selectors that name only the keys.
fn merge_label_keys(spec: &mut PodSpec, labels: &Labels) {
    for constraint in spec.topology_spread_constraints.iter_mut().flatten() {
        let keys = constraint.match_label_keys.as_deref();
        merge_keys(&mut constraint.label_selector, keys, "In", labels);
    }
    let Some(Affinity {
        pod_affinity,
        pod_anti_affinity,
        ..
    }) = &mut spec.affinity
    else {
        return;
    };
    let affinity = pod_affinity.iter_mut().filter_map(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_mut()
    });
    let anti_affinity = pod_anti_affinity.iter_mut().filter_map(|affinity| {
        affinity
            .required_during_scheduling_ignored_during_execution
            .as_mut()
    });
    for PodAffinityTerm {
        label_selector,
        match_label_keys,
        mismatch_label_keys,
        ..
    } in affinity.chain(anti_affinity).flatten()
    {
        merge_keys(label_selector, match_label_keys.as_deref(), "In", labels);
        merge_keys(label_selector, mismatch_label_keys.as_deref(), "NotIn", labels);
    }
}

fn merge_keys(
    selector: &mut Option<LabelSelector>,
    keys: Option<&[String]>,
    operator: &str,
    labels: &Labels,
) {
    let Some(selector) = selector else { return };
    for key in keys.unwrap_or_default() {
        if let Some(value) = labels.get(key) {
            selector
                .match_expressions
                .get_or_insert_default()
                .push(LabelSelectorRequirement {
                    key: key.clone(),
                    operator: operator.to_owned(),
                    values: Some(vec![value.clone()]),
                });
        }
    }
}

/// Sets priority and preemption policy from the pod's class, or from the class for pods that name none.
fn resolve_priority(cluster: &Cluster<'_>, spec: &mut PodSpec) -> Option<Refusal> {
    let classes = &cluster.snapshot.priority_classes;
    let name = spec.priority_class_name.clone().filter(|name| !name.is_empty());
    let class = match &name {
        Some(name) => classes
            .iter()
            .find(|class| class.metadata.name.as_ref() == Some(name)),
        None => classes
            .iter()
            .filter(|class| class.global_default == Some(true))
            .min_by_key(|class| class.value),
    };
    if let Some(class) = class {
        spec.priority = class.value;
        spec.priority_class_name.clone_from(&class.metadata.name);
        spec.preemption_policy = spec
            .preemption_policy
            .take()
            .or_else(|| class.preemption_policy.clone());
        return None;
    }
    spec.priority = Some(match name.as_deref() {
        Some("system-cluster-critical") => 2_000_000_000,
        Some("system-node-critical") => 2_000_001_000,
        None => 0,
        Some(name) => {
            return Some(Refusal::NoPriorityClass {
                name: name.to_owned(),
            });
        }
    });
    None
}

// ---- limit ranges

/// The limit ranges of a namespace, by name.
fn limit_ranges<'a>(cluster: &Cluster<'a>, namespace: &str) -> Vec<&'a LimitRange> {
    let ranges = cluster.snapshot.limit_ranges.iter();
    let mut ranges: Vec<_> = ranges
        .filter(|range| range.metadata.namespace.as_deref() == Some(namespace))
        .collect();
    ranges.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    ranges
}

fn out_of_bounds(item: &LimitRangeItem, spec: &PodSpec) -> Vec<OutOfBounds> {
    let mut found = Vec::new();
    match item.type_.as_str() {
        "Container" => {
            for container in spec
                .containers
                .iter()
                .chain(spec.init_containers.iter().flatten())
            {
                compare(
                    item,
                    &container_requests(container),
                    &container_limits(container),
                    &mut found,
                );
            }
        }
        "Pod" => compare(item, &pod_requests(spec), &pod_limits(spec), &mut found),
        _ => {}
    }
    found
}

fn compare(item: &LimitRangeItem, requests: &Resources, limits: &Resources, found: &mut Vec<OutOfBounds>) {
    let mut report = |resource: &str, bound, value, actual| {
        let (scope, resource) = (item.type_.clone(), resource.to_owned());
        found.push(OutOfBounds {
            scope,
            resource,
            bound,
            value,
            actual,
        });
    };
    for (resource, least) in Resources::of(item.min.as_ref()).iter() {
        match (requests.get(resource), limits.get(resource)) {
            (None, _) => report(resource, Bound::Min, least, None),
            (Some(request), _) if request < least => {
                report(resource, Bound::Min, least, Some(Actual::Request(request)));
            }
            (_, Some(limit)) if limit < least => {
                report(resource, Bound::Min, least, Some(Actual::Limit(limit)));
            }
            _ => {}
        }
    }
    for (resource, most) in Resources::of(item.max.as_ref()).iter() {
        match (requests.get(resource), limits.get(resource)) {
            (_, None) => report(resource, Bound::Max, most, None),
            (_, Some(limit)) if limit > most => {
                report(resource, Bound::Max, most, Some(Actual::Limit(limit)));
            }
            (Some(request), _) if request > most => {
                report(resource, Bound::Max, most, Some(Actual::Request(request)));
            }
            _ => {}
        }
    }
    for (resource, most) in Resources::of(item.max_limit_request_ratio.as_ref()).iter() {
        let positive = |amount: Option<Amount>| amount.filter(|amount| !amount.is_zero());
        match (positive(requests.get(resource)), positive(limits.get(resource))) {
            (None, _) => report(resource, Bound::Ratio, most, Some(Actual::Request(Amount::ZERO))),
            (_, None) => report(resource, Bound::Ratio, most, Some(Actual::Limit(Amount::ZERO))),
            (Some(request), Some(limit)) => {
                let ratio = limit.ratio(request);
                if ratio > most.ratio(Amount::units(1)) {
                    report(resource, Bound::Ratio, most, Some(Actual::Ratio(ratio)));
                }
            }
        }
    }
}

// ---- quotas

fn quotas<'a>(cluster: &Cluster<'a>, namespace: &str) -> Vec<&'a ResourceQuota> {
    let quotas = cluster.snapshot.quotas.iter();
    let mut quotas: Vec<_> = quotas
        .filter(|quota| quota.metadata.namespace.as_deref() == Some(namespace))
        .collect();
    quotas.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
    quotas
}

fn hard(quota: &ResourceQuota) -> Resources {
    let status = quota.status.as_ref().and_then(|status| status.hard.as_ref());
    Resources::of(status.or_else(|| quota.spec.as_ref().and_then(|spec| spec.hard.as_ref())))
}

/// Whether a quota of this name is charged for pods.
fn counts_pods(name: &str) -> bool {
    matches!(
        name,
        "cpu"
            | "memory"
            | "ephemeral-storage"
            | "pods"
            | "count/pods"
            | "requests.cpu"
            | "requests.memory"
            | "requests.ephemeral-storage"
            | "limits.cpu"
            | "limits.memory"
            | "limits.ephemeral-storage"
    ) || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
        || name
            .strip_prefix("requests.")
            .is_some_and(|name| name.contains('/'))
}

/// What a pod is charged with.
fn pod_usage(requests: &Resources, limits: &Resources) -> Resources {
    let mut usage = amounts_for_quota(requests, limits);
    usage.set("pods", Amount::units(1));
    usage.set("count/pods", Amount::units(1));
    usage
}

/// Requests and limits under the names that quotas have for them.
fn amounts_for_quota(requests: &Resources, limits: &Resources) -> Resources {
    let mut usage = Resources::default();
    for (name, amount) in requests.iter() {
        if matches!(name, "cpu" | "memory" | "ephemeral-storage") || name.starts_with("hugepages-") {
            usage.set(name, amount);
            usage.set(format!("requests.{name}"), amount);
        } else if name.contains('/') {
            usage.set(format!("requests.{name}"), amount);
        }
    }
    for (name, amount) in limits.iter() {
        if matches!(name, "cpu" | "memory" | "ephemeral-storage") {
            usage.set(format!("limits.{name}"), amount);
        }
    }
    usage
}

/// Quotas of CPU and memory want each container to give the amount, unless the pod as a whole does.
fn missing_amounts(spec: &PodSpec, quota: &BTreeSet<String>) -> Vec<(String, Vec<String>)> {
    let whole = spec.resources.as_ref();
    if whole.is_some_and(|whole| {
        let named = |amounts: &Option<BTreeMap<String, Quantity>>| {
            amounts.iter().flatten().any(|(name, _)| is_pod_level(name))
        };
        named(&whole.requests) || named(&whole.limits)
    }) {
        return Vec::new();
    }
    let required = [
        "cpu",
        "limits.cpu",
        "limits.memory",
        "memory",
        "requests.cpu",
        "requests.memory",
    ];
    let mut missing = Vec::new();
    for name in required.into_iter().filter(|name| quota.contains(*name)) {
        let containers = spec
            .containers
            .iter()
            .chain(spec.init_containers.iter().flatten());
        let mut without: Vec<String> = containers
            .filter(|container| {
                let usage = amounts_for_quota(&container_requests(container), &container_limits(container));
                usage.get(name).is_none()
            })
            .map(|container| container.name.clone())
            .collect();
        without.sort();
        if !without.is_empty() {
            missing.push((name.to_owned(), without));
        }
    }
    missing
}

/// Whether a quota is about pods like this.
fn in_scope(quota: &ResourceQuota, spec: &PodSpec) -> bool {
    let quota = quota.spec.as_ref();
    let scopes = quota
        .and_then(|quota| quota.scopes.as_ref())
        .into_iter()
        .flatten();
    let selector = quota.and_then(|quota| quota.scope_selector.as_ref());
    let expressions = selector
        .and_then(|selector| selector.match_expressions.as_ref())
        .into_iter()
        .flatten();
    let scopes = scopes.map(|name| (name.as_str(), "Exists", [].as_slice()));
    let expressions = expressions.map(|expression| {
        let values = expression.values.as_deref().unwrap_or_default();
        (
            expression.scope_name.as_str(),
            expression.operator.as_str(),
            values,
        )
    });
    scopes
        .chain(expressions)
        .all(|(name, operator, values)| match name {
            "Terminating" => spec.active_deadline_seconds.is_some(),
            "NotTerminating" => spec.active_deadline_seconds.is_none(),
            "BestEffort" => is_best_effort(spec),
            "NotBestEffort" => !is_best_effort(spec),
            "CrossNamespacePodAffinity" => looks_into_other_namespaces(spec),
            "PriorityClass" => {
                let class = spec
                    .priority_class_name
                    .as_ref()
                    .filter(|class| !class.is_empty());
                match operator {
                    "Exists" => class.is_some(),
                    "DoesNotExist" => class.is_none(),
                    "In" => class.is_some_and(|class| values.contains(class)),
                    "NotIn" => class.is_none_or(|class| !values.contains(class)),
                    _ => false,
                }
            }
            _ => false,
        })
}

/// Whether nothing of the pod asks for CPU or memory.
fn is_best_effort(spec: &PodSpec) -> bool {
    let whole = spec.resources.as_ref();
    let mut amounts = vec![
        Resources::of(whole.and_then(|whole| whole.requests.as_ref())),
        Resources::of(whole.and_then(|whole| whole.limits.as_ref())),
    ];
    for container in spec
        .containers
        .iter()
        .chain(spec.init_containers.iter().flatten())
    {
        amounts.extend([container_requests(container), container_limits(container)]);
    }
    let positive = |amounts: &Resources, name| amounts.get(name).is_some_and(|amount| amount > Amount::ZERO);
    !amounts
        .iter()
        .any(|amounts| positive(amounts, "cpu") || positive(amounts, "memory"))
}

fn looks_into_other_namespaces(spec: &PodSpec) -> bool {
    let Some(affinity) = &spec.affinity else {
        return false;
    };
    let mut terms: Vec<&PodAffinityTerm> = Vec::new();
    if let Some(near) = &affinity.pod_affinity {
        terms.extend(
            near.required_during_scheduling_ignored_during_execution
                .iter()
                .flatten(),
        );
        let preferred = near
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        terms.extend(preferred.map(|weighted| &weighted.pod_affinity_term));
    }
    if let Some(far) = &affinity.pod_anti_affinity {
        terms.extend(
            far.required_during_scheduling_ignored_during_execution
                .iter()
                .flatten(),
        );
        let preferred = far
            .preferred_during_scheduling_ignored_during_execution
            .iter()
            .flatten();
        terms.extend(preferred.map(|weighted| &weighted.pod_affinity_term));
    }
    terms.iter().any(|term| {
        term.namespace_selector.is_some() || term.namespaces.as_ref().is_some_and(|names| !names.is_empty())
    })
}

/// Charges a quota with as many of `count` pods as it has room for; says if not for all.
fn charge(
    cluster: &mut Cluster<'_>,
    quota: &ResourceQuota,
    usage: &Resources,
    count: usize,
) -> Option<Refusal> {
    let name = quota.metadata.name.clone().unwrap_or_default();
    let key = (quota.metadata.namespace.clone().unwrap_or_default(), name.clone());
    let hard = hard(quota);
    let mut used = match cluster.quota_used.get(&key) {
        Some(used) => used.clone(),
        None => used_so_far(cluster, quota),
    };
    let mut refusal = None;
    for admitted in 0..count {
        let excess: Vec<Excess> = hard
            .iter()
            .filter_map(|(resource, hard)| {
                let requested = usage.get(resource).filter(|requested| !requested.is_zero())?;
                let before = used.get(resource).unwrap_or_default();
                let rest = i64::try_from(count - admitted).unwrap_or(i64::MAX);
                (before.plus(requested) > hard).then(|| Excess {
                    resource: resource.to_owned(),
                    requested,
                    used: before,
                    hard,
                    wanted: requested.times(rest),
                })
            })
            .collect();
        if !excess.is_empty() {
            refusal = Some(Refusal::QuotaExceeded {
                quota: name,
                exceeded: excess,
                admitted,
            });
            break;
        }
        used.add(usage);
    }
    cluster.quota_used.insert(key, used);
    refusal
}

/// What a quota says is used, or what the pods of its namespace use, if it says nothing yet.
fn used_so_far(cluster: &Cluster<'_>, quota: &ResourceQuota) -> Resources {
    if let Some(used) = quota.status.as_ref().and_then(|status| status.used.as_ref()) {
        return Resources::of(Some(used));
    }
    let mut used = Resources::default();
    let pods = cluster.snapshot.pods.iter();
    for pod in pods.filter(|pod| pod.metadata.namespace == quota.metadata.namespace) {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let Some(spec) = pod.spec.as_ref().filter(|spec| in_scope(quota, spec)) else {
            continue;
        };
        if matches!(phase, Some("Succeeded" | "Failed")) {
            let mut object = Resources::default();
            object.set("count/pods", Amount::units(1));
            used.add(&object);
        } else {
            used.add(&pod_usage(&held_requests(pod), &pod_limits(spec)));
        }
    }
    used
}

// ---- texts

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NamespaceTerminating { namespace } => write!(
                f,
                "unable to create new content in namespace {namespace} because it is being terminated"
            ),
            Self::NoPriorityClass { name } => write!(f, "no PriorityClass with name {name} was found"),
            Self::LimitRange { violations, .. } => {
                // Containers that are alike complain once.
                let mut texts: Vec<String> = Vec::new();
                for text in violations.iter().map(ToString::to_string) {
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                match texts.as_slice() {
                    [text] => f.write_str(text),
                    texts => write!(f, "[{}]", texts.join(", ")),
                }
            }
            Self::PodSecurity {
                policy, violations, ..
            } => {
                let texts: Vec<String> = violations.iter().map(ToString::to_string).collect();
                write!(f, "violates PodSecurity \"{policy}\": {}", texts.join(", "))
            }
            Self::QuotaNeeds { quota, missing } => {
                let texts: Vec<String> = missing
                    .iter()
                    .map(|(resource, containers)| format!("{resource} for: {}", containers.join(",")))
                    .collect();
                write!(f, "failed quota: {quota}: must specify {}", texts.join("; "))
            }
            Self::QuotaExceeded { quota, exceeded, .. } => {
                let list = |amount: fn(&Excess) -> Amount| {
                    let pairs = exceeded
                        .iter()
                        .map(|excess| format!("{}={}", excess.resource, amount(excess)));
                    pairs.collect::<Vec<_>>().join(",")
                };
                write!(
                    f,
                    "exceeded quota: {quota}, requested: {}, used: {}, limited: {}",
                    list(|excess| excess.requested),
                    list(|excess| excess.used),
                    list(|excess| excess.hard)
                )
            }
        }
    }
}

impl fmt::Display for OutOfBounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scope,
            resource,
            bound,
            value,
            actual,
        } = self;
        match bound {
            Bound::Min => write!(f, "minimum {resource} usage per {scope} is {value}")?,
            Bound::Max => write!(f, "maximum {resource} usage per {scope} is {value}")?,
            Bound::Ratio => write!(f, "{resource} max limit to request ratio per {scope} is {value}")?,
        }
        match (bound, actual) {
            (Bound::Min, None) => write!(f, ".  No request is specified"),
            (Bound::Max | Bound::Ratio, None) => write!(f, ".  No limit is specified"),
            (Bound::Ratio, Some(Actual::Request(_))) => {
                write!(f, ", but no request is specified or request is 0")
            }
            (Bound::Ratio, Some(Actual::Limit(_))) => write!(f, ", but no limit is specified or limit is 0"),
            (_, Some(Actual::Request(request))) => write!(f, ", but request is {request}"),
            (_, Some(Actual::Limit(limit))) => write!(f, ", but limit is {limit}"),
            (_, Some(Actual::Ratio(ratio))) => write!(f, ", but provided ratio is {ratio:.6}"),
        }
    }
}
