//! Puts nodes into the arena of a document, whichever parser finds them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hasher;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use crate::resolve::{self, Value};
use crate::span::saturating_u32;
use crate::tree::{RawNode, TableEntry, Tag, Tree};
use crate::{Chunk, Comment, Document, MAX_DEPTH, Span, SyntaxError};

/// How much aliases may add to a document, in nodes; long strings count as several.
///
/// The limit of go-yaml for small documents, which is the one that bombs meet.
const MAX_ALIAS_EXPANSION: u64 = 400_000;

/// Up to this many keys, a mapping looks for duplicates by comparing.
const FEW_KEYS: u32 = 32;

pub(crate) struct Builder<'t> {
    /// The text of the whole file.
    text: &'t str,
    nodes: Vec<RawNode>,
    decoded: String,
    tables: Vec<(u32, Box<[TableEntry]>)>,
    comments: Vec<Comment>,
    problems: Vec<SyntaxError>,
    stack: Vec<Frame>,
    anchors: FxHashMap<usize, Anchor>,
    expansion: u64,
}

/// A collection that is still open.
struct Frame {
    node: u32,
    mapping: bool,
    /// A mapping whose last key has no value yet.
    wants_value: bool,
    /// Has a merge key or a duplicate key.
    needs_table: bool,
    /// Keys or items so far.
    count: u32,
    /// End of the last value so far.
    end: u32,
    /// One bit for the hash of each key so far.
    seen: u64,
    /// The keys with their nodes, once there are more than a few.
    many: Option<Box<ManyKeys>>,
    anchor: usize,
    size: Size,
}

/// Boxed in the frame, because it is rare and large.
struct ManyKeys(HashMap<Box<str>, u32>);

/// How large a value is with its aliases expanded.
#[derive(Copy, Clone)]
struct Size {
    /// Nodes; long strings count as several.
    nodes: u64,
    /// Levels of collections.
    height: usize,
}

#[derive(Copy, Clone)]
enum Anchor {
    /// A collection that is still open, so that an alias would contain itself.
    Open,
    Scalar(RawNode, Size),
    Collection(u32, Size),
}

/// Where the content of a scalar is.
#[derive(Copy, Clone)]
pub(crate) enum Content<'c> {
    /// The text of the file between these offsets.
    Source(Span),
    /// Text that differs from its source.
    Decoded(&'c str),
}

/// The growing parts of a builder, kept by each thread for its next document.
#[derive(Default)]
struct Storage {
    nodes: Vec<RawNode>,
    decoded: String,
    comments: Vec<Comment>,
    stack: Vec<Frame>,
}

/// Storage for more nodes than this is given back to the system.
const MAX_KEPT_NODES: usize = 1 << 16;

thread_local! {
    static STORAGE: RefCell<Storage> = RefCell::default();
}

impl Drop for Builder<'_> {
    fn drop(&mut self) {
        let large = self.nodes.capacity() > MAX_KEPT_NODES
            || self.decoded.capacity() > MAX_KEPT_NODES
            || self.comments.capacity() > MAX_KEPT_NODES;
        if large {
            return;
        }
        self.nodes.clear();
        self.decoded.clear();
        self.comments.clear();
        self.stack.clear();
        let storage = Storage {
            nodes: std::mem::take(&mut self.nodes),
            decoded: std::mem::take(&mut self.decoded),
            comments: std::mem::take(&mut self.comments),
            stack: std::mem::take(&mut self.stack),
        };
        // Fails only while the thread ends, when nothing is worth keeping.
        let _ = STORAGE.try_with(|kept| kept.replace(storage));
    }
}

