//! Turns a document's text into one with another value, and keeps the text of all that stays.
//!
//! Where [`edit`](crate::edit) makes one change, this makes all that lead from one tree to another. Entries and items
//! are copied with their comments from the old text and put in the order of the new value; what is new is written in
//! the manner of the document. The result is parsed again and compared with the value.

use serde_json::Value;

use crate::edit::{Renderer, column, find_dash, line_end, line_start, offset, quote_of, same_number};
use crate::{Document, Node, Scalar, Span};

/// The field that identifies the items of a list with this key; `None` if none does.
pub type ItemKey = fn(&str) -> Option<&'static str>;

/// The text of a document with another value. Made by [`update`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Updated {
    /// The text that takes the place of the [document's](Document::span); `None` if it has the value already.
    pub text: Option<String>,
    /// Whether all of the document was written anew, because of the way that it was written. Comments are lost then.
    pub is_rewritten: bool,
}

/// Makes the text of a document with the value `new`.
///
/// Entries of mappings are matched by their keys. Items of lists are matched by the field that `item_key` names for
/// the key of the list, or else by their equality, or in lists of the same length by their place. Matched ones keep
/// their text, as far as they are the same.
pub fn update(document: &Document, new: &Value, item_key: ItemKey) -> Updated {
    let text = &document.text()[document.span().range()];
    let update = Update {
        text: document.text(),
        render: Renderer::of(document),
        item_key,
    };
    let root = document.root();
    if equal(root, new) {
        return Updated {
            text: None,
            is_rewritten: false,
        };
    }
    let span = document.span();
    let at = |offset: usize| offset - span.start as usize;
    let edited = update.root(root, new).map(|(region, mut replacement)| {
        let (before, after) = (
            &text[..at(region.start as usize)],
            &text[at(region.end as usize)..],
        );
        if after.is_empty() && !text.ends_with('\n') {
            replacement.truncate(replacement.trim_end_matches(['\r', '\n']).len());
        }
        format!("{before}{replacement}{after}")
    });
    let reads_back = |text: &String| {
        let chunks = crate::split(&text.as_str().into());
        let [chunk] = chunks.as_slice() else { return false };
        matches!(crate::parse_chunk(chunk), Some(Ok(document)) if equal(document.root(), new))
    };
    if let Some(edited) = edited.filter(reads_back) {
        return Updated {
            text: Some(edited),
            is_rewritten: false,
        };
    }
    let marker = if text.trim_start().starts_with("---") {
        format!("---{}", update.render.line_break)
    } else {
        String::new()
    };
    let mut replacement = marker;
    update.render.block(new, 0, 0, &mut replacement);
    replacement.push_str(update.render.line_break);
    Updated {
        text: Some(replacement),
        is_rewritten: true,
    }
}

/// Whether a node has a value; 1 and 1.0 are the same number.
pub fn equal(node: Node<'_>, value: &Value) -> bool {
    match (node.scalar(), value) {
        (Some(Scalar::Null), Value::Null) => true,
        (Some(Scalar::Bool(a)), Value::Bool(b)) => a == *b,
        (Some(Scalar::Str(a)), Value::String(b)) => a == b,
        (Some(Scalar::Int(_) | Scalar::UInt(_) | Scalar::Float(_)), Value::Number(b)) => match node.to_json()
        {
            Value::Number(a) => same_number(&a, b),
            _ => false,
        },
        (None, Value::Array(items)) => {
            node.is_sequence()
                && node.len() == items.len()
                && node.items().zip(items).all(|(node, value)| equal(node, value))
        }
        (None, Value::Object(entries)) => {
            node.is_mapping()
                && node.len() == entries.len()
                // Most often the order is the same.
                && node.entries().zip(entries).all(|(entry, (key, value))| {
                    if entry.key == key {
                        equal(entry.value, value)
                    } else {
                        entries.get(entry.key).is_some_and(|value| equal(entry.value, value))
                    }
                })
        }
        _ => false,
    }
}

struct Update<'d> {
    text: &'d str,
    render: Renderer<'d>,
    item_key: ItemKey,
}

/// An entry or item as it is written.
struct Element<'d> {
    /// Comments and blank lines above it.
    lead: &'d str,
    /// From its key or dash to the end of its last line, with the line break.
    body: Span,
    value: Node<'d>,
    /// The end of its key or dash.
    head_end: u32,
}

impl<'d> Update<'d> {
    /// The part of the document with the root value, and its new text.
    fn root(&self, root: Node<'d>, new: &Value) -> Option<(Span, String)> {
        if root.is_flow() {
            return Some((root.span(), flow_root(root, new)));
        }
        let span = root.span();
        let start = offset(line_start(self.text, span.start));
        let end = offset(line_end(self.text, span.end, true));
        let text = self.block(root, new, "", start)?;
        Some((Span::new(start, end), text))
    }

