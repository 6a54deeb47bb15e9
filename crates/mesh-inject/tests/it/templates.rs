//! The templates that an installation ships, held against what is built in their place.
//!
//! Every pod that a test of this binary injects goes through here, and random ones beside them.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use mesh_inject::{Built, Namespace, Owner, Settings, build_all, payload};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use test_support::go::Program;

use crate::properties;
use crate::support::{APP, args, deployment, names, settings, sources, tree};

/// `tests/template-oracle`. It ends when its standard input does, which is with this process.
struct Oracle {
    _child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

static ORACLE: LazyLock<Mutex<Oracle>> = LazyLock::new(|| {
    let program = Program {
        name: "template-oracle",
        module: &test_support::workspace().join("tests/template-oracle"),
        package: ".",
        arguments: &["-mod=readonly".to_owned()],
    };
    let binary = program.binary().expect("the oracle builds");
    let mut child = Command::new(binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle starts");
    let requests = child.stdin.take().expect("piped");
    let answers = BufReader::new(child.stdout.take().expect("piped"));
    Mutex::new(Oracle {
        _child: child,
        requests,
        answers,
    })
});

impl Oracle {
    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests, "{request}").expect("the oracle listens");
        self.requests.flush().expect("the oracle listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the oracle answers");
        serde_json::from_str(&line).expect("answers are JSON")
    }
}

fn ask(request: &Value) -> Value {
    let mut oracle = ORACLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    oracle.ask(request)
}

/// The text of a template.
fn text(name: &str) -> &'static str {
    let (_, text) = payload::templates()
        .find(|(other, _)| *other == name)
        .expect("all templates have a text");
    text
}

/// The `MeshConfig` and the values of an installation.
fn installed(settings: &Settings) -> (Value, Value) {
    let (mesh, mut values) = sources(settings);
    // Every installation says these two.
    for (key, value) in [("hub", &settings.values.hub), ("tag", &settings.values.tag)] {
        if !values.is_object() {
            values = json!({});
        }
        if values["global"][key].is_null() {
            values["global"][key] = value.as_str().into();
        }
    }
    (mesh, values)
}

/// Panics if a template says something else than is built in its place for the pod.
pub(crate) fn hold(settings: &Settings, pod: &Value, owner: &Owner) {
    hold_in(settings, pod, owner, &Namespace::default());
}

fn hold_in(settings: &Settings, pod: &Value, owner: &Owner, namespace: &Namespace) {
    let (mesh, values) = installed(settings);
    for Built {
        template,
        pod,
        proxy,
        ids: (user, group),
        patch,
    } in build_all(settings, pod, owner, namespace)
    {
        let request = json!({
            "template": text(template.name()),
            "pod": pod,
            "workload": {
                "apiVersion": owner.api_version,
                "kind": owner.kind,
                "name": owner.name,
                "namespace": owner.namespace,
            },
            "values": values,
            "mesh": mesh,
            "proxy": serde_json::from_str::<Value>(&proxy.json()).expect("JSON"),
            "revision": settings.revision,
            "native": settings.native_sidecars,
            "user": user,
            "group": group,
            "compliancePolicy": settings.values.compliance_policy,
            "built": patch,
        });
        let answer = ask(&request);
        assert_eq!(answer.get("error"), None, "{template:?} for {pod:#}");
        let mut differences = Vec::new();
        differ("", &answer["rendered"], &answer["built"], &mut differences);
        assert!(
            differences.is_empty(),
            "the template `{}` says something else than is built:\n{}\nfor {pod:#}\nwith {values:#}\n{mesh:#}",
            template.name(),
            differences.join("\n"),
        );
    }
}

