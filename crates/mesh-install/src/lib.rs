//! What a control plane is made of, and whether a cluster can take it.

pub mod inventory;
pub mod precheck;
pub mod profile;
pub mod quantity;
pub mod schedule;
pub mod version;
