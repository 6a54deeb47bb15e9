//! Everything that a user sees.
//!
//! Data goes to standard output, and everything else to standard error. [`Printer`] is the only thing in the program
//! that writes to either.

pub(crate) mod diff;
pub(crate) mod document;
pub(crate) mod excerpt;
mod live;
mod look;
pub(crate) mod markdown;
pub(crate) mod progress;
pub(crate) mod render;
pub(crate) mod steps;
pub(crate) mod table;

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, StdoutLock, Write};

use jiff::SignedDuration;
pub(crate) use mesh_core::words::counted;
use mesh_yaml::LineIndex;

use crate::cli::OutputArgs;
use crate::error::CommandError;
use excerpt::{Excerpt, Label};
use live::Live;
pub(crate) use look::{Environment, Look, Tone};

/// Writes to the terminal, or to whatever stands in its place.
#[derive(Debug)]
pub(crate) struct Printer {
    stdout: BufWriter<StdoutLock<'static>>,
    out: Look,
    err: Look,
    quiet: bool,
    verbose: bool,
    /// Whether lines of the terminal can be written over.
    is_dumb: bool,
    /// What is shown below the lines that stay.
    live: Option<Live>,
}

impl Printer {
    /// Decides how output looks, by the arguments and the environment.
    pub(crate) fn new(args: OutputArgs) -> Self {
        let OutputArgs {
            color,
            quiet,
            verbose,
        } = args;
        let environment = Environment::read();
        let stdout = io::stdout();
        let out = Look::of(&stdout, color, &environment);
        let err = Look::of(&io::stderr(), color, &environment);
        Self {
            stdout: BufWriter::with_capacity(64 * 1024, stdout.lock()),
            out,
            err,
            quiet,
            verbose,
            is_dumb: environment.is_dumb(),
            live: None,
        }
    }

    /// Where data goes. Write errors must be handed up: they end the program, quietly if the reader went away.
    pub(crate) fn stdout(&mut self) -> &mut impl Write {
        &mut self.stdout
    }

    /// How data looks.
    pub(crate) fn look(&self) -> Look {
        self.out
    }

    /// Whether the user wants to know more.
    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether someone watches standard error and wants to see progress.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.quiet && !self.is_dumb && io::stderr().is_terminal()
    }

    /// Shows a picture below all lines, and draws it anew again and again until [`Self::hide`], if someone watches.
    pub(crate) fn show(&mut self, picture: impl Fn(Look) -> String + Send + 'static) {
        if self.shows_progress() {
            self.live = Some(Live::start(self.err, picture));
        }
    }

    /// Whether a picture is shown.
    pub(crate) fn is_showing(&self) -> bool {
        self.live.is_some()
    }

    /// Takes the picture away.
    pub(crate) fn hide(&mut self) {
        self.live = None;
    }

    /// A remark beside the data.
    pub(crate) fn note(&mut self, message: impl Display) {
        let label = self.err.paint(Tone::Hint, "note");
        self.status(format_args!("{label}: {message}"));
    }

    /// A line beside the data, such as a summary.
    pub(crate) fn status(&mut self, message: impl Display) {
        if !self.quiet {
            self.line(message);
        }
    }

    /// Whether somebody is there to answer questions: at a terminal, and not in a pipeline, which may have one too.
    pub(crate) fn can_ask() -> bool {
        let is_pipeline = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
        !is_pipeline && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks, however quiet the program is to be. The answer is empty if there is none.
    pub(crate) async fn answer(&mut self, question: impl Display) -> String {
        self.raw(&question.to_string());
        // The thread is left behind if the program ends before an answer.
        let answer = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().read_line(&mut line).map(|_| line)
        });
        let answer = answer.await.ok().and_then(Result::ok).unwrap_or_default();
        answer.trim().to_owned()
    }

    /// How what stands beside the data looks.
    pub(crate) fn status_look(&self) -> Look {
        self.err
    }

    /// Why the work could not be done.
    pub(crate) fn error(&mut self, error: &CommandError) {
        self.diagnostic(error, Tone::Error, "error");
    }

    /// What may not be as it was meant, although the work is done.
    pub(crate) fn warning(&mut self, warning: &CommandError) {
        if !self.quiet {
            self.diagnostic(warning, Tone::Warning, "warning");
        }
    }

    fn diagnostic(&mut self, error: &CommandError, tone: Tone, label: &str) {
        let CommandError {
            kind: _,
            message,
            place,
            hints,
        } = error;
        self.line(format_args!("{}: {message}", self.err.paint(tone, label)));
        if let Some(place) = place {
            let lines = LineIndex::new(&place.text);
            let position = |offset| lines.position(&place.text, offset);
            let label = Label::primary(place.span);
            let excerpt = Excerpt::new(&place.file, &place.text, position, &[label], self.err);
            self.raw(&excerpt.render(self.err, tone));
        }
        for hint in hints {
            self.line(format_args!("  {}: {hint}", self.err.paint(Tone::Hint, "hint")));
        }
    }

    /// Hands everything over that is still held back.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        let stdout = &mut self.stdout;
        match &self.live {
            Some(live) => live.suspend(|| stdout.flush()),
            None => stdout.flush(),
        }
    }

    fn line(&mut self, message: impl Display) {
        self.raw(&format!("{message}\n"));
    }

    /// Data that was printed before stands above, if both go to one terminal. Nobody can be told that standard error
    /// does not work, so its errors are dropped; those of standard output come back with the next write to it.
    fn raw(&mut self, text: &str) {
        let stdout = &mut self.stdout;
        let mut write = || {
            let _ = stdout.flush();
            let _ = io::stderr().lock().write_all(text.as_bytes());
        };
        match &self.live {
            Some(live) => live.suspend(write),
            None => write(),
        }
    }
}

/// A duration in its two largest units: `89d 23h`.
pub(crate) fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let first = units
        .iter()
        .position(|(_, unit)| seconds >= *unit)
        .unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, unit) in units.iter().skip(first).take(2) {
        if rest / unit > 0 || parts.is_empty() {
            parts.push(format!("{}{name}", rest / unit));
        }
        rest %= unit;
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_in_two_units() {
        assert_eq!(span(SignedDuration::from_secs(0)), "0s");
        assert_eq!(span(SignedDuration::from_secs(59)), "59s");
        assert_eq!(span(SignedDuration::from_secs(3_600)), "1h");
        assert_eq!(span(SignedDuration::from_secs(90 * 86_400 - 1)), "89d 23h");
    }
}
