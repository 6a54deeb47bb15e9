//! `meshctl canary run`: the steps of a plan, each judged, until the canary has all traffic or none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use mesh_canary::judge::{Observation, Series, Traffic, Verdict, judge};
use mesh_canary::patch;
use mesh_canary::percent::Percent;
use mesh_canary::plan::{self, Limits, Metric, Plan, PlanFile, Webhook, When};
use mesh_canary::route::Version;
use mesh_canary::state::{Extras, Next, Phase, Rollout, Run};
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_core::source::files;
use mesh_install::engine::NamedLock;
use serde_json::json;

use super::board::{Board, Doing};
use super::driver::{Driver, Target};
use super::event::{Event, Format, Speaker};
use super::prometheus::{NoData, Prometheus, PrometheusArgs, built, client, root};
use super::{
    ChangeArgs, EndArgs, ExtraArgs, SubjectArgs, changed, check, go_back, last, lock, lock_error, say_phase,
    set_phase, sync, undisturbed, write,
};
use crate::cluster::{ClusterArgs, Stop, duration};
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::Printer;

/// How often the state is looked at while a step is watched.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// How long a webhook may take if it does not say so.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RunArgs {
    /// File with the plan: steps, limits, metrics, webhooks. Arguments win over it
    #[arg(long, value_name = "FILE", help_heading = "Plan")]
    plan: Option<PathBuf>,

    /// Shares of the new version, rising [default: 5,10,25,50,100]
    #[arg(long, value_name = "SHARES", help_heading = "Plan")]
    steps: Option<String>,

    /// How long each step is watched before it is judged [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Plan")]
    interval: Option<Duration>,

    /// Requests that must succeed [default: 99%]
    #[arg(long, value_name = "PERCENT", help_heading = "Plan")]
    success_rate: Option<Percent>,

    /// What 99% of the requests may take at most
    #[arg(long, value_name = "DURATION", value_parser = duration, help_heading = "Plan")]
    p99: Option<Duration>,

    /// Requests below which there is nothing to judge [default: 20]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Plan")]
    min_requests: Option<u32>,

    /// Bad verdicts with which traffic goes back [default: 2]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Plan")]
    max_failures: Option<u32>,

    /// Verdicts in a row that say nothing with which the run stops [default: 5]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Plan")]
    max_inconclusive: Option<u32>,

    /// Do not hold the new version against the stable one, only against the limits
    #[arg(long, help_heading = "Plan")]
    no_compare: bool,

    #[command(flatten)]
    extras: ExtraArgs,

    #[command(flatten)]
    watching: WatchingArgs,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    subject: SubjectArgs,
}

const EXAMPLES: &str = "\
Examples:
  Five steps, a minute each
    meshctl canary run --service reviews --canary v2

  A plan that is kept with the code, in a pipeline
    meshctl canary run --plan canary.yaml --on-interrupt abort -o json

Exit status:
  0  all steps were good
  1  the canary was judged bad, and traffic went back
  2  it could not be done, or the cluster could not be asked any more: traffic stays where it is
  3  on hold: there was too little to judge, or a webhook said no
  4  the time was up (--timeout)
  5  somebody else changed the routes, or works on the rollout
  130  stopped by Ctrl-C: traffic stays where it is, or goes back (--on-interrupt)";

/// How a run watches and is stopped.
#[derive(Args, Clone, Debug)]
struct WatchingArgs {
    #[command(flatten)]
    prometheus: PrometheusArgs,

    /// How long one question to Prometheus may take
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = duration)]
    query_timeout: Duration,

    /// What becomes of traffic when the run is stopped by Ctrl-C or SIGTERM
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    on_interrupt: OnInterrupt,
}

#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum OnInterrupt {
    /// It stays where it is
    #[default]
    Hold,
    /// All of it goes back
    Abort,
}

#[derive(Args, Debug)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    watching: WatchingArgs,

    #[command(flatten)]
    end: EndArgs,
}

/// What a run needs to know beside its state.
struct Watching {
    driver: Driver,
    target: Target,
    speaker: Speaker,
    prometheus: Prometheus,
    lock: NamedLock,
    proxy_timeout: Duration,
    /// What is shown on a terminal, once there is something to show.
    board: Arc<Mutex<Option<Board>>>,
}

