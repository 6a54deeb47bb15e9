//! The objects of a cluster.
//!
//! ```text
//! discovery ─► lists, six at a time ─► page ─► YAML text ─► Source, resource
//!                                        └─ dropped when the page is done
//! ```
//!
//! Every object becomes the text that `kubectl get -o yaml` would print, less what no rule reads, and is then loaded
//! as if it stood in a file. So findings show it, and nothing else of the program has to know where it came from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::{StreamExt, TryStreamExt, stream};
use mesh_yaml::emit::Emitter;
use rayon::prelude::*;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{LoadOptions, Loaded, Source, SourceId, SourceKind, Unreadable, load_object};
use crate::cluster::{Cluster, ClusterError, Discovery, ErrorKind, ListQuery, Page, Scope};
use crate::istio::gateway::ServerTlsSettings;
use crate::kind::{AnyResource, Kind};
use crate::mesh::{Mesh, MeshBuilder, Settings};
use crate::resource::{Labels, selects};
use crate::schema::validate::ViolationKind;

/// Lists that are read at the same time.
const LISTS: usize = 6;

/// The label of objects that belong to one revision of the control plane.
const REVISION_LABEL: &str = "istio.io/rev";

/// The annotation in which kubectl repeats the object.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The kinds of which all objects are read: those that say something about a mesh.
///
/// Of the others that the model knows, ConfigMaps and Secrets are read by name, and the rest is of no use: the pods of
/// a ReplicaSet are there themselves, and no rule looks at the addresses behind a Service, at nodes or identities.
pub const KINDS: &[Kind] = &[
    Kind::Namespace,
    Kind::Service,
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::CronJob,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::Gateway,
    Kind::ServiceEntry,
    Kind::Sidecar,
    Kind::WorkloadEntry,
    Kind::WorkloadGroup,
    Kind::EnvoyFilter,
    Kind::ProxyConfig,
    Kind::AuthorizationPolicy,
    Kind::PeerAuthentication,
    Kind::RequestAuthentication,
    Kind::Telemetry,
    Kind::WasmPlugin,
    Kind::TrafficExtension,
    Kind::KubernetesGateway,
    Kind::GatewayClass,
    Kind::HttpRoute,
    Kind::GrpcRoute,
    Kind::TlsRoute,
    Kind::TcpRoute,
    Kind::ReferenceGrant,
    Kind::BackendTlsPolicy,
    Kind::MutatingWebhookConfiguration,
    Kind::ValidatingWebhookConfiguration,
    Kind::CustomResourceDefinition,
];

/// What to read.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The kinds, normally [`KINDS`].
    pub kinds: &'a [Kind],
    /// Resources that are to be laid over the cluster; the Secrets that they name are read too.
    pub overlay: Option<&'a Mesh>,
    /// The namespace to be content with where the user may not read all of them.
    pub namespace: Option<&'a str>,
}

/// How far reading is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The kinds that the cluster has and that are to be read.
    pub kinds: usize,
    /// Those of them that are done.
    pub done: usize,
    /// Objects so far.
    pub objects: usize,
}

