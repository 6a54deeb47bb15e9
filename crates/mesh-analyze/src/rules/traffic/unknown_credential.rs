//! Certificates of gateways that are not there.

use mesh_core::{Kind, Mesh};
use rustc_hash::{FxHashMap, FxHashSet};

use super::credentials::{are_made_elsewhere, credentials, is_for_tls};
use super::listed;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A Gateway takes its certificate from a secret that does not exist.
    ///
    /// ## Why is this bad?
    /// The proxies cannot open the port for the server: TLS connections are reset.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {istio: ingressgateway}
    ///   servers:
    ///   - port: {number: 443, name: https, protocol: HTTPS}
    ///     hosts: [shop.example.com]
    ///     tls: {mode: SIMPLE, credentialName: shop-cert}
    /// ---
    /// apiVersion: v1
    /// kind: Secret
    /// metadata: {name: shop-certificate, namespace: shop}
    /// type: kubernetes.io/tls
    /// stringData:
    ///   tls.crt: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    ///   tls.key: "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n"
    /// ```
    ///
    /// ## Fix
    /// Create the secret in the namespace of the gateway's proxies, which need not be that of the Gateway. It is only missed
    /// if the input has other secrets with certificates in that namespace.
    pub static RULE = {
        name: "unknown-credential",
        aliases: &["IST0101"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[&[Kind::Secret]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    if are_made_elsewhere(mesh) {
        return;
    }
    let mut homes: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
    let mut shown: FxHashSet<&str> = FxHashSet::default();
    for secret in mesh.secrets() {
        homes.entry(secret.name()).or_default().push(secret.namespace());
        if is_for_tls(&secret.spec) {
            shown.insert(secret.namespace());
        }
    }
    for credential in credentials(mesh, reporter.proxies()) {
        let homes = homes.get(credential.name).map_or(&[][..], Vec::as_slice);
        let is_found = if credential.is_certain {
            credential
                .namespaces
                .iter()
                .any(|namespace| homes.contains(namespace))
        } else {
            !homes.is_empty()
        };
        let would_be_shown = |namespace: &&str| mesh.has_all(Kind::Secret) || shown.contains(namespace);
        if is_found || !credential.namespaces.iter().any(would_be_shown) {
            continue;
        }
        let name = credential.name;
        let namespaces = listed(credential.namespaces.iter().copied());
        let help = if homes.is_empty() {
            format!("create the secret in namespace {namespaces}, or correct the name")
        } else {
            format!(
                "copy it from namespace {} to {namespaces}, where the proxies are",
                listed(homes.iter().copied())
            )
        };
        reporter
            .report(credential.gateway, credential.path)
            .message(format!("there is no secret `{name}` in namespace {namespaces}"))
            .help(help);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{deployment, diagnostics, finds, object, silent};

    const RULE: &str = "unknown-credential";

    fn gateway(tls: &str) -> String {
        let server = format!("{{port: {{number: 443, name: p, protocol: HTTPS}}, hosts: ['*'], tls: {tls}}}");
        object(
            "Gateway",
            "shop",
            "edge",
            &format!("{{selector: {{app: edge}}, servers: [{server}]}}"),
        )
    }

    fn secret(namespace: &str, name: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: {namespace}}}\ntype: \
             kubernetes.io/tls\nstringData: {{tls.crt: x, tls.key: x}}\n---\n"
        )
    }

    #[test]
    fn every_name_is_looked_up() {
        for (tls, expected) in [
            ("{mode: SIMPLE, credentialName: a}", None),
            ("{mode: SIMPLE, credentialName: 'kubernetes://a'}", None),
            ("{mode: SIMPLE, credentialName: 'configmap://b'}", None),
            ("{mode: PASSTHROUGH, credentialName: b}", None),
            ("{mode: ISTIO_MUTUAL}", None),
            (
                "{mode: SIMPLE, credentialName: b}",
                Some("spec.servers[0].tls.credentialName"),
            ),
            (
                "{mode: SIMPLE, credentialNames: [a, b]}",
                Some("spec.servers[0].tls.credentialNames[1]"),
            ),
            (
                "{mode: MUTUAL, credentialName: a, caCertCredentialName: b}",
                Some("spec.servers[0].tls.caCertCredentialName"),
            ),
        ] {
            let expected: Vec<_> = expected
                .map(|path| (path, "there is no secret `b` in namespace `shop`"))
                .into_iter()
                .collect();
            finds(RULE, &(secret("shop", "a") + &gateway(tls)), &expected);
        }
    }

    #[test]
    fn the_proxies_namespace_is_what_counts() {
        let simple = gateway("{mode: SIMPLE, credentialName: a}");
        let pods = deployment("infra", "edge", "{app: edge}");
        silent(RULE, &(pods.clone() + &secret("infra", "a") + &simple));
        let text = pods.clone() + &secret("infra", "other") + &secret("shop", "a") + &simple;
        let found = diagnostics(RULE, &text);
        assert_eq!(found[0].message, "there is no secret `a` in namespace `infra`");
        assert_eq!(
            found[0].help.as_deref(),
            Some("copy it from namespace `shop` to `infra`, where the proxies are")
        );
        // No certificates of that namespace are in the input.
        silent(RULE, &(pods + &secret("shop", "other") + &simple));
        // The proxies may be where the secret is.
        silent(RULE, &(secret("infra", "a") + &secret("shop", "b") + &simple));
    }

    #[test]
    fn secrets_may_be_made_by_others() {
        let certificate = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\n---\n";
        silent(
            RULE,
            &(secret("shop", "b") + certificate + &gateway("{mode: SIMPLE, credentialName: a}")),
        );
    }
}
