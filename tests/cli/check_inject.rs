//! `meshctl check-inject` against a real API server and a real injector.

use serde_json::{Value, json};

use crate::harness::{Output, Project};
use crate::injector_support::{
    Authority, base64, by_url, cluster, configuration, create, project, register, serve,
};

fn check(project: &Project, args: &[&str]) -> Output {
    let kubeconfig = cluster().kubeconfig().to_str().expect("UTF-8");
    project.run(
        ["check-inject", "--kubeconfig", kubeconfig]
            .iter()
            .chain(args)
            .copied(),
    )
}

fn verdict(project: &Project, args: &[&str]) -> Value {
    let args: Vec<_> = args.iter().chain(&["-o", "json"]).copied().collect();
    let output = check(project, &args);
    let report = output.json()["workloads"][0].clone();
    let expected = i32::from(report["verdict"] != "injected");
    assert_eq!(output.status, Some(expected), "{output}");
    report
}

fn deployment(name: &str, labels: &Value, annotations: &Value, host_network: bool) -> Value {
    let mut labels = labels.clone();
    labels["app"] = name.into();
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels, "annotations": annotations},
                "spec": {"hostNetwork": host_network, "containers": [{"name": "app", "image": "a"}]},
            },
        },
    })
}

#[tokio::test]
async fn what_decides_is_told() {
    let client = cluster().client();
    let authority = Authority::new();
    let project = project(&authority, &[]);
    let server = serve(&project, &["--offline", "--revision", "checked"]);
    let url = by_url(server.port, "/inject", &authority);
    for (name, labels, label) in [
        (
            "istio-sidecar-injector-checked",
            json!({"istio.io/rev": "checked"}),
            "checked",
        ),
        (
            "istio-revision-tag-checked-tag",
            json!({"istio.io/rev": "checked", "istio.io/tag": "checked-tag"}),
            "checked-tag",
        ),
        (
            "istio-sidecar-injector-twice",
            json!({"istio.io/rev": "twice"}),
            "checked-twice",
        ),
        (
            "istio-sidecar-injector-twice-more",
            json!({"istio.io/rev": "more"}),
            "checked-twice",
        ),
    ] {
        register(&client, &configuration(name, &labels, label, &url)).await;
    }
    let config = json!({"neverInjectSelector": [{"matchLabels": {"never": "yes"}}]});
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "istio-sidecar-injector-checked"},
        "data": {"config": config.to_string(), "values": "{}"},
    });
    let system = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "istio-system"}});
    let _ = create(&client, "/api/v1/namespaces", &system).await;
    create(&client, "/api/v1/namespaces/istio-system/configmaps", &map)
        .await
        .expect("a ConfigMap");

    let namespace = async |labels: &[(&str, &str)]| cluster().namespace_with_labels("checked", labels).await;
    let meshed = namespace(&[("istio.io/rev", "checked-tag")]).await;
    let plain = namespace(&[]).await;
    let both = namespace(&[("istio.io/rev", "checked"), ("istio-injection", "enabled")]).await;
    let unknown = namespace(&[("istio.io/rev", "checked-nothing")]).await;
    let twice = namespace(&[("istio.io/rev", "checked-twice")]).await;
    for (namespace, name, labels, annotations, host_network) in [
        (&meshed, "web", json!({}), json!({}), false),
        (&meshed, "host", json!({}), json!({}), true),
        (
            &meshed,
            "label",
            json!({"sidecar.istio.io/inject": "false"}),
            json!({}),
            false,
        ),
        (
            &meshed,
            "annotation",
            json!({}),
            json!({"sidecar.istio.io/inject": "false"}),
            false,
        ),
        (&meshed, "never", json!({"never": "yes"}), json!({}), false),
        (&plain, "web", json!({}), json!({}), false),
        (
            &plain,
            "asks",
            json!({}),
            json!({"sidecar.istio.io/inject": "true"}),
            false,
        ),
        (
            &plain,
            "revision",
            json!({"istio.io/rev": "checked"}),
            json!({}),
            false,
        ),
        (&both, "web", json!({}), json!({}), false),
        (&unknown, "web", json!({}), json!({}), false),
        (&twice, "web", json!({}), json!({}), false),
    ] {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
        create(
            &client,
            &path,
            &deployment(name, &labels, &annotations, host_network),
        )
        .await
        .expect("a Deployment");
    }
    for (namespace, name, expected, reason, next) in [
        (
            &meshed,
            "web",
            "injected",
            "the namespace has the label `istio.io/rev: checked-tag`",
            "",
        ),
        (
            &meshed,
            "host",
            "not-injected",
            "`hostNetwork: true`",
            "cannot have a sidecar",
        ),
        (
            &meshed,
            "label",
            "not-injected",
            "label `sidecar.istio.io/inject: \"false\"`",
            "take `sidecar.istio.io/inject` away",
        ),
        (
            &meshed,
            "annotation",
            "not-injected",
            "annotation `sidecar.istio.io/inject: \"false\"`",
            "take",
        ),
        (
            &meshed,
            "never",
            "not-injected",
            "neverInjectSelector",
            "sidecar.istio.io/inject: \"true\"",
        ),
        (
            &plain,
            "web",
            "not-injected",
            "neither the namespace",
            "kubectl label namespace",
        ),
        (
            &plain,
            "asks",
            "not-injected",
            "only the annotation `sidecar.istio.io/inject`",
            "kubectl label namespace",
        ),
        (
            &plain,
            "revision",
            "injected",
            "the pod has the label `istio.io/rev: checked`",
            "",
        ),
        (
            &both,
            "web",
            "not-injected",
            "`istio.io/rev: checked` does not count",
            "istio-injection-",
        ),
        (
            &unknown,
            "web",
            "not-injected",
            "no revision or tag `checked-nothing`",
            "checked-tag",
        ),
        (
            &twice,
            "web",
            "conflict",
            "`istio-sidecar-injector-twice` and `istio-sidecar-injector-twice-more`",
            "only one",
        ),
    ] {
        let report = verdict(&project, &[&format!("deploy/{name}.{namespace}")]);
        assert_eq!(report["verdict"], expected, "{report:#}");
        let text = |key: &str| report[key].as_str().unwrap_or_default().to_owned();
        assert!(text("reason").contains(reason), "{reason}: {report:#}");
        assert!(text("next").contains(next), "{next}: {report:#}");
    }
    let report = verdict(&project, &[&format!("deploy/web.{meshed}")]);
    let tag = report["webhooks"]
        .as_array()
        .expect("webhooks")
        .iter()
        .find(|webhook| webhook["called"] == true);
    let tag = tag.expect("a webhook is called");
    assert_eq!(
        (&report["revision"], &tag["revision"], &tag["tag"]),
        (&"checked".into(), &"checked".into(), &"checked-tag".into())
    );

    // A pod says whether it has a sidecar; one from before does not.
    let old = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "old", "labels": {"sidecar.istio.io/inject": "false"}},
        "spec": {"containers": [{"name": "app", "image": "a"}]},
    });
    create(&client, &format!("/api/v1/namespaces/{meshed}/pods"), &old)
        .await
        .expect("a pod");
    let report = verdict(&project, &["old", "-n", &meshed]);
    assert_eq!(report["pods"], json!({"count": 1, "injected": 0}), "{report:#}");

    // Labels of a pod that is not there, and files.
    let report = verdict(&project, &["-n", &plain, "-l", "istio.io/rev=checked"]);
    assert_eq!(report["verdict"], "injected");
    let files = Project::new().file(
        "all.yaml",
        format!(
            "apiVersion: v1\nkind: Namespace\nmetadata: {{name: new, labels: {{istio.io/rev: checked}}}}\n---\n{}",
            json!({
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "new"},
                "spec": {"template": {"spec": {"containers": [{"name": "app"}]}}},
            })
        ),
    );
    let report = verdict(&files, &["-f", "all.yaml"]);
    assert_eq!(
        (&report["verdict"], &report["namespace"]),
        (&"injected".into(), &"new".into()),
        "{report:#}"
    );

    // What people see.
    let output = check(&project, &[&format!("deploy/web.{plain}")]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(
        output
            .stdout
            .starts_with(&format!("Deployment {plain}/web is not injected: neither")),
        "{output}"
    );
    assert!(
        output.stdout.contains("\n  there are no pods now\n  next: "),
        "{output}"
    );
    let row = output
        .stdout
        .lines()
        .find(|line| line.starts_with("istio-revision-tag-checked-tag"));
    let row = row.expect("a row");
    assert!(
        row.contains("rev.namespace") && row.contains("checked (tag checked-tag)") && row.contains("no"),
        "{output}"
    );
    let output = check(&project, &[&format!("deploy/web.{plain}"), "-o", "yaml"]);
    assert!(
        output.stdout.starts_with("workloads:\n- kind: Deployment\n"),
        "{output}"
    );

    for args in [
        &["deploy/nothing", "-n", &*plain][..],
        &[],
        &["-l", "app"],
        &["web", "-l", "app=a"],
        &["-f", "nothing.yaml"],
    ] {
        let output = check(&project, args);
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
}

#[tokio::test]
async fn webhooks_that_cannot_be_called_are_told() {
    let client = cluster().client();
    let authority = Authority::new();
    let control_plane = cluster().namespace("unreachable").await;
    let services = format!("/api/v1/namespaces/{control_plane}/services");
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "istiod"},
        "spec": {"selector": {"app": "istiod"}, "ports": [{"port": 443}]},
    });
    create(&client, &services, &service).await.expect("a service");
    let bundle = base64(&authority.pem());
    let of_service = |name: &str, port: u16| json!({"service": {"name": name, "namespace": control_plane, "port": port}, "caBundle": bundle});
    let project = Project::new();
    for (revision, client_config, expected) in [
        ("unreachable-1", of_service("gone", 443), "does not exist"),
        ("unreachable-2", of_service("istiod", 444), "has no port 444"),
        (
            "unreachable-3",
            of_service("istiod", 443),
            "has no ready endpoint",
        ),
        (
            "unreachable-4",
            json!({"service": {"name": "gone", "namespace": control_plane}}),
            "does not exist",
        ),
    ] {
        let name = format!("istio-sidecar-injector-{revision}");
        register(
            &client,
            &configuration(
                &name,
                &json!({"istio.io/rev": revision}),
                revision,
                &client_config,
            ),
        )
        .await;
        let label = format!("istio.io/rev={revision}");
        let report = verdict(&project, &["-n", &control_plane, "-l", &label]);
        assert_eq!(report["verdict"], "unreachable", "{report:#}");
        let reason = report["reason"].as_str().expect("a reason");
        assert!(
            reason.starts_with("pods cannot be made") && reason.contains(expected),
            "{report:#}"
        );
    }

    // The Service answers, and nobody trusts it.
    cluster().add_node(test_cluster::Node::new("unreachable")).await;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "istiod", "labels": {"app": "istiod"}},
        "spec": {"nodeName": "unreachable", "containers": [{"name": "discovery", "image": "a"}]},
    });
    create(&client, &format!("/api/v1/namespaces/{control_plane}/pods"), &pod)
        .await
        .expect("a pod");
    let empty = json!({"service": {"name": "istiod", "namespace": control_plane}});
    let label = "unreachable-5";
    let name = format!("istio-sidecar-injector-{label}");
    register(
        &client,
        &configuration(&name, &json!({"istio.io/rev": label}), label, &empty),
    )
    .await;
    let args = ["-n", &*control_plane, "-l", "istio.io/rev=unreachable-5"];
    test_cluster::wait_for("the endpoint to be ready", async || {
        let report = verdict(&project, &args);
        report["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("has no `caBundle`"))
            .then_some(())
    })
    .await;
}
