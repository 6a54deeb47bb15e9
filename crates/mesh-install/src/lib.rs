//! What a control plane is made of, and whether a cluster can take it.

pub mod diagnose;
#[cfg(feature = "cluster")]
pub mod engine;
pub mod inventory;
pub mod manifest;
pub mod object;
pub mod operator;
pub mod plan;
pub mod precheck;
pub mod quantity;
pub mod schedule;
pub mod spec;
pub mod state;
pub mod tag;
pub mod version;
