//! Keys that a resource does not have.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A resource has a field that its kind does not have.
    ///
    /// ## Why is this bad?
    /// kubectl refuses it when it validates strictly, and older API servers drop the field in silence: the setting that
    /// it was meant to make is not made.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - route:
    ///     - destination: {host: reviews}
    ///     timeOut: 3s
    /// ```
    ///
    /// ## Fix
    /// Correct the spelling, or move the field to where it belongs.
    pub static RULE = {
        name: "unknown-field",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::UnknownField, reporter);
}
