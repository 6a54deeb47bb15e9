//! Copies of requests for the canary.

use serde_json::{Value, json};

use crate::Refusal;
use crate::percent::Percent;
use crate::route::{Names, Role, Subject};
use crate::state::RouteState;

/// What becomes of the mirror of a route.
pub(super) enum Mirror {
    /// It leads there, for this share of requests.
    On(Value, Percent),
    /// It goes.
    Off,
    /// It is among these filters, or goes from among them.
    Filters(Vec<Value>),
}

pub(super) fn mirrored(
    state: &mut RouteState,
    route: &Value,
    canary: &Value,
    wanted: Option<Percent>,
) -> Result<Option<Mirror>, Refusal> {
    if state.section.is_gateway_api() {
        let new = wanted.map(|percent| mirror_filter(state.section.target(canary), percent));
        let old = std::mem::replace(&mut state.mirror_filter, new.clone());
        if old == new {
            return Ok(None);
        }
        let known = route.get("filters").and_then(Value::as_array);
        let known = known.map_or(&[][..], Vec::as_slice);
        let target = |filter: &Value| filter.pointer("/requestMirror/backendRef").cloned();
        let place = old.as_ref().and_then(|old| {
            let same = known.iter().position(|filter| filter == old);
            // Others may have given it another share.
            same.or_else(|| {
                known
                    .iter()
                    .position(|filter| target(filter).is_some() && target(filter) == target(old))
            })
        });
        let rest = known
            .iter()
            .enumerate()
            .filter(|(index, _)| Some(*index) != place);
        let rest = rest.map(|(_, filter)| filter.clone());
        return Ok(Some(Mirror::Filters(rest.chain(new).collect())));
    }
    let was_mirrored = std::mem::replace(&mut state.is_mirrored, wanted.is_some());
    let Some(percent) = wanted else {
        return Ok(was_mirrored.then_some(Mirror::Off));
    };
    let taken = [
        "mirror",
        "mirrors",
        "mirrorPercent",
        "mirrorPercentage",
        "mirror_percent",
    ]
    .into_iter()
    .find(|field| route.get(*field).is_some());
    match taken {
        Some(field) if !was_mirrored => Err(Refusal::new(format!(
            "the route has a `{field}` of its own already"
        ))),
        _ => Ok(Some(Mirror::On(state.section.target(canary), percent))),
    }
}

/// A route without the mirror of the rollout.
pub(super) fn without_mirror(state: &RouteState, route: &Value) -> Value {
    let mut plain = route.clone();
    let Some(fields) = plain.as_object_mut() else {
        return plain;
    };
    if state.is_mirrored {
        for field in MIRROR {
            fields.shift_remove(field);
        }
    }
    if let Some(own) = &state.mirror_filter
        && let Some(filters) = fields.get_mut("filters").and_then(Value::as_array_mut)
    {
        filters.retain(|filter| filter != own);
        if filters.is_empty() {
            fields.shift_remove("filters");
        }
    }
    plain
}

/// Whether others have made the mirror of a rollout lead elsewhere.
pub(super) fn is_mirror_of_others(
    state: &RouteState,
    route: &Value,
    subject: &Subject,
    names: &Names<'_>,
) -> bool {
    let Some(target) = route.get("mirror").filter(|_| state.is_mirrored) else {
        return false;
    };
    let destination = json!({"destination": target});
    subject.role(state.section, &destination, names) != Role::Canary
}

/// The fields of a route of a VirtualService that mirror for a rollout.
pub(super) const MIRROR: [&str; 2] = ["mirror", "mirrorPercentage"];

/// The filter of the Gateway API that mirrors, with what the API server would add.
pub(super) fn mirror_filter(mut target: Value, percent: Percent) -> Value {
    if let Some(fields) = target.as_object_mut() {
        fields.entry("group").or_insert_with(|| "".into());
        fields.entry("kind").or_insert_with(|| "Service".into());
    }
    let mut mirror = json!({"backendRef": target});
    match percent.fraction() {
        // All of them is what a mirror without a share means, which older definitions have only.
        (100, 100) => {}
        (whole, 100) => mirror["percent"] = whole.into(),
        (numerator, denominator) => {
            mirror["fraction"] = json!({"numerator": numerator, "denominator": denominator});
        }
    }
    json!({"type": "RequestMirror", "requestMirror": mirror})
}
