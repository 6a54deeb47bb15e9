//! Whole-process measurements of the release build.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use crate::gen_mesh::write_mesh;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// The numbers of services to measure
    #[arg(long, value_delimiter = ',', default_values_t = [4_000, 16_000])]
    services: Vec<usize>,

    /// Runs of each measurement, after one that warms the cache
    #[arg(long, default_value_t = 10)]
    runs: usize,
}

struct Measurement {
    fastest: Duration,
    median: Duration,
    /// Peak resident memory in KiB.
    memory: u64,
}

#[expect(clippy::print_stdout, reason = "the measurements are the output")]
pub(crate) fn bench(args: &BenchArgs) -> Result<(), Box<dyn Error>> {
    let BenchArgs { services, runs } = args;
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--bin", "meshctl"])
        .status()?;
    if !status.success() {
        return Err("the release build failed".into());
    }
    let binary = target_dir().join("release/meshctl");
    let report = |name: &str, result: &Measurement| {
        println!(
            "{name:<32} median {:>8.1} ms   fastest {:>8.1} ms   peak memory {:>6.1} MB",
            result.median.as_secs_f64() * 1e3,
            result.fastest.as_secs_f64() * 1e3,
            kib_to_mb(result.memory),
        );
    };
    report("version", &measure(&binary, &["version", "--client"], *runs)?);
    for count in services {
        let dir = target_dir().join(format!("gen-mesh-{count}"));
        write_mesh(*count, &dir, false)?;
        let path = dir.to_string_lossy().into_owned();
        report(
            &format!("analyze, {count} services"),
            &measure(&binary, &["analyze", &path], *runs)?,
        );
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory in megabytes, one decimal")]
fn kib_to_mb(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

pub(crate) fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from)
}

fn measure(binary: &Path, args: &[&str], runs: usize) -> Result<Measurement, Box<dyn Error>> {
    let mut times = Vec::with_capacity(runs);
    let mut memory = 0;
    for run in 0..=runs {
        let start = Instant::now();
        let status = Command::new(binary)
            .args(args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        let elapsed = start.elapsed();
        if !status.success() {
            return Err(format!("{} {} exits with {status}", binary.display(), args.join(" ")).into());
        }
        if run > 0 {
            times.push(elapsed);
        }
    }
    // The peak is read once, through the shell's `time`-like accounting of a child: /usr/bin/time is not everywhere.
    if let Some(kib) = peak_memory(binary, args)? {
        memory = kib;
    }
    times.sort();
    Ok(Measurement {
        fastest: times[0],
        median: times[times.len() / 2],
        memory,
    })
}

/// Peak resident memory of one run in KiB, from `/proc` while it runs; `None` where there is no `/proc`.
fn peak_memory(binary: &Path, args: &[&str]) -> Result<Option<u64>, Box<dyn Error>> {
    let mut child = Command::new(binary)
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let file = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut peak = None;
    while child.try_wait()?.is_none() {
        if let Ok(status) = fs_err::read_to_string(&file) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok());
            peak = peak.max(kib);
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(peak)
}
