//! The document of `-o json`, version 1.
//!
//! `schemas/analyze-output.schema.json` describes it. Members may be added within a version; none goes away or changes
//! its meaning.

use std::collections::BTreeMap;
use std::fmt;

use mesh_analyze::{Diagnostic, Place, Severity};
use mesh_core::{Mesh, ResourceId};
use serde::Serialize;

use super::Analysis;

/// The whole document.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Document {
    /// The version of the format.
    pub(crate) version: u32,
    /// By file and place.
    pub(crate) findings: Vec<Finding>,
    /// The rules that could not run.
    pub(crate) skipped: Vec<SkippedRule>,
    /// Counts.
    pub(crate) summary: Summary,
}

/// One finding.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// The name of the rule.
    pub(crate) rule: &'static str,
    /// Other tools' codes for the same thing.
    pub(crate) aliases: &'static [&'static str],
    /// `error`, `warning` or `info`.
    pub(crate) severity: &'static str,
    /// What is wrong.
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) place: Spot,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// Other places that explain it.
    pub(crate) related: Vec<Related>,
    /// Whether an edit is known that repairs it.
    pub(crate) fixable: bool,
}

/// A place: a resource, a part of a file, a field. What is not known is null.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Spot {
    /// The resource.
    pub(crate) resource: Option<Resource>,
    /// The file as given; `-` for standard input. Null for objects of a cluster.
    pub(crate) file: Option<String>,
    /// Line, from 1.
    pub(crate) line: Option<u32>,
    /// Column in characters (Unicode scalar values), from 1.
    pub(crate) column: Option<u32>,
    /// Line of the end.
    pub(crate) end_line: Option<u32>,
    /// Column after the last character.
    pub(crate) end_column: Option<u32>,
    /// The field, from the root of the resource.
    pub(crate) path: Option<String>,
}

/// The identity of a resource.
#[derive(Serialize, Debug)]
pub(crate) struct Resource {
    pub(crate) kind: String,
    /// Null for resources that belong to the whole cluster.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

/// A second place.
#[derive(Serialize, Debug)]
pub(crate) struct Related {
    /// What it has to do with the finding.
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) place: Spot,
}

/// A rule that could not run.
#[derive(Serialize, Debug)]
pub(crate) struct SkippedRule {
    pub(crate) rule: &'static str,
    /// What it would need.
    pub(crate) reason: String,
}

/// Counts.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Summary {
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) infos: usize,
    /// Findings that the input switched off.
    pub(crate) suppressed: usize,
    /// The cluster that was read: the name of its context.
    pub(crate) cluster: Option<String>,
    /// Files that were read.
    pub(crate) files: usize,
    /// Resources that were analyzed.
    pub(crate) resources: usize,
    /// Documents that are not Kubernetes objects.
    pub(crate) not_kubernetes: usize,
    /// Objects of kinds that no rule reads, by `apiVersion kind`.
    pub(crate) other_kinds: BTreeMap<String, usize>,
    /// Files that were left out because they are templates.
    pub(crate) helm_templates: Vec<String>,
}

impl Document {
    /// The document of an analysis.
    pub(crate) fn new(analysis: Analysis<'_>) -> Self {
        let Analysis {
            mesh,
            report,
            rules: _,
            cluster,
        } = analysis;
        let left_out = mesh.skipped();
        Self {
            version: 1,
            findings: report
                .findings
                .iter()
                .map(|finding| Finding::new(mesh, finding))
                .collect(),
            skipped: report
                .skipped
                .iter()
                .map(|skipped| SkippedRule {
                    rule: skipped.rule.name,
                    reason: skipped.reason.clone(),
                })
                .collect(),
            summary: Summary {
                errors: report.count(Severity::Error),
                warnings: report.count(Severity::Warning),
                infos: report.count(Severity::Info),
                suppressed: report.suppressed,
                cluster: cluster.map(str::to_owned),
                files: analysis.files(),
                resources: mesh.len(),
                not_kubernetes: left_out.not_kubernetes,
                other_kinds: left_out.other_kinds.clone(),
                helm_templates: left_out.helm_templates.clone(),
            },
        }
    }
}

impl Finding {
    fn new(mesh: &Mesh, finding: &Diagnostic) -> Self {
        Self {
            rule: finding.rule.name,
            aliases: finding.rule.aliases,
            severity: finding.severity.as_str(),
            message: finding.message.clone(),
            place: Spot::new(mesh, &finding.primary),
            help: finding.help.clone(),
            related: finding
                .related
                .iter()
                .map(|related| Related {
                    message: related.message.clone(),
                    place: Spot::new(mesh, &related.place),
                })
                .collect(),
            fixable: finding.fix.is_some(),
        }
    }
}

impl Spot {
    /// Objects of a cluster have no file, and so no lines: those that people see are of our making.
    fn new(mesh: &Mesh, place: &Place) -> Self {
        let in_file = (!place.is_in_cluster(mesh)).then_some(place);
        let ends = in_file.and_then(Place::locate).map(|location| {
            let source = mesh.source(location.source);
            (
                source.position(location.span.start),
                source.position(location.span.end),
            )
        });
        Self {
            resource: place.resource.as_ref().map(Resource::new),
            file: in_file.and_then(|place| place.file_name(mesh)).map(str::to_owned),
            line: ends.map(|(start, _)| start.line),
            column: ends.map(|(start, _)| start.column),
            end_line: ends.map(|(_, end)| end.line),
            end_column: ends.map(|(_, end)| end.column),
            path: (place.resource.is_some() || !place.path.is_empty()).then(|| place.path.to_string()),
        }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        match namespace {
            Some(namespace) => write!(formatter, "{kind} {namespace}/{name}"),
            None => write!(formatter, "{kind} {name}"),
        }
    }
}

impl Resource {
    fn new(id: &ResourceId) -> Self {
        Self {
            kind: id.kind.to_string(),
            namespace: (!id.namespace.is_empty()).then(|| id.namespace.clone()),
            name: id.name.clone(),
        }
    }
}
