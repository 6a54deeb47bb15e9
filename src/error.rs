//! Why a command could not do its work.

use std::fmt;
use std::io;
use std::sync::Arc;

use mesh_yaml::Span;

/// The one error of commands: what is wrong, where, and what to do about it.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// What sort of error.
    pub(crate) kind: ErrorKind,
    /// What is wrong: a fragment that follows `error: `.
    pub(crate) message: String,
    /// The place in a file that is wrong.
    pub(crate) place: Option<Box<ErrorPlace>>,
    /// What to do about it, one line each.
    pub(crate) hints: Vec<String>,
}

/// The sorts of [`CommandError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The user gave something that does not work.
    User,
    /// The reader of our output went away, which is no failure.
    BrokenPipe,
    /// Output could not be written.
    Output,
    /// The user stopped the work with Ctrl-C.
    Interrupted,
    /// Somebody else has changed what is ours to change, or works on it.
    Conflict,
    /// What has to come first did not come in time.
    TimedOut,
}

/// A place in a file.
#[derive(Debug)]
pub(crate) struct ErrorPlace {
    /// The file as the user would name it.
    pub(crate) file: String,
    /// All of its text.
    pub(crate) text: Arc<str>,
    /// The bytes that are wrong.
    pub(crate) span: Span,
}

impl CommandError {
    /// An error of the user's making.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::User,
            message: message.into(),
            place: None,
            hints: Vec::new(),
        }
    }

    /// The user stopped the work.
    pub(crate) fn interrupted() -> Self {
        Self {
            kind: ErrorKind::Interrupted,
            ..Self::user("interrupted")
        }
    }

    /// Says where.
    pub(crate) fn at(mut self, file: impl Into<String>, text: &Arc<str>, span: Span) -> Self {
        self.place = Some(Box::new(ErrorPlace {
            file: file.into(),
            text: Arc::clone(text),
            span,
        }));
        self
    }

    /// Adds what to do about it.
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds what to do about it, if that is known.
    pub(crate) fn maybe_hinted(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hints.extend(hint.map(Into::into));
        self
    }
}

impl From<io::Error> for CommandError {
    /// For errors of writing output; reading names its file and uses [`CommandError::user`].
    fn from(error: io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::BrokenPipe => ErrorKind::BrokenPipe,
            _ => ErrorKind::Output,
        };
        Self {
            kind,
            message: format!("cannot write output: {error}"),
            place: None,
            hints: Vec::new(),
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}
