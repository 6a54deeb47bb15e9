//! Tests of the cluster that other tests stand on.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod access;
mod ending;
mod forwarding;
mod nodes;
mod workloads;

use k8s_openapi::api::core::v1::Pod;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};

/// A pod with one container and the given spec otherwise.
fn pod(name: &str, mut spec: Value) -> Pod {
    if spec.get("containers").is_none() {
        spec["containers"] = json!([{ "name": "app", "image": "example.com/app:1" }]);
    }
    serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec })).unwrap()
}

async fn create_pod(client: Client, namespace: &str, pod: &Pod) -> kube::Result<Pod> {
    Api::namespaced(client, namespace)
        .create(&PostParams::default(), pod)
        .await
}

fn is_running(pod: &Pod) -> bool {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Running")
}
