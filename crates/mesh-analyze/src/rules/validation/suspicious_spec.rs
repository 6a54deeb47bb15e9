//! Warnings of semantic validation.

use mesh_core::Mesh;

use super::report;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A resource is accepted, but a part of it hardly does what was meant.
    ///
    /// ## Why is this bad?
    /// The control plane accepts it with a warning that nobody sees who applies it from a pipeline.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: api}
    /// spec:
    ///   hosts: [api.example.com]
    ///   workloadSelector: {labels: {app: api}}
    ///   resolution: NONE
    ///   ports: [{number: 80, name: http, protocol: HTTP}]
    /// ```
    ///
    /// ## Fix
    /// Follow the message.
    pub static RULE = {
        name: "suspicious-spec",
        aliases: &["IST0133"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(_mesh: &Mesh, reporter: &mut Reporter<'_>) {
    report(reporter, true);
}
