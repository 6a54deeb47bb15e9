//! What each installation profile runs: which components, and the pods of each.
//!
//! Requests, tolerations, security contexts, ports and volumes are those of Istio's charts.

use std::collections::BTreeMap;

use mesh_core::k8s_openapi::api::core::v1::{
    Affinity, AppArmorProfile, Capabilities, ConfigMapVolumeSource, Container, ContainerPort,
    DownwardAPIVolumeSource, EmptyDirVolumeSource, HTTPGetAction, HostPathVolumeSource, NodeAffinity,
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSecurityContext, PodSpec, PodTemplateSpec,
    Probe, ProjectedVolumeSource, ResourceRequirements, SELinuxOptions, SecretVolumeSource, SecurityContext,
    ServiceAccountTokenProjection, Toleration, Volume, VolumeProjection,
};
use mesh_core::k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use mesh_core::k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::schedule::{Workload, WorkloadKind};
use crate::version::Release;

/// The user and group that proxies run as.
const PROXY_ID: i64 = 1337;

/// Something that a profile runs. In the order in which they are installed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Component {
    /// The agent that sets up the network of pods: a DaemonSet.
    Cni,
    /// The control plane.
    Istiod,
    /// The node proxy of ambient mode: a DaemonSet.
    Ztunnel,
    /// The gateway for traffic into the mesh.
    IngressGateway,
    /// The gateway for traffic out of the mesh.
    EgressGateway,
}

impl Component {
    /// The name of its Deployment or DaemonSet; a revision is appended to istiod's.
    pub fn workload_name(self) -> &'static str {
        match self {
            Self::Cni => "istio-cni-node",
            Self::Istiod => "istiod",
            Self::Ztunnel => "ztunnel",
            Self::IngressGateway => "istio-ingressgateway",
            Self::EgressGateway => "istio-egressgateway",
        }
    }

    /// The name of its image.
    pub fn image(self) -> &'static str {
        match self {
            Self::Cni => "install-cni",
            Self::Istiod => "pilot",
            Self::Ztunnel => "ztunnel",
            Self::IngressGateway | Self::EgressGateway => "proxyv2",
        }
    }
}

/// A named set of components and of sizes for them.
#[derive(PartialEq, Eq, Debug)]
pub struct Profile {
    /// The name that users say.
    pub name: &'static str,
    /// What it runs.
    pub components: &'static [Component],
    /// Whether requests are made small, to fit a laptop.
    pub is_small: bool,
    /// Whether images have no shell.
    pub is_distroless: bool,
    /// Whether it is for OpenShift, where node agents live in `kube-system` and have SELinux types.
    pub is_openshift: bool,
}

const GATEWAYED: &[Component] = &[Component::Istiod, Component::IngressGateway];
const AMBIENT: &[Component] = &[Component::Cni, Component::Istiod, Component::Ztunnel];

/// All profiles, by name.
pub static PROFILES: &[Profile] = &[
    Profile {
        is_distroless: true,
        ..profile("ambient", AMBIENT)
    },
    profile("default", GATEWAYED),
    Profile {
        is_small: true,
        ..profile(
            "demo",
            &[
                Component::Istiod,
                Component::IngressGateway,
                Component::EgressGateway,
            ],
        )
    },
    profile("empty", &[]),
    profile("minimal", &[Component::Istiod]),
    Profile {
        is_openshift: true,
        ..profile(
            "openshift",
            &[Component::Cni, Component::Istiod, Component::IngressGateway],
        )
    },
    Profile {
        is_distroless: true,
        is_openshift: true,
        ..profile("openshift-ambient", AMBIENT)
    },
    profile("preview", GATEWAYED),
    profile("remote", &[]),
    profile("stable", GATEWAYED),
];

const fn profile(name: &'static str, components: &'static [Component]) -> Profile {
    Profile {
        name,
        components,
        is_small: false,
        is_distroless: false,
        is_openshift: false,
    }
}

/// What users choose beside the profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Where the control plane lives.
    pub namespace: String,
    /// The revision, if it is not the default one.
    pub revision: Option<String>,
    /// Where images come from.
    pub hub: String,
    /// The tag of images; by default that of the release.
    pub tag: Option<String>,
    /// The priority class of istiod and gateways, if any.
    pub priority_class: Option<String>,
    /// How many pods istiod and each gateway have.
    pub replicas: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: "istio-system".to_owned(),
            revision: None,
            hub: "docker.io/istio".to_owned(),
            tag: None,
            priority_class: None,
            replicas: 1,
        }
    }
}

