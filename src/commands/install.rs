//! `meshctl install` and `meshctl upgrade`: a control plane comes to be, or becomes another one.

mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use mesh_core::cluster::Cluster;
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_install::inventory::{DEFAULT_REVISION, control_planes};
use mesh_install::plan::Desired;
use mesh_install::precheck::{Category, Check, Options, Status};
use mesh_install::profile::Profile;
use mesh_install::state::State;
use mesh_install::version::Release;

use crate::cluster::ClusterArgs;
use crate::commands::precheck;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::run::{self, Job, check_step, facts, state_of};
use crate::installer::{ApplyArgs, MESH, session};
use crate::ui::Printer;
use crate::ui::progress::Progress;

/// Install a control plane, or change the one that is installed
///
/// Shows what would change and what that disrupts, asks, and applies objects in the order in which they need each
/// other. While it waits for pods it says what keeps them: taints, missing CPU or memory, quotas, images, crashes. It
/// can be stopped or killed at any point: the same command goes on, `rollback` goes back, `uninstall` removes.
#[derive(Args, Debug)]
#[command(after_long_help = INSTALL_EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct InstallArgs {
    #[command(flatten)]
    what: WhatArgs,
}

const INSTALL_EXAMPLES: &str = "\
Examples:
  See what would be installed, and install it
    meshctl install --manifest mesh.yaml --dry-run
    meshctl install --manifest mesh.yaml

  A second revision beside the first
    meshctl install --manifest canary.yaml --revision 1-30

  In a pipeline
    meshctl install --manifest mesh.yaml -y -o json

  Take over what istioctl or Helm have installed
    meshctl install --manifest mesh.yaml --adopt --dry-run --diff

Exit status:
  0    everything is installed and runs
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Change the control plane that is installed
///
/// As install does, for a revision that is there already. Goes up by one minor version at most; more, or a new version
/// beside the old one, is for revisions: install with --revision, move namespaces with `meshctl tag`, and uninstall
/// the old one.
#[derive(Args, Debug)]
#[command(after_long_help = UPGRADE_EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct UpgradeArgs {
    #[command(flatten)]
    what: WhatArgs,
}

const UPGRADE_EXAMPLES: &str = "\
Examples:
  See what would change, field by field
    meshctl upgrade --manifest mesh.yaml --dry-run --diff

  Upgrade, and undo it
    meshctl upgrade --manifest mesh.yaml
    meshctl rollback

Exit status:
  0    everything is installed and runs
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// What to install, and how.
#[derive(Args, Debug)]
struct WhatArgs {
    /// File or folder with the objects to install, `-` for standard input (can be repeated)
    #[arg(long, value_name = "FILE", required = true, help_heading = "Mesh")]
    manifest: Vec<PathBuf>,

    /// Revision that the objects belong to [default: the one without a name]
    #[arg(long, short, value_name = "NAME", help_heading = "Mesh")]
    revision: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = MESH, help_heading = "Mesh")]
    istio_namespace: String,

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
    carry_out(printer, args.what, "install")
}

/// Runs `meshctl upgrade`.
pub(crate) fn upgrade(printer: &mut Printer, args: UpgradeArgs) -> Result<Exit, CommandError> {
    carry_out(printer, args.what, "upgrade")
}

fn carry_out(printer: &mut Printer, args: WhatArgs, action: &str) -> Result<Exit, CommandError> {
    let WhatArgs {
        manifest: paths,
        revision,
        istio_namespace: mesh,
        skip_precheck,
        skip_version_check,
        apply,
        cluster,
    } = args;
    let revision = revision.unwrap_or_else(|| DEFAULT_REVISION.to_owned());
    let parts = manifest::read(&paths, &mesh)?;
    let desired =
        Desired::new(&mesh, &revision, parts).map_err(|error| CommandError::user(error.to_string()))?;
    let mut facts = facts(action);
    facts.version = version(&desired);
    cluster.run_to_end(async |connected| {
        let (session, _events) = session(connected.clone(), &mesh);
        let states = run::states(&session, &cluster).await?;
        if action == "upgrade" {
            state_of(&states, &revision, &mesh)?;
        }
        let state = states.iter().find(|state| state.revision == revision);
        let before = state
            .and_then(State::current)
            .and_then(|entry| entry.facts.version.as_deref());
        if !skip_version_check {
            check_step(before, facts.version.as_deref())?;
        }
        if !skip_precheck {
            let options = Options {
                release: facts
                    .version
                    .as_deref()
                    .and_then(Release::of)
                    .unwrap_or_else(Release::latest),
                profile: profile_like(&desired)?,
                istio_namespace: mesh.clone(),
                revision: revision.clone(),
            };
            check(printer, &cluster, &connected, &options, state.is_some()).await?;
        }
        let job = Job {
            desired,
            facts,
            apply: &apply,
            namespace_labels: BTreeMap::new(),
        };
        run::install(printer, &cluster, &connected, job).await
    })
}

/// The version of the control plane, which the image of istiod tells.
fn version(desired: &Desired) -> Option<String> {
    let deployments: Vec<Deployment> = desired
        .objects()
        .filter(|(reference, _, _)| reference.kind.kind == "Deployment")
        .filter_map(|(_, _, object)| serde_json::from_value(object.clone()).ok())
        .collect();
    control_planes(&deployments)
        .into_iter()
        .find_map(|plane| plane.version)
}

/// The profile whose pods are those of the parts.
fn profile_like(desired: &Desired) -> Result<&'static Profile, CommandError> {
    let has = |name: &str| desired.parts.iter().any(|part| part.name == name);
    let name = if has("ztunnel") {
        "ambient"
    } else if has("egress-gateways") {
        "demo"
    } else if has("ingress-gateways") {
        "default"
    } else {
        "minimal"
    };
    Profile::by_name(name).ok_or_else(|| CommandError::user(format!("there is no profile {name}")))
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
        .until_stopped(precheck::report(cluster, options, &progress, wanted))
        .await;
    drop(progress);
    let report = report.map_err(|stop| args.stopped(stop))??;
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
