//! What is looked at before traffic moves.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use futures::future::try_join_all;
use mesh_analyze::{RuleSet, Severity};
use mesh_canary::patch;
use mesh_canary::route::{Section, Version};
use mesh_canary::rules;
use mesh_canary::state::Created;
use mesh_core::cluster::Scope;
use mesh_core::injection::DATAPLANE_LABEL;
use mesh_core::k8s_openapi::api::authorization::v1::ResourceAttributes;
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_core::source::{LoadOptions, Source, load_text};
use mesh_core::{Kind, Mesh, MeshBuilder, Service};
use mesh_install::object::LEASE;
use serde_json::Value;

use super::driver::{Driver, Prepared, Target};
use super::lease_name;
use crate::commands::analyze::live::new_findings;
use crate::error::CommandError;
use crate::ui::Printer;

/// The pods of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Pods {
    pub(super) ready: usize,
    pub(super) all: usize,
}

impl Driver {
    /// How many pods a version has, and how many of them are ready.
    pub(super) async fn pods(&self, version: &Version) -> Result<Pods, CommandError> {
        let pods = self.list_pods(version).await?;
        Ok(Pods {
            ready: pods.iter().filter(|pod| is_ready(pod)).count(),
            all: pods.len(),
        })
    }

    /// The pods of a version that have not ended.
    pub(super) async fn list_pods(&self, version: &Version) -> Result<Vec<Pod>, CommandError> {
        let (namespace, labels) = self.pod_selector(version)?;
        let selector: Vec<_> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let scope = Scope::Namespace(namespace);
        Ok(self.cluster.live_pods(&selector.join(","), &scope).await?)
    }

    /// All that must hold before traffic moves to the canary.
    pub(super) async fn check(
        &self,
        printer: &mut Printer,
        prepared: &Prepared,
        changed: &Value,
        allow_gitops: bool,
    ) -> Result<(), CommandError> {
        check_owner(printer, &Touched::routes(prepared, changed), allow_gitops)?;
        if let Some(rule) = prepared.rule.as_ref().filter(|_| !prepared.missing.is_empty()) {
            let live = self.read(rule).await?.unwrap_or_default();
            check_owner(printer, &Touched::subsets(rule, &live), allow_gitops)?;
        }
        self.check_rollouts(&prepared.target).await?;
        check_conditions(printer, &prepared.target, &prepared.live);
        self.check_ambient(printer).await?;
        self.check_rights(prepared).await?;
        let canary = &prepared.rollout.subject.canary;
        let pods = self.pods(canary).await?;
        if pods.ready == 0 {
            let message = match pods.all {
                0 => format!("`{canary}` has no pods"),
                all => format!("none of the {all} pods of `{canary}` is ready"),
            };
            return Err(CommandError::user(message).hinted("traffic would go to nobody: wait until it runs"));
        }
        if pods.ready < pods.all {
            let message = format!("{} of the {} pods of `{canary}` are ready", pods.ready, pods.all);
            printer.warning(&CommandError::user(message));
        }
        self.check_findings(prepared, changed)
    }

    /// Whether the service is said to have a waypoint.
    pub(super) fn has_waypoint(&self) -> bool {
        waypoint(&self.mesh, &self.service).is_some()
    }

    /// Whether anything divides the traffic of a service whose pods have no sidecars: a ztunnel does not.
    async fn check_ambient(&self, printer: &mut Printer) -> Result<(), CommandError> {
        let Some(problem) = without_waypoint(&self.mesh, &self.service) else {
            return Ok(());
        };
        let namespace = self.service.namespace();
        let hint = format!(
            "deploy a waypoint, and label the namespace with it: `kubectl label namespace {namespace} {WAYPOINT_LABEL}=waypoint`"
        );
        let error = CommandError::user(format!(
            "namespace `{namespace}` is in the ambient data plane, and {problem}"
        ));
        match self.knowing().await {
            0 => Err(CommandError {
                message: format!("{}: weights would have no effect", error.message),
                ..error
            }
            .hinted(hint)),
            some => {
                let message = format!(
                    "{}: weights have an effect only on the {some} sidecars and gateways that know the service",
                    error.message
                );
                printer.warning(&CommandError { message, ..error }.hinted(hint));
                Ok(())
            }
        }
    }

