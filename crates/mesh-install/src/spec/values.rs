//! Settings of the parts of a control plane, with the names that Istio's charts give them.
//!
//! What nothing reads any more is known too, so that old files are understood and told what to leave out.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscalerBehavior;
use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, Container, EnvVar, Lifecycle, PodSecurityContext, ResourceRequirements, SELinuxOptions,
    SeccompProfile, Toleration, TopologySpreadConstraint, Volume, VolumeMount,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use mesh_core::schema::{Any, IntOrString, Kubernetes, PlainText, Unread};
use mesh_macros::Message;

use super::control_plane::{HUB, TAG};

/// Settings of the parts of a control plane.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Values {
    /// What all parts share.
    pub global: Global,
    /// istiod.
    pub pilot: Pilot,
    /// The agent that sets up the network of pods on each node.
    pub cni: Cni,
    /// The proxy of ambient mode on each node.
    pub ztunnel: Ztunnel,
    /// Gateways.
    pub gateways: Gateways,
    /// Injection of sidecars.
    pub sidecar_injector_webhook: SidecarInjectorWebhook,
    /// An istiod that runs in another cluster.
    pub istiod_remote: IstiodRemote,
    /// The resource definitions.
    pub base: Base,
    /// What is still being tried out.
    pub experimental: Experimental,
    /// Same as `meshConfig` of the spec, which wins, and where its fields are described.
    pub mesh_config: Unread<Any>,
    /// Same as `revision` of the spec, which wins.
    pub revision: String,
    /// The revision that validates resources without a revision. If it is another one than `default`, the revision without
    /// a name leaves that to the tag `default`.
    pub default_revision: String,
    /// Same as `compatibilityVersion` of the spec, which wins.
    pub compatibility_version: String,
    /// Same as `global.platform`.
    pub platform: String,
    /// The owner that objects name.
    #[field(deprecated = "leave it out; it has no effect")]
    pub owner_name: Unread<String>,
    /// Names that stand for the revision.
    #[field(deprecated = "leave it out; set tags after the installation")]
    pub revision_tags: Unread<Vec<String>>,
    /// Filters for telemetry.
    #[field(deprecated = "leave it out; use Telemetry resources")]
    pub telemetry: Unread<Any>,
}

