//! What an Envoy holds: reads config dumps, and evaluates requests against them.
//!
//! ```text
//! config_dump, clusters ─ dump ─► elements ─ collect::<T> ─┬─ summary: rows of tables
//!                          │                               └─ diff: what changed
//!                          └─ trace::Config ─ trace(&Request) ─► steps, and where the request goes
//! ```
//!
//! Nothing here does I/O but reading the given reader, and nothing is async. Any Envoy's dump is understood; where
//! Istio's names or metadata are in it, they are explained.

mod config;
pub mod diff;
pub mod dump;
pub mod istio;
mod proto;
mod scan;
pub mod summary;
pub mod trace;

pub use proto::Duration;
pub use scan::{Found, MAX_DEPTH, ScanError};
