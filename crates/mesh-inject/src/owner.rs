//! What a pod belongs to, by which the proxy and telemetry call it.

use serde_json::{Value, json};

use crate::tree::{Map, label, list, map_mut, plain, text};

/// The workload of a pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// `apiVersion` of the workload.
    pub api_version: String,
    /// Kind of the workload.
    pub kind: String,
    /// Its name; empty if it is not known.
    pub name: String,
    /// Its namespace; empty if it is not known.
    pub namespace: String,
}

impl Owner {
    /// The owner of a pod that stands on its own, by what its metadata tells about who made it.
    pub fn of_pod(pod: &Value, namespace: &str) -> Self {
        let metadata = pod.get("metadata").unwrap_or(&Value::Null);
        let owner = Self {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: text(metadata, "name").to_owned(),
            namespace: namespace.to_owned(),
        };
        if text(metadata, "generateName").is_empty() {
            return owner;
        }
        let references = list(metadata, "ownerReferences").iter();
        let is_controller =
            |reference: &&Value| reference.get("controller").and_then(Value::as_bool) == Some(true);
        let Some(controller) = references.clone().find(is_controller) else {
            return owner;
        };
        let (kind, name) = (text(controller, "kind"), text(controller, "name"));
        let without_hash = |key: &str| {
            let hash = label(pod, key).filter(|hash| !hash.is_empty())?;
            name.strip_suffix(hash)?.strip_suffix('-')
        };
        let maker = match kind {
            "ReplicaSet" => without_hash("rollouts-pod-template-hash")
                .map(|name| ("Rollout", ROLLOUT_VERSION, name))
                .or_else(|| Some(("Deployment", "apps/v1", without_hash("pod-template-hash")?))),
            "ReplicationController" => label(pod, "deploymentconfig")
                .filter(|name| !name.is_empty())
                .map(|name| ("DeploymentConfig", "apps.openshift.io/v1", name)),
            "Job" => cron_job(name).map(|name| ("CronJob", "batch/v1", name)),
            _ => None,
        };
        let (kind, api_version, name) = maker.unwrap_or((kind, text(controller, "apiVersion"), name));
        Self {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            name: if name.is_empty() {
                owner.name
            } else {
                name.to_owned()
            },
            namespace: owner.namespace,
        }
    }

    /// Gives the metadata of a pod what a controller gives to the pods that it makes for this owner: the reverse of
    /// [`of_pod`](Self::of_pod). Without a name there is nothing to give.
    pub(crate) fn stamp(&self, metadata: &mut Map) {
        let Self {
            api_version,
            kind,
            name,
            namespace: _,
        } = self;
        if name.is_empty() {
            return;
        }
        let mut label = |key: &str, value: &str| {
            let entry = map_mut(metadata, "labels").entry(key);
            plain(entry.or_insert_with(|| value.into()))
        };
        let (api_version, kind, maker) = match &**kind {
            "Deployment" => (
                "apps/v1",
                "ReplicaSet",
                format!("{name}-{}", label("pod-template-hash", "0")),
            ),
            "Rollout" if api_version == ROLLOUT_VERSION => {
                let hash = label("rollouts-pod-template-hash", "0");
                ("apps/v1", "ReplicaSet", format!("{name}-{hash}"))
            }
            "DeploymentConfig" => {
                label("deploymentconfig", name);
                ("v1", "ReplicationController", format!("{name}-1"))
            }
            "CronJob" => ("batch/v1", "Job", format!("{name}-00000000")),
            kind => (&**api_version, kind, name.clone()),
        };
        metadata.insert("generateName".to_owned(), format!("{maker}-").into());
        let reference = json!({
            "apiVersion": api_version,
            "kind": kind,
            "name": maker,
            "uid": "00000000-0000-0000-0000-000000000000",
            "controller": true,
        });
        metadata.insert("ownerReferences".to_owned(), json!([reference]));
    }

    /// The resource that telemetry shows as the owner; `None` if it is not known.
    pub(crate) fn uri(&self) -> Option<String> {
        let Self {
            api_version,
            kind,
            name,
            namespace,
        } = self;
        if api_version.is_empty() || name.is_empty() {
            return None;
        }
        let namespace = if namespace.is_empty() {
            "default"
        } else {
            namespace
        };
        let plural = kind.to_lowercase() + "s";
        Some(format!(
            "kubernetes://apis/{api_version}/namespaces/{namespace}/{plural}/{name}"
        ))
    }
}

/// What Istio calls the `apiVersion` of Argo's Rollouts: their group is missing.
pub(crate) const ROLLOUT_VERSION: &str = "v1alpha1";

/// The name of the CronJob that made a Job of this name: the scheduled time, 8 to 10 digits, follows it.
fn cron_job(job: &str) -> Option<&str> {
    let (name, time) = job.rsplit_once('-')?;
    let is_time = (8..=10).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit());
    (is_time && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn owners_are_found_through_what_made_the_pod() {
        for (kind, name, labels, expected) in [
            (
                "ReplicaSet",
                "web-5d4f",
                json!({"pod-template-hash": "5d4f"}),
                "kubernetes://apis/apps/v1/namespaces/shop/deployments/web",
            ),
            (
                "ReplicaSet",
                "web-5d4f",
                json!({"rollouts-pod-template-hash": "5d4f"}),
                "kubernetes://apis/v1alpha1/namespaces/shop/rollouts/web",
            ),
            (
                "ReplicaSet",
                "web-5d4f",
                json!({}),
                "kubernetes://apis/apps/v1/namespaces/shop/replicasets/web-5d4f",
            ),
            (
                "Job",
                "nightly-28371230",
                json!({}),
                "kubernetes://apis/batch/v1/namespaces/shop/cronjobs/nightly",
            ),
            (
                "Job",
                "nightly-1",
                json!({}),
                "kubernetes://apis/apps/v1/namespaces/shop/jobs/nightly-1",
            ),
            (
                "ReplicationController",
                "web-1",
                json!({"deploymentconfig": "web"}),
                "kubernetes://apis/apps.openshift.io/v1/namespaces/shop/deploymentconfigs/web",
            ),
        ] {
            let pod = json!({"metadata": {"generateName": "x-", "labels": labels, "ownerReferences": [
                {"kind": "Other", "name": "other"},
                {"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true},
            ]}});
            assert_eq!(Owner::of_pod(&pod, "shop").uri().as_deref(), Some(expected));
        }
        for (api_version, kind) in [
            ("apps/v1", "Deployment"),
            ("apps/v1", "StatefulSet"),
            ("batch/v1", "Job"),
            ("batch/v1", "CronJob"),
            ("apps.openshift.io/v1", "DeploymentConfig"),
            (ROLLOUT_VERSION, "Rollout"),
            ("example.com/v1", "Farm"),
        ] {
            let owner = Owner {
                api_version: api_version.to_owned(),
                kind: kind.to_owned(),
                name: "web".to_owned(),
                namespace: "shop".to_owned(),
            };
            let mut metadata = Map::new();
            owner.stamp(&mut metadata);
            assert_eq!(Owner::of_pod(&json!({"metadata": metadata}), "shop"), owner);
        }
        let pod = json!({"metadata": {"name": "solo"}});
        assert_eq!(
            Owner::of_pod(&pod, "").uri().as_deref(),
            Some("kubernetes://apis/v1/namespaces/default/pods/solo")
        );
    }
}
