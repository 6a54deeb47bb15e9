//! `meshctl precheck` against servers that fail.

use std::time::{Duration, Instant};

use crate::api::{Api, Fault, kubeconfig, status};
use crate::harness::Project;
use crate::precheck::check;

/// A server that answers with its version only, and has the faults of a plan.
fn faulty(plan: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static) -> Project {
    let api = Api::faulty("", plan);
    Project::new().file("kubeconfig", api.kubeconfig())
}

fn ok(body: &str) -> Fault {
    Fault::Status(200, "", body.to_owned())
}

const VERSION: &str = r#"{"gitVersion": "v1.36.0"}"#;
const ARGS: [&str; 4] = [
    "precheck",
    "--kubeconfig=kubeconfig",
    "--request-timeout=1s",
    "-o=json",
];

#[test]
fn a_server_that_hangs_is_not_waited_for() {
    let started = Instant::now();
    let output = faulty(|_, _| Some(Fault::Hang)).run(ARGS);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("error: no answer from"), "{output}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_server_that_hangs_after_its_version_skips_checks() {
    let output = faulty(|path, _| {
        Some(if path.starts_with("/version") {
            ok(VERSION)
        } else {
            Fault::Hang
        })
    })
    .run(ARGS);
    let document = output.json();
    assert_eq!(check(&document, "kubernetes-version")["status"], "pass");
    let summary = check(&document, "control-planes")["summary"]
        .as_str()
        .expect("a summary");
    assert!(summary.contains("no answer from"), "{summary}");
}

#[test]
fn a_server_that_fails_or_cuts_answers_off_is_named() {
    let failing = || Fault::Status(500, "", status("etcd is gone"));
    let output = faulty(move |_, _| Some(failing())).run(ARGS);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output
            .stderr
            .contains("the API server failed on /version (500): etcd is gone"),
        "{output}"
    );

    let output = faulty(move |path, _| {
        Some(match path.split('?').next().unwrap_or_default() {
            "/version" => ok(VERSION),
            "/api/v1/nodes" => Fault::HalfABody,
            "/api/v1/pods" => failing(),
            _ => ok(r#"{"items": [], "versions": [], "groups": []}"#),
        })
    })
    .run(ARGS);
    let document = output.json();
    for (name, message) in [
        ("nodes", "cut off or broken"),
        (
            "jobs",
            "the API server failed on /api/v1/pods (500): etcd is gone",
        ),
    ] {
        let check = check(&document, name);
        assert_eq!(check["status"], "skipped", "{check}");
        assert!(
            check["summary"]
                .as_str()
                .is_some_and(|summary| summary.contains(message)),
            "{check}"
        );
    }
    assert_eq!(check(&document, "control-planes")["status"], "pass");
}

#[test]
fn nothing_listens() {
    let project = Project::new().file("kubeconfig", kubeconfig("http://127.0.0.1:1"));
    let output = project.run(ARGS);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("connection refused"), "{output}");
}
