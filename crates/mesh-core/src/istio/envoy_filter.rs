//! `EnvoyFilter`: patches to the generated Envoy configuration.

use std::collections::BTreeMap;

use super::common::{NetworkingWorkloadSelector, PolicyTargetReference};
use crate::schema::Any;
use crate::schema::cel::{PORT, TARGET_REFS_OR_WORKLOAD_SELECTOR, WAYPOINT_MATCH_CONTEXT};
use mesh_macros::{Enum, Message};

/// Changes the Envoy configuration that istiod generates, for what no other kind can express. A patch
/// names the kind of object, conditions that pick objects, and an operation. Patches depend on names
/// and structures that may change with every release, so check them on upgrades. They are applied by
/// priority; within one priority those of the root namespace come first, then older ones.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1alpha3
/// kind: EnvoyFilter
/// metadata:
///   name: larger-headers
///   namespace: shop
/// spec:
///   workloadSelector:
///     labels: { app: storefront }
///   configPatches:
///   - applyTo: NETWORK_FILTER
///     match:
///       context: SIDECAR_INBOUND
///       listener:
///         filterChain:
///           filter: { name: envoy.filters.network.http_connection_manager }
///     patch:
///       operation: MERGE
///       value:
///         typed_config:
///           "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
///           max_request_headers_kb: 96
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REFS_OR_WORKLOAD_SELECTOR))]
pub struct EnvoyFilter {
    /// Patches, applied in order.
    pub config_patches: Vec<EnvoyConfigObjectPatch>,
    /// Order among resources: lower numbers are applied first, negative ones before the default. Unset
    /// is 0. Patches that build on other patches should come later.
    pub priority: i32,
    /// Gateways, services or waypoints that the patches are for. Not together with `workloadSelector`.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// Workloads that the patches are for. Unset covers the namespace, or the mesh in the root
    /// namespace. Not together with `targetRefs`.
    pub workload_selector: Option<NetworkingWorkloadSelector>,
}

/// One patch: what to change, where, and how.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyConfigObjectPatch {
    /// Kind of Envoy object to change.
    pub apply_to: ApplyTo,
    /// Conditions on the object. Unset matches every object of the kind.
    #[field(name = "match")]
    pub matching: Option<EnvoyConfigObjectMatch>,
    /// Change to make.
    pub patch: Option<Patch>,
}

/// Conditions on an Envoy object. Give at most the one of `listener`, `routeConfiguration`, `cluster`
/// and `waypoint` that fits `applyTo`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(
    one_of("listener", "routeConfiguration", "cluster", "waypoint"),
    cel(WAYPOINT_MATCH_CONTEXT)
)]
pub struct EnvoyConfigObjectMatch {
    /// Conditions on a cluster.
    pub cluster: Option<ClusterMatch>,
    /// Kind of traffic that the object handles. Unset is `ANY`.
    pub context: PatchContext,
    /// Conditions on a listener and on what is in it.
    pub listener: Option<ListenerMatch>,
    /// Conditions on the proxy.
    pub proxy: Option<ProxyMatch>,
    /// Conditions on a route configuration and on what is in it.
    pub route_configuration: Option<RouteConfigurationMatch>,
    /// Conditions on objects of a waypoint. Only with context `WAYPOINT`.
    pub waypoint: Option<WaypointMatch>,
}

/// Conditions on a cluster. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClusterMatch {
    /// Exact name of the cluster, such as `outbound|80|v1|ledger.bank.svc.cluster.local`.
    pub name: String,
    /// Port of the service that the cluster is for, or for inbound clusters its target port. Unset is
    /// any.
    pub port_number: u32,
    /// Full host name of the service that the cluster is for. It has no effect on inbound clusters.
    pub service: String,
    /// Subset of the service that the cluster is for.
    pub subset: String,
}

/// Conditions on a listener. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ListenerMatch {
    /// Conditions on a filter chain of the listener. The patch then applies to that chain or in it.
    pub filter_chain: Option<FilterChainMatch>,
    /// Name of a listener filter. The patch then applies to that filter.
    pub listener_filter: String,
    /// Exact name of the listener, such as `virtualInbound` or `0.0.0.0_8080`.
    pub name: String,
    /// Name of the service port. It is not implemented and has no effect.
    pub port_name: String,
    /// Port that the listener is for, as the service or gateway has it. Unset is any.
    pub port_number: u32,
}

/// Conditions on a filter chain. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FilterChainMatch {
    /// Application protocols (ALPN) in the chain's match, separated by commas. All have to be there.
    pub application_protocols: String,
    /// Destination port in the chain's match. It picks chains of the inbound listener.
    pub destination_port: u32,
    /// Conditions on a network filter of the chain. Needed to patch filters.
    pub filter: Option<FilterMatch>,
    /// Exact name of the filter chain.
    pub name: String,
    /// Server name (SNI) in the chain's match.
    pub sni: String,
    /// Transport protocol in the chain's match: `tls` or `raw_buffer`.
    pub transport_protocol: String,
    /// Name of the chain's transport socket.
    pub transport_socket: String,
}

/// Conditions on a filter.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FilterMatch {
    /// Name of the filter, such as `envoy.filters.network.tcp_proxy`.
    pub name: String,
    /// Conditions on a filter inside of it. Only for HTTP filters in the HTTP connection manager.
    pub sub_filter: Option<SubFilterMatch>,
}

