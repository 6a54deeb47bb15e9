//! Which namespaces' proxies use a VirtualService.

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Labels, Mesh, Resource};
use rustc_hash::{FxHashMap, FxHashSet};

use super::gateways::{MESH, applies_to_sidecars, gateway_id};
use super::visibility;

/// What it takes to tell who uses a VirtualService; made once for all of them.
#[derive(Debug)]
pub(super) struct Audiences<'m> {
    mesh: &'m Mesh,
    /// The namespaces of the proxies of each Istio gateway; empty if the input does not show them.
    gateways: FxHashMap<(&'m str, &'m str), Vec<&'m str>>,
    /// The VirtualServices that delegate to one, by its namespace and name.
    roots: FxHashMap<&'m str, FxHashMap<&'m str, Vec<&'m Resource<VirtualService>>>>,
}

/// The namespaces whose proxies use a VirtualService, as far as that can matter: never all namespaces, but those
/// of which it is certain or likely that the author means them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Audience<'m> {
    /// The namespaces, the likeliest first; at least one.
    pub(super) namespaces: Vec<&'m str>,
}

impl<'m> Audiences<'m> {
    pub(super) fn new(mesh: &'m Mesh) -> Self {
        let mut by_selector: FxHashMap<&Labels, Vec<&'m str>> = FxHashMap::default();
        let mut gateways = FxHashMap::default();
        for gateway in mesh.gateways() {
            let namespaces = by_selector.entry(&gateway.spec.selector).or_insert_with(|| {
                let selected = mesh.workloads().select_anywhere(&gateway.spec.selector);
                let distinct: FxHashSet<_> = selected.map(mesh_core::Workload::namespace).collect();
                let mut distinct: Vec<_> = distinct.into_iter().collect();
                distinct.sort_unstable();
                distinct
            });
            gateways.insert((gateway.namespace(), gateway.name()), namespaces.clone());
        }
        let mut roots: FxHashMap<&str, FxHashMap<&str, Vec<_>>> = FxHashMap::default();
        for root in mesh.virtual_services() {
            for delegate in root.spec.http.iter().filter_map(|route| route.delegate.as_ref()) {
                let namespace = if delegate.namespace.is_empty() {
                    root.namespace()
                } else {
                    &delegate.namespace
                };
                roots
                    .entry(namespace)
                    .or_default()
                    .entry(&delegate.name)
                    .or_default()
                    .push(&**root);
            }
        }
        Self {
            mesh,
            gateways,
            roots,
        }
    }

    /// The VirtualServices that delegate to this one.
    pub(super) fn roots_of(&self, service: &Resource<VirtualService>) -> &[&'m Resource<VirtualService>] {
        self.roots
            .get(service.namespace())
            .and_then(|by_name| by_name.get(service.name()))
            .map_or(&[], Vec::as_slice)
    }

    /// Whose proxies use this VirtualService.
    pub(super) fn of(&self, service: &'m Resource<VirtualService>) -> Audience<'m> {
        let mut namespaces = Vec::new();
        if service.spec.hosts.is_empty() {
            // Its routes work wherever those of its roots do.
            namespaces.push(service.namespace());
            for root in self.roots_of(service) {
                self.collect(root, &mut namespaces);
            }
        } else {
            self.collect(service, &mut namespaces);
        }
        let mut seen = FxHashSet::default();
        namespaces.retain(|namespace| seen.insert(*namespace));
        Audience { namespaces }
    }

    fn collect(&self, service: &'m Resource<VirtualService>, namespaces: &mut Vec<&'m str>) {
        let mesh = self.mesh;
        let own = service.namespace();
        let default = &mesh.config().default_virtual_service_export_to;
        let visible = visibility(&service.spec.export_to, own, default);
        let before = namespaces.len();
        let gateways = &service.spec.gateways;
        if applies_to_sidecars(&service.spec) {
            if visible.includes(own) {
                namespaces.push(own);
            }
            let listed = service.spec.export_to.iter().map(String::as_str);
            namespaces.extend(listed.filter(|entry| !["*", ".", "~", ""].contains(entry)));
        }
        for gateway in gateways.iter().filter(|gateway| *gateway != MESH) {
            let (namespace, name) = gateway_id(gateway, own);
            let known = self.gateways.get(&(namespace, name));
            if let Some(of_proxies) = known.filter(|namespaces| !namespaces.is_empty()) {
                namespaces.extend(of_proxies.iter().filter(|namespace| visible.includes(namespace)));
            } else {
                // The proxies are elsewhere; where they usually are counts as well.
                namespaces.extend([own, namespace, &mesh.settings().istio_namespace]);
            }
        }
        if namespaces.len() == before {
            namespaces.push(own);
        }
    }
}
