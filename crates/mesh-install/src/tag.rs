//! Revision tags: names for revisions, which namespaces can be labelled with instead.
//!
//! A tag is a `MutatingWebhookConfiguration` that asks the istiod of its revision, and a Service of that istiod; the tag
//! `default` also checks the configuration that names no revision. All of them are copies of what the revision has.

use serde_json::{Value, json};

use crate::inventory::REVISION;
use crate::object::OWNER_LABEL;

/// The label that names the tag of an object.
pub const TAG_LABEL: &str = "istio.io/tag";

/// The tag of namespaces that say `istio-injection: enabled`, and of configuration that names no revision.
pub const DEFAULT_TAG: &str = "default";

/// The namespace whose name is not part of the names of cluster-wide objects.
const USUAL_NAMESPACE: &str = "istio-system";

/// The label that nothing has: a webhook that asks for it is switched off.
const DEACTIVATED: &str = "istio.io/deactivated";

/// What a revision has that its tags are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct TagSource<'a> {
    /// The namespace of the mesh.
    pub mesh: &'a str,
    /// The revision.
    pub revision: &'a str,
    /// Its `MutatingWebhookConfiguration`.
    pub injector: &'a Value,
    /// Its `ValidatingWebhookConfiguration`, if it has one.
    pub validator: Option<&'a Value>,
    /// The Service of its istiod, if that runs in this cluster.
    pub service: Option<&'a Value>,
}

/// Adds the namespace where it is not the usual one.
fn qualified(name: &str, mesh: &str) -> String {
    if mesh == USUAL_NAMESPACE {
        name.to_owned()
    } else {
        format!("{name}-{mesh}")
    }
}

/// The name of the `MutatingWebhookConfiguration` of a tag.
pub fn tag_name(mesh: &str, tag: &str) -> String {
    qualified(&format!("istio-revision-tag-{tag}"), mesh)
}

/// The name of the `ValidatingWebhookConfiguration` of configuration that names no revision.
pub fn default_validator_name(mesh: &str) -> String {
    qualified("istiod-default-validator", mesh)
}

/// The name of the `MutatingWebhookConfiguration` of a revision.
pub fn injector_name(mesh: &str, revision: &str) -> String {
    let name = match revision {
        DEFAULT_TAG => "istio-sidecar-injector".to_owned(),
        revision => format!("istio-sidecar-injector-{revision}"),
    };
    qualified(&name, mesh)
}

/// The name of the `ValidatingWebhookConfiguration` of a revision.
pub fn validator_name(mesh: &str, revision: &str) -> String {
    match revision {
        DEFAULT_TAG => format!("istio-validator-{mesh}"),
        revision => format!("istio-validator-{revision}-{mesh}"),
    }
}

/// The name of the Service of a revision's istiod.
pub fn service_name(revision: &str) -> String {
    match revision {
        DEFAULT_TAG => "istiod".to_owned(),
        revision => format!("istiod-{revision}"),
    }
}

/// The objects of a tag.
pub fn objects(tag: &str, source: &TagSource<'_>) -> Vec<Value> {
    let TagSource {
        mesh,
        revision,
        injector,
        validator,
        service,
    } = source;
    let labels = json!({
        "app": "sidecar-injector",
        REVISION: revision,
        TAG_LABEL: tag,
        OWNER_LABEL: mesh,
    });
    let model = &injector["webhooks"][0];
    let mut objects = vec![json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {
            "name": tag_name(mesh, tag),
            "labels": labels,
        },
        "webhooks": injection(tag).into_iter().map(|webhook| webhook.of(model)).collect::<Vec<_>>(),
    })];
    if let Some(service) = service {
        let spec = &service["spec"];
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": format!("istiod-revision-tag-{tag}"),
                "namespace": mesh,
                "labels": { "app": "istiod", "istio": "pilot", REVISION: revision, TAG_LABEL: tag, OWNER_LABEL: mesh },
            },
            "spec": { "ports": ports(&spec["ports"]), "selector": spec["selector"] },
        }));
    }
    if let (DEFAULT_TAG, Some(validator)) = (tag, validator) {
        let mut validator = default_validator(mesh, revision, validator);
        validator["metadata"]["labels"][TAG_LABEL] = json!(tag);
        objects.push(validator);
    }
    objects
}

