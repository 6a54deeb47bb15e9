//! `meshctl.toml`: what a project wants every time.
//!
//! The file is looked for in the current folder and then in its parents; the first one found counts alone. Arguments
//! win over it. Names of files and patterns in it are relative to its folder.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use mesh_analyze::{Rule, RuleSet, Severity};
use mesh_core::schema::validate::closest;
use mesh_core::source::files::{self, Exclude};
use mesh_yaml::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::commands::analyze::FailOn;
use crate::error::CommandError;

/// The name of the file.
const FILE_NAME: &str = "meshctl.toml";

/// Settings of a project. Everything is optional.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The table `analyze`.
    pub(crate) analyze: AnalyzeConfig,
}

/// Settings of `meshctl analyze`.
#[derive(Debug, Default)]
pub(crate) struct AnalyzeConfig {
    /// The only rules to run.
    pub(crate) select: Option<Vec<String>>,
    /// Rules not to run.
    pub(crate) ignore: Option<Vec<String>>,
    /// From which severity on findings fail the command.
    pub(crate) fail_on: Option<FailOn>,
    /// The namespace of objects that name none.
    pub(crate) namespace: Option<String>,
    /// The file with the mesh-wide configuration.
    pub(crate) mesh_config: Option<PathBuf>,
    /// The file with the networks of the mesh.
    pub(crate) mesh_networks: Option<PathBuf>,
    /// The namespace of the control plane.
    pub(crate) istio_namespace: Option<String>,
    /// The DNS domain of the cluster.
    pub(crate) cluster_domain: Option<String>,
    /// What to leave out of folders.
    pub(crate) exclude: Option<Exclude>,
    /// Severities to use instead of the rules' own; `None` switches a rule off.
    pub(crate) severity: Vec<(&'static Rule, Option<Severity>)>,
}

impl Config {
    /// Reads `file`, or else the file of the project that `folder` is in. No file is an empty one.
    pub(crate) fn load(file: Option<&Path>, folder: &Path) -> Result<Self, CommandError> {
        let found = match file {
            Some(file) => Some(file.to_owned()),
            None => folder
                .ancestors()
                .map(|folder| folder.join(FILE_NAME))
                .find(|candidate| candidate.is_file()),
        };
        let Some(path) = found else {
            return Ok(Self::default());
        };
        // Shown as short as it can be typed.
        let shown = path.strip_prefix(folder).unwrap_or(&path);
        let name = files::display_name(shown);
        let text = files::read_text(&path)
            .map_err(|reason| CommandError::user(format!("cannot read `{name}`: {reason}")))?;
        let base = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Reader { name, text, base }.config()
    }
}

/// A key and its value.
type Entry<'t, 'i> = (&'t Spanned<std::borrow::Cow<'i, str>>, &'t Spanned<DeValue<'i>>);

/// Reads the text of one file.
struct Reader {
    name: String,
    text: Arc<str>,
    base: PathBuf,
}

impl Reader {
    fn config(&self) -> Result<Config, CommandError> {
        let table = DeTable::parse(&self.text).map_err(|error| {
            let message = format!("invalid TOML: {}", error.message().replace('\n', ", "));
            self.error(message, error.span().unwrap_or_default())
        })?;
        let mut config = Config::default();
        for (key, value) in table.get_ref() {
            match key.get_ref().as_ref() {
                "analyze" => config.analyze = self.analyze(self.table(key.get_ref(), value)?)?,
                _ => return Err(self.unknown_key(key, &["analyze"])),
            }
        }
        Ok(config)
    }

    fn analyze(&self, table: &DeTable<'_>) -> Result<AnalyzeConfig, CommandError> {
        const KEYS: [&str; 10] = [
            "select",
            "ignore",
            "fail-on",
            "namespace",
            "mesh-config",
            "mesh-networks",
            "istio-namespace",
            "cluster-domain",
            "exclude",
            "severity",
        ];
        let mut config = AnalyzeConfig::default();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let text = || self.text_value(name, value).map(str::to_owned);
            match name {
                "select" => config.select = Some(self.rules(name, value)?),
                "ignore" => config.ignore = Some(self.rules(name, value)?),
                "fail-on" => config.fail_on = Some(self.fail_on(value)?),
                "namespace" => config.namespace = Some(text()?),
                "mesh-config" => config.mesh_config = Some(self.base.join(text()?)),
                "mesh-networks" => config.mesh_networks = Some(self.base.join(text()?)),
                "istio-namespace" => config.istio_namespace = Some(text()?),
                "cluster-domain" => config.cluster_domain = Some(text()?),
                "exclude" => config.exclude = Some(self.exclude(name, value)?),
                "severity" => {
                    let entries = self.table(name, value)?.iter();
                    config.severity = entries
                        .map(|entry| self.severity(entry))
                        .collect::<Result<_, _>>()?;
                }
                _ => return Err(self.unknown_key(key, &KEYS)),
            }
        }
        Ok(config)
    }