/// Adds the objects of a cluster to `builder`, whose settings say which control plane counts.
///
/// Kinds that the cluster does not have are no failure: there are no objects of them. Kinds that cannot be read become
/// [`crate::Mesh::unreadable`]. Objects come by kind, namespace and name. `progress` is called now and then.
///
/// # Errors
///
/// The cluster cannot be reached, does not accept the user, does not answer, or lets nothing be read.
pub async fn load(
    builder: &mut MeshBuilder,
    cluster: &Cluster,
    request: &Request<'_>,
    progress: impl Fn(Progress),
) -> Result<(), ClusterError> {
    let groups: BTreeSet<_> = request.kinds.iter().map(|kind| kind.info().group).collect();
    let groups: Vec<_> = groups.into_iter().collect();
    let discovery = match cluster.discover(&groups).await {
        Ok(discovery) => Some(discovery),
        // Whoever may not ask for the list of kinds may still read some.
        Err(error) if error.kind == ErrorKind::Forbidden => None,
        Err(error) => return Err(error),
    };
    let found = |kind: Kind| version(discovery.as_ref(), kind).map(|version| (kind, version));
    let lists: Vec<_> = request.kinds.iter().filter_map(|kind| found(*kind)).collect();
    let state = std::cell::Cell::new(Progress {
        kinds: lists.len(),
        ..Progress::default()
    });
    let step = |change: &dyn Fn(&mut Progress)| {
        let mut now = state.get();
        change(&mut now);
        state.set(now);
        progress(now);
    };
    step(&|_| {});
    let count = |count| step(&|now| now.objects += count);
    let settings = builder.settings().clone();
    let mut outcomes: Vec<_> = stream::iter(lists.iter().copied().enumerate())
        .map(|(index, (kind, version))| {
            let list = List {
                cluster,
                kind,
                version,
                revision: &settings.revision,
                count: &count,
            };
            let step = &step;
            async move {
                let outcome = list.read(request.namespace).await?;
                step(&|now| now.done += 1);
                Ok::<_, ClusterError>((index, kind, outcome))
            }
        })
        .buffer_unordered(LISTS)
        .try_collect()
        .await?;
    outcomes.sort_unstable_by_key(|(index, ..)| *index);
    let nothing_works =
        !outcomes.is_empty() && outcomes.iter().all(|(_, _, outcome)| outcome.failure.is_some());
    let mut first_failure = None;
    for kind in request.kinds {
        if found(*kind).is_none() {
            builder.set_complete(*kind);
        }
    }
    for (_, kind, outcome) in outcomes {
        let Outcome {
            objects,
            failure,
            only,
        } = outcome;
        for object in objects {
            add(builder, object);
        }
        note_read(builder, kind, failure.as_ref(), only);
        first_failure = first_failure.or(failure);
    }
    if let Some(failure) = first_failure.filter(|_| nothing_works && builder.resources().is_empty()) {
        return Err(nothing_readable(failure));
    }
    load_settings(builder, cluster, &settings).await?;
    load_secrets(builder, cluster, request.overlay).await
}

fn nothing_readable(error: ClusterError) -> ClusterError {
    if error.kind != ErrorKind::Forbidden {
        return error;
    }
    ClusterError {
        message: format!("nothing can be read of the cluster: {}", error.message),
        hint: Some(
            "ask for the right to get and list (the ClusterRole `view` and Istio's `istio-reader` have it), or name a \
             namespace that you may read: `-n NAME`"
                .to_owned(),
        ),
        ..error
    }
}

/// The version in which to read a kind; `None` if the cluster does not have it.
fn version(discovery: Option<&Discovery>, kind: Kind) -> Option<&'static str> {
    let info = kind.info();
    match discovery {
        Some(discovery) if !info.group.is_empty() => {
            discovery.version(info.group, info.versions, info.plural)
        }
        _ => info.versions.first().copied(),
    }
}

/// One object, loaded.
struct Object {
    source: Source,
    loaded: Loaded,
}

fn add(builder: &mut MeshBuilder, object: Object) {
    let Object { source, mut loaded } = object;
    loaded.set_source(builder.next_source());
    builder.add(source, loaded);
}

/// What became of one list.
#[derive(Default)]
struct Outcome {
    objects: Vec<Object>,
    failure: Option<ClusterError>,
    /// The namespace that could be read in spite of the failure.
    only: Option<String>,
}

/// One list to read.
struct List<'a> {
    cluster: &'a Cluster,
    kind: Kind,
    version: &'static str,
    revision: &'a str,
    count: &'a dyn Fn(usize),
}

impl List<'_> {
    /// Reads all objects, or else those of one namespace. Only failures that any other list would meet too are errors.
    async fn read(&self, fallback: Option<&str>) -> Result<Outcome, ClusterError> {
        let failure = match self.objects(&Scope::All).await {
            Ok(objects) => {
                return Ok(Outcome {
                    objects,
                    ..Outcome::default()
                });
            }
            // The kind went away, or was never there.
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(Outcome::default()),
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(error) => error,
        };
        let mut outcome = Outcome {
            failure: Some(failure.clone()),
            ..Outcome::default()
        };
        let Some(namespace) = fallback.filter(|_| failure.kind == ErrorKind::Forbidden) else {
            return Ok(outcome);
        };
        let objects = if self.kind.info().namespaced {
            self.objects(&Scope::Namespace(namespace.to_owned())).await
        } else if self.kind == Kind::Namespace {
            let path = format!("/api/{}/namespaces/{namespace}", self.version);
            get(self.cluster, self.kind, self.version, &path)
                .await
                .map(|object| object.into_iter().collect())
        } else {
            return Ok(outcome);
        };
        match objects {
            Ok(objects) => {
                outcome.objects = objects;
                outcome.only = Some(namespace.to_owned());
            }
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(_) => {}
        }
        Ok(outcome)
    }

    async fn objects(&self, scope: &Scope) -> Result<Vec<Object>, ClusterError> {
        let info = self.kind.info();
        let mut query = ListQuery::new(info.group, self.version, info.plural, scope);
        match self.kind {
            // What has ended takes no part in a mesh.
            Kind::Pod => query = query.fields("status.phase!=Succeeded,status.phase!=Failed"),
            // Their schemas are larger than everything else together.
            Kind::CustomResourceDefinition => query = query.metadata_only(),
            _ => {}
        }
        let mut objects = Vec::new();
        let mut broken = None;
        self.cluster
            .pages(&query, async |page| {
                match convert(page, self.kind, self.version).await {
                    Ok(more) => {
                        (self.count)(more.len());
                        objects.extend(more);
                    }
                    Err(error) => broken = Some(ClusterError::malformed(info.plural, &error)),
                }
            })
            .await?;
        if let Some(broken) = broken {
            return Err(broken);
        }
        if self.kind.is_istio() && !self.revision.is_empty() {
            objects.retain(|object| belongs_to(object, self.revision));
        }
        settle(&mut objects);
        Ok(objects)
    }
}

