//! The pods that are to be in the mesh.

use mesh_core::Labels;
use mesh_core::injection::{
    Candidate, DATAPLANE_LABEL, Injection, Injector, NAMESPACE_LABEL, PROXY_CONTAINER, REVISION_LABEL,
    SYSTEM_NAMESPACES, is_injector, selects,
};
use mesh_core::k8s_openapi::api::core::v1::Pod;

use super::facts::{Facts, Known, Read};
use super::objects::{containers, is_istio_component, name_of, namespace_of, tally, workload};
use super::{Options, Outcome, counted};
use crate::inventory::{self, is_alive, or_none, proxy_container};

/// The user that the proxy runs as; its own traffic is told from the application's by it.
const PROXY_UID: i64 = 1337;

/// The ports that the proxy listens on in the pod, and what for (istio.io, "Application Requirements").
const PROXY_PORTS: &[(i32, &str)] = &[
    (15000, "administration"),
    (15001, "outbound traffic"),
    (15004, "debug interface"),
    (15006, "inbound traffic"),
    (15008, "HBONE tunnels"),
    (15020, "health and merged metrics"),
    (15021, "health"),
    (15053, "DNS"),
    (15090, "metrics"),
];

/// Whether a namespace of these labels asks for sidecars.
pub(super) fn asks_for_sidecars(labels: &Labels) -> bool {
    match labels.get(NAMESPACE_LABEL).map(String::as_str) {
        Some(value) => value == "enabled",
        None => labels
            .get(REVISION_LABEL)
            .is_some_and(|revision| !revision.is_empty()),
    }
}

pub(super) fn namespace_labels(facts: &Facts, _: &Options) -> Read<Outcome> {
    let namespaces = facts.namespaces.known()?;
    let configurations = facts.mutating_webhooks.known()?;
    let revisions = known_revisions(facts)?;
    let mut lines = Vec::new();
    let mut first = None;
    let mut asking = 0;
    for namespace in namespaces {
        let name = name_of(&namespace.metadata);
        let labels = or_none(namespace.metadata.labels.as_ref());
        let get = |key: &str| {
            labels
                .get(key)
                .map(String::as_str)
                .filter(|value| !value.is_empty())
        };
        let (injection, revision, mode) = (get(NAMESPACE_LABEL), get(REVISION_LABEL), get(DATAPLANE_LABEL));
        if asks_for_sidecars(labels) {
            asking += 1;
        }
        let mut report = |line: String| {
            first.get_or_insert(name);
            lines.push(format!("{name} {line}"));
        };
        if let (Some(injection), Some(revision)) = (injection, revision) {
            report(format!(
                "has `{NAMESPACE_LABEL}: {injection}` and `{REVISION_LABEL}: {revision}`: the former wins"
            ));
        }
        if let Some(other) = injection.filter(|value| !matches!(*value, "enabled" | "disabled")) {
            report(format!(
                "has `{NAMESPACE_LABEL}: {other}`, which is neither enabled nor disabled"
            ));
        }
        if mode == Some("ambient") && asks_for_sidecars(labels) {
            report(
                "asks for sidecars and for the ambient data plane: pods with sidecars stay out of it"
                    .to_owned(),
            );
        }
        if SYSTEM_NAMESPACES.contains(&name) && asks_for_sidecars(labels) {
            report("asks for sidecars, and is never given any".to_owned());
        }
        if let (None, Some(revision)) = (injection, revision)
            && !revisions.is_empty()
            && !revisions.contains(&revision)
            && mode.is_none()
        {
            report(format!(
                "asks for revision {revision}, which no control plane or tag has; there are {}",
                revisions.join(", ")
            ));
        }
        let selecting: Vec<_> = configurations
            .iter()
            .filter(|configuration| {
                configuration.webhooks.iter().flatten().any(|webhook| {
                    // Webhooks that wait for labels of the pod select nearly all namespaces.
                    is_injector(webhook)
                        && webhook.name.contains("namespace.")
                        && selects(webhook.namespace_selector.as_ref(), labels, Some(name))
                })
            })
            .map(|configuration| name_of(&configuration.metadata))
            .collect();
        if selecting.len() > 1 {
            report(format!(
                "is selected by several injectors: {}",
                selecting.join(", ")
            ));
        }
    }
    let Some(first) = first else {
        if asking == 0 {
            return Ok(Outcome::pass("no namespace asks for sidecars"));
        }
        return Ok(Outcome::pass(format!(
            "{} ask for sidecars",
            counted(asking, "namespace")
        )));
    };
    Ok(
        Outcome::warning(format!("{} mislabelled", counted(lines.len(), "namespace")))
            .detail(lines)
            .hint(format!(
                "keep one label: `kubectl label namespace {first} {REVISION_LABEL}-`"
            )),
    )
}

