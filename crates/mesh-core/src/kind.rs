//! The table of kinds that the model knows.
//!
//! One row a kind; the enum, the API names, the typed lists of a [`Mesh`](crate::Mesh) and the decoder all come
//! from it.

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, batch::v1 as batch, core::v1 as core,
    discovery::v1 as discovery, networking::v1 as networking,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use mesh_yaml::{FieldPath, Node};
use serde::de::DeserializeOwned;

use gateway_api::apis::{experimental as gateway_api_types, standard};

use crate::istio;
use crate::resource::Resource;
use crate::schema::validate::{Violation, ViolationKind};
use crate::schema::{self, MessageSchema};

/// A typed resource body, and where it stands in an object.
pub trait Body: Sized + Send + Sync + 'static {
    /// The kind that has this body.
    const KIND: Kind;

    /// Reads the body from the root of an object. Never fails: what cannot be read keeps its default, and is
    /// listed in `violations` with paths from the root of the object.
    fn decode(root: Node<'_>, violations: &mut Vec<Violation>) -> Self;

    /// Wraps a resource of this kind.
    fn wrap(resource: Arc<Resource<Self>>) -> AnyResource;

    /// The resources of this kind in a mesh, sorted by namespace and name.
    fn list(mesh: &crate::Mesh) -> &[Arc<Resource<Self>>];
}

