//! `meshctl analyze --cluster`: what is read, what is said, and what happens when the cluster does not play along.

use std::time::{Duration, Instant};

use crate::api::{Api, Fault, kubeconfig, status};
use crate::harness::{CLEAN, MISSPELT, Output, Project};

/// A route to a host that is nowhere, and the Namespace that it is in.
const BROKEN: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  ports: [{name: http, port: 80, protocol: TCP}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: web
  namespace: shop
  uid: 6f1c
  managedFields: [{manager: kubectl, operation: Update}]
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{}'
spec:
  hosts: [web]
  http:
  - route:
    - destination: {host: wbe}
";

/// A number of services without findings.
fn services(count: usize) -> String {
    (0..count)
        .map(|index| CLEAN.replace("reviews", &format!("s{index:04}")) + "---\n")
        .collect()
}

fn project(api: &Api) -> Project {
    Project::new().file("kubeconfig", api.kubeconfig())
}

fn analyze<'a>(project: &Project, args: impl IntoIterator<Item = &'a str>) -> Output {
    let fixed = ["analyze", "--cluster", "--kubeconfig=kubeconfig"];
    project.run(fixed.into_iter().chain(args))
}

#[test]
fn findings_show_the_object_as_yaml() {
    let api = Api::serve(BROKEN);
    insta::assert_snapshot!(analyze(&project(&api), []), @r#"
    status: 1
    -- stdout --
    error[unknown-host] (IST0101, KIA1101): destination `wbe` (`wbe.shop.svc.cluster.local`) is not in the service registry
        ,-[cluster: VirtualService shop/web:13:15]
     12 |     - destination:
     13 |         host: wbe
        :               ^^^
        `----
      help: did you mean `web`?
    
    -- stderr --
    1 error in cluster `test` (3 resources)
    "#);
}

#[test]
fn machines_get_no_file_for_an_object_of_a_cluster() {
    let api = Api::serve(BROKEN);
    let project = project(&api);
    let document = analyze(&project, ["-o=json"]).json();
    let finding = &document["findings"][0];
    assert_eq!(finding["rule"], "unknown-host");
    assert_eq!(finding["resource"]["name"], "web");
    assert!(
        finding["file"].is_null() && finding["line"].is_null(),
        "{finding}"
    );
    assert_eq!(document["summary"]["cluster"], "test");
    assert_eq!(document["summary"]["files"], 0);
    let sarif = analyze(&project, ["-o=sarif"]).json();
    let place = &sarif["runs"][0]["results"][0]["locations"][0];
    assert!(place["physicalLocation"].is_null(), "{place}");
    assert_eq!(
        place["logicalLocations"][0]["fullyQualifiedName"],
        "VirtualService/shop/web/spec.http[0].route[0].destination.host"
    );
    let github = analyze(&project, ["-o=github"]);
    assert!(github.stdout.contains("::VirtualService shop/web: "), "{github}");
    assert!(!github.stdout.contains("file="), "{github}");
    let junit = analyze(&project, ["-o=junit"]);
    assert!(junit.stdout.contains("testsuite name=\"cluster\""), "{junit}");
    assert!(junit.stdout.contains("VirtualService shop/web: "), "{junit}");
}

#[test]
fn a_server_without_aggregated_discovery_will_do() {
    let api = Api::old(BROKEN);
    let output = analyze(&project(&api), []);
    assert!(output.stdout.contains("error[unknown-host]"), "{output}");
}

#[test]
fn kinds_that_the_cluster_lacks_are_not_asked_for() {
    let api = Api::serve(CLEAN);
    let output = analyze(&project(&api), []);
    assert_eq!(output.status, Some(0), "{output}");
    let requests = api.requests();
    assert!(
        !requests.iter().any(|path| path.contains("istio.io")),
        "{requests:?}"
    );
    // Secrets are read by name only.
    assert!(
        !requests.iter().any(|path| path.contains("secrets")),
        "{requests:?}"
    );
}

#[test]
fn long_lists_come_in_pages_in_the_same_order_each_time() {
    let services = services(1200);
    let api = Api::serve(&services);
    let project = project(&api);
    let first = analyze(&project, ["-o=json"]);
    assert_eq!(first.json()["summary"]["resources"], 1200, "{}", first.stderr);
    let pages = api
        .requests()
        .iter()
        .filter(|path| path.contains("services?"))
        .count();
    assert_eq!(pages, 3);
    assert_eq!(analyze(&project, ["-o=json"]), first);
}

#[test]
fn a_list_that_expires_half_way_is_read_again() {
    let services = services(600);
    let api = Api::faulty(&services, |path, before| {
        (path.contains("services") && path.contains("continue") && before == 0)
            .then(|| Fault::Status(410, "", status("the continue parameter is too old")))
    });
    let output = analyze(&project(&api), []);
    assert_eq!(
        output.stderr, "no findings in cluster `test` (600 resources)\n",
        "{output}"
    );
}

#[test]
fn an_overloaded_server_is_asked_again() {
    let api = Api::faulty(BROKEN, |path, before| {
        (path.contains("services") && before == 0)
            .then(|| Fault::Status(429, "Retry-After: 1\r\n", status("too many requests")))
    });
    let output = analyze(&project(&api), []);
    assert!(
        output.stderr.contains("1 error in cluster `test` (3 resources)"),
        "{output}"
    );
}

#[test]
fn a_kind_that_fails_is_a_finding_and_the_rest_is_checked() {
    let api = Api::faulty(BROKEN, |path, _| {
        path.contains("namespaces?").then(|| {
            Fault::Status(
                403,
                "",
                status("namespaces is forbidden: User \"jane\" cannot list"),
            )
        })
    });
    let output = analyze(&project(&api), []);
    assert!(output.stdout.contains("error[unknown-host]"), "{output}");
    assert!(
        output.stdout.contains(
            "warning[unreadable-kind]: Namespace objects cannot be read: namespaces is forbidden: User \"jane\" cannot \
             list; they are not checked, and these rules do not run: pod-without-sidecar, \
             sidecar-in-ambient, unknown-source-namespace"
        ),
        "{output}"
    );
}

#[test]
fn what_cannot_be_read_is_not_called_missing() {
    let api = Api::faulty(BROKEN, |path, _| {
        path.contains("services")
            .then(|| Fault::Status(403, "", status("services is forbidden")))
    });
    let output = analyze(&project(&api), []);
    assert!(!output.stdout.contains("unknown-host]"), "{output}");
    assert!(
        output
            .stdout
            .contains("warning[unreadable-kind]: Service objects"),
        "{output}"
    );
    assert_eq!(output.status, Some(0), "{output}");
}

#[test]
fn a_server_that_fails_at_everything_is_an_error() {
    let api = Api::faulty(BROKEN, |_, _| {
        Some(Fault::Status(500, "", status("etcd is down")))
    });
    let output = analyze(&project(&api), []);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("(500): etcd is down"), "{output}");
    let api = Api::faulty(BROKEN, |_, _| {
        Some(Fault::Status(401, "", status("Unauthorized")))
    });
    insta::assert_snapshot!(analyze(&project(&api), []), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: the API server does not accept the credentials (401 Unauthorized)
      hint: they may have expired: log in again, or choose another context with `--context`
    "#);
    let api = Api::faulty(BROKEN, |path, _| {
        (path != "/apis").then(|| Fault::Status(403, "", status("services is forbidden")))
    });
    insta::assert_snapshot!(analyze(&project(&api), []), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: nothing can be read of the cluster: services is forbidden
      hint: ask for the right to get and list (the ClusterRole `view` and Istio's `istio-reader` have it), or name a namespace that you may read: `-n NAME`
    "#);
}

#[test]
fn half_a_body_is_an_error() {
    let api = Api::faulty(BROKEN, |_, _| Some(Fault::HalfABody));
    let output = analyze(&project(&api), []);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("is cut off or broken"), "{output}");
}

#[test]
fn a_server_that_hangs_is_given_up() {
    let api = Api::faulty(BROKEN, |path, _| path.contains("pods").then_some(Fault::Hang));
    let project = project(&api);
    let start = Instant::now();
    let output = analyze(&project, ["--request-timeout=1s"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("within 1 s"), "{output}");
    let output = analyze(&project, ["--timeout=500ms"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[test]
fn nobody_listens() {
    let project = Project::new().file("kubeconfig", kubeconfig("http://127.0.0.1:1"));
    insta::assert_snapshot!(analyze(&project, []), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: cannot reach http://127.0.0.1:1: connection refused
      hint: check that the cluster is up, and that the kubeconfig's context is the right one (`--context`)
    "#);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it_at_once() {
    let api = Api::faulty(BROKEN, |path, _| path.contains("pods").then_some(Fault::Hang));
    let project = project(&api);
    let mut command = project.command(["analyze", "--cluster", "--kubeconfig=kubeconfig"]);
    let child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program runs");
    let start = Instant::now();
    while !api.requests().iter().any(|path| path.contains("pods")) {
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", api.requests());
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.expect("kill runs").success());
    let start = Instant::now();
    let output = project.collect(child);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(output.status, Some(130), "{output}");
    assert!(output.stderr.contains("error: interrupted"), "{output}");
}

#[test]
fn files_are_judged_by_what_they_bring() {
    let api = Api::serve(BROKEN);
    let new = MISSPELT
        .replace("timeOut: 3s", "timeout: 3s")
        .replace("reviews", "web");
    let project = project(&api)
        .file("fixed/mesh.yaml", new)
        .file("other/mesh.yaml", CLEAN)
        // Nobody routes to a host of this name any more.
        .file(
            "breaks/mesh.yaml",
            "apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: a, namespace: shop}\nspec: {egress: [{hosts: ['./web.shop.svc.cluster.local']}]}\n---\n\
             apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: b, namespace: shop}\nspec: {egress: [{hosts: ['./*']}]}\n",
        );
    // The cluster's own finding is none of the file's making.
    insta::assert_snapshot!(analyze(&project, ["other"]), @r#"
    status: 0
    -- stdout --
    -- stderr --
    no findings in 1 file over cluster `test` (4 resources)
    "#);
    let all = analyze(&project, ["other", "--all-findings"]);
    assert!(all.stdout.contains("error[unknown-host]"), "{all}");
    // The file replaces the object with the finding.
    let fixed = analyze(&project, ["fixed", "--all-findings"]);
    assert_eq!(fixed.status, Some(0), "{fixed}");
    let breaks = analyze(&project, ["breaks"]);
    assert!(breaks.stdout.contains("[multiple-sidecars]"), "{breaks}");
    assert!(!breaks.stdout.contains("unknown-host"), "{breaks}");
}

#[test]
fn findings_can_be_limited_to_a_namespace() {
    let yaml = format!("{MISSPELT}---\n{}", MISSPELT.replace("shop", "kube-system"));
    let api = Api::serve(&yaml);
    let project = project(&api);
    let count = |args: &[&str]| {
        let output = analyze(
            &project,
            ["-o=json", "--select=unknown-field"]
                .into_iter()
                .chain(args.iter().copied()),
        );
        output.json()["findings"].as_array().expect("findings").len()
    };
    assert_eq!(count(&[]), 1);
    assert_eq!(count(&["-A"]), 1);
    assert_eq!(count(&["-n", "shop"]), 1);
    assert_eq!(count(&["-n", "other"]), 0);
    assert_eq!(count(&["-n", "kube-system"]), 1);
}

#[test]
fn a_revision_has_its_own_settings_and_objects() {
    let yaml = BROKEN.replace("  name: web\n", "  name: web\n  labels: {istio.io/rev: canary}\n");
    let api = Api::serve(&yaml);
    let project = project(&api);
    for (revision, expected) in [("canary", 1), ("stable", 0)] {
        let output = analyze(&project, ["-o=json", "--revision", revision]);
        assert_eq!(
            output.json()["findings"].as_array().map(Vec::len),
            Some(expected),
            "{output}"
        );
        let name = format!("/configmaps/istio-{revision}");
        assert!(
            api.requests().iter().any(|path| path.ends_with(&name)),
            "{:?}",
            api.requests()
        );
    }
}

#[test]
fn secrets_are_fetched_by_name_and_keys_are_not_shown() {
    let yaml = "\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec:
  selector: {app: edge}
  servers:
  - port: {number: 443, name: https, protocol: HTTPS}
    hosts: [shop.example.com]
    tls: {mode: SIMPLE, credentialName: edge-cert}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: ingress}
spec:
  selector: {matchLabels: {app: edge}}
  template:
    metadata: {labels: {app: edge}}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Secret
metadata: {name: edge-cert, namespace: ingress, annotations: {copy: TOPSECRET}}
data: {tls.crt: TUE9PQ==, tls.key: VE9QU0VDUkVU}
";
    let api = Api::serve(yaml);
    let output = analyze(&project(&api), ["--select=invalid-credential"]);
    assert!(output.stdout.contains("error[invalid-credential]"), "{output}");
    assert!(
        !output.stdout.contains("VE9QU0VDUkVU") && !output.stdout.contains("TOPSECRET"),
        "{output}"
    );
    let requests = api.requests();
    let mut secrets: Vec<_> = requests.iter().filter(|path| path.contains("secrets")).collect();
    // They are asked for at the same time.
    secrets.sort_unstable();
    assert_eq!(
        secrets,
        [
            "/api/v1/namespaces/ingress/secrets/edge-cert",
            "/api/v1/namespaces/ingress/secrets/edge-cert-cacert"
        ]
    );
}

#[test]
fn connection_arguments_need_the_flag() {
    insta::assert_snapshot!(Project::new().file("a.yaml", CLEAN).run(["analyze", "a.yaml", "--context=x"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: `--context` is of no use without `--cluster`
      hint: add `--cluster` to read the cluster
    "#);
}
