//! Warnings on mesh-wide settings.

use mesh_core::{Kind, Mesh};

use super::mesh_wide;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// The control plane takes the mesh-wide settings in its ConfigMap, but a part of them hardly does what was meant.
    ///
    /// ## Why is this bad?
    /// istiod at most logs a warning. A provider that is set up wrongly, for example, fails only when something uses it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: istio, namespace: istio-system}
    /// data:
    ///   mesh: |
    ///     defaultProviders:
    ///       tracing: [otlp]
    ///     extensionProviders:
    ///     - name: otel
    ///       opentelemetry: {service: collector.observability.svc.cluster.local, port: 4317}
    /// ```
    ///
    /// ## Fix
    /// Follow the message. If the ConfigMap comes from an installation, correct `meshConfig` in its values.
    pub static RULE = {
        name: "suspicious-mesh-config",
        aliases: &["IST0133"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::ConfigMap],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    mesh_wide::report(mesh, true, reporter);
}
