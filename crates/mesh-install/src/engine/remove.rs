//! Removing: exactly what was installed goes, webhooks first, and what stays is told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use mesh_core::cluster::{ListQuery, Scope};
use serde::Serialize;
use serde_json::Value;

use super::api::{Api, Work, all};
use super::install::{namespace, save};
use super::plan::{live, present};
use super::{Event, Result, Session};
use crate::inventory::DEFAULT_REVISION;
use crate::object::{
    KINDS, OWNER_LABEL, ObjectKind, ObjectRef, Step, is_going, is_made_for_another, is_ours, label, revision,
};
use crate::state::{Entry, Phase, STATE_LABEL, State};
use crate::tag::{DEFAULT_TAG, TAG_LABEL, tag_name};

/// What to remove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemovalScope {
    /// One revision: all that no other revision has too. Definitions stay.
    Revision(String),
    /// Everything, the definitions with all of users' objects included.
    Purge,
}

/// What a removal comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The revisions that go.
    pub revisions: Vec<String>,
    /// The objects that go, in the order in which they do.
    pub objects: Vec<ObjectRef>,
    /// What stays, and why.
    pub left: Vec<Left>,
    /// Whether nothing of the revision is known, and other revisions are there: their names.
    #[serde(skip)]
    pub others: Vec<String>,
}

/// Something that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The object.
    pub object: ObjectRef,
    /// Why it stays.
    pub why: String,
}

impl Left {
    fn new(object: ObjectRef, why: impl Into<String>) -> Self {
        Self {
            object,
            why: why.into(),
        }
    }
}

/// What istiod makes while it runs: names in the namespace of the mesh. They carry no owner's label.
const RUNTIME: &[(&str, &str)] = &[
    ("Secret", "istio-ca-secret"),
    ("ConfigMap", "istio-leader"),
    ("ConfigMap", "istio-namespace-controller-election"),
    ("ConfigMap", "istio-gateway-deployment-leader"),
    ("ConfigMap", "istio-gateway-status-leader"),
    ("ConfigMap", "istio-gateway-deployment-default"),
];

/// The certificate of the mesh's authority, which istiod puts into every namespace.
const ROOT_CERTIFICATE: &str = "istio-ca-root-cert";

/// What the certificate is labelled with.
const ROOT_CERTIFICATE_LABEL: &str = "istio.io/config=true";

/// What comes and goes with other objects, or by itself: kinds of which a namespace may have objects and be deleted all
/// the same. The last ones are not kept at all, but shown in every namespace. An empty plural is all of a group.
const NOT_KEPT: &[(&str, &str)] = &[
    ("", "events"),
    ("", "endpoints"),
    ("events.k8s.io", "events"),
    ("discovery.k8s.io", "endpointslices"),
    ("coordination.k8s.io", "leases"),
    ("metrics.k8s.io", ""),
    ("custom.metrics.k8s.io", ""),
    ("external.metrics.k8s.io", ""),
    ("packages.operators.coreos.com", ""),
];

impl Session {
    /// What removing comes to. Changes nothing.
    ///
    /// # Errors
    ///
    /// Something cannot be read.
    pub async fn removal(&self, scope: &RemovalScope) -> Result<Removal> {
        removal(&self.api, &self.mesh, scope).await
    }

