//! Target references to objects that do not exist.

use mesh_core::schema::validate::closest;
use mesh_core::{AnyResource, Kind, Mesh, ResourceId};
use rustc_hash::{FxHashMap, FxHashSet};

use super::all;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A target reference names a Gateway, Service or ServiceEntry that does not exist.
    ///
    /// ## Why is this bad?
    /// A policy that attaches to nothing has no effect, and so does not protect what it was meant for.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: AuthorizationPolicy
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   targetRefs:
    ///   - kind: Service
    ///     name: carts
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   selector: {app: cart}
    ///   ports: [{port: 80, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Name an object of the policy's own namespace.
    pub static RULE = {
        name: "unknown-target-ref",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[
            Kind::AuthorizationPolicy,
            Kind::EnvoyFilter,
            Kind::RequestAuthentication,
            Kind::Telemetry,
            Kind::TrafficExtension,
            Kind::WasmPlugin,
        ],
        needs: &[&[Kind::KubernetesGateway, Kind::Service, Kind::ServiceEntry]],
        check,
    }
}

/// The kinds that references can name, with their API groups. GatewayClasses come with the installation.
const TARGETS: [(&str, &str, Kind); 3] = [
    ("gateway.networking.k8s.io", "Gateway", Kind::KubernetesGateway),
    ("", "Service", Kind::Service),
    ("networking.istio.io", "ServiceEntry", Kind::ServiceEntry),
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut names: Option<Names> = None;
    for settings in all(mesh) {
        let namespace = settings.header.namespace();
        for (target, path) in &settings.targets {
            let known = TARGETS
                .iter()
                .find(|(group, kind, _)| *group == target.group && *kind == target.kind);
            let Some((_, _, kind)) = known else { continue };
            // Schemas report names that are absent, and namespaces.
            let is_open = target.name.is_empty() || !target.namespace.is_empty();
            if is_open || mesh.count(*kind) == 0 || mesh.contains(*kind, namespace, &target.name) {
                continue;
            }
            let names = names.get_or_insert_with(|| Names::new(mesh));
            let finding = reporter.report(settings.header, path.key("name"));
            finding.message(format!(
                "there is no {} `{}` in the namespace `{namespace}`",
                target.kind, target.name
            ));
            if let Some(elsewhere) = names.elsewhere(*kind, &target.name).and_then(|id| mesh.find(id)) {
                let header = elsewhere.header();
                finding
                    .help(format!(
                        "references reach their own namespace only: move the {} to the namespace `{}`",
                        settings.header.kind(),
                        header.namespace()
                    ))
                    .related(
                        header,
                        mesh_yaml::path!["metadata", "name"],
                        "one of this name is in another namespace",
                    );
            } else if let Some(meant) = names.alike(*kind, namespace, &target.name) {
                finding.help(format!("did you mean `{meant}`?"));
            } else {
                finding.help(format!("create the {}, or correct the name", target.kind));
            }
        }
    }
}

/// The objects that references can name.
struct Names {
    by_namespace: FxHashMap<(Kind, String), Vec<String>>,
    by_name: FxHashMap<(Kind, String), ResourceId>,
}

impl Names {
    fn new(mesh: &Mesh) -> Self {
        let kinds: FxHashSet<Kind> = TARGETS.iter().map(|(_, _, kind)| *kind).collect();
        let mut names = Self {
            by_namespace: FxHashMap::default(),
            by_name: FxHashMap::default(),
        };
        for resource in mesh.resources() {
            let header = AnyResource::header(&resource);
            if !kinds.contains(&header.kind()) {
                continue;
            }
            let id = header.id();
            let list = names
                .by_namespace
                .entry((id.kind, id.namespace.clone()))
                .or_default();
            list.push(id.name.clone());
            names.by_name.entry((id.kind, id.name.clone())).or_insert(id);
        }
        names
    }

    fn elsewhere(&self, kind: Kind, name: &str) -> Option<&ResourceId> {
        self.by_name.get(&(kind, name.to_owned()))
    }

    fn alike(&self, kind: Kind, namespace: &str, name: &str) -> Option<String> {
        let list = self.by_namespace.get(&(kind, namespace.to_owned()))?;
        closest(name, list.iter().map(String::as_str))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings_with_help;

    const OBJECTS: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: shop}\nspec: {}\n---\n\
                           apiVersion: v1\nkind: Service\nmetadata: {name: ledger, namespace: bank}\nspec: {}\n---\n\
                           apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: api, namespace: \
                           shop}\nspec: {hosts: [api.example.com]}\n---\n";

    fn found(reference: &str) -> Vec<String> {
        let text = format!(
            "{OBJECTS}apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, namespace: \
             shop}}\nspec: {{targetRefs: [{reference}]}}\n"
        );
        findings_with_help("unknown-target-ref", &text)
    }

    #[test]
    fn missing_objects_are_found() {
        for (reference, expected) in [
            (
                "{kind: Service, name: crat}",
                "spec.targetRefs[0].name: there is no Service `crat` in the namespace `shop` (did you mean `cart`?)",
            ),
            (
                "{kind: Service, name: ledger}",
                "spec.targetRefs[0].name: there is no Service `ledger` in the namespace `shop` (references reach their own \
                 namespace only: move the AuthorizationPolicy to the namespace `bank`)",
            ),
            (
                "{kind: ServiceEntry, group: networking.istio.io, name: other}",
                "spec.targetRefs[0].name: there is no ServiceEntry `other` in the namespace `shop` (create the \
                 ServiceEntry, or correct the name)",
            ),
        ] {
            assert_eq!(found(reference), [expected]);
        }
    }

    #[test]
    fn what_exists_or_cannot_be_known_is_silent() {
        for reference in [
            "{kind: Service, name: cart}",
            "{kind: ServiceEntry, group: networking.istio.io, name: api}",
            // The input has no Gateways at all.
            "{kind: Gateway, group: gateway.networking.k8s.io, name: waypoint}",
            "{kind: GatewayClass, group: gateway.networking.k8s.io, name: istio-waypoint}",
            "{kind: Service, name: ''}",
            "{kind: Service, group: apps, name: x}",
        ] {
            assert_eq!(found(reference), [""; 0], "{reference}");
        }
    }
}
