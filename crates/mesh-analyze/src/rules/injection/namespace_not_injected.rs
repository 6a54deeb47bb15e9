//! Namespaces that are left out of the mesh without a word.

use mesh_core::injection::SYSTEM_NAMESPACES;
use mesh_core::{Kind, Mesh, workload};
use mesh_yaml::path;

use super::{DATAPLANE_LABEL, Injection, NAMESPACE_LABEL, REVISION_LABEL, is_istio_component, running};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A namespace with workloads does not say whether they belong to the mesh.
    ///
    /// ## Why is this bad?
    /// Its pods get no sidecar, or get one, by a default that is set elsewhere and that may change.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: web, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: web}}
    ///   template:
    ///     metadata: {labels: {app: web}}
    ///     spec: {containers: [{name: web, image: web}]}
    /// ```
    ///
    /// ## Fix
    /// Set one of the labels `istio-injection: enabled` (or `disabled`), `istio.io/rev: REVISION`, or
    /// `istio.io/dataplane-mode: ambient`.
    pub static RULE = {
        name: "namespace-not-injected",
        aliases: &["IST0102", "IST0148"],
        severity: Severity::Info,
        since: "0.1.0",
        subjects: &[Kind::Namespace],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let injector = reporter.injector();
    let by_default = running::templates(mesh)
        .iter()
        .any(|template| template.by_default);
    for namespace in mesh.namespaces() {
        let name = namespace.name();
        let is_labelled = [NAMESPACE_LABEL, REVISION_LABEL, DATAPLANE_LABEL]
            .iter()
            .any(|label| {
                namespace
                    .labels()
                    .get(*label)
                    .is_some_and(|value| !value.is_empty())
            });
        let is_istios = [mesh.settings().istio_namespace.as_str(), mesh.root_namespace()].contains(&name);
        if is_labelled || is_istios || SYSTEM_NAMESPACES.contains(&name) {
            continue;
        }
        // Those that ask for a sidecar by themselves, or refuse it, need no default.
        let is_undecided = mesh.workloads().in_namespace(name).any(|workload| {
            !is_istio_component(workload.labels())
                && matches!(injector.injection(workload), Injection::NotAsked(_))
        });
        if !is_undecided {
            continue;
        }
        let effect = if by_default {
            "its pods get a sidecar, because injection is on by default"
        } else {
            "its pods get no sidecar"
        };
        reporter
            .report(namespace, path!["metadata", "labels"])
            .message(format!(
                "namespace `{name}` has no label about injection: {effect}"
            ))
            .help("label it `istio-injection: enabled`, or `disabled` if that is meant");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn found(namespace: &str, pod: &str) -> Vec<String> {
        findings(
            "namespace-not-injected",
            &format!(
                "apiVersion: v1\nkind: Namespace\nmetadata: {{name: a{namespace}}}\n---\napiVersion: v1\nkind: Pod\n\
                 metadata: {{name: a, namespace: a{pod}}}\nspec: {{containers: [{{name: a, image: a}}]}}\n"
            ),
        )
    }

    #[test]
    fn a_namespace_or_all_of_its_pods_have_to_say() {
        assert_eq!(
            found("", ""),
            ["metadata.labels: namespace `a` has no label about injection: its pods get no sidecar"]
        );
        for (namespace, pod) in [
            (", labels: {istio-injection: disabled}", ""),
            (", labels: {istio.io/rev: canary}", ""),
            (", labels: {istio.io/dataplane-mode: ambient}", ""),
            ("", ", labels: {sidecar.istio.io/inject: 'true'}"),
            ("", ", labels: {sidecar.istio.io/inject: 'false'}"),
        ] {
            assert_eq!(found(namespace, pod), [""; 0], "{namespace} {pod}");
        }
    }
}
