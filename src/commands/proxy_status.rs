//! `meshctl proxy-status`: whether proxies have what their control plane wants them to have.

mod syncz;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use clap::{Args, ValueEnum};
use futures::StreamExt;
use jiff::Timestamp;
use mesh_core::cluster::{Cluster, ClusterError, ErrorKind, Method, PodPort, Scope, Target};
use serde::Serialize;

use super::proxy_config::sync_difference;
use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::proxies::{self, ProxyArgs};
use crate::ui::document::{self, FormatArgs};
use crate::ui::{Printer, Tone, counted, span, table};
use crate::watch::{Watch, WatchArgs};
use syncz::{ProxyState, Status, TYPES};

/// istiod's ports with its debug interface: that of its metrics, and the older one.
const DEBUG_PORTS: [u16; 2] = [15014, 8080];

/// Show whether proxies have the configuration that their control plane has for them
///
/// Asks every istiod through the API server. With a PROXY, compares what istiod would send it with what it holds.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ProxyStatusArgs {
    /// Proxy to compare: POD, deploy/NAME, and so on, with .NAMESPACE if need be
    #[arg(value_name = "PROXY", conflicts_with = "watch")]
    target: Option<Target>,

    /// Only proxies of this namespace [default: of all; for the PROXY, the context's]
    #[arg(long, short, value_name = "NAME")]
    namespace: Option<String>,

    /// Namespace of the control plane
    #[arg(long, short, value_name = "NAME", default_value = "istio-system")]
    istio_namespace: String,

    /// Only control planes of this revision
    #[arg(long, short, value_name = "NAME")]
    revision: Option<String>,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    watch: WatchArgs,

    /// When to exit with status 1
    #[arg(
        long,
        value_name = "STATE",
        value_enum,
        default_value_t,
        conflicts_with = "watch",
        help_heading = "Output"
    )]
    fail_on: FailOn,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  All proxies of all istiods
    meshctl proxy-status

  Wait in a pipeline until a release has reached the proxies
    until meshctl ps -n shop --fail-on stale; do sleep 2; done

  What istiod would send, against what the proxy holds
    meshctl ps deploy/web -n shop

Exit status:
  0  done; with a PROXY: it holds what istiod would send
  1  a proxy is in the state of --fail-on; with a PROXY: there are differences
  2  an istiod or the PROXY could not be asked";

/// The form of the states.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Format {
    /// Rows and columns
    #[default]
    #[value(alias = "short")]
    Table,
    /// With the time since istiod sent each
    Wide,
    /// One JSON document
    Json,
    /// The same as YAML
    Yaml,
}

/// From which state on the command fails.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum FailOn {
    /// Never
    #[default]
    Never,
    /// When a proxy has not acknowledged something, or refused it
    Stale,
    /// When a proxy refused something
    Error,
}

impl FailOn {
    fn exit(self, proxies: &[ProxyState]) -> Exit {
        let threshold = match self {
            Self::Never => return Exit::Clean,
            Self::Stale => Status::Stale,
            Self::Error => Status::Error,
        };
        let worst = proxies.iter().filter_map(ProxyState::worst).min();
        if worst.is_some_and(|worst| worst <= threshold) {
            Exit::Findings
        } else {
            Exit::Clean
        }
    }
}

/// A control plane's pod.
#[derive(Clone, Debug, Serialize)]
struct Istiod {
    name: String,
    version: Option<String>,
}

/// What all istiods together say.
#[derive(Debug, Serialize)]
struct Overview {
    istiods: Vec<Istiod>,
    proxies: Vec<ProxyState>,
}

/// Runs the command.
pub(crate) fn proxy_status(printer: &mut Printer, args: &ProxyStatusArgs) -> Result<Exit, CommandError> {
    args.watch.deadline(&args.cluster).run(async |cluster| {
        if let Some(target) = &args.target {
            return compare(printer, &cluster, args, target).await;
        }
        if let Some(interval) = args.watch.watch {
            return watched(printer, &cluster, args, Watch::new(interval)).await;
        }
        let (overview, errors) = ask(&cluster, args).await?;
        for error in &errors {
            printer.error(error);
        }
        show(printer, args.output.format, &overview)?;
        Ok(if errors.is_empty() {
            args.fail_on.exit(&overview.proxies)
        } else {
            Exit::Failed
        })
    })
}

