//! `meshctl profile`: what control planes build on.

use std::io::Write as _;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use mesh_install::manifest::{ComponentName, render};
use mesh_install::spec::{GROUP, KIND, PROFILES, Request, VERSION};
use serde::Serialize;
use serde_json::{Value, json};

use crate::commands::manifest::yaml;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::spec::{SpecArgs, specification};
use crate::ui::document::{self, Format, FormatArgs};
use crate::ui::table::table;
use crate::ui::{Printer, diff};

/// List, show and compare the profiles that control planes build on
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

const EXAMPLES: &str = "\
Examples:
  Which profiles there are, and what is in them
    meshctl profile list

  All settings of a profile, to start a file of one's own with
    meshctl profile dump ambient > mesh.yaml

  What differs
    meshctl profile diff default demo

Exit status:
  0  done; the profiles are the same
  1  the profiles differ
  2  something that was given is wrong";

#[derive(Subcommand, Debug)]
enum ProfileCommand {
    List(ListArgs),
    Dump(DumpArgs),
    Diff(DiffArgs),
}

/// List the profiles
#[derive(Args, Debug)]
struct ListArgs {
    #[command(flatten)]
    output: FormatArgs<Format>,
}

/// The form of a specification.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum DumpFormat {
    /// A MeshControlPlane in YAML
    #[default]
    Yaml,
    /// The same in JSON
    Json,
}

/// Show all settings of a profile, or of what builds on one
///
/// What is printed can be given to `-f`, and means the same. With files and `--set` it shows what they come to.
#[derive(Args, Debug)]
struct DumpArgs {
    /// The profile; same as --profile
    #[arg(
        value_name = "PROFILE",
        value_parser = PossibleValuesParser::new(PROFILES.iter().map(|profile| profile.name)),
        hide_possible_values = true,
        conflicts_with = "profile"
    )]
    name: Option<String>,

    #[command(flatten)]
    spec: SpecArgs,

    #[command(flatten)]
    output: FormatArgs<DumpFormat>,
}

/// Show the settings in which two profiles differ
#[derive(Args, Debug)]
struct DiffArgs {
    /// The one profile
    #[arg(
        value_name = "PROFILE",
        value_parser = PossibleValuesParser::new(PROFILES.iter().map(|profile| profile.name)),
        hide_possible_values = true
    )]
    before: String,

    /// The other profile
    #[arg(
        value_name = "OTHER",
        value_parser = PossibleValuesParser::new(PROFILES.iter().map(|profile| profile.name)),
        hide_possible_values = true
    )]
    after: String,
}

/// Runs the command.
pub(crate) fn profile(printer: &mut Printer, args: ProfileArgs) -> Result<Exit, CommandError> {
    match args.command {
        ProfileCommand::List(args) => list(printer, &args),
        ProfileCommand::Dump(args) => dump(printer, args),
        ProfileCommand::Diff(args) => compare(printer, &args),
    }
}

#[derive(Serialize)]
struct Listed {
    name: &'static str,
    components: Vec<&'static str>,
    summary: &'static str,
}

impl Listed {
    /// What people see. The base is part of all that is not empty.
    fn row(&self) -> Vec<String> {
        let components = self.components.iter().copied();
        let components: Vec<_> = components
            .filter(|name| *name != ComponentName::Base.as_str())
            .collect();
        vec![
            self.name.to_owned(),
            components.join(", "),
            self.summary.to_owned(),
        ]
    }
}

fn list(printer: &mut Printer, args: &ListArgs) -> Result<Exit, CommandError> {
    let mut listed = Vec::with_capacity(PROFILES.len());
    for profile in PROFILES {
        let spec = specification(printer, &of(profile.name))?.spec;
        let components = render(&spec).components;
        listed.push(Listed {
            name: profile.name,
            components: components
                .iter()
                .map(|component| component.name.as_str())
                .collect(),
            summary: profile.summary(),
        });
    }
    let look = printer.look();
    let document = json!({"profiles": listed});
    document::write(printer.stdout(), args.output.format, &document, |out| {
        let rows: Vec<_> = listed.iter().map(Listed::row).collect();
        let text = table(look, &["PROFILE", "COMPONENTS", "WHAT FOR"], &rows);
        out.write_all(text.as_bytes())
    })?;
    Ok(Exit::Clean)
}

fn of(profile: &str) -> Request {
    Request {
        profile: Some(profile.to_owned()),
        ..Request::default()
    }
}

/// A specification as the object that holds it.
fn held(spec: &Value) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/{VERSION}"),
        "kind": KIND,
        "metadata": {"name": "mesh"},
        "spec": spec,
    })
}

fn dump(printer: &mut Printer, args: DumpArgs) -> Result<Exit, CommandError> {
    let DumpArgs {
        name,
        spec: mut args,
        output,
    } = args;
    args.profile = args.profile.or(name);
    let spec = specification(printer, &args.request()?)?.spec;
    let object = held(spec.to_json());
    match output.format {
        DumpFormat::Json => document::json(printer.stdout(), &object)?,
        DumpFormat::Yaml => printer.stdout().write_all(yaml(&object)?.as_bytes())?,
    }
    Ok(Exit::Clean)
}

fn compare(printer: &mut Printer, args: &DiffArgs) -> Result<Exit, CommandError> {
    let mut text = |name: &str| -> Result<String, CommandError> {
        let spec = specification(printer, &of(name))?.spec;
        Ok(yaml(spec.to_json())?)
    };
    let (before, after) = (text(&args.before)?, text(&args.after)?);
    if before == after {
        return Ok(Exit::Clean);
    }
    let look = printer.look();
    diff::unified(
        printer.stdout(),
        look,
        (&args.before, &args.after),
        &before,
        &after,
    )?;
    Ok(Exit::Findings)
}
