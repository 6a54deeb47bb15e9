//! Installing, removing and comparing: everything of this crate that talks to a cluster.
//!
//! ```text
//! Session ─┬─ plan     Desired, live objects, states ─► Plan              only reads, and asks for dry runs
//!          ├─ install  namespace ─► lock ─► state ─► waves of parts ─► prune ─► state
//!          ├─ removal, remove   what is there of an installation; webhooks first, then all the rest
//!          ├─ verify   what was installed, and what is there
//!          └─ close    gives the lock back
//! ```
//!
//! It may end at any point, and be started again: what is about to be is written down first ([`crate::state`]), every
//! change can be made twice, and nothing is deleted that does not carry the owner's label. Once the lock is held,
//! failures that may pass are waited for: whoever calls sets the limit, by dropping the future.

mod additions;
mod api;
mod install;
mod kept;
mod lock;
mod plan;
mod remove;
mod tag;
mod verify;
mod wait;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use mesh_core::cluster::{Cluster, ClusterError};
use serde::Serialize;

use crate::diagnose::Cause;
use crate::object::{NotAnObject, ObjectRef};
use crate::plan::{Desired, Plan, Planned};
use crate::state::{State, StateError};

pub use api::Applied;
pub use install::InstallOptions;
pub use kept::Kept;
pub use lock::{Holder, NamedLock};
pub use plan::Claims;
pub use remove::{Left, Removal, RemovalScope};
pub use tag::{Tag, TagError};
pub use verify::{Drift, Verdict};

use api::Api;
use lock::Lock;

/// What happens, as it happens.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Event {
    /// Somebody else works on the mesh, and is waited for.
    LockHeld {
        /// Who.
        holder: Holder,
    },
    /// A part is begun.
    PartStarted {
        /// Its name.
        part: String,
        /// How many of its objects are to be written.
        objects: usize,
    },
    /// An object was written.
    Applied {
        /// The part that it belongs to.
        part: String,
        /// The object.
        object: ObjectRef,
    },
    /// A request failed, and is sent again.
    Retrying {
        /// What it is about.
        what: String,
        /// Why it failed, and what can be done.
        cause: Cause,
    },
    /// A workload does not run yet. Comes again when the causes change.
    Waiting {
        /// The part that it belongs to.
        part: String,
        /// The workload.
        object: ObjectRef,
        /// How far it is: `1 of 2 pods ready`.
        progress: String,
        /// What keeps it from running, if that can be told.
        causes: Vec<Cause>,
    },
    /// All of a part is there and runs.
    PartReady {
        /// Its name.
        part: String,
    },
    /// An object is being deleted.
    Removing {
        /// The object.
        object: ObjectRef,
    },
    /// An object is gone.
    Removed {
        /// The object.
        object: ObjectRef,
    },
    /// An object does not go.
    Stuck {
        /// The object.
        object: ObjectRef,
        /// What holds it: its finalizers, or those who have not let go.
        held_by: Vec<String>,
    },
}

/// Why it does not go on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The API server could not be asked, or refused.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Somebody else works on the mesh.
    #[error("{0} works on this mesh")]
    Locked(Holder),
    /// Somebody else has taken the lock over, because it was not renewed in time.
    #[error("the connection was lost for so long that {0} has taken over")]
    LockLost(Holder),
    /// What something is to be made in is not there.
    #[error("there is no namespace {0}")]
    NoNamespace(String),
    /// Objects that are in the way.
    #[error("{} in the way", if .0.len() == 1 { "1 object is".to_owned() } else { format!("{} objects are", .0.len()) })]
    Obstacles(Vec<Planned>),
    /// Something was changed since the plan was made.
    #[error("the cluster has changed since the plan was shown")]
    Outdated(Box<Plan>),
    /// A workload cannot run, and waiting is of no use.
    #[error("{workload} cannot run: {}", .causes.first().map(|cause| cause.summary.as_str()).unwrap_or_default())]
    Hopeless {
        /// The workload.
        workload: ObjectRef,
        /// Why.
        causes: Vec<Cause>,
    },
    /// What is known of an installation cannot be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// An object cannot be installed.
    #[error(transparent)]
    Object(#[from] NotAnObject),
}

/// The result of everything here.
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Who wants to know what happens.
pub type Report = Arc<dyn Fn(Event) + Send + Sync>;

/// Work on the mesh of one namespace. At most one lock is held at a time; [`Session::close`] gives it back.
pub struct Session {
    api: Api,
    mesh: String,
    lock: tokio::sync::Mutex<Option<Arc<Lock>>>,
}

impl Session {
    /// Prepares; sends nothing.
    pub fn new(cluster: Cluster, mesh: impl Into<String>, report: Report) -> Self {
        Self {
            api: Api::new(cluster, report),
            mesh: mesh.into(),
            lock: tokio::sync::Mutex::new(None),
        }
    }

    /// The same, for who may touch nothing but these namespaces: lists are of each of them, and namespaces themselves
    /// are neither made nor deleted. Objects without namespaces are worked on as ever.
    #[must_use]
    pub fn within(self, namespaces: BTreeSet<String>) -> Self {
        Self {
            api: self.api.within(namespaces),
            ..self
        }
    }

    /// The same, for who makes the same plans again and again: what was as desired is not tried again while nobody writes
    /// it. The memory may be that of several sessions of one cluster.
    #[must_use]
    pub fn remembering(self, kept: Arc<Kept>) -> Self {
        Self {
            api: self.api.remembering(kept),
            ..self
        }
    }

    /// The namespace of the mesh.
    pub fn mesh(&self) -> &str {
        &self.mesh
    }

    /// The states of all revisions, by name.
    ///
    /// # Errors
    ///
    /// They cannot be read, or one of them cannot be understood.
    pub async fn states(&self) -> Result<Vec<State>> {
        plan::states(&self.api, &self.mesh).await
    }

    /// Takes the lock, and waits for it at most so long; the namespace must be there.
    ///
    /// # Errors
    ///
    /// Somebody else has it.
    pub async fn lock(&self, wait: Option<Duration>) -> Result<()> {
        let mut held = self.lock.lock().await;
        if held.is_none() {
            *held = Some(Lock::acquire(&self.api, &self.mesh, lock::NAME, wait).await?);
        }
        Ok(())
    }

    /// What writes, and makes sure before each write that the lock is still held.
    async fn writer(&self) -> Api {
        let held = self.lock.lock().await;
        match &*held {
            Some(lock) => self.api.guarded(Arc::clone(lock)),
            None => self.api.patient(),
        }
    }

    /// Waits until all that is to run does. Says what keeps it, as installing does.
    ///
    /// # Errors
    ///
    /// A workload cannot run, or something cannot be read.
    pub async fn wait(&self, desired: &Desired) -> Result<()> {
        wait::wait(&self.api, desired, &desired.parts).await
    }

    /// Gives the lock back. To be called however the work ended; where it cannot be, the lock falls to the next one
    /// as soon as the process is known to be gone, and after 15 seconds at the latest.
    pub async fn close(&self) {
        if let Some(lock) = self.lock.lock().await.take() {
            lock.release().await;
        }
    }
}
