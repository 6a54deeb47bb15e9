//! `meshctl uninject`: workloads without their sidecars.

use clap::Args;
use mesh_inject::{Scope, uninject_document};

use super::inject::manifests::ManifestArgs;
use super::inject::report;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Take injected sidecars out of workloads
///
/// The opposite of `meshctl inject`: what injection added is taken out, and what it changed is put back. Everything else
/// stays as it is written. Nothing is sent anywhere, and no cluster is needed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct UninjectArgs {
    #[command(flatten)]
    manifests: ManifestArgs,
}

const EXAMPLES: &str = "\
Examples:
  Undo an injection in a file
    meshctl uninject -f deploy.yaml --in-place

  Take a workload of a cluster out of the mesh
    kubectl get deployment web -o yaml | meshctl uninject -f - | kubectl apply -f -";

/// Runs the command.
pub(crate) fn uninject(printer: &mut Printer, args: UninjectArgs) -> Result<Exit, CommandError> {
    let UninjectArgs { manifests: args } = args;
    let manifests = args.read(printer)?;
    let scope = Scope {
        kinds: args.templates.clone(),
        ..Scope::default()
    };
    let changed = ManifestArgs::change(printer, manifests, |_, document| {
        uninject_document(document, &scope)
    })?;
    args.write(printer, &changed)?;
    report::write(printer, &changed);
    Ok(Exit::Clean)
}
