//! Aliases of external names whose ports the mesh takes for plain TCP.

use mesh_core::{Kind, Mesh, Protocol};

use super::{is_managed, protocol_path};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A port of an ExternalName Service has no protocol, or plain TCP.
    ///
    /// ## Why is this bad?
    /// An ExternalName Service has no address. For a TCP port the proxies can then only listen on every address, and so
    /// send all traffic to that port number, whatever its destination, to the external name.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: billing}
    /// spec:
    ///   type: ExternalName
    ///   externalName: billing.example.com
    ///   ports:
    ///   - name: tcp
    ///     port: 443
    /// ```
    ///
    /// ## Fix
    /// Declare the protocol, such as `tls` or `http`, by the port's name or `appProtocol`.
    pub static RULE = {
        name: "external-name-port-protocol",
        aliases: &["IST0150"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Service],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for service in mesh.services() {
        if is_managed(service) || service.spec.type_.as_deref() != Some("ExternalName") {
            continue;
        }
        let ports = service.spec.ports.as_deref().unwrap_or_default();
        for (index, port) in ports.iter().enumerate() {
            let name = port.name.as_deref().unwrap_or_default();
            let declared = Protocol::of_service_port(port.app_protocol.as_deref(), name);
            let is_tcp = matches!(port.protocol.as_deref(), None | Some("" | "TCP"));
            let what = match declared {
                None => "no protocol",
                Some(Protocol::Tcp) => "the protocol TCP",
                Some(_) => continue,
            };
            if !is_tcp {
                continue;
            }
            reporter
                .report(service, protocol_path(service, index))
                .message(format!(
                    "the port {} of an ExternalName Service has {what}, and so captures all traffic to this port number",
                    port.port
                ))
                .help("start the port's name with what it speaks, such as `tls` or `http`, or set `appProtocol`");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn service(ports: &str) -> Vec<String> {
        findings(
            "external-name-port-protocol",
            &format!(
                "apiVersion: v1\nkind: Service\nmetadata: {{name: a}}\nspec: {{type: ExternalName, externalName: \
                 a.example, ports: [{ports}]}}\n"
            ),
        )
    }

    #[test]
    fn only_ports_without_names_to_tell_are_found() {
        assert_eq!(
            service("{port: 443, name: tcp}"),
            [
                "spec.ports[0].name: the port 443 of an ExternalName Service has the protocol TCP, and so captures all \
                 traffic to this port number"
            ]
        );
        assert_eq!(
            service("{port: 443}"),
            [
                "spec.ports[0]: the port 443 of an ExternalName Service has no protocol, and so captures all traffic to \
                 this port number"
            ]
        );
        for ports in [
            "{port: 443, name: https}",
            "{port: 443, name: x, appProtocol: tls}",
            "{port: 53, name: x, protocol: UDP}",
            "",
        ] {
            assert_eq!(service(ports), [""; 0], "{ports}");
        }
        let other = findings(
            "external-name-port-protocol",
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 443, name: tcp}]}\n",
        );
        assert_eq!(other, [""; 0]);
    }
}
