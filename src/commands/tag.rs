//! `meshctl tag`: names for revisions.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use mesh_core::cluster::{Cluster, ListQuery, Scope};
use mesh_core::k8s_openapi::api::core::v1::Namespace;
use mesh_install::engine::{Session, Tag, TagError};
use mesh_install::inventory::REVISION;
use mesh_install::tag::DEFAULT_TAG;
use serde_json::json;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::{ChangeArgs, Console, Format, MESH, confirm, error, run, session};
use crate::ui::document::{self, FormatArgs};
use crate::ui::table::table;
use crate::ui::{Printer, counted};

/// Give revisions names that namespaces can be labelled with
///
/// A namespace with the label istio.io/rev=TAG gets the sidecars of the revision that the tag leads to, so that a new
/// revision is taken up by moving the tag, and no namespace is labelled anew. The tag `default` is that of namespaces
/// with istio-injection=enabled and of configuration that names no revision. Without it these belong to the revision
/// without a name, if that is installed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct TagArgs {
    #[command(subcommand)]
    command: TagCommand,
}

const EXAMPLES: &str = "\
Examples:
  Let the tag prod lead to the revision 1-30
    meshctl tag set prod --revision 1-30

  Move plain namespaces to a new revision
    meshctl tag set default --revision 1-30 --overwrite
    meshctl uninstall

Exit status:
  0  done
  2  it could not be done";

#[derive(Subcommand, Debug)]
enum TagCommand {
    Set(SetArgs),
    List(ListArgs),
    Remove(RemoveArgs),
}

/// Make a tag, or move it to another revision
#[derive(Args, Debug)]
struct SetArgs {
    /// Name of the tag
    #[arg(value_name = "TAG")]
    tag: String,

    /// Revision that it leads to
    #[arg(long, short, value_name = "NAME")]
    revision: String,

    /// Move the tag if it leads to another revision, and set it even if another mesh has one of the name
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// List all tags, with the namespaces that use them
#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    output: FormatArgs<document::Format>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Remove a tag
#[derive(Args, Debug)]
struct RemoveArgs {
    /// Name of the tag
    #[arg(value_name = "TAG")]
    tag: String,

