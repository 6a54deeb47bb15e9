//! `ProxyConfig` of the mesh: merged from its sources, and as the JSON that the proxy reads.

use std::sync::LazyLock;

use mesh_core::istio::mesh_config::MeshProxyConfig;
use mesh_core::schema::{Duration, Message, MessageSchema, Type};
use serde_json::Value;

use crate::settings::{ProxyConfigResource, Settings};
use crate::tree::{Map, plain, text};

/// The fields in the order of the protobuf message, which is that of its JSON.
const ORDER: [&str; 40] = [
    "configPath",
    "binaryPath",
    "serviceCluster",
    "tracingServiceName",
    "drainDuration",
    "discoveryAddress",
    "discoveryRefreshDelay",
    "zipkinAddress",
    "statsdUdpAddress",
    "envoyMetricsServiceAddress",
    "proxyAdminPort",
    "availabilityZone",
    "controlPlaneAuthPolicy",
    "customConfigFile",
    "statNameLength",
    "concurrency",
    "proxyBootstrapTemplatePath",
    "interceptionMode",
    "tracing",
    "sds",
    "envoyAccessLogService",
    "envoyMetricsService",
    "proxyMetadata",
    "runtimeValues",
    "statusPort",
    "extraStatTags",
    "gatewayTopology",
    "terminationDrainDuration",
    "meshId",
    "readinessProbe",
    "proxyStatsMatcher",
    "holdApplicationUntilProxyStarts",
    "caCertificatesPem",
    "image",
    "privateKeyProvider",
    "proxyHeaders",
    "fileFlushInterval",
    "fileFlushMinSizeKb",
    "statsCompression",
    "connectionSettings",
];

/// Settings of a proxy: those fields that differ from what istiod compiles in, in the form of proto JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProxyConfig {
    fields: Map,
}

impl ProxyConfig {
    /// Lays fields over these. Messages and lists replace what was there; `proxyMetadata` is merged key by key.
    /// Fields that do not exist, or of the wrong type, are passed over.
    pub fn merge(&mut self, overlay: &Value) {
        let schema = MeshProxyConfig::schema();
        for (key, value) in overlay.as_object().into_iter().flatten() {
            let Some(field) = schema.field(key) else { continue };
            if field.name == "proxyMetadata" {
                let metadata = crate::tree::map_mut(&mut self.fields, field.name);
                for (key, value) in value.as_object().into_iter().flatten() {
                    metadata.insert(key.clone(), Value::String(plain(value)));
                }
            } else {
                // A value that equals protobuf's default resets the field to it, which may not be the compiled one.
                let value = canonical(field.name, value, &field.ty, field.constraints.nullable);
                self.fields
                    .insert(field.name.to_owned(), value.unwrap_or(Value::Null));
            }
        }
    }

    /// How inbound traffic is captured.
    pub fn interception_mode(&self) -> &str {
        match text_of(&self.fields, "interceptionMode") {
            "" => "REDIRECT",
            mode => mode,
        }
    }

    /// Whether the application waits for the proxy.
    pub fn holds_application(&self) -> bool {
        self.fields
            .get("holdApplicationUntilProxyStarts")
            .and_then(Value::as_bool)
            .unwrap_or_default()
    }

    /// Environment variables of the proxy, sorted by name.
    pub fn metadata(&self) -> Vec<(&str, &str)> {
        let entries = self.fields.get("proxyMetadata").and_then(Value::as_object);
        let mut metadata: Vec<_> = entries
            .into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
            .collect();
        metadata.sort_unstable();
        metadata
    }

    /// Whether `proxyMetadata` has this value.
    pub(crate) fn has_metadata(&self, key: &str, value: &str) -> bool {
        self.fields
            .get("proxyMetadata")
            .is_some_and(|metadata| text(metadata, key) == value)
    }

    /// Variant of the proxy's image; empty if not set.
    pub fn image_type(&self) -> &str {
        self.fields
            .get("image")
            .map_or("", |image| text(image, "imageType"))
    }

