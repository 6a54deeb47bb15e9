//! `meshctl proxy-config`: what proxies hold.
//!
//! ```text
//! files, standard input ─┐                          ┌─ table, names, JSON, YAML
//!                        ├─► reader ─ listing ──────┤
//! pods ─ port-forward ───┘     (one pass, streamed) └─ difference of two
//! ```

mod difference;
mod listing;
mod log;
mod secrets;
pub(super) mod sync_difference;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use mesh_core::cluster::{BodyReader, Cluster, ErrorKind as ClusterErrorKind, Found, Target};
use mesh_envoy::dump::ReadError;
use mesh_envoy::summary::{ClusterFilter, EndpointFilter, ListenerFilter, ListenerType};
use serde_json::value::RawValue;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::proxies::{self, ProxyArgs};
use crate::ui::document::{self, FormatArgs};
use crate::ui::{Printer, Tone, table};
use crate::watch::{Watch, WatchArgs};
use listing::{Listing, View};

/// Show what proxies hold: listeners, routes, clusters, endpoints, certificates
///
/// Asks the admin interface of Envoys through the API server, or reads saved answers of it. Any Envoy will do; where
/// Istio's names and metadata are in its configuration, they are explained.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ProxyConfigArgs {
    #[command(subcommand)]
    what: What,
}

const EXAMPLES: &str = "\
Examples:
  Where the proxy of a pod sends requests for port 9080
    meshctl proxy-config routes productpage-v1-7f6c9.shop --name 9080

  The endpoints that all proxies of a workload have for a service
    meshctl pc endpoints -n shop -l app=productpage --cluster 'outbound|9080||reviews.shop.svc.cluster.local'

  A saved dump; no cluster is needed
    meshctl pc clusters -f config_dump.json --fqdn reviews

  What differs between two pods of one Deployment
    meshctl pc all --diff web-1.shop web-2.shop

  What changes from now on
    meshctl pc routes deploy/web --watch --diff

Exit status:
  0  done; with --diff: no difference
  1  with --diff: there are differences
  2  a proxy or file could not be read";

#[derive(Subcommand, Debug)]
enum What {
    /// Who the proxy is: node, versions
    #[command(alias = "b")]
    Bootstrap(BootstrapArgs),
    /// Clusters: the services that the proxy can send to
    #[command(visible_alias = "cluster", alias = "c")]
    Clusters(ClustersArgs),
    /// Listeners and their filter chains: what the proxy accepts, and where that goes
    #[command(visible_alias = "listener", alias = "l")]
    Listeners(ListenersArgs),
    /// Routes: which request goes to which cluster
    #[command(visible_alias = "route", alias = "r")]
    Routes(RoutesArgs),
    /// Endpoints: the addresses behind the clusters, and their health
    #[command(visible_aliases = ["endpoint", "ep"])]
    Endpoints(EndpointsArgs),
    /// Certificates: identity, issuer, and how long they are valid
    #[command(visible_alias = "secret", alias = "s")]
    Secrets(PlainArgs),
    /// Extension configurations that are discovered on their own
    #[command(alias = "ec")]
    Ecds(PlainArgs),
    /// All of these
    #[command(alias = "a")]
    All(PlainArgs),
    /// Read or set the levels of the proxy's log
    #[command(alias = "o")]
    Log(log::LogArgs),
}

#[derive(Args, Debug)]
struct BootstrapArgs {
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args, Debug)]
struct PlainArgs {
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args, Debug)]
struct ClustersArgs {
    /// Only clusters with this in their name
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    fqdn: Option<String>,

    /// Only clusters for this port of a service
    #[arg(long, value_name = "PORT", help_heading = "Filters")]
    port: Option<u16>,

    /// Only clusters for a subset with this in its name
    #[arg(long, value_name = "TEXT", help_heading = "Filters")]
    subset: Option<String>,

    /// Only clusters for one direction: inbound or outbound
    #[arg(long, value_name = "DIRECTION", help_heading = "Filters")]
    direction: Option<String>,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args, Debug)]
struct ListenersArgs {
    /// Only listeners on this address
    #[arg(long, value_name = "IP", help_heading = "Filters")]
    address: Option<String>,

    /// Only listeners on this port
    #[arg(long, value_name = "PORT", help_heading = "Filters")]
    port: Option<u16>,

