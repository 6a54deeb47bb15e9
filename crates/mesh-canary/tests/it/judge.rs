//! Questions, answers, verdicts, and what follows from them.

use std::time::Duration;

use mesh_canary::judge::{Answer, Observation, Questions, Series, Traffic, Verdict, judge, quote};
use mesh_canary::percent::Percent;
use mesh_canary::plan::{Limits, Metric, Plan, steps};
use mesh_canary::route::{Subject, Version};
use mesh_canary::state::{Next, Phase, Rollout, Run, Stamp};
use proptest::prelude::*;

fn series(workloads: &[&str]) -> Series {
    Series {
        traffic: Traffic::Requests,
        service: "reviews.shop.svc.cluster.local".to_owned(),
        namespace: "shop".to_owned(),
        workloads: workloads.iter().map(|name| (*name).to_owned()).collect(),
        version: Some("v2".to_owned()),
    }
}

#[test]
fn questions_name_one_version_and_one_reporter() {
    let series = series(&["reviews-v2"]);
    let questions = Questions {
        series: &series,
        window: Duration::from_mins(1),
    };
    insta::assert_snapshot!(
        [
            questions.requests(),
            questions.failures("source"),
            questions.latency("source", 0.99),
            questions.age(),
        ].join("\n"),
        @r#"
    sum by (reporter) (increase(istio_requests_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="reviews-v2",response_code!="0"}[60000ms]))
    (sum(increase(istio_requests_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="reviews-v2",reporter="source",response_code=~"5.."}[60000ms])) or vector(0)) + (sum(increase(istio_requests_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="reviews-v2",reporter="source",response_code!~"5..|0",grpc_response_status=~"2|4|8|12|13|14|15"}[60000ms])) or vector(0))
    histogram_quantile(0.99, sum by (le) (rate(istio_request_duration_milliseconds_bucket{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="reviews-v2",reporter="source"}[60000ms])))
    time() - max(timestamp(istio_requests_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="reviews-v2"}))
    "#
    );
}

#[test]
fn questions_about_connections_count_those_that_found_no_backend() {
    let series = Series {
        traffic: Traffic::Connections,
        ..series(&["db-v2"])
    };
    let questions = Questions {
        series: &series,
        window: Duration::from_mins(1),
    };
    insta::assert_snapshot!(
        [questions.requests(), questions.failures("source"), questions.sent_bytes("source")].join("\n"),
        @r#"
    sum by (reporter) (increase(istio_tcp_connections_opened_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="db-v2"}[60000ms]))
    sum(increase(istio_tcp_connections_closed_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="db-v2",reporter="source",response_flags=~"(.*,)?(UF|URX|UH|UO|NR|NC)(,.*)?"}[60000ms])) or vector(0)
    sum(increase(istio_tcp_sent_bytes_total{destination_service="reviews.shop.svc.cluster.local",destination_workload_namespace="shop",destination_workload="db-v2",reporter="source"}[60000ms]))
    "#
    );
    let reasons: Vec<_> = questions
        .ladder()
        .iter()
        .map(|(rung, _)| rung.reason(&series))
        .collect();
    assert!(
        reasons[1].contains("istio_tcp_connections_opened_total"),
        "{reasons:?}"
    );
}

#[test]
fn connections_are_judged_by_those_that_fail_and_by_silence() {
    let seen = |connections: f64, failures: f64, bytes: Option<f64>| Observation {
        traffic: Traffic::Connections,
        sent_bytes: bytes,
        ..seen(connections, failures, None)
    };
    let stable = seen(100.0, 0.0, Some(12_000.0));
    let verdict = |canary: &Observation| judge(&Limits::default(), canary, Some(&stable), &[]);
    assert_eq!(verdict(&seen(50.0, 0.0, Some(9.0))), Verdict::Pass);
    assert_eq!(verdict(&seen(50.0, 0.0, None)), Verdict::Pass);
    let cases = [
        (seen(3.0, 0.0, Some(9.0)), "3 connections reached the canary"),
        (
            seen(50.0, 10.0, Some(9.0)),
            "80.00% of 50 connections succeeded, and 99% must",
        ),
        (
            seen(50.0, 0.0, Some(0.0)),
            "not a byte came back on 50 connections, and 120 from stable on each of its 100",
        ),
    ];
    for (canary, reason) in cases {
        let verdict = verdict(&canary);
        assert!(verdict.reason().contains(reason), "{verdict:?}");
    }
}

