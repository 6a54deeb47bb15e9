//! A sign of life for work that takes a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Printer;

/// Work that takes less than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time between two pictures of the spinner.
const FRAME: Duration = Duration::from_millis(100);

/// Counts files, and shows the count on standard error if that is a terminal and the work takes a while. Gone without
/// a trace when dropped.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    files: Arc<AtomicUsize>,
    /// Dropping the sender ends the thread.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts to wait.
    pub(crate) fn start(printer: &Printer) -> Self {
        let files = Arc::<AtomicUsize>::default();
        let thread = printer.shows_progress().then(|| {
            let (sender, receiver) = mpsc::channel();
            let style = ProgressStyle::default_spinner();
            let style = if printer.status_look().unicode {
                style
            } else {
                style.tick_chars("-\\|/ ")
            };
            let files = Arc::clone(&files);
            let thread = std::thread::spawn(move || {
                if receiver.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                bar.set_style(style);
                while receiver.recv_timeout(FRAME) == Err(RecvTimeoutError::Timeout) {
                    bar.set_message(super::counted(files.load(Ordering::Relaxed), "file"));
                    bar.tick();
                }
                bar.finish_and_clear();
            });
            (sender, thread)
        });
        Self { files, thread }
    }

    /// Counts a file.
    pub(crate) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
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
