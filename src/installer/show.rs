//! Plans, as people and programs read them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use mesh_install::engine::Removal;
use mesh_install::inventory::Proxy;
use mesh_install::object::ObjectRef;
use mesh_install::plan::{
    Action, Desired, FieldChange, FieldConflict, Plan, Planned, essence, field_changes,
};
use serde::Serialize;
use serde_json::Value;

use crate::error::CommandError;
use crate::ui::{Look, Tone, counted, diff};

/// How many changed fields an object shows, unless the user wants to know more.
const FIELDS: usize = 5;

/// How many objects in the way are told one by one.
const OBSTACLES: usize = 12;

/// A plan for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PlanDocument<'a> {
    event: &'static str,
    mesh: &'a str,
    revision: &'a str,
    create: usize,
    change: usize,
    keep: usize,
    remove: usize,
    objects: Vec<PlannedDocument<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PlannedDocument<'a> {
    action: &'static str,
    #[serde(flatten)]
    object: &'a ObjectRef,
    #[serde(skip_serializing_if = "str::is_empty")]
    part: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    disruption: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    changes: Vec<FieldChange>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<FieldConflict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> PlanDocument<'a> {
    pub(crate) fn new(desired: &'a Desired, plan: &'a Plan) -> Self {
        let objects = plan.planned.iter().map(|planned| PlannedDocument {
            action: planned.action.name(),
            object: &planned.object,
            part: &planned.part,
            disruption: planned.disruption(),
            changes: match &planned.action {
                Action::Change { before, after } => field_changes(before, after),
                _ => Vec::new(),
            },
            conflicts: match &planned.action {
                Action::Conflict(conflicts) => conflicts.clone(),
                _ => Vec::new(),
            },
            reason: match &planned.action {
                Action::Foreign { owner: reason } | Action::Refused(reason) => Some(reason),
                _ => None,
            },
        });
        Self {
            event: "plan",
            mesh: &desired.mesh,
            revision: &desired.revision,
            create: plan.count("create"),
            change: plan.count("change"),
            keep: plan.count("keep"),
            remove: plan.count("remove"),
            objects: objects.collect(),
        }
    }
}

/// Writes a plan for people.
pub(crate) fn plan(
    out: &mut impl Write,
    look: Look,
    is_verbose: bool,
    desired: &Desired,
    plan: &Plan,
) -> io::Result<()> {
    for part in &desired.parts {
        let created: Vec<&Planned> = plan
            .planned
            .iter()
            .filter(|planned| planned.part == part.name && planned.action == Action::Create)
            .collect();
        if created.is_empty() {
            continue;
        }
        let sign = look.paint(Tone::Good, "+");
        writeln!(out, "{sign} {}: {}", part.name, by_kind(&created))?;
        if is_verbose {
            for planned in created {
                writeln!(out, "    {}", planned.object)?;
            }
        }
    }
    for planned in &plan.planned {
        let sign = match &planned.action {
            Action::Change { .. } => look.paint(Tone::Warning, "~"),
            Action::Remove => look.paint(Tone::Error, "-"),
            _ => continue,
        };
        write!(out, "{sign} {}", planned.object)?;
        if let Some(disruption) = planned.disruption() {
            write!(out, ": {disruption}")?;
        }
        writeln!(out)?;
        if let Action::Change { before, after } = &planned.action {
            let changes = field_changes(before, after);
            let shown = if is_verbose || changes.len() <= FIELDS + 1 {
                changes.len()
            } else {
                FIELDS
            };
            for change in &changes[..shown] {
                writeln!(out, "    {change}")?;
            }
            if shown < changes.len() {
                writeln!(
                    out,
                    "    and {} more (`-v` lists all)",
                    counted(changes.len() - shown, "field")
                )?;
            }
        }
    }
    let kept = plan.count("keep");
    if kept > 0 {
        let verb = if kept == 1 {
            "stays as it is"
        } else {
            "stay as they are"
        };
        writeln!(out, "  {} {verb}", counted(kept, "object"))?;
    }
    Ok(())
}

