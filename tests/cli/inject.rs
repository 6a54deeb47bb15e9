//! `meshctl inject` and `meshctl uninject`.

use crate::harness::Project;

const WEB: &str = "\
# The shop's front.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels:
        app: web # everywhere
    spec:
      containers:
      - name: app
        image: example.com/web:1
";

const AGENT: &str = "\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  template:
    spec: {hostNetwork: true, containers: [{name: agent}]}
";

const SERVICE: &str = "# Kept.\napiVersion: v1\nkind:   Service\nmetadata: {name: web}\n";

fn all() -> String {
    format!("{SERVICE}---\n{AGENT}--- # the last\n{WEB}")
}

#[test]
fn manifests_are_injected_and_what_was_done_is_told() {
    let project = Project::new();
    let output = project.run_with_stdin(["inject", "-f", "-"], &all());
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        output.stdout.starts_with(&format!(
            "{SERVICE}---\n{AGENT}--- # the last\n{}",
            &WEB[..WEB.len() - 80]
        )),
        "{output}"
    );
    assert!(output.stdout.contains("      - name: istio-proxy\n"), "{output}");
    insta::assert_snapshot!(output.stderr, @r"
    note: no cluster is configured: the settings are Istio's defaults (as with --offline)
    - DaemonSet agent: skipped: it uses the network of its node (`hostNetwork: true`)
    + Deployment shop/web: injected
    1 workload injected, 1 workload skipped, 1 other document passed through
    ");
}

