//! `meshctl canary` on a real API server: what it makes, what it changes and restores, and what it refuses.

use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use mesh_core::k8s_openapi::api::core::v1::Namespace;
use mesh_core::k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding};
use serde_json::{Value, json};
use test_cluster::wait_for;
use test_prometheus::Prometheus;

use crate::canary_support::{Stage, kill, kills, random, request};
use crate::front::{Front, Mood};
use crate::harness::{Output, Project};
use crate::terminal::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_missing_is_made_and_goes_again() {
    let stage = Stage::new("canary-new", &["v1", "v2.0"]).await;
    let policy = json!({"connectionPool": {"tcp": {"maxConnections": 7}}});
    let wide = format!("*.{}.svc.cluster.local", stage.namespace);
    let wide = json!({"metadata": {"name": "wide"}, "spec": {"host": wide, "trafficPolicy": policy}});
    stage.create("DestinationRule", &wide).await;
    let mut output = stage.run(["shift", "10%", "--canary", "v2.0"]);
    // Proxies of other tests may not answer.
    let (told, _) = output
        .stdout
        .split_once("no proxy that could be asked")
        .expect("a word on proxies");
    output.stdout = told.to_owned();
    insta::assert_snapshot!(output, @r#"
    status: 0
    -- stdout --
    reviews.NAMESPACE.svc.cluster.local: v1 -> v2-0 on http[0] of VirtualService NAMESPACE/reviews
    made VirtualService NAMESPACE/reviews
    made DestinationRule NAMESPACE/reviews, with the settings of DestinationRule NAMESPACE/wide
    10% of the traffic goes to v2-0, the rest to v1 (VirtualService NAMESPACE/reviews)
    -- stderr --
    note: `meshctl canary status` shows how it does; `promote` or `abort` ends it
    "#);
    let object = stage.routes().await;
    assert_eq!(
        object["spec"]["http"][0]["route"],
        json!([
            {"destination": {"host": format!("reviews.{}.svc.cluster.local", stage.namespace), "subset": "v1"}, "weight": 90},
            {"destination": {"host": format!("reviews.{}.svc.cluster.local", stage.namespace), "subset": "v2-0"}, "weight": 10},
        ])
    );
    let rule = stage.object("DestinationRule", "reviews").await;
    assert_eq!(rule["spec"]["trafficPolicy"], policy);
    let canary = json!({"name": "v2-0", "labels": {"version": "v2.0"}});
    assert_eq!(rule["spec"]["subsets"][1], canary);
    let status = stage.run(["status", "-o", "json"]).json();
    assert_eq!(status["phase"], "progressing");
    assert_eq!(status["canary"]["percent"], "10%");
    assert_eq!(status["canary"]["pods"]["ready"], 1);
    let shown = stage.run(["status"]);
    assert!(shown.stdout.contains("progressing at 10%"), "{shown}");
    assert!(shown.stdout.contains("|- stable  v1"), "{shown}");

    let more = stage.run(["shift", "+15%"]);
    assert_eq!(more.status, Some(0), "{more}");
    assert_eq!(stage.weights().await, [75, 25]);

    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    assert!(
        stage
            .virtual_services()
            .get_opt("reviews")
            .await
            .expect("an answer")
            .is_none()
    );
    assert!(
        stage
            .destination_rules()
            .get_opt("reviews")
            .await
            .expect("an answer")
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_sits_at_a_terminal_chooses_the_service() {
    let stage = Stage::new("canary-choice", &["v1", "v2"]).await;
    stage.service("ratings", &json!({"app": "reviews"}), "http").await;
    let output = stage.run(["init", "--canary=v2", "--dry-run"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output
            .stderr
            .contains("several services could be meant: ratings, reviews"),
        "{output}"
    );
    for (answer, status, message) in [
        ("2\n", 0, "DestinationRule NAMESPACE/reviews"),
        ("ratings\n", 0, "DestinationRule NAMESPACE/ratings"),
        ("3\n", 2, "several services could be meant"),
        ("\u{3}", 130, "Which one?"),
    ] {
        let mut terminal = Terminal::start(&stage.command(["init", "--canary=v2", "--dry-run"]));
        let (given, screen, _) = tokio::task::block_in_place(|| {
            terminal.wait_until("the question", |text| {
                text.contains("1  ratings") && text.contains("Which one? ")
            });
            terminal.type_in(answer);
            terminal.end()
        });
        assert_eq!(given, Some(status), "{screen}");
        let screen = screen.replace(&stage.namespace, "NAMESPACE");
        assert!(screen.contains(message), "{screen}");
    }
    // A pipeline is not asked, even if it has a terminal.
    let mut command = stage.command(["init", "--canary=v2", "--dry-run"]);
    let terminal = Terminal::start(command.env("CI", "true"));
    let (status, screen, _) = tokio::task::block_in_place(|| terminal.end());
    assert_eq!(status, Some(2), "{screen}");
    assert!(!screen.contains("Which one?"), "{screen}");
}

fn shares(output: &Output) -> Vec<String> {
    let events = output
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    events
        .filter(|event| event["event"] == "shifted")
        .map(|event| event["percent"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn several_shares_come_one_after_the_other_until_somebody_objects() {
    let stage = Stage::new("canary-steps", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let to = ["shift", "--to", "10%,25%,50%", "-o", "json"];
    assert_eq!(
        stage.run(["shift", "15%", "--match=end-user=jason"]).status,
        Some(0)
    );
    // What the canary has already is not taken from it, and what else it gets stays.
    let output = stage.run(to);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(shares(&output), ["25%", "50%"]);
    let routes = stage.routes().await;
    assert_eq!(
        routes["spec"]["http"][0]["match"][0]["headers"]["end-user"]["exact"],
        "jason"
    );
    assert_eq!(routes["spec"]["http"][1]["route"][1]["weight"], 50);
    let output = stage.run(to);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("the canary has 50% already"), "{output}");

    for (command, status) in [("pause", Some(3)), ("abort", Some(1))] {
        let child = stage.start(["shift", "--to", "60%,70%", "--interval", "60s", "-o", "json"]);
        wait_for("the first share", async || {
            let routes = stage.routes().await["spec"]["http"].clone();
            let last = routes.as_array().and_then(|routes| routes.last()).cloned();
            (last?["route"][1]["weight"] == 60).then_some(())
        })
        .await;
        assert_eq!(stage.run([command]).status, Some(0));
        let output = tokio::task::block_in_place(|| stage.project.collect(child));
        assert_eq!(output.status, status, "{output}");
        assert_eq!(shares(&output), ["60%"], "{output}");
        assert_eq!(stage.run(["shift", "50%", "--no-match"]).status, Some(0));
        assert_eq!(stage.weights().await, [50, 50]);
    }

    // One that was stopped is out of the way at once.
    let child = stage.start(["shift", "--to", "60%,70%", "--interval", "60s"]);
    wait_for("the first share", async || {
        (stage.weights().await == [40, 60]).then_some(())
    })
    .await;
    Stage::signal(&child, "-INT");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(130), "{output}");
    assert!(output.stderr.contains("the same command goes on"), "{output}");
    let output = stage.run(["shift", "--to", "60%,70%", "-o", "json"]);
    assert_eq!(
        (output.status, shares(&output)),
        (Some(0), vec!["70%".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_begins_at_the_share_that_is_there_and_stays_with_its_routes() {
    let stage = Stage::new("canary-share", &["v1", "v2"]).await;
    stage.split(80, 20).await;
    let before = stage.routes().await["spec"].to_string();
    let versions = ["--stable=v1", "--canary=v2"];
    let output = stage.run(["init"].into_iter().chain(versions));
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(stage.weights().await, [80, 20]);
    let status = stage.run(["status", "-o", "json"]).json();
    assert_eq!(
        (&status["phase"], &status["canary"]["percent"]),
        (&json!("ready"), &json!("20%"))
    );
    let output = stage.run(["shift", "--to=10%,25%", "-o", "json"]);
    assert_eq!(
        (output.status, shares(&output)),
        (Some(0), vec!["25%".to_owned()])
    );
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    assert!(abort.stdout.contains("aborted at 20%"), "{abort}");
    assert_eq!(stage.routes().await["spec"].to_string(), before);
    let output = stage.run(["shift", "+10%"].into_iter().chain(versions));
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(stage.weights().await, [70, 30]);
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // A run takes the next of its steps; programs get what would change as an event.
    let prometheus = answering(VECTOR_OF_ONE, Duration::ZERO);
    let run = ["run", "--steps=5,40", "--dry-run", "-o", "json", "--prometheus"];
    let output = stage.run(run.into_iter().chain([&*prometheus]).chain(versions));
    assert_eq!(output.status, Some(0), "{output}");
    let event: Value = serde_json::from_str(&output.stdout).expect("one event");
    assert_eq!(event["event"], "diff");
    assert_eq!(event["object"], "VirtualService NAMESPACE/reviews");
    assert!(
        event["diff"].to_string().contains("+      weight: 40"),
        "{output}"
    );
    let output = stage.run(
        ["shift", "30%", "--diff", "-o", "json"]
            .into_iter()
            .chain(versions),
    );
    let names: Vec<Value> = output
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("an event")["event"].clone())
        .collect();
    assert_eq!(names, ["diff", "located", "shifted", "synced"], "{output}");
    assert_eq!(stage.run(["abort"]).status, Some(0));

    // Routes that differ have no share in common, and one of them is not another.
    let route = json!({"match": [{"uri": {"prefix": "/a"}}], "route": [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100},
        {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0},
    ]});
    stage
        .edit(&json!([{"op": "add", "path": "/spec/http/0", "value": route}]))
        .await;
    let second = async || {
        let route = stage.routes().await["spec"]["http"][1]["route"].clone();
        route[1]["weight"].clone()
    };
    for (args, status, message) in [
        (
            &["shift", "+10%"][..],
            2,
            "v2 has 0% of the traffic of one route and 20% of another's",
        ),
        (&["shift", "10%", "--route=0"], 0, ""),
        (
            &["shift", "50%", "--route=1"],
            2,
            "is not of route `1`, but of http[0]",
        ),
        (&["shift", "15%", "--route=0"], 0, ""),
    ] {
        let output = stage.run(args.iter().copied().chain(versions));
        assert_eq!(output.status, Some(status), "{args:?} {output}");
        assert!(output.stderr.contains(message), "{args:?} {output}");
        assert_eq!(second().await, 20, "{args:?} {output}");
    }
    assert_eq!(stage.weights().await, [85, 15]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_a_shift_does_stays_until_it_is_taken_back() {
    let stage = Stage::new("canary-extras", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let before = stage.routes().await;
    let run = |args: &[&str]| {
        let output = stage.run(args.iter().copied());
        assert_eq!(output.status, Some(0), "{args:?} {output}");
    };
    let facts = async || {
        let routes = stage.routes().await["spec"]["http"].clone();
        let routes = routes.as_array().expect("routes").clone();
        let (main, previews) = routes.split_last().expect("a route");
        (
            previews.len(),
            main["mirrorPercentage"]["value"].as_f64(),
            main["route"][1]["headers"].is_object(),
        )
    };
    run(&["shift", "10%", "--match=a=b", "--mirror=5%", "--sticky"]);
    assert_eq!(facts().await, (2, Some(5.0), true));
    run(&["shift", "20%"]);
    assert_eq!(facts().await, (2, Some(5.0), true));
    // Another condition comes to the first, another share replaces it.
    run(&["shift", "20%", "--match=c=d", "--match=a=b", "--mirror=7%"]);
    assert_eq!(facts().await, (3, Some(7.0), true));
    run(&["shift", "20%", "--no-mirror", "--no-match", "--match-cookie=e=f"]);
    assert_eq!(facts().await, (2, None, true));
    run(&["shift", "20%", "--no-sticky"]);
    assert_eq!(facts().await, (1, None, false));
    run(&["shift", "20%", "--sticky=again"]);
    // A share that the weights cannot express multiplies them, if that is said; the next one needs no more of it.
    let refused = stage.run(["shift", "0.5%"]);
    assert!(
        refused
            .stderr
            .contains("`--rescale` multiply all weights of the route by 2"),
        "{refused}"
    );
    let weights = async || {
        let routes = stage.routes().await["spec"]["http"].clone();
        let main = routes
            .as_array()
            .and_then(|routes| routes.last())
            .cloned()
            .expect("a route");
        [0, 1].map(|index| main["route"][index]["weight"].clone())
    };
    run(&["shift", "0.5%", "--rescale"]);
    assert_eq!(weights().await, [199, 1]);
    run(&["shift", "--to=0.8%,20%"]);
    assert_eq!(weights().await, [80, 20]);
    run(&["promote"]);
    assert_eq!(facts().await, (0, None, false));

    // There is nobody left whom traffic could go back to.
    stage.scale("v1", 0).await;
    let undo = stage.run(["undo"]);
    assert_eq!(undo.status, Some(2), "{undo}");
    assert!(
        undo.stderr.contains("no pod of `v1` is ready") && undo.stderr.contains("--force"),
        "{undo}"
    );
    assert_eq!(facts().await, (0, None, false));
    assert_eq!(weights().await, [0, 100]);
    run(&["undo", "--force"]);
    assert_eq!(
        stage.routes().await["spec"].to_string(),
        before["spec"].to_string()
    );
}

/// A VirtualService with much that is not about weights.
fn rich() -> Value {
    json!({
        "metadata": {"name": "reviews", "annotations": {"team": "books"}},
        "spec": {"hosts": ["reviews", "reviews.example.com"], "http": [
            {"name": "internal", "match": [{"uri": {"prefix": "/admin"}}], "route": [{"destination": {"host": "reviews", "subset": "old"}}]},
            {"name": "main", "timeout": "3s", "retries": {"attempts": 2, "perTryTimeout": "1s"},
             "fault": {"delay": {"fixedDelay": "1s", "percentage": {"value": 0.1}}},
             "headers": {"request": {"set": {"x-a": "b"}}},
             "route": [
                {"destination": {"host": "reviews", "subset": "v1", "port": {"number": 80}}, "weight": 950, "headers": {"response": {"remove": ["x-b"]}}},
                {"destination": {"host": "reviews", "subset": "old"}, "weight": 50},
             ]},
        ]},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rest_of_an_object_is_kept_and_abort_restores_it_exactly() {
    let stage = Stage::new("canary-rich", &["v1", "v2", "old"]).await;
    stage.subsets(&["v1", "old"]).await;
    stage.virtual_service(&rich()).await;
    let before = stage.routes().await;
    let rule = |rule: kube::api::DynamicObject| serde_json::to_value(rule).expect("JSON")["spec"].to_string();
    let rule_before = rule(stage.destination_rules().get("reviews").await.expect("the rule"));

    let args = ["--stable=v1", "--canary=v2"];
    let dry = stage.run(["shift", "10%", "--dry-run"].into_iter().chain(args));
    assert_eq!(dry.status, Some(0), "{dry}");
    assert!(
        dry.stdout.contains("+      weight: 95\n") && dry.stdout.contains("+  - name: v2"),
        "{dry}"
    );
    assert_eq!(
        stage.routes().await["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );

    let extras = ["--match", "end-user=jason", "--mirror", "5%", "--sticky"];
    let output = stage.run(["shift", "10%"].into_iter().chain(args).chain(extras));
    assert_eq!(output.status, Some(0), "{output}");
    let object = stage.routes().await;
    let http = object["spec"]["http"].as_array().expect("routes");
    assert_eq!(http.len(), 4, "{object:#}");
    assert_eq!(http[0], before["spec"]["http"][0]);
    assert_eq!(http[1]["match"][0]["headers"]["end-user"]["exact"], "jason");
    assert_eq!(http[3]["route"][0]["weight"], 855);
    assert_eq!(http[3]["route"][1]["weight"], 50);
    assert_eq!(http[3]["route"][2]["weight"], 95);
    assert_eq!(http[3]["fault"], before["spec"]["http"][1]["fault"]);
    assert_eq!(object["metadata"]["annotations"]["team"], "books");

    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    assert_eq!(
        stage.routes().await["spec"].to_string(),
        before["spec"].to_string()
    );
    assert_eq!(
        rule(stage.destination_rules().get("reviews").await.expect("the rule")),
        rule_before
    );
    // A second one has nothing to do, and says so.
    let again = stage.run(["abort"]);
    assert_eq!(again.status, Some(2), "{again}");

    // The way to the end, and back from there.
    for args in [&["shift", "40%", "--stable=v1", "--canary=v2"][..], &["promote"]] {
        let output = stage.run(args.iter().copied());
        assert_eq!(output.status, Some(0), "{output}");
    }
    let object = stage.routes().await;
    assert_eq!(object["spec"]["http"][1]["route"][2]["weight"], 950);
    // What comes next is not what was before.
    for args in [&["promote"][..], &["shift", "10%"]] {
        let output = stage.run(args.iter().copied());
        assert_eq!(output.status, Some(2), "{args:?} {output}");
    }
    let undo = stage.run(["undo"]);
    assert_eq!(undo.status, Some(0), "{undo}");
    assert_eq!(
        stage.routes().await["spec"].to_string(),
        before["spec"].to_string()
    );
    let history = stage.run(["history", "-o", "json"]);
    let whats: Vec<String> = history
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["what"].to_string())
        .collect();
    assert_eq!(
        whats,
        [
            "\"shifted\"",
            "\"aborted\"",
            "\"shifted\"",
            "\"promoted\"",
            "\"undone\""
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subset_that_others_have_come_to_name_stays() {
    let stage = Stage::new("canary-named", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    stage
        .edit(&json!([{"op": "remove", "path": "/spec/http/0/route/1"}]))
        .await;
    let only = json!({"spec": {"subsets": [{"name": "v1", "labels": {"version": "v1"}}]}});
    stage
        .destination_rules()
        .patch(
            "reviews",
            &kube::api::PatchParams::default(),
            &kube::api::Patch::Merge(only),
        )
        .await
        .expect("it fits");
    let shift = ["shift", "10%", "--canary=v2"];
    let subsets = async || {
        let rule = stage.object("DestinationRule", "reviews").await;
        rule["spec"]["subsets"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(stage.run(shift).status, Some(0));
    let route = json!({"match": [{"uri": {"prefix": "/beta"}}], "route": [{"destination": {"host": "reviews", "subset": "v2"}}]});
    stage
        .edit(&json!([{"op": "add", "path": "/spec/http/0", "value": route}]))
        .await;
    let abort = stage.run(["abort"]);
    assert_eq!(abort.status, Some(0), "{abort}");
    assert!(
        abort
            .stderr
            .contains("subset \"v2\" of DestinationRule reviews stays, because other routes name it"),
        "{abort}"
    );
    assert_eq!(subsets().await, 2);
    // It is theirs now.
    stage
        .edit(&json!([{"op": "remove", "path": "/spec/http/0"}]))
        .await;
    assert_eq!(stage.run(shift).status, Some(0));
    assert_eq!(stage.run(["abort"]).status, Some(0));
    assert_eq!(subsets().await, 2);

    // Nor does it go if they have come to name it while a run was under way.
    stage
        .edit_rule(&json!([{"op": "remove", "path": "/spec/subsets/1"}]))
        .await;
    let prometheus = answering(VECTOR_OF_ONE, Duration::ZERO);
    let run = [
        "run",
        "--steps=10",
        "--canary=v2",
        "--on-interrupt=abort",
        "--prometheus",
    ];
    let child = stage.start(run.into_iter().chain([&*prometheus]));
    wait_for("the first step", async || {
        let route = stage.routes().await["spec"]["http"][0]["route"].clone();
        (route[1]["weight"] == 10).then_some(())
    })
    .await;
    let other = json!({"metadata": {"name": "other"}, "spec": {"hosts": ["books.example.com"], "gateways": ["books"], "http": [
        {"route": [{"destination": {"host": "reviews", "subset": "v2"}}]},
    ]}});
    stage.virtual_service(&other).await;
    Stage::signal(&child, "-TERM");
    let output = tokio::task::block_in_place(|| stage.project.collect(child));
    assert_eq!(output.status, Some(130), "{output}");
    assert!(output.stderr.contains("because other routes name it"), "{output}");
    assert_eq!(subsets().await, 2);

    // One that a wider rule has is there without the rule that was made.
    let rules = stage.destination_rules();
    let params = kube::api::DeleteParams::default();
    rules.delete("reviews", &params).await.expect("it goes");
    let routes = stage.virtual_services();
    routes.delete("other", &params).await.expect("it goes");
    let wide = format!("*.{}.svc.cluster.local", stage.namespace);
    let wide = json!({"metadata": {"name": "wide"}, "spec": {"host": wide, "subsets": [
        {"name": "v1", "labels": {"version": "v1"}},
    ]}});
    stage.create("DestinationRule", &wide).await;
    let output = stage.run(shift);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(subsets().await, 2);
    assert_eq!(stage.run(["abort"]).status, Some(0));
    assert!(rules.get_opt("reviews").await.expect("an answer").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_changes_nothing_and_says_why() {
    let stage = Stage::new("canary-bad", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let before = stage.routes().await;
    let cases: [(&[&str], i32, &str); 17] = [
        (&["shift", "--to", "50%,25%"], 2, "50% comes before 25%"),
        (&["shift", "--to", "50%,110%"], 2, "`110%` is more than 100%"),
        (
            &["shift", "--to", "-5,10"],
            2,
            "a share of traffic is not below 0%",
        ),
        (&["shift", "10%", "--to", "20%"], 2, "cannot be used with"),
        (&["shift", "10%", "--interval", "1s"], 2, "cannot be used with"),
        (&["shift"], 2, "<SHARE>"),
        (
            &["shift", "--to", "10%,10.5%"],
            2,
            "10.5% cannot be written exactly",
        ),
        (&["shift", "110%"], 2, "`110%` is more than 100%"),
        (&["shift", "-5"], 2, "a share of traffic is not below 0%"),
        (
            &["shift", "10%", "--service", "review"],
            2,
            "there is no service `review`",
        ),
        (&["shift", "10%", "--canary", "v3"], 2, "`v3` is no subset"),
        (&["shift", "0.5%"], 2, "0.5% cannot be written exactly"),
        (&["shift", "10%", "--route", "7"], 2, "no route `7` sends to v1"),
        (
            &["init", "--canary", "v1", "--stable", "v1"],
            2,
            "stable and canary at once",
        ),
        (&["promote"], 2, "is under way"),
        (&["abort"], 2, "there is no rollout"),
        (&["resume"], 2, "there is no rollout"),
    ];
    for (args, status, message) in cases {
        let output = stage.run(args.iter().copied());
        assert_eq!(output.status, Some(status), "{args:?} {output}");
        assert!(output.stderr.contains(message), "{args:?} {output}");
    }
    assert_eq!(stage.routes().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_without_pods_and_hosts_with_two_objects_are_refused() {
    let stage = Stage::new("canary-two", &["v1"]).await;
    stage.subsets(&["v1", "v2"]).await;
    stage
        .virtual_service(
            &json!({"metadata": {"name": "reviews"}, "spec": {"hosts": ["reviews"], "http": [
                {"route": [{"destination": {"host": "reviews", "subset": "v1"}}]},
            ]}}),
        )
        .await;
    let output = stage.run(["shift", "10%", "--service=reviews"]);
    assert!(
        output
            .stderr
            .contains("belong to `v2`: none has the labels version=v2"),
        "{output}"
    );
    stage
        .virtual_service(
            &json!({"metadata": {"name": "other"}, "spec": {"hosts": ["reviews"], "http": [
                {"route": [{"destination": {"host": "reviews", "subset": "v1"}}]},
            ]}}),
        )
        .await;
    let output = stage.run(["shift", "10%", "--service=reviews"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("are for the same host"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_of_other_routes_of_the_gateway_api_move_and_come_back() {
    let stage = Stage::new("canary-gateway-api", &["v1", "v2"]).await;
    stage.services("http").await;
    for (kind, name) in [("GRPCRoute", "grpc"), ("TLSRoute", "tls"), ("TCPRoute", "tcp")] {
        let mut route = json!({"metadata": {"name": name}, "spec": {
            "parentRefs": [{"group": "", "kind": "Service", "name": "reviews"}],
            "rules": [{"backendRefs": [{"name": "reviews-v1", "port": 80}]}],
        }});
        if kind == "TLSRoute" {
            route["spec"]["hostnames"] = json!(["reviews.example.com"]);
        }
        stage.create(kind, &route).await;
        let before = stage.object(kind, name).await;
        let shift = ["shift", "25%", "--service=reviews", "--canary=reviews-v2"];
        let argo = json!({"metadata": {"labels": {"argocd.argoproj.io/instance": "shop"}}});
        let params = kube::api::PatchParams::default();
        let merge = kube::api::Patch::Merge(argo);
        stage
            .objects(kind)
            .patch(name, &params, &merge)
            .await
            .expect("a label");
        let output = stage.run(shift);
        assert!(
            output
                .stderr
                .contains("jqPathExpressions: [.spec.rules[].backendRefs[].weight]"),
            "{output}"
        );
        let more = "the change is of destinations or routes, and not of weights alone";
        assert!(output.stderr.contains(more), "{output}");
        let shift = shift.into_iter().chain(["--allow-gitops"]);
        let extras = ["--match=end-user=jason", "--mirror=100%", "--sticky"];
        let output = stage.run(shift.clone().chain(extras));
        if kind == "GRPCRoute" {
            assert_eq!(output.status, Some(0), "{output}");
            let route = stage.object(kind, name).await;
            let rules = route["spec"]["rules"].as_array().expect("rules");
            assert_eq!(rules.len(), 3, "{route:#}");
            assert_eq!(rules[0]["matches"][0]["headers"][0]["value"], "jason");
            assert_eq!(rules[2]["filters"][0]["type"], "RequestMirror");
        } else {
            assert_eq!(output.status, Some(2), "{output}");
            assert!(output.stderr.contains("rules[0] is for connections"), "{output}");
            let output = stage.run(shift);
            assert_eq!(output.status, Some(0), "{output}");
        }
        let route = stage.object(kind, name).await;
        let rules = route["spec"]["rules"].as_array().expect("rules");
        let backends = rules.last().expect("a rule")["backendRefs"]
            .as_array()
            .expect("backends");
        let weights: Vec<_> = backends
            .iter()
            .map(|one| (one["name"].as_str(), one["weight"].as_i64()))
            .collect();
        assert_eq!(
            weights,
            [(Some("reviews-v1"), Some(75)), (Some("reviews-v2"), Some(25))]
        );
        let abort = stage.run(["abort", "--service=reviews"]);
        assert_eq!(abort.status, Some(0), "{abort}");
        let after = stage.object(kind, name).await;
        assert_eq!(after["spec"].to_string(), before["spec"].to_string());
        stage
            .objects(kind)
            .delete(name, &kube::api::DeleteParams::default())
            .await
            .expect("it goes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_waypoint_weights_mean_nothing_to_an_ambient_namespace() {
    let stage = Stage::new("canary-ambient", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let namespaces: kube::Api<Namespace> = kube::Api::all(stage.cluster.client());
    let label = async |labels: Value| {
        let labels = kube::api::Patch::Merge(json!({"metadata": {"labels": labels}}));
        let params = kube::api::PatchParams::default();
        let patched = namespaces.patch(&stage.namespace, &params, &labels).await;
        patched.expect("a label");
    };
    label(json!({"istio.io/dataplane-mode": "ambient"})).await;
    let output = stage.run(["shift", "10%"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output.stderr.contains("no waypoint serves")
            && output.stderr.contains("weights would have no effect"),
        "{output}"
    );
    assert_eq!(stage.weights().await, [100, 0]);
    label(json!({"istio.io/use-waypoint": "waypoint"})).await;
    let output = stage.run(["shift", "10%"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output.stderr.contains(
            "the waypoint NAMESPACE/waypoint of `reviews.NAMESPACE.svc.cluster.local` does not exist"
        ),
        "{output}"
    );
    let waypoint = json!({"metadata": {"name": "waypoint"}, "spec": {"gatewayClassName": "istio-waypoint", "listeners": [
        {"name": "mesh", "port": 15008, "protocol": "HBONE"},
    ]}});
    stage.create("Gateway", &waypoint).await;
    let output = stage.run(["shift", "10%"]);
    assert_eq!(output.status, Some(0), "{output}");
}

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

/// Nobody sees it.
const SECRET: &str = "open-sesame";

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_behind_a_guard_is_told_who_asks() {
    let stage = Stage::new("canary-guard", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let prometheus = tokio::task::block_in_place(|| Prometheus::start(&json!({}))).expect("Prometheus");
    let bearer = format!("Bearer {SECRET}");
    let front = Front::start(
        &prometheus.url(),
        true,
        &[("Authorization", &bearer), ("X-Scope-OrgID", "shop")],
    );
    let url = front.url("");
    let both = format!("Authorization: {bearer}\nX-Scope-OrgID: shop\n");
    let folder = stage.project.path().join("access");
    let plan = format!(
        "steps: 50\nprometheus:\n  url: {url}\n  headers: {{X-Scope-OrgID: shop}}\n  tokenFile: token\n  ca: ca.pem\n"
    );
    fs_err::create_dir(&folder).expect("a folder");
    for (name, text) in [
        ("ca.pem", front.certificate.as_deref().unwrap_or_default()),
        ("token", &format!("{SECRET}\n")),
        ("headers", &both),
        ("canary.yaml", &plan),
    ] {
        fs_err::write(folder.join(name), text).expect("a file");
    }
    let basic = Front::start(
        &prometheus.url(),
        false,
        // user:open-sesame
        &[("Authorization", "Basic dXNlcjpvcGVuLXNlc2FtZQ==")],
    );
    let with_password = basic.url(&format!("user:{SECRET}@"));
    let ca = "--prometheus-ca=access/ca.pem";
    let token = "--prometheus-token-file=access/token";
    let organisation = "--prometheus-header=X-Scope-OrgID: shop";
    let address = format!("--prometheus={url}");
    let run = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = stage.command(["run", "--dry-run"].into_iter().chain(args.iter().copied()));
        command.envs(variables.iter().copied());
        let output = tokio::task::block_in_place(|| stage.project.output(&mut command));
        assert!(!output.to_string().contains(SECRET), "{args:?} {output}");
        output
    };
    for args in [
        &[&*address, ca, token, organisation][..],
        &[
            &address,
            "--prometheus-insecure",
            "--prometheus-header=@access/headers",
        ],
        &["--plan=access/canary.yaml"],
        &["--prometheus", &with_password],
    ] {
        let output = run(args, &[]);
        assert_eq!(output.status, Some(0), "{args:?} {output}");
    }
    let variables = [
        ("MESHCTL_PROMETHEUS", &*url),
        ("MESHCTL_PROMETHEUS_HEADER", &both),
    ];
    assert_eq!(run(&[ca], &variables).status, Some(0));
    let wrong_scheme = format!("ftp://user:{SECRET}@prometheus");
    let wrong_header = format!("--prometheus-header=Authorization {bearer}");
    let wrong_value = format!("--prometheus-header=Authorization: {bearer}\u{1}");
    for (args, message) in [
        (&[&*address, token, organisation][..], "cannot be asked: "),
        (
            &[&address, ca, organisation],
            "answers 401 Unauthorized: say who asks",
        ),
        (&[&address, ca, token], "answers 401"),
        // What a plan says is for the plan's address.
        (
            &["--plan=access/canary.yaml", "--prometheus", &basic.url("")],
            "answers 401",
        ),
        (&["--prometheus", &basic.url("user:wrong@")], "answers 401"),
        (&["--prometheus", &wrong_scheme], "`prometheus` is no address"),
        (&[&address, &wrong_header], "a header without `:`"),
        (
            &[&address, &wrong_value],
            "such a value of the header `authorization`",
        ),
        (&[&address, "--prometheus-token-file=nowhere"], "nowhere"),
        (&[&address, "--prometheus-ca=access/token"], "has no certificate"),
        (&[token], "none is given"),
    ] {
        let output = run(args, &[]);
        assert_eq!(output.status, Some(2), "{args:?} {output}");
        assert!(output.stderr.contains(message), "{args:?} {output}");
    }
    // A run leaves nothing of it behind.
    let args = [
        "run",
        "--steps=50",
        "--interval=1s",
        "--max-inconclusive=1",
        &address,
        ca,
        token,
        organisation,
    ];
    let output = stage.run(args);
    assert_eq!(output.status, Some(3), "{output}");
    assert!(
        output.stdout.contains("it does not scrape the proxies"),
        "{output}"
    );
    let object = stage.routes().await.to_string();
    assert!(
        !object.contains(SECRET) && !output.to_string().contains(SECRET),
        "{output}{object}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_is_found_in_the_cluster() {
    let stage = Stage::new("canary-inside", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let prometheus = tokio::task::block_in_place(|| Prometheus::start(&json!({}))).expect("Prometheus");
    let front = Front::start(&prometheus.url(), false, &[]);
    stage
        .pod("prometheus-0", &json!({"app.kubernetes.io/name": "prometheus"}))
        .await;
    let namespace = stage.namespace.clone();
    stage
        .cluster
        .forward_ports(&namespace, "prometheus-0", &[(9090, front.port())])
        .await;
    let istio = ["--istio-namespace", &namespace];
    let output = stage.run(["run", "--dry-run"].into_iter().chain(istio));
    assert_eq!(output.status, Some(0), "{output}");
    let steps = ["run", "--steps=50", "--interval=1s", "--max-inconclusive=1"];
    let output = stage.run(steps.into_iter().chain(istio));
    assert_eq!(output.status, Some(3), "{output}");
    assert!(
        output.stdout.contains("it does not scrape the proxies"),
        "{output}"
    );
    front.set(Mood::Page("503 Service Unavailable", "starting"));
    let output = stage.run(["run", "--dry-run"].into_iter().chain(istio));
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output
            .stderr
            .contains("Prometheus (pod NAMESPACE/prometheus-0) cannot be asked"),
        "{output}"
    );
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

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

const VECTOR_OF_ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"reporter":"source"},"value":[1,"1"]}]}}"#;

/// Answers every request with the same, after a pause.
fn answering(body: &'static str, pause: Duration) -> String {
    answering_to(pause, move |_| body.to_owned())
}

/// Answers the bodies of requests, after a pause. Ends with the process.
fn answering_to(pause: Duration, answer: impl Fn(&[u8]) -> String + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            std::thread::spawn(move || {
                let (mut stream, question) = request(stream);
                std::thread::sleep(pause);
                let body = answer(&question);
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_honest_prometheus_nothing_moves() {
    let stage = Stage::new("canary-liars", &["v1", "v2"]).await;
    stage.split(100, 0).await;
    let before = stage.routes().await;
    let vector = |value: &str| -> &'static str {
        let text = format!(
            r#"{{"status":"success","data":{{"resultType":"vector","result":[{{"metric":{{}},"value":[1,"{value}"]}}]}}}}"#
        );
        Box::leak(text.into_boxed_str())
    };
    let now = Duration::ZERO;
    for (url, message) in [
        ("http://127.0.0.1:1".to_owned(), "cannot be asked: "),
        (answering(vector("NaN"), now), "answers nothing to `vector(1)`"),
        (answering(vector("-1"), now), "answers -1 to `vector(1)`"),
        (answering(vector("+Inf"), now), "answers inf to `vector(1)`"),
        (answering(EMPTY, now), "answers nothing to `vector(1)`"),
        (answering("<html>", now), "answers what is not its JSON"),
        (
            answering(vector("1"), Duration::from_secs(10)),
            "did not answer within 1 s",
        ),
        ("prometheus:9090".to_owned(), "is no address of Prometheus"),
    ] {
        let output = stage.run(["run", "--interval=1s", "--query-timeout=1s", "--prometheus", &url]);
        assert_eq!(output.status, Some(2), "{url} {output}");
        assert!(output.stderr.contains(message), "{url} {output}");
    }
    let output = stage.run(["run"]);
    assert!(
        output.stderr.contains("there is no Prometheus in the cluster"),
        "{output}"
    );
    assert_eq!(stage.routes().await, before);

    // One that knows everything of the canary, and nothing of the version that it is to be held against.
    let one_sided = one_sided();
    let run = [
        "run",
        "--steps=50",
        "--interval=1s",
        "--max-inconclusive=1",
        "--prometheus",
    ];
    let output = stage.run(run.into_iter().chain([&*one_sided]));
    assert_eq!(output.status, Some(3), "{output}");
    assert!(
        output
            .stdout
            .contains("there is nothing of the stable version to compare with: no series"),
        "{output}"
    );
    let output = stage.run(run.into_iter().chain([&*one_sided, "--no-compare"]));
    assert_eq!(output.status, Some(0), "{output}");
}

/// A Prometheus that has 100 good requests of anything but `v1`.
fn one_sided() -> String {
    answering_to(Duration::ZERO, |question| {
        let question = String::from_utf8_lossy(question);
        if question.contains("reviews-v1") {
            return EMPTY.to_owned();
        }
        let value = match question {
            _ if question.contains("vector%280%29") => "0",
            _ if question.contains("timestamp") || question.ends_with("vector%281%29") => "1",
            _ => "100",
        };
        VECTOR_OF_ONE.replace("\"1\"", &format!("\"{value}\""))
    })
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

#[test]
fn files_are_edited_and_keep_their_comments() {
    let project = Project::new()
        .file(
            "mesh/reviews.yaml",
            "\
# The service.
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v2}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: []}}}
",
        )
        .file(
            "mesh/routes.yaml",
            "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - timeout: 3s # more is of no use
    route:
    # All but nothing.
    - destination: {host: reviews, subset: v1}
      weight: 100 # of them
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
  subsets:
  - name: v1 # stable
    labels: {version: v1}
",
        );
    let shift = ["canary", "shift", "10%", "--files", "mesh", "--canary", "v2"];
    let dry = project.run(shift.into_iter().chain(["--dry-run"]));
    let output = project.run(shift);
    assert_eq!((dry.status, output.status), (Some(0), Some(0)), "{dry}{output}");
    insta::assert_snapshot!(dry.stdout, @r#"
    --- mesh/routes.yaml
    +++ mesh/routes.yaml
    @@ -9,7 +9,11 @@
         route:
         # All but nothing.
         - destination: {host: reviews, subset: v1}
    -      weight: 100 # of them
    +      weight: 90 # of them
    +    - destination:
    +        host: reviews
    +        subset: v2
    +      weight: 10
     ---
     apiVersion: networking.istio.io/v1
     kind: DestinationRule
    @@ -20,3 +24,6 @@
       subsets:
       - name: v1 # stable
         labels: {version: v1}
    +  - name: v2
    +    labels:
    +      version: v2
    "#);
    let text = fs_err::read_to_string(project.path().join("mesh/routes.yaml")).expect("the file");
    assert!(text.contains("weight: 90 # of them"), "{text}");
    let more = [
        "canary", "shift", "+15%", "--files", "mesh", "--canary", "v2", "-o", "json",
    ];
    let dry = project.run(more.into_iter().chain(["--dry-run"])).json();
    assert_eq!(
        (&dry["event"], &dry["object"]),
        (&json!("diff"), &json!("mesh/routes.yaml"))
    );
    assert!(dry["diff"].to_string().contains("weight: 75 # of them"), "{dry}");
    let more = project.run(more);
    assert_eq!(more.status, Some(0), "{more}");
    assert_eq!(more.json(), json!({"event": "wrote", "file": "mesh/routes.yaml"}));
    let text = fs_err::read_to_string(project.path().join("mesh/routes.yaml")).expect("the file");
    assert!(
        text.contains("weight: 75 # of them") && text.contains("weight: 25"),
        "{text}"
    );
    assert!(!text.contains("annotations"), "{text}");
}

/// A service with versions that are no names of subsets.
const DOTTED: &str = "\
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-one}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v1.0.0}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-two}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: V1.1.0}}, spec: {containers: []}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets: # of it
  - {name: v1-0-0, labels: {version: v1.0.0}}
";

#[test]
fn files_get_only_what_the_mesh_takes() {
    let routes = |route: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: reviews}}\nspec:\n  hosts: [reviews]\n  \
             http:\n{route}"
        )
    };
    let route = "  - route: # all\n    - destination: {host: reviews, subset: v1-0-0}\n";
    let project = Project::new()
        .file("mesh/reviews.yaml", DOTTED)
        .file("mesh/routes.yaml", routes(route));
    let read = |name: &str| fs_err::read_to_string(project.path().join("mesh").join(name)).expect("the file");
    let shift = |args: &[&str]| {
        project.run(
            ["canary", "shift", "--files", "mesh"]
                .into_iter()
                .chain(args.iter().copied()),
        )
    };
    // The subset has a name that Istio takes, and the label of the pods.
    let output = shift(&["10%", "--canary=V1.1.0"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        read("routes.yaml").contains("        subset: v1-1-0\n      weight: 10\n"),
        "{}",
        read("routes.yaml")
    );
    let rule = read("reviews.yaml");
    assert!(
        rule.contains("  - name: v1-1-0\n    labels:\n      version: V1.1.0\n"),
        "{rule}"
    );
    for canary in ["V1.1.0", "v1-1-0"] {
        let output = shift(&["+5%", "--stable=v1.0.0", &format!("--canary={canary}")]);
        assert_eq!(output.status, Some(0), "{output}");
    }
    assert_eq!(read("reviews.yaml"), rule);

    // What `analyze` has against it is not written.
    fs_err::write(project.path().join("mesh/routes.yaml"), routes(route)).expect("the file");
    let broken = rule.replace("host: reviews\n", "host: reviews\n  exportTo: [other]\n");
    fs_err::write(project.path().join("mesh/reviews.yaml"), &broken).expect("the file");
    let before = (read("routes.yaml"), read("reviews.yaml"));
    let output = shift(&["10%", "--canary=v1-1-0"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output
            .stderr
            .contains("with this change there would be new errors"),
        "{output}"
    );
    assert_eq!((read("routes.yaml"), read("reviews.yaml")), before);

    // Nor is what would cost the comments.
    let anchored = "  - &first\n    route: # all\n    - destination: &v1 {host: reviews, subset: v1-0-0}\n      weight: 100\n  - <<: *first\n    name: b\n";
    fs_err::write(project.path().join("mesh/routes.yaml"), routes(anchored)).expect("the file");
    fs_err::write(project.path().join("mesh/reviews.yaml"), &rule).expect("the file");
    let before = read("routes.yaml");
    let output = shift(&["10%", "--canary=v1-1-0"]);
    assert_eq!(output.status, Some(2), "{output}");
    let message = "VirtualService default/reviews in `mesh/routes.yaml` is written with anchors or merge keys, so its \
                   comments could not be kept";
    assert!(output.stderr.contains(message), "{output}");
    assert_eq!(read("routes.yaml"), before);
}

#[test]
fn mistakes_in_a_plan_are_shown_where_they_are() {
    let project = Project::new().file(
        "canary.yaml",
        "steps: [5, 10]\nintervall: 1m\nlimits:\n  p99: fast\n",
    );
    insta::assert_snapshot!(project.run(["canary", "run", "--plan", "canary.yaml"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: unknown key `intervall`
       ,-[canary.yaml:2:1]
     1 | steps: [5, 10]
     2 | intervall: 1m
       : ^^^^^^^^^
     3 | limits:
       `----
      hint: did you mean `interval`?
    error: `p99` must be a duration above zero, such as `30s` or `500ms`
       ,-[canary.yaml:4:8]
     3 | limits:
     4 |   p99: fast
       :        ^^^^
       `----
    "#);
}