/// What all parts of the control plane share.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Global {
    /// The registry and folder of the images. `hub` of the spec wins.
    pub hub: String,
    /// The tag of the images. `tag` of the spec wins.
    pub tag: String,
    /// The variant of the images: `distroless` or `debug`. `variant` of the spec wins.
    pub variant: String,
    /// When images are pulled: `Always`, `IfNotPresent` or `Never`. Unset is as Kubernetes has it.
    #[field(pattern = "^(Always|IfNotPresent|Never)?$")]
    pub image_pull_policy: String,
    /// Secrets for pulling images, in the namespace of each part and of each workload.
    pub image_pull_secrets: Vec<String>,
    /// The namespace of istiod.
    pub istio_namespace: String,
    /// How Istio is told of the platform: `openshift`, `gke`, `k3d`, `k3s`, `microk8s`, `minikube`, or empty.
    pub platform: String,
    /// Whether logs are JSON.
    pub log_as_json: bool,
    /// What is logged.
    pub logging: Logging,
    /// The priority class of istiod and gateways.
    pub priority_class_name: String,
    /// The name of the mesh. Unset is its trust domain.
    #[field(name = "meshID")]
    pub mesh_id: String,
    /// The networks of the mesh, for the ConfigMap `istio`.
    pub mesh_networks: Any,
    /// What this cluster is among others.
    pub multi_cluster: MultiCluster,
    /// The network that the pods of this cluster are in.
    pub network: String,
    /// The address of the certificate authority. Unset is istiod's.
    pub ca_address: String,
    /// The kind of the certificate authority, such as `GkeWorkloadCertificate`.
    pub ca_name: String,
    /// Who signs the certificate of istiod: `istiod`, `kubernetes`, `custom` or `none`.
    pub pilot_cert_provider: String,
    /// Signers that istiod may let sign.
    pub cert_signers: Vec<String>,
    /// How proxies prove who they are.
    pub sds: Sds,
    /// Exchange of tokens in the proxies.
    pub sts: Sts,
    /// Whether workload certificates are read from `/etc/certs`.
    pub mount_mtls_certs: bool,
    /// The ConfigMap that istiod writes the root certificate to. Unset is `istio-ca-root-cert`.
    pub trust_bundle_name: String,
    /// Whether traffic is redirected by nftables instead of iptables.
    pub native_nftables: bool,
    /// Whether istiod serves other clusters from outside of them.
    pub external_istiod: bool,
    /// Whether this cluster has the configuration of an istiod that runs elsewhere.
    pub config_cluster: bool,
    /// The address of an istiod that runs elsewhere.
    pub remote_pilot_address: String,
    /// Whether the ConfigMap of the injector is left out.
    pub omit_sidecar_injector_config_map: bool,
    /// Whether webhooks are left to an operator.
    pub operator_manage_webhooks: bool,
    /// Whether istiod validates resources before they are stored.
    pub config_validation: bool,
    /// PodDisruptionBudgets of istiod and gateways.
    pub default_pod_disruption_budget: Switch,
    /// Labels of the nodes of parts that name none.
    pub default_node_selector: BTreeMap<String, String>,
    /// Taints that parts tolerate that name none.
    pub default_tolerations: Vec<Kubernetes<Toleration>>,
    /// What parts request that name nothing.
    pub default_resources: Option<Kubernetes<ResourceRequirements>>,
    /// The families of addresses of Services: `IPv4`, `IPv6`.
    pub ip_families: Vec<String>,
    /// Which families Services have: `SingleStack`, `PreferDualStack` or `RequireDualStack`.
    pub ip_family_policy: String,
    /// istiod's analysis.
    pub istiod: Istiod,
    /// Sidecars.
    pub proxy: Proxy,
    /// The container that redirects the traffic of pods with sidecars.
    #[field(name = "proxy_init")]
    pub proxy_init: ProxyInit,
    /// Waypoints that istiod deploys.
    pub waypoint: Waypoint,
    /// NetworkPolicies for the parts.
    pub network_policy: Switch,
    /// Whether the account with which other clusters read this one is made.
    #[field(name = "enableReaderRBAC")]
    pub enable_reader_rbac: bool,
    /// Search domains of injected pods.
    #[field(
        name = "podDNSSearchNamespaces",
        deprecated = "leave it out; it has no effect"
    )]
    pub pod_dns_search_namespaces: Unread<Vec<String>>,
    /// Weights of processor architectures.
    #[field(deprecated = "use `affinity` of a component's `k8s`")]
    pub arch: Unread<Any>,
    /// How tokens are checked.
    #[field(deprecated = "leave it out; it has no effect")]
    pub jwt_policy: Unread<String>,
    /// Settings of tracers.
    #[field(deprecated = "use `extensionProviders` of the mesh config")]
    pub tracer: Unread<Any>,
    /// Images of another data plane.
    #[field(deprecated = "leave it out; it has no effect")]
    pub agentgateway: Unread<Any>,
    /// Which objects are rendered: those of the cluster, those of namespaces, or all.
    #[field(deprecated = "leave it out; all objects are rendered")]
    pub resource_scope: Unread<String>,
}

/// Whether something is on.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Switch {
    /// Whether it is on.
    pub enabled: bool,
}

/// What is logged.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Logging {
    /// Levels by scope, as in `default:info,ads:debug`.
    pub level: String,
}

