//! Services that reach one port of a workload by different ports.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::registry::TargetPort;
use mesh_core::workload;
use mesh_core::{Kind, Mesh, Service};
use mesh_yaml::path;

use super::{is_headless, shared_workloads};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Several Services select one workload, and lead to one of its ports from different ports.
    ///
    /// ## Why is this bad?
    /// The sidecar has one inbound listener for each port of the workload, made from one of the Services: telemetry and
    /// policies name that one, and the settings of the others for the port are lost.
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
    ///   ports: [{port: 80, targetPort: 8080, name: http}]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: cart-internal}
    /// spec:
    ///   selector: {app: cart}
    ///   ports: [{port: 81, targetPort: 8080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Use the same port in all Services, or another port of the workload.
    pub static RULE = {
        name: "conflicting-target-ports",
        aliases: &["IST0137"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Service],
        needs: &[workload::KINDS],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let mut reported = BTreeSet::new();
    for shared in shared_workloads(mesh, reporter.injector()) {
        let mut first: BTreeMap<(u32, String), (&Service, usize)> = BTreeMap::new();
        for service in &shared.services {
            // Clients of a headless Service use the port of the workload itself.
            if service.kubernetes().is_some_and(|it| is_headless(&it.spec)) {
                continue;
            }
            for (index, port) in service.ports().iter().enumerate() {
                let key = match &port.target {
                    TargetPort::Number(number) => (*number, String::new()),
                    TargetPort::Name(name) => (0, name.clone()),
                };
                let (other, other_index) = *first.entry(key).or_insert((service, index));
                let Some(other_port) = other.ports().get(other_index) else {
                    continue;
                };
                let same_service = std::ptr::eq(other, *service);
                let names = (service.namespace(), service.header().name(), index);
                if same_service || other_port.number == port.number || !reported.insert(names) {
                    continue;
                }
                let target = match &port.target {
                    TargetPort::Number(number) => number.to_string(),
                    TargetPort::Name(name) => format!("`{name}`"),
                };
                let owner = shared.workload.owner();
                reporter
                    .report(service.header(), path!["spec", "ports", index, "port"])
                    .message(format!(
                        "port {} leads to port {target} of the pods, as does port {} of the Service `{}`",
                        port.number,
                        other_port.number,
                        other.header().name()
                    ))
                    .help("use the same port number in both Services, or another `targetPort`")
                    .related(
                        other.header(),
                        path!["spec", "ports", other_index, "port"],
                        "the other Service is here",
                    )
                    .related(
                        owner,
                        shared.workload.labels_path(),
                        format!("both select the pods of {} `{}`", owner.kind(), owner.name()),
                    );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn found(first: &str, second: &str) -> Vec<String> {
        findings(
            "conflicting-target-ports",
            &format!(
                "apiVersion: v1\nkind: Pod\nmetadata: {{name: p, labels: {{app: a}}}}\nspec: {{containers: []}}\n---\n\
                 apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{selector: {{app: a}}, {first}}}\n---\n\
                 apiVersion: v1\nkind: Service\nmetadata: {{name: t}}\nspec: {{selector: {{app: a}}, {second}}}\n"
            ),
        )
    }

    #[test]
    fn two_ways_to_one_port_are_found() {
        assert_eq!(
            found(
                "ports: [{port: 80, targetPort: 8080}]",
                "ports: [{port: 1, name: a}, {port: 81, name: b, targetPort: 8080}]"
            ),
            [
                "spec.ports[1].port: port 81 leads to port 8080 of the pods, as does port 80 of the Service `s`"
            ]
        );
        assert_eq!(
            found(
                "ports: [{port: 80, targetPort: web}]",
                "ports: [{port: 81, targetPort: web}]"
            ),
            [
                "spec.ports[0].port: port 81 leads to port `web` of the pods, as does port 80 of the Service `s`"
            ]
        );
    }

    #[test]
    fn the_usual_layouts_are_silent() {
        for (first, second) in [
            (
                "ports: [{port: 80, targetPort: 8080}]",
                "ports: [{port: 80, targetPort: 8080}]",
            ),
            (
                "ports: [{port: 80, targetPort: 8080}]",
                "ports: [{port: 81, targetPort: 8081}]",
            ),
            (
                "ports: [{port: 80, targetPort: 8080}]",
                "clusterIP: None, ports: [{port: 8080}]",
            ),
            (
                "ports: [{port: 80, targetPort: 8, name: a}, {port: 81, targetPort: 8, name: b}]",
                "ports: [{port: 80, targetPort: 8}]",
            ),
        ] {
            assert_eq!(found(first, second), [""; 0], "{first} {second}");
        }
    }
}
