//! The core of meshctl: the resources of a service mesh, and what they mean together.
//!
//! ```text
//! text ─ mesh-yaml ─► Document ─ source ─► Resource<T> ─ MeshBuilder ─► Mesh ─┬─ registry(): hosts → services
//!                                   │                                         ├─ workloads(): labels → pods
//!                                   └─ schema: violations with field paths    └─ virtual_services(), gateways(), …
//! ```
//!
//! Everything but [`source::files`], `source::cluster` and `cluster` is pure: no I/O, no async, and no failure on well-typed input. What is wrong
//! with the input is data ([`Mesh::problems`], [`Mesh::violations`]), so that one broken document hides nothing
//! else.

// The derives of mesh-macros name the crate from outside.
extern crate self as mesh_core;

pub mod annotations;
#[cfg(feature = "cluster")]
pub mod cluster;
pub mod host;
pub mod injection;
pub mod istio;
pub mod kind;
pub mod mesh;
pub mod protocol;
pub mod registry;
pub mod resource;
pub mod schema;
pub mod source;
pub mod visibility;
pub mod words;
pub mod workload;

pub use gateway_api;
pub use host::Host;
pub use k8s_openapi;
pub use kind::{AnyResource, Kind};
pub use mesh::{Mesh, MeshBuilder, Settings};
pub use protocol::Protocol;
pub use registry::{Lookup, Service, ServiceRegistry};
pub use resource::{Header, Labels, Metadata, Origin, Resource, ResourceId, selects};
pub use source::{Problem, ProblemKind, Skipped, Source, SourceId, SourceKind, Unreadable};
pub use visibility::Visibility;
pub use workload::{Workload, Workloads};
