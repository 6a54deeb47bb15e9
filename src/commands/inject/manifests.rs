//! Manifests that are read, changed document by document, and written again: what `inject` and `uninject` share.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use mesh_core::source::files;
use mesh_inject::{Namespace, Problem, Processed, Severity, TemplateKind, Workload, namespace};
use mesh_yaml::{Document, FieldPath, Span};
use rayon::prelude::*;

use crate::error::CommandError;
use crate::ui::{Look, Printer, counted, diff};

/// Where manifests come from, and where they go.
#[derive(Args, Clone, Debug)]
pub(crate) struct ManifestArgs {
    /// Files and folders to read, `-` for standard input (can be repeated)
    ///
    /// Folders are read to any depth: all files that end in .yaml, .yml or .json and that neither .gitignore nor
    /// .meshctlignore leaves out.
    #[arg(long, short = 'f', value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,

    /// File to write to instead of standard output
    #[arg(
        long,
        short,
        value_name = "FILE",
        conflicts_with_all = ["in_place", "diff"],
        help_heading = "Output"
    )]
    output: Option<PathBuf>,

    /// Write each file back to where it was read; all of them or none
    #[arg(long, conflicts_with = "diff", help_heading = "Output")]
    in_place: bool,

    /// Print what would change, and change nothing
    #[arg(long, help_heading = "Output")]
    diff: bool,

    /// Where the pod template of another kind is, as KIND=FIELD or KIND.GROUP=FIELD (can be repeated)
    ///
    /// FIELD is the mapping that has `metadata` and `spec` of the pods, such as `spec.worker.template`.
    #[arg(long = "pod-template", value_name = "KIND=FIELD", value_parser = template_kind)]
    pub(crate) templates: Vec<TemplateKind>,
}

fn template_kind(text: &str) -> Result<TemplateKind, String> {
    let (kind, path) = text.split_once('=').ok_or("there is no `=`")?;
    let (kind, group) = match kind.split_once('.') {
        Some((kind, group)) => (kind, Some(group.to_owned())),
        None => (kind, None),
    };
    if kind.is_empty() {
        return Err("the kind is missing".to_owned());
    }
    let path: FieldPath = path.parse().map_err(|error| format!("not a field: {error}"))?;
    Ok(TemplateKind {
        group,
        kind: kind.to_owned(),
        path,
    })
}

/// Where a document is in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The number of its file.
    file: usize,
    /// Its number in the file.
    document: usize,
}

/// A file that was read.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// The file as the user would name it.
    name: String,
    /// Where it is; `None` for standard input.
    path: Option<PathBuf>,
    text: Arc<str>,
    documents: Vec<Document>,
}

/// A file after the change.
#[derive(Debug)]
pub(crate) struct Changed {
    manifest: Manifest,
    /// The new text; `None` if it stays as it is.
    text: Option<String>,
    /// The workloads of its documents.
    pub(crate) workloads: Vec<(usize, Workload)>,
    /// Documents whose comments were lost.
    rewritten: usize,
    /// Documents without workloads.
    pub(crate) others: usize,
}

impl ManifestArgs {
    /// Reads and parses everything.
    pub(crate) fn read(&self, printer: &mut Printer) -> Result<Vec<Manifest>, CommandError> {
        if self.in_place && self.filename.iter().any(|path| path.as_os_str() == "-") {
            return Err(CommandError::user("standard input cannot be written in place"));
        }
        read_all(printer, &self.filename)
    }

    /// Changes every document. If one cannot be changed, none is.
    pub(crate) fn change(
        printer: &mut Printer,
        manifests: Vec<Manifest>,
        change: impl Fn(Place, &Document) -> Result<Processed, Vec<Problem>> + Sync,
    ) -> Result<Vec<Changed>, CommandError> {
        let changed: Vec<_> = manifests
            .into_par_iter()
            .enumerate()
            .map(|(file, manifest)| {
                let documents = manifest.documents.par_iter().enumerate();
                let processed: Vec<_> = documents
                    .map(|(number, document)| {
                        change(
                            Place {
                                file,
                                document: number,
                            },
                            document,
                        )
                    })
                    .collect();
                assemble(manifest, processed)
            })
            .collect();
        let mut errors = Vec::new();
        let mut results = Vec::with_capacity(changed.len());
        for changed in changed {
            match changed {
                Ok(changed) => results.push(changed),
                Err(found) => errors.extend(found),
            }
        }
        refuse(printer, errors)?;
        Ok(results)
    }

