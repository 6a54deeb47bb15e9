//! What this crate says of clusters, held against a real control plane.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod admission;
mod engine;
mod manifest;
mod scheduler;

use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{LimitRange, Pod, ResourceQuota};
use kube::api::ListParams;
use kube::{Api, Client};
use mesh_install::schedule::{Snapshot, Workload, WorkloadKind};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

/// What the cluster holds now.
async fn snapshot(client: &Client, version: &str) -> Snapshot {
    async fn all<K>(client: &Client) -> Vec<K>
    where
        K: kube::Resource<DynamicType = ()> + Clone + std::fmt::Debug + serde::de::DeserializeOwned,
    {
        Api::<K>::all(client.clone())
            .list(&ListParams::default())
            .await
            .unwrap()
            .items
    }
    Snapshot {
        nodes: all(client).await,
        pods: all::<Pod>(client).await,
        namespaces: all(client).await,
        quotas: all::<ResourceQuota>(client).await,
        limit_ranges: all::<LimitRange>(client).await,
        priority_classes: all(client).await,
        kubernetes: version.parse().ok(),
    }
}

/// One pod made of a template.
fn workload(namespace: &str, template: &Value) -> Workload {
    Workload {
        kind: WorkloadKind::Deployment { replicas: 1 },
        namespace: namespace.to_owned(),
        name: "candidate".to_owned(),
        template: serde_json::from_value(template.clone()).unwrap(),
    }
}

/// The pod of a template.
fn pod(name: &str, template: &Value) -> Pod {
    let mut pod = template.clone();
    pod["metadata"]["name"] = json!(name);
    serde_json::from_value(pod).unwrap()
}

/// What a strategy makes of a seed.
fn sample<S: Strategy>(strategy: &S, seed: u8) -> S::Value {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).unwrap().current()
}

/// Makes a namespaced object.
async fn create<K>(client: &Client, namespace: &str, object: &Value) -> K
where
    K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    K: Clone + std::fmt::Debug + serde::Serialize + serde::de::DeserializeOwned,
{
    let object: K = serde_json::from_value(object.clone()).unwrap();
    let api = Api::namespaced(client.clone(), namespace);
    api.create(&kube::api::PostParams::default(), &object)
        .await
        .unwrap()
}
