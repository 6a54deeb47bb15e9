//! Prometheus: where it is, and what it says.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use mesh_canary::judge::{Answer, Observation, Questions, Series, Traffic};
use mesh_canary::plan::{Limits, PrometheusPlan};
use mesh_core::cluster::{Cluster, Method, PodPort, Scope};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;

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

/// Where Prometheus is, and how to get in.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Prometheus")]
pub(super) struct PrometheusArgs {
    /// Address of Prometheus [default: the one in the cluster, through port-forward]
    #[arg(long, value_name = "URL", env = "MESHCTL_PROMETHEUS", hide_env_values = true, value_parser = secret)]
    prometheus: Option<Secret>,

    /// Header of every question to it, or @FILE for a file with a header on each line (can be repeated)
    #[arg(
        long,
        value_name = "NAME: VALUE",
        env = "MESHCTL_PROMETHEUS_HEADER",
        hide_env_values = true,
        value_parser = secret
    )]
    prometheus_header: Vec<Secret>,

    /// File with the bearer token for it; read for every question, because tokens are renewed
    #[arg(long, value_name = "FILE")]
    prometheus_token_file: Option<PathBuf>,

    /// File with the authorities (PEM) that may have signed its certificate, beside those of the system
    #[arg(long, value_name = "FILE", conflicts_with = "prometheus_insecure")]
    prometheus_ca: Option<PathBuf>,

    /// Take any certificate for that of Prometheus
    #[arg(long)]
    prometheus_insecure: bool,
}

/// A text that may have a secret in it, and so is in no message.
#[derive(Clone)]
struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Takes every text: an error here would repeat it.
#[expect(clippy::unnecessary_wraps, reason = "the form that clap calls")]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret(text.to_owned()))
}

/// Where Prometheus is, and how to get in, once files and arguments are one.
#[derive(Debug, Default)]
pub(super) struct Access {
    url: Option<Url>,
    headers: HeaderMap,
    token_file: Option<PathBuf>,
    authorities: Vec<reqwest::Certificate>,
    is_insecure: bool,
}

impl PrometheusArgs {
    /// What the arguments say, or else what `plan` says, whose files are named from `folder`. What a plan says on how to
    /// get in is for its own address only.
    pub(super) fn access(&self, plan: Option<(&PrometheusPlan, &Path)>) -> Result<Access, CommandError> {
        let plan = plan.filter(|_| self.prometheus.is_none());
        let mut access = Access::default();
        let mut headers = Vec::new();
        if let Some((plan, folder)) = plan {
            access.url = Some(address(&plan.url)?);
            for file in &plan.header_files {
                headers.extend(lines(&folder.join(file))?);
            }
            headers.extend(
                plan.headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}")),
            );
            access.token_file = plan.token_file.as_ref().map(|file| folder.join(file));
            access.is_insecure = plan.insecure;
            if let Some(file) = &plan.ca {
                access.authorities = authorities(&folder.join(file))?;
            }
        }
        if let Some(Secret(text)) = &self.prometheus {
            access.url = Some(address(text)?);
        }
        for Secret(text) in &self.prometheus_header {
            match text.strip_prefix('@') {
                Some(file) => headers.extend(lines(Path::new(file))?),
                None => headers.extend(text.lines().map(str::to_owned)),
            }
        }
        for line in headers {
            let (name, value) = header(&line)?;
            access.headers.insert(name, value);
        }
        if let Some(file) = &self.prometheus_token_file {
            access.token_file = Some(file.clone());
        }
        if let Some(file) = &self.prometheus_ca {
            access.authorities = authorities(file)?;
        }
        access.is_insecure |= self.prometheus_insecure;
        let is_said = !access.headers.is_empty()
            || access.token_file.is_some()
            || !access.authorities.is_empty()
            || access.is_insecure;
        if access.url.is_none() && is_said {
            return Err(CommandError::user(
                "headers, tokens and certificates are for a Prometheus with an address, and none is given",
            )
            .hinted("say where it is: `--prometheus URL`"));
        }
        Ok(access)
    }
}

