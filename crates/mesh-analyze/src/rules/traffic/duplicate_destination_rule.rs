//! DestinationRules that say different things about one host.

use mesh_core::istio::destination_rule::{Subset, TrafficPolicy};
use mesh_core::{Host, Kind, Mesh, Visibility};
use mesh_yaml::path;
use rustc_hash::FxHashMap;

use super::destination_rules::Rule;
use super::{age, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two DestinationRules of a namespace say different things about one host.
    ///
    /// ## Why is this bad?
    /// istiod merges rules for the same host that are visible in the same namespaces: subsets are put together, and of two
    /// subsets of one name, or two traffic policies, the older rule's counts. Rules that are visible in different namespaces
    /// are not merged at all. In both cases a part of the younger rule is ignored.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews-a, namespace: shop}
    /// spec:
    ///   host: reviews
    ///   trafficPolicy: {loadBalancer: {simple: RANDOM}}
    /// ---
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews-b, namespace: shop}
    /// spec:
    ///   host: reviews.shop.svc.cluster.local
    ///   trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}
    /// ```
    ///
    /// ## Fix
    /// Merge them into one DestinationRule for the host. Rules that only add subsets of different names are fine.
    pub static RULE = {
        name: "duplicate-destination-rule",
        aliases: &["KIA0201"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::DestinationRule],
        needs: &[],
        check,
    }
}

fn check(_mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let rules = reporter.destination_rules();
    let mut by_host: FxHashMap<(&str, &Host), Vec<&Rule<'_>>> = FxHashMap::default();
    for rule in rules.all() {
        by_host
            .entry((rule.resource.namespace(), &rule.host))
            .or_default()
            .push(rule);
    }
    let mut several: Vec<_> = by_host.into_values().filter(|rules| rules.len() > 1).collect();
    for rules in &mut several {
        rules.sort_by_key(|rule| age(rule.resource));
    }
    several.sort_by_key(|rules| rules.first().map(|rule| (rule.resource.namespace(), &rule.host)));
    for rules in &several {
        check_host(rules, reporter);
    }
}

/// Rules of one host that istiod makes one of.
struct Merged<'m> {
    first: &'m Rule<'m>,
    policy: Option<(&'m Rule<'m>, &'m TrafficPolicy)>,
    subsets: FxHashMap<&'m str, (&'m Rule<'m>, usize, &'m Subset)>,
}

fn check_host<'m>(rules: &[&'m Rule<'m>], reporter: &mut Reporter<'_>) {
    /// Sets of visibility and workloads beyond this number are not compared.
    const COMPARED: usize = 32;
    let mut merged: Vec<Merged<'m>> = Vec::new();
    for rule in rules {
        let spec = &rule.resource.spec;
        let same_workloads =
            |other: &Rule<'_>| spec.workload_selector == other.resource.spec.workload_selector;
        let host = &rule.host;
        let Some(known) = merged
            .iter_mut()
            .find(|known| same_workloads(known.first) && known.first.visibility == rule.visibility)
        else {
            let rival = merged
                .iter()
                .map(|known| known.first)
                .find(|first| same_workloads(first) && first.visibility.overlaps(&rule.visibility));
            if let Some(rival) = rival {
                reporter
                    .report(rule.resource, path!["spec", "host"])
                    .message(format!(
                        "DestinationRule `{}` is for `{host}` as well, and only one of them holds {}",
                        qualified(rival.resource),
                        where_both(&rival.visibility, &rule.visibility)
                    ))
                    .help("merge them, or give them the same `exportTo`, so that istiod merges them")
                    .related(rival.resource, path!["spec", "host"], "the other one");
            }
            if merged.len() < COMPARED {
                merged.push(Merged {
                    first: rule,
                    policy: spec.traffic_policy.as_deref().map(|policy| (*rule, policy)),
                    subsets: subsets(rule),
                });
            }
            continue;
        };
        match (&known.policy, spec.traffic_policy.as_deref()) {
            (Some((first, policy)), Some(own)) if *policy != own => {
                reporter
                    .report(rule.resource, path!["spec", "trafficPolicy"])
                    .on_key()
                    .message(format!(
                        "the traffic policy for `{host}` is ignored, as DestinationRule `{}` has one, too",
                        qualified(first.resource)
                    ))
                    .help("merge the DestinationRules into one")
                    .related(
                        first.resource,
                        path!["spec", "trafficPolicy"],
                        "the policy that counts",
                    );
            }
            (None, Some(own)) => known.policy = Some((rule, own)),
            _ => {}
        }
        for (index, subset) in spec.subsets.iter().enumerate() {
            match known.subsets.get(subset.name.as_str()) {
                Some((first, number, other)) if *other != subset && !std::ptr::eq(*first, *rule) => {
                    reporter
                        .report(rule.resource, path!["spec", "subsets", index, "name"])
                        .message(format!(
                            "subset `{}` of `{host}` is ignored, as DestinationRule `{}` has another one of that name",
                            subset.name,
                            qualified(first.resource)
                        ))
                        .help("rename the subset, or merge the DestinationRules")
                        .related(
                            first.resource,
                            path!["spec", "subsets", *number, "name"],
                            "the subset that counts",
                        );
                }
                Some(_) => {}
                None => {
                    known.subsets.insert(&subset.name, (rule, index, subset));
                }
            }
        }
    }
}

