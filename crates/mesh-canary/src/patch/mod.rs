//! From a rollout and the live object to a JSON Patch (RFC 6902) that changes the one by what the other needs.
//!
//! Every operation stands behind tests of what it replaces, so that an edit by somebody else between reading and writing
//! makes the patch fail, and is neither lost nor overwritten.

pub use json_patch::PatchOperation as Operation;
use json_patch::PatchOperation;
use serde_json::Value;

mod back;
mod cookie;
mod find;
mod mirror;
mod operations;
mod shares;

pub use back::restore;
pub use find::{are_called, find, places};

use cookie::{is_sticky, stick, unstick};
use find::{is_called, shown};
use mirror::{mirrored, without_mirror};
use operations::{Move, RoutePart, annotate, change};
use shares::split;

use crate::Refusal;
use crate::route::{Names, Role, Section, Subject, is_own, preview};
use crate::state::{Rollout, RouteState};

/// A JSON Patch and the state that it writes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The operations, in order.
    pub operations: Vec<PatchOperation>,
    /// The rollout after them.
    pub rollout: Rollout,
}

/// An object after a patch.
///
/// # Errors
///
/// An object for which the patch was not made.
pub fn applied(object: &Value, operations: &[Operation]) -> Result<Value, Refusal> {
    let mut changed = object.clone();
    json_patch::patch(&mut changed, operations)
        .map_err(|error| Refusal::conflict(format!("the object has changed: {error}")))?;
    Ok(changed)
}

impl Change {
    /// The object after the change.
    ///
    /// # Errors
    ///
    /// An object for which the change was not made.
    pub fn applied(&self, object: &Value) -> Result<Value, Refusal> {
        applied(object, &self.operations)
    }
}

/// The routes of an object that divide traffic between the versions of `subject`, with what a rollout must know to
/// change them and change them back.
///
/// `wanted` limits them to the one of this name or number (as `http[1]`, or `1` for HTTP).
///
/// # Errors
///
/// No such route, or one that cannot be divided.
pub fn routes(
    object: &Value,
    subject: &Subject,
    wanted: Option<&str>,
    names: &Names<'_>,
) -> Result<Vec<RouteState>, Refusal> {
    let mut found = Vec::new();
    let mut seen = Vec::new();
    for &section in Section::of(object) {
        for (index, route) in section.routes(object).iter().enumerate() {
            if is_own(route) {
                continue;
            }
            let name = route.get("name").and_then(Value::as_str);
            let is_wanted = wanted.is_none_or(|wanted| is_called(section, index, name, wanted));
            let shown = shown(section, index, name);
            seen.push(shown.clone());
            if !is_wanted {
                continue;
            }
            let destinations = section.destinations(route);
            let roles: Vec<Role> = destinations
                .iter()
                .map(|destination| subject.role(section, destination, names))
                .collect();
            let count = |wanted: &[Role]| roles.iter().filter(|role| wanted.contains(role)).count();
            if count(&[Role::Stable, Role::Whole]) == 0 {
                continue;
            }
            if count(&[Role::Stable, Role::Whole]) > 1 || count(&[Role::Canary]) > 1 {
                return Err(Refusal::new(format!(
                    "route {shown} has several destinations for the same version, so it is not clear which weight to \
                     change"
                ))
                .hinted("join them into one"));
            }
            found.push(RouteState {
                section,
                name: name.map(str::to_owned),
                matches: route.get(section.match_field()).cloned().unwrap_or_default(),
                original: destinations.to_vec(),
                written: destinations.to_vec(),
                inserted: Vec::new(),
                is_mirrored: false,
                mirror_filter: None,
            });
        }
    }
    if found.is_empty() {
        let message = match wanted {
            Some(wanted) => format!(
                "no route `{wanted}` sends to {} of `{}`",
                subject.stable, subject.host
            ),
            None => format!("no route sends to {} of `{}`", subject.stable, subject.host),
        };
        let hint = match seen.as_slice() {
            [] => "the object has no routes".to_owned(),
            seen => format!("its routes are {}", seen.join(", ")),
        };
        return Err(Refusal::new(message).hinted(hint));
    }
    Ok(found)
}

/// Gives the canary the share `rollout.percent`, and requests what `rollout.extras` says. Events and phase must be in
/// the rollout already: it is written as it is.
///
/// # Errors
///
/// A share that the weights cannot express; what a kind of route has not; a conflict.
pub fn shift(object: &Value, rollout: &Rollout, names: &Names<'_>) -> Result<Change, Refusal> {
    let indexes = find(object, rollout)?;
    let mut after = rollout.clone();
    let mut number = 0;
    let mut parts = Vec::new();
    let mut moves = Vec::new();
    for (state, index) in after.routes.iter_mut().zip(&indexes) {
        let route = &state.section.routes(object)[*index];
        let live = state.section.destinations(route);
        let mut new = split(live, state, rollout, names)?;
        let canary = new
            .iter_mut()
            .find(|one| rollout.subject.role(state.section, one, names) == Role::Canary);
        let Some(canary) = canary else { continue };
        if state.section.is_http() {
            let original = state.original.iter();
            let mut original =
                original.filter(|one| rollout.subject.role(state.section, one, names) == Role::Canary);
            if !original.any(is_sticky) {
                unstick(canary);
            }
            if let Some(cookie) = &rollout.extras.sticky {
                stick(
                    state.section,
                    canary,
                    &format!("{cookie}={}", rollout.cookie_value()),
                )?;
            }
        } else if rollout.extras != crate::state::Extras::default() {
            return Err(Refusal::new(format!(
                "route {}[{index}] is for connections: they have no headers, and are not mirrored",
                state.section.field()
            ))
            .hinted("`--route` names the one that is for requests"));
        }
        let mut inserted = Vec::new();
        // Requests that all go to the canary need no copy of them there.
        let plain = without_mirror(state, route);
        for condition in rollout.conditions() {
            let made = preview(state.section, &plain, number, &condition, canary).ok_or_else(|| {
                Refusal::new(format!(
                    "route {}[{index}] has a condition on {condition} already",
                    state.section.field()
                ))
            })?;
            number += 1;
            inserted.push(made);
        }
        let before = std::mem::replace(&mut state.inserted, inserted);
        let mirror = mirrored(state, route, canary, rollout.extras.mirror)?;
        state.written.clone_from(&new);
        if before != state.inserted {
            for own in &before {
                let above = state.section.routes(object).iter().take(*index);
                let place = above.enumerate().rfind(|(place, route)| {
                    *route == own && !moves.contains(&Move::Out(state.section, *place))
                });
                let Some((place, _)) = place else {
                    let name = own.get("name").and_then(Value::as_str).unwrap_or_default();
                    return Err(Refusal::conflict(format!(
                        "the route `{name}` of this rollout has changed or is gone"
                    )));
                };
                moves.push(Move::Out(state.section, place));
            }
            let made = state.inserted.iter().cloned();
            moves.extend(made.map(|own| Move::In(state.section, *index, own)));
        }
        parts.push(RoutePart {
            section: state.section,
            index: *index,
            new,
            mirror,
        });
    }
    Ok(change(object, parts, moves, after))
}

/// Writes the state only.
pub fn note(object: &Value, rollout: &Rollout) -> Change {
    let mut operations = Vec::new();
    annotate(&mut operations, object, rollout);
    Change {
        operations,
        rollout: rollout.clone(),
    }
}
