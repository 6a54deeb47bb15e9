//! `MeshConfig`: settings of the whole mesh, and of its proxies.

use std::collections::BTreeMap;

use super::destination_rule::{
    ClientTlsSettings, ConnectionPoolSettings, LocalityLoadBalancerSetting, OutlierDetection, TcpKeepalive,
    ZoneAwareLoadBalancerSetting,
};
use super::proxy_config::ProxyImage;
use super::telemetry::{EnvironmentTag, LiteralTag, RequestHeaderTag};
use super::virtual_service::HttpRetry;
use super::workload_group::ReadinessProbe;
use crate::schema::cel::PORT;
use crate::schema::{Any, Duration};
use mesh_macros::{Enum, Message};

/// Settings of the whole mesh. They are the key `mesh` of the `istio` config map in istiod's namespace,
/// and `meshConfig` in the values of an installation. istiod watches the map and most changes take
/// effect at once; `defaultConfig` is read when a pod is injected, so pods have to be restarted for it.
/// What is not set keeps the value that istiod compiles in, see `MeshConfig::compiled_defaults`.
///
/// ```yaml
/// accessLogFile: /dev/stdout
/// outboundTrafficPolicy:
///   mode: REGISTRY_ONLY
/// defaultConfig:
///   holdApplicationUntilProxyStarts: true
/// extensionProviders:
/// - name: otel
///   opentelemetry: { service: collector.observability.svc.cluster.local, port: 4317 }
/// defaultProviders:
///   tracing: [otel]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MeshConfig {
    /// Encoding of the access log of `accessLogFile`. Unset is `TEXT`.
    pub access_log_encoding: AccessLogEncoding,
    /// File that every proxy writes its access log to, such as `/dev/stdout`. Unset writes none. A
    /// `Telemetry` resource or a default provider takes its place.
    pub access_log_file: String,
    /// Format of the access log, with Envoy's `%..%` commands. For `JSON` it is an object of such
    /// texts. Unset takes Istio's own format.
    pub access_log_format: String,
    /// A certificate authority outside of istiod.
    pub ca: Option<CertificateAuthority>,
    /// More root certificates that workloads trust. Those of istiod's own authority are always
    /// included.
    pub ca_certificates: Vec<CertificateData>,
    /// DNS certificates that istiod makes for the control plane.
    #[field(deprecated = "leave it out; istiod no longer makes these certificates")]
    pub certificates: Vec<Certificate>,
    /// Where istiod reads configuration from. Unset is the Kubernetes API.
    pub config_sources: Vec<ConfigSource>,
    /// Time that proxies wait for a connection to open, 1 ms to 1 h. Unset is 10 s. A `DestinationRule`
    /// can change it for a host.
    pub connect_timeout: Option<Duration>,
    /// Settings of the proxies. Annotations of a pod and `ProxyConfig` resources can change them.
    pub default_config: Option<MeshProxyConfig>,
    /// Namespaces that see a `DestinationRule` without `exportTo`: `*`, `.`, or names. Unset is `*`.
    pub default_destination_rule_export_to: Vec<String>,
    /// Retries for HTTP routes that set none. Unset retries twice on failures that are safe to repeat.
    pub default_http_retry_policy: Option<HttpRetry>,
    /// Retries of the server's proxy between itself and the application. Unset retries twice when the
    /// connection is reset before the request is sent.
    pub default_inbound_http_retry_policy: Option<HttpRetry>,
    /// Telemetry providers to use where no `Telemetry` resource names one.
    pub default_providers: Option<DefaultProviders>,
    /// Namespaces that see a `ServiceEntry` without `exportTo`, or a Kubernetes service without the
    /// annotation: `*`, `.`, `~`, or names. Unset is `*`.
    pub default_service_export_to: Vec<String>,
    /// Connection settings for hosts whose `DestinationRule` leaves them unset.
    pub default_traffic_policy: Option<DefaultTrafficPolicy>,
    /// Namespaces that see a `VirtualService` without `exportTo`: `*`, `.`, or names. Unset is `*`.
    pub default_virtual_service_export_to: Vec<String>,
    /// Turns off the log of connections that no filter chain of a listener takes. Unset is `false`.
    pub disable_envoy_listener_log: bool,
    /// Namespaces that istiod looks at, of which one selector has to match. Unset is all. Objects in
    /// other namespaces do not exist for the mesh.
    pub discovery_selectors: Vec<LabelSelector>,
    /// Time after which proxies resolve host names again. Unset is 60 s. A shorter lifetime in the DNS
    /// answer wins.
    pub dns_refresh_rate: Option<Duration>,
    /// Uses mutual TLS without a `DestinationRule` wherever the server can. Unset is `true`.
    #[field(nullable)]
    pub enable_auto_mtls: Option<bool>,
    /// Sends access logs to the service in `envoyAccessLogService` of the proxy settings. Unset is
    /// `false`.
    pub enable_envoy_access_log_service: bool,
    /// Lets the agent serve the metrics of the application and of the proxy together on port 15020, and
    /// changes the scrape annotations of pods to match. Unset is `true`.
    #[field(nullable)]
    pub enable_prometheus_merge: Option<bool>,
    /// Makes proxies take part in tracing. It needs a provider or a tracer as well. Unset is `true`.
    pub enable_tracing: bool,
    /// Services for telemetry and authorization that other resources refer to by name. `prometheus`,
    /// `stackdriver` and `envoy` exist without being listed.
    pub extension_providers: Vec<ExtensionProvider>,
    /// Whether proxies send HTTP/1.1 on as HTTP/2, for hosts whose `DestinationRule` does not say.
    /// Unset is `DO_NOT_UPGRADE`.
    pub h2_upgrade_policy: H2UpgradePolicy,
    /// Time without use after which a proxy closes a tunnel to ztunnel, as a duration such as `30m`.
    /// Unset is 1 hour. Choose less than the time in which pod addresses are used again.
    pub hbone_idle_timeout: String,
    /// Pattern for the names of inbound clusters in statistics. It may hold `%SERVICE%`,
    /// `%SERVICE_NAME%`, `%SERVICE_FQDN%`, `%SERVICE_PORT%`, `%TARGET_PORT%` and `%SERVICE_PORT_NAME%`.
    /// Unset keeps the clusters' own names.
    pub inbound_cluster_stat_name: String,
    /// Where a sidecar sends inbound traffic. Unset is the address of the pod.
    pub inbound_traffic_policy: Option<InboundTrafficPolicy>,
    /// Class of the Kubernetes `Ingress` objects that Istio serves. Unset is `istio`.
    pub ingress_class: String,
    /// Which Kubernetes `Ingress` objects Istio serves. Unset is `STRICT`.
    pub ingress_controller_mode: IngressControllerMode,
    /// Value of the label `istio` on the gateway pods that serve `Ingress` objects. Unset follows
    /// `ingressService`, or is `ingressgateway`.
    pub ingress_selector: String,
    /// Kubernetes service in front of the gateway for `Ingress` objects. Its address becomes their
    /// status. Unset is `istio-ingressgateway`.
    pub ingress_service: String,
    /// Locality load balancing for all hosts. Unset is on, without rules. It needs outlier detection to
    /// have an effect on a host.
    pub locality_lb_setting: Option<LocalityLoadBalancerSetting>,
    /// TLS settings for mutual TLS between workloads. `ecdhCurves` is not allowed here.
    #[field(name = "meshMTLS", also = "mesh_mTLS")]
    pub mesh_mtls: Option<TlsConfig>,
    /// Pattern for the names of outbound clusters in statistics. It may hold `%SERVICE%`,
    /// `%SERVICE_NAME%`, `%SERVICE_FQDN%`, `%SERVICE_PORT%`, `%SERVICE_PORT_NAME%` and `%SUBSET_NAME%`.
    /// Unset keeps the clusters' own names.
    pub outbound_cluster_stat_name: String,
    /// What happens to traffic for unknown destinations. Unset lets it through. A `Sidecar` can change
    /// it.
    pub outbound_traffic_policy: Option<OutboundTrafficPolicy>,
    /// How paths are normalized before routing and authorization.
    pub path_normalization: Option<ProxyPathNormalization>,
    /// Time that a proxy waits for the first bytes when it has to detect the protocol, as a duration.
    /// `0s` waits forever, which is the default. Other values can break protocols in which the server
    /// speaks first.
    pub protocol_detection_timeout: String,
    /// Port on which sidecars act as an HTTP proxy for the application. Unset is none.
    pub proxy_http_port: i32,
    /// Port on which sidecars take redirected inbound traffic. Unset is 15006.
    pub proxy_inbound_listen_port: i32,
    /// Port on which sidecars take redirected outbound traffic. Unset is 15001.
    pub proxy_listen_port: i32,
    /// Namespace whose policies hold for the whole mesh. Unset is `istio-system`.
    pub root_namespace: String,
    /// Limits which namespaces see a `ServiceEntry`, as a rule of the mesh's operators. Unset is
    /// everything, by `exportTo`.
    pub service_entry_visibility: Option<ServiceEntryVisibility>,
    /// Which services other clusters of an ambient mesh can reach. Services that nothing matches are
    /// local.
    pub service_scope_configs: Vec<ServiceScopeConfigs>,
    /// Settings for single services, by host.
    pub service_settings: Vec<ServiceSettings>,
    /// TCP keep-alive probes on connections to services. Unset sends none.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// TLS settings for all traffic but mutual TLS between workloads.
    pub tls_defaults: Option<TlsConfig>,
    /// Root of all identities in the mesh, as in `spiffe://trust-domain/ns/..`. Unset is
    /// `cluster.local`.
    pub trust_domain: String,
    /// Other trust domains whose identities count as if they were of `trustDomain`. Used while moving
    /// from one to another.
    pub trust_domain_aliases: Vec<String>,
    /// Whether clients check server certificates against the operating system's authorities if a
    /// `DestinationRule` names none.
    #[field(nullable, deprecated = "leave it out; verification is on by default")]
    pub verify_certificate_at_client: Option<bool>,
    /// Zone-aware load balancing for all hosts. Unset is off. It wins over `localityLbSetting`.
    pub zone_aware_lb_setting: Option<ZoneAwareLoadBalancerSetting>,
}

