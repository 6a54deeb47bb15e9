//! VirtualServices that want the same requests at a gateway.

use std::sync::Arc;

use mesh_core::istio::virtual_service::{HttpMatchRequest, VirtualService};
use mesh_core::{Host, Kind, Mesh, Resource};
use mesh_yaml::{FieldPath, path};
use rustc_hash::{FxHashMap, FxHashSet};

use super::gateways::{MESH, gateway_id};
use super::{age, qualified, visibility};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two VirtualServices for one host at one gateway have a route for the same requests.
    ///
    /// ## Why is this bad?
    /// A gateway puts the routes of both together, those of the older VirtualService first. Of two routes for the same
    /// requests, the second is never taken, and which that is depends on the age of the objects.
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
    /// kind: VirtualService
    /// metadata: {name: shop-next, namespace: shop}
    /// spec:
    ///   hosts: [shop.example.com]
    ///   gateways: [edge]
    ///   http:
    ///   - route:
    ///     - destination: {host: storefront-next}
    /// ```
    ///
    /// ## Fix
    /// Give each of them matches of its own, and one at most a route for everything else; or merge them.
    pub static RULE = {
        name: "conflicting-gateway-hosts",
        aliases: &["KIA1106"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[],
        check,
    }
}

type Claims<'m> = FxHashMap<(&'m str, &'m str, Host), Vec<&'m Arc<Resource<VirtualService>>>>;

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut claims: Claims<'_> = FxHashMap::default();
    for resource in mesh.virtual_services() {
        let own = resource.namespace();
        for name in resource.spec.gateways.iter().filter(|name| *name != MESH) {
            let (namespace, gateway) = gateway_id(name, own);
            for host in &resource.spec.hosts {
                let claimants = claims
                    .entry((namespace, gateway, mesh.host(host, own)))
                    .or_default();
                if !claimants.last().is_some_and(|last| Arc::ptr_eq(last, resource)) {
                    claimants.push(resource);
                }
            }
        }
    }
    let mut contested: Vec<_> = claims
        .into_iter()
        .filter(|(_, claimants)| claimants.len() > 1)
        .collect();
    contested.sort_by(|(a, _), (b, _)| a.cmp(b));
    reporter.each(&contested, |((namespace, gateway, host), claimants), reporter| {
        check_host(mesh, (namespace, gateway), host, claimants, reporter);
    });
}

fn check_host(
    mesh: &Mesh,
    gateway: (&str, &str),
    host: &Host,
    claimants: &[&Arc<Resource<VirtualService>>],
    reporter: &mut Reporter<'_>,
) {
    let default = &mesh.config().default_virtual_service_export_to;
    let mut claimants = claimants.to_vec();
    claimants.sort_by_key(|resource| age(resource));
    let mut first: FxHashMap<String, (&Arc<Resource<VirtualService>>, FieldPath)> = FxHashMap::default();
    for resource in claimants {
        let mut reported = FxHashSet::default();
        for (key, place) in wants(resource, gateway) {
            let Some((earlier, at)) = first.get(&key) else {
                first.insert(key, (resource, place));
                continue;
            };
            let visible = |resource: &Resource<VirtualService>| {
                visibility(&resource.spec.export_to, resource.namespace(), default)
            };
            // What one VirtualService repeats is reported by `unreachable-route`.
            if Arc::ptr_eq(earlier, resource)
                || !visible(earlier).overlaps(&visible(resource))
                || !reported.insert(Arc::as_ptr(earlier))
            {
                continue;
            }
            let what = if key == EVERYTHING {
                "a route for everything"
            } else {
                "a route for the same requests"
            };
            reporter
                .report(resource, place)
                .message(format!(
                    "VirtualService `{}` also has {what} to `{host}` at gateway `{}/{}`",
                    qualified(earlier),
                    gateway.0,
                    gateway.1
                ))
                .help("give each VirtualService matches of its own, or merge them")
                .related(earlier, at.clone(), "the older one's route, which comes first");
        }
    }
}

/// Stands for all requests.
const EVERYTHING: &str = "*";

