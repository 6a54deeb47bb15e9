//! DOC(module)

use crate::schema::cel::{PLUGIN_URL, TARGET_REFS_OR_SELECTOR, WASM_OR_LUA};
use mesh_macros::{Enum, Message};
use crate::schema::{Any};
use super::common::{PolicyTargetReference, TrafficSelector, WorkloadSelector};
use super::wasm_plugin::{FailStrategy, PluginType, PullPolicy, VmConfig};

/// DOC(TrafficExtension)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("wasm", "lua"), cel(TARGET_REFS_OR_SELECTOR, WASM_OR_LUA))]
pub struct TrafficExtension {
    /// DOC(TrafficExtension.lua)
    pub lua: Option<LuaConfig>,
    /// DOC(TrafficExtension.match)
    #[field(name = "match")]
    pub matches: Vec<TrafficSelector>,
    /// DOC(TrafficExtension.phase)
    pub phase: ExtensionPhase,
    /// DOC(TrafficExtension.priority)
    #[field(nullable)]
    pub priority: Option<i32>,
    /// DOC(TrafficExtension.selector)
    pub selector: Option<WorkloadSelector>,
    /// DOC(TrafficExtension.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// DOC(TrafficExtension.wasm)
    pub wasm: Option<WasmConfig>,
}

/// DOC(TrafficExtension.lua)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LuaConfig {
    /// DOC(TrafficExtension.lua.inlineCode)
    #[field(required, min_length = 1, max_length = 65536)]
    pub inline_code: String,
}

/// DOC(TrafficExtension.wasm)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct WasmConfig {
    /// DOC(TrafficExtension.wasm.failStrategy)
    pub fail_strategy: FailStrategy,
    /// DOC(TrafficExtension.wasm.imagePullPolicy)
    pub image_pull_policy: PullPolicy,
    /// DOC(TrafficExtension.wasm.imagePullSecret)
    #[field(min_length = 1, max_length = 253)]
    pub image_pull_secret: String,
    /// DOC(TrafficExtension.wasm.pluginConfig)
    pub plugin_config: Option<Any>,
    /// DOC(TrafficExtension.wasm.pluginName)
    #[field(min_length = 1, max_length = 256)]
    pub plugin_name: String,
    /// DOC(TrafficExtension.wasm.sha256)
    #[field(pattern = r"(^$|^[a-f0-9]{64}$)")]
    pub sha256: String,
    /// DOC(TrafficExtension.wasm.type)
    #[field(name = "type")]
    pub kind: PluginType,
    /// DOC(TrafficExtension.wasm.url)
    #[field(required, min_length = 1, cel(PLUGIN_URL))]
    pub url: String,
    /// DOC(TrafficExtension.wasm.verificationKey)
    pub verification_key: String,
    /// DOC(TrafficExtension.wasm.vmConfig)
    pub vm_config: Option<VmConfig>,
}

/// DOC(enum TrafficExtension.phase)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ExtensionPhase {
    /// DOC(UNSPECIFIED)
    #[default]
    Unspecified,
    /// DOC(AUTHN)
    Authn,
    /// DOC(AUTHZ)
    Authz,
    /// DOC(STATS)
    Stats,
}
