//! What is known of a rollout, and what comes next. It is kept as an annotation beside the weights that it is about.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Refusal;
use crate::judge::Verdict;
use crate::percent::Percent;
use crate::plan::Plan;
use crate::route::{Condition, Names, Role, Section, Subject};

/// The annotation of the object with the routes that holds a [`Rollout`] as JSON.
pub const ANNOTATION: &str = "meshctl.dev/canary";

/// The format of the annotation.
const FORMAT: u32 = 1;

/// Events that are kept.
const KEPT_EVENTS: usize = 40;

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Phase {
    /// Prepared: the routes know both versions, and no traffic has moved.
    Ready,
    /// Traffic has moved, and nobody has said how it ends.
    Progressing,
    /// On hold.
    Paused,
    /// The canary has all traffic, and is the stable version from now on.
    Promoted,
    /// All went back because somebody said so.
    Aborted,
    /// All went back because the canary was judged bad.
    RolledBack,
    /// A promotion was taken back.
    Undone,
}

impl Phase {
    /// Whether traffic is still to move.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Ready | Self::Progressing | Self::Paused)
    }

    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Progressing => "progressing",
            Self::Paused => "paused",
            Self::Promoted => "promoted",
            Self::Aborted => "aborted",
            Self::RolledBack => "rolled back",
            Self::Undone => "undone",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A route whose weights a rollout changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RouteState {
    /// The list that it is in.
    pub section: Section,
    /// Its name, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its conditions; null if it has none.
    #[serde(default, rename = "match", skip_serializing_if = "Value::is_null")]
    pub matches: Value,
    /// Its destinations before the rollout.
    pub original: Vec<Value>,
    /// Its destinations as the rollout has left them.
    pub written: Vec<Value>,
    /// Routes that the rollout has put above it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inserted: Vec<Value>,
    /// Whether `mirror` and `mirrorPercentage` are the rollout's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_mirrored: bool,
    /// The filter among a rule's `filters` that mirrors for the rollout, in routes of the Gateway API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror_filter: Option<Value>,
}

impl RouteState {
    /// The weights before the rollout: the canary's, and that of both versions together.
    pub fn weights_before(&self, subject: &Subject, names: &Names<'_>) -> (i64, i64) {
        divided(subject, self.section, &self.original, names)
    }
}

/// The weight of the canary among destinations, and that of both versions together.
fn divided(subject: &Subject, section: Section, destinations: &[Value], names: &Names<'_>) -> (i64, i64) {
    let (mut canary, mut both) = (0_i64, 0_i64);
    for (destination, weight) in destinations.iter().zip(section.weights(destinations)) {
        match subject.role(section, destination, names) {
            Role::Other => continue,
            Role::Canary => canary = canary.saturating_add(weight),
            Role::Stable | Role::Whole => {}
        }
        both = both.saturating_add(weight);
    }
    (canary, both)
}

/// The shares that the canary has on the routes of an object to either version, in a rollout or not.
pub fn shares(object: &Value, subject: &Subject, names: &Names<'_>) -> Vec<Percent> {
    let sections = Section::of(object).iter();
    let routes = sections.flat_map(|section| section.routes(object).iter().map(|route| (*section, route)));
    routes
        .map(|(section, route)| divided(subject, section, section.destinations(route), names))
        .filter(|(_, both)| *both > 0)
        .map(|(canary, both)| Percent::of_parts(canary, both))
        .collect()
}

/// Something that a rollout has made and takes away again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Created {
    /// The VirtualService itself.
    VirtualService,
    /// A DestinationRule in the namespace of the service.
    DestinationRule {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// A subset of a DestinationRule that was there.
    Subset {
        /// The rule's namespace.
        namespace: String,
        /// The rule's name.
        rule: String,
        /// The subset as it was written.
        subset: Value,
    },
}

/// What else is done with requests, beside the weights.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extras {
    /// Requests that all go to the canary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previews: Vec<Condition>,
    /// The share of requests that the canary gets a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Percent>,
    /// The name of the cookie that keeps a user at the canary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<String>,
}

impl Extras {
    /// Adds `more`: another condition comes to those that are there, another share or name replaces the one that is.
    pub fn add(&mut self, more: &Self) {
        let Self {
            previews,
            mirror,
            sticky,
        } = more;
        for preview in previews {
            if !self.previews.contains(preview) {
                self.previews.push(preview.clone());
            }
        }
        self.mirror = mirror.or(self.mirror);
        if sticky.is_some() {
            self.sticky.clone_from(sticky);
        }
    }
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// When, RFC 3339.
    pub time: String,
    /// Who did it: a user of the cluster.
    pub by: String,
    /// What, in a few words.
    pub what: String,
    /// The canary's share afterwards.
    pub percent: Percent,
    /// Which versions it was about, as `v1 → v2`.
    pub versions: String,
}

