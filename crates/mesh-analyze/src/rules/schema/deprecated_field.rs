//! Fields and values that have a successor.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A field or value still works, but has been replaced by another.
    ///
    /// ## Why is this bad?
    /// It may go in a later release, and newer features do not work with it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - mirror: {host: reviews}
    ///     mirrorPercent: 10
    ///     route:
    ///     - destination: {host: reviews}
    /// ```
    ///
    /// ## Fix
    /// Use what the help names.
    pub static RULE = {
        name: "deprecated-field",
        aliases: &["IST0002"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::Deprecated, reporter);
}
