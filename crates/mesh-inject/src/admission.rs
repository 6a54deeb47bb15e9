//! Injection as a webhook: `AdmissionReview`s of pods, from both ends.
//!
//! ```text
//! API server ─ AdmissionReview ─► review ─► AdmissionReview with a JSON patch   (the injector)
//! pod template ─► Question ─ AdmissionReview ─► an injector ─► Answer           (who asks one)
//! ```

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mesh_core::Labels;
use mesh_core::injection::PROXY_CONTAINER;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::checks::{Problem, Severity};
use crate::decide::{Skip, decide};
use crate::document::{Candidate, Change, Outcome, never_ends};
use crate::inject::{STATUS, inject, start_with_metadata};
use crate::namespace::Namespace;
use crate::owner::Owner;
use crate::settings::Settings;
use crate::tree::{Map, annotation, as_map, containers, map_mut, named, text};

const VERSION: &str = "admission.k8s.io/v1";
const KIND: &str = "AdmissionReview";

/// The longest warning that the API server passes on as it is.
const LONGEST_WARNING: usize = 256;

/// The environment variables that the path of an injector's URL sets, by name: of `/inject/cluster/EAST/net/N`, or
/// `/inject/:ENV:cluster=EAST:ENV:net=N`, `ISTIO_META_CLUSTER_ID` and `ISTIO_META_NETWORK`. Other keys are names of
/// variables themselves; `--slash--` stands for a slash in values. `None` if the path is not an injector's.
pub fn environment_of(path: &str) -> Option<Labels> {
    let rest = path.strip_prefix("/inject")?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let decoded = percent_decode_str(rest.trim_matches('/'))
        .decode_utf8_lossy()
        .into_owned();
    let pairs: Vec<(&str, String)> = if let Some(list) = decoded.strip_prefix(":ENV:") {
        let pairs = list.split(":ENV:").filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (key, value.to_owned())).collect()
    } else {
        let parts: Vec<_> = decoded.split('/').collect();
        // A key without a value says nothing.
        let pairs = parts.chunks_exact(2);
        pairs
            .map(|pair| (pair[0], pair[1].replace("--slash--", "/")))
            .collect()
    };
    let variables = pairs.into_iter().filter(|(key, _)| !key.is_empty());
    Some(
        variables
            .map(|(key, value)| match key {
                "cluster" => (CLUSTER.to_owned(), value),
                "net" => (NETWORK.to_owned(), value),
                other => (other.to_uppercase(), value),
            })
            .collect(),
    )
}

/// The variable with the name of the cluster.
const CLUSTER: &str = "ISTIO_META_CLUSTER_ID";
/// The variable with the network of the pod.
const NETWORK: &str = "ISTIO_META_NETWORK";

impl Settings {
    /// The settings for pods of an injector whose URL sets [variables](environment_of).
    #[must_use]
    pub fn told(&self, mut environment: Labels) -> Self {
        let mut settings = self.clone();
        for (name, setting) in [
            (CLUSTER, &mut settings.values.cluster_name),
            (NETWORK, &mut settings.values.network),
        ] {
            if let Some(value) = environment.remove(name) {
                *setting = value;
            }
        }
        settings.environment = environment;
        settings
    }
}

/// A body that is no review of a pod, with the reason: a lowercase fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadReview(String);

impl fmt::Display for BadReview {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for BadReview {}

/// A review with its answer.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// The answer: an `AdmissionReview` as JSON.
    pub body: Vec<u8>,
    /// What was reviewed, as messages name it: `Pod shop/web-`.
    pub subject: String,
    /// What the answer says.
    pub verdict: Verdict,
}

/// What became of a pod that was reviewed.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It was injected.
    Injected,
    /// It is not to be injected.
    Skipped(Skip),
    /// It is no pod that is made now, so that there is nothing to inject.
    Other,
    /// It cannot be injected, and is refused; with all that is wrong.
    Refused(Vec<Problem>),
}

