//! `meshctl analyze --cluster` against a real API server.

use std::path::{Path, PathBuf};

use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams};
use kube::{Client, ResourceExt};
use mesh_core::Kind;
use serde_json::{Value, json};
use test_cluster::{Access, TestCluster, wait_for};

use crate::harness::{Output, Project};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The objects of a YAML file.
fn objects(path: &Path) -> Vec<Value> {
    let text = fs_err::read_to_string(path).expect("a file");
    let documents = mesh_yaml::parse(&text.into());
    let values = documents
        .into_iter()
        .map(|document| document.expect("YAML").root().to_json());
    values.filter(|value| !value.is_null()).collect()
}

/// The YAML files of a folder, in the order of their names.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs_err::read_dir(root().join(folder)).expect("a folder");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}

fn api(client: &Client, object: &Value) -> (Api<DynamicObject>, DynamicObject) {
    let text = |key: &str| object[key].as_str().expect("an object").to_owned();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let info = Kind::from_api(&api_version, &kind).expect("a known kind").info();
    let version = api_version.rsplit('/').next().unwrap_or_default();
    let kind = GroupVersionKind::gvk(info.group, version, info.name);
    let resource = ApiResource::from_gvk_with_plural(&kind, info.plural);
    let object: DynamicObject = serde_json::from_value(object.clone()).expect("an object");
    let api = if info.namespaced {
        let namespace = object.namespace().unwrap_or_else(|| "default".to_owned());
        Api::namespaced_with(client.clone(), &namespace, &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    };
    (api, object)
}

async fn apply(client: &Client, object: &Value) -> Result<(), kube::Error> {
    let (api, object) = api(client, object);
    let name = object.name_any();
    let applied = api
        .patch(&name, &PatchParams::apply("test").force(), &Patch::Apply(&object))
        .await;
    applied.map(drop)
}

async fn delete(client: &Client, object: &Value) {
    let (api, object) = api(client, object);
    let name = object.name_any();
    api.delete(&name, &DeleteParams::default())
        .await
        .expect("deletes");
    wait_for(format_args!("{name} to be gone"), async || {
        let left = api.get_opt(&name).await.ok()?;
        left.is_none().then_some(())
    })
    .await;
}

/// A cluster with Istio's kinds.
async fn mesh_cluster() -> (TestCluster, Client) {
    let cluster = TestCluster::start().unwrap_or_else(|error| panic!("{error}"));
    let client = cluster.client();
    for path in files("schemas/crds") {
        for definition in objects(&path) {
            apply(&client, &definition)
                .await
                .expect("the definition is taken");
            let (api, definition) = api(&client, &definition);
            let name = definition.name_any();
            wait_for(format_args!("{name} to be served"), async || {
                let definition = api.get(&name).await.ok()?;
                let conditions = definition.data["status"]["conditions"].as_array()?.clone();
                let is_served = |it: &Value| it["type"] == "Established" && it["status"] == "True";
                conditions.iter().any(is_served).then_some(())
            })
            .await;
        }
    }
    (cluster, client)
}

/// Makes the sample mesh, as far as the cluster has its kinds.
async fn apply_shop(client: &Client) {
    let mut objects: Vec<_> = files("testdata/shop")
        .iter()
        .flat_map(|path| objects(path))
        .collect();
    // Namespaces come first.
    objects.sort_by_key(|object| object["kind"] != "Namespace");
    for object in objects {
        let is_gateway_api = object["apiVersion"]
            .as_str()
            .is_some_and(|it| it.starts_with("gateway.networking.k8s.io"));
        if !is_gateway_api {
            let applied = apply(client, &object).await;
            applied.unwrap_or_else(|error| panic!("{error}: {object}"));
        }
    }
}

fn analyze(access: &Access, args: &[&str]) -> Output {
    analyze_with(&access.kubeconfig(), args)
}

fn analyze_with(kubeconfig: &Path, args: &[&str]) -> Output {
    let kubeconfig = kubeconfig.to_str().expect("a path in UTF-8");
    let fixed = ["analyze", "--cluster", "--no-config", "--kubeconfig", kubeconfig];
    Project::new().run(fixed.into_iter().chain(args.iter().copied()))
}

/// The rules of all findings.
fn rules(output: &Output) -> Vec<String> {
    let document = output.json();
    let findings = document["findings"].as_array().expect("findings").clone();
    findings
        .iter()
        .map(|finding| finding["rule"].as_str().expect("a rule").to_owned())
        .collect()
}

/// Broken examples that the API server takes as they are.
const BROKEN: [&str; 9] = [
    "conflicting-mesh-hosts",
    "duplicate-destination-rule",
    "gateway-selects-nothing",
    "multiple-sidecars",
    "selector-selects-nothing",
    "subset-selects-nothing",
    "unknown-gateway",
    "unknown-host",
    "unknown-subset",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_same_is_found_in_a_cluster_as_in_files() {
    let (cluster, client) = mesh_cluster().await;
    apply_shop(&client).await;
    let admin = cluster.admin();
    let clean = analyze(&admin, &[]);
    assert_eq!((clean.status, clean.stdout.as_str()), (Some(0), ""), "{clean}");
    for rule in BROKEN {
        let path = root().join(format!("testdata/broken/{rule}.yaml"));
        // As a question first, and then for real.
        let name = path.to_str().expect("UTF-8");
        let overlaid = analyze(&admin, &[name, "-o=json"]);
        assert_eq!(rules(&overlaid), [rule], "{overlaid}");
        let objects = objects(&path);
        for object in &objects {
            apply(&client, object)
                .await
                .unwrap_or_else(|error| panic!("{rule}: {error}"));
        }
        let found = analyze(&admin, &["-o=json"]);
        assert_eq!(rules(&found), [rule], "{found}");
        for object in &objects {
            delete(&client, object).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_see_what_they_may_see() {
    let (cluster, client) = mesh_cluster().await;
    apply_shop(&client).await;

    // Nobody.
    let refused = analyze(&cluster.reader(), &[]);
    assert_eq!(refused.status, Some(2), "{refused}");
    assert!(
        refused.stderr.contains("nothing can be read of the cluster"),
        "{refused}"
    );
    assert!(
        refused.stderr.contains("User \"reader\" cannot list resource"),
        "{refused}"
    );

    // A reader of everything but pods and secrets.
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": "most" },
        "rules": [
            { "apiGroups": [""], "resources": ["namespaces", "services", "configmaps"], "verbs": ["get", "list"] },
            { "apiGroups": ["apps", "batch", "networking.istio.io", "security.istio.io", "telemetry.istio.io",
                "extensions.istio.io", "admissionregistration.k8s.io", "apiextensions.k8s.io"],
              "resources": ["*"], "verbs": ["get", "list"] },
        ],
    });
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": { "name": "most" },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "most" },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "reader" }],
    });
    for (plural, object) in [("clusterroles", role), ("clusterrolebindings", binding)] {
        let kind = object["kind"].as_str().expect("a kind");
        let kind = GroupVersionKind::gvk("rbac.authorization.k8s.io", "v1", kind);
        let api: Api<DynamicObject> =
            Api::all_with(client.clone(), &ApiResource::from_gvk_with_plural(&kind, plural));
        let object: DynamicObject = serde_json::from_value(object).expect("an object");
        api.create(&kube::api::PostParams::default(), &object)
            .await
            .expect("created");
    }
    let partial = wait_for("the rights to hold", async || {
        let output = analyze(&cluster.reader(), &["-o=json"]);
        (output.status == Some(0)).then_some(output)
    })
    .await;
    let mut found = rules(&partial);
    found.dedup();
    assert_eq!(found, ["unreadable-kind"], "{partial}");
    assert!(
        partial
            .stdout
            .contains("Pod objects cannot be read: pods is forbidden: User \\\"reader\\\""),
        "{partial}"
    );
    let document = partial.json();
    let skipped = document["skipped"].as_array().expect("a list");
    assert!(
        skipped.iter().any(|it| it["rule"] == "selector-selects-nothing"),
        "{partial}"
    );

    // Impersonation gives the rights of others.
    let alike = analyze(&cluster.admin(), &["-o=json", "--as=reader"]);
    assert_eq!(rules(&alike), rules(&partial), "{alike}");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_and_certificates_that_do_not_work_are_said_so() {
    let cluster = TestCluster::shared();
    let wrong = analyze(&cluster.admin().token("expired"), &[]);
    assert_eq!(wrong.status, Some(2), "{wrong}");
    assert!(
        wrong
            .stderr
            .contains("does not accept the credentials (401 Unauthorized)"),
        "{wrong}"
    );

    let authority = include_str!("other-ca.crt");
    let untrusted = analyze(&cluster.admin().certificate_authority(authority), &[]);
    assert_eq!(untrusted.status, Some(2), "{untrusted}");
    assert!(untrusted.stderr.contains("is not trusted"), "{untrusted}");

    // Credentials by a plugin, as clouds have it.
    let kubeconfig = fs_err::read_to_string(cluster.admin().kubeconfig()).expect("a kubeconfig");
    let mut kubeconfig: Value = mesh_yaml::parse(&kubeconfig.into())
        .remove(0)
        .expect("YAML")
        .root()
        .to_json();
    let token = kubeconfig["users"][0]["user"]["token"].take();
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": { "token": token },
    });
    let plugin = |command: &str, args: &[&str]| {
        json!({ "exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": command, "args": args,
            "interactiveMode": "Never",
        } })
    };
    let folder = Project::new();
    let path = folder.path().join("kubeconfig");
    let text = credential.to_string();
    kubeconfig["users"][0]["user"] = plugin("/bin/echo", &[&text]);
    fs_err::write(&path, kubeconfig.to_string()).expect("a kubeconfig");
    // Without any of Istio's kinds there is nothing to find, and that is no error.
    let output = analyze_with(&path, &[]);
    assert_eq!(output.status, Some(0), "{output}");

    kubeconfig["users"][0]["user"] = plugin("/bin/false", &[]);
    fs_err::write(&path, kubeconfig.to_string()).expect("a kubeconfig");
    let output = analyze_with(&path, &[]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("cannot get credentials"), "{output}");
}
