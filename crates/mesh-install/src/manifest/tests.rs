use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::spec::{PROFILES, Request, Source, resolve};

fn request(profile: &str, sets: &[&str]) -> Request {
    Request {
        profile: Some(profile.to_owned()),
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Request::default()
    }
}

fn rendered(profile: &str, sets: &[&str]) -> Manifest {
    match resolve(&request(profile, sets)) {
        Ok(resolved) => render(&resolved.spec),
        Err(issues) => panic!("{issues:#?}"),
    }
}

fn ids(manifest: &Manifest) -> BTreeSet<String> {
    let text = |object: &Value, pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let ids = manifest.objects().map(|object| {
        let namespace = text(object, "/metadata/namespace");
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!(
            "{} {namespace}{slash}{}",
            text(object, "/kind"),
            text(object, "/metadata/name")
        )
    });
    ids.filter(|id| !id.starts_with("CustomResourceDefinition"))
        .collect()
}

fn object<'m>(manifest: &'m Manifest, kind: &str, name: &str) -> &'m Value {
    let found = manifest
        .objects()
        .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

const MINIMAL: [&str; 20] = [
    "Namespace istio-system",
    "ServiceAccount istio-system/istiod",
    "ServiceAccount istio-system/istio-reader-service-account",
    "ClusterRole istiod-clusterrole-istio-system",
    "ClusterRoleBinding istiod-clusterrole-istio-system",
    "ClusterRole istiod-gateway-controller-istio-system",
    "ClusterRoleBinding istiod-gateway-controller-istio-system",
    "ClusterRole istio-reader-clusterrole-istio-system",
    "ClusterRoleBinding istio-reader-clusterrole-istio-system",
    "Role istio-system/istiod",
    "RoleBinding istio-system/istiod",
    "ConfigMap istio-system/istio",
    "ConfigMap istio-system/istio-sidecar-injector",
    "ConfigMap istio-system/values",
    "MutatingWebhookConfiguration istio-sidecar-injector",
    "ValidatingWebhookConfiguration istio-validator-istio-system",
    "Deployment istio-system/istiod",
    "Service istio-system/istiod",
    "HorizontalPodAutoscaler istio-system/istiod",
    "",
];

const INGRESS: [&str; 6] = [
    "ServiceAccount istio-system/istio-ingressgateway-service-account",
    "Role istio-system/istio-ingressgateway-sds",
    "RoleBinding istio-system/istio-ingressgateway-sds",
    "Deployment istio-system/istio-ingressgateway",
    "Service istio-system/istio-ingressgateway",
    "HorizontalPodAutoscaler istio-system/istio-ingressgateway",
];

/// The objects of Istio's own profiles, as `istioctl manifest generate` lists them, and the namespace.
#[test]
fn profiles_have_the_objects_of_istios_own() {
    let minimal: BTreeSet<String> = MINIMAL
        .into_iter()
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
        .collect();
    let with = |more: &[&str]| {
        let more = more.iter().map(|id| (*id).to_owned());
        minimal.iter().cloned().chain(more).collect::<BTreeSet<_>>()
    };
    let cni = |namespace: &str| {
        [
            format!("ServiceAccount {namespace}/istio-cni"),
            "ClusterRole istio-cni".to_owned(),
            "ClusterRoleBinding istio-cni".to_owned(),
            "ClusterRole istio-cni-repair-role".to_owned(),
            "ClusterRoleBinding istio-cni-repair-role".to_owned(),
            format!("ConfigMap {namespace}/istio-cni-config"),
            format!("DaemonSet {namespace}/istio-cni-node"),
        ]
    };
    assert_eq!(ids(&rendered("minimal", &[])), minimal);
    assert_eq!(ids(&rendered("default", &[])), with(&INGRESS));
    assert_eq!(ids(&rendered("preview", &[])), with(&INGRESS));
    let mut demo = with(&INGRESS);
    demo.extend(INGRESS.map(|id| id.replace("ingress", "egress")));
    demo.retain(|id| !id.starts_with("HorizontalPodAutoscaler"));
    assert_eq!(ids(&rendered("demo", &[])), demo);
    let mut stable = with(&INGRESS);
    stable.extend(set([
        "ValidatingAdmissionPolicy stable-channel-policy-istio-system.istio.io",
        "ValidatingAdmissionPolicyBinding stable-channel-policy-binding-istio-system.istio.io",
    ]));
    assert_eq!(ids(&rendered("stable", &[])), stable);
    let ambient = [
        "ClusterRole istio-cni-ambient",
        "ClusterRoleBinding istio-cni-ambient",
        "ServiceAccount istio-system/ztunnel",
        "DaemonSet istio-system/ztunnel",
    ];
    let mut expected = with(&ambient);
    expected.extend(cni("istio-system"));
    assert_eq!(ids(&rendered("ambient", &[])), expected);
    assert_eq!(
        ids(&rendered("remote", &[])),
        set([
            "Namespace istio-system",
            "ServiceAccount istio-system/istio-reader-service-account",
            "ClusterRole istio-reader-clusterrole-istio-system",
            "ClusterRoleBinding istio-reader-clusterrole-istio-system",
            "ConfigMap istio-system/values",
            "MutatingWebhookConfiguration istio-sidecar-injector",
        ])
    );
    let mut openshift = with(&INGRESS);
    openshift.extend(cni("kube-system"));
    openshift.insert("NetworkAttachmentDefinition default/istio-cni".to_owned());
    assert_eq!(ids(&rendered("openshift", &[])), openshift);
    let mut expected = with(
        &ambient
            .map(|id| id.replace("istio-system/", "kube-system/"))
            .each_ref()
            .map(|id| &**id),
    );
    expected.extend(cni("kube-system"));
    expected.extend(set([
        "ClusterRole ztunnel",
        "ClusterRoleBinding ztunnel",
        "NetworkAttachmentDefinition default/istio-cni",
    ]));
    assert_eq!(ids(&rendered("openshift-ambient", &[])), expected);
    assert_eq!(rendered("empty", &[]).components, []);
    for profile in PROFILES.iter().filter(|profile| profile.name != "empty") {
        let manifest = rendered(profile.name, &[]);
        let definitions = manifest
            .objects()
            .filter(|object| object["kind"] == "CustomResourceDefinition");
        assert_eq!(definitions.count(), 15, "{}", profile.name);
    }
}

