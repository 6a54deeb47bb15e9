//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{PORT, TARGET_REFS_OR_WORKLOAD_SELECTOR, WAYPOINT_MATCH_CONTEXT};
use mesh_macros::{Enum, Message};
use crate::schema::{Any};
use super::common::{NetworkingWorkloadSelector, PolicyTargetReference};

/// DOC(EnvoyFilter)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REFS_OR_WORKLOAD_SELECTOR))]
pub struct EnvoyFilter {
    /// DOC(EnvoyFilter.configPatches)
    pub config_patches: Vec<EnvoyConfigObjectPatch>,
    /// DOC(EnvoyFilter.priority)
    pub priority: i32,
    /// DOC(EnvoyFilter.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// DOC(EnvoyFilter.workloadSelector)
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// DOC(EnvoyFilter.configPatches[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyConfigObjectPatch {
    /// DOC(EnvoyFilter.configPatches[].applyTo)
    pub apply_to: ApplyTo,
    /// DOC(EnvoyFilter.configPatches[].match)
    #[field(name = "match")]
    pub matching: Option<EnvoyConfigObjectMatch>,
    /// DOC(EnvoyFilter.configPatches[].patch)
    pub patch: Option<Patch>,
}

/// DOC(EnvoyFilter.configPatches[].match)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("listener", "routeConfiguration", "cluster", "waypoint"), cel(WAYPOINT_MATCH_CONTEXT))]
pub struct EnvoyConfigObjectMatch {
    /// DOC(EnvoyFilter.configPatches[].match.cluster)
    pub cluster: Option<ClusterMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.context)
    pub context: PatchContext,
    /// DOC(EnvoyFilter.configPatches[].match.listener)
    pub listener: Option<ListenerMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.proxy)
    pub proxy: Option<ProxyMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration)
    pub route_configuration: Option<RouteConfigurationMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.waypoint)
    pub waypoint: Option<WaypointMatch>,
}

/// DOC(EnvoyFilter.configPatches[].match.cluster)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClusterMatch {
    /// DOC(EnvoyFilter.configPatches[].match.cluster.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.cluster.portNumber)
    pub port_number: u32,
    /// DOC(EnvoyFilter.configPatches[].match.cluster.service)
    pub service: String,
    /// DOC(EnvoyFilter.configPatches[].match.cluster.subset)
    pub subset: String,
}

/// DOC(EnvoyFilter.configPatches[].match.listener)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ListenerMatch {
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain)
    pub filter_chain: Option<FilterChainMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.listener.listenerFilter)
    pub listener_filter: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.portName)
    pub port_name: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.portNumber)
    pub port_number: u32,
}

/// DOC(EnvoyFilter.configPatches[].match.listener.filterChain)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FilterChainMatch {
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.applicationProtocols)
    pub application_protocols: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.destinationPort)
    pub destination_port: u32,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter)
    pub filter: Option<FilterMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.sni)
    pub sni: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.transportProtocol)
    pub transport_protocol: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.transportSocket)
    pub transport_socket: String,
}

/// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FilterMatch {
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter.subFilter)
    pub sub_filter: Option<SubFilterMatch>,
}

/// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter.subFilter)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SubFilterMatch {
    /// DOC(EnvoyFilter.configPatches[].match.listener.filterChain.filter.subFilter.name)
    pub name: String,
}

/// DOC(EnvoyFilter.configPatches[].match.proxy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyMatch {
    /// DOC(EnvoyFilter.configPatches[].match.proxy.metadata)
    pub metadata: BTreeMap<String, String>,
    /// DOC(EnvoyFilter.configPatches[].match.proxy.proxyVersion)
    pub proxy_version: String,
}

/// DOC(EnvoyFilter.configPatches[].match.routeConfiguration)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteConfigurationMatch {
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.gateway)
    pub gateway: String,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.portName)
    pub port_name: String,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.portNumber)
    pub port_number: u32,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost)
    pub vhost: Option<VirtualHostMatch>,
}

/// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VirtualHostMatch {
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.domainName)
    pub domain_name: String,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.name)
    pub name: String,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.route)
    pub route: Option<RouteMatch>,
}

/// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.route)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteMatch {
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.route.action)
    pub action: RouteAction,
    /// DOC(EnvoyFilter.configPatches[].match.routeConfiguration.vhost.route.name)
    pub name: String,
}

/// DOC(EnvoyFilter.configPatches[].match.waypoint)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WaypointMatch {
    /// DOC(EnvoyFilter.configPatches[].match.waypoint.filter)
    pub filter: Option<FilterMatch>,
    /// DOC(EnvoyFilter.configPatches[].match.waypoint.portNumber)
    #[field(cel(PORT))]
    pub port_number: u32,
    /// DOC(EnvoyFilter.configPatches[].match.waypoint.route)
    pub route: Option<WaypointRouteMatch>,
}

/// DOC(EnvoyFilter.configPatches[].match.waypoint.route)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WaypointRouteMatch {
    /// DOC(EnvoyFilter.configPatches[].match.waypoint.route.name)
    pub name: String,
}

/// DOC(EnvoyFilter.configPatches[].patch)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Patch {
    /// DOC(EnvoyFilter.configPatches[].patch.filterClass)
    pub filter_class: FilterClass,
    /// DOC(EnvoyFilter.configPatches[].patch.operation)
    pub operation: PatchOperation,
    /// DOC(EnvoyFilter.configPatches[].patch.value)
    pub value: Option<Any>,
}

/// DOC(enum EnvoyFilter.configPatches[].applyTo)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ApplyTo {
    /// DOC(INVALID)
    #[default]
    Invalid,
    /// DOC(LISTENER)
    Listener,
    /// DOC(FILTER_CHAIN)
    FilterChain,
    /// DOC(NETWORK_FILTER)
    NetworkFilter,
    /// DOC(HTTP_FILTER)
    HttpFilter,
    /// DOC(ROUTE_CONFIGURATION)
    RouteConfiguration,
    /// DOC(VIRTUAL_HOST)
    VirtualHost,
    /// DOC(HTTP_ROUTE)
    HttpRoute,
    /// DOC(CLUSTER)
    Cluster,
    /// DOC(EXTENSION_CONFIG)
    ExtensionConfig,
    /// DOC(BOOTSTRAP)
    Bootstrap,
    /// DOC(LISTENER_FILTER)
    ListenerFilter,
}

/// DOC(enum EnvoyFilter.configPatches[].match.context)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PatchContext {
    /// DOC(ANY)
    #[default]
    Any,
    /// DOC(SIDECAR_INBOUND)
    SidecarInbound,
    /// DOC(SIDECAR_OUTBOUND)
    SidecarOutbound,
    /// DOC(GATEWAY)
    Gateway,
    /// DOC(WAYPOINT)
    Waypoint,
}

/// DOC(enum EnvoyFilter.configPatches[].match.routeConfiguration.vhost.route.action)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum RouteAction {
    /// DOC(ANY)
    #[default]
    Any,
    /// DOC(ROUTE)
    Route,
    /// DOC(REDIRECT)
    Redirect,
    /// DOC(DIRECT_RESPONSE)
    DirectResponse,
}

/// DOC(enum EnvoyFilter.configPatches[].patch.filterClass)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum FilterClass {
    /// DOC(UNSPECIFIED)
    #[default]
    Unspecified,
    /// DOC(AUTHN)
    Authn,
    /// DOC(AUTHZ)
    Authz,
    /// DOC(STATS)
    Stats,
}

/// DOC(enum EnvoyFilter.configPatches[].patch.operation)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PatchOperation {
    /// DOC(INVALID)
    #[default]
    Invalid,
    /// DOC(MERGE)
    Merge,
    /// DOC(ADD)
    Add,
    /// DOC(REMOVE)
    Remove,
    /// DOC(INSERT_BEFORE)
    InsertBefore,
    /// DOC(INSERT_AFTER)
    InsertAfter,
    /// DOC(INSERT_FIRST)
    InsertFirst,
    /// DOC(REPLACE)
    Replace,
    /// DOC(MERGE_AND_REPLACE_LIST)
    MergeAndReplaceList,
}
