//! Where each part of an injected pod comes from.

use mesh_core::injection::PROXY_CONTAINER;
use mesh_yaml::FieldPath;
use serde_json::Value;

use crate::merge::merge_key;
use crate::tree::{annotation, text};
use crate::{overrides, probes, prometheus};

/// Something that injection added or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    /// The field in the injected pod.
    pub path: FieldPath,
    /// What it is now, on one line.
    pub value: String,
    /// Whether it took the place of another value.
    pub is_change: bool,
    /// The setting or annotation that it comes from.
    pub cause: String,
}

/// Lists what an injected pod has that the pod had not, in the order of the injected pod.
pub fn explain(before: &Value, after: &Value) -> Vec<Addition> {
    let mut explainer = Explainer {
        before,
        after,
        additions: Vec::new(),
    };
    explainer.compare(Some(before), after, &FieldPath::default(), &mut Vec::new());
    explainer.additions
}

/// How deep additions are told apart: fields of containers and items of their lists, but not what is in those.
const DEEPEST: usize = 5;

struct Explainer<'a> {
    before: &'a Value,
    after: &'a Value,
    additions: Vec<Addition>,
}

impl Explainer<'_> {
    fn compare(&mut self, before: Option<&Value>, after: &Value, path: &FieldPath, keys: &mut Vec<String>) {
        if before == Some(after) {
            return;
        }
        match after {
            Value::Object(entries) if keys.len() < DEEPEST && !is_leaf(keys) => {
                for (key, value) in entries {
                    keys.push(key.clone());
                    self.compare(
                        before.and_then(|before| before.get(key)),
                        value,
                        &path.key(key),
                        keys,
                    );
                    keys.pop();
                }
            }
            Value::Array(items) if is_named_list(keys) => {
                let field = keys.last().and_then(|key| merge_key(key)).unwrap_or("name");
                let old = before.and_then(Value::as_array);
                for (index, item) in items.iter().enumerate() {
                    let same = old
                        .into_iter()
                        .flatten()
                        .find(|old| old.get(field) == item.get(field));
                    let name = item.get(field).map(crate::tree::plain).unwrap_or_default();
                    keys.push(name);
                    self.compare(same, item, &path.index(index), keys);
                    keys.pop();
                }
            }
            _ => {
                let cause = self.cause(keys);
                self.additions.push(Addition {
                    path: path.clone(),
                    value: crate::tree::plain(after).replace('\n', " ").trim().to_owned(),
                    is_change: before.is_some(),
                    cause,
                });
            }
        }
    }

    /// The first of the annotations that the pod has, or else the setting.
    fn annotated(&self, annotations: &[&str], setting: &str) -> String {
        let own = annotations
            .iter()
            .find(|name| annotation(self.before, name).is_some());
        own.map_or_else(|| setting.to_owned(), |name| format!("annotation {name}"))
    }

    fn cause(&self, keys: &[String]) -> String {
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        match keys.as_slice() {
            ["metadata", "labels", key] => self.label(key),
            ["metadata", "annotations", key] => self.annotation(key),
            ["spec", "volumes", name, ..] => volume(name),
            ["spec", "imagePullSecrets", ..] => "values global.imagePullSecrets".to_owned(),
            ["spec", "securityContext", ..] => "values gateways.securityContext".to_owned(),
            [
                "spec",
                "containers" | "initContainers",
                PROXY_CONTAINER,
                field @ ..,
            ] => self.proxy(field),
            [
                "spec",
                "initContainers",
                "istio-init" | "istio-validation",
                field @ ..,
            ] => self.init(field),
            [.., field, "httpGet" | "tcpSocket" | "grpc"]
            | [.., field, "httpGet" | "tcpSocket" | "grpc", _]
                if is_check(field) =>
            {
                self.rewritten()
            }
            [.., field] if is_check(field) => self.rewritten(),
            [.., "lifecycle", _, _] | [.., "lifecycle", _] | [.., "lifecycle"] => self.rewritten(),
            _ => "annotation inject.istio.io/templates".to_owned(),
        }
    }

    fn rewritten(&self) -> String {
        self.annotated(
            &["sidecar.istio.io/rewriteAppHTTPProbers"],
            "values sidecarInjectorWebhook.rewriteAppHTTPProbe",
        )
    }

    fn label(&self, key: &str) -> String {
        let own = |names: &[&str], default: &str| {
            names
                .iter()
                .find(|name| crate::tree::label(self.before, name).is_some())
                .map_or_else(|| default.to_owned(), |name| format!("label {name}"))
        };
        match key {
            "service.istio.io/canonical-name" => {
                own(&["app.kubernetes.io/name", "app"], "name of the workload")
            }
            "service.istio.io/canonical-revision" => own(
                &["app.kubernetes.io/version", "version"],
                "no label with a version",
            ),
            "topology.istio.io/network" => "values global.network".to_owned(),
            "networking.istio.io/tunnel" => "proxyMetadata ISTIO_META_ENABLE_HBONE".to_owned(),
            _ => "every sidecar".to_owned(),
        }
    }

    fn annotation(&self, key: &str) -> String {
        match key {
            "istio.io/rev" => "revision of the injector".to_owned(),
            "prometheus.io/path" | "prometheus.io/port" | "prometheus.io/scrape" => self.annotated(
                &["prometheus.istio.io/merge-metrics"],
                "mesh enablePrometheusMerge",
            ),
            overrides::ANNOTATION => format!("container {PROXY_CONTAINER} of the pod"),
            "sidecar.istio.io/status" => "every injection".to_owned(),
            "kubectl.kubernetes.io/default-container" | "kubectl.kubernetes.io/default-logs-container" => {
                "first container of the pod".to_owned()
            }
            key if key.starts_with("traffic.sidecar.istio.io/")
                || key.starts_with("k8s.v1.cni.cncf.io/")
                || key == "sidecar.istio.io/interceptionMode" =>
            {
                "values pilot.cni.enabled".to_owned()
            }
            _ => "values sidecarInjectorWebhook.injectedAnnotations".to_owned(),
        }
    }

    fn init(&self, field: &[&str]) -> String {
        match field {
            ["image", ..] => self.annotated(
                &["sidecar.istio.io/proxyImage", "sidecar.istio.io/proxyImageType"],
                "values global.proxy_init.image",
            ),
            ["env", name, ..] => metadata_variable(name),
            ["resources", ..] => self.resources(),
            ["args", ..] => {
                "mesh interceptionMode, values global.proxy, annotations traffic.sidecar.istio.io/*"
                    .to_owned()
            }
            ["imagePullPolicy"] => "values global.imagePullPolicy".to_owned(),
            _ => "values pilot.cni.enabled, global.proxy.privileged".to_owned(),
        }
    }

    fn resources(&self) -> String {
        self.annotated(
            &[
                "sidecar.istio.io/proxyCPU",
                "sidecar.istio.io/proxyMemory",
                "sidecar.istio.io/proxyCPULimit",
                "sidecar.istio.io/proxyMemoryLimit",
            ],
            "values global.proxy.resources",
        )
    }

    fn proxy(&self, field: &[&str]) -> String {
        match field {
            ["image", ..] => self.annotated(
                &["sidecar.istio.io/proxyImage", "sidecar.istio.io/proxyImageType"],
                "values global.hub, global.proxy.image, global.tag",
            ),
            ["args", ..] => self.annotated(
                &[
                    "sidecar.istio.io/logLevel",
                    "sidecar.istio.io/componentLogLevel",
                    "sidecar.istio.io/agentLogLevel",
                ],
                "values global.proxy.clusterDomain, global.proxy.logLevel, global.logging.level",
            ),
            ["resources", ..] => self.resources(),
            ["lifecycle", ..] => {
                "mesh holdApplicationUntilProxyStarts, values global.proxy.lifecycle".to_owned()
            }
            ["restartPolicy"] => self.annotated(&["sidecar.istio.io/nativeSidecar"], "native sidecars"),
            ["imagePullPolicy"] => "values global.imagePullPolicy".to_owned(),
            ["readinessProbe", ..] => self.annotated(
                &[
                    "readiness.status.sidecar.istio.io/initialDelaySeconds",
                    "readiness.status.sidecar.istio.io/periodSeconds",
                    "readiness.status.sidecar.istio.io/failureThreshold",
                ],
                "values global.proxy.readiness*",
            ),
            ["startupProbe", ..] => "values global.proxy.startupProbe".to_owned(),
            ["securityContext", ..] => self.annotated(
                &[
                    "sidecar.istio.io/interceptionMode",
                    "sidecar.istio.io/capNetBindService",
                ],
                "values global.proxy.privileged",
            ),
            ["env", name, ..] => self.variable(name),
            ["volumeMounts", ..] => "volumes of the proxy".to_owned(),
            _ => "every proxy".to_owned(),
        }
    }

    fn variable(&self, name: &str) -> String {
        match name {
            "PROXY_CONFIG" => self.annotated(
                &["proxy.istio.io/config"],
                "mesh defaultConfig, ProxyConfig resources",
            ),
            "CA_ADDR" => "values global.caAddress, revision, global.istioNamespace".to_owned(),
            "PILOT_CERT_PROVIDER" => "values global.pilotCertProvider".to_owned(),
            "ISTIO_META_CLUSTER_ID" => "values global.multiCluster.clusterName".to_owned(),
            "ISTIO_META_NETWORK" => "values global.network".to_owned(),
            "ISTIO_META_MESH_ID" => "values global.meshID, mesh trustDomain".to_owned(),
            "TRUST_DOMAIN" => "mesh trustDomain".to_owned(),
            "ISTIO_META_INTERCEPTION_MODE" => {
                self.annotated(&["sidecar.istio.io/interceptionMode"], "mesh interceptionMode")
            }
            "ISTIO_META_POD_PORTS" => "ports of the pod's containers".to_owned(),
            "ISTIO_META_APP_CONTAINERS" => "containers of the pod".to_owned(),
            "ISTIO_META_WORKLOAD_NAME" | "ISTIO_META_OWNER" => "name of the workload".to_owned(),
            "ISTIO_BOOTSTRAP_OVERRIDE" => "annotation sidecar.istio.io/bootstrapOverride".to_owned(),
            "OTEL_RESOURCE_ATTRIBUTES" => "mesh extensionProviders".to_owned(),
            "COMPLIANCE_POLICY" | "GODEBUG" => "values pilot.env.COMPLIANCE_POLICY".to_owned(),
            probes::VARIABLE => "health checks and hooks of the pod".to_owned(),
            prometheus::VARIABLE => "annotations prometheus.io/*".to_owned(),
            name if self.is_standard_variable(name) => "every proxy".to_owned(),
            name => metadata_variable(name),
        }
    }

    /// Whether every proxy has the variable: one whose value is a field of the pod or its limits.
    fn is_standard_variable(&self, name: &str) -> bool {
        let proxies = ["containers", "initContainers"];
        proxies
            .iter()
            .filter_map(|key| crate::tree::named(crate::tree::containers(self.after, key), PROXY_CONTAINER))
            .flat_map(|proxy| crate::tree::list(proxy, "env"))
            .any(|variable| text(variable, "name") == name && variable.get("valueFrom").is_some())
    }
}

