//! Selectors that no workload matches.

use std::cell::Cell;
use std::fmt::Write as _;

use mesh_core::schema::validate::closest;
use mesh_core::workload;
use mesh_core::{Kind, Labels, Mesh, Workload, selects};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Reach, Settings, all};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The selector of a policy, or of other settings of workloads, matches no workload.
    ///
    /// ## Why is this bad?
    /// It has no effect. A policy that was meant to protect a workload does not.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: AuthorizationPolicy
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: cartt}}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: cart}}
    ///   template:
    ///     metadata: {labels: {app: cart}}
    ///     spec: {containers: [{name: app, image: cart}]}
    /// ```
    ///
    /// ## Fix
    /// Use the labels of the pods (not those of the Deployment or Service), in the namespace of the pods.
    pub static RULE = {
        name: "selector-selects-nothing",
        aliases: &["IST0101", "IST0127", "KIA0004"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[
            Kind::AuthorizationPolicy,
            Kind::EnvoyFilter,
            Kind::PeerAuthentication,
            Kind::ProxyConfig,
            Kind::RequestAuthentication,
            Kind::Sidecar,
            Kind::Telemetry,
            Kind::TrafficExtension,
            Kind::WasmPlugin,
        ],
        needs: &[workload::KINDS],
        check,
    }
}

/// Labels that pods get only when they run, by their owners, by injection or by a controller of gateways.
const RUNTIME_LABELS: [&str; 17] = [
    "app.kubernetes.io/managed-by",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-revision-hash",
    "gateway.istio.io/managed",
    "gateway.networking.k8s.io/gateway-class-name",
    "gateway.networking.k8s.io/gateway-name",
    "istio.io/gateway-name",
    "istio.io/rev",
    "job-name",
    "pod-template-hash",
    "security.istio.io/tlsMode",
    "service.istio.io/canonical-name",
    "service.istio.io/canonical-revision",
    "statefulset.kubernetes.io/pod-name",
    "topology.istio.io/network",
];

/// Labels that are compared in search of one that is spelled alike, all findings together. Whoever has more findings
/// than that has another problem than spelling.
const MOST_COMPARED: usize = 20_000;

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let world = World::new(mesh);
    for settings in all(mesh) {
        let Some(labels) = settings.labels else { continue };
        // Validation says that this one has no effect.
        let is_in_root = settings.header.namespace() == mesh.root_namespace();
        if is_in_root && settings.header.kind() == Kind::PeerAuthentication {
            continue;
        }
        let scope = if is_in_root && settings.reach == Reach::Mesh {
            Scope::Mesh
        } else {
            Scope::Namespace(settings.header.namespace())
        };
        let judged: Labels = labels
            .iter()
            .filter(|(key, _)| !RUNTIME_LABELS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if judged.is_empty() || world.may_be_elsewhere(&judged, scope) || world.finds(&judged, scope) {
            continue;
        }
        world.report(&settings, &judged, scope, reporter);
    }
}

/// Where a selector looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope<'a> {
    Namespace(&'a str),
    Mesh,
}

/// Everything that selectors may match.
struct World<'m> {
    mesh: &'m Mesh,
    /// Workloads by each of their labels.
    by_label: FxHashMap<(&'m str, &'m str), Vec<&'m Workload>>,
    /// Labels of workloads outside Kubernetes, by namespace.
    outside: FxHashMap<&'m str, Vec<&'m Labels>>,
    namespaces: FxHashSet<&'m str>,
    /// How many labels may still be compared.
    comparisons: Cell<usize>,
}

impl<'m> World<'m> {
    fn new(mesh: &'m Mesh) -> Self {
        let mut by_label: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for workload in mesh.workloads().all() {
            for (key, value) in workload.labels() {
                let list = by_label.entry((key.as_str(), value.as_str())).or_default();
                list.push(workload);
            }
        }
        let mut outside: FxHashMap<_, Vec<_>> = FxHashMap::default();
        for entry in mesh.workload_entries() {
            let list = outside.entry(entry.namespace()).or_default();
            list.extend([&entry.spec.labels, entry.labels()]);
        }
        for group in mesh.workload_groups() {
            let list = outside.entry(group.namespace()).or_default();
            list.extend(group.spec.metadata.as_ref().map(|metadata| &metadata.labels));
            list.extend(group.spec.template.as_ref().map(|template| &template.labels));
        }
        Self {
            mesh,
            by_label,
            outside,
            namespaces: mesh
                .namespaces()
                .iter()
                .map(|namespace| namespace.name())
                .collect(),
            comparisons: Cell::new(MOST_COMPARED),
        }
    }

