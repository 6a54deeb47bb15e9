//! Namespaces in policies that do not exist.

use mesh_core::schema::validate::closest;
use mesh_core::{AnyResource, Kind, Mesh};
use mesh_yaml::path;
use std::collections::BTreeSet;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An AuthorizationPolicy names a namespace of callers that does not exist.
    ///
    /// ## Why is this bad?
    /// The value matches no caller: an ALLOW rule lets nobody in, and a DENY rule keeps nobody out.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Namespace
    /// metadata: {name: shop}
    /// ---
    /// apiVersion: security.istio.io/v1
    /// kind: AuthorizationPolicy
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   rules:
    ///   - from:
    ///     - source: {namespaces: [shopp]}
    /// ```
    ///
    /// ## Fix
    /// Correct the name, or create the namespace.
    pub static RULE = {
        name: "unknown-source-namespace",
        aliases: &["IST0101", "KIA0101"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::AuthorizationPolicy],
        needs: &[&[Kind::Namespace]],
        check,
    }
}

/// The attribute of conditions with the same meaning.
const ATTRIBUTE: &str = "source.namespace";

/// Namespaces that every cluster has.
const ALWAYS: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let declared = mesh
        .namespaces()
        .iter()
        .map(|namespace| namespace.name().to_owned());
    let mut known: BTreeSet<String> = declared.collect();
    // Where something is, there is a namespace, though its own object is not in the input. Policies do not count: a
    // misspelt name in their metadata proves nothing.
    let used = mesh.resources().filter(|resource| {
        let kind = AnyResource::header(resource).kind();
        kind.info().namespaced && kind != Kind::AuthorizationPolicy
    });
    known.extend(used.map(|resource| AnyResource::header(&resource).namespace().to_owned()));
    known.extend(ALWAYS.iter().map(|name| (*name).to_owned()));
    known.extend([
        mesh.root_namespace().to_owned(),
        mesh.settings().istio_namespace.clone(),
    ]);
    for policy in mesh.authorization_policies() {
        for (rule_index, rule) in policy.spec.rules.iter().enumerate() {
            let path = path!["spec", "rules", rule_index];
            let sources = rule.from.iter().enumerate().filter_map(|(index, from)| {
                Some((path.key("from").index(index).key("source"), from.source.as_ref()?))
            });
            let mut lists: Vec<_> = sources
                .flat_map(|(path, source)| {
                    [
                        (path.key("namespaces"), &source.namespaces),
                        (path.key("notNamespaces"), &source.not_namespaces),
                    ]
                })
                .collect();
            for (index, condition) in rule.when.iter().enumerate() {
                if condition.key == ATTRIBUTE {
                    let path = path.key("when").index(index);
                    lists.push((path.key("values"), &condition.values));
                    lists.push((path.key("notValues"), &condition.not_values));
                }
            }
            for (path, values) in lists {
                for (index, value) in values.iter().enumerate() {
                    if value.is_empty() || matches_any(value, &known) {
                        continue;
                    }
                    let finding = reporter.report(policy, path.index(index));
                    if value.contains('*') {
                        finding.message(format!("no namespace matches `{value}`"));
                    } else {
                        finding.message(format!("there is no namespace `{value}`"));
                    }
                    match closest(value, known.iter().map(String::as_str)) {
                        Some(meant) => finding.help(format!("did you mean `{meant}`?")),
                        None => finding.help("correct the name, or create the namespace"),
                    };
                }
            }
        }
    }
}

/// Whether the value, which may be `*`, `prefix*` or `*suffix`, matches a name.
fn matches_any(value: &str, names: &BTreeSet<String>) -> bool {
    if value == "*" {
        return true;
    }
    if let Some(suffix) = value.strip_prefix('*') {
        return names.iter().any(|name| name.ends_with(suffix));
    }
    match value.strip_suffix('*') {
        Some(prefix) => names
            .range(prefix.to_owned()..)
            .next()
            .is_some_and(|name| name.starts_with(prefix)),
        None => names.contains(value),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{findings_with_help, skipped};

    fn policy(rule: &str) -> String {
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, namespace: shopp}}\nspec: \
             {{rules: [{rule}]}}\n---\n"
        )
    }

    fn found(rule: &str) -> Vec<String> {
        let objects = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n\
                       apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: bank}\n---\n";
        findings_with_help("unknown-source-namespace", &format!("{objects}{}", policy(rule)))
    }

    #[test]
    fn names_and_patterns_without_a_namespace_are_found() {
        for (rule, expected) in [
            (
                "{from: [{source: {namespaces: [shop, shopp]}}]}",
                "spec.rules[0].from[0].source.namespaces[1]: there is no namespace `shopp` (did you mean `shop`?)",
            ),
            (
                "{from: [{}, {source: {notNamespaces: ['x*']}}]}",
                "spec.rules[0].from[1].source.notNamespaces[0]: no namespace matches `x*` (correct the name, or create the \
                 namespace)",
            ),
            (
                "{when: [{key: source.namespace, notValues: ['*-x']}]}",
                "spec.rules[0].when[0].notValues[0]: no namespace matches `*-x` (correct the name, or create the namespace)",
            ),
        ] {
            assert_eq!(found(rule), [expected]);
        }
    }

    #[test]
    fn known_namespaces_are_silent() {
        for rule in [
            "{from: [{source: {namespaces: [shop, bank, istio-system, kube-system, default]}}]}",
            "{from: [{source: {namespaces: ['*', 'sh*', '*nk']}}]}",
            "{when: [{key: source.namespace, values: [shop]}, {key: source.ip, values: [x]}]}",
        ] {
            assert_eq!(found(rule), [""; 0], "{rule}");
        }
        let alone = policy("{from: [{source: {namespaces: [x]}}]}");
        assert_eq!(
            skipped("unknown-source-namespace", &alone).as_deref(),
            Some("needs Namespace, and the input has none")
        );
    }
}
