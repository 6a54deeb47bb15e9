//! The server's certificate, which is read again when its files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::crypto::ring::{self, sign};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};

use crate::error::CommandError;

/// A certificate and its key in two PEM files.
#[derive(Debug)]
pub(super) struct Certificate {
    files: [PathBuf; 2],
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    /// The bytes of the files. Names, times and links change also when the content does not, and links can change the
    /// content without a trace.
    content: [Vec<u8>; 2],
    key: Arc<CertifiedKey>,
}

impl Certificate {
    /// Reads the files.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, CommandError> {
        let files = [certificate.to_owned(), key.to_owned()];
        let content = content(&files)?;
        let key = certified(&files, &content)?;
        Ok(Self {
            files,
            current: RwLock::new(Current { content, key }),
        })
    }

    /// Reads the files again. Returns whether there is a new certificate; if it cannot be used, the old one stays.
    pub(super) fn refresh(&self) -> Result<bool, CommandError> {
        let content = content(&self.files)?;
        let is_same = {
            let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
            current.content == content
        };
        if is_same {
            return Ok(false);
        }
        let key = certified(&self.files, &content)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Current { content, key };
        Ok(true)
    }

    fn current(&self) -> Arc<CertifiedKey> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&current.key)
    }

    /// When it expires, in seconds since 1970; `None` if it does not say.
    pub(super) fn expires(&self) -> Option<i64> {
        let key = self.current();
        let (_, certificate) = x509_parser::parse_x509_certificate(key.cert.first()?).ok()?;
        Some(certificate.validity().not_after.timestamp())
    }

    /// How a server with it speaks TLS.
    pub(super) fn server(self: Arc<Self>) -> Result<ServerConfig, CommandError> {
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| CommandError::user(format!("cannot speak TLS: {error}")))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(self);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

fn content(files: &[PathBuf; 2]) -> Result<[Vec<u8>; 2], CommandError> {
    let read = |path: &PathBuf| {
        fs_err::read(path)
            .map_err(|error| CommandError::user(format!("cannot read the certificate: {error}")))
    };
    Ok([read(&files[0])?, read(&files[1])?])
}

fn certified(files: &[PathBuf; 2], content: &[Vec<u8>; 2]) -> Result<Arc<CertifiedKey>, CommandError> {
    let wrong = |file: usize, what: &dyn std::fmt::Display| {
        CommandError::user(format!("`{}` {what}", files[file].display()))
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content[0]).collect();
    let chain = chain.map_err(|error| wrong(0, &format_args!("is not PEM: {error}")))?;
    if chain.is_empty() {
        return Err(wrong(0, &"has no certificate in PEM"));
    }
    let key = PrivateKeyDer::from_pem_slice(&content[1])
        .map_err(|error| wrong(1, &format_args!("has no private key in PEM: {error}")))?;
    let key = sign::any_supported_type(&key)
        .map_err(|error| wrong(1, &format_args!("has a private key that cannot be used: {error}")))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(Arc::new(certified)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(wrong(
            1,
            &format_args!("is not the key of the certificate in `{}`", files[0].display()),
        )),
        Err(error) => Err(wrong(
            0,
            &format_args!("has no certificate that can be used: {error}"),
        )),
    }
}