/// Answers an `AdmissionReview` of `admission.k8s.io/v1`.
///
/// # Errors
///
/// The body is no such review.
pub fn review(
    settings: &Settings,
    namespaces: &BTreeMap<String, Namespace>,
    body: &[u8],
) -> Result<Reviewed, BadReview> {
    let review: Value =
        serde_json::from_slice(body).map_err(|error| BadReview(format!("the body is not JSON: {error}")))?;
    let version = text(&review, "apiVersion");
    if text(&review, "kind") != KIND || version != VERSION {
        return Err(BadReview(format!("the body is no {KIND} of {VERSION}")));
    }
    let request = review.get("request").filter(|request| request.is_object());
    let Some(request) = request else {
        return Err(BadReview("the review has no request".to_owned()));
    };
    let uid = text(request, "uid");
    if uid.is_empty() {
        return Err(BadReview("the request has no uid".to_owned()));
    }
    let kind = request.get("kind").unwrap_or(&Value::Null);
    let metadata = request.get("object").and_then(|object| object.get("metadata"));
    let named = |key: &str| metadata.map_or("", |metadata| text(metadata, key));
    let name = [text(request, "name"), named("name"), named("generateName")];
    let subject = format!(
        "{} {}/{}",
        text(kind, "kind"),
        text(request, "namespace"),
        name.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
    );
    let answered = |rest: Map, verdict: Verdict| answered(uid, &subject, rest, verdict);
    let is_pod = text(kind, "kind") == "Pod" && text(kind, "group").is_empty();
    let is_made = matches!(text(request, "operation"), "" | "CREATE");
    if !is_pod || !is_made {
        return Ok(answered(Map::new(), Verdict::Other));
    }
    let pod = request.get("object").filter(|object| object.is_object());
    let Some(pod) = pod else {
        return Err(BadReview("the request has no object".to_owned()));
    };

    let namespace = match text(request, "namespace") {
        "" => pod
            .get("metadata")
            .map_or("", |metadata| text(metadata, "namespace")),
        namespace => namespace,
    };
    if let Some(skip) = decide(settings, pod, namespace, None) {
        return Ok(answered(Map::new(), Verdict::Skipped(skip)));
    }
    let owner = Owner::of_pod(pod, namespace);
    let nothing = Namespace::default();
    let known = namespaces.get(namespace).unwrap_or(&nothing);
    Ok(match inject(settings, pod, &owner, known) {
        Ok(injected) => {
            let patch = json_patch::diff(pod, &injected.pod);
            let mut answer = Map::new();
            if let Some(warnings) = warnings(&injected.warnings) {
                answer.insert("warnings".to_owned(), warnings);
            }
            // A patch of strings and JSON values is always JSON.
            if let Ok(patch) = serde_json::to_vec(&patch) {
                answer.insert("patchType".to_owned(), "JSONPatch".into());
                answer.insert("patch".to_owned(), STANDARD.encode(patch).into());
            }
            answered(answer, Verdict::Injected)
        }
        Err(problems) => {
            let errors = problems
                .iter()
                .filter(|problem| problem.severity == Severity::Error);
            let errors: Vec<_> = errors.map(described).collect();
            let mut answer = Map::new();
            answer.insert(
                "status".to_owned(),
                json!({
                    "status": "Failure",
                    "reason": "Invalid",
                    "code": 422,
                    "message": format!("the pod cannot be injected: {}", errors.join("; ")),
                }),
            );
            answered(answer, Verdict::Refused(problems))
        }
    })
}

fn answered(uid: &str, subject: &str, rest: Map, verdict: Verdict) -> Reviewed {
    let is_refused = matches!(verdict, Verdict::Refused(_));
    let mut response = Map::new();
    response.insert("uid".to_owned(), uid.into());
    response.insert("allowed".to_owned(), (!is_refused).into());
    response.extend(rest);
    let body = json!({"apiVersion": VERSION, "kind": KIND, "response": response});
    Reviewed {
        body: body.to_string().into_bytes(),
        subject: subject.to_owned(),
        verdict,
    }
}

/// A problem on one line: `spec.dnsPolicy: …`.
fn described(problem: &Problem) -> String {
    let help = problem.help.as_deref().unwrap_or_default();
    let help = if help.is_empty() {
        String::new()
    } else {
        format!(" ({help})")
    };
    format!("{}: {}{help}", problem.path, problem.message)
}

