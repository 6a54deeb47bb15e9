//! Certificates of gateways that cannot be read.

use mesh_core::k8s_openapi::api::core::v1::Secret;
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::{FieldPath, path};

use super::credentials::{Content, Value, credentials, secret, value};
use super::qualified;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A Gateway takes its certificate from a secret that does not hold one.
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
    ///     tls: {mode: SIMPLE, credentialName: shop}
    /// ---
    /// apiVersion: v1
    /// kind: Secret
    /// metadata: {name: shop, namespace: shop}
    /// stringData:
    ///   certificate: "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n"
    ///   key: "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n"
    /// ```
    ///
    /// ## Fix
    /// Store the certificate with its chain as `tls.crt` and the key as `tls.key` (or `cert` and `key`), both as PEM. For
    /// mutual TLS, store the authorities of the clients as `ca.crt` (or `cacert`), or in a second secret with the suffix
    /// `-cacert`.
    pub static RULE = {
        name: "invalid-credential",
        aliases: &["IST0161"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[&[Kind::Secret]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for credential in credentials(mesh, reporter.proxies()) {
        let name = credential.name;
        let found = credential
            .namespaces
            .iter()
            .find_map(|namespace| secret(mesh, namespace, name));
        let Some(found) = found else {
            continue; // `unknown-credential` reports it.
        };
        let companion = format!("{name}-cacert");
        let companion = secret(mesh, found.namespace(), &companion);
        let problem = match credential.content {
            Content::Pair => pair_problem(found),
            Content::Authorities => authorities_problem(found),
            Content::PairAndAuthorities => pair_problem(found).or_else(|| match companion {
                Some(companion) => authorities_problem(companion),
                None => authorities_problem(found),
            }),
        };
        if let Some(Problem {
            secret,
            path,
            message,
        }) = problem
        {
            reporter
                .report(credential.gateway, credential.path)
                .message(format!("secret `{}` {message}", qualified(secret)))
                .help("store PEM as `tls.crt` and `tls.key`, and the authorities of clients as `ca.crt`")
                .related(secret, path, "the secret");
        }
    }
}

struct Problem<'m> {
    secret: &'m Resource<Secret>,
    path: FieldPath,
    message: String,
}

fn pair_problem(secret: &Resource<Secret>) -> Option<Problem<'_>> {
    let has = |key: &str| value(secret, key) != Value::Missing;
    let (certificate, key) = if has("cert") && has("key") {
        ("cert", "key")
    } else {
        ("tls.crt", "tls.key")
    };
    pem_problem(secret, certificate, "CERTIFICATE-----")
        .or_else(|| pem_problem(secret, key, "PRIVATE KEY-----"))
}

fn authorities_problem(secret: &Resource<Secret>) -> Option<Problem<'_>> {
    let keys = ["cacert", "ca.crt"];
    let key = keys.into_iter().find(|key| value(secret, key) != Value::Missing);
    pem_problem(secret, key.unwrap_or("ca.crt"), "CERTIFICATE-----")
}

/// What is wrong with a key that has to hold PEM blocks of a type.
fn pem_problem<'m>(secret: &'m Resource<Secret>, key: &str, block: &str) -> Option<Problem<'m>> {
    let message = match value(secret, key) {
        Value::Opaque => return None,
        Value::Missing => format!("has no `{key}`"),
        Value::Text(text) if text.trim().is_empty() => format!("has an empty `{key}`"),
        Value::Text(text) => {
            let begins = text
                .find("-----BEGIN ")
                .is_some_and(|begin| text[begin..].contains(block));
            if begins && text.contains("-----END ") {
                return None;
            }
            let what = if block.starts_with("PRIVATE") {
                "private key"
            } else {
                "certificate"
            };
            format!("has no PEM {what} in `{key}`")
        }
    };
    let root = secret.origin().root();
    let field = ["stringData", "data"]
        .into_iter()
        .find(|field| root.get(field).is_some_and(|data| data.get(key).is_some()));
    Some(Problem {
        secret,
        path: field.map_or(path!["metadata", "name"], |field| path![field, key]),
        message,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "invalid-credential";
    const CERT: &str = "\"-----BEGIN CERTIFICATE-----\\nMA==\\n-----END CERTIFICATE-----\"";
    const KEY: &str = "\"-----BEGIN RSA PRIVATE KEY-----\\nMA==\\n-----END RSA PRIVATE KEY-----\"";

    fn gateway(mode: &str) -> String {
        let server = format!(
            "{{port: {{number: 443, name: p, protocol: HTTPS}}, hosts: ['*'], tls: {{mode: {mode}, credentialName: a}}}}"
        );
        object(
            "Gateway",
            "shop",
            "edge",
            &format!("{{selector: {{app: edge}}, servers: [{server}]}}"),
        )
    }

    fn secret(name: &str, body: &str) -> String {
        format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, namespace: shop}}\n{body}\n---\n")
    }

    #[test]
    fn a_pair_of_pem_blocks_is_needed() {
        let at = "spec.servers[0].tls.credentialName";
        for (body, expected) in [
            (format!("stringData: {{tls.crt: {CERT}, tls.key: {KEY}}}"), None),
            (format!("stringData: {{cert: {CERT}, key: {KEY}}}"), None),
            ("data: {tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1BPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=, tls.key: ''}".to_owned(), Some("secret `shop/a` has an empty `tls.key`")),
            (format!("stringData: {{tls.crt: {CERT}}}"), Some("secret `shop/a` has no `tls.key`")),
            (format!("stringData: {{tls.crt: {KEY}, tls.key: {KEY}}}"), Some("has no PEM certificate in `tls.crt`")),
            (format!("stringData: {{tls.crt: {CERT}, tls.key: {CERT}}}"), Some("has no PEM private key in `tls.key`")),
            (format!("stringData: {{tls.crt: {CERT}, tls.key: none}}"), Some("has no PEM private key in `tls.key`")),
            ("type: Opaque".to_owned(), Some("has no `tls.crt`")),
            // Whoever reads these replaces them first.
            ("data: {tls.crt: not base64, tls.key: ENC}".to_owned(), None),
            ("stringData: {tls.crt: '${CRT}', tls.key: '${KEY}'}".to_owned(), None),
            ("sops: {version: 3}\nstringData: {tls.crt: x, tls.key: x}".to_owned(), None),
        ] {
            let expected: Vec<_> = expected.map(|message| (at, message)).into_iter().collect();
            finds(RULE, &(secret("a", &body) + &gateway("SIMPLE")), &expected);
        }
    }

    #[test]
    fn mutual_tls_needs_authorities() {
        let at = "spec.servers[0].tls.credentialName";
        let pair = format!("tls.crt: {CERT}, tls.key: {KEY}");
        let plain = secret("a", &format!("stringData: {{{pair}}}"));
        finds(
            RULE,
            &(plain.clone() + &gateway("MUTUAL")),
            &[(at, "secret `shop/a` has no `ca.crt`")],
        );
        silent(
            RULE,
            &(secret("a", &format!("stringData: {{{pair}, ca.crt: {CERT}}}")) + &gateway("MUTUAL")),
        );
        silent(
            RULE,
            &(plain.clone()
                + &secret("a-cacert", &format!("stringData: {{cacert: {CERT}}}"))
                + &gateway("OPTIONAL_MUTUAL")),
        );
        finds(
            RULE,
            &(plain + &secret("a-cacert", "stringData: {ca.crt: x}") + &gateway("MUTUAL")),
            &[(at, "secret `shop/a-cacert` has no PEM certificate in `ca.crt`")],
        );
    }
}
