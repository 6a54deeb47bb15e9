//! Byte spans and their translation into lines and columns.

use std::ops::Range;

/// A range of bytes in the text of a file: `start` inclusive, `end` exclusive.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// A span from `start` up to but not including `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// An empty span at `offset`.
    pub const fn empty(offset: u32) -> Self {
        Self {
            start: offset,
            end: offset,
        }
    }

    /// The span as a range that slices the text of the file.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Whether the span covers no byte.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether `offset` lies inside the span; the end does not.
    pub const fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }
}

/// A place in a text as people count it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, starting at 1.
    pub line: u32,
    /// Column in characters (Unicode scalar values), starting at 1. A byte order mark is not counted.
    pub column: u32,
}

/// The line starts of one text, to turn offsets into positions in logarithmic time.
///
/// Lines end at `\n`; a `\r` before it belongs to the line break.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Box<[u32]>,
}

impl LineIndex {
    /// Finds the line starts of `text`. Text beyond 4 GiB is not indexed; [`decode`](crate::decode) refuses
    /// it.
    pub fn new(text: &str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes());
        let starts = std::iter::once(0)
            .chain(breaks.map_while(|at| u32::try_from(at + 1).ok()))
            .collect();
        Self { starts }
    }

    /// The position of `offset` in `text`, which must be the text that the index was made for.
    ///
    /// An offset beyond the end is the end; one inside a character is that character; one inside a line break
    /// is the end of its line.
    pub fn position(&self, text: &str, offset: u32) -> Position {
        let mut offset = (offset as usize).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self
            .starts
            .partition_point(|&start| start as usize <= offset)
            .max(1);
        let start = self.starts.get(line - 1).map_or(0, |&start| start as usize);
        let before = text.get(start..offset).unwrap_or_default();
        let before = if start == 0 {
            before.strip_prefix('\u{feff}').unwrap_or(before)
        } else {
            before
        };
        let inside_break = text.as_bytes().get(offset) == Some(&b'\n') && before.ends_with('\r');
        let column = before.chars().count() + 1 - usize::from(inside_break);
        Position {
            line: saturating_u32(line),
            column: saturating_u32(column),
        }
    }

    /// The offset at which `line` (starting at 1) begins, if the text has that many lines.
    pub fn line_start(&self, line: u32) -> Option<u32> {
        self.starts.get((line as usize).checked_sub(1)?).copied()
    }

    /// Number of lines; the empty text has one.
    pub fn line_count(&self) -> u32 {
        saturating_u32(self.starts.len())
    }
}

/// `value` as `u32`, or the largest `u32`. Offsets never saturate: text is refused beyond that size.
pub(crate) fn saturating_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_and_lines() {
        let text = "\u{feff}aé\r\nb\u{1F600}c\n\nlast";
        let index = LineIndex::new(text);
        let at = |needle: &str| {
            let offset = u32::try_from(text.find(needle).expect("present")).expect("small");
            let Position { line, column } = index.position(text, offset);
            (line, column)
        };
        assert_eq!(at("a"), (1, 1));
        assert_eq!(at("é"), (1, 2));
        assert_eq!(at("\r\n"), (1, 3));
        assert_eq!(
            at("\nb"),
            (1, 3),
            "both bytes of a line break are the end of the line"
        );
        assert_eq!(at("c"), (2, 3));
        assert_eq!(at("last"), (4, 1));
        let end = index.position(text, u32::MAX);
        assert_eq!((end.line, end.column), (4, 5));
        assert_eq!(index.line_count(), 4);
        assert_eq!(index.line_start(2), Some(8));
        assert_eq!(index.line_start(0), None);
    }

    #[test]
    fn an_offset_inside_a_character_is_that_character() {
        let index = LineIndex::new("é!");
        assert_eq!(index.position("é!", 1), Position { line: 1, column: 1 });
        assert_eq!(index.position("é!", 2), Position { line: 1, column: 2 });
    }
}
