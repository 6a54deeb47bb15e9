//! Edits of a document's text that leave everything else as it is: comments, order, quoting, indentation.
//!
//! Each function returns the [`Edit`]s for one change of one document, to be applied to the text of its whole
//! file with [`apply`]. Before it returns, it applies them to the document, parses the result and compares it
//! with the tree that the change should give; an edit that would do anything else is an error instead.
//!
//! Values that are shared are not edited through one of their uses: a path that leads through an alias
//! (`*name`) or into merged keys (`<<`) is refused.

use serde_json::Value;

use crate::{Chunk, Document, FieldPath, Kind, MAX_DEPTH, Node, Segment, Span, resolve};

/// A replacement of some text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// The text that takes its place.
    pub replacement: String,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The path leads nowhere.
    #[error("there is no `{path}`")]
    NotFound {
        /// The path.
        path: FieldPath,
    },
    /// The value is not of the kind that the change needs.
    #[error("`{path}` is {found}, not {expected}")]
    WrongKind {
        /// Path of the value.
        path: FieldPath,
        /// What it is.
        found: Kind,
        /// What it should be.
        expected: Kind,
    },
    /// The key to insert is there already.
    #[error("there is a `{path}` already")]
    Exists {
        /// Path of the key's value.
        path: FieldPath,
    },
    /// The path leads through an alias or a merge key, so a change would show in other places too.
    #[error("`{path}` is shared through an alias or a merge key")]
    Shared {
        /// The part of the path that leads to the alias or the merged key.
        path: FieldPath,
    },
    /// The root of a document cannot be removed.
    #[error("the root of a document cannot be removed")]
    Root,
    /// The text around the value is written in a way that the change cannot be made without changing more.
    #[error("`{path}` cannot be edited safely, because of the way the text around it is written")]
    Unsafe {
        /// Path of the value.
        path: FieldPath,
    },
    /// Two edits replace the same text.
    #[error("edits overlap at byte {at}")]
    Overlap {
        /// Where the second one begins.
        at: u32,
    },
    /// An edit lies outside the text or within a character.
    #[error("an edit at byte {at} is not within the text")]
    OutOfBounds {
        /// Where it begins.
        at: u32,
    },
}

/// Applies edits to the text that they were made for. Their order matters only for insertions at the same
/// place.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    for Edit { span, replacement } in sorted {
        let range = span.range();
        if range.start < done {
            return Err(EditError::Overlap { at: span.start });
        }
        if range.end < range.start || text.get(range.clone()).is_none() {
            return Err(EditError::OutOfBounds { at: span.start });
        }
        result.push_str(&text[done..range.start]);
        result.push_str(replacement);
        done = range.end;
    }
    result.push_str(&text[done..]);
    Ok(result)
}

/// Replaces the value at `path`, which must exist.
///
/// A scalar for a scalar keeps the quoting style where the new value allows it, and a comment after it. A
/// collection is written in block style at the indentation of its place, or in flow style within a flow
/// collection.
pub fn set(document: &Document, path: &FieldPath, value: &Value) -> Result<Vec<Edit>, EditError> {
    let place = Place::find(document, path)?;
    let edits = set_edits(document, &place, value, path)?;
    let mut expected = document.root().to_json();
    if let Some(target) = descend(&mut expected, path.segments()) {
        *target = value.clone();
    }
    verify(document, edits, &expected, path)
}

/// Adds `key` with a value to the mapping at `path`, after its last entry. The key must not be there yet.
pub fn insert(
    document: &Document,
    path: &FieldPath,
    key: &str,
    value: &Value,
) -> Result<Vec<Edit>, EditError> {
    let place = Place::find(document, path)?;
    place.expect(Kind::Mapping, path)?;
    if place.node.get(key).is_some() {
        return Err(EditError::Exists { path: path.key(key) });
    }
    let mut expected = document.root().to_json();
    if let Some(Value::Object(entries)) = descend(&mut expected, path.segments()) {
        entries.insert(key.to_owned(), value.clone());
    }
    let written = place.node.written_entries();
    let edits = match written.last() {
        None => {
            let value = Value::Object([(key.to_owned(), value.clone())].into_iter().collect());
            set_edits(document, &place, &value, path)?
        }
        Some((last_key, last_value)) => {
            let render = Renderer::new(document, value, path)?;
            if place.node.is_flow() {
                let json = is_json_style(&document.text()[last_key.range()]);
                let mut entry = String::new();
                render.flow_key(key, json, &mut entry);
                render.flow(value, json, &mut entry);
                vec![render.after_flow_value(last_key.start, *last_value, &entry)]
            } else {
                let indent = column(document.text(), place.node.span().start);
                let mut entry = String::new();
                render.block_entry(key, value, indent, &mut entry);
                vec![render.line_after(place.node.span().end, indent, &entry)]
            }
        }
    };
    verify(document, edits, &expected, path)
}