    #[command(flatten)]
    change: ChangeArgs,
}

/// Runs the command.
pub(crate) fn tag(printer: &mut Printer, args: TagArgs) -> Result<Exit, CommandError> {
    match args.command {
        TagCommand::Set(args) => set(printer, args),
        TagCommand::List(args) => list(printer, args),
        TagCommand::Remove(args) => remove(printer, args),
    }
}

fn set(printer: &mut Printer, args: SetArgs) -> Result<Exit, CommandError> {
    let SetArgs {
        tag,
        revision,
        overwrite,
        change,
    } = args;
    let ChangeArgs {
        istio_namespace: mesh,
        ask,
        cluster,
    } = change;
    cluster.run_to_end(async |connected| {
        let (session, events) = session(connected.clone(), &mesh);
        let found = cluster.unless_stopped(session.tags()).await;
        let tags = found?.map_err(error)?;
        let before = before(&tags, &tag, &mesh, (&revision, overwrite))?;
        let planned = cluster.unless_stopped(session.tag_objects(&tag, &revision)).await;
        let objects = planned?.map_err(tag_error)?;
        let users = users(&connected, &tag).await?;
        if ask.output.format == Format::Json {
            let document = json!({ "event": "plan", "mesh": mesh, "tag": tag, "revision": revision, "before": before,
                "namespaces": users, "objects": objects });
            writeln!(printer.stdout(), "{document}")?;
        } else {
            let mut text = match &before {
                Some(before) if *before != revision => format!("~ tag {tag}: {before} -> {revision}"),
                Some(_) => format!("  tag {tag}: {revision}"),
                None => format!("+ tag {tag}: {revision}"),
            };
            if !users.is_empty() {
                text.push_str(&format!("\n  used by {}", users.join(", ")));
            }
            if ask.dry_run {
                for object in &objects {
                    let object = serde_yaml::to_string(object).map_err(io::Error::other)?;
                    text.push_str(&format!("\n---\n{}", object.trim_end()));
                }
                writeln!(printer.stdout(), "{text}")?;
            } else {
                printer.status(text);
            }
        }
        if ask.dry_run {
            return Ok(Exit::Clean);
        }
        if !ask.yes && !users.is_empty() && before.as_ref() != Some(&revision) {
            let question = format!("Change this in {}?", connected.name());
            if !confirm(printer, &question).await? {
                return Err(CommandError::user("cancelled, nothing was changed"));
            }
        }
        let mut console = Console::new(printer, ask.output.format, events);
        // Futures of that much work are large.
        let work = Box::pin(session.set_tag(&tag, &revision, ask.wait_lock));
        let done = console.watch(cluster.unless_stopped(work)).await;
        session.close().await;
        let said = format!("the tag {tag} leads to revision {revision}; pods get its sidecar when they restart");
        end(&mut console, "tag set", done?, &said)
    })
}

/// The revision that a tag of the mesh leads to.
///
/// # Errors
///
/// It leads elsewhere, or another mesh has it, and nobody has said that it is to be set all the same.
fn before(
    tags: &[Tag],
    tag: &str,
    mesh: &str,
    (revision, overwrite): (&str, bool),
) -> Result<Option<String>, CommandError> {
    let (ours, others): (Vec<&Tag>, Vec<&Tag>) = tags
        .iter()
        .filter(|known| known.tag == tag)
        .partition(|known| known.is_of(mesh));
    let leads = |known: &Tag| known.revision != revision;
    match (ours.first(), others.first()) {
        _ if overwrite => {}
        (Some(known), _) if leads(known) => {
            let text = format!("the tag {tag} leads to revision {} already", known.revision);
            return Err(CommandError::user(text).hinted("`--overwrite` moves it"));
        }
        (None, Some(other)) => {
            let text = format!("the tag {tag} is there already, and of {}", whose(other));
            return Err(CommandError::user(text).hinted(
                "pods of its namespaces would be injected by both: choose another name, or remove that one first",
            ));
        }
        _ => {}
    }
    Ok(ours.first().map(|known| known.revision.clone()))
}

/// Whose a tag is that is not of the mesh.
fn whose(tag: &Tag) -> String {
    match tag.mesh.as_str() {
        "" => "another mesh".to_owned(),
        mesh => format!("the mesh of namespace {mesh}"),
    }
}

/// Says how it ended.
fn end(
    console: &mut Console<'_>,
    action: &str,
    done: Result<Result<(), TagError>, CommandError>,
    said: &str,
) -> Result<Exit, CommandError> {
    console.stop();
    if let Err(failure) = done.and_then(|done| done.map_err(tag_error)) {
        console.document(&json!({ "event": "failed", "action": action, "error": failure.message }))?;
        return Err(failure);
    }
    console.document(&json!({ "event": "done", "action": action }))?;
    console.line(said);
    Ok(Exit::Clean)
}

fn remove(printer: &mut Printer, args: RemoveArgs) -> Result<Exit, CommandError> {
    let RemoveArgs { tag, change } = args;
    let ChangeArgs {
        istio_namespace: mesh,
        ask,
        cluster,
    } = change;
    cluster.run_to_end(async |connected| {
        let (session, events) = session(connected.clone(), &mesh);
        let objects = cluster.unless_stopped(session.tag_removal(&tag)).await;
        let objects = objects?.map_err(error)?;
        if objects.is_empty() {
            let tags = cluster.unless_stopped(session.tags()).await;
            return Err(unknown(&tags?.map_err(error)?, &tag, &mesh));
        }
        let users = users(&connected, &tag).await?;
        if ask.output.format == Format::Json {
            let document = json!({ "event": "removal", "mesh": mesh, "tag": tag, "namespaces": users,
                "objects": objects });
            writeln!(printer.stdout(), "{document}")?;
        } else {
            let mut text = format!("- tag {tag}");
            if !users.is_empty() {
                text.push_str(&format!(
                    ": new pods of {} get no sidecar ({})",
                    counted(users.len(), "namespace"),
                    users.join(", ")
                ));
            }
            if ask.dry_run {
                writeln!(printer.stdout(), "{text}")?;
            } else {
                printer.status(text);
            }
        }
        if ask.dry_run {
            return Ok(Exit::Clean);
        }
        if !ask.yes && !confirm(printer, &format!("Remove this from {}?", connected.name())).await? {
            return Err(CommandError::user("cancelled, nothing was removed"));
        }
        let mut console = Console::new(printer, ask.output.format, events);
        // Futures of that much work are large.
        let work = Box::pin(session.remove_tag(&tag, ask.wait_lock));
        let done = console.watch(cluster.unless_stopped(work)).await;
        session.close().await;
        end(
            &mut console,
            "tag remove",
            done?,
            &format!("the tag {tag} is gone"),
        )
    })
}

/// What there is where there is no such tag that could be removed.
fn unknown(tags: &[Tag], tag: &str, mesh: &str) -> CommandError {
    let named: Vec<&Tag> = tags.iter().filter(|known| known.tag == tag).collect();
    if let Some(known) = named.iter().find(|known| known.is_of(mesh)) {
        let revision = &known.revision;
        return CommandError::user(format!("the tag {tag} was not set by meshctl, and is left alone"))
            .hinted(format!(
                "`meshctl tag set {tag} --revision {revision}{}` takes it over",
                run::mesh_option(mesh)
            ));
    }
    let missing = CommandError::user(format!("there is no tag {tag} in {mesh}"));
    if let Some(other) = named.first() {
        let option = run::mesh_option(&other.mesh);
        let text = format!("there is one of {}", whose(other));
        return missing.hinted(if other.mesh.is_empty() {
            text
        } else {
            format!("{text}: `meshctl tag remove {tag}{option}`")
        });
    }
    let names: Vec<&str> = tags
        .iter()
        .filter(|known| known.is_of(mesh))
        .map(|known| known.tag.as_str())
        .collect();
    missing.maybe_hinted((!names.is_empty()).then(|| format!("there are: {}", names.join(", "))))
}

fn list(printer: &mut Printer, args: ListArgs) -> Result<Exit, CommandError> {
    let ListArgs { output, cluster } = args;
    let tags = cluster.run(async |connected| {
        let (session, _events): (Session, _) = session(connected.clone(), MESH);
        let tags = session.tags().await.map_err(error)?;
        let mut listed = Vec::new();
        for tag in tags {
            let namespaces = users(&connected, &tag.tag).await?;
            listed.push(Listed { tag, namespaces });
        }
        Ok(listed)
    })?;
    let look = printer.look();
    let out = printer.stdout();
    match output.format {
        document::Format::Json => document::json(out, &tags)?,
        document::Format::Yaml => document::yaml(out, &tags)?,
        document::Format::Text if tags.is_empty() => printer.status("there are no tags"),
        document::Format::Text => {
            let rows: Vec<Vec<String>> = tags
                .iter()
                .map(|Listed { tag, namespaces }| {
                    vec![
                        tag.tag.clone(),
                        tag.revision.clone(),
                        tag.mesh.clone(),
                        namespaces.join(","),
                    ]
                })
                .collect();
            let text = table(look, &["TAG", "REVISION", "MESH", "NAMESPACES"], &rows);
            out.write_all(text.as_bytes())?;
        }
    }
    Ok(Exit::Clean)
}

/// A tag, and who uses it.
#[derive(serde::Serialize)]
struct Listed {
    #[serde(flatten)]
    tag: Tag,
    namespaces: Vec<String>,
}

/// The namespaces that are labelled with a tag.
async fn users(cluster: &Cluster, tag: &str) -> Result<Vec<String>, CommandError> {
    let mut selectors = vec![format!("{REVISION}={tag}")];
    if tag == DEFAULT_TAG {
        selectors.push("istio-injection=enabled".to_owned());
    }
    let mut names = Vec::new();
    for selector in selectors {
        let query = ListQuery::of::<Namespace>(&Scope::All).labels(selector);
        let namespaces: Vec<Namespace> = cluster.list(&query).await?;
        names.extend(
            namespaces
                .into_iter()
                .filter_map(|namespace| namespace.metadata.name),
        );
    }
    names.sort();
    names.dedup();
    Ok(names)
}

fn tag_error(failure: TagError) -> CommandError {
    match failure {
        TagError::Engine(failure) => error(failure),
        TagError::UnknownRevision { ref known, .. } => {
            CommandError::user(failure.to_string()).maybe_hinted(match known.as_slice() {
                [] => None,
                known => Some(format!("there are: {}", known.join(", "))),
            })
        }
        TagError::UnknownTag(_) => CommandError::user(failure.to_string()),
        TagError::IsRevision(_) => CommandError::user(failure.to_string())
            .hinted("namespaces can be labelled with the revision itself; choose another name for the tag"),
    }
}