/// The progress of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Run {
    /// What is to be done.
    pub plan: Plan,
    /// The index of the step that is being judged, or comes next.
    pub step: usize,
    /// Verdicts against the canary so far.
    #[serde(default)]
    pub failures: u32,
    /// Verdicts of this step that said nothing.
    #[serde(default)]
    pub inconclusive: u32,
    /// Attempts to judge this step that went wrong.
    #[serde(default)]
    pub errors: u32,
    /// What the canary's pods are made from: each workload with the hash of its template. Empty is not known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub judged: BTreeSet<String>,
}

/// What to do after a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Move on to the next step.
    Shift,
    /// Wait, and judge the same step again.
    Judge,
    /// All steps are done, and the canary has all traffic.
    Promote,
    /// All steps are done; the last one leaves traffic with both.
    Done,
    /// Go back, for this reason.
    RollBack(String),
    /// Stop here, for this reason.
    Hold(String),
}

impl Run {
    /// A plan at its start, for a canary that has `percent` already.
    pub fn new(plan: Plan, percent: Percent) -> Self {
        let mut run = Self {
            plan,
            step: 0,
            failures: 0,
            inconclusive: 0,
            errors: 0,
            judged: BTreeSet::new(),
        };
        run.move_past(percent);
        run
    }

    /// Leaves steps out that the canary's share is past.
    pub fn move_past(&mut self, percent: Percent) {
        let steps = &self.plan.steps;
        self.step = steps
            .iter()
            .position(|step| *step > percent)
            .unwrap_or(steps.len().saturating_sub(1));
    }

    /// The share of the current step.
    pub fn percent(&self) -> Percent {
        self.plan.steps.get(self.step).copied().unwrap_or(Percent::FULL)
    }

    /// Takes a verdict on the current step into account.
    pub fn after(&mut self, verdict: &Verdict) -> Next {
        let limits = &self.plan.limits;
        match verdict {
            Verdict::Pass => {
                self.inconclusive = 0;
                self.errors = 0;
                let is_full = self.percent() == Percent::FULL;
                if self.step + 1 < self.plan.steps.len() {
                    self.step += 1;
                    Next::Shift
                } else if is_full {
                    Next::Promote
                } else {
                    Next::Done
                }
            }
            Verdict::Fail(reason) => {
                self.failures += 1;
                if self.failures >= limits.max_failures {
                    Next::RollBack(reason.clone())
                } else {
                    Next::Judge
                }
            }
            Verdict::Inconclusive(reason) => {
                self.inconclusive += 1;
                if self.inconclusive >= limits.max_inconclusive {
                    Next::Hold(reason.clone())
                } else {
                    Next::Judge
                }
            }
            Verdict::Error(reason) => {
                self.errors += 1;
                if self.errors >= limits.max_errors {
                    Next::Hold(reason.clone())
                } else {
                    Next::Judge
                }
            }
        }
    }
}

/// All that is known of a rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rollout {
    /// The format of this.
    pub format: u32,
    /// What moves.
    pub subject: Subject,
    /// Where it stands.
    pub phase: Phase,
    /// The canary's share.
    pub percent: Percent,
    /// Who began it.
    pub by: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// When it changed last, RFC 3339.
    pub updated: String,
    /// Why it stands where it stands, if there is something to say.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The plan that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// What else is done with requests.
    #[serde(default)]
    pub extras: Extras,
    /// Whether the weights of a route may be multiplied for a share that they cannot express.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_rescale: bool,
    /// The routes that it changes.
    pub routes: Vec<RouteState>,
    /// What it has made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub created: Vec<Created>,
    /// What happened in this and earlier rollouts, the oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
}

impl Rollout {
    /// Whether requests are divided, and whether connections are.
    pub fn traffic(&self) -> (bool, bool) {
        let mut sections = self.routes.iter().map(|route| route.section);
        let has_requests = sections.clone().any(Section::is_http);
        (has_requests, sections.any(|section| !section.is_http()))
    }
}

/// Who acts, and when.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// RFC 3339.
    pub time: String,
    /// A user of the cluster.
    pub by: String,
}

