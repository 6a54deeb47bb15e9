//! Reading and building JSON-like trees.

use serde_json::Value;

pub(crate) type Map = serde_json::Map<String, Value>;

/// No items, to borrow from.
const NOTHING: &[Value] = &[];

/// The value at `path`, a list of keys.
pub(crate) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter()
        .try_fold(value, |value, key| value.get(key))
        .filter(|value| !value.is_null())
}

/// The text at `key`; empty if it is not there or no text.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The items at `key`; none if it is not there or no list.
pub(crate) fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(NOTHING, Vec::as_slice)
}

/// The text of a map from text to text at `keys`, such as a label of an object.
pub(crate) fn entry<'v>(value: &'v Value, map: &str, key: &str) -> Option<&'v str> {
    value.get("metadata")?.get(map)?.get(key)?.as_str()
}

/// The label of a pod.
pub(crate) fn label<'v>(pod: &'v Value, key: &str) -> Option<&'v str> {
    entry(pod, "labels", key)
}

/// The annotation of a pod.
pub(crate) fn annotation<'v>(pod: &'v Value, key: &str) -> Option<&'v str> {
    entry(pod, "annotations", key)
}

/// The item of a list with this name.
pub(crate) fn named<'v>(list: &'v [Value], name: &str) -> Option<&'v Value> {
    list.iter().find(|item| text(item, "name") == name)
}

/// The containers of a pod at `key` (`containers` or `initContainers`).
pub(crate) fn containers<'v>(pod: &'v Value, key: &str) -> &'v [Value] {
    pod.get("spec").map_or(NOTHING, |spec| list(spec, key))
}

/// The map at `key`, which is made if it is not there.
pub(crate) fn map_mut<'v>(value: &'v mut Map, key: &str) -> &'v mut Map {
    let entry = value.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    match entry {
        Value::Object(map) => map,
        _ => unreachable!("made a map above"),
    }
}

/// The list at `key`, which is made if it is not there.
pub(crate) fn list_mut<'v>(value: &'v mut Map, key: &str) -> &'v mut Vec<Value> {
    let entry = value.entry(key).or_insert_with(|| Value::Array(Vec::new()));
    if !entry.is_array() {
        *entry = Value::Array(Vec::new());
    }
    match entry {
        Value::Array(list) => list,
        _ => unreachable!("made a list above"),
    }
}

/// The map itself; made if the value is none.
pub(crate) fn as_map(value: &mut Value) -> &mut Map {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made a map above"),
    }
}

/// The annotations of a pod, made if there are none.
pub(crate) fn annotations_mut(pod: &mut Value) -> &mut Map {
    map_mut(map_mut(as_map(pod), "metadata"), "annotations")
}

/// The labels of a pod, made if there are none.
pub(crate) fn labels_mut(pod: &mut Value) -> &mut Map {
    map_mut(map_mut(as_map(pod), "metadata"), "labels")
}

/// The items of a pod's spec at `key`, if there are any.
pub(crate) fn spec_list_mut<'v>(pod: &'v mut Value, key: &str) -> Option<&'v mut Vec<Value>> {
    pod.get_mut("spec")?.get_mut(key)?.as_array_mut()
}

/// The proxy's container, wherever it is.
pub(crate) fn proxy_mut(pod: &mut Value) -> Option<&mut Map> {
    let key = ["containers", "initContainers"]
        .into_iter()
        .find(|key| named(containers(pod, key), mesh_core::injection::PROXY_CONTAINER).is_some())?;
    spec_list_mut(pod, key)?
        .iter_mut()
        .find(|container| text(container, "name") == mesh_core::injection::PROXY_CONTAINER)?
        .as_object_mut()
}

/// An environment variable.
pub(crate) fn variable(name: &str, value: impl Into<String>) -> Value {
    let mut map = Map::new();
    map.insert("name".to_owned(), Value::String(name.to_owned()));
    let value = value.into();
    // The API server leaves out what is empty.
    if !value.is_empty() {
        map.insert("value".to_owned(), Value::String(value));
    }
    Value::Object(map)
}

/// What a value would be in an annotation: texts as they are, all else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
