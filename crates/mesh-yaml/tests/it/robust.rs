//! No text, however odd, makes the crate panic, hang or lose its way; and errors say what is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mesh_yaml::{
    Document, FieldPath, LineIndex, MAX_DEPTH, Node, Segment, SyntaxError, de, decode,
    looks_like_helm_template, parse, path,
};
use proptest::prelude::*;
use serde_json::json;

use crate::soup;

fn error(text: &str) -> SyntaxError {
    parse(&Arc::from(text))
        .into_iter()
        .find_map(Result::err)
        .unwrap_or_else(|| panic!("valid: {text:?}"))
}

#[test]
fn errors_say_what_is_wrong_and_where() {
    for (text, place, message, help) in [
        (
            "a:\n\tb: 1\n",
            "\t",
            "tab character used for indentation",
            "indent with spaces",
        ),
        (
            "a: b\n\t\nc: d\n",
            "\t",
            "tab character used for indentation",
            "indent with spaces",
        ),
        (
            "a: |\n\tb\n",
            "\t",
            "tab character used for the indentation of a block scalar",
            "indent with spaces",
        ),
        ("a: [b\nc: d\n", "[", "a `[` is not closed", "add the missing `]`"),
        ("a: {b: c\n", "{", "a `{` is not closed", "add the missing `}`"),
        (
            "a: \"b\nc: d\n",
            "\"",
            "a quote is not closed",
            "add the closing quote",
        ),
        (
            "a: b: c\n",
            ": c",
            "a mapping is not allowed here",
            "quote the value if it contains `: `, or start a new line",
        ),
        (
            "a: 1\nb\n",
            "b",
            "expected `:` after a key",
            "write `key: value`, with a space after the colon",
        ),
        ("a: @b\n", "@", "unexpected character `@`", "quote the value"),
        (
            "a: *b\n",
            "*b",
            "alias of an unknown anchor",
            "quote the value if it is text; an alias needs its anchor, `&name`, before it",
        ),
        (
            "hosts:\n- *\n",
            "*",
            "`*` and `&` need a name here",
            "quote the value if it is text",
        ),
        (
            "a: 'b' c\n",
            "c",
            "text after the closing quote",
            "quote the whole value",
        ),
        (
            "a: .inf\n",
            ".inf",
            "infinity and not-a-number cannot be written as JSON",
            "quote the value if it is meant as a string",
        ),
        (
            "? {a: b}\n: c\n",
            "{",
            "a key cannot be a mapping or a sequence",
            "",
        ),
        (
            "a: b\u{1}\n",
            "\u{1}",
            "control character U+0001 is not allowed",
            "write it as an escape in double quotes",
        ),
        (
            "%YAML 1.2\n---\na: b\n",
            "%",
            "Kubernetes reads YAML 1.1 only",
            "remove the %YAML directive",
        ),
    ] {
        let error = error(text);
        let start = text.find(place).expect("a place of the text");
        let found = (
            error.span.start as usize,
            error.message.as_str(),
            error.help.as_deref().unwrap_or_default(),
        );
        assert_eq!(found, (start, message, help), "{text:?}");
    }
}

#[test]
fn errors_within_brackets_point_at_both_places() {
    let related = |text: &str| error(text).related.map(|(span, what)| (span.start, what));
    let text = "a: [b\nc: d\n";
    assert_eq!(
        related(text),
        Some((7, "a mapping is not allowed here".to_owned()))
    );
    let text = "{\n  \"a\": 1\n  \"b\": 2\n}\n";
    assert_eq!(error(text).message, "expected `,` or `}`");
    assert_eq!(related(text), Some((0, "within this bracket".to_owned())));
}

#[test]
fn broken_documents_do_not_break_the_others() {
    let text: Arc<str> = "a: 1\n---\nb: [\n---\n# empty\n---\nc: 3\n---\nd: 'x\n".into();
    let documents = parse(&text);
    let seen: Vec<_> = documents
        .iter()
        .map(|document| {
            document
                .as_ref()
                .map(|document| (document.index(), document.root().raw()))
                .map_err(|error| error.document)
        })
        .collect();
    assert_eq!(seen, [Ok((0, "a: 1")), Err(1), Ok((3, "c: 3")), Err(4)]);
}

#[test]
fn empty_documents_are_left_out() {
    for text in [
        "",
        "\n",
        "# c\n",
        "---\n",
        "---\n---\n# c\n",
        "null\n",
        "~",
        "--- # c\n...\n",
        "\u{feff}",
        "--- !!null\n",
    ] {
        assert!(parse(&Arc::from(text)).is_empty(), "{text:?}");
    }
}

