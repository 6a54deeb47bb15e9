//! The process: one of several works, and looks after every `MeshControlPlane` of the watched namespaces.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use kube::runtime::controller::{Config, Controller, Error as ControllerError};
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{ObjectRef as Key, Store};
use kube::runtime::watcher;
use kube::{Api, ResourceExt};
use mesh_core::cluster::Cluster;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::NAME;
use super::attempts::Attempts;
use super::reconcile::{Outcome, reconcile};
use crate::engine::{EngineError, Holder, Kept, NamedLock};
use crate::object::{KINDS, OWNER_LABEL, ObjectKind, Step};
use crate::spec::{GROUP, KIND, PLURAL, VERSION};

/// Time between two attempts to become the one that works, and two looks whether it still is.
const ELECTION: Duration = Duration::from_secs(2);

/// Changes within this time are looked at together.
const TOGETHER: Duration = Duration::from_millis(300);

/// How many control planes are worked on at once in a namespace: different revisions wait for the same lock.
const AT_ONCE: u16 = 1;

/// What an operator looks after.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The namespaces whose `MeshControlPlane`s it looks after, and the only ones that it touches.
    pub namespaces: BTreeSet<String>,
    /// Its own namespace, where the Lease of the one that works is.
    pub namespace: String,
    /// Time after which everything is looked at, even if nothing seems to have changed.
    pub resync: Duration,
}

/// Something to tell who runs the operator.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Another process works; this one waits.
    Standby(Holder),
    /// This process works from now on.
    Leading,
    /// Another process works from now on, because the connection was lost for too long.
    Replaced,
    /// A control plane was looked after.
    Tended {
        /// Which one: `NAMESPACE/NAME`.
        plane: String,
        /// What came of it.
        outcome: Outcome,
        /// The time that it took.
        took: Duration,
    },
    /// A control plane that was looked after before is gone: nobody had to remove anything.
    Gone {
        /// Which one: `NAMESPACE/NAME`.
        plane: String,
    },
    /// Something failed, and is tried again.
    Trouble(String),
}

/// What reconciling needs.
pub(super) struct Context {
    pub(super) cluster: Cluster,
    pub(super) settings: Operator,
    pub(super) report: Arc<dyn Fn(Notice) + Send + Sync>,
    /// What was told last about an object (`NAMESPACE/NAME`) for a reason, and what told it.
    announced: Mutex<BTreeMap<(String, String), (String, Recorder)>>,
    pub(super) attempts: Attempts,
    pub(super) kept: Arc<Kept>,
    stop: watch::Receiver<bool>,
    /// The control planes of each namespace, as they were seen last.
    stores: Mutex<Vec<Store<DynamicObject>>>,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The kind of the objects that are looked after.
pub(super) fn resource() -> ApiResource {
    ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(GROUP, VERSION, KIND), PLURAL)
}

/// An object as a tree. Lists leave out what all of their items have in common.
pub(super) fn tree(object: &DynamicObject) -> Value {
    let mut tree = json!(object);
    tree["apiVersion"] = json!(format!("{GROUP}/{VERSION}"));
    tree["kind"] = json!(KIND);
    tree
}

impl Context {
    /// Waits until the operator is to stop.
    pub(super) async fn stopped(&self) {
        stopped(self.stop.clone()).await;
    }

    /// What records events about an object (`NAMESPACE/NAME`) for a reason. A [`Recorder`] counts events as one if they
    /// have the same reason, and keeps the first one's note: so whatever has another note gets another recorder.
    pub(super) fn recorder(&self, object: &str, reason: &str, note: &str) -> Recorder {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            (
                note.to_owned(),
                Recorder::new(self.cluster.client(), Reporter::from(NAME)),
            )
        };
        let last = announced
            .entry((object.to_owned(), reason.to_owned()))
            .or_insert_with(new);
        if last.0 != note {
            *last = new();
        }
        last.1.clone()
    }

    /// The name of another control plane of the namespace that is as wanted, and has been there for longer.
    pub(super) fn older(&self, object: &DynamicObject, is_wanted: impl Fn(&Value) -> bool) -> Option<String> {
        let age = |object: &DynamicObject| (object.creation_timestamp(), object.name_any());
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let all = stores.iter().flat_map(Store::state);
        let mut older = all.filter(|other| {
            other.namespace() == object.namespace()
                && other.uid() != object.uid()
                && age(other) < age(object)
                && is_wanted(&tree(other))
        });
        older.next().map(|older| older.name_any())
    }

    /// Forgets a control plane (`NAMESPACE/NAME`) that is gone.
    pub(super) fn forget(&self, plane: &str) {
        self.attempts.done(plane);
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        announced.retain(|(object, _), _| object != plane);
    }
}

/// Waits until it says so.
async fn stopped(mut stop: watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        // Nobody can say so any more.
        std::future::pending::<()>().await;
    }
}

