//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{CREDENTIAL_NAMES_OR_CERTIFICATES, CREDENTIAL_NAME_OR_CERTIFICATES, CREDENTIAL_NAME_OR_NAMES};
use mesh_macros::{Enum, Message};

/// DOC(Gateway)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Gateway {
    /// DOC(Gateway.selector)
    pub selector: BTreeMap<String, String>,
    /// DOC(Gateway.servers)
    pub servers: Vec<Server>,
}

/// DOC(Gateway.servers[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Server {
    /// DOC(Gateway.servers[].bind)
    pub bind: String,
    /// DOC(Gateway.servers[].defaultEndpoint)
    pub default_endpoint: String,
    /// DOC(Gateway.servers[].hosts)
    #[field(required)]
    pub hosts: Vec<String>,
    /// DOC(Gateway.servers[].name)
    pub name: String,
    /// DOC(Gateway.servers[].port)
    #[field(required)]
    pub port: Option<Port>,
    /// DOC(Gateway.servers[].tls)
    pub tls: Option<ServerTlsSettings>,
}

/// DOC(Gateway.servers[].port)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Port {
    /// DOC(Gateway.servers[].port.name)
    #[field(required)]
    pub name: String,
    /// DOC(Gateway.servers[].port.number)
    #[field(required)]
    pub number: u32,
    /// DOC(Gateway.servers[].port.protocol)
    #[field(required)]
    pub protocol: String,
    /// DOC(Gateway.servers[].port.targetPort)
    pub target_port: u32,
}

/// DOC(Gateway.servers[].tls)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(CREDENTIAL_NAMES_OR_CERTIFICATES, CREDENTIAL_NAME_OR_NAMES, CREDENTIAL_NAME_OR_CERTIFICATES))]
pub struct ServerTlsSettings {
    /// DOC(Gateway.servers[].tls.caCertCredentialName)
    pub ca_cert_credential_name: String,
    /// DOC(Gateway.servers[].tls.caCertificates)
    pub ca_certificates: String,
    /// DOC(Gateway.servers[].tls.caCrl)
    pub ca_crl: String,
    /// DOC(Gateway.servers[].tls.cipherSuites)
    pub cipher_suites: Vec<String>,
    /// DOC(Gateway.servers[].tls.credentialName)
    pub credential_name: String,
    /// DOC(Gateway.servers[].tls.credentialNames)
    #[field(min_items = 1, max_items = 2)]
    pub credential_names: Vec<String>,
    /// DOC(Gateway.servers[].tls.ecdhCurves)
    pub ecdh_curves: Vec<String>,
    /// DOC(Gateway.servers[].tls.httpsRedirect)
    pub https_redirect: bool,
    /// DOC(Gateway.servers[].tls.insecureSkipVerify)
    #[field(nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// DOC(Gateway.servers[].tls.maxProtocolVersion)
    pub max_protocol_version: TlsProtocol,
    /// DOC(Gateway.servers[].tls.minProtocolVersion)
    pub min_protocol_version: TlsProtocol,
    /// DOC(Gateway.servers[].tls.mode)
    pub mode: ServerTlsMode,
    /// DOC(Gateway.servers[].tls.privateKey)
    pub private_key: String,
    /// DOC(Gateway.servers[].tls.serverCertificate)
    pub server_certificate: String,
    /// DOC(Gateway.servers[].tls.subjectAltNames)
    pub subject_alt_names: Vec<String>,
    /// DOC(Gateway.servers[].tls.tlsCertificates)
    #[field(min_items = 1, max_items = 2)]
    pub tls_certificates: Vec<TlsCertificate>,
    /// DOC(Gateway.servers[].tls.verifyCertificateHash)
    pub verify_certificate_hash: Vec<String>,
    /// DOC(Gateway.servers[].tls.verifyCertificateSpki)
    pub verify_certificate_spki: Vec<String>,
}

/// DOC(Gateway.servers[].tls.tlsCertificates[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsCertificate {
    /// DOC(Gateway.servers[].tls.tlsCertificates[].caCertificates)
    pub ca_certificates: String,
    /// DOC(Gateway.servers[].tls.tlsCertificates[].privateKey)
    pub private_key: String,
    /// DOC(Gateway.servers[].tls.tlsCertificates[].serverCertificate)
    pub server_certificate: String,
}

/// DOC(enum Gateway.servers[].tls.maxProtocolVersion)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TlsProtocol {
    /// DOC(TLS_AUTO)
    #[value("TLS_AUTO")]
    #[default]
    Auto,
    /// DOC(TLSV1_0)
    #[value("TLSV1_0")]
    TlsV10,
    /// DOC(TLSV1_1)
    #[value("TLSV1_1")]
    TlsV11,
    /// DOC(TLSV1_2)
    #[value("TLSV1_2")]
    TlsV12,
    /// DOC(TLSV1_3)
    #[value("TLSV1_3")]
    TlsV13,
}

/// DOC(enum Gateway.servers[].tls.mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ServerTlsMode {
    /// DOC(PASSTHROUGH)
    #[default]
    Passthrough,
    /// DOC(SIMPLE)
    Simple,
    /// DOC(MUTUAL)
    Mutual,
    /// DOC(AUTO_PASSTHROUGH)
    AutoPassthrough,
    /// DOC(ISTIO_MUTUAL)
    IstioMutual,
    /// DOC(OPTIONAL_MUTUAL)
    OptionalMutual,
}
