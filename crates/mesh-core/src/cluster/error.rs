//! What can go wrong between a user and an API server, in the user's words.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use http::StatusCode;

/// Why the API server could not be asked, or what it refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ClusterError {
    /// What sort of failure.
    pub kind: ErrorKind,
    /// What happened: a fragment that can follow `error: `.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The sorts of [`ClusterError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorKind {
    /// There is no usable kubeconfig, context or in-cluster configuration.
    Configuration,
    /// The credentials could not be made: a plugin failed, a file is missing.
    Credentials,
    /// No connection: wrong address, nothing listens, no route, connection cut.
    Unreachable,
    /// The server's certificate is not one that the configuration trusts.
    Certificate,
    /// No answer within the time that a request may take.
    Timeout,
    /// The server does not know who asks (HTTP 401).
    Unauthorized,
    /// The server knows who asks and does not allow it (HTTP 403).
    Forbidden,
    /// There is no such object, kind or path (HTTP 404).
    NotFound,
    /// The list that was being read is no longer available (HTTP 410).
    Expired,
    /// The server refused for another reason (other HTTP statuses from 400).
    Refused,
    /// The server failed or is overloaded (HTTP 429 and from 500).
    Server,
    /// The answer is cut off or is not what the Kubernetes API promises.
    Malformed,
}

impl ErrorKind {
    /// Whether another request to the same server would fail in the same way, so that asking on is of no use.
    pub fn is_fatal(self) -> bool {
        matches!(
            self,
            Self::Configuration
                | Self::Credentials
                | Self::Unreachable
                | Self::Certificate
                | Self::Timeout
                | Self::Unauthorized
        )
    }
}

impl fmt::Display for ClusterError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl ClusterError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn timeout(server: &str, after: Duration) -> Self {
        let message = format!("no answer from {server} within {}", seconds(after));
        Self::new(ErrorKind::Timeout, message)
            .hinted("check that the API server is up (`kubectl get --raw /readyz`), or allow more: `--request-timeout 1m`")
    }

    /// What a status and the body that came with it mean. `what` names what was asked for.
    pub(crate) fn status(status: StatusCode, body: &[u8], what: &str) -> Self {
        let said = said_by(body);
        let or_reason = |said: Option<String>| {
            said.unwrap_or_else(|| {
                status
                    .canonical_reason()
                    .unwrap_or("no reason given")
                    .to_lowercase()
            })
        };
        match status {
            StatusCode::UNAUTHORIZED => Self::new(
                ErrorKind::Unauthorized,
                "the API server does not accept the credentials (401 Unauthorized)",
            )
            .hinted("they may have expired: log in again, or choose another context with `--context`"),
            StatusCode::FORBIDDEN => Self::new(ErrorKind::Forbidden, or_reason(said)),
            StatusCode::NOT_FOUND => Self::new(
                ErrorKind::NotFound,
                said.unwrap_or_else(|| format!("the API server does not have {what}")),
            ),
            StatusCode::GONE => Self::new(ErrorKind::Expired, or_reason(said)),
            StatusCode::TOO_MANY_REQUESTS => Self::new(
                ErrorKind::Server,
                format!("the API server is overloaded and refused {what} (429 Too Many Requests)"),
            )
            .hinted("try again later"),
            status if status.is_server_error() => Self::new(
                ErrorKind::Server,
                format!(
                    "the API server failed on {what} ({}): {}",
                    status.as_u16(),
                    or_reason(said)
                ),
            )
            .hinted("the API server's log has more"),
            status => Self::new(
                ErrorKind::Refused,
                format!(
                    "the API server refused {what} ({}): {}",
                    status.as_u16(),
                    or_reason(said)
                ),
            ),
        }
    }

    /// What an error of the client library means. `what` names what was asked for, `server` who was asked.
    pub fn from_kube(error: &kube::Error, what: &str, server: &str) -> Self {
        match error {
            kube::Error::Api(status) => {
                let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let message = serde_json::json!({ "message": status.message }).to_string();
                Self::status(code, message.as_bytes(), what)
            }
            kube::Error::Auth(error) => Self::new(
                ErrorKind::Credentials,
                format!("cannot get credentials for {server}: {}", chain(error)),
            )
            .hinted("run the credential plugin by hand, or log in again"),
            kube::Error::SerdeError(error) => Self::malformed(what, error),
            error => Self::transport(error, server),
        }
    }

    pub(crate) fn malformed(what: &str, error: &dyn fmt::Display) -> Self {
        Self::new(
            ErrorKind::Malformed,
            format!("the answer for {what} is cut off or broken: {error}"),
        )
        .hinted("something between here and the API server may cut answers short: a proxy or a load balancer")
    }

    /// What a failure of the connection means.
    pub(crate) fn transport(error: &(dyn Error + 'static), server: &str) -> Self {
        let text = chain(error);
        let io =
            sources(error).find_map(|error| error.downcast_ref::<std::io::Error>().map(std::io::Error::kind));
        let is_timeout = sources(error).any(|error| {
            let text = error.to_string();
            text.contains("deadline has elapsed") || text.contains("timed out")
        });
        if text.contains("certificate") {
            return Self::new(
                ErrorKind::Certificate,
                format!("the certificate of {server} is not trusted: {}", last(error)),
            )
            .hinted(
                "`certificate-authority-data` of the kubeconfig is not the authority of this API server",
            );
        }
        if is_timeout || io == Some(std::io::ErrorKind::TimedOut) {
            return Self::new(ErrorKind::Timeout, format!("no connection to {server} in time"))
                .hinted("check the address in the kubeconfig, VPN and firewall");
        }
        let reason = match io {
            Some(std::io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
            Some(std::io::ErrorKind::ConnectionReset) => "connection reset".to_owned(),
            Some(std::io::ErrorKind::UnexpectedEof) => "connection closed".to_owned(),
            _ => last(error),
        };
        Self::new(ErrorKind::Unreachable, format!("cannot reach {server}: {reason}")).hinted(
            "check that the cluster is up, and that the kubeconfig's context is the right one (`--context`)",
        )
    }
}

/// The message of a Kubernetes `Status`, if the body is one.
fn said_by(body: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Status {
        message: String,
    }
    let status: Status = serde_json::from_slice(body).ok()?;
    (!status.message.is_empty()).then_some(status.message)
}

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// The innermost cause, which is the one that a user can act on.
fn last(error: &(dyn Error + 'static)) -> String {
    sources(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

/// All causes, outermost first, without those that only repeat what they wrap.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for source in sources(error).skip(1) {
        let source = source.to_string();
        if !text.contains(&source) {
            text.push_str(": ");
            text.push_str(&source);
        }
    }
    text
}

/// `15 s`, `1.5 s`.
fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}
