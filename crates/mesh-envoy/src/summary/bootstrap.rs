//! The bootstrap configuration.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::config::cluster::Locality;

/// Who a proxy is, by its bootstrap configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Bootstrap")]
pub struct BootstrapSummary {
    /// The node's identity towards the control plane, such as `sidecar~10.0.0.1~reviews-v1.default~default.svc…`.
    pub node: String,
    /// The node's cluster, such as `reviews.default`.
    pub cluster: String,
    /// Region, zone and sub-zone, separated by slashes.
    pub locality: String,
    /// Of a proxy of Istio.
    pub istio_version: Option<String>,
    /// The commit of Istio's Envoy.
    pub istio_proxy: Option<String>,
    /// As Envoy writes it: `<revision>/<version>/<status>/<build>/<TLS library>`, as far as known.
    pub envoy_version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Bootstrap {
    node: Node,
}

/// `envoy.config.core.v3.Node`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Node {
    id: String,
    cluster: String,
    metadata: serde_json::Map<String, Value>,
    locality: Locality,
    user_agent_build_version: Option<BuildVersion>,
}

/// `envoy.config.core.v3.BuildVersion`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct BuildVersion {
    version: SemanticVersion,
    metadata: serde_json::Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct SemanticVersion {
    major_number: u32,
    minor_number: u32,
    patch: u32,
}

impl From<Bootstrap> for BootstrapSummary {
    fn from(bootstrap: Bootstrap) -> Self {
        let node = bootstrap.node;
        let metadata = |key: &str| node.metadata.get(key).and_then(Value::as_str).map(str::to_owned);
        Self {
            istio_version: metadata("ISTIO_VERSION"),
            istio_proxy: metadata("ISTIO_PROXY_SHA"),
            envoy_version: node.user_agent_build_version.as_ref().map(BuildVersion::text),
            node: node.id,
            cluster: node.cluster,
            locality: node.locality.to_string(),
        }
    }
}

impl BuildVersion {
    fn text(&self) -> String {
        let part = |key: &str| self.metadata.get(key).and_then(Value::as_str);
        let mut text = String::new();
        if let Some(revision) = part("revision.sha") {
            text.push_str(revision);
            text.push('/');
        }
        let SemanticVersion {
            major_number,
            minor_number,
            patch,
        } = self.version;
        // Writing to a string cannot fail.
        let _ = write!(text, "{major_number}.{minor_number}.{patch}");
        for part in ["revision.status", "build.type", "ssl.version"]
            .into_iter()
            .filter_map(part)
        {
            text.push('/');
            text.push_str(part);
        }
        text
    }
}
