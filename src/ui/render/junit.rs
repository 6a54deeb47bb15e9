//! JUnit XML: a suite for each file, a failed case for each finding.

use std::collections::BTreeMap;
use std::io::{self, Write};

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::json::{Document, Finding, Spot};

/// Writes the report. A clean analysis has one suite with one case that passes, as servers take an empty report for
/// one that is missing.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    let mut report = Report::new("meshctl analyze");
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for finding in &document.findings {
        let file = finding.place.file.as_deref().unwrap_or("cluster");
        suites
            .entry(file)
            .or_insert_with(|| TestSuite::new(file))
            .add_test_case(case(finding));
    }
    if suites.is_empty() {
        let mut suite = TestSuite::new("meshctl analyze");
        suite.add_test_case(TestCase::new("no findings", TestCaseStatus::success()));
        report.add_test_suite(suite);
    }
    report.add_test_suites(suites.into_values());
    // Not straight to `out`, as the library's errors would hide that a pipe is closed.
    let text = report.to_string().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

/// The file, or else the object of a cluster.
fn name(place: &Spot) -> String {
    match (&place.file, &place.resource) {
        (Some(file), _) => file.clone(),
        (None, Some(resource)) => resource.to_string(),
        (None, None) => "cluster".to_owned(),
    }
}

fn case(finding: &Finding) -> TestCase {
    let place = &finding.place;
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_message(finding.message.as_str());
    status.set_type(finding.severity);
    let mut description = name(place);
    if let (Some(line), Some(column)) = (place.line, place.column) {
        description.push_str(&format!(":{line}:{column}"));
    }
    description.push_str(&format!(": {}", finding.message));
    for related in &finding.related {
        description.push_str(&format!("\n{}", name(&related.place)));
        if let Some(line) = related.place.line {
            description.push_str(&format!(":{line}"));
        }
        description.push_str(&format!(": {}", related.message));
    }
    if let Some(help) = &finding.help {
        description.push_str(&format!("\nhelp: {help}"));
    }
    status.set_description(description);
    let subject = match (&place.resource, place.line) {
        (Some(resource), _) => format!("{} {}", resource.kind, resource.name),
        (None, Some(line)) => format!("line {line}"),
        (None, None) if place.file.is_none() => "cluster".to_owned(),
        (None, None) => "file".to_owned(),
    };
    let mut case = TestCase::new(format!("{}: {subject}", finding.rule), status);
    case.set_classname(finding.rule);
    if let Some(line) = place.line {
        case.extra.insert("line".into(), line.to_string().into());
    }
    if let Some(file) = &place.file {
        case.extra.insert("file".into(), file.as_str().into());
    }
    case
}
