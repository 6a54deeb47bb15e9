//! Why a workload does not run yet, in plain words: from its pods, its events, and what the scheduler would say.

use std::collections::BTreeMap;
use std::fmt;

use mesh_core::k8s_openapi::api::apps::v1::ReplicaSet;
use mesh_core::k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod, PodTemplateSpec};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

use crate::inventory::{is_alive, name};
use crate::object::ObjectRef;
use crate::schedule::{Snapshot, Verdict, Workload, WorkloadKind, place};

/// What is known of a workload that does not run.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The newest ReplicaSet of a Deployment.
    pub replica_set: Option<ReplicaSet>,
    /// The pods of the newest ReplicaSet, or of the DaemonSet.
    pub pods: Vec<Pod>,
    /// The warnings of its namespace.
    pub events: Vec<Event>,
    /// What its pods are made from.
    pub template: PodTemplateSpec,
    /// What the scheduler sees; `None` if that was not asked for, or cannot be read.
    pub snapshot: Option<Snapshot>,
    /// The names of webhooks, each with the configuration that it is in.
    pub webhooks: Vec<(String, String)>,
    /// The last lines of containers that ended, or why there are none, by pod and container.
    pub logs: BTreeMap<(String, String), Result<String, String>>,
}

/// Something that keeps a workload from running.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What is wrong, in a line.
    pub summary: String,
    /// More about it: reasons node by node, last lines of a log.
    pub detail: Vec<String>,
    /// What can be done, the best first.
    pub hints: Vec<String>,
    /// Whether it cannot pass by itself, so that waiting is of no use.
    #[serde(rename = "final")]
    pub is_final: bool,
}

impl Cause {
    fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            detail: Vec::new(),
            hints: Vec::new(),
            is_final: false,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)
    }
}

/// The containers of a pod that wait or failed, with what else must be asked about them: see [`failed_containers`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedContainer {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// How often it was started again.
    pub restarts: i32,
}

/// The containers that ended with a failure, and whose logs may say why.
pub fn failed_containers(pods: &[Pod]) -> Vec<FailedContainer> {
    let mut found = Vec::new();
    for pod in pods.iter().filter(|pod| is_alive(pod)) {
        for (_, status) in statuses(pod) {
            if last_failure(status).is_some() {
                found.push(FailedContainer {
                    pod: name(pod.metadata.name.as_ref()),
                    container: status.name.clone(),
                    restarts: status.restart_count,
                });
            }
        }
    }
    found
}

/// Whether to ask what the scheduler sees: a pod waits for a node, or the API server refuses pods.
pub fn needs_snapshot(observed: &Observed) -> bool {
    observed.pods.iter().any(|pod| unscheduled(pod).is_some()) || !refusals(observed).is_empty()
}

/// Why pods are refused, as the API server says it.
pub fn refusals(observed: &Observed) -> Vec<String> {
    let mut messages = Vec::new();
    let conditions = observed
        .replica_set
        .iter()
        .filter_map(|set| set.status.as_ref())
        .flat_map(|status| status.conditions.iter().flatten());
    for condition in conditions {
        if condition.type_ == "ReplicaFailure"
            && condition.status == "True"
            && condition.reason.as_deref() == Some("FailedCreate")
        {
            messages.extend(condition.message.clone());
        }
    }
    messages
}

/// What keeps a workload from running. Empty where nothing is wrong that can be told, and it only takes time.
pub fn diagnose(workload: &ObjectRef, observed: &Observed) -> Vec<Cause> {
    let mut causes: Vec<(Cause, usize)> = Vec::new();
    let mut add = |cause: Cause| match causes.iter_mut().find(|(known, _)| *known == cause) {
        Some((_, count)) => *count += 1,
        None => causes.push((cause, 1)),
    };
    let mut refused = refusals(observed);
    if observed.replica_set.is_none() {
        // DaemonSets have no such condition; their events do. One that is older than the newest pod is over.
        let is_pod_missing = observed.pods.is_empty();
        refused.extend(newest(observed, |event| {
            let object = &event.involved_object;
            is_pod_missing
                && event.reason.as_deref() == Some("FailedCreate")
                && object.kind.as_deref() == Some(workload.kind.kind)
                && object.name.as_deref() == Some(&workload.name)
        }));
    }
    let pending = observed
        .pods
        .iter()
        .filter(|pod| unscheduled(pod).is_some())
        .count();
    let verdict = observed.snapshot.as_ref().map(|snapshot| {
        let kind = if workload.kind.kind == "DaemonSet" {
            WorkloadKind::DaemonSet
        } else {
            WorkloadKind::Deployment {
                replicas: pending.max(1),
            }
        };
        place(
            snapshot,
            &Workload {
                kind,
                namespace: workload.namespace.clone(),
                name: workload.name.clone(),
                template: observed.template.clone(),
            },
        )
    });
    for message in refused {
        add(refusal(&message, observed, verdict.as_ref()));
    }
    // Pods that are there were not refused, and quotas count them already.
    let scheduling = verdict.map(|verdict| Verdict {
        refusals: Vec::new(),
        ..verdict
    });
    for pod in observed.pods.iter().filter(|pod| is_alive(pod)) {
        for cause in pod_causes(pod, observed, scheduling.as_ref()) {
            add(cause);
        }
    }
    causes
        .into_iter()
        .map(|(mut cause, count)| {
            if count > 1 {
                cause.summary = format!("{} ({count} pods)", cause.summary);
            }
            cause
        })
        .collect()
}