    /// Port of the agent's health and metrics.
    pub fn status_port(&self) -> i64 {
        match self.fields.get("statusPort") {
            None => DEFAULT_STATUS_PORT,
            Some(port) => port.as_i64().unwrap_or_default(),
        }
    }

    /// The file of the certificate authority that the tracer's connections trust; empty if not set.
    pub(crate) fn tracing_ca(&self) -> &str {
        let tls = self
            .fields
            .get("tracing")
            .and_then(|tracing| tracing.get("tlsSettings"));
        tls.map_or("", |tls| text(tls, "caCertificates"))
    }

    /// The JSON of the proxy's environment variable `PROXY_CONFIG`: compact, without what the proxy assumes anyway.
    pub fn json(&self) -> String {
        let mut ordered = Map::new();
        for name in ORDER {
            let Some(value) = self.fields.get(name) else {
                continue;
            };
            let is_empty =
                value.is_null() || (name == "proxyMetadata" && value.as_object().is_some_and(Map::is_empty));
            if is_empty || is_compiled(name, value) {
                continue;
            }
            let mut value = value.clone();
            if let (Value::Object(map), "proxyMetadata" | "runtimeValues") = (&mut value, name) {
                map.sort_keys();
            }
            ordered.insert(name.to_owned(), value);
        }
        Value::Object(ordered).to_string()
    }
}

/// Port of the agent's health and metrics, if not set.
const DEFAULT_STATUS_PORT: i64 = 15020;

/// Whether the value is the one that istiod compiles in.
fn is_compiled(name: &str, value: &Value) -> bool {
    static COMPILED: LazyLock<MeshProxyConfig> = LazyLock::new(MeshProxyConfig::compiled_defaults);
    let compiled = &*COMPILED;
    match name {
        "configPath" => *value == *compiled.config_path,
        "binaryPath" => *value == *compiled.binary_path,
        "serviceCluster" => value.as_str() == compiled.service_cluster.as_deref(),
        "drainDuration" => value == "45s",
        "discoveryAddress" => *value == *compiled.discovery_address,
        "proxyAdminPort" => *value == compiled.proxy_admin_port,
        "controlPlaneAuthPolicy" => value == "MUTUAL_TLS",
        "statNameLength" => *value == compiled.stat_name_length,
        "statusPort" => *value == compiled.status_port,
        "terminationDrainDuration" => *value == *compiled.termination_drain_duration,
        _ => false,
    }
}

fn text_of<'m>(map: &'m Map, key: &str) -> &'m str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The value as proto JSON writes it; `None` if it is the default of its type, which proto JSON leaves out.
fn canonical(name: &str, value: &Value, ty: &Type, nullable: bool) -> Option<Value> {
    let keep = |value: Value, is_default: bool| (nullable || !is_default).then_some(value);
    match ty {
        _ if value.is_null() => None,
        // The API's type is a duration.
        Type::String if name == "terminationDrainDuration" => duration(value),
        Type::Duration => duration(value),
        Type::Message(schema) => Some(message(value, schema())),
        Type::List(item) => {
            let items = value.as_array()?.iter();
            let items: Vec<_> = items
                .map(|value| canonical(name, value, item, true).unwrap_or_default())
                .collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        Type::Map(item) => {
            let mut map: Map = value
                .as_object()?
                .iter()
                .map(|(key, value)| {
                    (
                        key.clone(),
                        canonical(name, value, item, true).unwrap_or_default(),
                    )
                })
                .collect();
            map.sort_keys();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        Type::Enum(schema) => {
            let word = match value {
                // Protobuf's JSON takes numbers of enum values too.
                Value::Number(number) => schema.values.get(usize::try_from(number.as_u64()?).ok()?)?.name,
                other => other.as_str()?,
            };
            let is_default = schema.values.first().is_some_and(|first| first.name == word);
            keep(Value::String(word.to_owned()), is_default)
        }
        Type::String | Type::Bytes | Type::Timestamp | Type::IntOrString | Type::PlainText => {
            let text = plain(value);
            let is_default = text.is_empty();
            keep(Value::String(text), is_default)
        }
        Type::Boolean => Some(value.as_bool()?).and_then(|flag| keep(flag.into(), !flag)),
        Type::Int64 | Type::Uint64 => {
            let text = plain(value);
            let is_default = text == "0";
            keep(Value::String(text), is_default)
        }
        Type::Int32 | Type::Uint32 => {
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
            keep(number.into(), number == 0)
        }
        Type::Float | Type::Double => {
            let number = value.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "guarded: integral and small")]
            let whole = (number.fract() == 0.0 && number.abs() < 1e9).then(|| Value::from(number as i64));
            keep(whole.unwrap_or_else(|| number.into()), number == 0.0)
        }
        Type::Any | Type::Value | Type::Kubernetes(_) => Some(value.clone()),
    }
}

