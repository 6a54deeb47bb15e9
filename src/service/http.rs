//! A server that answers requests, and ends when it is asked to.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::Event;

/// Time to agree on TLS.
const TLS_TIME: Duration = Duration::from_secs(10);

/// Time between two requests, and to send the head of one. API servers drop idle connections after 90 seconds; they
/// must be the ones to do it, or reviews fail that they are just sending.
const IDLE_TIME: Duration = Duration::from_mins(2);

/// Time that requests get to end when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(20);

/// Pause after a connection could not be accepted, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Connections at a time; more wait.
const CONNECTIONS: usize = 1024;

/// What a server answers with.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Where those are told who run the server.
pub(crate) type Events = mpsc::Sender<Event>;

/// Tells who runs the server, unless they are behind with reading: answers are more important.
pub(crate) fn tell(events: &Events, event: Event) {
    let _ = events.try_send(event);
}

/// Serves until `stop` says so, then ends what is under way. Without TLS it is plain HTTP.
pub(crate) async fn run<F>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    events: Events,
    mut stop: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
) where
    F: Future<Output = Answer> + Send,
{
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
                let (tls, events) = (tls.clone(), events.clone());
                let (stop, answer) = (stop.clone(), answer.clone());
                connections.spawn(async move {
                    match tls {
                        None => connection(stream, &events, stop, answer).await,
                        Some(tls) => secure(stream, &tls, &events, stop, answer).await,
                    }
                    drop(place);
                });
            }
            Err(error) => {
                tell(
                    &events,
                    Event::Warning(format!("cannot accept a connection: {error}")),
                );
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME, all).await.is_err() {
        tell(
            &events,
            Event::Warning("some requests did not end in time".to_owned()),
        );
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

async fn secure<F>(
    stream: TcpStream,
    tls: &TlsAcceptor,
    events: &Events,
    stop: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    F: Future<Output = Answer>,
{
    match tokio::time::timeout(TLS_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, events, stop, answer).await,
        Ok(Err(error)) => {
            // An API server that does not trust the certificate says so here.
            tell(events, Event::Warning(format!("no secure connection: {error}")));
        }
        Err(_) => tell(events, Event::Detail("a connection says nothing".to_owned())),
    }
}

async fn connection<F>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    events: &Events,
    mut stop: watch::Receiver<bool>,
    answer: impl Fn(Request<Incoming>) -> F,
) where
    F: Future<Output = Answer>,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
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
        tell(events, Event::Detail(format!("a connection broke: {error}")));
    }
}

/// Text, of which metrics are one form.
pub(crate) fn plain(text: impl Into<Bytes>) -> Answer {
    response(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        text.into(),
    )
}

/// A `Status` of Kubernetes.
pub(crate) fn status(code: StatusCode, message: &str) -> Answer {
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

/// JSON.
pub(crate) fn json_response(code: StatusCode, body: Vec<u8>) -> Answer {
    response(code, "application/json", body.into())
}

fn response(code: StatusCode, content: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = code;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content));
    response
}
