//! The immutable, indexed snapshot that every command works on.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rustc_hash::FxHashMap;

use crate::host::Host;
use crate::istio::mesh_config::MeshConfig;
use crate::istio::mesh_networks::MeshNetworks;
use crate::kind::{AnyResource, Body, Kind, Lists};
use crate::registry::ServiceRegistry;
use crate::resource::{Resource, ResourceId};
use crate::schema::validate::Violation;
use crate::schema::{FieldType, Message};
use crate::source::{Loaded, Problem, Skipped, Source, SourceId, Unreadable};
use crate::workload::Workloads;

/// What the mesh is called and where its parts live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The DNS domain of the cluster.
    pub cluster_domain: String,
    /// The namespace of the control plane.
    pub istio_namespace: String,
    /// The revision of the control plane; empty and `default` mean the one without a revision in its names.
    pub revision: String,
}

impl Settings {
    /// The name that an object of the control plane has in this revision: `istio` is `istio-canary` in `canary`.
    pub fn revisioned(&self, name: &str) -> String {
        match self.revision.as_str() {
            "" | "default" => name.to_owned(),
            revision => format!("{name}-{revision}"),
        }
    }
}

impl Default for Settings {
    /// `cluster.local` and `istio-system`, as Kubernetes and Istio install themselves.
    fn default() -> Self {
        Self {
            cluster_domain: "cluster.local".to_owned(),
            istio_namespace: "istio-system".to_owned(),
            revision: String::new(),
        }
    }
}

/// A snapshot of resources; cheap to clone.
///
/// Built by [`MeshBuilder`]. Nothing in it changes afterwards: [`Mesh::overlay`] makes a new one.
#[derive(Clone)]
pub struct Mesh {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    config: MeshConfig,
    has_own_config: bool,
    networks: Option<MeshNetworks>,
    lists: Lists,
    duplicates: Vec<(AnyResource, AnyResource)>,
    violations: Vec<(AnyResource, Vec<Violation>)>,
    sources: Vec<Arc<Source>>,
    problems: Vec<Problem>,
    skipped: Skipped,
    complete: Vec<Kind>,
    unreadable: Vec<Unreadable>,
    registry: OnceLock<ServiceRegistry>,
    workloads: OnceLock<Workloads>,
}

impl fmt::Debug for Mesh {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mesh")
            .field("resources", &self.len())
            .field("sources", &self.inner.sources.len())
            .finish_non_exhaustive()
    }
}

impl Mesh {
    /// Names and places of the mesh.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The mesh-wide configuration: what was given, else what the ConfigMap `istio` (`istio-REVISION`) of the control plane's namespace
    /// says, else what istiod compiles in.
    pub fn config(&self) -> &MeshConfig {
        &self.inner.config
    }

    /// Whether [`Mesh::config`] is this mesh's own, rather than what istiod compiles in.
    pub fn has_own_config(&self) -> bool {
        self.inner.has_own_config
    }

    /// The networks of the mesh, if they are known.
    pub fn networks(&self) -> Option<&MeshNetworks> {
        self.inner.networks.as_ref()
    }

    /// The namespace whose policies hold for the whole mesh.
    pub fn root_namespace(&self) -> &str {
        let configured = &self.inner.config.root_namespace;
        if configured.is_empty() {
            &self.inner.settings.istio_namespace
        } else {
            configured
        }
    }

    /// A host name as written in a resource of `namespace`.
    pub fn host(&self, name: &str, namespace: &str) -> Host {
        Host::resolve(name, namespace, &self.inner.settings.cluster_domain)
    }

    /// The resource with this identity.
    pub fn find(&self, id: &ResourceId) -> Option<AnyResource> {
        self.inner.lists.find(id.kind, &id.namespace, &id.name)
    }

    /// The resource of kind `T` with this name; the namespace is empty for kinds that have none.
    pub fn get<T: Body>(&self, namespace: &str, name: &str) -> Option<&Arc<Resource<T>>> {
        crate::kind::find(T::list(self), namespace, name)
    }

    /// Whether there is a resource with this identity.
    pub fn contains(&self, kind: Kind, namespace: &str, name: &str) -> bool {
        self.inner.lists.find(kind, namespace, name).is_some()
    }

