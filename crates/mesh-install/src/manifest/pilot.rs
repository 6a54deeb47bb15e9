//! istiod, or in a cluster without it what leads to one elsewhere.

use mesh_core::k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use mesh_core::k8s_openapi::api::core::v1::{
    ConfigMap, Container, EnvVar, PodSpec, PodTemplateSpec, Probe, SecurityContext, Service, ServicePort,
    ServiceSpec, Toleration, Volume, VolumeMount,
};
use mesh_core::k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec,
};
use mesh_core::k8s_openapi::api::rbac::v1::PolicyRule;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Value, json};

use super::Part;
use super::parts::{
    Scale, Texts, autoscaler, cluster_role, config_map, disruption_budget, field_variable, filled, list,
    memory, mount, named_rule, number, object, port, probe, read_only_mount, resource_variable, resources,
    role, rule, secret, selector, service_account, some, texts, token, typed, unprivileged, variable,
    variables,
};
use super::{base, injector, webhooks};

/// What every object that leads to istiod calls it.
const APP: &str = "istiod";

const READ: &[&str] = &["get", "list", "watch"];
const ALL: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete"];

/// API groups of Istio, those of earlier versions included: istiods of both can run side by side.
const GROUPS: &[&str] = &[
    "config.istio.io",
    "security.istio.io",
    "networking.istio.io",
    "authentication.istio.io",
    "rbac.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
];

pub(super) fn objects(part: Part<'_>) -> Vec<Value> {
    let (context, values) = (part.context, part.context.values());
    let global = &values.global;
    let is_remote = values.istiod_remote.enabled;
    // A remote cluster can still hold the configuration of the mesh.
    let has_rights = !is_remote || global.config_cluster;
    let mut objects = Vec::new();
    if has_rights {
        objects.push(account(part));
        objects.extend(rights(part));
    }
    if global.enable_reader_rbac {
        let metadata = part.metadata("", context.of_cluster("istio-reader-clusterrole"), "istio-reader");
        let namespace = context.spec.namespace();
        objects.extend(cluster_role(
            metadata,
            reader_rules(part),
            namespace,
            base::READER,
        ));
    }
    if values.pilot.config_map {
        objects.push(injector::mesh(part));
    }
    if !global.omit_sidecar_injector_config_map {
        objects.push(injector::templates(part));
    }
    objects.push(injector::values(part));
    if is_remote {
        objects.extend(remote_service(part));
    } else {
        objects.extend(extra_authority(part));
        objects.push(service(part));
        objects.push(deployment(part));
        objects.extend(scaling(part));
        if global.network_policy.enabled {
            objects.push(network_policy(part));
        }
    }
    if !global.operator_manage_webhooks {
        objects.push(webhooks::injector(part));
        if has_rights && global.config_validation {
            objects.push(webhooks::validator(part));
        }
    }
    if values.experimental.stable_validation_policy {
        objects.extend(webhooks::stable_policy(part));
    }
    objects
}

fn metadata(part: Part<'_>) -> ObjectMeta {
    let context = part.context;
    part.metadata(context.spec.namespace(), context.revised(APP), APP)
}

fn account(part: Part<'_>) -> Value {
    let values = part.context.values();
    let mut metadata = metadata(part);
    metadata.annotations = filled(&values.pilot.service_account_annotations);
    object(&service_account(metadata, &values.global.image_pull_secrets))
}

/// The labels by which its Service and Deployment find its pods. Those of a revision leave pods of others alone.
fn pods(part: Part<'_>) -> Texts {
    match part.context.spec.revision() {
        None => texts([("istio", "pilot")]),
        Some(revision) => texts([("app", APP), ("istio.io/rev", revision)]),
    }
}

/// Whether an environment variable of istiod is set to a text.
fn switched(part: Part<'_>, name: &str, to: &str) -> bool {
    let value = part.context.values().pilot.env.get(name);
    value.is_some_and(|value| value.0 == to)
}

