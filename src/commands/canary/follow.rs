//! What a run does once it has begun: it watches each step, judges it, and does what follows.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mesh_canary::judge::{Observation, Verdict, judge};
use mesh_canary::patch::{self, Change};
use mesh_canary::percent::Percent;
use mesh_canary::plan::{Metric, When};
use mesh_canary::route::Version;
use mesh_canary::state::{Next, Phase, Rollout, Run};
use mesh_install::engine::NamedLock;

use super::board::{Board, Doing};
use super::driver::{Driver, Target};
use super::event::{Event, Format, Speaker};
use super::prometheus::{NoData, Prometheus};
use super::run::OnInterrupt;
use super::webhooks::ask_webhooks;
use super::{can_go_back, changed, go_back, lock_error, say_phase, set_phase, sync, undisturbed};
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
    /// The rollout as it was last seen, once the run has begun.
    pub(super) seen: Mutex<Option<Rollout>>,
}

impl Watching {
    /// Changes what is shown, if anything is.
    fn draw(&self, change: impl FnOnce(&mut Board)) {
        if let Some(board) = &mut *locked(&self.board) {
            change(board);
        }
    }

    /// Keeps the rollout as it is now.
    pub(super) fn saw(&self, rollout: &Rollout) {
        *locked(&self.seen) = Some(rollout.clone());
    }

    /// Tells the webhooks that ask for it that the run has ended, if it had begun.
    pub(super) async fn tell_end(&self, printer: &mut Printer) -> Result<(), CommandError> {
        let seen = locked(&self.seen).take();
        let Some(rollout) = seen else { return Ok(()) };
        let Some(run) = &rollout.run else { return Ok(()) };
        let percent = rollout.percent;
        ask_webhooks(printer, self.speaker, &run.plan, When::End, &rollout, percent).await
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
        let limit = *proxy_timeout;
        let (rollout, _) = go_back(printer, driver, *speaker, target, phase, reason, limit).await?;
        self.saw(&rollout);
        Ok(rollout)
    }

