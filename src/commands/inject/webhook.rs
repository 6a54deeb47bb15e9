//! Asking the mesh's own injector: the webhook that the API server calls when pods are made.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use mesh_core::cluster::{ByteStream, Cluster, ClusterError, ErrorKind, PodPort, Target, TargetKind};
use mesh_core::k8s_openapi::api::admissionregistration::v1::{ServiceReference, WebhookClientConfig};
use mesh_core::k8s_openapi::api::core::v1::{Pod, Service};
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mesh_inject::{Answer, AskError, Hook, Question};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::settings::hooks;
use crate::error::CommandError;

/// The largest answer that is read; the API server takes no larger requests either.
const LARGEST: usize = 3 << 20;

/// The port of a Service that a webhook names none of.
pub(crate) const DEFAULT_PORT: u16 = 443;

/// An injector, and how it is reached.
pub(crate) struct Injector {
    /// The webhook, as errors name it.
    name: String,
    way: Way,
    /// The name that its certificate must be for.
    host: String,
    /// Path and query of its URL.
    path: String,
    tls: Arc<ClientConfig>,
}

enum Way {
    /// By its address.
    Direct { host: String, port: u16 },
    /// Through the API server, to a pod of its Service.
    Pod(PodPort),
}

impl Injector {
    /// Finds the injector of a revision or tag.
    pub(crate) async fn find(cluster: &Cluster, revision: &str) -> Result<Self, CommandError> {
        let hooks = hooks(cluster).await?;
        let Some(hook) = hooks.for_revision(revision) else {
            let known = hooks.revisions();
            let error = CommandError::user(format!(
                "the cluster `{}` has no injection webhook of the revision `{revision}`",
                cluster.name()
            ));
            return Err(if known.is_empty() {
                error.hinted("it has none at all: is Istio installed in it?")
            } else {
                error.hinted(format!("choose with `--revision`: {}", known.join(", ")))
            });
        };
        Self::of(cluster, hook).await
    }

    async fn of(cluster: &Cluster, hook: &Hook) -> Result<Self, CommandError> {
        let WebhookClientConfig {
            ca_bundle,
            service,
            url,
        } = &hook.webhook.client_config;
        let name = format!("the webhook `{}` of `{}`", hook.webhook.name, hook.configuration);
        let tls = trusting(ca_bundle.as_ref().map_or(&[], |bundle| &bundle.0))
            .map_err(|error| CommandError::user(format!("{name} {}", error.0)).hinted(error.1))?;
        let tls = Arc::new(tls);
        match (url, service) {
            (Some(url), _) => {
                let broken = || CommandError::user(format!("{name} has no `https` URL: `{url}`"));
                let uri: http::Uri = url.parse().map_err(|_| broken())?;
                let host = uri
                    .host()
                    .filter(|_| uri.scheme_str() == Some("https"))
                    .ok_or_else(broken)?;
                let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
                let port = uri.port_u16().unwrap_or(DEFAULT_PORT);
                Ok(Self {
                    name,
                    way: Way::Direct {
                        host: host.clone(),
                        port,
                    },
                    host,
                    path,
                    tls,
                })
            }
            (None, Some(service)) => {
                let pod = pod_of(cluster, service).await.map_err(|error| {
                    let mut error = CommandError::from(error);
                    error.message = format!("cannot reach {name}: {}", error.message);
                    error
                })?;
                Ok(Self {
                    name,
                    way: Way::Pod(pod),
                    host: format!("{}.{}.svc", service.name, service.namespace),
                    path: service.path.clone().unwrap_or_else(|| "/".to_owned()),
                    tls,
                })
            }
            (None, None) => Err(CommandError::user(format!(
                "{name} says nothing about where it is reached"
            ))),
        }
    }

