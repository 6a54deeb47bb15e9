//! A config dump as the sidecar of a large mesh gives it.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

/// Writes a config dump of a sidecar that sees `services` services, indented as Envoy does, about 20.6 kB a service.
///
/// Each service has two clusters (one of a subset), endpoints of both, a listener, and a virtual host in one of the
/// route configurations.
pub fn config_dump(services: usize, to: impl Write) -> io::Result<()> {
    let mut dump = Writer { to };
    dump.line("{")?;
    dump.line(" \"configs\": [")?;
    dump.open("BootstrapConfigDump", "bootstrap", '{')?;
    dump.line(
        "   \"node\": {\"id\": \"sidecar~10.0.0.1~service-00000.team-000~team-000.svc.cluster.local\"}",
    )?;
    dump.close('}', true)?;
    dump.list(
        "ClustersConfigDump",
        "dynamic_active_clusters",
        (0..services * 2).map(cluster),
    )?;
    dump.list(
        "ListenersConfigDump",
        "dynamic_listeners",
        (0..services).map(listener),
    )?;
    dump.list(
        "RoutesConfigDump",
        "dynamic_route_configs",
        (0..services.div_ceil(ROUTES)).map(|index| routes(index, services)),
    )?;
    dump.list(
        "EndpointsConfigDump",
        "dynamic_endpoint_configs",
        (0..services * 2).map(endpoints),
    )?;
    dump.open("SecretsConfigDump", "dynamic_active_secrets", '[')?;
    dump.close(']', false)?;
    dump.line(" ]")?;
    dump.line("}")
}

/// How many virtual hosts a route configuration has.
const ROUTES: usize = 250;

struct Writer<W> {
    to: W,
}

impl<W: Write> Writer<W> {
    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.to, "{text}")
    }

    fn open(&mut self, message: &str, field: &str, bracket: char) -> io::Result<()> {
        self.line("  {")?;
        self.line(&format!(
            "   \"@type\": \"type.googleapis.com/envoy.admin.v3.{message}\","
        ))?;
        self.line(&format!("   \"{field}\": {bracket}"))
    }

    fn close(&mut self, bracket: char, more: bool) -> io::Result<()> {
        self.line(&format!("   {bracket}"))?;
        self.line(if more { "  }," } else { "  }" })
    }

    fn list(&mut self, message: &str, field: &str, elements: impl Iterator<Item = Value>) -> io::Result<()> {
        self.open(message, field, '[')?;
        let mut elements = elements.peekable();
        while let Some(element) = elements.next() {
            let format = serde_json::ser::PrettyFormatter::with_indent(b" ");
            let mut text = Vec::new();
            element.serialize(&mut serde_json::Serializer::with_formatter(&mut text, format))?;
            let text = String::from_utf8_lossy(&text).replace('\n', "\n    ");
            write!(self.to, "    {text}")?;
            self.line(if elements.peek().is_some() { "," } else { "" })?;
        }
        self.close(']', true)
    }
}

struct Service {
    name: String,
    namespace: String,
    host: String,
}

fn service(index: usize) -> Service {
    let name = format!("service-{index:05}");
    let namespace = format!("team-{:03}", index / crate::NAMESPACE_SIZE);
    let host = format!("{name}.{namespace}.svc.cluster.local");
    Service {
        name,
        namespace,
        host,
    }
}

/// An address of a cluster's network.
fn address(index: usize, offset: usize) -> Value {
    let [_, _, high, low] = u32::try_from(index * 4 + offset)
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    json!({"socket_address": {"address": format!("10.{}.{high}.{low}", 64 + (index >> 14)), "port_value": 8080}})
}

fn cluster_name(index: usize) -> String {
    let subset = if index.is_multiple_of(2) { "" } else { "v1" };
    format!("outbound|80|{subset}|{}", service(index / 2).host)
}

fn istio(service: &Service, kind: &str) -> Value {
    let Service { name, namespace, .. } = service;
    json!({"config": format!("/apis/networking.istio.io/v1/namespaces/{namespace}/{kind}/{name}")})
}

