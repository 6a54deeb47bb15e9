//! What is known of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use mesh_core::k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use mesh_core::k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use mesh_core::k8s_openapi::api::coordination::v1::Lease;
use mesh_core::k8s_openapi::api::core::v1::{
    ConfigMap, LimitRange, Namespace, Node, Pod, ResourceQuota, Service,
};
use mesh_core::k8s_openapi::api::discovery::v1::EndpointSlice;
use mesh_core::k8s_openapi::api::networking::v1::NetworkPolicy;
use mesh_core::k8s_openapi::api::scheduling::v1::PriorityClass;
use mesh_core::k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use mesh_core::k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;

use super::access::Access;

/// Why something is not known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unread {
    /// What went wrong, in a phrase.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Something that may not be known.
pub type Read<T> = Result<T, Unread>;

/// A secret of the control plane's certificate authority, without its key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CaSecret {
    /// The name.
    pub name: String,
    /// The keys of its data.
    pub keys: BTreeSet<String>,
    /// The PEM texts by their keys; never that of a private key.
    pub certificates: BTreeMap<String, String>,
}

/// What is known of a cluster at one time.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The time here when the facts were gathered.
    pub now: Timestamp,
    /// The address of the API server.
    pub server: String,
    /// The time there, to the second, if the server tells.
    pub server_time: Read<Option<Timestamp>>,
    /// The version of the API server, as in `v1.36.3`.
    pub version: Read<String>,
    /// Who asks: the name of the user.
    pub user: Read<String>,
    /// What is served, such as `apps/v1`; the core group's is `v1`.
    pub api_versions: Read<BTreeSet<String>>,
    /// What the user may do.
    pub access: Vec<Access>,
    /// APIs of other servers.
    pub api_services: Read<Vec<APIService>>,
    /// All nodes.
    pub nodes: Read<Vec<Node>>,
    /// The pods of all namespaces.
    pub pods: Read<Vec<Pod>>,
    /// All namespaces.
    pub namespaces: Read<Vec<Namespace>>,
    /// The quotas of the control plane's namespace.
    pub quotas: Read<Vec<ResourceQuota>>,
    /// The limit ranges of the control plane's namespace.
    pub limit_ranges: Read<Vec<LimitRange>>,
    /// All priority classes.
    pub priority_classes: Read<Vec<PriorityClass>>,
    /// The services of all namespaces.
    pub services: Read<Vec<Service>>,
    /// The endpoint slices of all namespaces.
    pub endpoint_slices: Read<Vec<EndpointSlice>>,
    /// The Deployments of all namespaces.
    pub deployments: Read<Vec<Deployment>>,
    /// The DaemonSets of all namespaces.
    pub daemon_sets: Read<Vec<DaemonSet>>,
    /// The network policies of the control plane's namespace.
    pub network_policies: Read<Vec<NetworkPolicy>>,
    /// All mutating webhooks.
    pub mutating_webhooks: Read<Vec<MutatingWebhookConfiguration>>,
    /// All validating webhooks.
    pub validating_webhooks: Read<Vec<ValidatingWebhookConfiguration>>,
    /// All CustomResourceDefinitions; their schemas are left out.
    pub crds: Read<Vec<CustomResourceDefinition>>,
    /// The leases of the control plane's namespace.
    pub leases: Read<Vec<Lease>>,
    /// The leases by which nodes show that they live.
    pub node_leases: Read<Vec<Lease>>,
    /// The ConfigMaps `istio-ca-root-cert`, from which proxies take the roots that they trust.
    pub root_certificates: Read<Vec<ConfigMap>>,
    /// The secrets `cacerts` and `istio-ca-secret` of the control plane's namespace, as far as they exist.
    pub ca_secrets: Read<Vec<CaSecret>>,
    /// The settings of Cilium, if the ConfigMap is there.
    pub cilium: Read<Option<ConfigMap>>,
    /// Fields and values in Istio's resources that have a successor, a line each.
    pub deprecations: Read<Vec<String>>,
}

impl Facts {
    /// Of a cluster with nothing in it.
    pub fn empty(now: Timestamp) -> Self {
        Self {
            now,
            server: String::new(),
            server_time: Ok(None),
            version: Ok(String::new()),
            user: Ok(String::new()),
            api_versions: Ok(BTreeSet::new()),
            access: Vec::new(),
            api_services: Ok(Vec::new()),
            nodes: Ok(Vec::new()),
            pods: Ok(Vec::new()),
            namespaces: Ok(Vec::new()),
            quotas: Ok(Vec::new()),
            limit_ranges: Ok(Vec::new()),
            priority_classes: Ok(Vec::new()),
            services: Ok(Vec::new()),
            endpoint_slices: Ok(Vec::new()),
            deployments: Ok(Vec::new()),
            daemon_sets: Ok(Vec::new()),
            network_policies: Ok(Vec::new()),
            mutating_webhooks: Ok(Vec::new()),
            validating_webhooks: Ok(Vec::new()),
            crds: Ok(Vec::new()),
            leases: Ok(Vec::new()),
            node_leases: Ok(Vec::new()),
            root_certificates: Ok(Vec::new()),
            ca_secrets: Ok(Vec::new()),
            cilium: Ok(None),
            deprecations: Ok(Vec::new()),
        }
    }
}

/// What was read, or why it was not.
pub(super) trait Known<T> {
    /// Borrows what was read.
    fn known(&self) -> Read<&T>;
}

impl<T> Known<T> for Read<T> {
    fn known(&self) -> Read<&T> {
        self.as_ref().map_err(Clone::clone)
    }
}
