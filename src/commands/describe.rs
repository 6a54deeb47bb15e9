//! `meshctl describe`: what applies to a workload, a service or a host.

mod picture;
mod text;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mesh_analyze::describe::{self, Description};
use mesh_core::cluster::{Target, TargetKind};
use mesh_core::schema::validate::closest;
use mesh_core::source::cluster::{KINDS, Request};
use mesh_core::source::{self, LoadOptions, files};
use mesh_core::{Kind, Mesh, MeshBuilder, Settings, Workload};

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::document::{self, FormatArgs};
use crate::ui::progress::Progress;

/// Show what applies to a pod, a service or a host, and in which order
///
/// Routes, traffic policies, mutual TLS, authorization, gateways, and what `analyze` finds about any of them; from
/// the cluster, or from files.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DescribeArgs {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  Who may call a workload, and what its proxy accepts
    meshctl describe pod deploy/catalog -n shop

  Where requests to a service go
    meshctl describe service catalog.shop

  The same from files, as a picture for a document
    meshctl describe service catalog.shop -f manifests/ -o mermaid

  What a host means to clients of a namespace
    meshctl describe host api.example.com -n shop";

#[derive(Subcommand, Debug)]
enum What {
    /// A pod, or the pods of a workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME
    #[command(visible_alias = "po", alias = "workload")]
    Pod(SubjectArgs<Target>),
    /// A Service, or the service that a ServiceEntry declares
    #[command(visible_alias = "svc")]
    Service(SubjectArgs<Target>),
    /// A host name
    Host(SubjectArgs<String>),
}

/// What to describe, where it is, and how.
#[derive(Args, Debug)]
struct SubjectArgs<T>
where
    T: std::str::FromStr + Clone + Send + Sync + 'static,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
{
    /// Its name; with .NAMESPACE if it is in another one
    #[arg(value_name = "NAME", value_parser = |text: &str| text.parse::<T>())]
    name: T,

    /// Read files or folders instead of the cluster, `-` for standard input (can be repeated)
    #[arg(long, short, value_name = "PATH")]
    file: Vec<PathBuf>,

    /// Namespace of the name; for a host, of its clients [default: the context's, or default]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = "istio-system")]
    istio_namespace: String,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// The form of a description.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// The same as YAML
    Yaml,
    /// A picture in the language of Mermaid
    Mermaid,
    /// A picture in the language of Graphviz
    Dot,
}

/// Runs the command.
pub(crate) fn describe(printer: &mut Printer, args: DescribeArgs) -> Result<Exit, CommandError> {
    let DescribeArgs { what } = args;
    match what {
        What::Pod(args) => run(printer, &args, |mesh, target, namespace| {
            let workload = find_workload(mesh, target, namespace)?;
            Ok(describe::workload(mesh, workload))
        }),
        What::Service(args) => run(printer, &args, |mesh, target, namespace| {
            if !matches!(target.kind, TargetKind::Pod | TargetKind::Service) {
                return Err(CommandError::user(format!("{target} is no service"))
                    .hinted("`meshctl describe pod` describes workloads"));
            }
            for (name, namespace) in target.readings(namespace) {
                let mut services = mesh.registry().services().iter();
                if let Some(service) = services
                    .find(|service| service.header().name() == name && service.namespace() == namespace)
                {
                    return Ok(describe::service(mesh, service, namespace));
                }
            }
            let names: Vec<_> = mesh
                .registry()
                .services()
                .iter()
                .map(|service| service.header().name())
                .collect();
            Err(missing("service", &target.name, namespace, &names))
        }),
        What::Host(args) => run(printer, &args, |mesh, name, namespace| {
            let host = mesh.host(name, namespace);
            let description = describe::host(mesh, &host, namespace);
            if description.services.is_empty() {
                let hosts: Vec<_> = mesh
                    .registry()
                    .services()
                    .iter()
                    .map(|service| service.host().as_str())
                    .collect();
                return Err(
                    CommandError::user(format!("nothing in the mesh is about the host `{host}`"))
                        .maybe_hinted(
                            closest(host.as_str(), hosts.into_iter())
                                .map(|name| format!("did you mean `{name}`?")),
                        ),
                );
            }
            Ok(description)
        }),
    }
}

