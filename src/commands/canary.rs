//! `meshctl canary`: moves traffic to a new version of a service, in steps that metrics judge.

mod board;
mod checks;
mod driver;
mod event;
mod files;
mod follow;
mod last;
mod prometheus;
mod proxies;
mod run;
mod status;
mod steps;
mod webhooks;
mod workloads;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use mesh_canary::patch::{self, Change};
use mesh_canary::percent::{Percent, Shift};
use mesh_canary::route::{Condition, Version};
use mesh_canary::rules;
use mesh_canary::state::{Created, Extras, Phase, Rollout};
use mesh_core::cluster::Cluster;
use mesh_install::engine::{EngineError, NamedLock};
use serde_json::Value;

use crate::cluster::{ClusterArgs, duration};
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::document::FormatArgs;
use crate::ui::{Printer, table};
use checks::readable;
use driver::{Driver, Prepared, Target, blamed, verify};
use event::{Event, Format, Speaker};
use proxies::Synced;

/// Move traffic to a new version of a service, in steps that metrics judge
///
/// Changes the weights in the VirtualService or Gateway API route that routes the service, and nothing else of it; what
/// is missing of VirtualService, DestinationRule and subsets is made. The state is kept beside the weights, so that any
/// command can go on from any machine. Nothing has to be installed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CanaryArgs {
    #[command(subcommand)]
    command: CanaryCommand,
}

const EXAMPLES: &str = "\
Examples:
  Send a tenth of the traffic to version v2
    meshctl canary shift 10% --service reviews --canary v2

  Go through several shares, five minutes each, without a judge
    meshctl canary shift --to 10%,25%,50% --interval 5m

  See how it does, then give it everything, or nothing
    meshctl canary status
    meshctl canary promote
    meshctl canary abort

  Do all of that by itself
    meshctl canary run --steps 5,10,25,50,100 --interval 1m --success-rate 99 --p99 500ms

  Let only one user see the new version
    meshctl canary shift 0% --match end-user=jason

Exit status:
  0  done
  1  the canary was judged bad, and traffic went back
  2  it could not be done: traffic stays where it is
  3  on hold: traffic stays where it is
  4  the time was up: traffic stays where it is, or is on its way back (abort, undo)
  5  somebody else changed the routes, or works on the rollout";

#[derive(Subcommand, Debug)]
enum CanaryCommand {
    /// Find or make the objects that a rollout needs, and move nothing yet
    Init(PrepareArgs),
    /// Give the new version a share of the traffic: 10%, or +10% more than now
    Shift(ShiftArgs),
    /// Show versions, weights, pods and numbers
    Status(status::StatusArgs),
    /// Move traffic step by step, judge each step, and go back if it is bad
    Run(Box<run::RunArgs>),
    /// Give the new version all traffic: it is the stable one from now on
    Promote(PrepareArgs),
    /// Send all traffic back at once, and restore the routes
    Abort(EndArgs),
    /// Take a promotion back
    Undo(UndoArgs),
    /// Hold a run that is under way where it is
    Pause(EndArgs),
    /// Go on with a run that was paused or has died
    Resume(Box<run::ResumeArgs>),
    /// List what happened
    History(EndArgs),
}

/// Which service, and as what its versions are known.
#[derive(Args, Clone, Debug)]
struct SubjectArgs {
    /// The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]
    #[arg(long, short, value_name = "NAME")]
    service: Option<String>,

    /// Namespace of the service [default: the context's]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    /// The version that has the traffic: a subset, a value of the pods' label `version`, or a service
    #[arg(long, value_name = "VERSION")]
    stable: Option<String>,

    /// The version that gets it
    #[arg(long, value_name = "VERSION")]
    canary: Option<String>,

    /// The VirtualService or Gateway API route to change, if several route the service
    #[arg(long, value_name = "NAMESPACE/NAME")]
    object: Option<String>,

    /// The only route to change, by name or number [default: all that send to the stable version]
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = "istio-system")]
    istio_namespace: String,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// How a change is made.