/// Whether the control plane of a revision reads the object.
fn belongs_to(object: &Object, revision: &str) -> bool {
    object.loaded.resources.iter().all(|resource| {
        let label = resource.header().labels().get(REVISION_LABEL);
        label.is_none_or(|label| label == revision)
    })
}

/// Sorts by namespace and name. Of what came twice, because the list had to be read again, the newer one stays.
fn settle(objects: &mut Vec<Object>) {
    let key = |object: &Object| {
        object.loaded.resources.first().map(|resource| {
            let header = resource.header();
            (header.namespace().to_owned(), header.name().to_owned())
        })
    };
    objects.reverse();
    objects.sort_by_cached_key(key);
    objects.dedup_by_key(|object| key(object));
}

/// The objects of a page as resources, made on all cores.
async fn convert(page: Page, kind: Kind, version: &'static str) -> Result<Vec<Object>, serde_json::Error> {
    let converted = tokio::task::spawn_blocking(move || {
        page.items
            .into_par_iter()
            .map(|item| object(&item, kind, version))
            .collect()
    });
    // The task neither panics nor is it cancelled before the runtime ends, which ends this future too.
    converted.await.unwrap_or_else(|_| Ok(Vec::new()))
}

/// Reads one object; `None` if there is none.
async fn get(
    cluster: &Cluster,
    kind: Kind,
    version: &'static str,
    path: &str,
) -> Result<Option<Object>, ClusterError> {
    let answer = match cluster.get(path).await {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let broken = |error: serde_json::Error| ClusterError::malformed(path, &error);
    let item: Box<RawValue> = serde_json::from_slice(&answer).map_err(broken)?;
    object(&item, kind, version).map(Some).map_err(broken)
}

/// Loads one object of the API.
fn object(item: &RawValue, kind: Kind, version: &str) -> Result<Object, serde_json::Error> {
    let text = to_yaml(item, kind, version)?.into();
    let mut loaded = load_object(SourceId(0), "", &text, &LoadOptions::default());
    if !kind.is_istio() {
        // The server drops what it does not know: the field is newer than our types.
        for (_, violations) in &mut loaded.violations {
            violations.retain(|violation| violation.kind != ViolationKind::UnknownField);
        }
        loaded.violations.retain(|(_, violations)| !violations.is_empty());
    }
    let name = match loaded.resources.first() {
        Some(resource) => format!("cluster: {}", resource.header().id()),
        None => "cluster".to_owned(),
    };
    for problem in &mut loaded.problems {
        problem.file.clone_from(&name);
    }
    Ok(Object {
        source: Source::of_kind(name, SourceKind::Cluster, text),
        loaded,
    })
}

/// The entries of a JSON object, in order, their values unread.
struct Entries<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;
        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    entries.push((Cow::Owned(key), map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor)
    }
}

fn entries(value: &RawValue) -> Result<Entries<'_>, serde_json::Error> {
    serde_json::from_str(value.get())
}

/// Whether some rule reads the status of the kind's objects.
fn has_status(kind: Kind) -> bool {
    let info = kind.info();
    kind.is_istio() || info.group == "gateway.networking.k8s.io" || kind == Kind::Service
}

