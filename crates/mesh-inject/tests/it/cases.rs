//! What settings and annotations do to a pod.

use serde_json::{Value, json};

use crate::support::{
    APP, WEB, args, container, deployment, inject, names, settings, template, try_inject, variable,
};

#[test]
fn a_deployment_with_default_settings() {
    insta::assert_snapshot!(inject(&settings("", ""), WEB));
}

#[test]
fn a_gateway_with_its_image_chosen_by_injection() {
    let text = deployment(
        &[("inject.istio.io/templates", "gateway")],
        "containers:\n- name: istio-proxy\n  image: auto\n  ports:\n  - containerPort: 8443\n    name: https",
    );
    insta::assert_snapshot!(inject(&settings("", ""), &text));
}

#[test]
fn the_cni_plugin_takes_the_place_of_privileges() {
    let values = "pilot: {cni: {enabled: true}}";
    let pod = template(&settings("", values), &deployment(&[], APP));
    let init = container(&pod, "istio-validation");
    assert_eq!(
        args(init),
        "istio-iptables -p 15001 -z 15006 -u 1337 -m REDIRECT -i * -x  -b * -d 15090,15021,15020 \
         --log_output_level=default:info --run-validation --skip-rule-apply"
    );
    assert_eq!(
        init["securityContext"],
        json!({
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}, "privileged": false,
            "readOnlyRootFilesystem": true, "runAsGroup": 1337, "runAsNonRoot": true, "runAsUser": 1337,
        })
    );
    let annotations = pod["metadata"]["annotations"].as_object().expect("annotations");
    let of_cni: Vec<_> = annotations
        .iter()
        .filter(|(key, _)| key.contains("sidecar.istio.io/") && *key != "sidecar.istio.io/status")
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    assert_eq!(
        of_cni,
        [
            "sidecar.istio.io/interceptionMode=REDIRECT",
            "traffic.sidecar.istio.io/includeOutboundIPRanges=*",
            "traffic.sidecar.istio.io/includeInboundPorts=*",
            "traffic.sidecar.istio.io/excludeInboundPorts=15020",
        ]
    );
}

#[test]
fn annotations_choose_what_is_captured() {
    let prefix = "traffic.sidecar.istio.io";
    let text = deployment(
        &[
            (&format!("{prefix}/includeOutboundIPRanges"), "10.0.0.0/8"),
            (&format!("{prefix}/excludeOutboundIPRanges"), "10.1.0.0/16"),
            (&format!("{prefix}/includeInboundPorts"), ""),
            (&format!("{prefix}/excludeInboundPorts"), "81,82"),
            (&format!("{prefix}/includeOutboundPorts"), "443"),
            (&format!("{prefix}/excludeOutboundPorts"), "3306"),
            (&format!("{prefix}/kubevirtInterfaces"), "net0"),
            ("istio.io/reroute-virtual-interfaces", "net1"),
            (&format!("{prefix}/excludeInterfaces"), "eth1"),
            ("sidecar.istio.io/agentLogLevel", "all:debug"),
            ("sidecar.istio.io/interceptionMode", "TPROXY"),
            ("status.sidecar.istio.io/port", "15030"),
        ],
        APP,
    );
    let pod = template(&settings("", "global: {logAsJson: true}"), &text);
    assert_eq!(
        args(container(&pod, "istio-init")),
        "istio-iptables -p 15001 -z 15006 -u 1337 -m TPROXY -i 10.0.0.0/8 -x 10.1.0.0/16 -b  -d 15090,15021,81,82,15030 \
         -q 443 -o 3306 -k net1 -c eth1 --log_output_level=all:debug --log_as_json"
    );
    let security = &container(&pod, "istio-proxy")["securityContext"];
    assert_eq!(
        security["capabilities"],
        json!({"add": ["NET_ADMIN"], "drop": ["ALL"]})
    );
    assert_eq!(
        (
            &security["runAsUser"],
            &security["runAsGroup"],
            &security["runAsNonRoot"]
        ),
        (&json!(0), &json!(1337), &json!(false))
    );
    assert_eq!(
        variable(&pod, "ISTIO_META_INTERCEPTION_MODE").as_deref(),
        Some("TPROXY")
    );
}

