//! `meshctl trace`: where a request goes in a proxy's configuration, and why.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;
use mesh_core::cluster::{Cluster, Found, Method, Target};
use mesh_envoy::dump::ReadError;
use mesh_envoy::trace::{
    Config, Entry, Outcome, Protocol, Request, Step, Subject, Tls, Trace, Upstream, trace,
};
use serde::Serialize;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::proxies::{ProxyArgs, admin};
use crate::ui::document::{self, Format, FormatArgs};
use crate::ui::{Look, Printer, Tone, counted};

/// Of lists that are longer, text shows this much; `--verbose` and JSON show all.
const SHOWN: usize = 10;

/// Follow a request through a proxy's configuration
///
/// Says which listener, filter chain, virtual host, route, cluster and endpoints it meets, why each was chosen and the
/// earlier ones were not, and which resource of Istio each came from. Nothing is sent to any service.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, override_usage = "meshctl trace [OPTIONS] <--proxy PROXY|--file FILE> REQUEST...")]
pub(crate) struct TraceArgs {
    /// Proxy that gets the request: POD, deploy/NAME, gateway/NAME, and so on, with .NAMESPACE if need be
    #[arg(
        long,
        short,
        value_name = "PROXY",
        required_unless_present = "file",
        conflicts_with = "file"
    )]
    proxy: Option<Target>,

    /// Read a saved config dump instead, `-` for standard input; further ones add to it, such as
    /// `clusters?format=json`
    #[arg(long, short, value_name = "FILE")]
    file: Vec<PathBuf>,

    /// Namespace of a PROXY that is written without one [default: the context's]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    /// Port of the proxy's admin interface [default: the pod's own setting, 15000]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    proxy_admin_port: Option<u16>,

    /// The request comes to the workload beside the proxy, rather than from it
    #[arg(long, help_heading = "Connection", conflicts_with_all = ["direct", "listener"])]
    inbound: bool,

    /// The request comes straight to a listener's own address, as with gateways
    #[arg(long, help_heading = "Connection", conflicts_with = "listener")]
    direct: bool,

    /// The request comes to the listener of this name
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    listener: Option<String>,

    /// Address that the client connects to [default: the URL's, if it is an address]
    #[arg(long, value_name = "IP[:PORT]", value_parser = end, help_heading = "Connection")]
    to: Option<End>,

    /// Address of the client [default: 127.0.0.1]
    #[arg(long, value_name = "IP[:PORT]", value_parser = end, help_heading = "Connection")]
    from: Option<End>,

    /// Server name of the TLS handshake [default: the host of https and tls]
    #[arg(long, value_name = "NAME", help_heading = "Connection")]
    sni: Option<String>,

    /// Protocols that the client offers in the TLS handshake (comma-separated)
    #[arg(long, value_name = "NAME", value_delimiter = ',', help_heading = "Connection")]
    alpn: Vec<String>,

    /// The client shows a certificate (mutual TLS)
    #[arg(long, help_heading = "Connection")]
    mtls: bool,

    /// Number that stands for chance: chooses among weighted clusters
    #[arg(long, value_name = "NUMBER", help_heading = "Connection")]
    seed: Option<u64>,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    cluster: ClusterArgs,

    /// The request as for curl, with the method before the URL if it is not GET; it comes last
    ///
    /// URLs have the scheme http, https, tcp or tls. Known are -X METHOD, -H HEADER, -I, -b COOKIES and -A AGENT.
    #[arg(
        value_name = "REQUEST",
        required = true,
        num_args = 1..,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    request: Vec<String>,
}

const EXAMPLES: &str = "\
Examples:
  Where a request of a pod goes
    meshctl trace --proxy productpage-v1-7f6c9.shop GET http://reviews:9080/x -H end-user:jason

  What a gateway does with a request from outside
    meshctl trace --proxy gateway/edge.infra --direct https://shop.example/api

  What reaches the workload beside the proxy
    meshctl trace --proxy deploy/reviews --inbound --mtls http://reviews:9080/ --to 10.0.0.7:9080

  A saved dump; no cluster is needed
    meshctl trace -f config_dump.json http://reviews:9080/

Exit status:
  0  the request reaches a cluster with endpoints
  1  it does not: refused, answered or redirected by the proxy, or it depends on something that is not modelled
  2  the proxy or file could not be read";

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    ip: IpAddr,
    port: Option<u16>,
}

