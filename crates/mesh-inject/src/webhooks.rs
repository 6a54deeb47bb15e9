//! Which of a cluster's webhooks would inject a pod, and why or why not.

use std::fmt;

use mesh_core::Labels;
use mesh_core::injection::{REVISION_LABEL, is_injector};
use mesh_core::k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// The label of webhooks that belong to a tag: a name that stands for a revision.
const TAG_LABEL: &str = "istio.io/tag";

/// The label in selectors of webhooks that are switched off.
const DEACTIVATED_LABEL: &str = "istio.io/deactivated";

/// The label that every namespace has, with its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// One of the injectors' webhooks.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The `MutatingWebhookConfiguration` that it is in.
    pub configuration: String,
    /// The revision that it is for: `default` if its configuration does not say.
    pub revision: String,
    /// The tag that it is for, if it is for one.
    pub tag: Option<String>,
    /// The webhook.
    pub webhook: MutatingWebhook,
}

/// Whether a webhook is called for a pod, and why or why not: a clause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is.
    Yes(String),
    /// It is not.
    No(String),
    /// It is switched off.
    Deactivated,
}

impl Match {
    /// Whether it is called.
    pub fn is_match(&self) -> bool {
        matches!(self, Self::Yes(_))
    }
}

impl fmt::Display for Match {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(reason) | Self::No(reason) => formatter.write_str(reason),
            Self::Deactivated => formatter.write_str("it is deactivated: another webhook stands in for it"),
        }
    }
}

/// The injectors' webhooks of a cluster, by configuration and in their order in it.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Vec<Hook>);

impl Hooks {
    /// Those in some configurations.
    pub fn of(configurations: impl IntoIterator<Item = MutatingWebhookConfiguration>) -> Self {
        let mut configurations: Vec<_> = configurations.into_iter().collect();
        configurations.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        let hooks = configurations.into_iter().flat_map(|configuration| {
            let MutatingWebhookConfiguration { metadata, webhooks } = configuration;
            let labels = metadata.labels.unwrap_or_default();
            let label = |key: &str| labels.get(key).filter(|value| !value.is_empty()).cloned();
            let (revision, tag) = (label(REVISION_LABEL), label(TAG_LABEL));
            let configuration = metadata.name.unwrap_or_default();
            let webhooks = webhooks.unwrap_or_default().into_iter().filter(is_injector);
            let hooks: Vec<_> = webhooks
                .map(|webhook| Hook {
                    configuration: configuration.clone(),
                    revision: revision.clone().unwrap_or_else(|| "default".to_owned()),
                    tag: tag.clone(),
                    webhook,
                })
                .collect();
            hooks
        });
        Self(hooks.collect())
    }

    /// All of them.
    pub fn all(&self) -> &[Hook] {
        &self.0
    }

    /// The revision that a tag stands for.
    pub fn revision_of_tag(&self, tag: &str) -> Option<&str> {
        let hook = self.0.iter().find(|hook| hook.tag.as_deref() == Some(tag))?;
        Some(&hook.revision)
    }

    /// A webhook that reaches the injector of a revision, or of what the tag of this name stands for. The default
    /// revision is that of the tag `default`, if there is one.
    pub fn for_revision(&self, revision: &str) -> Option<&Hook> {
        let of_tag = || self.0.iter().find(|hook| hook.tag.as_deref() == Some(revision));
        let of_revision = || {
            let mut hooks = self.0.iter().filter(|hook| hook.revision == revision);
            hooks
                .clone()
                .find(|hook| hook.tag.is_none())
                .or_else(|| hooks.next())
        };
        if revision == "default" {
            of_tag().or_else(of_revision)
        } else {
            of_revision().or_else(of_tag)
        }
    }

