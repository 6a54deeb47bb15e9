//! `meshctl inject`: workloads with their sidecars.

use std::collections::BTreeMap;

use clap::Args;
use mesh_inject::{
    Answer, AskError, Problem, Question, Scope, Severity, candidates, change_document, inject_candidate,
};
use mesh_yaml::FieldPath;

pub(crate) mod manifests;
pub(crate) mod report;
mod review;
pub(crate) mod settings;
pub(crate) mod webhook;

use manifests::{Manifest, ManifestArgs, Place};
use settings::{Loaded, SettingsArgs, namespaces};
use webhook::Injector;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::progress::Progress;

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

    /// Ask the cluster's own injector, by the webhook that the API server calls
    ///
    /// The only exact answer where an installation has templates of its own. The webhook is that of --revision.
    #[arg(
        long,
        conflicts_with_all = ["mesh_config", "values", "offline", "native_sidecar", "explain"],
        help_heading = "Settings"
    )]
    from_webhook: bool,

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

  As the injector in the cluster does it, with its own templates
    meshctl inject -f deploy.yaml --from-webhook

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
        from_webhook,
        namespace,
        settings,
        cluster,
    } = args;
    let manifests = args.read(printer)?;
    let mut scope = Scope {
        namespace: namespace.unwrap_or_default(),
        namespaces: BTreeMap::new(),
        kinds: args.templates.clone(),
        explains: explain,
    };
    let changed = if from_webhook {
        let answers = ask(printer, &manifests, &mut scope, &settings, &cluster)?;
        ManifestArgs::change(printer, manifests, |place, document| {
            change_document(document, &scope, |candidate, pod| {
                // Every workload with a pod was asked about.
                let not_asked = Err(AskError::NoAnswer("it was not asked".to_owned()));
                let answer = answers
                    .get(&(place, candidate.path.clone()))
                    .unwrap_or(&not_asked);
                let answer = answer.as_ref().map_err(refused)?.clone();
                let mut change = answer.change(candidate, pod);
                review::pod_security(candidate, scope.namespaces.get(&candidate.namespace), &mut change);
                Ok(change)
            })
        })?
    } else {
        let Loaded {
            settings,
            namespaces,
            notes: _,
        } = settings.load(printer, &cluster)?;
        scope.namespaces = namespaces;
        // What is about to be applied counts more than what is there.
        scope.namespaces.extend(manifests::namespaces(&manifests));
        ManifestArgs::change(printer, manifests, |_, document| {
            change_document(document, &scope, |candidate, pod| {
                let mut change = inject_candidate(&settings, &scope, candidate, pod)?;
                review::pod_security(candidate, scope.namespaces.get(&candidate.namespace), &mut change);
                Ok(change)
            })
        })?
    };
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

/// What the mesh's injector says about each workload.
type Answers = BTreeMap<(Place, FieldPath), Result<Answer, AskError>>;

/// Asks the mesh's injector about all workloads. Fills in what the cluster and the manifests say about namespaces.
fn ask(
    printer: &Printer,
    manifests: &[Manifest],
    scope: &mut Scope,
    settings: &SettingsArgs,
    cluster: &ClusterArgs,
) -> Result<Answers, CommandError> {
    let progress = Progress::start(printer);
    progress.message("asking the injector".to_owned());
    let revision = settings.revision.as_deref().unwrap_or("default");
    cluster.run(async |cluster| {
        if scope.namespace.is_empty() {
            cluster.namespace().clone_into(&mut scope.namespace);
        }
        let mut places = Vec::new();
        let mut questions = Vec::new();
        for (place, document) in manifests::documents(manifests) {
            for candidate in candidates(document, scope) {
                if let Ok(pod) = &candidate.template {
                    let uid = format!("00000000-0000-4000-8000-{:012x}", questions.len());
                    questions.push(Question::of(&candidate, pod, &uid));
                    places.push((place, candidate.path));
                }
            }
        }
        let injector = Injector::find(&cluster, revision).await?;
        let answers = injector
            .ask(&cluster, &questions, |count| {
                progress.message(format!("asking the injector: {count} of {}", questions.len()));
            })
            .await?;
        // Only for warnings.
        scope.namespaces = namespaces(&cluster).await.unwrap_or_default();
        scope.namespaces.extend(manifests::namespaces(manifests));
        Ok(places.into_iter().zip(answers).collect())
    })
}

fn refused(error: &AskError) -> Vec<Problem> {
    vec![Problem {
        severity: Severity::Error,
        path: FieldPath::default(),
        message: error.to_string(),
        help: None,
    }]
}
