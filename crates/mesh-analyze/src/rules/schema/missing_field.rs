//! Required fields that are absent.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A required field is absent.
    ///
    /// ## Why is this bad?
    /// The API server refuses the resource.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews}
    /// spec:
    ///   subsets:
    ///   - name: v1
    /// ```
    ///
    /// ## Fix
    /// Add the field.
    pub static RULE = {
        name: "missing-field",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::MissingField, reporter);
}
