//! What is installed already: control planes, the namespace, other meshes.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::injection::{DATAPLANE_LABEL, NAMESPACE_LABEL};
use mesh_core::k8s_openapi::api::core::v1::Pod;

use super::facts::{Facts, Known, Read};
use super::objects::{name_of, namespace, namespace_of, qualified};
use super::{Options, Outcome, counted};
use crate::inventory::{self, ControlPlane, DEFAULT_REVISION, ProxyKind, REVISION, label, minor};

/// How many minor versions a control plane may be upgraded at once (istio.io, "Canary Upgrades").
const UPGRADE_STEP: u32 = 2;

/// How many minor versions proxies may be older than their control plane (istio.io, "Supported Releases").
const PROXY_LAG: u32 = 2;

pub(super) fn istio_namespace(facts: &Facts, options: &Options) -> Read<Outcome> {
    let name = &options.istio_namespace;
    let Some(found) = namespace(facts, name)? else {
        return Ok(Outcome::pass(format!(
            "{name} does not exist yet; installing makes it"
        )));
    };
    let status = found.status.as_ref();
    if found.metadata.deletion_timestamp.is_some()
        || status.and_then(|status| status.phase.as_deref()) == Some("Terminating")
    {
        let left = status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .filter(|condition| condition.status == "True")
            .filter_map(|condition| condition.message.clone());
        return Ok(Outcome::fail(format!("{name} is being deleted, and nothing can be made in it"))
            .detail(left)
            .hint(format!(
                "wait for it to go; if it does not, see what holds it: `kubectl get namespace {name} -o yaml`"
            )));
    }
    let asks_for_sidecars = label(&found.metadata, NAMESPACE_LABEL) == Some("enabled")
        || label(&found.metadata, REVISION).is_some_and(|revision| !revision.is_empty());
    if asks_for_sidecars {
        return Ok(Outcome::warning(format!(
            "{name} asks for sidecars in the control plane's own pods"
        ))
        .detail(["the injector would have to run before it can start itself"])
        .hint(format!(
            "remove the labels: `kubectl label namespace {name} {NAMESPACE_LABEL}- {REVISION}-`"
        )));
    }
    if label(&found.metadata, DATAPLANE_LABEL) == Some("ambient") {
        return Ok(
            Outcome::warning(format!("{name} is in the ambient data plane itself")).hint(format!(
                "remove the label: `kubectl label namespace {name} {DATAPLANE_LABEL}-`"
            )),
        );
    }
    Ok(Outcome::pass(format!("{name} exists")))
}

/// The revision that is to be installed.
fn wanted_revision(options: &Options) -> &str {
    if options.revision.is_empty() {
        DEFAULT_REVISION
    } else {
        &options.revision
    }
}

pub(super) fn control_planes(facts: &Facts, options: &Options) -> Read<Outcome> {
    let found = inventory::control_planes(facts.deployments.known()?);
    if found.is_empty() {
        return Ok(Outcome::pass("none is installed"));
    }
    let list: Vec<_> = found.iter().map(describe).collect();
    let wanted = wanted_revision(options);
    let elsewhere = found
        .iter()
        .find(|plane| plane.revision == wanted && plane.namespace != options.istio_namespace);
    if let Some(plane) = elsewhere {
        return Ok(Outcome::fail(format!(
            "the revision {wanted} is taken by {}/{}",
            plane.namespace, plane.name
        ))
        .detail(list)
        .hint(format!(
            "install it where it is (`--istio-namespace {}`), or choose another name: `--revision NAME`",
            plane.namespace
        )));
    }
    let down: Vec<_> = found
        .iter()
        .filter(|plane| plane.ready < plane.replicas)
        .collect();
    let Some(first) = down.first() else {
        return Ok(Outcome::pass(list.join("; ")));
    };
    let pods = facts.pods.known()?;
    let reasons = down.iter().flat_map(|plane| {
        pods.iter()
            .filter(|pod| {
                namespace_of(&pod.metadata) == plane.namespace
                    && label(&pod.metadata, "app") == Some("istiod")
                    && label(&pod.metadata, REVISION).unwrap_or(DEFAULT_REVISION) == plane.revision
            })
            .filter_map(why_not_ready)
    });
    let detail: Vec<_> = list.into_iter().chain(reasons).collect();
    let hint = format!("see `kubectl -n {} describe pods -l app=istiod`", first.namespace);
    let summary = format!(
        "{} of {} not ready",
        down.len(),
        counted(found.len(), "control plane")
    );
    let is_up = first.ready > 0;
    let outcome = if is_up {
        Outcome::warning(summary)
    } else {
        Outcome::fail(summary)
    };
    Ok(outcome.detail(detail).hint(hint))
}