impl Watching {
    /// Changes what is shown, if anything is.
    fn draw(&self, change: impl FnOnce(&mut Board)) {
        if let Some(board) = &mut *lock_board(&self.board) {
            change(board);
        }
    }

    /// Shows what metrics say of the step so far.
    async fn sample(&self, rollout: &Rollout, run: &Run) {
        let look = async |version: &Version| {
            let series = self.driver.series(rollout, version).await.ok()?;
            let window = run.plan.interval();
            self.prometheus
                .observe(&series, window, &run.plan.limits)
                .await
                .ok()
        };
        let both = async {
            let canary = look(&rollout.subject.canary).await;
            (canary, look(&rollout.subject.stable).await)
        };
        // A slow Prometheus must not keep the state from being looked at.
        if let Ok((canary, stable)) = tokio::time::timeout(LOOK, both).await {
            self.draw(|board| board.saw(canary.as_ref(), stable.as_ref()));
        }
    }
}

fn lock_board(board: &Mutex<Option<Board>>) -> MutexGuard<'_, Option<Board>> {
    board.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs the command.
pub(super) fn run(printer: &mut Printer, args: &RunArgs) -> Result<Exit, CommandError> {
    let file = match &args.plan {
        Some(path) => read_plan(printer, path)?,
        None => PlanFile::default(),
    };
    let plan = args.plan(&file)?;
    let subject = with_plan(&args.subject, &file);
    let folder = args
        .plan
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""));
    let planned = file.prometheus.as_ref().map(|plan| (plan, folder));
    let access = args.watching.prometheus.access(planned)?;
    let connection = subject.cluster.without_default_deadline();
    let speaker = Speaker {
        format: args.change.output.format,
    };
    connection.run_to_end(async |cluster| {
        let begin = async |printer: &mut Printer| {
            let driver = Driver::new(printer, cluster, &subject).await?;
            let istio = &subject.istio_namespace;
            let timeout = args.watching.query_timeout;
            let prometheus = Prometheus::find(&driver.cluster, access, istio, timeout).await?;
            prometheus.probe().await?;
            let prepared = driver.prepare(&subject).await?;
            if !prepared.rollout.traffic().0 && plan.limits.latency.is_some() {
                return Err(CommandError::user("the routes are for connections, which have no latency")
                    .hinted("leave its limit out; metrics of a plan can judge what the backends say of themselves"));
            }
            let judged = driver.templates(&prepared.rollout.subject.canary).await?;
            let wanted = |rollout: &Rollout| {
                let mut rollout = rollout.clone();
                let mut run = Run::new(plan.clone(), rollout.percent);
                run.judged.clone_from(&judged);
                rollout.percent = run.percent().max(rollout.percent);
                rollout.run = Some(run);
                rollout.message.clear();
                rollout.extras.add(&file.extras);
                args.extras.apply(&mut rollout);
                rollout.record(&driver.stamp(), Phase::Progressing, "run started");
                Ok(rollout)
            };
            check(printer, &driver, &prepared, &args.change, wanted).await?;
            if args.change.dry_run {
                return Ok(None);
            }
            let first = plan.steps.first().copied().unwrap_or_default();
            ask_webhooks(
                printer,
                speaker,
                &plan,
                When::BeforeStep,
                &prepared.rollout,
                first,
            )
            .await?;
            let lock = lock(&driver.cluster, &prepared.target).await?;
            if let Err(error) = write(printer, &driver, speaker, &subject, &prepared, wanted).await {
                lock.release().await;
                return Err(error);
            }
            last::write(&driver);
            Ok(Some(Watching {
                driver,
                target: prepared.target,
                speaker,
                prometheus,
                lock,
                proxy_timeout: args.change.proxy_timeout,
                board: Arc::default(),
            }))
        };
        begin_and_watch(printer, &connection, args.watching.on_interrupt, begin).await
    })
}