/// What to do about what the scheduler would say.
fn advise(mut cause: Cause, verdict: Option<&Verdict>) -> Cause {
    for advice in verdict.into_iter().flat_map(Verdict::advice) {
        cause.hints.push(match advice.command() {
            Some(command) => format!("{advice}: `{command}`"),
            None => advice.to_string(),
        });
        if let Some(yaml) = advice.yaml() {
            cause
                .hints
                .push(format!("or let the pod tolerate it:\n{}", yaml.trim_end()));
        }
    }
    cause
}

fn refusal(message: &str, observed: &Observed, verdict: Option<&Verdict>) -> Cause {
    if let Some((webhook, why)) = failed_webhook(message) {
        return webhook_cause(webhook, why, &observed.webhooks);
    }
    let said = message
        .split_once("is forbidden: ")
        .map_or(message, |(_, reason)| reason);
    let refused_for_known = verdict.filter(|verdict| !verdict.refusals.is_empty());
    let cause = advise(
        Cause::new(format!("the API server refuses its pods: {said}")),
        refused_for_known,
    );
    if !cause.hints.is_empty() {
        return cause;
    }
    if said.contains("exceeded quota") {
        cause.hint("raise the quota, or request less")
    } else if said.contains("violates PodSecurity") {
        cause.hint("let the namespace run such pods, or install into another one")
    } else {
        cause
    }
}

/// The webhook that could not be asked, and why, of a message of the API server.
pub fn failed_webhook(message: &str) -> Option<(&str, &str)> {
    let (_, rest) = message.split_once("failed calling webhook \"")?;
    let (webhook, why) = rest.split_once('"')?;
    Some((webhook, why.trim_start_matches([':', ' '])))
}

/// A webhook that cannot be asked, and so is in the way of every object that it is to see.
pub fn webhook_cause(webhook: &str, why: &str, configurations: &[(String, String)]) -> Cause {
    let configuration = configurations
        .iter()
        .find(|(name, _)| name == webhook)
        .map(|(_, configuration)| configuration.as_str());
    let cause = Cause::new(match configuration {
        Some(configuration) => format!("webhook {webhook} of {configuration} is in the way: {why}"),
        None => format!("webhook {webhook} is in the way: {why}"),
    });
    match configuration.and_then(|configuration| configuration.split_once(' ')) {
        Some((kind, name)) => cause.hint(format!(
            "bring back who answers it; or, if it is a leftover: `kubectl delete {} {name}`",
            kind.to_lowercase()
        )),
        None => cause.hint("bring back who answers it, or delete its configuration if it is a leftover"),
    }
}

/// What the scheduler says of a pod that has no node.
fn unscheduled(pod: &Pod) -> Option<&str> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")?;
    Some(condition.message.as_deref().unwrap_or("it waits for a node"))
}

/// The containers' statuses, init containers first, each with what it is called.
fn statuses(pod: &Pod) -> impl Iterator<Item = (&'static str, &ContainerStatus)> {
    let status = pod.status.as_ref();
    let init = status
        .into_iter()
        .flat_map(|status| status.init_container_statuses.iter().flatten())
        .map(|status| ("init container", status));
    let main = status
        .into_iter()
        .flat_map(|status| status.container_statuses.iter().flatten())
        .map(|status| ("container", status));
    init.chain(main)
}

