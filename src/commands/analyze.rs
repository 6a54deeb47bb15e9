//! `meshctl analyze`: what is wrong with the configuration of a mesh.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use mesh_analyze::{Report, RuleSet, Severity};
use mesh_core::source::LoadOptions;
use mesh_core::source::files::{self, Input};
use mesh_core::{Mesh, MeshBuilder, ProblemKind, Settings};

use crate::cluster::ClusterArgs;
use crate::config::{AnalyzeConfig, Config, unknown_rule_hint};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::document::FormatArgs;
use crate::ui::progress::Progress;
use crate::ui::render::{self, Analysis, Format, text};
use crate::ui::{Printer, Tone, counted};

pub(crate) mod live;
mod mesh_wide;

/// Find what is wrong with mesh configuration
///
/// Reads Kubernetes manifests from files, folders or standard input, or the objects of a cluster (--cluster), and reports
/// what Istio would refuse, ignore, or not do as intended, with the place and what to do about it.
///
/// With both, the files are laid over the cluster, as if they were applied to it, and what is reported is what they bring:
/// findings in the files, and findings on objects of the cluster that are not there without them. Clusters are only
/// read, never changed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct AnalyzeArgs {
    /// Files and folders to read, `-` for standard input
    ///
    /// Folders are read to any depth: all files that end in .yaml, .yml or .json and that neither .gitignore nor
    /// .meshctlignore leaves out.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Read the cluster; with PATH, lay the files over it
    #[arg(long, help_heading = "Cluster")]
    cluster: bool,

    /// Report on all namespaces, which is the default with --cluster
    #[arg(long, short = 'A', conflicts_with = "namespace", help_heading = "Mesh")]
    all_namespaces: bool,

    /// With PATH and --cluster, report also what the cluster has without the files
    #[arg(long, help_heading = "Output")]
    all_findings: bool,

    #[command(flatten)]
    connection: ClusterArgs,

    #[command(flatten)]
    output: FormatArgs<Format>,

    /// When to exit with status 1 [default: error]
    #[arg(long, value_name = "SEVERITY", value_enum, help_heading = "Output")]
    fail_on: Option<FailOn>,

    /// Run only these rules, by name or code (comma-separated, can be repeated)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    select: Vec<String>,

    /// Do not run these rules, by name or code (comma-separated, can be repeated)
    #[arg(long, value_name = "RULE", value_delimiter = ',', help_heading = "Rules")]
    ignore: Vec<String>,

    /// Namespace of objects that name none [default: default]; with --cluster, the only one to report on
    #[arg(long, short, value_name = "NAME", help_heading = "Mesh")]
    namespace: Option<String>,

    /// Namespace of the control plane [default: istio-system]
    #[arg(long, value_name = "NAME", help_heading = "Mesh")]
    istio_namespace: Option<String>,

    /// Revision of the control plane, whose configuration and objects count with --cluster
    #[arg(long, value_name = "NAME", help_heading = "Mesh")]
    revision: Option<String>,

    /// DNS domain of the cluster [default: cluster.local]
    #[arg(long, value_name = "DOMAIN", help_heading = "Mesh")]
    cluster_domain: Option<String>,

    /// Mesh-wide configuration (MeshConfig) to use instead of the one in the input's ConfigMap `istio`
    #[arg(long, value_name = "FILE", help_heading = "Mesh")]
    mesh_config: Option<PathBuf>,

    /// Networks of the mesh (MeshNetworks)
    #[arg(long, value_name = "FILE", help_heading = "Mesh")]
    mesh_networks: Option<PathBuf>,

    /// Settings file to use instead of the nearest meshctl.toml
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "no_config",
        help_heading = "Settings"
    )]
    config: Option<PathBuf>,

    /// Use no settings file
    #[arg(long, help_heading = "Settings")]
    no_config: bool,
}

