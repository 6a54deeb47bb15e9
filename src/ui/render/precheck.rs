//! The result of `meshctl precheck` in many forms. [`Document`] is the model of those for machines.

use std::io::{self, Write};

use clap::ValueEnum;
use mesh_install::precheck::{Category, CheckResult, Facts, Options, Outcome, Report, Status};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use serde::Serialize;

use crate::ui::{Look, Tone, counted, document};

/// How many lines of detail a check has, unless the user wants to know more.
const LINES: usize = 10;

/// The form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document; schemas/precheck-output.schema.json describes it
    Json,
    /// The same document as YAML
    Yaml,
    /// JUnit XML, for CI servers
    Junit,
}

/// What is rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Precheck<'a> {
    /// The name of the kubeconfig's context.
    pub(crate) context: &'a str,
    /// What was known.
    pub(crate) facts: &'a Facts,
    /// What is to be installed.
    pub(crate) options: &'a Options,
    /// What the checks said.
    pub(crate) report: &'a Report,
}

/// Writes the result.
pub(crate) fn write(
    out: &mut impl Write,
    format: Format,
    look: Look,
    is_verbose: bool,
    precheck: Precheck<'_>,
) -> io::Result<()> {
    match format {
        Format::Text => text(out, look, is_verbose, precheck),
        Format::Json => document::json(out, &Document::new(precheck)),
        Format::Yaml => document::yaml(out, &Document::new(precheck)),
        Format::Junit => junit(out, precheck),
    }
}

/// The mark before a check.
fn mark(look: Look, status: Status) -> String {
    let (unicode, ascii, tone) = match status {
        Status::Pass => ("✔", "ok", Tone::Good),
        Status::Skipped => ("?", "??", Tone::Info),
        Status::Warning => ("‼", "!!", Tone::Warning),
        Status::Fail => ("✘", "XX", Tone::Error),
    };
    look.paint(tone, if look.unicode { unicode } else { ascii })
        .into_owned()
}

fn text(out: &mut impl Write, look: Look, is_verbose: bool, precheck: Precheck<'_>) -> io::Result<()> {
    for (category, results) in precheck.report.categories() {
        writeln!(out, "{}", look.paint(Tone::Strong, category.title()))?;
        for CheckResult { check, outcome } in results {
            let Outcome {
                status,
                summary,
                detail,
                hint,
                manifest,
            } = outcome;
            writeln!(out, "  {} {}: {summary}", mark(look, *status), check.title)?;
            let indent = "      ";
            // A check that passes has nothing to act on.
            let shown = match (status, is_verbose) {
                (Status::Pass, false) => 0,
                (_, false) if detail.len() > LINES + 1 => LINES,
                _ => detail.len(),
            };
            for line in &detail[..shown] {
                writeln!(out, "{indent}{line}")?;
            }
            if *status != Status::Pass && shown < detail.len() {
                writeln!(out, "{indent}and {} more (`-v` lists all)", detail.len() - shown)?;
            }
            if let Some(hint) = hint {
                writeln!(out, "{indent}{}: {hint}", look.paint(Tone::Hint, "hint"))?;
            }
            for line in manifest.iter().flat_map(|manifest| manifest.lines()) {
                writeln!(out, "{indent}  {}", look.paint(Tone::Code, line))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

/// One line that says how it went.
pub(crate) fn summary(look: Look, precheck: Precheck<'_>) -> String {
    let Precheck {
        context,
        facts,
        options,
        report,
    } = precheck;
    let count = |status| report.count(status);
    let passed = counted(count(Status::Pass), "check");
    let mut parts = vec![format!("{passed} passed")];
    for (status, what, tone) in [
        (Status::Fail, "failed", Tone::Error),
        (Status::Warning, "warned", Tone::Warning),
        (Status::Skipped, "could not be made", Tone::Info),
    ] {
        if count(status) > 0 {
            parts.push(look.paint(tone, format!("{} {what}", count(status))).into_owned());
        }
    }
    format!(
        "{} for Istio {} ({} profile) on {context} ({})",
        parts.join(", "),
        options.release,
        options.profile,
        facts.server
    )
}

/// The document of `-o json`, version 1. Members may be added within a version; none goes away or changes its meaning.
#[derive(Serialize, Debug)]
struct Document<'a> {
    version: u32,
    cluster: About<'a>,
    target: Target<'a>,
    categories: Vec<Group<'a>>,
    summary: Counts,
}

/// Which cluster.
#[derive(Serialize, Debug)]
struct About<'a> {
    context: &'a str,
    server: &'a str,
    kubernetes: Option<&'a str>,
    user: Option<&'a str>,
}

/// What is to be installed.
#[derive(Serialize, Debug)]
struct Target<'a> {
    istio: String,
    profile: &'a str,
    namespace: &'a str,
    revision: &'a str,
}

#[derive(Serialize, Debug)]
struct Group<'a> {
    name: &'static str,
    title: &'static str,
    checks: Vec<Line<'a>>,
}

