//! SARIF 2.1.0 (OASIS), as far as code scanning reads it.

use std::collections::BTreeMap;
use std::path::Path;

use mesh_analyze::{Rule, RuleSet, Severity};
use serde::Serialize;

use super::json::{Document, Finding, Resource, Spot};

/// The base of relative file names: the folder that the program runs in, normally the root of the repository.
const ROOT: &str = "%SRCROOT%";

/// A log file with one run.
#[derive(Serialize, Debug)]
pub(crate) struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    /// Columns count Unicode scalar values.
    column_kind: &'static str,
    invocations: [Invocation; 1],
    results: Vec<ResultObject>,
}

#[derive(Serialize, Debug)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    information_uri: &'static str,
    rules: Vec<ReportingDescriptor>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct ReportingDescriptor {
    id: &'static str,
    short_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: Properties,
}

#[derive(Serialize, Debug)]
struct Text {
    text: String,
}

#[derive(Serialize, Debug)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize, Debug)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize, Debug)]
struct Properties {
    tags: Vec<&'static str>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    tool_configuration_notifications: Vec<Notification>,
}

/// A rule that could not run.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Notification {
    level: &'static str,
    message: Text,
    associated_rule: RuleReference,
}

#[derive(Serialize, Debug)]
struct RuleReference {
    id: &'static str,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: Vec<Site>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Site>,
    partial_fingerprints: BTreeMap<&'static str, String>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Site {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<PhysicalLocation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    fully_qualified_name: String,
    kind: &'static str,
}

