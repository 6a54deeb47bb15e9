//! The `status` of Istio's kinds, which the control plane writes.

use mesh_macros::{Enum, Message};

use crate::schema::{IntOrString, Timestamp};

/// What the control plane says of a resource.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct IstioStatus {
    /// How far the control plane has got with the resource.
    pub conditions: Vec<IstioCondition>,
    /// The `metadata.generation` that the status is about.
    pub observed_generation: IntOrString,
    /// What the control plane's own analysis found.
    pub validation_messages: Vec<AnalysisMessage>,
}

/// One aspect of a resource's state.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct IstioCondition {
    /// When the aspect was last looked at.
    pub last_probe_time: Timestamp,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
    /// The state in words.
    pub message: String,
    /// The `metadata.generation` that the condition is about.
    pub observed_generation: IntOrString,
    /// The state as one word for programs.
    pub reason: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Which aspect it is.
    #[field(name = "type")]
    pub kind: String,
}

/// A finding of the control plane's analysis.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AnalysisMessage {
    /// Where the finding is explained.
    pub documentation_url: String,
    /// How bad it is.
    pub level: AnalysisLevel,
    /// What was found.
    #[field(name = "type")]
    pub kind: Option<AnalysisMessageType>,
}

/// What a finding is.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct AnalysisMessageType {
    /// The code, such as `IST0101`.
    pub code: String,
    /// The name of the code.
    pub name: String,
}

/// How bad a finding of the control plane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum AnalysisLevel {
    /// Not said.
    #[default]
    Unknown,
    /// Does not work.
    Error,
    /// Probably not meant.
    Warning,
    /// Worth knowing.
    Info,
}
