//! A request to follow.

use std::net::{IpAddr, Ipv4Addr};

/// Through which door a connection comes into the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// From the workload beside the proxy: caught on its way out, and handed to the virtual outbound listener.
    Outbound,
    /// To the workload beside the proxy: caught on its way in, and handed to the virtual inbound listener.
    Inbound,
    /// Straight to a listener's own address: a gateway, or any Envoy.
    Direct,
    /// To the listener of this name, whatever address the client means to connect to.
    Listener(String),
}

/// What a client sends, and from where to where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// How it comes into the proxy; `None` for what fits the configuration: outbound if there is a virtual outbound
    /// listener, else direct.
    pub entry: Option<Entry>,
    /// What goes over the connection.
    pub protocol: Protocol,
    /// The address that the client connects to, if known.
    pub destination_ip: Option<IpAddr>,
    /// The port that the client connects to.
    pub destination_port: u16,
    /// The client's address.
    pub source_ip: IpAddr,
    /// The address of the peer that connects, where it is not the client itself but a proxy that says for whom.
    pub direct_source_ip: Option<IpAddr>,
    /// The client's port, if known.
    pub source_port: Option<u16>,
    /// TLS as the proxy gets it; `None` for plaintext.
    pub tls: Option<Tls>,
    /// Stands for Envoy's random number of the request: picks among weighted clusters and fractions. Without it all
    /// clusters are told, and a fraction is taken to hold unless it is zero.
    pub random: Option<u64>,
}

/// What goes over a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// An HTTP request.
    Http(Http),
    /// Bytes.
    Tcp,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// The method.
    pub method: String,
    /// The host as the client writes it, with its port if it is not the scheme's own.
    pub authority: String,
    /// The path with its query.
    pub path: String,
    /// Names in lower case, in the order of the request, repeated as there.
    pub headers: Vec<(String, String)>,
    /// Whether it is sent as HTTP/2.
    pub http2: bool,
}

/// A client's TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The server name (SNI); empty if the client sends none.
    pub server_name: String,
    /// The protocols (ALPN) that the client offers, the preferred first.
    pub alpn: Vec<String>,
    /// Whether the client shows a certificate. It is taken to be valid.
    pub certificate: bool,
}

/// Why a request cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// There is no URL.
    #[error("a URL is missing, such as `http://reviews:9080/health`")]
    NoUrl,
    /// The URL has another scheme, or none.
    #[error("`{0}` is not a URL of the scheme http, https, tcp or tls")]
    Scheme(String),
    /// The URL's host or port.
    #[error("`{0}` is not a host with a port")]
    Authority(String),
    /// An option that is not known.
    #[error("the option `{0}` is not known; these are: -X METHOD, -H HEADER, -I, -b COOKIES, -A AGENT")]
    Option(String),
    /// An option at the end, or a header without a colon.
    #[error("`{0}` needs a value such as `{1}`")]
    Value(String, &'static str),
    /// A quote without an end.
    #[error("a quote is not closed")]
    Quote,
}

impl Request {
    /// Reads a request as one writes it for curl: `GET http://reviews:9080/x -H end-user:jason`.
    ///
    /// Words are separated by blanks unless they are in quotes, as in a shell.
    pub fn parse(text: &str) -> Result<Self, RequestError> {
        Self::from_words(words(text)?)
    }

