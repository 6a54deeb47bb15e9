//! `TrafficExtension`: WebAssembly and Lua extensions of proxies.

use super::common::{PolicyTargetReference, TrafficSelector, WorkloadSelector};
use super::wasm_plugin::{FailStrategy, PluginType, PullPolicy, VmConfig};
use crate::schema::Any;
use crate::schema::cel::{PLUGIN_URL, TARGET_REFS_OR_SELECTOR, WASM_OR_LUA};
use mesh_macros::{Enum, Message};

/// Adds own code to the traffic path of proxies: a WebAssembly module or a Lua script. It is the
/// successor of `WasmPlugin` and adds scripts that are written right in the resource. `phase` and
/// `priority` set its place in the filter chain.
///
/// ```yaml
/// apiVersion: extensions.istio.io/v1alpha1
/// kind: TrafficExtension
/// metadata:
///   name: stamp-response
///   namespace: shop
/// spec:
///   selector:
///     matchLabels: { app: storefront }
///   phase: STATS
///   lua:
///     inlineCode: |
///       function envoy_on_response(handle)
///         handle:headers():add("x-served-by", "shop")
///       end
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("wasm", "lua"), cel(TARGET_REFS_OR_SELECTOR, WASM_OR_LUA))]
pub struct TrafficExtension {
    /// A Lua script. Not together with `wasm`.
    pub lua: Option<LuaConfig>,
    /// Traffic that the extension handles. One entry has to match. Unset is all traffic.
    #[field(name = "match")]
    pub matches: Vec<TrafficSelector>,
    /// Place in the filter chain. Unset is near the end, before the router.
    pub phase: ExtensionPhase,
    /// Order within a phase: higher numbers run first. Unset is 0.
    #[field(nullable)]
    pub priority: Option<i32>,
    /// Workloads of the namespace that get the extension. Unset covers the namespace, or the mesh in
    /// the root namespace. Not together with `targetRefs`.
    pub selector: Option<WorkloadSelector>,
    /// Gateways, services or waypoints that get the extension. Not together with `selector`.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// A WebAssembly module. Not together with `lua`.
    pub wasm: Option<WasmConfig>,
}

/// A Lua script that runs in the proxy for HTTP requests.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LuaConfig {
    /// The script, 1 to 65536 bytes. It defines `envoy_on_request`, `envoy_on_response`, or both.
    #[field(required, min_length = 1, max_length = 65536)]
    pub inline_code: String,
}

/// A WebAssembly module and how it runs.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WasmConfig {
    /// What happens to traffic when the module cannot be loaded or crashes. Unset is `FAIL_CLOSE`.
    pub fail_strategy: FailStrategy,
    /// When an OCI image is pulled again. Unset is `IfNotPresent`, or `Always` for the tag `latest`.
    pub image_pull_policy: PullPolicy,
    /// Secret with the credentials for the registry, in the namespace of the resource.
    #[field(min_length = 1, max_length = 253)]
    pub image_pull_secret: String,
    /// Configuration that the module gets, free in form.
    pub plugin_config: Option<Any>,
    /// Name of the plugin inside the module, its root ID. Needed if the module holds several.
    #[field(min_length = 1, max_length = 256)]
    pub plugin_name: String,
    /// SHA-256 of the module or image, 64 lower-case hex digits. It is checked, and it keeps the cache
    /// valid.
    #[field(pattern = r"(^$|^[a-f0-9]{64}$)")]
    pub sha256: String,
    /// Kind of filter that the module is. Unset is `HTTP`.
    #[field(name = "type")]
    pub kind: PluginType,
    /// Where the module is: `oci://`, `https://`, `http://` or `file://`. Without a scheme it is
    /// `oci://`.
    #[field(required, min_length = 1, cel(PLUGIN_URL))]
    pub url: String,
    /// Key to check the signature of the module. It is reserved and has no effect.
    pub verification_key: String,
    /// Settings of the virtual machine that runs the module.
    pub vm_config: Option<VmConfig>,
}

/// Place in the filter chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ExtensionPhase {
    /// Near the end of the chain, before the router.
    #[default]
    Unspecified,
    /// Before Istio's authentication filters.
    Authn,
    /// After authentication, before Istio's authorization filters.
    Authz,
    /// After authorization, before Istio's statistics filters.
    Stats,
}
