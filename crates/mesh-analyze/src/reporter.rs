//! Where rules put their findings.

use mesh_core::{AnyResource, Header};
use mesh_yaml::FieldPath;
use rayon::prelude::*;

use crate::validate::Finding;
use crate::{Diagnostic, Place, Rule};

/// Collects the findings of one rule. It knows the rule, so that a rule cannot mislabel itself.
#[derive(Debug)]
pub struct Reporter<'m> {
    rule: &'static Rule,
    /// What semantic validation found; computed once, for the rules that report it.
    validation: &'m [(AnyResource, Vec<Finding>)],
    findings: Vec<Diagnostic>,
}

impl<'m> Reporter<'m> {
    pub(crate) fn new(rule: &'static Rule, validation: &'m [(AnyResource, Vec<Finding>)]) -> Self {
        Self {
            rule,
            validation,
            findings: Vec::new(),
        }
    }

    /// What semantic validation found, by resource.
    pub(crate) fn validation(&self) -> &'m [(AnyResource, Vec<Finding>)] {
        self.validation
    }

    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        self.findings
    }

    /// Reports a field of a resource. Set the message on what is returned.
    pub fn report(&mut self, resource: &Header, path: FieldPath) -> &mut Diagnostic {
        self.report_place(Place::field(resource, path))
    }

    /// Reports a place.
    pub fn report_place(&mut self, place: Place) -> &mut Diagnostic {
        self.findings.push(Diagnostic {
            rule: self.rule,
            severity: self.rule.severity,
            message: String::new(),
            primary: place,
            related: Vec::new(),
            help: None,
            fix: None,
        });
        let last = self.findings.len() - 1;
        &mut self.findings[last]
    }

    /// Runs `check` on every item, in parallel, and keeps the findings in the order of the items.
    pub fn each<T: Sync>(&mut self, items: &[T], check: impl Fn(&T, &mut Reporter<'m>) + Sync) {
        let (rule, validation) = (self.rule, self.validation);
        let found: Vec<Diagnostic> = items
            .par_iter()
            .with_min_len(64)
            .flat_map_iter(|item| {
                let mut reporter = Reporter::new(rule, validation);
                check(item, &mut reporter);
                reporter.findings
            })
            .collect();
        self.findings.extend(found);
    }
}
