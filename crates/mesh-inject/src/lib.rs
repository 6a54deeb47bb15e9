//! Sidecar injection: from a workload to the workload with Istio's proxy beside it, and back.
//!
//! ```text
//! MeshConfig, values ─► Settings ─┐
//!                                 ├─ decide ─► skip, and why
//! pod template, owner ────────────┤
//!                                 └─ inject ─► pod template with the sidecar ─ uninject ─► pod template
//!                                      │
//!          check, templates (patches), merge, overrides, probes, prometheus, order
//! ```
//!
//! What is injected is what Istio's own injector injects, built from typed parts. The user's pod stays a tree, so that
//! fields of any version of Kubernetes are kept as they are written.
//!
//! The crate does no I/O. The only failure is a pod that cannot be injected, as a list of [`Problem`]s with the fields
//! that are wrong.

mod admission;
mod checks;
mod decide;
mod document;
mod explain;
mod go_json;
mod inject;
mod merge;
mod namespace;
mod overrides;
mod owner;
pub mod payload;
mod probes;
mod prometheus;
mod proxy_config;
mod settings;
mod templates;
mod tree;
mod uninject;
mod values;
mod webhooks;

pub use admission::{Answer, AskError, BadReview, Question, Reviewed, Verdict, environment_of, review};
pub use checks::{Problem, Severity};
pub use decide::{Skip, decide};
pub use document::{
    Candidate, Change, Outcome, Processed, Scope, TemplateKind, Workload, candidates, change_document,
    inject_candidate, inject_document, uninject_document,
};
pub use explain::{Addition, explain};
#[doc(hidden)]
pub use inject::{Built, build_all};
pub use inject::{Injected, inject};
#[doc(hidden)]
pub use merge::strategic_merge;
pub use namespace::{Namespace, namespace};
pub use owner::Owner;
pub use proxy_config::ProxyConfig;
pub use settings::{InjectorConfig, MeshSettings, Policy, ProxyConfigResource, Settings};
pub use templates::Template;
pub use uninject::{Uninjected, uninject};
pub use values::{DEFAULT_HUB, DEFAULT_TAG, NativeSidecars, Values};
pub use webhooks::{Hook, Hooks, Match};
