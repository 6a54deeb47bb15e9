//! What differs between two states of a proxy, or between two proxies.
//!
//! Resources are compared by name and by what they say, whatever their order, version and time.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use crate::config::Address;
use crate::config::cluster::Locality;
use crate::dump::{Item, State};
use crate::proto;

/// A difference between two sets of resources.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Only the second has it.
    Added {
        /// The resource's name.
        name: String,
        /// What it says.
        value: Value,
    },
    /// Only the first has it.
    Removed {
        /// The resource's name.
        name: String,
        /// What it said.
        value: Value,
    },
    /// Both have it, and it says something else.
    Changed {
        /// The resource's name.
        name: String,
        /// Where, in the order of the resource.
        fields: Vec<FieldChange>,
    },
}

impl Change {
    /// The name of the resource.
    pub fn name(&self) -> &str {
        match self {
            Self::Added { name, .. } | Self::Removed { name, .. } | Self::Changed { name, .. } => name,
        }
    }
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    /// Where it is, from the resource down.
    pub path: Vec<Step>,
    /// What the first says; `None` if it lacks the field.
    pub before: Option<Value>,
    /// What the second says; `None` if it lacks the field.
    pub after: Option<Value>,
}

/// A step down into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a field.
    Field(String),
    /// To an element of a list, from 0.
    Index(usize),
    /// To the element of a list that has this name.
    Named(String),
}

impl FieldChange {
    /// The path as text: `virtual_hosts[reviews:80].routes[0].route.cluster`.
    pub fn path(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => text.extend([".", name]),
                Step::Index(_) | Step::Named(_) => text.push_str(&step.to_string()),
            }
        }
        text
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Named(name) => write!(f, "[{name}]"),
        }
    }
}

/// Compares two sets of resources of one section, sorted by name.
///
/// A resource that is drained is left out: it is on its way out. One that is warming is compared under its name with
/// ` (warming)`. Where two have the same name, the later counts.
pub fn diff(before: &[Item<Value>], after: &[Item<Value>]) -> Vec<Change> {
    let (before, after) = (by_name(before), by_name(after));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changes = names
        .into_iter()
        .filter_map(|name| match (before.get(name), after.get(name)) {
            (None, Some(value)) => Some(Change::Added {
                name: name.clone(),
                value: (*value).clone(),
            }),
            (Some(value), None) => Some(Change::Removed {
                name: name.clone(),
                value: (*value).clone(),
            }),
            (Some(old), Some(new)) => {
                let mut fields = Vec::new();
                compare(old, new, &mut Vec::new(), &mut fields);
                (!fields.is_empty()).then(|| Change::Changed {
                    name: name.clone(),
                    fields,
                })
            }
            (None, None) => None,
        });
    changes.collect()
}

fn by_name(items: &[Item<Value>]) -> BTreeMap<String, &Value> {
    let items = items.iter().filter(|item| item.state != State::Draining);
    items
        .map(|item| {
            let name = resource_name(&item.resource);
            let name = if item.state == State::Warming {
                format!("{name} (warming)")
            } else {
                name.to_owned()
            };
            (name, &item.resource)
        })
        .collect()
}

/// The name that identifies a resource in its section; empty for the bootstrap.
pub fn resource_name(resource: &Value) -> &str {
    let names = ["name", "cluster_name", "clusterName"];
    names
        .into_iter()
        .find_map(|key| resource.get(key)?.as_str())
        .unwrap_or_default()
}

fn compare(before: &Value, after: &Value, path: &mut Vec<Step>, changes: &mut Vec<FieldChange>) {
    match (before, after) {
        _ if before == after => {}
        (Value::Object(old), Value::Object(new)) => compare_objects(old, new, path, changes),
        (Value::Array(old), Value::Array(new)) => match (by_identity(old), by_identity(new)) {
            (Some(old), Some(new)) => compare_lists(&old, &new, path, changes),
            _ if old.iter().chain(new).all(Value::is_object) => {
                for index in 0..old.len().max(new.len()) {
                    compare_at(Step::Index(index), old.get(index), new.get(index), path, changes);
                }
            }
            _ => changes.push(change(path, Some(before), Some(after))),
        },
        _ => changes.push(change(path, Some(before), Some(after))),
    }
}

/// Compares lists of things that have names.
fn compare_lists(
    old: &[(String, &Value)],
    new: &[(String, &Value)],
    path: &mut Vec<Step>,
    changes: &mut Vec<FieldChange>,
) {
    let in_old: BTreeMap<&str, &Value> = old.iter().map(|(name, value)| (&**name, *value)).collect();
    let in_new: BTreeMap<&str, &Value> = new.iter().map(|(name, value)| (&**name, *value)).collect();
    let added = new.iter().filter(|(name, _)| !in_old.contains_key(&**name));
    for (name, _) in old.iter().chain(added) {
        let (before, after) = (in_old.get(&**name).copied(), in_new.get(&**name).copied());
        compare_at(Step::Named(name.clone()), before, after, path, changes);
    }
    let order = |list: &[(String, &Value)]| -> Vec<String> {
        let common = |name: &String| in_old.contains_key(&**name) && in_new.contains_key(&**name);
        list.iter().map(|(name, _)| name.clone()).filter(common).collect()
    };
    let is_unordered = matches!(path.last(), Some(Step::Field(field)) if UNORDERED.contains(&&**field));
    let (before, after) = (order(old), order(new));
    if before != after && !is_unordered {
        changes.push(change(path, Some(&before.into()), Some(&after.into())));
    }
}

/// Lists whose order means nothing to Envoy.
const UNORDERED: &[&str] = &[
    "virtual_hosts",
    "virtualHosts",
    "filter_chains",
    "filterChains",
    "endpoints",
    "lb_endpoints",
    "lbEndpoints",
];

/// The elements of a list with what identifies each; `None` if some has nothing, or two have the same.
fn by_identity(list: &[Value]) -> Option<Vec<(String, &Value)>> {
    let named: Vec<_> = list
        .iter()
        .map(|value| Some((identity(value)?, value)))
        .collect::<Option<_>>()?;
    let mut names: Vec<&String> = named.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    (names.len() == list.len()).then_some(named)
}

/// A name, an endpoint's address, or a locality.
fn identity(value: &Value) -> Option<String> {
    let object = value.as_object()?;
    if let Some(name) = object.get("name") {
        return name.as_str().filter(|name| !name.is_empty()).map(str::to_owned);
    }
    if let Some(endpoint) = object.get("endpoint") {
        let address: Address = proto::from_value(endpoint.get("address")?)?;
        return Some(address.to_string()).filter(|address| !address.is_empty());
    }
    let locality: Locality = proto::from_value(object.get("locality")?)?;
    Some(locality.to_string())
}

fn compare_objects(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &mut Vec<Step>,
    changes: &mut Vec<FieldChange>,
) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        compare_at(
            Step::Field(key.clone()),
            old.get(key),
            new.get(key),
            path,
            changes,
        );
    }
}

fn compare_at(
    step: Step,
    before: Option<&Value>,
    after: Option<&Value>,
    path: &mut Vec<Step>,
    changes: &mut Vec<FieldChange>,
) {
    path.push(step);
    match (before, after) {
        (Some(before), Some(after)) => compare(before, after, path, changes),
        (None, None) => {}
        _ => changes.push(change(path, before, after)),
    }
    path.pop();
}

fn change(path: &[Step], before: Option<&Value>, after: Option<&Value>) -> FieldChange {
    FieldChange {
        path: path.to_vec(),
        before: before.cloned(),
        after: after.cloned(),
    }
}
