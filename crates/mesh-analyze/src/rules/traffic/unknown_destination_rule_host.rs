//! DestinationRules for hosts that are no service.

use mesh_core::{Host, Kind, Lookup, Mesh};
use mesh_yaml::path;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::destination_rules::Rule;
use super::{KnownServices, Suggestions, cluster_local, listed, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A DestinationRule is for a host that is not in the service registry, or that its clients do not see.
    ///
    /// ## Why is this bad?
    /// The settings have no effect: neither its TLS mode, nor its limits, nor its subsets.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   host: review
    ///   trafficPolicy: {loadBalancer: {simple: RANDOM}}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {app: reviews}
    ///   ports: [{port: 9080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Correct the host. A name without dots means a service in the namespace of the DestinationRule. For a host outside the
    /// mesh, add a ServiceEntry.
    pub static RULE = {
        name: "unknown-destination-rule-host",
        aliases: &["IST0174", "KIA0202"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::DestinationRule],
        needs: &[&[Kind::Service, Kind::ServiceEntry]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let rules = reporter.destination_rules();
    let known = KnownServices::new(mesh);
    // All wildcards that cover some service, so that a wildcard is one look-up.
    let mut covering: FxHashSet<String> = FxHashSet::default();
    if rules.all().iter().any(|rule| rule.host.is_wildcard()) {
        for service in mesh.registry().services() {
            covering.extend(service.host().wildcards());
        }
    }
    let suspects: Vec<_> = rules
        .all()
        .par_iter()
        .with_min_len(64)
        .filter(|rule| {
            if rule.host.as_str().is_empty() {
                return false;
            }
            if rule.host.is_wildcard() {
                return !covers_some(mesh, &rule.host, &covering, &known);
            }
            match mesh.registry().lookup(&rule.host, rule.resource.namespace()) {
                Lookup::Found(_) => false,
                Lookup::Hidden(_) => is_for_own_clients_only(mesh, rule),
                Lookup::Unknown => known.would_show(&rule.host),
            }
        })
        .collect();
    if suspects.is_empty() {
        return;
    }
    let mut by_namespace: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    for service in mesh.services() {
        by_namespace
            .entry(service.namespace())
            .or_default()
            .push(service.name());
        by_name
            .entry(service.name())
            .or_default()
            .push(service.namespace());
    }
    let mut suggestions = Suggestions::new();
    for rule in suspects {
        let namespace = rule.resource.namespace();
        let written = rule.resource.spec.host.as_str();
        let finding = reporter.report(rule.resource, path!["spec", "host"]);
        if let Lookup::Hidden(service) = mesh.registry().lookup(&rule.host, namespace) {
            finding
                .message(format!("`{}` is not visible in namespace `{namespace}`, where this holds", rule.host))
                .help(format!(
                    "move the DestinationRule to namespace `{}`, or add `{namespace}` to the `exportTo` of {} `{}`",
                    service.namespace(),
                    service.header().kind(),
                    qualified(service.header())
                ))
                .related(service.header(), path!["metadata", "name"], "declared here");
            continue;
        }
        finding.message(if written == rule.host.as_str() {
            format!("no service has the host `{written}`")
        } else {
            format!("no service has the host `{written}` (`{}`)", rule.host)
        });
        let help = match cluster_local(mesh, &rule.host) {
            Some((service, home)) => {
                if let Some(homes) = by_name.get(service) {
                    let domain = &mesh.settings().cluster_domain;
                    let names: Vec<_> = homes
                        .iter()
                        .map(|home| format!("{service}.{home}.svc.{domain}"))
                        .collect();
                    format!("write {}", listed(names.iter().map(String::as_str)))
                } else {
                    let siblings = by_namespace.get(home).map_or(&[][..], Vec::as_slice);
                    match suggestions.closest(service, siblings) {
                        Some(close) if written == service => format!("did you mean `{close}`?"),
                        Some(close) => format!("did you mean the service `{close}` of namespace `{home}`?"),
                        None => "correct the host, or remove the DestinationRule".to_owned(),
                    }
                }
            }
            None => dotted_help(mesh, written)
                .unwrap_or_else(|| format!("add a ServiceEntry for `{written}`, or correct the host")),
        };
        finding.help(help);
    }
}

/// What to write for `reviews.prod`, if there is such a service.
fn dotted_help(mesh: &Mesh, written: &str) -> Option<String> {
    let mut labels = written.split('.');
    let (service, namespace) = (labels.next()?, labels.next()?);
    if !matches!(labels.next(), None | Some("svc")) || !mesh.contains(Kind::Service, namespace, service) {
        return None;
    }
    let domain = &mesh.settings().cluster_domain;
    Some(format!(
        "write `{service}.{namespace}.svc.{domain}`: a name with dots is never completed"
    ))
}

/// Whether a wildcard covers some service, or may cover one that the input does not show.
fn covers_some(mesh: &Mesh, host: &Host, covering: &FxHashSet<String>, known: &KnownServices<'_>) -> bool {
    let text = host.as_str();
    let is_whole_labels = text == "*" || text.starts_with("*.");
    let registry = mesh.registry();
    if !is_whole_labels || covering.contains(text) {
        return true;
    }
    if host
        .wildcards()
        .any(|wildcard| registry.with_host(&wildcard).next().is_some())
    {
        return true;
    }
    // `*.shop.svc.cluster.local`: as for single services.
    let domain = &mesh.settings().cluster_domain;
    let namespace = text
        .strip_prefix("*.")
        .and_then(|rest| rest.strip_suffix(domain.as_str())?.strip_suffix(".svc."));
    match namespace {
        Some(namespace) => !known.would_show(&Host::of_service("any", namespace, domain)),
        None => {
            mesh.services().is_empty() && format!("svc.{domain}").ends_with(text.trim_start_matches("*."))
        }
    }
}

/// Clients elsewhere only look at the rules of the service's namespace and the root namespace.
fn is_for_own_clients_only(mesh: &Mesh, rule: &Rule<'_>) -> bool {
    let namespace = rule.resource.namespace();
    let mut services = mesh.registry().with_host(rule.host.as_str());
    namespace != mesh.root_namespace() && services.all(|service| service.namespace() != namespace)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, diagnostics, finds, object, silent};

    const RULE: &str = "unknown-destination-rule-host";

    fn rule(namespace: &str, host: &str) -> String {
        object("DestinationRule", namespace, "a", &format!("{{host: '{host}'}}"))
    }

    #[test]
    fn hosts_are_looked_up_in_the_registry() {
        let entry = object(
            "ServiceEntry",
            "shop",
            "e",
            "{hosts: [api.example.com, '*.example.org']}",
        );
        for (host, fires) in [
            ("reviews", false),
            ("billing.prod.svc.cluster.local", false),
            ("api.example.com", false),
            ("a.example.org", false),
            ("*.example.org", false),
            ("*.a.example.org", false),
            ("*.example.com", false),
            ("*.prod.svc.cluster.local", false),
            ("*.local", false),
            ("*", false),
            ("istiod.istio-system.svc.cluster.local", false),
            ("kubernetes.default.svc.cluster.local", false),
            ("*.istio-system.svc.cluster.local", false),
            ("nobody", true),
            ("billing", true),
            ("billing.prod", true),
            ("other.example.com", true),
            ("*.example.net", true),
            ("*.nowhere.svc.cluster.local", true),
        ] {
            let text = SERVICES.to_owned() + &entry + &rule("shop", host);
            let expected: &[_] = if fires {
                &[("spec.host", "no service has the host")]
            } else {
                &[]
            };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn the_help_names_what_was_meant() {
        for (host, help) in [
            ("review", "did you mean `reviews`?"),
            ("billing", "write `billing.prod.svc.cluster.local`"),
            (
                "billing.prod",
                "write `billing.prod.svc.cluster.local`: a name with dots is never completed",
            ),
            (
                "a.example.com",
                "add a ServiceEntry for `a.example.com`, or correct the host",
            ),
        ] {
            let found = diagnostics(RULE, &(SERVICES.to_owned() + &rule("shop", host)));
            assert_eq!(found[0].help.as_deref(), Some(help));
        }
    }

    #[test]
    fn visibility_matters_where_only_own_clients_take_the_rule() {
        let entry = object(
            "ServiceEntry",
            "prod",
            "e",
            "{hosts: [api.example.com], exportTo: [other]}",
        );
        finds(
            RULE,
            &(entry.clone() + &rule("shop", "api.example.com")),
            &[(
                "spec.host",
                "`api.example.com` is not visible in namespace `shop`",
            )],
        );
        for namespace in ["other", "prod", "istio-system"] {
            silent(RULE, &(entry.clone() + &rule(namespace, "api.example.com")));
        }
    }

    #[test]
    fn without_kubernetes_services_nothing_is_known_of_them() {
        let entry = object("ServiceEntry", "shop", "e", "{hosts: [api.example.com]}");
        for host in ["reviews", "*.local", "*.shop.svc.cluster.local"] {
            silent(RULE, &(entry.clone() + &rule("shop", host)));
        }
    }
}
