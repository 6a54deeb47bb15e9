//! Where the routes of a rollout are in an object.

use serde_json::Value;

use super::operations::Move;
use crate::Refusal;
use crate::route::{Names, Role, Section, is_own};
use crate::state::{Rollout, RouteState};

/// Where the routes of a rollout are in the live object, in words, such as "http\[0\]", with its name if it has one.
///
/// # Errors
///
/// As [`find`].
pub fn places(object: &Value, rollout: &Rollout) -> Result<Vec<String>, Refusal> {
    let routes = rollout.routes.iter().zip(find(object, rollout)?);
    let places = routes.map(|(route, index)| shown(route.section, index, route.name.as_deref()));
    Ok(places.collect())
}

/// Whether all routes of a rollout are called `wanted` in the live object: by name or number, as for `routes`. A number
/// counts the routes that the rollout has put above, or leaves them out.
///
/// # Errors
///
/// As [`find`].
pub fn are_called(object: &Value, rollout: &Rollout, wanted: &str) -> Result<bool, Refusal> {
    let mut routes = rollout.routes.iter().zip(find(object, rollout)?);
    Ok(routes.all(|(route, index)| {
        let above = route.section.routes(object).iter().take(index);
        let own = above.filter(|route| is_own(route)).count();
        let is_called = |index| is_called(route.section, index, route.name.as_deref(), wanted);
        is_called(index) || is_called(index - own)
    }))
}

pub(super) fn is_called(section: Section, index: usize, name: Option<&str>, wanted: &str) -> bool {
    name == Some(wanted)
        || format!("{}[{index}]", section.field()) == wanted
        || (section.is_http() && index.to_string() == wanted)
}

pub(super) fn shown(section: Section, index: usize, name: Option<&str>) -> String {
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    format!("{}[{index}]{name}", section.field())
}

/// Where the routes of a rollout are in the live object.
///
/// # Errors
///
/// A conflict if one is gone, or is not as the rollout left it.
pub fn find(object: &Value, rollout: &Rollout) -> Result<Vec<usize>, Refusal> {
    let mut taken: Vec<(Section, usize)> = Vec::new();
    for state in &rollout.routes {
        let section = state.section;
        let candidates: Vec<(usize, &[Value])> = section
            .routes(object)
            .iter()
            .enumerate()
            .filter(|(index, route)| {
                !taken.contains(&(section, *index)) && !is_own(route) && has_same_targets(state, route)
            })
            .map(|(index, route)| (index, section.destinations(route)))
            .collect();
        let as_written = candidates
            .iter()
            .find(|(_, live)| weights(live) == weights(&state.written));
        match (as_written, candidates.first()) {
            (Some((index, _)), _) => taken.push((section, *index)),
            (None, Some((index, live))) => {
                return Err(Refusal::conflict(format!(
                    "the weights of route {}[{index}] are {} and not {}, as this rollout left them",
                    section.field(),
                    shown_weights(live),
                    shown_weights(&state.written),
                )));
            }
            (None, None) => {
                return Err(Refusal::conflict(format!(
                    "the {} of this rollout is gone, or has other conditions or destinations",
                    shown_route(state),
                )));
            }
        }
    }
    Ok(taken.into_iter().map(|(_, index)| index).collect())
}

pub(super) fn shown_route(state: &RouteState) -> String {
    let name = state.name.as_deref();
    let name = name.map_or_else(String::new, |name| format!(" `{name}`"));
    format!("{} route{name}", state.section.field())
}

fn has_same_name(state: &RouteState, route: &Value) -> bool {
    route.get("name").and_then(Value::as_str) == state.name.as_deref()
}

fn has_same_matches(state: &RouteState, route: &Value) -> bool {
    route.get(state.section.match_field()).unwrap_or(&Value::Null) == &state.matches
}

/// Whether name, conditions and destinations are those that the rollout left; weights may be any.
fn has_same_targets(state: &RouteState, route: &Value) -> bool {
    let section = state.section;
    let target = |one| section.target(one);
    has_same_name(state, route)
        && has_same_matches(state, route)
        && section
            .destinations(route)
            .iter()
            .map(target)
            .eq(state.written.iter().map(target))
}

/// Where the routes of a rollout are in the live object, whatever others have done to them since: each is the one that
/// is most like it among those that still send to one of the two versions, but for its `own`. `None` if there is none.
pub(super) fn find_again(
    object: &Value,
    rollout: &Rollout,
    own: &[Move],
    names: &Names<'_>,
) -> Vec<Option<usize>> {
    let mut found: Vec<Option<usize>> = vec![None; rollout.routes.len()];
    // One route after the other would let a route that is gone take what is another's.
    for likeness in 0..6 {
        for (number, state) in rollout.routes.iter().enumerate() {
            if found[number].is_some() {
                continue;
            }
            let section = state.section;
            let is_taken = |index: usize| {
                let mut others = rollout.routes.iter().zip(&found);
                others.any(|(other, at)| other.section == section && *at == Some(index))
                    || own.contains(&Move::Out(section, index))
            };
            let is_about_it = |route: &Value| {
                let mut destinations = section.destinations(route).iter();
                destinations.any(|one| rollout.subject.role(section, one, names) != Role::Other)
            };
            let is_alike = |route: &Value| match likeness {
                0 => {
                    has_same_targets(state, route)
                        && weights(section.destinations(route)) == weights(&state.written)
                }
                1 => has_same_targets(state, route),
                2 => has_same_name(state, route) && has_same_matches(state, route),
                3 => state.name.is_some() && has_same_name(state, route),
                4 => has_same_matches(state, route),
                _ => true,
            };
            let routes = section.routes(object).iter().enumerate();
            let mut alike = routes.filter(|(index, route)| {
                !is_taken(*index) && !is_own(route) && is_about_it(route) && is_alike(route)
            });
            let first = alike.next().map(|(index, _)| index);
            let is_only = alike.next().is_none();
            // Without any likeness it must be beyond doubt.
            found[number] = first.filter(|_| likeness < 5 || is_only);
        }
    }
    found
}

pub(super) fn weights(destinations: &[Value]) -> Vec<Option<i64>> {
    let weight = |one: &Value| one.get("weight").and_then(Value::as_i64);
    destinations.iter().map(weight).collect()
}

fn shown_weights(destinations: &[Value]) -> String {
    let shown: Vec<_> = weights(destinations)
        .iter()
        .map(|weight| weight.map_or_else(|| "unset".to_owned(), |weight| weight.to_string()))
        .collect();
    shown.join("/")
}
