//! The proxy of ambient mode on each node.

use mesh_core::k8s_openapi::api::apps::v1::RollingUpdateDaemonSet;
use mesh_core::k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, Container, EnvVar, PodSpec, ProjectedVolumeSource, SecurityContext, Volume,
    VolumeMount, VolumeProjection,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::Part;
use super::parts::{
    self, PROXY_ID, capabilities, cluster_role, config_map, critical_quota, empty, field_variable, filled,
    host_path, list, mount, object, port, privileged_on_openshift, probe, resource_variable, resources,
    service_account, some, template, texts, token, typed, variable, variables,
};
use crate::spec::values::Ztunnel;

/// What its pods call it.
const APP: &str = "ztunnel";

fn values(part: Part<'_>) -> &Ztunnel {
    &part.context.values().ztunnel
}

fn namespace(part: Part<'_>) -> &str {
    match part
        .context
        .spec
        .control_plane
        .components
        .ztunnel
        .namespace
        .as_str()
    {
        "" => part.context.spec.namespace(),
        own => own,
    }
}

fn metadata(part: Part<'_>) -> ObjectMeta {
    let ztunnel = values(part);
    let mut metadata = part.metadata(namespace(part), ztunnel.resource_name.as_str(), APP);
    metadata
        .labels
        .get_or_insert_default()
        .extend(ztunnel.labels.clone());
    metadata.annotations = filled(&ztunnel.annotations);
    metadata
}

pub(super) fn objects(part: Part<'_>) -> Vec<Value> {
    let ztunnel = values(part);
    let secrets = &part.context.values().global.image_pull_secrets;
    let mut objects = vec![object(&service_account(metadata(part), secrets))];
    if part.context.is_openshift() {
        let of_cluster = part.metadata("", ztunnel.resource_name.as_str(), APP);
        let rules = vec![privileged_on_openshift()];
        objects.extend(cluster_role(
            of_cluster,
            rules,
            namespace(part),
            &ztunnel.resource_name,
        ));
    }
    if ztunnel.resource_quotas.enabled {
        let name = format!("{}-resource-quota", ztunnel.resource_name);
        let metadata = part.metadata(namespace(part), name, APP);
        objects.push(critical_quota(&metadata, ztunnel.resource_quotas.pods));
    }
    objects.push(daemon_set(part));
    objects
}

fn daemon_set(part: Part<'_>) -> Value {
    let ztunnel = values(part);
    let mut labels = part.labels(APP);
    labels.extend(texts([
        ("istio.io/dataplane-mode", "none"),
        ("sidecar.istio.io/inject", "false"),
    ]));
    labels.extend(ztunnel.pod_labels.clone());
    let mut annotations = texts([("sidecar.istio.io/inject", "false")]);
    annotations.extend(ztunnel.pod_annotations.clone());
    // The new one takes over before the old one goes.
    let rolling = RollingUpdateDaemonSet {
        max_surge: Some(IntOrString::Int(1)),
        max_unavailable: Some(IntOrString::Int(0)),
    };
    let template = template(labels, annotations, pod(part));
    let own = texts([("app", APP)]);
    object(&parts::daemon_set(metadata(part), &own, template, rolling))
}

fn pod(part: Part<'_>) -> PodSpec {
    let ztunnel = values(part);
    let mut nodes = texts([("kubernetes.io/os", "linux")]);
    nodes.extend(ztunnel.node_selector.clone());
    PodSpec {
        affinity: ztunnel.affinity.as_ref().and_then(typed),
        containers: vec![container(part)],
        node_selector: Some(nodes),
        priority_class_name: Some("system-node-critical".to_owned()),
        service_account_name: Some(ztunnel.resource_name.clone()),
        termination_grace_period_seconds: Some(ztunnel.termination_grace_period_seconds),
        tolerations: list(&ztunnel.tolerations),
        volumes: Some(volumes(part)),
        ..PodSpec::default()
    }
}