/// Exit code and reason of how a container last ended, if that was a failure.
fn last_failure(status: &ContainerStatus) -> Option<(i32, &str)> {
    let now = status.state.as_ref().and_then(|state| state.terminated.as_ref());
    let before = status
        .last_state
        .as_ref()
        .and_then(|state| state.terminated.as_ref());
    let is_running = status.state.as_ref().is_some_and(|state| state.running.is_some());
    // One that runs again and is ready has got over it.
    let ended = now.or(before.filter(|_| !(is_running && status.ready)))?;
    (ended.exit_code != 0).then(|| (ended.exit_code, ended.reason.as_deref().unwrap_or("Error")))
}

fn pod_causes(pod: &Pod, observed: &Observed, verdict: Option<&Verdict>) -> Vec<Cause> {
    if let Some(message) = unscheduled(pod) {
        let mut cause = Cause::new(format!("no node takes the pod: {message}"));
        let pending = verdict.into_iter().flat_map(|verdict| &verdict.pending);
        for node in pending.flat_map(|pending| &pending.nodes) {
            let reasons: Vec<_> = node.all().map(ToString::to_string).collect();
            let line = format!("{}: {}", node.node, reasons.join("; "));
            if !cause.detail.contains(&line) {
                cause.detail.push(line);
            }
        }
        return vec![advise(cause, verdict)];
    }
    let mut causes: Vec<_> = statuses(pod)
        .filter_map(|(what, status)| container_cause(pod, what, status, observed))
        .collect();
    if causes.is_empty() {
        causes.extend(event_cause(&pod.metadata, observed));
    }
    causes
}

fn container_cause(pod: &Pod, what: &str, status: &ContainerStatus, observed: &Observed) -> Option<Cause> {
    let container = format!("{what} {}", status.name);
    let waiting = status.state.as_ref().and_then(|state| state.waiting.as_ref());
    let reason = waiting
        .and_then(|waiting| waiting.reason.as_deref())
        .unwrap_or_default();
    let message = waiting
        .and_then(|waiting| waiting.message.as_deref())
        .unwrap_or_default();
    let with = |text: String| {
        if message.is_empty() {
            text
        } else {
            format!("{text}: {message}")
        }
    };
    match reason {
        "ErrImagePull" | "ImagePullBackOff" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            return Some(
                Cause::new(with(format!("{container} cannot pull {}", status.image))).hint(
                    "check that the image exists and that nodes may pull it; `--hub` and `--tag` name another, \
                     `--set values.global.imagePullSecrets` says with which secrets",
                ),
            );
        }
        "InvalidImageName" => {
            let mut cause = Cause::new(with(format!(
                "{container} has the impossible image {}",
                status.image
            )))
            .hint("correct `--hub` and `--tag`");
            cause.is_final = true;
            return Some(cause);
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => {
            return Some(Cause::new(with(format!(
                "{container} cannot be started ({reason})"
            ))));
        }
        _ => {}
    }
    if let Some((code, why)) = last_failure(status) {
        let mut cause = Cause::new(match (status.restart_count, why) {
            (0, "Error") => format!("{container} ended with exit code {code}"),
            (0, why) => format!("{container} ended with exit code {code} ({why})"),
            (restarts, "Error") => {
                format!("{container} ends with exit code {code} again and again, {restarts} times so far")
            }
            (restarts, why) => format!(
                "{container} ends with exit code {code} ({why}) again and again, {restarts} times so far"
            ),
        });
        let pod = name(pod.metadata.name.as_ref());
        match observed.logs.get(&(pod.clone(), status.name.clone())) {
            Some(Ok(log)) if !log.trim().is_empty() => {
                cause.detail.push("last lines of its log:".to_owned());
                cause
                    .detail
                    .extend(log.trim_end().lines().map(|line| format!("  {line}")));
            }
            Some(Ok(_)) => cause.detail.push("its log is empty".to_owned()),
            Some(Err(why)) => cause.detail.push(format!("its log cannot be read: {why}")),
            None => {}
        }
        if why == "OOMKilled" {
            cause = cause.hint("it needs more memory than its limit: raise `resources.limits.memory`");
        }
        return Some(cause);
    }
    let is_running = status.state.as_ref().is_some_and(|state| state.running.is_some());
    if is_running && !status.ready {
        let unhealthy = event_of(&pod.metadata, observed, |reason| reason == "Unhealthy");
        return Some(Cause::new(match unhealthy {
            Some(message) => format!("{container} runs, but is not ready: {message}"),
            None => format!("{container} runs, but is not ready yet"),
        }));
    }
    None
}

/// The newest warning about an object whose reason is wanted.
fn event_of(metadata: &ObjectMeta, observed: &Observed, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
    newest(observed, |event| {
        event.involved_object.uid == metadata.uid && event.reason.as_deref().is_some_and(&is_wanted)
    })
}