    /// The number of resources of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.inner.lists.count(kind)
    }

    /// Every resource, kind by kind, then by namespace and name.
    pub fn resources(&self) -> impl Iterator<Item = AnyResource> + '_ {
        self.inner.lists.iter()
    }

    /// The number of resources of all kinds.
    pub fn len(&self) -> usize {
        Kind::ALL.iter().map(|kind| self.count(*kind)).sum()
    }

    /// Whether there are no resources.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All services, wherever they are declared.
    pub fn registry(&self) -> &ServiceRegistry {
        self.inner.registry.get_or_init(|| ServiceRegistry::build(self))
    }

    /// All workloads: pods, and the pods that templates would make.
    pub fn workloads(&self) -> &Workloads {
        self.inner.workloads.get_or_init(|| Workloads::build(self))
    }

    /// Objects that were given more than once: the one that was given up, and the later one that counts.
    pub fn duplicates(&self) -> &[(AnyResource, AnyResource)] {
        &self.inner.duplicates
    }

    /// What the schemas say against resources, in the order of the input.
    pub fn violations(&self) -> &[(AnyResource, Vec<Violation>)] {
        &self.inner.violations
    }

    /// Problems of the input itself, in the order of the input.
    pub fn problems(&self) -> &[Problem] {
        &self.inner.problems
    }

    /// What was left out of the input.
    pub fn skipped(&self) -> &Skipped {
        &self.inner.skipped
    }

    /// Whether the mesh holds every object of the kind that there is, rather than those that happen to be in some
    /// files.
    pub fn has_all(&self, kind: Kind) -> bool {
        self.inner.complete.contains(&kind)
    }

    /// The kinds that could not be read from the cluster, not at all or not everywhere.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.inner.unreadable
    }

    /// Whether nothing could be read of the kind.
    pub fn is_unreadable(&self, kind: Kind) -> bool {
        let mut unreadable = self.inner.unreadable.iter();
        unreadable.any(|unreadable| unreadable.kind == kind && unreadable.only.is_none())
    }

    /// All sources.
    pub fn sources(&self) -> &[Arc<Source>] {
        &self.inner.sources
    }

    /// The source with this id.
    ///
    /// # Panics
    ///
    /// If the id belongs to another mesh.
    pub fn source(&self, id: SourceId) -> &Source {
        &self.inner.sources[id.0 as usize]
    }

    /// This mesh after `change` is applied to it: resources of `change` replace those of the same identity.
    ///
    /// Settings stay those of `self`, and so does mesh-wide configuration, unless `change` has its own.
    #[must_use]
    pub fn overlay(&self, change: &Self) -> Self {
        let mut builder = MeshBuilder::new(self.inner.settings.clone());
        let configured = if change.has_own_config() { change } else { self };
        builder.config = Some(configured.config().clone());
        builder.config_is_assumed = !configured.has_own_config();
        builder.networks = change.networks().or(self.networks()).cloned();
        builder.complete.clone_from(&self.inner.complete);
        builder.unreadable.clone_from(&self.inner.unreadable);
        let offset = u32::try_from(self.inner.sources.len()).unwrap_or(u32::MAX);
        builder
            .sources
            .extend(self.inner.sources.iter().chain(&change.inner.sources).cloned());
        let replaced = |resource: &AnyResource| change.find(&resource.header().id()).is_some();
        builder
            .resources
            .extend(self.resources().filter(|resource| !replaced(resource)));
        let moved: FxHashMap<_, _> = change
            .resources()
            .map(|resource| (resource.header().id(), resource.moved(offset)))
            .collect();
        let find = |resource: &AnyResource| {
            moved
                .get(&resource.header().id())
                .cloned()
                .unwrap_or_else(|| resource.moved(offset))
        };
        builder
            .resources
            .extend(change.resources().map(|resource| find(&resource)));
        builder.violations = self
            .violations()
            .iter()
            .filter(|(resource, _)| !replaced(resource))
            .cloned()
            .chain(
                change
                    .violations()
                    .iter()
                    .map(|(resource, list)| (find(resource), list.clone())),
            )
            .collect();
        builder.problems = self.problems().to_vec();
        builder
            .problems
            .extend(change.problems().iter().cloned().map(|mut problem| {
                problem.source = problem.source.map(|id| SourceId(id.0.saturating_add(offset)));
                problem
            }));
        builder.skipped = self.skipped().clone();
        builder.skipped.merge(change.skipped().clone());
        let mut duplicates = self.duplicates().to_vec();
        duplicates.extend(
            change
                .duplicates()
                .iter()
                .map(|(old, new)| (old.moved(offset), find(new))),
        );
        builder.duplicates = duplicates;
        builder.build()
    }

    pub(crate) fn lists(&self) -> &Lists {
        &self.inner.lists
    }
}

/// Collects what a [`Mesh`] is made of.
#[derive(Debug, Default)]
pub struct MeshBuilder {
    settings: Settings,
    config: Option<MeshConfig>,
    /// Whether `config` is only what istiod compiles in.
    config_is_assumed: bool,
    networks: Option<MeshNetworks>,
    resources: Vec<AnyResource>,
    violations: Vec<(AnyResource, Vec<Violation>)>,
    duplicates: Vec<(AnyResource, AnyResource)>,
    sources: Vec<Arc<Source>>,
    problems: Vec<Problem>,
    skipped: Skipped,
    complete: Vec<Kind>,
    unreadable: Vec<Unreadable>,
}

