//! `meshctl install` and `meshctl upgrade`: a control plane comes to be, or becomes another one.

pub(crate) mod manifest;

use std::path::PathBuf;

use clap::Args;
use mesh_core::cluster::Cluster;
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_install::inventory::{DEFAULT_REVISION, control_planes};
use mesh_install::manifest::{ComponentName, Manifest};
use mesh_install::operator::objects::is_operator;
use mesh_install::plan::{Desired, Part};
use mesh_install::precheck::{Category, Check, Options, Status};
use mesh_install::spec::{Request, Resolved};
use mesh_install::state::{EntryFacts, State};
use mesh_install::version::Release;

use crate::cluster::ClusterArgs;
use crate::commands::precheck;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::run::{self, Job, Subject, check_step, facts, state_of};
use crate::installer::{ApplyArgs, MESH, session};
use crate::spec::{SpecArgs, specification};
use crate::ui::Printer;
use crate::ui::progress::Progress;

/// Install a control plane, or change the one that is installed
///
/// Shows what would change and what that disrupts, asks, and applies objects in the order in which they need each
/// other. While it waits for pods it says what keeps them: taints, missing CPU or memory, quotas, images, crashes. It
/// can be stopped or killed at any point: the same command goes on, `rollback` goes back, `uninstall` removes.
///
/// The objects are those that `meshctl manifest generate` prints for the same arguments, and, with the revision without a
/// name, istiod-default-validator, which has configuration checked that names no revision.
#[derive(Args, Debug)]
#[command(after_long_help = INSTALL_EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    what: WhatArgs,
}

const INSTALL_EXAMPLES: &str = "\
Examples:
  See what would be installed, and install it
    meshctl install --dry-run
    meshctl install

  The ambient data plane, with images of one's own registry, without being asked
    meshctl install --profile ambient --hub registry.example.com/istio -y

  Settings from a file and from the command line
    meshctl install -f mesh.yaml --set values.pilot.replicaCount=2

  A second revision beside the first
    meshctl install --revision 1-30 --tag 1.30.1

  Objects that something else has rendered, such as helm template
    meshctl install --manifest rendered.yaml

  Take over what istioctl or Helm have installed
    meshctl install --adopt --dry-run --diff

Exit status:
  0    everything is installed and runs
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Change the control plane that is installed
///
/// As install does, for a revision that is there already. Profile, files and --set of the installation before count on,
/// below those of now; the tag does not, so that without --tag it is the newest release. Goes up by one minor version
/// at most; more, or a new version beside the old one, is for revisions: install with --revision, move namespaces with
/// `meshctl tag`, and uninstall the old one.
#[derive(Args, Debug)]
#[command(after_long_help = UPGRADE_EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    what: WhatArgs,

    /// Forget profile, files and --set of the installation before, and take only those of now
    #[arg(long, help_heading = "Mesh")]
    reset_values: bool,
}

const UPGRADE_EXAMPLES: &str = "\
Examples:
  See what would change, field by field
    meshctl upgrade --dry-run --diff

  Upgrade to a release, and undo it
    meshctl upgrade --tag 1.30.1
    meshctl rollback

  Change one setting, and keep all others
    meshctl upgrade --tag 1.29.2 --set meshConfig.accessLogFile=/dev/stdout

Exit status:
  0    everything is installed and runs
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// What to install, and how.
#[derive(Args, Debug)]
struct WhatArgs {
    #[command(flatten)]
    spec: SpecArgs,

    /// Install the objects of this file or folder instead of a profile's, `-` for standard input (can be repeated)
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["profile", "filename", "set", "hub", "tag"],
        help_heading = "Mesh"
    )]
    manifest: Vec<PathBuf>,

    /// Do not check first whether the cluster can take it
    #[arg(long, help_heading = "Change")]
    skip_precheck: bool,

    /// Go down, or up by more than one minor version
    #[arg(long, help_heading = "Change")]
    skip_version_check: bool,

    #[command(flatten)]
    apply: ApplyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Runs `meshctl install`.
pub(crate) fn install(printer: &mut Printer, args: InstallArgs) -> Result<Exit, CommandError> {
    carry_out(printer, args.what, "install", false)
}

/// Runs `meshctl upgrade`.
pub(crate) fn upgrade(printer: &mut Printer, args: UpgradeArgs) -> Result<Exit, CommandError> {
    let UpgradeArgs { what, reset_values } = args;
    carry_out(printer, what, "upgrade", !reset_values)
}

/// What is to be there, and what is remembered of it.
struct Wanted {
    desired: Desired,
    facts: EntryFacts,
    options: Options,
}

