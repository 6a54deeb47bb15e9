//! What proxies and control plane need of the network and the nodes.

use std::collections::BTreeSet;

use mesh_core::Labels;
use mesh_core::injection::selects;
use mesh_core::k8s_openapi::api::core::v1::Service;
use mesh_core::k8s_openapi::api::networking::v1::NetworkPolicyPort;
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::certificates::duration;
use super::facts::{Facts, Known, Read};
use super::objects::{Backend, backend, name_of, namespace_of, node_condition, qualified};
use super::{Options, Outcome, counted};
use crate::inventory::label;
use crate::manifest::ComponentName;

/// Seconds that clocks may differ. Certificates and tokens are valid from when they are made.
const SKEW: i64 = 60;
/// Seconds without a sign of life after which a node's clock may be behind; leases are renewed every 10 seconds.
const SILENCE: i64 = 5 * 60;

/// CNI plugins by a part of the name of their DaemonSet.
const CNI: &[(&str, &str)] = &[
    ("calico-node", "Calico"),
    ("canal", "Canal"),
    ("cilium", "Cilium"),
    ("aws-node", "Amazon VPC CNI"),
    ("azure-cni", "Azure CNI"),
    ("azure-npm", "Azure CNI"),
    ("kindnet", "kindnet"),
    ("kube-flannel", "Flannel"),
    ("weave-net", "Weave Net"),
    ("antrea-agent", "Antrea"),
    ("kube-router", "kube-router"),
    ("kube-ovn-cni", "Kube-OVN"),
    ("ovnkube", "OVN-Kubernetes"),
    ("anetd", "GKE Dataplane V2"),
    ("netd", "GKE"),
];

pub(super) fn cni(facts: &Facts, options: &Options) -> Read<Outcome> {
    let found: BTreeSet<&str> = facts
        .daemon_sets
        .known()?
        .iter()
        .filter_map(|set| {
            let name = name_of(&set.metadata);
            CNI.iter()
                .find(|(part, _)| name.starts_with(part))
                .map(|(_, plugin)| *plugin)
        })
        .collect();
    let without: Vec<_> = facts
        .nodes
        .known()?
        .iter()
        .filter(|node| node_condition(node, "NetworkUnavailable") == Some("True"))
        .map(|node| name_of(&node.metadata))
        .collect();
    if !without.is_empty() {
        return Ok(
            Outcome::fail(format!("{} without a network", counted(without.len(), "node")))
                .detail(without.iter().map(|node| (*node).to_owned()))
                .hint("install a network plugin, or see its pods: `kubectl -n kube-system get pods -o wide`"),
        );
    }
    let names = if found.is_empty() {
        "no DaemonSet of a known plugin; networks that are set up otherwise are fine".to_owned()
    } else {
        found.iter().copied().collect::<Vec<_>>().join(", ")
    };
    let mut lines = Vec::new();
    let mut is_fatal = false;
    if found.contains("Cilium") {
        let uses_cni = options.installs(ComponentName::Cni);
        let settings = facts.cilium.known()?.as_ref().and_then(|map| map.data.as_ref());
        let is = |key: &str, value: &str| {
            settings.is_some_and(|settings: &Labels| settings.get(key).is_some_and(|set| set == value))
        };
        if uses_cni && !is("cni-exclusive", "false") {
            is_fatal = true;
            lines
                .push("Cilium removes the configuration of istio-cni: set `cni.exclusive: false`".to_owned());
        }
        if uses_cni && is("enable-bpf-masquerade", "true") {
            lines.push(
                "Cilium's `bpf.masquerade` breaks the health probes of ambient pods: switch it off"
                    .to_owned(),
            );
        }
        let replaces_proxy = is("kube-proxy-replacement", "true") || is("bpf-lb-sock", "true");
        if replaces_proxy && !is("bpf-lb-sock-hostns-only", "true") {
            lines.push(
                "Cilium resolves services in the pods' sockets, before the proxy sees them: set `socketLB.hostNamespaceOnly: true`"
                    .to_owned(),
            );
        }
    }
    Ok(if lines.is_empty() {
        Outcome::pass(names)
    } else {
        let outcome = if is_fatal {
            Outcome::fail(names)
        } else {
            Outcome::warning(names)
        };
        outcome
            .detail(lines)
            .hint("change the ConfigMap or Helm values: `kubectl -n kube-system get configmap cilium-config -o yaml`")
    })
}

