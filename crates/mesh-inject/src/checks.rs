//! What is wrong with a pod that is to be injected.

use mesh_core::annotations;
use mesh_core::injection::PROXY_CONTAINER;
use mesh_yaml::{FieldPath, path};
use serde_json::Value;

use crate::settings::Settings;
use crate::templates::Template;
use crate::tree::{annotation, containers, list, text};

/// Something about a pod that keeps it from being injected, or from working once it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The field, from the pod or pod template on.
    pub path: FieldPath,
    /// What is wrong: a lowercase fragment without a final period.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pod is injected, but may not do what was meant.
    Warning,
    /// The pod cannot be injected.
    Error,
}

impl Problem {
    pub(crate) fn error(path: FieldPath, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            path,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn warning(path: FieldPath, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(path, message)
        }
    }

    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The annotations whose bad values the injector refuses. Others it passes over.
const VALIDATED: [&str; 20] = [
    "istio.io/reroute-virtual-interfaces",
    "prometheus.istio.io/merge-metrics",
    "proxy.istio.io/config",
    "readiness.status.sidecar.istio.io/failureThreshold",
    "readiness.status.sidecar.istio.io/initialDelaySeconds",
    "readiness.status.sidecar.istio.io/periodSeconds",
    "sidecar.istio.io/interceptionMode",
    "sidecar.istio.io/proxyCPU",
    "sidecar.istio.io/proxyCPULimit",
    "sidecar.istio.io/proxyMemory",
    "sidecar.istio.io/proxyMemoryLimit",
    "status.sidecar.istio.io/port",
    "traffic.sidecar.istio.io/excludeInboundPorts",
    "traffic.sidecar.istio.io/excludeInterfaces",
    "traffic.sidecar.istio.io/excludeOutboundIPRanges",
    "traffic.sidecar.istio.io/excludeOutboundPorts",
    "traffic.sidecar.istio.io/includeInboundPorts",
    "traffic.sidecar.istio.io/includeOutboundIPRanges",
    "traffic.sidecar.istio.io/includeOutboundPorts",
    "traffic.sidecar.istio.io/kubevirtInterfaces",
];

/// Annotations that must be JSON maps.
const JSON_MAPS: [&str; 3] = [
    "apm.datadoghq.com/env",
    "sidecar.istio.io/userVolume",
    "sidecar.istio.io/userVolumeMount",
];

/// Containers of other meshes, and what the meshes are called.
const OTHER_MESHES: [(&str, &str); 6] = [
    ("linkerd-proxy", "Linkerd"),
    ("kuma-sidecar", "Kuma"),
    ("consul-dataplane", "Consul"),
    ("consul-connect-envoy-sidecar", "Consul"),
    ("osm-proxy", "Open Service Mesh"),
    ("nginx-mesh-sidecar", "NGINX Service Mesh"),
];

/// The path of an annotation in a pod.
pub(crate) fn annotation_path(key: &str) -> FieldPath {
    path!["metadata", "annotations", key]
}

/// Lists everything that is wrong with a pod, errors and warnings, in the order of its fields.
pub(crate) fn check(settings: &Settings, pod: &Value, problems: &mut Vec<Problem>) {
    check_annotations(pod, problems);
    let containers_of = |key: &'static str| {
        containers(pod, key)
            .iter()
            .enumerate()
            .map(move |item| (key, item))
    };
    if containers(pod, "containers").is_empty() {
        let path = if pod
            .get("spec")
            .is_some_and(|spec| spec.get("containers").is_some())
        {
            path!["spec", "containers"]
        } else {
            path!["spec"]
        };
        problems.push(Problem::error(path, "the pod has no containers"));
    }
    let taken = proxy_ports(settings, pod);
    for (key, (index, container)) in containers_of("initContainers").chain(containers_of("containers")) {
        let here = path!["spec", key, index];
        let name = text(container, "name");
        if name.is_empty() {
            problems.push(Problem::error(here, "the container has no name"));
            continue;
        }
        if let Some((_, mesh)) = OTHER_MESHES.iter().find(|(other, _)| *other == name) {
            problems.push(
                Problem::error(
                    here.key("name"),
                    format!("the pod has a sidecar of {mesh} already"),
                )
                .with_help("two meshes cannot both capture the traffic of a pod; take the other sidecar out"),
            );
        }
        if name == PROXY_CONTAINER {
            continue;
        }
        for (number, port) in list(container, "ports").iter().enumerate() {
            let Some(value) = port.get("containerPort").and_then(Value::as_i64) else {
                continue;
            };
            let is_tcp = matches!(text(port, "protocol"), "" | "TCP");
            let Some((_, what)) = taken.iter().find(|(taken, _)| *taken == value) else {
                continue;
            };
            if is_tcp {
                problems.push(
                    Problem::error(
                        here.key("ports").index(number).key("containerPort"),
                        format!("port {value} of container `{name}` is {what}"),
                    )
                    .with_help("let the application listen on another port"),
                );
            }
        }
    }
    let policy = pod.get("spec").map_or("", |spec| text(spec, "dnsPolicy"));
    if !matches!(policy, "" | "ClusterFirst") {
        problems.push(Problem::warning(
            path!["spec", "dnsPolicy"],
            format!("the proxy cannot find services of the cluster with the DNS policy `{policy}`"),
        ));
    }
}

