//! What an injector counts, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mesh_inject::Verdict;

use crate::service::metrics::Text;

/// Upper ends of the buckets of the time that a review takes, in seconds.
const BUCKETS: [f64; 8] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1.0];

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Requests by path and status.
    requests: BTreeMap<(&'static str, u16), u64>,
    /// Reviews by result and, of those that were skipped, reason.
    reviews: BTreeMap<(&'static str, &'static str), u64>,
    /// Attempts to read something again, by what it is and the result.
    reloads: BTreeMap<(&'static str, &'static str), u64>,
    /// Reviews that took at most as long as each of [`BUCKETS`], and longer than the one before.
    durations: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Metrics {
    fn update(&self, update: impl FnOnce(&mut Counts)) {
        update(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts a request.
    pub(super) fn request(&self, path: &'static str, status: u16) {
        self.update(|counts| *counts.requests.entry((path, status)).or_default() += 1);
    }

    /// Counts a review, and the time that it took.
    pub(super) fn review(&self, verdict: &Verdict, took: Duration) {
        let labels = match verdict {
            Verdict::Injected => ("injected", ""),
            Verdict::Skipped(skip) => ("skipped", skip.name()),
            Verdict::Other => ("skipped", "not-a-new-pod"),
            Verdict::Refused(_) => ("refused", ""),
        };
        let seconds = took.as_secs_f64();
        self.update(|counts| {
            *counts.reviews.entry(labels).or_default() += 1;
            if let Some(bucket) = BUCKETS.iter().position(|end| seconds <= *end) {
                counts.durations[bucket] += 1;
            }
            counts.count += 1;
            counts.seconds += seconds;
        });
    }

    /// Counts an attempt to read `what` again.
    pub(super) fn reload(&self, what: &'static str, worked: bool) {
        let result = if worked { "success" } else { "failure" };
        self.update(|counts| *counts.reloads.entry((what, result)).or_default() += 1);
    }

    /// All counts, and when the certificate expires.
    pub(super) fn text(&self, certificate_expires: Option<i64>) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Text::new(PREFIX);
        text.head("requests_total", "counter", "Requests by path and status.");
        for ((path, status), count) in &counts.requests {
            text.line(
                &format!("requests_total{{path=\"{path}\",code=\"{status}\"}}"),
                count,
            );
        }
        text.head(
            "reviews_total",
            "counter",
            "Reviews of pods by result, and why pods were skipped.",
        );
        for ((result, reason), count) in &counts.reviews {
            text.line(
                &format!("reviews_total{{result=\"{result}\",reason=\"{reason}\"}}"),
                count,
            );
        }
        text.head(
            "reloads_total",
            "counter",
            "Changes of the settings and the certificate.",
        );
        for ((what, result), count) in &counts.reloads {
            text.line(
                &format!("reloads_total{{what=\"{what}\",result=\"{result}\"}}"),
                count,
            );
        }
        text.head("review_duration_seconds", "histogram", "Time that reviews took.");
        let mut below = 0;
        for (end, count) in BUCKETS.iter().zip(counts.durations) {
            below += count;
            text.line(&format!("review_duration_seconds_bucket{{le=\"{end}\"}}"), below);
        }
        text.line("review_duration_seconds_bucket{le=\"+Inf\"}", counts.count);
        text.line("review_duration_seconds_sum", counts.seconds);
        text.line("review_duration_seconds_count", counts.count);
        if let Some(expires) = certificate_expires {
            let help = "When the certificate expires, in seconds since 1970.";
            text.head("certificate_expiry_timestamp_seconds", "gauge", help);
            text.line("certificate_expiry_timestamp_seconds", expires);
        }
        text.done()
    }
}

/// What the names of all metrics begin with.
const PREFIX: &str = "meshctl_injector_";

#[cfg(test)]
mod tests {
    use mesh_inject::Skip;

    use super::*;

    #[test]
    fn counts_are_written_for_prometheus() {
        let metrics = Metrics::default();
        metrics.request("/inject", 200);
        metrics.request("/inject", 400);
        metrics.review(&Verdict::Injected, Duration::from_millis(2));
        metrics.review(&Verdict::Skipped(Skip::HostNetwork), Duration::from_secs(2));
        metrics.reload("settings", false);
        insta::assert_snapshot!(metrics.text(Some(1_800_000_000)));
    }
}