/// What this cluster is among others.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MultiCluster {
    /// Whether there are others.
    pub enabled: bool,
    /// The name of this cluster. Unset is `Kubernetes`.
    pub cluster_name: String,
    /// The domain of services in other clusters.
    #[field(deprecated = "leave it out; it has no effect")]
    pub global_domain_suffix: Unread<String>,
    /// A filter for that domain.
    #[field(deprecated = "leave it out; it has no effect")]
    pub include_envoy_filter: Unread<bool>,
}

/// How proxies prove who they are.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Sds {
    /// The tokens of proxies.
    pub token: SdsToken,
}

/// The tokens of proxies.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SdsToken {
    /// Whom they are for.
    pub aud: String,
}

/// Exchange of tokens in the proxies.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Sts {
    /// Its port. 0 turns it off.
    #[field(minimum = 0, maximum = 65535)]
    pub service_port: u32,
}

/// istiod's analysis.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Istiod {
    /// Whether istiod writes findings to the status of resources.
    pub enable_analysis: bool,
}

/// Sidecars. Those that are read at injection are kept in the ConfigMap of the injector.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Proxy {
    /// The name of the image, or all of it if it has a `/`.
    pub image: String,
    /// Whether pods are injected that do not say whether they want to be: `enabled` or `disabled`.
    #[field(pattern = "^(enabled|disabled)?$")]
    pub auto_inject: String,
    /// The DNS domain of the cluster.
    pub cluster_domain: String,
    /// Log level of Envoy.
    pub log_level: String,
    /// Log levels of parts of Envoy.
    pub component_log_level: String,
    /// File of Envoy's outlier events; empty for none.
    pub outlier_log_path: String,
    /// Inbound ports to capture.
    pub include_inbound_ports: String,
    /// Inbound ports to leave alone.
    pub exclude_inbound_ports: String,
    /// Destinations to capture.
    #[field(name = "includeIPRanges")]
    pub include_ip_ranges: String,
    /// Destinations to leave alone.
    #[field(name = "excludeIPRanges")]
    pub exclude_ip_ranges: String,
    /// Outbound ports to capture.
    pub include_outbound_ports: String,
    /// Outbound ports to leave alone.
    pub exclude_outbound_ports: String,
    /// Whether the application waits for the proxy.
    pub hold_application_until_proxy_starts: bool,
    /// Hooks of the container.
    pub lifecycle: Option<Kubernetes<Lifecycle>>,
    /// Whether the container is privileged.
    pub privileged: bool,
    /// Delay of the readiness probe, in seconds.
    pub readiness_initial_delay_seconds: u32,
    /// Period of the readiness probe, in seconds.
    pub readiness_period_seconds: u32,
    /// Failures of the readiness probe until a pod is not ready.
    pub readiness_failure_threshold: u32,
    /// The startup probe.
    pub startup_probe: StartupProbe,
    /// Port of the agent's health and metrics. 0 turns probes off.
    #[field(minimum = 0, maximum = 65535)]
    pub status_port: u32,
    /// What the container requests, and its limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// The seccomp profile.
    pub seccomp_profile: Option<Kubernetes<SeccompProfile>>,
    /// The old way to choose a tracer.
    pub tracer: String,
    /// Core dumps.
    #[field(deprecated = "leave it out; it has no effect")]
    pub enable_core_dump: Unread<bool>,
}

/// The startup probe of sidecars.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StartupProbe {
    /// Whether there is one.
    pub enabled: bool,
    /// How many seconds a proxy may take.
    pub failure_threshold: u32,
}

/// The container that redirects the traffic of pods with sidecars.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyInit {
    /// The name of the image, or all of it if it has a `/`.
    pub image: String,
    /// Whether rules are written whatever is there.
    pub force_apply_iptables: bool,
    /// What it requests.
    #[field(deprecated = "leave it out; it requests what the proxy requests")]
    pub resources: Unread<Any>,
}