impl Profile {
    /// The profile of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// The pods that it runs, in the order of installation.
    pub fn workloads(&self, release: &Release, settings: &Settings) -> Vec<Workload> {
        self.components
            .iter()
            .map(|component| self.workload(*component, release, settings))
            .collect()
    }

    /// The pods of one component, whether or not the profile runs it.
    pub fn workload(&self, component: Component, release: &Release, settings: &Settings) -> Workload {
        let builder = Builder {
            profile: self,
            component,
            release,
            settings,
        };
        let is_agent = matches!(component, Component::Cni | Component::Ztunnel);
        Workload {
            kind: if is_agent {
                WorkloadKind::DaemonSet
            } else {
                WorkloadKind::Deployment {
                    replicas: settings.replicas,
                }
            },
            namespace: if is_agent && self.is_openshift {
                "kube-system".to_owned()
            } else {
                settings.namespace.clone()
            },
            name: match (component, &settings.revision) {
                (Component::Istiod, Some(revision)) => format!("istiod-{revision}"),
                _ => component.workload_name().to_owned(),
            },
            template: builder.template(),
        }
    }

    /// What a component requests, and its limits.
    fn resources(&self, component: Component) -> ResourceRequirements {
        let (cpu, memory) = match (component, self.is_small) {
            (Component::Istiod, false) => ("500m", "2048Mi"),
            (Component::Istiod, true) => ("10m", "100Mi"),
            (Component::Cni, false) => ("100m", "100Mi"),
            (Component::Ztunnel, false) => ("200m", "512Mi"),
            (Component::IngressGateway | Component::EgressGateway, false) => ("100m", "128Mi"),
            (_, true) => ("10m", "40Mi"),
        };
        let is_gateway = matches!(component, Component::IngressGateway | Component::EgressGateway);
        ResourceRequirements {
            requests: Some(amounts(cpu, memory)),
            limits: is_gateway.then(|| amounts("2000m", "1024Mi")),
            ..ResourceRequirements::default()
        }
    }
}

fn amounts(cpu: &str, memory: &str) -> BTreeMap<String, Quantity> {
    [("cpu", cpu), ("memory", memory)]
        .map(|(name, amount)| (name.to_owned(), Quantity(amount.to_owned())))
        .into()
}

/// Makes the pod template of a component.
struct Builder<'a> {
    profile: &'a Profile,
    component: Component,
    release: &'a Release,
    settings: &'a Settings,
}