/// The object as YAML. Lists of built-in kinds leave `apiVersion` and `kind` out, so both are put in front.
fn to_yaml(item: &RawValue, kind: Kind, version: &str) -> Result<String, serde_json::Error> {
    let info = kind.info();
    let api_version = if info.group.is_empty() {
        version.to_owned()
    } else {
        format!("{}/{version}", info.group)
    };
    let mut yaml = Emitter::new();
    yaml.entry("apiVersion", text(&api_version))?;
    yaml.entry("kind", text(info.name))?;
    let Entries(object) = entries(item)?;
    let mut is_owned = false;
    for (key, value) in &object {
        if *key == "metadata" {
            write_metadata(&mut yaml, value, kind)?;
            is_owned = value.get().contains("\"ownerReferences\"");
        }
    }
    for (key, value) in &object {
        match key.as_ref() {
            "apiVersion" | "kind" | "metadata" => {}
            "status" if !has_status(kind) => {}
            "data" if kind == Kind::Secret => write_secret(&mut yaml, value)?,
            "spec" if kind == Kind::Pod && is_owned => {
                let own: OwnedPod<'_> = serde_json::from_str(value.get())?;
                let own = serde_json::to_string(&own)?;
                yaml.entry(key, &mut serde_json::Deserializer::from_str(&own))?;
            }
            key => yaml.entry(key, *value)?,
        }
    }
    Ok(yaml.finish())
}

/// What is kept of a pod that something else made: there are many of these, and the rest repeats their template.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnedPod<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    init_containers: Option<Vec<OwnedContainer<'a>>>,
    #[serde(borrow)]
    containers: Vec<OwnedContainer<'a>>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    host_network: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    node_name: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    security_context: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    service_account_name: Option<&'a RawValue>,
}

/// What is kept of its containers.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct OwnedContainer<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    image: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    ports: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    restart_policy: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    security_context: Option<&'a RawValue>,
}

fn text(text: &str) -> serde::de::value::StrDeserializer<'_, serde_json::Error> {
    serde::de::value::StrDeserializer::new(text)
}

fn write_metadata(yaml: &mut Emitter, metadata: &RawValue, kind: Kind) -> Result<(), serde_json::Error> {
    let Entries(metadata) = entries(metadata)?;
    let kept: Vec<_> = metadata
        .iter()
        .filter(|(key, value)| *key != "managedFields" && value.get() != "null")
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    yaml.open("metadata");
    for (key, value) in kept {
        if *key != "annotations" {
            yaml.entry(key, *value)?;
            continue;
        }
        let Entries(mut annotations) = entries(value)?;
        // Tools put copies of objects there, and a copy of a Secret is as secret as the Secret.
        annotations.retain(|(key, _)| *key != LAST_APPLIED && kind != Kind::Secret);
        if !annotations.is_empty() {
            yaml.open(key);
            for (key, value) in annotations {
                yaml.entry(&key, value)?;
            }
            yaml.close();
        }
    }
    yaml.close();
    Ok(())
}

/// Writes the keys of a Secret. Certificates are public and stay; of all else only the PEM boundaries do, which say
/// what it is.
fn write_secret(yaml: &mut Emitter, data: &RawValue) -> Result<(), serde_json::Error> {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    const PUBLIC: [&str; 4] = ["tls.crt", "cert", "ca.crt", "cacert"];
    if data.get() == "null" {
        return Ok(());
    }
    let Entries(data) = entries(data)?;
    if data.is_empty() {
        return Ok(());
    }
    yaml.open("data");
    for (key, value) in data {
        if PUBLIC.contains(&key.as_ref()) {
            yaml.entry(&key, value)?;
            continue;
        }
        let encoded: Cow<'_, str> = serde_json::from_str(value.get())?;
        let bytes = STANDARD.decode(encoded.as_bytes()).unwrap_or_default();
        let content = String::from_utf8_lossy(&bytes);
        let boundaries: String = content
            .lines()
            .filter(|line| line.starts_with("-----"))
            .flat_map(|line| [line, "\n"])
            .collect();
        let shown = match (bytes.is_empty(), boundaries.is_empty()) {
            (true, _) => "",
            (false, true) => "not shown",
            (false, false) => &boundaries,
        };
        yaml.entry(&key, text(&STANDARD.encode(shown)))?;
    }
    yaml.close();
    Ok(())
}

