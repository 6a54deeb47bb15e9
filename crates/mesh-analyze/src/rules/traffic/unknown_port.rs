//! Destination ports that the service does not have.

use mesh_core::registry::{ServicePort, TargetPort};
use mesh_core::{Kind, Mesh, Service};

use super::audience::Audiences;
use super::destinations::{Seen, each_destination};
use super::{ports_path, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService sends traffic to a port that the destination's service does not have.
    ///
    /// ## Why is this bad?
    /// Proxies have no cluster for the port. Every request that takes the route is answered with 503.
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
    ///     - destination: {host: reviews, port: {number: 8080}}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {app: reviews}
    ///   ports: [{port: 80, targetPort: 8080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Write a port of the service, not of its pods: the `port` rather than the `targetPort`.
    pub static RULE = {
        name: "unknown-port",
        aliases: &["IST0101"],
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
        check_destination(mesh, seen, reporter);
    });
}

fn check_destination(mesh: &Mesh, seen: &Seen<'_, '_>, reporter: &mut Reporter<'_>) {
    /// A host with more declarations than this is not judged.
    const COMPARED: usize = 64;
    let number = seen.destination.port.as_ref().map_or(0, |port| port.number);
    let Some(service) = seen.service().filter(|_| number != 0) else {
        return; // Without a service, `unknown-host` reports it.
    };
    // Several objects may declare one host, and which counts may depend on the client.
    let mut same_host = mesh.registry().with_host(service.host().as_str());
    let has_port = |service: &Service| service.port(number).is_some() || has_unknown_ports(service);
    if same_host.by_ref().take(COMPARED).any(has_port) || same_host.next().is_some() {
        return;
    }
    let ports = service.ports();
    let help = match ports
        .iter()
        .find(|port| port.target == TargetPort::Number(number))
    {
        Some(port) => format!("write {}: {number} is its target port", port.number),
        None => format!("write one of its ports: {}", described(ports)),
    };
    let kind = service.header().kind();
    reporter
        .report(seen.resource, seen.spot.path().key("port").key("number"))
        .message(format!(
            "`{}` has no port {number}, only {}",
            seen.destination.host,
            described(ports)
        ))
        .help(help)
        .related(
            service.header(),
            ports_path(),
            format!("the ports of {kind} `{}`", qualified(service.header())),
        );
}

/// An alias stands for whatever ports its target has, and so does a service that lists none.
fn has_unknown_ports(service: &Service) -> bool {
    service.is_external_name() || service.ports().is_empty()
}

/// `80 (http), 443 (https)`
fn described(ports: &[ServicePort]) -> String {
    const SHOWN: usize = 8;
    let shown = ports.iter().take(SHOWN).map(|port| {
        if port.name.is_empty() {
            port.number.to_string()
        } else {
            format!("{} ({})", port.number, port.name)
        }
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if ports.len() > SHOWN {
        text.push_str(", …");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, diagnostics, finds, object, silent, virtual_service};

    const RULE: &str = "unknown-port";

    fn route(host: &str, port: u32) -> String {
        let destination = format!("{{host: '{host}', port: {{number: {port}}}}}");
        virtual_service(
            "a",
            &format!("{{hosts: [x], http: [{{route: [{{destination: {destination}}}]}}]}}"),
        )
    }

    #[test]
    fn ports_are_those_of_the_service() {
        let at = "spec.http[0].route[0].destination.port.number";
        for (host, port, message) in [
            (
                "ratings",
                8080,
                Some("`ratings` has no port 8080, only 80 (http), 443 (https)"),
            ),
            ("ratings", 80, None),
            ("ratings", 443, None),
            (
                "billing.prod.svc.cluster.local",
                81,
                Some("has no port 81, only 80 (http)"),
            ),
            ("nobody", 80, None),
            ("ratings", 0, None),
        ] {
            let expected: Vec<_> = message.into_iter().map(|message| (at, message)).collect();
            finds(RULE, &(SERVICES.to_owned() + &route(host, port)), &expected);
        }
    }

    #[test]
    fn a_target_port_is_recognised() {
        let found = diagnostics(RULE, &(SERVICES.to_owned() + &route("ratings", 8080)));
        assert_eq!(
            found[0].help.as_deref(),
            Some("write 80: 8080 is its target port")
        );
        assert_eq!(found[0].related[0].place.path.to_string(), "spec.ports");
    }

    #[test]
    fn any_of_several_declarations_of_a_host_will_do() {
        let entry = |name: &str, port: u32| {
            object(
                "ServiceEntry",
                name,
                name,
                &format!("{{hosts: ['*.example.com'], ports: [{{number: {port}, name: p}}]}}"),
            )
        };
        let two = entry("a", 80) + &entry("b", 443);
        silent(RULE, &(two.clone() + &route("*.example.com", 443)));
        silent(RULE, &(two.clone() + &route("x.example.com", 443)));
        finds(
            RULE,
            &(two + &route("x.example.com", 8443)),
            &[("spec.http[0].route[0].destination.port.number", "no port 8443")],
        );
    }

    #[test]
    fn aliases_have_the_ports_of_what_they_stand_for() {
        let alias = "apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: {type: ExternalName, \
                     externalName: db.example.com}\n---\n";
        silent(RULE, &(alias.to_owned() + &route("db", 5432)));
    }
}
