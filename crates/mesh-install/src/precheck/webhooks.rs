//! Admission webhooks: Istio's own, what an earlier installation left, and those of others that would be in the way.

use mesh_core::injection::{is_injector, selects};
use mesh_core::k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, RuleWithOperations, ValidatingWebhook, WebhookClientConfig,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use super::certificates;
use super::facts::{Facts, Known, Read};
use super::objects::{Backend, backend, name_of, namespace};
use super::{Options, Outcome, counted};
use crate::inventory::or_none;

/// The end of the names of the webhooks that validate Istio's resources.
const VALIDATOR: &str = "validation.istio.io";

/// The label by which a webhook is switched off when a revision tag takes its place.
const DEACTIVATED: &str = "istio.io/deactivated";

/// What mutating and validating webhooks have in common.
struct Webhook<'a> {
    configuration: String,
    name: &'a str,
    client: &'a WebhookClientConfig,
    fails_closed: bool,
    namespaces: Option<&'a LabelSelector>,
    rules: &'a [RuleWithOperations],
    is_mutating: bool,
}

impl<'a> Webhook<'a> {
    fn mutating(configuration: &str, webhook: &'a MutatingWebhook) -> Self {
        Self {
            configuration: format!("MutatingWebhookConfiguration {configuration}"),
            name: &webhook.name,
            client: &webhook.client_config,
            fails_closed: webhook.failure_policy.as_deref() != Some("Ignore"),
            namespaces: webhook.namespace_selector.as_ref(),
            rules: webhook.rules.as_deref().unwrap_or_default(),
            is_mutating: true,
        }
    }

    fn validating(configuration: &str, webhook: &'a ValidatingWebhook) -> Self {
        Self {
            configuration: format!("ValidatingWebhookConfiguration {configuration}"),
            name: &webhook.name,
            client: &webhook.client_config,
            fails_closed: webhook.failure_policy.as_deref() != Some("Ignore"),
            namespaces: webhook.namespace_selector.as_ref(),
            rules: webhook.rules.as_deref().unwrap_or_default(),
            is_mutating: false,
        }
    }

    /// Whether it was switched off without being deleted.
    fn is_deactivated(&self) -> bool {
        let labels = self
            .namespaces
            .and_then(|selector| selector.match_labels.as_ref());
        labels.is_some_and(|labels| labels.contains_key(DEACTIVATED))
    }

    fn is_istio(&self) -> bool {
        self.name.ends_with(".istio.io")
    }

    /// The namespace and name of the service that it asks.
    fn service(&self) -> Option<(&'a str, &'a str)> {
        let service = self.client.service.as_ref()?;
        Some((&service.namespace, &service.name))
    }

    fn backend(&self, facts: &Facts) -> Read<Option<Backend>> {
        self.service()
            .map(|(namespace, service)| backend(facts, namespace, service))
            .transpose()
    }

    /// Whether it is asked when an object of the plural is made.
    fn sees(&self, group: &str, plural: &str) -> bool {
        let among = |list: Option<&Vec<String>>, word: &str| {
            list.is_some_and(|list| list.iter().any(|entry| entry == "*" || entry == word))
        };
        self.rules.iter().any(|rule| {
            let resources = rule.resources.as_ref();
            among(rule.operations.as_ref(), "CREATE")
                && among(rule.api_groups.as_ref(), group)
                && (among(resources, plural) || among(resources, "*/*"))
        })
    }
}

fn all(facts: &Facts) -> Read<Vec<Webhook<'_>>> {
    let mutating = facts.mutating_webhooks.known()?.iter().flat_map(|configuration| {
        let name = name_of(&configuration.metadata);
        let webhooks = configuration.webhooks.iter().flatten();
        webhooks.map(move |webhook| Webhook::mutating(name, webhook))
    });
    let validating = facts
        .validating_webhooks
        .known()?
        .iter()
        .flat_map(|configuration| {
            let name = name_of(&configuration.metadata);
            let webhooks = configuration.webhooks.iter().flatten();
            webhooks.map(move |webhook| Webhook::validating(name, webhook))
        });
    Ok(mutating.chain(validating).collect())
}

