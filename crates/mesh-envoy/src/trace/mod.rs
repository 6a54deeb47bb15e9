//! Follows a request through a proxy's configuration, and says at each step what was chosen and why not the others.
//!
//! The steps are those of Envoy: the listener, its filter chain, the virtual host, the route, the cluster and its
//! endpoints. What decides by code that is not modelled here (Lua, WebAssembly, external services, matcher trees) is
//! named instead of guessed.

mod action;
mod chain;
mod listener;
mod path;
mod regex;
mod request;
mod route;
mod upstream;

use std::collections::BTreeMap;
use std::io::Read;

use crate::config::cluster::{Cluster, LoadAssignment};
use crate::config::listener::Listener;
use crate::config::route::RouteConfiguration;
use crate::dump::{Items, ReadError, Section, State, read};
use crate::istio::Origin;
use crate::summary::{ClusterEndpoints, EndpointSummary};

pub use request::{Entry, Http, Protocol, Request, RequestError, Tls};
pub use upstream::Upstream;

/// The configuration of a proxy, decoded for [`trace`].
#[derive(Debug, Default)]
pub struct Config {
    listeners: Vec<Listener>,
    routes: BTreeMap<String, RouteConfiguration>,
    clusters: BTreeMap<String, Cluster>,
    /// By the name of the load assignment.
    assignments: BTreeMap<String, LoadAssignment>,
    /// What Envoy knows of hosts, by cluster.
    statuses: BTreeMap<String, Vec<EndpointSummary>>,
    regexes: regex::Regexes,
}

impl Config {
    /// Reads a config dump. Resources that are warming or draining are left out.
    pub fn read(dump: impl Read) -> Result<Self, ReadError> {
        let mut config = Self::default();
        config.add(dump)?;
        Ok(config)
    }

    /// Adds what another dump says, such as that of `/clusters?format=json`, which knows the health of hosts.
    pub fn add(&mut self, dump: impl Read) -> Result<(), ReadError> {
        let wanted = [
            Section::Listeners,
            Section::Routes,
            Section::Clusters,
            Section::Endpoints,
            Section::ClusterStatuses,
        ];
        let mut listeners = Items::<Listener>::default();
        let mut routes = Items::<RouteConfiguration>::default();
        let mut clusters = Items::<Cluster>::default();
        let mut assignments = Items::<LoadAssignment>::default();
        let mut statuses = Items::<ClusterEndpoints>::default();
        read(dump, &wanted, |element| match element.section {
            Section::Listeners => element.decode_into(&mut listeners),
            Section::Routes => element.decode_into(&mut routes),
            Section::Clusters => element.decode_into(&mut clusters),
            Section::Endpoints => element.decode_into(&mut assignments),
            _ => element.decode_into(&mut statuses),
        })?;
        self.listeners.extend(in_use(listeners));
        self.routes
            .extend(in_use(routes).map(|config| (config.name.clone(), config)));
        self.clusters
            .extend(in_use(clusters).map(|cluster| (cluster.name.clone(), cluster)));
        self.assignments
            .extend(in_use(assignments).map(|assignment| (assignment.cluster_name.clone(), assignment)));
        self.statuses
            .extend(in_use(statuses).map(|status| (status.cluster, status.endpoints)));
        Ok(())
    }
}

fn in_use<T>(items: Items<T>) -> impl Iterator<Item = T> {
    let items = items.items.into_iter();
    items
        .filter(|item| matches!(item.state, State::Static | State::Active))
        .map(|item| item.resource)
}

/// The way of a request.
#[derive(Clone, Debug)]
pub struct Trace {
    /// In the order of Envoy's decisions.
    pub steps: Vec<Step>,
    /// Where the way ends.
    pub outcome: Outcome,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What was chosen.
    pub subject: Subject,
    /// The name of what was chosen; may be empty.
    pub name: String,
    /// Why it was chosen.
    pub reason: String,
    /// What follows from it: an option's name, such as `timeout`, and its value.
    pub details: Vec<(&'static str, String)>,
    /// The resource of Istio that it came from.
    pub origin: Option<Origin>,
    /// What was considered before, and did not match, in the order of consideration.
    pub passed_over: Vec<PassedOver>,
}

impl Step {
    fn new(subject: Subject, name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            subject,
            name: name.into(),
            reason: reason.into(),
            details: Vec::new(),
            origin: None,
            passed_over: Vec::new(),
        }
    }

    fn detail(&mut self, name: &'static str, value: impl Into<String>) {
        self.details.push((name, value.into()));
    }
}

/// What a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A listener.
    Listener,
    /// A filter chain of it.
    FilterChain,
    /// The HTTP connection manager: what it does to the request before routing.
    Http,
    /// A virtual host.
    VirtualHost,
    /// A route.
    Route,
    /// The cluster, or clusters, that the request goes to.
    Cluster,
}

/// Something that did not match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its name, or what it matches if it has none.
    pub name: String,
    /// Why it did not match.
    pub reason: String,
    /// The resource of Istio that it came from.
    pub origin: Option<Origin>,
}

/// Where the way of a request ends.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// At a cluster; several with their shares if chance decides.
    Forward(Vec<Upstream>),
    /// Envoy answers itself.
    Response {
        /// The HTTP status.
        status: u16,
        /// The body, if the configuration states it.
        body: Option<String>,
    },
    /// Envoy sends the client elsewhere.
    Redirect {
        /// The HTTP status.
        status: u16,
        /// The header `location`.
        location: String,
    },
    /// Envoy refuses.
    Refused {
        /// Why.
        reason: String,
        /// The HTTP status, `None` if the connection is closed.
        status: Option<u16>,
        /// The response flag in Envoy's access log, such as `NR`.
        flag: Option<&'static str>,
    },
    /// It depends on something that is not modelled.
    NotModelled {
        /// What that is.
        what: String,
    },
}

impl Outcome {
    fn refused(reason: impl Into<String>, status: Option<u16>, flag: Option<&'static str>) -> Self {
        Self::Refused {
            reason: reason.into(),
            status,
            flag,
        }
    }

    fn not_modelled(what: impl Into<String>) -> Self {
        Self::NotModelled { what: what.into() }
    }
}

/// Follows a request.
pub fn trace(config: &Config, request: &Request) -> Trace {
    let mut steps = Vec::new();
    let outcome = listener::trace(config, request, &mut steps).unwrap_or_else(|outcome| outcome);
    Trace { steps, outcome }
}
