//! What the program tells its caller by its exit status.

use std::process::ExitCode;

/// The exit status; documented, and never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The work is done, and there is nothing to complain about.
    Clean = 0,
    /// The work is done, and there are findings at or above the threshold.
    Findings = 1,
    /// The work could not be done: wrong arguments, wrong configuration, unreadable input.
    Failed = 2,
    /// A rollout is on hold, and traffic stays where it is.
    Held = 3,
    /// The time was up before the work was done; what is done stays.
    TimedOut = 4,
    /// Somebody else has changed what is ours to change, or works on it.
    Conflict = 5,
    /// Stopped by Ctrl-C: 128 and the number of SIGINT, as shells have it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
