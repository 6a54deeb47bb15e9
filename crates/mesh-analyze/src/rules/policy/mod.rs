//! Rules on whom policies and other settings of workloads are for.

pub mod conflicting_peer_authentication_selectors;
pub mod conflicting_sidecar_selectors;
pub mod conflicting_telemetry_selectors;
pub mod multiple_peer_authentications;
pub mod multiple_sidecars;
pub mod multiple_telemetries;
pub mod selector_on_gateway;
pub mod selector_selects_nothing;
pub mod sidecar_in_ambient;
pub mod unknown_extension_provider;
pub mod unknown_source_namespace;
pub mod unknown_target_ref;

use std::collections::BTreeMap;

use mesh_core::istio::common::{NetworkingWorkloadSelector, PolicyTargetReference, WorkloadSelector};
use mesh_core::{Header, Labels, Mesh, Workload};
use mesh_yaml::{FieldPath, path};
use rustc_hash::FxHashMap;

use super::words::plural;
use crate::Reporter;

/// Where a selector in the root namespace looks for workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// In the root namespace, like anywhere else in its own namespace.
    Namespace,
    /// In the whole mesh.
    Mesh,
}

/// A resource that is for some workloads.
pub(crate) struct Settings<'m> {
    pub(crate) header: &'m Header,
    /// The labels of the selector; `None` if there is no selector, or an empty one.
    labels: Option<&'m Labels>,
    labels_path: FieldPath,
    /// The target references with their paths.
    targets: Vec<(&'m PolicyTargetReference, FieldPath)>,
    reach: Reach,
}

impl<'m> Settings<'m> {
    fn new(header: &'m Header, selector: Option<&'m WorkloadSelector>, reach: Reach) -> Self {
        Self::with_labels(
            header,
            selector.map(|selector| &selector.match_labels),
            path!["spec", "selector", "matchLabels"],
            reach,
        )
    }

    fn networking(
        header: &'m Header,
        selector: Option<&'m NetworkingWorkloadSelector>,
        reach: Reach,
    ) -> Self {
        Self::with_labels(
            header,
            selector.map(|selector| &selector.labels),
            path!["spec", "workloadSelector", "labels"],
            reach,
        )
    }

    fn with_labels(
        header: &'m Header,
        labels: Option<&'m Labels>,
        labels_path: FieldPath,
        reach: Reach,
    ) -> Self {
        Self {
            header,
            labels: labels.filter(|labels| !labels.is_empty()),
            labels_path,
            targets: Vec::new(),
            reach,
        }
    }

    fn attached(
        mut self,
        target_ref: Option<&'m PolicyTargetReference>,
        target_refs: &'m [PolicyTargetReference],
    ) -> Self {
        let single = target_ref.map(|target| (target, path!["spec", "targetRef"]));
        let list = target_refs.iter().enumerate();
        let list = list.map(|(index, target)| (target, path!["spec", "targetRefs", index]));
        self.targets.extend(single.into_iter().chain(list));
        self
    }

    /// Whether the workload's own proxy follows it. What is attached to an object is for waypoints and gateways.
    pub(crate) fn is_for(&self, workload: &Workload, root: &str) -> bool {
        let namespace = self.header.namespace();
        let is_in_reach = namespace == workload.namespace()
            || (namespace == root && (self.labels.is_none() || self.reach == Reach::Mesh));
        let is_selected = self
            .labels
            .is_none_or(|labels| mesh_core::selects(labels, workload.labels()));
        is_in_reach && is_selected && self.targets.is_empty()
    }

    /// Whether it is attached to a Service of this name in its own namespace.
    pub(crate) fn is_attached_to(&self, service: &str, namespace: &str) -> bool {
        let is_target = |target: &PolicyTargetReference| {
            target.group.is_empty() && target.kind == "Service" && target.name == service
        };
        self.header.namespace() == namespace && self.targets.iter().any(|(target, _)| is_target(target))
    }

    /// Whether it is for the whole namespace.
    fn is_for_namespace(&self) -> bool {
        self.labels.is_none() && self.targets.is_empty()
    }
}

pub(crate) fn sidecars(mesh: &Mesh) -> Vec<Settings<'_>> {
    mesh.sidecars()
        .iter()
        .map(|it| Settings::networking(it, it.spec.workload_selector.as_ref(), Reach::Namespace))
        .collect()
}

fn telemetries(mesh: &Mesh) -> Vec<Settings<'_>> {
    mesh.telemetries()
        .iter()
        .map(|it| {
            Settings::new(it, it.spec.selector.as_ref(), Reach::Namespace)
                .attached(it.spec.target_ref.as_ref(), &it.spec.target_refs)
        })
        .collect()
}

