//! `meshctl.toml`: where it is found, what it does, and what is said when it is wrong.

use crate::harness::{CLEAN, MISSPELT, Project};

#[test]
fn the_file_is_found_upwards_and_arguments_win() {
    let project = Project::new()
        .file(
            "meshctl.toml",
            "[analyze]\nignore = [\"unknown-field\", \"IST0101\"]\nnamespace = \"shop\"\n",
        )
        .file("deploy/prod/mesh.yaml", MISSPELT);
    let run = |args: &[&str]| {
        let mut command = project.command(["analyze", "."].into_iter().chain(args.iter().copied()));
        project.output(command.current_dir(project.path().join("deploy/prod")))
    };
    assert_eq!(run(&[]).status, Some(0), "{}", run(&[]));
    assert_eq!(run(&["--no-config"]).status, Some(1));
    assert_eq!(run(&["--ignore=duplicate-key"]).status, Some(1));
}

#[test]
fn the_nearest_file_counts_alone() {
    let project = Project::new()
        .file(
            "meshctl.toml",
            "[analyze]\nignore = [\"unknown-field\", \"IST0101\"]\n",
        )
        .file("deploy/meshctl.toml", "")
        .file("deploy/mesh.yaml", MISSPELT);
    let mut command = project.command(["analyze", "."]);
    let output = project.output(command.current_dir(project.path().join("deploy")));
    assert_eq!(output.status, Some(1), "{output}");
}

#[test]
fn every_key_is_understood() {
    let project = Project::new()
        .file(
            "settings/my.toml",
            r#"
            [analyze]
            select = ["unknown-field", "unused-suppression"]
            ignore = ["duplicate-key"]
            fail-on = "warning"
            namespace = "shop"
            mesh-config = "mesh.yaml"
            mesh-networks = "networks.yaml"
            istio-namespace = "mesh"
            cluster-domain = "example.org"
            exclude = ["vendor/"]

            [analyze.severity]
            unknown-field = "warning"
            "#,
        )
        .file("settings/mesh.yaml", "enableTracings: true\n")
        .file("settings/networks.yaml", "network: {}\n")
        .file("settings/vendor/other.yaml", MISSPELT)
        .file("settings/own.yaml", CLEAN);
    let output = project.run(["analyze", "settings", "--config=settings/my.toml", "-o=json"]);
    assert_eq!(output.status, Some(1), "{output}");
    let document = output.json();
    let findings = document["findings"].as_array().expect("a list");
    let facts: Vec<_> = findings
        .iter()
        .map(|finding| format!("{} {}", finding["file"], finding["severity"]))
        .collect();
    assert_eq!(
        facts,
        [
            r#""settings/mesh.yaml" "warning""#,
            r#""settings/networks.yaml" "warning""#
        ],
        "{output}"
    );
}

#[test]
fn excluded_files_are_read_if_they_are_named() {
    let project = Project::new()
        .file(
            "meshctl.toml",
            "[analyze]\nexclude = [\"*.gen.yaml\", \"/vendor\", \"!keep.gen.yaml\"]\n",
        )
        .file("a.gen.yaml", MISSPELT)
        .file("vendor/b.yaml", MISSPELT)
        .file("deploy/vendor/c.yaml", CLEAN)
        .file("keep.gen.yaml", CLEAN);
    let files = |args: &[&str]| {
        let output = project.run(["analyze", "-o=json"].into_iter().chain(args.iter().copied()));
        output.json()["summary"]["files"].clone()
    };
    assert_eq!(files(&["."]), 2);
    assert_eq!(files(&["deploy/.."]), 2);
    assert_eq!(files(&["a.gen.yaml"]), 1);
    assert_eq!(files(&["vendor"]), 1);
    assert_eq!(files(&[".", "--no-config"]), 4);
}

