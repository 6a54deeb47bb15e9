//! Prometheus metrics of applications, merged with the proxy's by the agent.

use serde_json::{Value, json};

use crate::tree::{Map, annotation, annotations_mut, text};

/// The variable of the agent that says where the application's metrics are.
pub(crate) const VARIABLE: &str = "ISTIO_PROMETHEUS_ANNOTATIONS";

/// The path of the merged metrics.
pub(crate) const PATH: &str = "/stats/prometheus";

/// Where an application has more metrics: `PORT:PATH` with commas between them.
const TARGETS: &str = "prometheus.istio.io/scrape-targets";

/// Ports of the proxy, which no metrics of an application can be on.
const RESERVED: [&str; 9] = [
    "15000", "15001", "15004", "15006", "15008", "15020", "15021", "15053", "15090",
];

/// An annotation as Prometheus sees it: all that is no letter or digit is an underscore.
fn sanitized(key: &str) -> String {
    key.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect()
}

/// Whether a key is `prometheus.io/<name>` in any spelling that Prometheus takes for it.
pub(crate) fn is_key(key: &str, name: &str) -> bool {
    key.strip_prefix("prometheus")
        .is_some_and(|rest| sanitized(rest) == format!("_io_{name}"))
}

fn value<'p>(pod: &'p Value, name: &str) -> Option<&'p str> {
    // The spelling of the documentation wins.
    annotation(pod, &format!("prometheus.io/{name}")).or_else(|| {
        let annotations = pod.get("metadata")?.get("annotations")?.as_object()?;
        annotations
            .iter()
            .find(|(key, _)| is_key(key, name))
            .and_then(|(_, value)| value.as_str())
    })
}

