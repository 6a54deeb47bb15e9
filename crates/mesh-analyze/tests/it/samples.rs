//! The sample mesh has no findings; each broken example has exactly the one that it was made for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use mesh_analyze::{RULES, RuleSet, analyze};
use mesh_core::source::LoadOptions;
use mesh_core::source::files::{Input, load};
use mesh_core::{MeshBuilder, Settings};

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

/// Rule and message of every finding on the sample mesh together with `more`.
fn findings(more: Option<&Path>) -> Vec<(&'static str, String)> {
    let mut inputs = vec![Input::Path(testdata().join("shop"))];
    inputs.extend(more.map(|path| Input::Path(path.to_owned())));
    let mut builder = MeshBuilder::new(Settings::default());
    load(&mut builder, inputs, &LoadOptions::default(), || {});
    let report = analyze(&builder.build(), &RuleSet::default());
    report
        .findings
        .into_iter()
        .map(|finding| (finding.rule.name, finding.message))
        .collect()
}

#[test]
fn the_sample_mesh_has_no_findings() {
    assert_eq!(findings(None), []);
}

/// Rules that no YAML beside the sample mesh can break.
const WITHOUT_EXAMPLE: [&str; 2] = ["unreadable-file", "unreadable-kind"];

#[test]
fn each_broken_example_has_exactly_its_finding() {
    let mut wrong = Vec::new();
    let mut missing: BTreeSet<_> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    for entry in fs_err::read_dir(testdata().join("broken")).expect("broken examples") {
        let path = entry.expect("entry").path();
        let rule = path.file_stem().expect("stem").to_string_lossy().into_owned();
        let found = findings(Some(&path));
        if found.len() != 1 || found[0].0 != rule {
            wrong.push(format!("{rule}: {found:?}"));
        }
        if !missing.remove(&rule) {
            wrong.push(format!("{} is not named after a rule", path.display()));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        missing.iter().eq(WITHOUT_EXAMPLE),
        "rules and those without a broken example: {missing:?}"
    );
}