#[derive(Args, Clone, Debug)]
struct ChangeArgs {
    /// Change nothing: only check, and ask the server
    #[arg(long)]
    dry_run: bool,

    /// Print what changes in the objects
    #[arg(long)]
    diff: bool,

    /// Go on although Argo CD, Flux or Helm looks after the object
    #[arg(long)]
    allow_gitops: bool,

    /// How long to wait for proxies to know the subsets, and to have the weights
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    proxy_timeout: Duration,

    #[command(flatten)]
    output: FormatArgs<Format>,
}

#[derive(Args, Debug)]
struct PrepareArgs {
    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    subject: SubjectArgs,
}

#[derive(Args, Debug)]
struct ShiftArgs {
    /// The share of the new version: 10%, 0.5%, or +10% for so much more than now
    #[arg(
        value_name = "SHARE",
        allow_hyphen_values = true,
        required_unless_present = "to",
        conflicts_with = "to",
        value_parser = |text: &str| text.parse::<Shift>()
    )]
    share: Option<Shift>,

    /// Shares to go through, such as 10%,25%,50%: each when the proxies have the one before. Nothing is judged
    #[arg(
        long,
        value_name = "SHARES",
        allow_hyphen_values = true,
        conflicts_with = "files",
        value_parser = |text: &str| text.parse::<steps::Shares>()
    )]
    to: Option<steps::Shares>,

    /// How long to wait between two shares of `--to`, once the proxies have the first [default: not at all]
    #[arg(long, value_name = "DURATION", value_parser = duration, requires = "to", conflicts_with = "share")]
    interval: Option<Duration>,

    #[command(flatten)]
    extras: ExtraArgs,

    /// Edit the files below here instead of the cluster, and keep their comments (can be repeated)
    #[arg(long, value_name = "PATH")]
    files: Vec<PathBuf>,

    #[command(flatten)]
    change: ChangeArgs,

    #[command(flatten)]
    subject: SubjectArgs,
}

impl ShiftArgs {
    /// The move to a share, with all else that was said.
    fn step(&self, share: Shift) -> Move {
        Move::Shift(share, self.extras.clone())
    }
}

/// What else is done with requests. What is not named stays as an earlier command has left it.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Requests")]
struct ExtraArgs {
    /// Send requests with this header to the new version, whatever the weights (can be repeated)
    #[arg(long = "match", value_name = "HEADER=VALUE", value_parser = Condition::header)]
    matches: Vec<Condition>,

    /// Send requests with this cookie to the new version, whatever the weights (can be repeated)
    #[arg(long, value_name = "COOKIE=VALUE", value_parser = Condition::cookie)]
    match_cookie: Vec<Condition>,

    /// Drop every earlier --match and --match-cookie of the rollout
    #[arg(long)]
    no_match: bool,

    /// Send the new version a copy of this share of the requests; its answers are thrown away
    #[arg(long, value_name = "SHARE")]
    mirror: Option<Percent>,

    /// Send it no copies any more
    #[arg(long, conflicts_with = "mirror")]
    no_mirror: bool,

    /// Keep users who were sent to the new version there, by a cookie of this name
    #[arg(long, value_name = "COOKIE", num_args = 0..=1, require_equals = true, default_missing_value = "meshctl-canary")]
    sticky: Option<String>,

    /// Do not keep users at the new version any more
    #[arg(long, conflicts_with = "sticky")]
    no_sticky: bool,

    /// Multiply the weights of a route where they cannot express a share, in this rollout from here on
    #[arg(long, help_heading = None)]
    rescale: bool,
}

impl ExtraArgs {
    /// Does to a rollout what was said.
    fn apply(&self, rollout: &mut Rollout) {
        rollout.may_rescale |= self.rescale;
        let extras = &mut rollout.extras;
        if self.no_match {
            extras.previews.clear();
        }
        if self.no_mirror {
            extras.mirror = None;
        }
        if self.no_sticky {
            extras.sticky = None;
        }
        extras.add(&Extras {
            previews: self.matches.iter().chain(&self.match_cookie).cloned().collect(),
            mirror: self.mirror,
            sticky: self.sticky.clone(),
        });
    }
}

