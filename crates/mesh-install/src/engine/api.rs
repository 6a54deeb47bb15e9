//! Requests about single objects, sent again while their failures may pass.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt, stream};
use mesh_core::cluster::{Answer, Cluster, ClusterError, ErrorKind, ListQuery, Method, Scope, Write};
use serde_json::{Value, json};

use super::additions::removals;
use super::kept::Kept;
use super::lock::Lock;
use super::{EngineError, Event, Report, Result};
use crate::diagnose::{Cause, failed_webhook, webhook_cause};
use crate::object::{FIELD_MANAGER, ObjectRef, Step, is_going, uid};
use crate::plan::{FieldConflict, conflicts};

/// How often something is tried where nobody waits for long.
const ATTEMPTS: u32 = 7;

/// How often something is tried that may be broken for itself, while all else works.
const OWN_ATTEMPTS: u32 = 12;

/// The pause before the second attempt; every further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Time between two looks at something that is to change.
pub(super) const POLL: Duration = Duration::from_millis(250);

/// How many objects are looked at or written at once.
const AT_ONCE: usize = 8;

/// Work on several objects.
pub(super) type Work<'a, T> = Vec<BoxFuture<'a, Result<T>>>;

/// Does work on several objects at once. The results come in the order of the work.
pub(super) async fn all<T: Send>(work: Work<'_, T>) -> Result<Vec<T>> {
    stream::iter(work).buffered(AT_ONCE).try_collect().await
}

/// Talks to the API server about objects.
#[derive(Clone)]
pub(super) struct Api {
    pub(super) cluster: Cluster,
    report: Report,
    /// Whether the server is waited for when it is not there.
    is_patient: bool,
    /// How often something is tried; as often as it takes if nothing is said.
    attempts: Option<u32>,
    /// What must be held to write.
    lock: Option<Arc<Lock>>,
    /// The namespaces that may be touched; all of them if there are none named.
    within: Option<Arc<BTreeSet<String>>>,
    /// What need not be tried again.
    kept: Option<Arc<Kept>>,
}

/// What came of an apply.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// The object as it is now, or as it would be.
    Done(Value),
    /// Others own fields with other values.
    Conflict(Vec<FieldConflict>),
    /// The API server does not take it.
    Refused(String),
}

/// How to apply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct How {
    /// Take fields from others.
    pub(super) force: bool,
    /// Only ask what would come of it.
    pub(super) dry_run: bool,
}

impl Api {
    pub(super) fn new(cluster: Cluster, report: Report) -> Self {
        Self {
            cluster,
            report,
            is_patient: false,
            attempts: Some(ATTEMPTS),
            lock: None,
            within: None,
            kept: None,
        }
    }

    /// The same, for nothing but what is in these namespaces, and what is in none.
    pub(super) fn within(self, namespaces: BTreeSet<String>) -> Self {
        Self {
            within: Some(Arc::new(namespaces)),
            ..self
        }
    }

    /// The same, with a memory of what need not be tried again.
    pub(super) fn remembering(self, kept: Arc<Kept>) -> Self {
        Self {
            kept: Some(kept),
            ..self
        }
    }

    /// Whether namespaces themselves are somebody else's business.
    pub(super) fn is_confined(&self) -> bool {
        self.within.is_some()
    }

    /// Whether an object may be removed.
    pub(super) fn may_remove(&self, object: &ObjectRef) -> bool {
        !(self.is_confined() && object.step() == Step::Namespace)
    }

    /// Where objects of a kind can be listed.
    pub(super) fn scopes(&self, is_namespaced: bool) -> Vec<Scope> {
        match &self.within {
            Some(namespaces) if is_namespaced => namespaces.iter().cloned().map(Scope::Namespace).collect(),
            _ => vec![Scope::All],
        }
    }

    /// What need not be tried again.
    pub(super) fn kept(&self) -> Option<&Kept> {
        self.kept.as_deref()
    }

    /// The same, for work that is under way and should go on when the server is back.
    pub(super) fn patient(&self) -> Self {
        Self {
            is_patient: true,
            attempts: None,
            ..self.clone()
        }
    }

