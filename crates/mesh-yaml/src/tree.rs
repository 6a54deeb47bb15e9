//! The tree of a document: an arena of small nodes over the text of the file.

use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use crate::{FieldPath, Segment, Span, SyntaxError};

/// One parsed document. Cloning is cheap: clones share the tree.
#[derive(Clone)]
pub struct Document(pub(crate) Arc<Tree>);

/// The storage of a document.
///
/// Nodes are in source order, a collection before its content: `nodes[i + 1..nodes[i].a]` is the content of
/// collection `i`, where keys and values alternate in a mapping. A key is always a string node.
pub(crate) struct Tree {
    pub(crate) text: Arc<str>,
    pub(crate) span: Span,
    pub(crate) index: usize,
    pub(crate) nodes: Box<[RawNode]>,
    /// Contents of strings that differ from their source.
    pub(crate) decoded: Box<str>,
    /// Entries of mappings with merge keys or duplicate keys, by node number.
    pub(crate) tables: Box<[(u32, Box<[TableEntry]>)]>,
    pub(crate) comments: Box<[Comment]>,
    pub(crate) problems: Box<[SyntaxError]>,
}

/// A node of the arena. What `a` and `b` hold depends on `tag`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawNode {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) a: u32,
    pub(crate) b: u32,
    pub(crate) tag: Tag,
    /// The number was written as floating point. Only keys by alias care.
    pub(crate) float: bool,
    /// The collection is in flow style.
    pub(crate) flow: bool,
    /// The key is a merge key.
    pub(crate) merge: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tag {
    Null,
    /// `a` is 0 or 1.
    Bool,
    /// `a` and `b` are the low and high half of an `i64`.
    Int,
    /// `a` and `b` are the low and high half of a `u64` above `i64::MAX`.
    UInt,
    /// `a` and `b` are the low and high half of the bits of an `f64`.
    Float,
    /// A string whose content is the text from `a` to `b`.
    Source,
    /// A string whose content is `decoded[a..b]`.
    Decoded,
    /// A mapping of `b` pairs whose content ends before node `a`.
    Mapping,
    /// The same, with its entries in `tables`.
    MappingTable,
    /// A sequence of `b` items whose content ends before node `a`.
    Sequence,
    /// Stands for the collection at node `a`. Aliases of scalars are copies.
    Alias,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableEntry {
    pub(crate) key: u32,
    pub(crate) value: u32,
    pub(crate) merged: bool,
}

impl RawNode {
    pub(crate) const fn new(span: Span, tag: Tag, a: u32, b: u32) -> Self {
        Self {
            start: span.start,
            end: span.end,
            a,
            b,
            tag,
            float: false,
            flow: false,
            merge: false,
        }
    }

    /// The number of the node after this one, number `index`, and its content.
    pub(crate) const fn after(self, index: u32) -> u32 {
        match self.tag {
            Tag::Mapping | Tag::MappingTable | Tag::Sequence => self.a,
            _ => index + 1,
        }
    }

    pub(crate) const fn bits(self) -> u64 {
        (self.a as u64) | ((self.b as u64) << 32)
    }
}

impl Tree {
    fn raw(&self, index: u32) -> RawNode {
        self.nodes[index as usize]
    }

    /// The string of a string node, empty for others.
    fn string(&self, node: RawNode) -> &str {
        let source = match node.tag {
            Tag::Source => &*self.text,
            Tag::Decoded => &*self.decoded,
            _ => return "",
        };
        &source[node.a as usize..node.b as usize]
    }

    /// The number of the node after node `index` and its content.
    fn after(&self, index: u32) -> u32 {
        self.raw(index).after(index)
    }

    fn table(&self, index: u32) -> &[TableEntry] {
        match self.tables.binary_search_by_key(&index, |(mapping, _)| *mapping) {
            Ok(at) => &self.tables[at].1,
            Err(_) => &[],
        }
    }
}

/// A comment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// From the `#` to the end of the line, without the line break.
    pub span: Span,
}

impl Comment {
    /// The comment as written, `#` included. `text` is the text of the file.
    pub fn text(self, text: &str) -> &str {
        text.get(self.span.range()).unwrap_or_default()
    }
}

