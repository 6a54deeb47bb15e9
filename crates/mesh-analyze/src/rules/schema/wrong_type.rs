//! Values of the wrong type.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A value has another type than its field.
    ///
    /// ## Why is this bad?
    /// The API server refuses the resource. Often quotes are the cause: `"80"` is not a number, and an unquoted `1.10`,
    /// `on` or `null` is not a string.
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
    ///     - destination: {host: reviews, port: {number: "9080"}}
    /// ```
    ///
    /// ## Fix
    /// Add or remove quotes, or give the value the shape that the message names.
    pub static RULE = {
        name: "wrong-type",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::WrongType, reporter);
}