fn address(text: &str) -> Result<Url, CommandError> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| {
            // What stands before the host is for nobody's eyes.
            let shown = text.rsplit('@').next().unwrap_or_default();
            CommandError::user(format!("`{shown}` is no address of Prometheus"))
                .hinted("write it with its scheme, such as http://prometheus.example.com:9090")
        })
}

/// The headers of a file: one a line, as HTTP has them.
fn lines(file: &Path) -> Result<Vec<String>, CommandError> {
    let text = fs_err::read_to_string(file).map_err(|error| CommandError::user(error.to_string()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(str::to_owned).collect())
}

fn header(line: &str) -> Result<(HeaderName, HeaderValue), CommandError> {
    let wrong = |what: String| {
        CommandError::user(format!("{what} cannot be sent to Prometheus")).hinted("write `NAME: VALUE`")
    };
    let (name, value) = line
        .split_once(':')
        .ok_or_else(|| wrong("a header without `:`".to_owned()))?;
    let known = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| wrong("a header with such a name".to_owned()))?;
    let value = HeaderValue::from_str(value.trim());
    let mut value = value.map_err(|_| wrong(format!("such a value of the header `{known}`")))?;
    value.set_sensitive(true);
    Ok((known, value))
}

fn authorities(file: &Path) -> Result<Vec<reqwest::Certificate>, CommandError> {
    let text = fs_err::read(file).map_err(|error| CommandError::user(error.to_string()))?;
    let found = reqwest::Certificate::from_pem_bundle(&text).unwrap_or_default();
    if found.is_empty() {
        return Err(CommandError::user(format!(
            "`{}` has no certificate (PEM)",
            file.display()
        )));
    }
    Ok(found)
}

/// Someone who answers PromQL.
pub(super) struct Prometheus {
    place: Place,
    timeout: Duration,
}

enum Place {
    Url {
        client: reqwest::Client,
        url: Url,
        token_file: Option<PathBuf>,
    },
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
        access: Access,
        istio_namespace: &str,
        timeout: Duration,
    ) -> Result<Self, CommandError> {
        let Access {
            url,
            headers,
            token_file,
            authorities,
            is_insecure,
        } = access;
        if let Some(url) = url {
            // The limit of a question is the one that is told.
            let mut builder = client(timeout.saturating_mul(2))
                .default_headers(headers)
                .danger_accept_invalid_certs(is_insecure)
                .redirect(Policy::custom(|attempt| {
                    // What says who asks is for this host only.
                    let is_same = attempt.previous().last().and_then(Url::host) == attempt.url().host();
                    if is_same && attempt.previous().len() < 5 {
                        attempt.follow()
                    } else {
                        attempt.stop()
                    }
                }));
            for authority in authorities {
                builder = builder.add_root_certificate(authority);
            }
            let place = Place::Url {
                client: built(builder)?,
                url,
                token_file,
            };
            return Ok(Self { place, timeout });
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
            Place::Url { url, .. } => url.origin().ascii_serialization(),
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
            Place::Url {
                client,
                url,
                token_file,
            } => {
                let mut url = url.clone();
                let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
                url.set_path(&path);
                let passing = |error: reqwest::Error| (format!("cannot be asked: {}", root(error)), true);
                let mut request = client.post(url).form(&[("query", query)]);
                if let Some(file) = token_file {
                    let token = fs_err::read_to_string(file);
                    request = request.bearer_auth(
                        token
                            .map_err(|error| (format!("cannot be asked: {error}"), false))?
                            .trim(),
                    );
                }
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
                } else if status.is_redirection() || matches!(status.as_u16(), 401 | 403) {
                    let reason = format!(
                        "answers {status}: say who asks with `--prometheus-token-file` or `--prometheus-header`"
                    );
                    Err((reason, false))
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
pub(super) fn client(timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(timeout)
        .connect_timeout(timeout)
        .user_agent(concat!("meshctl/", env!("CARGO_PKG_VERSION")))
}

pub(super) fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, CommandError> {
    let client = builder.build();
    client.map_err(|error| CommandError::user(format!("cannot prepare HTTP: {}", root(error))))
}

/// The cause at the bottom, without the address, which is said already and may have a secret in it.
pub(super) fn root(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
