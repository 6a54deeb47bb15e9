//! Whether the pods of the profile would run, as `crate::schedule` predicts it.

use mesh_core::k8s_openapi::api::core::v1::PodSpec;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::facts::{Facts, Known, Read};
use super::objects::{name_of, namespace_of, node_condition};
use super::{Options, Outcome, counted};
use crate::inventory::or_none;
use crate::manifest::ComponentName;
use crate::schedule::{self, Snapshot, Verdict};

/// Conditions of nodes, with the status that is good and what another one means.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("Ready", "True", "is not ready"),
    ("MemoryPressure", "False", "runs out of memory"),
    ("DiskPressure", "False", "runs out of disk space"),
    ("PIDPressure", "False", "runs out of process ids"),
    ("NetworkUnavailable", "False", "has no network"),
];

pub(super) fn nodes(facts: &Facts, _: &Options) -> Read<Outcome> {
    let nodes = facts.nodes.known()?;
    if nodes.is_empty() {
        return Ok(Outcome::fail("there is no node").hint("add one, or wait for the autoscaler"));
    }
    let mut usable = 0;
    let mut lines = Vec::new();
    let mut first = None;
    for node in nodes {
        let name = name_of(&node.metadata);
        let mut problems: Vec<&str> = CONDITIONS
            .iter()
            .filter(|(condition, good, _)| {
                node_condition(node, condition).is_some_and(|status| status != *good)
            })
            .map(|(_, _, problem)| *problem)
            .collect();
        let unschedulable = node.spec.as_ref().and_then(|spec| spec.unschedulable);
        if unschedulable == Some(true) {
            problems.push("is cordoned");
        }
        if problems.is_empty() {
            usable += 1;
        } else {
            let is_cordoned_only = problems == ["is cordoned"];
            let command = if is_cordoned_only {
                "uncordon"
            } else {
                "describe node"
            };
            first.get_or_insert((name, command));
            lines.push(format!("{name} {}", problems.join(", ")));
        }
    }
    let Some((name, command)) = first else {
        return Ok(Outcome::pass(format!("{usable} of {} usable", nodes.len())));
    };
    let summary = format!("{usable} of {} usable", counted(nodes.len(), "node"));
    let outcome = if usable == 0 {
        Outcome::fail(summary)
    } else {
        Outcome::warning(summary)
    };
    Ok(outcome.detail(lines).hint(format!("`kubectl {command} {name}`")))
}

pub(super) fn control_plane(facts: &Facts, options: &Options) -> Read<Outcome> {
    judge(facts, options, &[ComponentName::Pilot], "the control plane")
}

pub(super) fn gateways(facts: &Facts, options: &Options) -> Read<Outcome> {
    judge(
        facts,
        options,
        &[ComponentName::IngressGateways, ComponentName::EgressGateways],
        "gateways",
    )
}

pub(super) fn node_agents(facts: &Facts, options: &Options) -> Read<Outcome> {
    judge(
        facts,
        options,
        &[ComponentName::Cni, ComponentName::Ztunnel],
        "node agents",
    )
}

