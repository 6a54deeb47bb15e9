//! Health checks and lifecycle hooks of applications, sent through the agent.
//!
//! The kubelet has no certificate of the mesh, so the application's own ports may refuse it. The agent takes the
//! checks on its status port, and asks the application from inside the pod. What it asks is in its environment.

use mesh_core::injection::PROXY_CONTAINER;
use serde_json::{Value, json};

use crate::go_json;
use crate::tree::{Map, containers, list, plain, spec_list_mut, text};

/// The variable of the agent that holds the original checks.
pub(crate) const VARIABLE: &str = "ISTIO_KUBE_APP_PROBERS";

/// Probes of a container and the ends of their paths.
pub(crate) const PROBES: [(&str, &str); 3] = [
    ("readinessProbe", "readyz"),
    ("livenessProbe", "livez"),
    ("startupProbe", "startupz"),
];

/// Hooks of a container and the ends of their paths.
pub(crate) const HOOKS: [(&str, &str); 2] = [("preStop", "prestopz"), ("postStart", "poststartz")];

/// The path under which the agent takes the check of a container.
pub(crate) fn probe_path(container: &str, end: &str) -> String {
    format!("/app-health/{container}/{end}")
}

/// The path under which the agent takes the hook of a container.
pub(crate) fn hook_path(container: &str, end: &str) -> String {
    format!("/app-lifecycle/{container}/{end}")
}

/// A check that cannot work after it was rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    /// The list that the container is in.
    pub(crate) list: &'static str,
    /// Name of the container.
    pub(crate) container: String,
    /// The fields that lead from the container to the check.
    pub(crate) path: Vec<&'static str>,
    /// The port that no container port is called.
    pub(crate) port: String,
}

/// Sends the checks of a pod to `port`. Returns the original ones by path, and those that cannot work.
pub(crate) fn rewrite(pod: &mut Value, port: i64, mesh_port: i64) -> (Map, Vec<Broken>) {
    let mut probers = Map::new();
    let mut broken = Vec::new();
    for key in ["initContainers", "containers"] {
        for container in spec_list_mut(pod, key).into_iter().flatten() {
            let name = text(container, "name").to_owned();
            if name == PROXY_CONTAINER {
                continue;
            }
            let ports = list(container, "ports").to_vec();
            let mut note = |path: String, prober: Prober, fields: Vec<&'static str>| match prober {
                Prober::Found(prober) => {
                    probers.insert(path, prober);
                }
                Prober::UnknownPort(port) => broken.push(Broken {
                    list: key,
                    container: name.clone(),
                    path: fields,
                    port,
                }),
                Prober::AlreadyRewritten => {}
            };
            for (field, end) in PROBES {
                let Some(Value::Object(probe)) = container.get_mut(field) else {
                    continue;
                };
                let path = probe_path(&name, end);
                if let Some(prober) = rewrite_handler(probe, &path, port, mesh_port, &ports) {
                    note(path, prober, vec![field]);
                }
            }
            let Some(lifecycle) = container.get_mut("lifecycle") else {
                continue;
            };
            for (field, end) in HOOKS {
                let Some(Value::Object(handler)) = lifecycle.get_mut(field) else {
                    continue;
                };
                let path = hook_path(&name, end);
                if let Some(prober) = rewrite_handler(handler, &path, port, mesh_port, &ports) {
                    note(path, prober, vec!["lifecycle", field]);
                }
            }
        }
    }
    probers.sort_keys();
    (probers, broken)
}

/// What the agent is told about a check.
enum Prober {
    /// What to ask.
    Found(Value),
    /// Nothing, as it comes to the agent already.
    AlreadyRewritten,
    /// Nothing, as no port has this name.
    UnknownPort(String),
}

/// Makes a probe or hook one of the agent. `None` if it is of a sort that stays as it is.
fn rewrite_handler(
    handler: &mut Map,
    path: &str,
    port: i64,
    mesh_port: i64,
    ports: &[Value],
) -> Option<Prober> {
    let timeout = handler
        .get("timeoutSeconds")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let kind = ["httpGet", "tcpSocket", "grpc"]
        .into_iter()
        .find(|kind| handler.get(*kind).is_some_and(Value::is_object))?;
    let original = handler.get(kind)?.clone();
    let http = if kind == "httpGet" {
        let mut http = original.as_object()?.clone();
        http.insert("path".to_owned(), path.into());
        http.insert("port".to_owned(), port.into());
        if http.get("scheme").and_then(Value::as_str) == Some("HTTPS") {
            http.insert("scheme".to_owned(), "HTTP".into());
        }
        Value::Object(http)
    } else {
        json!({"path": path, "port": port})
    };
    // It takes the place of what it replaces.
    *handler = std::mem::take(handler)
        .into_iter()
        .map(|(key, value)| {
            if key == kind {
                ("httpGet".to_owned(), http.clone())
            } else {
                (key, value)
            }
        })
        .collect();
    Some(prober(kind, original, timeout, mesh_port, ports))
}