#[derive(Serialize, Debug)]
struct Line<'a> {
    name: &'static str,
    title: &'static str,
    status: Status,
    summary: &'a str,
    detail: &'a [String],
    hint: Option<&'a str>,
    manifest: Option<&'a str>,
}

#[derive(Serialize, Debug)]
struct Counts {
    pass: usize,
    warning: usize,
    fail: usize,
    skipped: usize,
}

impl<'a> Document<'a> {
    fn new(precheck: Precheck<'a>) -> Self {
        let Precheck {
            context,
            facts,
            options,
            report,
        } = precheck;
        Self {
            version: 1,
            cluster: About {
                context,
                server: &facts.server,
                kubernetes: facts.version.as_deref().ok(),
                user: facts.user.as_deref().ok(),
            },
            target: Target {
                istio: options.release.to_string(),
                profile: &options.profile,
                namespace: &options.istio_namespace,
                revision: if options.revision.is_empty() {
                    "default"
                } else {
                    &options.revision
                },
            },
            categories: report
                .categories()
                .map(|(category, results)| group(category, results))
                .collect(),
            summary: Counts {
                pass: report.count(Status::Pass),
                warning: report.count(Status::Warning),
                fail: report.count(Status::Fail),
                skipped: report.count(Status::Skipped),
            },
        }
    }
}

fn group(category: Category, results: &[CheckResult]) -> Group<'_> {
    Group {
        name: category.name(),
        title: category.title(),
        checks: results
            .iter()
            .map(|CheckResult { check, outcome }| Line {
                name: check.name,
                title: check.title,
                status: outcome.status,
                summary: &outcome.summary,
                detail: &outcome.detail,
                hint: outcome.hint.as_deref(),
                manifest: outcome.manifest.as_deref(),
            })
            .collect(),
    }
}

/// A suite for each category, a case for each check. Warnings pass, with what they say as output.
fn junit(out: &mut impl Write, precheck: Precheck<'_>) -> io::Result<()> {
    let mut report = quick_junit::Report::new("meshctl precheck");
    for (category, results) in precheck.report.categories() {
        let mut suite = TestSuite::new(category.name());
        for CheckResult { check, outcome } in results {
            let mut particulars = outcome.detail.join("\n");
            if let Some(hint) = &outcome.hint {
                particulars.push_str(&format!("\nhint: {hint}"));
            }
            if let Some(manifest) = &outcome.manifest {
                particulars.push_str(&format!("\n{manifest}"));
            }
            let status = match outcome.status {
                Status::Pass | Status::Warning => TestCaseStatus::success(),
                Status::Skipped => {
                    let mut status = TestCaseStatus::skipped();
                    status.set_message(outcome.summary.as_str());
                    status
                }
                Status::Fail => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(outcome.summary.as_str());
                    status.set_type(check.name);
                    status.set_description(format!("{}\n{particulars}", outcome.summary));
                    status
                }
            };
            let mut case = TestCase::new(check.title, status);
            case.set_classname(format!("{}.{}", category.name(), check.name));
            if outcome.status == Status::Warning {
                case.set_system_out(format!("warning: {}\n{particulars}", outcome.summary));
            }
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    // Not straight to `out`, as the library's errors would hide that a pipe is closed.
    let text = report.to_string().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}
