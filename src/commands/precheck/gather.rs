//! Reads what the checks need to know of a cluster.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;
use mesh_analyze::RuleSet;
use mesh_core::cluster::{Cluster, ClusterError, ErrorKind, ListQuery, Scope};
use mesh_core::k8s_openapi::api::authorization::v1::ResourceAttributes;
use mesh_core::k8s_openapi::api::core::v1::{ConfigMap, Secret};
use mesh_core::k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::{ListableResource, Metadata, Resource};
use mesh_core::source::{LoadOptions, Source, load_text};
use mesh_core::{Kind, MeshBuilder, Settings};
use mesh_install::precheck::access::{Access, GRANTED, NEEDS, Need, Purpose};
use mesh_install::precheck::{CaSecret, Facts, Options, Read, Unread};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::ui::progress::Progress;

/// How many lists are read at once: all of them, so that a server that hangs costs one `--request-timeout`.
const READS_AT_ONCE: usize = 32;

/// How many questions about rights are asked at once.
const REVIEWS_AT_ONCE: usize = 10;

/// The secrets of the control plane's certificate authority.
const CA_SECRETS: [&str; 2] = ["cacerts", "istio-ca-secret"];

/// The entries of such a secret that are certificates. What else it holds, such as the key, is dropped at once.
const CA_CERTIFICATES: [&str; 5] = [
    "ca-cert.pem",
    "root-cert.pem",
    "cert-chain.pem",
    "tls.crt",
    "ca.crt",
];

/// The rules whose findings are deprecations.
const DEPRECATIONS: [&str; 2] = ["deprecated-annotation", "deprecated-field"];

/// Reads everything at once; rights only if `asks_rights`, and not again if they are known from earlier. What cannot be
/// read becomes part of the facts.
///
/// # Errors
///
/// Nothing at all could be read.
pub(super) async fn gather(
    cluster: &Cluster,
    options: &Options,
    progress: &Progress,
    asks_rights: bool,
    earlier: Option<Facts>,
) -> Result<Facts, ClusterError> {
    progress.message(format!("asking {}", cluster.server()));
    let version = match server_version(cluster).await {
        Err(error) if error.kind.is_fatal() => return Err(error),
        version => version,
    };
    let reader = Reader {
        cluster,
        permits: Semaphore::new(READS_AT_ONCE),
        answers: AtomicUsize::new(0),
        progress,
    };
    let own = Scope::Namespace(options.istio_namespace.clone());
    let all = Scope::All;
    // The rights of a user hardly change while one waits for pods.
    let access = earlier
        .map(|facts| facts.access)
        .filter(|access| !access.is_empty());
    let asked = async {
        match access {
            Some(access) => access,
            None if !asks_rights => Vec::new(),
            None => reviews(cluster, options).await,
        }
    };
    let (server, access, nodes, own_lists, services, workloads, webhooks, leases, secrets) = tokio::join!(
        async {
            tokio::join!(
                clocks(cluster),
                api_versions(&reader),
                reader.read(cluster.user())
            )
        },
        asked,
        async { tokio::join!(reader.list_of(&all), reader.list_of(&all), reader.list_of(&all)) },
        async { tokio::join!(reader.list_of(&own), reader.list_of(&own), reader.list_of(&own)) },
        async { tokio::join!(reader.list_of(&all), reader.list_of(&all), reader.list_of(&all)) },
        async { tokio::join!(reader.list_of(&all), reader.list_of(&all)) },
        async { tokio::join!(reader.list_of(&all), reader.list_of(&all), definitions(&reader)) },
        async { tokio::join!(reader.list_of(&own), node_leases(&reader), reader.list_of(&all)) },
        async {
            tokio::join!(
                ca_secrets(&reader, options),
                root_certificates(&reader),
                cilium(&reader)
            )
        },
    );
    let ((server_time, now), api_versions, user) = server;
    let (nodes, pods, namespaces) = nodes;
    let (quotas, limit_ranges, network_policies) = own_lists;
    let (services, endpoint_slices, priority_classes) = services;
    let (deployments, daemon_sets) = workloads;
    let (mutating_webhooks, validating_webhooks, (crds, deprecations)) = webhooks;
    let (leases, node_leases, api_services) = leases;
    let (ca_secrets, root_certificates, cilium) = secrets;
    if reader.answers.load(Ordering::Relaxed) == 0
        && let Err(error) = version
    {
        return Err(error);
    }
    Ok(Facts {
        now,
        server: cluster.server().to_owned(),
        server_time,
        version: version.map_err(unread),
        user,
        api_versions,
        access,
        api_services,
        nodes,
        pods,
        namespaces,
        quotas,
        limit_ranges,
        priority_classes,
        services,
        endpoint_slices,
        deployments,
        daemon_sets,
        network_policies,
        mutating_webhooks,
        validating_webhooks,
        crds,
        leases,
        node_leases,
        root_certificates,
        ca_secrets,
        cilium,
        deprecations,
    })
}

