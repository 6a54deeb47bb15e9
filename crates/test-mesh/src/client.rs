//! Requests through the proxies, counted by what answered.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use test_envoy::http::{Connection, Response};

use crate::backend::VERSION_HEADER;

/// What became of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Answers of each version, whatever their status.
    pub by_version: BTreeMap<String, u64>,
    /// Answers of each status, of the versions and of Envoy itself.
    pub by_status: BTreeMap<u16, u64>,
    /// Answers with 5xx, and requests without an answer.
    pub failed: u64,
}

impl Counts {
    /// How many answers a version has given.
    pub fn of(&self, version: &str) -> u64 {
        self.by_version.get(version).copied().unwrap_or_default()
    }

    fn add(&mut self, response: &io::Result<Response>) {
        let Ok(response) = response else {
            self.failed += 1;
            return;
        };
        if response.status >= 500 {
            self.failed += 1;
        }
        *self.by_status.entry(response.status).or_default() += 1;
        if let Some(version) = response.header(VERSION_HEADER) {
            *self.by_version.entry(version.to_owned()).or_default() += 1;
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (version, count) in other.by_version {
            *self.by_version.entry(version).or_default() += count;
        }
        for (status, count) in other.by_status {
            *self.by_status.entry(status).or_default() += count;
        }
        self.failed += other.failed;
    }
}

/// A sender of equal requests to one proxy after the other, on connections that it keeps.
pub(crate) struct Client {
    proxies: Vec<(SocketAddr, Option<Connection<TcpStream>>)>,
    request: String,
    next: usize,
    /// Each request has a connection of its own.
    is_fresh: bool,
}

impl Client {
    /// The first request goes to the proxy of the index `first`, modulo their number.
    pub(crate) fn new(proxies: &[SocketAddr], request: String, first: usize, is_fresh: bool) -> Self {
        Self {
            proxies: proxies.iter().map(|&address| (address, None)).collect(),
            request,
            next: first,
            is_fresh,
        }
    }

    pub(crate) fn send(&mut self) -> io::Result<Response> {
        let index = self.next % self.proxies.len();
        self.next = self.next.wrapping_add(1);
        let (address, kept) = &mut self.proxies[index];
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => Connection::open(*address)?,
        };
        let response = connection.send(self.request.as_bytes())?;
        if connection.is_open() && !self.is_fresh {
            *kept = Some(connection);
        }
        Ok(response)
    }

    pub(crate) fn send_many(mut self, requests: usize) -> Counts {
        let mut counts = Counts::default();
        for _ in 0..requests {
            counts.add(&self.send());
        }
        counts
    }
}

/// Requests that go on in the background until this value is dropped.
#[derive(Debug)]
pub struct Traffic {
    counts: Arc<Mutex<Counts>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Traffic {
    pub(crate) fn start(mut client: Client, pause: Duration) -> Self {
        let counts = Arc::<Mutex<Counts>>::default();
        let ended = Arc::<AtomicBool>::default();
        let (shared, stop) = (Arc::clone(&counts), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let response = client.send();
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .add(&response);
                std::thread::sleep(pause);
            }
        });
        Self {
            counts,
            ended,
            thread: Some(thread),
        }
    }

    /// What has become of the requests so far.
    pub fn counts(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends no more, and waits for the last answer.
    pub fn stop(mut self) -> Counts {
        self.end();
        self.counts()
    }

    fn end(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.end();
    }
}
