//! Everything that is generated from the code, and the check that it is up to date.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use mesh_analyze::RULES;
use mesh_core::istio::{mesh_config::MeshConfig, mesh_networks::MeshNetworks};
use mesh_core::kind::Kind;
use mesh_core::schema::{Message, export};
use mesh_install::precheck::{CHECKS, Category};
use mesh_install::version::{RELEASES, Source};

use crate::bench::target_dir;

#[derive(Args)]
pub(crate) struct GenerateArgs {
    /// Change nothing; fail if a file is out of date
    #[arg(long)]
    check: bool,

    /// Ask this program for its command line, rather than one that is built now
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Generated files by path from the root of the repository.
type Files = BTreeMap<PathBuf, String>;

pub(crate) fn generate(args: &GenerateArgs) -> Result<(), Box<dyn Error>> {
    let mut files = Files::new();
    schemas(&mut files)?;
    files.insert("docs/rules.md".into(), rules());
    files.insert("docs/precheck.md".into(), checks());
    from_program(args.program.as_deref(), &mut files)?;
    if args.check { check(&files) } else { write(&files) }
}

/// The folders that hold generated files only.
const FOLDERS: [&str; 4] = ["schemas/crds", "schemas/json", "completions", "docs/man"];

fn write(files: &Files) -> Result<(), Box<dyn Error>> {
    for folder in FOLDERS {
        if Path::new(folder).exists() {
            fs_err::remove_dir_all(folder)?;
        }
    }
    for (path, text) in files {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(path, text)?;
    }
    Ok(())
}

fn check(files: &Files) -> Result<(), Box<dyn Error>> {
    let mut stale: Vec<_> = files
        .iter()
        .filter(|(path, text)| fs_err::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    for folder in FOLDERS.iter().filter(|folder| Path::new(folder).exists()) {
        for entry in fs_err::read_dir(folder)? {
            let path = entry?.path();
            if !files.contains_key(&path) {
                stale.push(format!("{} (not generated)", path.display()));
            }
        }
    }
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("out of date: {}; run `cargo xtask generate`", stale.join(", ")).into())
}

fn schemas(files: &mut Files) -> Result<(), Box<dyn Error>> {
    for crd in export::crds()
        .into_iter()
        .chain([mesh_install::spec::definition()])
    {
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        files.insert(
            format!("schemas/crds/{name}.yaml").into(),
            serde_yaml::to_string(&crd)?,
        );
    }
    let mut json = |name: String, schema: &serde_json::Value| -> Result<(), Box<dyn Error>> {
        let text = serde_json::to_string_pretty(schema)? + "\n";
        files.insert(format!("schemas/json/{name}.schema.json").into(), text);
        Ok(())
    };
    json("meshcontrolplane".to_owned(), &mesh_install::spec::json_schema())?;
    for kind in Kind::ALL {
        if let Some(schema) = export::json_schema(*kind) {
            json(kind.info().name.to_lowercase(), &schema)?;
        }
    }
    json("canary".to_owned(), &mesh_canary::schema::plan())?;
    json(
        "meshconfig".to_owned(),
        &export::json_schema_of(MeshConfig::schema()),
    )?;
    json(
        "meshnetworks".to_owned(),
        &export::json_schema_of(MeshNetworks::schema()),
    )?;
    Ok(())
}

/// The reference of all rules.
fn rules() -> String {
    let mut text = String::from(
        "# Rules\n\nEvery finding of `meshctl analyze` names its rule. `meshctl explain RULE` prints the same text.\n\n\
         | rule | severity | also known as | what it finds |\n|---|---|---|---|\n",
    );
    for rule in RULES {
        let aliases = rule.aliases.join(", ");
        let summary = rule.summary().replace('|', "\\|");
        writeln!(
            text,
            "| [{0}](#{0}) | {1} | {aliases} | {summary} |",
            rule.name, rule.severity
        )
        .expect("writing to a string cannot fail");
    }
    for rule in RULES {
        let documentation = rule.documentation().replace("\n## ", "\n### ");
        let aliases = if rule.aliases.is_empty() {
            String::new()
        } else {
            format!(" Also known as {}.", rule.aliases.join(", "))
        };
        write!(
            text,
            "\n## {}\n\nSeverity: {}. Since {}.{aliases}\n\n{documentation}\n",
            rule.name, rule.severity, rule.since
        )
        .expect("writing to a string cannot fail");
    }
    text
}

/// The reference of the checks of `precheck`; what is not in the table of checks stands in `precheck.md` beside this.
fn checks() -> String {
    let mut text = include_str!("precheck.md").to_owned();
    text.push_str(
        "\n## Versions\n\n| Istio | oldest Kubernetes | newest Kubernetes | |\n|---|---|---|---|\n",
    );
    for release in RELEASES {
        let note = match release.source {
            Source::Published => "",
            Source::Extrapolated => "not published yet; of its development branch",
        };
        let (oldest, newest) = (release.oldest_kubernetes, release.newest_kubernetes);
        writeln!(text, "| {release} | {oldest} | {newest} | {note} |")
            .expect("writing to a string cannot fail");
    }
    text.push_str("\n## Checks\n");
    for category in Category::ALL {
        write!(
            text,
            "\n### {} (`{}`)\n\n| check | looks at | can pass by waiting |\n|---|---|---|\n",
            category.title(),
            category.name()
        )
        .expect("writing to a string cannot fail");
        for check in CHECKS.iter().filter(|check| check.category == category) {
            let waits = if check.can_pass { "yes" } else { "" };
            let docs = check.docs.replace('|', "\\|");
            writeln!(text, "| `{}` | {docs} | {waits} |", check.name)
                .expect("writing to a string cannot fail");
        }
    }
    text
}

fn built() -> Result<PathBuf, Box<dyn Error>> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--bin", "meshctl"])
        .status()?;
    if !status.success() {
        return Err("the program does not build".into());
    }
    Ok(target_dir().join("debug/meshctl"))
}

/// What only the program itself knows: its command line.
fn from_program(program: Option<&Path>, files: &mut Files) -> Result<(), Box<dyn Error>> {
    let program = match program {
        Some(program) => program.to_owned(),
        None => built()?,
    };
    let run = |args: &[&str]| -> Result<String, Box<dyn Error>> {
        let output = Command::new(&program).args(args).env("COLUMNS", "100").output()?;
        if !output.status.success() {
            return Err(format!(
                "meshctl {} failed: {}",
                args.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )
            .into());
        }
        Ok(String::from_utf8(output.stdout)?)
    };
    for (shell, file) in [
        ("bash", "meshctl.bash"),
        ("zsh", "_meshctl"),
        ("fish", "meshctl.fish"),
        ("powershell", "_meshctl.ps1"),
        ("elvish", "meshctl.elv"),
    ] {
        files.insert(Path::new("completions").join(file), run(&["completion", shell])?);
    }
    files.insert("docs/cli.md".into(), run(&["util", "markdown-help"])?);
    let folder = target_dir().join("man-pages");
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    run(&["util", "man-pages", "--dir", &folder.to_string_lossy()])?;
    for entry in fs_err::read_dir(&folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_name() {
            files.insert(Path::new("docs/man").join(name), fs_err::read_to_string(&path)?);
        }
    }
    Ok(())
}
