//! Rules, by name or code.

use mesh_analyze::{RULES, Rule};
use serde::Serialize;

use super::{columns, heading};
use crate::ui::render::text::tone;
use crate::ui::{Look, Tone, markdown};

/// The rules that a name stands for; a code may stand for several.
#[derive(Serialize)]
pub(super) struct Rules {
    rules: Vec<Documented>,
}

/// A rule with all that is known of it.
#[derive(Serialize)]
struct Documented {
    #[serde(flatten)]
    entry: Entry,
    since: &'static str,
    documentation: String,
    #[serde(skip)]
    rule: &'static Rule,
}

/// A rule in a list.
#[derive(Serialize)]
pub(super) struct Entry {
    name: &'static str,
    severity: &'static str,
    aliases: &'static [&'static str],
    summary: String,
}

impl Entry {
    /// The rule as it is listed.
    pub(super) fn new(rule: &'static Rule) -> Self {
        Self {
            name: rule.name,
            severity: rule.severity.as_str(),
            aliases: rule.aliases,
            summary: rule.summary(),
        }
    }
}

impl Rules {
    /// The rules that `name` stands for, in any case; `None` if there are none.
    pub(super) fn named(name: &str) -> Option<Self> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        let rules: Vec<_> = RULES
            .iter()
            .filter(|rule| is(rule.name) || rule.aliases.iter().any(|alias| is(alias)))
            .map(|rule| Documented {
                entry: Entry::new(rule),
                since: rule.since,
                documentation: rule.documentation(),
                rule,
            })
            .collect();
        (!rules.is_empty()).then_some(Self { rules })
    }

    /// The rule's documentation, or the list of rules that share a code.
    pub(super) fn text(&self, look: Look) -> String {
        match self.rules.as_slice() {
            [one] => one.text(look),
            several => {
                let count = several.len();
                let mut text = heading(
                    look,
                    &format!("{count} rules have this code; explain one by its name"),
                );
                text.push_str(&table(look, several.iter().map(|rule| &rule.entry)));
                text
            }
        }
    }
}

impl Documented {
    fn text(&self, look: Look) -> String {
        let Entry {
            name,
            severity,
            aliases,
            summary: _,
        } = &self.entry;
        let mut text = look.paint(Tone::Strong, *name).into_owned();
        text.push_str(&format!("  {}", look.paint(tone(self.rule.severity), *severity)));
        if !aliases.is_empty() {
            text.push_str(&format!(", also known as {}", aliases.join(", ")));
        }
        text.push_str(&format!(", since {}\n\n", self.since));
        text.push_str(&markdown::render(&self.documentation, look, 0));
        text
    }
}

/// A line for each rule.
pub(super) fn table<'a>(look: Look, rules: impl IntoIterator<Item = &'a Entry>) -> String {
    let rows = rules.into_iter().map(|rule| {
        let sentence = markdown::first_sentence(&rule.summary);
        vec![
            rule.name.to_owned(),
            rule.severity.to_owned(),
            rule.aliases.join(" "),
            sentence,
        ]
    });
    columns(look, rows)
}
