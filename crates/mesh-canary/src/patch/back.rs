//! The way back, whatever others have done meanwhile.

use serde_json::Value;

use super::Change;
use super::cookie::{is_sticky, unstick};
use super::find::{find_again, shown_route};
use super::mirror::{is_mirror_of_others, mirrored};
use super::operations::{Move, RoutePart, change};
use super::shares::with_weight;
use crate::Refusal;
use crate::route::{Names, Role, Section, Subject};
use crate::state::{Rollout, RouteState};

/// Puts the routes back to what they were before the rollout.
///
/// What others have changed since stays, as far as it sends nothing to the canary that it did not get before: a route is
/// known again by its name, its conditions or its destinations, and a destination by where it leads. If nothing is left
/// of a route, the others go back all the same, and the rollout's message says so.
///
/// # Errors
///
/// Nothing that others may have done to the routes is one.
pub fn restore(object: &Value, rollout: &Rollout, names: &Names<'_>) -> Result<Change, Refusal> {
    let mut after = rollout.clone();
    let mut parts = Vec::new();
    let mut moves = Vec::new();
    for state in &mut after.routes {
        for own in std::mem::take(&mut state.inserted) {
            let place = find_own(object, state.section, &own, &moves, |route| {
                let mut destinations = state.section.destinations(route).iter();
                destinations.all(|one| rollout.subject.role(state.section, one, names) == Role::Canary)
            });
            moves.extend(place.map(|place| Move::Out(state.section, place)));
        }
    }
    let indexes = find_again(object, rollout, &moves, names);
    for (state, index) in after.routes.iter_mut().zip(indexes) {
        let section = state.section;
        let Some(index) = index else {
            let lost = format!("the {} is gone, and was not put back", shown_route(state));
            if !after.message.is_empty() {
                after.message.push_str("; ");
            }
            after.message.push_str(&lost);
            continue;
        };
        let route = &section.routes(object)[index];
        let new = as_before(section.destinations(route), state, &rollout.subject, names);
        let mirror = if is_mirror_of_others(state, route, &rollout.subject, names) {
            None
        } else {
            mirrored(state, route, &Value::Null, None)?
        };
        state.written.clone_from(&new);
        parts.push(RoutePart {
            section,
            index,
            new,
            mirror,
        });
    }
    Ok(change(object, parts, moves, after))
}

/// Where a route is that the rollout has inserted, though others may have changed or moved it: by its name, or where
/// there are no names by its conditions and because all of it goes to the canary. Those in `found` are others.
fn find_own(
    object: &Value,
    section: Section,
    own: &Value,
    found: &[Move],
    is_all_canary: impl Fn(&Value) -> bool,
) -> Option<usize> {
    let find = |is_it: &dyn Fn(&Value) -> bool| {
        let mut routes = section.routes(object).iter().enumerate();
        let found =
            routes.find(|(place, route)| !found.contains(&Move::Out(section, *place)) && is_it(route));
        found.map(|(place, _)| place)
    };
    find(&|route| route == own).or_else(|| {
        let field = section.match_field();
        find(&|route| {
            if section.is_gateway_api() {
                route.get(field) == own.get(field) && is_all_canary(route)
            } else {
                route.get("name") == own.get("name")
            }
        })
    })
}

/// The destinations of a route as they were before the rollout, with what others have done to them since.
fn as_before(live: &[Value], state: &RouteState, subject: &Subject, names: &Names<'_>) -> Vec<Value> {
    let section = state.section;
    let role = |one: &Value| subject.role(section, one, names);
    let is_stable = |one: &Value| matches!(role(one), Role::Stable | Role::Whole);
    // What each is of the destinations that the rollout has left.
    let mut known: Vec<Option<usize>> = vec![None; live.len()];
    for likeness in 0..4 {
        for (number, written) in state.written.iter().enumerate() {
            if known.contains(&Some(number)) {
                continue;
            }
            let is_alike = |(place, one): (usize, &Value)| {
                let leads_there = section.target(one) == section.target(written)
                    || role(one) == Role::Canary && role(written) == Role::Canary
                    || is_stable(one) && is_stable(written);
                known[place].is_none()
                    && match likeness {
                        0 => place == number && one == written,
                        1 => one == written,
                        2 => place == number && leads_there,
                        _ => leads_there,
                    }
            };
            if let Some(place) = live.iter().enumerate().position(is_alike) {
                known[place] = Some(number);
            }
        }
    }
    let had_canary = state.original.iter().any(|one| role(one) == Role::Canary);
    let mut new = Vec::with_capacity(live.len());
    for (known, one) in known.iter().zip(live) {
        let known = known.and_then(|number| Some((state.original.get(number)?, &state.written[number])));
        match known {
            Some((original, written)) if written == one => new.push(original.clone()),
            Some((original, written)) => new.push(weighed_as(section, one, written, original)),
            None if role(one) == Role::Canary && !had_canary => {}
            None => new.push(one.clone()),
        }
    }
    // Of all that others may have taken away, this is what the traffic goes back to.
    for (number, original) in state.original.iter().enumerate() {
        if is_stable(original) && !known.contains(&Some(number)) {
            new.insert(number.min(new.len()), original.clone());
        }
    }
    if let ([only], [_, _, ..]) = (state.original.as_slice(), new.as_slice()) {
        // Alone it needed no weight, and beside what others have added it does.
        let weight = section.weights(std::slice::from_ref(only))[0];
        if let Some(stable) = new.iter_mut().find(|one| is_stable(one)) {
            *stable = with_weight(stable, weight);
        }
    }
    new
}

/// A destination with the weight, and without what the rollout added to name its version, of `original`.
fn weighed_as(section: Section, destination: &Value, written: &Value, original: &Value) -> Value {
    let mut new = destination.clone();
    if !is_sticky(original) {
        unstick(&mut new);
    }
    if let Some(fields) = new.as_object_mut() {
        match original.get("weight") {
            Some(weight) => fields.insert("weight".to_owned(), weight.clone()),
            None => fields.remove("weight"),
        };
        if !section.is_gateway_api()
            && let Some(target) = original.get("destination")
        {
            let is_same = fields.get("destination") == written.get("destination");
            let known = fields.get_mut("destination").and_then(Value::as_object_mut);
            match (known, target.get("subset")) {
                (Some(known), Some(subset)) if !is_same => {
                    known.insert("subset".to_owned(), subset.clone());
                }
                (Some(known), None) if !is_same => {
                    known.shift_remove("subset");
                }
                _ => {
                    fields.insert("destination".to_owned(), target.clone());
                }
            }
        }
    }
    new
}
