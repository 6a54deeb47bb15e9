//! Which pods a user means, and what proxies they have.
//!
//! A target is `POD`, `KIND/NAME`, or either with `.NAMESPACE` behind it, as for istioctl. Workloads, Services and
//! Gateways stand for their pods.

use std::fmt;
use std::str::FromStr;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Container, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::connect::Cluster;
use super::error::{ClusterError, ErrorKind};
use super::portforward::not_running;
use super::read::{ListQuery, Scope};
use crate::resource::Labels;

/// The port that Istio's proxies have their admin interface on, unless their `ProxyConfig` says otherwise.
pub const ADMIN_PORT: u16 = 15000;

/// The container that Istio's proxies run in.
const PROXY_CONTAINER: &str = "istio-proxy";

/// The label that names the Gateway (of the Gateway API) that a pod belongs to.
const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";

/// The kinds of objects that stand for pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A pod itself.
    Pod,
    /// `apps/v1`.
    Deployment,
    /// `apps/v1`.
    ReplicaSet,
    /// `apps/v1`.
    StatefulSet,
    /// `apps/v1`.
    DaemonSet,
    /// `batch/v1`.
    Job,
    /// `v1`.
    Service,
    /// A Gateway of the Gateway API, or else of Istio.
    Gateway,
}

impl TargetKind {
    /// Every kind: its name, how it can be typed, and its place in the API.
    const TABLE: [(Self, &str, &[&str], &str); 8] = [
        (Self::Pod, "pod", &["pod", "pods", "po"], "/api/v1"),
        (
            Self::Deployment,
            "deployment",
            &["deployment", "deployments", "deploy"],
            "/apis/apps/v1",
        ),
        (
            Self::ReplicaSet,
            "replicaset",
            &["replicaset", "replicasets", "rs"],
            "/apis/apps/v1",
        ),
        (
            Self::StatefulSet,
            "statefulset",
            &["statefulset", "statefulsets", "sts"],
            "/apis/apps/v1",
        ),
        (
            Self::DaemonSet,
            "daemonset",
            &["daemonset", "daemonsets", "ds"],
            "/apis/apps/v1",
        ),
        (Self::Job, "job", &["job", "jobs"], "/apis/batch/v1"),
        (
            Self::Service,
            "service",
            &["service", "services", "svc"],
            "/api/v1",
        ),
        (
            Self::Gateway,
            "gateway",
            &["gateway", "gateways", "gtw", "gw"],
            "/apis/gateway.networking.k8s.io/v1",
        ),
    ];

    fn row(self) -> &'static (Self, &'static str, &'static [&'static str], &'static str) {
        // The table has a row for every kind; a test holds that.
        Self::TABLE
            .iter()
            .find(|row| row.0 == self)
            .unwrap_or(&Self::TABLE[0])
    }
}

/// What a user calls some pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The kind of the object that stands for the pods.
    pub kind: TargetKind,
    /// The name as it was typed, which may end in a dot and a namespace.
    pub name: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, name) = match text.split_once('/') {
            None => (TargetKind::Pod, text),
            Some((kind, name)) => {
                let typed = kind.to_ascii_lowercase();
                let row = TargetKind::TABLE
                    .iter()
                    .find(|row| row.2.contains(&typed.as_str()));
                let Some(row) = row else {
                    return Err(format!(
                        "`{kind}` is no kind that has pods: write POD, or deploy/, svc/, sts/, ds/, rs/, job/ or \
                         gateway/ and a name"
                    ));
                };
                (row.0, name)
            }
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
        if name.is_empty() || !name.chars().all(is_name) {
            return Err(format!("`{name}` cannot be the name of an object"));
        }
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TargetKind::Pod => formatter.write_str(&self.name),
            kind => write!(formatter, "{}/{}", kind.row().1, self.name),
        }
    }
}

impl Target {
    /// Name and namespace, in the order in which they are tried: `NAME.NAMESPACE` first, as names seldom have dots.
    pub fn readings<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let split = self
            .name
            .rsplit_once('.')
            .filter(|(name, namespace)| !name.is_empty() && !namespace.is_empty());
        split.into_iter().chain([(self.name.as_str(), namespace)])
    }
}