/// Goes on with a run: wakes the process that is at it, or takes its place.
pub(super) fn resume(printer: &mut Printer, args: &ResumeArgs) -> Result<Exit, CommandError> {
    let ResumeArgs { watching, end } = args;
    let speaker = Speaker {
        format: end.output.format,
    };
    let access = watching.prometheus.access(None)?;
    let connection = end.subject.cluster.without_default_deadline();
    connection.run_to_end(async |cluster| {
        let begin = async |printer: &mut Printer| {
            let driver = Driver::new(printer, cluster, &end.subject).await?;
            let (target, live, rollout) = driver.current(&end.subject).await?;
            if rollout.run.is_none() {
                return Err(CommandError::user("the rollout follows no plan")
                    .hinted("`meshctl canary run` gives it one, and begins at the share that it has"));
            }
            undisturbed(&live)?;
            let judged = driver.templates(&rollout.subject.canary).await?;
            let lock = match lock(&driver.cluster, &target).await {
                Ok(lock) => lock,
                // The process that has it goes on as soon as it sees this.
                Err(error) if error.kind == ErrorKind::Conflict && rollout.phase == Phase::Paused => {
                    let wake = |live: &serde_json::Value| {
                        let rollout = woken(&driver, live, &judged)?;
                        Ok(patch::note(live, &rollout))
                    };
                    let (_, rollout) = driver.change(&target, wake).await?;
                    say_phase(printer, speaker, &rollout)?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
            let istio = &end.subject.istio_namespace;
            let found = Prometheus::find(&driver.cluster, access, istio, watching.query_timeout).await;
            let prepared = async {
                let prometheus = found?;
                prometheus.probe().await?;
                let resume = |live: &serde_json::Value| {
                    let mut rollout = woken(&driver, live, &judged)?;
                    if let Some(run) = &mut rollout.run {
                        run.inconclusive = 0;
                        run.errors = 0;
                        rollout.percent = run.percent().max(rollout.percent);
                    }
                    changed(&driver, &target, live, &rollout)
                };
                let (_, rollout) = driver.change(&target, resume).await?;
                say_phase(printer, speaker, &rollout)?;
                Ok::<_, CommandError>(prometheus)
            };
            match prepared.await {
                Ok(prometheus) => Ok(Some(Watching {
                    driver,
                    target,
                    speaker,
                    prometheus,
                    lock,
                    proxy_timeout: end.proxy_timeout,
                    board: Arc::default(),
                })),
                Err(error) => {
                    lock.release().await;
                    Err(error)
                }
            }
        };
        begin_and_watch(printer, &connection, watching.on_interrupt, begin).await
    })
}

/// Begins, and follows the plan until it ends or is stopped. Nothing is to be followed if `begin` brings nothing.
async fn begin_and_watch(
    printer: &mut Printer,
    connection: &ClusterArgs,
    on_interrupt: OnInterrupt,
    begin: impl AsyncFnOnce(&mut Printer) -> Result<Option<Watching>, CommandError>,
) -> Result<Exit, CommandError> {
    let begun = connection.until_stopped(Box::pin(begin(printer))).await;
    let Some(watching) = begun.map_err(|stop| connection.stopped(stop))?? else {
        return Ok(Exit::Clean);
    };
    let result = Box::pin(watch(printer, connection, &watching, on_interrupt)).await;
    watching.lock.release().await;
    result
}

/// A rollout that goes on, with the canary as it is now.
fn woken(
    driver: &Driver,
    live: &serde_json::Value,
    judged: &BTreeSet<String>,
) -> Result<Rollout, CommandError> {
    let mut rollout = Rollout::of(live)?
        .filter(|rollout| rollout.phase.is_open())
        .ok_or_else(|| CommandError::user("the rollout is over"))?;
    rollout.message.clear();
    if let Some(run) = &mut rollout.run {
        run.judged.clone_from(judged);
    }
    rollout.record(&driver.stamp(), Phase::Progressing, "resumed");
    Ok(rollout)
}

/// Follows the plan until it ends or is stopped.
async fn watch(
    printer: &mut Printer,
    connection: &ClusterArgs,
    watching: &Watching,
    on_interrupt: OnInterrupt,
) -> Result<Exit, CommandError> {
    if watching.speaker.format == Format::Text {
        let board = Arc::clone(&watching.board);
        printer.show(move |look| match &*lock_board(&board) {
            Some(board) => board.picture(look, Instant::now()),
            None => String::new(),
        });
    }
    let result = {
        let work = follow(printer, watching);
        tokio::select! {
            result = connection.until_stopped(work) => result,
            () = terminated() => Err(Stop::Interrupted),
        }
    };
    printer.hide();
    let stop = match result {
        Ok(result) => return result,
        Err(stop) => stop,
    };
    let Watching {
        driver,
        target,
        speaker,
        proxy_timeout,
        ..
    } = watching;
    if stop == Stop::Interrupted && on_interrupt == OnInterrupt::Abort {
        let reason = "the run was interrupted";
        go_back(
            printer,
            driver,
            *speaker,
            target,
            Phase::Aborted,
            reason,
            *proxy_timeout,
        )
        .await?;
        return Ok(Exit::Interrupted);
    }
    printer.note("traffic stays where it is; go on with `meshctl canary resume`, or go back with `meshctl canary abort`");
    Ok(match stop {
        Stop::Interrupted => Exit::Interrupted,
        Stop::Late => {
            printer.error(&connection.stopped(stop));
            Exit::TimedOut
        }
    })
}

/// Waits for SIGTERM, where there is such a thing.
async fn terminated() {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        signal.recv().await;
        return;
    }
    std::future::pending::<()>().await;
}

/// What comes of watching a step.
enum Watched {
    /// Its time is up.
    Enough,
    /// Somebody has ended the rollout.
    Ended(Phase),
    /// The canary is not what it was, for this reason.
    Changed(String),
}

async fn follow(printer: &mut Printer, watching: &Watching) -> Result<Exit, CommandError> {
    let Watching {
        driver,
        target,
        speaker,
        lock,
        proxy_timeout,
        ..
    } = watching;
    loop {
        let live = driver.read(target).await?.unwrap_or_default();
        let rollout = undisturbed(&live)?;
        let Some(run) = &rollout.run else {
            return Err(CommandError::user("the rollout follows no plan any more"));
        };
        if printer.is_showing() {
            let mut board = lock_board(&watching.board);
            board
                .get_or_insert_with(|| Board::new(&rollout, run))
                .at(&rollout, run);
        }
        let synced = sync(printer, driver, *speaker, &rollout, *proxy_timeout).await?;
        match watch_step(printer, watching, run).await? {
            Watched::Enough => {}
            Watched::Ended(phase) => return ended(printer, watching, &rollout, phase).await,
            Watched::Changed(reason) => return hold(printer, watching, &run.plan, &reason).await,
        }
        watching.draw(|board| board.doing = Doing::Judging);
        lock.assure().await.map_err(lock_error)?;
        let verdict = if synced.is_done() {
            let (verdict, canary, stable) = observe(watching, &rollout, run).await?;
            watching.draw(|board| board.saw(canary.as_ref(), stable.as_ref()));
            say_judged(
                printer,
                watching,
                &rollout,
                run,
                (&verdict, canary.as_ref(), stable.as_ref()),
            )?;
            verdict
        } else {
            let reason = format!(
                "{} of {} proxies have the weights",
                synced.current, synced.routing
            );
            let verdict = Verdict::Inconclusive(reason);
            say_judged(printer, watching, &rollout, run, (&verdict, None, None))?;
            verdict
        };
        if let Some(exit) = decide(printer, watching, &rollout, verdict).await? {
            return Ok(exit);
        }
    }
}

fn say_judged(
    printer: &mut Printer,
    watching: &Watching,
    rollout: &Rollout,
    run: &Run,
    (verdict, canary, stable): (&Verdict, Option<&Observation>, Option<&Observation>),
) -> Result<(), CommandError> {
    watching.draw(|board| board.judged(verdict));
    watching.speaker.say(
        printer,
        &Event::Judged {
            percent: rollout.percent,
            verdict,
            canary,
            stable,
            quantile: run.plan.limits.quantile_name(),
        },
    )
}

/// Lets the time of a step pass. Time on hold does not count, and whatever somebody else does is seen.
async fn watch_step(printer: &mut Printer, watching: &Watching, run: &Run) -> Result<Watched, CommandError> {
    let interval = run.plan.interval();
    let look = LOOK.min(interval);
    let mut begun = Instant::now();
    let mut is_paused = false;
    loop {
        watching.draw(|board| {
            board.doing = if is_paused {
                Doing::Paused
            } else {
                Doing::Watching(begun + interval)
            };
        });
        tokio::time::sleep(look.min(interval.saturating_sub(begun.elapsed()))).await;
        let live = watching.driver.read(&watching.target).await?.unwrap_or_default();
        let rollout = undisturbed(&live)?;
        match rollout.phase {
            Phase::Paused => {
                if !is_paused {
                    say_phase(printer, watching.speaker, &rollout)?;
                    printer.note("`meshctl canary resume` goes on");
                }
                is_paused = true;
                begun = Instant::now();
                tokio::time::sleep(look).await;
            }
            phase if !phase.is_open() => return Ok(Watched::Ended(phase)),
            _ => {
                if is_paused {
                    say_phase(printer, watching.speaker, &rollout)?;
                    begun = Instant::now();
                }
                is_paused = false;
                if let Some(reason) = replaced(&watching.driver, &rollout).await? {
                    return Ok(Watched::Changed(reason));
                }
                if begun.elapsed() >= interval {
                    return Ok(Watched::Enough);
                }
                if printer.is_showing() {
                    watching.sample(&rollout, run).await;
                }
            }
        }
    }
}

/// Why what is judged is not what the run began with: pods from another template have come.
async fn replaced(driver: &Driver, rollout: &Rollout) -> Result<Option<String>, CommandError> {
    let Some(run) = rollout.run.as_ref().filter(|run| !run.judged.is_empty()) else {
        return Ok(None);
    };
    let canary = &rollout.subject.canary;
    let now = driver.templates(canary).await?;
    let new: Vec<_> = now.difference(&run.judged).map(String::as_str).collect();
    Ok((!new.is_empty()).then(|| {
        format!(
            "`{canary}` was changed while it was judged: there are new pods of {}",
            new.join(", ")
        )
    }))
}

/// Stops the run where it is.
async fn hold(
    printer: &mut Printer,
    watching: &Watching,
    plan: &Plan,
    reason: &str,
) -> Result<Exit, CommandError> {
    let Watching {
        driver,
        target,
        speaker,
        ..
    } = watching;
    let (_, rollout) = set_phase(driver, target, Phase::Paused, reason, reason).await?;
    say_phase(printer, *speaker, &rollout)?;
    printer.note("`meshctl canary resume` judges what is there now, `abort` goes back");
    ask_webhooks(printer, *speaker, plan, When::End, &rollout, rollout.percent).await?;
    Ok(Exit::Held)
}

/// Somebody else has ended the rollout.
async fn ended(
    printer: &mut Printer,
    watching: &Watching,
    rollout: &Rollout,
    phase: Phase,
) -> Result<Exit, CommandError> {
    let mut rollout = rollout.clone();
    rollout.phase = phase;
    "by somebody else".clone_into(&mut rollout.message);
    say_phase(printer, watching.speaker, &rollout)?;
    if let Some(run) = &rollout.run {
        ask_webhooks(
            printer,
            watching.speaker,
            &run.plan,
            When::End,
            &rollout,
            rollout.percent,
        )
        .await?;
    }
    Ok(if phase == Phase::Promoted {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// Takes a verdict into the state, and does what follows from it. `None` goes on.
async fn decide(
    printer: &mut Printer,
    watching: &Watching,
    before: &Rollout,
    mut verdict: Verdict,
) -> Result<Option<Exit>, CommandError> {
    let Watching {
        driver,
        target,
        speaker,
        proxy_timeout,
        ..
    } = watching;
    let Some(run) = &before.run else { return Ok(None) };
    if verdict == Verdict::Pass {
        let next = run.plan.steps.get(run.step + 1).copied();
        let percent = before.percent;
        let mut gate = ask_webhooks(printer, *speaker, &run.plan, When::AfterStep, before, percent).await;
        if let (Ok(()), Some(next)) = (&gate, next) {
            gate = ask_webhooks(printer, *speaker, &run.plan, When::BeforeStep, before, next).await;
        }
        if let Err(error) = gate {
            // A webhook that says no is asked again after the next interval.
            verdict = Verdict::Inconclusive(error.message);
        }
    }
    let mut next = Next::Judge;
    let mut after = run.clone();
    if let decided @ (Next::RollBack(_) | Next::Hold(_)) = after.after(&verdict) {
        next = decided;
    }
    if let Next::RollBack(reason) = &next {
        let rollout = go_back(
            printer,
            driver,
            *speaker,
            target,
            Phase::RolledBack,
            reason,
            *proxy_timeout,
        )
        .await?;
        ask_webhooks(printer, *speaker, &run.plan, When::End, &rollout, Percent::ZERO).await?;
        return Ok(Some(Exit::Findings));
    }
    let take = |live: &serde_json::Value| {
        let mut rollout = Rollout::of(live)?
            .filter(|rollout| rollout.phase.is_open())
            .ok_or_else(|| CommandError {
                kind: ErrorKind::Conflict,
                ..CommandError::user("somebody else has ended the rollout")
            })?;
        let Some(run) = &mut rollout.run else {
            return Err(CommandError::user("the rollout follows no plan any more"));
        };
        let next = run.after(&verdict);
        let percent = run.percent();
        let stamp = driver.stamp();
        let what = match verdict.reason() {
            "" => verdict.as_str().to_owned(),
            reason => format!("{}: {reason}", verdict.as_str()),
        };
        match next {
            // A pause that came in between holds.
            Next::Shift if rollout.phase == Phase::Paused => {}
            Next::Shift => {
                rollout.percent = percent.max(rollout.percent);
                rollout.record(&stamp, Phase::Progressing, what);
            }
            Next::Promote => {
                rollout.extras = Extras::default();
                rollout.record(&stamp, Phase::Promoted, what);
            }
            Next::Done => {
                "all steps are done".clone_into(&mut rollout.message);
                rollout.record(&stamp, Phase::Paused, what);
            }
            Next::Hold(reason) => {
                rollout.message = reason;
                rollout.record(&stamp, Phase::Paused, what);
            }
            Next::Judge | Next::RollBack(_) => {
                let phase = rollout.phase;
                rollout.record(&stamp, phase, what);
                return Ok(patch::note(live, &rollout));
            }
        }
        changed(driver, target, live, &rollout)
    };
    let (_, rollout) = driver.change(target, take).await?;
    let is_further = rollout.percent > before.percent;
    if is_further {
        speaker.say(printer, &Event::shifted(target, &rollout))?;
        return Ok(None);
    }
    let exit = match (rollout.phase, &next) {
        (Phase::Promoted, _) => Exit::Clean,
        (Phase::Paused, Next::Hold(_)) => Exit::Held,
        (Phase::Paused, _) if verdict == Verdict::Pass => Exit::Clean,
        _ => return Ok(None),
    };
    say_phase(printer, *speaker, &rollout)?;
    if exit != Exit::Clean || rollout.phase == Phase::Paused {
        printer.note("`meshctl canary resume` goes on, `promote` or `abort` ends it");
    }
    ask_webhooks(printer, *speaker, &run.plan, When::End, &rollout, rollout.percent).await?;
    Ok(Some(exit))
}

/// Measures both versions, and judges the canary.
async fn observe(
    watching: &Watching,
    rollout: &Rollout,
    run: &Run,
) -> Result<(Verdict, Option<Observation>, Option<Observation>), CommandError> {
    let Watching {
        driver, prometheus, ..
    } = watching;
    let window = run.plan.interval();
    let limits = &run.plan.limits;
    let canary = driver.series(rollout, &rollout.subject.canary).await?;
    let stable = driver.series(rollout, &rollout.subject.stable).await?;
    let seen = match prometheus.observe(&canary, window, limits).await {
        Ok(seen) => seen,
        Err(NoData::Nothing(reason)) => return Ok((Verdict::Inconclusive(reason), None, None)),
        Err(NoData::Error(reason)) => {
            return Ok((Verdict::Error(format!("Prometheus {reason}")), None, None));
        }
    };
    let known = match prometheus.observe(&stable, window, limits).await {
        Ok(known) => Some(known),
        // With all traffic at the canary there is nothing to see of stable.
        Err(NoData::Nothing(_)) => None,
        Err(NoData::Error(reason)) => {
            return Ok((Verdict::Error(format!("Prometheus {reason}")), Some(seen), None));
        }
    };
    let mut custom: Vec<(&Metric, Option<f64>)> = Vec::new();
    for metric in &run.plan.metrics {
        let query = metric.filled(|name| match name {
            "canary" => canary.workloads.join("|"),
            "stable" => stable.workloads.join("|"),
            "namespace" => canary.namespace.clone(),
            "service" => canary.service.clone(),
            _ => format!("{}ms", window.as_millis()),
        });
        match prometheus.ask(&query).await.and_then(|answer| answer.number()) {
            Ok(value) => custom.push((metric, value)),
            Err(reason) => {
                let reason = format!("Prometheus {reason} (metric `{}`)", metric.name);
                return Ok((Verdict::Error(reason), Some(seen), known));
            }
        }
    }
    let verdict = judge(limits, &seen, known.as_ref(), &custom);
    Ok((verdict, Some(seen), known))
}

impl Driver {
    /// What metrics call the pods of a version: by the workloads that they belong to.
    pub(super) async fn series(&self, rollout: &Rollout, version: &Version) -> Result<Series, CommandError> {
        let (namespace, labels) = self.pod_selector(version)?;
        let pods = self.list_pods(version).await?;
        let workloads: BTreeSet<String> = pods.iter().filter_map(workload).collect();
        let service = match version {
            Version::Service(host) => host.clone(),
            Version::Subset(_) => rollout.subject.host.clone(),
        };
        let (has_requests, _) = rollout.traffic();
        Ok(Series {
            traffic: if has_requests {
                Traffic::Requests
            } else {
                Traffic::Connections
            },
            service,
            namespace,
            workloads: workloads.into_iter().collect(),
            version: labels.get("version").cloned(),
        })
    }

    /// What the pods of a version are made from: each workload with the hash of its template.
    pub(super) async fn templates(&self, version: &Version) -> Result<BTreeSet<String>, CommandError> {
        let pods = self.list_pods(version).await?;
        let template = |pod: &Pod| {
            let hash = label(pod, TEMPLATE_HASH).or_else(|| label(pod, "controller-revision-hash"))?;
            Some(format!("{} ({hash})", workload(pod)?))
        };
        Ok(pods.iter().filter_map(template).collect())
    }
}

/// The label that Deployments give the pods of one template.
const TEMPLATE_HASH: &str = "pod-template-hash";

fn label<'a>(pod: &'a Pod, name: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(name).map(String::as_str)
}

/// The name of the workload that a pod belongs to, or its own.
fn workload(pod: &Pod) -> Option<String> {
    let owner = pod.metadata.owner_references.iter().flatten().next();
    match owner {
        // A Deployment's ReplicaSets have its name, a dash, and the hash that is a label of their pods.
        Some(owner) if owner.kind == "ReplicaSet" => {
            let stripped =
                label(pod, TEMPLATE_HASH).and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
            Some(stripped.unwrap_or(&owner.name).to_owned())
        }
        Some(owner) => Some(owner.name.clone()),
        None => pod.metadata.name.clone(),
    }
}

/// Asks the webhooks of a time.
///
/// # Errors
///
/// One that says no, or does not answer; not at the end, when it is too late.
async fn ask_webhooks(
    printer: &mut Printer,
    speaker: Speaker,
    plan: &Plan,
    when: When,
    rollout: &Rollout,
    percent: Percent,
) -> Result<(), CommandError> {
    for webhook in plan.webhooks.iter().filter(|webhook| webhook.when == when) {
        let problem = ask_webhook(webhook, rollout, percent).await;
        speaker.say(
            printer,
            &Event::Webhook {
                name: &webhook.name,
                problem: problem.clone(),
            },
        )?;
        if let Some(problem) = problem.filter(|_| when != When::End) {
            return Err(CommandError::user(format!(
                "webhook `{}` {problem}",
                webhook.name
            )));
        }
    }
    Ok(())
}

/// Why a webhook does not agree, if it does not.
async fn ask_webhook(webhook: &Webhook, rollout: &Rollout, percent: Percent) -> Option<String> {
    let body = json!({
        "service": rollout.subject.host,
        "stable": rollout.subject.stable.to_string(),
        "canary": rollout.subject.canary.to_string(),
        "phase": rollout.phase,
        "percent": percent,
        "when": webhook.when,
    });
    let client = match built(client(webhook.timeout.unwrap_or(WEBHOOK_TIMEOUT))) {
        Ok(client) => client,
        Err(error) => return Some(error.message),
    };
    let request = client
        .post(&webhook.url)
        .header("content-type", "application/json")
        .body(body.to_string());
    match request.send().await {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(format!("says no ({})", answer.status())),
        Err(error) => Some(format!("does not answer: {}", root(error))),
    }
}

impl RunArgs {
    /// The plan of the file with what the arguments say.
    fn plan(&self, file: &PlanFile) -> Result<Plan, CommandError> {
        let said = match &self.steps {
            Some(text) => {
                Some(plan::steps(text).map_err(|reason| CommandError::user(format!("`--steps`: {reason}")))?)
            }
            None => file.steps.clone(),
        };
        let steps = match said {
            Some(steps) => steps,
            None => plan::steps(plan::DEFAULT_STEPS).map_err(CommandError::user)?,
        };
        let mut limits: Limits = file.limits.clone();
        if let Some(rate) = self.success_rate {
            limits.success_rate = rate;
        }
        if let Some(p99) = self.p99 {
            limits.quantile = 0.99;
            limits.latency = Some(p99);
        }
        limits.min_requests = self.min_requests.unwrap_or(limits.min_requests);
        limits.max_failures = self.max_failures.unwrap_or(limits.max_failures);
        limits.max_inconclusive = self.max_inconclusive.unwrap_or(limits.max_inconclusive);
        limits.compare &= !self.no_compare;
        Ok(Plan {
            steps,
            interval: self.interval.or(file.interval),
            limits,
            metrics: file.metrics.clone(),
            webhooks: file.webhooks.clone(),
        })
    }
}

/// The service and versions of the arguments, or else of the plan.
fn with_plan(args: &SubjectArgs, file: &PlanFile) -> SubjectArgs {
    let or = |said: &Option<String>, planned: &Option<String>| said.clone().or_else(|| planned.clone());
    SubjectArgs {
        service: or(&args.service, &file.service),
        namespace: or(&args.namespace, &file.namespace),
        stable: or(&args.stable, &file.stable),
        canary: or(&args.canary, &file.canary),
        route: or(&args.route, &file.route),
        ..args.clone()
    }
}

/// Reads the file of a plan; says all that is wrong with it.
fn read_plan(printer: &mut Printer, path: &Path) -> Result<PlanFile, CommandError> {
    let name = files::display_name(path);
    let text = files::read_text(path)
        .map_err(|reason| CommandError::user(format!("cannot read `{name}`: {reason}")))?;
    let mut documents = mesh_yaml::parse(&text).into_iter();
    let document = match (documents.next(), documents.next()) {
        (Some(Ok(document)), None) => document,
        (Some(Err(error)), _) | (_, Some(Err(error))) => {
            return Err(CommandError::user(error.message)
                .at(name.as_str(), &text, error.span)
                .maybe_hinted(error.help));
        }
        (None, _) => return Err(CommandError::user(format!("`{name}` is empty"))),
        (_, Some(_)) => {
            return Err(CommandError::user(format!(
                "`{name}` has several documents, and one is a plan"
            )));
        }
    };
    plan::read(document.root()).map_err(|mut errors| {
        errors.sort_by_key(|error| error.span.start);
        let mut errors = errors.into_iter().map(|error| {
            CommandError::user(error.message)
                .at(name.as_str(), &text, error.span)
                .maybe_hinted(error.hint)
        });
        let last = errors.next_back();
        for error in errors {
            printer.error(&error);
        }
        last.unwrap_or_else(|| CommandError::user(format!("`{name}` is no plan")))
    })
}
