//! Tags in a cluster.

use std::time::Duration;

use mesh_core::cluster::{ListQuery, Scope};
use serde::Serialize;
use serde_json::Value;

use super::api::Api;
use super::install::must_apply;
use super::{EngineError, Result, Session};
use crate::inventory::DEFAULT_REVISION;
use crate::object::{ObjectKind, ObjectRef, label, revision};
use crate::state::State;
use crate::tag::{
    DEFAULT_TAG, TAG_LABEL, TagSource, deactivate, injector_name, objects, service_name, validator_name,
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
}

impl Session {
    /// All tags of the cluster, by name.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub async fn tags(&self) -> Result<Vec<Tag>> {
        let mut tags = Vec::new();
        let injectors = ListQuery::new(
            "admissionregistration.k8s.io",
            "v1",
            "mutatingwebhookconfigurations",
            &Scope::All,
        );
        for object in self.api.list(&injectors.labels(TAG_LABEL)).await? {
            let webhook = &object["webhooks"][0]["clientConfig"]["service"];
            tags.push(Tag {
                tag: label(&object, TAG_LABEL).unwrap_or_default().to_owned(),
                revision: revision(&object).unwrap_or_default().to_owned(),
                mesh: webhook["namespace"].as_str().unwrap_or_default().to_owned(),
            });
        }
        tags.sort_by(|a, b| a.tag.cmp(&b.tag));
        Ok(tags)
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
            self.switch_injector(&api, false).await?;
        }
        Ok(())
    }

    /// Removes a tag. Without the tag `default`, plain namespaces belong to the revision without a name again.
    ///
    /// # Errors
    ///
    /// Something cannot be written, or does not go.
    pub async fn remove_tag(&self, tag: &str, wait_for_lock: Option<Duration>) -> Result<()> {
        self.lock(wait_for_lock).await?;
        let api = self.writer().await;
        if tag == DEFAULT_TAG {
            self.switch_injector(&api, true).await?;
        }
        let labelled = super::remove::labelled(&api, &self.mesh).await?;
        let of_tag = labelled
            .into_iter()
            .filter(|(_, live)| label(live, TAG_LABEL) == Some(tag))
            .map(|(object, _)| object);
        super::remove::remove_objects(&api, &self.mesh, of_tag.collect()).await
    }

    /// Switches the injector of the revision without a name on or off, if that is installed.
    async fn switch_injector(&self, api: &Api, on: bool) -> Result<()> {
        let states = super::plan::states(api, &self.mesh).await?;
        let state = states.iter().find(|state| state.revision == DEFAULT_REVISION);
        let name = injector_name(&self.mesh, DEFAULT_REVISION);
        let entry = state.and_then(State::current);
        let mut all = entry
            .iter()
            .flat_map(|entry| &entry.parts)
            .flat_map(|part| &part.objects);
        let Some(injector) = all.find(|object| {
            object["kind"] == "MutatingWebhookConfiguration" && object["metadata"]["name"] == name.as_str()
        }) else {
            return Ok(());
        };
        let mut injector = injector.clone();
        if !on {
            deactivate(&mut injector);
        }
        let reference = ObjectRef::of(&injector, &self.mesh)?;
        if api.get(&reference).await?.is_none() {
            return Ok(());
        }
        must_apply(api, &reference, &injector, true).await
    }
}
