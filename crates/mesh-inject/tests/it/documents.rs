//! The text of documents.

use mesh_inject::{Outcome, Scope, Skip, TemplateKind, inject_document};
use mesh_yaml::path;
use serde_json::json;

use crate::support::{APP, WEB, deployment, document, inject, names, settings, tree, try_inject};

#[test]
fn comments_and_order_stay() {
    let text = "\
# Our shop.
apiVersion: apps/v1   # stable
kind: Deployment
metadata: {name: web}
spec:
    template:
        spec:
            # Mounted below.
            volumes:
                - name: mine # private
                  emptyDir: {}
            containers:
                # The application.
                - image: 'a'
                  name: app

                  volumeMounts:
                      - {name: mine, mountPath: /mine}
        metadata:
            labels: {app: web}
    replicas: 2 # enough
";
    let (injected, processed) = try_inject(&settings("", ""), text).expect("it can be injected");
    assert!(!processed.is_rewritten);
    insta::assert_snapshot!(injected);
}

#[test]
fn all_kinds_are_found() {
    for (api_version, kind) in [
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("apps/v1", "StatefulSet"),
        ("batch/v1", "Job"),
        ("v1", "ReplicationController"),
        ("apps.openshift.io/v1", "DeploymentConfig"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("batch/v1", "CronJob"),
    ] {
        let template = json!({"template": {"spec": {"containers": [{"name": "app"}]}}});
        let spec = if kind == "CronJob" {
            json!({"jobTemplate": {"spec": template}})
        } else {
            template
        };
        let text = json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}, "spec": spec});
        let text = text.to_string();
        let (injected, processed) = try_inject(&settings("", ""), &text).expect("it can be injected");
        assert_eq!(processed.workloads.len(), 1, "{kind}");
        let lower = kind.to_lowercase();
        let version = if kind == "Rollout" {
            "v1alpha1"
        } else {
            api_version
        };
        let owner = format!("kubernetes://apis/{version}/namespaces/default/{lower}s/a");
        assert!(injected.contains(&owner), "{owner}: {injected}");
    }
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: solo\nspec:\n  containers:\n  - name: app\n";
    assert!(inject(&settings("", ""), pod).contains("namespaces/default/pods/solo"));
}

#[test]
fn lists_are_opened_and_other_items_left_alone() {
    let item = |text: &str| {
        let lines: Vec<_> = text.lines().map(|line| format!("  {line}\n")).collect();
        format!("-{}", &lines.concat()[1..])
    };
    let service = "apiVersion: v1\nkind: Service # kept\nmetadata: {name: web}";
    let list = format!(
        "apiVersion: v1\nkind: List\nitems:\n{}{}",
        item(service),
        item(WEB)
    );
    let injected = inject(&settings("", ""), &list);
    assert!(injected.starts_with(&format!("apiVersion: v1\nkind: List\nitems:\n{}", item(service))));
    let web = &tree(&injected)["items"][1];
    assert_eq!(*web, tree(&inject(&settings("", ""), WEB)));
}

#[test]
fn json_stays_json() {
    let text = serde_json::to_string_pretty(&tree(WEB)).expect("JSON");
    let injected = inject(&settings("", ""), &text);
    let value: serde_json::Value = serde_json::from_str(&injected).expect("JSON");
    assert_eq!(value, tree(&inject(&settings("", ""), WEB)));
    assert!(injected.starts_with("{\n  \"apiVersion\": \"apps/v1\",\n"));
}

#[test]
fn anchors_are_written_out_where_they_must_be() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: &labels
    app: web
spec:
  selector:
    matchLabels: *labels
  template:
    metadata:
      labels: *labels
    spec:
      containers: [{name: app, image: a}]
";
    let injected = inject(&settings("", ""), text);
    let value = tree(&injected);
    assert_eq!(value["metadata"]["labels"], json!({"app": "web"}));
    assert_eq!(
        value["spec"]["template"]["metadata"]["labels"]["security.istio.io/tlsMode"],
        "istio"
    );
    assert!(injected.contains("matchLabels: *labels"), "{injected}");
}

#[test]
fn windows_line_breaks_stay() {
    let text = WEB.replace('\n', "\r\n");
    let injected = inject(&settings("", ""), &text);
    assert_eq!(injected.replace("\r\n", "\n"), inject(&settings("", ""), WEB));
    assert!(!injected.replace("\r\n", "").contains('\n'));
}

#[test]
fn a_missing_line_break_at_the_end_stays_missing() {
    let injected = inject(&settings("", ""), WEB.trim_end());
    assert!(!injected.ends_with('\n'));
    assert_eq!(tree(&injected), tree(&inject(&settings("", ""), WEB)));
}

#[test]
fn pods_that_opted_out_are_skipped() {
    let text = deployment(&[("sidecar.istio.io/inject", "false")], APP);
    let (injected, processed) = try_inject(&settings("", ""), &text).expect("nothing to inject");
    assert_eq!(injected, text);
    assert_eq!(processed.workloads[0].outcome, Outcome::Skipped(Skip::Annotation));
    let text = deployment(&[], &format!("hostNetwork: true\n{APP}"));
    let (_, processed) = try_inject(&settings("", ""), &text).expect("nothing to inject");
    assert_eq!(
        processed.workloads[0].outcome,
        Outcome::Skipped(Skip::HostNetwork)
    );
}

#[test]
fn templates_of_other_kinds_are_where_the_user_says() {
    let text = "\
apiVersion: example.com/v1
kind: Farm
metadata: {name: farm}
spec:
  worker:
    metadata: {}
    spec:
      containers:
      - name: app
";
    let scope = Scope {
        kinds: vec![TemplateKind {
            group: Some("example.com".to_owned()),
            kind: "Farm".to_owned(),
            path: path!["spec", "worker"],
        }],
        ..Scope::default()
    };
    let document = document(text);
    let processed = inject_document(&settings("", ""), &document, &scope).expect("it can be injected");
    let value = tree(&processed.text.expect("a change"));
    assert_eq!(
        names(&value["spec"]["worker"]["spec"]["containers"]),
        "app istio-proxy"
    );
    assert_eq!(inject(&settings("", ""), text), text);
}
