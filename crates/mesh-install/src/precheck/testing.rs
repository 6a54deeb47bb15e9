//! What the tests of checks have in common.

use jiff::Timestamp;

use super::facts::{Facts, Read};
use super::{Options, Outcome};
use crate::spec::Spec;
use crate::version::Release;

/// The time of [`facts`].
pub(super) fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().expect("a time")
}

/// An empty cluster.
pub(super) fn facts() -> Facts {
    Facts::empty(now())
}

/// The default profile of the newest release.
pub(super) fn options() -> Options {
    options_of("default")
}

/// A profile of the newest release.
pub(super) fn options_of(profile: &str) -> Options {
    Options::of(&Spec::of_profile(profile, Release::latest()))
}

/// The outcome of a check whose facts are all known.
#[track_caller]
pub(super) fn read(outcome: Read<Outcome>) -> Outcome {
    outcome.expect("all facts are known")
}