#[derive(Args, Debug)]
struct EndArgs {
    /// How long to wait for proxies to have the weights
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    proxy_timeout: Duration,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    subject: SubjectArgs,
}

#[derive(Args, Debug)]
struct UndoArgs {
    /// Go back even if no pod of the old version is ready
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    end: EndArgs,
}

/// Runs the command.
pub(crate) fn canary(printer: &mut Printer, args: CanaryArgs) -> Result<Exit, CommandError> {
    let CanaryArgs { command } = args;
    match command {
        CanaryCommand::Init(args) => on_cluster(printer, &args.subject, async |printer, driver| {
            move_traffic(printer, &driver, &args.subject, &args.change, &Move::Prepare).await
        }),
        CanaryCommand::Shift(args) => match (args.share, &args.to) {
            (Some(share), _) if !args.files.is_empty() => files::shift(printer, &args, share),
            (Some(share), _) => on_cluster(printer, &args.subject, async |printer, driver| {
                let step = args.step(share);
                move_traffic(printer, &driver, &args.subject, &args.change, &step).await
            }),
            (None, Some(shares)) => steps::shift(printer, &args, shares),
            (None, None) => Err(CommandError::user("no share was given")),
        },
        CanaryCommand::Promote(args) => on_cluster(printer, &args.subject, async |printer, driver| {
            move_traffic(printer, &driver, &args.subject, &args.change, &Move::Promote).await
        }),
        CanaryCommand::Status(args) => status::status(printer, &args),
        CanaryCommand::Run(args) => run::run(printer, &args),
        CanaryCommand::Resume(args) => run::resume(printer, &args),
        CanaryCommand::Abort(args) => end(printer, &args, Phase::Aborted, async |_, rollout| {
            if can_go_back(rollout) {
                return Ok(());
            }
            Err(CommandError::user(format!(
                "the rollout from {} to {} is over: {}",
                rollout.subject.stable, rollout.subject.canary, rollout.phase
            ))
            .hinted("`meshctl canary undo` takes a promotion back"))
        }),
        CanaryCommand::Undo(args) => end(printer, &args.end, Phase::Undone, async |driver, rollout| {
            if rollout.phase == Phase::Promoted && !args.force {
                return ready(driver, &rollout.subject.stable).await;
            }
            if matches!(rollout.phase, Phase::Promoted | Phase::Ready) {
                return Ok(());
            }
            Err(CommandError::user(format!(
                "there is nothing to undo: the rollout is {}",
                rollout.phase
            ))
            .hinted("`meshctl canary abort` ends one that is under way"))
        }),
        CanaryCommand::Pause(args) => on_cluster(printer, &args.subject, async |printer, driver| {
            let (target, _, _) = driver.current(&args.subject).await?;
            let (_, rollout) = set_phase(&driver, &target, Phase::Paused, "paused", "paused by hand").await?;
            say_phase(
                printer,
                Speaker {
                    format: args.output.format,
                },
                &rollout,
            )?;
            Ok(Exit::Clean)
        }),
        CanaryCommand::History(args) => on_cluster(printer, &args.subject, async |printer, driver| {
            let (_, _, rollout) = driver.current(&args.subject).await?;
            history(printer, args.output.format, &rollout)?;
            Ok(Exit::Clean)
        }),
    }
}

/// Connects, finds the service, and does the work.
fn on_cluster(
    printer: &mut Printer,
    args: &SubjectArgs,
    work: impl AsyncFnOnce(&mut Printer, Driver) -> Result<Exit, CommandError>,
) -> Result<Exit, CommandError> {
    args.cluster.run(async |cluster| {
        let driver = Driver::new(printer, cluster, args).await?;
        work(printer, driver).await
    })
}

