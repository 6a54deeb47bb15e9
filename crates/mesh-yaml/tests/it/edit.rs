//! Edits change what they should and nothing else.

use std::sync::Arc;

use mesh_yaml::edit::{Edit, EditError, append, apply, insert, remove, set};
use mesh_yaml::{Document, FieldPath, Node, Span, parse, path};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::soup;

fn document(text: &str) -> Document {
    parse(&Arc::from(text)).remove(0).expect(text)
}

#[track_caller]
fn check(text: &str, edits: Result<Vec<Edit>, EditError>, expected: &str) {
    let edited = apply(text, &edits.expect("possible")).expect("applies");
    assert_eq!(
        edited, expected,
        "\n--- expected\n{expected}\n--- edited\n{edited}"
    );
}

#[track_caller]
fn sets(text: &str, path: &FieldPath, value: &Value, expected: &str) {
    check(text, set(&document(text), path, value), expected);
}

#[test]
fn scalars_keep_their_style_and_comments() {
    let w = path!["w"];
    for (text, value, expected) in [
        ("w: 90 # percent\n", json!(50), "w: 50 # percent\n"),
        ("w: 'a' # c\n", json!("it's"), "w: 'it''s' # c\n"),
        ("w: \"a\"\n", json!("b\n"), "w: \"b\\n\"\n"),
        ("w: a\n", json!("yes"), "w: \"yes\"\n"),
        ("w: a\n", json!("1.5"), "w: \"1.5\"\n"),
        ("w: a\n", json!("a: b"), "w: \"a: b\"\n"),
        ("w: a\n", json!("*.example.com"), "w: \"*.example.com\"\n"),
        ("w: a\n", json!("10.0.0.1"), "w: 10.0.0.1\n"),
        ("w: '80'\n", json!(80), "w: 80\n"),
        ("w:\nx: 1\n", json!(1), "w: 1\nx: 1\n"),
        ("w: # c\n", json!("a"), "w: a # c\n"),
        ("w: 1", json!(null), "w: null"),
        ("w: {a: [1, x]} # c\n", json!("a"), "w: a # c\n"),
        ("w: |\n  a\n  b\n# c\nx: 1\n", json!("c"), "w: c\n# c\nx: 1\n"),
        ("w: a # c\nx: 1\n", json!("b\nc\n"), "w: \"b\\nc\\n\" # c\nx: 1\n"),
        ("w: a\nx: 1\n", json!("b\nc\n"), "w: |\n  b\n  c\nx: 1\n"),
        (
            "w: a\r\nx: 1\r\n",
            json!("b\nc"),
            "w: |-\r\n  b\r\n  c\r\nx: 1\r\n",
        ),
        ("a: &a 1\nw: *a\n", json!(2), "a: &a 1\nw: 2\n"),
    ] {
        sets(text, &w, &value, expected);
    }
    sets("- a\n-\n- b # c\n", &path![1], &json!(1), "- a\n- 1\n- b # c\n");
    sets(
        "[a, 'b', {c: d}]",
        &path![2, "c"],
        &json!("e, f"),
        "[a, 'b', {c: \"e, f\"}]",
    );
    sets(
        "{\"a\": {\"b\": 1}}",
        &path!["a", "b"],
        &json!("x"),
        "{\"a\": {\"b\": \"x\"}}",
    );
    sets("{a: , b: 1}", &path!["a"], &json!(1), "{a: 1 , b: 1}");
}

