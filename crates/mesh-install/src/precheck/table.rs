//! All checks, in the order in which they are shown.

use super::{
    Category, Check, Facts, Options, Outcome, Read, capacity, certificates, control_plane, crds, kubernetes,
    network, permissions, webhooks, workloads,
};

const fn check(
    category: Category,
    name: &'static str,
    title: &'static str,
    docs: &'static str,
    check: fn(&Facts, &Options) -> Read<Outcome>,
) -> Check {
    Check {
        name,
        category,
        title,
        docs,
        can_pass: false,
        check,
    }
}

/// A check whose failure can pass by itself.
const fn passing(check: Check) -> Check {
    Check {
        can_pass: true,
        ..check
    }
}

use Category::{Capacity, ExistingMesh, Kubernetes, Network, Permissions, Workloads};

/// All checks.
pub static CHECKS: &[Check] = &[
    passing(check(
        Kubernetes,
        "api-server",
        "API server",
        "The API server tells its version (`/version`). Fails if it does not.",
        kubernetes::api_server,
    )),
    check(
        Kubernetes,
        "kubernetes-version",
        "Kubernetes version",
        "The version lies in the range that the release of Istio supports. Fails below what was ever tested, warns \
         below and above the supported range.",
        kubernetes::version,
    ),
    check(
        Kubernetes,
        "api-versions",
        "API versions",
        "All API groups and versions that an installation has objects of, and that a control plane watches, are \
         served.",
        kubernetes::api_versions,
    ),
    passing(check(
        Kubernetes,
        "aggregated-apis",
        "aggregated APIs",
        "Every APIService is available. One that is not keeps namespaces from being deleted and hides its kinds.",
        kubernetes::aggregated_apis,
    )),
    check(
        Kubernetes,
        "kubelet-versions",
        "kubelet versions",
        "No kubelet is newer than the API server or more than three minor versions older.",
        kubernetes::kubelet_versions,
    ),
    check(
        Kubernetes,
        "client-version",
        "client version",
        "The API server is at most one minor version newer than the API that this program knows.",
        kubernetes::client_version,
    ),
    check(
        Permissions,
        "cluster-permissions",
        "cluster-wide objects",
        "The user may do all that installing does with namespaces, CustomResourceDefinitions, ClusterRoles, their \
         bindings and webhooks, by one SelfSubjectAccessReview for each verb. What is missing comes as a ClusterRole \
         that is bound to the user.",
        permissions::cluster,
    ),
    check(
        Permissions,
        "namespace-permissions",
        "objects of the control plane",
        "The same for the objects of the control plane's namespace. What is missing comes as a Role.",
        permissions::namespace,
    ),
    check(
        Permissions,
        "grant-permissions",
        "rights to hand on",
        "The user may make the roles of the control plane: with the verbs `escalate` and `bind`, or by having all \
         rights that they give.",
        permissions::grants,
    ),
    passing(check(
        Capacity,
        "nodes",
        "nodes",
        "Nodes are ready, not cordoned, and under no pressure. Fails if none is left.",
        capacity::nodes,
    )),
    passing(check(
        Capacity,
        "control-plane-scheduling",
        "pods of the control plane",
        "The pods of istiod would be admitted (LimitRanges, quotas, PodSecurity) and find nodes (taints, cordons, \
         node affinity, CPU, memory, pods, ports, spreading), as kube-scheduler 1.36 decides. The answer is the \
         scheduler's own message; below it stand the reasons of each node, and what would help. Warns only if an \
         earlier version runs already.",
        capacity::control_plane,
    )),
    passing(check(
        Capacity,
        "gateway-scheduling",
        "pods of gateways",
        "The same for the profile's gateways, beside istiod.",
        capacity::gateways,
    )),
    passing(check(
        Capacity,
        "node-agent-scheduling",
        "pods of node agents",
        "The same for istio-cni and ztunnel, on every node that their templates allow. Lists the nodes that are left \
         out.",
        capacity::node_agents,
    )),
    check(
        Capacity,
        "metrics-api",
        "metrics for autoscaling",
        "`metrics.k8s.io` is served, without which the profile's HorizontalPodAutoscalers do nothing.",
        capacity::metrics,
    ),
    passing(check(
        ExistingMesh,
        "istio-namespace",
        "namespace",
        "The control plane's namespace is not being deleted, and does not ask for sidecars or ambient mode itself.",
        control_plane::istio_namespace,
    )),
    passing(check(
        ExistingMesh,
        "control-planes",
        "control planes",
        "Which revisions are installed, in which versions. Fails if one has no ready replica (with the reason of its \
         pods), or if the revision to install is taken by another namespace.",
        control_plane::control_planes,
    )),
    check(
        ExistingMesh,
        "upgrade",
        "way to the new version",
        "The target is not older than what is installed, and at most two minor versions newer. Lists what behaves \
         differently since.",
        control_plane::upgrade,
    ),
    check(
        ExistingMesh,
        "data-plane-versions",
        "proxies",
        "Proxies by kind and version. Warns if some are more than two minor versions older than the target.",
        control_plane::data_plane_versions,
    ),
    passing(check(
        ExistingMesh,
        "injection-webhooks",
        "injection webhooks",
        "The services of Istio's mutating webhooks have endpoints that are ready, and each `caBundle` holds a \
         certificate that is valid now. Fails with `failurePolicy: Fail`, warns otherwise.",
        webhooks::injectors,
    )),
    passing(check(
        ExistingMesh,
        "validation-webhooks",
        "validation webhooks",
        "The same for the webhooks that validate Istio's resources.",
        webhooks::validators,
    )),
    check(
        ExistingMesh,
        "leftover-webhooks",
        "leftover webhooks",
        "No webhook of Istio asks a service that does not exist. Such a one keeps pods or configuration from being \
         made.",
        webhooks::leftovers,
    ),
    passing(check(
        ExistingMesh,
        "other-webhooks",
        "webhooks of others",
        "No webhook of others that fails closed, sees what installing makes in the control plane's namespace, and \
         asks a service that is missing or not ready.",
        webhooks::others,
    )),
    passing(check(
        ExistingMesh,
        "leader-election",
        "leader election",
        "The leases of a control plane's leaders are renewed.",
        control_plane::leader_election,
    )),
    check(
        ExistingMesh,
        "crd-versions",
        "CustomResourceDefinitions",
        "Istio's definitions are established, and no objects are stored in a version that the new definitions lack.",
        crds::versions,
    ),
    check(
        ExistingMesh,
        "leftover-objects",
        "leftover objects",
        "No definitions and root certificates without a control plane, and no IstioOperator definition, on which \
         nothing acts since Istio 1.24.",
        crds::leftovers,
    ),
    check(
        ExistingMesh,
        "deprecated-fields",
        "deprecated fields",
        "No resource of Istio uses a field, value or annotation that has a successor.",
        crds::deprecations,
    ),
    check(
        ExistingMesh,
        "other-meshes",
        "other meshes",
        "No injector of Linkerd, Consul, Kuma, Open Service Mesh, AWS App Mesh or NGINX Service Mesh.",
        control_plane::other_meshes,
    ),
    check(
        Network,
        "load-balancer-ports",
        "ports of the gateway",
        "Where the load balancer takes ports of the nodes (K3s), no other service has 80, 443 or 15021.",
        network::load_balancer_ports,
    ),
    check(
        Network,
        "cni",
        "network plugin",
        "Nodes have a network; which plugin sets it up; and whether Cilium's settings leave room for istio-cni and \
         the proxies.",
        network::cni,
    ),
    check(
        Network,
        "gateway-api",
        "Gateway API",
        "The definitions serve the versions that Istio reads, and are of one release and channel. Warns if they are \
         missing and the profile is an ambient one.",
        crds::gateway_api,
    ),
    check(
        Network,
        "sidecar-pod-security",
        "rights of sidecars",
        "Namespaces that ask for sidecars allow NET_ADMIN and NET_RAW for istio-init (Pod Security Standards), unless \
         istio-cni does its work.",
        capacity::pod_security,
    ),
    check(
        Network,
        "network-policies",
        "network policies",
        "The NetworkPolicies that select istiod allow its ports 15012 (proxies) and 15017 (webhooks).",
        network::network_policies,
    ),
    check(
        Network,
        "ip-families",
        "IP families",
        "IPv4, IPv6 or both, by the `kubernetes` service and the nodes' ranges. Warns for both, which needs a \
         setting.",
        network::ip_families,
    ),
    passing(check(
        Network,
        "dns",
        "DNS",
        "The DNS service in kube-system has endpoints that are ready.",
        network::dns,
    )),
    check(
        Network,
        "clock-skew",
        "clocks",
        "This machine and the nodes (by their leases) are within a minute of the API server (by the `Date` of its \
         answers).",
        network::clock_skew,
    ),
    check(
        Network,
        "certificate-authority",
        "certificate authority",
        "The secret `cacerts` or `istio-ca-secret` has all its keys; its certificates can be read, are valid now, are \
         of authorities, and their issuers are among them. Warns with fewer than 60 days left.",
        certificates::authority,
    ),
    passing(check(
        Network,
        "root-certificates",
        "roots of the proxies",
        "The ConfigMaps `istio-ca-root-cert`, from which proxies take the roots that they trust, hold the root of the \
         authority.",
        certificates::root_copies,
    )),
    check(
        Workloads,
        "namespace-labels",
        "labels of namespaces",
        "No namespace is labelled more than one way, for a revision that does not exist, with a value that means \
         nothing, or so that several injectors select it.",
        workloads::namespace_labels,
    ),
    check(
        Workloads,
        "pods-without-sidecar",
        "pods without a sidecar",
        "Pods in namespaces that ask for sidecars and have none, each with the reason.",
        workloads::without_sidecar,
    ),
    check(
        Workloads,
        "host-network",
        "host network",
        "Pods in such namespaces that use the network of their node, and so never get a sidecar.",
        workloads::host_network,
    ),
    check(
        Workloads,
        "proxy-uid",
        "user 1337",
        "No container in such namespaces runs as the proxy's user.",
        workloads::proxy_uid,
    ),
    check(
        Workloads,
        "reserved-ports",
        "ports of the proxy",
        "No container in such namespaces listens on 15000, 15001, 15004, 15006, 15008, 15020, 15021, 15053 or 15090.",
        workloads::reserved_ports,
    ),
    check(
        Workloads,
        "jobs",
        "Jobs",
        "No Job has a proxy that runs on when the work is done.",
        workloads::jobs,
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::{facts, options};
    use super::super::{Status, Unread, run};
    use super::*;

    #[test]
    fn checks_are_grouped_named_once_and_documented() {
        assert!(CHECKS.is_sorted_by_key(|check| check.category));
        let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        for check in CHECKS {
            let is_kebab = check.name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
            assert!(is_kebab, "{}", check.name);
            assert!(check.docs.ends_with('.'), "{}", check.name);
            assert!(
                Category::ALL.iter().all(|category| category.name() != check.name),
                "{}",
                check.name
            );
        }
        let shown: BTreeSet<_> = CHECKS.iter().map(|check| check.category).collect();
        assert_eq!(shown.into_iter().collect::<Vec<_>>(), Category::ALL);
    }

    #[test]
    fn every_check_answers_for_an_empty_cluster() {
        let report = run(&facts(), &options(), |_| true);
        assert_eq!(report.results.len(), CHECKS.len());
        for result in &report.results {
            let outcome = &result.outcome;
            assert_ne!(outcome.status, Status::Skipped, "{}", result.check.name);
            assert!(!outcome.summary.is_empty(), "{}", result.check.name);
            let has_hint = outcome.hint.is_some();
            assert_eq!(
                has_hint,
                outcome.status > Status::Pass,
                "{}: {outcome:?}",
                result.check.name
            );
        }
    }

    #[test]
    fn what_cannot_be_read_skips_only_the_checks_that_need_it() {
        let mut facts = facts();
        facts.pods = Err(Unread {
            why: "pods is forbidden".to_owned(),
            hint: None,
        });
        let report = run(&facts, &options(), |_| true);
        let skipped: Vec<_> = report
            .results
            .iter()
            .filter(|result| result.outcome.status == Status::Skipped)
            .map(|result| result.check.name)
            .collect();
        assert_eq!(
            skipped,
            [
                "control-plane-scheduling",
                "gateway-scheduling",
                "data-plane-versions",
                "pods-without-sidecar",
                "host-network",
                "proxy-uid",
                "reserved-ports",
                "jobs",
            ]
        );
        let result = report
            .results
            .iter()
            .find(|result| result.check.name == "jobs")
            .expect("a result");
        assert_eq!(result.outcome.summary, "could not be checked: pods is forbidden");
    }
}
