//! Where resources come from.

#[cfg(feature = "cluster")]
pub mod cluster;
pub mod files;
mod load;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use mesh_yaml::{LineIndex, Position, Span};

use crate::kind::Kind;

#[cfg(feature = "cluster")]
pub(crate) use load::load_object;
pub use load::{LoadOptions, Loaded, load_text};

/// Names one [`Source`] of a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(crate) u32);

/// The sorts of [`Source`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// A file.
    File,
    /// Standard input.
    Stdin,
    /// One object of a cluster, as YAML. Its `resourceVersion` is part of the object's metadata.
    Cluster,
}

/// One text that resources were read from.
#[derive(Debug)]
pub struct Source {
    name: String,
    kind: SourceKind,
    text: Arc<str>,
    lines: OnceLock<LineIndex>,
}

impl Source {
    /// The text of a file under the name that a user would know it by; `-` is standard input.
    pub fn new(name: impl Into<String>, text: Arc<str>) -> Self {
        let name = name.into();
        let kind = if name == "-" {
            SourceKind::Stdin
        } else {
            SourceKind::File
        };
        Self::of_kind(name, kind, text)
    }

    /// A text under the name that a user would know it by.
    pub fn of_kind(name: impl Into<String>, kind: SourceKind, text: Arc<str>) -> Self {
        Self {
            name: name.into(),
            kind,
            text,
            lines: OnceLock::new(),
        }
    }

    /// What sort of source it is.
    pub fn kind(&self) -> SourceKind {
        self.kind
    }

    /// The file's path as the user gave or would type it; `-` for standard input; for an object of a cluster, what
    /// it is: `cluster: Service shop/web`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Line and column of a byte offset, both from 1.
    pub fn position(&self, offset: u32) -> Position {
        self.lines
            .get_or_init(|| LineIndex::new(&self.text))
            .position(&self.text, offset)
    }
}

/// Something about the input itself, rather than about the resources in it.
#[derive(Clone, Debug)]
pub struct Problem {
    /// What sort of problem.
    pub kind: ProblemKind,
    /// The file as the user would name it.
    pub file: String,
    /// The source, if the file could be read at all.
    pub source: Option<SourceId>,
    /// The place in the source.
    pub span: Option<Span>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// A second place, with what it has to do with the problem.
    pub related: Option<(Span, String)>,
    /// Line comments of the document that could switch the problem off.
    pub document: Option<mesh_yaml::Document>,
}

/// The sorts of [`Problem`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// A file or folder could not be read.
    Unreadable,
    /// A document is not YAML.
    Syntax,
    /// A mapping has the same key twice.
    DuplicateKey,
    /// An object of an API group that the mesh owns has an unknown kind or version.
    UnknownKind,
    /// An object lacks what every object must have, such as a name.
    Incomplete,
}

/// A kind whose objects could not be read from the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The kind.
    pub kind: Kind,
    /// Why: what the API server said.
    pub reason: String,
    /// Whether it is that the user may not.
    pub is_forbidden: bool,
    /// The one namespace in which the kind could be read all the same.
    pub only: Option<String>,
}

/// What was left out of a mesh, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Documents that are not Kubernetes objects.
    pub not_kubernetes: usize,
    /// Files that are Helm templates rather than YAML.
    pub helm_templates: Vec<String>,
    /// Objects of kinds that the model does not describe, by `apiVersion kind`.
    pub other_kinds: BTreeMap<String, usize>,
}

impl Skipped {
    pub(crate) fn merge(&mut self, other: Self) {
        self.not_kubernetes += other.not_kubernetes;
        self.helm_templates.extend(other.helm_templates);
        for (kind, count) in other.other_kinds {
            *self.other_kinds.entry(kind).or_default() += count;
        }
    }
}
