//! What became of each workload, on standard error.

use mesh_inject::{Outcome, Workload};

use super::manifests::Changed;
use crate::ui::{Printer, Tone, counted};

/// From this many workloads on, those that were changed are only counted.
const MANY: usize = 20;

/// Says what was done and what was not, and why, and what may not work.
pub(crate) fn write(printer: &mut Printer, changed: &[Changed]) {
    for changed in changed {
        for (document, workload) in &changed.workloads {
            for warning in &workload.warnings {
                printer.warning(&changed.warning(*document, warning));
            }
        }
    }
    let workloads = || {
        changed
            .iter()
            .flat_map(|changed| &changed.workloads)
            .map(|(_, workload)| workload)
    };
    let is_short = workloads().count() < MANY || printer.is_verbose();
    let look = printer.status_look();
    let (good, bad) = if look.unicode { ("✔", "–") } else { ("+", "-") };
    let mut text = String::new();
    for workload in workloads() {
        let (mark, tone, what) = match &workload.outcome {
            Outcome::Injected { .. } | Outcome::Uninjected { .. } if !is_short => continue,
            Outcome::Injected { again, is_native } => (good, Tone::Good, injected(*again, *is_native)),
            Outcome::Uninjected { lost } if lost.is_empty() => {
                (good, Tone::Good, "sidecar taken out".to_owned())
            }
            Outcome::Uninjected { lost } => (
                good,
                Tone::Warning,
                format!("sidecar taken out, but not known any more: {}", lost.join(", ")),
            ),
            Outcome::Skipped(reason) => (bad, Tone::Warning, format!("skipped: {reason}")),
            Outcome::Nothing(reason) => (bad, Tone::Info, format!("left alone: {reason}")),
        };
        text.push_str(&format!("{} {workload}: {what}\n", look.paint(tone, mark)));
    }
    let count = |is: fn(&Outcome) -> bool| workloads().filter(|workload| is(&workload.outcome)).count();
    let mut parts = Vec::new();
    for (number, what) in [
        (
            count(|outcome| matches!(outcome, Outcome::Injected { .. })),
            "injected",
        ),
        (
            count(|outcome| matches!(outcome, Outcome::Uninjected { .. })),
            "taken out of the mesh",
        ),
        (count(|outcome| matches!(outcome, Outcome::Skipped(_))), "skipped"),
        (
            count(|outcome| matches!(outcome, Outcome::Nothing(_))),
            "left alone",
        ),
    ] {
        if number > 0 {
            parts.push(format!("{} {what}", counted(number, "workload")));
        }
    }
    let others: usize = changed.iter().map(|changed| changed.others).sum();
    if others > 0 {
        parts.push(format!("{} passed through", counted(others, "other document")));
    }
    if parts.is_empty() {
        parts.push("there is nothing in the input".to_owned());
    }
    text.push_str(&parts.join(", "));
    printer.status(text);
}

fn injected(again: bool, is_native: bool) -> String {
    let how = match (again, is_native) {
        (false, false) => "injected",
        (false, true) => "injected as a native sidecar",
        (true, false) => "injected again",
        (true, true) => "injected again as a native sidecar",
    };
    how.to_owned()
}

/// Writes what was added to a workload, and where it comes from.
pub(crate) fn explain(
    out: &mut impl std::io::Write,
    look: crate::ui::Look,
    workload: &Workload,
) -> std::io::Result<()> {
    const LONGEST: usize = 60;
    writeln!(out, "{}", look.paint(Tone::Strong, workload.to_string()))?;
    for addition in &workload.additions {
        let mark = if addition.is_change { "~" } else { "+" };
        let tone = if addition.is_change {
            Tone::Warning
        } else {
            Tone::Good
        };
        let mut value: String = addition.value.chars().take(LONGEST).collect();
        if value.len() < addition.value.len() {
            value.push_str(look.ellipsis());
        }
        let cause = look.paint(Tone::Hint, format!("({})", addition.cause));
        writeln!(
            out,
            "  {} {} {value} {cause}",
            look.paint(tone, mark),
            look.paint(Tone::Code, addition.path.to_string()),
        )?;
    }
    writeln!(out)
}