/// Looks again and again, and shows what is new. Ends with Ctrl-C.
async fn watched(
    printer: &mut Printer,
    cluster: &Cluster,
    args: &ProxyStatusArgs,
    mut watch: Watch,
) -> Result<Exit, CommandError> {
    loop {
        let looked = ask(cluster, args).await;
        if let Some(overview) = watch.seen(printer, looked)? {
            // Ages change all the time; states are what is watched.
            let states = serde_json::to_vec(&overview).map_err(std::io::Error::from)?;
            if watch.is_news(&states) {
                show(printer, args.output.format, &overview)?;
                printer.finish()?;
            }
        }
        watch.pause().await;
    }
}

fn show(printer: &mut Printer, format: Format, overview: &Overview) -> Result<(), CommandError> {
    let text = render(printer, format, overview)?;
    printer.stdout().write_all(&text)?;
    conclude(printer, overview);
    Ok(())
}

/// The running pods of the control plane.
async fn istiods(cluster: &Cluster, args: &ProxyStatusArgs) -> Result<Vec<PodPort>, CommandError> {
    let selector = match &args.revision {
        Some(revision) => format!("app=istiod,istio.io/rev={revision}"),
        None => "app=istiod".to_owned(),
    };
    let scope = Scope::Namespace(args.istio_namespace.clone());
    let pods = cluster.live_pods(&selector, &scope).await?;
    if pods.is_empty() {
        return Err(CommandError::user(format!(
            "no istiod runs in namespace `{}` (no pod is labeled `{selector}`)",
            args.istio_namespace
        ))
        .hinted("name the control plane's namespace with `--istio-namespace`"));
    }
    let ports = pods.into_iter().map(|pod| PodPort {
        namespace: args.istio_namespace.clone(),
        pod: pod.metadata.name.unwrap_or_default(),
        port: DEBUG_PORTS[0],
    });
    Ok(ports.collect())
}

/// Asks istiod's debug interface, on whichever of its ports there is.
async fn debug(cluster: &Cluster, istiod: &PodPort, path: &str) -> Result<String, ClusterError> {
    let [port, older] = DEBUG_PORTS;
    let first = cluster
        .pod_text(
            &PodPort {
                port,
                ..istiod.clone()
            },
            Method::GET,
            path,
        )
        .await;
    let error = match first {
        // Nothing listens there, or no debug interface.
        Err(error)
            if matches!(
                error.kind,
                ErrorKind::Unreachable | ErrorKind::Refused | ErrorKind::NotFound
            ) =>
        {
            error
        }
        other => return other,
    };
    let second = PodPort {
        port: older,
        ..istiod.clone()
    };
    cluster
        .pod_text(&second, Method::GET, path)
        .await
        .map_err(|_| error)
}

/// Asks all istiods at once: what those say that answered, and why others did not. That the only one did not is an
/// error.
async fn ask(
    cluster: &Cluster,
    args: &ProxyStatusArgs,
) -> Result<(Overview, Vec<CommandError>), CommandError> {
    let pods = istiods(cluster, args).await?;
    let path = match &args.namespace {
        // Newer istiods leave out the others themselves.
        Some(namespace) => format!("/debug/syncz?namespace={namespace}"),
        None => "/debug/syncz".to_owned(),
    };
    let asks = pods.iter().map(|istiod| async {
        let states = debug(cluster, istiod, &path).await;
        let version = cluster.pod_text(istiod, Method::GET, "/version").await;
        (states, version.ok().and_then(|text| version_in(&text)))
    });
    let answers: Vec<_> = futures::stream::iter(asks).buffered(8).collect().await;
    let mut overview = Overview {
        istiods: Vec::new(),
        proxies: Vec::new(),
    };
    let mut errors = Vec::new();
    for (istiod, (states, version)) in pods.iter().zip(answers) {
        let states = states.map_err(CommandError::from).and_then(|text| {
            syncz::read(&text, &istiod.pod).map_err(|error| {
                CommandError::user(format!("cannot understand what {} says: {error}", istiod.pod))
            })
        });
        match states {
            Ok(states) => {
                overview.istiods.push(Istiod {
                    name: istiod.pod.clone(),
                    version,
                });
                overview.proxies.extend(states);
            }
            Err(error) if pods.len() == 1 => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    if overview.istiods.is_empty() {
        let error = CommandError::user("no istiod answered");
        return Err(errors
            .iter()
            .fold(error, |error, reason| error.hinted(reason.to_string())));
    }
    overview.proxies.retain(|proxy| {
        args.namespace
            .as_ref()
            .is_none_or(|name| proxy.namespace == *name)
    });
    overview
        .proxies
        .sort_by(|a, b| (&a.namespace, &a.name, &a.istiod).cmp(&(&b.namespace, &b.name, &b.istiod)));
    Ok((overview, errors))
}

/// The first thing in a text that looks like a version: `1.30.1` of `1.30.1-6fd8bf…-Clean`.
fn version_in(text: &str) -> Option<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
    let mut versions = words.filter(|word| minor(word).is_some());
    versions.next().map(str::to_owned)
}

/// Major and minor number.
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((
        parts.next()?.parse().ok()?,
        parts.next()?.split('-').next()?.parse().ok()?,
    ))
}

