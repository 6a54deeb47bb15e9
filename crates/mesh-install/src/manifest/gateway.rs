//! Gateways that are installed with the control plane.

use mesh_core::k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
};
use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, Container, ContainerPort, DownwardAPIVolumeFile, DownwardAPIVolumeSource, EnvVar, NodeAffinity,
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, ObjectFieldSelector, PodSecurityContext,
    PodSpec, PodTemplateSpec, Probe, SecurityContext, Service, ServicePort, ServiceSpec, Volume, VolumeMount,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::Value;

use super::parts::{
    PROXY_ID, Scale, Texts, autoscaler, config_map, disruption_budget, empty, field_variable, filled, list,
    mount, number, object, port, probe, read_only_mount, resource_variable, resources, role, rule, secret,
    selector, service_account, some, texts, token, unprivileged, variable, variables,
};
use super::settings::{self, OverlayError};
use super::{ComponentName, Part};
use crate::spec::control_plane::GatewayComponent;
use crate::spec::values;

/// The objects of all gateways of a direction.
pub(super) fn objects(
    part: Part<'_>,
    gateways: &[GatewayComponent],
    errors: &mut Vec<OverlayError>,
) -> Vec<Value> {
    let enabled = gateways.iter().filter(|gateway| gateway.enabled);
    let each = enabled.flat_map(|component| {
        let objects = Gateway::new(part, component).objects();
        settings::apply(part.component, objects, &component.k8s, errors)
    });
    each.collect()
}

/// A gateway that is being made.
struct Gateway<'a> {
    part: Part<'a>,
    component: &'a GatewayComponent,
    values: &'a values::Gateway,
    namespace: &'a str,
    /// The labels that select its pods.
    labels: Texts,
}

impl<'a> Gateway<'a> {
    fn new(part: Part<'a>, component: &'a GatewayComponent) -> Self {
        let gateways = &part.context.values().gateways;
        let (values, usual) = match part.component {
            ComponentName::EgressGateways => (&gateways.egress, "istio-egressgateway"),
            _ => (&gateways.ingress, "istio-ingressgateway"),
        };
        let mut labels = values.labels.clone();
        if component.name != usual {
            // Two gateways with the same labels would take each other's pods for theirs.
            labels.insert("app".to_owned(), component.name.clone());
        }
        labels.extend(component.label.clone());
        let namespace = match component.namespace.as_str() {
            "" => part.context.spec.namespace(),
            own => own,
        };
        Self {
            part,
            component,
            values,
            namespace,
            labels,
        }
    }

    fn objects(&self) -> Vec<Value> {
        let account = self.account();
        let mut metadata = self.metadata(&account);
        metadata.annotations = filled(&self.values.service_account.annotations);
        let secrets = &self.part.context.values().global.image_pull_secrets;
        let mut objects = vec![object(&service_account(metadata, secrets))];
        // Certificates of servers are Secrets beside the gateway.
        let reads = vec![rule(&[""], &["secrets"], &["get", "watch", "list"])];
        let metadata = self.metadata(&format!("{}-sds", self.component.name));
        objects.extend(role(metadata, reads, &account));
        if !self.values.custom_service {
            objects.push(self.service());
        }
        objects.push(self.deployment());
        objects.extend(self.scaling());
        objects
    }

    fn account(&self) -> String {
        format!("{}-service-account", self.component.name)
    }

    fn metadata(&self, name: &str) -> ObjectMeta {
        let mut metadata = self.part.metadata(self.namespace, name, &self.component.name);
        let labels = metadata.labels.get_or_insert_default();
        labels.extend(self.labels.clone());
        labels.extend(texts([("istio.io/dataplane-mode", "none")]));
        metadata
    }

    fn service(&self) -> Value {
        let (values, global) = (self.values, &self.part.context.values().global);
        let ports = values.ports.iter().map(|port| ServicePort {
            name: some(&port.name),
            port: port.port,
            protocol: Some(protocol(port)),
            target_port: Some(IntOrString::Int(target(port))),
            node_port: (port.node_port != 0).then_some(port.node_port),
            ..ServicePort::default()
        });
        let families = [&values.ip_families, &global.ip_families];
        let policies = [&values.ip_family_policy, &global.ip_family_policy];
        let ranges = &values.load_balancer_source_ranges;
        let mut metadata = self.metadata(&self.component.name);
        metadata.annotations = filled(&values.service_annotations);
        object(&Service {
            metadata,
            spec: Some(ServiceSpec {
                type_: some(&values.service_type),
                selector: Some(self.labels.clone()),
                ports: Some(ports.collect()),
                load_balancer_ip: some(&values.load_balancer_ip),
                load_balancer_source_ranges: (!ranges.is_empty()).then(|| ranges.clone()),
                external_traffic_policy: some(&values.external_traffic_policy),
                ip_families: families.into_iter().find(|list| !list.is_empty()).cloned(),
                ip_family_policy: policies.into_iter().find_map(|policy| some(policy)),
                ..ServiceSpec::default()
            }),
            ..Service::default()
        })
    }

