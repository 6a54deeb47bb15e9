//! What several templates have in common.

use mesh_core::injection::PROXY_CONTAINER;
use serde_json::{Value, json};

use super::Context;
use crate::tree::{Map, annotation, containers, label, list, text, variable};

/// Path and port of the proxy's readiness.
const READY_PATH: &str = "/healthz/ready";
const READY_PORT: u16 = 15021;

/// A text value.
pub(super) fn string(text: impl Into<String>) -> Value {
    Value::String(text.into())
}

/// Sets what is there to be set.
pub(super) fn set(map: &mut Map, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        map.insert(key.to_owned(), value);
    }
}

/// The labels by which telemetry calls the workload. Names are cut at `longest` characters.
pub(super) fn canonical_labels(context: &Context<'_>, longest: usize, labels: &mut Map) {
    let name = context
        .first_label(&["service.istio.io/canonical-name", "app.kubernetes.io/name", "app"])
        .unwrap_or(&context.owner.name);
    let cut: String = name.chars().take(longest).collect();
    // Only what was cut can end in what a label must not end in.
    let name = if longest == usize::MAX {
        &cut
    } else {
        cut.trim_end_matches(['-', '_', '.'])
    };
    labels.insert("service.istio.io/canonical-name".to_owned(), string(name));
    let revision = context
        .first_label(&[
            "service.istio.io/canonical-revision",
            "app.kubernetes.io/version",
            "version",
        ])
        .unwrap_or("latest");
    labels.insert("service.istio.io/canonical-revision".to_owned(), string(revision));
}

/// The annotations that tell kubectl which container is meant.
pub(super) fn default_container(context: &Context<'_>, annotations: &mut Map) {
    let Some(first) = context.applications().next() else {
        return;
    };
    for key in [
        "kubectl.kubernetes.io/default-logs-container",
        "kubectl.kubernetes.io/default-container",
    ] {
        if !context.has_annotation(key) {
            annotations.insert(key.to_owned(), string(text(first, "name")));
        }
    }
}

/// The image of a container: `name` in the installation's registry, or a whole reference. The proxy's own settings
/// count for the proxy, but not for the init container.
pub(super) fn image(context: &Context<'_>, name: &str, is_proxy: bool) -> Value {
    let values = &context.settings.values;
    let image = context.annotation_or("sidecar.istio.io/proxyImage", "");
    let image = if image.is_empty() { name } else { image };
    if image.contains('/') {
        return string(image);
    }
    let configured = if is_proxy { context.proxy.image_type() } else { "" };
    let variant = [
        context.annotation_or("sidecar.istio.io/proxyImageType", ""),
        configured,
        &values.variant,
    ]
    .into_iter()
    .find(|variant| !variant.is_empty());
    let tag = &*values.tag;
    let tag = match variant {
        None => tag.to_owned(),
        Some(variant) => {
            let plain = tag
                .strip_suffix("-distroless")
                .or_else(|| tag.strip_suffix("-debug"))
                .unwrap_or(tag);
            if variant == "default" {
                plain.to_owned()
            } else {
                format!("{plain}-{variant}")
            }
        }
    };
    string(if tag.is_empty() {
        format!("{}/{image}", values.hub)
    } else {
        format!("{}/{image}:{tag}", values.hub)
    })
}

/// `imagePullPolicy`, if the installation has one.
pub(super) fn pull_policy(context: &Context<'_>) -> Option<Value> {
    let policy = &context.settings.values.image_pull_policy;
    (!policy.is_empty()).then(|| string(policy))
}

/// `imagePullSecrets`, if the installation has some.
pub(super) fn pull_secrets(context: &Context<'_>) -> Option<Value> {
    let secrets = &context.settings.values.image_pull_secrets;
    (!secrets.is_empty()).then(|| secrets.iter().map(|name| json!({"name": name})).collect())
}

/// The arguments of the agent that all roles have.
pub(super) fn agent_args(context: &Context<'_>, role: &str) -> Vec<Value> {
    let values = &context.settings.values;
    let or = |name, default| context.annotation_or(name, default);
    let mut args = vec![
        string("proxy"),
        string(role),
        string("--domain"),
        string(format!("$(POD_NAMESPACE).svc.{}", values.cluster_domain)),
        string(format!(
            "--proxyLogLevel={}",
            or("sidecar.istio.io/logLevel", &values.proxy_log_level)
        )),
        string(format!(
            "--proxyComponentLogLevel={}",
            or("sidecar.istio.io/componentLogLevel", &values.component_log_level)
        )),
        string(format!(
            "--log_output_level={}",
            or("sidecar.istio.io/agentLogLevel", &values.log_level)
        )),
    ];
    if values.sts_port != 0 {
        args.push(string(format!("--stsPort={}", values.sts_port)));
    }
    if values.log_as_json {
        args.push(string("--log_as_json"));
    }
    args
}

