//! `meshctl manifest`: the objects of a control plane.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};
use mesh_install::manifest::{ComponentName, render};
use mesh_install::object::ObjectRef;
use serde_json::{Value, json};

use crate::commands::install::manifest as files;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::spec::{SpecArgs, specification};
use crate::ui::document::FormatArgs;
use crate::ui::{Printer, counted, diff, document};

/// Show and compare the objects of a control plane
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ManifestArgs {
    #[command(subcommand)]
    command: ManifestCommand,
}

const EXAMPLES: &str = "\
Examples:
  What a profile with settings of one's own consists of
    meshctl manifest generate --profile demo -f mesh.yaml

  What a new release changes
    meshctl manifest diff old.yaml --tag 1.31.4

Exit status:
  0  done; the manifests are the same
  1  the manifests differ
  2  something that was given is wrong";

#[derive(Subcommand, Debug)]
enum ManifestCommand {
    Generate(GenerateArgs),
    Diff(DiffArgs),
}

/// Print the objects of a control plane
///
/// Everything comes from the program itself: no cluster, no network, no charts. The same arguments give the same
/// objects in the same order, in which they can be applied. Unknown fields are refused, those of the mesh config
/// included. docs/install-values.md says what can be set.
#[derive(Args, Debug)]
#[command(after_long_help = GENERATE_EXAMPLES)]
struct GenerateArgs {
    #[command(flatten)]
    spec: SpecArgs,

    /// Print only this component (can be repeated)
    #[arg(
        long,
        short,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(ComponentName::ALL.map(ComponentName::as_str)),
        ignore_case = true,
        help_heading = "Output"
    )]
    component: Vec<String>,

    #[command(flatten)]
    output: FormatArgs<Format>,
}

const GENERATE_EXAMPLES: &str = "\
Examples:
  What a profile consists of
    meshctl manifest generate --profile ambient

  With settings, of one component
    meshctl manifest generate -f mesh.yaml --set values.pilot.traceSampling=10 --component Pilot

  A second revision, applied by kubectl
    meshctl manifest generate --revision 1-30 --tag 1.30.8 | kubectl apply --server-side -f -

Exit status:
  0  done
  2  nothing was printed: something that was given is wrong";

/// The form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// One document for each object
    #[default]
    Yaml,
    /// A List of all objects
    Json,
}

/// Compare the objects of two control planes
///
/// Objects are compared by what they say: their order in the files, comments and the order of fields do not count.
/// With one file, it is compared with what the other arguments render.
#[derive(Args, Debug)]
#[command(after_long_help = DIFF_EXAMPLES)]
struct DiffArgs {
    /// File or folder with the objects of the one; `-` is standard input
    #[arg(value_name = "FILE")]
    before: PathBuf,

    /// File or folder with the objects of the other [default: what the arguments render]
    #[arg(value_name = "OTHER")]
    after: Option<PathBuf>,

    #[command(flatten)]
    spec: SpecArgs,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  What a new release changes
    meshctl manifest generate --tag 1.30.8 > old.yaml
    meshctl manifest diff old.yaml --tag 1.31.4

  Two files
    meshctl manifest diff old.yaml new.yaml

Exit status:
  0  they are the same
  1  they differ
  2  they could not be compared";

/// Runs the command.
pub(crate) fn manifest(printer: &mut Printer, args: ManifestArgs) -> Result<Exit, CommandError> {
    match args.command {
        ManifestCommand::Generate(args) => generate(printer, &args),
        ManifestCommand::Diff(args) => compare(printer, &args),
    }
}

fn generate(printer: &mut Printer, args: &GenerateArgs) -> Result<Exit, CommandError> {
    let GenerateArgs {
        spec,
        component,
        output,
    } = args;
    let spec = specification(printer, &spec.request()?)?.spec;
    let manifest = render(&spec);
    let is_wanted =
        |name: &str| component.is_empty() || component.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
    let objects: Vec<&Value> = manifest
        .components
        .iter()
        .filter(|component| is_wanted(component.name.as_str()))
        .flat_map(|component| &component.objects)
        .collect();
    if objects.is_empty() {
        printer.note("nothing is installed");
    }
    print(printer, output.format, &objects)?;
    Ok(Exit::Clean)
}

/// Prints objects for who applies them.
pub(crate) fn print(printer: &mut Printer, format: Format, objects: &[&Value]) -> io::Result<()> {
    match format {
        Format::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            document::json(printer.stdout(), &list)?;
        }
        Format::Yaml => {
            for (index, object) in objects.iter().enumerate() {
                if index > 0 {
                    writeln!(printer.stdout(), "---")?;
                }
                printer.stdout().write_all(yaml(object)?.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// An object as YAML.
pub(crate) fn yaml(object: &Value) -> io::Result<String> {
    mesh_yaml::emit::to_string(object).map_err(io::Error::other)
}

/// Objects by kind, namespace and name.
type Objects = BTreeMap<String, Value>;

fn by_identity(objects: impl IntoIterator<Item = Value>) -> Result<Objects, CommandError> {
    objects
        .into_iter()
        .map(|mut object| {
            let reference = ObjectRef::of(&object, "")
                .map_err(|error| CommandError::user(format!("an object cannot be compared: {error}")))?;
            object.sort_all_objects();
            Ok((reference.to_string(), object))
        })
        .collect()
}

fn compare(printer: &mut Printer, args: &DiffArgs) -> Result<Exit, CommandError> {
    let DiffArgs { before, after, spec } = args;
    let read = |path: &PathBuf| {
        let objects = files::read_objects(path)?;
        by_identity(objects.into_iter().map(|(_, object)| object))
    };
    let old = read(before)?;
    let (new, name) = if let Some(after) = after {
        (read(after)?, after.display().to_string())
    } else {
        let spec = specification(printer, &spec.request()?)?.spec;
        let components = render(&spec).components;
        let objects = components.into_iter().flat_map(|component| component.objects);
        (by_identity(objects)?, "rendered".to_owned())
    };
    let look = printer.look();
    let mut different = 0;
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for identity in names {
        let (old, new) = (old.get(identity), new.get(identity));
        if old == new {
            continue;
        }
        different += 1;
        let text = |object: Option<&Value>| object.map_or_else(|| Ok(String::new()), yaml);
        let label = |file: &str| format!("{file} {identity}");
        let labels = (&*label(&before.display().to_string()), &*label(&name));
        diff::unified(printer.stdout(), look, labels, &text(old)?, &text(new)?)?;
    }
    if different == 0 {
        printer.status(format_args!("{} are the same", counted(old.len(), "object")));
        return Ok(Exit::Clean);
    }
    printer.status(format_args!("{} differ", counted(different, "object")));
    Ok(Exit::Findings)
}
