//! Clusters in tables, and what must hold of any cluster.

use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::serde_json::{Value, from_value, json};
use proptest::prelude::*;

use super::pod_security::Level::{Baseline, Restricted};
use super::*;
use crate::manifest::{ComponentName, render};
use crate::spec::{PROFILES, Spec};
use crate::version::Release;

// ---- objects

/// A node with this much CPU and memory, 110 pods, and what `extra` merges over it.
fn node(name: &str, cpu: &str, memory: &str, extra: &Value) -> Node {
    let mut node = json!({
        "metadata": { "name": name, "labels": {
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
        } },
        "spec": {},
        "status": {
            "allocatable": { "cpu": cpu, "memory": memory, "pods": "110" },
            "conditions": [{ "type": "Ready", "status": "True" }],
        },
    });
    merge(&mut node, extra);
    from_value(node).unwrap()
}

/// A pod on a node (if that is not empty), with what `extra` merges over it.
fn pod(name: &str, node: &str, requests: &Value, extra: &Value) -> Pod {
    let mut pod = json!({
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "nodeName": node,
            "containers": [{ "name": "c", "resources": { "requests": requests } }],
        },
    });
    merge(&mut pod, extra);
    from_value(pod).unwrap()
}

fn workload(replicas: usize, template: &Value) -> Workload {
    Workload {
        kind: WorkloadKind::Deployment { replicas },
        namespace: "istio-system".to_owned(),
        name: "istiod".to_owned(),
        template: from_value(template.clone()).unwrap(),
    }
}

fn requesting(cpu: &str, memory: &str) -> Value {
    json!({ "spec": { "containers": [
        { "name": "discovery", "resources": { "requests": { "cpu": cpu, "memory": memory } } },
    ] } })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn with(mut base: Value, extra: &Value) -> Value {
    merge(&mut base, extra);
    base
}

fn cluster(nodes: Vec<Node>, pods: Vec<Pod>) -> Snapshot {
    Snapshot {
        nodes,
        pods,
        ..Snapshot::default()
    }
}

fn message(snapshot: &Snapshot, template: &Value) -> String {
    place(snapshot, &workload(1, template))
        .message()
        .unwrap_or_else(|| "fits".to_owned())
}

// ---- filters

#[test]
fn each_filter_speaks_as_the_scheduler_does() {
    let small = json!({ "status": { "allocatable": { "pods": "0" } } });
    let tainted = json!({ "spec": { "taints": [{ "key": "a", "value": "b", "effect": "NoSchedule" }] } });
    let cordoned = json!({ "spec": { "unschedulable": true, "taints": [
        { "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" },
    ] } });
    let pressed = json!({ "status": { "conditions": [{ "type": "DiskPressure", "status": "True" }] } });
    let plain = requesting("1", "1Gi");
    let wants_ssd = with(
        plain.clone(),
        &json!({ "spec": { "nodeSelector": { "disk": "ssd" } } }),
    );
    let wants_port = with(
        plain.clone(),
        &json!({ "spec": { "containers": [
        { "name": "c", "ports": [{ "containerPort": 80, "hostPort": 80 }] },
    ] } }),
    );
    let named = with(
        plain.clone(),
        &json!({ "spec": { "affinity": { "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchFields": [{ "key": "metadata.name", "operator": "In", "values": ["other"] }] },
        ] },
    } } } }),
    );
    let none = json!({});
    let unhelpful = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    let victimless = "no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
    for (extra, template, reason, preemption) in [
        (&cordoned, &plain, "1 node(s) were unschedulable", unhelpful),
        (&tainted, &plain, "1 node(s) had untolerated taint(s)", unhelpful),
        (&pressed, &plain, "1 node(s) had untolerated taint(s)", unhelpful),
        (
            &none,
            &wants_ssd,
            "1 node(s) didn't match Pod's node affinity/selector",
            unhelpful,
        ),
        (
            &none,
            &named,
            "1 node(s) didn't satisfy plugin(s) [NodeAffinity]",
            unhelpful,
        ),
        (&small, &plain, "1 Too many pods", victimless),
        (&none, &requesting("3", "1Gi"), "1 Insufficient cpu", unhelpful),
        (
            &none,
            &requesting("3", "5Gi"),
            "1 Insufficient cpu, 1 Insufficient memory",
            unhelpful,
        ),
        (&none, &requesting("2", "1Gi"), "1 Insufficient cpu", victimless),
        (
            &none,
            &wants_port,
            "1 node(s) didn't have free ports for the requested pod ports",
            victimless,
        ),
    ] {
        let ports = json!({ "spec": { "containers": [{ "name": "c",
            "resources": { "requests": { "cpu": "100m" } },
            "ports": [{ "containerPort": 80, "hostPort": 80 }],
        }] } });
        let running = pod("web", "n", &json!({ "cpu": "100m" }), &ports);
        let snapshot = cluster(vec![node("n", "2", "4Gi", extra)], vec![running]);
        let expected = format!("0/1 nodes are available: {reason}. {preemption}");
        assert_eq!(message(&snapshot, template), expected);
    }
}

