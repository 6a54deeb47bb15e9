//! One `MeshControlPlane`: what it describes comes to be, stays so, and goes with it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use kube::runtime::controller::Action as Next;
use kube::runtime::events::{Event as Announcement, EventType};
use kube::{Resource, ResourceExt};
use mesh_core::cluster::ErrorKind;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::FINALIZER;
use super::attempts::Tried;
use super::run::{Context, Notice, resource, tree};
use super::status::{Health, Standing};
use super::wanted::{Wanted, revision_of, wanted};
use crate::diagnose::Cause;
use crate::engine::{Claims, EngineError, Event, InstallOptions, RemovalScope, Session};
use crate::object::ObjectRef;
use crate::plan::{Action, Plan, Planned};
use crate::state::Phase;

/// How long an installation may take before its specification is looked at again.
const ATTEMPT: Duration = Duration::from_mins(1);

/// How long a removal may take at a time.
const REMOVAL: Duration = Duration::from_mins(5);

/// How long workloads are waited for before everything is looked at again.
const LOOK: Duration = Duration::from_secs(3);

/// How long whoever else works on the mesh is waited for.
const LOCK: Duration = Duration::from_secs(10);

/// Why what is, or was, in other namespaces is not looked after.
const NOT_WATCHED: &str = "NamespaceNotWatched";

/// Fields that others have changed are taken back. Objects of others are not.
const CLAIMS: Claims = Claims {
    adopt: false,
    force_conflicts: true,
};

/// What came of looking after a control plane.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Everything is as described.
    Unchanged,
    /// It was installed, or changed to what is described now.
    Installed,
    /// What differed is as described again: what was done, object by object.
    Repaired(Vec<String>),
    /// It is getting there.
    Waiting(String),
    /// It is not looked after: another one has its place, or it cannot be understood.
    Refused(String),
    /// It cannot be done.
    Failed(String),
    /// Everything is gone.
    Removed,
    /// The operator stopped meanwhile.
    Stopped,
}

impl Outcome {
    /// The word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Installed => "installed",
            Self::Repaired(_) => "repaired",
            Self::Waiting(_) => "waiting",
            Self::Refused(_) => "refused",
            Self::Failed(_) => "failed",
            Self::Removed => "removed",
            Self::Stopped => "stopped",
        }
    }

    /// Every outcome's word.
    pub const NAMES: [&'static str; 8] = [
        "failed",
        "installed",
        "refused",
        "removed",
        "repaired",
        "stopped",
        "unchanged",
        "waiting",
    ];
}

/// Looks after a control plane once.
pub(super) async fn reconcile(object: Arc<DynamicObject>, context: Arc<Context>) -> Result<Next, Infallible> {
    let begun = Instant::now();
    let plane = Plane::new(&object, &context);
    let name = format!("{}/{}", plane.namespace, plane.name);
    let tried = Tried {
        uid: object.uid().unwrap_or_default(),
        generation: plane.generation(),
    };
    let attempts = &context.attempts;
    if let Some(left) = attempts.pause(&name, &tried, begun) {
        return Ok(Next::requeue(left));
    }
    let outcome = plane.tend().await;
    let next = match &outcome {
        Outcome::Waiting(_) => Next::requeue(attempts.unfinished(&name, tried)),
        Outcome::Refused(_) | Outcome::Failed(_) => {
            Next::requeue(attempts.failed(&name, tried, Instant::now()))
        }
        Outcome::Unchanged | Outcome::Installed | Outcome::Repaired(_) => {
            attempts.done(&name);
            Next::requeue(context.settings.resync)
        }
        Outcome::Removed => {
            context.forget(&name);
            Next::await_change()
        }
        Outcome::Stopped => {
            attempts.done(&name);
            Next::await_change()
        }
    };
    (context.report)(Notice::Tended {
        plane: name,
        outcome,
        took: begun.elapsed(),
    });
    Ok(next)
}

/// A `MeshControlPlane`, and what there is to look after it.
struct Plane<'a> {
    object: &'a DynamicObject,
    /// The same as a tree.
    tree: Value,
    namespace: String,
    name: String,
    context: &'a Context,
    api: Api<DynamicObject>,
}

