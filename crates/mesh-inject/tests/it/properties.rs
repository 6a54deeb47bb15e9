//! What holds for any workload.
//!
//! Some of what a pod says cannot be told apart from what injection says, so that the way back would lose it; the
//! generated pods leave it out: labels and annotations that injection would set to the same value, names of ports in
//! health checks, the place of an own proxy container that is not last, other spellings of `prometheus.io/*`, and empty
//! lists and maps that injection fills. docs/inject.md lists them.

use std::fmt::Write;

use mesh_inject::{Namespace, Owner, Settings, inject, uninject};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::support::{inject as inject_text, settings, tree, uninject as uninject_text};

fn probe() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1..9999_i64, any::<bool>()).prop_map(|(port, https)| {
            let mut http = json!({"path": "/ready", "port": port});
            if https {
                http["scheme"] = "HTTPS".into();
            }
            json!({"httpGet": http, "periodSeconds": 3})
        }),
        (1..9999_i64).prop_map(|port| json!({"tcpSocket": {"port": port}, "timeoutSeconds": 2})),
        (1..9999_i64).prop_map(|port| json!({"grpc": {"port": port}})),
        Just(json!({"exec": {"command": ["true"]}})),
    ]
}

fn container(name: String) -> impl Strategy<Value = Value> {
    let optional = |value: BoxedStrategy<Value>| proptest::option::of(value);
    (
        optional(probe().boxed()),
        optional(probe().boxed()),
        optional(
            probe()
                .prop_map(|mut probe| {
                    let probe = probe.as_object_mut().map(std::mem::take).unwrap_or_default();
                    let handlers = probe
                        .into_iter()
                        .filter(|(key, _)| key == "httpGet" || key == "exec");
                    handlers.collect::<Map<_, _>>()
                })
                .prop_filter("a hook does something", |handler| !handler.is_empty())
                .prop_map(|handler| json!({"preStop": handler}))
                .boxed(),
        ),
        optional(Just(json!([{"name": "A", "value": "1"}, {"name": "B"}])).boxed()),
        optional(
            (1..9999_i64)
                .prop_map(|port| json!([{"containerPort": port, "name": "p"}]))
                .boxed(),
        ),
    )
        .prop_map(move |(live, ready, lifecycle, env, ports)| {
            let mut container = Map::new();
            container.insert("name".to_owned(), name.clone().into());
            container.insert("image".to_owned(), "example.com/app:1".into());
            for (key, value) in [
                ("livenessProbe", live),
                ("readinessProbe", ready),
                ("lifecycle", lifecycle),
                ("env", env),
                ("ports", ports),
            ] {
                if let Some(value) = value {
                    container.insert(key.to_owned(), value);
                }
            }
            Value::Object(container)
        })
}

/// A container of the proxy's name, with quantities that are not canonical.
fn own_proxy() -> impl Strategy<Value = Value> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(resources, env, security)| {
        let mut container = json!({"name": "istio-proxy", "image": "auto"});
        if resources {
            container["resources"] = json!({"limits": {"cpu": "3000m", "memory": "1024Mi"}});
        }
        if env {
            container["env"] = json!([{"name": "MINE", "value": "1"}, {"name": "CA_ADDR", "value": "ca:1"}]);
        }
        if security {
            container["securityContext"] = json!({"runAsUser": 2000});
        }
        container
    })
}

pub(crate) fn pod() -> impl Strategy<Value = Value> {
    let containers = (1..3_usize).prop_flat_map(|count| {
        (0..count)
            .map(|index| container(format!("c{index}")))
            .collect::<Vec<_>>()
    });
    let labels = prop_oneof![
        Just(Value::Null),
        Just(json!({"app": "web"})),
        Just(json!({"version": "v1", "app": "web"})),
        Just(json!({"service.istio.io/canonical-name": "other", "z": "y"})),
    ];
    let annotations = prop_oneof![
        Just(Value::Null),
        Just(json!({"note": "mine"})),
        Just(json!({"prometheus.io/scrape": "true", "prometheus.io/port": "9090", "z": "y"})),
        Just(json!({"prometheus.io/scrape": "false"})),
        Just(json!({"sidecar.istio.io/nativeSidecar": "true"})),
        Just(json!({"sidecar.istio.io/interceptionMode": "TPROXY", "z": "y"})),
        Just(json!({"traffic.sidecar.istio.io/excludeInboundPorts": "81,82", "z": "y"})),
        Just(json!({"kubectl.kubernetes.io/default-container": "other", "z": "y"})),
    ];
    (
        containers,
        proptest::option::of(own_proxy()),
        proptest::option::of(container("init".to_owned())),
        labels,
        annotations,
        any::<bool>(),
    )
        .prop_map(
            |(mut containers, proxy, init, labels, annotations, has_volumes)| {
                containers.extend(proxy);
                let mut metadata = Map::new();
                for (key, value) in [("labels", labels), ("annotations", annotations)] {
                    if !value.is_null() {
                        metadata.insert(key.to_owned(), value);
                    }
                }
                let mut spec = Map::new();
                if let Some(init) = init {
                    spec.insert("initContainers".to_owned(), json!([init]));
                }
                spec.insert("containers".to_owned(), containers.into());
                if has_volumes {
                    spec.insert("volumes".to_owned(), json!([{"name": "mine", "emptyDir": {}}]));
                    spec.insert("futureField".to_owned(), json!({"kept": ["as", "it", "is"]}));
                }
                let mut pod = Map::new();
                if !metadata.is_empty() {
                    pod.insert("metadata".to_owned(), metadata.into());
                }
                pod.insert("spec".to_owned(), spec.into());
                Value::Object(pod)
            },
        )
}

