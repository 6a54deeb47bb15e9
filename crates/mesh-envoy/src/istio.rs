//! What Istio writes into Envoy's configuration: the names of clusters, and which resource a part came from.

use std::fmt;

use crate::config::Metadata;

/// The parts of a cluster's name in Istio, such as `outbound|9080|v1|reviews.default.svc.cluster.local`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClusterName {
    /// `outbound` or `inbound`; variants such as `inbound-vip` exist.
    pub direction: String,
    /// The service's port; of inbound clusters, the workload's.
    pub port: u16,
    /// The DestinationRule's subset; may be empty.
    pub subset: String,
    /// The service's host; empty for inbound clusters.
    pub host: String,
}

impl ClusterName {
    /// Reads a name, also in the form that is used as a TLS server name:
    /// `outbound_.9080_.v1_.reviews.default.svc.cluster.local`. `None` if it is not one of Istio's.
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = if name.contains('|') {
            name.split('|').collect()
        } else {
            name.splitn(4, "_.").collect()
        };
        let [direction, port, subset, host] = parts[..] else {
            return None;
        };
        Some(Self {
            direction: direction.to_owned(),
            port: port.parse().ok()?,
            subset: subset.to_owned(),
            host: host.to_owned(),
        })
    }
}

/// The resource that a part of the configuration came from, as Istio notes it in the metadata.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// In kebab-case, such as `virtual-service`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Origin {
    /// Reads the path in the metadata:
    /// `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews`.
    pub fn parse(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("/apis/")?.split('/');
        let (_group, _version) = (parts.next()?, parts.next()?);
        let ("namespaces", namespace, kind, name, None) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next(),
        ) else {
            return None;
        };
        Some(Self {
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(crate) fn of(metadata: &Metadata) -> Option<Self> {
        Self::parse(metadata.filter_metadata.get("istio")?.get("config")?.as_str()?)
    }
}

impl fmt::Display for Origin {
    /// `virtual-service default/reviews`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_clusters() {
        let name = ClusterName::parse("outbound|9080|v1|reviews.default.svc.cluster.local").expect("a name");
        assert_eq!(
            (&*name.direction, name.port, &*name.subset),
            ("outbound", 9080, "v1")
        );
        assert_eq!(name.host, "reviews.default.svc.cluster.local");
        assert_eq!(
            ClusterName::parse("outbound_.9080_.v1_.reviews.default.svc.cluster.local"),
            Some(name)
        );
        let inbound = ClusterName::parse("inbound|9080||").expect("a name");
        assert_eq!((&*inbound.subset, &*inbound.host), ("", ""));
        for other in [
            "",
            "PassthroughCluster",
            "a|b|c|d",
            "a|1|c",
            "outbound|1|a|b|c",
            "xds-grpc",
        ] {
            assert_eq!(ClusterName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn origins() {
        let path = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
        let origin = Origin::parse(path).expect("a path");
        assert_eq!(origin.to_string(), "virtual-service default/reviews");
        assert_eq!(
            Origin::parse("/apis/networking.istio.io/v1/namespaces/default"),
            None
        );
        assert_eq!(Origin::parse(&format!("{path}/more")), None);
    }
}