const STANDARD_VOLUMES: [&str; 8] = [
    "credential-socket",
    "grpc-io-proxyless-bootstrap",
    "istio-data",
    "istio-envoy",
    "istio-podinfo",
    "istio-xds",
    "workload-certs",
    "workload-socket",
];

fn is_check(field: &str) -> bool {
    probes::PROBES.iter().any(|(name, _)| *name == field)
}

/// Whether what is at the keys is told as a whole.
fn is_leaf(keys: &[String]) -> bool {
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    match keys.as_slice() {
        ["spec", "containers" | "initContainers", _, field] => {
            matches!(*field, "resources" | "securityContext" | "lifecycle") || is_check(field)
        }
        ["spec", "volumes" | "imagePullSecrets", _]
        | [
            "spec",
            "containers" | "initContainers",
            _,
            "env" | "volumeMounts" | "ports",
            _,
        ] => true,
        _ => false,
    }
}

/// Whether the items of the list at the keys have names.
fn is_named_list(keys: &[String]) -> bool {
    match keys {
        [spec, list] if spec == "spec" => merge_key(list).is_some(),
        [_, list, _, field] if list == "containers" || list == "initContainers" => merge_key(field).is_some(),
        _ => false,
    }
}

fn volume(name: &str) -> String {
    match name {
        "istio-certs" => "values global.mountMtlsCerts".to_owned(),
        "istiod-ca-cert" => "values global.pilotCertProvider".to_owned(),
        "istio-ca-crl" => "values pilot.crlConfigMapName".to_owned(),
        "istio-token" => "values global.sds.token.aud".to_owned(),
        "custom-bootstrap-volume" => "annotation sidecar.istio.io/bootstrapOverride".to_owned(),
        "gke-workload-certificate" => "values global.caName".to_owned(),
        "lightstep-certs" => "values global.proxy.tracer".to_owned(),
        name if STANDARD_VOLUMES.contains(&name) => "every proxy".to_owned(),
        _ => "annotation sidecar.istio.io/userVolume".to_owned(),
    }
}

fn metadata_variable(name: &str) -> String {
    format!("proxyMetadata {name}")
}
