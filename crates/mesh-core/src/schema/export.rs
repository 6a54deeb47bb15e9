//! Schemas for other programs: CustomResourceDefinitions, and JSON Schemas for editors.

use serde_json::{Map, Value, json};

use super::cel::{CelRule, DURATION};
use super::{Constraints, Field, FieldType, MessageSchema, Type};
use crate::istio::status::IstioStatus;
use crate::kind::Kind;

/// What the CustomResourceDefinition of a kind has beyond its schema.
struct Definition {
    kind: Kind,
    short_name: Option<&'static str>,
    storage_version: &'static str,
    /// The columns of `kubectl get`.
    columns: &'static [Column],
    /// Whether an object without `spec` is refused.
    spec_required: bool,
}

struct Column {
    name: &'static str,
    path: &'static str,
}

macro_rules! definitions {
    ($($kind:ident, $short:expr, $storage:literal, [$(($name:literal, $path:literal)),*], $required:literal);+ $(;)?) => {
        &[$(Definition {
            kind: Kind::$kind,
            short_name: $short,
            storage_version: $storage,
            columns: &[$(Column { name: $name, path: $path }),*],
            spec_required: $required,
        }),+]
    };
}

/// Istio's own kinds, in the order of the definitions that it ships.
const DEFINITIONS: &[Definition] = definitions! {
    TrafficExtension, None, "v1alpha1", [("Age", ".metadata.creationTimestamp")], true;
    WasmPlugin, None, "v1alpha1", [("Age", ".metadata.creationTimestamp")], true;
    DestinationRule, Some("dr"), "v1", [("Host", ".spec.host"), ("Age", ".metadata.creationTimestamp")], false;
    EnvoyFilter, None, "v1alpha3", [], false;
    Gateway, Some("gw"), "v1", [], false;
    ProxyConfig, None, "v1beta1", [], false;
    ServiceEntry, Some("se"), "v1", [("Hosts", ".spec.hosts"), ("Location", ".spec.location"), ("Resolution", ".spec.resolution"), ("Age", ".metadata.creationTimestamp")], true;
    Sidecar, None, "v1", [], false;
    VirtualService, Some("vs"), "v1", [("Gateways", ".spec.gateways"), ("Hosts", ".spec.hosts"), ("Age", ".metadata.creationTimestamp")], false;
    WorkloadEntry, Some("we"), "v1", [("Age", ".metadata.creationTimestamp"), ("Address", ".spec.address")], true;
    WorkloadGroup, Some("wg"), "v1", [("Age", ".metadata.creationTimestamp")], true;
    AuthorizationPolicy, Some("ap"), "v1", [("Action", ".spec.action"), ("Age", ".metadata.creationTimestamp")], false;
    PeerAuthentication, Some("pa"), "v1", [("Mode", ".spec.mtls.mode"), ("Age", ".metadata.creationTimestamp")], false;
    RequestAuthentication, Some("ra"), "v1", [], false;
    Telemetry, Some("telemetry"), "v1alpha1", [("Age", ".metadata.creationTimestamp")], false;
};

/// The short name of one of Istio's kinds for kubectl, if it has one.
pub fn short_name(kind: Kind) -> Option<&'static str> {
    let definition = DEFINITIONS.iter().find(|definition| definition.kind == kind);
    definition.and_then(|definition| definition.short_name)
}

/// The CustomResourceDefinition of every one of Istio's kinds (`apiextensions.k8s.io/v1`), with descriptions.
pub fn crds() -> Vec<Value> {
    DEFINITIONS.iter().map(crd).collect()
}

fn crd(definition: &Definition) -> Value {
    let info = definition.kind.info();
    let group_words = info.group.replace(".istio.io", "-istio-io");
    let mut names = json!({
        "categories": ["istio-io", group_words],
        "kind": info.name,
        "listKind": format!("{}List", info.name),
        "plural": info.plural,
        "singular": info.name.to_lowercase(),
    });
    if let Some(short) = definition.short_name {
        names["shortNames"] = json!([short]);
    }
    let spec = info
        .schema
        .map(|schema| message(schema(), &Constraints::NONE, Dialect::Kubernetes))
        .unwrap_or_default();
    let mut sorted: Vec<_> = info.versions.to_vec();
    sorted.sort_unstable();
    let versions = sorted
        .iter()
        .map(|version| crd_version(definition, version, &spec))
        .collect();
    let mut result = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{}.{}", info.plural, info.group) },
        "spec": { "group": info.group, "names": names, "scope": "Namespaced" },
    });
    result["spec"]["versions"] = versions;
    result
}

