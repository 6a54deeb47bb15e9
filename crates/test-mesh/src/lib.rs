//! A service in several versions behind real Envoys, for tests of traffic shifting.
//!
//! ```text
//! send() ─► Envoy ─┬─► HTTP server "v1"       apply_virtual_service() ─► files ─► Envoy (RDS)
//!    └────► Envoy ─┴─► HTTP server "v2"       apply_destination_rule() ─► files ─► Envoy (CDS, EDS)
//!             └──────► Prometheus             with Istio's names of metrics and labels
//! ```
//!
//! The Envoys are the proxies of clients. They have the clusters that Istio's would have
//! (`outbound|80|v1|reviews.shop.svc.cluster.local`), and change over without losing a request. Nothing is checked that
//! Istio does not check either: weight on a subset that no DestinationRule has gives 503, like in a real mesh.
//!
//! A mesh of [`MeshUnderTest::start_tcp`] is one of connections: its proxies divide them by `tcp` and `tls` routes, each
//! request has a connection of its own, and the metrics are `istio_tcp_connections_opened_total`,
//! `istio_tcp_connections_closed_total`, `istio_tcp_sent_bytes_total` and `istio_tcp_received_bytes_total`.
//!
//! What turns VirtualServices into Envoy's routes here is a small driver for tests, until the product compiles them
//! itself. It takes `uri` and `headers` matches, weights, `mirror`, `timeout`, `retries` and headers that a destination
//! adds to responses, and subsets by `version`; of HTTPRoutes what means the same. It refuses any other field. Unlike Istio it retries only where `retries`
//! says so.
//!
//! Differences in metrics from those of Istio: `reporter` is always `source`, `response_flags` always `-`, mirrored
//! requests are counted, durations have no `response_code`, there are no labels of the source, and a request to a
//! cluster that is not there is not counted, because it is nowhere in an Envoy's cluster statistics.

mod backend;
mod client;
mod metrics;
mod xds;

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use test_envoy::{Envoy, http};
use test_prometheus::Prometheus;

use backend::Backend;
pub use backend::Behaviour;
use client::Client;
pub use client::{Counts, Traffic};
use xds::{Config, Protocol};

/// How long proxies may take to use a new configuration, which is usually some milliseconds.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running service and its clients' proxies. All ends when this value is dropped.
#[derive(Debug)]
pub struct MeshUnderTest {
    protocol: Protocol,
    /// The host of the service.
    host: String,
    envoys: Vec<Envoy>,
    proxies: Vec<SocketAddr>,
    backends: Vec<Backend>,
    config: Mutex<Config>,
    /// The files that the Envoys read.
    folder: TempDir,
}

impl MeshUnderTest {
    /// Starts a service with a workload for each version, `reviews-v1` for the version `v1` of `reviews`, and so many
    /// proxies, at least one. Requests go to all versions alike.
    pub fn start(service: &str, namespace: &str, versions: &[&str], proxies: usize) -> io::Result<Self> {
        Self::start_with(Protocol::Http, service, namespace, versions, proxies)
    }

    /// As [`start`](Self::start), but the proxies know nothing of requests: they divide connections.
    pub fn start_tcp(service: &str, namespace: &str, versions: &[&str], proxies: usize) -> io::Result<Self> {
        Self::start_with(Protocol::Tcp, service, namespace, versions, proxies)
    }

    fn start_with(
        protocol: Protocol,
        service: &str,
        namespace: &str,
        versions: &[&str],
        proxies: usize,
    ) -> io::Result<Self> {
        let backends = versions.iter().map(|version| Backend::start(version));
        let backends = backends.collect::<io::Result<Vec<_>>>()?;
        let workloads = backends.iter().map(|backend| {
            let name = format!("{service}-{}", backend.version);
            (name, backend.version.clone(), backend.address)
        });
        let mut config = Config::new(protocol, namespace, workloads.collect());
        let host = config.host(service);
        let versions = versions.iter().map(|&version| version.to_owned());
        config.services.insert(host.clone(), versions.collect());

        let folder = tempfile::tempdir()?;
        config.write(folder.path())?;
        let envoys = (0..proxies).map(|index| {
            Envoy::start(&xds::bootstrap(
                protocol,
                folder.path(),
                &format!("client-{index}"),
            ))
        });
        let envoys = envoys.collect::<io::Result<Vec<_>>>()?;
        let proxies = envoys.iter().map(|envoy| envoy.listener("outbound"));
        Ok(Self {
            protocol,
            host,
            proxies: proxies.collect::<io::Result<_>>()?,
            envoys,
            backends,
            config: Mutex::new(config),
            folder,
        })
    }

    /// The proxies: their admin ports, and their listener `outbound` for requests of other kinds than
    /// [`send_with`](Self::send_with) makes.
    pub fn envoys(&self) -> &[Envoy] {
        &self.envoys
    }