#[test]
fn collections_are_written_in_the_style_of_their_place() {
    let w = path!["w"];
    let list = json!([1, {"a": "b", "c": ["d"]}]);
    for (text, value, expected) in [
        ("w: 1 # c\nx: 1\n", json!({"a": 1}), "w: # c\n  a: 1\nx: 1\n"),
        ("w: 1\n", list.clone(), "w:\n  - 1\n  - a: b\n    c:\n      - d\n"),
        (
            "w: 1\nx:\n- 1\n",
            list.clone(),
            "w:\n- 1\n- a: b\n  c:\n  - d\nx:\n- 1\n",
        ),
        (
            "w:\n  a: 1 # c\n  # d\n  b: 2\nx: 1\n",
            json!({"a": 3}),
            "w:\n  a: 3\nx: 1\n",
        ),
        ("w: # c\n  a: 1\nx: 1\n", json!(2), "w: # c\n  2\nx: 1\n"),
        ("w:\n  a: 1\nx: 1\n", json!({}), "w: {}\nx: 1\n"),
        ("w:\n- 1\n- 2\nx: 1\n", json!({"a": 1}), "w:\n  a: 1\nx: 1\n"),
        ("w:\n    a: 1\n", json!(["x"]), "w:\n    - x\n"),
        (
            "w: {a: 1}\n",
            json!({"b": [1, "x"]}),
            "w:\n  b:\n    - 1\n    - x\n",
        ),
    ] {
        sets(text, &w, &value, expected);
    }
    sets(
        "- a: 1\n  b: 2\n- c\n",
        &path![0],
        &json!({"d": 1, "e": 2}),
        "- d: 1\n  e: 2\n- c\n",
    );
    sets(
        "a: {w: 1, x: 2}\n",
        &path!["a", "w"],
        &list,
        "a: {w: [1, {a: b, c: [d]}], x: 2}\n",
    );
    sets("a: 1\n", &path![], &json!({"b": 2}), "b: 2\n");
    sets("---\n# c\na: 1\n", &path![], &json!([1]), "---\n# c\n- 1\n");
}

#[test]
fn entries_are_inserted_after_the_last() {
    for (text, path, value, expected) in [
        (
            "m:\n  a: 1 # c\nn: 1\n",
            path!["m"],
            json!("x"),
            "m:\n  a: 1 # c\n  k: x\nn: 1\n",
        ),
        (
            "m:\n  a:\n    b: 1\n\nn: 1\n",
            path!["m"],
            json!({"y": 1}),
            "m:\n  a:\n    b: 1\n  k:\n    \"y\": 1\n\nn: 1\n",
        ),
        ("- a: 1\n- b: 1", path![1], json!(1), "- a: 1\n- b: 1\n  k: 1"),
        ("m: {a: 1 }\n", path!["m"], json!("y"), "m: {a: 1, k: \"y\" }\n"),
        ("m: {} # c\n", path!["m"], json!([1]), "m: # c\n  k:\n    - 1\n"),
        ("m: {a: }\n", path!["m"], json!(1), "m: {a: null, k: 1 }\n"),
        ("m: [{}]\n", path!["m", 0], json!([1]), "m: [{k: [1]}]\n"),
        (
            "{\n  \"a\": 1\n}\n",
            path![],
            json!("x"),
            "{\n  \"a\": 1,\n  \"k\": \"x\"\n}\n",
        ),
        (
            "m:\n  a: |\n    text\n\nn: 1\n",
            path!["m"],
            json!(1),
            "m:\n  a: |\n    text\n  k: 1\n\nn: 1\n",
        ),
        (
            "a: 1\r\nb: 2\r\n",
            path![],
            json!({"c": 1}),
            "a: 1\r\nb: 2\r\nk:\r\n  c: 1\r\n",
        ),
        ("a:\n", path![], json!(1), "a:\nk: 1\n"),
    ] {
        check(text, insert(&document(text), &path, "k", &value), expected);
    }
    let text = "a: 1\n";
    check(
        text,
        insert(&document(text), &path![], "on", &json!(1)),
        "a: 1\n\"on\": 1\n",
    );
}

#[test]
fn items_are_appended_after_the_last() {
    for (text, path, value, expected) in [
        (
            "l:\n- a # c\nm: 1\n",
            path!["l"],
            json!("x"),
            "l:\n- a # c\n- x\nm: 1\n",
        ),
        (
            "l:\n  - a: 1\n    b: 2\n",
            path!["l"],
            json!({"c": 1, "d": [2]}),
            "l:\n  - a: 1\n    b: 2\n  - c: 1\n    d:\n      - 2\n",
        ),
        ("l: [a, b] # c\n", path!["l"], json!("x"), "l: [a, b, x] # c\n"),
        ("l: []\n", path!["l"], json!("x"), "l:\n  - x\n"),
        ("[\n  1\n]\n", path![], json!(2), "[\n  1,\n  2\n]\n"),
        ("- - a\n", path![0], json!("b"), "- - a\n  - b\n"),
    ] {
        check(text, append(&document(text), &path, &value), expected);
    }
}

