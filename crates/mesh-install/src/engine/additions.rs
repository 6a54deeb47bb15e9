//! What others have added to lists of an object beside our own items: another port, another container.
//!
//! Server-side apply leaves such items alone, since it takes away only what the one who applies has owned. Who owns what is
//! in `metadata.managedFields` (structured-merge-diff: `f:` is a field, `k:` an item of a list by its keys).

use std::collections::BTreeSet;

use json_patch::jsonptr::PointerBuf;
use json_patch::{Patch, PatchOperation, RemoveOperation, ReplaceOperation};
use serde_json::{Map, Value};

use crate::object::FIELD_MANAGER;

/// A step of the path to an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Token {
    Field(String),
    Item(usize),
}

/// Where the parts are that we describe as a whole. Elsewhere controllers add what is theirs, such as the Secrets of a
/// ServiceAccount.
const WHERE: [&str; 2] = ["f:spec", "f:webhooks"];

/// The JSON Patch (RFC 6902) that takes away what others have added to lists of which we have items. It applies to exactly
/// this version of the object. `None` if there is nothing to take away.
pub(super) fn removals(object: &Value) -> Option<Patch> {
    let mut found = BTreeSet::new();
    let entries = || {
        let fields = object["metadata"]["managedFields"].as_array();
        let all = fields.into_iter().flatten();
        all.filter(|entry| entry["subresource"].is_null())
    };
    let (own, others): (Vec<_>, Vec<_>) = entries().partition(|entry| entry["manager"] == FIELD_MANAGER);
    let own: Vec<&Value> = own.into_iter().map(|entry| &entry["fieldsV1"]).collect();
    for other in others {
        for part in WHERE {
            let (other, own) = (&other["fieldsV1"][part], step(&own, part));
            let field = part.trim_start_matches("f:");
            search(
                other,
                &own,
                &object[field],
                &[Token::Field(field.to_owned())],
                &mut found,
            );
        }
    }
    if found.is_empty() {
        return None;
    }
    let version = PatchOperation::Replace(ReplaceOperation {
        path: PointerBuf::from_tokens(["metadata", "resourceVersion"]),
        value: object["metadata"]["resourceVersion"].clone(),
    });
    // From the end, so that none moves another.
    let removals = found
        .iter()
        .rev()
        .map(|path| PatchOperation::Remove(RemoveOperation { path: pointer(path) }));
    Some(Patch([version].into_iter().chain(removals).collect()))
}

/// What several entries have of a part.
fn step<'a>(entries: &[&'a Value], part: &str) -> Vec<&'a Value> {
    entries.iter().filter_map(|entry| entry.get(part)).collect()
}

fn search(other: &Value, own: &[&Value], live: &Value, path: &[Token], found: &mut BTreeSet<Vec<Token>>) {
    if own.is_empty() {
        return;
    }
    for (part, inner) in other.as_object().into_iter().flatten() {
        let ours = step(own, part);
        let path = |token| [path, &[token]].concat();
        if let Some(field) = part.strip_prefix("f:") {
            if let Some(live) = live.get(field) {
                search(inner, &ours, live, &path(Token::Field(field.to_owned())), found);
            }
        } else if let Some(keys) = part.strip_prefix("k:") {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let is_it = |item: &Value| {
                !keys.is_empty() && keys.iter().all(|(key, value)| item.get(key) == Some(value))
            };
            let mut items = live.as_array().into_iter().flatten().enumerate();
            let Some((index, item)) = items.find(|(_, item)| is_it(item)) else {
                continue;
            };
            if !ours.is_empty() {
                search(inner, &ours, item, &path(Token::Item(index)), found);
            } else if own.iter().any(|own| has_items(own)) {
                found.insert(path(Token::Item(index)));
            }
        }
    }
}

fn has_items(entry: &Value) -> bool {
    let mut parts = entry.as_object().into_iter().flatten();
    parts.any(|(part, _)| part.starts_with("k:"))
}

