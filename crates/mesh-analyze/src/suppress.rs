//! Findings that the input itself switches off.
//!
//! Two forms are understood: the annotation `galley.istio.io/analyze-suppress` on an object (a comma-separated list
//! of names, or `*`), and a comment `# meshctl: allow NAME, NAME` in the YAML. A comment after some content covers
//! the line that it stands on; a comment on its own line covers what starts on the next line of content, with all
//! that is nested in it. Text after ` -- ` in a comment is a reason and is ignored.
//!
//! A comment that covers no finding of a rule that ran is reported by `unused-suppression`.

use mesh_core::{AnyResource, Mesh, SourceId};
use mesh_yaml::{Document, Node, Span};
use rustc_hash::FxHashMap;

use crate::rules::unused_suppression;
use crate::selection::named;
use crate::shared::Shared;
use crate::{Diagnostic, Place, Reporter, Rule, RuleSet};

/// The annotation of istioctl with the same purpose.
pub(crate) const ANNOTATION: &str = "galley.istio.io/analyze-suppress";

/// What starts a comment that switches findings off.
const MARKER: &str = "meshctl:";

/// One name in one comment.
#[derive(Debug)]
struct Allowance {
    source: SourceId,
    /// The name in the comment.
    name: String,
    name_span: Span,
    rules: Vec<&'static Rule>,
    /// The bytes that the comment covers.
    covers: Span,
    used: bool,
}

