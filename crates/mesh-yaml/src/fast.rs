//! The fast path: the part of YAML that nearly all manifests are written in, line by line.
//!
//! It reads block mappings and sequences, plain and quoted scalars on one line, block scalars without an
//! indentation indicator, flow collections without comments, and comments. Whatever it does not surely
//! understand (errors above all), it declines by returning `None`, and the [reference path](crate::reference)
//! reads the document from its start. What it accepts, it must read exactly as the reference path does;
//! `tests/it/differential.rs` holds the two together.

use crate::builder::{Builder, Content};
use crate::resolve::{self, Value};
use crate::span::saturating_u32;
use crate::{Chunk, Document, Span};

/// Longest key that is read, in bytes. The reference path has the limit of YAML, 1024 characters.
const MAX_KEY: usize = 1000;

/// Parses one document, or declines.
pub(crate) fn parse(chunk: &Chunk) -> Option<Document> {
    let mut reader = Reader {
        text: &chunk.text,
        bytes: &chunk.text.as_bytes()[..chunk.span.end as usize],
        at: chunk.span.start as usize,
        line: chunk.span.start as usize,
        builder: Builder::new(&chunk.text),
        blocks: Vec::new(),
        pending: Pending::Nothing,
        buffer: String::new(),
        root_is_done: false,
    };
    reader.read()?;
    Some(reader.builder.finish(chunk))
}

struct Reader<'c> {
    text: &'c str,
    /// The text of the file up to the end of the document.
    bytes: &'c [u8],
    at: usize,
    /// Where the current line starts.
    line: usize,
    builder: Builder<'c>,
    /// The open block collections.
    blocks: Vec<Block>,
    pending: Pending,
    /// For scalars whose content differs from their source.
    buffer: String,
    root_is_done: bool,
}

#[derive(Copy, Clone)]
struct Block {
    column: usize,
    mapping: bool,
}

/// What the lines so far wait for.
#[derive(Copy, Clone)]
enum Pending {
    Nothing,
    /// The value of the last key, whose colon ends here.
    Value(usize),
    /// The item of the last dash, which ends here.
    Item(usize),
}

/// What ends a plain scalar.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Stop {
    /// The end of the line, a comment, or a flow indicator.
    End,
    /// The colon after a key, at this offset.
    Colon(usize),
}

/// A quoted scalar.
struct Quoted {
    end: usize,
    /// The content is in the buffer, not in the source.
    decoded: bool,
}

