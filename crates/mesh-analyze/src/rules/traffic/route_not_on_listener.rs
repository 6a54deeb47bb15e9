//! Routes that no listener takes.

use mesh_core::gateway_api::apis::experimental::gateways::{
    GatewayListeners, GatewayListenersAllowedRoutesNamespacesFrom as From, GatewaySpec,
};
use mesh_core::k8s_openapi::api::core::v1::Namespace;
use mesh_core::{Host, Kind, Mesh, Resource, selects};
use mesh_yaml::path;

use super::attached_routes::{GROUP, ROUTE_KINDS, Reference, Route, gateway, routes};
use super::qualified;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of the Gateway API is attached to a gateway of which no listener takes it.
    ///
    /// ## Why is this bad?
    /// The route has no effect at the gateway.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: HTTPRoute
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   parentRefs: [{name: edge}]
    ///   hostnames: [shop.example.com]
    /// ---
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   gatewayClassName: istio
    ///   listeners: [{name: http, port: 80, protocol: HTTP, hostname: "*.example.org"}]
    /// ```
    ///
    /// ## Fix
    /// Let a listener have the route's protocol and host, and allow its namespace under `allowedRoutes`: unless that says
    /// otherwise, a listener takes routes of its own namespace only.
    pub static RULE = {
        name: "route-not-on-listener",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: ROUTE_KINDS,
        needs: &[&[Kind::KubernetesGateway]],
        check,
    }
}

/// Why a listener does not take a route; the later, the nearer it is to taking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Refusal {
    Protocol,
    Kind,
    Namespace,
    Host,
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    reporter.each(&routes(mesh), |route, reporter| {
        for parent in route.parents.iter().filter(|parent| parent.is_gateway()) {
            // An unknown one is reported by `unknown-parent-ref`.
            if let Some(gateway) = gateway(mesh, parent) {
                check_parent(mesh, route, parent, gateway, reporter);
            }
        }
    });
}

fn check_parent(
    mesh: &Mesh,
    route: &Route<'_>,
    parent: &Reference<'_>,
    gateway: &Resource<GatewaySpec>,
    reporter: &mut Reporter<'_>,
) {
    if gateway.spec.allowed_listeners.is_some() {
        return; // More listeners may come from ListenerSets.
    }
    let is_meant = |listener: &GatewayListeners| {
        parent.section.is_none_or(|section| listener.name == section)
            && parent.port.is_none_or(|port| listener.port == port)
    };
    let mut nearest: Option<(Refusal, usize)> = None;
    for (index, listener) in gateway.spec.listeners.iter().enumerate() {
        if !is_meant(listener) {
            continue;
        }
        let Some(refusal) = refusal(mesh, route, gateway, listener) else {
            return;
        };
        if nearest.is_none_or(|(known, _)| refusal > known) {
            nearest = Some((refusal, index));
        }
    }
    let Some((refusal, index)) = nearest else {
        return; // `unknown-parent-ref` reports it.
    };
    let kind = route.header.kind();
    let listener = path!["spec", "listeners", index];
    let (reason, at, help) = match refusal {
        Refusal::Protocol => (
            format!("is of a protocol for {kind}s"),
            listener.key("protocol"),
            "attach it to a listener of its own protocol",
        ),
        Refusal::Kind => (
            format!("takes {kind}s"),
            listener.key("allowedRoutes"),
            "add the kind to `allowedRoutes.kinds` of the listener",
        ),
        Refusal::Namespace => (
            format!("takes routes of namespace `{}`", route.header.namespace()),
            listener.key("allowedRoutes"),
            "allow the namespace under `allowedRoutes.namespaces` of the listener",
        ),
        Refusal::Host => (
            "has a host in common with it".to_owned(),
            listener.key("hostname"),
            "use a host that the listener has",
        ),
    };
    reporter
        .report(route.header, parent.path.key("name"))
        .message(format!(
            "no listener of Gateway `{}` {reason}",
            qualified(gateway)
        ))
        .help(help)
        .related(gateway, at, "the listener that comes nearest");
}

/// Why the listener does not take the route; `None` if it does, or may.
fn refusal(
    mesh: &Mesh,
    route: &Route<'_>,
    gateway: &Resource<GatewaySpec>,
    listener: &GatewayListeners,
) -> Option<Refusal> {
    let kind = route.header.kind();
    let fits = match listener.protocol.as_str() {
        "HTTP" | "HTTPS" => matches!(kind, Kind::HttpRoute | Kind::GrpcRoute),
        // What is behind TLS that ends here may be any stream.
        "TLS" => matches!(kind, Kind::TlsRoute | Kind::TcpRoute),
        "TCP" => kind == Kind::TcpRoute,
        "UDP" => false,
        _ => true,
    };
    if !fits {
        return Some(Refusal::Protocol);
    }
    let allowed = listener.allowed_routes.as_ref();
    let kinds = allowed
        .and_then(|allowed| allowed.kinds.as_deref())
        .unwrap_or_default();
    let is_kind = |group: Option<&str>, name: &str| {
        group.is_none_or(|group| group == GROUP) && name == kind.info().name
    };
    if !kinds.is_empty()
        && !kinds
            .iter()
            .any(|allowed| is_kind(allowed.group.as_deref(), &allowed.kind))
    {
        return Some(Refusal::Kind);
    }
    let namespaces = allowed.and_then(|allowed| allowed.namespaces.as_ref());
    let own = route.header.namespace();
    let is_allowed = match namespaces.and_then(|namespaces| namespaces.from.as_ref()) {
        None | Some(From::Same) => own == gateway.namespace(),
        Some(From::Selector) => {
            let selector = namespaces.and_then(|namespaces| namespaces.selector.as_ref());
            let labels = selector.and_then(|selector| selector.match_labels.as_ref());
            let namespace = mesh.get::<Namespace>("", own);
            match (labels, namespace) {
                (Some(labels), Some(namespace)) => {
                    // Every namespace has its name as a label.
                    let mut known = namespace.labels().clone();
                    known
                        .entry("kubernetes.io/metadata.name".to_owned())
                        .or_insert_with(|| own.to_owned());
                    selects(labels, &known)
                }
                _ => true,
            }
        }
        Some(_) => true,
    };
    if !is_allowed {
        return Some(Refusal::Namespace);
    }
    let host = listener
        .hostname
        .as_deref()
        .filter(|host| !host.is_empty())
        .map(Host::new);
    let is_common = host.is_none_or(|host| {
        route.hostnames.is_empty()
            || route
                .hostnames
                .iter()
                .any(|name| Host::new(*name).overlaps(&host))
    });
    // Hosts matter to routes of connections only where there is a server name.
    (!is_common && kind != Kind::TcpRoute).then_some(Refusal::Host)
}