    /// Removes, and waits until everything is gone. Returns what was there and what stays.
    ///
    /// # Errors
    ///
    /// Something does not go; the same again goes on from there.
    pub async fn remove(&self, scope: &RemovalScope, wait_for_lock: Option<Duration>) -> Result<Removal> {
        let patient = self.api.patient();
        let there = match namespace(&self.mesh) {
            Some(reference) => patient.get(&reference).await?,
            None => None,
        };
        // Nothing can be made in a namespace that is not there, or goes; and nobody else can then be at work.
        let lockable = there.as_ref().is_some_and(|namespace| !is_going(namespace));
        if lockable {
            self.lock(wait_for_lock).await?;
        }
        let api = self.writer().await;
        let states = super::plan::states(&api, &self.mesh).await?;
        let going: Vec<State> = states
            .into_iter()
            .filter(|state| match scope {
                RemovalScope::Revision(revision) => state.revision == *revision,
                RemovalScope::Purge => true,
            })
            .collect();
        for state in &going {
            let removing = State {
                phase: Phase::Removing,
                ..state.clone()
            };
            if lockable {
                save(&api, &removing).await?;
            }
        }
        let removal = removal(&api, &self.mesh, scope).await?;
        let (objects, own_namespace): (Vec<_>, Vec<_>) =
            (removal.objects.iter().cloned()).partition(|object| object.step() != Step::Namespace);
        let (ours, runtime): (Vec<_>, Vec<_>) = objects.into_iter().partition(|object| !is_runtime(object));
        let default_tag = tag_name(&self.mesh, DEFAULT_TAG);
        let has_default_tag = |object: &ObjectRef| {
            object.kind.kind == "MutatingWebhookConfiguration" && object.name == default_tag
        };
        if ours.iter().any(has_default_tag) && going.iter().all(|state| state.revision != DEFAULT_REVISION) {
            // Plain namespaces are not to be left without an injector.
            super::tag::lead_default(&api, &self.mesh, true).await?;
        }
        remove_objects(&api, &self.mesh, ours).await?;
        delete_all(&api, live(&api, runtime).await?).await?;
        // What is known goes last: until then a removal that was cut short goes on from it.
        let states = going
            .iter()
            .filter_map(|state| State::reference(&state.mesh, &state.revision));
        delete_all(&api, live(&api, states).await?).await?;
        self.close().await;
        // The lock is gone, and with it the last thing in the namespace.
        delete_all(&patient, live(&patient, own_namespace).await?).await?;
        Ok(removal)
    }
}

fn is_runtime(object: &ObjectRef) -> bool {
    object.name == ROOT_CERTIFICATE || RUNTIME.contains(&(object.kind.kind, object.name.as_str()))
}

async fn removal(api: &Api, mesh: &str, scope: &RemovalScope) -> Result<Removal> {
    let states = super::plan::states(api, mesh).await?;
    let is_meant = |revision: &str| match scope {
        RemovalScope::Revision(wanted) => wanted == revision,
        RemovalScope::Purge => true,
    };
    let (going, staying): (Vec<&State>, Vec<&State>) =
        states.iter().partition(|state| is_meant(&state.revision));
    let is_last = staying.is_empty();
    let is_purge = *scope == RemovalScope::Purge;
    if going.is_empty() && !is_last {
        return Ok(Removal {
            others: staying.iter().map(|state| state.revision.clone()).collect(),
            ..Removal::default()
        });
    }

    let mut left = Vec::new();
    let labelled = labelled(api, mesh).await?;
    let mut known: BTreeSet<ObjectRef> = going
        .iter()
        .flat_map(|state| state.inventory.iter().cloned())
        .filter(|object| api.may_remove(object))
        .collect();
    for (object, live) in &labelled {
        let is_tag = label(live, TAG_LABEL).is_some();
        // Tags go with the revision that they lead to; and what is labelled, but not known, with the last revision.
        if is_last || (is_tag && revision(live).is_some_and(is_meant)) {
            known.insert(object.clone());
        } else if is_tag {
            // It is of another revision by now.
            known.remove(object);
        }
    }
    for state in &staying {
        for object in &state.inventory {
            let live = labelled.get(object);
            let is_tag = live.is_some_and(|live| label(live, TAG_LABEL).is_some());
            // Only what it wants now does it take back from a tag.
            if is_tag && !state.current().is_some_and(|entry| has(entry, object, mesh)) {
                continue;
            }
            if known.remove(object) && labelled.contains_key(object) {
                left.push(Left::new(
                    object.clone(),
                    format!("revision {} has it too", state.revision),
                ));
            }
        }
    }
    let mut there = present(api, mesh, known).await?;
    let mut namespaces = Vec::new();
    there.retain(|object, _| match object.step() {
        Step::Namespace => {
            namespaces.push(object.clone());
            false
        }
        Step::Definition if !is_purge => {
            if !left.iter().any(|left| left.object == *object) {
                left.push(Left::new(
                    object.clone(),
                    "your objects of the kind would go with it (`--purge`)",
                ));
            }
            false
        }
        _ => true,
    });
    let mut objects: Vec<ObjectRef> = there.into_keys().rev().collect();
    if is_last {
        let runtime = runtime(api, mesh).await?;
        if is_purge {
            objects.extend(runtime);
        } else {
            let why = "istiod made it when it ran (`--purge`)";
            left.extend(runtime.into_iter().map(|object| Left::new(object, why)));
        }
        namespaces.extend(namespace(mesh).filter(|namespace| api.may_remove(namespace)));
    }
    for reference in namespaces {
        let Some(live) = api.get(&reference).await? else {
            continue;
        };
        if !is_ours(&live, mesh) {
            left.push(Left::new(reference, "it was there before"));
            continue;
        }
        match occupied(api, &reference.name, mesh, &objects).await {
            Some(why) => left.push(Left::new(reference, why)),
            None => objects.push(reference),
        }
    }
    left.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(Removal {
        revisions: going.iter().map(|state| state.revision.clone()).collect(),
        objects,
        left,
        others: Vec::new(),
    })
}

