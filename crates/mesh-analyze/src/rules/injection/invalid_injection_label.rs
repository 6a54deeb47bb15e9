//! Labels of injection with values that nothing reads.

use mesh_core::schema::validate::closest;
use mesh_core::{Header, Kind, Labels, Mesh};
use mesh_yaml::{FieldPath, path};

use super::{DATAPLANE_LABEL, NAMESPACE_LABEL, POD_LABEL};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A label that decides on the data plane has a value without a meaning.
    ///
    /// ## Why is this bad?
    /// The label then acts as if it were absent, or worse: a namespace with `istio-injection: true` is not injected, even
    /// if its pods ask for it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata:
    ///   name: shop
    ///   labels:
    ///     istio-injection: "true"
    /// ```
    ///
    /// ## Fix
    /// Use a value that the message names.
    pub static RULE = {
        name: "invalid-injection-label",
        aliases: &[],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[
            Kind::Namespace,
            Kind::Pod,
            Kind::Deployment,
            Kind::StatefulSet,
            Kind::DaemonSet,
            Kind::ReplicaSet,
            Kind::Job,
            Kind::CronJob,
        ],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for namespace in mesh.namespaces() {
        let path = path!["metadata", "labels"];
        let labels = namespace.labels();
        judge(
            NAMESPACE_LABEL,
            &["enabled", "disabled"],
            namespace,
            &path,
            labels,
            reporter,
        );
        judge(
            DATAPLANE_LABEL,
            &["ambient", "none"],
            namespace,
            &path,
            labels,
            reporter,
        );
    }
    for workload in mesh.workloads().all() {
        let path = workload.labels_path();
        let labels = workload.labels();
        judge(
            POD_LABEL,
            &["true", "false"],
            workload.owner(),
            &path,
            labels,
            reporter,
        );
        judge(
            DATAPLANE_LABEL,
            &["ambient", "none"],
            workload.owner(),
            &path,
            labels,
            reporter,
        );
    }
}

fn judge(
    key: &str,
    words: &[&str; 2],
    header: &Header,
    path: &FieldPath,
    labels: &Labels,
    reporter: &mut Reporter<'_>,
) {
    let Some(value) = labels.get(key) else { return };
    // An empty value is how templates say that the default is wanted.
    if value.is_empty() || words.contains(&value.as_str()) {
        return;
    }
    let [first, second] = words;
    let meant = match (key, value.to_ascii_lowercase().as_str()) {
        (NAMESPACE_LABEL, "true" | "on" | "yes" | "enable") => Some("enabled".to_owned()),
        (NAMESPACE_LABEL, "false" | "off" | "no" | "disable") => Some("disabled".to_owned()),
        (POD_LABEL, "enabled" | "yes" | "on") => Some("true".to_owned()),
        (POD_LABEL, "disabled" | "no" | "off") => Some("false".to_owned()),
        (_, lower) => closest(lower, words.iter().copied()),
    };
    let finding = reporter.report(header, path.key(key));
    finding.message(format!("`{value}` is not a value of `{key}`"));
    finding.help(match (key, value.as_str(), meant) {
        (DATAPLANE_LABEL, "sidecar", _) => {
            format!("for sidecars, remove the label and set `{NAMESPACE_LABEL}: enabled`")
        }
        (_, _, Some(meant)) => format!("did you mean \"{meant}\"? values are \"{first}\" and \"{second}\""),
        (_, _, None) => format!("values are \"{first}\" and \"{second}\""),
    });
}

#[cfg(test)]
mod tests {
    use crate::testing::findings_with_help;

    fn found(text: &str) -> Vec<String> {
        findings_with_help("invalid-injection-label", text)
    }

    fn namespace(labels: &str) -> Vec<String> {
        found(&format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: a, labels: {{{labels}}}}}\n"
        ))
    }

    fn pod(labels: &str) -> Vec<String> {
        found(&format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: a, labels: {{{labels}}}}}\nspec: {{containers: []}}\n"
        ))
    }

    #[test]
    fn values_without_a_meaning_are_found() {
        assert_eq!(
            namespace("istio-injection: 'true'"),
            [
                "metadata.labels.istio-injection: `true` is not a value of `istio-injection` (did you mean \"enabled\"? \
                 values are \"enabled\" and \"disabled\")"
            ]
        );
        assert_eq!(
            namespace("istio.io/dataplane-mode: sidecar"),
            [
                "metadata.labels[\"istio.io/dataplane-mode\"]: `sidecar` is not a value of `istio.io/dataplane-mode` \
                 (for sidecars, remove the label and set `istio-injection: enabled`)"
            ]
        );
        assert_eq!(
            pod("sidecar.istio.io/inject: enabled"),
            [
                "metadata.labels[\"sidecar.istio.io/inject\"]: `enabled` is not a value of `sidecar.istio.io/inject` \
                 (did you mean \"true\"? values are \"true\" and \"false\")"
            ]
        );
        assert_eq!(pod("istio.io/dataplane-mode: Ambient").len(), 1);
    }

    #[test]
    fn known_values_are_silent() {
        for labels in [
            "istio-injection: enabled",
            "istio-injection: disabled, istio.io/dataplane-mode: none",
            "istio.io/dataplane-mode: ambient, sidecar.istio.io/inject: what",
        ] {
            assert_eq!(namespace(labels), [""; 0], "{labels}");
        }
        for labels in [
            "sidecar.istio.io/inject: 'true'",
            "sidecar.istio.io/inject: ''",
            "istio-injection: what",
        ] {
            assert_eq!(pod(labels), [""; 0], "{labels}");
        }
    }
}
