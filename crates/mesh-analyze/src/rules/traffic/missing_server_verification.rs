//! TLS without a say in who the server is.

use mesh_core::istio::destination_rule::{ClientTlsMode, ClientTlsSettings, DestinationRule, TrafficPolicy};
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::{FieldPath, path};

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A DestinationRule turns TLS on and does not say which authorities may have signed the server's certificate.
    ///
    /// ## Why is this bad?
    /// Without `caCertificates`, proxies hold the certificate against the authorities of their operating system, and so
    /// accept every public one. Where the mesh turns that off (`verifyCertificateAtClient: false`, or
    /// `VERIFY_CERTIFICATE_AT_CLIENT=false` at istiod, the default of old releases), they accept any certificate at all,
    /// and whoever is between client and server reads along.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: DestinationRule
    /// metadata: {name: database, namespace: shop}
    /// spec:
    ///   host: database.example.com
    ///   trafficPolicy:
    ///     tls: {mode: SIMPLE}
    /// ```
    ///
    /// ## Fix
    /// Set `caCertificates` to the path of the authorities' certificates, or `credentialName` to a secret with them; for
    /// public servers `caCertificates: system`. Where the authorities of the operating system are used, this is just for
    /// information.
    pub static RULE = {
        name: "missing-server-verification",
        aliases: &["IST0128", "IST0129"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::DestinationRule],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let is_off = mesh.config().verify_certificate_at_client == Some(false);
    reporter.each(mesh.destination_rules(), |resource, reporter| {
        let spec = &resource.spec;
        if let Some(policy) = &spec.traffic_policy {
            check_policy(
                resource,
                policy,
                &path!["spec", "trafficPolicy"],
                is_off,
                reporter,
            );
        }
        for (index, subset) in spec.subsets.iter().enumerate() {
            if let Some(policy) = &subset.traffic_policy {
                let place = path!["spec", "subsets", index, "trafficPolicy"];
                check_policy(resource, policy, &place, is_off, reporter);
            }
        }
    });
}

fn check_policy(
    resource: &Resource<DestinationRule>,
    policy: &TrafficPolicy,
    place: &FieldPath,
    is_off: bool,
    reporter: &mut Reporter<'_>,
) {
    let whole = policy.tls.as_ref().map(|tls| (tls, place.key("tls"), None));
    let ports = policy
        .port_level_settings
        .iter()
        .enumerate()
        .filter_map(|(index, settings)| {
            let place = place.key("portLevelSettings").index(index).key("tls");
            let port = settings.port.as_ref().map(|port| port.number);
            Some((settings.tls.as_ref()?, place, port))
        });
    for (tls, place, port) in whole.into_iter().chain(ports) {
        if !lacks_authorities(tls) {
            continue;
        }
        let host = &resource.spec.host;
        let server = match port {
            Some(port) => format!("port {port} of `{host}`"),
            None => format!("`{host}`"),
        };
        let finding = reporter.report(resource, place.key("mode"));
        if is_off {
            finding.message(format!(
                "the certificate of {server} is not verified, as `caCertificates` is not set"
            ));
        } else {
            finding
                .message(format!(
                    "the certificate of {server} is held against the proxy's operating system only, as \
                     `caCertificates` is not set"
                ))
                .severity(Severity::Info);
        }
        finding.help("set `caCertificates` or `credentialName`; `caCertificates: system` for public servers");
    }
}

fn lacks_authorities(tls: &ClientTlsSettings) -> bool {
    matches!(tls.mode, ClientTlsMode::Simple | ClientTlsMode::Mutual)
        && tls.ca_certificates.is_empty()
        && tls.credential_name.is_empty()
        && tls.insecure_skip_verify != Some(true)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, object};
    use crate::Severity;

    const RULE: &str = "missing-server-verification";

    fn rule(spec: &str) -> String {
        object(
            "DestinationRule",
            "shop",
            "a",
            &format!("{{host: db.example.com, {spec}}}"),
        )
    }

    #[test]
    fn modes_and_fields_decide() {
        for (tls, fires) in [
            ("{mode: SIMPLE}", true),
            ("{mode: MUTUAL, clientCertificate: /a, privateKey: /b}", true),
            ("{mode: SIMPLE, insecureSkipVerify: false}", true),
            ("{mode: SIMPLE, insecureSkipVerify: true}", false),
            ("{mode: SIMPLE, caCertificates: system}", false),
            ("{mode: SIMPLE, credentialName: db}", false),
            ("{mode: ISTIO_MUTUAL}", false),
            ("{mode: DISABLE}", false),
            ("{}", false),
        ] {
            let text = rule(&format!("trafficPolicy: {{tls: {tls}}}"));
            let expected: &[_] = if fires {
                &[("spec.trafficPolicy.tls.mode", "certificate of `db.example.com`")]
            } else {
                &[]
            };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn ports_and_subsets_are_checked() {
        let policy = "{portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]}";
        finds(
            RULE,
            &rule(&format!(
                "trafficPolicy: {policy}, subsets: [{{name: a}}, {{name: b, trafficPolicy: {{tls: {{mode: SIMPLE}}}}}}]"
            )),
            &[
                (
                    "spec.trafficPolicy.portLevelSettings[0].tls.mode",
                    "port 443 of `db.example.com`",
                ),
                ("spec.subsets[1].trafficPolicy.tls.mode", "`db.example.com`"),
            ],
        );
    }

    #[test]
    fn it_is_a_warning_where_nothing_is_verified() {
        let text = rule("trafficPolicy: {tls: {mode: SIMPLE}}");
        assert_eq!(diagnostics(RULE, &text)[0].severity, Severity::Info);
        let config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: \
                      'verifyCertificateAtClient: false'}\n---\n";
        let found = diagnostics(RULE, &(config.to_owned() + &text));
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].message.contains("is not verified"));
    }
}
