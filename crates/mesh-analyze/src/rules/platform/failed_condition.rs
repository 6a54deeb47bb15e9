//! Objects of which a controller says that they do not work.

use mesh_core::{AnyResource, Header, Kind, Mesh};
use mesh_yaml::{FieldPath, Node, path};

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The status of an object says that a controller could not do what it asks for.
    ///
    /// ## Why is this bad?
    /// All or part of the object has no effect. The controller's message says why.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: gateway.networking.k8s.io/v1
    /// kind: HTTPRoute
    /// metadata: {name: web, namespace: shop}
    /// spec:
    ///   parentRefs: [{name: edge}]
    /// status:
    ///   parents:
    ///   - controllerName: istio.io/gateway-controller
    ///     parentRef: {name: edge}
    ///     conditions:
    ///     - type: Accepted
    ///       status: "False"
    ///       reason: NotAllowedByListeners
    ///       message: no listener allows routes of this namespace
    ///       lastTransitionTime: 2026-01-02T03:04:05Z
    /// ```
    ///
    /// ## Fix
    /// Do what the message says. The status changes a moment after the object does.
    pub static RULE = {
        name: "failed-condition",
        aliases: &["IST0171"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: SUBJECTS,
        needs: &[],
        check,
    }
}

const SUBJECTS: &[Kind] = &[
    Kind::Service,
    Kind::ServiceEntry,
    Kind::WorkloadEntry,
    Kind::AuthorizationPolicy,
    Kind::KubernetesGateway,
    Kind::HttpRoute,
    Kind::GrpcRoute,
    Kind::TlsRoute,
    Kind::TcpRoute,
];

/// The conditions that say whether a kind's objects work when they are true.
fn conditions(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Service | Kind::ServiceEntry | Kind::WorkloadEntry => &["istio.io/WaypointBound"],
        Kind::AuthorizationPolicy => &["ZtunnelAccepted", "WaypointAccepted"],
        Kind::KubernetesGateway => &["Accepted", "Programmed", "ResolvedRefs"],
        Kind::HttpRoute | Kind::GrpcRoute | Kind::TlsRoute | Kind::TcpRoute => &["Accepted", "ResolvedRefs"],
        _ => &[],
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let resources = mesh
        .resources()
        .filter(|resource| SUBJECTS.contains(&AnyResource::header(resource).kind()));
    for resource in resources {
        let header = resource.header();
        let Some(status) = header.origin().root().get("status") else {
            continue;
        };
        let own = path!["status"];
        report(header, status, &own, "", reporter);
        for (index, listener) in list(status, "listeners") {
            let about = listener.get("name").and_then(Node::as_str);
            let about = about.map_or_else(String::new, |name| format!(" for listener `{name}`"));
            report(
                header,
                listener,
                &own.key("listeners").index(index),
                &about,
                reporter,
            );
        }
        for (index, parent) in list(status, "parents") {
            let about = parent
                .get("parentRef")
                .and_then(|parent| parent.get("name")?.as_str());
            let about = about.map_or_else(String::new, |name| format!(" for parent `{name}`"));
            report(header, parent, &own.key("parents").index(index), &about, reporter);
        }
    }
}

fn list<'n>(node: Node<'n>, key: &str) -> impl Iterator<Item = (usize, Node<'n>)> {
    node.get(key)
        .into_iter()
        .flat_map(|list| list.items().enumerate())
}

/// Reports the conditions of `node`, whose path is `base`.
fn report(header: &Header, node: Node<'_>, base: &FieldPath, about: &str, reporter: &mut Reporter<'_>) {
    let generation = header
        .origin()
        .root()
        .get("metadata")
        .and_then(|metadata| metadata.get("generation")?.as_i64());
    for (index, condition) in list(node, "conditions") {
        let text = |key: &str| condition.get(key).and_then(Node::as_str).unwrap_or_default();
        let (name, reason, message) = (text("type"), text("reason"), text("message"));
        let is_failed = text("status") == "False" || reason == "PartiallyInvalid";
        let observed = condition.get("observedGeneration").and_then(Node::as_i64);
        // What was said of an earlier version may be mended already.
        let is_stale = observed
            .zip(generation)
            .is_some_and(|(observed, now)| observed < now);
        if !conditions(header.kind()).contains(&name) || !is_failed || is_stale {
            continue;
        }
        let mut said = format!("condition `{name}`{about} is not met");
        for part in [reason, message.trim_end_matches('.')] {
            if !part.is_empty() {
                said.push_str(": ");
                said.push_str(part);
            }
        }
        reporter
            .report(header, base.key("conditions").index(index).key("status"))
            .message(said)
            .help("do what the message says; the status changes a moment after the object does");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn found(kind: &str, metadata: &str, status: &str) -> Vec<String> {
        findings(
            "failed-condition",
            &format!("{kind}\nmetadata: {{name: a{metadata}}}\nspec: {{}}\nstatus: {status}\n"),
        )
    }

    const GATEWAY: &str = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway";

    #[test]
    fn conditions_of_the_object_and_its_parts_are_read() {
        let conditions =
            "conditions: [{type: Accepted, status: 'False', reason: Refused, message: Not here.}]";
        assert_eq!(
            found(GATEWAY, "", &format!("{{{conditions}}}")),
            ["status.conditions[0].status: condition `Accepted` is not met: Refused: Not here"]
        );
        assert_eq!(
            found(
                GATEWAY,
                "",
                &format!("{{listeners: [{{name: x, {conditions}}}]}}")
            ),
            [
                "status.listeners[0].conditions[0].status: condition `Accepted` for listener `x` is not met: Refused: Not here"
            ]
        );
    }

    #[test]
    fn what_is_true_or_stale_or_of_no_concern_is_not_reported() {
        for (metadata, condition) in [
            ("", "{type: Accepted, status: 'True'}"),
            ("", "{type: Conflicted, status: 'False'}"),
            (
                ", generation: 2",
                "{type: Accepted, status: 'False', observedGeneration: 1}",
            ),
        ] {
            let status = format!("{{conditions: [{condition}]}}");
            assert_eq!(found(GATEWAY, metadata, &status), [""; 0], "{condition}");
        }
        let policy = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy";
        let partial = "{conditions: [{type: WaypointAccepted, status: 'True', reason: PartiallyInvalid}]}";
        assert_eq!(found(policy, "", partial).len(), 1);
    }
}
