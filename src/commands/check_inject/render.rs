//! How a report looks.

use std::io::Write;

use super::Format;
use super::verdict::{Pods, Report, Verdict, Webhook};
use crate::error::CommandError;
use crate::ui::table::table;
use crate::ui::{Look, Printer, Tone, counted, document};

/// Writes all reports.
pub(super) fn write(printer: &mut Printer, format: Format, reports: &[Report]) -> Result<(), CommandError> {
    let look = printer.look();
    let out = printer.stdout();
    let workloads = serde_json::json!({ "workloads": reports });
    match format {
        Format::Table => {
            for (index, report) in reports.iter().enumerate() {
                if index > 0 {
                    writeln!(out)?;
                }
                out.write_all(text(look, report).as_bytes())?;
            }
        }
        Format::Json => document::json(out, &workloads)?,
        Format::Yaml => document::yaml(out, &workloads)?,
    }
    Ok(())
}

fn text(look: Look, report: &Report) -> String {
    let Report {
        kind,
        name,
        namespace,
        verdict,
        revision,
        reason,
        next,
        pods,
        webhooks,
    } = report;
    let what = if name.is_empty() {
        format!("a pod in {namespace}")
    } else {
        format!("{kind} {namespace}/{name}")
    };
    let (tone, says) = match verdict {
        Verdict::Injected => (Tone::Good, "is injected"),
        Verdict::NotInjected => (Tone::Warning, "is not injected"),
        Verdict::Conflict => (Tone::Error, "is in conflict"),
        Verdict::Unreachable => (Tone::Error, "cannot be injected"),
    };
    let by = revision
        .as_ref()
        .map_or_else(String::new, |revision| format!(" by revision {revision}"));
    let mut text = format!(
        "{} {}{by}: {reason}\n",
        look.paint(Tone::Strong, what),
        look.paint(tone, says)
    );
    if let Some(Pods { count, injected }) = pods {
        let has = if *count == 1 { "has" } else { "have" };
        text.push_str(&match (count, injected) {
            (0, _) => "  there are no pods now\n".to_owned(),
            (count, injected) if count == injected => {
                format!("  {} {has} a sidecar now\n", counted(*count, "pod"))
            }
            (count, 0) => format!("  {} {has} no sidecar now\n", counted(*count, "pod")),
            (count, injected) => format!("  {injected} of {count} pods have a sidecar now\n"),
        });
    }
    if let Some(next) = next {
        text.push_str(&format!("  {}: {next}\n", look.paint(Tone::Hint, "next")));
    }
    if !webhooks.is_empty() {
        let rows: Vec<_> = webhooks.iter().map(|webhook| row(look, webhook)).collect();
        text.push('\n');
        text.push_str(&table(
            look,
            &["CONFIGURATION", "WEBHOOK", "REVISION", "CALLED", "REASON"],
            &rows,
        ));
    }
    text
}

fn row(look: Look, webhook: &Webhook) -> Vec<String> {
    let Webhook {
        configuration,
        name,
        revision,
        tag,
        called,
        reason,
        problem,
    } = webhook;
    let mark = match (called, look.unicode) {
        (true, true) => "✔",
        (false, true) => "✘",
        (true, false) => "yes",
        (false, false) => "no",
    };
    let revision = match tag {
        Some(tag) => format!("{revision} (tag {tag})"),
        None => revision.clone(),
    };
    let problem = problem
        .as_ref()
        .map_or_else(String::new, |problem| format!("; {problem}"));
    let name = name.trim_end_matches(".sidecar-injector.istio.io");
    vec![
        configuration.clone(),
        name.to_owned(),
        revision,
        mark.to_owned(),
        format!("{reason}{problem}"),
    ]
}
