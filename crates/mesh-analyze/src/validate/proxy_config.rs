//! Validation of [`ProxyConfig`].

use mesh_core::istio::proxy_config::ProxyConfig;
use mesh_core::{Mesh, Resource};

use super::{Findings, policy};

pub(super) fn check(resource: &Resource<ProxyConfig>, _mesh: &Mesh, findings: &mut Findings) {
    policy::targets(resource.spec.selector.as_ref(), None, &[], findings);
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    #[test]
    fn a_selector_has_labels() {
        expect_findings(
            "ProxyConfig",
            &[("{selector: {}}", "warning spec.selector", "no labels")],
        );
        expect_silence(
            "ProxyConfig",
            &["{}", "{selector: {matchLabels: {a: b}}, concurrency: 0}"],
        );
    }
}
