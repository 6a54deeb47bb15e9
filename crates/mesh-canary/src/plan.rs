//! The plan of a rollout: steps, limits, metrics and webhooks; `canary.yaml` says them.

use std::time::Duration;

use mesh_core::schema::Duration as GoDuration;
use mesh_core::schema::validate::closest;
use mesh_yaml::{Node, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::percent::Percent;
use crate::route::Condition;
use crate::schema::{self, Mapping};
use crate::state::Extras;

/// What a canary must keep to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Limits {
    /// Requests that must succeed.
    pub success_rate: Percent,
    /// The quantile of the latency that is looked at, from 0 to 1.
    pub quantile: f64,
    /// What that quantile may be.
    #[serde(default, with = "nanoseconds", skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
    /// Requests below which there is nothing to say.
    pub min_requests: u32,
    /// Verdicts against the canary with which it goes back.
    pub max_failures: u32,
    /// Verdicts in a row that say nothing with which the rollout stops.
    pub max_inconclusive: u32,
    /// Failed attempts to judge in a row with which the rollout stops.
    pub max_errors: u32,
    /// Whether the canary must not be worse than stable.
    pub compare: bool,
}

impl Default for Limits {
    /// 99% of at least 20 requests, two bad verdicts, five that say nothing, four errors, compared with stable.
    fn default() -> Self {
        Self {
            success_rate: Percent::of_ratio(0.99),
            quantile: 0.99,
            latency: None,
            min_requests: 20,
            max_failures: 2,
            max_inconclusive: 5,
            max_errors: 4,
            compare: true,
        }
    }
}

impl Limits {
    /// The quantile as people call it: `p99`.
    pub fn quantile_name(&self) -> String {
        format!("p{}", (self.quantile * 1_000.0).round() / 10.0)
    }
}

/// A number of the user's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// What it is called.
    pub name: String,
    /// PromQL; `${canary}`, `${stable}`, `${namespace}`, `${service}` and `${window}` are filled in.
    pub query: String,
    /// The least that is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The most that is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

/// What [`Metric::query`] may name.
pub const PLACEHOLDERS: [&str; 5] = ["canary", "stable", "namespace", "service", "window"];

impl Metric {
    /// The query with the names filled in by `value`.
    pub fn filled(&self, value: impl Fn(&str) -> String) -> String {
        PLACEHOLDERS.into_iter().fold(self.query.clone(), |query, name| {
            query.replace(&format!("${{{name}}}"), &value(name))
        })
    }
}

/// When a webhook is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Before each step: it may say no, and the rollout holds.
    BeforeStep,
    /// After each step that was judged good: it may say no, and the rollout holds.
    AfterStep,
    /// When it ends, however it does. What it says does not matter.
    End,
}

impl When {
    pub(crate) const ALL: [(&'static str, Self); 3] = [
        ("before-step", Self::BeforeStep),
        ("after-step", Self::AfterStep),
        ("end", Self::End),
    ];
}

/// Somebody who is asked by HTTP.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// What it is called.
    pub name: String,
    /// Where it gets a POST.
    pub url: String,
    /// When it is asked.
    pub when: When,
    /// How long it may take.
    #[serde(with = "nanoseconds")]
    pub timeout: Option<Duration>,
}

/// What `run` does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The shares of the canary, rising.
    pub steps: Vec<Percent>,
    /// How long each step is watched before it is judged.
    #[serde(with = "nanoseconds")]
    pub interval: Option<Duration>,
    /// What the canary must keep to.
    pub limits: Limits,
    /// Numbers of the user's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Metric>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<Webhook>,
}

/// The interval if none is said.
pub const DEFAULT_INTERVAL: Duration = Duration::from_mins(1);

/// The steps if none are said.
pub const DEFAULT_STEPS: &str = "5,10,25,50,100";

impl Plan {
    /// How long each step is watched.
    pub fn interval(&self) -> Duration {
        self.interval.unwrap_or(DEFAULT_INTERVAL)
    }
}

/// Reads `5,10%,25,100`: shares that rise.
///
/// # Errors
///
/// What is no share, or does not rise.
pub fn steps(text: &str) -> Result<Vec<Percent>, String> {
    let steps: Vec<Percent> = text
        .split(',')
        .map(|step| step.trim().parse())
        .collect::<Result<_, _>>()?;
    rising(&steps)?;
    Ok(steps)
}

fn rising(steps: &[Percent]) -> Result<(), String> {
    if steps.first().is_none_or(|first| *first == Percent::ZERO) {
        return Err("the first step must be above 0%".to_owned());
    }
    match steps.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(format!(
            "steps must rise, and {} comes before {}",
            pair[0], pair[1]
        )),
        None => Ok(()),
    }
}

