//! DOC(module)

use std::collections::BTreeMap;

use mesh_macros::{Message};
use super::common::{WorkloadSelector};

/// DOC(ProxyConfig)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyConfig {
    /// DOC(ProxyConfig.concurrency)
    #[field(nullable, minimum = 0)]
    pub concurrency: Option<i32>,
    /// DOC(ProxyConfig.environmentVariables)
    #[field(values(max_length = 2048))]
    pub environment_variables: BTreeMap<String, String>,
    /// DOC(ProxyConfig.image)
    pub image: Option<ProxyImage>,
    /// DOC(ProxyConfig.selector)
    pub selector: Option<WorkloadSelector>,
}

/// DOC(ProxyConfig.image)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyImage {
    /// DOC(ProxyConfig.image.imageType)
    pub image_type: String,
}