/// The port of Envoy's own metrics.
pub(super) fn envoy_port() -> Value {
    json!({"containerPort": 15090, "name": "http-envoy-prom", "protocol": "TCP"})
}

fn field_variable(name: &str, field: &str) -> Value {
    json!({"name": name, "valueFrom": {"fieldRef": {"fieldPath": field}}})
}

fn limit_variable(name: &str, resource: &str) -> Value {
    json!({"name": name, "valueFrom": {"resourceFieldRef": {"divisor": "1", "resource": resource}}})
}

/// What differs between the environments of the roles.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Sidecar,
    Gateway,
    GrpcAgent,
}

/// The environment of the proxy.
pub(super) fn environment(context: &Context<'_>, role: Role) -> Vec<Value> {
    let Context {
        settings,
        pod,
        owner,
        proxy,
        ..
    } = context;
    let (values, mesh) = (&settings.values, &settings.mesh);
    let mut env = Vec::with_capacity(32);
    if role == Role::GrpcAgent {
        env.push(variable("ISTIO_META_GENERATOR", "grpc"));
        env.push(variable("OUTPUT_CERTS", "/var/lib/istio/data"));
    }
    if role != Role::Gateway && mesh.sends_to_localhost {
        env.push(variable("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION", "true"));
    }
    env.push(variable("PILOT_CERT_PROVIDER", &*values.pilot_cert_provider));
    env.push(variable("CA_ADDR", ca_address(context)));
    env.push(field_variable("POD_NAME", "metadata.name"));
    env.push(field_variable("POD_NAMESPACE", "metadata.namespace"));
    env.push(field_variable("INSTANCE_IP", "status.podIP"));
    env.push(field_variable("SERVICE_ACCOUNT", "spec.serviceAccountName"));
    env.push(field_variable("HOST_IP", "status.hostIP"));
    env.push(limit_variable("ISTIO_CPU_LIMIT", "limits.cpu"));
    env.push(variable("PROXY_CONFIG", proxy.json() + "\n"));
    env.push(variable("ISTIO_META_POD_PORTS", pod_ports(pod)));
    let names: Vec<_> = context
        .applications()
        .map(|container| text(container, "name"))
        .collect();
    env.push(variable("ISTIO_META_APP_CONTAINERS", names.join(",")));
    env.push(limit_variable("GOMEMLIMIT", "limits.memory"));
    if !values.compliance_policy.is_empty() {
        env.push(variable("COMPLIANCE_POLICY", &*values.compliance_policy));
        if values.compliance_policy == "fips-140-3" {
            env.push(variable("GODEBUG", "fips140=only"));
        }
    }
    let cluster = match &*values.cluster_name {
        "" => "Kubernetes",
        name => name,
    };
    env.push(variable("ISTIO_META_CLUSTER_ID", cluster));
    env.push(field_variable("ISTIO_META_NODE_NAME", "spec.nodeName"));
    match role {
        Role::Sidecar => {
            let mode = match context.interception_mode() {
                "" => proxy.interception_mode(),
                mode => mode,
            };
            env.push(variable("ISTIO_META_INTERCEPTION_MODE", mode));
        }
        Role::Gateway => env.push(variable(
            "ISTIO_META_INTERCEPTION_MODE",
            proxy.interception_mode(),
        )),
        Role::GrpcAgent => {}
    }
    if !values.network.is_empty() {
        env.push(variable("ISTIO_META_NETWORK", &*values.network));
    }
    let workload = label(pod, "service.istio.io/workload-name")
        .filter(|name| !name.is_empty())
        .unwrap_or(&owner.name);
    if !workload.is_empty() {
        env.push(variable("ISTIO_META_WORKLOAD_NAME", workload));
    }
    if let Some(uri) = owner.uri() {
        env.push(variable("ISTIO_META_OWNER", uri));
    }
    if role == Role::Sidecar && context.has_annotation("sidecar.istio.io/bootstrapOverride") {
        env.push(variable(
            "ISTIO_BOOTSTRAP_OVERRIDE",
            "/etc/istio/custom-bootstrap/custom_bootstrap.json",
        ));
    }
    let mesh_id = [&values.mesh_id, &mesh.trust_domain]
        .into_iter()
        .find(|id| !id.is_empty());
    if let Some(id) = mesh_id {
        env.push(variable("ISTIO_META_MESH_ID", &**id));
    }
    if !mesh.trust_domain.is_empty() {
        env.push(variable("TRUST_DOMAIN", &*mesh.trust_domain));
    }
    if role == Role::Sidecar {
        env.extend(datadog(context));
        if mesh.otel_attributes {
            env.push(variable("OTEL_RESOURCE_ATTRIBUTES", otel_attributes(context)));
        }
    }
    env.extend(proxy_metadata(context));
    if role == Role::GrpcAgent {
        env.push(variable("ISTIO_META_DNS_CAPTURE", "false"));
        env.push(variable("DISABLE_ENVOY", "true"));
    }
    env
}

