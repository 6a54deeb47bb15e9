//! The webhooks that inject pods and validate resources.

use mesh_core::k8s_openapi::ByteString;
use mesh_core::k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations, ServiceReference, ValidatingWebhook,
    ValidatingWebhookConfiguration, WebhookClientConfig,
};
use mesh_core::k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use mesh_core::schema::Bytes;
use serde_json::{Value, json};

use super::Part;
use super::parts::{filled, object, some};

const INJECT: &str = "sidecar.istio.io/inject";
const INJECTION: &str = "istio-injection";
const REVISION: &str = "istio.io/rev";

/// Namespaces that are never injected without being asked.
const SYSTEM: [&str; 4] = [
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "local-path-storage",
];

/// The API groups of Istio's resources.
const GROUPS: [&str; 4] = [
    "security.istio.io",
    "networking.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
];

fn requirement(key: &str, operator: &str, values: &[&str]) -> LabelSelectorRequirement {
    LabelSelectorRequirement {
        key: key.to_owned(),
        operator: operator.to_owned(),
        values: (!values.is_empty()).then(|| values.iter().map(|value| (*value).to_owned()).collect()),
    }
}

fn selector(requirements: Vec<LabelSelectorRequirement>) -> LabelSelector {
    LabelSelector {
        match_expressions: Some(requirements),
        ..LabelSelector::default()
    }
}

fn absent(key: &str) -> LabelSelectorRequirement {
    requirement(key, "DoesNotExist", &[])
}

fn within(key: &str, value: &str) -> LabelSelectorRequirement {
    requirement(key, "In", &[value])
}

/// The selectors of the injector's webhooks: name, namespaces, pods. A pod is selected by one of them at most.
fn injected(revision: Option<&str>, by_default: bool) -> Vec<(&'static str, LabelSelector, LabelSelector)> {
    let not_refused = || requirement(INJECT, "NotIn", &["false"]);
    let label = revision.unwrap_or("default");
    let mut webhooks = vec![
        (
            "rev.namespace.sidecar-injector.istio.io",
            selector(vec![within(REVISION, label), absent(INJECTION)]),
            selector(vec![not_refused()]),
        ),
        (
            "rev.object.sidecar-injector.istio.io",
            selector(vec![absent(REVISION), absent(INJECTION)]),
            selector(vec![not_refused(), within(REVISION, label)]),
        ),
    ];
    if revision.is_some() {
        return webhooks;
    }
    webhooks.push((
        "namespace.sidecar-injector.istio.io",
        selector(vec![within(INJECTION, "enabled")]),
        selector(vec![not_refused()]),
    ));
    webhooks.push((
        "object.sidecar-injector.istio.io",
        selector(vec![absent(INJECTION), absent(REVISION)]),
        selector(vec![within(INJECT, "true"), absent(REVISION)]),
    ));
    if by_default {
        webhooks.push((
            "auto.sidecar-injector.istio.io",
            selector(vec![
                absent(INJECTION),
                absent(REVISION),
                requirement("kubernetes.io/metadata.name", "NotIn", &SYSTEM),
            ]),
            selector(vec![absent(INJECT), absent(REVISION)]),
        ));
    }
    webhooks
}

fn client(part: Part<'_>, url: &str, path: &str, authority: &str) -> WebhookClientConfig {
    let service = ServiceReference {
        name: part.context.revised("istiod"),
        namespace: part.context.spec.namespace().to_owned(),
        path: Some(path.to_owned()),
        port: Some(443),
    };
    WebhookClientConfig {
        url: some(url),
        service: url.is_empty().then_some(service),
        // istiod fills it in, unless it is known before.
        ca_bundle: (!authority.is_empty())
            .then(|| Bytes::parse(authority))
            .flatten()
            .map(|bytes| ByteString(bytes.0)),
    }
}

fn rules(groups: &[&str], versions: &str, resources: &str, operations: &[&str]) -> Vec<RuleWithOperations> {
    let owned = |list: &[&str]| Some(list.iter().map(|text| (*text).to_owned()).collect());
    vec![RuleWithOperations {
        api_groups: owned(groups),
        api_versions: owned(&[versions]),
        resources: owned(&[resources]),
        operations: owned(operations),
        ..RuleWithOperations::default()
    }]
}

