//! Errors in mesh-wide settings.

use mesh_core::{Kind, Mesh};

use super::mesh_wide;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The control plane refuses the mesh-wide settings in its ConfigMap, or a part of them.
    ///
    /// ## Why is this bad?
    /// Nothing looks at the ConfigMap when it is applied. istiod logs an error and goes on with the settings that it had, and
    /// with broken ones from the start it does not start at all. A field that it does not know is ignored silently.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: istio, namespace: istio-system}
    /// data:
    ///   mesh: |
    ///     defaultConfig:
    ///       discoveryAddress: istiod.istio-system.svc
    /// ```
    ///
    /// ## Fix
    /// Follow the message. If the ConfigMap comes from an installation, correct `meshConfig` in its values.
    pub static RULE = {
        name: "invalid-mesh-config",
        aliases: &["IST0106"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::ConfigMap],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    mesh_wide::report(mesh, false, reporter);
}