fn message(value: &Value, schema: &'static MessageSchema) -> Value {
    let mut fields = Map::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        let Some(field) = schema.field(key) else { continue };
        if let Some(value) = canonical(field.name, value, &field.ty, field.constraints.nullable) {
            fields.insert(field.name.to_owned(), value);
        }
    }
    Value::Object(fields)
}

/// A duration as proto JSON writes it: seconds, with 3, 6 or 9 digits after the point if there are any.
fn duration(value: &Value) -> Option<Value> {
    let nanoseconds = Duration::parse(value.as_str()?)?.as_nanos();
    let (seconds, rest) = (
        nanoseconds / 1_000_000_000,
        (nanoseconds % 1_000_000_000).unsigned_abs(),
    );
    let sign = if nanoseconds < 0 && seconds == 0 { "-" } else { "" };
    let fraction = match rest {
        0 => String::new(),
        _ if rest.is_multiple_of(1_000_000) => format!(".{:03}", rest / 1_000_000),
        _ if rest.is_multiple_of(1_000) => format!(".{:06}", rest / 1_000),
        _ => format!(".{rest:09}"),
    };
    Some(Value::String(format!("{sign}{seconds}{fraction}s")))
}

/// The settings of a pod's proxy: those of the mesh, then of `ProxyConfig` resources for the mesh, the namespace and
/// the pod, then of the pod's annotation, each over the ones before.
pub(crate) fn effective(
    settings: &Settings,
    namespace: &str,
    pod: &Value,
    annotation: Option<&Value>,
) -> ProxyConfig {
    let mut config = settings.mesh.default_config.clone();
    let root = &settings.mesh.root_namespace;
    let is_selected = |resource: &ProxyConfigResource| {
        resource.selector.as_ref().is_some_and(|selector| {
            selector
                .iter()
                .all(|(key, value)| crate::tree::label(pod, key) == Some(value))
        })
    };
    let whole = |namespace: &str| {
        settings
            .proxy_configs
            .iter()
            .find(|resource| resource.namespace == namespace && resource.selector.is_none())
    };
    let own = settings
        .proxy_configs
        .iter()
        .find(|resource| resource.namespace == namespace && is_selected(resource));
    let of_namespace = whole(namespace).filter(|_| namespace != root);
    for resource in [whole(root), of_namespace, own].into_iter().flatten() {
        config.merge(&resource_fields(&resource.spec));
    }
    if let Some(annotation) = annotation {
        config.merge(annotation);
    }
    config
}

