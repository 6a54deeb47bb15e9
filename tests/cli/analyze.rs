//! `meshctl analyze`: arguments, exit status, and what is said beside the findings.

use std::io::Read;
use std::process::Stdio;

use crate::harness::{CLEAN, MISSPELT, Project};

#[test]
fn a_clean_mesh_is_success() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    insta::assert_snapshot!(project.run(["analyze", "mesh.yaml", "--select=duplicate-resource"]), @r#"
    status: 0
    -- stdout --
    -- stderr --
    no findings in 1 file (1 resource)
    "#);
}

#[test]
fn fail_on_sets_the_threshold() {
    // A suppression that covers nothing is a warning.
    let project = Project::new().file(
        "mesh.yaml",
        CLEAN.replace("9080", "9080 # meshctl: allow unknown-field"),
    );
    for (threshold, status) in [("never", 0), ("error", 0), ("warning", 1), ("info", 1)] {
        let output = project.run([
            "analyze",
            "mesh.yaml",
            "--select=unused-suppression,unknown-field",
            "--fail-on",
            threshold,
        ]);
        assert_eq!(output.status, Some(status), "{threshold}\n{output}");
    }
}

#[test]
fn no_path_is_an_error_with_advice() {
    insta::assert_snapshot!(Project::new().run(["analyze"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: no PATH given
      hint: name files or folders: `meshctl analyze .`
      hint: or read the cluster: `meshctl analyze --cluster`
    "#);
}

#[test]
fn a_missing_path_fails_after_the_findings_of_the_others() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    let output = project.run(["analyze", "no/such.yaml", "mesh.yaml"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stdout.contains("error[unknown-field]"), "{output}");
    assert!(
        output
            .stderr
            .contains("error: cannot read `no/such.yaml`: no such file or folder"),
        "{output}"
    );
    let ignored = project.run(["analyze", "no/such.yaml", "--ignore=unreadable-file"]);
    assert_eq!(ignored.status, Some(2), "{ignored}");
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_in_a_folder_is_a_finding() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    std::os::unix::fs::symlink("nowhere", project.path().join("dangling.yaml")).expect("a link");
    let output = project.run(["analyze", "."]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("error[unreadable-file]"), "{output}");
}

#[test]
fn a_broken_document_hides_nothing() {
    let project = Project::new().file("mesh.yaml", format!("a: [\n---\n{MISSPELT}"));
    let output = project.run(["analyze", "mesh.yaml"]);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("error[syntax-error]"), "{output}");
    assert!(output.stdout.contains("error[unknown-field]"), "{output}");
}

#[test]
fn standard_input_is_a_file_named_dash() {
    let output = Project::new().run_with_stdin(["analyze", "-", "-"], MISSPELT);
    assert_eq!(output.status, Some(1), "{output}");
    assert!(output.stdout.contains("[-:9:5]"), "{output}");
    assert!(output.stderr.contains("in 1 file (1 resource)"), "{output}");
}

#[test]
fn a_related_place_in_another_file_is_shown_with_its_source() {
    let project = Project::new().file("one.yaml", CLEAN).file("two.yaml", CLEAN);
    insta::assert_snapshot!(project.run(["analyze", ".", "--select=duplicate-resource"]), @r#"
    status: 1
    -- stdout --
    error[duplicate-resource]: Service default/reviews is given more than once
       ,-[two.yaml:4:9]
     3 | metadata:
     4 |   name: reviews
       :         ^^^^^^^
     5 | spec:
       `----
      note: also given here
       ,-[one.yaml:4:9]
     3 | metadata:
     4 |   name: reviews
       :         ^^^^^^^
     5 | spec:
       `----
      help: remove one of the two: the later one replaces the earlier

    -- stderr --
    1 error in 2 files (1 resource)
    "#);
}

#[test]
fn rules_go_by_name_and_by_code_in_any_case() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    for (args, status) in [
        (["--select", "duplicate-key,UNKNOWN-field"], 1),
        (["--select", "ist0106"], 1),
        (["--select", "duplicate-key"], 0),
        (["--ignore", "IST0106,IST0101"], 0),
    ] {
        let output = project.run(["analyze", "mesh.yaml"].into_iter().chain(args));
        assert_eq!(output.status, Some(status), "{args:?}\n{output}");
    }
    let both = project.run([
        "analyze",
        "mesh.yaml",
        "--select=IST0106",
        "--ignore=unknown-field",
    ]);
    assert_eq!(both.status, Some(0), "{both}");
}

#[test]
fn an_unknown_rule_is_an_error_with_a_suggestion() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    for option in ["--select", "--ignore"] {
        let output = project.run(["analyze", "mesh.yaml", option, "unknown-feild"]);
        assert_eq!(output.status, Some(2), "{output}");
        assert_eq!(
            output.stderr,
            "error: no rule is named `unknown-feild`\n  hint: did you mean `unknown-field`?\n"
        );
    }
}

#[test]
fn a_comment_switches_a_finding_off_and_is_counted() {
    let allowed = MISSPELT.replace(
        "timeOut: 3s",
        "timeOut: 3s # meshctl: allow unknown-field -- on purpose",
    );
    let project = Project::new().file("mesh.yaml", allowed);
    let output = project.run(["analyze", "mesh.yaml", "--select=unknown-field"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stderr.contains("1 suppressed"), "{output}");
}

#[test]
fn templates_are_recognized() {
    let project = Project::new()
        .file("shop/Chart.yaml", "name: shop\n")
        .file("shop/templates/a.yaml", "a: {{ .Values.a }}\n")
        .file("shop/templates/b.yaml", "{{- if .Values.b }}\na: 1\n{{- end }}\n");
    let output = project.run(["analyze", "shop"]);
    assert_eq!(output.status, Some(0), "{output}");
    insta::assert_snapshot!(output, @r#"
    status: 0
    -- stdout --
    -- stderr --
    note: 1 document is not a Kubernetes object and was skipped
    note: 2 files of `shop` are Helm templates and were skipped: run `helm template shop | meshctl analyze -`
    no findings in 3 files (0 resources)
    note: there was nothing to check: no resource of a mesh is in the input
    "#);
    let one = project.run(["analyze", "shop/templates/a.yaml"]);
    assert!(
        one.stderr.contains("`shop/templates/a.yaml` is a Helm template"),
        "{one}"
    );
}

#[test]
fn quiet_and_verbose_change_what_stands_beside_the_findings() {
    let other = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w}\n";
    let project = Project::new().file("mesh.yaml", format!("{MISSPELT}---\n{other}---\na: 1\n"));
    let quiet = project.run(["analyze", "mesh.yaml", "-q"]);
    assert_eq!(quiet.stderr, "", "{quiet}");
    assert!(quiet.stdout.contains("error[unknown-field]"), "{quiet}");
    let normal = project.run(["analyze", "mesh.yaml"]);
    assert!(
        normal
            .stderr
            .contains("note: 1 document is not a Kubernetes object"),
        "{normal}"
    );
    assert!(
        normal.stderr.contains("could not run: add -v to see why"),
        "{normal}"
    );
    assert!(!normal.stderr.contains("Widget"), "{normal}");
    let verbose = project.run(["analyze", "mesh.yaml", "-v"]);
    assert!(
        verbose
            .stderr
            .contains("1 object of `example.com/v1 Widget` was skipped"),
        "{verbose}"
    );
    assert!(verbose.stderr.contains("did not run: it needs"), "{verbose}");
}

#[test]
fn an_input_without_resources_is_pointed_out() {
    let project = Project::new().file("readme.txt", "");
    let output = project.run(["analyze", "."]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(output.stderr.contains("nothing to check"), "{output}");
}

#[test]
fn colors_are_only_used_when_allowed() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    let has_color = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = project.command(["analyze", "mesh.yaml"].into_iter().chain(args.iter().copied()));
        project
            .output(command.envs(variables.iter().copied()))
            .to_string()
            .contains('\u{1b}')
    };
    assert!(!has_color(&[], &[]), "not a terminal");
    assert!(has_color(&["--color=always"], &[]));
    assert!(has_color(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_color(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!has_color(&["--color=never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let many: Vec<_> = (0..2000)
        .map(|index| MISSPELT.replace("reviews", &format!("r{index}")))
        .collect();
    let project = Project::new().file("mesh.yaml", many.join("---\n"));
    for format in ["text", "json", "yaml", "sarif", "junit", "github"] {
        let mut child = project
            .command(["analyze", "mesh.yaml", "-q", "-o", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut pipe = child.stdout.take().expect("piped");
        pipe.read_exact(&mut [0; 10]).expect("some output");
        drop(pipe);
        let output = project.collect(child);
        assert_eq!(output.status, Some(0), "{format} {output}");
        assert_eq!(output.stderr, "", "{format}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    let full = fs_err::File::create("/dev/full").expect("a full device");
    let child = project
        .command(["analyze", "mesh.yaml"])
        .stdout(full.into_parts().0)
        .stderr(Stdio::piped())
        .spawn();
    let output = project.collect(child.expect("the program runs"));
    assert_eq!(output.status, Some(2), "{output}");
    assert!(output.stderr.contains("error: cannot write output: "), "{output}");
}

#[test]
fn a_document_that_is_nested_too_deeply_is_a_finding() {
    let flow = format!("a: {}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let block: Vec<_> = (0..10_000).map(|depth| format!("{:depth$}a:", "")).collect();
    let project = Project::new()
        .file("flow.yaml", flow)
        .file("block.yaml", block.join("\n"));
    for file in ["flow.yaml", "block.yaml"] {
        let output = project.run(["analyze", file]);
        assert_eq!(output.status, Some(1), "{output}");
        assert!(output.stdout.contains("error[syntax-error]"), "{output}");
        assert!(
            output.stdout.lines().all(|line| line.len() < 400),
            "lines are cut"
        );
    }
}

#[test]
fn mesh_wide_settings_are_checked_like_resources() {
    let project = Project::new()
        .file("mesh.yaml", CLEAN)
        .file(
            "config/mesh.yaml",
            "rootNamespace: istio-system\nenableTracings: true\nconnectTimeout: 2h\ndefaultProviders: {tracing: [otel]}\n",
        )
        .file("config/networks.yaml", "networks:\n  east:\n    endpoint: []\n  west:\n    endpoints: [{fromCidr: west}]\n");
    let output = project.run([
        "analyze",
        "mesh.yaml",
        "--mesh-config=config/mesh.yaml",
        "--mesh-networks=config/networks.yaml",
        "-q",
        "-o=json",
    ]);
    assert_eq!(output.status, Some(1), "{output}");
    let findings = output.json()["findings"].as_array().expect("a list").clone();
    let facts: Vec<_> = findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {} {}",
                finding["rule"], finding["file"], finding["line"], finding["path"]
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            r#""unknown-field" "config/mesh.yaml" 2 "enableTracings""#,
            r#""invalid-mesh-config" "config/mesh.yaml" 3 "connectTimeout""#,
            r#""suspicious-mesh-config" "config/mesh.yaml" 4 "defaultProviders.tracing[0]""#,
            r#""unknown-field" "config/networks.yaml" 3 "networks.east.endpoint""#,
            r#""invalid-mesh-config" "config/networks.yaml" 5 "networks.west.endpoints[0].fromCidr""#,
        ]
    );
}

#[test]
fn mesh_wide_settings_that_cannot_be_read_end_the_work() {
    let project = Project::new()
        .file("mesh.yaml", CLEAN)
        .file("broken.yaml", "a: 1\nb: [\n")
        .file("map.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    for (file, message) in [
        ("no.yaml", "error: cannot read `no.yaml`: no such file or folder"),
        ("broken.yaml", "error: `broken.yaml` is not YAML: "),
        (
            "map.yaml",
            "error: `map.yaml` is a ConfigMap, not the settings themselves",
        ),
    ] {
        let output = project.run(["analyze", "mesh.yaml", "--mesh-config", file]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(output.stderr.starts_with(message), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    let broken = project.run(["analyze", "mesh.yaml", "--mesh-config=broken.yaml"]);
    assert!(broken.stderr.contains("[broken.yaml:"), "{broken}");
}

#[test]
fn objects_without_a_namespace_get_the_one_that_is_given() {
    let project = Project::new().file("mesh.yaml", MISSPELT.replace("  namespace: shop\n", ""));
    let namespace = |args: &[&str]| {
        let base = ["analyze", "mesh.yaml", "-q", "-o=json", "--select=unknown-field"];
        let output = project.run(base.into_iter().chain(args.iter().copied()));
        output.json()["findings"][0]["resource"]["namespace"].clone()
    };
    assert_eq!(namespace(&[]), "default");
    assert_eq!(namespace(&["-n", "shop"]), "shop");
}
