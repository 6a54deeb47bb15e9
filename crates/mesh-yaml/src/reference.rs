//! The reference path: full YAML by the events of `granit-parser`.

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, StrInput, StructureStyle};

use crate::builder::{Builder, Content};
use crate::resolve::{self, Value};
use crate::span::saturating_u32;
use crate::{Chunk, Document, MAX_DEPTH, Span, SyntaxError, compat, messages};

/// Parses one document.
pub(crate) fn parse(chunk: &Chunk) -> Result<Document, SyntaxError> {
    let text = &chunk.text[chunk.span.range()];
    let reader = Reader {
        chunk,
        text,
        builder: Builder::new(&chunk.text),
        cursor: 0,
        gap: 0,
        plain_indent: None,
        has_tabs: memchr::memchr(b'\t', text.as_bytes()).is_some(),
        columns: Vec::new(),
        flow_depth: 0,
        open_bracket: None,
    };
    reader.read()
}

fn options() -> Options {
    granit_parser::options! {
        // Both as go-yaml reads them.
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        max_buffered_comment_events: usize::MAX,
        emit_anchor_events: true,
        // One more, so that the builder finds and words the error.
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
    }
}

struct Reader<'c> {
    chunk: &'c Chunk,
    /// The text of the document. Offsets of events are within it, spans of nodes within the file.
    text: &'c str,
    builder: Builder<'c>,
    /// End of the last token that is known, within the document.
    cursor: usize,
    /// End of the last event other than comments, within the document. Block scalars end after their blank
    /// lines here.
    gap: usize,
    /// If the last token is a plain scalar, the column from which on a line continues it.
    plain_indent: Option<usize>,
    has_tabs: bool,
    /// The columns of the open collections.
    columns: Vec<usize>,
    /// Number of open flow collections.
    flow_depth: usize,
    /// The last outermost bracket, and the column of the block that it is in.
    open_bracket: Option<(usize, Option<usize>)>,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Document, SyntaxError> {
        let mut documents = 0;
        let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str_with_options(self.text, options());
        while let Some(event) = parser.next_event() {
            let (event, place) = event.map_err(|error| self.scan_error(&error))?;
            let range = place.byte_range().unwrap_or_default();
            let is_token = event.is_node() || matches!(event, Event::SequenceEnd | Event::MappingEnd);
            if is_token {
                self.check_gap(range.start)?;
            }
            match event {
                Event::DocumentStart(_, version) => {
                    compat::check_directives(self.text, version).map_err(|refusal| self.refused(refusal))?;
                    documents += 1;
                    if documents > 1 {
                        let span = self.span(range.start, range.start);
                        return Err(SyntaxError::new("a second document begins without `---`", span));
                    }
                    // Directives before the marker must not be taken for content.
                    self.cursor = range.end;
                }
                Event::Scalar(value, style, anchor, tag) => {
                    let tag = tag.as_ref().map(|tag| (tag.handle(), tag.suffix()));
                    self.scalar(&value, style, anchor, tag, range.start, range.end)?;
                }
                Event::Alias(anchor) => {
                    let span = self.span(range.start, range.end);
                    self.builder.alias(span, anchor)?;
                    self.cursor = range.end;
                }
                Event::SequenceStart(style, anchor, _) => {
                    let flow = style == StructureStyle::Flow;
                    self.flow_depth += usize::from(flow);
                    let start = if !flow && self.builder.wants_value() {
                        self.find_dash()
                    } else {
                        range.start
                    };
                    self.open(start, false, flow, anchor)?;
                }
                Event::MappingStart(style, anchor, _) => {
                    self.flow_depth += usize::from(style == StructureStyle::Flow);
                    self.open(range.start, true, style == StructureStyle::Flow, anchor)?;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    // The end of a block collection has no token, nor that of a pair within a flow sequence.
                    let end = (!range.is_empty()).then(|| self.span(range.end, range.end).start);
                    if end.is_some() {
                        self.cursor = range.end;
                    }
                    self.columns.pop();
                    self.flow_depth -= usize::from(self.builder.close(end)?);
                }
                Event::Comment(..) => {
                    let span = self.span(range.start, range.end);
                    self.builder.comment(span);
                }
                Event::Anchor(_, name) => {
                    compat::check_anchor_name(&name, range.start).map_err(|refusal| self.refused(refusal))?;
                }
                _ => {}
            }
            if is_token {
                self.gap = self.gap.max(range.end);
            }
        }
        self.check_gap(self.text.len())?;
        Ok(self.builder.finish(self.chunk))
    }

    fn refused(&self, (at, message, help): compat::Refusal) -> SyntaxError {
        SyntaxError::new(message, self.span(at, at + 1)).with_help(help)
    }

    /// Looks at the text between the last token and the one at `next`.
    fn check_gap(&mut self, next: usize) -> Result<(), SyntaxError> {
        if self.has_tabs && self.flow_depth == 0 && next > self.gap {
            compat::check_gap(self.text, self.gap, next, self.plain_indent)
                .map_err(|refusal| self.refused(refusal))?;
        }
        self.gap = self.gap.max(next);
        self.plain_indent = None;
        Ok(())
    }

    /// A span within the file for offsets within the document.
    fn span(&self, start: usize, end: usize) -> Span {
        let base = self.chunk.span.start as usize;
        Span::new(saturating_u32(base + start), saturating_u32(base + end))
    }

    fn open(&mut self, start: usize, mapping: bool, flow: bool, anchor: usize) -> Result<(), SyntaxError> {
        let span = self.span(start, start);
        self.cursor = if flow { start + 1 } else { start };
        if flow && self.flow_depth == 1 {
            self.open_bracket = Some((start, self.columns.last().copied()));
        }
        // Columns matter in block style alone; lines of flow style may be long.
        self.columns.push(if flow { 0 } else { column(self.text, start) });
        self.builder.open(span.start, mapping, flow, anchor)
    }

    fn scalar(
        &mut self,
        value: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<(&str, &str)>,
        start: usize,
        end: usize,
    ) -> Result<(), SyntaxError> {
        let missing = style == ScalarStyle::Plain && start == end;
        let value = if missing { "" } else { value };
        if style == ScalarStyle::Plain && !missing {
            if self.flow_depth > 0 {
                compat::check_flow_plain(self.text, start, end).map_err(|refusal| self.refused(refusal))?;
            }
            self.plain_indent = Some(self.columns.last().map_or(0, |column| column + 1));
        }
        let (start, end) = match style {
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let header = self.find_block_header();
                compat::check_block_scalar(self.text, header).map_err(|refusal| self.refused(refusal))?;
                (header, self.block_scalar_end(header, end))
            }
            _ if missing => {
                let at = self.find_missing(start);
                (at, at)
            }
            _ => (start, end),
        };
        let span = self.span(start, end);
        self.cursor = end;
        // Most content is a slice of the source; the rest is stored.
        let inner = match style {
            ScalarStyle::Plain => span,
            _ => Span::new(span.start + 1, span.end.saturating_sub(1).max(span.start + 1)),
        };
        let sliced = self.chunk.text.get(inner.range()) == Some(value);
        let content = if sliced {
            Content::Source(inner)
        } else {
            Content::Decoded(value)
        };

        let meaning = match tag {
            None if style == ScalarStyle::Plain => resolve::plain(value),
            None => Value::Str,
            Some((handle, suffix)) => {
                let resolved = resolve::tagged(handle, suffix, value)
                    .map_err(|message| SyntaxError::new(message, span))?;
                match resolved {
                    resolve::Tagged::Value(value) => value,
                    resolve::Tagged::Binary(decoded) => {
                        return self.add(span, Value::Str, &decoded, Content::Decoded(&decoded), anchor);
                    }
                }
            }
        };
        if self.builder.wants_key() && value == "<<" && resolve::may_merge(tag, style == ScalarStyle::Plain) {
            self.builder.merge_key(span);
            return Ok(());
        }
        self.add(span, meaning, value, content, anchor)
    }

    fn add(
        &mut self,
        span: Span,
        meaning: Value,
        value: &str,
        content: Content<'_>,
        anchor: usize,
    ) -> Result<(), SyntaxError> {
        if self.builder.wants_key() {
            self.builder.key(span, meaning, value, content, anchor)
        } else {
            self.builder.scalar(span, meaning, content, anchor)
        }
    }

    /// The first byte from the cursor on that is not blank and not in a comment.
    fn skip_blank(&self, mut at: usize) -> (usize, Option<u8>) {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(at) {
                Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                Some(b'#') if at == 0 || bytes[at - 1].is_ascii_whitespace() => {
                    at =
                        memchr::memchr2(b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |length| at + length);
                }
                byte => return (at, byte.copied()),
            }
        }
    }

    /// As `skip_blank`, and past anchors and tags too.
    fn skip_properties(&self, mut at: usize) -> (usize, Option<u8>) {
        let bytes = self.text.as_bytes();
        loop {
            match self.skip_blank(at) {
                (start, Some(b'&' | b'!')) => {
                    at = start
                        + bytes[start..]
                            .iter()
                            .take_while(|byte| !byte.is_ascii_whitespace())
                            .count();
                }
                found => return found,
            }
        }
    }

    /// The dash of the first item of a sequence that is the value of the last key.
    fn find_dash(&self) -> usize {
        match self.skip_blank(self.cursor) {
            (colon, Some(b':')) => self.skip_properties(colon + 1).0,
            (at, _) => at,
        }
    }

    /// The `|` or `>` of a block scalar after the cursor.
    fn find_block_header(&self) -> usize {
        let mut at = self.cursor;
        loop {
            match self.skip_properties(at) {
                (found, Some(b':' | b'-' | b'?')) => at = found + 1,
                (found, _) => return found,
            }
        }
    }

    /// The end of the last line up to `limit` that is not blank, and at least the end of the header.
    fn block_scalar_end(&self, header: usize, limit: usize) -> usize {
        let bytes = self.text.as_bytes();
        let header_line =
            memchr::memchr2(b'\n', b'\r', &bytes[header..]).map_or(bytes.len(), |length| header + length);
        let content = bytes.get(header_line..limit).unwrap_or_default();
        if let Some(last) = content.iter().rposition(|byte| !byte.is_ascii_whitespace()) {
            let last = header_line + last;
            return memchr::memchr2(b'\n', b'\r', &bytes[last..]).map_or(bytes.len(), |length| last + length);
        }
        let indicators = bytes[header..header_line]
            .iter()
            .take_while(|byte| !byte.is_ascii_whitespace())
            .count();
        header + indicators
    }

    /// Where a missing scalar is said to be: after its colon or dash.
    fn find_missing(&self, reported: usize) -> usize {
        match self.skip_blank(self.cursor) {
            (colon, Some(b':')) if self.builder.wants_value() => colon + 1,
            (dash, Some(b'-'))
                if !self.builder.wants_value() && !self.builder.wants_key() && dash < reported =>
            {
                dash + 1
            }
            _ if self.builder.wants_value() => self.cursor,
            _ => reported,
        }
    }

    /// The error of the parser in our words, moved to the place that people look for.
    fn scan_error(&self, error: &ScanError) -> SyntaxError {
        let mut at = error
            .marker()
            .byte_offset()
            .unwrap_or_default()
            .min(self.text.len());
        if messages::is_about_tab(error.kind()) {
            at = self.nearest_tab(at);
        }
        let length = self
            .text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        let found = messages::scan_error(error.kind(), self.span(at, at + length));
        match self.open_bracket {
            Some((bracket, block)) if self.flow_depth > 0 => {
                let place = self.span(bracket, bracket + 1);
                let line = line_start(self.text, at);
                let indent = self.text[line..].bytes().take_while(|&byte| byte == b' ').count();
                if line > bracket && block.is_some_and(|block| indent <= block) {
                    // The line belongs to the block again.
                    messages::unclosed(self.text.as_bytes()[bracket], place)
                        .with_related(found.span, found.message)
                } else if found.span.start > place.start {
                    found.with_related(place, "within this bracket")
                } else {
                    found
                }
            }
            _ => found,
        }
    }

    /// The tab that an error at `at` is about: in the indentation of its line, or else the next one.
    fn nearest_tab(&self, at: usize) -> usize {
        let line = line_start(self.text, at);
        let indent = self.text[line..]
            .bytes()
            .take_while(|&byte| byte == b' ' || byte == b'\t')
            .count();
        let bytes = self.text.as_bytes();
        memchr::memchr(b'\t', &bytes[line..line + indent])
            .map(|tab| line + tab)
            .or_else(|| memchr::memchr(b'\t', &bytes[at..]).map(|tab| at + tab))
            .unwrap_or(at)
    }
}

fn line_start(text: &str, at: usize) -> usize {
    memchr::memrchr2(b'\n', b'\r', &text.as_bytes()[..at]).map_or(0, |line_break| line_break + 1)
}

/// The number of bytes before `at` in its line.
fn column(text: &str, at: usize) -> usize {
    at - line_start(text, at)
}
