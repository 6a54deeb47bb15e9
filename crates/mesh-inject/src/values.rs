//! The part of an installation's values that injection reads.

use serde_json::Value;

use crate::tree::{at, plain};

/// Values of an installation, with the defaults of Istio's charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Registry of the images (`global.hub`).
    pub hub: String,
    /// Tag of the images (`global.tag`).
    pub tag: String,
    /// Variant of the images, such as `distroless` (`global.variant`).
    pub variant: String,
    /// Image of the proxy (`global.proxy.image`).
    pub proxy_image: String,
    /// Image of the init container (`global.proxy_init.image`).
    pub init_image: String,
    /// `imagePullPolicy` of the containers; empty for the cluster's default (`global.imagePullPolicy`).
    pub image_pull_policy: String,
    /// Secrets for pulling the images (`global.imagePullSecrets`).
    pub image_pull_secrets: Vec<String>,
    /// Namespace of the control plane (`global.istioNamespace`).
    pub istio_namespace: String,
    /// Revision of the control plane; empty for the default one (`revision`).
    pub revision: String,
    /// Who signs the control plane's certificate (`global.pilotCertProvider`).
    pub pilot_cert_provider: String,
    /// Address of the certificate authority; empty for istiod (`global.caAddress`).
    pub ca_address: String,
    /// Name of the certificate authority (`global.caName`).
    pub ca_name: String,
    /// Name of the ConfigMap with the root certificate (`global.trustBundleName`).
    pub trust_bundle_name: String,
    /// Whether the root certificate is a ClusterTrustBundle (`pilot.env.ENABLE_CLUSTER_TRUST_BUNDLE_API`).
    pub cluster_trust_bundle: bool,
    /// Name of the ConfigMap with revoked certificates (`pilot.crlConfigMapName`).
    pub crl_config_map: String,
    /// Name of the cluster (`global.multiCluster.clusterName`).
    pub cluster_name: String,
    /// Network of the cluster (`global.network`).
    pub network: String,
    /// Name of the mesh (`global.meshID`).
    pub mesh_id: String,
    /// Compliance policy, such as `fips-140-2` (`pilot.env.COMPLIANCE_POLICY`).
    pub compliance_policy: String,
    /// Audience of the proxies' tokens (`global.sds.token.aud`).
    pub token_audience: String,
    /// Port of the token exchange; 0 for none (`global.sts.servicePort`).
    pub sts_port: i64,
    /// Log levels of the agent (`global.logging.level`).
    pub log_level: String,
    /// Whether logs are JSON (`global.logAsJson`).
    pub log_as_json: bool,
    /// Whether workload certificates are read from `/etc/certs` (`global.mountMtlsCerts`).
    pub mount_mtls_certs: bool,
    /// Whether iptables rules are applied whatever is there (`global.proxy_init.forceApplyIptables`).
    pub force_apply_iptables: bool,
    /// Whether rules are those of nftables (`global.nativeNftables`).
    pub native_nftables: bool,
    /// DNS domain of the cluster (`global.proxy.clusterDomain`).
    pub cluster_domain: String,
    /// Log level of Envoy (`global.proxy.logLevel`).
    pub proxy_log_level: String,
    /// Log levels of Envoy's components (`global.proxy.componentLogLevel`).
    pub component_log_level: String,
    /// File of Envoy's outlier events; empty for none (`global.proxy.outlierLogPath`).
    pub outlier_log_path: String,
    /// Whether the containers are privileged (`global.proxy.privileged`).
    pub privileged: bool,
    /// Port of the agent's health and metrics; `0` for none (`global.proxy.statusPort`).
    pub status_port: String,
    /// Delay of the readiness probe (`global.proxy.readinessInitialDelaySeconds`).
    pub readiness_initial_delay: i64,
    /// Period of the readiness probe (`global.proxy.readinessPeriodSeconds`).
    pub readiness_period: i64,
    /// Failures of the readiness probe (`global.proxy.readinessFailureThreshold`).
    pub readiness_failures: i64,
    /// Failures of the startup probe; `None` for no probe (`global.proxy.startupProbe`).
    pub startup_failures: Option<i64>,
    /// Inbound ports to capture (`global.proxy.includeInboundPorts`).
    pub include_inbound_ports: String,
    /// Inbound ports to leave alone (`global.proxy.excludeInboundPorts`).
    pub exclude_inbound_ports: String,
    /// Destinations to capture (`global.proxy.includeIPRanges`).
    pub include_ip_ranges: String,
    /// Destinations to leave alone (`global.proxy.excludeIPRanges`).
    pub exclude_ip_ranges: String,
    /// Outbound ports to capture (`global.proxy.includeOutboundPorts`).
    pub include_outbound_ports: String,
    /// Outbound ports to leave alone (`global.proxy.excludeOutboundPorts`).
    pub exclude_outbound_ports: String,
    /// Whether the application waits for the proxy (`global.proxy.holdApplicationUntilProxyStarts`).
    pub hold_application: bool,
    /// Lifecycle hooks of the proxy (`global.proxy.lifecycle`).
    pub lifecycle: Option<Value>,
    /// Resources of the proxy and of the init container, without nulls (`global.proxy.resources`).
    pub resources: Option<Value>,
    /// Seccomp profile of the containers (`global.proxy.seccompProfile`).
    pub seccomp_profile: Option<Value>,
    /// The old way to choose a tracer (`global.proxy.tracer`).
    pub tracer: String,
    /// Whether the CNI plugin sets up capturing (`pilot.cni.enabled`).
    pub cni_enabled: bool,
    /// How the CNI plugin is run (`pilot.cni.provider`).
    pub cni_provider: String,
    /// Whether health checks go through the agent (`sidecarInjectorWebhook.rewriteAppHTTPProbe`).
    pub rewrite_probes: bool,
    /// Annotations to add to every injected pod (`sidecarInjectorWebhook.injectedAnnotations`).
    pub injected_annotations: Vec<(String, String)>,
    /// `securityContext` of gateway pods (`gateways.securityContext`).
    pub gateway_security_context: Option<Value>,
    /// Seccomp profile of gateways (`gateways.seccompProfile`).
    pub gateway_seccomp_profile: Option<Value>,
    /// Whether the control plane makes native sidecars (`pilot.env.ENABLE_NATIVE_SIDECARS`).
    pub native_sidecars: NativeSidecars,
}

