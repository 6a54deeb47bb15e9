//! From a specification to the objects of a control plane.
//!
//! ```text
//! Spec ─► base, pilot, cni, ztunnel, gateways: typed builders ─► trees ─ settings: `k8s` of the component ─► Manifest
//! ```
//!
//! Names, ports, arguments and rights are those of Istio's charts, so that istiod, proxies and tools find what they
//! look for.

mod base;
mod cni;
mod gateway;
mod injector;
mod parts;
mod pilot;
mod settings;
#[cfg(test)]
mod tests;
mod webhooks;
mod ztunnel;

use std::fmt;

use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

pub use settings::OverlayError;

use crate::inventory::DEFAULT_REVISION;
use crate::plan;
use crate::schedule::{Workload, WorkloadKind};
use crate::spec::Spec;
use crate::spec::values::Values;
use crate::tag::default_validator;
use parts::{Texts, some, texts};

/// A part of a control plane, in the order in which parts are installed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ComponentName {
    /// The namespace, the resource definitions, and the account with which other clusters read this one.
    Base,
    /// The agent that sets up the network of pods: a DaemonSet.
    Cni,
    /// istiod.
    Pilot,
    /// The node proxy of ambient mode: a DaemonSet.
    Ztunnel,
    /// The gateways for traffic into the mesh.
    IngressGateways,
    /// The gateways for traffic out of the mesh.
    EgressGateways,
}

impl ComponentName {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Base,
        Self::Cni,
        Self::Pilot,
        Self::Ztunnel,
        Self::IngressGateways,
        Self::EgressGateways,
    ];

    /// The name in the label `operator.istio.io/component`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "Base",
            Self::Cni => "Cni",
            Self::Pilot => "Pilot",
            Self::Ztunnel => "Ztunnel",
            Self::IngressGateways => "IngressGateways",
            Self::EgressGateways => "EgressGateways",
        }
    }

    /// The component of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|component| component.as_str() == name)
    }
}

impl fmt::Display for ComponentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The objects of a control plane.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The parts that are installed, in order. A part without objects is left out.
    pub components: Vec<Component>,
    /// What checks configuration that names no revision, if this revision is to do that. It is not one of
    /// [`Manifest::objects`]: as with the charts, who applies these by other means chooses a revision for it.
    pub default_validator: Option<Value>,
}

/// The objects of a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// Which part.
    pub name: ComponentName,
    /// Its objects, in an order in which they can be created.
    pub objects: Vec<Value>,
}

impl Manifest {
    /// All objects, in order.
    pub fn objects(&self) -> impl Iterator<Item = &Value> {
        self.components.iter().flat_map(|component| &component.objects)
    }

    /// All objects that are installed, in order.
    pub fn installed(&self) -> impl Iterator<Item = &Value> {
        self.objects().chain(&self.default_validator)
    }

    /// The components as parts of an installation: each is waited for before those that need it.
    pub fn parts(&self) -> Vec<plan::Part> {
        let parts = self.components.iter().map(|component| {
            let (name, wave) = match component.name {
                ComponentName::Base => ("base", 0),
                ComponentName::Cni => ("cni", 1),
                ComponentName::Pilot => ("istiod", 1),
                ComponentName::Ztunnel => ("ztunnel", 2),
                ComponentName::IngressGateways => ("ingress-gateways", 2),
                ComponentName::EgressGateways => ("egress-gateways", 2),
            };
            let mut objects = component.objects.clone();
            if component.name == ComponentName::Pilot {
                objects.extend(self.default_validator.clone());
            }
            plan::Part {
                name: name.to_owned(),
                wave,
                objects,
            }
        });
        parts.collect()
    }

    /// What runs pods, with the component that it belongs to.
    pub fn workloads(&self) -> Vec<(ComponentName, Workload)> {
        let each = self.components.iter().flat_map(|component| {
            let objects = component.objects.iter();
            objects.filter_map(|object| Some((component.name, workload(object, &component.objects)?)))
        });
        each.collect()
    }
}

