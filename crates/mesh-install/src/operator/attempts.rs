//! When what did not work is tried again: ever later, whatever else asks for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Time until the second attempt.
const FIRST: Duration = Duration::from_secs(1);

/// The longest time between two attempts.
const LONGEST: Duration = Duration::from_mins(1);

/// The attempts that did not come to their end, by control plane (`NAMESPACE/NAME`).
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeMap<String, Attempt>>);

/// What is attempted: another one is worth an attempt at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// The object, which may be another one of the same name.
    pub(super) uid: String,
    /// The generation of its specification.
    pub(super) generation: i64,
}

#[derive(Debug)]
struct Attempt {
    tried: Tried,
    /// How many there were.
    count: u32,
    /// When there may be another one, if somebody else than time asks for it.
    not_before: Option<Instant>,
}

impl Attempts {
    /// How long a control plane that could not be made is left alone yet.
    pub(super) fn pause(&self, plane: &str, tried: &Tried, now: Instant) -> Option<Duration> {
        let attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let attempt = attempts.get(plane)?;
        let is_same = attempt.tried == *tried;
        let left = attempt.not_before?.checked_duration_since(now)?;
        (is_same && !left.is_zero()).then_some(left)
    }

    /// Takes note of an attempt that is not at its end, and says when to go on.
    pub(super) fn unfinished(&self, plane: &str, tried: Tried) -> Duration {
        self.add(plane, tried, None)
    }

    /// Takes note of an attempt that failed, and says when the next one is. Until then there is none.
    pub(super) fn failed(&self, plane: &str, tried: Tried, now: Instant) -> Duration {
        self.add(plane, tried, Some(now))
    }

    /// Forgets what was before.
    pub(super) fn done(&self, plane: &str) {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.remove(plane);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn add(&self, plane: &str, tried: Tried, failed: Option<Instant>) -> Duration {
        let mut attempts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = attempts.get(plane).filter(|before| before.tried == tried);
        let count = before.map_or(0, |before| before.count).saturating_add(1);
        let delay = FIRST.saturating_mul(2_u32.saturating_pow(count - 1)).min(LONGEST);
        let attempt = Attempt {
            tried,
            count,
            not_before: failed.map(|now| now + delay),
        };
        attempts.insert(plane.to_owned(), attempt);
        delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(uid: &str, generation: i64) -> Tried {
        Tried {
            uid: uid.to_owned(),
            generation,
        }
    }

    #[test]
    fn what_fails_is_tried_ever_later() {
        let attempts = Attempts::default();
        let now = Instant::now();
        let delays: Vec<u64> = (0..40)
            .map(|_| attempts.failed("a/mesh", tried("1", 1), now).as_secs())
            .collect();
        assert_eq!(delays[..8], [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(delays[39], 60);
        assert_eq!(
            attempts.failed("b/mesh", tried("1", 1), now),
            FIRST,
            "others are others"
        );
        assert_eq!(
            attempts.failed("a/mesh", tried("1", 2), now),
            FIRST,
            "another specification"
        );
        attempts.failed("a/mesh", tried("1", 2), now);
        assert_eq!(
            attempts.failed("a/mesh", tried("2", 2), now),
            FIRST,
            "another object"
        );
    }

    #[test]
    fn only_time_and_another_specification_end_a_pause() {
        let attempts = Attempts::default();
        let now = Instant::now();
        assert_eq!(attempts.pause("a/mesh", &tried("1", 1), now), None);
        attempts.failed("a/mesh", tried("1", 1), now);
        assert_eq!(attempts.pause("a/mesh", &tried("1", 1), now), Some(FIRST));
        assert_eq!(attempts.pause("a/mesh", &tried("1", 2), now), None);
        assert_eq!(
            attempts.pause("a/mesh", &tried("2", 1), now),
            None,
            "made again with the same name"
        );
        assert_eq!(attempts.pause("a/mesh", &tried("1", 1), now + FIRST), None);
        attempts.done("a/mesh");
        assert_eq!(attempts.pause("a/mesh", &tried("1", 1), now), None);
    }

    #[test]
    fn what_is_getting_there_is_looked_at_whenever_something_happens() {
        let attempts = Attempts::default();
        assert_eq!(attempts.unfinished("a/mesh", tried("1", 1)), FIRST);
        assert_eq!(attempts.unfinished("a/mesh", tried("1", 1)), FIRST * 2);
        assert_eq!(attempts.pause("a/mesh", &tried("1", 1), Instant::now()), None);
    }
}
