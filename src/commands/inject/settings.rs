//! Where the settings of injection come from: files, the cluster, or Istio's defaults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use mesh_core::cluster::{Cluster, ClusterError, ErrorKind, ListQuery, Scope};
use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::k8s_openapi::api::admissionregistration::v1::MutatingWebhookConfiguration;
use mesh_core::k8s_openapi::api::core::v1::{ConfigMap, Namespace as NamespaceObject, Node};
use mesh_core::schema::FieldType;
use mesh_core::schema::validate::{ViolationKind, check};
use mesh_core::source::files;
use mesh_inject::{
    Hooks, InjectorConfig, MeshSettings, Namespace, NativeSidecars, ProxyConfigResource, Settings, Values,
};
use mesh_yaml::Document;
use serde_json::Value;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::ui::Printer;

/// Where the settings come from.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Mesh-wide configuration (MeshConfig): the key `mesh` of the ConfigMap `istio`
    #[arg(long, value_name = "FILE")]
    mesh_config: Option<PathBuf>,

    /// Values of the installation: the key `values` of the ConfigMap `istio-sidecar-injector`
    #[arg(long, value_name = "FILE")]
    values: Option<PathBuf>,

    /// Ask no cluster; what files do not give is Istio's default
    #[arg(long)]
    offline: bool,

    /// Revision of the control plane to inject for, or a tag of one [default: that of the values]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) revision: Option<String>,

    /// Namespace of the control plane
    #[arg(long, value_name = "NAME", default_value = "istio-system")]
    istio_namespace: String,

    /// Whether to inject native sidecars: init containers that go on running
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    native_sidecar: NativeSidecar,
}

/// Whether to inject native sidecars.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum NativeSidecar {
    /// If the control plane does: by its setting, or else if all nodes have Kubernetes 1.33 or later
    #[default]
    Auto,
    /// Always
    True,
    /// Never
    False,
}

/// The minor version of Kubernetes from which on native sidecars are the default.
const NATIVE_SINCE: u32 = 33;

/// Settings, and where they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Loaded {
    /// The settings.
    pub(crate) settings: Settings,
    /// The namespaces of the cluster.
    pub(crate) namespaces: BTreeMap<String, Namespace>,
    /// What the user should know of them.
    pub(crate) notes: Vec<String>,
}

/// The settings of a control plane, as its ConfigMaps have them.
#[derive(Debug, Default)]
struct ConfigMaps {
    mesh: Option<String>,
    values: Option<String>,
    config: Option<String>,
}

impl ConfigMaps {
    fn are_missing(&self) -> bool {
        self.mesh.is_none() && self.values.is_none()
    }
}

impl SettingsArgs {
    /// Whether the settings are those of files, or Istio's defaults.
    pub(crate) fn are_local(&self) -> bool {
        self.mesh_config.is_some() || self.values.is_some() || self.offline
    }

    /// Reads the settings, and says what the user should know of them.
    pub(crate) fn load(&self, printer: &mut Printer, cluster: &ClusterArgs) -> Result<Loaded, CommandError> {
        let loaded = self.find(printer, cluster)?;
        for note in &loaded.notes {
            printer.note(note);
        }
        Ok(loaded)
    }

    fn find(&self, printer: &mut Printer, cluster: &ClusterArgs) -> Result<Loaded, CommandError> {
        if self.are_local() {
            return self.read_files();
        }
        if let Err(error) = configured(cluster) {
            let is_asked_for = cluster.kubeconfig.is_some() || cluster.context.is_some();
            if is_asked_for || error.kind != ErrorKind::Configuration {
                return Err(error.into());
            }
            printer.note("no cluster is configured: the settings are Istio's defaults (as with --offline)");
            return self.read_files();
        }
        cluster
            .run(async |cluster| self.ask(&cluster).await)
            .map_err(|error| {
                error.hinted("to inject without a cluster, add `--offline` or give settings as files")
            })
    }

