//! `--watch`: looking again and again, until Ctrl-C.

use std::time::Duration;

use clap::Args;

use crate::cluster::{ClusterArgs, duration};
use crate::error::CommandError;
use crate::ui::Printer;

/// Whether, and how often, to look again.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct WatchArgs {
    /// Show it again whenever it changes, looking every 2 seconds or as often as is said
    #[arg(
        long,
        short,
        value_name = "INTERVAL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "2s",
        value_parser = duration,
        help_heading = "Output"
    )]
    pub(crate) watch: Option<Duration>,
}

impl WatchArgs {
    /// `cluster` without the deadline for all of the work if that has no end.
    pub(crate) fn deadline(self, cluster: &ClusterArgs) -> ClusterArgs {
        match self.watch {
            None => cluster.clone(),
            Some(_) => ClusterArgs {
                timeout: Duration::from_secs(u64::from(u32::MAX)),
                ..cluster.clone()
            },
        }
    }
}

/// What has been seen and said so far. Trouble is said once for as long as it stays the same, and is waited out; only
/// if the first look fails, there is nothing to wait for.
#[derive(Debug)]
pub(crate) struct Watch {
    interval: Duration,
    shown: Option<Vec<u8>>,
    trouble: Vec<String>,
}

impl Watch {
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            shown: None,
            trouble: Vec::new(),
        }
    }

    /// Waits until it is time for the next look.
    pub(crate) async fn pause(&self) {
        tokio::time::sleep(self.interval).await;
    }

    /// What a look brought, if it brought anything.
    ///
    /// # Errors
    ///
    /// Those of the first look.
    pub(crate) fn seen<T>(
        &mut self,
        printer: &mut Printer,
        look: Result<(T, Vec<CommandError>), CommandError>,
    ) -> Result<Option<T>, CommandError> {
        let (value, errors) = match look {
            Ok((value, errors)) => (Some(value), errors),
            Err(error) if self.shown.is_none() => return Err(error),
            Err(error) => (None, vec![error]),
        };
        let trouble: Vec<String> = errors.iter().map(ToString::to_string).collect();
        if trouble != self.trouble {
            for error in &errors {
                printer.error(error);
            }
            if errors.is_empty() {
                printer.note("all that is watched answers again");
            }
            self.trouble = trouble;
        }
        Ok(value)
    }

    /// Whether the last look went wrong, in whole or in part.
    pub(crate) fn is_troubled(&self) -> bool {
        !self.trouble.is_empty()
    }

    /// Whether this is not what was seen last.
    pub(crate) fn is_news(&mut self, content: &[u8]) -> bool {
        let is_news = self.shown.as_deref() != Some(content);
        if is_news {
            self.shown = Some(content.to_vec());
        }
        is_news
    }
}
