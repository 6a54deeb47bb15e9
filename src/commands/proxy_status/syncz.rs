//! What istiod says of the proxies that are connected to it: the answer of `/debug/syncz`.
//!
//! It has two forms. The one over HTTP is a list of objects with a nonce that was sent and one that was acknowledged
//! for each type (`cluster_sent`, `cluster_acked`), and since Istio 1.24 `resources` with times and errors by type URL.
//! The one over xDS is a `DiscoveryResponse` of `envoy.service.status.v3.ClientConfig`s, in either case of names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The types of configuration, as columns of the table.
pub(super) const TYPES: [(&str, &str, &str); 8] = [
    ("CDS", "cluster", "envoy.config.cluster.v3.Cluster"),
    ("LDS", "listener", "envoy.config.listener.v3.Listener"),
    (
        "EDS",
        "endpoint",
        "envoy.config.endpoint.v3.ClusterLoadAssignment",
    ),
    ("RDS", "route", "envoy.config.route.v3.RouteConfiguration"),
    (
        "ECDS",
        "extensionconfig",
        "envoy.config.core.v3.TypedExtensionConfig",
    ),
    ("SDS", "", "envoy.extensions.transport_sockets.tls.v3.Secret"),
    // Of ztunnels.
    ("WDS", "", "istio.workload.Address"),
    ("WADS", "", "istio.security.Authorization"),
];

/// How far a proxy is with one type of configuration; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// The proxy refused what it was sent.
    Error,
    /// It was sent, and not acknowledged.
    Stale,
    /// There was nothing to send.
    NotSent,
    /// The proxy has what istiod has.
    Synced,
}

impl Status {
    /// The word in tables.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Stale => "STALE",
            Self::NotSent => "NOT SENT",
            Self::Synced => "SYNCED",
        }
    }
}

/// One type of configuration of one proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TypeState {
    pub(super) status: Status,
    /// When it was last sent, or last changed its state.
    pub(super) since: Option<Timestamp>,
    /// Why the proxy refused it.
    pub(super) error: Option<String>,
}

/// A proxy as one istiod sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ProxyState {
    /// `POD.NAMESPACE`.
    pub(super) name: String,
    pub(super) namespace: String,
    /// The cluster that it runs in.
    pub(super) cluster: String,
    /// The istiod that it is connected to.
    pub(super) istiod: String,
    /// Of Istio.
    pub(super) version: String,
    /// By the names of [`TYPES`].
    pub(super) types: BTreeMap<&'static str, TypeState>,
}

impl ProxyState {
    /// The worst state of any type.
    pub(super) fn worst(&self) -> Option<Status> {
        self.types.values().map(|state| state.status).min()
    }
}

/// Reads an answer of istiod, in either form.
pub(super) fn read(text: &str, istiod: &str) -> Result<Vec<ProxyState>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let list = match value {
        Value::Array(list) => list,
        // Istiod without proxies.
        Value::Null => Vec::new(),
        Value::Object(mut object) => match object.remove("resources") {
            Some(Value::Array(list)) => list,
            _ => return Err("it is neither a list nor a DiscoveryResponse".to_owned()),
        },
        _ => return Err("it is neither a list nor a DiscoveryResponse".to_owned()),
    };
    let proxies = list.into_iter().map(|entry| {
        // Over xDS a resource can be wrapped with its name.
        let entry = match entry.get("resource") {
            Some(inner) => inner.clone(),
            None => entry,
        };
        if entry.get("node").is_some() {
            let config: ClientConfig = serde_json::from_value(entry).map_err(|error| error.to_string())?;
            Ok(config.state(istiod))
        } else {
            let status: SyncStatus = serde_json::from_value(entry).map_err(|error| error.to_string())?;
            Ok(status.state(istiod))
        }
    });
    proxies.collect()
}

