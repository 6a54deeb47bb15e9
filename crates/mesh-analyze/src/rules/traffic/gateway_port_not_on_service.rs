//! Ports of gateways that nobody can connect to.

use mesh_core::k8s_openapi::api::core::v1::{ContainerPort, ServicePort, ServiceSpec};
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mesh_core::workload;
use mesh_core::{Kind, Mesh, Resource, Workload};
use mesh_yaml::path;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{ports_path, qualified};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A Gateway has a server on a port that the service of its proxies does not have.
    ///
    /// ## Why is this bad?
    /// The proxies listen on the port, but clients outside the cluster do not get there.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: Gateway
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {app: edge}
    ///   servers:
    ///   - port: {number: 8004, name: http, protocol: HTTP}
    ///     hosts: [shop.example.com]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {app: edge}
    ///   ports: [{port: 80, targetPort: 8080, name: http}]
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: edge, namespace: shop}
    /// spec:
    ///   selector: {matchLabels: {app: edge}}
    ///   template:
    ///     metadata: {labels: {app: edge}, annotations: {inject.istio.io/templates: gateway}}
    ///     spec: {containers: [{name: istio-proxy, image: auto}]}
    /// ```
    ///
    /// ## Fix
    /// Add the port to the service, or use one of its ports in the Gateway: the `port` is right, and so is the `targetPort`.
    pub static RULE = {
        name: "gateway-port-not-on-service",
        aliases: &["IST0162"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::Gateway],
        needs: &[workload::KINDS, &[Kind::Service]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let proxies = reporter.proxies();
    let selected: FxHashSet<_> = (mesh.gateways().iter())
        .filter(|gateway| !gateway.spec.selector.is_empty())
        .flat_map(|gateway| proxies.of(gateway))
        .map(|workload| std::ptr::from_ref(*workload))
        .collect();
    let mut services: FxHashMap<*const Workload, Vec<&Resource<ServiceSpec>>> = FxHashMap::default();
    for service in mesh.services() {
        let Some(selector) = service.spec.selector.as_ref().filter(|labels| !labels.is_empty()) else {
            continue;
        };
        for workload in mesh.workloads().select(service.namespace(), selector) {
            if selected.contains(&std::ptr::from_ref(workload)) {
                services
                    .entry(std::ptr::from_ref(workload))
                    .or_default()
                    .push(service);
            }
        }
    }
    for gateway in mesh.gateways() {
        if gateway.spec.selector.is_empty() {
            continue; // It is on every proxy there is.
        }
        let workloads = proxies.of(gateway);
        let found: Vec<_> = (workloads.iter())
            .flat_map(|workload| {
                let services = services.get(&std::ptr::from_ref(*workload));
                services
                    .into_iter()
                    .flatten()
                    .map(move |service| (*workload, *service))
            })
            .collect();
        let Some((_, first)) = found.first() else {
            continue; // How clients get to the proxies is not in the input.
        };
        for (index, server) in gateway.spec.servers.iter().enumerate() {
            let number = server.port.as_ref().map_or(0, |port| port.number);
            // A server with an address of its own is not for clients of the service.
            if number == 0 || !server.bind.is_empty() {
                continue;
            }
            let is_open = workloads.iter().any(|workload| is_on_host(workload, number))
                || found
                    .iter()
                    .any(|(workload, service)| is_exposed(service, workload, number));
            if is_open {
                continue;
            }
            let ports: Vec<_> = first
                .spec
                .ports
                .iter()
                .flatten()
                .map(|port| port.port.to_string())
                .collect();
            let name = qualified(first);
            let finding = reporter.report(gateway, path!["spec", "servers", index, "port", "number"]);
            finding
                .message(format!(
                    "Service `{name}` of the gateway's proxies has no port {number}"
                ))
                .help(format!(
                    "add the port to the service, or use one that it has: {}",
                    ports.join(", ")
                ));
            let mut named: Vec<&Resource<ServiceSpec>> = Vec::new();
            for (_, service) in &found {
                if named.len() < 3 && !named.iter().any(|known| std::ptr::eq(*known, *service)) {
                    named.push(service);
                    finding.related(
                        service,
                        ports_path(),
                        format!("the ports of Service `{}`", qualified(service)),
                    );
                }
            }
        }
    }
}

fn container_ports(workload: &Workload) -> impl Iterator<Item = &ContainerPort> {
    let containers = workload
        .pod_spec()
        .map_or(&[][..], |spec| spec.containers.as_slice());
    containers
        .iter()
        .flat_map(|container| container.ports.iter().flatten())
}

/// Whether the port is open on the nodes themselves.
fn is_on_host(workload: &Workload, number: u32) -> bool {
    workload.uses_host_network()
        || container_ports(workload).any(|port| {
            port.host_port
                .is_some_and(|host| i64::from(host) == i64::from(number))
        })
}

/// Whether a port of the service leads to this port of the proxies: by its number, by its target's number, or by
/// its target's name.
fn is_exposed(service: &Resource<ServiceSpec>, workload: &Workload, number: u32) -> bool {
    let same = |port: i32| i64::from(port) == i64::from(number);
    let leads_there = |port: &ServicePort| {
        // Unset means TCP.
        let is_tcp = port
            .protocol
            .as_deref()
            .is_none_or(|protocol| protocol.is_empty() || protocol == "TCP");
        is_tcp
            && (same(port.port)
                || match &port.target_port {
                    Some(IntOrString::Int(target)) => same(*target),
                    Some(IntOrString::String(name)) => container_ports(workload)
                        .any(|port| port.name.as_ref() == Some(name) && same(port.container_port)),
                    None => false,
                })
    };
    service.spec.ports.iter().flatten().any(leads_there)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "gateway-port-not-on-service";

    fn gateway(server: &str) -> String {
        object(
            "Gateway",
            "shop",
            "edge",
            &format!("{{selector: {{app: edge}}, servers: [{{hosts: ['*'], {server}}}]}}"),
        )
    }

    fn proxy(ports: &str, container: &str) -> String {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: edge, namespace: infra}}\nspec: {{selector: {{app: edge}}, \
             ports: {ports}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: edge, namespace: infra, labels: {{app: \
             edge}}}}\nspec: {{containers: [{{name: istio-proxy, image: auto, ports: {container}}}]}}\n---\n"
        )
    }

    #[test]
    fn ports_are_found_by_number_and_target() {
        let at = "spec.servers[0].port.number";
        let missing = "Service `infra/edge` of the gateway's proxies has no port 8443";
        for (ports, container, fires) in [
            ("[{port: 8443}]", "[]", false),
            ("[{port: 443, targetPort: 8443}]", "[]", false),
            (
                "[{port: 443, targetPort: https}]",
                "[{name: https, containerPort: 8443}]",
                false,
            ),
            (
                "[{port: 443, targetPort: https}]",
                "[{name: https, containerPort: 443}]",
                true,
            ),
            ("[{port: 8443, protocol: UDP}]", "[]", true),
            ("[{port: 8443, protocol: TCP}]", "[]", false),
            ("[{port: 443}]", "[]", true),
            ("[{port: 443}]", "[{containerPort: 443, hostPort: 8443}]", false),
        ] {
            let text =
                proxy(ports, container) + &gateway("port: {number: 8443, name: https, protocol: HTTPS}");
            let expected: &[_] = if fires { &[(at, missing)] } else { &[] };
            finds(RULE, &text, expected);
        }
    }

    #[test]
    fn without_a_service_or_with_an_own_address_nothing_is_known() {
        let http = gateway("port: {number: 8080, name: http, protocol: HTTP}");
        let pod = proxy("[]", "[]").replace("selector: {app: edge}", "selector: {app: other}");
        silent(RULE, &(pod + &http));
        let bound = gateway("bind: 127.0.0.1, port: {number: 8080, name: http, protocol: HTTP}");
        silent(RULE, &(proxy("[{port: 80}]", "[]") + &bound));
    }
}