macro_rules! kinds {
    ($(
        $(#[doc = $doc:literal])+
        $variant:ident, $name:literal, $group:literal, [$($version:literal),+], $plural:literal, $scope:ident,
        $list:ident: $body:ty, $how:ident
    );+ $(;)?) => {
        /// A kind of resource that the model understands.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $variant),+ }

        impl Kind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the kind's objects look like to the API.
            pub const fn info(self) -> &'static KindInfo {
                match self {
                    $(Self::$variant => &KindInfo {
                        name: $name,
                        group: $group,
                        versions: &[$($version),+],
                        plural: $plural,
                        namespaced: kinds!(@namespaced $scope),
                        docs: concat!($($doc, "\n"),+),
                        schema: kinds!(@schema $how $body),
                    }),+
                }
            }
        }

        /// A resource of any kind.
        #[derive(Clone, Debug)]
        pub enum AnyResource { $($(#[doc = $doc])+ $variant(Arc<Resource<$body>>)),+ }

        impl AnyResource {
            /// Reads the object at `root`.
            pub(crate) fn decode(
                kind: Kind,
                root: Node<'_>,
                header: crate::resource::Header,
                violations: &mut Vec<Violation>,
            ) -> Self {
                match kind {
                    $(Kind::$variant => {
                        let spec = <$body as Body>::decode(root, violations);
                        Self::$variant(Arc::new(Resource::new(header, spec)))
                    }),+
                }
            }

            /// The same resource with its source's number raised by `offset`.
            pub(crate) fn moved(&self, offset: u32) -> Self {
                match self {
                    $(Self::$variant(resource) => {
                        let mut resource = (**resource).clone();
                        resource.move_source(offset);
                        Self::$variant(Arc::new(resource))
                    }),+
                }
            }

            /// Says that the resource came from another source.
            #[cfg(feature = "cluster")]
            pub(crate) fn set_source(&mut self, source: crate::source::SourceId) {
                match self { $(Self::$variant(resource) => Arc::make_mut(resource).set_source(source)),+ }
            }

            /// The parts that every resource has.
            pub fn header(&self) -> &crate::resource::Header {
                match self { $(Self::$variant(resource) => resource.header()),+ }
            }
        }

        $(impl Body for $body {
            const KIND: Kind = Kind::$variant;

            fn decode(root: Node<'_>, violations: &mut Vec<Violation>) -> Self {
                kinds!(@decode $how root violations $body)
            }

            fn wrap(resource: Arc<Resource<Self>>) -> AnyResource {
                AnyResource::$variant(resource)
            }

            fn list(mesh: &crate::Mesh) -> &[Arc<Resource<Self>>] {
                mesh.$list()
            }
        })+

        /// The resources of a mesh, a list a kind, each sorted by namespace and name.
        #[derive(Clone, Debug, Default)]
        pub(crate) struct Lists { $(pub(crate) $list: Vec<Arc<Resource<$body>>>),+ }

        impl Lists {
            pub(crate) fn push(&mut self, resource: AnyResource) {
                match resource { $(AnyResource::$variant(resource) => self.$list.push(resource)),+ }
            }

            /// Sorts the lists. Of several objects with one identity only the last stays; each of the others is
            /// returned together with it.
            pub(crate) fn settle(&mut self) -> Vec<(AnyResource, AnyResource)> {
                let mut duplicates = Vec::new();
                $(settle(&mut self.$list, &mut duplicates);)+
                duplicates
            }

            pub(crate) fn find(&self, kind: Kind, namespace: &str, name: &str) -> Option<AnyResource> {
                match kind {
                    $(Kind::$variant => find(&self.$list, namespace, name).cloned().map(AnyResource::$variant)),+
                }
            }

            /// The number of resources of a kind.
            pub(crate) fn count(&self, kind: Kind) -> usize {
                match kind { $(Kind::$variant => self.$list.len()),+ }
            }

            /// Every resource, kind by kind.
            pub(crate) fn iter(&self) -> impl Iterator<Item = AnyResource> + '_ {
                std::iter::empty()$(.chain(self.$list.iter().cloned().map(AnyResource::$variant)))+
            }
        }

        impl crate::Mesh {
            $(
                #[doc = concat!("All resources of kind ", $name, ", sorted by namespace and name.")]
                pub fn $list(&self) -> &[Arc<Resource<$body>>] { &self.lists().$list }
            )+
        }
    };
    (@namespaced namespaced) => { true };
    (@namespaced cluster) => { false };
    (@schema istio $body:ty) => { Some(<$body as schema::Message>::schema) };
    (@schema $other:ident $body:ty) => { None };
    (@decode istio $root:ident $violations:ident $body:ty) => { istio_spec($root, $violations) };
    (@decode spec $root:ident $violations:ident $body:ty) => { kubernetes($root.get("spec"), "spec", $violations) };
    (@decode whole $root:ident $violations:ident $body:ty) => { kubernetes(Some($root), "", $violations) };
}

kinds! {
    /// Routes requests for hosts to destinations.
    VirtualService, "VirtualService", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "virtualservices", namespaced, virtual_services: istio::virtual_service::VirtualService, istio;
    /// Says how to talk to a destination, and names its subsets.
    DestinationRule, "DestinationRule", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "destinationrules", namespaced, destination_rules: istio::destination_rule::DestinationRule, istio;
    /// Opens ports of a gateway proxy.
    Gateway, "Gateway", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "gateways", namespaced, gateways: istio::gateway::Gateway, istio;
    /// Adds hosts to the service registry.
    ServiceEntry, "ServiceEntry", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "serviceentries", namespaced, service_entries: istio::service_entry::ServiceEntry, istio;
    /// Limits what the sidecars of a namespace or workload see and accept.
    Sidecar, "Sidecar", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "sidecars", namespaced, sidecars: istio::sidecar::Sidecar, istio;
    /// Describes one workload outside Kubernetes.
    WorkloadEntry, "WorkloadEntry", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "workloadentries", namespaced, workload_entries: istio::workload_entry::WorkloadEntry, istio;
    /// Describes a set of workloads outside Kubernetes.
    WorkloadGroup, "WorkloadGroup", "networking.istio.io", ["v1", "v1beta1", "v1alpha3"], "workloadgroups", namespaced, workload_groups: istio::workload_group::WorkloadGroup, istio;
    /// Changes the Envoy configuration that istiod generates.
    EnvoyFilter, "EnvoyFilter", "networking.istio.io", ["v1alpha3"], "envoyfilters", namespaced, envoy_filters: istio::envoy_filter::EnvoyFilter, istio;
    /// Sets options of proxies.
    ProxyConfig, "ProxyConfig", "networking.istio.io", ["v1beta1"], "proxyconfigs", namespaced, proxy_configs: istio::proxy_config::ProxyConfig, istio;
    /// Allows or denies requests to workloads.
    AuthorizationPolicy, "AuthorizationPolicy", "security.istio.io", ["v1", "v1beta1"], "authorizationpolicies", namespaced, authorization_policies: istio::authorization_policy::AuthorizationPolicy, istio;
    /// Says whether workloads accept plain text.
    PeerAuthentication, "PeerAuthentication", "security.istio.io", ["v1", "v1beta1"], "peerauthentications", namespaced, peer_authentications: istio::peer_authentication::PeerAuthentication, istio;
    /// Says which end-user tokens workloads accept.
    RequestAuthentication, "RequestAuthentication", "security.istio.io", ["v1", "v1beta1"], "requestauthentications", namespaced, request_authentications: istio::request_authentication::RequestAuthentication, istio;
    /// Configures metrics, traces and access logs.
    Telemetry, "Telemetry", "telemetry.istio.io", ["v1", "v1alpha1"], "telemetries", namespaced, telemetries: istio::telemetry::Telemetry, istio;
    /// Adds a WebAssembly filter to proxies.
    WasmPlugin, "WasmPlugin", "extensions.istio.io", ["v1alpha1"], "wasmplugins", namespaced, wasm_plugins: istio::wasm_plugin::WasmPlugin, istio;
    /// Adds a WebAssembly or Lua filter to proxies.
    TrafficExtension, "TrafficExtension", "extensions.istio.io", ["v1alpha1"], "trafficextensions", namespaced, traffic_extensions: istio::traffic_extension::TrafficExtension, istio;

    /// A listener set of the Gateway API: ports at the edge of the mesh, or a waypoint.
    KubernetesGateway, "Gateway", "gateway.networking.k8s.io", ["v1", "v1beta1"], "gateways", namespaced, kubernetes_gateways: gateway_api_types::gateways::GatewaySpec, spec;
    /// Names the controller of a set of Gateway API gateways.
    GatewayClass, "GatewayClass", "gateway.networking.k8s.io", ["v1", "v1beta1"], "gatewayclasses", cluster, gateway_classes: gateway_api_types::gatewayclasses::GatewayClassSpec, spec;
    /// Routes HTTP requests, Gateway API.
    HttpRoute, "HTTPRoute", "gateway.networking.k8s.io", ["v1", "v1beta1"], "httproutes", namespaced, http_routes: gateway_api_types::httproutes::HttpRouteSpec, spec;
    /// Routes gRPC requests, Gateway API.
    GrpcRoute, "GRPCRoute", "gateway.networking.k8s.io", ["v1"], "grpcroutes", namespaced, grpc_routes: gateway_api_types::grpcroutes::GrpcRouteSpec, spec;
    /// Routes TLS connections by server name, Gateway API.
    TlsRoute, "TLSRoute", "gateway.networking.k8s.io", ["v1", "v1alpha3", "v1alpha2"], "tlsroutes", namespaced, tls_routes: gateway_api_types::tlsroutes::TlsRouteSpec, spec;
    /// Routes TCP connections, Gateway API.
    TcpRoute, "TCPRoute", "gateway.networking.k8s.io", ["v1alpha2"], "tcproutes", namespaced, tcp_routes: gateway_api_types::tcproutes::TcpRouteSpec, spec;
    /// Allows references from other namespaces, Gateway API.
    ReferenceGrant, "ReferenceGrant", "gateway.networking.k8s.io", ["v1", "v1beta1"], "referencegrants", namespaced, reference_grants: gateway_api_types::referencegrants::ReferenceGrantSpec, spec;
    /// Says how a gateway talks TLS to a backend, Gateway API.
    BackendTlsPolicy, "BackendTLSPolicy", "gateway.networking.k8s.io", ["v1", "v1alpha3"], "backendtlspolicies", namespaced, backend_tls_policies: standard::backendtlspolicies::BackendTlsPolicySpec, spec;

    /// A namespace and its labels.
    Namespace, "Namespace", "", ["v1"], "namespaces", cluster, namespaces: core::Namespace, whole;
    /// A set of pods under one name.
    Service, "Service", "", ["v1"], "services", namespaced, services: core::ServiceSpec, spec;
    /// The addresses behind a service.
    EndpointSlice, "EndpointSlice", "discovery.k8s.io", ["v1"], "endpointslices", namespaced, endpoint_slices: discovery::EndpointSlice, whole;
    /// A pod.
    Pod, "Pod", "", ["v1"], "pods", namespaced, pods: core::PodSpec, spec;
    /// Pods that are replaced one by one.
    Deployment, "Deployment", "apps", ["v1"], "deployments", namespaced, deployments: apps::DeploymentSpec, spec;
    /// Pods with stable names.
    StatefulSet, "StatefulSet", "apps", ["v1"], "statefulsets", namespaced, stateful_sets: apps::StatefulSetSpec, spec;
    /// A pod on every node.
    DaemonSet, "DaemonSet", "apps", ["v1"], "daemonsets", namespaced, daemon_sets: apps::DaemonSetSpec, spec;
    /// A number of equal pods.
    ReplicaSet, "ReplicaSet", "apps", ["v1"], "replicasets", namespaced, replica_sets: apps::ReplicaSetSpec, spec;
    /// Pods that run to their end.
    Job, "Job", "batch", ["v1"], "jobs", namespaced, jobs: batch::JobSpec, spec;
    /// Jobs on a schedule.
    CronJob, "CronJob", "batch", ["v1"], "cronjobs", namespaced, cron_jobs: batch::CronJobSpec, spec;
    /// Named text.
    ConfigMap, "ConfigMap", "", ["v1"], "configmaps", namespaced, config_maps: core::ConfigMap, whole;
    /// Named bytes that are kept from view.
    Secret, "Secret", "", ["v1"], "secrets", namespaced, secrets: core::Secret, whole;
    /// HTTP routing of the older kind.
    Ingress, "Ingress", "networking.k8s.io", ["v1"], "ingresses", namespaced, ingresses: networking::IngressSpec, spec;
    /// A machine.
    Node, "Node", "", ["v1"], "nodes", cluster, nodes: core::Node, whole;
    /// The identity of pods.
    ServiceAccount, "ServiceAccount", "", ["v1"], "serviceaccounts", namespaced, service_accounts: core::ServiceAccount, whole;
    /// Calls out to change objects on their way in.
    MutatingWebhookConfiguration, "MutatingWebhookConfiguration", "admissionregistration.k8s.io", ["v1"], "mutatingwebhookconfigurations", cluster, mutating_webhooks: admission::MutatingWebhookConfiguration, whole;
    /// Calls out to check objects on their way in.
    ValidatingWebhookConfiguration, "ValidatingWebhookConfiguration", "admissionregistration.k8s.io", ["v1"], "validatingwebhookconfigurations", cluster, validating_webhooks: admission::ValidatingWebhookConfiguration, whole;
    /// Adds a kind to the API.
    CustomResourceDefinition, "CustomResourceDefinition", "apiextensions.k8s.io", ["v1"], "customresourcedefinitions", cluster, custom_resource_definitions: apiextensions::CustomResourceDefinition, whole;
}

/// What a kind looks like to the API.
#[derive(Clone, Copy, Debug)]
pub struct KindInfo {
    /// The name in `kind:`.
    pub name: &'static str,
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The versions that are read, newest first. All have the same fields.
    pub versions: &'static [&'static str],
    /// The plural, lower case, as in URLs and for kubectl.
    pub plural: &'static str,
    /// Whether objects stand in a namespace.
    pub namespaced: bool,
    /// One sentence about it.
    pub docs: &'static str,
    /// The schema of `spec`, for the kinds whose types are our own.
    pub schema: Option<fn() -> &'static MessageSchema>,
}

