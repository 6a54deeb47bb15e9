//! Paths into a tree as `--set` and overlays write them: `a.b`, `a[0]`, `a.[name:x].b`, `a.b\.c`.

use std::ops::Range;

use serde_json::{Map, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// What it leads to.
    pub(crate) to: To,
    /// Its bytes in the text of the path.
    pub(crate) range: Range<usize>,
}

/// What a step leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum To {
    /// The value of a key.
    Key(String),
    /// An item by its place.
    Index(usize),
    /// A new item at the end.
    New,
    /// The item whose field has this text.
    Item(String, String),
}

/// Why a text is no path, or a path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathError {
    pub(crate) range: Range<usize>,
    pub(crate) message: String,
}

impl PathError {
    pub(crate) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            range,
            message: message.into(),
        }
    }
}

/// Reads a path.
pub(crate) fn parse(text: &str) -> Result<Vec<Step>, PathError> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let step = if rest.starts_with('[') {
            let end = rest
                .find(']')
                .ok_or_else(|| PathError::new(at..text.len(), "`[` is not closed"))?;
            let range = at..at + end + 1;
            let to = bracket(&rest[1..end]).ok_or_else(|| {
                PathError::new(
                    range.clone(),
                    format!("`{}` is neither an index nor `[key:value]`", &rest[..=end]),
                )
            })?;
            Step { to, range }
        } else {
            let (key, length) = key(rest);
            if key.is_empty() {
                return Err(PathError::new(at..at + length.max(1), "a name is missing"));
            }
            Step {
                to: To::Key(key),
                range: at..at + length,
            }
        };
        at = step.range.end;
        steps.push(step);
        match text[at..].bytes().next() {
            Some(b'.') if at + 1 == text.len() => {
                return Err(PathError::new(at..at + 1, "a name is missing after `.`"));
            }
            Some(b'.') => at += 1,
            None | Some(b'[') => {}
            Some(_) => return Err(PathError::new(at..text.len(), "expected `.` after `]`")),
        }
    }
    if steps.is_empty() {
        return Err(PathError::new(0..0, "a path is missing"));
    }
    Ok(steps)
}

fn bracket(text: &str) -> Option<To> {
    if text == "-1" {
        return Some(To::New);
    }
    if let Ok(index) = text.parse() {
        return Some(To::Index(index));
    }
    let (key, value) = text.split_once(':')?;
    (!key.is_empty()).then(|| To::Item(key.to_owned(), value.to_owned()))
}

/// The name at the start of a text, and its length there. A backslash takes the next character as it is.
fn key(text: &str) -> (String, usize) {
    let mut name = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '.' | '[' => return (name, at),
            '\\' => name.extend(characters.next().map(|(_, character)| character)),
            _ => name.push(character),
        }
    }
    (name, text.len())
}

/// The place that a path leads to. Mappings and items that are missing are made; an index beyond the end adds an item.
/// Returns the steps with items by their place.
pub(crate) fn reach<'v>(
    mut value: &'v mut Value,
    steps: &[Step],
) -> Result<(&'v mut Value, Vec<mesh_yaml::Segment>), PathError> {
    let mut trail = Vec::with_capacity(steps.len());
    for step in steps {
        if let To::Key(key) = &step.to {
            trail.push(mesh_yaml::Segment::Key(key.as_str().into()));
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            let Value::Object(map) = value else {
                return Err(mismatch(step, value, "a mapping"));
            };
            value = map.entry(key.clone()).or_insert(Value::Null);
            continue;
        }
        if value.is_null() {
            *value = Value::Array(Vec::new());
        }
        let Value::Array(list) = value else {
            return Err(mismatch(step, value, "a list"));
        };
        let index = place(list, step)?;
        if index == list.len() {
            list.push(Value::Null);
        }
        trail.push(mesh_yaml::Segment::Index(index));
        value = &mut list[index];
    }
    Ok((value, trail))
}

/// Removes what a path leads to. A path that leads nowhere is an error.
pub(crate) fn remove(value: &mut Value, steps: &[Step]) -> Result<(), PathError> {
    let Some((last, before)) = steps.split_last() else {
        return Ok(());
    };
    let mut parent = value;
    for step in before {
        parent = child(parent, step)?;
    }
    child(parent, last)?;
    match (parent, &last.to) {
        (Value::Object(map), To::Key(key)) => {
            map.shift_remove(key);
        }
        (Value::Array(list), _) => {
            let index = place(list, last)?;
            list.remove(index);
        }
        _ => {}
    }
    Ok(())
}

