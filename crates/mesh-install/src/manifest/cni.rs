//! The agent that sets up the network of pods on each node.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::apps::v1::RollingUpdateDaemonSet;
use mesh_core::k8s_openapi::api::core::v1::{
    AppArmorProfile, ConfigMap, ConfigMapEnvSource, Container, EnvFromSource, EnvVar, PodSpec,
    SecurityContext, Volume, VolumeMount,
};
use serde_json::{Value, json};

use super::Part;
use super::parts::{
    self, capabilities, cluster_role, critical_quota, field_variable, host_path, list, mount, number, object,
    port, privileged_on_openshift, probe, read_only_mount, resource_variable, resources, rule,
    service_account, some, template, texts, typed, variable, variables,
};
use crate::spec::values::Cni;

/// The name of its objects. The plugin on the nodes looks for it.
const NAME: &str = "istio-cni";

fn values(part: Part<'_>) -> &Cni {
    &part.context.values().cni
}

fn namespace(part: Part<'_>) -> &str {
    match part.context.spec.control_plane.components.cni.namespace.as_str() {
        "" => part.context.spec.namespace(),
        own => own,
    }
}

/// Whether the agent enters the network of pods that run.
fn enters_pods(cni: &Cni) -> bool {
    cni.ambient.enabled || cni.repair.repair_pods
}

pub(super) fn objects(part: Part<'_>) -> Vec<Value> {
    let cni = values(part);
    let secrets = &part.context.values().global.image_pull_secrets;
    let metadata = |name: &str| part.metadata(namespace(part), name, NAME);
    let mut objects = vec![object(&service_account(metadata(NAME), secrets))];
    objects.extend(rights(part));
    objects.push(config(part));
    if cni.resource_quotas.enabled {
        objects.push(critical_quota(
            &metadata("istio-cni-resource-quota"),
            cni.resource_quotas.pods,
        ));
    }
    objects.push(daemon_set(part));
    if cni.provider == "multus" {
        objects.push(json!({
            "apiVersion": "k8s.cni.cncf.io/v1",
            "kind": "NetworkAttachmentDefinition",
            "metadata": part.metadata("default", NAME, NAME),
        }));
    }
    objects
}

fn rights(part: Part<'_>) -> Vec<Value> {
    let cni = values(part);
    let role = |name: &str, rules| cluster_role(part.metadata("", name, NAME), rules, namespace(part), NAME);
    let mut reads = vec![rule(
        &[""],
        &["pods", "nodes", "namespaces"],
        &["get", "list", "watch"],
    )];
    if part.context.is_openshift() {
        reads.push(privileged_on_openshift());
    }
    let mut objects: Vec<Value> = role(NAME, reads).into();
    if cni.repair.enabled {
        let mut repairs = vec![
            rule(&[""], &["events"], &["create", "patch"]),
            rule(&[""], &["pods"], &["get", "list", "watch"]),
        ];
        if cni.repair.repair_pods {
            // It needs no rights in the cluster, only on the node.
        } else if cni.repair.delete_pods {
            repairs.push(rule(&[""], &["pods"], &["delete"]));
        } else if cni.repair.label_pods {
            // The lesser of the two rights with which a pod can be labelled.
            repairs.push(rule(&[""], &["pods/status"], &["patch", "update"]));
        }
        objects.extend(role("istio-cni-repair-role", repairs));
    }
    if cni.ambient.enabled {
        let marks = vec![
            rule(&[""], &["pods/status"], &["patch", "update"]),
            parts::named_rule(&["apps"], &["daemonsets"], &["istio-cni-node"], &["get"]),
        ];
        objects.extend(role("istio-cni-ambient", marks));
    }
    objects
}

