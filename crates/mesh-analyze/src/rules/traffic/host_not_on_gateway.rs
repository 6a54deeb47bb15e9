//! VirtualServices whose hosts no gateway of theirs serves.

use mesh_core::istio::gateway::Gateway;
use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Host, Kind, Mesh, Resource};
use mesh_yaml::path;

use super::gateways::{MESH, gateway_id, is_generated};
use super::{listed, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// None of a VirtualService's hosts is a host of the gateways that it is bound to.
    ///
    /// ## Why is this bad?
    /// A gateway takes only those hosts of a VirtualService that one of its servers has as well. There is none, and so the
    /// routes have no effect there.
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
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 80, name: http, protocol: HTTP}
    ///     hosts: ["*.example.org"]
    /// ```
    ///
    /// ## Fix
    /// Add the host to a server of the gateway, or bind the VirtualService to the gateway that has it. A server host of the
    /// form `namespace/host` takes VirtualServices of that namespace only.
    pub static RULE = {
        name: "host-not-on-gateway",
        aliases: &["IST0132"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::Gateway, Kind::KubernetesGateway]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    reporter.each(mesh.virtual_services(), |resource, reporter| {
        check_one(mesh, resource, reporter);
    });
}

fn check_one(mesh: &Mesh, resource: &Resource<VirtualService>, reporter: &mut Reporter<'_>) {
    let own = resource.namespace();
    let names: Vec<_> = (resource.spec.gateways.iter())
        .filter(|name| *name != MESH)
        .collect();
    let hosts: Vec<_> = (resource.spec.hosts.iter())
        .filter(|host| !host.is_empty())
        .map(|host| mesh.host(host, own))
        .collect();
    if names.is_empty() || hosts.is_empty() {
        return;
    }
    let mut gateways = Vec::with_capacity(names.len());
    for name in &names {
        let (namespace, gateway) = gateway_id(name, own);
        match mesh.get::<Gateway>(namespace, gateway) {
            Some(gateway) if gateway.spec.servers.iter().any(|server| !server.hosts.is_empty()) => {
                gateways.push(gateway);
            }
            Some(_) => return, // It lacks hosts, which the schema reports.
            // An unknown one is reported by `unknown-gateway`.
            None if is_generated(name)
                || takes_kubernetes(mesh, namespace, gateway, &hosts) != Some(false) =>
            {
                return;
            }
            None => {}
        }
    }
    let serves = |gateway: &&std::sync::Arc<Resource<Gateway>>| {
        let server_hosts = gateway.spec.servers.iter().flat_map(|server| &server.hosts);
        server_hosts
            .filter_map(|text| server_host(text, gateway.namespace(), own))
            .any(|server| hosts.iter().any(|host| host.overlaps(&server)))
    };
    if gateways.iter().any(serves) {
        return;
    }
    let written = listed(resource.spec.hosts.iter().map(String::as_str));
    let place = match resource.spec.hosts.len() {
        1 => path!["spec", "hosts", 0],
        _ => path!["spec", "hosts"],
    };
    let finding = reporter.report(resource, place);
    finding
        .message(format!(
            "{} {} no server for {}{written}",
            if names.len() == 1 { "gateway" } else { "gateways" },
            listed(names.iter().map(|name| name.as_str())) + if names.len() == 1 { " has" } else { " have" },
            if hosts.len() == 1 { "" } else { "any of " },
        ))
        .help(
            "add the host to a server of the gateway, or bind the VirtualService to the gateway that has it",
        );
    for gateway in gateways.iter().take(3) {
        let hosts: Vec<_> = (gateway.spec.servers.iter())
            .flat_map(|server| &server.hosts)
            .map(String::as_str)
            .collect();
        let is_foreign = hosts
            .iter()
            .all(|text| server_host(text, gateway.namespace(), own).is_none());
        let note = if is_foreign {
            format!("; none of them is for VirtualServices of namespace `{own}`")
        } else {
            String::new()
        };
        finding.related(
            gateway,
            path!["spec", "servers"],
            format!(
                "Gateway `{}` has servers for {}{note}",
                qualified(gateway),
                listed(hosts)
            ),
        );
    }
}

