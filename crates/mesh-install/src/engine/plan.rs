//! What would have to happen, from what is there.

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::cluster::{ListQuery, Scope};
use serde_json::{Value, json};

use super::api::{Api, Applied, How, Work, all};
use super::{Result, Session};
use crate::object::{OWNER_LABEL, ObjectRef, Step, is_going, is_ours, label};
use crate::plan::{Action, Desired, Others, Plan, Planned, essence, managers};
use crate::state::{STATE_LABEL, STATE_TYPE, State};
use crate::tag::{TAG_LABEL, is_led_elsewhere};

/// What to do about objects and fields of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Take over objects that belong to somebody else.
    pub adopt: bool,
    /// Take fields from others.
    pub force_conflicts: bool,
}

/// The states of all revisions of a mesh, by name.
pub(super) async fn states(api: &Api, mesh: &str) -> Result<Vec<State>> {
    let query = ListQuery::new("", "v1", "secrets", &Scope::Namespace(mesh.to_owned()))
        .labels(STATE_LABEL)
        .fields(format!("type={STATE_TYPE}"));
    let mut found = Vec::new();
    for secret in api.list(&query).await? {
        found.push(State::from_secret(&secret)?);
    }
    found.sort_by(|a, b| a.revision.cmp(&b.revision));
    Ok(found)
}

impl Session {
    /// What would have to happen for everything to be as desired. Changes nothing.
    ///
    /// # Errors
    ///
    /// Something cannot be read.
    pub async fn plan(&self, desired: &Desired, claims: Claims) -> Result<Plan> {
        let states = self.states().await?;
        plan(&self.api, desired, &states, claims).await
    }

    /// Takes objects back that are in the way only because they have lost the owner's label: those of an inventory
    /// that carry no other mesh's. Returns them.
    ///
    /// # Errors
    ///
    /// An object cannot be read or written.
    pub async fn take_back(
        &self,
        obstacles: &[Planned],
        inventory: &BTreeSet<ObjectRef>,
    ) -> Result<Vec<ObjectRef>> {
        let mut found = Vec::new();
        for Planned { object, action, .. } in obstacles {
            if !matches!(action, Action::Foreign { .. }) || !inventory.contains(object) {
                continue;
            }
            let live = self.api.get(object).await?;
            if let Some(live) = live.filter(|live| label(live, OWNER_LABEL).is_none()) {
                self.api.label(object, &live, OWNER_LABEL, &self.mesh).await?;
                found.push(object.clone());
            }
        }
        Ok(found)
    }
}

pub(super) async fn plan(api: &Api, desired: &Desired, states: &[State], claims: Claims) -> Result<Plan> {
    let wanted = desired.references();
    let mut work: Work<'_, Planned> = Vec::new();
    for (object, part, described) in desired.objects() {
        work.push(Box::pin(async move {
            Ok(Planned {
                action: judge(api, desired, &object, described, claims).await?,
                object,
                part: part.to_owned(),
            })
        }));
    }
    let mut planned = all(work).await?;
    let mut obsolete = obsolete(states, &desired.revision, &wanted);
    obsolete.retain(|object| api.may_remove(object));
    let mut there = present(api, &desired.mesh, obsolete).await?;
    // What the tag `default` has taken over goes with it.
    there.retain(|_, live| label(live, TAG_LABEL).is_none());
    planned.extend(there.into_keys().rev().map(|object| Planned {
        object,
        part: String::new(),
        action: Action::Remove,
    }));
    Ok(Plan { planned })
}

/// What a revision has from earlier, and neither it nor another one wants. Definitions and namespaces stay: users'
/// objects would go with them.
fn obsolete(states: &[State], revision: &str, wanted: &BTreeSet<ObjectRef>) -> Vec<ObjectRef> {
    let (own, others): (Vec<&State>, Vec<&State>) =
        states.iter().partition(|state| state.revision == revision);
    let known = own.iter().flat_map(|state| &state.inventory);
    known
        .filter(|object| {
            object.step() > Step::Definition
                && !wanted.contains(object)
                && !others.iter().any(|state| state.inventory.contains(object))
        })
        .cloned()
        .collect()
}

