//! Verdicts on pods, held against those of the real scheduler.
//!
//! Compared are: whether the pod is scheduled; that it fits the node that it got; and else the whole message, with
//! its counts, its order, and what it says about preemption. Where pods of lower priority can make room, the message
//! is gone too soon to be read; there the number of pods that had to go is compared. Of DaemonSets: the nodes that get
//! a pod, and the message of each pod that does not fit its node.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node as K8sNode, Pod};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use mesh_install::schedule::{Preemption, Snapshot, Workload, WorkloadKind, place};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use test_cluster::{Node, TaintEffect, TestCluster, wait_for};
use tokio::time::sleep;

use crate::{pod, sample, snapshot, workload};

/// How many scenes are played, and how many pods are tried in each.
const SCENES: u8 = 11;
const CANDIDATES: usize = 18;

/// Nodes, pods that run on them, and pods to place.
#[derive(Debug, Clone)]
struct Scene {
    nodes: Vec<NodeCase>,
    /// The index of a node, the index of a namespace, and the pod.
    pods: Vec<(usize, usize, Value)>,
    candidates: Vec<Value>,
}

#[derive(Debug, Clone)]
struct NodeCase {
    capacity: (&'static str, &'static str, u32),
    gpus: u8,
    taints: Vec<(&'static str, &'static str, TaintEffect)>,
    condition: Option<(&'static str, &'static str)>,
    cordoned: bool,
    labels: Vec<(&'static str, &'static str)>,
}

impl NodeCase {
    fn node(&self, name: String) -> Node {
        let (cpu, memory, pods) = self.capacity;
        let mut node = Node::new(name).capacity(cpu, memory, pods);
        for (key, value) in &self.labels {
            node = node.label(*key, *value);
        }
        let mut seen = BTreeSet::new();
        for (key, value, effect) in &self.taints {
            // A node has a taint of a key and an effect only once.
            if seen.insert((*key, format!("{effect:?}"))) {
                node = node.taint(key, value, *effect);
            }
        }
        if let Some((kind, status)) = self.condition {
            node = node.condition(kind, status);
        }
        if self.cordoned { node.unschedulable() } else { node }
    }
}

/// Nodes that are not ready are left out: the node lifecycle controller taints them at a rate of one in ten seconds.
fn node_case() -> impl Strategy<Value = NodeCase> {
    let taint = (
        select(vec!["dedicated", "gpu"]),
        select(vec!["", "mesh"]),
        select(vec![
            TaintEffect::NoSchedule,
            TaintEffect::NoExecute,
            TaintEffect::PreferNoSchedule,
        ]),
    );
    let condition = select(vec![
        ("MemoryPressure", "True"),
        ("DiskPressure", "True"),
        ("PIDPressure", "True"),
        ("NetworkUnavailable", "True"),
    ]);
    let labels = (
        prop::option::weighted(0.8, select(vec!["a", "b"])),
        prop::option::weighted(0.5, select(vec!["ssd", "hdd"])),
        prop::option::weighted(0.5, select(vec!["1", "5", "x"])),
    )
        .prop_map(|(zone, disk, size)| {
            let labels = [("zone", zone), ("disk", disk), ("size", size)];
            labels
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect()
        });
    (
        (
            select(vec!["1", "2", "3500m"]),
            select(vec!["1Gi", "3G", "6Gi"]),
            1..6_u32,
        ),
        0..2_u8,
        prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(taint, 1..3)],
        prop::option::weighted(0.12, condition),
        prop::bool::weighted(0.12),
        labels,
    )
        .prop_map(|(capacity, gpus, taints, condition, cordoned, labels)| NodeCase {
            capacity,
            gpus,
            taints,
            condition,
            cordoned,
            labels,
        })
}

/// Requests and limits of a container.
fn resources() -> impl Strategy<Value = Value> {
    let cpu = select(vec!["0", "100m", "0.5", "1", "1500m", "0.7001"]);
    let memory = select(vec!["0", "256Mi", "1Gi", "1.5Gi", "2e9", "1234567890"]);
    (
        prop::option::weighted(0.9, cpu),
        prop::option::weighted(0.8, memory),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.2),
        prop::option::weighted(0.05, select(vec!["1Gi", "2Ti"])),
    )
        .prop_map(|(cpu, memory, gpu, only_limits, storage)| {
            let mut amounts = json!({});
            let named = [("cpu", cpu), ("memory", memory), ("ephemeral-storage", storage)];
            for (name, amount) in named {
                if let Some(amount) = amount {
                    amounts[name] = json!(amount);
                }
            }
            let mut resources = json!({});
            if gpu {
                resources["limits"] = json!({ "example.com/gpu": "1" });
                amounts["example.com/gpu"] = json!("1");
            }
            resources[if only_limits { "limits" } else { "requests" }] = amounts;
            resources
        })
}

fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let port = (
        select(vec![8080, 9090]),
        prop::option::of(select(vec!["TCP", "UDP"])),
        prop::option::of(select(vec!["0.0.0.0", "10.0.0.1", "10.0.0.2"])),
    );
    (resources(), prop::option::weighted(0.15, port)).prop_map(move |(resources, port)| {
        let mut container = json!({ "name": name, "image": "example.com/app:1", "resources": resources });
        if let Some((port, protocol, ip)) = port {
            let mut port = json!({ "containerPort": port, "hostPort": port });
            if let Some(protocol) = protocol {
                port["protocol"] = json!(protocol);
            }
            if let Some(ip) = ip {
                port["hostIP"] = json!(ip);
            }
            container["ports"] = json!([port]);
        }
        container
    })
}

fn label_selector() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec!["x", "y"]).prop_map(|app| json!({ "matchLabels": { "app": app } })),
        Just(json!({})),
        select(vec!["In", "NotIn"]).prop_map(|operator| json!({ "matchExpressions": [
            { "key": "app", "operator": operator, "values": ["x"] },
        ] })),
        select(vec!["Exists", "DoesNotExist"]).prop_map(|operator| json!({ "matchExpressions": [
            { "key": "app", "operator": operator },
        ] })),
    ]
}

fn topology() -> impl Strategy<Value = &'static str> {
    select(vec!["zone", "kubernetes.io/hostname", "disk"])
}

fn pod_term() -> impl Strategy<Value = Value> {
    let namespaces = prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({ "namespaceSelector": {} })),
        1 => Just(json!({ "namespaceSelector": { "matchLabels": { "team": "b" } } })),
        1 => Just(json!({ "namespaces": ["default"] })),
        1 => Just(json!({ "matchLabelKeys": ["app"] })),
        1 => Just(json!({ "mismatchLabelKeys": ["app"] })),
    ];
    (label_selector(), topology(), namespaces).prop_map(|(selector, topology, mut term)| {
        // Keys that are merged may not be in the selector already.
        let merged = !term["matchLabelKeys"].is_null() || !term["mismatchLabelKeys"].is_null();
        term["labelSelector"] = if merged {
            json!({ "matchLabels": { "side": "left" } })
        } else {
            selector
        };
        term["topologyKey"] = json!(topology);
        term
    })
}