    /// Only listeners that speak this
    #[arg(
        long = "type",
        value_name = "TYPE",
        value_enum,
        ignore_case = true,
        help_heading = "Filters"
    )]
    kind: Option<Speaks>,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    /// HTTP
    #[value(name = "HTTP")]
    Http,
    /// TCP
    #[value(name = "TCP")]
    Tcp,
    /// HTTP in some filter chains, TCP in others
    #[value(name = "HTTP+TCP")]
    HttpAndTcp,
    /// Anything else
    #[value(name = "UNKNOWN")]
    Unknown,
}

impl From<Speaks> for ListenerType {
    fn from(speaks: Speaks) -> Self {
        match speaks {
            Speaks::Http => Self::Http,
            Speaks::Tcp => Self::Tcp,
            Speaks::HttpAndTcp => Self::HttpAndTcp,
            Speaks::Unknown => Self::Unknown,
        }
    }
}

#[derive(Args, Debug)]
struct RoutesArgs {
    /// Only the route configuration of this name
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    name: Option<String>,

    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Args, Debug)]
struct EndpointsArgs {
    /// Only endpoints with this address
    #[arg(long, value_name = "IP", help_heading = "Filters")]
    address: Option<String>,

    /// Only endpoints with this port
    #[arg(long, value_name = "PORT", help_heading = "Filters")]
    port: Option<u16>,

    /// Only endpoints of the cluster with this name
    #[arg(long, value_name = "NAME", help_heading = "Filters")]
    cluster: Option<String>,

    /// Only endpoints with this health, such as healthy or unhealthy
    #[arg(long, value_name = "HEALTH", help_heading = "Filters")]
    status: Option<String>,

    #[command(flatten)]
    common: CommonArgs,
}

/// What all views have.
#[derive(Args, Debug)]
struct CommonArgs {
    /// Proxies: POD, deploy/NAME, svc/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME or gateway/NAME, each with
    /// .NAMESPACE if need be
    #[arg(value_name = "PROXY")]
    targets: Vec<Target>,

    /// Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)
    ///
    /// Of `config_dump` or `clusters?format=json`, whole or in part. No cluster is touched.
    #[arg(long, short, value_name = "FILE", conflicts_with = "watch")]
    file: Vec<PathBuf>,

    #[command(flatten)]
    output: FormatArgs<Format>,

    #[command(flatten)]
    watch: WatchArgs,

    /// Show what differs between two proxies or files; with --watch, from one look to the next
    #[arg(long, help_heading = "Output")]
    diff: bool,

    #[command(flatten)]
    proxies: ProxyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

impl CommonArgs {
    /// Whether they can stand for several proxies or files.
    fn are_plural(&self) -> bool {
        self.proxies.are_plural() || self.targets.len() + self.file.len() > 1
    }
}

/// The form of the output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// Rows and columns
    #[default]
    #[value(alias = "short")]
    Table,
    /// More columns
    Wide,
    /// Envoy's own JSON, unknown fields and all
    Json,
    /// The same as YAML
    Yaml,
    /// Names only
    Name,
}

/// Runs the command.
pub(crate) fn proxy_config(printer: &mut Printer, args: ProxyConfigArgs) -> Result<Exit, CommandError> {
    let ProxyConfigArgs { what } = args;
    let (view, common) = match what {
        What::Log(args) => return log::log(printer, &args),
        What::Bootstrap(BootstrapArgs { common }) => (View::Bootstrap, common),
        What::Secrets(PlainArgs { common }) => (View::Secrets, common),
        What::Ecds(PlainArgs { common }) => (View::Ecds, common),
        What::All(PlainArgs { common }) => (View::All, common),
        What::Routes(RoutesArgs { name, common }) => (View::Routes { name }, common),
        What::Clusters(ClustersArgs {
            fqdn,
            port,
            subset,
            direction,
            common,
        }) => (
            View::Clusters(ClusterFilter {
                fqdn,
                port,
                subset,
                direction,
            }),
            common,
        ),
        What::Listeners(ListenersArgs {
            address,
            port,
            kind,
            common,
        }) => {
            let filter = ListenerFilter {
                address,
                port: port.map(u32::from),
                kind: kind.map(ListenerType::from),
            };
            (View::Listeners(filter), common)
        }
        What::Endpoints(EndpointsArgs {
            address,
            port,
            cluster,
            status,
            common,
        }) => (
            View::Endpoints(EndpointFilter {
                address,
                port: port.map(u32::from),
                cluster,
                status,
            }),
            common,
        ),
    };
    show(printer, view, &common)
}