impl MeshConfig {
    /// The values that istiod compiles in and that hold where the mesh's configuration says nothing.
    ///
    /// An installation by Helm or by istioctl sets some more on top, such as the default provider of metrics.
    pub fn compiled_defaults() -> Self {
        let everywhere = || vec!["*".to_owned()];
        let provider = |name: &str| ExtensionProvider {
            name: name.to_owned(),
            ..ExtensionProvider::default()
        };
        Self {
            connect_timeout: Some(Duration::from_millis(10_000)),
            default_config: Some(MeshProxyConfig::compiled_defaults()),
            default_destination_rule_export_to: everywhere(),
            default_providers: Some(DefaultProviders::default()),
            default_service_export_to: everywhere(),
            default_virtual_service_export_to: everywhere(),
            dns_refresh_rate: Some(Duration::from_millis(60_000)),
            enable_auto_mtls: Some(true),
            enable_prometheus_merge: Some(true),
            enable_tracing: true,
            extension_providers: vec![
                ExtensionProvider {
                    prometheus: Some(PrometheusMetricsProvider::default()),
                    ..provider("prometheus")
                },
                ExtensionProvider {
                    stackdriver: Some(StackdriverProvider::default()),
                    ..provider("stackdriver")
                },
                ExtensionProvider {
                    envoy_file_access_log: Some(EnvoyFileAccessLogProvider {
                        path: "/dev/stdout".to_owned(),
                        ..EnvoyFileAccessLogProvider::default()
                    }),
                    ..provider("envoy")
                },
            ],
            inbound_traffic_policy: Some(InboundTrafficPolicy {
                mode: InboundTrafficPolicyMode::Passthrough,
            }),
            ingress_class: "istio".to_owned(),
            ingress_controller_mode: IngressControllerMode::Strict,
            ingress_service: "istio-ingressgateway".to_owned(),
            locality_lb_setting: Some(LocalityLoadBalancerSetting {
                enabled: Some(true),
                ..LocalityLoadBalancerSetting::default()
            }),
            outbound_traffic_policy: Some(OutboundTrafficPolicy {
                mode: OutboundTrafficPolicyMode::AllowAny,
                tls: None,
            }),
            protocol_detection_timeout: "0s".to_owned(),
            proxy_inbound_listen_port: 15006,
            proxy_listen_port: 15001,
            root_namespace: "istio-system".to_owned(),
            trust_domain: "cluster.local".to_owned(),
            ..Self::default()
        }
    }
}

impl MeshProxyConfig {
    /// The values that istiod compiles in for proxies.
    pub fn compiled_defaults() -> Self {
        Self {
            binary_path: "/usr/local/bin/envoy".to_owned(),
            config_path: "./etc/istio/proxy".to_owned(),
            control_plane_auth_policy: AuthenticationPolicy::MutualTls,
            discovery_address: "istiod.istio-system.svc:15012".to_owned(),
            drain_duration: Some(Duration::from_millis(45_000)),
            proxy_admin_port: 15000,
            service_cluster: Some("istio-proxy".to_owned()),
            stat_name_length: 189,
            status_port: 15020,
            termination_drain_duration: "5s".to_owned(),
            ..Self::default()
        }
    }
}

/// What proxies do with traffic for destinations that are not in the registry.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OutboundTrafficPolicy {
    /// Whether unknown destinations can be reached.
    pub mode: OutboundTrafficPolicyMode,
    /// TLS for connections to unknown destinations. Only with `ALLOW_ANY_DYNAMIC_DNS`.
    pub tls: Option<ClientTlsSettings>,
}

/// Whether destinations outside the registry can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum OutboundTrafficPolicyMode {
    /// Only known services and `ServiceEntry` hosts can be reached.
    #[default]
    RegistryOnly,
    /// Traffic for unknown destinations goes to the address that the application dialled.
    AllowAny,
    /// Traffic for unknown destinations goes to the host that it names, resolved by the proxy. Only for
    /// the mesh, not in a `Sidecar`.
    AllowAnyDynamicDns,
}

/// Where sidecars send traffic for the application.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct InboundTrafficPolicy {
    /// Address that the application gets traffic on. Unset is `PASSTHROUGH`.
    pub mode: InboundTrafficPolicyMode,
}

/// Address that the application gets traffic on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum InboundTrafficPolicyMode {
    /// The address that the client dialled: the pod's own.
    #[default]
    Passthrough,
    /// The loopback address, for applications that listen only there.
    Localhost,
}

/// A root certificate that workloads trust.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("pem", "spiffeBundleUrl"))]
pub struct CertificateData {
    /// Kubernetes signers whose certificates it checks. Unset is all.
    pub cert_signers: Vec<String>,
    /// The certificate in PEM format.
    pub pem: Option<String>,
    /// URL of a SPIFFE bundle from which the certificates are fetched. The server has to have a
    /// publicly trusted certificate.
    pub spiffe_bundle_url: Option<String>,
    /// Trust domains that it vouches for. Unset is the mesh's own and its aliases.
    pub trust_domains: Vec<String>,
}

/// Settings for the services of some hosts.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceSettings {
    /// Hosts that the settings are for. Full names or wildcards such as `*.payments.svc.cluster.local`.
    pub hosts: Vec<String>,
    /// The settings.
    pub settings: Option<ServiceSettingsValues>,
}

/// Settings of a service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceSettingsValues {
    /// Keeps traffic within a cluster, when the service runs in several. Unset is `false`, except for
    /// services of the control plane and of `kube-system`.
    pub cluster_local: bool,
}