fn rights(part: Part<'_>) -> Vec<Value> {
    let (context, namespace) = (part.context, part.context.spec.namespace());
    let account = context.revised(APP);
    let of_cluster = |name: &str| part.metadata("", context.of_cluster(name), APP);
    let mut objects: Vec<Value> = Vec::new();
    objects.extend(cluster_role(
        of_cluster("istiod-clusterrole"),
        rules(part),
        namespace,
        &account,
    ));
    if !switched(part, "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER", "false") {
        let deploys = vec![
            rule(&["apps"], &["deployments"], ALL),
            rule(&["autoscaling"], &["horizontalpodautoscalers"], ALL),
            rule(&["policy"], &["poddisruptionbudgets"], ALL),
            rule(&[""], &["services", "serviceaccounts"], ALL),
        ];
        let metadata = of_cluster("istiod-gateway-controller");
        objects.extend(cluster_role(metadata, deploys, namespace, &account));
    }
    let own = vec![
        // A dry run shows whether validation works.
        rule(&["networking.istio.io"], &["gateways"], &["create"]),
        // The certificate authority's key.
        rule(
            &[""],
            &["secrets"],
            &["create", "get", "watch", "list", "update", "delete"],
        ),
        rule(&[""], &["configmaps"], &["delete"]),
        // One of several istiods leads.
        rule(
            &["coordination.k8s.io"],
            &["leases"],
            &["get", "update", "patch", "create"],
        ),
    ];
    objects.extend(role(metadata(part), own, &account));
    objects
}

fn rules(part: Part<'_>) -> Vec<PolicyRule> {
    let values = part.context.values();
    let webhook_groups = &["admissionregistration.k8s.io"];
    let mut rules = vec![
        rule(
            webhook_groups,
            &["mutatingwebhookconfigurations"],
            &["get", "list", "watch", "update", "patch"],
        ),
        rule(
            webhook_groups,
            &["validatingwebhookconfigurations"],
            &["get", "list", "watch", "update"],
        ),
        rule(GROUPS, &["*"], READ),
        rule(
            &["networking.istio.io"],
            &[
                "workloadentries",
                "workloadentries/status",
                "serviceentries/status",
            ],
            ALL,
        ),
        rule(&["security.istio.io"], &["authorizationpolicies/status"], ALL),
        rule(&[""], &["services/status"], ALL),
        rule(&["apiextensions.k8s.io"], &["customresourcedefinitions"], READ),
        rule(
            &[""],
            &["pods", "nodes", "services", "namespaces", "endpoints"],
            READ,
        ),
        rule(&["discovery.k8s.io"], &["endpointslices"], READ),
        rule(&["networking.k8s.io"], &["ingresses", "ingressclasses"], READ),
        rule(&["networking.k8s.io"], &["ingresses/status"], &["*"]),
        rule(
            &[""],
            &["configmaps"],
            &["create", "get", "list", "watch", "update"],
        ),
        rule(&["authentication.k8s.io"], &["tokenreviews"], &["create"]),
        rule(&["authorization.k8s.io"], &["subjectaccessreviews"], &["create"]),
        rule(
            &["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"],
            &["*"],
            READ,
        ),
        rule(
            &["gateway.networking.x-k8s.io"],
            &["xbackendtrafficpolicies/status", "xlistenersets/status"],
            &["update", "patch"],
        ),
        rule(
            &["gateway.networking.k8s.io"],
            &[
                "backendtlspolicies/status",
                "gatewayclasses/status",
                "gateways/status",
                "grpcroutes/status",
                "httproutes/status",
                "listenersets/status",
                "referencegrants/status",
                "tcproutes/status",
                "tlsroutes/status",
                "udproutes/status",
            ],
            &["update", "patch"],
        ),
        rule(
            &["gateway.networking.k8s.io"],
            &["gatewayclasses"],
            &["create", "update", "patch", "delete"],
        ),
        rule(&["inference.networking.k8s.io"], &["inferencepools"], READ),
        rule(
            &["inference.networking.k8s.io"],
            &["inferencepools/status"],
            &["update", "patch"],
        ),
        rule(&[""], &["secrets"], READ),
    ];
    let clusters = values
        .pilot
        .env
        .get("MCS_API_GROUP")
        .map_or("multicluster.x-k8s.io", |group| &group.0);
    rules.push(rule(
        &[clusters],
        &["serviceexports"],
        &["get", "list", "watch", "create", "delete"],
    ));
    rules.push(rule(&[clusters], &["serviceimports"], READ));
    if values.global.istiod.enable_analysis {
        let statuses = mesh_core::schema::export::crds();
        let statuses: Vec<String> = statuses
            .iter()
            .filter_map(|crd| Some(format!("{}/status", crd.pointer("/spec/names/plural")?.as_str()?)))
            .collect();
        let statuses: Vec<&str> = statuses.iter().map(String::as_str).collect();
        rules.push(rule(GROUPS, &statuses, &["update", "patch"]));
    }
    if values.pilot.taint.enabled {
        rules.push(rule(&[""], &["nodes"], &["patch"]));
    }
    let provider = values.global.pilot_cert_provider.as_str();
    let has_external = values.pilot.env.contains_key("EXTERNAL_CA");
    if has_external || !["istiod", "custom", "none"].contains(&provider) {
        let group = &["certificates.k8s.io"];
        rules.push(rule(
            group,
            &[
                "certificatesigningrequests",
                "certificatesigningrequests/approval",
                "certificatesigningrequests/status",
            ],
            &["update", "create", "get", "delete", "watch"],
        ));
        let signers: Vec<&str> = values.global.cert_signers.iter().map(String::as_str).collect();
        rules.push(named_rule(group, &["signers"], &signers, &["approve"]));
    }
    if switched(part, "ENABLE_CLUSTER_TRUST_BUNDLE_API", "true") {
        let group = &["certificates.k8s.io"];
        rules.push(rule(
            group,
            &["clustertrustbundles"],
            &["get", "list", "watch", "create", "update", "delete"],
        ));
        rules.push(named_rule(
            group,
            &["signers"],
            &["istio.io/istiod-ca"],
            &["attest"],
        ));
    }
    rules
}

