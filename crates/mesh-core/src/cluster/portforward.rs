//! Asking a port of a pod over HTTP, through the API server.
//!
//! ```text
//! PodPort ─ forward (websocket) ─► stream ─ HTTP/1.1 ─► status ─┬─ text     the whole body
//!            ▲ error channel                                    └─ read(f)  the body as a blocking reader, streamed
//! ```
//!
//! Admin ports of proxies listen on the loopback of their pod, so that only the API server's port-forward reaches them:
//! it makes the kubelet connect from within the pod. The stream is the port-forward protocol over websockets
//! (`v4.channel.k8s.io`), which every API server speaks; the older form over SPDY, which kubectl falls back to, exists
//! in no Rust library and is not spoken here.

use std::fmt;
use std::future::Future;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::FutureExt;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::client::UpgradeConnectionError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;

use super::connect::Cluster;
use super::error::{ClusterError, ErrorKind, chain};

/// Chunks of a body that wait for their reader.
const CHUNKS: usize = 16;

/// The most of an error's body that is shown.
const SHOWN: usize = 300;

/// How long to wait for the reason after a connection broke: it comes on a channel of its own.
const REASON: Duration = Duration::from_millis(300);

/// A TCP port of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodPort {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The port's number.
    pub port: u16,
}

impl fmt::Display for PodPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { namespace, pod, port } = self;
        write!(formatter, "{namespace}/{pod}:{port}")
    }
}

/// A connection that bytes go over in both directions.
pub trait ByteStream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> ByteStream for T {}

/// The body of an answer, to be read on a thread that may block.
///
/// A body that breaks off is an error and not an end.
#[derive(Debug)]
pub struct BodyReader {
    chunks: mpsc::Receiver<Option<Bytes>>,
    current: Bytes,
    ended: bool,
}

