//! What is known of an installation: a Secret for each revision in the namespace of the mesh.
//!
//! It is written before anything else, with every object that is about to be: wherever a run ends, the next one, or
//! the removal, knows of all objects. It holds what was installed, so that it can be compared and gone back to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::object::{OWNER_LABEL, ObjectKind, ObjectRef};
use crate::plan::Part;

/// The type of the Secret.
pub const STATE_TYPE: &str = "meshctl.dev/install.v1";

/// The label of the Secret that names the revision.
pub const STATE_LABEL: &str = "install.meshctl.dev/state";

/// How many installations are remembered.
pub const HISTORY: usize = 10;

/// The most bytes that the Secret may hold: less than the 1 MiB that the API server allows.
const LARGEST: usize = 900 * 1024;

/// The most bytes of JSON that are read back.
const LARGEST_JSON: u64 = 256 * 1024 * 1024;

/// What is known of the installation of a revision.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The namespace of the mesh.
    pub mesh: String,
    /// The revision.
    pub revision: String,
    /// What is going on.
    pub phase: Phase,
    /// Every object that is there, or may be.
    pub inventory: BTreeSet<ObjectRef>,
    /// What was installed, oldest first.
    pub history: Vec<Entry>,
}

/// What is going on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The newest entry of the history is being installed, or its installation was given up.
    Installing,
    /// The newest entry of the history is installed.
    Installed,
    /// Everything is being removed, or the removal was given up.
    Removing,
}

/// One installation.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which one.
    pub facts: EntryFacts,
    /// What it consists of.
    pub parts: Vec<Part>,
}

/// What is told of an installation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryFacts {
    /// Counts the installations of the revision, from 1.
    pub number: u64,
    /// When it began (RFC 3339).
    pub started: String,
    /// Whether it was done completely.
    pub complete: bool,
    /// What was done: `install`, `upgrade`, `rollback to 3`.
    pub action: String,
    /// The version of meshctl that did it.
    pub meshctl: String,
    /// The version of Istio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The profile.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub profile: String,
    /// The values that the user gave.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub values: Value,
}

/// Why a Secret is not a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It has no state, or not one of this form.
    #[error("Secret {0} does not hold the state of an installation: {1}")]
    Broken(String, String),
    /// A newer meshctl wrote it.
    #[error("Secret {0} was written by a newer meshctl (format {1})")]
    Newer(String, u64),
}

/// The form of what is written.
const FORMAT: u64 = 1;

/// The state as it is written: objects that are the same in several entries are there once.
#[derive(Serialize, Deserialize)]
struct Document {
    format: u64,
    mesh: String,
    revision: String,
    phase: Phase,
    inventory: BTreeSet<ObjectRef>,
    objects: Vec<Value>,
    history: Vec<WrittenEntry>,
}

#[derive(Serialize, Deserialize)]
struct WrittenEntry {
    #[serde(flatten)]
    facts: EntryFacts,
    parts: Vec<WrittenPart>,
}

#[derive(Serialize, Deserialize)]
struct WrittenPart {
    name: String,
    wave: u8,
    /// Indices into the document's objects.
    objects: Vec<usize>,
}

impl State {
    /// One of which nothing is known.
    pub fn new(mesh: &str, revision: &str) -> Self {
        Self {
            mesh: mesh.to_owned(),
            revision: revision.to_owned(),
            phase: Phase::Installing,
            inventory: BTreeSet::new(),
            history: Vec::new(),
        }
    }

    /// Where the state of a revision is.
    pub fn reference(mesh: &str, revision: &str) -> Option<ObjectRef> {
        let kind = ObjectKind::find("", "Secret")?;
        Some(ObjectRef::new(kind, mesh, &format!("meshctl-install-{revision}")))
    }

    /// The newest installation that was done completely.
    pub fn current(&self) -> Option<&Entry> {
        self.history.iter().rfind(|entry| entry.facts.complete)
    }

    /// The number of the next installation.
    pub fn next_number(&self) -> u64 {
        self.history.last().map_or(1, |entry| entry.facts.number + 1)
    }

