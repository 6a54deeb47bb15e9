//! From a pod with a sidecar to the pod without.
//!
//! What was injected is in the annotations `sidecar.istio.io/status` and `proxy.istio.io/overrides` and in the proxy's
//! environment. Some of what was there before is written nowhere; docs/inject.md lists what cannot be told.

use mesh_core::injection::PROXY_CONTAINER;
use serde_json::{Value, json};

use crate::go_json::canonical_quantity;
use crate::inject::{NETWORK_LABEL, STATUS};
use crate::merge::merge_key;
use crate::overrides::{ANNOTATION as OVERRIDES, AUTO};
use crate::tree::{
    Map, annotation, as_map, containers, label, list, list_mut, map_mut, named, plain, spec_list_mut, text,
};
use crate::{probes, prometheus};

/// A pod, or pod template, without its sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Uninjected {
    /// The pod.
    pub pod: Value,
    /// Whether there was a sidecar to take out.
    pub was_injected: bool,
    /// What could not be restored, a clause each.
    pub lost: Vec<String>,
}

/// What an injection says it did.
#[derive(Debug, Default)]
struct Status {
    init_containers: Vec<String>,
    containers: Vec<String>,
    volumes: Vec<String>,
    image_pull_secrets: Vec<String>,
    revision: Option<String>,
}

impl Status {
    fn read(pod: &Value) -> Option<Self> {
        if let Some(status) = annotation(pod, STATUS) {
            let status: Value = serde_json::from_str(status).ok()?;
            let names = |key: &str| list(&status, key).iter().map(plain).collect();
            return Some(Self {
                init_containers: names("initContainers"),
                containers: names("containers"),
                volumes: names("volumes"),
                image_pull_secrets: names("imagePullSecrets"),
                revision: status.get("revision").and_then(Value::as_str).map(str::to_owned),
            });
        }
        Self::guess(pod)
    }

    /// What was injected into a pod that lost its annotation: by the names that templates use, if there is a proxy
    /// with what only injection gives it.
    fn guess(pod: &Value) -> Option<Self> {
        let is_injected = |key: &str| {
            named(containers(pod, key), PROXY_CONTAINER)
                .is_some_and(|proxy| named(list(proxy, "env"), "PROXY_CONFIG").is_some())
        };
        ["containers", "initContainers"]
            .iter()
            .find(|key| is_injected(key))?;
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(Self {
            init_containers: owned(&["istio-init", "istio-validation", PROXY_CONTAINER]),
            containers: owned(&[PROXY_CONTAINER]),
            volumes: owned(&[
                "workload-socket",
                "credential-socket",
                "workload-certs",
                "gke-workload-certificate",
                "custom-bootstrap-volume",
                "istio-envoy",
                "istio-xds",
                "istio-data",
                "istio-podinfo",
                "istio-token",
                "istiod-ca-cert",
                "istio-ca-crl",
                "istio-certs",
            ]),
            ..Self::default()
        })
    }
}

/// Takes the sidecar out of a pod, or pod template: a JSON object with `metadata` and `spec`. One without a sidecar is
/// returned as it is.
pub fn uninject(pod: &Value) -> Uninjected {
    let mut result = Uninjected {
        pod: pod.clone(),
        was_injected: false,
        lost: Vec::new(),
    };
    let Some(status) = Status::read(pod) else {
        return result;
    };
    result.was_injected = true;
    let proxy = ["containers", "initContainers"]
        .iter()
        .find_map(|key| named(containers(pod, key), PROXY_CONTAINER))
        .cloned()
        .unwrap_or_default();
    let overrides: Value = annotation(pod, OVERRIDES)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();

    restore_containers(&mut result.pod, &status, &overrides);
    let lost = probes::restore(&mut result.pod, &probes::recorded(pod));
    result.lost = lost
        .into_iter()
        .map(|path| format!("the check that `{path}` stands for"))
        .collect();
    restore_metadata(&mut result.pod, pod, &status, &proxy);
    restore_spec(&mut result.pod, &status, &proxy);
    result
}

