//! Services that give one port of a workload different protocols.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::registry::TargetPort;
use mesh_core::workload;
use mesh_core::{Kind, Mesh, Protocol, Service};
use mesh_yaml::path;

use super::{Shared, protocol_path, shared_workloads};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Several Services select one workload, and disagree about the protocol of a port.
    ///
    /// ## Why is this bad?
    /// The sidecar of the workload treats a port in one way only. Which Service decides depends on their age, so that HTTP
    /// may be handled as plain TCP.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: cart}
    /// spec:
    ///   selector: {matchLabels: {app: cart}}
    ///   template:
    ///     metadata: {labels: {app: cart}}
    ///     spec: {containers: [{name: app, image: cart}]}
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: cart}
    /// spec:
    ///   selector: {app: cart}
    ///   ports: [{port: 8080, name: http}]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: cart-internal}
    /// spec:
    ///   selector: {app: cart}
    ///   ports: [{port: 8080, name: tcp}]
    /// ```
    ///
    /// ## Fix
    /// Give the port the same protocol in all Services.
    pub static RULE = {
        name: "conflicting-port-protocols",
        aliases: &["IST0116"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Service],
        needs: &[workload::KINDS],
        check,
    }
}

/// Ports of protocols that use TCP and UDP alike, such as DNS and HTTP/3: one Service for each is common.
const TCP_AND_UDP: [u32; 14] = [
    53, 80, 88, 123, 137, 138, 389, 443, 464, 514, 3478, 5060, 5061, 8443,
];

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    // What holds for one workload holds for all that the same services select.
    let mut reported = BTreeSet::new();
    for shared in shared_workloads(mesh, reporter.injector()) {
        by_target(&shared, &mut reported, reporter);
        by_number(&shared, &mut reported, reporter);
    }
}

/// Two ports that are already reported: pairs of service and port index.
type Reported = BTreeSet<[(String, usize); 2]>;

fn key(service: &Service, index: usize) -> (String, usize) {
    (
        format!("{}/{}", service.namespace(), service.header().name()),
        index,
    )
}

/// How the sidecar treats a port.
fn class(protocol: Protocol) -> Option<&'static str> {
    if protocol.is_http() {
        Some("HTTP")
    } else if protocol.is_tcp() {
        Some("TCP")
    } else {
        None
    }
}

/// Finds ports of the workload that are HTTP to one service and opaque to another.
fn by_target(shared: &Shared<'_>, reported: &mut Reported, reporter: &mut Reporter<'_>) {
    let mut first: BTreeMap<TargetKey, (&Service, usize, Protocol)> = BTreeMap::new();
    for service in &shared.services {
        for (index, port) in service.ports().iter().enumerate() {
            let Some((protocol, class)) = port.protocol.and_then(|it| Some((it, class(it)?))) else {
                continue;
            };
            let (other, other_index, other_protocol) = *first
                .entry(target_key(&port.target))
                .or_insert((service, index, protocol));
            let differs = self::class(other_protocol) != Some(class) && !std::ptr::eq(other, *service);
            if differs {
                let target = match &port.target {
                    TargetPort::Number(number) => number.to_string(),
                    TargetPort::Name(name) => format!("`{name}`"),
                };
                report(
                    shared,
                    (service, index),
                    (other, other_index),
                    format!(
                        "port {target} of the pods is {protocol} here, but {other_protocol} in the Service `{}`",
                        other.header().name()
                    ),
                    reported,
                    reporter,
                );
            }
        }
    }
}