impl Builder<'_> {
    fn template(&self) -> PodTemplateSpec {
        let spec = match self.component {
            Component::Cni => self.cni(),
            Component::Istiod => self.istiod(),
            Component::Ztunnel => self.ztunnel(),
            Component::IngressGateway | Component::EgressGateway => self.gateway(),
        };
        let metadata = ObjectMeta {
            labels: Some(self.labels()),
            ..ObjectMeta::default()
        };
        PodTemplateSpec {
            metadata: Some(metadata),
            spec: Some(spec),
        }
    }

    fn image(&self) -> String {
        let tag = self
            .settings
            .tag
            .clone()
            .unwrap_or_else(|| format!("{}.0", self.release));
        let variant = if self.profile.is_distroless {
            "-distroless"
        } else {
            ""
        };
        format!("{}/{}:{tag}{variant}", self.settings.hub, self.component.image())
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let revision = self.settings.revision.as_deref().unwrap_or("default");
        let own: &[(&str, &str)] = match self.component {
            Component::Cni => &[("k8s-app", "istio-cni-node")],
            Component::Ztunnel => &[("app", "ztunnel")],
            Component::Istiod if self.settings.revision.is_some() => {
                &[("app", "istiod"), ("istio", "istiod")]
            }
            Component::Istiod => &[("app", "istiod"), ("istio", "pilot")],
            Component::IngressGateway => &[("app", "istio-ingressgateway"), ("istio", "ingressgateway")],
            Component::EgressGateway => &[("app", "istio-egressgateway"), ("istio", "egressgateway")],
        };
        let common = [
            ("sidecar.istio.io/inject", "false"),
            ("istio.io/dataplane-mode", "none"),
            ("istio.io/rev", revision),
        ];
        own.iter()
            .copied()
            .chain(common)
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn istiod(&self) -> PodSpec {
        let ports = [
            (8080, "http-debug"),
            (15010, "grpc-xds"),
            (15012, "tls-xds"),
            (15017, "https-webhooks"),
            (15014, "http-monitoring"),
        ];
        PodSpec {
            service_account_name: Some(match &self.settings.revision {
                Some(revision) => format!("istiod-{revision}"),
                None => "istiod".to_owned(),
            }),
            priority_class_name: self.settings.priority_class.clone(),
            tolerations: Some(vec![toleration(Some("cni.istio.io/not-ready"), None)]),
            containers: vec![Container {
                name: "discovery".to_owned(),
                image: Some(self.image()),
                ports: Some(ports.map(|(number, name)| port(number, Some(name))).into()),
                readiness_probe: Some(Probe {
                    initial_delay_seconds: Some(1),
                    period_seconds: Some(3),
                    timeout_seconds: Some(5),
                    ..probe("/ready", 8080)
                }),
                resources: Some(self.profile.resources(self.component)),
                security_context: Some(unprivileged(true)),
                ..Container::default()
            }],
            volumes: Some(vec![
                memory("local-certs"),
                token(),
                secret("cacerts", "cacerts"),
                secret("istio-kubeconfig", "istio-kubeconfig"),
                secret("istio-csr-dns-cert", "istiod-tls"),
                config_map("istio-csr-ca-configmap", "istio-ca-root-cert"),
            ]),
            ..PodSpec::default()
        }
    }

    fn gateway(&self) -> PodSpec {
        let numbers: &[i32] = match (self.component, self.profile.is_small) {
            (Component::EgressGateway, _) => &[8080, 8443],
            (_, false) => &[15021, 8080, 8443],
            (_, true) => &[15021, 8080, 8443, 31400, 15443],
        };
        let mut ports: Vec<ContainerPort> = numbers.iter().map(|number| port(*number, None)).collect();
        ports.push(port(15090, Some("http-envoy-prom")));
        let name = self.component.workload_name();
        let short = name.trim_start_matches("istio-");
        // OpenShift gives each namespace users of its own.
        let user = (!self.profile.is_openshift).then_some(PROXY_ID);
        let mut volumes: Vec<Volume> = [
            "workload-socket",
            "credential-socket",
            "workload-certs",
            "istio-envoy",
            "istio-data",
        ]
        .map(empty)
        .into();
        volumes.push(config_map("istiod-ca-cert", "istio-ca-root-cert"));
        volumes.push(token());
        volumes.push(config_map("config-volume", "istio"));
        volumes.push(Volume {
            name: "podinfo".to_owned(),
            downward_api: Some(DownwardAPIVolumeSource::default()),
            ..Volume::default()
        });
        for kind in ["certs", "ca-certs"] {
            volumes.push(secret(
                &format!("{short}-{kind}"),
                &format!("istio-{short}-{kind}"),
            ));
        }
        PodSpec {
            service_account_name: Some(format!("{name}-service-account")),
            priority_class_name: self.settings.priority_class.clone(),
            security_context: Some(PodSecurityContext {
                run_as_user: user,
                run_as_group: user,
                run_as_non_root: Some(true),
                ..PodSecurityContext::default()
            }),
            affinity: Some(architectures()),
            containers: vec![Container {
                name: "istio-proxy".to_owned(),
                image: Some(self.image()),
                ports: Some(ports),
                readiness_probe: Some(Probe {
                    initial_delay_seconds: Some(1),
                    period_seconds: Some(2),
                    timeout_seconds: Some(1),
                    failure_threshold: Some(30),
                    ..probe("/healthz/ready", 15021)
                }),
                resources: Some(self.profile.resources(self.component)),
                security_context: Some(SecurityContext {
                    privileged: Some(false),
                    run_as_non_root: None,
                    ..unprivileged(true)
                }),
                ..Container::default()
            }],
            volumes: Some(volumes),
            ..PodSpec::default()
        }
    }

    fn cni(&self) -> PodSpec {
        let (binaries, configuration) = if self.profile.is_openshift {
            ("/var/lib/cni/bin", "/etc/cni/multus/net.d")
        } else {
            ("/opt/cni/bin", "/etc/cni/net.d")
        };
        let mut volumes = vec![
            host_path("cni-bin-dir", binaries),
            host_path("cni-host-procfs", "/proc"),
            host_path("cni-net-dir", configuration),
            host_path("cni-socket-dir", "/var/run/istio-cni"),
            host_path("cni-netns-dir", "/var/run/netns"),
        ];
        if self.profile.components.contains(&Component::Ztunnel) {
            volumes.push(host_path("cni-ztunnel-sock-dir", "/var/run/ztunnel"));
        }
        let added = ["NET_ADMIN", "NET_RAW", "SYS_PTRACE", "SYS_ADMIN", "DAC_OVERRIDE"];
        self.agent(
            Container {
                name: "install-cni".to_owned(),
                ports: Some(vec![port(15014, Some("metrics"))]),
                readiness_probe: Some(probe("/readyz", 8000)),
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
                    ..SecurityContext::default()
                }),
                ..Container::default()
            },
            "istio-cni",
            volumes,
        )
    }

    fn ztunnel(&self) -> PodSpec {
        self.agent(
            Container {
                name: "istio-proxy".to_owned(),
                ports: Some(vec![port(15020, Some("ztunnel-stats"))]),
                readiness_probe: Some(probe("/healthz/ready", 15021)),
                security_context: Some(SecurityContext {
                    privileged: Some(false),
                    allow_privilege_escalation: Some(true),
                    read_only_root_filesystem: Some(true),
                    run_as_user: Some(0),
                    run_as_group: Some(PROXY_ID),
                    run_as_non_root: Some(false),
                    capabilities: Some(capabilities(&["NET_ADMIN", "SYS_ADMIN", "NET_RAW"])),
                    ..SecurityContext::default()
                }),
                ..Container::default()
            },
            "ztunnel",
            vec![
                token(),
                config_map("istiod-ca-cert", "istio-ca-root-cert"),
                host_path("cni-ztunnel-sock-dir", "/var/run/ztunnel"),
                empty("tmp"),
            ],
        )
    }

    /// A pod that must run on every node, before all others.
    fn agent(&self, container: Container, account: &str, volumes: Vec<Volume>) -> PodSpec {
        let se_linux_options = self.profile.is_openshift.then(|| SELinuxOptions {
            type_: Some("spc_t".to_owned()),
            ..SELinuxOptions::default()
        });
        let security_context = container.security_context.map(|context| SecurityContext {
            se_linux_options,
            ..context
        });
        PodSpec {
            service_account_name: Some(account.to_owned()),
            priority_class_name: Some("system-node-critical".to_owned()),
            node_selector: Some([("kubernetes.io/os".to_owned(), "linux".to_owned())].into()),
            tolerations: Some(vec![
                toleration(None, Some("NoSchedule")),
                toleration(Some("CriticalAddonsOnly"), None),
                toleration(None, Some("NoExecute")),
            ]),
            containers: vec![Container {
                image: Some(self.image()),
                resources: Some(self.profile.resources(self.component)),
                security_context,
                ..container
            }],
            volumes: Some(volumes),
            ..PodSpec::default()
        }
    }
}

