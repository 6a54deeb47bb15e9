//! What a control plane is made of, as users write it.

use std::collections::BTreeMap;

use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::k8s_openapi::api::apps::v1::DeploymentStrategy;
use mesh_core::k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerSpec;
use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, EnvVar, PodSecurityContext, Probe, ResourceRequirements, ServiceSpec, Toleration, Volume,
    VolumeMount,
};
use mesh_core::k8s_openapi::api::policy::v1::PodDisruptionBudgetSpec;
use mesh_core::schema::{AnyValue, Kubernetes, Unread};
use mesh_macros::Message;

use super::values::Values;

/// Nothing, or a name as namespaces have it (RFC 1123, a label).
const LABEL: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$";

/// Nothing, or what stands before the name of an image: the host of a registry, and folders (OCI Distribution
/// Specification, "Pulling manifests").
pub(super) const HUB: &str = r"^((\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]+)(:[0-9]+)?(/[a-z0-9._-]+)*)?$";

/// Nothing, or the tag of an image, maybe with its digest (OCI Distribution Specification, "Pulling manifests").
pub(super) const TAG: &str = "^([a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?)?$";

/// The control plane of a mesh: which parts it has, where they run, and how they are set.
///
/// It is the `spec` of a `MeshControlPlane`, and has the names of an `IstioOperator`, so that one of those can be given
/// instead. What is not set is as the profile has it.
///
/// ```yaml
/// profile: default
/// meshConfig:
///   accessLogFile: /dev/stdout
/// components:
///   pilot:
///     k8s:
///       replicaCount: 2
/// values:
///   global:
///     proxy:
///       resources: { requests: { cpu: 50m } }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ControlPlane {
    /// The profile that this builds on. Unset is `default`. `meshctl profile list` names them all.
    pub profile: String,
    /// The registry and folder of the images. Unset is `docker.io/istio`.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of the images, and so the version that is installed. Unset is the newest release that meshctl knows.
    #[field(pattern = TAG)]
    pub tag: String,
    /// The variant of the images: `distroless` or `debug`. Unset takes the images without a variant.
    #[field(pattern = "^(distroless|debug)?$")]
    pub variant: String,
    /// The namespace of the control plane. Unset is `istio-system`.
    #[field(max_length = 63, pattern = LABEL)]
    pub namespace: String,
    /// The revision, which lets several control planes live side by side. Unset is the one without a name.
    #[field(max_length = 56, pattern = LABEL)]
    pub revision: String,
    /// Keeps the behaviour of an earlier release, such as `1.29`, where a later one changed it.
    pub compatibility_version: String,
    /// The parts of the control plane.
    pub components: Components,
    /// Settings of the whole mesh, which become the ConfigMap `istio`.
    pub mesh_config: Unread<MeshConfig>,
    /// Settings of the parts, with the names of Istio's charts.
    pub values: Values,
}

/// The parts of a control plane.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Components {
    /// The resource definitions, and the account with which other clusters read this one.
    pub base: BaseComponent,
    /// istiod.
    pub pilot: Component,
    /// The agent that sets up the network of pods on each node.
    pub cni: Component,
    /// The proxy of ambient mode on each node.
    pub ztunnel: Component,
    /// Gateways for traffic into the mesh. A list in a file takes the place of the profile's; a gateway that both have
    /// keeps what the file does not set.
    pub ingress_gateways: Vec<GatewayComponent>,
    /// Gateways for traffic out of the mesh, listed likewise.
    pub egress_gateways: Vec<GatewayComponent>,
}

/// A part that has settings under `values` only.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct BaseComponent {
    /// Whether it is installed.
    pub enabled: bool,
}

/// A part of the control plane that runs.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Component {
    /// Whether it is installed.
    pub enabled: bool,
    /// Its namespace. Unset is that of the control plane.
    #[field(max_length = 63, pattern = LABEL)]
    pub namespace: String,
    /// The registry of its image, if it is another one.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of its image, if it is another one.
    #[field(pattern = TAG)]
    pub tag: String,
    /// How Kubernetes runs it.
    pub k8s: KubernetesSettings,
}

