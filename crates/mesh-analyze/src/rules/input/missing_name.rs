//! Objects without a name.

use mesh_core::{Mesh, ProblemKind};

use super::problems;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An object has neither `metadata.name` nor `metadata.generateName`.
    ///
    /// ## Why is this bad?
    /// The API server refuses it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata:
    ///   labels: {app: reviews}
    /// ```
    ///
    /// ## Fix
    /// Add `metadata.name`.
    pub static RULE = {
        name: "missing-name",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    problems(mesh, ProblemKind::Incomplete, reporter);
}
