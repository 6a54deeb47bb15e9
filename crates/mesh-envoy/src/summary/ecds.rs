//! Extension configurations that were discovered on their own.

use serde::Deserialize;

use crate::config::Extension;

/// A row of the table of extension configurations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(from = "Extension")]
pub struct EcdsSummary {
    /// The full name of the configuration's type, such as `envoy.extensions.filters.http.wasm.v3.Wasm`; empty if
    /// there is none.
    pub kind: String,
    /// The name that filters refer to it by.
    pub name: String,
}

impl From<Extension> for EcdsSummary {
    fn from(extension: Extension) -> Self {
        let kind = extension.typed_config.map(|config| config.type_name());
        Self {
            kind: kind.unwrap_or_default(),
            name: extension.name,
        }
    }
}
