//! Reading: single answers and lists, with deadlines and retries.

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::BodyExt;
use k8s_openapi::{ClusterResourceScope, ListableResource, NamespaceResourceScope};
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use super::connect::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::write::Answer;

/// How often a read is sent before its failure counts.
const ATTEMPTS: u32 = 5;

/// The pause before the second attempt; every further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause that a server can ask for with `Retry-After`.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Objects a page, as kubectl asks for.
const PAGE: u32 = 500;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In all namespaces, or for objects that belong to none.
    All,
    /// In one namespace.
    Namespace(String),
}

/// Which objects to list.
#[derive(Clone, Debug)]
pub struct ListQuery {
    path: String,
    /// Only objects whose labels match, in the syntax of `kubectl -l`.
    pub labels: Option<String>,
    /// Only objects whose fields match, such as `type=kubernetes.io/tls`.
    pub fields: Option<String>,
    /// The most objects that one answer may hold.
    pub page_size: u32,
    /// Only the objects' metadata.
    pub metadata_only: bool,
}

impl ListQuery {
    /// All objects of `plural` in one version of an API group (`""` for the core group).
    pub fn new(group: &str, version: &str, plural: &str, scope: &Scope) -> Self {
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        let path = match scope {
            Scope::All => format!("{root}/{plural}"),
            Scope::Namespace(namespace) => format!("{root}/namespaces/{namespace}/{plural}"),
        };
        Self {
            path,
            labels: None,
            fields: None,
            page_size: PAGE,
            metadata_only: false,
        }
    }

    /// All objects of a typed kind. `scope` is ignored for kinds that belong to no namespace.
    pub fn of<K: k8s_openapi::Resource>(scope: &Scope) -> Self
    where
        K::Scope: MaybeNamespaced,
    {
        let scope = if K::Scope::NAMESPACED { scope } else { &Scope::All };
        Self::new(K::GROUP, K::VERSION, K::URL_PATH_SEGMENT, scope)
    }

    /// Only objects whose labels match.
    #[must_use]
    pub fn labels(mut self, selector: impl Into<String>) -> Self {
        self.labels = Some(selector.into());
        self
    }

    /// Only objects whose fields match.
    #[must_use]
    pub fn fields(mut self, selector: impl Into<String>) -> Self {
        self.fields = Some(selector.into());
        self
    }

    /// Only the objects' metadata: for kinds whose objects are large.
    #[must_use]
    pub fn metadata_only(mut self) -> Self {
        self.metadata_only = true;
        self
    }

    fn accept(&self) -> &'static str {
        if self.metadata_only {
            "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        } else {
            "application/json"
        }
    }

    fn uri(&self, resume: Option<&str>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.page_size.to_string());
        if let Some(labels) = &self.labels {
            query.append_pair("labelSelector", labels);
        }
        if let Some(fields) = &self.fields {
            query.append_pair("fieldSelector", fields);
        }
        if let Some(resume) = resume {
            query.append_pair("continue", resume);
        }
        format!("{}?{}", self.path, query.finish())
    }
}

/// Whether the objects of a typed kind live in namespaces.
pub trait MaybeNamespaced {
    /// Whether they do.
    const NAMESPACED: bool;
}

impl MaybeNamespaced for NamespaceResourceScope {
    const NAMESPACED: bool = true;
}

impl MaybeNamespaced for ClusterResourceScope {
    const NAMESPACED: bool = false;
}

/// One page of a list: its objects as the server sent them.
#[derive(Debug)]
pub struct Page {
    /// The objects, each a JSON text. They lack `kind` and `apiVersion`, which the server leaves out in lists of
    /// built-in kinds.
    pub items: Vec<Box<RawValue>>,
    /// How many objects come after this page, if the server says so.
    pub remaining: Option<u64>,
}

#[derive(Deserialize)]
struct RawList {
    #[serde(default)]
    metadata: ListMetadata,
    #[serde(default)]
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ListMetadata {
    r#continue: Option<String>,
    remaining_item_count: Option<u64>,
}

impl Cluster {
    /// The answer to a GET of `path` (with its query), such as `/version`.
    ///
    /// Sent up to five times while the server is overloaded or fails or the connection breaks, with growing pauses
    /// or those that the server asks for; each attempt may take [`Cluster::request_timeout`].
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn get(&self, path: &str) -> Result<Bytes, ClusterError> {
        self.get_accepting(path, "application/json").await
    }

    /// As [`Cluster::get`], for an answer of another form than plain JSON.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn get_accepting(&self, path: &str, accept: &str) -> Result<Bytes, ClusterError> {
        let request = || {
            Request::get(path)
                .header(header::ACCEPT, accept)
                .body(Body::empty())
        };
        self.repeat(path, request).await
    }

