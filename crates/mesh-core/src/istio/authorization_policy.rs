//! DOC(module)

use crate::schema::cel::{SERVICE_ACCOUNTS_ALONE, TARGET_REF_OR_SELECTOR};
use mesh_macros::{Enum, Message};
use super::common::{PolicyTargetReference, WorkloadSelector};

/// DOC(AuthorizationPolicy)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("provider"), cel(TARGET_REF_OR_SELECTOR))]
pub struct AuthorizationPolicy {
    /// DOC(AuthorizationPolicy.action)
    pub action: Action,
    /// DOC(AuthorizationPolicy.provider)
    pub provider: Option<ExtensionProvider>,
    /// DOC(AuthorizationPolicy.rules)
    #[field(max_items = 512)]
    pub rules: Vec<Rule>,
    /// DOC(AuthorizationPolicy.selector)
    pub selector: Option<WorkloadSelector>,
    /// DOC(AuthorizationPolicy.targetRef)
    pub target_ref: Option<PolicyTargetReference>,
    /// DOC(AuthorizationPolicy.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
}

/// DOC(AuthorizationPolicy.provider)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ExtensionProvider {
    /// DOC(AuthorizationPolicy.provider.name)
    pub name: String,
}

/// DOC(AuthorizationPolicy.rules[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Rule {
    /// DOC(AuthorizationPolicy.rules[].from)
    #[field(max_items = 512)]
    pub from: Vec<From>,
    /// DOC(AuthorizationPolicy.rules[].to)
    pub to: Vec<To>,
    /// DOC(AuthorizationPolicy.rules[].when)
    pub when: Vec<Condition>,
}

/// DOC(AuthorizationPolicy.rules[].from[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct From {
    /// DOC(AuthorizationPolicy.rules[].from[].source)
    pub source: Option<Source>,
}

/// DOC(AuthorizationPolicy.rules[].from[].source)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(SERVICE_ACCOUNTS_ALONE))]
pub struct Source {
    /// DOC(AuthorizationPolicy.rules[].from[].source.ipBlocks)
    pub ip_blocks: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.namespaces)
    pub namespaces: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notIpBlocks)
    pub not_ip_blocks: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notNamespaces)
    pub not_namespaces: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notPrincipals)
    pub not_principals: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notRemoteIpBlocks)
    pub not_remote_ip_blocks: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notRequestPrincipals)
    pub not_request_principals: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notServiceAccounts)
    #[field(max_items = 16, items(max_length = 320))]
    pub not_service_accounts: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.notTrustDomains)
    pub not_trust_domains: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.principals)
    pub principals: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.remoteIpBlocks)
    pub remote_ip_blocks: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.requestPrincipals)
    pub request_principals: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.serviceAccounts)
    #[field(max_items = 16, items(max_length = 320))]
    pub service_accounts: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].from[].source.trustDomains)
    pub trust_domains: Vec<String>,
}

/// DOC(AuthorizationPolicy.rules[].to[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct To {
    /// DOC(AuthorizationPolicy.rules[].to[].operation)
    pub operation: Option<Operation>,
}

/// DOC(AuthorizationPolicy.rules[].to[].operation)
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Operation {
    /// DOC(AuthorizationPolicy.rules[].to[].operation.hosts)
    pub hosts: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.methods)
    pub methods: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.notHosts)
    pub not_hosts: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.notMethods)
    pub not_methods: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.notPaths)
    pub not_paths: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.notPorts)
    pub not_ports: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.paths)
    pub paths: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].to[].operation.ports)
    pub ports: Vec<String>,
}

/// DOC(AuthorizationPolicy.rules[].when[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Condition {
    /// DOC(AuthorizationPolicy.rules[].when[].key)
    #[field(required)]
    pub key: String,
    /// DOC(AuthorizationPolicy.rules[].when[].notValues)
    pub not_values: Vec<String>,
    /// DOC(AuthorizationPolicy.rules[].when[].values)
    pub values: Vec<String>,
}

/// DOC(enum AuthorizationPolicy.action)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Action {
    /// DOC(ALLOW)
    #[default]
    Allow,
    /// DOC(DENY)
    Deny,
    /// DOC(AUDIT)
    Audit,
    /// DOC(CUSTOM)
    Custom,
}
