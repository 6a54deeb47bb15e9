//! Pods that run, and what the injector of the mesh would give them now.

use std::collections::BTreeMap;
use std::sync::Arc;

use mesh_core::injection::REVISION_LABEL;
use mesh_core::k8s_openapi::api::core::v1::PodSpec;
use mesh_core::{Kind, Mesh, Resource};
use serde_json::Value;

/// A pod that stands for all pods of its owner.
pub(super) struct Group<'m> {
    pub(super) pod: &'m Arc<Resource<PodSpec>>,
    pub(super) count: usize,
}

/// Running pods that `is_wanted`, one for each owner, in the order of their names.
pub(super) fn groups<'m>(mesh: &'m Mesh, is_wanted: impl Fn(&Resource<PodSpec>) -> bool) -> Vec<Group<'m>> {
    let mut groups: BTreeMap<(&str, &str), Group<'m>> = BTreeMap::new();
    // The API server gives an object its uid: without one, the pod is still to be made.
    let running = mesh.pods().iter().filter(|pod| !pod.metadata().uid.is_empty());
    for pod in running.filter(|pod| is_wanted(pod)) {
        let owner = pod.metadata().owner_references.first();
        let owner = owner.map_or(pod.name(), |owner| owner.name.as_str());
        let group = groups
            .entry((pod.namespace(), owner))
            .or_insert(Group { pod, count: 0 });
        group.count += 1;
    }
    groups.into_values().collect()
}

impl Group<'_> {
    /// `the pod`, or `the pod and 2 more of its kind`.
    pub(super) fn subject(&self) -> String {
        match self.count {
            1 => "the pod".to_owned(),
            count => format!("the pod, like {} more of its owner,", count - 1),
        }
    }

    /// How to have the pods made anew.
    pub(super) fn restart(&self) -> String {
        let namespace = self.pod.namespace();
        let owner = self.pod.metadata().owner_references.first();
        let target = owner.and_then(|owner| match owner.kind.as_str() {
            "ReplicaSet" => {
                let hash = self.pod.labels().get("pod-template-hash")?;
                let name = owner.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
                Some(format!("deployment/{name}"))
            }
            kind @ ("StatefulSet" | "DaemonSet") => Some(format!("{}/{}", kind.to_lowercase(), owner.name)),
            _ => None,
        });
        match target {
            Some(target) => format!("restart it: `kubectl rollout restart {target} -n {namespace}`"),
            None => "delete the pod and have it made anew".to_owned(),
        }
    }
}

/// What an injector puts into pods, by its ConfigMap.
pub(super) struct Template {
    /// Empty for the default revision.
    pub(super) revision: String,
    /// The image of the proxy, without a variant such as `-distroless`.
    pub(super) image: Option<String>,
    /// Whether it injects namespaces without any label.
    pub(super) by_default: bool,
}

/// The injectors of the mesh.
pub(super) fn templates(mesh: &Mesh) -> Vec<Template> {
    const NAME: &str = "istio-sidecar-injector";
    let namespace = mesh.settings().istio_namespace.as_str();
    mesh.config_maps()
        .iter()
        .filter(|map| map.namespace() == namespace)
        .filter_map(|map| {
            let revision = map.name().strip_prefix(NAME)?;
            let revision = match revision.strip_prefix('-') {
                Some(revision) => revision,
                None if revision.is_empty() => "",
                None => return None,
            };
            let values = map.spec.data.as_ref()?.get("values")?;
            Some(template(revision, &serde_json::from_str(values).ok()?))
        })
        .collect()
}

fn template(revision: &str, values: &Value) -> Template {
    let global = &values["global"];
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let image = text(&global["proxy"]["image"]).and_then(|image| {
        if image.contains('/') {
            return Some(image);
        }
        Some(format!(
            "{}/{image}:{}",
            text(&global["hub"])?,
            text(&global["tag"])?
        ))
    });
    Template {
        revision: revision.to_owned(),
        image,
        by_default: values["sidecarInjectorWebhook"]["enableNamespacesByDefault"] == true,
    }
}

/// The revision whose injector made the pod's sidecar; empty for the default one.
pub(super) fn revision(pod: &Resource<PodSpec>) -> &str {
    let revision = pod
        .annotations()
        .get(REVISION_LABEL)
        .or_else(|| pod.labels().get(REVISION_LABEL));
    revision
        .map(String::as_str)
        .filter(|revision| *revision != "default")
        .unwrap_or_default()
}

/// What rules on running pods judge.
pub(super) const SUBJECTS: &[Kind] = &[Kind::Pod];
