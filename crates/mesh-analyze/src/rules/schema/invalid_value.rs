//! Values that break a rule of their kind.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A value breaks one of the validation rules (CEL) of its kind.
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
    ///   - route:
    ///     - destination: {host: reviews}
    ///     timeout: 10 seconds
    /// ```
    ///
    /// ## Fix
    /// Follow the message.
    pub static RULE = {
        name: "invalid-value",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::BrokenRule, reporter);
}
