//! One certificate for servers of several gateways.

use std::sync::Arc;

use mesh_core::istio::gateway::{Gateway, Server};
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{age, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two Gateways on the same proxies use one certificate on one port for different hosts.
    ///
    /// ## Why is this bad?
    /// A browser reuses an HTTP/2 connection for every host that its certificate is good for. A request for the second host
    /// then comes in on a connection of the first one's server, which does not know it: 404, now and then.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 443, name: https-shop, protocol: HTTPS}
    ///     hosts: [shop.example.com]
    ///     tls: {mode: SIMPLE, credentialName: wildcard}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: blog, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 443, name: https-blog, protocol: HTTPS}
    ///     hosts: [blog.example.com]
    ///     tls: {mode: SIMPLE, credentialName: wildcard}
    /// ```
    ///
    /// ## Fix
    /// Declare one Gateway with one server for all hosts of the certificate, for example `*.example.com`, and bind the
    /// VirtualServices to it.
    pub static RULE = {
        name: "gateway-duplicate-certificate",
        aliases: &["IST0138"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[],
        check,
    }
}

/// The certificate of a server, and the field that names it.
fn certificates(server: &Server) -> impl Iterator<Item = ((&str, &str), mesh_yaml::FieldPath)> {
    let tls = server.tls.as_ref();
    let one = tls.filter(|tls| !tls.credential_name.is_empty());
    let one = one.map(|tls| ((tls.credential_name.as_str(), ""), path!["tls", "credentialName"]));
    let several = tls
        .into_iter()
        .flat_map(|tls| tls.credential_names.iter().enumerate());
    let several = several.map(|(index, name)| ((name.as_str(), ""), path!["tls", "credentialNames", index]));
    let file = tls.filter(|tls| !tls.server_certificate.is_empty() && !tls.private_key.is_empty());
    let file = file.map(|tls| {
        let pair = (tls.server_certificate.as_str(), tls.private_key.as_str());
        (pair, path!["tls", "serverCertificate"])
    });
    one.into_iter().chain(several).chain(file)
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    /// Users of one certificate beyond this number are only compared with the first ones.
    const COMPARED: usize = 32;
    type User<'m> = (&'m Arc<Resource<Gateway>>, usize, mesh_yaml::FieldPath);
    let proxies = reporter.proxies();
    let mut gateways: Vec<_> = mesh.gateways().iter().collect();
    gateways.sort_by_key(|gateway| age(gateway));
    let mut users: FxHashMap<(u32, (&str, &str)), Vec<User<'_>>> = FxHashMap::default();
    let mut reported = FxHashSet::default();
    for gateway in gateways {
        for (index, server) in gateway.spec.servers.iter().enumerate() {
            let port = server.port.as_ref().map_or(0, |port| port.number);
            for (certificate, place) in certificates(server) {
                let earlier = users.entry((port, certificate)).or_default();
                let rival = earlier.iter().find(|(rival, number, _)| {
                    !Arc::ptr_eq(rival, gateway)
                        && rival.spec.servers[*number].hosts != server.hosts
                        && proxies.share(&rival.spec.selector, &gateway.spec.selector)
                });
                if let Some((rival, number, at)) = rival
                    && reported.insert((Arc::as_ptr(rival), Arc::as_ptr(gateway)))
                {
                    reporter
                        .report(gateway, path!["spec", "servers", index].join(&place))
                        .message(format!(
                            "certificate `{}` is also used by Gateway `{}` on port {port} for other hosts",
                            certificate.0,
                            qualified(rival)
                        ))
                        .help("declare one server for all hosts of the certificate")
                        .related(
                            rival,
                            path!["spec", "servers", *number].join(at),
                            "used here, too",
                        );
                }
                if earlier.len() < COMPARED {
                    earlier.push((gateway, index, place));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "gateway-duplicate-certificate";

    fn gateway(name: &str, selector: &str, port: u32, host: &str, tls: &str) -> String {
        let server =
            format!("{{port: {{number: {port}, name: p, protocol: HTTPS}}, hosts: ['{host}'], tls: {tls}}}");
        object(
            "Gateway",
            "shop",
            name,
            &format!("{{selector: {selector}, servers: [{server}]}}"),
        )
    }

    #[test]
    fn certificates_are_compared_on_one_port_of_the_same_proxies() {
        let first = gateway("a", "{app: e}", 443, "a.x", "{mode: SIMPLE, credentialName: c}");
        for (second, fires) in [
            (
                gateway("b", "{app: e}", 443, "b.x", "{mode: SIMPLE, credentialName: c}"),
                true,
            ),
            (
                gateway("b", "{app: e}", 443, "b.x", "{mode: SIMPLE, credentialName: d}"),
                false,
            ),
            (
                gateway("b", "{app: e}", 8443, "b.x", "{mode: SIMPLE, credentialName: c}"),
                false,
            ),
            (
                gateway("b", "{app: f}", 443, "b.x", "{mode: SIMPLE, credentialName: c}"),
                false,
            ),
            // The same hosts are reported by `conflicting-gateways`.
            (
                gateway("b", "{app: e}", 443, "a.x", "{mode: SIMPLE, credentialName: c}"),
                false,
            ),
        ] {
            let expected: &[_] = if fires {
                &[(
                    "spec.servers[0].tls.credentialName",
                    "certificate `c` is also used by Gateway `shop/a` on port 443",
                )]
            } else {
                &[]
            };
            finds(RULE, &(first.clone() + &second), expected);
        }
        silent(RULE, &first);
    }

    #[test]
    fn files_count_as_well() {
        let files = "{mode: SIMPLE, serverCertificate: /c, privateKey: /k}";
        let text = gateway("a", "{app: e}", 443, "a.x", files) + &gateway("b", "{app: e}", 443, "b.x", files);
        finds(
            RULE,
            &text,
            &[("spec.servers[0].tls.serverCertificate", "certificate `/c`")],
        );
    }
}
