//! A proxy before a real API server that makes trouble. It ends with the process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Request;
use kube::Client;
use kube::client::Body;
use tokio::runtime::Handle;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Each so-manieth write fails (500), and nothing is done.
    pub(crate) fail_each: usize,
    /// Each so-manieth write is done, but its answer is lost with the connection.
    pub(crate) lose_each: usize,
    /// How long each request takes at least.
    pub(crate) delay: Duration,
    /// After so many requests nobody answers, for so long.
    pub(crate) cut_off: Option<(usize, Duration)>,
}

pub(crate) struct Proxy {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    faults: Faults,
    requests: usize,
    writes: usize,
    silent_until: Option<Instant>,
}

/// What to do with a request.
enum Fate {
    Pass,
    Fail,
    Lose,
    Drop,
}

impl State {
    fn judge(&mut self, is_write: bool) -> Fate {
        self.requests += 1;
        self.writes += usize::from(is_write);
        if let Some((_, duration)) = self.faults.cut_off.filter(|(after, _)| *after == self.requests) {
            self.silent_until = Some(Instant::now() + duration);
        }
        let is_each = |number: usize| is_write && number > 0 && self.writes.is_multiple_of(number);
        if self.silent_until.is_some_and(|until| Instant::now() < until) {
            Fate::Drop
        } else if is_each(self.faults.fail_each) {
            Fate::Fail
        } else if is_each(self.faults.lose_each) {
            Fate::Lose
        } else {
            Fate::Pass
        }
    }
}

impl Proxy {
    /// Starts without faults. Must be called in a Tokio runtime of several threads.
    pub(crate) fn start(client: Client) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::<Mutex<State>>::default();
        let (shared, runtime) = (Arc::clone(&state), Handle::current());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (state, client, runtime) = (Arc::clone(&shared), client.clone(), runtime.clone());
                std::thread::spawn(move || {
                    // Whoever asked may have gone away.
                    let _ = converse(&stream, &state, &client, &runtime);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { port, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From here on these things go wrong.
    pub(crate) fn set(&self, faults: Faults) {
        *self.state.lock().expect("no panics") = State {
            faults,
            ..State::default()
        };
    }
}

fn converse(
    stream: &TcpStream,
    state: &Mutex<State>,
    client: &Client,
    runtime: &Handle,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut request = Request::builder().method(method).uri(path);
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else {
                break;
            };
            match name.to_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap_or(0),
                "accept" | "content-type" => request = request.header(name, value),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (fate, delay) = {
            let mut state = state.lock().expect("no panics");
            (state.judge(method != "GET"), state.faults.delay)
        };
        std::thread::sleep(delay);
        let (status, body) = match fate {
            Fate::Drop => return Ok(()),
            Fate::Fail => (500, br#"{"kind":"Status","message":"etcd is busy"}"#.to_vec()),
            Fate::Lose | Fate::Pass => {
                let request = request.body(Body::from(body)).expect("a request");
                runtime.block_on(async {
                    let response = client.send(request).await.expect("the server answers");
                    let status = response.status().as_u16();
                    let body = response.into_body().collect_bytes().await.expect("a body");
                    (status, body.to_vec())
                })
            }
        };
        if matches!(fate, Fate::Lose) {
            return Ok(());
        }
        let head = format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        writer.write_all(head.as_bytes())?;
        writer.write_all(&body)?;
    }
}
