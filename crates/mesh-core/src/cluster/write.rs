//! Writing: single changes, sent once. Whoever sends them knows whether they may be sent again.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use kube::client::Body;

use super::connect::Cluster;
use super::error::ClusterError;

/// A request that may change something.
#[derive(Clone, Debug)]
pub struct Write {
    /// What to do with the path: `POST` creates, `PUT` replaces, `PATCH` applies, `DELETE` deletes.
    pub method: Method,
    /// The path, with its query.
    pub path: String,
    /// What the body is, such as `application/apply-patch+yaml`.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// What a server answers, be it success or not.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: StatusCode,
    /// The object, or a `Status` that says what is wrong.
    pub body: Bytes,
    /// How long the server asks to wait before the next request.
    pub retry_after: Option<Duration>,
}

impl Answer {
    /// The body, if the status is one of success. `what` names what was asked for.
    ///
    /// # Errors
    ///
    /// What the status means.
    pub fn success(self, what: &str) -> Result<Bytes, ClusterError> {
        if self.status.is_success() {
            Ok(self.body)
        } else {
            Err(self.error(what))
        }
    }

    /// What the status means if it is none of success. `what` names what was asked for.
    pub fn error(&self, what: &str) -> ClusterError {
        ClusterError::status(self.status, &self.body, what)
    }
}

impl Cluster {
    /// Sends a change, once.
    ///
    /// # Errors
    ///
    /// No answer came, in which case the server may or may not have done what was asked. That the server refused is an
    /// [`Answer`] too.
    pub async fn write(&self, write: &Write) -> Result<Answer, ClusterError> {
        let what = write.path.split('?').next().unwrap_or(&write.path);
        let request = Request::builder()
            .method(write.method.clone())
            .uri(&write.path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, write.content_type)
            .body(Body::from(write.body.clone()))
            .map_err(|error| ClusterError::malformed(what, &error))?;
        self.answer(request, what).await
    }
}