/// Those of the objects that are there and ours, as they are.
pub(super) async fn present(
    api: &Api,
    mesh: &str,
    objects: impl IntoIterator<Item = ObjectRef> + Send,
) -> Result<BTreeMap<ObjectRef, Value>> {
    let mut found = live(api, objects).await?;
    found.retain(|_, live| is_ours(live, mesh));
    Ok(found)
}

/// Those of the objects that are there, whoever they belong to.
pub(super) async fn live(
    api: &Api,
    objects: impl IntoIterator<Item = ObjectRef> + Send,
) -> Result<BTreeMap<ObjectRef, Value>> {
    let mut work: Work<'_, Option<(ObjectRef, Value)>> = Vec::new();
    for object in objects {
        work.push(Box::pin(async move {
            let live = api.get(&object).await?;
            Ok(live.map(|live| (object, live)))
        }));
    }
    Ok(all(work).await?.into_iter().flatten().collect())
}

/// Leaves to others what is theirs; see [`crate::plan::cede`].
pub(super) async fn cede(
    api: &Api,
    desired: &Desired,
    reference: &ObjectRef,
    object: &mut Value,
    live: &Value,
) -> Result<()> {
    let others = Others {
        is_scaled: desired.is_scaled(reference),
        has_default_tag: is_led_elsewhere(live) && super::tag::has_default(api, &desired.mesh).await?,
    };
    crate::plan::cede(object, live, others);
    Ok(())
}

async fn judge(
    api: &Api,
    desired: &Desired,
    reference: &ObjectRef,
    object: &Value,
    claims: Claims,
) -> Result<Action> {
    let Some(live) = api.get(reference).await? else {
        return Ok(Action::Create);
    };
    if is_going(&live) {
        return Ok(Action::Create);
    }
    let is_foreign = !is_ours(&live, &desired.mesh);
    if is_foreign && reference.step() == Step::Namespace {
        // One that is there is used as it is, and stays when all else goes.
        return Ok(Action::Keep);
    }
    let mut object = object.clone();
    let foreign = (is_foreign && !claims.adopt).then(|| Action::Foreign { owner: owner(&live) });
    if let Some(foreign) = &foreign {
        // All meshes of a cluster have the same definitions: it is enough if they are as this one wants them.
        let Some(mesh) = label(&live, OWNER_LABEL).filter(|_| reference.step() == Step::Definition) else {
            return Ok(foreign.clone());
        };
        object["metadata"]["labels"][OWNER_LABEL] = json!(mesh);
    } else {
        cede(api, desired, reference, &mut object, &live).await?;
    }
    let kept = api.kept();
    if kept.is_some_and(|kept| kept.is_kept(reference, &live, &object)) {
        return Ok(Action::Keep);
    }
    let how = How {
        force: claims.force_conflicts || (is_foreign && claims.adopt),
        dry_run: true,
    };
    let action = match api.apply(reference, &object, how).await? {
        Applied::Conflict(conflicts) => Action::Conflict(conflicts),
        Applied::Refused(why) => Action::Refused(why),
        Applied::Done(result) => {
            let (before, after) = (essence(&live), essence(&result));
            if before == after {
                if let Some(kept) = kept {
                    kept.keep(reference, &live, &object);
                }
                return Ok(Action::Keep);
            }
            Action::Change { before, after }
        }
    };
    Ok(foreign.unwrap_or(action))
}

/// Whose an object seems to be.
pub(super) fn owner(live: &Value) -> String {
    if let Some(mesh) = label(live, OWNER_LABEL) {
        return format!("the mesh of namespace {mesh}");
    }
    match managers(live).as_slice() {
        [] => "somebody else".to_owned(),
        managers => managers.join(", "),
    }
}
