//! `ProxyConfig`: settings of a workload's proxy process.

use std::collections::BTreeMap;

use super::common::WorkloadSelector;
use mesh_macros::Message;

/// Sets options of the proxy process for a workload, a namespace, or the mesh. They are applied when a
/// pod is injected, so running pods have to be restarted to pick up a change. A resource with a
/// selector wins over one for the namespace, which wins over one in the root namespace and over
/// `defaultConfig` of the mesh. The annotation `proxy.istio.io/config` of a pod is the other way to set
/// the same.
///
/// ```yaml
/// apiVersion: networking.istio.io/v1beta1
/// kind: ProxyConfig
/// metadata:
///   name: busy-proxies
/// spec:
///   selector:
///     matchLabels: { tier: frontend }
///   concurrency: 4
///   environmentVariables:
///     ISTIO_META_DNS_CAPTURE: "true"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyConfig {
    /// Number of worker threads. 0 takes one for each core of the node. Unset follows the CPU limit of
    /// the proxy's container.
    #[field(nullable, minimum = 0)]
    pub concurrency: Option<i32>,
    /// Additional environment variables of the proxy's container. Names that start with `ISTIO_META_`
    /// become metadata of the proxy.
    #[field(values(max_length = 2048))]
    pub environment_variables: BTreeMap<String, String>,
    /// Variant of the proxy's image.
    pub image: Option<ProxyImage>,
    /// Workloads that the settings are for. Unset covers the namespace, or the mesh in the root
    /// namespace.
    pub selector: Option<WorkloadSelector>,
}

/// Variant of the proxy's image.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyImage {
    /// Suffix of the image tag, such as `distroless` or `debug`. `default` is the plain image, and
    /// other values have to exist in the registry. Unset keeps the variant of the installation.
    pub image_type: String,
}