    /// Adds a service in front of some of the versions, like `reviews-canary`.
    pub fn add_service(&self, name: &str, versions: &[&str]) -> io::Result<()> {
        let mut config = self.config();
        let host = config.host(name);
        let versions = versions.iter().map(|&version| version.to_owned());
        config.services.insert(host, versions.collect());
        self.roll_out(&mut config)
    }

    /// Applies the spec of a VirtualService, and waits until all proxies use it. It replaces the one of its hosts.
    pub fn apply_virtual_service(&self, spec: &Value) -> io::Result<()> {
        let mut config = self.config();
        config.set_virtual_service(spec)?;
        self.roll_out(&mut config)
    }

    /// Applies the spec of an HTTPRoute whose parents are services, and waits until all proxies use it. It replaces what
    /// these had.
    pub fn apply_http_route(&self, spec: &Value) -> io::Result<()> {
        let mut config = self.config();
        config.set_http_route(spec)?;
        self.roll_out(&mut config)
    }

    /// Applies the spec of a DestinationRule, and waits until all proxies use it. It replaces the one of its host.
    pub fn apply_destination_rule(&self, spec: &Value) -> io::Result<()> {
        let mut config = self.config();
        config.set_destination_rule(spec)?;
        self.roll_out(&mut config)
    }

    fn config(&self) -> MutexGuard<'_, Config> {
        self.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn roll_out(&self, config: &mut Config) -> io::Result<()> {
        let versions = config.write(self.folder.path())?;
        let start = Instant::now();
        for (envoy, &proxy) in self.envoys.iter().zip(&self.proxies) {
            let dump = || {
                serde_json::from_slice::<Value>(&envoy.admin_get("/config_dump")?).map_err(io::Error::other)
            };
            while !xds::uses(&dump()?, &versions) {
                if start.elapsed() > TIMEOUT {
                    let message = format!("Envoy does not take the configuration:\n{}", envoy.log());
                    return Err(io::Error::other(message));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            // The dump is the main thread's. What the worker gets from it, it has when it has answered; this request
            // is to no service, and so is not counted anywhere. A connection would be: there the worker gets a moment.
            match self.protocol {
                Protocol::Http => drop(http::get(proxy, "/")?),
                Protocol::Tcp => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        Ok(())
    }

    /// Changes how a version answers from now on.
    ///
    /// # Panics
    ///
    /// When there is no such version.
    pub fn set_behaviour(&self, version: &str, behaviour: Behaviour) {
        self.backend(version).set_behaviour(behaviour);
    }

    /// Lets a version refuse connections from now on.
    ///
    /// # Panics
    ///
    /// When there is no such version.
    pub fn stop_listening(&self, version: &str) {
        self.backend(version).stop_listening();
    }

    /// How many requests a version has got, mirrored ones included.
    ///
    /// # Panics
    ///
    /// When there is no such version.
    pub fn received(&self, version: &str) -> u64 {
        self.backend(version).received()
    }

    fn backend(&self, version: &str) -> &Backend {
        let found = self.backends.iter().find(|backend| backend.version == version);
        found.unwrap_or_else(|| panic!("there is no version {version}"))
    }

    /// Sends requests to the service, so many at the same time (at least one), in turn through all proxies.
    pub fn send(&self, requests: usize, concurrency: usize) -> Counts {
        self.send_with("/", &[], requests, concurrency)
    }

    /// Like [`send`](Self::send), with a path and headers.
    pub fn send_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        requests: usize,
        concurrency: usize,
    ) -> Counts {
        std::thread::scope(|scope| {
            let workers = (0..concurrency).map(|index| {
                let share = requests / concurrency + usize::from(index < requests % concurrency);
                let client = self.client(path, headers, index);
                scope.spawn(move || client.send_many(share))
            });
            // All must run before the first is waited for.
            let workers: Vec<_> = workers.collect();
            let mut counts = Counts::default();
            for worker in workers {
                match worker.join() {
                    Ok(share) => counts.merge(share),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            counts
        })
    }

    /// Sends requests in the background, one after the other with a pause between.
    pub fn traffic(&self, pause: Duration) -> Traffic {
        Traffic::start(self.client("/", &[], 0), pause)
    }

    fn client(&self, path: &str, headers: &[(&str, &str)], first: usize) -> Client {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n", self.host);
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        request.push_str("\r\n");
        Client::new(&self.proxies, request, first, self.protocol == Protocol::Tcp)
    }

    /// Starts a Prometheus that scrapes all proxies, and has Istio's metrics of them: `istio_requests_total` and
    /// `istio_request_duration_milliseconds`, or those of connections.
    ///
    /// A series begins with the first request of its kind. What came before its first scrape is in no `increase`.
    /// Durations show a tenth of a second later than counts.
    pub fn prometheus(&self) -> io::Result<Prometheus> {
        let prometheus = Prometheus::start(&metrics::scrape_job(self.protocol))?;
        let admins: Vec<_> = self.envoys.iter().map(Envoy::admin).collect();
        prometheus.set_targets(&admins)?;
        prometheus.wait_until_scraped()?;
        Ok(prometheus)
    }
}
