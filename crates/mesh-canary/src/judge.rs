//! Questions to Prometheus about Istio's standard metrics, and what the answers say about a canary.
//!
//! The metrics are `istio_requests_total` and `istio_request_duration_milliseconds`, and of connections
//! `istio_tcp_connections_opened_total`, `istio_tcp_connections_closed_total` and `istio_tcp_sent_bytes_total`, as
//! Istio's telemetry makes them.
//! Silence is never success: what is missing, stale or too little is [`Verdict::Inconclusive`].

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::{Limits, Metric};

/// gRPC statuses that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE and DATA_LOSS, by their numbers in the gRPC specification.
const GRPC_FAILURES: &str = "2|4|8|12|13|14|15";

/// Envoy's response flags of connections for which there was no backend: the connection failed (UF), or failed as often
/// as it may (URX); no endpoint is healthy (UH); the circuit breaker is open (UO); there is no route (NR) or cluster (NC).
const CONNECT_FAILURES: &str = "(.*,)?(UF|URX|UH|UO|NR|NC)(,.*)?";

/// The metric of connections that have ended.
const CLOSED: &str = "istio_tcp_connections_closed_total";

/// Who may report a request, the best witness first: a client's proxy also sees what never reached the server.
pub const REPORTERS: [&str; 3] = ["source", "waypoint", "destination"];

/// One-sided 99% quantile of the normal distribution: how sure a comparison of ratios must be.
const SURE: f64 = 2.326;

/// Differences of success ratios below this are not held against the canary.
const TOLERATED_FAILURES: f64 = 0.01;

/// The canary may be this much slower than stable: a factor, and milliseconds beside it for the width of buckets.
const TOLERATED_LATENCY: (f64, f64) = (1.5, 25.0);

/// Fewer requests than this say too little about a high quantile to compare two.
const ENOUGH_FOR_QUANTILES: f64 = 100.0;

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Traffic {
    /// Requests, of HTTP and gRPC.
    #[default]
    Requests,
    /// Connections, of which nothing is known but how they begin and end, and their bytes.
    Connections,
}

impl Traffic {
    /// The metric that counts.
    pub fn metric(self) -> &'static str {
        match self {
            Self::Requests => "istio_requests_total",
            Self::Connections => "istio_tcp_connections_opened_total",
        }
    }

    /// What is counted, in words.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Connections => "connections",
        }
    }

    /// What is counted, in a second.
    pub fn unit(self) -> &'static str {
        match self {
            Self::Requests => "rps",
            Self::Connections => "connections/s",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_requests(&self) -> bool {
        *self == Self::Requests
    }
}

/// The pods of one version, as the labels of metrics name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// What is counted of them.
    pub traffic: Traffic,
    /// `destination_service`, the full host name.
    pub service: String,
    /// `destination_workload_namespace`.
    pub namespace: String,
    /// `destination_workload`: the names of Deployments and the like. Empty tells versions apart by `version`.
    pub workloads: Vec<String>,
    /// `destination_version`: the label `version` of pods.
    pub version: Option<String>,
}

impl Series {
    /// The matchers of the version, without the braces.
    pub fn matchers(&self) -> String {
        let mut matchers = vec![
            equals("destination_service", &self.service),
            equals("destination_workload_namespace", &self.namespace),
        ];
        match self.workloads.as_slice() {
            [] => {}
            [one] => matchers.push(equals("destination_workload", one)),
            several => {
                let names: Vec<_> = several.iter().map(|name| escape_expression(name)).collect();
                matchers.push(format!("destination_workload=~{}", quote(&names.join("|"))));
            }
        }
        if self.workloads.is_empty()
            && let Some(version) = &self.version
        {
            matchers.push(equals("destination_version", version));
        }
        matchers.join(",")
    }
}

fn equals(label: &str, value: &str) -> String {
    format!("{label}={}", quote(value))
}

/// Text as a double-quoted string literal of PromQL.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            '\n' => quoted.push_str("\\n"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Text as an RE2 expression that matches only it.
fn escape_expression(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A duration as PromQL has it, in milliseconds.
fn window(window: Duration) -> String {
    format!("{}ms", window.as_millis())
}

/// The questions about one version over one window.
#[derive(Clone, Debug)]
pub struct Questions<'a> {
    /// The version.
    pub series: &'a Series,
    /// The time before now that counts.
    pub window: Duration,
}