#[test]
fn names_in_questions_mean_themselves() {
    let several = series(&["a.b", "c|d"]).matchers();
    assert!(
        several.contains(r#"destination_workload=~"a\\.b|c\\|d""#),
        "{several}"
    );
    assert!(series(&[]).matchers().contains(r#"destination_version="v2""#));
    assert_eq!(quote("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
}

fn vector(values: &[&str]) -> String {
    let series: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(index, value)| format!(r#"{{"metric":{{"n":"{index}"}},"value":[1.5,"{value}"]}}"#))
        .collect();
    format!(
        r#"{{"status":"success","data":{{"resultType":"vector","result":[{}]}}}}"#,
        series.join(",")
    )
}

#[test]
fn answers_are_numbers_nothing_or_errors() {
    let number = |body: &str| Answer::parse(body).and_then(|answer| answer.number());
    assert_eq!(number(&vector(&["3.5"])), Ok(Some(3.5)));
    assert_eq!(number(&vector(&[])), Ok(None));
    assert_eq!(number(&vector(&["NaN"])), Ok(None));
    assert_eq!(number(&vector(&["+Inf"])), Ok(Some(f64::INFINITY)));
    let scalar =
        r#"{"status":"success","data":{"resultType":"scalar","result":[1,"7"]},"warnings":["slow"]}"#;
    assert_eq!(number(scalar), Ok(Some(7.0)));
    assert_eq!(
        Answer::parse(scalar).map(|answer| answer.warnings),
        Ok(vec!["slow".to_owned()])
    );
    let several = number(&vector(&["1", "2"])).expect_err("two numbers");
    assert!(
        several.contains("2 series") && several.contains(r#"{"n": "1"}"#),
        "{several}"
    );
    for (body, reason) in [
        (
            r#"{"status":"error","errorType":"timeout","error":"too slow"}"#,
            "refuses the query (timeout): too slow",
        ),
        (
            r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#,
            "answers with a matrix",
        ),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":{}}}"#,
            "no list",
        ),
        (
            r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,2]}]}}"#,
            "a time and a value",
        ),
        (r#"{"status":"success"}"#, "without data"),
        ("<html>", "not its JSON"),
        ("{}", "neither success nor an error"),
    ] {
        let error = Answer::parse(body).expect_err("no answer");
        assert!(error.contains(reason), "{error}");
    }
    for lie in ["-5", "+Inf", "-Inf"] {
        assert!(
            Answer::parse(&vector(&[lie]))
                .expect("an answer")
                .count()
                .is_err(),
            "{lie}"
        );
    }
}

#[test]
fn the_best_witness_is_the_client() {
    let body = |rows: &[(&str, &str)]| {
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, value)| format!(r#"{{"metric":{{"reporter":"{name}"}},"value":[1,"{value}"]}}"#))
            .collect();
        let body = rows.join(",");
        let text = format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{body}]}}}}"#);
        Answer::parse(&text).expect("an answer")
    };
    assert_eq!(
        body(&[("destination", "9"), ("source", "8")]).best_reporter(),
        Ok(Some(("source", 8.0)))
    );
    assert_eq!(
        body(&[("destination", "9"), ("source", "0")]).best_reporter(),
        Ok(Some(("destination", 9.0)))
    );
    assert_eq!(body(&[("other", "9")]).best_reporter(), Ok(None));
    assert!(body(&[("source", "-1")]).best_reporter().is_err());
}

fn seen(requests: f64, failures: f64, latency: Option<f64>) -> Observation {
    Observation {
        requests,
        failures,
        rps: requests / 60.0,
        latency_ms: latency,
        reporter: "source".to_owned(),
        ..Observation::default()
    }
}

fn limits() -> Limits {
    Limits {
        latency: Some(Duration::from_millis(500)),
        ..Limits::default()
    }
}

