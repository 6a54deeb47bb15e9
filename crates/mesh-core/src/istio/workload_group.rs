//! DOC(module)

use std::collections::BTreeMap;

use crate::schema::cel::{ADDRESS_REQUIRED, PORT, PROBE_SCHEME};
use mesh_macros::{Message};
use super::workload_entry::{WorkloadEntry};

/// DOC(WorkloadGroup)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WorkloadGroup {
    /// DOC(WorkloadGroup.metadata)
    pub metadata: Option<ObjectMeta>,
    /// DOC(WorkloadGroup.probe)
    pub probe: Option<ReadinessProbe>,
    /// DOC(WorkloadGroup.template)
    #[field(required, except(ADDRESS_REQUIRED))]
    pub template: Option<WorkloadEntry>,
}

/// DOC(WorkloadGroup.metadata)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ObjectMeta {
    /// DOC(WorkloadGroup.metadata.annotations)
    #[field(max_properties = 256)]
    pub annotations: BTreeMap<String, String>,
    /// DOC(WorkloadGroup.metadata.labels)
    #[field(max_properties = 256)]
    pub labels: BTreeMap<String, String>,
}

/// DOC(WorkloadGroup.probe)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("httpGet", "tcpSocket", "exec", "grpc"))]
pub struct ReadinessProbe {
    /// DOC(WorkloadGroup.probe.exec)
    pub exec: Option<ExecHealthCheck>,
    /// DOC(WorkloadGroup.probe.failureThreshold)
    #[field(minimum = 0)]
    pub failure_threshold: i32,
    /// DOC(WorkloadGroup.probe.grpc)
    pub grpc: Option<GrpcHealthCheck>,
    /// DOC(WorkloadGroup.probe.httpGet)
    pub http_get: Option<HttpHealthCheck>,
    /// DOC(WorkloadGroup.probe.initialDelaySeconds)
    #[field(minimum = 0)]
    pub initial_delay_seconds: i32,
    /// DOC(WorkloadGroup.probe.periodSeconds)
    #[field(minimum = 0)]
    pub period_seconds: i32,
    /// DOC(WorkloadGroup.probe.successThreshold)
    #[field(minimum = 0)]
    pub success_threshold: i32,
    /// DOC(WorkloadGroup.probe.tcpSocket)
    pub tcp_socket: Option<TcpHealthCheck>,
    /// DOC(WorkloadGroup.probe.timeoutSeconds)
    #[field(minimum = 0)]
    pub timeout_seconds: i32,
}

/// DOC(WorkloadGroup.probe.exec)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ExecHealthCheck {
    /// DOC(WorkloadGroup.probe.exec.command)
    #[field(required, items(min_length = 1))]
    pub command: Vec<String>,
}

/// DOC(WorkloadGroup.probe.grpc)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GrpcHealthCheck {
    /// DOC(WorkloadGroup.probe.grpc.port)
    #[field(cel(PORT))]
    pub port: u32,
    /// DOC(WorkloadGroup.probe.grpc.service)
    pub service: String,
}

/// DOC(WorkloadGroup.probe.httpGet)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpHealthCheck {
    /// DOC(WorkloadGroup.probe.httpGet.host)
    pub host: String,
    /// DOC(WorkloadGroup.probe.httpGet.httpHeaders)
    pub http_headers: Vec<HttpHeader>,
    /// DOC(WorkloadGroup.probe.httpGet.path)
    pub path: String,
    /// DOC(WorkloadGroup.probe.httpGet.port)
    #[field(required, cel(PORT))]
    pub port: u32,
    /// DOC(WorkloadGroup.probe.httpGet.scheme)
    #[field(cel(PROBE_SCHEME))]
    pub scheme: String,
}

/// DOC(WorkloadGroup.probe.httpGet.httpHeaders[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpHeader {
    /// DOC(WorkloadGroup.probe.httpGet.httpHeaders[].name)
    #[field(pattern = r"^[-_A-Za-z0-9]+$")]
    pub name: String,
    /// DOC(WorkloadGroup.probe.httpGet.httpHeaders[].value)
    pub value: String,
}

/// DOC(WorkloadGroup.probe.tcpSocket)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpHealthCheck {
    /// DOC(WorkloadGroup.probe.tcpSocket.host)
    pub host: String,
    /// DOC(WorkloadGroup.probe.tcpSocket.port)
    #[field(required, cel(PORT))]
    pub port: u32,
}
