//! Objects that an installation consists of: their kinds, in the order in which they must come to be, and their
//! identities.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::inventory::REVISION;

/// The label of every object that belongs to an installation. Its value is the namespace of the mesh.
pub const OWNER_LABEL: &str = "install.meshctl.dev/mesh";

/// The name under which fields are owned (server-side apply).
pub const FIELD_MANAGER: &str = "meshctl";

/// A kind of object that can be installed.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectKind {
    /// The API group; empty for the core group.
    pub group: &'static str,
    /// The version that it is written and read in.
    pub version: &'static str,
    /// The kind, such as `Deployment`.
    pub kind: &'static str,
    /// The name in paths, such as `deployments`.
    pub plural: &'static str,
    /// Whether its objects are in namespaces.
    pub namespaced: bool,
    /// When its objects come to be.
    pub step: Step,
}

/// When objects come to be. Those of one step may come in any order; they go in the reverse order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// What others are in.
    Namespace,
    /// What others are instances of.
    Definition,
    /// Who others act as.
    Account,
    /// What they may do.
    Right,
    /// What they read, and what bounds them.
    Configuration,
    /// How they are reached.
    Service,
    /// What runs.
    Workload,
    /// What changes or guards what runs.
    Scaling,
    /// What the API server asks: last, when there is somebody to answer.
    Webhook,
}

const fn kind(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    step: Step,
) -> ObjectKind {
    ObjectKind {
        group,
        version,
        kind,
        plural,
        namespaced,
        step,
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";
const ADMISSION: &str = "admissionregistration.k8s.io";

/// Every kind that can be installed, in the order in which objects come to be.
pub static KINDS: &[ObjectKind] = &[
    kind("", "v1", "Namespace", "namespaces", false, Step::Namespace),
    kind(
        "apiextensions.k8s.io",
        "v1",
        "CustomResourceDefinition",
        "customresourcedefinitions",
        false,
        Step::Definition,
    ),
    kind("", "v1", "ServiceAccount", "serviceaccounts", true, Step::Account),
    kind(RBAC, "v1", "ClusterRole", "clusterroles", false, Step::Right),
    kind(
        RBAC,
        "v1",
        "ClusterRoleBinding",
        "clusterrolebindings",
        false,
        Step::Right,
    ),
    kind(RBAC, "v1", "Role", "roles", true, Step::Right),
    kind(RBAC, "v1", "RoleBinding", "rolebindings", true, Step::Right),
    kind("", "v1", "Secret", "secrets", true, Step::Configuration),
    kind("", "v1", "ConfigMap", "configmaps", true, Step::Configuration),
    kind(
        "",
        "v1",
        "ResourceQuota",
        "resourcequotas",
        true,
        Step::Configuration,
    ),
    kind("", "v1", "LimitRange", "limitranges", true, Step::Configuration),
    kind(
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
        true,
        Step::Configuration,
    ),
    kind(
        "k8s.cni.cncf.io",
        "v1",
        "NetworkAttachmentDefinition",
        "network-attachment-definitions",
        true,
        Step::Configuration,
    ),
    kind("", "v1", "Service", "services", true, Step::Service),
    kind(
        "discovery.k8s.io",
        "v1",
        "EndpointSlice",
        "endpointslices",
        true,
        Step::Service,
    ),
    kind("apps", "v1", "Deployment", "deployments", true, Step::Workload),
    kind("apps", "v1", "DaemonSet", "daemonsets", true, Step::Workload),
    kind(
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        true,
        Step::Scaling,
    ),
    kind(
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        true,
        Step::Scaling,
    ),
    kind(
        ADMISSION,
        "v1",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        false,
        Step::Scaling,
    ),
    kind(
        ADMISSION,
        "v1",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        false,
        Step::Scaling,
    ),
    kind(
        ADMISSION,
        "v1",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        false,
        Step::Webhook,
    ),
    kind(
        ADMISSION,
        "v1",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        false,
        Step::Webhook,
    ),
];

/// Leases are locks, and none of the kinds that are installed.
pub static LEASE: ObjectKind = kind(
    "coordination.k8s.io",
    "v1",
    "Lease",
    "leases",
    true,
    Step::Configuration,
);

impl ObjectKind {
    /// The kind of this name in a group, whatever the version.
    pub fn find(group: &str, name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.group == group && kind.kind == name)
    }

    /// The kind of a name that only one group has.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.kind == name)
    }

    /// `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Its place in the table.
    fn position(&self) -> usize {
        KINDS.iter().position(|kind| kind == self).unwrap_or(KINDS.len())
    }
}

/// The identity of an object. Sorts in the order in which objects come to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// What it is.
    pub kind: &'static ObjectKind,
    /// Where it is; empty for kinds without namespaces.
    pub namespace: String,
    /// What it is called.
    pub name: String,
}

/// An object that cannot be installed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    /// It is of a kind that is not in [`KINDS`].
    #[error("{kind} of {api_version} is not a kind that can be installed")]
    UnknownKind {
        /// Its `apiVersion`.
        api_version: String,
        /// Its `kind`.
        kind: String,
    },
    /// It has no name.
    #[error("an object of kind {0} has no name")]
    NoName(String),
}

impl ObjectRef {
    /// An object of a kind of the table. The namespace is dropped where the kind has none.
    pub fn new(kind: &'static ObjectKind, namespace: &str, name: &str) -> Self {
        Self {
            kind,
            namespace: if kind.namespaced {
                namespace.to_owned()
            } else {
                String::new()
            },
            name: name.to_owned(),
        }
    }