pub(super) fn injectors(facts: &Facts, _: &Options) -> Read<Outcome> {
    let configurations = facts.mutating_webhooks.known()?;
    let webhooks = configurations.iter().flat_map(|configuration| {
        let name = name_of(&configuration.metadata);
        let webhooks = configuration.webhooks.iter().flatten();
        webhooks
            .filter(|webhook| is_injector(webhook))
            .map(move |webhook| Webhook::mutating(name, webhook))
    });
    judge(
        facts,
        webhooks,
        "no pod gets a sidecar, and with `failurePolicy: Fail` none can be made",
    )
}

pub(super) fn validators(facts: &Facts, _: &Options) -> Read<Outcome> {
    let configurations = facts.validating_webhooks.known()?;
    let webhooks = configurations.iter().flat_map(|configuration| {
        let name = name_of(&configuration.metadata);
        let webhooks = configuration.webhooks.iter().flatten();
        webhooks
            .filter(|webhook| webhook.name.ends_with(VALIDATOR))
            .map(move |webhook| Webhook::validating(name, webhook))
    });
    judge(
        facts,
        webhooks,
        "no configuration of the mesh can be changed, or it is changed unchecked",
    )
}

fn judge<'a>(facts: &Facts, webhooks: impl Iterator<Item = Webhook<'a>>, effect: &str) -> Read<Outcome> {
    let mut seen = Vec::new();
    let mut lines = Vec::new();
    let mut hint = None;
    let mut is_closed = false;
    for webhook in webhooks.filter(|webhook| !webhook.is_deactivated()) {
        let backend = webhook.backend(facts)?;
        if backend == Some(Backend::NoService) {
            continue; // `leftover-webhooks` reports it.
        }
        if !seen.contains(&webhook.configuration) {
            seen.push(webhook.configuration.clone());
        }
        let mut line = |text: String, advice: String| {
            let text = format!("{}: {text}", webhook.configuration);
            is_closed |= webhook.fails_closed;
            if !lines.contains(&text) {
                lines.push(text);
                hint.get_or_insert(advice);
            }
        };
        if let (Some(Backend::NoEndpoints), Some((namespace, service))) = (backend, webhook.service()) {
            line(
                format!("the service {namespace}/{service} has no endpoint that is ready"),
                format!(
                    "see `kubectl -n {namespace} get endpointslices,pods` and the check of control planes"
                ),
            );
        }
        let bundle = webhook
            .client
            .ca_bundle
            .as_ref()
            .map(|bundle| bundle.0.as_slice());
        match bundle.filter(|bundle| !bundle.is_empty()) {
            // Addresses outside of the cluster can have certificates that the API server trusts anyway.
            None if webhook.service().is_none() => {}
            None => line(
                "has no `caBundle`, so the API server does not trust what it asks".to_owned(),
                "the control plane writes it when it runs: see its log for `webhook`".to_owned(),
            ),
            Some(bundle) => {
                if let Err(problem) = certificates::check_bundle(bundle, facts.now) {
                    line(
                        format!("its `caBundle` {problem}"),
                        "restart the control plane, which writes a new one: `kubectl -n istio-system rollout restart deployment -l app=istiod`"
                            .to_owned(),
                    );
                }
            }
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::pass(match seen.len() {
            0 => "none is active".to_owned(),
            count => format!(
                "{} answered for, with a valid certificate",
                counted(count, "configuration")
            ),
        }));
    }
    let outcome = if is_closed {
        Outcome::fail(format!(
            "{} would fail: {effect}",
            counted(lines.len(), "webhook")
        ))
    } else {
        Outcome::warning(format!(
            "{} would fail, and be passed over",
            counted(lines.len(), "webhook")
        ))
    };
    Ok(match hint {
        Some(hint) => outcome.detail(lines).hint(hint),
        None => outcome.detail(lines),
    })
}