/// What sort of proxy a pod has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PodKind {
    /// A workload with an Envoy beside it.
    Sidecar,
    /// A gateway: an Envoy of its own.
    Gateway,
    /// A waypoint: an Envoy that serves the workloads of ambient mode.
    Waypoint,
    /// An Envoy that is not Istio's.
    Envoy,
    /// The node's proxy of ambient mode, which is no Envoy.
    Ztunnel,
    /// A workload whose gRPC library talks to istiod itself.
    ProxylessGrpc,
    /// A workload of ambient mode: its node's ztunnel is its proxy.
    Ambient,
    /// istiod.
    ControlPlane,
    /// Nothing of a mesh.
    NoProxy,
}

impl PodKind {
    /// Whether an Envoy can be asked in the pod.
    pub fn has_envoy(self) -> bool {
        matches!(self, Self::Sidecar | Self::Gateway | Self::Waypoint | Self::Envoy)
    }

    /// The word for output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sidecar => "sidecar",
            Self::Gateway => "gateway",
            Self::Waypoint => "waypoint",
            Self::Envoy => "envoy",
            Self::Ztunnel => "ztunnel",
            Self::ProxylessGrpc => "grpc",
            Self::Ambient => "ambient",
            Self::ControlPlane => "istiod",
            Self::NoProxy => "none",
        }
    }
}

/// A pod with an Envoy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub name: String,
    /// What its Envoy is for.
    pub kind: PodKind,
    /// Where its admin interface listens.
    pub admin_port: u16,
    /// The levels that its log started with, as its arguments say: one for all, and `LOGGER:LEVEL`.
    pub log_levels: Vec<String>,
}

impl fmt::Display for Found {
    /// As a proxy is called in Istio: `POD.NAMESPACE`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.name, self.namespace)
    }
}

fn containers(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.spec.iter().flat_map(|spec| {
        spec.containers
            .iter()
            .chain(spec.init_containers.iter().flatten())
    })
}

fn label<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn annotation<'a>(pod: &'a Pod, key: &str) -> Option<&'a str> {
    pod.metadata.annotations.as_ref()?.get(key).map(String::as_str)
}

/// What sort of proxy a pod has, by its containers, labels and annotations.
pub fn pod_kind(pod: &Pod) -> PodKind {
    let Some(proxy) = containers(pod).find(|container| container.name == PROXY_CONTAINER) else {
        let image_has = |part: &str| {
            containers(pod).any(|container| {
                let image = container.image.as_deref().unwrap_or_default();
                let name = image.rsplit('/').next().unwrap_or_default();
                name.split([':', '@']).next().unwrap_or_default().contains(part)
            })
        };
        return if label(pod, "app") == Some("istiod") || containers(pod).any(|one| one.name == "discovery") {
            PodKind::ControlPlane
        } else if label(pod, "app") == Some("ztunnel") || image_has("ztunnel") {
            PodKind::Ztunnel
        } else if image_has("envoy") {
            PodKind::Envoy
        } else if annotation(pod, "ambient.istio.io/redirection") == Some("enabled") {
            PodKind::Ambient
        } else {
            PodKind::NoProxy
        };
    };
    let role = proxy
        .args
        .iter()
        .flatten()
        .skip_while(|argument| *argument != "proxy")
        .nth(1)
        .map(String::as_str);
    let is_grpc =
        proxy.env.iter().flatten().any(|variable| {
            variable.name == "ISTIO_META_GENERATOR" && variable.value.as_deref() == Some("grpc")
        }) || annotation(pod, "inject.istio.io/templates").is_some_and(|names| names.contains("grpc-agent"));
    match role {
        Some("ztunnel") => PodKind::Ztunnel,
        Some("waypoint") => PodKind::Waypoint,
        _ if label(pod, "gateway.istio.io/managed") == Some("istio.io-mesh-controller") => PodKind::Waypoint,
        _ if label(pod, "app") == Some("ztunnel") => PodKind::Ztunnel,
        _ if is_grpc => PodKind::ProxylessGrpc,
        Some("router") => PodKind::Gateway,
        _ => PodKind::Sidecar,
    }
}