fn crd_version(definition: &Definition, version: &str, spec: &Value) -> Value {
    let mut status = value(&IstioStatus::TYPE, &Constraints::NONE, Dialect::Kubernetes);
    status["x-kubernetes-preserve-unknown-fields"] = json!(true);
    let properties = Value::from_iter([("spec", spec.clone()), ("status", status)]);
    let mut root = Value::from_iter([("type", Value::from("object")), ("properties", properties)]);
    if definition.spec_required {
        root["required"] = json!(["spec"]);
    }
    let mut result = json!({
        "name": version,
        "served": true,
        "storage": version == definition.storage_version,
        "schema": {},
        "subresources": { "status": {} },
    });
    result["schema"]["openAPIV3Schema"] = root;
    if !definition.columns.is_empty() {
        let columns = definition.columns.iter().map(|column| {
            let kind = if column.name == "Age" { "date" } else { "string" };
            json!({ "name": column.name, "type": kind, "jsonPath": column.path })
        });
        result["additionalPrinterColumns"] = columns.collect();
    }
    result
}

/// A JSON Schema (draft 2020-12) of one of Istio's kinds, for editors and CI. `None` for other kinds.
///
/// Unlike the CustomResourceDefinition it refuses unknown fields. CEL rules are kept as `x-kubernetes-validations`,
/// which JSON Schema validators ignore.
pub fn json_schema(kind: Kind) -> Option<Value> {
    let info = kind.info();
    let spec = info.schema?();
    let versions: Vec<_> = info
        .versions
        .iter()
        .map(|version| format!("{}/{version}", info.group))
        .collect();
    Some(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": info.name,
        "description": spec.docs,
        "type": "object",
        "required": ["apiVersion", "kind", "metadata"],
        "additionalProperties": false,
        "properties": {
            "apiVersion": { "enum": versions },
            "kind": { "const": info.name },
            "metadata": { "type": "object" },
            "spec": message(spec, &Constraints::NONE, Dialect::JsonSchema),
            "status": { "type": "object" },
        },
    }))
}

/// A JSON Schema (draft 2020-12) of a message that is not a resource, such as MeshConfig.
pub fn json_schema_of(schema: &'static MessageSchema) -> Value {
    let mut result = message(schema, &Constraints::NONE, Dialect::JsonSchema);
    result["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    result["title"] = json!(schema.name);
    result
}

/// The structural OpenAPI v3 schema of a message, for a CustomResourceDefinition.
pub fn structural_schema_of(schema: &'static MessageSchema) -> Value {
    message(schema, &Constraints::NONE, Dialect::Kubernetes)
}

/// Whose schema language is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// The structural OpenAPI v3 schemas of CustomResourceDefinitions.
    Kubernetes,
    /// JSON Schema draft 2020-12.
    JsonSchema,
}

fn message(schema: &'static MessageSchema, constraints: &Constraints, dialect: Dialect) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in schema.fields {
        let property = property(field, dialect);
        if let Some(also) = field.also {
            properties.insert(also.to_owned(), property.clone());
        }
        properties.insert(field.name.to_owned(), property);
        if field.required {
            required.push(field.name);
        }
    }
    // `json!` would copy all that is below, once for each level.
    let mut result = Value::from_iter([
        ("type", Value::from("object")),
        ("properties", Value::Object(properties)),
        ("description", schema.docs.into()),
    ]);
    if dialect == Dialect::JsonSchema {
        result["additionalProperties"] = json!(false);
    }
    if !required.is_empty() {
        result["required"] = json!(required);
    }
    match schema.one_of {
        [] => {}
        [group] => result["oneOf"] = one_of(group),
        groups => {
            let groups = groups.iter().map(|group| json!({ "oneOf": one_of(group) }));
            result["allOf"] = groups.collect();
        }
    }
    let rules = schema.cel.iter().filter(|rule| {
        !constraints
            .except
            .iter()
            .any(|except| std::ptr::eq(*except, **rule))
    });
    validations(&mut result, rules.copied());
    result
}