fn run<T>(
    printer: &mut Printer,
    args: &SubjectArgs<T>,
    describe: impl Fn(&Mesh, &T, &str) -> Result<Description, CommandError>,
) -> Result<Exit, CommandError>
where
    T: std::str::FromStr + Clone + Send + Sync + 'static,
    T::Err: Into<Box<dyn std::error::Error + Send + Sync + 'static>>,
{
    let SubjectArgs {
        name,
        file,
        namespace,
        istio_namespace,
        output,
        cluster,
    } = args;
    let settings = Settings {
        istio_namespace: istio_namespace.clone(),
        ..Settings::default()
    };
    let (mesh, context) = if file.is_empty() {
        from_cluster(printer, cluster, settings, namespace.as_deref())?
    } else {
        (
            from_files(printer, file, settings, namespace.as_deref())?,
            "default".to_owned(),
        )
    };
    let namespace = namespace.as_deref().unwrap_or(&context);
    let description = describe(&mesh, name, namespace)?;
    let look = printer.look();
    let out = printer.stdout();
    match output.format {
        Format::Text => out.write_all(text::text(look, &description).as_bytes())?,
        Format::Mermaid => out.write_all(picture::Picture::of(&description).mermaid().as_bytes())?,
        Format::Dot => out.write_all(picture::Picture::of(&description).dot().as_bytes())?,
        Format::Json => document::json(out, &description)?,
        Format::Yaml => document::yaml(out, &description)?,
    }
    Ok(Exit::Clean)
}

fn from_files(
    printer: &Printer,
    paths: &[PathBuf],
    settings: Settings,
    namespace: Option<&str>,
) -> Result<Mesh, CommandError> {
    let inputs = super::analyze::inputs(paths)?;
    let mut options = LoadOptions::default();
    if let Some(namespace) = namespace {
        namespace.clone_into(&mut options.default_namespace);
    }
    let progress = Progress::start(printer);
    let mut builder = MeshBuilder::new(settings);
    files::load(&mut builder, inputs, &options, || progress.file());
    let mesh = builder.build();
    super::analyze::unreadable(&mesh, paths)?;
    Ok(mesh)
}

/// The mesh of the cluster, and the namespace of the context.
fn from_cluster(
    printer: &mut Printer,
    connection: &ClusterArgs,
    settings: Settings,
    namespace: Option<&str>,
) -> Result<(Mesh, String), CommandError> {
    let progress = Progress::start(printer);
    let (mesh, context) = connection.run(async |cluster| {
        let context = cluster.namespace().to_owned();
        let request = Request {
            kinds: KINDS,
            overlay: None,
            namespace: Some(namespace.unwrap_or(&context)),
        };
        let mut builder = MeshBuilder::new(settings);
        source::cluster::load(&mut builder, &cluster, &request, |now| {
            progress.message(format!("reading {} of {} kinds", now.done, now.kinds));
        })
        .await?;
        Ok((builder.build(), context))
    })?;
    drop(progress);
    for unreadable in mesh.unreadable() {
        let only = unreadable.only.as_ref();
        let left = only.map_or_else(
            || "are left out".to_owned(),
            |namespace| format!("were read in namespace `{namespace}` only"),
        );
        let message = format!("objects of {} {left}: {}", unreadable.kind, unreadable.reason);
        printer.warning(&CommandError::user(message));
    }
    Ok((mesh, context))
}

/// The workload that a target means: a pod, or what makes pods.
fn find_workload<'m>(mesh: &'m Mesh, target: &Target, namespace: &str) -> Result<&'m Workload, CommandError> {
    let kind = match target.kind {
        TargetKind::Pod => None,
        TargetKind::Deployment => Some(Kind::Deployment),
        TargetKind::ReplicaSet => Some(Kind::ReplicaSet),
        TargetKind::StatefulSet => Some(Kind::StatefulSet),
        TargetKind::DaemonSet => Some(Kind::DaemonSet),
        TargetKind::Job => Some(Kind::Job),
        TargetKind::Service | TargetKind::Gateway => {
            return Err(CommandError::user(format!("{target} is no workload"))
                .hinted("`meshctl describe service` describes services"));
        }
    };
    let all = mesh.workloads().all();
    for (name, namespace) in target.readings(namespace) {
        // Pods come first, so that a name alone means a pod if there is one.
        let found = all.iter().find(|workload| {
            workload.owner().name() == name
                && workload.namespace() == namespace
                && kind.is_none_or(|kind| workload.owner().kind() == kind)
        });
        if let Some(found) = found {
            return Ok(found);
        }
    }
    let names: Vec<_> = all.iter().map(|workload| workload.owner().name()).collect();
    Err(missing("workload", &target.name, namespace, &names))
}

fn missing(what: &str, name: &str, namespace: &str, names: &[&str]) -> CommandError {
    CommandError::user(format!("there is no {what} `{name}` in namespace `{namespace}`")).hinted(
        match closest(name, names.iter().copied().filter(|known| *known != name)) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "name its namespace with `-n NAMESPACE`, or write NAME.NAMESPACE".to_owned(),
        },
    )
}
