//! `WorkloadGroup`: the template for a fleet of workloads that are not pods.

use std::collections::BTreeMap;

use super::workload_entry::WorkloadEntry;
use crate::schema::cel::{ADDRESS_REQUIRED, PORT, PROBE_SCHEME};
use mesh_macros::Message;

/// Describes a set of similar workloads outside Kubernetes, as a Deployment describes pods. It holds
/// the template from which istiod creates a `WorkloadEntry` for each machine that joins, and the probe
/// that tells if the machine is healthy. It also is the source for the bootstrap files of a virtual
/// machine.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1
/// kind: WorkloadGroup
/// metadata:
///   name: ledger
/// spec:
///   metadata:
///     labels: { app: ledger }
///   template:
///     serviceAccount: ledger
///     network: datacentre-1
///   probe:
///     httpGet: { path: /healthz, port: 8080 }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WorkloadGroup {
    /// Labels and annotations for every `WorkloadEntry` that is created from the group.
    pub metadata: Option<ObjectMeta>,
    /// Health check that the agent on the machine runs against the application. An unhealthy workload
    /// gets no traffic. Unset means always healthy.
    pub probe: Option<ReadinessProbe>,
    /// Fields of every `WorkloadEntry` that is created from the group. The address is filled in when
    /// the machine joins, so it can be left out.
    #[field(required, except(ADDRESS_REQUIRED))]
    pub template: Option<WorkloadEntry>,
}

/// Labels and annotations for generated objects.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ObjectMeta {
    /// Annotations to set on each entry.
    #[field(max_properties = 256)]
    pub annotations: BTreeMap<String, String>,
    /// Labels to set on each entry. They also become labels of the workload itself.
    #[field(max_properties = 256)]
    pub labels: BTreeMap<String, String>,
}

/// A health check of a workload: the check itself and how often it runs. Give one of `httpGet`,
/// `tcpSocket`, `exec` and `grpc`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("httpGet", "tcpSocket", "exec", "grpc"))]
pub struct ReadinessProbe {
    /// Runs a command on the machine. Exit code 0 is healthy.
    pub exec: Option<ExecHealthCheck>,
    /// Failed checks in a row that make a healthy workload unhealthy. Unset is 3.
    #[field(minimum = 0)]
    pub failure_threshold: i32,
    /// Asks the gRPC health service of the application.
    pub grpc: Option<GrpcHealthCheck>,
    /// Sends an HTTP `GET`. Any status from 200 to 399 is healthy.
    pub http_get: Option<HttpHealthCheck>,
    /// Seconds to wait after the start before the first check. Unset is 0.
    #[field(minimum = 0)]
    pub initial_delay_seconds: i32,
    /// Seconds between checks. Unset is 10, the smallest is 1.
    #[field(minimum = 0)]
    pub period_seconds: i32,
    /// Successful checks in a row that make an unhealthy workload healthy again. Unset is 1.
    #[field(minimum = 0)]
    pub success_threshold: i32,
    /// Opens a TCP connection. A connection that is accepted is healthy.
    pub tcp_socket: Option<TcpHealthCheck>,
    /// Seconds after which a check counts as failed. Unset is 1.
    #[field(minimum = 0)]
    pub timeout_seconds: i32,
}

/// A health check that runs a command.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ExecHealthCheck {
    /// Program and its arguments. It is run directly, without a shell.
    #[field(required, items(min_length = 1))]
    pub command: Vec<String>,
}

/// A health check over the standard gRPC health protocol.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GrpcHealthCheck {
    /// Port that serves the health service, 1 to 65535.
    #[field(cel(PORT))]
    pub port: u32,
    /// Service name to ask about. Empty asks about the server as a whole.
    pub service: String,
}

/// A health check that sends an HTTP `GET`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpHealthCheck {
    /// Host to connect to. Unset is the workload's own address. To change only the `Host` header, use
    /// `httpHeaders`.
    pub host: String,
    /// Headers to send with the request.
    pub http_headers: Vec<HttpHeader>,
    /// Path of the request. Unset is `/`.
    pub path: String,
    /// Port to connect to, 1 to 65535.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// `HTTP` or `HTTPS`. Unset is `HTTP`.
    #[field(cel(PROBE_SCHEME))]
    pub scheme: String,
}

/// A header to send.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpHeader {
    /// Name of the header: letters, digits, `-` and `_`.
    #[field(pattern = r"^[-_A-Za-z0-9]+$")]
    pub name: String,
    /// Value of the header.
    pub value: String,
}

/// A health check that opens a TCP connection.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TcpHealthCheck {
    /// Host to connect to. Unset is `localhost`.
    pub host: String,
    /// Port to connect to, 1 to 65535.
    #[field(required, cel(PORT))]
    pub port: u32,
}