/// What one proxy or file holds.
#[derive(Debug)]
struct Held {
    /// What the user calls the proxy or file.
    name: String,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Rows, one list a section.
    Listings(Vec<Listing>),
    /// The whole dump as it is.
    Dump(Box<RawValue>),
}

/// How to read: what for, and which parts.
#[derive(Clone, Debug)]
struct Reading {
    view: View,
    format: Format,
    diff: bool,
}

impl Reading {
    /// Reads one answer to its end.
    fn read(&self, reader: impl std::io::Read) -> Result<Content, ReadError> {
        if matches!(self.view, View::All) && matches!(self.format, Format::Json | Format::Yaml) && !self.diff
        {
            return listing::whole(reader).map(Content::Dump);
        }
        let keep_json = self.diff || matches!(self.format, Format::Json | Format::Yaml);
        listing::read(&self.view, reader, self.format == Format::Wide, keep_json).map(Content::Listings)
    }
}

fn show(printer: &mut Printer, view: View, common: &CommonArgs) -> Result<Exit, CommandError> {
    let CommonArgs {
        targets,
        file,
        output,
        watch,
        diff,
        proxies,
        cluster,
    } = common;
    let reading = Reading {
        view,
        format: output.format,
        diff: *diff,
    };
    let is_plural = common.are_plural();
    let mut held = read_files(&reading, file)?;
    if targets.is_empty() && !proxies.are_plural() {
        if held.is_empty() {
            return Err(CommandError::user("which proxy?").hinted(
                "name one, such as `web-5d4f.shop` or `deploy/web`, or choose with `-l app=web`, or read a dump with \
                 `-f FILE`",
            ));
        }
        return present(printer, &reading, &held, is_plural);
    }
    watch.deadline(cluster).run(async |cluster| {
        if let Some(interval) = watch.watch {
            return watched(printer, &cluster, &reading, common, Watch::new(interval)).await;
        }
        let found = proxies.find(printer, &cluster, targets).await?;
        let (live, errors) = look(&cluster, &reading, &found).await?;
        for error in &errors {
            printer.error(error);
        }
        held.extend(live);
        let exit = present(printer, &reading, &held, is_plural)?;
        Ok(if errors.is_empty() { exit } else { Exit::Failed })
    })
}

fn read_files(reading: &Reading, files: &[PathBuf]) -> Result<Vec<Held>, CommandError> {
    files
        .iter()
        .map(|path| {
            let name = path.display().to_string();
            let read = if name == "-" {
                reading.read(std::io::stdin().lock())
            } else {
                let file = fs_err::File::open(path).map_err(|error| CommandError::user(error.to_string()))?;
                reading.read(file)
            };
            let content = read.map_err(|error| {
                CommandError::user(format!("cannot read `{name}`: {error}")).hinted(
                    "save one with `kubectl exec POD -c istio-proxy -- pilot-agent request GET config_dump`",
                )
            })?;
            Ok(Held { name, content })
        })
        .collect()
}

/// What to do about an admin interface that does not speak as Envoy's does.
const WHICH_PORT: &str = "is that the admin port of an Envoy? `--proxy-admin-port` says which it is";

/// Asks the proxies once: what those hold that answered, and why others did not. That the only one did not is an error.
async fn look(
    cluster: &Cluster,
    reading: &Reading,
    found: &[Found],
) -> Result<(Vec<Held>, Vec<CommandError>), CommandError> {
    let path = reading.view.path();
    let read = {
        let reading = reading.clone();
        move |body: BodyReader| reading.read(body)
    };
    let mut answers = proxies::ask_all(cluster, found, path, read.clone()).await;
    for (proxy, answer) in found.iter().zip(&mut answers) {
        // Envoy refuses a mask that leaves nothing of its dump; then there may be a reason to show nothing.
        if matches!(answer, Err(error) if error.message.contains("FieldMask")) {
            let again =
                proxies::ask_all(cluster, std::slice::from_ref(proxy), "/config_dump", read.clone()).await;
            if let Some(again) = again.into_iter().next() {
                *answer = again;
            }
        }
    }
    let mut held = Vec::new();
    let mut errors = Vec::new();
    for (proxy, answer) in found.iter().zip(answers) {
        let content = match answer {
            Ok(Ok(content)) => Ok(content),
            Ok(Err(error)) => Err(CommandError::user(format!(
                "cannot understand what {proxy} says: {error}"
            ))
            .hinted(WHICH_PORT)),
            Err(error) if error.kind == ClusterErrorKind::Refused => {
                Err(CommandError::from(error).hinted(WHICH_PORT))
            }
            Err(error) => Err(error.into()),
        };
        match content {
            Ok(content) => held.push(Held {
                name: proxy.to_string(),
                content,
            }),
            Err(error) if found.len() == 1 || reading.diff => return Err(error),
            Err(error) => errors.push(error),
        }
    }
    Ok((held, errors))
}

