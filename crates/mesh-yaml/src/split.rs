//! Splits a stream into documents by its markers alone.
//!
//! `---` and `...` at the start of a line end a document wherever they stand, block scalars and quotes
//! included. So the boundaries need no parser, an error stays within its document, and documents can be
//! parsed in parallel.

use std::sync::Arc;

use memchr::memmem;

use crate::{Span, span::saturating_u32};

/// The text of one document of a stream, not parsed yet.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
    pub(crate) index: usize,
}

impl Chunk {
    /// Number of the document in the stream, from 0. Empty documents count.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Where the document is in the text of the file: its `---` line and the comments and directives before
    /// it included, a closing `...` line too.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The text of the whole file.
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
}

/// Splits the text of a file into its documents, in order.
///
/// What precedes the first `---` is a document of its own only if it has more than comments, blank lines and
/// directives; the same holds for what follows a `...`. A document without content between two `---` is a
/// chunk, and keeps its number.
pub fn split(text: &Arc<str>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut close = |start: usize, end: usize| {
        let span = Span::new(saturating_u32(start), saturating_u32(end));
        chunks.push(Chunk {
            text: Arc::clone(text),
            span,
            index: chunks.len(),
        });
    };
    let bytes = text.as_bytes();
    let mut start = if bytes.starts_with("\u{feff}".as_bytes()) {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    // Whether the chunk that begins at `start` has had its `---` already.
    let mut explicit = false;
    for marker in Markers::new(bytes, start) {
        match marker {
            Marker::Start(at) => {
                if explicit || prefix(&bytes[start..at]) == Prefix::Content {
                    close(start, at);
                    start = at;
                }
                explicit = true;
            }
            Marker::End { at, after } => {
                if explicit || prefix(&bytes[start..at]) != Prefix::Blank {
                    close(start, after);
                }
                start = after;
                explicit = false;
            }
        }
    }
    if explicit || prefix(&bytes[start..]) != Prefix::Blank {
        close(start, bytes.len());
    }
    chunks
}

/// What the text before a `---` consists of.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Prefix {
    /// Blank lines and comments.
    Blank,
    /// Directives too.
    Directives,
    /// Something that makes it a document.
    Content,
}

fn prefix(bytes: &[u8]) -> Prefix {
    let mut found = Prefix::Blank;
    for line in bytes.split(|&byte| byte == b'\n' || byte == b'\r') {
        let line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        if line.first() == Some(&b'%') {
            found = Prefix::Directives;
            continue;
        }
        match line.trim_ascii_start().first() {
            None | Some(b'#') => {}
            Some(_) => return Prefix::Content,
        }
    }
    found
}

enum Marker {
    /// A `---` at this offset.
    Start(usize),
    /// A `...` at this offset; the next line begins at `after`.
    End { at: usize, after: usize },
}

/// The markers of a text in order.
struct Markers<'t> {
    bytes: &'t [u8],
    from: usize,
    starts: memmem::FindIter<'t, 't>,
    ends: memmem::FindIter<'t, 't>,
    next_start: Option<usize>,
    next_end: Option<usize>,
}

impl<'t> Markers<'t> {
    fn new(bytes: &'t [u8], from: usize) -> Self {
        let starts = memmem::find_iter(bytes, "---");
        let ends = memmem::find_iter(bytes, "...");
        let mut markers = Self {
            bytes,
            from,
            starts,
            ends,
            next_start: None,
            next_end: None,
        };
        markers.next_start = find_marker(bytes, from, &mut markers.starts);
        markers.next_end = find_marker(bytes, from, &mut markers.ends);
        markers
    }
}

fn find_marker(bytes: &[u8], from: usize, found: &mut memmem::FindIter<'_, '_>) -> Option<usize> {
    found.find(|&at| {
        let line_start = at == from || at.checked_sub(1).is_some_and(|before| is_break(bytes[before]));
        let ends_word = bytes
            .get(at + 3)
            .is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
        line_start && ends_word
    })
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

impl Iterator for Markers<'_> {
    type Item = Marker;

    fn next(&mut self) -> Option<Marker> {
        match (self.next_start, self.next_end) {
            (Some(start), end) if end.is_none_or(|end| start < end) => {
                self.next_start = find_marker(self.bytes, self.from, &mut self.starts);
                Some(Marker::Start(start))
            }
            (_, Some(at)) => {
                self.next_end = find_marker(self.bytes, self.from, &mut self.ends);
                let rest = &self.bytes[at..];
                let line = memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |length| length + 1);
                let crlf = rest.get(line - 1) == Some(&b'\r') && rest.get(line) == Some(&b'\n');
                Some(Marker::End {
                    at,
                    after: at + line + usize::from(crlf),
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<String> {
        split(&text.into())
            .iter()
            .map(|chunk| text[chunk.span.range()].to_owned())
            .collect()
    }

    #[test]
    fn streams_split_at_their_markers() {
        for (text, expected) in [
            ("", &[][..]),
            ("# only a comment\n\n", &[]),
            ("a: 1\n", &["a: 1\n"]),
            ("---\na: 1\n---\nb: 1\n", &["---\na: 1\n", "---\nb: 1\n"]),
            ("# licence\n\n---\na: 1\n", &["# licence\n\n---\na: 1\n"]),
            ("a: 1\n---\n---\n", &["a: 1\n", "---\n", "---\n"]),
            ("%YAML 1.1\n---\na\n...\n# end\n", &["%YAML 1.1\n---\na\n...\n"]),
            ("a\n...\r\nb\r\n--- c\r\n", &["a\n...\r\n", "b\r\n", "--- c\r\n"]),
            ("a: ---\n----\n --- x\n---x\n", &["a: ---\n----\n --- x\n---x\n"]),
            ("a: |\n  x\n---\tb", &["a: |\n  x\n", "---\tb"]),
            ("\u{feff}---\na: 1\n", &["---\na: 1\n"]),
            ("a\r---\rb", &["a\r", "---\rb"]),
            ("...\n...\na\n...", &["a\n..."]),
        ] {
            assert_eq!(pieces(text), expected, "{text:?}");
        }
    }
}
