//! Rules on what the mesh stands on: the control plane, its webhooks, the APIs of the cluster, and what controllers say
//! about objects.

pub mod failed_condition;
pub mod invalid_webhook_client;
pub mod outdated_gateway_api;
pub mod removed_api;
pub mod unknown_webhook_service;
pub mod unrestricted_jwks_fetch;
pub mod webhook_by_address;

use mesh_core::k8s_openapi::api::admissionregistration::v1::WebhookClientConfig;
use mesh_core::{Header, Mesh};
use mesh_yaml::{FieldPath, path};

/// One webhook of Istio.
struct Webhook<'m> {
    header: &'m Header,
    name: &'m str,
    /// The path of `clientConfig`.
    path: FieldPath,
    client: &'m WebhookClientConfig,
}

/// All webhooks of Istio: those whose names are in its domain.
fn webhooks(mesh: &Mesh) -> Vec<Webhook<'_>> {
    let mut all = Vec::new();
    for configuration in mesh.mutating_webhooks() {
        for (index, webhook) in configuration.spec.webhooks.iter().flatten().enumerate() {
            all.push(Webhook {
                header: configuration.header(),
                name: &webhook.name,
                path: path!["webhooks", index, "clientConfig"],
                client: &webhook.client_config,
            });
        }
    }
    for configuration in mesh.validating_webhooks() {
        for (index, webhook) in configuration.spec.webhooks.iter().flatten().enumerate() {
            all.push(Webhook {
                header: configuration.header(),
                name: &webhook.name,
                path: path!["webhooks", index, "clientConfig"],
                client: &webhook.client_config,
            });
        }
    }
    all.retain(|webhook| webhook.name.ends_with(".istio.io"));
    all
}

/// The host of a URL as webhooks have it: `https://HOST[:PORT]/PATH`.
fn host(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    if authority.contains(['@', ' ']) {
        return None;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => match authority.split_once(':') {
            Some((host, port)) => {
                port.parse::<u16>().ok()?;
                host
            }
            None => authority,
        },
    };
    (!host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn hosts_of_urls() {
        for (url, expected) in [
            ("https://a.example.com/inject", Some("a.example.com")),
            ("https://a.example.com:15017/inject", Some("a.example.com")),
            ("https://10.0.0.1", Some("10.0.0.1")),
            ("https://[::1]:443/x", Some("::1")),
            ("http://a.example.com", None),
            ("https://", None),
            ("https://a:b/", None),
            ("a.example.com", None),
        ] {
            assert_eq!(host(url), expected, "{url}");
        }
    }
}