pub(super) fn dns(facts: &Facts, _: &Options) -> Read<Outcome> {
    let services = facts.services.known()?;
    let found = services.iter().find(|service| {
        namespace_of(&service.metadata) == "kube-system"
            && (label(&service.metadata, "k8s-app") == Some("kube-dns")
                || matches!(
                    name_of(&service.metadata),
                    "kube-dns" | "coredns" | "rke2-coredns-rke2-coredns"
                ))
    });
    let Some(service) = found else {
        return Ok(Outcome::warning("no service for DNS in kube-system")
            .hint("proxies find the control plane by name; if DNS runs elsewhere, that is fine"));
    };
    let name = name_of(&service.metadata);
    Ok(match backend(facts, "kube-system", name)? {
        Backend::Ready => Outcome::pass(format!("kube-system/{name} answers")),
        Backend::NoService | Backend::NoEndpoints => {
            Outcome::fail(format!("kube-system/{name} has no endpoint that is ready"))
                .detail(["proxies cannot find the control plane"])
                .hint("see `kubectl -n kube-system get pods -l k8s-app=kube-dns`")
        }
    })
}

pub(super) fn ip_families(facts: &Facts, _: &Options) -> Read<Outcome> {
    let services = facts.services.known()?;
    let api = services.iter().find(|service| {
        namespace_of(&service.metadata) == "default" && name_of(&service.metadata) == "kubernetes"
    });
    let of_services: BTreeSet<&str> = api
        .and_then(|service| service.spec.as_ref()?.ip_families.as_ref())
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let mut of_pods: BTreeSet<&str> = BTreeSet::new();
    for node in facts.nodes.known()? {
        let ranges = node.spec.iter().flat_map(|spec| spec.pod_cidrs.iter().flatten());
        of_pods.extend(ranges.map(|range| if range.contains(':') { "IPv6" } else { "IPv4" }));
    }
    let list = |families: &BTreeSet<&str>| families.iter().copied().collect::<Vec<_>>().join(" and ");
    if of_pods.len() > 1 {
        return Ok(Outcome::warning("pods have IPv4 and IPv6 addresses, and Istio listens on one family by default")
            .detail([format!("services: {}; pods: {}", list(&of_services), list(&of_pods))])
            .hint("for both, install with `values.pilot.env.ISTIO_DUAL_STACK=true` and `meshConfig.defaultConfig.proxyMetadata.ISTIO_DUAL_STACK=\"true\"`"));
    }
    let families = if of_services.is_empty() {
        of_pods
    } else {
        of_services
    };
    Ok(if families.is_empty() {
        Outcome::pass("not told by nodes and services")
    } else {
        Outcome::pass(list(&families))
    })
}

pub(super) fn clock_skew(facts: &Facts, _: &Options) -> Read<Outcome> {
    let server = facts.server_time.clone()?;
    let mut lines = Vec::new();
    let reference = match server {
        Some(time) => {
            let skew = facts.now.as_second() - time.as_second();
            if skew.abs() > SKEW {
                let direction = if skew > 0 { "ahead of" } else { "behind" };
                lines.push(format!(
                    "this machine is {} {direction} the API server",
                    duration(skew.abs())
                ));
            }
            time
        }
        None => facts.now,
    };
    let ready: BTreeSet<&str> = facts
        .nodes
        .known()?
        .iter()
        .filter(|node| node_condition(node, "Ready") == Some("True"))
        .map(|node| name_of(&node.metadata))
        .collect();
    for lease in facts.node_leases.known()? {
        let node = name_of(&lease.metadata);
        let Some(renewed) = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref()) else {
            continue;
        };
        let ahead = renewed.0.as_second() - reference.as_second();
        if ahead > SKEW {
            lines.push(format!("{node} is {} ahead of the API server", duration(ahead)));
        } else if -ahead > SILENCE && ready.contains(node) {
            lines.push(format!(
                "{node} is ready, and yet its last sign of life is {} old: its clock may be behind",
                duration(-ahead)
            ));
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::pass(format!("within {SKEW} s")));
    }
    Ok(Outcome::warning(format!("{} off", counted(lines.len(), "clock")))
        .detail(lines)
        .hint("synchronize the clocks (`timedatectl`): certificates count as expired, or as not valid yet"))
}

