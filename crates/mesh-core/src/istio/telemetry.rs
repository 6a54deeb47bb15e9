//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{REMOVE_WITHOUT_VALUE, TARGET_REF_OR_SELECTOR, UPSERT_NEEDS_VALUE};
use mesh_macros::{Enum, Message};
use crate::schema::{Duration};
use super::common::{PolicyTargetReference, WorkloadSelector};

/// DOC(Telemetry)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct Telemetry {
    /// DOC(Telemetry.accessLogging)
    pub access_logging: Vec<AccessLogging>,
    /// DOC(Telemetry.metrics)
    pub metrics: Vec<Metrics>,
    /// DOC(Telemetry.selector)
    pub selector: Option<WorkloadSelector>,
    /// DOC(Telemetry.targetRef)
    pub target_ref: Option<PolicyTargetReference>,
    /// DOC(Telemetry.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// DOC(Telemetry.tracing)
    pub tracing: Vec<Tracing>,
}

/// DOC(Telemetry.accessLogging[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AccessLogging {
    /// DOC(Telemetry.accessLogging[].disabled)
    #[field(nullable)]
    pub disabled: Option<bool>,
    /// DOC(Telemetry.accessLogging[].filter)
    pub filter: Option<AccessLogFilter>,
    /// DOC(Telemetry.accessLogging[].match)
    #[field(name = "match")]
    pub matching: Option<LogSelector>,
    /// DOC(Telemetry.accessLogging[].providers)
    pub providers: Vec<ProviderRef>,
}

/// DOC(Telemetry.accessLogging[].filter)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AccessLogFilter {
    /// DOC(Telemetry.accessLogging[].filter.expression)
    pub expression: String,
}

/// DOC(Telemetry.accessLogging[].match)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LogSelector {
    /// DOC(Telemetry.accessLogging[].match.mode)
    pub mode: TelemetryMode,
}

/// DOC(Telemetry.accessLogging[].providers[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProviderRef {
    /// DOC(Telemetry.accessLogging[].providers[].name)
    #[field(required, min_length = 1)]
    pub name: String,
}

/// DOC(Telemetry.metrics[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Metrics {
    /// DOC(Telemetry.metrics[].overrides)
    pub overrides: Vec<MetricsOverride>,
    /// DOC(Telemetry.metrics[].providers)
    pub providers: Vec<ProviderRef>,
    /// DOC(Telemetry.metrics[].reportingInterval)
    pub reporting_interval: Option<Duration>,
}

/// DOC(Telemetry.metrics[].overrides[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MetricsOverride {
    /// DOC(Telemetry.metrics[].overrides[].disabled)
    #[field(nullable)]
    pub disabled: Option<bool>,
    /// DOC(Telemetry.metrics[].overrides[].match)
    #[field(name = "match")]
    pub matching: Option<MetricSelector>,
    /// DOC(Telemetry.metrics[].overrides[].tagOverrides)
    pub tag_overrides: BTreeMap<String, TagOverride>,
}

/// DOC(Telemetry.metrics[].overrides[].match)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("metric", "customMetric"))]
pub struct MetricSelector {
    /// DOC(Telemetry.metrics[].overrides[].match.customMetric)
    #[field(min_length = 1)]
    pub custom_metric: Option<String>,
    /// DOC(Telemetry.metrics[].overrides[].match.metric)
    pub metric: Option<IstioMetric>,
    /// DOC(Telemetry.metrics[].overrides[].match.mode)
    pub mode: TelemetryMode,
}

/// DOC(Telemetry.metrics[].overrides[].tagOverrides{})
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(UPSERT_NEEDS_VALUE, REMOVE_WITHOUT_VALUE))]
pub struct TagOverride {
    /// DOC(Telemetry.metrics[].overrides[].tagOverrides{}.operation)
    pub operation: TagOperation,
    /// DOC(Telemetry.metrics[].overrides[].tagOverrides{}.value)
    pub value: String,
}

