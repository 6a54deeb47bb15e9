//! What other tests build on: targets, queries, and their errors.

use serde_json::json;
use test_prometheus::Prometheus;

#[test]
fn scrapes_targets_and_answers_queries() {
    let scraped = Prometheus::start(&json!({})).unwrap();
    let job = json!({"metric_relabel_configs": [
        {"source_labels": ["__name__"], "regex": "prometheus_ready", "action": "keep"},
        {"target_label": "reporter", "replacement": "source"},
    ]});
    let prometheus = Prometheus::start(&job).unwrap();
    assert_eq!(prometheus.number("prometheus_ready").unwrap(), None);

    let address = scraped.url().trim_start_matches("http://").parse().unwrap();
    prometheus.set_targets(&[address]).unwrap();
    prometheus.wait_until_scraped().unwrap();
    let ready = prometheus.number(r#"prometheus_ready{job="test",reporter="source"}"#);
    assert_eq!(ready.unwrap(), Some(1.0));
    assert_eq!(prometheus.number("prometheus_build_info").unwrap(), None);
    let error = prometheus
        .number("{__name__=~'up|prometheus_ready'}")
        .unwrap_err();
    assert!(error.to_string().contains("not one number"), "{error}");
}

#[test]
fn errors_are_those_of_prometheus() {
    let prometheus = Prometheus::start(&json!({})).unwrap();
    let error = prometheus.query("sum(rate(").unwrap_err();
    assert!(error.to_string().contains("parse error"), "{error}");
    assert_eq!(prometheus.query("vector(1) + 1").unwrap()["resultType"], "vector");
    assert_eq!(prometheus.number("vector(1) + 1").unwrap(), Some(2.0));

    let error = Prometheus::start(&json!({"scrape_interval": "soon"})).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("Prometheus ended:") && error.contains("soon"),
        "{error}"
    );
}
