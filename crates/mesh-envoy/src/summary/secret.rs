//! Certificates and keys that a proxy got from its control plane.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::config::route::DataSource;

/// A secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Secret")]
pub struct SecretSummary {
    /// The name that it is asked for by; `default` and `ROOTCA` in Istio.
    pub name: String,
    /// What it holds.
    pub kind: SecretKind,
    /// Its certificates: a chain from leaf to root, or the trusted authorities. Each that cannot be read says why.
    pub certificates: Vec<Result<Certificate, CertificateError>>,
}

/// What a secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretKind {
    /// The proxy's own certificate, its chain and key.
    CertificateChain,
    /// Whom the proxy trusts.
    Ca,
    /// Keys of TLS session tickets.
    SessionTicketKeys,
    /// Something else, such as a password.
    Generic,
    /// Nothing yet: it was asked for, and has not come.
    Pending,
}

impl SecretKind {
    /// The name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CertificateChain => "Cert Chain",
            Self::Ca => "CA",
            Self::SessionTicketKeys => "Session Tickets",
            Self::Generic => "Generic",
            Self::Pending => "Pending",
        }
    }
}

/// An X.509 certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The distinguished name of the subject; empty in certificates of workloads.
    pub subject: String,
    /// The distinguished name of the issuer.
    pub issuer: String,
    /// URIs (the SPIFFE ID), DNS names and IP addresses that it is for.
    pub subject_alternative_names: Vec<String>,
    /// In hexadecimal, without separators.
    pub serial: String,
    /// The first moment that it is valid.
    pub not_before: Timestamp,
    /// The last moment that it is valid.
    pub not_after: Timestamp,
}

/// Why a certificate cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// It is in a file of the proxy's machine.
    #[error("the certificate is in the proxy's file {0}")]
    InFile(String),
    /// The bytes are not what they should be.
    #[error("the certificate cannot be read: {0}")]
    Malformed(String),
}

/// How a certificate stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It becomes valid in this time.
    NotYet(SignedDuration),
    /// It is valid for this time.
    Valid(SignedDuration),
    /// It has been expired for this time.
    Expired(SignedDuration),
}

impl Certificate {
    /// How it stands at `now`.
    pub fn validity(&self, now: Timestamp) -> Validity {
        if now < self.not_before {
            Validity::NotYet(self.not_before.duration_since(now))
        } else if now <= self.not_after {
            Validity::Valid(self.not_after.duration_since(now))
        } else {
            Validity::Expired(now.duration_since(self.not_after))
        }
    }

    /// The trust domain of its SPIFFE ID: `cluster.local` of `spiffe://cluster.local/ns/default/sa/reviews`.
    pub fn trust_domain(&self) -> Option<&str> {
        let mut ids = self.subject_alternative_names.iter();
        let id = ids.find_map(|name| name.strip_prefix("spiffe://"))?;
        Some(id.split('/').next().unwrap_or(id))
    }

    fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let malformed = |error: &dyn fmt::Display| CertificateError::Malformed(error.to_string());
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| malformed(&error))?;
        let moment = |seconds: i64| Timestamp::from_second(seconds).map_err(|error| malformed(&error));
        let validity = certificate.validity();
        let names =
            certificate
                .extensions()
                .iter()
                .filter_map(|extension| match extension.parsed_extension() {
                    ParsedExtension::SubjectAlternativeName(names) => Some(&names.general_names),
                    _ => None,
                });
        Ok(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            subject_alternative_names: names.flatten().map(general_name).collect(),
            serial: format!("{:x}", certificate.tbs_certificate.serial),
            not_before: moment(validity.not_before.timestamp())?,
            not_after: moment(validity.not_after.timestamp())?,
        })
    }
}

fn general_name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(text) | GeneralName::URI(text) | GeneralName::RFC822Name(text) => {
            (*text).to_owned()
        }
        GeneralName::IPAddress(bytes) => {
            if let Ok(v4) = <[u8; 4]>::try_from(*bytes) {
                std::net::Ipv4Addr::from(v4).to_string()
            } else if let Ok(v6) = <[u8; 16]>::try_from(*bytes) {
                std::net::Ipv6Addr::from(v6).to_string()
            } else {
                format!("{bytes:x?}")
            }
        }
        other => other.to_string(),
    }
}

/// `envoy.extensions.transport_sockets.tls.v3.Secret`.
#[expect(clippy::struct_field_names, reason = "Envoy's names")]
#[derive(Default, Deserialize)]
#[serde(default)]
struct Secret {
    name: String,
    tls_certificate: Option<TlsCertificate>,
    validation_context: Option<ValidationContext>,
    session_ticket_keys: Option<serde::de::IgnoredAny>,
    generic_secret: Option<serde::de::IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TlsCertificate {
    certificate_chain: DataSource,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ValidationContext {
    trusted_ca: DataSource,
}

impl From<Secret> for SecretSummary {
    fn from(secret: Secret) -> Self {
        let (kind, source) = if let Some(certificate) = secret.tls_certificate {
            (SecretKind::CertificateChain, certificate.certificate_chain)
        } else if let Some(context) = secret.validation_context {
            (SecretKind::Ca, context.trusted_ca)
        } else if secret.session_ticket_keys.is_some() {
            (SecretKind::SessionTicketKeys, DataSource::default())
        } else if secret.generic_secret.is_some() {
            (SecretKind::Generic, DataSource::default())
        } else {
            (SecretKind::Pending, DataSource::default())
        };
        Self {
            name: secret.name,
            kind,
            certificates: certificates(&source),
        }
    }
}

/// The certificates in PEM, in a source of data.
fn certificates(source: &DataSource) -> Vec<Result<Certificate, CertificateError>> {
    let malformed = |error: &dyn fmt::Display| vec![Err(CertificateError::Malformed(error.to_string()))];
    let pem = if let Some(text) = &source.inline_string {
        text.clone().into_bytes()
    } else if let Some(base64) = &source.inline_bytes {
        match STANDARD.decode(base64) {
            Ok(bytes) => bytes,
            Err(error) => return malformed(&error),
        }
    } else if let Some(file) = &source.filename {
        return vec![Err(CertificateError::InFile(file.clone()))];
    } else {
        return Vec::new();
    };
    let certificates: Vec<_> = x509_parser::pem::Pem::iter_from_buffer(&pem)
        .map(|pem| match pem {
            Ok(pem) => Certificate::read(&pem.contents),
            Err(error) => Err(CertificateError::Malformed(error.to_string())),
        })
        .collect();
    if certificates.is_empty() {
        malformed(&"there is no PEM block")
    } else {
        certificates
    }
}