fn node_affinity() -> impl Strategy<Value = Value> {
    let expression = prop_oneof![
        select(vec!["In", "NotIn"])
            .prop_map(|operator| json!({ "key": "zone", "operator": operator, "values": ["a"] })),
        select(vec!["Exists", "DoesNotExist"])
            .prop_map(|operator| json!({ "key": "disk", "operator": operator })),
        select(vec!["Gt", "Lt"])
            .prop_map(|operator| json!({ "key": "size", "operator": operator, "values": ["3"] })),
    ];
    let field = (
        select(vec!["In", "NotIn"]),
        select(vec!["node-0", "node-1", "node-9"]),
    )
        .prop_map(
            |(operator, name)| json!({ "key": "metadata.name", "operator": operator, "values": [name] }),
        );
    let term = prop_oneof![
        3 => prop::collection::vec(expression.clone(), 1..3).prop_map(|all| json!({ "matchExpressions": all })),
        2 => prop::collection::vec(field.clone(), 1..3).prop_map(|all| json!({ "matchFields": all })),
        1 => (expression, field)
            .prop_map(|(one, other)| json!({ "matchExpressions": [one], "matchFields": [other] })),
        1 => Just(json!({})),
    ];
    prop::collection::vec(term, 1..3).prop_map(
        |terms| json!({ "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms } }),
    )
}

fn affinity() -> impl Strategy<Value = Value> {
    let terms = || prop::collection::vec(pod_term(), 1..3);
    (
        prop::option::weighted(0.2, node_affinity()),
        prop::option::weighted(0.12, terms()),
        prop::option::weighted(0.15, terms()),
    )
        .prop_map(|(node, near, far)| {
            let required =
                |terms: Vec<Value>| json!({ "requiredDuringSchedulingIgnoredDuringExecution": terms });
            let mut affinity = json!({});
            if let Some(node) = node {
                affinity["nodeAffinity"] = node;
            }
            if let Some(near) = near {
                affinity["podAffinity"] = required(near);
            }
            if let Some(far) = far {
                affinity["podAntiAffinity"] = required(far);
            }
            affinity
        })
}

fn spread() -> impl Strategy<Value = Value> {
    (
        label_selector(),
        topology(),
        1..3,
        prop::option::of(1..4),
        prop::option::of(select(vec!["Honor", "Ignore"])),
        prop::option::of(select(vec!["Honor", "Ignore"])),
    )
        .prop_map(|(selector, topology, skew, domains, affinity, taints)| {
            let mut constraint = json!({
                "labelSelector": selector, "topologyKey": topology, "maxSkew": skew,
                "whenUnsatisfiable": "DoNotSchedule",
            });
            let optional = [
                ("minDomains", json!(domains)),
                ("nodeAffinityPolicy", json!(affinity)),
                ("nodeTaintsPolicy", json!(taints)),
            ];
            for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
                constraint[name] = value;
            }
            constraint
        })
}

fn toleration() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({ "operator": "Exists" })),
        select(vec!["dedicated", "gpu"]).prop_map(|key| json!({ "key": key, "operator": "Exists" })),
        (
            select(vec!["dedicated", "gpu"]),
            select(vec!["NoSchedule", "NoExecute"])
        )
            .prop_map(|(key, effect)| json!({ "key": key, "value": "mesh", "effect": effect })),
        Just(
            json!({ "key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule" })
        ),
        Just(json!({ "key": "node.kubernetes.io/disk-pressure", "operator": "Exists" })),
    ]
}

/// A pod to place.
fn candidate() -> impl Strategy<Value = Value> {
    let init = (container("init"), any::<bool>(), container("setup"));
    (
        (container("app"), prop::option::weighted(0.3, init)),
        prop::option::weighted(0.5, prop::collection::vec(toleration(), 1..3)),
        prop::option::weighted(0.15, select(vec!["ssd", "nvme"])),
        affinity(),
        prop::option::weighted(0.2, prop::collection::vec(spread(), 1..3)),
        prop::option::weighted(0.3, select(vec!["low", "high", "polite"])),
        (
            prop::option::of(select(vec!["x", "y"])),
            prop::bool::weighted(0.03),
        ),
        prop::option::weighted(0.08, select(vec!["100m", "2"])),
    )
        .prop_map(
            |((app, init), tolerations, disk, affinity, spread, class, (label, gated), whole)| {
                let mut spec = json!({ "containers": [app], "affinity": affinity });
                if let Some((mut init, sidecar, setup)) = init {
                    if sidecar {
                        init["restartPolicy"] = json!("Always");
                    }
                    spec["initContainers"] = json!([init, setup]);
                }
                if let Some(tolerations) = tolerations {
                    spec["tolerations"] = json!(tolerations);
                }
                if let Some(disk) = disk {
                    spec["nodeSelector"] = json!({ "disk": disk });
                }
                if let Some(mut spread) = spread {
                    // Constraints differ in what they spread over.
                    let mut seen = BTreeSet::new();
                    spread.retain(|constraint| seen.insert(constraint["topologyKey"].to_string()));
                    spec["topologySpreadConstraints"] = json!(spread);
                }
                if let Some(class) = class {
                    spec["priorityClassName"] = json!(class);
                }
                if gated {
                    spec["schedulingGates"] = json!([{ "name": "example.com/wait" }]);
                }
                if let Some(cpu) = whole {
                    // What the whole pod requests may not be less than what its containers do.
                    for containers in ["containers", "initContainers"] {
                        for container in spec[containers].as_array_mut().into_iter().flatten() {
                            container["resources"] = json!({});
                        }
                    }
                    spec["resources"] = json!({ "requests": { "cpu": cpu } });
                }
                let mut labels = json!({ "side": "left" });
                if let Some(label) = label {
                    labels["app"] = json!(label);
                }
                json!({ "metadata": { "labels": labels }, "spec": spec })
            },
        )
}

