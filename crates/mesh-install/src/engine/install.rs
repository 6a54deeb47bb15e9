//! Installing: what is wanted comes to be, in order, and what is no longer wanted goes.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, Applied, How, Work, all};
use super::plan::{Claims, cede, plan};
use super::{EngineError, Event, Result, Session};
use crate::object::{OWNER_LABEL, ObjectKind, ObjectRef, Step, is_going, is_ours};
use crate::plan::{Action, Desired, Part, Plan, Planned};
use crate::state::{Entry, EntryFacts, State};

/// How to install.
#[derive(Clone, Debug, Default)]
pub struct InstallOptions {
    /// What to do about objects and fields of others.
    pub claims: Claims,
    /// Do not wait for workloads to run.
    pub no_wait: bool,
    /// How long to wait for somebody else who works on the mesh.
    pub wait_for_lock: Option<Duration>,
    /// What the user has agreed to: if it has changed, nothing is done.
    pub agreed: Option<Plan>,
}

impl Session {
    /// Makes everything be as desired, and remembers it. `facts` is what is remembered; its number is set here.
    /// Returns what was done.
    ///
    /// # Errors
    ///
    /// What is in the way, or cannot be done. All that was done stays, and is known; the same again goes on from
    /// there.
    pub async fn install(
        &self,
        desired: &Desired,
        mut facts: EntryFacts,
        options: &InstallOptions,
    ) -> Result<Plan> {
        let patient = self.api.patient();
        if !patient.is_confined() {
            ensure_namespace(&patient, desired).await?;
        }
        self.lock(options.wait_for_lock).await?;
        let api = self.writer().await;
        let states = super::plan::states(&api, &desired.mesh).await?;
        let plan = plan(&api, desired, &states, options.claims).await?;
        let obstacles = plan.obstacles();
        if !obstacles.is_empty() {
            return Err(EngineError::Obstacles(obstacles));
        }
        if options
            .agreed
            .as_ref()
            .is_some_and(|agreed| !agreed.is_like(&plan))
        {
            return Err(EngineError::Outdated(Box::new(plan)));
        }
        let known = states
            .into_iter()
            .find(|state| state.revision == desired.revision);
        let mut state = known.unwrap_or_else(|| State::new(&desired.mesh, &desired.revision));
        facts.number = state.next_number();
        facts.complete = false;
        let entry = Entry {
            facts,
            parts: desired.parts.clone(),
        };
        state.begin(entry, desired.references());
        save(&api, &state).await?;

        let worker = Worker {
            api: &api,
            desired,
            plan: &plan,
            options,
        };
        let mut waves = desired.parts.as_slice();
        while let Some(first) = waves.first() {
            let (wave, rest) =
                waves.split_at(waves.iter().take_while(|part| part.wave == first.wave).count());
            worker.wave(wave).await?;
            waves = rest;
        }
        let obsolete = plan
            .planned
            .iter()
            .filter(|planned| planned.action == Action::Remove);
        let obsolete: Vec<_> = obsolete.map(|planned| planned.object.clone()).collect();
        super::remove::remove_objects(&api, &desired.mesh, obsolete.clone()).await?;

        state.complete(&obsolete);
        save(&api, &state).await?;
        Ok(plan)
    }
}

/// Writes down what is known.
pub(super) async fn save(api: &Api, state: &State) -> Result<()> {
    let Some(reference) = State::reference(&state.mesh, &state.revision) else {
        return Ok(());
    };
    must_apply(api, &reference, &state.to_secret(), true).await
}

/// Applies an object of which no refusal is expected.
pub(super) async fn must_apply(api: &Api, reference: &ObjectRef, object: &Value, force: bool) -> Result<()> {
    let how = How {
        force,
        dry_run: false,
    };
    let action = match api.apply(reference, object, how).await? {
        Applied::Done(_) => return Ok(()),
        Applied::Conflict(conflicts) => Action::Conflict(conflicts),
        Applied::Refused(why) => Action::Refused(why),
    };
    Err(EngineError::Obstacles(vec![Planned {
        object: reference.clone(),
        part: String::new(),
        action,
    }]))
}

/// The namespace of that name.
pub(super) fn namespace(mesh: &str) -> Option<ObjectRef> {
    ObjectKind::find("", "Namespace").map(|kind| ObjectRef::new(kind, "", mesh))
}