/// The environment variables that `proxyMetadata` sets.
pub(super) fn proxy_metadata(context: &Context<'_>) -> impl Iterator<Item = Value> {
    context
        .proxy
        .metadata()
        .into_iter()
        .map(|(name, value)| variable(name, value))
}

fn ca_address(context: &Context<'_>) -> String {
    let values = &context.settings.values;
    if !values.ca_address.is_empty() {
        return values.ca_address.clone();
    }
    let suffix = match &*values.revision {
        "" => String::new(),
        revision => format!("-{revision}"),
    };
    format!("istiod{suffix}.{}.svc:15012", values.istio_namespace)
}

/// The ports of all containers as JSON, one on each line.
fn pod_ports(pod: &Value) -> String {
    let mut text = "[".to_owned();
    let ports = containers(pod, "containers")
        .iter()
        .flat_map(|container| list(container, "ports"));
    for (index, port) in ports.enumerate() {
        text.push_str(if index == 0 { "\n    " } else { "\n    ," });
        text.push_str(&crate::go_json::port(port).to_string());
    }
    text.push_str("\n]");
    text
}

fn datadog(context: &Context<'_>) -> Vec<Value> {
    if context.settings.values.tracer != "datadog" {
        return Vec::new();
    }
    json_map(context, "apm.datadoghq.com/env")
        .into_iter()
        .map(|(name, value)| variable(&name, crate::tree::plain(&value)))
        .collect()
}

/// The JSON map in an annotation, sorted by key.
pub(super) fn json_map(context: &Context<'_>, name: &str) -> Vec<(String, Value)> {
    let map = annotation(context.pod, name).and_then(|text| serde_json::from_str(text).ok());
    let Some(Value::Object(mut map)) = map else {
        return Vec::new();
    };
    map.sort_keys();
    map.into_iter().collect()
}

/// What a service is called by the OpenTelemetry conventions for Kubernetes.
fn otel_attributes(context: &Context<'_>) -> String {
    let namespace = match &*context.owner.namespace {
        "" => "default",
        namespace => namespace,
    };
    let containers: Vec<_> = context.applications().collect();
    let version = context
        .first_label(&["app.kubernetes.io/version", "version"])
        .or_else(|| match containers.as_slice() {
            [only] => version_of(text(only, "image")),
            _ => None,
        });
    let first = containers.first().map_or("", |container| text(container, "name"));
    let own = |name: &str| annotation(context.pod, &format!("resource.opentelemetry.io/service.{name}"));
    let mut attributes = vec![format!(
        "service.namespace={}",
        own("namespace").unwrap_or(namespace)
    )];
    if let Some(version) = own("version").or(version) {
        attributes.push(format!("service.version={version}"));
    }
    let instance = format!("{namespace}.$(POD_NAME).{first}");
    attributes.push(format!(
        "service.instance.id={}",
        own("instance.id").unwrap_or(&instance)
    ));
    attributes.join(",")
}

/// The tag and digest of an image.
fn version_of(image: &str) -> Option<&str> {
    let name = image.rsplit_once('/').map_or(image, |(_, name)| name);
    match name.split_once(':') {
        // A digest has a colon of its own.
        Some((before, _)) if before.contains('@') => name.split_once('@').map(|(_, digest)| digest),
        Some((_, tag)) => Some(tag),
        None => None,
    }
}

/// `resources` of the proxy and of the init container.
pub(super) fn resources(context: &Context<'_>) -> Option<Value> {
    let own = |name: &str| annotation(context.pod, &format!("sidecar.istio.io/{name}"));
    let pair = |cpu: Option<&str>, memory: Option<&str>| {
        let mut map = Map::new();
        set(&mut map, "cpu", cpu.map(string));
        set(&mut map, "memory", memory.map(string));
        (!map.is_empty()).then_some(Value::Object(map))
    };
    let requests = pair(own("proxyCPU"), own("proxyMemory"));
    let limits = pair(own("proxyCPULimit"), own("proxyMemoryLimit"));
    if requests.is_none() && limits.is_none() {
        return context.settings.values.resources.clone();
    }
    let mut map = Map::new();
    set(&mut map, "limits", limits);
    set(&mut map, "requests", requests);
    Some(Value::Object(map))
}