/// Adds a value to the sequence at `path`, after its last item.
pub fn append(document: &Document, path: &FieldPath, value: &Value) -> Result<Vec<Edit>, EditError> {
    let place = Place::find(document, path)?;
    place.expect(Kind::Sequence, path)?;
    let mut expected = document.root().to_json();
    if let Some(Value::Array(items)) = descend(&mut expected, path.segments()) {
        items.push(value.clone());
    }
    let edits = match place.node.items().last() {
        None => set_edits(document, &place, &Value::Array(vec![value.clone()]), path)?,
        Some(last) => {
            let render = Renderer::new(document, value, path)?;
            let mut item = String::new();
            if place.node.is_flow() {
                render.flow(value, is_json_style(last.raw()), &mut item);
                vec![render.after_flow_value(last.span().start, last.span(), &item)]
            } else {
                let indent = column(document.text(), place.node.span().start);
                item.push_str("- ");
                render.block(value, indent + 2, indent + 2, &mut item);
                vec![render.line_after(place.node.span().end, indent, &item)]
            }
        }
    };
    verify(document, edits, &expected, path)
}

/// Removes the entry or item at `path`.
///
/// What goes with it: the comment at the end of its last line, and the comment lines right above it with the
/// same indentation, except above the first entry of a document, where licences and the like stand. A
/// collection that becomes empty stays as `{}` or `[]`.
pub fn remove(document: &Document, path: &FieldPath) -> Result<Vec<Edit>, EditError> {
    let place = Place::find(document, path)?;
    let (Some(parent), Some(parent_path), Some(step)) = (place.parent, path.parent(), path.last()) else {
        return Err(EditError::Root);
    };
    let mut expected = document.root().to_json();
    match (descend(&mut expected, parent_path.segments()), step) {
        (Some(Value::Object(entries)), Segment::Key(key)) => drop(entries.shift_remove(&**key)),
        (Some(Value::Array(items)), Segment::Index(index)) if *index < items.len() => {
            drop(items.remove(*index));
        }
        _ => return Err(EditError::NotFound { path: path.clone() }),
    }

    let text = document.text();
    let elements = elements(document, parent);
    let here = elements
        .iter()
        .position(|element| element.value == place.node.span() && element.holds(&place));
    let Some(here) = here else {
        return Err(EditError::Unsafe { path: path.clone() });
    };
    let edit = |start: u32, end: u32| Edit {
        span: Span::new(start, end),
        replacement: String::new(),
    };
    let edits = if elements.len() == 1 {
        let empty = if parent.is_mapping() {
            Value::Object(serde_json::Map::new())
        } else {
            Value::Array(Vec::new())
        };
        let place = Place::find(document, &parent_path)?;
        set_edits(document, &place, &empty, &parent_path)?
    } else if parent.is_flow() {
        match elements.get(here + 1) {
            Some(next) => vec![edit(elements[here].start, next.start)],
            None => vec![edit(elements[here - 1].value.end, elements[here].value.end)],
        }
    } else {
        let Element { start, value, .. } = elements[here];
        let line = line_start(text, start);
        if text[line..start as usize].bytes().all(|byte| byte == b' ') {
            let is_header = place.depth == 1 && here == 0;
            let from = if is_header {
                line
            } else {
                comments_above(text, line, column(text, start), document.span().start)
            };
            vec![edit(offset(from), offset(line_end(text, value.end, true)))]
        } else {
            // It follows a dash. What comes next takes its place, unless comments are between.
            let next = elements.get(here + 1).map_or(value.end, |next| next.start);
            let rest = line_end(text, value.end, false);
            if text[rest..next as usize].contains('#') {
                vec![edit(start, offset(rest))]
            } else {
                vec![edit(start, next)]
            }
        }
    };
    verify(document, edits, &expected, path)
}