/// Puts the routes back, if that is `allowed`, and says that it was done by hand.
fn end(
    printer: &mut Printer,
    args: &EndArgs,
    phase: Phase,
    allowed: impl AsyncFnOnce(&Driver, &Rollout) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    on_cluster(printer, &args.subject, async |printer, driver| {
        let (target, _, rollout) = driver.current(&args.subject).await?;
        allowed(&driver, &rollout).await?;
        let speaker = Speaker {
            format: args.output.format,
        };
        let limit = args.proxy_timeout;
        let (_, synced) = go_back(printer, &driver, speaker, &target, phase, "", limit).await?;
        Ok(if synced.is_done() {
            Exit::Clean
        } else {
            Exit::TimedOut
        })
    })
}

/// Whether there is something to put back, or to take away after that was done.
fn can_go_back(rollout: &Rollout) -> bool {
    let is_half_back = rollout.phase != Phase::Promoted && !rollout.created.is_empty();
    rollout.phase.is_open() || is_half_back
}

/// Makes sure that somebody would answer traffic that goes back to a version.
async fn ready(driver: &Driver, version: &Version) -> Result<(), CommandError> {
    let hint = "deploy it first, or go back all the same with `--force`";
    let pods = driver.pods(version).await.map_err(|error| error.hinted(hint))?;
    if pods.ready == 0 {
        return Err(CommandError::user(format!(
            "no pod of `{version}` is ready: traffic would go to nobody"
        ))
        .hinted(hint));
    }
    Ok(())
}

/// What is to become of the weights.
enum Move {
    /// Nothing yet, but both versions are on the routes.
    Prepare,
    /// This share, and this with requests.
    Shift(Shift, ExtraArgs),
    /// Everything.
    Promote,
}

/// The name of the Lease that stands for a rollout.
fn lease_name(target: &Target) -> String {
    format!("meshctl-canary-{}", target.name)
}

/// Takes the Lease of a rollout.
async fn lock(cluster: &Cluster, target: &Target) -> Result<NamedLock, CommandError> {
    NamedLock::acquire(cluster, &target.namespace, &lease_name(target))
        .await
        .map_err(lock_error)
}

fn lock_error(error: EngineError) -> CommandError {
    match error {
        EngineError::Locked(holder) => CommandError {
            kind: ErrorKind::Conflict,
            ..CommandError::user(format!("{holder} works on this rollout"))
        }
        .hinted("`meshctl canary pause` and `meshctl canary abort` work all the same"),
        EngineError::LockLost(holder) => CommandError {
            kind: ErrorKind::Conflict,
            ..CommandError::user(format!(
                "the connection was lost for so long that {holder} has taken over"
            ))
        },
        EngineError::Cluster(error) => error.into(),
        other => CommandError::user(other.to_string()),
    }
}

/// Prepares what is missing, and moves traffic, under the Lease.
async fn move_traffic(
    printer: &mut Printer,
    driver: &Driver,
    args: &SubjectArgs,
    change: &ChangeArgs,
    step: &Move,
) -> Result<Exit, CommandError> {
    let prepared = driver.prepare(args).await?;
    let known = Rollout::of(&prepared.live)?;
    if matches!(step, Move::Promote) && !known.is_some_and(|known| known.phase.is_open()) {
        return Err(
            CommandError::user(format!("no rollout of `{}` is under way", driver.service.host())).hinted(
                "`meshctl canary shift 10%` begins one, and `meshctl canary shift 100%` moves all at once",
            ),
        );
    }
    let speaker = Speaker {
        format: change.output.format,
    };
    let wanted = |rollout: &Rollout| plan(driver, rollout, step);
    let checked = check(printer, driver, &prepared, change, wanted).await?;
    if change.dry_run {
        return Ok(checked);
    }
    let lock = lock(&driver.cluster, &prepared.target).await?;
    let result = write(
        printer,
        driver,
        speaker,
        args,
        &prepared,
        change.proxy_timeout,
        wanted,
    )
    .await;
    lock.release().await;
    let (live, rollout) = result?;
    last::write(driver);
    let synced = sync(printer, driver, speaker, &live, &rollout, change.proxy_timeout).await?;
    Ok(moved(printer, &rollout, synced))
}

