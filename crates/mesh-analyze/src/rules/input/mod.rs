//! Rules on the input as such: files, documents, objects.

pub mod duplicate_key;
pub mod duplicate_resource;
pub mod missing_name;
pub mod syntax_error;
pub mod unknown_kind;
pub mod unreadable_file;
pub mod unreadable_kind;

use mesh_core::{Mesh, ProblemKind};

use crate::{Place, Reporter};

/// Reports the problems of one kind that the loader met.
fn problems(mesh: &Mesh, kind: ProblemKind, reporter: &mut Reporter<'_>) {
    for problem in mesh.problems().iter().filter(|problem| problem.kind == kind) {
        let place = match (problem.source, problem.span) {
            (Some(source), Some(span)) => Place::span(source, span),
            _ => Place::file(problem.file.as_str()),
        };
        let finding = reporter.report_place(place);
        finding.message(problem.message.as_str());
        if let Some(help) = &problem.help {
            finding.help(help.as_str());
        }
        if let (Some(source), Some((span, message))) = (problem.source, &problem.related) {
            finding.related_place(Place::span(source, *span), message.as_str());
        }
    }
}