#[test]
fn the_revision_without_a_name_checks_what_names_none_where_it_is_installed() {
    let plain = rendered("minimal", &["namespace=mesh"]);
    let validator = plain.default_validator.as_ref().expect("a validator");
    assert_eq!(validator["metadata"]["name"], "istiod-default-validator-mesh");
    let webhook = &validator["webhooks"][0];
    assert_eq!(webhook["clientConfig"]["service"]["name"], "istiod");
    let expected = json!({"matchExpressions": [{"key": "istio.io/rev", "operator": "DoesNotExist"}]});
    assert_eq!(webhook["objectSelector"], expected);
    assert!(webhook["rules"][0]["resources"].is_array());
    let label = |key: &str| &validator["metadata"]["labels"][key];
    assert_eq!(
        (label("istio.io/rev"), label("istio.io/tag")),
        (&json!("default"), &json!(null))
    );
    let parts = plain.parts();
    let istiod = parts.iter().find(|part| part.name == "istiod").expect("a part");
    assert!(istiod.objects.contains(validator));
    assert!(!plain.objects().any(|object| object == validator));

    for sets in [
        &["revision=canary"][..],
        &["values.defaultRevision=canary"],
        &["values.global.configValidation=false"],
        &["values.global.operatorManageWebhooks=true"],
    ] {
        assert_eq!(rendered("minimal", sets).default_validator, None, "{sets:?}");
    }
    let named = rendered("minimal", &["values.defaultRevision=default"]);
    assert!(named.default_validator.is_some());
}

#[test]
fn revisions_have_names_of_their_own() {
    let one = ids(&rendered("default", &[]));
    let other = ids(&rendered("default", &["revision=canary", "namespace=mesh"]));
    for id in [
        "Deployment mesh/istiod-canary",
        "Service mesh/istiod-canary",
        "ConfigMap mesh/istio-canary",
        "ConfigMap mesh/istio-sidecar-injector-canary",
        "ConfigMap mesh/values-canary",
        "MutatingWebhookConfiguration istio-sidecar-injector-canary-mesh",
        "ValidatingWebhookConfiguration istio-validator-canary-mesh",
        "ClusterRole istiod-clusterrole-canary-mesh",
        "Role mesh/istiod-canary",
    ] {
        assert!(other.contains(id), "{id}: {other:#?}");
    }
    assert_eq!(one.intersection(&other).count(), 0);
    let canary = rendered("minimal", &["revision=canary"]);
    let istiod = object(&canary, "Deployment", "istiod-canary");
    let labels = json!({"app": "istiod", "istio.io/rev": "canary"});
    assert_eq!(istiod["spec"]["selector"]["matchLabels"], labels);
    assert_eq!(
        istiod.pointer("/spec/template/metadata/labels/istio"),
        Some(&json!("istiod"))
    );
    let webhooks = &object(
        &canary,
        "MutatingWebhookConfiguration",
        "istio-sidecar-injector-canary",
    )["webhooks"];
    assert_eq!(webhooks.as_array().map(Vec::len), Some(2));
}