    fn rules(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<String>, CommandError> {
        let mut rules = Vec::new();
        for (rule, span) in self.texts(name, value)? {
            let names = [rule];
            RuleSet::new(&names, &[]).map_err(|unknown| {
                self.error(unknown.to_string(), span)
                    .hinted(unknown_rule_hint(unknown.suggestion))
            })?;
            rules.extend(names);
        }
        Ok(rules)
    }

    fn fail_on(&self, value: &Spanned<DeValue<'_>>) -> Result<FailOn, CommandError> {
        let text = self.text_value("fail-on", value)?;
        FailOn::from_str(text, false).map_err(|_| {
            let known: Vec<_> = FailOn::value_variants()
                .iter()
                .filter_map(FailOn::to_possible_value)
                .map(|value| value.get_name().to_owned())
                .collect();
            self.error(format!("`{text}` is not a value of `fail-on`"), value.span())
                .hinted(format!("valid values are {}", known.join(", ")))
        })
    }

    fn exclude(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<Exclude, CommandError> {
        let (patterns, spans): (Vec<_>, Vec<_>) = self.texts(name, value)?.into_iter().unzip();
        let base = if self.base.as_os_str().is_empty() {
            Path::new(".")
        } else {
            &self.base
        };
        Exclude::new(base, &patterns).map_err(|(index, reason)| {
            let span = spans.get(index).cloned().unwrap_or_else(|| value.span());
            self.error(format!("invalid pattern: {reason}"), span)
        })
    }

    fn severity(
        &self,
        (key, value): Entry<'_, '_>,
    ) -> Result<(&'static Rule, Option<Severity>), CommandError> {
        let name = key.get_ref().as_ref();
        let Some(rule) = mesh_analyze::by_name(name) else {
            let suggestion = closest(name, mesh_analyze::RULES.iter().map(|rule| rule.name));
            return Err(self
                .error(format!("no rule is named `{name}`"), key.span())
                .hinted(unknown_rule_hint(suggestion)));
        };
        let text = self.text_value(name, value)?;
        if text == "off" {
            return Ok((rule, None));
        }
        match Severity::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
        {
            Some(severity) => Ok((rule, Some(severity))),
            None => Err(self
                .error(format!("`{text}` is not a severity"), value.span())
                .hinted("valid values are error, warning, info, off")),
        }
    }

    fn table<'t, 'i>(
        &self,
        key: &str,
        value: &'t Spanned<DeValue<'i>>,
    ) -> Result<&'t DeTable<'i>, CommandError> {
        value
            .get_ref()
            .as_table()
            .ok_or_else(|| self.wrong_type(key, "a table", value))
    }

    fn text_value<'t>(&self, key: &str, value: &'t Spanned<DeValue<'_>>) -> Result<&'t str, CommandError> {
        value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.wrong_type(key, "a string", value))
    }

    fn texts(
        &self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Vec<(String, Range<usize>)>, CommandError> {
        let wrong = |value| self.wrong_type(key, "a list of strings", value);
        let items = value.get_ref().as_array().ok_or_else(|| wrong(value))?;
        items
            .iter()
            .map(|item| match item.get_ref().as_str() {
                Some(text) => Ok((text.to_owned(), item.span())),
                None => Err(wrong(item)),
            })
            .collect()
    }

    fn wrong_type(&self, key: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> CommandError {
        let found = value.get_ref().type_str();
        self.error(format!("`{key}` must be {expected}, found {found}"), value.span())
    }

    fn unknown_key(&self, key: &Spanned<std::borrow::Cow<'_, str>>, known: &[&str]) -> CommandError {
        let name = key.get_ref();
        let hint = match closest(name, known.iter().copied()) {
            Some(suggestion) => format!("did you mean `{suggestion}`?"),
            None => format!("keys here are {}", known.join(", ")),
        };
        self.error(format!("unknown key `{name}`"), key.span())
            .hinted(hint)
    }

    fn error(&self, message: impl Into<String>, span: Range<usize>) -> CommandError {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span::new(offset(span.start), offset(span.end));
        CommandError::user(message).at(self.name.as_str(), &self.text, span)
    }
}

/// What to say to someone who misspelt a rule.
pub(crate) fn unknown_rule_hint(suggestion: Option<String>) -> String {
    match suggestion {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`meshctl explain` lists all rules".to_owned(),
    }
}