    /// Refuses routes that a Rollout of Argo Rollouts names, even if it has not written to them yet.
    async fn check_rollouts(&self, target: &Target) -> Result<(), CommandError> {
        let path = format!(
            "/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts",
            target.namespace
        );
        // Where there are none, or they may not be read, the marks in the routes have to do.
        let Ok(body) = self.cluster.get(&path).await else {
            return Ok(());
        };
        let list: Value = serde_json::from_slice(&body).unwrap_or_default();
        let items = list["items"].as_array();
        let owner = items
            .into_iter()
            .flatten()
            .find(|rollout| names_routes(rollout, target));
        owner.map_or(Ok(()), |rollout| {
            let name = rollout["metadata"]["name"].as_str().unwrap_or("NAME");
            Err(owned_by_rollout(target, SETS_BACK, name))
        })
    }

    /// Whether the user may do all that the rollout may need, so that it does not end half-way, and can be taken back.
    async fn check_rights(&self, prepared: &Prepared) -> Result<(), CommandError> {
        let needed = self.rights(prepared);
        let answers = needed.iter().map(|right| self.cluster.may(right.attributes()));
        let answers = try_join_all(answers).await?;
        let lacking: Vec<_> = needed.iter().zip(answers).filter(|(_, may)| !may).collect();
        if lacking.is_empty() {
            return Ok(());
        }
        let list = |text: fn(&Right) -> String| {
            let texts = lacking.iter().map(|(right, _)| text(right));
            texts.collect::<Vec<_>>().join(", ")
        };
        let message = format!("you may not {}", list(ToString::to_string));
        let hint = list(|right| format!("`{}` on `{}.{}`", right.verb, right.plural, right.group));
        Err(CommandError::user(message).hinted(format!("ask for {hint}")))
    }

    /// What must be allowed for the change, for the shares after it, and for `abort`.
    fn rights(&self, prepared: &Prepared) -> Vec<Right> {
        let target = &prepared.target;
        let mut rights = vec![Right::new("patch", target)];
        if prepared.is_new {
            rights.extend(["create", "delete"].map(|verb| Right::new(verb, target)));
        }
        let intended = self.intended(prepared);
        if prepared.rule.is_none() && !prepared.missing.is_empty() {
            rights.push(Right::new("create", &self.new_rule_target()));
        }
        for created in prepared.rollout.created.iter().chain(&intended) {
            let rule = |namespace: &String, name: &String| Target {
                kind: Kind::DestinationRule,
                namespace: namespace.clone(),
                name: name.clone(),
            };
            rights.push(match created {
                Created::VirtualService => Right::new("delete", target),
                Created::DestinationRule { namespace, name } => Right::new("delete", &rule(namespace, name)),
                Created::Subset {
                    namespace,
                    rule: name,
                    ..
                } => Right::new("patch", &rule(namespace, name)),
            });
        }
        rights.extend(["get", "create", "update", "delete"].map(|verb| Right::of_lease(verb, target)));
        let mut known = BTreeSet::new();
        rights.retain(|right| known.insert(right.clone()));
        rights
    }

    /// Whether the rules of `analyze` find errors with the change that are not there without it.
    fn check_findings(&self, prepared: &Prepared, changed: &Value) -> Result<(), CommandError> {
        let mut objects = vec![changed.clone()];
        if !prepared.missing.is_empty() {
            objects.push(match &prepared.rule {
                None => rules::new_rule(&self.service, &prepared.missing, prepared.inherited.as_ref()),
                Some(rule) => {
                    let known = self.mesh.destination_rules().iter();
                    let known = known
                        .filter(|known| known.namespace() == rule.namespace)
                        .find(|known| known.name() == rule.name);
                    let Some(known) = known else { return Ok(()) };
                    let known = known.header().origin().root().to_json();
                    patch::applied(&known, &rules::add_subsets(&known, &prepared.missing))?
                }
            });
        }
        let mut builder = MeshBuilder::new(self.mesh.settings().clone());
        for object in objects {
            let text: Arc<str> = readable(&object).into();
            let name = "the change";
            let loaded = load_text(builder.next_source(), name, &text, &LoadOptions::default());
            builder.add(Source::new(name, text), loaded);
        }
        no_new_errors(&self.mesh, &self.mesh.overlay(&builder.build()))
    }
}

