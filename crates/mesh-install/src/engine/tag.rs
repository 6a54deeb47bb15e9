//! Tags in a cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use mesh_core::cluster::{ListQuery, Scope};
use serde::Serialize;
use serde_json::Value;

use super::api::Api;
use super::install::must_apply;
use super::{EngineError, Result, Session};
use crate::inventory::DEFAULT_REVISION;
use crate::object::{OWNER_LABEL, ObjectKind, ObjectRef, is_going, label, revision};
use crate::state::State;
use crate::tag::{
    DEFAULT_TAG, TAG_LABEL, TagSource, deactivate, default_validator_name, injector_name, objects,
    service_name, tag_name, validator_name,
};

/// A tag that is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tag {
    /// Its name.
    pub tag: String,
    /// The revision that it leads to.
    pub revision: String,
    /// The namespace of that revision's mesh; empty if its maker did not say.
    pub mesh: String,
    /// The name of its `MutatingWebhookConfiguration`.
    #[serde(skip)]
    pub object: String,
}

impl Tag {
    /// Whether it is one of the mesh of a namespace.
    pub fn is_of(&self, mesh: &str) -> bool {
        self.mesh == mesh || (self.mesh.is_empty() && self.object == tag_name(mesh, &self.tag))
    }
}

/// Why a tag cannot be set.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TagError {
    /// See there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// There is no such revision.
    #[error("there is no revision {revision} with an injector")]
    UnknownRevision {
        /// The revision.
        revision: String,
        /// Those that were installed.
        known: Vec<String>,
    },
    /// A revision has the name.
    #[error("{0} is the name of a revision")]
    IsRevision(String),
    /// Nothing of the mesh belongs to such a tag.
    #[error("there is no tag {0}")]
    UnknownTag(String),
}

impl Session {
    /// All tags of the cluster, by name.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub async fn tags(&self) -> Result<Vec<Tag>> {
        tags(&self.api).await
    }

    /// What would go with a tag: of the mesh, and set by this program.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub async fn tag_removal(&self, tag: &str) -> Result<Vec<ObjectRef>> {
        of_tag(&self.api, &self.mesh, tag).await
    }

    /// The objects that a tag would consist of. Changes nothing.
    ///
    /// # Errors
    ///
    /// There is no such revision, or one has the name of the tag.
    pub async fn tag_objects(&self, tag: &str, revision: &str) -> Result<Vec<Value>, TagError> {
        let states = self.states().await?;
        let known: Vec<String> = states.iter().map(|state| state.revision.clone()).collect();
        if tag != DEFAULT_TAG && known.iter().any(|known| known == tag) {
            return Err(TagError::IsRevision(tag.to_owned()));
        }
        let mesh = &self.mesh;
        let find = async |kind: &str, name: String| match ObjectKind::named(kind) {
            Some(kind) => self.api.get(&ObjectRef::new(kind, mesh, &name)).await,
            None => Ok(None),
        };
        let injector = find("MutatingWebhookConfiguration", injector_name(mesh, revision)).await?;
        let Some(injector) = injector else {
            return Err(TagError::UnknownRevision {
                revision: revision.to_owned(),
                known,
            });
        };
        let validator = find("ValidatingWebhookConfiguration", validator_name(mesh, revision)).await?;
        let service = find("Service", service_name(revision)).await?;
        Ok(objects(
            tag,
            &TagSource {
                mesh,
                revision,
                injector: &injector,
                validator: validator.as_ref(),
                service: service.as_ref(),
            },
        ))
    }

    /// Makes a tag lead to a revision. The tag `default` takes plain namespaces from the revision without a name.
    ///
    /// # Errors
    ///
    /// See [`Session::tag_objects`]; or something cannot be written.
    pub async fn set_tag(
        &self,
        tag: &str,
        revision: &str,
        wait_for_lock: Option<Duration>,
    ) -> Result<(), TagError> {
        self.lock(wait_for_lock).await?;
        let api = self.writer().await;
        for object in self.tag_objects(tag, revision).await? {
            let reference = ObjectRef::of(&object, &self.mesh).map_err(EngineError::from)?;
            must_apply(&api, &reference, &object, true).await?;
        }
        if tag == DEFAULT_TAG {
            // For a moment both would inject, and the second leaves alone what the first did; better than none.
            lead_default(&api, &self.mesh, false).await?;
        }
        Ok(())
    }

    /// Removes a tag. Without the tag `default`, plain namespaces and plain configuration belong to the revision without a
    /// name again.
    ///
    /// # Errors
    ///
    /// There is nothing of it; or something cannot be written, or does not go.
    pub async fn remove_tag(&self, tag: &str, wait_for_lock: Option<Duration>) -> Result<(), TagError> {
        self.lock(wait_for_lock).await?;
        let api = self.writer().await;
        let going = of_tag(&api, &self.mesh, tag).await?;
        if going.is_empty() {
            return Err(TagError::UnknownTag(tag.to_owned()));
        }
        if tag == DEFAULT_TAG {
            lead_default(&api, &self.mesh, true).await?;
        }
        Ok(super::remove::remove_objects(&api, &self.mesh, going).await?)
    }
}