/// The ports of the control plane that others must reach: what is asked there, and by whom.
const CONTROL_PLANE_PORTS: &[(i32, &str, &str)] = &[
    (15012, "tls-xds", "configuration and certificates for proxies"),
    (
        15017,
        "https-webhooks",
        "injection and validation for the API server",
    ),
];

pub(super) fn network_policies(facts: &Facts, options: &Options) -> Read<Outcome> {
    let mut labels = Labels::new();
    labels.insert("app".to_owned(), "istiod".to_owned());
    let policies: Vec<_> = facts
        .network_policies
        .known()?
        .iter()
        .filter_map(|policy| Some((policy, policy.spec.as_ref()?)))
        .filter(|(_, spec)| {
            let types = spec.policy_types.as_deref().unwrap_or_default();
            let is_ingress = types.is_empty() || types.iter().any(|direction| direction == "Ingress");
            is_ingress && selects(spec.pod_selector.as_ref(), &labels, None)
        })
        .collect();
    if policies.is_empty() {
        return Ok(Outcome::pass(format!(
            "none limits who reaches the control plane in {}",
            options.istio_namespace
        )));
    }
    let blocked: Vec<_> = CONTROL_PLANE_PORTS
        .iter()
        .filter(|(port, name, _)| {
            let allows = |ports: &[NetworkPolicyPort]| {
                ports.is_empty() || ports.iter().any(|allowed| covers(allowed, *port, name))
            };
            // Policies add up: one that allows is enough.
            !policies.iter().any(|(_, spec)| {
                let rules = spec.ingress.as_deref().unwrap_or_default();
                rules
                    .iter()
                    .any(|rule| allows(rule.ports.as_deref().unwrap_or_default()))
            })
        })
        .collect();
    let names: Vec<_> = policies
        .iter()
        .map(|(policy, _)| qualified(&policy.metadata))
        .collect();
    if blocked.is_empty() {
        return Ok(Outcome::pass(format!(
            "{} let the control plane be reached",
            names.join(", ")
        )));
    }
    Ok(Outcome::fail(format!(
        "{} keep the control plane from being reached",
        names.join(", ")
    ))
    .detail(
        blocked
            .iter()
            .map(|(port, _, what)| format!("no rule allows port {port}: {what}")),
    )
    .hint(format!(
        "allow the ports from all namespaces: `kubectl -n {} edit networkpolicy`",
        options.istio_namespace
    )))
}

fn covers(allowed: &NetworkPolicyPort, port: i32, name: &str) -> bool {
    if allowed
        .protocol
        .as_deref()
        .is_some_and(|protocol| protocol != "TCP")
    {
        return false;
    }
    match (&allowed.port, allowed.end_port) {
        (None, _) => true,
        (Some(IntOrString::Int(start)), Some(end)) => (*start..=end).contains(&port),
        (Some(IntOrString::Int(only)), None) => *only == port,
        (Some(IntOrString::String(only)), _) => only == name,
    }
}

fn is_load_balancer(service: &Service) -> bool {
    let spec = service.spec.as_ref();
    spec.and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer")
}

fn ports(service: &Service) -> impl Iterator<Item = i32> {
    let ports = service.spec.as_ref().and_then(|spec| spec.ports.as_ref());
    ports.into_iter().flatten().map(|port| port.port)
}

