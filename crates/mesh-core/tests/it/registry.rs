//! What host names mean.

use mesh_core::registry::TargetPort;
use mesh_core::{Lookup, Mesh, Protocol};

use crate::mesh_of;

const SERVICES: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec:
  selector: {app: reviews}
  ports:
  - {name: http, port: 80, targetPort: 8080}
  - {name: dns, port: 53, protocol: UDP, targetPort: dns-port}
---
apiVersion: v1
kind: Service
metadata: {name: private, namespace: shop, annotations: {networking.istio.io/exportTo: .}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: wide, namespace: shop}
spec: {hosts: ['*.example.com', '*.com'], ports: [{name: tls, number: 443, protocol: TLS}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: near, namespace: other}
spec: {hosts: ['api.example.com', 'twice.example'], exportTo: ['.']}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: far, namespace: shop}
spec: {hosts: ['twice.example']}
";

fn lookup(mesh: &Mesh, name: &str, namespace: &str) -> String {
    match mesh.registry().lookup(&mesh.host(name, namespace), namespace) {
        Lookup::Found(service) => format!("{} of {}", service.host(), service.header().name()),
        Lookup::Hidden(service) => format!("hidden {}", service.host()),
        Lookup::Unknown => "unknown".to_owned(),
    }
}

#[test]
fn names_resolve_from_where_they_are_written() {
    let mesh = mesh_of(SERVICES);
    for (name, namespace, expected) in [
        ("reviews", "shop", "reviews.shop.svc.cluster.local of reviews"),
        ("reviews", "other", "unknown"),
        ("reviews.shop", "shop", "unknown"),
        (
            "reviews.shop.svc.cluster.local",
            "other",
            "reviews.shop.svc.cluster.local of reviews",
        ),
        (
            "private.shop.svc.cluster.local",
            "shop",
            "private.shop.svc.cluster.local of private",
        ),
        (
            "private.shop.svc.cluster.local",
            "other",
            "hidden private.shop.svc.cluster.local",
        ),
        ("www.example.com", "shop", "*.example.com of wide"),
        ("api.example.com", "other", "api.example.com of near"),
        ("api.example.com", "shop", "*.example.com of wide"),
        ("a.org", "shop", "unknown"),
        ("b.com", "shop", "*.com of wide"),
        ("twice.example", "other", "twice.example of near"),
        ("twice.example", "shop", "twice.example of far"),
    ] {
        assert_eq!(
            lookup(&mesh, name, namespace),
            expected,
            "{name} from {namespace}"
        );
    }
}

#[test]
fn ports_know_protocol_and_target() {
    let mesh = mesh_of(SERVICES);
    let service = mesh
        .registry()
        .with_host("reviews.shop.svc.cluster.local")
        .next()
        .expect("is there");
    let http = service.port(80).expect("port 80");
    assert_eq!(
        (http.protocol, &http.target),
        (Some(Protocol::Http), &TargetPort::Number(8080))
    );
    let dns = service.port(53).expect("port 53");
    assert_eq!(
        (dns.protocol, &dns.target),
        (Some(Protocol::Udp), &TargetPort::Name("dns-port".to_owned()))
    );
    assert_eq!(service.port(8080), None);
}

#[test]
fn endpoints_are_pods_templates_entries_and_inline_addresses() {
    let mesh = mesh_of(
        "
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec: {template: {metadata: {labels: {app: web, from: template}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web, from: pod}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm}
spec: {address: 10.0.0.1, labels: {app: web, from: entry}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: inline}
spec: {hosts: [a.example], resolution: STATIC, endpoints: [{address: 10.0.0.2, labels: {from: inline}}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
",
    );
    let from = |host: &str| {
        let service = mesh.registry().with_host(host).next().expect("is there");
        let mut labels: Vec<_> = mesh
            .registry()
            .endpoint_labels(&mesh, service)
            .iter()
            .map(|labels| labels["from"].clone())
            .collect();
        labels.sort();
        labels
    };
    assert_eq!(
        from("web.default.svc.cluster.local"),
        ["entry", "pod", "template"]
    );
    assert_eq!(from("a.example"), ["inline"]);
    assert_eq!(from("headless.default.svc.cluster.local"), [""; 0]);
}

#[test]
fn the_mesh_may_make_services_private_by_default() {
    let mesh = mesh_of(&format!(
        "{SERVICES}---
apiVersion: v1
kind: ConfigMap
metadata: {{name: istio, namespace: istio-system}}
data: {{mesh: 'defaultServiceExportTo: [.]'}}
"
    ));
    assert_eq!(
        lookup(&mesh, "reviews.shop.svc.cluster.local", "other"),
        "hidden reviews.shop.svc.cluster.local"
    );
    assert_eq!(
        lookup(&mesh, "reviews", "shop"),
        "reviews.shop.svc.cluster.local of reviews"
    );
}