    /// Asks all questions, one after the other, over as few connections as the injector allows. `asked` is told
    /// after each of them.
    pub(crate) async fn ask(
        &self,
        cluster: &Cluster,
        questions: &[Question],
        mut asked: impl FnMut(usize),
    ) -> Result<Vec<Result<Answer, AskError>>, CommandError> {
        let mut answers = Vec::with_capacity(questions.len());
        while answers.len() < questions.len() {
            let before = answers.len();
            let mut talk = async |stream: Box<dyn ByteStream>| {
                self.talk(
                    stream,
                    cluster.request_timeout(),
                    questions,
                    &mut answers,
                    &mut asked,
                )
                .await
            };
            let result = match &self.way {
                Way::Direct { host, port } => {
                    match self.connect(host, *port, cluster.request_timeout()).await {
                        Ok(stream) => talk(Box::new(stream)).await,
                        Err(error) => Err(error),
                    }
                }
                Way::Pod(at) => cluster.talk_to_pod(at, talk).await,
            };
            // An injector may close the connection between two answers.
            if let Err(error) = result
                && (answers.len() == before || error.kind != ErrorKind::Malformed)
            {
                let mut error = CommandError::from(error);
                error.message = format!("cannot ask {}: {}", self.name, error.message);
                return Err(error);
            }
        }
        Ok(answers)
    }

    async fn connect(&self, host: &str, port: u16, limit: Duration) -> Result<TcpStream, ClusterError> {
        let connected = tokio::time::timeout(limit, TcpStream::connect((host, port))).await;
        let reason = match connected {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no connection within {} s", limit.as_secs_f64()),
        };
        Err(ClusterError {
            kind: ErrorKind::Unreachable,
            message: format!("{host}:{port} cannot be reached: {reason}"),
            hint: Some("its URL is made for the API server, and may not be reachable from here".to_owned()),
        })
    }

    /// Asks what is not answered yet over one connection.
    async fn talk(
        &self,
        stream: Box<dyn ByteStream>,
        limit: Duration,
        questions: &[Question],
        answers: &mut Vec<Result<Answer, AskError>>,
        asked: &mut impl FnMut(usize),
    ) -> Result<(), ClusterError> {
        let broken = |error: &dyn std::fmt::Display| {
            failed(ErrorKind::Malformed, format!("the connection broke: {error}"))
        };
        let late = |_| {
            failed(
                ErrorKind::Timeout,
                format!("no answer within {} s", limit.as_secs_f64()),
            )
        };
        let name = ServerName::try_from(self.host.clone()).map_err(|_| {
            failed(
                ErrorKind::Configuration,
                format!("`{}` cannot be a host", self.host),
            )
        })?;
        let secure = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        let stream = tokio::time::timeout(limit, secure)
            .await
            .map_err(late)?
            .map_err(|error| self.insecure(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| broken(&error))?;
        let talk = async {
            while let Some(question) = questions.get(answers.len()) {
                let exchange = self.exchange(&mut sender, question);
                let body = tokio::time::timeout(limit, exchange).await.map_err(late)??;
                answers.push(question.answer(&body));
                asked(answers.len());
            }
            Ok(())
        };
        let mut connection = std::pin::pin!(futures::FutureExt::fuse(connection));
        let mut talk = std::pin::pin!(talk);
        loop {
            tokio::select! {
                result = &mut talk => return result,
                // Its end shows in the request.
                _ = &mut connection, if !futures::future::FusedFuture::is_terminated(&*connection) => {}
            }
        }
    }

    async fn exchange(
        &self,
        sender: &mut SendRequest<Full<Bytes>>,
        question: &Question,
    ) -> Result<Bytes, ClusterError> {
        let broken = |error: &dyn std::fmt::Display| {
            failed(ErrorKind::Malformed, format!("the connection broke: {error}"))
        };
        sender.ready().await.map_err(|error| broken(&error))?;
        let request = Request::post(&self.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::copy_from_slice(question.body())))
            .map_err(|error| {
                failed(
                    ErrorKind::Configuration,
                    format!("`{}` is no path: {error}", self.path),
                )
            })?;
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST)
            .collect()
            .await
            .map_err(|error| {
                if error.is::<LengthLimitError>() {
                    failed(
                        ErrorKind::Refused,
                        format!("its answer is larger than {} MiB", LARGEST >> 20),
                    )
                } else {
                    broken(&error)
                }
            })?;
        let body = body.to_bytes();
        if status != StatusCode::OK {
            let said: String = String::from_utf8_lossy(&body).chars().take(300).collect();
            return Err(failed(
                ErrorKind::Refused,
                format!("it answers {status}: {}", said.trim()),
            ));
        }
        Ok(body)
    }

    /// Why there is no secure connection.
    fn insecure(&self, error: &std::io::Error) -> ClusterError {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let reason = match tls {
            Some(rustls::Error::InvalidCertificate(error)) => match error {
                CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                    "it is not signed by an authority of the webhook's `caBundle`".to_owned()
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("it is not for the name `{}`", self.host)
                }
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    "it has expired".to_owned()
                }
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    "it is not valid yet".to_owned()
                }
                other => other.to_string(),
            },
            // It may be that the port of the pod could not be reached.
            _ => {
                return failed(
                    ErrorKind::Malformed,
                    format!("there is no secure connection: {error}"),
                );
            }
        };
        ClusterError {
            kind: ErrorKind::Certificate,
            message: format!("its certificate is not trusted: {reason}"),
            hint: Some("the API server does not trust it either, so that no pod is injected; istiod keeps `caBundle` up to date".to_owned()),
        }
    }
}

