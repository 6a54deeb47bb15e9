//! Applications that run as the user of the sidecar.

use mesh_core::Mesh;
use mesh_core::workload;

use super::{Injection, PROXY_CONTAINER, containers, is_istio_component};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A container of an application runs as user 1337, the user of the sidecar.
    ///
    /// ## Why is this bad?
    /// Traffic of this user is not captured, so that the sidecar does not send it to itself: what the application sends
    /// bypasses the mesh, without mutual TLS and without policies.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: cart}
    /// spec:
    ///   selector: {matchLabels: {app: cart}}
    ///   template:
    ///     metadata: {labels: {app: cart}}
    ///     spec:
    ///       containers:
    ///       - name: app
    ///         image: cart
    ///         securityContext: {runAsUser: 1337}
    /// ```
    ///
    /// ## Fix
    /// Run the application as another user.
    pub static RULE = {
        name: "sidecar-uid",
        aliases: &["IST0144"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: workload::KINDS,
        needs: &[],
        check,
    }
}

/// The user of the sidecar.
const SIDECAR_USER: i64 = 1337;

/// The containers that Istio adds.
const ISTIO_CONTAINERS: [&str; 4] = [
    PROXY_CONTAINER,
    "istio-init",
    "istio-validation",
    "enable-core-dump",
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let injector = reporter.injector();
    for workload in mesh.workloads().all() {
        if is_istio_component(workload.labels()) || is_istio_component(workload.owner().labels()) {
            continue;
        }
        // The ambient data plane does not tell traffic by users.
        if matches!(injector.injection(workload), Injection::Refused(_)) || injector.is_ambient(workload) {
            continue;
        }
        let pod_user = workload
            .pod_spec()
            .and_then(|spec| spec.security_context.as_ref()?.run_as_user);
        let mut inherits = false;
        for (container, path) in containers(workload) {
            if ISTIO_CONTAINERS.contains(&container.name.as_str()) {
                continue;
            }
            let user = container
                .security_context
                .as_ref()
                .and_then(|context| context.run_as_user);
            inherits |= user.is_none();
            if user == Some(SIDECAR_USER) {
                reporter
                    .report(workload.owner(), path.key("securityContext").key("runAsUser"))
                    .message(format!(
                        "the container `{}` runs as user {SIDECAR_USER}, whose traffic bypasses the sidecar",
                        container.name
                    ))
                    .help("choose another user");
            }
        }
        if inherits && pod_user == Some(SIDECAR_USER) {
            let path = workload.spec_path().key("securityContext").key("runAsUser");
            reporter
                .report(workload.owner(), path)
                .message(format!(
                    "the pods run as user {SIDECAR_USER}, whose traffic bypasses the sidecar"
                ))
                .help("choose another user");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn job(labels: &str, spec: &str) -> Vec<String> {
        findings(
            "sidecar-uid",
            &format!(
                "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: a}}\nspec:\n  template:\n    metadata: {{labels: \
                 {{{labels}}}}}\n    spec: {spec}\n"
            ),
        )
    }

    #[test]
    fn the_user_of_the_sidecar_is_found_on_every_level() {
        for (spec, expected) in [
            (
                "{containers: [{name: a, securityContext: {runAsUser: 1337}}]}",
                "spec.template.spec.containers[0].securityContext.runAsUser: the container `a` runs as user 1337, whose \
                 traffic bypasses the sidecar",
            ),
            (
                "{containers: [{name: a}], initContainers: [{name: b, securityContext: {runAsUser: 1337}}]}",
                "spec.template.spec.initContainers[0].securityContext.runAsUser: the container `b` runs as user 1337, \
                 whose traffic bypasses the sidecar",
            ),
            (
                "{containers: [{name: a}], securityContext: {runAsUser: 1337}}",
                "spec.template.spec.securityContext.runAsUser: the pods run as user 1337, whose traffic bypasses the \
                 sidecar",
            ),
        ] {
            assert_eq!(job("app: a", spec), [expected]);
        }
    }

    #[test]
    fn the_sidecar_and_pods_without_one_are_left_alone() {
        for (labels, spec) in [
            (
                "app: a",
                "{containers: [{name: istio-proxy, securityContext: {runAsUser: 1337}}]}",
            ),
            (
                "app: a",
                "{containers: [{name: istio-proxy}], securityContext: {runAsUser: 1337}}",
            ),
            (
                "app: a",
                "{containers: [{name: a, securityContext: {runAsUser: 1}}], securityContext: {runAsUser: 1337}}",
            ),
            (
                "app: a",
                "{hostNetwork: true, containers: [{name: a, securityContext: {runAsUser: 1337}}]}",
            ),
            (
                "sidecar.istio.io/inject: 'false'",
                "{containers: [{name: a, securityContext: {runAsUser: 1337}}]}",
            ),
            (
                "istio: pilot",
                "{containers: [{name: a, securityContext: {runAsUser: 1337}}]}",
            ),
            (
                "istio.io/dataplane-mode: ambient",
                "{containers: [{name: a, securityContext: {runAsUser: 1337}}]}",
            ),
        ] {
            assert_eq!(job(labels, spec), [""; 0], "{labels} {spec}");
        }
    }
}