impl<'a> Plane<'a> {
    fn new(object: &'a DynamicObject, context: &'a Context) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        Self {
            tree: tree(object),
            api: Api::namespaced_with(context.cluster.client(), &namespace, &resource()),
            namespace,
            name: object.name_any(),
            object,
            context,
        }
    }

    /// The generation of the specification.
    fn generation(&self) -> i64 {
        self.object.metadata.generation.unwrap_or(0)
    }

    async fn tend(&self) -> Outcome {
        let is_held = self.object.finalizers().iter().any(|name| name == FINALIZER);
        if self.object.meta().deletion_timestamp.is_some() {
            return if is_held {
                self.remove().await
            } else {
                Outcome::Removed
            };
        }
        let wanted = match self.accept() {
            Ok(wanted) => wanted,
            Err((reason, message)) => return self.refuse(reason, message).await,
        };
        match self.hold(&wanted.desired.revision, is_held).await {
            Ok(true) => self.install(&wanted).await,
            Ok(false) => Outcome::Waiting("it has changed meanwhile".to_owned()),
            Err(error) => self.fail("Failed", error.to_string()).await,
        }
    }

    /// What is described, if this is the one to describe it.
    fn accept(&self) -> Result<Wanted, (&'static str, String)> {
        let wanted = wanted(&self.tree).map_err(|issues| ("InvalidSpec", issues.join("\n")))?;
        let revision = &wanted.desired.revision;
        // One that describes another revision now still has the one that it has installed.
        let describes =
            |other: &Value| revision_taken(other).unwrap_or_else(|| revision_of(other)) == revision;
        if let Some(older) = self.context.older(self.object, describes) {
            let message = format!("revision {revision} is described by the older MeshControlPlane {older}");
            return Err(("RevisionTaken", message));
        }
        if let Some(taken) = revision_taken(&self.tree).filter(|taken| taken != revision) {
            let message = format!(
                "its revision cannot change from {taken} to {revision}: describe revision {revision} in another \
                 MeshControlPlane, and delete this one when nothing uses {taken} any more"
            );
            return Err(("RevisionChanged", message));
        }
        match self.outside(&wanted.desired.references()) {
            Some(message) => Err((NOT_WATCHED, message)),
            None => Ok(wanted),
        }
    }

    /// What is wrong with objects in namespaces that are not watched, if there are any.
    fn outside(&self, objects: &BTreeSet<ObjectRef>) -> Option<String> {
        let watched = &self.context.settings.namespaces;
        let outside: Vec<String> = objects
            .iter()
            .filter(|object| object.kind.namespaced && !watched.contains(&object.namespace))
            .map(ToString::to_string)
            .collect();
        (!outside.is_empty()).then(|| {
            format!(
                "in a namespace that the operator does not watch (`meshctl operator init --watched-namespaces`): {}",
                outside.join(", ")
            )
        })
    }

    /// A session for the mesh, and what happens in it.
    fn session(&self) -> (Session, UnboundedReceiver<Event>) {
        let (sender, receiver) = unbounded_channel();
        let report = Arc::new(move |event| {
            // Whoever does not listen any more does not want to know.
            let _ = sender.send(event);
        });
        let session = Session::new(self.context.cluster.clone(), &self.namespace, report);
        let session = session
            .within(self.context.settings.namespaces.clone())
            .remembering(Arc::clone(&self.context.kept));
        (session, receiver)
    }

    /// Works until the end, until the operator stops, or until it takes too long. What keeps it is told meanwhile.
    async fn work<T>(
        &self,
        limit: Duration,
        mut events: UnboundedReceiver<Event>,
        work: impl Future<Output = Result<T, EngineError>>,
    ) -> Work<T> {
        let mut keeps = None;
        let mut work = std::pin::pin!(tokio::time::timeout(limit, work));
        loop {
            tokio::select! {
                biased;
                () = self.context.stopped() => return Work::Stopped,
                done = work.as_mut() => {
                    return match done {
                        Ok(Ok(value)) => Work::Done(value),
                        Ok(Err(error)) => Work::Failed(error),
                        Err(_) => Work::Late(keeps.unwrap_or_else(|| "it takes long".to_owned())),
                    };
                }
                Some(event) = events.recv() => {
                    if let Some(what) = what_keeps(&event) {
                        let progress = Standing { health: Health::Progressing, reason: "Waiting", message: what.clone() };
                        self.say(&progress, None).await;
                        keeps = Some(what);
                    }
                }
            }
        }
    }

    async fn install(&self, wanted: &Wanted) -> Outcome {
        let (session, events) = self.session();
        let (done, limit) = (self.apply(&session, wanted), ATTEMPT + LOCK);
        let done = Box::pin(self.work(limit, events, done)).await;
        session.close().await;
        let outcome = match done {
            Work::Done(Outcome::Refused(message)) => return self.refuse(NOT_WATCHED, message).await,
            Work::Done(outcome) => outcome,
            Work::Stopped => return Outcome::Stopped,
            Work::Late(why) => return self.wait(why).await,
            Work::Failed(EngineError::Locked(holder)) => {
                return self.wait(format!("{holder} works on this mesh")).await;
            }
            Work::Failed(error) => {
                let reason = match error {
                    EngineError::Obstacles(_) => "Obstacles",
                    EngineError::Hopeless { .. } => "CannotRun",
                    _ => "Failed",
                };
                return self.fail(reason, explain(&error)).await;
            }
        };
        self.announce_change(&outcome).await;
        // What runs is looked at by itself: where nothing is to be written, or nothing was waited for.
        let (session, events) = self.session();
        match Box::pin(self.work(LOOK, events, session.wait(&wanted.desired))).await {
            Work::Done(()) => {}
            Work::Stopped => return Outcome::Stopped,
            Work::Late(why) => return self.wait(why).await,
            Work::Failed(error) => return self.fail("CannotRun", explain(&error)).await,
        }
        let mut message = format!("revision {} is installed and runs", wanted.desired.revision);
        for warning in &wanted.warnings {
            message.push_str("\nwarning: ");
            message.push_str(warning);
        }
        let ready = Standing {
            health: Health::Ready,
            reason: "Running",
            message,
        };
        self.say(&ready, Some(wanted)).await;
        outcome
    }

    /// Makes everything be as described, if it is not.
    async fn apply(&self, session: &Session, wanted: &Wanted) -> Result<Outcome, EngineError> {
        let desired = &wanted.desired;
        let states = session.states().await?;
        let state = states.iter().find(|state| state.revision == desired.revision);
        if let Some(message) = state.and_then(|state| self.outside(&state.inventory)) {
            return Ok(Outcome::Refused(message));
        }
        let is_installed = state.is_some_and(|state| {
            let current = state.current();
            state.phase == Phase::Installed && current.is_some_and(|entry| entry.parts == desired.parts)
        });
        let options = InstallOptions {
            claims: CLAIMS,
            // What ran before has its webhooks already: all of it can be repaired at once.
            no_wait: is_installed,
            wait_for_lock: Some(LOCK),
            ..InstallOptions::default()
        };
        let mut repaired = Vec::new();
        loop {
            let mut plan = session.plan(desired, CLAIMS).await?;
            let mut obstacles = plan.obstacles();
            if obstacles.is_empty() && !(is_installed && plan.is_empty()) {
                let installed = Box::pin(session.install(desired, wanted.facts.clone(), &options)).await;
                match installed {
                    Ok(done) => plan = done,
                    // Somebody has taken something meanwhile.
                    Err(EngineError::Obstacles(found)) => obstacles = found,
                    Err(error) => return Err(error),
                }
            }
            if obstacles.is_empty() {
                repaired.extend(repairs(&plan));
                break;
            }
            let back = match state {
                Some(state) => session.take_back(&obstacles, &state.inventory).await?,
                None => Vec::new(),
            };
            if back.is_empty() {
                return Err(EngineError::Obstacles(obstacles));
            }
            repaired.extend(back.iter().map(|object| format!("{object} labelled again")));
        }
        Ok(match (is_installed, repaired.is_empty()) {
            (false, _) => Outcome::Installed,
            (true, true) => Outcome::Unchanged,
            (true, false) => Outcome::Repaired(repaired),
        })
    }

    async fn remove(&self) -> Outcome {
        let revision = match self.taken().await {
            Ok(Some(revision)) => revision,
            // Nothing was installed.
            Ok(None) => return self.release().await,
            Err(error) => return self.fail("NotRemoved", error.to_string()).await,
        };
        let is_its = |other: &Value| revision_taken(other) == Some(revision.as_str());
        if self.context.older(self.object, is_its).is_some() {
            return self.release().await;
        }
        let going = Standing {
            health: Health::Progressing,
            reason: "Removing",
            message: format!("revision {revision} is being removed"),
        };
        self.say(&going, None).await;
        let (session, events) = self.session();
        let scope = RemovalScope::Revision(revision.clone());
        let done = Box::pin(self.work(REMOVAL, events, session.remove(&scope, Some(LOCK)))).await;
        session.close().await;
        match done {
            Work::Done(_) => {}
            Work::Stopped => return Outcome::Stopped,
            Work::Late(why) => return self.wait(why).await,
            Work::Failed(EngineError::Locked(holder)) => {
                return self.wait(format!("{holder} works on this mesh")).await;
            }
            Work::Failed(error) => return self.fail("NotRemoved", explain(&error)).await,
        }
        let note = format!("revision {revision} is removed");
        self.announce(EventType::Normal, "Removed", "Remove", note).await;
        self.release().await
    }

    /// Keeps the object until what it describes is removed, and takes note of its revision. Both come before anything is
    /// installed: whatever becomes of the specification, it is known what to remove. Returns false if the object is not
    /// the one any more that was looked at.
    async fn hold(&self, revision: &str, is_held: bool) -> Result<bool, kube::Error> {
        if !is_held && !self.finalizers(|names| names.push(FINALIZER.to_owned())).await? {
            return Ok(false);
        }
        if let Some(taken) = self.taken().await? {
            return Ok(taken == revision);
        }
        let patch = Patch::Merge(json!({ "status": { "revision": revision } }));
        let patched = self
            .api
            .patch_status(&self.name, &PatchParams::default(), &patch)
            .await;
        is_there(patched)
    }

    /// The revision that was taken note of, without which nothing was installed.
    async fn taken(&self) -> Result<Option<String>, kube::Error> {
        if let Some(taken) = revision_taken(&self.tree) {
            return Ok(Some(taken.to_owned()));
        }
        // What was seen last may be older than what was written last.
        let live = self.api.get_opt(&self.name).await?;
        let live = live.filter(|live| live.uid() == self.object.uid());
        Ok(live.and_then(|live| revision_taken(&live.data).map(str::to_owned)))
    }

    /// Lets the object go.
    async fn release(&self) -> Outcome {
        let released = self.finalizers(|names| names.retain(|name| name != FINALIZER));
        match released.await {
            Ok(_) => Outcome::Removed,
            Err(error) => Outcome::Failed(error.to_string()),
        }
    }

    /// Changes the finalizers of exactly this version of the object. Returns whether it is there.
    async fn finalizers(&self, change: impl FnOnce(&mut Vec<String>)) -> Result<bool, kube::Error> {
        let mut names = self.object.finalizers().to_vec();
        change(&mut names);
        // The status may have been written since; nobody else changes finalizers of ours.
        let patch = json!({ "metadata": { "finalizers": names, "uid": self.object.uid() } });
        let patched = self
            .api
            .patch(&self.name, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        is_there(patched)
    }

    async fn wait(&self, message: String) -> Outcome {
        let standing = Standing {
            health: Health::Progressing,
            reason: "Waiting",
            message: message.clone(),
        };
        self.say(&standing, None).await;
        Outcome::Waiting(message)
    }

    async fn fail(&self, reason: &'static str, message: String) -> Outcome {
        self.degrade(reason, &message).await;
        Outcome::Failed(message)
    }

    async fn refuse(&self, reason: &'static str, message: String) -> Outcome {
        self.degrade(reason, &message).await;
        Outcome::Refused(message)
    }

    async fn degrade(&self, reason: &'static str, message: &str) {
        let standing = Standing {
            health: Health::Degraded,
            reason,
            message: message.to_owned(),
        };
        if self.say(&standing, None).await {
            self.announce(EventType::Warning, reason, "Reconcile", message.to_owned())
                .await;
        }
    }

    async fn announce_change(&self, outcome: &Outcome) {
        let (reason, note) = match outcome {
            Outcome::Installed => ("Installed", "everything is as described".to_owned()),
            Outcome::Repaired(repairs) => ("Repaired", repairs.join(", ")),
            _ => return,
        };
        self.announce(EventType::Normal, reason, "Reconcile", note).await;
    }

    /// Writes the status, if it says something else. Returns whether it did.
    async fn say(&self, standing: &Standing, installed: Option<&Wanted>) -> bool {
        let generation = self.generation();
        let status = match self.api.get_opt(&self.name).await {
            Ok(Some(live)) => live.data["status"].clone(),
            Ok(None) => return false,
            Err(_) => self.tree["status"].clone(),
        };
        let conditions = &status["conditions"];
        let version = installed.map(|wanted| wanted.facts.version.clone().unwrap_or_default());
        let is_known = version
            .as_ref()
            .is_none_or(|version| status["version"] == version.as_str());
        if standing.is_told(conditions, generation) && is_known {
            return false;
        }
        let now = format!("{:.0}", Timestamp::now());
        let mut status = json!({
            "observedGeneration": generation,
            "conditions": standing.conditions(conditions, generation, &now),
        });
        if let Some(version) = version {
            status["version"] = json!(version);
        }
        let patch = Patch::Merge(json!({ "status": status }));
        match self
            .api
            .patch_status(&self.name, &PatchParams::default(), &patch)
            .await
        {
            Ok(_) => true,
            Err(kube::Error::Api(status)) if status.code == 404 => false,
            Err(error) => {
                let what = format!("the status of {}/{}", self.namespace, self.name);
                let error = self.context.cluster.error(&error, &what);
                (self.context.report)(Notice::Trouble(error.message));
                false
            }
        }
    }

    /// Makes an event of the object.
    async fn announce(&self, type_: EventType, reason: &str, action: &str, note: String) {
        /// The most bytes of a note (`events.k8s.io/v1`).
        const LONGEST: usize = 1024;
        let mut note = note;
        while note.len() > LONGEST {
            note.pop();
        }
        let object = format!("{}/{}", self.namespace, self.name);
        let recorder = self.context.recorder(&object, reason, &note);
        let event = Announcement {
            type_,
            reason: reason.to_owned(),
            note: Some(note),
            action: action.to_owned(),
            secondary: None,
        };
        let reference = self.object.object_ref(&resource());
        if let Err(error) = recorder.publish(&event, &reference).await {
            let error = self.context.cluster.error(&error, "an event");
            // An object that is gone, in a namespace that goes, gets no events.
            if error.kind != ErrorKind::NotFound {
                (self.context.report)(Notice::Trouble(error.message));
            }
        }
    }
}

