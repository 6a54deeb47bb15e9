//! The Kubernetes API server: how it is found, asked, and what goes wrong on the way.
//!
//! ```text
//! ConnectOptions ─ connect ─► Cluster ─┬─ get(path)            one answer, as text
//!  kubeconfig, context,                ├─ discover(groups)     which kinds the server has
//!  impersonation, timeouts             ├─ pages(query)         a list, page by page, as raw JSON objects
//!                                      ├─ list::<Pod>(query)   a list, typed
//!                                      ├─ write(request)       one change, sent once
//!                                      ├─ may(attributes)      an access review
//!                                      ├─ ask_pod(port, …)     HTTP to a pod's port, through port-forward
//!                                      ├─ talk_to_pod(port, …) a connection to a pod's port
//!                                      ├─ find_pods(target)    `deploy/NAME`, `svc/NAME`, … → pods, and their proxies
//!                                      └─ client()             everything else (kube)
//! ```
//!
//! Every request has a deadline, reads are repeated when the server says that it is busy, and every failure is a
//! [`ClusterError`] that says what happened in the words of the user and what to do next.

mod connect;
mod discovery;
mod error;
mod portforward;
mod read;
mod review;
mod target;
mod write;

pub use connect::{Cluster, ConnectOptions, Impersonate};
pub use discovery::Discovery;
pub use error::{ClusterError, ErrorKind};
pub use http::Method;
pub use portforward::{BodyReader, ByteStream, PodPort};
pub use read::{ListQuery, MaybeNamespaced, Page, Scope};
pub use target::{ADMIN_PORT, Found, PodKind, Target, TargetKind, pod_kind, proxy_of};
pub use write::{Answer, Write};