impl Operator {
    /// Waits until no other process works, and works until `stop` says so. What is under way then is left where it is:
    /// the next one goes on from there.
    ///
    /// # Errors
    ///
    /// The Lease cannot be read or written.
    pub async fn run(
        self,
        cluster: Cluster,
        stop: watch::Receiver<bool>,
        report: Arc<dyn Fn(Notice) + Send + Sync>,
    ) -> Result<(), EngineError> {
        let context = Arc::new(Context {
            announced: Mutex::default(),
            cluster,
            settings: self,
            report,
            attempts: Attempts::default(),
            kept: Arc::default(),
            stop: stop.clone(),
            stores: Mutex::default(),
        });
        let mut stopping = std::pin::pin!(stopped(stop));
        loop {
            let lock = tokio::select! {
                lock = elected(&context) => lock?,
                () = stopping.as_mut() => return Ok(()),
            };
            (context.report)(Notice::Leading);
            tokio::select! {
                () = replaced(&lock, &context) => (context.report)(Notice::Replaced),
                // Ends when it is to stop, and what is under way has.
                () = work(&context) => {
                    lock.release().await;
                    return Ok(());
                }
            }
        }
    }
}

/// Waits until this process is the one that works.
async fn elected(context: &Context) -> Result<NamedLock, EngineError> {
    let mut told = None;
    loop {
        let lock = NamedLock::acquire(&context.cluster, &context.settings.namespace, NAME).await;
        match lock {
            Err(EngineError::Locked(holder)) => {
                if told.as_ref() != Some(&holder) {
                    (context.report)(Notice::Standby(holder.clone()));
                    told = Some(holder);
                }
            }
            other => return other,
        }
        tokio::time::sleep(ELECTION).await;
    }
}

/// Waits until another process is the one that works.
async fn replaced(lock: &NamedLock, context: &Context) {
    loop {
        tokio::time::sleep(ELECTION).await;
        match lock.assure().await {
            Ok(()) => {}
            Err(EngineError::LockLost(_)) => return,
            Err(error) => (context.report)(Notice::Trouble(error.to_string())),
        }
    }
}

/// Looks after all control planes, until it is to stop.
async fn work(context: &Arc<Context>) {
    let controllers: Vec<_> = context
        .settings
        .namespaces
        .iter()
        .map(|namespace| controller(context, namespace))
        .collect();
    // What went while another process worked is not told.
    context.attempts.clear();
    let announced = &context.announced;
    announced.lock().unwrap_or_else(PoisonError::into_inner).clear();
    let stores = controllers.iter().map(Controller::store).collect();
    *context.stores.lock().unwrap_or_else(PoisonError::into_inner) = stores;
    join_all(
        controllers
            .into_iter()
            .map(|controller| look_after(controller, context)),
    )
    .await;
}

/// What looks after the control planes of a namespace: it watches them, and what they are made of.
fn controller(context: &Context, namespace: &str) -> Controller<DynamicObject> {
    let client = context.cluster.client();
    // A connection that says nothing for longer counts as lost.
    let seconds = context.cluster.request_timeout().as_secs().clamp(1, 290);
    let config = watcher::Config::default().timeout(u32::try_from(seconds).unwrap_or(290));
    let planes = Api::namespaced_with(client.clone(), namespace, &resource());
    let controller = Controller::new_with(planes, config.clone(), resource())
        .with_config(Config::default().debounce(TOGETHER).concurrency(AT_ONCE))
        .graceful_shutdown_on(stopped(context.stop.clone()));
    let store = controller.store();
    let config = config.labels(&format!("{OWNER_LABEL}={namespace}"));
    watched_kinds().fold(controller, |controller, kind| {
        let gvk = GroupVersionKind::gvk(kind.group, kind.version, kind.kind);
        let other = ApiResource::from_gvk_with_plural(&gvk, kind.plural);
        let api: Api<DynamicObject> = if kind.namespaced {
            Api::namespaced_with(client.clone(), namespace, &other)
        } else {
            Api::all_with(client.clone(), &other)
        };
        let store = store.clone();
        controller.watches_with(api, other, config.clone(), move |_| {
            // Every revision may have part in it.
            let planes = store.state().into_iter();
            planes
                .map(|plane| Key::from_obj_with(&*plane, resource()))
                .collect::<Vec<_>>()
        })
    })
}

/// The kinds whose objects are watched. Namespaces are nobody's, and the kind of Multus is not known everywhere: what
/// is not watched is looked at all the same every so often.
fn watched_kinds() -> impl Iterator<Item = &'static ObjectKind> {
    let is_watched = |kind: &&ObjectKind| kind.step != Step::Namespace && kind.group != "k8s.cni.cncf.io";
    KINDS.iter().filter(is_watched)
}

async fn look_after(controller: Controller<DynamicObject>, context: &Arc<Context>) {
    let policy = |_: Arc<DynamicObject>, never: &Infallible, _: Arc<Context>| match *never {};
    let mut results = controller.run(reconcile, policy, Arc::clone(context)).boxed();
    let mut told = None;
    while let Some(result) = results.next().await {
        match result {
            Err(ControllerError::QueueError(error)) => {
                let message = format!("watching: {error}");
                if told.as_ref() != Some(&message) {
                    (context.report)(Notice::Trouble(message.clone()));
                    told = Some(message);
                }
            }
            // It was to be looked at again.
            Err(ControllerError::ObjectNotFound(key)) => {
                let plane = format!("{}/{}", key.namespace.as_deref().unwrap_or_default(), key.name);
                context.forget(&plane);
                (context.report)(Notice::Gone { plane });
            }
            _ => {}
        }
    }
}
