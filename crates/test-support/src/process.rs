//! A program that ends with the test that started it.

use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a program may take to start; each takes about a second on an idle machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// Runs a program. When standard input ends, which it does when the parent is gone, the program is killed and the
/// folder removed.
const WATCHED: &str = r#"exec 3<&0
"$@" </dev/null 3<&- & program=$!
{ read -r _ <&3; trap '' TERM; kill -KILL "$program"; rm -rf "$PWD"; } 2>/dev/null & watcher=$!
wait "$program"; status=$?
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
exit "$status""#;

/// A running program. It is killed when this value is dropped, and also when this process ends in any other way; then
/// its folder is removed.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    shell: Child,
    /// Closing it ends the program.
    stdin: Option<ChildStdin>,
    folder: TempDir,
}

impl Process {
    /// Starts a program in a folder that has its files. The name is for messages.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[&str],
        folder: TempDir,
    ) -> io::Result<Self> {
        let log = fs_err::File::create(folder.path().join("log"))?;
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", WATCHED, "sh"])
            .arg(program)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log.into_parts().0);
        // Ctrl-C on a terminal is for us; then standard input ends.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut shell = command.spawn()?;
        let stdin = shell.stdin.take();
        Ok(Self {
            name,
            shell,
            stdin,
            folder,
        })
    }

    /// The folder in which the program runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What the program has written to its standard error.
    pub fn log(&self) -> String {
        fs_err::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// Waits until `ready` gives something. Fails with the log if the program ends before that, or after a minute.
    pub fn wait_until<T>(&mut self, mut ready: impl FnMut(&Self) -> Option<T>) -> io::Result<T> {
        let start = Instant::now();
        loop {
            if let Some(value) = ready(self) {
                return Ok(value);
            }
            let ended = self.shell.try_wait()?.is_some();
            if ended || start.elapsed() > START_TIMEOUT {
                let why = if ended { "ended" } else { "is not ready" };
                return Err(io::Error::other(format!("{} {why}:\n{}", self.name, self.log())));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // It ends at once; were it gone already, there would be nothing to do.
        let _ = self.shell.wait();
    }
}
