//! What all commands on canaries share: the service that is meant, the live objects, and writing to them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use mesh_canary::locate::{self, Place, Wish};
use mesh_canary::patch::{self, Change, Operation};
use mesh_canary::route::{Names, ROUTE_KINDS, Subject, Version};
use mesh_canary::rules::{self, Inherited};
use mesh_canary::state::{Created, Phase, Rollout, Stamp};
use mesh_canary::{Refusal, patch::find};
use mesh_core::cluster::{Cluster, ErrorKind as ClusterErrorKind, Method, Write};
use mesh_core::source::cluster::{KINDS, Request};
use mesh_core::source::{self};
use mesh_core::{Kind, Labels, Mesh, MeshBuilder, Service, Settings};
use serde_json::Value;

use super::SubjectArgs;
use super::last;
use crate::error::{CommandError, ErrorKind};
use crate::ui::Printer;

/// Who owns the fields that we write.
const FIELD_MANAGER: &str = "meshctl";

/// How we write: a field that the server's definitions do not know is an error, and not silently left out.
const WRITING: &str = "fieldManager=meshctl&fieldValidation=Strict";

/// How often a change is made anew because the object has changed in between.
const ATTEMPTS: u32 = 20;

/// The longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl From<Refusal> for CommandError {
    fn from(refusal: Refusal) -> Self {
        let Refusal {
            is_conflict,
            message,
            hint,
        } = refusal;
        let kind = if is_conflict {
            ErrorKind::Conflict
        } else {
            ErrorKind::User
        };
        Self {
            kind,
            ..Self::user(message)
        }
        .maybe_hinted(hint)
    }
}

/// An object of the cluster: where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// One service of one cluster.
pub(super) struct Driver {
    pub(super) cluster: Cluster,
    pub(super) mesh: Mesh,
    pub(super) service: Service,
    /// The user, as the cluster knows them.
    by: String,
    /// The versions in which the cluster serves the kinds that are written.
    versions: BTreeMap<Kind, &'static str>,
}

/// A rollout that is there, or could be.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    /// The object with the routes.
    pub(super) target: Target,
    /// The object as it is, or as it would be made.
    pub(super) live: Value,
    /// Whether it must be made.
    pub(super) is_new: bool,
    pub(super) rollout: Rollout,
    /// Subsets that have to be made, and the rule that gets them, if there is one.
    pub(super) missing: Vec<Value>,
    pub(super) rule: Option<Target>,
    /// What a rule that is made takes over from a wider one.
    pub(super) inherited: Option<Inherited>,
}

impl Driver {
    /// Reads the cluster, and finds the service that is meant.
    pub(super) async fn new(
        printer: &mut Printer,
        cluster: Cluster,
        args: &SubjectArgs,
    ) -> Result<Self, CommandError> {
        let settings = Settings {
            istio_namespace: args.istio_namespace.clone(),
            ..Settings::default()
        };
        let remembered = match &args.service {
            Some(_) => None,
            None => last::read(cluster.name()),
        };
        let namespace = args.namespace.clone();
        let namespace = namespace.or_else(|| remembered.as_ref().map(|last| last.namespace.clone()));
        let namespace = namespace.unwrap_or_else(|| cluster.namespace().to_owned());
        let mut builder = MeshBuilder::new(settings);
        let request = Request {
            kinds: KINDS,
            overlay: None,
            namespace: Some(&namespace),
        };
        source::cluster::load(&mut builder, &cluster, &request, |_| {}).await?;
        let mesh = builder.build();
        let service = match (&args.service, remembered) {
            (Some(name), _) => locate::service(&mesh, name, &namespace)?.clone(),
            (None, Some(last)) if args.namespace.is_none() => {
                let service = locate::service(&mesh, &last.service, &last.namespace)?.clone();
                printer.note(format_args!("service {}, as last time here", service.host()));
                service
            }
            (None, _) => candidate(printer, &mesh, &namespace).await?,
        };
        let by = cluster.user().await.unwrap_or_default();
        let groups = ["networking.istio.io", "gateway.networking.k8s.io"];
        let discovery = cluster.discover(&groups).await.ok();
        let versions = ROUTE_KINDS
            .into_iter()
            .chain([Kind::DestinationRule])
            .filter_map(|kind| {
                let info = kind.info();
                let version = match &discovery {
                    Some(discovery) => discovery.version(info.group, info.versions, info.plural),
                    None => info.versions.first().copied(),
                };
                Some((kind, version?))
            })
            .collect();
        Ok(Self {
            cluster,
            mesh,
            service,
            by,
            versions,
        })
    }

