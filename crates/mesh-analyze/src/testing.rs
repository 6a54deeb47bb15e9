//! Helpers for tests of rules and validation.

use std::sync::Arc;

use mesh_core::schema::validate::ViolationKind;
use mesh_core::source::{LoadOptions, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings, Source};

use crate::{Diagnostic, Rule, RuleSet, Severity, analyze};

/// The mesh of one text.
pub(crate) fn mesh(text: &str) -> Mesh {
    let mut builder = MeshBuilder::new(Settings::default());
    let text: Arc<str> = text.into();
    let loaded = load_text(
        builder.next_source(),
        "example.yaml",
        &text,
        &LoadOptions::default(),
    );
    builder.add(Source::new("example.yaml", text), loaded);
    builder.build()
}

/// What the rule finds in a text.
pub(crate) fn diagnostics(rule: &str, text: &str) -> Vec<Diagnostic> {
    let rules = RuleSet::new(&[rule.to_owned()], &[]).expect("a rule of this name");
    analyze(&mesh(text), &rules).findings
}

/// What the rule finds, as `path: message`.
pub(crate) fn findings(rule: &str, text: &str) -> Vec<String> {
    let line = |finding: &Diagnostic| format!("{}: {}", finding.primary.path, finding.message);
    diagnostics(rule, text).iter().map(line).collect()
}

/// What the rule finds, as `path: message (help)`.
pub(crate) fn findings_with_help(rule: &str, text: &str) -> Vec<String> {
    let line = |finding: &Diagnostic| {
        let help = finding.help.as_deref().unwrap_or_default();
        format!("{}: {} ({help})", finding.primary.path, finding.message)
    };
    diagnostics(rule, text).iter().map(line).collect()
}

/// What semantic validation finds, as `severity path: message`.
pub(crate) fn validation(text: &str) -> Vec<String> {
    let named = |name: &str, severity: Severity| {
        findings(name, text)
            .into_iter()
            .map(move |finding| format!("{severity} {finding}"))
    };
    named("invalid-spec", Severity::Error)
        .chain(named("suspicious-spec", Severity::Warning))
        .collect()
}

/// Asserts that validation finds exactly one thing in each `spec` of a kind of `networking.istio.io`: cases are the
/// spec, `severity path`, and a part of the message. Schemas must have nothing to say against it.
pub(crate) fn expect_findings(kind: &str, cases: &[(&str, &str, &str)]) {
    for (spec, place, message) in cases {
        let text = networking(kind, spec);
        assert_eq!(schema_violations(&text), [""; 0], "{spec}");
        let found = validation(&text);
        let [finding] = found.as_slice() else {
            panic!("{spec} has {found:#?}");
        };
        assert!(
            finding.starts_with(&format!("{place}: ")) && finding.contains(message),
            "{spec} has {finding}"
        );
    }
}

/// Asserts that validation finds nothing in each `spec` of a kind of `networking.istio.io`.
pub(crate) fn expect_silence(kind: &str, specs: &[&str]) {
    for spec in specs {
        assert_eq!(validation(&networking(kind, spec)), [""; 0], "{spec}");
    }
}

/// A resource of `networking.istio.io`, in the namespace `shop`.
pub(crate) fn networking(kind: &str, spec: &str) -> String {
    let version = match kind {
        "EnvoyFilter" => "v1alpha3",
        "ProxyConfig" => "v1beta1",
        _ => "v1",
    };
    format!(
        "{{apiVersion: networking.istio.io/{version}, kind: {kind}, \
         metadata: {{name: a, namespace: shop}}, spec: {spec}}}"
    )
}

/// What schemas refuse, without what they call deprecated.
fn schema_violations(text: &str) -> Vec<String> {
    let mesh = mesh(text);
    mesh.violations()
        .iter()
        .flat_map(|(_, list)| list)
        .filter(|violation| violation.kind != ViolationKind::Deprecated)
        .map(|violation| format!("{}: {}", violation.path, violation.message))
        .collect()
}

/// Why the rule could not run on a text.
pub(crate) fn skipped(rule: &str, text: &str) -> Option<String> {
    let rules = RuleSet::new(&[rule.to_owned()], &[]).expect("a rule of this name");
    let is_rule = |skipped: &Rule| skipped.name == rule;
    let report = analyze(&mesh(text), &rules);
    report
        .skipped
        .into_iter()
        .find(|skipped| is_rule(skipped.rule))
        .map(|skipped| skipped.reason)
}
