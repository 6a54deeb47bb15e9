//! `meshctl version`: which program this is, and which meshes it is for.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// The minor versions of Istio whose behavior the rules follow.
const ISTIO: [&str; 3] = ["1.29", "1.30", "1.31"];

/// Print the version, and which versions of Istio it is for
#[derive(Args, Clone, Copy, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct VersionArgs {
    /// Only the program's own version; no cluster is asked anyway
    #[arg(long)]
    client: bool,

    /// Form of the output
    #[arg(
        long,
        short,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        help_heading = "Output"
    )]
    output: VersionFormat,
}

const EXAMPLES: &str = "\
Examples:
  For a bug report
    meshctl version

  The number alone
    meshctl version -o json | jq -r .version";

/// The form of the version.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VersionFormat {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// The same document as YAML
    Yaml,
}

#[derive(Serialize)]
struct About {
    version: &'static str,
    istio: [&'static str; 3],
    platform: String,
}

/// Runs the command.
pub(crate) fn version(printer: &mut Printer, args: VersionArgs) -> Result<Exit, CommandError> {
    // The program is all there is to ask, with the flag or without.
    let VersionArgs { client: _, output } = args;
    let about = About {
        version: env!("CARGO_PKG_VERSION"),
        istio: ISTIO,
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    };
    let out = printer.stdout();
    match output {
        VersionFormat::Text => {
            writeln!(out, "meshctl {}", about.version)?;
            writeln!(out, "for Istio {}", about.istio.join(", "))?;
            writeln!(out, "on {}", about.platform)?;
        }
        VersionFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &about).map_err(std::io::Error::from)?;
            writeln!(out)?;
        }
        VersionFormat::Yaml => {
            let text = serde_yaml::to_string(&about).map_err(std::io::Error::other)?;
            out.write_all(text.as_bytes())?;
        }
    }
    Ok(Exit::Clean)
}