    /// Now, and by whom.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp {
            time: format!("{:.0}", Timestamp::now()),
            by: self.by.clone(),
        }
    }

    /// What short names in the object mean.
    pub(super) fn names<'a>(&'a self, target: &'a Target) -> Names<'a> {
        Names {
            namespace: &target.namespace,
            cluster_domain: &self.mesh.settings().cluster_domain,
        }
    }

    pub(super) fn path(&self, target: &Target) -> Result<String, CommandError> {
        let info = target.kind.info();
        let version = self.versions.get(&target.kind).ok_or_else(|| {
            CommandError::user(format!("the cluster does not know {} objects", target.kind))
                .hinted("install Istio's custom resource definitions first")
        })?;
        Ok(format!(
            "/apis/{}/{version}/namespaces/{}/{}",
            info.group, target.namespace, info.plural
        ))
    }

    /// The object as it is now; `None` if there is none.
    pub(super) async fn read(&self, target: &Target) -> Result<Option<Value>, CommandError> {
        let path = format!("{}/{}", self.path(target)?, target.name);
        match self.cluster.get(&path).await {
            Ok(body) => serde_json::from_slice(&body)
                .map(Some)
                .map_err(|error| CommandError::user(format!("{target} is not readable: {error}"))),
            Err(error) if error.kind == ClusterErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The object that routes the service and its rollout, if there is one: of several the one that is open, or else
    /// the last one.
    pub(super) async fn current(&self, args: &SubjectArgs) -> Result<(Target, Value, Rollout), CommandError> {
        let routed = self
            .mesh
            .resources()
            .filter(|resource| ROUTE_KINDS.contains(&resource.header().kind()));
        let mut known = Vec::new();
        // What cannot be read may be about another service.
        let mut unreadable = None;
        for resource in routed {
            let id = resource.header().id();
            let is_wanted = args.object.as_ref().is_none_or(|wanted| {
                *wanted == id.name || *wanted == format!("{}/{}", id.namespace, id.name)
            });
            if !is_wanted {
                continue;
            }
            let target = Target {
                kind: id.kind,
                namespace: id.namespace,
                name: id.name,
            };
            match Rollout::of(&locate::to_json(&resource)) {
                Ok(Some(rollout)) if rollout.subject.host == self.service.host().as_str() => {
                    known.push((rollout.phase.is_open(), rollout.updated, target));
                }
                Ok(_) => {}
                Err(refusal) => unreadable = unreadable.or(Some((target, refusal))),
            }
        }
        known.sort_by(|one, other| (other.0, &other.1).cmp(&(one.0, &one.1)));
        for (_, _, target) in known {
            // The copy of the mesh leaves out who wrote what.
            if let Some(live) = self.read(&target).await?
                && let Some(rollout) = Rollout::of(&live)?
            {
                return Ok((target, live, rollout));
            }
        }
        let none = CommandError::user(format!("there is no rollout of `{}`", self.service.host()));
        Err(match unreadable {
            None => none.hinted("`meshctl canary shift 10%` begins one"),
            Some((target, Refusal { message, hint, .. })) => {
                none.hinted(format!("of {target} {message}")).maybe_hinted(hint)
            }
        })
    }

    /// Finds out where traffic is divided, and goes on with the rollout that is open there or begins another.
    pub(super) async fn prepare(&self, args: &SubjectArgs) -> Result<Prepared, CommandError> {
        let wish = Wish {
            stable: args.stable.as_deref(),
            canary: args.canary.as_deref(),
            object: args.object.as_deref(),
        };
        let Place {
            object,
            subject,
            rule,
            missing,
            inherited,
        } = locate::locate(&self.mesh, &self.service, &wish)?;
        let rule = rule.map(|(namespace, name)| Target {
            kind: Kind::DestinationRule,
            namespace,
            name,
        });
        let target = object.map(|id| Target {
            kind: id.kind,
            namespace: id.namespace,
            name: id.name,
        });
        let live = match &target {
            Some(target) => Some(self.read(target).await?.ok_or_else(|| gone(target))?),
            None => None,
        };
        let is_new = live.is_none();
        let live = live.unwrap_or_else(|| rules::new_virtual_service(&self.service, &subject.stable));
        let target = target.unwrap_or_else(|| Target {
            kind: Kind::VirtualService,
            namespace: self.service.namespace().to_owned(),
            name: self.service.header().name().to_owned(),
        });
        let rollout = self.rollout(&target, &live, &subject, args)?;
        Ok(Prepared {
            target,
            live,
            is_new,
            rollout,
            missing,
            rule,
            inherited,
        })
    }

    /// The rollout that an object carries, if it is open and about the same versions, or else a new one.
    pub(super) fn rollout(
        &self,
        target: &Target,
        live: &Value,
        subject: &Subject,
        args: &SubjectArgs,
    ) -> Result<Rollout, CommandError> {
        let known = Rollout::of(live)?;
        if let Some(known) = &known
            && known.phase.is_open()
        {
            if known.subject != *subject {
                return Err(CommandError::user(format!(
                    "a rollout from {} to {} is under way since {}",
                    known.subject.stable, known.subject.canary, known.started
                ))
                .hinted("end it first: `meshctl canary promote` or `meshctl canary abort`"));
            }
            if let Some(wanted) = &args.route
                && !patch::are_called(live, known, wanted).map_err(|refusal| blamed(refusal.into(), live))?
            {
                return Err(CommandError::user(format!(
                    "the rollout that is under way since {} is not of route `{wanted}`, but of {}",
                    known.started,
                    patch::places(live, known)?.join(", ")
                ))
                .hinted("leave `--route` out to go on with it, or end it first"));
            }
            return Ok(known.clone());
        }
        if let Some(known) = &known
            && known.phase == Phase::Promoted
            && known.subject.stable == subject.canary
            && args.canary.is_none()
        {
            return Err(CommandError::user(format!(
                "`{}` has been replaced by `{}`, and no newer version is known",
                known.subject.stable, known.subject.canary
            ))
            .hinted("name the new version with `--canary`; `meshctl canary undo` takes the promotion back"));
        }
        let names = self.names(target);
        let routes = patch::routes(live, subject, args.route.as_deref(), &names)?;
        let events = known.map(|known| known.events).unwrap_or_default();
        let mut rollout = Rollout::new(subject.clone(), routes, &self.stamp(), events);
        rollout.percent = rollout.share_before(&names)?;
        Ok(rollout)
    }

    /// Makes a change of an object and writes it; makes it anew if the object has changed in between.
    ///
    /// # Errors
    ///
    /// What `make` refuses, with the name of whoever changed the object if that is why.
    pub(super) async fn change(
        &self,
        target: &Target,
        make: impl Fn(&Value) -> Result<Change, CommandError>,
    ) -> Result<(Value, Rollout), CommandError> {
        let operations = |live: &Value| -> Result<Vec<Operation>, CommandError> {
            let change = make(live).map_err(|error| blamed(error, live))?;
            Ok(change.operations)
        };
        let live = self.patch(target, operations).await?;
        let rollout = Rollout::of(&live)?.ok_or_else(|| gone(target))?;
        Ok((live, rollout))
    }

    /// Sends what `make` makes of the live object until it fits. A patch that arrived although no answer came is known
    /// by the state that it wrote.
    pub(super) async fn patch(
        &self,
        target: &Target,
        make: impl Fn(&Value) -> Result<Vec<Operation>, CommandError>,
    ) -> Result<Value, CommandError> {
        let path = format!("{}/{}?{WRITING}", self.path(target)?, target.name);
        let mut pause = Duration::from_millis(20);
        let mut last: Option<CommandError> = None;
        let mut written: Option<String> = None;
        for _ in 0..ATTEMPTS {
            let live = self.read(target).await?.ok_or_else(|| gone(target))?;
            if let Some(text) = &written
                && Rollout::of(&live)?.is_some_and(|rollout| rollout.text() == *text)
            {
                return Ok(live);
            }
            let operations = make(&live)?;
            if operations.is_empty() {
                return Ok(live);
            }
            let after = patch::applied(&live, &operations)?;
            written = Rollout::of(&after)?.map(|rollout| rollout.text());
            let write = Write {
                method: Method::PATCH,
                path: path.clone(),
                content_type: "application/json-patch+json",
                body: serde_json::to_vec(&operations).unwrap_or_default(),
            };
            match self.cluster.write(&write).await {
                Ok(answer) if answer.status.is_success() => {
                    let body = answer.success(&target.to_string())?;
                    return serde_json::from_slice(&body).map_err(|error| {
                        CommandError::user(format!("the answer about {target} is not readable: {error}"))
                    });
                }
                Ok(answer) => {
                    let error = answer.error(&target.to_string());
                    let is_passing = matches!(answer.status.as_u16(), 409 | 422 | 429 | 500..);
                    // A test that does not hold and an object that is not valid have the same status.
                    let is_same = answer.status.as_u16() == 422
                        && self.read(target).await?.is_some_and(|now| now == live);
                    if !is_passing || is_same {
                        return Err(error.into());
                    }
                    last = Some(error.into());
                }
                Err(error) => last = Some(error.into()),
            }
            tokio::time::sleep(pause + jitter(pause)).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        Err(last.unwrap_or_else(|| CommandError::user(format!("{target} cannot be written"))))
    }

    /// Creates an object.
    pub(super) async fn create(&self, target: &Target, object: &Value) -> Result<Value, CommandError> {
        let write = Write {
            method: Method::POST,
            path: format!("{}?{WRITING}", self.path(target)?),
            content_type: "application/json",
            body: serde_json::to_vec(object).unwrap_or_default(),
        };
        let answer = self.cluster.write(&write).await?;
        let body = answer.success(&target.to_string())?;
        serde_json::from_slice(&body).map_err(|error| {
            CommandError::user(format!("the answer about {target} is not readable: {error}"))
        })
    }

    /// Deletes an object that is as `live` says.
    pub(super) async fn delete(&self, target: &Target, live: &Value) -> Result<(), CommandError> {
        let metadata = &live["metadata"];
        let options = serde_json::json!({"preconditions": {
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
        }});
        let write = Write {
            method: Method::DELETE,
            path: format!("{}/{}", self.path(target)?, target.name),
            content_type: "application/json",
            body: serde_json::to_vec(&options).unwrap_or_default(),
        };
        let answer = self.cluster.write(&write).await?;
        match answer.status.as_u16() {
            404 => Ok(()),
            _ => answer
                .success(&target.to_string())
                .map(drop)
                .map_err(CommandError::from),
        }
    }

    /// Asks the server whether it would take the change, without making it.
    pub(super) async fn try_patch(
        &self,
        target: &Target,
        operations: &[Operation],
    ) -> Result<(), CommandError> {
        let write = Write {
            method: Method::PATCH,
            path: format!("{}/{}?{WRITING}&dryRun=All", self.path(target)?, target.name),
            content_type: "application/json-patch+json",
            body: serde_json::to_vec(operations).unwrap_or_default(),
        };
        let answer = self.cluster.write(&write).await?;
        answer
            .success(&target.to_string())
            .map(drop)
            .map_err(CommandError::from)
    }

    /// The labels of the pods of a version: those that the service selects, and of these those of the subset.
    pub(super) fn pod_selector(&self, version: &Version) -> Result<(String, Labels), CommandError> {
        let no_pods =
            |host: &str| CommandError::user(format!("`{host}` selects no pods, so none can be looked at"));
        let selector_of = |service: &Service| {
            let selector = service
                .kubernetes()
                .and_then(|service| service.spec.selector.clone());
            selector.filter(|selector| !selector.is_empty())
        };
        match version {
            Version::Service(host) => {
                let service = self.mesh.registry().with_host(host).next();
                let selector =
                    service.and_then(|service| Some((service.namespace().to_owned(), selector_of(service)?)));
                selector.ok_or_else(|| no_pods(host))
            }
            Version::Subset(name) => {
                let host = self.service.host();
                let mut selector = selector_of(&self.service).ok_or_else(|| no_pods(host.as_str()))?;
                let rules = self.mesh.destination_rules().iter();
                let own = rules
                    .filter(|rule| self.mesh.host(&rule.spec.host, rule.namespace()) == *host)
                    .map(|rule| &**rule);
                let subset = own
                    .chain(locate::wider_rule(&self.mesh, &self.service))
                    .flat_map(|rule| &rule.spec.subsets)
                    .find(|subset| subset.name == *name);
                selector.extend(match subset {
                    Some(subset) => subset.labels.clone(),
                    None => locate::labels_of(&self.mesh, &self.service, name),
                });
                Ok((self.service.namespace().to_owned(), selector))
            }
        }
    }

    /// What has to be made for the routes to name both versions.
    pub(super) fn intended(&self, prepared: &Prepared) -> Vec<Created> {
        let Some(rule) = &prepared.rule else {
            let target = self.new_rule_target();
            return prepared
                .missing
                .first()
                .map(|_| Created::DestinationRule {
                    namespace: target.namespace,
                    name: target.name,
                })
                .into_iter()
                .collect();
        };
        let subsets = prepared.missing.iter().map(|subset| Created::Subset {
            namespace: rule.namespace.clone(),
            rule: rule.name.clone(),
            subset: subset.clone(),
        });
        subsets.collect()
    }

    /// Makes the DestinationRule or the subsets that are missing.
    pub(super) async fn make_subsets(&self, prepared: &Prepared) -> Result<(), CommandError> {
        if prepared.missing.is_empty() {
            return Ok(());
        }
        let Some(rule) = &prepared.rule else {
            let object = rules::new_rule(&self.service, &prepared.missing, prepared.inherited.as_ref());
            return self.create(&self.new_rule_target(), &object).await.map(drop);
        };
        let add = |live: &Value| {
            // One that is there by now needs not be made.
            let known = live.pointer("/spec/subsets").and_then(Value::as_array);
            let is_known = |name: &Value| {
                let mut known = known.into_iter().flatten();
                known.any(|subset| subset["name"] == *name)
            };
            let missing = prepared.missing.iter();
            let missing: Vec<Value> = missing
                .filter(|subset| !is_known(&subset["name"]))
                .cloned()
                .collect();
            Ok(if missing.is_empty() {
                Vec::new()
            } else {
                rules::add_subsets(live, &missing)
            })
        };
        self.patch(rule, add).await.map(drop)
    }

    pub(super) fn new_rule_target(&self) -> Target {
        Target {
            kind: Kind::DestinationRule,
            namespace: self.service.namespace().to_owned(),
            name: self.service.header().name().to_owned(),
        }
    }

    /// Takes away what a rollout has made beside the routes. What others have changed since stays, and what routes still
    /// name: those of `live`, which is what stays of `target`, and of all other objects.
    pub(super) async fn remove_created(
        &self,
        printer: &mut Printer,
        created: &[Created],
        target: &Target,
        live: &Value,
    ) -> Result<(), CommandError> {
        let named = self.named_subsets(target, live).await?;
        // These are there without the rule that was made.
        let wider = locate::wider_rule(&self.mesh, &self.service);
        let stays = |subset: &Value| {
            let mut wider = wider.iter().flat_map(|rule| &rule.spec.subsets);
            wider.any(|known| subset["name"] == *known.name)
        };
        let is_named = |subset: &Value| subset["name"].as_str().is_some_and(|name| named.contains(name));
        for created in created {
            match created {
                Created::VirtualService => {}
                Created::DestinationRule { namespace, name } => {
                    let target = Target {
                        kind: Kind::DestinationRule,
                        namespace: namespace.clone(),
                        name: name.clone(),
                    };
                    let Some(live) = self.read(&target).await? else {
                        continue;
                    };
                    let mut subsets = live["spec"]["subsets"].as_array().into_iter().flatten();
                    if subsets.any(|subset| is_named(subset) && !stays(subset)) {
                        printer.note(format_args!(
                            "{target} stays, because other routes name its subsets"
                        ));
                    } else if !is_shared(&live) {
                        self.delete(&target, &live).await?;
                    }
                }
                Created::Subset { subset, rule, .. } if is_named(subset) => {
                    printer.note(format_args!(
                        "subset {} of DestinationRule {rule} stays, because other routes name it",
                        subset["name"]
                    ));
                }
                Created::Subset {
                    namespace,
                    rule,
                    subset,
                } => {
                    let target = Target {
                        kind: Kind::DestinationRule,
                        namespace: namespace.clone(),
                        name: rule.clone(),
                    };
                    if self.read(&target).await?.is_some() {
                        let remove = |live: &Value| Ok(rules::remove_subsets(live, &[subset]));
                        self.patch(&target, remove).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The subsets of the service that routes name: those of `live`, and of all objects but `target`.
    async fn named_subsets(&self, target: &Target, live: &Value) -> Result<BTreeSet<String>, CommandError> {
        // What was read at the start may be hours old.
        let mut builder = MeshBuilder::new(self.mesh.settings().clone());
        let request = Request {
            kinds: &[Kind::VirtualService],
            overlay: None,
            namespace: Some(self.service.namespace()),
        };
        source::cluster::load(&mut builder, &self.cluster, &request, |_| {}).await?;
        let mesh = builder.build();
        let others = mesh.virtual_services().iter();
        let others = others
            .filter(|other| (other.namespace(), other.name()) != (&*target.namespace, &*target.name))
            .map(|other| (other.namespace(), other.header().origin().root().to_json()));
        let mut named = BTreeSet::new();
        for (namespace, object) in others.chain([(&*target.namespace, live.clone())]) {
            let names = Names {
                namespace,
                cluster_domain: &self.mesh.settings().cluster_domain,
            };
            let own = locate::destinations(&object)
                .filter(|(section, one)| section.host(one, &names) == *self.service.host())
                .map(|(section, one)| section.subset(one).to_owned());
            named.extend(own);
        }
        Ok(named)
    }
}

/// The only service that can be meant, or the one that the user chooses.
async fn candidate(printer: &mut Printer, mesh: &Mesh, namespace: &str) -> Result<Service, CommandError> {
    let candidates = locate::candidates(mesh, namespace);
    match candidates.as_slice() {
        [only] => return Ok((*only).clone()),
        [] => {
            return Err(CommandError::user(format!(
                "no service in namespace `{namespace}` has pods with several values of the label `version`"
            ))
            .hinted("name the service with `--service NAME`, and its namespace with `-n NAMESPACE`"));
        }
        _ => {}
    }
    let names: Vec<_> = candidates.iter().map(|service| service.header().name()).collect();
    if Printer::can_ask() {
        let mut question = format!("Services in `{namespace}`:\n");
        for (index, name) in names.iter().enumerate() {
            question.push_str(&format!("  {}  {name}\n", index + 1));
        }
        question.push_str("Which one? ");
        let answer = printer.answer(question).await;
        let number = answer.parse::<usize>().ok();
        let by_number = number.and_then(|number| candidates.get(number.checked_sub(1)?));
        let by_name = || {
            candidates
                .iter()
                .find(|service| service.header().name() == answer)
        };
        if let Some(chosen) = by_number.or_else(by_name) {
            return Ok((*chosen).clone());
        }
    }
    Err(
        CommandError::user(format!("several services could be meant: {}", names.join(", ")))
            .hinted("name one with `--service NAME`"),
    )
}

fn gone(target: &Target) -> CommandError {
    CommandError {
        kind: ErrorKind::Conflict,
        ..CommandError::user(format!("{target} has been deleted"))
    }
}

/// Up to half of a pause more, so that two programs that wait do not stay in step.
fn jitter(pause: Duration) -> Duration {
    let nanoseconds = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    pause.mul_f64(f64::from(nanoseconds % 1_000) / 2_000.0)
}

/// Says who changed the object, if that is what the error is about.
pub(super) fn blamed(error: CommandError, live: &Value) -> CommandError {
    match (error.kind, writer(live)) {
        (ErrorKind::Conflict, Some(writer)) => CommandError {
            message: format!("{}; {writer} wrote last", error.message),
            ..error
        }
        .hinted(
            "look at the object; `meshctl canary abort` goes back, and `meshctl canary shift` to begin anew comes after it",
        ),
        (_, _) => error,
    }
}

/// Who else has written the routes of an object, and when. Lists of routes belong as a whole to whoever changed them last.
fn writer(live: &Value) -> Option<String> {
    let has_routes = |entry: &&Value| {
        let owned = |field: &str| entry["fieldsV1"]["f:spec"].get(field).is_some();
        ["f:http", "f:tls", "f:tcp", "f:rules"].into_iter().any(owned)
    };
    let time = |entry: &Value| entry["time"].as_str().unwrap_or_default().to_owned();
    others(live)
        .filter(has_routes)
        .max_by_key(|entry| time(entry))
        .map(|entry| {
            format!(
                "`{}` ({})",
                entry["manager"].as_str().unwrap_or_default(),
                time(entry)
            )
        })
}

/// Whether somebody else has written to the `spec` of an object.
pub(super) fn is_shared(live: &Value) -> bool {
    others(live).any(|entry| entry["fieldsV1"].get("f:spec").is_some())
}

/// The managers of an object's fields that are not we.
fn others(live: &Value) -> impl Iterator<Item = &Value> {
    let managers = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    managers
        .into_iter()
        .flatten()
        .filter(|entry| entry["manager"] != FIELD_MANAGER)
}

/// Whether the routes are as the rollout left them.
pub(super) fn verify(live: &Value, rollout: &Rollout) -> Result<(), CommandError> {
    find(live, rollout)
        .map(drop)
        .map_err(|refusal| blamed(refusal.into(), live))
}
