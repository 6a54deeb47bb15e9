//! The text format of Prometheus.

use std::fmt::{Display, Write};

/// Metrics that are being written down.
#[derive(Debug)]
pub(crate) struct Text {
    /// What all names begin with.
    prefix: &'static str,
    text: String,
}

impl Text {
    pub(crate) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            text: String::new(),
        }
    }

    /// Says what a metric is; its series follow. `kind` is `counter`, `gauge` or `histogram`.
    pub(crate) fn head(&mut self, name: &str, kind: &str, help: &str) {
        let prefix = self.prefix;
        // Writing to memory does not fail.
        let _ = write!(
            self.text,
            "# HELP {prefix}{name} {help}\n# TYPE {prefix}{name} {kind}\n"
        );
    }

    /// A series, with its labels, and its value.
    pub(crate) fn line(&mut self, series: &str, value: impl Display) {
        let _ = writeln!(self.text, "{}{series} {value}", self.prefix);
    }

    /// All that was written.
    pub(crate) fn done(self) -> String {
        self.text
    }
}