    /// The same, for what may be broken for itself, as an API that another server has. What cannot be asked is an error
    /// after some time, even where all else is waited for.
    pub(super) fn bounded(&self) -> Self {
        Self {
            is_patient: true,
            attempts: Some(OWN_ATTEMPTS),
            ..self.clone()
        }
    }

    /// The same, for writing under a lock.
    pub(super) fn guarded(&self, lock: Arc<Lock>) -> Self {
        Self {
            lock: Some(lock),
            ..self.patient()
        }
    }

    pub(super) fn report(&self, event: Event) {
        (self.report)(event);
    }

    /// Does something again and again while it fails in a way that may pass.
    pub(super) async fn retry<T, F>(&self, what: &str, attempt: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let mut pause = FIRST_PAUSE;
        let mut attempts = 1;
        let mut reported = None;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let is_enough = self.attempts.is_some_and(|most| attempts >= most);
            if !may_pass(&error, self.is_patient) || is_enough {
                return Err(error.into());
            }
            // A single hiccup is not worth telling.
            if attempts > 1 && reported.as_ref() != Some(&error.message) {
                reported = Some(error.message.clone());
                let cause = self.cause(&error).await;
                self.report(Event::Retrying {
                    what: what.to_owned(),
                    cause,
                });
            }
            attempts += 1;
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    async fn cause(&self, error: &ClusterError) -> Cause {
        match failed_webhook(&error.message) {
            Some((webhook, why)) => webhook_cause(webhook, why, &self.webhooks().await),
            None => Cause {
                summary: error.message.clone(),
                detail: Vec::new(),
                hints: error.hint.clone().into_iter().collect(),
                is_final: false,
            },
        }
    }

    /// The names of all webhooks, each with `Kind name` of its configuration; what cannot be read is left out.
    pub(super) async fn webhooks(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for kind in ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"] {
            let path = format!("/apis/admissionregistration.k8s.io/v1/{}s", kind.to_lowercase());
            let Ok(answer) = self.cluster.get(&path).await else {
                continue;
            };
            let list: Value = serde_json::from_slice(&answer).unwrap_or_default();
            for configuration in list["items"].as_array().into_iter().flatten() {
                let name = configuration["metadata"]["name"].as_str().unwrap_or_default();
                let webhooks = configuration["webhooks"].as_array().into_iter().flatten();
                found.extend(webhooks.filter_map(|webhook| {
                    Some((webhook["name"].as_str()?.to_owned(), format!("{kind} {name}")))
                }));
            }
        }
        found
    }

    /// Sends a change until it is answered by success or a refusal.
    async fn write(&self, what: &str, write: &Write) -> Result<Answer> {
        self.retry(what, || async {
            // Each time anew: it may take so long that somebody else has the lock by then.
            if let Some(lock) = &self.lock
                && let Err(error) = lock.assure().await
            {
                return Ok(Err(error));
            }
            let answer = self.cluster.write(write).await?;
            let is_refusal = answer.status.is_client_error() && answer.status.as_u16() != 429;
            let is_passing = is_refusal && is_about_to_go(&answer.body);
            if answer.status.is_success() || (is_refusal && !is_passing) {
                return Ok(Ok(answer));
            }
            let mut error = answer.error(what);
            if is_passing {
                error.kind = ErrorKind::Server;
            }
            Err(error)
        })
        .await?
    }

    /// The object, if it is there.
    pub(super) async fn get(&self, object: &ObjectRef) -> Result<Option<Value>> {
        self.find(&object.path()).await
    }