impl Questions<'_> {
    /// Requests or connections by reporter. Requests whose client went away before there was an answer are left out.
    pub fn requests(&self) -> String {
        let condition = match self.series.traffic {
            Traffic::Requests => r#"response_code!="0""#,
            Traffic::Connections => "",
        };
        self.increase("sum by (reporter) ", self.series.traffic.metric(), condition)
    }

    /// Those that failed, as `reporter` saw them.
    pub fn failures(&self, reporter: &str) -> String {
        let reporter = equals("reporter", reporter);
        if self.series.traffic == Traffic::Connections {
            let condition = format!("{reporter},response_flags=~{}", quote(CONNECT_FAILURES));
            return format!("{} or vector(0)", self.increase("sum", CLOSED, &condition));
        }
        let metric = self.series.traffic.metric();
        let http = self.increase("sum", metric, &format!(r#"{reporter},response_code=~"5..""#));
        let grpc = self.increase(
            "sum",
            metric,
            &format!(r#"{reporter},response_code!~"5..|0",grpc_response_status=~"{GRPC_FAILURES}""#),
        );
        format!("({http} or vector(0)) + ({grpc} or vector(0))")
    }

    /// Flags of Envoy on those that failed, by their number: why they did.
    pub fn flags(&self, reporter: &str) -> String {
        let reporter = equals("reporter", reporter);
        match self.series.traffic {
            Traffic::Requests => self.increase(
                "sum by (response_flags) ",
                self.series.traffic.metric(),
                &format!(r#"{reporter},response_code=~"5..",response_flags!="-""#),
            ),
            Traffic::Connections => self.increase(
                "sum by (response_flags) ",
                CLOSED,
                &format!("{reporter},response_flags=~{}", quote(CONNECT_FAILURES)),
            ),
        }
    }

    /// Bytes that connections brought from the version, as `reporter` saw them.
    pub fn sent_bytes(&self, reporter: &str) -> String {
        self.increase("sum", "istio_tcp_sent_bytes_total", &equals("reporter", reporter))
    }

    /// A quantile of the latency in milliseconds, as `reporter` saw it.
    pub fn latency(&self, reporter: &str, quantile: f64) -> String {
        format!(
            "histogram_quantile({quantile}, sum by (le) (rate(istio_request_duration_milliseconds_bucket{{{},{}}}[{}])))",
            self.series.matchers(),
            equals("reporter", reporter),
            window(self.window)
        )
    }

    /// Seconds since the newest sample.
    pub fn age(&self) -> String {
        format!(
            "time() - max(timestamp({}{{{}}}))",
            self.series.traffic.metric(),
            self.series.matchers()
        )
    }

    fn increase(&self, aggregation: &str, metric: &str, condition: &str) -> String {
        let matchers = self.series.matchers();
        let comma = if condition.is_empty() { "" } else { "," };
        format!(
            "{aggregation}(increase({metric}{{{matchers}{comma}{condition}}}[{}]))",
            window(self.window)
        )
    }

    /// What to ask, in order, to find out why there is no data. The first that brings nothing is the reason.
    pub fn ladder(&self) -> Vec<(Rung, String)> {
        let Series {
            traffic,
            service,
            namespace,
            workloads: _,
            version: _,
        } = self.series;
        let metric = traffic.metric();
        let count = |matchers: &str| format!("count({metric}{{{matchers}}})");
        let service_only = equals("destination_service", service);
        let in_namespace = format!(
            "{service_only},{}",
            equals("destination_workload_namespace", namespace)
        );
        let all = self.series.matchers();
        vec![
            (Rung::Prometheus, "vector(1)".to_owned()),
            (Rung::Metric, format!("count({metric})")),
            (Rung::Service, count(&service_only)),
            (
                Rung::Workload,
                format!("{} and {}", count(&in_namespace), count(&all)),
            ),
            (
                Rung::Reporter,
                count(&format!(r#"{all},reporter=~"{}""#, REPORTERS.join("|"))),
            ),
            (
                Rung::Window,
                format!("count(increase({metric}{{{all}}}[{}]) > 0)", window(self.window)),
            ),
        ]
    }
}

/// What has to be there before there are numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Rung {
    /// Prometheus answers.
    Prometheus,
    /// It has Istio's metric.
    Metric,
    /// The metric knows the service.
    Service,
    /// It knows the workloads of the version.
    Workload,
    /// It has the label `reporter`.
    Reporter,
    /// Something was counted lately.
    Window,
}

impl Rung {
    /// What is missing.
    pub fn reason(self, series: &Series) -> String {
        let metric = series.traffic.metric();
        match self {
            Self::Prometheus => "Prometheus does not answer `vector(1)`".to_owned(),
            Self::Metric => {
                format!("Prometheus has no metric `{metric}`: it does not scrape the proxies")
            }
            Self::Service => format!(
                "no series of `{metric}` has destination_service={}",
                quote(&series.service)
            ),
            Self::Workload => format!("no series of `{metric}` has {}", series.matchers()),
            Self::Reporter => format!(
                "the series of `{metric}` have no label `reporter` that is {}",
                REPORTERS.join(", ")
            ),
            Self::Window => match series.traffic {
                Traffic::Requests => "no request was counted in the time that is judged".to_owned(),
                Traffic::Connections => "no connection was opened in the time that is judged".to_owned(),
            },
        }
    }
}

/// One series of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value; NaN and infinities are as Prometheus sent them.
    pub value: f64,
}

/// An answer of Prometheus' `/api/v1/query`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// Its series.
    pub samples: Vec<Sample>,
    /// What Prometheus thinks is wrong with it.
    pub warnings: Vec<String>,
}

impl Answer {
    /// Reads the body of an answer.
    ///
    /// # Errors
    ///
    /// What is no successful answer, or none that an instant query can have, in words that follow "Prometheus".
    pub fn parse(body: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(body).map_err(|error| format!("answers what is not its JSON: {error}"))?;
        let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
        if text("status") != "success" {
            return Err(match (text("errorType"), text("error")) {
                ("", "") => "answers neither success nor an error".to_owned(),
                (kind, error) => format!("refuses the query ({kind}): {error}"),
            });
        }
        let warnings = value.get("warnings").and_then(Value::as_array);
        let warnings = warnings.into_iter().flatten().filter_map(Value::as_str);
        let warnings = warnings.map(str::to_owned).collect();
        let data = value.get("data").unwrap_or(&Value::Null);
        let result = data.get("result").unwrap_or(&Value::Null);
        let samples = match data.get("resultType").and_then(Value::as_str) {
            Some("vector") => {
                let series = result.as_array().ok_or("answers a vector that is no list")?;
                series.iter().map(sample).collect::<Result<_, _>>()?
            }
            Some("scalar") => vec![Sample {
                labels: BTreeMap::new(),
                value: point(result)?,
            }],
            Some(other) => return Err(format!("answers with a {other} where a vector is needed")),
            None => return Err("answers without data".to_owned()),
        };
        Ok(Self { samples, warnings })
    }

    /// The value of an answer that is at most one number; `None` if there is no number.
    ///
    /// # Errors
    ///
    /// Several series.
    pub fn number(&self) -> Result<Option<f64>, String> {
        match self.samples.as_slice() {
            [] => Ok(None),
            [one] if one.value.is_nan() => Ok(None),
            [one] => Ok(Some(one.value)),
            several => {
                let labels: Vec<_> = several
                    .iter()
                    .take(3)
                    .map(|one| format!("{:?}", one.labels))
                    .collect();
                Err(format!(
                    "answers with {} series where one number is needed: {}",
                    several.len(),
                    labels.join(", ")
                ))
            }
        }
    }

    /// As [`Self::number`], for something that is counted.
    ///
    /// # Errors
    ///
    /// Several series, or what cannot be a count.
    pub fn count(&self) -> Result<Option<f64>, String> {
        match self.number()? {
            Some(count) if count < 0.0 || !count.is_finite() => {
                Err(format!("answers with {count} where something is counted"))
            }
            count => Ok(count),
        }
    }

    /// The best witness among those that saw requests, and how many it saw.
    ///
    /// # Errors
    ///
    /// A number that cannot be a count.
    pub fn best_reporter(&self) -> Result<Option<(&'static str, f64)>, String> {
        for reporter in REPORTERS {
            let by = |sample: &&Sample| sample.labels.get("reporter").is_some_and(|name| name == reporter);
            let only = Self {
                samples: self.samples.iter().filter(by).cloned().collect(),
                warnings: Vec::new(),
            };
            if let Some(count) = only.count()?.filter(|count| *count > 0.0) {
                return Ok(Some((reporter, count)));
            }
        }
        Ok(None)
    }
}

fn sample(series: &Value) -> Result<Sample, String> {
    let labels = series.get("metric").and_then(Value::as_object);
    let labels = labels.into_iter().flatten();
    let labels = labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
    Ok(Sample {
        labels: labels.collect(),
        value: point(series.get("value").unwrap_or(&Value::Null))?,
    })
}

/// The value of a pair of time and value.
fn point(pair: &Value) -> Result<f64, String> {
    let wrong = || format!("answers with `{pair}` where a time and a value are needed");
    match pair.as_array().map(Vec::as_slice) {
        Some([_, Value::String(text)]) => match text.as_str() {
            "+Inf" | "Inf" => Ok(f64::INFINITY),
            "-Inf" => Ok(f64::NEG_INFINITY),
            "NaN" => Ok(f64::NAN),
            number => number.parse().map_err(|_| wrong()),
        },
        _ => Err(wrong()),
    }
}

/// What was measured of one version.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// What is counted.
    #[serde(default, skip_serializing_if = "Traffic::is_requests")]
    pub traffic: Traffic,
    /// Requests, or connections, in the window.
    pub requests: f64,
    /// Those that failed.
    pub failures: f64,
    /// Requests or connections a second.
    pub rps: f64,
    /// Bytes that connections brought from the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_bytes: Option<f64>,
    /// The quantile of the latency that is limited, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Who reported.
    pub reporter: String,
    /// Why requests failed: Envoy's response flags, the most frequent first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
}

impl Observation {
    /// The share of requests that did not fail, from 0 to 1.
    pub fn success(&self) -> f64 {
        if self.requests > 0.0 {
            (1.0 - self.failures / self.requests).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

/// What the numbers say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "verdict", content = "reason")]
pub enum Verdict {
    /// The canary is good.
    Pass,
    /// The canary is bad.
    Fail(String),
    /// There is not enough to say.
    Inconclusive(String),
    /// The question could not be asked, or the answer is none.
    Error(String),
}

impl Verdict {
    /// The word for output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::Inconclusive(_) => "inconclusive",
            Self::Error(_) => "error",
        }
    }

    /// The verdict of [`judge`] on a canary for which nothing is known of the stable version, for this `reason`, though
    /// that gets traffic: what had to be compared is not good for want of a comparison.
    #[must_use]
    pub fn without_stable(self, limits: &Limits, reason: &str) -> Self {
        match self {
            Self::Pass if limits.compare => Self::Inconclusive(format!(
                "there is nothing of the stable version to compare with: {reason}"
            )),
            verdict => verdict,
        }
    }

    /// Why, if it is not a pass.
    pub fn reason(&self) -> &str {
        match self {
            Self::Pass => "",
            Self::Fail(reason) | Self::Inconclusive(reason) | Self::Error(reason) => reason,
        }
    }
}

/// Judges a canary by what was measured of it and, over the same time, of the stable version.
pub fn judge(
    limits: &Limits,
    canary: &Observation,
    stable: Option<&Observation>,
    custom: &[(&Metric, Option<f64>)],
) -> Verdict {
    let minimum = f64::from(limits.min_requests);
    if canary.requests < minimum {
        return Verdict::Inconclusive(format!(
            "{} {} reached the canary, and {minimum} are needed",
            canary.requests.round(),
            canary.traffic.noun()
        ));
    }
    let stable = stable.filter(|stable| stable.requests >= minimum);
    let mut bad = Vec::new();
    let mut unclear = Vec::new();
    judge_success(limits, canary, stable, &mut bad, &mut unclear);
    judge_latency(limits, canary, stable, &mut bad, &mut unclear);
    if let (true, Some(stable)) = (limits.compare, stable) {
        judge_silence(canary, stable, &mut bad);
    }
    for (metric, value) in custom {
        let Metric { name, min, max, .. } = metric;
        match value {
            None => unclear.push(format!("the metric `{name}` has no value")),
            Some(value) => {
                if let Some(min) = min.filter(|min| value < min) {
                    bad.push(format!("`{name}` is {value}, below {min}"));
                }
                if let Some(max) = max.filter(|max| value > max) {
                    bad.push(format!("`{name}` is {value}, above {max}"));
                }
            }
        }
    }
    match (bad.is_empty(), unclear.is_empty()) {
        (false, _) => Verdict::Fail(bad.join("; ")),
        (true, false) => Verdict::Inconclusive(unclear.join("; ")),
        (true, true) => Verdict::Pass,
    }
}

fn judge_success(
    limits: &Limits,
    canary: &Observation,
    stable: Option<&Observation>,
    bad: &mut Vec<String>,
    unclear: &mut Vec<String>,
) {
    let success = canary.success();
    let noun = canary.traffic.noun();
    let flags = match canary.flags.as_slice() {
        [] => String::new(),
        flags => format!(" (Envoy says {})", flags.join(", ")),
    };
    let against = |stable: &Observation| format!("{} of stable's", share(stable.success()));
    let is_worse = stable.is_some_and(|stable| is_worse(canary, stable));
    if success < limits.success_rate.ratio() {
        let text = format!(
            "{} of {} {noun} succeeded{flags}, and {} must",
            share(success),
            canary.requests.round(),
            limits.success_rate
        );
        match stable {
            Some(stable) if limits.compare && stable.success() < limits.success_rate.ratio() && !is_worse => {
                unclear.push(format!("{text}, but {} do not either", against(stable)));
            }
            _ => bad.push(text),
        }
    } else if let Some(stable) = stable.filter(|_| limits.compare && is_worse) {
        bad.push(format!(
            "{} of {} {noun} succeeded{flags}, and {}",
            share(success),
            canary.requests.round(),
            against(stable)
        ));
    }
}

/// A backend that takes connections and says nothing, where stable answers, is broken, though Envoy sees nothing wrong.
fn judge_silence(canary: &Observation, stable: &Observation, bad: &mut Vec<String>) {
    if let (Some(0.0), Some(known)) = (canary.sent_bytes, stable.sent_bytes)
        && known > 0.0
    {
        bad.push(format!(
            "not a byte came back on {} connections, and {:.0} from stable on each of its {}",
            canary.requests.round(),
            known / stable.requests,
            stable.requests.round()
        ));
    }
}

fn judge_latency(
    limits: &Limits,
    canary: &Observation,
    stable: Option<&Observation>,
    bad: &mut Vec<String>,
    unclear: &mut Vec<String>,
) {
    let name = limits.quantile_name();
    let Some(latency) = canary.latency_ms else {
        if limits.latency.is_some() {
            unclear.push(format!("there is no {name} latency of the canary"));
        }
        return;
    };
    let (factor, offset) = TOLERATED_LATENCY;
    let slower = stable.and_then(|stable| {
        let known = stable.latency_ms?;
        Some((known, latency > known * factor + offset))
    });
    let limit = limits.latency.map(|limit| limit.as_secs_f64() * 1_000.0);
    if let Some(limit) = limit.filter(|limit| latency > *limit) {
        let text = format!(
            "{name} is {}, above {}",
            milliseconds(latency),
            milliseconds(limit)
        );
        match slower {
            Some((known, false)) if limits.compare && known > limit => {
                unclear.push(format!("{text}, but stable's is {}", milliseconds(known)));
            }
            _ => bad.push(text),
        }
    } else if limits.compare
        && canary.requests >= ENOUGH_FOR_QUANTILES
        && stable.is_some_and(|stable| stable.requests >= ENOUGH_FOR_QUANTILES)
        && let Some((known, true)) = slower
    {
        bad.push(format!(
            "{name} is {}, and stable's {}",
            milliseconds(latency),
            milliseconds(known)
        ));
    }
}

/// Whether the canary fails more often than stable, by more than is tolerated and than chance explains (one-sided test
/// of two proportions).
fn is_worse(canary: &Observation, stable: &Observation) -> bool {
    let difference = stable.success() - canary.success();
    let together = (canary.failures + stable.failures) / (canary.requests + stable.requests);
    let deviation = (together * (1.0 - together) * (1.0 / canary.requests + 1.0 / stable.requests)).sqrt();
    difference > TOLERATED_FAILURES && difference > SURE * deviation
}

/// A ratio as a percentage with two digits.
pub fn share(ratio: f64) -> String {
    format!("{:.2}%", ratio * 100.0)
}

/// Milliseconds for people.
pub fn milliseconds(value: f64) -> String {
    if value.is_infinite() {
        "beyond all buckets".to_owned()
    } else if value < 10.0 {
        format!("{value:.1} ms")
    } else {
        format!("{value:.0} ms")
    }
}