/// Removes the findings that the input switches off, and reports what switches off nothing. Returns the findings
/// that are left and the number of those removed.
pub(crate) fn apply(
    mesh: &Mesh,
    shared: &Shared<'_>,
    findings: Vec<Diagnostic>,
    ran: &[&'static Rule],
    selected: &RuleSet,
) -> (Vec<Diagnostic>, usize) {
    let mut allowances = collect(mesh);
    let mut by_source: FxHashMap<SourceId, Vec<usize>> = FxHashMap::default();
    for (index, allowance) in allowances.iter().enumerate() {
        by_source.entry(allowance.source).or_default().push(index);
    }
    let before = findings.len();
    let mut kept = Vec::with_capacity(before);
    for finding in findings {
        let mut allowed = is_annotated_away(mesh, &finding);
        if let Some(location) = finding.primary.locate() {
            for index in by_source.get(&location.source).into_iter().flatten() {
                let allowance = &mut allowances[*index];
                let inside = (allowance.covers.start..allowance.covers.end.max(allowance.covers.start + 1))
                    .contains(&location.span.start);
                if inside && allowance.rules.contains(&finding.rule) {
                    allowance.used = true;
                    allowed = true;
                }
            }
        }
        if !allowed {
            kept.push(finding);
        }
    }
    let suppressed = before - kept.len();
    if selected.contains(&unused_suppression::RULE) {
        let mut reporter = Reporter::new(&unused_suppression::RULE, shared);
        for allowance in allowances.iter().filter(|allowance| !allowance.used) {
            let place = Place::span(allowance.source, allowance.name_span);
            let name = &allowance.name;
            if allowance.rules.is_empty() {
                reporter
                    .report_place(place)
                    .message(format!("no rule is named `{name}`"))
                    .help("write the name that stands in brackets in a finding; `meshctl explain` lists all");
            } else if allowance.rules.iter().all(|rule| ran.contains(rule)) {
                reporter
                    .report_place(place)
                    .message(format!("`{name}` is allowed here, but there is nothing to allow"))
                    .help("remove the comment");
            }
        }
        kept.extend(reporter.into_findings());
    }
    (kept, suppressed)
}

fn is_annotated_away(mesh: &Mesh, finding: &Diagnostic) -> bool {
    let Some(resource) = finding.primary.resource.as_ref().and_then(|id| mesh.find(id)) else {
        return false;
    };
    let Some(list) = resource.header().annotations().get(ANNOTATION) else {
        return false;
    };
    list.split(',').map(str::trim).any(|entry| {
        entry == "*"
            || entry.eq_ignore_ascii_case(finding.rule.name)
            || finding
                .rule
                .aliases
                .iter()
                .any(|alias| alias.eq_ignore_ascii_case(entry))
    })
}

fn collect(mesh: &Mesh) -> Vec<Allowance> {
    let mut allowances = Vec::new();
    let mut last: Option<(SourceId, usize)> = None;
    let resources = mesh.resources();
    let mut seen: Vec<_> = resources
        .map(|resource: AnyResource| resource.header().origin().clone())
        .map(|origin| (origin.source, origin.document))
        .filter(|(_, document)| !document.comments().is_empty())
        .collect();
    seen.extend(
        mesh.problems()
            .iter()
            .filter_map(|problem| Some((problem.source?, problem.document.clone()?))),
    );
    seen.sort_by_key(|(source, document)| (*source, document.index()));
    for (source, document) in seen {
        let key = (source, document.index());
        if last == Some(key) {
            continue; // Several resources of one `List`.
        }
        last = Some(key);
        for comment in document.comments() {
            read_comment(source, &document, comment.span, &mut allowances);
        }
    }
    allowances
}

fn read_comment(source: SourceId, document: &Document, span: Span, allowances: &mut Vec<Allowance>) {
    let text = document.text();
    let comment = text.get(span.range()).unwrap_or_default();
    let Some(rest) = comment.trim_start_matches('#').trim_start().strip_prefix(MARKER) else {
        return;
    };
    let Some(list) = rest.trim_start().strip_prefix("allow") else {
        return;
    };
    if !list.starts_with([' ', '\t']) {
        return;
    }
    let list = list.split(" -- ").next().unwrap_or_default();
    let covers = covered(document, span);
    // The names are slices of `comment`, which is a slice of the text.
    let mut offset = span.start as usize + (list.as_ptr() as usize).saturating_sub(comment.as_ptr() as usize);
    for entry in list.split(',') {
        let name = entry.trim();
        let start = offset + (entry.len() - entry.trim_start().len());
        offset += entry.len() + 1;
        if name.is_empty() {
            continue;
        }
        let to_u32 = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        allowances.push(Allowance {
            source,
            name: name.to_owned(),
            name_span: Span::new(to_u32(start), to_u32(start + name.len())),
            rules: named(name).collect(),
            covers,
            used: false,
        });
    }
}

/// What a comment covers: its own line if there is content before it, else what starts on the next line of content.
fn covered(document: &Document, comment: Span) -> Span {
    let text: &str = document.text();
    let start = comment.start as usize;
    let line_start = text[..start].rfind('\n').map_or(0, |index| index + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |index| start + index);
    let to_u32 = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    if !text[line_start..start].trim().is_empty() {
        return Span::new(to_u32(line_start), to_u32(line_end));
    }
    let mut position = line_end;
    while position < text.len() {
        let line = &text[position..];
        let line = line.strip_prefix('\n').unwrap_or(line);
        let begin = text.len() - line.len();
        let content = line.split('\n').next().unwrap_or_default();
        let trimmed = content.trim_start();
        if !trimmed.is_empty() && !trimmed.starts_with('#') && !trimmed.starts_with("---") {
            let first = to_u32(begin + (content.len() - trimmed.len()));
            return extent(document.root(), text, first)
                .unwrap_or(Span::new(first, to_u32(begin + content.len())));
        }
        position = begin + content.len();
    }
    Span::new(to_u32(line_end), to_u32(line_end))
}

/// The largest node that starts at `offset`: an entry from its key to the end of its value, a list item, or the
/// whole document.
fn extent(node: Node<'_>, text: &str, offset: u32) -> Option<Span> {
    if node.span().start == offset {
        return Some(node.span());
    }
    let mut current = node;
    loop {
        let mut inner = None;
        for entry in current.entries().filter(|entry| !entry.merged) {
            let span = Span::new(
                entry.key_span.start,
                entry.value.span().end.max(entry.key_span.end),
            );
            if entry.key_span.start == offset {
                return Some(span);
            }
            if (span.start..span.end).contains(&offset) {
                inner = Some(entry.value);
            }
        }
        for item in current.items() {
            let span = item.span();
            // The comment's line starts with the item's dash, the item itself a little later.
            let dash = dash_before(text, span.start);
            if dash == Some(offset) || span.start == offset {
                return Some(Span::new(offset, span.end));
            }
            if (span.start..span.end).contains(&offset) {
                inner = Some(item);
            }
        }
        // Aliases could lead back up; a node that does not shrink ends the search.
        let next = inner.filter(|next| next.span() != current.span())?;
        current = next;
    }
}

/// Where the dash of the block sequence item at `start` stands, if nothing but blanks is between them.
fn dash_before(text: &str, start: u32) -> Option<u32> {
    let before = text.get(..start as usize)?;
    let dash = before.trim_end_matches([' ', '\t']).strip_suffix('-')?;
    u32::try_from(dash.len()).ok()
}
