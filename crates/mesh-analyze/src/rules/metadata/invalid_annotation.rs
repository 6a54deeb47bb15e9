//! Annotations and labels with values that Istio does not understand.

use mesh_core::Mesh;
use mesh_core::annotations::{annotation, label};

use super::each;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An annotation or label of Istio's has a value that it cannot have.
    ///
    /// ## Why is this bad?
    /// The injector refuses pods with bad values in most annotations, so that a Deployment stays without pods; other bad
    /// values are ignored.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Pod
    /// metadata:
    ///   name: cart
    ///   annotations:
    ///     traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.0.0.1
    /// spec:
    ///   containers: [{name: app, image: cart}]
    /// ```
    ///
    /// ## Fix
    /// Give it a value of the right form.
    pub static RULE = {
        name: "invalid-annotation",
        aliases: &["IST0125"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

/// What other rules say already.
const REPORTED_ELSEWHERE: [&str; 4] = [
    "istio-injection",
    "istio.io/dataplane-mode",
    "istio.io/dry-run",
    "sidecar.istio.io/inject",
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    each(mesh, |described| {
        for (key, value) in described.annotations {
            // An empty value of this one means the default.
            let is_inject = key == "sidecar.istio.io/inject" && !value.is_empty();
            let Some(known) = annotation(key).filter(|known| {
                known.applies_to(described.kind) && (is_inject || !REPORTED_ELSEWHERE.contains(&known.name))
            }) else {
                continue;
            };
            if let Some(problem) = known.form.problem(value) {
                reporter
                    .report(described.header, described.annotation(key))
                    .message(format!("bad value of `{key}`: {problem}"))
                    .help(known.docs.trim());
            }
        }
        for (key, value) in described.labels {
            let Some(known) = label(key).filter(|known| {
                known.applies_to(described.kind) && !REPORTED_ELSEWHERE.contains(&known.name)
            }) else {
                continue;
            };
            if let Some(problem) = known.form.problem(value) {
                reporter
                    .report(described.header, described.label(key))
                    .message(format!("bad value of `{key}`: {problem}"))
                    .help(known.docs.trim());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn pod(annotation: &str) -> Vec<String> {
        findings(
            "invalid-annotation",
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, annotations: {{{annotation}}}}}\nspec: {{containers: \
                 []}}\n"
            ),
        )
    }

    #[test]
    fn bad_values_are_found() {
        for (annotation, problem) in [
            (
                "sidecar.istio.io/inject: 'True'",
                "`True` is not one of true, false",
            ),
            (
                "sidecar.istio.io/interceptionMode: redirect",
                "`redirect` is not one of REDIRECT, TPROXY, NONE",
            ),
            ("status.sidecar.istio.io/port: '-1'", "`-1` is not a port"),
            (
                "readiness.status.sidecar.istio.io/periodSeconds: 5s",
                "`5s` is not a whole number",
            ),
            (
                "traffic.sidecar.istio.io/includeOutboundIPRanges: '10.0.0.0/8, 10.0.0.0/8'",
                "` 10.0.0.0/8` has a space",
            ),
            (
                "traffic.sidecar.istio.io/excludeInboundPorts: '80,x'",
                "`x` is not a port",
            ),
            (
                "traffic.sidecar.istio.io/excludeInterfaces: a/b",
                "`a/b` is not the name",
            ),
            (
                "prometheus.istio.io/merge-metrics: 'yes'",
                "`yes` is neither true nor false",
            ),
            (
                "proxy.istio.io/config: 'concurency: 2'",
                "in `concurency`: unknown field `concurency`; did you mean `concurrency`?",
            ),
            ("sidecar.istio.io/proxyMemory: 1GB", "`1GB` is not an amount"),
        ] {
            let found = pod(annotation);
            assert!(
                found.len() == 1
                    && found[0].contains(&format!(
                        ": bad value of `{}`: {problem}",
                        annotation.split(':').next().unwrap_or_default()
                    )),
                "{annotation}: {found:?}"
            );
        }
    }

    #[test]
    fn good_values_and_misplaced_annotations_are_silent() {
        for annotation in [
            "sidecar.istio.io/inject: ''",
            "sidecar.istio.io/inject: 'false'",
            "traffic.sidecar.istio.io/includeInboundPorts: ''",
            "traffic.sidecar.istio.io/includeOutboundIPRanges: '*'",
            "networking.istio.io/service-type: what",
            "sidecar.istio.io/unknown: what",
        ] {
            assert_eq!(pod(annotation), [""; 0], "{annotation}");
        }
    }

    #[test]
    fn labels_are_judged_too() {
        let found = findings(
            "invalid-annotation",
            "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: a, labels: {istio.io/waypoint-for: \
             services}}\n",
        );
        assert_eq!(
            found,
            [
                "metadata.labels[\"istio.io/waypoint-for\"]: bad value of `istio.io/waypoint-for`: `services` is not \
                 one of service, workload, all, none"
            ]
        );
    }
}