/// Where the pod's proxy has its admin interface: `proxyAdminPort` of the `ProxyConfig` that the injector put into the
/// container's environment, or the default.
fn admin_port(pod: &Pod) -> u16 {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ProxyConfig {
        proxy_admin_port: Option<u16>,
    }
    containers(pod)
        .filter(|container| container.name == PROXY_CONTAINER)
        .flat_map(|container| container.env.iter().flatten())
        .filter(|variable| variable.name == "PROXY_CONFIG")
        .find_map(|variable| {
            serde_json::from_str::<ProxyConfig>(variable.value.as_deref()?)
                .ok()?
                .proxy_admin_port
        })
        .unwrap_or(ADMIN_PORT)
}

/// The pod's proxy, if it can be asked. With a port that the user gave, whatever listens there counts as an Envoy.
///
/// # Errors
///
/// The pod does not run, or has no Envoy; the error says what it has instead.
pub fn proxy_of(pod: &Pod, port: Option<u16>) -> Result<Found, ClusterError> {
    let name = pod.metadata.name.clone().unwrap_or_default();
    let namespace = pod.metadata.namespace.clone().unwrap_or_default();
    let kind = pod_kind(pod);
    if !kind.has_envoy() && port.is_none() {
        return Err(no_envoy(pod, kind, &format!("{namespace}/{name}")));
    }
    if let Some(reason) = not_running(pod) {
        return Err(
            ClusterError::new(ErrorKind::Unreachable, format!("pod {namespace}/{name} {reason}"))
                .hinted(format!("`kubectl describe pod -n {namespace} {name}` says more")),
        );
    }
    Ok(Found {
        namespace,
        name,
        kind,
        admin_port: port.unwrap_or_else(|| admin_port(pod)),
        log_levels: log_levels(pod),
    })
}

/// The levels that the arguments of pilot-agent give Envoy's log; its own defaults where they are silent.
fn log_levels(pod: &Pod) -> Vec<String> {
    let proxy = containers(pod).find(|container| container.name == PROXY_CONTAINER);
    let argument = |name: &str| {
        let mut arguments = proxy.iter().flat_map(|container| container.args.iter().flatten());
        arguments.find_map(|argument| argument.strip_prefix(name)?.strip_prefix('=').map(str::to_owned))
    };
    let mut levels = vec![argument("--proxyLogLevel").unwrap_or_else(|| "warning".to_owned())];
    let components = argument("--proxyComponentLogLevel").unwrap_or_else(|| "misc:error".to_owned());
    levels.extend(
        components
            .split(',')
            .filter(|level| !level.is_empty())
            .map(str::to_owned),
    );
    levels
}

fn no_envoy(pod: &Pod, kind: PodKind, name: &str) -> ClusterError {
    let (has, hint) = match kind {
        PodKind::Ztunnel => (
            "is a ztunnel, which is no Envoy".to_owned(),
            "waypoints, gateways and sidecars have Envoys: `kubectl get gateways -A` lists waypoints"
                .to_owned(),
        ),
        PodKind::ProxylessGrpc => (
            "has no Envoy: its gRPC library talks to istiod itself".to_owned(),
            "`meshctl proxy-status` shows what istiod sent it".to_owned(),
        ),
        PodKind::Ambient => (
            "has no Envoy: it is in ambient mode, and the ztunnel of its node carries its traffic".to_owned(),
            match label(pod, "istio.io/use-waypoint") {
                Some("none") | None => {
                    "its HTTP policies are in the waypoint of its Service or namespace, if there is one: \
                     `gateway/WAYPOINT`"
                        .to_owned()
                }
                Some(waypoint) => format!("its HTTP policies are in its waypoint: `gateway/{waypoint}`"),
            },
        ),
        PodKind::ControlPlane => (
            "is a control plane (istiod), not a proxy".to_owned(),
            "`meshctl proxy-status` shows what it sent to its proxies".to_owned(),
        ),
        _ => {
            let names: Vec<_> = containers(pod).map(|container| container.name.as_str()).collect();
            (
                format!("has no proxy: its containers are {}", names.join(", ")),
                why_not_injected(pod),
            )
        }
    };
    ClusterError::new(ErrorKind::Refused, format!("pod {name} {has}")).hinted(hint)
}

fn why_not_injected(pod: &Pod) -> String {
    let off = |value: Option<&str>| value == Some("false");
    if off(label(pod, "sidecar.istio.io/inject")) || off(annotation(pod, "sidecar.istio.io/inject")) {
        "it opts out of injection with `sidecar.istio.io/inject: \"false\"`".to_owned()
    } else if pod.spec.as_ref().and_then(|spec| spec.host_network) == Some(true) {
        "it uses its node's network, and such pods never get a sidecar".to_owned()
    } else {
        "label its namespace `istio-injection=enabled` and restart it, or give the port of another Envoy with \
         `--proxy-admin-port`"
            .to_owned()
    }
}

