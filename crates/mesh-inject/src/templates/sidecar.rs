//! The template `sidecar`.

use serde_json::{Value, json};

use super::Context;
use super::parts::{
    Files, Role, agent_args, canonical_labels, default_container, environment, envoy_port, image, pod,
    proxy_container, proxy_metadata, pull_policy, pull_secrets, readiness_probe, ready_probe, resources, set,
    string, volume_mounts, volumes,
};
use crate::tree::{Map, annotation, label};

/// Longest value of a label.
const LONGEST_LABEL: usize = 63;

const FILES: Files = Files {
    bootstrap: "istio-envoy",
    credentials: true,
    revoked: true,
    custom: true,
    explicit: false,
};

pub(super) fn build(context: &Context<'_>) -> Value {
    let proxy = Value::Object(container(context));
    let mut init: Vec<Value> = init_container(context).into_iter().collect();
    let mut spec = Map::new();
    let containers = if context.is_native {
        init.push(proxy);
        Vec::new()
    } else {
        vec![proxy]
    };
    // Without capturing and native sidecars there are none, but the list is there.
    spec.insert("initContainers".to_owned(), Value::Array(init));
    if !containers.is_empty() {
        spec.insert("containers".to_owned(), Value::Array(containers));
    }
    spec.insert("volumes".to_owned(), Value::Array(volumes(context, FILES)));
    set(&mut spec, "imagePullSecrets", pull_secrets(context));
    pod(labels(context), annotations(context), spec)
}

fn labels(context: &Context<'_>) -> Map {
    let mut labels = Map::new();
    let or = |key: &str, default: &str| {
        let own = label(context.pod, key).filter(|value| !value.is_empty());
        string(own.unwrap_or(default))
    };
    let mut put = |key: &str, default: &str| labels.insert(key.to_owned(), or(key, default));
    put("security.istio.io/tlsMode", "istio");
    if context.proxy.has_metadata("ISTIO_META_ENABLE_HBONE", "true") {
        put("networking.istio.io/tunnel", "http");
    }
    canonical_labels(context, LONGEST_LABEL, &mut labels);
    labels
}

fn annotations(context: &Context<'_>) -> Map {
    let mut annotations = Map::new();
    annotations.insert(
        "istio.io/rev".to_owned(),
        string(context.settings.revision_name()),
    );
    default_container(context, &mut annotations);
    if context.settings.values.cni_enabled {
        cni_annotations(context, &mut annotations);
    }
    annotations
}

/// What the CNI plugin reads to capture the pod's traffic.
fn cni_annotations(context: &Context<'_>, annotations: &mut Map) {
    let values = &context.settings.values;
    if values.cni_provider == "multus" {
        let networks = annotation(context.pod, "k8s.v1.cni.cncf.io/networks").unwrap_or_default();
        annotations.insert(
            "k8s.v1.cni.cncf.io/networks".to_owned(),
            string(with_istio_network(networks)),
        );
    }
    let mut put = |key: &str, value: &str| {
        annotations.insert(key.to_owned(), string(value));
    };
    put("sidecar.istio.io/interceptionMode", context.interception_mode());
    for (name, default) in [
        ("includeOutboundIPRanges", &*values.include_ip_ranges),
        ("excludeOutboundIPRanges", &values.exclude_ip_ranges),
        ("includeInboundPorts", &values.include_inbound_ports),
    ] {
        let key = format!("traffic.sidecar.istio.io/{name}");
        let value = context.annotation_or(&key, default);
        if !value.is_empty() {
            put(&key, value);
        }
    }
    put(
        "traffic.sidecar.istio.io/excludeInboundPorts",
        &excluded_inbound_ports(context),
    );
    for (name, default) in [
        ("includeOutboundPorts", &*values.include_outbound_ports),
        ("excludeOutboundPorts", &values.exclude_outbound_ports),
    ] {
        let key = format!("traffic.sidecar.istio.io/{name}");
        if context.has_annotation(&key) || !default.is_empty() {
            put(&key, context.annotation_or(&key, default));
        }
    }
    for key in [KUBEVIRT_INTERFACES, REROUTED_INTERFACES, EXCLUDED_INTERFACES] {
        if let Some(value) = annotation(context.pod, key).filter(|value| !value.is_empty()) {
            put(key, value);
        }
    }
}

const KUBEVIRT_INTERFACES: &str = "traffic.sidecar.istio.io/kubevirtInterfaces";
const REROUTED_INTERFACES: &str = "istio.io/reroute-virtual-interfaces";
const EXCLUDED_INTERFACES: &str = "traffic.sidecar.istio.io/excludeInterfaces";