#[test]
fn names_of_nodes_that_exclude_each_other() {
    let field = |name: &str| json!({ "key": "metadata.name", "operator": "In", "values": [name] });
    let contradicting = with(
        requesting("1", "1Gi"),
        &json!({ "spec": { "affinity": { "nodeAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchFields": [field("a"), field("b")] },
        ] },
    } } } }),
    );
    let snapshot = cluster(vec![node("a", "2", "4Gi", &json!({}))], vec![]);
    assert_eq!(
        message(&snapshot, &contradicting),
        "0/1 nodes are available: pod affinity terms conflict. not found"
    );
}

#[test]
fn reasons_name_the_particulars() {
    let taint = json!({ "spec": { "taints": [{ "key": "gpu", "effect": "NoSchedule" }] } });
    let snapshot = cluster(
        vec![node("a", "2", "4Gi", &taint), node("b", "2", "4Gi", &json!({}))],
        vec![pod("x", "b", &json!({ "memory": "2867Mi" }), &json!({}))],
    );
    let verdict = place(&snapshot, &workload(1, &requesting("500m", "2Gi")));
    let texts: Vec<String> = verdict.pending[0]
        .nodes
        .iter()
        .flat_map(|node| node.all().map(move |reason| format!("{}: {reason}", node.node)))
        .collect();
    assert_eq!(
        texts,
        [
            "a: taint gpu:NoSchedule is not tolerated",
            "b: memory: needs 2Gi, 1229Mi free of 4Gi allocatable"
        ]
    );
    let advice: Vec<String> = verdict.advice().iter().map(ToString::to_string).collect();
    assert_eq!(
        advice,
        [
            "tolerate the taint gpu:NoSchedule of node a, or take it off",
            "node b lacks 819Mi of memory for 2Gi: free as much, or request at most 1229Mi",
        ]
    );
    let tolerate = &verdict.advice()[0];
    assert_eq!(
        tolerate.yaml().as_deref(),
        Some("tolerations:\n- key: gpu\n  operator: Exists\n  effect: NoSchedule\n")
    );
    assert_eq!(
        tolerate.command().as_deref(),
        Some("kubectl taint node a gpu:NoSchedule-")
    );
}

#[test]
fn replicas_and_workloads_see_what_came_before() {
    let snapshot = cluster(vec![node("n", "2", "4Gi", &json!({}))], vec![]);
    let istiod = workload(1, &requesting("500m", "2Gi"));
    let gateway = Workload {
        name: "gateway".to_owned(),
        ..workload(2, &requesting("1", "1Gi"))
    };
    let verdicts = place_all(&snapshot, &[istiod, gateway]);
    assert!(verdicts[0].fits());
    assert_eq!(verdicts[1].placed, ["n"]);
    assert_eq!(verdicts[1].wanted, 2);
    assert!(
        verdicts[1]
            .message()
            .unwrap()
            .starts_with("0/1 nodes are available: 1 Insufficient cpu. ")
    );
}

/// What a component of a profile runs.
fn of_profile(profile: &str, component: ComponentName) -> Workload {
    let workloads = render(&Spec::of_profile(profile, Release::latest())).workloads();
    let mut own = workloads.into_iter().filter(|(name, _)| *name == component);
    own.next().unwrap().1
}

