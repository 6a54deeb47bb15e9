//! The arguments of the program.

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::analyze::AnalyzeArgs;
use crate::commands::canary::CanaryArgs;
use crate::commands::check_inject::CheckInjectArgs;
use crate::commands::completion::CompletionArgs;
use crate::commands::describe::DescribeArgs;
use crate::commands::explain::ExplainArgs;
use crate::commands::inject::InjectArgs;
use crate::commands::injector::InjectorArgs;
use crate::commands::install::{InstallArgs, UpgradeArgs};
use crate::commands::manifest::ManifestArgs;
use crate::commands::operator::OperatorArgs;
use crate::commands::precheck::PrecheckArgs;
use crate::commands::profile::ProfileArgs;
use crate::commands::proxy_config::ProxyConfigArgs;
use crate::commands::proxy_status::ProxyStatusArgs;
use crate::commands::rollback::RollbackArgs;
use crate::commands::tag::TagArgs;
use crate::commands::trace::TraceArgs;
use crate::commands::uninject::UninjectArgs;
use crate::commands::uninstall::UninstallArgs;
use crate::commands::util::UtilArgs;
use crate::commands::verify::VerifyArgs;
use crate::commands::version::VersionArgs;

/// Check, explain and understand the configuration of Istio service meshes
#[derive(Parser, Debug)]
#[command(
    name = "meshctl",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_long_help = EXAMPLES,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  Check all manifests below the current folder
    meshctl analyze .

  What a finding means
    meshctl explain IST0101

Exit status:
  0  done, and nothing to complain about
  1  done, with findings
  2  the work could not be done";

/// What every command has.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Terminal")]
pub(crate) struct OutputArgs {
    /// When to use colors
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub(crate) color: When,

    /// Print errors and data only: no notes, no summary
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say more: what was skipped, and why
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// When to use colors.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum When {
    /// On terminals, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Analyze(AnalyzeArgs),
    Explain(ExplainArgs),
    Precheck(Box<PrecheckArgs>),
    Manifest(Box<ManifestArgs>),
    Profile(Box<ProfileArgs>),
    Install(Box<InstallArgs>),
    Upgrade(Box<UpgradeArgs>),
    Verify(VerifyArgs),
    Rollback(Box<RollbackArgs>),
    Uninstall(Box<UninstallArgs>),
    Tag(TagArgs),
    Inject(Box<InjectArgs>),
    Uninject(UninjectArgs),
    CheckInject(Box<CheckInjectArgs>),
    Injector(InjectorArgs),
    Operator(OperatorArgs),
    #[command(visible_alias = "des")]
    Describe(DescribeArgs),
    #[command(visible_alias = "pc")]
    ProxyConfig(ProxyConfigArgs),
    #[command(visible_alias = "ps")]
    ProxyStatus(ProxyStatusArgs),
    Trace(TraceArgs),
    Canary(Box<CanaryArgs>),
    Completion(CompletionArgs),
    Version(VersionArgs),
    #[command(hide = true)]
    Util(UtilArgs),
}
