//! Routes attached to nothing.

use mesh_core::{Kind, Mesh};

use super::attached_routes::{ROUTE_KINDS, Reference, Route, gateway, routes};
use super::{listed, namespaces_of_input};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of the Gateway API is attached to a gateway or listener that does not exist.
    ///
    /// ## Why is this bad?
    /// The route has no effect.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: HTTPRoute
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   parentRefs: [{name: edge, sectionName: https}]
    ///   hostnames: [shop.example.com]
    /// ---
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   gatewayClassName: istio
    ///   listeners: [{name: http, port: 80, protocol: HTTP}]
    /// ```
    ///
    /// ## Fix
    /// Correct the name, or add `namespace` for a gateway in another namespace. `sectionName` is the name of a listener. For
    /// a namespace of which the input has nothing, this is a warning.
    pub static RULE = {
        name: "unknown-parent-ref",
        aliases: &["KIA1401"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: ROUTE_KINDS,
        needs: &[&[Kind::KubernetesGateway, Kind::Service]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let routes = routes(mesh);
    if routes.is_empty() {
        return;
    }
    let namespaces = namespaces_of_input(mesh);
    reporter.each(&routes, |route, reporter| {
        for parent in &route.parents {
            let known_kind = if parent.is_gateway() {
                Kind::KubernetesGateway
            } else if parent.is_service(false) {
                Kind::Service
            } else {
                continue;
            };
            if mesh.count(known_kind) == 0 {
                continue;
            }
            if mesh.contains(known_kind, parent.namespace, parent.name) {
                if known_kind == Kind::KubernetesGateway {
                    check_listener(mesh, route, parent, reporter);
                }
                continue;
            }
            let finding = reporter.report(route.header, parent.path.key("name"));
            finding
                .message(format!(
                    "there is no {known_kind} `{}` in namespace `{}` to attach to",
                    parent.name, parent.namespace
                ))
                .help("correct the name, or set `namespace`");
            if !namespaces.contains(parent.namespace) {
                finding.severity(Severity::Warning);
            }
        }
    });
}

fn check_listener(mesh: &Mesh, route: &Route<'_>, parent: &Reference<'_>, reporter: &mut Reporter<'_>) {
    let Some(gateway) = gateway(mesh, parent) else {
        return;
    };
    // More listeners may come from ListenerSets.
    if gateway.spec.allowed_listeners.is_some() || gateway.spec.listeners.is_empty() {
        return;
    }
    let listeners = &gateway.spec.listeners;
    if let Some(section) = parent.section
        && !listeners.iter().any(|listener| listener.name == section)
    {
        let names = listed(listeners.iter().map(|listener| listener.name.as_str()));
        reporter
            .report(route.header, parent.path.key("sectionName"))
            .message(format!("Gateway `{}` has no listener `{section}`", parent.name))
            .help(format!("its listeners are {names}"))
            .related(gateway, mesh_yaml::path!["spec", "listeners"], "the listeners");
    } else if let Some(port) = parent.port
        && !listeners.iter().any(|listener| listener.port == port)
    {
        reporter
            .report(route.header, parent.path.key("port"))
            .message(format!(
                "Gateway `{}` has no listener on port {port}",
                parent.name
            ))
            .help("write a port of its listeners, or leave `port` out")
            .related(gateway, mesh_yaml::path!["spec", "listeners"], "the listeners");
    }
}

#[cfg(test)]
mod tests {
    use super::super::attached_routes::testing::object;
    use super::super::testing::{SERVICES, diagnostics, finds, silent};
    use crate::Severity;

    const RULE: &str = "unknown-parent-ref";

    fn gateway() -> String {
        object(
            "Gateway",
            "shop",
            "edge",
            "{gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}",
        )
    }

    #[test]
    fn gateways_listeners_and_services_are_looked_up() {
        for (kind, parent, expected) in [
            ("HTTPRoute", "{name: edge}", None),
            ("HTTPRoute", "{name: edge, sectionName: http, port: 80}", None),
            ("GRPCRoute", "{name: edge, namespace: shop}", None),
            ("HTTPRoute", "{kind: Service, group: '', name: reviews}", None),
            (
                "HTTPRoute",
                "{kind: ServiceEntry, group: networking.istio.io, name: x}",
                None,
            ),
            (
                "HTTPRoute",
                "{name: egde}",
                Some(("name", "there is no Gateway `egde` in namespace `shop`")),
            ),
            (
                "TLSRoute",
                "{name: edge, namespace: prod}",
                Some(("name", "no Gateway `edge` in namespace `prod`")),
            ),
            (
                "TCPRoute",
                "{name: edge, sectionName: tcp}",
                Some(("sectionName", "has no listener `tcp`")),
            ),
            (
                "GRPCRoute",
                "{name: edge, port: 443}",
                Some(("port", "has no listener on port 443")),
            ),
            (
                "HTTPRoute",
                "{kind: Service, group: '', name: x}",
                Some(("name", "there is no Service `x`")),
            ),
        ] {
            let more = match kind {
                "TLSRoute" => ", hostnames: [a.x], rules: [{backendRefs: []}]",
                "TCPRoute" => ", rules: [{backendRefs: []}]",
                _ => "",
            };
            let route = object(kind, "shop", "a", &format!("{{parentRefs: [{parent}]{more}}}"));
            let expected: Vec<_> = expected
                .map(|(field, message)| (format!("spec.parentRefs[0].{field}"), message))
                .into_iter()
                .collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(path, message)| (path.as_str(), *message))
                .collect();
            finds(RULE, &(SERVICES.to_owned() + &gateway() + &route), &expected);
        }
    }

    #[test]
    fn what_the_input_cannot_show_is_judged_mildly() {
        let route = object(
            "HTTPRoute",
            "shop",
            "a",
            "{parentRefs: [{name: edge, namespace: nowhere}]}",
        );
        assert_eq!(
            diagnostics(RULE, &(gateway() + &route))[0].severity,
            Severity::Warning
        );
        silent(RULE, &(SERVICES.to_owned() + &route));
    }
}
