//! Port protocols.

use std::fmt;

/// The protocol of a port, as the mesh treats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Plain TCP.
    Tcp,
    /// UDP; not proxied.
    Udp,
    /// gRPC over HTTP/2.
    Grpc,
    /// gRPC for browsers, over HTTP.
    GrpcWeb,
    /// HTTP/1.1.
    Http,
    /// HTTP with full URLs, as forward proxies get it.
    HttpProxy,
    /// HTTP/2 without TLS.
    Http2,
    /// TLS that carries HTTP, passed on by server name.
    Https,
    /// TLS of any content, passed on by server name.
    Tls,
    /// MongoDB.
    Mongo,
    /// Redis.
    Redis,
    /// MySQL.
    Mysql,
}

impl Protocol {
    /// Every protocol with its name in lower case.
    pub const ALL: [(&'static str, Self); 12] = [
        ("tcp", Self::Tcp),
        ("udp", Self::Udp),
        ("grpc", Self::Grpc),
        ("grpc-web", Self::GrpcWeb),
        ("http", Self::Http),
        ("http_proxy", Self::HttpProxy),
        ("http2", Self::Http2),
        ("https", Self::Https),
        ("tls", Self::Tls),
        ("mongo", Self::Mongo),
        ("redis", Self::Redis),
        ("mysql", Self::Mysql),
    ];

    /// Reads a protocol's name in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, protocol)| *protocol)
    }

    /// The protocol that a Kubernetes service port declares: by `appProtocol`, or by the port's name up to the first
    /// dash (`grpc-web` counts as a whole). `None` if neither says; the mesh then sniffs at run time.
    ///
    /// Of `appProtocol`, the values of Kubernetes itself are known too: `kubernetes.io/h2c`, `kubernetes.io/ws`,
    /// `kubernetes.io/wss`.
    pub fn of_service_port(app_protocol: Option<&str>, name: &str) -> Option<Self> {
        if let Some(app_protocol) = app_protocol.filter(|text| !text.is_empty()) {
            return match app_protocol {
                "kubernetes.io/h2c" => Some(Self::Http2),
                "kubernetes.io/ws" => Some(Self::Http),
                "kubernetes.io/wss" => Some(Self::Https),
                name => Self::parse(name),
            };
        }
        let is_grpc_web = name.len() >= 8
            && name
                .get(..8)
                .is_some_and(|start| start.eq_ignore_ascii_case("grpc-web"))
            && (name.len() == 8 || name.as_bytes()[8] == b'-');
        if is_grpc_web {
            return Some(Self::GrpcWeb);
        }
        Self::parse(name.split('-').next().unwrap_or_default())
    }

    /// Whether requests can be told apart.
    pub fn is_http(self) -> bool {
        matches!(
            self,
            Self::Http | Self::Http2 | Self::HttpProxy | Self::Grpc | Self::GrpcWeb
        )
    }

    /// Whether the content is encrypted by the client, so that only the server name shows.
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Https | Self::Tls)
    }

    /// Whether it is handled as a stream of bytes.
    pub fn is_tcp(self) -> bool {
        matches!(
            self,
            Self::Tcp | Self::Https | Self::Tls | Self::Mongo | Self::Redis | Self::Mysql
        )
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(_, protocol)| protocol == self)
            .map_or("", |(name, _)| name);
        formatter.write_str(&name.to_ascii_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn service_ports_declare_protocols_by_name_or_field() {
        for (app_protocol, name, protocol) in [
            (None, "http", Some(Protocol::Http)),
            (None, "http-admin", Some(Protocol::Http)),
            (None, "HTTP2-x", Some(Protocol::Http2)),
            (None, "grpc-web", Some(Protocol::GrpcWeb)),
            (None, "grpc-web-x", Some(Protocol::GrpcWeb)),
            (None, "grpc-website", Some(Protocol::Grpc)),
            (None, "web", None),
            (None, "", None),
            (Some("https"), "http", Some(Protocol::Https)),
            (Some("kubernetes.io/h2c"), "", Some(Protocol::Http2)),
            (Some("vendor.example/x"), "http", None),
        ] {
            assert_eq!(
                Protocol::of_service_port(app_protocol, name),
                protocol,
                "{app_protocol:?} {name}"
            );
        }
    }
}
