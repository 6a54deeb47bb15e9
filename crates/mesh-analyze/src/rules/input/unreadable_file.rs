//! Files that cannot be read.

use mesh_core::{Mesh, ProblemKind};

use super::problems;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A file or folder cannot be read.
    ///
    /// ## Why is this bad?
    /// What is in it is not analysed, so the result says nothing about it.
    ///
    /// ## Example
    /// ```text
    /// meshctl analyze missing.yaml
    /// ```
    ///
    /// ## Fix
    /// Check the path and its permissions.
    pub static RULE = {
        name: "unreadable-file",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    problems(mesh, ProblemKind::Unreadable, reporter);
}
