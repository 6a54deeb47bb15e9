//! `meshctl canary` beside others: who else writes to its objects, who may, and what a process that was killed leaves.

use std::process::Stdio;
use std::time::{Duration, Instant};

use mesh_core::k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde_json::{Value, json};

use crate::canary_support::{Stage, kill, kills, random};

#[tokio::test(flavor = "multi_thread")]
async fn objects_of_others_are_left_to_them() {
    let stage = Stage::new("canary-owned", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    // What is added must be in the repository first: no recipe for weights keeps it.
    let destination = stage.routes().await["spec"]["http"][0]["route"][1].clone();
    stage
        .edit(&json!([{"op": "remove", "path": "/spec/http/0/route/1"}]))
        .await;
    let rule = async |labels: Value, subsets: &[&str]| {
        let subsets = subsets
            .iter()
            .map(|name| json!({"name": name, "labels": {"version": name}}));
        let patch = json!({"metadata": {"labels": labels}, "spec": {"subsets": subsets.collect::<Vec<_>>()}});
        let patch = kube::api::Patch::Merge(patch);
        let rules = stage.destination_rules();
        let patched = rules
            .patch("reviews", &kube::api::PatchParams::default(), &patch)
            .await;
        patched.expect("it fits");
    };
    rule(json!({"argocd.argoproj.io/instance": "shop"}), &["v1"]).await;
    let output = stage.run(["shift", "10%", "--canary=v2"]);
    assert_eq!(output.status, Some(2), "{output}");
    for part in [
        "Argo CD looks after DestinationRule NAMESPACE/reviews, and may take the new subsets away",
        "the change is of subsets, and not of weights alone",
        "--files",
    ] {
        assert!(output.stderr.contains(part), "{part}: {output}");
    }
    assert!(!output.stderr.contains("jqPathExpressions"), "{output}");
    // It is nobody's business where there is nothing to add.
    rule(json!({"argocd.argoproj.io/instance": "shop"}), &["v1", "v2"]).await;
    let output = stage.run(["shift", "10%", "--canary=v2", "--dry-run"]);
    assert_eq!(output.status, Some(0), "{output}");
    stage
        .edit(&json!([{"op": "add", "path": "/spec/http/0/route/1", "value": destination}]))
        .await;
    // Whoever keeps the object in a repository: the recipe, and the way on.
    for (mark, name, recipe) in [
        (
            json!({"labels": {"argocd.argoproj.io/instance": "shop"}}),
            "Argo CD",
            "jqPathExpressions: [.spec.http[].route[].weight]",
        ),
        (
            json!({"annotations": {"argocd.argoproj.io/tracking-id": "shop:a/b"}}),
            "Argo CD",
            "jqPathExpressions",
        ),
        (
            json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "shop"}}),
            "Flux",
            "kustomize.toolkit.fluxcd.io/reconcile=disabled",
        ),
        (
            json!({"labels": {"helm.toolkit.fluxcd.io/name": "shop"}}),
            "Flux",
            "helm.toolkit.fluxcd.io/driftDetection=disabled",
        ),
        (
            json!({"annotations": {"meta.helm.sh/release-name": "shop"}}),
            "Helm",
            "helm upgrade",
        ),
    ] {
        let whole = json!({"labels": mark["labels"], "annotations": mark["annotations"]});
        let set =
            |field: &str| json!({"op": "add", "path": format!("/metadata/{field}"), "value": whole[field]});
        stage.edit(&json!([set("labels"), set("annotations")])).await;
        let output = stage.run(["shift", "10%"]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains(&format!("{name} looks after")), "{output}");
        assert!(
            output.stderr.contains(recipe) && output.stderr.contains("--files"),
            "{output}"
        );
        assert!(!output.stderr.contains("not of weights alone"), "{output}");
    }
    let output = stage.run(["shift", "10%", "--allow-gitops"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stderr.contains("warning: Helm looks after"), "{output}");
    stage.run(["abort"]);

    // Whoever moves the weights itself: no way past it.
    let field =
        |name: &str, value: Value| json!({"op": "add", "path": format!("/metadata/{name}"), "value": value});
    stage
        .edit(&json!([field(
            "annotations",
            json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "reviews"})
        )]))
        .await;
    let refused = |owner: &str, hint: &str| {
        let output = stage.run(["shift", "10%", "--allow-gitops"]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.contains(&format!("belongs to {owner}")), "{output}");
        assert!(output.stderr.contains(hint), "{output}");
    };
    refused("Argo Rollouts", "kubectl argo rollouts promote NAME");
    stage.edit(&json!([field("annotations", json!({}))])).await;
    stage.rollout("books", "reviews").await;
    refused("Argo Rollouts", "kubectl argo rollouts abort books -n NAMESPACE");
    stage.rollout("books", "other").await;
    assert_eq!(stage.run(["shift", "10%", "--dry-run"]).status, Some(0));
    let owner =
        json!([{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "reviews", "uid": "6f1c"}]);
    stage.edit(&json!([field("ownerReferences", owner)])).await;
    refused("Flagger", "kubectl edit canary");
    // Argo Rollouts, as the owner of the fields.
    stage.edit(&json!([field("ownerReferences", json!([]))])).await;
    let gateways = json!([{"op": "add", "path": "/spec/gateways", "value": ["mesh"]}]);
    stage.edit_as("rollouts-controller", &gateways).await;
    refused("Argo Rollouts", "kubectl argo rollouts");
    assert_eq!(stage.weights().await, [100, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_route_by_another_is_a_conflict_that_names_them() {
    let stage = Stage::new("canary-conflict", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let before = stage.routes().await;
    assert_eq!(stage.run(["shift", "10%"]).status, Some(0));
    stage
        .edit(&json!([{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 80}]))
        .await;
    let output = stage.run(["shift", "20%"]);
    assert_eq!(output.status, Some(5), "{output}");
    assert!(
        output
            .stderr
            .contains("the weights of route http[0] are 80/10 and not 90/10")
            && output.stderr.contains("`somebody`"),
        "{output}"
    );
    assert_eq!(stage.weights().await, [80, 10]);
    assert_eq!(stage.run(["status"]).status, Some(5));
    assert_eq!(stage.run(["abort"]).status, Some(0));
    assert_eq!(
        stage.routes().await["spec"].to_string(),
        before["spec"].to_string()
    );

    // Going back minds neither another name, other destinations and an edited preview, nor what a route of another
    // service says.
    let unreadable = json!({
        "metadata": {"name": "a-broken-one", "annotations": {"meshctl.dev/canary": "nonsense"}},
        "spec": {"hosts": ["other"], "http": [{"route": [{"destination": {"host": "other"}}]}]},
    });
    stage.virtual_service(&unreadable).await;
    assert_eq!(stage.run(["shift", "10%", "--match=a=b"]).status, Some(0));
    let other = json!({"destination": {"host": "elsewhere"}, "weight": 5});
    stage
        .edit(&json!([
            {"op": "add", "path": "/spec/http/0/timeout", "value": "1s"},
            {"op": "add", "path": "/spec/http/1/name", "value": "new"},
            {"op": "add", "path": "/spec/http/1/match", "value": [{"uri": {"prefix": "/"}}]},
            {"op": "add", "path": "/spec/http/1/route/0", "value": other},
            {"op": "remove", "path": "/spec/http/1/route/2"},
        ]))
        .await;
    assert_eq!(stage.run(["shift", "20%"]).status, Some(5));
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    let routes = stage.routes().await["spec"]["http"].clone();
    let stable = &before["spec"]["http"][0]["route"][0];
    assert_eq!(routes.as_array().map(Vec::len), Some(1), "{routes:#}");
    assert_eq!(routes[0]["route"], json!([other, stable]));
    // Of a route that is gone it says so, and the rollout ends all the same.
    let shift = stage.run(["shift", "10%", "--stable=v1", "--canary=v2"]);
    assert_eq!(shift.status, Some(0), "{shift}");
    let away = json!([{"destination": {"host": "elsewhere"}}]);
    stage
        .edit(&json!([{"op": "replace", "path": "/spec/http/0/route", "value": away}]))
        .await;
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    assert!(
        abort
            .stdout
            .contains("aborted at 0%: the http route `new` is gone, and was not put back"),
        "{abort}"
    );
    assert_eq!(stage.routes().await["spec"]["http"][0]["route"], away);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_edits_meanwhile_none_is_lost() {
    let stage = Stage::new("canary-edits", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let api = stage.virtual_services();
    let writer = tokio::spawn(async move {
        for number in 0..50 {
            // Read, change, write what was read: like an editor, and above the route that is shifted.
            loop {
                let mut object = api.get("reviews").await.expect("the VirtualService");
                object.metadata.managed_fields = None;
                object
                    .metadata
                    .annotations
                    .get_or_insert_default()
                    .insert(format!("edit-{number}"), "there".to_owned());
                let routes = object.data["spec"]["http"].as_array_mut().expect("routes");
                let route = json!({"name": format!("edit-{number}"), "match": [{"uri": {"exact": format!("/{number}")}}], "redirect": {"uri": "/"}});
                routes.insert(0, route);
                match api
                    .replace("reviews", &kube::api::PostParams::default(), &object)
                    .await
                {
                    Ok(_) => break,
                    Err(kube::Error::Api(status)) if status.code == 409 => {}
                    Err(error) => panic!("{error}"),
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let mut shifts = 0;
    while !writer.is_finished() || shifts == 0 {
        let output = stage.run(["shift", "+1%"]);
        assert_eq!(output.status, Some(0), "{output}");
        shifts += 1;
    }
    writer.await.expect("it ends");
    let object = stage.routes().await;
    let routes = object["spec"]["http"].as_array().expect("routes");
    assert_eq!(routes.len(), 51);
    for number in 0..50 {
        assert_eq!(
            object["metadata"]["annotations"][format!("edit-{number}")],
            "there"
        );
        assert!(
            routes
                .iter()
                .any(|route| route["name"] == format!("edit-{number}")),
            "{number}"
        );
    }
    assert_eq!(routes[50]["route"][0]["weight"], 100 - shifts);
    assert_eq!(routes[50]["route"][1]["weight"], shifts);
    assert_eq!(stage.run(["abort"]).status, Some(0));
    let object = stage.routes().await;
    assert_eq!(object["spec"]["http"].as_array().map(Vec::len), Some(51));
    assert_eq!(object["spec"]["http"][50]["route"][1]["weight"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_shift_had_begun_to_make_is_taken_over_or_away() {
    let stage = Stage::new("canary-half", &["v1", "v2"]).await;
    let shift = ["shift", "10%", "--canary=v2"];
    let since = |begun: Instant| u64::try_from(begun.elapsed().as_millis()).expect("it is short");
    let begun = Instant::now();
    let whole = stage.run(shift);
    assert_eq!(whole.status, Some(0), "{whole}");
    let mut length = since(begun);
    assert_eq!(stage.run(["abort"]).status, Some(0));
    let made = async || {
        let rule = stage.destination_rules().get_opt("reviews").await;
        let routes = stage.virtual_services().get_opt("reviews").await;
        (
            routes.expect("an answer").is_some(),
            rule.expect("an answer").is_some(),
        )
    };
    assert_eq!(made().await, (false, false));
    let mut halves = 0;
    for round in 0..kills(8) {
        // Most of it reads; it makes things in its second half.
        let moment = Duration::from_millis(length * 2 / 5 + random(round) % (length * 3 / 5));
        let mut command = stage.command(shift);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("the program runs");
        tokio::time::sleep(moment).await;
        kill(child);
        let (has_routes, has_rule) = made().await;
        assert!(has_routes || !has_rule, "round {round}, after {moment:?}");
        halves += u32::from(has_routes);
        if round % 2 == 0 {
            let begun = Instant::now();
            let again = stage.run(shift);
            assert_eq!(again.status, Some(0), "round {round}, after {moment:?}: {again}");
            // How long it takes depends on what else the machine does.
            length = since(begun);
            assert_eq!(stage.weights().await, [90, 10]);
        }
        if made().await.0 {
            let abort = stage.run(["abort"]);
            assert_eq!(abort.status, Some(0), "round {round}, after {moment:?}: {abort}");
        }
        assert_eq!(made().await, (false, false), "round {round}, after {moment:?}");
    }
    assert!(halves > 0, "it never got anywhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_change_it_is_told_before() {
    let stage = Stage::new("canary-rights", &["v1", "v2"]).await;
    let reader = stage.cluster.user("canary-reader", &[]);
    let bind = json!({
        "metadata": {"name": "canary-reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "canary-reader"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "canary-reader"}],
    });
    let role = json!({
        "metadata": {"name": "canary-reader"},
        "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list"]}],
    });
    let client = stage.cluster.client();
    let params = kube::api::PostParams::default();
    let role: ClusterRole = serde_json::from_value(role).expect("a role");
    kube::Api::all(client.clone())
        .create(&params, &role)
        .await
        .expect("a role");
    let bind: ClusterRoleBinding = serde_json::from_value(bind).expect("a binding");
    kube::Api::all(client)
        .create(&params, &bind)
        .await
        .expect("a binding");
    let namespace = stage.namespace.as_str();
    let shift = || {
        let mut command = stage.project.command(["canary", "shift", "10%", "--canary=v2"]);
        command
            .arg("--kubeconfig")
            .arg(reader.kubeconfig())
            .arg("-n")
            .arg(namespace);
        let output = tokio::task::block_in_place(|| stage.project.output(&mut command));
        assert_eq!(output.status, Some(2), "{output}");
        assert!(
            output.stderr.contains("you may not patch VirtualService"),
            "{output}"
        );
        assert!(!output.stderr.contains("get Lease"), "{output}");
        move |right: &str| output.stderr.contains(&format!(", {right} {namespace}/"))
    };
    // Nothing is begun that could not be ended, or taken back.
    let is_told = shift();
    for right in [
        "create VirtualService",
        "delete VirtualService",
        "create DestinationRule",
        "delete DestinationRule",
        "create Lease",
        "update Lease",
        "delete Lease",
    ] {
        assert!(is_told(right), "{right}");
    }
    assert!(stage.objects("VirtualService").get("reviews").await.is_err());

    // What is there needs not be made.
    stage.split(100, 0).await;
    let is_told = shift();
    for (right, is_needed) in [
        ("create VirtualService", false),
        ("delete VirtualService", false),
        ("create DestinationRule", false),
        ("create Lease", true),
    ] {
        assert_eq!(is_told(right), is_needed, "{right}");
    }
}
