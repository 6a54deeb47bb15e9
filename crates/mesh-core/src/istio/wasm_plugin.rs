//! `WasmPlugin`: WebAssembly extensions of proxies.

use super::common::{PolicyTargetReference, TrafficSelector, WorkloadSelector};
use crate::schema::Any;
use crate::schema::cel::{TARGET_REF_OR_SELECTOR, VALUE_ONLY_INLINE, WASM_PLUGIN_URL};
use mesh_macros::{Enum, Message};

/// Loads a WebAssembly module into proxies, as an HTTP or network filter. The module comes from an OCI
/// registry, a web server, or a file in the proxy's container, and proxies fetch it themselves. `phase`
/// and `priority` set its place in the filter chain.
///
/// ```yaml
/// apiVersion: extensions.istio.io/v1alpha1
/// kind: WasmPlugin
/// metadata:
///   name: tenant-header
///   namespace: shop
/// spec:
///   selector:
///     matchLabels: { app: storefront }
///   url: oci://registry.example.com/filters/tenant-header:1.4
///   phase: AUTHZ
///   pluginConfig:
///     header: x-tenant
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct WasmPlugin {
    /// What happens to traffic when the module cannot be loaded or crashes. Unset is `FAIL_CLOSE`.
    pub fail_strategy: FailStrategy,
    /// When an OCI image is pulled again. Unset is `IfNotPresent`, or `Always` for the tag `latest`.
    pub image_pull_policy: PullPolicy,
    /// Secret with the credentials for the registry, in the namespace of the resource.
    #[field(min_length = 1, max_length = 253)]
    pub image_pull_secret: String,
    /// Traffic that the extension handles. One entry has to match. Unset is all traffic.
    #[field(name = "match")]
    pub matches: Vec<TrafficSelector>,
    /// Place in the filter chain. Unset is near the end, before the router.
    pub phase: PluginPhase,
    /// Configuration that the module gets, free in form.
    pub plugin_config: Option<Any>,
    /// Name of the plugin inside the module, its root ID. Needed if the module holds several.
    #[field(min_length = 1, max_length = 256)]
    pub plugin_name: String,
    /// Order within a phase: higher numbers run first. Unset is 0.
    #[field(nullable)]
    pub priority: Option<i32>,
    /// Workloads of the namespace that get the extension. Unset covers the namespace, or the mesh in
    /// the root namespace. Not together with target references.
    pub selector: Option<WorkloadSelector>,
    /// SHA-256 of the module or image, 64 lower-case hex digits. It is checked, and it keeps the cache
    /// valid. It may also be given in an OCI reference.
    #[field(pattern = r"(^$|^[a-f0-9]{64}$)")]
    pub sha256: String,
    /// Object that the extension attaches to. Not together with `selector` or `targetRefs`.
    #[field(deprecated = "use `targetRefs`")]
    pub target_ref: Option<PolicyTargetReference>,
    /// Gateways, services or waypoints that get the extension. Not together with `selector`.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// Kind of filter that the module is. Unset is `HTTP`.
    #[field(name = "type")]
    pub kind: PluginType,
    /// Where the module is: `oci://`, `https://`, `http://` or `file://`. Without a scheme it is
    /// `oci://`.
    #[field(required, min_length = 1, cel(WASM_PLUGIN_URL))]
    pub url: String,
    /// Key to check the signature of the module. It is reserved and has no effect.
    pub verification_key: String,
    /// Settings of the virtual machine that runs the module.
    pub vm_config: Option<VmConfig>,
}

/// Settings of a WebAssembly virtual machine.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VmConfig {
    /// Environment variables that the module sees. Names must be unique.
    #[field(max_items = 256, list_map_keys("name"))]
    pub env: Vec<EnvVar>,
}

/// An environment variable.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(VALUE_ONLY_INLINE))]
pub struct EnvVar {
    /// Name of the variable.
    #[field(required, min_length = 1, max_length = 256)]
    pub name: String,
    /// Value of the variable. Only for `INLINE`.
    #[field(max_length = 2048)]
    pub value: String,
    /// Where the value comes from. Unset is `INLINE`.
    pub value_from: EnvValueSource,
}

/// What happens to traffic when an extension does not work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum FailStrategy {
    /// Requests fail with 503, or connections are closed.
    #[default]
    FailClose,
    /// Traffic goes on without the extension.
    FailOpen,
    /// The module is loaded anew after a crash, with growing pauses; meanwhile traffic fails.
    FailReload,
}

/// When an OCI image is pulled again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PullPolicy {
    /// No choice: `IfNotPresent`, or `Always` for the tag `latest`.
    #[default]
    UnspecifiedPolicy,
    /// Pulled only if this reference is not in the proxy's cache.
    #[value("IfNotPresent")]
    IfNotPresent,
    /// Pulled whenever the configuration of the plugin changes.
    #[value("Always")]
    Always,
}

/// Kind of filter that a module is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PluginType {
    /// No choice: an HTTP filter.
    #[default]
    UnspecifiedPluginType,
    /// A filter for HTTP requests and responses.
    Http,
    /// A filter for bytes of connections.
    Network,
}

/// Where the value of an environment variable comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum EnvValueSource {
    /// From `value`.
    #[default]
    Inline,
    /// From the proxy's variable of the same name.
    Host,
}

/// Place in the filter chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PluginPhase {
    /// Near the end of the chain, before the router.
    #[default]
    UnspecifiedPhase,
    /// Before Istio's authentication filters.
    Authn,
    /// After authentication, before Istio's authorization filters.
    Authz,
    /// After authorization, before Istio's statistics filters.
    Stats,
}
