//! Findings for people: a line that says what is wrong, the source with the place underlined, and advice.

use std::io::{self, Write};

use mesh_analyze::{Diagnostic, Location, Place, Severity};
use mesh_core::Mesh;

use super::Analysis;
use crate::ui::excerpt::{Excerpt, Label};
use crate::ui::{Look, Tone};

/// A related place that is at most this many lines away is shown in the same excerpt.
const NEAR: u32 = 8;

/// Writes all findings, with an empty line after each.
pub(crate) fn write(out: &mut impl Write, look: Look, analysis: Analysis<'_>) -> io::Result<()> {
    for finding in &analysis.report.findings {
        one(out, look, analysis.mesh, finding)?;
    }
    Ok(())
}

/// The tone of a severity.
pub(crate) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Error,
        Severity::Warning => Tone::Warning,
        Severity::Info => Tone::Info,
    }
}

fn one(out: &mut impl Write, look: Look, mesh: &Mesh, finding: &Diagnostic) -> io::Result<()> {
    let tone = tone(finding.severity);
    let mut head = format!("{}[{}]", finding.severity, finding.rule.name);
    if !finding.rule.aliases.is_empty() {
        head.push_str(&format!(" ({})", finding.rule.aliases.join(", ")));
    }
    let message = look.paint(Tone::Strong, finding.message.as_str());
    writeln!(out, "{}: {message}", look.paint(tone, head))?;

    let primary = finding.primary.locate();
    let (near, far): (Vec<_>, Vec<_>) = finding
        .related
        .iter()
        .partition(|related| is_near(mesh, primary, related.place.locate()));
    match primary {
        Some(location) => {
            let mut labels = vec![Label::primary(location.span)];
            labels.extend(near.into_iter().filter_map(|related| {
                Some(Label {
                    span: related.place.locate()?.span,
                    text: Some(related.message.clone()),
                })
            }));
            excerpt(out, look, tone, mesh, location, &labels)?;
        }
        None => write_file(out, look, mesh, &finding.primary)?,
    }
    for related in far {
        writeln!(out, "  {}: {}", look.paint(Tone::Info, "note"), related.message)?;
        match related.place.locate() {
            Some(location) => {
                let label = Label::primary(location.span);
                excerpt(out, look, Tone::Info, mesh, location, &[label])?;
            }
            None => write_file(out, look, mesh, &related.place)?,
        }
    }
    if let Some(help) = &finding.help {
        writeln!(out, "  {}: {help}", look.paint(Tone::Hint, "help"))?;
    }
    writeln!(out)
}

fn excerpt(
    out: &mut impl Write,
    look: Look,
    tone: Tone,
    mesh: &Mesh,
    location: Location,
    labels: &[Label],
) -> io::Result<()> {
    let source = mesh.source(location.source);
    let excerpt = Excerpt::new(
        source.name(),
        source.text(),
        |at| source.position(at),
        labels,
        look,
    );
    out.write_all(excerpt.render(look, tone).as_bytes())
}

fn write_file(out: &mut impl Write, look: Look, mesh: &Mesh, place: &Place) -> io::Result<()> {
    match place.file_name(mesh) {
        None if place.is_in_cluster(mesh) => writeln!(out, "  --> {}", look.paint(Tone::Code, "cluster")),
        Some(file) => writeln!(out, "  --> {}", look.paint(Tone::Code, file)),
        None => Ok(()),
    }
}

fn is_near(mesh: &Mesh, primary: Option<Location>, other: Option<Location>) -> bool {
    let (Some(primary), Some(other)) = (primary, other) else {
        return false;
    };
    let line = |location: Location| mesh.source(location.source).position(location.span.start).line;
    primary.source == other.source && primary != other && line(primary).abs_diff(line(other)) <= NEAR
}
