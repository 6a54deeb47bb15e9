//! Reads what Envoy's admin port says: `config_dump`, in parts or whole, and `clusters?format=json`.
//!
//! [`read`] finds the elements of the wanted sections (a cluster, a listener, …) and hands them out one at a time, so
//! that a view of a 100 MB dump holds only its own rows. [`collect`] decodes them.
//!
//! A config dump is `{"configs": [{"@type": "…ClustersConfigDump", "dynamic_active_clusters": […]}, …]}`; see
//! `envoy/admin/v3/config_dump_shared.proto`. Names may be in snake_case or lowerCamelCase.

use std::io::Read;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::proto::{self, Any, message_name};
use crate::scan::{ScanError, Scanner};

/// Why a dump cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read, or is not JSON.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// An element of it is not what its section says.
    #[error("byte {offset}: {section} cannot be decoded: {message}")]
    Element {
        /// The section that it is in.
        section: &'static str,
        /// Bytes from the start of the input to the fault.
        offset: u64,
        /// What the decoder says.
        message: String,
    },
    /// It is JSON, but nothing that Envoy's admin port says.
    #[error(
        "this is neither a config dump (`configs`) nor the answer of `/clusters?format=json` (`cluster_statuses`)"
    )]
    NotADump,
}

/// What a part of a dump is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The bootstrap configuration; one element.
    Bootstrap,
    /// Listeners.
    Listeners,
    /// Route configurations.
    Routes,
    /// Scoped route configurations.
    ScopedRoutes,
    /// Clusters.
    Clusters,
    /// Cluster load assignments; there only with `include_eds`.
    Endpoints,
    /// Certificates and keys, the latter redacted.
    Secrets,
    /// Extension configurations that were discovered on their own.
    Ecds,
    /// Clusters with the state of their hosts, of `/clusters?format=json`.
    ClusterStatuses,
}

impl Section {
    /// The name for messages and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bootstrap => "bootstrap",
            Self::Listeners => "listener",
            Self::Routes => "route configuration",
            Self::ScopedRoutes => "scoped route configuration",
            Self::Clusters => "cluster",
            Self::Endpoints => "endpoint",
            Self::Secrets => "secret",
            Self::Ecds => "extension configuration",
            Self::ClusterStatuses => "cluster status",
        }
    }
}

/// How far Envoy has come with a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// From the bootstrap or a file: in use.
    Static,
    /// From the control plane, and in use.
    Active,
    /// From the control plane, and waiting for what it refers to.
    Warming,
    /// About to go; connections that are open still use it.
    Draining,
}

impl State {
    /// The name for tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::Active => "ACTIVE",
            Self::Warming => "WARMING",
            Self::Draining => "DRAINING",
        }
    }
}

/// A list in a config dump: the message and the field that it is in, and what its elements are.
type Field = (&'static str, &'static str, Section, State);

/// The lists of the sections of a config dump.
#[rustfmt::skip]
const FIELDS: &[Field] = &[
    ("BootstrapConfigDump", "bootstrap", Section::Bootstrap, State::Static),
    ("ListenersConfigDump", "static_listeners", Section::Listeners, State::Static),
    ("ListenersConfigDump", "dynamic_listeners", Section::Listeners, State::Active),
    ("RoutesConfigDump", "static_route_configs", Section::Routes, State::Static),
    ("RoutesConfigDump", "dynamic_route_configs", Section::Routes, State::Active),
    ("ScopedRoutesConfigDump", "inline_scoped_route_configs", Section::ScopedRoutes, State::Static),
    ("ScopedRoutesConfigDump", "dynamic_scoped_route_configs", Section::ScopedRoutes, State::Active),
    ("ClustersConfigDump", "static_clusters", Section::Clusters, State::Static),
    ("ClustersConfigDump", "dynamic_active_clusters", Section::Clusters, State::Active),
    ("ClustersConfigDump", "dynamic_warming_clusters", Section::Clusters, State::Warming),
    ("EndpointsConfigDump", "static_endpoint_configs", Section::Endpoints, State::Static),
    ("EndpointsConfigDump", "dynamic_endpoint_configs", Section::Endpoints, State::Active),
    ("SecretsConfigDump", "static_secrets", Section::Secrets, State::Static),
    ("SecretsConfigDump", "dynamic_active_secrets", Section::Secrets, State::Active),
    ("SecretsConfigDump", "dynamic_warming_secrets", Section::Secrets, State::Warming),
    ("EcdsConfigDump", "ecds_filters", Section::Ecds, State::Active),
];

/// The row of [`FIELDS`] of a field, whichever case its name is in.
fn field(name: &str) -> Option<&'static Field> {
    let name = proto::snake_case(name);
    FIELDS.iter().find(|(_, field, ..)| *field == name)
}

/// One element of a section, undecoded.
#[derive(Clone, Copy, Debug)]
pub struct Element<'a> {
    /// The section that it is in.
    pub section: Section,
    /// What the list that it is in says; a dynamic listener tells more in its own fields.
    pub state: State,
    /// Bytes from the start of the input.
    pub offset: u64,
    /// Its JSON, as in the dump: the resource in its wrapper.
    pub json: &'a [u8],
}