/// What a step leads to; it has to be there.
pub(crate) fn child<'v>(value: &'v mut Value, step: &Step) -> Result<&'v mut Value, PathError> {
    let missing = || PathError::new(step.range.clone(), "there is nothing here");
    match (&step.to, value) {
        (To::Key(key), Value::Object(map)) => map.get_mut(key).ok_or_else(missing),
        (To::Index(_) | To::Item(..), Value::Array(list)) => {
            let index = place(list, step)?;
            list.get_mut(index).ok_or_else(missing)
        }
        _ => Err(missing()),
    }
}

/// The index of an item; the length of the list for a new one.
fn place(list: &[Value], step: &Step) -> Result<usize, PathError> {
    match &step.to {
        To::Index(index) => Ok((*index).min(list.len())),
        To::Item(key, wanted) => {
            let is_it = |item: &Value| match item.get(key) {
                Some(Value::String(text)) => text == wanted,
                Some(other) => serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| *other == wanted),
                None => false,
            };
            list.iter().position(is_it).ok_or_else(|| {
                let there: Vec<_> = list.iter().filter_map(|item| item.get(key)?.as_str()).collect();
                let there = if there.is_empty() {
                    "there is none".to_owned()
                } else {
                    format!("there are {}", there.join(", "))
                };
                PathError::new(
                    step.range.clone(),
                    format!("no item has the {key} `{wanted}`; {there}"),
                )
            })
        }
        To::New | To::Key(_) => Ok(list.len()),
    }
}

fn mismatch(step: &Step, value: &Value, expected: &str) -> PathError {
    let found = match value {
        Value::Object(_) => "a mapping",
        Value::Array(_) => "a list",
        _ => "a single value",
    };
    PathError::new(
        step.range.clone(),
        format!("expected {expected} before this, found {found}"),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn steps(text: &str) -> Vec<To> {
        let steps = parse(text).unwrap_or_else(|error| panic!("{text}: {}", error.message));
        steps.into_iter().map(|step| step.to).collect()
    }

    fn key(name: &str) -> To {
        To::Key(name.to_owned())
    }

    #[test]
    fn keys_indices_and_items() {
        assert_eq!(steps("a.b"), [key("a"), key("b")]);
        assert_eq!(steps("a[0].b"), [key("a"), To::Index(0), key("b")]);
        assert_eq!(steps("a.[-1]"), [key("a"), To::New]);
        assert_eq!(
            steps("a.[name:x.y].b"),
            [key("a"), To::Item("name".to_owned(), "x.y".to_owned()), key("b")]
        );
        assert_eq!(
            steps(r"a.prometheus\.io/port"),
            [key("a"), key("prometheus.io/port")]
        );
    }

    #[test]
    fn what_is_no_path() {
        for (text, at) in [
            ("", 0..0),
            (".a", 0..1),
            ("a..b", 2..3),
            ("a.", 1..2),
            ("a[0", 1..3),
            ("a[x]", 1..4),
            ("a[0]b", 4..5),
        ] {
            assert_eq!(parse(text).expect_err(text).range, at, "{text}");
        }
    }

    #[test]
    fn items_are_found_added_and_removed() {
        let mut value = json!({"list": [{"name": "a"}]});
        let set = |value: &mut Value, path: &str, new: Value| {
            let steps = parse(path).expect(path);
            *reach(value, &steps).expect(path).0 = new;
        };
        set(&mut value, "list[name:a].x", json!(1));
        set(&mut value, "list[7].name", json!("b"));
        set(&mut value, "other.deep", json!(true));
        assert_eq!(
            value,
            json!({"list": [{"name": "a", "x": 1}, {"name": "b"}], "other": {"deep": true}})
        );
        remove(&mut value, &parse("list[name:a]").expect("a path")).expect("it is there");
        assert_eq!(value["list"], json!([{"name": "b"}]));
        let gone = remove(&mut value, &parse("list[name:a]").expect("a path")).expect_err("it is gone");
        assert_eq!(gone.message, "no item has the name `a`; there are b");
    }

    proptest! {
        #[test]
        fn any_text_is_a_path_or_an_error_in_it(text in r"[a-z.\[\]:\\é0-9-]{0,20}") {
            match parse(&text) {
                Ok(steps) => {
                    prop_assert!(steps.iter().all(|step| text.get(step.range.clone()).is_some()));
                    let mut value = Value::Null;
                    let _ = reach(&mut value, &steps);
                    let _ = remove(&mut value, &steps);
                }
                Err(error) => prop_assert!(error.range.end <= text.len()),
            }
        }
    }
}
