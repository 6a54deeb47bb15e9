//! `meshctl canary status`: where a rollout stands.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use mesh_canary::judge;
use mesh_canary::patch;
use mesh_canary::percent::Percent;
use mesh_canary::plan::Limits;
use mesh_canary::route::Version;
use mesh_canary::state::{Phase, Rollout};
use serde::Serialize;

use super::SubjectArgs;
use super::checks::Pods;
use super::driver::{Driver, verify};
use super::prometheus::{NoData, Prometheus, PrometheusArgs};
use super::proxies::Synced;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::document::{self, Format, FormatArgs};
use crate::ui::{Look, Printer, Tone, span, table};
use crate::watch::{Watch, WatchArgs};

/// The window of the numbers if no plan says another.
const WINDOW: Duration = Duration::from_mins(1);

/// Columns of a bar.
const BAR: usize = 20;

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    prometheus: PrometheusArgs,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    watch: WatchArgs,

    #[command(flatten)]
    subject: SubjectArgs,
}

/// Where a rollout stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    service: String,
    object: String,
    phase: Phase,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<String>,
    by: String,
    started: String,
    updated: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<Step>,
    routes: Vec<String>,
    stable: VersionStatus,
    canary: VersionStatus,
    proxies: Synced,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    number: usize,
    of: usize,
    failures: u32,
    max_failures: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VersionStatus {
    name: String,
    percent: Percent,
    #[serde(skip_serializing_if = "Option::is_none")]
    pods: Option<Pods>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    success_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency_ms: Option<f64>,
}

/// Runs the command.
pub(super) fn status(printer: &mut Printer, args: &StatusArgs) -> Result<Exit, CommandError> {
    let connection = args.watch.deadline(&args.subject.cluster);
    connection.run(async |cluster| {
        let Some(interval) = args.watch.watch else {
            let driver = Driver::new(printer, cluster, &args.subject).await?;
            let status = look(&driver, args).await?;
            let content = render(printer, args.output.format, &status)?;
            printer.stdout().write_all(&content)?;
            let is_disturbed = status.conflict.is_some();
            return Ok(if is_disturbed { Exit::Conflict } else { Exit::Clean });
        };
        let mut watch = Watch::new(interval);
        let mut subject = args.subject.clone();
        loop {
            let look = async {
                let driver = Driver::new(printer, cluster.clone(), &subject).await?;
                // Which service is meant is found out, and perhaps asked, once.
                subject.service = Some(driver.service.header().name().to_owned());
                subject.namespace = Some(driver.service.namespace().to_owned());
                look(&driver, args).await
            };
            let seen = look.await.map(|status| (status, Vec::new()));
            if let Some(status) = watch.seen(printer, seen)? {
                let content = render(printer, args.output.format, &status)?;
                if watch.is_news(&content) {
                    printer.stdout().write_all(&content)?;
                    printer.finish()?;
                }
                if !status.phase.is_open() {
                    return Ok(Exit::Clean);
                }
            }
            watch.pause().await;
        }
    })
}

async fn look(driver: &Driver, args: &StatusArgs) -> Result<Status, CommandError> {
    let (target, live, rollout) = driver.current(&args.subject).await?;
    let subject = &rollout.subject;
    let conflict = if rollout.phase.is_open() {
        verify(&live, &rollout).err().map(|error| error.message)
    } else {
        None
    };
    let proxies = driver.envoys().await;
    let synced = driver.synced(&proxies, &live, &rollout).await;
    let mut stable = version(driver, &rollout, &subject.stable).await;
    let mut canary = version(driver, &rollout, &subject.canary).await;
    let metrics = measure(driver, args, &rollout, [&mut stable, &mut canary])
        .await
        .err();
    Ok(Status {
        service: subject.host.clone(),
        object: target.to_string(),
        phase: rollout.phase,
        message: rollout.message.clone(),
        conflict,
        by: rollout.by.clone(),
        started: rollout.started.clone(),
        updated: rollout.updated.clone(),
        step: rollout.run.as_ref().map(|run| Step {
            number: run.step + 1,
            of: run.plan.steps.len(),
            failures: run.failures,
            max_failures: run.plan.limits.max_failures,
        }),
        routes: patch::places(&live, &rollout).unwrap_or_else(|_| {
            let routes = rollout.routes.iter();
            routes.map(|route| route.section.field().to_owned()).collect()
        }),
        stable,
        canary,
        proxies: synced,
        metrics,
    })
}

async fn version(driver: &Driver, rollout: &Rollout, version: &Version) -> VersionStatus {
    let percent = if *version == rollout.subject.canary {
        rollout.percent
    } else {
        Percent::of_ratio(1.0 - rollout.percent.ratio())
    };
    VersionStatus {
        name: version.to_string(),
        percent,
        pods: driver.pods(version).await.ok(),
        rps: None,
        success_ratio: None,
        latency_ms: None,
    }
}

