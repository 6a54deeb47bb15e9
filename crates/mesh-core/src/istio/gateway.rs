//! `Gateway`: the ports and hosts of a proxy at the edge of the mesh.

use std::collections::BTreeMap;

use crate::schema::cel::{
    CREDENTIAL_NAME_OR_CERTIFICATES, CREDENTIAL_NAME_OR_NAMES, CREDENTIAL_NAMES_OR_CERTIFICATES,
};
use mesh_macros::{Enum, Message};

/// Opens ports on a proxy that stands at the edge of the mesh, for traffic that comes in or goes out.
/// Each server names a port, a protocol, the hosts it answers for, and its TLS settings. A gateway
/// routes nothing by itself: a `VirtualService` that lists it under `gateways` sends its traffic on.
/// Several gateways can share one proxy, and their servers are merged.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: Gateway
/// metadata:
///   name: shop-edge
/// spec:
///   selector: { istio: ingressgateway }
///   servers:
///   - port: { number: 443, name: https, protocol: HTTPS }
///     hosts: [shop.example.com]
///     tls: { mode: SIMPLE, credentialName: shop-cert }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Gateway {
    /// Labels of the proxy pods that serve this gateway. Pods of every namespace are searched unless
    /// istiod is set to keep gateways in their namespace. An empty map selects every gateway proxy.
    pub selector: BTreeMap<String, String>,
    /// Ports to open and the hosts served on them. At least one is needed.
    pub servers: Vec<Server>,
}

/// One port of a gateway with its protocol, hosts and TLS settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Server {
    /// IP address or Unix socket to listen on. Unset is all addresses. A socket, written
    /// `unix:///path`, needs port number 0.
    pub bind: String,
    /// Local address to forward to. It is not implemented and has no effect.
    #[field(deprecated = "leave it out; it has no effect")]
    pub default_endpoint: String,
    /// Hosts that the server answers for, as `host` or `namespace/host`. The host is a DNS name,
    /// possibly with a wildcard as its first label, or `*`. The namespace limits which virtual services
    /// may bind: `*` is any, `.` is the namespace of the gateway; without one, any may.
    #[field(required)]
    pub hosts: Vec<String>,
    /// Name of the server, used in statistics. If set, it has to be unique in the gateway.
    pub name: String,
    /// Port and protocol to listen on.
    #[field(required)]
    pub port: Option<Port>,
    /// TLS settings. Required for the protocols `HTTPS` and `TLS`. On an `HTTP` port only
    /// `httpsRedirect` is of use.
    pub tls: Option<ServerTlsSettings>,
}

/// A port that a gateway listens on.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Port {
    /// Name of the port, unique in the gateway.
    #[field(required)]
    pub name: String,
    /// Port number as the gateway's service exposes it. The proxy listens on the matching target port
    /// of that service.
    #[field(required)]
    pub number: u32,
    /// Protocol of the port: `HTTP`, `HTTPS`, `HTTP2`, `GRPC`, `GRPC-WEB`, `MONGO`, `REDIS`, `MYSQL`,
    /// `TCP` or `TLS`. `HTTPS` ends TLS and routes requests; `TLS` routes connections by SNI.
    #[field(required)]
    pub protocol: String,
    /// Port on the endpoint. A gateway does not use it, and a value other than 0 is rejected.
    #[field(deprecated = "leave it out; the service of the gateway maps ports to target ports")]
    pub target_port: u32,
}