/// `15 CustomResourceDefinitions, Service istio-system/istiod`
fn by_kind(planned: &[&Planned]) -> String {
    let mut kinds: Vec<(&str, Vec<&ObjectRef>)> = Vec::new();
    for planned in planned {
        let kind = planned.object.kind.kind;
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, objects)) => objects.push(&planned.object),
            None => kinds.push((kind, vec![&planned.object])),
        }
    }
    let texts = kinds.into_iter().map(|(kind, objects)| match objects.as_slice() {
        [one] => one.to_string(),
        several if kind.ends_with('y') => {
            format!("{} {}ies", several.len(), kind.trim_end_matches('y'))
        }
        several => counted(several.len(), kind),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Writes how all objects of a plan change, as a unified diff.
pub(crate) fn differences(
    out: &mut impl Write,
    look: Look,
    desired: &Desired,
    plan: &Plan,
) -> io::Result<()> {
    let wanted: BTreeMap<ObjectRef, &Value> = desired
        .objects()
        .map(|(reference, _, object)| (reference, object))
        .collect();
    for planned in &plan.planned {
        let name = planned.object.to_string();
        let (before, after) = match &planned.action {
            Action::Create => (None, wanted.get(&planned.object).map(|object| essence(object))),
            Action::Change { before, after } => (Some(before.clone()), Some(after.clone())),
            _ => continue,
        };
        let text = |object: &Option<Value>| match object {
            Some(object) => serde_yaml::to_string(object).map_err(io::Error::other),
            None => Ok(String::new()),
        };
        let names = (
            if before.is_some() {
                name.as_str()
            } else {
                "/dev/null"
            },
            name.as_str(),
        );
        diff::unified(out, look, names, &text(&before)?, &text(&after)?)?;
    }
    Ok(())
}

/// The error that tells what is in the way.
pub(crate) fn obstacles(obstacles: &[Planned]) -> CommandError {
    let mut lines = Vec::new();
    let mut hints = Vec::new();
    let mut hint = |hint: &str| {
        if !hints.iter().any(|known| known == hint) {
            hints.push(hint.to_owned());
        }
    };
    for planned in obstacles {
        let object = &planned.object;
        match &planned.action {
            Action::Foreign { owner } => {
                lines.push(format!(
                    "{object} is there already, and not of this installation ({owner})"
                ));
                hint(
                    "`--adopt` takes objects of others over; `--dry-run --adopt --diff` shows what would become of them",
                );
            }
            Action::Conflict(conflicts) => {
                for FieldConflict { field, manager } in conflicts {
                    lines.push(format!("{object}: {field} was set by {manager}"));
                }
                hint(
                    "`--force-conflicts` takes these fields; or set them to the wanted values, here or in the cluster",
                );
            }
            Action::Refused(why) => {
                lines.push(format!("{object}: {why}"));
            }
            _ => {}
        }
    }
    let count = counted(obstacles.len(), "object");
    let verb = if obstacles.len() == 1 { "is" } else { "are" };
    let more = lines.len().saturating_sub(OBSTACLES);
    lines.truncate(OBSTACLES);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let mut error = CommandError::user(format!("{count} {verb} in the way:\n  {}", lines.join("\n  ")));
    error.hints = hints;
    error
}

/// Writes what a removal comes to, for people.
pub(crate) fn removal(
    out: &mut impl Write,
    look: Look,
    is_verbose: bool,
    removal: &Removal,
) -> io::Result<()> {
    let planned = |object: &ObjectRef| Planned {
        object: object.clone(),
        part: String::new(),
        action: Action::Remove,
    };
    let objects: Vec<Planned> = removal.objects.iter().map(planned).collect();
    let sign = look.paint(Tone::Error, "-");
    let (telling, quiet): (Vec<&Planned>, Vec<&Planned>) = objects.iter().partition(|planned| {
        is_verbose || (planned.disruption().is_some() && !is_definition(&planned.object))
    });
    for planned in telling {
        match planned.disruption() {
            Some(disruption) => writeln!(out, "{sign} {}: {disruption}", planned.object)?,
            None => writeln!(out, "{sign} {}", planned.object)?,
        }
    }
    let (definitions, others): (Vec<&Planned>, Vec<&Planned>) = quiet
        .into_iter()
        .partition(|planned| is_definition(&planned.object));
    if !definitions.is_empty() {
        writeln!(
            out,
            "{sign} {}: all objects of these kinds go with them",
            counted(definitions.len(), "CustomResourceDefinition")
        )?;
    }
    if !others.is_empty() {
        writeln!(out, "{sign} {}", by_kind(&others))?;
    }
    left(out, removal)
}

fn is_definition(object: &ObjectRef) -> bool {
    object.kind.kind == "CustomResourceDefinition"
}

/// Writes what stays.
pub(crate) fn left(out: &mut impl Write, removal: &Removal) -> io::Result<()> {
    if removal.left.is_empty() {
        return Ok(());
    }
    writeln!(out, "What stays:")?;
    let mut by_reason: Vec<(&str, Vec<&ObjectRef>)> = Vec::new();
    for left in &removal.left {
        match by_reason.iter_mut().find(|(why, _)| *why == left.why) {
            Some((_, objects)) => objects.push(&left.object),
            None => by_reason.push((&left.why, vec![&left.object])),
        }
    }
    for (why, objects) in by_reason {
        writeln!(out, "  {why}:")?;
        for object in objects {
            writeln!(out, "    {object}")?;
        }
    }
    Ok(())
}

/// Proxies by namespace: `shop (3), web (1)`.
pub(crate) fn by_namespace(proxies: &[&Proxy]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for proxy in proxies {
        *counts.entry(&proxy.namespace).or_default() += 1;
    }
    let texts = counts
        .into_iter()
        .map(|(namespace, count)| format!("{namespace} ({count})"));
    texts.collect::<Vec<_>>().join(", ")
}