    /// What is at a path, if it is there.
    pub(super) async fn find(&self, path: &str) -> Result<Option<Value>> {
        self.retry(path, || async {
            match self.cluster.get(path).await {
                Ok(answer) => parse(path, &answer).map(Some),
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }

    /// A list. One of a kind that the server does not have is empty.
    pub(super) async fn list(&self, query: &ListQuery) -> Result<Vec<Value>> {
        self.retry("the list", || async {
            match self.cluster.list_json(query).await {
                Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
                answer => answer,
            }
        })
        .await
    }

    /// Makes an object be as described: server-side apply. By force, what others have added to its lists goes, too.
    pub(super) async fn apply(&self, reference: &ObjectRef, object: &Value, how: How) -> Result<Applied> {
        let dry_run = if how.dry_run { "&dryRun=All" } else { "" };
        let write = Write {
            method: Method::PATCH,
            path: format!(
                "{}?fieldManager={FIELD_MANAGER}&force={}{dry_run}",
                reference.path(),
                how.force
            ),
            content_type: "application/apply-patch+yaml",
            body: object.to_string().into_bytes(),
        };
        let what = reference.to_string();
        loop {
            let answer = self.write(&what, &write).await?;
            let status: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            if answer.status.is_success() {
                if is_going(&status) && !how.dry_run {
                    // It was being deleted: what was written goes with it.
                    self.wait_until_gone(reference, &status).await?;
                    continue;
                }
                let Some(removals) = how.force.then(|| removals(&status)).flatten() else {
                    return Ok(Applied::Done(status));
                };
                if how.dry_run {
                    let mut status = status;
                    // It is made for exactly this object.
                    let _ = json_patch::patch(&mut status, &removals);
                    return Ok(Applied::Done(status));
                }
                let write = Write {
                    method: Method::PATCH,
                    path: format!("{}?fieldManager={FIELD_MANAGER}", reference.path()),
                    content_type: "application/json-patch+json",
                    body: json!(removals).to_string().into_bytes(),
                };
                let answer = self.write(&what, &write).await?;
                if answer.status.is_success() {
                    return Ok(Applied::Done(parse(&what, &answer.body)?));
                }
                if matches!(answer.status.as_u16(), 404 | 409) {
                    // Somebody wrote at the same moment, or deleted it.
                    tokio::time::sleep(POLL).await;
                    continue;
                }
                return Ok(Applied::Refused(answer.error(&what).message));
            }
            let conflicts = conflicts(&status);
            if answer.status.as_u16() == 409 && !conflicts.is_empty() {
                return Ok(Applied::Conflict(conflicts));
            }
            if answer.status.as_u16() == 409 {
                // Somebody wrote at the same moment.
                tokio::time::sleep(POLL).await;
                continue;
            }
            if answer.status.as_u16() == 401 {
                return Err(answer.error(&what).into());
            }
            return Ok(Applied::Refused(answer.error(&what).message));
        }
    }

    /// Creates an object; `None` if there is one.
    pub(super) async fn create(&self, reference: &ObjectRef, object: &Value) -> Result<Option<Value>> {
        let write = Write {
            method: Method::POST,
            path: format!("{}?fieldManager={FIELD_MANAGER}", reference.collection()),
            content_type: "application/json",
            body: object.to_string().into_bytes(),
        };
        let what = reference.to_string();
        let answer = self.write(&what, &write).await?;
        match answer.status.as_u16() {
            409 => Ok(None),
            404 if !reference.namespace.is_empty() => {
                Err(EngineError::NoNamespace(reference.namespace.clone()))
            }
            _ => Ok(Some(parse(&what, &answer.success(&what)?)?)),
        }
    }

    /// Replaces an object that has not changed since it was read; `None` if it has.
    pub(super) async fn replace(&self, reference: &ObjectRef, object: &Value) -> Result<Option<Value>> {
        let write = Write {
            method: Method::PUT,
            path: format!("{}?fieldManager={FIELD_MANAGER}", reference.path()),
            content_type: "application/json",
            body: object.to_string().into_bytes(),
        };
        self.one(&write, &reference.to_string()).await
    }

    /// Sets a label of exactly this object; `None` if it is gone.
    pub(super) async fn label(
        &self,
        reference: &ObjectRef,
        live: &Value,
        key: &str,
        value: &str,
    ) -> Result<Option<Value>> {
        let patch = json!({ "metadata": { "uid": uid(live), "labels": { key: value } } });
        let write = Write {
            method: Method::PATCH,
            path: format!("{}?fieldManager={FIELD_MANAGER}", reference.path()),
            content_type: "application/merge-patch+json",
            body: patch.to_string().into_bytes(),
        };
        self.one(&write, &reference.to_string()).await
    }

    /// The object that comes of a change; `None` on a conflict, and where the object is gone.
    async fn one(&self, write: &Write, what: &str) -> Result<Option<Value>> {
        let answer = self.write(what, write).await?;
        match answer.status.as_u16() {
            404 | 409 => Ok(None),
            _ => Ok(Some(parse(what, &answer.success(what)?)?)),
        }
    }

    /// Begins to delete exactly this object. One that is gone, or another one of its name, is none of our business.
    pub(super) async fn delete(
        &self,
        reference: &ObjectRef,
        live: &Value,
        in_foreground: bool,
    ) -> Result<()> {
        let propagation = if in_foreground { "Foreground" } else { "Background" };
        let options = json!({
            "preconditions": { "uid": uid(live) },
            "propagationPolicy": propagation,
        });
        self.delete_if(reference, options).await.map(drop)
    }

    /// Begins to delete an object that nobody has written since it was read. Returns whether nobody has; one that is gone
    /// counts as such.
    pub(super) async fn delete_unchanged(&self, reference: &ObjectRef, live: &Value) -> Result<bool> {
        let version = &live["metadata"]["resourceVersion"];
        let options = json!({ "preconditions": { "uid": uid(live), "resourceVersion": version } });
        self.delete_if(reference, options).await
    }

    /// Begins to delete an object, with conditions. Returns whether they are met, or the object is gone.
    async fn delete_if(&self, reference: &ObjectRef, mut options: Value) -> Result<bool> {
        options["apiVersion"] = json!("v1");
        options["kind"] = json!("DeleteOptions");
        let write = Write {
            method: Method::DELETE,
            path: reference.path(),
            content_type: "application/json",
            body: options.to_string().into_bytes(),
        };
        let what = reference.to_string();
        let answer = self.write(&what, &write).await?;
        match answer.status.as_u16() {
            404 => Ok(true),
            409 => Ok(false),
            _ => Ok(answer.success(&what).map(|_| true)?),
        }
    }

    /// Waits until exactly this object is gone, and says so if it takes long.
    pub(super) async fn wait_until_gone(&self, reference: &ObjectRef, live: &Value) -> Result<()> {
        /// After how many looks it counts as stuck.
        const PATIENCE: u32 = 20;
        let mut looks: u32 = 0;
        let mut reported = None;
        loop {
            let Some(now) = self.get(reference).await?.filter(|now| uid(now) == uid(live)) else {
                return Ok(());
            };
            looks += 1;
            if looks >= PATIENCE {
                let held_by = held_by(&now);
                if reported.as_ref() != Some(&held_by) {
                    reported = Some(held_by.clone());
                    self.report(Event::Stuck {
                        object: reference.clone(),
                        held_by,
                    });
                }
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// What keeps an object that is to go: its finalizers, and for a namespace what its conditions say.
fn held_by(object: &Value) -> Vec<String> {
    let texts = |value: &Value| -> Vec<String> {
        let items = value.as_array().into_iter().flatten();
        items
            .filter_map(|item| item.as_str().map(ToOwned::to_owned))
            .collect()
    };
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    let said = conditions
        .filter(|condition| condition["status"] == "True" && condition["type"] != "Established")
        .filter_map(|condition| condition["message"].as_str())
        .filter(|message| !message.is_empty() && is_going(object))
        .map(ToOwned::to_owned);
    texts(&object["metadata"]["finalizers"])
        .into_iter()
        .chain(said)
        .collect()
}

/// Whether a refusal says that the namespace is being deleted.
fn is_about_to_go(status: &[u8]) -> bool {
    let status: Value = serde_json::from_slice(status).unwrap_or_default();
    let causes = status["details"]["causes"].as_array().into_iter().flatten();
    causes
        .into_iter()
        .any(|cause| cause["reason"] == "NamespaceTerminating")
}

/// Whether the same request may well work later. Somebody who has not begun yet does not wait for a server that is
/// not there.
fn may_pass(error: &ClusterError, is_patient: bool) -> bool {
    match error.kind {
        ErrorKind::Server | ErrorKind::Malformed => true,
        ErrorKind::Unreachable => is_patient || !error.message.ends_with("connection refused"),
        ErrorKind::Timeout => is_patient,
        _ => false,
    }
}

pub(super) fn parse(what: &str, body: &[u8]) -> Result<Value, ClusterError> {
    serde_json::from_slice(body).map_err(|error| ClusterError {
        kind: ErrorKind::Malformed,
        message: format!("the answer about {what} is not JSON: {error}"),
        hint: None,
    })
}
