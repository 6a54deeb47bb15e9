//! What a run does once it has begun: it watches each step, judges it, and does what follows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mesh_canary::judge::{Observation, Verdict, judge};
use mesh_canary::patch;
use mesh_canary::percent::Percent;
use mesh_canary::plan::{Metric, Plan, When};
use mesh_canary::route::Version;
use mesh_canary::state::{Extras, Next, Phase, Rollout, Run};
use mesh_install::engine::NamedLock;

use super::board::{Board, Doing};
use super::driver::{Driver, Target};
use super::event::{Event, Format, Speaker};
use super::prometheus::{NoData, Prometheus};
use super::run::OnInterrupt;
use super::webhooks::ask_webhooks;
use super::{changed, go_back, lock_error, say_phase, set_phase, sync, undisturbed};
use crate::cluster::{ClusterArgs, Stop};
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::Printer;

/// How often the state is looked at while a step is watched.
pub(super) const LOOK: Duration = Duration::from_secs(2);

/// What a run needs to know beside its state.
pub(super) struct Watching {
    pub(super) driver: Driver,
    pub(super) target: Target,
    pub(super) speaker: Speaker,
    pub(super) prometheus: Prometheus,
    pub(super) lock: NamedLock,
    pub(super) proxy_timeout: Duration,
    /// What is shown on a terminal, once there is something to show.
    pub(super) board: Arc<Mutex<Option<Board>>>,
}

impl Watching {
    /// Changes what is shown, if anything is.
    fn draw(&self, change: impl FnOnce(&mut Board)) {
        if let Some(board) = &mut *lock_board(&self.board) {
            change(board);
        }
    }

    /// Puts the routes back.
    async fn go_back(
        &self,
        printer: &mut Printer,
        phase: Phase,
        reason: &str,
    ) -> Result<Rollout, CommandError> {
        let Self {
            driver,
            target,
            speaker,
            proxy_timeout,
            ..
        } = self;
        go_back(printer, driver, *speaker, target, phase, reason, *proxy_timeout).await
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

/// Follows the plan until it ends or is stopped.
pub(super) async fn watch(
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
    let work = Box::pin(follow(printer, watching));
    let result = connection.until_stopped(work).await;
    printer.hide();
    let stop = match result {
        Ok(result) => return result,
        Err(stop) => stop,
    };
    if stop == Stop::Interrupted && on_interrupt == OnInterrupt::Abort {
        let reason = "the run was interrupted";
        watching.go_back(printer, Phase::Aborted, reason).await?;
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
        let rollout = watching.go_back(printer, Phase::RolledBack, reason).await?;
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