/// Looks again and again, and shows what is new. Ends with Ctrl-C. Pods that come and go are followed: those of a
/// selector at every look, those of a workload when the one that was watched does not answer any more.
async fn watched(
    printer: &mut Printer,
    cluster: &Cluster,
    reading: &Reading,
    common: &CommonArgs,
    mut watch: Watch,
) -> Result<Exit, CommandError> {
    let CommonArgs { targets, proxies, .. } = common;
    let mut found = Vec::new();
    let mut before: Option<Vec<Held>> = None;
    loop {
        let looked = async {
            if found.is_empty() || proxies.are_plural() || watch.is_troubled() {
                let (now, remarks) = proxies.choose(cluster, targets).await?;
                if reading.diff && now.len() != 1 {
                    let message = "the changes of one proxy can be watched at a time";
                    return Err(CommandError::user(message));
                }
                if now != found {
                    for remark in remarks {
                        printer.note(remark);
                    }
                    found = now;
                }
            }
            look(cluster, reading, &found).await
        };
        let looked = looked.await;
        if let Some(held) = watch.seen(printer, looked)? {
            let mut text = Vec::new();
            let is_news = if reading.diff {
                if let Some(before) = &before
                    && let ([old], [new]) = (before.as_slice(), held.as_slice())
                {
                    difference::write(&mut text, printer.look(), reading.format, old, new)?;
                } else {
                    watch.is_news(&[]);
                    printer.status(format_args!("watching {} …", found[0]));
                }
                !text.is_empty()
            } else {
                render(&mut text, printer, reading, &held, common.are_plural())?;
                watch.is_news(&text)
            };
            if is_news {
                if matches!(reading.format, Format::Table | Format::Wide) {
                    let now = jiff::Timestamp::now();
                    let heading = format!("-- {now:.0}");
                    let heading = printer.look().paint(Tone::Strong, heading).into_owned();
                    writeln!(printer.stdout(), "{heading}")?;
                }
                printer.stdout().write_all(&text)?;
                printer.finish()?;
            }
            before = Some(held);
        }
        watch.pause().await;
    }
}

fn present(
    printer: &mut Printer,
    reading: &Reading,
    held: &[Held],
    is_plural: bool,
) -> Result<Exit, CommandError> {
    let mut text = Vec::new();
    let exit = if reading.diff {
        let [old, new] = held else {
            return Err(CommandError::user(format!(
                "a difference is between two proxies or files; here {}",
                match held.len() {
                    1 => "is one".to_owned(),
                    count => format!("are {count}"),
                }
            )));
        };
        if difference::write(&mut text, printer.look(), reading.format, old, new)? {
            Exit::Findings
        } else {
            printer.status(format_args!("{} and {} hold the same", old.name, new.name));
            Exit::Clean
        }
    } else {
        render(&mut text, printer, reading, held, is_plural)?;
        Exit::Clean
    };
    printer.stdout().write_all(&text)?;
    if !reading.diff {
        remark(printer, held, is_plural);
    }
    Ok(exit)
}

/// What should not be overlooked: refused configuration, and certificates that run out.
fn remark(printer: &mut Printer, held: &[Held], is_plural: bool) {
    for Held { name, content } in held {
        let Content::Listings(listings) = content else {
            continue;
        };
        if listings.iter().all(|listing| listing.entries.is_empty()) {
            let titles: Vec<_> = listings.iter().map(|listing| listing.title).collect();
            printer.note(format_args!("{name} has no such {}", titles.join(", ")));
        }
        for listing in listings {
            for remark in listing.remarks() {
                let remark = if is_plural {
                    format!("{name}: {remark}")
                } else {
                    remark
                };
                printer.warning(&CommandError::user(remark));
            }
        }
    }
}