/// A `ProxyConfig` resource's fields under the names that `MeshConfig` has for them.
fn resource_fields(spec: &Value) -> Value {
    let mut fields = Map::new();
    for (from, to) in [
        ("concurrency", "concurrency"),
        ("environmentVariables", "proxyMetadata"),
        ("image", "image"),
    ] {
        if let Some(value) = spec.get(from).filter(|value| !value.is_null()) {
            fields.insert(to.to_owned(), value.clone());
        }
    }
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn json_of(overlays: &[Value]) -> String {
        let mut config = ProxyConfig::default();
        for overlay in overlays {
            config.merge(overlay);
        }
        config.json()
    }

    #[test]
    fn compiled_values_are_left_out() {
        for (overlay, expected) in [
            (json!({}), "{}"),
            (
                json!({"discoveryAddress": "istiod.istio-system.svc:15012", "drainDuration": "45s",
                    "statusPort": 15020, "proxyMetadata": {}, "interceptionMode": "REDIRECT",
                    "terminationDrainDuration": "5s", "controlPlaneAuthPolicy": "MUTUAL_TLS"}),
                "{}",
            ),
            (json!({"drainDuration": "23s"}), r#"{"drainDuration":"23s"}"#),
            (
                json!({"drainDuration": "1500ms"}),
                r#"{"drainDuration":"1.500s"}"#,
            ),
            (
                json!({"interceptionMode": "TPROXY"}),
                r#"{"interceptionMode":"TPROXY"}"#,
            ),
            (json!({"tracing": {}}), r#"{"tracing":{}}"#),
            (
                json!({"tracing": {"sampling": 99.8}}),
                r#"{"tracing":{"sampling":99.8}}"#,
            ),
            (
                json!({"holdApplicationUntilProxyStarts": true}),
                r#"{"holdApplicationUntilProxyStarts":true}"#,
            ),
            (json!({"concurrency": 0}), r#"{"concurrency":0}"#),
            (
                json!({"image": {"imageType": "debug"}, "concurrency": 2, "nonsense": 1}),
                r#"{"concurrency":2,"image":{"imageType":"debug"}}"#,
            ),
            (
                json!({"proxyMetadata": {"B": "2", "A": "1"}}),
                r#"{"proxyMetadata":{"A":"1","B":"2"}}"#,
            ),
        ] {
            assert_eq!(json_of(std::slice::from_ref(&overlay)), expected, "{overlay}");
        }
    }

    #[test]
    fn later_sources_win_and_metadata_is_merged() {
        let json = json_of(&[
            json!({"proxyMetadata": {"A": "1", "B": "1"}, "tracing": {"sampling": 1}, "concurrency": 2}),
            json!({"proxyMetadata": {"B": "2"}, "tracing": {"zipkin": {"address": "z:9411"}}}),
        ]);
        assert_eq!(
            json,
            r#"{"concurrency":2,"tracing":{"zipkin":{"address":"z:9411"}},"proxyMetadata":{"A":"1","B":"2"}}"#
        );
    }

    #[test]
    fn every_field_of_the_schema_has_its_place() {
        for field in MeshProxyConfig::schema().fields {
            assert!(ORDER.contains(&field.name), "{}", field.name);
        }
    }

    #[test]
    fn resources_apply_from_the_mesh_to_the_workload() {
        let resource = |namespace: &str, selector: Value, concurrency: i64| {
            ProxyConfigResource::read(&json!({
                "metadata": {"namespace": namespace},
                "spec": {"selector": selector, "concurrency": concurrency,
                    "environmentVariables": {namespace: "x"}},
            }))
        };
        let settings = Settings {
            proxy_configs: vec![
                resource("shop", json!({"matchLabels": {"app": "a"}}), 3),
                resource("shop", Value::Null, 2),
                resource("istio-system", Value::Null, 1),
                resource("other", Value::Null, 9),
            ],
            ..Settings::default()
        };
        let json = |namespace: &str, app: &str| {
            let pod = json!({"metadata": {"labels": {"app": app}}});
            effective(&settings, namespace, &pod, None).json()
        };
        assert_eq!(
            json("shop", "a"),
            r#"{"concurrency":3,"proxyMetadata":{"istio-system":"x","shop":"x"}}"#
        );
        assert_eq!(
            json("shop", "b"),
            r#"{"concurrency":2,"proxyMetadata":{"istio-system":"x","shop":"x"}}"#
        );
        assert_eq!(
            json("elsewhere", "a"),
            r#"{"concurrency":1,"proxyMetadata":{"istio-system":"x"}}"#
        );
    }
}