#[test]
fn a_daemon_set_goes_where_its_template_allows() {
    let ztunnel = of_profile("ambient", ComponentName::Ztunnel);
    let windows = json!({ "metadata": { "labels": { "kubernetes.io/os": "windows" } } });
    let bad = json!({ "spec": { "unschedulable": true, "taints": [
        { "key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule" },
        { "key": "x", "effect": "NoExecute" },
    ] } });
    let snapshot = cluster(
        vec![
            node("full", "100m", "4Gi", &json!({})),
            node("ok", "2", "4Gi", &bad),
            node("windows", "2", "4Gi", &windows),
        ],
        vec![],
    );
    let verdict = place(&snapshot, &ztunnel);
    assert_eq!(
        (verdict.wanted, verdict.placed.as_slice()),
        (2, ["ok".to_owned()].as_slice())
    );
    assert_eq!(verdict.skipped[0].node, "windows");
    assert_eq!(
        verdict.message().unwrap(),
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [NodeAffinity]. \
         no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    );
}

#[test]
fn less_important_pods_give_way() {
    let critical = with(
        requesting("1", "1Gi"),
        &json!({ "spec": { "priorityClassName": "system-cluster-critical" } }),
    );
    let low = |name: &str, cpu: &str, priority: i32| {
        pod(
            name,
            "n",
            &json!({ "cpu": cpu }),
            &json!({ "spec": { "priority": priority } }),
        )
    };
    let snapshot = cluster(
        vec![node("n", "2", "4Gi", &json!({}))],
        vec![low("a", "600m", 5), low("b", "600m", 7), low("c", "600m", 6)],
    );
    let verdict = place(&snapshot, &workload(1, &critical));
    assert_eq!(
        verdict.pending[0].preemption,
        Preemption::Possible {
            node: "n".to_owned(),
            victims: vec!["default/c".to_owned(), "default/a".to_owned()]
        }
    );
    assert_eq!(
        verdict.message().unwrap(),
        "0/1 nodes are available: 1 Insufficient cpu."
    );
    assert!(!verdict.fits() && verdict.fits_with_evictions());
    assert_eq!(
        verdict.advice()[0].to_string(),
        "let the scheduler evict default/c, default/a from node n, as it will"
    );
    let polite = with(critical, &json!({ "spec": { "preemptionPolicy": "Never" } }));
    assert!(message(&snapshot, &polite).ends_with("preemption: not eligible due to preemptionPolicy=Never."));
}

#[test]
fn init_containers_sidecars_and_overhead_count() {
    let template = json!({ "spec": {
        "overhead": { "cpu": "250m" },
        "initContainers": [
            { "name": "sidecar", "restartPolicy": "Always", "resources": { "requests": { "cpu": "1" } } },
            { "name": "init", "resources": { "requests": { "cpu": "3" } } },
        ],
        "containers": [{ "name": "app", "resources": { "limits": { "cpu": "2" } } }],
    } });
    // The init container runs beside the sidecar: 3 + 1, more than 2 + 1; and the overhead on top.
    for (cpu, fits) in [("4250m", true), ("4249m", false)] {
        let snapshot = cluster(vec![node("n", cpu, "4Gi", &json!({}))], vec![]);
        assert_eq!(place(&snapshot, &workload(1, &template)).fits(), fits, "{cpu}");
    }
}

#[test]
fn pods_that_are_done_take_no_room() {
    let done = json!({ "status": { "phase": "Succeeded" } });
    let snapshot = cluster(
        vec![node("n", "1", "1Gi", &json!({}))],
        vec![
            pod("job", "n", &json!({ "cpu": "1" }), &done),
            pod("waiting", "", &json!({ "cpu": "1" }), &json!({})),
        ],
    );
    assert_eq!(message(&snapshot, &requesting("1", "1Gi")), "fits");
}

// ---- admission

fn object<T: mesh_core::k8s_openapi::serde::de::DeserializeOwned>(spec: &Value) -> T {
    from_value(with(
        json!({ "metadata": { "name": "limits", "namespace": "istio-system" } }),
        spec,
    ))
    .unwrap()
}

