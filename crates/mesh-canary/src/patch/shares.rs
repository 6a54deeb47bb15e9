//! Weights of destinations.

use serde_json::Value;

use crate::Refusal;
use crate::percent::Percent;
use crate::route::{Names, Role, Section, led_to};
use crate::state::{Rollout, RouteState};

/// The largest weight that the Gateway API allows.
const LARGEST_WEIGHT: i64 = 1_000_000;

/// The destinations with the canary's share.
pub(super) fn split(
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

pub(super) fn with_weight(destination: &Value, weight: i64) -> Value {
    let mut new = destination.clone();
    if let Some(fields) = new.as_object_mut() {
        fields.insert("weight".to_owned(), weight.into());
    }
    new
}