    /// Writes the result where it was asked for.
    pub(crate) fn write(&self, printer: &mut Printer, changed: &[Changed]) -> Result<(), CommandError> {
        for changed in changed.iter().filter(|changed| changed.rewritten > 0) {
            printer.note(format_args!(
                "{} of `{}` {} written in a way that comments could not be kept",
                counted(changed.rewritten, "document"),
                changed.manifest.name,
                if changed.rewritten == 1 { "was" } else { "were" }
            ));
        }
        if self.diff {
            let look = printer.look();
            for changed in changed {
                changed.diff(printer.stdout(), look)?;
            }
            return Ok(());
        }
        if self.in_place {
            let replacements = changed
                .iter()
                .filter_map(|changed| Some((changed.manifest.path.as_deref()?, changed.text.as_deref()?)));
            return replace_all(&replacements.collect::<Vec<_>>());
        }
        match &self.output {
            Some(path) => {
                let mut text = Vec::new();
                concatenate(&mut text, changed)?;
                let text = String::from_utf8_lossy(&text);
                replace_all(&[(path, &text)])
            }
            None => Ok(concatenate(printer.stdout(), changed)?),
        }
    }
}

/// Reads and parses files and folders; `-` is standard input.
pub(crate) fn read_all(printer: &mut Printer, paths: &[PathBuf]) -> Result<Vec<Manifest>, CommandError> {
    let mut inputs: Vec<Option<PathBuf>> = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(None);
            continue;
        }
        let found = files::files_of(path).map_err(|(name, reason)| unreadable(&name, &reason))?;
        inputs.extend(found.into_iter().map(Some));
    }
    let manifests: Vec<_> = inputs.into_par_iter().map(read).collect();
    let mut errors = Vec::new();
    let mut read = Vec::with_capacity(manifests.len());
    for manifest in manifests {
        match manifest {
            Ok(manifest) => read.push(manifest),
            Err(found) => errors.extend(found),
        }
    }
    refuse(printer, errors)?;
    Ok(read)
}

fn unreadable(name: &str, reason: &str) -> CommandError {
    CommandError::user(format!("cannot read `{name}`: {reason}"))
}

/// Ends the command if there are errors, after showing all of them.
fn refuse(printer: &mut Printer, mut errors: Vec<CommandError>) -> Result<(), CommandError> {
    let count = errors.len();
    match errors.pop() {
        None => Ok(()),
        Some(only) if count == 1 => Err(only),
        Some(last) => {
            errors.push(last);
            for error in &errors {
                printer.error(error);
            }
            Err(CommandError::user(format!(
                "nothing was written because of the {} above",
                counted(count, "error")
            )))
        }
    }
}

fn read(path: Option<PathBuf>) -> Result<Manifest, Vec<CommandError>> {
    let (name, text) = if let Some(path) = &path {
        (files::display_name(path), files::read_text(path))
    } else {
        let mut bytes = Vec::new();
        let read = std::io::stdin().lock().read_to_end(&mut bytes);
        let text = read
            .map_err(|error| error.to_string())
            .and_then(|_| mesh_yaml::decode(bytes).map_err(|error| error.message));
        ("-".to_owned(), text)
    };
    let text = text.map_err(|reason| vec![unreadable(&name, &reason)])?;
    let chunks = mesh_yaml::split(&text);
    let parsed: Vec<_> = chunks.par_iter().filter_map(mesh_yaml::parse_chunk).collect();
    let mut documents = Vec::with_capacity(parsed.len());
    let mut errors = Vec::new();
    for document in parsed {
        match document {
            Ok(document) => documents.push(document),
            Err(error) => errors.push(
                CommandError::user(error.message)
                    .at(name.as_str(), &text, error.span)
                    .maybe_hinted(error.help),
            ),
        }
    }
    if !errors.is_empty() {
        if mesh_yaml::looks_like_helm_template(&text) {
            let error = CommandError::user(format!("`{name}` is a Helm template, not YAML"))
                .hinted("render the chart first: `helm template CHART | meshctl inject -f -`");
            return Err(vec![error]);
        }
        return Err(errors);
    }
    Ok(Manifest {
        name,
        path,
        text,
        documents,
    })
}