impl Document {
    /// The root value. It is never null when the document comes from [`parse`](crate::parse).
    pub fn root(&self) -> Node<'_> {
        Node {
            tree: &self.0,
            index: 0,
        }
    }

    /// Number of the document in its file, from 0. Documents that were left out because they are empty count.
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// The text of the whole file, which all spans refer to.
    pub fn text(&self) -> &Arc<str> {
        &self.0.text
    }

    /// Where the document is in the file, as [`Chunk::span`](crate::Chunk::span).
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// The comments in order.
    pub fn comments(&self) -> &[Comment] {
        &self.0.comments
    }

    /// What a strict reader refuses although the meaning is clear, in order: duplicate keys, of which the
    /// last counts, and keys that a later merge (`<<`) replaces.
    pub fn problems(&self) -> &[SyntaxError] {
        &self.0.problems
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("index", &self.index())
            .field("span", &self.span())
            .field("root", &self.root())
            .finish_non_exhaustive()
    }
}

/// What a value is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean, such as `true`, `yes` or `on`.
    Bool,
    /// A number without fraction. `1.0` and `1e3` are integers too, because that is how JSON shows them.
    Integer,
    /// Another number.
    Float,
    /// A string.
    String,
    /// A mapping (JSON object).
    Mapping,
    /// A sequence (JSON array).
    Sequence,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool => "a boolean",
            Self::Integer => "an integer",
            Self::Float => "a number",
            Self::String => "a string",
            Self::Mapping => "a mapping",
            Self::Sequence => "a sequence",
        })
    }
}

/// The value of a scalar.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Scalar<'a> {
    /// `null`, `~` or nothing.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above `i64::MAX`.
    UInt(u64),
    /// Another number; finite.
    Float(f64),
    /// A string.
    Str(&'a str),
}

/// A value of a document. A cheap view; aliases are followed, merge keys applied.
#[derive(Copy, Clone)]
pub struct Node<'a> {
    tree: &'a Tree,
    index: u32,
}

impl<'a> Node<'a> {
    /// The node with its alias followed.
    fn target(self) -> (u32, RawNode) {
        let node = self.tree.raw(self.index);
        if node.tag == Tag::Alias {
            (node.a, self.tree.raw(node.a))
        } else {
            (self.index, node)
        }
    }

    fn node(self) -> RawNode {
        self.target().1
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        match self.node().tag {
            // An alias never stands for an alias.
            Tag::Null | Tag::Alias => Kind::Null,
            Tag::Bool => Kind::Bool,
            Tag::Int | Tag::UInt => Kind::Integer,
            Tag::Float => Kind::Float,
            Tag::Source | Tag::Decoded => Kind::String,
            Tag::Mapping | Tag::MappingTable => Kind::Mapping,
            Tag::Sequence => Kind::Sequence,
        }
    }

