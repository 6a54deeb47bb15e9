//! The destinations of VirtualServices.

use mesh_core::istio::virtual_service::{Destination, VirtualService};
use mesh_core::{Host, Lookup, Mesh, Resource, Service};
use mesh_yaml::{FieldPath, path};

use super::audience::{Audience, Audiences};
use crate::Reporter;

/// Where a destination stands in a VirtualService.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    section: &'static str,
    rule: usize,
    part: Part,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Route(usize),
    Mirror,
    Mirrors(usize),
}

impl Spot {
    /// The path from the root of the resource to the destination.
    pub(super) fn path(self) -> FieldPath {
        let rule = path!["spec", self.section, self.rule];
        match self.part {
            Part::Route(index) => rule.key("route").index(index).key("destination"),
            Part::Mirror => rule.key("mirror"),
            Part::Mirrors(index) => rule.key("mirrors").index(index).key("destination"),
        }
    }

    /// Whether it only gets copies of requests.
    pub(super) fn is_mirror(self) -> bool {
        !matches!(self.part, Part::Route(_))
    }
}

/// Every destination of a VirtualService, in the order of the text.
pub(super) fn destinations(spec: &VirtualService) -> impl Iterator<Item = (Spot, &Destination)> {
    let http = spec.http.iter().enumerate().flat_map(|(rule, http)| {
        let spot = move |part| Spot {
            section: "http",
            rule,
            part,
        };
        let routes =
            http.route.iter().enumerate().filter_map(move |(index, route)| {
                Some((spot(Part::Route(index)), route.destination.as_ref()?))
            });
        let mirror = http
            .mirror
            .as_ref()
            .map(|destination| (spot(Part::Mirror), destination));
        let mirrors = http
            .mirrors
            .iter()
            .enumerate()
            .filter_map(move |(index, mirror)| {
                Some((spot(Part::Mirrors(index)), mirror.destination.as_ref()?))
            });
        routes.chain(mirror).chain(mirrors)
    });
    let tcp = spec.tcp.iter().map(|rule| &rule.route).enumerate();
    let tls = spec.tls.iter().map(|rule| &rule.route).enumerate();
    let streams = tcp
        .map(|(rule, routes)| ("tcp", rule, routes))
        .chain(tls.map(|(rule, routes)| ("tls", rule, routes)))
        .flat_map(|(section, rule, routes)| {
            routes.iter().enumerate().filter_map(move |(index, route)| {
                let part = Part::Route(index);
                Some((Spot { section, rule, part }, route.destination.as_ref()?))
            })
        });
    http.chain(streams)
}

/// A destination with what its host means.
#[derive(Debug)]
pub(super) struct Seen<'a, 'm> {
    /// The VirtualService.
    pub(super) resource: &'m Resource<VirtualService>,
    /// Where it stands.
    pub(super) spot: Spot,
    /// The destination itself.
    pub(super) destination: &'m Destination,
    /// Its host, complete.
    pub(super) host: Host,
    /// Who uses the route.
    pub(super) audience: &'a Audience<'m>,
    /// The service of the host.
    pub(super) lookup: Lookup<'m>,
}

impl<'m> Seen<'_, 'm> {
    /// The service, if there is one that somebody in the audience sees.
    pub(super) fn service(&self) -> Option<&'m Service> {
        match self.lookup {
            Lookup::Found(service) => Some(service),
            Lookup::Hidden(_) | Lookup::Unknown => None,
        }
    }
}

/// Calls `check` with every destination that has a host, in parallel.
pub(super) fn each_destination<'m, 'r>(
    mesh: &'m Mesh,
    audiences: &Audiences<'m>,
    reporter: &mut Reporter<'r>,
    check: impl Fn(&Seen<'_, 'm>, &mut Reporter<'r>) + Sync,
) {
    let resources: Vec<&'m Resource<VirtualService>> =
        mesh.virtual_services().iter().map(|service| &**service).collect();
    reporter.each(&resources, |resource, reporter| {
        each_of(mesh, audiences, resource, |seen| check(seen, reporter));
    });
}

/// Calls `check` with every destination of a VirtualService that has a host.
pub(super) fn each_of<'m>(
    mesh: &'m Mesh,
    audiences: &Audiences<'m>,
    resource: &'m Resource<VirtualService>,
    mut check: impl FnMut(&Seen<'_, 'm>),
) {
    let audience = audiences.of(resource);
    for (spot, destination) in destinations(&resource.spec) {
        if destination.host.is_empty() {
            continue; // The schema requires it.
        }
        let host = mesh.host(&destination.host, resource.namespace());
        let lookup = look_up(mesh, &host, &audience);
        check(&Seen {
            resource,
            spot,
            destination,
            host,
            audience: &audience,
            lookup,
        });
    }
}

/// What a host means to the first namespace of the audience that sees it.
fn look_up<'m>(mesh: &'m Mesh, host: &Host, audience: &Audience<'_>) -> Lookup<'m> {
    let mut result = Lookup::Unknown;
    for namespace in &audience.namespaces {
        result = mesh.registry().lookup(host, namespace);
        // What is unknown to one namespace is unknown to all.
        if !matches!(result, Lookup::Hidden(_)) {
            break;
        }
    }
    result
}
