//! Moves traffic from one version of a service to another in steps, judged by metrics.
//!
//! ```text
//! Mesh ─ locate ─► Place (the object, its routes, stable and canary) ─┐
//!                                                                     ├─ Rollout ─ patch ─► JSON Patch with tests
//! canary.yaml, arguments ─ plan ─► steps, limits ─────────────────────┘    ▲  │
//!                                                                          │  └─► annotation, from which it resumes
//! Prometheus ─ judge ─► Verdict ─ Run::after ─► Next ──────────────────────┘
//! ```
//!
//! Objects stay trees of JSON: a field that is not ours keeps its value and its spelling. Every patch tests what it
//! replaces, and carries the state of the rollout together with the weights, so that the two never differ.
//!
//! The crate does no I/O and knows no clock.

pub mod judge;
pub mod locate;
pub mod patch;
pub mod percent;
pub mod plan;
pub mod route;
pub mod rules;
pub mod schema;
pub mod state;

use std::fmt;

/// Why something cannot be done: nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Whether somebody else has changed what is ours to change.
    pub is_conflict: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Refusal {
    /// A refusal.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            is_conflict: false,
            message: message.into(),
            hint: None,
        }
    }

    /// A refusal because somebody else has changed what is ours to change.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self {
            is_conflict: true,
            ..Self::new(message)
        }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
