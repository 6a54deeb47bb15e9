//! The `meshctl` program.
//!
//! ```text
//! arguments ─ cli ─► commands::<command> ─ load ─► Mesh ─ compute ─► value ─ ui::render ─► stdout
//!                          │                                           └─ summary, notes ─► stderr
//!                          └─ CommandError (message, place, hints) ─► stderr, exit status 2
//! ```
//!
//! Commands are thin: they read arguments, call the libraries, and hand the result to a renderer. Nothing is printed
//! but through [`ui::Printer`].

#![expect(
    clippy::format_push_string,
    reason = "output is put together once; appending to it reads better than writing with errors that cannot happen"
)]

mod cli;
mod cluster;
mod commands;
mod config;
mod error;
mod exit;
mod installer;
mod proxies;
mod service;
mod spec;
mod ui;
mod watch;

use std::process::ExitCode;

/// Loading makes millions of small objects on all threads; the system's allocator takes half as long again.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use clap::Parser;

use cli::Cli;
use error::ErrorKind;
use exit::Exit;
use ui::Printer;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and nobody may be reading them.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Failed
            } else {
                Exit::Clean
            }
            .into();
        }
    };
    let Cli { output, command } = cli;
    let mut printer = Printer::new(output);
    let result = commands::run(&mut printer, command).and_then(|exit| {
        printer.finish()?;
        Ok(exit)
    });
    let exit = match result {
        Ok(exit) => exit,
        Err(error) if error.kind == ErrorKind::BrokenPipe => Exit::Clean,
        Err(error) => {
            printer.error(&error);
            match error.kind {
                ErrorKind::Interrupted => Exit::Interrupted,
                ErrorKind::Conflict => Exit::Conflict,
                ErrorKind::TimedOut => Exit::TimedOut,
                _ => Exit::Failed,
            }
        }
    };
    exit.into()
}
