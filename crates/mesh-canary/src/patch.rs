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
            let place = format!("{}[{index}]", section.field());
            let is_wanted = wanted.is_none_or(|wanted| {
                name == Some(wanted) || place == wanted || (section.is_http() && index.to_string() == wanted)
            });
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
    find_routes(object, rollout, true)
}

/// As [`find`]. Without `is_strict` weights may be any, and others may have added destinations: going back must not
/// fail because of either.
fn find_routes(object: &Value, rollout: &Rollout, is_strict: bool) -> Result<Vec<usize>, Refusal> {
    let mut taken: Vec<(Section, usize)> = Vec::new();
    for state in &rollout.routes {
        let section = state.section;
        let targets = |list: &[Value]| list.iter().map(|one| section.target(one)).collect::<Vec<_>>();
        let known = targets(&state.written);
        let candidates = section
            .routes(object)
            .iter()
            .enumerate()
            .filter(|(index, route)| {
                let live = targets(section.destinations(route));
                !taken.contains(&(section, *index))
                    && !is_own(route)
                    && route.get("name").and_then(Value::as_str) == state.name.as_deref()
                    && route.get(section.match_field()).unwrap_or(&Value::Null) == &state.matches
                    && (live == known || (!is_strict && live.starts_with(&known)))
            });
        let candidates: Vec<(usize, &[Value])> = candidates
            .map(|(index, route)| (index, section.destinations(route)))
            .collect();
        let as_written = candidates
            .iter()
            .find(|(_, live)| weights(live) == weights(&state.written));
        match (as_written, candidates.first()) {
            (Some((index, _)), _) => taken.push((section, *index)),
            (None, Some((index, _))) if !is_strict => taken.push((section, *index)),
            (None, Some((index, live))) => {
                return Err(Refusal::conflict(format!(
                    "the weights of route {}[{index}] are {} and not {}, as this rollout left them",
                    section.field(),
                    shown_weights(live),
                    shown_weights(&state.written),
                )));
            }
            (None, None) => {
                let name = state
                    .name
                    .as_deref()
                    .map_or_else(String::new, |name| format!(" `{name}`"));
                return Err(Refusal::conflict(format!(
                    "the {} route{name} of this rollout is gone, or has other conditions or destinations",
                    section.field(),
                )));
            }
        }
    }
    Ok(taken.into_iter().map(|(_, index)| index).collect())
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
                stick(state.section, canary, cookie)?;
            }
        } else if rollout.extras != crate::state::Extras::default() {
            return Err(Refusal::new(format!(
                "route {}[{index}] is for connections: they have no headers, and are not mirrored",
                state.section.field()
            ))
            .hinted("`--route` names the one that is for requests"));
        }
        let mut inserted = Vec::new();
        for condition in rollout.extras.conditions() {
            let made = preview(state.section, route, number, &condition, canary).ok_or_else(|| {
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
        parts.push(RoutePart {
            section: state.section,
            index: *index,
            new,
            mirror,
            before,
            inserted: state.inserted.clone(),
        });
    }
    change(object, parts, after)
}

/// Puts the routes back to what they were before the rollout.
///
/// What others have changed since stays, as far as it is not a weight of the two versions.
///
/// # Errors
///
/// A conflict if a route is gone or its destinations are others.
pub fn restore(object: &Value, rollout: &Rollout) -> Result<Change, Refusal> {
    let indexes = find_routes(object, rollout, false)?;
    let mut after = rollout.clone();
    let mut parts = Vec::new();
    for (state, index) in after.routes.iter_mut().zip(&indexes) {
        let live = state.section.destinations(&state.section.routes(object)[*index]);
        let mut new = Vec::new();
        for (position, destination) in live.iter().enumerate() {
            match (state.written.get(position), state.original.get(position)) {
                (Some(written), Some(original)) if written == destination => new.push(original.clone()),
                (Some(_), Some(original)) => new.push(weighed_as(state.section, destination, original)),
                (Some(_), None) => {}
                (None, _) => new.push(destination.clone()),
            }
        }
        let route = &state.section.routes(object)[*index];
        let mirror = mirrored(state, route, &Value::Null, None)?;
        let before = std::mem::take(&mut state.inserted);
        state.written.clone_from(&new);
        parts.push(RoutePart {
            section: state.section,
            index: *index,
            new,
            mirror,
            before,
            inserted: Vec::new(),
        });
    }
    change(object, parts, after)
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
fn weighed_as(section: Section, destination: &Value, original: &Value) -> Value {
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
            fields.insert("destination".to_owned(), target.clone());
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
    let total: i64 = state
        .original
        .iter()
        .zip(&originals)
        .filter(|(destination, _)| role(destination) != Role::Other)
        .map(|(_, weight)| weight)
        .sum();
    if total == 0 {
        return Err(Refusal::new(format!(
            "{} and {} share nothing on route {}: both weights are 0",
            subject.stable,
            subject.canary,
            state.name.as_deref().unwrap_or(section.field())
        ))
        .hinted("give the stable version a weight first"));
    }
    let factor = percent.factor(total);
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
    let canary = percent.of(total).unwrap_or_default();
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

/// What the cookie is, after its name.
const COOKIE: &str = "=canary; Max-Age=86400; Path=/";

/// Makes answers of the canary set the cookie.
fn stick(section: Section, canary: &mut Value, cookie: &str) -> Result<(), Refusal> {
    let value = format!("{cookie}{COOKIE}");
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
    let is_ours = |value: &Value| value.as_str().is_some_and(|text| text.ends_with(COOKIE));
    if canary.pointer(COOKIE_HEADER).is_some_and(is_ours) {
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
        add.retain(|header| !(is_set_cookie(header) && header.get("value").is_some_and(is_ours)));
        if add.is_empty() && all > 0 {
            modifier.shift_remove("add");
        }
        !modifier.is_empty()
    });
    if filters.is_empty() && before > 0 {
        fields.shift_remove("filters");
    }
}

impl crate::state::Extras {
    /// The conditions of requests that all go to the canary.
    fn conditions(&self) -> Vec<Condition> {
        let sticky = self.sticky.iter().map(|cookie| Condition::Cookie {
            name: cookie.clone(),
            value: "canary".to_owned(),
        });
        self.previews.iter().cloned().chain(sticky).collect()
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
        let known = known
            .into_iter()
            .flatten()
            .filter(|filter| Some(*filter) != old.as_ref());
        return Ok(Some(Mirror::Filters(known.cloned().chain(new).collect())));
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
    /// Own routes above it, now.
    before: Vec<Value>,
    /// Own routes above it, then.
    inserted: Vec<Value>,
}

fn change(object: &Value, mut parts: Vec<RoutePart>, after: Rollout) -> Result<Change, Refusal> {
    // From the end, so that what goes and comes above a route moves none that is still to be changed.
    parts.sort_by_key(|part| (part.section.field(), std::cmp::Reverse(part.index)));
    let mut operations = Vec::new();
    for part in parts {
        let RoutePart {
            section,
            index,
            new,
            mirror,
            before,
            inserted,
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
                for name in ["mirror", "mirrorPercentage"] {
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
                    operations.push(remove(at(&["filters"])));
                } else {
                    operations.push(add(at(&["filters"]), &Value::Array(filters)));
                }
            }
            None => {}
        }
        if before != inserted {
            for own in before.iter().rev() {
                let known = section
                    .routes(object)
                    .iter()
                    .take(index)
                    .rposition(|route| route == own);
                let Some(place) = known else {
                    let name = own.get("name").and_then(Value::as_str).unwrap_or_default();
                    return Err(Refusal::conflict(format!(
                        "the route `{name}` of this rollout has changed or is gone"
                    )));
                };
                let place = pointer(list.into_iter().chain([place.to_string().as_str()]));
                operations.push(test(place.clone(), own));
                operations.push(remove(place));
            }
            let place = (index - before.len()).to_string();
            for own in inserted.iter().rev() {
                operations.push(add(pointer(list.into_iter().chain([place.as_str()])), own));
            }
        }
    }
    annotate(&mut operations, object, &after);
    Ok(Change {
        operations,
        rollout: after,
    })
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