/// Makes the namespace if it is not there. Only one that was made here is ever deleted.
async fn ensure_namespace(api: &Api, desired: &Desired) -> Result<()> {
    let Desired {
        mesh,
        namespace_labels: labels,
        ..
    } = desired;
    let Some(reference) = namespace(mesh) else {
        return Ok(());
    };
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": mesh, "labels": labels },
    });
    object["metadata"]["labels"][OWNER_LABEL] = json!(mesh);
    loop {
        if let Some(live) = api.get(&reference).await? {
            if is_going(&live) {
                api.wait_until_gone(&reference, &live).await?;
                continue;
            }
            if is_ours(&live, mesh) && !labels.is_empty() {
                // One that was made here keeps up with what is wanted of it.
                must_apply(api, &reference, &object, true).await?;
            }
            return Ok(());
        }
        if api.create(&reference, &object).await?.is_some() {
            return Ok(());
        }
    }
}

struct Worker<'a> {
    api: &'a Api,
    desired: &'a Desired,
    plan: &'a Plan,
    options: &'a InstallOptions,
}

impl Worker<'_> {
    async fn wave(&self, parts: &[Part]) -> Result<()> {
        for part in parts {
            self.api.report(Event::PartStarted {
                part: part.name.clone(),
                objects: self.changes(&part.name).count(),
            });
        }
        let is_of_wave = |planned: &&Planned| parts.iter().any(|part| part.name == planned.part);
        let changes: Vec<&Planned> = self.all_changes().filter(is_of_wave).collect();
        let mut steps: Vec<Step> = changes.iter().map(|planned| planned.object.step()).collect();
        steps.sort();
        steps.dedup();
        let (before, webhooks): (Vec<Step>, Vec<Step>) =
            steps.into_iter().partition(|step| *step < Step::Webhook);
        for step in before {
            self.step(&changes, step).await?;
            if step == Step::Definition {
                self.wait_for_definitions(&changes).await?;
            }
        }
        if !self.options.no_wait {
            super::wait::wait(self.api, self.desired, parts).await?;
        }
        // Webhooks that nobody answers would be in the way of everything.
        for step in webhooks {
            self.step(&changes, step).await?;
        }
        for part in parts {
            self.api.report(Event::PartReady {
                part: part.name.clone(),
            });
        }
        Ok(())
    }

    /// The objects to write.
    fn all_changes(&self) -> impl Iterator<Item = &Planned> {
        self.plan
            .planned
            .iter()
            .filter(|planned| matches!(planned.action, Action::Create | Action::Change { .. }))
    }

    fn changes(&self, part: &str) -> impl Iterator<Item = &Planned> {
        self.all_changes().filter(move |planned| planned.part == part)
    }

    /// Writes all objects of a step.
    async fn step(&self, changes: &[&Planned], step: Step) -> Result<()> {
        let mut work: Work<'_, ()> = Vec::new();
        for planned in changes {
            if planned.object.step() == step {
                work.push(Box::pin(self.object(planned)));
            }
        }
        all(work).await.map(drop)
    }

    async fn object(&self, planned: &Planned) -> Result<()> {
        let found = self
            .desired
            .objects()
            .find(|(reference, _, _)| *reference == planned.object);
        let Some((reference, part, object)) = found else {
            return Ok(());
        };
        let mut object = object.clone();
        let live = loop {
            match self.api.get(&reference).await? {
                Some(live) if is_going(&live) => self.api.wait_until_gone(&reference, &live).await?,
                live => break live,
            }
        };
        if let Some(live) = &live {
            cede(self.api, self.desired, &reference, &mut object, live).await?;
        }
        let is_foreign = live
            .as_ref()
            .is_some_and(|live| !is_ours(live, &self.desired.mesh));
        let Claims {
            adopt,
            force_conflicts,
        } = self.options.claims;
        if let Some(live) = live.filter(|_| is_foreign && !adopt) {
            // Somebody made it since the plan.
            return Err(EngineError::Obstacles(vec![Planned {
                action: Action::Foreign {
                    owner: super::plan::owner(&live),
                },
                ..planned.clone()
            }]));
        }
        must_apply(
            self.api,
            &reference,
            &object,
            force_conflicts || (adopt && is_foreign),
        )
        .await?;
        self.api.report(Event::Applied {
            part: part.to_owned(),
            object: reference,
        });
        Ok(())
    }

    /// Waits until the API server serves the kinds.
    async fn wait_for_definitions(&self, changes: &[&Planned]) -> Result<()> {
        for planned in changes {
            if planned.object.step() != Step::Definition {
                continue;
            }
            loop {
                let live = self.api.get(&planned.object).await?.unwrap_or_default();
                let conditions = live["status"]["conditions"].as_array().into_iter().flatten();
                let mut established = conditions
                    .filter(|condition| condition["type"] == "Established" && condition["status"] == "True");
                if established.next().is_some() {
                    break;
                }
                tokio::time::sleep(super::api::POLL).await;
            }
        }
        Ok(())
    }
}