    /// Reads the settings from the files, or takes Istio's defaults.
    pub(crate) fn read_files(&self) -> Result<Loaded, CommandError> {
        let mut notes = Vec::new();
        let mesh = match &self.mesh_config {
            Some(path) => {
                let (name, text) = read(path)?;
                mesh_settings(&name, &text)?
            }
            None => MeshSettings::default(),
        };
        let values = match &self.values {
            Some(path) => {
                let (name, text) = read(path)?;
                Values::read(&tree(&name, &text)?)
            }
            None => Values::default(),
        };
        if self.mesh_config.is_some() != self.values.is_some() {
            let (missing, what) = if self.values.is_none() {
                ("--values", "values of the installation")
            } else {
                ("--mesh-config", "mesh-wide configuration")
            };
            notes.push(format!("without {missing}, the {what} is Istio's default"));
        }
        let mut settings = Settings::new(mesh, values);
        self.finish(&mut settings, self.revision.as_deref(), None);
        Ok(Loaded {
            settings,
            namespaces: BTreeMap::new(),
            notes,
        })
    }

    /// Applies what arguments say.
    fn finish(&self, settings: &mut Settings, revision: Option<&str>, native_nodes: Option<bool>) {
        if let Some(revision) = revision {
            let revision = if revision == "default" { "" } else { revision };
            revision.clone_into(&mut settings.revision);
        }
        settings.native_sidecars = match self.native_sidecar {
            NativeSidecar::True => true,
            NativeSidecar::False => false,
            NativeSidecar::Auto => match settings.values.native_sidecars {
                NativeSidecars::On => true,
                NativeSidecars::Off => false,
                NativeSidecars::Auto => native_nodes.unwrap_or_default(),
            },
        };
    }

    /// Reads the settings from the cluster.
    pub(crate) async fn ask(&self, cluster: &Cluster) -> Result<Loaded, CommandError> {
        let mut loaded = Loaded::default();
        let mut revision = self.revision.clone();
        let mut maps = self.config_maps(cluster, revision.as_deref()).await?;
        if maps.are_missing() {
            // Or it is a tag.
            let tag = revision.as_deref().unwrap_or("default");
            let target = match hooks(cluster).await {
                Ok(hooks) => hooks.revision_of_tag(tag).map(str::to_owned),
                Err(error) => {
                    loaded.note("webhooks, by which tags stand for revisions", Err(error))?;
                    None
                }
            };
            if let Some(target) = target {
                loaded
                    .notes
                    .push(format!("`{tag}` is a tag of the revision `{target}`"));
                maps = self.config_maps(cluster, Some(&target)).await?;
                revision = Some(target);
            }
        }
        if maps.are_missing() {
            return Err(CommandError::user(format!(
                "the cluster `{}` has no settings of Istio: neither ConfigMap `{}` nor `{}` in the namespace `{}`",
                cluster.name(),
                named("istio", revision.as_deref()),
                named(INJECTOR, revision.as_deref()),
                self.istio_namespace,
            ))
            .hinted("name the control plane's namespace with `--istio-namespace`, or its revision with `--revision`"));
        }
        let place = |key: &str, base: &str| {
            format!("`{key}` of the ConfigMap `{}`", named(base, revision.as_deref()))
        };
        let mesh = match &maps.mesh {
            Some(text) => mesh_settings(&place("mesh", "istio"), &Arc::from(text.as_str()))?,
            None => MeshSettings::default(),
        };
        let values = match &maps.values {
            Some(text) => Values::read(&tree(&place("values", INJECTOR), &Arc::from(text.as_str()))?),
            None => Values::default(),
        };
        let mut settings = Settings::new(mesh, values);
        if let Some(text) = &maps.config {
            settings.injector =
                InjectorConfig::read(&tree(&place("config", INJECTOR), &Arc::from(text.as_str()))?);
        }

        let proxy_configs = ListQuery::new("networking.istio.io", "v1beta1", "proxyconfigs", &Scope::All);
        let read = cluster
            .pages(&proxy_configs, async |page| {
                let objects = page.items.iter();
                let objects = objects.filter_map(|item| serde_json::from_str::<Value>(item.get()).ok());
                settings
                    .proxy_configs
                    .extend(objects.map(|object| ProxyConfigResource::read(&object)));
            })
            .await;
        loaded.note("ProxyConfig resources", read)?;
        match namespaces(cluster).await {
            Ok(namespaces) => loaded.namespaces = namespaces,
            Err(error) => loaded.note("the labels of namespaces", Err(error))?,
        }
        let mut native = None;
        if self.native_sidecar == NativeSidecar::Auto {
            match cluster.list::<Node>(&ListQuery::of::<Node>(&Scope::All)).await {
                Ok(nodes) => native = Some(!nodes.is_empty() && nodes.iter().all(runs_native)),
                Err(error) => {
                    loaded.note("the versions of nodes, so sidecars are not native", Err(error))?;
                }
            }
        }
        self.finish(&mut settings, revision.as_deref(), native);
        loaded.settings = settings;
        Ok(loaded)
    }