/// Makes some services local to their cluster or reachable from others, in an ambient mesh. A service
/// has to fit both selectors.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceScopeConfigs {
    /// Namespaces of the services. Unset is all.
    pub namespace_selector: Option<LabelSelector>,
    /// Where the services can be reached from.
    pub scope: ServiceScope,
    /// Labels of the services. Unset is all.
    pub services_selector: Option<LabelSelector>,
}

/// Where a service can be reached from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ServiceScope {
    /// Its own cluster only.
    #[default]
    Local,
    /// Every cluster of the mesh.
    Global,
}

/// Which namespaces see a `ServiceEntry`, decided by the mesh's operators instead of the resource
/// itself.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceEntryVisibility {
    /// Makes sidecars follow these rules too. Unset is `false`: only ztunnel and waypoints do, and
    /// sidecars follow `exportTo`.
    pub apply_to_sidecars: bool,
    /// Visibility where no policy matches. Unset is `PUBLIC`.
    pub default_visibility: ServiceEntryScope,
    /// Policies, in order. The first whose rules all match decides.
    pub policies: Vec<ServiceEntryVisibilityPolicy>,
}

/// Visibility of the `ServiceEntry` resources that the rules match.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceEntryVisibilityPolicy {
    /// Rules, all of which have to match.
    pub matching_rules: Vec<ServiceEntryMatchRule>,
    /// Visibility of the resources that match.
    pub visibility: ServiceEntryScope,
}

/// A condition on a `ServiceEntry`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServiceEntryMatchRule {
    /// Labels of the namespace that the resource is in.
    pub namespace_selector: Option<LabelSelector>,
}

/// Which namespaces see a `ServiceEntry`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ServiceEntryScope {
    /// No choice. It acts like `PUBLIC`.
    #[default]
    VisibilityUnspecified,
    /// None: the resource has no effect.
    None,
    /// Its own namespace.
    Namespace,
    /// Every namespace that the control plane serves.
    Public,
}

/// A certificate authority outside of istiod.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CertificateAuthority {
    /// Address of the authority, as `host:port`.
    #[field(required)]
    pub address: String,
    /// Lets istiod ask the authority on behalf of workloads, rather than the agents by themselves.
    pub istiod_side: bool,
    /// Time for a request to the authority. Unset is 10 s.
    pub request_timeout: Option<Duration>,
    /// TLS settings for connections to the authority.
    pub tls_settings: Option<ClientTlsSettings>,
}

/// A service for telemetry or authorization that other resources refer to by name. Give the name and
/// exactly one kind of provider.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of(
    "envoyExtAuthzHttp",
    "envoyExtAuthzGrpc",
    "zipkin",
    "lightstep",
    "datadog",
    "stackdriver",
    "opencensus",
    "skywalking",
    "opentelemetry",
    "prometheus",
    "envoyFileAccessLog",
    "envoyHttpAls",
    "envoyTcpAls",
    "envoyOtelAls",
    "sds"
))]
pub struct ExtensionProvider {
    /// Traces to a Datadog agent.
    pub datadog: Option<DatadogTracingProvider>,
    /// Authorization by a service that speaks Envoy's gRPC protocol. Used by an `AuthorizationPolicy`
    /// with action `CUSTOM`.
    pub envoy_ext_authz_grpc: Option<EnvoyExternalAuthorizationGrpcProvider>,
    /// Authorization by an HTTP service. Used by an `AuthorizationPolicy` with action `CUSTOM`.
    pub envoy_ext_authz_http: Option<EnvoyExternalAuthorizationHttpProvider>,
    /// Access logs to a file or stream of the proxy.
    pub envoy_file_access_log: Option<EnvoyFileAccessLogProvider>,
    /// Access logs of HTTP traffic to a gRPC service.
    pub envoy_http_als: Option<EnvoyHttpGrpcV3LogProvider>,
    /// Access logs to an OpenTelemetry collector.
    pub envoy_otel_als: Option<EnvoyOpenTelemetryLogProvider>,
    /// Access logs of TCP traffic to a gRPC service.
    pub envoy_tcp_als: Option<EnvoyTcpGrpcV3LogProvider>,
    /// Traces to Lightstep.
    #[field(deprecated = "use `opentelemetry`")]
    pub lightstep: Option<LightstepTracingProvider>,
    /// Name of the provider, unique in the mesh.
    #[field(required, min_length = 1)]
    pub name: String,
    /// Traces to an `OpenCensus` agent. Envoy no longer supports it.
    #[field(deprecated = "use `opentelemetry`")]
    pub opencensus: Option<OpenCensusAgentTracingProvider>,
    /// Traces to an OpenTelemetry collector.
    pub opentelemetry: Option<OpenTelemetryTracingProvider>,
    /// Metrics for Prometheus to scrape.
    pub prometheus: Option<PrometheusMetricsProvider>,
    /// Secrets for gateways from a service of Envoy's secret discovery protocol.
    pub sds: Option<SdsProvider>,
    /// Traces to an Apache SkyWalking collector.
    pub skywalking: Option<SkyWalkingTracingProvider>,
    /// Telemetry to Google Cloud.
    pub stackdriver: Option<StackdriverProvider>,
    /// Traces to a service of the Zipkin API.
    pub zipkin: Option<ZipkinTracingProvider>,
}

/// How the body of a request is sent to an authorization service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyExternalAuthorizationRequestBody {
    /// Sends what fits of a body that is larger than `maxRequestBytes`. Unset is `false`, which answers
    /// such a request with 413.
    pub allow_partial_message: bool,
    /// Largest number of bytes to hold back and send.
    pub max_request_bytes: u32,
    /// Sends the body as bytes rather than as UTF-8 text. Unset is `false`. It has no effect for HTTP
    /// services.
    pub pack_as_bytes: bool,
}

/// An authorization service over HTTP. Status 200 allows a request; other answers are given to the
/// client.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyExternalAuthorizationHttpProvider {
    /// Chooses the route again after headers were changed. Unset is `false`.
    pub clear_route_cache: bool,
    /// Allows requests when the service cannot be reached or answers with 5xx. Unset is `false`.
    pub fail_open: bool,
    /// Headers of the service's answer to add to the response when it allows: names, or patterns with a
    /// `*` at the start or end. Unset is none.
    pub headers_to_downstream_on_allow: Vec<String>,
    /// Headers of the service's answer to give to the client when it denies: names, or patterns with a
    /// `*` at the start or end. Unset is all.
    pub headers_to_downstream_on_deny: Vec<String>,
    /// Headers of the service's answer to set on the request when it allows: names, or patterns with a
    /// `*` at the start or end. Unset is none.
    pub headers_to_upstream_on_allow: Vec<String>,
    /// Headers with fixed values to send to the service. They replace those of the client.
    pub include_additional_headers_in_check: BTreeMap<String, String>,
    /// Headers of the request to send to the service.
    #[field(deprecated = "use `includeRequestHeadersInCheck`")]
    pub include_headers_in_check: Vec<String>,
    /// Sends the body of the request to the service. Unset sends none.
    pub include_request_body_in_check: Option<EnvoyExternalAuthorizationRequestBody>,
    /// Headers of the request to send to the service: names, or patterns with a `*` at the start or
    /// end. Host, method and path are always sent.
    pub include_request_headers_in_check: Vec<String>,
    /// Path of the service, put before the path of the request. It starts with `/`.
    pub path_prefix: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`. The namespace tells apart services with the same host.
    #[field(required, min_length = 1)]
    pub service: String,
    /// HTTP status for the client when the service cannot be reached, such as `"503"`. Unset is 403.
    pub status_on_error: String,
    /// Time for a check. Unset is 10 minutes.
    pub timeout: Option<Duration>,
}

/// An authorization service over gRPC, by Envoy's `envoy.service.auth.v3.Authorization`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyExternalAuthorizationGrpcProvider {
    /// Chooses the route again after headers were changed. Unset is `false`.
    pub clear_route_cache: bool,
    /// Allows requests when the service cannot be reached. Unset is `false`.
    pub fail_open: bool,
    /// Sends the body of the request to the service. Unset sends none.
    pub include_request_body_in_check: Option<EnvoyExternalAuthorizationRequestBody>,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`. The namespace tells apart services with the same host.
    #[field(required, min_length = 1)]
    pub service: String,
    /// HTTP status for the client when the service cannot be reached, such as `"503"`. Unset is 403.
    pub status_on_error: String,
    /// Time for a check. Unset is 10 minutes.
    pub timeout: Option<Duration>,
}

