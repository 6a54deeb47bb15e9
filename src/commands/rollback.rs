//! `meshctl rollback`: installs again what was installed before.

use clap::Args;
use mesh_install::inventory::DEFAULT_REVISION;
use mesh_install::object::{ObjectRef, Step};
use mesh_install::plan::Desired;
use mesh_install::state::{Entry, State};

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::run::{Job, Subject, facts, install, state_of, states};
use crate::installer::{ApplyArgs, MESH, session};
use crate::ui::Printer;
use crate::ui::table::table;

/// Install again what was installed before
///
/// Objects are those of then, to the letter, whatever version of meshctl installs them. CustomResourceDefinitions stay
/// as they are: newer ones take older objects, but not the other way round. The number of what is installed now puts
/// back what was changed since.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct RollbackArgs {
    /// Number of the installation to go back to [default: the one before the newest]
    #[arg(value_name = "NUMBER")]
    number: Option<u64>,

    /// List the installations that are remembered, and change nothing
    #[arg(long, conflicts_with = "number")]
    list: bool,

    /// Revision to go back with [default: the one without a name]
    #[arg(long, short, value_name = "NAME")]
    revision: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = MESH)]
    istio_namespace: String,

    #[command(flatten)]
    apply: ApplyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  What can be gone back to
    meshctl rollback --list

  Undo the last installation or upgrade, after a look at what would change
    meshctl rollback --dry-run --diff
    meshctl rollback

  Go back to a certain one
    meshctl rollback 3 -y

  Put back what somebody has changed since the installation 4, which is the newest
    meshctl rollback 4 --force-conflicts

Exit status:
  0    done
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Runs the command.
pub(crate) fn rollback(printer: &mut Printer, args: RollbackArgs) -> Result<Exit, CommandError> {
    let RollbackArgs {
        number,
        list,
        revision,
        istio_namespace: mesh,
        apply,
        cluster,
    } = args;
    let revision = revision.unwrap_or_else(|| DEFAULT_REVISION.to_owned());
    cluster.run_to_end(async |connected| {
        let (session, _events) = session(connected.clone(), &mesh);
        let states = states(&session, &cluster).await?;
        let state = state_of(&states, &revision, &mesh)?;
        if list {
            return show_history(printer, state);
        }
        let (number, target) = target(state, number)?;
        let desired = desired(state, target)?;
        let mut facts = facts(format!("{ACTION}{number}"));
        facts.version.clone_from(&target.facts.version);
        facts.profile.clone_from(&target.facts.profile);
        facts.values.clone_from(&target.facts.values);
        let job = Job {
            subject: Subject::ControlPlane,
            desired,
            facts,
            apply: &apply,
        };
        install(printer, &cluster, &connected, job).await
    })
}

/// What is remembered as what was done, before the number.
const ACTION: &str = "rollback to ";

/// What to go back to, with its number. A rollback that was not completed goes on, wherever it leads.
fn target(state: &State, number: Option<u64>) -> Result<(u64, &Entry), CommandError> {
    let unfinished = state.history.last().filter(|newest| !newest.facts.complete);
    let going_on = unfinished.and_then(|newest| {
        let number = newest.facts.action.strip_prefix(ACTION)?.parse().ok()?;
        Some((number, newest))
    });
    if let Some(found) = going_on.filter(|(to, _)| number.is_none_or(|number| number == *to)) {
        return Ok(found);
    }
    let complete = || {
        let entries = state.history.iter().filter(|entry| entry.facts.complete);
        entries.map(|entry| (entry.facts.number, entry))
    };
    if let Some(number) = number {
        return complete().find(|(known, _)| *known == number).ok_or_else(|| {
            CommandError::user(format!(
                "installation {number} is not remembered, or was never completed"
            ))
            .hinted("`meshctl rollback --list` lists what can be gone back to")
        });
    }
    // One that was not completed is undone by what was complete before it.
    let mut newest_first = complete().collect::<Vec<_>>().into_iter().rev();
    let found = if unfinished.is_some() {
        newest_first.next()
    } else {
        newest_first.nth(1)
    };
    found.ok_or_else(|| {
        CommandError::user("there is no earlier installation to go back to")
            .hinted("`meshctl uninstall` removes what is installed")
    })
}

