//! What tables show of each kind of resource.
//!
//! Each summary decodes straight from a dump's element: `collect::<ClusterSummary>(reader, Section::Clusters)`.

mod bootstrap;
mod cluster;
mod ecds;
mod endpoint;
mod listener;
mod route;
mod secret;

pub use bootstrap::BootstrapSummary;
pub use cluster::{ClusterFilter, ClusterSummary};
pub use ecds::EcdsSummary;
pub use endpoint::{ClusterEndpoints, EndpointFilter, EndpointSummary};
pub(crate) use listener::describe_chain;
pub use listener::{ChainSummary, ListenerFilter, ListenerSummary, ListenerType};
pub use route::{RouteSummary, RouteTableSummary, VirtualHostSummary};
pub(crate) use route::{describe_action, describe_match};
pub use secret::{Certificate, CertificateError, SecretKind, SecretSummary, Validity};

pub use crate::config::cluster::HealthStatus;
pub use crate::config::listener::TrafficDirection;