impl Kind {
    /// The kind that `apiVersion` and `kind` name together.
    pub fn from_api(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
        Self::ALL.iter().copied().find(|candidate| {
            let info = candidate.info();
            info.name == kind && info.group == group && info.versions.contains(&version)
        })
    }

    /// Whether the model describes any kind of the API group.
    pub fn knows_group(group: &str) -> bool {
        Self::ALL.iter().any(|kind| kind.info().group == group)
    }

    /// Whether it is one of Istio's own kinds.
    pub fn is_istio(self) -> bool {
        self.info().group.ends_with(".istio.io")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.info().name)
    }
}

fn settle<T: Body>(list: &mut Vec<Arc<Resource<T>>>, duplicates: &mut Vec<(AnyResource, AnyResource)>) {
    // The sort is stable: objects of one identity stay in the order of the input.
    list.sort_by(|a, b| (a.namespace(), a.name()).cmp(&(b.namespace(), b.name())));
    let same = |a: &Resource<T>, b: &Resource<T>| {
        // Without a name an object cannot replace another: `generateName` makes a new one every time.
        !a.metadata.name.is_empty() && a.metadata.name == b.metadata.name && a.namespace() == b.namespace()
    };
    let mut winner: Option<Arc<Resource<T>>> = None;
    let mut keep = vec![true; list.len()];
    for (index, resource) in list.iter().enumerate().rev() {
        match &winner {
            Some(later) if same(resource, later) => {
                keep[index] = false;
                duplicates.push((T::wrap(resource.clone()), T::wrap(later.clone())));
            }
            _ => winner = Some(resource.clone()),
        }
    }
    let mut keep = keep.into_iter();
    list.retain(|_| keep.next().unwrap_or(true));
}

