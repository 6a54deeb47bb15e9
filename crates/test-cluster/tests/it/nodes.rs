//! Nodes are as described, and the real scheduler and node lifecycle controller react to them.

use k8s_openapi::api::core::v1::Node as K8sNode;
use kube::Api;
use serde_json::json;
use test_cluster::{Node, TaintEffect, TestCluster, wait_for};

use crate::{create_pod, pod};

fn condition<'a>(node: &'a K8sNode, kind: &str) -> &'a str {
    let conditions = node.status.as_ref().unwrap().conditions.as_ref().unwrap();
    &conditions
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap()
        .status
}

fn taints(node: &K8sNode) -> Vec<&str> {
    node.spec
        .as_ref()
        .unwrap()
        .taints
        .iter()
        .flatten()
        .map(|taint| taint.key.as_str())
        .collect()
}

/// The message of the scheduler for a pod that only nodes with the label `test` may run.
async fn scheduling_failure(test: &str, requests: serde_json::Value) -> String {
    let cluster = TestCluster::shared();
    let namespace = cluster.namespace(test).await;
    let container =
        json!({ "name": "app", "image": "example.com/app:1", "resources": { "requests": requests } });
    let spec = json!({ "nodeSelector": { "test": test }, "containers": [container] });
    create_pod(cluster.client(), &namespace, &pod("app", spec))
        .await
        .unwrap();
    wait_for("the scheduler to fail", async || {
        let mut events = cluster.events(&namespace).await.into_iter();
        events
            .find(|event| event.reason.as_deref() == Some("FailedScheduling"))?
            .message
    })
    .await
}

#[tokio::test]
async fn tainted_node_gets_no_pods() {
    let cluster = TestCluster::shared();
    let node = Node::new("tainted")
        .label("test", "tainted")
        .taint("team", "a", TaintEffect::NoSchedule);
    cluster.add_node(node).await;
    let message = scheduling_failure("tainted", json!({})).await;
    // Tainted nodes of other tests are counted too.
    assert!(message.contains("node(s) had untolerated taint(s)"), "{message}");
}

#[tokio::test]
async fn small_node_is_full() {
    let cluster = TestCluster::shared();
    cluster
        .add_node(Node::new("small").label("test", "small").capacity("2", "1Gi", 3))
        .await;
    let message = scheduling_failure("small", json!({ "cpu": "3" })).await;
    assert!(message.contains("1 Insufficient cpu"), "{message}");
}

#[tokio::test]
async fn pressure_taints_the_node() {
    let cluster = TestCluster::shared();
    let node = Node::new("pressed")
        .condition("DiskPressure", "True")
        .condition("MemoryPressure", "True");
    let node = cluster.add_node(node).await;
    assert_eq!(condition(&node, "DiskPressure"), "True");
    assert_eq!(condition(&node, "PIDPressure"), "False");
    assert_eq!(condition(&node, "Ready"), "True");
    let mut taints = taints(&node);
    taints.sort_unstable();
    assert_eq!(
        taints,
        [
            "node.kubernetes.io/disk-pressure",
            "node.kubernetes.io/memory-pressure"
        ]
    );
}

#[tokio::test]
async fn node_that_is_not_ready_stays_so() {
    let cluster = TestCluster::shared();
    let down = cluster
        .add_node(Node::new("down").condition("Ready", "False"))
        .await;
    assert_eq!(condition(&down, "Ready"), "False");
    let lost = cluster
        .add_node(Node::new("lost").condition("Ready", "Unknown").unschedulable())
        .await;
    assert_eq!(condition(&lost, "Ready"), "Unknown");
    // By now the lifecycle controller has looked at the first one several times.
    let nodes: Api<K8sNode> = Api::all(cluster.client());
    assert_eq!(condition(&nodes.get("down").await.unwrap(), "Ready"), "False");
}

#[tokio::test]
async fn node_is_what_was_described() {
    let cluster = TestCluster::shared();
    let node = Node::new("described")
        .arch("arm64")
        .os("windows")
        .kubelet("v1.33.1")
        .capacity("4", "8Gi", 20);
    let node = cluster.add_node(node).await;
    let status = node.status.unwrap();
    let info = status.node_info.unwrap();
    assert_eq!(
        [info.architecture, info.operating_system, info.kubelet_version],
        ["arm64", "windows", "v1.33.1"]
    );
    assert_eq!(status.capacity.as_ref().unwrap()["memory"].0, "8Gi");
    assert_eq!(status.allocatable.as_ref().unwrap()["pods"].0, "20");
    assert_eq!(node.metadata.labels.unwrap()["kubernetes.io/arch"], "arm64");

    let plain = cluster.add_node(Node::new("plain")).await.status.unwrap();
    assert_eq!(plain.node_info.unwrap().kubelet_version, cluster.version());
}
