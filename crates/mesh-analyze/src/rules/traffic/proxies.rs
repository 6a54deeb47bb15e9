//! The proxies that gateways select.

use mesh_core::istio::gateway::Gateway;
use mesh_core::{Labels, Mesh, Resource, Workload};
use rustc_hash::{FxHashMap, FxHashSet};

use super::has_unknown_workloads;

/// The proxies of the gateways of a mesh, by selector.
#[derive(Debug)]
pub(crate) struct Proxies<'m> {
    by_selector: FxHashMap<&'m Labels, Vec<&'m Workload>>,
    /// Whether the input shows any gateway's proxies, or cannot show them.
    shows_some: bool,
}

impl<'m> Proxies<'m> {
    pub(crate) fn new(mesh: &'m Mesh) -> Self {
        let mut by_selector: FxHashMap<&Labels, Vec<&Workload>> = FxHashMap::default();
        for gateway in mesh.gateways() {
            by_selector
                .entry(&gateway.spec.selector)
                .or_insert_with(|| mesh.workloads().select_anywhere(&gateway.spec.selector).collect());
        }
        Self {
            by_selector,
            shows_some: !has_unknown_workloads(mesh) && mesh.workloads().all().iter().any(is_gateway),
        }
    }

    /// The proxies of a gateway that are in the input.
    pub(super) fn of(&self, gateway: &Resource<Gateway>) -> &[&'m Workload] {
        self.by_selector
            .get(&gateway.spec.selector)
            .map_or(&[][..], Vec::as_slice)
    }

    /// Whether the input shows some gateway's proxies.
    pub(super) fn shows_some(&self) -> bool {
        self.shows_some
    }

    /// Whether some proxy has both gateways. Without proxies in the input, the selectors decide: whoever is selected
    /// by the narrower one is selected by the wider one as well.
    pub(super) fn share(&self, a: &Labels, b: &Labels) -> bool {
        let of = |selector: &Labels| self.by_selector.get(selector).map_or(&[][..], Vec::as_slice);
        match (of(a), of(b)) {
            _ if a == b => true,
            ([], []) => mesh_core::selects(a, b) || mesh_core::selects(b, a),
            (a, b) => {
                let known: FxHashSet<_> = a.iter().map(|workload| std::ptr::from_ref(*workload)).collect();
                b.iter()
                    .any(|workload| known.contains(&std::ptr::from_ref(*workload)))
            }
        }
    }
}

/// Whether the pods are proxies of a gateway rather than applications, which may have a proxy beside them.
pub(super) fn is_gateway(workload: &Workload) -> bool {
    let is_labelled = workload
        .labels()
        .get("istio")
        .is_some_and(|value| value.ends_with("gateway"));
    let containers = workload
        .pod_spec()
        .map_or(&[][..], |spec| spec.containers.as_slice());
    let is_proxy =
        matches!(containers, [only] if only.name == "istio-proxy" || only.image.as_deref() == Some("auto"));
    is_labelled || is_proxy
}

/// Whether proxies with this selector are installed together with the control plane, as a rule.
pub(super) fn is_usually_installed_elsewhere(selector: &Labels) -> bool {
    selector.iter().any(|(key, value)| {
        (key == "istio"
            && (value.ends_with("gateway") || ["ingress", "egress", "eastwest"].contains(&value.as_str())))
            || (key == "app" && value.starts_with("istio-") && value.ends_with("gateway"))
    })
}