    /// The value of a scalar; `None` for collections.
    pub fn scalar(self) -> Option<Scalar<'a>> {
        let node = self.node();
        Some(match node.tag {
            Tag::Null | Tag::Alias => Scalar::Null,
            Tag::Bool => Scalar::Bool(node.a != 0),
            Tag::Int => Scalar::Int(node.bits().cast_signed()),
            Tag::UInt => Scalar::UInt(node.bits()),
            Tag::Float => Scalar::Float(f64::from_bits(node.bits())),
            Tag::Source | Tag::Decoded => Scalar::Str(self.tree.string(node)),
            Tag::Mapping | Tag::MappingTable | Tag::Sequence => return None,
        })
    }

    /// Where the value is in the file.
    ///
    /// - Scalar: its token, quotes included. A block scalar begins at its `|` or `>` and ends with its last
    ///   line that is not blank, without the line break. Tags and anchors do not belong to it.
    /// - Missing value, as in `key:`: empty, right after the colon or dash.
    /// - Block collection: from its first key or dash to the end of its last value. Flow collection: its
    ///   brackets.
    /// - Alias: the `*name`. What is inside has the spans of the anchored value.
    pub fn span(self) -> Span {
        let node = self.tree.raw(self.index);
        Span::new(node.start, node.end)
    }

    /// The source of the value: the text of its [span](Self::span).
    pub fn raw(self) -> &'a str {
        &self.tree.text[self.span().range()]
    }

    /// Whether the value is written as an alias (`*name`).
    pub fn is_alias(self) -> bool {
        let scalar = !matches!(
            self.tree.raw(self.index).tag,
            Tag::Mapping | Tag::MappingTable | Tag::Sequence
        );
        // No other token begins with an asterisk.
        scalar && self.raw().starts_with('*')
    }

    /// Whether the value is a collection in flow style (`[a, b]`, `{a: b}`).
    pub fn is_flow(self) -> bool {
        self.node().flow
    }

    /// Whether the value is null.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// Whether the value is a mapping.
    pub fn is_mapping(self) -> bool {
        self.kind() == Kind::Mapping
    }

    /// Whether the value is a sequence.
    pub fn is_sequence(self) -> bool {
        self.kind() == Kind::Sequence
    }

    /// The string; `None` for everything else, numbers and booleans included.
    pub fn as_str(self) -> Option<&'a str> {
        let node = self.node();
        matches!(node.tag, Tag::Source | Tag::Decoded).then(|| self.tree.string(node))
    }

    /// The boolean.
    pub fn as_bool(self) -> Option<bool> {
        let node = self.node();
        (node.tag == Tag::Bool).then_some(node.a != 0)
    }

    /// The integer, if it is one in range.
    pub fn as_i64(self) -> Option<i64> {
        let node = self.node();
        (node.tag == Tag::Int).then(|| node.bits().cast_signed())
    }

    /// The integer, if it is one in range.
    pub fn as_u64(self) -> Option<u64> {
        let node = self.node();
        match node.tag {
            Tag::Int => u64::try_from(node.bits().cast_signed()).ok(),
            Tag::UInt => Some(node.bits()),
            _ => None,
        }
    }

    /// The number, integers included; those beyond 2^53 are rounded.
    pub fn as_f64(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "documented rounding")]
        match self.scalar()? {
            Scalar::Int(value) => Some(value as f64),
            Scalar::UInt(value) => Some(value as f64),
            Scalar::Float(value) => Some(value),
            _ => None,
        }
    }

    /// The value of `key` in a mapping; `None` if there is none or this is no mapping.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        self.entry(key).map(|entry| entry.value)
    }

    /// The entry of `key` in a mapping; `None` if there is none or this is no mapping.
    pub fn entry(self, key: &str) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.key == key)
    }

    /// The entries of a mapping; none for other values.
    ///
    /// Every key comes once: of duplicates the last counts. Merge keys are applied and do not come
    /// themselves. The order is that of the source; merged entries are where the merge is.
    pub fn entries(self) -> Entries<'a> {
        let (index, node) = self.target();
        let (left, table) = match node.tag {
            Tag::Mapping => (node.b, None),
            Tag::MappingTable => {
                let table = self.tree.table(index);
                (u32::try_from(table.len()).unwrap_or(u32::MAX), Some(table))
            }
            _ => (0, None),
        };
        Entries {
            tree: self.tree,
            next: index + 1,
            left,
            table,
        }
    }

    /// The keys and values of a mapping as they are written: with merge keys, and with duplicates.
    pub(crate) fn written_entries(self) -> Vec<(Span, Span)> {
        let (index, node) = self.target();
        let pairs = if matches!(node.tag, Tag::Mapping | Tag::MappingTable) {
            node.b
        } else {
            0
        };
        let mut next = index + 1;
        let span = |index: u32| Span::new(self.tree.raw(index).start, self.tree.raw(index).end);
        let pair = |_| {
            let (key, value) = (next, next + 1);
            next = self.tree.after(value);
            (span(key), span(value))
        };
        (0..pairs).map(pair).collect()
    }

    /// The items of a sequence; none for other values.
    pub fn items(self) -> Items<'a> {
        let (index, node) = self.target();
        let left = if node.tag == Tag::Sequence { node.b } else { 0 };
        Items {
            tree: self.tree,
            next: index + 1,
            left,
        }
    }

    /// Number of entries or items; 0 for scalars.
    pub fn len(self) -> usize {
        let (index, node) = self.target();
        match node.tag {
            Tag::Mapping | Tag::Sequence => node.b as usize,
            Tag::MappingTable => self.tree.table(index).len(),
            _ => 0,
        }
    }

    /// Whether there are no entries or items; true for scalars.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value at `path` below this one.
    pub fn at(self, path: &FieldPath) -> Option<Node<'a>> {
        path.segments()
            .iter()
            .try_fold(self, |node, segment| match segment {
                Segment::Key(key) => node.get(key),
                Segment::Index(index) => node.items().nth(*index),
            })
    }

    /// Where `path` below this value is, or its nearest ancestor that exists.
    pub fn locate(self, path: &FieldPath) -> Location {
        let mut found = Location {
            value: self.span(),
            key: None,
            exact: path.is_empty(),
            depth: 0,
        };
        let mut node = self;
        for segment in path.segments() {
            (node, found.key) = match segment {
                Segment::Key(key) => match node.entry(key) {
                    Some(entry) => (entry.value, Some(entry.key_span)),
                    None => break,
                },
                Segment::Index(index) => match node.items().nth(*index) {
                    Some(item) => (item, None),
                    None => break,
                },
            };
            found.value = node.span();
            found.depth += 1;
        }
        found.exact = found.depth == path.len();
        found
    }

    /// The value as JSON, with entries in source order.
    pub fn to_json(self) -> serde_json::Value {
        // Recursion is bounded by `MAX_DEPTH`, the size by the parser's limit on aliases.
        match self.scalar() {
            Some(Scalar::Null) => serde_json::Value::Null,
            Some(Scalar::Bool(value)) => value.into(),
            Some(Scalar::Int(value)) => value.into(),
            Some(Scalar::UInt(value)) => value.into(),
            Some(Scalar::Float(value)) => value.into(),
            Some(Scalar::Str(value)) => value.into(),
            None if self.is_sequence() => self.items().map(Node::to_json).collect(),
            None => self
                .entries()
                .map(|entry| (entry.key.to_owned(), entry.value.to_json()))
                .collect(),
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scalar() {
            Some(scalar) => write!(f, "{scalar:?}@{:?}", self.span().range()),
            None if self.is_sequence() => f.debug_list().entries(self.items()).finish(),
            None => f
                .debug_map()
                .entries(self.entries().map(|entry| (entry.key, entry.value)))
                .finish(),
        }
    }
}

