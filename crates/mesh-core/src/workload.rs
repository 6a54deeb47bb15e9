//! Workloads: pods, and the pods that the templates of Deployments and their like would make.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{DaemonSetSpec, DeploymentSpec, ReplicaSetSpec, StatefulSetSpec};
use k8s_openapi::api::batch::v1::{CronJobSpec, JobSpec};
use k8s_openapi::api::core::v1::{PodSpec, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_yaml::FieldPath;
use rustc_hash::FxHashMap;

use crate::kind::Kind;
use crate::mesh::Mesh;
use crate::resource::{Header, Labels, Resource, selects};

/// Pods, and the kinds whose templates make pods.
pub const KINDS: &[Kind] = &[
    Kind::Pod,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::ReplicaSet,
    Kind::Job,
    Kind::CronJob,
];

/// The object that a workload's pods come from.
#[derive(Clone, Debug)]
enum Owner {
    Pod(Arc<Resource<PodSpec>>),
    Deployment(Arc<Resource<DeploymentSpec>>),
    StatefulSet(Arc<Resource<StatefulSetSpec>>),
    DaemonSet(Arc<Resource<DaemonSetSpec>>),
    ReplicaSet(Arc<Resource<ReplicaSetSpec>>),
    Job(Arc<Resource<JobSpec>>),
    CronJob(Arc<Resource<CronJobSpec>>),
}

/// A pod, or what the pods of a template would be.
#[derive(Clone, Debug)]
pub struct Workload {
    owner: Owner,
}

/// The labels of a template that has none.
static NO_LABELS: Labels = Labels::new();

impl Workload {
    fn new(owner: Owner) -> Self {
        Self { owner }
    }

    fn template(&self) -> Option<&PodTemplateSpec> {
        match &self.owner {
            Owner::Pod(_) => None,
            Owner::Deployment(owner) => Some(&owner.spec.template),
            Owner::StatefulSet(owner) => Some(&owner.spec.template),
            Owner::DaemonSet(owner) => Some(&owner.spec.template),
            Owner::ReplicaSet(owner) => owner.spec.template.as_ref(),
            Owner::Job(owner) => Some(&owner.spec.template),
            Owner::CronJob(owner) => Some(&owner.spec.job_template.spec.as_ref()?.template),
        }
    }

    /// The object that the pods come from; the pod itself for a pod.
    pub fn owner(&self) -> &Header {
        match &self.owner {
            Owner::Pod(owner) => owner.header(),
            Owner::Deployment(owner) => owner.header(),
            Owner::StatefulSet(owner) => owner.header(),
            Owner::DaemonSet(owner) => owner.header(),
            Owner::ReplicaSet(owner) => owner.header(),
            Owner::Job(owner) => owner.header(),
            Owner::CronJob(owner) => owner.header(),
        }
    }

    /// Whether it is a pod rather than a template.
    pub fn is_pod(&self) -> bool {
        matches!(self.owner, Owner::Pod(_))
    }

    /// The namespace of the pods.
    pub fn namespace(&self) -> &str {
        self.owner().namespace()
    }

    /// The labels of the pods.
    pub fn labels(&self) -> &Labels {
        match &self.owner {
            Owner::Pod(pod) => pod.labels(),
            _ => self
                .template_metadata()
                .and_then(|metadata| metadata.labels.as_ref())
                .unwrap_or(&NO_LABELS),
        }
    }

    /// The annotations of the pods.
    pub fn annotations(&self) -> &Labels {
        match &self.owner {
            Owner::Pod(pod) => pod.annotations(),
            _ => self
                .template_metadata()
                .and_then(|metadata| metadata.annotations.as_ref())
                .unwrap_or(&NO_LABELS),
        }
    }

    fn template_metadata(&self) -> Option<&ObjectMeta> {
        self.template()?.metadata.as_ref()
    }

    /// The pod's specification.
    pub fn pod_spec(&self) -> Option<&PodSpec> {
        match &self.owner {
            Owner::Pod(pod) => Some(&pod.spec),
            _ => self.template()?.spec.as_ref(),
        }
    }

    /// The path from the owner's root to the pod template; empty for a pod.
    pub fn template_path(&self) -> FieldPath {
        match self.owner().kind() {
            Kind::Pod => FieldPath::root(),
            Kind::CronJob => mesh_yaml::path!["spec", "jobTemplate", "spec", "template"],
            _ => mesh_yaml::path!["spec", "template"],
        }
    }

    /// The path from the owner's root to the pods' labels.
    pub fn labels_path(&self) -> FieldPath {
        self.template_path().key("metadata").key("labels")
    }

    /// The path from the owner's root to the pods' specification.
    pub fn spec_path(&self) -> FieldPath {
        self.template_path().key("spec")
    }

    /// Whether the pods share the network of their node, and so never get a sidecar.
    pub fn uses_host_network(&self) -> bool {
        self.pod_spec()
            .and_then(|spec| spec.host_network)
            .unwrap_or_default()
    }

    /// The service account of the pods.
    pub fn service_account(&self) -> &str {
        self.pod_spec()
            .and_then(|spec| spec.service_account_name.as_deref())
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
    }
}

/// All workloads of a mesh, indexed by namespace and label.
#[derive(Debug, Default)]
pub struct Workloads {
    list: Vec<Workload>,
    /// How many of them stand for themselves; the pods that follow repeat the template of one of these.
    own: usize,
    by_namespace: FxHashMap<String, LabelIndex>,
    everywhere: LabelIndex,
}

#[derive(Debug, Default)]
struct LabelIndex {
    all: Vec<u32>,
    by_label: FxHashMap<String, FxHashMap<String, Vec<u32>>>,
}

impl Workloads {
    pub(crate) fn build(mesh: &Mesh) -> Self {
        let mut list = Vec::new();
        let (repeating, single): (Vec<_>, Vec<_>) = mesh
            .pods()
            .iter()
            .cloned()
            .partition(|pod| has_template(mesh, pod));
        list.extend(single.into_iter().map(Owner::Pod).map(Workload::new));
        list.extend(
            mesh.deployments()
                .iter()
                .cloned()
                .map(Owner::Deployment)
                .map(Workload::new),
        );
        list.extend(
            mesh.stateful_sets()
                .iter()
                .cloned()
                .map(Owner::StatefulSet)
                .map(Workload::new),
        );
        list.extend(
            mesh.daemon_sets()
                .iter()
                .cloned()
                .map(Owner::DaemonSet)
                .map(Workload::new),
        );
        // A ReplicaSet or Job that something else manages repeats the template of its owner.
        let managed = |header: &Header| !header.metadata().owner_references.is_empty();
        let replica_sets = mesh.replica_sets().iter().filter(|set| !managed(set));
        list.extend(replica_sets.cloned().map(Owner::ReplicaSet).map(Workload::new));
        let jobs = mesh.jobs().iter().filter(|job| !managed(job));
        list.extend(jobs.cloned().map(Owner::Job).map(Workload::new));
        list.extend(
            mesh.cron_jobs()
                .iter()
                .cloned()
                .map(Owner::CronJob)
                .map(Workload::new),
        );
        let own = list.len();
        list.extend(repeating.into_iter().map(Owner::Pod).map(Workload::new));

        let mut by_namespace: FxHashMap<String, LabelIndex> = FxHashMap::default();
        let mut everywhere = LabelIndex::default();
        for (number, workload) in (0_u32..).zip(&list) {
            let index = by_namespace.entry(workload.namespace().to_owned()).or_default();
            index.add(number, workload.labels());
            everywhere.add(number, workload.labels());
        }
        Self {
            list,
            own,
            by_namespace,
            everywhere,
        }
    }

    /// Every workload: pods first, then by kind, namespace and name. Pods that were made from a template of the mesh
    /// repeat it, and are not among them; selectors find these too.
    pub fn all(&self) -> &[Workload] {
        &self.list[..self.own]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The workloads of a namespace.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = &Workload> {
        let numbers = self
            .by_namespace
            .get(namespace)
            .map_or(&[][..], |index| &index.all);
        numbers.iter().map(|number| &self.list[*number as usize])
    }

    /// The workloads of a namespace with all labels of `selector`. An empty selector selects all.
    pub fn select<'a>(&'a self, namespace: &str, selector: &'a Labels) -> impl Iterator<Item = &'a Workload> {
        let index = self.by_namespace.get(namespace);
        let numbers = index.map_or(&[][..], |index| index.candidates(selector));
        numbers
            .iter()
            .map(|number| &self.list[*number as usize])
            .filter(|workload| selects(selector, workload.labels()))
    }

    /// The workloads of every namespace with all labels of `selector`. An empty selector selects all.
    pub fn select_anywhere<'a>(&'a self, selector: &'a Labels) -> impl Iterator<Item = &'a Workload> {
        self.everywhere
            .candidates(selector)
            .iter()
            .map(|number| &self.list[*number as usize])
            .filter(|workload| selects(selector, workload.labels()))
    }
}

/// Whether the mesh has the template that the pod was made from.
fn has_template(mesh: &Mesh, pod: &Header) -> bool {
    let namespace = pod.namespace();
    let mut owners = pod.metadata().owner_references.iter();
    owners.any(|owner| match owner.kind.as_str() {
        // A Deployment's ReplicaSets add a hash to its name, and to their pods.
        "ReplicaSet" => pod
            .labels()
            .get("pod-template-hash")
            .and_then(|hash| owner.name.strip_suffix(hash.as_str())?.strip_suffix('-'))
            .is_some_and(|name| mesh.contains(Kind::Deployment, namespace, name)),
        "StatefulSet" => mesh.contains(Kind::StatefulSet, namespace, &owner.name),
        "DaemonSet" => mesh.contains(Kind::DaemonSet, namespace, &owner.name),
        "Job" => mesh.contains(Kind::Job, namespace, &owner.name),
        _ => false,
    })
}

impl LabelIndex {
    fn add(&mut self, number: u32, labels: &Labels) {
        self.all.push(number);
        for (key, value) in labels {
            let values = self.by_label.entry(key.clone()).or_default();
            values.entry(value.clone()).or_default().push(number);
        }
    }

    /// The shortest list of numbers that holds everything that `selector` selects.
    fn candidates(&self, selector: &Labels) -> &[u32] {
        selector
            .iter()
            .map(|(key, value)| {
                self.by_label
                    .get(key)
                    .and_then(|values| values.get(value))
                    .map_or(&[][..], Vec::as_slice)
            })
            .min_by_key(|numbers| numbers.len())
            .unwrap_or(&self.all)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::resource::Labels;
    use crate::source::{LoadOptions, Source, load_text};
    use crate::{Mesh, MeshBuilder, Settings};

    fn mesh(text: &str) -> Mesh {
        let mut builder = MeshBuilder::new(Settings::default());
        let text: Arc<str> = text.into();
        let loaded = load_text(builder.next_source(), "a.yaml", &text, &LoadOptions::default());
        builder.add(Source::new("a.yaml", text), loaded);
        builder.build()
    }

    #[test]
    fn selectors_select_in_one_namespace_or_in_all() {
        let mesh = mesh(
            "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: x, labels: {app: a, v: '1'}}}\n---\n\
             {apiVersion: v1, kind: Pod, metadata: {name: b, namespace: y, labels: {app: a}}}\n---\n\
             {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: y}}\n",
        );
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            pairs
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        let anywhere = |pairs: &[(&str, &str)]| -> String {
            let labels = labels(pairs);
            let found = mesh.workloads().select_anywhere(&labels);
            found.map(|workload| workload.owner().name()).collect()
        };
        assert_eq!(anywhere(&[("app", "a")]), "ab");
        assert_eq!(anywhere(&[("app", "a"), ("v", "1")]), "a");
        assert_eq!(anywhere(&[("app", "z")]), "");
        assert_eq!(anywhere(&[]), "abc");
        let selector = labels(&[("app", "a")]);
        let found: String = mesh
            .workloads()
            .select("y", &selector)
            .map(|workload| workload.owner().name())
            .collect();
        assert_eq!(found, "b");
    }
}
