//! Definitions of the Gateway API that are older than istiod needs.

use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A kind of the Gateway API is installed in a version that istiod does not read.
    ///
    /// ## Why is this bad?
    /// istiod leaves all objects of the kind aside: their routes and policies have no effect.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: apiextensions.k8s.io/v1
    /// kind: CustomResourceDefinition
    /// metadata:
    ///   name: tlsroutes.gateway.networking.k8s.io
    ///   annotations: {gateway.networking.k8s.io/bundle-version: v1.2.1}
    /// ```
    ///
    /// ## Fix
    /// Install the definitions of a newer release of the Gateway API.
    pub static RULE = {
        name: "outdated-gateway-api",
        aliases: &["IST0176"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::CustomResourceDefinition],
        needs: &[],
        check,
    }
}

const ANNOTATION: &str = "gateway.networking.k8s.io/bundle-version";

/// The oldest release of the Gateway API (major, minor) whose definition of a kind istiod 1.30 reads.
const OLDEST: [(&str, (u32, u32)); 4] = [
    ("backendtlspolicies.gateway.networking.k8s.io", (1, 4)),
    ("grpcroutes.gateway.networking.k8s.io", (1, 1)),
    ("tcproutes.gateway.networking.k8s.io", (1, 6)),
    ("tlsroutes.gateway.networking.k8s.io", (1, 5)),
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for definition in mesh.custom_resource_definitions() {
        let oldest = OLDEST.iter().find(|(name, _)| *name == definition.name());
        let version = definition.annotations().get(ANNOTATION);
        if let (Some((_, oldest)), Some(version)) = (oldest, version)
            && let Some(installed) = release(version)
            && installed < *oldest
        {
            let (major, minor) = oldest;
            reporter
                .report(definition, path!["metadata", "annotations", ANNOTATION])
                .message(format!(
                    "`{}` is of the Gateway API {version}, and istiod reads it from v{major}.{minor} on",
                    definition.name()
                ))
                .help(format!(
                    "install the definitions of the Gateway API v{major}.{minor} or later"
                ));
        }
    }
}

/// Major and minor version of `v1.2.1` or `v1.2.0-rc1`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix('v').unwrap_or(version).split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn versions_are_compared_by_number() {
        for (kind, version, expected) in [
            ("grpcroutes", "v1.0.0", 1),
            ("grpcroutes", "v1.10.0", 0),
            ("backendtlspolicies", "v1.4.0-rc1", 0),
            ("httproutes", "v0.1.0", 0),
            ("tcproutes", "nonsense", 0),
        ] {
            let text = format!(
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: \
                 {kind}.gateway.networking.k8s.io, annotations: {{gateway.networking.k8s.io/bundle-version: {version}}}}}\n"
            );
            assert_eq!(
                findings("outdated-gateway-api", &text).len(),
                expected,
                "{kind} {version}"
            );
        }
    }
}
