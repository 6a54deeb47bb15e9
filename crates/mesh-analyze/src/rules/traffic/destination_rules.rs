//! Which DestinationRules hold for a client and a host.
//!
//! istiod looks in three places and takes the rules of the first one that has any for the host: what the client's
//! own namespace has for itself, what the service's namespace exports to the client, and what the root namespace
//! exports to the client. In each, the host itself comes before wildcards, and the nearest wildcard before others.

use std::sync::Arc;

use mesh_core::istio::destination_rule::DestinationRule;
use mesh_core::{Host, Mesh, Resource, Visibility};
use rustc_hash::FxHashMap;

use super::{cluster_local, visibility};

/// A DestinationRule with what its fields mean.
#[derive(Debug)]
pub(crate) struct Rule<'m> {
    /// The resource.
    pub(crate) resource: &'m Arc<Resource<DestinationRule>>,
    /// Its host, complete.
    pub(crate) host: Host,
    /// Where it is visible.
    pub(crate) visibility: Visibility,
}

impl Rule<'_> {
    /// Whether it holds for some of a namespace's proxies only.
    pub(crate) fn is_for_some_workloads(&self) -> bool {
        let selector = self.resource.spec.workload_selector.as_ref();
        selector.is_some_and(|selector| !selector.match_labels.is_empty())
    }

    /// Whether it has a subset of this name.
    pub(crate) fn defines(&self, subset: &str) -> bool {
        self.resource
            .spec
            .subsets
            .iter()
            .any(|known| known.name == subset)
    }
}

type ByHost = FxHashMap<Host, Vec<u32>>;

/// All DestinationRules, by where they hold.
#[derive(Debug)]
pub(crate) struct DestinationRules<'m> {
    mesh: &'m Mesh,
    rules: Vec<Rule<'m>>,
    /// By namespace: rules that its own clients see.
    own: FxHashMap<&'m str, ByHost>,
    /// By namespace: rules that clients elsewhere see.
    exported: FxHashMap<&'m str, ByHost>,
    by_host: ByHost,
}

impl<'m> DestinationRules<'m> {
    pub(crate) fn new(mesh: &'m Mesh) -> Self {
        let default = &mesh.config().default_destination_rule_export_to;
        let mut all = Self {
            mesh,
            rules: Vec::with_capacity(mesh.destination_rules().len()),
            own: FxHashMap::default(),
            exported: FxHashMap::default(),
            by_host: ByHost::default(),
        };
        for (number, resource) in (0_u32..).zip(mesh.destination_rules()) {
            let namespace = resource.namespace();
            let rule = Rule {
                resource,
                host: mesh.host(&resource.spec.host, namespace),
                visibility: if resource.spec.workload_selector.is_some() {
                    Visibility::Namespaces(vec![namespace.to_owned()])
                } else {
                    visibility(&resource.spec.export_to, namespace, default)
                },
            };
            let index = |map: &mut ByHost| map.entry(rule.host.clone()).or_default().push(number);
            let is_private = match &rule.visibility {
                Visibility::Public => false,
                Visibility::Namespaces(list) => list.iter().all(|entry| entry == namespace),
            };
            index(&mut all.by_host);
            // Of the root namespace's rules, its own clients get the exported ones last, like everybody.
            if rule.visibility.includes(namespace) && (is_private || namespace != mesh.root_namespace()) {
                index(all.own.entry(namespace).or_default());
            }
            if !is_private {
                index(all.exported.entry(namespace).or_default());
            }
            all.rules.push(rule);
        }
        all
    }

    /// Every rule, by namespace and name.
    pub(crate) fn all(&self) -> &[Rule<'m>] {
        &self.rules
    }

    /// All rules for exactly this host, wherever they hold.
    pub(crate) fn for_host(&self, host: &Host) -> impl Iterator<Item = &Rule<'m>> {
        let numbers = self.by_host.get(host).map_or(&[][..], Vec::as_slice);
        numbers.iter().map(|number| &self.rules[*number as usize])
    }

    /// The rules from which clients in `client` get their settings for `host`, which `owners` declare: the
    /// namespaces of its services. One for all workloads is the last of them.
    pub(crate) fn holding(&self, client: &str, host: &Host, owners: &[&str]) -> Vec<&Rule<'m>> {
        let mut found = Vec::new();
        if self.collect(self.own.get(client), host, None, &mut found) {
            return found;
        }
        let mut any = false;
        for owner in owners {
            any |= self.collect(self.exported.get(owner), host, Some(client), &mut found);
        }
        if !any {
            let root = self.mesh.root_namespace();
            self.collect(self.exported.get(root), host, Some(client), &mut found);
        }
        found
    }

    /// Adds the rules of one place, and says whether one of them is for all workloads.
    fn collect<'s>(
        &'s self,
        place: Option<&ByHost>,
        host: &Host,
        client: Option<&str>,
        found: &mut Vec<&'s Rule<'m>>,
    ) -> bool {
        let Some(place) = place else {
            return false;
        };
        let numbers = place.get(host).or_else(|| {
            host.wildcards()
                .find_map(|wildcard| place.get(&Host::new(wildcard)))
        });
        let rules = numbers
            .into_iter()
            .flatten()
            .map(|number| &self.rules[*number as usize])
            .filter(|rule| client.is_none_or(|client| rule.visibility.includes(client)));
        let before = found.len();
        found.extend(rules);
        found[before..].iter().any(|rule| !rule.is_for_some_workloads())
    }
}

/// The namespaces that declare services of a host.
pub(crate) fn owners<'a>(mesh: &'a Mesh, host: &'a Host) -> Vec<&'a str> {
    let services = mesh
        .registry()
        .with_host(host.as_str())
        .map(mesh_core::Service::namespace);
    let mut owners: Vec<_> = services
        .chain(cluster_local(mesh, host).map(|(_, namespace)| namespace))
        .collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}
