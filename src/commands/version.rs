//! `meshctl version`: which program this is, which meshes it is for, and which one a cluster has.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::{Args, ValueEnum};
use mesh_core::cluster::{Cluster, ListQuery, Scope};
use mesh_core::k8s_openapi::api::apps::v1::Deployment;
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_install::inventory::{ControlPlane, ProxyKind, control_planes, proxies};
use serde::Serialize;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::document::{self, FormatArgs};
use crate::ui::{Printer, counted};

/// The minor versions of Istio whose behavior the rules follow.
const ISTIO: [&str; 3] = ["1.29", "1.30", "1.31"];

/// Print the version, and which versions of Istio it is for
///
/// With `--remote`, also the control planes of a cluster, and its proxies by version.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct VersionArgs {
    /// Only the program's own version; the default
    #[arg(long, conflicts_with = "remote")]
    client: bool,

    /// Ask the cluster for its control planes and proxies too
    #[arg(long, visible_alias = "cluster")]
    remote: bool,

    #[command(flatten)]
    output: FormatArgs<VersionFormat>,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  For a bug report
    meshctl version --remote

  The number alone
    meshctl version -o short

  Proxies that still run an old version
    meshctl version --remote -o json | jq '.dataPlane[] | select(.version != \"1.30.1\")'";

/// The form of the version.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum VersionFormat {
    /// For people
    #[default]
    Text,
    /// Numbers only
    Short,
    /// One JSON document
    Json,
    /// The same document as YAML
    Yaml,
}

#[derive(Serialize)]
struct About {
    version: &'static str,
    istio: [&'static str; 3],
    platform: String,
    #[serde(flatten)]
    remote: Option<Remote>,
}

/// What a cluster has.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Remote {
    control_planes: Vec<ControlPlane>,
    data_plane: Vec<Proxies>,
}

/// Proxies that are alike.
#[derive(Serialize)]
struct Proxies {
    kind: ProxyKind,
    version: Option<String>,
    revision: Option<String>,
    count: usize,
}

/// Runs the command.
pub(crate) fn version(printer: &mut Printer, args: VersionArgs) -> Result<Exit, CommandError> {
    let VersionArgs {
        client: _,
        remote,
        output,
        cluster,
    } = args;
    let remote = remote.then(|| cluster.run(read)).transpose()?;
    let about = About {
        version: env!("CARGO_PKG_VERSION"),
        istio: ISTIO,
        platform: format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
        remote,
    };
    let out = printer.stdout();
    match output.format {
        VersionFormat::Text => text(out, &about)?,
        VersionFormat::Short => short(out, &about)?,
        VersionFormat::Json => document::json(out, &about)?,
        VersionFormat::Yaml => document::yaml(out, &about)?,
    }
    Ok(Exit::Clean)
}

async fn read(cluster: Cluster) -> Result<Remote, CommandError> {
    let istiod = ListQuery::of::<Deployment>(&Scope::All).labels("app=istiod");
    let all = ListQuery::of::<Pod>(&Scope::All);
    let (deployments, pods) =
        tokio::try_join!(cluster.list::<Deployment>(&istiod), cluster.list::<Pod>(&all))?;
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for proxy in proxies(&pods) {
        *counts
            .entry((proxy.version, proxy.kind, proxy.revision))
            .or_default() += 1;
    }
    Ok(Remote {
        control_planes: control_planes(&deployments),
        data_plane: counts
            .into_iter()
            .map(|((version, kind, revision), count)| Proxies {
                kind,
                version,
                revision,
                count,
            })
            .collect(),
    })
}

fn text(out: &mut impl Write, about: &About) -> io::Result<()> {
    writeln!(out, "meshctl {}", about.version)?;
    writeln!(out, "for Istio {}", about.istio.join(", "))?;
    writeln!(out, "on {}", about.platform)?;
    let Some(remote) = &about.remote else {
        return Ok(());
    };
    if remote.control_planes.is_empty() {
        writeln!(out, "no control plane in the cluster")?;
    }
    for plane in &remote.control_planes {
        writeln!(
            out,
            "control plane {} (revision {} in {}, {}/{} ready)",
            or_unknown(plane.version.as_ref()),
            plane.revision,
            plane.namespace,
            plane.ready,
            plane.replicas
        )?;
    }
    for (version, counts) in by_version(remote) {
        let counts: Vec<_> = counts
            .iter()
            .map(|(kind, count)| counted(*count, &kind.to_string()))
            .collect();
        writeln!(out, "data plane {version} ({})", counts.join(", "))?;
    }
    Ok(())
}

fn short(out: &mut impl Write, about: &About) -> io::Result<()> {
    let Some(remote) = &about.remote else {
        return writeln!(out, "{}", about.version);
    };
    writeln!(out, "client: {}", about.version)?;
    for plane in &remote.control_planes {
        writeln!(out, "control plane: {}", or_unknown(plane.version.as_ref()))?;
    }
    for (version, counts) in by_version(remote) {
        let count: usize = counts.values().sum();
        writeln!(out, "data plane: {version} x{count}")?;
    }
    Ok(())
}

/// The proxies of each version, by kind.
fn by_version(remote: &Remote) -> BTreeMap<&str, BTreeMap<ProxyKind, usize>> {
    let mut counts: BTreeMap<&str, BTreeMap<ProxyKind, usize>> = BTreeMap::new();
    for proxies in &remote.data_plane {
        let of_version = counts.entry(or_unknown(proxies.version.as_ref())).or_default();
        *of_version.entry(proxies.kind).or_default() += proxies.count;
    }
    counts
}

fn or_unknown(version: Option<&String>) -> &str {
    version.map_or("of unknown version", String::as_str)
}
