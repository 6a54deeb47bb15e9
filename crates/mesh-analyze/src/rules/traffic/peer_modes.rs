//! Which workloads accept plain text, and which mutual TLS.

use std::sync::Arc;

use mesh_core::istio::peer_authentication::{MutualTlsMode, PeerAuthentication};
use mesh_core::{Mesh, Resource, Workload, selects};
use mesh_yaml::{FieldPath, path};
use rustc_hash::FxHashMap;

use super::age;

type Policy<'m> = &'m Arc<Resource<PeerAuthentication>>;

/// The PeerAuthentications of a mesh, by whom they are for.
#[derive(Debug)]
pub(crate) struct PeerModes<'m> {
    root: &'m str,
    /// The one of each namespace that is for all its workloads.
    whole: FxHashMap<&'m str, Policy<'m>>,
    /// Those of each namespace that are for some workloads, the oldest first.
    selective: FxHashMap<&'m str, Vec<Policy<'m>>>,
}

/// What a workload accepts at a port, and the field that says so.
#[derive(Clone, Debug)]
pub(crate) struct Accepted<'m> {
    /// The mode; `Permissive` if nothing is said.
    pub(crate) mode: MutualTlsMode,
    /// The policy and its field; `None` for the default.
    pub(crate) by: Option<(Policy<'m>, FieldPath)>,
}

impl<'m> PeerModes<'m> {
    pub(crate) fn new(mesh: &'m Mesh) -> Self {
        let mut policies: Vec<_> = mesh.peer_authentications().iter().collect();
        policies.sort_by_key(|policy| age(policy));
        let mut modes = Self {
            root: mesh.root_namespace(),
            whole: FxHashMap::default(),
            selective: FxHashMap::default(),
        };
        for policy in policies {
            let selector = policy.spec.selector.as_ref();
            if selector.is_some_and(|selector| !selector.match_labels.is_empty()) {
                modes
                    .selective
                    .entry(policy.namespace())
                    .or_default()
                    .push(policy);
            } else {
                modes.whole.entry(policy.namespace()).or_insert(policy);
            }
        }
        modes
    }

    /// What a workload accepts at one of its own ports.
    pub(crate) fn accepted(&self, workload: &Workload, port: u32) -> Accepted<'m> {
        let namespace = workload.namespace();
        let own = self
            .selective
            .get(namespace)
            .into_iter()
            .flatten()
            .find(|policy| {
                let selector = policy.spec.selector.as_ref();
                selector.is_some_and(|selector| selects(&selector.match_labels, workload.labels()))
            });
        if let Some(policy) = own {
            let at_port = policy.spec.port_level_mtls.get(&port.to_string());
            if let Some(settings) = at_port.filter(|settings| settings.mode != MutualTlsMode::Unset) {
                return Accepted {
                    mode: settings.mode,
                    by: Some((
                        policy,
                        path!["spec", "portLevelMtls", port.to_string().as_str(), "mode"],
                    )),
                };
            }
        }
        let whole = [namespace, self.root]
            .into_iter()
            .filter_map(|place| self.whole.get(place));
        for policy in own.into_iter().chain(whole) {
            let mode = policy
                .spec
                .mtls
                .as_ref()
                .map(|mtls| mtls.mode)
                .unwrap_or_default();
            if mode != MutualTlsMode::Unset {
                return Accepted {
                    mode,
                    by: Some((policy, path!["spec", "mtls", "mode"])),
                };
            }
        }
        Accepted {
            mode: MutualTlsMode::Permissive,
            by: None,
        }
    }
}