fn end(text: &str) -> Result<End, String> {
    if let Ok(ip) = text.parse() {
        return Ok(End { ip, port: None });
    }
    let address: Result<SocketAddr, _> = text.parse();
    let address = address.map_err(|_| "not an IP address, with or without a port".to_owned())?;
    Ok(End {
        ip: address.ip(),
        port: Some(address.port()),
    })
}

impl TraceArgs {
    /// The request with what the options say of its connection.
    fn request(&self) -> Result<Request, CommandError> {
        let parsed = match self.request.as_slice() {
            // All in one argument, in quotes.
            [line] => Request::parse(line),
            words => Request::from_words(words.iter().cloned()),
        };
        let mut request = parsed.map_err(|error| {
            CommandError::user(error.to_string())
                .hinted("for example `GET http://reviews:9080/x -H end-user:jason`")
        })?;
        if self.inbound {
            request.entry = Some(Entry::Inbound);
        } else if self.direct {
            request.entry = Some(Entry::Direct);
        } else if let Some(name) = &self.listener {
            request.entry = Some(Entry::Listener(name.clone()));
        }
        if let Some(End { ip, port }) = self.to {
            request.destination_ip = Some(ip);
            request.destination_port = port.unwrap_or(request.destination_port);
        }
        if let Some(End { ip, port }) = self.from {
            request.source_ip = ip;
            request.source_port = port;
        }
        if self.sni.is_some() || !self.alpn.is_empty() || self.mtls {
            let tls = request.tls.get_or_insert_with(Tls::default);
            if let Some(name) = &self.sni {
                tls.server_name.clone_from(name);
            }
            if !self.alpn.is_empty() {
                tls.alpn.clone_from(&self.alpn);
            }
            tls.certificate = self.mtls;
        }
        if let Protocol::Http(http) = &mut request.protocol
            && let Some(tls) = &request.tls
        {
            http.http2 = tls.alpn.iter().any(|name| name == "h2");
        }
        request.random = self.seed;
        Ok(request)
    }
}

