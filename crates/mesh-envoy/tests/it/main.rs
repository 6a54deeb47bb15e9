//! Tests of mesh-envoy as its users see it, most against a real Envoy.

mod admin;
mod agreement;
mod dump;
mod summary;
mod trace;