/// A service that takes traces by the Zipkin API.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ZipkinTracingProvider {
    /// Makes trace IDs of 64 bits. Unset is `false`, which makes 128 bits.
    pub enable_64bit_trace_id: bool,
    /// Headers to send with spans.
    pub headers: Vec<ProviderHeader>,
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
    /// Path of the API. Unset is `/api/v2/spans`.
    pub path: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
    /// Time for sending spans. Unset is 5 s.
    pub timeout: Option<Duration>,
    /// Headers that carry the trace. Unset is `USE_B3`.
    pub trace_context_option: ZipkinTraceContextOption,
}

/// Headers that carry a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ZipkinTraceContextOption {
    /// B3 headers only.
    #[default]
    UseB3,
    /// B3 headers, and `traceparent` as well: it is read if B3 is missing, and both are sent.
    UseB3WithW3cPropagation,
}

/// A Lightstep satellite.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LightstepTracingProvider {
    /// Token for access to Lightstep.
    pub access_token: String,
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// A Datadog agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DatadogTracingProvider {
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// An Apache SkyWalking collector.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SkyWalkingTracingProvider {
    /// Token for access to the collector.
    pub access_token: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// Google Cloud's logging, monitoring and tracing.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StackdriverProvider {
    /// Prints spans to the proxy's log.
    #[field(deprecated = "leave it out; it has no effect")]
    pub debug: bool,
    /// Settings of access logs.
    pub logging: Option<StackdriverLogging>,
    /// Largest number of annotations in a span.
    #[field(nullable, deprecated = "leave it out; it has no effect")]
    pub max_number_of_annotations: Option<i64>,
    /// Largest number of attributes in a span.
    #[field(nullable, deprecated = "leave it out; it has no effect")]
    pub max_number_of_attributes: Option<i64>,
    /// Largest number of message events in a span.
    #[field(nullable, deprecated = "leave it out; it has no effect")]
    pub max_number_of_message_events: Option<i64>,
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
}

/// Settings of access logs in Google Cloud.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StackdriverLogging {
    /// Labels of log entries, as CEL expressions over the request.
    pub labels: BTreeMap<String, String>,
}

/// An `OpenCensus` agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OpenCensusAgentTracingProvider {
    /// Formats of trace headers to read and write, in order of preference.
    pub context: Vec<TraceContext>,
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// Format of trace headers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TraceContext {
    /// No choice.
    #[default]
    Unspecified,
    /// The header `traceparent`.
    #[value("W3C_TRACE_CONTEXT")]
    W3cTraceContext,
    /// The header `grpc-trace-bin`.
    GrpcBin,
    /// The header `X-Cloud-Trace-Context`.
    CloudTraceContext,
    /// The headers `X-B3-*`.
    #[value("B3")]
    B3,
}

/// Metrics that Prometheus scrapes from the proxies. It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct PrometheusMetricsProvider {}

/// Access logs to a file of the proxy.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyFileAccessLogProvider {
    /// Format of an entry. Unset takes Istio's own text format.
    pub log_format: Option<FileLogFormat>,
    /// Leaves empty values out: nothing instead of `-` in text, and no key in JSON. Unset is `false`.
    pub omit_empty_values: bool,
    /// File to write to. Unset is `/dev/stdout`.
    pub path: String,
}

/// Format of an entry in an access log file.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("text", "labels"))]
pub struct FileLogFormat {
    /// JSON object to write, whose texts may hold Envoy's `%..%` commands. An empty object takes
    /// Istio's own.
    pub labels: Option<Any>,
    /// Text to write, with Envoy's `%..%` commands. Unset with a format of text takes Istio's own.
    pub text: Option<String>,
}

/// A service that takes access logs of HTTP traffic by Envoy's gRPC protocol.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyHttpGrpcV3LogProvider {
    /// Request headers to include.
    pub additional_request_headers_to_log: Vec<String>,
    /// Response headers to include.
    pub additional_response_headers_to_log: Vec<String>,
    /// Response trailers to include.
    pub additional_response_trailers_to_log: Vec<String>,
    /// Objects of the proxy's filter state to include.
    pub filter_state_objects_to_log: Vec<String>,
    /// Name of the log. Unset is `http_envoy_accesslog`.
    pub log_name: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// A service that takes access logs of TCP traffic by Envoy's gRPC protocol.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyTcpGrpcV3LogProvider {
    /// Objects of the proxy's filter state to include.
    pub filter_state_objects_to_log: Vec<String>,
    /// Name of the log. Unset is `tcp_envoy_accesslog`, or `listener_envoy_accesslog` for listeners.
    pub log_name: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// An OpenTelemetry collector that takes access logs.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvoyOpenTelemetryLogProvider {
    /// Format of an entry. Unset takes Istio's own text format.
    pub log_format: Option<OpenTelemetryLogFormat>,
    /// Name of the log. Unset is `otel_envoy_accesslog`.
    pub log_name: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// Format of an OpenTelemetry log record.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OpenTelemetryLogFormat {
    /// Attributes of the record, whose texts may hold Envoy's `%..%` commands.
    pub labels: Option<Any>,
    /// Body of the record, with Envoy's `%..%` commands. Unset takes Istio's own format.
    pub text: String,
}

/// An OpenTelemetry collector that takes traces, over gRPC unless `http` is set.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("http", "grpc"))]
pub struct OpenTelemetryTracingProvider {
    /// Lets Dynatrace decide which requests are traced. Unset samples by percentage.
    pub dynatrace_sampler: Option<DynatraceSampler>,
    /// Settings for sending over gRPC.
    pub grpc: Option<GrpcExport>,
    /// Sends over HTTP with these settings.
    pub http: Option<HttpExport>,
    /// Longest path in a tag. Unset is 256.
    pub max_tag_length: u32,
    /// Port of the service, normally 4317 for gRPC and 4318 for HTTP.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Sources of attributes that describe the proxy.
    pub resource_detectors: Option<ResourceDetectors>,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
    /// How the attributes about the service are found. Unset is `ISTIO_CANONICAL`.
    pub service_attribute_enrichment: ServiceAttributeEnrichment,
}

/// Sampling that Dynatrace controls.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DynatraceSampler {
    /// Number of the cluster in Dynatrace.
    pub cluster_id: i32,
    /// Service to ask for sampling settings. Unset asks the one that takes the traces.
    pub http_service: Option<DynatraceApi>,
    /// Sampled requests per minute when Dynatrace cannot be asked. Unset or 0 is 1000.
    pub root_spans_per_minute: u32,
    /// Identifier of the tenant in Dynatrace.
    pub tenant: String,
}

/// Service that serves sampling settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DynatraceApi {
    /// Path, timeout and headers of requests to it. Authorization needs a header.
    pub http: Option<HttpExport>,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// A service that hands secrets to gateways, by Envoy's secret discovery protocol.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SdsProvider {
    /// Name by which a gateway's `credentialName` refers to the service.
    #[field(required, min_length = 1)]
    pub name: String,
    /// Port of the service.
    #[field(required, cel(PORT))]
    pub port: u32,
    /// Service, as `host` or `namespace/host`.
    #[field(required, min_length = 1)]
    pub service: String,
}