#[test]
fn without_capturing_there_is_no_init_container() {
    let annotation = ("sidecar.istio.io/interceptionMode", "NONE");
    let pod = template(&settings("", ""), &deployment(&[annotation], APP));
    assert_eq!(pod["spec"].get("initContainers"), None);
    let status: Value = status(&pod);
    assert_eq!(status["initContainers"], Value::Null);
    let mut native = settings("", "");
    native.native_sidecars = true;
    let pod = template(&native, &deployment(&[annotation], APP));
    assert_eq!(names(&pod["spec"]["initContainers"]), "istio-proxy");
}

fn status(pod: &Value) -> Value {
    let text = pod["metadata"]["annotations"]["sidecar.istio.io/status"].as_str();
    serde_json::from_str(text.expect("a status")).expect("JSON")
}

#[test]
fn containers_stand_where_they_work() {
    let spec = format!("initContainers:\n- name: prepare\n  image: a\n{APP}\n- name: other\n  image: b");
    let order = |mesh: &str, values: &str, annotations: &[(&str, &str)]| {
        let pod = template(&settings(mesh, values), &deployment(annotations, &spec));
        format!(
            "{} | {}",
            names(&pod["spec"]["initContainers"]),
            names(&pod["spec"]["containers"])
        )
    };
    let native = ("sidecar.istio.io/nativeSidecar", "true");
    let hold = "defaultConfig: {holdApplicationUntilProxyStarts: true}";
    let cni = "pilot: {cni: {enabled: true}}";
    for (mesh, values, annotations, expected) in [
        ("", "", &[][..], "prepare istio-init | app other istio-proxy"),
        (hold, "", &[], "prepare istio-init | istio-proxy app other"),
        ("", cni, &[], "istio-validation prepare | app other istio-proxy"),
        ("", "", &[native], "istio-init istio-proxy prepare | app other"),
        (
            "",
            cni,
            &[native],
            "istio-validation istio-proxy prepare | app other",
        ),
        (
            "",
            "pilot: {env: {ENABLE_NATIVE_SIDECARS: true}}",
            &[],
            "istio-init istio-proxy prepare | app other",
        ),
        (
            "",
            "pilot: {env: {ENABLE_NATIVE_SIDECARS: true}}",
            &[("sidecar.istio.io/nativeSidecar", "false")],
            "prepare istio-init | app other istio-proxy",
        ),
        (
            "",
            "global: {proxy: {holdApplicationUntilProxyStarts: true}}",
            &[("proxy.istio.io/config", "holdApplicationUntilProxyStarts: false")],
            "prepare istio-init | istio-proxy app other",
        ),
    ] {
        assert_eq!(order(mesh, values, annotations), expected);
    }
}

#[test]
fn hooks_follow_the_sort_of_sidecar() {
    let lifecycle = |values: &str, annotations: &[(&str, &str)]| {
        let pod = template(&settings("", values), &deployment(annotations, APP));
        container(&pod, "istio-proxy")["lifecycle"].clone()
    };
    let hold = (
        "proxy.istio.io/config",
        "{\"holdApplicationUntilProxyStarts\": true}",
    );
    let native = ("sidecar.istio.io/nativeSidecar", "true");
    assert_eq!(lifecycle("", &[]), Value::Null);
    let command = |hook: &str, command: &[&str]| json!({hook: {"exec": {"command": command}}});
    assert_eq!(
        lifecycle("", &[hold]),
        command("postStart", &["pilot-agent", "wait"])
    );
    assert_eq!(
        lifecycle("", &[hold, native]),
        command(
            "preStop",
            &["pilot-agent", "request", "--debug-port=15020", "POST", "drain"]
        )
    );
    let own = "global: {proxy: {lifecycle: {preStop: {exec: {command: [sleep, '5']}}}}}";
    assert_eq!(lifecycle(own, &[hold]), command("preStop", &["sleep", "5"]));
}

