//! `meshctl canary shift --files`: the same change in files, for those who let a repository change the cluster.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use mesh_canary::locate::{self, Wish};
use mesh_canary::patch::{self, Operation};
use mesh_canary::percent::Shift;
use mesh_canary::route::{Names, is_own};
use mesh_canary::rules;
use mesh_canary::state::{Phase, Rollout, Stamp};
use mesh_core::source::{LoadOptions, Source, files, load_text};
use mesh_core::{Kind, Mesh, MeshBuilder, ResourceId, Settings};
use serde_json::Value;

use super::checks::no_new_errors;
use super::event::{Event, Format, Speaker};
use super::{ExtraArgs, ShiftArgs, readable};
use crate::commands::inject::manifests::replace_all;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::progress::Progress;

/// A file with one document changed.
struct Edited {
    name: String,
    before: Arc<str>,
    after: String,
}

/// Runs the command.
pub(super) fn shift(printer: &mut Printer, args: &ShiftArgs, share: Shift) -> Result<Exit, CommandError> {
    let namespace = args.subject.namespace.as_deref().unwrap_or("default");
    if let Some(flag) = args.subject.cluster.given() {
        return Err(CommandError::user(format!(
            "`{flag}` is about a cluster, and `--files` about files"
        )));
    }
    let ExtraArgs {
        no_match,
        no_mirror,
        no_sticky,
        ..
    } = &args.extras;
    if let Some((flag, _)) = [
        ("--no-match", no_match),
        ("--no-mirror", no_mirror),
        ("--no-sticky", no_sticky),
    ]
    .iter()
    .find(|(_, is_given)| **is_given)
    {
        return Err(CommandError::user(format!(
            "`{flag}` is about a rollout in a cluster, and files keep none"
        ))
        .hinted("take what an earlier shift has added out of the file"));
    }
    let mesh = load(printer, args, namespace)?;
    let service = match &args.subject.service {
        Some(name) => locate::service(&mesh, name, namespace)?,
        None => match locate::candidates(&mesh, namespace).as_slice() {
            [only] => *only,
            _ => {
                return Err(CommandError::user("it is not clear which service is meant")
                    .hinted("name it with `--service NAME`, and its namespace with `-n NAMESPACE`"));
            }
        },
    };
    let wish = Wish {
        stable: args.subject.stable.as_deref(),
        canary: args.subject.canary.as_deref(),
        object: args.subject.object.as_deref(),
    };
    let place = locate::locate(&mesh, service, &wish)?;
    let Some(id) = place.object else {
        let made = rules::new_virtual_service(service, &place.subject.stable);
        return Err(CommandError::user(format!(
            "no file has a VirtualService that routes `{}`",
            service.host()
        ))
        .hinted(format!("add one, such as:\n{}", readable(&made))));
    };
    let names = Names {
        namespace: &id.namespace,
        cluster_domain: &mesh.settings().cluster_domain,
    };
    let object = json_of(&mesh, &id)?;
    let routes = patch::routes(&object, &place.subject, args.subject.route.as_deref(), &names)?;
    let nobody = Stamp {
        time: format!("{:.0}", Timestamp::now()),
        by: String::new(),
    };
    let mut rollout = Rollout::new(place.subject.clone(), routes, &nobody, Vec::new());
    rollout.phase = Phase::Progressing;
    rollout.percent = share
        .from(rollout.share_before(&names)?)
        .map_err(CommandError::user)?;
    args.extras.apply(&mut rollout);
    let is_more = !rollout.extras.previews.is_empty() || rollout.extras.sticky.is_some();
    let mut routes = rollout
        .routes
        .iter()
        .flat_map(|route| route.section.routes(&object));
    if let Some(own) = routes.find(|route| is_more && is_own(route)) {
        return Err(CommandError::user(format!(
            "{id} has the route {} of an earlier shift already",
            own["name"]
        ))
        .hinted(
            "take it out of the file, or leave `--match`, `--match-cookie` and `--sticky` out: it stays",
        ));
    }
    let change = patch::shift(&object, &rollout, &names)?;
    let mut edits = Vec::new();
    if !place.missing.is_empty() {
        let Some((namespace, name)) = &place.rule else {
            let made = rules::new_rule(service, &place.missing, place.inherited.as_ref());
            return Err(CommandError::user(format!(
                "no file has a DestinationRule for `{}`",
                service.host()
            ))
            .hinted(format!("add one, such as:\n{}", readable(&made))));
        };
        let rule = ResourceId {
            kind: Kind::DestinationRule,
            namespace: namespace.clone(),
            name: name.clone(),
        };
        let operations = rules::add_subsets(&json_of(&mesh, &rule)?, &place.missing);
        edits.push((rule, operations));
    }
    // The repository keeps the state: what was there before is its history.
    let operations = change
        .operations
        .into_iter()
        .filter(|operation| !operation.path().to_string().starts_with("/metadata"))
        .collect();
    edits.push((id.clone(), operations));
    let edited = edit(&mesh, &edits)?;
    no_new_errors(&mesh, &mesh.overlay(&changed(&mesh, &edited, namespace)))?;
    let speaker = Speaker {
        format: args.change.output.format,
    };
    if args.change.diff || args.change.dry_run {
        for file in &edited {
            speaker.say_diff(printer, &file.name, &file.before, &file.after)?;
        }
    }
    if args.change.dry_run {
        return Ok(Exit::Clean);
    }
    let replacements: Vec<_> = edited
        .iter()
        .map(|file| (Path::new(&file.name), file.after.as_str()))
        .collect();
    replace_all(&replacements)?;
    for file in &edited {
        match speaker.format {
            Format::Text => printer.status(format_args!("wrote {}", file.name)),
            Format::Json => speaker.say(printer, &Event::Wrote { file: &file.name })?,
        }
    }
    Ok(Exit::Clean)
}