fn describe(plane: &ControlPlane) -> String {
    let ControlPlane {
        namespace,
        name: _,
        revision,
        version,
        ready,
        replicas,
    } = plane;
    let version = version.as_deref().unwrap_or("of unknown version");
    format!("revision {revision} {version} in {namespace} ({ready}/{replicas} ready)")
}

/// `istio-system/istiod-1: ImagePullBackOff: ...`, unless the pod is ready.
fn why_not_ready(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let condition = |name: &str| {
        status
            .conditions
            .iter()
            .flatten()
            .find(|condition| condition.type_ == name)
    };
    if condition("Ready").is_some_and(|ready| ready.status == "True") {
        return None;
    }
    let unscheduled = condition("PodScheduled").filter(|scheduled| scheduled.status == "False");
    let waiting = status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten())
        .find_map(|container| container.state.as_ref()?.waiting.as_ref());
    let why = if let Some(condition) = unscheduled {
        condition.message.clone()
    } else if let Some(waiting) = waiting {
        let parts = [waiting.reason.as_deref(), waiting.message.as_deref()];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
    } else {
        condition("Ready").and_then(|ready| ready.message.clone())
    };
    let why = why.filter(|why| !why.is_empty()).or_else(|| status.phase.clone());
    Some(format!(
        "{}: {}",
        qualified(&pod.metadata),
        why.as_deref().unwrap_or("not ready")
    ))
}

/// What a version changed for those who come from an older one, as the charts' compatibility settings tell.
const CHANGES: &[(u32, &str)] = &[
    (
        27,
        "sidecars are native (init containers that go on running) where all nodes can (`ENABLE_NATIVE_SIDECARS`)",
    ),
    (
        29,
        "circuit breaker metrics of remaining resources are no longer tracked (`DISABLE_TRACK_REMAINING_CB_METRICS`)",
    ),
    (
        29,
        "istio-cni repairs the iptables rules of ambient pods when it starts (`cni.ambient.reconcileIptablesOnStartup`)",
    ),
    (
        30,
        "of several services for one host, sidecars take that of the best fitting namespace (`PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE`)",
    ),
    (
        31,
        "gateways start a span of their own for upstream requests (`PILOT_SPAWN_UPSTREAM_SPAN_FOR_GATEWAY`)",
    ),
    (
        32,
        "zones of AWS are named by their ids (`PILOT_ENABLE_AWS_ZONE_ID`)",
    ),
];

pub(super) fn upgrade(facts: &Facts, options: &Options) -> Read<Outcome> {
    let found = inventory::control_planes(facts.deployments.known()?);
    let target = options.release;
    let installed: BTreeMap<u32, &ControlPlane> = found
        .iter()
        .filter_map(|plane| Some((minor(plane.version.as_deref()?)?, plane)))
        .collect();
    let Some((oldest, plane)) = installed.first_key_value() else {
        return Ok(Outcome::pass("nothing to upgrade"));
    };
    let version = plane.version.as_deref().unwrap_or_default();
    let newest = installed.keys().max().copied().unwrap_or(*oldest);
    if newest > target.minor {
        return Ok(Outcome::warning(format!("Istio {target} is older than 1.{newest}, which is installed"))
            .hint(format!(
                "install 1.{newest} or newer (`--mesh-version 1.{newest}`): configuration that {target} does not know would be ignored"
            )));
    }
    let changes = CHANGES
        .iter()
        .filter(|(since, _)| *since > *oldest && *since <= target.minor)
        .map(|(since, what)| format!("since 1.{since}, {what}"));
    if target.minor - oldest > UPGRADE_STEP {
        let next = oldest + UPGRADE_STEP;
        return Ok(Outcome::fail(format!(
            "from {version} to {target} is more than {UPGRADE_STEP} minor versions at once"
        ))
        .detail(changes)
        .hint(format!(
            "go by way of 1.{next}: `meshctl precheck --mesh-version 1.{next}`"
        )));
    }
    let summary = if target.minor == *oldest {
        format!("{version} is an Istio {target} already")
    } else {
        format!("from {version} to {target}")
    };
    Ok(Outcome::pass(summary).detail(changes))
}