/// Whether the rules of `analyze` find no errors after a change that are not there before it.
pub(super) fn no_new_errors(before: &Mesh, after: &Mesh) -> Result<(), CommandError> {
    let rules = RuleSet::new(&[], &[]).map_err(|error| CommandError::user(error.to_string()))?;
    let errors: Vec<_> = new_findings(before, after, &rules)
        .into_iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| format!("{} ({})", finding.message, finding.rule.name))
        .collect();
    match errors.as_slice() {
        [] => Ok(()),
        errors => Err(CommandError::user(format!(
            "with this change there would be new errors: {}",
            errors.join("; ")
        ))
        .hinted("`--dry-run --diff` shows the change, and `meshctl explain RULE` the rule")),
    }
}

pub(super) fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// An object as YAML without what only machines read.
pub(super) fn readable(object: &Value) -> String {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "managedFields",
            "resourceVersion",
            "uid",
            "generation",
            "creationTimestamp",
        ] {
            metadata.remove(field);
        }
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(mesh_canary::state::ANNOTATION);
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    mesh_yaml::emit::to_string(&object).unwrap_or_default()
}

/// The label of namespaces and services that names their waypoint.
const WAYPOINT_LABEL: &str = "istio.io/use-waypoint";

/// A label of a service, or else of its namespace.
fn label<'a>(mesh: &'a Mesh, service: &'a Service, name: &str) -> Option<&'a str> {
    let own = service.namespace();
    let namespace = mesh.namespaces().iter().find(|namespace| namespace.name() == own);
    let of_namespace = || namespace?.labels().get(name);
    let label = service.header().labels().get(name).or_else(of_namespace);
    label.map(String::as_str)
}

/// The waypoint of a service, by its name.
fn waypoint<'a>(mesh: &'a Mesh, service: &'a Service) -> Option<&'a str> {
    label(mesh, service, WAYPOINT_LABEL).filter(|name| *name != "none")
}

/// Why no waypoint serves a service of an ambient namespace; `None` if one does, or the namespace is not ambient.
fn without_waypoint(mesh: &Mesh, service: &Service) -> Option<String> {
    if label(mesh, service, DATAPLANE_LABEL) != Some("ambient") {
        return None;
    }
    let Some(waypoint) = waypoint(mesh, service) else {
        return Some(format!("no waypoint serves `{}`", service.host()));
    };
    let place = label(mesh, service, "istio.io/use-waypoint-namespace").unwrap_or(service.namespace());
    let is_there = mesh.contains(Kind::KubernetesGateway, place, waypoint);
    (mesh.has_all(Kind::KubernetesGateway) && !is_there).then(|| {
        format!(
            "the waypoint {place}/{waypoint} of `{}` does not exist",
            service.host()
        )
    })
}

/// Says what a controller has against a route of the Gateway API.
fn check_conditions(printer: &mut Printer, target: &Target, live: &Value) {
    let parents = live.pointer("/status/parents").and_then(Value::as_array);
    for parent in parents.into_iter().flatten() {
        for condition in parent["conditions"].as_array().into_iter().flatten() {
            let text = |field: &str| condition[field].as_str().unwrap_or_default();
            if !matches!(text("type"), "Accepted" | "ResolvedRefs") || text("status") != "False" {
                continue;
            }
            let name = parent["parentRef"]["name"].as_str().unwrap_or_default();
            let error = CommandError::user(format!(
                "{target} is not in effect at its parent `{name}`: {} is false ({}): {}",
                text("type"),
                text("reason"),
                text("message")
            ));
            printer.warning(&error.hinted("weights take effect when that is mended"));
        }
    }
}

/// Something that a user may do, or may not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    verb: &'static str,
    group: &'static str,
    plural: &'static str,
    kind: String,
    namespace: String,
    name: String,
}

