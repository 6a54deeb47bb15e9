//! What commands on canaries say: a line for people, or a JSON object on a line for programs.

use std::io::Write;

use clap::ValueEnum;
use mesh_canary::judge::{self, Observation, Verdict};
use mesh_canary::percent::Percent;
use mesh_canary::state::{Phase, Rollout};
use serde::Serialize;

use super::driver::Target;
use super::proxies::Synced;
use crate::error::CommandError;
use crate::ui::{Look, Printer, Tone, diff};

/// Form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// A JSON object on each line
    Json,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub(super) enum Event<'a> {
    /// What is moved, and where.
    Located {
        service: &'a str,
        object: String,
        stable: String,
        canary: String,
        routes: Vec<String>,
    },
    /// What a change is to do to an object or a file, as a unified diff.
    Diff { object: &'a str, diff: String },
    /// A file was written.
    Wrote { file: &'a str },
    /// Something was made for the rollout.
    Created {
        object: String,
        /// The wider DestinationRule whose settings it has taken over.
        #[serde(skip_serializing_if = "Option::is_none")]
        settings_of: Option<String>,
    },
    /// Weights have moved.
    Shifted {
        object: String,
        stable: String,
        canary: String,
        percent: Percent,
    },
    /// How many proxies have them.
    Synced { percent: Percent, proxies: Synced },
    /// A step was judged.
    Judged {
        percent: Percent,
        #[serde(flatten)]
        verdict: &'a Verdict,
        #[serde(skip_serializing_if = "Option::is_none")]
        canary: Option<&'a Observation>,
        #[serde(skip_serializing_if = "Option::is_none")]
        stable: Option<&'a Observation>,
        /// The name of the quantile that `latencyMs` is.
        quantile: String,
    },
    /// A webhook was asked.
    Webhook {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The rollout stands somewhere else.
    Phase {
        phase: Phase,
        percent: Percent,
        message: String,
    },
}

impl Event<'_> {
    /// The weights are as `rollout` says.
    pub(super) fn shifted(target: &Target, rollout: &Rollout) -> Self {
        Self::Shifted {
            object: target.to_string(),
            stable: rollout.subject.stable.to_string(),
            canary: rollout.subject.canary.to_string(),
            percent: rollout.percent,
        }
    }
}

/// Says what happens, in the form that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker {
    pub(super) format: Format,
}

impl Speaker {
    pub(super) fn say(self, printer: &mut Printer, event: &Event<'_>) -> Result<(), CommandError> {
        let line = match self.format {
            Format::Json => serde_json::to_string(event).unwrap_or_default(),
            Format::Text => text(printer, event),
        };
        writeln!(printer.stdout(), "{line}")?;
        // Whoever reads this wants it as it happens.
        printer.finish()?;
        Ok(())
    }
}

impl Speaker {
    /// Says what differs in an object or a file, if anything does.
    pub(super) fn say_diff(
        self,
        printer: &mut Printer,
        object: &str,
        before: &str,
        after: &str,
    ) -> Result<(), CommandError> {
        let look = printer.look();
        let names = (object, object);
        if self.format == Format::Text {
            return Ok(diff::unified(printer.stdout(), look, names, before, after)?);
        }
        let mut text = Vec::new();
        let plain = Look { color: false, ..look };
        diff::unified(&mut text, plain, names, before, after)?;
        if text.is_empty() {
            return Ok(());
        }
        let diff = String::from_utf8_lossy(&text).into_owned();
        self.say(printer, &Event::Diff { object, diff })
    }
}

pub(super) fn verdict_tone(verdict: &Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Fail(_) => Tone::Error,
        Verdict::Inconclusive(_) | Verdict::Error(_) => Tone::Warning,
    }
}

fn text(printer: &Printer, event: &Event<'_>) -> String {
    let look = printer.look();
    let arrow = if look.unicode { "→" } else { "->" };
    match event {
        Event::Located {
            service,
            object,
            stable,
            canary,
            routes,
        } => format!(
            "{service}: {stable} {arrow} {canary} on {} of {object}",
            routes.join(", ")
        ),
        Event::Diff { diff, .. } => diff.clone(),
        Event::Wrote { file } => format!("wrote {file}"),
        Event::Created {
            object,
            settings_of: None,
        } => format!("made {object}"),
        Event::Created {
            object,
            settings_of: Some(wider),
        } => format!("made {object}, with the settings of {wider}"),
        Event::Shifted {
            object,
            stable,
            canary,
            percent,
        } => format!(
            "{} of the traffic goes to {canary}, the rest to {stable} ({object})",
            look.paint(Tone::Strong, percent.to_string())
        ),
        Event::Synced { proxies, .. } => {
            let Synced {
                current,
                routing,
                silent,
            } = proxies;
            let silent = match silent {
                0 => String::new(),
                some => format!("; {some} did not answer"),
            };
            match routing {
                0 => format!("no proxy that could be asked routes to the service{silent}"),
                all => format!("{current} of {all} proxies have the weights{silent}"),
            }
        }
        Event::Judged {
            percent,
            verdict,
            canary,
            stable,
            quantile,
        } => {
            let numbers = |name: &str, seen: Option<&Observation>| {
                seen.map_or_else(String::new, |seen| {
                    let latency = seen.latency_ms.map_or_else(String::new, |latency| {
                        format!(", {quantile} {}", judge::milliseconds(latency))
                    });
                    format!(
                        "  {name} {:.1} {}, {} good{latency}",
                        seen.rps,
                        seen.traffic.unit(),
                        judge::share(seen.success())
                    )
                })
            };
            let reason = match verdict.reason() {
                "" => String::new(),
                reason => format!(": {reason}"),
            };
            format!(
                "{} at {percent}{reason}{}{}",
                look.paint(verdict_tone(verdict), verdict.as_str()),
                numbers("canary", *canary),
                numbers("stable", *stable)
            )
        }
        Event::Webhook { name, problem } => match problem {
            None => format!("webhook `{name}` agrees"),
            Some(problem) => format!("webhook `{name}`: {problem}"),
        },
        Event::Phase {
            phase,
            percent,
            message,
        } => {
            let tone = match phase {
                Phase::Promoted => Tone::Good,
                Phase::RolledBack => Tone::Error,
                Phase::Paused => Tone::Warning,
                _ => Tone::Strong,
            };
            let message = match message.as_str() {
                "" => String::new(),
                message => format!(": {message}"),
            };
            format!("{} at {percent}{message}", look.paint(tone, phase.as_str()))
        }
    }
}