/// Reads with a limit on how much is under way, and counts what succeeds.
struct Reader<'a> {
    cluster: &'a Cluster,
    permits: Semaphore,
    answers: AtomicUsize,
    progress: &'a Progress,
}

impl Reader<'_> {
    async fn read<T>(&self, request: impl Future<Output = Result<T, ClusterError>>) -> Read<T> {
        // The semaphore is never closed, so that there always is a permit to wait for.
        let _permit = self.permits.acquire().await;
        let answer = request.await.map_err(unread)?;
        let count = self.answers.fetch_add(1, Ordering::Relaxed) + 1;
        self.progress
            .message(format!("reading the cluster: {count} kinds"));
        Ok(answer)
    }

    async fn list<K>(&self, query: ListQuery) -> Read<Vec<K>>
    where
        K: ListableResource + DeserializeOwned + Metadata<Ty = ObjectMeta>,
    {
        let mut objects: Vec<K> = self.read(self.cluster.list(&query)).await?;
        for object in &mut objects {
            object.metadata_mut().managed_fields = None;
        }
        Ok(objects)
    }

    async fn list_of<K>(&self, scope: &Scope) -> Read<Vec<K>>
    where
        K: ListableResource + DeserializeOwned + Metadata<Ty = ObjectMeta> + Resource,
        K::Scope: mesh_core::cluster::MaybeNamespaced,
    {
        self.list(ListQuery::of::<K>(scope)).await
    }

    /// An object that need not exist.
    async fn find<T: DeserializeOwned>(&self, path: &str) -> Read<Option<T>> {
        self.read(async {
            match self.cluster.get(path).await {
                Ok(answer) => parse(path, &answer).map(Some),
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        })
        .await
    }
}

fn unread(error: ClusterError) -> Unread {
    let hint = match error.kind {
        ErrorKind::Forbidden => {
            Some("ask for the right to read it; `kubectl auth can-i --list` shows what you may do".to_owned())
        }
        _ => error.hint,
    };
    Unread {
        why: error.message,
        hint,
    }
}

fn parse<T: DeserializeOwned>(path: &str, answer: &[u8]) -> Result<T, ClusterError> {
    serde_json::from_slice(answer).map_err(|error| ClusterError {
        kind: ErrorKind::Malformed,
        message: format!("the answer for {path} is not what the API promises: {error}"),
        hint: None,
    })
}

async fn server_version(cluster: &Cluster) -> Result<String, ClusterError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        git_version: String,
    }
    let path = "/version";
    let version: Version = parse(path, &cluster.get(path).await?)?;
    Ok(version.git_version)
}

/// The time there and here. It comes with failures too, and so does not count as an answer.
async fn clocks(cluster: &Cluster) -> (Read<Option<Timestamp>>, Timestamp) {
    let there = server_time(cluster).await.map_err(unread);
    (there, Timestamp::now())
}