/// DOC(Telemetry.tracing[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Tracing {
    /// DOC(Telemetry.tracing[].customTags)
    pub custom_tags: BTreeMap<String, CustomTag>,
    /// DOC(Telemetry.tracing[].disableContextPropagation)
    #[field(nullable)]
    pub disable_context_propagation: Option<bool>,
    /// DOC(Telemetry.tracing[].disableSpanReporting)
    #[field(nullable)]
    pub disable_span_reporting: Option<bool>,
    /// DOC(Telemetry.tracing[].enableIstioTags)
    #[field(nullable)]
    pub enable_istio_tags: Option<bool>,
    /// DOC(Telemetry.tracing[].match)
    #[field(name = "match")]
    pub matching: Option<TracingSelector>,
    /// DOC(Telemetry.tracing[].providers)
    pub providers: Vec<ProviderRef>,
    /// DOC(Telemetry.tracing[].randomSamplingPercentage)
    #[field(nullable, minimum = 0, maximum = 100)]
    pub random_sampling_percentage: Option<f64>,
    /// DOC(Telemetry.tracing[].useRequestIdForTraceSampling)
    #[field(nullable)]
    pub use_request_id_for_trace_sampling: Option<bool>,
}

/// DOC(Telemetry.tracing[].customTags{})
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("literal", "environment", "header", "formatter"))]
pub struct CustomTag {
    /// DOC(Telemetry.tracing[].customTags{}.environment)
    pub environment: Option<EnvironmentTag>,
    /// DOC(Telemetry.tracing[].customTags{}.formatter)
    pub formatter: Option<FormatterTag>,
    /// DOC(Telemetry.tracing[].customTags{}.header)
    pub header: Option<RequestHeaderTag>,
    /// DOC(Telemetry.tracing[].customTags{}.literal)
    pub literal: Option<LiteralTag>,
}

/// DOC(Telemetry.tracing[].customTags{}.environment)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvironmentTag {
    /// DOC(Telemetry.tracing[].customTags{}.environment.defaultValue)
    pub default_value: String,
    /// DOC(Telemetry.tracing[].customTags{}.environment.name)
    #[field(required, min_length = 1)]
    pub name: String,
}

/// DOC(Telemetry.tracing[].customTags{}.formatter)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct FormatterTag {
    /// DOC(Telemetry.tracing[].customTags{}.formatter.value)
    #[field(required, min_length = 1)]
    pub value: String,
}

/// DOC(Telemetry.tracing[].customTags{}.header)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RequestHeaderTag {
    /// DOC(Telemetry.tracing[].customTags{}.header.defaultValue)
    pub default_value: String,
    /// DOC(Telemetry.tracing[].customTags{}.header.name)
    #[field(required, min_length = 1)]
    pub name: String,
}

/// DOC(Telemetry.tracing[].customTags{}.literal)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LiteralTag {
    /// DOC(Telemetry.tracing[].customTags{}.literal.value)
    #[field(required, min_length = 1)]
    pub value: String,
}

/// DOC(Telemetry.tracing[].match)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TracingSelector {
    /// DOC(Telemetry.tracing[].match.mode)
    pub mode: TelemetryMode,
}

/// DOC(enum Telemetry.accessLogging[].match.mode)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TelemetryMode {
    /// DOC(CLIENT_AND_SERVER)
    #[default]
    ClientAndServer,
    /// DOC(CLIENT)
    Client,
    /// DOC(SERVER)
    Server,
}

/// DOC(enum Telemetry.metrics[].overrides[].match.metric)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum IstioMetric {
    /// DOC(ALL_METRICS)
    #[default]
    AllMetrics,
    /// DOC(REQUEST_COUNT)
    RequestCount,
    /// DOC(REQUEST_DURATION)
    RequestDuration,
    /// DOC(REQUEST_SIZE)
    RequestSize,
    /// DOC(RESPONSE_SIZE)
    ResponseSize,
    /// DOC(TCP_OPENED_CONNECTIONS)
    TcpOpenedConnections,
    /// DOC(TCP_CLOSED_CONNECTIONS)
    TcpClosedConnections,
    /// DOC(TCP_SENT_BYTES)
    TcpSentBytes,
    /// DOC(TCP_RECEIVED_BYTES)
    TcpReceivedBytes,
    /// DOC(GRPC_REQUEST_MESSAGES)
    GrpcRequestMessages,
    /// DOC(GRPC_RESPONSE_MESSAGES)
    GrpcResponseMessages,
}

/// DOC(enum Telemetry.metrics[].overrides[].tagOverrides{}.operation)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TagOperation {
    /// DOC(UPSERT)
    #[default]
    Upsert,
    /// DOC(REMOVE)
    Remove,
}
