//! Rules on the annotations and labels that Istio gives a meaning.

pub mod deprecated_annotation;
pub mod invalid_annotation;
pub mod misplaced_annotation;
pub mod unknown_annotation;

use mesh_core::{AnyResource, Header, Kind, Labels, Mesh, Workload};
use mesh_yaml::{FieldPath, path};

use super::words::with_article;

/// The metadata of an object, or of the pods that a template makes.
pub(super) struct Described<'a> {
    /// The object.
    pub(super) header: &'a Header,
    /// What the metadata belongs to: the object's kind, or [`Kind::Pod`] for a template.
    pub(super) kind: Kind,
    /// The path to the metadata.
    pub(super) path: FieldPath,
    pub(super) labels: &'a Labels,
    pub(super) annotations: &'a Labels,
    /// The pods of the object, if this is the metadata of the object that makes them.
    pub(super) pods: Option<&'a Workload>,
}

impl Described<'_> {
    /// The path to an annotation.
    pub(super) fn annotation(&self, key: &str) -> FieldPath {
        self.path.key("annotations").key(key)
    }

    /// The path to a label.
    pub(super) fn label(&self, key: &str) -> FieldPath {
        self.path.key("labels").key(key)
    }

    /// The kind with an article, or what stands for pods.
    pub(super) fn noun(&self) -> String {
        match self.kind {
            Kind::Pod if self.header.kind() == Kind::Pod => "a Pod".to_owned(),
            Kind::Pod => "pods".to_owned(),
            kind => with_article(kind),
        }
    }
}

/// The kinds besides workloads whose metadata is judged. Tools put the same annotations on all objects of an
/// application, so others are not.
const JUDGED: [Kind; 11] = [
    Kind::Namespace,
    Kind::Service,
    Kind::Ingress,
    Kind::KubernetesGateway,
    Kind::Gateway,
    Kind::VirtualService,
    Kind::DestinationRule,
    Kind::ServiceEntry,
    Kind::WorkloadEntry,
    Kind::WorkloadGroup,
    Kind::AuthorizationPolicy,
];

/// Calls `visit` with all metadata that is judged, in a fixed order.
pub(super) fn each(mesh: &Mesh, mut visit: impl FnMut(&Described<'_>)) {
    let mentions_istio = |labels: &Labels| labels.keys().any(|key| key.contains("istio"));
    let mut visit = |described: &Described<'_>| {
        // Most objects say nothing of interest.
        if mentions_istio(described.annotations) || mentions_istio(described.labels) {
            visit(described);
        }
    };
    for resource in mesh.resources() {
        let header = AnyResource::header(&resource);
        if JUDGED.contains(&header.kind()) {
            visit(&Described {
                header,
                kind: header.kind(),
                path: path!["metadata"],
                labels: header.labels(),
                annotations: header.annotations(),
                pods: None,
            });
        }
    }
    for workload in mesh.workloads().all() {
        let owner = workload.owner();
        if !workload.is_pod() {
            visit(&Described {
                header: owner,
                kind: owner.kind(),
                path: path!["metadata"],
                labels: owner.labels(),
                annotations: owner.annotations(),
                pods: Some(workload),
            });
        }
        visit(&Described {
            header: owner,
            kind: Kind::Pod,
            path: workload.template_path().key("metadata"),
            labels: workload.labels(),
            annotations: workload.annotations(),
            pods: None,
        });
    }
}