/// A pod's list of Multus networks, plain or JSON, with Istio's in it.
fn with_istio_network(networks: &str) -> String {
    const NETWORK: &str = "default/istio-cni";
    let (namespace, name) = ("default", "istio-cni");
    if networks.trim().is_empty() {
        return NETWORK.to_owned();
    }
    if !networks.trim_start().starts_with('[') {
        let is_there = networks.split(',').any(|network| network.trim() == NETWORK);
        return if is_there {
            networks.to_owned()
        } else {
            format!("{networks}, {NETWORK}")
        };
    }
    let Ok(Value::Array(list)) = serde_json::from_str(networks) else {
        return networks.to_owned();
    };
    let is_there = list.iter().any(|network| {
        crate::tree::text(network, "name") == name && crate::tree::text(network, "namespace") == namespace
    });
    match networks.rfind(']') {
        Some(end) if !is_there => {
            let comma = if list.is_empty() { "" } else { ", " };
            let (before, after) = networks.split_at(end);
            format!("{before}{comma}{{\"name\": \"{name}\", \"namespace\": \"{namespace}\"}}{after}")
        }
        _ => networks.to_owned(),
    }
}

/// The inbound ports that are not captured: the user's, and the agent's.
fn excluded_inbound_ports(context: &Context<'_>) -> String {
    let port = context.status_port().trim();
    let excluded = context.annotation_or(
        "traffic.sidecar.istio.io/excludeInboundPorts",
        &context.settings.values.exclude_inbound_ports,
    );
    let is_there = excluded.split(',').any(|other| other == port);
    if port.is_empty() || port == "0" || is_there {
        return excluded.to_owned();
    }
    let ports = excluded.split(',').map(str::trim).filter(|port| !port.is_empty());
    ports.chain([port]).collect::<Vec<_>>().join(",")
}

/// The container that sets up capturing, or with the CNI plugin checks that it is set up.
fn init_container(context: &Context<'_>) -> Option<Value> {
    let values = &context.settings.values;
    if context.interception_mode() == "NONE" {
        return None;
    }
    let mut container = Map::new();
    let name = if values.cni_enabled {
        "istio-validation"
    } else {
        "istio-init"
    };
    container.insert("name".to_owned(), string(name));
    container.insert("image".to_owned(), image(context, &values.init_image, false));
    container.insert("args".to_owned(), Value::Array(iptables_args(context)));
    set(&mut container, "imagePullPolicy", pull_policy(context));
    let env: Vec<_> = proxy_metadata(context).collect();
    if !env.is_empty() {
        container.insert("env".to_owned(), Value::Array(env));
    }
    set(&mut container, "resources", resources(context));
    let mut security = if values.cni_enabled {
        json!({
            "allowPrivilegeEscalation": values.privileged,
            "capabilities": {"drop": ["ALL"]},
            "privileged": values.privileged,
            "readOnlyRootFilesystem": true,
            "runAsGroup": context.namespace.proxy_group(),
            "runAsNonRoot": true,
            "runAsUser": context.namespace.proxy_user(),
        })
    } else {
        json!({
            "allowPrivilegeEscalation": values.privileged,
            "capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]},
            "privileged": values.privileged,
            "readOnlyRootFilesystem": false,
            "runAsGroup": 0,
            "runAsNonRoot": false,
            "runAsUser": 0,
        })
    };
    if let (Value::Object(security), Some(profile)) = (&mut security, &values.seccomp_profile) {
        security.insert("seccompProfile".to_owned(), profile.clone());
    }
    container.insert("securityContext".to_owned(), security);
    Some(Value::Object(container))
}

fn iptables_args(context: &Context<'_>) -> Vec<Value> {
    let (values, mesh) = (&context.settings.values, &context.settings.mesh);
    let or = |name: &str, default: &'_ str| {
        let key = format!("traffic.sidecar.istio.io/{name}");
        annotation(context.pod, &key).unwrap_or(default).to_owned()
    };
    let excluded = match &*excluded_inbound_ports(context) {
        "" => "15090,15021".to_owned(),
        ports => format!("15090,15021,{ports}"),
    };
    let mut args = vec!["istio-iptables".to_owned()];
    for (flag, value) in [
        ("-p", mesh.listen_port.to_string()),
        ("-z", mesh.inbound_listen_port.to_string()),
        ("-u", context.namespace.proxy_user().to_string()),
        ("-m", context.interception_mode().to_owned()),
        ("-i", or("includeOutboundIPRanges", &values.include_ip_ranges)),
        ("-x", or("excludeOutboundIPRanges", &values.exclude_ip_ranges)),
        ("-b", or("includeInboundPorts", &values.include_inbound_ports)),
        ("-d", excluded),
    ] {
        args.extend([flag.to_owned(), value]);
    }
    for (flag, name, default) in [
        ("-q", "includeOutboundPorts", &values.include_outbound_ports),
        ("-o", "excludeOutboundPorts", &values.exclude_outbound_ports),
    ] {
        if context.has_annotation(&format!("traffic.sidecar.istio.io/{name}")) || !default.is_empty() {
            args.extend([flag.to_owned(), or(name, default)]);
        }
    }
    let rerouted = [REROUTED_INTERFACES, KUBEVIRT_INTERFACES]
        .into_iter()
        .find_map(|key| annotation(context.pod, key));
    if let Some(interfaces) = rerouted {
        args.extend(["-k".to_owned(), interfaces.to_owned()]);
    }
    if let Some(interfaces) = annotation(context.pod, EXCLUDED_INTERFACES) {
        args.extend(["-c".to_owned(), interfaces.to_owned()]);
    }
    let level = context.annotation_or("sidecar.istio.io/agentLogLevel", &values.log_level);
    args.push(format!("--log_output_level={level}"));
    if values.log_as_json {
        args.push("--log_as_json".to_owned());
    }
    if values.cni_enabled {
        args.extend(["--run-validation".to_owned(), "--skip-rule-apply".to_owned()]);
    } else if values.force_apply_iptables {
        args.push("--force-apply".to_owned());
    }
    if values.native_nftables {
        args.push("--native-nftables".to_owned());
    }
    args.into_iter().map(Value::String).collect()
}