/// A value and what is around it.
struct Place<'d> {
    node: Node<'d>,
    parent: Option<Node<'d>>,
    /// The key, if the parent is a mapping.
    key: Option<Span>,
    /// Whether a collection around it is in flow style.
    in_flow: bool,
    /// Number of steps from the root.
    depth: usize,
}

impl<'d> Place<'d> {
    fn find(document: &'d Document, path: &FieldPath) -> Result<Self, EditError> {
        let mut place = Self {
            node: document.root(),
            parent: None,
            key: None,
            in_flow: false,
            depth: 0,
        };
        for (depth, segment) in path.segments().iter().enumerate() {
            let so_far = |steps: usize| path.segments()[..steps].iter().cloned().collect::<FieldPath>();
            let parent = place.node;
            if parent.is_alias() {
                return Err(EditError::Shared { path: so_far(depth) });
            }
            let (node, key) = match segment {
                Segment::Key(name) => {
                    let entry = parent
                        .entry(name)
                        .ok_or_else(|| EditError::NotFound { path: path.clone() })?;
                    if entry.merged {
                        return Err(EditError::Shared {
                            path: so_far(depth + 1),
                        });
                    }
                    (entry.value, Some(entry.key_span))
                }
                Segment::Index(index) => {
                    let item = parent.items().nth(*index);
                    (
                        item.ok_or_else(|| EditError::NotFound { path: path.clone() })?,
                        None,
                    )
                }
            };
            let in_flow = place.in_flow || parent.is_flow();
            place = Self {
                node,
                parent: Some(parent),
                key,
                in_flow,
                depth: depth + 1,
            };
        }
        Ok(place)
    }

    /// Checks that the value is a collection of this kind, written at this place.
    fn expect(&self, expected: Kind, path: &FieldPath) -> Result<(), EditError> {
        let found = self.node.kind();
        if found != expected {
            return Err(EditError::WrongKind {
                path: path.clone(),
                found,
                expected,
            });
        }
        if self.node.is_alias() {
            return Err(EditError::Shared { path: path.clone() });
        }
        Ok(())
    }
}

/// An entry or item of a collection as it is written.
#[derive(Copy, Clone)]
struct Element {
    /// Where its key or dash begins, or the item itself in flow style.
    start: u32,
    key: Option<Span>,
    value: Span,
}

impl Element {
    fn holds(&self, place: &Place<'_>) -> bool {
        self.key == place.key
    }
}

fn elements(document: &Document, collection: Node<'_>) -> Vec<Element> {
    if collection.is_mapping() {
        let entries = collection.written_entries().into_iter();
        return entries
            .map(|(key, value)| Element {
                start: key.start,
                key: Some(key),
                value,
            })
            .collect();
    }
    let mut from = collection.span().start;
    let items = collection.items().map(|item| {
        let value = item.span();
        let start = if collection.is_flow() {
            value.start
        } else {
            find_dash(document.text(), from)
        };
        from = value.end;
        Element {
            start,
            key: None,
            value,
        }
    });
    items.collect()
}

/// The first byte from `from` on that is neither blank nor in a comment.
pub(crate) fn find_dash(text: &str, from: u32) -> u32 {
    let mut at = from as usize;
    for line in text[at..].split_inclusive('\n') {
        let content = line.trim_ascii_start();
        if !content.is_empty() && !content.starts_with('#') {
            return offset(at + line.len() - content.len());
        }
        at += line.len();
    }
    from
}

fn descend<'v>(value: &'v mut Value, segments: &[Segment]) -> Option<&'v mut Value> {
    segments.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut()?.get_mut(&**key),
        Segment::Index(index) => value.as_array_mut()?.get_mut(*index),
    })
}

