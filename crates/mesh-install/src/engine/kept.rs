//! Objects that were as desired when they were looked at last.
//!
//! Asking the API server what would come of an apply is expensive, above all for definitions. While neither the object nor
//! what is desired of it changes, neither does the answer.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use serde_json::Value;

use crate::object::ObjectRef;

/// The objects, each with its version, and what was desired of it.
#[derive(Debug, Default)]
pub struct Kept(Mutex<BTreeMap<ObjectRef, (String, u64)>>);

impl Kept {
    /// Whether an object that is there is as desired for sure.
    pub(super) fn is_kept(&self, object: &ObjectRef, live: &Value, desired: &Value) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(object)
            .is_some_and(|known| *known == entry(live, desired))
    }

    /// Takes note of an object that is as desired.
    pub(super) fn keep(&self, object: &ObjectRef, live: &Value, desired: &Value) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(object.clone(), entry(live, desired));
    }
}

fn entry(live: &Value, desired: &Value) -> (String, u64) {
    let metadata = &live["metadata"];
    let mut hasher = DefaultHasher::new();
    desired.to_string().hash(&mut hasher);
    // Of two objects of one name, the versions differ too; the UID is for API servers that begin anew.
    (
        format!("{} {}", metadata["uid"], metadata["resourceVersion"]),
        hasher.finish(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::object::ObjectKind;

    #[test]
    fn any_change_is_a_reason_to_look_again() {
        let kind = ObjectKind::named("ConfigMap").expect("a known kind");
        let object = ObjectRef::new(kind, "mesh", "istio");
        let live =
            |uid: &str, version: &str| json!({ "metadata": { "uid": uid, "resourceVersion": version } });
        let desired = json!({ "data": { "mesh": "x" } });
        let kept = Kept::default();
        assert!(!kept.is_kept(&object, &live("a", "1"), &desired));
        kept.keep(&object, &live("a", "1"), &desired);
        assert!(kept.is_kept(&object, &live("a", "1"), &desired));
        assert!(!kept.is_kept(&object, &live("a", "2"), &desired));
        assert!(!kept.is_kept(&object, &live("b", "1"), &desired));
        assert!(!kept.is_kept(&object, &live("a", "1"), &json!({ "data": { "mesh": "y" } })));
        let other = ObjectRef::new(kind, "mesh", "values");
        assert!(!kept.is_kept(&other, &live("a", "1"), &desired));
    }
}
