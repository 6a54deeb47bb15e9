//! Which rules run.

use std::fmt;

use mesh_core::schema::validate::closest;

use crate::{RULES, Rule};

/// The rules that run, in the order of the table.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<&'static Rule>,
}

impl Default for RuleSet {
    /// Every rule.
    fn default() -> Self {
        Self {
            rules: RULES.to_vec(),
        }
    }
}

/// A name that is neither a rule nor an alias of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    /// The name as given.
    pub name: String,
    /// The rule that was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for UnknownRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no rule is named `{}`", self.name)
    }
}

impl std::error::Error for UnknownRule {}

impl RuleSet {
    /// The rules of `select`, or all if it is empty, without those of `ignore`. Names and aliases may be in any case;
    /// an alias that several rules share means all of them.
    ///
    /// # Errors
    ///
    /// A name that nothing has.
    pub fn new(select: &[String], ignore: &[String]) -> Result<Self, UnknownRule> {
        let mut rules = RULES.to_vec();
        if !select.is_empty() {
            let selected = resolve(select)?;
            rules.retain(|rule| selected.contains(rule));
        }
        let ignored = resolve(ignore)?;
        rules.retain(|rule| !ignored.contains(rule));
        Ok(Self { rules })
    }

    /// The rules.
    pub fn iter(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        self.rules.iter().copied()
    }

    /// Whether the rule runs.
    pub fn contains(&self, rule: &Rule) -> bool {
        self.rules.contains(&rule)
    }
}

/// All rules that a name or alias stands for.
pub(crate) fn named(name: &str) -> impl Iterator<Item = &'static Rule> + '_ {
    let matches = move |known: &str| known.eq_ignore_ascii_case(name);
    RULES
        .iter()
        .copied()
        .filter(move |rule| matches(rule.name) || rule.aliases.iter().any(|alias| matches(alias)))
}

fn resolve(names: &[String]) -> Result<Vec<&'static Rule>, UnknownRule> {
    let mut rules = Vec::new();
    for name in names {
        let before = rules.len();
        rules.extend(named(name));
        if rules.len() == before {
            return Err(UnknownRule {
                name: name.clone(),
                suggestion: closest(name, RULES.iter().map(|rule| rule.name)),
            });
        }
    }
    Ok(rules)
}
