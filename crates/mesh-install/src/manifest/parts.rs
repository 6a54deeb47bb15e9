//! What several components have in common: small builders of Kubernetes types.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::apps::v1::{
    DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, RollingUpdateDaemonSet,
};
use mesh_core::k8s_openapi::api::autoscaling::v2::{
    CrossVersionObjectReference, HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec, MetricSpec,
    MetricTarget, ResourceMetricSource,
};
use mesh_core::k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, ContainerPort, EmptyDirVolumeSource, EnvVar, EnvVarSource,
    HTTPGetAction, HostPathVolumeSource, LocalObjectReference, ObjectFieldSelector, PodSpec, PodTemplateSpec,
    Probe, ProjectedVolumeSource, ResourceFieldSelector, ResourceRequirements, SecretVolumeSource,
    SecurityContext, ServiceAccount, ServiceAccountTokenProjection, Volume, VolumeMount, VolumeProjection,
};
use mesh_core::k8s_openapi::api::policy::v1::{PodDisruptionBudget, PodDisruptionBudgetSpec};
use mesh_core::k8s_openapi::api::rbac::v1::{
    ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef, Subject,
};
use mesh_core::k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use mesh_core::schema::{IntOrString as Number, Kubernetes, PlainText};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::spec::values::TargetUtilization;

/// Labels or annotations.
pub(super) type Texts = BTreeMap<String, String>;

/// An object as a tree.
pub(super) fn object(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("Kubernetes types have text keys only")
}

/// A part that users wrote as a Kubernetes object. It was checked when it was read.
pub(super) fn typed<T: DeserializeOwned>(written: &Kubernetes<T>) -> Option<T> {
    serde_json::from_value(written.0.clone()).ok()
}

/// A list of such parts; `None` for an empty one.
pub(super) fn list<T: DeserializeOwned>(written: &[Kubernetes<T>]) -> Option<Vec<T>> {
    (!written.is_empty()).then(|| written.iter().filter_map(typed).collect())
}

pub(super) fn texts<const N: usize>(pairs: [(&str, &str); N]) -> Texts {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Text, unless it is empty.
pub(super) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// A map, unless it is empty.
pub(super) fn filled(map: &Texts) -> Option<Texts> {
    (!map.is_empty()).then(|| map.clone())
}

/// Pods with labels and annotations.
pub(super) fn template(labels: Texts, annotations: Texts, pod: PodSpec) -> PodTemplateSpec {
    PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(pod),
    }
}

/// A DaemonSet that knows its pods by labels, and replaces them node by node.
pub(super) fn daemon_set(
    metadata: ObjectMeta,
    own: &Texts,
    template: PodTemplateSpec,
    rolling: RollingUpdateDaemonSet,
) -> DaemonSet {
    DaemonSet {
        metadata,
        spec: Some(DaemonSetSpec {
            selector: selector(own),
            template,
            update_strategy: Some(DaemonSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: Some(rolling),
            }),
            ..DaemonSetSpec::default()
        }),
        ..DaemonSet::default()
    }
}

/// What a container requests: its own, or else what all do.
pub(super) fn resources(
    own: Option<&Kubernetes<ResourceRequirements>>,
    shared: Option<&Kubernetes<ResourceRequirements>>,
) -> Option<ResourceRequirements> {
    own.or(shared).and_then(typed)
}

/// A number, or text such as `25%`.
pub(super) fn number(written: &Number) -> Option<IntOrString> {
    let text = written.0.as_str();
    match text.parse() {
        Ok(number) => Some(IntOrString::Int(number)),
        Err(_) => some(text).map(IntOrString::String),
    }
}

pub(super) fn variable(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: Some(value.into()),
        ..EnvVar::default()
    }
}

/// The variables of a map, by name.
pub(super) fn variables(map: &BTreeMap<String, PlainText>) -> impl Iterator<Item = EnvVar> {
    map.iter().map(|(name, value)| variable(name, &*value.0))
}