    /// The new text of a block collection whose text begins at `start`: the start of a line, or of its first key or
    /// dash after another dash. `None` if it cannot be told apart from what is around it.
    fn block(&self, node: Node<'d>, new: &Value, field: &str, start: u32) -> Option<String> {
        match new {
            Value::Object(entries) if node.is_mapping() => self.mapping(node, entries, start),
            Value::Array(items) if node.is_sequence() => self.sequence(node, items, field, start),
            _ => None,
        }
    }

    fn mapping(&self, node: Node<'d>, new: &serde_json::Map<String, Value>, start: u32) -> Option<String> {
        let column = column(self.text, node.span().start);
        let mut from = start;
        let mut elements = Vec::with_capacity(node.len());
        for entry in node.entries() {
            if entry.merged {
                return None;
            }
            elements.push((
                entry.key,
                self.element(&mut from, entry.key_span.start, entry.key_span.end, entry.value)?,
            ));
        }
        if node.written_entries().len() != elements.len() {
            return None;
        }
        let mut out = String::with_capacity((from - start) as usize + 256);
        for (index, (key, value)) in new.iter().enumerate() {
            let place = (index, column, start);
            // The keys are mostly in the same order.
            let element = match elements.get(index) {
                Some((at, element)) if at == key => Some(element),
                _ => elements
                    .iter()
                    .find(|(at, _)| at == key)
                    .map(|(_, element)| element),
            };
            if let Some(element) = element {
                self.lead(&mut out, place, element.lead);
                self.entry(&mut out, element, value, key, column)?;
            } else {
                self.lead(&mut out, place, "");
                self.render.block_entry(key, value, column, &mut out);
                out.push_str(self.render.line_break);
            }
        }
        Some(out)
    }

    fn sequence(&self, node: Node<'d>, new: &[Value], field: &str, start: u32) -> Option<String> {
        let mut from = start;
        let mut elements = Vec::with_capacity(node.len());
        for item in node.items() {
            let dash = find_dash(self.text, from);
            elements.push(Some(self.element(&mut from, dash, dash + 1, item)?));
        }
        let column = column(self.text, node.span().start);
        let matched = self.matched(node, new, field);
        let mut out = String::with_capacity((from - start) as usize + 256);
        for (index, (value, matched)) in new.iter().zip(matched).enumerate() {
            let place = (index, column, start);
            if let Some(element) = matched.and_then(|at| elements[at].take()) {
                self.lead(&mut out, place, element.lead);
                self.entry(&mut out, &element, value, "", column)?;
            } else {
                self.lead(&mut out, place, "");
                out.push_str("- ");
                self.render.block(value, column + 2, column + 2, &mut out);
                out.push_str(self.render.line_break);
            }
        }
        Some(out)
    }

    /// The old item for each new one.
    fn matched(&self, node: Node<'d>, new: &[Value], field: &str) -> Vec<Option<usize>> {
        let old: Vec<_> = node.items().collect();
        let mut used = vec![false; old.len()];
        let key = (self.item_key)(field);
        let by_place = key.is_none() && old.len() == new.len();
        new.iter()
            .enumerate()
            .map(|(index, value)| {
                let is_same = |(at, old): &(usize, &Node<'d>)| {
                    !used[*at]
                        && match key.and_then(|key| Some((old.get(key)?, value.get(key)?))) {
                            Some((old, value)) => equal(old, value),
                            None => equal(**old, value),
                        }
                };
                let found = if by_place {
                    Some(index)
                } else {
                    old.iter().enumerate().find(is_same).map(|(at, _)| at)
                };
                if let Some(at) = found {
                    used[at] = true;
                }
                found
            })
            .collect()
    }

