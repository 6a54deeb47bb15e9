//! Fields that exclude each other.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Fields that exclude each other are both set.
    ///
    /// ## Why is this bad?
    /// The API server refuses the resource.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - match:
    ///     - uri: {exact: /a, prefix: /b}
    ///     route:
    ///     - destination: {host: reviews}
    /// ```
    ///
    /// ## Fix
    /// Keep one of the fields. Two alternatives are two items of the list around them.
    pub static RULE = {
        name: "conflicting-fields",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::ConflictingFields, reporter);
}
