//! `meshctl verify`: is what was installed still there as it was?

use std::io::{self, Write};

use clap::Args;
use mesh_install::engine::{Drift, Verdict};
use mesh_install::inventory::DEFAULT_REVISION;
use mesh_install::state::{EntryFacts, Phase, State};
use serde::Serialize;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::run::{options, state_of, states};
use crate::installer::{MESH, error, session};
use crate::ui::document::{self, Format, FormatArgs};
use crate::ui::{Look, Printer, Tone, counted};

/// Compare the cluster with what was installed
///
/// Finds objects that are missing, fields that somebody has changed (and who), workloads that do not run, and objects
/// that an installation left behind. What istiod and autoscalers write at run time does not count.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// Revision to compare [default: all of them]
    #[arg(long, short, value_name = "NAME")]
    revision: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = MESH)]
    istio_namespace: String,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  Has anybody changed the mesh by hand?
    meshctl verify

  In a pipeline
    meshctl verify -o json | jq '.revisions[].drifts[].name'

  Put everything back as it was installed, by the number of the installation
    meshctl rollback --list
    meshctl rollback 3 --force-conflicts

Exit status:
  0  everything is as it was installed
  1  something differs
  2  nothing could be compared";

/// What was found, for programs.
#[derive(Serialize)]
struct Document<'a> {
    mesh: &'a str,
    revisions: Vec<Revision<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revision<'a> {
    #[serde(rename = "revision")]
    name: &'a str,
    phase: Phase,
    installed: Option<&'a EntryFacts>,
    objects: usize,
    drifts: Vec<DriftDocument>,
}

#[derive(Serialize)]
struct DriftDocument {
    #[serde(flatten)]
    object: mesh_install::object::ObjectRef,
    #[serde(flatten)]
    verdict: Verdict,
}

/// Runs the command.
pub(crate) fn verify(printer: &mut Printer, args: VerifyArgs) -> Result<Exit, CommandError> {
    let VerifyArgs {
        revision,
        istio_namespace: mesh,
        output,
        cluster,
    } = args;
    let (states, found) = cluster.run(async |connected| {
        let (session, _events) = session(connected, &mesh);
        let states = states(&session, &cluster).await?;
        match &revision {
            Some(revision) => drop(state_of(&states, revision, &mesh)?),
            None if states.is_empty() => drop(state_of(&states, DEFAULT_REVISION, &mesh)?),
            None => {}
        }
        let mut found = Vec::new();
        for state in &states {
            if revision.as_ref().is_none_or(|wanted| *wanted == state.revision) {
                let drifts = session.verify(&states, &state.revision).await.map_err(error)?;
                found.push((state.revision.clone(), drifts));
            }
        }
        Ok((states, found))
    })?;
    let revisions: Vec<Revision<'_>> = found
        .into_iter()
        .filter_map(|(revision, drifts)| {
            let state = states.iter().find(|state| state.revision == revision)?;
            Some(describe(state, drifts))
        })
        .collect();
    let is_clean = revisions
        .iter()
        .all(|revision| revision.drifts.is_empty() && revision.phase == Phase::Installed);
    let document = Document {
        mesh: &mesh,
        revisions,
    };
    let look = printer.look();
    let out = printer.stdout();
    document::write(out, output.format, &document, |out| text(out, look, &document))?;
    Ok(if is_clean { Exit::Clean } else { Exit::Findings })
}

fn describe(state: &State, drifts: Vec<Drift>) -> Revision<'_> {
    Revision {
        name: &state.revision,
        phase: state.phase,
        installed: state.current().map(|entry| &entry.facts),
        objects: state.inventory.len(),
        drifts: drifts
            .into_iter()
            .map(|Drift { object, verdict }| DriftDocument { object, verdict })
            .collect(),
    }
}

fn text(out: &mut impl Write, look: Look, document: &Document<'_>) -> io::Result<()> {
    for revision in &document.revisions {
        let version = revision
            .installed
            .and_then(|facts| facts.version.as_deref())
            .map_or_else(String::new, |version| format!(" ({version})"));
        let head = format!("revision {}{version} in {}", revision.name, document.mesh);
        writeln!(out, "{}", look.paint(Tone::Strong, head))?;
        let options = options(revision.name, document.mesh);
        match (revision.phase, revision.installed) {
            (Phase::Installed, _) => {}
            (Phase::Installing, before) => writeln!(
                out,
                "  its installation was not completed: the same command goes on, `meshctl {}{options}` {}",
                before.map_or_else(
                    || "uninstall".to_owned(),
                    |facts| format!("rollback {}", facts.number)
                ),
                before.map_or("removes it", |_| "goes back")
            )?,
            (Phase::Removing, _) => writeln!(
                out,
                "  its removal was not completed: `meshctl uninstall{options}` goes on"
            )?,
        }
        if revision.drifts.is_empty() && revision.phase == Phase::Installed {
            writeln!(out, "  {} as installed", counted(revision.objects, "object"))?;
        }
        for DriftDocument { object, verdict } in &revision.drifts {
            match verdict {
                Verdict::Missing => writeln!(out, "  {object} is missing")?,
                Verdict::NotOurs => {
                    writeln!(
                        out,
                        "  {object} no longer has the label of the installation, and is left alone"
                    )?;
                }
                Verdict::Unknown => writeln!(out, "  {object} was left behind by an installation")?,
                Verdict::NotRunning { progress } => writeln!(out, "  {object} does not run: {progress}")?,
                Verdict::Refused { why } => {
                    writeln!(out, "  {object} would not be taken as it was installed: {why}")?;
                }
                Verdict::Changed { fields, managers } => {
                    let by = match managers.as_slice() {
                        [] => String::new(),
                        managers => format!(" (also written by {})", managers.join(", ")),
                    };
                    writeln!(out, "  {object} has changed{by}")?;
                    for field in fields {
                        writeln!(out, "    {field}")?;
                    }
                }
            }
        }
        if let Some(repair) = repair(revision) {
            let hint = look.paint(Tone::Hint, "hint");
            writeln!(out, "  {hint}: to put it back, `{repair}{options}`")?;
        }
    }
    Ok(())
}

/// The command that undoes what was changed, if it is something that installing would undo.
fn repair(revision: &Revision<'_>) -> Option<String> {
    let has = |wanted: fn(&Verdict) -> bool| revision.drifts.iter().any(|drift| wanted(&drift.verdict));
    let is_foreign = has(|verdict| matches!(verdict, Verdict::NotOurs));
    let is_changed = has(|verdict| matches!(verdict, Verdict::Missing | Verdict::Changed { .. }));
    if revision.phase != Phase::Installed || !(is_foreign || is_changed) {
        return None;
    }
    let adopt = if is_foreign { " --adopt" } else { "" };
    let number = revision.installed?.number;
    Some(format!("meshctl rollback {number} --force-conflicts{adopt}"))
}
