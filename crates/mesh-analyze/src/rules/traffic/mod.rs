//! Rules on where traffic goes: references between routes, gateways, services and their policies.
//!
//! ```text
//! audience           which namespaces' proxies use a route
//! destinations       the destinations of a VirtualService, with their paths and services
//! destination_rules  which DestinationRules hold for a client and a host
//! gateways           what names in `gateways` stand for
//! proxies            which proxies a Gateway's selector means
//! credentials        which secrets a Gateway's servers need
//! matches            when one match takes everything that another would take
//! peer_modes         which workloads accept plain text, and which mutual TLS
//! envoy_filters      the patches of EnvoyFilters
//! attached_routes    one view of the Gateway API's routes
//! ```

pub(crate) use gateways::is_generated;

pub(crate) mod attached_routes;
mod audience;
mod credentials;
pub(crate) mod destination_rules;
mod destinations;
mod envoy_filters;
pub(crate) mod gateways;
mod matches;
pub(crate) mod peer_modes;
pub(crate) mod proxies;

pub mod conflicting_gateway_hosts;
pub mod conflicting_gateways;
pub mod conflicting_mesh_hosts;
pub mod conflicting_service_entry_protocol;
pub mod duplicate_destination_rule;
pub mod envoy_filter_add;
pub mod envoy_filter_relative_operation;
pub mod envoy_filter_remove;
pub mod envoy_filter_replace;
pub mod gateway_duplicate_certificate;
pub mod gateway_port_not_on_service;
pub mod gateway_selects_nothing;
pub mod host_not_on_gateway;
pub mod ineffective_match;
pub mod internal_gateway;
pub mod invalid_credential;
pub mod jwt_claim_route_without_authentication;
pub mod missing_destination_port;
pub mod missing_reference_grant;
pub mod missing_server_verification;
pub mod mtls_conflict;
pub mod route_not_on_listener;
pub mod service_entry_addresses_required;
pub mod service_entry_shadows_service;
pub mod subset_selects_nothing;
pub mod unknown_backend_ref;
pub mod unknown_credential;
pub mod unknown_delegate;
pub mod unknown_destination_rule_host;
pub mod unknown_gateway;
pub mod unknown_host;
pub mod unknown_parent_ref;
pub mod unknown_port;
pub mod unknown_subset;
pub mod unreachable_route;

use mesh_core::schema::validate::closest;
use mesh_core::{Header, Host, Kind, Mesh, Visibility};
use mesh_yaml::{FieldPath, path};
use rustc_hash::FxHashSet;

/// `exportTo` of a resource in `namespace`, where `default` is what the mesh configuration says for its kind.
pub(crate) fn visibility(export_to: &[String], namespace: &str, default: &[String]) -> Visibility {
    let default = Visibility::parse(default.iter().map(String::as_str), ".", &Visibility::Public);
    Visibility::parse(export_to.iter().map(String::as_str), namespace, &default)
}

/// How a resource is named in messages: `shop/reviews`.
fn qualified(header: &Header) -> String {
    format!("{}/{}", header.namespace(), header.name())
}

/// The order in which istiod takes resources of one kind: the oldest first, then by name and namespace. Files rarely
/// say how old an object is.
pub(crate) fn age(header: &Header) -> (bool, &str, &str, &str) {
    // RFC 3339 in UTC, as the API server writes it, sorts as text.
    let created = header
        .metadata()
        .creation_timestamp
        .as_deref()
        .unwrap_or_default();
    (created.is_empty(), created, header.name(), header.namespace())
}

/// Names in backticks, in the given order: `` `a`, `b` and 3 more ``.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 5;
    let names: Vec<_> = names.into_iter().collect();
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let text = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Service and namespace of a host in the cluster's own domain: `("reviews", "shop")` for
/// `reviews.shop.svc.cluster.local`.
fn cluster_local<'a>(mesh: &Mesh, host: &'a Host) -> Option<(&'a str, &'a str)> {
    let name = host
        .as_str()
        .strip_suffix(mesh.settings().cluster_domain.as_str())?
        .strip_suffix(".svc.")?;
    let (service, namespace) = name.split_once('.')?;
    (!namespace.contains('.') && !service.is_empty() && !namespace.is_empty()).then_some((service, namespace))
}

