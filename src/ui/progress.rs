//! A sign of life for work that takes a while.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Printer;

/// Work that takes less than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time between two pictures of the spinner.
const FRAME: Duration = Duration::from_millis(100);

/// Counts files, or says what else is going on, and shows that on standard error if that is a terminal and the work
/// takes a while. Gone without a trace when dropped.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    state: Arc<State>,
    /// Dropping the sender ends the thread.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug, Default)]
struct State {
    files: AtomicUsize,
    /// Instead of the count of files.
    message: Mutex<Option<String>>,
}

impl State {
    fn shown(&self) -> String {
        let message = self.message.lock().unwrap_or_else(PoisonError::into_inner);
        let files = || super::counted(self.files.load(Ordering::Relaxed), "file");
        message.clone().unwrap_or_else(files)
    }
}

impl Progress {
    /// Starts to wait.
    pub(crate) fn start(printer: &Printer) -> Self {
        let state = Arc::<State>::default();
        let thread = printer.shows_progress().then(|| {
            let (sender, receiver) = mpsc::channel();
            let style = ProgressStyle::default_spinner();
            let style = if printer.status_look().unicode {
                style
            } else {
                style.tick_chars("-\\|/ ")
            };
            let state = Arc::clone(&state);
            let thread = std::thread::spawn(move || {
                if receiver.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(style);
                while receiver.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    bar.set_message(state.shown());
                    bar.tick();
                }
                bar.finish_and_clear();
            });
            (sender, thread)
        });
        Self { state, thread }
    }

    /// Counts a file.
    pub(crate) fn file(&self) {
        self.state.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Says what is going on.
    pub(crate) fn message(&self, message: String) {
        let mut shown = self.state.message.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(message);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // A panic in the thread has printed itself, and progress is not worth failing for.
            let _ = thread.join();
        }
    }
}
