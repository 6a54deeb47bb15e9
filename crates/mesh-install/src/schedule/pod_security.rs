//! The Pod Security Standards, as the `PodSecurity` admission plugin enforces them on namespaces.
//!
//! Checks, allow-lists, order and texts are those of Kubernetes 1.36; each check knows from which version on it
//! applies, because namespaces may pin a version.

use std::collections::BTreeSet;
use std::fmt;

use mesh_core::Labels;
use mesh_core::k8s_openapi::api::core::v1::{
    Container, LifecycleHandler, PodSpec, Probe, SELinuxOptions, SecurityContext, Volume,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::version::KubernetesVersion;

/// The label with the level that a namespace enforces.
pub const ENFORCE_LABEL: &str = "pod-security.kubernetes.io/enforce";

/// The label with the version of the standards that a namespace enforces.
pub const ENFORCE_VERSION_LABEL: &str = "pod-security.kubernetes.io/enforce-version";

/// The newest version with checks of its own; later ones are the same.
const NEWEST: u32 = 35;

/// How strict a standard is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Everything is allowed.
    Privileged,
    /// Known privilege escalations are forbidden.
    Baseline,
    /// Hardened.
    Restricted,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        })
    }
}

/// What a namespace enforces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// The level.
    pub level: Level,
    /// The version of the standards; `None` is the API server's own.
    pub version: Option<KubernetesVersion>,
}

impl Policy {
    /// The policy that a namespace's labels set. Unless the API server is configured otherwise, it is privileged
    /// where there is none; a level that does not exist counts as restricted.
    pub fn of(labels: Option<&Labels>) -> Self {
        let label = |name| labels.and_then(|labels| labels.get(name)).map(String::as_str);
        Self {
            level: match label(ENFORCE_LABEL) {
                None | Some("privileged") => Level::Privileged,
                Some("baseline") => Level::Baseline,
                Some(_) => Level::Restricted,
            },
            version: label(ENFORCE_VERSION_LABEL)
                .filter(|version| version.starts_with('v'))
                .and_then(|version| version.parse().ok()),
        }
    }
}

impl fmt::Display for Policy {
    /// `restricted:latest`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(version) => write!(f, "{}:v{version}", self.level),
            None => write!(f, "{}:latest", self.level),
        }
    }
}

/// Something that a pod does and a standard forbids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The check that forbids it, as the standards' implementation calls it.
    pub check: &'static str,
    /// What is forbidden.
    pub reason: &'static str,
    /// Where the pod does it.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.detail)
    }
}

