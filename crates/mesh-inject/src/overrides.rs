//! Containers of the user's that have the name of one that is injected: they are laid over it.

use mesh_core::injection::PROXY_CONTAINER;
use serde_json::{Value, json};

use crate::go_json;
use crate::merge::merge;
use crate::tree::{Map, as_map, containers, list_mut, map_mut, named, text};

/// The image that stands for the injected one.
pub(crate) const AUTO: &str = "auto";

/// The annotation with the containers that were laid over injected ones.
pub(crate) const ANNOTATION: &str = "proxy.istio.io/overrides";

const LISTS: [&str; 2] = ["containers", "initContainers"];

/// Lays the user's containers over the injected ones. Returns the content of the annotation, if there are any.
pub(crate) fn apply(pod: &mut Value, original: &Value, template: &Value) -> Option<String> {
    let mut overrides = Map::new();
    for key in LISTS {
        for injected in containers(template, key) {
            let name = text(injected, "name");
            let own = LISTS
                .iter()
                .find_map(|key| named(containers(original, key), name));
            let Some(Value::Object(own)) = own else { continue };
            // Templates for the application's own containers name only what they add.
            if !injected.get("image").is_some_and(Value::is_string) {
                continue;
            }
            let mut overlay = own.clone();
            if overlay.get("image").is_some_and(|image| image == AUTO) {
                overlay.shift_remove("image");
            }
            let patch = json!({"spec": {key: [&overlay]}});
            if let Value::Object(patch) = patch {
                merge(as_map(pod), &patch);
            }
            list_mut(&mut overrides, key).push(go_json::container(&Value::Object(overlay)));
        }
    }
    (!overrides.is_empty()).then(|| Value::Object(overrides).to_string())
}

/// Lets the init container know the user that the pod's own proxy container asks for.
pub(crate) fn adjust_user(pod: &mut Value, original: &Value, mode: &str) {
    let own = LISTS
        .iter()
        .find_map(|key| named(containers(original, key), PROXY_CONTAINER))
        .and_then(|container| container.get("securityContext"));
    let id = |name: &str| {
        own.and_then(|security| security.get(name))
            .filter(|id| id.is_number())
            .cloned()
    };
    let (user, group) = (id("runAsUser"), id("runAsGroup"));
    if user.is_none() && group.is_none() {
        return;
    }
    let is_tproxy = mode == "TPROXY";
    if is_tproxy
        && user.is_some()
        && let Some(proxy) = crate::tree::proxy_mut(pod)
    {
        map_mut(proxy, "securityContext").insert("runAsUser".to_owned(), 0.into());
    }
    let init = crate::tree::spec_list_mut(pod, "initContainers")
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
        .find(|container| {
            let name = container.get("name").and_then(Value::as_str);
            matches!(name, Some("istio-init" | "istio-validation"))
        });
    let Some(init) = init else { return };
    let is_validation = init.get("name").is_some_and(|name| name == "istio-validation");
    if is_validation && !is_tproxy {
        let security = map_mut(init, "securityContext");
        for (name, id) in [("runAsUser", &user), ("runAsGroup", &group)] {
            if let Some(id) = id {
                security.insert(name.to_owned(), id.clone());
            }
        }
    }
    let user = user.and_then(|user| user.as_i64()).filter(|user| *user != 0);
    let args = list_mut(init, "args");
    let flag = args.iter().position(|arg| arg == "-u");
    if let (Some(user), Some(value)) = (user, flag.and_then(|flag| args.get_mut(flag + 1))) {
        *value = Value::String(user.to_string());
    }
}
