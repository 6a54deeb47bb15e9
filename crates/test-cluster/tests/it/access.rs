//! Who may do what: RBAC, admission, kubeconfigs.

use std::process::Command;

use k8s_openapi::api::core::v1::{Namespace, Pod};
use k8s_openapi::api::rbac::v1::{ClusterRole, RoleBinding};
use kube::api::{ListParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use test_cluster::TestCluster;

use crate::{create_pod, pod};

fn status_of<T>(result: kube::Result<T>) -> u16 {
    match result {
        Err(kube::Error::Api(status)) => status.code,
        Err(error) => panic!("{error}"),
        Ok(_) => 200,
    }
}

#[tokio::test]
async fn rights_are_those_that_were_bound() {
    let cluster = TestCluster::shared();
    let namespace = cluster.namespace("rights").await;
    let list = async |client: Client| {
        let pods: Api<Pod> = Api::namespaced(client, &namespace);
        status_of(pods.list(&ListParams::default()).await)
    };
    assert_eq!(list(cluster.reader().client()).await, 403);
    assert_eq!(list(cluster.reader().token("wrong").client()).await, 401);
    assert_eq!(list(cluster.user("jane", &["shop"]).client()).await, 403);

    let role = json!({
        "metadata": { "name": "rights-read-pods" },
        "rules": [{ "apiGroups": [""], "resources": ["pods"], "verbs": ["list"] }],
    });
    let roles: Api<ClusterRole> = Api::all(cluster.client());
    roles
        .create(&PostParams::default(), &serde_json::from_value(role).unwrap())
        .await
        .unwrap();
    let binding = json!({
        "metadata": { "name": "read-pods" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "rights-read-pods" },
        "subjects": [
            { "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader" },
            { "apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "shop" },
        ],
    });
    let bindings: Api<RoleBinding> = Api::namespaced(cluster.client(), &namespace);
    bindings
        .create(&PostParams::default(), &serde_json::from_value(binding).unwrap())
        .await
        .unwrap();

    let reader = cluster.reader().client();
    test_cluster::wait_for("the binding to take effect", async || {
        (list(reader.clone()).await == 200).then_some(())
    })
    .await;
    assert_eq!(list(cluster.user("jane", &["shop"]).client()).await, 200);
    assert_eq!(list(cluster.user("jane", &["other"]).client()).await, 403);
}

#[tokio::test]
async fn pod_security_refuses_privileged_pods() {
    let cluster = TestCluster::shared();
    let labels = [("pod-security.kubernetes.io/enforce", "restricted")];
    let restricted = cluster.namespace_with_labels("restricted", &labels).await;
    let open = cluster.namespace("open").await;
    let container =
        json!({ "name": "app", "image": "example.com/app:1", "securityContext": { "privileged": true } });
    let privileged = pod("privileged", json!({ "containers": [container] }));

    let refused = create_pod(cluster.client(), &restricted, &privileged)
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("violates PodSecurity \"restricted:latest\""),
        "{refused}"
    );
    create_pod(cluster.client(), &open, &privileged).await.unwrap();
}

#[tokio::test]
async fn kubeconfigs_work_and_can_be_made_not_to() {
    let cluster = TestCluster::shared();
    let client = async |path| {
        let kubeconfig = Kubeconfig::read_from(path).unwrap();
        let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
        config.map(|config| {
            (
                config.default_namespace.clone(),
                Client::try_from(config).unwrap(),
            )
        })
    };
    let list = async |client: Client| {
        Api::<Namespace>::all(client)
            .list(&ListParams::default().limit(1))
            .await
            .map(|_| ())
    };

    let (_, admin) = client(cluster.kubeconfig().to_owned()).await.unwrap();
    list(admin).await.unwrap();
    let access = cluster
        .user("jane", &["system:masters"])
        .namespace("shop")
        .context("prod");
    let (namespace, jane) = client(access.kubeconfig()).await.unwrap();
    assert_eq!(namespace, "shop");
    list(jane).await.unwrap();
    let (_, lost) = client(cluster.admin().server("https://127.0.0.1:1").kubeconfig())
        .await
        .unwrap();
    assert!(matches!(
        list(lost).await,
        Err(kube::Error::HyperError(_) | kube::Error::Service(_))
    ));
}

#[tokio::test]
async fn kubectl_reads_the_kubeconfig() {
    let cluster = TestCluster::shared();
    let kubectl = Command::new("kubectl")
        .args(["get", "--raw", "/readyz", "--kubeconfig"])
        .arg(cluster.reader().kubeconfig())
        .output();
    // It is held against the real client where there is one.
    if let Ok(output) = kubectl {
        assert_eq!(String::from_utf8_lossy(&output.stdout), "ok", "{output:?}");
    }
}