/// How requests to a provider are made over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HttpExport {
    /// Headers to send.
    pub headers: Vec<ProviderHeader>,
    /// Path of the requests.
    pub path: String,
    /// Time for a request. Unset is 3 s.
    pub timeout: Option<Duration>,
}

/// How calls to a provider are made over gRPC.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct GrpcExport {
    /// Metadata to send.
    pub initial_metadata: Vec<ProviderHeader>,
    /// Time for a call.
    pub timeout: Option<Duration>,
}

/// A header to send to a provider.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("value", "envName"))]
pub struct ProviderHeader {
    /// Environment variable of istiod that holds the value. The value is then visible in the proxies'
    /// configuration.
    pub env_name: Option<String>,
    /// Name of the header.
    #[field(required, min_length = 1)]
    pub name: String,
    /// Value of the header.
    pub value: Option<String>,
}

/// Sources of attributes that describe the proxy in traces.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ResourceDetectors {
    /// Attributes from files of a Dynatrace agent.
    pub dynatrace: Option<DynatraceResourceDetector>,
    /// Attributes from the environment variable `OTEL_RESOURCE_ATTRIBUTES` of the proxy.
    pub environment: Option<EnvironmentResourceDetector>,
}

/// Attributes from the environment of the proxy. It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct EnvironmentResourceDetector {}

/// Attributes from a Dynatrace agent. It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DynatraceResourceDetector {}

/// How the attributes about the service in a trace are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ServiceAttributeEnrichment {
    /// By Istio's naming, see `tracingServiceName`.
    #[default]
    IstioCanonical,
    /// By the OpenTelemetry conventions for Kubernetes: annotations of the pod, then its well-known
    /// labels, then its owner.
    OtelSemanticConventions,
}

/// Telemetry providers to use where no `Telemetry` resource names one. The entries are names of
/// `extensionProviders`.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DefaultProviders {
    /// Providers of access logs. Unset is none, unless `accessLogFile` is set.
    pub access_logging: Vec<String>,
    /// Providers of metrics. The values of an installation set `prometheus`.
    pub metrics: Vec<String>,
    /// Providers of traces. Only one is used.
    pub tracing: Vec<String>,
}

/// How paths of requests are normalized before routing and authorization.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyPathNormalization {
    /// Steps of the normalization. Unset is `DEFAULT`.
    pub normalization: NormalizationType,
}

/// Steps of path normalization. Each kind includes the steps of the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum NormalizationType {
    /// The same as `BASE`.
    #[default]
    Default,
    /// Nothing is changed. Policies by path can be tricked then.
    None,
    /// Dot segments are resolved, `\` becomes `/`, and percent-encoded unreserved characters are
    /// decoded, as RFC 3986 describes.
    Base,
    /// Runs of slashes become one.
    MergeSlashes,
    /// Encoded slashes are decoded first: `%2F`, `%2f`, `%5C` and `%5c`.
    DecodeAndMergeSlashes,
}

/// Limits on TLS connections.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct TlsConfig {
    /// Cipher suites for TLS 1.2, by their OpenSSL names. Unset takes Envoy's defaults.
    pub cipher_suites: Vec<String>,
    /// Curves for the key exchange, such as `X25519` and `P-256`, in order of preference. Unset takes
    /// Envoy's defaults.
    pub ecdh_curves: Vec<String>,
    /// Oldest TLS version to accept. Unset is TLS 1.2.
    pub min_protocol_version: MeshTlsProtocol,
}

/// A TLS version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum MeshTlsProtocol {
    /// The default: TLS 1.2.
    #[value("TLS_AUTO")]
    #[default]
    Auto,
    /// TLS 1.2.
    #[value("TLSV1_2")]
    TlsV12,
    /// TLS 1.3.
    #[value("TLSV1_3")]
    TlsV13,
}

/// Connection settings for all hosts. A `DestinationRule` that sets a block replaces that block.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DefaultTrafficPolicy {
    /// Limits on connections and requests.
    pub connection_pool: Option<ConnectionPoolSettings>,
    /// When failing endpoints are taken out.
    pub outlier_detection: Option<OutlierDetection>,
}

/// Chooses objects by their labels, as Kubernetes does. Everything that is set has to hold, and an
/// empty selector chooses all.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LabelSelector {
    /// Conditions on labels.
    pub match_expressions: Vec<LabelSelectorRequirement>,
    /// Labels and the values that they have to have.
    pub match_labels: BTreeMap<String, String>,
}

/// A condition on a label.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LabelSelectorRequirement {
    /// Name of the label.
    #[field(required)]
    pub key: String,
    /// How to compare: `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[field(required)]
    pub operator: String,
    /// Values for `In` and `NotIn`. Empty for the others.
    pub values: Vec<String>,
}

/// A place that istiod reads configuration from.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConfigSource {
    /// Address of the source: `xds://host:port` for a server of Istio's configuration protocol,
    /// `fs:///path` for files, or `k8s://` for the cluster.
    pub address: String,
    /// Kinds of data to read from it. Unset is all configuration.
    pub subscribed_resources: Vec<ConfigResource>,
    /// TLS settings for connections to the source.
    pub tls_settings: Option<ClientTlsSettings>,
}

/// A kind of data from a configuration source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ConfigResource {
    /// Services and their endpoints, from `ServiceEntry` and `WorkloadEntry` resources.
    #[default]
    ServiceRegistry,
}

/// A DNS certificate for the control plane.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Certificate {
    /// Names that the certificate is for.
    pub dns_names: Vec<String>,
    /// Secret that holds the certificate.
    pub secret_name: String,
}

/// Which Kubernetes `Ingress` objects Istio serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum IngressControllerMode {
    /// No choice. The compiled-in `STRICT` holds.
    #[default]
    Unspecified,
    /// None.
    Off,
    /// Those of the class in `ingressClass`, and those without any class.
    Default,
    /// Those of the class in `ingressClass`.
    Strict,
}

/// Encoding of an access log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum AccessLogEncoding {
    /// One line of text for each entry.
    #[default]
    Text,
    /// One JSON object for each entry.
    Json,
}

/// Whether proxies send HTTP/1.1 on as HTTP/2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum H2UpgradePolicy {
    /// HTTP/1.1 stays.
    #[default]
    DoNotUpgrade,
    /// HTTP/2 is sent. Servers have to understand it without TLS negotiation.
    Upgrade,
}

