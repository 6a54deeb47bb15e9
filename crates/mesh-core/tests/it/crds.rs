//! Our CustomResourceDefinitions describe the same API as Istio's own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use mesh_core::schema::export::crds;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of the definitions of Istio 1.32-dev without prose, as [`normalised`] writes them.
const REFERENCE_DIGEST: &str = include_str!("reference-crds.sha256");

/// Drops what is prose, and sorts what has no order, so that equal APIs are equal values.
fn normalise(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let is_schema = object.contains_key("type") || object.contains_key("anyOf");
            if is_schema {
                object.remove("description");
            }
            if let Some(Value::Array(rules)) = object.get_mut("x-kubernetes-validations") {
                for rule in rules.iter_mut() {
                    if let Some(rule) = rule.as_object_mut() {
                        rule.remove("message");
                    }
                }
                rules.sort_by_key(ToString::to_string);
            }
            for key in ["required", "categories"] {
                if let Some(Value::Array(names)) = object.get_mut(key) {
                    names.sort_by_key(ToString::to_string);
                }
            }
            object.values_mut().for_each(normalise);
            object.sort_keys();
        }
        Value::Array(items) => items.iter_mut().for_each(normalise),
        _ => {}
    }
}

/// Every definition by kind, normalised.
fn by_kind(definitions: Vec<Value>) -> BTreeMap<String, Value> {
    definitions
        .into_iter()
        .map(|mut definition| {
            normalise(&mut definition);
            (
                definition["spec"]["names"]["kind"]
                    .as_str()
                    .expect("kind")
                    .to_owned(),
                definition,
            )
        })
        .collect()
}

/// Lists the paths at which two values differ.
fn differences(ours: &Value, theirs: &Value, path: &str, list: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differences(a, b, &path, list),
                    (Some(a), None) => list.push(format!("{path}: only ours: {a}")),
                    (None, Some(b)) => list.push(format!("{path}: only theirs: {b}")),
                    (None, None) => {}
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                differences(a, b, &format!("{path}[{index}]"), list);
            }
        }
        (a, b) if a != b => list.push(format!("{path}: ours {a}, theirs {b}")),
        _ => {}
    }
}

fn digest(definitions: &BTreeMap<String, Value>) -> String {
    let text = serde_json::to_string(definitions).expect("serialisable");
    let mut hex = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        write!(hex, "{byte:02x}").expect("writing to a string");
    }
    hex
}

#[test]
fn definitions_have_the_digest_of_the_reference() {
    assert_eq!(digest(&by_kind(crds())), REFERENCE_DIGEST.trim());
}

/// Compares field by field where the reference is at hand; elsewhere the digest above says the same.
#[test]
fn definitions_equal_the_reference_field_by_field() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/istio-crds.json");
    let Ok(text) = fs_err::read_to_string(&file) else {
        assert_eq!(digest(&by_kind(crds())), REFERENCE_DIGEST.trim());
        return;
    };
    let theirs = by_kind(serde_json::from_str(&text).expect("the reference is JSON"));
    let ours = by_kind(crds());
    let mut list = Vec::new();
    for kind in ours
        .keys()
        .chain(theirs.keys().filter(|kind| !ours.contains_key(*kind)))
    {
        match (ours.get(kind), theirs.get(kind)) {
            (Some(a), Some(b)) => differences(a, b, kind, &mut list),
            (Some(_), None) => list.push(format!("{kind}: only ours")),
            _ => list.push(format!("{kind}: only theirs")),
        }
    }
    assert!(
        list.is_empty(),
        "{} differences:\n{}",
        list.len(),
        list.join("\n")
    );
    assert_eq!(
        digest(&theirs),
        REFERENCE_DIGEST.trim(),
        "the reference has changed"
    );
}