impl Reader<'_> {
    fn read(&mut self) -> Option<()> {
        let mut seen_marker = false;
        loop {
            self.line = self.at;
            self.skip_spaces();
            let column = self.at - self.line;
            match self.byte() {
                None => break,
                Some(b'\n' | b'\r' | b'#') => self.end_line()?,
                Some(b'-' | b'.') if column == 0 && self.is_marker() => {
                    let is_start = self.byte() == Some(b'-') && !seen_marker;
                    if !is_start || self.root_is_done || !self.blocks.is_empty() {
                        return None;
                    }
                    seen_marker = true;
                    self.at += 3;
                    self.end_line()?;
                }
                Some(_) => self.content(column)?,
            }
        }
        self.fill_pending()?;
        while self.blocks.pop().is_some() {
            self.builder.close(None).ok()?;
        }
        Some(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Whether the line begins with `---` or `...` as a word.
    fn is_marker(&self) -> bool {
        let rest = &self.bytes[self.at..];
        (rest.starts_with(b"---") || rest.starts_with(b"..."))
            && rest
                .get(3)
                .is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// Whether a dash stands here that begins an item.
    fn is_dash(&self) -> bool {
        self.byte() == Some(b'-') && self.is_blank(self.at + 1)
    }

    /// Whether there is a space, a line break or the end of the document.
    fn is_blank(&self, at: usize) -> bool {
        self.bytes
            .get(at)
            .is_none_or(|byte| matches!(byte, b' ' | b'\n' | b'\r'))
    }

    /// Reads the rest of a line, which must be empty or a comment, and its line break.
    fn end_line(&mut self) -> Option<()> {
        let start = self.at;
        self.skip_spaces();
        if self.byte() == Some(b'#') {
            if self.at == start && self.at != self.line && self.bytes[self.at - 1] != b' ' {
                return None;
            }
            let rest = &self.bytes[self.at..];
            let mut end = memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |length| self.at + length);
            if self.bytes[..end].last() == Some(&b'\r') && end < self.bytes.len() {
                end -= 1;
            }
            if memchr::memchr(b'\r', &self.bytes[self.at..end]).is_some() {
                return None;
            }
            self.builder.comment(span(self.at, end));
            self.at = end;
        }
        self.line_break()
    }

    /// Reads a line break or the end of the document.
    fn line_break(&mut self) -> Option<()> {
        match self.byte() {
            None => Some(()),
            Some(b'\n') => {
                self.at += 1;
                Some(())
            }
            Some(b'\r') if self.bytes.get(self.at + 1) == Some(&b'\n') => {
                self.at += 2;
                Some(())
            }
            Some(_) => None,
        }
    }

    /// Makes what is pending null.
    fn fill_pending(&mut self) -> Option<()> {
        if let Pending::Value(at) | Pending::Item(at) = self.pending {
            self.pending = Pending::Nothing;
            self.builder
                .scalar(span(at, at), Value::Null, Content::Source(span(at, at)), 0)
                .ok()?;
        }
        Some(())
    }

    /// Reads a line that has content at `column`.
    fn content(&mut self, column: usize) -> Option<()> {
        let Some(&top) = self.blocks.last() else {
            return if self.root_is_done {
                None
            } else {
                self.node(column)
            };
        };
        match self.pending {
            Pending::Value(_) | Pending::Item(_) if column > top.column => {
                self.pending = Pending::Nothing;
                return self.node(column);
            }
            Pending::Value(_) if column == top.column && self.is_dash() => {
                self.pending = Pending::Nothing;
                return self.node(column);
            }
            Pending::Value(_) | Pending::Item(_) => self.fill_pending()?,
            // More lines of a plain scalar, or an error.
            Pending::Nothing if column > top.column => return None,
            Pending::Nothing => {}
        }
        let is_dash = self.is_dash();
        loop {
            let top = *self.blocks.last()?;
            // A sequence may stand in the column of the key that it belongs to.
            let ends = top.column > column || top.column == column && !top.mapping && !is_dash;
            if !ends {
                if top.column != column || top.mapping == is_dash {
                    return None;
                }
                break;
            }
            self.blocks.pop();
            self.builder.close(None).ok()?;
        }
        if is_dash { self.item() } else { self.entry() }
    }

    fn open_block(&mut self, column: usize, mapping: bool) -> Option<()> {
        self.builder
            .open(saturating_u32(self.at), mapping, false, 0)
            .ok()?;
        self.blocks.push(Block { column, mapping });
        Some(())
    }

    /// Reads an item from its dash to the end of the line.
    fn item(&mut self) -> Option<()> {
        self.at += 1;
        let after_dash = self.at;
        self.skip_spaces();
        if matches!(self.byte(), None | Some(b'\n' | b'\r' | b'#')) {
            self.pending = Pending::Item(after_dash);
            return self.end_line();
        }
        // The depth of recursion is that of the tree.
        self.node(self.at - self.line)
    }

    /// Reads a value that begins a line, or follows a dash, in the given column, to the end of the line.
    fn node(&mut self, column: usize) -> Option<()> {
        if self.is_dash() {
            self.open_block(column, false)?;
            return self.item();
        }
        let start = self.at;
        match self.byte()? {
            b'"' | b'\'' => {
                let quoted = self.quoted()?;
                if self.bytes.get(quoted.end) == Some(&b':') {
                    self.open_block(column, true)?;
                    return self.quoted_key(start, &quoted);
                }
                self.quoted_value(start, &quoted)
            }
            b'[' | b'{' => {
                self.flow()?;
                self.root_is_done = self.blocks.is_empty();
                self.end_line()
            }
            b'|' | b'>' => self.block_scalar(),
            _ => {
                let (end, stop) = self.plain()?;
                match stop {
                    Stop::Colon(colon) => {
                        self.open_block(column, true)?;
                        self.plain_key(start, end, colon)
                    }
                    Stop::End => self.plain_value(start, end),
                }
            }
        }
    }

    /// Reads a key and what follows it, to the end of the line.
    fn entry(&mut self) -> Option<()> {
        let start = self.at;
        if let Some(b'"' | b'\'') = self.byte() {
            let quoted = self.quoted()?;
            return self.quoted_key(start, &quoted);
        }
        match self.plain()? {
            (end, Stop::Colon(colon)) => self.plain_key(start, end, colon),
            (_, Stop::End) => None,
        }
    }

    fn plain_key(&mut self, start: usize, end: usize, colon: usize) -> Option<()> {
        self.add_plain_key(start, end)?;
        self.value(colon)
    }

    fn add_plain_key(&mut self, start: usize, end: usize) -> Option<()> {
        let key = &self.text[start..end];
        if key == "<<" || key.len() > MAX_KEY {
            return None;
        }
        let span = span(start, end);
        self.builder
            .key(span, resolve::plain(key), key, Content::Source(span), 0)
            .ok()
    }

    fn quoted_key(&mut self, start: usize, quoted: &Quoted) -> Option<()> {
        if self.bytes.get(quoted.end) != Some(&b':') || !self.is_blank(quoted.end + 1) {
            return None;
        }
        self.add_quoted_key(start, quoted)?;
        self.value(quoted.end)
    }

    fn add_quoted_key(&mut self, start: usize, quoted: &Quoted) -> Option<()> {
        if quoted.end - start > MAX_KEY {
            return None;
        }
        let token = span(start, quoted.end);
        let inner = span(start + 1, quoted.end - 1);
        let (key, content) = if quoted.decoded {
            (self.buffer.as_str(), Content::Decoded(&self.buffer))
        } else {
            (&self.text[inner.range()], Content::Source(inner))
        };
        self.builder.key(token, Value::Str, key, content, 0).ok()
    }

    /// Reads what follows the colon of a key in block style, to the end of the line.
    fn value(&mut self, colon: usize) -> Option<()> {
        self.at = colon + 1;
        self.skip_spaces();
        let start = self.at;
        match self.byte() {
            None | Some(b'\n' | b'\r' | b'#') => {
                self.pending = Pending::Value(colon + 1);
                self.end_line()
            }
            Some(b'"' | b'\'') => {
                let quoted = self.quoted()?;
                self.quoted_value(start, &quoted)
            }
            Some(b'[' | b'{') => {
                self.flow()?;
                self.end_line()
            }
            Some(b'|' | b'>') => self.block_scalar(),
            Some(_) => match self.plain()? {
                (end, Stop::End) => self.plain_value(start, end),
                (_, Stop::Colon(_)) => None,
            },
        }
    }

    fn plain_value(&mut self, start: usize, end: usize) -> Option<()> {
        if self.blocks.is_empty() {
            return None;
        }
        self.add_plain(start, end)?;
        self.at = end;
        self.end_line()
    }

    fn add_plain(&mut self, start: usize, end: usize) -> Option<()> {
        let span = span(start, end);
        self.builder
            .scalar(
                span,
                resolve::plain(&self.text[start..end]),
                Content::Source(span),
                0,
            )
            .ok()
    }

    fn quoted_value(&mut self, start: usize, quoted: &Quoted) -> Option<()> {
        if self.blocks.is_empty() {
            return None;
        }
        self.add_quoted(start, quoted)?;
        self.at = quoted.end;
        self.end_line()
    }

    fn add_quoted(&mut self, start: usize, quoted: &Quoted) -> Option<()> {
        let content = if quoted.decoded {
            Content::Decoded(&self.buffer)
        } else {
            Content::Source(span(start + 1, quoted.end - 1))
        };
        self.builder
            .scalar(span(start, quoted.end), Value::Str, content, 0)
            .ok()
    }

    /// Finds the end of a plain scalar in block style.
    fn plain(&self) -> Option<(usize, Stop)> {
        if !self.may_begin_plain() {
            return None;
        }
        let mut at = self.at + 1;
        let stop = loop {
            at += self.bytes[at..]
                .iter()
                .take_while(|&&byte| !ENDS_PLAIN[usize::from(byte)])
                .count();
            match self.bytes.get(at).copied().unwrap_or(b'\n') {
                b':' if self.is_blank(at + 1) => break Stop::Colon(at),
                b'#' if self.bytes[at - 1] == b' ' => break Stop::End,
                b'\n' => break Stop::End,
                b'\r' if self.bytes.get(at + 1) == Some(&b'\n') => break Stop::End,
                b'\r' | b'\t' => return None,
                _ => at += 1,
            }
        };
        Some((self.trimmed(at), stop))
    }

    /// The offset after the last byte before `end` that is not a space.
    fn trimmed(&self, mut end: usize) -> usize {
        while self.bytes[end - 1] == b' ' {
            end -= 1;
        }
        end
    }

    fn may_begin_plain(&self) -> bool {
        match self.byte() {
            Some(b'-') => !self.is_blank(self.at + 1) && self.bytes.get(self.at + 1) != Some(&b'\t'),
            Some(byte) => !is_indicator(byte),
            None => false,
        }
    }

    /// Finds the end of a quoted scalar on one line, and its content if that differs from the source.
    fn quoted(&mut self) -> Option<Quoted> {
        let start = self.at + 1;
        if self.byte() == Some(b'"') {
            self.double_quoted(start)
        } else {
            self.single_quoted(start)
        }
    }

    fn single_quoted(&mut self, start: usize) -> Option<Quoted> {
        let mut at = start;
        let mut copied = start;
        let mut decoded = false;
        loop {
            at += memchr::memchr3(b'\'', b'\n', b'\r', &self.bytes[at..])?;
            if self.bytes[at] != b'\'' {
                return None;
            }
            if self.bytes.get(at + 1) != Some(&b'\'') {
                break;
            }
            if !decoded {
                self.buffer.clear();
                decoded = true;
            }
            self.buffer.push_str(&self.text[copied..=at]);
            at += 2;
            copied = at;
        }
        if decoded {
            self.buffer.push_str(&self.text[copied..at]);
        }
        Some(Quoted { end: at + 1, decoded })
    }

    fn double_quoted(&mut self, start: usize) -> Option<Quoted> {
        let mut at = start;
        let mut copied = start;
        let mut decoded = false;
        loop {
            let length = self.bytes[at..]
                .iter()
                .position(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\r'))?;
            at += length;
            match self.bytes[at] {
                b'"' => break,
                b'\\' => {}
                _ => return None,
            }
            if !decoded {
                self.buffer.clear();
                decoded = true;
            }
            self.buffer.push_str(&self.text[copied..at]);
            at += 2;
            let character = match self.bytes.get(at - 1)? {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'"' => '"',
                b'\\' => '\\',
                b'/' => '/',
                b'u' => {
                    let digits = self.bytes.get(at..at + 4)?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    let code = u32::from_str_radix(&self.text[at..at + 4], 16).ok()?;
                    at += 4;
                    // Half of a surrogate pair is no character.
                    char::from_u32(code)?
                }
                _ => return None,
            };
            self.buffer.push(character);
            copied = at;
        }
        if decoded {
            self.buffer.push_str(&self.text[copied..at]);
        }
        Some(Quoted { end: at + 1, decoded })
    }

    /// Reads a flow collection.
    fn flow(&mut self) -> Option<()> {
        // Whether each open collection is a mapping.
        let mut open: Vec<bool> = Vec::new();
        loop {
            // A value, or the end of the collection.
            let start = self.at;
            match self.byte()? {
                byte @ (b'[' | b'{') => {
                    let mapping = byte == b'{';
                    self.builder.open(saturating_u32(start), mapping, true, 0).ok()?;
                    open.push(mapping);
                    self.at += 1;
                    self.skip_flow_blanks()?;
                    if self.flow_key(mapping)? {
                        continue;
                    }
                }
                b'"' | b'\'' => {
                    let quoted = self.quoted()?;
                    self.add_quoted(start, &quoted)?;
                    self.at = quoted.end;
                }
                _ => match self.flow_plain()? {
                    (end, Stop::End) => {
                        self.add_plain(start, end)?;
                        self.at = end;
                    }
                    (_, Stop::Colon(_)) => return None,
                },
            }
            // What follows a value.
            loop {
                self.skip_flow_blanks()?;
                let mapping = *open.last()?;
                match self.byte()? {
                    b',' => {
                        self.at += 1;
                        self.skip_flow_blanks()?;
                        if self.flow_key(mapping)? {
                            break;
                        }
                    }
                    byte @ (b']' | b'}') => {
                        if (byte == b'}') != mapping {
                            return None;
                        }
                        self.at += 1;
                        self.builder.close(Some(saturating_u32(self.at))).ok()?;
                        open.pop();
                        if open.is_empty() {
                            return Some(());
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    /// In a mapping, reads a key and its colon, and a missing value. Tells whether a value is to be read.
    fn flow_key(&mut self, mapping: bool) -> Option<bool> {
        let start = self.at;
        let colon = match self.byte()? {
            b']' | b'}' => return Some(false),
            _ if !mapping => return Some(true),
            b'"' | b'\'' => {
                let quoted = self.quoted()?;
                self.add_quoted_key(start, &quoted)?;
                self.at = quoted.end;
                self.skip_spaces();
                if self.byte()? != b':' {
                    return None;
                }
                self.at
            }
            _ => match self.flow_plain()? {
                (end, Stop::Colon(colon)) => {
                    self.add_plain_key(start, end)?;
                    colon
                }
                (_, Stop::End) => return None,
            },
        };
        self.at = colon + 1;
        self.skip_flow_blanks()?;
        if matches!(self.byte()?, b',' | b'}') {
            let at = span(colon + 1, colon + 1);
            self.builder
                .scalar(at, Value::Null, Content::Source(at), 0)
                .ok()?;
            return Some(false);
        }
        Some(true)
    }

    /// Skips white space within a flow collection. Lines must be indented more than the block that they are
    /// in.
    fn skip_flow_blanks(&mut self) -> Option<()> {
        loop {
            match self.byte() {
                Some(b' ') => self.at += 1,
                Some(b'\t') if self.blocks.is_empty() => self.at += 1,
                Some(b'\n' | b'\r') => {
                    self.line_break()?;
                    let line = self.at;
                    self.skip_spaces();
                    let column = self.at - line;
                    let blank = matches!(self.byte(), Some(b'\n' | b'\r'));
                    if !blank && self.blocks.last().is_some_and(|block| column <= block.column) {
                        return None;
                    }
                }
                Some(b'#') | None => return None,
                Some(_) => return Some(()),
            }
        }
    }

    /// Finds the end of a plain scalar in flow style.
    fn flow_plain(&self) -> Option<(usize, Stop)> {
        let is_flow_indicator = |byte: Option<&u8>| matches!(byte, Some(b',' | b'[' | b']' | b'{' | b'}'));
        if !self.may_begin_plain()
            || is_flow_indicator(self.bytes.get(self.at + 1)) && self.byte() == Some(b'-')
        {
            return None;
        }
        let mut at = self.at + 1;
        let stop = loop {
            match self.bytes.get(at).copied()? {
                b',' | b'[' | b']' | b'{' | b'}' | b'\n' => break Stop::End,
                b':' if self.is_blank(at + 1) => break Stop::Colon(at),
                b':' if is_flow_indicator(self.bytes.get(at + 1)) => return None,
                b'#' if self.bytes[at - 1] == b' ' => return None,
                b'\r' if self.bytes.get(at + 1) == Some(&b'\n') => break Stop::End,
                b'\r' | b'\t' | b'?' => return None,
                _ => at += 1,
            }
        };
        Some((self.trimmed(at), stop))
    }

    /// Reads a block scalar and the line break after it.
    fn block_scalar(&mut self) -> Option<()> {
        let parent = self.blocks.last()?.column;
        let start = self.at;
        let folded = self.byte() == Some(b'>');
        self.at += 1;
        let chomp = match self.byte() {
            Some(chomp @ (b'-' | b'+')) => {
                self.at += 1;
                Some(chomp)
            }
            _ => None,
        };
        let mut end = self.at;
        if !self.is_blank(self.at) {
            return None;
        }
        self.end_line()?;

        self.buffer.clear();
        // The column of the text, once a line with text is seen.
        let mut indent = None;
        // Line breaks since the last line with text.
        let mut breaks = 0_usize;
        let mut widest_blank = 0;
        let mut previous_is_spaced = false;
        let mut has_text = false;
        while self.at < self.bytes.len() {
            let line = self.at;
            self.skip_spaces();
            let spaces = self.at - line;
            let limit = indent.unwrap_or(parent + 1);
            let is_blank = matches!(self.byte(), None | Some(b'\n' | b'\r'));
            if is_blank && (indent.is_none() || spaces <= limit) {
                // Whether spaces without a line break are a line is left to the reference path.
                self.byte()?;
                widest_blank = widest_blank.max(spaces);
                self.line_break()?;
                breaks += 1;
                continue;
            }
            if spaces < limit {
                if self.byte() == Some(b'\t') {
                    return None;
                }
                self.at = line;
                break;
            }
            if indent.is_none() {
                if self.byte() == Some(b'\t') || widest_blank > spaces {
                    return None;
                }
                indent = Some(spaces);
            }
            let text_start = line + indent.unwrap_or(spaces);
            let rest = &self.bytes[text_start..];
            let line_end = memchr::memchr(b'\n', rest).map_or(self.bytes.len(), |length| text_start + length);
            let has_break = line_end < self.bytes.len();
            let text_end = if has_break && self.bytes[line_end - 1] == b'\r' {
                line_end - 1
            } else {
                line_end
            };
            let is_spaced = matches!(self.bytes.get(text_start), Some(b' ' | b'\t'));
            let has_return =
                memchr::memchr(b'\r', &self.bytes[text_start..text_end.max(text_start)]).is_some();
            if has_return || folded && is_blank {
                return None;
            }
            if self.buffer.is_empty() && !has_text {
                self.push_breaks(breaks);
            } else if folded && !previous_is_spaced && !is_spaced {
                if breaks == 0 {
                    self.buffer.push(' ');
                }
                self.push_breaks(breaks);
            } else {
                self.push_breaks(breaks + 1);
            }
            self.buffer.push_str(&self.text[text_start..text_end]);
            breaks = 0;
            previous_is_spaced = is_spaced;
            has_text = true;
            if !is_blank {
                end = text_end;
            }
            self.at = line_end + usize::from(has_break);
            if !has_break {
                // Without its line break, the last line adds none, and nothing follows it.
                self.builder
                    .scalar(span(start, end), Value::Str, Content::Decoded(&self.buffer), 0)
                    .ok()?;
                return Some(());
            }
        }
        match chomp {
            Some(b'-') => {}
            Some(_) => self.push_breaks(breaks + usize::from(has_text)),
            None => self.push_breaks(usize::from(has_text)),
        }
        self.builder
            .scalar(span(start, end), Value::Str, Content::Decoded(&self.buffer), 0)
            .ok()
    }

    fn push_breaks(&mut self, count: usize) {
        self.buffer.extend(std::iter::repeat_n('\n', count));
    }
}

fn span(start: usize, end: usize) -> Span {
    Span::new(saturating_u32(start), saturating_u32(end))
}

/// The bytes at which a plain scalar in block style may end.
const ENDS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut ends = b":#\n\r\t".as_slice();
    while let [byte, rest @ ..] = ends {
        table[*byte as usize] = true;
        ends = rest;
    }
    table
};

/// Whether a plain scalar cannot begin with this byte, or only in cases that are left to the reference path.
const fn is_indicator(byte: u8) -> bool {
    matches!(
        byte,
        b'-' | b'?'
            | b':'
            | b','
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'#'
            | b'&'
            | b'*'
            | b'!'
            | b'|'
            | b'>'
            | b'\''
            | b'"'
            | b'%'
            | b'@'
            | b'`'
            | b' '
            | b'\t'
            | b'\n'
            | b'\r'
    )
}
