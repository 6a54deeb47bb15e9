//! The workloads that the pods of a version belong to.

use std::collections::BTreeSet;

use mesh_canary::judge::{Series, Traffic};
use mesh_canary::route::Version;
use mesh_canary::state::Rollout;
use mesh_core::k8s_openapi::api::core::v1::Pod;

use super::driver::Driver;
use crate::error::CommandError;

/// The label that Deployments give the pods of one template.
const TEMPLATE_HASH: &str = "pod-template-hash";

impl Driver {
    /// What metrics call the pods of a version: by the workloads that they belong to.
    pub(super) async fn series(&self, rollout: &Rollout, version: &Version) -> Result<Series, CommandError> {
        let (namespace, labels) = self.pod_selector(version)?;
        let pods = self.list_pods(version).await?;
        let workloads: BTreeSet<String> = pods.iter().filter_map(workload).collect();
        let service = match version {
            Version::Service(host) => host.clone(),
            Version::Subset(_) => rollout.subject.host.clone(),
        };
        let (has_requests, _) = rollout.traffic();
        Ok(Series {
            traffic: if has_requests {
                Traffic::Requests
            } else {
                Traffic::Connections
            },
            service,
            namespace,
            workloads: workloads.into_iter().collect(),
            version: labels.get("version").cloned(),
        })
    }

    /// What the pods of a version are made from: each workload with the hash of its template.
    pub(super) async fn templates(&self, version: &Version) -> Result<BTreeSet<String>, CommandError> {
        let pods = self.list_pods(version).await?;
        let template = |pod: &Pod| {
            let hash = label(pod, TEMPLATE_HASH).or_else(|| label(pod, "controller-revision-hash"))?;
            Some(format!("{} ({hash})", workload(pod)?))
        };
        Ok(pods.iter().filter_map(template).collect())
    }
}

fn label<'a>(pod: &'a Pod, name: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(name).map(String::as_str)
}

/// The name of the workload that a pod belongs to, or its own.
fn workload(pod: &Pod) -> Option<String> {
    let owner = pod.metadata.owner_references.iter().flatten().next();
    match owner {
        // A Deployment's ReplicaSets have its name, a dash, and the hash that is a label of their pods.
        Some(owner) if owner.kind == "ReplicaSet" => {
            let stripped =
                label(pod, TEMPLATE_HASH).and_then(|hash| owner.name.strip_suffix(hash)?.strip_suffix('-'));
            Some(stripped.unwrap_or(&owner.name).to_owned())
        }
        Some(owner) => Some(owner.name.clone()),
        None => pod.metadata.name.clone(),
    }
}
