//! Strategic merges, held against Kubernetes' own.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use mesh_inject::strategic_merge;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

/// Asks `tests/merge-oracle`.
fn ask(cases: &[(Value, Value)]) -> Vec<Value> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/merge-oracle");
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("merge-oracle");
    let built = Command::new("go")
        .args(["build", "-mod=readonly", "-o"])
        .arg(&binary)
        .arg(".")
        .current_dir(source)
        .status()
        .expect("the oracle needs the `go` tool");
    assert!(built.success(), "`go build` of tests/merge-oracle failed");
    let mut child = Command::new(binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let cases: Vec<_> = cases
        .iter()
        .map(|(original, patch)| json!({"original": original, "patch": patch}))
        .collect();
    let input = serde_json::to_vec(&cases).expect("cases are JSON");
    let mut stdin = child.stdin.take().expect("piped");
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("the oracle ends");
    writer
        .join()
        .expect("no panic")
        .expect("the oracle reads its input");
    serde_json::from_slice(&output.stdout).expect("answers are JSON")
}

/// A list of items with different names, each with one of the other fields.
fn named(key: &'static str, other: &'static str) -> BoxedStrategy<Value> {
    let value = prop_oneof![Just(Value::Null), Just(json!("x")), Just(json!("y"))];
    proptest::sample::subsequence(vec!["a", "b", "c", "d", "e"], 0..=5)
        .prop_shuffle()
        .prop_flat_map(move |names| {
            let count = names.len();
            (
                Just(names),
                proptest::collection::vec(proptest::option::of(value.clone()), count),
            )
        })
        .prop_map(move |(names, values)| {
            let items = names.into_iter().zip(values).map(|(name, value)| {
                let mut item = Map::new();
                item.insert(key.to_owned(), name.into());
                if let Some(value) = value {
                    item.insert(other.to_owned(), value);
                }
                Value::Object(item)
            });
            items.collect()
        })
        .boxed()
}

fn ports() -> BoxedStrategy<Value> {
    proptest::sample::subsequence(vec![1, 2, 3, 4], 0..=4)
        .prop_shuffle()
        .prop_map(|ports| {
            ports
                .into_iter()
                .map(|port| json!({"containerPort": port, "protocol": "TCP"}))
                .collect()
        })
        .boxed()
}

/// A map of some of these fields.
fn fields(fields: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Map<String, Value>> {
    let fields: Vec<_> = fields
        .into_iter()
        .map(|(name, value)| {
            proptest::option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
        })
        .collect();
    fields
        .prop_map(|fields| fields.into_iter().flatten().collect())
        .boxed()
}

fn containers() -> BoxedStrategy<Value> {
    let container = fields(vec![
        (
            "args",
            prop_oneof![Just(json!(["1", "2"])), Just(json!(["2"])), Just(json!([]))].boxed(),
        ),
        ("image", prop_oneof![Just(json!("i")), Just(json!("j"))].boxed()),
        ("env", named("name", "value")),
        ("volumeMounts", named("mountPath", "name")),
        ("ports", ports()),
        (
            "securityContext",
            prop_oneof![
                Just(json!({"runAsUser": 1, "capabilities": {"add": ["A"], "drop": ["B"]}})),
                Just(json!({"runAsUser": null, "runAsGroup": 2, "capabilities": {"add": ["C"]}})),
                Just(json!({})),
            ]
            .boxed(),
        ),
    ]);
    proptest::sample::subsequence(vec!["a", "b", "c", "d"], 0..=4)
        .prop_shuffle()
        .prop_flat_map(move |names| {
            let count = names.len();
            (Just(names), proptest::collection::vec(container.clone(), count))
        })
        .prop_map(|(names, containers)| {
            let items = names.into_iter().zip(containers).map(|(name, mut container)| {
                container.insert("name".to_owned(), name.into());
                Value::Object(container)
            });
            items.collect()
        })
        .boxed()
}

fn pod() -> BoxedStrategy<Value> {
    let spec = fields(vec![
        ("containers", containers()),
        ("initContainers", containers()),
        ("volumes", named("name", "hostPath").prop_map(volumes).boxed()),
        (
            "imagePullSecrets",
            named("name", "unused").prop_map(|list| names_only(&list)).boxed(),
        ),
        (
            "tolerations",
            prop_oneof![Just(json!([{"key": "a"}])), Just(json!([{"key": "b"}]))].boxed(),
        ),
    ]);
    let labels = prop_oneof![
        Just(json!({"labels": {"a": "1", "b": "2"}})),
        Just(json!({"labels": {"a": null, "c": "3"}, "annotations": {"x": "y"}})),
        Just(json!({})),
    ];
    (spec, labels)
        .prop_map(|(spec, metadata)| json!({"metadata": metadata, "spec": spec}))
        .boxed()
}

fn volumes(list: Value) -> Value {
    let mut list = list;
    for item in list.as_array_mut().into_iter().flatten() {
        if let Some(path) = item.get("hostPath").and_then(Value::as_str).map(str::to_owned) {
            item["hostPath"] = json!({"path": path});
        }
    }
    list
}

fn names_only(list: &Value) -> Value {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| json!({"name": item["name"]})).collect()
}

/// The original has no nulls: an API server's objects have none.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nulls(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        other => other,
    }
}

#[test]
fn merges_are_those_of_kubernetes() {
    let mut runner = TestRunner::deterministic();
    let strategy = (pod(), pod());
    let cases: Vec<(Value, Value)> = (0..3000)
        .map(|_| {
            let (original, patch) = strategy.new_tree(&mut runner).expect("no filters").current();
            (without_nulls(original), patch)
        })
        .collect();
    let answers = ask(&cases);
    assert_eq!(answers.len(), cases.len());
    for ((original, patch), answer) in cases.iter().zip(answers) {
        let mut merged = original.clone();
        strategic_merge(&mut merged, patch);
        assert_eq!(answer.get("error"), None, "{original:#}\n{patch:#}");
        // Nulls of new items in lists that were there stay there; Kubernetes' types do not have them.
        let expected = without_nulls(answer["merged"].clone());
        assert_eq!(merged, expected, "{original:#}\n{patch:#}");
    }
}
