//! Subsets without endpoints.

use std::collections::BTreeMap;

use mesh_core::registry::ServiceOrigin;
use mesh_core::{Host, Kind, Labels, Mesh, Service};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::destination_rules::Rule;
use super::destinations::destinations;
use super::{has_unknown_workloads, listed};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The labels of a subset select none of the service's endpoints.
    ///
    /// ## Why is this bad?
    /// Requests for the subset are answered with 503, as there is nobody to take them.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   host: reviews
    ///   subsets:
    ///   - name: v2
    ///     labels: {version: v2}
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
    /// metadata: {name: reviews-v1, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: reviews}}
    ///   template:
    ///     metadata: {labels: {app: reviews, version: v1}}
    ///     spec: {containers: [{name: reviews, image: reviews}]}
    /// ```
    ///
    /// ## Fix
    /// Use labels of the pods. Where a VirtualService sends traffic to the subset, this is an error; otherwise the subset is
    /// just not of use yet.
    pub static RULE = {
        name: "subset-selects-nothing",
        aliases: &["IST0173", "KIA0203"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::DestinationRule],
        needs: &[&[Kind::Service, Kind::ServiceEntry]],
        check,
    }
}

/// Labels that endpoints get while they run, from their node, their controller, or the mesh.
fn is_known_at_run_time(key: &str) -> bool {
    const KEYS: [&str; 8] = [
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "security.istio.io/tlsMode",
        "service.istio.io/canonical-name",
        "service.istio.io/canonical-revision",
    ];
    key.starts_with("topology.")
        || key.starts_with("failure-domain.beta.kubernetes.io/")
        || key == "kubernetes.io/hostname"
        || KEYS.contains(&key)
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    if has_unknown_workloads(mesh) {
        return;
    }
    let rules = reporter.destination_rules();
    let used = used_subsets(mesh);
    reporter.each(rules.all(), |rule, reporter| {
        check_rule(mesh, rule, &used, reporter);
    });
}

/// The subsets that VirtualServices send traffic to.
fn used_subsets(mesh: &Mesh) -> FxHashMap<Host, FxHashSet<&str>> {
    let mut used: FxHashMap<Host, FxHashSet<&str>> = FxHashMap::default();
    for resource in mesh.virtual_services() {
        for (_, destination) in destinations(&resource.spec) {
            if !destination.subset.is_empty() {
                let host = mesh.host(&destination.host, resource.namespace());
                used.entry(host).or_default().insert(&destination.subset);
            }
        }
    }
    used
}

fn check_rule(
    mesh: &Mesh,
    rule: &Rule<'_>,
    used: &FxHashMap<Host, FxHashSet<&str>>,
    reporter: &mut Reporter<'_>,
) {
    let subsets = &rule.resource.spec.subsets;
    // A wildcard stands for services that need not have all subsets.
    if subsets.is_empty() || rule.host.is_wildcard() {
        return;
    }
    let services: Vec<_> = mesh.registry().with_host(rule.host.as_str()).collect();
    if services.is_empty() || services.iter().any(|service| has_other_endpoints(service)) {
        return;
    }
    let endpoints: Vec<&Labels> = (services.iter())
        .flat_map(|service| mesh.registry().endpoint_labels(mesh, service))
        .collect();
    if endpoints.is_empty() {
        return; // They are not in the input.
    }
    for (index, subset) in subsets.iter().enumerate() {
        let wanted: BTreeMap<_, _> = (subset.labels.iter())
            .filter(|(key, _)| !is_known_at_run_time(key))
            .collect();
        let matches = |labels: &&Labels| wanted.iter().all(|(key, value)| labels.get(*key) == Some(*value));
        if wanted.is_empty() || endpoints.iter().any(matches) {
            continue;
        }
        let is_used = used
            .get(&rule.host)
            .is_some_and(|names| names.contains(subset.name.as_str()));
        let (place, hint) = explain(&wanted, &endpoints, index);
        let finding = reporter.report(rule.resource, place);
        finding
            .message(format!(
                "subset `{}` of `{}` selects none of its endpoints",
                subset.name, rule.resource.spec.host
            ))
            .help(hint)
            .severity(if is_used { Severity::Error } else { Severity::Info });
        if let Some(service) = services.first() {
            let at = match service.origin() {
                ServiceOrigin::Kubernetes(_) => path!["spec", "selector"],
                ServiceOrigin::Entry(..) => path!["spec", "hosts"],
            };
            finding.related(service.header(), at, "the service");
        }
    }
}

/// Whether the service may have endpoints that no selector tells of.
fn has_other_endpoints(service: &Service) -> bool {
    match service.origin() {
        ServiceOrigin::Kubernetes(service) => service.spec.selector.as_ref().is_none_or(BTreeMap::is_empty),
        ServiceOrigin::Entry(entry, _) => {
            entry.spec.workload_selector.is_none() && entry.spec.endpoints.is_empty()
        }
    }
}

