//! The template `gateway`.

use serde_json::{Value, json};

use super::Context;
use super::parts::{
    Files, Role, agent_args, canonical_labels, default_container, environment, envoy_port, pod,
    proxy_container, pull_policy, pull_secrets, ready_probe, set, string, volume_mounts, volumes,
};
use crate::tree::Map;

const FILES: Files = Files {
    bootstrap: "istio-envoy",
    credentials: true,
    revoked: false,
    custom: false,
    explicit: true,
};

pub(super) fn build(context: &Context<'_>) -> Value {
    let values = &context.settings.values;
    let mut labels = Map::new();
    canonical_labels(context, usize::MAX, &mut labels);
    let mut annotations = Map::new();
    annotations.insert(
        "istio.io/rev".to_owned(),
        string(context.settings.revision_name()),
    );
    default_container(context, &mut annotations);

    let mut spec = Map::new();
    // Lets the proxy listen on ports below 1024 without being root.
    let mut security = values.gateway_security_context.clone().unwrap_or_else(
        || json!({"sysctls": [{"name": "net.ipv4.ip_unprivileged_port_start", "value": "0"}]}),
    );
    if let (Value::Object(security), Some(profile)) = (&mut security, &values.gateway_seccomp_profile) {
        security.insert("seccompProfile".to_owned(), profile.clone());
    }
    spec.insert("securityContext".to_owned(), security);
    spec.insert("containers".to_owned(), json!([container(context)]));
    spec.insert("volumes".to_owned(), Value::Array(volumes(context, FILES)));
    set(&mut spec, "imagePullSecrets", pull_secrets(context));
    pod(labels, annotations, spec)
}

fn container(context: &Context<'_>) -> Map {
    let values = &context.settings.values;
    let mut container = proxy_container(context);
    container.insert("ports".to_owned(), json!([envoy_port()]));
    container.insert("args".to_owned(), Value::Array(agent_args(context, "router")));
    set(&mut container, "lifecycle", values.lifecycle.clone());
    container.insert(
        "securityContext".to_owned(),
        json!({"runAsGroup": context.namespace.proxy_group(), "runAsUser": context.namespace.proxy_user()}),
    );
    container.insert(
        "env".to_owned(),
        Value::Array(environment(context, Role::Gateway)),
    );
    set(&mut container, "imagePullPolicy", pull_policy(context));
    container.insert(
        "readinessProbe".to_owned(),
        ready_probe(
            values.readiness_initial_delay,
            values.readiness_period,
            values.readiness_failures,
        ),
    );
    container.insert(
        "volumeMounts".to_owned(),
        Value::Array(volume_mounts(context, FILES)),
    );
    container
}