pub(crate) fn find<'l, T>(
    list: &'l [Arc<Resource<T>>],
    namespace: &str,
    name: &str,
) -> Option<&'l Arc<Resource<T>>> {
    let found = list.binary_search_by(|other| (other.namespace(), other.name()).cmp(&(namespace, name)));
    found.ok().map(|index| &list[index])
}

/// Reads `spec` into one of our own types and holds it against its schema.
fn istio_spec<T: schema::Message>(root: Node<'_>, violations: &mut Vec<Violation>) -> T {
    let Some(spec) = root.get("spec").filter(|spec| !spec.is_null()) else {
        // An empty spec can still break rules, such as a missing required field.
        let required = T::schema()
            .fields
            .iter()
            .filter(|field| field.required)
            .map(|field| field.name);
        let missing: Vec<_> = required.collect();
        if !missing.is_empty() {
            violations.push(Violation {
                kind: ViolationKind::MissingField,
                path: FieldPath::root(),
                on_key: false,
                message: "`spec` is missing".to_owned(),
                help: Some(format!("add a `spec` with {}", missing.join(", "))),
                suggestion: None,
            });
        }
        return T::default();
    };
    let before = violations.len();
    schema::validate::check(spec, &T::TYPE, violations);
    prefix(&mut violations[before..], "spec");
    T::decode(spec)
}

/// Reads a part of an object into a type of the Kubernetes libraries.
fn kubernetes<T: DeserializeOwned + Default>(
    node: Option<Node<'_>>,
    at: &str,
    violations: &mut Vec<Violation>,
) -> T {
    let Some(node) = node.filter(|node| !node.is_null()) else {
        return T::default();
    };
    let before = violations.len();
    let (value, problems) = schema::validate::read_kubernetes(node);
    violations.extend(problems);
    prefix(&mut violations[before..], at);
    value.unwrap_or_default()
}

fn prefix(violations: &mut [Violation], key: &str) {
    if key.is_empty() {
        return;
    }
    for violation in violations {
        violation.path = FieldPath::root().key(key).join(&violation.path);
    }
}
