//! What is emitted reads back as the same value.

use std::sync::Arc;

use mesh_yaml::emit;
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::soup;

fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "b1",
        " ",
        "  ",
        "\n",
        "\n\n",
        "\t",
        "\r",
        "-",
        "--",
        "---",
        "...",
        ":",
        ": ",
        "#",
        " #",
        "\"",
        "'",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        "&",
        "*",
        "!",
        "|",
        ">",
        "%",
        "@",
        "`",
        "=",
        "<<",
        "?",
        "? ",
        "0",
        "1.5",
        "e3",
        "0x1f",
        "true",
        "null",
        "~",
        "on",
        "y",
        "2026-01-02",
        "12:30",
        "1_0",
        ".inf",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\u{7f}",
        "\u{ffff}",
        "\u{1f600}",
        "é",
        "\0",
    ]);
    prop_oneof![
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        any::<String>(),
        (900..1100_usize).prop_map(|length| "x".repeat(length)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            object(inner).prop_map(Value::from),
        ]
    })
}

fn object(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((text(), value), 0..5).prop_map(|entries| entries.into_iter().collect())
}

/// Numbers are those that JSON's readers see: `1.0` is 1.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || ((x.is_f64() || y.is_f64()) && x.as_f64() == y.as_f64())
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((key, a), (other, b))| key == other && is_same(a, b))
        }
        (a, b) => a == b,
    }
}

fn has_long_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_long_key),
        Value::Object(entries) => (entries.iter()).any(|(key, value)| key.len() > 150 || has_long_key(value)),
        _ => false,
    }
}

proptest! {
    #![proptest_config(soup::config(1000))]

    #[test]
    fn what_is_emitted_reads_back(value in object(value())) {
        let value = Value::from(value);
        let text: Arc<str> = emit::to_string(&value).expect("emits").into();
        let chunks = mesh_yaml::split(&text);
        prop_assert_eq!(chunks.len(), 1, "{}", text);
        let read = mesh_yaml::parse_chunk(&chunks[0]).expect("a document").map_err(|error| {
            TestCaseError::fail(format!("{error}: {text}"))
        })?;
        prop_assert!(is_same(&read.root().to_json(), &value), "{}\n{:?}\n{:?}", text, read.root().to_json(), value);
        let is_empty = value.as_object().is_some_and(Map::is_empty);
        prop_assert!(
            is_empty || has_long_key(&value) || mesh_yaml::parse_chunk_fast(&chunks[0]).is_some(),
            "not read fast: {}", text
        );
        if let Some(Ok(reference)) = mesh_yaml::parse_chunk_by_reference(&chunks[0]) {
            prop_assert!(is_same(&reference.root().to_json(), &value), "{}", text);
        }
    }
}
