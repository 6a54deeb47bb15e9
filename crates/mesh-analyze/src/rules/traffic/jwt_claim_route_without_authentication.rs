//! Routes by token at gateways that read no tokens.

use mesh_core::istio::gateway::Gateway;
use mesh_core::istio::request_authentication::RequestAuthentication;
use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Kind, Labels, Mesh, Resource, selects};
use mesh_yaml::{FieldPath, path};

use super::gateways::{MESH, gateway_id};
use super::proxies::Proxies;
use super::qualified;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService routes by claims of a token at a gateway without a RequestAuthentication.
    ///
    /// ## Why is this bad?
    /// Claims are known only where a RequestAuthentication checks the token. Without one, the match holds for no request.
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
    ///   - match:
    ///     - headers: {"@request.auth.claims.group": {exact: staff}}
    ///     route:
    ///     - destination: {host: storefront}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 80, name: http, protocol: HTTP}
    ///     hosts: [shop.example.com]
    /// ```
    ///
    /// ## Fix
    /// Add a RequestAuthentication with the token's issuer that selects the gateway's proxies, in their namespace or in the
    /// root namespace.
    pub static RULE = {
        name: "jwt-claim-route-without-authentication",
        aliases: &["IST0149"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::Gateway, Kind::KubernetesGateway]],
        also_reads: &[Kind::RequestAuthentication],
        check,
    }
}

/// What headers are called that stand for claims.
const CLAIMS: &str = "@request.auth.claims";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let proxies = reporter.proxies();
    for resource in mesh.virtual_services() {
        let Some(place) = claim_match(&resource.spec) else {
            continue;
        };
        for name in resource.spec.gateways.iter().filter(|name| *name != MESH) {
            let (namespace, gateway) = gateway_id(name, resource.namespace());
            // Unknown gateways are reported by `unknown-gateway`; of the Gateway API's, the proxies are their own.
            let Some(gateway) = mesh.get::<Gateway>(namespace, gateway) else {
                continue;
            };
            if !is_authenticated(mesh, proxies, gateway) {
                reporter
                    .report(resource, place)
                    .message(format!(
                        "no RequestAuthentication checks tokens at gateway `{}`, so that this matches no request",
                        qualified(gateway)
                    ))
                    .help("add a RequestAuthentication that selects the gateway's proxies")
                    .related(gateway, path!["spec", "selector"], "selects the proxies");
                break;
            }
        }
    }
}

/// The first match on a claim.
fn claim_match(spec: &VirtualService) -> Option<FieldPath> {
    spec.http.iter().enumerate().find_map(|(rule, route)| {
        route.matches.iter().enumerate().find_map(|(index, matched)| {
            let place = path!["spec", "http", rule, "match", index];
            let is_claim = |name: &&String| name.starts_with(CLAIMS);
            let header = matched
                .headers
                .keys()
                .find(is_claim)
                .map(|name| ("headers", name));
            let without = || {
                matched
                    .without_headers
                    .keys()
                    .find(is_claim)
                    .map(|name| ("withoutHeaders", name))
            };
            header
                .or_else(without)
                .map(|(field, name)| place.key(field).key(name))
        })
    })
}

fn is_authenticated(mesh: &Mesh, proxies: &Proxies<'_>, gateway: &Resource<Gateway>) -> bool {
    let root = mesh.root_namespace();
    let known = proxies.of(gateway);
    mesh.request_authentications().iter().any(|policy| {
        if !applies_by_selector(&policy.spec) {
            return false;
        }
        let empty = Labels::new();
        let selector = policy
            .spec
            .selector
            .as_ref()
            .map_or(&empty, |selector| &selector.match_labels);
        if known.is_empty() {
            // Where the proxies are is not known, and what other labels they have.
            let fits = |(key, value): (&String, &String)| {
                gateway.spec.selector.get(key).is_none_or(|other| other == value)
            };
            return selector.iter().all(fits);
        }
        known.iter().any(|workload| {
            (policy.namespace() == root || policy.namespace() == workload.namespace())
                && selects(selector, workload.labels())
        })
    })
}

fn applies_by_selector(spec: &RequestAuthentication) -> bool {
    !spec.jwt_rules.is_empty() && spec.target_refs.is_empty() && spec.target_ref.is_none()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deployment, finds, object, silent, virtual_service};

    const RULE: &str = "jwt-claim-route-without-authentication";

    fn mesh(matched: &str) -> String {
        object("Gateway", "shop", "edge", "{selector: {app: edge}, servers: []}")
            + &virtual_service(
                "a",
                &format!("{{hosts: [x], gateways: [edge], http: [{{match: [{matched}]}}]}}"),
            )
    }

    fn policy(namespace: &str, spec: &str) -> String {
        object("RequestAuthentication", namespace, "jwt", spec).replace("networking", "security")
    }

    const CLAIM: &str = "{headers: {'@request.auth.claims.group': {exact: a}}}";
    const RULES: &str = "jwtRules: [{issuer: a}]";

    #[test]
    fn claims_are_found_wherever_they_are_matched() {
        let message = "no RequestAuthentication checks tokens at gateway `shop/edge`";
        finds(
            RULE,
            &mesh(CLAIM),
            &[(
                r#"spec.http[0].match[0].headers["@request.auth.claims.group"]"#,
                message,
            )],
        );
        finds(
            RULE,
            &mesh("{}, {withoutHeaders: {'@request.auth.claims[a][b]': {}}}"),
            &[(
                r#"spec.http[0].match[1].withoutHeaders["@request.auth.claims[a][b]"]"#,
                message,
            )],
        );
        silent(RULE, &mesh("{headers: {x: {exact: a}}}"));
    }

    #[test]
    fn policies_have_to_reach_the_proxies() {
        let pods = deployment("infra", "edge", "{app: edge, tier: front}");
        for (namespace, spec, fires) in [
            ("infra", format!("{{{RULES}}}"), false),
            ("istio-system", format!("{{{RULES}}}"), false),
            (
                "infra",
                format!("{{selector: {{matchLabels: {{tier: front}}}}, {RULES}}}"),
                false,
            ),
            ("shop", format!("{{{RULES}}}"), true),
            (
                "infra",
                format!("{{selector: {{matchLabels: {{app: x}}}}, {RULES}}}"),
                true,
            ),
            ("infra", "{jwtRules: []}".to_owned(), true),
            (
                "infra",
                format!("{{targetRefs: [{{kind: Service, name: x}}], {RULES}}}"),
                true,
            ),
        ] {
            let text = pods.clone() + &policy(namespace, &spec) + &mesh(CLAIM);
            let expected: &[_] = if fires {
                &[(
                    r#"spec.http[0].match[0].headers["@request.auth.claims.group"]"#,
                    "",
                )]
            } else {
                &[]
            };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn unknown_proxies_may_be_reached() {
        silent(
            RULE,
            &(policy(
                "anywhere",
                &format!("{{selector: {{matchLabels: {{app: edge, x: y}}}}, {RULES}}}"),
            ) + &mesh(CLAIM)),
        );
    }
}