/// The edits that put `value` in the place of another.
fn set_edits(
    document: &Document,
    place: &Place<'_>,
    value: &Value,
    path: &FieldPath,
) -> Result<Vec<Edit>, EditError> {
    let render = Renderer::new(document, value, path)?;
    let text = document.text();
    let old = place.node.span();
    let one = |span: Span, replacement: String| Ok(vec![Edit { span, replacement }]);
    let mut new = String::new();

    if place.in_flow || place.node.is_flow() && place.parent.is_none() {
        let json = is_json_style(&text[place.key.unwrap_or(old).range()]);
        render.flow(value, json, &mut new);
        return one(old, separated(text, old, new));
    }
    let is_block_value = matches!(value, Value::Array(items) if !items.is_empty())
        || matches!(value, Value::Object(entries) if !entries.is_empty());
    let was_block = !place.node.is_alias() && !place.node.is_flow() && place.node.scalar().is_none();
    let here = column(text, old.start);
    // The indentation of what belongs to the place: deeper than its key or dash.
    let parent = place.parent.map(|parent| column(text, parent.span().start));
    let inner = parent.map_or(0, |column| column + 2);

    if was_block {
        // The collection begins at `here`, on a line of its own or after a dash.
        let fits = match value {
            Value::Array(_) if place.key.is_some() => parent.is_none_or(|parent| here >= parent),
            _ => parent.is_none_or(|parent| here > parent),
        };
        let indent = if fits { here } else { inner };
        if !is_block_value && let Some(key) = place.key {
            let colon = after_colon(text, key.end, old.start);
            if text[colon as usize..old.start as usize]
                .bytes()
                .all(|byte| byte.is_ascii_whitespace())
            {
                new.push(' ');
                render.block(value, inner, inner, &mut new);
                return one(Span::new(colon, old.end), new);
            }
        }
        new.push_str(&" ".repeat(indent - here.min(indent)));
        render.block(value, indent, inner, &mut new);
        return one(old, new);
    }
    if !is_block_value {
        match value {
            Value::String(string) => {
                // What follows in the line would become part of a block scalar.
                let rest = &text[old.end as usize..line_end(text, old.end, false)];
                let quote = quote_of(place.node.raw())
                    .or((!rest.trim_ascii().is_empty() && string.contains('\n')).then_some('"'));
                render.string(string, quote, false, inner, &mut new);
            }
            _ => render.block(value, inner, inner, &mut new),
        }
        return one(old, separated(text, old, new));
    }
    if place.key.is_none() {
        // After a dash, or at the root.
        render.block(value, here + usize::from(old.is_empty()), inner, &mut new);
        return one(old, separated(text, old, new));
    }
    // On the lines after the key; a comment stays in the key's line.
    let indent = if value.is_array() && render.compact {
        inner - 2
    } else {
        inner
    };
    new.push_str(render.line_break);
    new.push_str(&" ".repeat(indent));
    render.block(value, indent, inner, &mut new);
    let blank_before = text[..old.start as usize]
        .bytes()
        .rev()
        .take_while(|&byte| byte == b' ')
        .count();
    let old = Span::new(old.start - offset(blank_before), old.end);
    let end = offset(line_end(text, old.end, false));
    if text[old.end as usize..end as usize]
        .bytes()
        .all(|byte| byte == b' ')
    {
        return one(Span::new(old.start, end), new);
    }
    Ok(vec![
        Edit {
            span: old,
            replacement: String::new(),
        },
        Edit {
            span: Span::empty(end),
            replacement: new,
        },
    ])
}

/// Adds what a missing value needs before it: a space, and a colon if there is none.
fn separated(text: &str, old: Span, new: String) -> String {
    if !old.is_empty() {
        return new;
    }
    match text[..old.start as usize].bytes().next_back() {
        Some(b':' | b'-') => format!(" {new}"),
        Some(b' ') => new,
        _ => format!(": {new}"),
    }
}

/// The offset after the colon between a key and its value.
fn after_colon(text: &str, key_end: u32, value_start: u32) -> u32 {
    let between = &text[key_end as usize..value_start as usize];
    between
        .find(':')
        .map_or(key_end, |colon| key_end + offset(colon) + 1)
}