/// A pod whose node affinity contradicts itself.
fn contradicting() -> Value {
    let field = |name: &str| json!({ "key": "metadata.name", "operator": "In", "values": [name] });
    json!({ "metadata": { "labels": {} }, "spec": {
        "containers": [{ "name": "app", "image": "example.com/app:1" }],
        "affinity": { "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [
            { "matchFields": [field("node-0"), field("node-1")] },
        ] } } },
    } })
}

/// A pod that runs. It stays whatever happens to its node.
fn running() -> impl Strategy<Value = Value> {
    let far = prop::option::weighted(0.15, prop::collection::vec(pod_term(), 1..2));
    (
        container("app"),
        far,
        prop::option::weighted(0.5, select(vec!["low", "high"])),
        select(vec!["x", "y"]),
    )
        .prop_map(|(app, far, class, label)| {
            let mut spec = json!({ "containers": [app], "tolerations": [{ "operator": "Exists" }] });
            if let Some(far) = far {
                spec["affinity"] = json!({ "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": far,
                } });
            }
            if let Some(class) = class {
                spec["priorityClassName"] = json!(class);
            }
            json!({ "metadata": { "labels": { "app": label, "side": "left" } }, "spec": spec })
        })
}

fn scene() -> impl Strategy<Value = Scene> {
    (
        prop::collection::vec(node_case(), 2..6),
        prop::collection::vec((0..6_usize, 0..2_usize, running()), 0..8),
        prop::collection::vec(candidate(), CANDIDATES),
    )
        .prop_map(|(nodes, mut pods, mut candidates)| {
            for (node, ..) in &mut pods {
                *node %= nodes.len();
            }
            candidates.push(contradicting());
            Scene {
                nodes,
                pods,
                candidates,
            }
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_those_of_the_real_scheduler() {
    // Messages count all nodes of a cluster, so that other tests must not have theirs here.
    let cluster = TestCluster::start().unwrap();
    let client = cluster.client();
    for (name, value, policy) in [
        ("low", -10, "PreemptLowerPriority"),
        ("high", 1000, "PreemptLowerPriority"),
        ("polite", 500, "Never"),
    ] {
        let class: PriorityClass = serde_json::from_value(json!({
            "metadata": { "name": name }, "value": value, "preemptionPolicy": policy,
        }))
        .unwrap();
        Api::all(client.clone())
            .create(&PostParams::default(), &class)
            .await
            .unwrap();
    }
    let namespaces = [
        cluster.namespace_with_labels("left", &[("team", "a")]).await,
        cluster.namespace_with_labels("right", &[("team", "b")]).await,
    ];
    let mut wrong = Vec::new();
    let mut outcomes = [0; 3];
    for seed in 0..SCENES {
        let stage = Stage {
            cluster: &cluster,
            client: client.clone(),
            namespaces: &namespaces,
            prefix: format!("scene-{seed}"),
        };
        stage.play(seed, &mut wrong, &mut outcomes).await;
    }
    assert!(
        wrong.is_empty(),
        "{} of {outcomes:?}:\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
    // Both outcomes must be common for this to mean anything, and preemption must happen.
    let [fits, does_not, preempts] = outcomes;
    assert!(fits >= 30 && does_not >= 100 && preempts >= 1, "{outcomes:?}");
}

struct Stage<'a> {
    cluster: &'a TestCluster,
    client: Client,
    namespaces: &'a [String; 2],
    /// What the names of nodes start with, so that nobody takes them for those of the scene before.
    prefix: String,
}

impl Stage<'_> {
    async fn play(&self, seed: u8, wrong: &mut Vec<String>, outcomes: &mut [usize; 3]) {
        let scene = sample(&scene(), seed);
        self.set(&scene).await;
        for (index, template) in scene.candidates.iter().enumerate() {
            let before = snapshot(&self.client, self.cluster.version()).await;
            let name = format!("candidate-{seed}-{index}");
            let template = self.named(template);
            match self.compare(&before, &name, &template).await {
                Ok(outcome) => outcomes[outcome] += 1,
                Err(difference) => {
                    wrong.push(format!(
                        "seed {seed}, pod {index}: {difference}\n{template}\n{:#?}",
                        scene.nodes
                    ));
                }
            }
            self.remove(&name).await;
        }
        match self.compare_daemons(&scene.candidates[0]).await {
            Ok(()) => {}
            Err(difference) => wrong.push(format!(
                "seed {seed}, DaemonSet: {difference}\n{:#?}",
                scene.nodes
            )),
        }
        self.clear().await;
    }

    fn node_name(&self, index: usize) -> String {
        format!("{}-node-{index}", self.prefix)
    }

    /// A template with the names that this scene's nodes have.
    fn named(&self, template: &Value) -> Value {
        let text = template
            .to_string()
            .replace("\"node-", &format!("\"{}-node-", self.prefix));
        text.parse().unwrap()
    }

    /// Makes the nodes and the pods on them.
    async fn set(&self, scene: &Scene) {
        let nodes: Api<K8sNode> = Api::all(self.client.clone());
        for (index, case) in scene.nodes.iter().enumerate() {
            self.cluster.add_node(case.node(self.node_name(index))).await;
            if case.gpus > 0 {
                let gpus = json!({ "example.com/gpu": case.gpus.to_string() });
                let patch = json!({ "status": { "capacity": gpus, "allocatable": gpus } });
                nodes
                    .patch_status(
                        &self.node_name(index),
                        &PatchParams::default(),
                        &Patch::Merge(patch),
                    )
                    .await
                    .unwrap();
            }
        }
        for (index, (node, namespace, template)) in scene.pods.iter().enumerate() {
            let mut template = template.clone();
            template["spec"]["nodeName"] = json!(self.node_name(*node));
            let api: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespaces[*namespace]);
            api.create(
                &PostParams::default(),
                &pod(&format!("running-{index}"), &template),
            )
            .await
            .unwrap();
        }
        let all: Api<Pod> = Api::all(self.client.clone());
        wait_for("pods to run", async || {
            let pods = all.list(&ListParams::default()).await.unwrap().items;
            let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone());
            pods.iter()
                .all(|pod| phase(pod).as_deref() == Some("Running"))
                .then_some(())
        })
        .await;
        // The scheduler hears of nodes and of pods in two streams.
        sleep(Duration::from_millis(300)).await;
    }

    async fn clear(&self) {
        let params = DeleteParams::default().grace_period(0);
        for namespace in self.namespaces {
            let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
            pods.delete_collection(&params, &ListParams::default())
                .await
                .unwrap();
        }
        let nodes: Api<K8sNode> = Api::all(self.client.clone());
        nodes
            .delete_collection(&params, &ListParams::default())
            .await
            .unwrap();
        let pods: Api<Pod> = Api::all(self.client.clone());
        wait_for("everything to be gone", async || {
            let pods = pods.list(&ListParams::default()).await.unwrap().items;
            let nodes = nodes.list(&ListParams::default()).await.unwrap().items;
            (pods.is_empty() && nodes.is_empty()).then_some(())
        })
        .await;
    }

    async fn remove(&self, name: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.namespaces[0]);
        let _ = pods.delete(name, &DeleteParams::default().grace_period(0)).await;
        wait_for(format_args!("{name} to be gone"), async || {
            pods.get_opt(name).await.unwrap().is_none().then_some(())
        })
        .await;
    }

    /// Holds what is predicted against what happens: 0 if the pod fits, 1 if not, 2 if others have to go.
    async fn compare(&self, before: &Snapshot, name: &str, template: &Value) -> Result<usize, String> {
        let namespace = &self.namespaces[0];
        let verdict = place(before, &workload(namespace, template));
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        pods.create(&PostParams::default(), &pod(name, template))
            .await
            .map_err(|error| format!("the server refused: {error}"))?;
        let expected = verdict.message();
        let preemption = verdict.pending.first().map(|pending| &pending.preemption);
        let since = Instant::now();
        loop {
            sleep(Duration::from_millis(8)).await;
            let now = pods.get(name).await.unwrap();
            let node = now.spec.as_ref().and_then(|spec| spec.node_name.clone());
            let message = scheduling_message(&now);
            match (&node, preemption) {
                (Some(_), Some(Preemption::Possible { victims, .. })) => {
                    let after = snapshot(&self.client, self.cluster.version()).await;
                    let gone = before.pods.len() + 1 - after.pods.len();
                    let difference = || format!("{gone} pods had to go, predicted {victims:?}");
                    return (gone == victims.len()).then_some(2).ok_or_else(difference);
                }
                (Some(node), None) if verdict.fits() => {
                    let mut there = template.clone();
                    there["spec"]["nodeName"] = json!(node);
                    let verdict = place(before, &workload(namespace, &there));
                    return match verdict.message() {
                        None => Ok(0),
                        Some(message) => Err(format!("it went to {node}, although {message}")),
                    };
                }
                (Some(node), _) => return Err(format!("it went to {node}, predicted {expected:?}")),
                (None, _) if message.is_some() && message == expected => {
                    if !matches!(preemption, Some(Preemption::Possible { .. })) {
                        return Ok(1);
                    }
                }
                (None, _) => {}
            }
            // What the scheduler says first may be about a node that it has not heard of yet.
            if since.elapsed() > Duration::from_secs(4) {
                return Err(format!("predicted {expected:?}\nbut it says {message:?}"));
            }
        }
    }
}

