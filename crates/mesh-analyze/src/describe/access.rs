//! Who may call a workload.

use mesh_core::istio::authorization_policy::{
    Action, AuthorizationPolicy, Condition, Operation, Rule, Source,
};
use mesh_core::{Kind, Mesh, Resource, Workload};
use serde::Serialize;

use super::Object;
use crate::rules::policy::Settings;

/// The authorization policies of a workload, and what they amount to.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// In the order in which the proxy asks them: CUSTOM, DENY, then ALLOW.
    pub policies: Vec<PolicyFact>,
    /// What becomes of a request that none of them decides.
    pub otherwise: String,
}

/// An AuthorizationPolicy in words.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyFact {
    /// The resource.
    pub object: Object,
    /// `CUSTOM`, `DENY`, `ALLOW` or `AUDIT`.
    pub action: String,
    /// Its rules, any of which is enough.
    pub rules: Vec<String>,
}

/// The policies that the workload's own proxy follows.
pub(super) fn access(mesh: &Mesh, workload: &Workload, settings: &[Settings<'_>]) -> Access {
    let root = mesh.root_namespace();
    let policies = facts(mesh, settings, |settings| settings.is_for(workload, root));
    let allows: Vec<_> = policies
        .iter()
        .filter(|policy| policy.action == "ALLOW")
        .collect();
    let otherwise = if allows.is_empty() {
        "allowed: no ALLOW policy is for it"
    } else if allows.iter().all(|policy| policy.rules.is_empty()) {
        "refused: its ALLOW policies have no rules"
    } else {
        "refused: some ALLOW policy is for it"
    };
    Access {
        policies,
        otherwise: otherwise.to_owned(),
    }
}

/// The policies that are attached to a Service.
pub(super) fn attached(
    mesh: &Mesh,
    settings: &[Settings<'_>],
    service: &str,
    namespace: &str,
) -> Vec<PolicyFact> {
    facts(mesh, settings, |settings| {
        settings.is_attached_to(service, namespace)
    })
}

fn facts(
    mesh: &Mesh,
    settings: &[Settings<'_>],
    is_wanted: impl Fn(&Settings<'_>) -> bool,
) -> Vec<PolicyFact> {
    let wanted = settings
        .iter()
        .filter(|settings| settings.header.kind() == Kind::AuthorizationPolicy);
    let resources = wanted
        .filter(|settings| is_wanted(settings))
        .filter_map(|settings| {
            mesh.get::<AuthorizationPolicy>(settings.header.namespace(), settings.header.name())
        });
    let mut resources: Vec<_> = resources.collect();
    resources.sort_by_key(|policy| turn(policy.spec.action));
    resources.into_iter().map(|policy| fact(policy)).collect()
}

/// When a proxy asks policies of an action.
fn turn(action: Action) -> u8 {
    match action {
        Action::Custom => 0,
        Action::Deny => 1,
        Action::Audit => 2,
        Action::Allow => 3,
    }
}

fn fact(policy: &Resource<AuthorizationPolicy>) -> PolicyFact {
    let action = policy.spec.action.as_str();
    PolicyFact {
        object: Object::of(policy),
        action: match &policy.spec.provider {
            Some(provider) => format!("{action} by {}", provider.name),
            None => action.to_owned(),
        },
        rules: policy.spec.rules.iter().map(rule).collect(),
    }
}

/// A rule as a sentence: who, to what, when.
fn rule(rule: &Rule) -> String {
    let who: Vec<_> = rule
        .from
        .iter()
        .filter_map(|from| from.source.as_ref())
        .map(source)
        .collect();
    let what: Vec<_> = rule
        .to
        .iter()
        .filter_map(|to| to.operation.as_ref())
        .map(operation)
        .collect();
    let when: Vec<_> = rule.when.iter().map(condition).collect();
    let mut text = if who.is_empty() {
        "anybody".to_owned()
    } else {
        who.join(" or ")
    };
    if !what.is_empty() {
        text.push_str(" → ");
        text.push_str(&what.join(" or "));
    }
    if !when.is_empty() {
        text.push_str(" when ");
        text.push_str(&when.join(" and "));
    }
    text
}

fn source(source: &Source) -> String {
    parts(&[
        ("", &source.principals),
        ("not ", &source.not_principals),
        ("service account ", &source.service_accounts),
        ("not service account ", &source.not_service_accounts),
        ("namespace ", &source.namespaces),
        ("not namespace ", &source.not_namespaces),
        ("trust domain ", &source.trust_domains),
        ("not trust domain ", &source.not_trust_domains),
        ("token of ", &source.request_principals),
        ("no token of ", &source.not_request_principals),
        ("address ", &source.ip_blocks),
        ("not address ", &source.not_ip_blocks),
        ("remote address ", &source.remote_ip_blocks),
        ("not remote address ", &source.not_remote_ip_blocks),
    ])
}

fn operation(operation: &Operation) -> String {
    parts(&[
        ("", &operation.methods),
        ("not ", &operation.not_methods),
        ("host ", &operation.hosts),
        ("not host ", &operation.not_hosts),
        ("port ", &operation.ports),
        ("not port ", &operation.not_ports),
        ("path ", &operation.paths),
        ("not path ", &operation.not_paths),
    ])
}

fn condition(condition: &Condition) -> String {
    let key = &condition.key;
    let mut texts = Vec::new();
    if !condition.values.is_empty() {
        texts.push(format!("{key} is {}", condition.values.join(" or ")));
    }
    if !condition.not_values.is_empty() {
        texts.push(format!("{key} is not {}", condition.not_values.join(" or ")));
    }
    texts.join(" and ")
}

/// The lists that say something, all of which must hold.
fn parts(lists: &[(&str, &Vec<String>)]) -> String {
    let said = lists.iter().filter(|(_, values)| !values.is_empty());
    let texts: Vec<_> = said
        .map(|(what, values)| format!("{what}{}", values.join(", ")))
        .collect();
    if texts.is_empty() {
        "anything".to_owned()
    } else {
        texts.join(" and ")
    }
}