/// What a check finds: the reason, and where.
type Found = Option<(&'static str, String)>;

struct Check {
    id: &'static str,
    level: Level,
    /// The first minor version that has it.
    since: u32,
    /// The check of a lower level that it replaces.
    replaces: Option<&'static str>,
    run: fn(&Subject<'_>) -> Found,
}

/// In the order of the admission plugin: the checks of the baseline first, each level by name.
static CHECKS: &[Check] = &[
    check("appArmorProfile", Level::Baseline, 0, None, app_armor_profile),
    check(
        "capabilities_baseline",
        Level::Baseline,
        0,
        None,
        capabilities_baseline,
    ),
    check("hostNamespaces", Level::Baseline, 0, None, host_namespaces),
    check("hostPathVolumes", Level::Baseline, 0, None, host_path_volumes),
    check("hostPorts", Level::Baseline, 0, None, host_ports),
    check(
        "hostProbesAndHostLifecycle",
        Level::Baseline,
        34,
        None,
        host_probes,
    ),
    check("privileged", Level::Baseline, 0, None, privileged),
    check("procMount", Level::Baseline, 0, None, proc_mount_baseline),
    check("seLinuxOptions", Level::Baseline, 0, None, se_linux_options),
    check(
        "seccompProfile_baseline",
        Level::Baseline,
        19,
        None,
        seccomp_profile_baseline,
    ),
    check("sysctls", Level::Baseline, 0, None, sysctls),
    check(
        "windowsHostProcess",
        Level::Baseline,
        0,
        None,
        windows_host_process,
    ),
    check(
        "allowPrivilegeEscalation",
        Level::Restricted,
        8,
        None,
        allow_privilege_escalation,
    ),
    check(
        "capabilities_restricted",
        Level::Restricted,
        22,
        Some("capabilities_baseline"),
        capabilities_restricted,
    ),
    check(
        "procMount_restricted",
        Level::Restricted,
        35,
        Some("procMount"),
        proc_mount,
    ),
    check(
        "restrictedVolumes",
        Level::Restricted,
        0,
        Some("hostPathVolumes"),
        restricted_volumes,
    ),
    check("runAsNonRoot", Level::Restricted, 0, None, run_as_non_root),
    check("runAsUser", Level::Restricted, 23, None, run_as_user),
    check(
        "seccompProfile_restricted",
        Level::Restricted,
        19,
        Some("seccompProfile_baseline"),
        seccomp_profile_restricted,
    ),
];

const fn check(
    id: &'static str,
    level: Level,
    since: u32,
    replaces: Option<&'static str>,
    run: fn(&Subject<'_>) -> Found,
) -> Check {
    Check {
        id,
        level,
        since,
        replaces,
        run,
    }
}

/// What a policy forbids of a pod, in the order in which the API server lists it. `server` is the API server's
/// version, which is what `latest` means.
pub fn evaluate(
    policy: Policy,
    server: Option<KubernetesVersion>,
    metadata: &ObjectMeta,
    spec: &PodSpec,
) -> Vec<Violation> {
    let newest = server.map_or(NEWEST, |server| server.minor.min(NEWEST));
    let minor = policy.version.map_or(newest, |version| version.minor.min(newest));
    let subject = Subject {
        metadata,
        spec,
        minor,
    };
    let applies = |check: &&Check| check.level <= policy.level && check.since <= minor;
    let replaced: BTreeSet<&str> = CHECKS
        .iter()
        .filter(applies)
        .filter_map(|check| check.replaces)
        .collect();
    CHECKS
        .iter()
        .filter(applies)
        .filter(|check| !replaced.contains(check.id))
        .filter_map(|check| {
            let (reason, detail) = (check.run)(&subject)?;
            Some(Violation {
                check: check.id,
                reason,
                detail,
            })
        })
        .collect()
}

/// The strictest level that allows a pod.
pub fn strictest(
    version: Option<KubernetesVersion>,
    server: Option<KubernetesVersion>,
    metadata: &ObjectMeta,
    spec: &PodSpec,
) -> Level {
    let levels = [Level::Restricted, Level::Baseline];
    let allows = |level: &Level| {
        evaluate(
            Policy {
                level: *level,
                version,
            },
            server,
            metadata,
            spec,
        )
        .is_empty()
    };
    levels.into_iter().find(allows).unwrap_or(Level::Privileged)
}

/// A pod, and the version of the standards to hold it against.
struct Subject<'a> {
    metadata: &'a ObjectMeta,
    spec: &'a PodSpec,
    minor: u32,
}

impl<'a> Subject<'a> {
    /// Init containers first. (Ephemeral containers are not in templates.)
    fn containers(&self) -> impl Iterator<Item = &'a Container> {
        self.spec
            .init_containers
            .iter()
            .flatten()
            .chain(&self.spec.containers)
    }

    fn contexts(&self) -> impl Iterator<Item = (&'a str, &'a SecurityContext)> {
        self.containers()
            .filter_map(|container| Some((container.name.as_str(), container.security_context.as_ref()?)))
    }

    /// The names of containers that do something, in order.
    fn containers_that(&self, does: impl Fn(&Container) -> bool) -> Vec<&'a str> {
        self.containers()
            .filter(|container| does(container))
            .map(|container| container.name.as_str())
            .collect()
    }

    fn is_windows(&self) -> bool {
        self.minor >= 25 && self.spec.os.as_ref().is_some_and(|os| os.name == "windows")
    }

    /// Whether root in the pod is nobody on the node, which some checks of 1.35 and later take into account.
    fn has_own_users(&self) -> bool {
        self.minor >= 35 && self.spec.host_users == Some(false)
    }
}

fn quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("\"{item}\"")).collect();
    items.join(", ")
}

fn plural(singular: &'static str, plural: &'static str, count: usize) -> &'static str {
    if count == 1 { singular } else { plural }
}

/// `container "a"` or `containers "a", "b"`
fn named(containers: &[&str]) -> String {
    format!(
        "{} {}",
        plural("container", "containers", containers.len()),
        quoted(containers.iter().copied())
    )
}

