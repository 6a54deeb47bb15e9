//! Destinations that are no service.

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::registry::{EXPORT_TO_ANNOTATION, ServiceOrigin};
use mesh_core::{Host, Kind, Lookup, Mesh, Resource, Service};
use mesh_yaml::{FieldPath, path};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::audience::Audiences;
use super::destinations::each_of;
use super::{KnownServices, Suggestions, cluster_local, listed, namespaces_of_input, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService sends traffic to a host that is not in the service registry, or that its clients do not see.
    ///
    /// ## Why is this bad?
    /// Proxies have no cluster for the host. Every request that takes the route is answered with 503, and every connection is
    /// closed.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - route:
    ///     - destination: {host: review}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {app: reviews}
    ///   ports: [{port: 9080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Correct the name. A name without dots means a service in the namespace of the VirtualService; write
    /// `name.namespace.svc.cluster.local` for one in another namespace. For a host outside the mesh, add a ServiceEntry.
    /// If the host exists but is not visible, add the namespace to its `exportTo`. For a service in a namespace of which the
    /// input has nothing, this is a warning.
    pub static RULE = {
        name: "unknown-host",
        aliases: &["IST0101", "KIA1101"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::Service, Kind::ServiceEntry]],
        check,
    }
}

/// A destination host that nobody in the audience can reach.
struct Unreachable<'m> {
    resource: &'m Resource<VirtualService>,
    path: FieldPath,
    is_mirror: bool,
    name: &'m str,
    host: Host,
    /// The service, if it exists, and a namespace that does not see it.
    hidden: Option<(&'m Service, &'m str)>,
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let audiences = Audiences::new(mesh);
    let known = KnownServices::new(mesh);
    let unreachable: Vec<_> = mesh
        .virtual_services()
        .par_iter()
        .with_min_len(64)
        .flat_map_iter(|resource| {
            let mut unreachable = Vec::new();
            each_of(mesh, &audiences, resource, |seen| {
                let hidden = match seen.lookup {
                    Lookup::Found(_) => return,
                    Lookup::Unknown if !known.would_show(&seen.host) => return,
                    Lookup::Unknown => None,
                    Lookup::Hidden(service) => {
                        let from = seen.audience.namespaces.first();
                        Some((service, from.copied().unwrap_or(resource.namespace())))
                    }
                };
                unreachable.push(Unreachable {
                    resource,
                    path: seen.spot.path().key("host"),
                    is_mirror: seen.spot.is_mirror(),
                    name: &seen.destination.host,
                    host: seen.host.clone(),
                    hidden,
                });
            });
            unreachable
        })
        .collect();
    if unreachable.is_empty() {
        return;
    }
    let mut advice = Advice::new(mesh, known);
    let namespaces = namespaces_of_input(mesh);
    for item in &unreachable {
        let role = if item.is_mirror { "mirror" } else { "destination" };
        let name = if item.name == item.host.as_str() {
            format!("`{}`", item.name)
        } else {
            format!("`{}` (`{}`)", item.name, item.host)
        };
        let finding = reporter.report(item.resource, item.path.clone());
        if let Some((service, from)) = item.hidden {
            finding
                .message(format!("{role} {name} is not visible in namespace `{from}`"))
                .help(format!(
                    "add `{from}` to the `exportTo` of {} `{}`",
                    service.header().kind(),
                    qualified(service.header())
                ))
                .related(
                    service.header(),
                    export_to_path(service),
                    "limits where it is visible",
                );
            continue;
        }
        if cluster_local(mesh, &item.host).is_some_and(|(_, home)| !namespaces.contains(home)) {
            finding.severity(Severity::Warning);
        }
        finding
            .message(format!("{role} {name} is not in the service registry"))
            .help(advice.on(item.resource.namespace(), item.name, &item.host));
    }
}

fn export_to_path(service: &Service) -> FieldPath {
    match service.origin() {
        ServiceOrigin::Kubernetes(_) => path!["metadata", "annotations", EXPORT_TO_ANNOTATION],
        ServiceOrigin::Entry(..) => path!["spec", "exportTo"],
    }
}

/// Works out what was meant.
struct Advice<'m> {
    known: KnownServices<'m>,
    /// The namespaces that have a Kubernetes Service of a name.
    by_name: FxHashMap<&'m str, Vec<&'m str>>,
    /// The names of the Kubernetes Services of a namespace.
    by_namespace: FxHashMap<&'m str, Vec<&'m str>>,
    entry_hosts: Vec<&'m str>,
    suggestions: Suggestions,
}

impl<'m> Advice<'m> {
    fn new(mesh: &'m Mesh, known: KnownServices<'m>) -> Self {
        let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        let mut by_namespace: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for service in mesh.services() {
            by_name
                .entry(service.name())
                .or_default()
                .push(service.namespace());
            by_namespace
                .entry(service.namespace())
                .or_default()
                .push(service.name());
        }
        let hosts = mesh.service_entries().iter().flat_map(|entry| &entry.spec.hosts);
        Self {
            known,
            by_name,
            by_namespace,
            entry_hosts: hosts.map(String::as_str).collect(),
            suggestions: Suggestions::new(),
        }
    }