#[test]
fn byte_order_marks_keep_offsets() {
    let text = decode(b"\xef\xbb\xbfa: 1\n".to_vec()).expect("UTF-8");
    let document = parse(&text).remove(0).expect("valid");
    let one = document.root().get("a").expect("a");
    assert_eq!(one.span().range(), 6..7);
    assert_eq!(LineIndex::new(&text).position(&text, one.span().start).column, 4);
}

#[test]
fn alias_bombs_are_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text = format!("{text}a{level}: &a{level} [{aliases}]\n");
    }
    assert_eq!(
        error(&text).message,
        "the aliases of the document expand to more than 400000 values"
    );

    let long = "x".repeat(100_000);
    let text = format!("a: &a {long}\nb: [{}]\n", vec!["*a"; 1000].join(", "));
    assert_eq!(
        error(&text).message,
        "the aliases of the document expand to more than 400000 values"
    );

    assert_eq!(
        error("a: &a [*a]\n").message,
        "the alias is inside the value that it stands for"
    );
    assert_eq!(
        error("a: &a\n  <<: *a\n").message,
        "the alias is inside the value that it stands for"
    );
}

/// The pieces of a text that is made of `count` alike.
fn numbered(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect::<Vec<_>>().concat()
}

/// Collections within collections, in flow style and on one line.
fn nested(depth: usize) -> [String; 3] {
    [
        format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
        format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth)),
        format!("{}a", "- ".repeat(depth)),
    ]
}

/// Mappings within mappings, a line for each.
fn nested_block(depth: usize) -> String {
    numbered(depth, |level| format!("{}a:\n", " ".repeat(level)))
}

/// Consumers recurse; the deepest tree must fit the stack of a thread (2 MiB, that of tests too) in a debug build.
#[test]
fn depth_is_limited() {
    for text in nested(MAX_DEPTH).into_iter().chain([nested_block(MAX_DEPTH)]) {
        let document = parse(&text.into()).remove(0).expect("within the limit");
        let value = document.root().to_json();
        assert_eq!(de::from_node::<serde_json::Value>(document.root()), Ok(value));
        let _ = format!("{document:?}");
    }
    let too_deep = [MAX_DEPTH + 1, 1000, 100_000].into_iter().flat_map(nested);
    for text in too_deep.chain([nested_block(MAX_DEPTH + 1), nested_block(2000)]) {
        assert_eq!(
            error(&text).message,
            format!("nested deeper than {MAX_DEPTH} levels")
        );
    }
    let text = format!(
        "a: &a {}\nb: {}*a{}",
        nested(150)[0],
        "[".repeat(100),
        "]".repeat(100)
    );
    assert_eq!(
        error(&text).message,
        format!("nested deeper than {MAX_DEPTH} levels")
    );
}

/// A quadratic reader would take minutes for these.
#[test]
fn time_is_linear() {
    let times = |count: usize, piece: &str| piece.repeat(count);
    let keys = numbered(40_000, |number| format!("key{number}: 1\n"));
    let anchors = numbered(20_000, |number| format!("- &a{number} x\n- *a{number}\n"));
    let texts = [
        ("broken documents", times(20_000, "---\na: [\n")),
        ("unclosed quotes", times(20_000, "---\na: 'b\n")),
        ("empty documents", times(100_000, "---\n")),
        ("ends of documents", times(50_000, "a\n...\n")),
        ("comments", times(40_000, "# c\n")),
        (
            "comments in a sequence",
            format!("- a\n{}- b\n", times(40_000, "# c\n")),
        ),
        (
            "comments for the reference path",
            format!("a: !!str b\n{}c: d\n", times(40_000, "  # c\n")),
        ),
        ("keys", keys.clone()),
        ("keys twice", format!("{keys}{keys}")),
        ("the same key", times(40_000, "a: 1\n")),
        (
            "merges",
            format!("x: &x {{{}}}\n{}", times(50, "a: 1, "), times(2000, "- <<: *x\n")),
        ),
        ("anchors", anchors),
        ("items on one line", format!("[{}a]", times(100_000, "a, "))),
        (
            "pairs on one line",
            format!("{{{}}}", times(1, "\"a\": [1, {\"b\": 2}],")),
        ),
        (
            "collections on one line",
            format!("[{}[]]", times(50_000, "[!!str a], ")),
        ),
        ("a long plain scalar", format!("a: {}\n", times(300_000, "b "))),
        (
            "a long quoted scalar",
            format!("a: \"{}\"\n", times(150_000, "\\n ")),
        ),
        (
            "a scalar of many lines",
            format!("a: {}\n", times(50_000, "b\n  ")),
        ),
        ("a block scalar", format!("a: |\n{}", times(100_000, "  b\n"))),
        (
            "a folded scalar",
            format!("a: >\n{}", times(100_000, "  b\n\n   c\n")),
        ),
        ("blank lines", format!("a:\n{}  b", times(300_000, "\n"))),
        ("tabs", format!("a: 'b'\n{}", times(100_000, " \t\n"))),
        ("dashes", times(100_000, "----\n")),
        ("open brackets", times(100_000, "[")),
        ("question marks", times(50_000, "? ")),
        ("templates", times(50_000, "{{ a }}\n")),
    ];
    for (name, text) in texts {
        let start = Instant::now();
        let text: Arc<str> = text.into();
        for document in parse(&text).into_iter().flatten() {
            document.root().to_json();
        }
        looks_like_helm_template(&text);
        assert!(
            start.elapsed() < Duration::from_secs(20),
            "{name}: {:?}",
            start.elapsed()
        );
    }
}

