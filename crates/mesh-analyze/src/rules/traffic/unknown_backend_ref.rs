//! Routes to services that do not exist.

use mesh_core::{Host, Kind, Lookup, Mesh};

use super::attached_routes::{ROUTE_KINDS, routes};
use super::{KnownServices, namespaces_of_input, ports_path};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of the Gateway API sends traffic to a service, or a port of one, that does not exist.
    ///
    /// ## Why is this bad?
    /// Requests that take the route are answered with 500.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: HTTPRoute
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   parentRefs: [{name: edge}]
    ///   rules:
    ///   - backendRefs: [{name: storefront, port: 8080}]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: storefront, namespace: shop}
    /// spec:
    ///   selector: {app: storefront}
    ///   ports: [{port: 80, targetPort: 8080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Correct the name, or set `namespace` for a service in another namespace. The port is the service's, not that of its
    /// pods. For a namespace of which the input has nothing, this is a warning.
    pub static RULE = {
        name: "unknown-backend-ref",
        aliases: &["KIA1402"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: ROUTE_KINDS,
        needs: &[&[Kind::Service]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let routes = routes(mesh);
    if routes.is_empty() {
        return;
    }
    let known = KnownServices::new(mesh);
    let namespaces = namespaces_of_input(mesh);
    let domain = &mesh.settings().cluster_domain;
    reporter.each(&routes, |route, reporter| {
        for backend in route.backends.iter().filter(|backend| backend.is_service(true)) {
            if backend.name.is_empty() {
                continue;
            }
            let host = Host::of_service(backend.name, backend.namespace, domain);
            if !mesh.contains(Kind::Service, backend.namespace, backend.name) {
                if !known.would_show(&host) {
                    continue;
                }
                let finding = reporter.report(route.header, backend.path.key("name"));
                finding
                    .message(format!(
                        "there is no Service `{}` in namespace `{}`",
                        backend.name, backend.namespace
                    ))
                    .help("correct the name, or set `namespace`");
                if !namespaces.contains(backend.namespace) {
                    finding.severity(Severity::Warning);
                }
                continue;
            }
            // Visibility does not matter here: the service's own namespace sees it.
            let (Lookup::Found(service) | Lookup::Hidden(service)) =
                mesh.registry().lookup(&host, backend.namespace)
            else {
                continue;
            };
            let Some(number) = backend.port.and_then(|port| u32::try_from(port).ok()) else {
                continue; // The schema requires it.
            };
            if service.port(number).is_some() || service.ports().is_empty() || service.is_external_name() {
                continue;
            }
            let ports: Vec<_> = service
                .ports()
                .iter()
                .map(|port| port.number.to_string())
                .collect();
            reporter
                .report(route.header, backend.path.key("port"))
                .message(format!(
                    "Service `{}` has no port {number}, only {}",
                    backend.name,
                    ports.join(", ")
                ))
                .help("write a port of the service, not of its pods")
                .related(service.header(), ports_path(), "its ports");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::attached_routes::testing::object;
    use super::super::testing::{SERVICES, diagnostics, finds};
    use crate::Severity;

    const RULE: &str = "unknown-backend-ref";

    fn route(kind: &str, backend: &str) -> String {
        object(
            kind,
            "shop",
            "a",
            &format!("{{hostnames: [a.x], rules: [{{backendRefs: [{backend}]}}]}}"),
        )
    }

    #[test]
    fn services_and_ports_are_looked_up() {
        let at = |field: &str| format!("spec.rules[0].backendRefs[0].{field}");
        for (backend, expected) in [
            ("{name: ratings, port: 80}", None),
            ("{name: billing, namespace: prod, port: 80}", None),
            (
                "{name: api.example.com, kind: Hostname, group: networking.istio.io, port: 80}",
                None,
            ),
            (
                "{name: rating, port: 80}",
                Some(("name", "there is no Service `rating` in namespace `shop`")),
            ),
            (
                "{name: billing, port: 80}",
                Some(("name", "there is no Service `billing` in namespace `shop`")),
            ),
            (
                "{name: ratings, port: 8080}",
                Some(("port", "Service `ratings` has no port 8080, only 80, 443")),
            ),
        ] {
            for kind in ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"] {
                let text = SERVICES.to_owned() + &route(kind, backend);
                match expected {
                    Some((field, message)) => finds(RULE, &text, &[(&at(field), message)]),
                    None => finds(RULE, &text, &[]),
                }
            }
        }
    }

    #[test]
    fn mirrors_count() {
        let spec =
            "{rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: x, port: 80}}}]}]}";
        finds(
            RULE,
            &(SERVICES.to_owned() + &object("HTTPRoute", "shop", "a", spec)),
            &[(
                "spec.rules[0].filters[0].requestMirror.backendRef.name",
                "no Service `x`",
            )],
        );
    }

    #[test]
    fn a_namespace_that_is_not_in_the_input_makes_it_a_warning() {
        let text = SERVICES.to_owned() + &route("HTTPRoute", "{name: x, namespace: nowhere, port: 80}");
        assert_eq!(diagnostics(RULE, &text)[0].severity, Severity::Warning);
    }
}