#[test]
fn removed_values_take_their_comments_with_them() {
    for (text, path, expected) in [
        ("# licence\na: 1\nb: 2\n", path!["a"], "# licence\nb: 2\n"),
        (
            "a: 1\n# about b\n# more\nb: 2 # x\n# about c\nc: 3\n",
            path!["b"],
            "a: 1\n# about c\nc: 3\n",
        ),
        ("a: 1\n# apart\n\nb: 2\n", path!["b"], "a: 1\n# apart\n\n"),
        (
            "m:\n  # about a\n  a:\n    - 1\n  b: 2\n",
            path!["m", "a"],
            "m:\n  b: 2\n",
        ),
        ("m:\n  a: 1\nn: 1\n", path!["m", "a"], "m: {}\nn: 1\n"),
        (
            "l:\n- a\n# about b\n- b: 1\n  c: 2\n- d\n",
            path!["l", 1],
            "l:\n- a\n- d\n",
        ),
        ("l:\n  - a\nm: 1\n", path!["l", 0], "l: []\nm: 1\n"),
        ("- a: 1\n  b: 2\n", path![0, "a"], "- b: 2\n"),
        (
            "- a: 1 # c\n  # about b\n  b: 2\n",
            path![0, "a"],
            "- \n  # about b\n  b: 2\n",
        ),
        ("- a: 1\n  b: 2\n", path![0, "b"], "- a: 1\n"),
        ("- - a\n  - b\n", path![0, 0], "- - b\n"),
        ("m: {a: 1, b: 2, c: 3}\n", path!["m", "b"], "m: {a: 1, c: 3}\n"),
        ("m: {a: 1, b: 2}\n", path!["m", "b"], "m: {a: 1}\n"),
        ("m: {a: 1}\n", path!["m", "a"], "m: {}\n"),
        ("[1, 2]", path![0], "[2]"),
        (
            "{\n  \"a\": 1,\n  \"b\": 2\n}\n",
            path!["b"],
            "{\n  \"a\": 1\n}\n",
        ),
        ("a: 1\nb: |\n  x\n\n  y", path!["b"], "a: 1\n"),
        ("a:\nb: 1\n", path!["a"], "b: 1\n"),
        ("a: 1\r\nb: 2\r\n", path!["a"], "b: 2\r\n"),
    ] {
        check(text, remove(&document(text), &path), expected);
    }
}

#[test]
fn other_documents_are_left_alone() {
    let text = "a: 1\n---\na: 1\n---\na: 1\n";
    let documents = parse(&Arc::from(text));
    let second = documents[1].as_ref().expect("valid");
    check(
        text,
        set(second, &path!["a"], &json!(2)),
        "a: 1\n---\na: 2\n---\na: 1\n",
    );
    check(
        text,
        insert(second, &path![], "b", &json!(2)),
        "a: 1\n---\na: 1\nb: 2\n---\na: 1\n",
    );
}

#[test]
fn impossible_edits_are_refused() {
    let text = "a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 1}\nf: [1]\ng: &y 1\nh: *y\n";
    let document = document(text);
    let value = json!(2);
    assert_eq!(
        set(&document, &path!["z"], &value),
        Err(EditError::NotFound { path: path!["z"] })
    );
    assert_eq!(
        set(&document, &path!["c", "b"], &value),
        Err(EditError::Shared { path: path!["c"] })
    );
    assert_eq!(
        set(&document, &path!["d", "b"], &value),
        Err(EditError::Shared {
            path: path!["d", "b"]
        })
    );
    assert_eq!(
        insert(&document, &path!["c"], "k", &value),
        Err(EditError::Shared { path: path!["c"] })
    );
    assert_eq!(
        insert(&document, &path!["d"], "e", &value),
        Err(EditError::Exists {
            path: path!["d", "e"]
        })
    );
    assert_eq!(
        set(&document, &path!["a", "b"], &value),
        Err(EditError::Unsafe {
            path: path!["a", "b"]
        })
    );
    assert_eq!(
        set(&document, &path!["g"], &value),
        Err(EditError::Unsafe { path: path!["g"] })
    );
    assert_eq!(remove(&document, &path![]), Err(EditError::Root));
    let error = append(&document, &path!["a"], &value).expect_err("a mapping");
    assert_eq!(error.to_string(), "`a` is a mapping, not a sequence");
    let error = insert(&document, &path!["f"], "k", &value).expect_err("a sequence");
    assert_eq!(error.to_string(), "`f` is a sequence, not a mapping");
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let edit = |start, end| Edit {
        span: Span::new(start, end),
        replacement: "x".into(),
    };
    assert_eq!(apply("abc", &[edit(2, 3), edit(0, 1)]).as_deref(), Ok("xbx"));
    assert_eq!(
        apply("abc", &[edit(0, 2), edit(1, 3)]),
        Err(EditError::Overlap { at: 1 })
    );
    assert_eq!(apply("abc", &[edit(2, 4)]), Err(EditError::OutOfBounds { at: 2 }));
    assert_eq!(apply("é", &[edit(1, 2)]), Err(EditError::OutOfBounds { at: 1 }));
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |value| value.is_finite())
            .prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        "[a-z:# \\-\n'\"{},]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[a-z:# é.]{0,5}", inner), 0..3)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// The paths of all values.
