//! Subsets that no DestinationRule defines.

use mesh_core::schema::validate::closest;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use super::audience::Audiences;
use super::destination_rules::{DestinationRules, Rule, owners};
use super::destinations::{Seen, each_destination};
use super::{listed, qualified};
use crate::{Diagnostic, Reporter, Severity, declare_rule};

declare_rule! {
    /// A VirtualService sends traffic to a subset that no DestinationRule for the host defines.
    ///
    /// ## Why is this bad?
    /// Proxies have no cluster for the subset. Every request that takes the route is answered with 503.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - route:
    ///     - destination: {host: reviews, subset: v2}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   host: reviews
    ///   subsets:
    ///   - name: v1
    ///     labels: {version: v1}
    /// ```
    ///
    /// ## Fix
    /// Add the subset to the DestinationRule for the host. A client takes its settings for a host from one namespace only:
    /// its own if that has a DestinationRule for the host, else the service's, else the root namespace.
    pub static RULE = {
        name: "unknown-subset",
        aliases: &["IST0101", "KIA1107"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[&[Kind::DestinationRule]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let audiences = Audiences::new(mesh);
    let rules = reporter.destination_rules();
    each_destination(mesh, &audiences, reporter, |seen, reporter| {
        let subset = &seen.destination.subset;
        if subset.is_empty() {
            return;
        }
        let owners = owners(mesh, &seen.host);
        let is_defined = seen.audience.namespaces.iter().any(|client| {
            let mut holding = rules.holding(client, &seen.host, &owners).into_iter();
            holding.any(|rule| rule.defines(subset))
        });
        if !is_defined {
            let place = seen.spot.path().key("subset");
            let finding = reporter.report(seen.resource, place);
            finding.message(format!(
                "no DestinationRule defines subset `{subset}` of `{}`{}",
                seen.destination.host,
                clients(seen)
            ));
            explain(rules, seen, &owners, finding);
        }
    });
}

/// For whom it is not defined, where that is not the VirtualService's own namespace.
fn clients(seen: &Seen<'_, '_>) -> String {
    match seen.audience.namespaces.as_slice() {
        [client, ..] if *client != seen.resource.namespace() => {
            format!(" for clients in namespace `{client}`")
        }
        _ => String::new(),
    }
}

fn explain(rules: &DestinationRules<'_>, seen: &Seen<'_, '_>, owners: &[&str], finding: &mut Diagnostic) {
    const SHOWN: usize = 3;
    let subset = seen.destination.subset.as_str();
    let client = seen.audience.namespaces.first().copied().unwrap_or_default();
    let holding = rules.holding(client, &seen.host, owners);
    for rule in holding.iter().take(SHOWN) {
        let names = rule
            .resource
            .spec
            .subsets
            .iter()
            .map(|subset| subset.name.as_str());
        let (at, text) = if rule.resource.spec.subsets.is_empty() {
            (path!["spec", "host"], "has no subsets".to_owned())
        } else {
            (path!["spec", "subsets"], format!("has only {}", listed(names)))
        };
        let name = qualified(rule.resource);
        finding.related(rule.resource, at, format!("DestinationRule `{name}` {text}"));
    }
    let elsewhere: Vec<_> = rules
        .for_host(&seen.host)
        .filter(|rule| rule.defines(subset))
        .collect();
    for rule in elsewhere.iter().take(SHOWN) {
        finding.related(
            rule.resource,
            path!["spec", "subsets"],
            format!(
                "DestinationRule `{}` has it, but {}",
                qualified(rule.resource),
                why_not(rule, client, !holding.is_empty())
            ),
        );
    }
    let known = holding.iter().flat_map(|rule| {
        rule.resource
            .spec
            .subsets
            .iter()
            .map(|subset| subset.name.as_str())
    });
    let help = if let Some(close) = closest(subset, known) {
        format!("did you mean `{close}`?")
    } else if let Some(rule) = holding.last() {
        format!("add the subset to DestinationRule `{}`", qualified(rule.resource))
    } else {
        format!("add a DestinationRule with the subset for `{}`", seen.host)
    };
    finding.help(help);
}

fn why_not(rule: &Rule<'_>, client: &str, has_other: bool) -> String {
    if !rule.visibility.includes(client) {
        format!("is not exported to `{client}`")
    } else if has_other {
        format!("clients in `{client}` take another one")
    } else {
        format!("holds for clients in `{}` only", rule.resource.namespace())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, deployment, diagnostics, finds, object, silent, virtual_service};

    const RULE: &str = "unknown-subset";
    const AT: &str = "spec.http[0].route[0].destination.subset";

    fn route(host: &str, subset: &str) -> String {
        virtual_service(
            "a",
            &format!(
                "{{hosts: [x], http: [{{route: [{{destination: {{host: {host}, subset: {subset}}}}}]}}]}}"
            ),
        )
    }

    fn rule(namespace: &str, name: &str, host: &str, more: &str) -> String {
        object(
            "DestinationRule",
            namespace,
            name,
            &format!("{{host: '{host}', subsets: [{{name: v1}}, {{name: v2}}]{more}}}"),
        )
    }

    #[test]
    fn subsets_come_from_the_rule_that_holds() {
        let unknown: &[_] = &[(AT, "no DestinationRule defines subset")];
        for (rules, host, subset, fires) in [
            (rule("shop", "a", "reviews", ""), "reviews", "v1", false),
            (rule("shop", "a", "reviews", ""), "reviews", "v3", true),
            (rule("shop", "a", "ratings", ""), "reviews", "v1", true),
            // In the service's namespace, the root namespace, and by wildcard.
            (
                rule("prod", "a", "billing", ""),
                "billing.prod.svc.cluster.local",
                "v1",
                false,
            ),
            (
                rule("istio-system", "a", "reviews.shop.svc.cluster.local", ""),
                "reviews",
                "v1",
                false,
            ),
            (
                rule("shop", "a", "*.shop.svc.cluster.local", ""),
                "reviews",
                "v1",
                false,
            ),
            (rule("istio-system", "a", "*.local", ""), "reviews", "v1", false),
            // Not exported, or somewhere that nobody looks.
            (
                rule("prod", "a", "billing", ", exportTo: ['.']"),
                "billing.prod.svc.cluster.local",
                "v1",
                true,
            ),
            (
                rule("prod", "a", "billing", ", exportTo: [shop]"),
                "billing.prod.svc.cluster.local",
                "v1",
                false,
            ),
            (
                rule("other", "a", "reviews.shop.svc.cluster.local", ""),
                "reviews",
                "v1",
                true,
            ),
            // Hosts outside the mesh, with their rule in the client's namespace.
            (
                rule("shop", "a", "api.example.com", ""),
                "api.example.com",
                "v1",
                false,
            ),
            // A rule for some workloads counts, too.
            (
                rule(
                    "shop",
                    "a",
                    "reviews",
                    ", workloadSelector: {matchLabels: {app: x}}",
                ),
                "reviews",
                "v1",
                false,
            ),
        ] {
            let text = SERVICES.to_owned() + &rules + &route(host, subset);
            finds(RULE, &text, if fires { unknown } else { &[] });
        }
    }

    #[test]
    fn rules_for_one_host_in_one_namespace_are_merged() {
        let more = object(
            "DestinationRule",
            "shop",
            "b",
            "{host: reviews.shop.svc.cluster.local, subsets: [{name: v3}]}",
        );
        silent(
            RULE,
            &(SERVICES.to_owned() + &rule("shop", "a", "reviews", "") + &more + &route("reviews", "v3")),
        );
    }

    #[test]
    fn the_clients_own_rule_hides_the_services() {
        let own = object(
            "DestinationRule",
            "shop",
            "own",
            "{host: billing.prod.svc.cluster.local, subsets: [{name: canary}]}",
        );
        let text = SERVICES.to_owned()
            + &own
            + &rule("prod", "a", "billing", "")
            + &route("billing.prod.svc.cluster.local", "v1");
        let found = diagnostics(RULE, &text);
        let related: Vec<_> = found[0]
            .related
            .iter()
            .map(|related| related.message.as_str())
            .collect();
        assert_eq!(
            related,
            [
                "DestinationRule `shop/own` has only `canary`",
                "DestinationRule `prod/a` has it, but clients in `shop` take another one",
            ]
        );
        assert_eq!(
            found[0].help.as_deref(),
            Some("add the subset to DestinationRule `shop/own`")
        );
    }

    #[test]
    fn a_gateway_looks_from_the_namespace_of_its_proxies() {
        let gateway = object("Gateway", "shop", "edge", "{selector: {app: edge}, servers: []}");
        let route = virtual_service(
            "a",
            "{hosts: [x.example.com], gateways: [edge], http: [{route: [{destination: {host: api.example.com, subset: v1}}]}]}",
        );
        let own = rule("shop", "a", "api.example.com", "");
        finds(
            RULE,
            &(own.clone() + &gateway + &deployment("infra", "edge", "{app: edge}") + &route),
            &[(AT, "for clients in namespace `infra`")],
        );
        // Where the proxies are is not known.
        silent(RULE, &(own + &gateway + &route));
    }

    #[test]
    fn misspellings_are_recognised() {
        let rules = object(
            "DestinationRule",
            "shop",
            "a",
            "{host: reviews, subsets: [{name: stable}]}",
        );
        let found = diagnostics(
            RULE,
            &(SERVICES.to_owned() + &rules + &route("reviews", "stabel")),
        );
        assert_eq!(found[0].help.as_deref(), Some("did you mean `stable`?"));
    }
}
