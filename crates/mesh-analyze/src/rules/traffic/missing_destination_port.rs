//! Destinations that leave open which of several ports they mean.

use std::collections::BTreeSet;

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Host, Kind, Mesh, Resource};

use super::audience::Audiences;
use super::destinations::each_destination;
use super::gateways::MESH;
use super::{ports_path, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService sends traffic to a service with several ports and does not say to which.
    ///
    /// ## Why is this bad?
    /// Proxies then take the port on which the request came in. At a gateway that is the gateway's port, which the service
    /// has only by chance: otherwise requests are answered with 503.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   hosts: [shop.example.com]
    ///   gateways: [edge]
    ///   http:
    ///   - route:
    ///     - destination: {host: ratings}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: ratings, namespace: shop}
    /// spec:
    ///   selector: {app: ratings}
    ///   ports: [{port: 8080, name: http}, {port: 9090, name: http-admin}]
    /// ```
    ///
    /// ## Fix
    /// Add `port: {number: …}` to the destination. Where a service in the mesh only gets its own traffic back, the route
    /// works without it, and this is a warning.
    pub static RULE = {
        name: "missing-destination-port",
        aliases: &["IST0112"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::Service, Kind::ServiceEntry]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let audiences = Audiences::new(mesh);
    each_destination(mesh, &audiences, reporter, |seen, reporter| {
        if seen
            .destination
            .port
            .as_ref()
            .is_some_and(|port| port.number != 0)
        {
            return;
        }
        let Some(service) = seen.service() else {
            return; // `unknown-host` reports it.
        };
        let numbers: BTreeSet<_> = service.ports().iter().map(|port| port.number).collect();
        if numbers.len() < 2 {
            return;
        }
        let listed: Vec<_> = numbers.iter().map(ToString::to_string).collect();
        let finding = reporter.report(seen.resource, seen.spot.path());
        finding
            .message(format!(
                "`{}` has the ports {}, and the destination does not say which",
                seen.destination.host,
                listed.join(", ")
            ))
            .help(format!("add `port: {{number: {}}}`", listed[0]))
            .related(
                service.header(),
                ports_path(),
                format!(
                    "the ports of {} `{}`",
                    service.header().kind(),
                    qualified(service.header())
                ),
            );
        if keeps_its_port(mesh, &audiences, seen.resource, &seen.host) {
            finding.severity(Severity::Warning);
        }
    });
}

/// Whether all requests of a route were meant for `host` in the first place, so that their port is one of it.
fn keeps_its_port(
    mesh: &Mesh,
    audiences: &Audiences<'_>,
    resource: &Resource<VirtualService>,
    host: &Host,
) -> bool {
    let is_own = |resource: &Resource<VirtualService>| {
        let spec = &resource.spec;
        let mut hosts = spec.hosts.iter();
        spec.gateways.iter().all(|gateway| gateway == MESH)
            && hosts.all(|own| mesh.host(own, resource.namespace()) == *host)
    };
    if !resource.spec.hosts.is_empty() {
        return is_own(resource);
    }
    let roots = audiences.roots_of(resource);
    !roots.is_empty() && roots.iter().all(|root| is_own(root))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, diagnostics, finds, object, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "missing-destination-port";

    #[test]
    fn only_a_choice_has_to_be_made() {
        for (destination, fires) in [
            ("{host: ratings}", true),
            ("{host: ratings, port: {}}", true),
            ("{host: ratings, port: {number: 80}}", false),
            ("{host: reviews}", false),
            ("{host: nobody}", false),
        ] {
            let spec = format!(
                "{{hosts: [x.example.com], gateways: [edge], http: [{{route: [{{destination: {destination}}}]}}]}}"
            );
            let expected: &[_] = if fires {
                &[(
                    "spec.http[0].route[0].destination",
                    "`ratings` has the ports 80, 443",
                )]
            } else {
                &[]
            };
            finds(
                RULE,
                &(SERVICES.to_owned() + &virtual_service("a", &spec)),
                expected,
            );
        }
    }

    #[test]
    fn two_protocols_on_one_port_are_no_choice() {
        let dns = "apiVersion: v1\nkind: Service\nmetadata: {name: dns, namespace: shop}\nspec: {ports: [{port: 53, name: \
                   udp, protocol: UDP}, {port: 53, name: tcp}]}\n---\n";
        silent(
            RULE,
            &(dns.to_owned()
                + &virtual_service("a", "{hosts: [x], tcp: [{route: [{destination: {host: dns}}]}]}")),
        );
    }

    #[test]
    fn a_service_that_gets_its_own_traffic_is_only_warned_of() {
        let severity = |spec: &str, root: &str| {
            let found = diagnostics(RULE, &(SERVICES.to_owned() + root + &virtual_service("a", spec)));
            found.iter().map(|finding| finding.severity).collect::<Vec<_>>()
        };
        let http = "http: [{route: [{destination: {host: ratings}}]}]";
        assert_eq!(
            severity(&format!("{{hosts: [ratings], {http}}}"), ""),
            [Severity::Warning]
        );
        assert_eq!(
            severity(&format!("{{hosts: [ratings, reviews], {http}}}"), ""),
            [Severity::Error]
        );
        assert_eq!(
            severity(
                &format!("{{hosts: [ratings], gateways: [mesh, edge], {http}}}"),
                ""
            ),
            [Severity::Error]
        );
        let root = |host: &str| {
            object(
                "VirtualService",
                "shop",
                "root",
                &format!("{{hosts: [{host}], http: [{{delegate: {{name: a}}}}]}}"),
            )
        };
        assert_eq!(
            severity(&format!("{{{http}}}"), &root("ratings")),
            [Severity::Warning]
        );
        assert_eq!(
            severity(&format!("{{{http}}}"), &root("reviews")),
            [Severity::Error]
        );
    }
}
