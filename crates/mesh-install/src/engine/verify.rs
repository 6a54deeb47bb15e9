//! Comparing a cluster with what was installed.

use serde::Serialize;

use super::api::{Applied, How, Work, all};
use super::plan::cede;
use super::{Result, Session};
use crate::object::{OWNER_LABEL, ObjectRef, Step, is_going, is_ours, label};
use crate::plan::{Desired, FieldChange, essence, field_changes, managers};
use crate::state::State;

/// How an object differs from what was installed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// The object.
    pub object: ObjectRef,
    /// In what way.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// In what way an object differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "problem", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Verdict {
    /// It is not there.
    Missing,
    /// It no longer carries the owner's label, so that it would not be changed or removed.
    NotOurs,
    /// Fields have other values.
    Changed {
        /// The fields: what they are, and what was installed.
        fields: Vec<FieldChange>,
        /// Who else has written the object.
        managers: Vec<String>,
    },
    /// It is a workload that does not run.
    NotRunning {
        /// How far it is.
        progress: String,
    },
    /// Nobody installed it, although it carries the owner's label.
    Unknown,
    /// The API server would not take what was installed.
    Refused {
        /// What it says.
        why: String,
    },
}

impl Session {
    /// How the cluster differs from what was installed of a revision, or was to be if that was not completed. Changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// Something cannot be read.
    pub async fn verify(&self, states: &[State], revision: &str) -> Result<Vec<Drift>> {
        let Some(state) = states.iter().find(|state| state.revision == revision) else {
            return Ok(Vec::new());
        };
        let Some(entry) = state.history.last() else {
            return Ok(Vec::new());
        };
        let desired = Desired::new(&self.mesh, revision, entry.parts.clone())?;
        let desired = &desired;
        // What several revisions have is as the last of them wants it.
        let is_anothers = |object: &ObjectRef| {
            states.iter().any(|other| {
                other.revision != revision
                    && other.inventory.contains(object)
                    && (other.history.last()).is_some_and(|newer| newer.facts.started > entry.facts.started)
            })
        };
        let mut work: Work<'_, Option<Drift>> = Vec::new();
        for (object, _, wanted) in desired.objects() {
            if is_anothers(&object) {
                continue;
            }
            work.push(Box::pin(async move {
                let verdict = self.compare(desired, &object, wanted.clone()).await?;
                Ok(verdict.map(|verdict| Drift { object, verdict }))
            }));
        }
        let mut drifts: Vec<Drift> = all(work).await?.into_iter().flatten().collect();
        let labelled = super::remove::labelled(&self.api, &self.mesh).await?;
        for (object, live) in labelled {
            let is_known = states.iter().any(|state| state.inventory.contains(&object));
            let is_tag = label(&live, crate::tag::TAG_LABEL).is_some();
            if !is_known && !is_tag && object.step() != Step::Definition {
                drifts.push(Drift {
                    object,
                    verdict: Verdict::Unknown,
                });
            }
        }
        Ok(drifts)
    }

    async fn compare(
        &self,
        desired: &Desired,
        object: &ObjectRef,
        mut wanted: serde_json::Value,
    ) -> Result<Option<Verdict>> {
        let Some(live) = self.api.get(object).await?.filter(|live| !is_going(live)) else {
            return Ok(Some(Verdict::Missing));
        };
        if !is_ours(&live, &self.mesh) {
            // A namespace that was there before is used as it is, and so are definitions of another mesh.
            let is_meshs = label(&live, OWNER_LABEL).is_some();
            let is_used = object.step() == Step::Namespace || (object.step() == Step::Definition && is_meshs);
            return Ok((!is_used).then_some(Verdict::NotOurs));
        }
        cede(&self.api, desired, object, &mut wanted, &live).await?;
        let how = How {
            force: true,
            dry_run: true,
        };
        let result = match self.api.apply(object, &wanted, how).await? {
            Applied::Done(result) => result,
            Applied::Refused(why) => return Ok(Some(Verdict::Refused { why })),
            // It is forced.
            Applied::Conflict(_) => return Ok(None),
        };
        let fields = field_changes(&essence(&live), &essence(&result));
        if !fields.is_empty() {
            return Ok(Some(Verdict::Changed {
                fields,
                managers: managers(&live),
            }));
        }
        let progress = (object.step() == Step::Workload)
            .then(|| super::wait::missing(&live))
            .flatten();
        Ok(progress.map(|progress| Verdict::NotRunning { progress }))
    }
}