/// A key of a mapping and its value.
#[derive(Copy, Clone, Debug)]
pub struct Entry<'a> {
    /// The key as JSON has it: numbers and booleans are turned into strings, so `on:` is the key `true`.
    pub key: &'a str,
    /// The token of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node<'a>,
    /// Whether the entry came in by a merge key (`<<`). Its spans are those of the merged mapping.
    pub merged: bool,
}

/// The entries of a mapping. Made by [`Node::entries`].
#[derive(Clone)]
pub struct Entries<'a> {
    tree: &'a Tree,
    next: u32,
    left: u32,
    table: Option<&'a [TableEntry]>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let pair = if let Some(table) = &mut self.table {
            let (first, rest) = table.split_first()?;
            *table = rest;
            *first
        } else {
            if self.left == 0 {
                return None;
            }
            let pair = TableEntry {
                key: self.next,
                value: self.next + 1,
                merged: false,
            };
            self.next = self.tree.after(pair.value);
            pair
        };
        self.left = self.left.saturating_sub(1);
        let key = self.tree.raw(pair.key);
        Some(Entry {
            key: self.tree.string(key),
            key_span: Span::new(key.start, key.end),
            value: Node {
                tree: self.tree,
                index: pair.value,
            },
            merged: pair.merged,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Entries<'_> {}
impl FusedIterator for Entries<'_> {}

/// The items of a sequence. Made by [`Node::items`].
#[derive(Clone)]
pub struct Items<'a> {
    tree: &'a Tree,
    next: u32,
    left: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        self.left = self.left.checked_sub(1)?;
        let item = Node {
            tree: self.tree,
            index: self.next,
        };
        self.next = self.tree.after(self.next);
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Items<'_> {}
impl FusedIterator for Items<'_> {}

/// Where a path leads. Made by [`Node::locate`].
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The value at the path, or its nearest ancestor that exists.
    pub value: Span,
    /// The key of that value, if it is in a mapping and not the value that the search began at.
    pub key: Option<Span>,
    /// Whether the whole path exists.
    pub exact: bool,
    /// Number of steps of the path that exist.
    pub depth: usize,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{parse, path};

    fn document(text: &str) -> Document {
        let mut documents = parse(&text.into());
        assert_eq!(documents.len(), 1, "{text:?}");
        documents.remove(0).expect(text)
    }

    #[test]
    fn spans_are_tokens() {
        let text =
            "a: 'x' # c\nb:\n- 1\n-\n- k: |  # note\n    t\n\n  l: >-\n    u\nc:\n  - [p, {q: r}]\nd: # e\n";
        let document = document(text);
        let root = document.root();
        let raw = |path: &FieldPath| root.at(path).expect("present").raw();
        assert_eq!(raw(&path!["a"]), "'x'");
        assert_eq!(
            raw(&path!["b"]),
            "- 1\n-\n- k: |  # note\n    t\n\n  l: >-\n    u"
        );
        assert_eq!(raw(&path!["b", 2]), "k: |  # note\n    t\n\n  l: >-\n    u");
        assert_eq!(raw(&path!["b", 2, "k"]), "|  # note\n    t");
        assert_eq!(raw(&path!["b", 2, "l"]), ">-\n    u");
        assert_eq!(raw(&path!["c"]), "- [p, {q: r}]");
        assert_eq!(raw(&path!["c", 0, 1]), "{q: r}");
        let dash = text.find("-\n").expect("present") + 1;
        assert_eq!(root.at(&path!["b", 1]).expect("null").span().range(), dash..dash);
        let colon = text.find("d:").expect("present") + 2;
        assert_eq!(root.get("d").expect("null").span().range(), colon..colon);
        assert_eq!(root.raw(), &text[..colon]);
        let comments: Vec<_> = document
            .comments()
            .iter()
            .map(|comment| comment.text(text))
            .collect();
        assert_eq!(comments, ["# c", "# note", "# e"]);
    }

    #[test]
    fn paths_lead_to_values_or_their_nearest_ancestor() {
        let text = "spec:\n  http:\n  - name: a\n";
        let document = document(text);
        let at = |path: &FieldPath| {
            let Location {
                value,
                key,
                exact,
                depth,
            } = document.root().locate(path);
            (
                &text[value.range()],
                key.map(|key| &text[key.range()]),
                exact,
                depth,
            )
        };
        assert_eq!(
            at(&path!["spec", "http", 0, "name"]),
            ("a", Some("name"), true, 4)
        );
        assert_eq!(at(&path!["spec", "http", 0]), ("name: a", None, true, 3));
        assert_eq!(
            at(&path!["spec", "http", 1, "name"]),
            ("- name: a", Some("http"), false, 2)
        );
        assert_eq!(at(&path!["other"]), (text.trim_end(), None, false, 0));
        assert_eq!(at(&path![]), (text.trim_end(), None, true, 0));
    }

    #[test]
    fn aliases_and_merges_are_resolved() {
        let text =
            "base: &base {a: 1, b: 2}\np: {<<: *base, b: 3}\nq: *base\nr: {b: 0, <<: [{b: 4}, *base]}\n";
        let document = document(text);
        let root = document.root();
        assert_eq!(root.get("p").expect("p").to_json(), json!({"a": 1, "b": 3}));
        assert_eq!(root.get("q").expect("q").to_json(), json!({"a": 1, "b": 2}));
        assert_eq!(root.get("r").expect("r").to_json(), json!({"a": 1, "b": 4}));
        assert!(root.get("q").expect("q").is_alias());
        assert_eq!(root.get("q").expect("q").raw(), "*base");
        assert_eq!(root.at(&path!["q", "a"]).expect("a").raw(), "1");
        let merged: Vec<_> = root
            .get("p")
            .expect("p")
            .entries()
            .map(|entry| (entry.key, entry.merged))
            .collect();
        assert_eq!(merged, [("a", true), ("b", false)]);
        assert_eq!(document.problems().len(), 1);
        assert_eq!(
            document.problems()[0].message,
            "key `b` is replaced by the merge after it"
        );
    }

    #[test]
    fn duplicate_keys_are_problems_and_the_last_counts() {
        let text = "a: 1\nb: 2\na: 3\n";
        let document = document(text);
        assert_eq!(document.root().to_json(), json!({"a": 3, "b": 2}));
        let [problem] = document.problems() else {
            panic!("one problem")
        };
        assert_eq!(problem.message, "duplicate key `a`");
        assert_eq!(problem.span.range(), 10..11);
        assert_eq!(
            problem.related.as_ref().map(|related| related.0.range()),
            Some(0..1)
        );
    }

    #[test]
    fn many_keys_find_their_duplicates() {
        let keys: Vec<String> = (0..100).map(|key| format!("key{key}: {key}\n")).collect();
        let text = keys.concat() + "key7: again\nkey99: again\nkey7: more\n";
        let document = document(&text);
        assert_eq!(document.problems().len(), 3);
        assert_eq!(document.root().len(), 100);
        assert_eq!(document.root().get("key7").and_then(Node::as_str), Some("more"));
    }
}