#[cfg(test)]
mod tests {
    use super::super::attached_routes::testing::object;
    use super::super::testing::{finds, silent};

    const RULE: &str = "route-not-on-listener";

    fn gateway(listeners: &str) -> String {
        object(
            "Gateway",
            "infra",
            "edge",
            &format!("{{gatewayClassName: istio, listeners: [{listeners}]}}"),
        )
    }

    fn route(kind: &str, namespace: &str, more: &str) -> String {
        let spec = format!(
            "{{parentRefs: [{{name: edge, namespace: infra{more}}}], hostnames: [a.x.y], rules: [{{backendRefs: []}}]}}"
        );
        object(kind, namespace, "a", &spec)
    }

    const LABELLED: &str =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {tier: a}}\n---\n";

    #[test]
    fn listeners_say_what_they_take() {
        let from = |from: &str| {
            format!("{{name: l, port: 80, protocol: HTTP, allowedRoutes: {{namespaces: {from}}}}}")
        };
        for (listeners, kind, namespace, expected) in [
            (
                "{name: l, port: 80, protocol: HTTP}".to_owned(),
                "HTTPRoute",
                "infra",
                None,
            ),
            (
                "{name: l, port: 80, protocol: HTTP}".to_owned(),
                "HTTPRoute",
                "shop",
                Some("takes routes of namespace `shop`"),
            ),
            (
                "{name: l, port: 80, protocol: TCP}".to_owned(),
                "HTTPRoute",
                "infra",
                Some("is of a protocol for HTTPRoutes"),
            ),
            (
                "{name: l, port: 80, protocol: HTTP}".to_owned(),
                "TLSRoute",
                "infra",
                Some("is of a protocol for TLSRoutes"),
            ),
            (
                "{name: l, port: 80, protocol: TLS, tls: {mode: Passthrough}}".to_owned(),
                "TLSRoute",
                "infra",
                None,
            ),
            (
                "{name: l, port: 80, protocol: vendor.example/x}".to_owned(),
                "HTTPRoute",
                "infra",
                None,
            ),
            (
                "{name: l, port: 80, protocol: HTTP, hostname: '*.y'}".to_owned(),
                "GRPCRoute",
                "infra",
                None,
            ),
            (
                "{name: l, port: 80, protocol: HTTP, hostname: b.x.y}".to_owned(),
                "HTTPRoute",
                "infra",
                Some("has a host in common with it"),
            ),
            (
                "{name: l, port: 80, protocol: HTTP, hostname: b.x.y}, {name: m, port: 80, protocol: HTTP}"
                    .to_owned(),
                "HTTPRoute",
                "infra",
                None,
            ),
            (
                "{name: l, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}".to_owned(),
                "HTTPRoute",
                "infra",
                Some("takes HTTPRoutes"),
            ),
            (from("{from: All}"), "HTTPRoute", "shop", None),
            (
                from("{from: Same}"),
                "HTTPRoute",
                "shop",
                Some("takes routes of namespace `shop`"),
            ),
            (
                from("{from: Selector, selector: {matchLabels: {tier: a}}}"),
                "HTTPRoute",
                "shop",
                None,
            ),
            (
                from("{from: Selector, selector: {matchLabels: {kubernetes.io/metadata.name: shop}}}"),
                "HTTPRoute",
                "shop",
                None,
            ),
            (
                from("{from: Selector, selector: {matchLabels: {tier: b}}}"),
                "HTTPRoute",
                "shop",
                Some("takes routes of"),
            ),
            (
                from("{from: Selector, selector: {matchLabels: {tier: b}}}"),
                "HTTPRoute",
                "unknown",
                None,
            ),
        ] {
            let text = LABELLED.to_owned() + &gateway(&listeners) + &route(kind, namespace, "");
            let expected: Vec<_> = expected
                .map(|message| ("spec.parentRefs[0].name", message))
                .into_iter()
                .collect();
            finds(RULE, &text, &expected);
        }
    }

    #[test]
    fn only_the_listener_that_is_meant_counts() {
        let two = "{name: a, port: 80, protocol: HTTP, hostname: b.x.y}, {name: b, port: 81, protocol: HTTP}";
        finds(
            RULE,
            &(gateway(two) + &route("HTTPRoute", "infra", ", sectionName: a")),
            &[(
                "spec.parentRefs[0].name",
                "no listener of Gateway `infra/edge` has a host in common with it",
            )],
        );
        silent(RULE, &(gateway(two) + &route("HTTPRoute", "infra", ", port: 81")));
        silent(
            RULE,
            &(gateway(two) + &route("HTTPRoute", "infra", ", sectionName: c")),
        );
    }
}
