//! What semantic validation finds in single resources, and in mesh-wide settings.

pub mod invalid_mesh_config;
pub mod invalid_spec;
mod mesh_wide;
pub mod suspicious_mesh_config;
pub mod suspicious_spec;

use crate::{Part, Place, Reporter};

/// Reports the errors, or the warnings, of semantic validation.
fn report(reporter: &mut Reporter<'_>, warnings: bool) {
    for (resource, findings) in reporter.validation() {
        for found in findings.iter().filter(|found| found.is_warning == warnings) {
            let mut place = Place::field(resource.header(), found.path.clone());
            place.part = Part::Value;
            let finding = reporter.report_place(place);
            finding.message(found.message.as_str());
            if let Some(help) = &found.help {
                finding.help(help.as_str());
            }
            for (path, message) in &found.related {
                finding.related(resource.header(), path.clone(), message.as_str());
            }
        }
    }
}