    /// Begins an installation: from here on its objects may be there.
    pub fn begin(&mut self, entry: Entry, objects: impl IntoIterator<Item = ObjectRef>) {
        self.phase = Phase::Installing;
        self.inventory.extend(objects);
        // One that was given up and tried again, be it in another way, is not worth remembering.
        self.history.retain(|entry| entry.facts.complete);
        self.history.push(entry);
        let too_many = self.history.len().saturating_sub(HISTORY);
        self.history.drain(..too_many);
    }

    /// Ends the installation that was begun: everything is there, and what was obsolete is gone.
    pub fn complete(&mut self, obsolete: &[ObjectRef]) {
        self.phase = Phase::Installed;
        self.inventory.retain(|object| !obsolete.contains(object));
        if let Some(newest) = self.history.last_mut() {
            newest.facts.complete = true;
        }
        // One that changed nothing stands for the one before it.
        if let [.., before, newest] = self.history.as_slice()
            && before.parts == newest.parts
        {
            let before = self.history.len() - 2;
            self.history.remove(before);
        }
    }

    /// The Secret.
    pub fn to_secret(&self) -> Value {
        let mut history = self.history.as_slice();
        loop {
            let data = self.encode(history);
            // What is newest, and what can be gone back to from it, stays.
            if data.len() <= LARGEST || history.len() <= 2 {
                return json!({
                    "apiVersion": "v1",
                    "kind": "Secret",
                    "metadata": {
                        "name": format!("meshctl-install-{}", self.revision),
                        "namespace": self.mesh,
                        "labels": { OWNER_LABEL: self.mesh, STATE_LABEL: self.revision },
                    },
                    "type": STATE_TYPE,
                    "data": { "state": BASE64.encode(data) },
                });
            }
            history = &history[1..];
        }
    }

    fn encode(&self, history: &[Entry]) -> Vec<u8> {
        let mut objects = Vec::new();
        let mut known = BTreeMap::new();
        let mut index = |object: &Value| {
            *known.entry(object.to_string()).or_insert_with(|| {
                objects.push(object.clone());
                objects.len() - 1
            })
        };
        let history = history
            .iter()
            .map(|entry| WrittenEntry {
                facts: entry.facts.clone(),
                parts: entry
                    .parts
                    .iter()
                    .map(|part| WrittenPart {
                        name: part.name.clone(),
                        wave: part.wave,
                        objects: part.objects.iter().map(&mut index).collect(),
                    })
                    .collect(),
            })
            .collect();
        let document = Document {
            format: FORMAT,
            mesh: self.mesh.clone(),
            revision: self.revision.clone(),
            phase: self.phase,
            inventory: self.inventory.clone(),
            objects,
            history,
        };
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        // Writing to memory does not fail, and neither does making JSON of JSON.
        let _ = encoder.write_all(json!(document).to_string().as_bytes());
        encoder.finish().unwrap_or_default()
    }