impl Cluster {
    /// The pods that a target stands for, those that are ready first, then by name. `namespace` is where names without
    /// one are looked for. Pods that have ended are left out, unless one was named itself.
    ///
    /// # Errors
    ///
    /// There is no such object, it has no pods, or the API server could not be asked.
    pub async fn find_pods(&self, target: &Target, namespace: &str) -> Result<Vec<Pod>, ClusterError> {
        let mut missing = None;
        for (name, namespace) in target.readings(namespace) {
            match self.pods_of(target.kind, name, namespace).await {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    missing = missing.or(Some((name, namespace)));
                }
                Ok(pods) if pods.is_empty() => {
                    return Err(ClusterError::new(
                        ErrorKind::NotFound,
                        format!("{} {namespace}/{name} has no running pods", target.kind.row().1),
                    )
                    .hinted(format!("`kubectl get pods -n {namespace}` shows what runs there")));
                }
                result => return result,
            }
        }
        Err(not_found(target, missing, namespace))
    }

    /// The object that a target names, as JSON. Gateways are those of the Gateway API.
    ///
    /// # Errors
    ///
    /// There is no such object, or the API server could not be asked.
    pub async fn find_object(
        &self,
        target: &Target,
        namespace: &str,
    ) -> Result<serde_json::Value, ClusterError> {
        let mut missing = None;
        for (name, namespace) in target.readings(namespace) {
            match self.object(target.kind, name, namespace).await {
                Err(error) if error.kind == ErrorKind::NotFound => {
                    missing = missing.or(Some((name, namespace)));
                }
                result => return result,
            }
        }
        Err(not_found(target, missing, namespace))
    }

    async fn pods_of(&self, kind: TargetKind, name: &str, namespace: &str) -> Result<Vec<Pod>, ClusterError> {
        let selector = match kind {
            TargetKind::Pod => return Ok(vec![self.object(kind, name, namespace).await?]),
            TargetKind::Deployment => {
                let object: Deployment = self.object(kind, name, namespace).await?;
                object.spec.map(|spec| spec.selector)
            }
            TargetKind::ReplicaSet => {
                let object: ReplicaSet = self.object(kind, name, namespace).await?;
                object.spec.map(|spec| spec.selector)
            }
            TargetKind::StatefulSet => {
                let object: StatefulSet = self.object(kind, name, namespace).await?;
                object.spec.map(|spec| spec.selector)
            }
            TargetKind::DaemonSet => {
                let object: DaemonSet = self.object(kind, name, namespace).await?;
                object.spec.map(|spec| spec.selector)
            }
            TargetKind::Job => {
                let object: Job = self.object(kind, name, namespace).await?;
                object.spec.and_then(|spec| spec.selector)
            }
            TargetKind::Service => {
                let object: Service = self.object(kind, name, namespace).await?;
                let labels = object.spec.and_then(|spec| spec.selector).unwrap_or_default();
                if labels.is_empty() {
                    return Err(ClusterError::new(
                        ErrorKind::Refused,
                        format!("service {namespace}/{name} selects no pods itself"),
                    )
                    .hinted("name a pod or a workload instead"));
                }
                Some(selecting(labels))
            }
            TargetKind::Gateway => return self.pods_of_gateway(name, namespace).await,
        };
        let selector = selector.map_or_else(String::new, |selector| selector_text(&selector));
        if selector.is_empty() {
            return Ok(Vec::new());
        }
        self.live_pods(&selector, &Scope::Namespace(namespace.to_owned()))
            .await
    }

    async fn pods_of_gateway(&self, name: &str, namespace: &str) -> Result<Vec<Pod>, ClusterError> {
        #[derive(Deserialize)]
        struct Gateway {
            #[serde(default)]
            spec: GatewaySpec,
        }
        #[derive(Default, Deserialize)]
        struct GatewaySpec {
            #[serde(default)]
            selector: Labels,
        }
        // Pods say themselves which Gateway of the Gateway API they belong to, so that it need not be read.
        let scope = Scope::Namespace(namespace.to_owned());
        let managed = self.live_pods(&format!("{GATEWAY_LABEL}={name}"), &scope).await?;
        if !managed.is_empty() {
            return Ok(managed);
        }
        let path = format!("/apis/networking.istio.io/v1/namespaces/{namespace}/gateways/{name}");
        match self.read::<Gateway>(&path).await {
            // Istio's Gateways select pods of every namespace.
            Ok(gateway) if !gateway.spec.selector.is_empty() => {
                let selector = selector_text(&selecting(gateway.spec.selector));
                self.live_pods(&selector, &Scope::All).await
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) if error.kind == ErrorKind::NotFound => {
                // Tells a Gateway without pods from none at all.
                let _: serde_json::Value = self.object(TargetKind::Gateway, name, namespace).await?;
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// The pods with the labels that have not ended: ready ones first, then by namespace and name.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn live_pods(&self, selector: &str, scope: &Scope) -> Result<Vec<Pod>, ClusterError> {
        let query = ListQuery::of::<Pod>(scope)
            .labels(selector)
            .fields("status.phase!=Succeeded,status.phase!=Failed");
        let mut pods: Vec<Pod> = self.list(&query).await?;
        pods.sort_by_cached_key(|pod| {
            let metadata = &pod.metadata;
            (!is_ready(pod), metadata.namespace.clone(), metadata.name.clone())
        });
        Ok(pods)
    }

    async fn object<T: DeserializeOwned>(
        &self,
        kind: TargetKind,
        name: &str,
        namespace: &str,
    ) -> Result<T, ClusterError> {
        let (_, _, typed, root) = kind.row();
        self.read(&format!("{root}/namespaces/{namespace}/{}/{name}", typed[1]))
            .await
    }

    async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClusterError> {
        let answer = self.get(path).await?;
        serde_json::from_slice(&answer).map_err(|error| ClusterError::malformed(path, &error))
    }
}

/// There is no object that a target can mean; `first` is its first reading.
fn not_found(target: &Target, first: Option<(&str, &str)>, namespace: &str) -> ClusterError {
    let (name, namespace) = first.unwrap_or((&target.name, namespace));
    ClusterError::new(
        ErrorKind::NotFound,
        format!(
            "there is no {} `{name}` in namespace `{namespace}`",
            target.kind.row().1
        ),
    )
    .hinted("name its namespace with `-n NAMESPACE`, or write NAME.NAMESPACE")
}

/// Whether the pod's readiness gates are all open, and it is not on its way out.
fn is_ready(pod: &Pod) -> bool {
    let conditions = pod
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten());
    pod.metadata.deletion_timestamp.is_none()
        && conditions
            .into_iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn selecting(labels: Labels) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels),
        match_expressions: None,
    }
}

