//! Prometheus: where it is, and what it says.

use std::time::Duration;

use mesh_canary::judge::{Answer, Observation, Questions, Series, Traffic};
use mesh_canary::plan::Limits;
use mesh_core::cluster::{Cluster, Method, PodPort, Scope};
use reqwest::Url;

use crate::error::CommandError;

/// Where Prometheus most often is: namespace, labels of its pods, and port.
const PLACES: [(&str, &str); 4] = [
    ("istio-system", "app.kubernetes.io/name=prometheus"),
    ("istio-system", "app=prometheus"),
    ("monitoring", "app.kubernetes.io/name=prometheus"),
    ("prometheus", "app.kubernetes.io/name=prometheus"),
];

/// The port that Prometheus listens on by default.
const PORT: u16 = 9090;

/// Answers that are longer are no answers to our questions.
const LONGEST_ANSWER: usize = 4 << 20;

/// How often a question is sent.
const ATTEMPTS: u32 = 3;

/// Someone who answers PromQL.
pub(super) struct Prometheus {
    place: Place,
    timeout: Duration,
}

enum Place {
    Url(reqwest::Client, Url),
    Pod(Cluster, PodPort),
}

/// Why there is no observation.
pub(super) enum NoData {
    /// There is nothing, for this reason.
    Nothing(String),
    /// It could not be asked, or its answer is none.
    Error(String),
}

impl Prometheus {
    /// That of the address, or else the one in the cluster.
    pub(super) async fn find(
        cluster: &Cluster,
        url: Option<&str>,
        istio_namespace: &str,
        timeout: Duration,
    ) -> Result<Self, CommandError> {
        if let Some(text) = url {
            let url = Url::parse(text)
                .ok()
                .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
                .ok_or_else(|| {
                    CommandError::user(format!("`{text}` is no address of Prometheus"))
                        .hinted("write it with its scheme, such as http://prometheus.example.com:9090")
                })?;
            return Ok(Self {
                // The limit below is the one that is told.
                place: Place::Url(client(timeout.saturating_mul(2))?, url),
                timeout,
            });
        }
        for (namespace, labels) in PLACES {
            let namespace = if namespace == "istio-system" {
                istio_namespace
            } else {
                namespace
            };
            let scope = Scope::Namespace(namespace.to_owned());
            let pods = cluster.live_pods(labels, &scope).await.unwrap_or_default();
            if let Some(name) = pods.first().and_then(|pod| pod.metadata.name.clone()) {
                let at = PodPort {
                    namespace: namespace.to_owned(),
                    pod: name,
                    port: PORT,
                };
                return Ok(Self {
                    place: Place::Pod(cluster.clone(), at),
                    timeout,
                });
            }
        }
        Err(
            CommandError::user("there is no Prometheus in the cluster where one is expected")
                .hinted("say where it is: `--prometheus URL`"),
        )
    }

    /// The place, for people.
    pub(super) fn name(&self) -> String {
        match &self.place {
            Place::Url(_, url) => url.origin().ascii_serialization(),
            Place::Pod(_, at) => format!("pod {}/{}", at.namespace, at.pod),
        }
    }

    /// Makes sure that it answers, and as Prometheus does.
    pub(super) async fn probe(&self) -> Result<(), CommandError> {
        let wrong = |reason: String| {
            CommandError::user(format!("Prometheus ({}) {reason}", self.name()))
                .hinted("nothing was changed; say where Prometheus is with `--prometheus URL`")
        };
        match self.ask("vector(1)").await.and_then(|answer| answer.number()) {
            Ok(Some(1.0)) => Ok(()),
            Ok(Some(other)) => Err(wrong(format!("answers {other} to `vector(1)`"))),
            Ok(None) => Err(wrong("answers nothing to `vector(1)`".to_owned())),
            Err(reason) => Err(wrong(reason)),
        }
    }