fn failed(kind: ErrorKind, message: String) -> ClusterError {
    ClusterError {
        kind,
        message,
        hint: None,
    }
}

/// What is wrong with a CA bundle, a fragment that follows the webhook's name, and what to do about it.
pub(crate) struct BadBundle(pub(crate) &'static str, pub(crate) &'static str);

/// The authorities of a webhook's CA bundle.
pub(crate) fn authorities(bundle: &[u8]) -> Result<RootCertStore, BadBundle> {
    if bundle.is_empty() {
        return Err(BadBundle(
            "has no `caBundle`",
            "istiod fills it in once it runs: look whether it does, and at its log",
        ));
    }
    let broken = || {
        BadBundle(
            "has a `caBundle` that is no certificate",
            "take it out, and istiod fills it in again",
        )
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(bundle) {
        let certificate = certificate.map_err(|_| broken())?;
        roots.add(certificate).map_err(|_| broken())?;
    }
    if roots.is_empty() {
        Err(broken())
    } else {
        Ok(roots)
    }
}

/// A client that trusts the authorities of a webhook's CA bundle.
fn trusting(bundle: &[u8]) -> Result<ClientConfig, BadBundle> {
    let roots = authorities(bundle)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| BadBundle("cannot be asked: there is no common version of TLS", ""))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// A port of a pod of the Service, the pod being ready if one is.
async fn pod_of(cluster: &Cluster, service: &ServiceReference) -> Result<PodPort, ClusterError> {
    let ServiceReference {
        name,
        namespace,
        port,
        ..
    } = service;
    let port = port
        .and_then(|port| u16::try_from(port).ok())
        .unwrap_or(DEFAULT_PORT);
    let path = format!("/api/v1/namespaces/{namespace}/services/{name}");
    let object: Service = serde_json::from_slice(&cluster.get(&path).await?).map_err(|error| {
        failed(
            ErrorKind::Malformed,
            format!("the Service `{name}` cannot be read: {error}"),
        )
    })?;
    let ports = object.spec.and_then(|spec| spec.ports).unwrap_or_default();
    let Some(found) = ports.into_iter().find(|one| one.port == i32::from(port)) else {
        return Err(failed(
            ErrorKind::NotFound,
            format!("the Service `{namespace}/{name}` has no port {port}"),
        ));
    };
    let target = Target {
        kind: TargetKind::Service,
        name: name.clone(),
    };
    let pods = cluster.find_pods(&target, namespace).await?;
    let Some(pod) = pods.first() else {
        return Err(failed(
            ErrorKind::NotFound,
            format!("the Service `{namespace}/{name}` has no pods"),
        ));
    };
    let number = match found.target_port {
        None => Some(port),
        Some(IntOrString::Int(number)) => u16::try_from(number).ok(),
        Some(IntOrString::String(name)) => container_port(pod, &name),
    };
    let Some(number) = number else {
        return Err(failed(
            ErrorKind::NotFound,
            format!("no port of its pods is the one that the Service `{namespace}/{name}` names"),
        ));
    };
    Ok(PodPort {
        namespace: namespace.clone(),
        pod: pod.metadata.name.clone().unwrap_or_default(),
        port: number,
    })
}

fn container_port(pod: &Pod, name: &str) -> Option<u16> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(name))?;
    u16::try_from(port.container_port).ok()
}