/// The ports that the proxy listens on in a pod, with what they are.
fn proxy_ports(settings: &Settings, pod: &Value) -> Vec<(i64, &'static str)> {
    if !uses_envoy_sidecar(settings, pod) {
        return Vec::new();
    }
    let status = annotation(pod, "status.sidecar.istio.io/port").unwrap_or(&settings.values.status_port);
    let mut ports = vec![
        (15000, "Envoy's administration port"),
        (15004, "the agent's debugging port"),
        (15021, "the proxy's health check"),
        (15090, "the proxy's metrics port"),
    ];
    ports.extend(status.parse().ok().map(|port| (port, "the agent's status port")));
    let mode = annotation(pod, "sidecar.istio.io/interceptionMode").unwrap_or_default();
    if mode != "NONE" {
        ports.push((settings.mesh.listen_port.into(), "the proxy's outbound port"));
        ports.push((
            settings.mesh.inbound_listen_port.into(),
            "the proxy's inbound port",
        ));
    }
    ports
}

fn uses_envoy_sidecar(settings: &Settings, pod: &Value) -> bool {
    template_names(settings, pod)
        .iter()
        .any(|name| name == Template::Sidecar.name())
}

/// The templates that a pod asks for, or else those of the mesh.
pub(crate) fn template_names(settings: &Settings, pod: &Value) -> Vec<String> {
    let Some(asked) = annotation(pod, TEMPLATES).filter(|list| !list.is_empty()) else {
        return settings.injector.default_templates.clone();
    };
    let resolve = |name: &str| {
        let aliases = &settings.injector.aliases;
        match aliases.iter().find(|(alias, _)| alias == name) {
            Some((_, templates)) => templates.clone(),
            None => vec![name.to_owned()],
        }
    };
    asked.split(',').flat_map(|name| resolve(name.trim())).collect()
}

/// The annotation that names templates.
const TEMPLATES: &str = "inject.istio.io/templates";

/// The templates of a pod; an unknown one is a problem.
pub(crate) fn templates(settings: &Settings, pod: &Value, problems: &mut Vec<Problem>) -> Vec<Template> {
    let mut found = Vec::new();
    for name in template_names(settings, pod) {
        if let Some(template) = Template::of(&name) {
            found.push(template);
            continue;
        }
        let known: Vec<_> = Template::ALL.into_iter().map(Template::name).collect();
        let path = if annotation(pod, TEMPLATES).is_some() {
            annotation_path(TEMPLATES)
        } else {
            FieldPath::default()
        };
        problems.push(
            Problem::error(path, format!("there is no injection template `{name}`")).with_help(format!(
                "there are {}; templates of an installation's own are not supported",
                known.join(", ")
            )),
        );
    }
    found
}

fn check_annotations(pod: &Value, problems: &mut Vec<Problem>) {
    let all = pod
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations"));
    for (key, value) in all.and_then(Value::as_object).into_iter().flatten() {
        let Some(value) = value.as_str() else {
            problems.push(
                Problem::error(
                    annotation_path(key),
                    format!("the annotation `{key}` is not text"),
                )
                .with_help("put it in quotes"),
            );
            continue;
        };
        if JSON_MAPS.contains(&key.as_str()) {
            if let Some(problem) = annotations::Form::JsonMapping.problem(value) {
                problems.push(Problem::error(
                    annotation_path(key),
                    format!("bad value of `{key}`: {problem}"),
                ));
            }
            continue;
        }
        let Some(known) = annotations::annotation(key) else {
            continue;
        };
        // An empty value of this one means the default.
        if key == mesh_core::injection::POD_LABEL && value.is_empty() {
            continue;
        }
        let Some(problem) = known.form.problem(value) else {
            continue;
        };
        let message = format!("bad value of `{key}`: {problem}");
        let problem = if VALIDATED.contains(&key.as_str()) {
            Problem::error(annotation_path(key), message)
        } else {
            Problem::warning(annotation_path(key), message)
        };
        problems.push(problem.with_help(known.docs.trim().replace("\n ", " ")));
    }
    check_port_lists(pod, problems);
}

/// Ports that are both to be captured and to be left alone.
fn check_port_lists(pod: &Value, problems: &mut Vec<Problem>) {
    for (included, excluded) in [
        ("includeInboundPorts", "excludeInboundPorts"),
        ("includeOutboundPorts", "excludeOutboundPorts"),
    ] {
        let key = |name: &str| format!("traffic.sidecar.istio.io/{name}");
        let ports = |name: &str| -> Vec<&str> {
            let list = annotation(pod, &key(name)).unwrap_or_default();
            list.split(',')
                .map(str::trim)
                .filter(|port| !port.is_empty())
                .collect()
        };
        let included_ports = ports(included);
        let both: Vec<_> = ports(excluded)
            .into_iter()
            .filter(|port| included_ports.contains(port))
            .collect();
        if !both.is_empty() {
            problems.push(Problem::error(
                annotation_path(&key(excluded)),
                format!("`{}` is in `{}` too", both.join(","), key(included)),
            ));
        }
    }
}

/// A boolean as Go's `strconv.ParseBool` reads it.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
