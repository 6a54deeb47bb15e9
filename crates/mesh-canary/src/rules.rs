//! Subsets of DestinationRules, and VirtualServices where there are none.

use json_patch::jsonptr::PointerBuf;
use json_patch::{AddOperation, PatchOperation, RemoveOperation, TestOperation};
use serde_json::{Value, json};

use mesh_core::{Labels, ResourceId, Service};

use crate::route::Version;

/// Who made an object.
const MANAGED_BY: &str = "app.kubernetes.io/managed-by";

/// A subset by the labels of its pods.
pub fn subset(name: &str, labels: &Labels) -> Value {
    json!({"name": name, "labels": labels})
}

/// The longest name of a subset (RFC 1123, section 2.1).
const LONGEST_NAME: usize = 63;

/// What the subset for a version is called: Istio wants a DNS label, and a value of a label may have dots,
/// underscores and capitals.
pub fn subset_name(version: &str) -> String {
    let safe = |c: char| match c {
        c if c.is_ascii_alphanumeric() => c.to_ascii_lowercase(),
        _ => '-',
    };
    let name: String = version.chars().take(LONGEST_NAME).map(safe).collect();
    name.trim_matches('-').to_owned()
}

/// What a new DestinationRule takes over from the one that it puts out of effect: proxies use the most specific rule of
/// the nearest namespace alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Inherited {
    /// The rule that has been in effect.
    pub from: ResourceId,
    /// Its `spec`, as it is to be in the new one.
    pub spec: Value,
}

/// A DestinationRule for a service with these subsets, and with all that was in effect before.
pub fn new_rule(service: &Service, subsets: &[Value], inherited: Option<&Inherited>) -> Value {
    let mut spec = json!({"host": service.host().as_str()});
    if let Some(fields) = spec.as_object_mut() {
        let known = inherited.and_then(|inherited| inherited.spec.as_object());
        for (field, value) in known.into_iter().flatten() {
            fields.entry(field.as_str()).or_insert_with(|| value.clone());
        }
        let all = fields.entry("subsets").or_insert_with(|| json!([]));
        if let Some(all) = all.as_array_mut() {
            all.extend_from_slice(subsets);
        }
    }
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": metadata(service),
        "spec": spec,
    })
}

fn metadata(service: &Service) -> Value {
    json!({
        "name": service.header().name(),
        "namespace": service.namespace(),
        "labels": {MANAGED_BY: "meshctl"},
    })
}

/// A VirtualService that sends all traffic of a service where it went without one, or to the service that is its stable
/// version. It names no subset, so that it can be there before them and after.
pub fn new_virtual_service(service: &Service, stable: &Version) -> Value {
    let host = service.host().as_str();
    let target = match stable {
        Version::Subset(_) => json!({"host": host}),
        Version::Service(stable) => json!({"host": stable}),
    };
    let destination = |port: Option<u32>| {
        let mut target = target.clone();
        if let (Some(port), Some(fields)) = (port, target.as_object_mut()) {
            fields.insert("port".to_owned(), json!({"number": port}));
        }
        json!([{"destination": target, "weight": 100}])
    };
    let (mut http, mut tcp) = (Vec::new(), Vec::new());
    let is_only = service.ports().len() <= 1;
    for port in service.ports() {
        let mut route = serde_json::Map::new();
        if !is_only {
            route.insert("match".to_owned(), json!([{"port": port.number}]));
        }
        route.insert("route".to_owned(), destination((!is_only).then_some(port.number)));
        match port.protocol {
            // What is not declared is taken for HTTP where it is.
            None => http.push(Value::Object(route)),
            Some(protocol) if protocol.is_http() => http.push(Value::Object(route)),
            Some(protocol) if protocol.is_tcp() => tcp.push(Value::Object(route)),
            Some(_) => {}
        }
    }
    let mut spec = serde_json::Map::new();
    spec.insert("hosts".to_owned(), json!([host]));
    for (field, routes) in [("http", http), ("tcp", tcp)] {
        if !routes.is_empty() {
            spec.insert(field.to_owned(), Value::Array(routes));
        }
    }
    json!({
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": metadata(service),
        "spec": spec,
    })
}

/// Adds subsets to a DestinationRule.
pub fn add_subsets(rule: &Value, subsets: &[Value]) -> Vec<PatchOperation> {
    let mut operations = vec![test(&["spec", "host"], rule.pointer("/spec/host"))];
    if let Some(known) = rule.pointer("/spec/subsets") {
        operations.push(test(&["spec", "subsets"], Some(known)));
        for subset in subsets {
            operations.push(PatchOperation::Add(AddOperation {
                path: PointerBuf::from_tokens(["spec", "subsets", "-"]),
                value: subset.clone(),
            }));
        }
    } else {
        let version = rule.pointer("/metadata/resourceVersion");
        if version.is_some() {
            operations.push(test(&["metadata", "resourceVersion"], version));
        }
        operations.push(PatchOperation::Add(AddOperation {
            path: PointerBuf::from_tokens(["spec", "subsets"]),
            value: Value::Array(subsets.to_vec()),
        }));
    }
    operations
}

/// Takes subsets away from a DestinationRule that a rollout added. Those that others have changed since stay.
pub fn remove_subsets(rule: &Value, subsets: &[&Value]) -> Vec<PatchOperation> {
    let known = rule.pointer("/spec/subsets").and_then(Value::as_array);
    let known = known.map_or(&[][..], Vec::as_slice);
    let ours: Vec<usize> = (0..known.len())
        .filter(|index| subsets.contains(&&known[*index]))
        .collect();
    if ours.is_empty() {
        return Vec::new();
    }
    let mut operations = vec![test(&["spec", "subsets"], rule.pointer("/spec/subsets"))];
    if ours.len() == known.len() {
        operations.push(remove(&["spec", "subsets"]));
        return operations;
    }
    for index in ours.iter().rev() {
        operations.push(remove(&["spec", "subsets", &index.to_string()]));
    }
    operations
}

fn test(path: &[&str], value: Option<&Value>) -> PatchOperation {
    PatchOperation::Test(TestOperation {
        path: PointerBuf::from_tokens(path.iter().copied()),
        value: value.cloned().unwrap_or_default(),
    })
}

fn remove(path: &[&str]) -> PatchOperation {
    PatchOperation::Remove(RemoveOperation {
        path: PointerBuf::from_tokens(path.iter().copied()),
    })
}