/// A resource of a dump, and what Envoy says of it.
#[derive(Clone, Debug)]
pub struct Item<T> {
    /// The section that it is in.
    pub section: Section,
    /// How far Envoy has come with it.
    pub state: State,
    /// The control plane's version of it; empty for static resources.
    pub version: String,
    /// When Envoy took it, in RFC 3339; empty if unknown.
    pub last_updated: String,
    /// The resource itself.
    pub resource: T,
}

/// A resource that Envoy refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The section that it is in.
    pub section: Section,
    /// Its name, where Envoy tells it.
    pub name: String,
    /// The version that was refused; empty if unknown.
    pub version: String,
    /// When, in RFC 3339; empty if unknown.
    pub last_attempt: String,
    /// Envoy's reason.
    pub details: String,
}

/// The decoded resources of one or more sections.
#[derive(Clone, Debug)]
pub struct Items<T> {
    /// In the order of the dump.
    pub items: Vec<Item<T>>,
    /// Refused updates; what is in `items` is still in use instead.
    pub rejected: Vec<Rejected>,
}

/// A resource and the JSON that it was decoded from.
#[derive(Clone, Debug)]
pub struct WithJson<T> {
    /// The decoded resource.
    pub resource: T,
    /// Its JSON as in the dump.
    pub json: Box<RawValue>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for WithJson<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let resource = proto::from_slice(json.get().as_bytes()).map_err(serde::de::Error::custom)?;
        Ok(Self { resource, json })
    }
}

/// `envoy.admin.v3.UpdateFailureState`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct UpdateFailure {
    failed_configuration: Option<Any>,
    last_update_attempt: String,
    details: String,
    version_info: String,
}

/// The wrapper of any resource in a config dump.
#[derive(Deserialize)]
#[serde(default, bound = "T: Deserialize<'de>")]
struct Wrapper<T> {
    /// Of dynamic listeners.
    name: String,
    version_info: String,
    last_updated: String,
    #[serde(
        alias = "cluster",
        alias = "listener",
        alias = "route_config",
        alias = "endpoint_config",
        alias = "secret",
        alias = "ecds_filter"
    )]
    resource: Option<T>,
    active_state: Option<Box<Wrapper<T>>>,
    warming_state: Option<Box<Wrapper<T>>>,
    draining_state: Option<Box<Wrapper<T>>>,
    error_state: Option<UpdateFailure>,
}

impl<T> Default for Wrapper<T> {
    fn default() -> Self {
        Self {
            name: String::new(),
            version_info: String::new(),
            last_updated: String::new(),
            resource: None,
            active_state: None,
            warming_state: None,
            draining_state: None,
            error_state: None,
        }
    }
}

impl Element<'_> {
    /// Decodes the element as `T` through protobuf's JSON mapping.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, ReadError> {
        proto::from_slice(self.json).map_err(|error| ReadError::Element {
            section: self.section.name(),
            offset: self.offset + offset_of(self.json, error.line(), error.column()),
            message: without_position(&error),
        })
    }

    /// Decodes the resources in the element, each as `T`, and adds them.
    pub fn decode_into<T: DeserializeOwned>(&self, to: &mut Items<T>) -> Result<(), ReadError> {
        let section = self.section;
        if matches!(
            section,
            Section::Bootstrap | Section::ClusterStatuses | Section::ScopedRoutes
        ) {
            // These have no wrapper, or one that is a part of the resource.
            to.items.push(Item {
                section,
                state: self.state,
                version: String::new(),
                last_updated: String::new(),
                resource: self.decode()?,
            });
            return Ok(());
        }
        let wrapper: Wrapper<T> = self.decode()?;
        if let Some(error) = wrapper.error_state {
            let failed = error.failed_configuration.as_ref();
            let failed = failed
                .and_then(|any| any.decode::<Named>().ok())
                .unwrap_or_default();
            let name = if wrapper.name.is_empty() {
                failed.name()
            } else {
                wrapper.name
            };
            to.rejected.push(Rejected {
                section,
                name,
                version: error.version_info,
                last_attempt: error.last_update_attempt,
                details: error.details,
            });
        }
        let states = [
            (self.state, wrapper.active_state.map(|state| *state)),
            (State::Warming, wrapper.warming_state.map(|state| *state)),
            (State::Draining, wrapper.draining_state.map(|state| *state)),
        ];
        let whole = Wrapper {
            version_info: wrapper.version_info,
            last_updated: wrapper.last_updated,
            resource: wrapper.resource,
            ..Wrapper::default()
        };
        for (state, wrapper) in std::iter::once((self.state, Some(whole))).chain(states) {
            if let Some(Wrapper {
                version_info,
                last_updated,
                resource: Some(resource),
                ..
            }) = wrapper
            {
                to.items.push(Item {
                    section,
                    state,
                    version: version_info,
                    last_updated,
                    resource,
                });
            }
        }
        Ok(())
    }
}

/// What names a resource: most have a `name`, load assignments a `cluster_name`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Named {
    name: String,
    cluster_name: String,
}

