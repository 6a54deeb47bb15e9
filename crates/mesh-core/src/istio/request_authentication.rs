//! DOC(module)

use crate::schema::cel::{HTTP_URL, JWKS_OR_URI, TARGET_REF_OR_SELECTOR};
use mesh_macros::{Enum, Message};
use crate::schema::{Duration};
use super::common::{PolicyTargetReference, WorkloadSelector};

/// DOC(RequestAuthentication)
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(TARGET_REF_OR_SELECTOR))]
pub struct RequestAuthentication {
    /// DOC(RequestAuthentication.jwtRules)
    #[field(max_items = 4096)]
    pub jwt_rules: Vec<JwtRule>,
    /// DOC(RequestAuthentication.selector)
    pub selector: Option<WorkloadSelector>,
    /// DOC(RequestAuthentication.targetRef)
    pub target_ref: Option<PolicyTargetReference>,
    /// DOC(RequestAuthentication.targetRefs)
    #[field(max_items = 16)]
    pub target_refs: Vec<PolicyTargetReference>,
}

/// DOC(RequestAuthentication.jwtRules[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
#[message(cel(JWKS_OR_URI))]
pub struct JwtRule {
    /// DOC(RequestAuthentication.jwtRules[].audiences)
    #[field(items(min_length = 1))]
    pub audiences: Vec<String>,
    /// DOC(RequestAuthentication.jwtRules[].forwardOriginalToken)
    pub forward_original_token: bool,
    /// DOC(RequestAuthentication.jwtRules[].fromCookies)
    #[field(items(min_length = 1))]
    pub from_cookies: Vec<String>,
    /// DOC(RequestAuthentication.jwtRules[].fromHeaders)
    pub from_headers: Vec<JwtHeader>,
    /// DOC(RequestAuthentication.jwtRules[].fromParams)
    #[field(items(min_length = 1))]
    pub from_params: Vec<String>,
    /// DOC(RequestAuthentication.jwtRules[].issuer)
    #[field(min_length = 1)]
    pub issuer: String,
    /// DOC(RequestAuthentication.jwtRules[].jwks)
    pub jwks: String,
    /// DOC(RequestAuthentication.jwtRules[].jwksUri)
    #[field(also = "jwks_uri", min_length = 1, max_length = 2048, cel(HTTP_URL))]
    pub jwks_uri: String,
    /// DOC(RequestAuthentication.jwtRules[].outputClaimToHeaders)
    pub output_claim_to_headers: Vec<ClaimToHeader>,
    /// DOC(RequestAuthentication.jwtRules[].outputPayloadToHeader)
    pub output_payload_to_header: String,
    /// DOC(RequestAuthentication.jwtRules[].presence)
    pub presence: JwtPresence,
    /// DOC(RequestAuthentication.jwtRules[].spaceDelimitedClaims)
    #[field(max_items = 64, items(min_length = 1))]
    pub space_delimited_claims: Vec<String>,
    /// DOC(RequestAuthentication.jwtRules[].timeout)
    pub timeout: Option<Duration>,
}

/// DOC(RequestAuthentication.jwtRules[].fromHeaders[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct JwtHeader {
    /// DOC(RequestAuthentication.jwtRules[].fromHeaders[].name)
    #[field(required, min_length = 1)]
    pub name: String,
    /// DOC(RequestAuthentication.jwtRules[].fromHeaders[].prefix)
    pub prefix: String,
}

/// DOC(RequestAuthentication.jwtRules[].outputClaimToHeaders[])
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct ClaimToHeader {
    /// DOC(RequestAuthentication.jwtRules[].outputClaimToHeaders[].claim)
    #[field(required, min_length = 1)]
    pub claim: String,
    /// DOC(RequestAuthentication.jwtRules[].outputClaimToHeaders[].header)
    #[field(required, min_length = 1, pattern = r"^[-_A-Za-z0-9]+$")]
    pub header: String,
}

/// DOC(enum RequestAuthentication.jwtRules[].presence)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Enum)]
pub enum JwtPresence {
    /// DOC(OPTIONAL)
    #[default]
    Optional,
    /// DOC(REQUIRED)
    Required,
}