    fn deployment(&self) -> Value {
        let values = self.values;
        object(&Deployment {
            metadata: self.metadata(&self.component.name),
            spec: Some(DeploymentSpec {
                replicas: (!values.autoscale_enabled).then_some(values.replica_count),
                selector: selector(&self.labels),
                strategy: Some(DeploymentStrategy {
                    rolling_update: Some(RollingUpdateDeployment {
                        max_surge: number(&values.rolling_max_surge),
                        max_unavailable: number(&values.rolling_max_unavailable),
                    }),
                    ..DeploymentStrategy::default()
                }),
                template: self.template(),
                ..DeploymentSpec::default()
            }),
            ..Deployment::default()
        })
    }

    fn is_injected(&self) -> bool {
        !self.values.injection_template.is_empty()
    }

    fn template(&self) -> PodTemplateSpec {
        let context = self.part.context;
        let mut labels = self.metadata("").labels.unwrap_or_default();
        let revision = ["app.kubernetes.io/version", "version"]
            .iter()
            .find_map(|key| self.labels.get(*key).map(String::as_str))
            .or_else(|| context.spec.revision())
            .unwrap_or("latest");
        let injects = if self.is_injected() { "true" } else { "false" };
        labels.extend(texts([
            ("service.istio.io/canonical-name", &*self.component.name),
            ("service.istio.io/canonical-revision", revision),
            ("sidecar.istio.io/inject", injects),
        ]));
        let mut annotations = texts([
            ("istio.io/rev", context.spec.revision_label()),
            ("sidecar.istio.io/inject", injects),
        ]);
        if self.is_injected() {
            let name = self.values.injection_template.clone();
            annotations.insert("inject.istio.io/templates".to_owned(), name);
        }
        if context.mesh("/enablePrometheusMerge") != Some(&Value::Bool(false)) {
            annotations.extend(texts([
                ("prometheus.io/path", "/stats/prometheus"),
                ("prometheus.io/port", "15020"),
                ("prometheus.io/scrape", "true"),
            ]));
        }
        annotations.extend(self.values.pod_annotations.clone());
        super::parts::template(labels, annotations, self.pod())
    }

    fn pod(&self) -> PodSpec {
        let (context, values) = (self.part.context, self.values);
        let global = &context.values().global;
        // OpenShift gives each namespace users of its own.
        let user = (!context.is_openshift()).then_some(PROXY_ID);
        let mut containers = vec![self.container()];
        containers.extend(list(&values.additional_containers).unwrap_or_default());
        let tolerations = if values.tolerations.is_empty() {
            &global.default_tolerations
        } else {
            &values.tolerations
        };
        let nodes = if values.node_selector.is_empty() {
            &global.default_node_selector
        } else {
            &values.node_selector
        };
        PodSpec {
            service_account_name: Some(self.account()),
            priority_class_name: some(&global.priority_class_name),
            security_context: (!values.run_as_root).then(|| PodSecurityContext {
                run_as_user: user,
                run_as_group: user,
                run_as_non_root: Some(true),
                ..PodSecurityContext::default()
            }),
            affinity: Some(architectures(nodes)),
            tolerations: list(tolerations),
            containers,
            volumes: (!self.is_injected()).then(|| self.volumes()),
            ..PodSpec::default()
        }
    }

