//! `meshctl explain`.

use crate::harness::Project;

#[test]
fn lists_everything_without_an_argument() {
    let output = Project::new().run(["explain"]);
    assert_eq!(output.status, Some(0), "{output}");
    for name in [
        "unknown-field",
        "IST0106",
        "VirtualService",
        "vs",
        "MeshConfig",
        "gateway.networking.k8s.io",
    ] {
        assert!(output.stdout.contains(name), "{name}\n{output}");
    }
    assert!(
        output.stdout.lines().all(|line| line.chars().count() <= 100),
        "{output}"
    );
    let document = Project::new().run(["explain", "-o", "json"]).json();
    assert!(
        document["rules"]
            .as_array()
            .is_some_and(|rules| rules.iter().any(|rule| rule["name"] == "unknown-field"))
    );
    assert!(
        document["kinds"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind["shortName"] == "dr"))
    );
}

#[test]
fn explains_a_rule() {
    insta::assert_snapshot!(Project::new().run(["explain", "Duplicate-Key"]), @r#"
    status: 0
    -- stdout --
    duplicate-key  error, since 0.1.0

    A mapping has the same key twice.

    Why is this bad?
    Only one of the two values counts, usually the last, and kubectl refuses the document when it
    validates strictly.

    Example
        apiVersion: v1
        kind: Service
        metadata:
          name: reviews
          name: ratings

    Fix
    Remove one of the two, or merge their values.
    -- stderr --
    "#);
}

#[test]
fn lists_the_rules_that_share_a_code() {
    let output = Project::new().run(["explain", "ist0106"]);
    assert!(
        output.stdout.contains("unknown-field") && output.stdout.contains("wrong-type"),
        "{output}"
    );
    assert!(!output.stdout.contains("duplicate-key"), "{output}");
}

#[test]
fn explains_a_kind_and_its_fields() {
    let run = |subject: &str| Project::new().run(["explain", subject]);
    let kind = run("VirtualServices");
    assert!(
        kind.stdout
            .starts_with("VirtualService  networking.istio.io/v1, "),
        "{kind}"
    );
    assert!(
        kind.stdout.contains("\nFields\n") && kind.stdout.contains(" list of HttpRoute "),
        "{kind}"
    );
    insta::assert_snapshot!(run("vs.http[0].match.uri"), @r#"
    status: 0
    -- stdout --
    VirtualService.spec.http.match.uri  StringMatch

    Condition on the path, without the query. Case counts unless `ignoreUriCase` is set.

    Constraints
      at most one of exact, prefix, regex may be set

    Fields
     exact   string  The whole text, compared with case
     prefix  string  How the text has to begin, compared with case
     regex   string  An RE2 expression that has to match the whole text, at most 1024 characters long
    -- stderr --
    "#);
    assert_eq!(
        run("vs.http.match.uri"),
        run("virtualservice.spec.http[0].match[1].uri")
    );
    let mode = run("dr.trafficPolicy.tls.mode");
    assert!(mode.stdout.contains(" ISTIO_MUTUAL  TLS with"), "{mode}");
    let port = run("se.ports.number");
    assert!(
        port.stdout.contains("integer  required") && port.stdout.contains("0 < self && self <= 65535"),
        "{port}"
    );
    let label = run("we.labels.app");
    assert!(
        label.stdout.starts_with("WorkloadEntry.spec.labels.*  string\n"),
        "{label}"
    );
    let settings = run("meshconfig.defaultConfig.concurrency");
    assert!(
        settings
            .stdout
            .starts_with("MeshConfig.defaultConfig.concurrency  integer\n"),
        "{settings}"
    );
    assert!(
        run("vs.metadata.labels")
            .stdout
            .starts_with("VirtualService.metadata.labels  map to string")
    );
    assert!(
        run("deployment")
            .stdout
            .contains("kubectl explain deployments --api-version=apps/v1")
    );
}

#[test]
fn a_field_is_data_too() {
    let field = Project::new()
        .run(["explain", "se.ports.number", "-o=json"])
        .json();
    assert_eq!(field["path"], "spec.ports.number");
    assert_eq!(field["required"], true);
    assert_eq!(field["type"], "integer");
}

#[test]
fn what_is_unknown_gets_a_suggestion() {
    for (subject, message, hint) in [
        (
            "unknown-feild",
            "no rule and no kind is named `unknown-feild`",
            "did you mean `unknown-field`?",
        ),
        (
            "virtualservise.spec",
            "no rule and no kind is named `virtualservise`",
            "did you mean `virtualservice`?",
        ),
        (
            "qqqqqqqqqq",
            "no rule and no kind is named `qqqqqqqqqq`",
            "`meshctl explain` lists all",
        ),
        (
            "vs.http.mach",
            "`VirtualService.spec.http` has no field `mach`",
            "did you mean `match`?",
        ),
        (
            "vs.hosts.x",
            "`VirtualService.spec.hosts` has no field `x`",
            "it is list of string, which has no fields",
        ),
        ("vs.http..a", "invalid field path", "write a path such as"),
        (
            "pod.spec",
            "the fields of Pod are not described here",
            "kubectl explain pod",
        ),
    ] {
        let output = Project::new().run(["explain", subject]);
        assert_eq!(output.status, Some(2), "{output}");
        assert!(
            output.stderr.starts_with(&format!("error: {message}")),
            "{output}"
        );
        assert!(
            output.stderr.contains(&format!("  hint: {hint}")) || output.stderr.contains(hint),
            "{output}"
        );
    }
}