/// Runs the command.
pub(crate) fn run(printer: &mut Printer, args: &TraceArgs) -> Result<Exit, CommandError> {
    let request = args.request()?;
    let config = match &args.proxy {
        None => from_files(&args.file)?,
        Some(target) => args.cluster.run(async |cluster| {
            let choice = ProxyArgs {
                selector: None,
                namespace: args.namespace.clone(),
                all_namespaces: false,
                proxy_admin_port: args.proxy_admin_port,
            };
            let found = choice
                .find(printer, &cluster, std::slice::from_ref(target))
                .await?;
            match found.as_slice() {
                [proxy] => from_proxy(printer, &cluster, proxy).await,
                _ => Err(CommandError::user(format!("{target} is more than one proxy"))),
            }
        })?,
    };
    let trace = trace(&config, &request);
    let document = Document::of(&trace);
    let look = printer.look();
    let limit = if printer.is_verbose() { usize::MAX } else { SHOWN };
    let out = printer.stdout();
    document::write(out, args.output.format, &document, |out| {
        out.write_all(text(look, &trace, limit).as_bytes())
    })?;
    Ok(if document.reached {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

fn from_files(paths: &[PathBuf]) -> Result<Config, CommandError> {
    let mut config = Config::default();
    for path in paths {
        let name = path.display();
        let read = if path.as_os_str() == "-" {
            config.add(std::io::stdin().lock())
        } else {
            let file = fs_err::File::open(path).map_err(|error| CommandError::user(error.to_string()))?;
            config.add(file)
        };
        read.map_err(|error| {
            CommandError::user(format!("cannot read `{name}`: {error}")).hinted(
                "save one with `kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump`",
            )
        })?;
    }
    Ok(config)
}

async fn from_proxy(printer: &mut Printer, cluster: &Cluster, proxy: &Found) -> Result<Config, CommandError> {
    let at = admin(proxy);
    let broken =
        |error: ReadError| CommandError::user(format!("cannot understand what {proxy} says: {error}"));
    let dump = cluster.ask_pod(&at, Method::GET, "/config_dump?include_eds", |body| {
        Config::read(body)
    });
    let mut config = dump.await?.map_err(broken)?;
    // This knows which hosts fail their checks, and those that were found by DNS.
    match cluster.pod_text(&at, Method::GET, "/clusters?format=json").await {
        Ok(text) => config.add(text.as_bytes()).map_err(broken)?,
        Err(error) => printer.note(format_args!("the health of endpoints is not known: {error}")),
    }
    Ok(config)
}

/// A trace for machines.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    /// Whether the request reaches a cluster with endpoints.
    reached: bool,
    outcome: OutcomeDocument,
    steps: Vec<StepDocument>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum OutcomeDocument {
    Forward {
        clusters: Vec<UpstreamDocument>,
    },
    Response {
        status: u16,
        body: Option<String>,
    },
    Redirect {
        status: u16,
        location: String,
    },
    Refused {
        reason: String,
        status: Option<u16>,
        flag: Option<&'static str>,
    },
    NotModelled {
        what: String,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UpstreamDocument {
    name: String,
    /// From 0 to 1.
    share: f64,
    discovery: String,
    load_balancing: String,
    transport: Vec<String>,
    /// Null if the dump does not tell.
    endpoints: Option<Vec<EndpointDocument>>,
    origin: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EndpointDocument {
    address: String,
    healthy: bool,
    locality: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepDocument {
    subject: &'static str,
    name: String,
    reason: String,
    details: Vec<DetailDocument>,
    origin: Option<String>,
    passed_over: Vec<PassedOverDocument>,
}

#[derive(Serialize)]
struct DetailDocument {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PassedOverDocument {
    name: String,
    reason: String,
    origin: Option<String>,
}

impl Document {
    fn of(trace: &Trace) -> Self {
        let origin = |origin: &Option<mesh_envoy::istio::Origin>| origin.as_ref().map(ToString::to_string);
        let step = |step: &Step| StepDocument {
            subject: word(step.subject),
            name: step.name.clone(),
            reason: step.reason.clone(),
            details: step
                .details
                .iter()
                .map(|(name, value)| DetailDocument {
                    name,
                    value: value.clone(),
                })
                .collect(),
            origin: origin(&step.origin),
            passed_over: step
                .passed_over
                .iter()
                .map(|other| PassedOverDocument {
                    name: other.name.clone(),
                    reason: other.reason.clone(),
                    origin: origin(&other.origin),
                })
                .collect(),
        };
        let upstream = |upstream: &Upstream| UpstreamDocument {
            name: upstream.cluster.clone(),
            share: upstream.share,
            discovery: upstream.discovery.clone(),
            load_balancing: upstream.load_balancing.clone(),
            transport: upstream.transport.clone(),
            endpoints: upstream.endpoints.as_ref().map(|endpoints| {
                let endpoint = |endpoint: &mesh_envoy::summary::EndpointSummary| EndpointDocument {
                    address: endpoint.address.clone(),
                    healthy: endpoint.is_healthy(),
                    locality: endpoint.locality.clone(),
                };
                endpoints.iter().map(endpoint).collect()
            }),
            origin: origin(&upstream.origin),
        };
        Self {
            reached: reached(&trace.outcome),
            outcome: match &trace.outcome {
                Outcome::Forward(upstreams) => OutcomeDocument::Forward {
                    clusters: upstreams.iter().map(upstream).collect(),
                },
                Outcome::Response { status, body } => OutcomeDocument::Response {
                    status: *status,
                    body: body.clone(),
                },
                Outcome::Redirect { status, location } => OutcomeDocument::Redirect {
                    status: *status,
                    location: location.clone(),
                },
                Outcome::Refused { reason, status, flag } => OutcomeDocument::Refused {
                    reason: reason.clone(),
                    status: *status,
                    flag: *flag,
                },
                Outcome::NotModelled { what } => OutcomeDocument::NotModelled { what: what.clone() },
            },
            steps: trace.steps.iter().map(step).collect(),
        }
    }
}

/// Whether there is an endpoint to go to, or what is known does not exclude it.
fn reached(outcome: &Outcome) -> bool {
    let Outcome::Forward(upstreams) = outcome else {
        return false;
    };
    upstreams.iter().any(|upstream| {
        // What passes through keeps the address that the client chose.
        let is_passed_through = upstream.discovery == "ORIGINAL_DST";
        let endpoints = upstream.endpoints.as_ref();
        is_passed_through || endpoints.map_or(!upstream.discovery.is_empty(), |list| !list.is_empty())
    })
}

fn word(subject: Subject) -> &'static str {
    match subject {
        Subject::Listener => "listener",
        Subject::FilterChain => "filter chain",
        Subject::Http => "HTTP",
        Subject::VirtualHost => "virtual host",
        Subject::Route => "route",
        Subject::Cluster => "cluster",
    }
}

fn text(look: Look, trace: &Trace, limit: usize) -> String {
    let mut text = String::new();
    for (number, step) in trace.steps.iter().enumerate() {
        let Step {
            subject,
            name,
            reason,
            details,
            origin,
            passed_over,
        } = step;
        let name = if name.is_empty() {
            String::new()
        } else {
            format!(" {name}")
        };
        let head = look
            .paint(Tone::Strong, format!("{}. {}{name}", number + 1, word(*subject)))
            .into_owned();
        text.push_str(&format!("{head}\n"));
        if !reason.is_empty() {
            text.push_str(&format!("     {reason}\n"));
        }
        if let Some(origin) = origin {
            text.push_str(&format!("     from {origin}\n"));
        }
        let mut last = "";
        let mut repeated = 0;
        for (name, value) in details {
            repeated = if *name == last { repeated + 1 } else { 0 };
            last = name;
            if repeated < limit {
                text.push_str(&format!("     {name}: {value}\n"));
            } else if repeated == limit {
                text.push_str(&format!("     {name}: … (`--verbose` shows all)\n"));
            }
        }
        for other in passed_over.iter().take(limit) {
            let origin = other
                .origin
                .as_ref()
                .map_or_else(String::new, |origin| format!(" (from {origin})"));
            let name = if other.name.is_empty() {
                "unnamed"
            } else {
                &other.name
            };
            text.push_str(&format!("     not {name}: {}{origin}\n", other.reason));
        }
        if passed_over.len() > limit {
            let more = passed_over.len() - limit;
            text.push_str(&format!("     and {more} others not (`--verbose` shows all)\n"));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&conclusion(look, &trace.outcome));
    text
}

fn conclusion(look: Look, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forward(upstreams) => {
            let mut text = String::new();
            for upstream in upstreams {
                let share = if upstreams.len() > 1 {
                    format!(", {:.1}%", upstream.share * 100.0)
                } else {
                    String::new()
                };
                let (tone, endpoints) = match &upstream.endpoints {
                    _ if upstream.discovery == "ORIGINAL_DST" => {
                        (Tone::Good, "the address that the client chose".to_owned())
                    }
                    None if upstream.discovery.is_empty() => (Tone::Error, "not there".to_owned()),
                    None => (Tone::Warning, "endpoints not known".to_owned()),
                    Some(list) if list.is_empty() => (Tone::Error, "no endpoints".to_owned()),
                    Some(list) => {
                        let healthy = list.iter().filter(|endpoint| endpoint.is_healthy()).count();
                        let tone = if healthy > 0 { Tone::Good } else { Tone::Warning };
                        (
                            tone,
                            format!("{}, {healthy} healthy", counted(list.len(), "endpoint")),
                        )
                    }
                };
                let goes = look
                    .paint(tone, format!("goes to {}", upstream.cluster))
                    .into_owned();
                text.push_str(&format!("{goes}{share} ({endpoints})\n"));
            }
            text
        }
        Outcome::Response { status, body } => {
            let body = body
                .as_ref()
                .map_or_else(String::new, |body| format!(": {}", body.trim()));
            format!(
                "{} {status}{body}\n",
                look.paint(Tone::Warning, "the proxy itself answers")
            )
        }
        Outcome::Redirect { status, location } => {
            format!(
                "{} {location} ({status})\n",
                look.paint(Tone::Warning, "the proxy redirects to")
            )
        }
        Outcome::Refused { reason, status, flag } => {
            let status = status.map_or_else(
                || "the connection is closed".to_owned(),
                |status| format!("HTTP {status}"),
            );
            let flag = flag.map_or_else(String::new, |flag| format!(", response flag {flag}"));
            format!(
                "{}: {reason} ({status}{flag})\n",
                look.paint(Tone::Error, "refused")
            )
        }
        Outcome::NotModelled { what } => {
            format!(
                "{} {what}\n",
                look.paint(Tone::Warning, "cannot be told: it depends on")
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_addresses_with_or_without_a_port() {
        assert_eq!(end("10.0.0.1").unwrap().port, None);
        assert_eq!(end("10.0.0.1:80").unwrap().port, Some(80));
        assert_eq!(end("::1").unwrap().port, None);
        assert_eq!(end("[::1]:80").unwrap().port, Some(80));
        assert!(end("reviews:80").is_err());
    }
}