    fn container(&self) -> Container {
        let (context, values) = (self.part.context, self.values);
        let global = &context.values().global;
        let ports = values.ports.iter().map(|port| ContainerPort {
            container_port: target(port),
            protocol: Some(protocol(port)),
            ..ContainerPort::default()
        });
        let metrics = port(15090, Some("http-envoy-prom"));
        let container = Container {
            name: "istio-proxy".to_owned(),
            ports: Some(ports.chain([metrics]).collect()),
            resources: resources(values.resources.as_ref(), global.default_resources.as_ref()),
            security_context: (!values.run_as_root).then(|| SecurityContext {
                privileged: Some(false),
                run_as_non_root: None,
                ..unprivileged()
            }),
            ..Container::default()
        };
        if self.is_injected() {
            return Container {
                // What is injected fills it in.
                image: Some("auto".to_owned()),
                env: Some(variables(&values.env).collect()),
                ..container
            };
        }
        let (hub, tag) = (&self.component.hub, &self.component.tag);
        Container {
            image: Some(context.image(&global.proxy.image, [hub, ""], [tag, ""], "")),
            image_pull_policy: some(&global.image_pull_policy),
            args: Some(self.args()),
            readiness_probe: Some(Probe {
                initial_delay_seconds: Some(1),
                period_seconds: Some(2),
                timeout_seconds: Some(1),
                success_threshold: Some(1),
                failure_threshold: Some(30),
                ..probe("/healthz/ready", 15021)
            }),
            env: Some(self.environment()),
            volume_mounts: Some(self.mounts()),
            ..container
        }
    }

    fn args(&self) -> Vec<String> {
        let global = &self.part.context.values().global;
        let mut args = ["proxy", "router", "--domain"].map(str::to_owned).to_vec();
        args.push(format!("$(POD_NAMESPACE).svc.{}", global.proxy.cluster_domain));
        for (flag, level) in [
            ("--proxyLogLevel", &global.proxy.log_level),
            ("--proxyComponentLogLevel", &global.proxy.component_log_level),
            ("--log_output_level", &global.logging.level),
        ] {
            args.extend(some(level).map(|level| format!("{flag}={level}")));
        }
        if global.log_as_json {
            args.push("--log_as_json".to_owned());
        }
        if global.sts.service_port != 0 {
            args.push(format!("--stsPort={}", global.sts.service_port));
        }
        args
    }

    fn environment(&self) -> Vec<EnvVar> {
        let context = self.part.context;
        let global = &context.values().global;
        let authority = some(&global.ca_address).unwrap_or_else(|| context.istiod());
        let name = &self.component.name;
        let owner = format!(
            "kubernetes://apis/apps/v1/namespaces/{}/deployments/{name}",
            self.namespace
        );
        let domain = context
            .mesh("/trustDomain")
            .and_then(Value::as_str)
            .unwrap_or("cluster.local");
        let mesh = some(&global.mesh_id).unwrap_or_else(|| domain.to_owned());
        let mut env = vec![
            variable("PILOT_CERT_PROVIDER", &*global.pilot_cert_provider),
            variable("CA_ADDR", authority),
            field_variable("NODE_NAME", "spec.nodeName"),
            field_variable("POD_NAME", "metadata.name"),
            field_variable("POD_NAMESPACE", "metadata.namespace"),
            field_variable("INSTANCE_IP", "status.podIP"),
            field_variable("HOST_IP", "status.hostIP"),
            resource_variable("ISTIO_CPU_LIMIT", "limits.cpu"),
            field_variable("SERVICE_ACCOUNT", "spec.serviceAccountName"),
            variable("ISTIO_META_WORKLOAD_NAME", &**name),
            variable("ISTIO_META_OWNER", owner),
            variable("ISTIO_META_MESH_ID", mesh),
            variable("TRUST_DOMAIN", domain),
        ];
        if !self.values.run_as_root {
            env.push(variable("ISTIO_META_UNPRIVILEGED_POD", "true"));
        }
        env.extend(variables(&self.values.env));
        env.extend(
            context
                .proxy_metadata()
                .map(|(name, value)| variable(name, value)),
        );
        if !global.network.is_empty() && !self.values.env.contains_key("ISTIO_META_NETWORK") {
            env.push(variable("ISTIO_META_NETWORK", &*global.network));
        }
        env.push(variable("ISTIO_META_CLUSTER_ID", context.cluster()));
        env.push(field_variable("ISTIO_META_NODE_NAME", "spec.nodeName"));
        env
    }

    fn trusts_istiod(&self) -> bool {
        self.part.context.values().global.pilot_cert_provider == "istiod"
    }

