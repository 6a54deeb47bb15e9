//! What injection needs to know of a namespace.

use mesh_core::Labels;
use mesh_yaml::Node;
use serde_json::Value;

use crate::tree::{plain, text};

/// User and group that the proxy runs as, unless its namespace has its own.
const PROXY_ID: i64 = 1337;

/// OpenShift's range of users for the pods of a namespace.
const USERS: &str = "openshift.io/sa.scc.uid-range";

/// OpenShift's ranges of groups for the pods of a namespace.
const GROUPS: &str = "openshift.io/sa.scc.supplemental-groups";

/// The labels and annotations of a namespace, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its labels.
    pub labels: Labels,
    /// Its annotations.
    pub annotations: Labels,
}

impl Namespace {
    /// Whether OpenShift chooses the users of its pods.
    pub(crate) fn chooses_users(&self) -> bool {
        self.annotations.contains_key(USERS)
    }

    /// The user that the proxy runs as: the last that OpenShift gives the namespace, or else Istio's.
    pub(crate) fn proxy_user(&self) -> i64 {
        self.last(&[USERS])
    }

    /// The group that the proxy runs as: the last that OpenShift gives the namespace, or else Istio's.
    pub(crate) fn proxy_group(&self) -> i64 {
        self.last(&[GROUPS, USERS])
    }

    fn last(&self, annotations: &[&str]) -> i64 {
        let range = annotations.iter().find_map(|name| self.annotations.get(*name));
        range.and_then(|text| last_of(text)).unwrap_or(PROXY_ID)
    }
}

/// The last id of the first of some ranges, each `FIRST/COUNT` or `FIRST-LAST`.
fn last_of(ranges: &str) -> Option<i64> {
    let range = ranges.split(',').next()?.trim();
    let number = |text: &str| text.trim().parse::<u32>().ok().map(i64::from);
    if let Some((first, count)) = range.split_once('/') {
        return Some(number(first)? + number(count).filter(|count| *count > 0)? - 1);
    }
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(last)
}

/// The name of a Namespace object, and what injection needs to know of it.
pub fn namespace(object: Node<'_>) -> Option<(String, Namespace)> {
    let is_namespace =
        object.get("apiVersion")?.as_str()? == "v1" && object.get("kind")?.as_str()? == "Namespace";
    let metadata = object.get("metadata").filter(|_| is_namespace)?.to_json();
    let texts = |key: &str| -> Labels {
        let entries = metadata.get(key).and_then(Value::as_object).into_iter().flatten();
        entries.map(|(key, value)| (key.clone(), plain(value))).collect()
    };
    let namespace = Namespace {
        labels: texts("labels"),
        annotations: texts("annotations"),
    };
    Some((text(&metadata, "name").to_owned(), namespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proxy_gets_the_last_user_of_the_range() {
        for (range, expected) in [
            ("1000620000/10000", Some(1_000_629_999)),
            ("1000-1999", Some(1999)),
            ("1/3,100/1", Some(3)),
            ("1/0", None),
            ("5-4", None),
            ("1000", None),
            ("a/b", None),
            ("", None),
        ] {
            assert_eq!(last_of(range), expected, "{range}");
        }
        let annotations = |pairs: &[(&str, &str)]| Namespace {
            annotations: pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Namespace::default()
        };
        let ids = |namespace: &Namespace| (namespace.proxy_user(), namespace.proxy_group());
        assert_eq!(ids(&annotations(&[])), (1337, 1337));
        assert_eq!(ids(&annotations(&[(USERS, "10/5")])), (14, 14));
        assert_eq!(ids(&annotations(&[(USERS, "10/5"), (GROUPS, "20/5")])), (14, 24));
        assert_eq!(ids(&annotations(&[(USERS, "bad")])), (1337, 1337));
    }
}
