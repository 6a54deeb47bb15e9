//! Injectors that would both inject the same pod.

use std::collections::BTreeSet;

use mesh_core::injection::{is_injector, selects};
use mesh_core::k8s_openapi::api::admissionregistration::v1::MutatingWebhook;
use mesh_core::{Header, Kind, Labels, Mesh};
use mesh_yaml::{FieldPath, path};

use super::{NAMESPACE_LABEL, POD_LABEL, REVISION_LABEL};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// Two injection webhooks select the same pods.
    ///
    /// ## Why is this bad?
    /// Both change the pod, one after the other. Which proxy it gets in the end depends on the order in which the API server
    /// calls them, and the two may belong to control planes of different versions.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: admissionregistration.k8s.io/v1
    /// kind: MutatingWebhookConfiguration
    /// metadata: {name: istio-sidecar-injector}
    /// webhooks:
    /// - name: namespace.sidecar-injector.istio.io
    ///   namespaceSelector: {matchLabels: {istio-injection: enabled}}
    ///   clientConfig: {url: "https://a.example.com/inject"}
    ///   sideEffects: None
    ///   admissionReviewVersions: [v1]
    /// ---
    /// apiVersion: admissionregistration.k8s.io/v1
    /// kind: MutatingWebhookConfiguration
    /// metadata: {name: istio-sidecar-injector-canary}
    /// webhooks:
    /// - name: rev.namespace.sidecar-injector.istio.io
    ///   namespaceSelector: {matchLabels: {istio-injection: enabled}}
    ///   clientConfig: {url: "https://b.example.com/inject"}
    ///   sideEffects: None
    ///   admissionReviewVersions: [v1]
    /// ```
    ///
    /// ## Fix
    /// Remove the webhook of the control plane that is not used any more, or correct its selectors: each revision should ask
    /// for its own value of `istio.io/rev`.
    pub static RULE = {
        name: "conflicting-injection-webhooks",
        aliases: &["IST0139"],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[Kind::MutatingWebhookConfiguration],
        needs: &[],
        check,
    }
}

struct Injecting<'m> {
    header: &'m Header,
    path: FieldPath,
    webhook: &'m MutatingWebhook,
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let injecting: Vec<_> = mesh
        .mutating_webhooks()
        .iter()
        .flat_map(|configuration| {
            let webhooks = configuration.spec.webhooks.iter().flatten().enumerate();
            webhooks
                .filter(|(_, webhook)| is_injector(webhook))
                .map(|(index, webhook)| Injecting {
                    header: configuration.header(),
                    path: path!["webhooks", index],
                    webhook,
                })
        })
        .collect();
    let mut reported = BTreeSet::new();
    for (namespace, pod) in label_sets(&injecting) {
        let matching: Vec<_> = (injecting.iter().enumerate())
            .filter(|(_, it)| {
                selects(it.webhook.namespace_selector.as_ref(), &namespace, Some("any"))
                    && selects(it.webhook.object_selector.as_ref(), &pod, None)
            })
            .collect();
        let [(first, a), (second, b), ..] = matching.as_slice() else {
            continue;
        };
        if !reported.insert((*first, *second)) {
            continue;
        }
        reporter
            .report(b.header, b.path.clone())
            .message(format!(
                "webhook `{}` of `{}` and `{}` of `{}` both inject pods with {} in namespaces with {}",
                a.webhook.name,
                a.header.name(),
                b.webhook.name,
                b.header.name(),
                shown(&pod),
                shown(&namespace)
            ))
            .help("remove one of the two, or make their selectors exclude each other")
            .related(a.header, a.path.clone(), "the other one is here");
    }
}

fn shown(labels: &Labels) -> String {
    if labels.is_empty() {
        return "no such labels".to_owned();
    }
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("`{key}={value}`"))
        .collect();
    labels.join(" and ")
}

/// Labels of namespaces and of pods in all combinations that injectors tell apart, the fewest labels first.
fn label_sets(injecting: &[Injecting<'_>]) -> Vec<(Labels, Labels)> {
    let mut revisions: BTreeSet<&str> = BTreeSet::new();
    for it in injecting {
        for selector in [&it.webhook.namespace_selector, &it.webhook.object_selector]
            .into_iter()
            .flatten()
        {
            let exact = selector.match_labels.iter().flatten();
            revisions.extend(
                exact
                    .filter(|(key, _)| *key == REVISION_LABEL)
                    .map(|(_, value)| value.as_str()),
            );
            let expressions = selector.match_expressions.iter().flatten();
            let of_revisions = expressions.filter(|expression| expression.key == REVISION_LABEL);
            revisions.extend(
                of_revisions.flat_map(|expression| expression.values.iter().flatten().map(String::as_str)),
            );
        }
    }
    let revisions: Vec<_> = std::iter::once(None)
        .chain(revisions.into_iter().map(Some))
        .collect();
    let sets = |key: &str, values: [Option<&str>; 3]| -> Vec<Labels> {
        let mut sets = Vec::new();
        for value in values {
            for revision in &revisions {
                let value = value.map(|value| (key.to_owned(), value.to_owned()));
                let revision = revision.map(|revision| (REVISION_LABEL.to_owned(), revision.to_owned()));
                sets.push(value.into_iter().chain(revision).collect());
            }
        }
        sets
    };
    let namespaces = sets(NAMESPACE_LABEL, [None, Some("enabled"), Some("disabled")]);
    let pods = sets(POD_LABEL, [None, Some("true"), Some("false")]);
    let mut pairs: Vec<(Labels, Labels)> = namespaces
        .iter()
        .flat_map(|namespace| pods.iter().map(|pod| (namespace.clone(), pod.clone())))
        .collect();
    pairs.sort_by_key(|(namespace, pod)| namespace.len() + pod.len());
    pairs
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn webhook(name: &str, selectors: &str) -> String {
        format!(
            "apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {{name: {name}}}\n\
             webhooks: [{{name: x.sidecar-injector.istio.io, clientConfig: {{url: 'https://a.b/'}}, sideEffects: None, \
             admissionReviewVersions: [v1]{selectors}}}]\n---\n"
        )
    }

    #[test]
    fn selectors_have_to_exclude_each_other() {
        let enabled = ", namespaceSelector: {matchLabels: {istio-injection: enabled}}";
        let revision = |name: &str| format!(", namespaceSelector: {{matchLabels: {{istio.io/rev: {name}}}}}");
        let both = [webhook("a", enabled), webhook("b", &revision("canary"))].concat();
        assert_eq!(
            findings("conflicting-injection-webhooks", &both),
            [
                "webhooks[0]: webhook `x.sidecar-injector.istio.io` of `a` and `x.sidecar-injector.istio.io` of `b` both \
                 inject pods with no such labels in namespaces with `istio-injection=enabled` and `istio.io/rev=canary`"
            ]
        );
        let apart = ", namespaceSelector: {matchExpressions: [{key: istio.io/rev, operator: In, values: [canary]}, {key: \
                     istio-injection, operator: DoesNotExist}]}";
        for text in [
            [webhook("a", enabled), webhook("b", apart)].concat(),
            [webhook("a", &revision("a")), webhook("b", &revision("b"))].concat(),
            webhook("a", ""),
        ] {
            assert_eq!(
                findings("conflicting-injection-webhooks", &text),
                [""; 0],
                "{text}"
            );
        }
    }
}