/// Whether strings have double quotes here, to judge by the source of a neighbour.
fn is_json_style(raw: &str) -> bool {
    raw.trim_start_matches(['[', '{', ' ', '\t', '\r', '\n'])
        .starts_with('"')
}

pub(crate) fn quote_of(raw: &str) -> Option<char> {
    raw.chars().next().filter(|&first| first == '\'' || first == '"')
}

/// Applies the edits to the document alone and checks that it then has the expected value.
fn verify(
    document: &Document,
    edits: Vec<Edit>,
    expected: &Value,
    path: &FieldPath,
) -> Result<Vec<Edit>, EditError> {
    let refused = || EditError::Unsafe { path: path.clone() };
    let within = document.span();
    let shifted: Option<Vec<Edit>> = edits
        .iter()
        .map(|Edit { span, replacement }| {
            let inside = within.start <= span.start && span.end <= within.end;
            let span = Span::new(
                span.start.checked_sub(within.start)?,
                span.end.checked_sub(within.start)?,
            );
            inside.then(|| Edit {
                span,
                replacement: replacement.clone(),
            })
        })
        .collect();
    let edited = apply(&document.text()[within.range()], &shifted.ok_or_else(refused)?)?;
    let chunks = crate::split(&edited.into());
    let [chunk] = chunks.as_slice() else {
        return Err(refused());
    };
    let (value, problems) = read_back(chunk).ok_or_else(refused)?;
    let is_expected = same(&value, expected) && problems <= document.problems().len();
    if is_expected { Ok(edits) } else { Err(refused()) }
}

fn read_back(chunk: &Chunk) -> Option<(Value, usize)> {
    match crate::parse_chunk(chunk) {
        None => Some((Value::Null, 0)),
        Some(Ok(document)) => Some((document.root().to_json(), document.problems().len())),
        Some(Err(_)) => None,
    }
}

/// Whether two numbers are the same, where 1 and 1.0 are.
pub(crate) fn same_number(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    a == b || a.is_f64() != b.is_f64() && a.as_f64() == b.as_f64()
}

/// Equality of JSON values in which 1 and 1.0 are the same number.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

pub(crate) fn offset(at: usize) -> u32 {
    crate::span::saturating_u32(at)
}

/// The number of characters before `at` in its line.
pub(crate) fn column(text: &str, at: u32) -> usize {
    text[line_start(text, at)..at as usize].chars().count()
}

pub(crate) fn line_start(text: &str, at: u32) -> usize {
    text[..at as usize].rfind('\n').map_or_else(
        || usize::from(text.starts_with('\u{feff}')) * 3,
        |line_break| line_break + 1,
    )
}

/// The end of the line of `at`, before or after its line break.
pub(crate) fn line_end(text: &str, at: u32, with_break: bool) -> usize {
    let at = at as usize;
    match text[at..].find('\n') {
        None => text.len(),
        Some(length) if with_break => at + length + 1,
        Some(length) if text[at..at + length].ends_with('\r') => at + length - 1,
        Some(length) => at + length,
    }
}

/// The start of the comment lines with this indentation that end right above `line`, down to `limit`.
fn comments_above(text: &str, mut line: usize, indent: usize, limit: u32) -> usize {
    while line > limit as usize {
        let above = line_start(text, offset(line - 1));
        let content = &text[above..line];
        let is_comment = content.trim_ascii_start().starts_with('#');
        if !is_comment || content.len() - content.trim_ascii_start().len() != indent || above < limit as usize
        {
            break;
        }
        line = above;
    }
    line
}

/// Writes values in the manner of a document.
pub(crate) struct Renderer<'d> {
    document: &'d Document,
    pub(crate) line_break: &'static str,
    /// Whether sequences stand in the column of their key.
    pub(crate) compact: bool,
}

impl<'d> Renderer<'d> {
    fn new(document: &'d Document, value: &Value, path: &FieldPath) -> Result<Self, EditError> {
        if depth(value) + path.len() > MAX_DEPTH {
            return Err(EditError::Unsafe { path: path.clone() });
        }
        Ok(Self::of(document))
    }