fn all_settings() -> impl Strategy<Value = Settings> {
    let values = [
        "",
        "pilot: {cni: {enabled: true}}",
        "global: {network: n1, imagePullSecrets: [s1], multiCluster: {clusterName: c1}}",
        "pilot: {cni: {enabled: true, provider: multus}, env: {ENABLE_NATIVE_SIDECARS: true}}",
    ];
    let meshes = [
        "",
        "defaultConfig: {holdApplicationUntilProxyStarts: true}",
        "enablePrometheusMerge: false",
    ];
    (
        proptest::sample::select(values.to_vec()),
        proptest::sample::select(meshes.to_vec()),
    )
        .prop_map(|(values, mesh)| settings(mesh, values))
        .boxed()
}

pub(crate) fn owner() -> Owner {
    Owner {
        api_version: "apps/v1".to_owned(),
        kind: "Deployment".to_owned(),
        name: "web".to_owned(),
        namespace: "shop".to_owned(),
    }
}

/// A Deployment of a pod template, in block style.
fn deployment(pod: &Value) -> String {
    let mut text =
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n".to_owned();
    block(pod, 4, &mut text);
    text
}

fn block(value: &Value, column: usize, out: &mut String) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let _ = write!(out, "{:column$}{key}:", "");
        child(value, column, out);
    }
}

fn child(value: &Value, column: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            block(value, column + 2, out);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            for item in items {
                if item.is_object() {
                    let mut text = String::new();
                    block(item, column + 2, &mut text);
                    let _ = write!(out, "{:column$}- {}", "", text.trim_start());
                } else {
                    let _ = writeln!(out, "{:column$}- {item}", "");
                }
            }
        }
        scalar => {
            let _ = writeln!(out, " {scalar}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn uninjecting_undoes_injecting(pod in pod(), settings in all_settings()) {
        let injected = inject(&settings, &pod, &owner(), &Namespace::default()).expect("nothing is wrong");
        let restored = uninject(&injected.pod);
        prop_assert!(restored.was_injected && restored.lost.is_empty());
        prop_assert_eq!(restored.pod, pod);
    }

    #[test]
    fn injecting_again_changes_nothing(pod in pod(), settings in all_settings()) {
        let once = inject(&settings, &pod, &owner(), &Namespace::default()).expect("nothing is wrong");
        let twice = inject(&settings, &once.pod, &owner(), &Namespace::default()).expect("nothing is wrong");
        prop_assert_eq!(twice.pod, once.pod);
    }

    #[test]
    fn all_that_the_pod_says_stays(pod in pod(), settings in all_settings()) {
        let injected = inject(&settings, &pod, &owner(), &Namespace::default()).expect("nothing is wrong").pod;
        for key in ["initContainers", "containers"] {
            for container in pod["spec"][key].as_array().into_iter().flatten() {
                let lists = ["initContainers", "containers"].iter();
                let found = lists
                    .flat_map(|key| injected["spec"][*key].as_array().into_iter().flatten())
                    .filter(|other| other["name"] == container["name"])
                    .count();
                prop_assert_eq!(found, 1);
            }
        }
        prop_assert_eq!(&injected["spec"]["futureField"], &pod["spec"]["futureField"]);
    }

    #[test]
    fn texts_come_back_to_the_letter(pod in pod(), settings in all_settings()) {
        // An own proxy container and checks of other sorts come back with another quoting or order.
        let text = deployment(&pod);
        let injected = inject_text(&settings, &text);
        let restored = uninject_text(&injected);
        prop_assert_eq!(tree(&restored), tree(&text));
        if !text.contains("grpc:") && !text.contains("tcpSocket:") && !text.contains("istio-proxy") {
            prop_assert_eq!(restored, text);
        }
    }

    #[test]
    fn any_tree_is_judged_without_panicking(pod in any_tree()) {
        let settings = Settings::default();
        if let Ok(injected) = inject(&settings, &pod, &owner(), &Namespace::default()) {
            let _ = uninject(&injected.pod);
        }
        let _ = uninject(&pod);
    }
}

/// Trees that look like pods here and there.
fn any_tree() -> impl Strategy<Value = Value> {
    let key = proptest::sample::select(
        &[
            "metadata",
            "spec",
            "labels",
            "annotations",
            "containers",
            "initContainers",
            "volumes",
            "name",
            "env",
            "ports",
            "image",
            "args",
            "lifecycle",
            "preStop",
            "httpGet",
            "port",
            "readinessProbe",
            "containerPort",
            "securityContext",
            "sidecar.istio.io/status",
            "proxy.istio.io/overrides",
            "proxy.istio.io/config",
            "resources",
            "value",
            "volumeMounts",
            "prometheus.io/port",
        ][..],
    );
    let leaf = prop_oneof![
        Just(Value::Null),
        Just(json!(true)),
        Just(json!(15020)),
        Just(json!("istio-proxy")),
        Just(json!("app")),
        Just(json!("{}")),
        Just(json!("{\"containers\": [\"app\", 1], \"initContainers\": {}}")),
        Just(json!(
            "{\"containers\": [{\"name\": \"istio-proxy\", \"resources\": {}}]}"
        )),
        Just(json!("{")),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..6).prop_map(|entries| {
                Value::Object(
                    entries
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}