fn render(
    out: &mut Vec<u8>,
    printer: &Printer,
    reading: &Reading,
    held: &[Held],
    is_plural: bool,
) -> Result<(), CommandError> {
    match reading.format {
        Format::Table | Format::Wide => tables(out, printer, held, is_plural),
        Format::Name => names(out, held, is_plural)?,
        Format::Json => document::json(out, &value(&reading.view, held, is_plural)?)?,
        Format::Yaml => document::yaml(out, &value(&reading.view, held, is_plural)?)?,
    }
    Ok(())
}

/// One table a section, the rows of all proxies together.
fn tables(out: &mut Vec<u8>, printer: &Printer, held: &[Held], is_plural: bool) {
    let by_proxy: Vec<(&str, &[Listing])> = held
        .iter()
        .filter_map(|held| match &held.content {
            Content::Listings(listings) => Some((held.name.as_str(), listings.as_slice())),
            Content::Dump(_) => None,
        })
        .collect();
    let sections = by_proxy
        .iter()
        .map(|(_, listings)| listings.len())
        .max()
        .unwrap_or_default();
    for section in 0..sections {
        let of_section: Vec<(&str, &Listing)> = by_proxy
            .iter()
            .filter_map(|(name, listings)| Some((*name, listings.get(section)?)))
            .collect();
        let Some((_, first)) = of_section.first() else {
            continue;
        };
        let mut headings: Vec<&str> = first.headings.clone();
        if is_plural {
            headings.insert(0, "PROXY");
        }
        let rows: Vec<Vec<String>> = of_section
            .iter()
            .flat_map(|(name, listing)| {
                let rows = listing.entries.iter().flat_map(|entry| &entry.rows);
                rows.map(move |row| {
                    let proxy = is_plural.then(|| (*name).to_owned());
                    proxy.into_iter().chain(row.iter().cloned()).collect()
                })
            })
            .collect();
        if sections > 1 {
            if rows.is_empty() {
                continue;
            }
            if !out.is_empty() {
                out.push(b'\n');
            }
            let heading = printer.look().paint(Tone::Strong, first.title.to_uppercase());
            out.extend_from_slice(heading.as_bytes());
            out.push(b'\n');
        }
        out.extend_from_slice(table::table(printer.look(), &headings, &rows).as_bytes());
    }
}

fn names(out: &mut Vec<u8>, held: &[Held], is_plural: bool) -> Result<(), CommandError> {
    for Held { name: proxy, content } in held {
        let Content::Listings(listings) = content else {
            continue;
        };
        for listing in listings {
            for entry in &listing.entries {
                if is_plural {
                    write!(out, "{proxy}\t")?;
                }
                if listings.len() > 1 {
                    write!(out, "{}/", listing.title)?;
                }
                writeln!(out, "{}", entry.name)?;
            }
        }
    }
    Ok(())
}

/// The resources as a list, or the bootstrap configuration alone; of several proxies, an object of such lists by the proxies' names.
fn value(view: &View, held: &[Held], is_plural: bool) -> Result<serde_json::Value, CommandError> {
    let one = |held: &Held| -> Result<serde_json::Value, CommandError> {
        let parse = |json: &RawValue| serde_json::from_str(json.get());
        let value = match &held.content {
            Content::Dump(json) => parse(json),
            // A proxy has just one.
            Content::Listings(listings) if matches!(view, View::Bootstrap) => {
                let mut entries = listings.iter().flat_map(|listing| &listing.entries);
                entries
                    .find_map(|entry| entry.json.as_deref())
                    .map_or(Ok(serde_json::Value::Null), parse)
            }
            Content::Listings(listings) => listings
                .iter()
                .flat_map(|listing| &listing.entries)
                .filter_map(|entry| entry.json.as_deref())
                .map(parse)
                .collect::<Result<Vec<serde_json::Value>, _>>()
                .map(serde_json::Value::Array),
        };
        Ok(value.map_err(std::io::Error::from)?)
    };
    if !is_plural && let [held] = held {
        return one(held);
    }
    let all = held.iter().map(|held| Ok((held.name.clone(), one(held)?)));
    Ok(serde_json::Value::Object(
        all.collect::<Result<_, CommandError>>()?,
    ))
}