/// An entry of the list over HTTP.
#[derive(Deserialize)]
struct SyncStatus {
    #[serde(default)]
    cluster_id: String,
    proxy: String,
    #[serde(default)]
    istio_version: String,
    #[serde(default)]
    proxy_version: String,
    #[serde(default)]
    resources: BTreeMap<String, ResourceStatus>,
    /// The nonces: `cluster_sent`, `cluster_acked`, and so on.
    #[serde(flatten)]
    nonces: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ResourceStatus {
    sent: String,
    acked: String,
    sent_time: Option<Timestamp>,
    last_error: String,
}

impl SyncStatus {
    fn state(self, istiod: &str) -> ProxyState {
        let nonce = |kind: &str, what: &str| {
            let value = self.nonces.get(&format!("{kind}_{what}"));
            value.and_then(Value::as_str).unwrap_or_default()
        };
        let mut types = BTreeMap::new();
        for (name, kind, _) in TYPES.iter().filter(|(_, kind, _)| !kind.is_empty()) {
            let status = by_nonces(nonce(kind, "sent"), nonce(kind, "acked"));
            types.insert(
                *name,
                TypeState {
                    status,
                    since: None,
                    error: None,
                },
            );
        }
        for (url, resource) in self.resources {
            let Some(name) = type_name(&url) else { continue };
            let status = match by_nonces(&resource.sent, &resource.acked) {
                Status::Stale if !resource.last_error.is_empty() => Status::Error,
                status => status,
            };
            let error =
                Some(resource.last_error).filter(|error| !error.is_empty() && status == Status::Error);
            // A time of year 1 is Go's for none.
            let since = resource.sent_time.filter(|time| *time > Timestamp::UNIX_EPOCH);
            types.insert(name, TypeState { status, since, error });
        }
        let version = if self.istio_version.is_empty() {
            self.proxy_version
        } else {
            self.istio_version
        };
        ProxyState {
            namespace: namespace_of(&self.proxy),
            name: self.proxy,
            cluster: self.cluster_id,
            istiod: istiod.to_owned(),
            version,
            types,
        }
    }
}

fn by_nonces(sent: &str, acked: &str) -> Status {
    if sent.is_empty() {
        Status::NotSent
    } else if sent == acked {
        Status::Synced
    } else {
        Status::Stale
    }
}

fn type_name(url: &str) -> Option<&'static str> {
    let message = url.rsplit('/').next().unwrap_or(url);
    TYPES
        .iter()
        .find(|(_, _, full)| *full == message)
        .map(|(name, ..)| *name)
}

fn namespace_of(name: &str) -> String {
    name.rsplit_once('.')
        .map(|(_, namespace)| namespace.to_owned())
        .unwrap_or_default()
}

/// `envoy.service.status.v3.ClientConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientConfig {
    #[serde(default)]
    node: Node,
    #[serde(default, alias = "generic_xds_configs")]
    generic_xds_configs: Vec<GenericXdsConfig>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    id: String,
    metadata: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GenericXdsConfig {
    #[serde(alias = "type_url")]
    type_url: String,
    #[serde(default, alias = "config_status")]
    config_status: String,
    #[serde(default, alias = "last_updated")]
    last_updated: Option<Timestamp>,
    #[serde(default, alias = "error_state")]
    error_state: Option<ErrorState>,
}

#[derive(Deserialize)]
struct ErrorState {
    #[serde(default)]
    details: String,
}

