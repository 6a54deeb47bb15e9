//! Removing: exactly what was installed goes, webhooks first, and what stays is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use mesh_core::cluster::{ListQuery, Scope};
use serde::Serialize;
use serde_json::Value;

use super::api::{Api, Work, all};
use super::install::{namespace, save};
use super::plan::{live, present};
use super::{Event, Result, Session};
use crate::object::{
    KINDS, OWNER_LABEL, ObjectKind, ObjectRef, Step, is_going, is_made_for_another, is_ours, label, revision,
};
use crate::state::{Phase, STATE_LABEL, State};
use crate::tag::TAG_LABEL;

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

/// Kinds of which a namespace that was made here must have no object of others to be deleted.
const OCCUPANTS: &[(&str, &str, &str)] = &[
    ("", "v1", "pods"),
    ("", "v1", "services"),
    ("", "v1", "configmaps"),
    ("", "v1", "secrets"),
    ("", "v1", "serviceaccounts"),
    ("", "v1", "persistentvolumeclaims"),
    ("apps", "v1", "deployments"),
    ("apps", "v1", "daemonsets"),
    ("apps", "v1", "statefulsets"),
    ("batch", "v1", "jobs"),
    ("batch", "v1", "cronjobs"),
    ("networking.k8s.io", "v1", "ingresses"),
    ("networking.k8s.io", "v1", "networkpolicies"),
    ("rbac.authorization.k8s.io", "v1", "roles"),
    ("rbac.authorization.k8s.io", "v1", "rolebindings"),
    ("gateway.networking.k8s.io", "v1", "gateways"),
    ("networking.istio.io", "v1", "gateways"),
    ("networking.istio.io", "v1", "virtualservices"),
    ("networking.istio.io", "v1", "destinationrules"),
    ("networking.istio.io", "v1", "serviceentries"),
    ("networking.istio.io", "v1", "sidecars"),
    ("networking.istio.io", "v1alpha3", "envoyfilters"),
    ("security.istio.io", "v1", "authorizationpolicies"),
    ("security.istio.io", "v1", "peerauthentications"),
    ("security.istio.io", "v1", "requestauthentications"),
    ("telemetry.istio.io", "v1", "telemetries"),
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
        }
    }
    for state in &staying {
        for object in &state.inventory {
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
        let occupants = occupants(api, &reference.name, mesh, &objects).await?;
        match occupants.as_slice() {
            [] => objects.push(reference),
            [first] => left.push(Left::new(reference, format!("it still has {first}"))),
            [first, rest @ ..] => {
                let why = format!("it still has {first} and {} more", rest.len());
                left.push(Left::new(reference, why));
            }
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

/// What others have in the namespace, beside what is about to go: `secrets cacerts`.
async fn occupants(api: &Api, namespace: &str, mesh: &str, going: &[ObjectRef]) -> Result<Vec<String>> {
    let mut work: Work<'_, Vec<String>> = Vec::new();
    for (group, version, plural) in OCCUPANTS {
        let query =
            ListQuery::new(group, version, plural, &Scope::Namespace(namespace.to_owned())).metadata_only();
        work.push(Box::pin(async move {
            let mut found = Vec::new();
            for object in api.list(&query).await? {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                let is_known = going.iter().any(|going| {
                    going.kind.plural == *plural && going.namespace == namespace && going.name == name
                });
                let is_clusters = matches!(
                    (*plural, name),
                    ("configmaps", "kube-root-ca.crt") | ("serviceaccounts", "default")
                );
                let is_owned = object["metadata"]["ownerReferences"].is_array();
                let goes = is_known || is_clusters || is_owned || is_going(&object) || is_ours(&object, mesh);
                if !goes {
                    found.push(format!("{plural} {name}"));
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
