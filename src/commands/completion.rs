//! `meshctl completion`: scripts that teach shells the arguments.

use std::io::Write;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::Cli;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Print a completion script for a shell
#[derive(Args, Clone, Copy, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CompletionArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  For this session of bash
    source <(meshctl completion bash)

  For every session of fish
    meshctl completion fish > ~/.config/fish/completions/meshctl.fish

  For every session of zsh, in a folder of $fpath
    meshctl completion zsh > \"${fpath[1]}/_meshctl\"";

/// Runs the command.
pub(crate) fn completion(printer: &mut Printer, args: CompletionArgs) -> Result<Exit, CommandError> {
    let CompletionArgs { shell } = args;
    let mut command = Cli::command();
    // Not straight to the output, as the generator panics if that is closed.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, env!("CARGO_PKG_NAME"), &mut script);
    printer.stdout().write_all(&script)?;
    Ok(Exit::Clean)
}