/// The message of the newest warning that is wanted.
fn newest(observed: &Observed, is_wanted: impl Fn(&Event) -> bool) -> Option<String> {
    let wanted = observed.events.iter().filter(|event| is_wanted(event));
    let newest = wanted.max_by_key(|event| {
        let created = event.metadata.creation_timestamp.as_ref();
        event.last_timestamp.as_ref().or(created).map(|time| time.0)
    });
    newest.and_then(|event| event.message.clone())
}

/// What the kubelet says before any container is made.
fn event_cause(metadata: &ObjectMeta, observed: &Observed) -> Option<Cause> {
    let volume = event_of(metadata, observed, |reason| {
        matches!(reason, "FailedMount" | "FailedAttachVolume")
    });
    if let Some(message) = volume {
        return Some(Cause::new(format!("a volume cannot be mounted: {message}")));
    }
    event_of(metadata, observed, |reason| reason == "FailedCreatePodSandBox").map(|message| {
        Cause::new(format!("the node cannot set up the pod: {message}"))
            .hint("most often the network plugin (CNI) of the node is not ready")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ObjectKind;
    use serde_json::{Value, json};

    fn istiod() -> ObjectRef {
        ObjectRef::new(
            ObjectKind::named("Deployment").expect("known"),
            "istio-system",
            "istiod",
        )
    }

    fn observed(pod_status: &Value) -> Observed {
        let pod = json!({"metadata": {"name": "istiod-1", "uid": "1"}, "status": pod_status});
        Observed {
            pods: vec![serde_json::from_value(pod).expect("a pod")],
            replica_set: Some(ReplicaSet::default()),
            ..Observed::default()
        }
    }

    fn container(state: &Value) -> Value {
        let mut status = json!({"name": "discovery", "image": "istio/pilot:9", "imageID": "", "ready": false,
            "restartCount": 0});
        for (key, value) in state.as_object().expect("a map") {
            status[key] = value.clone();
        }
        json!({"phase": "Pending", "containerStatuses": [status]})
    }

    fn summaries(observed: &Observed) -> Vec<String> {
        diagnose(&istiod(), observed)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn images_that_cannot_be_pulled() {
        let waiting = json!({"state": {"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}});
        let causes = diagnose(&istiod(), &observed(&container(&waiting)));
        assert_eq!(
            causes[0].summary,
            "container discovery cannot pull istio/pilot:9: not found"
        );
        assert!(!causes[0].is_final && causes[0].hints[0].contains("--hub"));
        let waiting = json!({"state": {"waiting": {"reason": "InvalidImageName"}}});
        assert!(diagnose(&istiod(), &observed(&container(&waiting)))[0].is_final);
    }

    #[test]
    fn crash_loops_with_the_last_lines() {
        let state = json!({"restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 255, "reason": "Error"}}});
        let mut observed = observed(&container(&state));
        assert_eq!(failed_containers(&observed.pods)[0].restarts, 3);
        let key = ("istiod-1".to_owned(), "discovery".to_owned());
        observed.logs.insert(key, Ok("one\ntwo\n".to_owned()));
        let causes = diagnose(&istiod(), &observed);
        assert_eq!(
            causes[0].summary,
            "container discovery ends with exit code 255 again and again, 3 times so far"
        );
        assert_eq!(causes[0].detail, ["last lines of its log:", "  one", "  two"]);

        let state = json!({"state": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}});
        let causes = diagnose(&istiod(), &super::tests::observed(&container(&state)));
        assert_eq!(
            causes[0].summary,
            "container discovery ended with exit code 137 (OOMKilled)"
        );
        assert!(causes[0].hints[0].contains("memory"));
    }

    #[test]
    fn init_containers_and_probes() {
        let init = json!({"phase": "Pending", "initContainerStatuses": [
            {"name": "istio-validation", "image": "x", "imageID": "", "ready": false, "restartCount": 1,
             "state": {"waiting": {"reason": "CrashLoopBackOff"}},
             "lastState": {"terminated": {"exitCode": 126}}}]});
        assert_eq!(
            summaries(&observed(&init)),
            ["init container istio-validation ends with exit code 126 again and again, 1 times so far"]
        );
        let running = json!({"state": {"running": {}}});
        let mut observed = observed(&container(&running));
        assert_eq!(
            summaries(&observed),
            ["container discovery runs, but is not ready yet"]
        );
        let event = json!({"metadata": {}, "involvedObject": {"uid": "1"}, "reason": "Unhealthy",
            "message": "Readiness probe failed: connection refused"});
        observed
            .events
            .push(serde_json::from_value(event).expect("an event"));
        assert_eq!(
            summaries(&observed),
            ["container discovery runs, but is not ready: Readiness probe failed: connection refused"]
        );
    }

    #[test]
    fn pods_that_wait_for_a_node_are_not_charged_twice() {
        let mut observed = observed(&json!({"phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 node(s) were unschedulable."}]}));
        assert!(needs_snapshot(&observed));
        let requests = json!({"requests": {"memory": "2Gi"}});
        let template = json!({"spec": {"containers": [{"name": "discovery", "resources": requests}]}});
        observed.template = serde_json::from_value(template).expect("a template");
        let causes = diagnose(&istiod(), &observed);
        assert_eq!(
            causes[0].hints, [""; 0],
            "what cannot be read is not guessed: {causes:?}"
        );

        // The quota has room for exactly this pod.
        let quota = json!({"metadata": {"name": "few", "namespace": "istio-system"},
            "spec": {"hard": {"requests.memory": "2Gi"}},
            "status": {"hard": {"requests.memory": "2Gi"}, "used": {"requests.memory": "2Gi"}}});
        let node = json!({"metadata": {"name": "worker"}, "spec": {"unschedulable": true,
                "taints": [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}]},
            "status": {"allocatable": {"cpu": "8", "memory": "32Gi", "pods": "110"}}});
        observed.snapshot = Some(Snapshot {
            nodes: vec![serde_json::from_value(node).expect("a node")],
            quotas: vec![serde_json::from_value(quota).expect("a quota")],
            ..Snapshot::default()
        });
        let hints = |observed: &Observed| {
            let causes = diagnose(&istiod(), observed);
            causes
                .into_iter()
                .flat_map(|cause| cause.hints)
                .collect::<Vec<_>>()
        };
        let told = hints(&observed);
        assert!(told[0].contains("`kubectl uncordon worker`"), "{told:?}");
        assert!(!told.iter().any(|hint| hint.contains("quota")), "{told:?}");

        // One that is refused by it is another matter.
        let set = json!({"metadata": {}, "status": {"replicas": 0, "conditions": [{"type": "ReplicaFailure",
            "status": "True", "reason": "FailedCreate",
            "message": "pods \"istiod-2\" is forbidden: exceeded quota: few"}]}});
        observed.replica_set = serde_json::from_value(set).expect("a set");
        observed.pods.clear();
        let told = hints(&observed);
        let raise = "raise requests.memory of quota few to at least 4Gi";
        assert!(told.iter().any(|hint| hint == raise), "{told:?}");
    }

    #[test]
    fn a_container_that_got_over_it_is_well() {
        let state = json!({"ready": true, "restartCount": 1, "state": {"running": {}},
            "lastState": {"terminated": {"exitCode": 1}}});
        assert!(summaries(&observed(&container(&state))).is_empty());
    }

    #[test]
    fn volumes_and_sandboxes_are_told_by_events() {
        let mut observed = observed(&json!({"phase": "Pending"}));
        let event = |reason: &str, message: &str| -> Event {
            let event =
                json!({"metadata": {}, "involvedObject": {"uid": "1"}, "reason": reason, "message": message});
            serde_json::from_value(event).expect("an event")
        };
        observed
            .events
            .push(event("FailedCreatePodSandBox", "cni plugin not initialized"));
        assert!(summaries(&observed)[0].contains("cannot set up the pod: cni plugin not initialized"));
        observed
            .events
            .push(event("FailedMount", "secret \"cacerts\" not found"));
        assert_eq!(
            summaries(&observed),
            ["a volume cannot be mounted: secret \"cacerts\" not found"]
        );
    }

    #[test]
    fn refusals_name_the_webhook_in_the_way() {
        let mut observed = Observed::default();
        let set = json!({"metadata": {}, "status": {"replicas": 0, "conditions": [{"type": "ReplicaFailure",
            "status": "True", "reason": "FailedCreate",
            "message": "Internal error occurred: failed calling webhook \"pods.example.com\": no route"}]}});
        observed.replica_set = serde_json::from_value(set).expect("a set");
        observed.webhooks = vec![(
            "pods.example.com".to_owned(),
            "ValidatingWebhookConfiguration example".to_owned(),
        )];
        let causes = diagnose(&istiod(), &observed);
        assert_eq!(
            causes[0].summary,
            "webhook pods.example.com of ValidatingWebhookConfiguration example is in the way: no route"
        );
        assert!(causes[0].hints[0].contains("`kubectl delete validatingwebhookconfiguration example`"));
    }
}
