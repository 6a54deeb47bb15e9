//! What users say of a control plane: arguments and files, made one specification.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use mesh_core::source::files;
use mesh_install::spec::{Issue, PROFILES, Request, Resolved, Source, resolve};

use crate::error::CommandError;
use crate::ui::Printer;

/// What a control plane is to be like.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Mesh")]
pub(crate) struct SpecArgs {
    /// Profile to build on [default: default]
    #[arg(
        long,
        value_name = "NAME",
        value_parser = PossibleValuesParser::new(PROFILES.iter().map(|profile| profile.name))
    )]
    pub(crate) profile: Option<String>,

    /// File with a specification; later ones win (can be repeated, `-` for standard input)
    #[arg(long, short, value_name = "FILE")]
    pub(crate) filename: Vec<PathBuf>,

    /// Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)
    #[arg(long, short, value_name = "FIELD=VALUE")]
    pub(crate) set: Vec<String>,

    /// Registry and folder of the images [default: docker.io/istio]
    #[arg(long, value_name = "HUB")]
    pub(crate) hub: Option<String>,

    /// Tag of the images, and so the version of Istio [default: the newest known release]
    #[arg(long, value_name = "TAG")]
    pub(crate) tag: Option<String>,

    /// Revision, which lets several control planes live side by side [default: the one without a name]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) revision: Option<String>,

    /// Namespace of the control plane [default: istio-system]
    #[arg(long, value_name = "NAME")]
    pub(crate) istio_namespace: Option<String>,
}

impl SpecArgs {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// One of them cannot be read.
    pub(crate) fn request(&self) -> Result<Request, CommandError> {
        let Self {
            profile,
            filename,
            set,
            hub,
            tag,
            revision,
            istio_namespace,
        } = self.clone();
        Ok(Request {
            files: filename
                .iter()
                .map(|path| source(path))
                .collect::<Result<_, _>>()?,
            sets: set,
            profile,
            namespace: istio_namespace,
            revision,
            hub,
            tag,
        })
    }
}

fn source(path: &Path) -> Result<Source, CommandError> {
    if path.as_os_str() == "-" {
        let text = std::io::read_to_string(std::io::stdin())
            .map_err(|error| CommandError::user(format!("cannot read standard input: {error}")))?;
        return Ok(Source {
            name: "standard input".to_owned(),
            text: text.into(),
        });
    }
    let name = files::display_name(path);
    let text = files::read_text(path)
        .map_err(|reason| CommandError::user(format!("cannot read {name}: {reason}")))?;
    Ok(Source { name, text })
}

/// Makes a specification, and says what may not be as it was meant.
///
/// # Errors
///
/// The last of what is wrong; all before it has been said.
pub(crate) fn specification(printer: &mut Printer, request: &Request) -> Result<Resolved, CommandError> {
    match resolve(request) {
        Ok(resolved) => {
            for warning in &resolved.warnings {
                printer.warning(&issue(warning));
            }
            Ok(resolved)
        }
        Err(issues) => {
            let (last, before) = match issues.split_last() {
                Some((last, before)) => (issue(last), before),
                None => (CommandError::user("the specification is wrong"), &[][..]),
            };
            for wrong in before {
                printer.error(&issue(wrong));
            }
            Err(last)
        }
    }
}

fn issue(issue: &Issue) -> CommandError {
    let error = CommandError::user(issue.message.clone()).maybe_hinted(issue.help.clone());
    match &issue.place {
        Some(place) => error.at(&place.source.name, &place.source.text, place.span),
        None => error,
    }
}