impl Log {
    /// The log of an analysis by `rules`. File names become relative to `folder` if they are in it.
    pub(crate) fn new(document: &Document, rules: &RuleSet, folder: &Path) -> Self {
        let rules: Vec<_> = rules.iter().collect();
        let mut seen = BTreeMap::new();
        let results = document
            .findings
            .iter()
            .map(|finding| result(finding, &rules, folder, &mut seen))
            .collect();
        let notifications = document.skipped.iter().map(|skipped| Notification {
            level: "note",
            message: Text {
                text: format!("{} did not run: it {}", skipped.rule, skipped.reason),
            },
            associated_rule: RuleReference { id: skipped.rule },
        });
        let run = Run {
            tool: Tool {
                driver: Driver {
                    name: env!("CARGO_PKG_NAME"),
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: env!("CARGO_PKG_REPOSITORY"),
                    rules: rules.iter().map(|rule| descriptor(rule)).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            invocations: [Invocation {
                execution_successful: true,
                tool_configuration_notifications: notifications.collect(),
            }],
            results,
        };
        Self {
            schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
            version: "2.1.0",
            runs: [run],
        }
    }
}

fn descriptor(rule: &Rule) -> ReportingDescriptor {
    let documentation = rule.documentation();
    ReportingDescriptor {
        id: rule.name,
        short_description: Text { text: rule.summary() },
        help: Help {
            text: documentation.clone(),
            markdown: documentation,
        },
        default_configuration: Configuration {
            level: level(rule.severity.as_str()),
        },
        properties: Properties {
            tags: std::iter::once("istio")
                .chain(rule.aliases.iter().copied())
                .collect(),
        },
    }
}

fn result(
    finding: &Finding,
    rules: &[&'static Rule],
    folder: &Path,
    seen: &mut BTreeMap<u64, usize>,
) -> ResultObject {
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text.push('\n');
        text.push_str(help);
    }
    let hash = fingerprint(finding);
    let occurrence = seen.entry(hash).or_default();
    *occurrence += 1;
    ResultObject {
        rule_id: finding.rule,
        rule_index: rules.iter().position(|rule| rule.name == finding.rule),
        level: level(finding.severity),
        message: Text { text },
        locations: std::iter::once(location(&finding.place, None, folder))
            // A finding on a cluster as a whole is nowhere.
            .filter(|site| site.physical_location.is_some() || !site.logical_locations.is_empty())
            .collect(),
        related_locations: finding
            .related
            .iter()
            .map(|related| location(&related.place, Some(&related.message), folder))
            .collect(),
        // The name that code scanning on GitHub tells findings apart by.
        partial_fingerprints: BTreeMap::from([(
            "primaryLocationLineHash",
            format!("{hash:016x}:{occurrence}"),
        )]),
    }
}

fn level(severity: &str) -> &'static str {
    match severity {
        level if level == Severity::Error.as_str() => "error",
        level if level == Severity::Warning.as_str() => "warning",
        _ => "note",
    }
}

fn location(spot: &Spot, message: Option<&str>, folder: &Path) -> Site {
    let region = || {
        Some(Region {
            start_line: spot.line?,
            start_column: spot.column?,
            end_line: spot.end_line?,
            end_column: spot.end_column?,
        })
    };
    Site {
        physical_location: spot.file.as_deref().map(|file| PhysicalLocation {
            artifact_location: artifact(file, folder),
            region: region(),
        }),
        logical_locations: spot
            .resource
            .iter()
            .map(|resource| LogicalLocation {
                fully_qualified_name: qualified_name(resource, spot.path.as_deref()),
                kind: "resource",
            })
            .collect(),
        message: message.map(|text| Text {
            text: text.to_owned(),
        }),
    }
}

/// `VirtualService/default/reviews/spec.http[0]`.
fn qualified_name(resource: &Resource, path: Option<&str>) -> String {
    let Resource {
        kind,
        namespace,
        name,
    } = resource;
    let path = path.filter(|path| !path.is_empty());
    let parts = [Some(kind.as_str()), namespace.as_deref(), Some(name), path];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn artifact(file: &str, folder: &Path) -> ArtifactLocation {
    let path = Path::new(file);
    let relative = if path.is_absolute() {
        path.strip_prefix(folder).ok()
    } else {
        Some(path)
    };
    match relative {
        Some(relative) => ArtifactLocation {
            uri: uri_path(&relative.to_string_lossy()),
            uri_base_id: Some(ROOT),
        },
        None => ArtifactLocation {
            uri: format!("file://{}", uri_path(file)),
            uri_base_id: None,
        },
    }
}

/// A path as a URI (RFC 3986), everything but unreserved characters and slashes escaped.
fn uri_path(path: &str) -> String {
    let path = if cfg!(windows) {
        path.replace('\\', "/")
    } else {
        path.to_owned()
    };
    let mut uri = String::with_capacity(path.len() + 1);
    if cfg!(windows) && Path::new(&path).is_absolute() {
        uri.push('/');
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                uri.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    uri
}

/// Says whether two findings of different versions of a file are the same one: by rule, file, resource and field,
/// but neither by line nor by wording. FNV-1a, because it has to be the same in all versions of the program.
fn fingerprint(finding: &Finding) -> u64 {
    let Spot {
        resource, file, path, ..
    } = &finding.place;
    let resource = resource.as_ref();
    let parts = [
        Some(finding.rule),
        file.as_deref(),
        resource.map(|resource| resource.kind.as_str()),
        resource.and_then(|resource| resource.namespace.as_deref()),
        resource.map(|resource| resource.name.as_str()),
        path.as_deref(),
    ];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        for byte in part.unwrap_or_default().bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(windows))]
    #[test]
    fn files_become_uris_below_the_root() {
        let folder = Path::new("/home/a");
        for (file, uri, base) in [
            ("mesh/a b.yaml", "mesh/a%20b.yaml", Some(ROOT)),
            ("ü:1.yaml", "%C3%BC%3A1.yaml", Some(ROOT)),
            ("/home/a/x.yaml", "x.yaml", Some(ROOT)),
            ("/srv/x.yaml", "file:///srv/x.yaml", None),
        ] {
            let artifact = artifact(file, folder);
            assert_eq!(
                (artifact.uri.as_str(), artifact.uri_base_id),
                (uri, base),
                "{file}"
            );
        }
    }
}
