//! What the kinds that attach to workloads share: selectors and target references.

use mesh_core::istio::common::{PolicyTargetReference, WorkloadSelector};
use mesh_yaml::{FieldPath, path};

use super::Findings;

/// The kinds that policies can attach to, as API group and kind.
const TARGET_KINDS: [(&str, &str); 4] = [
    ("", "Service"),
    ("networking.istio.io", "ServiceEntry"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "GatewayClass"),
];

/// Checks the parts of a policy that say what it is for. Schemas say the rest: what excludes what, and names.
pub(super) fn targets(
    selector: Option<&WorkloadSelector>,
    target_ref: Option<&PolicyTargetReference>,
    target_refs: &[PolicyTargetReference],
    findings: &mut Findings,
) {
    if selector.is_some_and(|selector| selector.match_labels.is_empty()) {
        findings
            .warning(
                path!["spec", "selector"],
                "`selector` has no labels, and so chooses every workload in reach",
            )
            .help("remove the selector if this is meant, else add `matchLabels`");
    }
    if let Some(target) = target_ref {
        target_kind(target, &path!["spec", "targetRef"], findings);
    }
    for (index, target) in target_refs.iter().enumerate() {
        target_kind(target, &path!["spec", "targetRefs", index], findings);
    }
}

fn target_kind(target: &PolicyTargetReference, path: &FieldPath, findings: &mut Findings) {
    let PolicyTargetReference { group, kind, .. } = target;
    if kind.is_empty() || TARGET_KINDS.contains(&(group, kind)) {
        return; // The schema asks for a kind.
    }
    let same_kind = TARGET_KINDS.iter().find(|(_, known)| known == kind);
    match same_kind {
        Some((right, _)) if group.is_empty() => findings
            .error(
                path.key("kind"),
                format!("`{kind}` without a group names a kind that policies cannot attach to"),
            )
            .help(format!("add `group: {right}`")),
        Some((right, _)) => findings
            .error(
                path.key("group"),
                format!("policies cannot attach to a `{kind}` of the group `{group}`"),
            )
            .help(if right.is_empty() {
                "remove the group: `Service` is in the core group".to_owned()
            } else {
                format!("use the group `{right}`")
            }),
        None => findings
            .error(path.key("kind"), format!("policies cannot attach to a `{kind}`"))
            .help("use a Gateway or GatewayClass of gateway.networking.k8s.io, a Service, or a ServiceEntry of networking.istio.io"),
    }
}
