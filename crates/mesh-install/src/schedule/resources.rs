//! What pods ask of a node, and what a node has.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec};
use mesh_core::k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use crate::quantity::Amount;

/// Amounts by the name of the resource (`cpu`, `memory`, `ephemeral-storage`, `nvidia.com/gpu`, …).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resources(BTreeMap<String, Amount>);

impl Resources {
    /// The amounts of an object's field. One that cannot be read counts as nothing: no API server lets it pass.
    pub fn of(quantities: Option<&BTreeMap<String, Quantity>>) -> Self {
        let quantities = quantities.into_iter().flatten();
        Self(
            quantities
                .map(|(name, quantity)| (name.clone(), Amount::try_from(quantity).unwrap_or_default()))
                .collect(),
        )
    }

    /// The amount of one resource, if it is named.
    pub fn get(&self, name: &str) -> Option<Amount> {
        self.0.get(name).copied()
    }

    /// All amounts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Amount)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// Sets one amount.
    pub fn set(&mut self, name: impl Into<String>, amount: Amount) {
        self.0.insert(name.into(), amount);
    }

    /// Adds every amount of `other`.
    pub fn add(&mut self, other: &Self) {
        for (name, amount) in other.iter() {
            let sum = self.get(name).unwrap_or_default().plus(amount);
            self.set(name, sum);
        }
    }

    /// Raises every amount to that of `other`, where that is larger.
    pub fn raise_to(&mut self, other: &Self) {
        for (name, amount) in other.iter() {
            if self.get(name).is_none_or(|current| current < amount) {
                self.set(name, amount);
            }
        }
    }
}

/// Whether an init container goes on running beside the pod's containers (a native sidecar).
pub(super) fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

/// Whether requests and limits of a whole pod can name the resource.
pub(super) fn is_pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}

/// The most that a pod's containers need at any one time: all containers and native sidecars together, or an init
/// container with the native sidecars that started before it.
fn aggregate(spec: &PodSpec, of: impl Fn(&Container) -> Resources) -> Resources {
    let mut running = Resources::default();
    for container in &spec.containers {
        running.add(&of(container));
    }
    let mut sidecars = Resources::default();
    let mut starting = Resources::default();
    for container in spec.init_containers.iter().flatten() {
        let mut needed = of(container);
        if is_sidecar(container) {
            running.add(&needed);
            sidecars.add(&needed);
            starting.raise_to(&sidecars);
        } else {
            needed.add(&sidecars);
            starting.raise_to(&needed);
        }
    }
    running.raise_to(&starting);
    running
}

/// The requests of a container.
pub(super) fn container_requests(container: &Container) -> Resources {
    Resources::of(
        container
            .resources
            .as_ref()
            .and_then(|resources| resources.requests.as_ref()),
    )
}

/// The limits of a container.
pub(super) fn container_limits(container: &Container) -> Resources {
    Resources::of(
        container
            .resources
            .as_ref()
            .and_then(|resources| resources.limits.as_ref()),
    )
}

/// The requests of all containers of a pod, without what is requested for the pod as a whole.
pub(super) fn aggregate_requests(spec: &PodSpec) -> Resources {
    aggregate(spec, container_requests)
}

/// What a pod requests of its node, with the overhead of its runtime class.
pub fn pod_requests(spec: &PodSpec) -> Resources {
    total_requests(spec, aggregate_requests(spec))
}

fn total_requests(spec: &PodSpec, mut requests: Resources) -> Resources {
    let whole = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref());
    for (name, amount) in Resources::of(whole).iter().filter(|(name, _)| is_pod_level(name)) {
        requests.set(name, amount);
    }
    requests.add(&Resources::of(spec.overhead.as_ref()));
    requests
}

