//! The program on a pseudo terminal, as a person at the keyboard sees it. `script` of util-linux makes the terminal.

use std::io::{Read, Write};
use std::num::NonZero;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const ROWS: NonZero<u16> = NonZero::new(30).expect("it is not zero");
const COLUMNS: NonZero<u16> = NonZero::new(110).expect("it is not zero");

/// A terminal, and the program on it.
pub(crate) struct Terminal {
    child: Child,
    screen: Arc<Mutex<vt100::Parser>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Runs a command there, with the command's folder and environment.
    pub(crate) fn start(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let quoted: Vec<_> = words
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        let line = format!("stty cols {COLUMNS} rows {ROWS}; exec {}", quoted.join(" "));
        let mut outer = Command::new("script");
        outer
            .args(["-qefc", &line, "/dev/null"])
            .env_clear()
            .envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            )
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        if let Some(folder) = command.get_current_dir() {
            outer.current_dir(folder);
        }
        let mut child = outer.spawn().expect("`script` runs");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 0)));
        let shown = Arc::clone(&screen);
        let mut output = child.stdout.take().expect("piped");
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                shown.lock().expect("no panic").process(&bytes[..read]);
            }
        });
        Self {
            child,
            screen,
            reader,
        }
    }

    /// What is on the screen.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().expect("no panic").screen().contents()
    }

    /// Waits until the screen is as it should be.
    pub(crate) fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text();
            if is_so(&text) {
                return text;
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{what}:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Types.
    pub(crate) fn type_in(&mut self, keys: &str) {
        let keyboard = self.child.stdin.as_mut().expect("piped");
        keyboard.write_all(keys.as_bytes()).expect("somebody reads");
        keyboard.flush().expect("somebody reads");
    }

    /// Waits for the end: the status, what is left on the screen, and the column of the cursor.
    pub(crate) fn end(mut self) -> (Option<i32>, String, u16) {
        let status = self.child.wait().expect("it ends");
        self.reader.join().expect("no panic");
        let screen = self.screen.lock().expect("no panic");
        let (_, column) = screen.screen().cursor_position();
        (status.code(), screen.screen().contents(), column)
    }
}