    /// Reads a Secret.
    ///
    /// # Errors
    ///
    /// It holds something else.
    pub fn from_secret(secret: &Value) -> Result<Self, StateError> {
        let name = secret["metadata"]["name"].as_str().unwrap_or_default();
        let broken = |why: String| StateError::Broken(name.to_owned(), why);
        let data = secret["data"]["state"]
            .as_str()
            .ok_or_else(|| broken("it has no `state`".to_owned()))?;
        let data = BASE64.decode(data).map_err(|error| broken(error.to_string()))?;
        let mut text = String::new();
        GzDecoder::new(data.as_slice())
            .take(LARGEST_JSON)
            .read_to_string(&mut text)
            .map_err(|error| broken(error.to_string()))?;
        let document: Value = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
        match document["format"].as_u64() {
            Some(format) if format > FORMAT => return Err(StateError::Newer(name.to_owned(), format)),
            _ => {}
        }
        let document: Document =
            serde_json::from_value(document).map_err(|error| broken(error.to_string()))?;
        let Document {
            format: _,
            mesh,
            revision,
            phase,
            inventory,
            objects,
            history,
        } = document;
        let part = |part: WrittenPart| -> Option<Part> {
            let found: Option<Vec<Value>> = part
                .objects
                .into_iter()
                .map(|index| objects.get(index).cloned())
                .collect();
            Some(Part {
                name: part.name,
                wave: part.wave,
                objects: found?,
            })
        };
        let history: Option<Vec<Entry>> = history
            .into_iter()
            .map(|entry| {
                let parts: Option<Vec<Part>> = entry.parts.into_iter().map(part).collect();
                Some(Entry {
                    facts: entry.facts,
                    parts: parts?,
                })
            })
            .collect();
        Ok(Self {
            mesh,
            revision,
            phase,
            inventory,
            history: history.ok_or_else(|| broken("an object of its history is missing".to_owned()))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(number: u64, complete: bool, objects: Vec<Value>) -> Entry {
        Entry {
            facts: EntryFacts {
                number,
                started: "2026-01-01T00:00:00Z".to_owned(),
                complete,
                action: "install".to_owned(),
                values: json!({"hub": "x"}),
                ..EntryFacts::default()
            },
            parts: vec![Part {
                name: "base".to_owned(),
                wave: 0,
                objects,
            }],
        }
    }

    fn account(name: &str) -> ObjectRef {
        ObjectRef::new(ObjectKind::named("ServiceAccount").expect("known"), "mesh", name)
    }

    #[test]
    fn history_is_bounded_and_what_was_given_up_is_forgotten() {
        let mut state = State::new("mesh", "default");
        for number in 1..=15 {
            assert_eq!(state.next_number(), number);
            let objects = vec![json!({ "number": number })];
            state.begin(entry(number, false, objects), [account(&number.to_string())]);
            if number != 14 {
                state.complete(&[account("3")]);
            }
        }
        assert_eq!(state.history.len(), HISTORY);
        assert!(state.history.iter().all(|entry| entry.facts.number != 14));
        assert_eq!(state.inventory.len(), 14);
        assert_eq!(state.current().map(|entry| entry.facts.number), Some(15));
        // The same once more is not another one to go back to.
        state.begin(entry(16, false, vec![json!({ "number": 15 })]), []);
        state.complete(&[]);
        let numbers: Vec<_> = state.history.iter().map(|entry| entry.facts.number).collect();
        assert_eq!(numbers[numbers.len() - 2..], [13, 16]);
    }

    #[test]
    fn old_entries_make_room() {
        let mut state = State::new("mesh", "default");
        // Text that does not compress.
        let mut seed = 1_u64;
        for number in 1..=5 {
            let noise: String = (0..600_000)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    char::from(b' ' + u8::try_from((seed >> 33) % 90).expect("below 90"))
                })
                .collect();
            state.begin(entry(number, true, vec![json!({"noise": noise})]), []);
        }
        let back = State::from_secret(&state.to_secret()).expect("a state");
        assert_eq!(back.history, state.history[3..]);
    }

    #[test]
    fn what_is_not_a_state_is_said_so() {
        let secret = |data: &str| json!({"metadata": {"name": "s"}, "data": {"state": data}});
        for data in ["", "!", "QQ==", "H4sIAAAAAAAA"] {
            assert!(matches!(
                State::from_secret(&secret(data)),
                Err(StateError::Broken(..))
            ));
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(br#"{"format": 2}"#).expect("memory");
        let newer = BASE64.encode(encoder.finish().expect("memory"));
        assert_eq!(
            State::from_secret(&secret(&newer)),
            Err(StateError::Newer("s".to_owned(), 2))
        );
    }

    proptest! {
        #[test]
        fn states_survive_being_written_down(
            names in prop::collection::vec("[a-z]{1,8}", 0..6),
            texts in prop::collection::vec("\\PC{0,20}", 0..6),
            complete in prop::collection::vec(any::<bool>(), 0..4),
        ) {
            let mut state = State::new("mesh", "canary");
            for (number, complete) in (1..).zip(complete) {
                let objects = texts.iter().map(|text| json!({"data": {"text": text}})).collect();
                state.begin(entry(number, complete, objects), names.iter().map(|name| account(name)));
            }
            prop_assert_eq!(State::from_secret(&state.to_secret()), Ok(state));
        }

        #[test]
        fn no_secret_is_a_panic(data in prop::collection::vec(any::<u8>(), 0..200)) {
            let secret = json!({"metadata": {"name": "s"}, "data": {"state": BASE64.encode(data)}});
            prop_assert!(State::from_secret(&secret).is_err());
        }
    }
}