/// `pod and container "a"`, whichever of the two do it; `None` if neither.
fn setters(pod: bool, containers: &[&str]) -> Option<String> {
    match (pod, containers.is_empty()) {
        (false, true) => None,
        (true, true) => Some("pod".to_owned()),
        (false, false) => Some(named(containers)),
        (true, false) => Some(format!("pod and {}", named(containers))),
    }
}

// ---- baseline

fn app_armor_profile(subject: &Subject<'_>) -> Found {
    let bad = |kind: &str| !matches!(kind, "RuntimeDefault" | "Localhost");
    let mut values: BTreeSet<String> = BTreeSet::new();
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.app_armor_profile.as_ref());
    let pod = pod.filter(|profile| bad(&profile.type_));
    values.extend(pod.map(|profile| profile.type_.clone()));
    let mut containers = Vec::new();
    for (name, context) in subject.contexts() {
        if let Some(profile) = context
            .app_armor_profile
            .as_ref()
            .filter(|profile| bad(&profile.type_))
        {
            containers.push(name);
            values.insert(profile.type_.clone());
        }
    }
    let annotations: Vec<String> = subject
        .metadata
        .annotations
        .iter()
        .flatten()
        .filter(|(key, value)| {
            key.starts_with("container.apparmor.security.beta.kubernetes.io/")
                && !(value.is_empty() || *value == "runtime/default" || value.starts_with("localhost/"))
        })
        .map(|(key, value)| format!("{key}={value:?}"))
        .collect();
    let mut who: Vec<String> = setters(pod.is_some(), &containers).into_iter().collect();
    if !annotations.is_empty() {
        who.push(plural("annotation", "annotations", annotations.len()).to_owned());
    }
    if who.is_empty() {
        return None;
    }
    let values: Vec<String> = values.into_iter().chain(annotations).collect();
    let reason = plural(
        "forbidden AppArmor profile",
        "forbidden AppArmor profiles",
        values.len(),
    );
    let values = quoted(values.iter().map(String::as_str));
    Some((
        reason,
        format!(
            "{} must not set AppArmor profile type to {values}",
            who.join(" and ")
        ),
    ))
}

/// The capabilities that container runtimes give by default.
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn capabilities_baseline(subject: &Subject<'_>) -> Found {
    let detail = adds_other_than(subject, &DEFAULT_CAPABILITIES)?;
    Some(("non-default capabilities", detail))
}

/// Who adds capabilities that are not allowed, and which.
fn adds_other_than(subject: &Subject<'_>, allowed: &[&str]) -> Option<String> {
    let mut containers = Vec::new();
    let mut forbidden: BTreeSet<&str> = BTreeSet::new();
    for (name, context) in subject.contexts() {
        let added = context
            .capabilities
            .iter()
            .flat_map(|capabilities| capabilities.add.iter().flatten());
        let bad: Vec<&str> = added
            .map(String::as_str)
            .filter(|added| !allowed.contains(added))
            .collect();
        if !bad.is_empty() {
            containers.push(name);
            forbidden.extend(bad);
        }
    }
    (!containers.is_empty()).then(|| {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            named(&containers),
            quoted(forbidden)
        )
    })
}

fn host_namespaces(subject: &Subject<'_>) -> Found {
    let spec = subject.spec;
    let shared = [
        (spec.host_network, "hostNetwork=true"),
        (spec.host_pid, "hostPID=true"),
        (spec.host_ipc, "hostIPC=true"),
    ];
    let shared: Vec<&str> = shared
        .into_iter()
        .filter(|(is_shared, _)| *is_shared == Some(true))
        .map(|(_, text)| text)
        .collect();
    (!shared.is_empty()).then(|| ("host namespaces", shared.join(", ")))
}

fn host_path_volumes(subject: &Subject<'_>) -> Found {
    let volumes = subject.spec.volumes.iter().flatten();
    let names: Vec<&str> = volumes
        .filter(|volume| volume.host_path.is_some())
        .map(|volume| volume.name.as_str())
        .collect();
    let detail = format!(
        "{} {}",
        plural("volume", "volumes", names.len()),
        quoted(names.iter().copied())
    );
    (!names.is_empty()).then_some(("hostPath volumes", detail))
}

