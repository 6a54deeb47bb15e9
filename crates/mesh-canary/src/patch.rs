//! From a rollout and the live object to a JSON Patch (RFC 6902) that changes the one by what the other needs.
//!
//! Every operation stands behind tests of what it replaces, so that an edit by somebody else between reading and writing
//! makes the patch fail, and is neither lost nor overwritten.

pub use json_patch::PatchOperation as Operation;
use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation};
use serde_json::{Value, json};

use crate::Refusal;
use crate::percent::Percent;
use crate::route::{Condition, Names, Role, Section, Subject, is_own, led_to, preview};
use crate::state::{ANNOTATION, Rollout, RouteState, annotation};

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

/// Whether all routes of a rollout are called `wanted` in the live object: by name or number, as for [`routes`]. A number
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

fn is_called(section: Section, index: usize, name: Option<&str>, wanted: &str) -> bool {
    name == Some(wanted)
        || format!("{}[{index}]", section.field()) == wanted
        || (section.is_http() && index.to_string() == wanted)
}

fn shown(section: Section, index: usize, name: Option<&str>) -> String {
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

fn shown_route(state: &RouteState) -> String {
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
fn find_again(object: &Value, rollout: &Rollout, own: &[Move], names: &Names<'_>) -> Vec<Option<usize>> {
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

fn weights(destinations: &[Value]) -> Vec<Option<i64>> {
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

/// Writes the state only.
pub fn note(object: &Value, rollout: &Rollout) -> Change {
    let mut operations = Vec::new();
    annotate(&mut operations, object, rollout);
    Change {
        operations,
        rollout: rollout.clone(),
    }
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

/// The largest weight that the Gateway API allows.
const LARGEST_WEIGHT: i64 = 1_000_000;

/// The destinations with the canary's share.
fn split(
    live: &[Value],
    state: &RouteState,
    rollout: &Rollout,
    names: &Names<'_>,
) -> Result<Vec<Value>, Refusal> {
    let Rollout { subject, percent, .. } = rollout;
    let section = state.section;
    let role = |destination: &Value| subject.role(section, destination, names);
    let originals = section.weights(&state.original);
    let (canary_before, total) = state.weights_before(subject, names);
    if total == 0 {
        return Err(Refusal::new(format!(
            "{} and {} share nothing on route {}: both weights are 0",
            subject.stable,
            subject.canary,
            state.name.as_deref().unwrap_or(section.field())
        ))
        .hinted("give the stable version a weight first"));
    }
    // A share that is there needs not be rounded to be kept.
    let is_as_before = !rollout.may_rescale
        && ![Percent::ZERO, Percent::FULL].contains(percent)
        && *percent == Percent::of_parts(canary_before, total);
    let factor = if is_as_before { 1 } else { percent.factor(total) };
    if factor != 1 && !rollout.may_rescale {
        let (below, above) = percent.around(total);
        return Err(Refusal::new(format!(
            "{percent} cannot be written exactly: the weights of the two versions add up to {total}"
        ))
        .hinted(format!(
            "choose {below} or {above}, or let `--rescale` multiply all weights of the route by {factor}"
        )));
    }
    let all: i64 = originals.iter().sum();
    if factor != 1 && all.saturating_mul(factor) > LARGEST_WEIGHT {
        return Err(Refusal::new(format!(
            "{percent} cannot be written exactly: the weights of the route would be larger than {LARGEST_WEIGHT}"
        ))
        .hinted("choose a share with fewer digits"));
    }
    let total = total * factor;
    let canary = if is_as_before {
        canary_before
    } else {
        percent.of(total).unwrap_or_default()
    };
    let mut new = Vec::with_capacity(live.len() + 1);
    let mut template = None;
    let mut has_canary = false;
    for (position, destination) in live.iter().enumerate() {
        let weighed = match role(destination) {
            Role::Stable => with_weight(destination, total - canary),
            Role::Whole => with_weight(
                &led_to(section, destination, &subject.stable, names),
                total - canary,
            ),
            Role::Canary => {
                has_canary = true;
                with_weight(destination, canary)
            }
            // Its part of the whole stays as it was before the rollout.
            Role::Other => match originals.get(position).map(|weight| weight * factor) {
                Some(weight) if weight != known_weight(destination, section) => {
                    with_weight(destination, weight)
                }
                _ => destination.clone(),
            },
        };
        if matches!(role(destination), Role::Stable | Role::Whole) {
            template = Some(weighed.clone());
        }
        new.push(weighed);
    }
    if let Some(template) = template.filter(|_| !has_canary) {
        let added = led_to(section, &template, &subject.canary, names);
        new.push(with_weight(&added, canary));
    }
    Ok(new)
}

/// The weight of one of several destinations, as proxies see it.
fn known_weight(destination: &Value, section: Section) -> i64 {
    let several = [destination.clone(), Value::Null];
    section.weights(&several).first().copied().unwrap_or_default()
}

fn with_weight(destination: &Value, weight: i64) -> Value {
    let mut new = destination.clone();
    if let Some(fields) = new.as_object_mut() {
        fields.insert("weight".to_owned(), weight.into());
    }
    new
}

/// Where a destination of a VirtualService has the cookie that its answers set.
const COOKIE_HEADER: &str = "/headers/response/add/Set-Cookie";

/// What the value of the cookie begins with. Rollouts that older versions have begun have no more in it.
const COOKIE_VALUE: &str = "canary";

/// How long the cookie is kept, and where.
const COOKIE_ATTRIBUTES: &str = "; Max-Age=86400; Path=/";

/// Whether a header sets the cookie of a rollout, of whatever name.
fn is_cookie_of_ours(header: &Value) -> bool {
    let cookie = header
        .as_str()
        .and_then(|text| text.strip_suffix(COOKIE_ATTRIBUTES));
    let value = cookie.and_then(|cookie| cookie.split_once('='));
    let rest = value.and_then(|(_, value)| value.strip_prefix(COOKIE_VALUE));
    rest.is_some_and(|rest| {
        rest.is_empty()
            || rest.starts_with('-')
                && rest
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    })
}

/// Makes answers of the canary set the cookie, which is `NAME=VALUE`.
fn stick(section: Section, canary: &mut Value, cookie: &str) -> Result<(), Refusal> {
    let value = format!("{cookie}{COOKIE_ATTRIBUTES}");
    let taken = || Refusal::new("the canary's destination sets a cookie of its own already");
    let Some(fields) = canary.as_object_mut() else {
        return Ok(());
    };
    if section.is_gateway_api() {
        let filters = fields.entry("filters").or_insert_with(|| json!([]));
        let filters = filters.as_array_mut().ok_or_else(taken)?;
        let header = json!({"name": "Set-Cookie", "value": value});
        // There may be one such filter only.
        let Some(known) = filters
            .iter_mut()
            .find(|filter| filter["type"] == RESPONSE_HEADERS)
        else {
            filters.push(json!({"type": RESPONSE_HEADERS, "responseHeaderModifier": {"add": [header]}}));
            return Ok(());
        };
        let known = known
            .get_mut("responseHeaderModifier")
            .and_then(Value::as_object_mut);
        let Some(known) = known else { return Err(taken()) };
        for field in ["add", "set"] {
            let headers = known.get(field).and_then(Value::as_array);
            if headers.into_iter().flatten().any(is_set_cookie) {
                return Err(taken());
            }
        }
        let add = known.entry("add").or_insert_with(|| json!([]));
        add.as_array_mut().ok_or_else(taken)?.push(header);
        return Ok(());
    }
    let mut place = fields.entry("headers").or_insert_with(|| json!({}));
    for field in ["response", "add"] {
        let Some(inner) = place.as_object_mut() else {
            return Ok(());
        };
        place = inner.entry(field).or_insert_with(|| json!({}));
    }
    let Some(headers) = place.as_object_mut() else {
        return Ok(());
    };
    if headers.keys().any(|name| name.eq_ignore_ascii_case("set-cookie")) {
        return Err(taken());
    }
    headers.insert("Set-Cookie".to_owned(), value.into());
    Ok(())
}

/// The type of the filter of the Gateway API that changes headers of answers.
const RESPONSE_HEADERS: &str = "ResponseHeaderModifier";

fn is_set_cookie(header: &Value) -> bool {
    let name = header.get("name").and_then(Value::as_str);
    name.is_some_and(|name| name.eq_ignore_ascii_case("set-cookie"))
}

/// Whether answers of a destination set a cookie as [`stick`] makes them.
fn is_sticky(destination: &Value) -> bool {
    let mut without = destination.clone();
    unstick(&mut without);
    without != *destination
}

/// Takes the cookie of a rollout away from the canary, with the fields that are empty without it.
fn unstick(canary: &mut Value) {
    if canary.pointer(COOKIE_HEADER).is_some_and(is_cookie_of_ours) {
        let mut path = COOKIE_HEADER;
        while let Some((parent, field)) = path.rsplit_once('/') {
            let Some(fields) = canary.pointer_mut(parent).and_then(Value::as_object_mut) else {
                return;
            };
            // The order of what stays is the user's.
            fields.shift_remove(field);
            if !fields.is_empty() {
                return;
            }
            path = parent;
        }
    }
    let Some(fields) = canary.as_object_mut() else {
        return;
    };
    let Some(filters) = fields.get_mut("filters").and_then(Value::as_array_mut) else {
        return;
    };
    let before = filters.len();
    filters.retain_mut(|filter| {
        let modifier = filter
            .get_mut("responseHeaderModifier")
            .and_then(Value::as_object_mut);
        let Some(modifier) = modifier else { return true };
        let Some(add) = modifier.get_mut("add").and_then(Value::as_array_mut) else {
            return true;
        };
        let all = add.len();
        add.retain(|header| !(is_set_cookie(header) && header.get("value").is_some_and(is_cookie_of_ours)));
        if add.is_empty() && all > 0 {
            modifier.shift_remove("add");
        }
        !modifier.is_empty()
    });
    if filters.is_empty() && before > 0 {
        fields.shift_remove("filters");
    }
}

impl Rollout {
    /// The conditions of requests that all go to the canary.
    fn conditions(&self) -> Vec<Condition> {
        let sticky = self.extras.sticky.iter().map(|cookie| Condition::Cookie {
            name: cookie.clone(),
            value: self.cookie_value(),
        });
        self.extras.previews.iter().cloned().chain(sticky).collect()
    }

    /// The value of the cookie that keeps a user at the canary. Each rollout has its own, so that those who were sent to
    /// an earlier canary are not all sent to the next one.
    fn cookie_value(&self) -> String {
        let text = format!("{COOKIE_VALUE}-{}-{}", self.subject.canary, self.started);
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        text.chars().map(safe).collect()
    }
}

/// What becomes of the mirror of a route.
enum Mirror {
    /// It leads there, for this share of requests.
    On(Value, Percent),
    /// It goes.
    Off,
    /// It is among these filters, or goes from among them.
    Filters(Vec<Value>),
}

fn mirrored(
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
fn without_mirror(state: &RouteState, route: &Value) -> Value {
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
fn is_mirror_of_others(state: &RouteState, route: &Value, subject: &Subject, names: &Names<'_>) -> bool {
    let Some(target) = route.get("mirror").filter(|_| state.is_mirrored) else {
        return false;
    };
    let destination = json!({"destination": target});
    subject.role(state.section, &destination, names) != Role::Canary
}

/// The fields of a route of a VirtualService that mirror for a rollout.
const MIRROR: [&str; 2] = ["mirror", "mirrorPercentage"];

/// The filter of the Gateway API that mirrors, with what the API server would add.
fn mirror_filter(mut target: Value, percent: Percent) -> Value {
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

/// The change of one route.
struct RoutePart {
    section: Section,
    index: usize,
    new: Vec<Value>,
    mirror: Option<Mirror>,
}

/// Own routes that come and go.
#[derive(PartialEq)]
enum Move {
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

fn change(object: &Value, parts: Vec<RoutePart>, mut moves: Vec<Move>, after: Rollout) -> Change {
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

fn annotate(operations: &mut Vec<PatchOperation>, object: &Value, rollout: &Rollout) {
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