pub(super) fn leftovers(facts: &Facts, _: &Options) -> Read<Outcome> {
    let mut closed = Vec::new();
    let mut open = Vec::new();
    for webhook in all(facts)?.iter().filter(|webhook| webhook.is_istio()) {
        if webhook.backend(facts)? != Some(Backend::NoService) {
            continue;
        }
        let (namespace, service) = webhook.service().unwrap_or_default();
        let is_closed = webhook.fails_closed && !webhook.is_deactivated();
        let lines = if is_closed { &mut closed } else { &mut open };
        let entry = (
            webhook.configuration.clone(),
            format!(
                "{}: its service {namespace}/{service} does not exist",
                webhook.configuration
            ),
        );
        if !lines.contains(&entry) {
            lines.push(entry);
        }
    }
    let outcome = if !closed.is_empty() {
        let what = if closed
            .iter()
            .any(|(configuration, _)| configuration.starts_with("Mutating"))
        {
            "pods cannot be made"
        } else {
            "the mesh's configuration cannot be changed"
        };
        Outcome::fail(format!(
            "{} of an earlier installation left: {what}",
            counted(closed.len(), "webhook")
        ))
    } else if !open.is_empty() {
        Outcome::warning(format!(
            "{} of an earlier installation left",
            counted(open.len(), "webhook")
        ))
    } else {
        return Ok(Outcome::pass("none"));
    };
    let found = closed.into_iter().chain(open);
    let (mut names, lines): (Vec<_>, Vec<_>) = found
        .map(|(configuration, line)| {
            let (kind, name) = configuration.split_once(' ').unwrap_or_default();
            (format!("{}/{name}", kind.to_lowercase()), line)
        })
        .unzip();
    names.dedup();
    Ok(outcome.detail(lines).hint(format!(
        "delete what nobody answers for: `kubectl delete {}`",
        names.join(" ")
    )))
}

/// What installing makes in the control plane's namespace, and what a webhook of others can refuse.
const MADE: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "services"),
    ("", "configmaps"),
    ("", "serviceaccounts"),
    ("apps", "deployments"),
];