/// The revision that a control plane has installed, or is installing.
fn revision_taken(plane: &Value) -> Option<&str> {
    plane["status"]["revision"].as_str()
}

/// Whether there is what was to be changed.
fn is_there<T>(changed: Result<T, kube::Error>) -> Result<bool, kube::Error> {
    match changed {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error),
    }
}

/// How work ended.
enum Work<T> {
    Done(T),
    Failed(EngineError),
    /// It takes longer than is waited for; what keeps it.
    Late(String),
    Stopped,
}

/// What keeps the work from its end, if an event tells that.
fn what_keeps(event: &Event) -> Option<String> {
    match event {
        Event::LockHeld { holder } => Some(format!("{holder} works on this mesh")),
        Event::Retrying { what, cause } => Some(format!("{what}: {}", cause.summary)),
        Event::Waiting {
            object,
            progress,
            causes,
            ..
        } => Some(told(object, progress, causes)),
        Event::Stuck { object, held_by } => Some(format!("{object} does not go: {}", held_by.join(", "))),
        _ => None,
    }
}

fn told(object: &ObjectRef, progress: &str, causes: &[Cause]) -> String {
    let mut text = format!("{object}: {progress}");
    for cause in causes {
        text.push('\n');
        text.push_str(&cause.summary);
        for hint in &cause.hints {
            text.push_str("; ");
            text.push_str(hint);
        }
    }
    text
}