impl<'t> Builder<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let Storage {
            nodes,
            decoded,
            comments,
            stack,
        } = STORAGE.take();
        Self {
            text,
            nodes,
            decoded,
            tables: Vec::new(),
            comments,
            problems: Vec::new(),
            stack,
            anchors: FxHashMap::default(),
            expansion: 0,
        }
    }

    /// Whether the next node is a key.
    pub(crate) fn wants_key(&self) -> bool {
        self.stack
            .last()
            .is_some_and(|frame| frame.mapping && !frame.wants_value)
    }

    /// Whether the next node is the value of a key.
    pub(crate) fn wants_value(&self) -> bool {
        self.stack.last().is_some_and(|frame| frame.wants_value)
    }

    pub(crate) fn comment(&mut self, span: Span) {
        self.comments.push(Comment { span });
    }

    /// Adds a scalar that is not a key. Anchor 0 is none.
    pub(crate) fn scalar(
        &mut self,
        span: Span,
        value: Value,
        content: Content<'_>,
        anchor: usize,
    ) -> Result<(), SyntaxError> {
        let (node, size) = self
            .make_scalar(span, value, content)
            .ok_or_else(|| not_finite(span))?;
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Scalar(node, size));
        }
        self.add(node, size);
        Ok(())
    }

    /// Adds a scalar key with the content `text`. Anchor 0 is none.
    pub(crate) fn key(
        &mut self,
        span: Span,
        value: Value,
        text: &str,
        content: Content<'_>,
        anchor: usize,
    ) -> Result<(), SyntaxError> {
        if anchor != 0 {
            // An alias means the value as written, not the string that the key becomes.
            let (node, size) = self
                .make_scalar(span, value, content)
                .ok_or_else(|| not_finite(span))?;
            self.anchors.insert(anchor, Anchor::Scalar(node, size));
        }
        let key = resolve::key(value, text).ok_or_else(|| unusable_key(value, span))?;
        let content = match content {
            content if value == Value::Str => content,
            Content::Source(source) if self.text[source.range()] == *key => content,
            _ => Content::Decoded(&key),
        };
        self.push_key(span, &key, content);
        Ok(())
    }

    /// Adds a merge key (`<<`).
    pub(crate) fn merge_key(&mut self, span: Span) {
        let node = RawNode {
            merge: true,
            ..RawNode::new(span, Tag::Source, span.start, span.end)
        };
        self.nodes.push(node);
        if let Some(frame) = self.stack.last_mut() {
            frame.needs_table = true;
            frame.wants_value = true;
            frame.count = frame.count.saturating_add(1);
        }
    }

    /// Adds an alias, as key or value, to the anchor with this number.
    pub(crate) fn alias(&mut self, span: Span, anchor: usize) -> Result<(), SyntaxError> {
        let target = self.anchors.get(&anchor).copied();
        match target {
            None => Err(SyntaxError::new("alias of an unknown anchor", span)),
            Some(Anchor::Open) => Err(SyntaxError::new(
                "the alias is inside the value that it stands for",
                span,
            )),
            Some(Anchor::Scalar(node, size)) => {
                self.expand(size, span)?;
                if self.wants_key() {
                    return self.alias_key(span, node);
                }
                self.add(
                    RawNode {
                        start: span.start,
                        end: span.end,
                        ..node
                    },
                    size,
                );
                Ok(())
            }
            Some(Anchor::Collection(..)) if self.wants_key() => Err(collection_key(span)),
            Some(Anchor::Collection(node, size)) => {
                self.expand(size, span)?;
                self.add(RawNode::new(span, Tag::Alias, node, 0), size);
                Ok(())
            }
        }
    }

    fn alias_key(&mut self, span: Span, node: RawNode) -> Result<(), SyntaxError> {
        let value = match node.tag {
            Tag::Bool => Value::Bool(node.a != 0),
            #[expect(clippy::cast_precision_loss, reason = "the number was floating point before")]
            Tag::Int if node.float => Value::Float(node.bits().cast_signed() as f64),
            #[expect(clippy::cast_precision_loss, reason = "the number was floating point before")]
            Tag::UInt if node.float => Value::Float(node.bits() as f64),
            Tag::Int => Value::Int(node.bits().cast_signed()),
            Tag::Float => Value::Float(f64::from_bits(node.bits())),
            Tag::Source => {
                let source = Span::new(node.a, node.b);
                let text = self.text;
                self.push_key(span, &text[source.range()], Content::Source(source));
                return Ok(());
            }
            Tag::Decoded => {
                let text = self.decoded[node.a as usize..node.b as usize].to_owned();
                self.push_key(span, &text, Content::Decoded(&text));
                return Ok(());
            }
            Tag::UInt => Value::UInt(node.bits()),
            Tag::Null | Tag::Mapping | Tag::MappingTable | Tag::Sequence | Tag::Alias => Value::Null,
        };
        let key = resolve::key(value, "").ok_or_else(|| unusable_key(value, span))?;
        self.push_key(span, &key, Content::Decoded(&key));
        Ok(())
    }

    /// Opens a collection that begins at `start`. Anchor 0 is none.
    pub(crate) fn open(
        &mut self,
        start: u32,
        mapping: bool,
        flow: bool,
        anchor: usize,
    ) -> Result<(), SyntaxError> {
        let span = Span::empty(start);
        if self.wants_key() {
            return Err(collection_key(span));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor::Open);
        }
        let node = saturating_u32(self.nodes.len());
        let tag = if mapping { Tag::Mapping } else { Tag::Sequence };
        self.nodes.push(RawNode {
            flow,
            ..RawNode::new(span, tag, 0, 0)
        });
        self.stack.push(Frame {
            node,
            mapping,
            wants_value: false,
            needs_table: false,
            count: 0,
            end: start,
            seen: 0,
            many: None,
            anchor,
            size: Size { nodes: 1, height: 1 },
        });
        Ok(())
    }

    /// Closes the innermost collection, at `end` or else at the end of its last value. Tells
    /// whether it is in flow style.
    pub(crate) fn close(&mut self, end: Option<u32>) -> Result<bool, SyntaxError> {
        let Some(frame) = self.stack.pop() else {
            return Ok(false);
        };
        let after = saturating_u32(self.nodes.len());
        let end = end.unwrap_or(frame.end);
        let node = &mut self.nodes[frame.node as usize];
        node.a = after;
        node.b = frame.count;
        node.end = end;
        let flow = node.flow;
        if frame.needs_table {
            node.tag = Tag::MappingTable;
            let table = self.table(frame.node, frame.count)?;
            let at = self.tables.partition_point(|(mapping, _)| *mapping < frame.node);
            self.tables.insert(at, (frame.node, table));
        }
        if frame.anchor != 0 {
            self.anchors
                .insert(frame.anchor, Anchor::Collection(frame.node, frame.size));
        }
        self.count(end, frame.size);
        Ok(flow)
    }

    /// The document, once every collection is closed.
    pub(crate) fn finish(mut self, chunk: &Chunk) -> Document {
        if self.nodes.is_empty() {
            self.nodes
                .push(RawNode::new(Span::empty(chunk.span.end), Tag::Null, 0, 0));
        }
        Document(Arc::new(Tree {
            text: Arc::clone(&chunk.text),
            span: chunk.span,
            index: chunk.index,
            nodes: self.nodes.as_slice().into(),
            decoded: self.decoded.as_str().into(),
            tables: std::mem::take(&mut self.tables).into(),
            comments: self.comments.as_slice().into(),
            problems: std::mem::take(&mut self.problems).into(),
        }))
    }

    /// `None` for numbers that JSON cannot write.
    fn make_scalar(&mut self, span: Span, value: Value, content: Content<'_>) -> Option<(RawNode, Size)> {
        let (tag, bits, float) = match value {
            Value::Null => (Tag::Null, 0, false),
            Value::Bool(value) => (Tag::Bool, u64::from(value), false),
            Value::Int(value) => (Tag::Int, value.cast_unsigned(), false),
            Value::UInt(value) => (Tag::UInt, value, false),
            Value::Float(value) => match resolve::integral(value) {
                Some(Value::Int(value)) => (Tag::Int, value.cast_unsigned(), true),
                Some(Value::UInt(value)) => (Tag::UInt, value, true),
                _ if value.is_finite() => (Tag::Float, value.to_bits(), true),
                _ => return None,
            },
            Value::Str => {
                let node = self.string(span, content);
                // Long strings weigh more, so that aliases cannot multiply them without end.
                let nodes = 1 + u64::from(node.b - node.a) / 32;
                return Some((node, Size { nodes, height: 0 }));
            }
        };
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
        let (a, b) = (bits as u32, (bits >> 32) as u32);
        Some((
            RawNode {
                float,
                ..RawNode::new(span, tag, a, b)
            },
            Size { nodes: 1, height: 0 },
        ))
    }

    fn string(&mut self, span: Span, content: Content<'_>) -> RawNode {
        match content {
            Content::Source(source) => RawNode::new(span, Tag::Source, source.start, source.end),
            Content::Decoded(text) => {
                let start = saturating_u32(self.decoded.len());
                self.decoded.push_str(text);
                RawNode::new(span, Tag::Decoded, start, saturating_u32(self.decoded.len()))
            }
        }
    }

    /// Adds a scalar or an alias that is not a key.
    fn add(&mut self, node: RawNode, size: Size) {
        self.nodes.push(node);
        self.count(node.end, size);
    }

    /// Tells the innermost collection that it has one more value.
    fn count(&mut self, end: u32, size: Size) {
        let Some(frame) = self.stack.last_mut() else {
            return;
        };
        if frame.mapping {
            frame.wants_value = false;
        } else {
            frame.count = frame.count.saturating_add(1);
        }
        frame.end = end;
        frame.size.nodes = frame.size.nodes.saturating_add(size.nodes);
        frame.size.height = frame.size.height.max(size.height + 1);
    }

    fn expand(&mut self, size: Size, span: Span) -> Result<(), SyntaxError> {
        self.expansion = self.expansion.saturating_add(size.nodes);
        if self.expansion > MAX_ALIAS_EXPANSION {
            let message = "the aliases of the document expand to more than 400000 values";
            return Err(SyntaxError::new(message, span));
        }
        if self.stack.len() + size.height > MAX_DEPTH {
            return Err(too_deep(span));
        }
        Ok(())
    }

    fn push_key(&mut self, span: Span, key: &str, content: Content<'_>) {
        let node = self.string(span, content);
        let duplicate = self.find_duplicate(key);
        let index = saturating_u32(self.nodes.len());
        self.nodes.push(node);
        if let Some(frame) = self.stack.last_mut() {
            frame.wants_value = true;
            frame.count = frame.count.saturating_add(1);
            frame.end = span.end;
            frame.size.nodes = frame
                .size
                .nodes
                .saturating_add(1 + u64::from(node.b - node.a) / 32);
            frame.needs_table |= duplicate.is_some();
            if let Some(many) = &mut frame.many {
                many.0.insert(key.into(), index);
            }
        }
        if let Some(first) = duplicate {
            let first = self.nodes[first as usize];
            self.problems.push(
                SyntaxError::new(format!("duplicate key `{key}`"), span)
                    .with_related(Span::new(first.start, first.end), "the same key is here")
                    .with_help("remove one of them; the last one is used"),
            );
        }
    }

    /// The node of an earlier key of the innermost mapping that equals `key`.
    fn find_duplicate(&mut self, key: &str) -> Option<u32> {
        let frame = self.stack.last_mut()?;
        let bit = key_bit(key);
        if frame.seen & bit == 0 {
            frame.seen |= bit;
            if frame.count < FEW_KEYS {
                return None;
            }
        }
        if frame.count < FEW_KEYS {
            let (node, count) = (frame.node, frame.count);
            return self
                .keys(node, count)
                .find(|&(_, existing)| existing == key)
                .map(|(node, _)| node);
        }
        if frame.many.is_none() {
            let (node, count) = (frame.node, frame.count);
            let many = self
                .keys(node, count)
                .map(|(node, existing)| (existing.into(), node))
                .collect();
            let frame = self.stack.last_mut()?;
            frame.many = Some(Box::new(ManyKeys(many)));
        }
        self.stack.last()?.many.as_ref()?.0.get(key).copied()
    }

    /// The first `count` keys of a mapping with their nodes, without merge keys.
    fn keys(&self, mapping: u32, count: u32) -> impl Iterator<Item = (u32, &str)> {
        self.pairs(mapping, count)
            .filter(|pair| !self.nodes[pair.key as usize].merge)
            .map(|pair| (pair.key, self.key_text(pair.key)))
    }

    /// The first `count` pairs of a mapping as written.
    fn pairs(&self, mapping: u32, count: u32) -> impl Iterator<Item = TableEntry> {
        let mut next = mapping + 1;
        (0..count).map(move |_| {
            let pair = TableEntry {
                key: next,
                value: next + 1,
                merged: false,
            };
            next = self
                .nodes
                .get(pair.value as usize)
                .map_or(next, |value| value.after(pair.value));
            pair
        })
    }

    fn key_text(&self, key: u32) -> &str {
        let node = self.nodes[key as usize];
        let source = if node.tag == Tag::Decoded {
            &*self.decoded
        } else {
            self.text
        };
        &source[node.a as usize..node.b as usize]
    }

    /// The entries of a mapping with its merge keys applied and duplicates removed.
    ///
    /// As in go-yaml, keys and merges take effect in their order: a merge replaces earlier keys, a key
    /// replaces earlier merges. Of several merged mappings the first wins.
    fn table(&mut self, mapping: u32, count: u32) -> Result<Box<[TableEntry]>, SyntaxError> {
        let mut table = Table::default();
        let mut problems = Vec::new();
        for pair in self.pairs(mapping, count) {
            let key = self.nodes[pair.key as usize];
            if !key.merge {
                table.insert(self.key_text(pair.key), pair);
                continue;
            }
            for source in self.merge_sources(pair.value)? {
                for entry in self.resolved_entries(source) {
                    let text = self.key_text(entry.key);
                    let replaced = table.insert(
                        text,
                        TableEntry {
                            merged: true,
                            ..entry
                        },
                    );
                    if let Some(replaced) = replaced.filter(|replaced| !replaced.merged) {
                        let replaced = self.nodes[replaced.key as usize];
                        problems.push(
                            SyntaxError::new(
                                format!("key `{text}` is replaced by the merge after it"),
                                Span::new(replaced.start, replaced.end),
                            )
                            .with_related(Span::new(key.start, key.end), "the merge is here")
                            .with_help("move the merge above the keys that should win"),
                        );
                    }
                }
            }
        }
        let entries = table.entries.into();
        self.problems.append(&mut problems);
        Ok(entries)
    }

    /// The mappings that a merge key's value names, the one that wins last.
    fn merge_sources(&self, value: u32) -> Result<Vec<u32>, SyntaxError> {
        let node = self.nodes[value as usize];
        let as_mapping = |index: u32| {
            let node = self.nodes[index as usize];
            let target = if node.tag == Tag::Alias { node.a } else { index };
            if matches!(self.nodes[target as usize].tag, Tag::Mapping | Tag::MappingTable) {
                Ok(target)
            } else {
                let span = Span::new(node.start, node.end);
                Err(SyntaxError::new(
                    "a merge key needs a mapping or a list of mappings",
                    span,
                ))
            }
        };
        if node.tag != Tag::Sequence {
            return Ok(vec![as_mapping(value)?]);
        }
        let mut sources = Vec::new();
        let mut next = value + 1;
        for _ in 0..node.b {
            sources.push(as_mapping(next)?);
            next = self.nodes[next as usize].after(next);
        }
        sources.reverse();
        Ok(sources)
    }

    fn resolved_entries(&self, mapping: u32) -> Vec<TableEntry> {
        match self.tables.binary_search_by_key(&mapping, |(node, _)| *node) {
            Ok(at) => self.tables[at].1.to_vec(),
            Err(_) => self.pairs(mapping, self.nodes[mapping as usize].b).collect(),
        }
    }
}

