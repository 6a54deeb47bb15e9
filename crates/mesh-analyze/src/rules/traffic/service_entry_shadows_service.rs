//! ServiceEntries for hosts of Kubernetes Services.

use mesh_core::registry::ServiceOrigin;
use mesh_core::{Kind, Mesh};
use mesh_yaml::path;

use super::qualified;
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A ServiceEntry declares the host of a Kubernetes Service.
    ///
    /// ## Why is this bad?
    /// There are then two services of one name. Which of them a client gets depends on its namespace, and ports and
    /// endpoints of the other one do not exist for it.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: ServiceEntry
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   hosts: [reviews.shop.svc.cluster.local]
    ///   ports: [{number: 9081, name: http, protocol: HTTP}]
    ///   resolution: STATIC
    ///   endpoints: [{address: 10.0.0.1}]
    /// ---
    /// apiVersion: v1
    /// kind: Service
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   selector: {app: reviews}
    ///   ports: [{port: 9080, name: http}]
    /// ```
    ///
    /// ## Fix
    /// Give the ServiceEntry a host of its own. To add endpoints outside Kubernetes to a service, write WorkloadEntries that
    /// its selector selects.
    pub static RULE = {
        name: "service-entry-shadows-service",
        aliases: &[],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[Kind::ServiceEntry],
        needs: &[&[Kind::Service]],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let registry = mesh.registry();
    reporter.each(registry.services(), |entry, reporter| {
        let ServiceOrigin::Entry(resource, index) = entry.origin() else {
            return;
        };
        let service = registry
            .with_host(entry.host().as_str())
            .find(|other| other.kubernetes().is_some() && other.visibility().overlaps(entry.visibility()));
        if let Some(service) = service {
            reporter
                .report(resource, path!["spec", "hosts", *index])
                .message(format!(
                    "`{}` is the host of Service `{}` as well",
                    entry.host(),
                    qualified(service.header())
                ))
                .help("use another host, or WorkloadEntries to add endpoints to the service")
                .related(service.header(), path!["metadata", "name"], "the service");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{SERVICES, finds, object, silent};

    const RULE: &str = "service-entry-shadows-service";

    #[test]
    fn hosts_of_services_are_taken() {
        let entry = |more: &str| {
            object(
                "ServiceEntry",
                "prod",
                "e",
                &format!("{{hosts: [a.example.com, reviews.shop.svc.cluster.local]{more}}}"),
            )
        };
        finds(
            RULE,
            &(SERVICES.to_owned() + &entry("")),
            &[(
                "spec.hosts[1]",
                "`reviews.shop.svc.cluster.local` is the host of Service `shop/reviews` as well",
            )],
        );
        silent(RULE, &(SERVICES.to_owned() + &entry(", exportTo: ['~']")));
        let wildcard = object(
            "ServiceEntry",
            "prod",
            "e",
            "{hosts: ['*.shop.svc.cluster.local', reviews]}",
        );
        silent(RULE, &(SERVICES.to_owned() + &wildcard));
    }
}