/// The proxy.
fn container(context: &Context<'_>) -> Map {
    let values = &context.settings.values;
    let mut container = proxy_container(context);
    container.insert("ports".to_owned(), json!([envoy_port()]));
    let mut args = agent_args(context, "sidecar");
    if !values.outlier_log_path.is_empty() {
        args.push(string(format!("--outlierLogPath={}", values.outlier_log_path)));
    }
    container.insert("args".to_owned(), Value::Array(args));
    set(&mut container, "lifecycle", lifecycle(context));
    if context.is_native {
        container.insert("restartPolicy".to_owned(), string("Always"));
    }
    container.insert(
        "env".to_owned(),
        Value::Array(environment(context, Role::Sidecar)),
    );
    set(&mut container, "imagePullPolicy", pull_policy(context));
    if context.status_port() != "0" {
        if let Some(failures) = values.startup_failures {
            container.insert("startupProbe".to_owned(), ready_probe(0, 1, failures));
        }
        container.insert("readinessProbe".to_owned(), readiness_probe(context));
    }
    container.insert("securityContext".to_owned(), security_context(context));
    set(&mut container, "resources", resources(context));
    container.insert(
        "volumeMounts".to_owned(),
        Value::Array(volume_mounts(context, FILES)),
    );
    container
}

fn lifecycle(context: &Context<'_>) -> Option<Value> {
    let values = &context.settings.values;
    if let Some(lifecycle) = &values.lifecycle {
        return Some(lifecycle.clone());
    }
    if context.is_native {
        let port = format!("--debug-port={}", context.status_port());
        let command = json!(["pilot-agent", "request", port, "POST", "drain"]);
        return Some(json!({"preStop": {"exec": {"command": command}}}));
    }
    (context.proxy.holds_application() || values.hold_application)
        .then(|| json!({"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}}))
}

fn security_context(context: &Context<'_>) -> Value {
    let values = &context.settings.values;
    let traces = context.proxy.has_metadata("IPTABLES_TRACE_LOGGING", "true");
    let is_tproxy = context.interception_mode() == "TPROXY";
    let binds_low_ports = annotation(context.pod, "sidecar.istio.io/capNetBindService") == Some("true");
    let mut added = Vec::new();
    if traces || is_tproxy {
        added.push("NET_ADMIN");
    }
    if !traces && binds_low_ports {
        added.push("NET_BIND_SERVICE");
    }
    let is_privileged = traces || values.privileged;
    let is_root = !added.is_empty();
    let mut capabilities = Map::new();
    if is_root {
        capabilities.insert("add".to_owned(), json!(added));
    }
    capabilities.insert("drop".to_owned(), json!(["ALL"]));
    let mut security = json!({
        "allowPrivilegeEscalation": is_privileged,
        "capabilities": capabilities,
        "privileged": is_privileged,
        "readOnlyRootFilesystem": true,
        "runAsGroup": context.namespace.proxy_group(),
        "runAsNonRoot": !is_root,
        "runAsUser": if is_root { 0 } else { context.namespace.proxy_user() },
    });
    if let (Value::Object(security), Some(profile)) = (&mut security, &values.seccomp_profile) {
        security.insert("seccompProfile".to_owned(), profile.clone());
    }
    security
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn istio_network_is_added_once() {
        for (networks, expected) in [
            ("", "default/istio-cni"),
            ("a", "a, default/istio-cni"),
            ("a, default/istio-cni", "a, default/istio-cni"),
            (
                r#"[{"name": "a"}]"#,
                r#"[{"name": "a"}, {"name": "istio-cni", "namespace": "default"}]"#,
            ),
            ("[]", r#"[{"name": "istio-cni", "namespace": "default"}]"#),
            (
                r#"[{"name": "istio-cni", "namespace": "default"}]"#,
                r#"[{"name": "istio-cni", "namespace": "default"}]"#,
            ),
            ("[{", "[{"),
        ] {
            assert_eq!(with_istio_network(networks), expected);
        }
    }
}