/// A plan as a file says it: everything may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanFile {
    /// `service`: name, or name and namespace.
    pub service: Option<String>,
    /// `namespace`.
    pub namespace: Option<String>,
    /// `stable`: a subset or a service.
    pub stable: Option<String>,
    /// `canary`: a subset or a service.
    pub canary: Option<String>,
    /// `route`: a name or number.
    pub route: Option<String>,
    /// `steps`.
    pub steps: Option<Vec<Percent>>,
    /// `interval`.
    pub interval: Option<Duration>,
    /// `prometheus`: an address, or one with how to get in.
    pub prometheus: Option<PrometheusPlan>,
    /// `limits`.
    pub limits: Limits,
    /// `metrics`.
    pub metrics: Vec<Metric>,
    /// `webhooks`.
    pub webhooks: Vec<Webhook>,
    /// `match`, `mirror` and `sticky`.
    pub extras: Extras,
}

/// Where Prometheus is, and how to get in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrometheusPlan {
    /// Its address.
    pub url: String,
    /// Headers of every question.
    pub headers: Vec<(String, String)>,
    /// Files with headers, one a line, named from the plan's folder.
    pub header_files: Vec<String>,
    /// A file with a bearer token.
    pub token_file: Option<String>,
    /// A file with the authorities that may have signed its certificate.
    pub ca: Option<String>,
    /// Whether any certificate will do.
    pub insecure: bool,
}

/// Something wrong in a plan's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// What.
    pub message: String,
    /// Where in the text.
    pub span: Span,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Reads a plan.
///
/// # Errors
///
/// All that is wrong with it.
pub fn read(root: Node<'_>) -> Result<PlanFile, Vec<PlanError>> {
    let mut reader = Reader { errors: Vec::new() };
    let mut plan = PlanFile::default();
    reader.mapping(root, "the plan", &schema::PLAN, |reader, key, value| match key {
        "service" => plan.service = reader.text(key, value),
        "namespace" => plan.namespace = reader.text(key, value),
        "stable" => plan.stable = reader.text(key, value),
        "canary" => plan.canary = reader.text(key, value),
        "route" => plan.route = reader.scalar(value),
        "prometheus" => plan.prometheus = reader.prometheus(value),
        "interval" => plan.interval = reader.duration(key, value),
        "steps" => plan.steps = reader.steps(value),
        "limits" => plan.limits = reader.limits(value),
        "metrics" => plan.metrics = reader.list(key, value, Reader::metric),
        "webhooks" => plan.webhooks = reader.list(key, value, Reader::webhook),
        "match" => {
            plan.extras
                .previews
                .extend(reader.list(key, value, |reader, item| {
                    let text = reader.text("match", item)?;
                    reader.accept(item, Condition::header(&text))
                }));
        }
        "cookies" => {
            plan.extras
                .previews
                .extend(reader.list(key, value, |reader, item| {
                    let text = reader.text("cookies", item)?;
                    reader.accept(item, Condition::cookie(&text))
                }));
        }
        "mirror" => plan.extras.mirror = reader.percent(value),
        "sticky" => plan.extras.sticky = reader.text(key, value),
        _ => {}
    });
    if reader.errors.is_empty() {
        Ok(plan)
    } else {
        Err(reader.errors)
    }
}

struct Reader {
    errors: Vec<PlanError>,
}

impl Reader {
    fn error(&mut self, node: Node<'_>, message: impl Into<String>, hint: Option<String>) {
        self.errors.push(PlanError {
            message: message.into(),
            span: node.span(),
            hint,
        });
    }

