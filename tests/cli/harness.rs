//! Runs the program in a folder of its own, with an environment that is the same everywhere.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A mesh without findings.
pub(crate) const CLEAN: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: reviews
spec:
  ports:
  - name: http
    port: 9080
";

/// One error in line 9: the field is called `timeout`.
pub(crate) const MISSPELT: &str = "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
  namespace: shop
spec:
  hosts: [reviews]
  http:
  - timeOut: 3s
    route:
    - destination: {host: reviews}
";

/// How often tests kill the program, in all: nine times, or as `MESHCTL_TEST_KILLS` says.
pub(crate) fn kills() -> usize {
    let kills = std::env::var("MESHCTL_TEST_KILLS").ok();
    kills.and_then(|text| text.parse().ok()).unwrap_or(9)
}

/// Kills a program at some moment of the time that it takes undisturbed.
pub(crate) fn kill_within(takes: Duration, mut child: Child) {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).expect("32 bits");
    std::thread::sleep(takes.mul_f64(f64::from(random) / f64::from(u32::MAX)));
    child.kill().expect("it is ours");
    let _ = child.wait();
}

/// A folder to run the program in.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder }
    }

    /// Adds a file.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs_err::write(path, text).expect("a file");
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program, in the folder, without what the tests' own environment says.
    pub(crate) fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshctl"));
        command
            .args(args)
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .stdin(Stdio::null());
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Output {
        self.output(&mut self.command(args))
    }

    /// Runs the program with text on standard input.
    pub(crate) fn run_with_stdin<'a>(&self, args: impl IntoIterator<Item = &'a str>, stdin: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut pipe = child.stdin.take().expect("piped");
        pipe.write_all(stdin.as_bytes()).expect("the program reads");
        drop(pipe);
        self.collect(child)
    }

    /// Waits for the end of a program and takes what is left of its output.
    pub(crate) fn collect(&self, child: Child) -> Output {
        Output::new(&child.wait_with_output().expect("the program ends"), self.path())
    }

    pub(crate) fn output(&self, command: &mut Command) -> Output {
        Output::new(&command.output().expect("the program runs"), self.path())
    }
}

/// What a run left behind, with the project's folder as `[PROJECT]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    fn new(output: &std::process::Output, folder: &Path) -> Self {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
            text.replace(&*real.to_string_lossy(), "[PROJECT]")
                .replace(&*folder.to_string_lossy(), "[PROJECT]")
        };
        Self {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).expect("standard output is JSON")
    }
}

impl fmt::Display for Output {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        let status = status.map_or("none".to_owned(), |status| status.to_string());
        write!(
            formatter,
            "status: {status}\n-- stdout --\n{stdout}-- stderr --\n{stderr}"
        )
    }
}