impl MeshBuilder {
    /// An empty mesh.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            ..Self::default()
        }
    }

    /// An empty mesh with the settings and the mesh-wide configuration of this one.
    #[must_use]
    pub fn with_same_config(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            config: self.config.clone(),
            networks: self.networks.clone(),
            ..Self::default()
        }
    }

    /// Sets the mesh-wide configuration, which then counts instead of any ConfigMap's.
    pub fn set_config(&mut self, config: MeshConfig) {
        self.config = Some(config);
    }

    /// Sets the networks of the mesh.
    pub fn set_networks(&mut self, networks: MeshNetworks) {
        self.networks = Some(networks);
    }

    /// The id that the next added source gets.
    pub fn next_source(&self) -> SourceId {
        SourceId(u32::try_from(self.sources.len()).unwrap_or(u32::MAX))
    }

    /// Adds a source, whose id is [`MeshBuilder::next_source`], and what was read from it.
    pub fn add(&mut self, source: Source, loaded: Loaded) {
        self.sources.push(Arc::new(source));
        for (index, list) in loaded.violations {
            self.violations.push((loaded.resources[index].clone(), list));
        }
        self.resources.extend(loaded.resources);
        self.problems.extend(loaded.problems);
        self.skipped.merge(loaded.skipped);
    }

    /// Says that every object of the kind that there is has been added.
    pub fn set_complete(&mut self, kind: Kind) {
        self.complete.push(kind);
    }

    /// Says that a kind could not be read, or not everywhere.
    pub fn add_unreadable(&mut self, unreadable: Unreadable) {
        self.unreadable.push(unreadable);
    }

    /// The names and places of the mesh.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What was added so far, in that order.
    pub fn resources(&self) -> &[AnyResource] {
        &self.resources
    }

    /// Indexes everything.
    pub fn build(self) -> Mesh {
        let Self {
            settings,
            config,
            config_is_assumed,
            networks,
            resources,
            violations,
            mut duplicates,
            sources,
            problems,
            skipped,
            complete,
            unreadable,
        } = self;
        let mut lists = Lists::default();
        for resource in resources {
            lists.push(resource);
        }
        duplicates.extend(lists.settle());
        let config = config.or_else(|| config_from(&lists, &settings));
        let has_own_config = config.is_some() && !config_is_assumed;
        Mesh {
            inner: Arc::new(Inner {
                settings,
                config: config.unwrap_or_else(MeshConfig::compiled_defaults),
                has_own_config,
                networks,
                lists,
                duplicates,
                violations,
                sources,
                problems,
                skipped,
                complete,
                unreadable,
                registry: OnceLock::new(),
                workloads: OnceLock::new(),
            }),
        }
    }
}

/// The mesh configuration in the ConfigMap `istio` of the control plane's namespace, over the compiled-in one.
fn config_from(lists: &Lists, settings: &Settings) -> Option<MeshConfig> {
    let name = settings.revisioned("istio");
    lists
        .config_maps
        .iter()
        .find(|map| map.name() == name && map.namespace() == settings.istio_namespace)
        .and_then(|map| mesh_config_text(map))
        .and_then(parse_mesh_config)
}

fn mesh_config_text(map: &Resource<k8s_openapi::api::core::v1::ConfigMap>) -> Option<&str> {
    map.spec.data.as_ref()?.get("mesh").map(String::as_str)
}

/// Reads MeshConfig YAML; fields that it does not set keep the compiled-in defaults. `None` if it is not YAML.
pub fn parse_mesh_config(text: &str) -> Option<MeshConfig> {
    let document = mesh_yaml::parse(&Arc::from(text)).into_iter().next()?.ok()?;
    let mut config = MeshConfig::compiled_defaults();
    let default_proxy = config.default_config.clone();
    config.merge(document.root());
    // The one nested message that istiod merges field by field.
    if let (Some(mut proxy), Some(node)) = (default_proxy, document.root().get("defaultConfig")) {
        proxy.merge(node);
        config.default_config = Some(proxy);
    }
    Some(config)
}

/// Reads MeshNetworks YAML. `None` if it is not YAML.
pub fn parse_mesh_networks(text: &str) -> Option<MeshNetworks> {
    let document = mesh_yaml::parse(&Arc::from(text)).into_iter().next()?.ok()?;
    Some(MeshNetworks::decode(document.root()))
}