/// Waypoints that istiod deploys.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Waypoint {
    /// What they request, and their limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// Which nodes and neighbours they take or avoid.
    pub affinity: Option<Kubernetes<Affinity>>,
    /// How they are spread.
    pub topology_spread_constraints: Vec<Kubernetes<TopologySpreadConstraint>>,
    /// Labels of their nodes.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that they tolerate.
    pub toleration: Vec<Kubernetes<Toleration>>,
}

/// istiod.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Pilot {
    /// Same as `components.pilot.enabled`, which wins.
    pub enabled: Option<bool>,
    /// The registry of its image, if it is another one.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of its image, if it is another one.
    #[field(pattern = TAG)]
    pub tag: String,
    /// The variant of its image, if it is another one.
    pub variant: String,
    /// The name of its image, or all of it if it has a `/`.
    pub image: String,
    /// Whether a HorizontalPodAutoscaler scales it.
    pub autoscale_enabled: bool,
    /// Least number of pods.
    pub autoscale_min: i32,
    /// Greatest number of pods.
    pub autoscale_max: i32,
    /// How fast it is scaled.
    pub autoscale_behavior: Option<Kubernetes<HorizontalPodAutoscalerBehavior>>,
    /// How many pods, if nothing scales it.
    pub replica_count: i32,
    /// How many pods may be added while they are replaced.
    pub rolling_max_surge: IntOrString,
    /// How many pods may be missing while they are replaced.
    pub rolling_max_unavailable: IntOrString,
    /// CPU use to scale for.
    pub cpu: TargetUtilization,
    /// Memory use to scale for.
    pub memory: TargetUtilization,
    /// Percentage of requests that are traced.
    pub trace_sampling: f64,
    /// What it requests, and its limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// The seccomp profile.
    pub seccomp_profile: Option<Kubernetes<SeccompProfile>>,
    /// How the CNI agent is used.
    pub cni: PilotCni,
    /// Removal of the taint of nodes whose CNI agent is not ready.
    pub taint: Taint,
    /// More arguments.
    pub extra_container_args: Vec<String>,
    /// Environment variables, which switch features of istiod.
    pub env: BTreeMap<String, PlainText>,
    /// More environment variables, with their sources.
    pub env_var_from: Vec<Kubernetes<EnvVar>>,
    /// Which nodes and neighbours it takes or avoids.
    pub affinity: Option<Kubernetes<Affinity>>,
    /// Labels of its nodes.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that it tolerates.
    pub tolerations: Vec<Kubernetes<Toleration>>,
    /// How its pods are spread.
    pub topology_spread_constraints: Vec<Kubernetes<TopologySpreadConstraint>>,
    /// Seconds that it has to end.
    pub termination_grace_period_seconds: Option<i64>,
    /// More containers that run before it.
    pub init_containers: Vec<Kubernetes<Container>>,
    /// More volumes.
    pub volumes: Vec<Kubernetes<Volume>>,
    /// More mounts.
    pub volume_mounts: Vec<Kubernetes<VolumeMount>>,
    /// Labels of its Deployment.
    pub deployment_labels: BTreeMap<String, String>,
    /// Labels of its pods.
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of its pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Annotations of its Service.
    pub service_annotations: BTreeMap<String, String>,
    /// Annotations of its ServiceAccount.
    pub service_account_annotations: BTreeMap<String, String>,
    /// Annotations of the injector's webhook.
    pub sidecar_injector_webhook_annotations: BTreeMap<String, String>,
    /// A root certificate in PEM that it trusts when it fetches keys for JWTs.
    #[field(name = "jwksResolverExtraRootCA")]
    pub jwks_resolver_extra_root_ca: String,
    /// Time after which it closes a connection to a proxy, so that load is spread.
    pub keepalive_max_server_connection_age: String,
    /// Whether the ConfigMap `istio` is made.
    pub config_map: bool,
    /// The families of addresses of its Service.
    pub ip_families: Vec<String>,
    /// Which families its Service has.
    pub ip_family_policy: String,
    /// The namespace of ztunnel, if it is not istiod's.
    pub trusted_ztunnel_namespace: String,
    /// The name of ztunnel's account, if it is not `ztunnel`.
    pub trusted_ztunnel_name: String,
    /// The ConfigMap with revoked certificates. Unset is `istio-ca-crl`.
    pub crl_config_map_name: String,
}