impl Named {
    pub(crate) fn name(self) -> String {
        if self.name.is_empty() {
            self.cluster_name
        } else {
            self.name
        }
    }
}

/// The byte that serde_json means by a line and column, both from 1.
fn offset_of(text: &[u8], line: usize, column: usize) -> u64 {
    let start = match line {
        0 | 1 => 0,
        _ => memchr::memchr_iter(b'\n', text)
            .nth(line - 2)
            .map_or(0, |at| at + 1),
    };
    (start + column.saturating_sub(1)) as u64
}

/// serde_json's message without the line and column, which count from the element's start.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&position).unwrap_or(&text).to_owned()
}

/// Decodes the resources of one section.
///
/// `T` decides what is kept: `Box<RawValue>` for the JSON as it is, a summary of [`crate::summary`] for the rows of a
/// table, [`WithJson`] for both.
pub fn collect<T: DeserializeOwned>(reader: impl Read, section: Section) -> Result<Items<T>, ReadError> {
    let mut items = Items::default();
    read(reader, &[section], |element| element.decode_into(&mut items))?;
    Ok(items)
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            rejected: Vec::new(),
        }
    }
}

/// Hands out the elements of the wanted sections, in the order of the dump.
///
/// The whole input is read, but only a window of it is held: as much as its largest wanted element.
pub fn read(
    reader: impl Read,
    wanted: &[Section],
    mut visit: impl FnMut(Element<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut scanner = Scanner::new(reader);
    let mut recognised = false;
    let mut first = true;
    scanner.open_object()?;
    while let Some(key) = scanner.key(first)? {
        match &*key {
            "configs" => {
                recognised = true;
                scanner.open_array()?;
                let mut first = true;
                while scanner.element(first)? {
                    read_section(&mut scanner, wanted, &mut visit)?;
                    first = false;
                }
            }
            "cluster_statuses" | "clusterStatuses" => {
                recognised = true;
                if wanted.contains(&Section::ClusterStatuses) {
                    let (section, state) = (Section::ClusterStatuses, State::Active);
                    read_list(&mut scanner, section, state, &mut visit)?;
                } else {
                    scanner.skip()?;
                }
            }
            _ => scanner.skip()?,
        }
        first = false;
    }
    scanner.end()?;
    // Envoy writes a dump that a mask leaves nothing of as `{}`.
    if recognised || first {
        Ok(())
    } else {
        Err(ReadError::NotADump)
    }
}

/// Reads an array, and hands out its elements.
fn read_list<R: Read>(
    scanner: &mut Scanner<R>,
    section: Section,
    state: State,
    visit: &mut impl FnMut(Element<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    scanner.open_array()?;
    let mut first = true;
    while scanner.element(first)? {
        let offset = scanner.offset();
        let json = scanner.capture()?;
        visit(Element {
            section,
            state,
            offset,
            json,
        })?;
        first = false;
    }
    Ok(())
}

/// Reads one message of `configs`.
///
/// Envoy writes `@type` first, and then nothing is held back. Fields before it wait, as their type is not known yet.
/// Without any `@type` the names of the fields decide; they are unique.
fn read_section<R: Read>(
    scanner: &mut Scanner<R>,
    wanted: &[Section],
    visit: &mut impl FnMut(Element<'_>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let mut type_name: Option<String> = None;
    let mut waiting: Vec<(&Field, u64, Box<[u8]>)> = Vec::new();
    let mut first = true;
    scanner.open_object()?;
    while let Some(key) = scanner.key(first)? {
        first = false;
        if key == "@type" {
            type_name = Some(scanner.string()?);
            continue;
        }
        let Some(field @ &(config_dump, _, section, state)) =
            field(&key).filter(|row| wanted.contains(&row.2))
        else {
            scanner.skip()?;
            continue;
        };
        match &type_name {
            Some(name) if !is_type(name, config_dump) => scanner.skip()?,
            Some(_) if section != Section::Bootstrap => read_list(scanner, section, state, visit)?,
            known => {
                scanner.peek()?;
                let offset = scanner.offset();
                let json = scanner.capture()?;
                if known.is_some() {
                    visit(Element {
                        section,
                        state,
                        offset,
                        json,
                    })?;
                } else {
                    waiting.push((field, offset, json.into()));
                }
            }
        }
    }
    for (&(config_dump, _, section, state), offset, json) in waiting {
        if type_name.as_ref().is_some_and(|name| !is_type(name, config_dump)) {
            continue;
        }
        let element = Element {
            section,
            state,
            offset,
            json: &json,
        };
        if section == Section::Bootstrap {
            visit(element)?;
        } else {
            // `offset` of the elements counts from the list.
            read_list(&mut Scanner::new(&*json), section, state, &mut |inner| {
                visit(Element {
                    offset: offset + inner.offset,
                    ..inner
                })
            })?;
        }
    }
    Ok(())
}

/// Whether a type URL is that of a section of the config dump, of any version of Envoy's admin API.
fn is_type(type_url: &str, config_dump: &str) -> bool {
    message_name(type_url)
        .rsplit_once('.')
        .is_some_and(|(package, name)| name == config_dump && package.starts_with("envoy.admin."))
}