/// Whether an installation has an object.
fn has(entry: &Entry, object: &ObjectRef, mesh: &str) -> bool {
    let mut objects = entry.parts.iter().flat_map(|part| &part.objects);
    objects.any(|described| ObjectRef::of(described, mesh).is_ok_and(|reference| reference == *object))
}

/// Everything that carries the owner's label, but what only this program needs.
pub(super) async fn labelled(api: &Api, mesh: &str) -> Result<BTreeMap<ObjectRef, Value>> {
    let mut work: Work<'_, Vec<(ObjectRef, Value)>> = Vec::new();
    let kinds = KINDS.iter().filter(|kind| kind.step != Step::Namespace);
    let lists = kinds.flat_map(|kind| {
        let scopes = api.scopes(kind.namespaced).into_iter();
        scopes.map(move |scope| (kind, scope))
    });
    for (kind, scope) in lists {
        let query = ListQuery::new(kind.group, kind.version, kind.plural, &scope)
            .labels(format!("{OWNER_LABEL}={mesh}"))
            .metadata_only();
        work.push(Box::pin(async move {
            let mut found = Vec::new();
            for object in api.list(&query).await? {
                let metadata = &object["metadata"];
                let namespace = metadata["namespace"].as_str().unwrap_or_default();
                let name = metadata["name"].as_str().unwrap_or_default();
                if label(&object, STATE_LABEL).is_none() && !is_made_for_another(&object) {
                    found.push((ObjectRef::new(kind, namespace, name), object));
                }
            }
            Ok(found)
        }));
    }
    Ok(all(work).await?.into_iter().flatten().collect())
}

/// What istiod has made, as far as it is there.
async fn runtime(api: &Api, mesh: &str) -> Result<Vec<ObjectRef>> {
    let named = RUNTIME.iter().filter_map(|(kind, name)| {
        let kind = ObjectKind::named(kind)?;
        Some(ObjectRef::new(kind, mesh, name))
    });
    let mut found: Vec<ObjectRef> = live(api, named).await?.into_keys().collect();
    let mut certificates = Vec::new();
    for scope in api.scopes(true) {
        let query = ListQuery::new("", "v1", "configmaps", &scope)
            .labels(ROOT_CERTIFICATE_LABEL)
            .fields(format!("metadata.name={ROOT_CERTIFICATE}"))
            .metadata_only();
        certificates.extend(api.list(&query).await?);
    }
    found.extend(certificates.iter().filter_map(|certificate| {
        let kind = ObjectKind::named("ConfigMap")?;
        let namespace = certificate["metadata"]["namespace"].as_str()?;
        Some(ObjectRef::new(kind, namespace, ROOT_CERTIFICATE))
    }));
    Ok(found)
}

/// A kind whose objects are in namespaces, as the server has it.
struct Resource {
    group: String,
    version: String,
    plural: String,
}

impl fmt::Display for Resource {
    /// `virtualservices.networking.istio.io`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.plural)?;
        match self.group.as_str() {
            "" => Ok(()),
            group => write!(f, ".{group}"),
        }
    }
}