fn render(printer: &Printer, format: Format, overview: &Overview) -> Result<Vec<u8>, CommandError> {
    let mut text = Vec::new();
    match format {
        Format::Json => document::json(&mut text, overview)?,
        Format::Yaml => document::yaml(&mut text, overview)?,
        Format::Table | Format::Wide => {
            let now = Timestamp::now();
            let headings: Vec<&str> = ["NAME", "CLUSTER", "ISTIOD", "VERSION"]
                .into_iter()
                .chain(TYPES.map(|(name, ..)| name))
                .collect();
            let rows: Vec<Vec<String>> = overview
                .proxies
                .iter()
                .map(|proxy| {
                    let fixed =
                        [&proxy.name, &proxy.cluster, &proxy.istiod, &proxy.version].map(Clone::clone);
                    let states = TYPES.map(|(name, ..)| match proxy.types.get(name) {
                        None => String::new(),
                        Some(state) => match state.since.filter(|_| format == Format::Wide) {
                            None => state.status.word().to_owned(),
                            Some(since) => {
                                let age = span(now.duration_since(since));
                                format!("{} ({age})", state.status.word())
                            }
                        },
                    });
                    fixed.into_iter().chain(states).collect()
                })
                .collect();
            text = table::table(printer.look(), &headings, &rows).into_bytes();
        }
    }
    Ok(text)
}

/// What is wrong, and how many of what there are, beside the data.
fn conclude(printer: &mut Printer, overview: &Overview) {
    let Overview { istiods, proxies } = overview;
    for proxy in proxies {
        for (kind, state) in &proxy.types {
            if let Some(error) = &state.error {
                let message = format!("{} refused {kind}: {error}", proxy.name);
                printer.warning(&CommandError::user(message));
            }
        }
    }
    for warning in skew(istiods, proxies) {
        printer.warning(&CommandError::user(warning));
    }
    let in_state = |status: Status| {
        let count = proxies
            .iter()
            .filter(|proxy| proxy.worst() == Some(status))
            .count();
        (count, status)
    };
    let synced = proxies
        .iter()
        .filter(|proxy| proxy.worst().is_none_or(|worst| worst >= Status::NotSent))
        .count();
    let mut parts = vec![format!("{synced} synced")];
    for (count, status) in [in_state(Status::Stale), in_state(Status::Error)] {
        if count > 0 {
            parts.push(format!(
                "{count} {}",
                if status == Status::Stale {
                    "stale"
                } else {
                    "with errors"
                }
            ));
        }
    }
    let look = printer.status_look();
    let tone = if synced == proxies.len() {
        Tone::Good
    } else {
        Tone::Warning
    };
    let states = look.paint(tone, parts.join(", ")).into_owned();
    printer.status(format_args!(
        "{} of {}: {states}; {}",
        counted_proxies(proxies.len()),
        counted(istiods.len(), "istiod"),
        versions(proxies)
    ));
}

fn counted_proxies(count: usize) -> String {
    if count == 1 {
        "1 proxy".to_owned()
    } else {
        format!("{count} proxies")
    }
}

/// How many proxies have which version.
fn versions(proxies: &[ProxyState]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for proxy in proxies.iter().filter(|proxy| !proxy.version.is_empty()) {
        *counts.entry(proxy.version.as_str()).or_default() += 1;
    }
    match counts.len() {
        0 => "no versions".to_owned(),
        1 => format!("version {}", counts.keys().next().copied().unwrap_or_default()),
        _ => {
            let each = counts
                .iter()
                .map(|(version, count)| format!("{version} ({count})"));
            format!("versions {}", each.collect::<Vec<_>>().join(", "))
        }
    }
}

