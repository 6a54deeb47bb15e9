//! The rules, one file each, and the table of them.

pub mod injection;
pub mod input;
pub mod metadata;
pub mod platform;
pub mod policy;
pub mod schema;
pub mod service;
pub mod traffic;
pub mod unused_suppression;
pub mod validation;
mod words;

use crate::Rule;

/// Every rule, sorted by name. The only list: documentation, `explain`, SARIF and options all come from it.
pub static RULES: &[&Rule] = &[
    &schema::conflicting_fields::RULE,
    &traffic::conflicting_gateway_hosts::RULE,
    &traffic::conflicting_gateways::RULE,
    &injection::conflicting_injection_labels::RULE,
    &injection::conflicting_injection_webhooks::RULE,
    &traffic::conflicting_mesh_hosts::RULE,
    &policy::conflicting_peer_authentication_selectors::RULE,
    &service::conflicting_port_protocols::RULE,
    &traffic::conflicting_service_entry_protocol::RULE,
    &policy::conflicting_sidecar_selectors::RULE,
    &service::conflicting_target_ports::RULE,
    &policy::conflicting_telemetry_selectors::RULE,
    &metadata::deprecated_annotation::RULE,
    &schema::deprecated_field::RULE,
    &traffic::duplicate_destination_rule::RULE,
    &input::duplicate_key::RULE,
    &input::duplicate_resource::RULE,
    &traffic::envoy_filter_add::RULE,
    &traffic::envoy_filter_relative_operation::RULE,
    &traffic::envoy_filter_remove::RULE,
    &traffic::envoy_filter_replace::RULE,
    &service::external_name_port_protocol::RULE,
    &platform::failed_condition::RULE,
    &traffic::gateway_duplicate_certificate::RULE,
    &traffic::gateway_port_not_on_service::RULE,
    &traffic::gateway_selects_nothing::RULE,
    &traffic::host_not_on_gateway::RULE,
    &injection::image_auto_without_injection::RULE,
    &traffic::ineffective_match::RULE,
    &traffic::internal_gateway::RULE,
    &metadata::invalid_annotation::RULE,
    &traffic::invalid_credential::RULE,
    &injection::invalid_injection_label::RULE,
    &validation::invalid_mesh_config::RULE,
    &validation::invalid_spec::RULE,
    &schema::invalid_value::RULE,
    &platform::invalid_webhook_client::RULE,
    &traffic::jwt_claim_route_without_authentication::RULE,
    &metadata::misplaced_annotation::RULE,
    &traffic::missing_destination_port::RULE,
    &schema::missing_field::RULE,
    &input::missing_name::RULE,
    &traffic::missing_reference_grant::RULE,
    &traffic::missing_server_verification::RULE,
    &traffic::mtls_conflict::RULE,
    &policy::multiple_peer_authentications::RULE,
    &policy::multiple_sidecars::RULE,
    &policy::multiple_telemetries::RULE,
    &injection::namespace_not_injected::RULE,
    &schema::out_of_range::RULE,
    &platform::outdated_gateway_api::RULE,
    &injection::outdated_sidecar::RULE,
    &injection::pod_without_sidecar::RULE,
    &platform::removed_api::RULE,
    &traffic::route_not_on_listener::RULE,
    &policy::selector_on_gateway::RULE,
    &policy::selector_selects_nothing::RULE,
    &traffic::service_entry_addresses_required::RULE,
    &traffic::service_entry_shadows_service::RULE,
    &policy::sidecar_in_ambient::RULE,
    &injection::sidecar_uid::RULE,
    &traffic::subset_selects_nothing::RULE,
    &validation::suspicious_mesh_config::RULE,
    &validation::suspicious_spec::RULE,
    &input::syntax_error::RULE,
    &service::undetermined_port_protocol::RULE,
    &metadata::unknown_annotation::RULE,
    &traffic::unknown_backend_ref::RULE,
    &traffic::unknown_credential::RULE,
    &traffic::unknown_delegate::RULE,
    &traffic::unknown_destination_rule_host::RULE,
    &policy::unknown_extension_provider::RULE,
    &schema::unknown_field::RULE,
    &traffic::unknown_gateway::RULE,
    &traffic::unknown_host::RULE,
    &input::unknown_kind::RULE,
    &traffic::unknown_parent_ref::RULE,
    &traffic::unknown_port::RULE,
    &policy::unknown_source_namespace::RULE,
    &traffic::unknown_subset::RULE,
    &policy::unknown_target_ref::RULE,
    &schema::unknown_value::RULE,
    &platform::unknown_webhook_service::RULE,
    &traffic::unreachable_route::RULE,
    &input::unreadable_file::RULE,
    &input::unreadable_kind::RULE,
    &platform::unrestricted_jwks_fetch::RULE,
    &unused_suppression::RULE,
    &platform::webhook_by_address::RULE,
    &schema::wrong_type::RULE,
];

#[cfg(test)]
mod tests;
