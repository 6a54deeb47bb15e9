//! Annotations and labels that Istio does not have.

use mesh_core::Mesh;
use mesh_core::annotations::{annotation, label, nearest_annotation, nearest_label};

use super::each;
use crate::{Fix, Reporter, Severity, declare_rule};

declare_rule! {
    /// An annotation or label has a key of Istio's, but Istio has no such key.
    ///
    /// ## Why is this bad?
    /// It has no effect, and nothing says so.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: cart
    ///   annotations:
    ///     sidecar.istio.io/proxyCpu: 100m
    /// spec:
    ///   containers: [{name: app, image: cart}]
    /// ```
    ///
    /// ## Fix
    /// Correct the spelling, or remove it.
    pub static RULE = {
        name: "unknown-annotation",
        aliases: &["IST0108"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

/// Prefixes of which every annotation is known. Under the others, new and internal ones may exist.
const KNOWN_PREFIXES: [&str; 7] = [
    "inject.istio.io",
    "networking.istio.io",
    "proxy.istio.io",
    "readiness.status.sidecar.istio.io",
    "sidecar.istio.io",
    "status.sidecar.istio.io",
    "traffic.sidecar.istio.io",
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each(mesh, |described| {
        for key in described.annotations.keys() {
            // What is a label is misplaced, not unknown.
            if !is_istio(key) || annotation(key).is_some() || label(key).is_some() {
                continue;
            }
            let path = described.annotation(key);
            if let Some(meant) = nearest_annotation(key) {
                let finding = reporter.report(described.header, path);
                finding
                    .on_key()
                    .message(format!("Istio has no annotation `{key}`"))
                    .help(format!("did you mean `{}`?", meant.name));
                suggest(finding, meant.name);
            } else if key
                .split_once('/')
                .is_some_and(|(prefix, _)| KNOWN_PREFIXES.contains(&prefix))
            {
                reporter
                    .report(described.header, path)
                    .on_key()
                    .message(format!("Istio has no annotation `{key}`"))
                    .help("remove it, or look up its name; it has no effect");
            }
        }
        for key in described.labels.keys() {
            if !is_istio(key) && !key.starts_with("istio-inj")
                || label(key).is_some()
                || annotation(key).is_some()
            {
                continue;
            }
            if let Some(meant) = nearest_label(key) {
                let finding = reporter.report(described.header, described.label(key));
                finding
                    .on_key()
                    .message(format!("Istio has no label `{key}`"))
                    .help(format!("did you mean `{}`?", meant.name));
                suggest(finding, meant.name);
            }
        }
    });
}

/// Whether the key has a prefix under `istio.io`.
fn is_istio(key: &str) -> bool {
    key.split_once('/')
        .is_some_and(|(prefix, _)| prefix == "istio.io" || prefix.ends_with(".istio.io"))
}

fn suggest(finding: &mut crate::Diagnostic, meant: &str) {
    if let Some(location) = finding.primary.locate() {
        finding.fix(Fix {
            title: format!("replace it with `{meant}`"),
            edits: vec![(location.source, location.span, meant.to_owned())],
            is_safe: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings_with_help};

    fn pod(metadata: &str) -> Vec<String> {
        findings_with_help(
            "unknown-annotation",
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, {metadata}}}\nspec: {{containers: []}}\n"
            ),
        )
    }

    #[test]
    fn unknown_keys_are_found() {
        for (metadata, expected) in [
            (
                "annotations: {sidecar.istio.io/injct: 'true'}",
                "metadata.annotations[\"sidecar.istio.io/injct\"]: Istio has no annotation `sidecar.istio.io/injct` \
                 (did you mean `sidecar.istio.io/inject`?)",
            ),
            (
                "annotations: {sidecar.istio.io/excludeInboundPorts: '80'}",
                "metadata.annotations[\"sidecar.istio.io/excludeInboundPorts\"]: Istio has no annotation \
                 `sidecar.istio.io/excludeInboundPorts` (did you mean `traffic.sidecar.istio.io/excludeInboundPorts`?)",
            ),
            (
                "annotations: {networking.istio.io/other: a}",
                "metadata.annotations[\"networking.istio.io/other\"]: Istio has no annotation \
                 `networking.istio.io/other` (remove it, or look up its name; it has no effect)",
            ),
            (
                "labels: {istio.io/dataplane-mod: ambient}",
                "metadata.labels[\"istio.io/dataplane-mod\"]: Istio has no label `istio.io/dataplane-mod` (did you \
                 mean `istio.io/dataplane-mode`?)",
            ),
        ] {
            assert_eq!(pod(metadata), [expected], "{metadata}");
        }
    }

    #[test]
    fn templates_and_namespaces_are_looked_at() {
        let text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {istio-injecton: enabled}}\n---\n\
                    apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\nspec:\n  jobTemplate:\n    spec:\n      \
                    template:\n        metadata: {annotations: {proxy.istio.io/conf: a}}\n        spec: {containers: []}\n";
        let found = diagnostics("unknown-annotation", text);
        let paths: Vec<_> = found
            .iter()
            .map(|finding| finding.primary.path.to_string())
            .collect();
        assert_eq!(
            paths,
            [
                "metadata.labels.istio-injecton",
                "spec.jobTemplate.spec.template.metadata.annotations[\"proxy.istio.io/conf\"]"
            ]
        );
        let fix = found[0].fix.as_ref().expect("a fix");
        assert_eq!(fix.edits[0].2, "istio-injection");
    }

    #[test]
    fn other_keys_are_left_alone() {
        for metadata in [
            "annotations: {sidecar.istio.io/inject: 'true', istio.io/rev: a, sidecar.istio.io/status: a}",
            "annotations: {gateway.istio.io/new-thing: a, istio.io/anything: b, meshconfig.istio.io/x: c}",
            "annotations: {install.operator.istio.io/x: a, example.com/istio: b, kubernetes.io/ingress.class: istio}",
            "labels: {istio: ingressgateway, istio.io/owned-by: a, operator.istio.io/x: b, istio-injection: enabled}",
            "annotations: {istio-injection: enabled, istio.io/dataplane-mode: ambient}",
        ] {
            assert_eq!(pod(metadata), [""; 0], "{metadata}");
        }
    }
}