fn host_ports(subject: &Subject<'_>) -> Found {
    let used = |container: &Container| -> Vec<String> {
        let ports = container.ports.iter().flatten();
        ports
            .filter_map(|port| port.host_port.filter(|port| *port != 0))
            .map(|port| port.to_string())
            .collect()
    };
    let containers = subject.containers_that(|container| !used(container).is_empty());
    if containers.is_empty() {
        return None;
    }
    let ports: BTreeSet<String> = subject.containers().flat_map(used).collect();
    let detail = format!(
        "{} {} {} {}",
        named(&containers),
        plural("uses", "use", containers.len()),
        plural("hostPort", "hostPorts", ports.len()),
        ports.into_iter().collect::<Vec<_>>().join(", ")
    );
    Some(("hostPort", detail))
}

fn host_probes(subject: &Subject<'_>) -> Found {
    fn of_probe(probe: Option<&Probe>) -> impl Iterator<Item = &String> {
        let http = probe.and_then(|probe| probe.http_get.as_ref()?.host.as_ref());
        let tcp = probe.and_then(|probe| probe.tcp_socket.as_ref()?.host.as_ref());
        http.into_iter().chain(tcp)
    }
    fn of_handler(handler: Option<&LifecycleHandler>) -> impl Iterator<Item = &String> {
        let http = handler.and_then(|handler| handler.http_get.as_ref()?.host.as_ref());
        let tcp = handler.and_then(|handler| handler.tcp_socket.as_ref()?.host.as_ref());
        http.into_iter().chain(tcp)
    }
    let mut containers: BTreeSet<&str> = BTreeSet::new();
    let mut hosts: BTreeSet<&str> = BTreeSet::new();
    for container in subject.containers() {
        let lifecycle = container.lifecycle.as_ref();
        let used = of_probe(container.liveness_probe.as_ref())
            .chain(of_probe(container.readiness_probe.as_ref()))
            .chain(of_probe(container.startup_probe.as_ref()))
            .chain(of_handler(
                lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref()),
            ))
            .chain(of_handler(
                lifecycle.and_then(|lifecycle| lifecycle.pre_stop.as_ref()),
            ));
        for host in used.filter(|host| !host.is_empty()) {
            containers.insert(&container.name);
            hosts.insert(host);
        }
    }
    if containers.is_empty() {
        return None;
    }
    let containers: Vec<&str> = containers.into_iter().collect();
    let detail = format!(
        "{} {} {} {}",
        named(&containers),
        plural("uses", "use", containers.len()),
        plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
        quoted(hosts)
    );
    Some(("probe or lifecycle host", detail))
}

fn privileged(subject: &Subject<'_>) -> Found {
    let containers = subject.containers_that(|container| {
        container
            .security_context
            .as_ref()
            .and_then(|context| context.privileged)
            == Some(true)
    });
    let detail = format!(
        "{} must not set securityContext.privileged=true",
        named(&containers)
    );
    (!containers.is_empty()).then_some(("privileged", detail))
}

fn proc_mount_baseline(subject: &Subject<'_>) -> Found {
    if subject.has_own_users() {
        None
    } else {
        proc_mount(subject)
    }
}

fn proc_mount(subject: &Subject<'_>) -> Found {
    let mut containers = Vec::new();
    let mut kinds: BTreeSet<&str> = BTreeSet::new();
    for (name, context) in subject.contexts() {
        if let Some(kind) = context.proc_mount.as_deref().filter(|kind| *kind != "Default") {
            containers.push(name);
            kinds.insert(kind);
        }
    }
    let detail = format!(
        "{} must not set securityContext.procMount to {}",
        named(&containers),
        quoted(kinds)
    );
    (!containers.is_empty()).then_some(("procMount", detail))
}

fn se_linux_options(subject: &Subject<'_>) -> Found {
    let allowed = |kind: &str| {
        matches!(kind, "" | "container_t" | "container_init_t" | "container_kvm_t")
            || (kind == "container_engine_t" && subject.minor >= 31)
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let is_bad = |options: &&SELinuxOptions| {
        !allowed(&text(&options.type_)) || !text(&options.user).is_empty() || !text(&options.role).is_empty()
    };
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.se_linux_options.as_ref());
    let pod = pod.filter(is_bad);
    let containers: Vec<(&str, &SELinuxOptions)> = subject
        .contexts()
        .filter_map(|(name, context)| Some((name, context.se_linux_options.as_ref().filter(is_bad)?)))
        .collect();
    let names: Vec<&str> = containers.iter().map(|(name, _)| *name).collect();
    let who = setters(pod.is_some(), &names)?;
    let options: Vec<&SELinuxOptions> = pod
        .into_iter()
        .chain(containers.into_iter().map(|(_, options)| options))
        .collect();
    let kinds: BTreeSet<String> = options
        .iter()
        .map(|options| text(&options.type_))
        .filter(|kind| !allowed(kind))
        .collect();
    let mut what = Vec::new();
    if !kinds.is_empty() {
        let names = quoted(kinds.iter().map(String::as_str));
        what.push(format!("{} {names}", plural("type", "types", kinds.len())));
    }
    if options.iter().any(|options| !text(&options.user).is_empty()) {
        what.push("user may not be set".to_owned());
    }
    if options.iter().any(|options| !text(&options.role).is_empty()) {
        what.push("role may not be set".to_owned());
    }
    let detail = format!(
        "{who} set forbidden securityContext.seLinuxOptions: {}",
        what.join("; ")
    );
    Some(("seLinuxOptions", detail))
}

