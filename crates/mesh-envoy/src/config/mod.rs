//! Envoy's messages, of each the fields that views and traces read. Names are those of the `.proto` files.
//!
//! What is not modelled stays readable as [`Any`], so that it can be named.

#![expect(clippy::struct_field_names, reason = "Envoy's names")]

pub(crate) mod cluster;
pub(crate) mod listener;
pub(crate) mod route;

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::proto::Any;

/// `envoy.config.core.v3.Metadata`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Metadata {
    pub(crate) filter_metadata: BTreeMap<String, Value>,
}

/// `envoy.config.core.v3.Address`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Address {
    pub(crate) socket_address: Option<SocketAddress>,
    pub(crate) pipe: Option<Pipe>,
    pub(crate) envoy_internal_address: Option<InternalAddress>,
}

/// `envoy.config.core.v3.SocketAddress`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct SocketAddress {
    pub(crate) protocol: Protocol,
    pub(crate) address: String,
    pub(crate) port_value: u32,
    pub(crate) named_port: String,
}

crate::proto::proto_enum! {
    /// `envoy.config.core.v3.SocketAddress.Protocol`.
    pub(crate) enum Protocol { Tcp = 0 "TCP", Udp = 1 "UDP" }
}

/// `envoy.config.core.v3.Pipe`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Pipe {
    pub(crate) path: String,
}

/// `envoy.config.core.v3.EnvoyInternalAddress`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct InternalAddress {
    pub(crate) server_listener_name: String,
    pub(crate) endpoint_id: String,
}

impl Address {
    /// The host without a port: an IP address or name, a socket's path, or an internal listener's name.
    pub(crate) fn host(&self) -> String {
        if let Some(socket) = &self.socket_address {
            socket.address.clone()
        } else if let Some(pipe) = &self.pipe {
            format!("unix://{}", pipe.path)
        } else if let Some(internal) = &self.envoy_internal_address {
            format!(
                "envoy://{}/{}",
                internal.server_listener_name, internal.endpoint_id
            )
        } else {
            String::new()
        }
    }

    /// The port of a socket address.
    pub(crate) fn port(&self) -> Option<u32> {
        self.socket_address.as_ref().map(|socket| socket.port_value)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket_address {
            Some(socket) if socket.address.contains(':') => {
                write!(f, "[{}]:{}", socket.address, socket.port_value)
            }
            Some(socket) => write!(f, "{}:{}", socket.address, socket.port_value),
            None => f.write_str(&self.host()),
        }
    }
}

/// Any message with a name and a configuration: filters, transport sockets, extensions.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Extension {
    pub(crate) name: String,
    pub(crate) typed_config: Option<Any>,
}

impl Extension {
    /// The full name of the configuration's type, or the extension's name without one.
    pub(crate) fn kind(&self) -> String {
        let type_name = self.typed_config.as_ref().map(Any::type_name);
        type_name
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| self.name.clone())
    }
}

/// `envoy.config.core.v3.CidrRange`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct CidrRange {
    pub(crate) address_prefix: String,
    pub(crate) prefix_len: u8,
}

impl fmt::Display for CidrRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address_prefix, self.prefix_len)
    }
}

/// `envoy.type.matcher.v3.StringMatcher`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StringMatcher {
    pub(crate) exact: Option<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) suffix: Option<String>,
    pub(crate) safe_regex: Option<RegexMatcher>,
    pub(crate) contains: Option<String>,
    pub(crate) custom: Option<Extension>,
    pub(crate) ignore_case: bool,
}

/// `envoy.type.matcher.v3.RegexMatcher`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct RegexMatcher {
    pub(crate) regex: String,
}

/// `envoy.type.v3.FractionalPercent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct FractionalPercent {
    pub(crate) numerator: u32,
    pub(crate) denominator: Denominator,
}

crate::proto::proto_enum! {
    /// `envoy.type.v3.FractionalPercent.DenominatorType`.
    pub(crate) enum Denominator { Hundred = 0 "HUNDRED", TenThousand = 1 "TEN_THOUSAND", Million = 2 "MILLION" }
}

impl FractionalPercent {
    /// What [`FractionalPercent::numerator`] counts parts of.
    pub(crate) fn denominator(self) -> u64 {
        match self.denominator {
            Denominator::Hundred | Denominator::Unknown => 100,
            Denominator::TenThousand => 10_000,
            Denominator::Million => 1_000_000,
        }
    }

    /// The share as a number from 0 to 1.
    pub(crate) fn fraction(self) -> f64 {
        let denominator = match self.denominator {
            Denominator::Hundred | Denominator::Unknown => 100.0,
            Denominator::TenThousand => 10_000.0,
            Denominator::Million => 1_000_000.0,
        };
        (f64::from(self.numerator) / denominator).min(1.0)
    }
}

/// `envoy.config.core.v3.RuntimeFractionalPercent`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RuntimeFraction {
    pub(crate) default_value: FractionalPercent,
    pub(crate) runtime_key: String,
}
