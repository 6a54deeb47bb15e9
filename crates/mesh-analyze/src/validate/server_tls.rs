//! How a proxy ends TLS connections of clients: part of `Gateway` and of `Sidecar`.

use mesh_core::istio::gateway::{ServerTlsMode, ServerTlsSettings, TlsProtocol};
use mesh_core::schema::validate::closest;
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::shared::Shown;

/// The cipher suites that the control plane passes on.
const CIPHER_SUITES: [&str; 15] = [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-SHA",
    "ECDHE-RSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "AES256-GCM-SHA384",
    "AES128-SHA",
    "AES256-SHA",
    "DES-CBC3-SHA",
];

/// Where a server's certificate can come from, and whether it does.
struct Sources<'a> {
    list: [(&'a str, bool); 5],
}

impl<'a> Sources<'a> {
    fn of(tls: &ServerTlsSettings) -> Self {
        Self {
            list: [
                ("serverCertificate", !tls.server_certificate.is_empty()),
                ("privateKey", !tls.private_key.is_empty()),
                ("credentialName", !tls.credential_name.is_empty()),
                ("credentialNames", !tls.credential_names.is_empty()),
                ("tlsCertificates", !tls.tls_certificates.is_empty()),
            ],
        }
    }

    fn set(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.list.iter().filter(|(_, set)| *set).map(|(name, _)| *name)
    }
}

/// Whether connections pass through without being decrypted.
pub(super) fn passes_through(mode: ServerTlsMode) -> bool {
    matches!(mode, ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough)
}

/// Checks the settings as such.
pub(super) fn server_tls(tls: &ServerTlsSettings, at: &At<'_>, findings: &mut Findings) {
    versions_and_ciphers(tls, at, findings);
    if !mode_is_known(at) {
        return;
    }
    let sources = Sources::of(tls);
    let client_files = [
        ("caCertificates", !tls.ca_certificates.is_empty()),
        ("caCertCredentialName", !tls.ca_cert_credential_name.is_empty()),
        ("caCrl", !tls.ca_crl.is_empty()),
    ];
    let everything = sources
        .set()
        .chain(client_files.iter().filter(|(_, set)| *set).map(|(name, _)| *name));
    match tls.mode {
        ServerTlsMode::IstioMutual => {
            for name in everything {
                findings
                    .error(
                        at.key(name),
                        format!("mode `ISTIO_MUTUAL` takes the mesh's certificates and so excludes `{name}`"),
                    )
                    .related(at.key("mode"), "the mode is set here")
                    .help("remove the field, or choose mode `MUTUAL`");
            }
        }
        ServerTlsMode::Passthrough | ServerTlsMode::AutoPassthrough => {
            for name in everything {
                let mode = tls.mode.as_str();
                let written = if at.key("mode").exists() {
                    ""
                } else {
                    ", the default,"
                };
                findings
                    .warning(
                        at.key(name),
                        format!("`{name}` has no effect: mode `{mode}`{written} does not end TLS"),
                    )
                    .help("choose mode `SIMPLE` or `MUTUAL` to end TLS here, or remove the field");
            }
        }
        ServerTlsMode::Simple | ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual => {
            one_source(&sources, at, findings);
            certificates(tls, &sources, at, findings);
        }
    }
}

/// Whether the mode is one, or left to its default; schemas report others.
fn mode_is_known(at: &At<'_>) -> bool {
    let modes = [
        ServerTlsMode::Passthrough,
        ServerTlsMode::Simple,
        ServerTlsMode::Mutual,
        ServerTlsMode::AutoPassthrough,
        ServerTlsMode::IstioMutual,
        ServerTlsMode::OptionalMutual,
    ];
    at.key("mode").node().is_none_or(|node| {
        node.as_str()
            .is_some_and(|text| modes.iter().any(|mode| mode.as_str() == text))
    })
}

fn versions_and_ciphers(tls: &ServerTlsSettings, at: &At<'_>, findings: &mut Findings) {
    if matches!(
        tls.min_protocol_version,
        TlsProtocol::TlsV10 | TlsProtocol::TlsV11
    ) && tls.cipher_suites.is_empty()
    {
        findings
            .warning(
                at.key("minProtocolVersion"),
                "TLS below 1.2 needs cipher suites of its time, which are not offered by default",
            )
            .help("list them in `cipherSuites`, or raise the version");
    }
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for (index, (item, suite)) in at.items("cipherSuites").zip(&tls.cipher_suites).enumerate() {
        if let Some(first) = seen.insert(suite, index) {
            findings
                .warning(item, format!("the cipher suite {} is listed twice", Shown(suite)))
                .related(at.item("cipherSuites", first), "first listed here")
                .help("remove one");
            continue;
        }
        // Operators of OpenSSL's list format, such as `-` and `[`, are passed on unread.
        let is_name = suite.starts_with(|c: char| c.is_alphanumeric());
        if is_name && suite != "ALL" && !CIPHER_SUITES.contains(&suite.as_str()) {
            let help = match closest(suite, CIPHER_SUITES.into_iter()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known suites are {}", CIPHER_SUITES.join(", ")),
            };
            findings
                .warning(
                    item,
                    format!("{} is not a known cipher suite and is ignored", Shown(suite)),
                )
                .help(help);
        }
    }
}

fn one_source(sources: &Sources<'_>, at: &At<'_>, findings: &mut Findings) {
    // A certificate file and its key are one source.
    let mut set = sources.set().filter(|name| *name != "privateKey");
    let Some(first) = set.next() else { return };
    for second in set {
        let by_schema = second == "credentialNames" && first == "credentialName"
            || second == "tlsCertificates" && first == "credentialNames";
        if !by_schema {
            findings
                .error(
                    at.key(second),
                    format!("`{second}` cannot be set together with `{first}`"),
                )
                .related(at.key(first), "the other certificate comes from here")
                .help("take the certificate from one source");
        }
    }
}

fn certificates(tls: &ServerTlsSettings, sources: &Sources<'_>, at: &At<'_>, findings: &mut Findings) {
    let by_secret = !tls.credential_name.is_empty() || !tls.credential_names.is_empty();
    if !tls.ca_crl.is_empty() && (by_secret || tls.mode == ServerTlsMode::Simple) {
        let message = if by_secret {
            "`caCrl` cannot be set together with a secret of certificates"
        } else {
            "`caCrl` is for client certificates, which mode `SIMPLE` does not ask for"
        };
        findings.error(at.key("caCrl"), message).help(if by_secret {
            "put the revocation list into the secret, under the key `ca.crl`"
        } else {
            "remove the field, or choose mode `MUTUAL`"
        });
    }
    let mode = tls.mode.as_str();
    if by_secret {
        return;
    }
    // What is there but has another type is reported by its schema.
    let is_missing = |field: &At<'_>| field.has_no_text();
    let wants = "name a secret in `credentialName`, or the files in `serverCertificate` and `privateKey`";
    if tls.tls_certificates.is_empty() {
        let references = ["credentialName", "credentialNames", "tlsCertificates"];
        if references
            .iter()
            .any(|name| at.key(name).exists() && !is_missing(&at.key(name)))
        {
            return;
        }
        let missing: Vec<_> = ["serverCertificate", "privateKey"]
            .into_iter()
            .filter(|name| is_missing(&at.key(name)))
            .collect();
        match missing.as_slice() {
            [] => {}
            [one] if sources.set().next().is_some() => {
                findings
                    .error(at.key(one), format!("mode `{mode}` needs `{one}` too"))
                    .help(wants);
            }
            _ => {
                findings
                    .error(at.key("mode"), format!("mode `{mode}` needs a certificate"))
                    .help(wants);
                return;
            }
        }
    } else {
        for (item, pair) in at.items("tlsCertificates").zip(&tls.tls_certificates) {
            for (name, value) in [
                ("serverCertificate", &pair.server_certificate),
                ("privateKey", &pair.private_key),
            ] {
                if value.is_empty() && item.is_mapping() && is_missing(&item.key(name)) {
                    findings
                        .error(item, format!("the certificate has no `{name}`"))
                        .help("name both the certificate's file and its key's file");
                }
            }
        }
    }
    let asks_clients = matches!(tls.mode, ServerTlsMode::Mutual | ServerTlsMode::OptionalMutual);
    let has_authorities = !tls.ca_certificates.is_empty()
        || !tls.ca_cert_credential_name.is_empty()
        || tls
            .tls_certificates
            .iter()
            .any(|pair| !pair.ca_certificates.is_empty());
    if asks_clients && !has_authorities && is_missing(&at.key("caCertificates")) {
        findings
            .error(
                at.key("caCertificates"),
                format!("mode `{mode}` needs `caCertificates` to check clients' certificates against"),
            )
            .help("name the file with the CA certificates");
    }
}