impl ClientConfig {
    fn state(self, istiod: &str) -> ProxyState {
        let metadata = |key: &str| {
            self.node
                .metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        // The whole identity is `sidecar~IP~POD.NAMESPACE~DOMAIN`.
        let name = self.node.id.split('~').nth(2).unwrap_or(&self.node.id).to_owned();
        let namespace = Some(metadata("NAMESPACE")).filter(|name| !name.is_empty());
        let (cluster, version) = (metadata("CLUSTER_ID"), metadata("ISTIO_VERSION"));
        let mut types = BTreeMap::new();
        for config in self.generic_xds_configs {
            let Some(kind) = type_name(&config.type_url) else {
                continue;
            };
            let error = config
                .error_state
                .map(|state| state.details)
                .filter(|details| !details.is_empty());
            let status = match config.config_status.as_str() {
                "ERROR" => Status::Error,
                _ if error.is_some() => Status::Error,
                "STALE" => Status::Stale,
                "SYNCED" => Status::Synced,
                _ => Status::NotSent,
            };
            types.insert(
                kind,
                TypeState {
                    status,
                    since: config.last_updated,
                    error,
                },
            );
        }
        ProxyState {
            namespace: namespace.unwrap_or_else(|| namespace_of(&name)),
            name,
            cluster,
            istiod: istiod.to_owned(),
            version,
            types,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(value: &Value) -> ProxyState {
        let mut proxies = read(&value.to_string(), "istiod-1").unwrap();
        assert_eq!(proxies.len(), 1);
        proxies.remove(0)
    }

    #[test]
    fn nonces_tell_the_state() {
        let proxy = one(&json!([{
            "cluster_id": "Kubernetes", "proxy": "web-1.shop", "istio_version": "1.23.0",
            "cluster_sent": "a", "cluster_acked": "a", "listener_sent": "b", "listener_acked": "a",
            "endpoint_sent": "c",
        }]));
        assert_eq!((&*proxy.namespace, &*proxy.version), ("shop", "1.23.0"));
        assert_eq!(proxy.types["CDS"].status, Status::Synced);
        assert_eq!(proxy.types["LDS"].status, Status::Stale);
        assert_eq!(proxy.types["EDS"].status, Status::Stale);
        assert_eq!(proxy.types["RDS"].status, Status::NotSent);
        assert_eq!(proxy.worst(), Some(Status::Stale));
    }

    #[test]
    fn refusals_come_with_their_reason() {
        let proxy = one(&json!([{
            "proxy": "web-1.shop", "listener_sent": "b", "listener_acked": "a",
            "resources": {
                "type.googleapis.com/envoy.config.listener.v3.Listener": {
                    "sent": "b", "acked": "a", "sentTime": "2026-01-01T00:00:00Z", "lastError": "no such filter",
                },
                "type.googleapis.com/istio.workload.Address": {
                    "sent": "b", "acked": "b", "sentTime": "0001-01-01T00:00:00Z",
                },
            },
        }]));
        assert_eq!(proxy.types["LDS"].status, Status::Error);
        assert_eq!(proxy.types["LDS"].error.as_deref(), Some("no such filter"));
        assert!(proxy.types["LDS"].since.is_some());
        assert_eq!(
            (proxy.types["WDS"].status, proxy.types["WDS"].since),
            (Status::Synced, None)
        );
    }

    #[test]
    fn an_error_that_is_over_is_none() {
        let proxy = one(&json!([{ "proxy": "a.b", "resources": {
            "type.googleapis.com/envoy.config.cluster.v3.Cluster": {"sent": "b", "acked": "b", "lastError": "old"},
        }}]));
        assert_eq!(
            proxy.types["CDS"],
            TypeState {
                status: Status::Synced,
                since: None,
                error: None
            }
        );
    }

    #[test]
    fn client_configs_are_read_in_both_cases() {
        for (configs, kind, status) in [
            ("genericXdsConfigs", "typeUrl", "configStatus"),
            ("generic_xds_configs", "type_url", "config_status"),
        ] {
            let proxy = one(&json!({"resources": [{
                "@type": "type.googleapis.com/envoy.service.status.v3.ClientConfig",
                "node": {
                    "id": "sidecar~10.0.0.1~web-1.shop~shop.svc.cluster.local",
                    "metadata": {"CLUSTER_ID": "c1", "ISTIO_VERSION": "1.30.1", "NAMESPACE": "shop"},
                },
                configs: [{kind: "type.googleapis.com/envoy.config.cluster.v3.Cluster", status: "STALE"}],
            }]}));
            assert_eq!((&*proxy.name, &*proxy.cluster), ("web-1.shop", "c1"));
            assert_eq!(proxy.types["CDS"].status, Status::Stale);
        }
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["{", "{}", "3", "[{}]", "[3]"] {
            assert!(read(text, "istiod").is_err(), "{text}");
        }
        assert_eq!(read("null", "istiod"), Ok(Vec::new()));
    }
}
