//! That the mesh for tests behaves as a real one where tests of canaries look.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod connections;
mod metrics;
mod routing;
mod shifting;

use serde_json::{Value, json};
use test_mesh::MeshUnderTest;

/// The service `reviews` in `shop` with the versions v1 and v2, a subset for each, and two proxies.
fn reviews() -> MeshUnderTest {
    let mesh = MeshUnderTest::start("reviews", "shop", &["v1", "v2"], 2).unwrap();
    mesh.apply_destination_rule(&subsets(&["v1", "v2"])).unwrap();
    mesh
}

fn subsets(versions: &[&str]) -> Value {
    let subset = |version: &&str| json!({"name": version, "labels": {"version": version}});
    json!({"host": "reviews", "subsets": versions.iter().map(subset).collect::<Vec<_>>()})
}

/// A destination with a weight.
fn to(subset: &str, weight: u32) -> Value {
    json!({"destination": {"host": "reviews", "subset": subset}, "weight": weight})
}

/// The spec of a VirtualService with these routes.
fn routes(http: &Value) -> Value {
    json!({"hosts": ["reviews"], "http": http})
}

/// The spec of a VirtualService that gives v2 this weight of a hundred.
fn split(canary: u32) -> Value {
    routes(&json!([{"route": [to("v1", 100 - canary), to("v2", canary)]}]))
}
