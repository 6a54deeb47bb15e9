//! From a pod to the pod with a sidecar.

use std::borrow::Cow;
use std::sync::Arc;

use mesh_core::Labels;
use mesh_core::injection::PROXY_CONTAINER;
use mesh_yaml::path;
use serde_json::{Value, json};

use crate::checks::{Problem, Severity, annotation_path, check, templates};
use crate::merge::merge;
use crate::namespace::Namespace;
use crate::owner::Owner;
use crate::proxy_config::{ProxyConfig, effective};
use crate::settings::Settings;
use crate::templates::{Context, Template};
use crate::tree::{
    Map, annotation, annotations_mut, as_map, containers, label, labels_mut, list, list_mut, map_mut, named,
    proxy_mut, spec_list_mut, text, variable,
};
use crate::uninject::uninject;
use crate::{overrides, probes, prometheus};

/// The annotation with what was injected.
pub(crate) const STATUS: &str = "sidecar.istio.io/status";

/// The label with the network of the pod.
pub(crate) const NETWORK_LABEL: &str = "topology.istio.io/network";

/// A pod, or pod template, with its sidecar.
#[derive(Clone, Debug, PartialEq)]
pub struct Injected {
    /// The pod: what was there in its order, and the additions.
    pub pod: Value,
    /// What may not work as it was meant; warnings only.
    pub warnings: Vec<Problem>,
    /// Whether it was injected before, so that the old sidecar was taken out first.
    pub was_injected: bool,
    /// Whether the proxy is an init container that goes on running.
    pub is_native: bool,
}

/// Injects a pod, or a pod template: a JSON object with `metadata` and `spec`. `owner` is the workload that it belongs
/// to, `namespace` what is known of its namespace. Whether the pod is to be injected is [`decide`](crate::decide)'s to
/// say.
///
/// # Errors
///
/// All that is wrong with the pod, errors and warnings. The pod that the sidecar was taken out of is what the paths
/// are of, if it was injected before.
pub fn inject(
    settings: &Settings,
    pod: &Value,
    owner: &Owner,
    namespace: &Namespace,
) -> Result<Injected, Vec<Problem>> {
    let mut problems = Vec::new();
    let was_injected = annotation(pod, STATUS).is_some();
    let original = &*original(pod, namespace);
    check(settings, original, &mut problems);
    let templates = templates(settings, original, &mut problems);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }

    let proxy = proxy_config(settings, original, owner);
    let is_native = is_native(settings, original);
    let context = Context {
        settings,
        pod: original,
        owner,
        namespace,
        proxy: &proxy,
        is_native,
    };

    let mut result = original.clone();
    start_with_metadata(&mut result);
    let mut template = Value::Null;
    for part in templates {
        let mut built = part.build(&context);
        let Value::Object(patch) = &built else { continue };
        let has_native = |pod: &Value| named(containers(pod, "initContainers"), PROXY_CONTAINER).is_some();
        if has_native(&template) || has_native(&built) {
            move_proxy_to_init(&mut result);
        }
        merge(as_map(&mut result), patch);
        // Mostly there is one.
        if template.is_null() {
            template = built;
        } else {
            merge(as_map(&mut template), as_map(&mut built));
        }
    }
    let overridden = overrides::apply(&mut result, original, &template);
    let mode = annotation(original, "sidecar.istio.io/interceptionMode").unwrap_or(proxy.interception_mode());
    overrides::adjust_user(&mut result, original, mode);
    if let Some(overridden) = overridden {
        annotations_mut(&mut result).insert(overrides::ANNOTATION.to_owned(), overridden.into());
    }

    let network = label(original, NETWORK_LABEL)
        .filter(|network| !network.is_empty())
        .unwrap_or(&settings.values.network)
        .to_owned();
    let mut environment = settings.environment.clone();
    for (name, value) in [
        ("ISTIO_META_CLUSTER_ID", &settings.values.cluster_name),
        ("ISTIO_META_NETWORK", &network),
    ] {
        if !value.is_empty() {
            environment.insert(name.to_owned(), value.clone());
        }
    }
    move_to_end(&mut result, &environment);
    match prometheus::merge(
        &mut result,
        settings.mesh.merges_prometheus,
        proxy_status_port(settings),
    ) {
        Ok(Some(own)) => append_variable(&mut result, prometheus::VARIABLE, own),
        Ok(None) => {}
        Err((key, problem)) => {
            problems.push(Problem::error(
                annotation_path(key),
                format!("bad value of `{key}`: {problem}"),
            ));
            return Err(problems);
        }
    }
    secure_prometheus(&mut result);
    rewrite_probes(settings, &mut result, original, &mut problems);
    if !network.is_empty() {
        labels_mut(&mut result).insert(NETWORK_LABEL.to_owned(), network.into());
    }
    let extra = [
        &settings.injector.annotations,
        &settings.values.injected_annotations,
    ];
    for (key, value) in extra.into_iter().flatten() {
        annotations_mut(&mut result).insert(key.clone(), value.clone().into());
    }
    annotations_mut(&mut result).insert(STATUS.to_owned(), status(&template, settings).into());
    let holds = proxy.holds_application() || settings.values.hold_application;
    reorder(&mut result, holds);
    drop_empty_init_containers(&mut result, original);
    warn_of_duplicates(original, &mut problems);

    Ok(Injected {
        pod: result,
        warnings: problems,
        was_injected,
        is_native,
    })
}

