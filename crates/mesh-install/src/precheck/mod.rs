//! Whether a cluster can take a mesh, and what state the one that it has is in.
//!
//! ```text
//!              the program gathers           CHECKS, in order
//! cluster ───────────────────────► Facts ─┬───────────────────► Report ─► text, JSON, YAML, JUnit
//!                                Options ─┘
//! ```
//!
//! Facts are plain data. What could not be read is a fact too ([`Unread`]): the checks that need it say so
//! ([`Status::Skipped`]), and the others go on. The time is a fact, so that a check says the same about the same facts.

pub mod access;
mod capacity;
mod certificates;
mod control_plane;
mod crds;
mod facts;
mod kubernetes;
mod network;
mod objects;
mod permissions;
mod table;
#[cfg(test)]
mod testing;
mod webhooks;
mod workloads;

#[cfg(test)]
pub(crate) use capacity::with_sidecar;

use std::fmt;

use mesh_core::words::counted;
use serde::Serialize;

pub use facts::{CaSecret, Facts, Read, Unread};
pub use table::CHECKS;

use crate::manifest::{ComponentName, Manifest, render};
use crate::spec::Spec;
use crate::version::Release;

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Options {
    /// The release of Istio.
    pub release: &'static Release,
    /// The name of the profile.
    pub profile: String,
    /// The namespace of the control plane.
    pub istio_namespace: String,
    /// The revision; empty for one without a name.
    pub revision: String,
    /// The objects.
    pub manifest: Manifest,
}

impl Options {
    /// What a specification says.
    pub fn of(spec: &Spec) -> Self {
        Self {
            release: spec.release,
            profile: spec.control_plane.profile.clone(),
            istio_namespace: spec.namespace().to_owned(),
            revision: spec.control_plane.revision.clone(),
            manifest: render(spec),
        }
    }

    /// Whether a component is installed.
    pub fn installs(&self, component: ComponentName) -> bool {
        let mut components = self.manifest.components.iter();
        components.any(|installed| installed.name == component)
    }
}

/// Checks that belong together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The cluster itself.
    Kubernetes,
    /// What the user may do.
    Permissions,
    /// Whether pods would find nodes.
    Capacity,
    /// What is installed already.
    ExistingMesh,
    /// What proxies and control plane need of the network and the nodes.
    Network,
    /// The pods that are to be in the mesh.
    Workloads,
}

impl Category {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Kubernetes,
        Self::Permissions,
        Self::Capacity,
        Self::ExistingMesh,
        Self::Network,
        Self::Workloads,
    ];

    /// The name in arguments and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kubernetes => "kubernetes",
            Self::Permissions => "permissions",
            Self::Capacity => "capacity",
            Self::ExistingMesh => "existing-mesh",
            Self::Network => "network",
            Self::Workloads => "workloads",
        }
    }

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Kubernetes => "Kubernetes",
            Self::Permissions => "Permissions",
            Self::Capacity => "Capacity and scheduling",
            Self::ExistingMesh => "Existing mesh",
            Self::Network => "Network and runtime",
            Self::Workloads => "Workloads",
        }
    }
}

/// One thing to look at.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its identity, in kebab case.
    pub name: &'static str,
    /// Where it is shown.
    pub category: Category,
    /// What it looks at, in a few words.
    pub title: &'static str,
    /// What it looks at and when it fails, in Markdown.
    pub docs: &'static str,
    /// Whether a failure can pass without anybody doing anything, as with a pod that is starting.
    pub can_pass: bool,
    /// Judges the facts.
    pub check: fn(&Facts, &Options) -> Read<Outcome>,
}

/// How a check went.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing stands in the way.
    Pass,
    /// What it needs could not be read.
    Skipped,
    /// It works, or may work, with a drawback.
    Warning,
    /// Installation would fail, or the mesh would not work.
    Fail,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Fail => "fail",
        })
    }
}

/// What a check says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How it went.
    pub status: Status,
    /// The answer in a phrase.
    pub summary: String,
    /// The particulars, a line each.
    pub detail: Vec<String>,
    /// What to do, with the next command.
    pub hint: Option<String>,
    /// Objects to apply, in YAML, that would make it pass.
    pub manifest: Option<String>,
}

impl Outcome {
    fn new(status: Status, summary: impl Into<String>) -> Self {
        Self {
            status,
            summary: summary.into(),
            detail: Vec::new(),
            hint: None,
            manifest: None,
        }
    }

    /// Nothing stands in the way.
    pub fn pass(summary: impl Into<String>) -> Self {
        Self::new(Status::Pass, summary)
    }

    /// It works with a drawback.
    pub fn warning(summary: impl Into<String>) -> Self {
        Self::new(Status::Warning, summary)
    }

    /// It does not work.
    pub fn fail(summary: impl Into<String>) -> Self {
        Self::new(Status::Fail, summary)
    }

    fn skipped(unread: Unread) -> Self {
        let Unread { why, hint } = unread;
        Self {
            hint,
            ..Self::new(Status::Skipped, format!("could not be checked: {why}"))
        }
    }

    /// Adds particulars.
    #[must_use]
    pub fn detail(mut self, lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.detail.extend(lines.into_iter().map(Into::into));
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A check and what it said.
#[derive(Clone, Debug)]
pub struct CheckResult {
    /// The check.
    pub check: &'static Check,
    /// What it said.
    pub outcome: Outcome,
}

/// What all checks said, in the order of [`CHECKS`].
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The results.
    pub results: Vec<CheckResult>,
}

impl Report {
    /// The number of checks that went so.
    pub fn count(&self, status: Status) -> usize {
        self.results
            .iter()
            .filter(|result| result.outcome.status == status)
            .count()
    }

    /// The results of each category that has any.
    pub fn categories(&self) -> impl Iterator<Item = (Category, &[CheckResult])> {
        self.results
            .chunk_by(|a, b| a.check.category == b.check.category)
            .map(|results| (results[0].check.category, results))
    }

    /// The checks that went at least as badly as `status`, and may pass if one waits.
    pub fn worth_waiting_for(&self, status: Status) -> impl Iterator<Item = &'static Check> {
        self.results
            .iter()
            .filter(move |result| result.outcome.status >= status && result.check.can_pass)
            .map(|result| result.check)
    }
}

/// Makes those of all checks that `wanted` chooses.
pub fn run(facts: &Facts, options: &Options, wanted: impl Fn(&Check) -> bool) -> Report {
    let results = CHECKS
        .iter()
        .filter(|check| wanted(check))
        .map(|check| CheckResult {
            check,
            outcome: (check.check)(facts, options).unwrap_or_else(Outcome::skipped),
        })
        .collect();
    Report { results }
}