    fn accept<T>(&mut self, node: Node<'_>, value: Result<T, String>) -> Option<T> {
        match value {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(node, message, None);
                None
            }
        }
    }

    fn mapping(
        &mut self,
        node: Node<'_>,
        what: &str,
        schema: &Mapping,
        mut read: impl FnMut(&mut Self, &str, Node<'_>),
    ) {
        if !node.is_mapping() {
            self.error(node, format!("{what} must be a mapping"), None);
            return;
        }
        for entry in node.entries() {
            let keys = schema.keys.iter().map(|key| key.name);
            if keys.clone().any(|key| key == entry.key) {
                read(self, entry.key, entry.value);
                continue;
            }
            let hint = match closest(entry.key, keys.clone()) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("keys here are {}", keys.collect::<Vec<_>>().join(", ")),
            };
            self.errors.push(PlanError {
                message: format!("unknown key `{}`", entry.key),
                span: entry.key_span,
                hint: Some(hint),
            });
        }
    }

    fn list<T>(
        &mut self,
        key: &str,
        node: Node<'_>,
        read: impl Fn(&mut Self, Node<'_>) -> Option<T>,
    ) -> Vec<T> {
        if !node.is_sequence() {
            self.error(node, format!("`{key}` must be a list"), None);
            return Vec::new();
        }
        node.items().filter_map(|item| read(self, item)).collect()
    }

    fn text(&mut self, key: &str, node: Node<'_>) -> Option<String> {
        let text = node.as_str().filter(|text| !text.is_empty());
        if text.is_none() {
            self.error(
                node,
                format!("`{key}` must be a text"),
                Some("put it in quotes".to_owned()),
            );
        }
        text.map(str::to_owned)
    }

    /// A text or a number, as it is written.
    fn scalar(&mut self, node: Node<'_>) -> Option<String> {
        match node.as_str() {
            Some(text) => Some(text.to_owned()),
            None if node.as_f64().is_some() => Some(node.raw().trim().to_owned()),
            None => {
                self.error(node, "this must be a text or a number", None);
                None
            }
        }
    }

    fn percent(&mut self, node: Node<'_>) -> Option<Percent> {
        let text = self.scalar(node)?;
        self.accept(node, text.parse())
    }

    fn number(&mut self, key: &str, node: Node<'_>) -> Option<f64> {
        let number = node.as_f64().filter(|number| number.is_finite());
        if number.is_none() {
            self.error(node, format!("`{key}` must be a number"), None);
        }
        number
    }

    fn count(&mut self, key: &str, node: Node<'_>, fallback: u32) -> u32 {
        let count = node.as_u64().and_then(|count| u32::try_from(count).ok());
        count.filter(|count| *count > 0).unwrap_or_else(|| {
            self.error(node, format!("`{key}` must be a whole number above 0"), None);
            fallback
        })
    }

    fn duration(&mut self, key: &str, node: Node<'_>) -> Option<Duration> {
        let duration = node.as_str().and_then(GoDuration::parse);
        let duration = duration.and_then(|duration| u64::try_from(duration.as_nanos()).ok());
        let duration = duration
            .filter(|nanoseconds| *nanoseconds > 0)
            .map(Duration::from_nanos);
        if duration.is_none() {
            let message = format!("`{key}` must be a duration above zero, such as `30s` or `500ms`");
            self.error(node, message, None);
        }
        duration
    }

    fn steps(&mut self, node: Node<'_>) -> Option<Vec<Percent>> {
        if !node.is_sequence() {
            let text = self.scalar(node)?;
            return self.accept(node, steps(&text));
        }
        let before = self.errors.len();
        let all: Vec<_> = node.items().filter_map(|item| self.percent(item)).collect();
        if self.errors.len() > before {
            return None;
        }
        self.accept(node, rising(&all).map(|()| all))
    }

    fn flag(&mut self, key: &str, node: Node<'_>) -> Option<bool> {
        let flag = node.as_bool();
        if flag.is_none() {
            self.error(node, format!("`{key}` must be true or false"), None);
        }
        flag
    }

    fn prometheus(&mut self, node: Node<'_>) -> Option<PrometheusPlan> {
        let mut plan = PrometheusPlan::default();
        if !node.is_mapping() {
            plan.url = self.text("prometheus", node)?;
            return Some(plan);
        }
        let before = self.errors.len();
        self.mapping(
            node,
            "`prometheus`",
            &schema::PROMETHEUS,
            |reader, key, value| match key {
                "url" => plan.url = reader.text(key, value).unwrap_or_default(),
                "headers" if value.is_mapping() => {
                    for entry in value.entries() {
                        let text = reader.text(entry.key, entry.value).unwrap_or_default();
                        plan.headers.push((entry.key.to_owned(), text));
                    }
                }
                "headers" => reader.error(value, "`headers` must be a mapping", None),
                "headerFiles" => {
                    plan.header_files = reader.list(key, value, |reader, item| reader.text(key, item));
                }
                "tokenFile" => plan.token_file = reader.text(key, value),
                "ca" => plan.ca = reader.text(key, value),
                "insecure" => plan.insecure = reader.flag(key, value).unwrap_or_default(),
                _ => {}
            },
        );
        if plan.url.is_empty() && self.errors.len() == before {
            self.error(node, "`prometheus` needs `url`", None);
        }
        Some(plan)
    }

    fn limits(&mut self, node: Node<'_>) -> Limits {
        let mut limits = Limits::default();
        self.mapping(
            node,
            "`limits`",
            &schema::LIMITS,
            |reader, key, value| match key {
                "successRate" => {
                    if let Some(rate) = reader.percent(value) {
                        limits.success_rate = rate;
                    }
                }
                "p50" | "p90" | "p99" => {
                    if limits.latency.is_some() {
                        reader.error(value, "one quantile can be limited, and another is already", None);
                    }
                    limits.latency = reader.duration(key, value);
                    limits.quantile = match key {
                        "p50" => 0.5,
                        "p90" => 0.9,
                        _ => 0.99,
                    };
                }
                "minRequests" => limits.min_requests = reader.count(key, value, limits.min_requests),
                "maxFailures" => limits.max_failures = reader.count(key, value, limits.max_failures),
                "maxInconclusive" => {
                    limits.max_inconclusive = reader.count(key, value, limits.max_inconclusive);
                }
                "maxErrors" => limits.max_errors = reader.count(key, value, limits.max_errors),
                "compare" => limits.compare = reader.flag(key, value).unwrap_or(limits.compare),
                _ => {}
            },
        );
        limits
    }

    fn metric(&mut self, node: Node<'_>) -> Option<Metric> {
        let (mut name, mut query, mut min, mut max) = (None, None, None, None);
        let before = self.errors.len();
        self.mapping(
            node,
            "a metric",
            &schema::METRIC,
            |reader, key, value| match key {
                "name" => name = reader.text(key, value),
                "query" => query = reader.text(key, value).map(|text| (text, value.span())),
                "min" => min = reader.number(key, value),
                "max" => max = reader.number(key, value),
                _ => {}
            },
        );
        if self.errors.len() > before {
            return None;
        }
        let (Some(name), Some((query, span))) = (name, query) else {
            self.error(node, "a metric needs `name` and `query`", None);
            return None;
        };
        if min.is_none() && max.is_none() {
            self.error(node, "a metric needs `min` or `max`", None);
            return None;
        }
        for unknown in placeholders(&query) {
            if !PLACEHOLDERS.contains(&unknown) {
                self.errors.push(PlanError {
                    message: format!("nothing is filled in for `${{{unknown}}}`"),
                    span,
                    hint: Some(match closest(unknown, PLACEHOLDERS.into_iter()) {
                        Some(known) => format!("did you mean `${{{known}}}`?"),
                        None => format!("names are {}", PLACEHOLDERS.join(", ")),
                    }),
                });
            }
        }
        Some(Metric {
            name,
            query,
            min,
            max,
        })
    }

    fn webhook(&mut self, node: Node<'_>) -> Option<Webhook> {
        let (mut name, mut url, mut when, mut timeout) = (None, None, None, None);
        let before = self.errors.len();
        self.mapping(
            node,
            "a webhook",
            &schema::WEBHOOK,
            |reader, key, value| match key {
                "name" => name = reader.text(key, value),
                "url" => {
                    url = reader.text(key, value);
                    let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
                    if url.as_ref().is_some_and(|url| !is_http(url)) {
                        reader.error(value, "`url` must begin with http:// or https://", None);
                    }
                }
                "when" => {
                    let text = reader.text(key, value).unwrap_or_default();
                    when = When::ALL
                        .iter()
                        .find(|(name, _)| *name == text)
                        .map(|(_, when)| *when);
                    if when.is_none() {
                        let names: Vec<_> = When::ALL.iter().map(|(name, _)| *name).collect();
                        let hint = match closest(&text, names.iter().copied()) {
                            Some(known) => format!("did you mean `{known}`?"),
                            None => format!("valid values are {}", names.join(", ")),
                        };
                        reader.error(value, format!("`{text}` is no time to ask a webhook"), Some(hint));
                    }
                }
                "timeout" => timeout = reader.duration(key, value),
                _ => {}
            },
        );
        if self.errors.len() > before {
            return None;
        }
        let (Some(name), Some(url), Some(when)) = (name, url, when) else {
            self.error(node, "a webhook needs `name`, `url` and `when`", None);
            return None;
        };
        Some(Webhook {
            name,
            url,
            when,
            timeout,
        })
    }
}

/// The names in `${…}`.
fn placeholders(query: &str) -> impl Iterator<Item = &str> {
    query
        .split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

/// Durations as whole nanoseconds.
mod nanoseconds {
    use super::{Deserialize, Deserializer, Duration, Serializer};

    #[expect(clippy::ref_option, reason = "the form that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => serializer.serialize_u64(u64::try_from(value.as_nanos()).unwrap_or(u64::MAX)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_nanos))
    }
}