/// Settings of the proxies: `defaultConfig` of the mesh, and the content of the annotation
/// `proxy.istio.io/config`. They are read when a pod is injected or a machine starts. A `ProxyConfig`
/// resource has a few of them only.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("serviceCluster", "tracingServiceName"))]
pub struct MeshProxyConfig {
    /// Availability zone of the proxy.
    #[field(deprecated = "leave it out; the locality comes from the node")]
    pub availability_zone: String,
    /// Path of the Envoy program. Unset is `/usr/local/bin/envoy`.
    pub binary_path: String,
    /// More root certificates that the proxy trusts for mutual TLS, in PEM format.
    pub ca_certificates_pem: Vec<String>,
    /// Number of worker threads. 0 takes one for each core of the node. Unset follows the CPU limit of
    /// the proxy's container.
    #[field(nullable, minimum = 0)]
    pub concurrency: Option<i32>,
    /// Folder for the generated bootstrap configuration. Unset is `./etc/istio/proxy`.
    pub config_path: String,
    /// Buffers, timeouts and limits of connections.
    pub connection_settings: Option<ConnectionSettings>,
    /// How the proxy talks to istiod. The compiled-in value is `MUTUAL_TLS`.
    pub control_plane_auth_policy: AuthenticationPolicy,
    /// File with a complete bootstrap configuration to use in place of the generated one.
    pub custom_config_file: String,
    /// Address of istiod, as `host:port`. Unset is `istiod.istio-system.svc:15012`.
    pub discovery_address: String,
    /// Time between requests for configuration.
    #[field(deprecated = "leave it out; it has no effect")]
    pub discovery_refresh_delay: Option<Duration>,
    /// Time over which connections are drained when listeners change, in whole seconds. Unset is 45 s.
    pub drain_duration: Option<Duration>,
    /// Service that takes access logs by gRPC. It needs `enableEnvoyAccessLogService`.
    pub envoy_access_log_service: Option<RemoteService>,
    /// Service that takes metrics by gRPC.
    pub envoy_metrics_service: Option<RemoteService>,
    /// Address of the service that takes metrics.
    #[field(deprecated = "use `envoyMetricsService`")]
    pub envoy_metrics_service_address: String,
    /// More tags of metrics to extract.
    #[field(deprecated = "leave it out; tags no longer have to be listed")]
    pub extra_stat_tags: Vec<String>,
    /// Time after which logs are written to files. Unset is 1 s.
    pub file_flush_interval: Option<Duration>,
    /// Size of a buffer in kilobytes at which logs are written to files. Unset is 64.
    pub file_flush_min_size_kb: u32,
    /// What is in front of a gateway.
    pub gateway_topology: Option<Topology>,
    /// Starts the other containers of a pod after its proxy is ready. Unset is `false`.
    #[field(nullable)]
    pub hold_application_until_proxy_starts: Option<bool>,
    /// Variant of the proxy's image.
    pub image: Option<ProxyImage>,
    /// How inbound traffic is redirected to the proxy. Unset is `REDIRECT`.
    pub interception_mode: InboundInterceptionMode,
    /// Identifier of the mesh, for telemetry of several meshes in one place. Unset is the trust domain.
    pub mesh_id: String,
    /// Hardware or instructions that speed up TLS handshakes.
    pub private_key_provider: Option<PrivateKeyProvider>,
    /// Port of Envoy's administration interface, on the loopback address. Unset is 15000.
    pub proxy_admin_port: i32,
    /// File with the template for the bootstrap configuration.
    pub proxy_bootstrap_template_path: String,
    /// Headers that the proxy adds by itself.
    pub proxy_headers: Option<ProxyHeaders>,
    /// Additional environment variables of the proxy. Names that start with `ISTIO_META_` become
    /// metadata of the proxy.
    pub proxy_metadata: BTreeMap<String, String>,
    /// More of Envoy's own statistics to keep. By default few are.
    pub proxy_stats_matcher: Option<ProxyStatsMatcher>,
    /// Health check of the application that the agent runs, on virtual machines.
    pub readiness_probe: Option<ReadinessProbe>,
    /// Values for Envoy's runtime. They can turn on unsafe features.
    pub runtime_values: BTreeMap<String, String>,
    /// Settings of the secret discovery of old releases.
    #[field(deprecated = "leave it out; the agent always provides certificates")]
    pub sds: Option<SdsConfig>,
    /// Name of the group that the proxy belongs to. Unset is `istio-proxy`. Not together with
    /// `tracingServiceName`.
    pub service_cluster: Option<String>,
    /// Longest name in statistics. Unset is 189.
    pub stat_name_length: i32,
    /// Offers compression when metrics are scraped. Unset is `true`.
    #[field(nullable)]
    pub stats_compression: Option<bool>,
    /// Address of a statsd server for metrics over UDP, as `host:port`.
    pub statsd_udp_address: String,
    /// Port of the agent's health check and metrics. Unset is 15020.
    pub status_port: i32,
    /// Time that a proxy which is stopped keeps serving open connections, as a duration such as `5s`.
    /// Unset is 5 s.
    pub termination_drain_duration: String,
    /// Traces. An `extensionProviders` entry with a `Telemetry` resource is the newer way.
    pub tracing: Option<Tracing>,
    /// What a proxy is called in traces. Not together with `serviceCluster`.
    pub tracing_service_name: Option<TracingServiceName>,
    /// Address of a Zipkin service.
    #[field(deprecated = "use `tracing.zipkin.address`")]
    pub zipkin_address: String,
}

/// What a proxy is called in traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum TracingServiceName {
    /// The label `app` and the namespace: `app.namespace`.
    #[default]
    AppLabelAndNamespace,
    /// The canonical name of the workload.
    CanonicalNameOnly,
    /// The canonical name of the workload and the namespace: `name.namespace`.
    CanonicalNameAndNamespace,
}

/// How inbound traffic is redirected to the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum InboundInterceptionMode {
    /// By iptables with a changed destination. The application sees the proxy's address as source.
    #[default]
    Redirect,
    /// By a transparent proxy, which keeps the source address. The proxy needs the capability
    /// `NET_ADMIN`.
    Tproxy,
    /// Not at all. The application has to use the proxy's addresses.
    None,
}

/// How a proxy talks to the control plane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum AuthenticationPolicy {
    /// Plain text.
    #[default]
    None,
    /// Mutual TLS.
    MutualTls,
    /// The setting of the mesh.
    Inherit,
}

/// Envoy statistics to keep beyond the few of the default. A name that fits any entry is kept.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyStatsMatcher {
    /// Beginnings of names.
    pub inclusion_prefixes: Vec<String>,
    /// RE2 expressions for whole names.
    pub inclusion_regexps: Vec<String>,
    /// Ends of names.
    pub inclusion_suffixes: Vec<String>,
}

/// Headers that proxies add by themselves. Unset leaves each as it is by default.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyHeaders {
    /// The header `X-Envoy-Attempt-Count` on requests. Sent by default.
    pub attempt_count: Option<HeaderSwitchOff>,
    /// Headers of the form `X-Envoy-..` on responses, such as `X-Envoy-Upstream-Service-Time`. Sent by
    /// default.
    pub envoy_debug_headers: Option<HeaderSwitchOff>,
    /// The header `X-Forwarded-Client-Cert` on inbound requests of sidecars. Unset is `APPEND_FORWARD`.
    /// For gateways see `gatewayTopology`.
    pub forwarded_client_cert: ForwardClientCertDetails,
    /// The headers `X-Envoy-Peer-Metadata` and `X-Envoy-Peer-Metadata-Id`, by which proxies learn about
    /// each other.
    pub metadata_exchange_headers: Option<MetadataExchangeHeaders>,
    /// Keeps the case of header names in HTTP/1. Unset is `false`, which makes them lower-case.
    #[field(nullable)]
    pub preserve_http1_header_case: Option<bool>,
    /// The header `X-Request-Id`. Made by default where it is missing.
    pub request_id: Option<HeaderSwitchOff>,
    /// The header `Server` on responses.
    pub server: Option<ServerHeader>,
    /// What of the client's certificate goes into `X-Forwarded-Client-Cert`. Only for `APPEND_FORWARD`
    /// and `SANITIZE_SET`.
    pub set_current_client_cert_details: Option<ClientCertDetails>,
    /// The header `X-Forwarded-Host`, with the original host of a rewritten request. Not sent by
    /// default.
    pub x_forwarded_host: Option<HeaderSwitchOn>,
    /// The header `X-Forwarded-Port`, with the port that the client connected to. Not sent by default.
    pub x_forwarded_port: Option<HeaderSwitchOn>,
}

/// A header that is sent by default.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HeaderSwitchOff {
    /// Leaves the header out.
    #[field(nullable)]
    pub disabled: Option<bool>,
}

/// A header that is not sent by default.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct HeaderSwitchOn {
    /// Sends the header.
    #[field(nullable)]
    pub enabled: Option<bool>,
}

/// The header `Server` on responses.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ServerHeader {
    /// Leaves the header as the application sent it.
    #[field(nullable)]
    pub disabled: Option<bool>,
    /// Value of the header. Unset is `istio-envoy`.
    pub value: String,
}

