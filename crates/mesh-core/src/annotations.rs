//! The annotations and labels of Istio: what they mean, where they go, and what values they take.
//!
//! One entry each. The annotations are those of `istio.io/api/annotation` and the ones that istiod and the injector
//! read besides; the labels are those of `istio.io/api/label` and `istio-injection`.

use std::sync::Arc;

use mesh_yaml::Document;

use crate::istio::mesh_config::MeshProxyConfig;
use crate::kind::Kind;
use crate::schema::FieldType;
use crate::schema::validate::{ViolationKind, check};

/// An annotation or label that Istio gives a meaning.
#[derive(Debug)]
pub struct MetadataKey {
    /// The key.
    pub name: &'static str,
    /// Markdown documentation.
    pub docs: &'static str,
    /// The kinds that it has an effect on; empty for all. [`Kind::Pod`] stands for pod templates too.
    pub kinds: &'static [Kind],
    /// What to use instead, if it should no longer be used.
    pub deprecated: Option<&'static str>,
    /// Whether Istio sets it itself, and people have no reason to.
    pub is_automatic: bool,
    /// What values look like.
    pub form: Form,
}

/// What the value of an annotation or label looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A boolean in any of the spellings that Go's `strconv.ParseBool` reads.
    Boolean,
    /// A port from 0 to 65535.
    Port,
    /// A whole number from 0 to 4294967295.
    Count,
    /// Ports with commas between them; may be empty.
    Ports,
    /// Ports with commas between them, or `*`; may be empty.
    PortsOrAll,
    /// CIDR ranges with commas, and nothing else, between them; may be empty.
    Ranges,
    /// CIDR ranges with commas, and nothing else, between them, or `*`; may be empty.
    RangesOrAll,
    /// Names of network interfaces with commas between them; may be empty.
    Interfaces,
    /// An amount of a resource, such as `100m` or `128Mi`.
    Quantity,
    /// Fields of the mesh's `ProxyConfig`, in YAML.
    ProxyConfig,
    /// A JSON mapping.
    JsonMapping,
}

const POD: &[Kind] = &[Kind::Pod];
const NAMESPACE: &[Kind] = &[Kind::Namespace];
const NAMESPACE_AND_POD: &[Kind] = &[Kind::Namespace, Kind::Pod];
const SERVICE: &[Kind] = &[Kind::Service];
const GATEWAY: &[Kind] = &[Kind::KubernetesGateway];
const GATEWAY_AND_CLASS: &[Kind] = &[Kind::KubernetesGateway, Kind::GatewayClass];
const WORKLOAD_ENTRY: &[Kind] = &[Kind::WorkloadEntry];
const WAYPOINT_USERS: &[Kind] = &[
    Kind::Pod,
    Kind::WorkloadEntry,
    Kind::WorkloadGroup,
    Kind::Service,
    Kind::ServiceEntry,
    Kind::Namespace,
];
const ANY: &[Kind] = &[];

const TRUE_OR_FALSE: Form = Form::Words(&["true", "false"]);