fn cluster(index: usize) -> Value {
    let name = cluster_name(index);
    let service = service(index / 2);
    let sds = |name: &str| {
        json!({"name": name, "sds_config": {"api_config_source": {"api_type": "GRPC", "grpc_services":
            [{"envoy_grpc": {"cluster_name": "sds-grpc"}}], "set_node_on_first_message_only": true,
            "transport_api_version": "V3"}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}})
    };
    let sni = format!(
        "outbound_.80_.{}_.{}",
        if index.is_multiple_of(2) { "" } else { "v1" },
        service.host
    );
    let mut metadata = istio(&service, "destination-rule");
    metadata["services"] =
        json!([{"host": service.host, "name": service.name, "namespace": service.namespace}]);
    let uri = format!(
        "spiffe://cluster.local/ns/{}/sa/{}",
        service.namespace, service.name
    );
    json!({
        "version_info": "2026-11-20T10:00:00Z/42",
        "cluster": {
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
            "name": name,
            "type": "EDS",
            "eds_cluster_config": {"eds_config": {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
                "service_name": name},
            "connect_timeout": "10s",
            "lb_policy": "LEAST_REQUEST",
            "circuit_breakers": {"thresholds": [{"max_connections": 4_294_967_295_u32, "max_pending_requests": 4_294_967_295_u32,
                "max_requests": 100, "max_retries": 4_294_967_295_u32, "track_remaining": true}]},
            "outlier_detection": {"consecutive_5xx": 5, "interval": "30s", "enforcing_consecutive_5xx": 100},
            "metadata": {"filter_metadata": {"istio": metadata}},
            "common_lb_config": {"locality_weighted_lb_config": {}},
            "transport_socket_matches": [
                {"name": "tlsMode-istio", "match": {"tlsMode": "istio"}, "transport_socket": {
                    "name": "envoy.transport_sockets.tls",
                    "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                        "common_tls_context": {
                            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2", "tls_maximum_protocol_version": "TLSv1_3"},
                            "alpn_protocols": ["istio-peer-exchange", "istio", "h2"],
                            "tls_certificate_sds_secret_configs": [sds("default")],
                            "combined_validation_context": {
                                "default_validation_context": {"match_subject_alt_names": [{"exact": uri}]},
                                "validation_context_sds_secret_config": sds("ROOTCA")}},
                        "sni": sni}}},
                {"name": "tlsMode-disabled", "match": {}, "transport_socket": {"name": "envoy.transport_sockets.raw_buffer",
                    "typed_config": {"@type":
                        "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer"}}}],
        },
        "last_updated": "2026-11-20T10:00:01.123Z",
    })
}

fn listener(index: usize) -> Value {
    let service = service(index);
    let access_log = json!([{"name": "envoy.access_loggers.file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog", "path": "/dev/stdout",
        "log_format": {"text_format_source": {"inline_string":
            "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% %RESPONSE_FLAGS% \
             %BYTES_RECEIVED% %BYTES_SENT% %DURATION% \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%UPSTREAM_HOST%\"\n"}}}}]);
    let filter = |name: &str, kind: &str| json!({"name": name, "typed_config": {"@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}")}});
    let name = format!(
        "10.{}.{}.{}_80",
        96 + (index >> 16),
        (index >> 8) & 255,
        index & 255
    );
    let socket = name.trim_end_matches("_80");
    json!({
        "name": name,
        "active_state": {
            "version_info": "2026-11-20T10:00:00Z/42",
            "listener": {
                "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
                "name": name,
                "address": {"socket_address": {"address": socket, "port_value": 80}},
                "filter_chains": [{
                    "filter_chain_match": {"transport_protocol": "raw_buffer", "application_protocols": ["http/1.1", "h2c"]},
                    "filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                        "stat_prefix": format!("outbound_{name}"),
                        "rds": {"config_source": {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"},
                            "route_config_name": format!("{}:80", service.host)},
                        "http_filters": [
                            {"name": "istio.metadata_exchange", "typed_config": {
                                "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
                                "type_url": "type.googleapis.com/io.istio.http.peer_metadata.Config",
                                "value": {"upstream_discovery": [{"istio_headers": {}}, {"workload_discovery": {}}]}}},
                            filter("envoy.filters.http.grpc_stats", "grpc_stats.v3.FilterConfig"),
                            filter("istio.alpn", "alpn.v3.FilterConfig"),
                            filter("envoy.filters.http.fault", "fault.v3.HTTPFault"),
                            filter("envoy.filters.http.cors", "cors.v3.Cors"),
                            filter("envoy.filters.http.router", "router.v3.Router")],
                        "tracing": {"client_sampling": {"value": 100}, "random_sampling": {"value": 1}, "overall_sampling": {"value": 100}},
                        "access_log": access_log,
                        "use_remote_address": false,
                        "normalize_path": true,
                        "upgrade_configs": [{"upgrade_type": "websocket"}],
                        "stream_idle_timeout": "0s",
                        "path_with_escaped_slashes_action": "KEEP_UNCHANGED"}}]}],
                "default_filter_chain": {
                    "filters": [{"name": "envoy.filters.network.tcp_proxy", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                        "stat_prefix": cluster_name(index * 2), "cluster": cluster_name(index * 2), "access_log": access_log}}],
                    "name": "PassthroughFilterChain"},
                "listener_filters": [
                    {"name": "envoy.filters.listener.tls_inspector", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}},
                    {"name": "envoy.filters.listener.http_inspector", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"}}],
                "listener_filters_timeout": "0s",
                "continue_on_listener_filters_timeout": true,
                "traffic_direction": "OUTBOUND",
                "bind_to_port": false,
            },
            "last_updated": "2026-11-20T10:00:01.123Z",
        },
    })
}

