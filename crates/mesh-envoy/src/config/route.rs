//! Route configurations.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Extension, Metadata, RegexMatcher, RuntimeFraction, StringMatcher};
use crate::proto::{Any, Duration, proto_enum};

/// `envoy.config.route.v3.RouteConfiguration`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RouteConfiguration {
    pub(crate) name: String,
    pub(crate) virtual_hosts: Vec<VirtualHost>,
    pub(crate) vhds: Option<Any>,
    pub(crate) ignore_port_in_host_matching: bool,
    pub(crate) ignore_path_parameters_in_path_matching: bool,
    pub(crate) vhost_header: String,
    pub(crate) request_mirror_policies: Vec<MirrorPolicy>,
    pub(crate) typed_per_filter_config: BTreeMap<String, Any>,
    pub(crate) metadata: Metadata,
}

proto_enum! {
    /// `envoy.config.route.v3.VirtualHost.TlsRequirementType`.
    pub(crate) enum TlsRequirement { None = 0 "NONE", ExternalOnly = 1 "EXTERNAL_ONLY", All = 2 "ALL" }
}

/// `envoy.config.route.v3.VirtualHost`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct VirtualHost {
    pub(crate) name: String,
    pub(crate) domains: Vec<String>,
    pub(crate) routes: Vec<Route>,
    pub(crate) matcher: Option<Any>,
    pub(crate) require_tls: TlsRequirement,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) request_mirror_policies: Vec<MirrorPolicy>,
    pub(crate) typed_per_filter_config: BTreeMap<String, Any>,
    pub(crate) metadata: Metadata,
}

/// `envoy.config.route.v3.Route`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) r#match: RouteMatch,
    pub(crate) route: Option<Box<RouteAction>>,
    pub(crate) redirect: Option<Box<RedirectAction>>,
    pub(crate) direct_response: Option<DirectResponse>,
    pub(crate) filter_action: Option<Any>,
    pub(crate) non_forwarding_action: Option<Value>,
    pub(crate) typed_per_filter_config: BTreeMap<String, Any>,
    pub(crate) metadata: Metadata,
}

/// `envoy.config.route.v3.RouteMatch`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RouteMatch {
    pub(crate) prefix: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) safe_regex: Option<RegexMatcher>,
    pub(crate) connect_matcher: Option<Value>,
    pub(crate) path_separated_prefix: Option<String>,
    pub(crate) path_match_policy: Option<Extension>,
    pub(crate) case_sensitive: Option<bool>,
    pub(crate) runtime_fraction: Option<RuntimeFraction>,
    pub(crate) headers: Vec<HeaderMatcher>,
    pub(crate) query_parameters: Vec<QueryParameterMatcher>,
    pub(crate) cookies: Vec<CookieMatcher>,
    pub(crate) grpc: Option<Value>,
    pub(crate) tls_context: Option<TlsContextMatch>,
    pub(crate) dynamic_metadata: Vec<Value>,
    pub(crate) filter_state: Vec<Value>,
}

/// `envoy.config.route.v3.RouteMatch.TlsContextMatchOptions`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TlsContextMatch {
    pub(crate) presented: Option<bool>,
    pub(crate) validated: Option<bool>,
}

/// `envoy.config.route.v3.HeaderMatcher`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HeaderMatcher {
    pub(crate) name: String,
    pub(crate) exact_match: Option<String>,
    pub(crate) safe_regex_match: Option<RegexMatcher>,
    pub(crate) range_match: Option<Range>,
    pub(crate) present_match: Option<bool>,
    pub(crate) prefix_match: Option<String>,
    pub(crate) suffix_match: Option<String>,
    pub(crate) contains_match: Option<String>,
    pub(crate) string_match: Option<StringMatcher>,
    pub(crate) invert_match: bool,
    pub(crate) treat_missing_header_as_empty: bool,
}

/// `envoy.type.v3.Int64Range`: from `start` to before `end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(crate) struct Range {
    pub(crate) start: i64,
    pub(crate) end: i64,
}

/// `envoy.config.route.v3.QueryParameterMatcher`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct QueryParameterMatcher {
    pub(crate) name: String,
    pub(crate) string_match: Option<StringMatcher>,
    pub(crate) present_match: Option<bool>,
}

/// `envoy.config.route.v3.CookieMatcher`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct CookieMatcher {
    pub(crate) name: String,
    pub(crate) string_match: Option<StringMatcher>,
    pub(crate) invert_match: bool,
}