/// Says what can come next, and how it went.
fn moved(printer: &mut Printer, rollout: &Rollout, synced: Synced) -> Exit {
    if rollout.phase == Phase::Promoted {
        printer.note("`meshctl canary undo` takes it back");
    } else {
        printer.note("`meshctl canary status` shows how it does; `promote` or `abort` ends it");
    }
    if synced.is_done() {
        Exit::Clean
    } else {
        Exit::TimedOut
    }
}

/// The rollout after a step.
fn plan(driver: &Driver, rollout: &Rollout, step: &Move) -> Result<Rollout, CommandError> {
    let mut rollout = rollout.clone();
    let stamp = driver.stamp();
    match step {
        Move::Prepare => {
            let phase = rollout.phase;
            if phase == Phase::Ready {
                rollout.record(&stamp, phase, "prepared");
            }
        }
        Move::Shift(share, extras) => {
            rollout.percent = share.from(rollout.percent).map_err(CommandError::user)?;
            extras.apply(&mut rollout);
            rollout.record(&stamp, Phase::Progressing, "shifted");
        }
        Move::Promote => {
            rollout.percent = Percent::FULL;
            rollout.extras = Extras::default();
            rollout.message.clear();
            rollout.record(&stamp, Phase::Promoted, "promoted");
        }
    }
    Ok(rollout)
}

/// Looks at all that must hold, and shows the change if that is wanted.
async fn check(
    printer: &mut Printer,
    driver: &Driver,
    prepared: &Prepared,
    args: &ChangeArgs,
    wanted: impl Fn(&Rollout) -> Result<Rollout, CommandError>,
) -> Result<Exit, CommandError> {
    let Prepared {
        target,
        live,
        is_new,
        rollout,
        missing,
        rule,
        inherited,
    } = prepared;
    let change = changed(driver, target, live, &wanted(rollout)?).map_err(|error| blamed(error, live))?;
    let after = change.applied(live)?;
    driver.check(printer, prepared, &after, args.allow_gitops).await?;
    if args.diff || args.dry_run {
        let speaker = Speaker {
            format: args.output.format,
        };
        let before = if *is_new { String::new() } else { readable(live) };
        speaker.say_diff(printer, &target.to_string(), &before, &readable(&after))?;
        if !missing.is_empty() {
            let (target, before, after) = if let Some(rule) = rule {
                let live = driver.read(rule).await?.unwrap_or_default();
                let after = patch::applied(&live, &rules::add_subsets(&live, missing))?;
                (rule.clone(), readable(&live), readable(&after))
            } else {
                let made = rules::new_rule(&driver.service, missing, inherited.as_ref());
                (driver.new_rule_target(), String::new(), readable(&made))
            };
            speaker.say_diff(printer, &target.to_string(), &before, &after)?;
        }
    }
    if args.dry_run && !is_new {
        driver.try_patch(target, &change.operations).await?;
    }
    Ok(Exit::Clean)
}

fn changed(
    driver: &Driver,
    target: &Target,
    live: &Value,
    rollout: &Rollout,
) -> Result<Change, CommandError> {
    Ok(patch::shift(live, rollout, &driver.names(target))?)
}

