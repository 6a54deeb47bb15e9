//! `meshctl operator`: control planes that objects of the cluster describe.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use mesh_install::operator::NAMESPACE;

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

    /// Namespace of the operator
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
    fn watched(&self) -> BTreeSet<String> {
        self.watched_namespaces.iter().cloned().collect()
    }
}