/// Adds the numbers; the error says why there are none.
async fn measure(
    driver: &Driver,
    args: &StatusArgs,
    rollout: &Rollout,
    versions: [&mut VersionStatus; 2],
) -> Result<(), String> {
    let timeout = Duration::from_secs(5);
    let istio = &args.subject.istio_namespace;
    let prometheus = match args.prometheus.access(None) {
        Ok(access) => Prometheus::find(&driver.cluster, access, istio, timeout).await,
        Err(error) => Err(error),
    };
    let prometheus = prometheus.map_err(|error| error.message)?;
    let plan = rollout.run.as_ref().map(|run| &run.plan);
    let window = plan.map_or(WINDOW, mesh_canary::plan::Plan::interval);
    let limits = plan.map_or_else(Limits::default, |plan| plan.limits.clone());
    let subject = &rollout.subject;
    for (status, version) in versions.into_iter().zip([&subject.stable, &subject.canary]) {
        let series = driver
            .series(rollout, version)
            .await
            .map_err(|error| error.message)?;
        match prometheus.observe(&series, window, &limits).await {
            Ok(seen) => {
                status.rps = Some(seen.rps);
                status.success_ratio = Some(seen.success());
                status.latency_ms = seen.latency_ms;
            }
            Err(NoData::Nothing(_)) => {}
            Err(NoData::Error(reason)) => return Err(format!("Prometheus {reason}")),
        }
    }
    Ok(())
}

fn render(printer: &Printer, format: Format, status: &Status) -> Result<Vec<u8>, CommandError> {
    let mut content = Vec::new();
    document::write(&mut content, format, status, |content| {
        content.write_all(text(printer.look(), status).as_bytes())
    })?;
    Ok(content)
}

fn text(look: Look, status: &Status) -> String {
    let tone = match status.phase {
        Phase::Promoted => Tone::Good,
        Phase::RolledBack => Tone::Error,
        Phase::Paused => Tone::Warning,
        _ => Tone::Info,
    };
    let age = status.started.parse::<Timestamp>().ok();
    let age = age.map_or_else(String::new, |started| {
        format!(" for {}", span(Timestamp::now().duration_since(started)))
    });
    let step = status.step.as_ref().map_or_else(String::new, |step| {
        format!(
            ", step {} of {}, {} of {} failures",
            step.number, step.of, step.failures, step.max_failures
        )
    });
    let mut text = format!(
        "{}  {}  {}\n{} at {}{step}{age}\n",
        look.paint(Tone::Strong, status.service.as_str()),
        status.object,
        status.routes.join(", "),
        look.paint(tone, status.phase.as_str()),
        status.canary.percent,
    );
    if !status.message.is_empty() {
        text.push_str(&format!("  {}\n", status.message));
    }
    if let Some(conflict) = &status.conflict {
        text.push_str(&format!(
            "  {}: {conflict}\n",
            look.paint(Tone::Error, "conflict")
        ));
    }
    text.push('\n');
    let total = (status.stable.rps, status.canary.rps);
    let row = |role: &str, version: &VersionStatus| {
        let real = match (total, version.rps) {
            ((Some(stable), Some(canary)), Some(own)) if stable + canary > 0.0 => {
                judge::share(own / (stable + canary))
            }
            _ => String::new(),
        };
        vec![
            format!(
                "{} {role}",
                if role == "stable" {
                    look.branch()
                } else {
                    look.last_branch()
                }
            ),
            version.name.clone(),
            format!("{} {}", look.bar(version.percent.ratio(), BAR), version.percent),
            real,
            version
                .pods
                .map_or_else(String::new, |pods| format!("{}/{} ready", pods.ready, pods.all)),
            version
                .rps
                .map_or_else(String::new, |rps| format!("{rps:.1} rps")),
            version.success_ratio.map_or_else(String::new, judge::share),
            version.latency_ms.map_or_else(String::new, judge::milliseconds),
        ]
    };
    let rows = [row("stable", &status.stable), row("canary", &status.canary)];
    let headings = [
        "", "VERSION", "WEIGHT", "REAL", "PODS", "RATE", "SUCCESS", "LATENCY",
    ];
    text.push_str(&table::table(look, &headings, &rows));
    let Synced {
        current,
        routing,
        silent,
    } = status.proxies;
    if routing > 0 {
        text.push_str(&format!("\n{current} of {routing} proxies have the weights"));
        if silent > 0 {
            text.push_str(&format!("; {silent} did not answer"));
        }
        text.push('\n');
    }
    if let Some(reason) = &status.metrics {
        text.push_str(&format!("\nno numbers: {reason}\n"));
    }
    if status.phase.is_open() {
        text.push_str("\nnext: meshctl canary shift N%, promote or abort\n");
    }
    text
}

impl Look {
    pub(super) fn branch(self) -> &'static str {
        if self.unicode { "├─" } else { "|-" }
    }

    pub(super) fn last_branch(self) -> &'static str {
        if self.unicode { "└─" } else { "`-" }
    }

    /// A bar that is filled by a ratio from 0 to 1.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a bar has few columns"
    )]
    pub(super) fn bar(self, ratio: f64, columns: usize) -> String {
        let full = ((ratio.clamp(0.0, 1.0) * columns as f64).round() as usize).min(columns);
        let (on, off) = if self.unicode { ("█", "░") } else { ("#", ".") };
        format!("{}{}", on.repeat(full), off.repeat(columns - full))
    }
}
