//! What `canary.yaml` may contain: the keys that its reader knows, and the JSON Schema that follows from them.

use serde_json::{Map, Value, json};

use crate::plan::When;

/// A key of a mapping.
pub(crate) struct Key {
    /// As it is written.
    pub(crate) name: &'static str,
    docs: &'static str,
    form: Form,
}

/// What a value may be.
enum Form {
    /// A text that is not empty.
    Text,
    /// A text or a number.
    Scalar,
    /// A duration above zero.
    Duration,
    /// A share of traffic.
    Share,
    /// Shares that rise: a list, or a text with commas.
    Shares,
    /// A whole number above 0.
    Count,
    /// Any number.
    Number,
    /// Yes or no.
    Flag,
    /// `NAME=VALUE`.
    Pair,
    /// An address of HTTP.
    Address,
    /// When a webhook is asked.
    When,
    /// A mapping of texts.
    Texts,
    /// A list.
    List(&'static Form),
    /// A mapping with known keys.
    Mapping(&'static Mapping),
    /// A text that stands for a mapping.
    TextOr(&'static Mapping),
}

/// A mapping with known keys.
pub(crate) struct Mapping {
    pub(crate) keys: &'static [Key],
    /// Those that have to be there.
    required: &'static [&'static str],
    /// Of these at least one has to be there.
    any: &'static [&'static str],
    /// Of these at most one may be there.
    exclusive: &'static [&'static str],
}

macro_rules! mapping {
    (
        $name:ident { $($key:literal: $form:expr => $docs:literal),+ $(,)? }
        required $required:tt, any $any:tt, exclusive $exclusive:tt
    ) => {
        pub(crate) static $name: Mapping = Mapping {
            keys: &[$(Key { name: $key, docs: $docs, form: $form }),+],
            required: &$required,
            any: &$any,
            exclusive: &$exclusive,
        };
    };
}

mapping! {
    PLAN {
        "service": Form::Text => "The service, as NAME or NAME.NAMESPACE.",
        "namespace": Form::Text => "Namespace of the service.",
        "stable": Form::Text => "The version that has the traffic: a subset, a value of the pods' label `version`, or a service.",
        "canary": Form::Text => "The version that gets it.",
        "route": Form::Scalar => "The only route to change, by name or number.",
        "prometheus": Form::TextOr(&PROMETHEUS) => "Where Prometheus is; by default it is looked for in the cluster.",
        "interval": Form::Duration => "How long each step is watched before it is judged; by default 1m.",
        "steps": Form::Shares => "The shares of the new version, rising; by default 5, 10, 25, 50, 100.",
        "limits": Form::Mapping(&LIMITS) => "What the new version has to keep to.",
        "metrics": Form::List(&Form::Mapping(&METRIC)) => "Numbers of one's own.",
        "webhooks": Form::List(&Form::Mapping(&WEBHOOK)) => "Whom to ask by HTTP.",
        "match": Form::List(&Form::Pair) => "Requests with these headers go to the new version, whatever the weights.",
        "cookies": Form::List(&Form::Pair) => "Requests with these cookies go to the new version, whatever the weights.",
        "mirror": Form::Share => "The share of requests that the new version gets a copy of.",
        "sticky": Form::Text => "The name of a cookie that keeps users at the new version.",
    }
    required [], any [], exclusive []
}

mapping! {
    PROMETHEUS {
        "url": Form::Text => "Its address.",
        "headers": Form::Texts => "Headers of every question.",
        "headerFiles": Form::List(&Form::Text) => "Files with headers, one on each line, named from the folder of the plan.",
        "tokenFile": Form::Text => "A file with a bearer token, read for every question.",
        "ca": Form::Text => "A file with the authorities (PEM) that may have signed its certificate.",
        "insecure": Form::Flag => "Whether to take any certificate.",
    }
    required ["url"], any [], exclusive []
}