#[test]
fn a_rule_can_be_switched_off_by_its_severity() {
    let project = Project::new()
        .file(
            "meshctl.toml",
            "[analyze.severity]\nunknown-field = \"off\"\nunknown-host = \"info\"\n",
        )
        .file("mesh.yaml", MISSPELT);
    let output = project.run(["analyze", "mesh.yaml", "-o=json"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(!output.stdout.contains("unknown-field"), "{output}");
}

#[test]
fn a_misspelt_key_is_shown_in_its_place() {
    let project = Project::new()
        .file("meshctl.toml", "[analyze]\n# Rules.\nselct = []\n")
        .file("mesh.yaml", CLEAN);
    insta::assert_snapshot!(project.run(["analyze", "mesh.yaml"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: unknown key `selct`
       ,-[meshctl.toml:3:1]
     2 | # Rules.
     3 | selct = []
       : ^^^^^
       `----
      hint: did you mean `select`?
    "#);
}

#[test]
fn every_mistake_has_a_place_and_a_message() {
    for (text, place, message, hint) in [
        (
            "analyze = 1",
            "1:11",
            "`analyze` must be a table, found integer",
            "",
        ),
        (
            "[analyse]",
            "1:2",
            "unknown key `analyse`",
            "did you mean `analyze`?",
        ),
        (
            "[analyze]\nx-y-z = 1",
            "2:1",
            "unknown key `x-y-z`",
            "keys here are select, ",
        ),
        (
            "[analyze]\nselect = \"a\"",
            "2:10",
            "`select` must be a list of strings, found string",
            "",
        ),
        (
            "[analyze]\nselect = [1]",
            "2:11",
            "`select` must be a list of strings, found integer",
            "",
        ),
        (
            "[analyze]\nselect = [\"a\", \"unknown-hots\"]",
            "2:11",
            "no rule is named `a`",
            "`meshctl explain` lists",
        ),
        (
            "[analyze]\nignore = [\"unknown-feild\"]",
            "2:11",
            "no rule is named",
            "did you mean `unknown-field`?",
        ),
        (
            "[analyze]\nfail-on = \"warn\"",
            "2:11",
            "`warn` is not a value",
            "valid values are never, error, warning, info",
        ),
        (
            "[analyze]\nnamespace = 1",
            "2:13",
            "`namespace` must be a string, found integer",
            "",
        ),
        (
            "[analyze]\nexclude = [\"ok\", \"{a\"]",
            "2:18",
            "invalid pattern: ",
            "",
        ),
        (
            "[analyze.severity]\nunknown-feild = \"off\"",
            "2:1",
            "no rule is named",
            "did you mean `unknown-field`?",
        ),
        (
            "[analyze.severity]\nunknown-field = \"bad\"",
            "2:17",
            "`bad` is not a severity",
            "error, warning, info, off",
        ),
        ("[analyze\n", "1:9", "invalid TOML: ", ""),
        ("a = 1\na = 2\n", "2:1", "invalid TOML: ", ""),
    ] {
        let project = Project::new().file("meshctl.toml", text).file("mesh.yaml", CLEAN);
        let output = project.run(["analyze", "mesh.yaml"]);
        assert_eq!(output.status, Some(2), "{text}\n{output}");
        assert!(
            output.stderr.starts_with(&format!("error: {message}")),
            "{text}\n{output}"
        );
        assert!(
            output.stderr.contains(&format!("[meshctl.toml:{place}]")),
            "{text}\n{output}"
        );
        assert!(output.stderr.contains(hint), "{text}\n{output}");
        assert_eq!(output.stdout, "", "{text}");
    }
}

#[test]
fn a_settings_file_that_is_named_must_be_there() {
    let project = Project::new().file("mesh.yaml", CLEAN);
    let output = project.run(["analyze", "mesh.yaml", "--config=no.toml"]);
    assert_eq!(output.status, Some(2));
    assert_eq!(
        output.stderr,
        "error: cannot read `no.toml`: no such file or folder\n"
    );
}

#[test]
fn the_documented_file_works() {
    let documentation = fs_err::read_to_string("docs/configuration.md").expect("documentation");
    let example = documentation.split("```toml\n").nth(1).expect("an example");
    let project = Project::new()
        .file("meshctl.toml", example.split("```").next().expect("an end"))
        .file("mesh.yaml", "enableTracing: true\n")
        .file("nets.yaml", "networks: {}\n")
        .file("deploy/mesh.yaml", CLEAN);
    let output = project.run(["analyze", "deploy", "--fail-on=never"]);
    assert_eq!(output.status, Some(0), "{output}");
}
