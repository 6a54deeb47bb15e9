//! What users say of a component under `k8s`, applied to its objects.

use serde_json::{Map, Value, json};

use super::ComponentName;
use crate::spec::control_plane::{KubernetesSettings, Overlay};
use crate::spec::path::{self, PathError};

/// An overlay that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OverlayError {
    /// The component that it is of.
    pub component: ComponentName,
    /// The object that it names, as `Kind/name`.
    pub object: String,
    /// The path that it names; empty if there is no such object.
    pub path: String,
    /// Why it changes nothing.
    pub message: String,
}

/// Applies the settings of a component to its objects.
pub(super) fn apply(
    component: ComponentName,
    mut objects: Vec<Value>,
    settings: &KubernetesSettings,
    errors: &mut Vec<OverlayError>,
) -> Vec<Value> {
    let is_scaled = objects
        .iter()
        .any(|object| object["kind"] == "HorizontalPodAutoscaler");
    budget(&mut objects, settings);
    for object in &mut objects {
        match object["kind"].as_str().unwrap_or_default() {
            "Deployment" | "DaemonSet" => {
                if let (Some(count), false) = (settings.replica_count, is_scaled) {
                    object["spec"]["replicas"] = count.into();
                }
                if let Some(strategy) = &settings.strategy {
                    let key = if object["kind"] == "DaemonSet" {
                        "updateStrategy"
                    } else {
                        "strategy"
                    };
                    if strategy.0["type"] == "Recreate" {
                        object["spec"][key] = strategy.0.clone();
                    } else {
                        lay(&mut object["spec"][key], &strategy.0);
                    }
                }
                pods(&mut object["spec"]["template"], settings);
            }
            "HorizontalPodAutoscaler" => {
                if let Some(spec) = &settings.hpa_spec {
                    lay(&mut object["spec"], &spec.0);
                }
            }
            "Service" => {
                if let Some(spec) = &settings.service {
                    lay(&mut object["spec"], &spec.0);
                }
                if !settings.service_annotations.is_empty() {
                    lay(
                        &mut object["metadata"]["annotations"],
                        &json!(settings.service_annotations),
                    );
                }
            }
            _ => {}
        }
    }
    for overlay in &settings.overlays {
        overlaid(component, &mut objects, overlay, errors);
    }
    objects
}

/// Merges settings of the PodDisruptionBudget, and makes one if there is none.
fn budget(objects: &mut Vec<Value>, settings: &KubernetesSettings) {
    let Some(wanted) = &settings.pod_disruption_budget else {
        return;
    };
    let own = objects
        .iter()
        .position(|object| object["kind"] == "PodDisruptionBudget");
    let index = own.or_else(|| {
        let deployment = objects.iter().find(|object| object["kind"] == "Deployment")?;
        objects.push(json!({
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": deployment["metadata"],
            "spec": {"selector": deployment["spec"]["selector"]},
        }));
        Some(objects.len() - 1)
    });
    let Some(index) = index else { return };
    let spec = &mut objects[index]["spec"];
    if let (Some(_), Value::Object(spec)) = (wanted.0.get("maxUnavailable"), &mut *spec) {
        // A budget has one of the two.
        spec.shift_remove("minAvailable");
    }
    lay(spec, &wanted.0);
}