/// What checks configuration that names no revision: the revision's own check with another selector. It is part of the
/// revision without a name, and of the tag `default` while there is one.
pub fn default_validator(mesh: &str, revision: &str, validator: &Value) -> Value {
    let mut webhook = copied(&validator["webhooks"][0]);
    webhook["name"] = json!("validation.istio.io");
    webhook["failurePolicy"] = json!("Ignore");
    webhook["objectSelector"] = json!({
        "matchExpressions": [{ "key": REVISION, "operator": "DoesNotExist" }],
    });
    if let Some(webhook) = webhook.as_object_mut() {
        webhook.remove("namespaceSelector");
    }
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {
            "name": default_validator_name(mesh),
            "labels": { "app": "istiod", "istio": "istiod", REVISION: revision, OWNER_LABEL: mesh },
        },
        "webhooks": [webhook],
    })
}

/// A webhook without what the API server has filled in.
fn copied(webhook: &Value) -> Value {
    let mut webhook = webhook.clone();
    if let Some(fields) = webhook.as_object_mut() {
        fields.remove("matchPolicy");
        fields.remove("timeoutSeconds");
    }
    webhook
}

/// The ports of a Service without what is its own.
fn ports(ports: &Value) -> Vec<Value> {
    let ports = ports.as_array().into_iter().flatten();
    ports
        .map(|port| {
            let mut port = port.clone();
            if let Some(port) = port.as_object_mut() {
                port.remove("nodePort");
            }
            port
        })
        .collect()
}

/// A webhook of an injector: which pods it sees.
struct Webhook {
    name: &'static str,
    namespaces: Vec<Value>,
    objects: Vec<Value>,
}

impl Webhook {
    /// As the revision has it, but for the selectors.
    fn of(&self, model: &Value) -> Value {
        let mut webhook = copied(model);
        webhook["name"] = json!(self.name);
        webhook["namespaceSelector"] = json!({ "matchExpressions": self.namespaces });
        webhook["objectSelector"] = json!({ "matchExpressions": self.objects });
        webhook
    }
}

fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
    if values.is_empty() {
        json!({ "key": key, "operator": operator })
    } else {
        json!({ "key": key, "operator": operator, "values": values })
    }
}

fn injection(tag: &str) -> Vec<Webhook> {
    const NAMESPACE: &str = "istio-injection";
    const POD: &str = "sidecar.istio.io/inject";
    let no = |key| expression(key, "DoesNotExist", &[]);
    let not_refused = || expression(POD, "NotIn", &["false"]);
    let mut webhooks = vec![
        Webhook {
            name: "rev.namespace.sidecar-injector.istio.io",
            namespaces: vec![expression(REVISION, "In", &[tag]), no(NAMESPACE)],
            objects: vec![not_refused()],
        },
        Webhook {
            name: "rev.object.sidecar-injector.istio.io",
            namespaces: vec![no(REVISION), no(NAMESPACE)],
            objects: vec![not_refused(), expression(REVISION, "In", &[tag])],
        },
    ];
    if tag == DEFAULT_TAG {
        webhooks.push(Webhook {
            name: "namespace.sidecar-injector.istio.io",
            namespaces: vec![expression(NAMESPACE, "In", &["enabled"])],
            objects: vec![not_refused()],
        });
        webhooks.push(Webhook {
            name: "object.sidecar-injector.istio.io",
            namespaces: vec![no(NAMESPACE), no(REVISION)],
            objects: vec![expression(POD, "In", &["true"]), no(REVISION)],
        });
    }
    webhooks
}

