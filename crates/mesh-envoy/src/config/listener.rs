//! Listeners, filter chains, and the two network filters that route.

use serde::Deserialize;

use super::route::RouteConfiguration;
use super::{Address, CidrRange, Extension, Metadata};
use crate::proto::{Any, Duration, proto_enum};

/// `envoy.config.listener.v3.Listener`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Listener {
    pub(crate) name: String,
    pub(crate) address: Address,
    pub(crate) additional_addresses: Vec<AdditionalAddress>,
    pub(crate) filter_chains: Vec<FilterChain>,
    pub(crate) default_filter_chain: Option<FilterChain>,
    pub(crate) filter_chain_matcher: Option<Any>,
    pub(crate) use_original_dst: bool,
    pub(crate) listener_filters: Vec<ListenerFilter>,
    pub(crate) traffic_direction: TrafficDirection,
    pub(crate) bind_to_port: Option<bool>,
    pub(crate) deprecated_v1: DeprecatedV1,
    pub(crate) metadata: Metadata,
}

/// `envoy.config.listener.v3.Listener.DeprecatedV1`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DeprecatedV1 {
    pub(crate) bind_to_port: Option<bool>,
}

impl Listener {
    /// Whether it has a socket of its own; if not, connections are handed to it by one with `use_original_dst`.
    pub(crate) fn binds(&self) -> bool {
        self.bind_to_port
            .or(self.deprecated_v1.bind_to_port)
            .unwrap_or(true)
    }

    /// All addresses that it serves.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = &Address> {
        std::iter::once(&self.address).chain(self.additional_addresses.iter().map(|extra| &extra.address))
    }

    /// Whether it has a listener filter whose type or name contains `part`.
    pub(crate) fn listener_filter(&self, part: &str) -> Option<&ListenerFilter> {
        self.listener_filters
            .iter()
            .find(|filter| filter.extension().kind().contains(part))
    }
}

/// `envoy.config.listener.v3.AdditionalAddress`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AdditionalAddress {
    pub(crate) address: Address,
}

proto_enum! {
    /// `envoy.config.core.v3.TrafficDirection`.
    #[derive(PartialOrd, Ord)]
    pub enum TrafficDirection {
        /// Not stated.
        Unspecified = 0 "UNSPECIFIED",
        /// To the workload.
        Inbound = 1 "INBOUND",
        /// From the workload.
        Outbound = 2 "OUTBOUND",
    }
}

/// `envoy.config.listener.v3.ListenerFilter`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ListenerFilter {
    pub(crate) name: String,
    pub(crate) typed_config: Option<Any>,
    pub(crate) filter_disabled: Option<PortPredicate>,
}

impl ListenerFilter {
    pub(crate) fn extension(&self) -> Extension {
        Extension {
            name: self.name.clone(),
            typed_config: self.typed_config.clone(),
        }
    }
}

/// `envoy.config.listener.v3.ListenerFilterChainMatchPredicate`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PortPredicate {
    pub(crate) or_match: Option<PortPredicates>,
    pub(crate) and_match: Option<PortPredicates>,
    pub(crate) not_match: Option<Box<PortPredicate>>,
    pub(crate) any_match: bool,
    pub(crate) destination_port_range: Option<PortRange>,
}

/// `envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PortPredicates {
    pub(crate) rules: Vec<PortPredicate>,
}

/// `envoy.type.v3.Int32Range`: from `start` to before `end`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PortRange {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

impl PortPredicate {
    /// Whether it holds for a destination port.
    pub(crate) fn matches(&self, port: u16) -> bool {
        if let Some(set) = &self.or_match {
            set.rules.iter().any(|rule| rule.matches(port))
        } else if let Some(set) = &self.and_match {
            set.rules.iter().all(|rule| rule.matches(port))
        } else if let Some(rule) = &self.not_match {
            !rule.matches(port)
        } else if let Some(range) = self.destination_port_range {
            (range.start..range.end).contains(&i64::from(port))
        } else {
            self.any_match
        }
    }
}

