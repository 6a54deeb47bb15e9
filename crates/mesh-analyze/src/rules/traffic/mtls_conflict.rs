//! Clients and servers that do not agree on mutual TLS.

use std::collections::BTreeMap;

use mesh_core::istio::destination_rule::{ClientTlsMode, TrafficPolicy};
use mesh_core::istio::peer_authentication::MutualTlsMode;
use mesh_core::registry::{ServicePort, TargetPort};
use mesh_core::{Kind, Mesh, Protocol, Service, Workload};
use mesh_yaml::{FieldPath, path};

use super::destination_rules::{DestinationRules, Rule};
use super::peer_modes::{Accepted, PeerModes};
use super::qualified;
use crate::rules::injection::{Injection, Injector, PROXY_CONTAINER};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A DestinationRule sets a TLS mode that the workloads of the host do not accept.
    ///
    /// ## Why is this bad?
    /// Where a PeerAuthentication demands mutual TLS, connections without it are closed, and requests are answered with 503.
    /// The other way round, a workload whose PeerAuthentication turns mutual TLS off cannot read what it gets.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   host: reviews
    ///   trafficPolicy:
    ///     tls: {mode: DISABLE}
    /// ---
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: default, namespace: shop}
    /// spec:
    ///   mtls: {mode: STRICT}
    /// ---
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, labels: {istio-injection: enabled}}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {app: reviews}
    ///   ports: [{port: 9080, name: http}]
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: reviews}}
    ///   template:
    ///     metadata: {labels: {app: reviews}}
    ///     spec: {containers: [{name: reviews, image: reviews}]}
    /// ```
    ///
    /// ## Fix
    /// Remove `tls` from the DestinationRule: proxies then use mutual TLS with whoever accepts it. Or change the
    /// PeerAuthentication.
    pub static RULE = {
        name: "mtls-conflict",
        aliases: &["KIA0207", "KIA0208", "KIA0505", "KIA0506"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::DestinationRule],
        needs: &[&[Kind::PeerAuthentication], &[Kind::Service]],
        check,
    }
}

/// A TLS mode of a DestinationRule.
struct Setting<'m> {
    mode: ClientTlsMode,
    path: FieldPath,
    /// The port that it is for; `None` for those that no other setting is for.
    port: Option<u32>,
    other_ports: Vec<u32>,
    /// Labels of the subset that it is for.
    labels: Option<&'m BTreeMap<String, String>>,
}

impl Setting<'_> {
    fn is_for(&self, port: &ServicePort) -> bool {
        match self.port {
            Some(number) => port.number == number,
            None => !self.other_ports.contains(&port.number),
        }
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    /// Each wildcard is held against all services, so that the number of wildcards is limited.
    const WILDCARDS: usize = 16;
    let checker = Checker {
        mesh,
        rules: reporter.destination_rules(),
        modes: PeerModes::new(mesh),
        injector: reporter.injector(),
    };
    let mut wildcards = 0;
    for rule in checker.rules.all() {
        let settings = settings(rule);
        if settings.is_empty() {
            continue;
        }
        let services: Vec<&Service> = if rule.host.is_wildcard() {
            wildcards += 1;
            if wildcards > WILDCARDS {
                continue;
            }
            let covered = mesh.registry().services().iter();
            covered
                .filter(|service| service.host().is_within(&rule.host) && checker.holds(rule, service))
                .collect()
        } else {
            mesh.registry().with_host(rule.host.as_str()).collect()
        };
        for setting in settings {
            checker.report(rule, &setting, &services, reporter);
        }
    }
}

/// The TLS modes that can conflict with a server.
fn settings<'m>(rule: &'m Rule<'_>) -> Vec<Setting<'m>> {
    let spec = &rule.resource.spec;
    let mut found = Vec::new();
    if let Some(policy) = &spec.traffic_policy {
        of_policy(policy, &path!["spec", "trafficPolicy"], None, &mut found);
    }
    for (index, subset) in spec.subsets.iter().enumerate() {
        if let Some(policy) = &subset.traffic_policy {
            let place = path!["spec", "subsets", index, "trafficPolicy"];
            of_policy(policy, &place, Some(&subset.labels), &mut found);
        }
    }
    found
}

fn of_policy<'m>(
    policy: &'m TrafficPolicy,
    place: &FieldPath,
    labels: Option<&'m BTreeMap<String, String>>,
    found: &mut Vec<Setting<'m>>,
) {
    let port_of = |index: usize| {
        policy.port_level_settings[index]
            .port
            .as_ref()
            .map(|port| port.number)
    };
    let other_ports: Vec<_> = (0..policy.port_level_settings.len())
        .filter_map(port_of)
        .collect();
    // MUTUAL has certificates of its own, which may well be the mesh's.
    let can_conflict = |mode| mode != ClientTlsMode::Mutual;
    if let Some(tls) = policy.tls.as_ref().filter(|tls| can_conflict(tls.mode)) {
        found.push(Setting {
            mode: tls.mode,
            path: place.key("tls").key("mode"),
            port: None,
            other_ports,
            labels,
        });
    }
    for (index, settings) in policy.port_level_settings.iter().enumerate() {
        if let (Some(tls), Some(port)) = (&settings.tls, port_of(index))
            && can_conflict(tls.mode)
        {
            found.push(Setting {
                mode: tls.mode,
                path: place.key("portLevelSettings").index(index).key("tls").key("mode"),
                port: Some(port),
                other_ports: Vec::new(),
                labels,
            });
        }
    }
}

