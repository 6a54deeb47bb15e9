//! What the API server would make of injected pods.

use mesh_core::k8s_openapi::api::core::v1::PodSpec;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_inject::{Candidate, Change, Namespace, Problem, Severity};
use mesh_install::schedule::pod_security::{Level, Policy, evaluate};
use mesh_yaml::path;
use serde_json::Value;

/// Warns if the pod security standard of the namespace refuses the injected pod.
pub(crate) fn pod_security(candidate: &Candidate, namespace: Option<&Namespace>, change: &mut Change) {
    let Some(namespace) = namespace else { return };
    let policy = Policy::of(Some(&namespace.labels));
    let Some(pod) = change.pod.as_ref().filter(|_| policy.level != Level::Privileged) else {
        return;
    };
    // A pod that is not of the API's form is refused for that; others say it.
    let Ok(spec) = serde_json::from_value::<PodSpec>(pod.get("spec").cloned().unwrap_or_default()) else {
        return;
    };
    let metadata = ObjectMeta {
        annotations: pod
            .get("metadata")
            .and_then(|metadata| metadata.get("annotations"))
            .and_then(|annotations| serde_json::from_value(annotations.clone()).ok()),
        ..ObjectMeta::default()
    };
    let violations = evaluate(policy, None, &metadata, &spec);
    if violations.is_empty() {
        return;
    }
    let needs_privileges = spec
        .init_containers
        .iter()
        .flatten()
        .any(|container| container.name == "istio-init");
    let help = if needs_privileges {
        "install the Istio CNI plugin (`pilot.cni.enabled`), which does the work of `istio-init` on the node, or give the \
         namespace another level"
    } else {
        "give the pod the security context that it asks for, or the namespace another level"
    };
    let violations: Vec<_> = violations.iter().map(ToString::to_string).collect();
    change.warnings.push(Problem {
        severity: Severity::Warning,
        path: if pod.get("spec").is_some_and(Value::is_object) {
            path!["spec"]
        } else {
            path![]
        },
        message: format!(
            "the namespace `{}` refuses the pods: the Pod Security Standard `{policy}` forbids {}",
            candidate.namespace,
            violations.join(", "),
        ),
        help: Some(help.to_owned()),
    });
}