fn container(part: Part<'_>) -> Container {
    let (context, ztunnel) = (part.context, values(part));
    let component = &context.spec.control_plane.components.ztunnel;
    let policies = [
        &ztunnel.image_pull_policy,
        &context.values().global.image_pull_policy,
    ];
    Container {
        name: "istio-proxy".to_owned(),
        image: Some(context.image(
            &ztunnel.image,
            [&component.hub, &ztunnel.hub],
            [&component.tag, &ztunnel.tag],
            &ztunnel.variant,
        )),
        image_pull_policy: policies.into_iter().find_map(|policy| some(policy)),
        args: Some(vec!["proxy".to_owned(), APP.to_owned()]),
        ports: Some(vec![port(15020, Some("ztunnel-stats"))]),
        readiness_probe: Some(probe("/healthz/ready", 15021)),
        env: Some(environment(part)),
        resources: resources(ztunnel.resources.as_ref(), None),
        security_context: Some(SecurityContext {
            privileged: Some(false),
            // SYS_ADMIN does not go without it.
            allow_privilege_escalation: Some(true),
            read_only_root_filesystem: Some(true),
            run_as_user: Some(0),
            run_as_group: Some(PROXY_ID),
            run_as_non_root: Some(false),
            capabilities: Some(capabilities(&["NET_ADMIN", "SYS_ADMIN", "NET_RAW"])),
            se_linux_options: ztunnel.se_linux_options.as_ref().and_then(typed),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts(ztunnel)),
        ..Container::default()
    }
}

fn environment(part: Part<'_>) -> Vec<EnvVar> {
    let (context, ztunnel) = (part.context, values(part));
    let global = &context.values().global;
    let authority = [&ztunnel.ca_address, &global.ca_address];
    let authority = authority.into_iter().find_map(|address| some(address));
    let networks = [&ztunnel.network, &global.network];
    let network = networks.into_iter().find_map(|network| some(network));
    let mut env = vec![
        variable("CA_ADDRESS", authority.unwrap_or_else(|| context.istiod())),
        variable(
            "XDS_ADDRESS",
            some(&ztunnel.xds_address).unwrap_or_else(|| context.istiod()),
        ),
    ];
    if global.log_as_json {
        env.push(variable("LOG_FORMAT", "json"));
    }
    env.extend(network.map(|network| variable("NETWORK", network)));
    env.extend([
        variable("RUST_LOG", &*ztunnel.log_level),
        variable("RUST_BACKTRACE", "1"),
        variable("ISTIO_META_CLUSTER_ID", context.cluster()),
        variable("INPOD_ENABLED", "true"),
        variable(
            "TERMINATION_GRACE_PERIOD_SECONDS",
            ztunnel.termination_grace_period_seconds.to_string(),
        ),
        field_variable("POD_NAME", "metadata.name"),
        field_variable("POD_NAMESPACE", "metadata.namespace"),
        field_variable("NODE_NAME", "spec.nodeName"),
        field_variable("INSTANCE_IP", "status.podIP"),
        field_variable("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    ]);
    env.extend(
        context
            .proxy_metadata()
            .map(|(name, value)| variable(name, value)),
    );
    env.push(resource_variable("ZTUNNEL_CPU_LIMIT", "limits.cpu"));
    env.extend(variables(&ztunnel.env));
    env
}

fn mounts(ztunnel: &Ztunnel) -> Vec<VolumeMount> {
    let mut mounts = vec![
        mount("istiod-ca-cert", "/var/run/secrets/istio"),
        mount("istio-token", "/var/run/secrets/tokens"),
        mount("cni-ztunnel-sock-dir", "/var/run/ztunnel"),
        mount("tmp", "/tmp"),
    ];
    mounts.extend(list(&ztunnel.volume_mounts).unwrap_or_default());
    mounts
}

fn volumes(part: Part<'_>) -> Vec<Volume> {
    let global = &part.context.values().global;
    let env = &part.context.values().pilot.env;
    let uses_bundle = env
        .get("ENABLE_CLUSTER_TRUST_BUNDLE_API")
        .is_some_and(|value| value.0 == "true");
    let roots = if uses_bundle {
        let name = some(&global.trust_bundle_name).unwrap_or_else(|| "root-cert".to_owned());
        bundle("istiod-ca-cert", format!("istio.io:istiod-ca:{name}"))
    } else {
        let name = some(&global.trust_bundle_name);
        config_map(
            "istiod-ca-cert",
            name.as_deref().unwrap_or("istio-ca-root-cert"),
            false,
        )
    };
    let mut volumes = vec![
        token("istio-ca"),
        roots,
        host_path(
            "cni-ztunnel-sock-dir",
            "/var/run/ztunnel",
            Some("DirectoryOrCreate"),
        ),
        empty("tmp"),
    ];
    volumes.extend(list(&values(part).volumes).unwrap_or_default());
    volumes
}

/// The root certificate as a ClusterTrustBundle.
fn bundle(volume: &str, name: String) -> Volume {
    let source = VolumeProjection {
        cluster_trust_bundle: Some(ClusterTrustBundleProjection {
            name: Some(name),
            path: "root-cert.pem".to_owned(),
            ..ClusterTrustBundleProjection::default()
        }),
        ..VolumeProjection::default()
    };
    Volume {
        name: volume.to_owned(),
        projected: Some(ProjectedVolumeSource {
            sources: Some(vec![source]),
            ..ProjectedVolumeSource::default()
        }),
        ..Volume::default()
    }
}