/// The init container that redirects the traffic of a pod with a sidecar, when the CNI agent does not. What it is
/// allowed to do is what Pod Security Standards take offence at.
pub fn istio_init(settings: &Settings, release: &Release) -> Container {
    let tag = settings.tag.clone().unwrap_or_else(|| format!("{release}.0"));
    Container {
        name: "istio-init".to_owned(),
        image: Some(format!("{}/proxyv2:{tag}", settings.hub)),
        resources: Some(ResourceRequirements {
            requests: Some(amounts("100m", "128Mi")),
            limits: Some(amounts("2000m", "1024Mi")),
            ..ResourceRequirements::default()
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            privileged: Some(false),
            read_only_root_filesystem: Some(false),
            run_as_user: Some(0),
            run_as_group: Some(0),
            run_as_non_root: Some(false),
            capabilities: Some(capabilities(&["NET_ADMIN", "NET_RAW"])),
            ..SecurityContext::default()
        }),
        ..Container::default()
    }
}

fn toleration(key: Option<&str>, effect: Option<&str>) -> Toleration {
    Toleration {
        key: key.map(str::to_owned),
        operator: Some("Exists".to_owned()),
        effect: effect.map(str::to_owned),
        ..Toleration::default()
    }
}

/// Drops all capabilities but these.
fn capabilities(added: &[&str]) -> Capabilities {
    let added: Vec<String> = added.iter().map(|name| (*name).to_owned()).collect();
    Capabilities {
        drop: Some(vec!["ALL".to_owned()]),
        add: (!added.is_empty()).then_some(added),
    }
}