/// Switches an injector off, so that the tag `default` can lead elsewhere.
pub fn deactivate(injector: &mut Value) {
    let nothing = json!({ "matchLabels": { DEACTIVATED: "never-match" } });
    for webhook in injector["webhooks"].as_array_mut().into_iter().flatten() {
        webhook["namespaceSelector"] = nothing.clone();
        webhook["objectSelector"] = nothing.clone();
    }
}

/// Whether a webhook is switched off.
pub fn is_deactivated(webhook: &Value) -> bool {
    webhook["namespaceSelector"]["matchLabels"][DEACTIVATED].is_string()
}

/// Whether the tag `default` has taken over an object of the revision without a name: its injector is switched off, what
/// checks configuration that names no revision is the tag's.
pub fn is_led_elsewhere(live: &Value) -> bool {
    let mut webhooks = live["webhooks"].as_array().into_iter().flatten();
    live["metadata"]["labels"][TAG_LABEL] == DEFAULT_TAG || webhooks.any(is_deactivated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn injector() -> Value {
        json!({"metadata": {"name": "istio-sidecar-injector-canary"}, "webhooks": [{
            "name": "rev.namespace.sidecar-injector.istio.io",
            "clientConfig": {"caBundle": "QQ==", "service": {"name": "istiod-canary", "namespace": "istio-system",
                "path": "/inject", "port": 443}},
            "namespaceSelector": {}, "objectSelector": {}, "failurePolicy": "Fail", "timeoutSeconds": 10,
        }]})
    }

    #[test]
    fn a_tag_asks_the_istiod_of_its_revision() {
        let injector = injector();
        let service = json!({"spec": {"clusterIP": "10.0.0.1", "selector": {"istio.io/rev": "canary"},
            "ports": [{"port": 443, "nodePort": 30000}]}});
        let source = TagSource {
            mesh: "istio-system",
            revision: "canary",
            injector: &injector,
            validator: None,
            service: Some(&service),
        };
        let objects = objects("prod", &source);
        assert_eq!(objects.len(), 2);
        assert_eq!(objects[0]["metadata"]["name"], "istio-revision-tag-prod");
        let webhooks = objects[0]["webhooks"].as_array().expect("webhooks");
        assert_eq!(webhooks.len(), 2);
        for webhook in webhooks {
            assert_eq!(webhook["clientConfig"]["service"]["name"], "istiod-canary");
            assert_eq!(webhook["clientConfig"]["caBundle"], "QQ==");
            assert!(webhook["timeoutSeconds"].is_null());
        }
        let selector = &webhooks[0]["namespaceSelector"]["matchExpressions"][0];
        assert_eq!(selector, &expression(REVISION, "In", &["prod"]));
        assert_eq!(
            objects[1]["spec"],
            json!({"ports": [{"port": 443}], "selector": {"istio.io/rev": "canary"}})
        );
    }

    #[test]
    fn the_default_tag_sees_plain_namespaces_and_plain_configuration() {
        let injector = injector();
        let validator = json!({"webhooks": [{"name": "rev.validation.istio.io", "failurePolicy": "Fail",
            "clientConfig": {"service": {"name": "istiod-canary"}}}]});
        let source = TagSource {
            mesh: "mesh",
            revision: "canary",
            injector: &injector,
            validator: Some(&validator),
            service: None,
        };
        let objects = objects(DEFAULT_TAG, &source);
        assert_eq!(objects[0]["metadata"]["name"], "istio-revision-tag-default-mesh");
        assert_eq!(objects[0]["webhooks"].as_array().map(Vec::len), Some(4));
        assert_eq!(objects[1]["metadata"]["name"], "istiod-default-validator-mesh");
        assert_eq!(objects[1]["metadata"]["labels"][TAG_LABEL], "default");
        assert_eq!(objects[1]["webhooks"][0]["failurePolicy"], "Ignore");
    }

    #[test]
    fn injectors_can_be_switched_off() {
        let mut injector = injector();
        assert!(!is_deactivated(&injector["webhooks"][0]));
        deactivate(&mut injector);
        assert!(is_deactivated(&injector["webhooks"][0]));
    }
}
