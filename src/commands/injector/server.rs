//! An HTTPS server that answers the API server's reviews.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use mesh_inject::{Problem, Severity, Verdict, environment_of, review};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::metrics::Metrics;
use crate::commands::inject::settings::Loaded;

/// The largest body that is read: what the API server takes for a request, and the envelope around it.
const LARGEST: usize = (3 << 20) + (1 << 16);

/// Time to agree on TLS.
const TLS_TIME: Duration = Duration::from_secs(10);

/// Time between two requests, and to send the head of one. API servers drop idle connections after 90 seconds; they
/// must be the ones to do it, or reviews fail that they are just sending.
const IDLE_TIME: Duration = Duration::from_mins(2);

/// Time to send the body of a request; API servers wait for an answer for 30 seconds at most.
const BODY_TIME: Duration = Duration::from_secs(30);

/// Time that requests get to end when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(20);

/// Pause after a connection could not be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections at a time; more wait.
const CONNECTIONS: usize = 1024;

/// What the server needs to answer.
#[derive(Debug)]
pub(super) struct State {
    settings: RwLock<Arc<Loaded>>,
    pub(super) metrics: Metrics,
    pub(super) certificate: Arc<Certificate>,
    is_stopping: AtomicBool,
    events: mpsc::Sender<Event>,
}

/// Something to tell who runs the server.
#[derive(Debug)]
pub(super) enum Event {
    /// That happens all the time.
    Detail(String),
    /// That happens now and then.
    Note(String),
    /// That should not happen.
    Warning(String),
}

impl State {
    pub(super) fn new(loaded: Loaded, certificate: Arc<Certificate>, events: mpsc::Sender<Event>) -> Self {
        Self {
            settings: RwLock::new(Arc::new(loaded)),
            metrics: Metrics::default(),
            certificate,
            is_stopping: AtomicBool::new(false),
            events,
        }
    }

    fn settings(&self) -> Arc<Loaded> {
        Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes new settings. Returns whether they differ.
    pub(super) fn take(&self, loaded: Loaded) -> bool {
        let differs = *self.settings() != loaded;
        if differs {
            *self.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
        }
        differs
    }

    /// Tells who runs the server, unless they are behind with reading: answers are more important.
    pub(super) fn tell(&self, event: Event) {
        let _ = self.events.try_send(event);
    }
}

/// Serves until `stop` says so, then ends what is under way.
pub(super) async fn run(
    listener: TcpListener,
    tls: TlsAcceptor,
    state: Arc<State>,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut stop) => break,
            accepted = accept(&listener, &places) => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((stream, place)) => {
                let (tls, state, stop) = (tls.clone(), Arc::clone(&state), stop.clone());
                connections.spawn(async move {
                    connection(stream, tls, state, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                state.tell(Event::Warning(format!("cannot accept a connection: {error}")));
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    state.is_stopping.store(true, Ordering::Relaxed);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
        state.tell(Event::Warning("some requests did not end in time".to_owned()));
    }
}

/// Waits until the server is to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The sender goes only after the server.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

async fn connection(stream: TcpStream, tls: TlsAcceptor, state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let stream = match tokio::time::timeout(TLS_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            // An API server that does not trust the certificate says so here.
            return state.tell(Event::Warning(format!("no secure connection: {error}")));
        }
        Err(_) => return state.tell(Event::Detail("a connection says nothing".to_owned())),
    };
    let service = service_fn(|request| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(answer(&state, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIME)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        state.tell(Event::Detail(format!("a connection broke: {error}")));
    }
}

/// The answer to any request.
async fn answer(state: &State, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let (route, response) = match (&*path, request.method()) {
        ("/healthz", &Method::GET | &Method::HEAD) => ("/healthz", plain("ok\n")),
        ("/readyz", &Method::GET | &Method::HEAD) => {
            let response = if state.is_stopping.load(Ordering::Relaxed) {
                status(StatusCode::SERVICE_UNAVAILABLE, "the injector is stopping")
            } else {
                plain("ok\n")
            };
            ("/readyz", response)
        }
        ("/metrics", &Method::GET | &Method::HEAD) => {
            ("/metrics", plain(state.metrics.text(state.certificate.expires())))
        }
        ("/healthz" | "/readyz" | "/metrics", _) => (
            "other",
            status(StatusCode::METHOD_NOT_ALLOWED, "only GET works here"),
        ),
        _ => match environment_of(&path) {
            None => (
                "other",
                status(
                    StatusCode::NOT_FOUND,
                    "there are /inject, /healthz, /readyz and /metrics",
                ),
            ),
            Some(_) if request.method() != Method::POST => (
                "/inject",
                status(StatusCode::METHOD_NOT_ALLOWED, "only POST works here"),
            ),
            Some(environment) => ("/inject", reviewed(state, request, environment).await),
        },
    };
    state.metrics.request(route, response.status().as_u16());
    response
}

/// The answer to a review.
async fn reviewed(
    state: &State,
    request: Request<Incoming>,
    environment: mesh_core::Labels,
) -> Response<Full<Bytes>> {
    let content = request.headers().get(header::CONTENT_TYPE);
    let content = content
        .and_then(|content| content.to_str().ok())
        .unwrap_or_default();
    if content.split(';').next().map(str::trim) != Some("application/json") {
        return refused(
            state,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body is not application/json",
        );
    }
    let body = Limited::new(request.into_body(), LARGEST).collect();
    let body = match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return refused(
                state,
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!("the body is larger than {LARGEST} bytes"),
            );
        }
        Ok(Err(error)) => {
            return refused(
                state,
                StatusCode::BAD_REQUEST,
                &format!("the body breaks off: {error}"),
            );
        }
        Err(_) => return refused(state, StatusCode::REQUEST_TIMEOUT, "the body does not end"),
    };
    let started = Instant::now();
    let loaded = state.settings();
    let told;
    let settings = if environment.is_empty() {
        &loaded.settings
    } else {
        told = loaded.settings.told(environment);
        &told
    };
    match review(settings, &loaded.namespaces, &body) {
        Ok(reviewed) => {
            state.metrics.review(&reviewed.verdict, started.elapsed());
            state.tell(event(&reviewed.subject, &reviewed.verdict));
            json_response(StatusCode::OK, reviewed.body)
        }
        Err(error) => refused(state, StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn event(subject: &str, verdict: &Verdict) -> Event {
    match verdict {
        Verdict::Injected => Event::Detail(format!("{subject}: injected")),
        Verdict::Skipped(skip) => Event::Detail(format!("{subject}: skipped: {skip}")),
        Verdict::Other => Event::Detail(format!("{subject}: it is no new pod")),
        Verdict::Refused(problems) => {
            let errors = problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error);
            let errors: Vec<_> = errors
                .map(|Problem { path, message, .. }| format!("{path}: {message}"))
                .collect();
            Event::Warning(format!("{subject} cannot be injected: {}", errors.join("; ")))
        }
    }
}

fn refused(state: &State, code: StatusCode, message: &str) -> Response<Full<Bytes>> {
    state.tell(Event::Warning(format!("a request is refused: {message}")));
    status(code, message)
}

fn plain(text: impl Into<Bytes>) -> Response<Full<Bytes>> {
    response(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text.into(),
    )
}

/// A `Status` of Kubernetes.
fn status(code: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let status = json!({
        "apiVersion": "v1",
        "kind": "Status",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": code.canonical_reason().unwrap_or_default().replace(' ', ""),
        "code": code.as_u16(),
    });
    json_response(code, status.to_string().into_bytes())
}

fn json_response(code: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    response(code, "application/json", body.into())
}

fn response(code: StatusCode, content: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content));
    response
}