/// Conditions on a filter in another filter.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SubFilterMatch {
    /// Name of the HTTP filter, such as `envoy.filters.http.router`.
    pub name: String,
}

/// Conditions on the proxy.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyMatch {
    /// Metadata of the proxy, such as values set with `ISTIO_META_` variables. All entries have to be
    /// equal, and only texts are compared.
    pub metadata: BTreeMap<String, String>,
    /// RE2 expression for the Istio version of the proxy, such as `^1\.30.*`.
    pub proxy_version: String,
}

/// Conditions on a route configuration. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteConfigurationMatch {
    /// Gateway that the routes are for, as `namespace/name`. Only with context `GATEWAY`.
    pub gateway: String,
    /// Exact name of the route configuration, such as `8080` or `https.443.https.edge.shop`.
    pub name: String,
    /// Name of the port of the gateway's server. Only with context `GATEWAY`.
    pub port_name: String,
    /// Port of the gateway's server or of the service. Unset is any.
    pub port_number: u32,
    /// Conditions on a virtual host. The patch then applies to that host or in it.
    pub vhost: Option<VirtualHostMatch>,
}

/// Conditions on a virtual host. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VirtualHostMatch {
    /// Domain that is among the domains of the virtual host.
    pub domain_name: String,
    /// Exact name of the virtual host, such as `ledger.bank.svc.cluster.local:80`.
    pub name: String,
    /// Conditions on a route of the virtual host.
    pub route: Option<RouteMatch>,
}

/// Conditions on a route. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RouteMatch {
    /// Action of the route. Unset is `ANY`.
    pub action: RouteAction,
    /// Name of the route. It is the name in the virtual service, or `default`.
    pub name: String,
}

/// Conditions on objects of a waypoint. All that are set have to hold.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WaypointMatch {
    /// Conditions on a filter.
    pub filter: Option<FilterMatch>,
    /// Port of the service. Unset is any.
    #[field(cel(PORT))]
    pub port_number: u32,
    /// Conditions on a route.
    pub route: Option<WaypointRouteMatch>,
}

/// Conditions on a route of a waypoint.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WaypointRouteMatch {
    /// Name of the route.
    pub name: String,
}

/// The change to make.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Patch {
    /// Place of a filter that is added, among Istio's own. It is for `ADD` on filters.
    pub filter_class: FilterClass,
    /// How to change the object.
    pub operation: PatchOperation,
    /// The configuration to merge or insert, as Envoy's JSON for the kind of object. Not needed for
    /// `REMOVE`.
    pub value: Option<Any>,
}

/// Kind of Envoy object that a patch changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ApplyTo {
    /// No choice. It is rejected.
    #[default]
    Invalid,
    /// A listener.
    Listener,
    /// A filter chain of a listener.
    FilterChain,
    /// A network filter of a filter chain.
    NetworkFilter,
    /// An HTTP filter of the HTTP connection manager.
    HttpFilter,
    /// A route configuration. Only `MERGE` is possible.
    RouteConfiguration,
    /// A virtual host of a route configuration.
    VirtualHost,
    /// A route of a virtual host.
    HttpRoute,
    /// A cluster.
    Cluster,
    /// A configuration that HTTP filters fetch by name.
    ExtensionConfig,
    /// The configuration that the proxy starts with. A change needs a restart of the proxy.
    #[value(deprecated = "use a custom bootstrap, by the annotation `sidecar.istio.io/bootstrapOverride`")]
    Bootstrap,
    /// A listener filter.
    ListenerFilter,
}

/// Kind of traffic that an object handles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PatchContext {
    /// Sidecars and gateways, all directions.
    #[default]
    Any,
    /// Inbound traffic of sidecars.
    SidecarInbound,
    /// Outbound traffic of sidecars.
    SidecarOutbound,
    /// Traffic of gateways.
    Gateway,
    /// Traffic of waypoints.
    Waypoint,
}

/// Action of a route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum RouteAction {
    /// Any action.
    #[default]
    Any,
    /// The route forwards to a cluster.
    Route,
    /// The route redirects.
    Redirect,
    /// The route answers by itself.
    DirectResponse,
}

/// Place of a filter among Istio's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum FilterClass {
    /// At the end, before the router.
    #[default]
    Unspecified,
    /// Before Istio's authentication filters.
    Authn,
    /// After authentication, before Istio's authorization filters.
    Authz,
    /// After authorization, before Istio's statistics filters.
    Stats,
}

/// How a patch changes an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PatchOperation {
    /// No choice. It is rejected.
    #[default]
    Invalid,
    /// Merges the value into the object. Lists are appended to.
    Merge,
    /// Adds the value to the list of such objects. Not for route configurations and routes.
    Add,
    /// Removes the object. Not for route configurations and routes.
    Remove,
    /// Inserts the value before the object. Without a match for the object, at the start. For filters
    /// and routes.
    InsertBefore,
    /// Inserts the value after the object. Without a match for the object, at the end. For filters and
    /// routes.
    InsertAfter,
    /// Inserts the value at the start of the list. For filters and routes.
    InsertFirst,
    /// Replaces the object as a whole. For network filters, HTTP filters and virtual hosts.
    Replace,
    /// Merges the value into the object like `MERGE`, but a list in the value replaces the whole list
    /// of the object.
    MergeAndReplaceList,
}