    /// What to write instead of `name` in a resource of `own`.
    fn on(&mut self, own: &str, name: &str, host: &Host) -> String {
        let mesh = self.known.mesh;
        let domain = &mesh.settings().cluster_domain;
        let full = |name: &str, namespace: &str| format!("{name}.{namespace}.svc.{domain}");
        let has = |name: &str, namespace: &str| {
            self.by_name
                .get(name)
                .is_some_and(|namespaces| namespaces.contains(&namespace))
        };
        // `reviews.prod`, `reviews.prod.svc`: complete for DNS in a pod, but not here.
        let mut labels = name.split('.');
        if let (Some(service), Some(namespace)) = (labels.next(), labels.next())
            && matches!(labels.next(), None | Some("svc"))
            && has(service, namespace)
        {
            return format!(
                "write `{}`: a name with dots is never completed",
                full(service, namespace)
            );
        }
        let (service, namespace) = cluster_local(mesh, host).unwrap_or(("", ""));
        if !service.is_empty() {
            if let Some(elsewhere) = self.by_name.get(service) {
                let names: Vec<_> = elsewhere.iter().map(|known| full(service, known)).collect();
                let names = listed(names.iter().map(String::as_str));
                return format!("write the full name of the service in another namespace: {names}");
            }
            let siblings = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
            if let Some(close) = self.suggestions.closest(service, siblings) {
                let close = if namespace == own && name == service {
                    close
                } else {
                    full(&close, namespace)
                };
                return format!("did you mean `{close}`?");
            }
            if !self.known.has_namespace(namespace) {
                return format!("no service of namespace `{namespace}` is in the input; is the name right?");
            }
            return format!("create the service `{service}` in namespace `{namespace}`, or correct the name");
        }
        if let Some(close) = self.suggestions.closest(name, &self.entry_hosts) {
            return format!("did you mean `{close}`?");
        }
        format!("add a ServiceEntry for `{name}` if it is outside the mesh")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, diagnostics, finds, object, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "unknown-host";

    fn helps(text: &str) -> Vec<String> {
        let found = diagnostics(RULE, text);
        found.into_iter().filter_map(|finding| finding.help).collect()
    }

    #[test]
    fn every_kind_of_destination_is_looked_up() {
        let spec = "
  hosts: [reviews]
  http:
  - route: [{destination: {host: reviews}}, {destination: {host: nobody}}]
    mirror: {host: nobody}
    mirrors: [{destination: {host: nobody}}]
  tcp: [{route: [{destination: {host: nobody}}]}]
  tls: [{match: [{sniHosts: [reviews]}], route: [{destination: {host: nobody}}]}]";
        let text = SERVICES.to_owned() + &virtual_service("a", spec);
        finds(
            RULE,
            &text,
            &[
                (
                    "spec.http[0].route[1].destination.host",
                    "destination `nobody` (`nobody.shop.svc.cluster.local`)",
                ),
                ("spec.http[0].mirror.host", "mirror `nobody`"),
                ("spec.http[0].mirrors[0].destination.host", "mirror `nobody`"),
                (
                    "spec.tcp[0].route[0].destination.host",
                    "not in the service registry",
                ),
                (
                    "spec.tls[0].route[0].destination.host",
                    "not in the service registry",
                ),
            ],
        );
    }

    #[test]
    fn the_help_names_what_was_meant() {
        for (host, help) in [
            (
                "billing",
                "write the full name of the service in another namespace: `billing.prod.svc.cluster.local`",
            ),
            (
                "billing.prod",
                "write `billing.prod.svc.cluster.local`: a name with dots is never completed",
            ),
            (
                "billing.prod.svc",
                "write `billing.prod.svc.cluster.local`: a name with dots is never completed",
            ),
            ("review", "did you mean `reviews`?"),
            (
                "biling.prod.svc.cluster.local",
                "did you mean `billing.prod.svc.cluster.local`?",
            ),
            (
                "x.nowhere.svc.cluster.local",
                "no service of namespace `nowhere` is in the input; is the name right?",
            ),
            (
                "unrelated",
                "create the service `unrelated` in namespace `shop`, or correct the name",
            ),
            (
                "api.example.com",
                "add a ServiceEntry for `api.example.com` if it is outside the mesh",
            ),
        ] {
            let spec = format!("{{hosts: [x], http: [{{route: [{{destination: {{host: {host}}}}}]}}]}}");
            assert_eq!(
                helps(&(SERVICES.to_owned() + &virtual_service("a", &spec))),
                [help]
            );
        }
    }

    #[test]
    fn a_namespace_that_is_not_in_the_input_makes_it_a_warning() {
        for (namespace, severity) in [("nowhere", Severity::Warning), ("prod", Severity::Error)] {
            let host = format!("x.{namespace}.svc.cluster.local");
            let spec = format!("{{hosts: [x], http: [{{route: [{{destination: {{host: {host}}}}}]}}]}}");
            let found = diagnostics(RULE, &(SERVICES.to_owned() + &virtual_service("a", &spec)));
            assert_eq!(found[0].severity, severity);
        }
    }

    #[test]
    fn what_exists_is_found() {
        let entry = object(
            "ServiceEntry",
            "other",
            "e",
            "{hosts: ['*.example.com', api.example.org], ports: [{number: 443, name: tls}]}",
        );
        let spec = "{hosts: [x], http: [{route: [{destination: {host: ratings}}, {destination: {host: \
            billing.prod.svc.cluster.local}}, {destination: {host: a.example.com}}, {destination: {host: \
            '*.example.com'}}, {destination: {host: api.example.org}}]}]}";
        let spec = spec.replace("\\\n", "");
        silent(
            RULE,
            &(SERVICES.to_owned() + &entry + &virtual_service("a", &spec)),
        );
    }

    #[test]
    fn what_others_install_is_not_missed() {
        let spec = "{hosts: [x], http: [{route: [{destination: {host: istiod.istio-system.svc.cluster.local}}, \
                    {destination: {host: kubernetes.default.svc.cluster.local}}, {destination: {host: \
                    kube-dns.kube-system.svc.cluster.local}}]}]}";
        let spec = spec.replace("\\\n", "");
        silent(RULE, &(SERVICES.to_owned() + &virtual_service("a", &spec)));
        // Without Kubernetes Services, nothing is known of them.
        let entry = object("ServiceEntry", "shop", "e", "{hosts: [api.example.org]}");
        let spec = "{hosts: [x], http: [{route: [{destination: {host: reviews}}]}]}";
        silent(RULE, &(entry + &virtual_service("a", spec)));
    }

    #[test]
    fn visibility_counts_for_those_who_use_the_route() {
        let entry = |export: &str| {
            object(
                "ServiceEntry",
                "prod",
                "e",
                &format!("{{hosts: [api.example.org], exportTo: {export}}}"),
            )
        };
        let spec = |more: &str| {
            virtual_service(
                "a",
                &format!(
                    "{{hosts: [x], {more} http: [{{route: [{{destination: {{host: api.example.org}}}}]}}]}}"
                ),
            )
        };
        let hidden: &[_] = &[(
            "spec.http[0].route[0].destination.host",
            "`api.example.org` is not visible in namespace `shop`",
        )];
        finds(RULE, &(entry("['.']") + &spec("")), hidden);
        finds(RULE, &(entry("[other]") + &spec("exportTo: [shop],")), hidden);
        silent(RULE, &(entry("[shop]") + &spec("")));
        silent(RULE, &(entry("['*']") + &spec("")));
        silent(RULE, &(entry("[other]") + &spec("exportTo: [other],")));
        // The gateway's proxies run where they see it.
        let gateway = object("Gateway", "shop", "edge", "{selector: {app: edge}, servers: []}");
        let pods = super::super::testing::deployment("prod", "edge", "{app: edge}");
        silent(
            RULE,
            &(entry("['.']") + &gateway + &pods + &spec("gateways: [edge],")),
        );
        let pods = super::super::testing::deployment("elsewhere", "edge", "{app: edge}");
        finds(
            RULE,
            &(entry("['.']") + &gateway + &pods + &spec("gateways: [edge],")),
            &[(
                "spec.http[0].route[0].destination.host",
                "not visible in namespace `elsewhere`",
            )],
        );
        // Annotations of Kubernetes Services count as well.
        let service = SERVICES.replace(
            "metadata: {name: billing, namespace: prod}",
            "metadata: {name: billing, namespace: prod, annotations: {networking.istio.io/exportTo: .}}",
        );
        let route = "{hosts: [x], http: [{route: [{destination: {host: billing.prod.svc.cluster.local}}]}]}";
        let found = diagnostics(RULE, &(service + &virtual_service("a", route)));
        assert_eq!(
            found[0].help.as_deref(),
            Some("add `shop` to the `exportTo` of Service `prod/billing`")
        );
        assert_eq!(
            found[0].related[0].place.path.to_string(),
            "metadata.annotations[\"networking.istio.io/exportTo\"]"
        );
    }

    #[test]
    fn delegates_are_checked_in_their_own_namespace() {
        let root = object(
            "VirtualService",
            "edge",
            "root",
            "{hosts: [x], http: [{delegate: {name: a, namespace: shop}}]}",
        );
        let delegate = |host: &str| {
            virtual_service(
                "a",
                &format!("{{http: [{{route: [{{destination: {{host: {host}}}}}]}}]}}"),
            )
        };
        silent(RULE, &(SERVICES.to_owned() + &root + &delegate("reviews")));
        finds(
            RULE,
            &(SERVICES.to_owned() + &root + &delegate("nobody")),
            &[(
                "spec.http[0].route[0].destination.host",
                "`nobody.shop.svc.cluster.local`",
            )],
        );
    }
}
