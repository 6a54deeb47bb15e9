//! `meshctl proxy-config log`: the levels of a proxy's log.

use std::collections::BTreeMap;
use std::io::Write;

use clap::{Args, ValueEnum};
use futures::StreamExt;
use mesh_core::cluster::{Cluster, ClusterError, Found, Method, Target};
use mesh_core::schema::validate::closest;

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::proxies::{ProxyArgs, admin};
use crate::ui::document::{self, FormatArgs};
use crate::ui::{Printer, Tone, table};

/// Envoy's levels, the most talkative first.
const LEVELS: [&str; 7] = ["trace", "debug", "info", "warning", "error", "critical", "off"];

#[derive(Args, Debug)]
pub(super) struct LogArgs {
    /// Proxies: POD, deploy/NAME, svc/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME or gateway/NAME, each with
    /// .NAMESPACE if need be
    #[arg(value_name = "PROXY")]
    targets: Vec<Target>,

    /// Levels to set: LEVEL for all loggers, or LOGGER:LEVEL (comma-separated, can be repeated)
    ///
    /// Levels are trace, debug, info, warning, error, critical and off.
    #[arg(
        long,
        value_name = "[LOGGER:]LEVEL",
        value_delimiter = ',',
        conflicts_with = "reset"
    )]
    level: Vec<String>,

    /// Set the levels that the pod started with
    #[arg(long, short)]
    reset: bool,

    #[command(flatten)]
    output: FormatArgs<LogFormat>,

    #[command(flatten)]
    proxies: ProxyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

/// The form of the levels.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LogFormat {
    /// Rows and columns
    #[default]
    #[value(alias = "short")]
    Table,
    /// An object of levels by logger, for each proxy
    Json,
    /// The same as YAML
    Yaml,
}

/// The levels by the names of their loggers.
type Levels = BTreeMap<String, String>;

/// Runs the command.
pub(super) fn log(printer: &mut Printer, args: &LogArgs) -> Result<Exit, CommandError> {
    let LogArgs {
        targets,
        level,
        reset,
        output,
        proxies,
        cluster,
    } = args;
    if targets.is_empty() && !proxies.are_plural() {
        return Err(
            CommandError::user("which proxy?").hinted("name one, such as `deploy/web`, or choose with `-l`")
        );
    }
    let change = Change::parse(level)?;
    cluster.run(async |cluster| {
        let found = proxies.find(printer, &cluster, targets).await?;
        let asks = found.iter().map(|proxy| {
            let change = if *reset {
                Change::reset(proxy)
            } else {
                change.clone()
            };
            let cluster = &cluster;
            async move { change.apply(cluster, proxy).await }
        });
        let answers: Vec<_> = futures::stream::iter(asks).buffered(8).collect().await;
        let mut levels: BTreeMap<String, Levels> = BTreeMap::new();
        let mut exit = Exit::Clean;
        for (proxy, answer) in found.iter().zip(answers) {
            match answer {
                Ok(answer) => {
                    levels.insert(proxy.to_string(), answer);
                }
                Err(error) if found.len() == 1 => return Err(error.into()),
                Err(error) => {
                    printer.error(&error.into());
                    exit = Exit::Failed;
                }
            }
        }
        write(printer, output.format, &levels)?;
        Ok(exit)
    })
}

fn write(
    printer: &mut Printer,
    format: LogFormat,
    levels: &BTreeMap<String, Levels>,
) -> Result<(), CommandError> {
    let look = printer.look();
    let out = printer.stdout();
    match format {
        LogFormat::Json => document::json(out, levels)?,
        LogFormat::Yaml => document::yaml(out, levels)?,
        LogFormat::Table => {
            for (number, (proxy, levels)) in levels.iter().enumerate() {
                if number > 0 {
                    writeln!(out)?;
                }
                writeln!(out, "{}", look.paint(Tone::Strong, proxy.as_str()))?;
                let rows: Vec<_> = levels
                    .iter()
                    .map(|(name, level)| vec![name.clone(), level.clone()])
                    .collect();
                write!(out, "{}", table::table(look, &["LOGGER", "LEVEL"], &rows))?;
            }
        }
    }
    Ok(())
}

/// What to do to the levels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Change {
    /// The level of all loggers, set first.
    all: Option<String>,
    /// Levels of single loggers.
    some: Levels,
}

impl Change {
    fn parse(texts: &[String]) -> Result<Self, CommandError> {
        let mut change = Self::default();
        for text in texts {
            let (logger, level) = match text.rsplit_once(':') {
                Some((logger, level)) => (Some(logger), level),
                None => (None, text.as_str()),
            };
            let level = level.to_ascii_lowercase();
            // Envoy's own short form, which istioctl takes too.
            let level = if level == "warn" {
                "warning".to_owned()
            } else {
                level
            };
            if !LEVELS.contains(&level.as_str()) {
                let hint =
                    closest(&level, LEVELS.into_iter()).map(|level| format!("did you mean `{level}`?"));
                return Err(
                    CommandError::user(format!("`{level}` is no level of Envoy's log"))
                        .hinted(hint.unwrap_or_else(|| format!("levels are {}", LEVELS.join(", ")))),
                );
            }
            match logger {
                None => change.all = Some(level),
                Some(logger)
                    if logger
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c)) =>
                {
                    change.some.insert(logger.to_owned(), level);
                }
                Some(logger) => {
                    return Err(CommandError::user(format!(
                        "`{logger}` cannot be the name of a logger"
                    )));
                }
            }
        }
        Ok(change)
    }

    /// Back to what the pod's arguments say.
    fn reset(proxy: &Found) -> Self {
        Self::parse(&proxy.log_levels).unwrap_or_default()
    }

    async fn apply(&self, cluster: &Cluster, proxy: &Found) -> Result<Levels, ClusterError> {
        let at = admin(proxy);
        if let Some(level) = &self.all {
            cluster
                .pod_text(&at, Method::POST, &format!("/logging?level={level}"))
                .await?;
        }
        if !self.some.is_empty() {
            let paths: Vec<_> = self
                .some
                .iter()
                .map(|(name, level)| format!("{name}:{level}"))
                .collect();
            let path = format!("/logging?paths={}", paths.join(","));
            cluster.pod_text(&at, Method::POST, &path).await?;
        }
        let text = cluster.pod_text(&at, Method::POST, "/logging").await?;
        Ok(read_levels(&text))
    }
}

/// Reads Envoy's list: a heading, and a line `  name: level` each.
fn read_levels(text: &str) -> Levels {
    let lines = text.lines().filter(|line| line.starts_with(' '));
    lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, level)| (name.trim().to_owned(), level.trim().to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(texts: &[&str]) -> Result<Change, CommandError> {
        Change::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn levels_are_for_all_loggers_or_one() {
        let change = parse(&["warn", "http:DEBUG"]).unwrap();
        assert_eq!(change.all.as_deref(), Some("warning"));
        assert_eq!(change.some["http"], "debug");
        let error = parse(&["http:debgu"]).unwrap_err();
        assert_eq!(error.hints, ["did you mean `debug`?"]);
        assert!(parse(&["a&b:info"]).is_err());
    }

    #[test]
    fn the_list_of_envoy_is_read() {
        let levels = read_levels("active loggers:\n  admin: warning\n  http: debug\n");
        assert_eq!(levels.len(), 2);
        assert_eq!(levels["http"], "debug");
    }
}
