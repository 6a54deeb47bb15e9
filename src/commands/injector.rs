//! `meshctl injector`: injection as a service for the API server.

use clap::{Args, Subcommand};

mod certificate;
mod metrics;
mod serve;
mod server;

use serve::ServeArgs;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Run an injector of sidecars
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InjectorArgs {
    #[command(subcommand)]
    command: InjectorCommand,
}

const EXAMPLES: &str = "\
Examples:
  Serve the webhook that the API server calls
    meshctl injector serve --tls-cert /etc/tls/tls.crt --tls-key /etc/tls/tls.key";

#[derive(Subcommand, Debug)]
enum InjectorCommand {
    Serve(Box<ServeArgs>),
}

/// Runs the command.
pub(crate) fn injector(printer: &mut Printer, args: InjectorArgs) -> Result<Exit, CommandError> {
    let InjectorArgs { command } = args;
    match command {
        InjectorCommand::Serve(args) => serve::serve(printer, *args),
    }
}