/// What runs pods, if an object does. A Deployment that is scaled has as many pods as it has at least.
fn workload(object: &Value, beside: &[Value]) -> Option<Workload> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (kind, name) = (text("/kind")?, text("/metadata/name")?);
    let namespace = text("/metadata/namespace")?;
    let kind = match kind {
        "DaemonSet" => WorkloadKind::DaemonSet,
        "Deployment" => {
            let scaled = beside.iter().find(|other| {
                other["kind"] == "HorizontalPodAutoscaler"
                    && other.pointer("/spec/scaleTargetRef/name") == object.pointer("/metadata/name")
                    && other.pointer("/metadata/namespace") == object.pointer("/metadata/namespace")
            });
            let replicas = match scaled {
                Some(scaler) => scaler.pointer("/spec/minReplicas"),
                None => object.pointer("/spec/replicas"),
            };
            let replicas = replicas.and_then(Value::as_u64).unwrap_or(1);
            WorkloadKind::Deployment {
                replicas: usize::try_from(replicas).unwrap_or(usize::MAX),
            }
        }
        _ => return None,
    };
    Some(Workload {
        kind,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        template: serde_json::from_value(object.pointer("/spec/template")?.clone()).ok()?,
    })
}

/// The objects of a control plane. The same specification gives the same objects in the same order.
pub fn render(spec: &Spec) -> Manifest {
    let context = Context { spec };
    let components = ComponentName::ALL.into_iter().map(|name| Component {
        name,
        objects: context.of(name).objects(&mut Vec::new()),
    });
    let components: Vec<Component> = components
        .filter(|component| !component.objects.is_empty())
        .collect();
    let validator = components
        .iter()
        .filter(|component| component.name == ComponentName::Pilot)
        .flat_map(|component| &component.objects)
        .find(|object| object["kind"] == "ValidatingWebhookConfiguration");
    let (mesh, revision) = (spec.namespace(), spec.revision_label());
    let is_default = matches!(
        (revision, spec.control_plane.values.default_revision.as_str()),
        (DEFAULT_REVISION, "" | DEFAULT_REVISION)
    );
    let default_validator = validator
        .filter(|_| is_default)
        .map(|validator| default_validator(mesh, revision, validator));
    Manifest {
        components,
        default_validator,
    }
}

/// The overlays of a specification that change nothing.
pub(crate) fn idle_overlays(spec: &Spec) -> Vec<OverlayError> {
    let components = &spec.control_plane.components;
    let settings = [&components.pilot, &components.cni, &components.ztunnel].map(|part| &part.k8s);
    let gateways = components
        .ingress_gateways
        .iter()
        .chain(&components.egress_gateways);
    let mut all = settings.into_iter().chain(gateways.map(|gateway| &gateway.k8s));
    let mut errors = Vec::new();
    if all.any(|settings| !settings.overlays.is_empty()) {
        // The base has none, and its definitions take longest.
        for name in &ComponentName::ALL[1..] {
            Context { spec }.of(*name).objects(&mut errors);
        }
    }
    errors
}

/// What all components are made from.
#[derive(Clone, Copy)]
struct Context<'a> {
    spec: &'a Spec,
}