    async fn config_maps(
        &self,
        cluster: &Cluster,
        revision: Option<&str>,
    ) -> Result<ConfigMaps, CommandError> {
        let namespace = &self.istio_namespace;
        let istio = config_map(cluster, namespace, &named("istio", revision)).await?;
        let injector = config_map(cluster, namespace, &named(INJECTOR, revision)).await?;
        let data = |map: &Option<ConfigMap>, key: &str| map.as_ref()?.data.as_ref()?.get(key).cloned();
        Ok(ConfigMaps {
            mesh: data(&istio, "mesh"),
            values: data(&injector, "values"),
            config: data(&injector, "config"),
        })
    }
}

/// A ConfigMap of a control plane, if it is there.
async fn config_map(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Option<ConfigMap>, CommandError> {
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
    match cluster.get(&path).await {
        Ok(body) => serde_json::from_slice(&body)
            .map(Some)
            .map_err(|error| CommandError::user(format!("cannot read the ConfigMap `{name}`: {error}"))),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The injector's own configuration of a revision; `None` if the cluster has none.
pub(crate) async fn injector_config(
    cluster: &Cluster,
    namespace: &str,
    revision: &str,
) -> Result<Option<InjectorConfig>, CommandError> {
    let name = named(INJECTOR, Some(revision));
    let map = config_map(cluster, namespace, &name).await?;
    let Some(text) = map.and_then(|map| map.data?.remove("config")) else {
        return Ok(None);
    };
    let place = format!("`config` of the ConfigMap `{name}`");
    Ok(Some(InjectorConfig::read(&tree(
        &place,
        &Arc::from(text.as_str()),
    )?)))
}

/// The ConfigMap with the injector's settings, of the default revision.
const INJECTOR: &str = "istio-sidecar-injector";

/// The name of an object of the control plane of a revision.
fn named(base: &str, revision: Option<&str>) -> String {
    match revision {
        None | Some("" | "default") => base.to_owned(),
        Some(revision) => format!("{base}-{revision}"),
    }
}

/// The injectors' webhooks of a cluster.
pub(crate) async fn hooks(cluster: &Cluster) -> Result<Hooks, ClusterError> {
    let query = ListQuery::of::<MutatingWebhookConfiguration>(&Scope::All);
    cluster.list(&query).await.map(Hooks::of)
}

/// The namespaces of a cluster.
pub(crate) async fn namespaces(cluster: &Cluster) -> Result<BTreeMap<String, Namespace>, ClusterError> {
    let query = ListQuery::of::<NamespaceObject>(&Scope::All);
    let namespaces = cluster.list::<NamespaceObject>(&query).await?.into_iter();
    let namespaces = namespaces.filter_map(|namespace| {
        let metadata = namespace.metadata;
        let namespace = Namespace {
            labels: metadata.labels.unwrap_or_default(),
            annotations: metadata.annotations.unwrap_or_default(),
        };
        Some((metadata.name?, namespace))
    });
    Ok(namespaces.collect())
}

impl Loaded {
    /// Notes what could not be read, if the rest can still be.
    fn note(&mut self, what: &str, result: Result<(), ClusterError>) -> Result<(), CommandError> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind.is_fatal() => Err(error.into()),
            Err(error) => {
                self.notes.push(format!("cannot read {what}: {error}"));
                Ok(())
            }
        }
    }
}

/// Whether the node's kubelet has native sidecars as a stable feature.
fn runs_native(node: &Node) -> bool {
    let version = node
        .status
        .as_ref()
        .and_then(|status| status.node_info.as_ref())
        .map(|info| info.kubelet_version.trim_start_matches('v'));
    let Some((major, rest)) = version.and_then(|version| version.split_once('.')) else {
        return false;
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, minor) = (major.parse().unwrap_or(0), rest[..digits].parse().unwrap_or(0));
    major > 1 || (major == 1 && minor >= NATIVE_SINCE)
}

/// Whether there is a cluster to ask; sends nothing.
fn configured(cluster: &ClusterArgs) -> Result<(), ClusterError> {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        // The same fails again, and is told, when the cluster is asked.
        return Ok(());
    };
    runtime.block_on(Cluster::connect(&cluster.options())).map(|_| ())
}

