//! References to gateways that do not exist.

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::FieldPath;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::gateways::{MESH, exists, gateway_id, is_generated, references};
use super::{Suggestions, listed, namespaces_of_input};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService is bound to a gateway that does not exist.
    ///
    /// ## Why is this bad?
    /// The VirtualService has no effect at that gateway. It is accepted without a word, and requests get 404.
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
    ///     - destination: {host: storefront}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: istio-system}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 80, name: http, protocol: HTTP}
    ///     hosts: [shop.example.com]
    /// ```
    ///
    /// ## Fix
    /// Write `namespace/name` for a gateway in another namespace. The reserved word `mesh` means all sidecars. For a
    /// namespace of which the input has nothing, this is a warning.
    pub static RULE = {
        name: "unknown-gateway",
        aliases: &["IST0101", "KIA1102"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::Gateway, Kind::KubernetesGateway]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let unknown: Vec<(&Resource<VirtualService>, FieldPath, &str)> = mesh
        .virtual_services()
        .par_iter()
        .with_min_len(64)
        .flat_map_iter(|resource| {
            references(resource).filter_map(move |(path, name)| {
                let (namespace, gateway) = gateway_id(name, resource.namespace());
                let is_known = name == MESH || is_generated(name) || exists(mesh, namespace, gateway);
                (!is_known && !name.is_empty()).then_some((&**resource, path, name))
            })
        })
        .collect();
    if unknown.is_empty() {
        return;
    }
    let all = || {
        let istio = mesh.gateways().iter().map(|gateway| gateway.header());
        istio.chain(mesh.kubernetes_gateways().iter().map(|gateway| gateway.header()))
    };
    let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut by_namespace: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for gateway in all() {
        by_name
            .entry(gateway.name())
            .or_default()
            .push(gateway.namespace());
        by_namespace
            .entry(gateway.namespace())
            .or_default()
            .push(gateway.name());
    }
    let mut suggestions = Suggestions::new();
    let in_input = namespaces_of_input(mesh);
    for (resource, path, name) in unknown {
        let (namespace, gateway) = gateway_id(name, resource.namespace());
        let siblings = by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        let help = if let Some(namespaces) = by_name.get(gateway) {
            let names: Vec<_> = namespaces
                .iter()
                .map(|known| format!("{known}/{gateway}"))
                .collect();
            format!("write {}", listed(names.iter().map(String::as_str)))
        } else if let Some(close) = suggestions.closest(gateway, siblings) {
            if name.contains(['/', '.']) {
                format!("did you mean `{namespace}/{close}`?")
            } else {
                format!("did you mean `{close}`?")
            }
        } else if gateway.eq_ignore_ascii_case(MESH) {
            format!("write `{MESH}` for the sidecars")
        } else {
            format!("create the Gateway `{gateway}` in namespace `{namespace}`, or correct the name")
        };
        let finding = reporter.report(resource, path);
        if !in_input.contains(namespace) {
            finding.severity(Severity::Warning);
        }
        finding
            .message(format!(
                "there is no gateway `{gateway}` in namespace `{namespace}`"
            ))
            .help(help);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, object, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "unknown-gateway";

    fn gateways() -> String {
        object("Gateway", "infra", "edge", "{servers: []}")
            + &object("Gateway", "shop", "local", "{servers: []}")
            + "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: api, namespace: shop}\nspec: \
               {gatewayClassName: istio, listeners: []}\n---\n"
    }

    #[test]
    fn names_are_resolved_as_istiod_does() {
        for (name, fires) in [
            ("mesh", false),
            ("local", false),
            ("./local", false),
            ("shop/local", false),
            ("infra/edge", false),
            ("edge.infra", false),
            ("edge.infra.svc.cluster.local", false),
            ("api", false),
            ("shop/api", false),
            ("api-istio-autogenerated-k8s-gateway-http", false),
            ("edge", true),
            ("other/local", true),
            ("infra/mesh", true),
        ] {
            let text = gateways() + &virtual_service("a", &format!("{{hosts: [x], gateways: ['{name}']}}"));
            let expected: &[_] = if fires {
                &[("spec.gateways[0]", "there is no gateway")]
            } else {
                &[]
            };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn matches_name_gateways_too() {
        let spec = "
  hosts: [x]
  gateways: [local, mesh]
  http: [{match: [{gateways: [mesh]}, {gateways: [local, a]}]}]
  tcp: [{match: [{gateways: [b]}]}]
  tls: [{match: [{gateways: [c]}]}]";
        finds(
            RULE,
            &(gateways() + &virtual_service("a", spec)),
            &[
                (
                    "spec.http[0].match[1].gateways[1]",
                    "no gateway `a` in namespace `shop`",
                ),
                ("spec.tcp[0].match[0].gateways[0]", "no gateway `b`"),
                ("spec.tls[0].match[0].gateways[0]", "no gateway `c`"),
            ],
        );
    }

    #[test]
    fn the_help_names_what_was_meant() {
        for (name, help) in [
            ("edge", "write `infra/edge`"),
            ("locale", "did you mean `local`?"),
            ("infra/egde", "did you mean `infra/edge`?"),
            ("Mesh", "write `mesh` for the sidecars"),
            (
                "nothing",
                "create the Gateway `nothing` in namespace `shop`, or correct the name",
            ),
        ] {
            let text = gateways() + &virtual_service("a", &format!("{{hosts: [x], gateways: [{name}]}}"));
            assert_eq!(diagnostics(RULE, &text)[0].help.as_deref(), Some(help));
        }
    }

    #[test]
    fn a_namespace_that_is_not_in_the_input_makes_it_a_warning() {
        for (name, severity) in [
            ("nowhere/edge", Severity::Warning),
            ("infra/other", Severity::Error),
        ] {
            let text = gateways() + &virtual_service("a", &format!("{{hosts: [x], gateways: [{name}]}}"));
            assert_eq!(diagnostics(RULE, &text)[0].severity, severity);
        }
    }

    #[test]
    fn without_gateways_in_the_input_nothing_is_known() {
        silent(RULE, &virtual_service("a", "{hosts: [x], gateways: [edge]}"));
    }
}
