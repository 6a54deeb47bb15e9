//! The one error of reading text.

use crate::Span;

/// Something wrong with the text of a document.
///
/// As an error it means that the document has no tree. As one of
/// [`Document::problems`](crate::Document::problems) the tree exists, but strict readers refuse the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// What is wrong: a lowercase fragment without a final period.
    pub message: String,
    /// Where it is; may be empty, at the end of the text for what is missing there.
    pub span: Span,
    /// Another place that explains the error, and what is there.
    pub related: Option<(Span, String)>,
    /// What to do about it: a lowercase fragment without a final period.
    pub help: Option<String>,
    /// Number of the document in the stream, from 0.
    pub document: usize,
}

impl SyntaxError {
    /// An error with a message and a place, in document 0.
    pub(crate) fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
            related: None,
            help: None,
            document: 0,
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn with_related(mut self, span: Span, what: impl Into<String>) -> Self {
        self.related = Some((span, what.into()));
        self
    }
}