    /// The workloads of any namespace with all labels.
    fn anywhere<'a>(&'a self, labels: &'a Labels) -> impl Iterator<Item = &'m Workload> + 'a {
        let shortest = labels
            .iter()
            .map(|(key, value)| {
                let list = self.by_label.get(&(key.as_str(), value.as_str()));
                list.map_or(&[][..], Vec::as_slice)
            })
            .min_by_key(|list| list.len());
        let candidates = shortest.unwrap_or_default().iter().copied();
        candidates.filter(|workload| selects(labels, workload.labels()))
    }

    fn finds(&self, labels: &Labels, scope: Scope<'_>) -> bool {
        let matches = |list: &Vec<&Labels>| list.iter().any(|found| selects(labels, found));
        match scope {
            Scope::Namespace(namespace) => {
                self.mesh.workloads().select(namespace, labels).next().is_some()
                    || self.outside.get(namespace).is_some_and(matches)
            }
            Scope::Mesh => self.anywhere(labels).next().is_some() || self.outside.values().any(matches),
        }
    }

    /// Whether the workloads that are meant may well be left out of the input: Istio's own, which its installation
    /// makes, and those of a namespace of which the input shows nothing.
    fn may_be_elsewhere(&self, labels: &Labels, scope: Scope<'_>) -> bool {
        if self.mesh.has_all(Kind::Pod) {
            return false;
        }
        let is_istio = |key: &str, value: &str| key == "istio" || value.starts_with("istio");
        let istio_is_here = || self.by_label.contains_key(&("app", "istiod"));
        if labels.iter().any(|(key, value)| is_istio(key, value)) && !istio_is_here() {
            // Gateways are often made by a chart, into any namespace. If the input has any of the kind, it has all.
            let has_key = |key: &str| self.by_label.keys().any(|(known, _)| *known == key);
            return !labels.keys().any(|key| key == "istio" && has_key(key));
        }
        match scope {
            Scope::Mesh => false,
            Scope::Namespace(namespace) => {
                if namespace == self.mesh.settings().istio_namespace && !istio_is_here() {
                    return true;
                }
                let is_shown = self.namespaces.contains(namespace)
                    || self.mesh.workloads().in_namespace(namespace).next().is_some()
                    || self.outside.contains_key(namespace);
                !is_shown
            }
        }
    }

    fn report(
        &self,
        settings: &Settings<'_>,
        labels: &Labels,
        scope: Scope<'_>,
        reporter: &mut Reporter<'_>,
    ) {
        let nobody_has = |key: &str, value: &str| {
            let one: Labels = [(key.to_owned(), value.to_owned())].into();
            !self.finds(&one, scope)
        };
        let wrong = labels.iter().find(|(key, value)| nobody_has(key, value));
        let path = match wrong {
            Some((key, _)) => settings.labels_path.key(key),
            None => settings.labels_path.clone(),
        };
        let place = match scope {
            Scope::Namespace(namespace) => format!("in the namespace `{namespace}`"),
            Scope::Mesh => "in the mesh".to_owned(),
        };
        let message = match wrong {
            Some((key, value)) if labels.len() > 1 => {
                format!(
                    "no workload {place} has the label `{key}: {value}`, and so the selector {} selects nothing",
                    shown(labels)
                )
            }
            Some((key, value)) => format!("no workload {place} has the label `{key}: {value}`"),
            None => format!("no workload {place} has all labels of {}", shown(labels)),
        };
        let finding = reporter.report(settings.header, path);
        finding.message(message);
        // The same labels in another namespace are what is probably meant.
        let elsewhere = match scope {
            Scope::Namespace(_) => self.anywhere(labels).next(),
            Scope::Mesh => None,
        };
        if let Some(workload) = elsewhere {
            let owner = workload.owner();
            finding
                .help(format!(
                    "selectors reach their own namespace only: move it to the namespace `{}`",
                    owner.namespace()
                ))
                .related(
                    owner,
                    workload.labels_path(),
                    format!(
                        "{} `{}` has these labels, in another namespace",
                        owner.kind(),
                        owner.name()
                    ),
                );
        } else if let Some((key, meant, workload)) =
            wrong.and_then(|(key, value)| self.alike(key, value, scope))
        {
            finding.help(format!("did you mean `{key}: {meant}`?")).related(
                workload.owner(),
                workload.labels_path().key(key),
                "the label of the pods is here",
            );
        } else {
            finding.help("use labels of the pods, not of their Deployment or Service");
        }
    }

    /// The workload in scope with the most similar value of the label.
    fn alike<'k>(
        &self,
        key: &'k str,
        value: &str,
        scope: Scope<'_>,
    ) -> Option<(&'k str, String, &'m Workload)> {
        let Scope::Namespace(namespace) = scope else {
            return None;
        };
        let workloads: Vec<_> = self
            .mesh
            .workloads()
            .in_namespace(namespace)
            .filter_map(|workload| Some((workload.labels().get(key)?, workload)))
            .take(self.comparisons.get())
            .collect();
        self.comparisons.set(self.comparisons.get() - workloads.len());
        let meant = closest(value, workloads.iter().map(|(value, _)| value.as_str()))?;
        let (_, workload) = workloads.into_iter().find(|(value, _)| **value == meant)?;
        Some((key, meant, workload))
    }
}