#[test]
fn quotas_refuse() {
    let roomy = || cluster(vec![node("n", "64", "256Gi", &json!({}))], vec![]);
    let quota = |hard: Value| object(&json!({ "spec": { "hard": hard } }));
    let of = |quota: ResourceQuota, replicas| {
        let snapshot = Snapshot {
            quotas: vec![quota],
            ..roomy()
        };
        place(&snapshot, &workload(replicas, &requesting("500m", "2Gi")))
    };
    let verdict = of(quota(json!({ "requests.memory": "5Gi", "pods": "10" })), 4);
    assert_eq!(
        verdict.message().unwrap(),
        "exceeded quota: limits, requested: requests.memory=2Gi, used: requests.memory=4Gi, \
         limited: requests.memory=5Gi"
    );
    assert_eq!(
        verdict.advice()[0].to_string(),
        "raise requests.memory of quota limits to at least 8Gi"
    );
    assert_eq!(
        of(quota(json!({ "limits.cpu": "5", "limits.memory": "5Gi" })), 1)
            .message()
            .unwrap(),
        "failed quota: limits: must specify limits.cpu for: discovery; limits.memory for: discovery"
    );
    assert_eq!(
        of(quota(json!({ "count/deployments.apps": "0" })), 1)
            .message()
            .unwrap(),
        "exceeded quota: limits, requested: count/deployments.apps=1, used: count/deployments.apps=0, \
         limited: count/deployments.apps=0"
    );
    let mut scoped: ResourceQuota = quota(json!({ "pods": "0" }));
    scoped.spec.as_mut().unwrap().scopes = Some(vec!["BestEffort".to_owned()]);
    assert!(of(scoped, 1).fits());
}

#[test]
fn limit_ranges_default_and_refuse() {
    let range = |item: Value| object::<LimitRange>(&json!({ "spec": { "limits": [item] } }));
    let of = |item: Value, template: &Value| {
        let snapshot = Snapshot {
            limit_ranges: vec![range(item)],
            ..cluster(vec![node("n", "4", "8Gi", &json!({}))], vec![])
        };
        place(&snapshot, &workload(1, template))
    };
    let silent = json!({ "spec": { "containers": [{ "name": "c" }] } });
    let defaults = json!({ "type": "Container", "defaultRequest": { "cpu": "5" } });
    assert!(
        of(defaults, &silent)
            .message()
            .unwrap()
            .contains("1 Insufficient cpu")
    );
    let most = json!({ "type": "Container", "max": { "memory": "1Gi" } });
    assert_eq!(
        of(most, &requesting("1", "2Gi")).message().unwrap(),
        "maximum memory usage per Container is 1Gi, but request is 2Gi"
    );
    let least = json!({ "type": "Pod", "min": { "cpu": "2" } });
    assert_eq!(
        of(least, &requesting("1", "1Gi")).message().unwrap(),
        "minimum cpu usage per Pod is 2, but request is 1"
    );
}

#[test]
fn pod_security_of_what_profiles_run() {
    let violations = |component, level| {
        let profile = if component == ComponentName::IngressGateways {
            "default"
        } else {
            "ambient"
        };
        let workload = of_profile(profile, component);
        let spec = workload.template.spec.unwrap();
        let policy = pod_security::Policy { level, version: None };
        pod_security::evaluate(policy, None, &workload.template.metadata.unwrap(), &spec)
            .iter()
            .map(|violation| violation.check)
            .collect::<Vec<_>>()
    };
    assert_eq!(violations(ComponentName::Pilot, Baseline), [""; 0]);
    assert_eq!(
        violations(ComponentName::Pilot, Restricted),
        ["seccompProfile_restricted"]
    );
    assert_eq!(
        violations(ComponentName::IngressGateways, Restricted),
        ["seccompProfile_restricted"]
    );
    assert_eq!(
        violations(ComponentName::Cni, Baseline),
        ["appArmorProfile", "capabilities_baseline", "hostPathVolumes"]
    );
    assert_eq!(
        violations(ComponentName::Ztunnel, Baseline),
        ["capabilities_baseline", "hostPathVolumes"]
    );

    let spec = crate::precheck::with_sidecar();
    let policy = pod_security::Policy {
        level: Baseline,
        version: None,
    };
    let found = pod_security::evaluate(policy, None, &ObjectMeta::default(), &spec);
    assert_eq!(
        found[0].to_string(),
        "non-default capabilities (container \"istio-init\" must not include \"NET_ADMIN\", \"NET_RAW\" \
         in securityContext.capabilities.add)"
    );
}