impl Right {
    fn new(verb: &'static str, target: &Target) -> Self {
        let info = target.kind.info();
        Self {
            verb,
            group: info.group,
            plural: info.plural,
            kind: target.kind.to_string(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
        }
    }

    /// With the Lease that keeps others from the rollout.
    fn of_lease(verb: &'static str, target: &Target) -> Self {
        Self {
            verb,
            group: LEASE.group,
            plural: LEASE.plural,
            kind: LEASE.kind.to_owned(),
            namespace: target.namespace.clone(),
            name: lease_name(target),
        }
    }

    fn attributes(&self) -> ResourceAttributes {
        ResourceAttributes {
            group: Some(self.group.to_owned()),
            resource: Some(self.plural.to_owned()),
            namespace: Some(self.namespace.clone()),
            // Whoever creates is not asked for a name.
            name: (self.verb != "create").then(|| self.name.clone()),
            verb: Some(self.verb.to_owned()),
            ..ResourceAttributes::default()
        }
    }
}

impl fmt::Display for Right {
    /// `patch VirtualService shop/reviews`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            verb,
            kind,
            namespace,
            name,
            ..
        } = self;
        write!(f, "{verb} {kind} {namespace}/{name}")
    }
}

/// What others do to a change of routes.
const SETS_BACK: &str = "set the weights back";

/// What others do to a change of rules.
const TAKES_AWAY: &str = "take the new subsets away";

/// A change of an object that others may look after.
struct Touched<'a> {
    target: &'a Target,
    live: &'a Value,
    /// What they would do.
    undone: &'static str,
    /// The paths of the weights.
    weights: String,
    /// What it changes beside weights.
    beyond: Option<&'static str>,
}

impl<'a> Touched<'a> {
    fn routes(prepared: &'a Prepared, changed: &Value) -> Self {
        let Prepared { target, live, .. } = prepared;
        Self {
            target,
            live,
            undone: SETS_BACK,
            weights: weights(live),
            beyond: (without_weights(live) != without_weights(changed)).then_some("destinations or routes"),
        }
    }

    fn subsets(target: &'a Target, live: &'a Value) -> Self {
        Self {
            target,
            live,
            undone: TAKES_AWAY,
            weights: String::new(),
            beyond: Some("subsets"),
        }
    }

    /// How to get along with an owner.
    fn advice(&self, owner: &Owner) -> Vec<String> {
        let mut advice = Vec::new();
        if !(owner.keeps_weights_only && self.weights.is_empty()) {
            advice.push(owner.recipe.replace("WEIGHTS", &self.weights));
        }
        if let Some(beyond) = self.beyond.filter(|_| owner.keeps_weights_only) {
            advice.push(format!(
                "the change is of {beyond}, and not of weights alone: that must be in the repository first, or {} undoes it all \
                 the same",
                owner.name
            ));
        }
        advice
    }
}

/// Who else looks after an object, and how to get along with them.
struct Owner {
    name: &'static str,
    /// Labels or annotations that say so.
    marks: &'static [&'static str],
    /// `WEIGHTS` in it stands for the paths of all weights.
    recipe: &'static str,
    /// Whether it is of use for weights, and for nothing else.
    keeps_weights_only: bool,
}

const OWNERS: [Owner; 4] = [
    Owner {
        name: "Argo CD",
        marks: &["argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id"],
        recipe: "let Argo CD ignore the weights: `ignoreDifferences` with `jqPathExpressions: [WEIGHTS]`, and the sync option \
                 `RespectIgnoreDifferences=true`",
        keeps_weights_only: true,
    },
    Owner {
        name: "Flux",
        marks: &["kustomize.toolkit.fluxcd.io/name"],
        recipe: "stop Flux for the time of the rollout: annotate the object with `kustomize.toolkit.fluxcd.io/reconcile=disabled`",
        keeps_weights_only: false,
    },
    Owner {
        name: "Flux",
        marks: &["helm.toolkit.fluxcd.io/name"],
        recipe: "keep Flux from mending what differs from its release: annotate the object with \
                 `helm.toolkit.fluxcd.io/driftDetection=disabled`; finish the rollout before the next release, which sets all back",
        keeps_weights_only: false,
    },
    Owner {
        name: "Helm",
        marks: &["meta.helm.sh/release-name"],
        recipe: "the next `helm upgrade` sets all back: finish the rollout before, or make the change in the chart",
        keeps_weights_only: false,
    },
];

fn owned_by_rollout(target: &Target, undone: &str, name: &str) -> CommandError {
    let namespace = &target.namespace;
    CommandError::user(format!(
        "{target} belongs to Argo Rollouts, which would {undone}"
    ))
    .hinted(format!(
        "use its own commands: `kubectl argo rollouts promote {name} -n {namespace}`, `kubectl argo rollouts abort {name} -n \
         {namespace}`"
    ))
}