    /// The revisions and tags that there are webhooks for, each once, in order.
    pub fn revisions(&self) -> Vec<&str> {
        let names = self
            .0
            .iter()
            .map(|hook| hook.tag.as_deref().unwrap_or(&hook.revision));
        let mut names: Vec<_> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl Hook {
    /// Whether it is called when a pod is made in a namespace.
    pub fn examine(&self, namespace: &str, namespace_labels: &Labels, pod_labels: &Labels) -> Match {
        let MutatingWebhook {
            namespace_selector,
            object_selector,
            rules,
            match_conditions,
            ..
        } = &self.webhook;
        let selectors = [namespace_selector, object_selector];
        if selectors.iter().any(|selector| is_deactivated(selector.as_ref())) {
            return Match::Deactivated;
        }
        if !rules.iter().flatten().any(is_for_pods) {
            return Match::No("its rules do not have it called when pods are made".to_owned());
        }
        let subjects = [
            Subject {
                what: "the namespace",
                labels: namespace_labels,
                name: Some(namespace),
            },
            Subject {
                what: "the pod",
                labels: pod_labels,
                name: None,
            },
        ];
        let all = || {
            selectors.iter().zip(&subjects).flat_map(|(selector, subject)| {
                let requirements = selector.as_ref().map(requirements).unwrap_or_default();
                requirements
                    .into_iter()
                    .map(move |requirement| (requirement, subject))
            })
        };
        let failed: Vec<_> = all()
            .filter_map(|(requirement, subject)| subject.failure(&requirement))
            .collect();
        if !failed.is_empty() {
            return Match::No(failed.join("; "));
        }
        let mut reasons: Vec<_> = all()
            .filter_map(|(requirement, subject)| subject.success(&requirement))
            .collect();
        if reasons.is_empty() {
            reasons.push("its selectors leave out nothing".to_owned());
        }
        if match_conditions
            .as_ref()
            .is_some_and(|conditions| !conditions.is_empty())
        {
            reasons.push("it has `matchConditions`, which only the API server evaluates".to_owned());
        }
        Match::Yes(reasons.join("; "))
    }
}

fn is_deactivated(selector: Option<&LabelSelector>) -> bool {
    let Some(selector) = selector else { return false };
    let labels = selector.match_labels.iter().flatten().map(|(key, _)| key);
    let expressions = selector
        .match_expressions
        .iter()
        .flatten()
        .map(|expression| &expression.key);
    labels.chain(expressions).any(|key| key == DEACTIVATED_LABEL)
}

/// Whether a rule has a webhook called when pods are made.
fn is_for_pods(rule: &RuleWithOperations) -> bool {
    let among = |list: &Option<Vec<String>>, wanted: &[&str]| {
        list.iter()
            .flatten()
            .any(|value| wanted.contains(&value.as_str()))
    };
    among(&rule.operations, &["CREATE", "*"])
        && among(&rule.api_groups, &["", "*"])
        && among(&rule.resources, &["pods", "*", "*/*"])
        && rule.scope.as_deref().is_none_or(|scope| scope != "Cluster")
}

/// All conditions of a selector, in one form.
fn requirements(selector: &LabelSelector) -> Vec<LabelSelectorRequirement> {
    let labels = selector.match_labels.iter().flatten();
    let labels = labels.map(|(key, value)| LabelSelectorRequirement {
        key: key.clone(),
        operator: "In".to_owned(),
        values: Some(vec![value.clone()]),
    });
    labels
        .chain(selector.match_expressions.iter().flatten().cloned())
        .collect()
}

/// What a selector is held against.
struct Subject<'a> {
    what: &'static str,
    labels: &'a Labels,
    /// The name, which namespaces have as a label too.
    name: Option<&'a str>,
}

impl Subject<'_> {
    fn value(&self, key: &str) -> Option<&str> {
        let label = self.labels.get(key).map(String::as_str);
        label.or_else(|| self.name.filter(|_| key == NAME_LABEL))
    }

    /// Why the condition is not met; `None` if it is.
    fn failure(&self, requirement: &LabelSelectorRequirement) -> Option<String> {
        let LabelSelectorRequirement {
            key,
            operator,
            values,
        } = requirement;
        let what = self.what;
        let found = self.value(key);
        let listed = values.as_deref().unwrap_or_default();
        let is_among = found.is_some_and(|value| listed.iter().any(|listed| listed == value));
        let wanted = || {
            listed
                .iter()
                .map(|value| format!("`{value}`"))
                .collect::<Vec<_>>()
                .join(" or ")
        };
        match (operator.as_str(), found) {
            ("In", _) if is_among => None,
            ("In", None) => Some(format!(
                "{what} does not have the label `{key}` with the value {}",
                wanted()
            )),
            ("In", Some(value)) => Some(format!("{what} has the label `{key}: {value}`, not {}", wanted())),
            ("NotIn", Some(value)) if is_among => Some(format!("{what} has the label `{key}: {value}`")),
            ("Exists", None) => Some(format!("{what} does not have the label `{key}`")),
            ("DoesNotExist", Some(value)) => Some(format!("{what} has the label `{key}: {value}`")),
            ("NotIn", _) | ("Exists", Some(_)) | ("DoesNotExist", None) => None,
            (operator, _) => Some(format!("its selector has the unknown operator `{operator}`")),
        }
    }

    /// What meets a condition that asks for a label; `None` for those that only leave some out.
    fn success(&self, requirement: &LabelSelectorRequirement) -> Option<String> {
        let key = &requirement.key;
        let value = self
            .value(key)
            .filter(|_| matches!(&*requirement.operator, "In" | "Exists"))?;
        Some(format!("{} has the label `{key}: {value}`", self.what))
    }
}

