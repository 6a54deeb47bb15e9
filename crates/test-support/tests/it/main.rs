//! Nothing stays when a program's test ends, however it ends.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use test_support::Process;

/// The variable that makes a copy of this test binary start a program and write to this file where it is.
const COPY: &str = "TEST_SUPPORT_COPY";

/// Starts a program that runs until it is killed, and says what its id is.
fn sleep() -> (Process, String) {
    let script = "echo $$ >pid.new; mv pid.new pid; exec sleep 600";
    let folder = tempfile::tempdir().unwrap();
    let mut process = Process::start("sleep", Path::new("/bin/sh"), &["-c", script], folder).unwrap();
    let pid = process.wait_until(|process| fs_err::read_to_string(process.folder().join("pid")).ok());
    (process, pid.unwrap().trim().to_owned())
}

/// Whether a process runs. One that has ended but was not reaped does not.
fn runs(pid: &str) -> bool {
    let ps = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

fn wait_until<T>(condition: impl Fn() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it takes too long");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn drop_ends_the_program() {
    let (process, pid) = sleep();
    let folder = process.folder().to_owned();
    assert!(runs(&pid));
    drop(process);
    assert!(!runs(&pid));
    assert!(!folder.exists());
}

/// Not a test of its own: what the copy runs.
#[test]
fn copy() {
    let Some(file) = std::env::var_os(COPY).map(PathBuf::from) else {
        return;
    };
    let (process, pid) = sleep();
    let unfinished = file.with_extension("new");
    fs_err::write(&unfinished, format!("{pid}\n{}", process.folder().display())).unwrap();
    fs_err::rename(unfinished, file).unwrap();
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn killed_test_takes_its_program_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("started");
    let mut copy = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "copy"])
        .env(COPY, &file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let started = wait_until(|| fs_err::read_to_string(&file).ok());
    let (pid, folder) = started.split_once('\n').unwrap();
    assert!(runs(pid));
    copy.kill().unwrap();
    copy.wait().unwrap();
    wait_until(|| (!runs(pid) && !Path::new(folder).exists()).then_some(()));
}

#[test]
fn program_that_ends_shows_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let script = "echo no such thing >&2; exit 3";
    let mut process = Process::start("thing", Path::new("/bin/sh"), &["-c", script], folder).unwrap();
    let error = process.wait_until(|_| None::<()>).unwrap_err();
    assert_eq!(error.to_string(), "thing ended:\nno such thing\n");
}
