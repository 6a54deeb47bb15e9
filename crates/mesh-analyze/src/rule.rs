//! What a rule is.

use mesh_core::{Kind, Mesh};

use crate::{RULES, Reporter, Severity};

/// One thing that can be wrong.
#[derive(Debug)]
pub struct Rule {
    /// The identity: kebab case, and reads well after "allow".
    pub name: &'static str,
    /// Other tools' codes for the same thing (`IST0101`, `KIA1107`), which users may type too.
    pub aliases: &'static [&'static str],
    /// How bad a finding is, unless it says otherwise.
    pub severity: Severity,
    /// The version of meshctl that brought the rule.
    pub since: &'static str,
    /// The kinds that it judges. Without any of them there is nothing to check. Empty for rules on the input as such.
    pub subjects: &'static [Kind],
    /// What it has to know besides: of each group, at least one kind must be in the input.
    pub needs: &'static [&'static [Kind]],
    /// Kinds that it looks things up in, although it can do without any in the input.
    pub also_reads: &'static [Kind],
    /// Markdown documentation with fixed headings, each line with the one leading space of its comment.
    pub docs: &'static str,
    /// Looks for it.
    pub check: fn(&Mesh, &mut Reporter<'_>),
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Rule {}

impl Rule {
    /// What declarations need not say.
    #[doc(hidden)]
    pub const DEFAULT: Self = Self {
        name: "",
        aliases: &[],
        severity: Severity::Error,
        since: "",
        subjects: &[],
        needs: &[],
        also_reads: &[],
        docs: "",
        check: |_, _| (),
    };

    /// The documentation without comment margins.
    pub fn documentation(&self) -> String {
        let lines = self
            .docs
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line));
        lines.collect::<Vec<_>>().join("\n").trim().to_owned()
    }

    /// The first paragraph of the documentation, on one line.
    pub fn summary(&self) -> String {
        let documentation = self.documentation();
        documentation
            .split("\n\n")
            .next()
            .unwrap_or_default()
            .replace('\n', " ")
    }

    /// The kinds that it looks other objects up in, so that it would take one for missing that only could not be read.
    pub fn looks_up(&self) -> impl Iterator<Item = Kind> {
        self.needs
            .iter()
            .copied()
            .flatten()
            .chain(self.also_reads)
            .copied()
    }

    /// Why the rule cannot run on `mesh`, if there is something for it to check but not enough to know.
    pub(crate) fn missing_input(&self, mesh: &Mesh) -> Option<String> {
        if !self.subjects.is_empty() && self.subjects.iter().all(|kind| mesh.count(*kind) == 0) {
            return None;
        }
        if let Some(kind) = self.looks_up().find(|kind| mesh.is_unreadable(*kind)) {
            return Some(format!("needs {kind}, which could not be read from the cluster"));
        }
        let is_absent = |kind: &Kind| mesh.count(*kind) == 0 && !mesh.has_all(*kind);
        let missing = self.needs.iter().find(|group| group.iter().all(is_absent))?;
        let names: Vec<_> = missing.iter().map(ToString::to_string).collect();
        Some(format!("needs {}, and the input has none", names.join(" or ")))
    }
}

/// The rule with this name or alias; the first of the table if an alias stands for several.
pub fn by_name(name: &str) -> Option<&'static Rule> {
    let named = RULES.iter().find(|rule| rule.name.eq_ignore_ascii_case(name));
    named
        .or_else(|| {
            RULES
                .iter()
                .find(|rule| rule.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name)))
        })
        .copied()
}

/// Declares a rule; its doc comment becomes its documentation.
#[macro_export]
macro_rules! declare_rule {
    ($(#[doc = $doc:literal])+ $vis:vis static $id:ident = { $($field:ident $(: $value:expr)?),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[allow(clippy::needless_update, reason = "some declarations say everything")]
        $vis static $id: $crate::Rule = $crate::Rule {
            docs: concat!($($doc, "\n"),+),
            $($field $(: $value)?,)+
            ..$crate::Rule::DEFAULT
        };
    };
}