impl Read for BodyReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.current.has_remaining() && !self.ended {
            match self.chunks.blocking_recv() {
                Some(Some(chunk)) => self.current = chunk,
                Some(None) => self.ended = true,
                None => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        "the answer was cut off",
                    ));
                }
            }
        }
        let count = self.current.remaining().min(buffer.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

impl Cluster {
    /// Sends a request without body to a port of a pod and hands the body of the answer to `read`, on a thread of its
    /// own, while it arrives. At most a few chunks are held at a time.
    ///
    /// Connecting, the request, and reading its answer may together take [`Cluster::request_timeout`].
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotFound`]: there is no such pod. [`ErrorKind::Unreachable`]: the pod does not run, nothing listens
    /// on the port, or port-forward does not get through. [`ErrorKind::Malformed`]: the answer is cut off or is no
    /// HTTP. [`ErrorKind::Refused`]: the answer has another status than 200. Otherwise see [`ErrorKind`].
    /// What `read` returns counts only if the whole body could be had, or `read` did not want all of it.
    pub async fn ask_pod<T: Send + 'static>(
        &self,
        at: &PodPort,
        method: Method,
        path: &str,
        read: impl FnOnce(BodyReader) -> T + Send + 'static,
    ) -> Result<T, ClusterError> {
        let limit = self.request_timeout();
        let arrived = Arc::<AtomicU64>::default();
        let exchange = self.exchange(at, method, path, &arrived, read);
        let result = match tokio::time::timeout(limit, exchange).await {
            Ok(result) => result,
            Err(_) => Err(late(at, limit, arrived.load(Ordering::Relaxed))),
        };
        match result {
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Unreachable | ErrorKind::Malformed | ErrorKind::Timeout
                ) =>
            {
                Err(self.why(at, error).await)
            }
            result => result,
        }
    }

    /// As [`Cluster::ask_pod`], for an answer that is small.
    ///
    /// # Errors
    ///
    /// Those of [`Cluster::ask_pod`]; an answer that is not UTF-8 is [`ErrorKind::Malformed`].
    pub async fn pod_text(&self, at: &PodPort, method: Method, path: &str) -> Result<String, ClusterError> {
        let read = |mut body: BodyReader| {
            let mut text = String::new();
            body.read_to_string(&mut text).map(|_| text)
        };
        self.ask_pod(at, method, path, read)
            .await?
            .map_err(|error| ClusterError::malformed(&format!("{path} of {at}"), &error))
    }

    async fn exchange<T: Send + 'static>(
        &self,
        at: &PodPort,
        method: Method,
        path: &str,
        arrived: &AtomicU64,
        read: impl FnOnce(BodyReader) -> T + Send + 'static,
    ) -> Result<T, ClusterError> {
        self.talk_to_pod(at, async |stream| {
            converse(at, stream, method, path, arrived, read).await
        })
        .await
    }

    /// Connects to a port of a pod and lets `talk` use the connection, without a deadline for the talk.
    ///
    /// # Errors
    ///
    /// Those of connecting, as [`Cluster::ask_pod`] has them, and of `talk`. If `talk` fails as
    /// [`ErrorKind::Malformed`], and the connection broke because the port could not be reached, that is the error.
    pub async fn talk_to_pod<T>(
        &self,
        at: &PodPort,
        talk: impl AsyncFnOnce(Box<dyn ByteStream>) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let pods: Api<Pod> = Api::namespaced(self.client(), &at.namespace);
        let mut forward = self
            .within(pods.portforward(&at.pod, &[at.port]))
            .await?
            .map_err(|error| self.no_forward(at, &error))?;
        let (Some(stream), Some(failure)) = (forward.take_stream(at.port), forward.take_error(at.port))
        else {
            return Err(ClusterError::malformed(
                &format!("port-forward to {at}"),
                &"no stream",
            ));
        };
        let mut failure = std::pin::pin!(failure.fuse());
        let result = {
            let answer = std::pin::pin!(talk(Box::new(stream)));
            tokio::select! {
                result = answer => result,
                error = failed(failure.as_mut()) => return Err(forwarding_failed(at, &error)),
            }
        };
        match result {
            Err(error) if error.kind == ErrorKind::Malformed => {
                // The stream broke. Why may just not have arrived yet.
                match tokio::time::timeout(REASON, failed(failure)).await {
                    Ok(reason) => Err(forwarding_failed(at, &reason)),
                    Err(_) => Err(error),
                }
            }
            result => result,
        }
    }

    /// What the API server's refusal to forward means.
    fn no_forward(&self, at: &PodPort, error: &kube::Error) -> ClusterError {
        let kube::Error::UpgradeConnection(error) = error else {
            return self.error(error, &format!("port-forward to {at}"));
        };
        match error {
            UpgradeConnectionError::ProtocolSwitch(StatusCode::NOT_FOUND) => no_such_pod(at),
            UpgradeConnectionError::ProtocolSwitch(StatusCode::FORBIDDEN) => ClusterError::new(
                ErrorKind::Forbidden,
                format!("you may not port-forward to pods in namespace `{}`", at.namespace),
            )
            .hinted("it takes the verbs `get` and `create` on `pods/portforward`"),
            UpgradeConnectionError::ProtocolSwitch(status @ StatusCode::UNAUTHORIZED) => {
                ClusterError::status(*status, &[], "port-forward")
            }
            UpgradeConnectionError::ProtocolSwitch(status) if status.as_u16() >= 400 => ClusterError::new(
                ErrorKind::Unreachable,
                format!("the API server cannot forward to {at} ({status})"),
            ),
            error => ClusterError::new(
                ErrorKind::Unreachable,
                format!("{} does not let a websocket to {at} through: {}", self.server(), chain(error)),
            )
            .hinted(
                "a proxy or load balancer before the API server may drop `Upgrade: websocket`; go around it, or read \
                 a saved dump with `-f`",
            ),
        }
    }

    /// The same failure, or the better reason that the pod itself gives: gone, never started, ended.
    async fn why(&self, at: &PodPort, error: ClusterError) -> ClusterError {
        let path = format!("/api/v1/namespaces/{}/pods/{}", at.namespace, at.pod);
        match self.get(&path).await {
            Err(missing) if missing.kind == ErrorKind::NotFound => no_such_pod(at),
            Err(_) => error,
            Ok(answer) => match serde_json::from_slice::<Pod>(&answer) {
                Ok(pod) => not_running(&pod).map_or(error, |reason| {
                    ClusterError::new(
                        ErrorKind::Unreachable,
                        format!("pod {}/{} {reason}", at.namespace, at.pod),
                    )
                    .hinted(format!(
                        "`kubectl describe pod -n {} {}` says more",
                        at.namespace, at.pod
                    ))
                }),
                Err(_) => error,
            },
        }
    }
}

fn no_such_pod(at: &PodPort) -> ClusterError {
    ClusterError::new(
        ErrorKind::NotFound,
        format!("there is no pod `{}` in namespace `{}`", at.pod, at.namespace),
    )
    .hinted(format!(
        "`kubectl get pods -n {}` lists those that are there",
        at.namespace
    ))
}

/// Why a pod cannot be reached, if it is the pod's own state that keeps it from being so.
pub(super) fn not_running(pod: &Pod) -> Option<String> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Some("is being deleted".to_owned());
    }
    let status = pod.status.as_ref();
    let phase = status
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Unknown");
    match phase {
        "Running" => None,
        "Succeeded" | "Failed" => Some(format!("has ended ({phase})")),
        phase => {
            let waiting = status
                .into_iter()
                .flat_map(|status| {
                    status
                        .container_statuses
                        .iter()
                        .chain(&status.init_container_statuses)
                })
                .flatten()
                .find_map(|container| container.state.as_ref()?.waiting.as_ref()?.reason.clone());
            let reason = waiting.map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("does not run yet ({phase}{reason})"))
        }
    }
}

/// Nothing, or not all, came in time.
fn late(at: &PodPort, limit: Duration, arrived: u64) -> ClusterError {
    let limit = limit.as_secs_f64();
    let message = if arrived == 0 {
        format!("{at} did not answer within {limit} s")
    } else {
        format!("the answer of {at} was not complete within {limit} s: {arrived} bytes came")
    };
    ClusterError::new(ErrorKind::Timeout, message).hinted("allow more time, such as `--request-timeout 1m`")
}

/// What arrives on the error channel. Never returns if that closes in silence.
async fn failed(failure: impl Future<Output = Option<String>>) -> String {
    match failure.await {
        Some(text) => text,
        None => std::future::pending().await,
    }
}

/// What the kubelet says when it cannot connect to the port.
fn forwarding_failed(at: &PodPort, said: &str) -> ClusterError {
    let refused = said.contains("refused");
    let message = if refused {
        format!(
            "nothing listens on port {} of pod {}/{}",
            at.port, at.namespace, at.pod
        )
    } else {
        format!("port-forward to {at} failed: {}", said.trim())
    };
    let error = ClusterError::new(ErrorKind::Unreachable, message);
    if refused {
        error.hinted("the proxy may not have started, or its admin port is another: `--proxy-admin-port`")
    } else {
        error
    }
}

/// One request and its answer over `stream`.
async fn converse<T: Send + 'static>(
    at: &PodPort,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    method: Method,
    path: &str,
    arrived: &AtomicU64,
    read: impl FnOnce(BodyReader) -> T + Send + 'static,
) -> Result<T, ClusterError> {
    let what = format!("{path} of {at}");
    let broken = |error: &hyper::Error| ClusterError::malformed(&what, &chain(error));
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(http::header::HOST, "localhost")
        .header(http::header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| ClusterError::malformed(&what, &error))?;
    let talk = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let status = response.status();
        let mut body = response.into_body();
        if status != StatusCode::OK {
            return Err(refused(&what, status, &mut body).await);
        }
        let (chunks, receiver) = mpsc::channel(CHUNKS);
        let reading = tokio::task::spawn_blocking(|| {
            read(BodyReader {
                chunks: receiver,
                current: Bytes::new(),
                ended: false,
            })
        });
        let pumped = pump(&mut body, arrived, chunks).await;
        let value = reading.await;
        pumped.map_err(|error| broken(&error))?;
        value.map_err(|error| ClusterError::malformed(&what, &error))
    };
    let mut connection = std::pin::pin!(connection.fuse());
    let mut talk = std::pin::pin!(talk);
    loop {
        tokio::select! {
            result = &mut talk => return result,
            // Its end is no event of its own: the request or the body ends with it, and says how.
            _ = &mut connection, if !futures::future::FusedFuture::is_terminated(&*connection) => {}
        }
    }
}

/// Hands the body over until it ends or nobody wants more.
async fn pump(
    body: &mut Incoming,
    arrived: &AtomicU64,
    chunks: mpsc::Sender<Option<Bytes>>,
) -> Result<(), hyper::Error> {
    while let Some(frame) = body.frame().await {
        if let Ok(chunk) = frame?.into_data() {
            arrived.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            if chunks.send(Some(chunk)).await.is_err() {
                return Ok(());
            }
        }
    }
    // A reader that has gone needs no end.
    let _ = chunks.send(None).await;
    Ok(())
}

/// An answer with another status than 200, with the beginning of what it says.
async fn refused(what: &str, status: StatusCode, body: &mut Incoming) -> ClusterError {
    let mut said = Vec::new();
    while said.len() < SHOWN
        && let Some(Ok(frame)) = body.frame().await
    {
        said.extend_from_slice(frame.data_ref().map_or(&[][..], |chunk| chunk));
    }
    said.truncate(SHOWN);
    let said = String::from_utf8_lossy(&said);
    let said: String = said
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let separator = if said.is_empty() { "" } else { ": " };
    ClusterError::new(
        ErrorKind::Refused,
        format!("{what} answered {status}{separator}{said}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What becomes of an answer that is `bytes`, after which the connection ends.
    async fn answer(bytes: &'static [u8]) -> Result<io::Result<String>, ClusterError> {
        let (client, mut server) = tokio::io::duplex(64);
        tokio::spawn(async move {
            let mut request = [0; 16];
            server.read_exact(&mut request).await.unwrap();
            assert_eq!(&request, b"GET /config_dump");
            // The client need not want all of it.
            let _ = server.write_all(bytes).await;
        });
        let at = PodPort {
            namespace: "shop".to_owned(),
            pod: "web".to_owned(),
            port: 15000,
        };
        let arrived = AtomicU64::default();
        converse(&at, client, Method::GET, "/config_dump", &arrived, |mut body| {
            let mut text = String::new();
            body.read_to_string(&mut text).map(|_| text)
        })
        .await
    }

    #[tokio::test]
    async fn bodies_come_whole_or_not_at_all() {
        let long = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";
        assert_eq!(answer(long).await.unwrap().unwrap(), "hello");
        let chunked =
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n";
        assert_eq!(answer(chunked).await.unwrap().unwrap(), "hello");
        for cut in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel"[..],
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nl",
            b"HTTP/1.1 200 OK\r\nconte",
            b"SSH-2.0\r\n\r\n",
            b"",
        ] {
            let error = answer(cut).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Malformed, "{error}");
            assert!(
                error.message.contains("/config_dump of shop/web:15000"),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn other_statuses_are_refusals_with_what_they_say() {
        let error = answer(b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\nnot\there\n")
            .await
            .unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert_eq!(
            error.message,
            "/config_dump of shop/web:15000 answered 404 Not Found: not here"
        );
    }

    #[test]
    fn a_reader_without_an_end_fails() {
        let (sender, chunks) = mpsc::channel(2);
        sender.blocking_send(Some(Bytes::from_static(b"ab"))).unwrap();
        drop(sender);
        let mut reader = BodyReader {
            chunks,
            current: Bytes::new(),
            ended: false,
        };
        let error = reader.read_to_end(&mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
