//! The files of `--mesh-config` and `--mesh-networks`.
//!
//! A file that cannot be read or is not YAML ends the command, as every rule would judge by the wrong settings. What
//! is wrong with single fields is found and reported like that of resources.

use std::path::Path;

use mesh_analyze::rules::validation::{invalid_mesh_config, suspicious_mesh_config};
use mesh_analyze::rules::{input, schema};
use mesh_analyze::{
    Diagnostic, Finding, Part, Place, Related, Rule, mesh_config_findings, mesh_networks_findings,
    mesh_wide_violations,
};
use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::istio::mesh_networks::MeshNetworks;
use mesh_core::mesh::{parse_mesh_config, parse_mesh_networks};
use mesh_core::schema::validate::ViolationKind;
use mesh_core::schema::{FieldType, Type};
use mesh_core::source::{Loaded, files};
use mesh_core::{MeshBuilder, Source, SourceId};
use mesh_yaml::{Document, FieldPath, Node, Span};

use crate::error::CommandError;

/// Reads the mesh-wide configuration.
pub(super) fn config(builder: &mut MeshBuilder, file: &Path) -> Result<Vec<Diagnostic>, CommandError> {
    let (text, findings) = read(builder, file, &MeshConfig::TYPE, mesh_config_findings)?;
    if let Some(config) = parse_mesh_config(&text) {
        builder.set_config(config);
    }
    Ok(findings)
}

/// Reads the networks of the mesh.
pub(super) fn networks(builder: &mut MeshBuilder, file: &Path) -> Result<Vec<Diagnostic>, CommandError> {
    let (text, findings) = read(builder, file, &MeshNetworks::TYPE, mesh_networks_findings)?;
    if let Some(networks) = parse_mesh_networks(&text) {
        builder.set_networks(networks);
    }
    Ok(findings)
}

fn read(
    builder: &mut MeshBuilder,
    file: &Path,
    ty: &Type,
    semantics: fn(Node<'_>) -> Vec<Finding>,
) -> Result<(std::sync::Arc<str>, Vec<Diagnostic>), CommandError> {
    let name = files::display_name(file);
    let text = files::read_text(file)
        .map_err(|reason| CommandError::user(format!("cannot read `{name}`: {reason}")))?;
    let mut findings = Vec::new();
    if let Some(document) = mesh_yaml::parse(&text).into_iter().next() {
        let document = document.map_err(|error| {
            CommandError::user(format!("`{name}` is not YAML: {}", error.message))
                .at(name.as_str(), &text, error.span)
                .maybe_hinted(error.help)
        })?;
        if let Some(kind) = document.root().get("kind").and_then(mesh_yaml::Node::as_str) {
            return Err(
                CommandError::user(format!("`{name}` is a {kind}, not the settings themselves"))
                    .at(name.as_str(), &text, document.root().span())
                    .hinted("give resources as PATH; the ConfigMap `istio` is understood there"),
            );
        }
        findings = check(&document, builder.next_source(), ty, semantics);
    }
    builder.add(Source::new(name, text.clone()), Loaded::default());
    Ok((text, findings))
}

/// What is wrong with the fields of a document.
fn check(
    document: &Document,
    source: SourceId,
    ty: &Type,
    semantics: fn(Node<'_>) -> Vec<Finding>,
) -> Vec<Diagnostic> {
    let mut findings: Vec<_> = document
        .problems()
        .iter()
        .map(|problem| Diagnostic {
            message: problem.message.clone(),
            help: problem.help.clone(),
            related: problem
                .related
                .iter()
                .map(|(span, message)| Related {
                    place: Place::span(source, *span),
                    message: message.clone(),
                })
                .collect(),
            ..finding(&input::duplicate_key::RULE, Place::span(source, problem.span))
        })
        .collect();
    let violations = mesh_wide_violations(document.root(), ty);
    findings.extend(violations.into_iter().map(|violation| {
        let part = if violation.on_key { Part::Key } else { Part::Value };
        let place = place(document, source, &violation.path, part);
        let rule = rule(violation.kind);
        Diagnostic {
            message: violation.message,
            help: violation.help,
            ..finding(rule, place)
        }
    }));
    findings.extend(semantics(document.root()).into_iter().map(|found| {
        let rule = if found.is_warning {
            &suspicious_mesh_config::RULE
        } else {
            &invalid_mesh_config::RULE
        };
        let place = |path: &FieldPath| place(document, source, path, Part::Value);
        let related = found.related.iter().map(|(path, message)| Related {
            place: place(path),
            message: message.clone(),
        });
        Diagnostic {
            related: related.collect(),
            message: found.message,
            help: found.help,
            ..finding(rule, place(&found.path))
        }
    }));
    findings.sort_by_key(|finding| finding.primary.locate());
    findings
}

fn finding(rule: &'static Rule, primary: Place) -> Diagnostic {
    Diagnostic {
        rule,
        severity: rule.severity,
        message: String::new(),
        primary,
        related: Vec::new(),
        help: None,
        fix: None,
    }
}

fn place(document: &Document, source: SourceId, path: &FieldPath, part: Part) -> Place {
    let found = document.root().locate(path);
    let span = match found.key {
        Some(key) if part == Part::Key || is_long(document, found.value) => key,
        _ => found.value,
    };
    let mut place = Place::span(source, span);
    place.path = path.clone();
    place.part = part;
    place
}

fn is_long(document: &Document, span: Span) -> bool {
    document
        .text()
        .get(span.range())
        .is_none_or(|text| text.is_empty() || text.contains('\n'))
}

/// The rule that reports violations of this kind.
fn rule(kind: ViolationKind) -> &'static Rule {
    match kind {
        ViolationKind::UnknownField => &schema::unknown_field::RULE,
        ViolationKind::WrongType => &schema::wrong_type::RULE,
        ViolationKind::UnknownValue => &schema::unknown_value::RULE,
        ViolationKind::OutOfRange => &schema::out_of_range::RULE,
        ViolationKind::MissingField => &schema::missing_field::RULE,
        ViolationKind::ConflictingFields => &schema::conflicting_fields::RULE,
        ViolationKind::BrokenRule => &schema::invalid_value::RULE,
        ViolationKind::Deprecated => &schema::deprecated_field::RULE,
    }
}