    /// Writes in the manner of the document.
    pub(crate) fn of(document: &'d Document) -> Self {
        let text = document.text();
        let crlf = text
            .find('\n')
            .is_some_and(|line_break| text[..line_break].ends_with('\r'));
        Self {
            document,
            line_break: if crlf { "\r\n" } else { "\n" },
            compact: has_compact_sequence(text, document.root()),
        }
    }

    /// An edit that adds a line below the one that ends what stands before `end`.
    fn line_after(&self, end: u32, indent: usize, line: &str) -> Edit {
        let at = offset(line_end(self.document.text(), end, false));
        Edit {
            span: Span::empty(at),
            replacement: format!("{}{}{line}", self.line_break, " ".repeat(indent)),
        }
    }

    /// An edit that adds an element to a flow collection after its last one, on a line of its own if that has
    /// one.
    fn after_flow_value(&self, last_start: u32, last_value: Span, element: &str) -> Edit {
        let text = self.document.text();
        let before = &text[line_start(text, last_start)..last_start as usize];
        let own_line = before.bytes().all(|byte| byte == b' ' || byte == b'\t');
        // A comma must not follow a colon directly.
        let null = if last_value.is_empty() { " null" } else { "" };
        let replacement = if own_line && last_start > 0 {
            format!("{null},{}{before}{element}", self.line_break)
        } else {
            format!("{null}, {element}")
        };
        Edit {
            span: Span::empty(last_value.end),
            replacement,
        }
    }

    /// Writes a value whose first line begins at column `indent` already. Lines of text are indented by
    /// `inner`.
    pub(crate) fn block(&self, value: &Value, indent: usize, inner: usize, out: &mut String) {
        match value {
            Value::Array(items) if !items.is_empty() => {
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        self.new_line(indent, out);
                    }
                    out.push_str("- ");
                    self.block(item, indent + 2, indent + 2, out);
                }
            }
            Value::Object(entries) if !entries.is_empty() => {
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        self.new_line(indent, out);
                    }
                    self.block_entry(key, value, indent, out);
                }
            }
            Value::String(string) => self.string(string, None, false, inner, out),
            other => self.flow(other, false, out),
        }
    }

    /// Writes an entry of a mapping at column `indent`.
    pub(crate) fn block_entry(&self, key: &str, value: &Value, indent: usize, out: &mut String) {
        self.string(key, None, true, 0, out);
        out.push(':');
        match value {
            Value::Array(items) if !items.is_empty() => {
                let indent = if self.compact { indent } else { indent + 2 };
                self.new_line(indent, out);
                self.block(value, indent, indent + 2, out);
            }
            Value::Object(entries) if !entries.is_empty() => {
                self.new_line(indent + 2, out);
                self.block(value, indent + 2, indent + 4, out);
            }
            _ => {
                out.push(' ');
                self.block(value, indent + 2, indent + 2, out);
            }
        }
    }

    pub(crate) fn new_line(&self, indent: usize, out: &mut String) {
        out.push_str(self.line_break);
        out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Writes a value in flow style; with `json`, strings have double quotes.
    pub(crate) fn flow(&self, value: &Value, json: bool, out: &mut String) {
        match value {
            Value::Array(items) => {
                out.push('[');
                for (number, item) in items.iter().enumerate() {
                    if number > 0 {
                        out.push_str(", ");
                    }
                    self.flow(item, json, out);
                }
                out.push(']');
            }
            Value::Object(entries) => {
                out.push('{');
                for (number, (key, value)) in entries.iter().enumerate() {
                    if number > 0 {
                        out.push_str(", ");
                    }
                    self.flow_key(key, json, out);
                    self.flow(value, json, out);
                }
                out.push('}');
            }
            Value::String(string) => self.string(string, json.then_some('"'), true, 0, out),
            scalar => out.push_str(&scalar.to_string()),
        }
    }

    pub(crate) fn flow_key(&self, key: &str, json: bool, out: &mut String) {
        self.string(key, json.then_some('"'), true, 0, out);
        out.push_str(": ");
    }

    /// Writes a string: in the quotes that are asked for if they can hold it, plain if it stays the same
    /// string so, over several lines if it has some and there is room (`one_line` says not), or else in
    /// double quotes.
    pub(crate) fn string(
        &self,
        string: &str,
        quote: Option<char>,
        one_line: bool,
        indent: usize,
        out: &mut String,
    ) {
        let printable = string.chars().all(is_printable);
        // JSON in a string is easier to read without its quotes escaped.
        let prefers_single = quote.is_none() && string.contains('"') && !string.contains('\'');
        if quote == Some('\'') && printable {
            single_quoted(string, out);
        } else if quote.is_none() && printable && is_plain(string, one_line) {
            out.push_str(string);
        } else if quote.is_none() && !one_line && is_literal(string) {
            out.push_str(if string.ends_with('\n') { "|" } else { "|-" });
            for line in string.strip_suffix('\n').unwrap_or(string).split('\n') {
                self.new_line(if line.is_empty() { 0 } else { indent.max(1) }, out);
                out.push_str(line);
            }
        } else if prefers_single && printable {
            single_quoted(string, out);
        } else {
            double_quoted(string, out);
        }
    }
}

