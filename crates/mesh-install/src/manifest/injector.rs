//! The configuration that istiod reads: the mesh config, and how pods are injected.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Map, Value, json};

use super::Part;
use super::parts::object;

/// What istiod takes from a ConfigMap that does not fit its version: an error that says so.
const MISMATCH: &str = "{{ Template_Version_And_Istio_Version_Mismatched_Check_Installation }}";

fn config_map(part: Part<'_>, name: &str, app: &str, data: Vec<(&str, String)>) -> Value {
    let data: BTreeMap<_, _> = data
        .into_iter()
        .map(|(key, text)| (key.to_owned(), text))
        .collect();
    object(&ConfigMap {
        metadata: part.metadata(part.context.spec.namespace(), name, app),
        data: Some(data),
        ..ConfigMap::default()
    })
}

/// YAML of a tree.
fn yaml(value: &Value) -> String {
    mesh_yaml::emit::to_string(value).expect("keys of a tree are text")
}

/// The ConfigMap with the settings of the mesh.
pub(super) fn mesh(part: Part<'_>) -> Value {
    let context = part.context;
    let global = &context.values().global;
    let mut config = json!({
        "defaultConfig": {"discoveryAddress": context.istiod()},
        "defaultProviders": {"metrics": ["prometheus"]},
        "enablePrometheusMerge": true,
        "rootNamespace": global.istio_namespace,
        "trustDomain": "cluster.local",
    });
    let defaults = &mut config["defaultConfig"];
    if !global.mesh_id.is_empty() {
        defaults["meshId"] = global.mesh_id.as_str().into();
    }
    if !context.spec.control_plane.variant.is_empty() {
        defaults["image"] = json!({"imageType": context.spec.control_plane.variant});
    }
    if let Some(own) = context.mesh("") {
        crate::spec::merge(&mut config, own.clone());
    }
    let networks = match &global.mesh_networks.0 {
        Value::Null => json!({}),
        networks => networks.clone(),
    };
    let data = vec![
        ("mesh", yaml(&config)),
        ("meshNetworks", yaml(&json!({"networks": networks}))),
    ];
    config_map(part, &context.revised("istio"), "istiod", data)
}

/// The ConfigMap with what istiod injects. The templates are Go templates, which istiod evaluates.
pub(super) fn templates(part: Part<'_>) -> Value {
    let webhook = &part.context.values().sidecar_injector_webhook;
    let tree = part.context.spec.to_json();
    let at = |pointer: &str| tree.pointer(pointer).cloned().unwrap_or_else(|| json!({}));
    let defaults = match webhook.default_templates.as_slice() {
        [] => json!(["sidecar"]),
        names => json!(names),
    };
    let mut templates = Map::new();
    templates.extend(mesh_inject::payload::templates().map(|(name, text)| (name.to_owned(), text.into())));
    templates.extend(
        webhook
            .templates
            .iter()
            .map(|(name, text)| (name.clone(), text.as_str().into())),
    );
    let selectors = |pointer: &str| tree.pointer(pointer).cloned().unwrap_or_else(|| json!([]));
    let config = json!({
        "defaultTemplates": defaults,
        "policy": part.context.values().global.proxy.auto_inject,
        "alwaysInjectSelector": selectors("/values/sidecarInjectorWebhook/alwaysInjectSelector"),
        "neverInjectSelector": selectors("/values/sidecarInjectorWebhook/neverInjectSelector"),
        "injectedAnnotations": webhook.injected_annotations,
        "template": MISMATCH,
        "templates": templates,
    });
    let mut gateways = Map::new();
    for key in ["securityContext", "seccompProfile"] {
        gateways.insert(key.to_owned(), at(&format!("/values/gateways/{key}")));
    }
    let values = json!({
        "global": at("/values/global"),
        "gateways": gateways,
        "pilot": {"cni": at("/values/pilot/cni"), "env": at("/values/pilot/env")},
        "revision": part.context.spec.control_plane.revision,
        "sidecarInjectorWebhook": at("/values/sidecarInjectorWebhook"),
    });
    let data = vec![("config", yaml(&config)), ("values", format!("{values:#}"))];
    let name = part.context.revised("istio-sidecar-injector");
    config_map(part, &name, "sidecar-injector", data)
}

/// The ConfigMap that says what was installed, for who looks for it.
pub(super) fn values(part: Part<'_>) -> Value {
    let values = &part.context.spec.to_json()["values"];
    let data = vec![("merged-values", format!("{values:#}"))];
    config_map(part, &part.context.revised("values"), "istiod", data)
}