const EXAMPLES: &str = "\
Examples:
  Check all manifests below the current folder
    meshctl analyze .

  Check a rendered chart
    helm template my-chart | meshctl analyze -

  Fail on warnings too, and annotate a pull request
    meshctl analyze --fail-on warning -o github deploy/

  Check one thing only, by the code that istioctl gives it
    meshctl analyze --select IST0101 deploy/

  Check what runs in the cluster
    meshctl analyze --cluster

  What would break if this were applied?
    meshctl analyze --cluster deploy/

Exit status:
  0  nothing found at or above the severity of --fail-on
  1  something found
  2  could not do the work: wrong arguments, wrong settings, a PATH or cluster that cannot be read
  130  stopped by Ctrl-C";

/// From which severity on findings fail the command.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FailOn {
    /// Never
    Never,
    /// On errors only
    #[default]
    Error,
    /// On errors and warnings
    Warning,
    /// On any finding
    Info,
}

impl FailOn {
    fn exit(self, report: &Report) -> Exit {
        let threshold = match self {
            Self::Never => return Exit::Clean,
            Self::Error => Severity::Error,
            Self::Warning => Severity::Warning,
            Self::Info => Severity::Info,
        };
        if report.worst().is_some_and(|worst| worst >= threshold) {
            Exit::Findings
        } else {
            Exit::Clean
        }
    }
}

/// Runs the command.
pub(crate) fn analyze(printer: &mut Printer, args: AnalyzeArgs) -> Result<Exit, CommandError> {
    let AnalyzeArgs {
        paths,
        cluster,
        all_namespaces: _, // The default; `-n` is what changes it.
        all_findings,
        connection,
        output,
        fail_on,
        select,
        ignore,
        namespace,
        istio_namespace,
        revision,
        cluster_domain,
        mesh_config,
        mesh_networks,
        config,
        no_config,
    } = args;
    if paths.is_empty() && !cluster {
        return Err(CommandError::user("no PATH given")
            .hinted("name files or folders: `meshctl analyze .`")
            .hinted("or read the cluster: `meshctl analyze --cluster`"));
    }
    if !cluster && let Some(flag) = connection.given() {
        return Err(
            CommandError::user(format!("`{flag}` is of no use without `--cluster`"))
                .hinted("add `--cluster` to read the cluster"),
        );
    }
    let config = if no_config {
        Config::default()
    } else {
        Config::load(config.as_deref(), &current_folder()?)?
    };
    let config = config.analyze;
    let rules = rules(&select, &ignore, &config)?;
    let defaults = Settings::default();
    let settings = Settings {
        cluster_domain: cluster_domain
            .or(config.cluster_domain)
            .unwrap_or(defaults.cluster_domain),
        istio_namespace: istio_namespace
            .or(config.istio_namespace)
            .unwrap_or(defaults.istio_namespace),
        revision: revision.unwrap_or(defaults.revision),
    };
    let mut options = LoadOptions {
        exclude: config.exclude,
        ..LoadOptions::default()
    };
    if let Some(namespace) = namespace.as_ref().or(config.namespace.as_ref()) {
        options.default_namespace.clone_from(namespace);
    }

    let inputs = inputs(&paths)?;
    let progress = Progress::start(printer);
    let mut builder = MeshBuilder::new(settings.clone());
    let mut findings = Vec::new();
    if let Some(file) = mesh_config.or(config.mesh_config) {
        findings.extend(mesh_wide::config(&mut builder, &file)?);
    }
    if let Some(file) = mesh_networks.or(config.mesh_networks) {
        findings.extend(mesh_wide::networks(&mut builder, &file)?);
    }
    let name;
    let (mesh, mut report) = if cluster {
        let files = (!inputs.is_empty()).then(|| {
            let mut files = builder.with_same_config();
            files::load(&mut files, inputs, &options, || progress.file());
            files.build()
        });
        name = Some(live::load(
            &mut builder,
            &connection,
            files.as_ref(),
            namespace.as_deref(),
            &progress,
        )?);
        progress.message("analyzing".to_owned());
        let report = live::Reporting {
            namespace: namespace.as_deref(),
            all: all_findings,
        };
        report.analyze(&builder.build(), files.as_ref(), &rules)
    } else {
        name = None;
        files::load(&mut builder, inputs, &options, || progress.file());
        let mesh = builder.build();
        let report = mesh_analyze::analyze(&mesh, &rules);
        (mesh, report)
    };
    findings.retain(|finding| rules.contains(finding.rule));
    report.findings.splice(0..0, findings);
    for finding in &mut report.findings {
        let own = config.severity.iter().find(|(rule, _)| *rule == finding.rule);
        finding.severity = own
            .and_then(|(_, severity)| *severity)
            .unwrap_or(finding.severity);
    }
    drop(progress);

    let analysis = Analysis {
        mesh: &mesh,
        report: &report,
        rules: &rules,
        cluster: name.as_deref(),
    };
    let look = printer.look();
    render::write(printer.stdout(), output.format, look, analysis)?;
    notes(printer, &mesh, &report);
    summary(printer, analysis);
    unreadable(&mesh, &paths)?;
    let exit = fail_on.or(config.fail_on).unwrap_or_default().exit(&report);
    // The process ends here; to free a large mesh piece by piece would only take time.
    std::mem::forget((mesh, report));
    Ok(exit)
}