/// What a VirtualService has routes for at a gateway, each with its place.
fn wants(resource: &Resource<VirtualService>, gateway: (&str, &str)) -> Vec<(String, FieldPath)> {
    let spec = &resource.spec;
    let is_here = |names: &[String]| {
        names.is_empty()
            || names
                .iter()
                .any(|name| name != MESH && gateway_id(name, resource.namespace()) == gateway)
    };
    let mut found = Vec::new();
    for (rule, route) in spec.http.iter().enumerate() {
        if route.delegate.is_some() {
            continue; // What its delegate takes is for the delegate to say.
        }
        if route.matches.is_empty() {
            found.push((EVERYTHING.to_owned(), path!["spec", "http", rule]));
        }
        for (index, matched) in route.matches.iter().enumerate() {
            if is_here(&matched.gateways) {
                found.push((key(matched), path!["spec", "http", rule, "match", index]));
            }
        }
    }
    for (rule, route) in spec.tcp.iter().enumerate() {
        if route.matches.is_empty() {
            found.push(("tcp 0".to_owned(), path!["spec", "tcp", rule]));
        }
        for (index, matched) in route.matches.iter().enumerate() {
            if is_here(&matched.gateways) {
                let key = format!(
                    "tcp {} {:?} {}",
                    matched.port, matched.destination_subnets, matched.source_subnet
                );
                found.push((key, path!["spec", "tcp", rule, "match", index]));
            }
        }
    }
    for (rule, route) in spec.tls.iter().enumerate() {
        for (index, matched) in route.matches.iter().enumerate() {
            if is_here(&matched.gateways) {
                for (number, name) in matched.sni_hosts.iter().enumerate() {
                    let key = format!("tls {} {:?} {name}", matched.port, matched.destination_subnets);
                    found.push((
                        key,
                        path!["spec", "tls", rule, "match", index, "sniHosts", number],
                    ));
                }
            }
        }
    }
    found
}

/// The same text for matches that say the same.
fn key(matched: &HttpMatchRequest) -> String {
    let is_root = |uri: &mesh_core::istio::virtual_service::StringMatch| {
        uri.prefix
            .as_deref()
            .is_some_and(|prefix| prefix.is_empty() || prefix == "/")
    };
    let mut plain = matched.clone();
    plain.name.clear();
    plain.stat_prefix.clear();
    plain.gateways.clear();
    plain.uri = plain.uri.filter(|uri| !is_root(uri));
    if plain.uri.is_none() {
        plain.ignore_uri_case = false;
    }
    if plain == HttpMatchRequest::default() {
        EVERYTHING.to_owned()
    } else {
        format!("{plain:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, silent, virtual_service};

    const RULE: &str = "conflicting-gateway-hosts";

    fn pair(a: &str, b: &str) -> String {
        let one = |name: &str, rest: &str| {
            virtual_service(name, &format!("{{hosts: [x.y], gateways: [edge], {rest}}}"))
        };
        one("a", a) + &one("b", b)
    }

    #[test]
    fn the_same_requests_are_wanted_twice() {
        for (a, b, path, message) in [
            (
                "http: [{}]",
                "http: [{match: [{uri: {exact: /a}}]}, {}]",
                "spec.http[1]",
                "`shop/a` also has a route for everything to `x.y` at gateway `shop/edge`",
            ),
            (
                "http: [{match: [{uri: {prefix: /}}]}]",
                "http: [{}]",
                "spec.http[0]",
                "a route for everything",
            ),
            (
                "http: [{match: [{uri: {exact: /a}, name: one}]}]",
                "http: [{match: [{uri: {exact: /b}}, {uri: {exact: /a}}]}]",
                "spec.http[0].match[1]",
                "a route for the same requests",
            ),
            (
                "tcp: [{match: [{port: 1}]}]",
                "tcp: [{match: [{port: 1}]}]",
                "spec.tcp[0].match[0]",
                "the same requests",
            ),
            (
                "tls: [{match: [{sniHosts: [a.y, x.y]}]}]",
                "tls: [{match: [{sniHosts: [x.y]}]}]",
                "spec.tls[0].match[0].sniHosts[0]",
                "the same requests",
            ),
        ] {
            finds(RULE, &pair(a, b), &[(path, message)]);
        }
    }

    #[test]
    fn different_requests_are_merged_in_peace() {
        for (a, b) in [
            (
                "http: [{match: [{uri: {prefix: /a}}]}]",
                "http: [{match: [{uri: {prefix: /b}}]}]",
            ),
            ("http: [{match: [{uri: {prefix: /a}}]}]", "http: [{}]"),
            ("http: [{match: [{port: 80}]}]", "http: [{match: [{port: 443}]}]"),
            ("http: [{}], exportTo: [a]", "http: [{}], exportTo: [b]"),
            ("http: [{delegate: {name: c}}]", "http: [{delegate: {name: d}}]"),
            (
                "http: [{match: [{gateways: [other]}]}]",
                "http: [{match: [{gateways: [other]}]}]",
            ),
            ("tcp: [{match: [{port: 1}]}]", "tcp: [{match: [{port: 2}]}]"),
        ] {
            silent(RULE, &pair(a, b));
        }
        silent(
            RULE,
            &virtual_service("a", "{hosts: [x.y], gateways: [edge, ./edge], http: [{}, {}]}"),
        );
        silent(
            RULE,
            &(virtual_service("a", "{hosts: [x.y], gateways: [edge], http: [{}]}")
                + &virtual_service("b", "{hosts: [x.y], gateways: [other], http: [{}]}")),
        );
    }
}
