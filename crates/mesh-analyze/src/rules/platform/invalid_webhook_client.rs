//! Webhooks that cannot be called.

use mesh_core::{Kind, Mesh};

use super::{host, webhooks};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A webhook of Istio has an address that cannot be called.
    ///
    /// ## Why is this bad?
    /// Pods get no sidecars, or cannot be made at all; configuration is not checked, or cannot be changed. It depends on the
    /// `failurePolicy`. With an external control plane, this is how the cluster finds it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: admissionregistration.k8s.io/v1
    /// kind: ValidatingWebhookConfiguration
    /// metadata: {name: istio-validator-istio-system}
    /// webhooks:
    /// - name: validation.istio.io
    ///   clientConfig: {url: "http://istiod.example.com/validate"}
    ///   sideEffects: None
    ///   admissionReviewVersions: [v1]
    /// ```
    ///
    /// ## Fix
    /// Set `clientConfig.service`, or a `clientConfig.url` that begins with `https://` and has a host.
    pub static RULE = {
        name: "invalid-webhook-client",
        aliases: &["IST0163"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for webhook in webhooks(mesh) {
        match (&webhook.client.url, &webhook.client.service) {
            (Some(url), _) if host(url).is_none() => {
                reporter
                    .report(webhook.header, webhook.path.key("url"))
                    .message(format!(
                        "the URL of webhook `{}` cannot be called: `{url}`",
                        webhook.name
                    ))
                    .help("write it as `https://HOST:PORT/PATH`");
            }
            (None, None) => {
                reporter
                    .report(webhook.header, webhook.path)
                    .message(format!(
                        "webhook `{}` has neither a URL nor a service",
                        webhook.name
                    ))
                    .help("set `clientConfig.service`, or `clientConfig.url` for an external control plane");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn only_istios_webhooks_are_judged() {
        let found = |name: &str, client: &str| {
            findings(
                "invalid-webhook-client",
                &format!(
                    "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: a}}\n\
                     webhooks: [{{name: {name}, clientConfig: {client}, sideEffects: None, admissionReviewVersions: [v1]}}]\n"
                ),
            )
        };
        assert_eq!(
            found("x.sidecar-injector.istio.io", "{}"),
            [
                "webhooks[0].clientConfig: webhook `x.sidecar-injector.istio.io` has neither a URL nor a service"
            ]
        );
        assert_eq!(found("x.istio.io", "{url: 'istiod:1'}").len(), 1);
        assert_eq!(found("x.istio.io", "{url: 'https://istiod:1/a'}"), [""; 0]);
        assert_eq!(found("x.istio.io", "{service: {name: a, namespace: a}}"), [""; 0]);
        assert_eq!(found("x.example.com", "{}"), [""; 0]);
    }
}
