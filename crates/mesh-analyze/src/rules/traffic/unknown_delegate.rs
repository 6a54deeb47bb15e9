//! Delegations that lead nowhere.

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Suggestions, listed, qualified, visibility};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of a VirtualService delegates to one that does not exist, or that cannot be delegated to.
    ///
    /// ## Why is this bad?
    /// istiod leaves the route out. Requests go on to the next route, or get 404.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: shop, namespace: shop}
    /// spec:
    ///   hosts: [shop.example.com]
    ///   gateways: [edge]
    ///   http:
    ///   - match:
    ///     - uri: {prefix: /cart}
    ///     delegate: {name: cart}
    /// ```
    ///
    /// ## Fix
    /// Create the VirtualService that is delegated to. It has no `hosts`, and its `exportTo` includes the namespace of the
    /// one that delegates. A VirtualService in a namespace of which the input has none is not missed.
    pub static RULE = {
        name: "unknown-delegate",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let default = &mesh.config().default_virtual_service_export_to;
    let mut advice: Option<Advice<'_>> = None;
    for resource in mesh.virtual_services() {
        for (rule, route) in resource.spec.http.iter().enumerate() {
            let Some(delegate) = route
                .delegate
                .as_ref()
                .filter(|delegate| !delegate.name.is_empty())
            else {
                continue;
            };
            let own = resource.namespace();
            let namespace = if delegate.namespace.is_empty() {
                own
            } else {
                &delegate.namespace
            };
            let name = delegate.name.as_str();
            let place = path!["spec", "http", rule, "delegate"];
            let Some(target) = mesh.get::<VirtualService>(namespace, name) else {
                let advice = advice.get_or_insert_with(|| Advice::new(mesh));
                if namespace != own && !advice.knows(namespace, name) {
                    continue; // Delegates are often in files of other people.
                }
                let help = advice.on(namespace, name);
                reporter
                    .report(resource, place.key("name"))
                    .message(format!(
                        "there is no VirtualService `{name}` in namespace `{namespace}` to delegate to"
                    ))
                    .help(help);
                continue;
            };
            if !target.spec.hosts.is_empty() {
                reporter
                    .report(resource, place.key("name"))
                    .message(format!(
                        "VirtualService `{}` has hosts, and so cannot be delegated to",
                        qualified(target)
                    ))
                    .help("remove its `hosts` and `gateways`")
                    .related(target, path!["spec", "hosts"], "the hosts");
            } else if !visibility(&target.spec.export_to, target.namespace(), default).includes(own) {
                reporter
                    .report(resource, place.key("name"))
                    .message(format!(
                        "VirtualService `{}` is not exported to namespace `{own}`",
                        qualified(target)
                    ))
                    .help(format!("add `{own}` to its `exportTo`"))
                    .related(target, path!["spec", "exportTo"], "limits where it is visible");
            }
        }
    }
}

/// Works out what was meant.
struct Advice<'m> {
    /// The namespaces that have any VirtualService.
    namespaces: FxHashSet<&'m str>,
    by_namespace: FxHashMap<&'m str, Vec<&'m str>>,
    by_name: FxHashMap<&'m str, Vec<&'m str>>,
    suggestions: Suggestions,
}

impl<'m> Advice<'m> {
    fn new(mesh: &'m Mesh) -> Self {
        let mut by_namespace: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        let mut by_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
        for resource in mesh
            .virtual_services()
            .iter()
            .filter(|resource| resource.spec.hosts.is_empty())
        {
            by_namespace
                .entry(resource.namespace())
                .or_default()
                .push(resource.name());
            by_name
                .entry(resource.name())
                .or_default()
                .push(resource.namespace());
        }
        Self {
            namespaces: mesh
                .virtual_services()
                .iter()
                .map(|resource| resource.namespace())
                .collect(),
            by_namespace,
            by_name,
            suggestions: Suggestions::new(),
        }
    }

    /// Whether the input would show the VirtualService, or has one of that name elsewhere.
    fn knows(&self, namespace: &str, name: &str) -> bool {
        self.namespaces.contains(namespace) || self.by_name.contains_key(name)
    }

    fn on(&mut self, namespace: &str, name: &str) -> String {
        if let Some(namespaces) = self.by_name.get(name) {
            return format!("set `namespace` to {}", listed(namespaces.iter().copied()));
        }
        let siblings = self.by_namespace.get(namespace).map_or(&[][..], Vec::as_slice);
        match self.suggestions.closest(name, siblings) {
            Some(close) => format!("did you mean `{close}`?"),
            None => "create it, without `hosts`, or correct the name".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, object, silent, virtual_service};

    const RULE: &str = "unknown-delegate";

    fn root(delegate: &str) -> String {
        virtual_service(
            "root",
            &format!("{{hosts: [x], http: [{{}}, {{delegate: {delegate}}}]}}"),
        )
    }

    fn delegate(namespace: &str, more: &str) -> String {
        object(
            "VirtualService",
            namespace,
            "cart",
            &format!("{{http: [{{}}]{more}}}"),
        )
    }

    #[test]
    fn delegates_exist_without_hosts_and_in_sight() {
        let at = "spec.http[1].delegate.name";
        silent(RULE, &(root("{name: cart}") + &delegate("shop", "")));
        silent(
            RULE,
            &(root("{name: cart, namespace: other}") + &delegate("other", ", exportTo: [shop]")),
        );
        for (more, message) in [
            (
                ", hosts: [y]",
                "VirtualService `other/cart` has hosts, and so cannot be delegated to",
            ),
            (
                ", exportTo: ['.']",
                "VirtualService `other/cart` is not exported to namespace `shop`",
            ),
        ] {
            finds(
                RULE,
                &(root("{name: cart, namespace: other}") + &delegate("other", more)),
                &[(at, message)],
            );
        }
        finds(
            RULE,
            &root("{name: cart}"),
            &[(at, "there is no VirtualService `cart` in namespace `shop`")],
        );
    }

    #[test]
    fn the_help_names_what_was_meant() {
        let help = |text: &str| diagnostics(RULE, text)[0].help.clone();
        let elsewhere = root("{name: cart}") + &delegate("other", "");
        assert_eq!(help(&elsewhere).as_deref(), Some("set `namespace` to `other`"));
        let misplaced = root("{name: cart, namespace: nowhere}") + &delegate("other", "");
        assert_eq!(help(&misplaced).as_deref(), Some("set `namespace` to `other`"));
        let misspelt = root("{name: crat, namespace: other}") + &delegate("other", "");
        assert_eq!(help(&misspelt).as_deref(), Some("did you mean `cart`?"));
    }
}