fn subsets<'m>(rule: &'m Rule<'m>) -> FxHashMap<&'m str, (&'m Rule<'m>, usize, &'m Subset)> {
    let subsets = rule.resource.spec.subsets.iter().enumerate();
    subsets
        .map(|(index, subset)| (subset.name.as_str(), (rule, index, subset)))
        .collect()
}

fn where_both(a: &Visibility, b: &Visibility) -> String {
    match (a, b) {
        (Visibility::Namespaces(list), other) | (other, Visibility::Namespaces(list)) => list
            .iter()
            .find(|namespace| other.includes(namespace))
            .map_or_else(
                || "at a time".to_owned(),
                |namespace| format!("in namespace `{namespace}`"),
            ),
        _ => "at a time".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "duplicate-destination-rule";

    fn pair(a: &str, b: &str) -> String {
        let one = |name: &str, rest: &str| {
            object(
                "DestinationRule",
                "shop",
                name,
                &format!("{{host: reviews, {rest}}}"),
            )
        };
        one("a", a) + &one("b", b)
    }

    #[test]
    fn what_istiod_ignores_is_reported() {
        let random = "trafficPolicy: {loadBalancer: {simple: RANDOM}}";
        let robin = "trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}";
        for (a, b, path, message) in [
            (
                random,
                robin,
                "spec.trafficPolicy",
                "is ignored, as DestinationRule `shop/a` has one, too",
            ),
            (
                "subsets: [{name: v1, labels: {v: a}}]",
                "subsets: [{name: v0}, {name: v1, labels: {v: b}}]",
                "spec.subsets[1].name",
                "subset `v1` of `reviews.shop.svc.cluster.local` is ignored",
            ),
            (
                "subsets: [{name: v1}], exportTo: ['.']",
                "subsets: [{name: v2}]",
                "spec.host",
                "only one of them holds in namespace `shop`",
            ),
        ] {
            finds(RULE, &pair(a, b), &[(path, message)]);
        }
    }

    #[test]
    fn what_istiod_merges_is_fine() {
        let random = "trafficPolicy: {loadBalancer: {simple: RANDOM}}";
        for (a, b) in [
            ("subsets: [{name: v1}]", "subsets: [{name: v2}]"),
            (random, "subsets: [{name: v2}]"),
            ("subsets: [{name: v2}]", random),
            (random, random),
            ("subsets: [{name: v1}]", "subsets: [{name: v1}]"),
            (
                "subsets: [{name: v1}], exportTo: [a]",
                "subsets: [{name: v1}], exportTo: [b]",
            ),
            (
                random,
                "workloadSelector: {matchLabels: {app: a}}, trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}",
            ),
        ] {
            silent(RULE, &pair(a, b));
        }
        // Other namespaces and other hosts.
        let rule = |namespace: &str, host: &str, lb: &str| {
            object(
                "DestinationRule",
                namespace,
                lb,
                &format!("{{host: '{host}', trafficPolicy: {{loadBalancer: {{simple: {lb}}}}}}}"),
            )
        };
        let full = "reviews.shop.svc.cluster.local";
        silent(
            RULE,
            &(rule("shop", full, "RANDOM") + &rule("prod", full, "PASSTHROUGH")),
        );
        silent(
            RULE,
            &(rule("shop", full, "RANDOM") + &rule("shop", "*.local", "PASSTHROUGH")),
        );
    }
}
