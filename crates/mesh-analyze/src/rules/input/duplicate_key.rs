//! Mappings with the same key twice.

use mesh_core::{Mesh, ProblemKind};

use super::problems;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A mapping has the same key twice.
    ///
    /// ## Why is this bad?
    /// Only one of the two values counts, usually the last, and kubectl refuses the document when it validates strictly.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata:
    ///   name: reviews
    ///   name: ratings
    /// ```
    ///
    /// ## Fix
    /// Remove one of the two, or merge their values.
    pub static RULE = {
        name: "duplicate-key",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    problems(mesh, ProblemKind::DuplicateKey, reporter);
}
