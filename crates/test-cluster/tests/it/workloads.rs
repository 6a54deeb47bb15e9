//! The controllers, the scheduler and kwok do their parts.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::json;
use test_cluster::{Node, TestCluster, wait_for};

use crate::{create_pod, is_running, pod};

#[tokio::test]
async fn pod_runs_with_all_containers_ready() {
    let cluster = TestCluster::shared();
    cluster
        .add_node(Node::new("pod-runs").label("test", "pod-runs"))
        .await;
    let namespace = cluster.namespace("pod-runs").await;
    let spec = json!({
        "nodeSelector": { "test": "pod-runs" },
        "initContainers": [
            { "name": "init", "image": "example.com/init:1" },
            { "name": "sidecar", "image": "example.com/sidecar:1", "restartPolicy": "Always" },
        ],
    });
    create_pod(cluster.client(), &namespace, &pod("app", spec))
        .await
        .unwrap();

    let pods: Api<Pod> = Api::namespaced(cluster.client(), &namespace);
    let running = wait_for("the pod to run", async || {
        pods.get("app").await.ok().filter(is_running)
    })
    .await;

    assert_eq!(running.spec.unwrap().node_name.as_deref(), Some("pod-runs"));
    let status = running.status.unwrap();
    assert!(status.pod_ip.unwrap().starts_with("10.244."));
    assert!(
        status
            .container_statuses
            .unwrap()
            .iter()
            .all(|status| status.ready)
    );
    let init = status.init_container_statuses.unwrap();
    assert!(init[0].state.as_ref().unwrap().terminated.is_some());
    assert!(init[1].state.as_ref().unwrap().running.is_some());

    pods.delete("app", &DeleteParams::default()).await.unwrap();
    wait_for("the pod to be gone", async || {
        pods.get_opt("app").await.unwrap().is_none().then_some(())
    })
    .await;
}

#[tokio::test]
async fn status_of_a_pod_can_be_left_to_the_test() {
    let cluster = TestCluster::shared();
    cluster
        .add_node(Node::new("manual").label("test", "manual"))
        .await;
    let namespace = cluster.namespace("manual").await;
    let mut pod = pod("crashing", json!({ "nodeSelector": { "test": "manual" } }));
    pod.metadata.annotations = Some([("meshctl.dev/status".to_owned(), "manual".to_owned())].into());
    create_pod(cluster.client(), &namespace, &pod).await.unwrap();
    let pods: Api<Pod> = Api::namespaced(cluster.client(), &namespace);
    wait_for("the pod to be scheduled", async || {
        pods.get("crashing").await.unwrap().spec?.node_name
    })
    .await;

    let waiting = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    let container = json!({
        "name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 3, "state": waiting,
    });
    let status = json!({ "status": { "containerStatuses": [container] } });
    pods.patch_status("crashing", &PatchParams::default(), &Patch::Merge(status))
        .await
        .unwrap();

    // A pod that comes later runs: kwok has seen the first one by then.
    let later = crate::pod("later", json!({ "nodeSelector": { "test": "manual" } }));
    create_pod(cluster.client(), &namespace, &later).await.unwrap();
    wait_for("the later pod to run", async || {
        pods.get("later").await.ok().filter(is_running)
    })
    .await;
    let crashing = pods.get("crashing").await.unwrap();
    assert!(!is_running(&crashing));
    assert_eq!(
        crashing.status.unwrap().container_statuses.unwrap()[0].restart_count,
        3
    );
}

#[tokio::test]
async fn deployment_becomes_available_and_job_completes() {
    let cluster = TestCluster::shared();
    cluster
        .add_node(Node::new("workloads").label("test", "workloads"))
        .await;
    let namespace = cluster.namespace("workloads").await;
    let spec = |restart_policy: &str| {
        json!({
            "nodeSelector": { "test": "workloads" },
            "restartPolicy": restart_policy,
            "containers": [{ "name": "app", "image": "example.com/app:1" }],
        })
    };
    let deployment = json!({
        "metadata": { "name": "web" },
        "spec": {
            "replicas": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": spec("Always") },
        },
    });
    let deployments: Api<Deployment> = Api::namespaced(cluster.client(), &namespace);
    let deployment = serde_json::from_value(deployment).unwrap();
    deployments
        .create(&PostParams::default(), &deployment)
        .await
        .unwrap();
    let job = json!({ "metadata": { "name": "migrate" }, "spec": { "template": { "spec": spec("Never") } } });
    let jobs: Api<Job> = Api::namespaced(cluster.client(), &namespace);
    jobs.create(&PostParams::default(), &serde_json::from_value(job).unwrap())
        .await
        .unwrap();

    wait_for("the Deployment to be available", async || {
        let conditions = deployments.get("web").await.unwrap().status?.conditions?;
        conditions
            .iter()
            .any(|it| it.type_ == "Available" && it.status == "True")
            .then_some(())
    })
    .await;
    wait_for("the Job to complete", async || {
        let conditions = jobs.get("migrate").await.unwrap().status?.conditions?;
        conditions
            .iter()
            .any(|it| it.type_ == "Complete" && it.status == "True")
            .then_some(())
    })
    .await;
}
