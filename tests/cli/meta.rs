//! The program about itself: help, version, completions, manual.

use std::collections::BTreeSet;

use crate::harness::Project;

const COMMANDS: [&str; 23] = [
    "analyze",
    "explain",
    "precheck",
    "inject",
    "uninject",
    "canary",
    "check-inject",
    "injector",
    "describe",
    "proxy-config",
    "proxy-status",
    "trace",
    "manifest",
    "profile",
    "install",
    "upgrade",
    "verify",
    "rollback",
    "uninstall",
    "tag",
    "operator",
    "completion",
    "version",
];

#[test]
fn every_command_has_examples_that_name_it() {
    for command in COMMANDS {
        let output = Project::new().run([command, "--help"]);
        assert_eq!(output.status, Some(0), "{output}");
        let (_, examples) = output.stdout.split_once("\nExamples:\n").expect("examples");
        assert!(examples.contains(&format!("meshctl {command}")), "{output}");
    }
}

#[test]
fn the_commands_above_are_all_there_are() {
    let output = Project::new().run(["--help"]);
    let (_, commands) = output.stdout.split_once("Commands:\n").expect("commands");
    let (commands, _) = commands.split_once("\n\n").expect("an end");
    let listed: BTreeSet<_> = commands
        .lines()
        // What is wrapped stands further in.
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(listed, COMMANDS.into_iter().collect());
}

#[test]
fn wrong_arguments_have_status_2() {
    for args in [
        &["analyse"][..],
        &["analyze", "--no-such"],
        &["analyze", ".", "-o", "xml"],
        &[],
    ] {
        let output = Project::new().run(args.iter().copied());
        assert_eq!(output.status, Some(2), "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
}

#[test]
fn version_says_what_it_is_for() {
    let project = Project::new();
    let document = project.run(["version", "--client", "-o", "json"]).json();
    assert_eq!(document["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["istio"], serde_json::json!(["1.29", "1.30", "1.31"]));
    let yaml = project.run(["version", "-o", "yaml"]).stdout;
    assert_eq!(
        serde_yaml::from_str::<serde_json::Value>(&yaml).expect("YAML"),
        document
    );
    let short = project.run(["version", "-o", "short"]).stdout;
    assert_eq!(short, concat!(env!("CARGO_PKG_VERSION"), "\n"));
    let text = project.run(["version"]).stdout;
    assert!(
        text.starts_with(&format!("meshctl {}\n", env!("CARGO_PKG_VERSION"))),
        "{text}"
    );
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = Project::new().run(["completion", shell]);
        assert_eq!(output.status, Some(0), "{output}");
        for word in ["analyze", "explain", "fail-on"] {
            assert!(output.stdout.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn there_is_a_manual_page_and_a_section_for_every_command() {
    let project = Project::new();
    let output = project.run(["util", "man-pages", "--dir", "man"]);
    assert_eq!(output.status, Some(0), "{output}");
    let pages = fs_err::read_dir(project.path().join("man")).expect("a folder");
    let pages: BTreeSet<_> = pages
        .map(|page| page.expect("a page").file_name().to_string_lossy().into_owned())
        // Commands below another one have pages too.
        .filter(|page| {
            !COMMANDS
                .iter()
                .any(|command| page.starts_with(&format!("meshctl-{command}-")))
        })
        .collect();
    let mut expected: BTreeSet<_> = COMMANDS
        .iter()
        .map(|command| format!("meshctl-{command}.1"))
        .collect();
    expected.insert("meshctl.1".to_owned());
    assert_eq!(pages, expected);
    let reference = project.run(["util", "markdown-help"]).stdout;
    assert!(
        reference.starts_with("# Command line\n\n## meshctl\n"),
        "{reference}"
    );
    for command in COMMANDS {
        assert!(
            reference.contains(&format!("\n## meshctl {command}\n")),
            "{command}"
        );
    }
}

#[test]
fn every_file_of_these_tests_is_a_module() {
    let main = fs_err::read_to_string("tests/cli/main.rs").expect("main.rs");
    for file in fs_err::read_dir("tests/cli").expect("a folder") {
        let path = file.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if let Some(module) = name.strip_suffix(".rs") {
            assert!(
                module == "main" || main.contains(&format!("mod {module};")),
                "{name} is not in main.rs"
            );
        }
    }
}
