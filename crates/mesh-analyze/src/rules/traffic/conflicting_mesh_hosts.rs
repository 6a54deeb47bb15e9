//! VirtualServices that claim the same host for sidecars.

use std::sync::Arc;

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Host, Kind, Labels, Mesh, Resource, Visibility};
use mesh_yaml::path;
use rustc_hash::FxHashMap;

use super::gateways::{MESH, applies_to_sidecars};
use super::{age, listed, qualified, visibility};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two VirtualServices route the same host for sidecars.
    ///
    /// ## Why is this bad?
    /// A sidecar takes the routes of a host from one VirtualService: the first that is visible to it, which is the oldest as
    /// a rule. What the other says is ignored, and after a restore from a backup it may be the other way round.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews-a, namespace: shop}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - route:
    ///     - destination: {host: reviews}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews-b, namespace: shop}
    /// spec:
    ///   hosts: [reviews.shop.svc.cluster.local]
    ///   http:
    ///   - timeout: 3s
    ///     route:
    ///     - destination: {host: reviews}
    /// ```
    ///
    /// ## Fix
    /// Merge them into one, or keep them apart with `exportTo`. Where one of them is visible in fewer namespaces, it wins
    /// there for certain, and this is a warning.
    pub static RULE = {
        name: "conflicting-mesh-hosts",
        aliases: &["IST0109", "KIA1106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[],
        check,
    }
}

/// A host of a VirtualService.
struct Claim<'m> {
    resource: &'m Arc<Resource<VirtualService>>,
    /// The index of the host.
    index: usize,
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut by_host: FxHashMap<Host, Vec<Claim<'_>>> = FxHashMap::default();
    for resource in mesh.virtual_services() {
        if !applies_to_sidecars(&resource.spec) {
            continue;
        }
        for (index, host) in resource.spec.hosts.iter().enumerate() {
            let host = mesh.host(host, resource.namespace());
            by_host.entry(host).or_default().push(Claim { resource, index });
        }
    }
    let mut contested: Vec<_> = by_host
        .into_iter()
        .filter(|(_, claims)| claims.len() > 1)
        .collect();
    contested.sort_by(|(a, _), (b, _)| a.cmp(b));
    reporter.each(&contested, |(host, claims), reporter| {
        check_host(mesh, host, claims, reporter);
    });
}

fn check_host(mesh: &Mesh, host: &Host, claims: &[Claim<'_>], reporter: &mut Reporter<'_>) {
    /// With more claims than this for one host, each is only held against the first ones.
    const COMPARED: usize = 64;
    let default = &mesh.config().default_virtual_service_export_to;
    let mut claims: Vec<_> = claims
        .iter()
        .map(|claim| {
            let resource = claim.resource;
            let visible = visibility(&resource.spec.export_to, resource.namespace(), default);
            (claim, visible, Traffic::of(&resource.spec))
        })
        .collect();
    claims.sort_by_key(|(claim, ..)| age(claim.resource));
    for (number, (claim, visible, traffic)) in claims.iter().enumerate() {
        // Each is held against older ones only, so that a conflict is one finding.
        let rivals: Vec<_> = claims[..number]
            .iter()
            .take(COMPARED)
            .filter(|(rival, seen, other)| {
                !std::ptr::eq(Arc::as_ptr(rival.resource), Arc::as_ptr(claim.resource))
                    && visible.overlaps(seen)
                    && traffic.competes(other)
            })
            .collect();
        if rivals.is_empty() {
            continue;
        }
        let names: Vec<_> = rivals
            .iter()
            .map(|(rival, ..)| qualified(rival.resource))
            .collect();
        let finding = reporter.report(claim.resource, path!["spec", "hosts", claim.index]);
        finding
            .message(format!(
                "host `{host}` has routes for sidecars in VirtualService {} as well",
                listed(names.iter().map(String::as_str))
            ))
            .help("merge them into one VirtualService, or limit each to its own namespaces with `exportTo`");
        for (rival, ..) in rivals.iter().take(3) {
            let place = path!["spec", "hosts", rival.index];
            finding.related(rival.resource, place, "claims the same host");
        }
        let is_clear = |seen: &Visibility| (*seen == Visibility::Public) != (*visible == Visibility::Public);
        if rivals.iter().all(|(_, seen, _)| is_clear(seen)) {
            finding.severity(Severity::Warning);
        }
    }
}

/// What a VirtualService has routes for, as far as istiod decides it before there is any request. Two for the same
/// host do not compete if no proxy has a use for both.
#[derive(Debug)]
struct Traffic<'m> {
    scopes: Vec<Scope<'m>>,
}

#[derive(Debug, PartialEq)]
struct Scope<'m> {
    section: &'static str,
    port: u32,
    labels: Option<&'m Labels>,
    namespace: &'m str,
    /// Server name and subnets of a stream.
    stream: (&'m str, &'m [String]),
}