/// What other clusters may read.
fn reader_rules(part: Part<'_>) -> Vec<PolicyRule> {
    let mut rules = vec![
        rule(GROUPS, &["*"], READ),
        rule(
            &[""],
            &[
                "endpoints",
                "pods",
                "services",
                "nodes",
                "replicationcontrollers",
                "namespaces",
                "secrets",
            ],
            READ,
        ),
        rule(&["apiextensions.k8s.io"], &["customresourcedefinitions"], READ),
        rule(&["discovery.k8s.io"], &["endpointslices"], READ),
        rule(
            &["multicluster.x-k8s.io"],
            &["serviceexports", "serviceimports"],
            READ,
        ),
        rule(
            &["gateway.networking.k8s.io", "gateway.networking.x-k8s.io"],
            &["*"],
            READ,
        ),
        rule(&["apps"], &["replicasets"], READ),
        rule(&["authentication.k8s.io"], &["tokenreviews"], &["create"]),
        rule(&["authorization.k8s.io"], &["subjectaccessreviews"], &["create"]),
    ];
    if part.context.values().global.external_istiod {
        // The istiod elsewhere is the certificate authority here, and keeps the webhooks.
        rules.push(rule(
            &[""],
            &["configmaps"],
            &["create", "get", "list", "watch", "update"],
        ));
        let group = &["admissionregistration.k8s.io"];
        rules.push(rule(
            group,
            &["mutatingwebhookconfigurations"],
            &["get", "list", "watch", "update", "patch"],
        ));
        rules.push(rule(
            group,
            &["validatingwebhookconfigurations"],
            &["get", "list", "watch", "update"],
        ));
    }
    rules
}

const EXTRA_AUTHORITY: &str = "pilot-jwks-extra-cacerts";

/// The ConfigMap with a root certificate for fetching keys.
fn extra_authority(part: Part<'_>) -> Option<Value> {
    let certificate = some(&part.context.values().pilot.jwks_resolver_extra_root_ca)?;
    let context = part.context;
    let name = context.revised(EXTRA_AUTHORITY);
    Some(object(&ConfigMap {
        metadata: part.metadata(context.spec.namespace(), name, APP),
        data: Some([("extra.pem".to_owned(), certificate)].into()),
        ..ConfigMap::default()
    }))
}

fn service_port(name: &str, number: i32, target: Option<i32>) -> ServicePort {
    ServicePort {
        name: Some(name.to_owned()),
        port: number,
        protocol: Some("TCP".to_owned()),
        target_port: target.map(IntOrString::Int),
        ..ServicePort::default()
    }
}

