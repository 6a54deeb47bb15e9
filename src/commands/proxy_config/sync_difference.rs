//! What istiod would send to a proxy, against what that holds.
//!
//! istiod's dump has the dynamic resources only, and its names may be in lowerCamelCase where Envoy's are in
//! snake_case. Versions, order and static resources do not count.

use std::io::Read;

use mesh_envoy::dump::{self, Item, Items, ReadError, Section, State};
use serde_json::Value;

use super::Format;
use super::difference::{section, write_sections};
use crate::error::CommandError;
use crate::ui::Look;

/// The sections that are compared. Secrets are redacted on both sides, each in its own way.
const SECTIONS: [(Section, &str); 4] = [
    (Section::Clusters, "clusters"),
    (Section::Listeners, "listeners"),
    (Section::Routes, "routes"),
    (Section::Endpoints, "endpoints"),
];

/// The dynamic resources of one side, a list for each of [`SECTIONS`].
pub(in crate::commands) type Side = [Vec<Item<Value>>; SECTIONS.len()];

/// Reads what a proxy holds, or istiod would send it.
pub(in crate::commands) fn read(reader: impl Read) -> Result<Side, ReadError> {
    let mut side = Side::default();
    let wanted = SECTIONS.map(|(section, _)| section);
    dump::read(reader, &wanted, |element| {
        let mut items = Items::<Value>::default();
        element.decode_into(&mut items)?;
        let dynamic = items.items.into_iter().filter(|item| item.state != State::Static);
        if let Some(at) = wanted.iter().position(|section| *section == element.section) {
            side[at].extend(dynamic.map(|mut item| {
                snake_case(&mut item.resource);
                item
            }));
        }
        Ok(())
    })?;
    Ok(side)
}

/// What differs as text or JSON, and whether anything does.
pub(in crate::commands) fn write(
    look: Look,
    json: bool,
    (istiod, wanted): (&str, &Side),
    (proxy, held): (&str, &Side),
) -> Result<(Vec<u8>, bool), CommandError> {
    let mut sections = Vec::new();
    for ((_, title), (wanted, held)) in SECTIONS.iter().zip(wanted.iter().zip(held)) {
        // Older istiods do not tell endpoints.
        if *title == "endpoints" && (wanted.is_empty() || held.is_empty()) {
            continue;
        }
        sections.extend(section(title, wanted, held));
    }
    let mut text = Vec::new();
    let format = if json { Format::Json } else { Format::Table };
    let differs = write_sections(&mut text, look, format, (istiod, proxy), &sections)?;
    Ok((text, differs))
}

/// Writes all names of fields as the `.proto` files do. Keys of maps change too, on both sides alike.
fn snake_case(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, mut value) in std::mem::take(fields) {
                snake_case(&mut value);
                let mut snake = String::with_capacity(name.len() + 4);
                for c in name.chars() {
                    if c.is_ascii_uppercase() && !snake.is_empty() {
                        snake.push('_');
                    }
                    snake.push(c.to_ascii_lowercase());
                }
                fields.insert(snake, value);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(snake_case),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn dump(configs: &Value) -> Side {
        read(json!({ "configs": configs }).to_string().as_bytes()).unwrap()
    }

    #[test]
    fn only_what_is_meant_counts() {
        let wanted = dump(&json!([{
            "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "dynamicActiveClusters": [
                {"versionInfo": "2", "cluster": {"name": "a", "connectTimeout": "5s"}},
                {"versionInfo": "2", "cluster": {"name": "b", "connectTimeout": "5s"}},
            ],
        }]));
        let held = dump(&json!([{
            "@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump",
            "static_clusters": [{"cluster": {"name": "xds-grpc"}}],
            "dynamic_active_clusters": [
                {"version_info": "1", "cluster": {"name": "b", "connect_timeout": "5s"}},
                {"version_info": "1", "cluster": {"name": "a", "connect_timeout": "10s"}},
            ],
        }]));
        let (text, differs) =
            write(Look::default(), false, ("istiod", &wanted), ("web.shop", &held)).unwrap();
        assert!(differs);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "--- istiod\n+++ web.shop\n~ clusters/a\n    connect_timeout\n      - \"5s\"\n      + \"10s\"\n"
        );
        assert!(
            !write(Look::default(), false, ("istiod", &wanted), ("web.shop", &wanted))
                .unwrap()
                .1
        );
    }
}