async fn server_time(cluster: &Cluster) -> Result<Option<Timestamp>, ClusterError> {
    let date = cluster.date().await?;
    // HTTP's dates (RFC 9110, section 5.6.7) are those of mail with `GMT` for the zone.
    Ok(date
        .and_then(|date| jiff::fmt::rfc2822::parse(&date).ok())
        .map(|time| time.timestamp()))
}

async fn api_versions(reader: &Reader<'_>) -> Read<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Core {
        versions: Vec<String>,
    }
    #[derive(Deserialize)]
    struct Groups {
        groups: Vec<Group>,
    }
    #[derive(Deserialize)]
    struct Group {
        versions: Vec<Version>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        group_version: String,
    }
    let get = |path: &'static str| async move { reader.cluster.get(path).await };
    let (core, groups) = tokio::join!(
        reader.read(async { parse::<Core>("/api", &get("/api").await?) }),
        reader.read(async { parse::<Groups>("/apis", &get("/apis").await?) }),
    );
    let groups = groups?.groups.into_iter().flat_map(|group| group.versions);
    Ok(core?
        .versions
        .into_iter()
        .chain(groups.map(|version| version.group_version))
        .collect())
}

/// Asks about every right, as many at once as other reads, until one question cannot be answered.
async fn reviews(cluster: &Cluster, options: &Options) -> Vec<Access> {
    let mut access = ask(
        cluster,
        options,
        NEEDS.iter().filter(|need| need.applies_to(options)),
    )
    .await;
    // Who may not make any role must have the rights that the roles give.
    let may_grant = access
        .iter()
        .filter(|answer| answer.need.purpose == Purpose::Grant)
        .all(|answer| answer.allowed == Ok(true));
    if !may_grant {
        access.extend(ask(cluster, options, GRANTED).await);
    }
    access
}

async fn ask(
    cluster: &Cluster,
    options: &Options,
    needs: impl IntoIterator<Item = &'static Need>,
) -> Vec<Access> {
    let permits = Arc::new(Semaphore::new(REVIEWS_AT_ONCE));
    let is_broken = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    let questions = needs
        .into_iter()
        .flat_map(|need| need.verbs.iter().map(move |verb| (need, *verb)));
    for (index, (need, verb)) in questions.enumerate() {
        let (cluster, permits, is_broken) = (cluster.clone(), Arc::clone(&permits), Arc::clone(&is_broken));
        let namespace = options.istio_namespace.clone();
        tasks.spawn(async move {
            let _permit = permits.acquire().await;
            let allowed = if is_broken.load(Ordering::Relaxed) {
                Err(Unread {
                    why: "the API server stopped answering questions about rights".to_owned(),
                    hint: None,
                })
            } else {
                cluster
                    .may(attributes(need, verb, &namespace))
                    .await
                    .map_err(unread)
            };
            if allowed.is_err() {
                is_broken.store(true, Ordering::Relaxed);
            }
            (index, Access { need, verb, allowed })
        });
    }
    let answers: BTreeMap<usize, Access> = tasks.join_all().await.into_iter().collect();
    answers.into_values().collect()
}

fn attributes(need: &Need, verb: &str, namespace: &str) -> ResourceAttributes {
    let (resource, subresource) = match need.resource.split_once('/') {
        Some((resource, subresource)) => (resource, Some(subresource.to_owned())),
        None => (need.resource, None),
    };
    ResourceAttributes {
        group: Some(need.group.to_owned()),
        resource: Some(resource.to_owned()),
        subresource,
        verb: Some(verb.to_owned()),
        namespace: (need.purpose == Purpose::Namespace).then(|| namespace.to_owned()),
        ..ResourceAttributes::default()
    }
}

