//! What is wrong with a request for a control plane, and where.

use std::sync::Arc;

use mesh_yaml::Span;

/// A text that says what is wanted: a file, or an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file as the user would name it, or the name of the argument.
    pub name: String,
    /// All of the text.
    pub text: Arc<str>,
}

/// Bytes of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The source.
    pub source: Source,
    /// The bytes.
    pub span: Span,
}

/// Something that is wrong, or may not be as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// What it is.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where it is; `None` if no text of the user says it.
    pub place: Option<Place>,
}

impl Issue {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            place: None,
        }
    }

    pub(super) fn at(mut self, place: impl Into<Option<Place>>) -> Self {
        self.place = place.into();
        self
    }

    pub(super) fn hinted(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
