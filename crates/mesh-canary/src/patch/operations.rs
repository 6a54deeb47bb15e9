//! From changed routes to the operations of a patch.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation};
use serde_json::{Value, json};

use super::Change;
use super::mirror::{MIRROR, Mirror};
use crate::route::Section;
use crate::state::{ANNOTATION, Rollout, annotation};

/// The change of one route.
pub(super) struct RoutePart {
    pub(super) section: Section,
    pub(super) index: usize,
    pub(super) new: Vec<Value>,
    pub(super) mirror: Option<Mirror>,
}

/// Own routes that come and go.
#[derive(PartialEq)]
pub(super) enum Move {
    /// The route at this place goes.
    Out(Section, usize),
    /// This one comes above the route at this place.
    In(Section, usize, Value),
}

impl Move {
    fn place(&self) -> (&'static str, usize) {
        match self {
            Self::Out(section, place) | Self::In(section, place, _) => (section.field(), *place),
        }
    }
}

pub(super) fn change(object: &Value, parts: Vec<RoutePart>, mut moves: Vec<Move>, after: Rollout) -> Change {
    let mut operations = Vec::new();
    for part in parts {
        let RoutePart {
            section,
            index,
            new,
            mirror,
        } = part;
        let list = ["spec", section.field()];
        let route = &section.routes(object)[index];
        let at = |tail: &[&str]| {
            let index = index.to_string();
            pointer(
                list.into_iter()
                    .chain([index.as_str()])
                    .chain(tail.iter().copied()),
            )
        };
        for field in ["name", section.match_field()] {
            if let Some(value) = route.get(field) {
                operations.push(test(at(&[field]), value));
            }
        }
        let field = section.destinations_field();
        let live = section.destinations(route);
        operations.push(test(at(&[field]), &Value::Array(live.to_vec())));
        for (position, destination) in live.iter().enumerate() {
            if let Some(changed) = new.get(position).filter(|changed| *changed != destination) {
                operations.push(replace(at(&[field, &position.to_string()]), changed));
            }
        }
        for position in (new.len()..live.len()).rev() {
            operations.push(remove(at(&[field, &position.to_string()])));
        }
        for added in new.iter().skip(live.len()) {
            operations.push(add(at(&[field, "-"]), added));
        }
        match mirror {
            Some(Mirror::On(target, percent)) => {
                for (name, value) in [
                    ("mirror", target),
                    ("mirrorPercentage", json!({"value": percent.number()})),
                ] {
                    if let Some(known) = route.get(name) {
                        operations.push(test(at(&[name]), known));
                    }
                    operations.push(add(at(&[name]), &value));
                }
            }
            Some(Mirror::Off) => {
                for name in MIRROR {
                    if let Some(known) = route.get(name) {
                        operations.push(test(at(&[name]), known));
                        operations.push(remove(at(&[name])));
                    }
                }
            }
            Some(Mirror::Filters(filters)) => {
                if let Some(known) = route.get("filters") {
                    operations.push(test(at(&["filters"]), known));
                }
                if filters.is_empty() {
                    if route.get("filters").is_some() {
                        operations.push(remove(at(&["filters"])));
                    }
                } else {
                    operations.push(add(at(&["filters"]), &Value::Array(filters)));
                }
            }
            None => {}
        }
    }
    // Places are those of the object as it is, so what moves others comes last, and from the end. Of several that come
    // to one place the last comes first, as it is the lowest.
    moves.reverse();
    moves.sort_by_key(|own| std::cmp::Reverse(own.place()));
    for own in moves {
        let (field, place) = own.place();
        let path = pointer(["spec", field, &place.to_string()]);
        match own {
            Move::In(_, _, route) => operations.push(add(path, &route)),
            Move::Out(section, place) => {
                operations.push(test(path.clone(), &section.routes(object)[place]));
                operations.push(remove(path));
            }
        }
    }
    annotate(&mut operations, object, &after);
    Change {
        operations,
        rollout: after,
    }
}

pub(super) fn annotate(operations: &mut Vec<PatchOperation>, object: &Value, rollout: &Rollout) {
    let metadata = object.get("metadata");
    if metadata
        .and_then(|metadata| metadata.get("annotations"))
        .is_none()
    {
        // That there are none cannot be tested, but that nothing at all has changed can.
        if let Some(version) = metadata.and_then(|metadata| metadata.get("resourceVersion")) {
            operations.push(test(pointer(["metadata", "resourceVersion"]), version));
        }
        operations.push(add(pointer(["metadata", "annotations"]), &json!({})));
    }
    let place = pointer(["metadata", "annotations", ANNOTATION]);
    let text = Value::String(rollout.text());
    match annotation(object) {
        Some(known) => {
            operations.push(test(place.clone(), &known.into()));
            operations.push(replace(place, &text));
        }
        None => operations.push(add(place, &text)),
    }
}

fn pointer<'a>(tokens: impl IntoIterator<Item = &'a str>) -> PointerBuf {
    PointerBuf::from_tokens(tokens)
}

fn test(path: PointerBuf, value: &Value) -> PatchOperation {
    PatchOperation::Test(TestOperation {
        path,
        value: value.clone(),
    })
}

fn add(path: PointerBuf, value: &Value) -> PatchOperation {
    PatchOperation::Add(AddOperation {
        path,
        value: value.clone(),
    })
}

fn replace(path: PointerBuf, value: &Value) -> PatchOperation {
    PatchOperation::Replace(ReplaceOperation {
        path,
        value: value.clone(),
    })
}

fn remove(path: PointerBuf) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation { path })
}
