//! Tests of mesh-envoy as its users see it, most against a real Envoy.

mod admin;
mod dump;
mod summary;