fn paths(node: Node<'_>, here: &FieldPath, all: &mut Vec<FieldPath>) {
    all.push(here.clone());
    for entry in node.entries() {
        paths(entry.value, &here.key(entry.key), all);
    }
    for (index, item) in node.items().enumerate() {
        paths(item, &here.index(index), all);
    }
}

/// Makes every kind of edit at one of the places of a text. Returns how many succeed, and how many there are.
fn try_all(text: &str, choice: prop::sample::Index, value: &Value) -> (usize, usize) {
    let (mut made, mut tried) = (0, 0);
    for document in parse(&Arc::from(text)).into_iter().flatten() {
        let mut all = Vec::new();
        paths(document.root(), &path![], &mut all);
        let path = &all[choice.index(all.len())];
        let attempts = [
            set(&document, path, value),
            insert(&document, path, "new-key", value),
            append(&document, path, value),
            remove(&document, path),
        ];
        for attempt in attempts {
            match attempt {
                Ok(edits) => {
                    let edited = apply(text, &edits).expect("edits fit their text");
                    let before = parse(&Arc::from(text)).len();
                    assert!(
                        parse(&Arc::from(edited.as_str())).len() + 1 >= before,
                        "{text:?} became {edited:?}"
                    );
                    made += 1;
                    tried += 1;
                }
                Err(EditError::Unsafe { .. }) => tried += 1,
                Err(EditError::Overlap { .. } | EditError::OutOfBounds { .. }) => {
                    panic!("bad edits of {text:?}")
                }
                Err(_) => {}
            }
        }
    }
    (made, tried)
}

proptest! {
    #![proptest_config(soup::config(1000))]

    #[test]
    fn no_text_makes_edits_panic(text in soup::soup(), choice in any::<prop::sample::Index>(), value in value()) {
        try_all(&text, choice, &value);
    }

    #[test]
    fn every_string_can_be_set(string in "\\PC{0,12}|[ -~\n]{0,12}|.{0,12}") {
        for text in ["a: 1\n", "a: '1'\n", "a: \"1\" # c\n", "a: {b: 1}\n", "- 1\n", "a:\n  - x\n", "[1]"] {
            let document = document(text);
            let path = if document.root().is_mapping() { path!["a"] } else { path![0] };
            let edits = set(&document, &path, &json!(string));
            prop_assert!(edits.is_ok(), "{text:?} {string:?}: {edits:?}");
        }
    }
}

/// Edits of ordinary manifests must nearly always be possible. The rest are duplicate keys, and block scalars at the end
/// of a text that has no line break there.
#[test]
fn most_edits_of_manifests_are_possible() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut made, mut tried) = (0, 0);
    for _ in 0..1000 {
        let mut sample = |strategy: BoxedStrategy<(String, prop::sample::Index, Value)>| {
            strategy.new_tree(&mut runner).expect("no filters").current()
        };
        let (text, choice, value) = sample((soup::manifest(), any::<prop::sample::Index>(), value()).boxed());
        let (some, of) = try_all(&text, choice, &value);
        made += some;
        tried += of;
    }
    assert!(made * 100 >= tried * 98, "{made} of {tried} edits are possible");
}
