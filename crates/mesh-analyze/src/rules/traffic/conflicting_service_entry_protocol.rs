//! ServiceEntries that disagree on the protocol of a port.

use std::sync::Arc;

use mesh_core::istio::service_entry::ServiceEntry;
use mesh_core::{Kind, Mesh, Protocol, Resource};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{age, qualified, visibility};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two ServiceEntries declare one port of a host with different protocols.
    ///
    /// ## Why is this bad?
    /// A proxy treats a port in one way. Which declaration counts depends on the age of the objects; routes and policies
    /// written for the other one do nothing.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: api-a, namespace: shop}
    /// spec:
    ///   hosts: [api.example.com]
    ///   ports: [{number: 8443, name: https, protocol: HTTPS}]
    ///   resolution: DNS
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: api-b, namespace: shop}
    /// spec:
    ///   hosts: [api.example.com]
    ///   ports: [{number: 8443, name: http, protocol: HTTP}]
    ///   resolution: DNS
    /// ```
    ///
    /// ## Fix
    /// Declare the host once, or keep the declarations apart with `exportTo`.
    pub static RULE = {
        name: "conflicting-service-entry-protocol",
        aliases: &["IST0177", "KIA1212"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::ServiceEntry],
        needs: &[],
        check,
    }
}

type Declaration<'m> = (&'m Arc<Resource<ServiceEntry>>, usize, Protocol);

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut by_port: FxHashMap<(&str, u32), Vec<Declaration<'_>>> = FxHashMap::default();
    for entry in mesh.service_entries() {
        for (index, port) in entry.spec.ports.iter().enumerate() {
            let Some(protocol) = Protocol::parse(&port.protocol) else {
                continue; // Left to be detected.
            };
            for host in &entry.spec.hosts {
                by_port
                    .entry((host, port.number))
                    .or_default()
                    .push((entry, index, protocol));
            }
        }
    }
    let mut contested: Vec<_> = by_port
        .into_iter()
        .filter(|(_, list)| list.iter().any(|(.., protocol)| *protocol != list[0].2))
        .collect();
    contested.sort_by_key(|(port, _)| *port);
    let mut reported = FxHashSet::default();
    for ((host, port), mut list) in contested {
        list.sort_by_key(|(entry, ..)| age(entry));
        check_port(mesh, host, port, &list, &mut reported, reporter);
    }
}

fn check_port<'m>(
    mesh: &'m Mesh,
    host: &str,
    port: u32,
    list: &[Declaration<'m>],
    reported: &mut FxHashSet<(*const Resource<ServiceEntry>, usize)>,
    reporter: &mut Reporter<'_>,
) {
    /// Declarations of one port beyond this number are only compared with the first ones.
    const COMPARED: usize = 64;
    let default = &mesh.config().default_service_export_to;
    let seen: Vec<_> = (list.iter())
        .map(|(entry, ..)| visibility(&entry.spec.export_to, entry.namespace(), default))
        .collect();
    for (number, (entry, index, protocol)) in list.iter().enumerate() {
        // Each is held against older ones only, so that a conflict is one finding.
        let rival = list[..number]
            .iter()
            .zip(&seen)
            .take(COMPARED)
            .find(|((rival, _, other), visible)| {
                other != protocol && !Arc::ptr_eq(rival, entry) && visible.overlaps(&seen[number])
            });
        let Some(((rival, at, other), _)) = rival else {
            continue;
        };
        // A port with many hosts is reported once.
        if !reported.insert((Arc::as_ptr(entry), *index)) {
            continue;
        }
        reporter
            .report(entry, path!["spec", "ports", *index, "protocol"])
            .message(format!(
                "port {port} of `{host}` is {protocol} here and {other} in ServiceEntry `{}`",
                qualified(rival)
            ))
            .help("declare the host once, or keep the declarations apart with `exportTo`")
            .related(
                rival,
                path!["spec", "ports", *at, "protocol"],
                "the other protocol",
            );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "conflicting-service-entry-protocol";

    fn entry(name: &str, host: &str, port: u32, protocol: &str, more: &str) -> String {
        let port = format!("{{number: {port}, name: p, protocol: {protocol}}}");
        object(
            "ServiceEntry",
            "shop",
            name,
            &format!("{{hosts: ['{host}', z.{name}], ports: [{port}]{more}}}"),
        )
    }

    #[test]
    fn the_younger_one_is_told() {
        let at = "spec.ports[0].protocol";
        finds(
            RULE,
            &(entry("a", "a.x", 80, "HTTP", "") + &entry("b", "a.x", 80, "tcp", "")),
            &[(
                at,
                "port 80 of `a.x` is TCP here and HTTP in ServiceEntry `shop/a`",
            )],
        );
    }

    #[test]
    fn what_is_the_same_or_apart_is_fine() {
        let first = entry("a", "a.x", 80, "HTTP", "");
        for second in [
            entry("b", "a.x", 80, "http", ""),
            entry("b", "a.x", 80, "''", ""),
            entry("b", "a.x", 81, "TCP", ""),
            entry("b", "b.x", 80, "TCP", ""),
            entry("b", "*.x", 80, "TCP", ""),
            entry("b", "a.x", 80, "TCP", ", exportTo: ['~']"),
        ] {
            silent(RULE, &(first.clone() + &second));
        }
        let apart =
            |name: &str, protocol: &str| entry(name, "a.x", 80, protocol, &format!(", exportTo: [{name}]"));
        silent(RULE, &(apart("a", "HTTP") + &apart("b", "TCP")));
    }
}
