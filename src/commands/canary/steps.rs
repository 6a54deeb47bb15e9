//! `meshctl canary shift --to`: through several shares one after the other, without a judge.

use std::str::FromStr;
use std::time::{Duration, Instant};

use mesh_canary::percent::{Percent, Shift};
use mesh_canary::plan;
use mesh_canary::state::{Phase, Rollout};
use mesh_core::cluster::Cluster;
use mesh_install::engine::NamedLock;
use serde_json::Value;

use super::driver::{Driver, Prepared};
use super::event::{Event, Speaker};
use super::follow::LOOK;
use super::{
    ExtraArgs, Move, ShiftArgs, changed, check, last, lock, lock_error, moved, plan as planned, say_phase,
    sync, undisturbed, write,
};
use crate::cluster::Stop;
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::Printer;

/// Shares that rise: `10%,25%,50%`.
#[derive(Clone, Debug)]
pub(super) struct Shares(Vec<Percent>);

impl FromStr for Shares {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        plan::steps(text).map(Self)
    }
}

impl Shares {
    /// Those that a canary with the share `now` has still to come to: the next one, and the rest.
    fn after(&self, now: Percent) -> Result<(Percent, &[Percent]), CommandError> {
        let left = self.0.iter().position(|share| *share > now);
        let split = left.and_then(|left| self.0[left..].split_first());
        split.map(|(next, rest)| (*next, rest)).ok_or_else(|| {
            CommandError::user(format!(
                "the canary has {now} already, and `--to` names nothing above it"
            ))
            .hinted("`meshctl canary shift N%` gives it less, and `meshctl canary promote` everything")
        })
    }
}

/// What is under way.
struct Going<'a> {
    driver: Driver,
    prepared: Prepared,
    lock: NamedLock,
    args: &'a ShiftArgs,
    next: Percent,
    rest: &'a [Percent],
}

/// Runs the command.
pub(super) fn shift(printer: &mut Printer, args: &ShiftArgs, shares: &Shares) -> Result<Exit, CommandError> {
    let connection = args.subject.cluster.without_default_deadline();
    connection.run_to_end(async |cluster| {
        let begun = connection.unless_stopped(Box::pin(begin(printer, cluster, args, shares)));
        let Some(going) = begun.await?? else {
            return Ok(Exit::Clean);
        };
        let result = connection.until_stopped(Box::pin(going.go(printer))).await;
        going.lock.release().await;
        match result {
            Ok(result) => result,
            Err(stop) => {
                printer.note(STAYS);
                printer.error(&connection.stopped(stop));
                Ok(match stop {
                    Stop::Interrupted => Exit::Interrupted,
                    Stop::Late => Exit::TimedOut,
                })
            }
        }
    })
}

const STAYS: &str =
    "traffic stays where it is; the same command goes on, and `meshctl canary abort` goes back";

/// Looks at all that must hold for every share. `None` if that is all that was asked for.
async fn begin<'a>(
    printer: &mut Printer,
    cluster: Cluster,
    args: &'a ShiftArgs,
    shares: &'a Shares,
) -> Result<Option<Going<'a>>, CommandError> {
    let driver = Driver::new(printer, cluster, &args.subject).await?;
    let prepared = driver.prepare(&args.subject).await?;
    let (next, rest) = shares.after(prepared.rollout.percent)?;
    for share in rest {
        let after = planned(&driver, &prepared.rollout, &args.step(Shift::To(*share)))?;
        changed(&driver, &prepared.target, &prepared.live, &after)?;
    }
    let step = args.step(Shift::To(next));
    check(printer, &driver, &prepared, &args.change, |rollout: &Rollout| {
        planned(&driver, rollout, &step)
    })
    .await?;
    if args.change.dry_run {
        return Ok(None);
    }
    let lock = lock(&driver.cluster, &prepared.target).await?;
    Ok(Some(Going {
        driver,
        prepared,
        lock,
        args,
        next,
        rest,
    }))
}

impl Going<'_> {
    async fn go(&self, printer: &mut Printer) -> Result<Exit, CommandError> {
        let Self {
            driver,
            prepared,
            lock,
            args,
            next,
            rest,
        } = self;
        let target = &prepared.target;
        let speaker = Speaker {
            format: args.change.output.format,
        };
        let limit = args.change.proxy_timeout;
        let step = args.step(Shift::To(*next));
        let wanted = |rollout: &Rollout| planned(driver, rollout, &step);
        let (mut live, mut rollout) =
            write(printer, driver, speaker, &args.subject, prepared, limit, wanted).await?;
        last::write(driver);
        for share in *rest {
            if !sync(printer, driver, speaker, &live, &rollout, limit)
                .await?
                .is_done()
            {
                printer.note(STAYS);
                return Ok(Exit::TimedOut);
            }
            let seen = self.watch(args.interval.unwrap_or_default()).await?;
            if !is_same(&seen, &rollout) {
                say_phase(printer, speaker, &seen)?;
                return Ok(match seen.phase {
                    Phase::Promoted => Exit::Clean,
                    phase if phase.is_open() => Exit::Held,
                    _ => Exit::Findings,
                });
            }
            lock.assure().await.map_err(lock_error)?;
            let make = |live: &Value| {
                let known = undisturbed(live)?;
                if !is_same(&known, &rollout) {
                    return Err(CommandError {
                        kind: ErrorKind::Conflict,
                        ..CommandError::user(format!(
                            "somebody else has changed the rollout: it is {}",
                            known.phase
                        ))
                    });
                }
                let after = planned(
                    driver,
                    &known,
                    &Move::Shift(Shift::To(*share), ExtraArgs::default()),
                )?;
                changed(driver, target, live, &after)
            };
            (live, rollout) = driver.change(target, make).await?;
            speaker.say(printer, &Event::shifted(target, &rollout))?;
        }
        let synced = sync(printer, driver, speaker, &live, &rollout, limit).await?;
        Ok(moved(printer, &rollout, synced))
    }

    /// Lets the time between two shares pass, or less if somebody else changes the phase.
    async fn watch(&self, interval: Duration) -> Result<Rollout, CommandError> {
        let begun = Instant::now();
        loop {
            tokio::time::sleep(LOOK.min(interval.saturating_sub(begun.elapsed()))).await;
            let live = self.driver.read(&self.prepared.target).await?.unwrap_or_default();
            let rollout = undisturbed(&live)?;
            if rollout.phase != Phase::Progressing || begun.elapsed() >= interval {
                return Ok(rollout);
            }
        }
    }
}

/// Whether a rollout is still the one that was left, and under way.
fn is_same(seen: &Rollout, left: &Rollout) -> bool {
    seen.phase == Phase::Progressing && seen.started == left.started && seen.percent == left.percent
}
