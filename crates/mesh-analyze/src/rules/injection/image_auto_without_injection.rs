//! Proxy containers that wait for an image that injection does not fill in.

use mesh_core::Mesh;
use mesh_core::workload;

use super::{Injection, PROXY_CONTAINER, containers};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A container `istio-proxy` has the image `auto`, but its pods are not injected.
    ///
    /// ## Why is this bad?
    /// Injection replaces the image. Without it, the node looks for an image of the name `auto`, and the pod never starts.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: ingress}
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: gateway, namespace: ingress}
    /// spec:
    ///   selector: {matchLabels: {istio: gateway}}
    ///   template:
    ///     metadata:
    ///       labels: {istio: gateway}
    ///       annotations: {inject.istio.io/templates: gateway}
    ///     spec:
    ///       containers: [{name: istio-proxy, image: auto}]
    /// ```
    ///
    /// ## Fix
    /// Set the label `sidecar.istio.io/inject: "true"` of the pods, or have the namespace injected.
    pub static RULE = {
        name: "image-auto-without-injection",
        aliases: &["IST0146", "IST0147"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: workload::KINDS,
        needs: &[],
        check,
    }
}

/// What stands for the image that injection chooses.
const AUTO: &str = "auto";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let injector = reporter.injector();
    for workload in mesh.workloads().all() {
        for (container, path) in containers(workload) {
            if container.name != PROXY_CONTAINER || container.image.as_deref() != Some(AUTO) {
                continue;
            }
            let (Injection::Refused(reason) | Injection::NotAsked(reason)) = injector.injection(workload)
            else {
                continue;
            };
            reporter
                .report(workload.owner(), path.key("image"))
                .message(format!("injection does not replace the image `auto`: {reason}"))
                .help("have the pods injected, for example by the label `sidecar.istio.io/inject: \"true\"`");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    const WEBHOOK: &str = "---\napiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\n\
                           metadata: {name: istio-sidecar-injector-canary}\nwebhooks:\n- name: \
                           rev.namespace.sidecar-injector.istio.io\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  \
                           clientConfig: {}\n  namespaceSelector:\n    matchExpressions: [{key: istio.io/rev, operator: In, \
                           values: [canary]}, {key: istio-injection, operator: DoesNotExist}]\n  objectSelector:\n    \
                           matchExpressions: [{key: sidecar.istio.io/inject, operator: NotIn, values: ['false']}]\n";

    fn found(namespace: &str, pod: &str, more: &str) -> Vec<String> {
        let namespace = if namespace.is_empty() {
            String::new()
        } else {
            format!("apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {namespace}}}\n---\n")
        };
        findings(
            "image-auto-without-injection",
            &format!(
                "{namespace}apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: a, labels: {pod}}}\nspec: \
                 {{containers: [{{name: istio-proxy, image: auto}}]}}\n{more}"
            ),
        )
    }

    #[test]
    fn pods_that_are_not_injected_are_found() {
        assert_eq!(
            found("{}", "{}", ""),
            [
                "spec.containers[0].image: injection does not replace the image `auto`: neither the namespace `a` nor \
                 the pods ask for a sidecar"
            ]
        );
        for (namespace, pod, more) in [
            (
                "{istio-injection: disabled}",
                "{sidecar.istio.io/inject: 'true'}",
                "",
            ),
            (
                "{istio-injection: enabled}",
                "{sidecar.istio.io/inject: 'false'}",
                "",
            ),
            ("", "{sidecar.istio.io/inject: 'false'}", ""),
            ("{istio.io/rev: stable}", "{}", WEBHOOK),
            ("{istio-injection: enabled}", "{}", WEBHOOK),
        ] {
            assert_eq!(found(namespace, pod, more).len(), 1, "{namespace} {pod}");
        }
    }

    #[test]
    fn pods_that_are_injected_are_silent() {
        for (namespace, pod, more) in [
            ("{istio-injection: enabled}", "{}", ""),
            ("{istio.io/rev: canary}", "{}", ""),
            ("{}", "{sidecar.istio.io/inject: 'true'}", ""),
            ("{}", "{istio.io/rev: canary}", ""),
            ("", "{}", ""),
            ("{istio.io/rev: canary}", "{}", WEBHOOK),
        ] {
            assert_eq!(found(namespace, pod, more), [""; 0], "{namespace} {pod}");
        }
    }
}
