//! The object that holds a specification, for API servers and editors.

use mesh_core::schema::{Message, export};
use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::{GROUP, KIND, VERSION};

/// The plural of the kind.
const PLURAL: &str = "meshcontrolplanes";

/// The CustomResourceDefinition of the object that holds a specification (`apiextensions.k8s.io/v1`).
pub fn definition() -> Value {
    let status = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let columns = [
        ("Profile", ".spec.profile", "string"),
        ("Revision", ".spec.revision", "string"),
        ("Age", ".metadata.creationTimestamp", "date"),
    ];
    let columns = columns.map(|(name, path, kind)| json!({"name": name, "jsonPath": path, "type": kind}));
    let mut spec = export::structural_schema_of(ControlPlane::schema());
    without_rules(&mut spec);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{PLURAL}.{GROUP}")},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["istio-io"],
                "kind": KIND,
                "listKind": format!("{KIND}List"),
                "plural": PLURAL,
                "shortNames": ["mcp"],
                "singular": KIND.to_lowercase(),
            },
            "scope": "Namespaced",
            "versions": [{
                "name": VERSION,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {
                        "spec": spec,
                        "status": status,
                    },
                }},
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
            }],
        },
    })
}

/// Takes CEL rules out of a schema. API servers bound what those of one definition may cost together, and the mesh config
/// alone has more; they are held when the specification is resolved.
fn without_rules(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.shift_remove("x-kubernetes-validations");
            fields.values_mut().for_each(without_rules);
        }
        Value::Array(items) => items.iter_mut().for_each(without_rules),
        _ => {}
    }
}

/// A JSON Schema (draft 2020-12) of the object that holds a specification, which refuses unknown fields.
pub fn json_schema() -> Value {
    let mut spec = export::json_schema_of(ControlPlane::schema());
    if let Value::Object(spec) = &mut spec {
        spec.shift_remove("$schema");
        spec.shift_remove("title");
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": KIND,
        "description": ControlPlane::schema().docs,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": {"const": format!("{GROUP}/{VERSION}")},
            "kind": {"const": KIND},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": {"type": "object"},
        },
    })
}