fn pods(template: &mut Value, settings: &KubernetesSettings) {
    if !settings.pod_annotations.is_empty() {
        lay(
            &mut template["metadata"]["annotations"],
            &json!(settings.pod_annotations),
        );
    }
    let spec = &mut template["spec"];
    if let Some(affinity) = &settings.affinity {
        lay(&mut spec["affinity"], &affinity.0);
    }
    if !settings.node_selector.is_empty() {
        lay(&mut spec["nodeSelector"], &json!(settings.node_selector));
    }
    if !settings.priority_class_name.is_empty() {
        spec["priorityClassName"] = settings.priority_class_name.as_str().into();
    }
    if let Some(context) = &settings.security_context {
        lay(&mut spec["securityContext"], &context.0);
    }
    let all = |list: Vec<&Value>| Value::Array(list.into_iter().cloned().collect());
    if !settings.tolerations.is_empty() {
        spec["tolerations"] = all(settings.tolerations.iter().map(|item| &item.0).collect());
    }
    if !settings.volumes.is_empty() {
        let volumes = all(settings.volumes.iter().map(|item| &item.0).collect());
        lay(spec, &json!({"volumes": volumes}));
    }
    let container = &mut spec["containers"][0];
    if !settings.env.is_empty() {
        let env = all(settings.env.iter().map(|item| &item.0).collect());
        lay(container, &json!({"env": env}));
    }
    if !settings.volume_mounts.is_empty() {
        let mounts = all(settings.volume_mounts.iter().map(|item| &item.0).collect());
        lay(container, &json!({"volumeMounts": mounts}));
    }
    if !settings.image_pull_policy.is_empty() {
        container["imagePullPolicy"] = settings.image_pull_policy.as_str().into();
    }
    if let Some(resources) = &settings.resources {
        lay(&mut container["resources"], &resources.0);
    }
    if let Some(probe) = &settings.readiness_probe {
        const HANDLERS: [&str; 4] = ["exec", "grpc", "httpGet", "tcpSocket"];
        let own = &mut container["readinessProbe"];
        if let (Some(handler), Value::Object(own)) = (
            HANDLERS.iter().find(|handler| probe.0.get(**handler).is_some()),
            &mut *own,
        ) {
            // A probe has one way to ask.
            own.retain(|key, _| key == handler || !HANDLERS.contains(&key.as_str()));
        }
        lay(own, &probe.0);
    }
}

/// The field that identifies the items of a list in a strategic merge patch; `None` for lists that are replaced.
fn merge_key(list: &str) -> Option<&'static str> {
    match list {
        "env" | "volumes" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        "ports" => Some("port"),
        _ => None,
    }
}

/// Merges a patch into a tree, as a strategic merge patch. Items that are new come last.
fn lay(tree: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        tree.clone_from(patch);
        return;
    };
    if !tree.is_object() {
        *tree = Value::Object(Map::new());
    }
    let Value::Object(own) = tree else { return };
    for (key, patch) in patch {
        match (own.get_mut(key), patch, merge_key(key)) {
            (_, Value::Null, _) => {
                own.shift_remove(key);
            }
            (Some(Value::Array(list)), Value::Array(items), Some(identity)) => {
                for item in items {
                    let same = |other: &&mut Value| other.get(identity) == item.get(identity);
                    match list.iter_mut().find(same) {
                        Some(other) if key == "ports" => lay(other, item),
                        // A variable or volume has one source.
                        Some(other) => other.clone_from(item),
                        None => list.push(item.clone()),
                    }
                }
            }
            (Some(own @ Value::Object(_)), Value::Object(_), _) => lay(own, patch),
            _ => {
                own.insert(key.clone(), patch.clone());
            }
        }
    }
}

fn overlaid(
    component: ComponentName,
    objects: &mut [Value],
    overlay: &Overlay,
    errors: &mut Vec<OverlayError>,
) {
    let name = format!("{}/{}", overlay.kind, overlay.name);
    let error = |path: &str, message: String| OverlayError {
        component,
        object: name.clone(),
        path: path.to_owned(),
        message,
    };
    let is_it = |object: &&mut Value| {
        object["kind"] == overlay.kind.as_str()
            && object["metadata"]["name"] == overlay.name.as_str()
            && (overlay.api_version.is_empty() || object["apiVersion"] == overlay.api_version.as_str())
    };
    let Some(object) = objects.iter_mut().find(is_it) else {
        errors.push(error("", format!("the component has no `{name}`")));
        return;
    };
    for patch in &overlay.patches {
        let steps = match path::parse(&patch.path) {
            Ok(steps) => steps,
            Err(PathError { message, .. }) => {
                errors.push(error(&patch.path, message));
                continue;
            }
        };
        let done = match &patch.value {
            None => path::remove(object, &steps),
            Some(value) => path::reach(object, &steps).map(|(field, _)| match (&*field, &value.0) {
                (Value::Object(_), Value::Object(_)) => lay(field, &value.0),
                _ => field.clone_from(&value.0),
            }),
        };
        if let Err(PathError { message, .. }) = done {
            errors.push(error(&patch.path, message));
        }
    }
}
