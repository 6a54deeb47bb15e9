//! Values outside their limits.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A number, a length or a count is outside its limits, or text does not match the pattern of its field.
    ///
    /// ## Why is this bad?
    /// The API server refuses the resource.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: api}
    /// spec:
    ///   hosts: []
    /// ```
    ///
    /// ## Fix
    /// Stay within the limits that the message names.
    pub static RULE = {
        name: "out-of-range",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::OutOfRange, reporter);
}
