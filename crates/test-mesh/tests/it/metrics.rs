//! What a canary tool asks Prometheus.

use std::time::Duration;

use test_mesh::Behaviour;

use crate::{reviews, split};

/// What selects a version as Istio labels it.
fn version(name: &str) -> String {
    format!(
        r#"reporter="source",destination_service="reviews.shop.svc.cluster.local",destination_version="{name}""#
    )
}

#[test]
fn success_rate_and_latency_by_version() {
    let mesh = reviews();
    mesh.apply_virtual_service(&split(50)).unwrap();
    let bad = Behaviour {
        error_percent: 10,
        latency: Duration::from_millis(60),
        down: false,
    };
    mesh.set_behaviour("v2", bad);
    // All series begin, so that nothing of what is measured is lost.
    mesh.send(100, 8);
    let prometheus = mesh.prometheus().unwrap();
    prometheus.wait_until_scraped().unwrap();

    let counts = mesh.send(1000, 16);
    prometheus.wait_until_scraped().unwrap();
    let number = |promql: String| prometheus.number(&promql).unwrap();

    let success = |name| {
        let version = version(name);
        number(format!(
            r#"1 - (sum(rate(istio_requests_total{{{version},response_code=~"5.."}}[1m])) or vector(0))
               / sum(rate(istio_requests_total{{{version}}}[1m]))"#
        ))
        .unwrap()
    };
    assert!((success("v1") - 1.0).abs() < 1e-9, "{}", success("v1"));
    assert!((success("v2") - 0.9).abs() < 0.02, "{}", success("v2"));

    let p99 = |name| {
        let bucket = format!("istio_request_duration_milliseconds_bucket{{{}}}", version(name));
        number(format!(
            "histogram_quantile(0.99, sum by (le)(rate({bucket}[1m])))"
        ))
        .unwrap()
    };
    assert!(p99("v1") < p99("v2"), "{} {}", p99("v1"), p99("v2"));
    assert!((50.0..1000.0).contains(&p99("v2")), "{}", p99("v2"));

    // All labels that Istio has for a destination, and nothing of Envoy's.
    let labels = r#"destination_service_name="reviews",destination_service_namespace="shop",
        destination_workload="reviews-v2",destination_workload_namespace="shop",request_protocol="http",
        response_code="500",response_flags="-""#;
    let v2 = version("v2");
    let errors = number(format!("sum(istio_requests_total{{{v2},{labels}}})")).unwrap();
    let since = mesh.received("v2") / 10;
    assert!(
        (errors - f64::from(u32::try_from(since).unwrap())).abs() < 1e-9,
        "{errors} {since}"
    );
    assert_eq!(number("count({__name__=~'envoy_.*'})".to_owned()), None);
    assert_eq!(number("count({envoy_cluster_name!=''})".to_owned()), None);
    assert_eq!(counts.by_version.values().sum::<u64>(), 1000);

    // No workload answers a request to a version that is gone, and only the source can tell.
    let down = Behaviour {
        down: true,
        ..Behaviour::default()
    };
    mesh.set_behaviour("v2", down);
    let failed = mesh.send(100, 8).failed;
    prometheus.wait_until_scraped().unwrap();
    let unavailable = number(format!(
        r#"sum(istio_requests_total{{{v2},response_code="503"}})"#
    ))
    .unwrap();
    assert!(
        (unavailable - f64::from(u32::try_from(failed).unwrap())).abs() < 1e-9,
        "{unavailable} {failed}"
    );
}
