//! What a mesh says about injection: its `MeshConfig`, the values of its installation, and the injector's own
//! configuration.

use mesh_core::Labels;
use mesh_core::injection::selects;
use mesh_core::istio::mesh_config::{InboundTrafficPolicyMode, MeshConfig, ServiceAttributeEnrichment};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use mesh_core::schema::Message;
use mesh_yaml::Node;
use serde_json::Value;

use crate::proxy_config::ProxyConfig;
use crate::templates::Template;
use crate::tree::{list, plain, text};
use crate::values::{NativeSidecars, Values};

/// Everything that injection depends on besides the workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Settings of the whole mesh.
    pub mesh: MeshSettings,
    /// Values of the installation.
    pub values: Values,
    /// The injector's own configuration.
    pub injector: InjectorConfig,
    /// Revision that injects; empty for the default one.
    pub revision: String,
    /// Whether proxies are native sidecars, if the pod does not say.
    pub native_sidecars: bool,
    /// `ProxyConfig` resources.
    pub proxy_configs: Vec<ProxyConfigResource>,
    /// Variables of the proxy that the injector is told where it is called; see [`Settings::told`].
    pub environment: Labels,
}

impl Default for Settings {
    fn default() -> Self {
        Self::new(MeshSettings::default(), Values::default())
    }
}

impl Settings {
    /// Settings with the injector configuration that Istio installs. The revision is that of the values, and native
    /// sidecars are used only if the values say so outright.
    pub fn new(mesh: MeshSettings, values: Values) -> Self {
        Self {
            mesh,
            injector: InjectorConfig::default(),
            revision: values.revision.clone(),
            native_sidecars: values.native_sidecars == NativeSidecars::On,
            values,
            proxy_configs: Vec::new(),
            environment: Labels::new(),
        }
    }

    /// The revision as annotations name it.
    pub(crate) fn revision_name(&self) -> &str {
        match &*self.revision {
            "" => "default",
            revision => revision,
        }
    }
}

/// The part of a `MeshConfig` that injection reads.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshSettings {
    /// Port that captured outbound traffic is sent to.
    pub listen_port: i32,
    /// Port that captured inbound traffic is sent to.
    pub inbound_listen_port: i32,
    /// Whether the application's Prometheus metrics are merged with the proxy's.
    pub merges_prometheus: bool,
    /// Trust domain of the mesh.
    pub trust_domain: String,
    /// Namespace whose `ProxyConfig` resources are for the whole mesh.
    pub root_namespace: String,
    /// Whether inbound traffic goes to the application's loopback address (`inboundTrafficPolicy.mode: LOCALHOST`).
    pub sends_to_localhost: bool,
    /// Whether a tracing provider names services by the OpenTelemetry conventions.
    pub otel_attributes: bool,
    /// Settings of the proxies.
    pub default_config: ProxyConfig,
}

impl Default for MeshSettings {
    fn default() -> Self {
        Self::of(MeshConfig::compiled_defaults(), ProxyConfig::default())
    }
}

impl MeshSettings {
    /// Reads a `MeshConfig`, such as the key `mesh` of the ConfigMap `istio`. What it does not set has the value that
    /// istiod compiles in; what is of the wrong type counts as not set.
    pub fn read(config: Node<'_>) -> Self {
        let mut mesh = MeshConfig::compiled_defaults();
        mesh.merge(config);
        let mut proxy = ProxyConfig::default();
        if let Some(defaults) = config
            .get("defaultConfig")
            .or_else(|| config.get("default_config"))
        {
            proxy.merge(&defaults.to_json());
        }
        Self::of(mesh, proxy)
    }

    fn of(mesh: MeshConfig, default_config: ProxyConfig) -> Self {
        Self {
            listen_port: mesh.proxy_listen_port,
            inbound_listen_port: mesh.proxy_inbound_listen_port,
            merges_prometheus: mesh.enable_prometheus_merge.unwrap_or(true),
            trust_domain: mesh.trust_domain,
            root_namespace: mesh.root_namespace,
            sends_to_localhost: mesh
                .inbound_traffic_policy
                .is_some_and(|policy| policy.mode == InboundTrafficPolicyMode::Localhost),
            otel_attributes: mesh.extension_providers.iter().any(|provider| {
                provider.opentelemetry.as_ref().is_some_and(|otel| {
                    otel.service_attribute_enrichment == ServiceAttributeEnrichment::OtelSemanticConventions
                })
            }),
            default_config,
        }
    }
}