/// Takes out the injected containers, and puts back the user's that were laid over them.
fn restore_containers(pod: &mut Value, status: &Status, overrides: &Value) {
    let mut moved = Vec::new();
    for (key, injected) in [
        ("containers", &status.containers),
        ("initContainers", &status.init_containers),
    ] {
        let Some(items) = spec_list_mut(pod, key) else {
            continue;
        };
        let mut kept = Vec::with_capacity(items.len());
        for mut container in std::mem::take(items) {
            let name = text(&container, "name").to_owned();
            if let Some(own) = named(list(overrides, key), &name) {
                let restored = restore_override(&container, own);
                // It was among the application's containers, unless it says itself that it goes on running. Where it
                // was among them is not known; last is where most would put it.
                if name == PROXY_CONTAINER && own.get("restartPolicy").is_none() {
                    moved.push(restored);
                } else {
                    kept.push(restored);
                }
            } else if !injected.contains(&name) {
                kept.push(container);
            } else if is_grpc_application(&container) {
                strip_grpc(&mut container);
                kept.push(container);
            }
        }
        *items = kept;
    }
    if !moved.is_empty() {
        list_mut(map_mut(as_map(pod), "spec"), "containers").extend(moved);
    }
    drop_if_empty(pod, "initContainers");
}

/// The user's part of a container that was laid over an injected one. `own` has all that is the user's; how it was
/// written is in `merged`.
fn restore_override(merged: &Value, own: &Value) -> Value {
    let mut restored = project(merged, own, "");
    if let Value::Object(restored) = &mut restored {
        if restored
            .get("resources")
            .and_then(Value::as_object)
            .is_some_and(Map::is_empty)
        {
            restored.shift_remove("resources");
        }
        if !restored.contains_key("image") {
            let place = merged
                .as_object()
                .and_then(|merged| merged.keys().position(|key| key == "image"));
            let place = place.unwrap_or(1).min(restored.len());
            restored.shift_insert(place, "image".to_owned(), AUTO.into());
        }
    }
    restored
}

/// The part of `merged` that `own` has too, in the order and spelling of `merged`; where they differ, `own` counts.
fn project(merged: &Value, own: &Value, field: &str) -> Value {
    match (merged, own) {
        (Value::Object(merged), Value::Object(own)) => {
            let mut result = Map::new();
            for (key, value) in merged {
                if let Some(own) = own.get(key) {
                    result.insert(key.clone(), project(value, own, key));
                } else if value.as_str() == Some("") || value.is_null() {
                    // The user's own, as injection adds nothing that is empty.
                    result.insert(key.clone(), value.clone());
                }
            }
            for (key, own) in own {
                if !result.contains_key(key) {
                    result.insert(key.clone(), own.clone());
                }
            }
            Value::Object(result)
        }
        (Value::Array(merged), Value::Array(own)) => {
            let Some(key) = merge_key(field) else {
                return Value::Array(own.clone());
            };
            own.iter()
                .map(|own| {
                    let same = merged.iter().find(|merged| merged.get(key) == own.get(key));
                    same.map_or_else(|| own.clone(), |same| project(same, own, ""))
                })
                .collect()
        }
        (Value::String(_) | Value::Number(_), Value::String(own_text)) => {
            let is_same_amount = canonical_quantity(&plain(merged)).as_ref() == Some(own_text);
            if is_same_amount {
                merged.clone()
            } else {
                own.clone()
            }
        }
        _ => own.clone(),
    }
}

/// Variables and mounts that the templates for gRPC add to the application's containers.
const GRPC_VARIABLES: [&str; 4] = [
    "GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT",
    "GRPC_XDS_BOOTSTRAP",
    "GRPC_GO_LOG_VERBOSITY_LEVEL",
    "GRPC_GO_LOG_SEVERITY_LEVEL",
];
const GRPC_MOUNTS: [&str; 3] = ["/var/lib/istio/data", "/etc/istio/proxy", "/var/lib/grpc/data/"];

fn is_grpc_application(container: &Value) -> bool {
    text(container, "name") != PROXY_CONTAINER
        && named(list(container, "env"), "GRPC_XDS_BOOTSTRAP").is_some()
}

fn strip_grpc(container: &mut Value) {
    let container = as_map(container);
    for (key, field, added) in [
        ("env", "name", &GRPC_VARIABLES[..]),
        ("volumeMounts", "mountPath", &GRPC_MOUNTS),
    ] {
        let Some(Value::Array(items)) = container.get_mut(key) else {
            continue;
        };
        items.retain(|item| !added.contains(&text(item, field)));
        if items.is_empty() {
            container.shift_remove(key);
        }
    }
}

fn drop_if_empty(pod: &mut Value, key: &str) {
    let Some(Value::Object(spec)) = pod.get_mut("spec") else {
        return;
    };
    if spec.get(key).and_then(Value::as_array).is_some_and(Vec::is_empty) {
        spec.shift_remove(key);
    }
}

