//! Routes to other namespaces without leave.

use mesh_core::gateway_api::apis::experimental::referencegrants::ReferenceGrantSpec;
use mesh_core::{Kind, Mesh, Resource};
use rustc_hash::FxHashMap;

use super::attached_routes::{GROUP, ROUTE_KINDS, Reference, Route, routes};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of the Gateway API sends traffic to another namespace, which has not allowed it.
    ///
    /// ## Why is this bad?
    /// Without a ReferenceGrant in the service's namespace the reference is refused: requests are answered with 500.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: HTTPRoute
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   parentRefs: [{name: edge}]
    ///   rules:
    ///   - backendRefs: [{name: billing, namespace: billing, port: 80}]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: billing, namespace: billing}
    /// spec:
    ///   selector: {app: billing}
    ///   ports: [{port: 80, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Add a ReferenceGrant to the service's namespace, with the route's kind and namespace under `from`, and `kind: Service`
    /// under `to`.
    pub static RULE = {
        name: "missing-reference-grant",
        aliases: &["KIA1402"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: ROUTE_KINDS,
        needs: &[&[Kind::Service]],
        also_reads: &[Kind::ReferenceGrant],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut grants: FxHashMap<&str, Vec<&Resource<ReferenceGrantSpec>>> = FxHashMap::default();
    for grant in mesh.reference_grants() {
        grants.entry(grant.namespace()).or_default().push(grant);
    }
    reporter.each(&routes(mesh), |route, reporter| {
        for backend in route.backends.iter().filter(|backend| backend.is_service(true)) {
            let is_elsewhere = backend.namespace != route.header.namespace();
            // An unknown service is reported by `unknown-backend-ref`.
            if !is_elsewhere || !mesh.contains(Kind::Service, backend.namespace, backend.name) {
                continue;
            }
            let grants = grants.get(backend.namespace).map_or(&[][..], Vec::as_slice);
            if grants.iter().any(|grant| allows(&grant.spec, route, backend)) {
                continue;
            }
            reporter
                .report(route.header, backend.path.key("namespace"))
                .message(format!(
                    "namespace `{}` has no ReferenceGrant for {}s of namespace `{}` to Service `{}`",
                    backend.namespace,
                    route.header.kind(),
                    route.header.namespace(),
                    backend.name
                ))
                .help(format!(
                    "add a ReferenceGrant to namespace `{}`",
                    backend.namespace
                ));
        }
    });
}

fn allows(grant: &ReferenceGrantSpec, route: &Route<'_>, backend: &Reference<'_>) -> bool {
    let kind = route.header.kind().info().name;
    let is_from = grant
        .from
        .iter()
        .any(|from| from.group == GROUP && from.kind == kind && from.namespace == route.header.namespace());
    is_from
        && grant.to.iter().any(|to| {
            let is_named = |name: &str| name.is_empty() || name == backend.name;
            to.group.is_empty() && to.kind == "Service" && to.name.as_deref().is_none_or(is_named)
        })
}

#[cfg(test)]
mod tests {
    use super::super::attached_routes::testing::object;
    use super::super::testing::{SERVICES, finds, silent};

    const RULE: &str = "missing-reference-grant";

    fn route(backend: &str) -> String {
        object(
            "HTTPRoute",
            "shop",
            "a",
            &format!("{{rules: [{{backendRefs: [{backend}]}}]}}"),
        )
    }

    fn grant(namespace: &str, from: &str, to: &str) -> String {
        let from = from.replace("KIND", "group: gateway.networking.k8s.io, kind");
        object(
            "ReferenceGrant",
            namespace,
            "g",
            &format!("{{from: [{from}], to: [{to}]}}"),
        )
    }

    #[test]
    fn other_namespaces_have_to_allow_it() {
        let abroad = "{name: billing, namespace: prod, port: 80}";
        let from = "{KIND: HTTPRoute, namespace: shop}";
        for (grant, fires) in [
            (String::new(), true),
            (grant("prod", from, "{group: '', kind: Service}"), false),
            (
                grant("prod", from, "{group: '', kind: Service, name: billing}"),
                false,
            ),
            (
                grant("prod", from, "{group: '', kind: Service, name: other}"),
                true,
            ),
            (grant("prod", from, "{group: '', kind: Secret}"), true),
            (
                grant(
                    "prod",
                    "{KIND: GRPCRoute, namespace: shop}",
                    "{group: '', kind: Service}",
                ),
                true,
            ),
            (
                grant(
                    "prod",
                    "{KIND: HTTPRoute, namespace: other}",
                    "{group: '', kind: Service}",
                ),
                true,
            ),
            (grant("shop", from, "{group: '', kind: Service}"), true),
        ] {
            let expected: &[_] = if fires {
                &[(
                    "spec.rules[0].backendRefs[0].namespace",
                    "namespace `prod` has no ReferenceGrant for HTTPRoutes of namespace `shop`",
                )]
            } else {
                &[]
            };
            finds(RULE, &(SERVICES.to_owned() + &grant + &route(abroad)), expected);
        }
        silent(RULE, &(SERVICES.to_owned() + &route("{name: ratings, port: 80}")));
        silent(
            RULE,
            &(SERVICES.to_owned() + &route("{name: ratings, namespace: shop, port: 80}")),
        );
        silent(
            RULE,
            &(SERVICES.to_owned() + &route("{name: nobody, namespace: prod, port: 80}")),
        );
    }
}
