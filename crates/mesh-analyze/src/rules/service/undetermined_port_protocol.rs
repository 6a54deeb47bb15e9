//! Service ports that do not say what protocol they speak.

use mesh_core::{Kind, Mesh, Protocol};

use super::{is_managed, protocol_path};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A port of a Service does not declare its protocol.
    ///
    /// ## Why is this bad?
    /// The proxies then look at the first bytes of each connection. That costs a delay where the server speaks first, and
    /// if the guess is TCP, then routes, retries and policies on HTTP do not apply.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: cart}
    /// spec:
    ///   selector: {app: cart}
    ///   ports:
    ///   - name: web
    ///     port: 80
    /// ```
    ///
    /// ## Fix
    /// Name the port `PROTOCOL` or `PROTOCOL-anything`, or set `appProtocol`.
    pub static RULE = {
        name: "undetermined-port-protocol",
        aliases: &["IST0118", "KIA0601", "KIA0602"],
        severity: Severity::Info,
        since: "0.1.0",
        subjects: &[Kind::Service],
        needs: &[],
        check,
    }
}

/// Ports of protocols in which the server speaks first: SMTP, DNS, MySQL and MongoDB. The mesh never guesses on them.
const WELL_KNOWN: [i32; 4] = [25, 53, 3306, 27017];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for service in mesh.services() {
        // `external-name-port-protocol` is about those.
        if is_managed(service) || service.spec.type_.as_deref() == Some("ExternalName") {
            continue;
        }
        let ports = service.spec.ports.as_deref().unwrap_or_default();
        for (index, port) in ports.iter().enumerate() {
            let is_tcp = matches!(port.protocol.as_deref(), None | Some("" | "TCP"));
            let name = port.name.as_deref().unwrap_or_default();
            let app_protocol = port.app_protocol.as_deref();
            if !is_tcp
                || WELL_KNOWN.contains(&port.port)
                || Protocol::of_service_port(app_protocol, name).is_some()
            {
                continue;
            }
            let finding = reporter.report(service, protocol_path(service, index));
            match app_protocol.filter(|text| !text.is_empty()) {
                Some(app_protocol) => finding
                    .message(format!("the mesh does not know the protocol `{app_protocol}`"))
                    .help(format!("set `appProtocol` to one of {}", names())),
                None if name.is_empty() => finding
                    .message(format!("the port {} does not say its protocol", port.port))
                    .help("set `appProtocol`, for example to `http`, or a name such as `http`"),
                None => finding
                    .message(format!(
                        "the name `{name}` does not say the protocol of port {}",
                        port.port
                    ))
                    .help(format!(
                        "set `appProtocol`, or start the name with a protocol, as in `http-{name}`; protocols are {}",
                        names()
                    )),
            };
        }
    }
}

fn names() -> String {
    let names: Vec<_> = Protocol::ALL.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn service(metadata: &str, ports: &str) -> Vec<String> {
        findings(
            "undetermined-port-protocol",
            &format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: a, {metadata}}}\nspec: {{ports: [{ports}]}}\n"
            ),
        )
    }

    #[test]
    fn ports_without_a_protocol_are_found() {
        for (ports, expected) in [
            (
                "{port: 80, name: web}",
                "spec.ports[0].name: the name `web` does not say the protocol of port 80",
            ),
            (
                "{port: 80}",
                "spec.ports[0]: the port 80 does not say its protocol",
            ),
            (
                "{port: 1, name: http}, {port: 80, name: http, appProtocol: vendor.example/x}",
                "spec.ports[1].appProtocol: the mesh does not know the protocol `vendor.example/x`",
            ),
        ] {
            assert_eq!(service("", ports), [expected]);
        }
    }

    #[test]
    fn declared_and_exempt_ports_are_silent() {
        for (metadata, ports) in [
            ("", "{port: 80, name: http-web}, {port: 81, name: grpc}"),
            ("", "{port: 80, name: web, appProtocol: kubernetes.io/h2c}"),
            (
                "",
                "{port: 80, name: dns, protocol: UDP}, {port: 81, protocol: SCTP}",
            ),
            (
                "",
                "{port: 25}, {port: 53, name: dns}, {port: 3306}, {port: 27017, name: db}",
            ),
            ("labels: {istio: pilot}", "{port: 80, name: web}"),
            ("labels: {release: istio}", "{port: 80, name: web}"),
            (
                "labels: {gateway.networking.k8s.io/gateway-name: a}",
                "{port: 80, name: web}",
            ),
            ("namespace: kube-system", "{port: 80, name: web}"),
            ("", "{port: 80, name: web}], type: ExternalName, x: ["),
        ] {
            assert_eq!(service(metadata, ports), [""; 0], "{metadata} {ports}");
        }
    }
}
