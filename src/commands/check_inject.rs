//! `meshctl check-inject`: whether pods would be injected, by which webhook, and why not.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use mesh_core::Labels;
use mesh_core::cluster::{Cluster, ErrorKind, Target, TargetKind};
use mesh_core::injection::PROXY_CONTAINER;
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_inject::{Candidate, Hooks, InjectorConfig, Namespace, Scope, Settings, candidates};
use mesh_yaml::FieldPath;
use serde_json::{Value, json};

mod reach;
mod render;
mod verdict;

use verdict::Report;

use super::inject::manifests::{self, Manifest};
use super::inject::settings::{hooks, injector_config, namespaces};
use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::document::FormatArgs;

/// Say whether pods would be injected, and why or why not
///
/// Holds pods, pod templates or labels against the webhooks of a cluster, as the API server and the injector do: labels of
/// the namespace and the pod, annotations, the host's network, the injector's own policy and selectors, and whether the
/// webhook can be reached at all. Nothing is changed.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[group(required = true, multiple = false, args = ["target", "labels", "filename"])]
pub(crate) struct CheckInjectArgs {
    /// Pod or workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME; with .NAMESPACE if it is in another one
    #[arg(value_name = "NAME")]
    target: Option<Target>,

    /// Labels of a pod that need not exist, such as `app=web,version=v1`
    #[arg(long = "selector", short = 'l', value_name = "LABELS", value_parser = labels)]
    labels: Option<PodLabels>,

    /// Workloads of files and folders, `-` for standard input (can be repeated)
    #[arg(long, short = 'f', value_name = "FILE")]
    filename: Vec<PathBuf>,

    /// Namespace of what is named without one [default: the context's]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  Why a Deployment has no sidecars
    meshctl check-inject deploy/web -n shop

  Whether a pod with these labels would get one
    meshctl check-inject -n shop -l app=web,istio.io/rev=canary

  Before manifests are applied
    meshctl check-inject -f deploy/

Exit status:
  0  all would be injected
  1  some would not be: nothing asks for it, something refuses it, two webhooks would both do it, or the webhook that would
     cannot be reached
  2  that cannot be told: no such object, no access to the cluster";

/// The form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// The same as YAML
    Yaml,
}

/// Labels of a pod. (A map of its own, because clap takes a plain one for several values.)
#[derive(Clone, Debug)]
struct PodLabels(Labels);

fn labels(text: &str) -> Result<PodLabels, String> {
    let pairs = text.split(',').map(|pair| {
        let (key, value) = pair
            .split_once('=')
            .ok_or("labels are written KEY=VALUE,KEY=VALUE")?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    });
    pairs.collect::<Result<_, String>>().map(PodLabels)
}

/// A workload to be checked.
struct Subject {
    candidate: Candidate,
    /// The pod or pod template.
    pod: Value,
    /// Its pods that are there; `None` if that was not looked up.
    pods: Option<Vec<Pod>>,
}

/// What is known of a cluster.
struct Known {
    hooks: Hooks,
    namespaces: BTreeMap<String, Namespace>,
    /// The injectors' configurations, by configuration of the webhook.
    configs: BTreeMap<String, InjectorConfig>,
    /// What is wrong with reaching webhooks, by configuration.
    problems: BTreeMap<String, reach::Unreachable>,
}