fn current_folder() -> Result<PathBuf, CommandError> {
    std::env::current_dir()
        .map_err(|error| CommandError::user(format!("cannot read the current folder: {error}")))
}

/// The rules to run: arguments win over the settings, list by list.
fn rules(select: &[String], ignore: &[String], config: &AnalyzeConfig) -> Result<RuleSet, CommandError> {
    let or_configured = |given: &[String], configured: &Option<Vec<String>>| {
        if given.is_empty() {
            configured.clone().unwrap_or_default()
        } else {
            given.to_vec()
        }
    };
    let select = or_configured(select, &config.select);
    let mut ignore = or_configured(ignore, &config.ignore);
    let off = config.severity.iter().filter(|(_, severity)| severity.is_none());
    ignore.extend(off.map(|(rule, _)| rule.name.to_owned()));
    RuleSet::new(&select, &ignore).map_err(|unknown| {
        CommandError::user(unknown.to_string()).hinted(unknown_rule_hint(unknown.suggestion))
    })
}

/// Opens what the paths name; standard input once.
pub(super) fn inputs(paths: &[PathBuf]) -> Result<Vec<Input>, CommandError> {
    let mut inputs = Vec::with_capacity(paths.len());
    let mut has_stdin = false;
    for path in paths {
        if path.as_os_str() != "-" {
            inputs.push(Input::Path(path.clone()));
        } else if !has_stdin {
            has_stdin = true;
            let mut bytes = Vec::new();
            std::io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|error| CommandError::user(format!("cannot read standard input: {error}")))?;
            inputs.push(Input::Stdin(bytes));
        }
    }
    Ok(inputs)
}