    fn mounts(&self) -> Vec<VolumeMount> {
        let mut mounts = vec![
            mount("workload-socket", "/var/run/secrets/workload-spiffe-uds"),
            mount("credential-socket", "/var/run/secrets/credential-uds"),
            mount("workload-certs", "/var/run/secrets/workload-spiffe-credentials"),
            mount("istio-envoy", "/etc/istio/proxy"),
            mount("config-volume", "/etc/istio/config"),
        ];
        if self.trusts_istiod() {
            mounts.push(mount("istiod-ca-cert", "/var/run/secrets/istio"));
        }
        mounts.push(read_only_mount("istio-token", "/var/run/secrets/tokens"));
        if self.part.context.values().global.mount_mtls_certs {
            mounts.push(read_only_mount("istio-certs", "/etc/certs"));
        }
        mounts.push(mount("istio-data", "/var/lib/istio/data"));
        mounts.push(mount("podinfo", "/etc/istio/pod"));
        let secrets = self.values.secret_volumes.iter();
        mounts.extend(secrets.map(|volume| read_only_mount(&volume.name, &volume.mount_path)));
        let configs = self.values.config_volumes.iter();
        let configs = configs.filter(|volume| !volume.mount_path.is_empty());
        mounts.extend(configs.map(|volume| read_only_mount(&volume.name, &volume.mount_path)));
        mounts
    }

    fn volumes(&self) -> Vec<Volume> {
        let context = self.part.context;
        let global = &context.values().global;
        let mut volumes: Vec<Volume> = [
            "workload-socket",
            "credential-socket",
            "workload-certs",
            "istio-envoy",
            "istio-data",
        ]
        .map(empty)
        .into();
        if self.trusts_istiod() {
            let roots = some(&global.trust_bundle_name);
            let roots = roots.as_deref().unwrap_or("istio-ca-root-cert");
            volumes.push(config_map("istiod-ca-cert", roots, false));
        }
        volumes.push(pod_info());
        volumes.push(token(&global.sds.token.aud));
        if global.mount_mtls_certs {
            volumes.push(secret("istio-certs", &format!("istio.{}", self.account())));
        }
        volumes.push(config_map("config-volume", &context.revised("istio"), true));
        let secrets = self.values.secret_volumes.iter();
        volumes.extend(secrets.map(|volume| secret(&volume.name, &volume.secret_name)));
        let configs = self.values.config_volumes.iter();
        volumes.extend(configs.map(|volume| config_map(&volume.name, &volume.config_map_name, true)));
        volumes
    }

    /// Its autoscaler, and its PodDisruptionBudget if it has several pods.
    fn scaling(&self) -> Vec<Value> {
        let values = self.values;
        let mut objects = Vec::new();
        let metadata = || self.metadata(&self.component.name);
        let least = if values.autoscale_enabled {
            let scale = Scale {
                min: values.autoscale_min,
                max: values.autoscale_max,
                cpu: &values.cpu,
                memory: &values.memory,
            };
            objects.push(object(&autoscaler(metadata(), scale)));
            values.autoscale_min
        } else {
            values.replica_count
        };
        let budgets = &self.part.context.values().global.default_pod_disruption_budget;
        if budgets.enabled && least > 1 {
            objects.push(object(&disruption_budget(metadata(), &self.labels)));
        }
        objects
    }
}

/// The port of the container.
fn target(port: &values::GatewayPort) -> i32 {
    if port.target_port == 0 {
        port.port
    } else {
        port.target_port
    }
}

fn protocol(port: &values::GatewayPort) -> String {
    some(&port.protocol).unwrap_or_else(|| "TCP".to_owned())
}

fn pod_info() -> Volume {
    let file = |path: &str, field: &str| DownwardAPIVolumeFile {
        path: path.to_owned(),
        field_ref: Some(ObjectFieldSelector {
            field_path: field.to_owned(),
            ..ObjectFieldSelector::default()
        }),
        ..DownwardAPIVolumeFile::default()
    };
    let items = vec![
        file("labels", "metadata.labels"),
        file("annotations", "metadata.annotations"),
    ];
    Volume {
        name: "podinfo".to_owned(),
        downward_api: Some(DownwardAPIVolumeSource {
            items: Some(items),
            ..DownwardAPIVolumeSource::default()
        }),
        ..Volume::default()
    }
}

/// The nodes that gateways may run on: those with these labels, of the architectures that there are images for.
fn architectures(labels: &Texts) -> Affinity {
    let values = ["amd64", "arm64", "ppc64le", "s390x"].map(str::to_owned);
    let within = |key: &str, values: Vec<String>| NodeSelectorRequirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: Some(values),
    };
    let mut expressions = vec![within("kubernetes.io/arch", values.into())];
    expressions.extend(labels.iter().map(|(key, value)| within(key, vec![value.clone()])));
    Affinity {
        node_affinity: Some(NodeAffinity {
            required_during_scheduling_ignored_during_execution: Some(NodeSelector {
                node_selector_terms: vec![NodeSelectorTerm {
                    match_expressions: Some(expressions),
                    match_fields: None,
                }],
            }),
            ..NodeAffinity::default()
        }),
        ..Affinity::default()
    }
}