/// The JSON Pointer (RFC 6901) of a path.
fn pointer(path: &[Token]) -> PointerBuf {
    PointerBuf::from_tokens(path.iter().map(|token| match token {
        Token::Field(name) => name.clone(),
        Token::Item(index) => index.to_string(),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn managed(manager: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": "Update", "fieldsV1": fields})
    }

    /// A Deployment with a container of ours, and another one.
    fn deployment(entries: &Value) -> Value {
        json!({
            "metadata": {"resourceVersion": "7", "managedFields": entries},
            "imagePullSecrets": [{"name": "ours"}, {"name": "theirs"}],
            "spec": {"containers": [
                {"name": "added"},
                {"name": "istiod", "env": [{"name": "A"}, {"name": "B"}, {"name": "C"}]},
                {"name": "more"},
            ], "tolerations": [{"key": "theirs"}]},
        })
    }

    fn after(object: &Value) -> Value {
        let mut left = object.clone();
        if let Some(patch) = removals(object) {
            json_patch::patch(&mut left, &patch).expect("it is made for the object");
        }
        left
    }

    #[test]
    fn only_items_of_others_in_lists_of_ours_are_taken_away() {
        let ours = json!({
            "f:imagePullSecrets": {"k:{\"name\":\"ours\"}": {}},
            "f:spec": {"f:containers": {"k:{\"name\":\"istiod\"}": {"f:env": {"k:{\"name\":\"B\"}": {}}}}},
        });
        let theirs = json!({
            "f:imagePullSecrets": {"k:{\"name\":\"theirs\"}": {}},
            "f:spec": {
                "f:containers": {
                    "k:{\"name\":\"added\"}": {},
                    "k:{\"name\":\"gone\"}": {},
                    "k:{\"name\":\"istiod\"}": {"f:env": {"k:{\"name\":\"A\"}": {}, "k:{\"name\":\"C\"}": {}}, "f:image": {}},
                },
                "f:tolerations": {"k:{\"key\":\"theirs\"}": {}},
            },
        });
        let more =
            json!({"f:spec": {"f:containers": {"k:{\"name\":\"more\"}": {}, "k:{\"name\":\"added\"}": {}}}});
        let status = json!({"f:spec": {"f:containers": {"k:{\"name\":\"more\"}": {}}}});
        let mut status = managed("controller", &status);
        status["subresource"] = json!("status");
        let object = deployment(&json!([
            managed(FIELD_MANAGER, &ours),
            managed("a", &theirs),
            status
        ]));
        let paths = |object: &Value| {
            let all = removals(object).expect("something is to be taken away").0;
            let paths = all[1..].iter().map(|operation| operation.path().to_string());
            paths.collect::<Vec<_>>()
        };
        let expected = [
            "/spec/containers/1/env/2",
            "/spec/containers/1/env/0",
            "/spec/containers/0",
        ];
        assert_eq!(paths(&object), expected);
        let left = after(&object);
        assert_eq!(
            left["spec"]["containers"],
            json!([{"name": "istiod", "env": [{"name": "B"}]}, {"name": "more"}])
        );

        let object = deployment(&json!([managed(FIELD_MANAGER, &ours), managed("b", &more)]));
        assert_eq!(paths(&object), ["/spec/containers/2", "/spec/containers/0"]);
        let object = deployment(&json!([managed(FIELD_MANAGER, &ours)]));
        assert_eq!(removals(&object), None);
        let object = deployment(&json!([managed("a", &theirs)]));
        assert_eq!(removals(&object), None, "nothing of it is ours");
    }

    proptest! {
        #[test]
        fn whatever_fields_are_said_to_be_managed_is_survived(
            part in r#"(f:[a-z~/]{1,3}|k:\{"name":"(istiod|more)"\}|k:[{}"a-z0-9]{0,6})"#,
            deep in r#"(f:containers|k:\{"name":"(added|x)"\}|v:1)"#,
        ) {
            let fields = json!({"f:spec": {(part.clone()): {(deep.clone()): {}}, (deep): {(part): {}}}});
            let ours = json!({"f:spec": {"f:containers": {"k:{\"name\":\"istiod\"}": {}}}});
            let object = deployment(&json!([managed(FIELD_MANAGER, &ours), managed("a", &fields)]));
            let left = after(&object);
            let names = left["spec"]["containers"].as_array().map(Vec::len);
            prop_assert!(names.is_some_and(|left| left >= 1));
        }
    }
}
