//! Rules over a [`Mesh`], each of which finds one thing that can be wrong.
//!
//! ```text
//! Mesh ─ RULES (table) ─► check(mesh, reporter) ─► Diagnostic (field paths) ─ suppress ─► Report
//! ```
//!
//! A rule is a `static` in its own file under `rules/`, declared by [`declare_rule!`], and listed once in
//! [`RULES`]. Rules are pure and total: they do no I/O and cannot fail. They run in parallel, and what they report
//! is sorted, so that the output does not depend on timing.

pub mod describe;
pub mod diagnostic;
mod reporter;
mod rule;
pub mod rules;
mod selection;
mod shared;
mod suppress;
#[cfg(test)]
mod testing;
mod validate;

use mesh_core::Mesh;
use rayon::prelude::*;

pub use diagnostic::{Diagnostic, Fix, Location, Part, Place, Related, Severity};
pub use reporter::Reporter;
pub use rule::{Rule, by_name};
pub use rules::RULES;
pub use selection::{RuleSet, UnknownRule};
pub use validate::Finding;
pub use validate::mesh_config::{mesh_config_findings, mesh_networks_findings, mesh_wide_violations};

use shared::Shared;

/// What an analysis found.
#[derive(Debug, Default)]
pub struct Report {
    /// The findings, by file and place.
    pub findings: Vec<Diagnostic>,
    /// The rules that could not run on this input.
    pub skipped: Vec<SkippedRule>,
    /// The number of findings that comments or annotations switched off.
    pub suppressed: usize,
}

impl Report {
    /// The number of findings of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    /// The highest severity among the findings.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

/// A rule that could not run, and what it would need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedRule {
    /// The rule.
    pub rule: &'static Rule,
    /// Why it could not run; a sentence without a full stop.
    pub reason: String,
}

/// Runs the rules of `rules` over `mesh`.
pub fn analyze(mesh: &Mesh, rules: &RuleSet) -> Report {
    let mut skipped = Vec::new();
    let runnable: Vec<&'static Rule> = rules
        .iter()
        .filter(|rule| match rule.missing_input(mesh) {
            Some(reason) => {
                skipped.push(SkippedRule { rule, reason });
                false
            }
            None => true,
        })
        .collect();
    let shared = Shared::new(mesh, &runnable);
    let found: Vec<_> = runnable
        .par_iter()
        // One at a time: those that follow references take far longer than the others, and stand together.
        .with_max_len(1)
        .flat_map_iter(|rule| {
            let mut reporter = Reporter::new(rule, &shared);
            (rule.check)(mesh, &mut reporter);
            reporter.into_findings()
        })
        .collect();
    let (mut findings, suppressed) = suppress::apply(mesh, &shared, found, &runnable, rules);
    diagnostic::sort(mesh, &mut findings);
    Report {
        findings,
        skipped,
        suppressed,
    }
}
