//! One view of the four kinds of routes of the Gateway API.

use mesh_core::gateway_api::apis::experimental::gateways::GatewaySpec;
use mesh_core::{Header, Kind, Mesh, Resource};
use mesh_yaml::{FieldPath, path};

/// The group of the Gateway API's own kinds.
pub(crate) const GROUP: &str = "gateway.networking.k8s.io";

/// The kinds of routes.
pub(crate) const ROUTE_KINDS: &[Kind] = &[Kind::HttpRoute, Kind::GrpcRoute, Kind::TlsRoute, Kind::TcpRoute];

/// A route.
#[derive(Debug)]
pub(crate) struct Route<'m> {
    /// The resource.
    pub(crate) header: &'m Header,
    /// The hosts that it is for; none means all.
    pub(crate) hostnames: Vec<&'m str>,
    /// The gateways, or services, that it is attached to.
    pub(crate) parents: Vec<Reference<'m>>,
    /// Where it sends traffic.
    pub(crate) backends: Vec<Reference<'m>>,
}

/// A reference to another object.
#[derive(Debug)]
pub(crate) struct Reference<'m> {
    /// Where it stands in the route.
    pub(crate) path: FieldPath,
    /// The group of the object's kind; `None` is the default.
    group: Option<&'m str>,
    /// The object's kind; `None` is the default.
    kind: Option<&'m str>,
    /// Its name.
    pub(crate) name: &'m str,
    /// Its namespace; the route's own if it says none.
    pub(crate) namespace: &'m str,
    /// A port of it.
    pub(crate) port: Option<i32>,
    /// A listener of it.
    pub(crate) section: Option<&'m str>,
}

impl Reference<'_> {
    /// Whether it is to a gateway, the default for parents.
    pub(crate) fn is_gateway(&self) -> bool {
        self.group.is_none_or(|group| group == GROUP) && self.kind.is_none_or(|kind| kind == "Gateway")
    }

    /// Whether it is to a Kubernetes Service, the default for backends; parents have to say so.
    pub(crate) fn is_service(&self, is_default: bool) -> bool {
        let is = |value: Option<&str>, expected: &str| value.map_or(is_default, |value| value == expected);
        is(self.group, "") && is(self.kind, "Service")
    }
}

macro_rules! reference {
    ($header:expr, $path:expr, $reference:expr, $section:expr) => {
        Reference {
            path: $path,
            group: $reference.group.as_deref(),
            kind: $reference.kind.as_deref(),
            name: &$reference.name,
            namespace: $reference
                .namespace
                .as_deref()
                .filter(|namespace| !namespace.is_empty())
                .unwrap_or($header.namespace()),
            port: $reference.port,
            section: $section,
        }
    };
}

macro_rules! parents {
    ($header:expr, $spec:expr) => {
        (($spec.parent_refs.iter().flatten()).enumerate())
            .map(|(index, parent)| {
                let section = parent.section_name.as_deref().filter(|name| !name.is_empty());
                reference!($header, path!["spec", "parentRefs", index], parent, section)
            })
            .collect()
    };
}

/// Routes of HTTP and gRPC, which have filters and optional lists.
macro_rules! request_route {
    ($route:expr) => {{
        let (header, spec) = ($route.header(), &$route.spec);
        let mut backends = Vec::new();
        for (rule, found) in spec.rules.iter().flatten().enumerate() {
            let place = path!["spec", "rules", rule];
            for (index, backend) in found.backend_refs.iter().flatten().enumerate() {
                backends.push(reference!(
                    header,
                    place.key("backendRefs").index(index),
                    backend,
                    None
                ));
            }
            for (index, filter) in found.filters.iter().flatten().enumerate() {
                if let Some(mirror) = &filter.request_mirror {
                    let place = place
                        .key("filters")
                        .index(index)
                        .key("requestMirror")
                        .key("backendRef");
                    backends.push(reference!(header, place, mirror.backend_ref, None));
                }
            }
        }
        Route {
            header,
            hostnames: spec.hostnames.iter().flatten().map(String::as_str).collect(),
            parents: parents!(header, spec),
            backends,
        }
    }};
}

/// Routes of connections.
macro_rules! connection_route {
    ($route:expr, $hostnames:expr) => {{
        let (header, spec) = ($route.header(), &$route.spec);
        let mut backends = Vec::new();
        for (rule, found) in spec.rules.iter().enumerate() {
            for (index, backend) in found.backend_refs.iter().enumerate() {
                let place = path!["spec", "rules", rule, "backendRefs", index];
                backends.push(reference!(header, place, backend, None));
            }
        }
        Route {
            header,
            hostnames: $hostnames,
            parents: parents!(header, spec),
            backends,
        }
    }};
}

/// Every route, kind by kind.
pub(crate) fn routes(mesh: &Mesh) -> Vec<Route<'_>> {
    let mut routes = Vec::new();
    routes.extend(mesh.http_routes().iter().map(|route| request_route!(route)));
    routes.extend(mesh.grpc_routes().iter().map(|route| request_route!(route)));
    routes.extend(mesh.tls_routes().iter().map(|route| {
        let hostnames = route.spec.hostnames.iter().map(String::as_str).collect();
        connection_route!(route, hostnames)
    }));
    routes.extend(
        mesh.tcp_routes()
            .iter()
            .map(|route| connection_route!(route, Vec::new())),
    );
    routes
}

/// The gateway that a parent reference is to.
pub(crate) fn gateway<'m>(mesh: &'m Mesh, parent: &Reference<'_>) -> Option<&'m Resource<GatewaySpec>> {
    mesh.get::<GatewaySpec>(parent.namespace, parent.name)
        .map(|gateway| &**gateway)
}

#[cfg(test)]
pub(crate) mod testing {
    /// An object of the Gateway API; `spec` is on one line.
    pub(crate) fn object(kind: &str, namespace: &str, name: &str, spec: &str) -> String {
        let version = match kind {
            "TCPRoute" => "v1alpha2",
            "ReferenceGrant" => "v1beta1",
            _ => "v1",
        };
        format!(
            "apiVersion: gateway.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: {name}, namespace: \
             {namespace}}}\nspec: {spec}\n---\n"
        )
    }
}