mapping! {
    LIMITS {
        "successRate": Form::Share => "Requests that must succeed, in percent; by default 99.",
        "p50": Form::Duration => "What half of the requests may take at most.",
        "p90": Form::Duration => "What 90% of the requests may take at most.",
        "p99": Form::Duration => "What 99% of the requests may take at most.",
        "minRequests": Form::Count => "Requests below which there is nothing to judge; by default 20.",
        "maxFailures": Form::Count => "Bad verdicts with which traffic goes back; by default 2.",
        "maxInconclusive": Form::Count => "Verdicts in a row that say nothing with which the run stops; by default 5.",
        "maxErrors": Form::Count => "Failed attempts to judge in a row with which the run stops; by default 4.",
        "compare": Form::Flag => "Whether the new version must not be worse than the stable one; by default it must not.",
    }
    required [], any [], exclusive ["p50", "p90", "p99"]
}

mapping! {
    METRIC {
        "name": Form::Text => "What it is called.",
        "query": Form::Text => "PromQL; ${canary}, ${stable}, ${namespace}, ${service} and ${window} are filled in.",
        "min": Form::Number => "The least that is good.",
        "max": Form::Number => "The most that is good.",
    }
    required ["name", "query"], any ["min", "max"], exclusive []
}

mapping! {
    WEBHOOK {
        "name": Form::Text => "What it is called.",
        "url": Form::Address => "Where it gets a POST.",
        "when": Form::When => "When it is asked.",
        "timeout": Form::Duration => "How long it may take; by default 10s.",
    }
    required ["name", "url", "when"], any [], exclusive []
}

/// The JSON Schema (draft 2020-12) of `canary.yaml`. What it cannot say, as that steps rise, only the reader checks.
pub fn plan() -> Value {
    let mut schema = mapping(&PLAN);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("canary.yaml");
    schema
}

fn mapping(mapping: &Mapping) -> Value {
    let Mapping {
        keys,
        required,
        any,
        exclusive,
    } = mapping;
    let properties: Map<String, Value> = keys
        .iter()
        .map(|key| {
            let mut property = value(&key.form);
            property["description"] = json!(key.docs);
            (key.name.to_owned(), property)
        })
        .collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !any.is_empty() {
        let any: Vec<_> = any.iter().map(|name| json!({"required": [name]})).collect();
        schema["anyOf"] = json!(any);
    }
    if !exclusive.is_empty() {
        let pairs = exclusive.iter().enumerate().flat_map(|(index, one)| {
            let others = exclusive[index + 1..].iter();
            others.map(move |other| json!({"required": [one, other]}))
        });
        schema["not"] = json!({"anyOf": pairs.collect::<Vec<_>>()});
    }
    schema
}

fn value(form: &Form) -> Value {
    const SHARE: &str = r"0*(100(\.0+)?|[0-9]{1,2}(\.[0-9]{1,2}0*)?)%?";
    let list = |items: Value| json!({"type": "array", "items": items});
    let text = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let number = || json!({"type": "number", "minimum": 0, "maximum": 100});
    match form {
        Form::Text => json!({"type": "string", "minLength": 1}),
        Form::Scalar => json!({"type": ["string", "number"]}),
        // As Go writes durations, and not zero.
        Form::Duration => text(r"^(?=.*[1-9])\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$"),
        Form::Share => json!({"anyOf": [text(&format!("^{SHARE}$")), number()]}),
        Form::Shares => {
            let shares = text(&format!(r"^\s*{SHARE}\s*(,\s*{SHARE}\s*)*$"));
            let mut several = list(value(&Form::Share));
            several["minItems"] = json!(1);
            json!({"anyOf": [several, shares, number()]})
        }
        Form::Count => json!({"type": "integer", "minimum": 1, "maximum": u32::MAX}),
        Form::Number => json!({"type": "number"}),
        Form::Flag => json!({"type": "boolean"}),
        Form::Pair => text(r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+=[^\u0000-\u001F\u007F]+$"),
        Form::Address => text("^https?://"),
        Form::When => json!({"enum": When::ALL.map(|(name, _)| name)}),
        Form::Texts => json!({"type": "object", "additionalProperties": value(&Form::Text)}),
        Form::List(items) => list(value(items)),
        Form::Mapping(inner) => mapping(inner),
        Form::TextOr(inner) => json!({"anyOf": [value(&Form::Text), mapping(inner)]}),
    }
}