#[cfg(test)]
mod tests {
    use mesh_core::injection::selects;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn hooks() -> Hooks {
        let rule = json!([{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}]);
        let absent = |key: &str| json!({"key": key, "operator": "DoesNotExist"});
        let among = |key: &str, value: &str| json!({"key": key, "operator": "In", "values": [value]});
        let wanted = json!({"key": "sidecar.istio.io/inject", "operator": "NotIn", "values": ["false"]});
        let webhook = |name: &str, namespace: serde_json::Value, object: serde_json::Value| {
            json!({
                "name": format!("{name}.sidecar-injector.istio.io"), "rules": rule, "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "clientConfig": {},
                "namespaceSelector": {"matchExpressions": namespace}, "objectSelector": {"matchExpressions": object},
            })
        };
        let of_revision = |revision: &str| {
            json!([
                webhook(
                    "rev.namespace",
                    json!([among("istio.io/rev", revision), absent("istio-injection")]),
                    json!([wanted])
                ),
                webhook(
                    "rev.object",
                    json!([absent("istio.io/rev"), absent("istio-injection")]),
                    json!([wanted, among("istio.io/rev", revision)]),
                ),
            ])
        };
        let off = json!({"matchLabels": {"istio.io/deactivated": "never-match"}});
        let configurations = [
            (
                "istio-sidecar-injector-canary",
                json!({"istio.io/rev": "canary"}),
                of_revision("canary"),
            ),
            (
                "istio-revision-tag-prod",
                json!({"istio.io/rev": "canary", "istio.io/tag": "prod"}),
                of_revision("prod"),
            ),
            (
                "istio-sidecar-injector",
                json!({"istio.io/rev": "default"}),
                json!([{
                    "name": "namespace.sidecar-injector.istio.io", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                    "clientConfig": {}, "namespaceSelector": off, "objectSelector": off,
                }]),
            ),
            (
                "vault",
                json!({}),
                json!([{
                    "name": "vault.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                    "clientConfig": {},
                }]),
            ),
        ];
        Hooks::of(configurations.map(|(name, labels, webhooks)| {
            serde_json::from_value(
                json!({"metadata": {"name": name, "labels": labels}, "webhooks": webhooks}),
            )
            .expect("a configuration")
        }))
    }

    #[test]
    fn webhooks_say_why() {
        let hooks = hooks();
        let matching = |namespace: &Labels, pod: &Labels| -> Vec<String> {
            hooks
                .all()
                .iter()
                .map(|hook| {
                    format!(
                        "{}: {}",
                        hook.tag.as_deref().unwrap_or(&hook.revision),
                        hook.examine("shop", namespace, pod)
                    )
                })
                .collect()
        };
        insta::assert_snapshot!(
            matching(
                &labels(&[("istio.io/rev", "prod")]),
                &labels(&[("sidecar.istio.io/inject", "false")])
            )
            .join("\n")
        );
        insta::assert_snapshot!(matching(&labels(&[]), &labels(&[("istio.io/rev", "canary")])).join("\n"));
        insta::assert_snapshot!(
            matching(&labels(&[("istio-injection", "disabled")]), &labels(&[])).join("\n")
        );
    }

    #[test]
    fn tags_stand_for_revisions() {
        let hooks = hooks();
        assert_eq!(hooks.revision_of_tag("prod"), Some("canary"));
        assert_eq!(hooks.revision_of_tag("canary"), None);
        let found = |revision: &str| {
            hooks
                .for_revision(revision)
                .map(|hook| hook.configuration.as_str())
        };
        assert_eq!(found("canary"), Some("istio-sidecar-injector-canary"));
        assert_eq!(found("prod"), Some("istio-revision-tag-prod"));
        assert_eq!(found("other"), None);
        assert_eq!(hooks.revisions(), ["canary", "default", "prod"]);
    }

    proptest! {
        #[test]
        fn reasons_agree_with_what_selectors_select(
            expressions in prop::collection::vec(("[ab]", "In|NotIn|Exists|DoesNotExist|Other", prop::collection::vec("[xy]", 0..3)), 0..4),
            wanted in prop::collection::btree_map("[ab]", "[xy]", 0..2),
            present in prop::collection::btree_map("[ab]", "[xy]", 0..3),
        ) {
            let expressions = expressions.into_iter().map(|(key, operator, values)| LabelSelectorRequirement {
                key, operator, values: Some(values),
            });
            let selector = LabelSelector {
                match_labels: Some(wanted),
                match_expressions: Some(expressions.collect()),
            };
            let subject = Subject { what: "the pod", labels: &present, name: None };
            let failed = requirements(&selector).iter().any(|requirement| subject.failure(requirement).is_some());
            prop_assert_eq!(!failed, selects(Some(&selector), &present, None));
        }
    }
}
