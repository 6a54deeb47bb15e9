//! Where `meshctl canary` finds Prometheus, how it gets in, and what it makes of bad answers.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use test_prometheus::Prometheus;

use crate::canary_support::{Stage, request};
use crate::front::{Front, Mood};

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

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

pub(crate) const VECTOR_OF_ONE: &str = r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"reporter":"source"},"value":[1,"1"]}]}}"#;

/// Answers every request with the same, after a pause.
pub(crate) fn answering(body: &'static str, pause: Duration) -> String {
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
