//! One analysis in many forms. [`json`] is the model; every other form for machines is a view of it.

mod github;
pub(crate) mod json;
mod junit;
pub(crate) mod precheck;
mod sarif;
pub(crate) mod text;

use std::io::{self, Write};
use std::sync::Arc;

use clap::ValueEnum;
use mesh_analyze::{Report, RuleSet};
use mesh_core::{Mesh, Source, SourceKind};

use super::{Look, document};

/// The form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document; schemas/analyze-output.schema.json describes it
    Json,
    /// The same document as YAML
    Yaml,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, for CI servers
    Junit,
    /// Workflow commands of GitHub Actions
    Github,
}

/// What is rendered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Analysis<'a> {
    /// What was analyzed.
    pub(crate) mesh: &'a Mesh,
    /// What was found.
    pub(crate) report: &'a Report,
    /// The rules that were asked for.
    pub(crate) rules: &'a RuleSet,
    /// What the user calls the cluster, if one was read.
    pub(crate) cluster: Option<&'a str>,
}

impl Analysis<'_> {
    /// The number of files that could be read.
    pub(crate) fn files(&self) -> usize {
        let problems = self.mesh.problems().iter();
        let unread = problems.filter(|problem| problem.source.is_none()).count();
        let is_file = |source: &&Arc<Source>| source.kind() != SourceKind::Cluster;
        let files = self.mesh.sources().iter().filter(is_file).count();
        files.saturating_sub(unread)
    }
}

/// Writes an analysis.
pub(crate) fn write(
    out: &mut impl Write,
    format: Format,
    look: Look,
    analysis: Analysis<'_>,
) -> io::Result<()> {
    let document = || json::Document::new(analysis);
    match format {
        Format::Text => text::write(out, look, analysis),
        Format::Json => document::json(out, &document()),
        Format::Yaml => document::yaml(out, &document()),
        Format::Sarif => {
            let folder = std::env::current_dir().unwrap_or_default();
            document::json(out, &sarif::Log::new(&document(), analysis.rules, &folder))
        }
        Format::Junit => junit::write(out, &document()),
        Format::Github => github::write(out, &document()),
    }
}
