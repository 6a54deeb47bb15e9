//! Errors of semantic validation.

use mesh_core::Mesh;

use super::report;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A resource has the right shape, but the control plane refuses what it says.
    ///
    /// ## Why is this bad?
    /// The admission webhook of the control plane refuses the resource. Without the webhook, the resource is stored and has
    /// no effect, or an effect nobody meant.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: reviews}
    /// spec:
    ///   host: reviews
    ///   subsets:
    ///   - name: v1
    ///   - name: v1
    /// ```
    ///
    /// ## Fix
    /// Follow the message.
    pub static RULE = {
        name: "invalid-spec",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(_mesh: &Mesh, reporter: &mut Reporter<'_>) {
    report(reporter, false);
}
