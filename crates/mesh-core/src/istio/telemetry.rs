//! `Telemetry`: metrics, traces and access logs of workloads.

use std::collections::BTreeMap;

use super::common::{PolicyTargetReference, WorkloadSelector};
use crate::schema::Duration;
use crate::schema::cel::{REMOVE_WITHOUT_VALUE, TARGET_REF_OR_SELECTOR, UPSERT_NEEDS_VALUE};
use mesh_macros::{Enum, Message};

/// Sets which metrics, traces and access logs proxies produce and where they go. The destinations are
/// providers, defined once in `extensionProviders` of the mesh. A resource in the root namespace sets
/// the base, one in a namespace refines it, and one with a selector refines it again for some
/// workloads; what a narrower one does not set is inherited.
///
/// ```yaml
/// apiVersion: telemetry.istio.io/v1
/// kind: Telemetry
/// metadata:
///   name: shop-telemetry
///   namespace: shop
/// spec:
///   tracing:
///   - providers: [{ name: otel }]
///     randomSamplingPercentage: 5
///   accessLogging:
///   - providers: [{ name: envoy }]
///     filter: { expression: "response.code >= 500" }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct Telemetry {
    /// Access logs. Entries are merged by provider and direction.
    pub access_logging: Vec<AccessLogging>,
    /// Metrics. Overrides of several entries for one provider are applied in order.
    pub metrics: Vec<Metrics>,
    /// Workloads of the namespace that the settings are for. Unset covers the namespace, or the mesh in
    /// the root namespace. Not together with target references.
    pub selector: Option<WorkloadSelector>,
    /// Object that the settings attach to. Not together with `selector` or `targetRefs`.
    #[field(deprecated = "use `targetRefs`")]
    pub target_ref: Option<PolicyTargetReference>,
    /// Gateways, services or waypoints that the settings attach to. Not together with `selector`.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// Traces. Only the first entry, and in it one provider, is supported.
    pub tracing: Vec<Tracing>,
}

/// Access logs of one kind of traffic.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AccessLogging {
    /// Turns the logs off. Unset inherits, and `false` turns logs on again that a wider resource turned
    /// off.
    #[field(nullable)]
    pub disabled: Option<bool>,
    /// Which requests are logged. Unset logs all.
    pub filter: Option<AccessLogFilter>,
    /// Direction of the traffic. Unset is both.
    #[field(name = "match")]
    pub matching: Option<LogSelector>,
    /// Where logs go. Unset takes the wider resource's providers, then the defaults of the mesh.
    pub providers: Vec<ProviderRef>,
}

/// Chooses the requests that are logged.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AccessLogFilter {
    /// CEL expression over the request, such as `response.code >= 400 || response.duration >
    /// duration("1s")`. True logs the request.
    pub expression: String,
}

/// Chooses the traffic of a log.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LogSelector {
    /// Direction of the traffic. Unset is both.
    pub mode: TelemetryMode,
}

/// A telemetry provider from `extensionProviders` of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProviderRef {
    /// Name of the provider in the mesh's configuration. `prometheus`, `stackdriver` and `envoy` exist
    /// without any.
    #[field(required, min_length = 1)]
    pub name: String,
}

/// Changes to the metrics of some providers.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Metrics {
    /// Changes to metrics, applied in order.
    pub overrides: Vec<MetricsOverride>,
    /// Where metrics go. Unset takes the wider resource's providers, then the defaults of the mesh.
    pub providers: Vec<ProviderRef>,
    /// Time between reports for connections that are still open. For TCP metrics only. Unset is 5 s.
    pub reporting_interval: Option<Duration>,
}

/// A change to some metrics.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MetricsOverride {
    /// Turns the metrics off. Unset inherits.
    #[field(nullable)]
    pub disabled: Option<bool>,
    /// Metrics and direction that the change is for. Unset is all.
    #[field(name = "match")]
    pub matching: Option<MetricSelector>,
    /// Changes to tags of the metrics, by tag name.
    pub tag_overrides: BTreeMap<String, TagOverride>,
}

/// Chooses metrics. At most one of `metric` and `customMetric` is set; neither is all metrics.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("metric", "customMetric"))]
pub struct MetricSelector {
    /// Name of a metric that is not among Istio's own, as its provider knows it.
    #[field(min_length = 1)]
    pub custom_metric: Option<String>,
    /// One of Istio's own metrics.
    pub metric: Option<IstioMetric>,
    /// Role of the proxy that reports the metric. Unset is both.
    pub mode: TelemetryMode,
}

