//! `meshctl util`: what packagers and our own documentation need. Hidden.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory, Subcommand};

use crate::cli::Cli;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Generate files about the program
#[derive(Args, Debug)]
pub(crate) struct UtilArgs {
    #[command(subcommand)]
    command: UtilCommand,
}

#[derive(Subcommand, Debug)]
enum UtilCommand {
    /// Write a manual page for each command
    ManPages {
        /// Folder to write to; made if it is not there
        #[arg(long, value_name = "FOLDER")]
        dir: PathBuf,
    },
    /// Print the reference of all commands as Markdown
    MarkdownHelp,
}

/// Runs the command.
pub(crate) fn util(printer: &mut Printer, args: UtilArgs) -> Result<Exit, CommandError> {
    let UtilArgs { command } = args;
    match command {
        UtilCommand::ManPages { dir } => man_pages(&dir)?,
        UtilCommand::MarkdownHelp => {
            let text = markdown_help();
            printer.stdout().write_all(text.as_bytes())?;
        }
    }
    Ok(Exit::Clean)
}

fn man_pages(folder: &Path) -> Result<(), CommandError> {
    let failed = |error: std::io::Error| CommandError::user(error.to_string());
    fs_err::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), folder).map_err(failed)
}

fn markdown_help() -> String {
    let mut text = String::from("# Command line\n");
    for mut command in visible(Cli::command()) {
        let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
        let help = command.render_long_help().to_string();
        let help: Vec<_> = help.trim_end().lines().map(str::trim_end).collect();
        text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n")));
    }
    text
}

/// The command and all below it that are not hidden, in the order of the help.
fn visible(mut root: Command) -> Vec<Command> {
    root.build();
    let mut commands = vec![root];
    let mut index = 0;
    while let Some(command) = commands.get(index) {
        let below: Vec<_> = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set() && command.get_name() != "help")
            .cloned()
            .collect();
        commands.extend(below);
        index += 1;
    }
    commands
}