/// Makes what is missing and writes the weights: first what routes name, then, when proxies know it, which may take up to
/// `limit`, the routes.
async fn write(
    printer: &mut Printer,
    driver: &Driver,
    speaker: Speaker,
    args: &SubjectArgs,
    prepared: &Prepared,
    limit: Duration,
    wanted: impl Fn(&Rollout) -> Result<Rollout, CommandError>,
) -> Result<(Value, Rollout), CommandError> {
    let Prepared {
        target,
        live,
        is_new,
        rollout,
        ..
    } = prepared;
    let subject = &rollout.subject;
    speaker.say(
        printer,
        &Event::Located {
            service: &subject.host,
            object: target.to_string(),
            stable: subject.stable.to_string(),
            canary: subject.canary.to_string(),
            routes: patch::places(live, rollout)?,
        },
    )?;
    let mut created = driver.intended(prepared);
    let mut is_new = *is_new;
    // Should this end before the weights are written, `abort` knows what to take away.
    if !created.is_empty() && is_new {
        created.insert(0, Created::VirtualService);
        let mut rollout = rollout.clone();
        rollout.created.clone_from(&created);
        driver
            .create(target, &patch::note(live, &rollout).applied(live)?)
            .await?;
        is_new = false;
    } else if !created.is_empty() {
        let note = |live: &Value| {
            let mut rollout = driver.rollout(target, live, subject, args)?;
            let unknown = created.iter().filter(|one| !rollout.created.contains(one));
            let unknown: Vec<_> = unknown.cloned().collect();
            rollout.created.extend(unknown);
            Ok(patch::note(live, &rollout))
        };
        driver.change(target, note).await?;
    }
    driver.make_subsets(prepared).await?;
    for one in &created {
        let object = match one {
            Created::VirtualService => target.to_string(),
            Created::DestinationRule { namespace, name } => format!("DestinationRule {namespace}/{name}"),
            Created::Subset {
                namespace,
                rule,
                subset,
            } => format!("subset {} of DestinationRule {namespace}/{rule}", subset["name"]),
        };
        let inherited = prepared.inherited.as_ref();
        let settings_of = inherited.filter(|_| matches!(one, Created::DestinationRule { .. }));
        let settings_of = settings_of.map(|inherited| inherited.from.to_string());
        speaker.say(printer, &Event::Created { object, settings_of })?;
    }
    // What is there may have come just now, from a command that was killed or from the user.
    if !created.is_empty() || rollout.phase == Phase::Ready || rollout.percent == Percent::ZERO {
        driver.wait_for_subsets(target, live, subject, limit).await?;
    }
    let result = if is_new {
        created.push(Created::VirtualService);
        let mut rollout = wanted(rollout)?;
        rollout.created.extend(created);
        let change = changed(driver, target, live, &rollout)?;
        let made = change.applied(live)?;
        let made = driver.create(target, &made).await?;
        speaker.say(
            printer,
            &Event::Created {
                object: target.to_string(),
                settings_of: None,
            },
        )?;
        let rollout = Rollout::of(&made)?.unwrap_or(change.rollout);
        (made, rollout)
    } else {
        let make = |live: &Value| {
            let mut rollout = driver.rollout(target, live, subject, args)?;
            for one in &created {
                if !rollout.created.contains(one) {
                    rollout.created.push(one.clone());
                }
            }
            changed(driver, target, live, &wanted(&rollout)?)
        };
        driver.change(target, make).await?
    };
    let (live, rollout) = result;
    speaker.say(printer, &Event::shifted(target, &rollout))?;
    Ok((live, rollout))
}

/// Waits until the proxies have the weights, at most for `limit`, and says how many do.
async fn sync(
    printer: &mut Printer,
    driver: &Driver,
    speaker: Speaker,
    live: &Value,
    rollout: &Rollout,
    limit: Duration,
) -> Result<Synced, CommandError> {
    let percent = rollout.percent;
    let proxies = driver.wait_synced(live, rollout, limit).await;
    speaker.say(printer, &Event::Synced { percent, proxies })?;
    Ok(proxies)
}

