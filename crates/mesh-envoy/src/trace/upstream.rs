//! The cluster that a connection or request goes to, its endpoints, and how it is secured.

use std::net::SocketAddr;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Config, Outcome, Request, Step, Subject};
use crate::config::Extension;
use crate::config::cluster::{Cluster, DiscoveryType, LbEndpoint, LoadAssignment};
use crate::config::listener::TcpProxy;
use crate::istio::Origin;
use crate::summary::{ClusterEndpoints, EndpointSummary};

/// A cluster that a request goes to.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// The cluster's name.
    pub cluster: String,
    /// Its share of the requests, from 0 to 1.
    pub share: f64,
    /// How its hosts are found: `EDS`, `STATIC`, …, or the name of an extension; empty if the cluster is not there.
    pub discovery: String,
    /// How a host is chosen.
    pub load_balancing: String,
    /// How the connection is secured. Which one applies depends on the host where there are several.
    pub transport: Vec<String>,
    /// Its hosts; `None` if the dump does not tell.
    pub endpoints: Option<Vec<EndpointSummary>>,
    /// The resource of Istio that it came from.
    pub origin: Option<Origin>,
}

/// Follows a connection through a TCP proxy.
pub(super) fn tcp(
    config: &Config,
    tcp: &TcpProxy,
    request: &Request,
    destination: Option<SocketAddr>,
    steps: &mut Vec<Step>,
) -> Outcome {
    let names = match (&tcp.cluster, &tcp.weighted_clusters) {
        (Some(cluster), _) => vec![(cluster.clone(), 1)],
        (None, Some(weighted)) => {
            let all = weighted
                .clusters
                .iter()
                .map(|cluster| (cluster.name.clone(), cluster.weight));
            match request.random {
                Some(random) => super::action::pick(all, random)
                    .into_iter()
                    .map(|name| (name, 1))
                    .collect(),
                None => all.collect(),
            }
        }
        (None, None) => Vec::new(),
    };
    if let [(name, _)] = &names[..]
        && !config.clusters.contains_key(name)
    {
        return Outcome::refused(format!("the cluster `{name}` is not there"), None, Some("NC"));
    }
    forward(config, &names, destination, None, steps)
}

/// Ends a way at clusters with weights. `unavailable` is the HTTP status if the only one has no host.
pub(super) fn forward(
    config: &Config,
    names: &[(String, u32)],
    destination: Option<SocketAddr>,
    unavailable: Option<u16>,
    steps: &mut Vec<Step>,
) -> Outcome {
    let total: f64 = names.iter().map(|(_, weight)| f64::from(*weight)).sum();
    let mut upstreams = Vec::new();
    for (name, weight) in names {
        let share = if total > 0.0 {
            f64::from(*weight) / total
        } else {
            0.0
        };
        let upstream = upstream(config, name, share);
        let mut step = Step::new(
            Subject::Cluster,
            name,
            if unavailable.is_some() {
                "the route names it"
            } else {
                "the TCP proxy names it"
            },
        );
        step.origin.clone_from(&upstream.origin);
        if names.len() > 1 {
            step.reason = format!("{:.1}% of requests", share * 100.0);
        }
        match config.clusters.get(name) {
            None => step.detail("problem", "the cluster is not there"),
            Some(cluster) => {
                step.detail("type", &upstream.discovery);
                step.detail("load balancing", &upstream.load_balancing);
                for transport in &upstream.transport {
                    step.detail("transport", transport);
                }
                if let Some(timeout) = cluster.connect_timeout {
                    step.detail("connect timeout", timeout.to_string());
                }
                let original = cluster.r#type == DiscoveryType::OriginalDst && cluster.cluster_type.is_none();
                match (original, destination) {
                    (true, Some(destination)) => step.detail("endpoint", destination.to_string()),
                    (true, None) => step.detail("endpoint", "where the client connects to"),
                    _ => {}
                }
            }
        }
        for endpoint in upstream.endpoints.iter().flatten() {
            let health = if endpoint.is_healthy() {
                ""
            } else {
                " (not healthy)"
            };
            step.detail("endpoint", format!("{}{health}", endpoint.address));
        }
        steps.push(step);
        upstreams.push(upstream);
    }
    if let [only] = &upstreams[..]
        && only.discovery != DiscoveryType::OriginalDst.name()
        && only.endpoints.as_ref().is_some_and(Vec::is_empty)
    {
        let reason = format!("the cluster `{}` has no endpoint", only.cluster);
        return Outcome::refused(reason, unavailable, Some("UH"));
    }
    Outcome::Forward(upstreams)
}

fn upstream(config: &Config, name: &str, share: f64) -> Upstream {
    let Some(cluster) = config.clusters.get(name) else {
        return Upstream {
            cluster: name.to_owned(),
            share,
            discovery: String::new(),
            load_balancing: String::new(),
            transport: Vec::new(),
            endpoints: None,
            origin: None,
        };
    };
    Upstream {
        cluster: name.to_owned(),
        share,
        discovery: cluster.discovery(),
        load_balancing: cluster.lb_policy.name().to_owned(),
        transport: transports(config, cluster),
        endpoints: endpoints(config, cluster),
        origin: Origin::of(&cluster.metadata),
    }
}

