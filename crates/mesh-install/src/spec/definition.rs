//! The object that holds a specification, for API servers and editors.

use mesh_core::schema::{Message, export};
use serde_json::{Value, json};

use super::control_plane::ControlPlane;
use super::{GROUP, KIND, PLURAL, VERSION};

/// The name of [`definition`].
pub fn definition_name() -> String {
    format!("{PLURAL}.{GROUP}")
}

/// The CustomResourceDefinition of the object that holds a specification (`apiextensions.k8s.io/v1`).
pub fn definition() -> Value {
    let columns = [
        (
            "Ready",
            ".status.conditions[?(@.type==\"Ready\")].status",
            "string",
        ),
        (
            "Reason",
            ".status.conditions[?(@.type==\"Ready\")].reason",
            "string",
        ),
        ("Profile", ".spec.profile", "string"),
        ("Revision", ".status.revision", "string"),
        ("Version", ".status.version", "string"),
        ("Age", ".metadata.creationTimestamp", "date"),
    ];
    let columns = columns.map(|(name, path, kind)| json!({"name": name, "jsonPath": path, "type": kind}));
    let mut spec = export::structural_schema_of(ControlPlane::schema());
    without_rules(&mut spec);
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": definition_name()},
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
                        "status": status(),
                    },
                }},
                "subresources": {"status": {}},
                "additionalPrinterColumns": columns,
            }],
        },
    })
}

/// The schema of what the operator says about a control plane. Conditions are `metav1.Condition`s.
fn status() -> Value {
    let condition = json!({
        "type": "object",
        "required": ["type", "status", "lastTransitionTime", "reason", "message"],
        "properties": {
            "type": {"type": "string", "maxLength": 316},
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "observedGeneration": {"type": "integer", "format": "int64", "minimum": 0},
            "lastTransitionTime": {"type": "string", "format": "date-time"},
            "reason": {"type": "string", "minLength": 1, "maxLength": 1024},
            "message": {"type": "string", "maxLength": 32768},
        },
    });
    json!({
        "type": "object",
        "description": "How the control plane is.",
        "properties": {
            "observedGeneration": {
                "type": "integer",
                "format": "int64",
                "description": "The generation of the specification that the conditions are about.",
            },
            "revision": {"type": "string", "description": "The revision that is installed, or is being installed. It cannot change any more."},
            "version": {"type": "string", "description": "The version that is installed."},
            "conditions": {
                "type": "array",
                "items": condition,
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
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
