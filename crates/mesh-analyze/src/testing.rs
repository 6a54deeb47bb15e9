//! Helpers for tests of rules and validation.

use std::sync::Arc;

use mesh_core::source::{LoadOptions, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings, Source};

use crate::{Diagnostic, RuleSet, Severity, analyze};

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