/// Puts the routes back, and then takes away what was made for the rollout, unless proxies still route to it. Needs
/// neither the Lease nor Prometheus, and can be repeated.
async fn go_back(
    printer: &mut Printer,
    driver: &Driver,
    speaker: Speaker,
    target: &Target,
    phase: Phase,
    reason: &str,
    proxy_timeout: Duration,
) -> Result<(Rollout, Synced), CommandError> {
    let back = |live: &Value| {
        let mut rollout = Rollout::of(live)?.ok_or_else(|| {
            CommandError::user(format!("{target} has no rollout any more")).hinted("look at its routes")
        })?;
        if matches!(rollout.phase, Phase::Aborted | Phase::RolledBack | Phase::Undone) {
            // The routes are back already; only what was made may still be there.
            return Ok(patch::note(live, &rollout));
        }
        // Going back must not fail because no one share can be told.
        rollout.percent = rollout.share_before(&driver.names(target)).unwrap_or_default();
        rollout.extras = Extras::default();
        reason.clone_into(&mut rollout.message);
        rollout.record(&driver.stamp(), phase, phase.as_str());
        Ok(patch::restore(live, &rollout, &driver.names(target))?)
    };
    let (live, mut rollout) = driver.change(target, back).await?;
    say_phase(printer, speaker, &rollout)?;
    if let Ok(pods) = driver.pods(&rollout.subject.stable).await
        && pods.ready == 0
    {
        printer.warning(&CommandError::user(format!(
            "no pod of `{}` is ready",
            rollout.subject.stable
        )));
    }
    let synced = sync(printer, driver, speaker, &live, &rollout, proxy_timeout).await?;
    if rollout.created.is_empty() {
        return Ok((rollout, synced));
    }
    if !synced.is_done() {
        printer.note(
            "what was made for the rollout stays as long as proxies route to it; run `meshctl canary abort` again to take it away",
        );
        return Ok((rollout, synced));
    }
    let created = std::mem::take(&mut rollout.created);
    let is_ours = created.contains(&Created::VirtualService);
    // Somebody else's edits are not thrown away with it, nor what they may name.
    if is_ours && driver::is_shared(&live) {
        printer.note(format_args!("{target} stays, because others have changed it"));
    } else {
        // What knows of the others goes last.
        let stays = if is_ours { &Value::Null } else { &live };
        driver.remove_created(printer, &created, target, stays).await?;
        if is_ours {
            if let Some(now) = driver.read(target).await?.filter(|now| !driver::is_shared(now)) {
                driver.delete(target, &now).await?;
            }
            return Ok((rollout, synced));
        }
    }
    let cleared = |live: &Value| {
        let mut rollout = Rollout::of(live)?.unwrap_or_else(|| rollout.clone());
        rollout.created.clear();
        Ok(patch::note(live, &rollout))
    };
    let (_, rollout) = driver.change(target, cleared).await?;
    Ok((rollout, synced))
}

/// Notes that a rollout stands elsewhere; traffic stays.
async fn set_phase(
    driver: &Driver,
    target: &Target,
    phase: Phase,
    what: &str,
    message: &str,
) -> Result<(Value, Rollout), CommandError> {
    let note = |live: &Value| {
        let mut rollout = Rollout::of(live)?
            .filter(|rollout| rollout.phase.is_open())
            .ok_or_else(|| CommandError::user("the rollout is over"))?;
        message.clone_into(&mut rollout.message);
        rollout.record(&driver.stamp(), phase, what);
        Ok(patch::note(live, &rollout))
    };
    driver.change(target, note).await
}

fn say_phase(printer: &mut Printer, speaker: Speaker, rollout: &Rollout) -> Result<(), CommandError> {
    speaker.say(
        printer,
        &Event::Phase {
            phase: rollout.phase,
            percent: rollout.percent,
            message: rollout.message.clone(),
        },
    )
}

fn history(printer: &mut Printer, format: Format, rollout: &Rollout) -> Result<(), CommandError> {
    if format == Format::Json {
        for event in &rollout.events {
            let line = serde_json::to_string(event).unwrap_or_default();
            writeln!(printer.stdout(), "{line}")?;
        }
        return Ok(());
    }
    let rows: Vec<Vec<String>> = rollout
        .events
        .iter()
        .map(|event| {
            vec![
                event.time.clone(),
                event.versions.clone(),
                event.percent.to_string(),
                event.what.clone(),
                event.by.clone(),
            ]
        })
        .collect();
    let text = table::table(
        printer.look(),
        &["TIME", "VERSIONS", "CANARY", "WHAT", "BY"],
        &rows,
    );
    printer.stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// Whether the live object still is as the rollout left it; says who changed it if not.
fn undisturbed(live: &Value) -> Result<Rollout, CommandError> {
    let rollout = Rollout::of(live)?.ok_or_else(|| {
        blamed(
            CommandError {
                kind: ErrorKind::Conflict,
                ..CommandError::user("the state of the rollout is gone")
            },
            live,
        )
    })?;
    if rollout.phase.is_open() {
        verify(live, &rollout)?;
    }
    Ok(rollout)
}