#[test]
fn files_are_changed_in_place_and_back() {
    let project = Project::new()
        .file("deploy/web.yaml", WEB)
        .file("deploy/rest.yaml", all());
    let read = |name: &str| fs_err::read_to_string(project.path().join("deploy").join(name)).expect("a file");
    let output = project.run(["inject", "--offline", "--in-place", "-f", "deploy"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(0), ""), "{output}");
    assert!(read("web.yaml").contains("istio-init") && read("rest.yaml").contains("istio-init"));
    let names: Vec<_> = fs_err::read_dir(project.path().join("deploy"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let once = read("web.yaml");
    project.run(["inject", "--offline", "--in-place", "-f", "deploy"]);
    assert_eq!(read("web.yaml"), once);
    let output = project.run(["uninject", "--in-place", "-f", "deploy"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert_eq!(read("web.yaml"), WEB);
    assert_eq!(read("rest.yaml"), all());
}

#[test]
fn several_files_become_one_stream() {
    let project = Project::new()
        .file("a.yaml", SERVICE.trim_end())
        .file("b.yaml", AGENT);
    let output = project.run([
        "inject",
        "--offline",
        "-f",
        "a.yaml",
        "-f",
        "b.yaml",
        "-o",
        "all.yaml",
    ]);
    assert_eq!(output.status, Some(0), "{output}");
    let written = fs_err::read_to_string(project.path().join("all.yaml")).expect("a file");
    assert_eq!(written, format!("{SERVICE}---\n{AGENT}"));
}

#[test]
fn a_difference_changes_nothing() {
    let project = Project::new().file("web.yaml", WEB);
    let output = project.run(["inject", "--offline", "--diff", "-f", "web.yaml"]);
    assert!(
        output.stdout.starts_with("--- web.yaml\n+++ web.yaml\n@@ "),
        "{output}"
    );
    assert!(
        output
            .stdout
            .contains("\n+        security.istio.io/tlsMode: istio\n"),
        "{output}"
    );
    assert!(
        !output.stdout.lines().skip(2).any(|line| line.starts_with('-')),
        "{output}"
    );
    assert_eq!(
        fs_err::read_to_string(project.path().join("web.yaml")).expect("a file"),
        WEB
    );
    let output = project.run([
        "--color",
        "always",
        "inject",
        "--offline",
        "--diff",
        "-f",
        "web.yaml",
    ]);
    assert!(
        output.stdout.contains("\u{1b}[1m\u{1b}[32m+        security"),
        "{output}"
    );
}

#[test]
fn additions_are_explained() {
    let project = Project::new().file(
        "web.yaml",
        WEB.replace(
            "      labels:",
            "      annotations:\n        sidecar.istio.io/proxyCPU: 10m\n      labels:",
        ),
    );
    let output = project.run(["inject", "--offline", "--explain", "-f", "web.yaml"]);
    assert_eq!(output.status, Some(0), "{output}");
    for line in [
        "Deployment shop/web",
        r#"  + metadata.labels["service.istio.io/canonical-name"] web (label app)"#,
        r#"  + metadata.labels["service.istio.io/canonical-revision"] latest (no label with a version)"#,
        r#"  + spec.containers[1].resources {"requests":{"cpu":"10m"}} (annotation sidecar.istio.io/proxyCPU)"#,
    ] {
        assert!(
            output.stdout.lines().any(|found| found == line),
            "{line}\n{output}"
        );
    }
}

#[test]
fn settings_come_from_files() {
    let project = Project::new()
        .file("web.yaml", WEB)
        .file(
            "mesh.yaml",
            "trustDomain: example.org\ndefaultConfig: {holdApplicationUntilProxyStarts: true}\n",
        )
        .file(
            "values.json",
            r#"{"global": {"hub": "registry.example.com/istio", "tag": "1.30.2"}, "revision": "stable"}"#,
        );
    let args = [
        "inject",
        "-f",
        "web.yaml",
        "--mesh-config",
        "mesh.yaml",
        "--values",
        "values.json",
    ];
    let output = project.run(args);
    assert_eq!(output.status, Some(0), "{output}");
    for expected in [
        "image: registry.example.com/istio/proxyv2:1.30.2\n",
        "istiod-stable.istio-system.svc:15012",
        "istio.io/rev: stable\n",
        "value: example.org\n",
        "postStart:",
    ] {
        assert!(output.stdout.contains(expected), "{expected}\n{output}");
    }
    let output = project.run(
        args.into_iter()
            .chain(["--revision", "canary", "--native-sidecar", "true"]),
    );
    assert!(output.stdout.contains("istio.io/rev: canary\n"), "{output}");
    assert!(output.stdout.contains("restartPolicy: Always\n"), "{output}");
}

#[test]
fn broken_input_is_shown_and_nothing_is_written() {
    let broken = WEB.replace(
        "      labels:",
        "      annotations:\n        status.sidecar.istio.io/port: high\n      labels:",
    );
    let project = Project::new()
        .file("in/a.yaml", WEB)
        .file("in/b.yaml", &broken)
        .file(
            "in/c.yaml",
            WEB.replace(
                "      containers:\n      - name: app\n        image: example.com/web:1",
                "      restartPolicy: Always",
            ),
        );
    let output = project.run(["inject", "--offline", "--in-place", "-f", "in"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    insta::assert_snapshot!(output.stderr);
    assert_eq!(
        fs_err::read_to_string(project.path().join("in/a.yaml")).expect("a file"),
        WEB
    );

    let project = Project::new().file("a.yaml", "a: [1\nb: 2\n");
    let output = project.run(["inject", "--offline", "-f", "a.yaml"]);
    assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    assert!(output.stderr.contains("a.yaml:"), "{output}");
    for args in [
        &["inject", "--offline", "-f", "missing.yaml"][..],
        &["inject", "--offline", "-f", "-", "--in-place"],
        &["inject", "--offline"],
        &["inject", "--offline", "-f", "a.yaml", "--pod-template", "Farm"],
        &["inject", "--values", "missing.yaml", "-f", "-"],
    ] {
        let output = project.run(args.iter().copied());
        assert_eq!((output.status, output.stdout.as_str()), (Some(2), ""), "{output}");
    }
}

#[test]
fn what_may_not_work_is_a_warning_with_its_place() {
    let project = Project::new().file(
        "job.yaml",
        WEB.replace("apps/v1", "batch/v1").replace("Deployment", "Job"),
    );
    let output = project.run(["inject", "--offline", "-f", "job.yaml"]);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(output.stderr);
}

#[test]
fn each_sort_of_bad_input_is_shown_in_its_line() {
    for (what, line, expected, text) in [
        (
            "an unknown value of an annotation",
            13,
            "bad value of `sidecar.istio.io/interceptionMode`",
            WEB.replace(
                "      labels:",
                "      annotations:\n        sidecar.istio.io/interceptionMode: MAYBE\n      labels:",
            ),
        ),
        (
            "ports that are both captured and left alone",
            14,
            "`81` is in `traffic.sidecar.istio.io/includeInboundPorts` too",
            WEB.replace(
                "      labels:",
                "      annotations:\n        traffic.sidecar.istio.io/includeInboundPorts: 80,81\n        \
                 traffic.sidecar.istio.io/excludeInboundPorts: '81'\n      labels:",
            ),
        ),
        (
            "a port that is the proxy's",
            19,
            "port 15001 of container `app` is the proxy's outbound port",
            WEB.replace(
                "        image: example.com/web:1",
                "        image: example.com/web:1\n        ports:\n        - containerPort: 15001",
            ),
        ),
        (
            "a sidecar of another mesh",
            18,
            "the pod has a sidecar of Linkerd already",
            format!("{WEB}      - name: linkerd-proxy\n"),
        ),
        (
            "no containers",
            15,
            "the pod has no containers",
            WEB.replace(
                "      - name: app\n        image: example.com/web:1\n",
                "      []\n",
            )
            .replace("      containers:\n      []", "      containers: []"),
        ),
        (
            "malformed YAML",
            16,
            "",
            WEB.replace("    spec:\n      containers:", "    spec: {\n      containers:"),
        ),
    ] {
        let project = Project::new().file("good.yaml", WEB).file("web.yaml", &text);
        for place in [&["-o", "out.yaml"][..], &["--in-place"], &[]] {
            let args = ["inject", "--offline", "-f", "good.yaml", "-f", "web.yaml"];
            let output = project.run(args.iter().chain(place).copied());
            assert_eq!(
                (output.status, output.stdout.as_str()),
                (Some(2), ""),
                "{what}: {output}"
            );
            assert!(output.stderr.contains(expected), "{what}: {output}");
            assert!(
                output.stderr.contains(&format!("[web.yaml:{line}:")),
                "{what}: {output}"
            );
        }
        let read = |name: &str| fs_err::read_to_string(project.path().join(name)).expect("a file");
        assert_eq!(
            (read("good.yaml").as_str(), read("web.yaml")),
            (WEB, text),
            "{what}"
        );
        assert!(!project.path().join("out.yaml").exists(), "{what}");
    }
}

#[test]
fn files_are_changed_all_or_none() {
    // The file beside it, which takes its place in the end, cannot have a name that is longer still.
    let long = format!("{}.yaml", "n".repeat(245));
    let project = Project::new().file("a.yaml", WEB).file(&long, WEB);
    let output = project.run(["inject", "--offline", "--in-place", "-f", "a.yaml", "-f", &long]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("cannot write"), "{output}");
    let mut names = Vec::new();
    for entry in fs_err::read_dir(project.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        assert_eq!(fs_err::read_to_string(entry.path()).expect("a file"), WEB);
        names.push(entry.file_name());
    }
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn pods_that_their_namespace_refuses_are_warned_of() {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  labels: {pod-security.kubernetes.io/enforce: LEVEL}\n---\n";
    let restricted = WEB.replace(
        "        image: example.com/web:1\n",
        "        image: example.com/web:1\n        securityContext:\n          allowPrivilegeEscalation: false\n          \
         capabilities: {drop: [ALL]}\n      securityContext:\n        runAsNonRoot: true\n        seccompProfile: {type: RuntimeDefault}\n",
    );
    let project = Project::new().file("cni.yaml", "pilot: {cni: {enabled: true}}\n");
    for (level, args, refused) in [
        ("privileged", &["--offline"][..], false),
        ("baseline", &["--offline"], true),
        ("restricted", &["--offline"], true),
        ("restricted", &["--values", "cni.yaml"], false),
    ] {
        let text = namespace.replace("LEVEL", level) + &restricted;
        let output = project.run_with_stdin(["inject", "-f", "-"].iter().chain(args).copied(), &text);
        assert_eq!(output.status, Some(0), "{output}");
        let says = format!(
            "the namespace `shop` refuses the pods: the Pod Security Standard `{level}:latest` forbids"
        );
        assert_eq!(
            output.stderr.contains(&says),
            refused,
            "{level} {args:?}: {output}"
        );
        assert_eq!(
            output.stderr.contains("install the Istio CNI plugin"),
            refused,
            "{level} {args:?}: {output}"
        );
    }
}