/// `envoy.config.listener.v3.FilterChain`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct FilterChain {
    pub(crate) name: String,
    pub(crate) filter_chain_match: FilterChainMatch,
    pub(crate) filters: Vec<Extension>,
    pub(crate) transport_socket: Option<Extension>,
    pub(crate) metadata: Metadata,
}

proto_enum! {
    /// `envoy.config.listener.v3.FilterChainMatch.ConnectionSourceType`.
    pub(crate) enum SourceType {
        Any = 0 "ANY", SameIpOrLoopback = 1 "SAME_IP_OR_LOOPBACK", External = 2 "EXTERNAL",
    }
}

/// `envoy.config.listener.v3.FilterChainMatch`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct FilterChainMatch {
    pub(crate) destination_port: Option<u32>,
    pub(crate) prefix_ranges: Vec<CidrRange>,
    pub(crate) server_names: Vec<String>,
    pub(crate) transport_protocol: String,
    pub(crate) application_protocols: Vec<String>,
    pub(crate) direct_source_prefix_ranges: Vec<CidrRange>,
    pub(crate) source_type: SourceType,
    pub(crate) source_prefix_ranges: Vec<CidrRange>,
    pub(crate) source_ports: Vec<u32>,
}

/// The network filters that decide where a connection goes.
#[derive(Clone, Debug)]
pub(crate) enum Terminal {
    Http(Box<HttpConnectionManager>),
    Tcp(Box<TcpProxy>),
}

impl Terminal {
    /// Reads a filter, if it is one of the two.
    pub(crate) fn of(filter: &Extension) -> Option<Result<Self, serde_json::Error>> {
        let config = filter.typed_config.as_ref()?;
        let kind = config.type_name();
        match kind.rsplit('.').next() {
            Some("HttpConnectionManager") => Some(config.decode().map(Self::Http)),
            Some("TcpProxy") => Some(config.decode().map(Self::Tcp)),
            _ => None,
        }
    }
}

proto_enum! {
    /// `HttpConnectionManager.PathWithEscapedSlashesAction`.
    pub(crate) enum EscapedSlashes {
        Default = 0 "IMPLEMENTATION_SPECIFIC_DEFAULT",
        Keep = 1 "KEEP_UNCHANGED",
        Reject = 2 "REJECT_REQUEST",
        UnescapeAndRedirect = 3 "UNESCAPE_AND_REDIRECT",
        UnescapeAndForward = 4 "UNESCAPE_AND_FORWARD",
    }
}

/// `envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HttpConnectionManager {
    pub(crate) stat_prefix: String,
    pub(crate) rds: Option<Rds>,
    pub(crate) route_config: Option<RouteConfiguration>,
    pub(crate) scoped_routes: Option<Any>,
    pub(crate) http_filters: Vec<HttpFilter>,
    pub(crate) use_remote_address: Option<bool>,
    pub(crate) xff_num_trusted_hops: u32,
    pub(crate) normalize_path: Option<bool>,
    pub(crate) merge_slashes: bool,
    pub(crate) path_with_escaped_slashes_action: EscapedSlashes,
    pub(crate) strip_matching_host_port: bool,
    pub(crate) strip_any_host_port: bool,
    pub(crate) strip_trailing_host_dot: bool,
}

/// `envoy.extensions.filters.network.http_connection_manager.v3.Rds`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rds {
    pub(crate) route_config_name: String,
}

/// `envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HttpFilter {
    pub(crate) name: String,
    pub(crate) typed_config: Option<Any>,
    pub(crate) disabled: bool,
}

/// `envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TcpProxy {
    pub(crate) stat_prefix: String,
    pub(crate) cluster: Option<String>,
    pub(crate) weighted_clusters: Option<TcpWeightedClusters>,
    pub(crate) idle_timeout: Option<Duration>,
}

/// `TcpProxy.WeightedCluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TcpWeightedClusters {
    pub(crate) clusters: Vec<TcpClusterWeight>,
}

/// `TcpProxy.WeightedCluster.ClusterWeight`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TcpClusterWeight {
    pub(crate) name: String,
    pub(crate) weight: u32,
}