/// Runs the command.
pub(crate) fn check_inject(printer: &mut Printer, args: CheckInjectArgs) -> Result<Exit, CommandError> {
    let CheckInjectArgs {
        target,
        labels,
        filename,
        namespace,
        output,
        cluster,
    } = args;
    let manifests = manifests::read_all(printer, &filename)?;
    let (reports, notes) = cluster.run(async |cluster| {
        let scope = Scope {
            namespace: namespace.unwrap_or_else(|| cluster.namespace().to_owned()),
            ..Scope::default()
        };
        let subjects = if let Some(target) = &target {
            named(&cluster, target, &scope).await?
        } else if let Some(PodLabels(labels)) = labels {
            vec![labelled(&labels, &scope.namespace)]
        } else {
            in_files(&manifests, &scope)
        };
        let mut notes = Vec::new();
        let mut known = Known {
            hooks: hooks(&cluster).await?,
            namespaces: namespaces(&cluster).await?,
            configs: BTreeMap::new(),
            problems: BTreeMap::new(),
        };
        // What is about to be applied counts more than what is there.
        known.namespaces.extend(manifests::namespaces(&manifests));
        known.look_at_called(&cluster, &subjects, &mut notes).await?;
        let reports = subjects.iter().map(|subject| Report::of(&known, subject));
        Ok((reports.collect::<Vec<_>>(), notes))
    })?;
    for note in notes {
        printer.note(note);
    }
    if reports.is_empty() {
        return Err(CommandError::user("there is no workload in the input"));
    }
    render::write(printer, output.format, &reports)?;
    Ok(if reports.iter().all(Report::is_injected) {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

impl Known {
    /// Reads the configurations of the injectors that would be called, and whether they can be.
    async fn look_at_called(
        &mut self,
        cluster: &Cluster,
        subjects: &[Subject],
        notes: &mut Vec<String>,
    ) -> Result<(), CommandError> {
        for hook in self.hooks.all() {
            let is_called = subjects
                .iter()
                .any(|subject| subject.examine(&self.namespaces, hook).is_match());
            if !is_called || self.configs.contains_key(&hook.configuration) {
                continue;
            }
            let control_plane = hook.webhook.client_config.service.as_ref();
            let control_plane = control_plane.map_or("istio-system", |service| service.namespace.as_str());
            let config = match injector_config(cluster, control_plane, &hook.revision).await {
                Ok(config) => config,
                Err(error) => {
                    notes.push(format!(
                        "{error}; the injector's policy is taken to be Istio's default"
                    ));
                    None
                }
            };
            self.configs
                .insert(hook.configuration.clone(), config.unwrap_or_default());
            match reach::problem(cluster, hook).await {
                Ok(Some(problem)) => {
                    self.problems.insert(hook.configuration.clone(), problem);
                }
                Ok(None) => {}
                Err(error) => notes.push(format!(
                    "whether `{}` can be reached is not known: {error}",
                    hook.configuration
                )),
            }
        }
        Ok(())
    }

    /// The settings of the injector behind a webhook.
    fn settings(&self, configuration: &str) -> Settings {
        Settings {
            injector: self.configs.get(configuration).cloned().unwrap_or_default(),
            ..Settings::default()
        }
    }
}

/// The workload or pod that a target names.
async fn named(cluster: &Cluster, target: &Target, scope: &Scope) -> Result<Vec<Subject>, CommandError> {
    if matches!(target.kind, TargetKind::Service | TargetKind::Gateway) {
        let pods = cluster.find_pods(target, &scope.namespace).await?;
        let Some(first) = pods.first() else {
            return Err(CommandError::user(format!("{target} has no pods")));
        };
        let object = serde_json::to_value(first).unwrap_or_default();
        return Ok(of_object(object, "Pod", "v1", scope, Some(&pods)));
    }
    let object = cluster.find_object(target, &scope.namespace).await?;
    let pods = if target.kind == TargetKind::Pod {
        serde_json::from_value(object.clone()).map(|pod| vec![pod]).ok()
    } else {
        match cluster.find_pods(target, &scope.namespace).await {
            Ok(pods) => Some(pods),
            Err(error) if error.kind == ErrorKind::NotFound => Some(Vec::new()),
            Err(error) => return Err(error.into()),
        }
    };
    let subjects = of_object(object, "", "", scope, pods.as_deref());
    if subjects.is_empty() {
        return Err(CommandError::user(format!("{target} has no pod template")));
    }
    Ok(subjects)
}

/// The workloads of an object of the API. `kind` and `api_version` are there for objects out of lists, which have none.
fn of_object(
    mut object: Value,
    kind: &str,
    api_version: &str,
    scope: &Scope,
    pods: Option<&[Pod]>,
) -> Vec<Subject> {
    if !kind.is_empty() {
        object["kind"] = kind.into();
        object["apiVersion"] = api_version.into();
    }
    // JSON is YAML.
    let text: Arc<str> = object.to_string().into();
    let documents = mesh_yaml::parse(&text).into_iter().flatten();
    let found = documents.flat_map(|document| candidates(&document, scope));
    found
        .filter_map(|candidate| {
            let pod = candidate.template.clone().ok()?;
            Some(Subject {
                candidate,
                pod,
                pods: pods.map(<[Pod]>::to_vec),
            })
        })
        .collect()
}

/// A pod with nothing but labels.
fn labelled(labels: &Labels, namespace: &str) -> Subject {
    let pod = json!({"metadata": {"labels": labels}, "spec": {}});
    Subject {
        candidate: Candidate {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            name: String::new(),
            namespace: namespace.to_owned(),
            path: FieldPath::default(),
            template: Ok(pod.clone()),
        },
        pod,
        pods: None,
    }
}

fn in_files(manifests: &[Manifest], scope: &Scope) -> Vec<Subject> {
    manifests::documents(manifests)
        .flat_map(|(_, document)| candidates(document, scope))
        .filter_map(|candidate| {
            let pod = candidate.template.clone().ok()?;
            Some(Subject {
                candidate,
                pod,
                pods: None,
            })
        })
        .collect()
}

/// Whether the pod has a sidecar.
fn has_sidecar(pod: &Pod) -> bool {
    pod.spec.as_ref().is_some_and(|spec| {
        let init = spec.init_containers.iter().flatten();
        spec.containers
            .iter()
            .chain(init)
            .any(|container| container.name == PROXY_CONTAINER)
    })
}
