//! Users who stay with the version that they were given: conditions and the cookie for them.

use serde_json::{Value, json};

use crate::Refusal;
use crate::route::{Condition, Section};
use crate::state::Rollout;

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
pub(super) fn stick(section: Section, canary: &mut Value, cookie: &str) -> Result<(), Refusal> {
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
pub(super) fn is_sticky(destination: &Value) -> bool {
    let mut without = destination.clone();
    unstick(&mut without);
    without != *destination
}

/// Takes the cookie of a rollout away from the canary, with the fields that are empty without it.
pub(super) fn unstick(canary: &mut Value) {
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
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let sticky = self.extras.sticky.iter().map(|cookie| Condition::Cookie {
            name: cookie.clone(),
            value: self.cookie_value(),
        });
        self.extras.previews.iter().cloned().chain(sticky).collect()
    }

    /// The value of the cookie that keeps a user at the canary. Each rollout has its own, so that those who were sent to
    /// an earlier canary are not all sent to the next one.
    pub(super) fn cookie_value(&self) -> String {
        let text = format!("{COOKIE_VALUE}-{}-{}", self.subject.canary, self.started);
        let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        text.chars().map(safe).collect()
    }
}
