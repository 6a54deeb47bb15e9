//! `meshctl operator`: control planes that objects of the cluster describe.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use mesh_core::cluster::Cluster;
use mesh_install::operator::NAMESPACE;
use mesh_install::operator::objects::is_operator;

mod dump;
mod init;
mod metrics;
mod remove;
mod run;

use dump::DumpArgs;
use init::InitArgs;
use remove::RemoveArgs;
use run::RunArgs;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::{error, session};
use crate::ui::Printer;

/// Let an operator keep control planes as MeshControlPlane objects describe them
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct OperatorArgs {
    #[command(subcommand)]
    command: OperatorCommand,
}

const EXAMPLES: &str = "\
Examples:
  Install the operator, for control planes in two namespaces
    meshctl operator init --watched-namespaces istio-system,mesh-b

  See what it consists of, and what it may do
    meshctl operator dump --watched-namespaces istio-system,mesh-b

  Remove it
    meshctl operator remove";

#[derive(Subcommand, Debug)]
enum OperatorCommand {
    Init(Box<InitArgs>),
    Dump(DumpArgs),
    Remove(Box<RemoveArgs>),
    Run(Box<RunArgs>),
}

/// Runs the command.
pub(crate) fn operator(printer: &mut Printer, args: OperatorArgs) -> Result<Exit, CommandError> {
    let OperatorArgs { command } = args;
    match command {
        OperatorCommand::Init(args) => init::init(printer, *args),
        OperatorCommand::Dump(args) => dump::dump(printer, args),
        OperatorCommand::Remove(args) => remove::remove(printer, *args),
        OperatorCommand::Run(args) => run::run(printer, *args),
    }
}

/// Where an operator is, and what it watches.
#[derive(Args, Clone, Debug)]
struct PlacesArgs {
    /// Namespaces whose control planes it looks after, and the only ones that it touches
    #[arg(
        long,
        alias = "watchedNamespaces",
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = crate::installer::MESH,
        value_parser = namespace,
        help_heading = "Operator"
    )]
    watched_namespaces: Vec<String>,

    /// Namespace of the operator, which must not be one of those
    #[arg(
        long,
        alias = "operatorNamespace",
        value_name = "NAME",
        default_value = NAMESPACE,
        value_parser = namespace,
        help_heading = "Operator"
    )]
    operator_namespace: String,
}

/// A name as namespaces have it (RFC 1123, a label).
fn namespace(text: &str) -> Result<String, String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = (1..=63).contains(&text.len()) && text.chars().all(is_inner);
    if is_label && !text.starts_with('-') && !text.ends_with('-') {
        Ok(text.to_owned())
    } else {
        Err(
            "not the name of a namespace: up to 63 of a-z, 0-9 and `-`, which neither begins nor ends it"
                .to_owned(),
        )
    }
}

impl PlacesArgs {
    /// The namespaces that are watched.
    ///
    /// # Errors
    ///
    /// The operator's own is among them. What is installed in a namespace is one thing to the installer, whose record of
    /// it has one place: a control plane beside the operator would take the operator for what it was before.
    fn watched(&self) -> Result<BTreeSet<String>, CommandError> {
        let watched: BTreeSet<String> = self.watched_namespaces.iter().cloned().collect();
        let own = &self.operator_namespace;
        if !watched.contains(own) {
            return Ok(watched);
        }
        Err(CommandError::user(format!(
            "the operator cannot be in {own}, which it watches: the control plane there and the operator would replace each \
             other"
        ))
        .hinted(format!(
            "give the operator a namespace of its own with `--operator-namespace`; the default is {NAMESPACE}"
        )))
    }
}

/// Refuses a namespace that is a mesh's: what is installed there is not an operator.
async fn check_namespace(cluster: &Cluster, namespace: &str) -> Result<(), CommandError> {
    let (session, _) = session(cluster.clone(), namespace);
    let states = session.states().await.map_err(error)?;
    let Some(state) = states.iter().find(|state| !is_operator(state)) else {
        return Ok(());
    };
    Err(CommandError::user(format!(
        "{namespace} is the namespace of a control plane, revision {}, and not of an operator",
        state.revision
    ))
    .hinted(format!(
        "name another one with `--operator-namespace`; the default is {NAMESPACE}"
    )))
}