/// The selector in the syntax of `kubectl -l`; empty if it selects everything.
fn selector_text(selector: &LabelSelector) -> String {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"));
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let key = &expression.key;
        let values = expression.values.as_deref().unwrap_or_default().join(",");
        match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.clone(),
        }
    });
    equal.chain(expressions).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pod(value: serde_json::Value) -> Pod {
        serde_json::from_value(value).unwrap()
    }

    fn with_proxy(role: &str) -> Pod {
        pod(json!({
            "metadata": {"name": "a", "namespace": "x"},
            "spec": {"containers": [
                {"name": "app", "image": "shop/app:1"},
                {"name": "istio-proxy", "image": "auto", "args": ["proxy", role, "--domain", "x.svc"]},
            ]},
            "status": {"phase": "Running"},
        }))
    }

    #[test]
    fn every_kind_has_a_row() {
        for kind in TargetKind::TABLE.map(|row| row.0) {
            assert_eq!(kind.row().0, kind);
            assert!(kind.row().2.len() > 1, "the plural is the second name");
        }
    }

    #[test]
    fn targets_are_read_as_they_are_typed() {
        let read = |text: &str| text.parse::<Target>();
        assert_eq!(read("deploy/web").unwrap().to_string(), "deployment/web");
        assert_eq!(read("SVC/web.shop").unwrap().kind, TargetKind::Service);
        assert_eq!(read("web-1").unwrap().to_string(), "web-1");
        assert!(
            read("cm/web")
                .unwrap_err()
                .contains("`cm` is no kind that has pods")
        );
        assert!(read("deploy/").is_err());
        assert!(read("../../secrets/x").is_err());
        assert!(read("a b").is_err());
        let target = read("web.1.shop").unwrap();
        let readings: Vec<_> = target.readings("here").collect();
        assert_eq!(readings, [("web.1", "shop"), ("web.1.shop", "here")]);
    }

    #[test]
    fn proxies_are_told_apart() {
        assert_eq!(pod_kind(&with_proxy("sidecar")), PodKind::Sidecar);
        assert_eq!(pod_kind(&with_proxy("router")), PodKind::Gateway);
        assert_eq!(pod_kind(&with_proxy("waypoint")), PodKind::Waypoint);
        assert_eq!(pod_kind(&with_proxy("ztunnel")), PodKind::Ztunnel);
        let mut native = with_proxy("sidecar");
        let spec = native.spec.as_mut().unwrap();
        spec.init_containers = Some(vec![spec.containers.pop().unwrap()]);
        assert_eq!(pod_kind(&native), PodKind::Sidecar);
        let plain = |image: &str| pod(json!({"spec": {"containers": [{"name": "a", "image": image}]}}));
        assert_eq!(
            pod_kind(&plain("docker.io/envoyproxy/envoy:v1.36")),
            PodKind::Envoy
        );
        assert_eq!(pod_kind(&plain("envoy.example/app:1")), PodKind::NoProxy);
    }

    #[test]
    fn a_pod_without_envoy_is_told_what_it_has_instead() {
        let why = |pod: &Pod| proxy_of(pod, None).unwrap_err();
        let mut bare = with_proxy("sidecar");
        bare.spec.as_mut().unwrap().containers.pop();
        assert_eq!(why(&bare).message, "pod x/a has no proxy: its containers are app");
        assert!(why(&bare).hint.unwrap().contains("istio-injection=enabled"));
        bare.metadata.annotations = Some([("ambient.istio.io/redirection".into(), "enabled".into())].into());
        bare.metadata.labels = Some([("istio.io/use-waypoint".into(), "way".into())].into());
        assert!(why(&bare).message.contains("ambient mode"));
        assert!(why(&bare).hint.unwrap().contains("gateway/way"));
        assert!(why(&with_proxy("ztunnel")).message.contains("no Envoy"));
        assert_eq!(proxy_of(&bare, Some(9901)).unwrap().admin_port, 9901);

        let mut starting = with_proxy("sidecar");
        starting.status = serde_json::from_value(json!({
            "phase": "Pending",
            "containerStatuses": [{
                "name": "app", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ImagePullBackOff"}},
            }],
        }))
        .unwrap();
        assert_eq!(
            why(&starting).message,
            "pod x/a does not run yet (Pending: ImagePullBackOff)"
        );
    }

    #[test]
    fn the_admin_port_is_the_one_of_the_proxy_config() {
        let mut pod = with_proxy("sidecar");
        assert_eq!(proxy_of(&pod, None).unwrap().admin_port, 15000);
        pod.spec.as_mut().unwrap().containers[1].env = serde_json::from_value(json!([
            {"name": "PROXY_CONFIG", "value": "{\"proxyAdminPort\":16000}\n"},
        ]))
        .unwrap();
        assert_eq!(proxy_of(&pod, None).unwrap().admin_port, 16000);
    }

    #[test]
    fn log_levels_are_those_that_the_pod_started_with() {
        let mut pod = with_proxy("sidecar");
        assert_eq!(
            proxy_of(&pod, None).unwrap().log_levels,
            ["warning", "misc:error"]
        );
        pod.spec.as_mut().unwrap().containers[1].args = Some(vec![
            "proxy".into(),
            "--proxyLogLevel=info".into(),
            "--proxyComponentLogLevel=http:debug".into(),
        ]);
        assert_eq!(proxy_of(&pod, None).unwrap().log_levels, ["info", "http:debug"]);
    }

    #[test]
    fn selectors_are_written_as_kubectl_reads_them() {
        let selector: LabelSelector = serde_json::from_value(json!({
            "matchLabels": {"app": "a"},
            "matchExpressions": [
                {"key": "v", "operator": "In", "values": ["1", "2"]},
                {"key": "old", "operator": "DoesNotExist"},
                {"key": "new", "operator": "Exists"},
            ],
        }))
        .unwrap();
        assert_eq!(selector_text(&selector), "app=a,v in (1,2),!old,new");
    }
}
