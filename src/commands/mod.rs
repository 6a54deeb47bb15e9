//! The commands, one file each: an `Args` struct whose comments are the help, and a function.

pub(crate) mod analyze;

use crate::cli::Command;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Runs a command.
pub(crate) fn run(printer: &mut Printer, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Analyze(args) => analyze::analyze(printer, args),
    }
}