macro_rules! keys {
    ($($(#[doc = $doc:literal])+ $name:literal on $kinds:ident is $form:expr $(, $note:ident $($instead:literal)?)?;)+) => {
        &[$(MetadataKey {
            name: $name,
            docs: concat!($($doc, "\n"),+),
            kinds: $kinds,
            deprecated: keys!(@deprecated $($note $($instead)?)?),
            is_automatic: keys!(@automatic $($note $($instead)?)?),
            form: $form,
        }),+]
    };
    (@deprecated deprecated $instead:literal) => { Some($instead) };
    (@deprecated $(automatic)?) => { None };
    (@automatic automatic) => { true };
    (@automatic $(deprecated $instead:literal)?) => { false };
}

/// The annotations, sorted by name.
pub static ANNOTATIONS: &[MetadataKey] = keys! {
    /// Identities outside Kubernetes that may run the service.
    "alpha.istio.io/canonical-serviceaccounts" on SERVICE is Form::Text, deprecated "declare identities in `subjectAltNames` of a ServiceEntry";
    /// Kubernetes service accounts that may run the service outside the cluster.
    "alpha.istio.io/kubernetes-serviceaccounts" on SERVICE is Form::Text, deprecated "set `serviceAccount` of the WorkloadEntries";
    /// Leaves inbound traffic of an ambient pod alone, so that only what it sends goes through the mesh. For ingress
    /// controllers of other makes.
    "ambient.istio.io/bypass-inbound-capture" on POD is TRUE_OR_FALSE;
    /// Whether DNS requests of an ambient pod are captured too.
    "ambient.istio.io/dns-capture" on POD is TRUE_OR_FALSE;
    /// Marks a pod whose traffic the ambient mesh captures.
    "ambient.istio.io/redirection" on POD is Form::Text, automatic;
    /// How traffic reaches a waypoint, as `PROTOCOL` or `PROTOCOL/PORT`. Unset is HBONE.
    "ambient.istio.io/waypoint-inbound-binding" on GATEWAY_AND_CLASS is Form::Text;
    /// Codes and names of analysis rules that are not reported on this object, with commas between them, or `*`.
    "galley.istio.io/analyze-suppress" on ANY is Form::Text;
    /// Lets a Gateway stand for a Service that exists.
    "gateway.istio.io/alias-for" on GATEWAY is Form::Text;
    /// The version of the controller that made the objects of a Gateway.
    "gateway.istio.io/controller-version" on ANY is Form::Text, automatic;
    /// Name of the Deployment and the Service that are made for a Gateway.
    "gateway.istio.io/name-override" on GATEWAY is Form::Text;
    /// Name of the service account of the pods that are made for a Gateway.
    "gateway.istio.io/service-account" on GATEWAY is Form::Text;
    /// Injection templates to use instead of the default one, with commas between their names. `gateway` makes the pod
    /// a gateway.
    "inject.istio.io/templates" on POD is Form::Text;
    /// The chart that an object of the installation came from.
    "install.operator.istio.io/chart-owner" on ANY is Form::Text, automatic;
    /// The generation to which an object of the installation was brought last.
    "install.operator.istio.io/owner-generation" on ANY is Form::Text, automatic;
    /// The version of Istio that installed the object.
    "install.operator.istio.io/version" on ANY is Form::Text, automatic;
    /// The WorkloadGroup that a WorkloadEntry was made from.
    "istio.io/autoRegistrationGroup" on WORKLOAD_ENTRY is Form::Text, automatic;
    /// When the workload of a WorkloadEntry connected to istiod.
    "istio.io/connectedAt" on WORKLOAD_ENTRY is Form::Text, automatic;
    /// When the workload of a WorkloadEntry lost its connection to istiod.
    "istio.io/disconnectedAt" on WORKLOAD_ENTRY is Form::Text, automatic;
    /// Evaluates a policy without enforcing it; metrics and logs tell what it would have done.
    "istio.io/dry-run" on AUTHORIZATION_POLICY is Form::Boolean;
    /// Virtual interfaces whose inbound traffic is treated as outbound, with commas between them: those of virtual
    /// machines or containers inside the pod.
    "istio.io/reroute-virtual-interfaces" on POD is Form::Interfaces;
    /// The revision of the control plane that injected the pod.
    "istio.io/rev" on ANY is Form::Text, automatic;
    /// The instance of istiod to which the workload of a WorkloadEntry is connected.
    "istio.io/workloadController" on WORKLOAD_ENTRY is Form::Text, automatic;
    /// Class of the controller that serves an Ingress.
    "kubernetes.io/ingress.class" on ANY is Form::Text;
    /// Type of the address that a Gateway reports.
    "networking.istio.io/address-type" on GATEWAY is Form::Text;
    /// Namespaces that see the service, with commas between them; `.` is its own and `*` all. Unset takes the default of
    /// the mesh.
    "networking.istio.io/exportTo" on SERVICE is Form::Text;
    /// Type of the Service that is made for a Gateway.
    "networking.istio.io/service-type" on GATEWAY is Form::Words(&["ClusterIP", "LoadBalancer", "NodePort"]);
    /// Which endpoints are preferred, such as `PreferClose`. The field `trafficDistribution` of a Service wins over it.
    "networking.istio.io/traffic-distribution" on TRAFFIC_DISTRIBUTION is Form::Text;
    /// Whether the proxy serves the application's Prometheus metrics together with its own. Unset takes the setting of
    /// the mesh.
    "prometheus.istio.io/merge-metrics" on POD is Form::Boolean;
    /// Ports and paths of the application whose metrics are merged, if there are several.
    "prometheus.istio.io/scrape-targets" on POD is Form::Text;
    /// Port on which the merged metrics are served with mutual TLS.
    "prometheus.istio.io/secure-port" on POD is Form::Text;
    /// Settings of this pod's proxy, over those of the mesh: fields of `ProxyConfig` in YAML.
    "proxy.istio.io/config" on PROXY is Form::ProxyConfig;
    /// What the pod itself said about its proxy's container before it was injected.
    "proxy.istio.io/overrides" on POD is Form::Text, automatic;
    /// Ports that had to be open before the proxy was ready. It has no effect any more.
    "readiness.status.sidecar.istio.io/applicationPorts" on POD is Form::Text;
    /// Failures in a row after which the proxy counts as not ready. Unset is 4.
    "readiness.status.sidecar.istio.io/failureThreshold" on POD is Form::Count;
    /// Seconds before the first readiness check of the proxy. Unset is 0.
    "readiness.status.sidecar.istio.io/initialDelaySeconds" on POD is Form::Count;
    /// Seconds between two readiness checks of the proxy. Unset is 15.
    "readiness.status.sidecar.istio.io/periodSeconds" on POD is Form::Count;
    /// Log levels of the agent beside the proxy, as `SCOPE:LEVEL` with commas between them.
    "sidecar.istio.io/agentLogLevel" on POD is Form::Text;
    /// ConfigMap with the bootstrap configuration of Envoy that replaces the generated one.
    "sidecar.istio.io/bootstrapOverride" on POD is Form::Text;
    /// Lets the proxy listen on ports below 1024.
    "sidecar.istio.io/capNetBindService" on POD is TRUE_OR_FALSE;
    /// Log levels of Envoy's components, as `COMPONENT:LEVEL` with commas between them.
    "sidecar.istio.io/componentLogLevel" on POD is Form::Text;
    /// How the proxy authenticates to the control plane. It has no effect any more.
    "sidecar.istio.io/controlPlaneAuthPolicy" on POD is Form::Text, deprecated "remove it: the connection always uses mutual TLS";
    /// Address of the control plane for this proxy.
    "sidecar.istio.io/discoveryAddress" on POD is Form::Text, deprecated "set `discoveryAddress` in `proxy.istio.io/config`";
    /// Whether Envoy may write core dumps.
    "sidecar.istio.io/enableCoreDump" on POD is Form::Text;
    /// More tags that metrics may have, with commas between them.
    "sidecar.istio.io/extraStatTags" on POD is Form::Text, deprecated "add tags with a Telemetry resource";
    /// Whether the pod gets a sidecar.
    "sidecar.istio.io/inject" on POD is TRUE_OR_FALSE, deprecated "use the label of the same name";
    /// How inbound traffic is sent to the proxy. Unset takes the setting of the mesh, as a rule `REDIRECT`.
    "sidecar.istio.io/interceptionMode" on POD is Form::Words(&["REDIRECT", "TPROXY", "NONE"]);
    /// Log level of Envoy. Unset is `warning`.
    "sidecar.istio.io/logLevel" on POD is Form::Words(&["trace", "debug", "info", "warning", "warn", "error", "critical", "off"]);
    /// Whether the proxy runs as a native sidecar: an init container that goes on. Unset takes the setting of the
    /// control plane.
    "sidecar.istio.io/nativeSidecar" on POD is Form::Boolean;
    /// CPU that the proxy asks for. One of the four resource annotations replaces all default resources.
    "sidecar.istio.io/proxyCPU" on POD is Form::Quantity;
    /// CPU that the proxy may use at most.
    "sidecar.istio.io/proxyCPULimit" on POD is Form::Quantity;
    /// Image of the proxy: a name in the installation's registry, or a whole reference.
    "sidecar.istio.io/proxyImage" on POD is Form::Text;
    /// Variant of the proxy's image, such as `distroless`.
    "sidecar.istio.io/proxyImageType" on POD is Form::Text;
    /// Memory that the proxy asks for.
    "sidecar.istio.io/proxyMemory" on POD is Form::Quantity;
    /// Memory that the proxy may use at most.
    "sidecar.istio.io/proxyMemoryLimit" on POD is Form::Quantity;
    /// Whether health checks of the application are sent through the agent, so that they work with mutual TLS. Unset
    /// takes the setting of the installation.
    "sidecar.istio.io/rewriteAppHTTPProbers" on POD is Form::Boolean;
    /// Buckets of histograms in statistics, as JSON from a prefix of metric names to a list of bounds.
    "sidecar.istio.io/statsHistogramBuckets" on POD is Form::JsonMapping;
    /// Prefixes of statistics that Envoy keeps, with commas between them.
    "sidecar.istio.io/statsInclusionPrefixes" on POD is Form::Text, deprecated "set `proxyStatsMatcher` in `proxy.istio.io/config`";
    /// Regular expressions of statistics that Envoy keeps, with commas between them.
    "sidecar.istio.io/statsInclusionRegexps" on POD is Form::Text, deprecated "set `proxyStatsMatcher` in `proxy.istio.io/config`";
    /// Suffixes of statistics that Envoy keeps, with commas between them.
    "sidecar.istio.io/statsInclusionSuffixes" on POD is Form::Text, deprecated "set `proxyStatsMatcher` in `proxy.istio.io/config`";
    /// What the injection added to the pod.
    "sidecar.istio.io/status" on POD is Form::Text, automatic;
    /// Volumes to add for the proxy, as JSON from names to volumes.
    "sidecar.istio.io/userVolume" on POD is Form::Text;
    /// Volume mounts to add to the proxy's container, as JSON from volume names to mounts.
    "sidecar.istio.io/userVolumeMount" on POD is Form::Text;
    /// Port of the agent's health and metrics endpoint. Unset is 15020; 0 turns it off, and the proxy's health checks.
    "status.sidecar.istio.io/port" on POD is Form::Port;
    /// Clusters whose istiod may lead this remote cluster, with commas between them, or `*`. On the namespace of the
    /// control plane.
    "topology.istio.io/controlPlaneClusters" on NAMESPACE is Form::Text;
    /// Labels of the nodes through which other networks reach a gateway Service of type NodePort, as `key=value` with
    /// commas between them.
    "traffic.istio.io/nodeSelector" on SERVICE is Form::Text;
    /// Inbound ports that are not sent to the proxy, with commas between them.
    "traffic.sidecar.istio.io/excludeInboundPorts" on POD is Form::Ports;
    /// Network interfaces whose traffic is not captured, with commas between them.
    "traffic.sidecar.istio.io/excludeInterfaces" on POD is Form::Interfaces;
    /// Destinations that are not sent to the proxy, as CIDR ranges with commas between them.
    "traffic.sidecar.istio.io/excludeOutboundIPRanges" on POD is Form::Ranges;
    /// Outbound ports that are not sent to the proxy, with commas between them.
    "traffic.sidecar.istio.io/excludeOutboundPorts" on POD is Form::Ports;
    /// Inbound ports that are sent to the proxy, with commas between them. Unset or `*` is all, empty is none.
    "traffic.sidecar.istio.io/includeInboundPorts" on POD is Form::PortsOrAll;
    /// Destinations that are sent to the proxy, as CIDR ranges with commas between them. Unset or `*` is all, empty is
    /// none.
    "traffic.sidecar.istio.io/includeOutboundIPRanges" on POD is Form::RangesOrAll;
    /// Outbound ports that are sent to the proxy whatever the destination, with commas between them.
    "traffic.sidecar.istio.io/includeOutboundPorts" on POD is Form::Text;
    /// Virtual interfaces whose inbound traffic is treated as outbound, with commas between them.
    "traffic.sidecar.istio.io/kubevirtInterfaces" on POD is Form::Interfaces, deprecated "use `istio.io/reroute-virtual-interfaces`";
};

const AUTHORIZATION_POLICY: &[Kind] = &[Kind::AuthorizationPolicy];
const TRAFFIC_DISTRIBUTION: &[Kind] = &[
    Kind::Service,
    Kind::ServiceEntry,
    Kind::WorkloadEntry,
    Kind::Namespace,
    Kind::KubernetesGateway,
];
const PROXY: &[Kind] = &[Kind::Pod, Kind::WorkloadGroup, Kind::WorkloadEntry];
const AUTOALLOCATE: &[Kind] = &[Kind::ServiceEntry];
const NETWORK: &[Kind] = &[
    Kind::Namespace,
    Kind::Pod,
    Kind::Service,
    Kind::KubernetesGateway,
    Kind::Node,
    Kind::WorkloadEntry,
    Kind::WorkloadGroup,
];
const NODE: &[Kind] = &[Kind::Node];

/// The labels, sorted by name.
pub static LABELS: &[MetadataKey] = keys! {
    /// The controller that made the object for a Gateway.
    "gateway.istio.io/managed" on ANY is Form::Text, automatic;
    /// The Gateway that the object was made for.
    "gateway.networking.k8s.io/gateway-name" on ANY is Form::Text, automatic;
    /// The component of the installation that the object belongs to.
    "install.operator.istio.io/owning-resource" on ANY is Form::Text, automatic;
    /// Whether new pods of the namespace get sidecars of the default revision. It wins over `istio.io/rev`.
    "istio-injection" on NAMESPACE is Form::Words(&["enabled", "disabled"]);
    /// Which data plane captures the traffic: `ambient`, or `none`. There is no value for sidecars.
    "istio.io/dataplane-mode" on NAMESPACE_AND_POD is Form::Words(&["ambient", "none"]);
    /// Marks a service that has the same meaning in every cluster.
    "istio.io/global" on ANY is TRUE_OR_FALSE;
    /// Sends traffic of ingress gateways through the waypoint of the service too.
    "istio.io/ingress-use-waypoint" on WAYPOINT_USERS is TRUE_OR_FALSE;
    /// The revision or tag of the control plane that is responsible for the object, and that injects the pods of a
    /// namespace.
    "istio.io/rev" on ANY is Form::Text;
    /// The tag of the control plane that an object of the installation belongs to.
    "istio.io/tag" on ANY is Form::Text;
    /// The waypoint that handles traffic of the object; `none` opts out.
    "istio.io/use-waypoint" on WAYPOINT_USERS is Form::Text;
    /// The namespace of the waypoint, if it is another one.
    "istio.io/use-waypoint-namespace" on WAYPOINT_USERS is Form::Text;
    /// What traffic a waypoint handles.
    "istio.io/waypoint-for" on GATEWAY_AND_CLASS is Form::Words(&["service", "workload", "all", "none"]);
    /// Whether a ServiceEntry without addresses gets some.
    "networking.istio.io/enable-autoallocate-ip" on AUTOALLOCATE is TRUE_OR_FALSE;
    /// Port of a gateway for traffic of other networks. Unset is 15443.
    "networking.istio.io/gatewayPort" on SERVICE is Form::Port;
    /// Tunnel protocols that a workload accepts.
    "networking.istio.io/tunnel" on POD is Form::Text, automatic;
    /// The component of the installation.
    "operator.istio.io/component" on ANY is Form::Text, automatic;
    /// Whether an operator keeps the object in shape.
    "operator.istio.io/managed" on ANY is Form::Text, automatic;
    /// The version of the operator that installed the object.
    "operator.istio.io/version" on ANY is Form::Text, automatic;
    /// Whether the workload accepts mutual TLS: `istio` or `disabled`. The injector sets it.
    "security.istio.io/tlsMode" on POD is Form::Text, automatic;
    /// The service that the workload is a part of, in telemetry.
    "service.istio.io/canonical-name" on POD is Form::Text;
    /// The version of the service that the workload is a part of, in telemetry.
    "service.istio.io/canonical-revision" on POD is Form::Text;
    /// The name of the workload in telemetry, instead of its owner's.
    "service.istio.io/workload-name" on POD is Form::Text;
    /// Whether the pod gets a sidecar.
    "sidecar.istio.io/inject" on POD is TRUE_OR_FALSE;
    /// The cluster of a workload. Istio works it out itself.
    "topology.istio.io/cluster" on ANY is Form::Text, automatic;
    /// The locality of a workload, as `region/zone/subzone`.
    "topology.istio.io/locality" on ANY is Form::Text;
    /// The network of the pods, or of the gateway that leads into it.
    "topology.istio.io/network" on NETWORK is Form::Text;
    /// A part of a zone.
    "topology.istio.io/subzone" on NODE is Form::Text;
};

/// The annotation with this key.
pub fn annotation(name: &str) -> Option<&'static MetadataKey> {
    find(ANNOTATIONS, name)
}

/// The label with this key.
pub fn label(name: &str) -> Option<&'static MetadataKey> {
    find(LABELS, name)
}

