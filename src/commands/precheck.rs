//! `meshctl precheck`: can the cluster take a mesh, and is the one that it has in order?

mod gather;

use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use mesh_core::cluster::{Cluster, ClusterError, ErrorKind};
use mesh_install::precheck::{CHECKS, Category, Check, Facts, Options, Report, Status, run};
use mesh_install::spec::{PROFILES, Request};
use mesh_install::version::{RELEASES, Release};

use crate::cluster::{ClusterArgs, duration};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::spec::specification;
use crate::ui::Printer;
use crate::ui::document::FormatArgs;
use crate::ui::progress::Progress;
use crate::ui::render::precheck::{self as render, Format, Precheck};

/// Time between two looks at a cluster that is waited for.
const PAUSE: Duration = Duration::from_secs(2);

/// Check whether a cluster can take a mesh, and whether the one that it has is in order
///
/// Only reads: nothing is changed, nothing is installed. What may not be read skips only the checks that need it.
/// docs/precheck.md says what each check looks at.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PrecheckArgs {
    /// Profile to be installed
    #[arg(
        long,
        value_name = "NAME",
        default_value = "default",
        value_parser = PossibleValuesParser::new(PROFILES.iter().map(|profile| profile.name)),
        help_heading = "Mesh"
    )]
    profile: String,

    /// Version of Istio to be installed, such as 1.30 or 1.30.1 [default: the newest known]
    #[arg(long, value_name = "VERSION", value_parser = release, help_heading = "Mesh")]
    mesh_version: Option<&'static Release>,

    /// Namespace of the control plane
    #[arg(
        long,
        value_name = "NAME",
        default_value = "istio-system",
        help_heading = "Mesh"
    )]
    istio_namespace: String,

    /// Revision to be installed [default: the one without a name]
    #[arg(long, value_name = "NAME", help_heading = "Mesh")]
    revision: Option<String>,

    /// Make only these checks, or those of these categories (comma-separated, can be repeated)
    #[arg(
        long,
        value_name = "CHECK",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(names()),
        hide_possible_values = true,
        help_heading = "Checks"
    )]
    select: Vec<String>,

    /// Leave these checks out, or those of these categories (comma-separated, can be repeated)
    #[arg(
        long,
        value_name = "CHECK",
        value_delimiter = ',',
        value_parser = PossibleValuesParser::new(names()),
        hide_possible_values = true,
        help_heading = "Checks"
    )]
    ignore: Vec<String>,

    /// Look again until checks that can pass by themselves do, for at most this time [default: 5m]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5m",
        help_heading = "Checks"
    )]
    wait: Option<Duration>,

    #[command(flatten)]
    output: FormatArgs<Format>,

    /// When to exit with status 1
    #[arg(
        long,
        value_name = "STATUS",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    fail_on: FailOn,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  Before installing
    meshctl precheck

  Before an upgrade, with another profile, on another cluster
    meshctl precheck --mesh-version 1.30 --profile ambient --context staging

  In a pipeline, once the nodes are up
    meshctl precheck --wait=10m -o junit > precheck.xml

  Whether the pods would find nodes, and nothing else
    meshctl precheck --select capacity

  What an administrator must grant
    meshctl precheck --select permissions -o json | jq -r '.categories[].checks[].manifest // empty'

Exit status:
  0  nothing in the way
  1  something in the way, as --fail-on has it
  2  nothing could be checked";

/// From which status of checks on the command fails.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// Never
    Never,
    /// If a check fails
    #[default]
    Error,
    /// If a check fails or warns, or what it needs cannot be read
    Warning,
}

impl FailOn {
    fn exit(self, report: &Report) -> Exit {
        let fails = report.count(Status::Fail);
        let others = report.count(Status::Warning) + report.count(Status::Skipped);
        match self {
            Self::Error if fails > 0 => Exit::Findings,
            Self::Warning if fails + others > 0 => Exit::Findings,
            _ => Exit::Clean,
        }
    }

    /// The status of checks that are worth waiting for.
    fn awaited(self) -> Status {
        match self {
            Self::Never | Self::Error => Status::Fail,
            Self::Warning => Status::Skipped,
        }
    }
}

fn release(text: &str) -> Result<&'static Release, String> {
    Release::of(text).ok_or_else(|| {
        let known: Vec<_> = RELEASES.iter().map(ToString::to_string).collect();
        format!("not a known release; there are {}", known.join(", "))
    })
}

/// The names of all categories and checks.
fn names() -> impl Iterator<Item = &'static str> {
    let categories = Category::ALL.iter().map(|category| category.name());
    categories.chain(CHECKS.iter().map(|check| check.name))
}