/// Takes out injected volumes that no container of the user's mounts, secrets, and what the gateway's template sets.
fn restore_spec(pod: &mut Value, status: &Status, proxy: &Value) {
    let mounted: Vec<String> = ["containers", "initContainers", "ephemeralContainers"]
        .iter()
        .flat_map(|key| containers(pod, key))
        .flat_map(|container| list(container, "volumeMounts"))
        .map(|mount| text(mount, "name").to_owned())
        .collect();
    for (key, injected) in [
        ("volumes", &status.volumes),
        ("imagePullSecrets", &status.image_pull_secrets),
    ] {
        let Some(items) = spec_list_mut(pod, key) else {
            continue;
        };
        items.retain(|item| {
            let name = text(item, "name").to_owned();
            !injected.contains(&name) || (key == "volumes" && mounted.contains(&name))
        });
        drop_if_empty(pod, key);
    }
    let is_gateway = list(proxy, "args").get(1).is_some_and(|role| role == "router");
    let ours = json!([{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]);
    let Some(Value::Object(spec)) = pod.get_mut("spec").filter(|_| is_gateway) else {
        return;
    };
    let Some(Value::Object(security)) = spec.get_mut("securityContext") else {
        return;
    };
    if security.get("sysctls") == Some(&ours) {
        security.shift_remove("sysctls");
        if security.is_empty() {
            spec.shift_remove("securityContext");
        }
    }
}

/// Takes out injected labels and annotations.
fn restore_metadata(pod: &mut Value, injected: &Value, status: &Status, proxy: &Value) {
    let is_sorted = is_sorted(injected);
    let env = list(proxy, "env");
    let of_env = |name: &str| named(env, name).map(|variable| text(variable, "value").to_owned());
    let Some(Value::Object(metadata)) = pod.get_mut("metadata") else {
        return;
    };

    if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
        restore_annotations(
            annotations,
            injected,
            status,
            of_env(prometheus::VARIABLE).as_deref(),
        );
        if annotations.is_empty() {
            metadata.shift_remove("annotations");
        }
    }
    if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
        let first = |names: [&str; 2]| {
            names
                .iter()
                .find_map(|name| label(injected, name).filter(|value| !value.is_empty()))
                .map(str::to_owned)
        };
        let owner = of_env("ISTIO_META_WORKLOAD_NAME");
        let canonical: Option<String> = first(["app.kubernetes.io/name", "app"])
            .or(owner)
            .map(|name| name.chars().take(63).collect());
        let revision = first(["app.kubernetes.io/version", "version"]).unwrap_or_else(|| "latest".to_owned());
        let position = Position::of(labels, is_sorted, |key| LABELS.contains(&key));
        labels.retain(|key, value| {
            let value = value.as_str().unwrap_or_default();
            let is_ours = match key.as_str() {
                "security.istio.io/tlsMode" => value == "istio",
                "networking.istio.io/tunnel" => value == "http",
                "service.istio.io/canonical-name" => canonical
                    .as_deref()
                    .is_some_and(|name| value == name || value == name.trim_end_matches(['-', '_', '.'])),
                "service.istio.io/canonical-revision" => value == revision,
                // A label of this name is as often the user's.
                NETWORK_LABEL => !position.is_sorted,
                _ => false,
            };
            !(is_ours && position.may_be_injected(key))
        });
        if labels.is_empty() {
            metadata.shift_remove("labels");
        }
    }
    if metadata.is_empty() {
        as_map(pod).shift_remove("metadata");
    }
}

const LABELS: [&str; 5] = [
    "security.istio.io/tlsMode",
    "networking.istio.io/tunnel",
    "service.istio.io/canonical-name",
    "service.istio.io/canonical-revision",
    NETWORK_LABEL,
];

/// Annotations that injection adds, apart from those with its state.
const ANNOTATIONS: [&str; 17] = [
    "istio.io/rev",
    "istio.io/reroute-virtual-interfaces",
    "k8s.v1.cni.cncf.io/networks",
    "kubectl.kubernetes.io/default-container",
    "kubectl.kubernetes.io/default-logs-container",
    "prometheus.io/path",
    "prometheus.io/port",
    "prometheus.io/scrape",
    "prometheus.istio.io/secure-port",
    "sidecar.istio.io/interceptionMode",
    "sidecar.istio.io/rewriteAppHTTPProbers",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundPorts",
];