/// The revisions and tags that exist.
fn known_revisions(facts: &Facts) -> Read<Vec<&str>> {
    let mut revisions: Vec<&str> = facts
        .mutating_webhooks
        .known()?
        .iter()
        .filter(|configuration| configuration.webhooks.iter().flatten().any(is_injector))
        .flat_map(|configuration| {
            let metadata = &configuration.metadata;
            [
                inventory::label(metadata, REVISION_LABEL),
                inventory::label(metadata, "istio.io/tag"),
            ]
        })
        .flatten()
        .collect();
    revisions.sort_unstable();
    revisions.dedup();
    Ok(revisions)
}

/// Running pods that are not Istio's own and not of the cluster itself.
fn applications(pods: &[Pod]) -> impl Iterator<Item = &Pod> {
    pods.iter().filter(|pod| {
        is_alive(pod)
            && !is_istio_component(&pod.metadata)
            && !SYSTEM_NAMESPACES.contains(&namespace_of(&pod.metadata))
    })
}

/// Pods in namespaces that ask for sidecars, each with what the injector would decide.
fn in_mesh(facts: &Facts) -> Read<Vec<(&Pod, Injection)>> {
    let namespaces = facts.namespaces.known()?;
    let labels: Vec<_> = namespaces
        .iter()
        .map(|namespace| {
            (
                name_of(&namespace.metadata),
                or_none(namespace.metadata.labels.as_ref()),
            )
        })
        .collect();
    let asking: Vec<&str> = labels
        .iter()
        .filter(|(_, labels)| asks_for_sidecars(labels))
        .map(|(name, _)| *name)
        .collect();
    let webhooks = facts.mutating_webhooks.known()?;
    let webhooks = webhooks
        .iter()
        .flat_map(|configuration| configuration.webhooks.iter().flatten());
    let injector = Injector::of(labels.iter().copied(), webhooks);
    Ok(applications(facts.pods.known()?)
        .filter(|pod| asking.contains(&namespace_of(&pod.metadata)))
        .map(|pod| (pod, injector.decide(candidate(pod))))
        .collect())
}

fn candidate(pod: &Pod) -> Candidate<'_> {
    Candidate {
        namespace: namespace_of(&pod.metadata),
        labels: or_none(pod.metadata.labels.as_ref()),
        annotations: or_none(pod.metadata.annotations.as_ref()),
        uses_host_network: uses_host_network(pod),
    }
}

fn uses_host_network(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|spec| spec.host_network) == Some(true)
}

pub(super) fn without_sidecar(facts: &Facts, _: &Options) -> Read<Outcome> {
    let pods = in_mesh(facts)?;
    let lines: Vec<_> = pods
        .iter()
        // `host-network` reports the others.
        .filter(|(pod, _)| proxy_container(pod).is_none() && !uses_host_network(pod))
        .filter_map(|(pod, injection)| {
            let why = match injection {
                Injection::Refused(why) | Injection::NotAsked(why) => why.clone(),
                Injection::Yes => {
                    "it was made without one; restart it when the control plane runs".to_owned()
                }
                Injection::Unknown => return None,
            };
            Some((pod, format!("{}: {why}", workload(pod))))
        })
        .collect();
    let Some((first, _)) = lines.first() else {
        if pods.is_empty() {
            return Ok(Outcome::pass("no pods in namespaces that ask for sidecars"));
        }
        return Ok(Outcome::pass(format!(
            "{} in namespaces that ask for sidecars have one",
            counted(pods.len(), "pod")
        )));
    };
    let namespace = namespace_of(&first.metadata);
    let count = lines.len();
    Ok(Outcome::warning(format!(
        "{} in namespaces that ask for sidecars have none",
        counted(count, "pod")
    ))
    .detail(tally(lines.into_iter().map(|(_, line)| line)))
    .hint(format!(
        "restart those that should have one: `kubectl -n {namespace} rollout restart deployment`"
    )))
}

pub(super) fn host_network(facts: &Facts, _: &Options) -> Read<Outcome> {
    let lines: Vec<_> = in_mesh(facts)?
        .iter()
        .filter(|(pod, _)| uses_host_network(pod))
        .map(|(pod, _)| workload(pod))
        .collect();
    if lines.is_empty() {
        return Ok(Outcome::pass("no pod of the mesh uses its node's network"));
    }
    Ok(Outcome::warning(format!(
        "{} use their node's network and stay out of the mesh",
        counted(lines.len(), "pod")
    ))
    .detail(tally(lines))
    .hint("give them a network of their own (`hostNetwork: false`), or allow plain text to them"))
}

