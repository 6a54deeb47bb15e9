//! The certificates of gateways, and the secrets that hold them.

use std::sync::Arc;

use mesh_core::istio::gateway::{Gateway, ServerTlsMode, ServerTlsSettings};
use mesh_core::k8s_openapi::api::core::v1::Secret;
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, path};
use rustc_hash::FxHashSet;

use super::proxies::Proxies;

/// A reference of a server to a secret.
#[derive(Debug)]
pub(super) struct Credential<'m> {
    /// The Gateway.
    pub(super) gateway: &'m Arc<Resource<Gateway>>,
    /// The field that names the secret.
    pub(super) path: FieldPath,
    /// The name of the secret.
    pub(super) name: &'m str,
    /// What the secret has to hold.
    pub(super) content: Content,
    /// The namespaces of the gateway's proxies, where the secret has to be.
    pub(super) namespaces: Vec<&'m str>,
    /// Whether these are known: otherwise it is the Gateway's own namespace, as a guess.
    pub(super) is_certain: bool,
}

/// What a secret has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// A certificate and its key.
    Pair,
    /// A certificate, its key, and the authorities of the clients; these may be in a secret of their own.
    PairAndAuthorities,
    /// The authorities of the clients.
    Authorities,
}

/// Every reference to a secret, in the order of the gateways.
pub(super) fn credentials<'m>(mesh: &'m Mesh, proxies: &Proxies<'m>) -> Vec<Credential<'m>> {
    let mut found = Vec::new();
    for gateway in mesh.gateways() {
        let of_proxies: FxHashSet<_> = (proxies.of(gateway).iter())
            .map(|workload| workload.namespace())
            .collect();
        let mut namespaces: Vec<_> = of_proxies.into_iter().collect();
        namespaces.sort_unstable();
        let is_certain = !namespaces.is_empty();
        if !is_certain {
            namespaces.push(gateway.namespace());
        }
        for (index, server) in gateway.spec.servers.iter().enumerate() {
            let Some(tls) = &server.tls else {
                continue;
            };
            for (place, name, content) in named_in(tls) {
                if let Some(name) = secret_name(name) {
                    found.push(Credential {
                        gateway,
                        path: path!["spec", "servers", index, "tls"].join(&place),
                        name,
                        content,
                        namespaces: namespaces.clone(),
                        is_certain,
                    });
                }
            }
        }
    }
    found
}

fn named_in(tls: &ServerTlsSettings) -> Vec<(FieldPath, &str, Content)> {
    let needs_authorities = match tls.mode {
        ServerTlsMode::Simple => false,
        ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => true,
        _ => return Vec::new(),
    };
    let separate = !tls.ca_cert_credential_name.is_empty();
    let pair = if needs_authorities && !separate {
        Content::PairAndAuthorities
    } else {
        Content::Pair
    };
    let mut found = Vec::new();
    if !tls.credential_name.is_empty() {
        found.push((path!["credentialName"], tls.credential_name.as_str(), pair));
    }
    for (index, name) in tls.credential_names.iter().enumerate() {
        found.push((path!["credentialNames", index], name.as_str(), Content::Pair));
    }
    if needs_authorities && separate {
        let name = tls.ca_cert_credential_name.as_str();
        found.push((path!["caCertCredentialName"], name, Content::Authorities));
    }
    found
}

/// The name of the secret that a credential name means; `None` if it means something else.
fn secret_name(text: &str) -> Option<&str> {
    let name = text.strip_prefix("kubernetes://").unwrap_or(text);
    (!name.is_empty() && !name.contains(['/', ':'])).then_some(name)
}

/// Whether secrets come into being by objects of other kinds, so that those in the input are not all.
pub(super) fn are_made_elsewhere(mesh: &Mesh) -> bool {
    const KINDS: [&str; 9] = [
        "Certificate",
        "ExternalSecret",
        "ClusterExternalSecret",
        "SealedSecret",
        "SecretProviderClass",
        "SopsSecret",
        "VaultStaticSecret",
        "VaultPKISecret",
        "OnePasswordItem",
    ];
    let kinds = mesh.skipped().other_kinds.keys();
    kinds
        .filter_map(|kind| kind.rsplit_once(' '))
        .any(|(_, name)| KINDS.contains(&name))
}

/// The secret of this name.
pub(super) fn secret<'m>(mesh: &'m Mesh, namespace: &str, name: &str) -> Option<&'m Arc<Resource<Secret>>> {
    mesh.get::<Secret>(namespace, name)
}

/// Whether a secret holds a certificate of a server.
pub(super) fn is_for_tls(secret: &Secret) -> bool {
    secret.type_.as_deref() == Some("kubernetes.io/tls")
        || has_key(secret, "tls.crt")
        || has_key(secret, "cert")
}

fn has_key(secret: &Secret, key: &str) -> bool {
    secret.data.as_ref().is_some_and(|data| data.contains_key(key))
        || secret
            .string_data
            .as_ref()
            .is_some_and(|data| data.contains_key(key))
}

/// One value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// There is none.
    Missing,
    /// It is there, but in a form that only its tool can read.
    Opaque,
    /// Its text; not all of it, if it is not UTF-8.
    Text(String),
}

/// The value of a key of a secret.
pub(super) fn value(secret: &Resource<Secret>, key: &str) -> Value {
    let root = secret.origin().root();
    if root.get("sops").is_some() {
        return Value::Opaque;
    }
    let text = secret
        .spec
        .string_data
        .as_ref()
        .and_then(|data| data.get(key))
        .cloned();
    let bytes = || {
        let bytes = secret.spec.data.as_ref()?.get(key)?;
        Some(String::from_utf8_lossy(&bytes.0).into_owned())
    };
    match text.or_else(bytes) {
        Some(text) if is_placeholder(&text) => Value::Opaque,
        Some(text) => Value::Text(text),
        None => {
            let is_written = |field: &str| root.get(field).is_some_and(|data| data.get(key).is_some());
            if is_written("data") || is_written("stringData") {
                Value::Opaque // It could not be decoded, which the schema reports.
            } else {
                Value::Missing
            }
        }
    }
}

/// Whether some tool replaces the text before it is applied.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.contains("${") || text.contains("{{") || text.starts_with("ENC[") || text.starts_with('<')
}
