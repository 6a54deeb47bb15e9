//! What answers the API server's reviews.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use mesh_inject::{Problem, Severity, Verdict, environment_of, review};
use tokio::sync::watch;

use super::certificate::Certificate;
use super::metrics::Metrics;
use crate::commands::inject::settings::Loaded;
use crate::service::Event;
use crate::service::http::{Answer, Events, json_response, plain, status, tell};

/// The largest body that is read: what the API server takes for a request, and the envelope around it.
const LARGEST: usize = (3 << 20) + (1 << 16);

/// Time to send the body of a request; API servers wait for an answer for 30 seconds at most.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What the server needs to answer.
#[derive(Debug)]
pub(super) struct State {
    settings: RwLock<Arc<Loaded>>,
    pub(super) metrics: Metrics,
    pub(super) certificate: Arc<Certificate>,
    stop: watch::Receiver<bool>,
    events: Events,
}

impl State {
    pub(super) fn new(
        loaded: Loaded,
        certificate: Arc<Certificate>,
        stop: watch::Receiver<bool>,
        events: Events,
    ) -> Self {
        Self {
            settings: RwLock::new(Arc::new(loaded)),
            metrics: Metrics::default(),
            certificate,
            stop,
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
        tell(&self.events, event);
    }
}

/// The answer to any request.
pub(super) async fn answer(state: &State, request: Request<Incoming>) -> Answer {
    let path = request.uri().path().to_owned();
    let (route, response) = match (&*path, request.method()) {
        ("/healthz", &Method::GET | &Method::HEAD) => ("/healthz", plain("ok\n")),
        ("/readyz", &Method::GET | &Method::HEAD) => {
            let response = if *state.stop.borrow() {
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
async fn reviewed(state: &State, request: Request<Incoming>, environment: mesh_core::Labels) -> Answer {
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

fn refused(state: &State, code: StatusCode, message: &str) -> Answer {
    state.tell(Event::Warning(format!("a request is refused: {message}")));
    status(code, message)
}