/// Labels as in a flow mapping.
fn shown(labels: &Labels) -> String {
    let mut text = String::from("`{");
    for (index, (key, value)) in labels.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let _ = write!(text, "{separator}{key}: {value}");
    }
    text.push_str("}`");
    text
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings_with_help, skipped};

    const RULE: &str = "selector-selects-nothing";

    fn policy(namespace: &str, selector: &str) -> String {
        object(
            "security.istio.io/v1",
            "AuthorizationPolicy",
            namespace,
            &format!("selector: {{matchLabels: {selector}}}"),
        )
    }

    fn object(version: &str, kind: &str, namespace: &str, spec: &str) -> String {
        format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{name: p, namespace: {namespace}}}\nspec: {{{spec}}}\n---\n"
        )
    }

    fn deployment(namespace: &str, labels: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: d, namespace: {namespace}}}\nspec: {{replicas: 0, \
             selector: {{}}, template: {{metadata: {{labels: {labels}}}, spec: {{containers: []}}}}}}\n---\n"
        )
    }

    fn found(parts: &[String]) -> Vec<String> {
        findings_with_help(RULE, &parts.concat())
    }

    #[test]
    fn the_label_that_is_wrong_is_named() {
        let cart = deployment("shop", "{app: cart, tier: web}");
        for (selector, expected) in [
            (
                "{app: crat}",
                "spec.selector.matchLabels.app: no workload in the namespace `shop` has the label `app: crat` (did you \
                 mean `app: cart`?)",
            ),
            (
                "{app: cart, tier: batch}",
                "spec.selector.matchLabels.tier: no workload in the namespace `shop` has the label `tier: batch`, and so \
                 the selector `{app: cart, tier: batch}` selects nothing (use labels of the pods, not of their Deployment \
                 or Service)",
            ),
        ] {
            assert_eq!(found(&[cart.clone(), policy("shop", selector)]), [expected]);
        }
        let other = deployment("shop", "{app: x, tier: batch}").replace("name: d", "name: e");
        assert_eq!(
            found(&[cart, other, policy("shop", "{app: cart, tier: batch}")]),
            [
                "spec.selector.matchLabels: no workload in the namespace `shop` has all labels of `{app: cart, tier: \
                 batch}` (use labels of the pods, not of their Deployment or Service)"
            ]
        );
    }

    #[test]
    fn the_namespace_is_minded() {
        let text = [
            deployment("bank", "{app: cart}"),
            deployment("shop", "{app: x}"),
            policy("shop", "{app: cart}"),
        ];
        assert_eq!(
            found(&text),
            [
                "spec.selector.matchLabels.app: no workload in the namespace `shop` has the label `app: cart` (selectors \
                 reach their own namespace only: move it to the namespace `bank`)"
            ]
        );
        let related = &diagnostics(RULE, &text.concat())[0].related[0];
        assert_eq!(related.place.path.to_string(), "spec.template.metadata.labels");
        // Policies of the root namespace reach everything, Sidecars do not.
        let cart = deployment("shop", "{app: cart}");
        assert_eq!(
            found(&[cart.clone(), policy("istio-system", "{app: cart}")]),
            [""; 0]
        );
        assert_eq!(
            found(&[cart.clone(), policy("istio-system", "{app: x}")]),
            [
                "spec.selector.matchLabels.app: no workload in the mesh has the label `app: x` (use labels of the pods, \
                 not of their Deployment or Service)"
            ]
        );
        let istiod = deployment("istio-system", "{app: istiod}");
        let sidecar = object(
            "networking.istio.io/v1",
            "Sidecar",
            "istio-system",
            "workloadSelector: {labels: {app: cart}}",
        );
        assert_eq!(found(&[cart, istiod, sidecar]).len(), 1);
    }

    #[test]
    fn every_kind_is_looked_at() {
        for (version, kind, spec) in [
            (
                "security.istio.io/v1",
                "PeerAuthentication",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "security.istio.io/v1",
                "RequestAuthentication",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "telemetry.istio.io/v1",
                "Telemetry",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "extensions.istio.io/v1alpha1",
                "WasmPlugin",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "extensions.istio.io/v1alpha1",
                "TrafficExtension",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "networking.istio.io/v1alpha3",
                "EnvoyFilter",
                "workloadSelector: {labels: {app: x}}",
            ),
            (
                "networking.istio.io/v1beta1",
                "ProxyConfig",
                "selector: {matchLabels: {app: x}}",
            ),
            (
                "networking.istio.io/v1",
                "Sidecar",
                "workloadSelector: {labels: {app: x}}",
            ),
        ] {
            let found = found(&[
                deployment("shop", "{app: cart}"),
                object(version, kind, "shop", spec),
            ]);
            assert_eq!(found.len(), 1, "{kind}: {found:?}");
        }
    }

    #[test]
    fn what_may_be_left_out_of_the_input_is_not_missed() {
        let elsewhere = deployment("bank", "{app: bank}");
        let entry = object(
            "networking.istio.io/v1",
            "WorkloadEntry",
            "shop",
            "address: 10.0.0.1, labels: {app: vm}",
        );
        let group = object(
            "networking.istio.io/v1",
            "WorkloadGroup",
            "shop",
            "metadata: {labels: {app: vm}}, template: {}",
        );
        for parts in [
            // Nothing is known of the namespace, or it is Istio's.
            vec![elsewhere.clone(), policy("shop", "{app: cart}")],
            vec![
                elsewhere.clone(),
                deployment("istio-system", "{app: kiali}"),
                object(
                    "telemetry.istio.io/v1",
                    "Telemetry",
                    "istio-system",
                    "selector: {matchLabels: {app: prometheus}}",
                ),
            ],
            // Gateways are made by their chart.
            vec![
                deployment("shop", "{app: cart}"),
                policy("shop", "{istio: ingressgateway}"),
            ],
            vec![
                deployment("shop", "{app: cart}"),
                policy("istio-system", "{app: istio-ingressgateway}"),
            ],
            // Running pods have more labels than templates.
            vec![
                deployment("shop", "{app: cart}"),
                policy("shop", "{app: cart, service.istio.io/canonical-name: cart}"),
                policy("shop", "{gateway.networking.k8s.io/gateway-name: waypoint}")
                    .replace("name: p,", "name: q,"),
            ],
            // Virtual machines count.
            vec![elsewhere.clone(), entry, policy("shop", "{app: vm}")],
            vec![elsewhere.clone(), group, policy("shop", "{app: vm}")],
            // Target references and empty selectors select nothing by labels.
            vec![
                deployment("shop", "{app: cart}"),
                object(
                    "security.istio.io/v1",
                    "AuthorizationPolicy",
                    "shop",
                    "targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: waypoint}]",
                ),
                policy("shop", "{}").replace("name: p,", "name: q,"),
            ],
        ] {
            assert_eq!(found(&parts), [""; 0], "{}", parts.concat());
        }
    }

    #[test]
    fn a_namespace_that_is_given_without_workloads_has_none() {
        let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n".to_owned();
        let parts = [
            deployment("bank", "{app: bank}"),
            namespace,
            policy("shop", "{app: cart}"),
        ];
        assert_eq!(found(&parts).len(), 1);
    }

    #[test]
    fn without_workloads_nothing_is_known() {
        assert!(skipped(RULE, &policy("shop", "{app: cart}")).is_some());
    }
}
