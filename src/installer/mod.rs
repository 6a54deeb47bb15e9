//! What the commands that install and remove have in common.
//!
//! ```text
//! Session (mesh_install::engine) ─ events ─► Console ─┬─ text: steps on standard error
//!        plan, removal ─► show ─ question ─► work     └─ json: a document a line on standard output
//! ```

mod console;
pub(crate) mod run;
pub(crate) mod show;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use mesh_core::cluster::Cluster;
use mesh_install::engine::{Claims, EngineError, Event, Session};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::cluster::{ClusterArgs, duration};
use crate::error::CommandError;
use crate::ui::Printer;
use crate::ui::document::FormatArgs;
pub(crate) use console::Console;

/// The namespace of a mesh, unless another one is named.
pub(crate) const MESH: &str = "istio-system";

/// The form of what is said while something happens.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document a line: plan, events, result
    Json,
}

/// How to go about a change.
#[derive(Args, Clone, Debug)]
pub(crate) struct AskArgs {
    /// Show what would happen, and change nothing
    #[arg(long, help_heading = "Change")]
    pub(crate) dry_run: bool,

    /// Do not ask before the change
    #[arg(long, short, help_heading = "Change")]
    pub(crate) yes: bool,

    /// Wait for somebody else who works on the mesh, for at most this time [default: do not wait]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5m",
        help_heading = "Change"
    )]
    pub(crate) wait_lock: Option<Duration>,

    #[command(flatten)]
    pub(crate) output: FormatArgs<Format>,
}

/// A change of a mesh that is there.
#[derive(Args, Clone, Debug)]
pub(crate) struct ChangeArgs {
    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = MESH)]
    pub(crate) istio_namespace: String,

    #[command(flatten)]
    pub(crate) ask: AskArgs,

    #[command(flatten)]
    pub(crate) cluster: ClusterArgs,
}

/// How to go about installing.
#[derive(Args, Clone, Debug)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) ask: AskArgs,

    /// Show objects as they are and as they will be
    #[arg(long, help_heading = "Change")]
    pub(crate) diff: bool,

    /// Whether to wait until everything runs, and to say why it does not [default: true]
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value_t = true,
        default_missing_value = "true",
        hide_default_value = true,
        hide_possible_values = true,
        action = clap::ArgAction::Set,
        help_heading = "Change"
    )]
    pub(crate) wait: bool,

    /// Take over objects that somebody else has made, such as those of istioctl or Helm
    #[arg(long, help_heading = "Change")]
    pub(crate) adopt: bool,

    /// Take fields that somebody else has changed
    #[arg(long, help_heading = "Change")]
    pub(crate) force_conflicts: bool,
}

impl ApplyArgs {
    /// What to do about objects and fields of others.
    pub(crate) fn claims(&self) -> Claims {
        Claims {
            adopt: self.adopt,
            force_conflicts: self.force_conflicts,
        }
    }
}

/// A session whose events arrive at the other end.
pub(crate) fn session(cluster: Cluster, mesh: &str) -> (Session, UnboundedReceiver<Event>) {
    let (sender, receiver) = unbounded_channel();
    let report = Arc::new(move |event| {
        // Whoever does not listen any more does not want to know.
        let _ = sender.send(event);
    });
    (Session::new(cluster, mesh, report), receiver)
}

/// Asks whether to go on.
///
/// # Errors
///
/// Nobody can be asked.
pub(crate) async fn confirm(printer: &mut Printer, question: &str) -> Result<bool, CommandError> {
    use std::io::IsTerminal;
    if !std::io::stdin().is_terminal() {
        return Err(
            CommandError::user("nobody can be asked: standard input is not a terminal")
                .hinted("say yes in advance: `-y`"),
        );
    }
    let answer = printer.answer(format_args!("{question} (y/N) ")).await;
    Ok(matches!(answer.to_lowercase().as_str(), "y" | "yes"))
}

/// An error of the engine in the words of the program.
pub(crate) fn error(error: EngineError) -> CommandError {
    match error {
        EngineError::Cluster(error) => error.into(),
        EngineError::Locked(holder) => CommandError::user(format!("{} works on this mesh", holder.who))
            .hinted(format!(
                "since {}; `--wait-lock` waits for the end of it",
                holder.since
            )),
        EngineError::LockLost(_) => CommandError::user(error.to_string())
            .hinted("see what became of it with `meshctl verify`, and run the command again"),
        EngineError::Obstacles(obstacles) => show::obstacles(&obstacles),
        EngineError::Outdated(_) => {
            CommandError::user(error.to_string()).hinted("nothing was changed; run the command again")
        }
        EngineError::Hopeless { ref causes, .. } => {
            let mut failed = CommandError::user(error.to_string());
            failed
                .hints
                .extend(causes.iter().flat_map(|cause| cause.hints.clone()));
            failed
        }
        EngineError::State(_) => CommandError::user(error.to_string()).hinted(
            "it is the only record of what is installed: restore it, or use the meshctl that wrote it",
        ),
        EngineError::NoNamespace(_) | EngineError::Object(_) => CommandError::user(error.to_string()),
    }
}