pub(super) fn load_balancer_ports(facts: &Facts, options: &Options) -> Read<Outcome> {
    let own: Vec<Service> = options
        .manifest
        .objects()
        .filter(|object| object["kind"] == "Service")
        .filter_map(|object| serde_json::from_value(object.clone()).ok())
        .filter(is_load_balancer)
        .collect();
    if own.is_empty() {
        return Ok(Outcome::pass(format!(
            "the profile {} has no service of type LoadBalancer",
            options.profile
        )));
    }
    // K3s' own load balancer takes the ports of all nodes for each service.
    let shares_nodes = facts
        .daemon_sets
        .known()?
        .iter()
        .any(|set| label(&set.metadata, "svccontroller.k3s.cattle.io/svcname").is_some());
    if !shares_nodes {
        return Ok(Outcome::pass(
            "services of type LoadBalancer have addresses of their own",
        ));
    }
    let wanted: BTreeSet<i32> = own.iter().flat_map(ports).collect();
    let taken: Vec<_> = facts
        .services
        .known()?
        .iter()
        .filter(|service| {
            let is_it = |own: &Service| {
                name_of(&own.metadata) == name_of(&service.metadata)
                    && namespace_of(&own.metadata) == namespace_of(&service.metadata)
            };
            is_load_balancer(service) && !own.iter().any(is_it)
        })
        .filter_map(|service| {
            let ports: Vec<_> = ports(service)
                .filter(|port| wanted.contains(port))
                .map(|port| port.to_string())
                .collect();
            (!ports.is_empty()).then(|| format!("{} has {}", qualified(&service.metadata), ports.join(", ")))
        })
        .collect();
    if taken.is_empty() {
        let wanted: Vec<_> = wanted.iter().map(ToString::to_string).collect();
        return Ok(Outcome::pass(format!(
            "{} are free on the nodes",
            wanted.join(", ")
        )));
    }
    Ok(
        Outcome::warning("the load balancer uses ports of the nodes, and the gateway's are taken")
            .detail(taken)
            .hint("the gateway's service stays pending: remove the other, or give one of them other ports"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, now, options, read};
    use super::*;
    use serde_json::{Value, json};

    fn ambient() -> Options {
        super::super::testing::options_of("ambient")
    }

    #[test]
    fn cilium_must_leave_room_for_istio_cni() {
        let mut facts = facts();
        facts.daemon_sets = Ok(serde_json::from_value(json!([
            {"metadata": {"name": "cilium", "namespace": "kube-system"}}]))
        .expect("daemon sets"));
        assert_eq!(read(cni(&facts, &options())).status, Status::Pass);
        assert_eq!(read(cni(&facts, &ambient())).status, Status::Fail);
        for (data, expected) in [
            (json!({"cni-exclusive": "false"}), Status::Pass),
            (
                json!({"cni-exclusive": "false", "enable-bpf-masquerade": "true"}),
                Status::Warning,
            ),
            (
                json!({"cni-exclusive": "false", "kube-proxy-replacement": "true"}),
                Status::Warning,
            ),
            (
                json!({"cni-exclusive": "false", "bpf-lb-sock": "true", "bpf-lb-sock-hostns-only": "true"}),
                Status::Pass,
            ),
        ] {
            facts.cilium = Ok(Some(
                serde_json::from_value(json!({"data": data})).expect("a map"),
            ));
            let outcome = read(cni(&facts, &ambient()));
            assert_eq!(outcome.status, expected, "{data}: {outcome:?}");
        }
    }

    #[test]
    fn nodes_without_a_network_fail() {
        let mut facts = facts();
        facts.nodes = Ok(serde_json::from_value(
            json!([{"metadata": {"name": "a"}, "status": {"conditions": [
            {"type": "NetworkUnavailable", "status": "True"}]}}]),
        )
        .expect("nodes"));
        let outcome = read(cni(&facts, &options()));
        assert_eq!(
            (outcome.status, outcome.detail),
            (Status::Fail, vec!["a".to_owned()])
        );
    }

    #[test]
    fn dns_needs_endpoints() {
        let mut facts = facts();
        assert_eq!(read(dns(&facts, &options())).status, Status::Warning);
        facts.services = Ok(serde_json::from_value(json!([
            {"metadata": {"name": "kube-dns", "namespace": "kube-system"}}]))
        .expect("services"));
        assert_eq!(read(dns(&facts, &options())).status, Status::Fail);
        facts.endpoint_slices = Ok(serde_json::from_value(json!([{
            "metadata": {"name": "kube-dns-1", "namespace": "kube-system",
                "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}]}]))
        .expect("slices"));
        assert_eq!(read(dns(&facts, &options())).status, Status::Pass);
    }

    #[test]
    fn two_address_families_need_a_setting() {
        let mut facts = facts();
        for (ranges, expected) in [
            (json!(["10.0.0.0/24"]), Status::Pass),
            (json!(["10.0.0.0/24", "fd00::/64"]), Status::Warning),
        ] {
            facts.nodes = Ok(serde_json::from_value(
                json!([{"metadata": {"name": "a"}, "spec": {"podCIDRs": ranges}}]),
            )
            .expect("nodes"));
            assert_eq!(read(ip_families(&facts, &options())).status, expected);
        }
    }

    #[test]
    fn clocks_are_compared_with_the_api_servers() {
        let ago = |seconds: i64| now() - jiff::SignedDuration::from_secs(seconds);
        let lease = |seconds: i64| -> Value {
            let time = jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.000000Z", ago(seconds)).expect("a time");
            json!({"metadata": {"name": "a"}, "spec": {"renewTime": time}})
        };
        for (server, node, expected) in [
            (0, 5, &[][..]),
            (120, 125, &["this machine is 2 min ahead of the API server"]),
            (0, -180, &["a is 3 min ahead of the API server"]),
            (
                0,
                600,
                &["a is ready, and yet its last sign of life is 10 min old: its clock may be behind"],
            ),
        ] {
            let mut facts = facts();
            facts.server_time = Ok(Some(ago(server)));
            facts.nodes = Ok(serde_json::from_value(
                json!([{"metadata": {"name": "a"}, "status": {"conditions": [
                {"type": "Ready", "status": "True"}]}}]),
            )
            .expect("nodes"));
            facts.node_leases = Ok(vec![serde_json::from_value(lease(node)).expect("a lease")]);
            let outcome = read(clock_skew(&facts, &options()));
            assert_eq!(outcome.detail, expected, "{outcome:?}");
            assert_eq!(outcome.status == Status::Pass, expected.is_empty());
        }
    }

    #[test]
    fn policies_must_let_the_control_plane_be_reached() {
        let policy = |selector: Value, ingress: Value| {
            json!([{"metadata": {"name": "p", "namespace": "istio-system"}, "spec": {
                "podSelector": selector, "policyTypes": ["Ingress"], "ingress": ingress}}])
        };
        for (policies, expected) in [
            (json!([]), Status::Pass),
            (policy(json!({}), json!([])), Status::Fail),
            (
                policy(json!({"matchLabels": {"app": "web"}}), json!([])),
                Status::Pass,
            ),
            (policy(json!({}), json!([{}])), Status::Pass),
            (
                policy(json!({}), json!([{"ports": [{"port": 15012}]}])),
                Status::Fail,
            ),
            (
                policy(
                    json!({}),
                    json!([{"ports": [{"port": 15012}, {"port": "https-webhooks"}]}]),
                ),
                Status::Pass,
            ),
            (
                policy(json!({}), json!([{"ports": [{"port": 15000, "endPort": 15100}]}])),
                Status::Pass,
            ),
            (
                policy(json!({}), json!([{"ports": [{"protocol": "UDP"}]}])),
                Status::Fail,
            ),
        ] {
            let mut facts = facts();
            facts.network_policies = Ok(serde_json::from_value(policies.clone()).expect("policies"));
            let outcome = read(network_policies(&facts, &options()));
            assert_eq!(outcome.status, expected, "{policies}: {outcome:?}");
        }
    }

    #[test]
    fn gateways_share_the_ports_of_nodes_with_k3s_own_ingress() {
        let mut facts = facts();
        assert_eq!(read(load_balancer_ports(&facts, &options())).status, Status::Pass);
        facts.daemon_sets = Ok(
            serde_json::from_value(json!([{"metadata": {"name": "svclb-traefik",
            "labels": {"svccontroller.k3s.cattle.io/svcname": "traefik"}}}]))
            .expect("daemon sets"),
        );
        facts.services = Ok(serde_json::from_value(
            json!([{"metadata": {"name": "traefik", "namespace": "kube-system"},
            "spec": {"type": "LoadBalancer", "ports": [{"port": 80}, {"port": 8080}]}}]),
        )
        .expect("services"));
        let outcome = read(load_balancer_ports(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.detail, ["kube-system/traefik has 80"]);
    }
}