pub(super) fn data_plane_versions(facts: &Facts, options: &Options) -> Read<Outcome> {
    let proxies = inventory::proxies(facts.pods.known()?);
    if proxies.is_empty() {
        return Ok(Outcome::pass("no proxies run"));
    }
    let mut counts: BTreeMap<(ProxyKind, &str), usize> = BTreeMap::new();
    let mut old: BTreeSet<&str> = BTreeSet::new();
    for proxy in &proxies {
        let version = proxy.version.as_deref().unwrap_or("of unknown version");
        *counts.entry((proxy.kind, version)).or_default() += 1;
        if minor(version).is_some_and(|minor| minor + PROXY_LAG < options.release.minor) {
            old.insert(&proxy.namespace);
        }
    }
    let list: Vec<_> = counts
        .iter()
        .map(|((kind, version), count)| format!("{} {version}", counted(*count, &kind.to_string())))
        .collect();
    if old.is_empty() {
        return Ok(Outcome::pass(list.join("; ")));
    }
    let namespaces: Vec<_> = old.into_iter().collect();
    Ok(Outcome::warning(format!(
        "proxies are more than {PROXY_LAG} minor versions older than Istio {}",
        options.release
    ))
    .detail(list)
    .detail([format!("in the namespaces {}", namespaces.join(", "))])
    .hint(format!(
        "restart them on a newer control plane first: `kubectl -n {} rollout restart deployment`",
        namespaces[0]
    )))
}

/// How other meshes show: name, groups of their CRDs, ends of their webhooks' names.
const OTHER_MESHES: &[(&str, &[&str], &[&str])] = &[
    ("Linkerd", &["linkerd.io", "policy.linkerd.io"], &["linkerd.io"]),
    ("Consul", &["consul.hashicorp.com"], &["consul.hashicorp.com"]),
    ("Kuma", &["kuma.io"], &["kuma.io", "kuma-init.kuma.io"]),
    (
        "Open Service Mesh",
        &["config.openservicemesh.io", "policy.openservicemesh.io"],
        &["openservicemesh.io"],
    ),
    ("AWS App Mesh", &["appmesh.k8s.aws"], &["appmesh.k8s.aws"]),
    ("NGINX Service Mesh", &["specs.smi.nginx.com"], &["nsm.nginx.com"]),
    ("Traefik Mesh", &["traefik.mesh"], &[]),
];

pub(super) fn other_meshes(facts: &Facts, _: &Options) -> Read<Outcome> {
    let crds = facts.crds.known()?;
    let webhooks = facts.mutating_webhooks.known()?;
    let is_of = |name: &str, domain: &str| {
        name == domain || name.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
    };
    let mut active = Vec::new();
    let mut detail = Vec::new();
    for (mesh, groups, domains) in OTHER_MESHES {
        let injectors: Vec<_> = webhooks
            .iter()
            .filter(|configuration| {
                configuration
                    .webhooks
                    .iter()
                    .flatten()
                    .any(|webhook| domains.iter().any(|domain| is_of(&webhook.name, domain)))
            })
            .map(|configuration| name_of(&configuration.metadata))
            .collect();
        let kinds = crds
            .iter()
            .filter(|crd| groups.iter().any(|group| is_of(&crd.spec.group, group)))
            .count();
        if injectors.is_empty() && kinds == 0 {
            continue;
        }
        if !injectors.is_empty() {
            active.push(*mesh);
        }
        let by = if injectors.is_empty() {
            format!("{} left, no injector", counted(kinds, "CustomResourceDefinition"))
        } else {
            format!("MutatingWebhookConfiguration {}", injectors.join(", "))
        };
        detail.push(format!("{mesh}: {by}"));
    }
    if let Some(mesh) = active.first() {
        return Ok(
            Outcome::warning(format!("{} injects proxies too", active.join(" and ")))
                .detail(detail)
                .hint(format!(
                    "let no namespace ask for both: a pod with the proxies of {mesh} and Istio does not work"
                )),
        );
    }
    Ok(Outcome::pass("none").detail(detail))
}