/// The webhook that injects sidecars.
pub(super) fn injector(part: Part<'_>) -> Value {
    let (context, values) = (part.context, part.context.values());
    let remote = &values.istiod_remote;
    let webhook = &values.sidecar_injector_webhook;
    let client = client(
        part,
        &remote.injection_url,
        &remote.injection_path,
        &remote.injection_ca_bundle,
    );
    let webhooks = injected(context.spec.revision(), webhook.enable_namespaces_by_default);
    let webhooks = webhooks
        .into_iter()
        .map(|(name, namespaces, pods)| MutatingWebhook {
            name: name.to_owned(),
            admission_review_versions: vec!["v1".to_owned()],
            client_config: client.clone(),
            failure_policy: Some("Fail".to_owned()),
            namespace_selector: Some(namespaces),
            object_selector: Some(pods),
            reinvocation_policy: some(&webhook.reinvocation_policy),
            rules: Some(rules(&[""], "v1", "pods", &["CREATE"])),
            side_effects: "None".to_owned(),
            ..MutatingWebhook::default()
        });
    let mut name = context.revised("istio-sidecar-injector");
    if context.spec.namespace() != "istio-system" {
        name = format!("{name}-{}", context.spec.namespace());
    }
    let mut metadata = part.metadata("", name, "sidecar-injector");
    metadata.annotations = filled(&values.pilot.sidecar_injector_webhook_annotations);
    object(&MutatingWebhookConfiguration {
        metadata,
        webhooks: Some(webhooks.collect()),
    })
}

/// The webhook that validates resources. istiod makes it binding once it works.
pub(super) fn validator(part: Part<'_>) -> Value {
    let (context, base) = (part.context, &part.context.values().base);
    let webhook = ValidatingWebhook {
        name: "rev.validation.istio.io".to_owned(),
        admission_review_versions: vec!["v1".to_owned()],
        client_config: client(
            part,
            &base.validation_url,
            "/validate",
            &base.validation_ca_bundle,
        ),
        failure_policy: Some("Ignore".to_owned()),
        object_selector: Some(selector(vec![within(REVISION, context.spec.revision_label())])),
        rules: Some(rules(&GROUPS, "*", "*", &["CREATE", "UPDATE"])),
        side_effects: "None".to_owned(),
        ..ValidatingWebhook::default()
    };
    object(&ValidatingWebhookConfiguration {
        metadata: part.metadata("", context.of_cluster("istio-validator"), "istiod"),
        webhooks: Some(vec![webhook]),
    })
}

/// The policy that refuses what is not stable, and its binding.
pub(super) fn stable_policy(part: Part<'_>) -> [Value; 2] {
    let name = |what: &str| format!("{}.istio.io", part.context.of_cluster(what));
    let policy = name("stable-channel-policy");
    let metadata = |name: &str| object(&part.metadata("", name, "istiod"));
    let without = |list: &str, field: &str| {
        format!("(!has(object.spec.{list}) || object.spec.{list}.all(item, !has(item.{field})))")
    };
    let telemetry = format!(
        "object.kind != 'Telemetry' || !has(object.spec) || ({} && {} && {})",
        without("tracing", "useRequestIdForTraceSampling"),
        without("metrics", "reportingInterval"),
        without("accessLogging", "filter"),
    );
    let revision = part.context.spec.revision_label();
    [
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": metadata(&policy),
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {
                    "objectSelector": {"matchExpressions": [
                        {"key": REVISION, "operator": "In", "values": [revision]},
                    ]},
                    "resourceRules": [{
                        "apiGroups": GROUPS,
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["*"],
                    }],
                },
                "validations": [
                    {"expression": "object.kind != 'EnvoyFilter'", "message": "EnvoyFilter is not stable"},
                    {"expression": "object.kind != 'WasmPlugin'", "message": "WasmPlugin is not stable"},
                    {
                        "expression": telemetry,
                        "message": "a field of this Telemetry is not stable: \
                            useRequestIdForTraceSampling, reportingInterval or filter",
                    },
                ],
            },
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": metadata(&name("stable-channel-policy-binding")),
            "spec": {"policyName": policy, "validationActions": ["Deny"]},
        }),
    ]
}