impl Stage<'_> {
    /// Holds what is predicted of a DaemonSet against what its controller and the scheduler do.
    async fn compare_daemons(&self, template: &Value) -> Result<(), String> {
        let namespace = &self.namespaces[0];
        let mut template = self.named(template);
        // With a label of its own, the DaemonSet adopts no other pods.
        template["metadata"]["labels"]["daemon"] = json!("candidate");
        // Pods that depend on each other come in any order; and those that evict others change the scene.
        let spec = template["spec"].as_object_mut().unwrap();
        for field in [
            "schedulingGates",
            "topologySpreadConstraints",
            "priorityClassName",
        ] {
            spec.remove(field);
        }
        if let Some(affinity) = spec["affinity"].as_object_mut() {
            affinity.retain(|kind, _| kind == "nodeAffinity");
        }
        let before = snapshot(&self.client, self.cluster.version()).await;
        let predicted = Workload {
            kind: WorkloadKind::DaemonSet,
            ..workload(namespace, &template)
        };
        let verdict = place(&before, &predicted);
        if let Some(refusal) = verdict.refusals.first() {
            return Err(format!("refused: {refusal}"));
        }
        let mut expected: BTreeMap<String, Option<String>> =
            verdict.placed.iter().map(|node| (node.clone(), None)).collect();
        for pending in &verdict.pending {
            // Where others make room, it does get its node.
            let makes_room = matches!(pending.preemption, Preemption::Possible { .. });
            expected.insert(
                pending.target.clone().unwrap(),
                (!makes_room).then(|| pending.message()),
            );
        }

        let daemon_sets: Api<DaemonSet> = Api::namespaced(self.client.clone(), namespace);
        let object: DaemonSet = serde_json::from_value(json!({
            "metadata": { "name": "candidate" },
            "spec": { "selector": { "matchLabels": { "daemon": "candidate" } }, "template": template },
        }))
        .unwrap();
        daemon_sets
            .create(&PostParams::default(), &object)
            .await
            .map_err(|error| error.to_string())?;
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let since = Instant::now();
        let result = loop {
            sleep(Duration::from_millis(30)).await;
            let status = daemon_sets
                .get("candidate")
                .await
                .unwrap()
                .status
                .unwrap_or_default();
            let pods = pods.list(&ListParams::default()).await.unwrap().items;
            let daemons = pods.iter().filter(|pod| pod.metadata.owner_references.is_some());
            let actual: BTreeMap<String, Option<String>> =
                daemons.map(|pod| (target(pod), outcome(pod))).collect();
            let desired = usize::try_from(status.desired_number_scheduled).unwrap();
            if status.observed_generation.is_some() && desired == expected.len() && actual == expected {
                break Ok(());
            }
            if since.elapsed() > Duration::from_secs(4) {
                break Err(format!(
                    "{template}\npredicted {expected:#?}\nbut it is {desired} {actual:#?}"
                ));
            }
        };
        daemon_sets
            .delete("candidate", &DeleteParams::background())
            .await
            .unwrap();
        wait_for("the DaemonSet to be gone", async || {
            let pods = pods.list(&ListParams::default()).await.unwrap().items;
            pods.iter()
                .all(|pod| pod.metadata.owner_references.is_none())
                .then_some(())
        })
        .await;
        result
    }
}

/// Nothing for a pod that has its node.
fn outcome(pod: &Pod) -> Option<String> {
    let has_node = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    (!has_node).then(|| scheduling_message(pod).unwrap_or_default())
}

/// The node that a DaemonSet's pod is for.
fn target(pod: &Pod) -> String {
    let affinity = serde_json::to_value(pod).unwrap()["spec"]["affinity"].clone();
    let required = &affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
    required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]
        .as_str()
        .unwrap()
        .to_owned()
}

/// What the scheduler says of a pod that it cannot place.
fn scheduling_message(pod: &Pod) -> Option<String> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled")?;
    (condition.status == "False").then(|| condition.message.clone().unwrap_or_default())
}