    /// Puts the routes back because the run was stopped, if they are not back and the canary has not got everything.
    async fn give_up(&self, printer: &mut Printer) -> Result<(), CommandError> {
        let live = self.driver.read(&self.target).await?.unwrap_or_default();
        if Rollout::of(&live)?.is_some_and(|rollout| can_go_back(&rollout)) {
            self.go_back(printer, Phase::Aborted, "the run was interrupted")
                .await?;
        }
        Ok(())
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what `start` does, and follows the plan until it ends or is stopped.
pub(super) async fn watch(
    printer: &mut Printer,
    connection: &ClusterArgs,
    watching: &Watching,
    on_interrupt: OnInterrupt,
    start: impl AsyncFnOnce(&mut Printer, &Watching) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    if watching.speaker.format == Format::Text {
        let board = Arc::clone(&watching.board);
        printer.show(move |look| match &*locked(&board) {
            Some(board) => board.picture(look, Instant::now()),
            None => String::new(),
        });
    }
    let work = Box::pin(async {
        start(printer, watching).await?;
        follow(printer, watching).await
    });
    let result = connection.until_stopped(work).await;
    printer.hide();
    let stop = match result {
        Ok(result) => return result,
        Err(stop) => stop,
    };
    if stop == Stop::Interrupted && on_interrupt == OnInterrupt::Abort {
        watching.give_up(printer).await?;
        return Ok(Exit::Interrupted);
    }
    if locked(&watching.seen).is_none() {
        return Err(connection.stopped(stop));
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
        watching.saw(&rollout);
        let Some(run) = &rollout.run else {
            return Err(CommandError::user("the rollout follows no plan any more"));
        };
        if printer.is_showing() {
            let mut board = locked(&watching.board);
            board
                .get_or_insert_with(|| Board::new(&rollout, run))
                .at(&rollout, run);
        }
        let synced = sync(printer, driver, *speaker, &live, &rollout, *proxy_timeout).await?;
        match watch_step(printer, watching, run).await? {
            Watched::Enough => {}
            Watched::Ended(phase) => return ended(printer, watching, &rollout, phase),
            Watched::Changed(reason) => return hold(printer, watching, &reason).await,
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
        if let Some(exit) = decide(printer, watching, &rollout, run, verdict).await? {
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
        watching.saw(&rollout);
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
async fn hold(printer: &mut Printer, watching: &Watching, reason: &str) -> Result<Exit, CommandError> {
    let Watching {
        driver,
        target,
        speaker,
        ..
    } = watching;
    let (_, rollout) = set_phase(driver, target, Phase::Paused, reason, reason).await?;
    watching.saw(&rollout);
    say_phase(printer, *speaker, &rollout)?;
    printer.note("`meshctl canary resume` judges what is there now, `abort` goes back");
    Ok(Exit::Held)
}

/// Somebody else has ended the rollout.
fn ended(
    printer: &mut Printer,
    watching: &Watching,
    rollout: &Rollout,
    phase: Phase,
) -> Result<Exit, CommandError> {
    let mut rollout = rollout.clone();
    rollout.phase = phase;
    "by somebody else".clone_into(&mut rollout.message);
    watching.saw(&rollout);
    say_phase(printer, watching.speaker, &rollout)?;
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
    run: &Run,
    mut verdict: Verdict,
) -> Result<Option<Exit>, CommandError> {
    let Watching {
        driver,
        target,
        speaker,
        ..
    } = watching;
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
    // What follows for the state that was written in the end.
    let decided = RefCell::new(Next::Judge);
    let take = |live: &serde_json::Value| {
        let mut rollout = Rollout::of(live)?.ok_or_else(|| CommandError {
            kind: ErrorKind::Conflict,
            ..CommandError::user("the state of the rollout is gone")
        })?;
        let next = rollout.judged(&verdict, &driver.stamp())?;
        decided.replace(next.clone());
        match next {
            Next::Judge if rollout.phase.is_open() => Ok(patch::note(live, &rollout)),
            Next::Judge | Next::RollBack(_) => Ok(Change {
                operations: Vec::new(),
                rollout,
            }),
            _ => changed(driver, target, live, &rollout),
        }
    };
    let (_, rollout) = driver.change(target, take).await?;
    watching.saw(&rollout);
    let exit = match decided.into_inner() {
        Next::RollBack(reason) => {
            watching.go_back(printer, Phase::RolledBack, &reason).await?;
            return Ok(Some(Exit::Findings));
        }
        // What came in between wins over the verdict.
        Next::Judge if !rollout.phase.is_open() => {
            return ended(printer, watching, &rollout, rollout.phase).map(Some);
        }
        Next::Judge => return Ok(None),
        Next::Shift => {
            if rollout.percent > before.percent {
                speaker.say(printer, &Event::shifted(target, &rollout))?;
            }
            return Ok(None);
        }
        Next::Promote | Next::Done => Exit::Clean,
        Next::Hold(_) => Exit::Held,
    };
    say_phase(printer, *speaker, &rollout)?;
    if rollout.phase == Phase::Paused {
        printer.note("`meshctl canary resume` goes on, `promote` or `abort` ends it");
    }
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
    let mut unknown = None;
    let known = match prometheus.observe(&stable, window, limits).await {
        Ok(known) => Some(known),
        Err(NoData::Nothing(reason)) => {
            // With all traffic at the canary there is nothing to see of stable.
            unknown = Some(reason).filter(|_| rollout.percent < Percent::FULL);
            None
        }
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
    let mut verdict = judge(limits, &seen, known.as_ref(), &custom);
    if let Some(reason) = unknown {
        verdict = verdict.without_stable(limits, &reason);
    }
    Ok((verdict, Some(seen), known))
}