#[test]
fn every_profile_fits_a_roomy_cluster() {
    let snapshot = cluster(
        vec![
            node("a", "8", "32Gi", &json!({})),
            node("b", "8", "32Gi", &json!({})),
        ],
        vec![],
    );
    for profile in PROFILES {
        let manifest = render(&Spec::of_profile(profile.name, Release::latest()));
        let workloads: Vec<_> = manifest
            .workloads()
            .into_iter()
            .map(|(_, workload)| workload)
            .collect();
        for verdict in place_all(&snapshot, &workloads) {
            assert!(verdict.fits(), "{}: {verdict:?}", profile.name);
        }
    }
}

// ---- properties

prop_compose! {
    fn any_taint()(key in prop::sample::select(vec!["a", "b"]), value in prop::sample::select(vec!["", "x"]),
        effect in prop::sample::select(vec!["NoSchedule", "NoExecute", "PreferNoSchedule"])) -> Value
    {
        json!({ "key": key, "value": value, "effect": effect })
    }
}

prop_compose! {
    fn any_node()(cpu in 0..4_u8, memory in 0..4_u8, pods in 0..4_u8, unschedulable in prop::bool::weighted(0.2),
        taints in prop::collection::vec(any_taint(), 0..2),
        zone in prop::option::of(prop::sample::select(vec!["z1", "z2"])),
        pressure in prop::bool::weighted(0.1)) -> Value
    {
        json!({
            "metadata": { "labels": { "zone": zone.unwrap_or("none") } },
            "spec": { "unschedulable": unschedulable, "taints": taints },
            "status": {
                "allocatable": { "cpu": cpu.to_string(), "memory": format!("{memory}Gi"), "pods": pods.to_string() },
                "conditions": [{ "type": "DiskPressure", "status": if pressure { "True" } else { "False" } }],
            },
        })
    }
}

fn anti_affinity() -> Value {
    json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
        { "topologyKey": "zone", "labelSelector": { "matchLabels": { "app": "x" } } },
    ] } })
}

fn spread() -> Value {
    json!([{ "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": { "matchLabels": { "app": "x" } } }])
}

prop_compose! {
    fn any_cluster()(nodes in prop::collection::vec(any_node(), 0..5),
        pods in prop::collection::vec((0..5_usize, 0..3, any::<bool>(), prop::bool::weighted(0.2), 0..2), 0..6))
        -> Snapshot
    {
        let nodes: Vec<Node> = nodes
            .iter()
            .enumerate()
            .map(|(index, extra)| node(&format!("n{index}"), "1", "1Gi", extra))
            .collect();
        let pods = pods
            .into_iter()
            .enumerate()
            .map(|(index, (on, cpu, labelled, repels, priority))| {
                let mut extra = json!({ "spec": { "priority": priority },
                    "metadata": { "labels": { "app": if labelled { "x" } else { "y" } } } });
                if repels {
                    extra["spec"]["affinity"] = anti_affinity();
                }
                pod(&format!("p{index}"), &format!("n{on}"), &json!({ "cpu": format!("{cpu}00m") }), &extra)
            })
            .collect();
        cluster(nodes, pods)
    }
}

prop_compose! {
    fn any_template()(cpu in 0..3_u8, memory in 0..3_u8, tolerations in prop::collection::vec(any_taint(), 0..2),
        zone in prop::option::weighted(0.2, prop::sample::select(vec!["z1", "z2"])),
        repels in prop::bool::weighted(0.2), spreads in prop::bool::weighted(0.2), priority in 0..2) -> Value
    {
        let mut template = with(requesting(&cpu.to_string(), &format!("{memory}Gi")), &json!({
            "metadata": { "labels": { "app": "x" } },
            "spec": { "tolerations": tolerations, "priority": priority },
        }));
        if let Some(zone) = zone {
            template["spec"]["nodeSelector"] = json!({ "zone": zone });
        }
        if repels {
            template["spec"]["affinity"] = anti_affinity();
        }
        if spreads {
            template["spec"]["topologySpreadConstraints"] = spread();
        }
        template
    }
}