fn routes(index: usize, services: usize) -> Value {
    let hosts = index * ROUTES..services.min((index + 1) * ROUTES);
    json!({
        "version_info": "2026-11-20T10:00:00Z/42",
        "route_config": {
            "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
            "name": format!("{}", 80 + index),
            "virtual_hosts": hosts.map(virtual_host).collect::<Vec<_>>(),
            "validate_clusters": false,
            "max_direct_response_body_size_bytes": 1_048_576,
            "ignore_port_in_host_matching": true,
        },
        "last_updated": "2026-11-20T10:00:01.123Z",
    })
}

fn virtual_host(index: usize) -> Value {
    let service = service(index);
    let Service {
        name,
        namespace,
        host,
    } = &service;
    let origin = json!({"filter_metadata": {"istio": istio(&service, "virtual-service")}});
    let route = |cluster: String, timeout: &str| {
        json!({"cluster": cluster, "timeout": timeout, "retry_policy": {
            "retry_on": "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes", "num_retries": 2,
            "retry_host_predicate": [{"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"}}],
            "host_selection_retry_max_attempts": "5", "retriable_status_codes": [503]}, "max_grpc_timeout": timeout})
    };
    json!({
        "name": format!("{host}:80"),
        "domains": [host, name, format!("{name}.{namespace}.svc"), format!("{name}.{namespace}"), format!("10.96.{}.{}", index >> 8, index & 255)],
        "routes": [
            {"match": {"prefix": "/v1/", "case_sensitive": true, "headers": [{"name": "x-canary", "string_match": {"exact": "true"}}]},
             "route": route(cluster_name(index * 2 + 1), "2s"), "metadata": origin,
             "decorator": {"operation": format!("{host}:80/v1/*")}, "name": "versioned"},
            {"match": {"prefix": "/"}, "route": route(cluster_name(index * 2), "0s"), "metadata": origin,
             "decorator": {"operation": format!("{host}:80/*")}}],
        "include_request_attempt_count": true,
    })
}

fn endpoints(index: usize) -> Value {
    let service = service(index / 2);
    let endpoint = |offset: usize| {
        json!({"endpoint": {"address": address(index / 2, offset), "health_check_config": {}}, "health_status": "HEALTHY",
            "metadata": {"filter_metadata": {"istio": {"workload": format!("{};{};{};v1;Kubernetes", service.name, service.namespace, service.name)},
                "envoy.transport_socket_match": {"tlsMode": "istio"}}},
            "load_balancing_weight": 1})
    };
    json!({"endpoint_config": {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": cluster_name(index),
        "endpoints": [{"locality": {"region": "eu", "zone": "eu-1"}, "lb_endpoints": [endpoint(0), endpoint(1)],
            "load_balancing_weight": 2}],
        "policy": {"overprovisioning_factor": 140}}})
}
