//! A real Kubernetes control plane for tests.
//!
//! ```text
//! TestCluster ─ starts ─► test-cluster run ─ starts ─► etcd, kube-apiserver, kube-controller-manager,
//!      │                  (Go, tests/cluster)          kube-scheduler, kwok
//!      └── standard input: when it ends, everything ends
//! ```
//!
//! Everything is what runs in production but the nodes: kwok plays the kubelets, so pods run without containers. The
//! first start builds the control plane, which needs Go and takes minutes; later starts take seconds.
//!
//! ```no_run
//! # use test_cluster::{Node, TestCluster, wait_for};
//! # async fn example() {
//! let cluster = TestCluster::shared();
//! let namespace = cluster.namespace("shop").await;
//! cluster.add_node(Node::new("worker").capacity("4", "16Gi", 110)).await;
//! let client = cluster.client();
//! # }
//! ```
//!
//! The methods that act on a running cluster panic when it refuses: a test has nothing better to do then.
#![expect(
    clippy::missing_panics_doc,
    reason = "the crate's documentation says when: a test helper panics where a test would"
)]

mod access;
mod binary;
mod cluster;
mod node;
mod wait;

pub use access::Access;
pub use cluster::{StartError, TestCluster};
pub use node::{Node, TaintEffect};
pub use wait::{TIMEOUT, wait_for};