/// Versions that Istio does not support together: a control plane may be one minor version ahead of its proxies, and
/// proxies may not be ahead of it ("Supported Releases" in Istio's documentation).
fn skew(istiods: &[Istiod], proxies: &[ProxyState]) -> Vec<String> {
    let versions: BTreeMap<&str, &str> = istiods
        .iter()
        .filter_map(|istiod| Some((istiod.name.as_str(), istiod.version.as_deref()?)))
        .collect();
    let mut found: BTreeSet<(&str, &str, bool)> = BTreeSet::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for proxy in proxies {
        let Some(control) = versions.get(proxy.istiod.as_str()) else {
            continue;
        };
        let (Some(has), Some(wants)) = (minor(&proxy.version), minor(control)) else {
            continue;
        };
        let is_ahead = has > wants;
        let is_behind = has.0 != wants.0 || has.1 + 1 < wants.1;
        if is_ahead || is_behind {
            found.insert((&proxy.version, control, is_ahead));
            *counts.entry(&proxy.version).or_default() += 1;
        }
    }
    let text = |(version, control, is_ahead): (&str, &str, bool)| {
        let count = counted_proxies(counts.get(version).copied().unwrap_or_default());
        if is_ahead {
            format!(
                "version {version} of {count} is ahead of the control plane's {control}: upgrade istiod first"
            )
        } else {
            format!(
                "version {version} of {count} is more than one minor version behind the control plane's {control}: restart the pods"
            )
        }
    };
    found.into_iter().map(text).collect()
}

/// What istiod would send to a proxy, against what that holds.
async fn compare(
    printer: &mut Printer,
    cluster: &Cluster,
    args: &ProxyStatusArgs,
    target: &Target,
) -> Result<Exit, CommandError> {
    let choice = ProxyArgs {
        selector: None,
        namespace: args.namespace.clone(),
        all_namespaces: false,
        proxy_admin_port: None,
    };
    let found = choice
        .find(printer, cluster, std::slice::from_ref(target))
        .await?;
    let [proxy] = found.as_slice() else {
        return Err(CommandError::user(format!("{target} is more than one proxy")));
    };
    let path = format!("/debug/config_dump?proxyID={proxy}&include_eds");
    let mut wanted = None;
    let mut trouble = None;
    for istiod in istiods(cluster, args).await? {
        // Only the istiod that the proxy is connected to knows it.
        match debug(cluster, &istiod, &path).await {
            Ok(dump) => {
                wanted = Some((istiod.pod, dump));
                break;
            }
            Err(error) => {
                trouble.get_or_insert(error);
            }
        }
    }
    let Some((istiod, wanted)) = wanted else {
        let reason = trouble.map_or_else(String::new, |error| format!(": {error}"));
        return Err(CommandError::user(format!("no istiod knows {proxy}{reason}"))
            .hinted("`meshctl proxy-status` lists the proxies that are connected"));
    };
    let mut answers =
        proxies::ask_all(cluster, &found, "/config_dump?include_eds", sync_difference::read).await;
    let held = match answers.pop() {
        Some(answer) => {
            answer?.map_err(|error| CommandError::user(format!("cannot understand {proxy}: {error}")))?
        }
        None => return Err(CommandError::user("no proxy was asked")),
    };
    let wanted = sync_difference::read(wanted.as_bytes())
        .map_err(|error| CommandError::user(format!("cannot understand {istiod}: {error}")))?;
    let (text, differs) = sync_difference::write(
        printer.look(),
        args.output.format != Format::Table && args.output.format != Format::Wide,
        (&istiod, &wanted),
        (&proxy.to_string(), &held),
    )?;
    printer.stdout().write_all(&text)?;
    if differs {
        Ok(Exit::Findings)
    } else {
        printer.status(format_args!("{proxy} holds what {istiod} would send"));
        Ok(Exit::Clean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(text: &str) -> Vec<ProxyState> {
        syncz::read(text, "istiod-1").unwrap()
    }

    #[test]
    fn versions_that_do_not_go_together_are_told() {
        let istiods = [Istiod {
            name: "istiod-1".to_owned(),
            version: Some("1.30.1".to_owned()),
        }];
        let of = |version: &str| {
            skew(
                &istiods,
                &proxies(&format!(r#"[{{"proxy": "a.b", "istio_version": "{version}"}}]"#)),
            )
        };
        assert_eq!(of("1.30.0"), Vec::<String>::new());
        assert_eq!(of("1.29.3-distroless"), Vec::<String>::new());
        assert!(of("1.28.0")[0].contains("more than one minor version behind"));
        assert!(of("1.31.0")[0].contains("is ahead of the control plane"));
        assert_eq!(version_in("1.30.1-6fd8bf-Clean"), Some("1.30.1".to_owned()));
    }

    #[test]
    fn the_exit_follows_the_worst_proxy() {
        let stale = proxies(r#"[{"proxy": "a.b", "cluster_sent": "1"}]"#);
        assert_eq!(FailOn::Never.exit(&stale), Exit::Clean);
        assert_eq!(FailOn::Stale.exit(&stale), Exit::Findings);
        assert_eq!(FailOn::Error.exit(&stale), Exit::Clean);
    }
}
