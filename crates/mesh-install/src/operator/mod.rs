//! The operator: control planes that are described by objects of the cluster, `MeshControlPlane`s, and kept so.
//!
//! ```text
//! MeshControlPlane ─ wanted ─► Desired ─ engine: plan, install ─► objects ─ watch, every so often ─┐
//!        ▲                                                                                         │
//!        └────────── status, events ◄────────────── reconcile ◄────────────────────────────────────┘
//! ```
//!
//! A `MeshControlPlane` describes the mesh of its own namespace. The work on it is that of `meshctl install`, with the
//! same lock and the same state, so that the two can be used side by side. [`objects`] is what the operator itself
//! consists of, its rights included: they end at the watched namespaces.

pub mod objects;
pub mod status;
pub mod wanted;

#[cfg(feature = "cluster")]
mod attempts;
#[cfg(feature = "cluster")]
mod reconcile;
#[cfg(feature = "cluster")]
mod run;

#[cfg(feature = "cluster")]
pub use reconcile::Outcome;
#[cfg(feature = "cluster")]
pub use run::{Notice, Operator};

/// What the objects of the operator are called, and the Lease of the one that works.
pub const NAME: &str = "meshctl-operator";

/// The namespace of the operator, unless another one is named.
pub const NAMESPACE: &str = "meshctl-operator";

/// What keeps a `MeshControlPlane` until what it describes is removed.
pub const FINALIZER: &str = "install.meshctl.dev/control-plane";

/// The port of health and metrics, the one that Istio's operator had.
pub const PORT: u16 = 8383;
