//! One pass over a dump: the rows of a view, or of all of them.

use std::io::Read;

use jiff::Timestamp;
use mesh_envoy::dump::{self, Element, Items, ReadError, Rejected, Section, State, WithJson};
use mesh_envoy::summary::{
    BootstrapSummary, ClusterEndpoints, ClusterFilter, ClusterSummary, EcdsSummary, EndpointFilter,
    ListenerFilter, ListenerSummary, RouteTableSummary, SecretSummary,
};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::secrets;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) enum View {
    Bootstrap,
    Clusters(ClusterFilter),
    Listeners(ListenerFilter),
    Routes {
        /// The whole name.
        name: Option<String>,
    },
    Endpoints(EndpointFilter),
    Secrets,
    Ecds,
    All,
}

impl View {
    /// Where the admin interface tells it. Masks keep Envoy from sending what is not looked at.
    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::Bootstrap => "/config_dump?mask=bootstrap",
            Self::Clusters(_) => {
                "/config_dump?mask=dynamic_active_clusters,dynamic_warming_clusters,static_clusters"
            }
            Self::Listeners(_) => "/config_dump?mask=dynamic_listeners,static_listeners",
            Self::Routes { .. } => "/config_dump?mask=dynamic_route_configs,static_route_configs",
            Self::Endpoints(_) => "/clusters?format=json",
            Self::Secrets => {
                "/config_dump?mask=dynamic_active_secrets,dynamic_warming_secrets,static_secrets"
            }
            Self::Ecds => "/config_dump",
            Self::All => "/config_dump?include_eds",
        }
    }

    fn sections(&self) -> &'static [Section] {
        match self {
            Self::Bootstrap => &[Section::Bootstrap],
            Self::Clusters(_) => &[Section::Clusters],
            Self::Listeners(_) => &[Section::Listeners],
            Self::Routes { .. } => &[Section::Routes],
            Self::Endpoints(_) => &[Section::ClusterStatuses, Section::Endpoints],
            Self::Secrets => &[Section::Secrets],
            Self::Ecds => &[Section::Ecds],
            Self::All => &[
                Section::Bootstrap,
                Section::Clusters,
                Section::Listeners,
                Section::Routes,
                Section::ClusterStatuses,
                Section::Endpoints,
                Section::Secrets,
                Section::Ecds,
            ],
        }
    }
}

/// The resources of one section of one proxy, sorted.
#[derive(Debug)]
pub(super) struct Listing {
    /// The name of the section: `clusters`.
    pub(super) title: &'static str,
    pub(super) section: Section,
    pub(super) headings: Vec<&'static str>,
    pub(super) entries: Vec<Entry>,
    rejected: Vec<Rejected>,
    warnings: Vec<String>,
}

/// A resource.
#[derive(Debug)]
pub(super) struct Entry {
    key: Key,
    pub(super) name: String,
    pub(super) state: State,
    /// One or more lines of the table, with as many cells as there are headings.
    pub(super) rows: Vec<Vec<String>>,
    /// The resource as the proxy told it, if that was asked for.
    pub(super) json: Option<Box<RawValue>>,
}

/// What entries are sorted by: a text, a number, and more texts.
type Key = (String, u32, [String; 3]);

/// What an element of a section becomes in a table.
trait Resource: DeserializeOwned {
    fn key(&self) -> Key;
    fn name(&self) -> String;
    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>>;
    fn warnings(&self, _now: Timestamp) -> Vec<String> {
        Vec::new()
    }
}

/// How a resource is looked at.
struct Sight<'a> {
    view: &'a View,
    wide: bool,
    now: Timestamp,
    state: State,
    version: &'a str,
    updated: &'a str,
}

impl Sight<'_> {
    /// The cells that every resource has in wide tables.
    fn tail(&self, row: &mut Vec<String>) {
        if self.wide {
            row.push(self.state.name().to_owned());
            row.push(self.version.to_owned());
            row.push(self.updated.to_owned());
        }
    }
}

/// The headings of [`Sight::tail`].
const TAIL: [&str; 3] = ["STATE", "VERSION", "UPDATED"];

fn headings(narrow: &[&'static str], wide: &[&'static str], is_wide: bool) -> Vec<&'static str> {
    let more = if is_wide { wide } else { &[] };
    narrow.iter().chain(more).copied().collect()
}