/// The load assignment of a cluster: its own, or the one that was discovered.
fn assignment<'a>(config: &'a Config, cluster: &'a Cluster) -> Option<&'a LoadAssignment> {
    config
        .assignments
        .get(cluster.eds_name())
        .or(cluster.load_assignment.as_ref())
}

/// The hosts of a cluster, from where most is known of them.
fn endpoints(config: &Config, cluster: &Cluster) -> Option<Vec<EndpointSummary>> {
    if let Some(known) = config.statuses.get(&cluster.name) {
        return Some(known.clone());
    }
    if let Some(assignment) = assignment(config, cluster) {
        return Some(ClusterEndpoints::from(assignment).endpoints);
    }
    let is_static = cluster.r#type == DiscoveryType::Static && cluster.cluster_type.is_none();
    is_static.then(Vec::new)
}

/// How connections to the cluster's hosts are secured. Of `transport_socket_matches`, those that some host asks for are
/// told, or all if no hosts are known.
fn transports(config: &Config, cluster: &Cluster) -> Vec<String> {
    let plain = || "plaintext".to_owned();
    let default = || {
        cluster
            .transport_socket
            .as_ref()
            .map_or_else(plain, describe_socket)
    };
    if cluster.transport_socket_matches.is_empty() {
        return vec![default()];
    }
    let describe = |index: usize| {
        let entry = &cluster.transport_socket_matches[index];
        let socket = entry
            .transport_socket
            .as_ref()
            .map_or_else(plain, describe_socket);
        format!("{}: {socket}", entry.name)
    };
    let all = 0..cluster.transport_socket_matches.len();
    let assignment = assignment(config, cluster)
        .into_iter()
        .flat_map(|assignment| &assignment.endpoints);
    let hosts: Vec<&LbEndpoint> = assignment.flat_map(|locality| &locality.lb_endpoints).collect();
    if hosts.is_empty() {
        return all.map(describe).collect();
    }
    let mut told = Vec::new();
    for host in hosts {
        let wanted = host.metadata.filter_metadata.get("envoy.transport_socket_match");
        let fits = |index: &usize| {
            is_subset(
                &cluster.transport_socket_matches[*index].r#match,
                wanted.and_then(Value::as_object),
            )
        };
        let text = all.clone().find(fits).map_or_else(default, describe);
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// Whether a host's metadata has all that is asked for.
fn is_subset(wanted: &Map<String, Value>, metadata: Option<&Map<String, Value>>) -> bool {
    wanted
        .iter()
        .all(|(key, value)| metadata.and_then(|metadata| metadata.get(key)) == Some(value))
}

/// `envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext` and its counterpart downstream.
#[expect(clippy::struct_field_names, reason = "Envoy's names")]
#[derive(Default, Deserialize)]
#[serde(default)]
struct TlsContext {
    sni: String,
    auto_host_sni: bool,
    require_client_certificate: Option<bool>,
    common_tls_context: CommonTlsContext,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct CommonTlsContext {
    tls_certificates: Vec<serde::de::IgnoredAny>,
    tls_certificate_sds_secret_configs: Vec<SdsSecretConfig>,
    alpn_protocols: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SdsSecretConfig {
    name: String,
}

pub(super) fn is_tls(socket: &Extension) -> bool {
    socket
        .typed_config
        .as_ref()
        .is_some_and(|config| config.type_name().ends_with("TlsContext"))
}

/// Whether a listener's TLS fails for clients that show no certificate.
pub(super) fn requires_certificate(socket: &Extension) -> bool {
    tls_context(socket).is_some_and(|context| context.require_client_certificate == Some(true))
}

fn tls_context(socket: &Extension) -> Option<TlsContext> {
    socket
        .typed_config
        .as_ref()
        .filter(|_| is_tls(socket))?
        .decode()
        .ok()
}

/// A transport socket on one line.
pub(super) fn describe_socket(socket: &Extension) -> String {
    let kind = socket.kind();
    if kind.ends_with(".RawBuffer") || kind.ends_with("raw_buffer") {
        return "plaintext".to_owned();
    }
    let Some(context) = tls_context(socket) else {
        return kind;
    };
    let is_downstream = kind.ends_with("DownstreamTlsContext");
    let common = &context.common_tls_context;
    let has_certificate =
        !(common.tls_certificates.is_empty() && common.tls_certificate_sds_secret_configs.is_empty());
    let is_mutual = if is_downstream {
        context.require_client_certificate == Some(true)
    } else {
        has_certificate
    };
    let mut text = if is_mutual { "mutual TLS" } else { "TLS" }.to_owned();
    let secrets: Vec<&str> = common
        .tls_certificate_sds_secret_configs
        .iter()
        .map(|secret| secret.name.as_str())
        .collect();
    for (name, value) in [
        ("SNI", context.sni.clone()),
        ("certificate", secrets.join(", ")),
        ("ALPN", common.alpn_protocols.join(", ")),
    ] {
        if !value.is_empty() {
            text.extend([", ", name, " ", &value]);
        }
    }
    if context.auto_host_sni {
        text.push_str(", SNI from the host's name");
    }
    text
}