/// An error with all that it consists of.
fn explain(error: &EngineError) -> String {
    match error {
        EngineError::Obstacles(obstacles) => {
            let lines: Vec<String> = obstacles.iter().map(obstacle).collect();
            lines.join("\n")
        }
        EngineError::Hopeless { workload, causes } => told(workload, "cannot run", causes),
        EngineError::Cluster(error) => match &error.hint {
            Some(hint) => format!("{}; {hint}", error.message),
            None => error.message.clone(),
        },
        other => other.to_string(),
    }
}

fn obstacle(planned: &Planned) -> String {
    let object = &planned.object;
    match &planned.action {
        Action::Foreign { owner } => format!("{object} belongs to {owner}"),
        Action::Refused(why) => format!("{object} is refused: {why}"),
        Action::Conflict(conflicts) => {
            let fields: Vec<_> = conflicts
                .iter()
                .map(|conflict| format!("{} of {}", conflict.field, conflict.manager))
                .collect();
            format!("{object}: {}", fields.join(", "))
        }
        other => format!("{object}: {}", other.name()),
    }
}

/// What was done, object by object.
fn repairs(plan: &Plan) -> Vec<String> {
    let changed = plan.planned.iter().filter_map(|planned| {
        let done = match planned.action {
            Action::Create => "made again",
            Action::Change { .. } => "changed back",
            Action::Remove => "removed",
            _ => return None,
        };
        Some(format!("{} {done}", planned.object))
    });
    changed.collect()
}