#[test]
fn verdicts_follow_the_numbers() {
    let good = seen(1000.0, 0.0, Some(20.0));
    let verdict = |canary: &Observation, stable: &Observation| judge(&limits(), canary, Some(stable), &[]);
    assert_eq!(verdict(&good, &good), Verdict::Pass);
    assert_eq!(
        verdict(&seen(19.0, 0.0, Some(20.0)), &good),
        Verdict::Inconclusive("19 requests reached the canary, and 20 are needed".to_owned())
    );
    assert_eq!(
        verdict(&seen(1000.0, 50.0, Some(20.0)), &good),
        Verdict::Fail("95.00% of 1000 requests succeeded, and 99% must".to_owned())
    );
    assert_eq!(
        verdict(&seen(1000.0, 0.0, Some(900.0)), &good),
        Verdict::Fail("p99 is 900 ms, above 500 ms".to_owned())
    );
    // What stable cannot either is not the canary's fault.
    let ill = seen(1000.0, 50.0, Some(900.0));
    assert!(matches!(verdict(&ill, &ill), Verdict::Inconclusive(_)));
    // Within the limits, but worse than stable.
    assert_eq!(
        verdict(&seen(1000.0, 0.0, Some(400.0)), &good),
        Verdict::Fail("p99 is 400 ms, and stable's 20 ms".to_owned())
    );
    let lax = Limits {
        success_rate: Percent::of_ratio(0.5),
        ..Limits::default()
    };
    let worse = judge(&lax, &seen(1000.0, 100.0, None), Some(&good), &[]);
    assert!(matches!(worse, Verdict::Fail(_)), "{worse:?}");
    // One of twenty is chance.
    assert_eq!(
        judge(&lax, &seen(20.0, 1.0, None), Some(&good), &[]),
        Verdict::Fail("95.00% of 20 requests succeeded, and 100.00% of stable's".to_owned())
    );
    assert_eq!(
        judge(&lax, &seen(20.0, 1.0, None), Some(&seen(30.0, 1.0, None)), &[]),
        Verdict::Pass
    );
    // No latency where one is limited.
    assert!(matches!(
        verdict(&seen(1000.0, 0.0, None), &good),
        Verdict::Inconclusive(_)
    ));
    assert!(matches!(
        verdict(&seen(1000.0, 0.0, Some(f64::INFINITY)), &good),
        Verdict::Fail(_)
    ));
}

#[test]
fn metrics_of_the_user_count_too() {
    let metric = Metric {
        name: "checkouts".to_owned(),
        query: "x{pod=~\"${canary}\"}[${window}]".to_owned(),
        min: Some(5.0),
        max: None,
    };
    assert_eq!(
        metric.filled(|name| format!("<{name}>")),
        "x{pod=~\"<canary>\"}[<window>]"
    );
    let good = seen(1000.0, 0.0, Some(20.0));
    let verdict = |value| judge(&limits(), &good, None, &[(&metric, value)]);
    assert_eq!(verdict(Some(5.0)), Verdict::Pass);
    assert_eq!(
        verdict(Some(4.0)),
        Verdict::Fail("`checkouts` is 4, below 5".to_owned())
    );
    assert!(matches!(verdict(None), Verdict::Inconclusive(_)));
}

fn run() -> Run {
    let plan = Plan {
        steps: steps("5,50,100").expect("steps"),
        interval: None,
        limits: Limits::default(),
        metrics: Vec::new(),
        webhooks: Vec::new(),
    };
    Run::new(plan, Percent::ZERO)
}

#[test]
fn decisions_follow_the_verdicts() {
    let fail = Verdict::Fail("bad".to_owned());
    let mut all = run();
    assert_eq!(all.after(&Verdict::Pass), Next::Shift);
    assert_eq!(all.percent(), "50%".parse().expect("a share"));
    assert_eq!(all.after(&Verdict::Pass), Next::Shift);
    assert_eq!(all.after(&Verdict::Pass), Next::Promote);
    let mut bad = run();
    assert_eq!(bad.after(&fail), Next::Judge);
    // A pass in between is no excuse.
    assert_eq!(bad.after(&Verdict::Pass), Next::Shift);
    assert_eq!(bad.after(&fail), Next::RollBack("bad".to_owned()));
    let mut silent = run();
    for _ in 0..4 {
        assert_eq!(
            silent.after(&Verdict::Inconclusive("none".to_owned())),
            Next::Judge
        );
    }
    assert_eq!(
        silent.after(&Verdict::Inconclusive("none".to_owned())),
        Next::Hold("none".to_owned())
    );
    // A share that is on no step goes to the next one above it, and never jumps.
    assert_eq!(
        Run::new(run().plan, "20%".parse().expect("a share")).percent(),
        "50%".parse().expect("a share")
    );
    assert_eq!(Run::new(run().plan, Percent::FULL).percent(), Percent::FULL);
}