fn restore_annotations(annotations: &mut Map, injected: &Value, status: &Status, recorded: Option<&str>) {
    let is_state = |key: &str| key == STATUS || key == OVERRIDES;
    let position = Position::of(annotations, is_sorted(injected), |key| {
        is_state(key) || ANNOTATIONS.contains(&key)
    });
    if recorded.is_some() || position.may_be_injected("prometheus.io/path") {
        let port = annotation(injected, "prometheus.io/port").unwrap_or_default();
        prometheus::restore(annotations, recorded, port);
    }
    let first = containers(injected, "containers")
        .iter()
        .map(|container| text(container, "name"))
        .find(|name| *name != PROXY_CONTAINER);
    let uses_cni = status
        .init_containers
        .iter()
        .any(|name| name == "istio-validation")
        && named(containers(injected, "initContainers"), "istio-validation").is_some();
    let is_grpc = status.volumes.iter().any(|name| name == "istio-xds");
    if uses_cni {
        restore_excluded_ports(annotations, injected);
        restore_networks(annotations);
    }
    annotations.retain(|key, value| {
        let value = value.as_str().unwrap_or_default();
        let is_ours = match key.as_str() {
            key if is_state(key) => return false,
            "istio.io/rev" => status
                .revision
                .as_deref()
                .is_none_or(|revision| value == revision),
            "kubectl.kubernetes.io/default-container" | "kubectl.kubernetes.io/default-logs-container" => {
                first == Some(value)
            }
            "prometheus.istio.io/secure-port" => true,
            "sidecar.istio.io/rewriteAppHTTPProbers" => is_grpc && value == "false",
            "sidecar.istio.io/interceptionMode" => uses_cni && (value == "REDIRECT" || !position.is_sorted),
            "traffic.sidecar.istio.io/includeInboundPorts"
            | "traffic.sidecar.istio.io/includeOutboundIPRanges" => {
                uses_cni && (value == "*" || !position.is_sorted)
            }
            "traffic.sidecar.istio.io/excludeOutboundIPRanges"
            | "traffic.sidecar.istio.io/includeOutboundPorts"
            | "traffic.sidecar.istio.io/excludeOutboundPorts" => uses_cni && !position.is_sorted,
            _ => false,
        };
        !(is_ours && position.may_be_injected(key))
    });
}

/// Takes the agent's port off the end of the list.
fn restore_excluded_ports(annotations: &mut Map, injected: &Value) {
    let key = "traffic.sidecar.istio.io/excludeInboundPorts";
    let port = annotation(injected, "status.sidecar.istio.io/port")
        .unwrap_or("15020")
        .trim();
    let Some(ports) = annotations.get(key).and_then(Value::as_str) else {
        return;
    };
    if ports == port || ports.is_empty() {
        annotations.shift_remove(key);
    } else if let Some(own) = ports.strip_suffix(port).and_then(|ports| ports.strip_suffix(',')) {
        let own = Value::from(own);
        annotations.insert(key.to_owned(), own);
    }
}

/// Takes Istio's network off the end of the list.
fn restore_networks(annotations: &mut Map) {
    let key = "k8s.v1.cni.cncf.io/networks";
    let Some(networks) = annotations.get(key).and_then(Value::as_str) else {
        return;
    };
    let json = r#"{"name": "istio-cni", "namespace": "default"}"#;
    let own = match networks.strip_suffix("default/istio-cni") {
        Some(own) => own.trim_end_matches([',', ' ']).to_owned(),
        None => networks.replace(&format!(", {json}"), "").replace(json, ""),
    };
    if own.is_empty() {
        annotations.shift_remove(key);
    } else {
        annotations.insert(key.to_owned(), own.into());
    }
}

/// Whether the keys of all metadata are sorted. Injection never leaves them so, but API servers do.
fn is_sorted(pod: &Value) -> bool {
    ["labels", "annotations"].iter().all(|key| {
        let map = pod.get("metadata").and_then(|metadata| metadata.get(key));
        map.and_then(Value::as_object)
            .is_none_or(|map| map.keys().is_sorted())
    })
}

/// Where injected keys stand in a map.
struct Position {
    /// The keys are sorted: the map came through an API server, and their places tell nothing.
    is_sorted: bool,
    /// The keys after all of the user's own.
    last: Vec<String>,
}

impl Position {
    fn of(map: &Map, is_sorted: bool, is_candidate: impl Fn(&str) -> bool) -> Self {
        let keys: Vec<_> = map.keys().cloned().collect();
        let own = keys
            .iter()
            .rposition(|key| !is_candidate(key))
            .map_or(0, |last| last + 1);
        Self {
            is_sorted,
            last: keys[own..].to_vec(),
        }
    }

    fn may_be_injected(&self, key: &str) -> bool {
        self.is_sorted || self.last.iter().any(|last| last == key)
    }
}
