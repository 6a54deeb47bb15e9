//! A real Prometheus for tests, built from its Go module.
//!
//! `tests/prometheus/go.mod` says which version. The first start builds it, which needs Go and takes minutes; later
//! starts take about a second. It listens on loopback at a port that the system gives, has its data in a folder of its
//! own, and ends when the [`Prometheus`] is dropped or the test dies.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use test_support::Process;
use test_support::go::Program;
use test_support::http::{self, Connection};

/// How often targets are scraped, unless the job says otherwise.
pub const SCRAPE_INTERVAL: Duration = Duration::from_millis(200);

/// How long a wait may take: much longer than a machine that is busy otherwise needs.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The file of targets, in Prometheus' folder.
const TARGETS: &str = "targets.json";

/// A running Prometheus.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts a Prometheus with one scrape job, which has no targets yet.
    ///
    /// The job is an object of Prometheus' `scrape_config`, for what is not to be as usual: `metrics_path`,
    /// `metric_relabel_configs`, `scrape_interval`. Its name, `test`, and where its targets come from are given.
    pub fn start(job: &Value) -> io::Result<Self> {
        let module = test_support::workspace().join("tests/prometheus");
        let program = Program {
            name: "test-prometheus",
            module: &module,
            package: "github.com/prometheus/prometheus/cmd/prometheus",
            // Of all that finds targets, files are enough; without the rest it builds in half the time.
            arguments: &["-tags=remove_all_sd".to_owned(), "-ldflags=-s -w".to_owned()],
        };
        let binary = program.binary().map_err(io::Error::other)?;

        let folder = tempfile::tempdir()?;
        let mut job = job.clone();
        job["job_name"] = "test".into();
        // Changes of the file are noticed at once, but for those right after the start, before it is watched.
        job["file_sd_configs"] = json!([{"files": [TARGETS], "refresh_interval": "1s"}]);
        let interval = format!("{}ms", SCRAPE_INTERVAL.as_millis());
        let config = json!({
            "global": {"scrape_interval": interval, "scrape_timeout": interval},
            "scrape_configs": [job],
        });
        // JSON is YAML.
        fs_err::write(folder.path().join("prometheus.yml"), config.to_string())?;
        write_targets(folder.path(), &[])?;
        let arguments = [
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            "--web.listen-address=127.0.0.1:0",
            "--scrape.discovery-reload-interval=100ms",
        ];
        let mut process = Process::start("Prometheus", &binary, &arguments, folder)?;
        let address = process.wait_until(|process| {
            let address = address_in(&process.log())?;
            let ready = http::get(address, "/-/ready").is_ok_and(|response| response.status == 200);
            ready.then_some(address)
        })?;
        Ok(Self { process, address })
    }

    /// The URL, without a path: `http://127.0.0.1:41233`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What Prometheus has logged.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Lets these targets be scraped, instead of those before. It takes about half a second until they are.
    pub fn set_targets(&self, targets: &[SocketAddr]) -> io::Result<()> {
        write_targets(self.process.folder(), targets)
    }

    /// What a query gives now: `data` of the answer of `/api/v1/query`. Fails with what Prometheus says against it.
    pub fn query(&self, promql: &str) -> io::Result<Value> {
        let body = format!("query={}", percent_encoded(promql));
        let request = format!(
            "POST /api/v1/query HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let response = Connection::open(self.address)?.send(request.as_bytes())?;
        let mut answer: Value = serde_json::from_slice(&response.body)?;
        if answer["status"] == "success" {
            Ok(answer["data"].take())
        } else {
            Err(io::Error::other(format!("{promql}: {}", answer["error"])))
        }
    }

    /// The number that a query gives now; nothing if it gives no series. More than one series is an error.
    pub fn number(&self, promql: &str) -> io::Result<Option<f64>> {
        let data = self.query(promql)?;
        let value = match data["result"].as_array().map(Vec::as_slice) {
            Some([]) => return Ok(None),
            Some([series]) => series["value"][1].as_str(),
            _ => None,
        };
        let number = value.and_then(|value| value.parse().ok());
        number
            .map(Some)
            .ok_or_else(|| io::Error::other(format!("{promql}: not one number: {data}")))
    }

    /// Waits until all targets have been scraped after this call, so that queries see what has happened before it.
    pub fn wait_until_scraped(&self) -> io::Result<()> {
        let targets = fs_err::read(self.process.folder().join(TARGETS))?;
        let targets: Value = serde_json::from_slice(&targets)?;
        let targets = targets[0]["targets"].as_array().map_or(0, Vec::len);
        if targets == 0 {
            return Ok(());
        }
        // A scrape's time may be put right by 2 ms, to be regular.
        let after = SystemTime::now() + Duration::from_millis(2);
        let after = after.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        let scraped = format!(
            "count(timestamp(up) > {:.3} and up == 1) == {targets}",
            after.as_secs_f64()
        );
        let start = Instant::now();
        while self.number(&scraped)?.is_none() {
            if start.elapsed() > TIMEOUT {
                let up = self.query("up")?;
                let message = format!("Prometheus does not scrape {targets} targets: {up}");
                return Err(io::Error::other(message));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

/// Prometheus watches the file, and never sees half of it.
fn write_targets(folder: &Path, targets: &[SocketAddr]) -> io::Result<()> {
    let unfinished = folder.join("targets.new");
    fs_err::write(&unfinished, json!([{"targets": targets}]).to_string())?;
    fs_err::rename(unfinished, folder.join(TARGETS))
}

/// The address at which Prometheus logs that it listens.
fn address_in(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains(r#"msg="Listening on""#))?;
    line.rsplit_once("address=")?.1.trim().parse().ok()
}

fn percent_encoded(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}
