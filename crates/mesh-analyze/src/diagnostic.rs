//! What a rule has to say: a plain value that speaks in field paths.

use std::fmt;

use mesh_core::{Header, Mesh, Origin, ResourceId, SourceId, SourceKind};
use mesh_yaml::{FieldPath, Span};

use crate::Rule;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Probably not what was meant.
    Warning,
    /// Does not work.
    Error,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Error];

    /// The name in output and options: `info`, `warning`, `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: a sentence without a full stop.
    pub message: String,
    /// Where it is wrong.
    pub primary: Place,
    /// Other places that explain it.
    pub related: Vec<Related>,
    /// What to do about it.
    pub help: Option<String>,
    /// An edit that does it.
    pub fix: Option<Fix>,
}

/// A second place of a finding.
#[derive(Clone, Debug)]
pub struct Related {
    /// The place.
    pub place: Place,
    /// What it has to do with the finding.
    pub message: String,
}

/// An edit that repairs a finding.
#[derive(Clone, Debug)]
pub struct Fix {
    /// What the edit does, as an imperative.
    pub title: String,
    /// The text to replace, and with what.
    pub edits: Vec<(SourceId, Span, String)>,
    /// Whether the meaning surely becomes the intended one.
    pub is_safe: bool,
}

/// Which side of a mapping entry a place is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Part {
    /// The value.
    #[default]
    Value,
    /// The key.
    Key,
}

/// A place in the input: a field of a resource, or a span of a source, or a file as a whole.
#[derive(Clone, Debug)]
pub struct Place {
    /// The resource, if it is in one.
    pub resource: Option<ResourceId>,
    /// The field, from the root of the resource.
    pub path: FieldPath,
    /// Key or value of the field.
    pub part: Part,
    /// The file, for places that are not in any source.
    pub file: Option<String>,
    origin: Option<Origin>,
    span: Option<(SourceId, Span)>,
}

/// A [`Place`] in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The source.
    pub source: SourceId,
    /// The bytes; never empty unless the source is.
    pub span: Span,
}

impl Place {
    /// The value of a field. A path that does not exist means its nearest ancestor.
    pub fn field(resource: &Header, path: FieldPath) -> Self {
        Self {
            resource: Some(resource.id()),
            path,
            part: Part::Value,
            file: None,
            origin: Some(resource.origin().clone()),
            span: None,
        }
    }

    /// A span of a source that belongs to no resource.
    pub fn span(source: SourceId, span: Span) -> Self {
        Self {
            resource: None,
            path: FieldPath::root(),
            part: Part::Value,
            file: None,
            origin: None,
            span: Some((source, span)),
        }
    }

    /// The same place, shown at these bytes of the resource's source: for text within a value, which no path reaches.
    #[must_use]
    pub(crate) fn at_span(mut self, source: SourceId, span: Span) -> Self {
        self.span = Some((source, span));
        self
    }

    /// A file as a whole, for one that could not be read.
    pub fn file(name: impl Into<String>) -> Self {
        Self {
            resource: None,
            path: FieldPath::root(),
            part: Part::Value,
            file: Some(name.into()),
            origin: None,
            span: None,
        }
    }

    /// The cluster as a whole, for what concerns no single object of it.
    pub fn cluster() -> Self {
        Self {
            resource: None,
            path: FieldPath::root(),
            part: Part::Value,
            file: None,
            origin: None,
            span: None,
        }
    }

    /// Whether it is in a cluster rather than in a file.
    pub fn is_in_cluster(&self, mesh: &Mesh) -> bool {
        match self.locate() {
            Some(location) => mesh.source(location.source).kind() == SourceKind::Cluster,
            None => self.file.is_none(),
        }
    }

    /// The document and the base of the resource, if the place is in one.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// The bytes to show. A value of several lines is shown by its key, or by its first line.
    pub fn locate(&self) -> Option<Location> {
        if let Some((source, span)) = self.span {
            return Some(Location { source, span });
        }
        let origin = self.origin.as_ref()?;
        let found = origin.root().locate(&self.path);
        let text = origin.document.text();
        let span = match (found.key, self.part) {
            (Some(key), Part::Key) => key,
            (Some(key), Part::Value) if found.value.is_empty() || is_long(text, found.value) => key,
            _ => first_line(text, found.value),
        };
        Some(Location {
            source: origin.source,
            span,
        })
    }

    /// The name of the file, or of what stands in its place.
    pub fn file_name<'a>(&'a self, mesh: &'a Mesh) -> Option<&'a str> {
        match &self.file {
            Some(name) => Some(name),
            None => self.locate().map(|location| mesh.source(location.source).name()),
        }
    }
}

fn is_long(text: &str, span: Span) -> bool {
    text.get(span.range()).is_some_and(|slice| slice.contains('\n'))
}

fn first_line(text: &str, span: Span) -> Span {
    let slice = text.get(span.range()).unwrap_or_default();
    let length = slice.find(['\n', '\r']).unwrap_or(slice.len());
    Span::new(span.start, span.start + u32::try_from(length).unwrap_or_default())
}

impl Diagnostic {
    /// Sets the message.
    pub fn message(&mut self, message: impl Into<String>) -> &mut Self {
        self.message = message.into();
        self
    }

    /// Sets what to do about it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Overrides the rule's severity.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Points at the key rather than at the value.
    pub fn on_key(&mut self) -> &mut Self {
        self.primary.part = Part::Key;
        self
    }

    /// Adds a second place: a field of `resource`.
    pub fn related(&mut self, resource: &Header, path: FieldPath, message: impl Into<String>) -> &mut Self {
        self.related_place(Place::field(resource, path), message)
    }

    /// Adds a second place.
    pub fn related_place(&mut self, place: Place, message: impl Into<String>) -> &mut Self {
        self.related.push(Related {
            place,
            message: message.into(),
        });
        self
    }

    /// Offers an edit.
    pub fn fix(&mut self, fix: Fix) -> &mut Self {
        self.fix = Some(fix);
        self
    }
}

/// Sorts by source, place, rule and message; drops findings that say the same of the same place.
pub(crate) fn sort(mesh: &Mesh, findings: &mut Vec<Diagnostic>) {
    let mut keyed: Vec<_> = findings
        .drain(..)
        .map(|finding| {
            let location = finding.primary.locate();
            let file = location
                .is_none()
                .then(|| finding.primary.file_name(mesh).map(str::to_owned))
                .flatten();
            ((file, location, finding.primary.path.clone()), finding)
        })
        .collect();
    keyed.sort_by(|(a, x), (b, y)| (a, x.rule.name, &x.message).cmp(&(b, y.rule.name, &y.message)));
    keyed.dedup_by(|(a, x), (b, y)| a == b && x.rule.name == y.rule.name && x.message == y.message);
    findings.extend(keyed.into_iter().map(|(_, finding)| finding));
}
