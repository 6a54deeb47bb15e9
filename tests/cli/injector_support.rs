//! A running injector, certificates, and a cluster that calls it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

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

/// `meshctl injector serve`, which ends with this.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    lines: Receiver<String>,
}

impl Server {
    /// Starts it in a folder with `tls.crt` and `tls.key`.
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
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
        let mut child = project
            .command(fixed.iter().chain(args).copied())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self {
            child,
            port: 0,
            lines,
        };
        let line = server.wait_for("listening on https://127.0.0.1:");
        let port = line.rsplit(':').next().and_then(|port| port.parse().ok());
        server.port = port.expect("a port");
        server
    }

    /// The next line with this text.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        let mut seen = String::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|error| panic!("no line with `{text}` ({error}):\n{seen}"));
            if line.contains(text) {
                return line;
            }
            seen += &(line + "\n");
        }
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn stop(mut self) -> ExitStatus {
        let kill = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(kill.expect("kill runs").success());
        self.child.wait().expect("it ends")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