/// The pod as it is without injection.
fn original<'p>(pod: &'p Value, namespace: &Namespace) -> Cow<'p, Value> {
    if annotation(pod, STATUS).is_some() {
        Cow::Owned(uninject(pod).pod)
    } else if namespace.chooses_users() && has_chosen_user(pod) {
        Cow::Owned(without_chosen_user(pod))
    } else {
        Cow::Borrowed(pod)
    }
}

/// The settings of the proxy, with what the pod's annotation says.
fn proxy_config(settings: &Settings, pod: &Value, owner: &Owner) -> ProxyConfig {
    let annotated = annotation(pod, "proxy.istio.io/config").and_then(yaml);
    effective(settings, &owner.namespace, pod, annotated.as_ref())
}

/// Whether the proxy is a native sidecar.
fn is_native(settings: &Settings, pod: &Value) -> bool {
    match annotation(pod, "sidecar.istio.io/nativeSidecar") {
        None | Some("") => settings.native_sidecars,
        Some(value) => value != "false",
    }
}

/// What a template is evaluated with, and what is built in its place.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Built {
    /// The template.
    pub template: Template,
    /// The pod as it is without injection.
    pub pod: Value,
    /// The settings of its proxy.
    pub proxy: ProxyConfig,
    /// User and group of the proxy.
    pub ids: (i64, i64),
    /// What is merged into the pod.
    pub patch: Value,
}

/// What all templates would add to a pod.
///
/// For tests, which hold the templates of [`payload`](crate::payload) against it.
#[doc(hidden)]
pub fn build_all(settings: &Settings, pod: &Value, owner: &Owner, namespace: &Namespace) -> Vec<Built> {
    let original = &*original(pod, namespace);
    let proxy = proxy_config(settings, original, owner);
    let context = Context {
        settings,
        pod: original,
        owner,
        namespace,
        proxy: &proxy,
        is_native: is_native(settings, original),
    };
    let build = |template: Template| Built {
        template,
        pod: original.clone(),
        proxy: proxy.clone(),
        ids: (namespace.proxy_user(), namespace.proxy_group()),
        patch: template.build(&context),
    };
    Template::ALL.into_iter().map(build).collect()
}

/// Whether the pod's own proxy container runs as the user of the application. OpenShift gives all containers the same
/// user before the injector sees them, and the traffic of the proxy's user is not captured.
fn has_chosen_user(pod: &Value) -> bool {
    let containers = containers(pod, "containers");
    let application = containers
        .iter()
        .find(|container| text(container, "name") != PROXY_CONTAINER);
    let user = |container: &Value| container.get("securityContext")?.get("runAsUser").cloned();
    match (named(containers, PROXY_CONTAINER), application) {
        (Some(proxy), Some(application)) => user(proxy).is_some() && user(proxy) == user(application),
        _ => false,
    }
}

/// The pod without what [`has_chosen_user`] finds.
fn without_chosen_user(pod: &Value) -> Value {
    let mut pod = pod.clone();
    if let Some(security) = proxy_mut(&mut pod).and_then(|proxy| proxy.get_mut("securityContext"))
        && let Value::Object(security) = security
    {
        security.shift_remove("runAsUser");
    }
    pod
}

/// Port on which the agent offers merged metrics.
fn proxy_status_port(settings: &Settings) -> i64 {
    settings.mesh.default_config.status_port()
}

/// The text of an annotation as a tree; it was checked before.
fn yaml(text: &str) -> Option<Value> {
    let document = mesh_yaml::parse(&Arc::from(text)).into_iter().next()?.ok()?;
    Some(document.root().to_json())
}

/// Makes sure that there is metadata, and that it comes first if it was not there.
pub(crate) fn start_with_metadata(pod: &mut Value) {
    let pod = as_map(pod);
    if pod.get("metadata").is_none_or(Value::is_null) {
        pod.shift_remove("metadata");
        let rest = std::mem::take(pod);
        pod.insert("metadata".to_owned(), Value::Object(Map::new()));
        pod.extend(rest);
    }
}

fn move_proxy_to_init(pod: &mut Value) {
    let Some(list) = spec_list_mut(pod, "containers") else {
        return;
    };
    let Some(index) = list
        .iter()
        .position(|container| text(container, "name") == PROXY_CONTAINER)
    else {
        return;
    };
    let proxy = list.remove(index);
    list_mut(map_mut(as_map(pod), "spec"), "initContainers").push(proxy);
}

/// Sets variables of the proxy at the end of its environment.
fn move_to_end(pod: &mut Value, variables: &Labels) {
    let Some(proxy) = proxy_mut(pod) else { return };
    let env = list_mut(proxy, "env");
    env.retain(|item| !variables.contains_key(text(item, "name")));
    env.extend(variables.iter().map(|(key, value)| variable(key, &**value)));
}