/// The host of a server as VirtualServices of `namespace` see it; `None` if it is not for them.
pub(super) fn server_host(text: &str, gateway_namespace: &str, namespace: &str) -> Option<Host> {
    let (scope, host) = text.split_once('/').unwrap_or(("*", text));
    let is_for_all = scope == "*" || scope.is_empty();
    (is_for_all || scope == namespace || (scope == "." && gateway_namespace == namespace))
        .then(|| Host::new(host))
}

/// Whether a listener of a Gateway API gateway takes one of the hosts; `None` if there is no such gateway.
fn takes_kubernetes(mesh: &Mesh, namespace: &str, name: &str, hosts: &[Host]) -> Option<bool> {
    use mesh_core::gateway_api::apis::experimental::gateways::GatewaySpec;

    let gateway = mesh.get::<GatewaySpec>(namespace, name)?;
    let listeners = &gateway.spec.listeners;
    Some(
        listeners.is_empty()
            || listeners.iter().any(|listener| {
                listener.hostname.as_deref().is_none_or(|name| {
                    let listener = Host::new(name);
                    name.is_empty() || hosts.iter().any(|host| host.overlaps(&listener))
                })
            }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, object, silent, virtual_service};

    const RULE: &str = "host-not-on-gateway";

    fn gateway(name: &str, hosts: &str) -> String {
        object(
            "Gateway",
            "shop",
            name,
            &format!("{{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: {hosts}}}]}}"),
        )
    }

    fn service(hosts: &str, gateways: &str) -> String {
        virtual_service("a", &format!("{{hosts: {hosts}, gateways: {gateways}}}"))
    }

    #[test]
    fn one_common_host_is_enough() {
        for (server, hosts, fires) in [
            ("[a.example.com]", "[a.example.com]", false),
            ("['*.example.com']", "[a.example.com]", false),
            ("[a.example.com]", "['*.example.com']", false),
            ("['*']", "[a.example.com]", false),
            ("['*/a.example.com']", "[a.example.com]", false),
            ("['./a.example.com']", "[a.example.com]", false),
            ("['shop/a.example.com']", "[a.example.com]", false),
            ("['shop/*']", "[a.example.com, b.example.org]", false),
            ("[a.example.com]", "[b.example.com, a.example.com]", false),
            ("[reviews.shop.svc.cluster.local]", "[reviews]", false),
            ("['*.local']", "[reviews]", false),
            ("[]", "[a.example.com]", false),
            ("['*.example.com']", "[example.com]", true),
            ("['other/a.example.com']", "[a.example.com]", true),
            ("[b.example.com]", "[a.example.com]", true),
        ] {
            let text = gateway("edge", server) + &service(hosts, "[edge]");
            let expected: &[_] = if fires {
                &[("spec.hosts[0]", "no server for")]
            } else {
                &[]
            };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn all_gateways_count_together() {
        let both = gateway("a", "[a.example.com]") + &gateway("b", "[b.example.com]");
        silent(RULE, &(both.clone() + &service("[b.example.com]", "[a, b]")));
        silent(
            RULE,
            &(both.clone() + &service("[c.example.com]", "[a, missing]")),
        );
        silent(RULE, &(both.clone() + &service("[c.example.com]", "[mesh]")));
        finds(
            RULE,
            &(both.clone() + &service("[c.example.com, d.example.com]", "[a, b, mesh]")),
            &[(
                "spec.hosts",
                "gateways `a`, `b` have no server for any of `c.example.com`, `d.example.com`",
            )],
        );
        let found = diagnostics(RULE, &(both + &service("[c.example.com]", "[a]")));
        assert_eq!(
            found[0].related[0].message,
            "Gateway `shop/a` has servers for `a.example.com`"
        );
    }

    #[test]
    fn listeners_without_a_host_take_all() {
        let listener = |listener: &str| {
            format!(
                "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: api, namespace: \
                 shop}}\nspec: {{gatewayClassName: istio, listeners: [{{name: http, port: 80, protocol: \
                 HTTP{listener}}}]}}\n---\n"
            )
        };
        silent(RULE, &(listener("") + &service("[a.example.com]", "[api]")));
        silent(
            RULE,
            &(listener(", hostname: '*.example.com'") + &service("[a.example.com]", "[api]")),
        );
        finds(
            RULE,
            &(listener(", hostname: b.example.com") + &service("[a.example.com]", "[api]")),
            &[("spec.hosts[0]", "gateway `api` has no server for `a.example.com`")],
        );
    }
}