impl Rollout {
    /// A rollout that has moved nothing yet, of a canary that has nothing yet.
    pub fn new(subject: Subject, routes: Vec<RouteState>, stamp: &Stamp, events: Vec<Event>) -> Self {
        Self {
            format: FORMAT,
            subject,
            phase: Phase::Ready,
            percent: Percent::ZERO,
            by: stamp.by.clone(),
            started: stamp.time.clone(),
            updated: stamp.time.clone(),
            message: String::new(),
            run: None,
            extras: Extras::default(),
            may_rescale: false,
            routes,
            created: Vec::new(),
            events,
        }
    }

    /// The canary's share before the rollout, by the weights that its routes had.
    ///
    /// # Errors
    ///
    /// Routes that differ in it: no one share is that of all.
    pub fn share_before(&self, names: &Names<'_>) -> Result<Percent, Refusal> {
        let weights = self
            .routes
            .iter()
            .map(|route| route.weights_before(&self.subject, names));
        let mut shares = weights
            .filter(|(_, both)| *both > 0)
            .map(|(canary, both)| Percent::of_parts(canary, both));
        let first = shares.next().unwrap_or_default();
        match shares.find(|share| *share != first) {
            None => Ok(first),
            Some(other) => Err(Refusal::new(format!(
                "{} has {first} of the traffic of one route and {other} of another's",
                self.subject.canary
            ))
            .hinted("`--route` names the one to change")),
        }
    }

    /// Reads the state that an object carries.
    ///
    /// # Errors
    ///
    /// An annotation that is none of ours, or of a newer program.
    pub fn of(object: &Value) -> Result<Option<Self>, Refusal> {
        let Some(text) = annotation(object) else {
            return Ok(None);
        };
        let broken = |error: serde_json::Error| {
            Refusal::new(format!("the annotation `{ANNOTATION}` cannot be read: {error}"))
                .hinted("restore it, or remove it and set the weights by hand")
        };
        let value: Value = serde_json::from_str(text).map_err(broken)?;
        match value.get("format").and_then(Value::as_u64) {
            Some(format) if format > u64::from(FORMAT) => Err(Refusal::new(format!(
                "the rollout was begun by a newer meshctl (format {format})"
            ))
            .hinted("update meshctl")),
            _ => serde_json::from_value(value).map(Some).map_err(broken),
        }
    }

    /// The state as text for the annotation.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Takes a verdict on the step of its plan into the state, and says what is to follow.
    ///
    /// A rollout that somebody has put on hold meanwhile only notes the verdict, and one that is over not even that. What
    /// [`Next::RollBack`] needs is left to whoever does it.
    ///
    /// # Errors
    ///
    /// A rollout that follows no plan.
    pub fn judged(&mut self, verdict: &Verdict, stamp: &Stamp) -> Result<Next, Refusal> {
        if !self.phase.is_open() {
            return Ok(Next::Judge);
        }
        let what = match verdict.reason() {
            "" => verdict.as_str().to_owned(),
            reason => format!("{}: {reason}", verdict.as_str()),
        };
        let Some(run) = &mut self.run else {
            return Err(Refusal::new("the rollout follows no plan any more"));
        };
        if self.phase == Phase::Paused {
            self.record(stamp, Phase::Paused, what);
            return Ok(Next::Judge);
        }
        let next = run.after(verdict);
        let percent = run.percent();
        match &next {
            Next::RollBack(_) => {}
            Next::Judge => self.record(stamp, self.phase, what),
            Next::Shift => {
                self.percent = percent.max(self.percent);
                self.record(stamp, Phase::Progressing, what);
            }
            Next::Promote => {
                self.extras = Extras::default();
                self.record(stamp, Phase::Promoted, what);
            }
            Next::Done => {
                "all steps are done".clone_into(&mut self.message);
                self.record(stamp, Phase::Paused, what);
            }
            Next::Hold(reason) => {
                self.message.clone_from(reason);
                self.record(stamp, Phase::Paused, what);
            }
        }
        Ok(next)
    }

    /// Notes that something happened, and where the rollout stands then.
    pub fn record(&mut self, stamp: &Stamp, phase: Phase, what: impl Into<String>) {
        self.phase = phase;
        self.updated.clone_from(&stamp.time);
        self.events.push(Event {
            time: stamp.time.clone(),
            by: stamp.by.clone(),
            what: what.into(),
            percent: self.percent,
            versions: format!("{} → {}", self.subject.stable, self.subject.canary),
        });
        let surplus = self.events.len().saturating_sub(KEPT_EVENTS);
        self.events.drain(..surplus);
    }
}

/// The text of the annotation.
pub(crate) fn annotation(object: &Value) -> Option<&str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(ANNOTATION)?
        .as_str()
}
