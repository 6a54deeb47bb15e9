//! Tests of mesh-core as its users see it.

mod cel;
mod crds;
