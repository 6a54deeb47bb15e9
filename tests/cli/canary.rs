//! `meshctl canary` on a real API server: what it makes, what it changes and restores, and what it refuses.

use std::time::Duration;

use mesh_core::k8s_openapi::api::core::v1::Namespace;
use serde_json::{Value, json};
use test_cluster::wait_for;

use crate::canary_prometheus::{VECTOR_OF_ONE, answering};
use crate::canary_support::Stage;
use crate::harness::Output;
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
