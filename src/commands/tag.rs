//! `meshctl tag`: names for revisions.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use mesh_core::cluster::{Cluster, ListQuery, Scope};
use mesh_core::k8s_openapi::api::core::v1::Namespace;
use mesh_install::engine::{Session, Tag, TagError};
use mesh_install::inventory::REVISION;
use mesh_install::tag::DEFAULT_TAG;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::{ChangeArgs, Console, MESH, confirm, error, session};
use crate::ui::document::{self, Format, FormatArgs};
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

    /// Move the tag if it leads to another revision
    #[arg(long)]
    overwrite: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

/// List all tags, with the namespaces that use them
#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    output: FormatArgs<Format>,

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
        let before = tags
            .iter()
            .find(|known| known.tag == tag)
            .map(|known| known.revision.clone());
        if before.as_ref().is_some_and(|before| *before != revision) && !overwrite {
            return Err(CommandError::user(format!(
                "the tag {tag} leads to revision {} already",
                before.unwrap_or_default()
            ))
            .hinted("`--overwrite` moves it"));
        }
        let planned = cluster.unless_stopped(session.tag_objects(&tag, &revision)).await;
        let objects = planned?.map_err(tag_error)?;
        let mut text = vec![match &before {
            Some(before) if *before != revision => format!("~ tag {tag}: {before} -> {revision}"),
            Some(_) => format!("  tag {tag}: {revision}"),
            None => format!("+ tag {tag}: {revision}"),
        }];
        let users = users(&connected, &tag).await?;
        if !users.is_empty() {
            text.push(format!("  used by {}", users.join(", ")));
        }
        if ask.dry_run {
            for object in &objects {
                text.push(serde_yaml::to_string(object).map_err(io::Error::other)?);
            }
            writeln!(printer.stdout(), "{}", text.join("\n"))?;
            return Ok(Exit::Clean);
        }
        printer.status(text.join("\n"));
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
        done??.map_err(tag_error)?;
        console.line(&format!(
            "the tag {tag} leads to revision {revision}; pods get its sidecar when they restart"
        ));
        Ok(Exit::Clean)
    })
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
        let tags = cluster.unless_stopped(session.tags()).await;
        let tags = tags?.map_err(error)?;
        if !tags.iter().any(|known| known.tag == tag) {
            let names: Vec<_> = tags.into_iter().map(|known| known.tag).collect();
            return Err(CommandError::user(format!("there is no tag {tag}"))
                .maybe_hinted((!names.is_empty()).then(|| format!("there are: {}", names.join(", ")))));
        }
        let users = users(&connected, &tag).await?;
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
            return Ok(Exit::Clean);
        }
        printer.status(text);
        if !ask.yes && !confirm(printer, &format!("Remove this from {}?", connected.name())).await? {
            return Err(CommandError::user("cancelled, nothing was removed"));
        }
        let mut console = Console::new(printer, ask.output.format, events);
        // Futures of that much work are large.
        let work = Box::pin(session.remove_tag(&tag, ask.wait_lock));
        let done = console.watch(cluster.unless_stopped(work)).await;
        session.close().await;
        done??.map_err(error)?;
        console.stop();
        console.line(&format!("the tag {tag} is gone"));
        Ok(Exit::Clean)
    })
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
        Format::Json => document::json(out, &tags)?,
        Format::Yaml => document::yaml(out, &tags)?,
        Format::Text if tags.is_empty() => printer.status("there are no tags"),
        Format::Text => {
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
        TagError::IsRevision(_) => CommandError::user(failure.to_string())
            .hinted("namespaces can be labelled with the revision itself; choose another name for the tag"),
    }
}
