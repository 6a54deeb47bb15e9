//! A picture at the foot of the terminal that is drawn anew again and again, below the lines that stay.
//!
//! The cursor waits at the top left of the picture. So whatever the terminal itself writes there, as `^C`, is written
//! over by the next picture, and clearing needs no count of lines.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use console::Term;

use super::Look;

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(250);

/// The picture, on standard error. Gone without a trace when dropped.
#[derive(Debug)]
pub(super) struct Live {
    frame: Arc<Mutex<Frame>>,
    /// Dropping the sender ends the thread.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

#[derive(Debug)]
struct Frame {
    terminal: Term,
    shown: String,
}

impl Frame {
    /// Draws the picture where the cursor is, in place of the one that is there.
    fn draw(&self) -> io::Result<()> {
        let (rows, _) = self.terminal.size();
        self.terminal.write_str("\r")?;
        self.terminal.clear_to_end_of_screen()?;
        // A picture that does not fit would scroll away, and leave its head behind.
        let lines: Vec<_> = self
            .shown
            .lines()
            .take(usize::from(rows).saturating_sub(1))
            .collect();
        for line in &lines {
            self.terminal.write_line(line)?;
        }
        self.terminal.move_cursor_up(lines.len())?;
        self.terminal.flush()
    }

    fn clear(&self) -> io::Result<()> {
        self.terminal.write_str("\r")?;
        self.terminal.clear_to_end_of_screen()?;
        self.terminal.flush()
    }
}

/// Nobody can be told that standard error does not work.
fn lock(frame: &Mutex<Frame>) -> MutexGuard<'_, Frame> {
    frame.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    /// Draws what `picture` makes for the terminal as it is then.
    pub(super) fn start(look: Look, picture: impl Fn(Look) -> String + Send + 'static) -> Self {
        let frame = Arc::new(Mutex::new(Frame {
            terminal: Term::buffered_stderr(),
            shown: String::new(),
        }));
        let (sender, receiver) = mpsc::channel();
        let drawn = Arc::clone(&frame);
        let thread = std::thread::spawn(move || {
            loop {
                let mut frame = lock(&drawn);
                let (_, columns) = frame.terminal.size();
                frame.shown = picture(Look {
                    width: Some(usize::from(columns)),
                    ..look
                });
                let _ = frame.draw();
                drop(frame);
                if receiver.recv_timeout(FRAME) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Self {
            frame,
            thread: Some((sender, thread)),
        }
    }

    /// Makes way for lines that `write` writes.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let frame = lock(&self.frame);
        let _ = frame.clear();
        let result = write();
        let _ = frame.draw();
        result
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            // A panic in the thread has printed itself, and a picture is not worth failing for.
            let _ = thread.join();
        }
        let _ = lock(&self.frame).clear();
    }
}