fn append_variable(pod: &mut Value, name: &str, value: String) {
    if let Some(proxy) = proxy_mut(pod) {
        list_mut(proxy, "env").push(variable(name, value));
    }
}

/// Says where merged metrics are served with mutual TLS, if they are.
fn secure_prometheus(pod: &mut Value) {
    let Some(proxy) = proxy_mut(pod) else { return };
    let port = proxy
        .get("env")
        .and_then(Value::as_array)
        .and_then(|env| named(env, "ENVOY_SECURE_MERGED_METRICS_PORT"))
        .map(|variable| text(variable, "value").to_owned())
        .filter(|port| port.parse::<u16>().is_ok_and(|port| port != 0));
    if let Some(port) = port {
        annotations_mut(pod).insert("prometheus.istio.io/secure-port".to_owned(), port.into());
    }
}

fn rewrite_probes(settings: &Settings, pod: &mut Value, original: &Value, problems: &mut Vec<Problem>) {
    let wanted = probes::is_wanted(
        annotation(pod, "sidecar.istio.io/rewriteAppHTTPProbers"),
        settings.values.rewrite_probes,
    );
    if !wanted || proxy_mut(pod).is_none() {
        return;
    }
    let mesh_port = settings.mesh.default_config.status_port();
    let port = annotation(pod, "status.sidecar.istio.io/port")
        .and_then(|port| port.trim().parse().ok())
        .unwrap_or(mesh_port);
    let (probers, broken) = probes::rewrite(pod, port, mesh_port);
    if !probers.is_empty() {
        append_variable(pod, probes::VARIABLE, Value::Object(probers).to_string());
    }
    for probes::Broken {
        list,
        container,
        path: fields,
        port,
    } in broken
    {
        let index = containers(original, list)
            .iter()
            .position(|other| text(other, "name") == container)
            .unwrap_or_default();
        let path = fields
            .iter()
            .fold(path!["spec", list, index], |path, field| path.key(field));
        problems.push(
            Problem::warning(
                path,
                format!("the check always fails: no port of container `{container}` is called `{port}`"),
            )
            .with_help("declare the port, or write its number"),
        );
    }
}

/// What was injected, as the annotation says it.
fn status(template: &Value, settings: &Settings) -> String {
    let names = |key: &str| -> Value {
        let items = template
            .get("spec")
            .map(|spec| list(spec, key))
            .unwrap_or_default();
        if items.is_empty() {
            return Value::Null;
        }
        items.iter().map(|item| Value::from(text(item, "name"))).collect()
    };
    json!({
        "initContainers": names("initContainers"),
        "containers": names("containers"),
        "volumes": names("volumes"),
        "imagePullSecrets": names("imagePullSecrets"),
        "revision": settings.revision_name(),
    })
    .to_string()
}

/// Puts the injected containers where they work: the setup of capturing after the user's init containers, which would
/// be cut off from the network otherwise, or with a native sidecar both before them; the proxy last, so that tools
/// that take the first container take the user's, or first if the application waits for it.
fn reorder(pod: &mut Value, holds_application: bool) {
    let is_native = named(containers(pod, "initContainers"), PROXY_CONTAINER).is_some();
    let mut shift = |key: &str, name: &str, to_front: bool| {
        let Some(list) = spec_list_mut(pod, key) else {
            return;
        };
        let Some(index) = list.iter().position(|container| text(container, "name") == name) else {
            return;
        };
        let container = list.remove(index);
        let at = if to_front { 0 } else { list.len() };
        list.insert(at, container);
    };
    shift("containers", PROXY_CONTAINER, holds_application);
    if is_native {
        for name in [
            "enable-core-dump",
            PROXY_CONTAINER,
            "istio-init",
            "istio-validation",
        ] {
            shift("initContainers", name, true);
        }
    } else {
        shift("initContainers", "istio-validation", true);
        shift("initContainers", "istio-init", false);
        shift("initContainers", "enable-core-dump", false);
    }
}

/// An empty list that only the template has is no change.
fn drop_empty_init_containers(pod: &mut Value, original: &Value) {
    let was_there = original
        .get("spec")
        .is_some_and(|spec| spec.get("initContainers").is_some());
    let is_empty = |spec: &Map| {
        spec.get("initContainers")
            .and_then(Value::as_array)
            .is_some_and(Vec::is_empty)
    };
    if let (false, Some(Value::Object(spec))) = (was_there, pod.get_mut("spec"))
        && is_empty(spec)
    {
        spec.shift_remove("initContainers");
    }
}

/// Two containers of one name cannot be told apart in the merge, and the API server refuses them.
fn warn_of_duplicates(original: &Value, problems: &mut Vec<Problem>) {
    for key in ["initContainers", "containers"] {
        let list = containers(original, key);
        for (index, container) in list.iter().enumerate() {
            let name = text(container, "name");
            if list[..index].iter().any(|other| text(other, "name") == name) {
                problems.push(Problem::warning(
                    path!["spec", key, index, "name"],
                    format!("there are two containers called `{name}`"),
                ));
            }
        }
    }
}
