//! What differs between what two proxies hold, or one at two moments.

use mesh_envoy::diff::{Change, FieldChange, diff};
use mesh_envoy::dump::Item;
use serde::Serialize;
use serde_json::Value;

use super::listing::Listing;
use super::{Content, Format, Held};
use crate::error::CommandError;
use crate::ui::{Look, Tone, document};

/// Values longer than this are cut in text; JSON has them whole.
const LONGEST: usize = 200;

/// The differences of one section.
#[derive(Serialize)]
pub(super) struct SectionDifference {
    section: &'static str,
    changes: Vec<ResourceDifference>,
}

/// How a resource differs.
#[derive(Serialize)]
#[serde(tag = "change", rename_all = "lowercase")]
enum ResourceDifference {
    Added {
        name: String,
        value: Value,
    },
    Removed {
        name: String,
        value: Value,
    },
    Changed {
        name: String,
        fields: Vec<FieldDifference>,
    },
}

#[derive(Serialize)]
struct FieldDifference {
    path: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl From<Change> for ResourceDifference {
    fn from(change: Change) -> Self {
        match change {
            Change::Added { name, value } => Self::Added { name, value },
            Change::Removed { name, value } => Self::Removed { name, value },
            Change::Changed { name, fields } => {
                let field = |field: FieldChange| FieldDifference {
                    path: field.path(),
                    before: field.before,
                    after: field.after,
                };
                Self::Changed {
                    name,
                    fields: fields.into_iter().map(field).collect(),
                }
            }
        }
    }
}

/// Writes what differs; whether anything does.
pub(super) fn write(
    out: &mut Vec<u8>,
    look: Look,
    format: Format,
    old: &Held,
    new: &Held,
) -> Result<bool, CommandError> {
    let (Content::Listings(before), Content::Listings(after)) = (&old.content, &new.content) else {
        // A difference is always read as listings.
        return Ok(false);
    };
    let mut sections = Vec::new();
    for (before, after) in before.iter().zip(after) {
        sections.extend(section(after.title, &items(before)?, &items(after)?));
    }
    write_sections(out, look, format, (&old.name, &new.name), &sections)
}

/// What differs in a section, if anything does.
pub(super) fn section(
    title: &'static str,
    before: &[Item<Value>],
    after: &[Item<Value>],
) -> Option<SectionDifference> {
    let changes: Vec<_> = diff(before, after)
        .into_iter()
        .map(ResourceDifference::from)
        .collect();
    (!changes.is_empty()).then_some(SectionDifference {
        section: title,
        changes,
    })
}

/// Writes what differs between two that have these names; whether anything does.
pub(super) fn write_sections(
    out: &mut Vec<u8>,
    look: Look,
    format: Format,
    (old, new): (&str, &str),
    sections: &[SectionDifference],
) -> Result<bool, CommandError> {
    let differs = !sections.is_empty();
    match format {
        Format::Json => {
            if differs || old != new {
                document::json(out, sections)?;
            }
        }
        Format::Yaml => {
            if differs || old != new {
                document::yaml(out, sections)?;
            }
        }
        Format::Name => {
            for section in sections {
                for change in &section.changes {
                    let (ResourceDifference::Added { name, .. }
                    | ResourceDifference::Removed { name, .. }
                    | ResourceDifference::Changed { name, .. }) = change;
                    out.extend_from_slice(format!("{}/{name}\n", section.section).as_bytes());
                }
            }
        }
        Format::Table | Format::Wide => {
            if differs && old != new {
                let head = format!("--- {old}\n+++ {new}\n");
                out.extend_from_slice(look.paint(Tone::Strong, head).as_bytes());
            }
            for section in sections {
                out.extend_from_slice(text(look, section).as_bytes());
            }
        }
    }
    Ok(differs)
}

fn items(listing: &Listing) -> Result<Vec<Item<Value>>, CommandError> {
    let entries = listing.entries.iter();
    let with_json = entries.filter_map(|entry| Some((entry.state, entry.json.as_ref()?)));
    with_json
        .map(|(state, json)| {
            Ok(Item {
                section: listing.section,
                state,
                version: String::new(),
                last_updated: String::new(),
                resource: serde_json::from_str(json.get()).map_err(std::io::Error::from)?,
            })
        })
        .collect()
}

fn text(look: Look, section: &SectionDifference) -> String {
    let mut text = String::new();
    for change in &section.changes {
        let (sign, tone, name) = match change {
            ResourceDifference::Added { name, .. } => ("+", Tone::Good, name),
            ResourceDifference::Removed { name, .. } => ("-", Tone::Error, name),
            ResourceDifference::Changed { name, .. } => ("~", Tone::Warning, name),
        };
        let head = look
            .paint(tone, format!("{sign} {}/{name}", section.section))
            .into_owned();
        text.push_str(&head);
        text.push('\n');
        let ResourceDifference::Changed { fields, .. } = change else {
            continue;
        };
        for FieldDifference { path, before, after } in fields {
            text.push_str(&format!("    {path}\n"));
            for (sign, tone, value) in [("-", Tone::Error, before), ("+", Tone::Good, after)] {
                if let Some(value) = value {
                    let line = format!("      {sign} {}", short(&value.to_string()));
                    text.push_str(&look.paint(tone, line));
                    text.push('\n');
                }
            }
        }
    }
    text
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