pub(super) fn others(facts: &Facts, options: &Options) -> Read<Outcome> {
    let target = &options.istio_namespace;
    let labels = namespace(facts, target)?.map(|namespace| or_none(namespace.metadata.labels.as_ref()));
    let mut lines = Vec::new();
    let mut first = None;
    for webhook in all(facts)?
        .iter()
        .filter(|webhook| !webhook.is_istio() && webhook.fails_closed)
    {
        if !selects(webhook.namespaces, or_none(labels), Some(target)) {
            continue;
        }
        let seen: Vec<_> = MADE
            .iter()
            .filter(|(group, plural)| webhook.sees(group, plural))
            .map(|(_, plural)| *plural)
            .collect();
        let why = match webhook.backend(facts)? {
            Some(Backend::NoService) => "does not exist",
            Some(Backend::NoEndpoints) => "has no endpoint that is ready",
            Some(Backend::Ready) | None => continue,
        };
        let (namespace, service) = webhook.service().unwrap_or_default();
        if seen.is_empty() {
            continue;
        }
        let kind = if webhook.is_mutating {
            "mutatingwebhookconfiguration"
        } else {
            "validatingwebhookconfiguration"
        };
        first.get_or_insert(kind);
        lines.push(format!(
            "{}: {} asks {namespace}/{service} about {}, which {why}",
            webhook.configuration,
            webhook.name,
            seen.join(", ")
        ));
    }
    match first {
        None => Ok(Outcome::pass(format!("none stands in the way of {target}"))),
        Some(kind) => Ok(Outcome::fail(format!(
            "{} of others would refuse what is made in {target}",
            counted(lines.len(), "webhook")
        ))
        .detail(lines)
        .hint(format!(
            "repair the service, or exclude {target} in its `namespaceSelector`: `kubectl edit {kind} NAME`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, options, read};
    use super::*;
    use serde_json::{Value, json};

    fn injector(policy: &str, service: &str) -> Value {
        json!({"metadata": {"name": "istio-sidecar-injector"}, "webhooks": [{
            "name": "rev.namespace.sidecar-injector.istio.io", "admissionReviewVersions": ["v1"],
            "sideEffects": "None", "failurePolicy": policy,
            "clientConfig": {"service": {"namespace": "istio-system", "name": service},
                "caBundle": certificates::tests::ENCODED}}]})
    }

    fn with(webhook: Value, service: bool, ready: Option<bool>) -> Facts {
        let mut facts = facts();
        facts.mutating_webhooks = Ok(vec![serde_json::from_value(webhook).expect("webhooks")]);
        if service {
            facts.services = Ok(serde_json::from_value(json!([
                {"metadata": {"name": "istiod", "namespace": "istio-system"}}]))
            .expect("services"));
        }
        if let Some(ready) = ready {
            facts.endpoint_slices = Ok(serde_json::from_value(json!([{
                "metadata": {"name": "istiod-1", "namespace": "istio-system",
                    "labels": {"kubernetes.io/service-name": "istiod"}},
                "addressType": "IPv4",
                "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]}]))
            .expect("slices"));
        }
        facts
    }

    #[test]
    fn injectors_need_someone_to_answer_and_a_certificate() {
        for (facts, expected) in [
            (facts(), Status::Pass),
            (with(injector("Fail", "istiod"), true, Some(true)), Status::Pass),
            (with(injector("Fail", "istiod"), true, Some(false)), Status::Fail),
            (with(injector("Ignore", "istiod"), true, None), Status::Warning),
        ] {
            let outcome = read(injectors(&facts, &options()));
            assert_eq!(outcome.status, expected, "{outcome:?}");
        }
        let mut without = injector("Fail", "istiod");
        without["webhooks"][0]["clientConfig"]["caBundle"] = Value::Null;
        let outcome = read(injectors(&with(without, true, Some(true)), &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert!(outcome.detail[0].contains("has no `caBundle`"), "{outcome:?}");
        let mut broken = injector("Fail", "istiod");
        broken["webhooks"][0]["clientConfig"]["caBundle"] = "bm90IGEgY2VydGlmaWNhdGU=".into();
        let outcome = read(injectors(&with(broken, true, Some(true)), &options()));
        assert!(outcome.detail[0].contains("its `caBundle` "), "{outcome:?}");
    }

    #[test]
    fn webhooks_without_their_service_are_left_over() {
        let gone = with(injector("Fail", "istiod-old"), true, Some(true));
        let outcome = read(leftovers(&gone, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(
            outcome.hint.as_deref(),
            Some(
                "delete what nobody answers for: `kubectl delete mutatingwebhookconfiguration/istio-sidecar-injector`"
            )
        );
        assert_eq!(read(injectors(&gone, &options())).status, Status::Pass);
        let mut inert = injector("Fail", "istiod-old");
        inert["webhooks"][0]["namespaceSelector"] =
            json!({"matchLabels": {"istio.io/deactivated": "never-match"}});
        assert_eq!(
            read(leftovers(&with(inert, false, None), &options())).status,
            Status::Warning
        );
        assert_eq!(read(leftovers(&facts(), &options())).status, Status::Pass);
    }

    #[test]
    fn webhooks_of_others_count_if_they_see_the_namespace_and_fail_closed() {
        let other = |policy: &str, resource: &str, except: Option<&str>| {
            let selector = except.map(|name| {
                json!({"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [name]}]})
            });
            json!({"metadata": {"name": "policies"}, "webhooks": [{
                "name": "check.policies.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "failurePolicy": policy, "namespaceSelector": selector,
                "rules": [{"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": [resource]}],
                "clientConfig": {"service": {"namespace": "policies", "name": "gone"}}}]})
        };
        for (webhook, expected) in [
            (other("Fail", "pods", None), Status::Fail),
            (other("Ignore", "pods", None), Status::Pass),
            (other("Fail", "secrets", None), Status::Pass),
            (other("Fail", "*", Some("istio-system")), Status::Pass),
            (other("Fail", "*/*", None), Status::Fail),
        ] {
            let outcome = read(others(&with(webhook.clone(), false, None), &options()));
            assert_eq!(outcome.status, expected, "{webhook}: {outcome:?}");
        }
    }
}
