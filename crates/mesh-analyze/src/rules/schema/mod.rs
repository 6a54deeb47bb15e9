//! Rules on the shape of resources: what the API server's schemas refuse.

pub mod conflicting_fields;
pub mod deprecated_field;
pub mod invalid_value;
pub mod missing_field;
pub mod out_of_range;
pub mod unknown_field;
pub mod unknown_value;
pub mod wrong_type;

use mesh_core::Mesh;
use mesh_core::schema::validate::ViolationKind;

use crate::{Fix, Location, Part, Place, Reporter};

/// Reports the schema violations of one kind.
fn violations(mesh: &Mesh, kind: ViolationKind, reporter: &mut Reporter<'_>) {
    for (resource, violations) in mesh.violations() {
        for violation in violations.iter().filter(|violation| violation.kind == kind) {
            let mut place = Place::field(resource.header(), violation.path.clone());
            if violation.on_key {
                place.part = Part::Key;
            }
            let location = place.locate();
            let finding = reporter.report_place(place);
            finding.message(violation.message.as_str());
            if let Some(help) = &violation.help {
                finding.help(help.as_str());
            }
            if let (Some(suggestion), Some(Location { source, span })) = (&violation.suggestion, location) {
                finding.fix(Fix {
                    title: format!("replace it with `{suggestion}`"),
                    edits: vec![(source, span, suggestion.clone())],
                    is_safe: false,
                });
            }
        }
    }
}