fn peer_authentications(mesh: &Mesh) -> Vec<Settings<'_>> {
    mesh.peer_authentications()
        .iter()
        .map(|it| Settings::new(it, it.spec.selector.as_ref(), Reach::Namespace))
        .collect()
}

/// Everything that is for some workloads.
pub(crate) fn all(mesh: &Mesh) -> Vec<Settings<'_>> {
    let mut all = Vec::new();
    all.extend(mesh.authorization_policies().iter().map(|it| {
        Settings::new(it, it.spec.selector.as_ref(), Reach::Mesh)
            .attached(it.spec.target_ref.as_ref(), &it.spec.target_refs)
    }));
    all.extend(mesh.envoy_filters().iter().map(|it| {
        Settings::networking(it, it.spec.workload_selector.as_ref(), Reach::Mesh)
            .attached(None, &it.spec.target_refs)
    }));
    all.extend(peer_authentications(mesh));
    all.extend(
        mesh.proxy_configs()
            .iter()
            .map(|it| Settings::new(it, it.spec.selector.as_ref(), Reach::Namespace)),
    );
    all.extend(mesh.request_authentications().iter().map(|it| {
        Settings::new(it, it.spec.selector.as_ref(), Reach::Mesh)
            .attached(it.spec.target_ref.as_ref(), &it.spec.target_refs)
    }));
    all.extend(sidecars(mesh));
    all.extend(telemetries(mesh));
    all.extend(mesh.traffic_extensions().iter().map(|it| {
        Settings::new(it, it.spec.selector.as_ref(), Reach::Mesh).attached(None, &it.spec.target_refs)
    }));
    all.extend(mesh.wasm_plugins().iter().map(|it| {
        Settings::new(it, it.spec.selector.as_ref(), Reach::Mesh)
            .attached(it.spec.target_ref.as_ref(), &it.spec.target_refs)
    }));
    all
}

/// Reports resources that share a namespace as a whole, of which only the oldest has an effect.
fn several_for_a_namespace(list: &[Settings<'_>], reporter: &mut Reporter<'_>) {
    let mut by_namespace: BTreeMap<&str, Vec<&Header>> = BTreeMap::new();
    for settings in list.iter().filter(|settings| settings.is_for_namespace()) {
        let namespace = settings.header.namespace();
        by_namespace.entry(namespace).or_default().push(settings.header);
    }
    for (namespace, headers) in by_namespace {
        let Some((first, others)) = headers.split_first() else {
            continue;
        };
        for header in others {
            reporter
                .report(header, path!["metadata", "name"])
                .message(format!(
                    "the {} `{}` and `{}` are both for the whole namespace `{namespace}`, and only the older one has an effect",
                    plural(header.kind()),
                    first.name(),
                    header.name()
                ))
                .help("merge them, or give one of them a selector")
                .related(first, path!["metadata", "name"], "the other one is here");
        }
    }
}

/// Reports resources whose selectors share a workload, of which only the oldest has an effect on it.
fn several_for_a_workload(mesh: &Mesh, list: &[Settings<'_>], reporter: &mut Reporter<'_>) {
    let mut by_workload: FxHashMap<*const Workload, usize> = FxHashMap::default();
    // What shares a workload with what: for each, the first earlier one, and the workload.
    let mut shared: Vec<Option<(usize, &Workload)>> = vec![None; list.len()];
    for (index, settings) in list.iter().enumerate() {
        let Some(labels) = settings.labels else { continue };
        for workload in mesh.workloads().select(settings.header.namespace(), labels) {
            let other = *by_workload.entry(std::ptr::from_ref(workload)).or_insert(index);
            if other != index {
                shared[index].get_or_insert((other, workload));
            }
        }
    }
    for (settings, found) in list.iter().zip(&shared) {
        let Some((other, workload)) = found else { continue };
        let (header, other, owner) = (settings.header, &list[*other], workload.owner());
        reporter
            .report(header, settings.labels_path.clone())
            .message(format!(
                "the {} `{}` and `{}` both select the pods of {} `{}`, and only the older one has an effect",
                plural(header.kind()),
                other.header.name(),
                header.name(),
                owner.kind(),
                owner.name()
            ))
            .help("merge them, or make the selectors exclude each other")
            .related(other.header, other.labels_path.clone(), "the other one is here")
            .related(owner, workload.labels_path(), "both select these labels");
    }
}
