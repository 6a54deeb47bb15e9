//! Webhooks whose service is not there.

use mesh_core::{Kind, Mesh};

use super::webhooks;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A webhook of Istio calls a Service that does not exist.
    ///
    /// ## Why is this bad?
    /// Pods get no sidecars, or cannot be made at all; configuration is not checked, or cannot be changed. It depends on the
    /// `failurePolicy`. Such webhooks are often left behind by a control plane that was removed.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: admissionregistration.k8s.io/v1
    /// kind: MutatingWebhookConfiguration
    /// metadata: {name: istio-sidecar-injector-old}
    /// webhooks:
    /// - name: rev.namespace.sidecar-injector.istio.io
    ///   clientConfig:
    ///     service: {name: istiod-old, namespace: istio-system, path: /inject, port: 443}
    ///   sideEffects: None
    ///   admissionReviewVersions: [v1]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: istiod, namespace: istio-system}
    /// spec: {ports: [{name: https-webhook, port: 443}]}
    /// ```
    ///
    /// ## Fix
    /// Delete the webhook configuration if its control plane is gone, or correct the name of the service.
    pub static RULE = {
        name: "unknown-webhook-service",
        aliases: &["IST0139"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration],
        needs: &[&[Kind::Service]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for webhook in webhooks(mesh) {
        let Some(service) = &webhook.client.service else {
            continue;
        };
        let (namespace, name) = (service.namespace.as_str(), service.name.as_str());
        let is_known = mesh.contains(Kind::Service, namespace, name);
        // Files often have some namespaces only.
        let would_show = mesh.has_all(Kind::Service)
            || mesh
                .services()
                .iter()
                .any(|service| service.namespace() == namespace);
        if !is_known && would_show {
            reporter
                .report(webhook.header, webhook.path.key("service").key("name"))
                .message(format!(
                    "webhook `{}` calls the service `{namespace}/{name}`, which does not exist",
                    webhook.name
                ))
                .help("delete the configuration if its control plane is gone, or correct the name");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn the_service_has_to_exist_where_services_are_known() {
        let found = |webhook: &str, service: &str| {
            findings(
                "unknown-webhook-service",
                &format!(
                    "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {{name: a}}\n\
                     webhooks: [{{name: x.istio.io, clientConfig: {{service: {{name: istiod, namespace: {webhook}}}}}, \
                     sideEffects: None, admissionReviewVersions: [v1]}}]\n---\napiVersion: v1\nkind: Service\nmetadata: \
                     {{name: {service}, namespace: istio-system}}\nspec: {{ports: [{{port: 1}}]}}\n"
                ),
            )
        };
        assert_eq!(
            found("istio-system", "istiod-canary"),
            [
                "webhooks[0].clientConfig.service.name: webhook `x.istio.io` calls the service `istio-system/istiod`, which \
                 does not exist"
            ]
        );
        assert_eq!(found("istio-system", "istiod"), [""; 0]);
        assert_eq!(found("elsewhere", "istiod"), [""; 0]);
    }
}