/// At most one of the fields: none, or exactly one.
fn one_of(group: &[&str]) -> Value {
    let each: Vec<_> = group.iter().map(|name| json!({ "required": [name] })).collect();
    let none = json!({ "not": { "anyOf": each } });
    std::iter::once(none).chain(each).collect()
}

fn validations<'a>(schema: &mut Value, rules: impl Iterator<Item = &'a CelRule>) {
    let rules: Vec<_> = rules
        .map(|rule| json!({ "rule": rule.rule, "message": rule.message }))
        .collect();
    if !rules.is_empty() {
        schema["x-kubernetes-validations"] = json!(rules);
    }
}

fn property(field: &Field, dialect: Dialect) -> Value {
    let mut result = value(&field.ty, &field.constraints, dialect);
    result["description"] = json!(field.docs);
    if field.deprecated.is_some() && dialect == Dialect::JsonSchema {
        result["deprecated"] = json!(true);
    }
    result
}

fn value(ty: &Type, constraints: &Constraints, dialect: Dialect) -> Value {
    let mut result = match ty {
        Type::String | Type::Duration => json!({ "type": "string" }),
        Type::Bytes => json!({ "type": "string", "format": "byte" }),
        Type::Timestamp => json!({ "type": "string", "format": "date-time" }),
        Type::Boolean => json!({ "type": "boolean" }),
        Type::Int32 => json!({ "type": "integer", "format": "int32" }),
        Type::Int64 => json!({ "type": "integer", "format": "int64" }),
        Type::Uint32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Type::Uint64 => json!({ "type": "integer", "minimum": 0 }),
        Type::Float => json!({ "type": "number", "format": "float" }),
        Type::Double => json!({ "type": "number", "format": "double" }),
        Type::IntOrString => json!({
            "anyOf": [{ "type": "integer" }, { "type": "string" }],
            "x-kubernetes-int-or-string": true,
        }),
        Type::Any | Type::Kubernetes(_) => {
            json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
        }
        // A structural schema has one type at most.
        Type::Value | Type::PlainText if dialect == Dialect::Kubernetes => {
            json!({ "x-kubernetes-preserve-unknown-fields": true })
        }
        Type::Value => json!({}),
        Type::PlainText => json!({ "type": ["string", "number", "boolean"] }),
        Type::Enum(schema) => {
            let names: Vec<_> = schema.values.iter().map(|value| value.name).collect();
            json!({ "type": "string", "enum": names })
        }
        Type::Message(schema) => message(schema(), constraints, dialect),
        Type::List(item) => {
            let items = value(item, constraints.of_elements(), dialect);
            Value::from_iter([("type", Value::from("array")), ("items", items)])
        }
        Type::Map(item) => {
            let values = value(item, constraints.of_elements(), dialect);
            Value::from_iter([("type", Value::from("object")), ("additionalProperties", values)])
        }
    };
    limits(&mut result, constraints);
    if constraints.nullable {
        match dialect {
            Dialect::Kubernetes => result["nullable"] = json!(true),
            Dialect::JsonSchema => result["type"] = json!([result["type"], "null"]),
        }
    }
    let duration = matches!(ty, Type::Duration).then_some(&DURATION);
    if !matches!(ty, Type::Message(_)) {
        validations(&mut result, constraints.cel.iter().copied().chain(duration));
    }
    result
}

fn limits(schema: &mut Value, constraints: &Constraints) {
    let counts = [
        ("minLength", constraints.min_length),
        ("maxLength", constraints.max_length),
        ("minItems", constraints.min_items),
        ("maxItems", constraints.max_items),
        ("minProperties", constraints.min_properties),
        ("maxProperties", constraints.max_properties),
    ];
    for (name, count) in counts {
        if let Some(count) = count {
            schema[name] = json!(count);
        }
    }
    for (name, bound) in [("minimum", constraints.minimum), ("maximum", constraints.maximum)] {
        if let Some(bound) = bound {
            schema[name] = json!(bound);
        }
    }
    if let Some(pattern) = constraints.pattern {
        schema["pattern"] = json!(pattern);
    }
    if !constraints.list_map_keys.is_empty() {
        schema["x-kubernetes-list-type"] = json!("map");
        schema["x-kubernetes-list-map-keys"] = json!(constraints.list_map_keys);
    }
}