/// A change to a tag.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(UPSERT_NEEDS_VALUE, REMOVE_WITHOUT_VALUE))]
pub struct TagOverride {
    /// Whether the tag is set or removed. Unset is `UPSERT`.
    pub operation: TagOperation,
    /// New value, as a CEL expression such as `request.host`; a fixed text is written in quotes,
    /// `'eu'`. Needed for `UPSERT`, and not allowed for `REMOVE`.
    pub value: String,
}

/// How traces are made.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Tracing {
    /// More tags for spans, by tag name. Unset inherits.
    pub custom_tags: BTreeMap<String, CustomTag>,
    /// Removes trace headers from forwarded requests, so that the next hop starts a new trace. Unset is
    /// `false`.
    #[field(nullable)]
    pub disable_context_propagation: Option<bool>,
    /// Reports no spans. Trace headers are still passed on, so the trace stays whole. Unset inherits.
    #[field(nullable)]
    pub disable_span_reporting: Option<bool>,
    /// Adds Istio's own tags to spans, such as the mesh and the service names. Unset is `true`.
    #[field(nullable)]
    pub enable_istio_tags: Option<bool>,
    /// Direction of the traffic. Unset is both.
    #[field(name = "match")]
    pub matching: Option<TracingSelector>,
    /// Where spans go. Unset takes the wider resource's provider, then the defaults of the mesh. One
    /// provider only.
    pub providers: Vec<ProviderRef>,
    /// Percentage of requests that are traced, 0 to 100, if the caller has not decided. Unset takes the
    /// mesh's setting, normally 1.
    #[field(nullable, minimum = 0, maximum = 100)]
    pub random_sampling_percentage: Option<f64>,
    /// Decides on tracing by the request ID of Envoy. Turn it off if the first proxy on the way makes
    /// request IDs of another format. Unset is `true`.
    #[field(nullable)]
    pub use_request_id_for_trace_sampling: Option<bool>,
}

/// Value of a tag. Give exactly one source.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("literal", "environment", "header", "formatter"))]
pub struct CustomTag {
    /// Takes the value from an environment variable of the proxy.
    pub environment: Option<EnvironmentTag>,
    /// Builds the value from a format text of Envoy.
    pub formatter: Option<FormatterTag>,
    /// Takes the value from a request header.
    pub header: Option<RequestHeaderTag>,
    /// A fixed value.
    pub literal: Option<LiteralTag>,
}

/// A value from an environment variable of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvironmentTag {
    /// Value to use if the variable is not set. Unset leaves the tag out then.
    pub default_value: String,
    /// Name of the variable.
    #[field(required, min_length = 1)]
    pub name: String,
}

/// A value from a format text.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FormatterTag {
    /// Text with Envoy's access log commands, such as `%REQ(USER-AGENT)%`.
    #[field(required, min_length = 1)]
    pub value: String,
}

/// A value from a request header.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RequestHeaderTag {
    /// Value to use if the header is missing. Unset leaves the tag out then.
    pub default_value: String,
    /// Name of the header.
    #[field(required, min_length = 1)]
    pub name: String,
}

/// A fixed value.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LiteralTag {
    /// The value.
    #[field(required, min_length = 1)]
    pub value: String,
}

/// Chooses the traffic of traces.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TracingSelector {
    /// Direction of the traffic. Unset is both.
    pub mode: TelemetryMode,
}

/// Role of the proxy that reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TelemetryMode {
    /// Both sides.
    #[default]
    ClientAndServer,
    /// The proxy of the caller: outbound traffic. A gateway reports as a client.
    Client,
    /// The proxy of the service: inbound traffic.
    Server,
}

/// One of the metrics that Istio itself defines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum IstioMetric {
    /// All of them.
    #[default]
    AllMetrics,
    /// Requests: `istio_requests_total`.
    RequestCount,
    /// Duration of requests: `istio_request_duration_milliseconds`.
    RequestDuration,
    /// Size of request bodies: `istio_request_bytes`.
    RequestSize,
    /// Size of response bodies: `istio_response_bytes`.
    ResponseSize,
    /// Opened connections: `istio_tcp_connections_opened_total`.
    TcpOpenedConnections,
    /// Closed connections: `istio_tcp_connections_closed_total`.
    TcpClosedConnections,
    /// Bytes sent as responses: `istio_tcp_sent_bytes_total`.
    TcpSentBytes,
    /// Bytes received as requests: `istio_tcp_received_bytes_total`.
    TcpReceivedBytes,
    /// gRPC messages from clients: `istio_request_messages_total`.
    GrpcRequestMessages,
    /// gRPC messages from servers: `istio_response_messages_total`.
    GrpcResponseMessages,
}

/// Change to a tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TagOperation {
    /// Sets the tag, new or existing.
    #[default]
    Upsert,
    /// Removes the tag.
    Remove,
}
