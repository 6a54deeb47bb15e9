//! DOC(module)

use crate::schema::cel::{TARGET_REF_OR_SELECTOR, VALUE_ONLY_INLINE, WASM_PLUGIN_URL};
use mesh_macros::{Enum, Message};
use crate::schema::{Any};
use super::common::{PolicyTargetReference, TrafficSelector, WorkloadSelector};

/// DOC(WasmPlugin)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct WasmPlugin {
    /// DOC(WasmPlugin.failStrategy)
    pub fail_strategy: FailStrategy,
    /// DOC(WasmPlugin.imagePullPolicy)
    pub image_pull_policy: PullPolicy,
    /// DOC(WasmPlugin.imagePullSecret)
    #[field(min_length = 1, max_length = 253)]
    pub image_pull_secret: String,
    /// DOC(WasmPlugin.match)
    #[field(name = "match")]
    pub matches: Vec<TrafficSelector>,
    /// DOC(WasmPlugin.phase)
    pub phase: PluginPhase,
    /// DOC(WasmPlugin.pluginConfig)
    pub plugin_config: Option<Any>,
    /// DOC(WasmPlugin.pluginName)
    #[field(min_length = 1, max_length = 256)]
    pub plugin_name: String,
    /// DOC(WasmPlugin.priority)
    #[field(nullable)]
    pub priority: Option<i32>,
    /// DOC(WasmPlugin.selector)
    pub selector: Option<WorkloadSelector>,
    /// DOC(WasmPlugin.sha256)
    #[field(pattern = r"(^$|^[a-f0-9]{64}$)")]
    pub sha256: String,
    /// DOC(WasmPlugin.targetRef)
    pub target_ref: Option<PolicyTargetReference>,
    /// DOC(WasmPlugin.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
    /// DOC(WasmPlugin.type)
    #[field(name = "type")]
    pub kind: PluginType,
    /// DOC(WasmPlugin.url)
    #[field(required, min_length = 1, cel(WASM_PLUGIN_URL))]
    pub url: String,
    /// DOC(WasmPlugin.verificationKey)
    pub verification_key: String,
    /// DOC(WasmPlugin.vmConfig)
    pub vm_config: Option<VmConfig>,
}

/// DOC(TrafficExtension.wasm.vmConfig)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct VmConfig {
    /// DOC(TrafficExtension.wasm.vmConfig.env)
    #[field(max_items = 256, list_map_keys("name"))]
    pub env: Vec<EnvVar>,
}

/// DOC(TrafficExtension.wasm.vmConfig.env[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(VALUE_ONLY_INLINE))]
pub struct EnvVar {
    /// DOC(TrafficExtension.wasm.vmConfig.env[].name)
    #[field(required, min_length = 1, max_length = 256)]
    pub name: String,
    /// DOC(TrafficExtension.wasm.vmConfig.env[].value)
    #[field(max_length = 2048)]
    pub value: String,
    /// DOC(TrafficExtension.wasm.vmConfig.env[].valueFrom)
    pub value_from: EnvValueSource,
}

/// DOC(enum TrafficExtension.wasm.failStrategy)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum FailStrategy {
    /// DOC(FAIL_CLOSE)
    #[default]
    FailClose,
    /// DOC(FAIL_OPEN)
    FailOpen,
    /// DOC(FAIL_RELOAD)
    FailReload,
}

/// DOC(enum TrafficExtension.wasm.imagePullPolicy)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PullPolicy {
    /// DOC(UNSPECIFIED_POLICY)
    #[default]
    UnspecifiedPolicy,
    /// DOC
    #[value("IfNotPresent")]
    IfNotPresent,
    /// DOC
    #[value("Always")]
    Always,
}

/// DOC(enum TrafficExtension.wasm.type)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PluginType {
    /// DOC(UNSPECIFIED_PLUGIN_TYPE)
    #[default]
    UnspecifiedPluginType,
    /// DOC(HTTP)
    Http,
    /// DOC(NETWORK)
    Network,
}

/// DOC(enum TrafficExtension.wasm.vmConfig.env[].valueFrom)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum EnvValueSource {
    /// DOC(INLINE)
    #[default]
    Inline,
    /// DOC(HOST)
    Host,
}

/// DOC(enum WasmPlugin.phase)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PluginPhase {
    /// DOC(UNSPECIFIED_PHASE)
    #[default]
    UnspecifiedPhase,
    /// DOC(AUTHN)
    Authn,
    /// DOC(AUTHZ)
    Authz,
    /// DOC(STATS)
    Stats,
}
