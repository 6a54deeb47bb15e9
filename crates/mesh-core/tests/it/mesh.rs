//! Identity, overlay, and mesh-wide configuration.

use mesh_core::istio::virtual_service::VirtualService;
use mesh_core::{Kind, Labels};
use mesh_yaml::path;

use crate::mesh_of;

const ROUTE: &str = "
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: reviews, namespace: shop}
spec: {hosts: [old.example]}
";

#[test]
fn every_served_version_is_read_into_one_type() {
    for version in ["v1", "v1beta1", "v1alpha3"] {
        let mesh = mesh_of(&ROUTE.replace("/v1", &format!("/{version}")));
        let route = mesh.get::<VirtualService>("shop", "reviews").expect("is there");
        assert_eq!(route.spec.hosts, ["old.example"]);
        assert_eq!(route.api_version(), format!("networking.istio.io/{version}"));
    }
}

#[test]
fn the_last_of_several_equal_identities_counts() {
    let mesh = mesh_of(&format!("{ROUTE}---{}", ROUTE.replace("old", "new")));
    let [only] = mesh.virtual_services() else {
        panic!("one is left: {:?}", mesh.virtual_services())
    };
    assert_eq!(only.spec.hosts, ["new.example"]);
    let [(earlier, later)] = mesh.duplicates() else {
        panic!("one duplicate")
    };
    assert_eq!(earlier.header().id(), later.header().id());
    assert!(earlier.header().origin().document.index() < later.header().origin().document.index());
}

#[test]
fn generated_names_never_collide() {
    let job = "
apiVersion: batch/v1
kind: Job
metadata: {generateName: migrate-}
spec: {template: {spec: {containers: []}}}
";
    let mesh = mesh_of(&format!("{job}---{job}"));
    assert_eq!(mesh.jobs().len(), 2);
    assert!(mesh.duplicates().is_empty());
}

#[test]
fn namespaces_default_only_where_there_are_namespaces() {
    let mesh = mesh_of(
        "{apiVersion: v1, kind: Namespace, metadata: {name: a, namespace: x}}\n---\n{apiVersion: v1, kind: Service, metadata: {name: a}}",
    );
    assert_eq!(mesh.namespaces()[0].namespace(), "");
    assert_eq!(mesh.services()[0].namespace(), "default");
}

#[test]
fn an_overlay_replaces_and_adds_and_keeps_places() {
    let base = mesh_of(&format!(
        "{ROUTE}---\n{{apiVersion: v1, kind: Service, metadata: {{name: a}}}}"
    ));
    let change = mesh_of(&format!(
        "{}---\n{{apiVersion: v1, kind: Service, metadata: {{name: b}}}}",
        ROUTE.replace("old", "new")
    ));
    let mesh = base.overlay(&change);
    assert_eq!(
        mesh.get::<VirtualService>("shop", "reviews")
            .expect("is there")
            .spec
            .hosts,
        ["new.example"]
    );
    assert_eq!(mesh.count(Kind::Service), 2);
    assert!(mesh.duplicates().is_empty());
    for resource in mesh.resources() {
        let origin = resource.header().origin();
        assert_eq!(
            mesh.source(origin.source).text(),
            origin.document.text(),
            "{}",
            resource.header().id()
        );
    }
    // The meshes that it was made from are as they were.
    assert_eq!(base.count(Kind::Service), 1);
    assert_eq!(base.virtual_services()[0].spec.hosts, ["old.example"]);
}

#[test]
fn violations_of_replaced_resources_are_gone_after_an_overlay() {
    let base = mesh_of(&ROUTE.replace("hosts", "hots"));
    assert_eq!(base.violations().len(), 1);
    assert_eq!(base.overlay(&mesh_of(ROUTE)).violations().len(), 0);
    assert_eq!(mesh_of(ROUTE).overlay(&base).violations().len(), 1);
}

#[test]
fn the_config_map_of_the_control_plane_is_the_mesh_configuration() {
    let map = "
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    rootNamespace: mesh-root
    defaultConfig: {proxyAdminPort: 15999}
";
    let mesh = mesh_of(map);
    assert_eq!(mesh.root_namespace(), "mesh-root");
    let proxy = mesh.config().default_config.as_ref().expect("has defaults");
    assert_eq!(proxy.proxy_admin_port, 15999);
    assert!(
        !proxy.discovery_address.is_empty(),
        "settings that the map does not make keep their defaults"
    );
    let elsewhere = mesh_of(&map.replace("istio-system", "elsewhere"));
    assert_eq!(elsewhere.root_namespace(), "istio-system");
    assert!(mesh.has_own_config() && mesh.overlay(&elsewhere).has_own_config());
    assert!(!elsewhere.has_own_config());
    assert_eq!(elsewhere.overlay(&mesh).root_namespace(), "mesh-root");
}

#[test]
fn workloads_are_pods_and_what_templates_would_make() {
    let mesh = mesh_of(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    metadata: {labels: {app: web, version: v1}}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate: {spec: {template: {metadata: {labels: {app: nightly}}, spec: {hostNetwork: true}}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1, ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: web, uid: u}]}
spec: {template: {metadata: {labels: {app: web}}}}
---
apiVersion: v1
kind: Pod
metadata: {name: single, namespace: other, labels: {app: web}}
",
    );
    let select = |namespace: &str, pairs: &[(&str, &str)]| {
        let selector: Labels = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let found = mesh.workloads().select(namespace, &selector);
        found
            .map(|workload| workload.owner().name().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        select("default", &[("app", "web")]),
        ["web"],
        "a ReplicaSet of a Deployment is not another workload"
    );
    assert_eq!(select("default", &[("app", "web"), ("version", "v2")]), [""; 0]);
    assert_eq!(select("default", &[]), ["web", "nightly"]);
    assert_eq!(select("other", &[("app", "web")]), ["single"]);
    let nightly = mesh.workloads().in_namespace("default").nth(1).expect("is there");
    assert!(nightly.uses_host_network());
    assert_eq!(
        nightly.labels_path(),
        path!["spec", "jobTemplate", "spec", "template", "metadata", "labels"]
    );
}