/// Uses everything that a document offers.
fn use_all(document: &Document) {
    let text = document.text();
    let index = LineIndex::new(text);
    let mut open = vec![(document.root(), FieldPath::root())];
    while let Some((node, path)) = open.pop() {
        assert_eq!(
            document.root().at(&path).map(Node::span),
            Some(node.span()),
            "{path}"
        );
        let location = document.root().locate(&path.key("no such key"));
        assert_eq!(
            (location.value, location.exact, location.depth),
            (node.span(), false, path.len())
        );
        assert_eq!(path.to_string().parse(), Ok(path.clone()));
        assert!(text.get(node.span().range()).is_some());
        let start = index.position(text, node.span().start);
        let end = index.position(text, node.span().end);
        assert!(start <= end);
        open.extend(node.entries().map(|entry| (entry.value, path.key(entry.key))));
        open.extend(
            node.items()
                .enumerate()
                .map(|(number, item)| (item, path.index(number))),
        );
    }
    assert_eq!(
        de::from_node::<serde_json::Value>(document.root()),
        Ok(document.root().to_json())
    );
    for comment in document.comments() {
        assert!(comment.text(text).starts_with('#'));
    }
}

proptest! {
    #![proptest_config(soup::config(2000))]

    #[test]
    fn lines_of_pieces_are_read_or_refused(text in soup::soup()) {
        for document in parse(&text.as_str().into()) {
            match document {
                Ok(document) => use_all(&document),
                Err(error) => prop_assert!(text.get(error.span.range()).is_some(), "{error:?}"),
            }
        }
        looks_like_helm_template(&text);
    }

    #[test]
    fn manifests_are_read(text in soup::manifest()) {
        for document in parse(&text.as_str().into()) {
            use_all(&document.expect(&text));
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64), mark in 0_usize..4) {
        let mark: &[u8] = [&b""[..], b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"][mark];
        if let Ok(text) = decode([mark, &bytes].concat()) {
            parse(&text).iter().flatten().for_each(use_all);
        }
    }

    #[test]
    fn any_path_is_written_and_read(segments in proptest::collection::vec(segment(), 0..6)) {
        let path = FieldPath::from(segments);
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn any_text_is_a_path_or_not(text in "[a-z0-9.\\[\\]\"\\\\-]{0,12}|.{0,8}") {
        if let Ok(path) = text.parse::<FieldPath>() {
            prop_assert_eq!(path.to_string().parse(), Ok(path));
        }
    }
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        ".{0,6}".prop_map(|key| Segment::Key(key.into())),
        "[a-z-]{1,6}".prop_map(|key| Segment::Key(key.into())),
        any::<usize>().prop_map(Segment::Index),
    ]
}

#[test]
fn documents_in_parallel_are_the_documents_in_order() {
    let text: Arc<str> = "a: 1\n---\nb: 2\n---\n---\nc: 3\n".into();
    let chunks = mesh_yaml::split(&text);
    let threads: Vec<_> = chunks
        .into_iter()
        .map(|chunk| std::thread::spawn(move || mesh_yaml::parse_chunk(&chunk)))
        .collect();
    let values: Vec<_> = threads
        .into_iter()
        .filter_map(|thread| thread.join().expect("no panic"))
        .map(|document| document.expect("valid").root().to_json())
        .collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": 2}), json!({"c": 3})]);
    assert_eq!(parse(&text)[2].as_ref().map(Document::index), Ok(3));
    assert_eq!(path!["a"].to_string(), "a");
}