pub(super) fn proxy_uid(facts: &Facts, _: &Options) -> Read<Outcome> {
    let mut lines = Vec::new();
    for (pod, _) in in_mesh(facts)? {
        let of_pod = pod
            .spec
            .as_ref()
            .and_then(|spec| spec.security_context.as_ref()?.run_as_user);
        for container in containers(pod).filter(|container| !is_proxy(&container.name)) {
            let user = container
                .security_context
                .as_ref()
                .and_then(|context| context.run_as_user);
            if user.or(of_pod) == Some(PROXY_UID) {
                lines.push(format!("{}: container {}", workload(pod), container.name));
            }
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::pass(format!("no application runs as user {PROXY_UID}")));
    }
    Ok(Outcome::fail(format!(
        "{} as user {PROXY_UID}, whose traffic passes the proxy by",
        runs(lines.len())
    ))
    .detail(tally(lines))
    .hint("run them as another user: `securityContext.runAsUser`"))
}

fn runs(count: usize) -> String {
    if count == 1 {
        "1 container runs".to_owned()
    } else {
        format!("{count} containers run")
    }
}

fn is_proxy(name: &str) -> bool {
    matches!(name, PROXY_CONTAINER | "istio-init" | "istio-validation")
}

pub(super) fn reserved_ports(facts: &Facts, _: &Options) -> Read<Outcome> {
    let mut lines = Vec::new();
    for (pod, _) in in_mesh(facts)? {
        for container in containers(pod).filter(|container| !is_proxy(&container.name)) {
            for port in container.ports.iter().flatten() {
                if let Some((port, what)) = PROXY_PORTS
                    .iter()
                    .find(|(known, _)| *known == port.container_port)
                {
                    lines.push(format!(
                        "{}: container {} has {port}, which the proxy uses for {what}",
                        workload(pod),
                        container.name
                    ));
                }
            }
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::pass("no application has a port of the proxy"));
    }
    Ok(Outcome::fail(format!(
        "{} taken that the proxy needs",
        counted(lines.len(), "port")
    ))
    .detail(tally(lines))
    .hint("let the applications listen on other ports: the proxy or the application does not start"))
}

