//! Texts that are updated to another value.

use std::sync::Arc;

use mesh_yaml::update::{Updated, equal, update};
use mesh_yaml::{Document, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::soup;

fn document(text: &str) -> Document {
    let mut documents = parse(&Arc::from(text));
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0).expect(text)
}

fn by_name(list: &str) -> Option<&'static str> {
    (list == "items").then_some("name")
}

/// The text after an update that keeps what it can.
fn updated(text: &str, value: &Value) -> String {
    let Updated {
        text: new,
        is_rewritten,
    } = update(&document(text), value, by_name);
    assert!(!is_rewritten, "{text:?} {value}");
    new.unwrap_or_else(|| text.to_owned())
}

#[test]
fn what_stays_keeps_its_text() {
    let text = "\
# Head.
a: 1 # one
items:
# First.
- name: x   # x
  # Why.
  value: 'v'

- {name: w}
list: [1, 0x10] # flow
tail: |
  text
";
    let value = json!({
        "a": 2, "items": [{"name": "new", "sub": {"k": [1]}}, {"name": "w"}, {"name": "x", "value": "v", "more": true}],
        "list": [1, 16, 3], "tail": "text\n", "end": {"z": {}},
    });
    assert_eq!(
        updated(text, &value),
        "\
# Head.
a: 2 # one
items:
- name: new
  sub:
    k:
    - 1

- {name: w}
# First.
- name: x   # x
  # Why.
  value: 'v'
  more: true
list: [1, 0x10, 3] # flow
tail: |
  text
end:
  z: {}
"
    );
}

#[test]
fn values_change_their_kind() {
    for (text, value, expected) in [
        (
            "a: # c\nb: 1\n",
            json!({"a": {"k": 1}, "b": 1}),
            "a: # c\n  k: 1\nb: 1\n",
        ),
        ("a: 1 # c\n", json!({"a": [1]}), "a: # c\n  - 1\n"),
        (
            "a: {}\nb:\n- 1\n",
            json!({"a": [1], "b": [1]}),
            "a:\n- 1\nb:\n- 1\n",
        ),
        ("a:\n  b: 1\nc: 2\n", json!({"a": "x", "c": 2}), "a: x\nc: 2\n"),
        ("a:\n- 1\n- 2\n", json!({"a": []}), "a: []\n"),
        ("a: 'x'\n", json!({"a": "y"}), "a: 'y'\n"),
        ("- a\n- b\n", json!(["b", {"k": 1}]), "- b\n- k: 1\n"),
        ("a:\n- - 1\n  - 2\n", json!({"a": [[1, 3]]}), "a:\n- - 1\n  - 3\n"),
        ("a: 1", json!({"a": 1, "b": 2}), "a: 1\nb: 2"),
        ("{\"a\": 1}\n", json!({"a": {"b": 2}}), "{\"a\":{\"b\":2}}\n"),
        ("{\n    \"a\": 1\n}\n", json!({"a": 2}), "{\n    \"a\": 2\n}\n"),
        ("--- # c\na: 1\n...\n", json!({"b": 1}), "--- # c\nb: 1\n...\n"),
    ] {
        assert_eq!(updated(text, &value), expected, "{text:?}");
    }
}

#[test]
fn text_that_cannot_be_kept_is_written_anew() {
    let text = "---\nbase: &b {k: 1}\na:\n  <<: *b\n";
    let value = json!({"base": {"k": 1}, "a": {"k": 2}});
    let Updated { text, is_rewritten } = update(&document(text), &value, by_name);
    assert!(is_rewritten);
    assert_eq!(text.as_deref(), Some("---\nbase:\n  k: 1\na:\n  k: 2\n"));
}

/// Values near to one: entries and items are left out, added, changed and put in another order.
fn mutate(value: &Value, choices: &mut dyn Iterator<Item = u8>) -> Value {
    match value {
        Value::Object(entries) => {
            let mut result = serde_json::Map::new();
            for (key, value) in entries {
                match choices.next().unwrap_or(255) {
                    0..30 => {}
                    30..60 => {
                        result.insert(format!("{key}-new"), json!({"x": ["y", {"z": null}]}));
                        result.insert(key.clone(), value.clone());
                    }
                    60..90 => {
                        result.insert(key.clone(), json!("changed: it"));
                    }
                    _ => {
                        result.insert(key.clone(), mutate(value, choices));
                    }
                }
            }
            Value::Object(result)
        }
        Value::Array(items) => {
            let mut result = Vec::new();
            for value in items {
                match choices.next().unwrap_or(255) {
                    0..30 => {}
                    30..60 => {
                        result.insert(0, value.clone());
                        result.push(json!({"name": "new"}));
                    }
                    60..90 => result.push(json!([1, "two"])),
                    _ => {
                        result.push(mutate(value, choices));
                    }
                }
            }
            Value::Array(result)
        }
        scalar => match choices.next().unwrap_or(255) {
            0..60 => json!({"was": scalar}),
            60..90 => json!("text\nof lines\n"),
            _ => scalar.clone(),
        },
    }
}

fn check(text: &str, choices: &[u8]) -> (usize, usize) {
    let (mut kept, mut tried) = (0, 0);
    for document in parse(&Arc::from(text)).into_iter().flatten() {
        let value = mutate(&document.root().to_json(), &mut choices.iter().copied());
        if value.is_null() {
            continue;
        }
        let Updated {
            text: new,
            is_rewritten,
        } = update(&document, &value, by_name);
        let Some(new) = new else {
            assert!(equal(document.root(), &value));
            continue;
        };
        let all = parse(&Arc::from(new.as_str()));
        let [Ok(again)] = all.as_slice() else {
            panic!("{text:?} became {new:?}")
        };
        assert!(
            equal(again.root(), &value),
            "{text:?} became {new:?}, not {value}"
        );
        // Duplicate keys and other roots leave nothing to keep.
        let is_root_kept = !document.root().is_empty()
            && document.root().is_mapping() == value.is_object()
            && !matches!(&value, Value::Object(entries) if entries.is_empty())
            && !matches!(&value, Value::Array(items) if items.is_empty());
        if !is_root_kept || !document.problems().is_empty() {
            continue;
        }
        tried += 1;
        kept += usize::from(!is_rewritten);
    }
    (kept, tried)
}

proptest! {
    #![proptest_config(soup::config(1000))]

    #[test]
    fn updates_have_the_value_they_should(text in soup::soup(), choices in proptest::collection::vec(any::<u8>(), 0..40)) {
        check(&text, &choices);
    }

    #[test]
    fn updates_of_manifests_have_the_value_they_should(
        text in soup::manifest(),
        choices in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        check(&text, &choices);
    }
}

/// Updates of ordinary manifests must nearly always keep the text. The rest are block scalars that
/// keep the blank lines after them, and the like.
#[test]
fn most_updates_of_manifests_keep_the_text() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let strategy = (soup::manifest(), proptest::collection::vec(any::<u8>(), 0..60));
    let (mut kept, mut tried) = (0, 0);
    for _ in 0..1000 {
        let (text, choices) = strategy.new_tree(&mut runner).expect("no filters").current();
        let (some, of) = check(&text, &choices);
        kept += some;
        tried += of;
    }
    assert!(
        kept * 100 >= tried * 95,
        "{kept} of {tried} updates keep the text"
    );
}
