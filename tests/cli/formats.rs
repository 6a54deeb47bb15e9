//! Every form of the output: what is in it, that it is valid, and that the exit status does not depend on it.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::harness::{CLEAN, MISSPELT, Project};

const FORMATS: [&str; 6] = ["text", "json", "yaml", "sarif", "junit", "github"];

/// Findings of several sorts: in resources, in files that are not YAML, in files that are not there, with related
/// places, and in mesh-wide settings.
fn messy() -> Project {
    Project::new()
        .file("a b.yaml", MISSPELT)
        .file("twice.yaml", format!("{CLEAN}---\n{CLEAN}"))
        .file(
            "broken.yaml",
            "kind: [\n---\nkind: {a: 1, a: 2}\napiVersion: \"%ü\"\n",
        )
        .file("mesh.yaml", "enableTracings: true\n")
        .file("chart/templates/x.yaml", "a: {{ .Values.a }}\n")
}

const MESSY: [&str; 4] = ["analyze", ".", "--mesh-config=mesh.yaml", "-o"];

fn in_format<'a>(args: &[&'a str], format: &'a str) -> Vec<&'a str> {
    args.iter().copied().chain([format]).collect()
}

#[test]
fn text_shows_the_place() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    insta::assert_snapshot!(project.run(["analyze", "mesh.yaml", "--select=unknown-field"]), @r#"
    status: 1
    -- stdout --
    error[unknown-field] (IST0106): unknown field `timeOut`
        ,-[mesh.yaml:9:5]
      8 |   http:
      9 |   - timeOut: 3s
        :     ^^^^^^^
     10 |     route:
        `----
      help: did you mean `timeout`?

    -- stderr --
    1 error in 1 file (1 resource)
    "#);
}

#[test]
fn text_draws_lines_where_the_locale_has_them() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    let mut command = project.command(["analyze", "mesh.yaml", "--select=unknown-field"]);
    insta::assert_snapshot!(project.output(command.env("LANG", "en_US.UTF-8")), @r#"
    status: 1
    -- stdout --
    error[unknown-field] (IST0106): unknown field `timeOut`
        ╭─[mesh.yaml:9:5]
      8 │   http:
      9 │   - timeOut: 3s
        ·     ───────
     10 │     route:
        ╰────
      help: did you mean `timeout`?

    -- stderr --
    1 error in 1 file (1 resource)
    "#);
}

#[test]
fn json_holds_all_that_is_known() {
    let project = Project::new().file("mesh.yaml", MISSPELT);
    let output = project.run([
        "analyze",
        "mesh.yaml",
        "-q",
        "-o",
        "json",
        "--select=unknown-field",
    ]);
    insta::assert_snapshot!(output, @r#"
    status: 1
    -- stdout --
    {
      "version": 1,
      "findings": [
        {
          "rule": "unknown-field",
          "aliases": [
            "IST0106"
          ],
          "severity": "error",
          "message": "unknown field `timeOut`",
          "resource": {
            "kind": "VirtualService",
            "namespace": "shop",
            "name": "reviews"
          },
          "file": "mesh.yaml",
          "line": 9,
          "column": 5,
          "endLine": 9,
          "endColumn": 12,
          "path": "spec.http[0].timeOut",
          "help": "did you mean `timeout`?",
          "related": [],
          "fixable": true
        }
      ],
      "skipped": [],
      "summary": {
        "errors": 1,
        "warnings": 0,
        "infos": 0,
        "suppressed": 0,
        "cluster": null,
        "files": 1,
        "resources": 1,
        "notKubernetes": 0,
        "otherKinds": {},
        "helmTemplates": []
      }
    }
    -- stderr --
    "#);
}

#[test]
fn json_obeys_its_schema_whatever_is_found() {
    let schema = fs_err::read_to_string("schemas/analyze-output.schema.json").expect("schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let project = messy();
    for args in [
        &in_format(&MESSY, "json")[..],
        &["analyze", "no.yaml", "-o", "json"],
    ] {
        let output = project.run(args.iter().copied());
        let document = output.json();
        let errors: Vec<_> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{output}");
        assert!(!document["findings"].as_array().expect("a list").is_empty());
    }
}

#[test]
fn the_schema_refuses_what_is_not_the_output() {
    let schema = fs_err::read_to_string("schemas/analyze-output.schema.json").expect("schema");
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let document = messy().run(in_format(&MESSY, "json")).json();
    for pointer in [
        "/version",
        "/findings/0/severity",
        "/findings/0/line",
        "/summary/errors",
        "/skipped",
    ] {
        let mut changed = document.clone();
        *changed
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer} is there")) = "x".into();
        assert!(!validator.is_valid(&changed), "{pointer}");
    }
}

#[test]
fn yaml_is_the_same_document() {
    let project = messy();
    let json = project.run(in_format(&MESSY, "json")).json();
    let yaml = project.run(in_format(&MESSY, "yaml"));
    let yaml: Value = serde_yaml::from_str(&yaml.stdout).expect("YAML");
    assert_eq!(json, yaml);
}

#[test]
fn sarif_is_valid() {
    let mut schema: Value = serde_json::from_str(&sarif_schema()).expect("JSON");
    // Its stray bracket is literal to ECMAScript, but an error to the validator. We write no languages.
    for definition in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][definition]["properties"]["language"];
        language.as_object_mut().expect("a property").remove("pattern");
    }
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let project = messy();
    for args in [
        in_format(&MESSY, "sarif"),
        vec!["analyze", "no.yaml", "-o", "sarif"],
    ] {
        let output = project.run(args);
        let log = output.json();
        let errors: Vec<_> = validator
            .iter_errors(&log)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}\n{output}");
    }
}

/// The schema as a crate of the registry ships it.
fn sarif_schema() -> String {
    let run = |program: OsString, args: &[&str]| {
        let output = Command::new(program)
            .args(args)
            .output()
            .expect("the tool chain runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let tool = |variable, name: &str| std::env::var_os(variable).unwrap_or_else(|| name.into());
    let compiler = run(tool("RUSTC", "rustc"), &["-vV"]);
    let host = compiler
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host");
    // Without the filter, crates for other platforms would have to be there too.
    let args = [
        "metadata",
        "--format-version=1",
        "--locked",
        "--filter-platform",
        host,
    ];
    let metadata: Value =
        serde_json::from_str(&run(tool("CARGO", "cargo"), &args)).expect("metadata is JSON");
    let package = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .find(|package| package["name"] == "serde-sarif")
        .expect("a development dependency");
    let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
    fs_err::read_to_string(manifest.with_file_name("src").join("schema.json")).expect("the schema")
}

#[test]
fn sarif_says_what_code_scanning_needs() {
    let project = Project::new().file("a b.yaml", MISSPELT);
    let log = project
        .run(["analyze", "a b.yaml", "-o", "sarif", "--select=unknown-field"])
        .json();
    let run = &log["runs"][0];
    let result = &run["results"][0];
    let location = &result["locations"][0];
    assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "unknown-field");
    assert_eq!(result["ruleId"], "unknown-field");
    assert_eq!(result["ruleIndex"], 0);
    assert_eq!(result["level"], "error");
    let file = &location["physicalLocation"]["artifactLocation"];
    assert_eq!(
        (&file["uri"], &file["uriBaseId"]),
        (&"a%20b.yaml".into(), &"%SRCROOT%".into())
    );
    let region = &location["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"], &region["endColumn"]),
        (&9.into(), &5.into(), &12.into())
    );
    let resource = &location["logicalLocations"][0]["fullyQualifiedName"];
    assert_eq!(resource, "VirtualService/shop/reviews/spec.http[0].timeOut");
}

#[test]
fn fingerprints_stay_when_lines_move() {
    let fingerprints = |text: &str| -> Vec<Value> {
        let project = Project::new().file("mesh.yaml", text);
        let log = project.run(["analyze", "mesh.yaml", "-o", "sarif"]).json();
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        results
            .into_iter()
            .map(|result| result["partialFingerprints"].clone())
            .collect()
    };
    let before = fingerprints(MISSPELT);
    let after = fingerprints(&format!("# moved\n\n{MISSPELT}"));
    assert!(!before.is_empty());
    assert_eq!(before, after);
    assert_ne!(before, fingerprints(&MISSPELT.replace("reviews", "ratings")));
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_failure_for_each_finding() {
    let project = messy();
    let json = project.run(in_format(&MESSY, "json")).json();
    let xml = project.run(in_format(&MESSY, "junit")).stdout;
    let report = quick_junit::Report::deserialize_from_str(&xml).expect("JUnit XML");
    let findings = json["findings"].as_array().expect("a list");
    assert_eq!(report.tests, findings.len());
    assert_eq!(report.failures, findings.len());
    let mut files: Vec<_> = findings
        .iter()
        .map(|finding| finding["file"].as_str().expect("a file"))
        .collect();
    files.sort_unstable();
    files.dedup();
    let suites: Vec<_> = report
        .test_suites
        .iter()
        .map(|suite| suite.name.as_str().to_owned())
        .collect();
    assert_eq!(suites, files);
    assert!(
        xml.contains("a b.yaml:9:5: unknown field `timeOut`\nhelp: did you mean `timeout`?"),
        "{xml}"
    );
}

#[test]
fn junit_of_a_clean_mesh_has_one_test_that_passes() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    let xml = project.run(["analyze", "mesh.yaml", "-o", "junit"]).stdout;
    let report = quick_junit::Report::deserialize_from_str(&xml).expect("JUnit XML");
    assert_eq!((report.tests, report.failures, report.errors), (1, 0, 0));
}

#[test]
fn github_gets_one_command_a_finding() {
    let project = Project::new().file("a,b.yaml", MISSPELT);
    let output = project.run([
        "analyze",
        "a,b.yaml",
        "-q",
        "-o",
        "github",
        "--select=unknown-field",
    ]);
    insta::assert_snapshot!(output, @r#"
    status: 1
    -- stdout --
    ::error file=a%2Cb.yaml,line=9,endLine=9,col=5,endColumn=11,title=unknown-field (IST0106)::unknown field `timeOut`%0Ahelp: did you mean `timeout`?
    -- stderr --
    "#);
}

#[test]
fn the_status_is_the_same_in_every_format() {
    let project = messy().file("clean.yaml", CLEAN);
    for (args, status) in [
        (&["analyze", "clean.yaml", "-o"][..], 0),
        (&MESSY, 1),
        (&["analyze", ".", "--fail-on=never", "-o"], 0),
        (&["analyze", ".", "no.yaml", "-o"], 2),
    ] {
        for format in FORMATS {
            let output = project.run(in_format(args, format));
            assert_eq!(output.status, Some(status), "{args:?} {format}\n{output}");
        }
    }
}

#[test]
fn a_clean_mesh_is_valid_output_in_every_format() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    let run = |format| project.run(["analyze", "mesh.yaml", "-o", format]);
    assert_eq!(run("text").stdout, "");
    assert_eq!(run("github").stdout, "");
    assert_eq!(run("json").json()["findings"], Value::Array(Vec::new()));
    assert_eq!(
        run("sarif").json()["runs"][0]["results"],
        Value::Array(Vec::new())
    );
}