/// `envoy.config.route.v3.RouteAction`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RouteAction {
    pub(crate) cluster: Option<String>,
    pub(crate) cluster_header: Option<String>,
    pub(crate) weighted_clusters: Option<WeightedClusters>,
    pub(crate) cluster_specifier_plugin: Option<String>,
    pub(crate) inline_cluster_specifier_plugin: Option<Any>,
    pub(crate) cluster_not_found_response_code: ClusterNotFound,
    pub(crate) prefix_rewrite: String,
    pub(crate) regex_rewrite: Option<RegexRewrite>,
    pub(crate) path_rewrite_policy: Option<Extension>,
    pub(crate) host_rewrite_literal: Option<String>,
    pub(crate) auto_host_rewrite: Option<bool>,
    pub(crate) host_rewrite_header: Option<String>,
    pub(crate) host_rewrite_path_regex: Option<RegexRewrite>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_stream_duration: Option<MaxStreamDuration>,
    pub(crate) retry_policy: Option<RetryPolicy>,
    pub(crate) request_mirror_policies: Vec<MirrorPolicy>,
    pub(crate) hash_policy: Vec<Value>,
}

proto_enum! {
    /// `envoy.config.route.v3.RouteAction.ClusterNotFoundResponseCode`.
    pub(crate) enum ClusterNotFound {
        ServiceUnavailable = 0 "SERVICE_UNAVAILABLE",
        NotFound = 1 "NOT_FOUND",
        InternalServerError = 2 "INTERNAL_SERVER_ERROR",
    }
}

/// `envoy.config.route.v3.RouteAction.MaxStreamDuration`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MaxStreamDuration {
    pub(crate) max_stream_duration: Option<Duration>,
}

/// `envoy.type.matcher.v3.RegexMatchAndSubstitute`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RegexRewrite {
    pub(crate) pattern: RegexMatcher,
    pub(crate) substitution: String,
}

/// `envoy.config.route.v3.WeightedCluster`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct WeightedClusters {
    pub(crate) clusters: Vec<ClusterWeight>,
    pub(crate) header_name: String,
}

/// `envoy.config.route.v3.WeightedCluster.ClusterWeight`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ClusterWeight {
    pub(crate) name: String,
    pub(crate) cluster_header: String,
    pub(crate) weight: u32,
    pub(crate) host_rewrite_literal: String,
}

/// `envoy.config.route.v3.RetryPolicy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RetryPolicy {
    pub(crate) retry_on: String,
    pub(crate) num_retries: Option<u32>,
    pub(crate) per_try_timeout: Option<Duration>,
    pub(crate) retriable_status_codes: Vec<u32>,
}

/// `envoy.config.route.v3.RouteAction.RequestMirrorPolicy`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MirrorPolicy {
    pub(crate) cluster: String,
    pub(crate) cluster_header: String,
    pub(crate) runtime_fraction: Option<RuntimeFraction>,
}

proto_enum! {
    /// `envoy.config.route.v3.RedirectAction.RedirectResponseCode`.
    pub(crate) enum RedirectCode {
        MovedPermanently = 0 "MOVED_PERMANENTLY",
        Found = 1 "FOUND",
        SeeOther = 2 "SEE_OTHER",
        TemporaryRedirect = 3 "TEMPORARY_REDIRECT",
        PermanentRedirect = 4 "PERMANENT_REDIRECT",
    }
}

/// `envoy.config.route.v3.RedirectAction`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RedirectAction {
    pub(crate) https_redirect: bool,
    pub(crate) scheme_redirect: String,
    pub(crate) host_redirect: String,
    pub(crate) port_redirect: u32,
    pub(crate) path_redirect: String,
    pub(crate) prefix_rewrite: String,
    pub(crate) regex_rewrite: Option<RegexRewrite>,
    pub(crate) response_code: RedirectCode,
    pub(crate) strip_query: bool,
}

/// `envoy.config.route.v3.DirectResponseAction`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DirectResponse {
    pub(crate) status: u16,
    pub(crate) body: Option<DataSource>,
}

/// `envoy.config.core.v3.DataSource`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct DataSource {
    pub(crate) filename: Option<String>,
    /// Base64.
    pub(crate) inline_bytes: Option<String>,
    pub(crate) inline_string: Option<String>,
}