fn options(namespace: &str) -> LoadOptions {
    LoadOptions {
        default_namespace: namespace.to_owned(),
        ..LoadOptions::default()
    }
}

/// What is in the files that change, after the change.
fn changed(mesh: &Mesh, edited: &[Edited], namespace: &str) -> Mesh {
    let mut builder = MeshBuilder::new(mesh.settings().clone());
    for file in edited {
        let text: Arc<str> = file.after.as_str().into();
        let loaded = load_text(builder.next_source(), &file.name, &text, &options(namespace));
        builder.add(Source::new(file.name.as_str(), text), loaded);
    }
    builder.build()
}

fn load(printer: &Printer, args: &ShiftArgs, namespace: &str) -> Result<Mesh, CommandError> {
    let inputs = crate::commands::analyze::inputs(&args.files)?;
    let progress = Progress::start(printer);
    let mut builder = MeshBuilder::new(Settings {
        istio_namespace: args.subject.istio_namespace.clone(),
        ..Settings::default()
    });
    files::load(&mut builder, inputs, &options(namespace), || progress.file());
    let mesh = builder.build();
    crate::commands::analyze::unreadable(&mesh, &args.files)?;
    Ok(mesh)
}

fn json_of(mesh: &Mesh, id: &ResourceId) -> Result<Value, CommandError> {
    let resource = mesh
        .find(id)
        .ok_or_else(|| CommandError::user(format!("{id} is in no file")))?;
    Ok(locate::to_json(&resource))
}

/// The text of a document after a patch. Each operation is written by itself, so that what stays is told from what goes.
/// `None` if that would write all of it anew, without its comments.
fn rewritten(text: &str, operations: &[Operation]) -> Result<Option<String>, CommandError> {
    let mut text: Arc<str> = text.into();
    for operation in operations {
        let document = match mesh_yaml::parse(&text).pop() {
            Some(Ok(document)) => document,
            Some(Err(error)) => return Err(CommandError::user(error.message)),
            None => return Err(CommandError::user("the document is empty")),
        };
        let object = patch::applied(&document.root().to_json(), std::slice::from_ref(operation))?;
        let updated =
            mesh_yaml::update::update(&document, &object, |key| (key == "subsets").then_some("name"));
        if updated.is_rewritten {
            return Ok(None);
        }
        if let Some(new) = updated.text {
            let span = document.span().range();
            text = format!("{}{new}{}", &text[..span.start], &text[span.end..]).into();
        }
    }
    Ok(Some(text.to_string()))
}

/// The files with the objects changed; one that has several gets all changes.
fn edit(mesh: &Mesh, edits: &[(ResourceId, Vec<Operation>)]) -> Result<Vec<Edited>, CommandError> {
    let mut files: Vec<(Edited, Vec<(mesh_yaml::Span, String)>)> = Vec::new();
    for (id, operations) in edits {
        let resource = mesh
            .find(id)
            .ok_or_else(|| CommandError::user(format!("{id} is in no file")))?;
        let origin = resource.header().origin();
        let source = mesh.source(origin.source);
        if !origin.base.is_empty() {
            return Err(
                CommandError::user(format!("{id} is an item of a List in `{}`", source.name()))
                    .hinted("give it a document of its own"),
            );
        }
        let span = origin.document.span();
        let text = rewritten(&source.text()[span.range()], operations)?.ok_or_else(|| {
            CommandError::user(format!(
                "{id} in `{}` is written with anchors or merge keys, so its comments could not be kept",
                source.name()
            ))
            .hinted("write the route out, without anchors and aliases")
        })?;
        let part = (span, text);
        if let Some((_, parts)) = files.iter_mut().find(|(file, _)| file.name == source.name()) {
            parts.push(part);
        } else {
            let file = Edited {
                name: source.name().to_owned(),
                before: Arc::clone(source.text()),
                after: String::new(),
            };
            files.push((file, vec![part]));
        }
    }
    Ok(files
        .into_iter()
        .map(|(mut file, mut parts)| {
            parts.sort_by_key(|(span, _)| span.start);
            let mut done = 0;
            for (span, text) in parts {
                file.after.push_str(&file.before[done..span.start as usize]);
                file.after.push_str(&text);
                done = span.end as usize;
            }
            file.after.push_str(&file.before[done..]);
            file
        })
        .collect())
}
