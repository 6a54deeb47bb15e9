//! Istio's metrics from those of a plain Envoy.
//!
//! Istio's proxies have a filter that measures requests; a plain Envoy counts them by cluster. The clusters here have
//! a name for statistics that tells all that Istio's labels say of a destination, and Prometheus takes it apart.

use serde_json::{Value, json};

use crate::xds::Protocol;

/// The name of a cluster for statistics: that of the cluster, its workload, its version.
///
/// The parts are empty that the cluster's endpoints do not have in common.
pub(crate) fn stat_name(cluster: &str, workload: &str, version: &str) -> String {
    format!("{cluster};{workload};{version};")
}

/// Envoy's `stats_config`, which makes labels of the response code and of [`stat_name`]. Envoy's own rule for cluster
/// names stops at their first dot.
pub(crate) fn stats_config() -> Value {
    json!({
        "use_all_default_tags": false,
        "stats_tags": [
            {"tag_name": "envoy.cluster_name", "regex": r"^cluster\.(([^;]*;[^;]*;[^;]*;)\.)"},
            {"tag_name": "envoy.response_code", "regex": r"_rq(_(\d{3}))$"},
        ],
    })
}

/// The scrape job: Envoy's `upstream_rq` by response code becomes `istio_requests_total`, and `upstream_rq_time`, which
/// is in milliseconds in Istio's buckets, `istio_request_duration_milliseconds`; `upstream_cx` of connections becomes
/// `istio_tcp_connections_opened_total` and its like.
pub(crate) fn scrape_job(protocol: Protocol) -> Value {
    const CLUSTER: &str = r"outbound\|\d+\|[^|]*\|(([^.;]+)\.([^.;]+)\.[^;]+);([^;]*);([^;]*);";
    let keep = |label: &str, regex: &str| json!({"source_labels": [label], "regex": regex, "action": "keep"});
    let label = |name: &str, value: &str| json!({"target_label": name, "replacement": value});
    let from = |source: &str, regex: &str, target: &str, value: &str| {
        json!({
            "source_labels": [source], "regex": regex, "target_label": target, "replacement": value,
        })
    };
    let of_cluster = |target: &str, value: &str| from("envoy_cluster_name", CLUSTER, target, value);
    let renamed = |source: &str, target: &str| from("__name__", source, "__name__", target);
    let (names, rules) = match protocol {
        Protocol::Http => (
            "envoy_cluster_upstream_rq(_time_(bucket|sum|count))?",
            vec![
                label("request_protocol", "http"),
                label("response_flags", "-"),
                from("envoy_response_code", "(.+)", "response_code", "$1"),
                renamed("envoy_cluster_upstream_rq", "istio_requests_total"),
                renamed(
                    "envoy_cluster_upstream_rq_time_(.*)",
                    "istio_request_duration_milliseconds_$1",
                ),
            ],
        ),
        Protocol::Tcp => (
            "envoy_cluster_upstream_cx_(total|destroy|connect_fail|rx_bytes_total|tx_bytes_total)",
            vec![
                label("request_protocol", "tcp"),
                label("response_flags", "-"),
                from(
                    "__name__",
                    "envoy_cluster_upstream_cx_connect_fail",
                    "response_flags",
                    "UF",
                ),
                renamed(
                    "envoy_cluster_upstream_cx_total",
                    "istio_tcp_connections_opened_total",
                ),
                renamed(
                    "envoy_cluster_upstream_cx_(destroy|connect_fail)",
                    "istio_tcp_connections_closed_total",
                ),
                renamed(
                    "envoy_cluster_upstream_cx_rx_bytes_total",
                    "istio_tcp_sent_bytes_total",
                ),
                renamed(
                    "envoy_cluster_upstream_cx_tx_bytes_total",
                    "istio_tcp_received_bytes_total",
                ),
            ],
        ),
    };
    let mut all = vec![
        keep("__name__", names),
        keep("envoy_cluster_name", CLUSTER),
        label("reporter", "source"),
        of_cluster("destination_service", "$1"),
        of_cluster("destination_service_name", "$2"),
        of_cluster("destination_service_namespace", "$3"),
        label("destination_workload", "unknown"),
        label("destination_version", "unknown"),
        from(
            "envoy_cluster_name",
            r".*;([^;]+);[^;]*;",
            "destination_workload",
            "$1",
        ),
        from(
            "envoy_cluster_name",
            r".*;[^;]*;([^;]+);",
            "destination_version",
            "$1",
        ),
        of_cluster("destination_workload_namespace", "$3"),
    ];
    all.extend(rules);
    all.push(json!({"regex": "envoy_.*", "action": "labeldrop"}));
    json!({"metrics_path": "/stats/prometheus", "metric_relabel_configs": all})
}
