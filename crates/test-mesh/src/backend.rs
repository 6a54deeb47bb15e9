//! A workload: an HTTP server that answers with its version, as well or badly as it is told.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The response header that names the version.
pub(crate) const VERSION_HEADER: &str = "x-version";

/// How a version answers. The default is at once, with 200.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Of a hundred requests, so many get 500, at even distances.
    pub error_percent: u8,
    /// How long every answer takes.
    pub latency: Duration,
    /// Connections are closed instead of an answer.
    pub down: bool,
}

/// A running server. Requests of one connection are answered one after the other.
#[derive(Debug)]
pub(crate) struct Backend {
    pub(crate) version: String,
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    behaviour: Mutex<Behaviour>,
    received: AtomicU64,
    ended: AtomicBool,
}

impl Backend {
    pub(crate) fn start(version: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let name = version.to_owned();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.ended.load(Ordering::Relaxed) {
                    return;
                }
                let (state, version) = (Arc::clone(&shared), name.clone());
                // The thread ends when Envoy closes the connection; that it breaks is Envoy's to report.
                std::thread::spawn(move || serve(stream, &version, &state));
            }
        });
        Ok(Self {
            version: version.to_owned(),
            address,
            state,
            thread: Some(thread),
        })
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        *self
            .state
            .behaviour
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// Listens no more. Connections that there are stay.
    pub(crate) fn stop_listening(&self) {
        self.state.ended.store(true, Ordering::Relaxed);
        // The connection wakes the thread, which has the listener.
        let _ = TcpStream::connect(self.address);
    }

    /// How many requests have come, answered or not.
    pub(crate) fn received(&self) -> u64 {
        self.state.received.load(Ordering::Relaxed)
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop_listening();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(stream: TcpStream, version: &str, state: &State) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while read_request(&mut stream)? {
        let number = state.received.fetch_add(1, Ordering::Relaxed);
        let behaviour = *state.behaviour.lock().unwrap_or_else(PoisonError::into_inner);
        std::thread::sleep(behaviour.latency);
        if behaviour.down {
            break;
        }
        let errors_before = |number: u64| number * u64::from(behaviour.error_percent) / 100;
        let status = if errors_before(number + 1) > errors_before(number) {
            "500 Internal Server Error"
        } else {
            "200 OK"
        };
        let response =
            format!("HTTP/1.1 {status}\r\n{VERSION_HEADER}: {version}\r\ncontent-length: 0\r\n\r\n");
        stream.get_mut().write_all(response.as_bytes())?;
    }
    Ok(())
}

/// Reads one request to its end. There is none when the connection is closed.
fn read_request(stream: &mut BufReader<TcpStream>) -> io::Result<bool> {
    let mut length = 0;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(false);
        }
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    io::copy(&mut stream.by_ref().take(length), &mut io::sink())?;
    Ok(true)
}
