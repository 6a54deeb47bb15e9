//! Strategic merge patches of pods, as `k8s.io/apimachinery/pkg/util/strategicpatch` applies them.
//!
//! Maps are merged key by key, and a null removes the key. Lists with a merge key are merged item by item; other lists
//! are replaced. What decides the order of a merged list is the patch: its items come in its order, and the others are
//! put before the first item that they preceded in the original, or else at the end.

use serde_json::Value;

use crate::tree::Map;

/// The field that identifies the items of a list of a pod; `None` for lists that are replaced as a whole.
pub(crate) fn merge_key(list: &str) -> Option<&'static str> {
    Some(match list {
        "containers"
        | "initContainers"
        | "ephemeralContainers"
        | "volumes"
        | "env"
        | "imagePullSecrets"
        | "resourceClaims"
        | "schedulingGates" => "name",
        "volumeMounts" => "mountPath",
        "volumeDevices" => "devicePath",
        "ports" => "containerPort",
        "hostAliases" => "ip",
        "topologySpreadConstraints" => "topologyKey",
        _ => return None,
    })
}

/// Merges a patch into a pod.
///
/// For tests, which hold it against Kubernetes.
#[doc(hidden)]
pub fn strategic_merge(original: &mut Value, patch: &Value) {
    if let (Value::Object(original), Value::Object(patch)) = (original, patch) {
        merge(original, patch);
    }
}

/// Merges `patch` into `original`.
pub(crate) fn merge(original: &mut Map, patch: &Map) {
    for (key, patch) in patch {
        match (original.get_mut(key), patch) {
            (_, Value::Null) => {
                original.shift_remove(key);
            }
            (Some(Value::Object(original)), Value::Object(patch)) => merge(original, patch),
            (Some(Value::Array(original)), Value::Array(patch)) => match merge_key(key) {
                Some(merge_key) => merge_list(original, patch, merge_key),
                None => original.clone_from(patch),
            },
            (Some(original), patch) => *original = without_nulls(patch),
            (None, patch) => {
                original.insert(key.clone(), without_nulls(patch));
            }
        }
    }
}

/// The value without the nulls of its maps, which have nothing to remove.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        scalar => scalar.clone(),
    }
}

fn merge_list(original: &mut Vec<Value>, patch: &[Value], merge_key: &str) {
    let key = |item: &Value| item.get(merge_key).cloned().unwrap_or_default();
    let order: Vec<Value> = original.iter().map(key).collect();
    let place = |key: &Value| order.iter().position(|other| other == key);

    let mut kept: Vec<(Option<usize>, Value)> = Vec::with_capacity(original.len());
    let mut merged: Vec<Option<Value>> = patch.iter().map(|_| None).collect();
    let patched: Vec<Value> = patch.iter().map(key).collect();
    for (index, item) in std::mem::take(original).into_iter().enumerate() {
        match patched.iter().position(|key| *key == order[index]) {
            Some(at) if merged[at].is_none() => merged[at] = Some(item),
            _ => kept.push((place(&order[index]), item)),
        }
    }
    let mut right = merged
        .into_iter()
        .zip(patch)
        .zip(&patched)
        .map(|((item, patch), key)| {
            let item = match (item, patch) {
                (Some(Value::Object(mut item)), Value::Object(patch)) => {
                    merge(&mut item, patch);
                    Value::Object(item)
                }
                (_, patch) => without_nulls(patch),
            };
            (place(key), item)
        });

    let mut left = kept.into_iter().peekable();
    let mut next = right.next();
    loop {
        match (left.peek(), &next) {
            (Some((Some(left_place), _)), Some((Some(right_place), _))) if left_place < right_place => {
                original.extend(left.next().map(|(_, item)| item));
            }
            (_, Some(_)) => {
                original.extend(next.map(|(_, item)| item));
                next = right.next();
            }
            (Some(_), None) => original.extend(left.next().map(|(_, item)| item)),
            (None, None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn merged(original: &Value, patch: &Value) -> Value {
        let mut original = original.clone();
        if let (Value::Object(original), Value::Object(patch)) = (&mut original, patch) {
            merge(original, patch);
        }
        original
    }

    fn names(list: &Value) -> String {
        let names = list.as_array().into_iter().flatten();
        names.map(|item| item["name"].as_str().unwrap_or("?")).collect()
    }

    #[test]
    fn lists_are_ordered_by_the_patch_and_then_by_the_original() {
        for (original, patch, expected) in [
            ("", "ab", "ab"),
            ("xy", "ab", "abxy"),
            ("xby", "ab", "axby"),
            ("bxa", "ab", "xab"),
            ("axb", "ba", "xba"),
            ("xaybz", "ab", "xaybz"),
            ("xa", "pqa", "pqxa"),
            ("xyz", "", "xyz"),
        ] {
            let list = |names: &str| -> Value {
                names
                    .chars()
                    .map(|name| json!({"name": name.to_string()}))
                    .collect()
            };
            let result = merged(&json!({"env": list(original)}), &json!({"env": list(patch)}));
            assert_eq!(names(&result["env"]), expected, "{original} + {patch}");
        }
    }

    #[test]
    fn values_merge_by_their_kind() {
        let original = json!({
            "args": ["a"], "securityContext": {"a": 1, "b": 2}, "env": [{"name": "A", "value": "1"}, {"name": "B"}],
            "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}],
        });
        let patch = json!({
            "args": ["b"], "securityContext": {"b": null, "c": {"d": null, "e": 1}},
            "env": [{"name": "B", "value": "2"}],
            "volumeMounts": [{"name": "w", "mountPath": "/b"}],
        });
        assert_eq!(
            merged(&original, &patch),
            json!({
                "args": ["b"], "securityContext": {"a": 1, "c": {"e": 1}},
                "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "volumeMounts": [{"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/b"}],
            })
        );
    }
}