impl Listing {
    fn new(title: &'static str, section: Section, headings: Vec<&'static str>) -> Self {
        Self {
            title,
            section,
            headings,
            entries: Vec::new(),
            rejected: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// What should not be overlooked, a line each.
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> {
        let rejected = self.rejected.iter().map(|rejected| {
            let Rejected {
                section,
                name,
                version: _,
                last_attempt,
                details,
            } = rejected;
            let section = section.name();
            let name = if name.is_empty() {
                String::new()
            } else {
                format!(" `{name}`")
            };
            let when = if last_attempt.is_empty() {
                String::new()
            } else {
                format!(" at {last_attempt}")
            };
            format!("the proxy refused {section}{name}{when}: {details}")
        });
        rejected.chain(self.warnings.iter().cloned())
    }

    /// Takes an element apart and keeps what the view shows.
    fn add<T: Resource>(
        &mut self,
        element: &Element<'_>,
        how: &How<'_>,
        is_wanted: impl Fn(&T) -> bool,
    ) -> Result<(), ReadError> {
        if how.keep_json {
            let mut items = Items::<WithJson<T>>::default();
            element.decode_into(&mut items)?;
            self.rejected.append(&mut items.rejected);
            for item in items.items {
                let WithJson { resource, json } = item.resource;
                if is_wanted(&resource) {
                    self.push(
                        &resource,
                        Some(json),
                        how,
                        item.state,
                        &item.version,
                        &item.last_updated,
                    );
                }
            }
        } else {
            let mut items = Items::<T>::default();
            element.decode_into(&mut items)?;
            self.rejected.append(&mut items.rejected);
            for item in items.items {
                if is_wanted(&item.resource) {
                    self.push(
                        &item.resource,
                        None,
                        how,
                        item.state,
                        &item.version,
                        &item.last_updated,
                    );
                }
            }
        }
        Ok(())
    }

    fn push<T: Resource>(
        &mut self,
        resource: &T,
        json: Option<Box<RawValue>>,
        how: &How<'_>,
        state: State,
        version: &str,
        updated: &str,
    ) {
        let sight = Sight {
            view: how.view,
            wide: how.wide,
            now: how.now,
            state,
            version,
            updated,
        };
        self.warnings.extend(resource.warnings(how.now));
        self.entries.push(Entry {
            key: resource.key(),
            name: resource.name(),
            state,
            rows: resource.rows(&sight),
            json,
        });
    }
}

struct How<'a> {
    view: &'a View,
    wide: bool,
    keep_json: bool,
    now: Timestamp,
}

/// Reads a dump and keeps what the view shows; the text of resources only if it is wanted.
pub(super) fn read(
    view: &View,
    reader: impl Read,
    wide: bool,
    keep_json: bool,
) -> Result<Vec<Listing>, ReadError> {
    let how = How {
        view,
        wide,
        keep_json,
        now: Timestamp::now(),
    };
    let with_tail = |narrow: &[&'static str]| headings(narrow, &TAIL, wide);
    let mut bootstrap = Listing::new(
        "bootstrap",
        Section::Bootstrap,
        headings(
            &["NODE", "CLUSTER", "ISTIO", "ENVOY", "LOCALITY"],
            &["PROXY COMMIT"],
            wide,
        ),
    );
    let mut clusters = Listing::new(
        "clusters",
        Section::Clusters,
        with_tail(&[
            "SERVICE FQDN",
            "PORT",
            "SUBSET",
            "DIRECTION",
            "TYPE",
            "DESTINATION RULE",
        ]),
    );
    let listener_headings: &[_] = if wide {
        &[
            "ADDRESSES",
            "PORT",
            "MATCH",
            "DESTINATION",
            "NAME",
            "TYPE",
            "CHAIN",
        ]
    } else {
        &["ADDRESSES", "PORT", "MATCH", "DESTINATION"]
    };
    let mut listeners = Listing::new("listeners", Section::Listeners, with_tail(listener_headings));
    let mut routes = Listing::new(
        "routes",
        Section::Routes,
        with_tail(&[
            "NAME",
            "VHOST NAME",
            "DOMAINS",
            "MATCH",
            "DESTINATION",
            "VIRTUAL SERVICE",
        ]),
    );
    let mut endpoints = Listing::new(
        "endpoints",
        Section::Endpoints,
        headings(
            &["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"],
            &["LOCALITY", "PRIORITY", "WEIGHT", "HEALTH CHECK", "HOSTNAME"],
            wide,
        ),
    );
    let mut secrets = Listing::new("secrets", Section::Secrets, secrets::headings(wide));
    let mut ecds = Listing::new("ecds", Section::Ecds, with_tail(&["NAME", "TYPE"]));

    dump::read(reader, view.sections(), |element| match element.section {
        Section::Bootstrap => bootstrap.add::<BootstrapSummary>(&element, &how, |_| true),
        Section::Clusters => clusters.add::<ClusterSummary>(&element, &how, |cluster| match view {
            View::Clusters(filter) => filter.matches(cluster),
            _ => true,
        }),
        Section::Listeners => listeners.add::<ListenerSummary>(&element, &how, |listener| match view {
            View::Listeners(filter) => filter.matches(listener),
            _ => true,
        }),
        Section::Routes => routes.add::<RouteTableSummary>(&element, &how, |table| match view {
            View::Routes { name: Some(name) } => table.name == *name,
            _ => true,
        }),
        Section::Endpoints | Section::ClusterStatuses => {
            endpoints.add::<ClusterEndpoints>(&element, &how, |cluster| match view {
                View::Endpoints(filter) => cluster.endpoints.iter().any(|endpoint| filter.matches(endpoint)),
                _ => true,
            })
        }
        Section::Secrets => secrets.add::<SecretSummary>(&element, &how, |_| true),
        Section::Ecds => ecds.add::<EcdsSummary>(&element, &how, |_| true),
        Section::ScopedRoutes => Ok(()),
    })?;
    let wanted = match view {
        View::Bootstrap => vec![bootstrap],
        View::Clusters(_) => vec![clusters],
        View::Listeners(_) => vec![listeners],
        View::Routes { .. } => vec![routes],
        View::Endpoints(_) => vec![endpoints],
        View::Secrets => vec![secrets],
        View::Ecds => vec![ecds],
        View::All => vec![bootstrap, clusters, listeners, routes, endpoints, secrets, ecds],
    };
    Ok(wanted
        .into_iter()
        .map(|mut listing| {
            // Of two states of a resource, the one in use comes first.
            listing
                .entries
                .sort_by(|a, b| a.key.cmp(&b.key).then(a.state.cmp(&b.state)));
            listing
        })
        .collect())
}

/// The whole answer, if it is a dump.
pub(super) fn whole(mut reader: impl Read) -> Result<Box<RawValue>, ReadError> {
    let mut bytes = Vec::new();
    reader
        .read_to_end(&mut bytes)
        .map_err(|error| ReadError::Scan(error.into()))?;
    // Says what is wrong better than the JSON parser, and where.
    dump::read(bytes.as_slice(), &[], |_| Ok(()))?;
    serde_json::from_slice(&bytes).map_err(|_| ReadError::NotADump)
}

impl Resource for BootstrapSummary {
    fn key(&self) -> Key {
        Key::default()
    }

    fn name(&self) -> String {
        self.node.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut row = vec![
            self.node.clone(),
            self.cluster.clone(),
            or_empty(&self.istio_version),
            or_empty(&self.envoy_version),
            self.locality.clone(),
        ];
        if sight.wide {
            row.push(or_empty(&self.istio_proxy));
        }
        vec![row]
    }
}

impl Resource for ClusterSummary {
    fn key(&self) -> Key {
        let Self {
            fqdn, parts, name, ..
        } = self;
        match parts {
            Some(parts) => (
                fqdn.clone(),
                u32::from(parts.port),
                [parts.subset.clone(), parts.direction.clone(), name.clone()],
            ),
            None => (fqdn.clone(), 0, Default::default()),
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let dash = || "-".to_owned();
        let part = |part: &str| if part.is_empty() { dash() } else { part.to_owned() };
        let parts = self.parts.as_ref();
        let mut row = vec![
            self.fqdn.clone(),
            parts.map_or_else(dash, |parts| parts.port.to_string()),
            parts.map_or_else(dash, |parts| part(&parts.subset)),
            parts.map_or_else(dash, |parts| part(&parts.direction)),
            self.discovery.clone(),
            self.origin
                .as_ref()
                .map(|origin| format!("{}.{}", origin.name, origin.namespace))
                .unwrap_or_default(),
        ];
        sight.tail(&mut row);
        vec![row]
    }
}

impl Resource for ListenerSummary {
    fn key(&self) -> Key {
        let name = [self.name.clone(), String::new(), String::new()];
        (
            self.addresses.first().cloned().unwrap_or_default(),
            self.port.unwrap_or_default(),
            name,
        )
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let row = |matches: &str, destination: &str, chain: &str| {
            let mut row = vec![
                self.addresses.join(","),
                self.port.map(|port| port.to_string()).unwrap_or_default(),
                matches.to_owned(),
                destination.to_owned(),
            ];
            if sight.wide {
                row.extend([self.name.clone(), self.kind.name().to_owned(), chain.to_owned()]);
            }
            sight.tail(&mut row);
            row
        };
        if self.chains.is_empty() {
            return vec![row("", "", "")];
        }
        self.chains
            .iter()
            .map(|chain| row(&chain.matches, &chain.destination, &chain.name))
            .collect()
    }
}

impl Resource for RouteTableSummary {
    fn key(&self) -> Key {
        // Route configurations are named after ports, which count as numbers and come first.
        match self.name.parse() {
            Ok(port) => (String::new(), port, Default::default()),
            Err(_) => (self.name.clone(), 0, Default::default()),
        }
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for host in &self.virtual_hosts {
            let domains = if sight.wide {
                host.domains.join(", ")
            } else {
                host.short_domains()
            };
            let mut add = |matches: &str, destination: &str, origin: String| {
                let mut row = vec![
                    self.name.clone(),
                    host.name.clone(),
                    domains.clone(),
                    matches.to_owned(),
                    destination.to_owned(),
                    origin,
                ];
                sight.tail(&mut row);
                rows.push(row);
            };
            if host.routes.is_empty() {
                add("", "none (404)", String::new());
            }
            for route in &host.routes {
                let origin = route.origin.as_ref();
                let origin = origin.map(|origin| format!("{}.{}", origin.name, origin.namespace));
                add(&route.matches, &route.destination, origin.unwrap_or_default());
            }
        }
        rows
    }
}

impl Resource for ClusterEndpoints {
    fn key(&self) -> Key {
        (self.cluster.clone(), 0, Default::default())
    }

    fn name(&self) -> String {
        self.cluster.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let mut endpoints: Vec<_> = self
            .endpoints
            .iter()
            .filter(|endpoint| match sight.view {
                View::Endpoints(filter) => filter.matches(endpoint),
                _ => true,
            })
            .collect();
        endpoints.sort_unstable();
        let check = |failed: Option<bool>| match failed {
            None => String::new(),
            Some(false) => "OK".to_owned(),
            Some(true) => "FAILED".to_owned(),
        };
        let row = |endpoint: &&mesh_envoy::summary::EndpointSummary| {
            let mut row = vec![
                endpoint.address.clone(),
                endpoint.status.name().to_owned(),
                check(endpoint.ejected),
                endpoint.cluster.clone(),
            ];
            if sight.wide {
                row.extend([
                    endpoint.locality.clone(),
                    endpoint.priority.to_string(),
                    endpoint.weight.to_string(),
                    check(endpoint.failed_health_check),
                    endpoint.hostname.clone(),
                ]);
            }
            row
        };
        endpoints.iter().map(row).collect()
    }
}

impl Resource for SecretSummary {
    fn key(&self) -> Key {
        (self.name.clone(), 0, Default::default())
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        secrets::rows(self, sight.state, sight.now, sight.wide)
    }

    fn warnings(&self, now: Timestamp) -> Vec<String> {
        secrets::warnings(self, now)
    }
}

impl Resource for EcdsSummary {
    fn key(&self) -> Key {
        (
            self.kind.clone(),
            0,
            [self.name.clone(), String::new(), String::new()],
        )
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn rows(&self, sight: &Sight<'_>) -> Vec<Vec<String>> {
        let mut row = vec![self.name.clone(), self.kind.clone()];
        sight.tail(&mut row);
        vec![row]
    }
}
