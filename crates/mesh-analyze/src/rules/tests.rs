//! The table is sound, complete, and its documentation is true.

use std::collections::BTreeSet;
use std::path::Path;

use super::RULES;
use crate::testing::mesh;
use crate::{Report, Rule, RuleSet, analyze};

fn run(text: &str) -> Report {
    analyze(&mesh(text), &RuleSet::default())
}

/// The YAML blocks under `## Example` of a rule's documentation.
fn examples(rule: &Rule) -> Vec<String> {
    let documentation = rule.documentation();
    let section = documentation.split("## Example").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    section
        .split("```yaml\n")
        .skip(1)
        .filter_map(|block| Some(block.split("```").next()?.to_owned()))
        .collect()
}

#[test]
fn the_table_is_sorted_and_names_are_unique() {
    let names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
    let sorted: BTreeSet<_> = names.iter().copied().collect();
    assert_eq!(names, sorted.into_iter().collect::<Vec<_>>());
}

#[test]
fn names_are_kebab_case_and_aliases_are_codes() {
    for rule in RULES {
        assert!(
            rule.name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
            "{}",
            rule.name
        );
        for alias in rule.aliases {
            let digits = alias.trim_start_matches("IST").trim_start_matches("KIA");
            assert!(
                digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()),
                "{alias}"
            );
        }
    }
}

#[test]
fn documentation_has_its_headings() {
    for rule in RULES {
        let documentation = rule.documentation();
        for heading in ["## Why is this bad?", "## Example", "## Fix"] {
            assert!(documentation.contains(heading), "{} lacks {heading}", rule.name);
        }
        assert!(rule.summary().ends_with('.'), "{}", rule.name);
    }
}

#[test]
fn every_file_is_in_the_table() {
    fn visit(folder: &Path, files: &mut BTreeSet<String>) {
        for entry in fs_err::read_dir(folder)
            .expect("rules folder")
            .map(|entry| entry.expect("entry"))
        {
            let path = entry.path();
            if path.is_dir() {
                visit(&path, files);
            } else if fs_err::read_to_string(&path)
                .expect("source")
                .contains("\ndeclare_rule! {")
            {
                let stem = path
                    .file_stem()
                    .expect("stem")
                    .to_string_lossy()
                    .replace('_', "-");
                files.insert(stem);
            }
        }
    }
    let mut files = BTreeSet::new();
    visit(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules"),
        &mut files,
    );
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    assert_eq!(
        files, names,
        "files under rules/ and names in the table must agree"
    );
}

#[test]
fn every_example_fires_its_own_rule() {
    for rule in RULES.iter().filter(|rule| !rule.name.starts_with("unreadable-")) {
        let examples = examples(rule);
        assert!(!examples.is_empty(), "{} has no YAML example", rule.name);
        let fired = examples
            .iter()
            .any(|text| run(text).findings.iter().any(|finding| finding.rule == *rule));
        assert!(
            fired,
            "no example of {} fires it: {:?}",
            rule.name,
            run(&examples[0]).findings
        );
    }
}

#[test]
fn every_finding_has_a_message_and_a_place() {
    for rule in RULES {
        for finding in examples(rule).iter().flat_map(|text| run(text).findings) {
            assert!(
                !finding.message.is_empty() && !finding.message.ends_with('.'),
                "{finding:?}"
            );
            assert!(finding.primary.locate().is_some(), "{finding:?}");
        }
    }
}