fn config(part: Part<'_>) -> Value {
    let cni = values(part);
    let tag = [
        &part.context.spec.control_plane.components.cni.tag,
        &cni.tag,
        &part.context.spec.control_plane.tag,
    ];
    let tag = tag.into_iter().find(|tag| !tag.is_empty());
    let mut excluded = vec![part.context.spec.namespace()];
    excluded.extend(cni.exclude_namespaces.iter().map(String::as_str));
    excluded.sort_unstable();
    excluded.dedup();
    let (ambient, repair) = (&cni.ambient, &cni.repair);
    let flag = |flag: bool| flag.to_string();
    let mut data: BTreeMap<String, String> = [
        ("CURRENT_AGENT_VERSION", tag.cloned().unwrap_or_default()),
        ("AMBIENT_ENABLED", flag(ambient.enabled)),
        ("AMBIENT_DNS_CAPTURE", flag(ambient.dns_capture)),
        ("AMBIENT_IPV6", flag(ambient.ipv6)),
        (
            "AMBIENT_RECONCILE_POD_RULES_ON_STARTUP",
            flag(ambient.reconcile_iptables_on_startup),
        ),
        ("CHAINED_CNI_PLUGIN", flag(cni.chained)),
        ("EXCLUDE_NAMESPACES", excluded.join(",")),
        ("REPAIR_ENABLED", flag(repair.enabled)),
        ("REPAIR_LABEL_PODS", flag(repair.label_pods)),
        ("REPAIR_DELETE_PODS", flag(repair.delete_pods)),
        ("REPAIR_REPAIR_PODS", flag(repair.repair_pods)),
        ("REPAIR_INIT_CONTAINER_NAME", repair.init_container_name.clone()),
        ("REPAIR_BROKEN_POD_LABEL_KEY", repair.broken_pod_label_key.clone()),
        (
            "REPAIR_BROKEN_POD_LABEL_VALUE",
            repair.broken_pod_label_value.clone(),
        ),
        (
            "NATIVE_NFTABLES",
            flag(part.context.values().global.native_nftables),
        ),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into();
    for (key, name) in [
        ("CNI_CONF_NAME", &cni.cni_conf_file_name),
        (
            "ISTIO_OWNED_CNI_CONFIG_FILENAME",
            &cni.istio_owned_cni_config_file_name,
        ),
    ] {
        data.extend(some(name).map(|name| (key.to_owned(), name)));
    }
    if cni.istio_owned_cni_config {
        data.insert("ISTIO_OWNED_CNI_CONFIG".to_owned(), flag(true));
    }
    object(&ConfigMap {
        metadata: part.metadata(namespace(part), "istio-cni-config", NAME),
        data: Some(data),
        ..ConfigMap::default()
    })
}

fn daemon_set(part: Part<'_>) -> Value {
    let cni = values(part);
    let own = texts([("k8s-app", "istio-cni-node")]);
    let mut metadata = part.metadata(namespace(part), "istio-cni-node", NAME);
    let labels = metadata.labels.get_or_insert_default();
    labels.extend(own.clone());
    let mut pods = labels.clone();
    labels.extend(cni.daemon_set_labels.clone());
    pods.extend(texts([
        ("istio.io/dataplane-mode", "none"),
        ("sidecar.istio.io/inject", "false"),
    ]));
    pods.extend(cni.pod_labels.clone());
    let mut annotations = texts([
        ("prometheus.io/path", "/metrics"),
        ("prometheus.io/port", "15014"),
        ("prometheus.io/scrape", "true"),
        ("sidecar.istio.io/inject", "false"),
    ]);
    annotations.extend(cni.pod_annotations.clone());
    let rolling = RollingUpdateDaemonSet {
        max_unavailable: number(&cni.rolling_max_unavailable),
        ..RollingUpdateDaemonSet::default()
    };
    let template = template(pods, annotations, pod(part));
    object(&parts::daemon_set(metadata, &own, template, rolling))
}

fn pod(part: Part<'_>) -> PodSpec {
    let cni = values(part);
    let on_host = cni.ambient.enabled && cni.ambient.share_host_network_namespace;
    PodSpec {
        affinity: cni.affinity.as_ref().and_then(typed),
        containers: vec![container(part)],
        dns_policy: on_host.then(|| "ClusterFirstWithHostNet".to_owned()),
        host_network: on_host.then_some(true),
        node_selector: Some(texts([("kubernetes.io/os", "linux")])),
        priority_class_name: Some("system-node-critical".to_owned()),
        service_account_name: Some(NAME.to_owned()),
        termination_grace_period_seconds: Some(5),
        tolerations: list(&cni.tolerations),
        volumes: Some(volumes(cni)),
        ..PodSpec::default()
    }
}

fn container(part: Part<'_>) -> Container {
    let (context, cni) = (part.context, values(part));
    let global = &context.values().global;
    let component = &context.spec.control_plane.components.cni;
    let mut args = Vec::new();
    let levels = [&cni.logging.level, &global.logging.level];
    let level = levels.into_iter().find(|level| !level.is_empty());
    args.extend(level.map(|level| format!("--log_output_level={level}")));
    if global.log_as_json {
        args.push("--log_as_json".to_owned());
    }
    let policies = [&cni.pull_policy, &global.image_pull_policy];
    let added = ["NET_ADMIN", "NET_RAW", "SYS_PTRACE", "SYS_ADMIN", "DAC_OVERRIDE"];
    Container {
        name: "install-cni".to_owned(),
        image: Some(context.image(
            &cni.image,
            [&component.hub, &cni.hub],
            [&component.tag, &cni.tag],
            &cni.variant,
        )),
        image_pull_policy: policies.into_iter().find_map(|policy| some(policy)),
        command: Some(vec!["install-cni".to_owned()]),
        args: Some(args),
        ports: Some(vec![port(15014, Some("metrics"))]),
        readiness_probe: Some(probe("/readyz", 8000)),
        env_from: Some(vec![EnvFromSource {
            config_map_ref: Some(ConfigMapEnvSource {
                name: "istio-cni-config".to_owned(),
                optional: None,
            }),
            ..EnvFromSource::default()
        }]),
        env: Some(environment(cni)),
        resources: resources(cni.resources.as_ref(), global.default_resources.as_ref()),
        security_context: Some(SecurityContext {
            privileged: Some(false),
            run_as_user: Some(0),
            run_as_group: Some(0),
            run_as_non_root: Some(false),
            capabilities: Some(capabilities(&added)),
            app_armor_profile: Some(AppArmorProfile {
                type_: "Unconfined".to_owned(),
                ..AppArmorProfile::default()
            }),
            se_linux_options: cni.se_linux_options.as_ref().and_then(typed),
            seccomp_profile: cni.seccomp_profile.as_ref().and_then(typed),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(mounts(cni)),
        ..Container::default()
    }
}

fn environment(cni: &Cni) -> Vec<EnvVar> {
    let mut env = vec![
        field_variable("REPAIR_NODE_NAME", "spec.nodeName"),
        variable("REPAIR_RUN_AS_DAEMON", "true"),
        variable("REPAIR_SIDECAR_ANNOTATION", "sidecar.istio.io/status"),
    ];
    if !(cni.ambient.enabled && cni.ambient.share_host_network_namespace) {
        env.push(variable("ALLOW_SWITCH_TO_HOST_NS", "true"));
    }
    env.push(field_variable("NODE_NAME", "spec.nodeName"));
    env.push(resource_variable("GOMEMLIMIT", "limits.memory"));
    env.push(resource_variable("GOMAXPROCS", "limits.cpu"));
    env.push(field_variable("POD_NAME", "metadata.name"));
    env.push(field_variable("POD_NAMESPACE", "metadata.namespace"));
    env.extend(variables(&cni.env));
    env
}

fn mounts(cni: &Cni) -> Vec<VolumeMount> {
    let mut mounts = vec![mount("cni-bin-dir", "/host/opt/cni/bin")];
    if enters_pods(cni) {
        mounts.push(read_only_mount("cni-host-procfs", "/host/proc"));
    }
    mounts.push(mount("cni-net-dir", "/host/etc/cni/net.d"));
    mounts.push(mount("cni-socket-dir", "/var/run/istio-cni"));
    mounts.push(VolumeMount {
        mount_propagation: Some("HostToContainer".to_owned()),
        ..mount("cni-netns-dir", "/host/var/run/netns")
    });
    if cni.ambient.enabled {
        mounts.push(mount("cni-ztunnel-sock-dir", "/var/run/ztunnel"));
    }
    mounts
}

fn volumes(cni: &Cni) -> Vec<Volume> {
    let mut volumes = vec![host_path("cni-bin-dir", &cni.cni_bin_dir, None)];
    if enters_pods(cni) {
        volumes.push(host_path("cni-host-procfs", "/proc", Some("Directory")));
    }
    volumes.push(host_path("cni-net-dir", &cni.cni_conf_dir, None));
    volumes.push(host_path("cni-socket-dir", "/var/run/istio-cni", None));
    // Until the first pod starts, a node may not have it.
    volumes.push(host_path(
        "cni-netns-dir",
        &cni.cni_netns_dir,
        Some("DirectoryOrCreate"),
    ));
    if cni.ambient.enabled {
        volumes.push(host_path(
            "cni-ztunnel-sock-dir",
            "/var/run/ztunnel",
            Some("DirectoryOrCreate"),
        ));
    }
    volumes
}
