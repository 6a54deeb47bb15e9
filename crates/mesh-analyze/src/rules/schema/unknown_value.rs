//! Words outside an enum.

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use super::violations;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A field has a value that is not one of its valid words.
    ///
    /// ## Why is this bad?
    /// The API server refuses the resource.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: PeerAuthentication
    /// metadata: {name: default}
    /// spec:
    ///   mtls: {mode: STRICTT}
    /// ```
    ///
    /// ## Fix
    /// Write one of the words that the message lists, in capitals as shown.
    pub static RULE = {
        name: "unknown-value",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    violations(mesh, ViolationKind::UnknownValue, reporter);
}