/// A check of the proxy's readiness.
pub(super) fn ready_probe(delay: i64, period: i64, failures: i64) -> Value {
    let mut probe = Map::new();
    probe.insert(
        "httpGet".to_owned(),
        json!({"path": READY_PATH, "port": READY_PORT}),
    );
    if delay != 0 {
        probe.insert("initialDelaySeconds".to_owned(), delay.into());
    }
    probe.insert("periodSeconds".to_owned(), period.into());
    probe.insert("timeoutSeconds".to_owned(), 3.into());
    probe.insert("failureThreshold".to_owned(), failures.into());
    Value::Object(probe)
}

/// The readiness probe of a sidecar, with what annotations say.
pub(super) fn readiness_probe(context: &Context<'_>) -> Value {
    let values = &context.settings.values;
    let or = |name: &str, default: i64| {
        let value = annotation(context.pod, &format!("readiness.status.sidecar.istio.io/{name}"));
        value.and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    ready_probe(
        or("initialDelaySeconds", values.readiness_initial_delay),
        or("periodSeconds", values.readiness_period),
        or("failureThreshold", values.readiness_failures),
    )
}

/// Where a template puts the proxy's files.
#[derive(Clone, Copy)]
pub(super) struct Files {
    /// Name of the volume for the bootstrap configuration and the socket of the agent.
    pub(super) bootstrap: &'static str,
    /// Whether the agent provides credentials to the proxy by a socket.
    pub(super) credentials: bool,
    /// Whether revoked certificates are mounted.
    pub(super) revoked: bool,
    /// Whether the pod's annotations can add files.
    pub(super) custom: bool,
    /// Whether empty volumes say that they are.
    pub(super) explicit: bool,
}

fn mount(name: &str, path: &str) -> Value {
    json!({"name": name, "mountPath": path})
}

fn read_only_mount(name: &str, path: &str) -> Value {
    json!({"name": name, "mountPath": path, "readOnly": true})
}

const GKE_CERTIFICATES: &str = "GkeWorkloadCertificate";

/// `volumeMounts` of the proxy.
pub(super) fn volume_mounts(context: &Context<'_>, files: Files) -> Vec<Value> {
    let values = &context.settings.values;
    let mut mounts = vec![mount("workload-socket", "/var/run/secrets/workload-spiffe-uds")];
    if files.credentials {
        mounts.push(mount("credential-socket", "/var/run/secrets/credential-uds"));
    }
    let certificates = "/var/run/secrets/workload-spiffe-credentials";
    mounts.push(if values.ca_name == GKE_CERTIFICATES {
        read_only_mount("gke-workload-certificate", certificates)
    } else {
        mount("workload-certs", certificates)
    });
    if values.pilot_cert_provider == "istiod" {
        mounts.push(mount("istiod-ca-cert", "/var/run/secrets/istio"));
        if files.revoked {
            mounts.push(mount("istio-ca-crl", "/var/run/secrets/istio/crl"));
        }
    }
    mounts.push(mount("istio-data", "/var/lib/istio/data"));
    if files.custom && files.credentials && context.has_annotation("sidecar.istio.io/bootstrapOverride") {
        mounts.push(mount("custom-bootstrap-volume", "/etc/istio/custom-bootstrap"));
    }
    mounts.push(mount(files.bootstrap, "/etc/istio/proxy"));
    mounts.push(mount("istio-token", "/var/run/secrets/tokens"));
    if values.mount_mtls_certs {
        mounts.push(read_only_mount("istio-certs", "/etc/certs/"));
    }
    mounts.push(mount("istio-podinfo", "/etc/istio/pod"));
    if files.custom {
        if let Some(folder) = lightstep_certificates(context) {
            mounts.push(read_only_mount("lightstep-certs", folder));
        }
        mounts.extend(named_items(context, "sidecar.istio.io/userVolumeMount"));
    }
    mounts
}

/// `volumes` of the pod.
pub(super) fn volumes(context: &Context<'_>, files: Files) -> Vec<Value> {
    let values = &context.settings.values;
    let empty = |name: &str| {
        if files.explicit {
            json!({"name": name, "emptyDir": {}})
        } else {
            json!({"name": name})
        }
    };
    let mut volumes = vec![empty("workload-socket")];
    if files.credentials {
        volumes.push(empty("credential-socket"));
    }
    volumes.push(if values.ca_name == GKE_CERTIFICATES {
        json!({
            "name": "gke-workload-certificate",
            "csi": {"driver": "workloadcertificates.security.cloud.google.com"},
        })
    } else {
        empty("workload-certs")
    });
    if files.custom
        && let Some(config_map) = annotation(context.pod, "sidecar.istio.io/bootstrapOverride")
    {
        volumes.push(json!({"name": "custom-bootstrap-volume", "configMap": {"name": config_map}}));
    }
    volumes.push(json!({"name": files.bootstrap, "emptyDir": {"medium": "Memory"}}));
    volumes.push(json!({"name": "istio-data", "emptyDir": {}}));
    let field = |path: &str, field: &str| json!({"path": path, "fieldRef": {"fieldPath": field}});
    volumes.push(json!({
        "name": "istio-podinfo",
        "downwardAPI": {"items": [
            field("labels", "metadata.labels"),
            field("annotations", "metadata.annotations"),
        ]},
    }));
    volumes.push(json!({
        "name": "istio-token",
        "projected": {"sources": [{"serviceAccountToken": {
            "audience": values.token_audience,
            "expirationSeconds": 43200,
            "path": "istio-token",
        }}]},
    }));
    if values.pilot_cert_provider == "istiod" {
        let source = if values.cluster_trust_bundle {
            json!({"projected": {"sources": [{"clusterTrustBundle": {
                "name": "istio.io:istiod-ca:root-cert",
                "path": "root-cert.pem",
            }}]}})
        } else {
            json!({"configMap": {"name": values.trust_bundle_name}})
        };
        let mut volume = json!({"name": "istiod-ca-cert"});
        if let (Value::Object(volume), Value::Object(source)) = (&mut volume, source) {
            volume.extend(source);
        }
        volumes.push(volume);
    }
    if files.revoked {
        volumes.push(json!({
            "name": "istio-ca-crl",
            "configMap": {"name": values.crl_config_map, "optional": true},
        }));
    }
    if values.mount_mtls_certs {
        let account = context
            .pod
            .get("spec")
            .map_or("", |spec| text(spec, "serviceAccountName"));
        let account = if account.is_empty() { "default" } else { account };
        volumes.push(json!({
            "name": "istio-certs",
            "secret": {"optional": true, "secretName": format!("istio.{account}")},
        }));
    }
    if files.custom {
        volumes.extend(named_items(context, "sidecar.istio.io/userVolume"));
        if lightstep_certificates(context).is_some() {
            volumes.push(json!({
                "name": "lightstep-certs",
                "secret": {"optional": true, "secretName": "lightstep.cacert"},
            }));
        }
    }
    volumes
}

/// The folder of the certificates for Lightstep, if that is the tracer and its connections use TLS.
fn lightstep_certificates<'a>(context: &Context<'a>) -> Option<&'a str> {
    let file = context.proxy.tracing_ca();
    (context.settings.values.tracer == "lightstep" && !file.is_empty())
        .then(|| file.rsplit_once('/').map_or(".", |(folder, _)| folder))
}

