//! What an operator counts, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use mesh_install::operator::{Notice, Outcome};

use crate::service::metrics::Text;

/// What the names of all metrics begin with.
const PREFIX: &str = "meshctl_operator_";

/// What was counted since the start.
#[derive(Debug, Default)]
pub(super) struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// Whether this process works, once that is known.
    is_leading: Option<bool>,
    /// What came of looking after control planes.
    outcomes: BTreeMap<&'static str, u64>,
    /// Control planes, and whether everything was as described when they were looked at last.
    planes: BTreeMap<String, bool>,
    repaired: u64,
    troubles: u64,
    seconds: f64,
}

impl Metrics {
    /// Counts what happened.
    pub(super) fn count(&self, notice: &Notice) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match notice {
            Notice::Standby(_) => counts.is_leading = Some(false),
            Notice::Leading => counts.is_leading = Some(true),
            Notice::Replaced => {
                counts.is_leading = Some(false);
                counts.planes.clear();
            }
            Notice::Trouble(_) => counts.troubles += 1,
            Notice::Gone { plane } => drop(counts.planes.remove(plane)),
            Notice::Tended { plane, outcome, took } => {
                *counts.outcomes.entry(outcome.name()).or_default() += 1;
                counts.seconds += took.as_secs_f64();
                if let Outcome::Repaired(objects) = outcome {
                    counts.repaired += objects.len() as u64;
                }
                match outcome {
                    Outcome::Removed => drop(counts.planes.remove(plane)),
                    Outcome::Stopped => {}
                    Outcome::Unchanged | Outcome::Installed | Outcome::Repaired(_) => {
                        counts.planes.insert(plane.clone(), true);
                    }
                    Outcome::Waiting(_) | Outcome::Refused(_) | Outcome::Failed(_) => {
                        counts.planes.insert(plane.clone(), false);
                    }
                }
            }
        }
    }

    /// Whether the API server has answered who works.
    pub(super) fn is_ready(&self) -> bool {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.is_leading.is_some()
    }

    /// All counts.
    pub(super) fn text(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Text::new(PREFIX);
        text.head("leader", "gauge", "Whether this process is the one that works.");
        text.line("leader", u8::from(counts.is_leading == Some(true)));
        text.head(
            "control_planes",
            "gauge",
            "Control planes, by whether they are as described and run.",
        );
        for is_ready in [false, true] {
            let count = counts.planes.values().filter(|ready| **ready == is_ready).count();
            text.line(&format!("control_planes{{ready=\"{is_ready}\"}}"), count);
        }
        text.head(
            "reconciles_total",
            "counter",
            "Looks at control planes, by what came of them.",
        );
        for name in Outcome::NAMES {
            let count = counts.outcomes.get(name).unwrap_or(&0);
            text.line(&format!("reconciles_total{{result=\"{name}\"}}"), count);
        }
        text.head("reconcile_seconds_total", "counter", "Time that they took.");
        text.line("reconcile_seconds_total", counts.seconds);
        text.head(
            "repaired_objects_total",
            "counter",
            "Objects that others had changed or deleted.",
        );
        text.line("repaired_objects_total", counts.repaired);
        text.head("troubles_total", "counter", "Requests and watches that failed.");
        text.line("troubles_total", counts.troubles);
        text.done()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn counts_are_written_for_prometheus() {
        let metrics = Metrics::default();
        assert!(!metrics.is_ready());
        metrics.count(&Notice::Leading);
        let tended = |plane: &str, outcome| Notice::Tended {
            plane: plane.to_owned(),
            outcome,
            took: Duration::from_millis(500),
        };
        let repaired = vec![
            "Service a/b made again".to_owned(),
            "ConfigMap a/c changed back".to_owned(),
        ];
        metrics.count(&tended("a/mesh", Outcome::Installed));
        metrics.count(&tended("a/mesh", Outcome::Repaired(repaired)));
        metrics.count(&tended("b/mesh", Outcome::Failed("no room".to_owned())));
        metrics.count(&tended("c/mesh", Outcome::Installed));
        metrics.count(&tended("c/mesh", Outcome::Removed));
        metrics.count(&tended("d/mesh", Outcome::Refused("a mistake".to_owned())));
        metrics.count(&Notice::Gone {
            plane: "d/mesh".to_owned(),
        });
        metrics.count(&Notice::Trouble("watching".to_owned()));
        assert!(metrics.is_ready());
        insta::assert_snapshot!(metrics.text());
    }
}