#[test]
fn annotated_resources_replace_all_defaults() {
    let resources = |values: &str, annotations: &[(&str, &str)]| {
        let pod = template(&settings("", values), &deployment(annotations, APP));
        let proxy = container(&pod, "istio-proxy")["resources"].clone();
        assert_eq!(container(&pod, "istio-init")["resources"], proxy);
        proxy
    };
    assert_eq!(
        resources("", &[]),
        json!({"limits": {"cpu": "2000m", "memory": "1024Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}})
    );
    assert_eq!(
        resources(
            "",
            &[
                ("sidecar.istio.io/proxyCPU", "200m"),
                ("sidecar.istio.io/proxyMemoryLimit", "1Gi")
            ]
        ),
        json!({"requests": {"cpu": "200m"}, "limits": {"memory": "1Gi"}})
    );
    let none = "global: {proxy: {resources: {limits: {cpu: null}, requests: null}}}";
    assert_eq!(resources(none, &[]), Value::Null);
}

#[test]
fn images_follow_values_and_annotations() {
    let images = |mesh: &str, values: &str, annotations: &[(&str, &str)]| {
        let pod = template(&settings(mesh, values), &deployment(annotations, APP));
        let image = |name: &str| {
            container(&pod, name)["image"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        format!("{} {}", image("istio-init"), image("istio-proxy"))
    };
    let values = |variant: &str, tag: &str| format!("global: {{hub: h, tag: {tag}, variant: '{variant}'}}");
    let kind = "sidecar.istio.io/proxyImageType";
    let debug = "defaultConfig: {image: {imageType: debug}}";
    for (mesh, values, annotations, expected) in [
        ("", values("", "1.2"), &[][..], "h/proxyv2:1.2 h/proxyv2:1.2"),
        (
            "",
            values("distroless", "1.2"),
            &[],
            "h/proxyv2:1.2-distroless h/proxyv2:1.2-distroless",
        ),
        (
            "",
            values("debug", "1.2-distroless"),
            &[],
            "h/proxyv2:1.2-debug h/proxyv2:1.2-debug",
        ),
        (debug, values("", "1.2"), &[], "h/proxyv2:1.2 h/proxyv2:1.2-debug"),
        (
            debug,
            values("", "1.2-debug"),
            &[(kind, "default")],
            "h/proxyv2:1.2 h/proxyv2:1.2",
        ),
        (
            "",
            values("", "x"),
            &[("sidecar.istio.io/proxyImage", "mine")],
            "h/mine:x h/mine:x",
        ),
        (
            "",
            values("", "x"),
            &[("sidecar.istio.io/proxyImage", "r/mine:3")],
            "r/mine:3 r/mine:3",
        ),
    ] {
        assert_eq!(images(mesh, &values, annotations), expected);
    }
}

#[test]
fn the_environment_says_who_the_proxy_is() {
    let mesh = "trustDomain: td\ndefaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: 'true', A: ''}}";
    let values = "revision: canary\nglobal: {multiCluster: {clusterName: c1}, network: n1, meshID: m1}";
    let text = deployment(
        &[],
        "containers:\n- name: a\n  image: a\n  ports:\n  - {containerPort: 80, name: http}\n- name: b\n  image: b\n  \
         ports:\n  - {protocol: UDP, containerPort: 53, hostPort: 1}",
    );
    let pod = template(&settings(mesh, values), &text);
    for (name, expected) in [
        ("CA_ADDR", "istiod-canary.istio-system.svc:15012"),
        ("ISTIO_META_APP_CONTAINERS", "a,b"),
        (
            "ISTIO_META_POD_PORTS",
            "[\n    {\"name\":\"http\",\"containerPort\":80}\n    ,{\"hostPort\":1,\"containerPort\":53,\"protocol\":\"UDP\"}\n]",
        ),
        ("ISTIO_META_CLUSTER_ID", "c1"),
        ("ISTIO_META_NETWORK", "n1"),
        ("ISTIO_META_MESH_ID", "m1"),
        ("TRUST_DOMAIN", "td"),
        ("ISTIO_META_WORKLOAD_NAME", "web"),
        (
            "ISTIO_META_OWNER",
            "kubernetes://apis/apps/v1/namespaces/shop/deployments/web",
        ),
        (
            "PROXY_CONFIG",
            "{\"proxyMetadata\":{\"A\":\"\",\"ISTIO_META_DNS_CAPTURE\":\"true\"}}\n",
        ),
        ("A", ""),
        ("ISTIO_META_DNS_CAPTURE", "true"),
    ] {
        assert_eq!(variable(&pod, name).as_deref(), Some(expected), "{name}");
    }
    let env = names(&container(&pod, "istio-proxy")["env"]);
    assert!(
        env.ends_with("TRUST_DOMAIN A ISTIO_META_DNS_CAPTURE ISTIO_META_CLUSTER_ID ISTIO_META_NETWORK"),
        "{env}"
    );
    assert_eq!(
        names(&container(&pod, "istio-init")["env"]),
        "A ISTIO_META_DNS_CAPTURE"
    );
    assert_eq!(pod["metadata"]["labels"]["topology.istio.io/network"], "n1");
    assert_eq!(pod["metadata"]["annotations"]["istio.io/rev"], "canary");
    assert_eq!(status(&pod)["revision"], "canary");
}

#[test]
fn canonical_labels_come_from_the_labels_of_applications() {
    let canonical = |labels: &str| {
        let text = WEB.replace(
            "      labels:\n        app: web\n",
            &format!("      labels: {labels}\n"),
        );
        let labels = template(&settings("", ""), &text)["metadata"]["labels"].clone();
        format!(
            "{} {}",
            labels["service.istio.io/canonical-name"]
                .as_str()
                .unwrap_or_default(),
            labels["service.istio.io/canonical-revision"]
                .as_str()
                .unwrap_or_default()
        )
    };
    for (labels, expected) in [
        ("{x: z}", "web latest"),
        ("{app: a, version: v2}", "a v2"),
        (
            "{app: a, app.kubernetes.io/name: b, version: v2, app.kubernetes.io/version: v3}",
            "b v3",
        ),
        (
            "{app: a, service.istio.io/canonical-name: c, service.istio.io/canonical-revision: v4}",
            "c v4",
        ),
        (
            "{app: a123456789-123456789-123456789-123456789-123456789-123456789-1-}",
            "a123456789-123456789-123456789-123456789-123456789-123456789-1 latest",
        ),
    ] {
        assert_eq!(canonical(labels), expected);
    }
}

#[test]
fn health_checks_go_through_the_agent() {
    let spec = "\
containers:
- name: app
  image: a
  ports:
  - name: http
    containerPort: 8080
  livenessProbe:
    httpGet: {path: /live, port: http, scheme: HTTPS}
    timeoutSeconds: 2
  readinessProbe:
    tcpSocket:
      port: 3333
    periodSeconds: 7
  startupProbe:
    grpc:
      port: 9000
    timeoutSeconds: 4
  lifecycle:
    preStop:
      httpGet:
        path: /stop
        port: 8080
    postStart:
      exec:
        command: [\"true\"]
";
    let pod = template(&settings("", ""), &deployment(&[], spec));
    let app = container(&pod, "app");
    assert_eq!(
        app["livenessProbe"],
        json!({"httpGet": {"path": "/app-health/app/livez", "port": 15020, "scheme": "HTTP"}, "timeoutSeconds": 2})
    );
    assert_eq!(
        app["readinessProbe"],
        json!({"httpGet": {"path": "/app-health/app/readyz", "port": 15020}, "periodSeconds": 7})
    );
    assert_eq!(
        app["lifecycle"],
        json!({
            "preStop": {"httpGet": {"path": "/app-lifecycle/app/prestopz", "port": 15020}},
            "postStart": {"exec": {"command": ["true"]}},
        })
    );
    assert_eq!(
        variable(&pod, "ISTIO_KUBE_APP_PROBERS").as_deref(),
        Some(concat!(
            r#"{"/app-health/app/livez":{"httpGet":{"path":"/live","port":8080,"scheme":"HTTPS"},"timeoutSeconds":2},"#,
            r#""/app-health/app/readyz":{"tcpSocket":{"port":3333}},"#,
            r#""/app-health/app/startupz":{"grpc":{"port":9000,"service":null},"timeoutSeconds":4},"#,
            r#""/app-lifecycle/app/prestopz":{"httpGet":{"path":"/stop","port":8080}}}"#
        ))
    );
    let off = ("sidecar.istio.io/rewriteAppHTTPProbers", "false");
    let pod = template(&settings("", ""), &deployment(&[off], spec));
    assert_eq!(variable(&pod, "ISTIO_KUBE_APP_PROBERS"), None);
    assert_eq!(
        container(&pod, "app")["readinessProbe"]["tcpSocket"]["port"],
        3333
    );
    let elsewhere = ("status.sidecar.istio.io/port", "15030");
    let pod = template(&settings("", ""), &deployment(&[elsewhere], spec));
    assert_eq!(container(&pod, "app")["readinessProbe"]["httpGet"]["port"], 15030);
}

#[test]
fn without_a_status_port_the_proxy_has_no_checks() {
    let probes = |values: &str| {
        let pod = template(&settings("", values), &deployment(&[], APP));
        let proxy = container(&pod, "istio-proxy").clone();
        (proxy["startupProbe"].clone(), proxy["readinessProbe"].clone())
    };
    let http = json!({"path": "/healthz/ready", "port": 15021});
    assert_eq!(
        probes(""),
        (
            json!({"httpGet": http, "periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 600}),
            json!({"httpGet": http, "periodSeconds": 15, "timeoutSeconds": 3, "failureThreshold": 4}),
        )
    );
    assert_eq!(
        probes("global: {proxy: {statusPort: 0}}"),
        (Value::Null, Value::Null)
    );
    let (startup, _) = probes("global: {proxy: {startupProbe: {enabled: false}}}");
    assert_eq!(startup, Value::Null);
}

#[test]
fn own_proxy_containers_are_laid_over_the_injected_one() {
    let spec = "\
containers:
- name: app
  image: a
- name: istio-proxy
  image: auto
  resources:
    limits: {cpu: 3000m}
  env:
  - name: FOO
    value: bar
  - name: CA_ADDR
    value: ca:1
  securityContext:
    runAsUser: 1400
";
    let pod = template(&settings("", ""), &deployment(&[], spec));
    let proxy = container(&pod, "istio-proxy");
    assert_eq!(proxy["image"], "docker.io/istio/proxyv2:1.31.4");
    assert_eq!(
        proxy["resources"],
        json!({"limits": {"cpu": "3000m", "memory": "1024Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}})
    );
    assert!(
        names(&proxy["env"]).starts_with("PILOT_CERT_PROVIDER FOO CA_ADDR POD_NAME "),
        "{}",
        names(&proxy["env"])
    );
    assert_eq!(variable(&pod, "CA_ADDR").as_deref(), Some("ca:1"));
    assert_eq!(proxy["securityContext"]["runAsUser"], 1400);
    assert!(args(container(&pod, "istio-init")).contains(" -u 1400 "));
    assert_eq!(
        pod["metadata"]["annotations"]["proxy.istio.io/overrides"],
        concat!(
            r#"{"containers":[{"name":"istio-proxy","env":[{"name":"FOO","value":"bar"},{"name":"CA_ADDR","value":"ca:1"}],"#,
            r#""resources":{"limits":{"cpu":"3"}},"securityContext":{"runAsUser":1400}}]}"#
        )
    );
    let native = ("sidecar.istio.io/nativeSidecar", "true");
    let pod = template(&settings("", ""), &deployment(&[native], spec));
    assert_eq!(names(&pod["spec"]["containers"]), "app");
    assert_eq!(variable(&pod, "FOO").as_deref(), Some("bar"));
    let overrides = pod["metadata"]["annotations"]["proxy.istio.io/overrides"].as_str();
    assert!(overrides.is_some_and(|text| text.starts_with(r#"{"initContainers":[{"name":"istio-proxy""#)));
}

#[test]
fn a_lone_variable_of_an_own_container_comes_last() {
    let spec = format!("{APP}\n- name: istio-proxy\n  env:\n  - {{name: FOO, value: bar}}");
    let pod = template(&settings("", ""), &deployment(&[], &spec));
    assert!(names(&container(&pod, "istio-proxy")["env"]).ends_with("TRUST_DOMAIN FOO"));
}

#[test]
fn metrics_are_merged() {
    let metrics = |mesh: &str, annotations: &[(&str, &str)]| {
        let pod = template(&settings(mesh, ""), &deployment(annotations, APP));
        let annotation = |name: &str| {
            pod["metadata"]["annotations"][format!("prometheus.io/{name}")]
                .as_str()
                .unwrap_or("-")
                .to_owned()
        };
        (
            format!(
                "{} {} {}",
                annotation("scrape"),
                annotation("port"),
                annotation("path")
            ),
            variable(&pod, "ISTIO_PROMETHEUS_ANNOTATIONS"),
        )
    };
    let ours = "true 15020 /stats/prometheus".to_owned();
    let (port, path) = (("prometheus.io/port", "9090"), ("prometheus.io/path", "/m"));
    assert_eq!(metrics("", &[]), (ours.clone(), None));
    assert_eq!(
        metrics("", &[port, path]),
        (
            ours.clone(),
            Some(r#"{"scrape":"","path":"/m","port":"9090"}"#.to_owned())
        )
    );
    assert_eq!(
        metrics("enablePrometheusMerge: false", &[port]),
        ("- 9090 -".to_owned(), None)
    );
    assert_eq!(
        metrics(
            "enablePrometheusMerge: false",
            &[("prometheus.istio.io/merge-metrics", "true")]
        ),
        (ours, None)
    );
}

#[test]
fn volumes_of_the_mesh_precede_those_of_the_pod() {
    let spec = format!("{APP}\nvolumes:\n- name: mine\n  emptyDir: {{}}");
    let annotations = [
        (
            "sidecar.istio.io/userVolume",
            r#"{"b": {"secret": {"secretName": "s"}}, "a": {"emptyDir": {}}}"#,
        ),
        (
            "sidecar.istio.io/userVolumeMount",
            r#"{"a": {"mountPath": "/a", "readOnly": true}}"#,
        ),
        ("sidecar.istio.io/bootstrapOverride", "my-bootstrap"),
    ];
    let values = "global: {mountMtlsCerts: true, imagePullSecrets: [s1]}";
    let pod = template(&settings("", values), &deployment(&annotations, &spec));
    assert_eq!(
        names(&pod["spec"]["volumes"]),
        "workload-socket credential-socket workload-certs custom-bootstrap-volume istio-envoy istio-data istio-podinfo \
         istio-token istiod-ca-cert istio-ca-crl istio-certs a b mine"
    );
    assert_eq!(
        names(&container(&pod, "istio-proxy")["volumeMounts"]),
        "workload-socket credential-socket workload-certs istiod-ca-cert istio-ca-crl istio-data custom-bootstrap-volume \
         istio-envoy istio-token istio-certs istio-podinfo a"
    );
    assert_eq!(pod["spec"]["imagePullSecrets"], json!([{"name": "s1"}]));
    assert_eq!(status(&pod)["imagePullSecrets"], json!(["s1"]));
}

#[test]
fn applications_that_speak_xds_get_a_bootstrap_file() {
    for (name, expected) in [
        ("grpc-agent", "/etc/istio/proxy/grpc-bootstrap.json"),
        ("grpc-simple", "/var/lib/grpc/data/bootstrap.json"),
    ] {
        let pod = template(
            &settings("", ""),
            &deployment(&[("inject.istio.io/templates", name)], APP),
        );
        let env = &container(&pod, "app")["env"];
        assert!(
            env.as_array()
                .into_iter()
                .flatten()
                .any(|variable| variable["value"] == expected),
            "{env}"
        );
        assert_eq!(container(&pod, "app")["image"], "example.com/web:1");
    }
}

#[test]
fn pods_that_cannot_be_injected_are_told_where_and_why() {
    let problems = |text: &str| -> String {
        let problems = try_inject(&settings("", ""), text).expect_err("it cannot be injected");
        let lines: Vec<_> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect();
        lines.join("\n")
    };
    let bad = deployment(
        &[
            ("sidecar.istio.io/proxyCPU", "lots"),
            ("traffic.sidecar.istio.io/includeInboundPorts", "80,90"),
            ("traffic.sidecar.istio.io/excludeInboundPorts", "90"),
            ("inject.istio.io/templates", "sidecar,mine"),
            ("sidecar.istio.io/userVolume", "[]"),
        ],
        "containers:\n- name: app\n  ports: [{containerPort: 15006}, {containerPort: 15006, protocol: UDP}]\n- name: \
         linkerd-proxy\n- image: nameless",
    );
    insta::assert_snapshot!(problems(&bad), @r#"
    spec.template.metadata.annotations["sidecar.istio.io/proxyCPU"]: bad value of `sidecar.istio.io/proxyCPU`: `lots` is not an amount such as `100m`, `0.5` or `128Mi`
    spec.template.metadata.annotations["sidecar.istio.io/userVolume"]: bad value of `sidecar.istio.io/userVolume`: the value is not a JSON mapping
    spec.template.metadata.annotations["traffic.sidecar.istio.io/excludeInboundPorts"]: `90` is in `traffic.sidecar.istio.io/includeInboundPorts` too
    spec.template.spec.containers[0].ports[0].containerPort: port 15006 of container `app` is the proxy's inbound port
    spec.template.spec.containers[1].name: the pod has a sidecar of Linkerd already
    spec.template.spec.containers[2]: the container has no name
    spec.template.metadata.annotations["inject.istio.io/templates"]: there is no injection template `mine`
    "#);
    insta::assert_snapshot!(problems(&deployment(&[], "restartPolicy: Always")), @"spec.template.spec: the pod has no containers");
}

#[test]
fn what_may_not_work_is_a_warning() {
    let warnings = |text: &str| -> Vec<String> {
        let (_, processed) = try_inject(&settings("", ""), text).expect("it can be injected");
        let warnings = processed.workloads[0].warnings.iter();
        warnings
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect()
    };
    let spec = "dnsPolicy: Default\ncontainers:\n- name: app\n  livenessProbe: {httpGet: {port: nowhere}}";
    assert_eq!(
        warnings(&deployment(
            &[("sidecar.istio.io/rewriteAppHTTPProbers", "yes")],
            spec
        )),
        [
            "spec.template.metadata.annotations[\"sidecar.istio.io/rewriteAppHTTPProbers\"]: bad value of \
             `sidecar.istio.io/rewriteAppHTTPProbers`: `yes` is neither true nor false",
            "spec.template.spec.dnsPolicy: the proxy cannot find services of the cluster with the DNS policy `Default`",
            "spec.template.spec.containers[0].livenessProbe: the check always fails: no port of container `app` is \
             called `nowhere`",
        ]
    );
    let job = WEB
        .replace("apps/v1", "batch/v1")
        .replace("kind: Deployment", "kind: Job");
    assert_eq!(
        warnings(&job),
        ["spec.template: the pods of the job do not end, because the proxy goes on running"]
    );
}
