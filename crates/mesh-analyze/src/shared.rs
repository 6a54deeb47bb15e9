//! What several rules look things up in.

use mesh_core::injection::Injector;
use mesh_core::{AnyResource, Mesh};

use crate::Rule;
use crate::rules::traffic::destination_rules::DestinationRules;
use crate::rules::traffic::proxies::Proxies;
use crate::rules::validation::{invalid_spec, suspicious_spec};
use crate::validate::{self, Finding};

/// Indexes of a mesh that several rules use, each made once and before the rules run, so that none of them waits for
/// another inside the thread pool.
#[derive(Debug)]
pub(crate) struct Shared<'m> {
    /// What semantic validation found, by resource.
    pub(crate) validation: Vec<(AnyResource, Vec<Finding>)>,
    pub(crate) destination_rules: DestinationRules<'m>,
    pub(crate) proxies: Proxies<'m>,
    pub(crate) injector: Injector<'m>,
}

impl<'m> Shared<'m> {
    /// Makes what these rules use.
    pub(crate) fn new(mesh: &'m Mesh, rules: &[&'static Rule]) -> Self {
        // The others are made of these.
        rayon::join(|| mesh.registry(), || mesh.workloads());
        let reports_validation = |rule: &&Rule| [&invalid_spec::RULE, &suspicious_spec::RULE].contains(rule);
        let validation = || {
            if rules.iter().any(reports_validation) {
                validate::all(mesh)
            } else {
                Vec::new()
            }
        };
        let (validation, (destination_rules, proxies)) = rayon::join(validation, || {
            rayon::join(|| DestinationRules::new(mesh), || Proxies::new(mesh))
        });
        Self {
            validation,
            destination_rules,
            proxies,
            injector: Injector::new(mesh),
        }
    }
}
