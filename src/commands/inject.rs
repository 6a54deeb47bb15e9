//! `meshctl inject`: workloads with their sidecars.

use clap::Args;
use mesh_inject::{Scope, inject_document};

pub(crate) mod manifests;
pub(crate) mod report;
mod settings;

use manifests::ManifestArgs;
use settings::SettingsArgs;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Add sidecars to workloads
///
/// Reads Kubernetes manifests and writes them with the proxy that the mesh's own injector would add to their pods.
/// Everything that is not a pod template is passed through as it is written, and comments and order stay. What was done,
/// and what was not and why, is told on standard error. If anything is wrong, nothing is written.
///
/// Settings are read from the cluster, unless they are given by files or --offline. Without a cluster they are the
/// defaults of Istio.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct InjectArgs {
    #[command(flatten)]
    manifests: ManifestArgs,

    /// Print each addition and where it comes from, instead of the manifests
    #[arg(long, conflicts_with_all = ["output", "in_place", "diff"], help_heading = "Output")]
    explain: bool,

    /// Namespace of objects that name none
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  Inject and apply
    meshctl inject -f deploy.yaml | kubectl apply -f -

  See what would change, and why
    meshctl inject -f deploy.yaml --diff
    meshctl inject -f deploy.yaml --explain

  Without a cluster, with the settings of an installation
    kubectl get configmap istio -n istio-system -o jsonpath='{.data.mesh}' > mesh.yaml
    kubectl get configmap istio-sidecar-injector -n istio-system -o jsonpath='{.data.values}' > values.json
    meshctl inject -f deploy/ --mesh-config mesh.yaml --values values.json --in-place

  A kind of your own that holds a pod template
    meshctl inject -f farm.yaml --pod-template Farm.example.com=spec.worker.template

Exit status:
  0  done
  2  nothing was written: wrong arguments, settings that cannot be read, manifests that cannot be injected";

/// Runs the command.
pub(crate) fn inject(printer: &mut Printer, args: InjectArgs) -> Result<Exit, CommandError> {
    let InjectArgs {
        manifests: args,
        explain,
        namespace,
        settings,
        cluster,
    } = args;
    let manifests = args.read(printer)?;
    let (settings, mut namespaces) = settings.load(printer, &cluster)?;
    // What is about to be applied counts more than what is there.
    namespaces.extend(manifests::namespaces(&manifests));
    let scope = Scope {
        namespace: namespace.unwrap_or_default(),
        namespaces,
        kinds: args.templates.clone(),
        explains: explain,
    };
    let changed = ManifestArgs::change(printer, manifests, |document| {
        inject_document(&settings, document, &scope)
    })?;
    if explain {
        let look = printer.look();
        let workloads = changed.iter().flat_map(|changed| &changed.workloads);
        for (_, workload) in workloads.filter(|(_, workload)| !workload.additions.is_empty()) {
            report::explain(printer.stdout(), look, workload)?;
        }
    } else {
        args.write(printer, &changed)?;
    }
    report::write(printer, &changed);
    // The process ends here; to free a large input piece by piece would only take time.
    std::mem::forget(changed);
    Ok(Exit::Clean)
}
