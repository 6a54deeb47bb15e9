//! Documents that are not YAML.

use mesh_core::{Mesh, ProblemKind};

use super::problems;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A document is not valid YAML or JSON.
    ///
    /// ## Why is this bad?
    /// kubectl refuses the document. What is in it is not analysed; other documents of the same file are.
    ///
    /// ## Example
    /// ```yaml
    /// kind: Service
    ///   metadata: {}
    /// ```
    ///
    /// ## Fix
    /// Correct the place that is shown. A common cause is indentation: a tab, or a key that stands deeper than its siblings.
    pub static RULE = {
        name: "syntax-error",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    problems(mesh, ProblemKind::Syntax, reporter);
}
