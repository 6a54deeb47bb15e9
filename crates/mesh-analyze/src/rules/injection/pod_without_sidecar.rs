//! Pods that are older than their injection.

use mesh_core::injection::{Candidate, is_injector};
use mesh_core::k8s_openapi::api::core::v1::PodSpec;
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::path;

use super::running::{self, SUBJECTS};
use super::{Injection, PROXY_CONTAINER};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A pod runs without a sidecar, although it would get one now.
    ///
    /// ## Why is this bad?
    /// Sidecars are added when a pod is made. This one was made before its namespace asked for sidecars, or while the
    /// injector could not be reached. It is not part of the mesh: it has no mutual TLS, and no policy and no route holds
    /// for it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop, labels: {istio-injection: enabled}}
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web-0, namespace: shop, uid: 0b8c6a4e-7c1e-4a44-9f2e-0f6f0f2f7c11}
    /// spec:
    ///   containers: [{name: web, image: web}]
    /// ```
    ///
    /// ## Fix
    /// Have the pod made anew, such as with `kubectl rollout restart deployment/web`. If it must not have a sidecar, set its
    /// label `sidecar.istio.io/inject: "false"`.
    ///
    /// Only pods that run are judged: those that have the `uid` that the API server gives.
    pub static RULE = {
        name: "pod-without-sidecar",
        aliases: &["IST0103"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: SUBJECTS,
        needs: &[&[Kind::Namespace]],
        also_reads: &[Kind::MutatingWebhookConfiguration],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let has_injector = || {
        let configurations = mesh.mutating_webhooks().iter();
        let mut webhooks = configurations.flat_map(|it| it.spec.webhooks.iter().flatten());
        webhooks.any(is_injector)
    };
    if mesh.has_all(Kind::MutatingWebhookConfiguration) && !has_injector() {
        return; // Nothing would add one.
    }
    let injector = reporter.injector();
    let lacks_sidecar = |pod: &Resource<PodSpec>| {
        let candidate = Candidate {
            namespace: pod.namespace(),
            labels: pod.labels(),
            annotations: pod.annotations(),
            uses_host_network: pod.spec.host_network.unwrap_or_default(),
        };
        !has_proxy(&pod.spec) && injector.decide(candidate) == Injection::Yes
    };
    for group in running::groups(mesh, lacks_sidecar) {
        reporter
            .report(group.pod, path!["spec", "containers"])
            .message(format!(
                "{} has no sidecar, although injection would add one now",
                group.subject()
            ))
            .help(group.restart());
    }
}

fn has_proxy(pod: &PodSpec) -> bool {
    let init = pod.init_containers.iter().flatten();
    init.chain(&pod.containers)
        .any(|container| container.name == PROXY_CONTAINER)
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings};

    const RULE: &str = "pod-without-sidecar";

    fn pod(name: &str, metadata: &str, spec: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: a{metadata}}}\nspec: {{containers: [{{name: \
             app, image: app}}{spec}]}}\n---\n"
        )
    }

    const NAMESPACE: &str =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {istio-injection: enabled}}\n---\n";

    #[test]
    fn only_running_pods_that_should_have_one_are_found() {
        for (metadata, spec, expected) in [
            (", uid: x", "", 1),
            ("", "", 0),
            (", uid: x", ", {name: istio-proxy, image: p}", 0),
            (", uid: x, labels: {sidecar.istio.io/inject: 'false'}", "", 0),
        ] {
            let text = format!("{NAMESPACE}{}", pod("a", metadata, spec));
            assert_eq!(findings(RULE, &text).len(), expected, "{metadata} {spec}");
        }
        let outside = pod("a", ", uid: x", "");
        assert_eq!(findings(RULE, &outside), [""; 0]);
    }

    #[test]
    fn pods_of_one_owner_are_one_finding() {
        let metadata = ", uid: x, labels: {pod-template-hash: 5d}, ownerReferences: [{apiVersion: apps/v1, kind: \
                        ReplicaSet, name: web-5d, uid: y}]";
        let text = [
            NAMESPACE.to_owned(),
            pod("b", metadata, ""),
            pod("a", metadata, ""),
        ]
        .concat();
        let found = diagnostics(RULE, &text);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("like 1 more"), "{found:?}");
        assert_eq!(
            found[0].help.as_deref(),
            Some("restart it: `kubectl rollout restart deployment/web -n a`")
        );
    }
}
