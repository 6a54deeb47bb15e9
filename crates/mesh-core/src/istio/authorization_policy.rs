//! `AuthorizationPolicy`: who may call what.

use super::common::{PolicyTargetReference, WorkloadSelector};
use crate::schema::cel::{SERVICE_ACCOUNTS_ALONE, TARGET_REF_OR_SELECTOR};
use mesh_macros::{Enum, Message};

/// Allows or denies requests and connections to workloads, by who calls and what is asked for. The
/// server's proxy checks policies in this order: `CUSTOM`, `DENY`, `ALLOW`; the first refusal ends it.
/// Once any `ALLOW` policy covers a workload, only what such a policy allows gets through; without one,
/// everything that is not denied does. An `ALLOW` policy without rules therefore refuses everything.
/// Policies in the root namespace cover the mesh.
///
/// ```yaml
/// apiVersion: security.istio.io/v1
/// kind: AuthorizationPolicy
/// metadata:
///   name: ledger-readers
///   namespace: bank
/// spec:
///   selector:
///     matchLabels: { app: ledger }
///   action: ALLOW
///   rules:
///   - from:
///     - source: { serviceAccounts: [shop/checkout] }
///     to:
///     - operation: { methods: [GET], paths: ["/accounts/*"] }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(one_of("provider"), cel(TARGET_REF_OR_SELECTOR))]
pub struct AuthorizationPolicy {
    /// What happens to requests that a rule matches. Unset is `ALLOW`.
    pub action: Action,
    /// External service that decides. Required for action `CUSTOM` and not allowed with others.
    pub provider: Option<ExtensionProvider>,
    /// Rules, of which one has to match for the action to be taken. An empty list never matches, while
    /// an empty rule, `{}`, always does.
    #[field(max_items = 512)]
    pub rules: Vec<Rule>,
    /// Workloads of the namespace that the policy covers. Unset covers the namespace, or the mesh in
    /// the root namespace. Not together with target references.
    pub selector: Option<WorkloadSelector>,
    /// Object that the policy attaches to. Not together with `selector` or `targetRefs`.
    #[field(deprecated = "use `targetRefs`")]
    pub target_ref: Option<PolicyTargetReference>,
    /// Gateways, services or waypoints that the policy attaches to. Not together with `selector`.
    /// Waypoints and Gateway API gateways need this form.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
}

/// An authorization service from `extensionProviders` of the mesh.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ExtensionProvider {
    /// Name of the provider in the mesh's configuration.
    pub name: String,
}

/// Conditions on a request. `from`, `to` and `when` have to hold together; one that is unset always
/// holds.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Rule {
    /// Callers, of which one has to match. Unset is any caller.
    #[field(max_items = 512)]
    pub from: Vec<From>,
    /// Operations, of which one has to match. Unset is any operation.
    pub to: Vec<To>,
    /// Further conditions, all of which have to hold.
    pub when: Vec<Condition>,
}

/// A set of callers.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct From {
    /// Properties of the caller.
    pub source: Option<Source>,
}

/// Properties of a caller. All that are set have to hold; each list holds if one of its values matches,
/// and a `not` list if none does. Values may be exact, `prefix*`, `*suffix`, or `*` for any value that
/// is present, where not said otherwise. Identities need mutual TLS.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(SERVICE_ACCOUNTS_ALONE))]
pub struct Source {
    /// Addresses or CIDR ranges of the connection's source. Behind a proxy that is the proxy's address;
    /// see `remoteIpBlocks`.
    pub ip_blocks: Vec<String>,
    /// Namespaces of the caller's identity.
    pub namespaces: Vec<String>,
    /// Addresses or CIDR ranges that the connection must not come from.
    pub not_ip_blocks: Vec<String>,
    /// Namespaces that the caller must not be in.
    pub not_namespaces: Vec<String>,
    /// Identities that the caller must not have.
    pub not_principals: Vec<String>,
    /// Addresses or CIDR ranges that the original client must not be in.
    pub not_remote_ip_blocks: Vec<String>,
    /// Token identities that the request must not have.
    pub not_request_principals: Vec<String>,
    /// Service accounts that the caller must not run as, in the form of `serviceAccounts`.
    #[field(max_items = 16, items(max_length = 320))]
    pub not_service_accounts: Vec<String>,
    /// Trust domains that the caller must not be in.
    pub not_trust_domains: Vec<String>,
    /// Identities of the caller, as `trust-domain/ns/namespace/sa/account` without `spiffe://`. The
    /// default trust domain `cluster.local` also stands for its aliases.
    pub principals: Vec<String>,
    /// Addresses or CIDR ranges of the original client, from `X-Forwarded-For` or the PROXY protocol.
    /// The number of trusted proxies has to be set for the gateway.
    pub remote_ip_blocks: Vec<String>,
    /// Identities from validated tokens, as `issuer/subject`. They need a `RequestAuthentication`. `*`
    /// asks for any valid token.
    pub request_principals: Vec<String>,
    /// Service accounts of the caller, as `namespace/account`, or `account` for the namespace of the
    /// policy. No wildcards, and not together with `principals` or `namespaces`.
    #[field(max_items = 16, items(max_length = 320))]
    pub service_accounts: Vec<String>,
    /// Trust domains of the caller's identity.
    pub trust_domains: Vec<String>,
}

/// A set of operations.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct To {
    /// Properties of the request.
    pub operation: Option<Operation>,
}

/// Properties of a request. All that are set have to hold; each list holds if one of its values
/// matches, and a `not` list if none does. Values may be exact, `prefix*`, `*suffix` or `*`. Everything
/// but ports is for HTTP only: on TCP traffic an `ALLOW` rule with such a property never matches, and a
/// `DENY` rule ignores the property.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Operation {
    /// Hosts from the `Host` header, compared without case.
    pub hosts: Vec<String>,
    /// HTTP methods in upper case. For gRPC it is always `POST`.
    pub methods: Vec<String>,
    /// Hosts that the request must not be for.
    pub not_hosts: Vec<String>,
    /// Methods that the request must not use.
    pub not_methods: Vec<String>,
    /// Paths that the request must not have.
    pub not_paths: Vec<String>,
    /// Ports that the connection must not be for.
    pub not_ports: Vec<String>,
    /// Paths without query, after normalization. A template may use `{*}` for one segment and a final
    /// `{**}` for the rest. For gRPC it is `/package.Service/Method`.
    pub paths: Vec<String>,
    /// Ports of the workload that receives the connection, as numbers in quotes.
    pub ports: Vec<String>,
}

/// A condition on one attribute. `values` and `notValues` have to hold together, and one of them has to
/// be set.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Condition {
    /// Name of the attribute, such as `source.namespace`, `destination.port`, `connection.sni`,
    /// `request.headers[x-tenant]` or `request.auth.claims[groups]`.
    #[field(required)]
    pub key: String,
    /// Values of which none may match.
    pub not_values: Vec<String>,
    /// Values of which one has to match. Exact, `prefix*`, `*suffix` or `*`; CIDR ranges for addresses.
    pub values: Vec<String>,
}

/// What happens to matching requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum Action {
    /// The request is allowed. Requests that no such policy matches are refused.
    #[default]
    Allow,
    /// The request is refused. It wins over every `ALLOW`.
    Deny,
    /// The request is marked for auditing, which needs an extension that reads the mark. It is neither
    /// allowed nor refused by this.
    Audit,
    /// An external service decides, before all other policies.
    Custom,
}