/// What was left out, and could be a mistake.
fn notes(printer: &mut Printer, mesh: &Mesh, report: &Report) {
    let skipped = mesh.skipped();
    if skipped.not_kubernetes > 0 {
        let documents = counted(skipped.not_kubernetes, "document");
        let not = if skipped.not_kubernetes == 1 {
            "is not a Kubernetes object"
        } else {
            "are not Kubernetes objects"
        };
        printer.note(format_args!(
            "{documents} {not} and {} skipped",
            was(skipped.not_kubernetes)
        ));
    }
    for (chart, templates) in charts(&skipped.helm_templates) {
        let what = match templates.as_slice() {
            [one] => format!("`{one}` is a Helm template and was skipped"),
            many => format!(
                "{} of `{chart}` are Helm templates and were skipped",
                counted(many.len(), "file")
            ),
        };
        printer.note(format_args!(
            "{what}: run `helm template {chart} | meshctl analyze -`"
        ));
    }
    if !printer.is_verbose() {
        return;
    }
    for (kind, count) in &skipped.other_kinds {
        let objects = counted(*count, "object");
        printer.note(format_args!(
            "{objects} of `{kind}` {} skipped: no rule reads the kind",
            was(*count)
        ));
    }
    for skipped in &report.skipped {
        printer.note(format_args!(
            "`{}` did not run: it {}",
            skipped.rule.name, skipped.reason
        ));
    }
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// Templates by the folder of their chart, which holds the folder `templates`.
fn charts(templates: &[String]) -> Vec<(String, Vec<&str>)> {
    let mut charts: Vec<(String, Vec<&str>)> = Vec::new();
    for template in templates {
        let is_templates = |folder: &&Path| folder.file_name().is_some_and(|name| name == "templates");
        let chart = match Path::new(template)
            .ancestors()
            .filter(is_templates)
            .last()
            .and_then(Path::parent)
        {
            Some(chart) if chart.as_os_str().is_empty() => ".".to_owned(),
            Some(chart) => chart.display().to_string(),
            None => "CHART".to_owned(),
        };
        match charts.iter_mut().find(|(known, _)| *known == chart) {
            Some((_, list)) => list.push(template),
            None => charts.push((chart, vec![template])),
        }
    }
    charts
}

/// One line that says how it went.
fn summary(printer: &mut Printer, analysis: Analysis<'_>) {
    let Analysis {
        mesh,
        report,
        rules: _,
        cluster,
    } = analysis;
    let look = printer.status_look();
    let counts: Vec<_> = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "info"),
    ]
    .into_iter()
    .map(|(severity, noun)| (severity, noun, report.count(severity)))
    .filter(|(_, _, count)| *count > 0)
    .map(|(severity, noun, count)| {
        look.paint(text::tone(severity), counted(count, noun))
            .into_owned()
    })
    .collect();
    let mut line = if counts.is_empty() {
        let good = if look.unicode {
            "✔ no findings"
        } else {
            "no findings"
        };
        look.paint(Tone::Good, good).into_owned()
    } else {
        counts.join(", ")
    };
    let files = counted(analysis.files(), "file");
    let place = match cluster {
        None => files,
        Some(cluster) if analysis.files() == 0 => format!("cluster `{cluster}`"),
        Some(cluster) => format!("{files} over cluster `{cluster}`"),
    };
    line.push_str(&format!(" in {place} ({})", counted(mesh.len(), "resource")));
    if report.suppressed > 0 {
        line.push_str(&format!(", {} suppressed", report.suppressed));
    }
    if !report.skipped.is_empty() {
        let checks = counted(report.skipped.len(), "check");
        line.push_str(&format!("; {checks} could not run"));
        if !printer.is_verbose() {
            line.push_str(": add -v to see why");
        }
    }
    printer.status(line);
    if mesh.is_empty() && report.findings.is_empty() {
        printer.note("there was nothing to check: no resource of a mesh is in the input");
    }
}

/// Fails if something that was asked for by name could not be read.
pub(super) fn unreadable(mesh: &Mesh, paths: &[PathBuf]) -> Result<(), CommandError> {
    let names: Vec<_> = paths.iter().map(|path| files::display_name(path)).collect();
    let mut failed = mesh
        .problems()
        .iter()
        .filter(|problem| problem.kind == ProblemKind::Unreadable && names.contains(&problem.file));
    let Some(first) = failed.next() else {
        return Ok(());
    };
    let message = match failed.count() {
        0 => format!("cannot read `{}`: {}", first.file, first.message),
        more => format!(
            "cannot read `{}` and {more} more of the given paths: {}",
            first.file, first.message
        ),
    };
    Err(CommandError::user(message))
}
