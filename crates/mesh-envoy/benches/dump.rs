//! Time and memory of views of a 160 MB config dump: each view in a process of its own, best of several runs.
//!
//! `cargo bench -p mesh-envoy`

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use mesh_envoy::dump::{Section, collect};
use mesh_envoy::summary::{ClusterEndpoints, ClusterSummary, ListenerSummary, RouteTableSummary};
use mesh_envoy::trace::Config;

/// Makes a dump of about 160 MB.
const SERVICES: usize = 7_750;
const RUNS: usize = 5;
const VIEWS: &[&str] = &["clusters", "listeners", "routes", "endpoints", "trace"];

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).filter(|arg| !arg.starts_with("--"));
    match (args.next(), args.next()) {
        (Some(view), Some(file)) => show(&view, Path::new(&file)),
        _ => compare(),
    }
}

/// One view, in this process. Says how long it took, how many rows it has, and the process's peak memory.
fn show(view: &str, file: &Path) -> std::io::Result<()> {
    let start = Instant::now();
    let file = File::open(file)?;
    let rows = match view {
        "clusters" => collect::<ClusterSummary>(file, Section::Clusters).map(|items| items.items.len()),
        "listeners" => collect::<ListenerSummary>(file, Section::Listeners).map(|items| items.items.len()),
        "routes" => collect::<RouteTableSummary>(file, Section::Routes).map(|items| items.items.len()),
        "endpoints" => collect::<ClusterEndpoints>(file, Section::Endpoints).map(|items| items.items.len()),
        _ => Config::read(file).map(|_| 1),
    };
    let elapsed = start.elapsed();
    let rows = rows.map_err(std::io::Error::other)?;
    let mut status = String::new();
    File::open("/proc/self/status")?.read_to_string(&mut status)?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.map_or("?", |peak| peak.trim());
    writeln!(std::io::stdout(), "{} {rows} {peak}", elapsed.as_micros())
}

fn compare() -> std::io::Result<()> {
    let file = dump()?;
    let size = file.metadata()?.len();
    let mut out = std::io::stdout();
    writeln!(out, "{} of {:.1} MB", file.display(), megabytes(size))?;
    for view in VIEWS {
        let mut best = Duration::MAX;
        let mut rest = String::new();
        for _ in 0..RUNS {
            let output = Command::new(std::env::current_exe()?)
                .arg(view)
                .arg(&file)
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let (micros, others) = text.trim().split_once(' ').unwrap_or_default();
            let elapsed = Duration::from_micros(micros.parse().map_err(std::io::Error::other)?);
            best = best.min(elapsed);
            others.clone_into(&mut rest);
        }
        writeln!(
            out,
            "{view:<10} {:>6.3} s  rows and peak memory: {rest}",
            best.as_secs_f64()
        )?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a size in megabytes, one decimal")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The dump, written if it is not there yet.
fn dump() -> std::io::Result<PathBuf> {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("config-dump-{SERVICES}.json"));
    if !file.exists() {
        let partial = file.with_extension("partial");
        mesh_samples::config_dump(SERVICES, BufWriter::new(File::create(&partial)?))?;
        fs_err::rename(partial, &file)?;
    }
    Ok(file)
}