/// Who sets a seccomp profile that is not allowed, and which.
fn bad_seccomp(subject: &Subject<'_>) -> Option<String> {
    let bad = |kind: &str| !matches!(kind, "RuntimeDefault" | "Localhost");
    let mut values: BTreeSet<&str> = BTreeSet::new();
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.seccomp_profile.as_ref());
    let pod = pod.map(|profile| profile.type_.as_str()).filter(|kind| bad(kind));
    values.extend(pod);
    let mut containers = Vec::new();
    for (name, context) in subject.contexts() {
        let kind = context
            .seccomp_profile
            .as_ref()
            .map(|profile| profile.type_.as_str());
        if let Some(kind) = kind.filter(|kind| bad(kind)) {
            containers.push(name);
            values.insert(kind);
        }
    }
    let who = setters(pod.is_some(), &containers)?;
    Some(format!(
        "{who} must not set securityContext.seccompProfile.type to {}",
        quoted(values)
    ))
}

fn seccomp_profile_baseline(subject: &Subject<'_>) -> Found {
    Some(("seccompProfile", bad_seccomp(subject)?))
}

/// Sysctls that only touch the pod, and the minor version since which each is allowed.
const SAFE_SYSCTLS: [(&str, u32); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

fn sysctls(subject: &Subject<'_>) -> Found {
    let set = subject
        .spec
        .security_context
        .iter()
        .flat_map(|pod| pod.sysctls.iter().flatten());
    let forbidden: Vec<&str> = set
        .map(|sysctl| sysctl.name.as_str())
        .filter(|name| {
            !SAFE_SYSCTLS
                .iter()
                .any(|(safe, since)| safe == name && *since <= subject.minor)
        })
        .collect();
    (!forbidden.is_empty()).then(|| ("forbidden sysctls", forbidden.join(", ")))
}

fn windows_host_process(subject: &Subject<'_>) -> Found {
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.windows_options.as_ref());
    let pod = pod.and_then(|options| options.host_process) == Some(true);
    let containers = subject.containers_that(|container| {
        let options = container
            .security_context
            .as_ref()
            .and_then(|context| context.windows_options.as_ref());
        options.and_then(|options| options.host_process) == Some(true)
    });
    let who = setters(pod, &containers)?;
    Some((
        "hostProcess",
        format!("{who} must not set securityContext.windowsOptions.hostProcess=true"),
    ))
}

// ---- restricted

fn allow_privilege_escalation(subject: &Subject<'_>) -> Found {
    if subject.is_windows() {
        return None;
    }
    let containers = subject.containers_that(|container| {
        let context = container.security_context.as_ref();
        context.and_then(|context| context.allow_privilege_escalation) != Some(false)
    });
    let detail = format!(
        "{} must set securityContext.allowPrivilegeEscalation=false",
        named(&containers)
    );
    (!containers.is_empty()).then_some(("allowPrivilegeEscalation != false", detail))
}

fn capabilities_restricted(subject: &Subject<'_>) -> Found {
    if subject.is_windows() {
        return None;
    }
    let keeps = subject.containers_that(|container| {
        let context = container.security_context.as_ref();
        let dropped = context.and_then(|context| context.capabilities.as_ref()?.drop.as_ref());
        !dropped.is_some_and(|dropped| dropped.iter().any(|dropped| dropped == "ALL"))
    });
    let mut details = Vec::new();
    if !keeps.is_empty() {
        details.push(format!(
            "{} must set securityContext.capabilities.drop=[\"ALL\"]",
            named(&keeps)
        ));
    }
    details.extend(adds_other_than(subject, &["NET_BIND_SERVICE"]));
    (!details.is_empty()).then(|| ("unrestricted capabilities", details.join("; ")))
}