fn judge(facts: &Facts, options: &Options, of: &[ComponentName], what: &str) -> Read<Outcome> {
    let (components, workloads): (Vec<_>, Vec<_>) = options.manifest.workloads().into_iter().unzip();
    if !components.iter().any(|component| of.contains(component)) {
        return Ok(Outcome::pass(format!(
            "the profile {} has no {what}",
            options.profile
        )));
    }
    let snapshot = snapshot(facts)?;
    // All of them are placed, so that each sees what those before it take.
    let verdicts = schedule::place_all(&snapshot, &workloads);
    let wanted: Vec<_> = components
        .iter()
        .zip(verdicts)
        .filter(|(component, _)| of.contains(component))
        .map(|(_, verdict)| verdict)
        .collect();
    let failed: Vec<_> = wanted.iter().filter(|verdict| !verdict.fits()).collect();
    let Some(first) = failed.first() else {
        let parts: Vec<_> = wanted.iter().map(placed).collect();
        let skipped = wanted.iter().flat_map(|verdict| {
            verdict.skipped.iter().map(|node| {
                let reasons: Vec<_> = node.all().map(ToString::to_string).collect();
                format!(
                    "{} leaves out {}: {}",
                    short(&verdict.workload),
                    node.node,
                    reasons.join(", ")
                )
            })
        });
        return Ok(Outcome::pass(parts.join("; ")).detail(skipped));
    };
    let message = first.message().unwrap_or_default();
    let summary = format!("{} would not run: {message}", short(&first.workload));
    // What runs already goes on running, and only a new version of it would wait.
    let outcome = if failed.iter().all(|verdict| runs(facts, &verdict.workload)) {
        Outcome::warning(summary).detail(["it runs already; a new version of it would not start beside it"])
    } else {
        Outcome::fail(summary)
    };
    // The best advice is the hint; the others stand above it.
    let mut ways: Vec<String> = Vec::new();
    let mut manifest = None;
    for verdict in &failed {
        for advice in verdict.advice() {
            let way = match advice.command() {
                Some(command) => format!("{advice}: `{command}`"),
                None => advice.to_string(),
            };
            if !ways.contains(&way) {
                ways.push(way);
            }
            if let (None, Some(yaml)) = (&manifest, advice.yaml()) {
                manifest = Some(format!("# for the pods of {}\n{yaml}", short(&verdict.workload)));
            }
        }
    }
    let mut ways = ways.into_iter();
    let hint = ways.next();
    let outcome = outcome
        .detail(failed.iter().flat_map(|verdict| explain(verdict)))
        .detail(ways.map(|way| format!("or {way}")));
    Ok(Outcome {
        hint,
        manifest,
        ..outcome
    })
}

/// What is known of the cluster, as far as placing pods goes.
fn snapshot(facts: &Facts) -> Read<Snapshot> {
    Ok(Snapshot {
        nodes: facts.nodes.known()?.clone(),
        pods: facts.pods.known()?.clone(),
        namespaces: facts.namespaces.known()?.clone(),
        quotas: facts.quotas.known()?.clone(),
        limit_ranges: facts.limit_ranges.known()?.clone(),
        // Without them, pods of named classes count as of priority 0; Istio's have none by default.
        priority_classes: facts.priority_classes.clone().unwrap_or_default(),
        kubernetes: facts
            .version
            .as_ref()
            .ok()
            .and_then(|version| version.parse().ok()),
    })
}

/// `Deployment/istio-system/istiod` without the namespace: `Deployment istiod`.
fn short(workload: &str) -> String {
    let mut parts = workload.splitn(3, '/');
    match (parts.next(), parts.nth(1)) {
        (Some(kind), Some(name)) => format!("{kind} {name}"),
        _ => workload.to_owned(),
    }
}

/// `istiod on node-1`, `istio-cni-node on 3 nodes`.
fn placed(verdict: &Verdict) -> String {
    let name = short(&verdict.workload);
    match verdict.placed.as_slice() {
        [] => format!("{name} has nothing to run"),
        [node] => format!("{name} fits {node}"),
        several => format!("{name} fits {}", counted(several.len(), "node")),
    }
}