pub(super) fn field_variable(name: &str, field: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                field_path: field.to_owned(),
                ..ObjectFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

pub(super) fn resource_variable(name: &str, resource: &str) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value_from: Some(EnvVarSource {
            resource_field_ref: Some(ResourceFieldSelector {
                resource: resource.to_owned(),
                divisor: Some(Quantity("1".to_owned())),
                ..ResourceFieldSelector::default()
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}

/// Drops all capabilities but these.
pub(super) fn capabilities(added: &[&str]) -> Capabilities {
    let added: Vec<String> = added.iter().map(|name| (*name).to_owned()).collect();
    Capabilities {
        drop: Some(vec!["ALL".to_owned()]),
        add: (!added.is_empty()).then_some(added),
    }
}

pub(super) fn unprivileged() -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(true),
        capabilities: Some(capabilities(&[])),
        ..SecurityContext::default()
    }
}

pub(super) fn port(number: i32, name: Option<&str>) -> ContainerPort {
    ContainerPort {
        container_port: number,
        name: name.map(str::to_owned),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

pub(super) fn probe(path: &str, port: i32) -> Probe {
    let http_get = HTTPGetAction {
        path: Some(path.to_owned()),
        port: IntOrString::Int(port),
        ..HTTPGetAction::default()
    };
    Probe {
        http_get: Some(http_get),
        ..Probe::default()
    }
}

pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

pub(super) fn read_only_mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount {
        read_only: Some(true),
        ..mount(name, path)
    }
}

pub(super) fn empty(name: &str) -> Volume {
    let empty_dir = Some(EmptyDirVolumeSource::default());
    Volume {
        name: name.to_owned(),
        empty_dir,
        ..Volume::default()
    }
}

pub(super) fn memory(name: &str) -> Volume {
    let medium = Some("Memory".to_owned());
    let empty_dir = Some(EmptyDirVolumeSource {
        medium,
        ..EmptyDirVolumeSource::default()
    });
    Volume {
        name: name.to_owned(),
        empty_dir,
        ..Volume::default()
    }
}

/// The content of a Secret that need not exist.
pub(super) fn secret(name: &str, of: &str) -> Volume {
    let secret = SecretVolumeSource {
        secret_name: Some(of.to_owned()),
        optional: Some(true),
        ..SecretVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        secret: Some(secret),
        ..Volume::default()
    }
}

/// The content of a ConfigMap.
pub(super) fn config_map(name: &str, of: &str, optional: bool) -> Volume {
    let config_map = ConfigMapVolumeSource {
        name: of.to_owned(),
        optional: optional.then_some(true),
        ..ConfigMapVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        config_map: Some(config_map),
        ..Volume::default()
    }
}

/// A folder of the node.
pub(super) fn host_path(name: &str, path: &str, type_: Option<&str>) -> Volume {
    let host_path = Some(HostPathVolumeSource {
        path: path.to_owned(),
        type_: type_.map(str::to_owned),
    });
    Volume {
        name: name.to_owned(),
        host_path,
        ..Volume::default()
    }
}

/// The token with which proxies and istiod prove who they are.
pub(super) fn token(audience: &str) -> Volume {
    let service_account_token = Some(ServiceAccountTokenProjection {
        audience: Some(audience.to_owned()),
        expiration_seconds: Some(43_200),
        path: "istio-token".to_owned(),
    });
    let sources = Some(vec![VolumeProjection {
        service_account_token,
        ..VolumeProjection::default()
    }]);
    let projected = Some(ProjectedVolumeSource {
        sources,
        ..ProjectedVolumeSource::default()
    });
    Volume {
        name: "istio-token".to_owned(),
        projected,
        ..Volume::default()
    }
}

pub(super) fn selector(labels: &Texts) -> LabelSelector {
    LabelSelector {
        match_labels: Some(labels.clone()),
        ..LabelSelector::default()
    }
}

pub(super) fn service_account(metadata: ObjectMeta, pull_secrets: &[String]) -> ServiceAccount {
    let secrets = pull_secrets
        .iter()
        .map(|name| LocalObjectReference { name: name.clone() });
    ServiceAccount {
        metadata,
        image_pull_secrets: (!pull_secrets.is_empty()).then(|| secrets.collect()),
        ..ServiceAccount::default()
    }
}

fn owned(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

/// The rights to do something with resources.
pub(super) fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        api_groups: Some(owned(groups)),
        resources: Some(owned(resources)),
        verbs: owned(verbs),
        ..PolicyRule::default()
    }
}

/// The rights to do something with resources of these names.
pub(super) fn named_rule(groups: &[&str], resources: &[&str], names: &[&str], verbs: &[&str]) -> PolicyRule {
    PolicyRule {
        resource_names: Some(owned(names)),
        ..rule(groups, resources, verbs)
    }
}

const RBAC: &str = "rbac.authorization.k8s.io";

fn role_ref(kind: &str, metadata: &ObjectMeta) -> RoleRef {
    RoleRef {
        api_group: Some(RBAC.to_owned()),
        kind: kind.to_owned(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}

fn account(namespace: &str, name: &str) -> Vec<Subject> {
    vec![Subject {
        kind: "ServiceAccount".to_owned(),
        name: name.to_owned(),
        namespace: Some(namespace.to_owned()),
        ..Subject::default()
    }]
}

/// A ClusterRole, and a binding of the same name to an account.
pub(super) fn cluster_role(
    metadata: ObjectMeta,
    rules: Vec<PolicyRule>,
    namespace: &str,
    name: &str,
) -> [Value; 2] {
    let binding = ClusterRoleBinding {
        role_ref: role_ref("ClusterRole", &metadata),
        metadata: metadata.clone(),
        subjects: Some(account(namespace, name)),
    };
    let role = ClusterRole {
        metadata,
        rules: Some(rules),
        ..ClusterRole::default()
    };
    [object(&role), object(&binding)]
}

/// A Role, and a binding of the same name to an account of its namespace.
pub(super) fn role(metadata: ObjectMeta, rules: Vec<PolicyRule>, name: &str) -> [Value; 2] {
    let namespace = metadata.namespace.clone().unwrap_or_default();
    let binding = RoleBinding {
        role_ref: role_ref("Role", &metadata),
        metadata: metadata.clone(),
        subjects: Some(account(&namespace, name)),
    };
    let role = Role {
        metadata,
        rules: Some(rules),
    };
    [object(&role), object(&binding)]
}

/// How a Deployment is scaled.
#[derive(Clone, Copy)]
pub(super) struct Scale<'a> {
    pub(super) min: i32,
    pub(super) max: i32,
    pub(super) cpu: &'a TargetUtilization,
    pub(super) memory: &'a TargetUtilization,
}

/// Scales the Deployment that has the same name.
pub(super) fn autoscaler(metadata: ObjectMeta, scale: Scale<'_>) -> HorizontalPodAutoscaler {
    let metric = |name: &str, target: &TargetUtilization| {
        (target.target_average_utilization > 0).then(|| MetricSpec {
            type_: "Resource".to_owned(),
            resource: Some(ResourceMetricSource {
                name: name.to_owned(),
                target: MetricTarget {
                    type_: "Utilization".to_owned(),
                    average_utilization: Some(target.target_average_utilization),
                    ..MetricTarget::default()
                },
            }),
            ..MetricSpec::default()
        })
    };
    let metrics = [metric("cpu", scale.cpu), metric("memory", scale.memory)];
    let spec = HorizontalPodAutoscalerSpec {
        min_replicas: Some(scale.min),
        max_replicas: scale.max,
        scale_target_ref: CrossVersionObjectReference {
            api_version: Some("apps/v1".to_owned()),
            kind: "Deployment".to_owned(),
            name: metadata.name.clone().unwrap_or_default(),
        },
        metrics: Some(metrics.into_iter().flatten().collect()),
        ..HorizontalPodAutoscalerSpec::default()
    };
    HorizontalPodAutoscaler {
        metadata,
        spec,
        ..HorizontalPodAutoscaler::default()
    }
}

/// Keeps one pod when nodes are drained.
pub(super) fn disruption_budget(metadata: ObjectMeta, labels: &Texts) -> PodDisruptionBudget {
    PodDisruptionBudget {
        metadata,
        spec: Some(PodDisruptionBudgetSpec {
            min_available: Some(IntOrString::Int(1)),
            selector: Some(selector(labels)),
            ..PodDisruptionBudgetSpec::default()
        }),
        ..PodDisruptionBudget::default()
    }
}

/// The user and group that proxies run as.
pub(super) const PROXY_ID: i64 = 1337;

/// A ResourceQuota that lets pods of system priority run, which some platforms refuse without one.
pub(super) fn critical_quota(metadata: &ObjectMeta, pods: i64) -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {
            "hard": {"pods": pods.to_string()},
            "scopeSelector": {"matchExpressions": [
                {"operator": "In", "scopeName": "PriorityClass", "values": ["system-node-critical"]},
            ]},
        },
    })
}

/// What lets an account use OpenShift's privileged security context constraint.
pub(super) fn privileged_on_openshift() -> PolicyRule {
    named_rule(
        &["security.openshift.io"],
        &["securitycontextconstraints"],
        &["privileged"],
        &["use"],
    )
}
