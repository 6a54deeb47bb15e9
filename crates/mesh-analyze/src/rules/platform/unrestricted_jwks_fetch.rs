//! A control plane that fetches keys from anywhere.

use mesh_core::k8s_openapi::api::core::v1::Container;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// istiod fetches the keys of RequestAuthentications from any address.
    ///
    /// ## Why is this bad?
    /// Whoever may write a RequestAuthentication can have istiod send requests to addresses that only it can reach, such as
    /// the metadata service of the cloud, by naming one as `jwksUri`.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: security.istio.io/v1
    /// kind: RequestAuthentication
    /// metadata: {name: tokens, namespace: shop}
    /// spec:
    ///   jwtRules: [{issuer: https://id.example.com, jwksUri: "https://id.example.com/keys"}]
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: istiod, namespace: istio-system}
    /// spec:
    ///   selector: {matchLabels: {app: istiod}}
    ///   template:
    ///     metadata: {labels: {app: istiod}}
    ///     spec: {containers: [{name: discovery, image: pilot}]}
    /// ```
    ///
    /// ## Fix
    /// Set the environment variable `BLOCKED_CIDRS_IN_JWKS_URIS` of istiod to the blocks that it must not ask, such as
    /// `169.254.0.0/16,10.0.0.0/8`.
    pub static RULE = {
        name: "unrestricted-jwks-fetch",
        aliases: &["IST0175"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::RequestAuthentication],
        needs: &[&[Kind::Deployment]],
        check,
    }
}

const VARIABLE: &str = "BLOCKED_CIDRS_IN_JWKS_URIS";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    // Keys that stand in the object itself are not fetched.
    let fetching = mesh.request_authentications().iter().find_map(|it| {
        let index = it.spec.jwt_rules.iter().position(|rule| rule.jwks.is_empty())?;
        Some((it, index))
    });
    let Some((request_authentication, index)) = fetching else {
        return;
    };
    for deployment in mesh.deployments() {
        let is_istiod = |labels: &mesh_core::Labels| labels.get("app").is_some_and(|app| app == "istiod");
        let template = &deployment.spec.template;
        let labels = template
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.labels.as_ref());
        if !is_istiod(deployment.labels()) && !labels.is_some_and(is_istiod) {
            continue;
        }
        let containers = template.spec.as_ref().map_or(&[][..], |spec| &spec.containers);
        if containers.iter().any(sets_variable) {
            continue;
        }
        reporter
            .report(deployment, path!["spec", "template", "spec", "containers"])
            .message(format!(
                "istiod fetches keys from any address: `{VARIABLE}` is not set"
            ))
            .help("set it to the address blocks that istiod must not ask")
            .related(
                request_authentication,
                path!["spec", "jwtRules", index],
                "keys are fetched for this rule",
            );
    }
}

/// Where the value comes from elsewhere, it is taken to be set.
fn sets_variable(container: &Container) -> bool {
    container.env.iter().flatten().any(|variable| {
        let has_value = variable.value.as_ref().is_some_and(|value| !value.is_empty());
        variable.name == VARIABLE && (has_value || variable.value_from.is_some())
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    #[test]
    fn the_variable_counts_where_keys_are_fetched() {
        let found = |rule: &str, env: &str| {
            findings(
                "unrestricted-jwks-fetch",
                &format!(
                    "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: a}}\nspec: {{jwtRules: \
                     [{rule}]}}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, labels: {{app: \
                     istiod}}}}\nspec: {{selector: {{}}, template: {{spec: {{containers: [{{name: d, image: d, env: \
                     {env}}}]}}}}}}\n"
                ),
            )
            .len()
        };
        assert_eq!(found("{issuer: a}", "[]"), 1);
        assert_eq!(
            found("{issuer: a}", "[{name: BLOCKED_CIDRS_IN_JWKS_URIS, value: ''}]"),
            1
        );
        assert_eq!(
            found(
                "{issuer: a}",
                "[{name: BLOCKED_CIDRS_IN_JWKS_URIS, value: 10.0.0.0/8}]"
            ),
            0
        );
        assert_eq!(found("{issuer: a, jwks: '{}'}", "[]"), 0);
    }
}
