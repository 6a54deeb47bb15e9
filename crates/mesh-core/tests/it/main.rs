//! Tests of mesh-core as its users see it.

mod cel;
mod crds;
mod mesh;
mod registry;
mod schema;
mod sources;

use std::sync::Arc;

use mesh_core::source::{LoadOptions, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings, Source};

/// A mesh of one YAML text.
fn mesh_of(text: &str) -> Mesh {
    let text: Arc<str> = text.into();
    let mut builder = MeshBuilder::new(Settings::default());
    let loaded = load_text(
        builder.next_source(),
        "input.yaml",
        &text,
        &LoadOptions::default(),
    );
    builder.add(Source::new("input.yaml", text), loaded);
    builder.build()
}
