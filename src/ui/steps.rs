//! Work in several steps that takes minutes: what is done stays as a line, what is going on moves below it.

use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Printer;

/// Time between two pictures of a spinner.
const FRAME: Duration = Duration::from_millis(100);

/// Shows steps on standard error: moving lines on a terminal, plain lines elsewhere.
#[derive(Debug)]
pub(crate) struct Steps {
    /// On a terminal only.
    drawn: Option<Drawn>,
    /// What was said last about each step that goes on.
    running: Vec<Running>,
}

#[derive(Debug)]
struct Drawn {
    all: MultiProgress,
    unicode: bool,
}

#[derive(Debug)]
struct Running {
    name: String,
    bar: Option<ProgressBar>,
    said: String,
}

impl Steps {
    /// Nothing goes on yet.
    pub(crate) fn start(printer: &Printer) -> Self {
        let drawn = printer.shows_progress().then(|| Drawn {
            all: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()),
            unicode: printer.status_look().unicode,
        });
        Self {
            drawn,
            running: Vec::new(),
        }
    }

    /// Says how a step is going; it begins with the first word about it. `count` is how much is done, and of how much.
    /// Where lines cannot move, only news that are `important` are said.
    pub(crate) fn progress(
        &mut self,
        printer: &mut Printer,
        name: &str,
        count: Option<(usize, usize)>,
        message: &str,
        important: bool,
    ) {
        let index = self.running.iter().position(|running| running.name == name);
        let index = index.unwrap_or_else(|| {
            self.running.push(Running {
                name: name.to_owned(),
                bar: self.drawn.as_ref().map(|drawn| drawn.bar(name)),
                said: String::new(),
            });
            self.running.len() - 1
        });
        let running = &mut self.running[index];
        if let Some(bar) = &running.bar {
            let count = count.map_or_else(String::new, |(done, of)| format!("{done}/{of} "));
            bar.set_message(format!("{count}{message}"));
        } else if important && running.said != message {
            message.clone_into(&mut running.said);
            printer.status(format_args!("{name}: {message}"));
        }
    }

    /// Ends a step with a line that stays.
    pub(crate) fn done(&mut self, printer: &mut Printer, name: &str, line: &str) {
        if let Some(index) = self.running.iter().position(|running| running.name == name) {
            let running = self.running.remove(index);
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
        self.line(printer, line);
    }

    /// A line that stays.
    pub(crate) fn line(&self, printer: &mut Printer, line: &str) {
        match &self.drawn {
            Some(drawn) => drawn.all.suspend(|| printer.status(line)),
            None => printer.status(line),
        }
    }

    /// Ends everything that moves.
    pub(crate) fn stop(&mut self) {
        for running in self.running.drain(..) {
            if let Some(bar) = running.bar {
                bar.finish_and_clear();
            }
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Drawn {
    fn bar(&self, name: &str) -> ProgressBar {
        let style = ProgressStyle::default_spinner();
        // The template is a constant; the default one does as well.
        let style = ProgressStyle::with_template("{spinner} {prefix}  {wide_msg}").unwrap_or(style);
        let style = if self.unicode {
            style
        } else {
            style.tick_chars("-\\|/ ")
        };
        let bar = self.all.add(ProgressBar::new_spinner().with_style(style));
        bar.set_prefix(name.to_owned());
        bar.enable_steady_tick(FRAME);
        bar
    }
}