    /// The identity of an object; one that names no namespace is in `namespace`.
    ///
    /// # Errors
    ///
    /// Its kind is unknown, or it has no name.
    pub fn of(object: &Value, namespace: &str) -> Result<Self, NotAnObject> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text(&object["apiVersion"]), text(&object["kind"]));
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let Some(known) = ObjectKind::find(group, &kind) else {
            return Err(NotAnObject::UnknownKind { api_version, kind });
        };
        let metadata = &object["metadata"];
        let Some(name) = metadata["name"].as_str().filter(|name| !name.is_empty()) else {
            return Err(NotAnObject::NoName(kind));
        };
        let namespace = metadata["namespace"].as_str().unwrap_or(namespace);
        Ok(Self::new(known, namespace, name))
    }

    /// The path of all objects of the kind in its namespace.
    pub fn collection(&self) -> String {
        let ObjectKind {
            group,
            version,
            plural,
            ..
        } = self.kind;
        let root = if group.is_empty() {
            format!("/api/{version}")
        } else {
            format!("/apis/{group}/{version}")
        };
        if self.namespace.is_empty() {
            format!("{root}/{plural}")
        } else {
            format!("{root}/namespaces/{}/{plural}", self.namespace)
        }
    }

    /// The path of the object.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection(), self.name)
    }

    /// When it comes to be.
    pub fn step(&self) -> Step {
        self.kind.step
    }

    fn key(&self) -> (usize, &str, &str) {
        (self.kind.position(), &self.namespace, &self.name)
    }
}

impl Ord for ObjectRef {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for ObjectRef {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectRef {
    /// `Deployment istio-system/istiod`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            namespace,
            name,
        } = self;
        if namespace.is_empty() {
            write!(f, "{} {name}", kind.kind)
        } else {
            write!(f, "{} {namespace}/{name}", kind.kind)
        }
    }
}

/// How an [`ObjectRef`] is written down.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    api_version: String,
    kind: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    namespace: String,
    name: String,
}

impl Serialize for ObjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            api_version: self.kind.api_version(),
            kind: self.kind.kind.to_owned(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ObjectRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Written {
            api_version,
            kind,
            namespace,
            name,
        } = Written::deserialize(deserializer)?;
        let group = api_version.rsplit_once('/').map_or("", |(group, _)| group);
        let known = ObjectKind::find(group, &kind)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown kind {kind} of {api_version}")))?;
        Ok(Self::new(known, &namespace, &name))
    }
}

/// A label of an object.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object["metadata"]["labels"].get(key)?.as_str()
}

/// Whether an object belongs to the mesh of a namespace.
pub fn is_ours(object: &Value, mesh: &str) -> bool {
    label(object, OWNER_LABEL) == Some(mesh)
}

/// Whether a controller of the cluster made an object for another one, as it does EndpointSlices for Services. It copies
/// labels of the other, and the object goes with the other.
pub fn is_made_for_another(object: &Value) -> bool {
    let owners = object["metadata"]["ownerReferences"].as_array();
    owners.is_some_and(|owners| owners.iter().any(|owner| owner["controller"] == true))
}

/// The revision that an object says it belongs to.
pub fn revision(object: &Value) -> Option<&str> {
    label(object, REVISION)
}

/// Whether an object is being deleted.
pub fn is_going(object: &Value) -> bool {
    !object["metadata"]["deletionTimestamp"].is_null()
}

/// The UID of an object of a cluster; empty without one.
pub fn uid(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_in_the_order_of_their_steps_and_unique() {
        assert!(KINDS.is_sorted_by_key(|kind| kind.step));
        for (index, kind) in KINDS.iter().enumerate() {
            assert_eq!(kind.position(), index);
            assert_eq!(ObjectKind::named(kind.kind), Some(kind));
        }
    }

    #[test]
    fn accounts_come_before_workloads_and_webhooks_last() {
        let of = |api: &str, kind: &str| {
            let object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}});
            ObjectRef::of(&object, "mesh").expect("known")
        };
        let mut all = [
            of("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"),
            of("apps/v1", "Deployment"),
            of("v1", "Namespace"),
            of("v1", "ServiceAccount"),
            of("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ];
        all.sort();
        let kinds: Vec<_> = all.iter().map(|object| object.kind.kind).collect();
        assert_eq!(
            kinds,
            [
                "Namespace",
                "CustomResourceDefinition",
                "ServiceAccount",
                "Deployment",
                "MutatingWebhookConfiguration"
            ]
        );
    }

    #[test]
    fn identities_survive_being_written_down() {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "istiod"}});
        let reference = ObjectRef::of(&object, "istio-system").expect("known");
        assert_eq!(
            reference.path(),
            "/apis/apps/v1/namespaces/istio-system/deployments/istiod"
        );
        let written = serde_json::to_string(&reference).expect("JSON");
        assert_eq!(
            serde_json::from_str::<ObjectRef>(&written).expect("JSON"),
            reference
        );
        assert!(
            serde_json::from_str::<ObjectRef>(r#"{"apiVersion":"v1","kind":"Nope","name":"x"}"#).is_err()
        );
    }

    #[test]
    fn what_cannot_be_installed_is_named() {
        let unknown = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}});
        assert_eq!(
            ObjectRef::of(&unknown, "mesh").expect_err("unknown").to_string(),
            "Job of batch/v1 is not a kind that can be installed"
        );
        assert!(ObjectRef::of(&json!({"apiVersion": "v1", "kind": "Service"}), "mesh").is_err());
    }
}
