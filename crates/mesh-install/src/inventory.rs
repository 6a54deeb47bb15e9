//! What is installed: control planes and proxies, by the Deployments and pods that run them.

use std::fmt;

use mesh_core::Labels;
use mesh_core::injection::PROXY_CONTAINER;
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_core::k8s_openapi::api::core::v1::{Container, Pod};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::version::KubernetesVersion;

/// The label that names the revision of a control plane and of what belongs to it.
pub const REVISION: &str = "istio.io/rev";

/// The revision of an installation that was not given a name.
pub const DEFAULT_REVISION: &str = "default";

/// One control plane: a Deployment of istiod.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ControlPlane {
    /// The namespace.
    pub namespace: String,
    /// The name of the Deployment.
    pub name: String,
    /// The revision; [`DEFAULT_REVISION`] if it has no name.
    pub revision: String,
    /// The tag of its image without a variant's suffix; `None` if the image is named by digest.
    pub version: Option<String>,
    /// The replicas that are ready.
    pub ready: i32,
    /// The replicas that are wanted.
    pub replicas: i32,
}

/// The control planes among Deployments, by namespace and name.
pub fn control_planes(deployments: &[Deployment]) -> Vec<ControlPlane> {
    let mut found: Vec<_> = deployments
        .iter()
        .filter(|deployment| label(&deployment.metadata, "app") == Some("istiod"))
        .map(|deployment| {
            let spec = deployment.spec.as_ref();
            let pod = spec.and_then(|spec| spec.template.spec.as_ref());
            let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
            let container = containers.iter().find(|container| container.name == "discovery");
            let status = deployment.status.as_ref();
            ControlPlane {
                namespace: name(deployment.metadata.namespace.as_ref()),
                name: name(deployment.metadata.name.as_ref()),
                revision: label(&deployment.metadata, REVISION)
                    .unwrap_or(DEFAULT_REVISION)
                    .to_owned(),
                version: container.or(containers.first()).and_then(image_version),
                ready: status
                    .and_then(|status| status.ready_replicas)
                    .unwrap_or_default(),
                replicas: spec.and_then(|spec| spec.replicas).unwrap_or(1),
            }
        })
        .collect();
    found.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
    found
}

/// What a proxy does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProxyKind {
    /// In the pod of an application.
    Sidecar,
    /// At the edge of the mesh.
    Gateway,
    /// In front of services of the ambient data plane.
    Waypoint,
    /// On a node, for the ambient data plane.
    Ztunnel,
}

impl fmt::Display for ProxyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Ztunnel => "ztunnel",
        })
    }
}

/// A running proxy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proxy {
    /// The namespace of its pod.
    pub namespace: String,
    /// The name of its pod.
    pub pod: String,
    /// What it does.
    pub kind: ProxyKind,
    /// The revision of the control plane that made it, if the pod tells.
    pub revision: Option<String>,
    /// The tag of its image without a variant's suffix; `None` if the image is named by digest.
    pub version: Option<String>,
}

/// The proxies of pods that have not ended.
pub fn proxies(pods: &[Pod]) -> Vec<Proxy> {
    pods.iter()
        .filter(|pod| is_alive(pod))
        .filter_map(proxy)
        .collect()
}

fn proxy(pod: &Pod) -> Option<Proxy> {
    let container = proxy_container(pod)?;
    let role = container
        .args
        .iter()
        .flatten()
        .skip_while(|arg| *arg != "proxy")
        .nth(1);
    let kind = match role.map(String::as_str) {
        Some("router") => ProxyKind::Gateway,
        Some("waypoint") => ProxyKind::Waypoint,
        Some("ztunnel") => ProxyKind::Ztunnel,
        _ if label(&pod.metadata, "app") == Some("ztunnel") => ProxyKind::Ztunnel,
        _ => ProxyKind::Sidecar,
    };
    let annotation = pod
        .metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(REVISION));
    Some(Proxy {
        namespace: name(pod.metadata.namespace.as_ref()),
        pod: name(pod.metadata.name.as_ref()),
        kind,
        revision: annotation
            .map(String::as_str)
            .or_else(|| label(&pod.metadata, REVISION))
            .map(ToOwned::to_owned),
        version: image_version(container),
    })
}

