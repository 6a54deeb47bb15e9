//! Comments that allow what is not there.

use mesh_core::Mesh;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A `# meshctl: allow` comment covers no finding.
    ///
    /// ## Why is this bad?
    /// The comment says that something is wrong on purpose where nothing is wrong any more. When the same mistake
    /// comes back by accident, the comment hides it. A misspelt rule name allows nothing at all.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata:
    ///   name: reviews # meshctl: allow unnamed-port-protocol
    /// spec:
    ///   ports:
    ///   - name: http
    ///     port: 80
    /// ```
    ///
    /// ## Fix
    /// Remove the comment, or correct the name in it.
    pub static RULE = {
        name: "unused-suppression",
        aliases: &[],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

/// What this rule reports is known only after all others have run, so `suppress` reports it.
fn check(_mesh: &Mesh, _reporter: &mut Reporter<'_>) {}