impl<'a> Context<'a> {
    fn of(self, component: ComponentName) -> Part<'a> {
        Part {
            context: self,
            component,
        }
    }

    fn values(self) -> &'a Values {
        &self.spec.control_plane.values
    }

    /// The name of an object of which each revision has one.
    fn revised(self, name: &str) -> String {
        match self.spec.revision() {
            Some(revision) => format!("{name}-{revision}"),
            None => name.to_owned(),
        }
    }

    /// The name of an object of the cluster of which each control plane has one.
    fn of_cluster(self, name: &str) -> String {
        format!("{}-{}", self.revised(name), self.spec.namespace())
    }

    /// The address of istiod.
    fn istiod(self) -> String {
        format!("{}.{}.svc:15012", self.revised("istiod"), self.spec.namespace())
    }

    /// An image: a name in the registry, or a whole reference.
    fn image(self, name: &str, hub: [&str; 2], tag: [&str; 2], variant: &str) -> String {
        if name.contains('/') {
            return name.to_owned();
        }
        let spec = &self.spec.control_plane;
        let first = |given: [&'a str; 2], default: &'a str| {
            given.into_iter().find(|text| !text.is_empty()).unwrap_or(default)
        };
        let hub = hub.into_iter().find(|text| !text.is_empty()).unwrap_or(&spec.hub);
        let tag = tag.into_iter().find(|text| !text.is_empty()).unwrap_or(&spec.tag);
        let variant = if variant.is_empty() {
            first(["", ""], &spec.variant)
        } else {
            variant
        };
        let dash = if variant.is_empty() { "" } else { "-" };
        format!("{hub}/{name}:{tag}{dash}{variant}")
    }

    /// The cluster that proxies say they are in.
    fn cluster(self) -> &'a str {
        match &*self.values().global.multi_cluster.cluster_name {
            "" => "Kubernetes",
            name => name,
        }
    }

    /// A field of the mesh config.
    fn mesh(self, pointer: &str) -> Option<&'a Value> {
        self.spec.to_json().pointer("/meshConfig")?.pointer(pointer)
    }

    /// Metadata of proxies that the whole mesh has.
    fn proxy_metadata(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let map = self
            .mesh("/defaultConfig/proxyMetadata")
            .and_then(Value::as_object);
        let pairs = map.into_iter().flatten();
        let mut pairs: Vec<_> = pairs
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        pairs.sort_unstable();
        pairs.into_iter()
    }

    /// Whether the platform is OpenShift.
    fn is_openshift(self) -> bool {
        self.values().global.platform == "openshift"
    }
}

/// A component that is being made.
#[derive(Clone, Copy)]
struct Part<'a> {
    context: Context<'a>,
    component: ComponentName,
}

impl Part<'_> {
    fn objects(self, errors: &mut Vec<OverlayError>) -> Vec<Value> {
        let components = &self.context.spec.control_plane.components;
        let apply = |objects: Vec<Value>, settings, errors: &mut Vec<OverlayError>| {
            settings::apply(self.component, objects, settings, errors)
        };
        match self.component {
            ComponentName::Base if components.base.enabled => base::objects(self),
            ComponentName::Pilot if components.pilot.enabled => {
                apply(pilot::objects(self), &components.pilot.k8s, errors)
            }
            ComponentName::Cni if components.cni.enabled => {
                apply(cni::objects(self), &components.cni.k8s, errors)
            }
            ComponentName::Ztunnel if components.ztunnel.enabled => {
                apply(ztunnel::objects(self), &components.ztunnel.k8s, errors)
            }
            ComponentName::IngressGateways => gateway::objects(self, &components.ingress_gateways, errors),
            ComponentName::EgressGateways => gateway::objects(self, &components.egress_gateways, errors),
            _ => Vec::new(),
        }
    }

    /// The labels of every object of the component. `app` is what it belongs to.
    fn labels(self, app: &str) -> Texts {
        let mut labels = texts([
            ("app", app),
            ("app.kubernetes.io/instance", "istio"),
            ("app.kubernetes.io/managed-by", "meshctl"),
            ("app.kubernetes.io/name", app),
            ("app.kubernetes.io/part-of", "istio"),
            ("istio.io/rev", self.context.spec.revision_label()),
            ("operator.istio.io/component", self.component.as_str()),
        ]);
        // A tag can be longer than a label, and end in what a label must not end in.
        let tag = &self.context.spec.control_plane.tag;
        let version: String = tag.chars().take(63).collect();
        let version = version.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        labels.insert("app.kubernetes.io/version".to_owned(), version.to_owned());
        labels
    }

    /// Name and labels of an object of a namespace; of the cluster, if the namespace is empty.
    fn metadata(self, namespace: &str, name: impl Into<String>, app: &str) -> ObjectMeta {
        ObjectMeta {
            name: Some(name.into()),
            namespace: some(namespace),
            labels: Some(self.labels(app)),
            ..ObjectMeta::default()
        }
    }
}