/// The headers by which proxies learn about each other.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct MetadataExchangeHeaders {
    /// When the headers are sent.
    pub mode: MetadataExchangeMode,
}

/// When metadata exchange headers are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum MetadataExchangeMode {
    /// Always.
    #[default]
    Undefined,
    /// Only to services of the mesh, which is where mutual TLS is used.
    InMesh,
}

/// Parts of the client's certificate in the header `X-Forwarded-Client-Cert`. The hash is always there.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClientCertDetails {
    /// The whole certificate in PEM format. Unset is `false`.
    #[field(nullable)]
    pub cert: Option<bool>,
    /// The whole chain in PEM format. Unset is `false`.
    #[field(nullable)]
    pub chain: Option<bool>,
    /// The DNS names. Unset is `true`.
    #[field(nullable)]
    pub dns: Option<bool>,
    /// The subject. Unset is `true`.
    #[field(nullable)]
    pub subject: Option<bool>,
    /// The URI, which is the identity. Unset is `true`.
    #[field(nullable)]
    pub uri: Option<bool>,
}

/// Buffers, timeouts and limits of connections. The timeouts are durations such as `30s`, and `0s`
/// turns one off.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ConnectionSettings {
    /// Soft limit on the buffers of a connection to a service, in bytes. Unset takes Envoy's default, 1
    /// MiB.
    #[field(nullable)]
    pub cluster_per_connection_buffer_limit_bytes: Option<i32>,
    /// Connections that clients may have open at all listeners together. Unset is no limit.
    #[field(nullable)]
    pub global_downstream_connection_limit: Option<i32>,
    /// Window of an HTTP/2 connection at its start, in bytes, at least 65535.
    #[field(nullable)]
    pub http2_initial_connection_window_size: Option<i32>,
    /// Window of an HTTP/2 stream at its start, in bytes, at least 65535.
    #[field(nullable)]
    pub http2_initial_stream_window_size: Option<i32>,
    /// Time between the first and the last notice that an HTTP/2 connection closes.
    pub http_drain_timeout: String,
    /// What happens to headers with an underscore in their name.
    pub http_headers_with_underscores_action: HeadersWithUnderscoresAction,
    /// Time without requests after which a client's connection is closed.
    pub http_idle_timeout: String,
    /// Streams that a client may have open on one HTTP/2 connection.
    #[field(nullable)]
    pub http_max_concurrent_streams: Option<i32>,
    /// Longest life of a client's connection, after which it is drained.
    pub http_max_connection_duration: String,
    /// Longest time for a request and its response. The stream is reset after it.
    pub http_max_stream_duration: String,
    /// Makes one slash of several in paths.
    #[field(nullable)]
    pub http_merge_slashes: Option<bool>,
    /// What happens to paths with encoded slashes.
    pub http_path_with_escaped_slashes_action: PathWithEscapedSlashesAction,
    /// Time in which a client has to send all headers of a request.
    pub http_request_headers_timeout: String,
    /// Time in which a client has to send a whole request.
    pub http_request_timeout: String,
    /// Time without any activity after which a stream is ended.
    pub http_stream_idle_timeout: String,
    /// Connections that clients may have open at one listener. Unset is no limit.
    #[field(nullable)]
    pub listener_connection_limit: Option<i32>,
    /// Soft limit on the buffers of a client's connection, in bytes. Unset takes Envoy's default, 1
    /// MiB.
    #[field(nullable)]
    pub listener_per_connection_buffer_limit_bytes: Option<i32>,
    /// Set of defaults for the other fields. Unset is `SIDECAR`.
    pub profile: ConnectionProfile,
}

/// Set of defaults for connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ConnectionProfile {
    /// Istio's usual behaviour.
    #[default]
    Sidecar,
    /// Safe values for proxies that face the internet: buffers of 32 KiB, an idle time of 1 h, 5 min
    /// for requests and idle streams, 100 streams, small windows, and strict paths and headers.
    Edge,
}

/// What happens to headers with an underscore in their name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum HeadersWithUnderscoresAction {
    /// The default of the profile.
    #[default]
    HeadersWithUnderscoresUnspecified,
    /// They pass.
    HeadersWithUnderscoresAllow,
    /// The request is refused with 400.
    HeadersWithUnderscoresRejectRequest,
    /// The headers are dropped.
    HeadersWithUnderscoresDropHeader,
}

/// What happens to paths with encoded slashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum PathWithEscapedSlashesAction {
    /// The default of the profile.
    #[default]
    PathWithEscapedSlashesUnspecified,
    /// They stay.
    KeepUnchanged,
    /// The request is refused with 400.
    RejectRequest,
    /// They are decoded, and the client is redirected to the new path.
    UnescapeAndRedirect,
    /// They are decoded, and the request goes on.
    UnescapeAndForward,
}

/// Traces of proxies, by a tracer that every proxy uses.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("zipkin", "lightstep", "datadog", "stackdriver", "openCensusAgent"))]
pub struct Tracing {
    /// More tags for spans, by tag name.
    pub custom_tags: BTreeMap<String, TracingCustomTag>,
    /// Sends traces to a Datadog agent.
    pub datadog: Option<DatadogTracer>,
    /// Adds Istio's own tags to spans. Unset is `true`.
    #[field(nullable)]
    pub enable_istio_tags: Option<bool>,
    /// Sends traces to Lightstep. Current proxies no longer support it.
    pub lightstep: Option<LightstepTracer>,
    /// Longest path in a tag. Unset is 256.
    pub max_path_tag_length: u32,
    /// Sends traces to an `OpenCensus` agent. Current proxies no longer support it.
    pub open_census_agent: Option<OpenCensusAgentTracer>,
    /// Percentage of requests that are traced, 0 to 100, in steps of 0.01. Unset is 1.
    pub sampling: f64,
    /// Sends traces to Google Cloud.
    pub stackdriver: Option<StackdriverTracer>,
    /// TLS settings for connections to the tracer.
    pub tls_settings: Option<ClientTlsSettings>,
    /// Sends traces to a Zipkin service.
    pub zipkin: Option<ZipkinTracer>,
}

/// A Zipkin service.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ZipkinTracer {
    /// Address of the service, as `host:port`.
    pub address: String,
}

/// A Lightstep satellite.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct LightstepTracer {
    /// Token for access to Lightstep.
    pub access_token: String,
    /// Address of the satellite, as `host:port`.
    pub address: String,
}

/// A Datadog agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct DatadogTracer {
    /// Address of the agent, as `host:port`. `$(HOST_IP):8126` is the one on the node.
    pub address: String,
}

/// Google Cloud's tracing.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct StackdriverTracer {
    /// Prints spans to the proxy's log.
    pub debug: bool,
    /// Largest number of annotations in a span.
    #[field(nullable)]
    pub max_number_of_annotations: Option<i64>,
    /// Largest number of attributes in a span.
    #[field(nullable)]
    pub max_number_of_attributes: Option<i64>,
    /// Largest number of message events in a span.
    #[field(nullable)]
    pub max_number_of_message_events: Option<i64>,
}

/// An `OpenCensus` agent.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OpenCensusAgentTracer {
    /// Address of the agent, in gRPC's notation for names.
    pub address: String,
    /// Formats of trace headers to read and write, in order of preference.
    pub context: Vec<TraceContext>,
}

/// Value of a tag. Give exactly one source.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("literal", "environment", "header"))]
pub struct TracingCustomTag {
    /// Takes the value from an environment variable of the proxy.
    pub environment: Option<EnvironmentTag>,
    /// Takes the value from a request header.
    pub header: Option<RequestHeaderTag>,
    /// A fixed value.
    pub literal: Option<LiteralTag>,
}

/// Settings of the secret discovery of old releases. They have no effect.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct SdsConfig {
    /// Turns it on.
    pub enabled: bool,
    /// File with the token of the service account.
    pub k8s_sa_jwt_path: String,
}

