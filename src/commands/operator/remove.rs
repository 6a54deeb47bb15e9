//! `meshctl operator remove`: the operator goes.

use std::time::Duration;

use clap::Args;
use mesh_core::cluster::{Cluster, ErrorKind, ListQuery, Method, Scope, Write};
use mesh_install::engine::RemovalScope;
use mesh_install::inventory::DEFAULT_REVISION;
use mesh_install::object::{ObjectKind, ObjectRef, is_going, is_ours};
use mesh_install::operator::NAMESPACE;
use mesh_install::spec::{GROUP, PLURAL, VERSION, definition_name};
use serde_json::Value;

use super::check_namespace;
use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::{AskArgs, run};
use crate::ui::Printer;

/// Time between two looks at what is to go.
const POLL: Duration = Duration::from_millis(300);

/// Remove the operator
///
/// Removes exactly what `operator init` has installed. While there are MeshControlPlanes it refuses, and names them:
/// without the operator nobody would look after them, or remove what they describe.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("5m")))]
pub(super) struct RemoveArgs {
    /// Namespace of the operator
    #[arg(long, alias = "operatorNamespace", value_name = "NAME", default_value = NAMESPACE)]
    operator_namespace: String,

    /// Remove the operator all the same; MeshControlPlanes, their definition and control planes stay as they are
    #[arg(long, help_heading = "Change")]
    force: bool,

    /// Delete all MeshControlPlanes first, and wait until the operator has removed what they describe
    #[arg(long, conflicts_with = "force", help_heading = "Change")]
    purge: bool,

    #[command(flatten)]
    ask: AskArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  See what would go
    meshctl operator remove --dry-run

  Remove the operator and every control plane that it looks after
    meshctl operator remove --purge

Exit status:
  0    everything is gone, or nothing was there
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Runs the command.
pub(super) fn remove(printer: &mut Printer, args: RemoveArgs) -> Result<Exit, CommandError> {
    let RemoveArgs {
        operator_namespace: namespace,
        force,
        purge,
        ask,
        cluster,
    } = args;
    cluster.run_to_end(async |connected| {
        cluster
            .unless_stopped(check_namespace(&connected, &namespace))
            .await??;
        let planes = cluster.unless_stopped(planes(&connected)).await;
        let planes = planes??;
        if !planes.is_empty() && !force && !purge {
            return Err(
                CommandError::user(format!("there are MeshControlPlanes: {}", planes.join(", ")))
                    .hinted(
                        "delete them first, or let `--purge` do it: the operator removes what they describe",
                    )
                    .hinted("with `--force` they stay, and so does what they describe"),
            );
        }
        if purge && !ask.dry_run {
            if !ask.yes && !planes.is_empty() {
                let question = format!("Delete {} and the control planes?", planes.join(", "));
                let answer = crate::installer::confirm(printer, &question);
                let answer = cluster.unless_stopped(answer).await;
                if !answer?? {
                    return Err(CommandError::user("cancelled, nothing was removed"));
                }
            }
            let gone = cluster.unless_stopped(delete_planes(&connected, &planes)).await;
            gone??;
        }
        let scope = RemovalScope::Revision(DEFAULT_REVISION.to_owned());
        let exit = run::remove(
            printer,
            &cluster,
            &connected,
            &namespace,
            &scope,
            "operator remove",
            &ask,
        )
        .await?;
        if !ask.dry_run && (planes.is_empty() || purge) {
            let gone = cluster
                .unless_stopped(delete_definition(&connected, &namespace))
                .await;
            gone??;
        }
        Ok(exit)
    })
}

/// The path of one of the `MeshControlPlane`s; of all of a namespace, if it has no name.
fn path(plane: &str) -> String {
    let (namespace, name) = plane.split_once('/').unwrap_or((plane, ""));
    format!("/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/{name}")
}

/// All `MeshControlPlane`s: `NAMESPACE/NAME`.
async fn planes(cluster: &Cluster) -> Result<Vec<String>, CommandError> {
    let query = ListQuery::new(GROUP, VERSION, PLURAL, &Scope::All).metadata_only();
    let planes = match cluster.list_json(&query).await {
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        planes => planes?,
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let names = planes.iter().map(|plane| {
        let metadata = &plane["metadata"];
        format!("{}/{}", text(&metadata["namespace"]), text(&metadata["name"]))
    });
    Ok(names.collect())
}

async fn delete(cluster: &Cluster, path: String, what: &str) -> Result<(), CommandError> {
    let write = Write {
        method: Method::DELETE,
        path,
        content_type: "application/json",
        body: Vec::new(),
    };
    let answer = cluster.write(&write).await?;
    if answer.status.as_u16() != 404 {
        answer.success(what)?;
    }
    Ok(())
}

/// Deletes the `MeshControlPlane`s, and waits until the operator has let them go.
async fn delete_planes(cluster: &Cluster, names: &[String]) -> Result<(), CommandError> {
    for plane in names {
        delete(cluster, path(plane), plane).await?;
    }
    while !planes(cluster).await?.is_empty() {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Deletes the definition, which has no objects any more, if it is this operator's, and waits until it is gone.
async fn delete_definition(cluster: &Cluster, namespace: &str) -> Result<(), CommandError> {
    let Some(kind) = ObjectKind::named("CustomResourceDefinition") else {
        return Ok(());
    };
    let definition = ObjectRef::new(kind, "", &definition_name());
    loop {
        let live = match cluster.get(&definition.path()).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            live => live?,
        };
        let live: Value = serde_json::from_slice(&live).unwrap_or_default();
        if !is_ours(&live, namespace) {
            return Ok(());
        }
        if !is_going(&live) {
            delete(cluster, definition.path(), &definition.to_string()).await?;
        }
        tokio::time::sleep(POLL).await;
    }
}