fn service(part: Part<'_>) -> Value {
    let values = part.context.values();
    let pilot = &values.pilot;
    let ports = vec![
        service_port("grpc-xds", 15010, None),
        service_port("https-dns", 15012, None),
        service_port("https-webhook", 443, Some(15017)),
        service_port("http-monitoring", 15014, None),
    ];
    let mut metadata = metadata(part);
    metadata.annotations = filled(&pilot.service_annotations);
    if let Some(labels) = &mut metadata.labels {
        labels.insert("istio".to_owned(), "pilot".to_owned());
    }
    let families = [&pilot.ip_families, &values.global.ip_families];
    let policies = [&pilot.ip_family_policy, &values.global.ip_family_policy];
    object(&Service {
        metadata,
        spec: Some(ServiceSpec {
            ports: Some(ports),
            selector: Some(match part.context.spec.revision() {
                // The app too, as gateways and others could have the label `istio`.
                None => texts([("app", APP), ("istio", "pilot")]),
                Some(_) => pods(part),
            }),
            ip_families: families.into_iter().find(|list| !list.is_empty()).cloned(),
            ip_family_policy: policies.into_iter().find_map(|policy| some(policy)),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    })
}

/// The Service that leads to an istiod elsewhere, by name or with an EndpointSlice by address.
fn remote_service(part: Part<'_>) -> Vec<Value> {
    let context = part.context;
    let address = &context.values().global.remote_pilot_address;
    if address.is_empty() {
        return Vec::new();
    }
    let ports = [("tcp-istiod", 15012, 15012), ("tcp-webhook", 443, 15017)];
    let mut service = Service {
        metadata: metadata(part),
        ..Service::default()
    };
    let Ok(ip) = address.parse::<std::net::IpAddr>() else {
        service.spec = Some(ServiceSpec {
            type_: Some("ExternalName".to_owned()),
            external_name: Some(address.clone()),
            ..ServiceSpec::default()
        });
        return vec![object(&service)];
    };
    let own = ports.map(|(name, number, target)| service_port(name, number, Some(target)));
    service.spec = Some(ServiceSpec {
        cluster_ip: Some("None".to_owned()),
        ports: Some(own.into()),
        ..ServiceSpec::default()
    });
    let mut slice = metadata(part);
    if let Some(labels) = &mut slice.labels {
        let name = slice.name.clone().unwrap_or_default();
        labels.insert("kubernetes.io/service-name".to_owned(), name);
    }
    let family = if ip.is_ipv4() { "IPv4" } else { "IPv6" };
    let ports = ports.map(|(name, _, target)| json!({"name": name, "port": target, "protocol": "TCP"}));
    let slice = json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": object(&slice),
        "addressType": family,
        "endpoints": [{"addresses": [address]}],
        "ports": ports,
    });
    vec![object(&service), slice]
}