fn warnings(problems: &[Problem]) -> Option<Value> {
    let texts: Vec<_> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.path, problem.message))
        .map(|text| text.chars().take(LONGEST_WARNING).collect::<String>())
        .collect();
    (!texts.is_empty()).then(|| texts.into())
}

/// Why an injector's answer cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskError {
    /// It is no answer to the question; with the reason, a fragment.
    NoAnswer(String),
    /// It refuses the pod; with its message.
    Refused(String),
    /// Its patch does not fit the pod; with the reason, a fragment.
    Patch(String),
}

impl fmt::Display for AskError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(reason) => write!(formatter, "the injector's answer cannot be read: {reason}"),
            Self::Refused(message) => write!(formatter, "the injector refuses the pod: {message}"),
            Self::Patch(reason) => write!(formatter, "the injector's patch does not fit the pod: {reason}"),
        }
    }
}

impl std::error::Error for AskError {}

/// What an injector is asked about a workload: a pod of it, as the API server would send it.
#[derive(Clone, Debug)]
pub struct Question {
    uid: String,
    body: Vec<u8>,
    /// The pod as it is sent.
    sent: Value,
    /// The pod or pod template as it is written.
    original: Value,
}

/// What an injector says about a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The pod or pod template with the patch; `None` if there is none.
    pub pod: Option<Value>,
    /// Its warnings.
    pub warnings: Vec<String>,
}

/// The fields of a pod's metadata that its controller and the API server fill in.
const FILLED: [&str; 3] = ["namespace", "generateName", "ownerReferences"];

/// The labels by which controllers tell their pods.
const HASH_LABELS: [&str; 3] = [
    "pod-template-hash",
    "rollouts-pod-template-hash",
    "deploymentconfig",
];

impl Question {
    /// Asks about a workload. `pod` is its pod template, which gets what its controller would give to a pod of it, so
    /// that the injector finds the owner.
    pub fn of(candidate: &Candidate, pod: &Value, uid: &str) -> Self {
        let namespace = match &*candidate.namespace {
            "" => "default",
            namespace => namespace,
        };
        let mut sent = json!({"apiVersion": "v1", "kind": "Pod"});
        as_map(&mut sent).extend(pod.as_object().cloned().unwrap_or_default());
        start_with_metadata(&mut sent);
        let metadata = map_mut(as_map(&mut sent), "metadata");
        metadata.insert("namespace".to_owned(), namespace.into());
        if candidate.kind != "Pod" {
            candidate.owner(pod).stamp(metadata);
        }
        let name = metadata.get("name").cloned().unwrap_or_default();
        let resource = json!({"group": "", "version": "v1", "resource": "pods"});
        let kind = json!({"group": "", "version": "v1", "kind": "Pod"});
        let review = json!({
            "apiVersion": VERSION,
            "kind": KIND,
            "request": {
                "uid": uid,
                "kind": kind,
                "resource": resource,
                "requestKind": kind,
                "requestResource": resource,
                "name": name,
                "namespace": namespace,
                "operation": "CREATE",
                "userInfo": {},
                "object": sent,
                "oldObject": null,
                "dryRun": true,
            },
        });
        Self {
            uid: uid.to_owned(),
            body: review.to_string().into_bytes(),
            sent,
            original: pod.clone(),
        }
    }

    /// The review to send, as JSON.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// It is none, it refuses the pod, or its patch does not fit.
    pub fn answer(&self, body: &[u8]) -> Result<Answer, AskError> {
        let no_answer = |reason: String| AskError::NoAnswer(reason);
        let review: Value =
            serde_json::from_slice(body).map_err(|error| no_answer(format!("it is not JSON: {error}")))?;
        let Some(response) = review.get("response").filter(|_| text(&review, "kind") == KIND) else {
            return Err(no_answer(format!("it is no {KIND} with a response")));
        };
        if text(response, "uid") != self.uid {
            return Err(no_answer("it is for another request (`uid`)".to_owned()));
        }
        if response.get("allowed") != Some(&Value::Bool(true)) {
            let message = response
                .get("status")
                .map_or("", |status| text(status, "message"));
            let message = if message.is_empty() {
                "it gives no reason"
            } else {
                message
            };
            return Err(AskError::Refused(message.to_owned()));
        }
        let warnings = response.get("warnings").and_then(Value::as_array);
        let warnings = warnings.into_iter().flatten().filter_map(Value::as_str);
        Ok(Answer {
            pod: self.patched(response)?,
            warnings: warnings.map(str::to_owned).collect(),
        })
    }