/// Entries in the order of their first key.
#[derive(Default)]
struct Table<'k> {
    entries: Vec<TableEntry>,
    places: HashMap<&'k str, usize>,
}

impl<'k> Table<'k> {
    /// Adds an entry, in place of the one with the same key if there is one, which is returned.
    fn insert(&mut self, key: &'k str, entry: TableEntry) -> Option<TableEntry> {
        match self.places.entry(key) {
            std::collections::hash_map::Entry::Occupied(place) => {
                Some(std::mem::replace(&mut self.entries[*place.get()], entry))
            }
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.entries.len());
                self.entries.push(entry);
                None
            }
        }
    }
}

/// One of 64 bits, chosen by the content of the key.
fn key_bit(key: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(key.as_bytes());
    1 << (hasher.finish() >> 58)
}

fn not_finite(span: Span) -> SyntaxError {
    SyntaxError::new("infinity and not-a-number cannot be written as JSON", span)
        .with_help("quote the value if it is meant as a string")
}

fn collection_key(span: Span) -> SyntaxError {
    SyntaxError::new("a key cannot be a mapping or a sequence", span)
}

fn unusable_key(value: Value, span: Span) -> SyntaxError {
    let what = if value == Value::Null {
        "null"
    } else {
        "an integer of more than 63 bits"
    };
    SyntaxError::new(format!("a key cannot be {what}"), span).with_help("quote the key")
}

fn too_deep(span: Span) -> SyntaxError {
    SyntaxError::new(format!("nested deeper than {MAX_DEPTH} levels"), span)
}