/// Namespaces of which the input shows the Kubernetes Services.
#[derive(Debug)]
struct KnownServices<'m> {
    mesh: &'m Mesh,
    namespaces: FxHashSet<&'m str>,
}

impl<'m> KnownServices<'m> {
    fn new(mesh: &'m Mesh) -> Self {
        let namespaces = mesh.services().iter().map(|service| service.namespace());
        Self {
            mesh,
            namespaces: namespaces.collect(),
        }
    }

    /// Whether the input would show the service of this name if it existed. Services of the cluster itself and of
    /// the control plane come from elsewhere, unless the input has some of them; and without any Kubernetes Service
    /// nothing is known of those.
    fn would_show(&self, host: &Host) -> bool {
        if self.mesh.has_all(Kind::Service) {
            return true;
        }
        let Some((service, namespace)) = cluster_local(self.mesh, host) else {
            return true;
        };
        if namespace == "kube-system" || (namespace == "default" && service == "kubernetes") {
            return false;
        }
        let is_istios =
            namespace == self.mesh.settings().istio_namespace || namespace == self.mesh.root_namespace();
        if is_istios {
            return self.namespaces.contains(namespace) && !service.starts_with("istio");
        }
        !self.namespaces.is_empty()
    }

    fn has_namespace(&self, namespace: &str) -> bool {
        self.mesh.has_all(Kind::Service) || self.namespaces.contains(namespace)
    }
}

/// The namespaces that the input has something of. What others refer to in another namespace may well be there, in
/// files of other people.
#[derive(Debug)]
struct ShownNamespaces {
    /// Whether the input is a whole cluster.
    all: bool,
    names: FxHashSet<String>,
}

impl ShownNamespaces {
    fn contains(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}

fn namespaces_of_input(mesh: &Mesh) -> ShownNamespaces {
    let resources = mesh.resources();
    let mut namespaces: FxHashSet<String> = FxHashSet::default();
    for resource in resources {
        let header = resource.header();
        let name = if header.kind() == Kind::Namespace {
            header.name()
        } else {
            header.namespace()
        };
        if !namespaces.contains(name) {
            namespaces.insert(name.to_owned());
        }
    }
    ShownNamespaces {
        all: mesh.has_all(Kind::Namespace),
        names: namespaces,
    }
}

/// Looks for what was meant. Comparing one word with thousands of names takes time, so that the number of
/// comparisons is limited for all findings of a rule together.
#[derive(Debug)]
struct Suggestions {
    left: usize,
}

impl Suggestions {
    fn new() -> Self {
        Self { left: 100_000 }
    }

    fn closest(&mut self, word: &str, candidates: &[&str]) -> Option<String> {
        self.left = self.left.checked_sub(candidates.len())?;
        closest(word, candidates.iter().copied())
    }
}

/// Whether the input has objects that make pods, but of kinds whose pods are not known.
fn has_unknown_workloads(mesh: &Mesh) -> bool {
    const KINDS: [&str; 6] = [
        "Rollout",
        "CloneSet",
        "AdvancedStatefulSet",
        "DeploymentConfig",
        "IstioOperator",
        "Canary",
    ];
    mesh.skipped().other_kinds.keys().any(|kind| {
        let (api_version, name) = kind.rsplit_once(' ').unwrap_or(("", kind));
        KINDS.contains(&name)
            || api_version.starts_with("apps.kruise.io/")
            || api_version.starts_with("serving.knative.dev/")
            || api_version.starts_with("helm.")
    })
}

/// The path of the services' ports in their declaration.
fn ports_path() -> FieldPath {
    path!["spec", "ports"]
}

#[cfg(test)]
mod testing;