/// Whether proxies are init containers that go on running.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NativeSidecars {
    /// Where all nodes of the cluster have Kubernetes 1.33 or later.
    #[default]
    Auto,
    /// Everywhere.
    On,
    /// Nowhere.
    Off,
}

impl Default for Values {
    fn default() -> Self {
        Self::read(&Value::Null)
    }
}

impl Values {
    /// Reads values: the content of the key `values` of the ConfigMap `istio-sidecar-injector`, or values of the
    /// `istiod` chart. What is missing, null or of a type that cannot be read is the chart's default, and keys that
    /// injection does not read are passed over.
    pub fn read(values: &Value) -> Self {
        let read = Reader { values };
        let proxy = |key: &'static str| ["global", "proxy", key];
        Self {
            hub: read.text(&["global", "hub"], DEFAULT_HUB),
            tag: read.text(&["global", "tag"], DEFAULT_TAG),
            variant: read.text(&["global", "variant"], ""),
            proxy_image: read.text(&proxy("image"), "proxyv2"),
            init_image: read.text(&["global", "proxy_init", "image"], "proxyv2"),
            image_pull_policy: read.text(&["global", "imagePullPolicy"], ""),
            image_pull_secrets: read.names(&["global", "imagePullSecrets"]),
            istio_namespace: read.text(&["global", "istioNamespace"], "istio-system"),
            revision: read.text(&["revision"], ""),
            pilot_cert_provider: read.text(&["global", "pilotCertProvider"], "istiod"),
            ca_address: read.text(&["global", "caAddress"], ""),
            ca_name: read.text(&["global", "caName"], ""),
            trust_bundle_name: read.text(&["global", "trustBundleName"], "istio-ca-root-cert"),
            cluster_trust_bundle: read.flag(&["pilot", "env", "ENABLE_CLUSTER_TRUST_BUNDLE_API"], false),
            crl_config_map: read.text(&["pilot", "crlConfigMapName"], "istio-ca-crl"),
            cluster_name: read.text(&["global", "multiCluster", "clusterName"], ""),
            network: read.text(&["global", "network"], ""),
            mesh_id: read.text(&["global", "meshID"], ""),
            compliance_policy: read.text(&["pilot", "env", "COMPLIANCE_POLICY"], ""),
            token_audience: read.text(&["global", "sds", "token", "aud"], "istio-ca"),
            sts_port: read.number(&["global", "sts", "servicePort"], 0),
            log_level: read.text(&["global", "logging", "level"], "default:info"),
            log_as_json: read.flag(&["global", "logAsJson"], false),
            mount_mtls_certs: read.flag(&["global", "mountMtlsCerts"], false),
            force_apply_iptables: read.flag(&["global", "proxy_init", "forceApplyIptables"], false),
            native_nftables: read.flag(&["global", "nativeNftables"], false),
            cluster_domain: read.text(&proxy("clusterDomain"), "cluster.local"),
            proxy_log_level: read.text(&proxy("logLevel"), "warning"),
            component_log_level: read.text(&proxy("componentLogLevel"), "misc:error"),
            outlier_log_path: read.text(&proxy("outlierLogPath"), ""),
            privileged: read.flag(&proxy("privileged"), false),
            status_port: read.text(&proxy("statusPort"), "15020"),
            readiness_initial_delay: read.number(&proxy("readinessInitialDelaySeconds"), 0),
            readiness_period: read.number(&proxy("readinessPeriodSeconds"), 15),
            readiness_failures: read.number(&proxy("readinessFailureThreshold"), 4),
            startup_failures: read
                .flag(&["global", "proxy", "startupProbe", "enabled"], true)
                .then(|| read.number(&["global", "proxy", "startupProbe", "failureThreshold"], 600)),
            include_inbound_ports: read.text(&proxy("includeInboundPorts"), "*"),
            exclude_inbound_ports: read.text(&proxy("excludeInboundPorts"), ""),
            include_ip_ranges: read.text(&proxy("includeIPRanges"), "*"),
            exclude_ip_ranges: read.text(&proxy("excludeIPRanges"), ""),
            include_outbound_ports: read.text(&proxy("includeOutboundPorts"), ""),
            exclude_outbound_ports: read.text(&proxy("excludeOutboundPorts"), ""),
            hold_application: read.flag(&proxy("holdApplicationUntilProxyStarts"), false),
            lifecycle: read.map(&proxy("lifecycle")),
            resources: match at(values, &proxy("resources")) {
                None => Some(default_resources()),
                Some(resources) => without_nulls(resources),
            },
            seccomp_profile: read.map(&proxy("seccompProfile")),
            tracer: read.text(&proxy("tracer"), "none"),
            cni_enabled: read.flag(&["pilot", "cni", "enabled"], false),
            cni_provider: read.text(&["pilot", "cni", "provider"], "default"),
            rewrite_probes: read.flag(&["sidecarInjectorWebhook", "rewriteAppHTTPProbe"], true),
            injected_annotations: read.pairs(&["sidecarInjectorWebhook", "injectedAnnotations"]),
            gateway_security_context: read.map(&["gateways", "securityContext"]),
            gateway_seccomp_profile: read.map(&["gateways", "seccompProfile"]),
            native_sidecars: match &*read.text(&["pilot", "env", "ENABLE_NATIVE_SIDECARS"], "auto") {
                "auto" => NativeSidecars::Auto,
                "true" => NativeSidecars::On,
                _ => NativeSidecars::Off,
            },
        }
    }
}