/// The container that runs the proxy, be it a native sidecar or not.
pub fn proxy_container(pod: &Pod) -> Option<&Container> {
    let spec = pod.spec.as_ref()?;
    spec.init_containers
        .iter()
        .flatten()
        .chain(&spec.containers)
        .find(|container| container.name == PROXY_CONTAINER)
}

/// Whether the pod has not ended.
pub fn is_alive(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    !matches!(phase, Some("Succeeded" | "Failed"))
}

/// The version in the tag of an image: `docker.io/istio/pilot:1.29.1-distroless` is `1.29.1`.
fn image_version(container: &Container) -> Option<String> {
    let image = container.image.as_deref()?;
    let image = image.split('@').next().unwrap_or(image);
    let (_, tag) = image.rsplit('/').next()?.rsplit_once(':')?;
    let version = ["-distroless", "-debug"]
        .iter()
        .find_map(|variant| tag.strip_suffix(variant));
    Some(version.unwrap_or(tag).to_owned())
}

/// The minor number of a version of Istio, which has the form of one of Kubernetes.
pub fn minor(version: &str) -> Option<u32> {
    version.parse().ok().map(|KubernetesVersion { minor }| minor)
}

pub(crate) fn label<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

pub(crate) fn name(name: Option<&String>) -> String {
    name.cloned().unwrap_or_default()
}

/// The labels or annotations of an object that may have none.
pub(crate) fn or_none(map: Option<&Labels>) -> &Labels {
    static NONE: Labels = Labels::new();
    map.unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_come_from_the_tags_of_images() {
        for (image, expected) in [
            ("docker.io/istio/pilot:1.29.1", Some("1.29.1")),
            ("istio/proxyv2:1.30.0-distroless", Some("1.30.0")),
            ("localhost:5000/istio/pilot:1.28.3-debug", Some("1.28.3")),
            ("localhost:5000/istio/pilot", None),
            ("istio/pilot:1.29.1@sha256:0123", Some("1.29.1")),
            ("istio/pilot@sha256:0123", None),
        ] {
            let container = Container {
                image: Some(image.to_owned()),
                ..Container::default()
            };
            assert_eq!(image_version(&container).as_deref(), expected, "{image}");
        }
    }

    #[test]
    fn proxies_are_told_apart_by_their_arguments() {
        let pod = |args: &[&str], phase: &str| -> Pod {
            serde_json::from_value(json!({
                "metadata": {"name": "web-1", "namespace": "shop", "annotations": {"istio.io/rev": "canary"}},
                "spec": {"containers": [
                    {"name": "web", "image": "web:3"},
                    {"name": "istio-proxy", "image": "istio/proxyv2:1.29.1", "args": args},
                ]},
                "status": {"phase": phase},
            }))
            .expect("a pod")
        };
        let pods = [
            pod(&["proxy", "sidecar", "--domain", "x"], "Running"),
            pod(&["proxy", "router"], "Pending"),
            pod(&["proxy", "waypoint"], "Running"),
            pod(&["proxy", "ztunnel"], "Running"),
            pod(&["proxy", "sidecar"], "Succeeded"),
        ];
        let found = proxies(&pods);
        let kinds: Vec<_> = found.iter().map(|proxy| proxy.kind).collect();
        assert_eq!(
            kinds,
            [
                ProxyKind::Sidecar,
                ProxyKind::Gateway,
                ProxyKind::Waypoint,
                ProxyKind::Ztunnel
            ]
        );
        assert_eq!(found[0].revision.as_deref(), Some("canary"));
        assert_eq!(found[0].version.as_deref(), Some("1.29.1"));
    }

    #[test]
    fn control_planes_are_deployments_of_istiod() {
        let deployments: Vec<Deployment> = serde_json::from_value(json!([
            {
                "metadata": {"name": "istiod-canary", "namespace": "istio-system",
                    "labels": {"app": "istiod", "istio.io/rev": "canary"}},
                "spec": {"replicas": 2, "selector": {}, "template": {"spec": {"containers": [
                    {"name": "discovery", "image": "istio/pilot:1.30.0-distroless"}]}}},
                "status": {"readyReplicas": 1},
            },
            {"metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}}},
        ]))
        .expect("deployments");
        let expected = ControlPlane {
            namespace: "istio-system".to_owned(),
            name: "istiod-canary".to_owned(),
            revision: "canary".to_owned(),
            version: Some("1.30.0".to_owned()),
            ready: 1,
            replicas: 2,
        };
        assert_eq!(control_planes(&deployments), [expected]);
    }
}