    /// The element that begins at `head`, and whose text ends where the next one's may begin.
    fn element(&self, from: &mut u32, head: u32, head_end: u32, value: Node<'d>) -> Option<Element<'d>> {
        let line = offset(line_start(self.text, head));
        let lead_end = line.max(*from);
        let end = offset(line_end(self.text, value.span().end.max(head_end), true));
        if head < *from || end < head {
            return None;
        }
        // What stands before the key or dash in its line must be blank.
        let is_alone = self.text[lead_end as usize..head as usize]
            .bytes()
            .all(|byte| byte == b' ');
        let lead = &self.text[*from as usize..lead_end as usize];
        *from = end;
        is_alone.then_some(Element {
            lead,
            body: Span::new(head, end),
            value,
            head_end,
        })
    }

    /// Writes what stands before an element: the end of the line of a dash, comments, indentation.
    fn lead(&self, out: &mut String, (index, column, start): (usize, usize, u32), lead: &str) {
        let is_inline = start as usize != line_start(self.text, start);
        if index > 0 || !is_inline {
            out.push_str(lead);
            out.extend(std::iter::repeat_n(' ', column));
        } else if !lead.is_empty() {
            out.push_str(self.render.line_break);
            out.push_str(lead);
            out.extend(std::iter::repeat_n(' ', column));
        }
    }

    /// Writes an element with a value, up to the line break.
    fn entry(
        &self,
        out: &mut String,
        element: &Element<'d>,
        new: &Value,
        key: &str,
        column: usize,
    ) -> Option<()> {
        let body = &self.text[element.body.range()];
        let begin = out.len();
        if equal(element.value, new) {
            out.push_str(body);
        } else {
            self.changed(out, element, new, key, column)?;
        }
        if out.len() > begin && !out.ends_with('\n') {
            out.push_str(self.render.line_break);
        }
        Some(())
    }

    fn changed(
        &self,
        out: &mut String,
        element: &Element<'d>,
        new: &Value,
        key: &str,
        column: usize,
    ) -> Option<()> {
        let node = element.value;
        let (start, end) = (node.span().start, node.span().end);
        let is_filled = |value: &Value| match value {
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            _ => false,
        };
        let same_kind = node.is_mapping() && new.is_object() || node.is_sequence() && new.is_array();
        let is_block = !node.is_flow() && !node.is_alias() && node.scalar().is_none();
        if is_block && same_kind && is_filled(new) {
            let between = &self.text[element.head_end as usize..start as usize];
            let start = match between.find('\n') {
                Some(line_break) => element.head_end + offset(line_break) + 1,
                None => start,
            };
            out.push_str(&self.text[element.body.start as usize..start as usize]);
            out.push_str(&self.block(node, new, key, start)?);
            return Some(());
        }
        if node.is_flow() && same_kind && !node.is_empty() && is_flat(new) {
            out.push_str(&self.text[element.body.start as usize..start as usize]);
            self.flow(out, node, new);
            out.push_str(&self.text[end as usize..element.body.end as usize]);
            return Some(());
        }
        // The rest of the last line, which may be a comment.
        let rest = if is_block {
            ""
        } else {
            self.text[end as usize..element.body.end as usize].trim_end()
        };
        let head = &self.text[element.body.start as usize..element.head_end as usize];
        let is_item = head == "-";
        out.push_str(head);
        if is_item {
            out.push(' ');
            self.render.block(new, column + 2, column + 2, out);
            return Some(());
        }
        out.push(':');
        if is_filled(new) {
            out.push_str(rest);
            let indent = if new.is_array() && self.render.compact {
                column
            } else {
                column + 2
            };
            self.render.new_line(indent, out);
            self.render.block(new, indent, column + 4, out);
        } else {
            out.push(' ');
            match new {
                Value::String(string) => {
                    // What follows in the line would become part of a block scalar.
                    let quote =
                        quote_of(node.raw()).or((!rest.is_empty() && string.contains('\n')).then_some('"'));
                    self.render.string(string, quote, false, column + 2, out);
                }
                other => self.render.flow(other, false, out),
            }
            out.push_str(rest);
        }
        Some(())
    }

    /// Writes a flow collection on one line; what stays keeps its text.
    fn flow(&self, out: &mut String, node: Node<'d>, new: &Value) {
        match new {
            Value::Object(entries) => {
                let json = node.raw().trim_start_matches(['{', ' ']).starts_with('"');
                out.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    match node
                        .entry(key)
                        .filter(|entry| equal(entry.value, value) && !entry.merged)
                    {
                        Some(entry) if !entry.value.span().is_empty() => {
                            out.push_str(&self.text[entry.key_span.range()]);
                            out.push_str(": ");
                            out.push_str(entry.value.raw());
                        }
                        _ => {
                            self.render.flow_key(key, json, out);
                            self.render.flow(value, json, out);
                        }
                    }
                }
                out.push('}');
            }
            Value::Array(items) => {
                let json = node.raw().trim_start_matches(['[', ' ']).starts_with('"');
                let old: Vec<_> = node.items().collect();
                out.push('[');
                for (index, value) in items.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    match old
                        .iter()
                        .find(|old| equal(**old, value) && !old.span().is_empty())
                    {
                        Some(old) => out.push_str(old.raw()),
                        None => self.render.flow(value, json, out),
                    }
                }
                out.push(']');
            }
            scalar => self.render.flow(scalar, false, out),
        }
    }
}

/// Whether a collection has nothing but short scalars in it.
fn is_flat(value: &Value) -> bool {
    const LONGEST: usize = 60;
    let is_short = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => false,
        Value::String(text) => text.len() <= LONGEST,
        _ => true,
    };
    match value {
        Value::Array(items) => items.iter().all(is_short),
        Value::Object(entries) => entries.values().all(is_short),
        _ => false,
    }
}

/// JSON is written as JSON, over several lines if it was.
fn flow_root(root: Node<'_>, new: &Value) -> String {
    let raw = root.raw();
    let indentation = raw
        .lines()
        .nth(1)
        .map(|line| line.len() - line.trim_ascii_start().len());
    let Some(width) = indentation.filter(|width| *width > 0) else {
        return new.to_string();
    };
    let indentation = " ".repeat(width);
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indentation.as_bytes());
    let mut out = Vec::with_capacity(raw.len() * 4);
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
    let written = serde::Serialize::serialize(new, &mut serializer);
    match (written, String::from_utf8(out)) {
        (Ok(()), Ok(text)) => text,
        _ => new.to_string(),
    }
}