/// A `ProxyConfig` resource.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyConfigResource {
    /// Its namespace.
    pub namespace: String,
    /// Labels of the pods that it is for; `None` for all of its namespace.
    pub selector: Option<Labels>,
    /// Its `spec`, as JSON.
    pub spec: Value,
}

impl ProxyConfigResource {
    /// Reads a resource: a JSON object with `metadata` and `spec`.
    pub fn read(object: &Value) -> Self {
        let spec = object.get("spec").cloned().unwrap_or_default();
        let labels = spec
            .get("selector")
            .and_then(|selector| selector.get("matchLabels"))
            .and_then(Value::as_object);
        let selector = labels
            .map(|labels| {
                labels
                    .iter()
                    .map(|(key, value)| (key.clone(), plain(value)))
                    .collect()
            })
            .filter(|labels: &Labels| !labels.is_empty());
        Self {
            namespace: object
                .get("metadata")
                .map(|metadata| text(metadata, "namespace").to_owned())
                .unwrap_or_default(),
            selector,
            spec,
        }
    }
}

/// The injector's own configuration: what is beside the templates in the key `config` of the ConfigMap
/// `istio-sidecar-injector`.
#[derive(Clone, Debug, PartialEq)]
pub struct InjectorConfig {
    /// Whether pods are injected that do not say whether they want to be.
    pub policy: Policy,
    /// Pods that are injected although the policy is [`Policy::Disabled`].
    pub always: Vec<LabelSelector>,
    /// Pods that are not injected although the policy is [`Policy::Enabled`].
    pub never: Vec<LabelSelector>,
    /// Annotations that every injected pod gets.
    pub annotations: Vec<(String, String)>,
    /// The templates to use for pods that name none, by name.
    pub default_templates: Vec<String>,
    /// Names that stand for several templates.
    pub aliases: Vec<(String, Vec<String>)>,
}

/// Whether pods are injected that do not say whether they want to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// They are.
    #[default]
    Enabled,
    /// They are not.
    Disabled,
    /// A word that Istio does not know; pods are not injected then, not even those that want to be.
    Unknown(String),
}

impl Default for InjectorConfig {
    fn default() -> Self {
        Self::read(&Value::Null)
    }
}

impl InjectorConfig {
    /// Reads a configuration; what is missing is as Istio installs it.
    pub fn read(config: &Value) -> Self {
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let default_templates = config.get("defaultTemplates").map(texts).unwrap_or_default();
        Self {
            policy: match text(config, "policy") {
                "" | "enabled" => Policy::Enabled,
                "disabled" => Policy::Disabled,
                other => Policy::Unknown(other.to_owned()),
            },
            always: list(config, "alwaysInjectSelector")
                .iter()
                .map(selector)
                .collect(),
            never: list(config, "neverInjectSelector").iter().map(selector).collect(),
            annotations: config
                .get("injectedAnnotations")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), plain(value)))
                .collect(),
            default_templates: if default_templates.is_empty() {
                vec![Template::Sidecar.name().to_owned()]
            } else {
                default_templates
            },
            aliases: config
                .get("aliases")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
                .map(|(name, templates)| (name.clone(), texts(templates)))
                .collect(),
        }
    }
}

fn selector(value: &Value) -> LabelSelector {
    let labels = value.get("matchLabels").and_then(Value::as_object);
    let match_labels: Labels = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), plain(value)))
        .collect();
    let requirements = list(value, "matchExpressions")
        .iter()
        .map(|expression| LabelSelectorRequirement {
            key: text(expression, "key").to_owned(),
            operator: text(expression, "operator").to_owned(),
            values: Some(list(expression, "values").iter().map(plain).collect()),
        });
    LabelSelector {
        match_labels: Some(match_labels),
        match_expressions: Some(requirements.collect()),
    }
}

/// Whether a selector of the injector's configuration selects labels; one without conditions selects none.
pub(crate) fn selects_pod(selector: &LabelSelector, labels: &Labels) -> bool {
    let is_empty = selector.match_labels.as_ref().is_none_or(Labels::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty);
    !is_empty && selects(Some(selector), labels, None)
}
