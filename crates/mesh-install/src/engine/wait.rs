//! Waiting for workloads to run, and saying why they do not.

use std::collections::BTreeMap;

use futures::future::join_all;
use mesh_core::cluster::{ListQuery, MaybeNamespaced, Scope};
use mesh_core::k8s_openapi::api::apps::v1::ReplicaSet;
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::{ListableResource, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api::Api;
use super::{EngineError, Event, Result};
use crate::diagnose::{
    Cause, FailedContainer, Observed, diagnose, failed_containers, needs_snapshot, refusals,
};
use crate::object::{ObjectRef, Step, uid};
use crate::plan::{Desired, Part};
use crate::schedule::Snapshot;

/// Time between two looks.
const POLL: std::time::Duration = std::time::Duration::from_millis(500);

/// How many of the last lines of a log are shown.
const LOG_LINES: u32 = 8;

/// Waits until all workloads of some parts run.
pub(super) async fn wait(api: &Api, desired: &Desired, parts: &[Part]) -> Result<()> {
    let is_meant = |part: &str| parts.iter().any(|wanted| wanted.name == part);
    let mut waiting: Vec<Watched> = desired
        .objects()
        .filter(|(reference, part, _)| reference.step() == Step::Workload && is_meant(part))
        .map(|(reference, part, _)| Watched {
            object: reference,
            part: part.to_owned(),
            told: None,
            logs: BTreeMap::new(),
        })
        .collect();
    loop {
        let looks = waiting.iter_mut().map(|watched| watched.look(api));
        let outcomes = join_all(looks).await;
        let mut still = Vec::new();
        for (watched, is_ready) in waiting.into_iter().zip(outcomes) {
            if !is_ready? {
                still.push(watched);
            }
        }
        if still.is_empty() {
            return Ok(());
        }
        waiting = still;
        tokio::time::sleep(POLL).await;
    }
}

/// A workload that is waited for.
struct Watched {
    object: ObjectRef,
    part: String,
    /// What was told last.
    told: Option<(String, Vec<Cause>)>,
    /// Logs of containers, by how often these were started again.
    logs: BTreeMap<(String, String, i32), Result<String, String>>,
}

impl Watched {
    /// Whether it runs.
    async fn look(&mut self, api: &Api) -> Result<bool> {
        let live = api.get(&self.object).await?.unwrap_or_default();
        let Some(progress) = missing(&live) else {
            return Ok(true);
        };
        // The futures of many requests are large.
        let observed = Box::pin(self.observe(api, &live)).await;
        let causes = diagnose(&self.object, &observed);
        let told = (progress, causes);
        if self.told.as_ref() != Some(&told) {
            let (progress, causes) = told.clone();
            self.told = Some(told);
            api.report(Event::Waiting {
                part: self.part.clone(),
                object: self.object.clone(),
                progress,
                causes: causes.clone(),
            });
            if causes.iter().any(|cause| cause.is_final) {
                return Err(EngineError::Hopeless {
                    workload: self.object.clone(),
                    causes,
                });
            }
        }
        Ok(false)
    }

    /// What is known about why it does not run. What cannot be read is left out: that is no reason to give up.
    async fn observe(&mut self, api: &Api, live: &Value) -> Observed {
        let scope = Scope::Namespace(self.object.namespace.clone());
        let warnings = ListQuery::new("", "v1", "events", &scope).fields("type=Warning");
        let (pods, sets, events) = tokio::join!(
            all::<Pod>(api, &scope),
            all::<ReplicaSet>(api, &scope),
            api.cluster.list(&warnings)
        );
        let is_of = |metadata: &ObjectMeta, owner: &str| {
            let owners = metadata.owner_references.iter().flatten();
            owners.into_iter().any(|reference| reference.uid == owner)
        };
        let is_deployment = self.object.kind.kind == "Deployment";
        let replica_set = sets
            .into_iter()
            .filter(|set| is_deployment && is_of(&set.metadata, uid(live)))
            .max_by_key(|set| generation(&set.metadata));
        let owner = match &replica_set {
            Some(set) => set.metadata.uid.clone().unwrap_or_default(),
            None => uid(live).to_owned(),
        };
        let mut observed = Observed {
            pods: pods
                .iter()
                .filter(|pod| is_of(&pod.metadata, &owner))
                .cloned()
                .collect(),
            replica_set,
            events: events.unwrap_or_default(),
            template: serde_json::from_value(live["spec"]["template"].clone()).unwrap_or_default(),
            ..Observed::default()
        };
        if needs_snapshot(&observed) {
            observed.snapshot = Box::pin(snapshot(api, &scope)).await;
        }
        let is_refused_by_webhook = refusals(&observed)
            .iter()
            .chain(observed.events.iter().filter_map(|event| event.message.as_ref()))
            .any(|message| message.contains("failed calling webhook"));
        if is_refused_by_webhook {
            observed.webhooks = api.webhooks().await;
        }
        for container in failed_containers(&observed.pods) {
            let FailedContainer {
                pod,
                container,
                restarts,
            } = container;
            let key = (pod.clone(), container.clone(), restarts);
            if !self.logs.contains_key(&key) {
                let log = log(api, &self.object.namespace, &pod, &container, restarts > 0).await;
                self.logs.insert(key.clone(), log);
            }
            if let Some(log) = self.logs.get(&key) {
                observed.logs.insert((pod, container), log.clone());
            }
        }
        observed
    }
}

/// The number that the Deployment gave a ReplicaSet.
fn generation(set: &ObjectMeta) -> u64 {
    let annotations = set.annotations.as_ref();
    let number = annotations.and_then(|annotations| annotations.get("deployment.kubernetes.io/revision"));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What a workload lacks; `None` if all of it runs in its newest form.
pub(super) fn missing(live: &Value) -> Option<String> {
    let status = &live["status"];
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    if number(&status["observedGeneration"]) < number(&live["metadata"]["generation"]).max(1) {
        return Some("not taken up by the controller manager yet".to_owned());
    }
    let (wanted, updated, ready, all) = if live["kind"] == "DaemonSet" {
        (
            number(&status["desiredNumberScheduled"]),
            number(&status["updatedNumberScheduled"]),
            number(&status["numberReady"]),
            number(&status["currentNumberScheduled"]),
        )
    } else {
        (
            live["spec"]["replicas"].as_u64().unwrap_or(1),
            number(&status["updatedReplicas"]),
            number(&status["readyReplicas"]),
            number(&status["replicas"]),
        )
    };
    if updated < wanted {
        return Some(format!("{updated} of {wanted} pods made"));
    }
    if ready < wanted {
        return Some(format!("{ready} of {wanted} pods ready"));
    }
    (all > updated).then(|| format!("{} old pods still run", all - updated))
}

/// All objects of a kind; `None` if they cannot be read.
async fn read<K>(api: &Api, scope: &Scope) -> Option<Vec<K>>
where
    K: ListableResource + DeserializeOwned + Resource,
    K::Scope: MaybeNamespaced,
{
    api.cluster.list(&ListQuery::of::<K>(scope)).await.ok()
}

/// All objects of a kind that can be read.
async fn all<K>(api: &Api, scope: &Scope) -> Vec<K>
where
    K: ListableResource + DeserializeOwned + Resource,
    K::Scope: MaybeNamespaced,
{
    read(api, scope).await.unwrap_or_default()
}

/// What the scheduler sees; `None` if that cannot be read: without nodes, say, everything would seem to lack them.
async fn snapshot(api: &Api, scope: &Scope) -> Option<Snapshot> {
    let everywhere = Scope::All;
    let (nodes, pods, namespaces, quotas, limit_ranges, priority_classes, version) = tokio::join!(
        read(api, &everywhere),
        read(api, &everywhere),
        all(api, &everywhere),
        all(api, scope),
        all(api, scope),
        read(api, &everywhere),
        api.cluster.get("/version"),
    );
    let version: Value = version
        .ok()
        .and_then(|version| serde_json::from_slice(&version).ok())
        .unwrap_or_default();
    Some(Snapshot {
        nodes: nodes?,
        pods: pods?,
        namespaces,
        quotas,
        limit_ranges,
        priority_classes: priority_classes?,
        kubernetes: version["gitVersion"]
            .as_str()
            .and_then(|version| version.parse().ok()),
    })
}

/// The last lines that a container wrote before it ended.
async fn log(
    api: &Api,
    namespace: &str,
    pod: &str,
    container: &str,
    is_earlier: bool,
) -> Result<String, String> {
    let path = format!(
        "/api/v1/namespaces/{namespace}/pods/{pod}/log?container={container}&previous={is_earlier}&tailLines={LOG_LINES}"
    );
    match api.cluster.get_accepting(&path, "*/*").await {
        Ok(log) => Ok(String::from_utf8_lossy(&log).into_owned()),
        Err(error) => Err(error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn workloads_run_when_their_newest_pods_do() {
        let deployment = |status: Value| {
            missing(
                &json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}),
            )
        };
        for (status, expected) in [
            (json!({}), Some("not taken up by the controller manager yet")),
            (
                json!({"observedGeneration": 2, "replicas": 2}),
                Some("0 of 2 pods made"),
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "readyReplicas": 1}),
                Some("1 of 2 pods ready"),
            ),
            (
                json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "readyReplicas": 3}),
                Some("1 old pods still run"),
            ),
            (
                json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 2}),
                None,
            ),
        ] {
            assert_eq!(deployment(status).as_deref(), expected);
        }
        let daemon_set = json!({"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {
            "observedGeneration": 1, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3,
            "currentNumberScheduled": 3, "numberReady": 2}});
        assert_eq!(missing(&daemon_set).as_deref(), Some("2 of 3 pods ready"));
    }
}