/// Use to scale for.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TargetUtilization {
    /// Percentage of the request. 0 is none.
    pub target_average_utilization: i32,
}

/// How istiod uses the CNI agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PilotCni {
    /// Whether pods are injected for it. `components.cni.enabled` turns it on too.
    pub enabled: bool,
    /// How the agent is run: `default` or `multus`.
    #[field(pattern = "^(default|multus)?$")]
    pub provider: String,
}

/// Removal of the taint of nodes whose CNI agent is not ready.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Taint {
    /// Whether istiod removes it.
    pub enabled: bool,
    /// The namespace of the agent, if it is not istiod's.
    pub namespace: String,
}

/// The agent that sets up the network of pods on each node.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Cni {
    /// Same as `components.cni.enabled`, which wins.
    pub enabled: Option<bool>,
    /// The registry of its image, if it is another one.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of its image, if it is another one.
    #[field(pattern = TAG)]
    pub tag: String,
    /// The variant of its image, if it is another one.
    pub variant: String,
    /// The name of its image, or all of it if it has a `/`.
    pub image: String,
    /// When its image is pulled.
    #[field(pattern = "^(Always|IfNotPresent|Never)?$")]
    pub pull_policy: String,
    /// What is logged.
    pub logging: Logging,
    /// Folder of the nodes for the plugin. Unset is `/opt/cni/bin`.
    pub cni_bin_dir: String,
    /// Folder of the nodes for its configuration.
    pub cni_conf_dir: String,
    /// The configuration to add the plugin to. Unset is the first one.
    pub cni_conf_file_name: String,
    /// Folder of the nodes with the network namespaces.
    pub cni_netns_dir: String,
    /// Whether the plugin is added to those that are there.
    pub chained: bool,
    /// Whether Istio has a configuration of its own.
    #[field(name = "istioOwnedCNIConfig")]
    pub istio_owned_cni_config: bool,
    /// The name of that configuration.
    #[field(name = "istioOwnedCNIConfigFileName")]
    pub istio_owned_cni_config_file_name: String,
    /// How the agent is run: `default` or `multus`.
    #[field(pattern = "^(default|multus)?$")]
    pub provider: String,
    /// How Istio is told of the platform. Unset is `global.platform`.
    pub platform: String,
    /// Namespaces that are left alone.
    pub exclude_namespaces: Vec<String>,
    /// Ambient mode.
    pub ambient: CniAmbient,
    /// Pods that started before the agent did.
    pub repair: Repair,
    /// What it requests, and its limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// A ResourceQuota for pods of system priority, which some platforms ask for.
    pub resource_quotas: Quotas,
    /// How many agents may be missing while they are replaced.
    pub rolling_max_unavailable: IntOrString,
    /// Environment variables.
    pub env: BTreeMap<String, PlainText>,
    /// Labels of its DaemonSet.
    pub daemon_set_labels: BTreeMap<String, String>,
    /// Labels of its pods.
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of its pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Which nodes it takes or avoids.
    pub affinity: Option<Kubernetes<Affinity>>,
    /// Taints that it tolerates.
    pub tolerations: Vec<Kubernetes<Toleration>>,
    /// The seccomp profile.
    pub seccomp_profile: Option<Kubernetes<SeccompProfile>>,
    /// SELinux options.
    pub se_linux_options: Option<Kubernetes<SELinuxOptions>>,
    /// A role for PodSecurityPolicies.
    #[field(name = "psp_cluster_role", deprecated = "leave it out; it has no effect")]
    pub psp_cluster_role: Unread<String>,
    /// What the plugin logs.
    #[field(deprecated = "use `logging.level`")]
    pub log_level: Unread<String>,
    /// Whether the agent is privileged.
    #[field(deprecated = "leave it out; it has no effect")]
    pub privileged: Unread<bool>,
}

