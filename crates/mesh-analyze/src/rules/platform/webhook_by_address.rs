//! Webhooks that are called by an IP address.

use std::net::IpAddr;

use mesh_core::{Kind, Mesh};

use super::{host, webhooks};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A webhook of Istio has a URL with an IP address in place of a host name.
    ///
    /// ## Why is this bad?
    /// The certificate of the control plane has to name the address, and the webhook stops working when the address changes.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: admissionregistration.k8s.io/v1
    /// kind: MutatingWebhookConfiguration
    /// metadata: {name: istio-sidecar-injector}
    /// webhooks:
    /// - name: namespace.sidecar-injector.istio.io
    ///   clientConfig: {url: "https://192.0.2.1:15017/inject"}
    ///   sideEffects: None
    ///   admissionReviewVersions: [v1]
    /// ```
    ///
    /// ## Fix
    /// Give the external control plane a host name, and write that.
    pub static RULE = {
        name: "webhook-by-address",
        aliases: &["IST0164"],
        severity: Severity::Info,
        since: "0.1.0",
        subjects: &[Kind::MutatingWebhookConfiguration, Kind::ValidatingWebhookConfiguration],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for webhook in webhooks(mesh) {
        let host = webhook.client.url.as_deref().and_then(host);
        if let Some(address) = host.and_then(|host| host.parse::<IpAddr>().ok()) {
            reporter
                .report(webhook.header, webhook.path.key("url"))
                .message(format!(
                    "webhook `{}` is called by the address {address}",
                    webhook.name
                ))
                .help("write the host name of the control plane");
        }
    }
}
