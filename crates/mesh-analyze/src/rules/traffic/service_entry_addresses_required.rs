//! TCP services without an address to tell them apart by.

use mesh_core::istio::service_entry::Resolution;
use mesh_core::k8s_openapi::api::core::v1::EnvVar;
use mesh_core::{Kind, Mesh, Protocol};
use mesh_yaml::path;

use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A ServiceEntry has a TCP port and no addresses, in a mesh where istiod does not allocate any.
    ///
    /// ## Why is this bad?
    /// Connections carry no host name, so that only the address tells for which service they are. Without one, proxies
    /// take every connection to the port for this service.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: database, namespace: shop}
    /// spec:
    ///   hosts: [database.example.com]
    ///   ports: [{number: 5432, name: tcp, protocol: TCP}]
    ///   resolution: DNS
    /// ---
    /// apiVersion: apps/v1
    /// kind: Deployment
    /// metadata: {name: istiod, namespace: istio-system}
    /// spec:
    ///   selector: {matchLabels: {app: istiod}}
    ///   template:
    ///     metadata: {labels: {app: istiod}}
    ///     spec:
    ///       containers:
    ///       - name: discovery
    ///         image: pilot
    ///         env: [{name: PILOT_ENABLE_IP_AUTOALLOCATE, value: "false"}]
    /// ```
    ///
    /// ## Fix
    /// Set `addresses`, or let istiod allocate one: it does unless `PILOT_ENABLE_IP_AUTOALLOCATE` is false.
    pub static RULE = {
        name: "service-entry-addresses-required",
        aliases: &["IST0134"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::ServiceEntry],
        needs: &[],
        check,
    }
}

const AUTO_ALLOCATE: &str = "PILOT_ENABLE_IP_AUTOALLOCATE";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    if !is_allocation_off(mesh) {
        return;
    }
    reporter.each(mesh.service_entries(), |entry, reporter| {
        let spec = &entry.spec;
        let opts_out = entry.labels().get("networking.istio.io/enable-autoallocate-ip");
        // For these, semantic validation says it whatever the mesh does.
        let is_reported =
            spec.resolution == Resolution::None || opts_out.is_some_and(|value| value == "false");
        let has_status = || {
            let status = entry.origin().root().get("status");
            let addresses = status.and_then(|status| status.get("addresses"));
            addresses.is_some_and(|addresses| !addresses.is_empty())
        };
        if !spec.addresses.is_empty() || is_reported || has_status() {
            return;
        }
        for (index, port) in spec.ports.iter().enumerate() {
            if !port.protocol.is_empty() && Protocol::parse(&port.protocol) != Some(Protocol::Tcp) {
                continue;
            }
            let place = path!["spec", "ports", index];
            let place = if port.protocol.is_empty() {
                place
            } else {
                place.key("protocol")
            };
            reporter
                .report(entry, place)
                .message(format!(
                    "TCP port {} needs `addresses`, as istiod does not allocate any here",
                    port.number
                ))
                .help(format!(
                    "set `addresses`, or remove `{AUTO_ALLOCATE}: false` from istiod"
                ));
        }
    });
}

/// Whether istiod, or the older allocation in the proxies, gives no addresses to entries without.
fn is_allocation_off(mesh: &Mesh) -> bool {
    let metadata = mesh
        .config()
        .default_config
        .as_ref()
        .map(|proxy| &proxy.proxy_metadata);
    let is_true = |key: &str| {
        metadata
            .and_then(|metadata| metadata.get(key))
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    };
    if is_true("ISTIO_META_DNS_CAPTURE") && is_true("ISTIO_META_DNS_AUTO_ALLOCATE") {
        return false;
    }
    let is_off = |variable: &EnvVar| {
        variable.name == AUTO_ALLOCATE
            && variable
                .value
                .as_deref()
                .is_some_and(|value| ["false", "0", "f", "F", "False", "FALSE"].contains(&value))
    };
    mesh.workloads()
        .in_namespace(&mesh.settings().istio_namespace)
        .filter(|workload| workload.labels().get("app").is_some_and(|app| app == "istiod"))
        .filter_map(|workload| workload.pod_spec())
        .flat_map(|spec| &spec.containers)
        .flat_map(|container| container.env.iter().flatten())
        .any(is_off)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{finds, object, silent};

    const RULE: &str = "service-entry-addresses-required";

    fn istiod(value: &str) -> String {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: \
             {{selector: {{}}, template: {{metadata: {{labels: {{app: istiod}}}}, spec: {{containers: [{{name: d, env: \
             [{{name: PILOT_ENABLE_IP_AUTOALLOCATE, value: '{value}'}}]}}]}}}}}}\n---\n"
        )
    }

    fn entry(more: &str, protocol: &str) -> String {
        let port = format!("{{number: 5432, name: p{protocol}}}");
        object(
            "ServiceEntry",
            "shop",
            "e",
            &format!("{{hosts: [a.x], ports: [{port}], {more}}}"),
        )
    }

    #[test]
    fn it_matters_only_where_allocation_is_off() {
        let tcp = entry("resolution: DNS", ", protocol: tcp");
        finds(
            RULE,
            &(istiod("false") + &tcp),
            &[("spec.ports[0].protocol", "TCP port 5432 needs `addresses`")],
        );
        finds(
            RULE,
            &(istiod("false") + &entry("resolution: DNS", "")),
            &[("spec.ports[0]", "5432")],
        );
        silent(RULE, &tcp);
        silent(RULE, &(istiod("true") + &tcp));
        silent(
            RULE,
            &(istiod("false") + &entry("resolution: DNS", ", protocol: HTTP")),
        );
        silent(
            RULE,
            &(istiod("false") + &entry("resolution: DNS, addresses: [1.2.3.4]", ", protocol: TCP")),
        );
        silent(
            RULE,
            &(istiod("false") + &entry("resolution: NONE", ", protocol: TCP")),
        );
        silent(
            RULE,
            &(istiod("false") + &tcp.replace("---\n", "status: {addresses: [{value: 240.240.0.1}]}\n---\n")),
        );
    }
}