/// Ambient mode in the CNI agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CniAmbient {
    /// Whether it is on.
    pub enabled: bool,
    /// Whether DNS queries are captured.
    pub dns_capture: bool,
    /// Whether IPv6 is captured.
    pub ipv6: bool,
    /// Whether rules of running pods are written again when the agent starts.
    pub reconcile_iptables_on_startup: bool,
    /// Whether the agent is in the network of the node.
    pub share_host_network_namespace: bool,
    /// A folder for configuration.
    #[field(deprecated = "leave it out; it has no effect")]
    pub config_dir: Unread<String>,
}

/// Pods that started before the agent did.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Repair {
    /// Whether they are looked for.
    pub enabled: bool,
    /// Whether they are labelled.
    pub label_pods: bool,
    /// Whether they are deleted.
    pub delete_pods: bool,
    /// Whether their network is set up.
    pub repair_pods: bool,
    /// The label of broken pods.
    pub broken_pod_label_key: String,
    /// The value of that label.
    pub broken_pod_label_value: String,
    /// The container that fails in them.
    pub init_container_name: String,
    /// The registry of the image.
    #[field(deprecated = "leave it out; the agent does it")]
    pub hub: Unread<String>,
    /// The tag of the image.
    #[field(deprecated = "leave it out; the agent does it")]
    pub tag: Unread<String>,
}

/// A ResourceQuota for pods of system priority.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Quotas {
    /// Whether it is made.
    pub enabled: bool,
    /// How many pods.
    pub pods: i64,
}

/// The proxy of ambient mode on each node.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Ztunnel {
    /// Same as `components.ztunnel.enabled`, which wins.
    pub enabled: Option<bool>,
    /// The registry of its image, if it is another one.
    #[field(pattern = HUB)]
    pub hub: String,
    /// The tag of its image, if it is another one.
    #[field(pattern = TAG)]
    pub tag: String,
    /// The variant of its image, if it is another one.
    pub variant: String,
    /// The name of its image, or all of it if it has a `/`.
    pub image: String,
    /// When its image is pulled. Unset is `global.imagePullPolicy`.
    #[field(pattern = "^(Always|IfNotPresent|Never)?$")]
    pub image_pull_policy: String,
    /// The name of its objects.
    pub resource_name: String,
    /// What it requests, and its limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// A ResourceQuota for pods of system priority, which some platforms ask for.
    pub resource_quotas: Quotas,
    /// Environment variables.
    pub env: BTreeMap<String, PlainText>,
    /// Labels of its objects.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its objects.
    pub annotations: BTreeMap<String, String>,
    /// Labels of its pods.
    pub pod_labels: BTreeMap<String, String>,
    /// Annotations of its pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// More volumes.
    pub volumes: Vec<Kubernetes<Volume>>,
    /// More mounts.
    pub volume_mounts: Vec<Kubernetes<VolumeMount>>,
    /// Which nodes it takes or avoids.
    pub affinity: Option<Kubernetes<Affinity>>,
    /// Labels of its nodes.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that it tolerates.
    pub tolerations: Vec<Kubernetes<Toleration>>,
    /// SELinux options.
    pub se_linux_options: Option<Kubernetes<SELinuxOptions>>,
    /// What is logged, as `RUST_LOG` has it.
    pub log_level: String,
    /// Seconds that it has to let connections end.
    pub termination_grace_period_seconds: i64,
    /// The address of the certificate authority. Unset is `global.caAddress`, or istiod's.
    pub ca_address: String,
    /// The address of istiod's configuration. Unset is istiod's.
    pub xds_address: String,
    /// The network of the node's pods. Unset is `global.network`.
    pub network: String,
}