fn prober(kind: &str, mut original: Value, timeout: i64, mesh_port: i64, ports: &[Value]) -> Prober {
    match original.get("port") {
        Some(Value::String(name)) => {
            let number = ports
                .iter()
                .find(|port| text(port, "name") == name)
                .and_then(|port| port.get("containerPort"));
            let Some(number) = number.cloned() else {
                return Prober::UnknownPort(name.clone());
            };
            if let Value::Object(original) = &mut original {
                original.insert("port".to_owned(), number);
            }
        }
        Some(port) if port.as_i64() == Some(mesh_port) && kind == "httpGet" => {
            return Prober::AlreadyRewritten;
        }
        _ => {}
    }
    let asked = match kind {
        "httpGet" => go_json::http_get(&original),
        "tcpSocket" => go_json::tcp_socket(&original),
        _ => json!({
            "port": original.get("port"),
            "service": original.get("service"),
        }),
    };
    let mut prober = Map::new();
    prober.insert(kind.to_owned(), asked);
    if timeout != 0 {
        prober.insert("timeoutSeconds".to_owned(), timeout.into());
    }
    Prober::Found(Value::Object(prober))
}

/// The checks of a pod as they were, by what the agent was told about them. Names of ports have become their numbers.
///
/// Returns the paths of checks that nothing is known about.
pub(crate) fn restore(pod: &mut Value, probers: &Map) -> Vec<String> {
    let mut lost = Vec::new();
    for key in ["initContainers", "containers"] {
        for container in spec_list_mut(pod, key).into_iter().flatten() {
            let name = text(container, "name").to_owned();
            let mut visit = |handler: Option<&mut Value>, path: String| {
                let Some(Value::Object(handler)) = handler else {
                    return;
                };
                let is_ours = handler
                    .get("httpGet")
                    .is_some_and(|http| text(http, "path") == path);
                if !is_ours {
                    return;
                }
                match probers.get(&path) {
                    Some(prober) => restore_handler(handler, prober),
                    None => lost.push(path),
                }
            };
            for (field, end) in PROBES {
                visit(container.get_mut(field), probe_path(&name, end));
            }
            for (field, end) in HOOKS {
                let lifecycle = container.get_mut("lifecycle");
                visit(
                    lifecycle.and_then(|lifecycle| lifecycle.get_mut(field)),
                    hook_path(&name, end),
                );
            }
        }
    }
    lost
}

fn restore_handler(handler: &mut Map, prober: &Value) {
    let Some((kind, original)) = ["httpGet", "tcpSocket", "grpc"]
        .into_iter()
        .find_map(|kind| Some((kind, prober.get(kind)?.as_object()?)))
    else {
        return;
    };
    let mut restored = match handler.get("httpGet") {
        // Keeps the order of the fields.
        Some(Value::Object(http)) if kind == "httpGet" => {
            let mut http = http.clone();
            http.retain(|key, _| original.contains_key(key));
            http
        }
        _ => Map::new(),
    };
    for (key, value) in original {
        if !value.is_null() {
            restored.insert(key.clone(), value.clone());
        }
    }
    *handler = std::mem::take(handler)
        .into_iter()
        .map(|(key, value)| {
            if key == "httpGet" {
                (kind.to_owned(), Value::Object(restored.clone()))
            } else {
                (key, value)
            }
        })
        .collect();
}

/// Whether the checks of a pod go through the agent.
pub(crate) fn is_wanted(annotation: Option<&str>, default: bool) -> bool {
    annotation.and_then(crate::checks::boolean).unwrap_or(default)
}

/// The probers of a pod that was injected.
pub(crate) fn recorded(pod: &Value) -> Map {
    let proxies = ["containers", "initContainers"];
    proxies
        .iter()
        .filter_map(|key| crate::tree::named(containers(pod, key), PROXY_CONTAINER))
        .filter_map(|proxy| crate::tree::named(list(proxy, "env"), VARIABLE))
        .find_map(|variable| serde_json::from_str(&plain(variable.get("value")?)).ok())
        .unwrap_or_default()
}