#[test]
fn selectors_select_their_own_pods_only() {
    for profile in PROFILES {
        let manifest = rendered(
            profile.name,
            &["components.ingressGateways=[{name: one, enabled: true}, {name: two, enabled: true}]"],
        );
        let workloads: Vec<_> = manifest
            .objects()
            .filter(|object| object["spec"]["template"].is_object())
            .collect();
        for workload in &workloads {
            let wanted = workload["spec"]["selector"]["matchLabels"]
                .as_object()
                .expect("a selector");
            for other in &workloads {
                let labels = &other["spec"]["template"]["metadata"]["labels"];
                let selects = wanted.iter().all(|(key, value)| labels.get(key) == Some(value));
                let is_same = std::ptr::eq(*workload, *other);
                assert_eq!(
                    selects, is_same,
                    "{} {}",
                    workload["metadata"]["name"], other["metadata"]["name"]
                );
            }
        }
    }
}

#[test]
fn settings_of_a_component_are_merged_into_its_objects() {
    let text = r"
components:
  pilot:
    k8s:
      env: [{name: PLATFORM, value: x}, {name: EXTRA, value: '1'}]
      resources: {requests: {cpu: 50m}}
      nodeSelector: {pool: mesh}
      podAnnotations: {a: b}
      priorityClassName: high
      tolerations: [{operator: Exists}]
      hpaSpec: {minReplicas: 2, maxReplicas: 9}
      podDisruptionBudget: {maxUnavailable: 1}
      strategy: {rollingUpdate: {maxSurge: 1}}
      readinessProbe: {tcpSocket: {port: 8080}}
      serviceAnnotations: {c: d}
      service: {type: NodePort, ports: [{port: 15012, nodePort: 30012}, {port: 1, name: one}]}
      securityContext: {fsGroup: 7}
      overlays:
      - kind: Deployment
        name: istiod
        patches:
        - {path: 'spec.template.spec.containers.[name:discovery].args.[-1]', value: --more}
        - {path: spec.progressDeadlineSeconds, value: 60}
        - {path: 'metadata.labels.app\.kubernetes\.io/version'}
";
    let request = Request {
        profile: Some("minimal".to_owned()),
        files: vec![Source {
            name: "f".to_owned(),
            text: text.into(),
        }],
        ..Request::default()
    };
    let manifest = render(&resolve(&request).expect("it is right").spec);
    let istiod = object(&manifest, "Deployment", "istiod");
    let container = &istiod["spec"]["template"]["spec"]["containers"][0];
    let env = |name: &str| {
        let env = container["env"].as_array().expect("a list");
        env.iter()
            .filter(|item| item["name"] == name)
            .map(|item| item["value"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (env("PLATFORM"), env("EXTRA")),
        (vec![json!("x")], vec![json!("1")])
    );
    assert_eq!(
        container["resources"],
        json!({"requests": {"cpu": "50m", "memory": "2048Mi"}})
    );
    assert_eq!(
        container["args"].as_array().and_then(|args| args.last()),
        Some(&json!("--more"))
    );
    assert_eq!(container["readinessProbe"].get("httpGet"), None);
    assert_eq!(container["readinessProbe"]["periodSeconds"], 3);
    let pod = &istiod["spec"]["template"]["spec"];
    assert_eq!(pod["nodeSelector"], json!({"pool": "mesh"}));
    assert_eq!(pod["priorityClassName"], "high");
    assert_eq!(pod["tolerations"], json!([{"operator": "Exists"}]));
    assert_eq!(pod["securityContext"], json!({"fsGroup": 7}));
    assert_eq!(
        istiod["spec"]["strategy"]["rollingUpdate"],
        json!({"maxSurge": 1, "maxUnavailable": "25%"})
    );
    assert_eq!(istiod["spec"]["progressDeadlineSeconds"], 60);
    assert_eq!(
        istiod["metadata"]["labels"].get("app.kubernetes.io/version"),
        None
    );
    let scaler = &object(&manifest, "HorizontalPodAutoscaler", "istiod")["spec"];
    assert_eq!(
        (&scaler["minReplicas"], &scaler["scaleTargetRef"]["name"]),
        (&json!(2), &json!("istiod"))
    );
    let budget = &object(&manifest, "PodDisruptionBudget", "istiod")["spec"];
    assert_eq!(
        budget,
        &json!({"maxUnavailable": 1, "selector": {"matchLabels": {"istio": "pilot"}}})
    );
    let service = object(&manifest, "Service", "istiod");
    assert_eq!(service["metadata"]["annotations"], json!({"c": "d"}));
    let ports = service["spec"]["ports"].as_array().expect("ports");
    assert_eq!(ports.len(), 5);
    assert_eq!(
        (&ports[1]["nodePort"], &ports[1]["name"]),
        (&json!(30012), &json!("https-dns"))
    );
    assert_eq!(
        manifest.workloads()[0].1.kind,
        WorkloadKind::Deployment { replicas: 2 }
    );
}

#[test]
fn budgets_come_with_several_pods() {
    let has = |sets: &[&str]| {
        let ids = ids(&rendered("minimal", sets));
        ids.contains("PodDisruptionBudget istio-system/istiod")
    };
    assert!(!has(&[]));
    assert!(has(&["values.pilot.autoscaleMin=2"]));
    assert!(has(&[
        "values.pilot.autoscaleEnabled=false",
        "values.pilot.replicaCount=2"
    ]));
    assert!(!has(&[
        "values.pilot.autoscaleMin=2",
        "values.global.defaultPodDisruptionBudget.enabled=false"
    ]));
}

#[test]
fn the_mesh_config_has_what_istiod_needs_and_what_users_say() {
    let manifest = rendered(
        "demo",
        &[
            "namespace=mesh",
            "revision=r",
            "meshConfig.trustDomain=example.org",
            "values.global.meshID=m",
        ],
    );
    let text = object(&manifest, "ConfigMap", "istio-r")["data"]["mesh"]
        .as_str()
        .expect("text");
    let document = mesh_yaml::parse(&text.into()).remove(0).expect("YAML");
    let mesh = document.root().to_json();
    assert_eq!(
        mesh["defaultConfig"],
        json!({"discoveryAddress": "istiod-r.mesh.svc:15012", "meshId": "m"})
    );
    assert_eq!(
        (&mesh["rootNamespace"], &mesh["trustDomain"]),
        (&json!("mesh"), &json!("example.org"))
    );
    assert_eq!(mesh["extensionProviders"].as_array().map(Vec::len), Some(4));
}

#[test]
fn the_same_gives_the_same() {
    for profile in PROFILES {
        assert_eq!(
            rendered(profile.name, &[]),
            rendered(profile.name, &[]),
            "{}",
            profile.name
        );
    }
}

#[test]
fn components_have_one_name_each() {
    for component in ComponentName::ALL {
        assert_eq!(ComponentName::of(component.as_str()), Some(component));
    }
    assert!(ComponentName::ALL.is_sorted());
}

/// What istiod is given says the same as what injection assumes without an installation.
#[test]
fn the_injector_has_the_defaults_of_injection() {
    let data = |manifest: &Manifest, key: &str| {
        let map = object(manifest, "ConfigMap", "istio-sidecar-injector");
        map["data"][key].as_str().expect("text").to_owned()
    };
    let manifest = rendered("default", &[]);
    let values = serde_json::from_str(&data(&manifest, "values")).expect("JSON");
    assert_eq!(mesh_inject::Values::read(&values), mesh_inject::Values::default());

    let config = mesh_yaml::parse(&data(&manifest, "config").into())
        .remove(0)
        .expect("YAML");
    let config = config.root().to_json();
    let names: Vec<_> = config["templates"]
        .as_object()
        .expect("templates")
        .keys()
        .collect();
    for template in mesh_inject::Template::ALL {
        assert!(names.iter().any(|name| *name == template.name()), "{names:?}");
    }
    for (name, text) in mesh_inject::payload::templates() {
        assert_eq!(config["templates"][name], text, "{name}");
    }
    let read = mesh_inject::InjectorConfig::read(&config);
    assert_eq!(read.policy, mesh_inject::Policy::Enabled);
    assert_eq!(read.default_templates, ["sidecar"]);

    let ambient = rendered(
        "ambient",
        &["values.sidecarInjectorWebhook.templates.own=metadata: {}"],
    );
    let values = serde_json::from_str(&data(&ambient, "values")).expect("JSON");
    let values = mesh_inject::Values::read(&values);
    assert_eq!((&*values.variant, values.cni_enabled), ("distroless", true));
    assert!(
        data(&ambient, "config").contains("own: 'metadata: {}'"),
        "{}",
        data(&ambient, "config")
    );
}