/// The objects of then, and the definitions of now.
fn desired(state: &State, target: &Entry) -> Result<Desired, CommandError> {
    let is_definition = |object: &serde_json::Value| {
        ObjectRef::of(object, &state.mesh).is_ok_and(|reference| reference.step() == Step::Definition)
    };
    let mut parts = target.parts.clone();
    for part in &mut parts {
        part.objects.retain(|object| !is_definition(object));
    }
    let newest = state.history.last().unwrap_or(target);
    for part in &newest.parts {
        let definitions = part
            .objects
            .iter()
            .filter(|object| is_definition(object))
            .cloned();
        let definitions: Vec<_> = definitions.collect();
        match parts.iter_mut().find(|known| known.name == part.name) {
            Some(known) => known.objects.extend(definitions),
            None if definitions.is_empty() => {}
            None => parts.push(mesh_install::plan::Part {
                objects: definitions,
                ..part.clone()
            }),
        }
    }
    Desired::new(&state.mesh, &state.revision, parts).map_err(|error| CommandError::user(error.to_string()))
}

fn show_history(printer: &mut Printer, state: &State) -> Result<Exit, CommandError> {
    use std::io::Write;
    let rows: Vec<Vec<String>> = state
        .history
        .iter()
        .rev()
        .map(|Entry { facts, .. }| {
            let outcome = if facts.complete {
                "complete"
            } else {
                "not completed"
            };
            vec![
                facts.number.to_string(),
                facts.started.clone(),
                facts.action.clone(),
                facts.version.clone().unwrap_or_default(),
                facts.profile.clone(),
                outcome.to_owned(),
            ]
        })
        .collect();
    let headings = ["NUMBER", "STARTED", "ACTION", "VERSION", "PROFILE", "OUTCOME"];
    let text = table(printer.look(), &headings, &rows);
    printer.stdout().write_all(text.as_bytes())?;
    Ok(Exit::Clean)
}

#[cfg(test)]
mod tests {
    use mesh_install::state::EntryFacts;

    use super::*;

    /// A state in which these actions were completed, and one was not.
    fn state(complete: &[&str], unfinished: Option<&str>) -> State {
        let mut state = State::new("mesh", "default");
        let actions = complete.iter().map(|action| (*action, true));
        for (action, complete) in actions.chain(unfinished.map(|action| (action, false))) {
            let facts = EntryFacts {
                number: state.next_number(),
                action: action.to_owned(),
                complete,
                ..EntryFacts::default()
            };
            let parts = Vec::new();
            state.begin(Entry { facts, parts }, []);
        }
        state
    }

    /// The number that is remembered, and that of the entry whose objects come back.
    fn found(state: &State, number: Option<u64>) -> Option<(u64, u64)> {
        let found = target(state, number).ok()?;
        Some((found.0, found.1.facts.number))
    }

    #[test]
    fn a_rollback_that_was_stopped_goes_on() {
        let both = &["install", "upgrade"];
        for (unfinished, number, expected) in [
            (None, None, Some((1, 1))),
            // What was installed last can be put back.
            (None, Some(2), Some((2, 2))),
            (None, Some(3), None),
            (Some("upgrade"), None, Some((2, 2))),
            (Some("rollback to 1"), None, Some((1, 3))),
            (Some("rollback to 1"), Some(1), Some((1, 3))),
            (Some("rollback to 1"), Some(2), Some((2, 2))),
            (Some("rollback to 1"), Some(3), None),
        ] {
            let state = state(both, unfinished);
            assert_eq!(found(&state, number), expected, "{unfinished:?} {number:?}");
        }
        // Even where what it goes back to had to make room for it.
        let full = state(&["upgrade"; mesh_install::state::HISTORY], Some("rollback to 1"));
        assert_eq!(full.history[0].facts.number, 2);
        assert_eq!(found(&full, None), Some((1, 11)));
        assert_eq!(found(&full, Some(1)), Some((1, 11)));
    }
}