fn restricted_volumes(subject: &Subject<'_>) -> Found {
    let volumes = subject.spec.volumes.iter().flatten();
    let bad: Vec<(&str, &str)> = volumes
        .filter_map(|volume| Some((volume.name.as_str(), restricted_kind(volume)?)))
        .collect();
    if bad.is_empty() {
        return None;
    }
    let kinds: BTreeSet<&str> = bad.iter().map(|(_, kind)| *kind).collect();
    let detail = format!(
        "{} {} {} {} {}",
        plural("volume", "volumes", bad.len()),
        quoted(bad.iter().map(|(name, _)| *name)),
        plural("uses", "use", bad.len()),
        plural("restricted volume type", "restricted volume types", kinds.len()),
        quoted(kinds)
    );
    Some(("restricted volume types", detail))
}

/// The kind of a volume that is not allowed. Without a source, the API server makes it an `emptyDir`.
fn restricted_kind(volume: &Volume) -> Option<&'static str> {
    let kinds = [
        (volume.host_path.is_some(), "hostPath"),
        (volume.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (volume.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (volume.git_repo.is_some(), "gitRepo"),
        (volume.nfs.is_some(), "nfs"),
        (volume.iscsi.is_some(), "iscsi"),
        (volume.glusterfs.is_some(), "glusterfs"),
        (volume.rbd.is_some(), "rbd"),
        (volume.flex_volume.is_some(), "flexVolume"),
        (volume.cinder.is_some(), "cinder"),
        (volume.cephfs.is_some(), "cephfs"),
        (volume.flocker.is_some(), "flocker"),
        (volume.fc.is_some(), "fc"),
        (volume.azure_file.is_some(), "azureFile"),
        (volume.vsphere_volume.is_some(), "vsphereVolume"),
        (volume.quobyte.is_some(), "quobyte"),
        (volume.azure_disk.is_some(), "azureDisk"),
        (volume.photon_persistent_disk.is_some(), "photonPersistentDisk"),
        (volume.portworx_volume.is_some(), "portworxVolume"),
        (volume.scale_io.is_some(), "scaleIO"),
        (volume.storageos.is_some(), "storageos"),
    ];
    kinds.into_iter().find(|(is_it, _)| *is_it).map(|(_, kind)| kind)
}

fn run_as_non_root(subject: &Subject<'_>) -> Found {
    if subject.has_own_users() {
        return None;
    }
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.run_as_non_root);
    let says = |container: &Container| {
        container
            .security_context
            .as_ref()
            .and_then(|it| it.run_as_non_root)
    };
    let as_root = subject.containers_that(|container| says(container) == Some(false));
    let reason = "runAsNonRoot != true";
    if let Some(who) = setters(pod == Some(false), &as_root) {
        return Some((
            reason,
            format!("{who} must not set securityContext.runAsNonRoot=false"),
        ));
    }
    let silent = subject.containers_that(|container| pod != Some(true) && says(container).is_none());
    let detail = format!(
        "pod or {} must set securityContext.runAsNonRoot=true",
        named(&silent)
    );
    (!silent.is_empty()).then_some((reason, detail))
}

fn run_as_user(subject: &Subject<'_>) -> Found {
    if subject.has_own_users() {
        return None;
    }
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .and_then(|pod| pod.run_as_user)
        == Some(0);
    let containers = subject.containers_that(|container| {
        container
            .security_context
            .as_ref()
            .and_then(|context| context.run_as_user)
            == Some(0)
    });
    Some((
        "runAsUser=0",
        format!("{} must not set runAsUser=0", setters(pod, &containers)?),
    ))
}

fn seccomp_profile_restricted(subject: &Subject<'_>) -> Found {
    if subject.is_windows() {
        return None;
    }
    if let Some(detail) = bad_seccomp(subject) {
        return Some(("seccompProfile", detail));
    }
    let pod = subject
        .spec
        .security_context
        .as_ref()
        .is_some_and(|pod| pod.seccomp_profile.is_some());
    let silent = subject.containers_that(|container| {
        let context = container.security_context.as_ref();
        !pod && context.is_none_or(|context| context.seccomp_profile.is_none())
    });
    let detail = format!(
        "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
        named(&silent)
    );
    (!silent.is_empty()).then_some(("seccompProfile", detail))
}