/// Reads the ConfigMaps of the control plane.
async fn load_settings(
    builder: &mut MeshBuilder,
    cluster: &Cluster,
    settings: &Settings,
) -> Result<(), ClusterError> {
    let namespace = &settings.istio_namespace;
    let mut unreadable = None;
    for name in ["istio", "istio-sidecar-injector"] {
        let name = settings.revisioned(name);
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
        match get(cluster, Kind::ConfigMap, "v1", &path).await {
            Ok(object) => object.into_iter().for_each(|object| add(builder, object)),
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(error) => unreadable = Some(error),
        }
    }
    // No rule asks for others.
    note_read(builder, Kind::ConfigMap, unreadable.as_ref(), None);
    Ok(())
}

/// Notes whether every object of a kind that anybody asks for was read.
fn note_read(builder: &mut MeshBuilder, kind: Kind, failure: Option<&ClusterError>, only: Option<String>) {
    match failure {
        None => builder.set_complete(kind),
        Some(error) => builder.add_unreadable(Unreadable {
            kind,
            reason: error.message.clone(),
            is_forbidden: error.kind == ErrorKind::Forbidden,
            only,
        }),
    }
}

/// Reads the Secrets that Gateways name, and no others.
async fn load_secrets(
    builder: &mut MeshBuilder,
    cluster: &Cluster,
    overlay: Option<&Mesh>,
) -> Result<(), ClusterError> {
    let mut resources = builder.resources().to_vec();
    resources.extend(overlay.into_iter().flat_map(Mesh::resources));
    let wanted = secrets(&resources);
    let results: Vec<_> = stream::iter(wanted)
        .map(async |(namespace, name)| {
            let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
            match get(cluster, Kind::Secret, "v1", &path).await {
                Err(error) if error.kind.is_fatal() => Err(error),
                result => Ok(result),
            }
        })
        .buffered(LISTS)
        .try_collect()
        .await?;
    let mut failure = None;
    for result in results {
        match result {
            Ok(secret) => secret.into_iter().for_each(|secret| add(builder, secret)),
            Err(error) => failure = Some(error),
        }
    }
    note_read(builder, Kind::Secret, failure.as_ref(), None);
    Ok(())
}

/// Namespace and name of every Secret that a Gateway may mean: those in the namespaces of its proxies, or else in its
/// own.
fn secrets(resources: &[AnyResource]) -> BTreeSet<(String, String)> {
    let mut by_selector: BTreeMap<&Labels, (BTreeSet<&str>, Vec<&str>)> = BTreeMap::new();
    for resource in resources {
        if let AnyResource::Gateway(gateway) = resource {
            let names = gateway
                .spec
                .servers
                .iter()
                .filter_map(|server| server.tls.as_ref());
            let names: Vec<_> = names.flat_map(credential_names).collect();
            if !names.is_empty() {
                let (namespaces, all) = by_selector.entry(&gateway.spec.selector).or_default();
                namespaces.insert(gateway.namespace());
                all.extend(names);
            }
        }
    }
    let mut wanted = BTreeSet::new();
    for (selector, (own, names)) in by_selector {
        let proxies: BTreeSet<_> = resources
            .iter()
            .filter(|resource| selected(resource, selector))
            .map(|resource| resource.header().namespace())
            .collect();
        let namespaces = if proxies.is_empty() { own } else { proxies };
        for namespace in namespaces {
            for name in &names {
                wanted.insert((namespace.to_owned(), (*name).to_owned()));
                wanted.insert((namespace.to_owned(), format!("{name}-cacert")));
            }
        }
    }
    wanted
}

/// Whether a selector selects the pod, or the pods of the template.
fn selected(resource: &AnyResource, selector: &Labels) -> bool {
    let template = match resource {
        AnyResource::Pod(pod) => return selects(selector, pod.labels()),
        AnyResource::Deployment(owner) => &owner.spec.template,
        AnyResource::StatefulSet(owner) => &owner.spec.template,
        AnyResource::DaemonSet(owner) => &owner.spec.template,
        _ => return false,
    };
    let labels = template
        .metadata
        .as_ref()
        .and_then(|metadata| metadata.labels.as_ref());
    labels.is_some_and(|labels| selects(selector, labels))
}

/// The names of Secrets in the settings of a server.
fn credential_names(tls: &ServerTlsSettings) -> impl Iterator<Item = &str> {
    let single = [&tls.credential_name, &tls.ca_cert_credential_name];
    single
        .into_iter()
        .chain(&tls.credential_names)
        .map(|name| name.strip_prefix("kubernetes://").unwrap_or(name))
        .filter(|name| !name.is_empty() && !name.contains(['/', ':']))
}