/// Runs the command.
pub(crate) fn precheck(printer: &mut Printer, args: PrecheckArgs) -> Result<Exit, CommandError> {
    let PrecheckArgs {
        profile,
        mesh_version,
        istio_namespace,
        revision,
        select,
        ignore,
        wait,
        output,
        fail_on,
        mut cluster,
    } = args;
    let request = Request {
        profile: Some(profile),
        namespace: Some(istio_namespace),
        revision,
        tag: mesh_version.map(|release| release.tag.to_owned()),
        ..Request::default()
    };
    let options = Options::of(&specification(printer, &request)?.spec);
    let names = |check: &Check, list: &[String]| {
        list.iter()
            .any(|name| name == check.name || name == check.category.name())
    };
    let wanted = |check: &Check| (select.is_empty() || names(check, &select)) && !names(check, &ignore);
    if !CHECKS.iter().any(wanted) {
        return Err(CommandError::user("no check is left to make")
            .hinted("`--ignore` leaves out all that `--select` names"));
    }
    let asks_rights = CHECKS
        .iter()
        .any(|check| check.category == Category::Permissions && wanted(check));
    if let Some(wait) = wait {
        cluster.timeout = cluster.timeout.max(wait.saturating_add(cluster.timeout));
    }

    let progress = Progress::start(printer);
    let (facts, report) = cluster.run(async |cluster| {
        let mut waiting = Waiting::new(wait, fail_on.awaited());
        let mut earlier = None;
        loop {
            let gathering = gather::gather(&cluster, &options, &progress, asks_rights, earlier.take());
            // The future of some thirty requests is large.
            let gathered = Box::pin(gathering).await;
            let (again, result) = match gathered {
                Ok(facts) => {
                    let report = run(&facts, &options, wanted);
                    (waiting.is_for(&report), Ok((facts, report)))
                }
                Err(error) => (waiting.is_for_server(&error), Err(error)),
            };
            let Some(what) = again else {
                let (facts, report) = result?;
                return Ok(((facts, cluster.name().to_owned()), report));
            };
            if waiting.is_news(&what) && !printer.shows_progress() {
                printer.note(format_args!("waiting for {what}"));
            }
            progress.message(format!("waiting for {what}"));
            earlier = result.ok().map(|(facts, _)| facts);
            tokio::time::sleep(PAUSE).await;
        }
    })?;
    drop(progress);

    let (facts, context): (Facts, String) = facts;
    let precheck = Precheck {
        context: &context,
        facts: &facts,
        options: &options,
        report: &report,
    };
    let look = printer.look();
    let is_verbose = printer.is_verbose();
    render::write(printer.stdout(), output.format, look, is_verbose, precheck)?;
    printer.status(render::summary(printer.status_look(), precheck));
    Ok(fail_on.exit(&report))
}

/// Makes the checks that are wanted, once.
///
/// # Errors
///
/// Nothing could be read.
pub(crate) async fn report(
    cluster: &Cluster,
    options: &Options,
    progress: &Progress,
    wanted: impl Fn(&Check) -> bool,
) -> Result<Report, ClusterError> {
    // The future of some thirty requests is large.
    let facts = Box::pin(gather::gather(cluster, options, progress, true, None)).await?;
    Ok(run(&facts, options, wanted))
}

/// How long to wait, and for what.
struct Waiting {
    until: Option<Instant>,
    from: Status,
    last: Option<String>,
}

impl Waiting {
    fn new(wait: Option<Duration>, from: Status) -> Self {
        Self {
            until: wait.and_then(|wait| Instant::now().checked_add(wait)),
            from,
            last: None,
        }
    }

    fn has_time(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() + PAUSE < until)
    }

    /// What to wait for, if there is something and there is time.
    fn is_for(&self, report: &Report) -> Option<String> {
        let titles: Vec<_> = report
            .worth_waiting_for(self.from)
            .map(|check| check.title)
            .collect();
        (self.has_time() && !titles.is_empty()).then(|| titles.join(", "))
    }

    fn is_for_server(&self, error: &ClusterError) -> Option<String> {
        let can_pass = matches!(
            error.kind,
            ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::Server
        );
        (self.has_time() && can_pass).then(|| format!("the API server: {error}"))
    }

    /// Whether it is something else than last time.
    fn is_news(&mut self, what: &str) -> bool {
        let is_news = self.last.as_deref() != Some(what);
        self.last = Some(what.to_owned());
        is_news
    }
}