/// All kinds whose objects are in namespaces and can be listed, each in one version.
async fn namespaced(api: &Api) -> Result<Vec<Resource>> {
    let groups = api.find("/apis").await?.unwrap_or_default();
    let mut versions = vec![(String::new(), "v1".to_owned(), "/api/v1".to_owned())];
    for group in groups["groups"].as_array().into_iter().flatten() {
        let name = group["name"].as_str().unwrap_or_default();
        for version in group["versions"].as_array().into_iter().flatten() {
            let version = version["version"].as_str().unwrap_or_default();
            versions.push((
                name.to_owned(),
                version.to_owned(),
                format!("/apis/{name}/{version}"),
            ));
        }
    }
    let is_kept = |group: &str, plural: &str| {
        !(NOT_KEPT.iter()).any(|(not, which)| group == *not && (which.is_empty() || plural == *which))
    };
    versions.retain(|(group, ..)| is_kept(group, ""));
    let mut work: Work<'_, Value> = Vec::new();
    for (_, _, path) in &versions {
        work.push(Box::pin(
            async move { Ok(api.find(path).await?.unwrap_or_default()) },
        ));
    }
    let lists = all(work).await?;
    let mut found: Vec<Resource> = Vec::new();
    for ((group, version, _), list) in versions.iter().zip(&lists) {
        for resource in list["resources"].as_array().into_iter().flatten() {
            let plural = resource["name"].as_str().unwrap_or_default();
            let mut verbs = resource["verbs"].as_array().into_iter().flatten();
            let is_known = found
                .iter()
                .any(|known| known.group == *group && known.plural == plural);
            let is_meant = resource["namespaced"] == true && verbs.any(|verb| verb == "list");
            if is_meant && !is_known && is_kept(group, plural) {
                found.push(Resource {
                    group: group.clone(),
                    version: version.clone(),
                    plural: plural.to_owned(),
                });
            }
        }
    }
    Ok(found)
}

/// Why a namespace stays: what others have in it, beside what is about to go, or may have. `None` if there is nothing.
async fn occupied(api: &Api, namespace: &str, mesh: &str, going: &[ObjectRef]) -> Option<String> {
    match occupants(&api.bounded(), namespace, mesh, going).await {
        Ok(occupants) => match occupants.as_slice() {
            [] => None,
            [first] => Some(format!("it still has {first}")),
            [first, rest @ ..] => Some(format!("it still has {first} and {} more", rest.len())),
        },
        Err(error) => Some(format!("nobody can tell what else it has: {error}")),
    }
}

/// What others have in the namespace, beside what is about to go: `secrets cacerts`.
async fn occupants(api: &Api, namespace: &str, mesh: &str, going: &[ObjectRef]) -> Result<Vec<String>> {
    let scope = Scope::Namespace(namespace.to_owned());
    let mut work: Work<'_, Vec<String>> = Vec::new();
    for resource in namespaced(api).await? {
        let query = ListQuery::new(&resource.group, &resource.version, &resource.plural, &scope);
        let query = query.metadata_only();
        work.push(Box::pin(async move {
            let mut found = Vec::new();
            for object in api.list(&query).await? {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let is_known = going.iter().any(|going| {
                    (going.kind.group, going.kind.plural)
                        == (resource.group.as_str(), resource.plural.as_str())
                        && going.namespace == namespace
                        && going.name == name
                });
                let is_clusters = resource.group.is_empty()
                    && matches!(
                        (resource.plural.as_str(), name),
                        ("configmaps", "kube-root-ca.crt") | ("serviceaccounts", "default")
                    );
                let is_owned = object["metadata"]["ownerReferences"].is_array();
                let goes = is_known || is_clusters || is_owned || is_going(&object) || is_ours(&object, mesh);
                if !goes {
                    found.push(format!("{resource} {name}"));
                }
            }
            Ok(found)
        }));
    }
    Ok(all(work).await?.into_iter().flatten().collect())
}

/// Deletes those of the objects that are ours: what came last goes first, and each step is gone before the next.
pub(super) async fn remove_objects(api: &Api, mesh: &str, objects: Vec<ObjectRef>) -> Result<()> {
    let mut by_step: BTreeMap<Step, Vec<ObjectRef>> = BTreeMap::new();
    for object in objects {
        by_step.entry(object.step()).or_default().push(object);
    }
    for (_, objects) in by_step.into_iter().rev() {
        delete_all(api, present(api, mesh, objects).await?).await?;
    }
    Ok(())
}

/// Deletes objects, and waits until they are gone.
async fn delete_all(api: &Api, objects: BTreeMap<ObjectRef, Value>) -> Result<()> {
    let mut deletions: Work<'_, ()> = Vec::new();
    let mut waits: Work<'_, ()> = Vec::new();
    for (object, live) in objects.iter().rev() {
        deletions.push(Box::pin(async move {
            api.report(Event::Removing {
                object: object.clone(),
            });
            // What runs is gone only when its pods are.
            api.delete(object, live, object.step() == Step::Workload).await
        }));
        waits.push(Box::pin(async move {
            api.wait_until_gone(object, live).await?;
            api.report(Event::Removed {
                object: object.clone(),
            });
            Ok(())
        }));
    }
    all(deletions).await?;
    all(waits).await.map(drop)
}