/// A gateway that is installed with the control plane.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GatewayComponent {
    /// The name of its Deployment and Service.
    #[field(
        required,
        min_length = 1,
        max_length = 47,
        pattern = "^[a-z]([-a-z0-9]*[a-z0-9])?$"
    )]
    pub name: String,
    /// Whether it is installed.
    pub enabled: bool,
    /// Its namespace. Unset is that of the control plane.
    #[field(max_length = 63, pattern = LABEL)]
    pub namespace: String,
    /// Labels of its pods, by which `Gateway` resources select it. They are added to `app` and `istio`.
    pub label: BTreeMap<String, String>,
    /// The registry of its image, if it is another one.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of its image, if it is another one.
    #[field(pattern = TAG)]
    pub tag: String,
    /// How Kubernetes runs it.
    pub k8s: KubernetesSettings,
}

/// How Kubernetes runs a part of the control plane. These are merged into the rendered objects as a strategic merge
/// patch, so that what is not set stays.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct KubernetesSettings {
    /// Which nodes and neighbours its pods take or avoid.
    pub affinity: Option<Kubernetes<Affinity>>,
    /// Environment variables, by name.
    pub env: Vec<Kubernetes<EnvVar>>,
    /// Settings of the HorizontalPodAutoscaler; what it scales is filled in.
    pub hpa_spec: Option<Kubernetes<HorizontalPodAutoscalerSpec>>,
    /// When its image is pulled: `Always`, `IfNotPresent` or `Never`.
    #[field(pattern = "^(Always|IfNotPresent|Never)?$")]
    pub image_pull_policy: String,
    /// Labels of the nodes that its pods run on.
    pub node_selector: BTreeMap<String, String>,
    /// Settings of the PodDisruptionBudget; which pods it is for is filled in.
    pub pod_disruption_budget: Option<Kubernetes<PodDisruptionBudgetSpec>>,
    /// Annotations of its pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// The priority class of its pods.
    pub priority_class_name: String,
    /// When its pods count as ready.
    pub readiness_probe: Option<Kubernetes<Probe>>,
    /// How many pods, if nothing scales them.
    #[field(minimum = 0)]
    pub replica_count: Option<i32>,
    /// What its container requests, and its limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// The security context of its pods.
    pub security_context: Option<Kubernetes<PodSecurityContext>>,
    /// Settings of its Service; ports are merged by their number.
    pub service: Option<Kubernetes<ServiceSpec>>,
    /// Annotations of its Service.
    pub service_annotations: BTreeMap<String, String>,
    /// How its pods are replaced by new ones.
    pub strategy: Option<Kubernetes<DeploymentStrategy>>,
    /// Taints that its pods tolerate; they take the place of those that it has.
    pub tolerations: Vec<Kubernetes<Toleration>>,
    /// Volumes, by name.
    pub volumes: Vec<Kubernetes<Volume>>,
    /// Mounts of its container, by path.
    pub volume_mounts: Vec<Kubernetes<VolumeMount>>,
    /// Changes of single fields of rendered objects, made last.
    pub overlays: Vec<Overlay>,
}

/// Changes of single fields of a rendered object.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Overlay {
    /// Its `apiVersion`. Unset is any.
    pub api_version: String,
    /// Its kind.
    #[field(required)]
    pub kind: String,
    /// Its name.
    #[field(required)]
    pub name: String,
    /// What to change, in order.
    pub patches: Vec<Patch>,
}

/// A change of a field of an object.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Patch {
    /// The field, as in `spec.template.spec.containers.[name:discovery].args.[0]`. `[1]` is an item by its place, `[-1]`
    /// a new one at the end, `[name:x]` one by a field, and `\.` a dot in a name.
    #[field(required, min_length = 1)]
    pub path: String,
    /// The new value. A mapping is merged into one that is there. Without a value, the field is removed.
    pub value: Option<AnyValue>,
}