/// What a pod that exists holds of its node: while it is being resized, the larger of old and new.
pub(super) fn held_requests(pod: &Pod) -> Resources {
    let Some(spec) = &pod.spec else {
        return Resources::default();
    };
    let status = pod.status.as_ref();
    let statuses = || {
        let containers = status.and_then(|status| status.container_statuses.as_ref());
        let init_containers = status.and_then(|status| status.init_container_statuses.as_ref());
        containers.into_iter().chain(init_containers).flatten()
    };
    let resize = status
        .and_then(|status| status.conditions.as_ref())
        .into_iter()
        .flatten()
        .find(|condition| condition.type_ == "PodResizePending");
    let infeasible = resize.and_then(|condition| condition.reason.as_deref()) == Some("Infeasible");
    let total = aggregate(spec, |container| {
        let is_init = spec
            .init_containers
            .iter()
            .flatten()
            .any(|init| init.name == container.name);
        let status = statuses().find(|status| status.name == container.name);
        match status
            .filter(|_| !is_init || is_sidecar(container))
            .and_then(|status| {
                status
                    .resources
                    .as_ref()
                    .map(|resources| (resources, status.allocated_resources.as_ref()))
            }) {
            Some((actual, allocated)) => {
                let mut held = if infeasible {
                    Resources::default()
                } else {
                    container_requests(container)
                };
                held.raise_to(&Resources::of(actual.requests.as_ref()));
                held.raise_to(&Resources::of(allocated));
                held
            }
            None => container_requests(container),
        }
    });
    total_requests(spec, total)
}

/// The limits of a pod. The runtime's overhead counts where there is a limit.
pub fn pod_limits(spec: &PodSpec) -> Resources {
    let mut limits = aggregate(spec, container_limits);
    let whole = spec
        .resources
        .as_ref()
        .and_then(|resources| resources.limits.as_ref());
    for (name, amount) in Resources::of(whole).iter().filter(|(name, _)| is_pod_level(name)) {
        limits.set(name, amount);
    }
    for (name, overhead) in Resources::of(spec.overhead.as_ref()).iter() {
        if let Some(limit) = limits.get(name).filter(|limit| !limit.is_zero()) {
            limits.set(name, limit.plus(overhead));
        }
    }
    limits
}

/// What a node offers to pods: `status.allocatable`, or its capacity where that is missing.
pub(super) fn allocatable(node: &Node) -> Resources {
    let status = node.status.as_ref();
    Resources::of(
        status
            .and_then(|status| status.allocatable.as_ref())
            .or_else(|| status.and_then(|status| status.capacity.as_ref())),
    )
}

/// Resources in the whole numbers that the scheduler reckons with: thousandths of a CPU, units of everything else,
/// each rounded up. Resources that it does not know are left out.
#[derive(Clone, Debug, Default)]
pub(super) struct Whole(BTreeMap<String, i64>);

impl Whole {
    pub(super) fn get(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, i64)> {
        self.0.iter().map(|(name, number)| (name.as_str(), *number))
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            let sum = self.0.entry(name.clone()).or_default();
            *sum = sum.saturating_add(*number);
        }
    }

    pub(super) fn subtract(&mut self, other: &Self) {
        for (name, number) in &other.0 {
            let rest = self.0.entry(name.clone()).or_default();
            *rest = rest.saturating_sub(*number);
        }
    }
}

impl From<&Resources> for Whole {
    fn from(resources: &Resources) -> Self {
        let known = resources.iter().filter(|(name, _)| is_scheduled(name));
        Self(
            known
                .map(|(name, amount)| {
                    let number = if name == "cpu" {
                        amount.ceil_millis()
                    } else {
                        amount.ceil_units()
                    };
                    (name.to_owned(), number)
                })
                .collect(),
        )
    }
}

/// Whether the scheduler counts the resource. (Pods are counted apart.)
fn is_scheduled(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage")
        || name.contains('/')
        || name.starts_with("hugepages-")
        || name.starts_with("attachable-volumes-")
}

/// A whole number of the scheduler's as an amount again.
pub(super) fn amount_of(name: &str, number: i64) -> Amount {
    match name {
        "cpu" => Amount::millis(number),
        "memory" | "ephemeral-storage" => Amount::bytes(number),
        _ if name.starts_with("hugepages-") => Amount::bytes(number),
        _ => Amount::units(number),
    }
}