fn find(table: &'static [MetadataKey], name: &str) -> Option<&'static MetadataKey> {
    let position = table.binary_search_by(|key| key.name.cmp(name)).ok()?;
    table.get(position)
}

/// The annotation that `name` is most likely a misspelling of.
pub fn nearest_annotation(name: &str) -> Option<&'static MetadataKey> {
    nearest(ANNOTATIONS, name)
}

/// The label that `name` is most likely a misspelling of.
pub fn nearest_label(name: &str) -> Option<&'static MetadataKey> {
    nearest(LABELS, name)
}

/// The key that differs by two letters at most, or that has the same name (without regard to case and punctuation)
/// under another prefix.
fn nearest(table: &'static [MetadataKey], name: &str) -> Option<&'static MetadataKey> {
    const FARTHEST: usize = 2;
    let lower = name.to_ascii_lowercase();
    let candidates = table.iter().filter(|key| !key.is_automatic);
    let by_spelling = candidates
        .clone()
        .filter(|key| key.name.len().abs_diff(name.len()) <= FARTHEST)
        .map(|key| {
            (
                strsim::damerau_levenshtein(&lower, &key.name.to_ascii_lowercase()),
                key,
            )
        })
        .filter(|(distance, _)| *distance <= FARTHEST)
        .min_by_key(|(distance, key)| (*distance, key.name));
    if let Some((_, key)) = by_spelling {
        return Some(key);
    }
    let local = plain(local_name(name));
    let mut same = candidates.filter(|key| plain(local_name(key.name)) == local);
    // A short name, such as `port`, says nothing by itself.
    same.next().filter(|_| local.len() > 5 && same.next().is_none())
}

/// What follows the last slash.
fn local_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// Letters and digits only, in lower case.
fn plain(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

impl MetadataKey {
    /// Whether it has an effect on objects of a kind; [`Kind::Pod`] for pod templates.
    pub fn applies_to(&self, kind: Kind) -> bool {
        self.kinds.is_empty()
            || self.kinds.contains(&kind)
            // What a Gateway says is passed on to the pods that are made for it.
            || (kind == Kind::KubernetesGateway && self.kinds.contains(&Kind::Pod))
    }
}

impl Form {
    /// What is wrong with a value, as what follows "is" in a sentence or a whole clause; `None` if nothing is.
    pub fn problem(self, value: &str) -> Option<String> {
        match self {
            Self::Text => None,
            Self::Words(words) => {
                (!words.contains(&value)).then(|| format!("`{value}` is not one of {}", words.join(", ")))
            }
            Self::Boolean => (!is_boolean(value)).then(|| format!("`{value}` is neither true nor false")),
            Self::Port => port(value),
            Self::Count => (!is_digits(value) || value.parse::<u32>().is_err())
                .then(|| format!("`{value}` is not a whole number")),
            Self::PortsOrAll | Self::RangesOrAll if value == "*" => None,
            Self::Ports | Self::PortsOrAll => {
                let list = value.trim();
                (!list.is_empty())
                    .then(|| list.split(',').find_map(port))
                    .flatten()
            }
            Self::Ranges | Self::RangesOrAll => (!value.is_empty())
                .then(|| value.split(',').find_map(range))
                .flatten(),
            Self::Interfaces => (!value.is_empty())
                .then(|| value.split(',').find_map(interface))
                .flatten(),
            Self::Quantity => (!is_quantity(value))
                .then(|| format!("`{value}` is not an amount such as `100m`, `0.5` or `128Mi`")),
            Self::ProxyConfig => proxy_config(value),
            Self::JsonMapping => match serde_json::from_str::<serde_json::Value>(value) {
                Ok(serde_json::Value::Object(_)) => None,
                Ok(_) => Some("the value is not a JSON mapping".to_owned()),
                Err(error) => Some(format!("the value is not JSON: {error}")),
            },
        }
    }
}

/// Whether Go's `strconv.ParseBool` reads it.
fn is_boolean(value: &str) -> bool {
    matches!(
        value,
        "1" | "t" | "T" | "true" | "TRUE" | "True" | "0" | "f" | "F" | "false" | "FALSE" | "False"
    )
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn port(text: &str) -> Option<String> {
    let text = text.trim();
    (!is_digits(text) || text.parse::<u16>().is_err())
        .then(|| format!("`{text}` is not a port from 0 to 65535"))
}

fn range(text: &str) -> Option<String> {
    let is_range = text.contains('/') && text.parse::<ipnet::IpNet>().is_ok();
    (!is_range).then(|| {
        if text.trim() == text {
            format!("`{text}` is not a CIDR range such as `10.0.0.0/8`")
        } else {
            format!("`{text}` has a space, which lists of ranges cannot have")
        }
    })
}

/// Interface names of Linux: at most 15 characters, of those that the injector lets through.
fn interface(text: &str) -> Option<String> {
    const LONGEST: usize = 15;
    let text = text.trim();
    if text.is_empty() {
        return Some("an interface name is empty".to_owned());
    }
    let is_name = text.len() <= LONGEST
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.+@:".contains(&byte));
    (!is_name).then(|| format!("`{text}` is not the name of a network interface"))
}

/// Whether Kubernetes reads it as a quantity: a decimal number with a binary or decimal suffix or an exponent.
fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number = unsigned.len()
        - unsigned
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, suffix) = unsigned.split_at(number);
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit()) && number.matches('.').count() <= 1;
    let is_exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        is_digits(digits)
    });
    let is_suffix = matches!(
        suffix,
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi" | "Ei"
    );
    is_number && (is_suffix || is_exponent)
}