pub(super) fn leader_election(facts: &Facts, _: &Options) -> Read<Outcome> {
    let planes = inventory::control_planes(facts.deployments.known()?);
    let leases = facts.leases.known()?;
    if planes.is_empty() {
        return Ok(Outcome::pass("no control plane is installed"));
    }
    let mut stale = Vec::new();
    let mut held = 0;
    for lease in leases {
        let Some(spec) = &lease.spec else { continue };
        let Some(holder) = spec
            .holder_identity
            .as_deref()
            .filter(|holder| !holder.is_empty())
        else {
            continue;
        };
        held += 1;
        let (Some(renewed), Some(seconds)) = (&spec.renew_time, spec.lease_duration_seconds) else {
            continue;
        };
        let age = facts.now.as_second() - renewed.0.as_second();
        // Twice the time that it is valid for, as clocks differ a little.
        if age > i64::from(seconds).saturating_mul(2) {
            stale.push(format!(
                "{}: {holder} renewed it {} ago",
                name_of(&lease.metadata),
                super::certificates::duration(age)
            ));
        }
    }
    if stale.is_empty() {
        return Ok(Outcome::pass(format!("{} held", counted(held, "lease"))));
    }
    Ok(Outcome::warning(format!("nobody leads: {} run out", counted(stale.len(), "lease")))
        .detail(stale)
        .hint(format!(
            "no status and no gateways are written until a control plane takes over; see `kubectl -n {} logs -l app=istiod`",
            planes[0].namespace
        )))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, now, options, read};
    use super::*;
    use mesh_core::k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    fn istiod(namespace: &str, revision: &str, version: &str, ready: i32) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": "istiod", "namespace": namespace,
                "labels": {"app": "istiod", "istio.io/rev": revision}},
            "spec": {"replicas": 1, "selector": {}, "template": {"spec": {"containers": [
                {"name": "discovery", "image": format!("istio/pilot:{version}")}]}}},
            "status": {"readyReplicas": ready},
        }))
        .expect("a deployment")
    }

    fn with_namespace(namespace: serde_json::Value) -> Facts {
        let mut facts = facts();
        facts.namespaces = Ok(vec![serde_json::from_value(namespace).expect("a namespace")]);
        facts
    }

    #[test]
    fn the_namespace_may_be_missing_but_not_dying_and_not_injected() {
        let options = options();
        assert_eq!(read(istio_namespace(&facts(), &options)).status, Status::Pass);
        for (namespace, expected) in [
            (json!({"metadata": {"name": "istio-system"}}), Status::Pass),
            (
                json!({"metadata": {"name": "istio-system"}, "status": {"phase": "Terminating"}}),
                Status::Fail,
            ),
            (
                json!({"metadata": {"name": "istio-system", "labels": {"istio-injection": "enabled"}}}),
                Status::Warning,
            ),
            (
                json!({"metadata": {"name": "istio-system", "labels": {"istio-injection": "disabled"}}}),
                Status::Pass,
            ),
            (
                json!({"metadata": {"name": "istio-system", "labels": {"istio.io/dataplane-mode": "ambient"}}}),
                Status::Warning,
            ),
        ] {
            let outcome = read(istio_namespace(&with_namespace(namespace.clone()), &options));
            assert_eq!(outcome.status, expected, "{namespace}: {outcome:?}");
        }
    }

    #[test]
    fn a_control_plane_that_does_not_run_says_why() {
        let mut facts = facts();
        facts.deployments = Ok(vec![istiod("istio-system", "default", "1.29.1", 0)]);
        facts.pods = Ok(vec![
            serde_json::from_value(json!({
                "metadata": {"name": "istiod-1", "namespace": "istio-system",
                    "labels": {"app": "istiod", "istio.io/rev": "default"}},
                "status": {"phase": "Pending", "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                        "message": "0/1 nodes are available: 1 Insufficient memory."}]},
            }))
            .expect("a pod"),
        ]);
        let outcome = read(control_planes(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(
            outcome.detail,
            [
                "revision default 1.29.1 in istio-system (0/1 ready)",
                "istio-system/istiod-1: 0/1 nodes are available: 1 Insufficient memory.",
            ]
        );
    }

    #[test]
    fn a_revision_belongs_to_one_namespace() {
        let mut facts = facts();
        facts.deployments = Ok(vec![istiod("mesh", "default", "1.29.1", 1)]);
        assert_eq!(read(control_planes(&facts, &options())).status, Status::Fail);
        let canary = Options {
            revision: "canary".to_owned(),
            ..options()
        };
        assert_eq!(read(control_planes(&facts, &canary)).status, Status::Pass);
    }

    #[test]
    fn upgrades_take_two_minor_versions_at_most() {
        let options = options();
        let target = options.release.minor;
        for (installed, expected) in [
            (target, Status::Pass),
            (target - 2, Status::Pass),
            (target - 3, Status::Fail),
            (target + 1, Status::Warning),
        ] {
            let mut facts = facts();
            let version = format!("1.{installed}.2");
            facts.deployments = Ok(vec![istiod("istio-system", "default", &version, 1)]);
            let outcome = read(upgrade(&facts, &options));
            assert_eq!(outcome.status, expected, "{version}: {outcome:?}");
        }
    }

    #[test]
    fn a_lease_that_nobody_renews_has_no_leader() {
        let mut facts = facts();
        facts.deployments = Ok(vec![istiod("istio-system", "default", "1.29.1", 1)]);
        let lease = |seconds: i64| {
            let renewed = now() - jiff::SignedDuration::from_secs(seconds);
            json!({"metadata": {"name": "istio-leader", "namespace": "istio-system"}, "spec": {
                "holderIdentity": "istiod-1", "leaseDurationSeconds": 30,
                "renewTime": jiff::fmt::strtime::format("%Y-%m-%dT%H:%M:%S.000000Z", renewed).expect("a time")}})
        };
        for (age, expected) in [(10, Status::Pass), (600, Status::Warning)] {
            facts.leases = Ok(vec![serde_json::from_value(lease(age)).expect("a lease")]);
            let outcome = read(leader_election(&facts, &options()));
            assert_eq!(outcome.status, expected, "{outcome:?}");
        }
    }

    #[test]
    fn another_mesh_with_an_injector_is_a_warning() {
        let mut facts = facts();
        assert_eq!(read(other_meshes(&facts, &options())).status, Status::Pass);
        facts.mutating_webhooks = Ok(vec![
            serde_json::from_value(json!({
                "metadata": {"name": "linkerd-proxy-injector-webhook-config"},
                "webhooks": [{"name": "linkerd-proxy-injector.linkerd.io", "admissionReviewVersions": ["v1"],
                    "clientConfig": {}, "sideEffects": "None"}],
            }))
            .expect("webhooks"),
        ]);
        let outcome = read(other_meshes(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(
            outcome.detail,
            ["Linkerd: MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config"]
        );
    }

    #[test]
    fn proxies_that_are_too_old_are_found() {
        let mut facts = facts();
        let target = options().release.minor;
        let pod = |minor: u32| {
            json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"containers": [
                {"name": "istio-proxy", "image": format!("istio/proxyv2:1.{minor}.0")}]}})
        };
        for (version, expected) in [(target - 2, Status::Pass), (target - 3, Status::Warning)] {
            facts.pods = Ok(vec![serde_json::from_value(pod(version)).expect("a pod")]);
            let outcome = read(data_plane_versions(&facts, &options()));
            assert_eq!(outcome.status, expected, "{outcome:?}");
        }
    }
}
