//! What the tests of the traffic rules share.

pub(super) use crate::testing::diagnostics;
use crate::testing::findings;

/// The services that most tests route to: `reviews` with one port and `ratings` with two in the namespace `shop`,
/// and `billing` in `prod`.
pub(super) const SERVICES: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{port: 9080, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: ratings, namespace: shop}
spec: {selector: {app: ratings}, ports: [{port: 80, name: http, targetPort: 8080}, {port: 443, name: https}]}
---
apiVersion: v1
kind: Service
metadata: {name: billing, namespace: prod}
spec: {selector: {app: billing}, ports: [{port: 80, name: http}]}
---
";

/// A VirtualService `shop/NAME` with this `spec`, written on one line.
pub(super) fn virtual_service(name: &str, spec: &str) -> String {
    object("VirtualService", "shop", name, spec)
}

/// A resource of the networking API.
pub(super) fn object(kind: &str, namespace: &str, name: &str, spec: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: \
         {spec}\n---\n"
    )
}

/// A Deployment whose pods have these labels; `labels` is a flow mapping.
pub(super) fn deployment(namespace: &str, name: &str, labels: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {{selector: \
         {{matchLabels: {labels}}}, template: {{metadata: {{labels: {labels}}}, spec: {{containers: [{{name: app, \
         image: app}}]}}}}}}\n---\n"
    )
}

/// Asserts that a rule finds exactly this, as pairs of a path and a fragment of the message, in the order of the
/// text.
#[track_caller]
pub(super) fn finds(rule: &str, text: &str, expected: &[(&str, &str)]) {
    let found = findings(rule, text);
    let same = found.len() == expected.len()
        && found.iter().zip(expected).all(|(found, (path, fragment))| {
            found
                .strip_prefix(&format!("{path}: "))
                .is_some_and(|message| message.contains(fragment))
        });
    assert!(same, "{text}\nexpected {expected:#?}\nfound {found:#?}");
}

/// Asserts that a rule finds nothing.
#[track_caller]
pub(super) fn silent(rule: &str, text: &str) {
    finds(rule, text, &[]);
}