fn carry_out(
    printer: &mut Printer,
    args: WhatArgs,
    action: &str,
    keeps_values: bool,
) -> Result<Exit, CommandError> {
    let WhatArgs {
        spec,
        manifest,
        skip_precheck,
        skip_version_check,
        apply,
        cluster,
    } = args;
    // What is wrong with what was given shows before a cluster is asked.
    let request = spec.request()?;
    let wanted = if manifest.is_empty() {
        from_spec(printer, &request, action)?
    } else {
        from_manifest(&manifest, &request, action)?
    };
    let (mesh, revision) = (wanted.desired.mesh.clone(), wanted.desired.revision.clone());
    cluster.run_to_end(async |connected| {
        let (session, _events) = session(connected.clone(), &mesh);
        let states = run::states(&session, &cluster).await?;
        if states.iter().any(is_operator) {
            return Err(CommandError::user(format!(
                "{mesh} is the namespace of an operator, which would be replaced"
            ))
            .hinted("name another one with `--istio-namespace`")
            .hinted("`meshctl operator remove` removes the operator"));
        }
        if action == "upgrade" {
            state_of(&states, &revision, &mesh)?;
        }
        let current = states
            .iter()
            .find(|state| state.revision == revision)
            .and_then(State::current);
        let mut wanted = wanted;
        if let Some(current) = current.filter(|_| keeps_values && manifest.is_empty()) {
            let mut request = request;
            request.lay_over(&current.facts.values);
            wanted = from_spec(printer, &request, action)?;
        }
        let Wanted {
            desired,
            facts,
            options,
        } = wanted;
        if !skip_version_check {
            let before = current.and_then(|entry| entry.facts.version.as_deref());
            check_step(before, facts.version.as_deref())?;
        }
        if !skip_precheck {
            let is_there = states.iter().any(|state| state.revision == revision);
            check(printer, &cluster, &connected, &options, is_there).await?;
        }
        let job = Job {
            subject: Subject::ControlPlane,
            desired,
            facts,
            apply: &apply,
        };
        run::install(printer, &cluster, &connected, job).await
    })
}

/// The parts of a specification.
fn from_spec(printer: &mut Printer, request: &Request, action: &str) -> Result<Wanted, CommandError> {
    let Resolved { spec, warnings: _ } = specification(printer, request)?;
    let control_plane = &spec.control_plane;
    let options = Options::of(&spec);
    let parts = options.manifest.parts();
    Ok(Wanted {
        facts: EntryFacts {
            version: Some(control_plane.tag.clone()),
            profile: control_plane.profile.clone(),
            values: request.remembered(),
            ..facts(action)
        },
        desired: desired(spec.namespace(), spec.revision_label(), parts)?,
        options,
    })
}

/// The parts of objects in files.
fn from_manifest(paths: &[PathBuf], request: &Request, action: &str) -> Result<Wanted, CommandError> {
    let mesh = request.namespace.as_deref().unwrap_or(MESH);
    let revision = request.revision.as_deref().unwrap_or(DEFAULT_REVISION);
    let manifest = manifest::read(paths, mesh)?;
    let desired = desired(mesh, revision, manifest.parts())?;
    let version = version(&desired);
    let release = version.as_deref().and_then(Release::of);
    let options = Options {
        release: release.unwrap_or_else(Release::latest),
        profile: profile_like(&manifest).to_owned(),
        istio_namespace: mesh.to_owned(),
        // The revision without a name is called so where one must be.
        revision: if revision == DEFAULT_REVISION {
            String::new()
        } else {
            revision.to_owned()
        },
        manifest,
    };
    Ok(Wanted {
        facts: EntryFacts {
            version,
            ..facts(action)
        },
        options,
        desired,
    })
}

fn desired(mesh: &str, revision: &str, parts: Vec<Part>) -> Result<Desired, CommandError> {
    Desired::new(mesh, revision, parts).map_err(|error| CommandError::user(error.to_string()))
}

/// The version of the control plane, which the image of istiod tells.
fn version(desired: &Desired) -> Option<String> {
    let deployments: Vec<Deployment> = desired
        .objects()
        .filter(|(reference, _, _)| reference.kind.kind == "Deployment")
        .filter_map(|(_, _, object)| serde_json::from_value(object.clone()).ok())
        .collect();
    let planes = control_planes(&deployments);
    planes.into_iter().find_map(|plane| plane.version)
}

/// The profile whose components are those of a manifest.
fn profile_like(manifest: &Manifest) -> &'static str {
    let has = |name| manifest.components.iter().any(|component| component.name == name);
    if has(ComponentName::Ztunnel) {
        "ambient"
    } else if has(ComponentName::EgressGateways) {
        "demo"
    } else if has(ComponentName::IngressGateways) {
        "default"
    } else {
        "minimal"
    }
}

/// Checks whether the cluster can take it. Where something is installed already, only what that does not answer.
async fn check(
    printer: &mut Printer,
    args: &ClusterArgs,
    cluster: &Cluster,
    options: &Options,
    is_there: bool,
) -> Result<(), CommandError> {
    let wanted = |check: &Check| match check.category {
        Category::Kubernetes | Category::Permissions => true,
        _ => !is_there,
    };
    let progress = Progress::start(printer);
    let report = args
        .unless_stopped(precheck::report(cluster, options, &progress, wanted))
        .await;
    drop(progress);
    let report = report??;
    let failed: Vec<_> = report
        .categories()
        .flat_map(|(_, results)| results)
        .filter(|result| result.outcome.status == Status::Fail)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = failed
        .iter()
        .map(|result| format!("  {}: {}", result.check.title, result.outcome.summary))
        .collect();
    let mut error = CommandError::user(format!("the cluster cannot take it:\n{}", lines.join("\n")));
    for result in failed {
        error = error.maybe_hinted(result.outcome.hint.clone());
    }
    Err(error.hinted("`meshctl precheck` says more; `--skip-precheck` goes on all the same"))
}
