//! Validation of [`TrafficExtension`].

use mesh_core::istio::traffic_extension::TrafficExtension;
use mesh_core::{Mesh, Resource};
use mesh_yaml::path;

use super::{Findings, policy};

/// The longest Lua script, in bytes. The schema counts characters, which is less for a script that is not ASCII.
const LONGEST_SCRIPT: usize = 65_536;

pub(super) fn check(resource: &Resource<TrafficExtension>, _mesh: &Mesh, findings: &mut Findings) {
    let spec = &resource.spec;
    policy::targets(spec.selector.as_ref(), None, &spec.target_refs, findings);
    if let Some(lua) = &spec.lua {
        let script = &lua.inline_code;
        if script.len() > LONGEST_SCRIPT && script.chars().count() <= LONGEST_SCRIPT {
            findings
                .error(
                    path!["spec", "lua", "inlineCode"],
                    format!(
                        "the script has {} bytes, but may have at most {LONGEST_SCRIPT}",
                        script.len()
                    ),
                )
                .help("shorten the script, or write it as a WebAssembly module");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::validation;

    #[test]
    fn scripts_are_measured_in_bytes() {
        let script = |text: &str| {
            validation(&format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: TrafficExtension\nmetadata: {{name: a}}\nspec:\n  lua:\n    \
                 inlineCode: '{text}'\n"
            ))
        };
        assert_eq!(script(&"é".repeat(30_000)), [""; 0]);
        assert_eq!(
            script(&"é".repeat(40_000)),
            ["error spec.lua.inlineCode: the script has 80000 bytes, but may have at most 65536"]
        );
        // The schema reports this one.
        assert_eq!(script(&"e".repeat(70_000)), [""; 0]);
    }
}