/// Gateways.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Gateways {
    /// The ingress gateways.
    #[field(name = "istio-ingressgateway")]
    pub ingress: Gateway,
    /// The egress gateways.
    #[field(name = "istio-egressgateway")]
    pub egress: Gateway,
    /// The security context of injected gateways.
    pub security_context: Option<Kubernetes<PodSecurityContext>>,
    /// The seccomp profile of injected gateways.
    pub seccomp_profile: Option<Kubernetes<SeccompProfile>>,
}

/// Gateways of one direction.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Gateway {
    /// Whether they are installed.
    #[field(deprecated = "use `enabled` of `components.ingressGateways` or `components.egressGateways`")]
    pub enabled: Unread<bool>,
    /// The name.
    #[field(deprecated = "use `name` of `components.ingressGateways` or `components.egressGateways`")]
    pub name: Unread<String>,
    /// Labels of the pods.
    pub labels: BTreeMap<String, String>,
    /// Whether a HorizontalPodAutoscaler scales them.
    pub autoscale_enabled: bool,
    /// Least number of pods.
    pub autoscale_min: i32,
    /// Greatest number of pods.
    pub autoscale_max: i32,
    /// How many pods, if nothing scales them.
    pub replica_count: i32,
    /// How many pods may be added while they are replaced.
    pub rolling_max_surge: IntOrString,
    /// How many pods may be missing while they are replaced.
    pub rolling_max_unavailable: IntOrString,
    /// CPU use to scale for.
    pub cpu: TargetUtilization,
    /// Memory use to scale for.
    pub memory: TargetUtilization,
    /// What they request, and their limits.
    pub resources: Option<Kubernetes<ResourceRequirements>>,
    /// Environment variables.
    pub env: BTreeMap<String, PlainText>,
    /// The ports of the Service. A port of a container is its `targetPort`.
    pub ports: Vec<GatewayPort>,
    /// The kind of the Service: `LoadBalancer`, `NodePort` or `ClusterIP`.
    #[field(name = "type", pattern = "^(LoadBalancer|NodePort|ClusterIP|ExternalName)?$")]
    pub service_type: String,
    /// The address to ask the load balancer for.
    #[field(name = "loadBalancerIP")]
    pub load_balancer_ip: String,
    /// Who may reach the load balancer, as CIDR blocks.
    pub load_balancer_source_ranges: Vec<String>,
    /// `Local` keeps the address of the client, and takes no detour over another node.
    pub external_traffic_policy: String,
    /// Annotations of the Service.
    pub service_annotations: BTreeMap<String, String>,
    /// The families of addresses of the Service.
    pub ip_families: Vec<String>,
    /// Which families the Service has.
    pub ip_family_policy: String,
    /// Annotations of the ServiceAccount.
    pub service_account: GatewayAccount,
    /// Whether the user makes the Service.
    pub custom_service: bool,
    /// Annotations of the pods.
    pub pod_annotations: BTreeMap<String, String>,
    /// Labels of the nodes.
    pub node_selector: BTreeMap<String, String>,
    /// Taints that they tolerate.
    pub tolerations: Vec<Kubernetes<Toleration>>,
    /// Secrets that are mounted.
    pub secret_volumes: Vec<SecretVolume>,
    /// ConfigMaps that are mounted.
    pub config_volumes: Vec<ConfigVolume>,
    /// More containers of the pods.
    pub additional_containers: Vec<Kubernetes<Container>>,
    /// Whether they run as root, which ports below 1024 need on old nodes.
    pub run_as_root: bool,
    /// The template that istiod injects into the pods. Unset renders the proxy instead.
    pub injection_template: String,
    /// Neighbours to avoid.
    #[field(deprecated = "use `affinity` of the gateway's `k8s`")]
    pub pod_anti_affinity_label_selector: Unread<Vec<Any>>,
    /// Neighbours to avoid if possible.
    #[field(deprecated = "use `affinity` of the gateway's `k8s`")]
    pub pod_anti_affinity_term_label_selector: Unread<Vec<Any>>,
    /// More ports.
    #[field(deprecated = "use `ports`")]
    pub ingress_ports: Unread<Vec<Any>>,
}