    /// Reads the words of [`Request::parse`].
    ///
    /// `https` and `tls` mean that the proxy gets TLS with the host as the server name. `tcp` and `tls` have no path.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Result<Self, RequestError> {
        let mut words = words.into_iter();
        let mut method = None;
        let mut url = None;
        let mut headers = Vec::new();
        while let Some(word) = words.next() {
            let mut value = |example| {
                words
                    .next()
                    .ok_or_else(|| RequestError::Value(word.clone(), example))
            };
            match &*word {
                "-X" | "--request" => method = Some(value("POST")?),
                "-H" | "--header" => {
                    let header = value("end-user: jason")?;
                    let (name, value) = header
                        .split_once(':')
                        .ok_or_else(|| RequestError::Value(header.clone(), "end-user: jason"))?;
                    headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
                }
                "-I" | "--head" => method = Some("HEAD".to_owned()),
                "-b" | "--cookie" => headers.push(("cookie".to_owned(), value("user=jason")?)),
                "-A" | "--user-agent" => headers.push(("user-agent".to_owned(), value("curl/8.0")?)),
                option if option.starts_with('-') => return Err(RequestError::Option(word)),
                _ if word.bytes().all(|byte| byte.is_ascii_uppercase())
                    && method.is_none()
                    && url.is_none() =>
                {
                    method = Some(word);
                }
                _ if url.is_none() => url = Some(word),
                _ => return Err(RequestError::Option(word)),
            }
        }
        Self::to_url(&url.ok_or(RequestError::NoUrl)?, method, headers)
    }

    fn to_url(
        url: &str,
        method: Option<String>,
        mut headers: Vec<(String, String)>,
    ) -> Result<Self, RequestError> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| RequestError::Scheme(url.to_owned()))?;
        let (is_http, is_tls, default_port) = match scheme {
            "http" => (true, false, Some(80)),
            "https" => (true, true, Some(443)),
            "tcp" => (false, false, None),
            "tls" => (false, true, Some(443)),
            _ => return Err(RequestError::Scheme(url.to_owned())),
        };
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let wrong = || RequestError::Authority(authority.to_owned());
        let (host, port) = match super::path::port_start(authority) {
            Some(colon) => (
                &authority[..colon],
                Some(authority[colon + 1..].parse().map_err(|_| wrong())?),
            ),
            None => (authority, default_port),
        };
        let (Some(port), false) = (port, host.is_empty()) else {
            return Err(wrong());
        };
        let ip = host.trim_matches(['[', ']']).parse().ok();
        // A client sends no fragment.
        let path = path.split('#').next().unwrap_or_default();
        let stated = headers.iter().position(|(name, _)| name == "host");
        let authority = match stated.map(|index| headers.remove(index)) {
            Some((_, host)) => host,
            None if Some(port) == default_port => host.to_owned(),
            None => authority.to_owned(),
        };
        let tls = is_tls.then(|| Tls {
            server_name: if ip.is_some() {
                String::new()
            } else {
                host.to_owned()
            },
            alpn: if is_http {
                vec!["h2".to_owned(), "http/1.1".to_owned()]
            } else {
                Vec::new()
            },
            certificate: false,
        });
        let http = Http {
            method: method.unwrap_or_else(|| "GET".to_owned()),
            authority,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            headers,
            http2: is_tls,
        };
        Ok(Self {
            entry: None,
            protocol: if is_http {
                Protocol::Http(http)
            } else {
                Protocol::Tcp
            },
            destination_ip: ip,
            destination_port: port,
            source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            direct_source_ip: None,
            source_port: None,
            tls,
            random: None,
        })
    }
}

/// Splits at blanks outside of quotes. A backslash takes the next character as it is, except in single quotes.
fn words(text: &str) -> Result<Vec<String>, RequestError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            (_, Some(open)) if character == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(characters.next()),
            (_, None) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    if quote.is_some() {
        Err(RequestError::Quote)
    } else {
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn http(text: &str) -> (Request, Http) {
        let request = Request::parse(text).expect(text);
        let Protocol::Http(http) = request.protocol.clone() else {
            panic!("{text} is not HTTP");
        };
        (request, http)
    }

    #[test]
    fn requests_as_for_curl() {
        let (request, message) = http(r#"GET http://reviews:9080/x?a=1#f -H end-user:jason -H "a: b c""#);
        assert_eq!(
            (&*message.method, &*message.authority, &*message.path),
            ("GET", "reviews:9080", "/x?a=1")
        );
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(message.headers, [header("end-user", "jason"), header("a", "b c")]);
        assert_eq!((request.destination_port, request.tls), (9080, None));

        let (request, message) = http("https://10.1.2.3 -X POST -H 'Host: a.com'");
        assert_eq!(
            (&*message.method, &*message.authority, &*message.path),
            ("POST", "a.com", "/")
        );
        assert_eq!(request.destination_ip, Some(IpAddr::from([10, 1, 2, 3])));
        assert_eq!(request.tls.map(|tls| tls.server_name), Some(String::new()));

        let (request, message) = http("http://[::1]:80/");
        assert_eq!((&*message.authority, request.destination_port), ("[::1]", 80));
        let request = Request::parse("tls://db:5432").expect("a request");
        assert_eq!(request.protocol, Protocol::Tcp);
        assert_eq!(request.tls.map(|tls| tls.server_name).as_deref(), Some("db"));
    }

    #[test]
    fn what_cannot_be_understood_says_why() {
        let error = |text: &str| Request::parse(text).expect_err(text).to_string();
        assert!(error("").contains("a URL is missing"));
        assert!(error("reviews:9080").contains("not a URL"));
        assert!(error("http://:80").contains("not a host"));
        assert!(error("http://a:x").contains("not a host"));
        assert!(error("tcp://a").contains("not a host"));
        assert!(error("http://a -Z").contains("`-Z` is not known"));
        assert!(error("http://a -H").contains("needs a value"));
        assert!(error("http://a -H 'x").contains("not closed"));
    }
}
