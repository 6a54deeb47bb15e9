//! `RequestAuthentication`: which tokens are valid.

use super::common::{PolicyTargetReference, WorkloadSelector};
use crate::schema::Duration;
use crate::schema::cel::{HTTP_URL, JWKS_OR_URI, TARGET_REF_OR_SELECTOR};
use mesh_macros::{Enum, Message};

/// Tells which JSON Web Tokens (JWT) workloads accept. A request with an invalid token is refused with
/// 401. A request without a token passes by default, so add an `AuthorizationPolicy` that asks for a
/// token where one is needed. Claims of a valid token can be used in policies, in routing at gateways,
/// and as headers.
///
/// ```yaml
/// apiVersion: security.istio.io/v1
/// kind: RequestAuthentication
/// metadata:
///   name: shop-login
///   namespace: shop
/// spec:
///   selector:
///     matchLabels: { app: storefront }
///   jwtRules:
///   - issuer: https://login.example.com
///     jwksUri: https://login.example.com/keys.json
///     audiences: [storefront]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct RequestAuthentication {
    /// Accepted issuers of tokens. Rules of all policies for a workload are put together.
    #[field(max_items = 4096)]
    pub jwt_rules: Vec<JwtRule>,
    /// Workloads of the namespace that the policy covers. Unset covers the namespace, or the mesh in
    /// the root namespace. Not together with target references.
    pub selector: Option<WorkloadSelector>,
    /// Object that the policy attaches to. Not together with `selector` or `targetRefs`.
    #[field(deprecated = "use `targetRefs`")]
    pub target_ref: Option<PolicyTargetReference>,
    /// Gateways, services or waypoints that the policy attaches to. Not together with `selector`.
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
}

/// How tokens of one issuer are found and checked. At most one of `jwks` and `jwksUri` is set; with
/// neither, the keys are found through OIDC discovery from the issuer.
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(JWKS_OR_URI))]
pub struct JwtRule {
    /// Accepted audiences, the claim `aud`. One has to match. Unset accepts any.
    #[field(items(min_length = 1))]
    pub audiences: Vec<String>,
    /// Forwards the token to the application. Unset is `false`, which removes it from the request.
    pub forward_original_token: bool,
    /// Cookies that may hold the token.
    #[field(items(min_length = 1))]
    pub from_cookies: Vec<String>,
    /// Headers that may hold the token. With no place set at all, it is read from `Authorization:
    /// Bearer` and from the query parameter `access_token`.
    pub from_headers: Vec<JwtHeader>,
    /// Query parameters that may hold the token.
    #[field(items(min_length = 1))]
    pub from_params: Vec<String>,
    /// Issuer, which the claim `iss` has to equal. It may be a URL or a mail address.
    #[field(min_length = 1)]
    pub issuer: String,
    /// Public keys as an inline JSON Web Key Set.
    pub jwks: String,
    /// URL of the public keys, `http` or `https`. istiod fetches them, unless it is set to leave that
    /// to the proxies.
    #[field(also = "jwks_uri", min_length = 1, max_length = 2048, cel(HTTP_URL))]
    pub jwks_uri: String,
    /// Claims to copy to headers of the request.
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// Header in which the application gets the token's payload, in URL-safe base64. Unset sends none.
    pub output_payload_to_header: String,
    /// Whether a token has to be there. Unset is `OPTIONAL`.
    pub presence: JwtPresence,
    /// Claims whose text is a list separated by spaces, so that policies can match single entries.
    /// `scope` and `permission` always are.
    #[field(max_items = 64, items(min_length = 1))]
    pub space_delimited_claims: Vec<String>,
    /// Time to fetch the keys. Unset is 5 s.
    pub timeout: Option<Duration>,
}

/// A header that may hold a token.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct JwtHeader {
    /// Name of the header.
    #[field(required, min_length = 1)]
    pub name: String,
    /// Text before the token, including a space, such as `Bearer `. A value without it is ignored.
    pub prefix: String,
}

/// A claim that is copied to a header.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClaimToHeader {
    /// Name of the claim. Nested claims are separated by dots. Only texts, numbers and booleans are
    /// copied.
    #[field(required, min_length = 1)]
    pub claim: String,
    /// Name of the header: letters, digits, `-` and `_`. An existing header is replaced.
    #[field(required, min_length = 1, pattern = r"^[-_A-Za-z0-9]+$")]
    pub header: String,
}

/// Whether a request needs a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum JwtPresence {
    /// A request without a token passes; an invalid token is refused.
    #[default]
    Optional,
    /// A request without a valid token is refused.
    Required,
}