fn single_quoted(string: &str, out: &mut String) {
    out.push('\'');
    out.push_str(&string.replace('\'', "''"));
    out.push('\'');
}

fn depth(value: &Value) -> usize {
    // Iterative, because the depth is what is in question.
    let mut deepest = 0;
    let mut open = vec![(value, 1)];
    while let Some((value, level)) = open.pop() {
        deepest = deepest.max(level);
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, level + 1))),
            Value::Object(entries) => open.extend(entries.values().map(|value| (value, level + 1))),
            _ => {}
        }
    }
    deepest
}

/// Whether the first block sequence that is the value of a key stands in the key's column.
fn has_compact_sequence(text: &str, root: Node<'_>) -> bool {
    let mut open = vec![root];
    while let Some(node) = open.pop() {
        if node.is_alias() || node.is_flow() {
            continue;
        }
        for entry in node.entries().filter(|entry| !entry.merged) {
            if entry.value.is_sequence() && !entry.value.is_flow() && !entry.value.is_alias() {
                return column(text, entry.value.span().start) == column(text, entry.key_span.start);
            }
        }
        open.extend(
            node.entries()
                .filter(|entry| !entry.merged)
                .map(|entry| entry.value),
        );
        open.extend(node.items());
    }
    false
}

/// Whether a character needs no escape on one line.
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Whether a printable string stays the same string without quotes, for readers of YAML 1.1 and 1.2 alike.
fn is_plain(string: &str, in_flow_or_key: bool) -> bool {
    let Some(first) = string.chars().next() else {
        return false;
    };
    let looks_like_number = string
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'_' | b'-' | b'+'))
        && (string.contains(':') || string.matches('-').count() == 2);
    (first.is_alphanumeric() || matches!(first, '/' | '_' | '.'))
        && resolve::plain(string) == resolve::Value::Str
        && !looks_like_number
        && !resolve::is_timestamp(string)
        && !string.ends_with([' ', ':'])
        && !string.contains(": ")
        && !string.contains(" #")
        && !string.starts_with("...")
        && !(in_flow_or_key && string.contains([',', '[', ']', '{', '}', '?', ':', '#']))
}

/// Whether a string of several lines can be written as a block scalar.
fn is_literal(string: &str) -> bool {
    let text = string.strip_suffix('\n').unwrap_or(string);
    text.contains('\n')
        && !text.starts_with([' ', '\n', '\t'])
        && !text.ends_with('\n')
        && text
            .split('\n')
            .all(|line| (line.is_empty() || !line.trim_ascii().is_empty()) && line.chars().all(is_printable))
}

fn double_quoted(string: &str, out: &mut String) {
    out.push('"');
    for character in string.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            other if is_printable(other) => out.push(other),
            // Everything that is not printable here is within the Basic Multilingual Plane.
            other => {
                let code = u32::from(other);
                out.push_str("\\u");
                out.extend(
                    [12, 8, 4, 0]
                        .iter()
                        .filter_map(|shift| char::from_digit(code >> shift & 0xf, 16)),
                );
            }
        }
    }
    out.push('"');
}