/// Why the text cannot be read as fields of a `ProxyConfig`.
fn proxy_config(text: &str) -> Option<String> {
    let document: Document = match mesh_yaml::parse(&Arc::from(text)).into_iter().next() {
        None => return None,
        Some(Ok(document)) => document,
        Some(Err(error)) => return Some(format!("the value is not YAML: {error}")),
    };
    if document.root().is_null() {
        return None;
    }
    let mut violations = Vec::new();
    check(document.root(), &MeshProxyConfig::TYPE, &mut violations);
    let violation = violations
        .into_iter()
        .find(|violation| violation.kind != ViolationKind::Deprecated)?;
    let help = violation.help.map(|help| format!("; {help}")).unwrap_or_default();
    Some(if violation.path.is_empty() {
        format!("the value is not a ProxyConfig: {}{help}", violation.message)
    } else {
        format!("in `{}`: {}{help}", violation.path, violation.message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_documented() {
        for table in [ANNOTATIONS, LABELS] {
            assert!(table.windows(2).all(|pair| pair[0].name < pair[1].name));
            for key in table {
                assert!(key.docs.trim().ends_with('.'), "{}", key.name);
                assert!(
                    key.name.contains("istio")
                        || key.name.contains("k8s.io")
                        || key.name.contains("kubernetes.io"),
                    "{}",
                    key.name
                );
            }
        }
        assert_eq!(
            annotation("proxy.istio.io/config").map(|key| key.form),
            Some(Form::ProxyConfig)
        );
        assert!(annotation("istio-injection").is_none() && label("istio-injection").is_some());
    }

    #[test]
    fn misspellings_are_recognised() {
        for (name, meant) in [
            ("sidecar.istio.io/injection", None),
            ("sidecar.istio.io/injct", Some("sidecar.istio.io/inject")),
            ("sidecar.istio.io/proxyCpu", Some("sidecar.istio.io/proxyCPU")),
            (
                "sidecar.istio.io/excludeOutboundPorts",
                Some("traffic.sidecar.istio.io/excludeOutboundPorts"),
            ),
            (
                "traffic.sidecar.istio.io/include-inbound-ports",
                Some("traffic.sidecar.istio.io/includeInboundPorts"),
            ),
            ("example.com/port", None),
            ("istio.io/whatever", None),
        ] {
            assert_eq!(nearest_annotation(name).map(|key| key.name), meant, "{name}");
        }
        assert_eq!(
            nearest_label("istio-injecton").map(|key| key.name),
            Some("istio-injection")
        );
    }

    #[test]
    fn values_are_judged_as_the_injector_does() {
        let good: [(Form, &[&str]); 13] = [
            (Form::Text, &["", "a"]),
            (Form::Words(&["REDIRECT"]), &["REDIRECT"]),
            (Form::Boolean, &["true", "F", "1"]),
            (Form::Port, &["0", "65535", " 80"]),
            (Form::Count, &["0", "4294967295"]),
            (Form::Ports, &["", "80", "80, 443 ,1"]),
            (Form::PortsOrAll, &["*", "80"]),
            (Form::Ranges, &["", "10.0.0.0/8,::/0"]),
            (Form::RangesOrAll, &["*", "10.0.0.1/8"]),
            (Form::Interfaces, &["", "eth0", "eth0,net1"]),
            (
                Form::Quantity,
                &["1", "100m", ".5", "1.", "128Mi", "1e3", "1E", "2E+2"],
            ),
            (
                Form::ProxyConfig,
                &[
                    "",
                    "{}",
                    "concurrency: 2",
                    "holdApplicationUntilProxyStarts: true\n",
                    "{\"tracing\": {\"sampling\": 100}}",
                ],
            ),
            (Form::JsonMapping, &["{\"a\": [1]}"]),
        ];
        for (form, values) in good {
            for value in values {
                assert_eq!(form.problem(value), None, "{form:?} {value:?}");
            }
        }
        let bad: [(Form, &[&str]); 12] = [
            (Form::Words(&["REDIRECT"]), &["redirect", ""]),
            (Form::Boolean, &["yes", "", "TRue"]),
            (Form::Port, &["", "65536", "-1", "http"]),
            (Form::Count, &["-1", "4294967296", "+1", " 1"]),
            (Form::Ports, &["*", "80,", "80;443", "70000"]),
            (Form::PortsOrAll, &["*,80", "http"]),
            (
                Form::Ranges,
                &["*", "10.0.0.0", "10.0.0.0/8, 10.1.0.0/16", "10.0.0.0/33"],
            ),
            (Form::RangesOrAll, &["*,10.0.0.0/8"]),
            (Form::Interfaces, &["eth0,", "a b", "abcdefghijklmnop"]),
            (Form::Quantity, &["", "-", "1 Gi", "1KB", "m", "1.2.3", "1e"]),
            (
                Form::ProxyConfig,
                &["concurency: 2", "concurrency: two", "- a", "a: [", "text"],
            ),
            (Form::JsonMapping, &["[]", "{"]),
        ];
        for (form, values) in bad {
            for value in values {
                assert!(form.problem(value).is_some(), "{form:?} {value:?}");
            }
        }
    }

    #[test]
    fn a_broken_proxy_config_says_where() {
        let problem = Form::ProxyConfig
            .problem("tracing: {samplng: 1}")
            .expect("a problem");
        assert!(
            problem.starts_with("in `tracing.samplng`: unknown field `samplng`; did you mean `sampling`?"),
            "{problem}"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_value_is_judged(value in "\\PC{0,40}") {
            for key in ANNOTATIONS.iter().chain(LABELS) {
                let _ = key.form.problem(&value);
            }
            let _ = (nearest_annotation(&value), nearest_label(&value));
        }
    }
}
