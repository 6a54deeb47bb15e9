//! Shows what happens while it happens.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::pin::pin;

use mesh_install::diagnose::Cause;
use mesh_install::engine::Event;
use mesh_install::object::ObjectRef;
use mesh_install::plan::Plan;
use serde::Serialize;
use tokio::sync::mpsc::UnboundedReceiver;

use super::Format;
use crate::error::CommandError;
use crate::ui::steps::Steps;
use crate::ui::{Printer, Tone, counted};

/// What is known of work that goes on.
pub(crate) struct Console<'a> {
    pub(crate) printer: &'a mut Printer,
    format: Format,
    steps: Steps,
    events: UnboundedReceiver<Event>,
    /// By part: how many of its objects are written, and how many are to be.
    written: BTreeMap<String, (usize, usize)>,
    ready: Vec<String>,
    /// What is waited for, and why.
    waiting: BTreeMap<ObjectRef, (String, Vec<Cause>)>,
    removing: (usize, usize),
}

/// The name of the step in which objects go.
const REMOVAL: &str = "removal";

impl<'a> Console<'a> {
    pub(crate) fn new(printer: &'a mut Printer, format: Format, events: UnboundedReceiver<Event>) -> Self {
        let steps = Steps::start(printer);
        Self {
            printer,
            format,
            steps,
            events,
            written: BTreeMap::new(),
            ready: Vec::new(),
            waiting: BTreeMap::new(),
            removing: (0, 0),
        }
    }

    /// Does some work, and shows what happens meanwhile.
    ///
    /// # Errors
    ///
    /// Output cannot be written.
    pub(crate) async fn watch<T>(&mut self, work: impl Future<Output = T>) -> Result<T, CommandError> {
        let mut work = pin!(work);
        let result = loop {
            tokio::select! {
                biased;
                Some(event) = self.events.recv() => self.show(event)?,
                result = &mut work => break result,
            }
        };
        self.catch_up()?;
        Ok(result)
    }

    /// Shows what has happened, and was not shown yet, and takes away what moves.
    ///
    /// # Errors
    ///
    /// Output cannot be written.
    pub(crate) fn catch_up(&mut self) -> Result<(), CommandError> {
        while let Ok(event) = self.events.try_recv() {
            self.show(event)?;
        }
        Ok(())
    }

    /// Takes away what moves.
    pub(crate) fn stop(&mut self) {
        self.steps.stop();
    }

    /// A document for programs, if they are who listens.
    ///
    /// # Errors
    ///
    /// Output cannot be written.
    pub(crate) fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        if self.format == Format::Json {
            let out = self.printer.stdout();
            serde_json::to_writer(&mut *out, value)?;
            writeln!(out)?;
            // Whoever follows wants to know now.
            out.flush()?;
        }
        Ok(())
    }

    /// A line that stays, for people.
    pub(crate) fn line(&mut self, line: &str) {
        if self.format == Format::Text {
            self.steps.line(self.printer, line);
        }
    }

    fn good(&self, text: &str) -> String {
        let look = self.printer.status_look();
        let mark = look.paint(Tone::Good, if look.unicode { "✔" } else { "ok" });
        format!("{mark} {text}")
    }

    fn show(&mut self, event: Event) -> io::Result<()> {
        self.document(&event)?;
        match event {
            Event::LockHeld { holder } => self.line(&format!("waiting for {holder}")),
            Event::PartStarted { part, objects } => {
                self.written.insert(part.clone(), (0, objects));
                self.progress(&part, "", false);
            }
            Event::Applied { part, object } => {
                if let Some((done, _)) = self.written.get_mut(&part) {
                    *done += 1;
                }
                self.progress(&part, &object.to_string(), false);
            }
            Event::Retrying { what, cause } => {
                self.line(&format!("trying again, {what}:"));
                self.cause(&cause);
            }
            Event::Waiting {
                part,
                object,
                progress,
                causes,
            } => self.wait(&part, object, progress, causes),
            Event::PartReady { part } => {
                self.waiting.clear();
                let (done, _) = self.written.get(&part).copied().unwrap_or_default();
                let text = match done {
                    0 => format!("{part} (unchanged)"),
                    done => format!("{part} ({})", counted(done, "object")),
                };
                let line = self.good(&text);
                if self.format == Format::Text {
                    self.steps.done(self.printer, &part, &line);
                }
                self.ready.push(part);
            }
            Event::Removing { object } => {
                self.removing.1 += 1;
                self.removal(&object.to_string());
            }
            Event::Removed { object } => {
                self.removing.0 += 1;
                self.removal(&object.to_string());
            }
            Event::Stuck { object, held_by } => {
                let held_by = match held_by.as_slice() {
                    [] => "something".to_owned(),
                    held_by => held_by.join(", "),
                };
                self.line(&format!("{object} does not go: {held_by} holds it"));
            }
        }
        Ok(())
    }

    fn progress(&mut self, part: &str, message: &str, is_important: bool) {
        if self.format == Format::Text {
            let count = self.written.get(part).copied();
            self.steps
                .progress(self.printer, part, count, message, is_important);
        }
    }

    fn removal(&mut self, message: &str) {
        if self.format == Format::Text {
            let count = Some(self.removing);
            self.steps.progress(self.printer, REMOVAL, count, message, false);
        }
    }

    fn wait(&mut self, part: &str, object: ObjectRef, progress: String, causes: Vec<Cause>) {
        let why = causes
            .first()
            .map_or(progress.as_str(), |cause| cause.summary.as_str());
        self.progress(part, &format!("waits for {object}: {why}"), causes.is_empty());
        let known = self.waiting.get(&object).map(|(_, causes)| causes.as_slice());
        if !causes.is_empty() && known != Some(causes.as_slice()) {
            let look = self.printer.status_look();
            let mark = look.paint(Tone::Warning, "!");
            self.line(&format!("{mark} {part}: {object}, {progress}"));
            for cause in &causes {
                self.cause(cause);
            }
        }
        self.waiting.insert(object, (progress, causes));
    }

    fn cause(&mut self, cause: &Cause) {
        let Cause {
            summary,
            detail,
            hints,
            is_final: _,
        } = cause;
        self.line(&format!("    {summary}"));
        for line in detail {
            self.line(&format!("      {line}"));
        }
        let label = self.printer.status_look().paint(Tone::Hint, "hint").into_owned();
        for hint in hints {
            self.line(&format!("    {label}: {}", hint.replace('\n', "\n      ")));
        }
    }

    /// Says what is in place of a plan that was not carried out to its end, and what keeps the rest.
    pub(crate) fn how_far(&self, plan: &Plan) -> Vec<String> {
        let of = plan.count("create") + plan.count("change");
        let done: usize = self.written.values().map(|(done, _)| done).sum();
        let mut lines = vec![format!(
            "in place: {done} of {} to write{}",
            counted(of, "object"),
            match self.ready.as_slice() {
                [] => String::new(),
                ready => format!("; {} complete", ready.join(", ")),
            }
        )];
        for (object, (progress, causes)) in &self.waiting {
            let why = causes.first().map_or(String::new(), |cause| format!(": {cause}"));
            lines.push(format!("{object} has {progress}{why}"));
        }
        lines
    }
}