impl<'m> Traffic<'m> {
    fn of(spec: &'m VirtualService) -> Self {
        let mut scopes = Vec::new();
        let is_for_sidecars =
            |gateways: &[String]| gateways.is_empty() || gateways.iter().any(|name| name == MESH);
        let whole = |section| Scope {
            section,
            port: 0,
            labels: None,
            namespace: "",
            stream: ("", &[]),
        };
        let mut add = |scope: Scope<'m>| {
            if !scopes.contains(&scope) && scopes.len() < 64 {
                scopes.push(scope);
            }
        };
        for rule in &spec.http {
            if rule.matches.is_empty() {
                add(whole("http"));
            }
            for found in rule
                .matches
                .iter()
                .filter(|found| is_for_sidecars(&found.gateways))
            {
                let is_sourced = found.gateways.is_empty();
                add(Scope {
                    port: found.port,
                    labels: is_sourced.then_some(&found.source_labels),
                    namespace: if is_sourced { &found.source_namespace } else { "" },
                    ..whole("http")
                });
            }
        }
        for rule in &spec.tcp {
            if rule.matches.is_empty() {
                add(whole("tcp"));
            }
            for found in rule
                .matches
                .iter()
                .filter(|found| is_for_sidecars(&found.gateways))
            {
                let is_sourced = found.gateways.is_empty();
                add(Scope {
                    port: found.port,
                    labels: is_sourced.then_some(&found.source_labels),
                    namespace: if is_sourced { &found.source_namespace } else { "" },
                    stream: ("", &found.destination_subnets),
                    ..whole("tcp")
                });
            }
        }
        for found in spec.tls.iter().flat_map(|rule| &rule.matches) {
            if !is_for_sidecars(&found.gateways) {
                continue;
            }
            let is_sourced = found.gateways.is_empty();
            for name in &found.sni_hosts {
                add(Scope {
                    port: found.port,
                    labels: is_sourced.then_some(&found.source_labels),
                    namespace: if is_sourced { &found.source_namespace } else { "" },
                    stream: (name, &found.destination_subnets),
                    ..whole("tls")
                });
            }
        }
        Self { scopes }
    }

    fn competes(&self, other: &Self) -> bool {
        self.scopes
            .iter()
            .any(|a| other.scopes.iter().any(|b| a.meets(b)))
    }
}

impl Scope<'_> {
    fn meets(&self, other: &Self) -> bool {
        let labels_meet = match (self.labels, other.labels) {
            (Some(a), Some(b)) => a
                .iter()
                .all(|(key, value)| b.get(key).is_none_or(|other| other == value)),
            _ => true,
        };
        self.section == other.section
            && (self.port == 0 || other.port == 0 || self.port == other.port)
            && (self.namespace.is_empty() || other.namespace.is_empty() || self.namespace == other.namespace)
            && labels_meet
            && self.stream == other.stream
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, object, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "conflicting-mesh-hosts";

    fn pair(a: &str, b: &str) -> String {
        virtual_service("a", a) + &virtual_service("b", b)
    }

    #[test]
    fn the_younger_one_is_told() {
        let text = pair(
            "{hosts: [x, reviews], http: [{}]}",
            "{hosts: [reviews.shop.svc.cluster.local], http: [{}]}",
        );
        finds(
            RULE,
            &text,
            &[(
                "spec.hosts[0]",
                "`reviews.shop.svc.cluster.local` has routes for sidecars in VirtualService `shop/a`",
            )],
        );
        let found = diagnostics(RULE, &text);
        assert_eq!(found[0].related[0].place.path.to_string(), "spec.hosts[1]");
        assert_eq!(found[0].severity, Severity::Error);
    }

    #[test]
    fn what_no_proxy_sees_together_does_not_compete() {
        for (a, b) in [
            ("{hosts: [x], http: [{}]}", "{hosts: [y], http: [{}]}"),
            (
                "{hosts: [x.example.com], http: [{}]}",
                "{hosts: ['*.example.com'], http: [{}]}",
            ),
            (
                "{hosts: [x], http: [{}]}",
                "{hosts: [x], gateways: [edge], http: [{}]}",
            ),
            (
                "{hosts: [x], exportTo: [a], http: [{}]}",
                "{hosts: [x], exportTo: [b], http: [{}]}",
            ),
            (
                "{hosts: [x], exportTo: ['~'], http: [{}]}",
                "{hosts: [x], http: [{}]}",
            ),
            ("{hosts: [x], http: [{}]}", "{hosts: [x], tcp: [{}]}"),
            (
                "{hosts: [x], http: [{match: [{port: 80}]}]}",
                "{hosts: [x], http: [{match: [{port: 81}]}]}",
            ),
            (
                "{hosts: [x], http: [{match: [{sourceLabels: {app: a}}]}]}",
                "{hosts: [x], http: [{match: [{sourceLabels: {app: b}}]}]}",
            ),
            (
                "{hosts: [x], http: [{match: [{sourceNamespace: a}]}]}",
                "{hosts: [x], http: [{match: [{sourceNamespace: b}]}]}",
            ),
            (
                "{hosts: [x], gateways: [mesh, edge], http: [{match: [{gateways: [edge]}]}]}",
                "{hosts: [x], http: [{}]}",
            ),
            (
                "{hosts: ['*.x'], tls: [{match: [{sniHosts: [a.x]}]}]}",
                "{hosts: ['*.x'], tls: [{match: [{sniHosts: [b.x]}]}]}",
            ),
        ] {
            silent(RULE, &pair(a, b));
        }
        // One with the same host twice does not compete with itself, and short names differ by namespace.
        silent(
            RULE,
            &virtual_service("a", "{hosts: [x, x.shop.svc.cluster.local], http: [{}]}"),
        );
        silent(
            RULE,
            &(virtual_service("a", "{hosts: [x], http: [{}]}")
                + &object("VirtualService", "prod", "a", "{hosts: [x], http: [{}]}")),
        );
    }

    #[test]
    fn a_narrower_one_wins_for_certain() {
        let found = diagnostics(
            RULE,
            &pair(
                "{hosts: [x], http: [{}]}",
                "{hosts: [x], exportTo: ['.'], http: [{}]}",
            ),
        );
        let severities: Vec<_> = found.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Warning]);
    }
}
