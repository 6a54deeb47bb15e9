//! What a `MeshControlPlane` says about itself: conditions as Kubernetes has them (`metav1.Condition`).

use serde_json::{Value, json};

/// How a control plane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Everything is there and runs.
    Ready,
    /// It is getting there.
    Progressing,
    /// It cannot get there by itself.
    Degraded,
}

/// How a control plane is, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How it is.
    pub health: Health,
    /// Why, in one word (`CamelCase`).
    pub reason: &'static str,
    /// Why, for people.
    pub message: String,
}

/// The conditions, each with the health in which it is true.
const CONDITIONS: [(&str, Health); 3] = [
    ("Ready", Health::Ready),
    ("Progressing", Health::Progressing),
    ("Degraded", Health::Degraded),
];

/// The most characters of a message: less than the 32 KiB that `metav1.Condition` allows.
const LONGEST: usize = 4096;

impl Standing {
    /// The conditions that say so. `before` are those of the status as it is, `now` the time (RFC 3339).
    pub fn conditions(&self, before: &Value, generation: i64, now: &str) -> Value {
        let message = self.cut();
        let conditions = CONDITIONS.map(|(name, health)| {
            let status = if health == self.health { "True" } else { "False" };
            let old = before.as_array().into_iter().flatten();
            let old = old.into_iter().find(|old| old["type"] == name);
            let since = old
                .filter(|old| old["status"] == status)
                .and_then(|old| old["lastTransitionTime"].as_str())
                .unwrap_or(now);
            // That something is not the case needs no words, but for what everybody waits for.
            let is_told = health == self.health || health == Health::Ready;
            json!({
                "type": name,
                "status": status,
                "observedGeneration": generation,
                "lastTransitionTime": since,
                "reason": self.reason,
                "message": if is_told { message } else { "" },
            })
        });
        json!(conditions)
    }

    /// The message, as much of it as conditions say.
    fn cut(&self) -> &str {
        let end = self.message.char_indices().nth(LONGEST);
        end.map_or(self.message.as_str(), |(end, _)| &self.message[..end])
    }

    /// Whether conditions say so already.
    pub fn is_told(&self, conditions: &Value, generation: i64) -> bool {
        let is_true = |condition: &&Value| condition["status"] == "True";
        let mut conditions = conditions.as_array().into_iter().flatten();
        conditions.find(is_true).is_some_and(|condition| {
            let name = CONDITIONS.iter().find(|(_, health)| *health == self.health);
            name.is_some_and(|(name, _)| condition["type"] == *name)
                && condition["reason"] == self.reason
                && condition["message"] == self.cut()
                && condition["observedGeneration"] == generation
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(health: Health, message: &str) -> Standing {
        Standing {
            health,
            reason: "Because",
            message: message.to_owned(),
        }
    }

    fn of<'a>(conditions: &'a Value, name: &str) -> &'a Value {
        let mut all = conditions.as_array().expect("a list").iter();
        all.find(|condition| condition["type"] == name)
            .expect("all are there")
    }

    #[test]
    fn exactly_one_condition_is_true_and_times_are_those_of_changes() {
        let waiting = standing(Health::Progressing, "0 of 1 pods ready");
        let first = waiting.conditions(&Value::Null, 1, "t1");
        assert_eq!(of(&first, "Progressing")["status"], "True");
        assert_eq!(of(&first, "Ready")["status"], "False");
        assert_eq!(of(&first, "Ready")["message"], "0 of 1 pods ready");
        assert_eq!(of(&first, "Degraded")["message"], "");

        let second = standing(Health::Ready, "").conditions(&first, 2, "t2");
        assert_eq!(of(&second, "Ready")["lastTransitionTime"], "t2");
        assert_eq!(of(&second, "Progressing")["lastTransitionTime"], "t2");
        assert_eq!(of(&second, "Degraded")["lastTransitionTime"], "t1");
        assert_eq!(of(&second, "Degraded")["observedGeneration"], 2);
    }

    #[test]
    fn what_is_told_is_not_told_again() {
        let waiting = standing(Health::Progressing, "0 of 1 pods ready");
        let told = waiting.conditions(&Value::Null, 1, "t1");
        assert!(waiting.is_told(&told, 1));
        assert!(!waiting.is_told(&told, 2), "another generation");
        assert!(!standing(Health::Progressing, "other").is_told(&told, 1));
        assert!(!standing(Health::Degraded, "0 of 1 pods ready").is_told(&told, 1));
        assert!(!waiting.is_told(&Value::Null, 1));

        let long = standing(Health::Degraded, &"ä".repeat(LONGEST + 1));
        let told = long.conditions(&Value::Null, 1, "t1");
        assert!(
            long.is_told(&told, 1),
            "what is too long was told as far as it goes"
        );
        assert_eq!(of(&told, "Degraded")["message"], "ä".repeat(LONGEST));
    }
}