/// Whether an earlier version of the workload is there and ready.
fn runs(facts: &Facts, workload: &str) -> bool {
    let mut parts = workload.splitn(3, '/');
    let (Some("Deployment"), Some(namespace), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    facts.deployments.iter().flatten().any(|deployment| {
        namespace_of(&deployment.metadata) == namespace
            && name_of(&deployment.metadata) == name
            && deployment
                .status
                .as_ref()
                .and_then(|status| status.ready_replicas)
                > Some(0)
    })
}

/// Why, node by node.
fn explain(verdict: &Verdict) -> Vec<String> {
    let name = short(&verdict.workload);
    let refused = verdict
        .refusals
        .iter()
        .map(|refusal| format!("{name} is refused: {refusal}"));
    let nodes = verdict
        .pending
        .iter()
        .flat_map(|pending| &pending.nodes)
        .map(|node| {
            let reasons: Vec<_> = node.all().map(ToString::to_string).collect();
            format!("{}: {}", node.node, reasons.join("; "))
        });
    let mut lines: Vec<_> = refused.chain(nodes).collect();
    lines.dedup();
    lines
}

pub(super) fn metrics(facts: &Facts, options: &Options) -> Read<Outcome> {
    let mut objects = options.manifest.objects();
    if !objects.any(|object| object["kind"] == "HorizontalPodAutoscaler") {
        return Ok(Outcome::pass(format!(
            "the profile {} does not scale by itself",
            options.profile
        )));
    }
    let served = facts.api_versions.known()?;
    Ok(
        if served
            .iter()
            .any(|version| version.starts_with("metrics.k8s.io/"))
        {
            Outcome::pass("CPU and memory are measured")
        } else {
            Outcome::warning(
                "nobody measures CPU and memory: HorizontalPodAutoscalers keep their smallest size",
            )
            .hint("install metrics-server, and see `kubectl top nodes` work")
        },
    )
}

/// The init containers of a pod with a sidecar that redirects traffic itself.
pub(crate) fn with_sidecar() -> PodSpec {
    let pod = serde_json::json!({"spec": {"containers": [{"name": "app", "image": "app"}]}});
    let settings = mesh_inject::Settings::default();
    let owner = mesh_inject::Owner::of_pod(&pod, "");
    let injected = mesh_inject::inject(&settings, &pod, &owner, &mesh_inject::Namespace::default());
    let injected = injected.ok().and_then(|injected| {
        let containers = injected.pod.pointer("/spec/initContainers")?.clone();
        serde_json::from_value(containers).ok()
    });
    PodSpec {
        init_containers: injected,
        ..PodSpec::default()
    }
}

/// What a namespace of pods with sidecars enforces.
pub(super) fn pod_security(facts: &Facts, options: &Options) -> Read<Outcome> {
    use crate::schedule::pod_security::{Policy, evaluate};

    if options.installs(ComponentName::Cni) {
        return Ok(Outcome::pass(
            "istio-cni sets up the network, and pods need no rights for it",
        ));
    }
    let server = facts
        .version
        .as_ref()
        .ok()
        .and_then(|version| version.parse().ok());
    let spec = with_sidecar();
    let mut lines = Vec::new();
    let mut injected = 0;
    for namespace in facts.namespaces.known()? {
        let labels = or_none(namespace.metadata.labels.as_ref());
        if !super::workloads::asks_for_sidecars(labels) {
            continue;
        }
        injected += 1;
        let policy = Policy::of(Some(labels));
        // Only the rights of the init container; whatever else the pods do is not the mesh's doing.
        let refused = evaluate(policy, server, &ObjectMeta::default(), &spec)
            .into_iter()
            .filter(|violation| violation.check.starts_with("capabilities"))
            .map(|violation| violation.to_string())
            .collect::<Vec<_>>();
        if !refused.is_empty() {
            lines.push((
                name_of(&namespace.metadata),
                format!("{policy}: {}", refused.join(", ")),
            ));
        }
    }
    let Some((first, _)) = lines.first() else {
        if injected == 0 {
            return Ok(Outcome::pass("no namespace asks for sidecars"));
        }
        return Ok(Outcome::pass(format!(
            "{} with sidecars allow them",
            counted(injected, "namespace")
        )));
    };
    let hint = format!(
        "use istio-cni (`--profile ambient`, or `components.cni.enabled`), or relax the level: `kubectl label namespace {first} pod-security.kubernetes.io/enforce=privileged --overwrite`"
    );
    Ok(Outcome::fail(format!(
        "{} refuse pods with sidecars, whose istio-init needs NET_ADMIN and NET_RAW",
        counted(lines.len(), "namespace")
    ))
    .detail(
        lines
            .iter()
            .map(|(namespace, line)| format!("{namespace} enforces {line}")),
    )
    .hint(hint))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, options, read};
    use super::*;
    use serde_json::{Value, json};

    fn node(name: &str, memory: &str, spec: &Value, conditions: &Value) -> Value {
        json!({"metadata": {"name": name, "labels": {"kubernetes.io/arch": "amd64", "kubernetes.io/os": "linux"}},
            "spec": spec,
            "status": {"capacity": {"cpu": "4", "memory": memory, "pods": "110"},
                "allocatable": {"cpu": "4", "memory": memory, "pods": "110"}, "conditions": conditions}})
    }

    fn with(nodes: &[Value]) -> Facts {
        let mut facts = facts();
        facts.version = Ok("v1.36.0".to_owned());
        facts.nodes = Ok(serde_json::from_value(json!(nodes)).expect("nodes"));
        facts
    }

    #[test]
    fn istiod_needs_memory() {
        let facts = with(&[node("small", "1Gi", &json!({}), &json!([]))]);
        let outcome = read(control_plane(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert!(
            outcome.summary.starts_with(
                "Deployment istiod would not run: 0/1 nodes are available: 1 Insufficient memory."
            ),
            "{outcome:?}"
        );
        assert!(
            outcome.detail.iter().any(|line| line.starts_with("small: ")),
            "{outcome:?}"
        );
        assert!(outcome.hint.is_some(), "{outcome:?}");
        let facts = with(&[node("large", "8Gi", &json!({}), &json!([]))]);
        assert_eq!(read(control_plane(&facts, &options())).status, Status::Pass);
        let demo = super::super::testing::options_of("demo");
        let facts = with(&[node("small", "1Gi", &json!({}), &json!([]))]);
        assert_eq!(read(control_plane(&facts, &demo)).status, Status::Pass);
    }

    #[test]
    fn taints_are_named_with_the_toleration_for_them() {
        let tainted =
            json!({"taints": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]});
        let facts = with(&[node("master", "8Gi", &tainted, &json!([]))]);
        let outcome = read(control_plane(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert!(
            outcome.detail[0].contains("node-role.kubernetes.io/control-plane"),
            "{outcome:?}"
        );
        assert!(
            outcome
                .manifest
                .as_deref()
                .is_some_and(|yaml| yaml.starts_with("# for the pods of Deployment istiod\ntolerations:")),
            "{outcome:?}"
        );
    }

    #[test]
    fn what_runs_already_is_only_warned_about() {
        let mut facts = with(&[node("small", "1Gi", &json!({}), &json!([]))]);
        facts.deployments = Ok(serde_json::from_value(json!([{
            "metadata": {"name": "istiod", "namespace": "istio-system"}, "status": {"readyReplicas": 1}}]))
        .expect("deployments"));
        assert_eq!(read(control_plane(&facts, &options())).status, Status::Warning);
    }

    #[test]
    fn unusable_nodes_are_listed() {
        let pressed =
            json!([{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "True"}]);
        let facts = with(&[
            node("full", "8Gi", &json!({}), &pressed),
            node("cordoned", "8Gi", &json!({"unschedulable": true}), &json!([])),
            node(
                "good",
                "8Gi",
                &json!({}),
                &json!([{"type": "Ready", "status": "True"}]),
            ),
        ]);
        let outcome = read(nodes(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.summary, "1 of 3 nodes usable");
        assert_eq!(
            outcome.detail,
            ["full runs out of disk space", "cordoned is cordoned"]
        );
        assert_eq!(read(nodes(&with(&[]), &options())).status, Status::Fail);
    }

    #[test]
    fn restricted_namespaces_refuse_the_init_container() {
        let mut facts = with(&[]);
        let namespace = |level: &str, injection: &str| {
            json!({"metadata": {"name": "shop", "labels": {"istio-injection": injection,
                "pod-security.kubernetes.io/enforce": level}}})
        };
        for (level, injection, expected) in [
            ("baseline", "enabled", Status::Fail),
            ("restricted", "enabled", Status::Fail),
            ("privileged", "enabled", Status::Pass),
            ("restricted", "disabled", Status::Pass),
        ] {
            facts.namespaces =
                Ok(serde_json::from_value(json!([namespace(level, injection)])).expect("namespaces"));
            let outcome = read(pod_security(&facts, &options()));
            assert_eq!(outcome.status, expected, "{level} {injection}: {outcome:?}");
        }
        let ambient = super::super::testing::options_of("ambient");
        facts.namespaces =
            Ok(serde_json::from_value(json!([namespace("baseline", "enabled")])).expect("namespaces"));
        assert_eq!(read(pod_security(&facts, &ambient)).status, Status::Pass);
    }

    #[test]
    fn profiles_say_what_they_do_not_have() {
        let empty = super::super::testing::options_of("empty");
        let outcome = read(node_agents(&facts(), &options()));
        assert_eq!(outcome.summary, "the profile default has no node agents");
        assert_eq!(read(control_plane(&facts(), &empty)).status, Status::Pass);
        assert_eq!(read(metrics(&facts(), &empty)).status, Status::Pass);
        assert_eq!(read(metrics(&facts(), &options())).status, Status::Warning);
    }
}