    /// Asks once more if an answer fails to come. The error follows "Prometheus".
    pub(super) async fn ask(&self, query: &str) -> Result<Answer, String> {
        let mut last = String::new();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            match tokio::time::timeout(self.timeout, self.once(query)).await {
                Ok(Ok(body)) => return Answer::parse(&body),
                Ok(Err((reason, may_pass))) => {
                    last = reason;
                    if !may_pass {
                        break;
                    }
                }
                // What takes so long takes so long again.
                Err(_) => return Err(format!("did not answer within {} s", self.timeout.as_secs_f64())),
            }
        }
        Err(last)
    }

    /// The body of an answer, or why there is none and whether that may pass.
    async fn once(&self, query: &str) -> Result<String, (String, bool)> {
        match &self.place {
            Place::Url(client, url) => {
                let mut url = url.clone();
                let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
                url.set_path(&path);
                let passing = |error: reqwest::Error| (format!("cannot be asked: {}", root(&error)), true);
                let request = client.post(url).form(&[("query", query)]);
                let mut response = request.send().await.map_err(passing)?;
                let status = response.status();
                let mut body = Vec::new();
                while let Some(chunk) = response.chunk().await.map_err(passing)? {
                    body.extend_from_slice(&chunk);
                    if body.len() > LONGEST_ANSWER {
                        return Err(("answers without end".to_owned(), false));
                    }
                }
                let body = String::from_utf8_lossy(&body).into_owned();
                // Prometheus explains its refusals (400, 422, 503) in the body.
                if status.is_success() || body.contains("\"errorType\"") {
                    Ok(body)
                } else {
                    Err((format!("answers {status}"), status.is_server_error()))
                }
            }
            Place::Pod(cluster, at) => {
                let parsed = Url::parse_with_params("http://pod/api/v1/query", [("query", query)]);
                let url = parsed.map_err(|error| (error.to_string(), false))?;
                let path = format!("{}?{}", url.path(), url.query().unwrap_or_default());
                let answer = cluster.pod_text(at, Method::GET, &path).await;
                answer.map_err(|error| (format!("cannot be asked: {}", error.message), true))
            }
        }
    }

    /// Measures one version over a window.
    pub(super) async fn observe(
        &self,
        series: &Series,
        window: Duration,
        limits: &Limits,
    ) -> Result<Observation, NoData> {
        let questions = Questions { series, window };
        let ask = async |query: String| self.ask(&query).await.map_err(NoData::Error);
        let requests = ask(questions.requests()).await?;
        let best = requests.best_reporter().map_err(NoData::Error)?;
        let Some((reporter, count)) = best else {
            return Err(NoData::Nothing(self.missing(&questions).await?));
        };
        let age = ask(questions.age()).await?.number().map_err(NoData::Error)?;
        // A scrape interval of a minute is the longest that is usual.
        let oldest = window.max(Duration::from_mins(1)).as_secs_f64();
        if let Some(age) = age.filter(|age| *age > oldest) {
            return Err(NoData::Nothing(format!("the newest sample is {age:.0} s old")));
        }
        let failures = ask(questions.failures(reporter))
            .await?
            .count()
            .map_err(NoData::Error)?;
        let (latency, sent_bytes) = match series.traffic {
            Traffic::Requests => {
                let answer = ask(questions.latency(reporter, limits.quantile)).await?;
                (answer.number().map_err(NoData::Error)?, None)
            }
            Traffic::Connections => {
                let answer = ask(questions.sent_bytes(reporter)).await?;
                (None, answer.count().map_err(NoData::Error)?)
            }
        };
        if let Some(negative) = latency.filter(|latency| *latency < 0.0) {
            return Err(NoData::Error(format!("answers with a latency of {negative} ms")));
        }
        let failures = failures.unwrap_or(0.0);
        let flags = if failures > 0.0 {
            let mut samples = ask(questions.flags(reporter)).await?.samples;
            samples.retain(|sample| sample.value > 0.0);
            samples.sort_by(|a, b| b.value.total_cmp(&a.value));
            let names = samples
                .iter()
                .filter_map(|sample| sample.labels.get("response_flags"));
            names.take(3).cloned().collect()
        } else {
            Vec::new()
        };
        Ok(Observation {
            traffic: series.traffic,
            sent_bytes,
            requests: count,
            failures,
            rps: count / window.as_secs_f64(),
            latency_ms: latency,
            reporter: reporter.to_owned(),
            flags,
        })
    }

    /// The first thing that is missing for there to be data.
    async fn missing(&self, questions: &Questions<'_>) -> Result<String, NoData> {
        for (rung, query) in questions.ladder() {
            let answer = self.ask(&query).await.map_err(NoData::Error)?;
            let is_there = answer.samples.iter().any(|sample| sample.value > 0.0);
            if !is_there {
                return Ok(rung.reason(questions.series));
            }
        }
        Ok("no request was counted".to_owned())
    }
}

/// A client for requests that may take so long.
pub(super) fn client(timeout: Duration) -> Result<reqwest::Client, CommandError> {
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout)
        .user_agent(concat!("meshctl/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| CommandError::user(format!("cannot prepare HTTP: {}", root(&error))))
}

/// The cause at the bottom, without the address, which is said already.
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
