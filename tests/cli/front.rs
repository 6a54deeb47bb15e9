//! What stands before a real Prometheus: it wants TLS and to know who asks, or does not tell the truth. It ends with the
//! process.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::injector_support::Authority;

/// How questions are answered.
#[derive(Clone, Debug, Default)]
pub(crate) enum Mood {
    /// With the answer of Prometheus.
    #[default]
    Honest,
    /// With a series that has this value.
    Value(&'static str),
    /// With no series.
    Empty,
    /// With this status and body.
    Page(&'static str, &'static str),
    /// With half of an answer.
    HalfWay,
    /// With the answer of Prometheus, so much later.
    Late(Duration),
}

pub(crate) struct Front {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    /// The authority of its certificate (PEM), if there is TLS.
    pub(crate) certificate: Option<String>,
}

impl Front {
    /// Passes questions with these headers on to `prometheus`.
    pub(crate) fn start(prometheus: &str, is_tls: bool, wanted: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let mood = Arc::<Mutex<Mood>>::default();
        let (certificate, tls) = is_tls.then(tls).unzip();
        let gate = Gate {
            prometheus: prometheus.trim_start_matches("http://").to_owned(),
            wanted: wanted
                .iter()
                .map(|(name, value)| format!("{}: {value}", name.to_lowercase()))
                .collect(),
            mood: Arc::clone(&mood),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (gate, tls) = (gate.clone(), tls.clone());
                std::thread::spawn(move || {
                    // Whoever asked may have gone away, or may not trust the certificate.
                    let _ = match tls {
                        None => gate.answer(stream),
                        Some(config) => {
                            let connection =
                                ServerConnection::new(config).expect("a configuration that works");
                            gate.answer(StreamOwned::new(connection, stream))
                        }
                    };
                });
            }
        });
        Self {
            address,
            mood,
            certificate,
        }
    }

    /// Its address, with what stands before the host.
    pub(crate) fn url(&self, user: &str) -> String {
        let scheme = if self.certificate.is_some() {
            "https"
        } else {
            "http"
        };
        format!("{scheme}://{user}{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// From here on questions are answered so.
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().expect("no panics") = mood;
    }
}

/// The certificate of a new authority, and TLS with one that it has signed.
fn tls() -> (String, Arc<ServerConfig>) {
    let authority = Authority::new();
    let (certificate, key) = authority.sign(&["127.0.0.1"]);
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a key that fits");
    (authority.pem(), Arc::new(config))
}

#[derive(Clone)]
struct Gate {
    prometheus: String,
    wanted: Vec<String>,
    mood: Arc<Mutex<Mood>>,
}

impl Gate {
    fn answer(&self, mut stream: impl Read + Write) -> io::Result<()> {
        let mut reader = BufReader::new(&mut stream);
        let mut head = Vec::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? <= 2 {
                break;
            }
            let line = line.trim_end().to_owned();
            let (name, value) = line.split_once(": ").unwrap_or((&line, ""));
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap_or(0);
            }
            head.push(match value {
                "" => line,
                value => format!("{}: {value}", name.to_lowercase()),
            });
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let mut say = |status: &str, body: &str| {
            write!(
                stream,
                "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )?;
            stream.flush()
        };
        if self.wanted.iter().any(|wanted| !head.contains(wanted)) {
            return say("401 Unauthorized", "who are you?");
        }
        let mood = self.mood.lock().expect("no panics").clone();
        let vector = |result: &str| {
            format!(r#"{{"status":"success","data":{{"resultType":"vector","result":[{result}]}}}}"#)
        };
        match mood {
            Mood::Value(value) => {
                let series = format!(r#"{{"metric":{{"reporter":"source"}},"value":[1,"{value}"]}}"#);
                return say("200 OK", &vector(&series));
            }
            Mood::Empty => return say("200 OK", &vector("")),
            Mood::Page(status, page) => return say(status, page),
            Mood::HalfWay => {
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{{\"status\":"
                )?;
                return stream.flush();
            }
            Mood::Late(time) => std::thread::sleep(time),
            Mood::Honest => {}
        }
        let mut upstream = TcpStream::connect(&self.prometheus)?;
        write!(
            upstream,
            "{}\r\nhost: prometheus\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            head.first().map_or("", String::as_str),
            body.len()
        )?;
        upstream.write_all(&body)?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        stream.write_all(&answer)?;
        stream.flush()
    }
}