/// Finds port numbers that are TCP in one service and UDP in another.
fn by_number(shared: &Shared<'_>, reported: &mut Reported, reporter: &mut Reporter<'_>) {
    let mut first: BTreeMap<u32, (&Service, usize, &'static str)> = BTreeMap::new();
    for service in &shared.services {
        let ports = service.kubernetes().and_then(|it| it.spec.ports.as_deref());
        for (index, port) in ports.unwrap_or_default().iter().enumerate() {
            let number = u32::try_from(port.port).unwrap_or_default();
            let transport = match port.protocol.as_deref() {
                None | Some("" | "TCP") => "TCP",
                Some("UDP") => "UDP",
                Some("SCTP") => "SCTP",
                Some(_) => continue,
            };
            if TCP_AND_UDP.contains(&number) {
                continue;
            }
            let (other, other_index, other_transport) =
                *first.entry(number).or_insert((service, index, transport));
            if other_transport != transport && !std::ptr::eq(other, *service) {
                report(
                    shared,
                    (service, index),
                    (other, other_index),
                    format!(
                        "port {number} is {transport} here, but {other_transport} in the Service `{}`, which selects \
                         the same pods",
                        other.header().name()
                    ),
                    reported,
                    reporter,
                );
            }
        }
    }
}

fn report(
    shared: &Shared<'_>,
    (service, index): (&Service, usize),
    (other, other_index): (&Service, usize),
    message: String,
    reported: &mut Reported,
    reporter: &mut Reporter<'_>,
) {
    if !reported.insert([key(service, index), key(other, other_index)]) {
        return;
    }
    let place = |service: &Service, index| match service.kubernetes() {
        Some(kubernetes) => protocol_path(kubernetes, index),
        None => path!["spec", "ports", index],
    };
    let owner = shared.workload.owner();
    reporter
        .report(service.header(), place(service, index))
        .message(message)
        .help("give the port one protocol in all Services of these pods")
        .related(
            other.header(),
            place(other, other_index),
            "the other Service is here",
        )
        .related(
            owner,
            shared.workload.labels_path(),
            format!("both select the pods of {} `{}`", owner.kind(), owner.name()),
        );
}

/// A workload's port, in an order.
type TargetKey = (u32, String);

fn target_key(target: &TargetPort) -> TargetKey {
    match target {
        TargetPort::Number(number) => (*number, String::new()),
        TargetPort::Name(name) => (0, name.clone()),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{diagnostics, findings};

    pub(in super::super) fn mesh(pod: &str, services: &[(&str, &str)]) -> String {
        let mut text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: a, {pod}}}}}\nspec: {{containers: []}}\n"
        );
        for (name, spec) in services {
            text.push_str("---\napiVersion: v1\nkind: Service\nmetadata: {name: ");
            text.push_str(name);
            text.push_str("}\nspec: {selector: {app: a}, ");
            text.push_str(spec);
            text.push_str("}\n");
        }
        text
    }

    #[test]
    fn different_protocols_of_one_port_are_found() {
        for (services, expected) in [
            (
                [
                    ("s", "ports: [{port: 80, targetPort: 8080, name: http}]"),
                    ("t", "ports: [{port: 8080, name: tcp-x}]"),
                ],
                "spec.ports[0].name: port 8080 of the pods is TCP here, but HTTP in the Service `s`",
            ),
            (
                [
                    ("s", "ports: [{port: 9080, protocol: UDP}]"),
                    ("t", "ports: [{port: 9080}]"),
                ],
                "spec.ports[0]: port 9080 is TCP here, but UDP in the Service `s`, which selects the same pods",
            ),
        ] {
            let text = mesh("b: c", &services);
            assert_eq!(findings("conflicting-port-protocols", &text), [expected]);
            let finding = &diagnostics("conflicting-port-protocols", &text)[0];
            assert_eq!(finding.related.len(), 2);
        }
    }

    #[test]
    fn services_that_agree_are_silent() {
        for (pod, services) in [
            (
                "b: c",
                vec![
                    ("s", "ports: [{port: 80, name: http}]"),
                    ("t", "ports: [{port: 80, name: grpc}]"),
                ],
            ),
            (
                "b: c",
                vec![
                    ("s", "ports: [{port: 80, name: http}]"),
                    ("t", "ports: [{port: 80}]"),
                ],
            ),
            (
                "b: c",
                vec![
                    ("s", "ports: [{port: 53, name: dns}]"),
                    ("t", "ports: [{port: 53, protocol: UDP}]"),
                ],
            ),
            (
                "b: c",
                vec![(
                    "s",
                    "ports: [{port: 9, name: tcp-a}, {port: 9, protocol: UDP, name: b}]",
                )],
            ),
            (
                "sidecar.istio.io/inject: 'false'",
                vec![
                    ("s", "ports: [{port: 80, name: http}]"),
                    ("t", "ports: [{port: 80, name: tcp}]"),
                ],
            ),
            (
                "b: c",
                vec![
                    ("s", "ports: [{port: 80, name: http}]"),
                    ("t", "type: ExternalName, ports: [{port: 80, name: tcp}]"),
                ],
            ),
        ] {
            let found = findings("conflicting-port-protocols", &mesh(pod, &services));
            assert_eq!(found, [""; 0], "{pod} {services:?}");
        }
    }
}