/// Lists the fields that differ.
fn differ(path: &str, rendered: &Value, built: &Value, found: &mut Vec<String>) {
    match (rendered, built) {
        (Value::Object(left), Value::Object(right)) => {
            let added = right.keys().filter(|key| !left.contains_key(*key));
            for key in left.keys().chain(added) {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                differ(&format!("{path}.{key}"), &of(left), &of(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differ(&format!("{path}[{index}]"), left, right, found);
            }
        }
        _ if rendered == built => {}
        _ => found.push(format!("{path}: rendered {rendered}, built {built}")),
    }
}

/// Annotations of pods, each with a value that means something.
const ANNOTATIONS: [(&str, &str); 36] = [
    (
        "apm.datadoghq.com/env",
        r#"{"DD_B": "2", "DD_A": "x", "DD_N": 1, "DD_0": null}"#,
    ),
    ("istio.io/reroute-virtual-interfaces", "net1"),
    (
        "k8s.v1.cni.cncf.io/networks",
        r#"[{"name": "a", "namespace": "b"}]"#,
    ),
    ("k8s.v1.cni.cncf.io/networks", "a, b"),
    ("k8s.v1.cni.cncf.io/networks", "default/istio-cni"),
    ("kubectl.kubernetes.io/default-container", "other"),
    (
        "proxy.istio.io/config",
        "{holdApplicationUntilProxyStarts: true, concurrency: 0}",
    ),
    (
        "proxy.istio.io/config",
        "image: {imageType: debug}\nproxyMetadata: {ISTIO_META_ENABLE_HBONE: 'true', B: '', A: \"say \\\"hi\\\"\\n\"}",
    ),
    (
        "proxy.istio.io/config",
        "proxyMetadata: {IPTABLES_TRACE_LOGGING: 'true'}\ninterceptionMode: TPROXY",
    ),
    (
        "proxy.istio.io/config",
        "tracing: {tlsSettings: {mode: SIMPLE, caCertificates: /etc/lightstep/ca.pem}}",
    ),
    ("readiness.status.sidecar.istio.io/failureThreshold", "9"),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", "8"),
    ("readiness.status.sidecar.istio.io/periodSeconds", "7"),
    ("resource.opentelemetry.io/service.instance.id", "i"),
    ("resource.opentelemetry.io/service.namespace", "n"),
    ("resource.opentelemetry.io/service.version", "v"),
    ("sidecar.istio.io/agentLogLevel", "all:debug"),
    ("sidecar.istio.io/bootstrapOverride", "mine"),
    ("sidecar.istio.io/capNetBindService", "true"),
    ("sidecar.istio.io/componentLogLevel", "misc:info"),
    ("sidecar.istio.io/interceptionMode", "NONE"),
    ("sidecar.istio.io/interceptionMode", "TPROXY"),
    ("sidecar.istio.io/logLevel", "trace"),
    ("sidecar.istio.io/nativeSidecar", "false"),
    ("sidecar.istio.io/nativeSidecar", "true"),
    ("sidecar.istio.io/proxyCPU", "150m"),
    ("sidecar.istio.io/proxyImage", "example.com/mine:1"),
    ("sidecar.istio.io/proxyImage", "mine"),
    ("sidecar.istio.io/proxyImageType", "default"),
    ("sidecar.istio.io/proxyMemoryLimit", "1500Mi"),
    (
        "sidecar.istio.io/userVolume",
        r#"{"b": {"secret": {"secretName": "s"}}, "a": {"emptyDir": {}}}"#,
    ),
    (
        "sidecar.istio.io/userVolumeMount",
        r#"{"a": {"mountPath": "/a", "readOnly": true}, "b": {"mountPath": "/b"}}"#,
    ),
    ("status.sidecar.istio.io/port", "0"),
    ("status.sidecar.istio.io/port", "15030"),
    ("traffic.sidecar.istio.io/excludeInboundPorts", "81, 82,15020"),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", ""),
];

/// Parts of values, in YAML.
const VALUES: [&str; 16] = [
    "",
    "global: {proxy: null, logging: null}\npilot: null",
    "pilot: {cni: {enabled: true}, env: {COMPLIANCE_POLICY: fips-140-3}}",
    "pilot: {cni: {enabled: true, provider: multus}, env: {ENABLE_NATIVE_SIDECARS: true}}",
    "global: {network: n1, imagePullSecrets: [s1, {name: s2}], multiCluster: {clusterName: c1}, meshID: m1}",
    "global: {hub: h, tag: 1.5, variant: distroless, imagePullPolicy: Always}",
    "global: {tag: 1.2-distroless, variant: debug, proxy: {image: p}, proxy_init: {image: i, forceApplyIptables: true}}",
    "global: {proxy: {privileged: true, seccompProfile: {type: RuntimeDefault}, logLevel: info, clusterDomain: c.test}}",
    "global: {proxy: {resources: {limits: {cpu: null, memory: 1Gi}, requests: null}, statusPort: 15025}}",
    "global: {proxy: {resources: {limits: null}, startupProbe: {enabled: false}, tracer: datadog, statusPort: 0}}",
    "global: {proxy: {tracer: lightstep, outlierLogPath: /dev/stdout, holdApplicationUntilProxyStarts: true}}",
    "global: {proxy: {lifecycle: {preStop: {exec: {command: [sleep, '5']}}}, readinessPeriodSeconds: 3, \
     readinessInitialDelaySeconds: 2, readinessFailureThreshold: 1, startupProbe: {failureThreshold: 7}}}",
    "global: {proxy: {includeIPRanges: 10.0.0.0/8, excludeIPRanges: 10.1.0.0/16, includeInboundPorts: '', \
     excludeInboundPorts: '1,2', includeOutboundPorts: '3', excludeOutboundPorts: '4'}}",
    "global: {caAddress: 'ca:1', caName: GkeWorkloadCertificate, sts: {servicePort: 15463}, logAsJson: true, \
     mountMtlsCerts: true, nativeNftables: true, logging: {level: 'all:info'}}",
    "revision: canary\nglobal: {istioNamespace: i, pilotCertProvider: custom, trustBundleName: t, sds: {token: {aud: a}}}",
    "gateways: {securityContext: {runAsNonRoot: true}, seccompProfile: {type: RuntimeDefault}}\n\
     pilot: {env: {ENABLE_CLUSTER_TRUST_BUNDLE_API: 'true'}, crlConfigMapName: crl}",
];

const MESHES: [&str; 5] = [
    "",
    "trustDomain: td\nproxyListenPort: 1\nproxyInboundListenPort: 2\ninboundTrafficPolicy: {mode: LOCALHOST}",
    "trustDomain: ''\ndefaultConfig: {image: {imageType: distroless}, proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true'}}",
    "defaultConfig: {interceptionMode: NONE, drainDuration: 23s, discoveryAddress: 'i:1', concurrency: 2}",
    "extensionProviders: [{name: o, opentelemetry: {service: s, port: 1, serviceAttributeEnrichment: \
     OTEL_SEMANTIC_CONVENTIONS}}]",
];

/// A pod with some labels and annotations that mean something, and another image.
fn pod() -> impl Strategy<Value = Value> {
    let labels = [
        (
            "app.kubernetes.io/name",
            "a123456789-123456789-123456789-123456789-123456789-123456789-1-",
        ),
        ("app.kubernetes.io/version", "v2"),
        ("networking.istio.io/tunnel", "other"),
        ("security.istio.io/tlsMode", "disabled"),
        ("service.istio.io/canonical-revision", "v3"),
        ("service.istio.io/workload-name", "w"),
        ("topology.istio.io/network", "n2"),
    ];
    let images = ["a", "r:1/a", "r/a:v1", "r/a:v1@sha256:1", "r/a@sha256:1", "a:v1"];
    (
        properties::pod(),
        proptest::sample::subsequence(labels.to_vec(), 0..=4),
        proptest::sample::subsequence(ANNOTATIONS.to_vec(), 0..=8),
        proptest::sample::select(images.to_vec()),
        any::<bool>(),
    )
        .prop_map(|(mut pod, labels, annotations, image, has_account)| {
            for (key, entries) in [("labels", labels), ("annotations", annotations)] {
                for (name, value) in entries {
                    pod["metadata"][key][name] = value.into();
                }
            }
            pod["spec"]["containers"][0]["image"] = image.into();
            if has_account {
                pod["spec"]["serviceAccountName"] = "account".into();
            }
            pod
        })
}

/// How many random pods are tried; `MESHCTL_TEMPLATE_CASES` says another number.
const CASES: usize = 150;

#[test]
fn templates_say_what_is_built() {
    let cases = std::env::var("MESHCTL_TEMPLATE_CASES");
    let cases = cases.map_or(CASES, |count| count.parse().expect("a number"));
    let strategy = (
        pod(),
        proptest::sample::select(VALUES.to_vec()),
        proptest::sample::select(MESHES.to_vec()),
        any::<bool>(),
    );
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases {
        let (pod, values, mesh, has_owner) = strategy.new_tree(&mut runner).expect("no filters").current();
        let settings = settings(mesh, values);
        let owner = if has_owner {
            properties::owner()
        } else {
            Owner::default()
        };
        hold(&settings, &pod, &owner);
    }
}

#[test]
fn templates_follow_each_annotation_and_value() {
    for (name, value) in ANNOTATIONS {
        let pod = tree(&deployment(&[(name, value)], APP))["spec"]["template"].clone();
        hold(&settings("", ""), &pod, &properties::owner());
    }
    let pod = tree(&deployment(&[], APP))["spec"]["template"].clone();
    for values in VALUES {
        for mesh in MESHES {
            hold(&settings(mesh, values), &pod, &properties::owner());
        }
    }
}

#[test]
fn templates_use_the_ids_of_the_namespace() {
    let namespace = Namespace {
        annotations: [("openshift.io/sa.scc.uid-range".to_owned(), "1000/10".to_owned())].into(),
        ..Namespace::default()
    };
    let pod = tree(&deployment(&[], APP))["spec"]["template"].clone();
    for values in ["", "pilot: {cni: {enabled: true}}"] {
        hold_in(&settings("", values), &pod, &properties::owner(), &namespace);
    }
}

/// The objects of a Gateway of the Gateway API.
fn deployed(template: &str, settings: &Settings) -> Vec<Value> {
    let (mesh, values) = installed(settings);
    let (is_waypoint, class) = match template {
        "waypoint" => (true, "istio-waypoint"),
        _ => (false, "istio"),
    };
    let answer = ask(&json!({
        "template": text(template),
        "values": values,
        "mesh": mesh,
        "proxy": serde_json::from_str::<Value>(&settings.mesh.default_config.json()).expect("JSON"),
        "revision": settings.revision,
        "user": 1337,
        "group": 1337,
        "compliancePolicy": settings.values.compliance_policy,
        "gateway": {
            "gateway": {
                "metadata": {"name": "edge", "namespace": "shop", "uid": "1-2"},
                "spec": {"gatewayClassName": class, "addresses": [{"type": "IPAddress", "value": "192.0.2.1"}]},
            },
            "DeploymentName": format!("edge-{class}"),
            "ServiceAccount": "edge-account",
            "Ports": [
                {"name": "status-port", "port": 15021, "appProtocol": "tcp"},
                {"name": "web", "port": 80, "appProtocol": "http"},
            ],
            "ServiceType": if is_waypoint { "ClusterIP" } else { "LoadBalancer" },
            "ClusterID": "c1",
            "InfrastructureLabels": {"team": "a", "topology.istio.io/network": "n1"},
            "InfrastructureAnnotations": {"note": "b"},
            "GatewayNameLabel": "gateway.networking.k8s.io/gateway-name",
            "ControllerLabel": "istio.io-gateway-controller",
        },
    }));
    assert_eq!(answer.get("error"), None);
    answer["objects"].as_array().cloned().unwrap_or_default()
}

#[test]
fn gateways_are_deployed() {
    for template in ["kube-gateway", "waypoint"] {
        let objects = deployed(template, &settings("", ""));
        let texts: Vec<_> = objects.iter().map(|object| format!("{object:#}")).collect();
        insta::assert_snapshot!(template, texts.join("\n"));
    }
}

#[test]
fn objects_of_gateways_fit_each_other() {
    for template in ["kube-gateway", "waypoint"] {
        for values in VALUES {
            for mesh in MESHES {
                let objects = deployed(template, &settings(mesh, values));
                let kinds: Vec<_> = objects.iter().map(|object| object["kind"].as_str()).collect();
                let expected = [
                    "ServiceAccount",
                    "Deployment",
                    "Service",
                    "HorizontalPodAutoscaler",
                    "PodDisruptionBudget",
                ];
                assert_eq!(kinds, expected.map(Some));
                let [account, deployment, service, scaler, budget] = objects.as_slice() else {
                    unreachable!("five kinds are five objects")
                };
                let pod = &deployment["spec"]["template"];
                assert_eq!(pod["spec"]["serviceAccountName"], account["metadata"]["name"]);
                assert_eq!(
                    scaler["spec"]["scaleTargetRef"]["name"],
                    deployment["metadata"]["name"]
                );
                for selector in [
                    &deployment["spec"]["selector"]["matchLabels"],
                    &service["spec"]["selector"],
                    &budget["spec"]["selector"]["matchLabels"],
                ] {
                    let selector = selector.as_object().expect("a selector");
                    assert!(!selector.is_empty());
                    for (key, value) in selector {
                        assert_eq!(pod["metadata"]["labels"].get(key), Some(value));
                    }
                }
                for object in &objects {
                    assert_eq!(object["metadata"]["ownerReferences"][0]["name"], "edge");
                    assert_eq!(object["metadata"]["labels"]["team"], "a");
                    assert_eq!(object["metadata"]["annotations"]["note"], "b");
                }
                let volumes = names(&pod["spec"]["volumes"]);
                let volumes: Vec<_> = volumes.split(' ').collect();
                let mounts = &pod["spec"]["containers"][0]["volumeMounts"];
                for mount in mounts.as_array().expect("mounts") {
                    assert!(
                        volumes.contains(&mount["name"].as_str().unwrap_or_default()),
                        "{mount}"
                    );
                }
            }
        }
    }
}

#[test]
fn waypoints_follow_their_own_values() {
    let values = "global: {waypoint: {resources: {limits: {cpu: '1'}}, nodeSelector: {disk: ssd}, tolerations: [{key: a}]}}";
    let objects = deployed("waypoint", &settings("", values));
    let pod = &objects[1]["spec"]["template"]["spec"];
    let proxy = &pod["containers"][0];
    assert!(args(proxy).starts_with("proxy waypoint "), "{}", args(proxy));
    assert_eq!(proxy["resources"], json!({"limits": {"cpu": "1"}}));
    assert_eq!(pod["nodeSelector"], json!({"disk": "ssd"}));
    assert_eq!(pod["tolerations"], json!([{"key": "a"}]));
}