fn assemble(
    manifest: Manifest,
    processed: Vec<Result<Processed, Vec<Problem>>>,
) -> Result<Changed, Vec<CommandError>> {
    let mut errors = Vec::new();
    let mut workloads = Vec::new();
    let (mut others, mut rewritten) = (0, 0);
    let mut replaced: Vec<(Span, String)> = Vec::new();
    for (index, (document, processed)) in manifest.documents.iter().zip(processed).enumerate() {
        match processed {
            Ok(processed) => {
                others += usize::from(processed.workloads.is_empty());
                rewritten += usize::from(processed.is_rewritten);
                workloads.extend(processed.workloads.into_iter().map(|workload| (index, workload)));
                replaced.extend(processed.text.map(|text| (document.span(), text)));
            }
            Err(problems) => {
                let problems = problems
                    .iter()
                    .filter(|problem| problem.severity == Severity::Error);
                errors.extend(problems.map(|problem| manifest.error(index, problem)));
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let text = (!replaced.is_empty()).then(|| {
        let added: usize = replaced.iter().map(|(_, text)| text.len()).sum();
        let mut result = String::with_capacity(manifest.text.len() + added);
        let mut done = 0;
        for (span, text) in replaced {
            result.push_str(&manifest.text[done..span.start as usize]);
            result.push_str(&text);
            done = span.end as usize;
        }
        result.push_str(&manifest.text[done..]);
        result
    });
    Ok(Changed {
        manifest,
        text,
        workloads,
        rewritten,
        others,
    })
}

impl Manifest {
    /// The problem with its place in the file.
    fn error(&self, document: usize, problem: &Problem) -> CommandError {
        let Problem {
            severity: _,
            path,
            message,
            help,
        } = problem;
        let found = self.documents[document].root().locate(path);
        // What is missing, or large, is shown by its key.
        let is_scalar = self.documents[document]
            .root()
            .at(path)
            .is_some_and(|node| node.scalar().is_some());
        let span = match found.key {
            Some(key) if !found.exact || !is_scalar => key,
            _ => found.value,
        };
        CommandError::user(message)
            .at(&self.name, &self.text, span)
            .maybe_hinted(help.as_deref())
    }
}

impl Changed {
    /// The text as it is now.
    fn text(&self) -> &str {
        self.text.as_deref().unwrap_or(&self.manifest.text)
    }

    /// A warning with its place in the file.
    pub(crate) fn warning(&self, document: usize, problem: &Problem) -> CommandError {
        self.manifest.error(document, problem)
    }

    fn diff(&self, out: &mut impl Write, look: Look) -> std::io::Result<()> {
        let Some(new) = &self.text else { return Ok(()) };
        let name = self.manifest.name.as_str();
        diff::unified(out, look, (name, name), &self.manifest.text, new)
    }
}

/// Writes all files as one stream of documents.
fn concatenate(out: &mut impl Write, changed: &[Changed]) -> std::io::Result<()> {
    for (index, file) in changed.iter().enumerate() {
        let text = file.text();
        let before = index.checked_sub(1).map(|before| changed[before].text());
        if let Some(before) = before {
            if !before.ends_with('\n') {
                writeln!(out)?;
            }
            if !text.trim_start_matches('\u{feff}').starts_with("---") {
                writeln!(out, "---")?;
            }
        }
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Gives files new content: first beside each of them, and when all is written, in their places.
pub(crate) fn replace_all(files: &[(&Path, &str)]) -> Result<(), CommandError> {
    let mut written = Vec::with_capacity(files.len());
    let result = files.iter().try_for_each(|(path, text)| {
        // Links stay links.
        let target = fs_err::canonicalize(path).unwrap_or_else(|_| (*path).to_owned());
        let name = target
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let beside = target.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
        written.push((beside.clone(), target.clone()));
        let mut file = fs_err::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        if let Ok(metadata) = fs_err::metadata(&target) {
            fs_err::set_permissions(&beside, metadata.permissions())?;
        }
        file.sync_all()
    });
    let result = result.and_then(|()| {
        written
            .iter()
            .try_for_each(|(beside, target)| fs_err::rename(beside, target))
    });
    result.map_err(|error| {
        for (beside, _) in &written {
            // The first error is the one to tell.
            let _ = fs_err::remove_file(beside);
        }
        CommandError::user(format!("cannot write: {error}"))
    })
}

/// All documents of the manifests.
pub(crate) fn documents(manifests: &[Manifest]) -> impl Iterator<Item = (Place, &Document)> {
    manifests.iter().enumerate().flat_map(|(file, manifest)| {
        let documents = manifest.documents.iter().enumerate();
        documents.map(move |(number, document)| {
            (
                Place {
                    file,
                    document: number,
                },
                document,
            )
        })
    })
}

/// The Namespaces in the manifests.
pub(crate) fn namespaces(manifests: &[Manifest]) -> BTreeMap<String, Namespace> {
    documents(manifests)
        .filter_map(|(_, document)| namespace(document.root()))
        .collect()
}