/// See [`Session::tags`].
async fn tags(api: &Api) -> Result<Vec<Tag>> {
    let mut tags = Vec::new();
    let injectors = ListQuery::new(
        "admissionregistration.k8s.io",
        "v1",
        "mutatingwebhookconfigurations",
        &Scope::All,
    );
    for object in api.list(&injectors.labels(TAG_LABEL)).await? {
        if is_going(&object) {
            continue;
        }
        let webhook = &object["webhooks"][0]["clientConfig"]["service"];
        let mesh = webhook["namespace"].as_str();
        tags.push(Tag {
            tag: label(&object, TAG_LABEL).unwrap_or_default().to_owned(),
            revision: revision(&object).unwrap_or_default().to_owned(),
            mesh: mesh
                .or_else(|| label(&object, OWNER_LABEL))
                .unwrap_or_default()
                .to_owned(),
            object: object["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        });
    }
    tags.sort_by(|a, b| a.tag.cmp(&b.tag));
    Ok(tags)
}

/// Whether a mesh has a tag `default`, whoever set it.
pub(super) async fn has_default(api: &Api, mesh: &str) -> Result<bool> {
    let tags = tags(api).await?;
    Ok(tags.iter().any(|tag| tag.tag == DEFAULT_TAG && tag.is_of(mesh)))
}

/// What of a mesh belongs to a tag alone, in the order in which it goes. Nothing, if somebody else has set the tag.
async fn of_tag(api: &Api, mesh: &str, tag: &str) -> Result<Vec<ObjectRef>> {
    let labelled = super::remove::labelled(api, mesh).await?;
    let of_tag = labelled
        .into_iter()
        .filter(|(_, live)| label(live, TAG_LABEL) == Some(tag));
    let mut found: BTreeSet<ObjectRef> = of_tag.map(|(object, _)| object).collect();
    let injectors = tags(api).await?;
    let is_ours = |known: &Tag| found.iter().any(|object| object.name == known.object);
    if (injectors.iter()).any(|known| known.tag == tag && known.is_of(mesh) && !is_ours(known)) {
        return Ok(Vec::new());
    }
    if tag == DEFAULT_TAG {
        let states = super::plan::states(api, mesh).await?;
        for object in of_default(&states, mesh) {
            found.remove(&ObjectRef::of(object, mesh)?);
        }
    }
    Ok(found.into_iter().rev().collect())
}

/// What the tag `default` takes from the revision without a name, as that has it, if it is installed.
fn of_default<'a>(states: &'a [State], mesh: &str) -> Vec<&'a Value> {
    let names = [
        (
            "MutatingWebhookConfiguration",
            injector_name(mesh, DEFAULT_REVISION),
        ),
        ("ValidatingWebhookConfiguration", default_validator_name(mesh)),
    ];
    let state = states.iter().find(|state| state.revision == DEFAULT_REVISION);
    let parts = state.and_then(State::current).map(|entry| &entry.parts);
    let objects = parts.into_iter().flatten().flat_map(|part| &part.objects);
    let is_meant = |object: &&Value| {
        (names.iter())
            .any(|(kind, name)| object["kind"] == *kind && object["metadata"]["name"] == name.as_str())
    };
    objects.filter(is_meant).collect()
}

/// Gives plain namespaces and plain configuration back to the revision without a name, or switches its injector off.
pub(super) async fn lead_default(api: &Api, mesh: &str, on: bool) -> Result<()> {
    let states = super::plan::states(api, mesh).await?;
    for object in of_default(&states, mesh) {
        let reference = ObjectRef::of(object, mesh)?;
        if api.get(&reference).await?.is_none() {
            continue;
        }
        let mut object = object.clone();
        if !on {
            deactivate(&mut object);
        }
        // What checks configuration is the tag's by now: it is not switched off, but leads elsewhere.
        if on || reference.kind.kind == "MutatingWebhookConfiguration" {
            must_apply(api, &reference, &object, true).await?;
        }
    }
    Ok(())
}