    fn patched(&self, response: &Value) -> Result<Option<Value>, AskError> {
        let encoded = text(response, "patch");
        if encoded.is_empty() {
            return Ok(None);
        }
        if text(response, "patchType") != "JSONPatch" {
            return Err(AskError::Patch("it is no JSON patch (`patchType`)".to_owned()));
        }
        let patch = STANDARD
            .decode(encoded)
            .map_err(|error| AskError::Patch(error.to_string()))?;
        let patch: json_patch::Patch =
            serde_json::from_slice(&patch).map_err(|error| AskError::Patch(error.to_string()))?;
        let mut pod = self.sent.clone();
        json_patch::patch(&mut pod, &patch).map_err(|error| AskError::Patch(error.to_string()))?;
        if !pod.is_object() || containers(&pod, "containers").is_empty() {
            return Err(AskError::Patch("no pod is left".to_owned()));
        }
        self.undress(&mut pod);
        Ok((pod != self.original).then_some(pod))
    }

    /// Takes out of the answer what was only there for the question.
    fn undress(&self, pod: &mut Value) {
        let had = |path: &[&str]| crate::tree::at(&self.original, path).is_some();
        let pod = as_map(pod);
        for key in ["apiVersion", "kind"] {
            if !had(&[key]) {
                pod.shift_remove(key);
            }
        }
        let metadata = map_mut(pod, "metadata");
        for key in FILLED {
            if !had(&["metadata", key]) {
                metadata.shift_remove(key);
            }
        }
        if let Some(Value::Object(labels)) = metadata.get_mut("labels") {
            for key in HASH_LABELS {
                if !had(&["metadata", "labels", key]) {
                    labels.shift_remove(key);
                }
            }
            if labels.is_empty() && !had(&["metadata", "labels"]) {
                metadata.shift_remove("labels");
            }
        }
        if metadata.is_empty() && !had(&["metadata"]) {
            pod.shift_remove("metadata");
        }
    }
}

impl Answer {
    /// What becomes of the workload by the answer. `pod` is the pod or pod template as it is written.
    pub fn change(self, candidate: &Candidate, pod: &Value) -> Change {
        let Self { pod: new, warnings } = self;
        let mut change = match &new {
            None => Change::skipped(Skip::Injector),
            Some(injected) => {
                let is_native = named(containers(injected, "initContainers"), PROXY_CONTAINER).is_some();
                Change {
                    outcome: Outcome::Injected {
                        again: annotation(pod, STATUS).is_some(),
                        is_native,
                    },
                    warnings: never_ends(candidate, is_native).into_iter().collect(),
                    pod: None,
                }
            }
        };
        change.pod = new;
        let warnings = warnings.into_iter();
        change
            .warnings
            .extend(warnings.map(|text| Problem::warning(mesh_yaml::FieldPath::default(), text)));
        change
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_sets_variables() {
        let of = |path: &str| {
            environment_of(path).map(|variables| {
                let pairs = variables.iter().map(|(key, value)| format!("{key}={value}"));
                pairs.collect::<Vec<_>>().join(" ")
            })
        };
        for (path, expected) in [
            ("/inject", Some("")),
            ("/inject/", Some("")),
            (
                "/inject/cluster/east/net/n%201",
                Some("ISTIO_META_CLUSTER_ID=east ISTIO_META_NETWORK=n 1"),
            ),
            (
                "/inject/rootpage/--slash--foo--slash--bar/odd",
                Some("ROOTPAGE=/foo/bar"),
            ),
            (
                "/inject/:ENV:net=n:ENV:cluster=east:ENV:rootpage=/foo/bar",
                Some("ISTIO_META_CLUSTER_ID=east ISTIO_META_NETWORK=n ROOTPAGE=/foo/bar"),
            ),
            ("/injector", None),
            ("/", None),
        ] {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }
}