    /// Sends a request, again and again while its failures may pass.
    pub(super) async fn repeat(
        &self,
        path: &str,
        request: impl Fn() -> http::Result<Request<Body>>,
    ) -> Result<Bytes, ClusterError> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.once(path, request()).await {
                Ok(answer) => return Ok(answer),
                Err((error, wait)) if is_passing(&error) => {
                    tokio::time::sleep(wait.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                    pause = pause.saturating_mul(2);
                }
                Err((error, _)) => return Err(error),
            }
        }
        self.once(path, request()).await.map_err(|(error, _)| error)
    }

    /// One attempt, and how long the server asks to wait after its failure.
    async fn once(
        &self,
        path: &str,
        request: http::Result<Request<Body>>,
    ) -> Result<Bytes, (ClusterError, Option<Duration>)> {
        let what = path.split('?').next().unwrap_or(path);
        let request = request.map_err(|error| (ClusterError::malformed(what, &error), None))?;
        let answer = self.answer(request, what).await.map_err(|error| (error, None))?;
        let wait = answer.retry_after;
        answer.success(what).map_err(|error| (error, wait))
    }

    /// Sends one request, once, and takes its answer, whatever its status. `what` names what was asked for.
    pub(super) async fn answer(&self, request: Request<Body>, what: &str) -> Result<Answer, ClusterError> {
        let exchange = async {
            let response = self
                .client()
                .send(request)
                .await
                .map_err(|error| self.error(&error, what))?;
            let status = response.status();
            let retry_after = retry_after(response.headers());
            let body = response
                .into_body()
                .collect()
                .await
                .map_err(|error| self.cut_off(&error, what))?
                .to_bytes();
            Ok(Answer {
                status,
                body,
                retry_after,
            })
        };
        self.within(exchange).await.and_then(|answer| answer)
    }

    /// Runs one request with the deadline that every request has.
    ///
    /// # Errors
    ///
    /// The time is up.
    pub async fn within<T>(&self, request: impl Future<Output = T>) -> Result<T, ClusterError> {
        let limit = self.request_timeout();
        tokio::time::timeout(limit, request)
            .await
            .map_err(|_| ClusterError::timeout(self.server(), limit))
    }

    fn cut_off(&self, error: &kube::Error, what: &str) -> ClusterError {
        let cause = ClusterError::transport(error, self.server());
        if cause.kind == ErrorKind::Timeout {
            cause
        } else {
            ClusterError::malformed(what, &super::error::chain(error))
        }
    }

    /// Hands every page of a list to `each`, in order, and waits for it before it asks for the next one: only one page
    /// is held at a time.
    ///
    /// If the list changes so much while it is read that the server forgets where it was, the rest is read as it is
    /// by then; the same object can come twice in that case, the later one being the newer.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; pages that came before the failure have been handed over.
    pub async fn pages(
        &self,
        query: &ListQuery,
        mut each: impl AsyncFnMut(Page),
    ) -> Result<(), ClusterError> {
        let mut position = Position::default();
        while let Some(page) = self.next_page(query, &mut position).await? {
            each(page).await;
        }
        Ok(())
    }

    /// The page at a position, which moves on; `None` after the last one.
    async fn next_page(
        &self,
        query: &ListQuery,
        position: &mut Position,
    ) -> Result<Option<Page>, ClusterError> {
        while !position.is_at_end {
            let resume = position.resume.take();
            let uri = query.uri(resume.as_deref());
            let answer = match self.get_accepting(&uri, query.accept()).await {
                Err(error)
                    if error.kind == ErrorKind::Expired
                        && resume.is_some()
                        && position.restarts < ATTEMPTS =>
                {
                    position.restarts += 1;
                    continue;
                }
                answer => answer?,
            };
            let list: RawList = serde_json::from_slice(&answer)
                .map_err(|error| ClusterError::malformed(&query.path, &error))?;
            position.resume = list.metadata.r#continue.filter(|token| !token.is_empty());
            position.is_at_end = position.resume.is_none();
            return Ok(Some(Page {
                items: list.items.unwrap_or_default(),
                remaining: list.metadata.remaining_item_count,
            }));
        }
        Ok(None)
    }

    /// All objects of a typed kind.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`]; an object that is not of the kind's form is [`ErrorKind::Malformed`].
    pub async fn list<K>(&self, query: &ListQuery) -> Result<Vec<K>, ClusterError>
    where
        K: ListableResource + DeserializeOwned,
    {
        self.all(query).await
    }

    /// All objects, as JSON. Those of built-in kinds lack `kind` and `apiVersion`.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn list_json(&self, query: &ListQuery) -> Result<Vec<Value>, ClusterError> {
        self.all(query).await
    }

    async fn all<T: DeserializeOwned>(&self, query: &ListQuery) -> Result<Vec<T>, ClusterError> {
        let mut objects = Vec::new();
        let mut broken = None;
        let mut position = Position::default();
        while let Some(page) = self.next_page(query, &mut position).await? {
            for item in page.items {
                match serde_json::from_str(item.get()) {
                    Ok(object) => objects.push(object),
                    Err(error) => broken = Some(ClusterError::malformed(&query.path, &error)),
                }
            }
        }
        broken.map_or(Ok(objects), Err)
    }
}

/// Where the reading of a list is.
#[derive(Default)]
struct Position {
    /// The server's word for what comes next.
    resume: Option<String>,
    restarts: u32,
    is_at_end: bool,
}

/// Whether the same request may well work a moment later.
fn is_passing(error: &ClusterError) -> bool {
    matches!(error.kind, ErrorKind::Server | ErrorKind::Malformed)
        || (error.kind == ErrorKind::Unreachable && error.message.ends_with("connection reset"))
}

fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::{Node, Pod};

    #[test]
    fn queries_name_the_place_that_the_api_has_for_a_kind() {
        let all = ListQuery::of::<Pod>(&Scope::All);
        assert_eq!(all.uri(None), "/api/v1/pods?limit=500");
        let one = Scope::Namespace("shop".to_owned());
        assert_eq!(
            ListQuery::of::<Pod>(&one).labels("app in (a, b)").uri(Some("x=")),
            "/api/v1/namespaces/shop/pods?limit=500&labelSelector=app+in+%28a%2C+b%29&continue=x%3D"
        );
        assert_eq!(ListQuery::of::<Node>(&one).uri(None), "/api/v1/nodes?limit=500");
        assert_eq!(
            ListQuery::new("networking.istio.io", "v1", "gateways", &one).uri(None),
            "/apis/networking.istio.io/v1/namespaces/shop/gateways?limit=500"
        );
    }
}
