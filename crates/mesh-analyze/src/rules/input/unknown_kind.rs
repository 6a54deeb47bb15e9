//! Objects of a kind that does not exist.

use mesh_core::{Mesh, ProblemKind};

use super::problems;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An object claims to be one of the mesh's kinds, but no such kind or version exists.
    ///
    /// ## Why is this bad?
    /// A cluster with the mesh installed refuses it, and tools that do not know the kind skip it in silence.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualServise
    /// metadata: {name: reviews}
    /// ```
    ///
    /// ## Fix
    /// Correct `kind` or `apiVersion`.
    pub static RULE = {
        name: "unknown-kind",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    problems(mesh, ProblemKind::UnknownKind, reporter);
}
