//! `meshctl canary run`: the steps of a plan, each judged, until the canary has all traffic or none.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{Args, ValueEnum};
use mesh_canary::patch;
use mesh_canary::percent::Percent;
use mesh_canary::plan::{self, Limits, Plan, PlanFile, When};
use mesh_canary::state::{Phase, Rollout, Run};
use mesh_core::source::files;

use super::driver::{Driver, Prepared};
use super::event::Speaker;
use super::follow::{Watching, watch};
use super::prometheus::{Prometheus, PrometheusArgs};
use super::webhooks::ask_webhooks;
use super::{
    ChangeArgs, EndArgs, ExtraArgs, SubjectArgs, changed, check, last, lock, say_phase, undisturbed, write,
};
use crate::cluster::{ClusterArgs, duration};
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::Printer;

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
  4  the time was up (--timeout), or proxies did not get to know the subsets (--proxy-timeout)
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
pub(super) enum OnInterrupt {
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

/// A run that has looked at everything, and changed nothing yet.
struct Begun {
    prepared: Prepared,
    judged: BTreeSet<String>,
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
    let wanted = |driver: &Driver, judged: &BTreeSet<String>, rollout: &Rollout| {
        let mut rollout = rollout.clone();
        let mut run = Run::new(plan.clone(), rollout.percent);
        run.judged.clone_from(judged);
        rollout.percent = run.percent().max(rollout.percent);
        rollout.run = Some(run);
        rollout.message.clear();
        rollout.extras.add(&file.extras);
        args.extras.apply(&mut rollout);
        rollout.record(&driver.stamp(), Phase::Progressing, "run started");
        Ok(rollout)
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
            let shift = |rollout: &Rollout| wanted(&driver, &judged, rollout);
            check(printer, &driver, &prepared, &args.change, shift).await?;
            if args.change.dry_run {
                return Ok(None);
            }
            let lock = lock(&driver.cluster, &prepared.target).await?;
            let watching = Watching {
                driver,
                target: prepared.target.clone(),
                speaker,
                prometheus,
                lock,
                proxy_timeout: args.change.proxy_timeout,
                board: Arc::default(),
                seen: Mutex::default(),
            };
            Ok(Some((watching, Begun { prepared, judged })))
        };
        let start = async |printer: &mut Printer, watching: &Watching, begun: Begun| {
            let Begun { prepared, judged } = begun;
            let driver = &watching.driver;
            let shift = |rollout: &Rollout| wanted(driver, &judged, rollout);
            let known = &prepared.rollout;
            let first = shift(known)?.percent;
            ask_webhooks(printer, speaker, &plan, When::BeforeStep, known, first).await?;
            let limit = watching.proxy_timeout;
            let (_, rollout) = write(printer, driver, speaker, &subject, &prepared, limit, shift).await?;
            watching.saw(&rollout);
            last::write(driver);
            Ok(())
        };
        begin_and_watch(printer, &connection, args.watching.on_interrupt, begin, start).await
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
            match found {
                Ok(prometheus) => {
                    let watching = Watching {
                        driver,
                        target,
                        speaker,
                        prometheus,
                        lock,
                        proxy_timeout: end.proxy_timeout,
                        board: Arc::default(),
                        seen: Mutex::default(),
                    };
                    Ok(Some((watching, judged)))
                }
                Err(error) => {
                    lock.release().await;
                    Err(error)
                }
            }
        };
        let start = async |printer: &mut Printer, watching: &Watching, judged: BTreeSet<String>| {
            let Watching { driver, target, .. } = watching;
            watching.prometheus.probe().await?;
            let resume = |live: &serde_json::Value| {
                let mut rollout = woken(driver, live, &judged)?;
                if let Some(run) = &mut rollout.run {
                    run.inconclusive = 0;
                    run.errors = 0;
                    rollout.percent = run.percent().max(rollout.percent);
                }
                changed(driver, target, live, &rollout)
            };
            let (_, rollout) = driver.change(target, resume).await?;
            watching.saw(&rollout);
            say_phase(printer, speaker, &rollout)
        };
        begin_and_watch(printer, &connection, watching.on_interrupt, begin, start).await
    })
}

/// Begins, and follows the plan until it ends or is stopped. Nothing is to be followed if `begin` brings nothing.
///
/// What `begin` does leaves the cluster as it is, but for the Lease; `start` changes it.
async fn begin_and_watch<T>(
    printer: &mut Printer,
    connection: &ClusterArgs,
    on_interrupt: OnInterrupt,
    begin: impl AsyncFnOnce(&mut Printer) -> Result<Option<(Watching, T)>, CommandError>,
    start: impl AsyncFnOnce(&mut Printer, &Watching, T) -> Result<(), CommandError>,
) -> Result<Exit, CommandError> {
    let begun = connection.unless_stopped(Box::pin(begin(printer))).await;
    let Some((watching, prepared)) = begun?? else {
        return Ok(Exit::Clean);
    };
    let start = async |printer: &mut Printer, watching: &Watching| start(printer, watching, prepared).await;
    let result = Box::pin(watch(printer, connection, &watching, on_interrupt, start)).await;
    let told = watching.tell_end(printer).await;
    watching.lock.release().await;
    result.and_then(|exit| told.map(|()| exit))
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
