//! Every profile, from nothing to nothing, in a real cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, Instant};

use kube::api::{Api, DynamicObject, ListParams};
use kube::discovery::{ApiGroup, verbs};
use kube::{Client, Discovery, ResourceExt};
use mesh_install::spec::PROFILES;
use mesh_install::version::Release;
use serde_json::json;
use test_cluster::{Node, TestCluster, wait_for};

use crate::harness::{Output, Project, kill_within, kills};

/// All objects of a cluster, but events, and the APIServices that the API server makes of definitions.
async fn everything(client: &Client) -> BTreeSet<String> {
    // Groups come and go with definitions, also while they are read.
    wait_for("all kinds to be listed", async || {
        let discovery = Discovery::new(client.clone()).run().await.ok()?;
        let mut found = BTreeSet::new();
        let kinds = discovery.groups().flat_map(ApiGroup::recommended_resources);
        for (resource, capabilities) in kinds {
            let is_left_out = matches!(resource.kind.as_str(), "Event" | "APIService");
            if is_left_out || !capabilities.supports_operation(verbs::LIST) {
                continue;
            }
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            for object in api.list(&ListParams::default()).await.ok()? {
                let namespace = object.namespace().unwrap_or_default();
                found.insert(format!("{} {namespace}/{}", resource.kind, object.name_any()));
            }
        }
        Some(found)
    })
    .await
}

/// The program on a cluster.
struct Runner<'a> {
    project: Project,
    kubeconfig: &'a str,
    /// How long each command took undisturbed, the last time.
    took: BTreeMap<String, Duration>,
}

impl Runner<'_> {
    fn done(&self, args: &[&str]) -> Output {
        let output = self
            .project
            .run(args.iter().copied().chain(["--kubeconfig", self.kubeconfig]));
        assert_eq!(output.status, Some(0), "{args:?}: {output}");
        output
    }

    /// Runs a command that gets there although those before it were killed, if they are to be.
    fn step(&mut self, args: &[&str], is_killed: bool) -> Output {
        if is_killed {
            for _ in 0..3 {
                let arguments = args.iter().copied().chain(["--kubeconfig", self.kubeconfig]);
                let mut command = self.project.command(arguments);
                command.stdout(Stdio::null()).stderr(Stdio::null());
                kill_within(self.took[args[0]], command.spawn().expect("the program runs"));
            }
            return self.done(args);
        }
        let begun = Instant::now();
        let output = self.done(args);
        self.took.insert(args[0].to_owned(), begun.elapsed());
        output
    }
}

/// By default two profiles that have all parts between them; `MESHCTL_TEST_PROFILES=all` takes all. Each command on the
/// profile demo is killed three times before it may come to its end.
#[tokio::test(flavor = "multi_thread")]
async fn profiles_come_change_go_back_and_leave_nothing() {
    let all = std::env::var("MESHCTL_TEST_PROFILES").is_ok_and(|value| value == "all");
    let cluster = TestCluster::start().expect("a cluster");
    cluster.add_node(Node::new("worker")).await;
    let client = cluster.client();
    // OpenShift has this kind.
    let networks = json!({ "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": { "name": "network-attachment-definitions.k8s.cni.cncf.io" },
        "spec": { "group": "k8s.cni.cncf.io", "scope": "Namespaced",
            "names": { "kind": "NetworkAttachmentDefinition", "plural": "network-attachment-definitions" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object" } } }] } });
    let networks: DynamicObject = serde_json::from_value(networks).expect("a definition");
    let kind = kube::core::GroupVersionKind::gvk("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let definitions: Api<DynamicObject> =
        Api::all_with(client.clone(), &kube::api::ApiResource::from_gvk(&kind));
    definitions
        .create(&kube::api::PostParams::default(), &networks)
        .await
        .expect("a definition");
    wait_for("the kind to be served", async || {
        let definition = definitions
            .get("network-attachment-definitions.k8s.cni.cncf.io")
            .await
            .ok()?;
        let conditions = definition.data["status"]["conditions"].as_array()?.clone();
        conditions
            .iter()
            .any(|it| it["type"] == "Established" && it["status"] == "True")
            .then_some(())
    })
    .await;

    let before = everything(&client).await;
    let mut runner = Runner {
        project: Project::new(),
        kubeconfig: cluster.kubeconfig().to_str().expect("UTF-8"),
        took: BTreeMap::new(),
    };
    let names = PROFILES.iter().map(|profile| profile.name);
    let names = names.filter(|name| all || matches!(*name, "demo" | "ambient"));
    let times = |name| if name == "demo" { kills().div_ceil(9) } else { 1 };
    let names: Vec<&str> = names
        .flat_map(|name| std::iter::repeat_n(name, times(name)))
        .collect();
    assert!(names.first() != Some(&"demo") && names.contains(&"demo"));
    // With all checks before.
    for profile in names {
        let is_killed = profile == "demo";
        let tag = format!("--tag=1.{}.0", Release::latest().minor - 1);
        let install = ["install", "--profile", profile, &tag, "-y"];
        runner.step(&install, is_killed);
        runner.done(&["verify"]);
        let again = runner.done(&install);
        assert!(
            again.stderr.contains("everything is as it should be"),
            "{profile}: {again}"
        );
        // The profile is remembered.
        runner.step(&["upgrade", "-y"], is_killed);
        runner.done(&["verify"]);
        if profile != "empty" {
            let back = runner.done(&["rollback", "-y", "-o=json"]);
            assert!(
                profile == "remote" || back.stdout.contains("\"action\":\"change\""),
                "{profile}: {back}"
            );
        }
        runner.done(&["verify"]);
        let removed = runner.step(&["uninstall", "-y", "-o=json"], is_killed);
        let last = removed.stdout.lines().last().expect("a line");
        let last: serde_json::Value = serde_json::from_str(last).expect("JSON");
        let named = last["left"].as_array().expect("a list").iter().map(|left| {
            let text = |key: &str| left["object"][key].as_str().unwrap_or_default();
            format!("{} {}/{}", text("kind"), text("namespace"), text("name"))
        });
        let named: BTreeSet<String> = named.collect();
        let left: BTreeSet<String> = everything(&client).await.difference(&before).cloned().collect();
        assert_eq!(left, named, "{profile}: what stays is what is named");
        runner.done(&["uninstall", "--purge", "-y"]);
        let after = everything(&client).await;
        assert_eq!(after, before, "{profile}");
    }
}
