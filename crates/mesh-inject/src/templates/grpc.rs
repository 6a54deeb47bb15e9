//! The templates for applications that speak xDS by gRPC themselves: `grpc-agent` and `grpc-simple`.

use serde_json::{Value, json};

use super::Context;
use super::parts::{
    Files, Role, agent_args, canonical_labels, default_container, environment, pod, proxy_container,
    pull_policy, pull_secrets, readiness_probe, resources, set, string, volume_mounts, volumes,
};
use crate::tree::{Map, containers, text, variable};

const FILES: Files = Files {
    bootstrap: "istio-xds",
    credentials: false,
    revoked: false,
    custom: true,
    explicit: false,
};

/// The agent without Envoy: it provides certificates and a bootstrap file.
pub(super) fn agent(context: &Context<'_>) -> Value {
    let values = &context.settings.values;
    let mut labels = Map::new();
    canonical_labels(context, usize::MAX, &mut labels);
    let mut annotations = Map::new();
    annotations.insert(
        "istio.io/rev".to_owned(),
        string(context.settings.revision_name()),
    );
    default_container(context, &mut annotations);
    annotations.insert(
        "sidecar.istio.io/rewriteAppHTTPProbers".to_owned(),
        string("false"),
    );

    let mut list: Vec<Value> = context
        .applications()
        .map(|application| {
            json!({
                "name": text(application, "name"),
                "env": [
                    variable("GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT", "true"),
                    variable("GRPC_XDS_BOOTSTRAP", "/etc/istio/proxy/grpc-bootstrap.json"),
                ],
                "volumeMounts": [
                    {"name": "istio-data", "mountPath": "/var/lib/istio/data"},
                    {"name": FILES.bootstrap, "mountPath": "/etc/istio/proxy"},
                ],
            })
        })
        .collect();

    let mut proxy = proxy_container(context);
    proxy.insert(
        "ports".to_owned(),
        json!([{"containerPort": 15020, "name": "mesh-metrics", "protocol": "TCP"}]),
    );
    proxy.insert("args".to_owned(), Value::Array(agent_args(context, "sidecar")));
    let holds = context.proxy.holds_application() || values.hold_application;
    let wait = || json!({"postStart": {"exec": {"command": ["pilot-agent", "wait"]}}});
    set(
        &mut proxy,
        "lifecycle",
        values.lifecycle.clone().or_else(|| holds.then(wait)),
    );
    proxy.insert(
        "env".to_owned(),
        Value::Array(environment(context, Role::GrpcAgent)),
    );
    set(&mut proxy, "imagePullPolicy", pull_policy(context));
    if context.status_port() != "0" {
        proxy.insert("readinessProbe".to_owned(), readiness_probe(context));
    }
    set(&mut proxy, "resources", resources(context));
    proxy.insert(
        "volumeMounts".to_owned(),
        Value::Array(volume_mounts(context, FILES)),
    );
    list.push(Value::Object(proxy));

    let mut spec = Map::new();
    spec.insert("containers".to_owned(), Value::Array(list));
    spec.insert("volumes".to_owned(), Value::Array(volumes(context, FILES)));
    set(&mut spec, "imagePullSecrets", pull_secrets(context));
    pod(labels, annotations, spec)
}

/// A bootstrap file that an init container writes; without certificates.
pub(super) fn simple(context: &Context<'_>) -> Value {
    const VOLUME: &str = "grpc-io-proxyless-bootstrap";
    const FOLDER: &str = "/var/lib/grpc/data/";
    let file = format!("{FOLDER}bootstrap.json");
    let mount = json!({"name": VOLUME, "mountPath": FOLDER});
    let applications: Vec<Value> = containers(context.pod, "containers")
        .iter()
        .map(|application| {
            json!({
                "name": text(application, "name"),
                "env": [
                    variable("GRPC_XDS_BOOTSTRAP", &*file),
                    variable("GRPC_GO_LOG_VERBOSITY_LEVEL", "99"),
                    variable("GRPC_GO_LOG_SEVERITY_LEVEL", "info"),
                ],
                "volumeMounts": [mount],
            })
        })
        .collect();
    let field =
        |name: &str, field: &str| json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}});
    let server = format!(
        "dns:///istiod.{}.svc:15010",
        context.settings.values.istio_namespace
    );
    let bootstrap = json!({
        "xds_servers": [{
            "server_uri": server,
            "channel_creds": [{"type": "insecure"}],
            "server_features": ["xds_v3"],
        }],
        "node": {
            "id": "sidecar~${INSTANCE_IP}~${POD_NAME}.${POD_NAMESPACE}~cluster.local",
            "metadata": {"GENERATOR": "grpc"},
        },
    });
    let script = format!("cat > {file} <<EOF\n{bootstrap:#}\nEOF\n");
    let mut spec = Map::new();
    spec.insert(
        "initContainers".to_owned(),
        json!([{
            "name": "grpc-bootstrap-init",
            "image": "busybox:1.28",
            "command": ["sh", "-c", script],
            "env": [
                field("INSTANCE_IP", "status.podIP"),
                field("POD_NAME", "metadata.name"),
                field("POD_NAMESPACE", "metadata.namespace"),
            ],
            "volumeMounts": [mount],
        }]),
    );
    spec.insert("containers".to_owned(), Value::Array(applications));
    spec.insert("volumes".to_owned(), json!([{"name": VOLUME, "emptyDir": {}}]));
    pod(Map::new(), Map::new(), spec)
}