pub(super) fn jobs(facts: &Facts, _: &Options) -> Read<Outcome> {
    let lines: Vec<_> = in_mesh(facts)?
        .iter()
        .filter(|(pod, _)| {
            let owners = pod.metadata.owner_references.iter().flatten();
            let of_job = owners.clone().any(|owner| owner.kind == "Job");
            let classic = pod.spec.as_ref().is_some_and(|spec| {
                spec.containers
                    .iter()
                    .any(|container| container.name == PROXY_CONTAINER)
            });
            of_job && classic
        })
        .map(|(pod, _)| workload(pod))
        .collect();
    if lines.is_empty() {
        return Ok(Outcome::pass("no Job waits for its proxy to end"));
    }
    Ok(Outcome::warning(format!("{} of Jobs have a proxy that does not end with the work", counted(lines.len(), "pod")))
        .detail(tally(lines))
        .hint("use native sidecars (Kubernetes 1.29 and newer: annotation `sidecar.istio.io/nativeSidecar: \"true\"`), or leave the Jobs out of the mesh"))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, options, read};
    use super::*;
    use serde_json::{Value, json};

    fn with(namespaces: &Value, pods: &Value) -> Facts {
        let mut facts = facts();
        facts.namespaces = Ok(serde_json::from_value(namespaces.clone()).expect("namespaces"));
        facts.pods = Ok(serde_json::from_value(pods.clone()).expect("pods"));
        facts
    }

    fn shop(pod_labels: &Value, spec: &Value) -> Facts {
        with(
            &json!([{"metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}]),
            &json!([{"metadata": {"name": "web-7f9-abcde", "namespace": "shop", "labels": pod_labels,
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7f9", "uid": "1",
                    "controller": true}]},
                "spec": spec}]),
        )
    }

    #[test]
    fn namespaces_should_say_one_thing() {
        for (labels, expected) in [
            (json!({}), Status::Pass),
            (json!({"istio-injection": "enabled"}), Status::Pass),
            (json!({"istio.io/rev": "canary"}), Status::Pass),
            (
                json!({"istio-injection": "enabled", "istio.io/rev": "canary"}),
                Status::Warning,
            ),
            (json!({"istio-injection": "true"}), Status::Warning),
            (
                json!({"istio-injection": "enabled", "istio.io/dataplane-mode": "ambient"}),
                Status::Warning,
            ),
        ] {
            let facts = with(
                &json!([{"metadata": {"name": "shop", "labels": labels}}]),
                &json!([]),
            );
            let outcome = read(namespace_labels(&facts, &options()));
            assert_eq!(outcome.status, expected, "{labels}: {outcome:?}");
        }
    }

    #[test]
    fn revisions_must_exist_and_injectors_must_not_overlap() {
        let injector = |name: &str, revision: &str| {
            json!({"metadata": {"name": name, "labels": {"istio.io/rev": revision}}, "webhooks": [{
                "name": "rev.namespace.sidecar-injector.istio.io", "admissionReviewVersions": ["v1"],
                "clientConfig": {}, "sideEffects": "None",
                "namespaceSelector": {"matchExpressions": [
                    {"key": "istio.io/rev", "operator": "In", "values": ["canary"]}]}}]})
        };
        let mut facts = with(
            &json!([{"metadata": {"name": "shop", "labels": {"istio.io/rev": "canary"}}}]),
            &json!([]),
        );
        facts.mutating_webhooks =
            Ok(serde_json::from_value(json!([injector("a", "canary")])).expect("webhooks"));
        assert_eq!(read(namespace_labels(&facts, &options())).status, Status::Pass);
        facts.mutating_webhooks =
            Ok(serde_json::from_value(json!([injector("a", "stable")])).expect("webhooks"));
        let outcome = read(namespace_labels(&facts, &options()));
        assert_eq!(
            outcome.detail,
            ["shop asks for revision canary, which no control plane or tag has; there are stable"]
        );
        facts.mutating_webhooks =
            Ok(
                serde_json::from_value(json!([injector("a", "canary"), injector("b", "canary")]))
                    .expect("webhooks"),
            );
        let outcome = read(namespace_labels(&facts, &options()));
        assert_eq!(outcome.detail, ["shop is selected by several injectors: a, b"]);
    }

    #[test]
    fn pods_without_a_sidecar_say_why() {
        let web = json!({"containers": [{"name": "web"}]});
        for (labels, spec, expected) in [
            (
                json!({"pod-template-hash": "7f9"}),
                &web,
                &["shop/Deployment web: it was made without one; restart it when the control plane runs"][..],
            ),
            (
                json!({"sidecar.istio.io/inject": "false"}),
                &web,
                &["shop/ReplicaSet web-7f9: `sidecar.istio.io/inject` of the pods is false"],
            ),
            (
                json!({}),
                &json!({"containers": [{"name": "web"}, {"name": "istio-proxy"}]}),
                &[],
            ),
            (
                json!({}),
                &json!({"containers": [{"name": "web"}], "initContainers": [{"name": "istio-proxy"}]}),
                &[],
            ),
            (
                json!({}),
                &json!({"hostNetwork": true, "containers": [{"name": "web"}]}),
                &[],
            ),
        ] {
            let outcome = read(without_sidecar(&shop(&labels, spec), &options()));
            assert_eq!(outcome.detail, expected, "{outcome:?}");
        }
        let host = shop(
            &json!({}),
            &json!({"hostNetwork": true, "containers": [{"name": "web"}]}),
        );
        assert_eq!(
            read(host_network(&host, &options())).detail,
            ["shop/ReplicaSet web-7f9"]
        );
    }

    #[test]
    fn the_proxys_user_and_ports_are_its_own() {
        let clash = json!({"securityContext": {"runAsUser": 1337}, "containers": [
            {"name": "web", "ports": [{"containerPort": 15090}, {"containerPort": 8080}]},
            {"name": "other", "securityContext": {"runAsUser": 1000}},
            {"name": "istio-proxy", "ports": [{"containerPort": 15090}]}]});
        let facts = shop(&json!({}), &clash);
        let outcome = read(proxy_uid(&facts, &options()));
        assert_eq!(
            (outcome.status, outcome.detail.len()),
            (Status::Fail, 1),
            "{:?}",
            outcome.detail
        );
        let outcome = read(reserved_ports(&facts, &options()));
        assert_eq!(
            outcome.detail,
            ["shop/ReplicaSet web-7f9: container web has 15090, which the proxy uses for metrics"]
        );
        let fine = shop(&json!({}), &json!({"containers": [{"name": "web"}]}));
        assert_eq!(read(proxy_uid(&fine, &options())).status, Status::Pass);
        assert_eq!(read(reserved_ports(&fine, &options())).status, Status::Pass);
    }

    #[test]
    fn jobs_need_native_sidecars() {
        let job = |spec: &Value| {
            with(
                &json!([{"metadata": {"name": "shop", "labels": {"istio-injection": "enabled"}}}]),
                &json!([{"metadata": {"name": "bill-1", "namespace": "shop", "ownerReferences": [
                    {"apiVersion": "batch/v1", "kind": "Job", "name": "bill", "uid": "1", "controller": true}]},
                    "spec": spec}]),
            )
        };
        let classic = job(&json!({"containers": [{"name": "bill"}, {"name": "istio-proxy"}]}));
        assert_eq!(read(jobs(&classic, &options())).detail, ["shop/Job bill"]);
        let native =
            job(&json!({"containers": [{"name": "bill"}], "initContainers": [{"name": "istio-proxy"}]}));
        assert_eq!(read(jobs(&native, &options())).status, Status::Pass);
    }
}