/// Something wrong with the annotations: the annotation, and what is wrong.
pub(crate) type Problem = (&'static str, String);

/// Points Prometheus to the agent, unless the pod refuses. Returns what the agent must know about the application's
/// own metrics, if there are any.
///
/// # Errors
///
/// What is wrong with the annotations.
pub(crate) fn merge(pod: &mut Value, default: bool, port: i64) -> Result<Option<String>, Problem> {
    let is_merged = annotation(pod, "prometheus.istio.io/merge-metrics")
        .and_then(crate::checks::boolean)
        .unwrap_or(default);
    let port = port.to_string();
    if !is_merged || value(pod, "scrape") == Some("false") || value(pod, "port") == Some(&port) {
        return Ok(None);
    }
    let own = scrape(pod, &port)?;
    let annotations = annotations_mut(pod);
    // In the place of what they replace, so that the order is kept.
    annotations.retain(|key, _| {
        let is_ours = ["port", "path", "scrape"].iter().any(|name| is_key(key, name));
        key == "prometheus.io/port"
            || key == "prometheus.io/path"
            || key == "prometheus.io/scrape"
            || !is_ours
    });
    for (name, value) in [("path", PATH), ("port", &port), ("scrape", "true")] {
        annotations.insert(format!("prometheus.io/{name}"), value.into());
    }
    Ok(own)
}

/// What the pod says about its own metrics, as JSON.
fn scrape(pod: &Value, agent_port: &str) -> Result<Option<String>, Problem> {
    let mut targets = Vec::new();
    for target in annotation(pod, TARGETS).unwrap_or_default().split(',') {
        let target = target.trim();
        if target.is_empty() {
            continue;
        }
        let (port, path) = target.split_once(':').unwrap_or((target, "/metrics"));
        check_port(port, agent_port).map_err(|problem| (TARGETS, problem))?;
        targets.push((port, path));
    }
    let of = |name: &str| value(pod, name).unwrap_or_default();
    let (scrape, mut path, mut port) = (of("scrape"), of("path"), of("port"));
    if let Some((first_port, first_path)) = targets.first() {
        (port, path) = (first_port, first_path);
    }
    if scrape.is_empty() && path.is_empty() && port.is_empty() {
        return Ok(None);
    }
    let mut own = json!({"scrape": scrape, "path": path, "port": port});
    if let (Value::Object(own), false) = (&mut own, targets.is_empty()) {
        let targets = targets
            .iter()
            .map(|(port, path)| json!({"port": port, "path": path}));
        own.insert("targets".to_owned(), targets.collect());
    }
    Ok(Some(own.to_string()))
}

fn check_port(port: &str, agent_port: &str) -> Result<(), String> {
    if port.parse::<u16>().is_ok_and(|number| number > 0) {
        if port == agent_port {
            Err(format!("port {port} is that of the agent"))
        } else if RESERVED.contains(&port) {
            Err(format!("port {port} is one of the proxy's own"))
        } else {
            Ok(())
        }
    } else {
        Err(format!("`{port}` is not a port from 1 to 65535"))
    }
}

/// The annotations of a pod as they were before its metrics were merged on `port`. `recorded` is the value of
/// [`VARIABLE`], if the agent has one.
pub(crate) fn restore(annotations: &mut Map, recorded: Option<&str>, port: &str) {
    let is_merged = annotations
        .get("prometheus.io/port")
        .is_some_and(|value| value == port)
        && annotations
            .get("prometheus.io/path")
            .is_some_and(|value| value == PATH);
    if !is_merged {
        return;
    }
    let own: Value = recorded
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let has_targets = own.get("targets").is_some();
    for name in ["path", "port", "scrape"] {
        let key = format!("prometheus.io/{name}");
        let value = text(&own, name);
        if value.is_empty() || (has_targets && name != "scrape") {
            annotations.shift_remove(&key);
        } else {
            annotations.insert(key, value.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_recognised() {
        for key in [
            "prometheus.io/port",
            "prometheus_io_port",
            "prometheus-io/port",
            "prometheus.io.port",
        ] {
            assert!(is_key(key, "port"), "{key}");
        }
        assert!(!is_key("prometheus.io/ports", "port") && !is_key("prometheus.istio.io/port", "port"));
    }

    #[test]
    fn metrics_are_merged_unless_refused() {
        let merged = |annotations: Value| {
            let mut pod = json!({"metadata": {"annotations": annotations}});
            let result = merge(&mut pod, true, 15020);
            (result, pod["metadata"]["annotations"].to_string())
        };
        let ours = r#""prometheus.io/path":"/stats/prometheus","prometheus.io/port":"15020","prometheus.io/scrape":"true""#;
        assert_eq!(merged(json!({})), (Ok(None), format!("{{{ours}}}")));
        assert_eq!(
            merged(json!({"prometheus.io/scrape": "true", "a": "b", "prometheus_io_port": "80"})),
            (
                Ok(Some(r#"{"scrape":"true","path":"","port":"80"}"#.to_owned())),
                r#"{"prometheus.io/scrape":"true","a":"b","prometheus.io/path":"/stats/prometheus","prometheus.io/port":"15020"}"#
                    .to_owned()
            )
        );
        for refused in [
            json!({"prometheus.io/scrape": "false"}),
            json!({"prometheus-io-scrape": "false"}),
            json!({"prometheus.istio.io/merge-metrics": "false"}),
            json!({"prometheus.io/port": "15020"}),
        ] {
            assert_eq!(merged(refused.clone()), (Ok(None), refused.to_string()));
        }
    }

    #[test]
    fn targets_are_listed_and_checked() {
        let scrape = |targets: &str| {
            let pod = json!({"metadata": {"annotations": {TARGETS: targets}}});
            scrape(&pod, "15020")
        };
        assert_eq!(
            scrape("8080:/m,9090:/n"),
            Ok(Some(
                r#"{"scrape":"","path":"/m","port":"8080","targets":[{"port":"8080","path":"/m"},{"port":"9090","path":"/n"}]}"#
                    .to_owned()
            ))
        );
        for bad in ["15020:/m", "15090:/m", "x:/m", "0:/m", "70000:/m"] {
            assert!(scrape(bad).is_err(), "{bad}");
        }
    }
}