/// How a proxy ends, or passes through, TLS connections of clients. The certificate comes from exactly
/// one source: `credentialName`, `credentialNames`, `tlsCertificates`, or the files `serverCertificate`
/// and `privateKey`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(
    CREDENTIAL_NAMES_OR_CERTIFICATES,
    CREDENTIAL_NAME_OR_NAMES,
    CREDENTIAL_NAME_OR_CERTIFICATES
))]
pub struct ServerTlsSettings {
    /// Secret or config map with the CA certificates to check client certificates against. It wins over
    /// CA certificates in the secret of `credentialName`.
    pub ca_cert_credential_name: String,
    /// File with the CA certificates to check client certificates against. Needed for `MUTUAL` and
    /// `OPTIONAL_MUTUAL` when certificates come from files.
    pub ca_certificates: String,
    /// File with the revocation list for client certificates. Unset means that revocation is not
    /// checked. It goes with files, not with `credentialName`.
    pub ca_crl: String,
    /// Cipher suites to offer for TLS 1.2 and older, by their OpenSSL names. Unset takes Envoy's
    /// defaults; TLS 1.3 suites cannot be chosen.
    pub cipher_suites: Vec<String>,
    /// Secret with the server's key and certificate, in the namespace of the gateway's pods. For mutual
    /// TLS its CA certificates are in the same secret or in one with the suffix `-cacert`. Gateways
    /// only.
    pub credential_name: String,
    /// Like `credentialName`, for one or two secrets. It serves an RSA and an ECDSA certificate for the
    /// same host.
    #[field(min_items = 1, max_items = 2)]
    pub credential_names: Vec<String>,
    /// Curves for the key exchange, in order of preference. Unset takes Envoy's defaults.
    pub ecdh_curves: Vec<String>,
    /// Answers plain HTTP requests with a 301 to the `https` URL. It belongs on an `HTTP` server;
    /// elsewhere it does nothing useful. Unset is `false`.
    pub https_redirect: bool,
    /// Lets a client in even if its certificate cannot be verified. The certificate is still asked for
    /// and forwarded, so the application can check it. Only for modes that ask for a client
    /// certificate.
    #[field(nullable)]
    pub insecure_skip_verify: Option<bool>,
    /// Newest TLS version to accept. Unset is TLS 1.3.
    pub max_protocol_version: TlsProtocol,
    /// Oldest TLS version to accept. Unset is TLS 1.2. Versions below need matching `cipherSuites`.
    pub min_protocol_version: TlsProtocol,
    /// Whether TLS is ended here and whether clients need a certificate. Unset is `PASSTHROUGH`.
    pub mode: ServerTlsMode,
    /// File with the server's private key. Needs `serverCertificate`.
    pub private_key: String,
    /// File with the server's certificate chain. Needs `privateKey`.
    pub server_certificate: String,
    /// Names that a client certificate must carry one of. Unset accepts any client certificate that a
    /// CA vouches for.
    pub subject_alt_names: Vec<String>,
    /// Key and certificate files, one or two pairs. It serves an RSA and an ECDSA certificate for the
    /// same host.
    #[field(min_items = 1, max_items = 2)]
    pub tls_certificates: Vec<TlsCertificate>,
    /// SHA-256 hashes of the accepted client certificates, in hex, with or without colons. With
    /// `verifyCertificateSpki` set too, a match of either is enough.
    pub verify_certificate_hash: Vec<String>,
    /// SHA-256 hashes of the public keys of accepted client certificates, in base64.
    pub verify_certificate_spki: Vec<String>,
}

/// Files of one server certificate.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsCertificate {
    /// File with the CA certificates to check client certificates against.
    pub ca_certificates: String,
    /// File with the private key.
    pub private_key: String,
    /// File with the certificate chain.
    pub server_certificate: String,
}

/// A TLS version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TlsProtocol {
    /// The proxy chooses: 1.2 as the oldest and 1.3 as the newest version.
    #[value("TLS_AUTO")]
    #[default]
    Auto,
    /// TLS 1.0, outdated and unsafe.
    #[value("TLSV1_0")]
    TlsV10,
    /// TLS 1.1, outdated and unsafe.
    #[value("TLSV1_1")]
    TlsV11,
    /// TLS 1.2.
    #[value("TLSV1_2")]
    TlsV12,
    /// TLS 1.3.
    #[value("TLSV1_3")]
    TlsV13,
}

/// What a proxy does with TLS connections of clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ServerTlsMode {
    /// Encrypted bytes pass through to the destination that the SNI selects in a virtual service.
    #[default]
    Passthrough,
    /// TLS ends here with the server's certificate. Clients need none.
    Simple,
    /// TLS ends here, and clients must show a certificate that a given CA signed.
    Mutual,
    /// Encrypted bytes pass through, and the SNI itself names service, port and subset, so no virtual
    /// service is needed. East-west gateways between networks use it.
    AutoPassthrough,
    /// Mutual TLS with the certificates of the mesh. No other certificate settings are allowed.
    IstioMutual,
    /// Like `MUTUAL`, but a client without a certificate is let in. A certificate that is shown must be
    /// valid.
    OptionalMutual,
}
