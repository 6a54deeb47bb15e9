//! Where rules put their findings.

use mesh_core::injection::Injector;
use mesh_core::{AnyResource, Header};
use mesh_yaml::FieldPath;
use rayon::prelude::*;

use crate::rules::traffic::destination_rules::DestinationRules;
use crate::rules::traffic::proxies::Proxies;
use crate::shared::Shared;
use crate::validate::Finding;
use crate::{Diagnostic, Place, Rule};

/// Collects the findings of one rule. It knows the rule, so that a rule cannot mislabel itself.
#[derive(Debug)]
pub struct Reporter<'m> {
    rule: &'static Rule,
    shared: &'m Shared<'m>,
    findings: Vec<Diagnostic>,
}

impl<'m> Reporter<'m> {
    pub(crate) fn new(rule: &'static Rule, shared: &'m Shared<'m>) -> Self {
        Self {
            rule,
            shared,
            findings: Vec::new(),
        }
    }

    /// What semantic validation found, by resource.
    pub(crate) fn validation(&self) -> &'m [(AnyResource, Vec<Finding>)] {
        &self.shared.validation
    }

    /// All DestinationRules, by who uses them and for which host.
    pub(crate) fn destination_rules(&self) -> &'m DestinationRules<'m> {
        &self.shared.destination_rules
    }

    /// The proxies of gateways, by selector.
    pub(crate) fn proxies(&self) -> &'m Proxies<'m> {
        &self.shared.proxies
    }

    /// Tells which pods get a sidecar.
    pub(crate) fn injector(&self) -> &'m Injector<'m> {
        &self.shared.injector
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
        let (rule, shared) = (self.rule, self.shared);
        let found: Vec<Diagnostic> = items
            .par_iter()
            .with_min_len(64)
            .flat_map_iter(|item| {
                let mut reporter = Reporter::new(rule, shared);
                check(item, &mut reporter);
                reporter.findings
            })
            .collect();
        self.findings.extend(found);
    }
}