fn read(path: &Path) -> Result<(String, Arc<str>), CommandError> {
    let name = files::display_name(path);
    match files::read_text(path) {
        Ok(text) => Ok((name, text)),
        Err(reason) => Err(CommandError::user(format!("cannot read `{name}`: {reason}"))),
    }
}

/// The one document of a text; `None` if it is empty.
fn document(name: &str, text: &Arc<str>) -> Result<Option<Document>, CommandError> {
    let Some(document) = mesh_yaml::parse(text).into_iter().next() else {
        return Ok(None);
    };
    let document = document.map_err(|error| {
        CommandError::user(format!("{name} is not YAML: {}", error.message))
            .at(name, text, error.span)
            .maybe_hinted(error.help)
    })?;
    let root = document.root();
    if !root.is_mapping() {
        return Err(
            CommandError::user(format!("{name} is {}, not settings", root.kind())).at(
                name,
                text,
                root.span(),
            ),
        );
    }
    if let (Some(kind), true) = (
        root.get("kind").and_then(mesh_yaml::Node::as_str),
        root.get("apiVersion").is_some(),
    ) {
        return Err(
            CommandError::user(format!("{name} is a {kind}, not the settings themselves"))
                .at(name, text, root.span())
                .hinted("give the content of its key, as with `kubectl get configmap NAME -o jsonpath='{.data.KEY}'`"),
        );
    }
    Ok(Some(document))
}

fn tree(name: &str, text: &Arc<str>) -> Result<Value, CommandError> {
    Ok(document(name, text)?
        .map(|document| document.root().to_json())
        .unwrap_or_default())
}

/// A `MeshConfig`. Values of the wrong type are errors; unknown fields are passed over, as a later version of Istio may
/// have them.
fn mesh_settings(name: &str, text: &Arc<str>) -> Result<MeshSettings, CommandError> {
    let Some(document) = document(name, text)? else {
        return Ok(MeshSettings::default());
    };
    let mut violations = Vec::new();
    check(document.root(), &MeshConfig::TYPE, &mut violations);
    let wrong = violations.into_iter().find(|violation| {
        matches!(
            violation.kind,
            ViolationKind::WrongType | ViolationKind::UnknownValue
        )
    });
    if let Some(violation) = wrong {
        let span = document.root().locate(&violation.path).value;
        return Err(
            CommandError::user(format!("in {name}, `{}`: {}", violation.path, violation.message))
                .at(name, text, span)
                .maybe_hinted(violation.help),
        );
    }
    Ok(MeshSettings::read(document.root()))
}