/// CustomResourceDefinitions, and what Istio's resources use that has a successor.
async fn definitions(reader: &Reader<'_>) -> (Read<Vec<CustomResourceDefinition>>, Read<Vec<String>>) {
    let mut crds: Read<Vec<CustomResourceDefinition>> = reader.list_of(&Scope::All).await;
    for crd in crds.iter_mut().flatten() {
        for version in &mut crd.spec.versions {
            version.schema = None;
        }
    }
    let deprecations = match &crds {
        Ok(crds) => deprecations(reader, crds).await,
        Err(unread) => Err(unread.clone()),
    };
    (crds, deprecations)
}

async fn deprecations(reader: &Reader<'_>, crds: &[CustomResourceDefinition]) -> Read<Vec<String>> {
    let mut builder = MeshBuilder::new(Settings::default());
    for kind in Kind::ALL.iter().filter(|kind| kind.is_istio()) {
        let info = kind.info();
        let served = crds
            .iter()
            .filter(|crd| crd.spec.group == info.group && crd.spec.names.plural == info.plural)
            .flat_map(|crd| &crd.spec.versions)
            .find(|version| version.served && info.versions.contains(&version.name.as_str()));
        let Some(version) = served else { continue };
        let query = ListQuery::new(info.group, &version.name, info.plural, &Scope::All);
        let list = reader.cluster.pages(&query, async |page| {
            for item in page.items {
                let source = Source::new(info.name, item.get().into());
                let loaded = load_text(
                    builder.next_source(),
                    source.name(),
                    source.text(),
                    &LoadOptions::default(),
                );
                builder.add(source, loaded);
            }
        });
        reader.read(list).await?;
    }
    let names: Vec<String> = DEPRECATIONS.iter().map(ToString::to_string).collect();
    let rules = RuleSet::new(&names, &[]).map_err(|unknown| Unread {
        why: unknown.to_string(),
        hint: None,
    })?;
    let report = mesh_analyze::analyze(&builder.build(), &rules);
    Ok(report
        .findings
        .iter()
        .map(|finding| match &finding.primary.resource {
            Some(resource) => format!("{resource}: {}", finding.message),
            None => finding.message.clone(),
        })
        .collect())
}

async fn node_leases(reader: &Reader<'_>) -> Read<Vec<mesh_core::k8s_openapi::api::coordination::v1::Lease>> {
    reader
        .list_of(&Scope::Namespace("kube-node-lease".to_owned()))
        .await
}

async fn ca_secrets(reader: &Reader<'_>, options: &Options) -> Read<Vec<CaSecret>> {
    let [plugged_in, self_signed] = CA_SECRETS;
    let (plugged_in, self_signed) = tokio::join!(
        ca_secret(reader, options, plugged_in),
        ca_secret(reader, options, self_signed)
    );
    Ok([plugged_in?, self_signed?].into_iter().flatten().collect())
}

async fn ca_secret(reader: &Reader<'_>, options: &Options, name: &str) -> Read<Option<CaSecret>> {
    let path = format!("/api/v1/namespaces/{}/secrets/{name}", options.istio_namespace);
    let secret: Option<Secret> = reader.find(&path).await?;
    Ok(secret.map(|secret| {
        let data = secret.data.unwrap_or_default();
        CaSecret {
            name: name.to_owned(),
            keys: data.keys().cloned().collect(),
            certificates: data
                .iter()
                .filter(|(key, _)| CA_CERTIFICATES.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), String::from_utf8_lossy(&value.0).into_owned()))
                .collect(),
        }
    }))
}

async fn root_certificates(reader: &Reader<'_>) -> Read<Vec<ConfigMap>> {
    let query = ListQuery::of::<ConfigMap>(&Scope::All).fields("metadata.name=istio-ca-root-cert");
    reader.list(query).await
}

async fn cilium(reader: &Reader<'_>) -> Read<Option<ConfigMap>> {
    reader
        .find("/api/v1/namespaces/kube-system/configmaps/cilium-config")
        .await
}