fn unprivileged(non_root: bool) -> SecurityContext {
    SecurityContext {
        allow_privilege_escalation: Some(false),
        read_only_root_filesystem: Some(true),
        run_as_non_root: Some(non_root),
        capabilities: Some(capabilities(&[])),
        ..SecurityContext::default()
    }
}

/// The architectures that gateways may run on.
fn architectures() -> Affinity {
    let values = ["amd64", "arm64", "ppc64le", "s390x"].map(str::to_owned);
    Affinity {
        node_affinity: Some(NodeAffinity {
            required_during_scheduling_ignored_during_execution: Some(NodeSelector {
                node_selector_terms: vec![NodeSelectorTerm {
                    match_expressions: Some(vec![NodeSelectorRequirement {
                        key: "kubernetes.io/arch".to_owned(),
                        operator: "In".to_owned(),
                        values: Some(values.into()),
                    }]),
                    match_fields: None,
                }],
            }),
            ..NodeAffinity::default()
        }),
        ..Affinity::default()
    }
}

fn port(number: i32, name: Option<&str>) -> ContainerPort {
    ContainerPort {
        container_port: number,
        name: name.map(str::to_owned),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    }
}

fn probe(path: &str, port: i32) -> Probe {
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

fn empty(name: &str) -> Volume {
    let empty_dir = Some(EmptyDirVolumeSource::default());
    Volume {
        name: name.to_owned(),
        empty_dir,
        ..Volume::default()
    }
}

fn memory(name: &str) -> Volume {
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

fn secret(name: &str, of: &str) -> Volume {
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

fn config_map(name: &str, of: &str) -> Volume {
    let config_map = ConfigMapVolumeSource {
        name: of.to_owned(),
        optional: Some(true),
        ..ConfigMapVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        config_map: Some(config_map),
        ..Volume::default()
    }
}

fn host_path(name: &str, path: &str) -> Volume {
    let host_path = Some(HostPathVolumeSource {
        path: path.to_owned(),
        type_: None,
    });
    Volume {
        name: name.to_owned(),
        host_path,
        ..Volume::default()
    }
}

/// The token with which proxies and istiod prove who they are.
fn token() -> Volume {
    let service_account_token = Some(ServiceAccountTokenProjection {
        audience: Some("istio-ca".to_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_are_sorted_and_install_in_order() {
        assert!(PROFILES.is_sorted_by(|a, b| a.name < b.name));
        for profile in PROFILES {
            assert!(profile.components.is_sorted_by(|a, b| a < b), "{}", profile.name);
            assert_eq!(Profile::by_name(profile.name), Some(profile));
        }
        assert_eq!(Profile::by_name("production"), None);
    }

    #[test]
    fn revisions_tags_and_platforms_change_names() {
        let settings = Settings {
            revision: Some("canary".to_owned()),
            hub: "registry.example/istio".to_owned(),
            tag: Some("1.29.2".to_owned()),
            ..Settings::default()
        };
        let profile = Profile::by_name("openshift-ambient").unwrap();
        let workloads = profile.workloads(Release::latest(), &settings);
        let names: Vec<String> = workloads.iter().map(ToString::to_string).collect();
        assert_eq!(
            names,
            [
                "DaemonSet/kube-system/istio-cni-node",
                "Deployment/istio-system/istiod-canary",
                "DaemonSet/kube-system/ztunnel",
            ]
        );
        let istiod = workloads[1].template.spec.as_ref().unwrap();
        let image = istiod.containers[0].image.as_deref();
        assert_eq!(image, Some("registry.example/istio/pilot:1.29.2-distroless"));
    }
}