/// List items from an annotation that is a JSON map from their names.
fn named_items(context: &Context<'_>, annotation: &str) -> Vec<Value> {
    json_map(context, annotation)
        .into_iter()
        .map(|(name, value)| {
            let mut item = Map::new();
            item.insert("name".to_owned(), Value::String(name));
            if let Value::Object(fields) = value {
                item.extend(fields);
            }
            Value::Object(item)
        })
        .collect()
}

/// A pod of parts.
pub(super) fn pod(labels: Map, annotations: Map, spec: Map) -> Value {
    let mut metadata = Map::new();
    if !labels.is_empty() {
        metadata.insert("labels".to_owned(), Value::Object(labels));
    }
    if !annotations.is_empty() {
        metadata.insert("annotations".to_owned(), Value::Object(annotations));
    }
    let mut pod = Map::new();
    pod.insert("metadata".to_owned(), Value::Object(metadata));
    pod.insert("spec".to_owned(), Value::Object(spec));
    Value::Object(pod)
}

/// The proxy's container with its name and image.
pub(super) fn proxy_container(context: &Context<'_>) -> Map {
    let mut container = Map::new();
    container.insert("name".to_owned(), string(PROXY_CONTAINER));
    container.insert(
        "image".to_owned(),
        image(context, &context.settings.values.proxy_image, true),
    );
    container
}