/// Registry of Istio's release images.
pub const DEFAULT_HUB: &str = "docker.io/istio";

/// The release of Istio whose injection the built-in defaults are those of.
pub const DEFAULT_TAG: &str = "1.31.4";

/// What a proxy asks for, and may use at most, by the charts' default.
fn default_resources() -> Value {
    serde_json::json!({
        "limits": {"cpu": "2000m", "memory": "1024Mi"},
        "requests": {"cpu": "100m", "memory": "128Mi"},
    })
}

/// The value without nulls and without the maps that become empty by that; `None` if nothing is left.
fn without_nulls(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(map) => {
            let kept: serde_json::Map<_, _> = map
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), without_nulls(value)?)))
                .collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other.clone()),
    }
}

struct Reader<'v> {
    values: &'v Value,
}

impl Reader<'_> {
    /// Text; numbers and booleans are taken as they are written, for tags such as `1.30`.
    fn text(&self, path: &[&str], default: &str) -> String {
        match at(self.values, path) {
            Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => plain(value),
            _ => default.to_owned(),
        }
    }

    fn flag(&self, path: &[&str], default: bool) -> bool {
        match at(self.values, path) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => default,
        }
    }

    fn number(&self, path: &[&str], default: i64) -> i64 {
        match at(self.values, path) {
            Some(Value::Number(number)) => number.as_i64().unwrap_or(default),
            Some(Value::String(text)) => text.parse().unwrap_or(default),
            _ => default,
        }
    }

    /// A map that is not empty.
    fn map(&self, path: &[&str]) -> Option<Value> {
        at(self.values, path)
            .filter(|value| value.as_object().is_some_and(|map| !map.is_empty()))
            .cloned()
    }

    /// A list of names, each written as it is or as `name: …`.
    fn names(&self, path: &[&str]) -> Vec<String> {
        let items = at(self.values, path).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().or_else(|| item.get("name")?.as_str()))
            .map(str::to_owned)
            .collect()
    }

    fn pairs(&self, path: &[&str]) -> Vec<(String, String)> {
        let map = at(self.values, path).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn missing_null_and_odd_values_are_the_defaults() {
        let defaults = Values::default();
        assert_eq!(defaults.status_port, "15020");
        assert_eq!(defaults.startup_failures, Some(600));
        let odd = json!({
            "global": {"hub": null, "tag": 1.5, "proxy": {"statusPort": 0, "resources": {"limits": null}}},
            "revision": {},
            "other": 1,
        });
        let values = Values::read(&odd);
        assert_eq!(
            values,
            Values {
                tag: "1.5".to_owned(),
                status_port: "0".to_owned(),
                resources: None,
                ..defaults
            }
        );
    }

    #[test]
    fn resources_lose_their_nulls() {
        let values = json!({"global": {"proxy": {"resources": {
            "limits": {"cpu": null, "memory": null}, "requests": {"cpu": "10m", "memory": null},
        }}}});
        assert_eq!(
            Values::read(&values).resources,
            Some(json!({"requests": {"cpu": "10m"}}))
        );
    }
}
