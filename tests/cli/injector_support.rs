//! A running injector, certificates, and a cluster that calls it.

use std::sync::{Arc, OnceLock};

use kube::Client;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use test_cluster::TestCluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::harness::Project;
use crate::service::Service;

/// A cluster for tests with webhooks, which other tests would notice.
pub(crate) fn cluster() -> &'static TestCluster {
    static CLUSTER: OnceLock<TestCluster> = OnceLock::new();
    CLUSTER.get_or_init(|| TestCluster::start().expect("a cluster"))
}

/// Sends an object as `kubectl create --validate=strict` does.
pub(crate) async fn create(client: &Client, path: &str, object: &Value) -> Result<Value, String> {
    let separator = if path.contains('?') { '&' } else { '?' };
    let request = http::Request::post(format!("{path}{separator}fieldValidation=Strict"))
        .header("content-type", "application/json")
        .body(serde_json::to_vec(object).expect("JSON"))
        .expect("a request");
    client.request(request).await.map_err(|error| error.to_string())
}

/// An authority that signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    /// Its certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for some names, and its key.
    pub(crate) fn sign(&self, names: &[&str]) -> (String, String) {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(names).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    fn client(&self) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        let pem = self.pem();
        let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
        roots.add(certificate).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// Sends bytes to a server on this machine, and returns the status and body of its answer.
    pub(crate) async fn exchange(&self, port: u16, request: &[u8]) -> Result<(u16, String), String> {
        let stream = TcpStream::connect(("127.0.0.1", port))
            .await
            .map_err(|error| error.to_string())?;
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let mut stream = self
            .client()
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        // A server that has heard enough may not read the rest.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).expect("UTF-8");
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer")?;
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .ok_or("no status")?;
        Ok((status, body.to_owned()))
    }

    pub(crate) async fn get(&self, port: u16, path: &str) -> Result<(u16, String), String> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        self.exchange(port, request.as_bytes()).await
    }

    pub(crate) async fn post(&self, port: u16, path: &str, body: &[u8]) -> Result<(u16, String), String> {
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.exchange(port, &request).await
    }
}

/// `meshctl injector serve` in a folder with `tls.crt` and `tls.key`.
pub(crate) fn serve(project: &Project, args: &[&str]) -> Service {
    let fixed = [
        "--verbose",
        "injector",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--tls-cert",
        "tls.crt",
        "--tls-key",
        "tls.key",
        "--refresh",
        "100ms",
    ];
    Service::start(project, fixed.iter().chain(args).copied())
}

/// A project with a certificate for 127.0.0.1 and other names.
pub(crate) fn project(authority: &Authority, names: &[&str]) -> Project {
    let names: Vec<_> = ["127.0.0.1"].iter().chain(names).copied().collect();
    let (certificate, key) = authority.sign(&names);
    Project::new().file("tls.crt", certificate).file("tls.key", key)
}

/// A webhook as Istio registers it for a revision, by a URL.
pub(crate) fn by_url(port: u16, path: &str, authority: &Authority) -> Value {
    json!({"url": format!("https://127.0.0.1:{port}{path}"), "caBundle": base64(&authority.pem())})
}

pub(crate) fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A `MutatingWebhookConfiguration` for a revision. Namespaces ask for it by `istio.io/rev: label`.
pub(crate) fn configuration(name: &str, labels: &Value, label: &str, client_config: &Value) -> Value {
    let rules = json!([{
        "operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
    }]);
    let among = |key: &str, value: &str| json!({"key": key, "operator": "In", "values": [value]});
    let absent = |key: &str| json!({"key": key, "operator": "DoesNotExist"});
    let willing = json!({"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]});
    let webhook = |name: &str, namespace: Value, object: Value| {
        json!({
            "name": format!("{name}.sidecar-injector.istio.io"), "clientConfig": client_config, "rules": rules,
            "namespaceSelector": {"matchExpressions": namespace}, "objectSelector": {"matchExpressions": object},
            "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
        })
    };
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name, "labels": labels},
        "webhooks": [
            webhook(
                "rev.namespace",
                json!([among("istio.io/rev", label), absent("istio-injection")]),
                json!([willing]),
            ),
            webhook(
                "rev.object",
                json!([absent("istio.io/rev"), absent("istio-injection")]),
                json!([willing, among("istio.io/rev", label)]),
            ),
        ],
    })
}

/// Registers webhooks, and waits until they are called: a namespace that asks for them is made.
pub(crate) async fn register(client: &Client, configuration: &Value) {
    let path = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    create(client, path, configuration).await.expect("webhooks");
}