/// The account of gateways.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GatewayAccount {
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A port of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GatewayPort {
    /// Its name.
    pub name: String,
    /// The port of the Service.
    #[field(required, minimum = 1, maximum = 65535)]
    pub port: i32,
    /// The port of the container. Unset is the port of the Service.
    #[field(minimum = 0, maximum = 65535)]
    pub target_port: i32,
    /// The port of the nodes.
    #[field(minimum = 0, maximum = 65535)]
    pub node_port: i32,
    /// `TCP`, `UDP` or `SCTP`. Unset is `TCP`.
    #[field(pattern = "^(TCP|UDP|SCTP)?$")]
    pub protocol: String,
}

/// A Secret that is mounted.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SecretVolume {
    /// The name of the volume.
    #[field(required)]
    pub name: String,
    /// The Secret. It need not exist.
    #[field(required)]
    pub secret_name: String,
    /// Where it is mounted.
    #[field(required)]
    pub mount_path: String,
}

/// A ConfigMap that is mounted.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigVolume {
    /// The name of the volume.
    #[field(required)]
    pub name: String,
    /// The ConfigMap. It need not exist.
    #[field(required)]
    pub config_map_name: String,
    /// Where it is mounted. Unset mounts it nowhere.
    pub mount_path: String,
}

/// Injection of sidecars.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SidecarInjectorWebhook {
    /// Pods that are injected although the policy is not to.
    pub always_inject_selector: Vec<Kubernetes<LabelSelector>>,
    /// Pods that are not injected although the policy is to.
    pub never_inject_selector: Vec<Kubernetes<LabelSelector>>,
    /// Annotations that every injected pod gets.
    pub injected_annotations: BTreeMap<String, String>,
    /// Whether namespaces without labels are injected.
    pub enable_namespaces_by_default: bool,
    /// Whether pods are injected again when others changed them: `Never` or `IfNeeded`.
    #[field(pattern = "^(Never|IfNeeded)?$")]
    pub reinvocation_policy: String,
    /// Whether HTTP probes go through the agent.
    #[field(name = "rewriteAppHTTPProbe")]
    pub rewrite_app_http_probe: bool,
    /// Templates by name, beside those that Istio has.
    pub templates: BTreeMap<String, String>,
    /// Templates of pods that name none. Unset is `sidecar`.
    pub default_templates: Vec<String>,
}

/// An istiod that runs in another cluster.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct IstiodRemote {
    /// Whether there is one; istiod is not installed in this cluster then.
    pub enabled: bool,
    /// The address of its injector. Unset is the Service `istiod`.
    #[field(name = "injectionURL")]
    pub injection_url: String,
    /// The path of its injector.
    pub injection_path: String,
    /// The certificate authority of its injector, as base64 text.
    #[field(name = "injectionCABundle")]
    pub injection_ca_bundle: String,
    /// Whether an istiod of this cluster injects.
    #[field(deprecated = "leave it out; it has no effect")]
    pub enabled_local_injector_istiod: Unread<bool>,
}

/// The resource definitions.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Base {
    /// Whether they are installed.
    #[field(name = "enableIstioConfigCRDs")]
    pub enable_istio_config_crds: bool,
    /// Those that are left out, by their full names.
    #[field(name = "excludedCRDs")]
    pub excluded_crds: Vec<String>,
    /// The address of the webhook that validates resources. Unset is the Service `istiod`.
    #[field(name = "validationURL")]
    pub validation_url: String,
    /// The certificate authority of that webhook, as base64 text.
    #[field(name = "validationCABundle")]
    pub validation_ca_bundle: String,
}

/// What is still being tried out.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Experimental {
    /// Whether fields are refused that are not stable.
    pub stable_validation_policy: bool,
}