/// The nodes that one pod fits.
fn fitting(snapshot: &Snapshot, template: &Value) -> Vec<String> {
    let names = snapshot
        .nodes
        .iter()
        .filter_map(|node| node.metadata.name.clone());
    names
        .filter(|name| {
            let named = with(template.clone(), &json!({ "spec": { "nodeName": name } }));
            place(snapshot, &workload(1, &named)).fits()
        })
        .collect()
}

proptest! {
    #[test]
    fn a_toleration_never_loses_a_node(snapshot in any_cluster(), template in any_template()) {
        let before = fitting(&snapshot, &template);
        let tolerant = with(template, &json!({ "spec": { "tolerations": [{ "operator": "Exists" }] } }));
        let after = fitting(&snapshot, &tolerant);
        prop_assert!(before.iter().all(|node| after.contains(node)), "{before:?} {after:?}");
    }

    #[test]
    fn fewer_pods_are_never_worse(snapshot in any_cluster(), template in any_template(), index in any::<prop::sample::Index>()) {
        // A spread constraint may count on a pod that is there.
        prop_assume!(!snapshot.pods.is_empty() && template["spec"]["topologySpreadConstraints"].is_null());
        let before = fitting(&snapshot, &template);
        let mut fewer = snapshot.clone();
        fewer.pods.remove(index.index(fewer.pods.len()));
        let after = fitting(&fewer, &template);
        prop_assert!(before.iter().all(|node| after.contains(node)), "{before:?} {after:?}");
    }

    #[test]
    fn every_node_is_accounted_for(snapshot in any_cluster(), template in any_template(), replicas in 1..4_usize) {
        let verdict = place(&snapshot, &workload(replicas, &template));
        prop_assert_eq!(verdict.fits(), verdict.placed.len() == replicas);
        prop_assert_eq!(verdict.fits(), verdict.message().is_none());
        if let Some(pending) = verdict.pending.first() {
            prop_assert_eq!(pending.total, snapshot.nodes.len());
            if pending.blocked.is_none() {
                prop_assert_eq!(pending.nodes.len(), snapshot.nodes.len());
                prop_assert!(pending.nodes.iter().all(|node| !node.reasons.is_empty()));
                let multiple: usize = pending.nodes.iter().map(|node| node.reasons.len()).sum();
                prop_assert_eq!(pending.counts().values().sum::<usize>(), multiple);
                if let Preemption::NotHelpful(counts) = &pending.preemption {
                    prop_assert!(counts.values().sum::<usize>() >= pending.total);
                }
            }
            prop_assert!(!verdict.advice().is_empty());
        }
    }

    #[test]
    fn what_evictions_promise_comes_true(snapshot in any_cluster(), template in any_template()) {
        let verdict = place(&snapshot, &workload(1, &template));
        if let Some(Pending { preemption: Preemption::Possible { node, victims }, .. }) = verdict.pending.first() {
            let mut after = snapshot.clone();
            after.pods.retain(|pod| {
                let name = pod.metadata.name.as_deref().unwrap_or_default();
                !victims.contains(&format!("default/{name}"))
            });
            prop_assert!(fitting(&after, &template).contains(node));
        }
    }

    #[test]
    fn advice_that_is_enough_is(snapshot in any_cluster(), template in any_template()) {
        let verdict = place(&snapshot, &workload(1, &template));
        for advice in verdict.advice().into_iter().filter(|advice| advice.is_enough) {
            let mut template = template.clone();
            let mut snapshot = snapshot.clone();
            match advice.action {
                Action::Tolerate { taint } => {
                    template["spec"]["tolerations"].as_array_mut().unwrap().push(json!(
                        { "key": taint.key, "value": taint.value, "effect": taint.effect }
                    ));
                }
                Action::Uncordon => {
                    for node in &mut snapshot.nodes {
                        node.spec.as_mut().unwrap().unschedulable = None;
                    }
                }
                Action::Room { resource, free, .. } => {
                    let requests = &mut template["spec"]["containers"][0]["resources"]["requests"];
                    requests[&resource] = json!(free.max(crate::quantity::Amount::ZERO).to_string());
                    if free < crate::quantity::Amount::ZERO {
                        continue;
                    }
                }
                _ => continue,
            }
            let fits = fitting(&snapshot, &template);
            prop_assert!(advice.nodes.iter().any(|node| fits.contains(node)), "{:?} {fits:?}", advice.nodes);
        }
    }
}
