//! What the tests of checks have in common.

use jiff::Timestamp;

use super::facts::{Facts, Read};
use super::{Options, Outcome};
use crate::profile::Profile;
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
    Options {
        release: Release::latest(),
        profile: Profile::by_name("default").expect("a profile"),
        istio_namespace: "istio-system".to_owned(),
        revision: String::new(),
    }
}

/// The outcome of a check whose facts are all known.
#[track_caller]
pub(super) fn read(outcome: Read<Outcome>) -> Outcome {
    outcome.expect("all facts are known")
}