/// Whether a Rollout divides traffic by these routes (`spec.strategy.canary.trafficRouting`).
fn names_routes(rollout: &Value, target: &Target) -> bool {
    let routing = &rollout["spec"]["strategy"]["canary"]["trafficRouting"];
    let is_it = |name: &Value| name.as_str() == Some(target.name.as_str());
    if target.kind == Kind::VirtualService {
        let istio = &routing["istio"];
        let several = istio["virtualServices"].as_array();
        return is_it(&istio["virtualService"]["name"])
            || several.into_iter().flatten().any(|one| is_it(&one["name"]));
    }
    let gateway = &routing["plugins"]["argoproj-labs/gatewayAPI"];
    let fields = ["httpRoute", "grpcRoute", "tcpRoute", "tlsRoute"];
    let lists = ["httpRoutes", "grpcRoutes", "tcpRoutes", "tlsRoutes"];
    fields.iter().any(|field| is_it(&gateway[field]))
        || lists.iter().any(|list| {
            let several = gateway[list].as_array();
            several.into_iter().flatten().any(|one| is_it(&one["name"]))
        })
}

/// The paths of an object's weights, as jq has them.
fn weights(object: &Value) -> String {
    let sections = Section::of(object).iter();
    let used = sections.filter(|section| !section.routes(object).is_empty());
    let path = |section: &Section| {
        let (routes, destinations) = (section.field(), section.destinations_field());
        format!(".spec.{routes}[].{destinations}[].weight")
    };
    used.map(path).collect::<Vec<_>>().join(", ")
}

/// What an object asks for, but how much goes where.
fn without_weights(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    for section in Section::of(object) {
        let routes = spec.get_mut(section.field()).and_then(Value::as_array_mut);
        for route in routes.into_iter().flatten() {
            let destinations = route.get_mut(section.destinations_field());
            let destinations = destinations.and_then(Value::as_array_mut).into_iter().flatten();
            for destination in destinations.filter_map(Value::as_object_mut) {
                destination.shift_remove("weight");
            }
        }
    }
    spec
}

/// Refuses objects that a controller would set back, and says who else writes to the object.
fn check_owner(printer: &mut Printer, touched: &Touched<'_>, allow_gitops: bool) -> Result<(), CommandError> {
    let Touched {
        target, live, undone, ..
    } = *touched;
    let metadata = &live["metadata"];
    let owners = metadata["ownerReferences"].as_array();
    let is_flagger = owners.into_iter().flatten().any(|owner| {
        let api = owner["apiVersion"].as_str().unwrap_or_default();
        owner["kind"] == "Canary" && api.starts_with("flagger.app/")
    });
    if is_flagger {
        return Err(
            CommandError::user(format!("{target} belongs to Flagger, which would {undone}")).hinted(format!(
                "move traffic through its Canary: `kubectl edit canary -n {}`, or delete that first",
                target.namespace
            )),
        );
    }
    let managers = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let is_managed_by = |name: &str| {
        let mut managers = managers.into_iter().flatten();
        managers.any(|entry| entry["manager"] == name && entry["fieldsV1"].get("f:spec").is_some())
    };
    let has = |mark: &str| {
        ["labels", "annotations"]
            .into_iter()
            .any(|field| metadata[field].get(mark).is_some())
    };
    if has("argo-rollouts.argoproj.io/managed-by-rollouts") || is_managed_by("rollouts-controller") {
        return Err(owned_by_rollout(target, undone, "NAME"));
    }
    for owner in &OWNERS {
        if !owner.marks.iter().any(|mark| has(mark)) {
            continue;
        }
        let error = CommandError::user(format!("{} looks after {target}, and may {undone}", owner.name));
        let error = touched
            .advice(owner)
            .into_iter()
            .fold(error, CommandError::hinted);
        if allow_gitops {
            printer.warning(&error);
            continue;
        }
        return Err(error.hinted(
            "or write the change to its files: `meshctl canary shift N% --files FOLDER`; `--allow-gitops` goes on all the same",
        ));
    }
    if target.kind != Kind::VirtualService
        && metadata["ownerReferences"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    {
        printer.note(format_args!(
            "{target} is owned by another object, which may {undone}"
        ));
    }
    Ok(())
}
