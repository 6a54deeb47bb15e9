//! Providers that the configuration of the mesh does not have.

use mesh_core::istio::authorization_policy::Action;
use mesh_core::istio::mesh_config::ExtensionProvider;
use mesh_core::istio::telemetry::ProviderRef;
use mesh_core::schema::validate::closest;
use mesh_core::{Header, Kind, Mesh};
use mesh_yaml::{FieldPath, path};

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// An AuthorizationPolicy or Telemetry names a provider that the mesh's configuration does not have.
    ///
    /// ## Why is this bad?
    /// Requests that such a CUSTOM policy covers are denied, since nobody can decide on them. Telemetry for such a provider
    /// is lost.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: istio, namespace: istio-system}
    /// data:
    ///   mesh: |
    ///     extensionProviders:
    ///     - name: opa
    ///       envoyExtAuthzGrpc: {service: opa.opa.svc.cluster.local, port: "9191"}
    /// ---
    /// apiVersion: security.istio.io/v1
    /// kind: AuthorizationPolicy
    /// metadata: {name: cart, namespace: shop}
    /// spec:
    ///   action: CUSTOM
    ///   provider: {name: oap}
    ///   rules: [{}]
    /// ```
    ///
    /// ## Fix
    /// Correct the name, or add the provider to `extensionProviders` of the mesh.
    pub static RULE = {
        name: "unknown-extension-provider",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::AuthorizationPolicy, Kind::Telemetry],
        needs: &[],
        also_reads: &[Kind::ConfigMap],
        check,
    }
}

/// The providers for telemetry that exist without being listed.
const BUILT_IN: [&str; 3] = ["envoy", "prometheus", "stackdriver"];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    // The compiled-in configuration says nothing about this mesh's providers.
    if !mesh.has_own_config() {
        return;
    }
    let providers = &mesh.config().extension_providers;
    for policy in mesh.authorization_policies() {
        let Some(provider) = &policy.spec.provider else {
            continue;
        };
        if policy.spec.action != Action::Custom || provider.name.is_empty() {
            continue; // Validation reports it.
        }
        let path = path!["spec", "provider", "name"];
        match providers.iter().find(|known| known.name == provider.name) {
            None => {
                let authorizers = providers.iter().filter(|provider| decides(provider));
                let names: Vec<_> = authorizers.map(|provider| provider.name.as_str()).collect();
                unknown(&provider.name, &names, policy, path, reporter);
            }
            Some(known) if !decides(known) => {
                reporter
                    .report(policy, path)
                    .message(format!(
                        "the provider `{}` cannot decide on requests: it is not an authorization service",
                        provider.name
                    ))
                    .help("name a provider with `envoyExtAuthzHttp` or `envoyExtAuthzGrpc`");
            }
            Some(_) => {}
        }
    }
    let mut names: Vec<_> = providers.iter().map(|provider| provider.name.as_str()).collect();
    names.extend(BUILT_IN);
    for telemetry in mesh.telemetries() {
        let spec = &telemetry.spec;
        let tracing = spec.tracing.iter().map(|it| &it.providers).enumerate();
        let metrics = spec.metrics.iter().map(|it| &it.providers).enumerate();
        let logging = spec.access_logging.iter().map(|it| &it.providers).enumerate();
        let lists = tracing
            .map(|(index, list)| ("tracing", index, list))
            .chain(metrics.map(|(index, list)| ("metrics", index, list)))
            .chain(logging.map(|(index, list)| ("accessLogging", index, list)));
        for (field, index, list) in lists {
            for (number, ProviderRef { name }) in list.iter().enumerate() {
                if name.is_empty() || names.contains(&name.as_str()) {
                    continue;
                }
                let path = path!["spec", field, index, "providers", number, "name"];
                unknown(name, &names, telemetry, path, reporter);
            }
        }
    }
}

/// Whether the provider can decide on requests.
fn decides(provider: &ExtensionProvider) -> bool {
    provider.envoy_ext_authz_grpc.is_some() || provider.envoy_ext_authz_http.is_some()
}

fn unknown(name: &str, names: &[&str], header: &Header, path: FieldPath, reporter: &mut Reporter<'_>) {
    let finding = reporter.report(header, path);
    finding.message(format!("the mesh's configuration has no provider `{name}`"));
    match closest(name, names.iter().copied()) {
        Some(meant) => finding.help(format!("did you mean `{meant}`?")),
        None => finding.help("add it to `extensionProviders` of the mesh"),
    };
}

#[cfg(test)]
mod tests {
    use crate::testing::findings_with_help;

    const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: \
                          |\n    extensionProviders:\n    - {name: opa, envoyExtAuthzGrpc: {service: opa.svc, port: 1}}\n    \
                          - {name: otel, opentelemetry: {service: otel.svc, port: 1}}\n---\n";

    fn policy(provider: &str) -> String {
        format!(
            "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a}}\nspec: {{action: CUSTOM, \
             provider: {{name: {provider}}}, rules: [{{}}]}}\n---\n"
        )
    }

    fn telemetry(spec: &str) -> String {
        format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: a}}\nspec: {{{spec}}}\n---\n"
        )
    }

    fn found(text: &str) -> Vec<String> {
        findings_with_help("unknown-extension-provider", &format!("{CONFIG}{text}"))
    }

    #[test]
    fn unknown_providers_are_found() {
        for (text, expected) in [
            (
                policy("oap"),
                "spec.provider.name: the mesh's configuration has no provider `oap` (did you mean `opa`?)",
            ),
            (
                policy("otel"),
                "spec.provider.name: the provider `otel` cannot decide on requests: it is not an authorization service \
                 (name a provider with `envoyExtAuthzHttp` or `envoyExtAuthzGrpc`)",
            ),
            (
                telemetry("tracing: [{providers: [{name: otel}, {name: zipkin}]}]"),
                "spec.tracing[0].providers[1].name: the mesh's configuration has no provider `zipkin` (add it to \
                 `extensionProviders` of the mesh)",
            ),
            (
                telemetry("accessLogging: [{}, {providers: [{name: envoi}]}]"),
                "spec.accessLogging[1].providers[0].name: the mesh's configuration has no provider `envoi` (did you mean \
                 `envoy`?)",
            ),
        ] {
            assert_eq!(found(&text), [expected]);
        }
    }

    #[test]
    fn known_providers_are_silent() {
        for text in [
            policy("opa"),
            policy("oap").replace("CUSTOM", "ALLOW"),
            telemetry(
                "metrics: [{providers: [{name: prometheus}, {name: stackdriver}]}], accessLogging: [{providers: [{name: envoy}]}]",
            ),
            telemetry("tracing: [{providers: [{name: ''}]}]"),
        ] {
            assert_eq!(found(&text), [""; 0], "{text}");
        }
    }

    #[test]
    fn without_a_configuration_nothing_is_known() {
        assert_eq!(
            findings_with_help("unknown-extension-provider", &policy("oap")),
            [""; 0]
        );
    }
}