struct Checker<'m> {
    mesh: &'m Mesh,
    rules: &'m DestinationRules<'m>,
    modes: PeerModes<'m>,
    injector: &'m Injector<'m>,
}

impl<'m> Checker<'m> {
    /// Whether clients in the service's own namespace take this rule for it.
    fn holds(&self, rule: &Rule<'_>, service: &Service) -> bool {
        let namespace = service.namespace();
        let holding = self.rules.holding(namespace, service.host(), &[namespace]);
        holding
            .iter()
            .any(|held| std::ptr::eq(held.resource, rule.resource))
    }

    fn report(
        &self,
        rule: &Rule<'_>,
        setting: &Setting<'_>,
        services: &[&'m Service],
        reporter: &mut Reporter<'_>,
    ) {
        let conflict = services.iter().find_map(|service| {
            let (port, accepted) = self.conflict(service, setting)?;
            Some((*service, port, accepted))
        });
        let Some((service, port, accepted)) = conflict else {
            return;
        };
        let mode = setting.mode;
        let expects = match accepted.mode {
            MutualTlsMode::Strict => "only the mesh's mutual TLS",
            _ => "no mutual TLS",
        };
        let finding = reporter.report(rule.resource, setting.path.clone());
        finding
            .message(format!(
                "mode `{mode}` does not get through to `{}`, whose workloads accept {expects} on port {}",
                service.host(),
                port.number
            ))
            .help("remove `tls`, so that proxies use mutual TLS with whoever accepts it");
        if let Some((policy, path)) = accepted.by {
            let name = qualified(policy);
            finding.related(policy, path, format!("PeerAuthentication `{name}` says so"));
        }
    }

    /// The first port of a service at which none of its workloads accepts the mode.
    fn conflict(
        &self,
        service: &'m Service,
        setting: &Setting<'_>,
    ) -> Option<(&'m ServicePort, Accepted<'m>)> {
        let kubernetes = service.kubernetes()?;
        let selector = kubernetes
            .spec
            .selector
            .as_ref()
            .filter(|labels| !labels.is_empty())?;
        let workloads: Vec<_> = (self.mesh.workloads())
            .select(service.namespace(), selector)
            .filter(|workload| {
                setting
                    .labels
                    .is_none_or(|labels| mesh_core::selects(labels, workload.labels()))
            })
            .collect();
        if workloads.is_empty() || !workloads.iter().all(|workload| self.has_sidecar(workload)) {
            return None;
        }
        let refused = match setting.mode {
            ClientTlsMode::IstioMutual => MutualTlsMode::Disable,
            _ => MutualTlsMode::Strict,
        };
        let ports = service.ports().iter();
        ports
            .filter(|port| port.protocol != Some(Protocol::Udp) && setting.is_for(port))
            .find_map(|port| {
                let mut last = None;
                for workload in &workloads {
                    let accepted = self.modes.accepted(workload, target(workload, port)?);
                    if accepted.mode != refused {
                        return None;
                    }
                    last = Some(accepted);
                }
                Some((port, last?))
            })
    }

    fn has_sidecar(&self, workload: &Workload) -> bool {
        let has_proxy = workload.pod_spec().is_some_and(|spec| {
            let inits = spec.init_containers.iter().flatten();
            spec.containers
                .iter()
                .chain(inits)
                .any(|container| container.name == PROXY_CONTAINER)
        });
        !workload.uses_host_network() && (has_proxy || self.injector.injection(workload) == Injection::Yes)
    }
}

/// The workload's own port behind a port of a service.
fn target(workload: &Workload, port: &ServicePort) -> Option<u32> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let containers = workload
                .pod_spec()
                .map_or(&[][..], |spec| spec.containers.as_slice());
            let ports = containers
                .iter()
                .flat_map(|container| container.ports.iter().flatten());
            let mut named = ports.filter(|port| port.name.as_ref() == Some(name));
            u32::try_from(named.next()?.container_port).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, deployment, diagnostics, finds, object, silent};

    const RULE: &str = "mtls-conflict";
    const INJECTED: &str =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n---\n";

    fn world() -> String {
        SERVICES.to_owned()
            + INJECTED
            + &deployment("shop", "reviews", "{app: reviews}")
            + &deployment("shop", "ratings", "{app: ratings}")
    }

    fn peers(namespace: &str, name: &str, spec: &str) -> String {
        object("PeerAuthentication", namespace, name, spec).replace("networking", "security")
    }

    fn rule(host: &str, policy: &str) -> String {
        object(
            "DestinationRule",
            "shop",
            "a",
            &format!("{{host: '{host}', {policy}}}"),
        )
    }

    fn tls(mode: &str) -> String {
        format!("trafficPolicy: {{tls: {{mode: {mode}}}}}")
    }

    #[test]
    fn modes_have_to_agree() {
        let at = "spec.trafficPolicy.tls.mode";
        let strict = "{mtls: {mode: STRICT}}";
        for (policies, mode, expected) in [
            (
                peers("shop", "p", strict),
                "DISABLE",
                Some("mode `DISABLE` does not get through to `reviews.shop.svc.cluster.local`"),
            ),
            (
                peers("shop", "p", strict),
                "SIMPLE",
                Some("accept only the mesh's mutual TLS on port 9080"),
            ),
            (peers("shop", "p", strict), "ISTIO_MUTUAL", None),
            (peers("shop", "p", strict), "MUTUAL", None),
            (peers("istio-system", "p", strict), "DISABLE", Some("DISABLE")),
            (peers("prod", "p", strict), "DISABLE", None),
            (
                peers("istio-system", "p", strict) + &peers("shop", "q", "{mtls: {mode: PERMISSIVE}}"),
                "DISABLE",
                None,
            ),
            (
                peers("istio-system", "p", strict) + &peers("shop", "q", "{mtls: {mode: UNSET}}"),
                "DISABLE",
                Some("DISABLE"),
            ),
            (
                peers("shop", "p", strict)
                    + &peers(
                        "shop",
                        "q",
                        "{selector: {matchLabels: {app: reviews}}, mtls: {mode: PERMISSIVE}}",
                    ),
                "DISABLE",
                None,
            ),
            (
                peers(
                    "shop",
                    "q",
                    "{selector: {matchLabels: {app: reviews}}, portLevelMtls: {9080: {mode: STRICT}}}",
                ),
                "DISABLE",
                Some("port 9080"),
            ),
            (
                peers("shop", "p", "{mtls: {mode: DISABLE}}"),
                "ISTIO_MUTUAL",
                Some("accept no mutual TLS on port 9080"),
            ),
            (peers("shop", "p", "{mtls: {mode: DISABLE}}"), "DISABLE", None),
        ] {
            let expected: Vec<_> = expected.map(|message| (at, message)).into_iter().collect();
            finds(
                RULE,
                &(world() + &policies + &rule("reviews", &tls(mode))),
                &expected,
            );
        }
    }

    #[test]
    fn ports_and_subsets_are_told_apart() {
        let at_port = peers(
            "shop",
            "p",
            "{selector: {matchLabels: {app: ratings}}, mtls: {mode: STRICT}, portLevelMtls: {8080: {mode: PERMISSIVE}}}",
        );
        let port = |number: u32| {
            format!(
                "trafficPolicy: {{portLevelSettings: [{{port: {{number: {number}}}, tls: {{mode: DISABLE}}}}]}}"
            )
        };
        silent(RULE, &(world() + &at_port + &rule("ratings", &port(80))));
        finds(
            RULE,
            &(world() + &at_port + &rule("ratings", &port(443))),
            &[("spec.trafficPolicy.portLevelSettings[0].tls.mode", "on port 443")],
        );
        let strict = peers("shop", "p", "{mtls: {mode: STRICT}}");
        let subset = |labels: &str| {
            format!("subsets: [{{name: s, labels: {labels}, trafficPolicy: {{tls: {{mode: DISABLE}}}}}}]")
        };
        finds(
            RULE,
            &(world() + &strict + &rule("reviews", &subset("{app: reviews}"))),
            &[("spec.subsets[0].trafficPolicy.tls.mode", "DISABLE")],
        );
        silent(
            RULE,
            &(world() + &strict + &rule("reviews", &subset("{version: v9}"))),
        );
    }

    #[test]
    fn workloads_without_a_sidecar_accept_plain_text() {
        let strict = peers("shop", "p", "{mtls: {mode: STRICT}}");
        silent(
            RULE,
            &(world().replace("enabled", "disabled") + &strict + &rule("reviews", &tls("DISABLE"))),
        );
        silent(
            RULE,
            &(world().replace(INJECTED, "") + &strict + &rule("reviews", &tls("DISABLE"))),
        );
        let mixed = world() + &deployment("shop", "old", "{app: reviews, sidecar.istio.io/inject: 'false'}");
        silent(RULE, &(mixed + &strict + &rule("reviews", &tls("DISABLE"))));
    }

    #[test]
    fn wildcards_stand_for_services_without_a_rule_of_their_own() {
        let strict = peers("istio-system", "p", "{mtls: {mode: STRICT}}");
        let whole = rule("*.local", &tls("DISABLE"));
        let found = diagnostics(RULE, &(world() + &strict + &whole));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].related[0].message,
            "PeerAuthentication `istio-system/p` says so"
        );
        let own = |name: &str| object("DestinationRule", "shop", name, &format!("{{host: {name}}}"));
        silent(
            RULE,
            &(world() + &strict + &whole + &own("reviews") + &own("ratings")),
        );
    }
}