/// The label to blame, if it is one alone, and what the endpoints have instead.
fn explain(
    wanted: &BTreeMap<&String, &String>,
    endpoints: &[&Labels],
    index: usize,
) -> (mesh_yaml::FieldPath, String) {
    let labels = path!["spec", "subsets", index, "labels"];
    for (key, value) in wanted {
        let mut values: Vec<&str> = endpoints
            .iter()
            .filter_map(|labels| labels.get(*key))
            .map(String::as_str)
            .collect();
        values.sort_unstable();
        values.dedup();
        if values.is_empty() {
            return (
                labels.key(key),
                format!("none of the endpoints has a label `{key}`"),
            );
        }
        if !values.contains(&value.as_str()) {
            return (
                labels.key(key),
                format!("the endpoints' values of `{key}` are {}", listed(values)),
            );
        }
    }
    (labels, "no endpoint has all of these labels at once".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, deployment, diagnostics, finds, object, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "subset-selects-nothing";

    fn rule(host: &str, labels: &str) -> String {
        object(
            "DestinationRule",
            "shop",
            "a",
            &format!("{{host: '{host}', subsets: [{{name: v2, labels: {labels}}}]}}"),
        )
    }

    fn pods() -> String {
        deployment("shop", "reviews-v1", "{app: reviews, version: v1}")
            + &deployment("shop", "ratings-v2", "{app: ratings, version: v2}")
            + &deployment("prod", "reviews-v2", "{app: reviews, version: v2}")
    }

    #[test]
    fn only_the_services_own_endpoints_count() {
        for (host, labels, expected) in [
            ("reviews", "{version: v1}", None),
            (
                "reviews",
                "{version: v2}",
                Some((
                    "spec.subsets[0].labels.version",
                    "subset `v2` of `reviews` selects none",
                )),
            ),
            (
                "reviews",
                "{tier: x}",
                Some(("spec.subsets[0].labels.tier", "selects none of its endpoints")),
            ),
            (
                "reviews",
                "{version: v2, topology.kubernetes.io/zone: a}",
                Some(("spec.subsets[0].labels.version", "")),
            ),
            ("reviews", "{topology.kubernetes.io/zone: a}", None),
            ("reviews", "{version: v1, topology.istio.io/cluster: a}", None),
            ("reviews", "{rollouts-pod-template-hash: abc}", None),
            ("reviews", "{}", None),
            ("ratings", "{version: v2}", None),
            ("billing.prod.svc.cluster.local", "{version: v9}", None),
            ("*.shop.svc.cluster.local", "{version: v9}", None),
            ("nobody", "{version: v9}", None),
        ] {
            let text = SERVICES.to_owned() + &pods() + &rule(host, labels);
            finds(RULE, &text, expected.as_slice());
        }
    }

    #[test]
    fn endpoints_of_service_entries_count() {
        let entry = |more: &str| {
            object(
                "ServiceEntry",
                "shop",
                "e",
                &format!("{{hosts: [api.example.com], {more}}}"),
            )
        };
        let inline = entry("endpoints: [{address: 1.1.1.1, labels: {version: v1}}]");
        silent(
            RULE,
            &(inline.clone() + &rule("api.example.com", "{version: v1}")),
        );
        finds(
            RULE,
            &(inline + &rule("api.example.com", "{version: v2}")),
            &[("spec.subsets[0].labels.version", "selects none")],
        );
        let selected = entry("workloadSelector: {labels: {app: vm}}");
        let workload = object(
            "WorkloadEntry",
            "shop",
            "vm",
            "{address: 1.1.1.1, labels: {app: vm, version: v2}}",
        );
        silent(
            RULE,
            &(selected + &workload + &rule("api.example.com", "{version: v2}")),
        );
        silent(
            RULE,
            &(entry("resolution: DNS") + &rule("api.example.com", "{version: v2}")),
        );
    }

    #[test]
    fn a_subset_that_is_used_is_an_error() {
        let text = SERVICES.to_owned() + &pods() + &rule("reviews", "{version: v2}");
        let found = diagnostics(RULE, &text);
        assert_eq!(found[0].severity, Severity::Info);
        assert_eq!(
            found[0].help.as_deref(),
            Some("the endpoints' values of `version` are `v1`")
        );
        let route = "{hosts: [reviews], http: [{route: [{destination: {host: reviews, subset: v2}}]}]}";
        assert_eq!(
            diagnostics(RULE, &(text + &virtual_service("a", route)))[0].severity,
            Severity::Error
        );
    }

    #[test]
    fn workloads_of_unknown_kinds_may_be_endpoints() {
        let rollout = "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: reviews}\n---\n";
        silent(
            RULE,
            &(SERVICES.to_owned() + &pods() + rollout + &rule("reviews", "{version: v2}")),
        );
    }
}