#[test]
fn a_verdict_moves_nothing_once_somebody_has_paused_or_ended_the_rollout() {
    let stamp = Stamp {
        time: "2026-01-01T00:00:00Z".to_owned(),
        by: "jane".to_owned(),
    };
    let subject = Subject {
        host: "reviews.shop.svc.cluster.local".to_owned(),
        stable: Version::Subset("v1".to_owned()),
        canary: Version::Subset("v2".to_owned()),
    };
    let begun = || {
        let mut rollout = Rollout::new(subject.clone(), Vec::new(), &stamp, Vec::new());
        rollout.run = Some(run());
        rollout.percent = run().percent();
        rollout.record(&stamp, Phase::Progressing, "run started");
        rollout
    };
    let mut going = begun();
    assert_eq!(going.judged(&Verdict::Pass, &stamp), Ok(Next::Shift));
    assert!(going.percent > begun().percent);

    let fail = Verdict::Fail("bad".to_owned());
    for verdict in [Verdict::Pass, fail.clone(), fail] {
        let mut paused = begun();
        paused.record(&stamp, Phase::Paused, "paused");
        let before = paused.clone();
        assert_eq!(paused.judged(&verdict, &stamp), Ok(Next::Judge));
        assert_eq!(
            (&paused.run, paused.percent, paused.phase),
            (&before.run, before.percent, Phase::Paused)
        );
        assert_eq!(paused.events.len(), before.events.len() + 1);

        for phase in [Phase::Aborted, Phase::Promoted] {
            let mut ended = begun();
            ended.record(&stamp, phase, "ended");
            let before = ended.clone();
            assert_eq!(ended.judged(&verdict, &stamp), Ok(Next::Judge));
            assert_eq!(ended, before);
        }
    }
    let mut aimless = begun();
    aimless.run = None;
    assert!(aimless.judged(&Verdict::Pass, &stamp).is_err());
}

#[test]
fn without_a_stable_version_to_compare_with_good_is_not_said() {
    let fail = Verdict::Fail("bad".to_owned());
    let limits = limits();
    assert_eq!(
        Verdict::Pass.without_stable(&limits, "no series").reason(),
        "there is nothing of the stable version to compare with: no series"
    );
    assert_eq!(fail.clone().without_stable(&limits, "no series"), fail);
    let alone = Limits {
        compare: false,
        ..limits
    };
    assert_eq!(Verdict::Pass.without_stable(&alone, "no series"), Verdict::Pass);
}

proptest! {
    #[test]
    fn no_answer_makes_it_panic(body in "[\\x20-\\x7e]{0,80}") {
        let _ = Answer::parse(&body).map(|answer| (answer.count(), answer.best_reporter()));
    }

    #[test]
    fn a_canary_that_is_as_good_as_stable_never_fails_and_silence_never_passes(
        requests in 0.0_f64..1e6, failed in 0.0_f64..=1.0, latency in prop::option::of(0.0_f64..1e5),
    ) {
        let both = seen(requests, requests * failed, latency);
        let verdict = judge(&limits(), &both, Some(&both), &[]);
        prop_assert!(!matches!(verdict, Verdict::Fail(_)) || requests < 20.0, "{verdict:?}");
        prop_assert!(requests >= 20.0 || matches!(verdict, Verdict::Inconclusive(_)));
    }

    /// However the verdicts come, a rollout ends, and never beyond its budgets.
    #[test]
    fn every_run_ends(verdicts in prop::collection::vec(0_u8..4, 100)) {
        let mut run = run();
        let mut judged = 0;
        for verdict in verdicts {
            let verdict = match verdict {
                0 => Verdict::Pass,
                1 => Verdict::Fail("f".to_owned()),
                2 => Verdict::Inconclusive("i".to_owned()),
                _ => Verdict::Error("e".to_owned()),
            };
            judged += 1;
            let before = run.percent();
            match run.after(&verdict) {
                Next::Shift => prop_assert!(run.percent() > before && verdict == Verdict::Pass),
                Next::Judge => prop_assert_eq!(run.percent(), before),
                _ => break,
            }
        }
        prop_assert!(judged <= 3 * (1 + 4 + 3) + 2);
    }
}