/// A gRPC service that proxies connect to right from their bootstrap configuration.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct RemoteService {
    /// Address of the service, as `host:port`.
    pub address: String,
    /// TCP keep-alive probes.
    pub tcp_keepalive: Option<TcpKeepalive>,
    /// TLS settings for connections to the service.
    pub tls_settings: Option<ClientTlsSettings>,
}

/// What is in front of a gateway.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Topology {
    /// What the gateway does with the header `X-Forwarded-Client-Cert`. Unset is `SANITIZE_SET`.
    pub forward_client_cert_details: ForwardClientCertDetails,
    /// Number of trusted proxies in front of the gateway. It decides which entry of `X-Forwarded-For`
    /// is the client's address. Unset is 0.
    pub num_trusted_proxies: u32,
    /// Takes PROXY protocol headers from clients. Connections without one are then refused.
    pub proxy_protocol: Option<ProxyProtocolConfiguration>,
}

/// Takes PROXY protocol headers. It has no settings.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ProxyProtocolConfiguration {}

/// What a proxy does with the header `X-Forwarded-Client-Cert`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum ForwardClientCertDetails {
    /// The default of the place where it is set.
    #[default]
    Undefined,
    /// Removes it.
    Sanitize,
    /// Forwards it if the client used mutual TLS.
    ForwardOnly,
    /// Adds the client's certificate to it if the client used mutual TLS.
    AppendForward,
    /// Replaces it with the client's certificate if the client used mutual TLS, and removes it if not.
    SanitizeSet,
    /// Forwards it in any case.
    AlwaysForwardOnly,
}

/// Hardware or instructions that speed up the private key operations of TLS handshakes.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("cryptomb", "qat"))]
pub struct PrivateKeyProvider {
    /// Vector instructions of Intel processors.
    pub cryptomb: Option<CryptoMb>,
    /// Intel `QuickAssist` accelerators.
    pub qat: Option<Qat>,
}

/// Private key operations by the vector instructions of Intel processors.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct CryptoMb {
    /// Uses the usual implementation if the processor cannot do it. Unset is `false`.
    #[field(nullable)]
    pub fallback: Option<bool>,
    /// Longest time to gather operations for one batch. Longer means more throughput and slower
    /// handshakes.
    #[field(required)]
    pub poll_delay: Option<Duration>,
}

/// Private key operations by Intel `QuickAssist` accelerators.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Qat {
    /// Uses the usual implementation if there is no accelerator. Unset is `false`.
    #[field(nullable)]
    pub fallback: Option<bool>,
    /// Time between checks for finished operations.
    #[field(required)]
    pub poll_delay: Option<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Message as _, MessageSchema};

    fn names(schema: &MessageSchema) -> String {
        schema
            .fields
            .iter()
            .map(|field| field.name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    #[test]
    fn fields_have_the_names_of_the_api() {
        assert_eq!(names(MeshConfig::schema()), MESH_FIELDS.replace('\n', " "));
        assert_eq!(names(MeshProxyConfig::schema()), PROXY_FIELDS.replace('\n', " "));
        assert_eq!(
            names(ZipkinTracingProvider::schema()),
            "enable64bitTraceId headers maxTagLength path port service timeout traceContextOption"
        );
        assert_eq!(names(SdsConfig::schema()), "enabled k8sSaJwtPath");
    }

    #[test]
    fn values_have_the_names_of_the_api() {
        for (value, name) in [
            (
                ZipkinTraceContextOption::UseB3WithW3cPropagation.as_str(),
                "USE_B3_WITH_W3C_PROPAGATION",
            ),
            (TraceContext::W3cTraceContext.as_str(), "W3C_TRACE_CONTEXT"),
            (TraceContext::B3.as_str(), "B3"),
            (MeshTlsProtocol::TlsV13.as_str(), "TLSV1_3"),
            (InboundInterceptionMode::Tproxy.as_str(), "TPROXY"),
            (
                OutboundTrafficPolicyMode::AllowAnyDynamicDns.as_str(),
                "ALLOW_ANY_DYNAMIC_DNS",
            ),
            (ServiceEntryScope::default().as_str(), "VISIBILITY_UNSPECIFIED"),
        ] {
            assert_eq!(value, name);
        }
    }

    #[test]
    fn a_provider_is_of_one_kind() {
        let schema = ExtensionProvider::schema();
        let [kinds] = schema.one_of else {
            panic!("one group, not {:?}", schema.one_of)
        };
        let named: Vec<_> = schema
            .fields
            .iter()
            .map(|field| field.name)
            .filter(|name| *name != "name")
            .collect();
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        assert_eq!(kinds, named);
    }

    #[test]
    fn compiled_defaults_are_those_of_istiod() {
        let mesh = MeshConfig::compiled_defaults();
        assert_eq!(
            (mesh.proxy_listen_port, mesh.proxy_inbound_listen_port),
            (15001, 15006)
        );
        assert_eq!(
            (mesh.root_namespace.as_str(), mesh.trust_domain.as_str()),
            ("istio-system", "cluster.local")
        );
        assert_eq!(
            mesh.outbound_traffic_policy.map(|policy| policy.mode),
            Some(OutboundTrafficPolicyMode::AllowAny)
        );
        assert_eq!(
            mesh.connect_timeout.map(|timeout| timeout.to_string()),
            Some("10s".to_owned())
        );
        assert!(
            mesh.default_providers
                .is_some_and(|providers| providers.metrics.is_empty())
        );
        let providers: Vec<_> = mesh
            .extension_providers
            .iter()
            .map(|provider| provider.name.as_str())
            .collect();
        assert_eq!(providers, ["prometheus", "stackdriver", "envoy"]);
        let proxy = mesh.default_config.expect("set");
        assert_eq!(
            (proxy.proxy_admin_port, proxy.status_port, proxy.concurrency),
            (15000, 15020, None)
        );
    }

    const MESH_FIELDS: &str = "\
accessLogEncoding accessLogFile accessLogFormat ca caCertificates certificates configSources
connectTimeout defaultConfig defaultDestinationRuleExportTo defaultHttpRetryPolicy
defaultInboundHttpRetryPolicy defaultProviders defaultServiceExportTo defaultTrafficPolicy
defaultVirtualServiceExportTo disableEnvoyListenerLog discoverySelectors dnsRefreshRate
enableAutoMtls enableEnvoyAccessLogService enablePrometheusMerge enableTracing extensionProviders
h2UpgradePolicy hboneIdleTimeout inboundClusterStatName inboundTrafficPolicy ingressClass
ingressControllerMode ingressSelector ingressService localityLbSetting meshMTLS
outboundClusterStatName outboundTrafficPolicy pathNormalization protocolDetectionTimeout
proxyHttpPort proxyInboundListenPort proxyListenPort rootNamespace serviceEntryVisibility
serviceScopeConfigs serviceSettings tcpKeepalive tlsDefaults trustDomain trustDomainAliases
verifyCertificateAtClient zoneAwareLbSetting";

    const PROXY_FIELDS: &str = "\
availabilityZone binaryPath caCertificatesPem concurrency configPath connectionSettings
controlPlaneAuthPolicy customConfigFile discoveryAddress discoveryRefreshDelay drainDuration
envoyAccessLogService envoyMetricsService envoyMetricsServiceAddress extraStatTags fileFlushInterval
fileFlushMinSizeKb gatewayTopology holdApplicationUntilProxyStarts image interceptionMode meshId
privateKeyProvider proxyAdminPort proxyBootstrapTemplatePath proxyHeaders proxyMetadata
proxyStatsMatcher readinessProbe runtimeValues sds serviceCluster statNameLength statsCompression
statsdUdpAddress statusPort terminationDrainDuration tracing tracingServiceName zipkinAddress";
}