fn deployment(part: Part<'_>) -> Value {
    let pilot = &part.context.values().pilot;
    let mut metadata = metadata(part);
    let labels = metadata.labels.get_or_insert_default();
    labels.insert("istio".to_owned(), "pilot".to_owned());
    labels.extend(pilot.deployment_labels.clone());
    let strategy = DeploymentStrategy {
        rolling_update: Some(RollingUpdateDeployment {
            max_surge: number(&pilot.rolling_max_surge),
            max_unavailable: number(&pilot.rolling_max_unavailable),
        }),
        ..DeploymentStrategy::default()
    };
    object(&Deployment {
        metadata,
        spec: Some(DeploymentSpec {
            replicas: (!pilot.autoscale_enabled).then_some(pilot.replica_count),
            selector: selector(&pods(part)),
            strategy: Some(strategy),
            template: template(part),
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    })
}

fn template(part: Part<'_>) -> PodTemplateSpec {
    let (context, pilot) = (part.context, &part.context.values().pilot);
    let mut labels = part.labels(APP);
    let istio = if context.spec.revision().is_some() {
        APP
    } else {
        "pilot"
    };
    labels.extend(texts([
        ("istio", istio),
        ("istio.io/dataplane-mode", "none"),
        ("sidecar.istio.io/inject", "false"),
    ]));
    labels.extend(pilot.pod_labels.clone());
    let mut annotations = texts([("sidecar.istio.io/inject", "false")]);
    if context.mesh("/enablePrometheusMerge") != Some(&Value::Bool(false)) {
        annotations.extend(texts([
            ("prometheus.io/port", "15014"),
            ("prometheus.io/scrape", "true"),
        ]));
    }
    annotations.extend(pilot.pod_annotations.clone());
    super::parts::template(labels, annotations, pod(part))
}

fn pod(part: Part<'_>) -> PodSpec {
    let values = part.context.values();
    let (global, pilot) = (&values.global, &values.pilot);
    let mut tolerations = vec![Toleration {
        key: Some("cni.istio.io/not-ready".to_owned()),
        operator: Some("Exists".to_owned()),
        ..Toleration::default()
    }];
    let own = if pilot.tolerations.is_empty() {
        &global.default_tolerations
    } else {
        &pilot.tolerations
    };
    tolerations.extend(own.iter().filter_map(typed));
    let nodes = if pilot.node_selector.is_empty() {
        &global.default_node_selector
    } else {
        &pilot.node_selector
    };
    PodSpec {
        affinity: pilot.affinity.as_ref().and_then(typed),
        containers: vec![container(part)],
        init_containers: list(&pilot.init_containers),
        node_selector: filled(nodes),
        priority_class_name: some(&global.priority_class_name),
        service_account_name: Some(part.context.revised(APP)),
        termination_grace_period_seconds: pilot.termination_grace_period_seconds,
        tolerations: Some(tolerations),
        topology_spread_constraints: list(&pilot.topology_spread_constraints),
        volumes: Some(volumes(part)),
        ..PodSpec::default()
    }
}

fn container(part: Part<'_>) -> Container {
    let (context, values) = (part.context, part.context.values());
    let (global, pilot) = (&values.global, &values.pilot);
    let component = &context.spec.control_plane.components.pilot;
    let ports = [
        (8080, "http-debug"),
        (15010, "grpc-xds"),
        (15012, "tls-xds"),
        (15017, "https-webhooks"),
        (15014, "http-monitoring"),
    ];
    Container {
        name: "discovery".to_owned(),
        image: Some(context.image(
            &pilot.image,
            [&component.hub, &pilot.hub],
            [&component.tag, &pilot.tag],
            &pilot.variant,
        )),
        image_pull_policy: some(&global.image_pull_policy),
        args: Some(args(part)),
        ports: Some(ports.map(|(number, name)| port(number, Some(name))).into()),
        readiness_probe: Some(Probe {
            initial_delay_seconds: Some(1),
            period_seconds: Some(3),
            timeout_seconds: Some(5),
            ..probe("/ready", 8080)
        }),
        env: Some(environment(part)),
        resources: resources(pilot.resources.as_ref(), global.default_resources.as_ref()),
        security_context: Some(SecurityContext {
            seccomp_profile: pilot.seccomp_profile.as_ref().and_then(typed),
            ..unprivileged()
        }),
        volume_mounts: Some(mounts(part)),
        ..Container::default()
    }
}

fn args(part: Part<'_>) -> Vec<String> {
    let values = part.context.values();
    let (global, pilot) = (&values.global, &values.pilot);
    let mut args = vec!["discovery".to_owned(), "--monitoringAddr=:15014".to_owned()];
    if !global.logging.level.is_empty() {
        args.push(format!("--log_output_level={}", global.logging.level));
    }
    if global.log_as_json {
        args.push("--log_as_json".to_owned());
    }
    args.extend(["--domain".to_owned(), global.proxy.cluster_domain.clone()]);
    if pilot.taint.enabled && !pilot.taint.namespace.is_empty() {
        args.push(format!("--cniNamespace={}", pilot.taint.namespace));
    }
    args.extend([
        "--keepaliveMaxServerConnectionAge".to_owned(),
        pilot.keepalive_max_server_connection_age.clone(),
    ]);
    args.extend(pilot.extra_container_args.clone());
    args
}

fn environment(part: Part<'_>) -> Vec<EnvVar> {
    let (context, values) = (part.context, part.context.values());
    let (global, pilot) = (&values.global, &values.pilot);
    let ztunnel = &context.spec.control_plane.components.ztunnel.namespace;
    let trusted = [
        pilot.trusted_ztunnel_namespace.as_str(),
        ztunnel,
        context.spec.namespace(),
    ];
    let trusted = trusted
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    let account = match &*pilot.trusted_ztunnel_name {
        "" => &values.ztunnel.resource_name,
        name => name,
    };
    let mut env = vec![
        variable("REVISION", context.spec.revision_label()),
        variable("PILOT_CERT_PROVIDER", &*global.pilot_cert_provider),
        field_variable("POD_NAME", "metadata.name"),
        field_variable("POD_NAMESPACE", "metadata.namespace"),
        field_variable("SERVICE_ACCOUNT", "spec.serviceAccountName"),
        variable("KUBECONFIG", "/var/run/secrets/remote/config"),
        variable("CA_TRUSTED_NODE_ACCOUNTS", format!("{trusted}/{account}")),
    ];
    env.extend(variables(&pilot.env));
    env.extend(list(&pilot.env_var_from).unwrap_or_default());
    if switched(part, "COMPLIANCE_POLICY", "fips-140-3") {
        env.push(variable("GODEBUG", "fips140=only"));
    }
    env.push(variable("PILOT_TRACE_SAMPLING", pilot.trace_sampling.to_string()));
    if pilot.taint.enabled {
        env.push(variable("PILOT_ENABLE_NODE_UNTAINT_CONTROLLERS", "true"));
    }
    if global.external_istiod {
        env.push(variable("EXTERNAL_ISTIOD", "true"));
    }
    for (name, map) in [
        ("PILOT_CA_CERT_CONFIGMAP", &global.trust_bundle_name),
        ("PILOT_CRL_CONFIGMAP", &pilot.crl_config_map_name),
    ] {
        env.extend(some(map).map(|map| variable(name, map)));
    }
    env.push(variable(
        "PILOT_ENABLE_ANALYSIS",
        global.istiod.enable_analysis.to_string(),
    ));
    env.push(variable("CLUSTER_ID", context.cluster()));
    env.push(resource_variable("GOMEMLIMIT", "limits.memory"));
    env.push(resource_variable("GOMAXPROCS", "limits.cpu"));
    env.push(variable("PLATFORM", &*global.platform));
    // The first of a name counts, as the user's come before what is derived.
    let mut seen = std::collections::BTreeSet::new();
    env.retain(|variable| seen.insert(variable.name.clone()));
    env
}

fn mounts(part: Part<'_>) -> Vec<VolumeMount> {
    let pilot = &part.context.values().pilot;
    let mut mounts = vec![
        mount("local-certs", "/var/run/secrets/istio-dns"),
        read_only_mount("istio-token", "/var/run/secrets/tokens"),
        read_only_mount("cacerts", "/etc/cacerts"),
        read_only_mount("istio-kubeconfig", "/var/run/secrets/remote"),
        read_only_mount("istio-csr-dns-cert", "/var/run/secrets/istiod/tls"),
        read_only_mount("istio-csr-ca-configmap", "/var/run/secrets/istiod/ca"),
    ];
    if !pilot.jwks_resolver_extra_root_ca.is_empty() {
        mounts.push(mount("extracacerts", "/cacerts"));
    }
    mounts.extend(list(&pilot.volume_mounts).unwrap_or_default());
    mounts
}

fn volumes(part: Part<'_>) -> Vec<Volume> {
    let values = part.context.values();
    let roots = match &*values.global.trust_bundle_name {
        "" => "istio-ca-root-cert",
        name => name,
    };
    let mut volumes = vec![
        memory("local-certs"),
        token(&values.global.sds.token.aud),
        secret("cacerts", "cacerts"),
        secret("istio-kubeconfig", "istio-kubeconfig"),
        secret("istio-csr-dns-cert", "istiod-tls"),
        config_map("istio-csr-ca-configmap", roots, true),
    ];
    if !values.pilot.jwks_resolver_extra_root_ca.is_empty() {
        let name = part.context.revised(EXTRA_AUTHORITY);
        volumes.push(config_map("extracacerts", &name, false));
    }
    volumes.extend(list(&values.pilot.volumes).unwrap_or_default());
    volumes
}

/// Its autoscaler, and its PodDisruptionBudget if it has several pods.
fn scaling(part: Part<'_>) -> Vec<Value> {
    let (global, pilot) = (&part.context.values().global, &part.context.values().pilot);
    let mut objects = Vec::new();
    let least = if pilot.autoscale_enabled {
        let scale = Scale {
            min: pilot.autoscale_min,
            max: pilot.autoscale_max,
            cpu: &pilot.cpu,
            memory: &pilot.memory,
        };
        let mut scaler = autoscaler(metadata(part), scale);
        scaler.spec.behavior = pilot.autoscale_behavior.as_ref().and_then(typed);
        objects.push(object(&scaler));
        pilot.autoscale_min
    } else {
        pilot.replica_count
    };
    if global.default_pod_disruption_budget.enabled && least > 1 {
        objects.push(object(&disruption_budget(metadata(part), &pods(part))));
    }
    objects
}

/// Lets everything out, and in what its ports are for.
fn network_policy(part: Part<'_>) -> Value {
    let ports = [8080, 15010, 15012, 15014, 15017].map(|number| NetworkPolicyPort {
        port: Some(IntOrString::Int(number)),
        protocol: Some("TCP".to_owned()),
        ..NetworkPolicyPort::default()
    });
    object(&NetworkPolicy {
        metadata: metadata(part),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(selector(&pods(part))),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                ports: Some(ports.into()),
                ..NetworkPolicyIngressRule::default()
            }]),
            egress: Some(vec![NetworkPolicyEgressRule::default()]),
        }),
    })
}
