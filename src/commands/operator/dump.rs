//! `meshctl operator dump`: what the operator consists of.

use std::collections::BTreeSet;

use clap::Args;
use mesh_install::inventory::DEFAULT_REVISION;
use mesh_install::operator::objects::{Settings, parts};
use mesh_install::plan::Part;
use serde_json::json;

use super::PlacesArgs;
use crate::commands::manifest::{Format, print};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::document::FormatArgs;

/// The registry and folder of the image, unless another one is named.
const HUB: &str = "ghcr.io/meshctl";

/// What the operator is made of.
#[derive(Args, Clone, Debug)]
pub(super) struct WhatArgs {
    #[command(flatten)]
    pub(super) places: PlacesArgs,

    /// Revisions of control planes that it may install; `default` is the one without a name
    #[arg(long, short, value_name = "NAMES", value_delimiter = ',', default_value = DEFAULT_REVISION, help_heading = "Operator")]
    revision: Vec<String>,

    /// Registry and folder of its image
    #[arg(long, value_name = "HUB", default_value = HUB, help_heading = "Operator")]
    hub: String,

    /// Tag of its image [default: the version of this program]
    #[arg(long, value_name = "TAG", help_heading = "Operator")]
    tag: Option<String>,

    /// Its image, as a whole
    #[arg(long, value_name = "IMAGE", conflicts_with_all = ["hub", "tag"], help_heading = "Operator")]
    image: Option<String>,
}

impl WhatArgs {
    /// The objects.
    ///
    /// # Errors
    ///
    /// The operator is to watch its own namespace.
    pub(super) fn parts(&self) -> Result<Vec<Part>, CommandError> {
        let Self {
            places,
            revision,
            hub,
            tag,
            image,
        } = self;
        let tag = tag.as_deref().unwrap_or(env!("CARGO_PKG_VERSION"));
        let settings = Settings {
            namespace: places.operator_namespace.clone(),
            watched: places.watched()?,
            revisions: revision.iter().cloned().collect::<BTreeSet<_>>(),
            image: image.clone().unwrap_or_else(|| format!("{hub}/meshctl:{tag}")),
        };
        Ok(parts(&settings))
    }
}

/// Print the objects that `operator init` installs
///
/// Needs no cluster. The rights are all that the operator has: it can neither read nor write in namespaces that it does
/// not watch.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct DumpArgs {
    #[command(flatten)]
    what: WhatArgs,

    #[command(flatten)]
    output: FormatArgs<Format>,
}

const EXAMPLES: &str = "\
Examples:
  Keep the objects in Git, and let something else apply them
    meshctl operator dump --watched-namespaces mesh-a,mesh-b > operator.yaml

Exit status:
  0  done
  2  the operator cannot be in a namespace that it watches";

/// Runs the command.
pub(super) fn dump(printer: &mut Printer, args: DumpArgs) -> Result<Exit, CommandError> {
    let DumpArgs { what, output } = args;
    let parts = what.parts()?;
    let mut objects = vec![json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": what.places.operator_namespace },
    })];
    objects.extend(parts.into_iter().flat_map(|part| part.objects));
    print(printer, output.format, &objects.iter().collect::<Vec<_>>())?;
    Ok(Exit::Clean)
}
